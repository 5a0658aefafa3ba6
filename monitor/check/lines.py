"""The log's lines about changes: one each, with the title. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.check.desk import Desk, log
from monitor.model import Kind
from monitor.store import changes, notices


def log_changes(desk: Desk, ids: Iterable[int], *, but: Kind | None = None) -> None:
    """One line a change, after it was committed; those of the kind `but` had theirs before. Raises StoreError."""
    for id_ in ids:
        with desk.store.read() as conn:
            change = changes.load(conn, id_)
            row = notices.row(conn, change.notice) if change and change.notice is not None else None
        if change is not None and change.kind is not but:
            log.info("%s: %s: %s", change.source or "monitor", change.kind, row["title"] if row else _first(change.detail))


def _first(detail: str) -> str:
    return detail.partition("\n")[0]
