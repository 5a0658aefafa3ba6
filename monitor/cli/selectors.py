"""What each selector and expression of a source finds in an answer, and what would find its rows in it now.

Pure work on bytes from outside: it is done in a child. It asks for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from monitor import discover, text
from monitor.discover import Suggestion
from monitor.errors import ParseError
from monitor.html import dom
from monitor.html.dom import Element
from monitor.model import Fetched, Notice, Source
from monitor.sources import jmes, jpaas, jsonload, rows
from monitor.sources.jsonrows import JsonOptions
from monitor.sources.list import ListOptions, RowOptions

#: Characters of what a selector found first.
FIRST = 60


@dataclass(frozen=True, slots=True)
class Match:
    """One key of a source: `written` as it stands there, what it found in words, the first of it, and whether that is enough."""

    key: str
    written: str
    found: str
    first: str
    well: bool


@dataclass(frozen=True, slots=True)
class Examined:
    """An answer as a source would read it. `title` is the page's; `fits` is what would show rows now, `common` how many of these
    rows are known."""

    title: str
    matches: tuple[Match, ...]
    fits: Suggestion | None = None
    common: int = 0


def examine(source: Source, got: Fetched, keys: Collection[str], titles: Collection[str]) -> Examined:
    """What the source's selectors find in an answer; `keys` and `titles` (folded) are those of the notices that are known."""
    page = _page(got)
    title = rows.page_title(page) if page is not None else ""
    options = source.options
    if isinstance(options, JsonOptions):
        matches = tuple(_of_json(options, got))
    else:
        inner = _unit(source, got) if source.kind == "jpaas" else page
        matches = tuple(_of_page(source, inner)) if inner is not None else ()
    fits, common = _fitting(source, got, keys, titles)
    return Examined(title, matches, fits, common)


def shared(notices: Sequence[Notice], keys: Collection[str], titles: Collection[str]) -> int:
    """How many of the rows are known by address or title."""
    return sum(notice.key in keys or text.fold(notice.title) in titles for notice in notices)


def _page(got: Fetched) -> Element | None:
    try:
        raw = rows.decoded(got)
        return None if not raw.strip() or rows.looks_like_json(raw) else dom.parse(raw)
    except ParseError:
        return None


def _unit(source: Source, got: Fetched) -> Element | None:
    markup = jpaas.markup_of(got)
    return None if markup is None else dom.parse(f"<html><body>{markup}</body></html>")


def _fitting(source: Source, got: Fetched, keys: Collection[str], titles: Collection[str]) -> tuple[Suggestion | None, int]:
    """Of all that would show rows, what shows most of those that are known; of what shows none of them, the likeliest."""
    fallback = discover.fitting(source, got)
    found = [fallback] if source.kind == "jpaas" else [one for one in discover.suggest(got) if one.rows]
    counted = [(shared(one.listing.notices, keys, titles), one) for one in found if one is not None and one.listing is not None]
    most = max((common for common, _ in counted), default=0)
    if most:
        return next(one for common, one in counted if common == most), most
    return fallback, 0


# --- pages


def _of_page(source: Source, page: Element) -> Iterator[Match]:
    options = source.options
    if isinstance(options, RowOptions):
        items = dom.matches(page, (options.items,))
        yield Match("items", options.items, _times(len(items)), _first(items), bool(items))
        for key, css in (("link", options.link), ("title", options.title), ("date", options.date), ("summary", options.summary)):
            if css is not None:
                yield _inside(key, css, items, page)
    elif isinstance(title := getattr(options, "title", None), str):  # of a page that is one notice
        found = dom.matches(page, (title,))
        yield Match("title", title, _times(len(found)), _first(found), bool(found))
        for key, several in (("select", source.reading.select), ("ignore", source.reading.ignore)):
            for css in several:
                found = dom.matches(page, (css,))
                yield Match(key, css, _times(len(found)), _first(found), bool(found) or key == "ignore")
    if isinstance(options, ListOptions) and (following := options.next) and following.startswith("css:"):
        found = dom.matches(page, (following.removeprefix("css:").strip(),))
        yield Match("next", following, _times(len(found)), _first(found), bool(found))


def _inside(key: str, css: str, items: Sequence[Element], page: Element) -> Match:
    """What a selector that belongs to rows finds in them; where there are none, in the whole page."""
    if not items:
        found = dom.matches(page, (css,))
        return Match(key, css, f"{_times(len(found))} on the page, which has no rows", _first(found), False)
    each = [dom.matches(item, (css,)) for item in items]
    filled = [found for found in each if found]
    said = f"in {len(filled)} of {len(items)} rows"
    return Match(key, css, said, _first(filled[0]) if filled else "", 2 * len(filled) > len(items))


def _times(number: int) -> str:
    return "1 match" if number == 1 else f"{number} matches"


def _first(found: Sequence[Element]) -> str:
    if not found:
        return ""
    said = dom.line_of(found[0]) or found[0].get("href") or f"<{found[0].tag}> without text"
    return said if len(said) <= FIRST else said[: FIRST - 1] + "…"


# --- JSON


def _of_json(options: JsonOptions, got: Fetched) -> Iterator[Match]:
    try:
        value, _ = jsonload.load(got)
    except ParseError as error:
        yield Match("items", options.items, error.message, "", False)
        return
    items = jmes.compiled(options.items)(value)
    described = jsonload.described(items) if items is not None else f"nothing; the answer is {jsonload.described(value)}"
    listed = items if isinstance(items, list) else []
    yield Match("items", options.items, described, _shown(listed[0]) if listed else "", bool(listed))
    asked: list[tuple[str, str | None]] = [
        ("key", options.key), ("title", options.title), ("date", options.date), ("link", options.link),
        ("summary", options.summary),
    ]  # fmt: skip
    text_of = options.text
    asked += [("text", one) for one in ((text_of,) if isinstance(text_of, str) else text_of or ())]
    for key, written in asked:
        if written is not None:
            ask = jmes.template(written) if key == "link" and jmes.is_template(written) else jmes.compiled(written)
            found = [answer for item in listed if (answer := ask(item)) not in (None, "", [])]
            first = _shown(found[0]) if found else ""
            yield Match(key, written, f"in {len(found)} of {len(listed)} rows", first, 2 * len(found) > len(listed))
    if options.count is not None:
        counted = jmes.scalar(jmes.compiled(options.count)(value))
        yield Match("count", options.count, counted or "nothing", "", counted is not None)


def _shown(value: Any) -> str:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    said = text.line(said)
    return said if len(said) <= FIRST else said[: FIRST - 1] + "…"
