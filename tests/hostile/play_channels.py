"""Plays a channel case: a healthy list publishes while the service behind one channel fails; a second channel is always well.

At the end every notice was taken by both, and by each once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.store import outbox
from tests.hostile.cases_channel import AWAY, ChannelCase
from tests.hostile.pages import OPTIONS, rows
from tests.hostile.table import page
from tests.hostile.world import Place, Site
from tests.receivers import (
    Answer,
    DingTalkReceiver,
    FeishuReceiver,
    Post,
    PushDeerReceiver,
    ServerChanReceiver,
    SmtpReceiver,
    WebhookReceiver,
    WeComReceiver,
    errcode,
)

MAKE: dict[str, Callable[..., Any]] = {
    "hook": WebhookReceiver,
    "wecom": WeComReceiver,
    "dingtalk": DingTalkReceiver,
    "feishu": FeishuReceiver,
    "serverchan": ServerChanReceiver,
    "pushdeer": PushDeerReceiver,
    "mail": SmtpReceiver,
}


class Other(WebhookReceiver):
    """The channel that is always well; `at` is when it first took a message after `at` was set to 0."""

    at = 0.0

    def judge(self, post: Post) -> Answer:
        self.at = self.at or time.monotonic()
        return super().judge(post)


class Choosy(WeComReceiver):
    """Refuses each message that holds a word, whatever else is in it."""

    word = ""

    def reads(self, post: Post, body: dict[str, Any]) -> Answer:
        return errcode(40058, "invalid Request Parameter") if self.word in str(body) else super().reads(post, body)


class Service:
    """The receiver of the case, which can go away and come back at the same port."""

    def __init__(self, case: ChannelCase) -> None:
        self._make = Choosy if "poison" in case.extra else MAKE[case.channel]
        self.all = [self._start(0)]
        self.up = True
        if isinstance(self.now, Choosy):
            self.now.word = case.extra["poison"]

    def _start(self, port: int) -> Any:
        made = self._make(port=port)
        made.__enter__()
        return made

    @property
    def now(self) -> Any:
        return self.all[-1]

    def fails(self, case: ChannelCase) -> None:
        if AWAY in case.answers:
            self.now.__exit__(None, None, None)
            self.up = False
        elif case.lasting and case.answers:
            self.now.script(*case.answers[:-1])
            self.now.always(case.answers[-1])
        else:
            self.now.script(*case.answers)

    def recovers(self) -> None:
        if not self.up:
            self.all.append(self._start(self.now.port))
            self.up = True
        self.now.always(None)
        if not isinstance(self.now, SmtpReceiver):
            self.now.release()

    def close(self) -> None:
        if self.up:
            self.now.__exit__(None, None, None)

    @property
    def texts(self) -> list[str]:
        """What every accepted message says to a person."""
        found: list[str] = []
        for one in self.all:
            if isinstance(one, SmtpReceiver):
                found += [mail.message["subject"] + "\n" + mail.part("plain") for mail in one.accepted]
            else:
                found += [str(post.json) for post in one.accepted]
        return found

    @property
    def contents(self) -> list[bytes]:
        """What every accepted message shows, without what is only its title: as its service counts it."""
        if isinstance(self.now, SmtpReceiver):
            return [mail.part("html").encode() for one in self.all for mail in one.accepted]
        return [text.encode() for one in self.all for text in one.accepted.texts]

    @property
    def raw(self) -> list[bytes]:
        """What came over the wire."""
        return [mail.raw if isinstance(one, SmtpReceiver) else mail.body for one in self.all for mail in one.accepted]

    @property
    def asked(self) -> int:
        return sum(len(one.accepted) + len(one.refused) for one in self.all)


def channel(case: ChannelCase, receiver: Any) -> str:
    """The [[channel]] of the case."""
    target = receiver.target() if callable(receiver.target) else receiver.target
    robot = not isinstance(receiver, SmtpReceiver | WebhookReceiver)
    end = f"endpoint = '{receiver.url}'\n" if robot else ""
    return f"[[channel]]\nid = 'ops'\nurl = '{target}'\n{end}{case.options}"


class Player:
    """One channel case. `times`: for each request to the service, the clock when it came."""

    def __init__(self, case: ChannelCase, folder: Path) -> None:
        self.case = case
        self.site, self.service, self.other = Site(), Service(case), Other()
        self.other.__enter__()
        self.times: list[datetime] = []
        self.base = rows(20)
        self.site.says({"/list/": page("list", *self.base)})
        self.place = Place(
            folder,
            '[monitor]\nevery = "15m"\nalive = "0s"\nlanguage = "en"\n'
            "[http]\ndelay = '0s'\nallow_private = ['127.0.0.0/8']\n"
            f"[[source]]\nid = 'a'\nkind = 'list'\nurl = 'http://127.0.0.1:{self.site.port}/list/'\n{OPTIONS['list']}"
            f"{channel(case, self.service.now)}"
            f"[[channel]]\nid = 'other'\nurl = '{self.other.target()}'\n{case.extra.get('routes', '')}",
        )

    def close(self) -> None:
        self.service.recovers()
        self.place.close()
        self.service.close()
        self.other.__exit__()
        self.site.close()

    def play(self) -> None:
        case = self.case
        self.place.check("a")
        self.service.fails(case)
        self.site.says({"/list/": page("list", *case.notices, *self.base)})
        began, self.other.at = time.monotonic(), 0.0
        self.place.check("a")
        self._note()
        assert self.other.at - began <= case.seconds, "the other channel waited"
        self._first()
        self._goes_on()
        if case.lasting:
            self.service.recovers()
        if case.retry:
            self._retry()
        for _ in range(6):
            self._deliver(timedelta(minutes=30))
        self._end()

    # --- steps

    def _deliver(self, later: timedelta) -> None:
        self.place.clock.at += later
        loop = self.place.loops.delivering
        while loop.tick() or loop.busy():
            wait(loop.busy())
        self._note()

    def _note(self) -> None:
        self.times += [self.place.clock.at] * (self.service.asked - len(self.times))

    def _first(self) -> None:
        case = self.case
        mine = [one for one in self._mine() if not self._poisonous(one)]
        assert {one["state"] for one in mine} <= set(case.state.split("|")), mine[0]
        first = mine[0]
        for part in case.says:
            assert part in first["last_error"], first["last_error"]
        if case.due and first["state"] == "pending":
            seconds = (datetime.fromisoformat(first["due_at"]) - self.place.clock.at).total_seconds()
            assert case.due[0] <= seconds <= case.due[1], seconds
        self._others()

    def _others(self) -> None:
        """The other channel has each notice once, and was told of this one as often as it should be."""
        texts = self.other.accepted.texts
        for notice in self.case.notices:
            assert sum(_shown(notice.title) in text for text in texts) == 1, notice.title
        assert sum('channel "ops"' in text for text in texts) == self.case.notes, texts[-1]

    def _goes_on(self) -> None:
        case = self.case
        for number, later in enumerate(case.during):
            if case.restart and number == 1:
                self.place.reopen()
            self._deliver(later)
        mine = [one for one in self._mine() if not self._poisonous(one)]
        assert {one["state"] for one in mine} <= set(case.then.split("|")), [one for one in mine if one["state"] != case.then][:2]
        if case.most is not None:
            assert self.service.asked <= case.most
        if (tries := case.extra.get("tries")) is not None:
            assert tries[0] <= mine[0]["attempts"] <= tries[1], mine[0]["attempts"]

    def _retry(self) -> None:
        with self.place.loops.store.write() as conn:
            outbox.retry(conn, [], self.place.clock.at)

    # --- the end

    def _end(self) -> None:
        case = self.case
        mine = self._mine()
        assert {one["state"] for one in mine if not self._poisonous(one)} == {case.ends}
        assert {one["state"] for one in mine if self._poisonous(one)} <= {case.extra.get("poison_ends", "")}
        texts = self.service.texts
        for notice in case.notices:
            if case.extra.get("poison", "\0") not in notice.title:
                came = sum(_shown(notice.title) in text for text in texts)
                assert 1 <= came <= 1 + case.twice, f"{notice.title} came {came} times"
        if case.messages is not None:
            assert len(texts) <= case.messages, f"{len(texts)} messages"
        if case.a_minute is not None:
            assert _busiest(self.times) <= case.a_minute, _busiest(self.times)
        whole = b"\n".join(self.service.raw).decode("utf-8", "replace")
        said = b"\n".join(self.service.contents).decode("utf-8", "replace")
        for part in case.never:
            assert part not in said, part
        assert '"isAtAll": true' not in whole
        for part in case.contains:
            assert part in whole, part
        if case.longest is not None:
            assert max(map(len, self.service.contents)) <= case.longest
        if case.channel == "mail":
            for mail in (one for service in self.service.all for one in service.accepted):
                assert list(mail.recipients) == ["team@example.org"]
                assert mail.message["bcc"] is None

    def _mine(self) -> list[dict[str, Any]]:
        """The deliveries of the notices to the channel of the case."""
        kinds = {one["id"]: one["kind"] for one in self.place.changes()}
        return [one for one in self.place.deliveries() if one["channel"] == "ops" and kinds[one["change"]] == "new"]

    def _poisonous(self, delivery: dict[str, Any]) -> bool:
        word = self.case.extra.get("poison")
        if word is None:
            return False
        titles = {one["id"]: one["title"] for one in self.place.changes()}
        return word in titles[delivery["change"]]


def _shown(title: str) -> str:
    """What is looked for in a message: of a title with markup its first word, which no escaping changes."""
    return title.split(maxsplit=1)[0]


def _busiest(times: list[datetime]) -> int:
    """The most requests within a minute."""
    minute = timedelta(minutes=1)
    return max((sum(1 for other in times if timedelta(0) <= other - one < minute) for one in times), default=0)


@contextmanager
def player(case: ChannelCase, folder: Path) -> Iterator[Player]:
    made = Player(case, folder)
    try:
        yield made
    finally:
        made.close()
