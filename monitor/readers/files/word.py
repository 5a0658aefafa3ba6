"""The reader of what Word wrote before 2007, and WPS writes as wps: its text, in the order of its pieces, tables as rows `a | b`.

The layout is [MS-DOC]: a header (FIB) names a table of pieces; paragraph properties say which marks end a row. Text that was
struck out while changes were tracked is not told apart, nor are numbers that lists put before paragraphs there.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from io import BytesIO

from monitor.readers.files.nouns import Unreadable

#: The first version of the format that has pieces of Unicode (Word 97).
_WORD_97, _WORD_6 = 0x00C1, 0xA5DC
_ENCRYPTED, _TABLE_1 = 0x0100, 0x0200
_CLX, _PAPX, _COUNTS = 0x1A2, 0x102, 0x4C
_IN_TABLE, _ROW_END = 0x2416, 0x2417
_OPERANDS = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}
#: Ends of a cell, of a row (by its properties), of a paragraph in a cell.
_CELL, _END, _INNER = "\x07", "\x1c", "\x1d"
_MARK = re.compile("[\r\x07]")
_FIELD = re.compile(r"\x13([^\x13\x14\x15]*)(?:\x14([^\x13\x14\x15]*))?\x15")
_BROKEN = (struct.error, IndexError, ValueError, OSError, KeyError, UnicodeDecodeError, MemoryError)


class Older(Unreadable):
    """A document that only other programs can read."""


def read(data: bytes) -> str:
    """The text. Raises Unreadable; Older where another program may still read it."""
    import olefile

    try:
        with olefile.OleFileIO(BytesIO(data)) as file:
            main = file.openstream("WordDocument").read()
            magic, version = struct.unpack_from("<HH", main)
            (flags,) = struct.unpack_from("<H", main, 0x0A)
            if (magic == 0xA5EC and version < _WORD_97) or magic == _WORD_6:
                raise Older("was written by a Word of before 1997")
            if magic != 0xA5EC:
                raise ValueError("no header")
            if flags & _ENCRYPTED:
                raise Unreadable("is encrypted and asks for a password")
            table = file.openstream("1Table" if flags & _TABLE_1 else "0Table").read()
        return _lines(_text(main, table))
    except Unreadable:
        raise
    except _BROKEN:
        raise Older("is no whole Word document: it was cut off, or is damaged") from None


def _text(main: bytes, table: bytes) -> str:
    """The text, then notes and what stands in frames; the mark that ends a table's row is told from one that ends a cell."""
    counts = struct.unpack_from(
        "<8i", main, _COUNTS
    )  # text, notes, headers, macros, remarks, end notes, frames, frames of headers
    stops = _paragraphs(main, table)
    out: list[str] = []
    for at, size, wide in _pieces(main, table):
        step = 2 if wide else 1
        raw = main[at : at + size * step]
        said = raw.decode("utf-16-le", "replace") if wide else raw.decode("cp1252", "replace")
        if stops:
            said = _MARK.sub(lambda mark, at=at, step=step: _told(mark, stops.get(at + mark.end() * step, frozenset())), said)  # type: ignore[misc]
        out.append(said)
    whole = "".join(out)
    text, notes, headers, macros, remarks, ends, frames, _ = (max(count, 0) for count in counts)
    after = text + notes + headers + macros + remarks
    return "\r".join(
        (whole[:text], whole[text : text + notes], whole[after : after + ends], whole[after + ends : after + ends + frames])
    )


def _told(mark: re.Match[str], properties: frozenset[int]) -> str:
    """The mark at the end of a paragraph that has these properties."""
    if mark[0] == _CELL:
        return _END if _ROW_END in properties else _CELL
    return _INNER if _IN_TABLE in properties else mark[0]


def _pieces(main: bytes, table: bytes) -> Iterator[tuple[int, int, bool]]:
    """Each piece: where it stands in the stream, how many characters it has, and whether they have two bytes each."""
    at, size = struct.unpack_from("<II", main, _CLX)
    end = at + size
    while at < end and table[at] == 1:
        at += 3 + int.from_bytes(table[at + 1 : at + 3], "little")
    if at >= end or table[at] != 2:
        raise ValueError("no pieces")
    (size,) = struct.unpack_from("<I", table, at + 1)
    count = (size - 4) // 12
    starts = struct.unpack_from(f"<{count + 1}I", table, at + 5)
    for number in range(count):
        (where,) = struct.unpack_from("<I", table, at + 5 + 4 * (count + 1) + 8 * number + 2)
        narrow = bool(where & 0x4000_0000)
        where &= 0x3FFF_FFFF
        yield where // 2 if narrow else where, starts[number + 1] - starts[number], not narrow


def _paragraphs(main: bytes, table: bytes) -> dict[int, frozenset[int]]:
    """Where paragraphs stop that stand in a table, and which of `_IN_TABLE` and `_ROW_END` they are."""
    at, size = struct.unpack_from("<II", main, _PAPX)
    count = max((size - 4) // 8, 0)
    found: dict[int, frozenset[int]] = {}
    for page in struct.unpack_from(f"<{count}I", table, at + 4 * (count + 1)):
        block = main[512 * (page & 0x3FFFFF) :][:512]
        if len(block) < 512:
            continue
        runs = block[511]
        stops = struct.unpack_from(f"<{runs + 1}I", block)
        for run in range(runs):
            where = 2 * block[4 * (runs + 1) + 13 * run]
            if where and (properties := frozenset(_set(_properties(block, where)))):
                found[stops[run + 1]] = properties
    return found


def _properties(block: bytes, at: int) -> bytes:
    """A paragraph's properties, without the number of its style."""
    if block[at]:
        return block[at + 3 : at + 2 * block[at]]
    return block[at + 4 : at + 2 + 2 * block[at + 1]]


def _set(properties: bytes) -> Iterator[int]:
    """Which of the two properties are set."""
    at = 0
    while at + 3 <= len(properties):
        (code,) = struct.unpack_from("<H", properties, at)
        at += 2
        if code in (_IN_TABLE, _ROW_END) and properties[at] == 1:
            yield code
        size = _OPERANDS.get(code >> 13)
        if size is None:
            size = 1 + properties[at] if code != 0xD608 else 1 + int.from_bytes(properties[at : at + 2], "little")
        at += size


def _lines(text: str) -> str:
    """Marks become lines and rows; of a field, what it shows."""
    for _ in range(5):  # fields stand in fields
        text, changed = _FIELD.subn(lambda found: "" if "PAGEREF" in found[1] else found[2] or "", text)
        if not changed:
            break
    text = text.replace("\x1e", "-").replace("\x0b", "\n").replace("\x0c", "\n")
    if _END not in text and _CELL in text:  # no properties: two marks in a row end a row
        text = text.replace(_CELL * 2, _CELL + _END)
    out: list[str] = []
    for part in text.split(_END):
        head, cells = _cells(part)
        out += head
        if any(cells):
            out.append(" | ".join(cells) if len(cells) > 1 else cells[0])
    return "\n".join(out)


def _cells(part: str) -> tuple[list[str], list[str]]:
    """What stands before a row, paragraph by paragraph, and the row's cells, each with its own paragraphs on one line."""
    if _CELL not in part:
        return part.replace(_INNER, "\r").split("\r"), []
    above, _, row = part.rpartition("\r")
    cells = [" ".join(cell.replace(_INNER, " ").replace("|", "｜").split()) for cell in row.split(_CELL)[:-1]]
    return above.replace(_INNER, "\r").replace(_CELL, " ").split("\r") if above else [], cells
