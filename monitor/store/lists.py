"""Listings for people and scripts, read-only: one dict a row, with the keys of the contract. It formats nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor import urls
from monitor.store import notices
from monitor.store.database import stamp

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a listing shows. `sources` are globs; `after` is the cursor (oldest first from there), else newest first."""

    sources: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    since: datetime | None = None
    after: int | None = None
    limit: int | None = None


def _where(given: Filter, *, source: str, moment: str, id_: str | None) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    if given.sources:
        conditions.append("(" + " OR ".join([f"{source} GLOB ?"] * len(given.sources)) + ")")
        values += given.sources
    if given.since is not None:
        conditions.append(f"{moment} >= ?")
        values.append(stamp(given.since))
    if given.after is not None and id_ is not None:
        conditions.append(f"{id_} > ?")
        values.append(given.after)
    return conditions, values


def _select(
    conn: sqlite3.Connection, sql: str, conditions: Sequence[str], values: Sequence[object], order: str, limit: int | None
) -> list[sqlite3.Row]:
    text = sql + (f" WHERE {' AND '.join(conditions)}" if conditions else "") + f" ORDER BY {order}"
    return conn.execute(
        text + (" LIMIT ?" if limit is not None else ""), (*values, *([limit] if limit is not None else []))
    ).fetchall()


def sources(conn: sqlite3.Connection, given: Filter) -> list[Row]:
    """Every source of the config, and what was seen of it last."""
    conditions, values = _where(given, source="id", moment="last_check", id_=None)
    if given.kinds:
        conditions.append(f"kind IN ({notices.marks(given.kinds)})")
        values += given.kinds
    if given.states:
        conditions.append(f"health IN ({notices.marks(given.states)})")
        values += given.states
    rows = _select(conn, "SELECT * FROM sources", [*conditions, "present"], values, "id", given.limit)
    return [
        {
            "id": row["id"],
            "kind": row["kind"],
            "url": row["url"],
            "health": row["health"],
            "last_check": row["last_check"],
            "last_ok": row["last_ok"],
            "outcome": row["outcome"],
            "error": row["error"],
            "notices": row["notices"],
            "next_due": row["next_due_at"],
            "hint": row["hint"],
            "failing_since": row["failed_since"],
            "asked_until": row["asked_until"],
            "served": row["served"],
        }
        for row in rows
    ]


def source_ids(conn: sqlite3.Connection) -> list[str]:
    """Every source that has history, in the config or not."""
    return [row["id"] for row in conn.execute("SELECT id FROM sources ORDER BY id")]


def _list(value: str | None) -> list[Any] | None:
    return json.loads(value) if value else None


def _attachments(conn: sqlite3.Connection, notice: int) -> list[Row]:
    return [
        {"name": a.name, "url": a.url, "media_type": a.media_type, "sha256": a.sha256, "bytes": a.size}
        for a in notices.attachments_of(conn, notice)
    ]


def _notice(conn: sqlite3.Connection, row: sqlite3.Row) -> Row:
    return {
        "id": row["id"],
        "source": row["source"],
        "key": row["key"],
        "url": row["url"],
        "title": row["title"],
        "published": row["published"],
        "first_seen": row["first_seen"],
        "last_seen": (row["last_ok"] if row["listed"] else None) or row["last_seen"],
        "state": row["state"],
        "versions": row["seq"],
        "number": row["number"],
        "issuers": _list(row["issuers"]),
        "signed": row["signed"],
        "cves": _list(row["cves"]),
        "attachments": _attachments(conn, row["id"]),
        "same_as": [],
    }


_NOTICES = "SELECT n.*, s.last_ok FROM notices n LEFT JOIN sources s ON s.id = n.source"


def notice_rows(conn: sqlite3.Connection, given: Filter) -> list[Row]:
    """Notices, newest first."""
    conditions, values = _where(given, source="n.source", moment="n.first_seen", id_="n.id")
    if given.states:
        conditions.append(f"n.state IN ({notices.marks(given.states)})")
        values += given.states
    if given.kinds:
        conditions.append(f"s.kind IN ({notices.marks(given.kinds)})")
        values += given.kinds
    order = "n.id" if given.after is not None else "n.id DESC"
    return [_notice(conn, row) for row in _select(conn, _NOTICES, conditions, values, order, given.limit)]


_CHANGES = "SELECT c.*, n.title AS title, n.url AS url FROM changes c LEFT JOIN notices n ON n.id = c.notice"


def _change(row: sqlite3.Row) -> Row:
    return {
        "id": row["id"],
        "at": row["at"],
        "kind": row["kind"],
        "source": row["source"],
        "notice": row["notice"],
        "title": row["title"],
        "url": row["url"],
        "reason": row["reason"],
        "silence": row["silence"],
        "from_version": row["from_version"],
        "to_version": row["to_version"],
        "detail": row["detail"] or None,
    }


def change_rows(conn: sqlite3.Connection, given: Filter) -> list[Row]:
    """Changes, newest first. `states`: told | silenced."""
    conditions, values = _where(given, source="c.source", moment="c.at", id_="c.id")
    if given.kinds:
        conditions.append(f"c.kind IN ({notices.marks(given.kinds)})")
        values += given.kinds
    if set(given.states) == {"told"}:
        conditions.append("c.silence IS NULL")
    elif set(given.states) == {"silenced"}:
        conditions.append("c.silence IS NOT NULL")
    order = "c.id" if given.after is not None else "c.id DESC"
    return [_change(row) for row in _select(conn, _CHANGES, conditions, values, order, given.limit)]


def _delivery(row: sqlite3.Row) -> Row:
    return {
        "id": row["id"],
        "change": row["change"],
        "channel": row["channel"],
        "state": row["state"],
        "attempts": row["attempts"],
        "created_at": row["created_at"],
        "due_at": row["due_at"],
        "last_error": row["last_error"],
        "sent_at": row["sent_at"],
    }


def delivery_rows(conn: sqlite3.Connection, given: Filter) -> list[Row]:
    """Deliveries, newest first. `kinds` are those of their changes, `sources` likewise."""
    sql = "SELECT d.*, c.source AS source, c.kind AS kind FROM deliveries d JOIN changes c ON c.id = d.change"
    conditions, values = _where(given, source="c.source", moment="d.created_at", id_="d.id")
    for column, wanted in (("c.kind", given.kinds), ("d.state", given.states)):
        if wanted:
            conditions.append(f"{column} IN ({notices.marks(wanted)})")
            values += wanted
    order = "d.id" if given.after is not None else "d.id DESC"
    return [_delivery(row) for row in _select(conn, sql, conditions, values, order, given.limit)]


def find_notice(conn: sqlite3.Connection, named: str) -> int | None:
    """The notice that an id or an address names; of several with one address the newest."""
    if named.isascii() and named.isdigit():
        number = int(named) if len(named) < 19 else 0
        row = conn.execute("SELECT id FROM notices WHERE id = ?", (number,)).fetchone()
    else:
        address = urls.identity(named) if "://" in named else named
        row = conn.execute("SELECT id FROM notices WHERE address = ? ORDER BY id DESC LIMIT 1", (address,)).fetchone()
    return row["id"] if row else None


def show(conn: sqlite3.Connection, notice: int) -> Row:
    """One notice whole: its text, and every version."""
    row = conn.execute(_NOTICES + " WHERE n.id = ?", (notice,)).fetchone()
    found = _notice(conn, row)
    versions = conn.execute(
        "SELECT seq, seen_at, title, fingerprint, reason FROM versions WHERE notice = ? ORDER BY seq", (notice,)
    ).fetchall()
    return found | {"text": row["text"], "versions": [dict(version) for version in versions]}


def explain(conn: sqlite3.Connection, change: int) -> Row | None:
    """Why a change was or was not told."""
    row = conn.execute(_CHANGES + " WHERE c.id = ?", (change,)).fetchone()
    if row is None:
        return None
    deliveries = conn.execute("SELECT * FROM deliveries WHERE change = ? ORDER BY id", (change,)).fetchall()
    return {
        "change": _change(row),
        "tried": _list(row["tried"]) or [],
        "deliveries": [_delivery(one) | {"route": one["route"], "detail": one["detail"]} for one in deliveries],
    }


def export(conn: sqlite3.Connection, given: Filter) -> Sequence[int]:
    """The ids of the notices to export, oldest first."""
    conditions, values = _where(given, source="n.source", moment="n.first_seen", id_="n.id")
    rows = _select(conn, "SELECT n.id FROM notices n", conditions, values, "n.id", given.limit)
    return [row["id"] for row in rows]


def totals(conn: sqlite3.Connection) -> Row:
    """Numbers for a glance: what waits, what was refused, what fails."""
    row = conn.execute(
        "SELECT (SELECT count(*) FROM deliveries WHERE state IN ('pending', 'sending')) AS waiting,"
        " (SELECT min(created_at) FROM deliveries WHERE state IN ('pending', 'sending')) AS oldest,"
        " (SELECT count(*) FROM deliveries WHERE state = 'refused') AS refused,"
        " (SELECT count(*) FROM deliveries WHERE state = 'expired') AS expired,"
        " (SELECT count(*) FROM sources WHERE present AND health = 'failing') AS failing"
    ).fetchone()
    return dict(row)
