"""Listings for people and scripts, read-only: one dict a row, with the keys of the contract. It formats nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor import urls
from monitor.model import Attachment
from monitor.store import copies, files, readings
from monitor.store.database import chunks, marks, stamp

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


#: SQL in which "{t}" stands for the table, and its values.
Condition = tuple[str, tuple[object, ...]]


def _ids(conn: sqlite3.Connection, table: str, given: Filter, *conditions: Condition, kinds: Sequence[str] = ()) -> list[int]:
    """Ids of a table in which each row has a source; `kinds` are those of the sources. Where only some sources are asked for, up
    to a limit, the newest rows of each are looked up by its index: what others have, however much, is not looked at."""
    order = "" if given.after is not None else " DESC"
    if given.after is not None:
        conditions = (*conditions, ("{t}.id > ?", (given.after,)))
    texts, values = [text for text, _ in conditions], [value for _, each in conditions for value in each]
    asked = [f"({' OR '.join(['k.id GLOB ?'] * len(given.sources))})"] if given.sources else []
    asked += [f"k.kind IN ({marks(kinds)})"] if kinds else []
    which = " AND ".join(asked)
    if asked and given.limit is not None:
        inner = "".join(f" AND {text.format(t='o')}" for text in texts)
        newest = f"SELECT o.id FROM {table} o WHERE o.source = k.id{inner} ORDER BY o.id{order} LIMIT ?"  # noqa: S608 - fixed names
        where = [f"t.id IN (SELECT m.id FROM sources k JOIN {table} m ON m.id IN ({newest}) WHERE {which})"]  # noqa: S608 - fixed names
        values += [given.limit, *given.sources, *kinds]
    else:
        where = [text.format(t="t") for text in texts]
        where += [f"t.source IN (SELECT k.id FROM sources k WHERE {which})"] if asked else []  # noqa: S608 - fixed names
        values += [*given.sources, *kinds]
    return [row[0] for row in _select(conn, f"SELECT t.id FROM {table} t", where, values, f"t.id{order}", given.limit)]  # noqa: S608 - fixed names


def _whole(conn: sqlite3.Connection, head: str, ids: Sequence[int]) -> Iterator[sqlite3.Row]:
    """The rows of these ids, in their order, some hundred at a time in memory."""
    for part in chunks(ids):
        found = {row["id"]: row for row in conn.execute(f"{head} WHERE t.id IN ({marks(part)})", part)}
        yield from (found[id_] for id_ in part if id_ in found)


def _since(given: Filter, table: str, column: str) -> list[Condition]:
    """From a moment on. Ids grow with time: those below all that the index of moments has from there on are not looked at."""
    if given.since is None:
        return []
    first = f"(SELECT min(+id) FROM {table} WHERE {column} >= ?)"  # noqa: S608 - fixed names
    at = stamp(given.since)
    return [(f"{{t}}.{column} >= ? AND {{t}}.id >= {first}", (at, at))]


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
        conditions.append(f"kind IN ({marks(given.kinds)})")
        values += given.kinds
    if given.states:
        conditions.append(f"health IN ({marks(given.states)})")
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


def notices_of(conn: sqlite3.Connection, source: str) -> int:
    """How many notices a source has."""
    return int(conn.execute("SELECT count(*) FROM notices WHERE source = ?", (source,)).fetchone()[0])


def _list(value: str | None) -> list[Any] | None:
    return json.loads(value) if value else None


def _attachments(conn: sqlite3.Connection, notice: int) -> list[Row]:
    return [
        {"name": a.name, "url": a.url, "media_type": a.media_type, "sha256": a.sha256, "bytes": a.size}
        for a in files.attachments_of(conn, notice)
        if a.kind == "file"
    ]


def _with_texts(conn: sqlite3.Connection, found: Iterable[Attachment]) -> list[Row]:
    """Files and pictures with what they say, or why that is not known."""
    return [
        {
            "kind": a.kind,
            "name": a.name,
            "url": a.url,
            "media_type": a.media_type,
            "sha256": a.sha256,
            "bytes": a.size,
            "text": a.text,
            "problem": a.problem,
        }
        for a in files.with_texts(conn, found)
    ]


def files_of(conn: sqlite3.Connection, notice: int, seq: int) -> list[Row]:
    """The files and pictures of one version."""
    return [{"kind": a.kind, "name": a.name, "url": a.url, "sha256": a.sha256} for a in files.files_of(conn, notice, seq)]


def former_texts(conn: sqlite3.Connection, shown: Row) -> Row:
    """What files said that a notice no longer has, by their hashes; `shown` is as `show` gives it, with the files of versions."""
    now = {file["sha256"] for file in shown["attachments"]}
    once = {file["sha256"] for version in shown["versions"] for file in version["attachments"]} - now - {None}
    found = {sha256: files.text_of(conn, sha256) for sha256 in sorted(once)}
    return {sha256: {"text": known.text, "problem": known.problem} for sha256, known in found.items() if known}


def notice_row(conn: sqlite3.Connection, row: sqlite3.Row) -> Row:
    """What a whole row of `notices` (with `last_ok` of its source) shows."""
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
        "same_as": copies.others(conn, row["id"]),
        "effective": row["effective"],
        "deadline": row["deadline"],
        "severity": row["severity"],
        "facts": json.loads(row["facts"]) if row["facts"] else {},
    }


_NOTICES = "SELECT t.*, s.last_ok FROM notices t LEFT JOIN sources s ON s.id = t.source"


def each_notice(conn: sqlite3.Connection, given: Filter) -> Iterator[Row]:
    """Notices, newest first, without having all in memory."""
    states: list[Condition] = []
    if set(given.states) == {"withdrawn"}:
        states = [("{t}.id IN (SELECT id FROM notices WHERE state = 'withdrawn')", ())]  # so its index is used
    elif given.states:
        states = [(f"{{t}}.state IN ({marks(given.states)})", given.states)]
    ids = _ids(conn, "notices", given, *states, *_since(given, "notices", "first_seen"), kinds=given.kinds)
    return (notice_row(conn, row) for row in _whole(conn, _NOTICES, ids))


def notice_rows(conn: sqlite3.Connection, given: Filter) -> list[Row]:
    """The same at once."""
    return list(each_notice(conn, given))


_CHANGES = "SELECT t.*, n.title AS title, n.url AS url FROM changes t LEFT JOIN notices n ON n.id = t.notice"


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


def each_change(conn: sqlite3.Connection, given: Filter) -> Iterator[Row]:
    """Changes, newest first, without having all in memory. `states`: told | silenced."""
    conditions: list[Condition] = []
    if given.kinds:
        conditions.append((f"{{t}}.kind IN ({marks(given.kinds)})", given.kinds))
    if set(given.states) == {"told"}:
        conditions.append(("{t}.silence IS NULL", ()))
    elif set(given.states) == {"silenced"}:
        conditions.append(("{t}.silence IS NOT NULL", ()))
    ids = _ids(conn, "changes", given, *conditions, *_since(given, "changes", "at"))
    return (_change(row) for row in _whole(conn, _CHANGES, ids))


def change_rows(conn: sqlite3.Connection, given: Filter) -> list[Row]:
    """The same at once."""
    return list(each_change(conn, given))


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


def each_delivery(conn: sqlite3.Connection, given: Filter) -> Iterator[Row]:
    """Deliveries, newest first, without having all in memory. `kinds` are those of their changes, `sources` likewise."""
    sql = "SELECT t.id FROM deliveries t JOIN changes c ON c.id = t.change"
    conditions, values = _where(given, source="c.source", moment="t.created_at", id_="t.id")
    for column, wanted in (("c.kind", given.kinds), ("t.state", given.states)):
        if wanted:
            conditions.append(f"{column} IN ({marks(wanted)})")
            values += wanted
    order = "t.id" if given.after is not None else "t.id DESC"
    ids = [row[0] for row in _select(conn, sql, conditions, values, order, given.limit)]
    return (_delivery(row) for row in _whole(conn, "SELECT t.* FROM deliveries t", ids))


def delivery_rows(conn: sqlite3.Connection, given: Filter) -> list[Row]:
    """The same at once."""
    return list(each_delivery(conn, given))


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
    row = conn.execute(_NOTICES + " WHERE t.id = ?", (notice,)).fetchone()
    found = notice_row(conn, row)
    versions = conn.execute(
        "SELECT seq, seen_at, title, fingerprint, reason FROM versions WHERE notice = ? ORDER BY seq", (notice,)
    ).fetchall()
    attached = _with_texts(conn, files.attachments_of(conn, notice))
    for file in attached:
        if file["sha256"] is None:
            file["problem"] = readings.why_not(conn, notice, file["url"])
    return found | {"attachments": attached, "text": row["text"] or None, "versions": [dict(version) for version in versions]}


def explain(conn: sqlite3.Connection, change: int) -> Row | None:
    """Why a change was or was not told."""
    row = conn.execute(_CHANGES + " WHERE t.id = ?", (change,)).fetchone()
    if row is None:
        return None
    deliveries = conn.execute("SELECT * FROM deliveries WHERE change = ? ORDER BY id", (change,)).fetchall()
    same = copies.reason(conn, row["notice"]) if row["notice"] is not None else None
    return {
        "change": _change(row),
        "tried": _list(row["tried"]) or [],
        "deliveries": [_delivery(one) | {"route": one["route"], "detail": one["detail"]} for one in deliveries],
        "same_as": {"notice": same[0], "signal": same[1], "reason": same[2]} if same else None,
    }


def export(conn: sqlite3.Connection, given: Filter) -> Sequence[int]:
    """The ids of the notices to export, oldest first."""
    conditions, values = _where(given, source="n.source", moment="n.first_seen", id_="n.id")
    rows = _select(conn, "SELECT n.id FROM notices n", conditions, values, "n.id", given.limit)
    return [row["id"] for row in rows]


def last_good(conn: sqlite3.Connection, source: str) -> Row | None:
    """The last check of a source that did not fail: when, and how many rows it saw."""
    sql = "SELECT at, until, rows FROM checks WHERE source = ? AND outcome != 'failed' ORDER BY id DESC LIMIT 1"
    row = conn.execute(sql, (source,)).fetchone()
    return dict(row) if row else None


def broken_channels(conn: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Channels that refuse every message: id, since when, why."""
    rows = conn.execute("SELECT id, broken_since, broken FROM channels WHERE broken IS NOT NULL ORDER BY id").fetchall()
    return [(row["id"], row["broken_since"], row["broken"]) for row in rows]


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
