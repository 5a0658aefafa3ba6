"""Publishing systems that are known by their marks: what a page of theirs leads to, and what their interfaces answer.

JPAAS (MIIT, MOFCOM, SAMR and others: a column's scripts name units), CAC's list interface, JSON that a page's script names.
It fetches nothing: what has to be asked is a suggestion's `ask`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from monitor import urls
from monitor.discover import groups, jsonlist
from monitor.discover.suggestion import Suggestion, parsed, source_of
from monitor.errors import ParseError
from monitor.html import dom
from monitor.html.dom import Element
from monitor.model import Fetched, Request
from monitor.sources import jpaas, rows

#: Units of a column that are asked, at most; interfaces that a script names, at most.
_UNITS, _NAMED = 3, 2
#: How CAC's list interface is asked, and what it answers.
_CAC = "/cms/JsonList?channelCode={code}&perPage=20&pageno={{page}}&condition=0&fuhao=%3D&value="
_CAC_KEYS = {"items": "list", "title": "topic", "link": "infourl", "date": "pubtime"}
_CAC_ADDRESS = re.compile(r"/(A\d{4,12})index_\d+\.html?$")
_CAC_SCRIPT = re.compile(r"channelCode[\"']?\s*[=:]\s*[\"'](A\d{4,12})[\"']")
_JSON_ADDRESS = re.compile(r"[\"']([^\"'\s<>\\]{1,300}\.json(?:\?[^\"'\s<>\\]{0,200})?)[\"']")


def by_marks(root: Element, got: Fetched) -> list[Suggestion]:
    """What a page's marks lead to; the likeliest first."""
    return [*_jpaas(root, got), *by_address(got.url), *_cac(root, got)][: _UNITS + 1]


def by_address(url: str) -> list[Suggestion]:
    """What an address alone says: CAC's interface answers for columns whose pages are gone."""
    found = _CAC_ADDRESS.search(urlsplit(url).path)
    return [_cac_channel(url, found[1])] if found else []


def named_interfaces(root: Element, got: Fetched) -> list[Suggestion]:
    """JSON documents that a page's scripts name: the rows may be there."""
    found: dict[str, None] = {}
    for script in root.iter("script"):
        for written in _JSON_ADDRESS.findall(script.text or ""):
            if address := urls.join(got.url, written):
                found[address] = None
    why = "a script of the page names a JSON document"
    return [Suggestion("json", url, why, ask=_beside(url, got.url), page=got.url) for url in list(found)[:_NAMED]]


def completed(suggestion: Suggestion, got: Fetched) -> Suggestion | None:
    """The suggestion with its rows, out of the answer to its `ask`, or with a further question; None where there is nothing."""
    if suggestion.kind == "jpaas":
        return _unit(suggestion, got)
    if suggestion.keys:
        listing = parsed("json", suggestion.url, got, suggestion.keys)
        return replace(suggestion, listing=listing, ask=None) if listing and listing.notices else None
    answer = jsonlist.suggestion(got, suggestion.why, dated=True)
    return replace(answer, page=suggestion.page) if answer else None


def _beside(url: str, page: str) -> Request:
    return Request(url, headers=(("Referer", page), ("X-Requested-With", "XMLHttpRequest")))


# --- JPAAS


def _jpaas(root: Element, got: Fetched) -> list[Suggestion]:
    units = jpaas.units(root)
    source = source_of("jpaas", got.url, {"items": "li"})
    why = "the publish server JPAAS: the column's page names a unit"
    found = []
    for at, unit in enumerate(units[:_UNITS]):
        keys = {"tag": unit["tagId"]} if at else {}
        ask = jpaas.ask(source, unit, 1, read_at=got.at.isoformat(), column=got.url)
        found.append(Suggestion("jpaas", got.url, f"{why}, “{unit['tagId']}”", keys, ask=ask, page=got.url))
    return found


def _unit(suggestion: Suggestion, got: Fetched) -> Suggestion | None:
    """The rows of a unit's HTML; where the interface is silent, the other spelling of its parameter is asked."""
    markup = jpaas.markup_of(got) or ""
    if not markup.strip():
        further = parsed("jpaas", suggestion.url, got, {"items": "li"})
        return replace(suggestion, ask=further.next) if further and further.next and "unit" in further.next.context else None
    for keys in unit_keys(markup, got):
        listing = parsed("jpaas", suggestion.url, got, {**suggestion.keys, **keys})
        if listing is not None and len(listing.notices) >= groups.LEAST_ROWS:
            return replace(suggestion, keys={**keys, **suggestion.keys}, listing=listing, ask=None)
    return None


def unit_keys(markup: str, got: Fetched) -> list[dict[str, Any]]:
    """The selectors of the lists in a unit's HTML, the likeliest first."""
    try:
        root = dom.parse(f"<html><body>{markup}</body></html>")
    except ParseError:
        return []
    return [keys for group in groups.found(root, got.at, alone=True)[:3] if (keys := groups.keys(root, group, got.at))]


# --- CAC


def _cac(root: Element, got: Fetched) -> list[Suggestion]:
    if _CAC_ADDRESS.search(urlsplit(got.url).path):
        return []  # by its address already
    for script in root.iter("script"):
        if found := _CAC_SCRIPT.search(script.text or ""):
            return [_cac_channel(got.url, found[1])]
    return []


def _cac_channel(page: str, code: str) -> Suggestion:
    parts = urlsplit(page)
    url = f"{parts.scheme}://{parts.netloc}{_CAC.format(code=code)}"
    why = f"CAC's list interface, channel {code}"
    return Suggestion("json", url, why, _CAC_KEYS, ask=_beside(url.replace("{page}", "1"), page), page=page)


# --- what an answer is, where it is no list


def nothing(got: Fetched) -> str:
    """Why an answer shows no rows, in words for who pasted the address."""
    if jpaas.markup_of(got) is not None:
        return "this is what a unit of the publish server answers: name the address of the column's page instead"
    if rows.looks_like_json(got.text):
        return "the JSON answer holds no rows with a title and a link or a date"
    return ""
