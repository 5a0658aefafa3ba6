"""Both loops over one database: opened, ticked, asked, closed. The daemon and a lone `monitor check` use the same.

It has no clock of its own: whoever holds it calls `tick`.
"""

from __future__ import annotations

import contextlib
import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor import browser, glance, sandbox, schedule
from monitor.check import Checking, Desk, Report
from monitor.check.desk import utcnow
from monitor.check.indexing import index
from monitor.check.reminding import remind
from monitor.check.silence import mind, sum_up
from monitor.check.texts import want_stale
from monitor.config import Config, is_inside
from monitor.deliver import Delivering, Post, Sent
from monitor.errors import ConfigError, StoreError
from monitor.pace import Pace
from monitor.store import Store, changes, meta, outbox, readings, sources
from monitor.store.batch import Batch
from monitor.store.database import stamp
from monitor.store.replan import replan

log = logging.getLogger("monitor")

#: The shortest pause between two requests to a host that is not the user's own, in seconds.
POLITE = 1.0
#: Readings that hold no message are done as far as they fit into this time, where a person waits.
PATIENCE = 30.0
#: Records of checks are kept this long.
KEPT = timedelta(days=400)
#: How often it is asked whether a reminder, or a summary, has come.
REMINDED = timedelta(minutes=10)
#: How often silence is minded.
MINDED = timedelta(days=1)
#: First looks of new sources are spread over this long, so that a start is no burst.
SPREAD = timedelta(seconds=60)


def pause(config: Config, host: str) -> float:
    """The pause between two requests to a host, in seconds: a short one is only for the user's own, private hosts."""
    own = is_inside(f"http://{host}/", config.allow_private)
    return config.delay if own else max(config.delay, POLITE)


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
        steady: Callable[[], float] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """`steady`: seconds by a clock that nobody sets; beside it is seen that `now` was set. None where `now` is a test's."""
        self.config = config
        self.rng = rng or random.Random()
        self._steady = steady or (time.monotonic if now is utcnow else None)
        self.store = Store(config.database)
        try:
            self._furnish(workers, only, now, monotonic)
        except BaseException:
            self.store.close()
            raise

    def _furnish(
        self, workers: int, only: Iterable[str] | None, now: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        config = self.config
        self.desk = Desk(config, self.store, Batch(), Pace(config.per_host, self._delay, monotonic), now, self.rng)
        self.posts = Post(config, self.store, now, self.rng)
        self._sync(start=True)
        want_stale(self.desk)
        self.checking = Checking(self.desk, workers, only, after=self._after)
        self.delivering = Delivering(self.posts)
        self._stopped = False
        self._remind_at = self.desk.now()
        self._clocks = self._time()
        self._timing = threading.Lock()

    def _sync(self, *, start: bool) -> None:
        now = self.desk.now()
        wanted = [source for source in self.config.sources.values() if source.enabled]
        with self.store.write() as conn:
            if start:
                outbox.start(conn)
                self._replan(conn, now, timedelta())
            meta.put(conn, glance.ACCEPTED, glance.accepted(self.config.digest))
            gone = outbox.sync(conn, self.config.channels)
            other = sources.sync(conn, wanted, {source.id: self._first_due(source.id, now) for source in wanted})
            self.desk.overtake(other)
        if gone:
            log.warning("%d deliveries expired: their channel left the configuration", gone)

    def _first_due(self, source_id: str, now: datetime) -> datetime:
        """A new source is looked at soon; many are spread, each at its own place in the minute."""
        spread = min(SPREAD, timedelta(seconds=0.2) * len(self.config.sources))
        return now + spread * random.Random(source_id).random()

    def _delay(self, host: str) -> float:
        return pause(self.config, host)

    def _after(self) -> None:
        """A check or reading has ended: there may be room, and something to send."""
        self.checking.tick()
        self.delivering.tick()

    def _time(self) -> tuple[datetime, float]:
        return self.desk.now(), self._steady() if self._steady else 0.0

    def _replan(self, conn: sqlite3.Connection, now: datetime, by: timedelta) -> None:
        wanted = self.config.sources.values()
        hold = max((source.hold for source in wanted), default=timedelta())
        looks = max((look for source in wanted for look in source.recheck), default=timedelta())
        replan(conn, now, by, hold, looks)

    def _keep_time(self) -> None:
        """Where the clock was set, or the machine slept, everything is planned anew. Raises StoreError: then it is seen again."""
        with self._timing:
            (before, began), (now, ended) = self._clocks, self._time()
            by = schedule.jump(before, now, ended - began) if self._steady else None
            if by is not None:
                how = "forward, or the machine slept for" if by > timedelta() else "back by"
                far = timedelta(seconds=round(abs(by).total_seconds()))
                log.warning("the clock was put %s %s: everything is planned anew", how, far)
                with self.store.write() as conn:
                    self._replan(conn, now, by)
                if self.checking.planned:
                    self.checking.reload(by)
                self.delivering.wake()
                self._remind_at = now
            self._clocks = now, ended

    def tick(self) -> None:
        """Start whatever is due in both loops."""
        self._keep_time()
        if self.desk.now() >= self._remind_at:
            self._remind_at = self.desk.now() + REMINDED
            remind(self.desk)
            sum_up(self.desk)
            self._mind()
        try:
            self.checking.release()
            self.checking.tick()
        finally:
            self.delivering.tick()  # where nothing can be looked at, what is owed is sent all the same

    def _mind(self) -> None:
        """Once a day, also over many short runs: what silence asks for."""
        with self.store.read() as conn:
            last = meta.moment_of(conn, "minded")
        now = self.desk.now()
        if last is None or not timedelta() <= now - last < MINDED:
            with self.store.write() as conn:
                meta.put(conn, "minded", stamp(now))
            mind(self.desk)

    def flush(self) -> None:
        """Write the unchanged checks that are still in memory; index what an older database has; end children that have nothing
        to do."""
        self.desk.batch.flush(self.store)
        index(self.desk)
        sandbox.tidy()
        browser.tidy()

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
        with self.checking.standing():
            self.config = self.desk.config = self.posts.config = config
            self.desk.passes.clear()  # what the table knows holds for a source that is the same
            self.desk.pace.per_host = config.per_host
            self._sync(start=False)
            self.checking.reload()

    def check_now(
        self, source_ids: Sequence[str], progress: Callable[[Report], None] = lambda _: None, seconds: float = PATIENCE
    ) -> Round:
        """Check these sources, read what holds a message, read more as time allows, deliver what is due. Raises StoreError where
        the database stood in the way of any of that."""
        sent: list[Sent] = []
        with self.delivering.heard(sent.append):
            futures, halt = self._checked(source_ids, progress, seconds)
            self._deliver()
        if halt is not None:
            raise StoreError(str(halt)) from halt
        with self.store.read() as conn:
            remaining = readings.waiting(conn, list(source_ids))
        return Round(tuple(future.result() for future in futures.values()), tuple(sent), remaining)

    def _checked(
        self, source_ids: Sequence[str], progress: Callable[[Report], None], seconds: float
    ) -> tuple[dict[str, Future[Report]], StoreError | None]:
        """The reports to come, and what stood in the way of reading."""
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
                    return futures, None
                if self.checking.halt is not None:
                    return futures, self.checking.halt
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
        with contextlib.ExitStack() as last:  # each of these happens, whatever another one meets; from the last to the first
            last.callback(self.store.close)
            last.callback(sandbox.close)
            last.callback(browser.close)
            last.callback(self.flush)
            last.callback(self.delivering.stop)
            last.callback(self.checking.stop)
