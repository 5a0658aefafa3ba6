"""Moments that a wrong clock wrote, set right: what it put too far ahead would not come for long. It plans no checks: they are
planned by `check` from the table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta

from monitor.store.database import dumps, stamp

#: The longest that a try may be put off, and a message that goes at once.
LONGEST, AT_ONCE = timedelta(days=1), timedelta(minutes=5)
ZERO = timedelta()


def replan(conn: sqlite3.Connection, now: datetime, by: timedelta, hold: timedelta, looks: timedelta) -> int:
    """The number of moments that were moved. `by`: how far the clock was put forward (or back, below zero) just now, zero where
    that is not known; `hold` and `looks`: how long a message waits for its page, and a page for its next look, at most."""
    moved = _deliveries(conn, now, by)
    back = min(by, ZERO)
    for table, id_, column, limit in (
        ("channels", "id", "next_try_at", LONGEST),
        ("changes", "id", "hold_until", max(hold, timedelta(hours=1))),
    ):
        rows = conn.execute(f"SELECT {id_} AS id, {column} AS at FROM {table} WHERE {column} > ?", (stamp(now),)).fetchall()  # noqa: S608 - fixed names
        moved += _move(conn, table, column, ((row["id"], _within(row["at"], now, back, limit)) for row in rows))
    return moved + _readings(conn, now, back, looks) + _since(conn, now)


def _since(conn: sqlite3.Connection, now: datetime) -> int:
    """Moments from which a time is reckoned, and that have not come yet: by them nothing would be old enough for long."""
    moved = 0
    for table, column in (("sources", "failed_since"), ("sources", "quiet_since"), ("notices", "first_seen")):
        sql = f"UPDATE {table} SET {column} = ? WHERE {column} > ?"  # noqa: S608 - fixed names
        moved += conn.execute(sql, (stamp(now), stamp(now))).rowcount
    for row in conn.execute("SELECT id, short FROM sources WHERE short IS NOT NULL").fetchall():
        whole, since, times = json.loads(row["short"])
        if datetime.fromisoformat(since) > now:
            short = dumps([whole, stamp(now), times])
            moved += conn.execute("UPDATE sources SET short = ? WHERE id = ?", (short, row["id"])).rowcount
    return moved


def _within(at: str, now: datetime, by: timedelta, limit: timedelta) -> datetime:
    return min(max(datetime.fromisoformat(at) + by, now), now + limit)


def _move(conn: sqlite3.Connection, table: str, column: str, rows: Iterable[tuple[int, datetime]]) -> int:
    sql = f"UPDATE {table} SET {column} = ? WHERE id = ? AND {column} <> ?"  # noqa: S608 - fixed names
    return conn.executemany(sql, [(stamp(at), id_, stamp(at)) for id_, at in rows]).rowcount


def _deliveries(conn: sqlite3.Connection, now: datetime, by: timedelta) -> int:
    """What was to go at once goes now, what failed is tried as soon as it was to be; digests and quiet hours are hours of the
    wall clock and stand. The time that a clock leaps over does not count towards giving up."""
    rows = conn.execute("SELECT id, attempts, created_at, due_at, since FROM deliveries WHERE state = 'pending'").fetchall()
    due: list[tuple[int, datetime]] = []
    for row in rows:
        at = datetime.fromisoformat(row["due_at"])
        if at <= now:
            continue
        if row["attempts"]:
            due.append((row["id"], _within(row["due_at"], now, min(by, ZERO), LONGEST)))
        elif at - datetime.fromisoformat(row["created_at"]) <= AT_ONCE:
            due.append((row["id"], now))
    since = [(row["id"], min(datetime.fromisoformat(row["since"]) + by, now)) for row in rows if row["attempts"]]
    return _move(conn, "deliveries", "due_at", due) + _move(conn, "deliveries", "since", since)


def _readings(conn: sqlite3.Connection, now: datetime, back: timedelta, looks: timedelta) -> int:
    """What a message waits for is read now; what was to be tried again or seen a second time, as soon as it was to be."""
    sql = "SELECT id, why, attempts, urgent, due_at FROM readings WHERE due_at > ?"
    rows = conn.execute(sql, (stamp(now if back else now + LONGEST),)).fetchall()
    moved = []
    for row in rows:
        soon = row["attempts"] or row["why"] != "recheck"
        at = now if row["urgent"] else _within(row["due_at"], now, back if soon else ZERO, LONGEST if soon else looks + LONGEST)
        moved.append((row["id"], at))
    return _move(conn, "readings", "due_at", moved)
