"""The same document in several places: marks by which candidates are found, and which notices are copies of which. It compares
nothing: `identity` does."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from hashlib import blake2b

from monitor import identity
from monitor.identity import Card, Same
from monitor.model import when_from
from monitor.store import said
from monitor.store.database import stamp
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
    """The channels that have, or are owed, a message about another copy, and of which notice."""
    found: dict[str, int] = {}
    for other in others(conn, notice):
        rows = conn.execute(
            "SELECT d.channel FROM deliveries d JOIN changes c ON c.id = d.change WHERE c.notice = ?"
            " AND (c.kind = 'new' OR c.reason = 'escalated') AND d.state IN ('pending', 'sending', 'sent')",
            (other,),
        )
        for row in rows:
            found.setdefault(row["channel"], other)
    return found


def places(conn: sqlite3.Connection, notice: int) -> list[str]:
    """Where else the document is seen: addresses, else titles, each once; entries about the same flaw too."""
    found: list[str] = []
    for other in others(conn, notice):
        row = conn.execute("SELECT url, title, source FROM notices WHERE id = ?", (other,)).fetchone()
        if row is not None:
            found.append(row["url"] or f"{row['title']} ({row['source']})")
    return list(dict.fromkeys(found))


def forget(conn: sqlite3.Connection) -> None:
    """Drop the marks of notices that are gone."""
    conn.execute("DELETE FROM marks WHERE notice NOT IN (SELECT id FROM notices)")
