"""The kind `json`: rows of a JSON answer, found by JMESPath, become a listing; each row's fields are its text, a line a field.

It reads no notice's own page. How bytes become JSON is in `jsonload`, expressions in `jmes`, a row in `jsonrow`, what is filled
into addresses and bodies in `asking`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo
from pydantic import field_validator as validator

from monitor import urls
from monitor.errors import ParseError
from monitor.model import Fetched, Listing, Request, Source
from monitor.sources import asking, jmes, jsonload, jsonrow, rows
from monitor.sources.asking import Place

#: The name under which a cookie is kept.
COOKIE = "cookie"
#: More pages than any list has that is asked for as a whole: the site does not know how to end.
_MOST_PAGES = 500
_SPAN = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?", re.ASCII)
_LABEL = re.compile(r"[^\W\d][\w.-]*")


def _expression(written: str) -> str:
    jmes.compiled(written)
    return written


def _link(written: str) -> str:
    (jmes.template if jmes.is_template(written) else jmes.compiled)(written)
    return written


def _next(written: str) -> str:
    if not jmes.is_template(written):
        return _expression(written)
    if not {"page", "offset"} & asking.names(written):
        raise ValueError(f'"{written}" names no page: write a template with {{page}} or {{offset}}, or an expression')
    return written


def _address(written: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+/\S*", written):
        raise ValueError(f'"{written}" is not a web address')
    return written


def _labels(written: dict[str, str]) -> dict[str, str]:
    for name in written:
        if not _LABEL.fullmatch(name):
            raise ValueError(f'"{name}" cannot be the name of a label; use letters, digits, "_", "-" and "."')
    return written


def _state(written: dict[str, str]) -> dict[str, str]:
    for name in written:
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or name in ("until", COOKIE):
            raise ValueError(f'"{name}" cannot be a name here; use Latin letters, digits and "_", and not "until" or "cookie"')
    return written


def _span(written: str) -> timedelta:
    found = _SPAN.fullmatch(written)
    if found is None or not any(found.groups()):
        raise ValueError(f'"{written}" is not a duration of days, hours and minutes; write for example "120d" or "2h"')
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def _duration(written: str) -> str:
    _span(written)
    return written


Expression = Annotated[str, AfterValidator(_expression)]
Duration = Annotated[str, AfterValidator(_duration)]
Texts = Annotated[
    Annotated[Expression, Tag("one")] | Annotated[tuple[Expression, ...], Tag("many")],
    Discriminator(lambda value: "one" if isinstance(value, str) else "many"),
]


class JsonOptions(BaseModel):
    """What a source of kind `json` says of its answer: JMESPath expressions, but for `page_param`, `first_next`, `overlap`,
    `window` and the templates. `items`, `count`, `next` and `state` are asked of the whole answer, the others of a row."""

    model_config = ConfigDict(extra="forbid")

    items: Expression = Field("@", description='the list of rows, e.g. "data.list"; default: the answer itself')
    key: Expression | None = Field(None, description="the row's identity; absent: its link, else its title")
    title: Expression = Field(description="the notice's title")
    date: Expression | None = Field(None, description="when it was published: text, or seconds or milliseconds since 1970")
    link: Annotated[str, AfterValidator(_link)] | None = Field(
        None, description='the address of its page: an expression, or a template such as "https://a.example/{id}"'
    )
    summary: Expression | None = Field(None, description="a text about the notice")
    text: Texts | None = Field(
        None, description="the row's own text: a list of fields, a line each; or one expression (an object gives all its fields)"
    )
    labels: Annotated[dict[str, Expression], AfterValidator(_labels)] = Field(
        default_factory=dict, description="what routes can ask for: names, and what they stand for in a row"
    )
    count: Expression | None = Field(None, description="how many rows there are in all: fewer is a failed check")
    next: Annotated[str, AfterValidator(_next)] | None = Field(
        None, description='the next page: an expression (an address, or what page_param takes), or "index_{page}.json"'
    )
    page_param: str | None = Field(None, min_length=1, description="the parameter of the address that takes the next page")
    first_next: int = Field(2, ge=0, description="what {page} is on page 2")
    cookie_from: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="an address that is asked first, for the cookie that the interface wants"
    )
    overlap: Duration = Field("2h", description="how much of the span before is asked about again")
    window: Duration | None = Field(None, description="the longest span from {since} to {now}")
    state: Annotated[dict[str, Expression], AfterValidator(_state)] = Field(
        default_factory=dict, description="what is kept of an answer for the next check, as {state.NAME}"
    )

    @validator("window")
    @classmethod
    def _moves_on(cls, window: str | None, info: ValidationInfo) -> str | None:
        overlap = info.data.get("overlap")
        if window is not None and overlap is not None and _span(window) <= _span(overlap):
            raise ValueError(f'"{window}" must be longer than "overlap", which is "{overlap}"')
        return window


class Json:
    """The door: see `monitor.sources.SourceKind`."""

    Options = JsonOptions
    version = 1
    shaping = frozenset({"items", "key", "title", "date", "link", "summary", "text"})

    def problems(self, source: Source) -> dict[str, str]:
        """What the templates of the addresses and the body have that nothing fills, or lack."""
        options: JsonOptions = source.options
        found: dict[str, str] = {}
        for key, addresses in (("url", (source.url,)), ("fallback", source.fallback)):
            try:
                for address in addresses:
                    asking.check_url(address)
            except ValueError as error:
                found[key] = str(error)
        filled = asking.names(source.url, source.body)
        if options.window is not None and "since" not in filled:
            found["window"] = "goes with {since} in the address or the body"
        if "next" in filled and (options.next is None or jmes.is_template(options.next)):
            found["url"] = "{next} goes with `next`, an expression that names the next page"
        if unknown := asking.kept_names(source.url, source.body) - options.state.keys():
            name = min(unknown)
            found["url"] = f'{{state.{name}}} goes with `state = {{ {name} = "…" }}`, an expression that says what is kept'
        return found

    def begin(self, source: Source, state: Mapping[str, Any], now: datetime) -> Request:
        """The request of page 1. `state` holds the end of the span that was asked about last ("until", ISO 8601), and what the
        options keep of an answer."""
        options: JsonOptions = source.options
        window = None if options.window is None else _span(options.window)
        since, until = asking.span(state, now, source.since, window, _span(options.overlap))
        if options.cookie_from is not None and COOKIE not in state:
            context = {"step": COOKIE, "state": dict(state)}
            return Request(options.cookie_from, via=source.via, headers=source.headers, context=context)
        kept = {name: str(state[name]) for name in (*options.state, "until", COOKIE) if name in state}
        spans = "since" in asking.names(source.url, source.body)
        place = Place(since, until if spans else now, number=max(options.first_next - 1, 0), state=kept)
        return _request(source, place)

    def parse(self, source: Source, got: Fetched) -> Listing:
        """Every row of the answer, in its order. Raises ParseError where it is no JSON, holds no list where one is looked for, or
        fewer rows than it says itself."""
        if got.request.context.get("step") == COOKIE:
            cookie = "; ".join(f"{name}={value}" for name, value in got.cookies)
            following = self.begin(source, {**got.request.context["state"], COOKIE: cookie}, got.at)
            return Listing((), next=following, last_step=False)
        try:
            return _parse(source, got)
        except RecursionError as error:
            raise jsonload.too_deep(got.url) from error


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer on its way to a listing: its value, its rows, and how many it says there are (None where it is not asked)."""

    source: Source
    options: JsonOptions
    got: Fetched
    place: Place
    value: Any
    items: Sequence[Any]
    stated: int | None

    @property
    def so_far(self) -> int:
        return self.place.offset + len(self.items)

    @property
    def whole(self) -> bool:
        """Whether every page has to be had: of a catalogue, and of a span of time that is not asked about again."""
        return self.source.complete or "since" in asking.names(self.source.url, self.source.body)


def _parse(source: Source, got: Fetched) -> Listing:
    options: JsonOptions = source.options
    value, raw = jsonload.load(got)
    place = asking.place_of(got.request.context, got.at)
    answer = _Answer(
        source, options, got, place, value, _items(source, options, value, got.url), _stated(options, value, got.url)
    )
    wanted = jsonrow.wanted(options, got.url, source.schedule.timezone)
    found = [row for item in answer.items if (row := jsonrow.read(item, wanted, got.at)) is not None]
    notices = rows.notices(source, found)
    following = _following(answer)
    if notices and following is not None:
        following = _headed(answer, following, notices[0].key)
    if following is None:
        _check_count(answer)
    lost = len(answer.items) - len(found)
    problems = [f"{lost} of {len(answer.items)} rows say nothing that could be told"] if lost else []
    return Listing(
        notices=notices,
        next=following,
        last_step=not (answer.whole and following is not None),
        complete=source.complete and following is None and not lost,
        state=_kept(answer),
        problems=(*rows.doubts(got, raw), *problems),
        odd=rows.damaged(got, raw),
    )


def _items(source: Source, options: JsonOptions, value: Any, url: str) -> Sequence[Any]:
    items = jmes.compiled(options.items)(value)
    if isinstance(items, list):
        return items
    if items is None and source.allow_empty and isinstance(value, dict):
        return ()
    if items is None:
        said = f'nothing at "{options.items}"; the answer is {jsonload.described(value)}'
    else:
        said = f'{jsonload.described(items)} at "{options.items}", not a list'
    raise ParseError(
        f"{url} has {said}",
        hint="if the site reports an error, wait; if it was rebuilt, correct `items` (monitor preview shows what it finds)",
        reason="no list",
    )


def _stated(options: JsonOptions, value: Any, url: str) -> int | None:
    """How many rows the answer says there are."""
    if options.count is None:
        return None
    found = jmes.scalar(jmes.compiled(options.count)(value)) or ""
    if not re.fullmatch(r"\d{1,12}", found, re.ASCII):
        raise ParseError(
            f'{url} has no number at "{options.count}", where the number of its rows should be',
            hint="correct `count`, or leave it out",
            reason="count",
        )
    return int(found)


def _check_count(answer: _Answer) -> None:
    """Raises ParseError where the answer (all pages of it, where all are asked) does not hold as many rows as it says."""
    if answer.stated in (None, answer.so_far) or not (answer.whole or not _is_paged(answer)):
        return
    if answer.so_far < (answer.stated or 0):
        raise ParseError(
            f"publication truncated: {answer.so_far:,} of {answer.stated:,} rows",
            hint="nothing is taken from it; if the next checks say the same, tell the publisher, or correct `count`",
            reason="truncated",
        )
    raise ParseError(
        f"publication inconsistent: {answer.so_far:,} rows, and it says {answer.stated:,}",
        hint="nothing is taken from it; if the next checks say the same, correct `count`, or leave it out",
        reason="count",
    )


def _is_paged(answer: _Answer) -> bool:
    source, options = answer.source, answer.options
    return bool(options.next or options.page_param or {"page", "offset", "next"} & asking.names(source.url, source.body))


def _kept(answer: _Answer) -> dict[str, Any]:
    """The state: the end of the span that was asked about, and what the options keep."""
    kept = dict(answer.place.state)
    for name, expression in answer.options.state.items():
        found = jmes.scalar(jmes.compiled(expression)(answer.value))
        if found is not None:
            kept[name] = found
    if "since" in asking.names(answer.source.url, answer.source.body):
        kept["until"] = answer.place.now.isoformat()
    return kept


def _request(source: Source, place: Place, address: str | None = None) -> Request:
    """The request of a place; `address` where it does not follow from the template."""
    timezone = source.schedule.timezone
    asked = asking.url(source.url, place, timezone) if address is None else address
    place = replace(place, first=place.first or asked)
    return Request(
        asked,
        via=source.via,
        method=source.method,
        headers=(*source.headers, ("Cookie", place.state[COOKIE])) if place.state.get(COOKIE) else source.headers,
        body=asking.body(source.body, place, timezone),
        page=place.page,
        context=place.context(),
    )


def _following(answer: _Answer) -> Request | None:
    """The request of the next page; None where there is none, or it would be this one again."""
    if not answer.items or (answer.stated is not None and answer.so_far >= answer.stated) or not _is_paged(answer):
        return None
    source, options, place, asked = answer.source, answer.options, answer.place, answer.got.request
    number = options.first_next + place.page - 1
    there = replace(place, page=place.page + 1, number=number, offset=answer.so_far)
    filled = asking.names(source.url, source.body)
    address: str | None = None
    if options.next is not None and not jmes.is_template(options.next):
        named = jmes.scalar(jmes.compiled(options.next)(answer.value))
        if not named:
            return None
        there = replace(there, next=named)
        if "next" not in filled:
            address = asking.with_parameter(asked.url, options.page_param, named) if options.page_param else None
            address = address or rows.address(answer.got.url, named)
            if address is None:
                return None
    elif options.next is not None:
        address = urls.join(place.first or asked.url, asking.url(options.next, there, source.schedule.timezone))
    elif options.page_param is not None:
        address = asking.with_parameter(asked.url, options.page_param, str(number))
    request = _request(source, there, address)
    return None if (request.url, request.body) == (asked.url, asked.body) else request


def _headed(answer: _Answer, following: Request, head: str) -> Request:
    """The next request, which knows how this page began. Raises ParseError where pages that must all be had do not end."""
    again = answer.place.page > 1 and answer.place.head == head
    if answer.whole and (again or answer.place.page >= _MOST_PAGES):
        said = f"page {answer.place.page} is the page before again" if again else f"there is no end after {_MOST_PAGES} pages"
        raise ParseError(
            f"{answer.got.url}: {said}",
            hint="the site does not take the page number so: correct `page_param`, `next` or the template",
            reason="pages",
        )
    return replace(following, context={**following.context, "head": head})
