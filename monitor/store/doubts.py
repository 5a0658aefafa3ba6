"""States of notices that were seen and do not count yet, by aspect: row, page, date, a file; and which version people know of a
notice that changes too often to be told each time. It judges none: `decide` does."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from monitor.store.database import stamp


def keep(conn: sqlite3.Connection, notice: int, aspect: str, print_: str, now: datetime) -> None:
    """A state that was seen and does not count yet; the doubt is as old as the first such state."""
    conn.execute(
        "INSERT INTO doubts (notice, aspect, print, since) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (notice, aspect) DO UPDATE SET print = excluded.print",
        (notice, aspect, print_, stamp(now)),
    )


def of(conn: sqlite3.Connection, notice: int, aspect: str) -> str | None:
    """The state in this aspect that was seen and does not count yet."""
    row = conn.execute("SELECT print FROM doubts WHERE notice = ? AND aspect = ?", (notice, aspect)).fetchone()
    return row["print"] if row else None


def settle(conn: sqlite3.Connection, notice: int, aspect: str) -> None:
    """No doubt any more."""
    conn.execute("DELETE FROM doubts WHERE notice = ? AND aspect = ?", (notice, aspect))


def told_against(conn: sqlite3.Connection, notice: int, seq: int, silence: str | None, now: datetime) -> tuple[int, str | None]:
    """The version that people know, which a revision to `seq` is told against, and the silence that becomes of `silence`. While a
    notice changes too often to be told each time, that version is kept as a doubt; told is what stands in the end."""
    if silence is not None:
        conn.execute(
            "INSERT INTO doubts (notice, aspect, print, since) VALUES (?, 'flapping', ?, ?) ON CONFLICT DO NOTHING",
            (notice, str(seq - 1), stamp(now)),
        )
        return seq - 1, silence
    waiting = of(conn, notice, "flapping")
    if waiting is None:
        return seq - 1, None
    settle(conn, notice, "flapping")
    states = conn.execute(
        "SELECT DISTINCT row_print, page_print, title, published FROM versions WHERE notice = ? AND seq IN (?, ?)",
        (notice, int(waiting), seq),
    ).fetchall()
    return int(waiting), "as it was told last" if len(states) == 1 else None


def untold(conn: sqlite3.Connection, since: datetime) -> list[int]:
    """Notices of which versions are not told, because they change too often, since then or before."""
    rows = conn.execute("SELECT notice FROM doubts WHERE aspect = 'flapping' AND since <= ?", (stamp(since),))
    return [row["notice"] for row in rows]
