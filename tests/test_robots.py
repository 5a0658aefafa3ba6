"""Every robot, one table: what it takes arrives whole, what it refuses says whose fault it is, no limit is passed, nothing secret
is said; against receivers on loopback that refuse what the real ones refuse."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import load
from monitor.errors import DeliveryError, DeliveryReason
from monitor.model import Channel, Message
from monitor.senders import BUILT_IN, scheme, sender
from monitor.senders.apprise import check_target, normalise
from monitor.senders.dingtalk import DingTalk
from monitor.senders.dingtalk import sign as dingtalk_sign
from monitor.senders.feishu import Feishu, Lark
from monitor.senders.feishu import sign as feishu_sign
from monitor.senders.native import native
from monitor.senders.pace import Clock
from monitor.senders.pushdeer import PushDeer
from monitor.senders.robots import Robot
from monitor.senders.serverchan import ServerChan
from monitor.senders.split import untitled
from monitor.senders.wecom import WeComBot
from tests.receivers import (
    DROP,
    GARBAGE,
    NO_CODE,
    TAKEN_THEN_DROP,
    Answer,
    DingTalkReceiver,
    FeishuReceiver,
    Guard,
    PushDeerReceiver,
    RobotReceiver,
    ServerChanReceiver,
    WeComReceiver,
    code,
    errcode,
    redirect,
    status,
)

PASSING, RATE, CONTENT, CHANNEL = DeliveryReason.PASSING, DeliveryReason.RATE, DeliveryReason.CONTENT, DeliveryReason.CHANNEL
TITLE = "关于印发办法的通知"
LINK = "https://www.miit.gov.cn/zwgk/zcwj/art/2026/art_1.html"
#: 500 notices in one message, each with its own link.
MANY = "\n\n".join(f"**工业和信息化部：关于第 {n} 号“公告”的通知**  \n来源：miit/tz  \n{LINK}?id={n}" for n in range(500))
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECRET = "SEC0a1b2c3d4e5f60718293a4b5c6d7e8f9"


class Hours:
    """A clock that only tests move; a pause moves it too."""

    def __init__(self) -> None:
        self.seconds = START.timestamp()
        self.paused = 0.0

    def now(self) -> float:
        return self.seconds

    def pause(self, seconds: float) -> None:
        self.paused += seconds
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.now, self.pause)


@dataclass(frozen=True)
class Service:
    """A robot and who plays it; `secrets` are the parts of its target that no error may say."""

    robot: Callable[[Clock | None], Robot]
    receiver: Callable[[], RobotReceiver]
    wrong: str  # a target with a wrong key
    most: int  # bytes of a post, or of its text
    secrets: tuple[str, ...] = field(default=())


SERVICES = {
    "wecom": Service(WeComBot, WeComReceiver, "wecombot://wrong-key-77", 4096),
    "dingtalk": Service(DingTalk, DingTalkReceiver, "dingtalk://wrongkey77", 20_000),
    "dingtalk, signed": Service(
        DingTalk, lambda: DingTalkReceiver(Guard(secret=SECRET)), f"dingtalk://{SECRET}@wrongkey77", 20_000, (SECRET,)
    ),
    "feishu": Service(Feishu, FeishuReceiver, "feishu://wrong-key-77", 20_000),
    "feishu, signed": Service(
        Feishu, lambda: FeishuReceiver(Guard(secret=SECRET)), f"feishu://wrong-key-77?secret={SECRET}", 20_000, (SECRET,)
    ),
    "lark": Service(Lark, lambda: FeishuReceiver(scheme="lark"), "lark://wrong-key-77", 20_000),
    "serverchan": Service(ServerChan, ServerChanReceiver, "schan://wrongkey77", 33_000),
    "pushdeer": Service(PushDeer, PushDeerReceiver, "pushdeer://wrongkey77", 20_000),
}
every_service = pytest.mark.parametrize("name", SERVICES)


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def service(name: str) -> Service:
    return SERVICES[name]


@pytest.fixture
def played(service: Service, hours: Hours) -> Iterator[RobotReceiver]:
    with service.receiver() as one:
        if hasattr(one, "guard"):
            one.guard.now = hours.now
        yield one


def channel(played: RobotReceiver, query: str = "", **fields: object) -> Channel:
    target = played.target + (("&" if "?" in played.target else "?") + query if query else "")
    return Channel("ops", target, endpoint=played.url, **fields)  # type: ignore[arg-type]  # fields of Channel


def message(body: str = f"正文 {LINK}", form: str = "markdown", **fields: object) -> Message:
    given = {"title": TITLE, "body": body, "format": form, "text": body, "id": "m1", "at": START} | fields
    return Message(**given)  # type: ignore[arg-type]  # fields of Message


def failure(robot: Robot, to: Channel, what: Message) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        robot.send(to, what)
    assert caught.value.channel_id == to.id
    return caught.value


def attempt(robot: Robot, to: Channel, what: Message, hours: Hours) -> int:
    """The posts of a message; 0 where the robot itself waits for its minute, and then the clock goes on to its end."""
    try:
        return robot.send(to, replace(what, at=datetime.fromtimestamp(hours.seconds, UTC))).posts
    except DeliveryError as error:
        if error.reason is not RATE or not 0 < (error.retry_after or 0) <= 61:
            raise
        hours.pause(error.retry_after or 0)
        return 0


# --- what every robot promises ---------------------------------------------------------------------------------------------


@every_service
@pytest.mark.parametrize("form", ["markdown", "text", "html"])
def test_a_message_arrives_whole_and_its_acceptance_is_the_services_own_word(
    service: Service, played: RobotReceiver, hours: Hours, form: str
) -> None:
    receipt = service.robot(hours.clock).send(channel(played), message(form=form))
    assert (len(played.accepted), len(played.refused), receipt.posts) == (1, 0, 1)
    assert LINK in played.accepted.texts[0]
    assert TITLE in json.dumps(played.accepted[0].json, ensure_ascii=False)
    assert re.match(r"(errcode|code) 0", receipt.detail)


@every_service
def test_the_scheme_leads_to_the_robot_and_apprise_knows_the_url(service: Service, played: RobotReceiver) -> None:
    assert type(sender(played.target)) is type(service.robot(None))
    assert check_target(played.target) is None
    traits = sender(played.target).traits(channel(played))
    assert (traits.verified, traits.unit, traits.format) == (True, "bytes", "markdown")


def test_all_of_apprise_s_schemes_of_these_services_are_ours() -> None:
    assert {"dingtalk", "feishu", "lark", "schan", "pushdeer", "pushdeers", "wecombot"} <= set(BUILT_IN)


@every_service
def test_a_wrong_key_is_the_channel_s_fault_and_is_not_said(
    service: Service, played: RobotReceiver, hours: Hours, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    error = failure(service.robot(hours.clock), replace(channel(played), target=service.wrong), message())
    assert error.reason is CHANNEL
    assert not played.accepted
    said = str(error) + repr(error) + caplog.text
    assert not any(secret in said for secret in ("wrong-key-77", "wrongkey77", *service.secrets))


@every_service
def test_an_answer_that_repeats_the_secrets_is_masked(service: Service, played: RobotReceiver, hours: Hours) -> None:
    place = scheme(played.target) + "://"
    token = played.target.removeprefix(place).partition("?")[0].rpartition("@")[2]
    played.script(status(500, f"no such robot: {token} {' '.join(service.secrets)}".encode()))
    error = failure(service.robot(hours.clock), channel(played), message())
    assert not any(secret in str(error) for secret in (token, *service.secrets))
    assert "no such robot: •••" in str(error)


@every_service
@pytest.mark.parametrize("form", ["markdown", "text"])
def test_a_long_message_is_divided_by_bytes_at_notices_and_every_part_is_taken(
    service: Service, played: RobotReceiver, hours: Hours, form: str
) -> None:
    robot = service.robot(hours.clock)
    sent = next(filter(None, (attempt(robot, channel(played), message(MANY, form), hours) for _ in range(20))))
    assert not played.refused
    assert sent == len(played.accepted) > 1
    found = [int(n) for text in played.accepted.texts for n in re.findall(r"art_1\.html\?id=(\d+)", text)]
    assert sorted(set(found)) == list(range(500))
    assert [text.partition("\n")[0] for text in played.accepted.texts] == [f"({n}/{sent})" for n in range(1, sent + 1)]
    assert max(len(post.body) for post in played.accepted) <= (service.most if service.most > 4096 else 5000)


@every_service
def test_a_part_that_json_would_make_too_long_is_divided_further(service: Service, played: RobotReceiver, hours: Hours) -> None:
    robot = service.robot(hours.clock)
    what = '"\\"\n' * (max(robot.limits.values()) // 5)
    robot.send(channel(played, rate=1000.0), message(what, "text", title='"标题"'))
    assert not played.refused
    assert sum(text.count('"\\"') for text in played.accepted.texts) == what.count('"\\"')


@every_service
@pytest.mark.parametrize("rate", [None, 7.0])
def test_no_minute_sees_more_posts_than_the_service_takes(
    service: Service, played: RobotReceiver, hours: Hours, rate: float | None
) -> None:
    robot = service.robot(hours.clock)
    allowed = int(rate or robot.rate)
    taken: list[float] = []
    for number in range(3 * allowed):
        if attempt(robot, channel(played, rate=rate), message(f"第 {number} 条", id=f"m{number}"), hours):
            taken.append(hours.seconds)
    assert len(taken) == len(played.accepted) > allowed
    assert max(sum(1 for at in taken if start <= at < start + 60) for start in taken) == allowed
    burst = robot.burst or allowed
    assert max(sum(1 for at in taken if start <= at < start + 1) for start in taken) <= burst


@every_service
def test_a_limit_of_the_service_is_met_and_the_rest_follows_once(service: Service, played: RobotReceiver, hours: Hours) -> None:
    robot, played.limit = service.robot(hours.clock), 1
    to = channel(played, limit=2000, rate=1000.0)
    error = failure(robot, to, message(MANY[:6000]))
    assert (error.reason, error.detail.startswith("1 of ")) == (RATE, True)
    assert (error.retry_after or 0) >= 60
    played.limit = None
    robot.send(to, message(MANY[:6000]))
    assert len(set(played.accepted.texts)) == len(played.accepted)


@every_service
def test_an_endpoint_takes_the_place_of_the_service_and_keeps_its_path(service: Service, hours: Hours) -> None:
    with service.receiver() as played:
        played.script(status(404))
        to = replace(channel(played), endpoint=played.url + "/gateway/")
        assert failure(service.robot(hours.clock), to, message()).reason is CHANNEL
        assert played.refused[0].path.startswith("/gateway/")


@every_service
@pytest.mark.parametrize(
    ("answer", "reason", "wait"),
    [
        (GARBAGE, PASSING, None),
        (NO_CODE, PASSING, None),
        (Answer(body=[1]), PASSING, None),
        (Answer(), PASSING, None),
        (errcode(987654), PASSING, None),
        (code(987654), PASSING, None),
        (status(500, b"oops"), PASSING, None),
        (status(503, retry_after="120"), PASSING, 120),
        (status(429), RATE, 60),
        (status(429, retry_after="7"), RATE, 7),
        (status(404), CHANNEL, None),
        (status(413), CONTENT, None),
        (redirect("http://127.0.0.1:1/"), PASSING, None),
        (DROP, PASSING, None),
        (TAKEN_THEN_DROP, PASSING, None),
    ],
    ids=lambda value: f"{value.status} {value.body or value.act}" if isinstance(value, Answer) else None,
)
def test_what_is_no_word_of_acceptance_is_a_failure(
    service: Service, played: RobotReceiver, hours: Hours, answer: Answer, reason: object, wait: object
) -> None:
    played.script(answer)
    error = failure(service.robot(hours.clock), channel(played), message())
    assert (error.reason, error.retry_after) == (reason, wait)


@every_service
def test_every_code_has_one_meaning_and_0_is_none(service: Service) -> None:
    codes = service.robot(None).codes
    assert len(codes.channel | codes.rate | codes.content) == len(codes.channel) + len(codes.rate) + len(codes.content)
    assert 0 not in codes.channel | codes.rate | codes.content
    assert all(phrase == phrase.lower() for phrase in codes.phrases)


@every_service
@pytest.mark.parametrize(
    "called",
    ['<at user_id="all">所有人</at>', "<at id=all></at>", "<AT email=a@b.cn></AT>", "<@all>", "< @u1>", "@所有人", "@all"],
)
def test_nobody_is_called_by_what_a_notice_says(service: Service, played: RobotReceiver, hours: Hours, called: str) -> None:
    for number, form in enumerate(("markdown", "text")):
        service.robot(hours.clock).send(channel(played), message(f"a {called} b", form, title=called, id=str(number)))
        sent = played.accepted[number].json
        mine = CALLS[scheme(played.target)]
        assert not re.search(mine, json.dumps(sent, ensure_ascii=False), re.IGNORECASE)
        assert sent.get("at", {"atMobiles": [], "atUserIds": [], "isAtAll": False}) == {
            "atMobiles": [],
            "atUserIds": [],
            "isAtAll": False,
        }


#: What calls people at each service; ServerChan and PushDeer know no such thing.
CALLS = {
    "wecombot": r"<\s*@|mentioned",
    "dingtalk": r"@所有人|@all",
    "feishu": r"<\s*/?at\b",
    "lark": r"<\s*/?at\b",
    "schan": r"isAtAll",
    "pushdeer": r"isAtAll",
}


# --- whose fault: the tables -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "answer", "reason", "wait"),
    [
        ("dingtalk", errcode(300001, "token is not exist"), CHANNEL, None),
        ("dingtalk", errcode(300005, "token is not exist"), CHANNEL, None),
        ("dingtalk", errcode(310000, "keywords not in content"), CHANNEL, None),
        ("dingtalk", errcode(310000, "sign not match"), CHANNEL, None),
        ("dingtalk", errcode(310000, "invalid timestamp"), CHANNEL, None),
        ("dingtalk", errcode(310000, "ip 1.2.3.4 not in whitelist"), CHANNEL, None),
        ("dingtalk", errcode(400013, "群已被解散"), CHANNEL, None),
        ("dingtalk", errcode(400102, "机器人已停用"), CHANNEL, None),
        ("dingtalk", errcode(130101, "send too fast, exceed 20 times per minute"), RATE, 600),
        ("dingtalk", errcode(410100, "发送速度太快而限流"), RATE, 600),
        ("dingtalk", errcode(90030, "webhook over limit"), RATE, 3600),
        ("dingtalk", errcode(430102, "含有不合适的文本"), CONTENT, None),
        ("dingtalk", errcode(40035, "缺少参数 json"), CONTENT, None),
        ("dingtalk", errcode(43004, "无效的HTTP HEADER Content-Type"), CONTENT, None),
        ("dingtalk", errcode(-1, "系统繁忙"), PASSING, None),
        ("feishu", code(19001, "param invalid: incoming webhook access token invalid"), CHANNEL, None),
        ("feishu", code(19007, "Bot Not Enabled"), CHANNEL, None),
        ("feishu", code(19021, "sign match fail or timestamp is not within one hour"), CHANNEL, None),
        ("feishu", code(19022, "Ip Not Allowed"), CHANNEL, None),
        ("feishu", code(19024, "Key Words Not Found"), CHANNEL, None),
        ("feishu", code(9499, "Bad Request"), CONTENT, None),
        ("feishu", code(9499, "Bad Request", http=400), CONTENT, None),
        ("feishu", code(9499, "frequency limited psm[x]"), RATE, 60),
        ("feishu", code(11232, "frequency limited psm[x]appID[1500]"), RATE, 60),
        ("feishu", code(99991400, "request trigger frequency limit", http=400), RATE, 60),
        ("feishu", code(19036, "too long"), CONTENT, None),
        ("feishu", Answer(body={"StatusCode": 19001, "StatusMessage": "param invalid"}), CHANNEL, None),
        ("lark", code(19024, "Key Words Not Found"), CHANNEL, None),
        ("serverchan", code(40001, "[AUTH]错误的Key", http=400), CHANNEL, None),
        ("serverchan", code(40001, "[AUTH]超过当天的发送次数限制[5]", http=400), RATE, 3600),
        ("serverchan", code(471, "超过当天的发送次数限制[5]"), RATE, 3600),
        ("serverchan", code(20001, "[INPUT]title 不能为空", http=400), CONTENT, None),
        ("serverchan", code(1024, "不要重复发送同样的内容"), PASSING, None),
        ("pushdeer", code(80403, "TOKEN不存在"), CHANNEL, None),
        ("pushdeer", code(80501, "参数错误"), CHANNEL, None),
        ("pushdeer", code(80502, "推送失败"), PASSING, None),
        ("pushdeer", code(0, content={"result": []}), CHANNEL, None),
        ("pushdeer", status(422, b"invalid"), CONTENT, None),
    ],
    ids=lambda value: str(value.body)[:60] if isinstance(value, Answer) else None,
)
def test_an_answer_s_body_says_whose_fault_it_is(
    service: Service, played: RobotReceiver, hours: Hours, answer: Answer, reason: object, wait: object
) -> None:
    played.script(answer)
    error = failure(service.robot(hours.clock), channel(played), message())
    assert (error.reason, error.retry_after) == (reason, wait)
    assert len(played.accepted) + len(played.refused) == 1


@pytest.mark.parametrize("name", ["feishu"])
def test_an_older_feishu_s_answer_is_an_acceptance_too(service: Service, played: RobotReceiver, hours: Hours) -> None:
    played.script(Answer(body={"Extra": None, "StatusCode": 0, "StatusMessage": "success"}, accepts=True))
    assert service.robot(hours.clock).send(channel(played), message()).detail == "code 0 success"


# --- keyword ---------------------------------------------------------------------------------------------------------------

GUARDED = {"dingtalk": DingTalkReceiver, "feishu": FeishuReceiver}


@pytest.mark.parametrize("name", GUARDED)
def test_a_missing_keyword_holds_the_channel_and_says_what_to_do(name: str, hours: Hours) -> None:
    with GUARDED[name](Guard(keyword="监控")) as played:
        error = failure(SERVICES[name].robot(hours.clock), channel(played), message())
        assert error.reason is CHANNEL
        assert "add ?keyword=WORD to the channel's url" in error.detail


@pytest.mark.parametrize("name", GUARDED)
@pytest.mark.parametrize("form", ["markdown", "text"])
def test_a_keyword_of_the_target_is_in_every_part_and_every_part_still_fits(name: str, form: str, hours: Hours) -> None:
    with GUARDED[name](Guard(keyword="监控")) as played:
        robot = SERVICES[name].robot(hours.clock)
        receipt = robot.send(channel(played, "keyword=%E7%9B%91%E6%8E%A7", rate=1000.0), message(MANY, form))
        assert not played.refused
        assert receipt.posts == len(played.accepted) > 1
        robot.send(channel(played, "keyword=%E7%9B%91%E6%8E%A7"), message("已有监控二字", form, id="m2"))
        assert played.accepted.texts[-1].count("监控") == 1


# --- signature -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dingtalk, signed", "feishu, signed"])
@pytest.mark.parametrize(("away", "taken"), [(0, True), (3500, True), (-3500, True), (3700, False), (-3700, False)])
def test_a_signature_is_of_its_moment(service: Service, played: RobotReceiver, hours: Hours, away: float, taken: bool) -> None:
    now = hours.now()
    played.guard.now = lambda: now + away  # type: ignore[attr-defined]  # both have one
    robot = service.robot(hours.clock)
    if taken:
        robot.send(channel(played), message())
    else:
        error = failure(robot, channel(played), message())
        assert (error.reason, "clock must be right" in error.detail) == (CHANNEL, True)


@pytest.mark.parametrize("name", ["dingtalk, signed", "feishu, signed"])
def test_another_secret_s_signature_is_refused(service: Service, played: RobotReceiver, hours: Hours) -> None:
    to = replace(channel(played), target=played.target.replace(SECRET, SECRET[::-1]))
    error = failure(service.robot(hours.clock), to, message())
    assert (error.reason, SECRET[::-1] in str(error)) == (CHANNEL, False)


@pytest.mark.parametrize("name", ["dingtalk, signed"])
def test_apprise_s_other_way_to_write_a_secret_works_too(service: Service, played: RobotReceiver, hours: Hours) -> None:
    to = replace(channel(played), target=f"dingtalk://{played.token}/?secret={SECRET}")  # type: ignore[attr-defined]  # it has one
    service.robot(hours.clock).send(to, message())
    assert len(played.accepted) == 1


def test_signatures_are_those_of_the_documentation() -> None:
    # made with `printf '1599360473000\nthis is secret' | openssl dgst -sha256 -hmac 'this is secret' -binary | base64`, and with
    # nothing under "1599360473\ndemo"
    assert dingtalk_sign("this is secret", 1599360473000) == DINGTALK_SIGNATURE
    assert feishu_sign("demo", 1599360473) == FEISHU_SIGNATURE


DINGTALK_SIGNATURE = "hXZTWifRGHclNuZSKxoXc//sh51SWfVfRIhcdeKs63I="
FEISHU_SIGNATURE = "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="


# --- how it looks ----------------------------------------------------------------------------------------------------------


def sent(name: str, what: Message, query: str = "") -> dict[str, object]:
    with SERVICES[name].receiver() as played:
        SERVICES[name].robot(Hours().clock).send(channel(played, query), what)
        body = played.accepted[0].json
        assert isinstance(body, dict)
        return body


def test_dingtalk_shows_markdown_with_a_title_for_the_preview() -> None:
    body = sent("dingtalk", message("**正文**"))
    assert body["markdown"] == {"title": TITLE, "text": f"{TITLE}\n**正文**"}


def test_dingtalk_calls_only_the_phones_that_the_target_names() -> None:
    with DingTalkReceiver() as played:
        to = replace(channel(played), target=f"{played.target}/13800000000/")
        DingTalk().send(to, message("正文"))
        DingTalk().send(to, message("正文", "text"))
        for post in played.accepted:
            assert post.json["at"] == {"atMobiles": ["13800000000"], "atUserIds": [], "isAtAll": False}
        assert played.accepted.texts[0].endswith("\n\n@13800000000")


def test_feishu_shows_a_card_whose_header_is_the_title_said_once() -> None:
    body = sent("feishu", message(f"**{TITLE}**\n来源：miit"))
    assert body["msg_type"] == "interactive"
    assert body["card"] == {
        "config": {"wide_screen_mode": True},
        "header": {"title": {"tag": "plain_text", "content": TITLE}, "template": "blue"},
        "elements": [{"tag": "markdown", "content": "来源：miit"}],
    }


def test_serverchan_has_32_characters_of_title_and_the_whole_of_it_in_the_text() -> None:
    title = "关于印发《工业和信息化领域数据安全管理办法（试行）》的通知（征求意见稿）"
    body = sent("serverchan", message("正文", title=title))
    assert (len(str(body["title"])), body["desp"]) == (32, f"{title}\n正文")
    assert sent("serverchan", message("一\n二", "text"))["desp"] == "一\n\n二"


def test_pushdeer_has_title_text_and_type() -> None:
    body = sent("pushdeer", message("正文"))
    assert body == {"pushkey": PushDeerReceiver().key, "text": TITLE, "desp": "正文", "type": "markdown"}


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("schan://SCT1Tabc", "https://sctapi.ftqq.com/SCT1Tabc.send"),
        ("schan://sctp4321tabc", "https://4321.push.ft07.com/send/sctp4321tabc.send"),
        ("pushdeer://PDU1", "https://api2.pushdeer.com/message/push"),
        ("pushdeer://push.example.org:8800/PDU1", "http://push.example.org:8800/message/push"),
        ("pushdeers://push.example.org/PDU1", "https://push.example.org/message/push"),
        ("feishu://abc-1", "https://open.feishu.cn/open-apis/bot/v2/hook/abc-1"),
        ("lark://abc-1", "https://open.larksuite.com/open-apis/bot/v2/hook/abc-1"),
        ("dingtalk://abc1", "https://oapi.dingtalk.com/robot/send?access_token=abc1"),
        ("wecombot://abc-1", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abc-1"),
    ],
)
def test_a_target_leads_to_its_service(target: str, url: str) -> None:
    robot = sender(target)
    assert isinstance(robot, Robot)
    call = robot.call(Channel("ops", target), TITLE, "正文", "text")
    assert (call.url, call.verify) == (url, True)
    off = robot.call(Channel("ops", f"{target}?verify=no"), TITLE, "正文", "text")
    assert off.verify is False
    assert "abc" not in repr(call)


@pytest.mark.parametrize(
    "target",
    ["dingtalk://", "dingtalk://a%20b", "feishu://", "lark://a_b", "schan://", "pushdeer://a%20b"],
)
def test_a_target_that_cannot_be_is_the_channel_s_fault(target: str) -> None:
    robot = sender(target)
    with pytest.raises(DeliveryError) as caught:
        robot.send(Channel("ops", target, endpoint="http://127.0.0.1:9"), message())
    assert caught.value.reason is CHANNEL


@given(st.text(max_size=40), st.text(max_size=200))
def test_a_title_of_its_own_leaves_every_other_word_where_it_was(title: str, text: str) -> None:
    left = untitled(title, text)
    assert text.endswith(left)
    assert left.strip() or not text.strip()


# --- the address that a service gives to copy ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://oapi.dingtalk.com/robot/send?access_token=abc1", "dingtalk://abc1/"),
        ("https://oapi.dingtalk.com/robot/send?access_token=abc1&secret=SECx&keyword=公告", "dingtalk://abc1/?secret=SECx&keyword=%E5%85%AC%E5%91%8A"),
        ("https://oapi.dingtalk.com/robot/send?access_token=abc1&timestamp=1&sign=x", "dingtalk://abc1/"),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/a-B-1/", "feishu://a-B-1/"),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/a-B-1?secret=s%2Bx", "feishu://a-B-1/?secret=s%2Bx"),
        ("https://open.larksuite.com/open-apis/bot/v2/hook/a-B-1", "lark://a-B-1/"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a-B-1", "wecombot://a-B-1/"),
        ("https://sctapi.ftqq.com/SCT1Tabc.send", "schan://SCT1Tabc/"),
        ("https://4321.push.ft07.com/send/sctp4321tabc.send", "schan://sctp4321tabc/"),
        ("https://api2.pushdeer.com/message/push?pushkey=PDU1", "pushdeer://PDU1/"),
        ("http://10.0.0.8:8800/message/push?pushkey=PDU1", "pushdeer://10.0.0.8:8800/PDU1/"),
        ("https://push.example.org/message/push?pushkey=PDU1", "pushdeers://push.example.org/PDU1/"),
        ("HTTPS://OAPI.DingTalk.com/robot/send?access_token=AbC1", "dingtalk://AbC1/"),
    ],
)  # fmt: skip
def test_a_robot_s_own_web_address_becomes_its_apprise_url(written: str, expected: str) -> None:
    assert native(written) == expected
    assert native(expected) == expected
    assert check_target(expected) is None
    assert isinstance(sender(normalise(written)), Robot)


@pytest.mark.parametrize(
    "target",
    [
        "https://oapi.dingtalk.com/robot/send",
        "https://oapi.dingtalk.com.evil.example/robot/send?access_token=x",
        "https://evil.example/?u=https://oapi.dingtalk.com/robot/send?access_token=x",
        "https://user@open.feishu.cn/open-apis/bot/v2/hook/x",
        "https://open.feishu.cn/open-apis/bot/v2/hook/",
        "https://example.org/hook",
        "https://[::1/hook",
        "https://host:port/message/push?pushkey=x",
        "dingtalk://abc1",
        "mailto://a:b@example.org",
        "console://",
        "",
    ],
)
def test_every_other_target_stays_as_it_is(target: str) -> None:
    assert native(target) == target


@given(st.text(max_size=80))
def test_any_text_at_all_is_a_target_or_stays_as_it_is(text: str) -> None:
    assert native(native(text)) == native(text)
    assert native(f"https://example.org/{text}") == f"https://example.org/{text}" or "/message/push" in text


def test_a_config_takes_the_address_as_it_was_copied(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text('[[channel]]\nid = "ops"\nurl = "https://oapi.dingtalk.com/robot/send?access_token=${TOKEN}"\n', "utf-8")
    config = load(path, {"TOKEN": "abc1secret"})
    assert config.channels["ops"].target == "dingtalk://abc1secret/"
    assert "abc1secret" in config.secrets
    assert "abc1secret" not in repr(config)


def test_a_message_without_its_moment_counts_in_the_robot_s_own_minute(hours: Hours) -> None:
    with WeComReceiver() as played:
        robot = WeComBot(hours.clock)
        for number in range(20):
            robot.send(channel(played), message("x", id=str(number), at=None))
        assert failure(robot, channel(played), message("x", id="20", at=None)).reason is RATE
        hours.pause(timedelta(seconds=62).total_seconds())
        robot.send(channel(played), message("x", id="21", at=None))
