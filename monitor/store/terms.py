"""The index of words over all notices, kept in the transaction of each version. It judges no find: the query does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from monitor.store.fields import fields_of
from monitor.store.said import Reads

#: Rows that are asked for at once.
_PART = 64
_WHOLE = "SELECT n.*, s.last_ok FROM notices n LEFT JOIN sources s ON s.id = n.source"
#: Fields that are columns of their own, or no words.
_BESIDE = frozenset({"title", "text", "annex", "url", "signed", "effective", "deadline", "due", "exploited", "cvss", "doctype"})


def keep(conn: sqlite3.Connection, notice: int, reads: Reads, before: sqlite3.Row | None = None) -> None:
    """Index a notice as it stands now, in place of what was indexed of it: the whole row `before`."""
    row = conn.execute("SELECT * FROM notices WHERE id = ?", (notice,)).fetchone()
    said = _said(conn, row, reads)
    if before is not None and before["entry"] is not None:
        former = _said(conn, before, reads)
        if former == said:
            return
        conn.execute(
            "INSERT INTO terms (terms, rowid, title, text, files, about) VALUES ('delete', ?, ?, ?, ?, ?)",
            (before["entry"], *map(reads.terms, former)),
        )
    # always a new entry: where the one before was indexed by other rules, what is left of it belongs to no notice
    done = conn.execute("INSERT INTO terms (title, text, files, about) VALUES (?, ?, ?, ?)", tuple(map(reads.terms, said)))
    conn.execute("UPDATE notices SET entry = ? WHERE id = ?", (done.lastrowid, notice))


def _said(conn: sqlite3.Connection, row: sqlite3.Row, reads: Reads) -> tuple[str, str, str, str]:
    """What a notice says, by the columns of the index."""
    fields = fields_of(conn, row, reads.bodies)
    about = "\n".join(value for name, value in fields.items() if value and name not in _BESIDE)
    return fields["title"], fields["text"], fields["annex"], about


def lacking(conn: sqlite3.Connection, limit: int) -> list[tuple[int, str]]:
    """Notices that were never indexed, and their sources: those of a database older than its index. Newest first."""
    rows = conn.execute("SELECT id, source FROM notices WHERE entry IS NULL ORDER BY id DESC LIMIT ?", (limit,))
    return [(row["id"], row["source"]) for row in rows]


def found(conn: sqlite3.Connection, asked: str | None, titled: str | None) -> Iterator[sqlite3.Row]:
    """Whole rows of `notices` that may answer, best first: those that hold it in their titles, newest first, then the others,
    newest first. `asked` and `titled` are questions for the index, all of it and its titles; None where it cannot help."""
    seen: set[int] = set()
    for question in (asked,) if titled is None else (titled, asked):
        for row in _rows(conn, question):
            if row["id"] not in seen:
                seen.add(row["id"])
                yield row
    if asked is not None:
        yield from conn.execute(f"{_WHOLE} WHERE n.entry IS NULL ORDER BY n.id DESC")  # not indexed yet: each is looked at


def _rows(conn: sqlite3.Connection, question: str | None) -> Iterator[sqlite3.Row]:
    """Newest first, a few at a time: most readers want the first ones only."""
    before = 1 << 62
    while True:
        if question is None:
            sql = f"{_WHOLE} WHERE n.id < ? ORDER BY n.id DESC LIMIT ?"
            values: tuple[object, ...] = (before, _PART)
        else:
            sql = f"{_WHOLE} JOIN terms w ON n.entry = w.rowid WHERE terms MATCH ? AND w.rowid < ? ORDER BY w.rowid DESC LIMIT ?"
            values = (question, before, _PART)
        rows = conn.execute(sql, values).fetchall()
        yield from rows
        if len(rows) < _PART:
            return
        before = rows[-1]["id" if question is None else "entry"]
