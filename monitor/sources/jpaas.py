"""The kind `jpaas`: lists of the publish server behind MIIT, MOFCOM, SAMR and the provincial communications administrations.

A column's page holds no rows: a script names a "unit" by ids (`queryData`), whose interface answers with a piece of HTML. The ids
are read from the page, kept for a day, and read again where they lead nowhere. Structure as read in scrapers and stored answers:
GET only, a Referer is wanted, page N only by `paramJson` with the site's own page size, `buildstatic` also spelt `bulidstatic`.
It runs no script and reads no notice's own page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import AfterValidator, Field

from monitor import urls
from monitor.errors import ParseError
from monitor.html import dom
from monitor.html.dom import Element
from monitor.model import Fetched, Listing, Request, Source
from monitor.sources import list as plain
from monitor.sources import rows

#: The interface, where a known unit names no other.
UNIT = "/api-gateway/jpaas-publish-server/front/page/build/unit"
#: Blocks that hold the list, as sites name them, likeliest first; and those that frame a page.
_LISTS = ("当前栏目_list", "右侧内容", "分页列表", "内容区域", "ajax分页", "当前内容", "规章库列表")
_LISTED = re.compile("list|列表|分页", re.I)
_FRAMES = re.compile("导航|底部|页脚|页头|顶部|链接|位置|面包屑|轮播|banner|logo", re.I)
#: The keys of a unit that its interface is asked with.
_KEYS = ("parseType", "webId", "tplSetId", "pageType", "tagId", "editType", "pageId")
_SPELLINGS = {"buildstatic": "bulidstatic", "bulidstatic": "buildstatic"}
#: Ids that were read from the column page are used this long.
_KEPT = timedelta(days=1)


def _known(given: dict[str, str]) -> dict[str, str]:
    if given and not {"webId", "pageId", "tplSetId", "tagId"} <= given.keys():
        raise ValueError("needs webId, pageId, tplSetId and tagId, as the column page names them")
    return given


class JpaasOptions(plain.RowOptions):
    """What a source of kind `jpaas` says of the unit's HTML: the selectors of a `list`; `tag` names the block (tagId) where the
    column page has several; `known` are ids to fall back on where the page no longer names them."""

    tag: str | None = Field(None, min_length=1, description="the tagId of the block that holds the list; default: the likeliest")
    known: Annotated[dict[str, str], AfterValidator(_known)] = Field(
        default_factory=dict, description="webId, pageId, tplSetId, tagId, parseType: used where the column page names no unit"
    )


class Jpaas:
    """The door: see `monitor.sources.SourceKind`."""

    Options = JpaasOptions
    version = 1
    shaping = frozenset({"items", "link", "title", "date", "summary"})

    def begin(self, source: Source, state: Mapping[str, Any], now: datetime) -> Request:
        """The unit's page 1 where its ids are known from less than a day ago, else the column page."""
        unit, read_at = state.get("unit"), state.get("unit_at")
        if unit and read_at and timedelta() <= now - datetime.fromisoformat(read_at) < _KEPT:
            request = ask(source, unit, 1, read_at=read_at)
            return replace(request, context={**request.context, "anew": True})
        return replace(rows.first_request(source), context={"step": "column"})

    def parse(self, source: Source, got: Fetched) -> Listing:
        """The unit's rows; from the column page only where to ask for them. Raises ParseError where neither is there."""
        context = got.request.context
        return _column(source, got) if context.get("step", "column") == "column" else _unit(source, got, context)


def _column(source: Source, got: Fetched) -> Listing:
    options: JpaasOptions = source.options
    found = units(dom.parse(rows.decoded(got)))
    unit = next((one for one in found if options.tag in (None, one["tagId"])), None) or (options.known or None)
    if unit is None:
        raise ParseError(
            f"{got.url} names no list: {len(found)} blocks, {', '.join(one['tagId'] for one in found) or 'none'}",
            hint="look at the page in a browser: if the site was rebuilt, monitor preview may find its list anew; else set `tag`",
            reason="no list",
        )
    return Listing((), next=ask(source, unit, 1, read_at=got.at.isoformat(), column=got.url), last_step=False)


def units(root: Element) -> list[dict[str, str]]:
    """The units that a page's scripts name, with their interface under "url"; the likeliest to be its list first."""
    found = []
    for script in root.iter("script"):
        given = {str(name).lower(): str(value) for name, value in script.attrib.items()}
        if "querydata" not in given:
            continue
        unit = _query(given["querydata"])
        if {"webId", "pageId", "tplSetId", "tagId"} <= unit.keys():
            found.append({"parseType": given.get("parsetype", "buildstatic"), "url": given.get("url", UNIT)} | unit)
    return sorted(found, key=_likelihood)


def _likelihood(unit: Mapping[str, str]) -> int:
    """Known names of lists, names that say so, all others, and last what frames a page."""
    name = unit["tagId"]
    if name in _LISTS:
        return _LISTS.index(name)
    return len(_LISTS) + (2 if _FRAMES.search(name) else 0 if _LISTED.search(name) else 1)


def _query(written: str) -> dict[str, str]:
    """`{'webId':'…', …}`: JSON written with single quotes."""
    try:
        found = json.loads(written.replace("'", '"'))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): "null" if value is None else str(value) for name, value in found.items()}


def ask(
    source: Source, unit: Mapping[str, str], page: int, *, read_at: str, column: str = "", size: int = 0, respelt: bool = False
) -> Request:
    """The request of one page of a unit; `size` is the site's own rows a page."""
    base = column or source.url
    asked = {"parseType": "buildstatic", "pageType": "column", "editType": "null"} | dict(unit)
    query = {name: asked[name] for name in _KEYS if name in asked}
    if page > 1:
        query["paramJson"] = json.dumps({"pageNo": page, "pageSize": size}, separators=(",", ":"))
    address = urls.join(base, f"{unit.get('url', UNIT)}?{urlencode(query)}")
    headers = (("Referer", base), ("X-Requested-With", "XMLHttpRequest"))
    own = {name.lower() for name, _ in source.headers}
    return Request(
        address or base,
        via=source.via,
        headers=(*source.headers, *(pair for pair in headers if pair[0].lower() not in own)),
        page=page,
        context={"step": "unit", "unit": dict(unit), "read_at": read_at, "column": base, "respelt": respelt},
    )


def _unit(source: Source, got: Fetched, context: Mapping[str, Any]) -> Listing:
    options: JpaasOptions = source.options
    unit, column, read_at, page = context["unit"], context["column"], context["read_at"], got.request.page
    markup = markup_of(got)
    if markup is None or (page == 1 and not markup.strip()):
        return _elsewhere(source, got, context, markup)
    root = dom.parse(f"<html><body>{markup}</body></html>")
    # what the unit links to is relative to the column's page
    wanted = replace(plain.wanted(options, root, source, got), base=column, page=column)
    found, unusable = plain.found_rows(dom.matches(root, (options.items,)), wanted, column)
    problems = () if found else (plain.nothing(root, options, column, unusable),)
    count, size = _counts(root)
    following = None
    if found and size and page * size < count:
        following = ask(source, unit, page + 1, read_at=read_at, column=column, size=size)
    return Listing(
        plain.notices_of(source, found),
        next=following,
        complete=source.complete and following is None,
        state={"unit": unit, "unit_at": read_at},
        problems=problems,
    )


def _elsewhere(source: Source, got: Fetched, context: Mapping[str, Any], markup: str | None) -> Listing:
    """Where an interface says nothing: the other spelling once; then, if the ids were only remembered, the column page anew."""
    unit = context["unit"]
    other = _SPELLINGS.get(unit.get("parseType", ""))
    if other and not context.get("respelt"):
        again = ask(source, unit | {"parseType": other}, 1, read_at=context["read_at"], column=context["column"], respelt=True)
        return Listing((), next=again, last_step=False)
    if context["read_at"] != got.at.isoformat() and datetime.fromisoformat(context["read_at"]) < got.at - timedelta(minutes=10):
        return Listing((), next=replace(rows.first_request(source), context={"step": "column"}), last_step=False)
    said = "answers with an empty unit" if markup is not None else "does not answer as the publish server does"
    raise ParseError(
        f"{got.url.partition('?')[0]} {said} for block {unit.get('tagId')}",
        hint="look at the column in a browser; if its list is there, set `tag` to the block that holds it",
        reason="no list",
    )


def markup_of(got: Fetched) -> str | None:
    """The unit's HTML out of {success, code, data: {html}}; None where the answer is something else."""
    try:
        answer = json.loads(rows.decoded(got))
    except (ValueError, RecursionError):
        return None
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict) or str(answer.get("success", True)).lower() == "false":
        return None
    markup = data.get("html")
    return markup if isinstance(markup, str) else None


def _counts(root: Element) -> tuple[int, int]:
    """How many rows the list has in all, and on a page; zeros where it does not say."""
    for element in root.iter():
        count, size = element.get("count") or "", element.get("rows") or ""
        if count.isdecimal() and size.isdecimal() and len(count) < 9 and len(size) < 5:
            return int(count), int(size)
    return 0, 0
