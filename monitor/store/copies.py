"""Which notices are copies of one document, and where it was told. It compares nothing: `identity` does."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.store.database import stamp

if TYPE_CHECKING:
    from monitor.identity import Same


def link(conn: sqlite3.Connection, notice: int, of: int, same: Same, now: datetime) -> None:
    """`notice` is the same document as `of`; what is known already stands."""
    document = document_of(conn, of)
    mine = document_of(conn, notice)
    if document == mine:
        return
    for root in (of, notice):  # the first of a document is a copy of itself: so that one query finds them all
        conn.execute(
            "INSERT INTO copies (notice, document, of, signal, reason, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (root, document, of, same.signal if root == notice else "first", same.reason if root == notice else "", stamp(now)),
        )
    conn.execute("UPDATE copies SET document = ? WHERE document = ?", (document, mine))


def document_of(conn: sqlite3.Connection, notice: int) -> int:
    """The first notice of the document that a notice is a copy of; itself where it is the only one."""
    row = conn.execute("SELECT document FROM copies WHERE notice = ?", (notice,)).fetchone()
    return int(row[0]) if row is not None else notice


def others(conn: sqlite3.Connection, notice: int) -> list[int]:
    """The other copies of the same document, oldest first."""
    rows = conn.execute(
        "SELECT o.notice FROM copies c JOIN copies o ON o.document = c.document WHERE c.notice = ? AND o.notice <> c.notice"
        " ORDER BY o.notice",
        (notice,),
    )
    return [row[0] for row in rows]


def reason(conn: sqlite3.Connection, notice: int) -> tuple[int, str, str] | None:
    """(which notice, signal, why) of what made it a copy; None for the first of a document, or the only one."""
    row = conn.execute("SELECT of, signal, reason FROM copies WHERE notice = ? AND signal <> 'first'", (notice,)).fetchone()
    return (row["of"], row["signal"], row["reason"]) if row is not None else None


def told_on(conn: sqlite3.Connection, notice: int) -> dict[str, int]:
    """The channels that have, or are owed, a message about another copy that still stands, and of which notice. Of one that was
    withdrawn they have been told that, so that it stands elsewhere is news."""
    found: dict[str, int] = {}
    for other in others(conn, notice):
        rows = conn.execute(
            "SELECT d.channel FROM deliveries d JOIN changes c ON c.id = d.change JOIN notices n ON n.id = c.notice"
            " WHERE c.notice = ? AND n.state <> 'withdrawn' AND (c.kind = 'new' OR c.reason = 'escalated')"
            " AND d.state IN ('pending', 'sending', 'sent')",
            (other,),
        )
        for row in rows:
            found.setdefault(row["channel"], other)
    return found


def places(conn: sqlite3.Connection, notice: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where else the document is seen, and where it was withdrawn: addresses, else titles, each once; entries about the same flaw
    too."""
    found: dict[str, str] = {}
    for other in others(conn, notice):
        row = conn.execute("SELECT url, title, source, state FROM notices WHERE id = ?", (other,)).fetchone()
        if row is not None:
            place = row["url"] or f"{row['title']} ({row['source']})"
            found[place] = row["state"] if found.get(place) != "present" else "present"
    gone = tuple(place for place, state in found.items() if state == "withdrawn")
    return tuple(place for place in found if place not in gone), gone
