"""Feishu's (飞书) and Lark's group robots: `feishu://TOKEN`, `lark://TOKEN`, with `?secret=` and `?keyword=`.

Limits and codes as their documentation has them (https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot): 20 KB a
post, 100 posts a minute, 5 a second. Markdown goes as a card. Nobody is called by name, whatever a notice says. Apprise knows no
signature: `?secret=` is ours, as is `?keyword=WORD`, which is added to each post that lacks it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from monitor.errors import DeliveryReason
from monitor.model import Channel
from monitor.senders.apprise import load
from monitor.senders.robots import Call, Codes, Robot, address, parameter

_MENTION = re.compile(r"<(?=\s*/?\s*(?:at|person)\b)", re.IGNORECASE)
_SIGNATURE = "the channel's url needs ?secret=, as the robot's security setting shows it, and this machine's clock must be right"


class Feishu(Robot):
    """Sends text or a card to one group's robot."""

    name = "Feishu"
    home: ClassVar[str] = "https://open.feishu.cn"
    limits: ClassVar[dict[str, int]] = {"markdown": 19_000, "text": 19_000}
    request = 20_000
    titles: ClassVar[dict[str, int]] = {"markdown": 120}
    rate = 100.0
    burst = 5
    codes = Codes(
        channel=frozenset({19001, 19007, 19021, 19022, 19024}),  # token, robot switched off, signature, address, keyword
        rate=frozenset({11232, 99991400}),
        content=frozenset({9499, 19002, 19036, 11246, 200621, 230099}),  # request, parameters, length, card
        phrases={"frequency limited": DeliveryReason.RATE, "too many request": DeliveryReason.RATE},
    )
    code_key = "code"
    words_key = "msg"
    advice: ClassVar[dict[str, str]] = {
        "key words": "add ?keyword=WORD to the channel's url, or take the keyword out of the robot's security setting",
        "sign match": _SIGNATURE,
        "ip not allowed": "add this machine's address to the robot's security setting",
    }

    def call(self, channel: Channel, title: str, text: str, form: str) -> Call:
        """The post of one part, with the seconds since 1970 and their signature in it where the target has a secret."""
        service = load(channel.target)
        secret = parameter(channel.target, "secret")
        payload: dict[str, Any] = {}
        if secret:
            moment = int(self._clock.now())
            payload = {"timestamp": str(moment), "sign": sign(secret, moment)}
        payload |= _card(title, text) if form == "markdown" else {"msg_type": "text", "content": {"text": text}}
        return Call(
            address(channel, self.home, f"/open-apis/bot/v2/hook/{service.token}"),
            payload,
            tuple(one for one in (service.token, secret, payload.get("sign")) if one),
            verify=service.verify_certificate,
        )

    def keyword(self, channel: Channel) -> str:
        """The target's `?keyword=`."""
        return parameter(channel.target, "keyword")

    def neutral(self, text: str) -> str:
        """`<at user_id="all">`, `<at id=all>` and the like, which call people in text and in cards, lose their bracket."""
        return _MENTION.sub("＜", text)

    def answered(self, answer: Mapping[str, Any]) -> tuple[int | None, str]:
        """See `Robot.answered`. Older robots answer with `StatusCode` and `StatusMessage` alone."""
        if self.code_key not in answer and "StatusCode" in answer:
            answer = {"code": answer["StatusCode"], "msg": answer.get("StatusMessage")}
        return super().answered(answer)


class Lark(Feishu):
    """The same outside of China."""

    name = "Lark"
    home = "https://open.larksuite.com"


def sign(secret: str, moment: int) -> str:
    """Feishu's signature (base64, 44 characters) of a `moment` in seconds: HMAC-SHA256 of nothing under "moment\\nsecret"."""
    digest = hmac.new(f"{moment}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


def _card(title: str, text: str) -> dict[str, Any]:
    header = {"title": {"tag": "plain_text", "content": title}, "template": "blue"}
    body = {"tag": "markdown", "content": text}
    return {
        "msg_type": "interactive",
        "card": {"config": {"wide_screen_mode": True}, **({"header": header} if title else {}), "elements": [body]},
    }
