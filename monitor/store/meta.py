"""Single values that outlive a run, by name. What they mean is known to who asks."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from monitor.store.database import moment


def value_of(conn: sqlite3.Connection, key: str) -> str | None:
    """What was put under this name; None where nothing was."""
    row = conn.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return row["value"] if row else None


def moment_of(conn: sqlite3.Connection, key: str) -> datetime | None:
    """A moment that was put under this name; None where there is none."""
    value = value_of(conn, key)
    return moment(value) if value else None


def put(conn: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a value under a name; a former one is gone."""
    conn.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
    )
