"""An address that a person names becomes a source to paste: a feed, by content or by a page's links; a list, by repeated rows.

Pure: it fetches nothing; who asks fetches the addresses that are suggested. It knows no site's system by name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from monitor import facts, sources, urls
from monitor.errors import ParseError
from monitor.html import dom
from monitor.html.dom import Element
from monitor.model import Fetched, Listing, Schedule, Source
from monitor.sources import rows

#: Fewer rows make no list.
LEAST_ROWS = 3
#: Media types of a page's links to its feeds (RFC 4287; JSON Feed 1.1; the RSS board's autodiscovery).
FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
#: Elements that rows are made of.
ROW_TAGS = frozenset({"li", "tr", "div", "dd", "dt", "p", "article", "section", "ul", "dl"})
#: A link in a row that is a notice has a title of at least so many characters.
SHORTEST_TITLE = 5
#: Class names that say nothing of what a thing is.
PASSING = re.compile(r"^(on|active|cur|current|hover|first|last|odd|even|clear|cf|clearfix|fl|fr|l|r)$|\d{3,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A source that fits: `keys` are those of a [[source]] table; `listing` what it shows (None where the address has yet to be
    fetched); `why` says what it was known by."""

    kind: str
    url: str
    why: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    listing: Listing | None = None


def suggest(got: Fetched) -> list[Suggestion]:
    """What the answer could be a source of, the best first: the answer itself as a feed, feeds that it links to, lists on it."""
    if (feed := _as_feed(got)) is not None:
        return [feed]
    try:
        raw = rows.decoded(got)
    except ParseError:
        return []
    if rows.looks_like_json(raw) or not raw.strip():
        return []
    root = dom.parse(raw)
    return [*_linked_feeds(root, got), *_lists(root, got)]


def _source(kind: str, url: str, options: Mapping[str, Any]) -> Source:
    made = sources.kind(kind).Options(**options)
    return Source("preview", kind, url, Schedule(every=timedelta(minutes=15)), options=made)


def _parsed(kind: str, got: Fetched, options: Mapping[str, Any]) -> Listing | None:
    try:
        listing = sources.kind(kind).parse(_source(kind, got.url, options), got)
    except ParseError:
        return None
    return listing if listing.notices else None


def _as_feed(got: Fetched) -> Suggestion | None:
    listing = _parsed("feed", got, {})
    return Suggestion("feed", got.url, "the address is a feed", {}, listing) if listing else None


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
        if url and re.search(
            r"(/(rss|atom|feed)(/|\.xml|\.json|\.php|$)|\.rss$|[?&](feed|format)=(rss|atom))", url, re.IGNORECASE
        ):
            found.setdefault(url, "a link of the page looks like a feed")
    return [Suggestion("feed", url, why) for url, why in found.items()]


def _base(root: Element, url: str) -> str:
    for element in root.iter("base"):
        if (href := element.get("href")) and (base := urls.join(url, href)):
            return base
    return url


# --- lists: repeated rows of link and date


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows that stand beside each other and are made alike; `dated` of them have a date, `length` is the mean of their titles."""

    parent: Element
    tag: str
    rows: tuple[Element, ...]
    dated: int
    length: float

    @property
    def score(self) -> float:
        """How much it looks like a list of notices."""
        return min(len(self.rows), 40) * (0.3 + self.dated / len(self.rows)) * min(self.length, 40)


def _lists(root: Element, got: Fetched) -> list[Suggestion]:
    """The lists on a page, the likeliest first; those whose selector gives the same rows only once."""
    groups = sorted(_groups(root, got.at), key=lambda group: -group.score)
    found: list[Suggestion] = []
    shown: set[frozenset[str]] = set()
    for group in groups[:8]:
        keys = _keys(root, group)
        listing = _parsed("list", got, keys) if keys else None
        if keys is None or listing is None or len(listing.notices) < LEAST_ROWS:
            continue
        same = frozenset(notice.key for notice in listing.notices)
        if any(same <= other for other in shown):
            continue
        shown.add(same)
        following = _next(root)
        keys = {**keys, **({"next": following} if following else {})}
        why = f"{len(listing.notices)} rows of link and date" if group.dated else f"{len(listing.notices)} rows of links"
        found.append(Suggestion("list", got.url, why, keys, listing))
        if len(found) == 3:
            break
    return found


def _groups(root: Element, now: datetime) -> Iterable[_Group]:
    """Rows by the element that they stand in and their tag."""
    beside: dict[tuple[Element, str], dict[Element, int]] = defaultdict(dict)
    for link in root.iter("a"):
        title = max((dom.line_of(link), (link.get("title") or "").strip()), key=len)
        if len(title) < SHORTEST_TITLE or not _leads(link):
            continue
        element: Element | None = link
        for _ in range(5):
            parent = element.getparent() if element is not None else None
            if element is None or parent is None or (parent.tag in ("html", "body") and element.tag == "a"):
                break
            if element.tag in ROW_TAGS:
                best = beside[parent, str(element.tag)]
                best[element] = max(best.get(element, 0), len(title))
            element = parent
    for (parent, tag), lengths in beside.items():
        members = tuple(lengths)
        if len(members) < LEAST_ROWS or any(_links(row) > 12 for row in members):
            continue
        dated = sum(_dated(row, now) for row in members)
        mean = sum(lengths.values()) / len(members)
        if dated * 2 >= len(members) or (mean >= 12 and len(members) >= 5):
            yield _Group(parent, tag, members, dated, mean)


def _leads(link: Element) -> bool:
    href = (link.get("href") or "").strip().lower()
    return bool(href) and not href.startswith(("#", "javascript:", "mailto:", "tel:"))


def _links(row: Element) -> int:
    return sum(1 for link in row.iter("a") if _leads(link))


def _dated(row: Element, now: datetime) -> bool:
    text = dom.line_of(row)
    return bool(re.search(r"\d{1,4}\s*[-/.年月]\s*\d{1,2}", text)) and any(
        facts.parse_when(match, now.date()) is not None
        for match in re.findall(r"\d{2,4}\s*[-/.年]\s*\d{1,2}\s*(?:[-/.月]\s*\d{1,2}\s*日?)?", text)[:6]
    )


def _keys(root: Element, group: _Group) -> dict[str, Any] | None:
    """The shortest selector that finds the group's rows and no rows elsewhere."""
    wanted = set(group.rows)
    for container in _names(root, group.parent):
        selector = f"{container} > {group.tag}"
        matched = dom.matches(root, (selector,))
        if wanted <= set(matched) and len(matched) <= 2 * len(wanted) and all(row.getparent() is group.parent for row in matched):
            return {"items": selector}
    return None


def _names(root: Element, element: Element) -> Iterable[str]:
    """Selectors of one element, from its own name outwards; those that rest on an id or a class first."""
    path: list[str] = []
    bare: list[str] = []
    current: Element | None = element
    for _ in range(6):
        if current is None or not isinstance(current.tag, str):
            break
        path.insert(0, _name(current))
        selector = " > ".join(path)
        if _only(root, selector, element):
            if "#" in selector or "." in selector:
                yield selector
            else:
                bare.append(selector)
        if path[0].startswith("#"):
            break
        current = current.getparent()
    yield from bare


def _name(element: Element) -> str:
    id_ = element.get("id") or ""
    if re.fullmatch(r"[A-Za-z_][\w-]*", id_) and not re.search(r"\d{3,}", id_):
        return f"#{id_}"
    classes = [c for c in (element.get("class") or "").split() if re.fullmatch(r"[A-Za-z_][\w-]*", c) and not PASSING.search(c)]
    return ".".join([str(element.tag), *classes[:2]])


def _only(root: Element, selector: str, element: Element) -> bool:
    found = dom.matches(root, (selector,))
    return len(found) == 1 and found[0] is element


def _next(root: Element) -> str | None:
    """How page 2 is reached: TRS writes the number of pages into a script call; others have a link that says so."""
    for script in root.iter("script"):
        call = re.search(r"createPageHTML\(\s*(\d+)\s*,\s*\d+\s*,\s*[\"'](\w+)[\"']\s*,\s*[\"'](\w+)[\"']", script.text or "")
        if call and int(call[1]) > 1:
            return f"{call[2]}_{{page}}.{call[3]}"
    for link in root.iter("a"):
        if dom.line_of(link).strip(" »›>") in ("下一页", "下页", "后一页", "Next", "next", "Next page", "Older") and _leads(link):
            name = _name(link)
            if name != "a" and _only(root, name, link):
                return f"css:{name}"
    return None


# --- a block to paste


def toml(suggestion: Suggestion) -> str:
    """The [[source]] of a suggestion, ready to paste."""
    lines = ["[[source]]", f"id = {_quoted(name_for(suggestion.url))}", f"kind = {_quoted(suggestion.kind)}"]
    lines.append(f"url = {_quoted(suggestion.url)}")
    lines += [f"{key} = {_quoted(str(value))}" for key, value in suggestion.keys.items()]
    lines.append("follow = true")
    return "\n".join(lines)


def name_for(url: str) -> str:
    """A short id for a source at an address: "miit/tz" for www.miit.gov.cn/zwgk/wjfb/tz/."""
    parts = urlsplit(url)
    labels = [label for label in (parts.hostname or "source").split(".") if label not in ("www", "wap", "m")]
    stem = [part for part in parts.path.split("/") if part and not re.fullmatch(r"(index|default|list|rss|feed)\w*\.?\w*", part)]
    tail = re.sub(r"\.\w+$", "", stem[-1]) if stem else ""
    return "/".join(re.sub(r"[^\w.-]+", "-", name) for name in (labels[0], tail) if name)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def best(suggestions: Sequence[Suggestion]) -> Suggestion | None:
    """The first that shows rows."""
    return next((suggestion for suggestion in suggestions if suggestion.listing is not None), None)
