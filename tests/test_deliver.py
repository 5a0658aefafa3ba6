"""Loop 2 against real receivers, in time that only tests move: every change in one accepted message per channel, whatever the
services answer. Counted at the receivers, by the numbers in the titles that the site published."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import wait
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor import config as configs
from monitor.daemon.asked import Asked
from monitor.deliver import Sent
from monitor.deliver import post as post_module
from monitor.deliver.post import next_message
from monitor.deliver.rate import room, spend
from monitor.model import Delivery, DeliveryState
from monitor.render import message_id
from monitor.store import outbox
from tests.house import START, House, Row, Site
from tests.receivers import (
    DROP,
    HANG,
    TAKEN_THEN_DROP,
    Answer,
    DingTalkReceiver,
    Guard,
    Post,
    SmtpReceiver,
    WebhookReceiver,
    WeComReceiver,
    at,
    drop,
    errcode,
    status,
)

Build = Callable[..., House]
NUMBER = re.compile(r"第(\d{3})号")
#: Errors of the robot: about the message; about the key; too many.
CONTENT, CHANNEL, RATE = errcode(40058, "content exceeds"), errcode(93000, "invalid webhook url"), errcode(45009, "too many")


def channel(id_: str, receiver: Any, **keys: Any) -> str:
    """A [[channel]] for a receiver; values as TOML."""
    target = receiver.target if isinstance(receiver, WeComReceiver) else receiver.target()
    end = f'endpoint = "{receiver.url}"\n' if isinstance(receiver, WeComReceiver) else ""
    return f'[[channel]]\nid = "{id_}"\nurl = "{target}"\n{end}' + "".join(f"{key} = {value}\n" for key, value in keys.items())


@pytest.fixture
def bot() -> Iterator[WeComReceiver]:
    with WeComReceiver() as receiver:
        yield receiver


@pytest.fixture
def hook() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
def post_office() -> Iterator[SmtpReceiver]:
    with SmtpReceiver() as receiver:
        yield receiver


def publish(site: Site, *numbers: int, more: str = "") -> None:
    """The site publishes: one new row a number, at the top of its list."""
    for number in numbers:
        site.rows.insert(0, Row(f"x{number}", f"关于公布第{number:03d}号目录的公告{more}", "2026-01-12"))


def deliver(house: House, **later: float) -> None:
    """Time goes on; then whatever is due is sent."""
    house.clock.on(**later)
    loop = house.loops.delivering
    while loop.tick() or loop.busy():
        wait(loop.busy())


def started(house: House) -> House:
    """The house after its baseline."""
    house.check()
    return house


def counted(texts: Iterable[str]) -> Counter[int]:
    """In how many messages each number stands."""
    return Counter(number for text in texts for number in {int(found) for found in NUMBER.findall(text)})


def told(receiver: Any) -> Counter[int]:
    """In how many accepted messages each number stands."""
    if isinstance(receiver, SmtpReceiver):
        return counted(mail.message["subject"] + mail.part("plain") for mail in receiver.accepted)
    return counted(receiver.accepted.texts)


def once(*numbers: int) -> Counter[int]:
    return Counter(dict.fromkeys(numbers, 1))


def states(house: House, channel_id: str = "ops") -> Counter[str]:
    return Counter(one["state"] for one in house.deliveries() if one["channel"] == channel_id)


# --- every change in one accepted message

FAULTS: list[tuple[str, tuple[Answer, ...]]] = [
    ("a service that is well", ()),
    ("a server error", (status(500),)),
    ("several server errors", (status(502), status(503), status(500))),
    ("a dropped connection", (DROP, DROP)),
    ("an answer that is not the service's", (Answer(body=b"<html>maintenance</html>"),)),
    ("an answer without a code", (Answer(body={"hello": "world"}),)),
    ("a code that nobody knows", (errcode(-1, "system busy"), errcode(987654, "?"))),
    ("too many, said by a code", (RATE, RATE)),
    ("too many, said by HTTP", (status(429, retry_after="30"),)),
    ("all of it in turn", (status(500), RATE, DROP, errcode(-1), status(429, retry_after="5"))),
]


@pytest.mark.parametrize(("name", "answers"), FAULTS, ids=[name for name, _ in FAULTS])
@pytest.mark.parametrize("count", [1, 4, 13])
def test_every_change_is_in_one_accepted_message(
    build: Build, site: Site, bot: WeComReceiver, hook: WebhookReceiver, name: str, answers: tuple[Answer, ...], count: int
) -> None:
    house = started(build(channels=channel("ops", bot) + channel("web", hook)))
    bot.script(*answers)
    publish(site, *range(1, count + 1))
    house.check()
    for _ in range(20):
        deliver(house, minutes=5)
    assert bot.scripted == 0
    assert told(bot) == told(hook) == once(*range(1, count + 1))
    assert {one["state"] for one in house.deliveries()} == {"sent"}


def test_a_message_whose_answer_was_lost_goes_again(build: Build, site: Site, bot: WeComReceiver) -> None:
    house = started(build(channels=channel("ops", bot)))
    bot.script(TAKEN_THEN_DROP)
    publish(site, 1)
    house.check()
    deliver(house, minutes=5)
    assert told(bot) == Counter({1: 2})  # at least once: nobody can tell this from a message that was lost


def test_a_service_that_is_down_for_hours_gets_everything_when_it_is_up(
    build: Build, site: Site, bot: WeComReceiver, hook: WebhookReceiver
) -> None:
    house = started(build(channels=channel("ops", bot) + channel("web", hook)))
    bot.always(DROP)
    for hour in range(9):
        publish(site, *range(10 * hour, 10 * hour + 3))
        house.check()
        deliver(house, hours=1)
    asked = bot.asked
    assert told(hook) == once(*(10 * hour + n for hour in range(9) for n in range(3)))
    assert asked < 25, "a service that is down is not hammered"
    bot.always(None)
    deliver(house, hours=2)
    assert told(bot) == told(hook)
    assert len(bot.accepted) <= 4, "what waited comes as a group"
    assert states(house) == {"sent": 27}


def test_what_keeps_failing_expires_after_give_up_and_is_shown(build: Build, site: Site, hook: WebhookReceiver) -> None:
    house = started(build(channels=channel("ops", hook), monitor='give_up = "2d"\n'))
    hook.always(status(500))
    publish(site, 1)
    house.check()
    for _ in range(47):
        deliver(house, hours=1)
    assert states(house) == {"pending": 1}
    for _ in range(4):
        deliver(house, hours=1)
    (row,) = house.deliveries()
    assert (row["state"], row["sent_at"]) == ("expired", None)
    assert "500" in row["last_error"]
    asked = hook.asked
    assert 40 <= asked <= 62
    deliver(house, days=1)
    assert hook.asked == asked


# --- a message that alone is to blame


class Choosy(WebhookReceiver):
    """Fails at each message that holds a number, for a reason that may pass, and takes all others."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.word = f"第{number:03d}号"

    def judge(self, post: Post) -> Answer:
        return status(500) if self.word in post.json["message"] else super().judge(post)


@pytest.mark.parametrize("count", [5, 30])
@pytest.mark.parametrize("which", [1, 4])
def test_a_message_that_keeps_failing_alone_delays_no_other_and_expires(build: Build, site: Site, which: int, count: int) -> None:
    with Choosy(which) as hook:
        house = started(build(channels=channel("ops", hook), monitor='give_up = "1d"\n'))
        publish(site, *range(1, count + 1))
        house.check()
        for _ in range(15):
            deliver(house, minutes=1)
        others = set(range(1, count + 1)) - {which}
        assert told(hook) == once(*others)
        publish(site, 100)
        house.check()
        deliver(house, minutes=2)
        assert told(hook)[100] == 1
        for _ in range(26):
            deliver(house, hours=1)
        assert states(house) == {"sent": count, "expired": 1}
        assert told(hook) == once(*others, 100)


@pytest.mark.parametrize("count", [5, 15])
def test_a_change_at_which_rendering_itself_fails_stops_no_other_and_goes_as_a_plain_link(
    build: Build, site: Site, hook: WebhookReceiver, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    real = post_module.render

    def render(told_: Any, *args: Any, **options: Any) -> Any:
        if not options["plain"] and any("第003号" in one.title for one in told_):
            raise ZeroDivisionError("a fault of the program")
        return real(told_, *args, **options)

    monkeypatch.setattr(post_module, "render", render)
    house = started(build(channels=channel("ops", hook)))
    publish(site, *range(1, count + 1))
    house.check()
    assert told(hook) == once(*range(1, count + 1))
    assert states(house) == {"sent": count}


def test_a_change_at_which_a_sender_itself_fails_is_kept_with_the_traceback_and_expires(
    build: Build, site: Site, hook: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from monitor.senders.apprise import Apprise

    real = Apprise.send

    def send(self: Apprise, to: Any, message: Any) -> Any:
        if "第003号" in message.text:
            raise ZeroDivisionError("a fault of the program")
        return real(self, to, message)

    monkeypatch.setattr(Apprise, "send", send)
    house = started(build(channels=channel("ops", hook), monitor='give_up = "1d"\n'))
    publish(site, *range(1, 15))
    house.check()
    assert told(hook) == once(*(set(range(1, 15)) - {3}))
    (row,) = (one for one in house.deliveries() if one["state"] == "pending")
    assert "Traceback" in row["last_error"]
    assert "ZeroDivisionError: a fault of the program" in row["last_error"]
    for _ in range(27):
        deliver(house, hours=1)
    assert states(house) == {"sent": 13, "expired": 1}


def test_a_check_hears_of_a_message_at_which_the_program_failed(
    build: Build, site: Site, hook: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = started(build(channels=channel("ops", hook)))

    def render(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(post_module, "render", render)
    publish(site, 1)
    house.clock.on(seconds=1)
    sent = house.loops.check_now(["a"], seconds=5).sent
    assert sent
    assert all("a fault in monitor itself" in (one.error or "") for one in sent)


# --- refusals of the content


def test_a_refused_message_is_tried_as_a_plain_link(build: Build, site: Site, bot: WeComReceiver) -> None:
    house = started(build(channels=channel("ops", bot)))
    bot.script(CONTENT)
    publish(site, 1)
    house.check()
    assert told(bot) == once(1)
    text = bot.accepted.texts[0]
    assert f"{site.url}/p/x1.html" in text
    assert len(text) < len(bot.refused.texts[0])
    assert states(house) == {"sent": 1}


def test_a_message_that_is_refused_as_a_plain_link_too_is_refused(build: Build, site: Site, bot: WeComReceiver) -> None:
    house = started(build(channels=channel("ops", bot)))
    bot.script(CONTENT, CONTENT)
    publish(site, 1, 2)
    house.check()
    deliver(house, days=2)
    assert len(told(bot)) == len(bot.accepted) == 1
    assert counted(bot.refused.texts).total() == 2
    refused = next(one for one in house.deliveries() if one["state"] == "refused")
    assert "40058" in refused["last_error"]
    assert bot.asked == 3


def test_a_refused_group_goes_one_by_one(build: Build, site: Site, bot: WeComReceiver) -> None:
    house = started(build(channels=channel("ops", bot)))
    bot.script(CONTENT)
    publish(site, *range(1, 14))
    house.check()
    deliver(house, minutes=2)
    assert counted(bot.refused.texts) == once(*range(1, 14))
    assert told(bot) == once(*range(1, 14))
    assert len(bot.accepted) == 13


# --- refusals of the channel


@pytest.mark.parametrize(
    ("language", "bad", "well"),
    [("zh", "拒收所有消息", "通道“ops”又能收消息了"), ("en", "refuses every message", 'channel "ops" takes messages again')],
)
def test_a_broken_channel_is_told_on_the_others_and_what_is_owed_waits(
    build: Build, site: Site, bot: WeComReceiver, hook: WebhookReceiver, language: str, bad: str, well: str
) -> None:
    house = started(build(channels=channel("ops", bot) + channel("web", hook), monitor=f'language = "{language}"'))
    bot.always(CHANNEL)
    publish(site, *range(1, 6))
    house.check()
    assert states(house) == {"refused": 1, "pending": 4}
    notes = [text for text in hook.accepted.texts if "ops" in text]
    assert len(notes) == 1
    assert "93000" in notes[0]
    assert bad in notes[0]
    assert "monitor test ops" in notes[0]
    assert bot.key not in notes[0]
    for hour in range(1, 101):  # longer than give_up
        deliver(house, hours=1)
        assert bot.asked == 1 + hour
    assert states(house) == {"refused": 1, "pending": 4}
    bot.always(None)
    deliver(house, hours=1)
    assert told(bot) == once(*range(1, 6))
    assert states(house) == {"sent": 5}
    deliver(house)
    _, again = (text for text in hook.accepted.texts if "ops" in text)
    assert well in again.replace("\\", "")
    assert told(hook) == once(*range(1, 6))


def test_after_a_long_refusal_a_failure_that_passes_expires_nothing(build: Build, site: Site, bot: WeComReceiver) -> None:
    house = started(build(channels=channel("ops", bot)))
    bot.always(CHANNEL)
    publish(site, *range(1, 4))
    house.check()
    for _ in range(90):
        deliver(house, hours=1)
    bot.always(None)
    bot.script(errcode(0, "ok"), status(500), status(500))
    for _ in range(4):
        deliver(house, hours=1)
    assert told(bot) == once(1, 2, 3)


def test_a_broken_group_waits_and_its_first_success_releases_all_at_once(build: Build, site: Site, bot: WeComReceiver) -> None:
    house = started(build(channels=channel("ops", bot)))
    bot.script(CHANNEL)
    publish(site, *range(1, 21))
    house.check()
    assert states(house) == {"refused": 1, "pending": 19}
    with house.loops.store.write() as conn:
        outbox.retry(conn, [], house.clock())
    deliver(house, minutes=1)
    assert told(bot) == once(*range(1, 21))


class Walled(WebhookReceiver):
    """A webhook behind a wall that answers 403 to each message with a word, and lets all others pass."""

    def judge(self, post: Post) -> Answer:
        return status(403, b"blocked") if "敏感" in str(post.json) else super().judge(post)


def notes_of(receiver: Any) -> int:
    """How often a receiver was told that the channel refuses everything, or takes messages again."""
    return sum("ops" in text for text in receiver.accepted.texts)


@pytest.mark.parametrize(("before", "after"), [(0, 5), (3, 5), (0, 20), (20, 20)])
def test_a_message_that_alone_is_refused_on_the_channel_s_account_is_refused_itself(
    build: Build, site: Site, hook: WebhookReceiver, before: int, after: int
) -> None:
    with Walled() as walled:
        house = started(build(channels=channel("ops", walled) + channel("web", hook), source="pages = 1\n"))
        good = [*range(1, before + 1), *range(50, 50 + after)]
        publish(site, *good[:before])
        publish(site, 49, more="敏感")
        publish(site, *good[before:])
        house.check()
        publish(site, 99)
        house.check()
        for _ in range(6):
            deliver(house, hours=1)
        for number in range(100, 110):  # the channel is as quick as ever
            publish(site, number)
            house.check()
            assert told(walled)[number] == 1
            deliver(house, minutes=5)
        assert told(walled) == once(*good, *range(99, 110))
        assert states(house)["refused"] == 1
        assert notes_of(hook) == 2
        asked = walled.asked
        for _ in range(30):
            deliver(house, hours=1)
        assert walled.asked == asked
        assert states(house)["refused"] == 1


def test_a_robot_whose_keyword_one_message_lacks_refuses_that_one_alone(build: Build, site: Site, hook: WebhookReceiver) -> None:
    with DingTalkReceiver(Guard(keyword="公告")) as robot:
        target = f'[[channel]]\nid = "ops"\nurl = "{robot.target}"\nendpoint = "{robot.url}"\n'
        house = started(build(channels=target + channel("web", hook)))
        site.rows.insert(0, Row("x0", "关于第000号的决定", "2026-01-12"))
        house.check()
        publish(site, *range(1, 10))
        house.check()
        for _ in range(8):
            deliver(house, minutes=30)
        assert told(robot) == once(*range(1, 10))
        assert states(house) == {"sent": 9, "refused": 1}
        assert notes_of(hook) == 2


def test_what_failed_before_in_passing_is_not_to_blame_when_the_channel_breaks(
    build: Build, site: Site, bot: WeComReceiver
) -> None:
    house = started(build(channels=channel("ops", bot, group=0)))
    bot.script(status(500))
    publish(site, *range(1, 6))
    house.check()
    bot.script(errcode(0, "ok"))
    bot.always(CHANNEL)
    for _ in range(4):
        deliver(house, hours=1)
    assert states(house) == {"sent": 1, "refused": 1, "pending": 3}
    bot.always(None)
    for _ in range(2):
        deliver(house, hours=1)
    assert told(bot) == once(*range(1, 6))


def test_a_channel_that_breaks_again_at_once_loses_one_plain_link_at_most(build: Build, site: Site, bot: WeComReceiver) -> None:
    house = started(build(channels=channel("ops", bot, group=0)))
    bot.always(CHANNEL)
    publish(site, *range(1, 9))
    house.check()
    for _ in range(12):
        deliver(house, hours=1)
    bot.script(errcode(0, "ok"))  # and then it is refused again
    for _ in range(12):
        deliver(house, hours=1)
    bot.always(None)
    for _ in range(3):
        deliver(house, hours=1)
    assert told(bot) == once(*range(1, 9))


@pytest.mark.parametrize("days", [1, 14])
def test_a_broken_channel_is_tried_each_hour_with_what_it_refused_where_nothing_else_is_owed(
    build: Build, site: Site, bot: WeComReceiver, hook: WebhookReceiver, days: int
) -> None:
    house = started(build(channels=channel("ops", bot) + channel("web", hook)))
    bot.always(CHANNEL)
    publish(site, 1)
    house.check()
    for hour in range(1, 24 * days):
        deliver(house, hours=1)
        assert bot.asked == 1 + hour
        assert states(house) == {"refused": 1}
        if hour == 3:
            house.reopen()
    bot.always(None)
    deliver(house, hours=1)
    assert told(bot) == once(1)
    assert states(house) == {"sent": 1}
    deliver(house)
    assert notes_of(hook) == 2


# --- limits


def window(times: list[datetime]) -> int:
    """The most posts in any minute."""
    return max((sum(1 for other in times if timedelta(0) <= other - one < timedelta(minutes=1)) for one in times), default=0)


@pytest.mark.parametrize(
    ("group", "long"), [(0, ""), (10, ""), (10, "，并就有关事项作进一步说明" * 20)], ids=["single", "grouped", "long"]
)
def test_a_service_gets_at_most_80_percent_of_what_it_allows_in_any_minute(
    build: Build, site: Site, bot: WeComReceiver, group: int, long: str
) -> None:
    house = started(build(channels=channel("ops", bot, group=group)))
    publish(site, *range(1, 41), more=long)
    times: list[datetime] = []

    def note() -> None:
        times.extend([house.clock()] * (bot.asked - len(times)))

    house.check()
    note()
    for step in range(30):
        if step % 9 == 3:
            house.reopen()  # what was sent in the last minute is remembered
        publish(site, 100 + step, more=long)
        house.check()
        deliver(house, seconds=7)
        note()
    for _ in range(20):
        deliver(house, seconds=20)
        note()
    assert window(times) <= 16
    assert not bot.refused
    assert told(bot) == once(*range(1, 41), *range(100, 130))


@pytest.mark.parametrize("keys", [{}, {"rate": 10}])
def test_channels_with_one_robot_share_what_its_service_allows(
    build: Build, site: Site, bot: WeComReceiver, keys: dict[str, Any]
) -> None:
    channels = "".join(channel(name, bot, group=0, language=f'"{tongue}"', **keys) for name, tongue in [("a", "zh"), ("b", "en")])
    channels = channels.replace(bot.target, f"WeComBot://{bot.key}/?format=text", 1)  # one robot, spelt in two ways
    house = started(build("pages = 1\n", channels=channels))
    publish(site, *range(1, 31))
    times: list[datetime] = []
    house.check()
    for step in range(60):
        times.extend([house.clock()] * (bot.asked - len(times)))
        if step == 7:
            house.reopen()
        deliver(house, seconds=15)
    assert window(times) <= (8 if keys else 16)
    assert not bot.refused
    assert told(bot) == Counter(dict.fromkeys(range(1, 31), 2))


def test_channels_with_different_robots_share_nothing(build: Build, site: Site, bot: WeComReceiver) -> None:
    with WeComReceiver() as other:
        house = started(build("pages = 1\n", channels=channel("a", bot, group=0) + channel("b", other, group=0)))
        publish(site, *range(1, 17))
        house.check()
        assert told(bot) == told(other) == once(*range(1, 17))


@pytest.mark.parametrize(
    ("rate", "sent", "free"),
    [(None, 10_000, float("inf")), (20.0, 0, 16), (20.0, 15, 1), (20.0, 16, 0), (0.5, 0, 1), (1.0, 1, 0), (20.0, 30, 0)],
)
def test_room_is_80_percent_of_the_rate_and_one_at_least(rate: float | None, sent: int, free: float) -> None:
    recent = [START - timedelta(seconds=n % 50) for n in range(sent)]
    assert room(recent, START, rate)[0] == free


def test_room_is_again_when_the_oldest_message_is_a_minute_old() -> None:
    recent = [START - timedelta(seconds=40), *[START - timedelta(seconds=10)] * 15]
    free, again = room(recent, START, 20.0)
    assert (free, again) == (0, START + timedelta(seconds=20))
    assert room(recent, START + timedelta(seconds=20), 20.0)[0] == 1
    assert len(spend(recent, START + timedelta(seconds=30), 2)) == 17


def owed(number: int, *, digest: bool = False, alone: bool = False, plain: bool = False) -> Delivery:
    return Delivery(number, number, "ops", DeliveryState.PENDING, 0, START, START, digest=digest, alone=alone, plain=plain)


NEXT = [
    ("nothing is due", [], 10, 9.0, 0),
    ("one is a message of its own", [owed(1)], 10, 9.0, 1),
    ("up to group, one by one", [owed(n) for n in range(10)], 10, 99.0, 1),
    ("beyond group, together", [owed(n) for n in range(11)], 10, 99.0, 11),
    ("group 0 is never together", [owed(n) for n in range(90)], 0, 2.0, 1),
    ("fewer posts than messages, together", [owed(n) for n in range(5)], 10, 4.0, 5),
    ("at most fifty", [owed(n) for n in range(80)], 10, 99.0, 50),
    ("a digest is one message", [owed(n, digest=True) for n in range(3)], 0, 99.0, 3),
    ("one that was refused in a group goes alone", [owed(1, alone=True), *[owed(n) for n in range(2, 30)]], 10, 99.0, 1),
    ("a plain link goes alone", [owed(1, plain=True), *[owed(n) for n in range(2, 30)]], 10, 99.0, 1),
    ("those that go alone are in no group", [owed(1), *[owed(n, alone=True) for n in range(2, 30)]], 10, 99.0, 1),
    ("a digest takes none that are not of it", [owed(1, digest=True), *[owed(n) for n in range(2, 30)]], 10, 99.0, 1),
]


@pytest.mark.parametrize(("name", "due", "group", "free", "taken"), NEXT, ids=[row[0] for row in NEXT])
def test_what_goes_in_one_message(name: str, due: list[Delivery], group: int, free: float, taken: int) -> None:
    assert len(next_message(due, group, free)) == taken


# --- when


def test_beyond_group_changes_come_in_one_message_and_group_0_never_does(
    build: Build, site: Site, bot: WeComReceiver, hook: WebhookReceiver
) -> None:
    house = started(build(channels=channel("ops", hook, group=3) + channel("web", bot, group=0)))
    publish(site, *range(1, 4))
    house.check()
    assert (len(hook.accepted), len(bot.accepted)) == (3, 3)
    publish(site, *range(4, 8))
    house.check()
    assert (len(hook.accepted), len(bot.accepted)) == (4, 7)
    assert told(hook) == told(bot) == once(*range(1, 8))


def test_a_group_and_a_part_of_a_digest_is_taken_whole_or_not_at_all(
    build: Build, site: Site, bot: WeComReceiver, hook: WebhookReceiver
) -> None:
    routes = '[[route]]\nchannels = ["ops"]\ncontinue = true\n[[route]]\nchannels = ["web"]\ndigest = "09:00"\n'
    house = started(build(channels=channel("ops", bot) + channel("web", hook, limit=2000), extra=routes))
    publish(site, *range(1, 51), more="，并就有关事项作进一步说明" * 6)
    bot.script(errcode(0, "ok"), status(503, retry_after="1"))
    house.check()
    for _ in range(20):
        deliver(house, seconds=10)
    assert told(bot) == once(*range(1, 51))
    assert 3 < len(bot.accepted) < 15
    assert not [text for text in bot.accepted.texts if re.match(r"\(\d+/\d+\)", text)]
    house.clock.at = datetime(2026, 1, 13, 1, 0, tzinfo=UTC)
    deliver(house)
    assert told(hook) == once(*range(1, 51))
    assert 3 < len(hook.accepted) < 15
    assert not [text for text in hook.accepted.texts if re.match(r"\(\d+/\d+\)", text)]
    numbers = [re.match(r"\((\d+)/(\d+)\) 汇总", post.json["title"]) for post in hook.accepted]
    total = len(hook.accepted)
    assert [found and found.groups() for found in numbers] == [(str(n), str(total)) for n in range(1, total + 1)]


class Picky(WeComReceiver):
    """Refuses each post with a word for its content."""

    def judge(self, post: Post) -> Answer:
        return CONTENT if "敏感" in post.body.decode() else super().judge(post)


@pytest.mark.parametrize("which", [1, 20, 39])
def test_of_a_digest_in_several_posts_what_was_taken_is_not_read_twice(build: Build, site: Site, which: int) -> None:
    with Picky() as bot:
        house = started(build("pages = 1\n", channels=channel("ops", bot), extra='[[route]]\ndigest = "12:00"\n'))
        for number in range(40):
            publish(site, number, more="敏感" if number == which else "")
        house.check()
        house.clock.at = datetime(2026, 1, 12, 4, 0, tzinfo=UTC)
        for _ in range(10):
            deliver(house, minutes=1)
        assert told(bot) == once(*(set(range(40)) - {which}))
        assert states(house) == {"sent": 39, "refused": 1}


@pytest.mark.parametrize("answer", [status(500), errcode(-1, "busy"), DROP, RATE], ids=["500", "busy", "drop", "rate"])
def test_a_digest_that_is_stopped_midway_goes_on_with_what_was_not_taken(
    build: Build, site: Site, bot: WeComReceiver, answer: Answer
) -> None:
    house = started(build("pages = 1\n", channels=channel("ops", bot), extra='[[route]]\ndigest = "12:00"\n'))
    publish(site, *range(1, 41))
    house.check()
    house.clock.at = datetime(2026, 1, 12, 4, 0, tzinfo=UTC)
    bot.script(errcode(0, "ok"), answer)
    deliver(house)
    publish(site, 41)  # of the next day's digest
    house.check()
    for _ in range(10):
        deliver(house, minutes=1)
    assert told(bot) == once(*range(1, 41))
    house.clock.at = datetime(2026, 1, 13, 4, 0, tzinfo=UTC)
    deliver(house)
    assert told(bot) == once(*range(1, 42))


def test_a_long_digest_keeps_to_the_rate(build: Build, site: Site, bot: WeComReceiver) -> None:
    long = "，并就有关事项作进一步说明" * 40
    house = started(build("pages = 1\n", channels=channel("ops", bot), extra='[[route]]\ndigest = "12:00"\n'))
    publish(site, *range(1, 61), more=long)
    house.check()
    house.clock.at = datetime(2026, 1, 12, 4, 0, tzinfo=UTC)
    times: list[datetime] = []
    for _ in range(40):
        deliver(house, seconds=10)
        times.extend([house.clock()] * (bot.asked - len(times)))
    assert window(times) <= 16
    assert told(bot) == once(*range(1, 61))
    assert len(bot.accepted) > 16
    assert not bot.refused
    numbers = [text.split(" ", 1)[0] for text in bot.accepted.texts]
    assert numbers == [f"({n}/{len(numbers)})" for n in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("stops", [errcode(-1, "busy"), errcode(45009, "too many")])
def test_the_parts_of_a_message_that_stopped_midway_are_counted(
    build: Build, site: Site, bot: WeComReceiver, stops: Answer
) -> None:
    house = started(build(channels=channel("ops", bot, limit=200)))
    bot.script(errcode(0, "ok"), errcode(0, "ok"), stops)
    publish(site, 1, more="，并就有关事项作进一步说明" * 20)
    house.check()
    with house.loops.store.read() as conn:
        assert len(outbox.channel(conn, "ops").recent) == 3
    for _ in range(5):
        deliver(house, minutes=5)
    assert states(house) == {"sent": 1}


SHANGHAI = ZoneInfo("Asia/Shanghai")
ROUTES = [
    ('digest = "09:00"', START, datetime(2026, 1, 13, 9, 0, tzinfo=SHANGHAI)),
    ('digest = "18:30"', START, datetime(2026, 1, 12, 18, 30, tzinfo=SHANGHAI)),
    ('quiet = "22:00-08:00"', datetime(2026, 1, 12, 15, 0, tzinfo=UTC), datetime(2026, 1, 13, 8, 0, tzinfo=SHANGHAI)),
    (
        'quiet = "22:00-08:00"\ndigest = "07:00"',
        datetime(2026, 1, 12, 15, 0, tzinfo=UTC),
        datetime(2026, 1, 13, 8, 0, tzinfo=SHANGHAI),
    ),
    ('quiet = "22:00-08:00"', START, None),
]


@pytest.mark.parametrize(("keys", "now", "due"), ROUTES, ids=[f"{row[0]!r} at {row[1]:%H:%M}Z" for row in ROUTES])
def test_digest_and_quiet_hours_set_when_it_is_due(
    build: Build, site: Site, hook: WebhookReceiver, keys: str, now: datetime, due: datetime | None
) -> None:
    house = build(channels=channel("ops", hook), extra=f'[[route]]\nchannels = ["ops"]\n{keys}\n')
    house.clock.at = now
    started(house)
    for number in (1, 2, 3):
        publish(site, number)
        house.check()
    if due is None:
        assert told(hook) == once(1, 2, 3)
        return
    assert {datetime.fromisoformat(one["due_at"]) for one in house.deliveries()} == {due}
    house.clock.at = due.astimezone(UTC) - timedelta(seconds=1)
    deliver(house)
    assert not hook.accepted
    deliver(house, seconds=1)
    assert told(hook) == once(1, 2, 3)
    assert len(hook.accepted) == (1 if "digest" in keys else 3)


def test_a_word_of_the_annex_overtakes_the_digest(build: Build, site: Site, hook: WebhookReceiver) -> None:
    routes = '[[route]]\nmatch = "人工智能"\nchannels = ["ops"]\n[[route]]\nchannels = ["ops"]\ndigest = "09:00"\n'
    house = started(build("follow = true\n", channels=channel("ops", hook), extra=routes))
    site.bodies["/f/a.txt"], site.types["/f/a.txt"] = "附件：人工智能产业目录。".encode(), "text/plain; charset=utf-8"
    site.rows.insert(0, Row("x1", "关于公布第001号目录的公告", "2026-01-12", "正文，详见附件。", ("a.txt",)))
    site.rows.insert(0, Row("x2", "关于公布第002号目录的公告", "2026-01-12"))
    for _ in range(6):
        house.check()
        deliver(house, minutes=5)
    assert told(hook) == once(1)
    house.clock.at = datetime(2026, 1, 13, 1, 0, tzinfo=UTC)
    deliver(house)
    assert told(hook) == once(1, 2)


def test_a_digest_that_fails_at_first_is_still_one_message(build: Build, site: Site, hook: WebhookReceiver) -> None:
    house = started(build(channels=channel("ops", hook), extra='[[route]]\ndigest = "09:00"\n'))
    publish(site, *range(1, 6))
    house.check()
    hook.script(status(500), status(503))
    house.clock.at = datetime(2026, 1, 13, 1, 0, tzinfo=UTC)
    for _ in range(10):
        deliver(house, minutes=1)
    assert told(hook) == once(*range(1, 6))
    assert len(hook.accepted) == 1


# --- channels do not wait for each other


def test_channels_that_hang_delay_no_other(build: Build, site: Site, hook: WebhookReceiver) -> None:
    with WebhookReceiver() as dead:
        dead.always(HANG)
        channels = "".join(channel(f"dead{n}", dead) for n in range(20)) + channel("web", hook)
        house = started(build(channels=channels))
        publish(site, 1, 2)
        house.loops.checking.ask(["a"])
        arrived = threading.Event()

        def listen(sent: Sent) -> None:
            if sent.channel == "web" and len(hook.accepted) == 2:
                arrived.set()

        with house.loops.delivering.heard(listen):
            house.loops.tick()
            assert arrived.wait(5)
            assert told(hook) == once(1, 2)
            assert len(house.loops.delivering.busy()) >= 20
            dead.release()
            wait(house.loops.delivering.busy())


def test_a_channel_that_left_the_config_is_owed_nothing(
    build: Build, site: Site, bot: WeComReceiver, hook: WebhookReceiver
) -> None:
    house = started(build(channels=channel("ops", bot) + channel("web", hook)))
    bot.always(status(500))
    publish(site, *range(1, 4))
    house.check()
    house.write(channels=channel("web", hook))
    house.loops.reload(configs.load(house.path, {}))
    assert states(house) == {"expired": 3}
    assert {one["last_error"] for one in house.deliveries() if one["channel"] == "ops"} == {"the channel left the configuration"}
    bot.always(None)
    deliver(house, days=1)
    assert not bot.accepted
    house.write(channels=channel("ops", bot) + channel("web", hook))  # it is back: what expired is a matter of `retry`
    house.loops.reload(configs.load(house.path, {}))
    with house.loops.store.write() as conn:
        assert len(outbox.retry(conn, [], house.clock())) == 3
    deliver(house, minutes=1)
    assert told(bot) == told(hook) == once(1, 2, 3)


def test_retry_puts_back_what_is_named_or_all_of_it(build: Build, site: Site, bot: WeComReceiver) -> None:
    house = started(build(channels=channel("ops", bot)))
    bot.script(*[CONTENT] * 6)
    publish(site, 1, 2, 3)
    house.check()
    assert states(house) == {"refused": 3}
    ids = [one["id"] for one in house.deliveries()]
    with house.loops.store.write() as conn:
        assert outbox.retry(conn, [ids[1]], house.clock()) == [ids[1]]
        assert outbox.retry(conn, [ids[1]], house.clock()) == []
    deliver(house, minutes=1)
    assert len(told(bot)) == 1
    with house.loops.store.write() as conn:
        assert len(outbox.retry(conn, [], house.clock())) == 2
    deliver(house, minutes=1)
    assert told(bot) == once(1, 2, 3)


def test_the_daemon_puts_nothing_back_for_a_channel_that_left_the_config(build: Build, site: Site, hook: WebhookReceiver) -> None:
    with WebhookReceiver() as old:
        house = started(build(channels=channel("old", old) + channel("two", hook)))
        old.always(status(500))
        publish(site, 1, 2, 3)
        house.check()
        house.write(channels=channel("two", hook))
        house.loops.reload(configs.load(house.path, {}))
        assert Asked(house.loops, list).retry({"deliveries": []}) == {"deliveries": []}
        assert states(house, "old") == {"expired": 3}


@pytest.mark.parametrize("before", [(), (status(500),)], ids=["at once", "after a failure"])
def test_retry_does_not_try_a_channel_before_the_time_that_it_asked_to_wait(
    build: Build, site: Site, bot: WeComReceiver, before: tuple[Answer, ...]
) -> None:
    house = started(build(channels=channel("ops", bot)))
    bot.script(CONTENT, CONTENT)
    publish(site, 1)
    house.check()
    bot.script(*before, status(429, retry_after="1200"))
    publish(site, 2)
    house.check()
    deliver(house, minutes=5)
    asked = bot.asked
    with house.loops.store.write() as conn:
        assert len(outbox.retry(conn, [], house.clock())) == 1
    deliver(house, minutes=10)
    assert bot.asked == asked
    deliver(house, minutes=15)
    assert told(bot) == once(1, 2)


def test_retry_begins_anew_with_groups_too(build: Build, site: Site, bot: WeComReceiver) -> None:
    house = started(build(channels=channel("ops", bot)))
    bot.always(CONTENT)
    publish(site, *range(1, 14))
    house.check()
    for _ in range(3):
        deliver(house, minutes=2)
    assert states(house) == {"refused": 13}
    bot.always(None)
    with house.loops.store.write() as conn:
        assert len(outbox.retry(conn, [], house.clock())) == 13
    deliver(house, minutes=2)
    assert told(bot) == once(*range(1, 14))
    assert len(bot.accepted) == 1


# --- restarts


def test_what_was_being_sent_when_the_process_died_is_sent_at_the_next_start(
    build: Build, site: Site, bot: WeComReceiver
) -> None:
    house = started(build(channels=channel("ops", bot)))
    bot.always(status(500))
    publish(site, 1, 2)
    house.check()
    bot.always(None)
    house.clock.on(minutes=5)
    with house.loops.store.write() as conn:
        outbox.claim(conn, [one["id"] for one in house.deliveries()], house.clock() + timedelta(hours=1))
    deliver(house)
    assert not bot.accepted
    house.reopen()
    deliver(house)
    assert told(bot) == once(1, 2)


def test_a_broken_channel_is_still_known_as_such_after_a_restart(build: Build, site: Site, bot: WeComReceiver) -> None:
    house = started(build(channels=channel("ops", bot)))
    bot.always(CHANNEL)
    publish(site, 1, 2)
    house.check()
    house.reopen()
    deliver(house, minutes=30)
    assert bot.asked == 1
    deliver(house, minutes=31)
    assert bot.asked == 2


# --- mail


def test_a_mail_about_a_revision_is_in_the_thread_of_the_first(build: Build, site: Site, post_office: SmtpReceiver) -> None:
    house = started(build(channels=channel("mail", post_office)))
    publish(site, 1)
    house.check()
    for turn in ("（修订）", "（再次修订）"):
        house.clock.on(days=1)
        site.rows[0].title += turn
        house.check()
    first, second, third = (mail.message for mail in post_office.accepted)
    assert first["references"] is None
    assert second["references"] == second["in-reply-to"] == third["references"] == first["message-id"]
    assert len({mail["message-id"] for mail in (first, second, third)}) == 3


def test_a_mail_that_is_sent_again_has_the_same_id(build: Build, site: Site, post_office: SmtpReceiver, tmp_path: Path) -> None:
    house = started(build(channels=channel("mail", post_office)))
    publish(site, 1)
    house.check()
    with house.loops.store.write() as conn:  # the process died after the server had taken it, before that was written down
        outbox.claim(conn, [1], house.clock())
    house.reopen()
    deliver(house)
    first, second = (mail.message for mail in post_office.accepted)
    assert first["message-id"] == second["message-id"] == f"<{message_id('mail', [1])}@example.org>"
    assert first["references"] is second["references"] is None


@pytest.mark.parametrize("replies", [at("RCPT", "450 4.2.0 greylisted"), at("DATA", "451 4.3.0 try later"), drop("DATA")])
def test_a_mail_that_the_server_puts_off_comes_later_once(
    build: Build, site: Site, post_office: SmtpReceiver, replies: Any
) -> None:
    house = started(build(channels=channel("mail", post_office)))
    post_office.script(replies, replies)
    publish(site, *range(1, 13))
    house.check()
    for _ in range(6):
        deliver(house, minutes=2)
    assert told(post_office) == once(*range(1, 13))


def test_no_secret_reaches_the_database(build: Build, site: Site, bot: WeComReceiver, hook: WebhookReceiver) -> None:
    with ExitStack() as stack:
        webhook = stack.enter_context(WebhookReceiver())
        target = f"json://127.0.0.1:{webhook.port}/hook-2f9c41d7e8/"
        channels = channel("ops", bot) + f'[[channel]]\nid = "web"\nurl = "{target}"\n'
        house = started(build(channels=channels))
        bot.always(CHANNEL)
        webhook.always(status(500))
        publish(site, 1)
        house.check()
        house.loops.flush()
    with house.loops.store.read() as conn:
        said = "\n".join(conn.iterdump())
    assert "93000" in said
    assert bot.key not in said
    assert "hook-2f9c41d7e8" not in said
