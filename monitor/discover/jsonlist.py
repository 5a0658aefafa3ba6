"""A JSON answer as a list: which array holds the rows, and which of a row's fields are title, link, date and key, by their values
first and their names second.

It guesses once, for a person who looks at the result; it fetches nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from monitor.discover.groups import LEAST_ROWS
from monitor.discover.suggestion import Suggestion, parsed
from monitor.errors import ParseError
from monitor.model import Fetched
from monitor.sources import dates, jmes, rows

#: How deep an answer's arrays, and a row's fields, are looked for; how many rows are judged by.
_DEPTH, _ROW_DEPTH, _SAMPLE = 5, 4, 60
#: This share of the rows must have a field that says what it is taken for.
_SHARE = 0.8
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TIMEZONE = "Asia/Shanghai"
#: Links of these are of something else than the row.
_OTHER = re.compile(r"img|image|pic|cover|icon|logo|thumb|avatar|photo|banner|^(?:user|author|owner)\.", re.IGNORECASE)
#: Fields that name who speaks, or where; never what about.
_PERSON = re.compile(r"user|author|screen|nick|blog|venue|site|org|editor|account|vendor|creator|assigned|owner", re.IGNORECASE)
_MEDIA = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|mp4|mp3|css|js)(?:\?|$)", re.IGNORECASE)
_DATED = re.compile(r"\d{4}\D{0,2}\d{1,2}\D{0,2}\d{1,2}|\d{1,2}\s+[A-Z][a-z]{2}\s+\d{4}|\d{10}(?:\d{3})?")
#: Names of fields, the most telling first.
_TITLES = (
    "^(?:doc|info|news|article)?_?title$", "title$", "^(?:topic|subject|headline|标题)$", "^summary$", "name$", "title|subject",
    "^(?:text|content)$|desc(?:ription)?$",
)  # fmt: skip
_LINKS = (
    "html_?url|web_?url|perma_?link|page_?url",
    "^(?:doc|info|news|article|content|detail)?_?(?:url|link|href)$",
    "url$|link$|href$",
    "",
)
_LATER = "upd|modif|last|expir|end|due|close"
_DATES = (
    "pub|release|deploy|issue|发布", "^date$|added|^time$", f"^(?!.*(?:{_LATER})).*date", f"^(?!.*(?:{_LATER})).*time",
    "creat", "",
)  # fmt: skip
_KEYS = ("^id$", "(?:id|code|no|guid|key)$")
#: Fields that change by themselves, or say nothing of the row.
_VOLATILE = re.compile(r"click|view|hit|read|visit|count|num|score|rank|sort|order|time|updat|status|token|hash", re.IGNORECASE)
_PAGE = re.compile(r"(?:page|p|page_?no|page_?num|page_?index|cur_?page|current_?page|pn)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of all rows: where it is in a row, and its values, "" where a row has none."""

    path: str
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        """The field's own name, the last of its path."""
        return re.split(r"[.\[\]]+", self.path.rstrip("]").replace('"', ""))[-1]

    @property
    def is_own(self) -> bool:
        """Whether it is a field of the row itself, not of something that a list of the row holds."""
        return "[" not in self.path

    def belongs_to(self, title: _Field | None) -> bool:
        """Whether it speaks of the same thing as the title: where that is not the row's own, only what stands beside it."""
        if title is None or title.is_own:
            return self.is_own
        return self.path.rpartition(".")[0] == title.path.rpartition(".")[0]

    def share(self, test: Any) -> float:
        return sum(bool(value) and bool(test(value)) for value in self.values) / len(self.values)

    @property
    def different(self) -> float:
        return len(set(self.values) - {""}) / len(self.values)

    @property
    def mean(self) -> float:
        said = [len(value) for value in self.values if value]
        return sum(said) / len(said) if said else 0.0


def suggestion(got: Fetched, why: str, *, dated: bool = False) -> Suggestion | None:
    """The source that the answer could be; None where it is no JSON, or holds no rows with a title and a link or a date. `dated`:
    a date is a must."""
    try:
        value = json.loads(rows.decoded(got))
    except (ValueError, RecursionError, ParseError):
        return None
    found: list[tuple[float, dict[str, Any]]] = []
    for path, items in _arrays(value, "", 0):
        keys = _keys(items, got.at)
        if keys is not None and ("date" in keys or not dated):
            score = min(len(items), 50) * (1 + ("link" in keys) + ("date" in keys))
            found.append((score, ({"items": path} if path else {}) | keys))
    for _, fields in sorted(found, key=lambda one: -one[0]):
        keys = fields | _paging(got.url)
        listing = parsed("json", got.url, got, keys)
        if listing is not None and listing.notices:
            return Suggestion("json", got.url, f"{why}: {len(listing.notices)} rows", keys, listing)
    return None


def _arrays(value: Any, path: str, depth: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Arrays of objects, with their expressions, the outermost first."""
    if isinstance(value, list):
        items = [item for item in value if isinstance(item, dict)]
        if items and len(items) * 10 >= len(value) * 9:
            yield path, items
    elif isinstance(value, dict) and depth < _DEPTH:
        for key, inner in value.items():
            yield from _arrays(inner, _joined(path, str(key)), depth + 1)


def _joined(path: str, key: str) -> str:
    part = key if _PLAIN.fullmatch(key) else json.dumps(key, ensure_ascii=False)
    return f"{path}.{part}" if path else part


def _fields(items: list[dict[str, Any]]) -> list[_Field]:
    """The fields of the rows that hold text or numbers, in the order in which they first occur."""
    sample = items[:_SAMPLE]
    paths: dict[str, None] = {}
    for item in sample[:10]:
        paths |= dict.fromkeys(_leaves(item, "", 0))
    found = []
    for path in paths:
        asked = jmes.compiled(path)
        found.append(_Field(path, tuple((jmes.scalar(asked(item)) or "").strip() for item in sample)))
    return found


def _leaves(value: Any, path: str, depth: int) -> Iterator[str]:
    if isinstance(value, dict) and depth < _ROW_DEPTH:
        for key, inner in value.items():
            yield from _leaves(inner, _joined(path, str(key)), depth + 1)
    elif isinstance(value, list):
        if len(value) == 1 and isinstance(value[0], dict) and depth < _ROW_DEPTH:  # one of several is not the row's own
            yield from _leaves(value[0], f"{path}[0]", depth + 1)
    elif path and jmes.scalar(value) is not None:
        yield path


def _keys(items: list[dict[str, Any]], at: datetime) -> dict[str, Any] | None:
    """The keys of a source with these rows; None where they are none that anybody reads."""
    fields = _fields(items)
    words = [one for one in fields if one.share(_is_words) >= _SHARE and not _is_constant(one)]
    title = _title([one for one in words if one.share(lambda value: _is_date(value, at)) < _SHARE])
    near = [one for one in fields if one is not title and one.belongs_to(title)]
    link = _pick([one for one in near if not _OTHER.search(one.path) and one.share(_is_address) >= _SHARE], _LINKS)
    date = _pick([one for one in near if one is not link and one.share(lambda value: _is_date(value, at)) >= _SHARE], _DATES)
    if link is None and date is None:
        return None
    rest = [one for one in words if one not in (link, date) and one.is_own]
    if title is None and link is not None and date is not None:
        title = max(
            (one for one in rest if 8 <= one.mean <= 120 and one.different >= _SHARE), key=lambda one: one.mean, default=None
        )
    key = _key(fields) if link is None or link.different < 1 else None
    if title is None and key is None:
        return None
    found = {"title": _as_text(title) if title else (key.path if key else "")}
    found |= {name: one.path for name, one in (("link", link), ("date", date)) if one is not None}
    if key is not None and link is None:
        found["key"] = key.path
    if len(items) < LEAST_ROWS and len(found.keys() & {"link", "date", "key"}) < 2:
        return None
    own = [one.path for one in rest if one not in (title, key) and _PLAIN.fullmatch(one.path) and not _VOLATILE.search(one.name)]
    return found | ({"text": own[:12]} if link is None and own else {})


def _pick(fields: list[_Field], names: tuple[str, ...]) -> _Field | None:
    """The one whose name is the most telling; of several, the one with most different values, then the first."""
    for pattern in names:
        named = [one for one in fields if re.search(pattern, one.name, re.IGNORECASE)]
        if named:
            return max(named, key=lambda one: one.different)
    return None


def _title(fields: list[_Field]) -> _Field | None:
    """The title by its name: of the row itself, as near to its top as may be; else of the one thing that a list of it holds."""
    fitting = [one for one in fields if 4 <= one.mean <= 300 and not _PERSON.search(one.path)]
    for own, depth in ((True, 0), (True, 1), (True, _ROW_DEPTH), (False, 2 * _ROW_DEPTH)):
        if found := _pick([one for one in fitting if one.is_own is own and one.path.count(".") <= depth], _TITLES):
            return found
    return None


def _key(fields: list[_Field]) -> _Field | None:
    """What is different in every row and looks like an id."""
    ids = [one for one in fields if one.different == 1 and all(re.fullmatch(r"[\w.:/-]{2,80}", value) for value in one.values)]
    plain = [one for one in ids if one.is_own and not one.share(_is_address)]
    return _pick([one for one in plain if "." not in one.path], _KEYS) or _pick(plain, _KEYS)


def _as_text(field: _Field) -> str:
    """Titles that hold markup are read as text."""
    return f"html_text({field.path})" if field.share(lambda value: re.search(r"<\w+[^>]*>|&\w{2,6};", value)) else field.path


def _is_constant(field: _Field) -> bool:
    return len(field.values) > 1 and len(set(field.values)) == 1


def _is_words(value: str) -> bool:
    return not _is_address(value) and not re.fullmatch(r"[\d\s:./TZ+-]+", value)


def _is_address(value: str) -> bool:
    found = re.fullmatch(r"(?:https?:)?//[^\s/]+\.?[^\s]*|\.{0,2}/[^\s/][^\s]*", value)
    return found is not None and len(value) > 3 and not _MEDIA.search(value)


def _is_date(value: str, at: datetime) -> bool:
    if not _DATED.match(value) and not re.match(r"[A-Z][a-z]{2},? ", value):
        return False
    if value.isdigit() and len(value) in (10, 13):
        seconds = int(value) / (1000 if len(value) == 13 else 1)
        return dates.plausible(datetime.fromtimestamp(seconds, UTC), at) is not None
    return dates.published(value, at, _TIMEZONE) is not None


def _paging(url: str) -> dict[str, Any]:
    """The parameter of the address that is the number of the page, where it says that this is the first."""
    for name, value in parse_qsl(urlsplit(url).query):
        if _PAGE.fullmatch(name) and value in ("0", "1"):
            return {"page_param": name} | ({"first_next": 1} if value == "0" else {})
    return {}
