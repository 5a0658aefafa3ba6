"""Readings: pages and attachments still to be read, one row each; a row stays for its later looks. It fetches nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from monitor import urls
from monitor.model import Purpose, Reading, Validators
from monitor.store.database import moment, stamp


@dataclass(frozen=True, slots=True)
class DueReading:
    """A reading whose time has come, and the host that it asks."""

    id: int
    source: str
    host: str
    due_at: datetime
    urgent: bool


def want(
    conn: sqlite3.Connection,
    source: str,
    notice: int,
    url: str,
    purpose: Purpose,
    why: str,
    due_at: datetime,
    *,
    urgent: bool = False,
) -> None:
    """Read a page or attachment at `due_at`; an earlier time stands, and so do what is known of it and its plan. `urgent` ones
    (a message waits for them) go before all others of their host."""
    conn.execute(
        "INSERT INTO readings (source, notice, url, host, purpose, why, due_at, urgent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (notice, url) DO UPDATE SET due_at = min(coalesce(due_at, excluded.due_at), excluded.due_at),"
        " why = CASE WHEN read_at IS NULL THEN why ELSE excluded.why END, urgent = max(urgent, excluded.urgent)",
        (source, notice, url, urls.host(url), purpose, why, stamp(due_at), int(urgent)),
    )


def move(conn: sqlite3.Connection, notice: int, url: str) -> None:
    """A notice's page stands at another address: what is still to be read of it is read there, anew and without validators."""
    conn.execute(
        "UPDATE OR REPLACE readings SET url = ?, host = ?, etag = NULL, last_modified = NULL, body_hash = NULL,"
        " validated_at = NULL, gone = 0 WHERE notice = ? AND purpose = 'document' AND url <> ?",
        (url, urls.host(url), notice, url),
    )


def due(conn: sqlite3.Connection, now: datetime, limit: int, sources: list[str] | None = None) -> list[DueReading]:
    """Of each host the reading whose turn is next: urgent ones first, then the longest waiting; none of paused sources."""
    chosen = "" if sources is None else f" AND r.source IN ({','.join('?' * len(sources))})"
    rows = conn.execute(
        "SELECT r.id, r.source, r.host, r.due_at, r.urgent, min((1 - r.urgent) || r.due_at) AS place FROM readings r"  # noqa: S608 - only question marks are put in
        " JOIN sources s ON s.id = r.source"
        f" WHERE r.due_at IS NOT NULL AND r.due_at <= ? AND s.present AND NOT s.paused{chosen}"
        " GROUP BY r.host ORDER BY place LIMIT ?",
        (stamp(now), *(sources or []), limit),
    )
    return [
        DueReading(row["id"], row["source"], row["host"], datetime.fromisoformat(row["due_at"]), bool(row["urgent"]))
        for row in rows
    ]


def waiting(conn: sqlite3.Connection, sources: list[str]) -> int:
    """How many readings of these sources are still to be done for the first time."""
    sql = f"SELECT count(*) FROM readings WHERE read_at IS NULL AND due_at IS NOT NULL AND source IN ({','.join('?' * len(sources))})"  # noqa: S608, E501 - only question marks are put in
    return int(conn.execute(sql, sources).fetchone()[0])


def load(conn: sqlite3.Connection, reading: int) -> tuple[Reading, datetime | None] | None:
    """One reading, and when its page was seen gone, if that was so at the last look; None where it is no longer there or
    wanted."""
    row = conn.execute("SELECT * FROM readings WHERE id = ? AND due_at IS NOT NULL", (reading,)).fetchone()
    if row is None:
        return None
    validators = Validators(row["etag"], row["last_modified"], row["body_hash"], moment(row["validated_at"]))
    due_at = datetime.fromisoformat(row["due_at"])
    return Reading(
        row["id"],
        row["source"],
        row["notice"],
        row["url"],
        Purpose(row["purpose"]),
        due_at,
        row["attempts"],
        row["why"],
        validators if row["read_at"] else None,
    ), moment(row["read_at"]) if row["gone"] else None


def done(
    conn: sqlite3.Connection,
    reading: int,
    now: datetime,
    *,
    why: str,
    next_at: datetime | None,
    validators: Validators | None,
    gone: bool = False,
) -> None:
    """A reading ended well; `next_at` when it is looked at again, for the reason `why`."""
    conn.execute(
        "UPDATE readings SET read_at = ?, due_at = ?, why = ?, attempts = 0, last_error = NULL, gone = ?, urgent = 0"
        " WHERE id = ?",
        (stamp(now), stamp(next_at) if next_at else None, why, int(gone), reading),
    )
    if validators is not None:
        conn.execute(
            "UPDATE readings SET etag = ?, last_modified = ?, body_hash = ?, validated_at = ? WHERE id = ?",
            (
                validators.etag,
                validators.last_modified,
                validators.body_hash,
                stamp(validators.at) if validators.at else None,
                reading,
            ),
        )


def failed(conn: sqlite3.Connection, reading: int, error: str, next_at: datetime | None) -> None:
    """A reading failed; `next_at` when it is tried again, None when it is given up."""
    conn.execute(
        "UPDATE readings SET attempts = attempts + 1, last_error = ?, due_at = ?, urgent = 0 WHERE id = ?",
        (error, stamp(next_at) if next_at else None, reading),
    )


def drop(conn: sqlite3.Connection, reading: int) -> None:
    """A reading that is done and has no later looks."""
    conn.execute("DELETE FROM readings WHERE id = ?", (reading,))


def why_not(conn: sqlite3.Connection, notice: int, url: str) -> str | None:
    """Why a page or file could not be had so far; None where nothing is known against it."""
    row = conn.execute("SELECT last_error FROM readings WHERE notice = ? AND url = ?", (notice, url)).fetchone()
    return f"not had so far: {row['last_error']}" if row and row["last_error"] else None
