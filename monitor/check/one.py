"""Loop 1: check one source. The only place that knows the order of rooms: walk, decide, store, tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic

from monitor import decide, schedule
from monitor.check.desk import Desk, Report, log
from monitor.check.failed import failed
from monitor.check.lines import log_changes
from monitor.check.walk import Walked, walk
from monitor.check.words import Words
from monitor.decide import Decision, Known, Say, Seen
from monitor.errors import EmptyListing, SourceError
from monitor.model import Check, Kind, Notice, Outcome, Source, Validators
from monitor.store import changes, notices, sources
from monitor.store.apply import Applied, apply
from monitor.store.batch import Unchanged, write
from monitor.tell import tell

#: Rows of a baseline that are committed at once.
CHUNK = 2000


def check(desk: Desk, source: Source) -> Report:
    """Check one source now, whatever its schedule says. Raises StoreError; every SourceError becomes a failed check."""
    started = monotonic()
    with desk.store.read() as conn:
        row = sources.load(conn, source.id)
    try:
        walked = walk(desk, source, row)
        accepted = _believe(source, row.memory, walked.seen, desk.now())
    except SourceError as error:
        return failed(desk, source, error, monotonic() - started)
    return _accepted(_Work(desk, source, row, walked, accepted, monotonic() - started))


def _believe(source: Source, memory: decide.Memory, seen: Seen | None, now: datetime) -> Say | None:
    """What is said where a short list is accepted all the same. Raises EmptyListing where the list is not to be believed."""
    if seen is None:
        return None
    rows = seen.rows[: seen.first]
    whole = decide.list_print(rows)
    doubt, accepted = decide.too_short(source, memory, seen.first, whole, now)
    if doubt is not None:
        raise EmptyListing(doubt, reason="empty" if not rows else "short", source_id=source.id, short=whole if rows else None)
    return accepted


@dataclass(frozen=True, slots=True)
class _Work:
    """One check after its looks."""

    desk: Desk
    source: Source
    row: sources.Row
    walked: Walked
    accepted: Say | None
    elapsed: float

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


def _accepted(work: _Work) -> Report:
    desk, source = work.desk, work.source
    if _nothing_new(work):
        now, interval = desk.now(), work.interval(False)
        record = work.record(Outcome.UNCHANGED, now, interval)
        seconds = interval.total_seconds() if interval else None
        state = work.walked.state if work.walked.state != work.row.state else None
        desk.batch.add(Unchanged(record, seconds, validators=work.walked.validators, state=state))
        assert record.next_due_at
        return Report(source.id, Outcome.UNCHANGED, record.next_due_at, rows=record.rows, elapsed=work.elapsed)
    seen = work.walked.seen or Seen((), 0)
    if not work.row.memory.baseline and len(seen.rows) > CHUNK:
        _baseline_in_chunks(work, seen)
    return _commit(work, seen)


def _nothing_new(work: _Work) -> bool:
    """Whether the check has nothing to write but its record: the healthy, unchanged check that must be nearly free."""
    row, seen = work.row, work.walked.seen
    settled = row.memory.baseline and not row.memory.rejoin and not row.memory.accept
    if not settled or row.failures or row.asked_until or row.paused or work.accepted or work.walked.problems:
        return False
    if (work.walked.moved, work.walked.served) != (row.moved, row.served):
        return False
    if seen is None:
        return True
    judged = hash((seen, row.memory, work.source.how, work.source.follow, work.source.allow_empty))
    if work.desk.unchanged.get(work.source.id) == judged:
        return True  # other bytes, but row for row the list that was compared before, with what is known as it was
    with work.desk.store.read() as conn:
        known = _known(conn, work, seen)
        decision = decide.decide(work.source, row.memory, known, seen, None)
    ids = {k.key: k.id for k in known}
    order = tuple(decide.Mark(ids.get(key, 0), pinned) for key, pinned in decision.order)
    if decision.steps or order != row.memory.order:
        return False
    work.desk.unchanged[work.source.id] = judged
    return True


def _known(conn: notices.Connection, work: _Work, seen: Seen) -> list[Known]:
    source, memory = work.source, work.row.memory
    prints = {notice.key: decide.row_print(source, notice) for notice in seen.rows}
    order = [mark.notice for mark in memory.order]
    return notices.known(conn, source.id, seen.rows, prints, order, work.desk.now(), complete=seen.complete)


def _baseline_in_chunks(work: _Work, seen: Seen) -> None:
    """All but the last rows of a large baseline; what a crash leaves is taken up by the next check."""
    whole = seen.rows
    wanted = decide.wanted(work.source, whole, work.desk.now(), baseline=True)
    for start in range(0, len(whole) - CHUNK, CHUNK):
        part = replace(seen, rows=whole[start : start + CHUNK])
        with work.desk.store.write() as conn:
            decision = decide.decide(work.source, work.row.memory, _known(conn, work, part), part, None)
            apply(conn, work.source, decision.steps, wanted, Words(work.desk.config).say, work.desk.now())


def _commit(work: _Work, seen: Seen) -> Report:
    """One write transaction: what is known is read again, decided upon, stored and told."""
    desk, source, row, walked = work.desk, work.source, work.row, work.walked
    with desk.store.write() as conn:
        now = desk.now()
        if (earlier := desk.batch.drop(source.id)) is not None:
            write(conn, earlier)
        known = _known(conn, work, seen) if walked.seen is not None else []
        decision = decide.decide(source, row.memory, known, seen, work.accepted) if walked.seen is not None else None
        done = _apply(conn, work, decision, seen, now) if decision else Applied()
        told = [*done.told, *_house(conn, replace(work, row=sources.load(conn, source.id)), now)]
        outcome = decision.outcome if decision else Outcome.UNCHANGED
        interval = work.interval(outcome is Outcome.CHANGED)
        record = work.record(outcome, now, interval, done)
        sources.accept(
            conn,
            sources.Accepted(
                record,
                _validators(walked, decision),
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


def _validators(walked: Walked, decision: Decision | None) -> Validators | None:
    """What is remembered of the answer; nothing while a row has to be seen missing, or different, a second time: "not modified"
    would not show it."""
    waiting = decision is not None and any(isinstance(step, decide.Miss | decide.Doubt) for step in decision.steps)
    return Validators() if waiting else walked.validators


def _apply(conn: notices.Connection, work: _Work, decision: Decision, seen: Seen, now: datetime) -> Applied:
    baseline = decision.outcome is Outcome.BASELINE
    fresh = {step.notice.key for step in decision.steps if isinstance(step, decide.Add)}
    rows = seen.rows if baseline else [notice for notice in seen.rows if notice.key in fresh]
    wanted = decide.wanted(work.source, rows, now, baseline=baseline)
    return apply(conn, work.source, decision.steps, wanted, Words(work.desk.config).say, now)


def _order(conn: notices.Connection, work: _Work, decision: Decision) -> tuple[tuple[int, bool], ...]:
    """The list as it is remembered, by the ids of its notices; those that left it and those that are in it are marked so."""
    ids = notices.ids(conn, work.source.id, [key for key, _ in decision.order])
    order = tuple((ids[key], pinned) for key, pinned in decision.order)
    notices.list_order(conn, [mark.notice for mark in work.row.memory.order], [id_ for id_, _ in order], work.row.last_ok)
    seen = {notice.key for notice in work.walked.seen.rows} if work.walked.seen else set()
    notices.seen_again(conn, [ids[key] for key, _ in decision.order if key in seen])
    return order


def _house(conn: notices.Connection, work: _Work, now: datetime) -> list[int]:
    """Changes about the source itself: it is well again, it moved."""
    row, walked, source = work.row, work.walked, work.source
    told: list[int] = []
    words = Words(work.desk.config)
    failing = row.failures.told if row.failures is not None else None
    if failing is not None and _was_offline(conn, failing):
        told += _back_online(conn, failing, words, now)
    elif row.failures is not None and row.failures.told is not None:
        detail = words("recovered", since=row.failures.since, count=row.failures.count)
        told.append(changes.insert(conn, Kind.RECOVERED, now, reason="answers again", source=source.id, detail=detail))
    if walked.moved and walked.moved != row.moved:
        detail = words("note.moved", url=walked.moved)
        told.append(changes.insert(conn, Kind.NOTE, now, reason="moved", source=source.id, detail=detail))
    return told


def _was_offline(conn: notices.Connection, told: int) -> bool:
    change = changes.load(conn, told)
    return change is not None and change.source is None


def _back_online(conn: notices.Connection, told: int, words: Words, now: datetime) -> list[int]:
    """Where all sources had failed together, the first that answers says that the machine is online again."""
    if not changes.offline(conn):
        return []
    sources.untold(conn, told)
    return [changes.insert(conn, Kind.RECOVERED, now, reason="online", detail=words("recovered.online"))]


def _newest(rows: tuple[Notice, ...]) -> str:
    dated = [(str(row.published), row.title) for row in rows if row.published]
    return max(dated)[1] if dated else rows[0].title if rows else ""
