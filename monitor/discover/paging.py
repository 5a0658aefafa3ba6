"""How the pages of an HTML list are numbered: what of a page's scripts, links and own address says where page 2 is, and page 1.

It fetches nothing; where nothing is said for certain, it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from monitor import urls
from monitor.discover import groups
from monitor.html import dom
from monitor.html.dom import Element

#: TRS and its kin: createPageHTML(how many pages, this one, "index", "html"), at times with an element's name before.
_TRS = re.compile(
    r"createPageHTML\(\s*(?:[\"'][^\"']*[\"']\s*,\s*)?(\d+)\s*,\s*(\d+)\s*,\s*[\"']([\w.-]+)[\"']\s*,\s*[\"'](\w+)[\"']"
)
#: SASAC's system: pages are numbered from the oldest, and page 1 says how many there are.
_DOWNWARDS = re.compile(r"maxPageNum(\d+)\s*=\s*[\"']?(\d+)")
_TOTAL = re.compile(r"\btotal(?:Data|Count|Records?|Num)?\s*[=:]\s*[\"']?(\d{1,7})\b", re.IGNORECASE)
_PAGES = re.compile(r"\b(?:totalPages?|pageCount|countPage|maxPage)\s*[=:]\s*[\"']?(\d{1,6})\b", re.IGNORECASE)
#: A number at the end of a file's name: "index_pc_1.html", "A093702index_1.htm".
_NUMBERED = re.compile(r"(?P<stem>[\w.-]*?[A-Za-z_-])(?P<number>\d{1,4})(?P<end>\.s?html?|\.jhtml|\.aspx?|\.php)")
_PARAMETER = re.compile(
    r"(?P<stem>.*[?&](?:page|p|pageNo|pageNum|pageIndex|curPage|currentPage|cpage|pn)=)(?P<number>\d{1,4})(?P<end>.*)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"next|xyy|xiayiye", re.IGNORECASE)
_NEXT = frozenset({"下一页", "下页", "后一页", "下一页>", "Next", "next", "Next page", "Older"})


def following(root: Element, url: str, rows: int) -> dict[str, Any]:
    """The keys `next`, `first_next` and `downwards` of a list with so many rows on this, its first page; none where the page
    does not say, or there is no page 2."""
    said = _scripts(root)
    if call := _TRS.search(said):
        return _numbers(f"{call[3]}_{{page}}.{call[4]}", int(call[2]) + 1) if int(call[1]) > 1 else {}
    if (down := _DOWNWARDS.search(said)) and f"index_{down[1]}_" in said:
        pattern = rf"maxPageNum{down[1]}\s*=\s*(\d+)"
        return {"next": f"index_{down[1]}_{{page}}.html", "downwards": pattern} if int(down[2]) > 1 else {}
    own = _NUMBERED.fullmatch(_file(url))
    if own and own["number"] == "1" and _is_more(said, rows):
        return _numbers(f"{own['stem']}{{page}}{own['end']}", 2)
    return _by_link(root, url)


def first_page(root: Element, url: str) -> str | None:
    """The address of page 1, where this is a later page of a list; None where it is the first, or does not say."""
    file = _file(url)
    own = _NUMBERED.fullmatch(file) or _PARAMETER.fullmatch(file)
    if own is None or int(own["number"]) == 0:
        return None
    call = _TRS.search(_scripts(root))
    if call is not None:
        page = file == f"{call[3]}_{own['number']}.{call[4]}" and int(call[2]) == int(own["number"])
        return urls.join(url, f"{call[3]}.{call[4]}") if page else None
    before = f"{own['stem']}1{own['end']}"
    if int(own["number"]) > 1 and any(_beside(link.get("href"), url) == before for link in root.iter("a")):
        return urls.join(url, before)
    return None


def _numbers(template: str, first: int) -> dict[str, Any]:
    """`first_next` is left out where it is the default."""
    return {"next": template} | ({"first_next": first} if first != 1 else {})


def _scripts(root: Element) -> str:
    return "\n".join(script.text or "" for script in root.iter("script"))


def _file(url: str) -> str:
    """The last part of an address, with its query."""
    parts = urlsplit(url)
    return parts.path.rpartition("/")[2] + (f"?{parts.query}" if parts.query else "")


def _is_more(said: str, rows: int) -> bool:
    """Whether a script says that there are more rows than these, or more pages than one."""
    return any(int(total[1]) > rows for total in _TOTAL.finditer(said)) or any(
        int(found[1]) > 1 for found in _PAGES.finditer(said)
    )


def _by_link(root: Element, url: str) -> dict[str, Any]:
    """By a link that says "next page": its selector where its name says so too, else the number in its address."""
    for link in _next_links(root):
        selector = groups.name(link)
        if link.get("href") and _NAMED.search(selector) and groups.is_only(root, selector, (link,)):
            return {"next": f"css:{selector}"}
        file = _beside(link.get("href") or link.get("tagname"), url) or ""
        numbered = _PARAMETER.fullmatch(file) or _NUMBERED.fullmatch(file)
        if numbered and numbered["number"] in ("1", "2"):
            return _numbers(f"{numbered['stem']}{{page}}{numbered['end']}", int(numbered["number"]))
    return {}


def _next_links(root: Element) -> Iterator[Element]:
    return (link for link in root.iter("a") if dom.line_of(link).strip(" »›>") in _NEXT)


def _beside(href: str | None, url: str) -> str | None:
    """The file and query of a link to another page in the address's own folder; None for any other."""
    address = urls.join(url, href or "")
    if address is None:
        return None
    there, here = urlsplit(address), urlsplit(url)
    beside = there.netloc == here.netloc and there.path.rpartition("/")[0] == here.path.rpartition("/")[0]
    return _file(address) if beside else None
