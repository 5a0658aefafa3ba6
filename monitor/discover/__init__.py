"""An address that a person names becomes a source to paste: a feed, by content or by a page's links; a JSON list, by its fields;
a publishing system that is known by its marks; a plain list, by repeated rows.

Pure: it fetches nothing; who asks fetches what a suggestion's `ask` names and hands the answer to `completed`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from monitor import urls
from monitor.discover import groups, jsonlist, paging, systems
from monitor.discover.paste import id_of, name_for, toml
from monitor.discover.suggestion import Suggestion, best, parsed
from monitor.errors import ParseError
from monitor.html import dom
from monitor.html.dom import Element
from monitor.model import Fetched, Request, Source
from monitor.sources import jpaas, rows

__all__ = [
    "Suggestion",
    "best",
    "by_address",
    "completed",
    "first_page",
    "fitting",
    "id_of",
    "name_for",
    "nothing",
    "over",
    "suggest",
    "toml",
]

by_address = systems.by_address
nothing = systems.nothing

#: Media types of a page's links to its feeds (RFC 4287; JSON Feed 1.1; the RSS board's autodiscovery).
FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
#: Lists that are shown of one page, at most.
_LISTS = 3
_FEED_ADDRESS = re.compile(r"(/(rss|atom|feed)(/|\.xml|\.json|\.php|$)|\.rss$|[?&](feed|format)=(rss|atom))", re.IGNORECASE)


def suggest(got: Fetched) -> list[Suggestion]:
    """What the answer could be a source of, the best first: the answer itself as a feed or a JSON list; of a page, what its marks
    lead to, feeds that it links to, lists on it, JSON that its scripts name."""
    if (feed := _as_feed(got)) is not None:
        return [feed]
    if (found := jsonlist.suggestion(got, "a JSON answer")) is not None:
        return [found]
    root = _page(got)
    if root is None:
        return []
    lists = _lists(root, got)
    named = [] if lists else systems.named_interfaces(root, got)
    return [*systems.by_marks(root, got), *_linked_feeds(root, got), *lists, *named]


def completed(suggestion: Suggestion, got: Fetched) -> Suggestion | None:
    """The suggestion with its rows, out of the answer to its `ask`, or with a further question; None where there is nothing."""
    if suggestion.kind == "feed":
        feed = _as_feed(got)
        return replace(feed, why=suggestion.why, page=suggestion.page) if feed else None
    return systems.completed(suggestion, got)


def first_page(got: Fetched) -> str | None:
    """The address of page 1 of a list, where this is a later page of it."""
    root = _page(got)
    return None if root is None else paging.first_page(root, got.url)


def fitting(source: Source, got: Fetched) -> Suggestion | None:
    """What would fit an answer in which a source finds no rows: a suggestion of its own kind, else any that shows rows."""
    if source.kind == "jpaas" and (markup := jpaas.markup_of(got)):
        for keys in systems.unit_keys(markup, got):
            listing = parsed("jpaas", source.url, got, keys)
            if listing is not None and listing.notices:
                return Suggestion("jpaas", source.url, "the unit", keys, listing)
        return None
    found = suggest(got)
    return next((one for one in found if one.rows and one.kind == source.kind), None) or best(found)


def over(source: Source, found: Suggestion, got: Fetched) -> dict[str, Any] | None:
    """The keys that show the suggestion's rows when they are written over the source's own; None where none do."""
    own = source.options.model_dump(exclude_none=True, exclude_defaults=True) if source.kind == found.kind else {}
    wanted = [(notice.key, notice.title, notice.published) for notice in (found.listing.notices if found.listing else ())]
    for more in ({}, {"link": "a"}) if own else ():
        listing = parsed(source.kind, source.url, got, own | dict(found.keys) | more)
        if listing is not None and [(notice.key, notice.title, notice.published) for notice in listing.notices] == wanted:
            return dict(found.keys) | more
    return None


def _page(got: Fetched) -> Element | None:
    """The tree of an HTML page; None for what is none."""
    try:
        raw = rows.decoded(got)
        is_xml = raw.lstrip()[:5].lower() == "<?xml" and "<html" not in raw[:2000].lower()
        return None if rows.looks_like_json(raw) or is_xml or not raw.strip() else dom.parse(raw)
    except ParseError:
        return None


def _as_feed(got: Fetched) -> Suggestion | None:
    listing = parsed("feed", got.url, got, {})
    if listing is None:
        return None
    return Suggestion("feed", got.url, "the address is a feed" + ("" if listing.notices else " without rows"), {}, listing)


def _linked_feeds(root: Element, got: Fetched) -> list[Suggestion]:
    """Feeds that the page names by `<link rel=alternate>`, and links that look like one."""
    base = _base(root, got.url)
    found: dict[str, str] = {}
    for link in root.iter("link"):
        named = "alternate" in (link.get("rel") or "").lower().split() and (link.get("type") or "").lower().strip() in FEED_TYPES
        if named and (url := urls.join(base, link.get("href") or "")):
            found.setdefault(url, "the page names it as its feed")
    for link in root.iter("a"):
        url = urls.join(base, link.get("href") or "")
        if url and _FEED_ADDRESS.search(url):
            found.setdefault(url, "a link of the page looks like a feed")
    return [Suggestion("feed", url, why, ask=Request(url)) for url, why in found.items()]


def _base(root: Element, url: str) -> str:
    for element in root.iter("base"):
        if (href := element.get("href")) and (base := urls.join(url, href)):
            return base
    return url


def _lists(root: Element, got: Fetched) -> list[Suggestion]:
    """The lists on a page, the likeliest first; those whose selector gives the same rows only once."""
    found: list[Suggestion] = []
    shown: list[frozenset[str]] = []
    for group in groups.found(root, got.at)[:8]:
        keys = groups.keys(root, group, got.at)
        listing = parsed("list", got.url, got, keys) if keys else None
        if keys is None or listing is None or len(listing.notices) < groups.LEAST_ROWS:
            continue
        same = frozenset(notice.key for notice in listing.notices)
        if any(same & other for other in shown):
            continue
        shown.append(same)
        count = len(listing.notices)
        why = f"{count} rows of link and date" if group.dated else f"{count} rows of links"
        if group.scripted:
            why = f"{count} rows of title and date, whose links are scripts: a row is known by its title"
        found.append(Suggestion("list", got.url, why, {**keys, **paging.following(root, got.url, count)}, listing))
        if len(found) == _LISTS:
            break
    return found
