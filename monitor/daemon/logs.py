"""Logs: to stderr, one line a change and none for an unchanged check; as text or JSON; secrets masked."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType

from monitor.config import Config
from monitor.mask import Mask, Masked
from monitor.model import when_text


class Json(logging.Formatter):
    """One JSON object a line: at, level, message."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        return json.dumps(
            {"at": when_text(at), "level": record.levelname.lower(), "message": record.getMessage()}, ensure_ascii=False
        )


def set_up(config: Config, level: str) -> None:
    """Send monitor's log to stderr, from `level` on; of what libraries say, warnings and errors."""
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S")
    masked = Masked(Mask(config.secrets))
    handler, others = logging.StreamHandler(sys.stderr), logging.StreamHandler(sys.stderr)
    for one in (handler, others):
        one.setFormatter(Json() if config.log_format == "json" else text)
        one.addFilter(masked)
    others.setLevel(logging.WARNING)
    logging.lastResort = others
    for name in ("monitor", "apscheduler"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
    logging.getLogger("monitor").setLevel(level.upper())
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def mask(secrets: frozenset[str]) -> None:
    """Mask these too from now on: the configuration was read again."""
    for handler in logging.getLogger("monitor").handlers:
        for one in handler.filters:
            if isinstance(one, Masked):
                one.mask.add(secrets)


def take_faults() -> None:
    """Exceptions that nobody catches go to the log too, where secrets are masked, and not to stderr as Python writes them."""
    log = logging.getLogger("monitor")

    def told(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        log.critical("a fault in monitor itself", exc_info=(kind, error or kind(), trace))

    sys.excepthook = told
    threading.excepthook = lambda fault: told(fault.exc_type, fault.exc_value, fault.exc_traceback)
