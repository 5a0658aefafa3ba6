"""A message is handed over once, every answer is read, and no secret is ever said; all on loopback."""

from __future__ import annotations

import io
import logging
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trustme

from monitor.errors import DeliveryError, DeliveryReason
from monitor.mask import Mask
from monitor.model import Channel, Message
from monitor.senders import Sender, sender
from monitor.senders import apprise as apprise_room
from monitor.senders.answers import Parts, reason_of, retry_after, secrets_of
from monitor.senders.apprise import Apprise, check_target, load, normalise
from monitor.senders.console import Console
from monitor.senders.line import Line
from monitor.senders.mail import Mail, _Conversation, server_of
from monitor.senders.robots import Robot
from monitor.senders.wecom import WeComBot
from tests.receivers import (
    DROP,
    GARBAGE,
    HANG,
    NO_CODE,
    Answer,
    Dripping,
    HttpReceiver,
    Post,
    Reply,
    SmtpReceiver,
    WebhookReceiver,
    WeComReceiver,
    at,
    drop,
    errcode,
    hang,
    redirect,
    status,
)

PASSING, RATE, CONTENT, CHANNEL = DeliveryReason.PASSING, DeliveryReason.RATE, DeliveryReason.CONTENT, DeliveryReason.CHANNEL
LONG = "各单位要认真贯彻执行本通知的各项要求。\n\n" * 150


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the environment, and no connection that leaves this machine."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    real = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        assert not isinstance(address, tuple) or address[0] in ("127.0.0.1", "::1"), f"a test connects to {address}"
        real(self, address)  # type: ignore[arg-type]  # whatever the caller gave

    monkeypatch.setattr(socket.socket, "connect", guarded)


def a_message(body: str = "正文 https://www.miit.gov.cn/1.html", form: str = "text", **fields: str) -> Message:
    given = {"title": "关于印发办法的通知", "body": body, "format": form, "text": body, "id": "m1"} | fields
    return Message(**given)


def failure(one: Sender, channel: Channel, message: Message) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        one.send(channel, message)
    error = caught.value
    assert error.channel_id == channel.id
    assert error.__cause__ is None or "key=" not in str(error.__cause__)
    return error


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


# --- console ---------------------------------------------------------------------------------------------------------------


def test_the_console_prints_title_and_text(capsys: pytest.CaptureFixture[str]) -> None:
    receipt = sender("console://").send(Channel("c", "console://"), a_message("<b>x</b>", "html", text="正文"))
    assert capsys.readouterr().out == "关于印发办法的通知\n正文\n\n"
    assert receipt.at <= datetime.now(UTC)


def test_the_console_is_verified_plain_text_whatever_the_format() -> None:
    traits = Console().traits(Channel("c", "console://", format="html"))
    assert (traits.format, traits.verified) == ("text", True)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [("\x1b[2J", r"\x1b[2J"), ("a\rb", r"a\rb"), ("\x9b31m", r"\x9b31m"), ("\u202egnp", r"\u202egnp"), ("\x07\x7f", r"\x07\x7f")],
)
def test_nothing_reaches_the_terminal_that_acts_on_it(hostile: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    Console().send(Channel("c", "console://"), a_message(f"正文{hostile}\tx\n"))
    assert f"正文{shown}\tx\n" in capsys.readouterr().out


class Closed(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_closed_pipe_is_passing(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (Closed(), None):
        monkeypatch.setattr(sys, "stdout", stream)
        assert failure(Console(), Channel("c", "console://"), a_message()).reason is PASSING


def test_a_terminal_that_has_no_chinese_still_shows_something(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    Console().send(Channel("c", "console://"), a_message("中"))
    assert b"\\u4e2d" in raw.getvalue()


# --- WeCom -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def bot() -> Iterator[WeComReceiver]:
    with WeComReceiver() as one:
        yield one


def wecom(bot: WeComReceiver, **fields: object) -> Channel:
    return Channel("ops", bot.target, endpoint=bot.url, **fields)  # type: ignore[arg-type]  # fields of Channel


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_wecom_gets_the_message_in_its_format(bot: WeComReceiver, form: str) -> None:
    receipt = sender(bot.target).send(wecom(bot), a_message(form=form))
    assert bot.accepted[0].json == {
        "msgtype": form,
        form: {"content": "关于印发办法的通知\n正文 https://www.miit.gov.cn/1.html"},
    }
    assert receipt.detail == "errcode 0 ok"


def test_wecom_gets_html_as_plain_text(bot: WeComReceiver) -> None:
    WeComBot().send(wecom(bot), a_message("<p>x</p>", "html", text="x"))
    assert bot.accepted[0].json == {"msgtype": "text", "text": {"content": "关于印发办法的通知\nx"}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (4096, "markdown", 20.0)),
        ({"format": "text"}, (2048, "text", 20.0)),
        ({"format": "html"}, (4096, "markdown", 20.0)),
        ({"limit": 1000, "rate": 5.0}, (1000, "markdown", 5.0)),
        ({"limit": 100000}, (4096, "markdown", 20.0)),
    ],
)
def test_wecom_s_traits_are_bytes_by_format_and_the_user_may_ask_for_less(fields: dict[str, object], expected: object) -> None:
    traits = WeComBot().traits(Channel("ops", "wecombot://key", **fields))  # type: ignore[arg-type]  # fields of Channel
    assert (traits.limit, traits.format, traits.rate) == expected
    assert (traits.unit, traits.verified) == ("bytes", True)


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_long_message_goes_in_parts_that_the_robot_takes(bot: WeComReceiver, form: str) -> None:
    receipt = WeComBot().send(wecom(bot), a_message(LONG, form))
    assert not bot.refused
    assert len(bot.accepted) > 1
    assert bot.accepted.texts[0].startswith(f"(1/{len(bot.accepted)})\n关于印发办法的通知")
    assert receipt.detail.startswith(f"{len(bot.accepted)} parts; errcode 0")
    assert receipt.posts == len(bot.accepted)


@pytest.mark.parametrize(
    ("answer", "reason", "wait"),
    [
        (errcode(93000), CHANNEL, None),
        (errcode(40001), CHANNEL, None),
        (errcode(40014), CHANNEL, None),
        (errcode(45009), RATE, 60),
        (errcode(45033), RATE, 60),
        (errcode(40058), CONTENT, None),
        (errcode(44004), CONTENT, None),
        (errcode(45002), CONTENT, None),
        (errcode(-1), PASSING, None),
        (errcode(987654), PASSING, None),
        (Answer(body={"errcode": "93000", "errmsg": "x"}), CHANNEL, None),
        (Answer(body={"errcode": True}), PASSING, None),
        (Answer(body=[1]), PASSING, None),
        (GARBAGE, PASSING, None),
        (NO_CODE, PASSING, None),
        (Answer(), PASSING, None),
        (status(500, b"oops"), PASSING, None),
        (status(503, retry_after="120"), PASSING, 120),
        (status(429), RATE, 60),
        (status(429, retry_after="7"), RATE, 7),
        (status(401), CHANNEL, None),
        (status(404), CHANNEL, None),
        (status(413), CONTENT, None),
        (status(418), PASSING, None),
        (redirect("http://127.0.0.1:1/"), PASSING, None),
        (redirect("http://127.0.0.1:1/", 301), CHANNEL, None),
        (DROP, PASSING, None),
    ],
    ids=lambda value: f"{value.status} {value.body or value.act}" if isinstance(value, Answer) else None,
)
def test_wecom_s_answer_says_whose_fault_it_is(bot: WeComReceiver, answer: Answer, reason: object, wait: object) -> None:
    bot.script(answer)
    error = failure(WeComBot(), wecom(bot), a_message())
    assert (error.reason, error.retry_after) == (reason, wait)
    assert bot.key not in str(error)
    assert (len(bot.accepted), len(bot.refused)) == (0, 1)
    WeComBot().send(wecom(bot), a_message())
    assert len(bot.accepted) == 1


def test_a_robot_that_hangs_is_left_after_its_deadline(bot: WeComReceiver) -> None:
    one = WeComBot()
    assert one.deadline == 10
    one.deadline = 0.1
    bot.script(HANG)
    error = failure(one, wecom(bot), a_message())
    assert (error.reason, "no answer from 127.0.0.1" in error.detail) == (PASSING, True)


OK = b"HTTP/1.1 200 OK\r\n"
DRIPS = [
    ("a status line", b"HTTP/1.1 2", b"0"),
    ("interim answers", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ("headers", OK, b"X-A: b\r\n"),
    ("one header", OK + b"X-A: ", b"b"),
    ("a body with its length", OK + b"Content-Length: 8000\r\n\r\n", b"x"),
    ("a body in chunks", OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ("the length of a chunk", OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    ("a body without end", OK + b"\r\n", b"x"),
]


@pytest.mark.parametrize("pause", [0.01, 0], ids=["drip", "flood"])
@pytest.mark.parametrize(("head", "drip"), [row[1:] for row in DRIPS], ids=[row[0] for row in DRIPS])
def test_a_robot_that_answers_without_end_costs_its_deadline_at_most(head: bytes, drip: bytes, pause: float) -> None:
    with Dripping(head, drip, pause=pause) as slow:
        one = WeComBot()
        one.deadline = 0.3
        begun = time.monotonic()
        error = failure(one, Channel("ops", "wecombot://key-1234", endpoint=f"http://127.0.0.1:{slow.port}"), a_message())
        assert time.monotonic() - begun < 3
        assert error.reason is PASSING
        assert pause == 0 or "no answer from 127.0.0.1" in error.detail
        assert "key-1234" not in error.detail


def test_a_robot_s_tls_that_never_ends_costs_its_deadline_at_most() -> None:
    with Dripping(b"\x16\x03\x03\x40\x00", b"\x02") as slow:
        one = WeComBot()
        one.deadline = 0.3
        to = Channel("ops", "wecombot://key-1234", endpoint=f"https://127.0.0.1:{slow.port}")
        begun = time.monotonic()
        assert failure(one, to, a_message()).reason is PASSING
        with pytest.raises(DeliveryError, match="cannot reach"):
            one.probe(to)
        assert time.monotonic() - begun < 3


def test_each_part_of_a_message_has_its_own_deadline_and_the_connection_is_kept(bot: WeComReceiver) -> None:
    one = WeComBot()
    one.deadline = 3
    ports: set[object] = set()
    judge = bot.judge

    def judged(post: Post) -> Answer:
        ports.add(threading.get_ident())  # the receiver has a thread for each connection
        return judge(post)

    bot.judge = judged  # type: ignore[method-assign]
    assert one.send(wecom(bot), a_message("段落。\n\n" * 3000)).posts > 3
    assert len(ports) == 1
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def test_a_robot_that_nobody_plays_is_passing() -> None:
    error = failure(WeComBot(), Channel("ops", "wecombot://key-1234", endpoint=f"http://127.0.0.1:{free_port()}"), a_message())
    assert (error.reason, "Connection refused" in error.detail, "key-1234" in error.detail) == (PASSING, True, False)


@pytest.mark.parametrize(
    ("target", "endpoint"),
    [("wecombot://", ""), ("wecombot://a%20b/", ""), ("wecombot://key", "127.0.0.1:9000"), ("wecombot://key", "ftp://127.0.0.1")],
)
def test_a_target_or_endpoint_that_cannot_be_is_the_channel_s_fault(target: str, endpoint: str) -> None:
    assert failure(WeComBot(), Channel("ops", target, endpoint=endpoint), a_message()).reason is CHANNEL


def test_an_endpoint_keeps_its_own_path(bot: WeComReceiver) -> None:
    error = failure(WeComBot(), Channel("ops", bot.target, endpoint=bot.url + "/gateway/"), a_message())
    assert error.reason is CHANNEL
    assert bot.refused[0].path == "/gateway/cgi-bin/webhook/send"


def test_a_wrong_key_is_refused_and_neither_key_nor_address_is_said(bot: WeComReceiver) -> None:
    error = failure(WeComBot(), Channel("ops", "wecombot://wrong-key-77", endpoint=bot.url), a_message())
    assert error.reason is CHANNEL
    assert "wrong-key-77" not in repr(error) + str(error)
    assert "errcode 93000 invalid webhook url" in str(error)


def test_an_answer_that_repeats_the_key_is_masked(bot: WeComReceiver) -> None:
    bot.script(errcode(93000, f"bad key {bot.key}\x1b[2J"))
    assert failure(WeComBot(), wecom(bot), a_message()).detail.endswith("bad key ••• [2J")


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_nobody_is_called_by_name(bot: WeComReceiver, form: str) -> None:
    WeComBot().send(wecom(bot), a_message("<@all> < @wangqing> @all", form, title="<@all>通知"))
    sent = bot.accepted[0].json
    assert "<@" not in str(sent)
    assert "< @" not in str(sent)
    assert "mentioned" not in str(sent)


def test_a_title_brings_no_markup_into_markdown(bot: WeComReceiver) -> None:
    WeComBot().send(wecom(bot), a_message("正文", "markdown", title="[领奖](https://evil.example)*"))
    assert bot.accepted.texts == ["［领奖］(https://evil.example)＊\n正文"]


def test_what_fails_midway_says_so_and_a_retry_goes_on_there(bot: WeComReceiver) -> None:
    one = WeComBot()
    bot.script(errcode(0), errcode(45009))
    error = failure(one, wecom(bot), a_message(LONG))
    total = int(error.detail.split()[2])
    assert error.detail.startswith(f"1 of {total} parts accepted; WeCom refused: errcode 45009")
    assert (error.reason, error.retry_after) == (RATE, 60)
    one.send(wecom(bot), a_message(LONG))
    assert [text.partition("\n")[0] for text in bot.accepted.texts] == [f"({n}/{total})" for n in range(1, total + 1)]


def test_a_limit_of_the_robot_is_met_and_the_rest_follows(bot: WeComReceiver) -> None:
    one, bot.limit = WeComBot(), 2
    assert failure(one, wecom(bot), a_message(LONG)).detail.startswith("2 of")
    bot.limit = None
    one.send(wecom(bot), a_message(LONG))
    assert len(set(bot.accepted.texts)) == len(bot.accepted)


def test_a_changed_message_begins_again(bot: WeComReceiver) -> None:
    one = WeComBot()
    bot.script(errcode(0), errcode(40058))
    failure(one, wecom(bot), a_message(LONG))
    one.send(wecom(bot), a_message("短"))
    assert bot.accepted.texts[-1] == "关于印发办法的通知\n短"


def test_the_memory_of_half_sent_messages_is_bounded() -> None:
    parts, channel = Parts(size=2), Channel("ops", "x://")

    def second_fails(part: str) -> str:
        if part == "b":
            raise DeliveryError("no")
        return "ok"

    for number in range(10):
        with suppress(DeliveryError):
            parts.deliver(channel, a_message(id=str(number)), ("a", "b"), second_fails)
    assert len(parts._taken) == 2


def test_a_limit_too_small_to_divide_is_the_channel_s_fault(bot: WeComReceiver) -> None:
    for one, channel in ((WeComBot(), wecom(bot, limit=5)), (Console(), Channel("c", "console://", limit=5))):
        assert failure(one, channel, a_message()).reason is CHANNEL


def test_every_code_has_one_meaning() -> None:
    codes = WeComBot.codes
    assert len(codes.channel | codes.rate | codes.content) == len(codes.channel) + len(codes.rate) + len(codes.content)
    assert 0 not in codes.channel | codes.rate | codes.content
    assert issubclass(WeComBot, Robot)


# --- what every answer has in common ---------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("Sun, 22 Nov 2026 12:01:30 GMT", 90),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        (None, None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize("code", range(300, 600))
def test_every_http_status_has_a_reason_and_no_5xx_gives_up(code: int) -> None:
    reason = reason_of(code)
    assert isinstance(reason, DeliveryReason)
    assert code < 500 or reason is PASSING


@pytest.mark.parametrize(
    ("target", "text", "masked"),
    [
        ("tgram://123456789:abcdefg_hij/12315544", "to /bot123456789:abcdefg_hij/send", "to /bot•••:•••/send"),
        (
            "json://user:p%40ss@host.example.org/hook",
            "p@ss or p%40ss at host.example.org/hook",
            "••• or ••• at host.example.org/hook",
        ),
        ("jsons://host/x?+Authorization=Bearer%20abcdefgh", "Bearer abcdefgh, abcdefgh", "•••, •••"),
        ("wecombot://693a91f6-7abc", "key=693a91f6-7abc", "key=•••"),
        ("json://127.0.0.1:8080/x", "127.0.0.1:8080", "127.0.0.1:8080"),
        ("json://host/x?token=abcd", "abcd", "•••"),
    ],
)
def test_secrets_of_a_target_are_masked_however_they_are_written(target: str, text: str, masked: str) -> None:
    assert Mask(secrets_of(target))(text) == masked


# --- Apprise ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hook() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as one:
        yield one


@pytest.mark.parametrize("scheme", ["json", "xml", "form"])
def test_a_webhook_gets_title_and_message_and_a_receipt_says_so(hook: WebhookReceiver, scheme: str) -> None:
    target = hook.target(scheme)
    receipt = sender(target).send(Channel("hook", target), a_message("正文"))
    raw = hook.accepted[0].body.decode("utf-8")
    if scheme == "json":
        assert hook.accepted[0].json["title"] == "关于印发办法的通知"
        assert hook.accepted.texts == ["正文"]
    elif scheme == "form":
        assert hook.accepted[0].form["message"] == ["正文"]
    else:
        assert "<Message>正文</Message>" in raw
    assert receipt.detail.endswith(": SUCCESS")


@pytest.mark.parametrize(
    ("answer", "reason", "wait"),
    [
        (status(401), CHANNEL, None),
        (status(403), CHANNEL, None),
        (status(404), CHANNEL, None),
        (status(410), CHANNEL, None),
        (status(400, b"bad"), CONTENT, None),
        (status(413), CONTENT, None),
        (status(422), CONTENT, None),
        (status(429), RATE, 60),
        (status(500), PASSING, None),
        (status(503), PASSING, None),
        (redirect("http://127.0.0.1:1/"), PASSING, None),
        (DROP, PASSING, None),
    ],
    ids=lambda value: f"{value.status} {value.act}" if isinstance(value, Answer) else None,
)
def test_a_webhook_s_status_says_whose_fault_it_is(hook: WebhookReceiver, answer: Answer, reason: object, wait: object) -> None:
    hook.script(answer)
    error = failure(Apprise(), Channel("hook", hook.target()), a_message())
    assert (error.reason, error.retry_after) == (reason, wait)
    assert hook.asked == 1


def test_a_service_s_own_words_are_told_without_secrets(hook: WebhookReceiver) -> None:
    target = f"json://user:pass-word-9@127.0.0.1:{hook.port}/path-secret-1?-token=query-secret-2&+X-Key=header-secret-3"
    hook.script(status(403, "拒绝 path-secret-1 query-secret-2 header-secret-3 pass-word-9".encode()))
    error = failure(Apprise(), Channel("hook", target), a_message())
    assert "拒绝 ••• ••• ••• •••" in error.detail
    hidden = Channel("hook", f"json://127.0.0.1:{free_port()}/path-secret-1")
    assert "path-secret-1" not in str(failure(Apprise(), hidden, a_message()))


def test_no_library_writes_to_the_log_or_to_the_terminal(
    hook: WebhookReceiver, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    root = logging.getLogger()
    level = root.level
    monkeypatch.setattr(root, "handlers", [logging.StreamHandler(written)])
    root.setLevel(logging.DEBUG)
    try:
        hook.script(status(500))
        failure(Apprise(), Channel("hook", hook.target(path="/path-secret-1")), a_message())
        failure(Apprise(), Channel("bad", "tgram://not-valid-token"), a_message())
        failure(WeComBot(), Channel("ops", "wecombot://key-1234", endpoint=hook.url), a_message())
        check_target("wecombot://not-valid%20key")
    finally:
        root.setLevel(level)
    assert not any(secret in written.getvalue() for secret in ("not-valid", "path-secret-1", "key-1234"))
    assert capfd.readouterr() == ("", "")


def test_a_failure_is_not_a_success_because_the_url_calls_it_optional(hook: WebhookReceiver) -> None:
    hook.always(status(500))
    failure(Apprise(), Channel("hook", hook.target() + "?optional=yes"), a_message())


def test_apprise_waits_between_two_messages_for_nobody() -> None:
    service = load("tgram://123456789:abcdefg_hijklmnop/12315544")
    assert type(service).request_rate_per_sec > 0
    assert service.request_rate_per_sec == 0


def test_a_redirection_is_not_followed(hook: WebhookReceiver, bot: WeComReceiver) -> None:
    hook.script(redirect(f"{hook.url}/elsewhere"))
    assert failure(Apprise(), Channel("hook", hook.target()), a_message()).reason is PASSING
    assert hook.asked == 1
    bot.script(redirect(f"{hook.url}/elsewhere", 307))
    assert failure(WeComBot(), wecom(bot), a_message()).reason is PASSING
    assert hook.asked == 1


def test_a_proxy_of_the_environment_does_not_see_a_robot_s_key(bot: WeComReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    WeComBot().send(wecom(bot), a_message())
    assert len(bot.accepted) == 1


def test_a_service_that_hangs_is_left(hook: WebhookReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    hook.script(HANG)
    assert failure(Apprise(), Channel("hook", hook.target() + "?rto=0.1"), a_message()).reason is PASSING
    monkeypatch.setattr(apprise_room, "PART_DEADLINE", 0.1)
    hook.script(HANG)
    error = failure(Apprise(), Channel("hook", hook.target()), a_message())
    assert (error.reason, "no answer within 0.1 s" in error.detail) == (PASSING, True)


def test_a_long_message_goes_in_parts_by_characters(hook: WebhookReceiver) -> None:
    target = hook.target()
    Apprise().send(Channel("hook", target, limit=500), a_message(LONG))
    assert len(hook.accepted) > 1
    assert max(map(len, hook.accepted.texts)) <= 500
    assert all(post.json["title"] == "关于印发办法的通知" for post in hook.accepted)


def test_html_too_long_goes_as_text_since_no_tag_may_be_cut(hook: WebhookReceiver) -> None:
    target = hook.target()
    Apprise().send(Channel("hook", target, limit=500), a_message(f"<p>{LONG}</p>", "html", text=LONG))
    assert "<" not in "".join(hook.accepted.texts)


def test_a_retry_goes_on_after_the_parts_that_were_taken(hook: WebhookReceiver) -> None:
    one, target = Apprise(), hook.target()
    hook.script(status(200), status(503))
    assert failure(one, Channel("hook", target, limit=1000), a_message(LONG)).detail.startswith("1 of ")
    one.send(Channel("hook", target, limit=1000), a_message(LONG))
    assert len(set(hook.accepted.texts)) == len(hook.accepted)


@pytest.mark.parametrize(
    ("target", "limit", "form", "verified"),
    [
        ("json://127.0.0.1/x", 32768, "text", True),
        ("tgram://123456789:abcdefg_hijklmnop/12315544", 4096, "html", True),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", 2000, "text", True),
        ("bark://127.0.0.1/device", 32768, "text", False),
    ],
)
def test_traits_are_the_service_s_own(target: str, limit: int, form: str, verified: bool) -> None:
    traits = sender(target).traits(Channel("c", target))
    assert (traits.limit, traits.unit, traits.format, traits.verified) == (limit, "characters", form, verified)
    assert sender(target).traits(Channel("c", target, limit=100, format="markdown")).limit == 100


def test_a_target_that_cannot_be_used_is_the_channel_s_fault() -> None:
    channel = Channel("bad", "tgram://secret1")
    error = failure(Apprise(), channel, a_message())
    assert (error.reason, "secret1" in str(error)) == (CHANNEL, False)
    assert Apprise().traits(channel).verified is False


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("json://127.0.0.1/x", None),
        ("console://", None),
        ("mailtos://user:secret77@example.org?to=team@example.org", None),
        ("wecombot://693a91f6-7abc-4bc4", None),
        ("secret77", 'no "scheme://"'),
        ("dingtalkk://secret77", 'did you mean "dingtalk"?'),
        ("tgram://secret77", "missing or not valid"),
        ("wecombot://secret77%20x", "missing or not valid"),
        ("https://example.org/secret77", "jsons://"),
        ("mailto://user:secret77@example.org?to=team@example.org,nobody", "would get nothing"),
        ("mailto://user:secret77@example.org?pgp=encrypt", "unencrypted"),
    ],
)
def test_a_target_is_checked_before_anything_runs(target: str, words: str | None) -> None:
    said = check_target(target)
    assert (said is None) if words is None else (words in (said or ""))
    assert "secret77" not in (said or "")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-AbC", "wecombot://693a91f6-AbC/"),
        (
            "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
            "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        ),
        ("https://example.org/hook", "https://example.org/hook"),
        ("json://127.0.0.1/x", "json://127.0.0.1/x"),
    ],
)
def test_a_service_s_own_web_address_becomes_its_apprise_url(target: str, expected: str) -> None:
    assert normalise(target).startswith(expected)
    assert check_target(expected) is None or expected.startswith("https")


@pytest.mark.parametrize("written", [normalise, str])
def test_a_robot_s_own_web_address_reaches_its_own_sender(bot: WeComReceiver, written: Callable[[str], str]) -> None:
    target = written(f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={bot.key}")
    assert sender(target).traits(Channel("ops", target)).verified
    sender(target).send(Channel("ops", target, endpoint=bot.url), a_message(form="markdown"))
    assert bot.accepted[0].json["msgtype"] == "markdown"


# --- mail ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def post() -> Iterator[SmtpReceiver]:
    with SmtpReceiver() as one:
        yield one


def mail(post: SmtpReceiver, query: str = "", user: str = "") -> Channel:
    return Channel("mail", post.target(query, user))


def test_a_mail_has_text_and_html_and_says_that_a_machine_made_it(post: SmtpReceiver) -> None:
    message = a_message("<p>正文</p>", "html", text="正文", id="abc123", thread="first1")
    receipt = sender(post.target()).send(mail(post), message)
    got = post.accepted[0]
    assert (got.sender, got.recipients) == ("monitor@example.org", ("team@example.org",))
    assert (got.part("plain").strip(), got.part("html").strip()) == ("正文", "<p>正文</p>")
    expected = {
        "Subject": "关于印发办法的通知",
        "From": "monitor@example.org",
        "To": "team@example.org",
        "Message-ID": "<abc123@example.org>",
        "In-Reply-To": "<first1@example.org>",
        "References": "<first1@example.org>",
        "Auto-Submitted": "auto-generated",
        "List-Id": "<mail.monitor.example.org>",
    }
    assert {name: got.message[name] for name in expected} == expected
    assert abs((got.message["Date"].datetime - datetime.now(UTC)).total_seconds()) < 60
    assert receipt.detail == "250 2.0.0 queued as 1"


def test_a_first_mail_answers_none_and_plain_text_is_plain(post: SmtpReceiver) -> None:
    Mail().send(mail(post), a_message())
    got = post.accepted[0].message
    assert (got["In-Reply-To"], got["References"], got.get_content_type()) == (None, None, "text/plain")


def test_the_wire_is_ascii_and_long_ids_stay_whole(post: SmtpReceiver) -> None:
    Mail().send(mail(post), a_message(LONG, id="f" * 64, thread="e" * 64, title="通知" * 100))
    raw = post.accepted[0].raw
    assert raw.isascii()
    assert b"In-Reply-To: <" + b"e" * 64 + b"@example.org>\r\n" in raw
    assert max(map(len, raw.splitlines())) <= 998
    assert post.accepted[0].message["Subject"] == "通知" * 100


@pytest.mark.parametrize(
    "hostile", ["通知\r\nBcc: evil@example.org", "a\nBcc: evil@example.org", "a\r\n\r\nbody", "\x00a\x85b\u2028c", "\ud800"]
)
def test_no_header_gets_in_by_a_title(post: SmtpReceiver, hostile: str) -> None:
    Mail().send(mail(post, "+X-Mine=a%0D%0ABcc:%20evil@example.org&+Subject=mine"), a_message(title=hostile, id=hostile))
    got = post.accepted[0]
    assert got.recipients == ("team@example.org",)
    assert (got.message["Bcc"], got.message["X-Mine"]) == (None, "a Bcc: evil@example.org")
    assert len(got.message.get_all("Subject")) == 1
    assert len(got.message["Subject"].splitlines()) == 1


@pytest.mark.parametrize(
    "word", ["x=0D=0ABcc:_evil=40example.org", "=0A=0APassword_expired:_https://evil.example/", "=0D=0A=0D=0A<html>"]
)
@pytest.mark.parametrize(
    "place", ["{}", "Notice {}", "【新】某局：{}", "{} of today", "{}{}", "=?{}", "{} {}", '"{}" <a@example.org>']
)
def test_an_encoded_word_of_a_title_stays_text(post: SmtpReceiver, word: str, place: str) -> None:
    title = place.replace("{}", f"=?utf-8?q?{word}?=")
    Mail().send(mail(post, "+X-Mine=" + quote(title)), a_message("正文", title=title))
    got = post.accepted[0]
    assert (got.recipients, got.message["Bcc"]) == (("team@example.org",), None)
    assert got.message["Subject"] == got.message["X-Mine"] == title.replace("=?", "＝?")
    assert got.part("plain").strip() == "正文"


@pytest.mark.parametrize("charset", ["idna", "hex", "undefined", "punycode"])
def test_an_encoded_word_in_a_charset_that_is_none_stops_no_mail(post: SmtpReceiver, charset: str) -> None:
    Mail().send(mail(post), a_message(title=f"Notice =?{charset}?q?xn--a?= of today"))
    assert len(post.accepted) == 1


def test_copies_are_sent_and_blind_ones_are_not_named(post: SmtpReceiver) -> None:
    Mail().send(mail(post, "cc=c@example.org&bcc=b@example.org&reply=r@example.org"), a_message())
    got = post.accepted[0]
    assert set(got.recipients) == {"team@example.org", "c@example.org", "b@example.org"}
    assert (got.message["Cc"], got.message["Reply-To"], b"b@example.org" in got.raw) == ("c@example.org", "r@example.org", False)


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        (at("EHLO", "421 4.3.2 shutting down"), PASSING),
        (at("MAIL", "451 4.7.1 try later"), PASSING),
        (at("MAIL", "550 5.7.1 sender rejected"), CHANNEL),
        (at("MAIL", "530 5.7.0 authentication required"), CHANNEL),
        (at("MAIL", "552 5.3.4 too big"), CONTENT),
        (at("RCPT", "450 4.2.0 greylisted"), PASSING),
        (at("RCPT", "451 4.7.1 greylisted"), PASSING),
        (at("RCPT", "550 5.1.1 no such user"), CHANNEL),
        (at("RCPT", "554 5.7.1 relay access denied"), CHANNEL),
        (at("RCPT", "421 4.7.0 closing"), PASSING),
        (at("DATA", "452 4.3.1 out of storage"), PASSING),
        (at("DATA", "552 5.3.4 message too big"), CONTENT),
        (at("DATA", "554 5.7.1 looks like spam"), CONTENT),
        (at("DATA", "550 5.1.1 no such user"), CHANNEL),
        (at("DATA", "530 5.7.0 authentication required"), CHANNEL),
        (drop("MAIL"), PASSING),
        (drop("DATA"), PASSING),
    ],
    ids=lambda value: f"{value[0].step} {value[0].reply or value[0].act}" if isinstance(value, tuple) else None,
)
def test_a_mail_server_s_answer_says_whose_fault_it_is(post: SmtpReceiver, replies: tuple[Reply, ...], reason: object) -> None:
    post.script(replies)
    error = failure(Mail(), mail(post), a_message())
    assert error.reason is reason
    assert not post.accepted
    if replies[0].reply:
        assert replies[0].reply in error.detail
    Mail().send(mail(post), a_message())
    assert len(post.accepted) == 1


def test_a_refused_recipient_among_others_is_named_in_the_receipt(post: SmtpReceiver) -> None:
    post.script(at("RCPT", "550 5.1.1 no such user", only="gone@example.org"))
    receipt = Mail().send(mail(post, "cc=gone@example.org"), a_message())
    assert post.accepted[0].recipients == ("team@example.org",)
    assert receipt.detail == "250 2.0.0 queued as 1; refused: gone@example.org: 550 5.1.1 no such user"


def test_when_all_are_refused_one_that_may_pass_decides(post: SmtpReceiver) -> None:
    post.script(at("RCPT", "550 5.1.1 no", only="team@example.org") + at("RCPT", "450 4.2.0 later", only="c@example.org"))
    error = failure(Mail(), mail(post, "cc=c@example.org"), a_message())
    assert error.reason is PASSING
    assert "team@example.org: 550" in error.detail
    assert "c@example.org: 450" in error.detail


@pytest.mark.parametrize("step", ["EHLO", "RCPT", "DATA"])
def test_a_mail_server_that_hangs_is_left_after_its_deadline(post: SmtpReceiver, step: str) -> None:
    post.script(hang(step))
    error = failure(Mail(), mail(post, "cto=1"), a_message())
    assert (error.reason, "within 1 s" in error.detail) == (PASSING, True)


def test_the_deadline_is_for_the_whole_conversation(post: SmtpReceiver) -> None:
    post.script(hang("RCPT"))
    talk = _Conversation(server_of(post.target()))
    assert talk.server.deadline == 10
    begun = time.monotonic()
    talk.end = begun + 0.3
    with pytest.raises(DeliveryError, match="no answer"):
        talk.hand_over(b"Subject: x\r\n\r\nx\r\n")
    assert time.monotonic() - begun < 5


MAIL_DRIPS = [
    ("a greeting", b"", b"2"),
    ("a refusal, cut in the middle", b"55", b"0"),
    ("greetings", b"", b"220-hello\r\n"),
    ("its extensions", b"220 mx.example.org\r\n", b"250-X-MORE\r\n"),
    ("a last word", b"220 mx.example.org\r\n250 mx.example.org\r\n250 ok\r\n250 ok\r\n354 go\r\n250 qu", b"e"),
]


@pytest.mark.parametrize("pause", [0.01, 0], ids=["drip", "flood"])
@pytest.mark.parametrize(("head", "drip"), [row[1:] for row in MAIL_DRIPS], ids=[row[0] for row in MAIL_DRIPS])
def test_a_mail_server_that_answers_without_end_costs_the_deadline_at_most(head: bytes, drip: bytes, pause: float) -> None:
    with Dripping(head, drip, hears=False, pause=pause) as slow:
        target = f"mailto://127.0.0.1:{slow.port}?from=monitor@example.org&to=team@example.org"
        talk = _Conversation(server_of(target))
        begun = time.monotonic()
        talk.end = begun + 0.3
        with pytest.raises(DeliveryError, match=r"no answer|without end") as caught:
            talk.hand_over(b"Subject: x\r\n\r\nx\r\n")
        assert time.monotonic() - begun < 3
        assert caught.value.reason is PASSING


def test_a_name_look_up_that_hangs_costs_the_deadline_at_most() -> None:
    over = threading.Event()

    def hangs(*_: Any, **__: Any) -> list[Any]:
        over.wait(10)
        return []

    line, begun = Line(hangs), time.monotonic()
    with pytest.raises(TimeoutError, match="look-up hangs"), line.within(begun + 0.2):
        line.connect("slow.example", 25)
    over.set()
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("scheme", ["mailtos://{}&mode=ssl", "mailtos://{}&mode=starttls"])
def test_a_mail_server_s_tls_that_never_ends_costs_the_deadline_at_most(scheme: str) -> None:
    hello = b"220 mx.example.org\r\n250-mx.example.org\r\n250 STARTTLS\r\n220 go\r\n" if "starttls" in scheme else b""
    with Dripping(hello + b"\x16\x03\x03\x40\x00", b"\x02", hears=False) as slow:
        address = f"127.0.0.1:{slow.port}?from=monitor@example.org&to=team@example.org"
        talk = _Conversation(server_of(scheme.format(address)))
        begun = time.monotonic()
        talk.end = begun + 0.3
        with pytest.raises(DeliveryError) as caught:
            talk.hand_over(None)
        assert time.monotonic() - begun < 3
        assert caught.value.reason is PASSING


def test_a_server_that_floods_fills_no_memory() -> None:
    with Dripping(b"", b"220-" + b"x" * 500 + b"\r\n", hears=False, pause=0) as server:
        talk = _Conversation(server_of(f"mailto://127.0.0.1:{server.port}?from=monitor@example.org&to=team@example.org"))
        with pytest.raises(DeliveryError, match="without end"):
            talk.hand_over(None)


def test_a_mail_server_that_is_not_there_is_passing() -> None:
    target = f"mailto://127.0.0.1:{free_port()}?from=monitor@example.org&to=team@example.org"
    error = failure(Mail(), Channel("mail", target), a_message())
    assert (error.reason, "Connection refused" in error.detail) == (PASSING, True)


def test_a_mail_server_s_login_is_used() -> None:
    with SmtpReceiver(login=("bob", "secret-77")) as post:
        Mail().send(mail(post, user="bob:secret-77@"), a_message())
        assert len(post.accepted) == 1


@pytest.mark.parametrize(
    ("password", "replies", "reason"),
    [
        ("wrong-pass-77", (), CHANNEL),
        ("secret-77", at("AUTH", "535 5.7.8 bad credentials wrong-pass-77 secret-77"), CHANNEL),
        ("secret-77", at("AUTH", "534 5.7.9 application password required"), CHANNEL),
        ("secret-77", at("AUTH", "454 4.7.0 temporary failure"), PASSING),
        ("密码密码", (), CHANNEL),
    ],
)
def test_a_refused_login_is_the_channel_s_fault_unless_it_may_pass(
    password: str, replies: tuple[Reply, ...], reason: object
) -> None:
    with SmtpReceiver(login=("bob", "secret-77")) as post:
        if replies:
            post.script(replies)
        error = failure(Mail(), mail(post, user=f"bob:{password}@"), a_message())
        assert (error.reason, password in str(error)) == (reason, False)
        assert not post.accepted


def test_a_server_without_login_is_told_of_no_password(post: SmtpReceiver) -> None:
    post.script((), at("EHLO", "250-mx.example.org\n250 AUTH GSSAPI"))
    for _ in range(2):
        error = failure(Mail(), mail(post, user="bob:secret-77@"), a_message())
        assert (error.reason, "offers no login" in error.detail) == (CHANNEL, True)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("tls", ["starttls", "ssl"])
def test_tls_is_used_and_its_certificate_is_checked(
    tls: str, authority: trustme.CA, certificate: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SmtpReceiver(tls=tls, context=certificate) as post:
        error = failure(Mail(), mail(post), a_message())
        assert (error.reason, "certificate is not trusted" in error.detail) == (PASSING, True)
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        Mail().send(mail(post), a_message())
        monkeypatch.delenv("SSL_CERT_FILE")
        Mail().send(mail(post, "verify=no"), a_message())
        assert [got.tls for got in post.accepted] == [True, True]


def test_a_server_without_tls_gets_nothing_in_the_clear(post: SmtpReceiver) -> None:
    target = post.target().replace("mailto://", "mailtos://")
    for mode, words in (("starttls", "does not offer STARTTLS"), ("ssl", "TLS failed")):
        error = failure(Mail(), Channel("mail", f"{target}&mode={mode}&cto=2"), a_message())
        assert (error.reason, words in error.detail) == (PASSING, True)
    assert not post.accepted


def test_a_mail_that_should_be_encrypted_is_not_sent_in_the_clear(post: SmtpReceiver) -> None:
    assert failure(Mail(), mail(post, "pgp=encrypt"), a_message()).reason is CHANNEL
    assert not post.accepted


def test_a_server_s_limit_of_size_is_a_refusal_of_the_content() -> None:
    with SmtpReceiver(size=2000) as post:
        assert failure(Mail(), mail(post), a_message("x" * 5000)).reason is CONTENT


def test_a_large_provider_s_settings_are_known() -> None:
    server = server_of("mailto://bob:secret-77@gmail.com?to=team@example.org")
    assert (server.host, server.port, server.secure) == ("smtp.gmail.com", 587, "starttls")
    assert "secret-77" not in repr(server)


def test_mail_s_traits() -> None:
    traits = Mail().traits(Channel("mail", "mailto://x"))
    assert (traits.format, traits.verified, traits.threads) == ("html", True, True)


def test_the_same_message_has_the_same_id_when_it_is_sent_again(post: SmtpReceiver) -> None:
    for _ in range(2):
        Mail().send(mail(post), a_message())
    assert post.accepted[0].message["Message-ID"] == post.accepted[1].message["Message-ID"]


def test_a_plain_receiver_takes_what_comes() -> None:
    with HttpReceiver() as one:
        Apprise().send(Channel("hook", f"json://127.0.0.1:{one.port}/any"), a_message("x"))
        assert (one.accepted.texts, one.scripted) == (["x"], 0)
