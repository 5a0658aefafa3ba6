"""Pages that are there in name only: the content is gone, or has not been loaded yet.

It judges by what is shown; what follows from it is decided elsewhere.
"""

from __future__ import annotations

import re

from monitor.html.head import SEPARATED

_ASKED = r"(?:您|你)?(?:所)?(?:要|想)?(?:访问|查看|浏览|请求|查找)?的?"
_THING = r"(?:页面|网页|文章|内容|信息|文件|资源|稿件|链接)(?:地址)?"
_ABSENT = r"(?:不存在|找不到|未找到|(?:被)?删除|(?:被)?移除|失效|撤销|撤稿|下线)"
_GONE = re.compile(
    rf"{_ASKED}{_THING}(?:已经|已|可能已经|可能已|可能|不|未)?{_ABSENT}(?:或(?:者)?(?:已)?(?:经)?{_ABSENT})?"
    r"|(?:该|此|本)(?:内容|文章|页面|信息)(?:已被发布者删除|已被删除|已删除|因违规无法查看|已下线|已撤销|已失效)"
    r"|找不到(?:您)?(?:要|所)?(?:访问|查看)?的?(?:页面|文件|网页)"
    r"|(?:this|the) (?:content|page|article|post|document) (?:has been|was|is|does) "
    r"(?:deleted|removed|withdrawn|not exist|unavailable)(?: by .{2,30})?"
    r"|(?:(?:http\s*)?(?:error\s*)?(?:404|410)\s*[-–—:：]*\s*)?(?:page |file |document )?"
    r"(?:not found|gone|no longer (?:exists|available))"
    r"|(?:http\s*)?(?:error\s*)?(?:404|410)\s*(?:error|错误|页面)",
    re.I,
)
#: Characters: a sentence that says so is short, and so is a page that says nothing else.
_LINE = 60
_PAGE = 200
_FRAME = 600
_SKELETON = re.compile(
    r"(?:chargement(?: en cours)?|loading|正在加载|加载中|数据加载中|页面加载中|载入中|请稍[候后]|please wait|just a moment"
    r"|wird geladen|cargando|読み込み中)(?:[^\w]*(?:中|请稍[候后]|please wait|\d{1,3}\s*%))*",
    re.I,
)
_WANTS_SCRIPT = re.compile(
    r"(?:enable|requires?|turn on|without|activer|启用|开启|打开|支持|需要)[^。.]{0,30}javascript"
    r"|javascript[^。.]{0,30}(?:enabled?|disabled|required|启用|开启|禁用|désactivé)",
    re.I,
)
_ENDS = " \t!！。.,，~…·:："


def gone(window: str, body: str) -> str | None:
    """The sentence with which a page says that its content was deleted or never was; None if it says no such thing.

    `window` is its `title` element, `body` all its text. Only where that is all: a long page that speaks of deleted pages is a
    page.
    """
    if len(body) <= _PAGE:
        for line in (line.strip(_ENDS) for line in body.split("\n")):
            if len(line) <= _LINE and (found := _GONE.search(line)) and len(found[0]) >= 0.4 * len(line):
                return line
    if len(body) <= 5 * _PAGE:  # menus may stand around it
        return next((part for part in (one.strip(_ENDS) for one in SEPARATED.split(window)) if _GONE.fullmatch(part)), None)
    return None


def is_skeleton(body: str, *, sure: bool = True) -> bool:
    """Whether all that a page shows is that it is still loading, or that it wants JavaScript.

    `sure`: the text was taken from a place that is known to hold it. Elsewhere a line "loading" in a short text is enough: the
    rest is what frames it (a word on cookies, a menu).
    """
    lines = [line.strip(_ENDS) for line in body.split("\n")]
    if not sure and len(body) <= _FRAME and any(_SKELETON.fullmatch(line) for line in lines):
        return True
    return all(not line or _SKELETON.fullmatch(line) or (len(line) < 200 and _WANTS_SCRIPT.search(line)) for line in lines)
