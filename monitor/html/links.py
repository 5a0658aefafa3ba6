"""The files that a page offers and the pictures in its text, as absolute addresses.

It fetches nothing; what an address serves is found out where it is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, islice
from typing import cast
from urllib.parse import parse_qsl, unquote, urlsplit

from monitor import text, urls
from monitor.html.dom import Element, line_of, seen
from monitor.model import Attachment

EXTENSIONS = "pdf|docx?|xlsx?|wps|et|ofd|zip|rar|7z|csv|txt|pptx?"
_FILE = re.compile(rf"\.(?:{EXTENSIONS})$", re.I)
_FILE_SOMEWHERE = re.compile(rf"(?:\.|%2e)(?:{EXTENSIONS})", re.I)
#: Addresses of a document behind a viewer or a counter: the path says so, and has a name that no person gave.
_KEPT = re.compile(r"/(?:files?|documents?|downloads?|attachments?)/(?:[^?#]*/)?(?=[^/?#]*\d)[\w-]{12,}(?:[/?#]|$)", re.I)
#: No notice has more files or pictures.
_MOST = 500
_AREA = re.compile(r"attach|appendix|enclosure|annex|fujian|(?:^|[-_])fj(?:$|[-_\d])|download|xiazai", re.I)
_ANNEX = re.compile(r"附\s*件")
#: Link texts that do not name the file.
_NAMELESS = re.compile(
    r"(?:点击|点此|我要|立即)?(?:下载|查看|浏览|打开|预览|附件|链接)(?:附件|文件|全文|原文)?|pdf|docx?|xlsx?|download|view|here|more",
    re.I,
)
_COUNTER = re.compile(
    r"\s*[(（\[【]?\s*(?:已?下载(?:次数|量|数)?\s*[:：]?\s*\d+\s*次?|已?下载\s*[:：]?\s*\d*\s*次)\s*[)）\]】]?\s*$"
)
_ICON = re.compile(
    r"(?:^|[/_.-])(?:icons?|logo|print|sendmail|save|close|openpage|qr_?code|ewm|erweima|share|blank|spacer|loading|transparent|bg"
    r"|arrow|dot|filetypeimages?|btn|button|next_?-?page|prev_?-?page|captcha|validate_?code|verify_?code|random_?code|check_?code)(?:$|[/_.\d-])",
    re.I,
)
_SIZE = re.compile(r"(?:^|;)\s*(?:width|height)\s*:\s*(\d+)(?:\.\d+)?px", re.I)
_TINY = 40
#: How far above a link the element may stand that says "attachments".
_ABOVE = 4


def base_of(root: Element, url: str) -> str:
    """The address against which the page's links are resolved: its `base` element's, else its own."""
    base = root.find(".//base[@href]")
    return (urls.join(url, base.get("href") or "") if base is not None else None) or url


def is_file(element: Element) -> bool:
    """Whether a link's address, or the name under which it is saved, is that of a document."""
    if element.tag != "a":
        return False
    href = element.get("href")
    return href is not None and (_file_name(href) is not None or _FILE.search(element.get("download") or "") is not None)


def _file_name(href: str) -> str | None:
    """The name of the document that an address points to: the end of its path, else of a value in its query."""
    if not _FILE_SOMEWHERE.search(href):
        return None
    try:
        parts = urlsplit(href.strip())
        values = [value for _, value in parse_qsl(parts.query, max_num_fields=50)]
    except ValueError:
        return None
    for value in (parts.path, *values):
        name = unquote(value).rstrip().rpartition("/")[2]
        if _FILE.search(name):
            return name
    return None


def attachments(base: str, main: Iterable[Element], body: Element, skip: Collection[Element]) -> tuple[Attachment, ...]:
    """The files of a page: those linked in its main text, then those linked in its attachment areas; each address once."""
    found: dict[str, Attachment] = {}
    hrefs: set[str] = set()
    inside = (link for root in main for link in seen(root.iter("a"), root, skip) if is_file(link) or _names_a_file(link))
    offered = islice(seen(filter(is_file, body.iter("a")), body, skip), 4 * _MOST)
    beside = (link for link in offered if _in_area(link))
    for link in chain(inside, beside):
        href = (link.get("href") or "").strip()
        if not href or href.startswith("#") or href in hrefs:
            continue
        hrefs.add(href)
        url = urls.join(base, href)
        if url is not None and url not in found:
            found[url] = Attachment(url=url, name=_name(link, line_of(link), url))
        if len(found) >= _MOST:
            break
    return tuple(found.values())


def documents(base: str, main: Iterable[Element], skip: Collection[Element]) -> tuple[Attachment, ...]:
    """The documents that the main text links to by an address that does not name a file (a viewer's page, a share): what stands
    there may be replaced, by another address behind the same words."""
    found: dict[str, Attachment] = {}
    for root in main:
        for link in seen(root.iter("a"), root, skip):
            href = link.get("href")
            if (
                href
                and len(found) < _MOST
                and _KEPT.search(href)
                and not is_file(link)
                and (url := urls.join(base, href.strip()))
            ):
                found.setdefault(url, Attachment(url=url, name=line_of(link) or url))
    return tuple(found.values())


def _names_a_file(link: Element) -> bool:
    told = "".join(islice(cast("Iterator[str]", link.itertext()), 50)).strip()[:1000]
    return link.get("download") is not None or _ANNEX.search(told) is not None or _FILE.search(told) is not None


def _name(link: Element, label: str, url: str) -> str:
    """What people call the file: the link's text, else what the page says it is saved as, else the end of its address."""
    label = _COUNTER.sub("", label).strip()
    if label and not _NAMELESS.fullmatch(label.strip("[]【】()（） 　:：>»")):
        return label
    for other in (link.get("download"), link.get("title"), _file_name(link.get("href") or "")):
        if other and (name := _COUNTER.sub("", text.line(other)).strip()):
            return name
    return label or text.line(unquote(urlsplit(url).path.rpartition("/")[2])) or url


def _in_area(link: Element) -> bool:
    """Whether the link, or what surrounds it closely, is said to be an attachment."""
    if _ANNEX.search(line_of(link)):
        return True
    for depth, above in enumerate(link.iterancestors()):
        if depth >= _ABOVE or above.tag == "body":
            return False
        if _AREA.search(f"{above.get('class') or ''} {above.get('id') or ''}") or _ANNEX.match((above.text or "").strip()):
            return True
    return False


def picture_source(element: Element) -> str | None:
    """The address of a picture as the page gives it; pages that load pictures late keep it in a `data-` attribute."""
    for name in ("data-src", "data-original", "src"):
        source = (element.get(name) or "").strip()
        if source and not source.startswith(("data:", "about:", "javascript:")):
            return source
    return None


def is_picture(element: Element) -> bool:
    """Whether an `img` is content: not an icon, a counter or a spacer."""
    if element.tag != "img":
        return False
    source = picture_source(element)
    if source is None or _ICON.search(source.partition("?")[0]):
        return False
    sizes = [
        *_SIZE.findall(element.get("style") or ""),
        *((element.get(name) or "").removesuffix("px") for name in ("width", "height")),
    ]
    return not any(size.isdecimal() and int(size[:6]) < _TINY for size in sizes)


def images(base: str, main: Iterable[Element], skip: Collection[Element]) -> tuple[str, ...]:
    """The addresses of the pictures in the main text, in document order, each once."""
    found: dict[str, None] = {}
    for root in main:
        for picture in seen(filter(is_picture, root.iter("img")), root, skip):
            if url := urls.join(base, picture_source(picture) or ""):
                found[url] = None
    return tuple(islice(found, _MOST))
