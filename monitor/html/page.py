"""One page, read: what the reader `html` and the source kind `page` have in common.

It decides what of a page counts; what a change of it means is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from monitor import text
from monitor.errors import ParseError
from monitor.html import absent, dom, head, links, main, parts
from monitor.html.dom import Element
from monitor.html.record import record, recorded_title
from monitor.model import Attachment, Fetched, ReadPolicy, When

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_OPENING = re.compile(r"\s*+(?:<\?xml[^>]*+>\s*+|<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s++html|html|head|body)\b", re.I | re.S)
#: A user's pattern may take this long, in seconds, on the text of one page.
PATTERN_TIMEOUT = 0.1

_WORD = re.compile(r"\w")
#: Where something was cut (no clean text holds it); a line that was cut whole goes with its end.
_CUT = "\0"
_CUT_LINES = re.compile(r"^[\0 |]*\0[\0 |]*\n", re.M)
#: Lines inside containers that are tools of the page, not text: they name several of these and nothing else.
_TOOLS = re.compile(
    r"[\s|/·【】\[\]()（）:：<>《》+-]*+(?:(?>打印(?:本页|此页|文章)?|关闭(?:本页|窗口|页面|此页)?|加入收藏|收藏|我要纠错|纠错|返回(?:顶部|列表|上一页|首页)?|"
    r"分享(?:到|至)?|字[体号](?:大小)?|朗读|下载本文|微信|新浪微博|微博|QQ空间|QQ好友|大|中|小|A[+-]?|T)[\s|/·【】\[\]()（）:：<>《》+-]*+){1,20}+"
)
_TOOL = re.compile(r"打印|关闭|收藏|纠错|返回|分享|字[体号]|朗读")
_COUNTER = re.compile(
    r"[\s【\[(（]*(?:本文)?(?:浏览|阅读|点击|访问|查看|点赞|评论)(?:次数|总数|量|数|人数)?\s*[:：]?\s*[\d,，.万+-]*\s*次?[\s】\])）]*"
)
_NEIGHBOUR = re.compile(r"[\s【\[<«]*(?:上|下)\s*一\s*(?:篇|条|则|页|个)(?:文章|新闻|通知|公告)?\s*(?:[】\]>»:：|].*|$)")
_SCAN = re.compile(r".{0,10}扫一扫.{0,30}(?:打开|分享|阅读|查看|关注|访问|手机).{0,30}")
_TOOL_LINE = 80
#: A byline holds a counter among its source and date; tools stand before or behind a name.
_BYLINE = re.compile(r"来\s*源|作\s*者|时间|日期|发布|编辑")
_COUNTED = re.compile(
    r"[\s|【\[(（]*(?:本文)?(?:浏览|阅读|点击|访问|查看)(?:次数|总数|量|数|人数)?\s*[:：]\s*(?:\d[\d,，.万+]*)?\s*次?[】\])）]*(?=\s|$)"
)
_TOOL_BESIDE = re.compile(
    r"^(?:[【\[](?:我要纠错|纠错|打印|关闭|收藏|分享)[】\]]\s*)++(?=责|编|来源|作者)"
    r"|(?<=\S)(?:\s*[【\[](?:我要纠错|纠错|打印|关闭|收藏|分享)[】\]])++$"
)
#: Links to an article's other pages.
_PAGES = re.compile(
    r"[\s>»<«…·/|]*+(?:(?>首页|[上下]一?页|[前后]一页|[尾末]页|共\s?\d++\s?页|第\s?\d++\s?页|转到|跳转|到第|页|GO|【\s?\d{1,3}\s?】"
    r"|\[\s?\d{1,3}\s?\]|\d{1,3}(?!\d))[\s>»<«…·/|]*+){2,60}+",
    re.I,
)
_PAGE_WORD = re.compile(r"[上下尾末]一?页|[前后]一页|[】\]].*[【\[]")
#: Lines of a text's beginning that may still be its head.
_BEGINNING = 12


@dataclass(frozen=True, slots=True)
class Page:
    """What one page says. `text` is "" only where pictures or attachments are all there is, or where the site says `gone`."""

    title: str | None
    text: str
    published: When | None = None
    issuer: str | None = None
    attachments: tuple[Attachment, ...] = ()
    documents: tuple[Attachment, ...] = ()  # linked to by an address that names no file
    images: tuple[str, ...] = ()
    gone: str | None = None
    problems: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()  # the page's record
    menus: bool = False  # nothing but links and what systems put around a text
    next: str | None = None  # the next page of an article in several


def is_html(got: Fetched) -> bool:
    """Whether the answer is a page by its type, or by its beginning where the type says nothing or "plain text"."""
    if got.media_type in HTML_TYPES:
        return True
    return got.media_type in ("", "text/plain", "application/octet-stream", "application/xml", "text/xml") and bool(
        _OPENING.match(got.body[:2000].decode("ascii", "replace"))
    )


def is_page(got: Fetched) -> bool:
    """Whether `read` takes the answer."""
    return got.media_type == "text/plain" or is_html(got)


def read(got: Fetched, policy: ReadPolicy, *, title: str | None = None) -> Page:
    """The page in `got`; `title` is the CSS selector of its title, if the user knows better.

    Raises ParseError: reason "select" where a selector matches nothing, "pattern" where a user's pattern is wrong or too slow,
    "no text" where there is nothing to read, "too deep" for a hostile page.
    """
    if not is_html(got):
        return _read_plain(got, policy)
    return _Reading(got, policy, title).page()


def _read_plain(got: Fetched, policy: ReadPolicy) -> Page:
    if policy.select:
        raise ParseError(
            f"{got.url} is plain text, where select = {_listed(policy.select)} finds nothing",
            reason="select",
            hint="look at what the address serves, or leave `select` out",
        )
    content = cut(text.clean(got.text), policy.ignore_text)
    if not _WORD.search(content):
        raise _no_text(got.url, "is an empty text")
    return Page(title=None, text=content)


class _Reading:
    """The steps of reading one HTML page, which share its tree."""

    def __init__(self, got: Fetched, policy: ReadPolicy, title: str | None) -> None:
        self.got, self.policy = got, policy
        markup = got.text
        self.root = dom.parse(markup)
        body = self.root.find("body")
        self.body = body if body is not None else self.root
        self.ignored = set(self._matches(policy.ignore))
        self.skip = set(self.ignored)
        self.junk = set(self.ignored)
        self.about = head.meta(self.root)
        self.containers, self.titles, self.times = dom.ranked(self.root, main.NAMES, head.TITLE_RANKS, head.TIME_RANKS)
        self.named_by = title
        self.beginning: list[str] = []
        self.problems = _problems(markup)
        self.sure = True  # the user, or a known container, says where the text is

    def page(self) -> Page:
        window = head.window_title(self.root)
        chosen = self._selected()
        if chosen is None:
            gone = absent.gone(window, self._whole())
            if gone is None:
                raise self._not_found(window)
            return Page(title=self._title(()), text=self._whole(), gone=gone)
        content = self._content(chosen)
        around = content if chosen == [self.body] else self._whole(chosen)
        gone = absent.gone(window, content if chosen == [self.body] else f"{around}\n{content}")
        outside = around.split("\n")
        beginning = [] if chosen == [self.body] else [line for line in self.beginning if "|" in line or head.is_byline(line)]
        lines = [*outside, *beginning]
        title = self._title([*outside, *self.beginning])
        kept = cut(content, self.policy.ignore_text)
        base = links.base_of(self.root, self.got.url)
        attachments = links.attachments(base, chosen, self.body, self.skip)
        images = links.images(base, chosen, self.skip)
        if gone is None and (absent.is_skeleton(kept, sure=self.sure) if _WORD.search(kept) else not (attachments or images)):
            raise self._nothing(content)
        return Page(
            title=title,
            text=kept,
            published=head.published(self.root, self.about, outside, beginning, title, self.got.at.date(), self.times),
            issuer=head.issuer(self.about, lines),
            attachments=attachments,
            documents=tuple(one for one in links.documents(base, chosen, self.skip) if one not in attachments),
            images=images,
            gone=gone,
            problems=self.problems,
            labels=record(self.root, lines),
            menus=gone is None and self._menus(chosen),
            next=parts.following(self.root, self.got.url, base) if gone is None else None,
        )

    def _title(self, lines: Sequence[str]) -> str | None:
        for element in self._matches((self.named_by,)) if self.named_by else ():
            if found := dom.line_of(element):
                return found
        return head.title(self.root, self.about, lines, self.titles) or recorded_title(lines)

    def _selected(self) -> list[Element] | None:
        """The elements whose text is the page's: as selected (None if the selectors match nothing), or as found."""
        if self.policy.select:
            within = [e for e in self._matches(self.policy.select) if not self._is_ignored(e)]
            return main.without_copies(dom.outermost(within)) or None
        found = main.survey(self.body, self.ignored, self.containers)
        chosen, self.sure = main.main_elements(found)
        self.junk = self.ignored | found.junk
        self.skip |= found.junk
        return chosen or [self.body]

    def _matches(self, css: Sequence[str]) -> list[Element]:
        try:
            return dom.matches(self.root, css)
        except ValueError as error:
            raise ParseError(str(error), reason="select", hint="correct the selector of this source") from error

    def _is_ignored(self, element: Element) -> bool:
        return element in self.ignored or any(above in self.ignored for above in element.iterancestors())

    def _menus(self, chosen: Sequence[Element]) -> bool:
        """Whether no text was found, and all that the page shows is links and what stands around a text."""
        if chosen != [self.body] or self.policy.select:
            return False
        return not _WORD.search(dom.raw_text(self.body, self.junk.union(self.body.iter("a", "button", "label"))))

    def _content(self, chosen: Sequence[Element]) -> str:
        content = text.clean("\n".join(dom.raw_text(element, self.skip).strip("\n") for element in chosen))
        if self.policy.select:
            return content
        self.beginning = content.split("\n", _BEGINNING)[:_BEGINNING]
        content = without_tools(content)
        if not content and chosen == [self.body]:  # menus, or what is said to browsers without scripts, may be all there is
            self.skip = set(self.ignored)
            content = dom.text_of(self.body, self.skip) or dom.text_of(self.body, self.skip, noscript=True)
        return content

    def _whole(self, without: Sequence[Element] = ()) -> str:
        """The page's text, menus and all, but for the elements `without`."""
        return dom.text_of(self.body, self.ignored.union(without))

    def _not_found(self, window: str) -> ParseError:
        named = f'the page "{window}"' if window else "the page"
        return ParseError(
            f"select = {_listed(self.policy.select)} matches nothing in {named} at {self.got.url}",
            reason="select",
            hint="the site was rebuilt, or this is another page (login, error); look at it in a browser and correct `select`",
        )

    def _nothing(self, content: str) -> ParseError:
        if _WORD.search(content) and absent.is_skeleton(content, sure=self.sure):
            return _no_text(self.got.url, f'shows only "{text.line(content)[:80]}"')
        if _WORD.search(content):
            return _no_text(self.got.url, "has no text besides what `ignore_text` leaves out")
        if self.root.find(".//script") is not None:
            return _no_text(self.got.url, "has no text: a script writes it")
        return _no_text(self.got.url, "has no text")


def _no_text(url: str, said: str) -> ParseError:
    return ParseError(
        f"{url} {said}",
        reason="no text",
        hint='if this stays, try via = "browser", or the address from which the page loads its text',
    )


def _listed(css: Sequence[str]) -> str:
    return ", ".join(f'"{one}"' for one in css)


def _problems(markup: str) -> tuple[str, ...]:
    opened = re.search(r"<(?:html|body)\b", markup[:20_000], re.I) is not None
    if opened and re.search(r"</(?:html|body)\s*>", markup, re.I) is None:
        return ("the page does not end with </html>; it may be incomplete",)
    return ()


def without_tools(content: str) -> str:
    """A text without the lines that are the page's tools: print and close, share, counters, links to other pages, the
    neighbouring notices' titles; and without the counter in a byline."""
    lines = content.split("\n")
    return "\n".join(_without_counter(line) for line in lines if not _is_tool(line)).strip("\n")


def _without_counter(line: str) -> str:
    if len(line) > 2 * _TOOL_LINE:
        return line
    if _BYLINE.search(line):
        line = _COUNTED.sub("", line).strip()
    return _TOOL_BESIDE.sub("", line) if line[-1:] in ("】", "]") or line[:1] in ("【", "[") else line


def _is_tool(line: str) -> bool:
    if _NEIGHBOUR.match(line):
        return True
    if len(line) > _TOOL_LINE:
        return False
    if _TOOL.search(line) and _TOOLS.fullmatch(line):
        return True
    if _PAGE_WORD.search(line) and _PAGES.fullmatch(line):
        return True
    return bool(line) and (_COUNTER.fullmatch(line) or _SCAN.fullmatch(line)) is not None


def cut(content: str, patterns: Sequence[str]) -> str:
    """A text without what the user's regular expressions match (`^` and `$` are the ends of lines), cleaned again.

    Raises ParseError (reason "pattern") where one is no regular expression or takes longer than `PATTERN_TIMEOUT`.
    """
    if not patterns:
        return content
    for pattern in patterns:
        try:
            content = regex.sub(pattern, _CUT, content, flags=regex.MULTILINE, timeout=PATTERN_TIMEOUT)
        except TimeoutError as error:
            raise ParseError(
                f"the pattern /{pattern}/ of ignore_text takes longer than {PATTERN_TIMEOUT * 1000:.0f} ms on this page",
                reason="pattern",
                hint="write it without nested repetition, such as (a+)+",
            ) from error
        except regex.error as error:
            raise ParseError(
                f"/{pattern}/ of ignore_text is not a regular expression: {error}", reason="pattern", hint="correct it"
            ) from error
    content = _CUT_LINES.sub("", content + "\n")
    return text.clean(content.replace(_CUT, ""))
