"""The address that a robot's own page gives to copy becomes its Apprise URL. Pure; it opens no connection and checks no key."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

#: Parameters of an address that are made anew for every post.
_MADE = frozenset({"timestamp", "sign"})


def native(target: str) -> str:
    """The Apprise URL for a robot's own web address; every other target as it is.

    WeCom, DingTalk, Feishu, Lark and ServerChan are known by host and path, a PushDeer server by its path and key. Parameters
    that are not the key stay: `https://oapi.dingtalk.com/robot/send?access_token=T&secret=S` → `dingtalk://T/?secret=S`.
    """
    try:
        parts = urlsplit(target.strip())
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return target
    if parts.scheme.lower() not in ("http", "https") or not host or parts.username:
        return target
    query = dict(parse_qsl(parts.query))
    for pattern, read in _KNOWN:
        if found := re.fullmatch(pattern, host + parts.path.rstrip("/")):
            start, name = read(found, parts)
            key = query.pop(name, "") if name else unquote(found["key"])
            if not key:
                return target
            kept = {name: value for name, value in query.items() if name not in _MADE}
            return f"{start}{quote(key, safe='')}/" + (f"?{urlencode(kept, quote_via=quote)}" if kept else "")
    return target


def _scheme(start: str, name: str = "") -> Callable[[re.Match[str], SplitResult], tuple[str, str]]:
    """What the Apprise URL begins with, and the parameter that holds the key ("": it stands in the path)."""
    return lambda found, parts: (start, name)


def _pushdeer(found: re.Match[str], parts: SplitResult) -> tuple[str, str]:
    if parts.hostname == "api2.pushdeer.com":
        return "pushdeer://", "pushkey"
    return f"{'pushdeers' if parts.scheme.lower() == 'https' else 'pushdeer'}://{parts.netloc}/", "pushkey"


#: Host and path of an address, and what to make of it.
_KNOWN: tuple[tuple[str, Callable[[re.Match[str], SplitResult], tuple[str, str]]], ...] = (
    (r"qyapi\.weixin\.qq\.com/cgi-bin/webhook/send", _scheme("wecombot://", "key")),
    (r"oapi\.dingtalk\.com/robot/send", _scheme("dingtalk://", "access_token")),
    (r"open\.feishu\.cn/open-apis/bot/v2/hook/(?P<key>[^/]+)", _scheme("feishu://")),
    (r"open\.larksuite\.com/open-apis/bot/v2/hook/(?P<key>[^/]+)", _scheme("lark://")),
    (r"sctapi\.ftqq\.com/(?P<key>[^/]+)\.send", _scheme("schan://")),
    (r"[0-9]+\.push\.ft07\.com/send/(?P<key>[^/]+)\.send", _scheme("schan://")),
    (r"[^/]+/message/push", _pushdeer),
)
