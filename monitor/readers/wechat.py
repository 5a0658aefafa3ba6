"""The reader of WeChat articles: articles, picture and text shares; and the pages that stand where one was deleted or is guarded.

The page around an article (cover, account, tools, recommendations, QR codes) is no part of it, nor is what accounts set before
and after a text to advertise themselves, where that is recognisable: short lines of known words at its very beginning and end.
Pictures are given by what of their address stays when the page is loaded again. It runs no script and reads no picture.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from html import unescape
from urllib.parse import parse_qs, urlsplit

from monitor import facts, text
from monitor.errors import Challenge, ParseError
from monitor.html import dom, links, page
from monitor.html.dom import Element
from monitor.model import Attachment, Document, Fetched, ReadPolicy, When

HOST = "mp.weixin.qq.com"
_TIMEZONE = "Asia/Shanghai"

_SCRIPT = re.compile(r"<script\b", re.I)
_ARTICLE = re.compile(r'id="(?:js_content|js_article|img-content)"|\bitem_show_type\s*[:=]')
_ELSE = re.compile(r'class="weui-msg|class="mesg-block|class="weui_msg|环境异常|secitptpage|请在微信客户端打开链接')
#: What a page says instead of an article, and what that is.
_GONE = re.compile(
    r"该内容已被发布者删除|此内容(?:因违规|被投诉且经审核涉嫌侵权|被多人投诉)[，,]?[^<。]{0,20}无法查看|此内容因[^<。]{0,20}无法查看|该内容已被删除|此内容发送失败无法查看"
    r"|the content has been deleted by the author|this content (?:has been|was) (?:removed|deleted)[^<.]{0,40}"
    r"|此(?:帐号|账号)已被屏蔽[，,]?\s*内容无法查看|该(?:公众号|帐号|账号)已(?:被封禁|注销|迁移)[^<。]{0,20}|此帐号处于帐号迁移流程中",
    re.I,
)
_GUARDED = re.compile(r"环境异常|完成验证后即可继续访问|去验证|操作频繁|访问过于频繁|请在微信客户端打开链接|secitptpage")
_PASSING = re.compile(r"该内容暂时无法查看|系统出错|系统繁忙|参数错误|链接已过期|页面不存在")

_EPOCH = re.compile(r"\s*[:=]\s*(?:JsDecode\(\s*)?['\"](\d{10})['\"]")
_WRITTEN = re.compile(r"\s*[:=]\s*(?:JsDecode\(\s*)?['\"](\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2})?)['\"]")
_SHOWS = re.compile(r"\s*[:=]\s*['\"](\d{1,2})['\"]")
_PICTURES = re.compile(r"\s*[:=]\s*\[")
_STRING = re.compile(r"\s*[:=]\s*(?:(?:JsDecode|htmlDecode)\(\s*)?(?:'((?:[^'\\\n]|\\.)*)'|\"((?:[^\"\\\n]|\\.)*)\")")
#: Shares of pictures and of text, whose words stand in a script.
_SHARES = frozenset({8, 10})
_PICTURE = re.compile(r"\bcdn_url\s*:\s*(?:JsDecode\(\s*)?'([^']{10,400})'")
_SOURCE = re.compile(
    r"^[\s（(【\[《]*(?:文章|稿件|内容|资料|信息)?(?:来源|转自|转载自|来自)\s*(?:于)?\s*[:：|丨/]\s*(?P<name>[^，。；;]{2,40}?)[\s）)】\]》]*$"
)
_PROMOTION = re.compile(
    r"邮发代号|征订|订阅|倾力推荐|点击(?:下图|下方|上方|蓝字|图片|阅读原文|关注|这里)|长按.{0,10}(?:二维码|识别)|扫(?:描|一扫|码)|二维码|关注(?:我们|公众号|本号|账号)|推荐阅读"
    r"|往期(?:推荐|回顾|精彩)|相关阅读|延伸阅读|阅读原文|点(?:个)?赞|在看|转发|分享(?:收藏)?|预览时标签不可点|企业成长计划|视频号|广告|商务合作|投稿|合作请|了解详情|加入.{0,8}群|星标"
    r"|小程序|合作(?:电话|微信|邮箱)|商务(?:电话|微信)|一键三连|点个三连|粉丝(?:福利)?群|^[-—=·\s]*(?:END|完|正文完|全文完)[-—=·\s]*$"
)
_CLAUSE = re.compile(
    r"第[一二三四五六七八九十百零〇\d]{1,6}[条章节款]|[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十\d]{1,3}[）)]|\d{1,2}[.．、]\D"
)
_ASKS = re.compile(r"[\s—–←↑↓👇👆🔽▲▼>]*(?:欢迎|请|记得|点击|点个?赞|长按|扫|识别|关注|分享|转发|加入|更多|投稿)")
#: A heading above links to other articles.
_RECOMMENDS = re.compile(
    r"[\s\-—=·*◆▼↓|【\[「]*(?:(?:往期|推荐|相关|延伸|精彩|热门|近期|历史|更多|阅读|拓展)(?:推荐|阅读|回顾|精彩|文章|内容|热文|好文)){1,2}"
    r"[\s\-—=·*◆▼↓|】\]」:：]*"
)
#: Where a text says that it ends; what follows is short, and no more than so many lines.
_ENDED = re.compile(r"[-—=·*\s]*(?:END|The End|完|正文完|全文完)[-—=·*\s]*", re.I)
_AFTER = 40
_SERIOUS = re.compile(r"附件|截止|报名|联系人")
_SHORT = 60
#: Stands in the text where a picture is.
_MARK = "wximg"
_MARKED = re.compile(rf"^{_MARK}(\d+)$")
#: A picture flatter than this (height by width) is a banner.
_FLAT = 0.3


class Wechat:
    """See `monitor.readers.Reader`."""

    name = "wechat/2"

    def reads(self, got: Fetched) -> bool:
        """A page of WeChat's by its host, or a copy of one by its own marks."""
        if not page.is_html(got):
            return False
        if urlsplit(got.url).hostname == HOST:
            return True
        head = got.body[:400_000]
        return (b'id="js_content"' in head and b'id="activity-name"' in head) or (
            b"weui-msg" in head and "微信公众平台".encode() in head
        )

    def read(self, got: Fetched, policy: ReadPolicy) -> Document:
        """The article, or that it is gone. Raises Challenge where WeChat wants to know who asks, ParseError for other pages."""
        markup = got.text
        if policy.select or not _ARTICLE.search(markup):
            return _no_article(got, markup, policy)
        return _Article(got, markup, policy).document()


def _no_article(got: Fetched, markup: str, policy: ReadPolicy) -> Document:
    """What stands in the place of an article; what the user selects is read as any page is."""
    if policy.select:
        found = page.read(got, policy)
        return Document(found.title, found.text, Wechat.name, found.published, found.issuer, found.attachments, found.images)
    shown = dom.text_of(dom.parse(_without_scripts(markup)))
    if gone := _GONE.search(shown[:400]):
        return Document(title=None, text="", reader=Wechat.name, gone=gone[0])
    if _GUARDED.search(shown[:400]) or _GUARDED.search(got.url):
        raise Challenge(
            "WeChat wants to know who asks: it shows an access check instead of the article",
            shield="WeChat",
            hint="ask less often (`every`, `recheck`); open one article in a browser on this network once",
        )
    if passing := _PASSING.search(shown[:400]):
        raise ParseError(f"WeChat says: {passing[0]}", reason="unavailable", hint="it may pass; look at the address in a browser")
    raise ParseError(
        f"{got.url} is a page of WeChat's, but no article",
        reason="no text",
        hint="follow an account by its articles: a feed such as Doonsec's, or an RSS bridge of your own",
    )


class _Article:
    """One article's page: its scripts, and its tree without them."""

    def __init__(self, got: Fetched, markup: str, policy: ReadPolicy) -> None:
        self.got, self.markup = got, markup
        self.root = dom.parse(_without_scripts(markup))
        self.ignored = {element for css in policy.ignore for element in dom.matches(self.root, (css,))}
        self.policy = policy
        self.shows = int(found[1]) if (found := _first(markup, ("item_show_type",), _SHOWS)) else 0
        self.pictures: list[str] = []
        self.linked: set[str] = set()  # lines that are nothing but a link

    def document(self) -> Document:
        title = self._title()
        lines = trimmed(self._lines(), self.linked)
        images = [self.pictures[int(mark[1])] for line in lines if (mark := _MARKED.match(line))]
        said = [line for line in lines if not _MARKED.match(line)]
        content = page.cut(text.clean("\n".join(said)), self.policy.ignore_text)
        images += [address for address in self._shared_pictures() if address not in images]
        if not content and not images:
            if gone := _GONE.search(dom.text_of(self.root)[:300]):
                return Document(title=None, text="", reader=Wechat.name, gone=gone[0])
            raise ParseError(
                f"{self.got.url}: the article has neither text nor pictures", reason="no text", hint="look at it in a browser"
            )
        account, source = self._account(), source_of(said)
        labels = (("account", account), ("author", self._author()), ("original", self._original()), ("source", source))
        return Document(
            title=title or (content.split("\n", 1)[0][:_SHORT] if content else None),
            text=content,
            reader=Wechat.name,
            published=self._published(),
            issuer=source or account,
            attachments=self._attachments(),
            images=tuple(dict.fromkeys(images)),
            labels=tuple((name, value) for name, value in labels if value),
        )

    # --- the text

    def _content(self) -> Element | None:
        """The element of the text, parsed out of a script where the page fills it in by itself."""
        for element in dom.matches(self.root, ("#js_content",)) if self.shows not in _SHARES else ():
            if dom.raw_text(element).strip() or element.find(".//img") is not None:
                return element
        written = _decoded(self.markup, "content_noencode")
        if written is None:
            return None
        as_text = "<" not in written
        return dom.parse(f"<div>{written.replace(chr(10), '<br>') if as_text else written}</div>")

    def _lines(self) -> list[str]:
        content = self._content()
        if content is None:
            shared = _decoded(self.markup, "content", after="text_page_info: {") or ""
            return text.clean(shared).split("\n")
        self.linked = {line for link in content.iter("a") if link.get("href") and (line := dom.line_of(link))}
        for image in list(content.iter("img")):
            if (address := _address(image)) is not None and not _is_ornament(image):
                self.pictures.append(address)
                image.tail = f"\n{_MARK}{len(self.pictures) - 1}\n{image.tail or ''}"
        skip = self.ignored | {element for element in content.iter() if dom.invisible(element) and element is not content}
        raw = "".join(f"\n{part}\n" if _MARKED.match(part.strip()) else part for part in _parts(dom.raw_text(content, skip)))
        return [line.strip() for line in text.clean(raw).split("\n")]

    def _shared_pictures(self) -> Iterator[str]:
        """The pictures of a share, which only its script names."""
        if self.shows != 8 or not (found := _first(self.markup, ("picture_page_info_list",), _PICTURES)):
            return
        for picture in _PICTURE.finditer(self.markup, found.end(), found.end() + 200_000):
            if (address := _stable(_js(picture[1]))) is not None:
                yield address

    # --- what the page says of it

    def _title(self) -> str | None:
        for element in dom.matches(self.root, ("#activity-name",)):
            if title := dom.line_of(element):
                return title
        for element in dom.matches(self.root, ('meta[property="og:title"]',)):
            if title := text.line(unescape(element.get("content") or "").split("\\n")[0]):
                return title
        found = _decoded(self.markup, "msg_title")
        return text.line(found) if found else None

    def _account(self) -> str | None:
        for element in dom.matches(self.root, ("#js_name", ".profile_nickname")):
            if name := dom.line_of(element):
                return name
        names = ("nick_name", "var nickname") if self.shows in _SHARES else ("var nickname", "nick_name")
        found = _decoded(self.markup, names[0]) or _decoded(self.markup, names[1])
        return text.line(found) if found else None

    def _author(self) -> str | None:
        for element in dom.matches(self.root, ("#js_author_name",)):
            if name := dom.line_of(element):
                return name
        for element in dom.matches(self.root, ('meta[name="author"]',)):
            if name := text.line(element.get("content") or ""):
                return name
        return None

    def _original(self) -> str | None:
        found = _decoded(self.markup, "msg_source_url") or _decoded(self.markup, "source_url")
        return found if found and found.startswith(("http://", "https://")) and len(found) < 2000 else None

    def _published(self) -> When | None:
        if found := _first(self.markup, ("ct", "oriCreateTime", "create_time"), _EPOCH):
            return datetime.fromtimestamp(int(found[1]), UTC)
        if found := _first(self.markup, ("createTime", "create_time"), _WRITTEN):
            return facts.parse_when(found[1], self.got.at.date(), _TIMEZONE)
        return None

    def _attachments(self) -> tuple[Attachment, ...]:
        content = dom.matches(self.root, ("#js_content",))
        return links.attachments(self.got.url, content, content[0], self.ignored) if content else ()


def _parts(raw: str) -> list[str]:
    return re.split(rf"({_MARK}\d+)", raw)


def _without_recommended(lines: list[str], linked: Collection[str]) -> list[str]:
    """Without the headings that stand above links to other articles, those links and the pictures among them."""
    kept: list[str] = []
    at = 0
    while at < len(lines):
        end = at + 1
        if _RECOMMENDS.fullmatch(lines[at]):
            while end < len(lines) and (not lines[end] or _MARKED.match(lines[end]) or lines[end] in linked):
                end += 1
            if any(line in linked for line in lines[at + 1 : end]):
                at = end
                continue
        kept.append(lines[at])
        at += 1
    return kept


def _until_its_end(lines: list[str]) -> list[str]:
    """Without the short lines behind the line that says "END", but for the one that names the source."""
    for at in range(len(lines) - 1, max(len(lines) // 4, len(lines) - _AFTER) - 1, -1):
        if not _ENDED.fullmatch(lines[at]) or not lines[at]:
            continue
        after = lines[at + 1 :]
        if all(_is_beside(line) and not _SERIOUS.search(line) for line in after):
            return lines[:at] + [line for line in after if _SOURCE.match(line)][:1]
    return lines


def trimmed(lines: list[str], linked: Collection[str] = ()) -> list[str]:
    """Without what stands before and after the text: links to other articles (`linked` are the lines that are nothing but a
    link), what follows "END", lines of known words, and the pictures among them."""
    lines = _until_its_end(_without_recommended(lines, linked))
    start, end = 0, len(lines)
    source = max((at for at, line in enumerate(lines) if _SOURCE.match(line)), default=None)
    if source is not None and source >= len(lines) // 4 and all(_is_beside(line) for line in lines[source + 1 :]):
        end = source + 1
    while end > start and (not lines[end - 1] or _is_promotion(lines[end - 1])):
        end -= 1
        while end > start and _MARKED.match(lines[end - 1]) and _only_pictures_of_a_promotion(lines, end):
            end -= 1
    first = next((at for at, line in enumerate(lines[:end]) if line and not _MARKED.match(line) and not _is_promotion(line)), end)
    if any(_is_promotion(line) for line in lines[:first]):
        start = first
    return lines[start:end]


def _only_pictures_of_a_promotion(lines: list[str], end: int) -> bool:
    """Whether a single picture stands between two lines of promotion, or above one that points to it ("点击下图")."""
    above = next((line for line in reversed(lines[: end - 1]) if line), "")
    return _is_promotion(above)


def _is_beside(line: str) -> bool:
    return len(line) <= _SHORT


def _is_promotion(line: str) -> bool:
    """Whether a line advertises the account; a clause or a sentence of a text may name the same things."""
    if not line or len(line) > _SHORT or _CLAUSE.match(line):
        return False
    if line[-1] in "。；;" and not _ASKS.match(line):
        return False
    return _PROMOTION.search(line) is not None


def source_of(lines: list[str]) -> str | None:
    """来源, from a line of its own at the beginning or the end."""
    for line in (*reversed(lines[-12:]), *lines[:6]):
        if found := _SOURCE.match(line):
            return found["name"].strip()
    return None


# --- pictures


def _address(image: Element) -> str | None:
    return _stable(image.get("data-src") or image.get("src") or "")


def _stable(address: str) -> str | None:
    """What of a picture's address stays when the page is loaded again: where it lies, and its format. WeChat names its own store
    with either scheme, and it answers both."""
    try:
        parts = urlsplit(unescape(address))
    except ValueError:  # "[" begins an address of IPv6
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    form = parse_qs(parts.query).get("wx_fmt", [""])[0]
    scheme = "https" if (parts.hostname or "").endswith(".qpic.cn") else parts.scheme
    return f"{scheme}://{parts.netloc}{parts.path}" + (f"?wx_fmt={form}" if form.isalnum() else "")


def _is_ornament(image: Element) -> bool:
    """Moving pictures, banners and emoji: no scanned page is one."""
    if (image.get("data-type") or "").lower() == "gif" or "__bg_gif" in (image.get("class") or ""):
        return True
    try:
        ratio, width = float(image.get("data-ratio") or 1), float(image.get("data-w") or 1000)
    except ValueError:
        return False
    return ratio < _FLAT or width < 100


# --- scripts


def _without_scripts(markup: str) -> str:
    """The page without its scripts, which are most of it."""
    kept: list[str] = []
    at = 0
    while found := _SCRIPT.search(markup, at):
        kept.append(markup[at : found.start()])
        end = markup.find("</script", found.end())
        at = len(markup) if end < 0 else markup.find(">", end) + 1 or len(markup)
    return " ".join([*kept, markup[at:]])


def _first(markup: str, names: tuple[str, ...], behind: re.Pattern[str]) -> re.Match[str] | None:
    """The first place where one of the names, as a whole word, is followed by what is looked for."""
    for name in names:
        at = -1
        while (at := markup.find(name, at + 1)) >= 0:
            before = markup[at - 1 : at]
            if not (before.isalnum() or before == "_") and (found := behind.match(markup, at + len(name))):
                return found
    return None


def _decoded(markup: str, name: str, *, after: str = "") -> str | None:
    """The text that a script gives to a name: `name = "…"`, `name: JsDecode('…')`, `htmlDecode("…")`; entities resolved."""
    start = markup.find(after) if after else 0
    found = _first(markup[start:] if start else markup, (name,), _STRING) if start >= 0 else None
    written = "" if found is None else found[1] if found[1] is not None else found[2]
    return unescape(_js(written)) if written else None


def _js(written: str) -> str:
    r"""A JavaScript string literal's content: \x3c, \u4e00, \n and escaped characters."""

    def one(found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1] or "0", 16))
        return {"n": "\n", "t": "\t", "r": "", "b": "", "f": ""}.get(found[2], found[2])

    return re.sub(
        r"\\(?:(?:x(?=[0-9a-fA-F]{2})|u(?=[0-9a-fA-F]{4}))((?<=x)[0-9a-fA-F]{2}|(?<=u)[0-9a-fA-F]{4})|(.))", one, written
    )
