"""Both loops over one database: opened, ticked, asked, closed. The daemon and a lone `monitor check` use the same.

It has no clock of its own: whoever holds it calls `tick`.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.check import Checking, Desk, Report
from monitor.check.desk import utcnow
from monitor.config import Config, is_inside
from monitor.deliver import Delivering, Post, Sent
from monitor.errors import ConfigError
from monitor.pace import Pace
from monitor.store import Store, changes, outbox, readings, sources
from monitor.store.batch import Batch

log = logging.getLogger("monitor")

#: The shortest pause between two requests to a host that is not the user's own, in seconds.
POLITE = 1.0
#: Readings that hold no message are done as far as they fit into this time, where a person waits.
PATIENCE = 30.0
#: Records of checks are kept this long.
KEPT = timedelta(days=400)
#: First looks of new sources are spread over this long, so that a start is no burst.
SPREAD = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Round:
    """What one `check_now` did: a report for each source, what was sent or not, first readings that remain."""

    reports: tuple[Report, ...]
    sent: tuple[Sent, ...]
    remaining: int


class Loops:
    """The two loops. Raises InUse or StoreError where the database cannot be had."""

    def __init__(
        self,
        config: Config,
        *,
        workers: int = 16,
        only: Iterable[str] | None = None,
        now: Callable[[], datetime] = utcnow,
        monotonic: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self.config = config
        self.rng = rng or random.Random()
        self.store = Store(config.database)
        self.desk = Desk(config, self.store, Batch(), Pace(config.per_host, self._delay, monotonic), now, self.rng)
        self.posts = Post(config, self.store, now, self.rng)
        self._sync(start=True)
        self.checking = Checking(self.desk, workers, only, after=self._after)
        self.delivering = Delivering(self.posts)
        self._stopped = False

    def _sync(self, *, start: bool) -> None:
        now = self.desk.now()
        wanted = [source for source in self.config.sources.values() if source.enabled]
        with self.store.write() as conn:
            if start:
                outbox.start(conn)
            gone = outbox.sync(conn, self.config.channels)
            sources.sync(conn, wanted, {source.id: self._first_due(source.id, now) for source in wanted})
        if gone:
            log.warning("%d deliveries expired: their channel left the configuration", gone)

    def _first_due(self, source_id: str, now: datetime) -> datetime:
        """A new source is looked at soon; many are spread, each at its own place in the minute."""
        spread = min(SPREAD, timedelta(seconds=0.2) * len(self.config.sources))
        return now + spread * random.Random(source_id).random()

    def _delay(self, host: str) -> float:
        """The pause between two requests to a host, in seconds: a short one is only for the user's own, private hosts."""
        own = is_inside(f"http://{host}/", self.config.allow_private)
        return self.config.delay if own else max(self.config.delay, POLITE)

    def _after(self) -> None:
        """A check or reading has ended: there may be room, and something to send."""
        self.checking.tick()
        self.delivering.tick()

    def tick(self) -> None:
        """Start whatever is due in both loops."""
        self.checking.release()
        self.checking.tick()
        self.delivering.tick()

    def flush(self) -> None:
        """Write the unchanged checks that are still in memory."""
        self.desk.batch.flush(self.store)

    def prune(self) -> None:
        """Drop what is kept for a time only."""
        with self.store.write() as conn:
            sources.prune(conn, self.desk.now() - KEPT)
        self.desk.pace.forget()

    def reload(self, config: Config) -> None:
        """Go on with another config. Raises ConfigError where that needs a restart."""
        if config.database != self.config.database:
            raise ConfigError(f"{config.path}: `database` changed: stop monitor and start it again to use {config.database}")
        self.flush()
        self.config = self.desk.config = self.posts.config = config
        self.desk.pace.per_host = config.per_host
        self._sync(start=False)
        self.checking.reload()

    def check_now(
        self, source_ids: Sequence[str], progress: Callable[[Report], None] = lambda _: None, seconds: float = PATIENCE
    ) -> Round:
        """Check these sources, read what holds a message, read more as time allows, deliver what is due."""
        sent: list[Sent] = []
        with self.delivering.heard(sent.append):
            futures = self._checked(source_ids, progress, seconds)
            self._deliver()
        with self.store.read() as conn:
            remaining = readings.waiting(conn, list(source_ids))
        return Round(tuple(future.result() for future in futures.values()), tuple(sent), remaining)

    def _checked(
        self, source_ids: Sequence[str], progress: Callable[[Report], None], seconds: float
    ) -> dict[str, Future[Report]]:
        futures = self.checking.ask(source_ids)
        waiting = dict(futures)
        until: float | None = None
        while True:
            self.checking.done.clear()
            self.tick()
            for id_ in [id_ for id_, future in waiting.items() if future.done()]:
                progress(waiting.pop(id_).result())
            if not waiting:
                until = until or time.monotonic() + seconds
                if self._read_enough(source_ids, until):
                    return futures
            self.checking.done.wait(0.1)

    def _read_enough(self, source_ids: Sequence[str], until: float) -> bool:
        with self.store.read() as conn:
            if changes.holds(conn, list(source_ids)):
                return False
            if time.monotonic() > until:
                return True
            return not readings.due(conn, self.desk.now(), 1, list(source_ids)) and not self.checking.reading(source_ids)

    def _deliver(self) -> None:
        """Deliver until nothing more is due now."""
        while self.delivering.tick() or self.delivering.busy():
            wait(self.delivering.busy())

    def close(self) -> None:
        """Finish what is under way, write what is in memory, free the database. May be called twice."""
        if self._stopped:
            return
        self._stopped = True
        try:
            self.checking.stop()
            self.delivering.stop()
            self.flush()
        finally:
            self.store.close()
