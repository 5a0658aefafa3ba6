"""One row of an HTML list: its address, title, date and summary. `list` finds the rows and decides what they are together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from monitor import text, urls
from monitor.html import dom
from monitor.html.dom import Element
from monitor.model import When
from monitor.sources import rows
from monitor.sources.dates import published
from monitor.sources.rows import Row

_CUT = re.compile(r"\s*(?:…+|⋯+|‥+|\.{2,}|。{2,})\s*$")
_DAY = r"(?:19|20)\d{2}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}(?:\s*日)?"
_CLOCK = r"(?:\s*T?\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_DATE = re.compile(rf"(?<!\d){_DAY}(?!\d){_CLOCK}")
#: A text that is nothing but a date; without a year only where it can be nothing else.
_ONLY_DATE = re.compile(rf"[\s\[(（【]*({_DAY}{_CLOCK}|\d{{1,2}}(?:[-/]|\s*月\s*)\d{{1,2}}(?:\s*日)?)[\s\])）】]*")
#: Day and month set above one another, as many lists show them: "05 2024-03", "2024.03 05".
_DAY_FIRST = re.compile(r"(\d{1,2})\s*日?\s*[/-]?\s*((?:19|20)\d{2})\s*[-/.年]\s*(\d{1,2})\s*月?")
_DAY_LAST = re.compile(r"((?:19|20)\d{2})\s*[-/.年]\s*(\d{1,2})\s*月?\s+(\d{1,2})\s*日?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The selectors of one source, the page's base and own address, and the moment against which dates are read."""

    link: str
    title: str | None
    date: str | None
    summary: str | None
    base: str
    page: str
    at: datetime
    timezone: str
    #: Addresses by what links say: rows that lie in one another are asked for the same links again and again.
    led: dict[str, str | None] = field(default_factory=dict, compare=False, repr=False)


def links(row: Element, wanted: Wanted) -> tuple[list[tuple[Element, str]], bool]:
    """The row's links that lead somewhere, each with its address; and whether it has any that leads nowhere (a script, a mail
    address, this very page)."""
    found = list(_links(row, wanted))
    usable = [(anchor, address) for anchor, address in found if address is not None]
    return usable, len(usable) < len(found)


def first_link(row: Element, wanted: Wanted) -> Element | None:
    """The row's first link that leads somewhere."""
    return next((anchor for anchor, address in _links(row, wanted) if address is not None), None)


def _links(row: Element, wanted: Wanted) -> Iterator[tuple[Element, str | None]]:
    for match in dom.matches(row, (wanted.link,)):
        anchor = match if match.get("href") is not None else next(match.iter("a"), None)
        href = anchor.get("href") if anchor is not None else None
        if anchor is not None and href is not None:
            yield anchor, _address(href, wanted)


def _address(href: str, wanted: Wanted) -> str | None:
    if href not in wanted.led:
        address = rows.address(wanted.base, href)
        here = address is not None and urls.identity(address) == urls.identity(wanted.page)
        wanted.led[href] = None if here else address
    return wanted.led[href]


def read(row: Element, wanted: Wanted) -> Row | None:
    """The row; None where it has nothing to read, or only links that lead nowhere and no date: "more", "back". A dated row is a
    notice also where a script opens its page."""
    usable, useless = links(row, wanted)
    if _is_heading(row):
        return None
    address = usable[0][1] if usable else None
    anchors = [anchor for anchor, where in usable if where == address]
    when, shown = _date(row, anchors, wanted)
    if useless and not usable and when is None:
        return None
    title = _title(row, anchors, shown, wanted)
    if not title:
        return None
    summary = next((found for one in _matches(wanted.summary, row) if (found := dom.text_of(one))), "")
    return Row(title=title, url=address, published=when, summary=summary, anchor=_anchor(anchors))


def _anchor(anchors: Sequence[Element]) -> str:
    """The place on its page that a row's link names; "" for a route, which is part of the address."""
    named = ((anchor.get("href") or "").partition("#")[2].strip() for anchor in anchors)
    return next((one for one in named if one and one[0] not in "/!"), "")


def dated(row: Element, at: datetime, timezone: str) -> bool:
    """Whether the row has a date that is found without a selector."""
    wanted = Wanted("a", None, None, None, "", "", at, timezone)
    return _date(row, list(row.iter("a")), wanted)[0] is not None


def is_date(element: Element, at: datetime, timezone: str) -> bool:
    """Whether the element says a date and nothing else."""
    wanted = Wanted("a", None, None, None, "", "", at, timezone)
    told = " ".join(dom.raw_text(element).split())
    return (_ONLY_DATE.fullmatch(told) is not None and _when(element, wanted) is not None) or bool(_stacked(element, (), wanted))


def _is_heading(row: Element) -> bool:
    return row.tag == "tr" and row.find(".//th") is not None and row.find(".//td") is None


def _matches(css: str | None, row: Element) -> list[Element]:
    return dom.matches(row, (css,)) if css is not None else []


def _title(row: Element, anchors: Sequence[Element], shown: Element | None, wanted: Wanted) -> str:
    """The title on one line: of the title selector, else the longest of the links to the notice, else what the row says."""
    dated = [shown] if shown is not None else []
    hints = [anchor.get("title") or "" for anchor in anchors]
    for match in _matches(wanted.title, row):
        if found := _fuller(text.line(dom.raw_text(match, dated)), [match.get("title") or "", *hints]):
            return found
    if anchors:
        told = max((text.line(dom.raw_text(anchor, dated)) for anchor in anchors), key=len)
        pictures = [picture.get("alt") or "" for anchor in anchors for picture in anchor.iter("img")]
        if found := _fuller(told, hints) or text.line(next(filter(None, pictures), "")):
            return found
    return text.line(dom.raw_text(row, dated))


def _fuller(told: str, hints: Sequence[str]) -> str:
    """The shown text, or the title attribute where the text is absent, cut, the attribute's beginning, or broken by white space
    that the attribute has not."""
    cut = _CUT.sub("", told)
    for hint in map(text.line, hints):
        if len(hint) < len(told) and hint.replace(" ", "") == told.replace(" ", ""):
            return hint
        if len(hint) > len(cut) and not _CUT.search(hint) and (cut != told or hint.startswith(told)):
            return hint
    return told


def _date(row: Element, anchors: Sequence[Element], wanted: Wanted) -> tuple[When | None, Element | None]:
    """The row's date and the element that shows it and nothing else, which is then no part of the title."""
    if wanted.date is not None:
        for match in dom.matches(row, (wanted.date,)):
            if when := _when(match, wanted):
                return when, match
        return None, None
    for moment in row.iter("time"):
        if when := _when(moment, wanted):
            return when, moment
    return _date_in_text(row, anchors, wanted)


def _date_in_text(row: Element, anchors: Sequence[Element], wanted: Wanted) -> tuple[When | None, Element | None]:
    """A text of its own that is a date, wherever it stands; else a date in what the row says outside its link (a title may name
    another day than its notice's)."""
    for event, node in dom.walk(row):
        piece = node.text if event == "start" else node.tail if node is not row else None
        match = _ONLY_DATE.fullmatch(piece) if piece else None
        if match and (when := published(match[1], wanted.at, wanted.timezone)):
            alone = event == "start" and len(node) == 0 and node is not row and node not in anchors
            return when, node if alone else None
    if match := _DATE.search(_spaced(row, anchors)):
        return published(match[0], wanted.at, wanted.timezone), None
    return _stacked(row, anchors, wanted), None


def _when(element: Element, wanted: Wanted) -> When | None:
    """The date that an element chosen to show one names."""
    told = element.get("datetime") or " ".join(dom.raw_text(element).split())
    match = _DATE.search(told)
    return published(match[0] if match else told, wanted.at, wanted.timezone) or _stacked(element, (), wanted)


def _stacked(element: Element, leave_out: Sequence[Element], wanted: Wanted) -> When | None:
    """The date whose day stands in an element of its own above or below year and month, if that is all there is."""
    told = _spaced(element, leave_out)
    if match := _DAY_FIRST.fullmatch(told):
        return published(f"{match[2]}-{match[3]}-{match[1]}", wanted.at, wanted.timezone)
    if match := _DAY_LAST.fullmatch(told):
        return published(f"{match[1]}-{match[2]}-{match[3]}", wanted.at, wanted.timezone)
    return None


def _spaced(element: Element, leave_out: Sequence[Element]) -> str:
    """The visible texts inside an element, with a space between any two."""
    found = [element.text or ""]
    for event, node in dom.walk(element, leave_out):
        if node is not element:
            found.append((node.text if event == "start" else node.tail) or "")
    return " ".join(" ".join(found).split())
