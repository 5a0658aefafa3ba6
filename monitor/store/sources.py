"""What is known of each source: its place in the schedule, its last accepted list, its failures. One row a source."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from monitor import urls
from monitor.decide import Failures, Mark, Memory
from monitor.model import Check, Health, Outcome, Source, Validators
from monitor.store import candidates, files, notices
from monitor.store.database import dumps, moment, stamp


@dataclass(frozen=True, slots=True)
class Row:
    """One source as it is stored."""

    id: str
    memory: Memory
    state: Mapping[str, Any]
    validators: Validators
    how: str
    health: Health
    failures: Failures | None
    asked_until: datetime | None
    interval: float | None
    last_ok: datetime | None
    moved: str | None
    served: str | None
    check_id: int | None
    paused: bool
    host: str


@dataclass(frozen=True, slots=True)
class Due:
    """A source and when it is due."""

    id: str
    host: str
    due_at: datetime
    asked: bool = False  # its server asked to wait until then


def sync(conn: sqlite3.Connection, wanted: Iterable[Source], first_due: Mapping[str, datetime]) -> list[str]:
    """Make the table follow the config. A source that left keeps its history; one whose URL changed, or that is back, must show
    that it overlaps what is known. `first_due` says when a source that was never seen is due. The sources of which something
    else is asked from now on."""
    known = {row["id"]: row for row in conn.execute("SELECT id, url, how, present FROM sources")}
    ids, other = set(), []
    for source in wanted:
        ids.add(source.id)
        row, host = known.get(source.id), urls.host(source.url)
        if row is None:
            conn.execute(
                "INSERT INTO sources (id, kind, url, host, how, next_due_at) VALUES (?, ?, ?, ?, ?, ?)",
                (source.id, source.kind, source.url, host, source.how, stamp(first_due[source.id])),
            )
            continue
        if row["url"] != source.url or row["how"] != source.how or not row["present"]:
            other.append(source.id)
            moved = row["url"] != source.url
            if moved and source.complete:
                notices.elsewhere(conn, source.id)
            fresh = moved or not row["present"]
            conn.execute(
                "UPDATE sources SET kind = ?, url = ?, host = ?, how = ?, present = 1, rejoin = max(rejoin, ?), etag = NULL,"
                " last_modified = NULL, body_hash = NULL, state = CASE WHEN ? THEN '{}' ELSE state END, moved = NULL,"
                " counts = CASE WHEN ? THEN '[]' ELSE counts END,"
                " next_due_at = min(coalesce(next_due_at, ?), ?) WHERE id = ?",
                (source.kind, source.url, host, source.how, fresh, fresh, moved, *[stamp(first_due[source.id])] * 2, source.id),
            )
    for gone in [id_ for id_, row in known.items() if id_ not in ids and row["present"]]:
        other.append(gone)
        conn.execute("UPDATE sources SET present = 0 WHERE id = ?", (gone,))
    return other


def planned(conn: sqlite3.Connection) -> list[Due]:
    """Every present source that is not paused, and when it is due."""
    sql = "SELECT id, host, next_due_at, asked_until FROM sources WHERE present AND NOT paused AND next_due_at IS NOT NULL"
    return [
        Due(row["id"], row["host"], datetime.fromisoformat(row["next_due_at"]), row["asked_until"] is not None)
        for row in conn.execute(sql)
    ]


def load(conn: sqlite3.Connection, source_id: str) -> Row:
    """One source. Raises KeyError where there is none."""
    row = conn.execute("SELECT * FROM sources WHERE id = ?", (source_id,)).fetchone()
    if row is None:
        raise KeyError(source_id)
    short = json.loads(row["short"]) if row["short"] else None
    memory = Memory(
        source_id,
        baseline=row["baseline_at"] is not None,
        order=tuple(Mark(notice, bool(pinned)) for notice, pinned in json.loads(row["rows"])),
        counts=tuple(json.loads(row["counts"])),
        short=(short[0], datetime.fromisoformat(short[1]), short[2]) if short else None,
        rejoin=bool(row["rejoin"]),
        accept=bool(row["accept"]),
        began=moment(row["baseline_at"]),
    )
    since = moment(row["failed_since"])
    return Row(
        source_id,
        memory,
        json.loads(row["state"]),
        Validators(row["etag"], row["last_modified"], row["body_hash"], moment(row["validated_at"])),
        row["how"],
        Health(row["health"]),
        Failures(row["fails"], since, row["error_reason"] or "", row["told"]) if since else None,
        moment(row["asked_until"]),
        row["interval_s"],
        moment(row["last_ok"]),
        row["moved"],
        row["served"],
        row["check_id"],
        bool(row["paused"]),
        row["host"],
    )


def state(conn: sqlite3.Connection, source_id: str) -> Mapping[str, Any]:
    """The state of the last accepted list; empty where there is none."""
    row = conn.execute("SELECT state FROM sources WHERE id = ?", (source_id,)).fetchone()
    return json.loads(row["state"]) if row else {}


def fresh(source: Source) -> Row:
    """A source of which nothing is stored."""
    host = urls.host(source.url)
    nothing = Validators()
    return Row(
        source.id, Memory(source.id), {}, nothing, source.how, Health.NEW, None, None, None, None, None, None, None, False, host
    )


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an accepted check leaves of its source. `order` None where the list stands as it was; `state` None likewise."""

    check: Check
    validators: Validators | None
    interval: float | None
    state: Mapping[str, Any] | None = None
    order: tuple[tuple[int, bool], ...] | None = None
    counts: tuple[int, ...] | None = None
    moved: str | None = None
    served: str | None = None
    memory: Memory | None = None  # what the check knew: a wish that came meanwhile (accept, resume) stands


def accept(conn: sqlite3.Connection, done: Accepted) -> None:
    """Write an accepted check: the record, the list, the validators, and that all is well."""
    check, id_ = done.check, done.check.source
    conn.execute(
        "UPDATE sources SET quiet_since = CASE WHEN ? THEN NULL ELSE quiet_since END,"
        " health = CASE WHEN paused THEN 'paused' WHEN quiet_since IS NOT NULL AND NOT ? THEN 'quiet' ELSE 'ok' END,"
        " outcome = ?, error = NULL, error_reason = NULL, hint = NULL, fails = 0,"
        " failed_since = NULL, told = NULL, asked_until = NULL, last_check = ?, last_ok = ?, next_due_at = ?, interval_s = ?,"
        " rejoin = rejoin AND NOT ?, accept = accept AND NOT ?, short = NULL,"
        " baseline_at = coalesce(baseline_at, ?), served = ?, moved = ? WHERE id = ?",
        (
            check.new > 0,
            check.new > 0,
            check.outcome,
            stamp(check.at),
            stamp(check.at),
            stamp(check.next_due_at) if check.next_due_at else None,
            done.interval,
            done.memory is None or done.memory.rejoin,
            done.memory is None or done.memory.accept,
            stamp(check.at),
            done.served,
            done.moved,
            id_,
        ),
    )
    if done.state is not None:
        conn.execute("UPDATE sources SET state = ? WHERE id = ?", (dumps(done.state), id_))
    if done.counts is not None:
        conn.execute("UPDATE sources SET counts = ? WHERE id = ?", (dumps(done.counts), id_))
    if done.order is not None:
        conn.execute("UPDATE sources SET rows = ? WHERE id = ?", (dumps([[n, int(p)] for n, p in done.order]), id_))
    if done.validators is not None:
        save_validators(conn, id_, done.validators)
    record(conn, check)


def save_validators(conn: sqlite3.Connection, source_id: str, validators: Validators) -> None:
    """Validators of a complete accepted answer."""
    conn.execute(
        "UPDATE sources SET etag = ?, last_modified = ?, body_hash = ?, validated_at = ? WHERE id = ?",
        (
            validators.etag,
            validators.last_modified,
            validators.body_hash,
            stamp(validators.at) if validators.at else None,
            source_id,
        ),
    )


@dataclass(frozen=True, slots=True)
class Failed:
    """What a failed check leaves of its source."""

    check: Check
    failures: Failures
    message: str
    hint: str = ""
    asked_until: datetime | None = None
    short: tuple[str, datetime, int] | None = None


def fail(conn: sqlite3.Connection, done: Failed) -> None:
    """Write a failed check. What is known, the validators and the state stay as they are."""
    check, failures = done.check, done.failures
    short = dumps([done.short[0], stamp(done.short[1]), done.short[2]]) if done.short else None
    conn.execute(
        "UPDATE sources SET health = CASE WHEN paused THEN 'paused' ELSE 'failing' END,"
        " outcome = 'failed', error = ?, error_reason = ?, hint = ?, fails = ?,"
        " failed_since = ?, told = ?, asked_until = ?, last_check = ?, next_due_at = ?, short = ? WHERE id = ?",
        (
            done.message,
            failures.reason,
            done.hint or None,
            failures.count,
            stamp(failures.since),
            failures.told,
            stamp(done.asked_until) if done.asked_until else None,
            stamp(check.at),
            stamp(check.next_due_at) if check.next_due_at else None,
            short,
            check.source,
        ),
    )
    record(conn, check)


def record(conn: sqlite3.Connection, check: Check, count: int = 1, until: datetime | None = None) -> None:
    """The record of a check: one more of the same kind on the same day extends the last record."""
    until = until or check.at
    last = conn.execute(
        "SELECT c.id, c.at, c.outcome, c.error FROM sources s JOIN checks c ON c.id = s.check_id WHERE s.id = ?", (check.source,)
    ).fetchone()
    elapsed = round(check.elapsed * 1000)
    plain = check.outcome in (Outcome.UNCHANGED, Outcome.FAILED)
    same = last and (last["outcome"], last["error"]) == (check.outcome, check.error)
    if plain and same and last["at"][:10] == stamp(until)[:10]:
        conn.execute(
            "UPDATE checks SET until = ?, count = count + ?, slowest_ms = max(slowest_ms, ?), rows = ? WHERE id = ?",
            (stamp(until), count, elapsed, check.rows, last["id"]),
        )
        return
    done = conn.execute(
        "INSERT INTO checks (source, at, until, count, outcome, error, detail, new, revised, withdrawn, rows, slowest_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            check.source,
            stamp(check.at),
            stamp(until),
            count,
            check.outcome,
            check.error,
            check.detail or None,
            check.new,
            check.revised,
            check.withdrawn,
            check.rows,
            elapsed,
        ),
    )
    conn.execute("UPDATE sources SET check_id = ? WHERE id = ?", (done.lastrowid, check.source))


def failing_alike(conn: sqlite3.Connection, host: str, reason: str) -> list[str]:
    """Sources of one host that fail for the same reason and were not told of, in the order of their ids."""
    rows = conn.execute(
        "SELECT id FROM sources WHERE host = ? AND error_reason = ? AND fails > 0 AND told IS NULL AND present AND NOT paused"
        " ORDER BY id",
        (host, reason),
    )
    return [row["id"] for row in rows]


def all_failing(conn: sqlite3.Connection) -> list[str]:
    """Every present source that fails now."""
    return [row["id"] for row in conn.execute("SELECT id FROM sources WHERE fails > 0 AND present AND NOT paused ORDER BY id")]


def told(conn: sqlite3.Connection, source_ids: Iterable[str], change: int) -> None:
    """Remember which change told that these sources fail; what was told of one before stands."""
    conn.executemany("UPDATE sources SET told = ? WHERE id = ? AND told IS NULL", [(change, id_) for id_ in source_ids])


def untold(conn: sqlite3.Connection, change: int) -> None:
    """What a change told of these sources no longer holds: what still fails is told anew."""
    conn.execute("UPDATE sources SET told = NULL WHERE told = ?", (change,))


def unreachable(conn: sqlite3.Connection, reasons: Iterable[str]) -> int:
    """The number of sources, where each one of them fails for one of `reasons` and they are on several hosts; else 0."""
    wanted = tuple(reasons)
    row = conn.execute(
        "SELECT count(*) AS n, count(DISTINCT host) AS hosts,"  # noqa: S608 - only question marks are put in
        f" count(CASE WHEN fails > 0 AND error_reason IN ({','.join('?' * len(wanted))}) THEN 1 END) AS off"
        " FROM sources WHERE present AND NOT paused",
        wanted,
    ).fetchone()
    return row["n"] if row["hosts"] > 1 and row["n"] == row["off"] else 0


def set_paused(conn: sqlite3.Connection, source_id: str, paused: bool, now: datetime) -> bool:
    """Pause or resume; whether that changed anything. A resumed source must show that it overlaps what is known."""
    if paused:
        done = conn.execute("UPDATE sources SET paused = 1, health = 'paused' WHERE id = ? AND NOT paused", (source_id,))
    else:
        done = conn.execute(
            "UPDATE sources SET paused = 0, rejoin = 1, next_due_at = ?, etag = NULL, last_modified = NULL, body_hash = NULL,"
            " health = CASE WHEN baseline_at IS NULL THEN 'new' ELSE 'ok' END WHERE id = ? AND paused",
            (stamp(now), source_id),
        )
    return done.rowcount > 0


def set_accept(conn: sqlite3.Connection, source_id: str, now: datetime) -> None:
    """The next list is right as it is, however short."""
    conn.execute(
        "UPDATE sources SET accept = 1, next_due_at = ?, asked_until = NULL, body_hash = NULL, etag = NULL,"
        " last_modified = NULL WHERE id = ?",
        (stamp(now), source_id),
    )


def forget(conn: sqlite3.Connection, source_id: str, now: datetime) -> int:
    """Delete a source's history; the number of notices that went. The source itself starts anew with a baseline."""
    gone = conn.execute("SELECT count(*) FROM notices WHERE source = ?", (source_id,)).fetchone()[0]
    conn.execute("DELETE FROM changes WHERE source = ?", (source_id,))
    conn.execute("DELETE FROM readings WHERE source = ?", (source_id,))
    conn.execute("DELETE FROM notices WHERE source = ?", (source_id,))
    conn.execute("DELETE FROM checks WHERE source = ?", (source_id,))
    candidates.forget(conn)
    files.drop_unnamed(conn)
    row = conn.execute("SELECT kind, url, host, how, present FROM sources WHERE id = ?", (source_id,)).fetchone()
    conn.execute("DELETE FROM sources WHERE id = ?", (source_id,))
    if row is not None and row["present"]:
        conn.execute(
            "INSERT INTO sources (id, kind, url, host, how, next_due_at) VALUES (?, ?, ?, ?, ?, ?)",
            (source_id, row["kind"], row["url"], row["host"], row["how"], stamp(now)),
        )
    return int(gone)


def prune(conn: sqlite3.Connection, before: datetime) -> int:
    """Drop records of checks that ended before; their number."""
    return conn.execute(
        "DELETE FROM checks WHERE until < ? AND id NOT IN (SELECT check_id FROM sources WHERE check_id IS NOT NULL)",
        (stamp(before),),
    ).rowcount


def came(conn: sqlite3.Connection, source_id: str, most: int = 21) -> list[datetime]:
    """When its newest notices came, newest first: as they were seen; those of the baseline as they are dated."""
    rows = conn.execute(
        "SELECT CASE WHEN baseline THEN published ELSE first_seen END AS at FROM notices WHERE source = ?"
        " ORDER BY id DESC LIMIT ?",
        (source_id, most),
    )
    moments = [datetime.fromisoformat(row["at"]) for row in rows if row["at"]]
    return sorted((at if at.tzinfo else at.replace(tzinfo=UTC) for at in moments), reverse=True)


def last_ok(conn: sqlite3.Connection, source_id: str) -> datetime | None:
    """When it last answered well."""
    row = conn.execute("SELECT last_ok FROM sources WHERE id = ?", (source_id,)).fetchone()
    return moment(row["last_ok"]) if row else None


def quiet(conn: sqlite3.Connection, source_id: str, now: datetime) -> bool:
    """A source that answers well is unusually quiet from now on; False where it was so already, or does not answer well."""
    sql = (
        "UPDATE sources SET health = 'quiet', quiet_since = ? WHERE id = ? AND health = 'ok' AND quiet_since IS NULL AND present"
    )
    return conn.execute(sql, (stamp(now), source_id)).rowcount > 0


def healths(conn: sqlite3.Connection) -> dict[str, int]:
    """How many present sources there are of each health."""
    return dict(conn.execute("SELECT health, count(*) FROM sources WHERE present GROUP BY health").fetchall())
