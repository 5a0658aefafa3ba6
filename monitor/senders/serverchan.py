"""ServerChan (Server 酱): `schan://SENDKEY`, of Turbo and of ServerChan³ (whose keys begin with "sctp").

Limits and codes as https://sct.ftqq.com and https://sc3.ft07.com have them: 32 characters of title, 32 KB of Markdown, a few
posts a day on a free account. It refuses under HTTP 400, and with one code for a wrong key and for a day's posts used up: its
words tell them apart. What a day has no room for waits; nothing is refused.
"""

from __future__ import annotations

import re
from typing import ClassVar

from monitor.errors import DeliveryReason
from monitor.model import Channel
from monitor.senders.apprise import load
from monitor.senders.robots import Call, Codes, Robot, address

HOME = "https://sctapi.ftqq.com"
_THREE = re.compile(r"sctp([0-9]+)t", re.IGNORECASE)
_HOUR = 3600.0


class ServerChan(Robot):
    """Sends Markdown to one person's WeChat or app."""

    name = "ServerChan"
    limits: ClassVar[dict[str, int]] = {"markdown": 32_000, "text": 16_000}  # line ends of a text are doubled
    titles: ClassVar[dict[str, int]] = {"markdown": 32, "text": 32}
    rate = 10.0
    codes = Codes(
        channel=frozenset({40001}),
        rate=frozenset(),
        content=frozenset({20001}),
        phrases={
            "发送次数": DeliveryReason.RATE,
            "[auth]": DeliveryReason.CHANNEL,
            "[input]": DeliveryReason.CONTENT,
        },
        waits={"发送次数": _HOUR},
    )
    code_key = "code"
    words_key = "message"
    advice: ClassVar[dict[str, str]] = {"发送次数": "a route with a digest sends fewer messages"}

    def call(self, channel: Channel, title: str, text: str, form: str) -> Call:
        """The post of one part. It is shown as Markdown in any case, so the lines of a text become paragraphs."""
        service = load(channel.target)
        key: str = service.token
        three = _THREE.match(key)
        home, path = (f"https://{three[1]}.push.ft07.com", f"/send/{key}.send") if three else (HOME, f"/{key}.send")
        desp = text if form == "markdown" else text.replace("\n", "\n\n")
        return Call(
            address(channel, home, path), {"title": title or "monitor", "desp": desp}, (key,), verify=service.verify_certificate
        )
