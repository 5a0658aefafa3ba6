"""Loop 1: the texts of files. What a file says is worked out before the transaction that stores it; words in pictures, which take
long, in readings of their own, which hold a message only where its page hardly says anything else. It judges nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from time import monotonic
from urllib.parse import unquote, urlsplit

from monitor import documents
from monitor.check.desk import Desk
from monitor.check.prepared import Prepared
from monitor.decide import Bytes, scanty
from monitor.model import Attachment, FileText, Kind, Purpose, Reading, Scan
from monitor.store import changes, files, notices, readings, terms
from monitor.store.database import Connection
from monitor.store.files import Known
from monitor.tell import tell

#: Seconds after which a reading of pictures stops and goes on later: whoever stops the daemon waits no longer.
SLICE = 15.0
#: A picture of more strips than this is not waited for.
MOST_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class Brought:
    """The bytes that a look brought, and what they and those before them say. `fresh` are texts that are not stored yet."""

    sha256: str
    data: bytes
    now: Bytes
    before: Bytes | None
    fresh: Mapping[str, FileText]

    @property
    def unread(self) -> bool:
        """Whether there are pictures in it whose words are still to be recognised."""
        found = self.fresh.get(self.sha256)
        return found is not None and bool(found.scans) and not documents.is_whole(found.reader)


def brought(desk: Desk, reading: Reading, data: bytes, sha256: str) -> Brought | None:
    """Work out what the bytes say, outside of any transaction; None where the notice no longer has such a file."""
    with desk.store.read() as conn:
        file = next((one for one in files.attachments_of(conn, reading.notice) if one.url == reading.url), None)
    if file is None:
        return None
    changed = file.sha256 not in (None, sha256)
    working = _Working(desk, file, words=changed and reading.purpose is Purpose.PICTURE)
    now = working.bytes_of(sha256, data)
    before = None
    if file.sha256 is not None:
        before = working.bytes_of(file.sha256, None) if changed else now
    return Brought(sha256, data, now, before, working.fresh)


class _Working:
    """One file and the texts that are worked out for it. `words`: with those of its pictures, since whether it changed at all is
    to be told by them."""

    def __init__(self, desk: Desk, file: Attachment, *, words: bool) -> None:
        self.desk, self.name = desk, file_name(file)
        self.engine = documents.engine(desk.config.ocr)
        self.with_words = words and self.engine is not None
        self.fresh: dict[str, FileText] = {}

    def bytes_of(self, sha256: str, data: bytes | None) -> Bytes:
        """What a file says, as it is stored, or read now where it would be read otherwise than it was."""
        with self.desk.store.read() as conn:
            known = files.text_of(conn, sha256)
            if known is not None and not _stale(known, self.engine if self.with_words else None):
                return Bytes(sha256, known.kind, known.text, bool(known.scans), known.problem)
            words = files.words_of(conn, sha256, self.engine)
            data = files.blob(conn, sha256) if data is None else data
        found = documents.read(data or b"", self.name, words, self.engine)
        if self.with_words and self.engine and 0 < len(found.scans) <= MOST_AT_ONCE:
            _recognise(self.desk, sha256, data or b"", self.name, found.scans, words, self.engine, None)
            found = documents.read(data or b"", self.name, words, self.engine)
        self.fresh[sha256] = found
        return Bytes(sha256, found.kind, found.text, bool(found.scans), found.problem)


def file_name(file: Attachment) -> str:
    """A name with what follows its full stop: the link's own, or the address's."""
    own = unquote(PurePosixPath(urlsplit(file.url).path).name)
    return file.name if "." in file.name or "." not in own else own


def _stale(known: Known | None, engine: str | None) -> bool:
    """Whether a stored text would be read otherwise now."""
    return known is None or documents.is_stale(known.kind, known.reader, known.scans, engine)


def want_stale(desk: Desk) -> int:
    """At start: have stored files read again that would be read otherwise now, one by one and behind all else; their number."""
    with desk.store.read() as conn:
        if not files.any_blob(conn):
            return 0
    engine = documents.engine(desk.config.ocr)
    with desk.store.write() as conn:
        return files.want_stale(conn, lambda known: _stale(known, engine), desk.now())


# --- readings of stored files


def work_out(desk: Desk, reading: Reading) -> bool:
    """Read a stored file, as far as its pictures fit into a slice of time; whether it is done. Raises StoreError."""
    sha256 = reading.url.removeprefix(files.TEXT)
    engine = documents.engine(desk.config.ocr)
    with desk.store.read() as conn:
        data, words = files.blob(conn, sha256), files.words_of(conn, sha256, engine)
        name = _name_of(conn, reading.notice, sha256)
    if data is None:
        found = None
    else:
        found = documents.read(data, name, words, engine)
        if engine is not None and found.scans:
            _recognise(desk, sha256, data, name, found.scans, words, engine, SLICE)
            found = documents.read(data, name, words, engine)
    rest = found is not None and engine is not None and any(scan.number not in words for scan in found.scans)
    with desk.store.write() as conn:
        now = desk.now()
        if found is not None and (files.text_of(conn, sha256) is None or not rest):
            files.keep_text(conn, sha256, found)
        if rest:
            readings.done(conn, reading.id, now, why=reading.why, next_at=now + timedelta(seconds=1), validators=None)
            return False
        readings.drop(conn, reading.id)
        for notice in files.notices_with(conn, sha256) if reading.why == "first" else ():
            said = found is not None and bool(found.text)
            if said:
                terms.keep(conn, notice, Prepared(desk.config.bodies))
            tell(conn, desk.config, [*(again(conn, notice) if said else ()), *heard(conn, desk, notice)], now)
    return True


def _name_of(conn: Connection, notice: int, sha256: str) -> str:
    file = next((one for one in files.attachments_of(conn, notice) if one.sha256 == sha256), None)
    return file_name(file) if file is not None else ""


def _recognise(
    desk: Desk,
    sha256: str,
    data: bytes,
    name: str,
    scans: tuple[Scan, ...],
    words: dict[int, str],
    engine: str,
    seconds: float | None,
) -> None:
    """The words of pictures that are not known yet, each kept at once, until `seconds` are used up."""
    until = None if seconds is None else monotonic() + seconds
    for scan in scans:
        if scan.number in words:
            continue
        words[scan.number] = documents.recognise(data, name, scan, engine)
        with desk.store.write() as conn:
            if files.has_blob(conn, sha256):  # not yet where the words are to say whether it is kept at all
                files.keep_words(conn, sha256, engine, scan.number, words[scan.number])
        if until is not None and monotonic() > until:
            return


def again(conn: Connection, notice: int) -> list[int]:
    """The change that told the notice as new, for the routes to see it with more words than before; none while it is held."""
    change = changes.new_of(conn, notice)
    return [change.id] if change is not None and change.silence != changes.HELD and change.kind is Kind.NEW else []


def awaited(conn: Connection, desk: Desk, notice: int) -> bool:
    """Whether a message waits for the words of pictures: there is hardly any other text, and they are on their way."""
    row = notices.row(conn, notice)
    shown = sum(one.kind == "picture" for one in files.attachments_of(conn, notice))
    wanted = row is not None and shown and scanty(row["text"], shown) and documents.engine(desk.config.ocr) is not None
    return bool(wanted) and files.unheard(conn, notice)


def heard(conn: Connection, desk: Desk, notice: int) -> list[int]:
    """The change that was held for the words of pictures, once these are known or cannot be had."""
    change = changes.new_of(conn, notice)
    held = change is not None and change.silence == changes.HELD
    return [change.id] if change is not None and held and not awaited(conn, desk, notice) else []


def want(conn: Connection, desk: Desk, reading: Reading, found: Brought) -> None:
    """Have the words of its pictures recognised, where there is an engine."""
    if found.unread and documents.engine(desk.config.ocr) is not None:
        files.want_text(conn, reading.source, reading.notice, found.sha256, "first", desk.now())
