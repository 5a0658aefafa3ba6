"""Whether the disk has room to go on; told once where it has not, and once more when it has again."""

from __future__ import annotations

import logging

from monitor.check.desk import Desk, log
from monitor.model import Kind
from monitor.store import changes
from monitor.tell import tell
from monitor.words import Words


class Room:
    """Asked before anything is started. It remembers what it told last, and at start what the database says of it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        with desk.store.read() as conn:
            self._told = changes.disk_full(conn)

    def there(self) -> bool:
        """Whether there is room. Raises StoreError where what is to be told cannot be written."""
        free = self._desk.store.space.lacking()
        if free is not None and not self._told:
            self._tell(Kind.FAILING, "failing.disk", free=free >> 20)
        elif free is None and self._told:
            self._desk.store.space.hold()
            self._tell(Kind.RECOVERED, "recovered.disk")
        return free is None

    def _tell(self, kind: Kind, words: str, **facts: object) -> None:
        detail = Words(self._desk.config)(words, **facts)
        log.log(logging.ERROR if kind is Kind.FAILING else logging.INFO, "%s", detail)
        now = self._desk.now()
        with self._desk.store.write() as conn:
            tell(conn, self._desk.config, [changes.insert(conn, kind, now, reason="disk", detail=detail)], now)
        self._told = kind is Kind.FAILING
