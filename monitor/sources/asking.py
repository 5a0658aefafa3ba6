"""Requests of sources that are asked by page, position or time: {…} in `url` and `body` filled in. It sends nothing, reads no clock.

| in the template | what it becomes |
|---|---|
| `{page}` | the number of the page |
| `{offset}` | how many rows the pages before held |
| `{next}` | what the answer before named as the next; empty at first |
| `{since}`, `{now}` | the ends of the span that is asked about: ISO 8601 in UTC; `{now:%Y-%m-%d}` as strftime says, in local time; `{now:s}` and `{now:ms}` seconds and milliseconds since 1970 |
| `{state.NAME}` | what the last accepted answer said of it; empty at first |
"""  # noqa: E501 - one line a row of the table

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

_HOLE = re.compile(r"\{(?:(page|offset|next)|(since|now)(?::([^{}]*))?|state\.([A-Za-z_]\w*))\}")
_ANY_HOLE = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a list a request asks: what its templates are filled with, as small JSON in `Request.context`. `first` is the
    address of page 1, `head` the key of the first row of the page before."""

    since: datetime
    now: datetime
    page: int = 1
    number: int = 1  # what {page} becomes
    offset: int = 0
    next: str = ""
    first: str = ""
    head: str = ""
    state: Mapping[str, str] = field(default_factory=dict)

    def context(self) -> dict[str, Any]:
        """As `Request.context` carries it."""
        return {
            "since": self.since.isoformat(),
            "now": self.now.isoformat(),
            "page": self.page,
            "number": self.number,
            "offset": self.offset,
            "next": self.next,
            "first": self.first,
            "head": self.head,
            "state": dict(self.state),
        }


def place_of(context: Mapping[str, Any], at: datetime) -> Place:
    """The inverse of `Place.context`; page 1 where there is none. `at` stands for missing moments."""
    if not context:
        return Place(at, at)
    moments = {name: datetime.fromisoformat(context[name]) for name in ("since", "now")}
    return replace(Place(at, at), **{**{name: value for name, value in context.items() if name != "anew"}, **moments})


def names(*templates: str) -> set[str]:
    """Which of the fillings the templates ask for; "state" for any of the state."""
    return {hole[1] or hole[2] or "state" for template in templates for hole in _HOLE.finditer(template)}


def kept_names(*templates: str) -> set[str]:
    """The names of the state that the templates ask for."""
    return {hole[4] for template in templates for hole in _HOLE.finditer(template) if hole[4] is not None}


def check_url(url: str) -> None:
    """Raises ValueError with a sentence where an address has {…} that nothing fills, or before its path."""
    for hole in _ANY_HOLE.findall(url):
        if not _HOLE.fullmatch(hole):
            known = "{page}, {offset}, {next}, {since}, {now}, {since:%Y-%m-%d} and {state.NAME}"
            raise ValueError(f'"{hole}" in the address is none of {known}')
    if _ANY_HOLE.search("/".join(url.split("/", 3)[:3])):
        raise ValueError("the name of the site cannot be filled in: only what comes after it")


def span(
    state: Mapping[str, Any], now: datetime, since: timedelta, window: timedelta | None, overlap: timedelta
) -> tuple[datetime, datetime]:
    """The span to ask about: from `overlap` before the end of the last accepted one (at first, `since` ago) to now, or no longer
    than `window`. A clock that was set back asks about the last `overlap`."""
    until = state.get("until")
    start = datetime.fromisoformat(until) - overlap if isinstance(until, str) else now - since
    start = min(start, now - overlap)
    return start, now if window is None else min(now, start + window)


def url(template: str, place: Place, timezone: str) -> str:
    """The address, what is filled in percent-encoded (RFC 3986)."""
    return _fill(template, place, timezone, lambda found: quote(found, safe=""))


def body(template: str, place: Place, timezone: str) -> bytes:
    """The body: what is filled in is escaped for JSON where the body is JSON, else for a form."""
    if template.lstrip()[:1] in ("{", "["):
        return _fill(template, place, timezone, lambda found: json.dumps(found, ensure_ascii=False)[1:-1]).encode()
    return _fill(template, place, timezone, lambda found: quote(found, safe="")).encode()


def _fill(template: str, place: Place, timezone: str, escaped: Callable[[str], str]) -> str:
    def filled(hole: re.Match[str]) -> str:
        if hole[4] is not None:
            return escaped(place.state.get(hole[4], ""))
        if hole[2] is not None:
            return escaped(_moment(place.since if hole[2] == "since" else place.now, hole[3] or "", timezone))
        return escaped({"page": str(place.number), "offset": str(place.offset), "next": place.next}[hole[1]])

    return _HOLE.sub(filled, template)


def _moment(moment: datetime, form: str, timezone: str) -> str:
    if form in ("s", "ms"):
        return str(int(moment.timestamp() * (1000 if form == "ms" else 1)))
    if form:
        return moment.astimezone(ZoneInfo(timezone)).strftime(form)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def with_parameter(address: str, name: str, value: str) -> str:
    """The address with this query parameter, in the place of one that has its name; the others stay as they are written."""
    parts = urlsplit(address)
    mine = f"{quote(name, safe='[]')}={quote(value, safe='')}"
    others = parts.query.split("&") if parts.query else []
    found = [mine if one.partition("=")[0] in (name, quote(name, safe="[]")) else one for one in others]
    if mine not in found:
        found.append(mine)
    return urlunsplit(parts._replace(query="&".join(found)))
