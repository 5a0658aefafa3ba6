"""The daemon: APScheduler's ticks around both loops, signals, reload, heartbeat, watchdog, the control socket.

SIGTERM and SIGINT finish what is under way and end; SIGHUP and a changed file read the config again, and a broken one is told and
the running one kept. Nothing is sent anywhere but to sources, channels and the heartbeat.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from monitor import config as configs
from monitor.config import Config
from monitor.control import Server, socket_path
from monitor.daemon.asked import Asked
from monitor.daemon.logs import mask, take_faults
from monitor.daemon.loops import Loops
from monitor.daemon.memory import give_back
from monitor.daemon.notify import notify, reloading, watchdog_seconds
from monitor.errors import ConfigError, Damaged, MonitorError, StoreError

log = logging.getLogger("monitor")

#: Seconds between two ticks, two flushes, two looks at the config file, two heartbeats.
TICK, FLUSH, WATCH, BEAT = 0.5, 5.0, 2.0, 60.0
#: The same words about the database are logged again after so many seconds.
SAID_AGAIN = 60.0
#: A heartbeat has this long, in seconds.
BEAT_DEADLINE = 10.0


class Daemon:
    """One running monitor. `run` returns when it was asked to stop."""

    def __init__(self, config: Config, environ: Mapping[str, str], loops: Loops | None = None) -> None:
        self.environ = environ
        self.path = config.path
        self.loops = loops or Loops(config)
        self._stop = threading.Event()
        self._reload_asked = threading.Event()
        self._seen = self._glimpsed = self._stat()
        self._beating = True
        self._ticked_for: set[str] = set()
        self._clocks = datetime.now(UTC), time.monotonic()
        self._said: dict[str, tuple[str, float]] = {}
        self.server = Server(socket_path(config.database), Asked(self.loops, self.reload).handlers())
        self.scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    # --- the frame

    def run(self) -> None:
        """Tick until a signal asks to stop; then finish what is under way and close. May only be called in the main thread."""
        former = {number: signal.signal(number, self._signalled) for number in (signal.SIGTERM, signal.SIGINT)}
        former[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._hung_up)
        try:
            self._start()
            notify(self.environ, "READY=1", f"STATUS={len(self.loops.config.sources)} sources")
            while not self._stop.wait(TICK):  # a signal that the system gave to another thread is only seen on waking
                self._keep_ticking()
            notify(self.environ, "STOPPING=1")
            log.info("stopping: what is under way is finished first")
            if self.loops.store.broken is not None:
                raise Damaged(str(self.loops.store.broken))
        finally:
            self.close()
            for number, handler in former.items():
                signal.signal(number, handler)

    def _start(self) -> None:
        config = self.loops.config
        self.loops.checking.reload()
        self._every(TICK, "tick", self._tick)
        self._every(FLUSH, "flush", self.loops.flush)
        self._every(WATCH, "watch", self._watch)
        self._every(3600.0, "prune", self.loops.prune)
        self._every(BEAT, "heartbeat", self._beat, first=2 * TICK)
        if (seconds := watchdog_seconds(self.environ)) is not None:
            self._every(seconds, "watchdog", self._alive)
        self.scheduler.start()
        log.info("running: %d sources, %d channels, database %s", len(config.sources), len(config.channels), config.database)

    def _every(self, seconds: float, name: str, job: Callable[[], None], first: float = 0.0) -> None:
        """Do a job every so many seconds, for the first time in `first`."""
        begin = datetime.now(UTC) + timedelta(seconds=first)
        self.scheduler.add_job(lambda: self._guarded(name, job), "interval", seconds=seconds, id=name, next_run_time=begin)

    def _guarded(self, name: str, job: Callable[[], None]) -> None:
        """A database that cannot be written now is told, once a minute at most, and tried again at the next tick; a damaged one
        ends the daemon, before the damage spreads."""
        try:
            job()
        except StoreError as error:
            said, at = self._said.get(name, ("", 0.0))
            if str(error) != said or time.monotonic() - at > SAID_AGAIN:
                self._said[name] = str(error), time.monotonic()
                log.error("%s: %s", name, error)
        if self.loops.store.broken is not None:
            self._stop.set()

    def _signalled(self, _: int, __: FrameType | None) -> None:
        self._stop.set()

    def _hung_up(self, _: int, __: FrameType | None) -> None:
        self._reload_asked.set()

    def close(self) -> None:
        """Stop ticking, finish what is in flight, close."""
        if self.scheduler.running:
            self.scheduler.shutdown(wait=True)
        self.server.close()
        self.loops.close()

    # --- ticks

    def _keep_ticking(self) -> None:
        """The scheduler goes by the wall clock: where that was put back, it would stand still until its old time comes again."""
        (before, began), (now, ended) = self._clocks, (datetime.now(UTC), time.monotonic())
        self._clocks = now, ended
        if now - before < timedelta(seconds=ended - began - TICK):
            for job in self.scheduler.get_jobs():
                job.modify(next_run_time=now)

    def _tick(self) -> None:
        self.loops.tick()
        self._ticked_for = {"watchdog", "heartbeat"}

    def _ticked(self, since: str) -> bool:
        """Whether the loops ticked since this was last asked."""
        ticked = since in self._ticked_for
        self._ticked_for = self._ticked_for - {since}
        return ticked

    def _alive(self) -> None:
        """A sign of life for the manager, if the loops ticked since the last one."""
        if self._ticked("watchdog"):
            notify(self.environ, "WATCHDOG=1")

    def _beat(self) -> None:
        """Ask the heartbeat's address, if there is one and the loops ticked: silence there means that monitor is not running."""
        import requests

        url = self.loops.config.heartbeat
        if not url or not self._ticked("heartbeat"):
            return
        session = requests.Session()
        session.trust_env = False
        try:
            answer = session.get(url, timeout=BEAT_DEADLINE, allow_redirects=False)
            well = answer.status_code < 400
            said = f"answers {answer.status_code}"
        except requests.RequestException as error:
            well, said = False, type(error).__name__
        finally:
            session.close()
        if well != self._beating:
            log.log(logging.INFO if well else logging.WARNING, "heartbeat: %s", said)
            self._beating = well

    # --- the config file

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _watch(self) -> None:
        """SIGHUP is a reload, and so is a changed file that has come to rest: while it is written, it may say less than is meant,
        and be good all the same."""
        now = self._stat()
        if self._reload_asked.is_set() or (now is not None and now != self._seen and now == self._glimpsed):
            self._reload_asked.clear()
            self._seen = now
            self.reload()
        self._glimpsed = now

    def reload(self) -> list[str]:
        """Read the config again, with the files of secrets that it names; the problems, where the running one is kept."""
        reloading(self.environ)
        try:
            config = configs.load(Path(self.path), self.environ)
            mask(config.secrets)
            self._not_emptied(config)
            self.loops.reload(config)
        except ConfigError as error:
            for problem in error.problems:
                log.error("%s", problem)
            log.error("%s: not read again; the configuration of before stays in force", self.path)
            return list(error.problems)
        except MonitorError as error:
            log.error("%s: not read again: %s", self.path, error)
            return [str(error)]
        finally:
            notify(self.environ, "READY=1")
        log.info("%s read again: %d sources, %d channels", self.path, len(config.sources), len(config.channels))
        return []

    def _not_emptied(self, config: Config) -> None:
        """A file without a source and a channel is what a full disk or a crash leaves: to go on with it would give up all that is
        owed. Raises ConfigError."""
        before = self.loops.config
        if (before.sources or before.channels) and not (config.sources or config.channels):
            raise ConfigError(
                f"{self.path} holds no source and no channel any more: if that is meant, stop monitor and start it again"
            )


def run(config: Config, environ: Mapping[str, str], **options: Any) -> None:
    """Run the daemon until it is asked to stop. Raises InUse where another one has the database, StoreError otherwise."""
    give_back()
    daemon = Daemon(config, environ, **options)
    take_faults()
    daemon.run()
