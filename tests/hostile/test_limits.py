"""Services that cannot be played on loopback: what they take is known, and a message of any length is divided to fit."""

from __future__ import annotations

import pytest

from monitor.model import Channel
from monitor.senders import sender
from monitor.senders.split import measure, split

LONG = "\n\n".join(f"[new] 关于第{n}项工作的通知，请各单位遵照执行\nhttps://www.example.org/p/{n}.html" for n in range(400))
SERVICES = {
    "telegram": ("tgram://123456789:abcdefg_hijklmnop/12315544", 4096, "characters", 20.0),
    "discord": ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", 2000, "characters", None),
    "pushover": ("pover://uuuuuuuuuuuuuuuuuuuuuuuuuuuuuu@tttttttttttttttttttttttttttttt", 1024, "characters", None),
    "wecom": ("wecombot://693a91f6-7abc-4bc4-97a0-0ec2sifa5aaa", 4096, "bytes", 20.0),
    "dingtalk": ("dingtalk://6f1b0d75f3a94ee3ad0c5be0", 20_000, "bytes", 20.0),
    "feishu": ("feishu://0e5c1f7a-2b6d-4c8e-9f3a-1d2c3b4a5f60", 20_000, "bytes", 100.0),
}


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_takes_is_known(name: str) -> None:
    target, limit, unit, rate = SERVICES[name]
    traits = sender(target).traits(Channel("c", target))
    assert (traits.unit, traits.rate) == (unit, rate)
    assert traits.limit <= limit
    parts = split(LONG, traits.limit, traits.unit)
    assert len(parts) > 1
    for number, part in enumerate(parts, start=1):
        assert measure(part, unit) <= limit
        assert f"({number}/{len(parts)})" in part
        assert all(word.endswith(".html") for word in part.split() if word.startswith("https://")), "no link is cut"
