"""WeCom's (企业微信) group robot: `wecombot://KEY`.

Limits and codes as its documentation has them (https://developer.work.weixin.qq.com/document/path/91770 and /90313): 2,048 bytes
of text, 4,096 of Markdown, 20 messages a minute. Nobody is called by name, whatever a notice's title says.
"""

from __future__ import annotations

import re
from typing import ClassVar

from monitor.errors import DeliveryError, DeliveryReason
from monitor.model import Channel
from monitor.senders.robots import Call, Codes, Robot, address, parse

HOME = "https://qyapi.weixin.qq.com"
_KEY = re.compile(r"[\w-]+", re.ASCII)
_MENTION = re.compile(r"<(?=\s*@)")


class WeComBot(Robot):
    """Sends text or Markdown to one group's robot."""

    name = "WeCom"
    limits: ClassVar[dict[str, int]] = {"markdown": 4096, "text": 2048}
    rate = 20.0
    codes = Codes(
        channel=frozenset(
            {
                40001, 40014, 41001, 42001,  # key or token: not valid, missing, out of date
                48002, 60011, 60020, 301002,  # not allowed to this robot, or from this address
                93000, 93004, 93008,  # no such robot; robot switched off; robot no longer in the group
            }
        ),
        rate=frozenset({45009, 45011, 45033}),  # too often; too often within a minute; too many at once
        content=frozenset({40008, 40035, 40058, 40063, 44004, 45002, 47001}),  # type, parameter, length, empty, size, JSON
    )  # fmt: skip

    def call(self, channel: Channel, title: str, text: str, form: str) -> Call:
        """The post of one part. `mentioned_list` is never set."""
        key, parameters = parse(channel.target)
        key = parameters.get("key") or key
        if not _KEY.fullmatch(key):
            raise DeliveryError("the robot's key is not valid; the target is wecombot://KEY", reason=DeliveryReason.CHANNEL)
        url = address(channel, HOME, f"/cgi-bin/webhook/send?key={key}")
        return Call(
            url, {"msgtype": form, form: {"content": text}}, (key,), verify=parameters.get("verify") not in ("no", "false")
        )

    def neutral(self, text: str) -> str:
        """`<@userid>` and `<@all>` notify people in both formats: the bracket becomes a full-width one."""
        return _MENTION.sub("＜", text)
