"""DingTalk's (钉钉) group robot: `dingtalk://TOKEN`, `dingtalk://SECRET@TOKEN/PHONE…`, `?secret=`, `?to=`, `?keyword=`.

Limits and codes as its documentation has them (https://open.dingtalk.com/document/orgapp/custom-robot-access): 20,000 bytes a
post, 20 posts a minute, ten minutes' block for more. Nobody is called by name but the phones that the target itself names.
`?keyword=WORD` is ours: it is added to each post that lacks it, where the robot's security setting asks for a keyword.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import ClassVar
from urllib.parse import quote

from monitor.model import Channel
from monitor.senders.apprise import load
from monitor.senders.robots import Call, Codes, Robot, address, parameter

HOME = "https://oapi.dingtalk.com"
_EVERYBODY = re.compile(r"@(?=\s*(?:所有人|全体成员|all\b))", re.IGNORECASE)
_KEYWORD = "add ?keyword=WORD to the channel's url, or take the keyword out of the robot's security setting"
_SIGNATURE = "the channel's url needs the robot's secret (dingtalk://SECRET@TOKEN), and this machine's clock must be right"


class DingTalk(Robot):
    """Sends text or Markdown to one group's robot."""

    name = "DingTalk"
    limits: ClassVar[dict[str, int]] = {"markdown": 19_000, "text": 19_000}
    request = 20_000
    rate = 20.0
    codes = Codes(
        channel=frozenset(
            {
                88, 300001, 300005, 400101,  # token: missing, unknown
                310000,  # the security setting: keyword, signature, time of the signature, address
                400013, 400102, 400106,  # group dissolved; robot switched off; no such robot
            }
        ),
        rate=frozenset({90030, 130101, 410100, 660026}),  # used up; over 20 a minute; too fast
        content=frozenset(
            {
                40035, 43004, 400105, 460101,  # parameter, media type, type of message, length
                430101, 430102, 430103, 430104,  # a link, text, picture or content that DingTalk does not let pass
            }
        ),
        rate_wait=600.0,
        waits={90030: 3600.0},
    )  # fmt: skip
    advice: ClassVar[dict[str, str]] = {
        "keyword": _KEYWORD,
        "关键词": _KEYWORD,
        "sign": _SIGNATURE,
        "签名": _SIGNATURE,
        "timestamp": _SIGNATURE,
        "whitelist": "add this machine's address to the robot's security setting",
        "白名单": "add this machine's address to the robot's security setting",
    }

    def call(self, channel: Channel, title: str, text: str, form: str) -> Call:
        """The post of one part. Those called are the phones of the target, nobody else; Markdown must show them in its text."""
        service = load(channel.target)
        query, signature = f"access_token={quote(service.token, safe='')}", ""
        if service.secret:
            moment = round(self._clock.now() * 1000)
            signature = sign(service.secret, moment)
            query += f"&timestamp={moment}&sign={quote(signature, safe='')}"
        if form == "markdown":
            called = "".join(f" @{phone}" for phone in service.targets)
            body = {"title": title or self.name, "text": f"{text}\n\n{called.strip()}" if called else text}
        else:
            body = {"content": text}
        return Call(
            address(channel, HOME, f"/robot/send?{query}"),
            {"msgtype": form, form: body, "at": {"atMobiles": list(service.targets), "atUserIds": [], "isAtAll": False}},
            tuple(secret for secret in (service.token, service.secret, signature) if secret),
            verify=service.verify_certificate,
        )

    def keyword(self, channel: Channel) -> str:
        """The target's `?keyword=`."""
        return parameter(channel.target, "keyword")

    def neutral(self, text: str) -> str:
        """`@所有人` and `@all` get a full-width sign."""
        return _EVERYBODY.sub("＠", text)


def sign(secret: str, moment: int) -> str:
    """DingTalk's signature (base64) of a `moment` in milliseconds: HMAC-SHA256 of "moment\\nsecret" under the secret."""
    digest = hmac.new(secret.encode(), f"{moment}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")
