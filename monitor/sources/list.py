"""The kind `list`: rows of an HTML page, found by CSS selectors, become a listing.

It runs no script and reads no notice's own page. What rows are missing, or too few, is judged elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import regex
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from monitor import pattern, urls
from monitor.errors import ParseError
from monitor.html import dom
from monitor.html.dom import Element
from monitor.model import Fetched, Listing, Notice, Odd, Request, Source
from monitor.sources import listed, listrow, rows
from monitor.sources.listrow import Wanted
from monitor.sources.rows import Row

_CUT = Odd("incomplete", "page incomplete: it breaks off before </html>")
#: The name of the root element, after comments and instructions, each of which ends at its first end: nothing is tried twice.
_ROOT = re.compile(r"(?:\s|<!--(?:(?!-->).)*+-->|<\?(?:(?!\?>).)*+\?>)*+<(?:!DOCTYPE\s+)?([\w:.-]+)", re.DOTALL | re.IGNORECASE)
#: More rows than any list shows on a page: the selector catches something else.
_MOST_ROWS = 20_000


def _selector(css: str) -> str:
    if not css.strip():
        raise ValueError("an empty CSS selector matches nothing; leave the key out")
    dom.compiled((css,))
    return css


def _next_page(value: str) -> str:
    if value.startswith("css:"):
        _selector(value.removeprefix("css:").strip())
    elif "{page}" not in value:
        raise ValueError(f'"{value}" names no page: write a template such as "index_{{page}}.html", or "css:a.next"')
    return value


def _numbered(written: str) -> str:
    try:
        groups = pattern.compiled(written).groups
    except pattern.NoPattern as error:
        raise ValueError(f"/{written}/ is not a regular expression: {error}") from None
    if groups != 1:
        raise ValueError(f"/{written}/ needs one group, which is how many pages there are")
    return written


Selector = Annotated[str, AfterValidator(_selector)]


class RowOptions(BaseModel):
    """How a row of HTML is read: CSS selectors (level 3), those below `items` looked for inside the row."""

    model_config = ConfigDict(extra="forbid")

    items: Selector = Field(description="the rows, e.g. ul.list > li")
    link: Selector = Field("a", description="the row's link; its address is the notice's")
    title: Selector | None = Field(None, description="the row's title; absent: the link's title attribute or text")
    date: Selector | None = Field(None, description="the row's date; absent: the date in its text")
    summary: Selector | None = Field(None, description="a text about the notice")


class ListOptions(RowOptions):
    """What a source of kind `list` says of its page besides its rows. `next` is a template of the address with `{page}`, or
    `css:` and the selector of a link; `first_next` is the number of page 2, `downwards` finds it where pages are numbered from
    the end."""

    next: Annotated[str, AfterValidator(_next_page)] | None = Field(None, description='e.g. "index_{page}.html" or "css:a.next"')
    first_next: int = Field(1, ge=0, description="what {page} is on page 2")
    downwards: Annotated[str, AfterValidator(_numbered)] | None = Field(
        None, description='pages are numbered downwards: a pattern whose group is how many there are, e.g. "maxPageNum=(\\d+)"'
    )


class List:
    """The door: see `monitor.sources.SourceKind`."""

    Options = ListOptions
    version = 1
    shaping = frozenset({"items", "link", "title", "date", "summary"})

    def begin(self, source: Source, state: Mapping[str, Any], now: datetime) -> Request:
        """The source's own address; a list needs no state."""
        return rows.first_request(source)

    def parse(self, source: Source, got: Fetched) -> Listing:
        """Every row of the page, in its order. Raises ParseError for what is no HTML."""
        options: ListOptions = source.options
        raw = rows.decoded(got)
        _refuse_foreign(raw, got)
        root = dom.parse(raw)
        asked = wanted(options, root, source, got)
        found, unusable = found_rows(dom.matches(root, (options.items,)), asked, got.url)
        whole = "<html" not in raw.lower() or re.search(r"</(?:html|body)\s*>", raw, re.IGNORECASE) is not None
        problems = [*rows.doubts(got, raw)]
        if not whole:
            problems.append("the page does not end with </html>; it may be incomplete")
        if not found:
            problems.append(nothing(root, options, got.url, unusable))
        following = _next(root, raw, asked, options, got) if found else None
        return Listing(
            notices=notices_of(source, found),
            next=following,
            complete=source.complete and following is None and whole,
            problems=tuple(problems),
            odd=_CUT if got.open_end and not whole else rows.damaged(got, raw),
        )


def _refuse_foreign(raw: str, got: Fetched) -> None:
    """Raises ParseError for nothing, for JSON and for XML that is no XHTML; binary data was refused before."""
    if not raw.strip():
        raise ParseError(f"{got.url} is an empty answer", hint="if it stays, look at the page in a browser", reason="not a list")
    if rows.looks_like_json(raw):
        raise ParseError(f"{got.url} is JSON, not an HTML page", hint='use kind = "json"', reason="not a list")
    opening = re.match(r"\s*<\?xml.*?\?>", raw, re.DOTALL)
    name = _ROOT.match(raw[:20_000])
    root = name[1].lower() if name else ""
    if root in ("rss", "rdf:rdf", "feed"):
        raise ParseError(f"{got.url} is a feed, not an HTML page", hint='use kind = "feed"', reason="not a list")
    if opening and root != "html":
        raise ParseError(
            f"{got.url} is XML (root element <{root}>), not an HTML page",
            hint="check the address of the source",
            reason="not a list",
        )


def wanted(options: RowOptions, root: Element, source: Source, got: Fetched) -> Wanted:
    """What is looked for in a row, and against what its links are resolved."""
    based = next((base for one in root.iter("base") if (base := rows.address(got.url, one.get("href")))), got.url)
    return Wanted(
        link=options.link,
        title=options.title,
        date=options.date,
        summary=options.summary,
        base=based,
        page=got.url,
        at=got.at,
        timezone=source.schedule.timezone,
    )


def found_rows(elements: Sequence[Element], wanted: Wanted, url: str) -> tuple[list[Row], int]:
    """The rows, and how many were left out because their links lead nowhere."""
    if len(elements) > _MOST_ROWS:
        raise ParseError(
            f"{url}: `items` matches {len(elements)} elements, which is no list",
            hint="make the selector narrower",
            reason="not a list",
        )
    found, unusable = [], 0
    for element in _outer(elements, wanted):
        row = listrow.read(element, wanted)
        if row is not None:
            found.append(row)
        elif listrow.links(element, wanted)[1]:
            unusable += 1
    return found, unusable


def _outer(elements: Sequence[Element], wanted: Wanted) -> list[Element]:
    """Rows that are not parts of another row. Where one lies in another, the outer is the row if its own link comes first (NDRC
    sets links to interpretations into its rows); else it is only the frame around them (a table within a table)."""
    chosen = set(elements)
    inside = {element: next((up for up in element.iterancestors() if up in chosen), None) for element in elements}
    holders = {up for up in inside.values() if up is not None}
    kept: dict[Element, bool] = {}
    for element in elements:
        up = inside[element]
        while up is not None and not kept[up]:
            up = inside[up]
        kept[element] = up is None and not (element in holders and _is_frame(element, chosen, wanted))
    return [element for element in elements if kept[element]]


def _is_frame(element: Element, chosen: set[Element], wanted: Wanted) -> bool:
    anchor = listrow.first_link(element, wanted)
    if anchor is None:
        return True
    if anchor is element:
        return False
    inner = next(up for up in (anchor, *anchor.iterancestors()) if up in chosen)
    return inner is not element


def notices_of(source: Source, found: Sequence[Row]) -> tuple[Notice, ...]:
    """Notices in the order of their first row, known by their address; see `listed`."""
    return listed.notices(source, found)


def nothing(root: Element, options: RowOptions, url: str, unusable: int) -> str:
    """Why a person finds no row: what came, and what each selector finds in the whole page."""
    named = {
        "items": options.items,
        "link": options.link,
        "title": options.title,
        "date": options.date,
        "summary": options.summary,
    }
    counts = ", ".join(f'{name} "{css}" matches {len(dom.matches(root, (css,)))}' for name, css in named.items() if css)
    title = rows.page_title(root)
    page = f"the page titled “{title}”" if title else "a page without a title"
    nowhere = f"; {unusable} rows only hold links that lead nowhere (scripts, mail addresses, this page)" if unusable else ""
    return f"no row on {page} at {url}: {counts}{nowhere}"


def _next(root: Element, raw: str, wanted: Wanted, options: ListOptions, got: Fetched) -> Request | None:
    """The request of the next page. A template is filled in beside page 1's address, wherever the pages after it lie."""
    if options.next is None:
        return None
    if options.next.startswith("css:"):
        usable, _ = listrow.links(root, replace(wanted, link=options.next.removeprefix("css:").strip()))
        return rows.next_request(got, usable[0][1]) if usable else None
    first = got.request.context.get("base") or wanted.base
    number: int | None = options.first_next + got.request.page - 1
    if options.downwards is not None:
        number = _number_below(raw, options.downwards, got.request)
    if number is None:
        return None
    name = options.next.replace("{page}", str(number))
    return rows.next_request(got, urls.join(first, name), base=first, number=str(number))


def _number_below(raw: str, downwards: str, request: Request) -> int | None:
    """The number of the next page where they are numbered downwards: page 1 says how many there are, it being the last."""
    before = request.context.get("number")
    if before is not None:
        return int(before) - 1 if int(before) > 1 else None
    try:
        found = regex.search(downwards, raw, timeout=pattern.SECONDS)
    except TimeoutError:
        return None
    total = int(found[1]) if found and re.fullmatch(r"\d{1,6}", found[1] or "") else 0
    return total - 1 if total > 1 else None
