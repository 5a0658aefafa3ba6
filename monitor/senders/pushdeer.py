"""PushDeer: `pushdeer://PUSHKEY` (its own server, always by TLS), `pushdeer://HOST:PORT/PUSHKEY`, `pushdeers://HOST/PUSHKEY`.

Codes as its server's source has them (https://github.com/easychen/pushdeer, api/app/Http). A key that it does not know gets
code 0 and a result that is empty: nobody was told, and that is the channel's fault. It documents no limits: these are modest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from monitor.model import Channel
from monitor.senders.apprise import load
from monitor.senders.robots import Call, Codes, Robot, address

HOME = "https://api2.pushdeer.com"


class PushDeer(Robot):
    """Sends text or Markdown to the devices of one key."""

    name = "PushDeer"
    limits: ClassVar[dict[str, int]] = {"markdown": 16_000, "text": 16_000}
    titles: ClassVar[dict[str, int]] = {"markdown": 120, "text": 120}
    rate = 20.0
    codes = Codes(channel=frozenset({80403, 80501}), rate=frozenset(), content=frozenset())  # 80502: its own push failed
    code_key = "code"
    words_key = "error"

    def call(self, channel: Channel, title: str, text: str, form: str) -> Call:
        """The post of one part; the key goes in its body."""
        service = load(channel.target)
        home = HOME
        if service.host:
            home = f"{'https' if service.secure else 'http'}://{service.host}" + (f":{service.port}" if service.port else "")
        payload = {"pushkey": service.push_key, "text": title or "monitor", "desp": text, "type": form}
        return Call(address(channel, home, "/message/push"), payload, (service.push_key,), verify=service.verify_certificate)

    def doubt(self, answer: Mapping[str, Any]) -> str | None:
        """See `Robot.doubt`."""
        content = answer.get("content")
        if isinstance(content, dict) and not content.get("result"):
            return "it knows no device for this key: the key is wrong, or no device is registered to it"
        return None
