"""Repeated rows of link and date in a tree, and the selectors that find them: a list of notices, told from menus, related links
and what else repeats on a page.

A page that is one text with links beside it has no list. It fetches nothing and knows no site by name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.html import dom, main
from monitor.html.dom import Element
from monitor.sources import listrow

#: Fewer rows make no list.
LEAST_ROWS = 3
#: Elements that rows are made of.
_ROW_TAGS = frozenset({"li", "tr", "div", "dd", "dt", "p", "article", "section", "ul", "dl"})
#: A link in a row that is a notice has a title of at least so many characters.
_SHORTEST_TITLE = 5
#: Rows without a date are a list only if there are so many, with titles of so many characters on the average.
_LEAST_UNDATED, _UNDATED_TITLE = 5, 12
#: A page whose text holds so many characters outside of links is that text.
_ARTICLE = 150
#: Class names that say nothing of what a thing is.
_PASSING = re.compile(r"^(on|active|cur|current|hover|first|last|odd|even|clear|cf|clearfix|fl|fr|l|r)$|\d{3,}", re.IGNORECASE)
#: Names of what frames a page.
_MENU = re.compile(
    r"nav|menu|side|crumb|foot|header|\btop\b|friend|yqlj|link|relat|xglj|xgyd|hot|rank|recommend|tuijian|tag|toolbar|share|breadcrumb",
    re.IGNORECASE,
)
#: Where the local days of dates are.
_TIMEZONE = "Asia/Shanghai"
_DATE = re.compile(r"\d{1,4}\s*[-/.年月]\s*\d{1,2}")


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are made alike and stand beside each other, in one parent or in several; `dated` of them have a date, `length` is
    the mean of their titles. `scripted`: their links are scripts, which lead nowhere."""

    parents: tuple[Element, ...]
    tag: str
    rows: tuple[Element, ...]
    dated: int
    length: float
    scripted: bool

    @property
    def is_dated(self) -> bool:
        """Whether most of the rows have a date."""
        return self.dated * 2 >= len(self.rows)

    @property
    def score(self) -> float:
        """How much it looks like a list of notices."""
        return min(len(self.rows), 40) * (0.3 + self.dated / len(self.rows)) * min(self.length, 40)


def found(root: Element, at: datetime, *, alone: bool = False) -> list[Group]:
    """The lists in a tree, the likeliest first; `alone` where the tree is a list and nothing else (a unit's HTML). Where some
    have dates, those without are left out, and so they are on a page that is a text; where no link leads anywhere, rows with
    scripts for links count."""
    text, known = ([], False) if alone else _text(root)
    for scripted in (False, True):
        groups = list(_groups(root, at, scripted))
        if known:
            groups = [group for group in groups if _inside(group, text)]
        dated = [group for group in groups if group.is_dated]
        if dated or (groups and not scripted and not text):
            return sorted(dated or groups, key=lambda group: -group.score)
    return []


def _text(root: Element) -> tuple[list[Element], bool]:
    """The elements of the page's text, where it has one that is more than links, and whether a container that is known for texts
    holds it; none else."""
    body = root.find("body")
    if body is None:
        return [], False
    elements, known = main.main_elements(main.survey(body, set()))
    said = sum(len(dom.text_of(one)) - sum(len(dom.line_of(link)) for link in one.iter("a")) for one in elements)
    return (elements, known) if said >= _ARTICLE else ([], False)


def _inside(group: Group, text: list[Element]) -> bool:
    return any(above in text for above in (group.parents[0], *group.parents[0].iterancestors()))


def _groups(root: Element, at: datetime, scripted: bool) -> Iterator[Group]:
    """Rows by the element that they stand in and their tag; those of like elements that stand beside each other together."""
    beside: dict[tuple[Element, str], dict[Element, int]] = defaultdict(dict)
    for link in root.iter("a"):
        title = max((dom.line_of(link), (link.get("title") or "").strip()), key=len)
        if len(title) < _SHORTEST_TITLE or _leads(link) is scripted:
            continue
        for row, parent in _rows_above(link):
            best = beside[parent, str(row.tag)]
            best[row] = max(best.get(row, 0), len(title))
    together: dict[tuple[Element, str, str], list[Element]] = defaultdict(list)
    for parent, tag in beside:
        if (above := parent.getparent()) is not None and parent.tag in ("ul", "ol", "dl", "tbody", "table", "div"):
            together[above, name(parent), tag].append(parent)
    for (parent, tag), lengths in beside.items():
        yield from _group((parent,), tag, lengths, at, scripted)
    for (_, _, tag), parents in together.items():
        if len(parents) > 1:
            lengths = {row: length for parent in parents for row, length in beside[parent, tag].items()}
            yield from _group(tuple(parents), tag, lengths, at, scripted)


def _rows_above(link: Element) -> Iterator[tuple[Element, Element]]:
    """What could be the row of a link, with what the row stands in."""
    element: Element | None = link
    for _ in range(12):
        parent = element.getparent() if element is not None else None
        if element is None or parent is None or (parent.tag in ("html", "body") and element.tag == "a"):
            return
        if element.tag in _ROW_TAGS and not dom.invisible(element):
            yield element, parent
        element = parent


def _group(
    parents: tuple[Element, ...], tag: str, lengths: Mapping[Element, int], at: datetime, scripted: bool
) -> Iterator[Group]:
    members = tuple(lengths)
    if len(members) < LEAST_ROWS or any(_links(row, scripted) > 12 for row in members):
        return
    dated = sum(_dated(row, at) for row in members)
    mean = sum(lengths.values()) / len(members)
    if dated * 2 >= len(members) or (not scripted and _is_undated_list(parents[0], members, mean)):
        yield Group(parents, tag, members, dated, mean, scripted)


def _is_undated_list(parent: Element, members: tuple[Element, ...], mean: float) -> bool:
    """Rows without dates: many, with titles and not names, that lead to documents, not to columns, and in no frame of a page."""
    if len(members) < _LEAST_UNDATED or mean < _UNDATED_TITLE or any(_frames(one) for one in (parent, *parent.iterancestors())):
        return False
    numbered = sum(any(_leads(link) and re.search(r"\d", _tail(link)) for link in row.iter("a")) for row in members)
    return numbered * 10 >= len(members) * 8


def _tail(link: Element) -> str:
    """The part of a link's address that names the document in its folder."""
    return (link.get("href") or "").partition("#")[0].rstrip("/").rpartition("/")[2]


def _frames(element: Element) -> bool:
    if element.tag in ("nav", "header", "footer", "aside"):
        return True
    return _MENU.search(f"{element.get('class') or ''} {element.get('id') or ''}") is not None


def _leads(link: Element) -> bool:
    href = (link.get("href") or "").strip().lower()
    return bool(href) and not href.startswith(("#", "javascript:", "mailto:", "tel:"))


def _links(row: Element, scripted: bool) -> int:
    return sum(1 for link in row.iter("a") if _leads(link) is not scripted)


def _dated(row: Element, at: datetime) -> bool:
    """Whether the row says a date, as a source would read it."""
    text = dom.line_of(row)
    return _DATE.search(text) is not None and listrow.dated(row, at, _TIMEZONE)


# --- selectors


def keys(root: Element, group: Group, at: datetime) -> dict[str, Any] | None:
    """`items` for the group's rows and no rows elsewhere, and `date` where one selector finds each row's; None where no selector
    of usual length does."""
    wanted = set(group.rows)
    for container in _names(root, group.parents):
        selector = f"{container} > {group.tag}"
        matched = dom.matches(root, (selector,))
        if any(dom.invisible(row) for row in matched) and not any(row.get("style") for row in wanted):
            selector += ":not([style])"
            matched = dom.matches(root, (selector,))
        if (
            wanted <= set(matched)
            and len(matched) <= 2 * len(wanted)
            and all(row.getparent() in group.parents for row in matched)
        ):
            found: dict[str, Any] = {"items": selector}
            if group.scripted:
                found |= {"link": "a[href^='http']", "title": "a"}
            if date := _date(group, at):
                found["date"] = date
            return found
    return None


def _date(group: Group, at: datetime) -> str | None:
    """A selector that finds, in each row, first an element that says the date and nothing else."""
    for shown in (element for row in group.rows[:1] for element in row.iter() if element is not row):
        selector = name(shown)
        if selector in ("a", "td") or selector.startswith("#") or not isinstance(shown.tag, str):
            continue
        first = [next(iter(dom.matches(row, (selector,))), None) for row in group.rows]
        if all(one is not None and one not in group.rows and listrow.is_date(one, at, _TIMEZONE) for one in first):
            return selector
    return None


def _names(root: Element, elements: tuple[Element, ...]) -> Iterable[str]:
    """Selectors of just these elements, from their own name outwards; those that rest on an id or a class first."""
    path: list[str] = []
    bare: list[str] = []
    current: Element | None = elements[0]
    for _ in range(6):
        if current is None or not isinstance(current.tag, str):
            break
        path.insert(0, name(current) if len(elements) == 1 or path else _without_id(current))
        selector = " > ".join(path)
        if is_only(root, selector, elements):
            if "#" in selector or "." in selector:
                yield selector
            else:
                bare.append(selector)
        if path[0].startswith("#"):
            break
        current = current.getparent()
    yield from bare


def name(element: Element) -> str:
    """An element's own selector: its id, else its tag and classes, as far as they say what it is."""
    id_ = element.get("id") or ""
    if re.fullmatch(r"[A-Za-z_][\w-]*", id_) and not re.search(r"\d{3,}", id_):
        return f"#{id_}"
    return _without_id(element)


def _without_id(element: Element) -> str:
    classes = [c for c in (element.get("class") or "").split() if re.fullmatch(r"[A-Za-z_][\w-]*", c) and not _PASSING.search(c)]
    return ".".join([str(element.tag), *classes[:2]])


def is_only(root: Element, selector: str, elements: tuple[Element, ...]) -> bool:
    """Whether a selector finds these elements and no others."""
    matched = dom.matches(root, (selector,))
    return len(matched) == len(elements) and set(matched) == set(elements)
