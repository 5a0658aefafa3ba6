"""Lines on pages become paragraphs: what a page repeats is left out, what a line end or page end has broken is joined.

An edit of one word must not wrap a paragraph anew, so a paragraph is one line of text wherever that is clear: its lines reach the
right margin, and the next begins at the left one. Where it is not clear, lines stay apart. It reads no file.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from monitor.diff import clause
from monitor.readers.files.nouns import Line, Page
from monitor.text import WIDE, glued, is_wide

#: What must stay together at the beginning of a line: a word of letters, or one wide character and what may not begin a line.
_FIRST = re.compile(rf"(?:[{WIDE}]|[^\s{WIDE}]{{1,60}})[，。；：、！？》）」』】〉”’,.;:!?)\]]*")
_ENDS = re.compile(r"[。！？；：…][”’」』）)》]*$")
_STRONG_ENDS = re.compile(r"[。！？][”’」』）)》]*$")
#: Dots that lead from a title to the number of its page.
_LEADING = re.compile("[.·…‥．]{4,}|…{2,}")
#: A line that ends so goes on, though the next begins like a clause ("根据" / "第三条的规定").
_OPEN_ENDS = frozenset("，、（(“《及和与或据按照依反违在的对")
_PAIRS = {"《": "》", "（": "）", "“": "”", "〔": "〕", "【": "】"}

_DASHES = "—–\\-－─一~～·•*_ \u3000"
_COUNT = r"(?:\d{1,4}|[０-９]{1,4}|[ivxlcIVXLC]{1,7}|[Ⅰ-Ⅻⅰ-ⅻ]{1,2}|[一二三四五六七八九十百]{1,5})"
_BARE = re.compile(r"\s*(\d{1,4}|[０-９]{1,4}|[ivxlcIVXLC]{1,7}|[Ⅰ-Ⅻⅰ-ⅻ]{1,2})\s*")
_PAGE_NUMBER = re.compile(
    rf"(?:[{_DASHES}]*[—–\-－─~～·•一][{_DASHES}]*{_COUNT}[{_DASHES}]*[—–\-－─~～·•一][{_DASHES}]*"
    rf"|第\s*{_COUNT}\s*页(?:\s*[,，/／|]?\s*共?\s*{_COUNT}\s*页)?|共\s*{_COUNT}\s*页\s*第\s*{_COUNT}\s*页"
    rf"|(?:page|p\.)\s*{_COUNT}(?:\s*(?:of|/)\s*{_COUNT})?|{_COUNT}\s*[/／]\s*{_COUNT}\s*页?)",
    re.I,
)
#: Lines that all end left of this share of the page's width are short ones: they say nothing of its margin.
_NARROW = 0.6
#: The outer parts of a page, in which page numbers and running titles stand.
_EDGE = 0.12
#: A line that stands there on so many pages, and on this share of them, is a running title.
_REPEATED, _SHARE = 3, 0.3


@dataclass(frozen=True, slots=True)
class _Margins:
    """Where the text of a page begins and ends, and how far its lines are apart."""

    left: float
    right: float
    leading: float


def flow(pages: Sequence[Page | None]) -> str:
    """The text of the pages, a line for each paragraph. None is a page of which nothing is known: no paragraph goes across it."""
    kept = _without_running(pages)
    out: list[str] = []
    paragraph: _Paragraph | None = None
    for page in kept:
        if page is None:
            paragraph = None
            continue
        margins = _margins(page)
        for at, line in enumerate(page.lines):
            if paragraph is not None and paragraph.goes_on(line, margins, new_page=at == 0):
                paragraph.add(line, margins)
                out[-1] = paragraph.text
                continue
            paragraph = _Paragraph(line, margins)
            out.append(paragraph.text)
    return "\n".join(out)


class _Paragraph:
    """A paragraph as far as it is known."""

    def __init__(self, line: Line, margins: _Margins) -> None:
        self.text, self.first, self.last, self.margins = line.text, line, line, margins
        self.indented = line.left > margins.left + 1.2 * line.size

    def add(self, line: Line, margins: _Margins) -> None:
        self.text = glued(self.text, line.text)
        self.last, self.margins = line, margins

    def goes_on(self, line: Line, margins: _Margins, *, new_page: bool) -> bool:
        """Whether the line is the next one of this paragraph."""
        last = self.last
        if last.row or line.row or _LEADING.search(last.text) or _LEADING.search(line.text):
            return False
        if not 0.8 < line.size / last.size < 1.25:
            return False
        if not new_page and not 0 < line.top - last.top <= max(1.35 * self.margins.leading, 1.5 * last.size):
            return False
        if self._is_open(line):
            return True
        if not _is_full(last, line, self.margins):
            return False
        flush = line.left <= margins.left + 0.7 * line.size
        if clause(line.text) and last.text[-1:] not in _OPEN_ENDS:
            return False
        if _ENDS.search(last.text):
            return flush and (self.indented or not _STRONG_ENDS.search(last.text))
        hanging = not new_page and abs(line.left - last.left) <= 0.7 * line.size
        return flush or hanging

    def _is_open(self, line: Line) -> bool:
        """Whether a title of several centred lines has a bracket that the next line closes."""
        if len(self.text) > 120:
            return False
        for opening, closing in _PAIRS.items():
            if self.text.count(opening) > self.text.count(closing) and closing in line.text:
                return _centred(self.last, self.margins) and _centred(line, self.margins)
        return False


def _centred(line: Line, margins: _Margins) -> bool:
    before, after = line.left - margins.left, margins.right - line.right
    return before > line.size and after > line.size and abs(before - after) <= 3 * line.size


def _is_full(line: Line, following: Line, margins: _Margins) -> bool:
    """Whether the first word of the next line would not have fitted at the end of this one."""
    first = _FIRST.match(following.text)
    width = sum(1.0 if is_wide(char) else 0.5 for char in first[0]) if first else 1.0
    return line.right + width * line.size * 0.95 > margins.right - 0.5 * line.size


def _margins(page: Page) -> _Margins:
    lines = page.lines
    if not lines:
        return _Margins(0, 0, 0)
    widest = max(line.right - line.left for line in lines)
    wide = sorted((line.right for line in lines if line.right - line.left > 0.3 * widest), reverse=True)
    size = median(line.size for line in lines)
    right = next((a for a, b in pairwise(wide) if a - b <= 1.5 * size), wide[0])
    lefts = sorted(line.left for line in lines)
    left = next((a for a, b in pairwise(lefts) if b - a <= 0.5 * size), lefts[0])
    steps = [b.top - a.top for a, b in pairwise(lines) if 0 < b.top - a.top < 4 * size]
    return _Margins(left, max(right, _NARROW * page.width), median(steps) if steps else 1.5 * size)


# --- what pages repeat


def _without_running(pages: Sequence[Page | None]) -> Iterator[Page | None]:
    """The pages without their numbers and running titles; one that the first page has too stays there."""
    outer = [_outer(page) if page else [] for page in pages]
    found = Counter(key for lines in outer for key in {_key(line, where) for line, where in lines})
    bare = _counted(outer)
    total = sum(page is not None for page in pages)
    for at, page in enumerate(pages):
        if page is None:
            yield None
            continue
        drop = set()
        for line, where in outer[at]:
            key = _key(line, where)
            often = found[key] if sum(char.isalpha() for char in key[1]) > 1 else 0
            repeated = often >= _REPEATED and often >= _SHARE * total and (at > 0 or key[1] != "".join(line.text.split()))
            if _is_page_number(line.text) or (at, line) in bare or repeated:
                drop.add(line)
        yield Page(tuple(line for line in page.lines if line not in drop), page.width, page.height) if drop else page


def _is_page_number(said: str) -> bool:
    return len(said) <= 40 and _PAGE_NUMBER.fullmatch(said.strip()) is not None


def _outer(page: Page) -> list[tuple[Line, str]]:
    """The lines at the upper and lower edge: at most two of each, those that stand there alone."""
    top = sorted((line for line in page.lines if line.bottom < _EDGE * page.height), key=lambda line: line.top)[:2]
    bottom = sorted((line for line in page.lines if line.top > (1 - _EDGE) * page.height), key=lambda line: -line.bottom)[:2]
    return [(line, "top") for line in top] + [(line, "bottom") for line in bottom]


def _key(line: Line, where: str) -> tuple[str, str]:
    return where, re.sub(r"\s+", "", re.sub(r"^\s*\d{1,4}\s|\s\d{1,4}\s*$", "", line.text))


def _counted(outer: Sequence[Sequence[tuple[Line, str]]]) -> set[tuple[int, Line]]:
    """Numbers that stand alone at an edge and grow with the pages, or count the only one."""
    places: defaultdict[int, list[tuple[int, Line]]] = defaultdict(list)
    roman: list[tuple[int, Line]] = []
    for at, lines in enumerate(outer):
        for line, _ in lines:
            if found := _BARE.fullmatch(line.text):
                if found[1].isdigit():
                    places[int(found[1]) - at].append((at, line))
                else:
                    roman.append((at, line))
    counted = {one for offset, ones in places.items() if len(ones) > 1 or (offset == 1 and len(outer) == 1) for one in ones}
    return counted | (set(roman) if len(roman) > 1 else set())
