"""What a page says of itself around its text: title, time of publication, issuer.

It decides nothing about the text itself (`main`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import islice

from monitor import facts, text
from monitor.html.dom import Element, invisible, line_of
from monitor.model import When

_TITLE_META = ("articletitle", "dc.title")
_TITLE = 300
_TITLE_PLACES = ("#con_title", "#activity-name", "h1")
_TIME_META = (
    "pubdate", "publishdate", "article:published_time", "publish_time", "publishtime", "pubtime", "firstpublishedtime",
    "og:release_date", "datepublished", "dc.date", "dcterms.issued", "dc.date.issued", "date",
)  # fmt: skip
_TIME_PLACES = (
    "#con_time", "#pubtime", "#publish_time", ".pages-date", ".pubtime", ".pub-time", ".pub_time", ".publish-time",
    ".publish_time", ".article-time", ".article_time", ".art-time", ".news_date", ".info-date", "[itemprop=datePublished]",
    ".publish-date", ".post-date", ".entry-date", ".article-date", "time",
)  # fmt: skip
TITLE_RANKS = {name: place for place, name in enumerate(_TITLE_PLACES)}
TIME_RANKS = {name: place for place, name in enumerate(_TIME_PLACES)}
#: No page has more headings or times that matter.
_MOST_PLACES = 60
_SCRIPT = 20_000
_ISSUER_META = ("contentsource", "source", "mediaid", "dc.creator", "dc.publisher")

_DATE = (
    r"\d{4}\s*[-年./]\s*\d{1,2}\s*[-月./]\s*\d{1,2}\s*日?(?:[T\s]{0,3}\d{1,2}\s*[:：时]\s*\d{1,2}(?:\s*[:：分]\s*\d{1,2})?"
    r"(?:\.\d+)?秒?(?:Z|\s?[+-]\d{2}:?\d{2})?)?"
)
_DATED = re.compile(_DATE)
_YEAR = re.compile(r"(?:19|20)\d\d")
#: The day of signing (成文日期) is not the day of publication.
_LABELLED_DATES = (
    re.compile(rf"(?:发布|发稿|公布|公开|发文|印发)\s*(?:时间|日期)\s*[:：】\]]?[\s|]*({_DATE})"),
    re.compile(rf"(?<!成文)(?<!更新)(?:时间|日期)\s*[:：][\s|]*({_DATE})"),
)
#: A line that stands between title and text: it names a date without a label, and one of these.
_BYLINE = re.compile(r"来\s*源|作\s*者|(?<!文)字[号体]|浏览|阅读|点击|打印|分享|编辑|供稿")
_OTHER_DATE = re.compile(r"(?:成文|签发|更新|修改|截止|有效|施行|实施|会议|活动|开始|结束)\S{0,4}[:：]?[\s|]*$")
_BYLINE_LENGTH = 160
#: A date right below the title, with little else on its line.
_DATE_FIRST = re.compile(rf"[\s\[【(（]*({_DATE})")
_BELOW, _BELOW_LENGTH = 3, 60
#: What pages tell search engines, as JSON.
_TOLD_MACHINES = re.compile(r'"(?:datePublished|pubDate)"\s*:\s*"([^"]{8,40})"')
_ISSUED_BY = re.compile(
    r"(?:发文机关|发文机构|发布机构|发布机关|发布单位|发文单位|制发机关|公开责任部门)\s*[:：】\]]?\s*\|?\s*([^|]{2,120})"
)
_FROM = re.compile(r"(?:信息来源|文章来源|稿件来源|来\s*源)\s*[:：]\s*\|?\s*([^|]{2,120})")
#: Where a value ends and the next label begins.
_NEXT = re.compile(
    r"\s*[|｜【\[(（]|\s+\S{2,6}[:：]|\s*(?:发布|成文|发文|更新|浏览|阅读|点击|作者|编辑|责任编辑|字体|字号|分享|打印|时间|日期|来源|索引)\S{0,4}\s*[:：]"
    r"|\s+\d{4}[-年./]|\s+(?:字体|字号|打印|分享|浏览)"
)
_NO_ISSUER = re.compile(r"(?:本站|本网|本网站|原创|网络|互联网|未知|暂无|无|不详|本站原创|-+)?")

SEPARATED = re.compile(r"\s*(?:_+|\s[-–—|·»]\s|[|｜]|——)\s*")
_SEPARATES = re.compile(r"\s*[-–—_|｜·»]")
_SHORTEST_TITLE = 6
_SITE = re.compile(
    r"(?:网|网站|网站群|门户|平台|系统|中心|政府|共和国|委员会|办公厅|办公室|部|委|局|厅|署|院|行|报|社|频道|The Paper)"
    r"(?:\s*[（(].{1,12}[）)])?$"
)


def meta(root: Element) -> dict[str, str]:
    """What the page's `meta` elements say: lower-case name, property or itemprop to the first content that is not empty."""
    found: dict[str, str] = {}
    for element in root.iter("meta"):
        name = element.get("name") or element.get("property") or element.get("itemprop")
        content = text.line(element.get("content") or "")
        if name and content:
            found.setdefault(name.strip().lower(), content)
    return found


def title(root: Element, about: Mapping[str, str], lines: Sequence[str], ranks: Mapping[Element, int]) -> str | None:
    """The notice's title: the publishing system's own, then the heading (`ranks`: what `TITLE_RANKS` names), og:title, and the
    window's title without the site's: as far as a line of the page (`lines`) says the same, or without what sites are called."""
    for name in _TITLE_META:
        if found := about.get(name):
            return found
    window = window_title(root)
    own = (_shown(window, lines) or without_site(window, about)) if window else ""
    places = _first(ranks)
    for place, name in enumerate(_TITLE_PLACES):
        headings = [line_of(h) for h in places if ranks[h] == place and not _of_the_site(h)]
        headings = [h for h in headings if 2 <= len(h) <= _TITLE]
        related = [h for h in headings if _alike(h, own)]
        if related:
            return max(related, key=len)
        # The one heading may be the site's name: then the window's title ends with it.
        if headings and (name != "h1" or not own or (len(headings) == 1 and text.fold(headings[0]) not in text.fold(window))):
            return headings[0]
    shared = about.get("og:title", "")
    return (shared if 0 < len(shared) <= _TITLE else own[:_TITLE]) or None


def window_title(root: Element) -> str:
    """The `title` element's line, "" if there is none."""
    for element in root.iter("title"):
        if not any(above.tag == "svg" for above in element.iterancestors()) and (found := line_of(element)):
            return found
    return ""


def without_site(window: str, about: Mapping[str, str]) -> str:
    """A window title without the names of site and column that follow the page's own ("… - 中华人民共和国工业和信息化部")."""
    names = {text.fold(about[name]) for name in ("sitename", "og:site_name", "columnname", "application-name") if name in about}
    parts = SEPARATED.split(window)
    marks = SEPARATED.findall(window)
    while len(parts) > 1 and len(parts[0]) >= 2:
        mark, last = marks[-1], parts[-1]
        if not (
            "_" in mark
            or mark.strip() in ("|", "｜")
            or not last
            or text.fold(last) in names
            or _SITE.search(last)
            or last.isascii()
        ):
            break
        parts.pop()
        marks.pop()
    kept = parts[0] + "".join(mark + part for mark, part in zip(marks, parts[1:], strict=True))
    head, dash, tail = kept.rpartition("-")
    if dash and len(head) >= 4 and not tail.isascii() and (_SITE.search(tail) or text.fold(tail) in names):
        kept = head
    return kept.strip(" -_|—") or window


def _shown(window: str, lines: Sequence[str]) -> str | None:
    """The beginning of the window's title, up to a sign that separates, that stands on a line of its own."""
    if not _SEPARATES.search(window):
        return None
    for line in lines:
        rest = window.removeprefix(line) if _SHORTEST_TITLE <= len(line) < len(window) else window
        if rest != window and _SEPARATES.match(rest):
            return line
    return None


def _alike(heading: str, own: str) -> bool:
    a, b = text.fold(heading), text.fold(own)
    return bool(a and b) and (a in b or b in a or a[:12] == b[:12])


def _of_the_site(heading: Element) -> bool:
    """Whether a heading is the site's logo: nothing but a link to its front page, or in the navigation."""
    if invisible(heading) or any(above.tag == "nav" or invisible(above) for above in heading.iterancestors()):
        return True
    link = heading.find(".//a")
    return link is not None and re.sub(r"^https?://[^/]*", "", (link.get("href") or "").strip()) in (
        "",
        "/",
        "./",
        "#",
        "/index.html",
    )


def published(
    root: Element,
    about: Mapping[str, str],
    lines: Sequence[str],
    beginning: Sequence[str],
    named: str | None,
    today: date,
    ranks: Mapping[Element, int],
) -> When | None:
    """When the page says that it was published: its meta, the elements that hold the time (`ranks`: what `TIME_RANKS` names),
    what it tells machines, or a date in `lines`, those of the page outside its text: labelled, right below its title `named`, or
    beside 来源 and the like. The head of the page may stand at the `beginning` of what was taken for the text."""
    for name in _TIME_META:
        if name in about and (found := _when(about[name], today)):
            return found
    for element in _first(ranks):
        if (found := _when(element.get("datetime") or element.get("content") or line_of(element), today)) is not None:
            return found
    for script in root.iter("script"):
        if "ld+json" in (script.get("type") or "") and (told := _TOLD_MACHINES.search((script.text or "")[:_SCRIPT])):
            return facts.parse_when(told[1], today)
    rows = [line for line in beginning if "|" in line]
    for label in _LABELLED_DATES:
        for line in (*lines, *rows):
            if (match := label.search(line[:400])) and (found := facts.parse_when(match[1], today)) is not None:
                return found
    return _below(lines, named, today) or _beside((*lines, *beginning), today)


def _below(lines: Sequence[str], named: str | None, today: date) -> When | None:
    """The date that begins one of the lines right below the title."""
    for place, line in enumerate(lines):
        if line != named:
            continue
        for under in lines[place + 1 : place + 1 + _BELOW]:
            if len(under) <= _BELOW_LENGTH and "。" not in under and (found := _DATE_FIRST.match(under)):
                return facts.parse_when(found[1], today)
    return None


def is_byline(line: str) -> bool:
    """Whether a line gives a date and names the source, the author or the page's tools beside it."""
    return len(line) <= _BYLINE_LENGTH and _BYLINE.search(line) is not None and _DATED.search(line) is not None


def _beside(lines: Sequence[str], today: date) -> When | None:
    """The date of the first line that names its source, its author or the page's tools."""
    for line in lines:
        found = _DATED.search(line) if is_byline(line) else None
        if found and not _OTHER_DATE.search(line[: found.start()]):
            return facts.parse_when(found[0], today)
    return None


def _first(ranks: Mapping[Element, int]) -> list[Element]:
    """The elements of the first name first, then in document order."""
    return sorted(islice(ranks, _MOST_PLACES), key=lambda element: ranks[element])


def _when(said: str, today: date) -> When | None:
    """A time with its year: "3 小时前" would be another at each reading."""
    dated = _DATED.search(said[:200])
    if dated:
        return facts.parse_when(dated[0], today)
    return facts.parse_when(said[:100], today) if _YEAR.search(said[:100]) else None


def issuer(about: Mapping[str, str], lines: Sequence[str]) -> str | None:
    """Who the page says issued it: the labelled issuing body, its meta, or the source that its head names."""
    for line in lines:
        if (match := _ISSUED_BY.search(line[:400])) and (found := _body(match[1])):
            return found
    for name in _ISSUER_META:
        if name in about and (found := _body(about[name])):
            return found
    for line in lines:
        if (match := _FROM.search(line[:400])) and (found := _body(match[1])):
            return found
    return None


def _body(said: str) -> str | None:
    said = re.sub(r"^\s*(?:信息|文章|稿件)?来\s*源\s*[:：]\s*", "", said)
    end = _NEXT.search(said)
    found = (said[: end.start()] if end else said).strip(" \t:：,，;；。、-—|>》")
    if not 2 <= len(found) <= 60 or _NO_ISSUER.fullmatch(found) or found.startswith(("http://", "https://")):
        return None
    return found
