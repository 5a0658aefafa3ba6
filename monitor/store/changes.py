"""Changes: the differences that are told, or kept with the reason why not. It decides nothing."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from monitor.model import Change, Kind
from monitor.store.database import moment, stamp

#: The silence of a `new` change that waits for its page.
HELD = "held"


def insert(
    conn: sqlite3.Connection,
    kind: Kind,
    now: datetime,
    *,
    reason: str,
    source: str | None = None,
    notice: int | None = None,
    before: int | None = None,
    after: int | None = None,
    silence: str | None = None,
    detail: str = "",
    hold_until: datetime | None = None,
) -> int:
    """One change; its id."""
    done = conn.execute(
        "INSERT INTO changes (kind, source, notice, from_version, to_version, reason, silence, at, detail, hold_until)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            kind,
            source,
            notice,
            before,
            after,
            reason,
            HELD if hold_until else silence,
            stamp(now),
            detail,
            stamp(hold_until) if hold_until else None,
        ),
    )
    return int(done.lastrowid or 0)


def of(row: sqlite3.Row) -> Change:
    """A row of the table as the noun."""
    at = moment(row["at"])
    assert at is not None
    return Change(
        row["id"],
        Kind(row["kind"]),
        row["source"],
        row["notice"],
        row["from_version"],
        row["to_version"],
        row["reason"],
        row["silence"],
        at,
        row["detail"],
    )


def load(conn: sqlite3.Connection, change: int) -> Change | None:
    """One change, or None."""
    row = conn.execute("SELECT * FROM changes WHERE id = ?", (change,)).fetchone()
    return of(row) if row else None


def overheld(conn: sqlite3.Connection, now: datetime, source: str | None = None) -> list[int]:
    """Held changes whose time is over; with `source`, of that source alone."""
    sql = "SELECT id FROM changes WHERE hold_until IS NOT NULL AND hold_until <= ?"
    args: list[object] = [stamp(now)]
    if source is not None:
        sql += " AND source = ?"
        args.append(source)
    return [row["id"] for row in conn.execute(sql + " ORDER BY id", args)]


def hold(conn: sqlite3.Connection, change: int, until: datetime) -> None:
    """A held change waits longer."""
    conn.execute("UPDATE changes SET hold_until = ? WHERE id = ?", (stamp(until), change))


def holds(conn: sqlite3.Connection, sources: list[str] | None = None) -> int:
    """How many changes are held; with `sources`, of those alone."""
    if sources is None:
        found = conn.execute("SELECT count(*) FROM changes WHERE hold_until IS NOT NULL").fetchone()
    else:
        marks = ",".join("?" * len(sources))
        sql = f"SELECT count(*) FROM changes WHERE hold_until IS NOT NULL AND source IN ({marks})"  # noqa: S608 - only question marks are put in
        found = conn.execute(sql, sources).fetchone()
    return int(found[0])


def new_of(conn: sqlite3.Connection, notice: int) -> Change | None:
    """The change that told a notice as new, if there is one."""
    row = conn.execute("SELECT * FROM changes WHERE notice = ? AND kind = 'new' ORDER BY id DESC LIMIT 1", (notice,)).fetchone()
    return of(row) if row else None


def has(conn: sqlite3.Connection, notice: int, reason: str) -> bool:
    """Whether a notice has a change for this reason."""
    return conn.execute("SELECT 1 FROM changes WHERE notice = ? AND reason = ?", (notice, reason)).fetchone() is not None


def offline(conn: sqlite3.Connection) -> int | None:
    """The change that told that this machine is offline; None where it was told that it is online again, or nothing."""
    row = conn.execute(
        "SELECT id, kind FROM changes WHERE source IS NULL AND reason IN ('offline', 'online') ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return row["id"] if row is not None and row["kind"] == "failing" else None


def disk_full(conn: sqlite3.Connection) -> bool:
    """Whether it was told that the disk is full, and not yet that there is room again."""
    row = conn.execute("SELECT kind FROM changes WHERE source IS NULL AND reason = 'disk' ORDER BY id DESC LIMIT 1").fetchone()
    return row is not None and row["kind"] == "failing"


def point(conn: sqlite3.Connection, change: int, after: int) -> None:
    """A `new` change now tells of an enriched version."""
    conn.execute("UPDATE changes SET to_version = ? WHERE id = ?", (after, change))


def routed(conn: sqlite3.Connection, change: int, silence: str | None, tried: str) -> None:
    """What the routes said: nothing is held any more. `tried` is JSON for `explain`."""
    conn.execute("UPDATE changes SET silence = ?, hold_until = NULL, tried = ? WHERE id = ?", (silence, tried, change))


def days_ahead(conn: sqlite3.Connection, change: int) -> int | None:
    """How many days ahead a reminder is."""
    row = conn.execute("SELECT days FROM reminders WHERE change = ?", (change,)).fetchone()
    return row["days"] if row else None


def silent_since(conn: sqlite3.Connection, since: datetime) -> bool:
    """Whether nothing was owed to any channel since then, though sources were looked at before."""
    row = conn.execute(
        "SELECT max(coalesce((SELECT created_at FROM deliveries ORDER BY id DESC LIMIT 1), ''), min(baseline_at)) AS last"
        " FROM sources WHERE baseline_at IS NOT NULL"
    ).fetchone()
    return row["last"] is not None and row["last"] < stamp(since)
