"""Notices and their versions: what is known of them, and how a decision's steps become rows. The only code that writes versions.

The newest text of a notice is a plain column; older texts and raw bytes are frames against their newer neighbour (`frames`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor import text, urls
from monitor.decide import ELSEWHERE, Known
from monitor.model import Attachment, Document, Facts, Notice, Version, When, when_from, when_text
from monitor.store import candidates, files, frames, said, terms
from monitor.store.database import chunks, dumps, marks, moment, stamp
from monitor.store.fields import labels_of

_KNOWN = "id, key, url, row_title, row_print, row_how, row_published, page_print, page_how, state, gone_by, missing, seq"


def _known(row: sqlite3.Row) -> Known:
    """A row of the columns `_KNOWN`, by their places: a catalogue has thousands."""
    id_, key, url, title, row_print, how, published, page_print, page_how, state, gone_by, missing, seq = row
    when = when_from(published)
    return Known(id_, key, url, title, row_print, how, when, page_print, page_how or "", state, gone_by, missing, seq)


def known_keys(conn: sqlite3.Connection, source: str, keys: Iterable[str]) -> dict[str, Known]:
    """Those of the keys that are known, without their history."""
    found: dict[str, Known] = {}
    for part in chunks(keys):
        sql = f"SELECT {_KNOWN} FROM notices WHERE source = ? AND key IN ({marks(part)})"  # noqa: S608 - only question marks are put in
        found |= {row["key"]: _known(row) for row in conn.execute(sql, (source, *part))}
    return found


def any_known(conn: sqlite3.Connection, source: str, rows: Sequence[Notice]) -> bool:
    """Whether one of the rows is known by its key or its title."""
    for column, values in (("key", [row.key for row in rows]), ("title", [row.title for row in rows])):
        for part in chunks(values):
            sql = f"SELECT 1 FROM notices WHERE source = ? AND {column} IN ({marks(part)}) LIMIT 1"  # noqa: S608 - a fixed column and question marks
            if conn.execute(sql, (source, *part)).fetchone():
                return True
    return False


def ids(conn: sqlite3.Connection, source: str, keys: Iterable[str]) -> dict[str, int]:
    """The ids of those of the keys that are known."""
    found: dict[str, int] = {}
    for part in chunks(keys):
        sql = f"SELECT key, id FROM notices WHERE source = ? AND key IN ({marks(part)})"  # noqa: S608 - only question marks are put in
        found.update(conn.execute(sql, (source, *part)).fetchall())
    return found


def known(
    conn: sqlite3.Connection,
    source: str,
    rows: Sequence[Notice],
    prints: Mapping[str, str],
    order: Sequence[int],
    now: datetime,
    *,
    complete: bool,
) -> list[Known]:
    """Every notice that a row may be, and every one of the last list (or, for a complete list, all that are present); with its
    history where the row says something else than what stands. `prints` maps a row's key to its fingerprint."""
    found = {k.id: k for k in known_keys(conn, source, prints).values()}
    queries: list[tuple[str, Iterable[object]]] = [("id", [i for i in order if i not in found])]
    keys = {k.key for k in found.values()}
    unknown = [row for row in rows if row.key not in keys]
    if unknown:
        queries.append(("address", [urls.identity(row.url) for row in rows if row.url]))
    if order and len(unknown) * 2 > len(rows):  # it may be that addresses changed: of what left the list, too
        queries.append(("row_title", [row.title for row in unknown]))
    for column, values in queries:
        for part in chunks(values):
            sql = f"SELECT {_KNOWN} FROM notices WHERE source = ? AND {column} IN ({marks(part)})"  # noqa: S608 - a fixed column and question marks
            found |= {row["id"]: _known(row) for row in conn.execute(sql, (source, *part))}
    if complete:
        sql = "SELECT id FROM notices WHERE source = ? AND state = 'present'"
        rest = [row[0] for row in conn.execute(sql, (source,)) if row[0] not in found]
        for part in chunks(rest):
            sql = f"SELECT {_KNOWN} FROM notices WHERE id IN ({marks(part)})"  # noqa: S608 - fixed columns and question marks
            found |= {row["id"]: _known(row) for row in conn.execute(sql, part)}
    days = {row.key: row.published for row in rows}
    return [
        with_history(conn, k, now)
        if prints.get(k.key) not in (None, k.row_print) or days.get(k.key) not in (None, k.row_published)
        else k
        for k in _with_doubts(conn, found)
    ]


def _with_doubts(conn: sqlite3.Connection, found: Mapping[int, Known]) -> list[Known]:
    doubts: dict[int, dict[str, str]] = {}
    for part in chunks(found):
        sql = f"SELECT notice, aspect, print FROM doubts WHERE notice IN ({marks(part)})"  # noqa: S608 - only question marks are put in
        for row in conn.execute(sql, part):
            doubts.setdefault(row["notice"], {})[row["aspect"]] = row["print"]
    return [replace(k, doubts=doubts[k.id]) if k.id in doubts else k for k in found.values()]


def with_history(conn: sqlite3.Connection, k: Known, now: datetime) -> Known:
    """The same with its text, its former fingerprints, how long it is in doubt, how often it was revised within a day."""
    former: set[str | None] = set()
    titles: set[str] = set()
    for row in conn.execute("SELECT row_print, page_print, title FROM versions WHERE notice = ? AND seq < ?", (k.id, k.seq)):
        former |= {row["row_print"], row["page_print"]}
        titles.add(row["title"])
    former -= {k.row_print, k.page_print}
    day = stamp(now - timedelta(days=1))
    revised = conn.execute(
        "SELECT count(*) FROM changes WHERE notice = ? AND kind = 'revised' AND at > ?", (k.id, day)
    ).fetchone()[0]
    last = conn.execute(
        "SELECT reason FROM changes WHERE notice = ? AND kind = 'revised' ORDER BY id DESC LIMIT 1", (k.id,)
    ).fetchone()
    doubts = conn.execute("SELECT aspect, since FROM doubts WHERE notice = ?", (k.id,)).fetchall()
    stands = conn.execute("SELECT text, page_title, title FROM notices WHERE id = ?", (k.id,)).fetchone()
    return replace(
        k,
        former=frozenset(print_ for print_ in former if print_),
        titles=frozenset(titles),
        revised_today=revised,
        last_reason=last["reason"] if last else "",
        text=stands["text"],
        page_title=stands["page_title"],
        shown=stands["title"],
        waited={row["aspect"]: now - datetime.fromisoformat(row["since"]) for row in doubts},
    )


def one(conn: sqlite3.Connection, notice: int, now: datetime) -> tuple[Known, sqlite3.Row]:
    """One notice with its history, and its whole row."""
    found = conn.execute(f"SELECT {_KNOWN} FROM notices WHERE id = ?", (notice,)).fetchone()  # noqa: S608 - fixed columns
    k = _with_doubts(conn, {notice: _known(found)})[0]
    row = conn.execute("SELECT * FROM notices WHERE id = ?", (notice,)).fetchone()
    return with_history(conn, k, now), row


def row(conn: sqlite3.Connection, notice: int) -> sqlite3.Row | None:
    """One notice's whole row, or None."""
    found: sqlite3.Row | None = conn.execute("SELECT * FROM notices WHERE id = ?", (notice,)).fetchone()
    return found


@dataclass(frozen=True, slots=True)
class State:
    """What a new version of a notice says. None keeps what the version before said."""

    reason: str
    how: str
    title: str | None = None
    text: str | None = None
    published: When | None = None
    row_print: str | None = None
    page_print: str | None = None
    raw: bytes | None = None
    attachments: tuple[Attachment, ...] | None = None


def add(
    conn: sqlite3.Connection, notice: Notice, row_print: str, how: str, now: datetime, reads: said.Reads, *, baseline: bool
) -> int:
    """A notice never seen, with its first version; its id."""
    text_ = notice.text if notice.text is not None else notice.summary
    at, published = stamp(now), when_text(notice.published)
    done = conn.execute(
        "INSERT INTO notices (source, key, url, address, title, row_title, published, row_published, text, labels, first_seen,"
        " last_seen, baseline, row_print, row_how) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            notice.source_id,
            notice.key,
            notice.url,
            urls.identity(notice.url) if notice.url else None,
            notice.title,
            notice.title,
            published,
            published,
            text_,
            dumps(notice.labels),
            at,
            at,
            int(baseline),
            row_print,
            how,
        ),
    )
    id_ = int(done.lastrowid or 0)
    conn.execute(
        "INSERT INTO versions (notice, seq, fingerprint, row_print, title, published, seen_at, how, reason, attachments)"
        " VALUES (?, 1, ?, ?, ?, ?, ?, ?, 'first sight', ?)",
        (id_, row_print, row_print, notice.title, published, at, how, _files(notice.attachments)),
    )
    conn.execute("UPDATE sources SET notices = notices + 1 WHERE id = ?", (notice.source_id,))
    _keep(conn, id_, 1, reads(notice.title, text_, notice.published, None, notice.labels))
    terms.keep(conn, id_, reads)
    files.attach(conn, id_, notice.attachments, now)
    if reads.copied:
        candidates.keep(conn, id_, reads)
    return id_


def push(conn: sqlite3.Connection, notice: int, state: State, now: datetime, reads: said.Reads) -> int:
    """A further version of a notice; its seq. The former newest becomes a frame against it."""
    row = conn.execute("SELECT * FROM notices WHERE id = ?", (notice,)).fetchone()
    seq, new_text = row["seq"] + 1, row["text"] if state.text is None else state.text
    listed = (
        _files(files.known_files(conn, notice, state.attachments))
        if state.attachments is not None
        else _former_files(conn, notice, row["seq"])
    )
    _frame_text(conn, notice, row["seq"], row["text"], new_text)
    if state.raw is not None:
        _frame_raw(conn, notice, seq, state.raw)
    title = row["title"] if state.title is None else state.title
    published = row["published"] if state.published is None else when_text(state.published)
    row_print, page_print = state.row_print or row["row_print"], state.page_print or row["page_print"]
    conn.execute(
        "INSERT INTO versions (notice, seq, fingerprint, row_print, page_print, title, published, seen_at, how, reason,"
        " attachments, raw, raw_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            notice,
            seq,
            text.fingerprint({"title": title, "text": new_text}),
            row_print,
            page_print,
            title,
            published,
            stamp(now),
            state.how,
            state.reason,
            listed,
            frames.pack(state.raw, new_text.encode()) if state.raw is not None else None,
            1 if state.raw is not None else None,
        ),
    )
    conn.execute(
        "UPDATE notices SET seq = ?, title = ?, text = ?, published = ?, row_print = ?, page_print = ? WHERE id = ?",
        (seq, title, new_text, published, row_print, page_print, notice),
    )
    _keep(conn, notice, seq, reads(title, new_text, when_from(published), row["origin"], labels_of(row)))
    terms.keep(conn, notice, reads, row)
    if reads.copied:
        candidates.keep(conn, notice, reads)
    return int(seq)


def _keep(conn: sqlite3.Connection, notice: int, seq: int, facts: Facts) -> None:
    """The facts of a version, where they are not those of the version before; those of the newest stand in columns of the notice
    too, where lists and routes look."""
    whole = said.dump(facts)
    if conn.execute("SELECT facts FROM notices WHERE id = ?", (notice,)).fetchone()["facts"] == whole:
        return
    conn.execute("UPDATE versions SET facts = ? WHERE notice = ? AND seq = ?", (whole or "{}", notice, seq))
    conn.execute(
        "UPDATE notices SET facts = ?, number = ?, issuers = ?, signed = ?, effective = ?, deadline = ?, due = ?, severity = ?,"
        " cves = ? WHERE id = ?",
        (
            whole,
            facts.number,
            dumps(facts.issuers) if facts.issuers else None,
            when_text(facts.signed),
            when_text(facts.effective),
            when_text(facts.deadline),
            when_text(facts.due),
            facts.severity,
            dumps(facts.cves) if facts.cves else None,
            notice,
        ),
    )


def _files(attachments: tuple[Attachment, ...] | None) -> str | None:
    """The files of a version as they are stored; pictures say that they are."""
    return (
        dumps([[a.url, a.name, a.sha256, *([a.kind] if a.kind != "file" else [])] for a in attachments or ()])
        if attachments
        else None
    )


def _former_files(conn: sqlite3.Connection, notice: int, seq: int) -> str | None:
    row = conn.execute("SELECT attachments FROM versions WHERE notice = ? AND seq = ?", (notice, seq)).fetchone()
    return row["attachments"] if row else None


def _frame_text(conn: sqlite3.Connection, notice: int, seq: int, old: str, new: str) -> None:
    key = frames.is_key(seq) or not new
    frame = frames.pack(old.encode(), None if key else new.encode())
    conn.execute("UPDATE versions SET text = ?, text_key = ? WHERE notice = ? AND seq = ?", (frame, int(key), notice, seq))


def _frame_raw(conn: sqlite3.Connection, notice: int, seq: int, new: bytes) -> None:
    """The raw bytes before become a frame against those of `seq`. Not every version has some: the last one in each run of
    `frames.KEY_EVERY` seqs is the key frame, which is packed against the text of its own version."""
    row = conn.execute(
        "SELECT seq, raw FROM versions WHERE notice = ? AND raw IS NOT NULL ORDER BY seq DESC LIMIT 1", (notice,)
    ).fetchone()
    if row is None or not new or row["seq"] // frames.KEY_EVERY != seq // frames.KEY_EVERY:
        return
    own = text_of(conn, notice, row["seq"]).encode()
    frame = frames.pack(frames.unpack(row["raw"], own), new)
    conn.execute("UPDATE versions SET raw = ?, raw_key = 0 WHERE notice = ? AND seq = ?", (frame, notice, row["seq"]))


def text_of(conn: sqlite3.Connection, notice: int, seq: int) -> str:
    """The text of any version, restored from at most `frames.KEY_EVERY` frames. Raises KeyError where there is none."""
    row = conn.execute("SELECT seq, text FROM notices WHERE id = ?", (notice,)).fetchone()
    if row is None or not 1 <= seq <= row["seq"]:
        raise KeyError((notice, seq))
    chain = conn.execute(
        "SELECT text AS frame, text_key AS key FROM versions WHERE notice = ? AND seq >= ? AND seq < ? ORDER BY seq LIMIT ?",
        (notice, seq, row["seq"], frames.KEY_EVERY),
    ).fetchall()
    stop = _key(chain)
    newest = row["text"].encode() if stop == len(chain) else frames.unpack(chain[stop]["frame"])
    return _restore(chain[:stop], newest).decode()


def raw_of(conn: sqlite3.Connection, notice: int, seq: int) -> bytes | None:
    """The raw bytes that a version was read from; None where it was not read from a page."""
    chain = conn.execute(
        "SELECT seq, raw AS frame, raw_key AS key FROM versions WHERE notice = ? AND seq >= ? AND raw IS NOT NULL ORDER BY seq"
        " LIMIT ?",
        (notice, seq, 2 * frames.KEY_EVERY),
    ).fetchall()
    if not chain or chain[0]["seq"] != seq:
        return None
    stop = _key(chain)
    own = text_of(conn, notice, chain[stop]["seq"]).encode()
    return _restore(chain[:stop], frames.unpack(chain[stop]["frame"], own))


def _key(chain: Sequence[sqlite3.Row]) -> int:
    """The place of the first key frame; the length where there is none."""
    return next((place for place, row in enumerate(chain) if row["key"]), len(chain))


def _restore(chain: Sequence[sqlite3.Row], data: bytes) -> bytes:
    """From what stands behind the chain back to its first frame."""
    for row in reversed(chain):
        data = frames.unpack(row["frame"], data)
    return data


def version(conn: sqlite3.Connection, notice: int, seq: int | None) -> Version | None:
    """One version whole; None for None."""
    if seq is None:
        return None
    row = conn.execute("SELECT * FROM versions WHERE notice = ? AND seq = ?", (notice, seq)).fetchone()
    if row is None:
        raise KeyError((notice, seq))
    return Version(
        notice,
        seq,
        row["fingerprint"],
        row["title"],
        text_of(conn, notice, seq),
        when_from(row["published"]),
        datetime.fromisoformat(row["seen_at"]),
        row["how"],
        files.files_of(conn, notice, seq),
        _facts_of(conn, notice, seq),
    )


def _facts_of(conn: sqlite3.Connection, notice: int, seq: int) -> Facts:
    sql = "SELECT facts FROM versions WHERE notice = ? AND seq <= ? AND facts IS NOT NULL ORDER BY seq DESC LIMIT 1"
    row = conn.execute(sql, (notice, seq)).fetchone()
    return said.load(row["facts"] if row else None)


# --- small facts of one notice


def page_facts(conn: sqlite3.Connection, notice: int, how: str, document: Document) -> None:
    """What a page says beside its text: how it was read, its date where the row has none, where it is from, its record."""
    conn.execute(
        "UPDATE notices SET page_how = ?, page_title = ?, published = coalesce(published, ?), origin = coalesce(?, origin),"
        " record = ? WHERE id = ?",
        (how, document.title, when_text(document.published), document.issuer, dumps(document.labels), notice),
    )


def set_state(conn: sqlite3.Connection, notice: int, state: str, by: str | None, now: datetime) -> None:
    """Present or withdrawn, by its row or by its page."""
    conn.execute(
        "UPDATE notices SET state = ?, gone_by = ?, gone_at = ?, missing = 0 WHERE id = ?",
        (state, by, stamp(now) if by else None, notice),
    )


def list_order(conn: sqlite3.Connection, before: Iterable[int], now: Iterable[int], last_ok: datetime | None) -> None:
    """The notices that stand in the list now. Those that left it keep the moment of the last check that saw them."""
    old, new = set(before), set(now)
    for part in chunks(old - new):
        sql = f"UPDATE notices SET listed = 0, last_seen = coalesce(?, last_seen) WHERE id IN ({marks(part)})"  # noqa: S608 - only question marks are put in
        conn.execute(sql, (stamp(last_ok) if last_ok else None, *part))
    for part in chunks(new - old):
        conn.execute(f"UPDATE notices SET listed = 1 WHERE id IN ({marks(part)})", part)  # noqa: S608 - only question marks are put in


def elsewhere(conn: sqlite3.Connection, source: str) -> None:
    """The source has another address: that they are not in its catalogue says nothing, until they were seen there."""
    conn.execute("UPDATE notices SET missing = ? WHERE source = ? AND state = 'present'", (ELSEWHERE, source))


def seen_again(conn: sqlite3.Connection, ids: Iterable[int]) -> None:
    """They are in the list: nothing is missing, and it is their list."""
    for part in chunks(ids):
        conn.execute(f"UPDATE notices SET missing = 0 WHERE missing <> 0 AND id IN ({marks(part)})", part)  # noqa: S608 - only question marks are put in


def first_seen(row: sqlite3.Row) -> datetime:
    """When a notice was first seen."""
    found = moment(row["first_seen"])
    assert found is not None
    return found
