"""A failed check: recorded, tried again later, told at its threshold. What is known of the source stays as it is."""

from __future__ import annotations

import random
from datetime import datetime

from monitor import decide, schedule
from monitor.check.desk import Desk, Report, log
from monitor.decide import Failures
from monitor.errors import Challenge, EmptyListing, FetchError, ParseError, SourceError
from monitor.model import Check, Kind, Outcome, Source
from monitor.store import changes, sources
from monitor.store.batch import write
from monitor.store.database import Connection
from monitor.tell import tell
from monitor.words import Words

#: Reasons that a machine without network gives.
NO_NETWORK = ("dns", "unreachable", "refused", "timeout", "connect")


def failed(
    desk: Desk,
    source: Source,
    error: SourceError,
    elapsed: float,
    *,
    due_at: datetime | None = None,
    detail: str = "",
    turn: int | None = None,
) -> Report:
    """One transaction: the failure, and at its threshold the change that tells it. `due_at` where the schedule does not say when
    it is tried again; `detail` is kept with the record in place of the error's own words. Raises Overtaken where the look began
    with another `turn`."""
    with desk.store.write() as conn:
        if turn is not None:
            desk.same_turn(source.id, turn)
        now = desk.now()
        if (earlier := desk.batch.drop(source.id)) is not None:
            write(conn, earlier)
        row = sources.load(conn, source.id)  # another source of the host may have told meanwhile
        failures = _count(row.failures, error, now)
        asked = error.retry_after if isinstance(error, FetchError | Challenge) else None
        due = due_at or _due_after(source, now, desk.rng, failures, asked)
        said = detail or error.message
        record = Check(source.id, now, Outcome.FAILED, error.reason, elapsed=elapsed, next_due_at=due, detail=said)
        hint = hint_of(error)
        sources.fail(
            conn,
            sources.Failed(
                record,
                failures,
                error.message,
                hint,
                asked_until=due if asked is not None else None,
                short=_short(row.memory, error, now),
            ),
        )
        told = _tell_failing(conn, desk, source, row, failures, error, now, due)
        tell(conn, desk.config, told, now)
    if failures.count == 1 or told:
        log.warning("%s: check failed: %s", source.id, error.message)
    return Report(
        source.id,
        Outcome.FAILED,
        due,
        error=error.message,
        hint=hint,
        elapsed=elapsed,
        asked_until=due if asked is not None else None,
        reason=error.reason,
    )


def _count(before: Failures | None, error: SourceError, now: datetime) -> Failures:
    if before is None:
        return Failures(1, now, error.reason)
    return Failures(before.count + 1, before.since, error.reason, before.told)


def _due_after(source: Source, now: datetime, rng: random.Random, failures: Failures, asked: float | None) -> datetime:
    return schedule.after_failure(source.schedule, now, rng, failures=failures.count, retry_after=asked)


def _short(memory: decide.Memory, error: SourceError, now: datetime) -> tuple[str, datetime, int] | None:
    """What is remembered of a short list: the same one stands longer, another starts anew, any other failure leaves it."""
    if not isinstance(error, EmptyListing) or error.short is None:
        return memory.short
    if memory.short and memory.short[0] == error.short:
        return (error.short, memory.short[1], memory.short[2] + 1)
    return (error.short, now, 1)


def hint_of(error: SourceError) -> str:
    """What a person can do about a failed check."""
    if isinstance(error, ParseError | Challenge) and error.hint:
        return error.hint
    if isinstance(error, EmptyListing):
        return f"if the site is right as it is now: monitor accept {error.source_id}"
    if isinstance(error, Challenge):
        return "the site keeps programs out: ask it less often, or from another network"
    return ""


def _tell_failing(
    conn: Connection,
    desk: Desk,
    source: Source,
    row: sources.Row,
    failures: Failures,
    error: SourceError,
    now: datetime,
    due: datetime,
) -> list[int]:
    """At the threshold: one change for all sources of the host that fail alike, or one for the whole machine. The others' own are
    told only where that one is not."""
    if not decide.tell_failing(source, failures, now):
        return []
    words = Words(desk.config)
    if everything := sources.unreachable(conn, NO_NETWORK):
        if (before := changes.offline(conn)) is not None:  # told already: a source is one more of those that it speaks of
            sources.told(conn, [source.id], before)
            return []
        said = words("failing.offline", count=everything, since=failures.since, due=due)
        change = changes.insert(conn, Kind.FAILING, now, reason="offline", detail=said)
        sources.told(conn, sources.all_failing(conn), change)
        return [change]
    detail = words("failing", error=error.message, since=failures.since, count=failures.count, due=due)
    if not row.memory.baseline:
        detail += "\n" + words("failing.first")
    if hint := hint_of(error):
        detail += "\n" + words("failing.hint", hint=hint)
    others = [id_ for id_ in sources.failing_alike(conn, row.host, failures.reason) if id_ != source.id]
    said = detail + ("\n" + words("failing.alike", host=row.host, others=", ".join(others)) if others else "")
    change = changes.insert(conn, Kind.FAILING, now, reason=failures.reason, source=source.id, detail=said)
    sources.told(conn, [source.id, *others], change)
    tell(conn, desk.config, [change], now)
    alike = [changes.insert(conn, Kind.FAILING, now, reason=failures.reason, source=each, detail=detail) for each in others]
    tell(conn, desk.config, alike, now, like=change)
    return [change]
