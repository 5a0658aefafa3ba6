"""Files: the bytes of attachments and pictures by their hash, their texts, and the words that OCR found in them. It reads none.

Equal bytes are stored and read once, whichever notices have them. A text is not a version: versions name hashes, and what a hash
says is looked up.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.model import Attachment, FileText, Purpose, Version
from monitor.store import readings
from monitor.store.database import dumps, stamp

#: The address of a reading that works a stored file's text out: this and the file's hash. It asks no host.
TEXT = "text:"


def keep_blob(conn: sqlite3.Connection, sha256: str, data: bytes, now: datetime) -> None:
    """A file's bytes, once for all notices that have them."""
    conn.execute(
        "INSERT INTO blobs (sha256, bytes, at, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (sha256, len(data), stamp(now), data),
    )


def blob(conn: sqlite3.Connection, sha256: str) -> bytes | None:
    """The bytes of that hash, or None."""
    row = conn.execute("SELECT data FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
    return row["data"] if row else None


def any_blob(conn: sqlite3.Connection) -> bool:
    """Whether any file is stored."""
    return conn.execute("SELECT 1 FROM blobs LIMIT 1").fetchone() is not None


def has_blob(conn: sqlite3.Connection, sha256: str) -> bool:
    """Whether the file of that hash is stored."""
    return conn.execute("SELECT 1 FROM blobs WHERE sha256 = ?", (sha256,)).fetchone() is not None


def name_this(conn: sqlite3.Connection, notice: int, url: str, sha256: str, size: int, media_type: str) -> None:
    """These bytes now lie at that address of the notice. Where nothing was known of them, its newest version had them, too."""
    conn.execute(
        "UPDATE attachments SET sha256 = ?, bytes = ?, media_type = ? WHERE notice = ? AND url = ?",
        (sha256, size, media_type, notice, url),
    )
    newest = "notice = ? AND seq = (SELECT seq FROM notices WHERE id = ?)"
    row = conn.execute(f"SELECT attachments FROM versions WHERE {newest}", (notice, notice)).fetchone()  # noqa: S608 - fixed text
    listed = json.loads(row["attachments"] or "[]") if row else []
    for one in listed:
        if one[0] == url and one[2] is None:
            one[2] = sha256
            conn.execute(f"UPDATE versions SET attachments = ? WHERE {newest}", (dumps(listed), notice, notice))  # noqa: S608
            return


def former(conn: sqlite3.Connection, notice: int, url: str) -> set[str]:
    """The hashes that lay at that address in former versions of the notice."""
    rows = conn.execute("SELECT attachments FROM versions WHERE notice = ? AND attachments IS NOT NULL", (notice,))
    return {one[2] for row in rows for one in json.loads(row["attachments"]) if one[0] == url and one[2]}


# --- texts


def keep_text(conn: sqlite3.Connection, sha256: str, found: FileText) -> None:
    """What a stored file says, in place of what was known of it."""
    conn.execute(
        "INSERT INTO texts (sha256, kind, reader, scans, pages, problem, text) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (sha256) DO UPDATE SET kind = excluded.kind, reader = excluded.reader, scans = excluded.scans,"
        " pages = excluded.pages, problem = excluded.problem, text = excluded.text",
        (sha256, found.kind, found.reader, len(found.scans), found.pages, found.problem, found.text),
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a file's text; `scans` is how many pictures it has."""

    kind: str
    reader: str
    scans: int
    problem: str | None
    text: str


def text_of(conn: sqlite3.Connection, sha256: str | None) -> Known | None:
    """The text of a stored file; None where it has not been read."""
    row = conn.execute("SELECT * FROM texts WHERE sha256 = ?", (sha256,)).fetchone()
    return Known(row["kind"], row["reader"], row["scans"], row["problem"], row["text"]) if row else None


def with_texts(conn: sqlite3.Connection, files: Iterable[Attachment]) -> tuple[Attachment, ...]:
    """The same files with what they say, or why they say nothing, as far as either is known."""
    found = []
    for one in files:
        known = text_of(conn, one.sha256)
        found.append(one if known is None else replace(one, text=known.text, problem=known.problem))
    return tuple(found)


def version_with_texts(conn: sqlite3.Connection, version: Version | None) -> Version | None:
    """The version with the texts of its files."""
    return version and replace(version, attachments=with_texts(conn, version.attachments))


def words_of(conn: sqlite3.Connection, sha256: str, engine: str | None) -> dict[int, str]:
    """What the engine recognised in a file's pictures, by their numbers."""
    rows = conn.execute("SELECT scan, page FROM words WHERE sha256 = ? AND engine = ?", (sha256, engine))
    return {row["scan"]: row["page"] for row in rows}


def keep_words(conn: sqlite3.Connection, sha256: str, engine: str, scan: int, page: str) -> None:
    """What the engine recognised in one picture of a file."""
    conn.execute("INSERT OR REPLACE INTO words (sha256, engine, scan, page) VALUES (?, ?, ?, ?)", (sha256, engine, scan, page))


# --- what is still to be read


def want_text(conn: sqlite3.Connection, source: str, notice: int, sha256: str, why: str, now: datetime) -> None:
    """Have a stored file's text worked out, unless it is waiting for that already. `why`: first | reread."""
    url = TEXT + sha256
    if conn.execute("SELECT 1 FROM readings WHERE url = ? AND due_at IS NOT NULL", (url,)).fetchone() is None:
        readings.want(conn, source, notice, url, Purpose.TEXT, why, now)


def want_stale(conn: sqlite3.Connection, is_stale: Callable[[Known | None], bool], now: datetime) -> int:
    """Have those stored files read again that would be read differently now; their number."""
    rows = conn.execute(
        "SELECT b.sha256, t.kind, t.reader, t.scans, t.problem FROM blobs b LEFT JOIN texts t USING (sha256)"
    ).fetchall()
    stale = [row["sha256"] for row in rows if is_stale(_known(row))]
    if stale:
        owners = _owners(conn)
        for sha256 in stale:
            if sha256 in owners:
                want_text(conn, *owners[sha256], sha256, "reread", now)
    return len(stale)


def _known(row: sqlite3.Row) -> Known | None:
    return Known(row["kind"], row["reader"], row["scans"], row["problem"], "") if row["kind"] is not None else None


def _owners(conn: sqlite3.Connection) -> Mapping[str, tuple[str, int]]:
    """For each file, a source and a notice that has it or had it."""
    rows = conn.execute(
        "SELECT v.attachments, n.source, n.id FROM versions v JOIN notices n ON n.id = v.notice WHERE v.attachments IS NOT NULL"
    )
    found = {one[2]: (row["source"], row["id"]) for row in rows for one in json.loads(row["attachments"]) if one[2]}
    now = conn.execute(
        "SELECT a.sha256, n.source, n.id FROM attachments a JOIN notices n ON n.id = a.notice WHERE a.sha256 IS NOT NULL"
    )
    return found | {row["sha256"]: (row["source"], row["id"]) for row in now}


def notices_with(conn: sqlite3.Connection, sha256: str) -> list[int]:
    """The notices that have this file now."""
    return [row["notice"] for row in conn.execute("SELECT DISTINCT notice FROM attachments WHERE sha256 = ?", (sha256,))]


def unheard(conn: sqlite3.Connection, notice: int) -> bool:
    """Whether a picture of the notice is still to be fetched or read for the first time; one that could not be had is not."""
    row = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM readings r WHERE r.notice = ?1 AND r.purpose = 'picture' AND r.why = 'first'"
        " AND r.read_at IS NULL AND r.attempts = 0 AND r.due_at IS NOT NULL) OR EXISTS (SELECT 1 FROM readings r"
        " WHERE r.purpose = 'text' AND r.why = 'first' AND r.attempts = 0 AND r.due_at IS NOT NULL AND r.url IN"
        " (SELECT ?2 || sha256 FROM attachments WHERE notice = ?1 AND kind = 'picture'))",
        (notice, TEXT),
    ).fetchone()
    return bool(row[0])


def drop_unnamed(conn: sqlite3.Connection) -> None:
    """Delete the files that no version of any notice names any more."""
    named = set(_owners(conn))
    for row in conn.execute("SELECT sha256 FROM blobs").fetchall():
        if row["sha256"] not in named:
            conn.execute("DELETE FROM blobs WHERE sha256 = ?", (row["sha256"],))


def attach(conn: sqlite3.Connection, notice: int, attachments: Iterable[Attachment], now: datetime) -> None:
    """The files that a notice links to and the pictures that it shows; those that it no longer has are marked gone."""
    urls_ = []
    for place, one_ in enumerate(attachments):
        urls_.append(one_.url)
        conn.execute(
            "INSERT INTO attachments (notice, url, name, media_type, first_seen, kind, place) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (notice, url) DO UPDATE SET name = excluded.name, kind = excluded.kind, place = excluded.place,"
            " gone = 0",
            (notice, one_.url, one_.name, one_.media_type, stamp(now), one_.kind, place),
        )
    for row in conn.execute("SELECT id, url FROM attachments WHERE notice = ? AND NOT gone", (notice,)).fetchall():
        if row["url"] not in urls_:
            conn.execute("UPDATE attachments SET gone = 1 WHERE id = ?", (row["id"],))


def attachments_of(conn: sqlite3.Connection, notice: int) -> tuple[Attachment, ...]:
    """The files that a notice links to now, then the pictures that it shows, in the page's order."""
    rows = conn.execute("SELECT * FROM attachments WHERE notice = ? AND NOT gone ORDER BY kind, place, id", (notice,))
    return tuple(
        Attachment(row["url"], row["name"], row["media_type"], row["sha256"], row["bytes"], kind=row["kind"]) for row in rows
    )


def known_files(conn: sqlite3.Connection, notice: int, files: Iterable[Attachment]) -> tuple[Attachment, ...]:
    """The same files with what is known of their bytes from former looks."""
    known = {row["url"]: row for row in conn.execute("SELECT url, sha256, bytes FROM attachments WHERE notice = ?", (notice,))}
    return tuple(
        replace(one, sha256=known[one.url]["sha256"], size=known[one.url]["bytes"])
        if one.sha256 is None and one.url in known
        else one
        for one in files
    )


def files_of(conn: sqlite3.Connection, notice: int, seq: int) -> tuple[Attachment, ...]:
    """The files and pictures of one version."""
    row = conn.execute("SELECT attachments FROM versions WHERE notice = ? AND seq = ?", (notice, seq)).fetchone()
    found = listed(row["attachments"] if row else None)
    return tuple(Attachment(url, name, sha256=sha, kind=kind or "file") for url, name, sha, kind in found)


def listed(files: str | None) -> Iterable[tuple[str, str, str | None, str | None]]:
    for url, name, sha256, *kind in json.loads(files or "[]"):
        yield url, name, sha256, kind[0] if kind else None
