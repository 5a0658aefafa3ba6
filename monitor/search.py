"""Words of texts and queries as an index holds them, and the line of a text that answers a query. Pure; it keeps no index.

A run of Chinese, Japanese or Korean characters becomes its pairs (人工智能 → 人工 工智 智能 能): every character begins one term,
so that any part of a run, one character too, is found as a phrase or as the beginning of a term, without a segmenter. Words of
letters and digits are terms as they are. What an index finds is never too little; the query itself then judges each find.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

import regex

from monitor.match import Outline, Query, Word
from monitor.text import fold

#: The columns of the index. `about` is what a notice says of itself besides: number, issuers, ids, labels.
TITLE, TEXT, FILES, ABOUT = COLUMNS = ("title", "text", "files", "about")
#: Columns in which a field of the match language is found; all others are in `about`.
_WHERE = {"": COLUMNS, "title": (TITLE,), "text": (TEXT,), "annex": (FILES,)}
#: Fields that no column holds as words.
_NOWHERE = frozenset(
    {"url", "source", "kind", "reason", "doctype", "signed", "effective", "deadline", "due", "exploited", "cvss"}
)
#: Characters of a line that is shown.
LINE = 160

_CJK = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}]"
#: A run of characters that need no space between words, or a word.
_RUN = regex.compile(rf"({_CJK}+)|((?:(?!{_CJK})[^\W_])+)")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def terms(said: str) -> str:
    """A text as the index takes it: terms with a space between, ASCII letters and digits only."""
    return " ".join(_terms(fold(said)))


def _terms(folded: str) -> Iterator[str]:
    for cjk, word in _RUN.findall(folded):
        if word:
            yield _word(word)
        else:
            codes = [_code(char) for char in cjk]
            yield from (f"z{a}{b}" for a, b in zip(codes, [*codes[1:], ""], strict=True))


def _word(word: str) -> str:
    return "a" + (word if word.isascii() else "".join(char if char.isascii() else f"y{_code(char)}" for char in word))


@lru_cache(maxsize=8192)
def _code(char: str) -> str:
    value, code = ord(char), ""
    for _ in range(4):
        value, digit = divmod(value, 36)
        code = _DIGITS[digit] + code
    return code


def expression(outline: Outline, *, only: str = "") -> str | None:
    """The question for the index (the syntax of SQLite's FTS5) that finds all that the outline may match; None where it cannot
    narrow anything. `only`: in this column."""
    if outline is None:
        return None
    if isinstance(outline, Word):
        return _asked(outline, only)
    parts = [expression(part, only=only) for part in outline.parts]
    known = [part for part in parts if part is not None]
    if not known or (not outline.every and len(known) < len(parts)):
        return None
    return known[0] if len(known) == 1 else "(" + (" AND " if outline.every else " OR ").join(known) + ")"


def _asked(word: Word, only: str) -> str | None:
    if word.name in _NOWHERE:
        return None
    columns = _WHERE.get(word.name, (ABOUT,))
    if only:
        columns = tuple(column for column in columns if column == only)
    phrases = list(_phrases(word))
    if not columns or not phrases:
        return None
    return f"({{{' '.join(columns)}}} : ({' AND '.join(phrases)}))"


def _phrases(word: Word) -> Iterator[str]:
    """What has to stand together: all of the needle where it is made of whole words, else its inner parts."""
    runs = _RUN.findall(word.needle)
    for at, (cjk, letters) in enumerate(runs):
        last = at == len(runs) - 1
        if cjk:
            codes = [_code(char) for char in cjk]
            pairs = [f"z{a}{b}" for a, b in pairwise(codes)]
            yield f'"{" ".join(pairs)}"' if pairs else f'"z{codes[0]}" *'
        elif word.loose and (at == 0 or last):
            continue  # it may be a part of a longer word there
        else:
            yield f'"{_word(letters)}"' + (" *" if last and word.prefix else "")


def line(query: Query, texts: Iterable[str], *, marks: tuple[str, str] = ("【", "】")) -> str:
    """The first line of the texts in which most of the query's words stand, cut to `LINE` characters around the first of them,
    with the words between `marks`; "" where none stands in one line."""
    needles = [word.needle for word in query.words() if any(char.isalnum() for char in word.needle)]
    best, most = "", 0
    for said in texts:
        for one in said.split("\n"):
            folded = fold(one)
            held = sum(needle in folded for needle in needles)
            if held > most:
                best, most = one, held
                if most == len(needles):
                    return _marked(best, needles, marks)
    return _marked(best, needles, marks) if best else ""


def _marked(said: str, needles: list[str], marks: tuple[str, str]) -> str:
    """The words are found in the folded line; where folding moved characters, they are looked for as they are written."""
    found = sorted({span for needle in needles for span in _spans(said, needle)})
    first = found[0][0] if found else 0
    start = max(0, first - LINE // 3) if len(said) > LINE else 0
    end = min(len(said), start + LINE)
    out, at = ["…" if start else ""], start
    for a, b in found:
        if a < at or b > end:
            continue
        out += (said[at:a], marks[0], said[a:b], marks[1])
        at = b
    return "".join([*out, said[at:end], "…" if end < len(said) else ""])


def _spans(said: str, needle: str) -> Iterator[tuple[int, int]]:
    """Where the folded needle stands in a line as it is written: character by character, what folds to nothing passed over."""
    folds = [fold(char) if not char.isspace() else "" for char in said]
    whole = needle.replace(" ", "")
    joined, places = "", []
    for at, folded in enumerate(folds):
        joined += folded
        places += [at] * len(folded)
    at = joined.find(whole)
    while at >= 0 and whole:
        yield places[at], places[at + len(whole) - 1] + 1
        at = joined.find(whole, at + len(whole))
