"""Loop 2 as a pool: each channel with something due is served by one worker at a time, so that a dead one delays no other."""

from __future__ import annotations

import contextlib
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

from monitor.deliver.post import Post, Sent, fault, post, put_back, settle
from monitor.errors import MonitorError, StoreError
from monitor.store import outbox

log = logging.getLogger("monitor")

#: After an error of the database, or of a third party's sender, the channel is left alone this long.
PAUSE = timedelta(minutes=1)


class Delivering:
    """The running half of loop 2. Every method may be called from any thread."""

    def __init__(self, desk: Post, workers: int = 64) -> None:
        self.desk = desk
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="deliver")
        self._mutex = threading.Lock()
        self._busy: dict[str, Future[list[Sent]]] = {}
        self._resting: dict[str, datetime] = {}  # until when a channel is left alone, even where that cannot be written
        self._stopping = False
        self._listeners: list[Callable[[Sent], None]] = []

    @contextlib.contextmanager
    def heard(self, listener: Callable[[Sent], None]) -> Iterator[None]:
        """Hear of every message inside the block, sent or not."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def tick(self) -> dict[str, Future[list[Sent]]]:
        """Start a worker for each channel with something due; those that were started."""
        with self._mutex:
            if self._stopping:
                return {}
            now = self.desk.now()
            with self.desk.store.read() as conn:
                due = {*outbox.due_channels(conn, now), *self.desk.unsettled, *self.desk.stray}
            self._resting = {id_: until for id_, until in self._resting.items() if until > now}
            started: dict[str, Future[list[Sent]]] = {}
            for id_ in sorted(due & self.desk.config.channels.keys() - self._busy.keys() - self._resting.keys()):
                started[id_] = self._busy[id_] = self._pool.submit(self._run, id_)
            return started

    def wake(self) -> None:
        """The clock was put back: no channel rests any longer."""
        with self._mutex:
            self._resting.clear()

    def busy(self) -> list[Future[list[Sent]]]:
        """What is under way."""
        with self._mutex:
            return list(self._busy.values())

    def _run(self, channel_id: str) -> list[Sent]:
        sent: list[Sent] = []
        try:
            if (channel := self.desk.config.channels.get(channel_id)) is not None:
                for one in post(self.desk, channel, lambda: self._stopping):
                    self._tell(sent, one)
        except MonitorError as error:
            log.error("channel %s: tried again in a minute: %s", channel_id, error)
            self._rest(channel_id)
            self._pause(channel_id)
            self._tell(sent, Sent(channel_id, (), str(error)))
        except Exception as unforeseen:  # noqa: BLE001 - one poisonous row stops nobody
            mask = self.desk.config.mask
            trace = mask("".join(traceback.format_exception(unforeseen)))
            log.error("channel %s: a fault in monitor itself; its message is tried in a plainer form\n%s", channel_id, trace)
            self._pause(channel_id, trace)
            self._tell(sent, Sent(channel_id, (), mask(f"a fault in monitor itself: {unforeseen!r}")))
        finally:
            with self._mutex:
                self._busy.pop(channel_id, None)
        return sent

    def _tell(self, sent: list[Sent], one: Sent) -> None:
        sent.append(one)
        for listener in list(self._listeners):
            listener(one)

    def _rest(self, channel_id: str) -> None:
        with self._mutex:
            self._resting[channel_id] = self.desk.now() + PAUSE

    def _pause(self, channel_id: str, trace: str | None = None) -> None:
        """Put back what was claimed, so that the others go on; the traceback is kept with what the program itself failed at."""
        try:
            if trace is None:
                put_back(self.desk, channel_id)
                return
            with self.desk.store.write() as conn:
                fault(conn, self.desk, channel_id, trace)
        except StoreError as error:
            self.desk.stray.add(channel_id)
            if trace is not None:
                log.error("channel %s: %s", channel_id, error)

    def stop(self) -> None:
        """Start nothing more; wait for the message under way of each channel."""
        with self._mutex:
            self._stopping = True
            under_way = list(self._busy.values())
        wait(under_way)
        self._pool.shutdown(wait=True, cancel_futures=True)
        for channel_id in list(self.desk.unsettled):
            try:
                settle(self.desk, channel_id)
            except StoreError as error:
                log.error("channel %s: its last message comes again at the next start: %s", channel_id, error)
