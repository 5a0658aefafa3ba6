"""Divide a text that is longer than a service takes into numbered parts. Pure; it sends nothing and knows no service.

The parts break at paragraphs, else lines, else sentences, else words, else between graphemes; a link is never cut; the mark
"(2/3)" is counted in. Bytes are those of UTF-8: three for a Chinese character.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator

import regex

#: The least limit that leaves room for a mark and a few words, in either unit.
LEAST = 32

#: ASCII, as a path is written; before it perhaps a host in other letters, where that host ends plainly.
_ASCII = r"""[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~|]"""
_LINK = regex.compile(
    rf"https?://(?:(?:[\w-]{{1,63}}\.)+[\w-]{{1,63}}(?=[/:?\#\s]|$){_ASCII}*+|{_ASCII}++)", regex.IGNORECASE | regex.MULTILINE
)
#: Markup that a reader would see broken if it were cut: it is kept whole as long as it fits into a part.
_MARKUP = regex.compile(r"!?\[[^\[\]\n]*\]\([^()\s]*\)|<[^<>\n]{1,200}>|&#?\w{1,31};|\*\*[^*\n]+\*\*|~~[^~\n]+~~|`[^`\n]+`")
_BORDERS = (
    regex.compile(r"\n\s*\n"),  # paragraph
    regex.compile(r"\n"),
    regex.compile(r"""[。！？；!?;…]+[”’」』）)\]"']*\s*|\.["')\]]*\s+"""),  # sentence
    regex.compile(r"\s+|[，、：]"),
)
_GRAPHEME = regex.compile(r"\X")
_MORE = "…"


def measure(text: str, unit: str) -> int:
    """How much of a limit a text takes: `unit` is "bytes" (of UTF-8) or "characters" (code points)."""
    return len(text.encode("utf-8", "replace")) if unit == "bytes" else len(text)


def split(text: str, limit: int, unit: str = "characters") -> tuple[str, ...]:
    """The text in parts of at most `limit` bytes or characters each; one part, and the text itself, where it fits.

    Nothing but white space at the borders is lost, except a single link longer than a whole part: it becomes "…", since half a
    link leads elsewhere. A limit below LEAST raises ValueError. A lone surrogate, which UTF-8 cannot carry, becomes "?".
    """
    if limit < LEAST:
        raise ValueError(f"a limit of {limit} {unit} is too small to divide a message: {LEAST} is the least")
    text = text.encode("utf-8", "replace").decode("utf-8")
    if measure(text, unit) <= limit:
        return (text,)
    digits = 1
    while True:
        parts = tuple(_Packer(text, limit - len(_mark("9" * digits, "9" * digits)), unit))
        if len(parts) <= 1:
            return parts or ("",)
        if len(str(len(parts))) <= digits:
            return tuple(_mark(n, len(parts)) + part for n, part in enumerate(parts, 1))
        digits += 1


def truncate(text: str, limit: int, unit: str = "characters") -> str:
    """The text on at most `limit` bytes or characters, with "…" where it was cut, never within a grapheme."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    if measure(text, unit) <= limit:
        return text
    room = limit - measure(_MORE, unit)
    kept = 0
    for match in _GRAPHEME.finditer(text):
        room -= measure(match.group(), unit)
        if room < 0:
            break
        kept = match.end()
    return text[:kept].rstrip() + _MORE if limit >= measure(_MORE, unit) else ""


def titled(title: str, text: str) -> str:
    """The text with its title as first line, for services that have no title of their own; as it is, where it opens with it."""
    said, begin = _letters(title), _letters(text[: 4 * len(title) + 200])
    return text if not said or said in begin else f"{title}\n{text}"


def untitled(title: str, text: str) -> str:
    """The text without its first line where that says the title and no more, for services that have a title of their own."""
    first, _, rest = text.partition("\n")
    return rest.lstrip("\n") if rest.strip() and _letters(first) == _letters(title) else text


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _mark(number: int | str, total: int | str) -> str:
    return f"({number}/{total})\n"


class _Packer:
    """Fills parts of `room` one after the other; iterating gives the parts without marks."""

    def __init__(self, text: str, room: int, unit: str) -> None:
        self.text, self.room, self.unit = text, room, unit
        self.whole = self._spans()  # disjoint, ascending: never cut within
        self.starts = [start for start, _ in self.whole]
        self.ends = dict(self.whole)

    def __iter__(self) -> Iterator[str]:
        place, end = 0, len(self.text)
        while place < end:
            stop = place + self._fits(place)
            cut = end if stop >= end else self._cut(place, stop)
            if cut == place:
                yield _MORE
                place = self.ends[place]
                continue
            part = self.text[place:cut].strip("\n").rstrip()
            if part:
                yield part
            place = cut

    def _spans(self) -> list[tuple[int, int]]:
        """Every link, and all markup that fits into a part; what overlaps is one span, or only its links if that does not fit."""
        links = [match.span() for match in _LINK.finditer(self.text)]
        markup = [match.span() for match in _MARKUP.finditer(self.text)]
        groups: list[tuple[int, int]] = []
        for start, end in sorted(links + markup):
            if groups and start < groups[-1][1]:
                groups[-1] = (groups[-1][0], max(groups[-1][1], end))
            else:
                groups.append((start, end))
        fitting = [(start, end) for start, end in groups if measure(self.text[start:end], self.unit) <= self.room]
        rest = set(groups).difference(fitting)
        return sorted(fitting + [link for link in links if any(start <= link[0] < end for start, end in rest)])

    def _fits(self, place: int) -> int:
        """How many characters from `place` on fit into the room."""
        window = self.text[place : place + self.room]
        if self.unit != "bytes":
            return len(window)
        return len(window.encode("utf-8")[: self.room].decode("utf-8", "ignore"))

    def _cut(self, place: int, stop: int) -> int:
        """Where the part from `place` ends, `stop` at most; `place` itself where a link stands that no part can hold."""
        least = place + (stop - place) // 3
        for border in _BORDERS:
            cuts: list[int] = [match.end() for match in border.finditer(self.text, place, stop) if match.end() >= least]
            for cut in reversed(cuts):
                if self._within(cut) is None:
                    return cut
        free = place
        for match in _GRAPHEME.finditer(self.text, place):
            if match.end() > stop:
                break
            if self._within(match.end()) is None:
                free = match.end()
        if free > place:
            return free
        if place in self.ends:  # its last character may carry combining marks: the link is worth more than they are
            return self.ends[place] if self.ends[place] <= stop else place
        span = self._within(stop)  # one grapheme larger than a part
        return stop if span is None else span[0]

    def _within(self, cut: int) -> tuple[int, int] | None:
        """The span that a cut would go through."""
        at = bisect.bisect_left(self.starts, cut) - 1
        return self.whole[at] if at >= 0 and cut < self.whole[at][1] else None
