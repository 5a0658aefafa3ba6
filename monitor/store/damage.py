"""Whether a database file is whole, and what to do where it is not: SQLite's word, the newest sound copy beside it, the commands
that put it in place. It only reads."""

from __future__ import annotations

import contextlib
import shlex
import sqlite3
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

from monitor.store import schema

#: So long (seconds) a start, and what has met damage, look for it; a large file is then looked at in part.
AT_START, THEN = 0.5, 10.0
#: A write-ahead log above this (bytes) is not read frame by frame: that would take seconds. It has 4 MB where all is well.
LONGEST_LOG = 16 * 1024 * 1024
#: So many copies beside the file are looked at, newest first.
COPIES = 20

_HEADER, _FRAME = struct.Struct(">8I"), struct.Struct(">6I")
_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}
Sums = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong, in SQLite's words or ours; `log`: it is the write-ahead log, not the file."""

    words: str
    log: bool = False


def speaks_of_damage(said: str) -> bool:
    """Whether SQLite's words say that the file itself is not what it should be."""
    words = ("image is malformed", "malformed database schema", "file is not a database", "unsupported file format")
    return any(word in said for word in words)


def find(path: Path, seconds: float) -> Damage | None:
    """What is wrong with a database and its log; None where nothing was found within `seconds`, or there is no such file."""
    if not path.is_file():
        return None
    words = log_damage(path)
    return Damage(words, log=True) if words else _of(_quick_check(path, "mode=ro", seconds))


def _of(words: str | None) -> Damage | None:
    return Damage(words) if words else None


def _quick_check(path: Path, how: str, seconds: float) -> str | None:
    """What SQLite's quick check finds in `seconds`; None for nothing."""
    try:
        conn = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)
        timer = threading.Timer(seconds, conn.interrupt)
        try:
            timer.start()
            found = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            timer.cancel()
            timer.join()
            conn.close()
    except sqlite3.DatabaseError as error:
        return str(error) if speaks_of_damage(str(error)) else None
    return None if found == "ok" else " ".join(found.replace("*** in database main ***", "").split())


# --- the write-ahead log


def log_damage(path: Path) -> str | None:
    """What of the log cannot be as it is, wherever the power failed: SQLite would pass over it in silence, and with it over what
    was committed. A last transaction that is not whole is no damage: it was never synced, so nobody was told of it."""
    log = path.with_name(path.name + "-wal")
    with contextlib.suppress(OSError):
        size = log.stat().st_size
        if size <= _HEADER.size + _FRAME.size:
            return None  # not begun
        with log.open("rb") as stream:
            head = stream.read(_HEADER.size)
            order = _MAGIC.get(_HEADER.unpack(head)[0])
            if order is None or _sums(head[:24], (0, 0), order) != _HEADER.unpack(head)[6:]:
                return "the header of its write-ahead log is not SQLite's"
            if size <= LONGEST_LOG:
                return _frames_damage(head, stream.read(), order)
    return None


def _frames_damage(head: bytes, rest: bytes, order: str) -> str | None:
    """A frame that does not follow from those before it, though a whole transaction that was written later stands behind it."""
    size = _FRAME.size + _HEADER.unpack(head)[2]
    frames = [rest[at : at + size] for at in range(0, len(rest) - size + 1, size)]
    salts = head[16:24]
    broken, _ = _follow(frames, 0, _HEADER.unpack(head)[6:], salts, order)
    place = broken
    while place < len(frames) and frames[place][8:16] == salts:
        _, commit, *_, one, other = _FRAME.unpack(frames[place][: _FRAME.size])
        if commit and _follow(frames, place + 1, (one, other), salts, order)[1]:
            return f"frame {broken + 1} of its write-ahead log is damaged, and others stand behind it"
        place += 1
    return None


def _follow(frames: list[bytes], start: int, sums: Sums, salts: bytes, order: str) -> tuple[int, bool]:
    """Where the first frame stands that does not follow from those before it, and whether a commit stands before that."""
    committed = False
    for place in range(start, len(frames)):
        frame = frames[place]
        _, commit, *_, one, other = _FRAME.unpack(frame[: _FRAME.size])
        sums = _sums(frame[_FRAME.size :], _sums(frame[:8], sums, order), order)
        if frame[8:16] != salts or sums != (one, other):
            return place, committed
        committed = committed or commit > 0
    return len(frames), committed


def _sums(data: bytes, sums: Sums, order: str) -> Sums:
    """The log's running checksum."""
    one, other = sums
    words = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for first, second in zip(words, words, strict=True):
        one = (one + first + other) & 0xFFFFFFFF
        other = (other + second + one) & 0xFFFFFFFF
    return one, other


# --- what to do


def advice(path: Path, found: Damage) -> str:
    """The sentence for a person: what is wrong, that nothing was changed, which commands put the newest sound copy in place."""
    said = f"{path} is damaged: {found.words}. It was left as it is. Stop monitor"
    if found.log and _quick_check(path, "mode=ro&immutable=1", THEN) is None:
        said += f"; the file without its log is sound: to go on from what it holds: {_aside(path, ['-wal', '-shm'])}"
        said += "; what came since is found again and told again"
    copy = sound_copy(path)
    if copy is None:
        return said + f". There is no sound copy beside it: restore a backup from elsewhere, or begin anew: {_aside(path)}"
    what = f". The newest sound copy beside it is {copy.relative_to(path.parent)}"
    return f"{said}{what}: to go on from it: {_aside(path)} && {_restore(copy, path)}"


def _aside(path: Path, endings: list[str] | None = None) -> str:
    """The command that keeps the sick files; `endings`: of those alone."""
    files = [path.with_name(path.name + ending) for ending in (endings or ["", "-wal", "-shm"])]
    there = [file for file in files if file.exists()]
    return " && ".join(f"mv -n {shlex.quote(str(file))} {shlex.quote(str(file) + '.damaged')}" for file in there)


def _restore(copy: Path, path: Path) -> str:
    return f"cp -pn {shlex.quote(str(copy))} {shlex.quote(str(path))}"


def sound_copy(path: Path) -> Path | None:
    """The newest sound copy in the same folder or in one inside it, under whatever name: `Store.backup` makes them, before a new
    schema too."""
    dated: list[tuple[float, Path]] = []
    with contextlib.suppress(OSError):
        beside = list(path.parent.iterdir())
        inside = [file for folder in beside if "backup" in folder.name and folder.is_dir() for file in folder.iterdir()]
        for file in [*beside, *inside]:
            if file.name != path.name and not file.name.endswith((".part", ".damaged")) and _is_copy(file):
                dated.append((file.stat().st_mtime, file))
    for _, file in sorted(dated, reverse=True)[:COPIES]:
        if _quick_check(file, "mode=ro&immutable=1", THEN) is None:
            return file
    return None


def _is_copy(file: Path) -> bool:
    """Whether it was made as a copy: SQLite's file of ours, of a schema that is known, and not in use (no write-ahead log)."""
    try:
        if not file.is_file():
            return False
        with file.open("rb") as stream:
            head = stream.read(72)
    except OSError:
        return False
    if len(head) < 72 or not head.startswith(b"SQLite format 3\0") or head[18] != 1:
        return False
    version, application = struct.unpack(">I", head[60:64])[0], struct.unpack(">I", head[68:72])[0]
    return bool(application == schema.APPLICATION_ID and 0 < version <= schema.VERSION)
