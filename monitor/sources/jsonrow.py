"""One row of a JSON list: its key, title, address, date, labels and fields. `jsonrows` finds the rows and asks for them."""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from monitor import text
from monitor.facts import flaws
from monitor.model import When
from monitor.sources import jmes, rows
from monitor.sources.dates import exactly, plausible, published
from monitor.sources.jmes import Asked
from monitor.sources.rows import Row

#: Bytes of a row that is remembered.
_LONGEST = 4096
_COMPACT = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
#: A number this large counts milliseconds, not seconds (the year 5138 in seconds, 1973 in milliseconds).
_MILLISECONDS = 10**11


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row is asked for; None where a source does not say. `fields` are names and expressions, in order; `body` stands for
    one expression instead. `base`: links are relative to it."""

    title: Asked
    key: Asked | None
    link: Asked | None
    date: Asked | None
    summary: Asked | None
    fields: tuple[tuple[str, Asked], ...] | None
    body: Asked | None
    labels: tuple[tuple[str, Asked], ...]
    base: str
    timezone: str


class _Packed:
    """A row and its bytes, which stand for it where rows are compared; the row itself is let go of when it has been read."""

    __slots__ = ("packed", "row")

    def __init__(self, row: Any) -> None:
        self.row = row
        self.packed = marshal.dumps(row, 2)  # version 2: equal rows give equal bytes

    def __hash__(self) -> int:
        return hash(self.packed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Packed) and self.packed == other.packed


def read(row: Any, wanted: Wanted, at: datetime) -> Row | None:
    """The row, its date read against the moment `at`; None where it says nothing that could be told. What it says besides its
    date is not worked out again for a row that was in one of the last answers: a catalogue of thousands of rows is published
    again and again with one of them changed."""
    found, said = _read(row, wanted)
    if found is None:
        return None
    if said:
        return replace(found, published=_when(said, at, wanted.timezone))
    return found if plausible(found.published, at) is found.published else replace(found, published=None)


def _read(row: Any, wanted: Wanted) -> tuple[Row | None, str | None]:
    try:
        packed = _Packed(row)
    except ValueError:  # nested more deeply than marshal takes
        return _undated(row, wanted)
    if len(packed.packed) > _LONGEST:
        return _undated(row, wanted)
    found = _remembered(packed, wanted)
    packed.row = None
    return found


@lru_cache(maxsize=4096)
def _remembered(packed: _Packed, wanted: Wanted) -> tuple[Row | None, str | None]:
    return _undated(packed.row, wanted)


def wanted(options: Any, base: str, timezone: str) -> Wanted:
    """The expressions of `JsonOptions`, ready to be asked."""

    def asked(expression: str | None) -> Asked | None:
        return None if expression is None else jmes.compiled(expression)

    link = options.link
    several = isinstance(options.text, tuple)
    return Wanted(
        title=jmes.compiled(options.title),
        key=asked(options.key),
        link=jmes.template(link) if link and jmes.is_template(link) else asked(link),
        date=asked(options.date),
        summary=asked(options.summary),
        fields=tuple((name.strip('"'), jmes.compiled(name)) for name in options.text) if several else None,
        body=None if several else asked(options.text),
        labels=tuple((name, jmes.compiled(one)) for name, one in options.labels.items()),
        base=base,
        timezone=timezone,
    )


def _undated(row: Any, wanted: Wanted) -> tuple[Row | None, str | None]:
    """The row, and what it says of its date where that depends on the day on which it is read."""
    key = _line(wanted.key(row)) if wanted.key else ""
    url = rows.address(wanted.base, jmes.scalar(wanted.link(row))) if wanted.link else None
    said = _text(row, wanted)
    summary = rows.plain(jmes.scalar(wanted.summary(row)) or "") if wanted.summary else ""
    title = _line(wanted.title(row)) or key or rows.short_title(summary or said or "")
    if not (title or url):
        return None, None
    dated = jmes.scalar(wanted.date(row)) if wanted.date else None
    exact = exactly(dated, wanted.timezone) if dated else None
    found = Row(
        title=title,
        url=url,
        guid=key,
        published=exact,
        summary=summary,
        text=said,
        labels=tuple(dict.fromkeys((*_labels(row, wanted), *_named(key, title)))) if wanted.labels or key else (),
    )
    return found, dated if exact is None else None


def _text(row: Any, wanted: Wanted) -> str | None:
    """The row's own text. Fields become lines in the order of the options; those of a whole object in that of their names, since
    an object has none."""
    if wanted.fields is not None:
        return _lines((name, ask(row)) for name, ask in wanted.fields)
    if wanted.body is None:
        return None
    value = wanted.body(row)
    if isinstance(value, dict):
        return _lines((text.line(name), value[name]) for name in sorted(value))
    if isinstance(value, list):
        return "\n".join(line for one in value if (line := _value(one)))
    return rows.plain(value) if isinstance(value, str) else _value(value)


def _lines(fields: Iterator[tuple[str, Any]]) -> str:
    """`name: value`, a line a field, so that a changed field is one changed line; a field without a value has none."""
    return "\n".join(f"{name}: {shown}" for name, value in fields if (shown := _value(value)))


def _value(value: Any) -> str:
    """A value on one line, the same for equal values: what is nested as compact JSON with sorted keys."""
    if value is None:
        return ""
    shown = jmes.scalar(value)
    return text.line(_COMPACT.encode(value) if shown is None else shown)


def _line(value: Any) -> str:
    return text.line(jmes.scalar(value) or "")


def _labels(row: Any, wanted: Wanted) -> Iterator[tuple[str, str]]:
    for name, ask in wanted.labels:
        value = ask(row)
        for one in value if isinstance(value, list) else [value]:
            if found := _line(one):
                yield name, found


def _named(key: str, title: str) -> Iterator[tuple[str, str]]:
    """The label of a key that is a flaw's official id, which its title does not say."""
    if key.upper() in (*flaws.cves(key), *flaws.ids(key)) and key.lower() not in title.lower():
        yield key.partition("-")[0].lower(), key


def _when(said: str, at: datetime, timezone: str) -> When | None:
    """Text in any of the forms of dates; a number is seconds or milliseconds since 1970 (a day such as 20260105 is not)."""
    if said.isascii() and said.isdigit() and len(said) in (10, 13):
        seconds = int(said) / (1000 if int(said) >= _MILLISECONDS else 1)
        return plausible(datetime.fromtimestamp(seconds, UTC), at)
    return published(said, at, timezone)
