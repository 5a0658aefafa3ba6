"""The reader of PDF: pdfium's characters with their places, page by page; pypdf where pdfium finds nothing.

A page without words but with pictures is a scan, and so is one whose fonts do not say which characters they show. It recognises
no words in pictures; `picture` gives a page to who does.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import pairwise
from typing import Any

from monitor.readers.files.align import aligned
from monitor.readers.files.flow import flow
from monitor.readers.files.grid import Edge, Table, tables
from monitor.readers.files.nouns import Line, Page, Unreadable
from monitor.readers.files.radicals import unified

#: Pages beyond this are not read.
MOST_PAGES = 2000
#: A page is shown to OCR at so many dots an inch, but with no more pixels than this.
DPI, MOST_PIXELS = 200, 12_000_000
#: Where more of a page's characters than this are not known, its words are what its picture shows.
_UNKNOWN = 0.2
#: pdfium's signs for a word that is divided at a line's end; dots that lead from a title to its page.
_DIVIDED, _LEADERS = "\x02\ufffe", ".…·‥．"
#: Characters that a page has besides pictures (a stamp, a page number) and still is a scan.
_FEW = 30
#: A picture covers so much of a page that has letters too; a page that only draws has so many strokes.
_LARGE, _DRAWN = 0.3, 20
#: Of lines that are drawn (points): how near each other they are one, how long they are at least, how many steps a page may take.
_NEAR, _SHORTEST, _MOST_STEPS = 3.0, 5.0, 30_000
#: Two pieces on one line that are further apart than this (letter sizes) are cells of a row.
_WIDE_GAP = 1.6


class Pages:
    """The pages of a PDF. Of a page whose fonts hide what they show there is None; `scans` are numbers, from 1, of pages whose
    words, or most of them, stand in a picture."""

    def __init__(self, data: bytes) -> None:
        self.pages: list[Page | None] = []
        self.scans: list[int] = []
        document = _opened(data)
        try:
            self.count = len(document)
            for number in range(1, min(self.count, MOST_PAGES) + 1):
                self._add(document, number)
        finally:
            document.close()

    def _add(self, document: Any, number: int) -> None:
        import pypdfium2

        try:
            page = document[number - 1]
            found, known = _page(page)
            letters = sum(len(line.text) for line in found.lines)
            scan = not known or (letters < _FEW and _is_picture(page, letters))
        except pypdfium2.PdfiumError:  # one damaged page
            found, known, scan = Page((), 1, 1), True, False
        self.pages.append(found if known else None)
        if scan:
            self.scans.append(number)


def read(data: bytes, seen: Mapping[int, Page]) -> tuple[str, int, tuple[int, ...], str | None]:
    """The text, how many pages there are, which of them are scans, and what is wrong. `seen`: the words of scans, by page."""
    try:
        found = Pages(data)
    except Unreadable as error:
        return (*_second_opinion(data, error), None)
    text = unified(flow([seen.get(number, page) for number, page in enumerate(found.pages, 1)]))
    problem = f"only its first {MOST_PAGES} of {found.count} pages were read" if found.count > MOST_PAGES else None
    if not text and not found.scans:
        text, _, _ = _second_opinion(data, None)
    return text, found.count, tuple(found.scans), problem


def picture(data: bytes, number: int) -> bytes:
    """Page `number` (from 1) as a grey picture (PGM)."""
    document = _opened(data)
    try:
        page = document[number - 1]
        width, height = page.get_size()
        scale = min(DPI / 72, (MOST_PIXELS / max(width * height, 1)) ** 0.5)
        bitmap = page.render(scale=scale, grayscale=True)
        rows = memoryview(bitmap.buffer).cast("B")
        lines = [rows[y * bitmap.stride : y * bitmap.stride + bitmap.width] for y in range(bitmap.height)]
        return b"P5 %d %d 255\n" % (bitmap.width, bitmap.height) + b"".join(lines)
    finally:
        document.close()


def _opened(data: bytes) -> Any:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        said = str(error).lower()
        if "password" in said or "security" in said:
            raise Unreadable("is encrypted and asks for a password") from None
        raise Unreadable("is no whole PDF: it was cut off, or is damaged") from None


def _second_opinion(data: bytes, error: Unreadable | None) -> tuple[str, int, tuple[int, ...]]:
    """What pypdf finds. Raises `error` where that is nothing."""
    import pypdf
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)

    try:
        document = pypdf.PdfReader(BytesIO(data))
        if document.is_encrypted and not document.decrypt(""):
            raise Unreadable("is encrypted and asks for a password")
        pages = [document.pages[at].extract_text() for at in range(min(len(document.pages), MOST_PAGES))]
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, NotImplementedError, OSError):
        if error is not None:
            raise error from None
        return "", 0, ()
    text = unified("\n".join(pages)).strip()
    if not text and error is not None:
        raise error
    return text, len(pages), ()


# --- one page


def _is_picture(page: Any, letters: int) -> bool:
    """Whether the page is a picture for the most part, or, where it has no letters at all, draws something."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    drawn = 0
    for thing in page.get_objects(max_depth=4):
        if thing.type == pdfium.FPDF_PAGEOBJ_PATH:
            drawn += 1
        elif thing.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            try:
                left, low, right, high = thing.get_bounds()
            except pypdfium2.PdfiumError:
                continue
            if not letters or (right - left) * (high - low) >= _LARGE * width * height:
                return True
    return not letters and drawn >= _DRAWN


def _page(page: Any) -> tuple[Page, bool]:
    """The page's lines, and whether its fonts say which characters they show."""
    import pypdfium2.raw as pdfium

    words = page.get_textpage()
    turned = _angle(words)
    width, height = page.get_size()
    if (page.get_rotation() - turned) % 180:
        width, height = height, width
    box, x, y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    unknown = seen = 0
    lines: list[list[_Char]] = []
    current: list[_Char] = []
    for at in range(words.count_chars()):
        code = pdfium.FPDFText_GetUnicode(words, at)
        char = chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
        if char in "\r\n":
            lines.append(current)
            current = []
            continue
        if char in _DIVIDED:
            char = "\xad"
        if char.isspace() or char == "\xad":
            if current:
                current.append(_Char(char, 0, 0, 0, 0, 0))
            continue
        pdfium.FPDFText_GetLooseCharBox(words, at, ctypes.byref(box))
        pdfium.FPDFText_GetCharOrigin(words, at, ctypes.byref(x), ctypes.byref(y))
        placed = _Char(char, *_turned((box.left, box.bottom, box.right, box.top, x.value, y.value), turned, width, height))
        if not (-1 <= placed.base <= height + 1 and placed.right > -1 and placed.left < width + 1):
            continue  # outside of the page
        if char not in _LEADERS:
            seen += 1
            unknown += pdfium.FPDFText_HasUnicodeMapError(words, at) == 1 or 0xE000 <= code < 0xF900
        current.append(placed)
    lines.append(current)
    words.close()
    known = unknown <= _UNKNOWN * seen
    found = _with_tables(lines, tables(_edges(page, turned, width, height), _NEAR)) if known else []
    if page.get_rotation() != turned:  # pdfium takes lines that stand upright on the screen for the order
        found.sort(key=lambda line: line.top)
    return Page(tuple(found), width, height), known


def _edges(page: Any, turned: int, width: float, height: float) -> list[Edge]:
    """The straight lines that a page draws across and down; none where it draws too many for a table."""
    import pypdfium2.raw as pdfium

    found: list[Edge] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    steps = 0
    for thing in page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_PATH,), max_depth=4):
        matrices, holder = [thing.get_matrix()], thing.container
        while holder is not None:  # what is drawn in a form is placed with it
            matrices.append(holder.get_matrix())
            holder = holder.container
        start = last = (0.0, 0.0)
        for number in range(max(pdfium.FPDFPath_CountSegments(thing.raw), 0)):
            steps += 1
            if steps > _MOST_STEPS:
                return []
            segment = pdfium.FPDFPath_GetPathSegment(thing.raw, number)
            pdfium.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
            point = (x.value, y.value)
            for matrix in matrices:
                point = matrix.on_point(*point)
            kind = pdfium.FPDFPathSegment_GetType(segment)
            if kind == pdfium.FPDF_SEGMENT_MOVETO:
                start = last = point
                continue
            ends = [(last, point)] if kind == pdfium.FPDF_SEGMENT_LINETO else []
            if pdfium.FPDFPathSegment_GetClose(segment):
                ends.append((point, start))
            for (ax, ay), (bx, by) in ends:
                if min(abs(ax - bx), abs(ay - by)) < 1 and max(abs(ax - bx), abs(ay - by)) > _SHORTEST:
                    place = (min(ax, bx), min(ay, by), max(ax, bx), max(ay, by), 0, 0)
                    left, right, top, bottom, _ = _turned(place, turned, width, height)
                    found.append(Edge(left, top, right, bottom))
            last = point
    return found


def _with_tables(lines: list[list[_Char]], ruled: list[Table]) -> list[Line]:
    """Lines of text, and in the place of each table its rows."""
    found: list[Line | Table] = []
    inside: dict[Table, dict[tuple[int, int], list[_Char]]] = {}
    last: list[_Char] = []
    for line in lines:
        for table, part in _parts(line, ruled):
            if table is None:
                found += _lines(part)
                continue
            if table not in inside:
                inside[table] = {}
                found.append(table)
            for char in part:
                cell = table.cell((char.left + char.right) / 2, char.base - 1) if char.char.strip("\xad ") else None
                if cell is not None:
                    last = inside[table].setdefault(cell, [])
                last.append(char)
    out: list[Line] = []
    for one in found:
        rows = (
            [one]
            if isinstance(one, Line)
            else one.rows({cell: aligned(_lines(chars, 0.8), 0.3) for cell, chars in inside[one].items()})
        )
        if rows is None:
            return _with_tables(lines, [table for table in ruled if table is not one])
        out += rows
    return out


def _parts(line: list[_Char], ruled: list[Table]) -> Iterator[tuple[Table | None, list[_Char]]]:
    """The characters of a line, divided where a table begins or ends."""
    if not ruled:
        yield None, line
        return
    part: list[_Char] = []
    inside: Table | None = None
    for char in line:
        if char.char.strip("\xad "):
            middle = (char.left + char.right) / 2
            table = next((one for one in ruled if one.cell(middle, char.base - 1) is not None), None)
            if table is not inside and part:
                yield inside, part
                part = []
            inside = table
        part.append(char)
    if part:
        yield inside, part


def _angle(words: Any) -> int:
    """By how many degrees the page has to be turned (clockwise) so that most of its text stands upright, whatever it says of
    itself."""
    import pypdfium2.raw as pdfium

    count = words.count_chars()
    quarters = [0, 0, 0, 0]
    for at in range(0, count, max(1, count // 100)):
        if not chr(min(pdfium.FPDFText_GetUnicode(words, at), 0x10FFFF)).isspace():
            angle = pdfium.FPDFText_GetCharAngle(words, at)  # clockwise, in radians
            quarters[-round(angle / 1.5708) % 4 if angle >= 0 else 0] += 1
    return 90 * max(range(4), key=quarters.__getitem__)


class _Char:
    """A character and where it stands; `base` is the line that it stands on."""

    __slots__ = ("base", "bottom", "char", "left", "right", "top")

    def __init__(self, char: str, left: float, right: float, top: float, bottom: float, base: float) -> None:
        self.char, self.left, self.right, self.top, self.bottom, self.base = char, left, right, top, bottom, base


def _turned(place: tuple[float, ...], quarter: int, width: float, height: float) -> tuple[float, float, float, float, float]:
    """A place of pdfium's as (left, right, top, bottom, base) on the page as it is shown, from its upper left corner."""
    left, low, right, high, x, y = place
    if quarter == 90:
        return low, high, left, right, x
    if quarter == 180:
        return width - right, width - left, low, high, y
    if quarter == 270:
        return width - high, width - low, height - right, height - left, height - x
    return left, right, height - high, height - low, height - y


def _lines(chars: list[_Char], apart: float = float("inf")) -> Iterator[Line]:
    """The characters of one of pdfium's lines; one that stands on another line, further left, or more than `apart` (letter sizes)
    further right, begins a new one."""
    part: list[_Char] = []
    last: _Char | None = None
    size = 1.0
    for char in chars:
        if char.char.isspace() or char.char == "\xad":
            part.append(char)
            continue
        size = max(size, char.bottom - char.top)
        jumps = last is not None and (char.left < last.left - 1.5 * size or char.left - last.right > apart * size)
        if last is not None and (jumps or abs(char.base - last.base) > 0.6 * size):
            yield from _line(part)
            part, size = [], max(1.0, char.bottom - char.top)
        part.append(char)
        last = char
    yield from _line(part)


def _line(chars: list[_Char]) -> Iterator[Line]:
    solid = [char for char in chars if not char.char.isspace() and char.char != "\xad"]
    if not solid:
        return
    text = "".join(char.char for char in chars).strip()
    sizes = sorted(char.bottom - char.top for char in solid)
    size = sizes[len(sizes) // 2]
    base = sorted(char.base for char in solid)[len(solid) // 2]
    row = any(b.left - a.right > _WIDE_GAP * size for a, b in pairwise(solid))
    left, right = min(char.left for char in solid), max(char.right for char in solid)
    yield Line(text, left, right, base - 0.8 * size, base + 0.2 * size, row)
