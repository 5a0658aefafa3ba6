"""Dates that notices name, and which reminders of them were written. It reckons no days: `check` does."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

#: The columns of a notice that hold a date of which a reminder may be asked.
DATES = ("deadline", "due", "effective")


@dataclass(frozen=True, slots=True)
class Dated:
    """One date that a notice names. `fact` is one of `DATES`; `seq` the notice's newest version."""

    notice: int
    source: str
    seq: int
    first_seen: datetime
    fact: str
    day: date


def dated(conn: sqlite3.Connection, first: date, last: date) -> list[Dated]:
    """The dates from `first` to `last`, both included, that notices name which are still there."""
    found: list[Dated] = []
    for fact in DATES:
        sql = (
            f"SELECT id, source, seq, first_seen, {fact} AS day FROM notices"  # noqa: S608 - one of three fixed columns
            f" WHERE {fact} >= ? AND {fact} <= ? AND state = 'present' ORDER BY {fact}, id"
        )
        found += [
            Dated(
                row["id"],
                row["source"],
                row["seq"],
                datetime.fromisoformat(row["first_seen"]),
                fact,
                date.fromisoformat(row["day"]),
            )
            for row in conn.execute(sql, (first.isoformat(), last.isoformat()))
        ]
    return found


def told(conn: sqlite3.Connection, one: Dated, days: int) -> bool:
    """Whether this reminder, or one nearer to the date, was written."""
    sql = "SELECT 1 FROM reminders WHERE notice = ? AND fact = ? AND date = ? AND days <= ?"
    return conn.execute(sql, (one.notice, one.fact, one.day.isoformat(), days)).fetchone() is not None


def keep(conn: sqlite3.Connection, one: Dated, days: int, change: int) -> None:
    """Remember that it was written."""
    conn.execute(
        "INSERT INTO reminders (notice, fact, date, days, change) VALUES (?, ?, ?, ?, ?)",
        (one.notice, one.fact, one.day.isoformat(), days, change),
    )


def rows(conn: sqlite3.Connection, first: date, sources: Sequence[str]) -> list[dict[str, Any]]:
    """The dates from `first` on that notices of these sources (globs; none: all) name, withdrawn ones too: columns of the
    notice, with `fact` and `day`."""
    chosen = f" AND ({' OR '.join(['source GLOB ?'] * len(sources))})" if sources else ""
    found: list[dict[str, Any]] = []
    for fact in DATES:
        sql = (
            f"SELECT id, source, title, url, seq, state, facts, {fact} AS day FROM notices"  # noqa: S608 - fixed columns, question marks
            f" WHERE {fact} >= ?{chosen}"
        )
        for row in conn.execute(sql, (first.isoformat(), *sources)):
            found.append({**dict(row), "fact": fact, "day": date.fromisoformat(row["day"])})
    return sorted(found, key=lambda row: (row["day"], row["id"], row["fact"]))
