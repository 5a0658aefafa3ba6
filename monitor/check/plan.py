"""Which source is due next, fair by host: the mirror of the table's `next_due_at` in memory. It checks nothing."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from datetime import datetime


class Plan:
    """For each host a queue of its sources by due time. Not safe for threads: its owner holds a lock."""

    def __init__(self) -> None:
        self._due: dict[str, tuple[datetime, str]] = {}
        self._hosts: dict[str, list[tuple[datetime, str]]] = {}

    def put(self, source: str, host: str, due_at: datetime) -> None:
        """A source is due at `due_at`; a former time is void."""
        self._due[source] = (due_at, host)
        heapq.heappush(self._hosts.setdefault(host, []), (due_at, source))

    def drop(self, source: str) -> None:
        """A source is no longer in the plan."""
        self._due.pop(source, None)

    def take(self, now: datetime, limit: int, ready: Callable[[str, str], bool]) -> list[tuple[str, str]]:
        """(source, host) to check now: of each host the source that waits longest, where it is ready, at most `limit`. They leave
        the plan; `ready` is asked of a host and a source, and what it says yes to is taken."""
        heads = [(head[0], host) for host in list(self._hosts) if (head := self._head(host)) and head[0] <= now]
        taken: list[tuple[str, str]] = []
        for _, host in sorted(heads):
            if len(taken) >= limit:
                break
            source = self._hosts[host][0][1]
            if ready(host, source):
                heapq.heappop(self._hosts[host])
                del self._due[source]
                taken.append((source, host))
        return taken

    def _head(self, host: str) -> tuple[datetime, str] | None:
        queue = self._hosts[host]
        while queue and self._due.get(queue[0][1]) != (queue[0][0], host):
            heapq.heappop(queue)
        if not queue:
            del self._hosts[host]
            return None
        return queue[0]

    def sources(self) -> Iterable[str]:
        """Every source in the plan."""
        return self._due.keys()

    def next_due(self) -> datetime | None:
        """The earliest due time of all."""
        return min((due for due, _ in self._due.values()), default=None)
