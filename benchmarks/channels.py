"""What every channel takes and refuses: a fixed set of messages to scripted receivers that refuse what the real services refuse.

    python -m benchmarks.channels              # every robot, then mail
    python -m benchmarks.channels dingtalk mail

Robots: one short message, one of 120 kB, then 500 notices at once through loop 2 while the service is down, refuses a message,
limits the rate and does not know its key, each once. Time is moved by hand; the seconds between posts are real. A post is counted
as it came: its bytes (of what the service counts), and how many came in the busiest minute and second, refused ones with them.
Mail: 30 notices while the server is as the first column says. Nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from monitor.errors import DeliveryError
from monitor.model import Channel, Message, Receipt
from monitor.senders import sender
from tests.house import House, Row, Site
from tests.receivers import (
    DROP,
    Answer,
    DingTalkReceiver,
    FeishuReceiver,
    Guard,
    Post,
    PushDeerReceiver,
    Reply,
    RobotReceiver,
    ServerChanReceiver,
    SmtpReceiver,
    WeComReceiver,
    at,
    code,
    drop,
    errcode,
    status,
)

NOTICES, MAILS = 500, 30
SECRET = "SEC0a1b2c3d4e5f60718293a4b5c6d7e8f9"
LONG = "\n\n".join(f"第{n}条 各单位要认真贯彻执行本通知的各项要求。https://www.example.gov.cn/{n}.html" for n in range(1100))


@dataclass(frozen=True)
class Service:
    """Who plays a robot, what it answers to a bad message and to a bad key, and what it counts."""

    play: Callable[[], RobotReceiver]
    content: Answer
    channel: Answer
    limit: int
    counts: Callable[[Post], int] = lambda post: len(post.body)


def _text(post: Post) -> int:
    body = post.json
    inner = body.get(str(body.get("msgtype"))) or {}
    return len(str(inner.get("content") or body.get("desp") or "").encode())


SERVICES = {
    "wecom": Service(WeComReceiver, errcode(40058, "content"), errcode(93000, "invalid webhook url"), 4096, _text),
    "dingtalk": Service(
        lambda: DingTalkReceiver(Guard(secret=SECRET)),
        errcode(430102, "content"),
        errcode(310000, "keywords not in content"),
        20_000,
    ),
    "feishu": Service(
        lambda: FeishuReceiver(Guard(secret=SECRET)), code(9499, "Bad Request"), code(19024, "Key Words Not Found"), 20_000
    ),
    "lark": Service(lambda: FeishuReceiver(scheme="lark"), code(19036, "too long"), code(19001, "param invalid"), 20_000),
    "serverchan": Service(
        ServerChanReceiver, code(20001, "[INPUT]", http=400), code(40001, "[AUTH]错误的Key", http=400), 32 * 1024, _text
    ),
    "pushdeer": Service(
        PushDeerReceiver, status(422, b"invalid"), Answer(body={"code": 0, "content": {"result": False}}), 16_000, _text
    ),
}


class Hours:
    """When posts came: by the clock of the loops, and really."""

    def __init__(self, played: RobotReceiver) -> None:
        self.fake: list[float] = []
        self.real: list[float] = []
        self.sizes: list[int] = []
        self.house: House | None = None
        self._serve = played._serve
        played._serve = self._counted  # type: ignore[method-assign]  # every request passes here, scripted or not

    def _counted(self, handler: Any) -> None:
        self.real.append(time.monotonic())
        if self.house is not None:
            self.fake.append(self.house.clock().timestamp())
        self._serve(handler)


def busiest(times: list[float], seconds: float) -> int:
    """The most posts in any span of so many seconds."""
    return max((sum(1 for at in times if start <= at < start + seconds) for start in times), default=0)


def straight(channel: Channel, message: Message) -> int:
    """Posts of one message handed over until it is taken, with a minute of the loops' clock between two tries."""
    for minute in range(200):
        moment = message.at + timedelta(minutes=1.1 * minute) if message.at else None
        try:
            return (
                sender(channel.target)
                .send(channel, Message(message.title, message.body, message.format, message.text, message.id, at=moment))
                .posts
            )
        except DeliveryError as error:
            if error.retry_after is None:
                raise
    raise SystemExit(f"{channel.id}: the message was not taken")


def deliver(house: House, done: Callable[[], bool], limit: timedelta, step: timedelta) -> None:
    """Time goes on, step by step, until all is told or the limit is reached."""
    end = house.clock() + limit
    loop = house.loops.delivering
    while house.clock() < end and not done():
        house.clock.on(seconds=step.total_seconds())
        while loop.tick() or loop.busy():
            wait(loop.busy())


def publish(site: Site, number: int) -> None:
    for n in range(number):
        site.rows.insert(0, Row(f"x{n}", f"关于公布第{n:03d}号目录的公告", "2026-01-12"))


def opened(stack: ExitStack, channel: str) -> House:
    """A house after its baseline, with one channel."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    site = Site(rows=[Row(f"n{i}", f"关于印发第{i}项办法的通知") for i in range(8)])
    stack.callback(site.close)
    house = House(folder, site, channels=channel)
    stack.callback(house.loops.close)
    house.check()
    return house


def classes(stack: ExitStack, target: str) -> Counter[str]:
    """Whose fault each failure is that the sender of a target raises from now on."""
    one, found = sender(target), Counter[str]()
    send = one.send

    def counted(channel: Channel, message: Message) -> Receipt:
        try:
            return send(channel, message)
        except DeliveryError as error:
            found[error.reason] += 1
            raise

    one.send = counted  # type: ignore[method-assign]  # for as long as the stack is open
    stack.callback(setattr, one, "send", send)
    return found


def listed(found: Mapping[str, int], without: str = "") -> str:
    """ "1 channel, 2 passing"; "-" for nothing."""
    return ", ".join(f"{count} {name}" for name, count in sorted(found.items()) if name != without) or "-"


def states(house: House) -> Counter[str]:
    return Counter(row["state"] for row in house.deliveries())


def robot(name: str) -> list[str]:
    """One line of the table."""
    service = SERVICES[name]
    with ExitStack() as stack:
        played = stack.enter_context(service.play())
        hours = Hours(played)
        house = opened(stack, f'[[channel]]\nid = "ops"\nurl = "{played.target}"\nendpoint = "{played.url}"\n')
        channel = house.loops.config.channels["ops"]
        moment = house.clock() - timedelta(days=1)
        short = straight(channel, Message("关于印发办法的通知", "**正文**", "markdown", "正文", "s", at=moment))
        long = straight(channel, Message("关于印发办法的通知", LONG, "markdown", LONG, "l", at=moment + timedelta(hours=1)))
        direct = len(played.accepted)
        hours.house, failed = house, classes(stack, played.target)
        publish(house.site, NOTICES)
        played.script(status(503), DROP, played.too_many, service.content, service.channel)
        begin = house.clock()
        house.check()
        deliver(house, lambda: states(house)["pending"] == 0, timedelta(hours=12), timedelta(seconds=10))
        found = states(house)
        sizes = [service.counts(post) for post in played.accepted]
        rate = float(house.loops.config.channels["ops"].rate or sender(played.target).traits(channel).rate or 0)
        return [
            name,
            f"{short}+{long}",
            f"{found['sent']}/{NOTICES}",
            str(len(played.accepted) - direct),
            listed(found, "sent"),
            f"{max(sizes)}/{service.limit}",
            f"{busiest(hours.fake, 60)}/{rate:g}",
            str(busiest(hours.real, 1)),
            f"{(house.clock() - begin) / timedelta(minutes=1):.0f} min",
            listed(failed),
        ]


@dataclass(frozen=True)
class Weather:
    """How the mail server is: its answers to the next connections, and to all of them for so many hours."""

    script: tuple[tuple[Reply, ...], ...] = ()
    always: tuple[Reply, ...] | None = None
    hours: float = 0
    secure: bool = False  # the channel wants TLS, the server has none


MAIL = {
    "well": Weather(),
    "451 greylisted, 10 min": Weather(always=at("RCPT", "451 4.7.1 greylisted, try again later"), hours=1 / 6),
    "421 too many connections, 5 times": Weather((at("MAIL", "421 4.7.0 try again later"),) * 5),
    "452 mailbox full, 6 h": Weather(always=at("RCPT", "452 4.2.2 mailbox full"), hours=6),
    "554 this content is spam, once": Weather((at("DATA", "554 5.7.1 content rejected"),)),
    "550 no such recipient, 2 h": Weather(always=at("RCPT", "550 5.1.1 no such user"), hours=2),
    "535 login refused, 2 h": Weather(always=at("MAIL", "535 5.7.8 authentication required"), hours=2),
    "TLS wanted, none offered": Weather(secure=True),
    "drops every connection, 6 h": Weather(always=drop("EHLO"), hours=6),
}


def mail(weather: Weather) -> list[str]:
    """One line of the table of mail."""
    with ExitStack() as stack:
        server = stack.enter_context(SmtpReceiver())
        target = server.target()
        if weather.secure:
            target = target.replace("mailto://", "mailtos://") + "&mode=starttls"
        house = opened(stack, f'[[channel]]\nid = "mail"\nurl = "{target}"\n')
        failed = classes(stack, target)
        publish(house.site, MAILS)
        server.script(*weather.script)
        server.always(weather.always)
        begin = house.clock()
        house.check()
        step = timedelta(minutes=1)
        deliver(house, lambda: states(house)["pending"] == 0, timedelta(hours=weather.hours), step)
        server.always(None)
        deliver(house, lambda: states(house)["pending"] == 0, timedelta(hours=120), timedelta(minutes=10))
        found = states(house)
        return [
            f"{found['sent']}/{MAILS}",
            str(len(server.accepted)),
            listed(found, "sent"),
            f"{(house.clock() - begin) / timedelta(hours=1):.1f} h",
            listed(failed),
        ]


def main() -> None:
    """Measure and print."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("only", nargs="*", metavar="CHANNEL", help=f"some of {', '.join(SERVICES)}, mail")
    only = parser.parse_args().only
    shape = "{:<11}{:>11}{:>10}{:>7}  {:<6}{:>13}{:>9}{:>8}{:>9}  {}"
    print(shape.format("robot", "short+long", "told", "taken", "left", "largest", "minute", "second", "after", "refused"))
    for name in SERVICES:
        if not only or name in only:
            print(shape.format(*robot(name)), flush=True)
    if not only or "mail" in only:
        shape = "{:<36}{:>8}{:>7}  {:<12}{:>9}  {}"
        print("\n" + shape.format("mail server", "told", "taken", "left", "after", "refused"))
        for said, weather in MAIL.items():
            print(shape.format(said, *mail(weather)), flush=True)


if __name__ == "__main__":
    main()
