"""An article that a site has split into several pages: which page follows this one.

Only an address that differs from the page's own in a page number alone is one: another article, or the next page of a list, is
not. It fetches nothing; the pages are put together where they are read.
"""

from __future__ import annotations

import re
from itertools import islice
from urllib.parse import parse_qsl, urlsplit

from monitor import urls
from monitor.html.dom import Element, line_of

#: So many links and scripts of a page are looked at, and so much of a script (characters).
_LINKS, _SCRIPTS, _SCRIPT, _QUERY, _FIELDS = 5_000, 200, 60_000, 2_000, 50
_NEXT = re.compile(r"[\s\[【(（<«]*(?:下一?页|后一?页|next(?: page)?)[\s\]】)）>»]*", re.I)
_NUMBER = re.compile(r"[\s\[【(（第]*(\d{1,2})[\s\]】)）页]*")
_PICTURE = re.compile(r"next_?-?page|page_?-?next|nextpage|xiayiye|下一页", re.I)
#: TRS writes its links by script: how many pages, which is this (from 0), the name without the number, the extension.
_TRS = re.compile(r"createPageHTML\s*\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*[\"']([^\"'/]{1,200})[\"']\s*,\s*[\"'](\w{2,6})[\"']")
_NUMBERED = re.compile(r"(?P<stem>.*?)[_-](?P<number>\d{1,2})(?P<end>\.\w{2,6})?")
#: What lists are called, whose pages are no parts of a text.
_LISTS = frozenset({"index", "list", "default", "more", "node"})
_PAGE_NAMES = frozenset({"page", "p", "pn", "pageno", "pagenum", "pagenumber", "pageindex", "currentpage", "curpage", "pg"})


def following(root: Element, url: str, base: str) -> str | None:
    """The address of the page that goes on with the text of the page at `url`, if it has one."""
    return _by_script(root, url, base) or _by_link(root, url, base)


def _by_script(root: Element, url: str, base: str) -> str | None:
    for script in islice(root.iter("script"), _SCRIPTS):
        code = (script.text or "")[:_SCRIPT]
        for found in _TRS.finditer(code) if "createPageHTML" in code else ():
            count, at, name, end = int(found[1]), int(found[2]), found[3], found[4]
            here = urlsplit(url).path.rpartition("/")[2]
            if name.lower() not in _LISTS and at + 1 < count and here in (f"{name}.{end}", f"{name}_{at}.{end}"):
                return urls.join(base, f"{name}_{at + 1}.{end}")
    return None


def _by_link(root: Element, url: str, base: str) -> str | None:
    """The link that says "next page", else the one that says the next number."""
    own = _Address(url)
    numbered: str | None = None
    for link in islice(root.iter("a"), _LINKS):
        href = (link.get("href") or "").strip()
        if not href or href.startswith(("#", "javascript:")):
            continue
        said = line_of(link)
        number = _NUMBER.fullmatch(said)
        if not (number or _NEXT.fullmatch(said) or (not said and _shows_next(link))):
            continue
        to = urls.join(base, href)
        step = own.step_to(to) if to is not None else None
        if step is None:
            continue
        if number is None:
            return to
        before, after = step
        if int(number[1]) in ((2,) if before is None else (after, after + 1)):  # addresses count from 0 or from 1
            numbered = numbered or to
    return numbered


def _shows_next(link: Element) -> bool:
    return any(_PICTURE.search(f"{image.get('src') or ''} {image.get('alt') or ''}") for image in link.iter("img"))


_Rest = tuple[str, tuple[tuple[str, str], ...]]


class _Address:
    """An address, and the ways to see a page number in it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc.lower()
        short = len(parts.query) < _QUERY and parts.query.count("&") < _FIELDS
        query = parse_qsl(parts.query) if short else []
        self.whole: _Rest = (parts.path, tuple(sorted(query)))
        self.numbers: list[tuple[int, _Rest]] = [
            (int(value), (parts.path, tuple(sorted(pair for pair in query if pair != (name, value)))))
            for name, value in query
            if name.lower() in _PAGE_NAMES and value.isdecimal() and len(value) <= 2
        ]
        folder, slash, file = parts.path.rpartition("/")
        found = _NUMBERED.fullmatch(file)
        if found and found["stem"].lower() not in _LISTS:
            self.numbers.append((int(found["number"]), (f"{folder}{slash}{found['stem']}{found['end'] or ''}", self.whole[1])))

    def step_to(self, url: str) -> tuple[int | None, int] | None:
        """This page's number and the other's, where the other is the next and all else in the two is the same."""
        other = _Address(url)
        if other.host != self.host:
            return None
        for after, rest in other.numbers:
            if rest == self.whole and after in (1, 2):
                return None, after
            for before, same in self.numbers:
                if rest == same and after == before + 1:
                    return before, after
        return None
