"""A decision's steps become rows, inside the caller's transaction. It decides nothing: `decide` has."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor import decide, urls
from monitor.model import Kind, Notice, Purpose, Source, when_text
from monitor.store import changes, doubts, files, notices, readings
from monitor.store.database import dumps
from monitor.store.said import Reads


@dataclass(slots=True)
class Applied:
    """What became of the steps: `ids` by key, `told` the changes that routes must see, `held` those that wait for their page."""

    ids: dict[str, int] = field(default_factory=dict)
    told: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"new": 0, "revised": 0, "withdrawn": 0})


def apply(  # noqa: PLR0912 - one branch a step
    conn: sqlite3.Connection,
    source: Source,
    steps: tuple[decide.Step, ...],
    wanted: Mapping[str, decide.Wanted],
    said: Callable[[decide.Say], str],
    reads: Reads,
    now: datetime,
) -> Applied:
    """Write the steps of one accepted check. `wanted` holds the readings of new rows, by key; `said` words what is said; `reads`
    reads a text's facts."""
    done = Applied()
    for step in _oldest_first(steps):
        match step:
            case decide.Add():
                _add(conn, source, step, wanted.get(step.notice.key), done, reads, now)
            case decide.Revise():
                _revise(conn, source, step, done, reads, now)
            case decide.Reread():
                _reread(conn, source, step, reads, now)
            case decide.Doubt():
                doubts.keep(conn, step.known.id, step.aspect, step.print, now)
            case decide.Settle():
                doubts.settle(conn, step.known.id, step.aspect)
            case decide.Readdress():
                _address(conn, step.known.id, step.notice)
            case decide.Redate():
                day = when_text(step.published)
                conn.execute("UPDATE notices SET row_published = ?, published = ? WHERE id = ?", (day, day, step.known.id))
                doubts.settle(conn, step.known.id, "date")
            case decide.Miss():
                conn.execute("UPDATE notices SET missing = missing + 1 WHERE id = ?", (step.known.id,))
            case decide.Look():
                assert step.known.url
                readings.want(conn, source.id, step.known.id, step.known.url, Purpose.DOCUMENT, step.why, now)
            case decide.Withdraw() | decide.Restore():
                done.told.append(turn(conn, source.id, step, now))
                if isinstance(step, decide.Withdraw):
                    done.counts["withdrawn"] += 1
            case decide.Say():
                notice = step.known.id if step.known else None
                done.told.append(
                    changes.insert(conn, step.kind, now, reason=step.reason, source=source.id, notice=notice, detail=said(step))
                )
    return done


def _oldest_first(steps: tuple[decide.Step, ...]) -> list[decide.Step]:
    """The same, what is new in the order in which it was published: later notices and changes get greater ids."""
    new = {step.notice.key: step for step in steps if isinstance(step, decide.Add)}
    ordered = iter(decide.oldest_first([step.notice for step in new.values()]))
    return [new[next(ordered).key] if isinstance(step, decide.Add) else step for step in steps]


def _add(
    conn: sqlite3.Connection,
    source: Source,
    step: decide.Add,
    wanted: decide.Wanted | None,
    done: Applied,
    reads: Reads,
    now: datetime,
) -> None:
    notice = notices.add(conn, step.notice, step.row_print, step.how, now, reads, baseline=not step.told)
    done.ids[step.notice.key] = notice
    if wanted is not None:
        readings.want(conn, source.id, notice, wanted.url, wanted.purpose, wanted.why, wanted.due_at, urgent=step.told)
    if not step.told:
        return
    hold = now + source.hold if wanted is not None and source.hold else None
    change = changes.insert(conn, Kind.NEW, now, reason="first seen", source=source.id, notice=notice, after=1, hold_until=hold)
    done.counts["new"] += 1
    (done.held if hold else done.told).append(change)


def _revise(conn: sqlite3.Connection, source: Source, step: decide.Revise, done: Applied, reads: Reads, now: datetime) -> None:
    k, row = step.known, step.notice
    _row_facts(conn, k.id, row)
    seq = notices.push(conn, k.id, _state(conn, source, k, row, step.reason, step.row_print, step.how), now, reads)
    if not source.follow:
        files.attach(conn, k.id, row.attachments, now)
    doubts.settle(conn, k.id, "row")
    doubts.settle(conn, k.id, "date")
    before, silence = doubts.told_against(conn, k.id, seq, step.silence, now)
    change = changes.insert(
        conn,
        Kind.REVISED,
        now,
        reason=step.reason,
        source=source.id,
        notice=k.id,
        before=before,
        after=seq,
        silence=silence,
    )
    done.counts["revised"] += 1
    if silence is None:
        done.told.append(change)


def _reread(conn: sqlite3.Connection, source: Source, step: decide.Reread, reads: Reads, now: datetime) -> None:
    k, row = step.known, step.notice
    _row_facts(conn, k.id, row)
    if step.row_print != k.row_print:
        notices.push(conn, k.id, _state(conn, source, k, row, "reread", step.row_print, step.how), now, reads)
    conn.execute("UPDATE notices SET published = coalesce(?, published) WHERE id = ?", (when_text(row.published), k.id))
    _address(conn, k.id, row)
    conn.execute("UPDATE notices SET row_how = ? WHERE id = ?", (step.how, k.id))
    doubts.settle(conn, k.id, "row")


def _state(
    conn: sqlite3.Connection, source: Source, k: decide.Known, row: Notice, reason: str, print_: str, how: str
) -> notices.State:
    """What the row adds to the notice: where its page is read, the text stays the page's."""
    read = conn.execute("SELECT page_title FROM notices WHERE id = ?", (k.id,)).fetchone()
    said = row.text if row.text is not None else row.summary
    return notices.State(
        reason=reason,
        how=how,
        title=decide.shown_title(row.title, read["page_title"]),
        text=None if source.follow and k.page_print else said,
        published=row.published,
        row_print=print_,
        attachments=None if source.follow else row.attachments,
    )


def _row_facts(conn: sqlite3.Connection, notice: int, row: Notice) -> None:
    conn.execute(
        "UPDATE notices SET row_title = ?, row_published = coalesce(?, row_published), labels = ? WHERE id = ?",
        (row.title, when_text(row.published), dumps(row.labels), notice),
    )


def _address(conn: sqlite3.Connection, notice: int, row: Notice) -> None:
    conn.execute(
        "UPDATE notices SET key = ?, url = ?, address = ? WHERE id = ?",
        (row.key, row.url, urls.identity(row.url) if row.url else None, notice),
    )
    if row.url:
        readings.move(conn, notice, row.url)


def turn(conn: sqlite3.Connection, source: str, step: decide.Withdraw | decide.Restore, now: datetime) -> int:
    """A notice is withdrawn or restored; the change."""
    k = step.known
    if isinstance(step, decide.Withdraw):
        notices.set_state(conn, k.id, "withdrawn", step.by, now)
        kind = Kind.WITHDRAWN
    else:
        notices.set_state(conn, k.id, "present", None, now)
        kind = Kind.RESTORED
    return changes.insert(conn, kind, now, reason=step.reason, source=source, notice=k.id, before=k.seq, after=k.seq)
