"""Logs: to stderr, one line a change and none for an unchanged check; as text or JSON; secrets masked."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from monitor.config import Config
from monitor.model import when_text

MASK = "•••"


class Masked(logging.Filter):
    """Replaces every secret of the config, wherever it stands in a record."""

    def __init__(self, secrets: frozenset[str]) -> None:
        super().__init__()
        self._secrets: list[str] = []
        self.add(secrets)

    def add(self, secrets: frozenset[str]) -> None:
        """Mask these too."""
        self._secrets = sorted({*self._secrets, *secrets}, key=len, reverse=True)

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if record.exc_info:
            said += "\n" + logging.Formatter().formatException(record.exc_info)
            record.exc_info = record.exc_text = None
        for secret in self._secrets:
            said = said.replace(secret, MASK)
        record.msg, record.args = said, ()
        return True


class Json(logging.Formatter):
    """One JSON object a line: at, level, message."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        return json.dumps(
            {"at": when_text(at), "level": record.levelname.lower(), "message": record.getMessage()}, ensure_ascii=False
        )


def set_up(config: Config, level: str) -> None:
    """Send monitor's log to stderr, from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S")
    handler.setFormatter(Json() if config.log_format == "json" else text)
    handler.addFilter(Masked(config.secrets))
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
                one.add(secrets)
