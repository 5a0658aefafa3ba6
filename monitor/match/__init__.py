"""The match language of routes: a line of words becomes a Query, and a Query says yes or no to a Subject, and why.

    query    = or ;  or = and { "OR" and } ;  and = not { ["AND"] not } ;  not = "NOT" not | primary
    primary  = "(" or ")" | [ field ":" ] ( word | "phrase" | /regex/ | /regex/i | "(" or ")" )
             | field ( ">=" | "<=" | ">" | "<" | "=" ) value

Words and phrases are compared in `text.fold`'s form, so that case and width are no difference. A word of Latin letters or digits
stands for a whole word ("RCE" is not in "source"; "vulnerab*" is any word that begins so); a word with a Chinese, Japanese or
Korean character is looked for anywhere. A pattern sees the text unfolded and has 0.1 s for each field.

It reads no clock and no files, and knows nothing of sources or channels: `route` does.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property

import regex

from monitor import pattern
from monitor.match.values import compared, reader_of
from monitor.text import fold

MAX_LENGTH = 10_000
MAX_DEPTH = 50

#: The fields that every subject may have; all others are names of labels.
FIELDS = (
    "title", "text", "issuer", "number", "doctype", "addressee", "annex", "signed", "effective", "deadline", "cve", "severity",
    "cvss", "exploited", "due", "url", "source", "kind", "reason",
)  # fmt: skip
ALIASES = {
    "标题": "title",
    "正文": "text",
    "发文机关": "issuer",
    "机关": "issuer",
    "文号": "number",
    "来源": "source",
    "类型": "kind",
    "等级": "severity",
    "文种": "doctype",
    "主送": "addressee",
    "附件": "annex",
    "成文日期": "signed",
    "施行": "effective",
    "截止": "deadline",
    "漏洞": "cve",
}
#: Bare words are not looked for in these.
NOT_BARE = frozenset(
    {"url", "source", "kind", "reason", "doctype", "signed", "effective", "deadline", "due", "exploited", "cvss"}
)
#: These are compared as a whole, with * and ? as in a route's `sources`.
WHOLE = frozenset({"source", "kind", "reason"})

_CJK = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}]")
_QUOTES = {'"': '"', "＂": "＂", "“": "”“", "”": "”", "「": "」", "『": "』"}
_OPEN, _CLOSE = "(（", ")）"
_COMPARE = {"≥": ">=", "≤": "<=", "＞": ">", "＜": "<", "＝": "=", "＞＝": ">=", "＜＝": "<="}
_FIELD = regex.compile(r"(?P<name>[^\W\d][\w.\-]*)(?:\s*(?P<compare>>=|<=|＞＝|＜＝|[≥≤><=＞＜＝])\s*|[:：](?!//)\s*)")
_OPERATOR = regex.compile(r"AND|OR|NOT")
_WORDS_THAT_LOOK_LIKE_OPERATORS = frozenset({"and", "or", "not", "And", "Or", "Not"})


@dataclass(frozen=True, slots=True)
class Word:
    """What an index can be asked for: the folded `needle` in the field `name` ("": in any that bare words look at). `loose`: it
    may stand inside a word; `prefix`: a word may go on behind it."""

    name: str
    needle: str
    loose: bool
    prefix: bool


@dataclass(frozen=True, slots=True)
class Several:
    """All (`every`), or any, of the parts."""

    parts: tuple[Outline, ...]
    every: bool


#: What a query says to an index; None for what no index of words can answer (patterns, comparisons, NOT).
Outline = Word | Several | None


class PatternTooSlow(ValueError):
    """A /regex/ took longer than `pattern.SECONDS` on one field, and the rest of the query did not decide without it."""


@dataclass(frozen=True)
class Subject:
    """What a query looks at: `fields` are `FIELDS` and the labels by name; an empty one counts as absent."""

    fields: Mapping[str, str]

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {}

    def folded(self, name: str) -> str:
        """The field in its comparing form; kept, because many routes ask for the same."""
        if name not in self._folded:
            self._folded[name] = fold(self.fields[name])
        return self._folded[name]

    def named(self, name: str) -> list[str]:
        """The field names that are meant by `name`; all that bare words look at where it is empty."""
        present = [each for each, value in self.fields.items() if value]
        if not name:
            return [each for each in present if each not in NOT_BARE]
        return [each for each in present if each.casefold() == name.casefold()]


@dataclass(frozen=True)
class Query:
    """A parsed match. `source` is the line as it was written; two queries of one line are equal."""

    source: str
    _root: _Node = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.source

    def matches(self, subject: Subject) -> tuple[bool, str]:
        """Whether the subject is meant, and why or why not. Raises PatternTooSlow."""
        return self._root.check(subject)

    def outline(self) -> Outline:
        """What an index of words can be asked for: it finds all that match, and others."""
        return self._root.outline()

    def words(self) -> tuple[Word, ...]:
        """The words and phrases that are looked for, those under a NOT left out: to mark them."""
        return tuple(_words_of(self.outline()))

    def names(self) -> frozenset[str]:
        """The fields and labels that the query asks for by name, so that a check of the config can doubt one."""
        return frozenset(name for name in self._root.names() if name)


class _Node:
    """A part of a query."""

    def check(self, subject: Subject) -> tuple[bool, str]:
        raise NotImplementedError

    def names(self) -> Iterator[str]:
        raise NotImplementedError

    def outline(self) -> Outline:
        return None


@dataclass(frozen=True)
class _Group(_Node):
    """Several parts of which all, or any, must hold. One that is too slow counts only where the others do not decide."""

    parts: tuple[_Node, ...]
    every: bool

    def check(self, subject: Subject) -> tuple[bool, str]:
        reasons = []
        slow: PatternTooSlow | None = None
        for part in self.parts:
            try:
                held, why = part.check(subject)
            except PatternTooSlow as error:
                slow = error
                continue
            if held is not self.every:
                return held, why
            reasons.append(why)
        if slow is not None:
            raise slow
        return self.every, "; ".join(reasons)

    def names(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.names()

    def outline(self) -> Outline:
        return Several(tuple(part.outline() for part in self.parts), self.every)


@dataclass(frozen=True)
class _Not(_Node):
    part: _Node

    def check(self, subject: Subject) -> tuple[bool, str]:
        held, why = self.part.check(subject)
        return not held, f"excluded by NOT: {why}" if held else why

    def names(self) -> Iterator[str]:
        return self.part.names()


@dataclass(frozen=True)
class _Term(_Node):
    """A test of one field's value, or of every field that bare words look at."""

    name: str  # "" for a bare term
    shown: str
    test: Callable[[Subject, str], bool]
    word: Word | None = None

    def check(self, subject: Subject) -> tuple[bool, str]:
        names = subject.named(self.name)
        for each in names:
            if self.test(subject, each):
                return True, f"{self.shown} is in {each}"
        if self.name and not names:
            return False, f"there is no {self.name} for {self.shown}"
        return False, f"{self.shown} is not in {self.name or 'it'}"

    def names(self) -> Iterator[str]:
        yield self.name

    def outline(self) -> Outline:
        return self.word


def _words_of(outline: Outline) -> Iterator[Word]:
    if isinstance(outline, Word):
        yield outline
    elif isinstance(outline, Several):
        for part in outline.parts:
            yield from _words_of(part)


def parse(text: str) -> Query:
    """The query that a line says. Raises ValueError: a sentence with the character (from 1) and what was expected there."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the match has {len(text)} characters, and {MAX_LENGTH} is the most: split it into several routes")
    if not text.strip():
        raise ValueError("the match is empty: write a word, or leave `match` out to match everything")
    reader = _Parser(text)
    root = reader.any_of("", 0)
    if not reader.at_end():
        raise reader.wrong('expected a word, AND or OR, found ")" that no "(" opened')
    return Query(text, root)


class _Parser:
    """Reads one line from left to right; `at` is the next character, counted from 0."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def any_of(self, name: str, depth: int) -> _Node:
        parts = [self._all_of(name, depth)]
        while self._take("OR"):
            parts.append(self._all_of(name, depth))
        return parts[0] if len(parts) == 1 else _Group(tuple(parts), every=False)

    def _all_of(self, name: str, depth: int) -> _Node:
        parts = [self._one(name, depth)]
        while self._take("AND") or not (self.at_end() or self.text[self.at] in _CLOSE or self._operator() == "OR"):
            parts.append(self._one(name, depth))
        return parts[0] if len(parts) == 1 else _Group(tuple(parts), every=True)

    def _one(self, name: str, depth: int) -> _Node:
        if depth > MAX_DEPTH:
            raise self.wrong(f"more than {MAX_DEPTH} brackets or NOTs inside each other")
        if self._take("NOT"):
            return _Not(self._one(name, depth + 1))
        if self.at_end() or self.text[self.at] in _CLOSE or self._operator():
            raise self.wrong("expected a word, a phrase, /regex/ or (")
        prefix = _FIELD.match(self.text, self.at, self._word_end_with_operator())
        if prefix is None:
            return self._value(name, depth)
        named = self._known(ALIASES.get(prefix["name"], prefix["name"]))
        self.at = prefix.end()
        if prefix["compare"]:
            return self._comparison(named, _COMPARE.get(prefix["compare"], prefix["compare"]))
        if self.at_end() or self.text[self.at] in _CLOSE or self._operator():
            raise self.wrong(f'expected a value after "{prefix["name"]}:"')
        return self._value(named, depth)

    def _value(self, name: str, depth: int) -> _Node:
        first = self.text[self.at]
        if first in _OPEN:
            begun = self.at
            self.at += 1
            inner = self.any_of(name, depth + 1)
            if self.at_end():
                raise self.wrong(f'expected ")" for the "(" at character {begun + 1}')
            self.at += 1
            return inner
        if first == "/":
            return self._pattern(name)
        begun = self.at
        if first in _QUOTES:
            return self._words(name, self._phrase(), begun, quoted=True)
        word = self._word()
        if not name and word in _WORDS_THAT_LOOK_LIKE_OPERATORS:
            raise self.wrong(f'"{word}" is an operator only in capitals: write {word.upper()}, or "{word}" in quotes', begun)
        return self._words(name, word, begun, quoted=False)

    def _words(self, name: str, written: str, begun: int, *, quoted: bool) -> _Node:
        shown = f'"{written}"'
        if name in WHOLE:
            wanted = written.casefold()

            def whole(subject: Subject, each: str) -> bool:
                value = subject.fields[each].casefold()
                return value == wanted if quoted else fnmatchcase(value, wanted)

            return _Term(name, shown, whole)
        prefix = not quoted and written.endswith("*")
        needle = fold(written.removesuffix("*") if prefix else written)
        if not any(character.isalnum() for character in needle):
            raise self.wrong(f"expected a word, found {shown}, which has no letter or digit", begun)
        loose = bool(_CJK.search(needle))
        word = Word(name, needle, loose, prefix)
        return _Term(name, shown, lambda subject, each: _holds(subject.folded(each), needle, loose=loose, prefix=prefix), word)

    def _pattern(self, name: str) -> _Node:
        begun = self.at
        end = begun + 1
        while end < len(self.text) and self.text[end] != "/":
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise self.wrong('expected "/" at the end of the pattern that begins here', begun)
        source = self.text[begun + 1 : end]
        self.at = end + 1
        flags = self.text[self.at : self._word_end()]
        self.at += len(flags)
        if flags not in ("", "i"):
            raise self.wrong(f'expected a space or the flag i after the pattern, found "{flags}"', end + 1)
        compiled = self._compile(source, flags, begun)
        shown = f"/{source}/{flags}"

        def test(subject: Subject, each: str) -> bool:
            try:
                return compiled.search(subject.fields[each], timeout=pattern.SECONDS) is not None
            except TimeoutError as error:
                raise PatternTooSlow(f"the pattern {shown} took longer than {pattern.SECONDS * 1000:.0f} ms on {each}") from error

        return _Term(name, shown, test)

    def _compile(self, source: str, flags: str, begun: int) -> regex.Pattern[str]:
        if not source:
            raise self.wrong("expected a pattern between the two /", begun)
        try:
            return pattern.compiled(source, regex.IGNORECASE if flags else 0)
        except pattern.NoPattern as error:
            place = begun if error.position is None else begun + 1 + error.position
            raise self.wrong(f"the pattern cannot be read: {error}", place) from error

    def _comparison(self, name: str, compare: str) -> _Node:
        begun = self.at
        if self.at_end() or self.text[begun] in _OPEN + _CLOSE or self._operator():
            raise self.wrong(f'expected a value after "{name}{compare}"')
        value = (self._phrase() if self.text[begun] in _QUOTES else self._word()).strip()
        wanted = value.casefold()
        read = reader_of(wanted)
        if read is None:
            raise self.wrong(
                f'expected a number, a date (2026-01-31) or low, medium, high, critical, found "{value}" (words: {name}:word)',
                begun,
            )
        bound = max(read(wanted))

        def test(subject: Subject, each: str) -> bool:
            return any(compared(compare, found, bound) for found in read(subject.fields[each].casefold()))

        return _Term(name, f"{name} {compare} {value}", test)

    def _phrase(self) -> str:
        begun = self.at
        closing = _QUOTES[self.text[begun]]
        out = []
        self.at += 1
        while self.at < len(self.text):
            character = self.text[self.at]
            self.at += 1
            if character == "\\" and self.text[self.at : self.at + 1] in (closing, "\\"):
                out.append(self.text[self.at])
                self.at += 1
            elif character in closing:
                return "".join(out)
            else:
                out.append(character)
        raise self.wrong(f"expected {closing[0]} at the end of the phrase that begins here", begun)

    def _word(self) -> str:
        begun, self.at = self.at, self._word_end()
        return self.text[begun : self.at]

    def _word_end(self) -> int:
        """Where the word that begins here ends: at a space, a bracket, a quote or an operator."""
        end = self.at
        while end < len(self.text) and not self._breaks(self.text[end]):
            if end > self.at and self._operator(end):
                break
            end += 1
        return end

    def _word_end_with_operator(self) -> int:
        """Where a field's name may end, with the comparison (and the spaces round it) that follows the word."""
        end = self._word_end()
        while end < len(self.text) and (self.text[end].isspace() or self.text[end] in "><=≥≤＞＜＝"):
            end += 1
        return end

    @staticmethod
    def _breaks(character: str) -> bool:
        return character.isspace() or character in _OPEN or character in _CLOSE or character in _QUOTES

    def _operator(self, at: int | None = None) -> str | None:
        """AND, OR or NOT if it stands here by itself; a Chinese character beside it is as good as a space."""
        at = self.at if at is None else at
        found = _OPERATOR.match(self.text, at)
        if found is None:
            return None
        beside = (self.text[at - 1 : at], self.text[found.end() : found.end() + 1])
        return found[0] if all(not each or self._breaks(each) or _CJK.match(each) for each in beside) else None

    def _take(self, operator: str) -> bool:
        if self.at_end() or self._operator() != operator:
            return False
        self.at += len(operator)
        return True

    def at_end(self) -> bool:
        """Whether nothing but white space is left, which is passed over."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at >= len(self.text)

    def _known(self, name: str) -> str:
        """The name of a field or a label. Raises ValueError where it is nearly a field's: the label would never be there."""
        if name.startswith("label."):
            return name.removeprefix("label.")
        lower = name.casefold()
        if lower in FIELDS:
            return lower
        near = difflib.get_close_matches(lower, FIELDS, n=1, cutoff=0.8)
        if near:
            raise self.wrong(f'unknown field "{name}": did you mean "{near[0]}"? A label of that name is written label.{name}')
        return name

    def wrong(self, sentence: str, at: int | None = None) -> ValueError:
        """The error for what stands at `at` (default: here)."""
        at = self.at if at is None else at
        where = "at the end" if at >= len(self.text) else f"at character {at + 1}"
        return ValueError(f"{where} of the match: {sentence}")


def _letter(character: str) -> bool:
    return character.isalnum() and not _CJK.match(character)


def _holds(hay: str, needle: str, *, loose: bool, prefix: bool) -> bool:
    """Whether the needle is in the hay: anywhere (`loose`), or with its ends (its beginning, if `prefix`) at ends of words."""
    at = hay.find(needle)
    while at >= 0 and not loose:
        end = at + len(needle)
        begins = at == 0 or not (_letter(hay[at - 1]) and _letter(needle[0]))
        ends = prefix or end == len(hay) or not (_letter(hay[end]) and _letter(needle[-1]))
        if begins and ends:
            break
        at = hay.find(needle, at + 1)
    return at >= 0
