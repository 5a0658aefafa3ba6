"""Unchanged checks, kept in memory and written together: an unchanged check is nearly free. A crash may lose some."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from monitor.model import Check, Validators
from monitor.store import sources
from monitor.store.database import Store, dumps, stamp


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Equal checks in a row of one source: the first `check`, how many, the last moment, the slowest."""

    check: Check
    interval: float | None
    count: int = 1
    until: datetime | None = None
    validators: Validators | None = None
    state: Mapping[str, Any] | None = None


class Batch:
    """The unchanged checks since the last flush, by source. Safe to use from several threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._pending: dict[str, Unchanged] = {}
        self._writing: dict[str, Unchanged] = {}

    def add(self, one: Unchanged, holds: Callable[[], bool] = lambda: True) -> bool:
        """Remember one unchanged check; False where it no longer `holds`."""
        id_ = one.check.source
        with self._mutex:
            if not holds():
                return False
            before = self._pending.get(id_)
            if before is not None:
                check = replace(
                    one.check,
                    at=before.check.at,
                    elapsed=max(before.check.elapsed, one.check.elapsed),
                )
                one = replace(
                    one,
                    check=check,
                    count=before.count + 1,
                    until=one.check.at,
                    validators=one.validators or before.validators,
                    state=one.state if one.state is not None else before.state,
                )
            self._pending[id_] = one
        return True

    def next_due(self, source_id: str) -> datetime | None:
        """When a source is due again, where the table does not say so yet."""
        with self._mutex:
            one = self._pending.get(source_id) or self._writing.get(source_id)
        return one.check.next_due_at if one else None

    def validators(self, source_id: str) -> Validators | None:
        """Validators that the table does not have yet."""
        with self._mutex:
            one = self._pending.get(source_id) or self._writing.get(source_id)
        return one.validators if one else None

    def drop(self, source_id: str) -> Unchanged | None:
        """Take one out: the transaction at hand writes it."""
        with self._mutex:
            return self._pending.pop(source_id, None)

    def void(self, source_id: str) -> None:
        """Forget one, also while it waits to be written."""
        with self._mutex:
            self._pending.pop(source_id, None)
            self._writing.pop(source_id, None)

    def flush(self, store: Store) -> int:
        """Write all of it in one transaction; the number of sources. What cannot be written stays."""
        with self._mutex:
            if not self._pending:
                return 0
            self._writing, self._pending = self._pending, {}
        try:
            with store.write() as conn:
                with self._mutex:
                    taken = list(self._writing.values())
                for one in taken:
                    write(conn, one)
        except BaseException:
            with self._mutex:
                self._pending = {**self._writing, **self._pending}
                self._writing = {}
            raise
        with self._mutex:
            self._writing = {}
        return len(taken)


def write(conn: Any, one: Unchanged) -> None:
    """One source's unchanged checks."""
    check = one.check
    until = one.until or check.at
    conn.execute(
        "UPDATE sources SET health = CASE WHEN paused THEN 'paused' WHEN quiet_since IS NOT NULL THEN 'quiet' ELSE 'ok' END,"
        " outcome = 'unchanged', last_check = ?,"
        " last_ok = ?, next_due_at = ?, interval_s = ? WHERE id = ?",
        (stamp(until), stamp(until), stamp(check.next_due_at) if check.next_due_at else None, one.interval, check.source),
    )
    if one.validators is not None:
        sources.save_validators(conn, check.source, one.validators)
    if one.state is not None:
        conn.execute("UPDATE sources SET state = ? WHERE id = ?", (dumps(one.state), check.source))
    sources.record(conn, check, one.count, until)
