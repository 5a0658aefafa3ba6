"""Marks of notices, by which those that may be the same document are found, whatever the size of the database. It compares
nothing: `identity` does.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from hashlib import blake2b

from monitor import identity
from monitor.identity import Card
from monitor.model import when_from
from monitor.store import said
from monitor.store.said import Reads

#: Of each mark the newest so many notices are candidates, and so many in all are compared.
NEWEST, MOST = 100, 12


def card_of(conn: sqlite3.Connection, row: sqlite3.Row, reads: Reads | None = None) -> Card:
    """What identity looks at, of a whole row of `notices`."""
    files = conn.execute("SELECT sha256 FROM attachments WHERE notice = ? AND NOT gone AND sha256 IS NOT NULL", (row["id"],))
    return Card(
        row["source"],
        row["title"],
        row["text"],
        _day(row),
        said.load(row["facts"]),
        frozenset(each[0] for each in files),
        reads.shingles(row["text"]) if reads is not None else None,
    )


def _day(row: sqlite3.Row) -> date:
    when = when_from(row["published"])
    if when is None:
        when = datetime.fromisoformat(row["first_seen"])
    return when.astimezone(UTC).date() if isinstance(when, datetime) else when


def keep(conn: sqlite3.Connection, notice: int, reads: Reads) -> None:
    """Mark a notice as it stands now, so that later copies find it."""
    row = conn.execute("SELECT * FROM notices WHERE id = ?", (notice,)).fetchone()
    marks = [(_mark(key), notice) for key in sorted(identity.keys(card_of(conn, row, reads)))]
    conn.executemany("INSERT INTO marks (mark, notice) VALUES (?, ?) ON CONFLICT DO NOTHING", marks)


def _mark(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), signed=True)


def candidates(conn: sqlite3.Connection, notice: int, card: Card) -> dict[int, Card]:
    """Other notices that share a mark, by id, oldest first; of too many those that share most."""
    shared: dict[int, int] = {}
    for key in identity.keys(card):
        rows = conn.execute(
            "SELECT notice FROM marks WHERE mark = ? AND notice <> ? ORDER BY notice DESC LIMIT ?", (_mark(key), notice, NEWEST)
        )
        for row in rows:
            shared[row[0]] = shared.get(row[0], 0) + 1
    chosen = sorted(shared, key=lambda id_: (-shared[id_], id_))[:MOST]
    found: dict[int, Card] = {}
    for id_ in sorted(chosen):
        row = conn.execute("SELECT * FROM notices WHERE id = ?", (id_,)).fetchone()
        if row is not None:  # forgotten meanwhile
            found[id_] = card_of(conn, row)
    return found


def forget(conn: sqlite3.Connection) -> None:
    """Drop the marks of notices that are gone."""
    conn.execute("DELETE FROM marks WHERE notice NOT IN (SELECT id FROM notices)")
