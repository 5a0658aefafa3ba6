"""Cases of channels: what a service or a mail server does while monitor has something to tell, and what must come of it.

`play_channels.py` runs them: a healthy list, the channel of the case and a second channel that is always well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.hostile.pages import Row
from tests.receivers import DROP, GARBAGE, HANG, NO_CODE, TAKEN_THEN_DROP, Answer, at, code, drop, errcode, hang, redirect, status

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

#: The receiver stops listening.
AWAY = "away"


@dataclass(frozen=True)
class ChannelCase:
    """`answers` are given one each to the next tries, the last of them for as long as the fault lasts if `lasting`."""

    id: str
    covers: tuple[tuple[str, str], ...]
    channel: str  # hook | wecom | dingtalk | feishu | serverchan | pushdeer | mail
    answers: tuple[Any, ...] = ()
    lasting: bool = True
    family: str = "channel"
    notices: tuple[Row, ...] = (Row("x", "关于渠道的通知", "2026-01-10"),)
    state: str = "pending"  # of the notice's delivery after the first try; "sent" where it is no failure
    says: tuple[str, ...] = ()  # parts of its error
    due: tuple[float, float] | None = None  # seconds until the next try
    notes: int = 0  # what the other channel is told about this one
    during: tuple[timedelta, ...] = ()  # how the clock goes on while the fault lasts
    then: str = "pending"  # the state after that
    retry: bool = False  # `monitor retry` is needed to send what was not sent
    ends: str = "sent"  # the state after the recovery
    twice: int = 0  # messages that may come twice
    most: int | None = None  # requests that the receiver may see during the fault
    messages: int | None = None  # messages that tell all of it, at most
    a_minute: int | None = None  # messages that the receiver gets within any minute, at most
    longest: int | None = None  # bytes of a message
    never: tuple[str, ...] = ()  # what no message may hold
    contains: tuple[str, ...] = ()
    options: str = ""
    restart: bool = False  # the process starts anew in the middle
    slow: bool = False
    seconds: float = 3.0  # that telling the other channel may take
    extra: dict[str, Any] = field(default_factory=dict)


def many(count: int, title: str = "关于第{i}件事项的通知") -> tuple[Row, ...]:
    return tuple(Row(f"m{i}", title.format(i=i), "2026-01-10") for i in range(count, 0, -1))


def titled(*titles: str) -> tuple[Row, ...]:
    return tuple(Row(f"t{i}", title, "2026-01-10") for i, title in enumerate(titles))


def passing(
    id_: str, covers: tuple[str, str], channel: str, *answers: Any, says: tuple[str, ...] = (), **more: Any
) -> ChannelCase:
    """A failure that passes: waits, is tried again between 1 minute and 1 hour later, and is sent once."""
    return ChannelCase(id_, (covers,), channel, answers, says=says, due=more.pop("due", (30, 3700)), **more)


def broken(
    id_: str, covers: tuple[str, str], channel: str, *answers: Any, says: tuple[str, ...] = (), **more: Any
) -> ChannelCase:
    """The channel is wrong: this delivery is refused, the other channel told once, `retry` sends it again."""
    return ChannelCase(
        id_,
        (covers, ("broken channel", "told once on others"), ("broken channel", "retry releases")),
        channel,
        answers,
        state="refused",
        then="refused",
        says=says,
        notes=1,
        retry=True,
        during=(HOUR, HOUR),
        **more,
    )


LONG_TITLE = "关于进一步加强和规范全国范围内有关事项管理工作并做好贯彻落实的补充通知" * 4  # 140 letters, 420 bytes
HOSTILE = titled(
    "甲号 @everyone @here @all",
    '乙号 <at id=all></at> <at user_id="all">所有人</at>',
    "丙号 <@all> <@U123> <!channel>",
    "丁号 [点击](http://evil.test/) **粗** `码` # 题",
    "戊号 <script>alert(1)</script><img src=x onerror=alert(1)>",
    "己号 @13800138000",
)

CASES: tuple[ChannelCase, ...] = (
    # --- mail
    ChannelCase(
        "mail-server-down-for-hours",
        (("smtp down", "refused for hours"), ("smtp down", "other channels told"), ("smtp down", "digest afterwards")),
        "mail",
        (AWAY,),
        notices=many(12),
        during=(2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, HOUR, HOUR),
        due=(30, 120),
        messages=3,
    ),
    ChannelCase(
        "mail-server-down-for-a-week",
        (("smtp down", "longer than give_up"),),
        "mail",
        (AWAY,),
        during=(*(HOUR for _ in range(4)), *(DAY for _ in range(4))),
        then="expired",
        retry=True,
    ),
    ChannelCase(
        "mail-back-off",
        (("smtp down", "back-off"),),
        "mail",
        (AWAY,),
        during=tuple(MINUTE for _ in range(60)),
        extra={"tries": (4, 9)},
    ),
    passing(
        "mail-greylisted",
        ("smtp down", "refused for hours"),
        "mail",
        at("RCPT", "451 4.7.1 try again later"),
        says=("451",),
        during=(5 * MINUTE,),
    ),
    passing(
        "mail-busy",
        ("smtp down", "refused for hours"),
        "mail",
        at("EHLO", "421 4.3.2 service not available"),
        says=("421",),
        during=(5 * MINUTE,),
    ),
    passing(
        "mail-box-full",
        ("smtp down", "refused for hours"),
        "mail",
        at("RCPT", "452 4.2.2 mailbox full"),
        says=("452",),
        during=(5 * MINUTE,),
    ),
    passing("mail-dropped-at-data", ("crash after send", "answer lost"), "mail", drop("DATA"), during=(5 * MINUTE,), twice=1),
    passing("mail-hangs", ("slow hook", "hang"), "mail", hang("MAIL"), during=(), slow=True),
    broken(
        "mail-login-refused",
        ("broken channel", "4xx permanent"),
        "mail",
        at("MAIL", "530 5.7.0 authentication required"),
        says=("530",),
    ),
    ChannelCase(
        "mail-no-such-person",
        (("broken channel", "4xx permanent"),),
        "mail",
        (at("RCPT", "550 5.1.1 no such user"),),
        state="refused",
        then="refused",
        says=("550",),
        notes=1,
        retry=True,
    ),
    ChannelCase(
        "mail-title-with-line-ends",
        (("markup", "mail header"),),
        "mail",
        notices=titled("庚号\r\nBcc: evil@example.org\r\n\r\n正文"),
        state="sent",
        then="sent",
        never=("\nBcc:",),
        extra={"recipients": 1},
    ),
    # --- a webhook
    passing(
        "hook-503",
        ("one of several", "only that one waits"),
        "hook",
        status(503),
        says=("503",),
        during=(5 * MINUTE, 20 * MINUTE),
    ),
    passing("hook-500", ("one of several", "only that one waits"), "hook", status(500), says=("500",), during=(5 * MINUTE,)),
    passing("hook-away", ("one of several", "only that one waits"), "hook", AWAY, during=(5 * MINUTE,)),
    passing("hook-dropped", ("crash after send", "answer lost"), "hook", DROP, during=(5 * MINUTE,)),
    ChannelCase(
        "hook-answer-lost",
        (("crash after send", "answer lost"),),
        "hook",
        (TAKEN_THEN_DROP,),
        lasting=False,
        during=(5 * MINUTE,),
        twice=1,
        then="sent",
    ),
    passing(
        "hook-429",
        ("one of several", "only that one waits"),
        "hook",
        status(429, retry_after="600"),
        during=(5 * MINUTE,),
        due=(55, 700),  # Apprise hides the header: a minute, as for any service that says "too many"
    ),
    passing("hook-hangs", ("slow hook", "hang"), "hook", HANG, slow=True, seconds=3.0),
    *(
        broken(f"hook-{number}", ("broken channel", "4xx permanent"), "hook", status(number), says=(str(number),), most=5)
        for number in (401, 403, 404, 410)
    ),
    ChannelCase(
        "hook-redirects-inwards",
        (("broken channel", "4xx permanent"),),
        "hook",
        (redirect("http://127.0.0.1:{canary}/"),),
        state="refused|pending",
        then="refused|pending",
        retry=True,
    ),
    # --- the body decides
    broken("wecom-key-revoked", ("error in the body", "wecom"), "wecom", errcode(93000, "invalid webhook url"), says=("93000",)),
    passing(
        "wecom-too-often",
        ("error in the body", "wecom"),
        "wecom",
        errcode(45009, "api freq out of limit"),
        says=("45009",),
        during=(MINUTE,),
    ),
    passing(
        "wecom-busy", ("error in the body", "wecom"), "wecom", errcode(-1, "system busy"), says=("-1",), during=(5 * MINUTE,)
    ),
    passing("wecom-no-code", ("error in the body", "wecom"), "wecom", NO_CODE, during=(5 * MINUTE,)),
    passing("wecom-garbage", ("error in the body", "wecom"), "wecom", GARBAGE, during=(5 * MINUTE,)),
    broken(
        "dingtalk-token-gone",
        ("error in the body", "dingtalk"),
        "dingtalk",
        errcode(300005, "token is not exist"),
        says=("300005",),
    ),
    passing(
        "dingtalk-too-often",
        ("error in the body", "dingtalk"),
        "dingtalk",
        errcode(130101, "send too fast"),
        says=("130101",),
        during=(MINUTE,),
        due=(300, 3700),
    ),
    passing("dingtalk-garbage", ("error in the body", "dingtalk"), "dingtalk", GARBAGE, during=(5 * MINUTE,)),
    broken(
        "feishu-token-gone",
        ("error in the body", "feishu"),
        "feishu",
        code(19001, "param invalid: incoming webhook access token invalid"),
        says=("19001",),
    ),
    passing(
        "feishu-too-often",
        ("error in the body", "feishu"),
        "feishu",
        code(11232, "frequency limited"),
        says=("11232",),
        during=(MINUTE,),
    ),
    broken(
        "serverchan-key-wrong",
        ("error in the body", "serverchan"),
        "serverchan",
        code(40001, "[AUTH]错误的Key", http=400, scode=461),
        says=("错误的Key",),
    ),
    broken(
        "pushdeer-key-unknown",
        ("error in the body", "pushdeer"),
        "pushdeer",
        Answer(body={"code": 0, "content": {"result": False}}),
    ),
    # --- rates and bursts
    ChannelCase(
        "dingtalk-sixty",
        (("rate", "dingtalk"),),
        "dingtalk",
        notices=many(60),
        state="sent|pending",
        then="sent",
        during=(MINUTE,) * 4,
        a_minute=16,
        messages=16,
    ),
    ChannelCase(
        "wecom-sixty",
        (("rate", "wecom"),),
        "wecom",
        notices=many(60),
        state="sent|pending",
        then="sent",
        during=(MINUTE,) * 4,
        a_minute=16,
        messages=16,
    ),
    ChannelCase(
        "feishu-sixty",
        (("rate", "feishu"),),
        "feishu",
        notices=many(60),
        state="sent|pending",
        then="sent",
        during=(MINUTE,) * 4,
        a_minute=80,
        messages=16,
    ),
    ChannelCase(
        "ungrouped-sixty-and-a-restart",
        (("rate", "survives a restart"),),
        "wecom",
        notices=many(30),
        options="group = 0\n",
        state="sent|pending",
        then="sent",
        during=(timedelta(seconds=5), *(MINUTE,) * 4),
        restart=True,
        a_minute=16,
    ),
    ChannelCase(
        "five-hundred",
        (("burst", "500"),),
        "hook",
        notices=many(500),
        state="sent|pending",
        then="sent",
        during=(MINUTE,) * 6,
        messages=60,
        seconds=20.0,
    ),
    ChannelCase(
        "five-hundred-by-mail",
        (("burst", "500"),),
        "mail",
        notices=many(500),
        state="sent|pending",
        then="sent",
        during=(MINUTE,) * 6,
        messages=60,
        seconds=20.0,
        slow=True,
    ),
    ChannelCase(
        "five-hundred-to-wecom",
        (("burst", "500"),),
        "wecom",
        notices=many(500),
        state="sent|pending",
        then="sent",
        during=(MINUTE,) * 10,
        a_minute=16,
        longest=4096,
        seconds=20.0,
        slow=True,
    ),
    # --- too long, markup
    ChannelCase(
        "wecom-long",
        (("too long", "wecom"),),
        "wecom",
        notices=many(30, LONG_TITLE + "{i}号"),
        state="sent|pending",
        then="sent",
        during=(MINUTE,) * 3,
        longest=4096,
    ),
    ChannelCase(
        "wecom-text-long",
        (("too long", "wecom"),),
        "wecom",
        notices=many(30, LONG_TITLE + "{i}号"),
        options='format = "text"\n',
        state="sent|pending",
        then="sent",
        during=(MINUTE,) * 3,
        longest=2048,
    ),
    ChannelCase(
        "dingtalk-long",
        (("too long", "dingtalk"),),
        "dingtalk",
        notices=many(90, LONG_TITLE + "{i}号"),
        state="sent|pending",
        then="sent",
        during=(MINUTE,) * 3,
        longest=20000,
    ),
    ChannelCase(
        "feishu-long",
        (("too long", "feishu"),),
        "feishu",
        notices=many(90, LONG_TITLE + "{i}号"),
        state="sent|pending",
        then="sent",
        during=(MINUTE,) * 3,
        longest=20000,
    ),
    ChannelCase(
        "wecom-long-digest",
        (("too long", "wecom"),),
        "wecom",
        notices=many(30, LONG_TITLE + "{i}号"),
        during=(DAY, MINUTE, MINUTE),
        then="sent",
        longest=4096,
        contains=("(2/",),
        extra={"routes": "[[route]]\nchannels = ['ops']\ndigest = '09:00'\ncontinue = true\n[[route]]\nchannels = ['other']\n"},
    ),
    *(
        ChannelCase(
            f"markup-to-{channel}",
            (("markup", "title markup"), ("markup", "everyone"), ("markup", "at all")),
            channel,
            notices=HOSTILE,
            state="sent",
            then="sent",
            never=never,
        )
        for channel, never in (
            ("hook", ("<script>alert", "<img src=x")),
            ("wecom", ("<@all>", "[点击](http://evil.test/)")),
            ("dingtalk", ('"isAtAll": true', "[点击](http://evil.test/)")),
            ("feishu", ("<at id=all>", '<at user_id="all">', "[点击](http://evil.test/)")),
            ("mail", ("<script>alert", "<img src=x")),
        )
    ),
    # --- poison
    ChannelCase(
        "wecom-one-notice-refused",
        (("poison", "alone, then plain, then told"),),
        "wecom",
        notices=(*many(5)[:3], Row("poison", "关于毒丸的通知", "2026-01-10"), *many(5)[3:]),
        state="sent",
        then="sent",
        during=(5 * MINUTE,),
        extra={"poison": "毒丸", "poison_ends": "refused", "poison_tries": 2},
    ),
    ChannelCase(
        "wecom-a-group-with-one-refused",
        (("poison", "alone, then plain, then told"),),
        "wecom",
        notices=(*many(12), Row("poison", "关于毒丸的通知", "2026-01-10")),
        state="sent",
        then="sent",
        during=(5 * MINUTE, 5 * MINUTE),
        extra={"poison": "毒丸", "poison_ends": "refused"},
    ),
)
