"""Loop 1: check one source. The only place that knows the order of rooms: walk, decide, store, tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic

from monitor import decide, schedule
from monitor.check import passes
from monitor.check.desk import Desk, Overtaken, Report, log
from monitor.check.failed import failed
from monitor.check.lines import log_changes
from monitor.check.prepared import Prepared
from monitor.check.walk import Walked, walk
from monitor.decide import Decision, Known, Say, Seen
from monitor.errors import EmptyListing, ParseError, SourceError
from monitor.model import Check, Kind, Notice, Outcome, Source, Validators
from monitor.store import changes, notices, sources
from monitor.store.apply import Applied, apply
from monitor.store.batch import Unchanged, write
from monitor.store.database import Connection
from monitor.tell import elsewhere, tell
from monitor.words import Words

#: Rows of a baseline that are committed at once.
CHUNK = 2000


def check(desk: Desk, source: Source, turn: int | None = None) -> Report:
    """Check one source now, whatever its schedule says; `turn` is that of the desk before `source` was taken from its config.
    Raises StoreError, and Overtaken; every SourceError becomes a failed check."""
    turn = desk.turn(source.id) if turn is None else turn
    started = monotonic()
    with desk.store.read() as conn:
        row = sources.load(conn, source.id)
    try:
        walked = walk(desk, source, row)
        accepted = _believe(source, row.memory, walked, desk.now())
    except SourceError as error:
        if isinstance(error, EmptyListing | ParseError):
            passes.unsure(desk, source)
        return failed(desk, source, error, monotonic() - started, turn=turn)
    reads = Prepared(desk.config.bodies, copied=elsewhere(source))
    return _accepted(_Work(desk, source, row, walked, accepted, monotonic() - started, reads, turn))


def _believe(source: Source, memory: decide.Memory, walked: Walked, now: datetime) -> Say | None:
    """What is said where a short list is accepted all the same. Raises EmptyListing where the list is not to be believed."""
    seen, odd = walked.seen, walked.odd
    if seen is None:
        return None
    rows = seen.rows[: seen.first]
    whole = decide.list_print(rows)
    doubt, accepted = decide.too_short(source, memory, seen.first, whole, now, odd.said if odd else "")
    if doubt is None:
        return accepted
    if not rows and walked.problems:
        doubt += f": {walked.problems[-1]}"
    if odd is not None and rows:
        raise EmptyListing(doubt, reason=odd.reason, source_id=source.id, short=whole)
    raise EmptyListing(doubt, reason="empty" if not rows else "short", source_id=source.id, short=whole if rows else None)


@dataclass(frozen=True, slots=True)
class _Work:
    """One check after its looks."""

    desk: Desk
    source: Source
    row: sources.Row
    walked: Walked
    accepted: Say | None
    elapsed: float
    reads: Prepared
    turn: int

    def record(self, outcome: Outcome, now: datetime, interval: timedelta | None, done: Applied | None = None) -> Check:
        """The record of this check."""
        counts = done.counts if done else {}
        rows = len(self.walked.seen.rows) if self.walked.seen else len(self.row.memory.order)
        baseline = outcome is Outcome.BASELINE
        return Check(
            self.source.id,
            now,
            outcome,
            new=0 if baseline else counts.get("new", 0),
            revised=counts.get("revised", 0),
            withdrawn=counts.get("withdrawn", 0),
            rows=rows,
            elapsed=self.elapsed,
            next_due_at=schedule.next_due(self.source.schedule, now, self.desk.rng, interval=interval),
            detail=" · ".join(self.walked.problems),
        )

    def interval(self, changed: bool) -> timedelta | None:
        """The source's own rhythm from here on."""
        last = timedelta(seconds=self.row.interval) if self.row.interval else None
        return schedule.rhythm(self.source.schedule, last, changed)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was decided, and after how many writes to the database: it holds while nobody has written since."""

    decision: Decision
    writes: int


def _accepted(work: _Work) -> Report:
    judged: _Judged | None = None
    if _is_settled(work):
        if work.walked.seen is None or work.desk.unchanged.get(work.source.id) == _judged_with(work):
            return _unchanged(work)  # row for row the list that was compared before, with what is known as it was
        judged = _judge(work)
        if judged is None:
            work.desk.unchanged[work.source.id] = _judged_with(work)
            return _unchanged(work)
    seen = work.walked.seen or Seen((), 0)
    if not work.row.memory.baseline and len(seen.rows) > CHUNK:
        _baseline_in_chunks(work, seen)
    return _commit(work, seen, judged)


def _is_settled(work: _Work) -> bool:
    """Whether all that the check may have to write besides its record is what its rows say."""
    row = work.row
    if not row.memory.baseline or row.memory.rejoin or row.memory.accept:
        return False
    if row.failures or row.asked_until or row.paused or work.accepted or work.walked.problems:
        return False
    return (work.walked.moved, work.walked.served) == (row.moved, row.served)


def _judged_with(work: _Work) -> int:
    source = work.source
    return hash((work.walked.seen, work.row.memory, source.how, source.follow, source.allow_empty))


def _judge(work: _Work) -> _Judged | None:
    """What the rows say; None where that is nothing new."""
    seen = work.walked.seen
    assert seen is not None
    writes = work.desk.store.writes
    with work.desk.store.read() as conn:
        known = _known(conn, work, seen)
        decision = decide.decide(work.source, work.row.memory, known, seen, None)
    ids = {k.key: k.id for k in known}
    order = tuple(decide.Mark(ids.get(key, 0), pinned) for key, pinned in decision.order)
    return _Judged(decision, writes) if decision.steps or order != work.row.memory.order else None


def _unchanged(work: _Work) -> Report:
    """The healthy, unchanged check, which must be nearly free: nothing is to be written but its record."""
    desk, source = work.desk, work.source
    now, interval = desk.now(), work.interval(False)
    record = work.record(Outcome.UNCHANGED, now, interval)
    seconds = interval.total_seconds() if interval else None
    state = work.walked.state if work.walked.state != work.row.state else None
    one = Unchanged(record, seconds, validators=work.walked.validators, state=state)
    if not desk.batch.add(one, holds=lambda: desk.turn(source.id) == work.turn):
        raise Overtaken(source.id)
    assert record.next_due_at
    return Report(source.id, Outcome.UNCHANGED, record.next_due_at, rows=record.rows, elapsed=work.elapsed)


def _known(conn: Connection, work: _Work, seen: Seen) -> list[Known]:
    source, memory = work.source, work.row.memory
    prints = {notice.key: decide.row_print(source, notice) for notice in seen.rows}
    order = [mark.notice for mark in memory.order]
    return notices.known(conn, source.id, seen.rows, prints, order, work.desk.now(), complete=seen.complete)


def _baseline_in_chunks(work: _Work, seen: Seen) -> None:
    """All but the newest rows of a large baseline; what a crash leaves is taken up by the next check."""
    whole = decide.oldest_first(seen.rows)
    wanted = decide.wanted(work.source, seen.rows, work.desk.now(), baseline=True)
    for start in range(0, len(whole) - CHUNK, CHUNK):
        part = replace(seen, rows=tuple(whole[start : start + CHUNK]))
        _read_ahead(work, part.rows)
        with work.desk.store.write() as conn:
            work.desk.same_turn(work.source.id, work.turn)
            decision = decide.decide(work.source, work.row.memory, _known(conn, work, part), part, None)
            apply(conn, work.source, decision.steps, wanted, Words(work.desk.config).say, work.reads, work.desk.now())


def _read_ahead(work: _Work, rows: tuple[Notice, ...]) -> None:
    """Read what the rows that are not known say of themselves, before the transaction."""
    with work.desk.store.read() as conn:
        known = notices.ids(conn, work.source.id, [row.key for row in rows])
    for row in rows:
        if row.key not in known:
            work.reads.ahead(row.title, row.text if row.text is not None else row.summary, row.published, None, row.labels)


def _commit(work: _Work, seen: Seen, judged: _Judged | None) -> Report:
    """One write transaction: what is known is read, decided upon, stored and told. `judged` spares the first two where nobody has
    written since."""
    desk, source, row, walked = work.desk, work.source, work.row, work.walked
    _read_ahead(work, seen.rows)
    with desk.store.write() as conn:
        desk.same_turn(source.id, work.turn)
        now = desk.now()
        if (earlier := desk.batch.drop(source.id)) is not None:
            write(conn, earlier)
        decision = _decide(conn, work, judged)
        done = _apply(conn, work, decision, seen, now) if decision else Applied()
        told = [*done.told, *_house(conn, replace(work, row=sources.load(conn, source.id)), now)]
        outcome = decision.outcome if decision else Outcome.UNCHANGED
        interval = work.interval(outcome is Outcome.CHANGED)
        record = work.record(outcome, now, interval, done)
        sources.accept(
            conn,
            sources.Accepted(
                record,
                _validators(walked, decision, anew=row.memory.baseline),
                interval.total_seconds() if interval else None,
                state=walked.state if walked.seen is not None else None,
                order=_order(conn, work, decision) if decision else None,
                counts=decision.counts if decision else None,
                moved=walked.moved,
                served=walked.served,
                memory=row.memory,
            ),
        )
        tell(conn, desk.config, told, now)
    if record.outcome is Outcome.BASELINE:
        log.info("%s: %d notices stored as the baseline, nothing told", source.id, record.rows)
    log_changes(desk, [*told, *done.held])
    assert record.next_due_at
    return Report(
        source.id,
        record.outcome,
        record.next_due_at,
        record.new,
        record.revised,
        record.withdrawn,
        record.rows,
        elapsed=work.elapsed,
        newest=_newest(seen.rows),
        problems=walked.problems,
    )


def _decide(conn: Connection, work: _Work, judged: _Judged | None) -> Decision | None:
    """What the rows say, inside the transaction; None where the server said that nothing changed."""
    if work.walked.seen is None:
        return None
    if judged is not None and work.desk.store.writes == judged.writes + 1:  # the one that is under way
        return judged.decision
    known = _known(conn, work, work.walked.seen)
    return decide.decide(work.source, work.row.memory, known, work.walked.seen, work.accepted)


def _validators(walked: Walked, decision: Decision | None, *, anew: bool) -> Validators | None:
    """What is remembered of the answer; nothing while a row has to be seen missing, or different, a second time, as it may after
    a baseline that is not the first: "not modified" would not show it."""
    waiting = decision is not None and (
        any(isinstance(step, decide.Miss | decide.Doubt) for step in decision.steps)
        or (anew and decision.outcome is Outcome.BASELINE)
    )
    return Validators() if waiting else walked.validators


def _apply(conn: Connection, work: _Work, decision: Decision, seen: Seen, now: datetime) -> Applied:
    baseline = decision.outcome is Outcome.BASELINE
    fresh = {step.notice.key for step in decision.steps if isinstance(step, decide.Add)}
    rows = seen.rows if baseline else [notice for notice in seen.rows if notice.key in fresh]
    wanted = decide.wanted(work.source, rows, now, baseline=baseline)
    return apply(conn, work.source, decision.steps, wanted, Words(work.desk.config).say, work.reads, now)


def _order(conn: Connection, work: _Work, decision: Decision) -> tuple[tuple[int, bool], ...]:
    """The list as it is remembered, by the ids of its notices; those that left it and those that are in it are marked so."""
    ids = notices.ids(conn, work.source.id, [key for key, _ in decision.order])
    order = tuple((ids[key], pinned) for key, pinned in decision.order)
    notices.list_order(conn, [mark.notice for mark in work.row.memory.order], [id_ for id_, _ in order], work.row.last_ok)
    seen = {notice.key for notice in work.walked.seen.rows} if work.walked.seen else set()
    notices.seen_again(conn, [ids[key] for key, _ in decision.order if key in seen])
    return order


def _house(conn: Connection, work: _Work, now: datetime) -> list[int]:
    """Changes about the source itself: it is well again, it moved."""
    row, walked, source = work.row, work.walked, work.source
    told: list[int] = []
    words = Words(work.desk.config)
    if row.failures is not None and (offline := changes.offline(conn)) is not None:
        told.append(_back_online(conn, offline, words, now))
    if row.failures is not None and row.failures.told is not None and not _was_offline(conn, row.failures.told):
        detail = words("recovered", since=row.failures.since, count=row.failures.count)
        told.append(changes.insert(conn, Kind.RECOVERED, now, reason="answers again", source=source.id, detail=detail))
    if walked.moved and walked.moved != row.moved:
        detail = words("note.moved", url=walked.moved)
        told.append(changes.insert(conn, Kind.NOTE, now, reason="moved", source=source.id, detail=detail))
    return told


def _was_offline(conn: Connection, told: int) -> bool:
    change = changes.load(conn, told)
    return change is not None and change.source is None


def _back_online(conn: Connection, told: int, words: Words, now: datetime) -> int:
    """Where all sources had failed together, the first that answers says that the machine is online again."""
    sources.untold(conn, told)
    return changes.insert(conn, Kind.RECOVERED, now, reason="online", detail=words("recovered.online"))


def _newest(rows: tuple[Notice, ...]) -> str:
    dated = [(str(row.published), row.title) for row in rows if row.published]
    return max(dated)[1] if dated else rows[0].title if rows else ""
