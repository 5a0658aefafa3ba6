"""The reader of OFD (GB/T 33190): a ZIP of XML, whose pages hold text in pieces with their places.

Pages come in the document's order, their pieces from top to bottom and left to right; what a template puts on a page belongs to
it. Seals, watermarks and other annotations are no text of the document. It checks no signature.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from monitor.readers.files.align import aligned
from monitor.readers.files.flow import flow
from monitor.readers.files.grid import Cell, Edge, tables
from monitor.readers.files.nouns import Line, Page, Unreadable
from monitor.readers.files.packed import Packed, attribute, local
from monitor.readers.files.radicals import unified

MOST_PAGES = 2000
#: Characters of one page: no honest page has more.
MOST_LETTERS = 100_000
_A4 = (210.0, 297.0)
_FEW = 30
_LARGE = 0.3
#: Of lines that are drawn (millimetres): how near each other they are one, how long they are at least, how many steps a page may
#: take.
_NEAR, _SHORTEST, _MOST_STEPS = 0.8, 2.0, 30_000


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A page, and the picture that covers it, if one does: the name of its member."""

    page: Page
    picture: str | None
    drawn: int = 0


def read(data: bytes, seen: Mapping[int, Page]) -> tuple[str, int, tuple[int, ...], str | None]:
    """The text, how many pages there are, which of them are pictures of words, and what is wrong. `seen`: the words of scans."""
    sheets, problem = _sheets(Packed(data))
    scans = tuple(number for number, sheet in enumerate(sheets, 1) if _is_scan(sheet))
    text = unified(flow([seen.get(number, sheet.page) for number, sheet in enumerate(sheets, 1)]))
    if not text and not scans and problem is None and any(sheet.drawn for sheet in sheets):
        problem = "its letters are drawn as lines, not written: there is no text in it"
    return text, len(sheets), scans, problem


def picture(data: bytes, number: int) -> bytes:
    """The picture that covers page `number` (from 1), as it is packed."""
    packed = Packed(data)
    name = _sheets(packed)[0][number - 1].picture
    if name is None:
        raise Unreadable(f"has no picture on page {number}")
    return packed.read(name)


def _is_scan(sheet: _Sheet) -> bool:
    return sheet.picture is not None and sum(len(line.text) for line in sheet.page.lines) < _FEW


def _sheets(packed: Packed) -> tuple[list[_Sheet], str | None]:
    if packed.find("Encryptions.xml") or any(name.lower().endswith("decryptseed.dat") for name in packed.names):
        raise Unreadable("is encrypted")
    entry = next((name for name in packed.names if name.lower().rpartition("/")[2] == "ofd.xml"), None)
    if entry is None:
        raise Unreadable("is no whole OFD: its OFD.xml is missing")
    sheets: list[_Sheet] = []
    for root in _named(packed.xml(entry), "DocRoot"):
        document = _member(packed, entry, root.text)
        if document is not None and len(sheets) < MOST_PAGES:
            sheets += _Document(packed, document).sheets(MOST_PAGES - len(sheets))
    if not sheets:
        raise Unreadable("is no whole OFD: none of its pages is there")
    return sheets, f"only its first {MOST_PAGES} pages were read" if len(sheets) >= MOST_PAGES else None


class _Document:
    """One document of the file: its pages, templates and pictures."""

    def __init__(self, packed: Packed, name: str) -> None:
        self.packed, self.name = packed, name
        self.root = packed.xml(name)
        area = next(_named(self.root, "PhysicalBox"), None)
        self.size = _size(area.text if area is not None else None) or _A4
        self.templates = {
            attribute(one, "ID"): _member(packed, name, attribute(one, "BaseLoc")) for one in _named(self.root, "TemplatePage")
        }
        self.pictures: dict[str, str] = {}
        for kind in ("PublicRes", "DocumentRes"):
            for one in _named(self.root, kind):
                self._resources(_member(packed, name, one.text))

    def _resources(self, name: str | None) -> None:
        if name is None:
            return
        root = self.packed.xml(name)
        folder = attribute(root, "BaseLoc")
        for media in _named(root, "MultiMedia"):
            for file in _named(media, "MediaFile"):
                found = _member(self.packed, name, posixpath.join(folder, (file.text or "").strip()))
                found = found or _member(self.packed, name, file.text)
                if found is not None and attribute(media, "Type").lower() in ("image", ""):
                    self.pictures[attribute(media, "ID")] = found

    def sheets(self, most: int) -> list[_Sheet]:
        found: list[_Sheet] = []
        for pages in _named(self.root, "Pages"):
            for one in pages:
                if local(one) == "Page" and len(found) < most:
                    name = _member(self.packed, self.name, attribute(one, "BaseLoc"))
                    found.append(self._sheet(name) if name else _Sheet(Page((), *self.size), None))
        return found

    def _sheet(self, name: str) -> _Sheet:
        root = self.packed.xml(name)
        roots = [root]
        for one in _named(root, "Template"):
            template = self.templates.get(attribute(one, "TemplateID"))
            if template is not None:
                roots.append(self.packed.xml(template))
        box = next((found for area in _named(root, "PhysicalBox") if (found := _size(area.text))), self.size)
        pieces = [piece for each in roots for piece in _pieces(each)]
        covers = [one for each in roots for one in _named(each, "ImageObject") if _covers(one, box)]
        pictures = [self.pictures[id_] for one in covers if (id_ := attribute(one, "ResourceID")) in self.pictures]
        drawn = sum(1 for each in roots for _ in _named(each, "PathObject"))
        lines = _lines([one for one in pieces if one.text.strip()], [edge for each in roots for edge in _edges(each)])
        return _Sheet(Page(tuple(lines), *box), pictures[0] if pictures else None, drawn)


def _named(root: etree._Element, name: str) -> Iterator[etree._Element]:
    """The elements of that name, in the document's order."""
    return (element for element in root.iter("{*}" + name) if isinstance(element.tag, str))


def _member(packed: Packed, beside: str, location: str | None) -> str | None:
    """The member that a location names: from the root where it begins with "/", else beside the file that names it; where neither
    is there, from the root after all."""
    location = (location or "").strip().replace("\\", "/")
    if not location:
        return None
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(beside), location)) if location[0] != "/" else location
    top = beside.partition("/")[0] if "/" in beside else ""
    for name in (inside, location, posixpath.join(top, location.lstrip("/"))):
        if found := packed.find(posixpath.normpath(name).lstrip("/")):
            return found
    return None


# --- the text of a page


def _pieces(root: etree._Element) -> Iterator[Line]:
    letters = 0
    for thing in _named(root, "TextObject"):
        box = _numbers(attribute(thing, "Boundary"), 4)
        size = _numbers(attribute(thing, "Size"), 1)
        if box is None:
            continue
        across, down, x0, y0 = 1.0, 1.0, 0.0, 0.0
        if matrix := _numbers(attribute(thing, "CTM"), 6):
            across, down, x0, y0 = abs(matrix[0]) + abs(matrix[1]), abs(matrix[3]) + abs(matrix[2]), matrix[4], matrix[5]
        height = (size[0] if size else box[3]) * (down or 1)
        for code in _named(thing, "TextCode"):
            said = "".join(str(part) for part in code.itertext())
            letters += len(said)
            if letters > MOST_LETTERS:
                return
            x = (_numbers(attribute(code, "X"), 1) or (0.0,))[0]
            y = (_numbers(attribute(code, "Y"), 1) or (height / (down or 1),))[0]
            yield from _spread(said, code, box[0] + x0 + x * across, box[1] + y0 + y * down, height, across)


def _spread(said: str, code: etree._Element, left: float, base: float, size: float, across: float) -> Iterator[Line]:
    """The characters of one TextCode; wide gaps between them become spaces, and a step down begins another line."""
    deltas, falls = _deltas(attribute(code, "DeltaX"), len(said)), _deltas(attribute(code, "DeltaY"), len(said))
    text, start, at = "", left, left
    for place, char in enumerate(said):
        text += char
        width = size * (0.5 if char.isascii() else 1.0)
        step = deltas[place] * across if place < len(deltas) else width
        end = at + min(width, abs(step) or width)
        at += step
        if place < len(falls) and abs(falls[place]) > 0.5 * size and step < 0.2 * size:
            yield Line(text, start, end, base - 0.8 * size, base + 0.2 * size)
            base += falls[place]
            text, start = "", at
        elif step > 1.8 * max(width, 0.5 * size) and place + 1 < len(said):
            text += " "
    if text.strip():
        yield Line(text, start, max(end, start + 0.1), base - 0.8 * size, base + 0.2 * size)


def _deltas(written: str, most: int) -> list[float]:
    """`DeltaX`: numbers, and "g n d" for n times d; no more than there are characters."""
    found: list[float] = []
    words = iter(written.split())
    try:
        for word in words:
            if word == "g":
                count, step = int(next(words)), float(next(words))
                found += [step] * max(0, min(count, most - len(found)))
            else:
                found.append(float(word))
            if len(found) >= most:
                break
    except (ValueError, StopIteration):
        return found
    return found


def _lines(pieces: list[Line], edges: list[Edge]) -> list[Line]:
    """The pieces as lines, and those in a table as its rows, from top to bottom."""
    rest = pieces
    found: list[Line] = []
    for table in tables(edges, _NEAR):
        cells: dict[Cell, list[Line]] = {}
        outside: list[Line] = []
        for piece in rest:
            cell = table.cell((piece.left + piece.right) / 2, (piece.top + piece.bottom) / 2)
            (outside if cell is None else cells.setdefault(cell, [])).append(piece)
        rows = table.rows({cell: aligned(inside, 0.3) for cell, inside in cells.items()})
        if rows is not None:
            rest = outside
            found += rows
    return sorted([*aligned(rest, 0.3), *found], key=lambda line: line.top + line.bottom)


def _edges(root: etree._Element) -> Iterator[Edge]:
    """The straight lines that a page draws across and down."""
    steps = 0
    for thing in _named(root, "PathObject"):
        box = _numbers(attribute(thing, "Boundary"), 4)
        if box is None:
            continue
        a, b, c, d, e, f = _numbers(attribute(thing, "CTM"), 6) or (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
        words = " ".join(data.text or "" for data in _named(thing, "AbbreviatedData")).split()
        start = last = (box[0], box[1])
        for sign, x, y in _steps(words):
            steps += 1
            if steps > _MOST_STEPS:
                return
            point = (box[0] + a * x + c * y + e, box[1] + b * x + d * y + f) if sign != "C" else start
            if sign in "LC" and min(abs(point[0] - last[0]), abs(point[1] - last[1])) < 0.3:
                edge = Edge(min(last[0], point[0]), min(last[1], point[1]), max(last[0], point[0]), max(last[1], point[1]))
                if max(edge.x1 - edge.x0, edge.y1 - edge.y0) > _SHORTEST:
                    yield edge
            if sign in "MS":
                start = point
            last = point


def _steps(words: list[str]) -> Iterator[tuple[str, float, float]]:
    """Of a path: where it begins (M, S), goes straight (L), curves to (Q) or closes (C)."""
    sizes = {"M": 2, "S": 2, "L": 2, "Q": 4, "B": 6, "A": 7}
    at = 0
    while at < len(words):
        sign = words[at]
        size = sizes.get(sign, 0)
        numbers = _numbers(" ".join(words[at + 1 : at + 1 + size]), size)
        if numbers is None:
            return
        x, y = numbers[-2:] if size else (0.0, 0.0)
        yield (sign if size == 2 else "Q" if size else "C"), x, y
        at += 1 + size


def _covers(thing: etree._Element, size: tuple[float, float]) -> bool:
    box = _numbers(attribute(thing, "Boundary"), 4)
    return box is not None and box[2] * box[3] >= _LARGE * size[0] * size[1]


def _size(box: str | None) -> tuple[float, float] | None:
    found = _numbers(box or "", 4)
    return (found[2], found[3]) if found and found[2] > 0 and found[3] > 0 else None


def _numbers(written: str, count: int) -> tuple[float, ...] | None:
    words = written.split()
    if len(words) < count:
        return None
    try:
        return tuple(float(word) for word in words[:count])
    except ValueError:
        return None
