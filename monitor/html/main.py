"""Which part of a page is its main text: by the containers that publishing systems use, else by the density of text.

It chooses elements; it neither reads their text (`dom`) nor knows titles and dates (`head`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import cast

from monitor.html import dom
from monitor.html.dom import BLOCKS, UNREAD, Element, outermost, raw_text, walk
from monitor.html.links import is_file, is_picture

#: Containers of known publishing systems and sites, the most telling first: `#id`, `.class`, `tag.class`.
SPECIFIC = (
    # WeChat; gov.cn; TRS (NDRC, MOE and most ministries); JPAAS (MIIT, MOFCOM, SAMR and the communications administrations)
    "#js_content", "#UCAP-CONTENT", ".TRS_UEDITOR", ".TRS_Editor", ".TRS_PreAppend", ".trs_editor_view", ".view.TRS_UEDITOR",
    "#con_con", ".ccontent", ".xxgk_con", ".art-con", ".art-con-gonggao", ".Three_xilan_07", "#downloadContent",
    ".moe-detail-box", ".zsy_comain", "#BodyLabel", "#zoom", "#Zoom", ".pages_content", ".article_con", ".zwgkdetail",
    "#ContentRegion", "#fontzoom", "#articleContent", "#article_content", "#article-content", "#mainText", "#artibody",
    "#ozoom", "#arti_content", "#xxgk_content", ".xxgk-content", ".gknbxq_detail", ".xlrllt", ".nfw-cms-text",
    ".details-policy-box", ".bt-content", ".bulletin-content",
    # universities and news houses that carry notices
    "#rwb_zw", "#p-detail", "#detailContent", "#vsb_content", ".v_news_content", ".wp_articlecontent", ".news_txt", ".post_body",
    "#endText", ".rm_txt_con", ".text_con",
    # other CMS: Drupal (CISA), WordPress, GitHub
    ".field--name-body", ".entry-content", ".post-content", ".article__content", ".markdown-body", "[itemprop=articleBody]",
)  # fmt: skip
#: Names that other things have too: taken only where the element reads like a text.
GENERIC = (
    ".article-content", ".article_content", ".article-body", ".article_body", ".articleContent", ".detail-content",
    ".detail_content", ".content-detail", ".content_detail", ".news-content", ".news_content", ".newscontent", ".con_text",
    ".conTxt", ".page-content", "div.article", "div.detail", "#article", "#detail", "article", "#content", ".content", "main",
    "[role=main]",
)  # fmt: skip
NAMES = {name: place for place, name in enumerate(SPECIFIC + GENERIC)}

#: Names of what stands in or beside a text without being part of it.
_JUNK = re.compile(
    r"(?:^|[-_])(?:jiathis|bdshare\w*|bshare\w*|share\w*|sharing|social|qr_?code|qr_container|ewm|erweima|print|toolbar|tool_?bar|"
    r"breadcrumbs?|crumbs?|position|pagination|pager|pagenav|prev_?next|prenext|related\w*|recommend\w*|xgxx|xglj|xgyd|xgwd|xgbd|"
    r"zan|dianzan|footer|foot|copyright|comments?|feedback|subscribe|newsletter|cookie\w*|banner)(?:$|[-_])|^div_div$|^jiathis|^bdshare",
    re.I,
)
_APART = frozenset({"nav", "footer"})
#: Menus and lists of other pages, or part of the text: their links tell which.
_PERHAPS = frozenset({"aside", "header"})
_APART_ROLES = frozenset({"navigation", "contentinfo", "search", "banner"})
_SENTENCE = re.compile(r"[，。；：、！？,.;!?]")
#: What ends a sentence, and so tells a paragraph from a title or a byline.
_STOP = re.compile(r"[。；！？!?;]|[.:](?=\s|$)")
#: What stands at the foot of every page counts as little as a link.
_IMPRINT = re.compile(
    r"版权所有|ICP备|公网安备|网站标识码|copyright|all rights reserved|技术支持[:：]|(?:主办|承办)单位[:：]"
    r"|\b(?:utilise|uses?|using)\b.{0,20}\bcookies?\b|使用.{0,6}cookie",
    re.I,
)
_TABLE = frozenset({"table", "tbody", "tr"})
#: A shorter text may well stand on a page twice.
_COPIED = 200
#: A longer piece is a text that speaks of such things.
_LONGEST_IMPRINT = 400
#: A paragraph shorter than this many characters tells nothing of where the text is.
_PARAGRAPH = 25
_LINKED = 0.35
#: What density finds must be this long, and hold this share of all unlinked text, else the whole page is the text.
_DENSE = 80
_SHARE = 0.35
#: … or this share of all sentences.
_PROSE = 0.8
#: Lines that belong to a dense text stand at most so many levels above it, in so many characters.
_NEAR = 3
_EDGES = 300
#: Links to a text's versions: each is a date; so many at most, those of the text itself among them.
_DATED = re.compile(r"(?=.*\b(?:19|20)\d\d\b)[\w\s./-]{6,20}")
_VERSIONS = 200
_FURNITURE = re.compile(r"来源|浏览|点击|阅读|访问|字[号体]|分享|打印|位置|评论|cookie|share|views?\b|loading|chargement", re.I)


@dataclass(slots=True)
class _Frame:
    """What was counted in an element: characters that are not white space, those of them in links and in paragraphs, and its
    score."""

    element: Element
    block: bool
    chars: int = 0
    linked: int = 0
    own: int = 0
    own_linked: int = 0
    marks: int = 0
    stops: int = 0
    prose: int = 0
    files: int = 0
    pictures: int = 0
    score: float = 0.0

    @property
    def unlinked(self) -> int:
        return self.chars - self.linked


@dataclass(slots=True)
class Survey:
    """One pass over a page: the containers that were found, what is not text, and where text is dense. `named`: all elements that
    are called as a container is, hidden ones too, in document order."""

    containers: dict[int, list[_Frame]] = field(default_factory=dict)
    junk: set[Element] = field(default_factory=set)
    dense: dict[Element, _Frame] = field(default_factory=dict)
    total: _Frame | None = None
    named: dict[Element, int] = field(default_factory=dict)


def survey(body: Element, skip: set[Element], named: dict[Element, int] | None = None) -> Survey:
    """Count and classify everything visible in `body`; `named`: its elements that `NAMES` names, where they are known already."""
    found = Survey(named=dom.ranked(body, NAMES)[0] if named is None else named)
    stack: list[_Frame] = []
    links = 0
    for event, element in walk(body, skip):
        if event == "start":
            tag = element.tag
            stack.append(
                _Frame(
                    element, tag in BLOCKS, files=tag == "a" and is_file(element), pictures=tag == "img" and is_picture(element)
                )
            )
            links += tag == "a"
            if piece := element.text:
                _count(stack, piece, links > 0)
            continue
        if event == "end":
            links -= element.tag == "a"
            _close(stack, found)
        if stack and (piece := element.tail):
            _count(stack, piece, links > 0)
    return found


def _count(stack: list[_Frame], piece: str, linked: bool) -> None:
    if piece.isspace():
        return
    chars, imprint, marks, stops = _weighed(piece) if len(piece) <= _LONGEST_IMPRINT else _weight(piece)
    frame = stack[-1]
    frame.chars += chars
    frame.own += chars
    if linked or imprint:
        frame.linked += chars
        frame.own_linked += chars
    else:
        frame.marks += marks
        frame.stops += stops


def _weight(piece: str) -> tuple[int, bool, int, bool]:
    """Of a piece of text: its characters that are not white space, whether it is an imprint, its marks of sentences, and whether
    one ends in it."""
    chars = sum(map(len, piece.split()))
    imprint = chars <= _LONGEST_IMPRINT and _IMPRINT.search(piece) is not None
    return chars, imprint, len(_SENTENCE.findall(piece)), _STOP.search(piece) is not None


#: Kept, because most short pieces stand on the page of the check before, and on the other pages of a site.
_weighed = lru_cache(maxsize=4096)(_weight)


def _close(stack: list[_Frame], found: Survey) -> None:
    frame = stack.pop()
    element = frame.element
    above = stack[-1] if stack else None
    if frame.block or above is None:
        _score(frame, stack)
        if frame.chars >= _PARAGRAPH:
            found.dense[element] = frame
    if above is None:
        found.total = frame
    else:
        above.chars += frame.chars
        above.linked += frame.linked
        above.prose += frame.prose
        above.files += frame.files
        above.pictures += frame.pictures
        if not frame.block:
            above.own += frame.own
            above.own_linked += frame.own_linked
            above.marks += frame.marks
            above.stops += frame.stops
        if _is_junk(frame):
            found.junk.add(element)
    place = found.named.get(element)
    if place is not None and (frame.chars or frame.files or frame.pictures):
        found.containers.setdefault(place, []).append(frame)


def _score(frame: _Frame, stack: list[_Frame]) -> None:
    """A paragraph speaks for the blocks that hold it, and for itself: texts broken by `br` alone are one block."""
    if frame.own < _PARAGRAPH or frame.own_linked > _LINKED * frame.own:
        return
    points = 1 + min(frame.own / 100, 10) + min(frame.marks, 10)
    frame.score += points / 2
    if frame.stops:
        frame.prose += frame.own
    share = 1.0
    for above in reversed(stack[-12:]):
        if above.block:
            above.score += points * share
            share /= 2
            if share < 0.5:
                break


def _is_junk(frame: _Frame) -> bool:
    """Whether an element stands in the text without belonging to it: so named, and short or made of links."""
    element = frame.element
    tag = element.tag
    if frame.files or not (element.keys() or tag in _APART or tag in _PERHAPS):
        return False
    if tag in _APART or element.get("role") in _APART_ROLES:
        return True
    if tag in _PERHAPS:
        return frame.linked >= frame.chars / 2
    named, called = element.get("class"), element.get("id")
    if (named is None and called is None) or (frame.chars > 120 and frame.linked < frame.chars / 2):
        return False
    return _is_junk_name(f"{named or ''} {called or ''}")


@lru_cache(maxsize=1024)
def _is_junk_name(names: str) -> bool:
    return any(_JUNK.search(name) for name in names.split())


def main_elements(found: Survey) -> tuple[list[Element], bool]:
    """The elements that hold the main text, in document order, none in another, and whether a known container says so; none
    where only the whole page will do."""
    if not any(place < len(SPECIFIC) for place in found.containers) and (unseen := unseen_containers(found)):
        return unseen, True
    for place in sorted(found.containers):
        frames = found.containers[place]
        if place >= len(SPECIFIC):
            best = max(frames, key=lambda frame: frame.unlinked)
            if best.chars >= _PARAGRAPH and best.linked <= _LINKED * best.chars and _holds_enough(best, found):
                return [best.element], True
            continue
        visible = [frame for frame in frames if frame.element not in found.junk]
        outer = _once(outermost([frame.element for frame in visible]), found)
        if outer:
            return outer, True
    return _dense(found), False


def unseen_containers(found: Survey) -> list[Element]:
    """The first known container with text that stands in something hidden: pages show it by script, and unclosed elements of
    the page's own tools swallow it."""
    ranked: dict[int, list[Element]] = {}
    for element, place in found.named.items():
        if place < len(SPECIFIC) and element.tag not in UNREAD:
            ranked.setdefault(place, []).append(element)
    for place in sorted(ranked):
        inside = [e for e in ranked[place] if e not in found.junk and not any(above.tag in UNREAD for above in e.iterancestors())]
        told = [e for e in outermost(inside) if raw_text(e, found.junk).strip()]
        if told:
            return told[:1]
    return []


def _once(elements: list[Element], found: Survey) -> list[Element]:
    """Those with a text, a file or a picture; of several that say the same (a page for the screen and for print) the first."""
    kept: dict[str, Element] = {}
    for element in elements:
        said = " ".join(raw_text(element, found.junk).split())
        if said or any(is_file(part) or is_picture(part) for part in element.iter("a", "img")):
            kept.setdefault(said, element)
    return list(kept.values())


def without_copies(elements: list[Element]) -> list[Element]:
    """Of elements with the same long text, which are one part for several kinds of screen, the first; all others."""
    kept: dict[object, Element] = {}
    for element in elements if len(elements) > 1 else ():
        said = " ".join("".join(cast("Iterator[str]", element.itertext())).split())
        kept.setdefault(said if len(said) >= _COPIED else element, element)
    return list(kept.values()) or elements


def _holds_enough(frame: _Frame, found: Survey) -> bool:
    total = found.total
    if total is None:
        return False
    return frame.unlinked >= _SHARE * total.unlinked or (0 < total.prose <= frame.prose / _PROSE)


def _dense(found: Survey) -> list[Element]:
    best: _Frame | None = None
    top = 0.0
    for frame in found.dense.values():
        value = frame.score * (1 - frame.linked / frame.chars)
        if value > top:
            best, top = frame, value
    if best is None:
        return []
    for above in best.element.iterancestors():
        wider = found.dense.get(above)
        if wider is not None and _adds_text(wider, best):
            best = wider
    for above in list(best.element.iterancestors())[:_NEAR]:
        wider = found.dense.get(above)
        if wider is not None and wider is not found.total and _adds_edges(wider, best, found):
            best = wider
    if best.unlinked < _DENSE or not _holds_enough(best, found):
        return []
    return [best.element]


def _adds_text(wider: _Frame, inner: _Frame) -> bool:
    """Whether the wider block holds more of the same text, not merely what surrounds it."""
    more, linked = wider.chars - inner.chars, wider.linked - inner.linked
    told = wider.element.tag in _TABLE or wider.prose - inner.prose >= inner.prose / 4  # rows of fields are no sentences
    return more - linked >= inner.unlinked / 4 and linked <= 0.3 * more and told


def _adds_edges(wider: _Frame, inner: _Frame, found: Survey) -> bool:
    """Whether what the wider block adds is the text's own first or last lines: without links, without what systems put there."""
    if wider.pictures > inner.pictures or (wider.linked > inner.linked and not _dated_links(wider, inner)):
        return False
    added = raw_text(wider.element, found.junk | {inner.element})
    return len(added) - (wider.linked - inner.linked) <= _EDGES and not _FURNITURE.search(added)


def _dated_links(wider: _Frame, inner: _Frame) -> bool:
    """Whether the links that the wider block adds are the dates of a text's versions."""
    added = [link for link in islice(wider.element.iter("a"), _VERSIONS) if inner.element not in link.iterancestors()]
    return len(added) < _VERSIONS and all(_DATED.fullmatch(" ".join(raw_text(link).split())) for link in added)
