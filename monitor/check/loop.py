"""Loop 1 as a bounded pool: due sources and readings, fair by host, each at most once at a time.

One poisonous row stops nobody: an unexpected exception is stored on its row with the traceback, the row is pushed ahead, the loop
goes on. It decides nothing else.
"""

from __future__ import annotations

import contextlib
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from monitor import schedule, urls
from monitor.check.desk import Desk, Overtaken, Report, log
from monitor.check.failed import failed
from monitor.check.one import check
from monitor.check.plan import Plan
from monitor.check.reading import read
from monitor.check.room import Room
from monitor.errors import MonitorError, SourceError, StoreError
from monitor.model import Outcome
from monitor.store import changes, readings, sources
from monitor.tell import tell

#: After an exception that no rule foresaw, the row is tried again this much later.
PUSHED_AHEAD = timedelta(hours=1)
#: After an error of the database, everything is tried again this much later.
STORE_PAUSE = timedelta(seconds=30)
#: At most so many looks at once of sources that want the browser: it takes one page at a time, and who waits for it must hold up
#: neither other sources nor the end.
BROWSED = 3
#: What is late by more than this is spread: each by a moment more, all within a minute.
LATE, EACH, SPREAD = timedelta(seconds=60), timedelta(seconds=0.2), timedelta(seconds=60)
#: Due before everything else.
AT_ONCE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Task:
    """One thing under way: a source's check, or one of its readings (by id)."""

    source: str
    reading: int | None = None
    host: str = field(default="", compare=False)


class Checking:
    """The running half of loop 1. Every method may be called from any thread; `only` limits it to some sources."""

    def __init__(
        self,
        desk: Desk,
        workers: int = 16,
        only: Iterable[str] | None = None,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        self.desk = desk
        self.workers = workers
        self.only = None if only is None else sorted(only)
        self._after = after
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="check")
        self._mutex = threading.RLock()
        self._plan = Plan()
        self._room = Room(desk)
        self._running: dict[Task, Future[None]] = {}
        self._asked: dict[str, Future[Report]] = {}
        self._stopping = False
        self.halt: StoreError | None = None  # why nothing is started now
        self._looked_at: set[str] | None = None  # None until the table was read: whatever is asked for
        self._paused_until: datetime | None = None
        self.done = threading.Event()  # set whenever a task has ended

    # --- the plan

    def reload(self, by: timedelta = timedelta()) -> None:
        """Follow the config and the table: which sources there are, and when each is due. Those that are late, because monitor or
        the machine stood still, or that a wrong clock has put too far ahead, are looked at once, spread a little; `by`: how far
        the clock was put forward (or back, below zero) just now."""
        with self._mutex:
            plan, wanted, now = Plan(), self.desk.config.sources, self.desk.now()
            with self.desk.store.read() as conn:
                present = [due for due in sources.planned(conn) if due.id in wanted]
            late: list[sources.Due] = []
            for due in present:
                at = (self.desk.batch.next_due(due.id) or due.due_at) + min(by, timedelta())
                if Task(due.id) in self._running:
                    continue
                if at < now - LATE or at > schedule.latest_due(wanted[due.id].schedule, now, asked=due.asked):
                    late.append(due)
                else:
                    plan.put(due.id, due.host, at)
            for due in late:
                plan.put(due.id, due.host, now + min(SPREAD, EACH * len(late)) * self.desk.rng.random())
            self._plan, self._looked_at = plan, {due.id for due in present}
            for id_ in list(self._asked):
                if id_ in wanted or Task(id_) in self._running:
                    self._put(id_, AT_ONCE)
                else:
                    _answer(self._asked.pop(id_), None, _gone(id_), id_, now)
            if by:
                self._paused_until = None

    @contextlib.contextmanager
    def standing(self) -> Iterator[None]:
        """Nothing is started meanwhile: what is asked of sources, or known of them, may be changed as a whole."""
        with self._mutex:
            yield

    @property
    def planned(self) -> bool:
        """Whether it follows the table; else it only does what it is asked."""
        return self._looked_at is not None

    def _put(self, source_id: str, due_at: datetime) -> None:
        source = self.desk.config.sources.get(source_id)
        if source is not None and Task(source_id) not in self._running:
            self._plan.put(source_id, urls.host(source.url), due_at)

    def ask(self, source_ids: Iterable[str]) -> dict[str, Future[Report]]:
        """Check these now, due or not; one that is under way counts. A future for each."""
        found: dict[str, Future[Report]] = {}
        with self._mutex:
            for id_ in source_ids:
                found[id_] = self._asked.setdefault(id_, Future())
                self._put(id_, AT_ONCE)
        return found

    def reading(self, source_ids: Iterable[str]) -> bool:
        """Whether a reading of one of these is under way."""
        wanted = set(source_ids)
        with self._mutex:
            return any(task.reading is not None and task.source in wanted for task in self._running)

    # --- what is due

    def tick(self) -> int:
        """Start what is due, as far as there is room; the number of tasks started."""
        with self._mutex:
            now = self.desk.now()
            if self._stopping or (self._paused_until is not None and now < self._paused_until):
                return 0
            self._paused_until = self.halt = None
            if not self._is_room(now):
                self._refuse_asked(now)
                return 0
            tasks = self._due(now)
            for task in tasks:
                future = self._pool.submit(self._run, task)
                self._running[task] = future
            return len(tasks)

    def _is_room(self, now: datetime) -> bool:
        try:
            there = self._room.there()
        except StoreError as error:
            self._pause(error)
            raise
        if not there:
            self.halt = StoreError(f"{self.desk.store.path}: the disk is full: nothing was lost, free some space")
        return there

    def _pause(self, error: StoreError) -> None:
        self._paused_until, self.halt = self.desk.now() + STORE_PAUSE, error

    def _refuse_asked(self, now: datetime) -> None:
        """Whoever asked for a check is told that there is no room for one."""
        for id_, future in self._asked.items():
            said = f"{id_}: not checked: the disk of the database is full, free some space"
            future.set_result(Report(id_, Outcome.FAILED, now, error=said))
        self._asked.clear()

    def _due(self, now: datetime) -> list[Task]:
        """What to start now: readings that a message waits for, then checks, then other readings; one more a host."""
        room = self.workers - len(self._running)
        if room <= 0:
            return []
        busy = Counter(task.host for task in self._running)
        browsed = sum(self._is_browsed(task.source) for task in self._running)

        def ready(host: str, source: str) -> bool:
            """Whether a look may start; if so, it is counted."""
            nonlocal browsed
            mine = self._is_browsed(source)
            if busy[host] >= self.desk.pace.per_host or not self.desk.pace.ready(host) or (mine and browsed >= BROWSED):
                return False
            busy[host] += 1
            browsed += mine
            return True

        with self.desk.store.read() as conn:
            waiting = readings.due(conn, now, self.workers * 4, self.only)
        tasks: list[Task] = []

        def take(tasks_: Iterable[Task]) -> None:
            for task in tasks_:
                fits = len(tasks) < room and task not in self._running and task.source in self.desk.config.sources
                if fits and ready(task.host, task.source):
                    tasks.append(task)

        take(Task(r.source, r.id, r.host) for r in waiting if r.urgent)
        for id_, host in self._plan.take(now, room - len(tasks), ready):
            tasks.append(Task(id_, None, host))
        take(Task(r.source, r.id, r.host) for r in waiting if not r.urgent)
        return tasks

    def _is_browsed(self, source_id: str) -> bool:
        source = self.desk.config.sources.get(source_id)
        return source is not None and source.via == "browser"

    def release(self) -> int:
        """Tell what was held long enough for its page; the number of changes."""
        now = self.desk.now()
        with self.desk.store.read() as conn:
            held = changes.overheld(conn, now)
        for change in held:
            try:
                with self.desk.store.write() as conn:
                    tell(conn, self.desk.config, [change] if change in changes.overheld(conn, now) else [], now)
            except StoreError:
                raise
            except Exception as unforeseen:  # noqa: BLE001 - one poisonous row stops nobody
                trace = "".join(traceback.format_exception(unforeseen))
                log.error("change %d: a fault in monitor itself; tried again in an hour\n%s", change, trace)
                with self.desk.store.write() as conn:
                    changes.hold(conn, change, now + PUSHED_AHEAD)
        return len(held)

    # --- one task

    def _run(self, task: Task) -> None:
        report: Report | None = None
        error: BaseException | None = None
        turn = self.desk.turn(task.source)
        source = self.desk.config.sources.get(task.source)
        try:
            if source is None or not source.enabled:
                error = _gone(task.source)
            elif task.reading is None:
                report = check(self.desk, source, turn)
            else:
                read(self.desk, task.reading)
        except Overtaken:
            log.debug("%s: changed while it was looked at: it is looked at again", task.source)
        except StoreError as lost:
            error = lost
            log.error("%s: nothing was stored and the look is taken again: %s", task.source, lost)
            with self._mutex:
                self._pause(lost)
        except Exception as unforeseen:  # noqa: BLE001 - one poisonous row stops nobody
            report = self._push_ahead(task, unforeseen, turn)
        finally:
            self._ended(task, report, error, turn)

    def _push_ahead(self, task: Task, error: Exception, turn: int) -> Report | None:
        """The loop body's last net: the exception is written on its row and told in the log; the row waits. A source's fault is a
        failed check, told at its threshold like any other; not so where what it looked at was deleted meanwhile."""
        if task.reading is None and self.desk.turn(task.source) != turn:
            return None
        mask = self.desk.config.mask
        trace = mask("".join(traceback.format_exception(error)))
        log.error("%s: a fault in monitor itself; tried again in an hour\n%s", task.source, trace)
        due = self.desk.now() + PUSHED_AHEAD
        try:
            if task.reading is None:
                fault = SourceError(mask(f"a fault in monitor itself: {error!r}"), reason="fault", source_id=task.source)
                return failed(self.desk, self.desk.source(task.source), fault, 0.0, due_at=due, detail=trace)
            with self.desk.store.write() as conn:
                readings.failed(conn, task.reading, trace, due)
        except StoreError as lost:
            log.error("%s: the fault could not be stored: %s", task.source, lost)
        return None

    def _ended(self, task: Task, report: Report | None, error: BaseException | None, turn: int) -> None:
        if report is not None:
            log.debug(
                "%s: %s, %d rows, %.2f s, next %s", task.source, report.outcome, report.rows, report.elapsed, report.next_due_at
            )
        with self._mutex:
            self._running.pop(task, None)
            if task.reading is None and self.desk.turn(task.source) != turn:
                self._again(task.source)
            elif task.reading is None:
                pause = STORE_PAUSE if isinstance(error, StoreError) else PUSHED_AHEAD
                due = report.next_due_at if report else self.desk.now() + pause
                if self._looked_at is None or task.source in self._looked_at:
                    self._put(task.source, due)
                if (asked := self._asked.pop(task.source, None)) is not None:
                    _answer(asked, report, error, task.source, due)
        self.done.set()
        self._after()

    def _again(self, source_id: str) -> None:
        """The look was overtaken: another one is taken at once, and whoever asked waits for that."""
        if source_id not in self.desk.config.sources:
            if (asked := self._asked.pop(source_id, None)) is not None:
                _answer(asked, None, _gone(source_id), source_id, self.desk.now())
        elif source_id in self._asked or self._looked_at is None or source_id in self._looked_at:
            self._put(source_id, AT_ONCE)

    # --- the end

    def stop(self) -> None:
        """Start nothing more; wait for what is under way (each look has its deadline)."""
        with self._mutex:
            self._stopping = True
            under_way = list(self._running.values())
        wait(under_way)
        with self._mutex:
            for id_, future in self._asked.items():
                future.set_exception(MonitorError(f"{id_}: not checked: monitor is stopping"))
            self._asked.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _gone(source_id: str) -> MonitorError:
    return MonitorError(f"{source_id}: not checked: the configuration has no such source, or enabled = false")


def _answer(asked: Future[Report], report: Report | None, error: BaseException | None, source: str, due: datetime) -> None:
    """Tell whoever asked for a check; only an error of the database concerns more than this one."""
    if report is not None:
        asked.set_result(report)
    elif isinstance(error, StoreError):
        asked.set_exception(error)
    else:
        said = str(error) if error else f"{source}: a fault in monitor itself; its log has more"
        asked.set_result(Report(source, Outcome.FAILED, due, error=said))
