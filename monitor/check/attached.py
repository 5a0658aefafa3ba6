"""Loop 1: the bytes of an attachment or picture inside their transaction: kept, compared with those before, told where they are
others. What they say was worked out before (`texts`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor import decide
from monitor.check import texts
from monitor.check.desk import Desk
from monitor.check.prepared import Prepared
from monitor.check.texts import Brought
from monitor.model import Attachment, Kind, Purpose, Reading, Source
from monitor.store import candidates, changes, doubts, files, notices, terms
from monitor.store.database import Connection


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the bytes: `act` and `reason` as decided; `told` are the changes that routes must see."""

    act: str
    reason: str
    told: tuple[int, ...] = ()


def settle(
    conn: Connection,
    desk: Desk,
    source: Source,
    reading: Reading,
    found: Brought,
    media_type: str,
    now: datetime,
    reads: Prepared,
) -> Settled:
    """Keep what is new and say what it means."""
    notice, url = reading.notice, reading.url
    file = next((one for one in files.attachments_of(conn, notice) if one.url == url), None)
    if file is None:
        return Settled("same", "no longer linked to")
    before = found.before if file.sha256 is not None and found.before and found.before.sha256 == file.sha256 else None
    aspect = f"file {url}"
    verdict = decide.judge_file(
        found.now,
        before or (decide.Bytes(file.sha256, "") if file.sha256 else None),  # others came meanwhile
        picture=reading.purpose is Purpose.PICTURE,
        former=files.former(conn, notice, url) - {file.sha256},
        doubted=doubts.of(conn, notice, aspect),
    )
    if verdict.act == "doubt":
        doubts.keep(conn, notice, aspect, found.sha256, now)
    elif verdict.act != "fault":
        doubts.settle(conn, notice, aspect)
    if verdict.act in ("first", "alike", "replaced"):
        files.keep_blob(conn, found.sha256, found.data, now)
        files.name_this(conn, notice, url, found.sha256, len(found.data), media_type)
    for sha256, text in found.fresh.items():
        if files.has_blob(conn, sha256):
            files.keep_text(conn, sha256, text)
    if verdict.act in ("first", "replaced"):
        texts.want(conn, desk, reading, found)
    if verdict.act in ("first", "alike", "replaced"):
        index(conn, notice, reads)
    if verdict.act == "first":
        return Settled("first", verdict.reason, tuple(texts.again(conn, notice)) if found.now.text else ())
    if verdict.act in ("alike", "replaced"):
        return _replaced(conn, source, reading, found, file, verdict, now, reads)
    return Settled(verdict.act, verdict.reason)


def index(conn: Connection, notice: int, reads: Prepared) -> None:
    """A notice's files say something else: search finds it by that, and other copies of the same files find it."""
    terms.keep(conn, notice, reads)
    if reads.copied:
        candidates.keep(conn, notice, reads)


def _replaced(
    conn: Connection,
    source: Source,
    reading: Reading,
    found: Brought,
    before: Attachment,
    verdict: decide.FileVerdict,
    now: datetime,
    reads: Prepared,
) -> Settled:
    """Other bytes at the same address: a version; and, unless they say the same words, a change."""
    notice = reading.notice
    state = notices.State(
        reason="attachment" if verdict.act == "replaced" else "reread",
        how=f"attachment:{source.how}",
        attachments=files.attachments_of(conn, notice),
    )
    seq = notices.push(conn, notice, state, now, reads)
    if verdict.act == "alike":
        return Settled(verdict.act, verdict.reason)
    what = f"{verdict.reason} replaced: {before.name}" if verdict.reason == "attachment" else f"picture {before.name} replaced"
    change = changes.insert(
        conn,
        Kind.REVISED,
        now,
        reason=verdict.reason,
        source=source.id,
        notice=notice,
        before=seq - 1,
        after=seq,
        detail=f"{what}, {before.size} bytes, sha256 {before.sha256} → {len(found.data)} bytes, sha256 {found.sha256}",
    )
    return Settled(verdict.act, verdict.reason, (change,))
