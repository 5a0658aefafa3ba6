"""Shields: pages that keep programs out, recognised by what they are. They are told to a person, never read, never solved here.

A word is not enough: an article may speak of a shield. Each mark is the machinery itself (a script's call, a cookie's name
together with a page that shows nothing, the frame of a block page), and pages with a text of their own are never taken for one.
Signs as read in scrapers' code, threads and stored answers.
"""

# ruff: noqa: E501 - a table of patterns, a mark a line
from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

#: Marks are looked for in so much of an answer, and what it shows in so much (bytes): a page may begin with long scripts. One that
#: shows more than this (characters) beside scripts is a page.
LOOKED_AT, LOOKED_THROUGH, SHOWN = 65_536, 1_048_576, 600

_SLOWER = "ask less often (`every`, `delay`), or from another network; a person's browser may still get in"
_BROWSER = 'a browser gets through: via = "browser" for this source (extra "browser"), or ask less often, from another network'
_STOP = "it has blocked this address: stop for some hours (`monitor pause`), then ask less often, or from another network"
_PERSON = "it asks for a person: open it in a browser on this network once, then ask less often"


@dataclass(frozen=True, slots=True)
class Shield:
    """A shield that answered. `name` is how it is called, `sign` by what it was recognised, `hint` what a person can do."""

    name: str
    sign: str
    hint: str


@dataclass(frozen=True, slots=True)
class _Mark:
    """One way to recognise one shield. `found` is looked for in the body; each place where it is found holds one of `needles` (in
    lower case); `bare`: only on a page that shows nothing."""

    name: str
    sign: str
    hint: str
    found: re.Pattern[bytes]
    needles: tuple[bytes, ...]
    bare: bool = True
    statuses: Collection[int] = ()

    def fits(self, status: int, lowered: bytes) -> bool:
        """Whether an answer can have this mark at all: asked first, because finding words is quick and finding patterns is not."""
        return (not self.statuses or status in self.statuses) and any(needle in lowered for needle in self.needles)


def _of(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode(), re.I)


def _words(*words: str) -> tuple[bytes, ...]:
    return tuple(word.encode().lower() for word in words)


_MARKS = (
    _Mark("加速乐", "its second script, __jsl_clearance", _BROWSER, _of(r'"tn"\s*:\s*"__jsl_clearance|__jsl_clearance(?:_s)?='), _words("__jsl_clearance")),
    _Mark("加速乐", "a script that writes a cookie and loads the page again", _BROWSER,
          _of(r"document\.cookie\s*=.{0,2000}?location\.(?:href|pathname|search)|document\[.{1,40}?\]\s*=.{0,4000}?__jsl"),
          _words("document"), statuses=(521,)),
    _Mark("知道创宇 创宇盾", "its block page", _STOP, _of(r'id="notice-jiasule"|创宇盾提示|知道创宇云防御'), _words("notice-jiasule", "创宇"), bare=False),
    _Mark("瑞数", "$_ts and its script", _BROWSER, _of(r"\$_ts\s*(?:=|\.|\[)|\$_ss\s*=|__rsd|_\$[a-z0-9]{2}\(\)"), _words("$_ts", "$_ss", "__rsd", "_$")),
    _Mark("360 网站卫士 (wzws)", "wzws in its cookie or address", _BROWSER, _of(r"wzws_cid|wzws_sessionid|/wzws-waf-cgi/|wzwschallenge"), _words("wzws")),
    _Mark("阿里云 WAF", "acw_sc__v2", _BROWSER, _of(r"arg1\s*=\s*['\"][0-9a-f]{20,60}['\"]|acw_sc__v[23]\s*=|aliyun_waf_|u_atoken"),
          _words("arg1", "acw_sc__v", "aliyun_waf_", "u_atoken")),
    _Mark("腾讯云 WAF", "its block page", _SLOWER, _of(r"waf\.tencent-cloud\.com|TencentCaptcha\(|501page\.qq\.com"),
          _words("waf.tencent-cloud.com", "TencentCaptcha(", "501page.qq.com")),
    _Mark("电信云 WAF", "its block page", _SLOWER, _of(r"ctyun|天翼云|网站防火墙|云WAF|您的访问被阻断"),
          _words("ctyun", "天翼云", "网站防火墙", "云WAF", "您的访问被阻断"), bare=False, statuses=(405,)),
    _Mark("Cloudflare", "its waiting page", _BROWSER,
          _of(r"/cdn-cgi/challenge-platform/|cf-chl-|_cf_chl_opt|<title>just a moment\.\.\.</title>|cf-browser-verification"),
          _words("/cdn-cgi/challenge-platform/", "cf-chl-", "_cf_chl_opt", "just a moment...", "cf-browser-verification")),
    _Mark("Cloudflare", "its block page", _STOP, _of(r"cf-error-details|cloudflare ray id"), _words("cf-error-details", "cloudflare ray id"),
          bare=False, statuses=(403, 429, 503, 1020)),
    _Mark("Akamai", "a reference number of its edge", _SLOWER,
          _of(r"<title>access denied</title>.{0,600}?reference(?:&#32;|\s)*+(?:#|&#35;)|errors\.edgesuite\.net"),
          _words("access denied", "errors.edgesuite.net"), bare=False),
    _Mark("Imperva Incapsula", "its script", _BROWSER, _of(r"_incapsula_resource|incapsula incident id"), _words("incapsula")),
    _Mark("安全狗", "its block page", _STOP, _of(r"safedog|安全狗"), _words("safedog", "安全狗"), bare=False, statuses=(403, 404, 405, 501)),
    _Mark("云锁", "its block page", _STOP, _of(r"yunsuo_session|security_session_verify|yunsuologo"), _words("yunsuo", "security_session_verify")),
    _Mark("宝塔防火墙", "its block page", _STOP, _of(r"btwaf|宝塔(?:网站)?防火墙|您的请求带有不合法参数，已被网站管理员设置拦截"),
          _words("btwaf", "宝塔", "您的请求带有不合法参数"), bare=False, statuses=(403, 404, 405, 444)),
    _Mark("宝塔防火墙", "its block page, called well", _STOP, _of(r"您的请求带有不合法参数，已被网站管理员设置拦截"), _words("您的请求带有不合法参数")),
    _Mark("D盾", "its block page", _STOP, _of(r"D盾_拦截提示|d_waf"), _words("D盾", "d_waf"), bare=False),
    _Mark("安全验证", "a captcha instead of the page", _PERSON,
          _of(r"<title>[^<]{0,30}(?:安全验证|访问验证|人机验证|滑动验证|验证码拦截|security check|are you (?:a )?(?:human|robot)|attention required)[^<]{0,30}</title>"),
          _words("安全验证", "访问验证", "人机验证", "滑动验证", "验证码拦截", "security check", "are you ", "attention required")),
)  # fmt: skip
#: What an answer with these statuses is where a page that shows nothing runs a script.
_SCRIPTED = {521: ("加速乐", _BROWSER), 412: ("瑞数", _BROWSER)}
_COOKIES = (
    ("__jsluid", "加速乐", _BROWSER), ("__jsl_clearance", "加速乐", _BROWSER), ("acw_sc__v", "阿里云 WAF", _BROWSER),
    ("acw_tc", "阿里云 WAF", _BROWSER), ("wzws_", "360 网站卫士 (wzws)", _BROWSER), ("cf_chl", "Cloudflare", _BROWSER),
    ("__cf_bm", "Cloudflare", _BROWSER), ("incap_ses", "Imperva Incapsula", _BROWSER), ("_abck", "Akamai", _SLOWER),
    ("yunsuo_session", "云锁", _STOP),
)  # fmt: skip
_REFUSED = frozenset({403, 405, 412, 418, 429, 444, 501, 503, 521})
# Possessive: what a page begins with is looked at once, however it goes on.
_OPENING = re.compile(
    rb"\s*+(?:\xef\xbb\xbf)?\s*+(?:<!--(?:(?!-->).){0,2000}+-->\s*+)*+<(?:!doctype|html|head|body|script|title|center|meta|div|h1)",
    re.I | re.S,
)
_HIDDEN = re.compile(rb"<(script|style|noscript|head|textarea)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.I | re.S)
_TAG = re.compile(rb"<[^<>]{0,2000}>")
_SCRIPT = re.compile(rb"<script\b", re.I)


def recognise(status: int, cookies: Collection[str], body: bytes) -> Shield | None:
    """The shield that gave this answer; None where it is something else. `cookies` are the names of those it set."""
    head = body[:LOOKED_AT]
    if not _OPENING.match(head):
        return None
    refused, lowered = status in _REFUSED, head.lower()
    possible = [mark for mark in _MARKS if mark.fits(status, lowered)]
    if not refused and not possible:
        return None
    shows = _shown(head)
    if shows <= SHOWN // 4 and len(body) > LOOKED_AT:
        shows = _shown(body[:LOOKED_THROUGH])
    for mark in possible:
        if (mark.bare and shows > SHOWN // 4) or shows > SHOWN * 3:
            continue
        if mark.found.search(head):
            return Shield(mark.name, mark.sign, mark.hint)
    if refused and shows <= SHOWN // 4 and _SCRIPT.search(head):
        for start, name, hint in _COOKIES:
            if any(cookie.startswith(start) for cookie in cookies):
                return Shield(name, f"its cookie {start}", hint)
        if status in _SCRIPTED:
            name, hint = _SCRIPTED[status]
            return Shield(name, f"HTTP {status} with a script", hint)
    return None


def _shown(head: bytes) -> int:
    """How many characters a page shows, white space left out."""
    text = _TAG.sub(b" ", _HIDDEN.sub(b" ", head)).decode("utf-8", "replace")
    return sum(len(word) for word in text.split())
