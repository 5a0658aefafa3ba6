"""The chat robots of Chinese services: one JSON post a part, judged by the code in the body. It knows no single service.

These services answer HTTP 200 whether they took the message or not: the body decides. The key is part of the address, so no error
names the address. Redirections are not followed, proxies of the environment are not used.

A word that a robot's security setting asks for is missing from every message alike as a rule, so a refusal for it is the
channel's fault: its messages are not refused one by one, they wait, and the sentence says what to do. Where the others have it,
the delivery loop sees that they are taken.
"""

from __future__ import annotations

import json
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

import certifi
import requests

from monitor import __version__
from monitor.errors import DeliveryError, DeliveryReason
from monitor.model import Channel, Message, Receipt
from monitor.senders import Traits
from monitor.senders.answers import DEADLINE, RATE_WAIT, Parts, divide, refused, retry_after, said
from monitor.senders.line import Line, line_of
from monitor.senders.pace import Clock, Pace
from monitor.senders.split import measure, titled, truncate, untitled

_MAX_ANSWER = 64 * 1024
_NO_MARKUP = str.maketrans({"<": "＜", ">": "＞", "[": "［", "]": "］", "*": "＊", "`": "'", "#": "＃", "~": "～"})


@dataclass(frozen=True, slots=True)
class Call:
    """One post: where, and what. `secrets` are masked in whatever is said about it."""

    url: str = field(repr=False)
    payload: Mapping[str, Any]
    secrets: tuple[str, ...] = field(repr=False)
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Codes:
    """What a service's codes mean; 0 is "taken", a code in none of the sets may pass. `phrases`, in lower case, are words of an
    answer that say more than its code. `waits`: seconds after a code or a phrase, where they are not `rate_wait`."""

    channel: frozenset[int]
    rate: frozenset[int]
    content: frozenset[int]
    rate_wait: float = RATE_WAIT
    phrases: Mapping[str, DeliveryReason] = field(default_factory=dict)
    waits: Mapping[int | str, float] = field(default_factory=dict)

    def judge(self, code: int, words: str) -> tuple[DeliveryReason, float | None] | None:
        """Whose fault a code other than 0 is, and how long to wait; None for one that is not known."""
        phrase = next((phrase for phrase in self.phrases if phrase in words.lower()), None)
        if phrase is not None:
            reason = self.phrases[phrase]
        elif code in self.channel:
            reason = DeliveryReason.CHANNEL
        elif code in self.rate:
            reason = DeliveryReason.RATE
        elif code in self.content:
            reason = DeliveryReason.CONTENT
        else:
            return None
        wait = self.waits.get(phrase or code, self.rate_wait)
        return reason, wait if reason is DeliveryReason.RATE else None


class Robot(ABC):
    """A sender to one service's robot. A subclass states its limits by format, its rate, its codes and its call."""

    name: ClassVar[str]
    limits: ClassVar[Mapping[str, int]]  # by format; the first is the richest, the last is "text"
    unit: ClassVar[str] = "bytes"
    request: ClassVar[int | None] = None  # bytes of a whole post, where the service counts those
    titles: ClassVar[Mapping[str, int]] = {}  # characters of a title of its own, by format; without one it is the first line
    rate: ClassVar[float]  # messages a minute
    burst: ClassVar[int | None] = None  # messages a second
    codes: ClassVar[Codes]
    code_key: ClassVar[str] = "errcode"
    words_key: ClassVar[str] = "errmsg"
    advice: ClassVar[Mapping[str, str]] = {}  # what to do, by words (lower case) of a refusal
    deadline: float = DEADLINE  # seconds for one post

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._parts = Parts()
        self._pace = Pace(self._clock)

    @abstractmethod
    def call(self, channel: Channel, title: str, text: str, form: str) -> Call:
        """The post for one part; `form` is a key of `limits`. Raises DeliveryError where the target is none of this service."""

    def neutral(self, text: str) -> str:
        """The text without anything that would call a person by name."""
        return text

    def keyword(self, channel: Channel) -> str:
        """A word that the service wants in every post, as the target names it."""
        return ""

    def answered(self, answer: Mapping[str, Any]) -> tuple[int | None, str]:
        """The code (None: there is none) and the words of an answer."""
        return _integer(answer.get(self.code_key)), str(answer.get(self.words_key) or "")

    def doubt(self, answer: Mapping[str, Any]) -> str | None:
        """Why an answer with code 0 is the refusal of a channel all the same."""
        return None

    def traits(self, channel: Channel) -> Traits:
        """See `Sender.traits`."""
        richest = next(iter(self.limits))
        form = channel.format if channel.format and channel.format in self.limits else richest
        return Traits(self._limit(channel, form), self.unit, channel.rate or self.rate, form, verified=True)

    def account(self, channel: Channel) -> str:
        """See `Counted.account`: the robot's key at its host, however the target is spelt."""
        try:
            call = self.call(channel, "", "", "text")
        except DeliveryError:
            return channel.target  # none of this service: nothing is sent to it
        return f"{_host(call.url)}\n{call.secrets[0]}"

    def send(self, channel: Channel, message: Message) -> Receipt:
        """See `Sender.send`. A format that the service does not show is sent as plain text."""
        form = message.format if message.format in self.limits else "text"
        line = message.title if form == "text" else message.title.translate(_NO_MARKUP)
        body = message.body if form == message.format else message.text
        room = self.titles.get(form, 0)
        title = self.neutral(truncate(message.title, room) if room else message.title)
        whole = 0 < len(message.title) <= room
        text = self.neutral(untitled(message.title, body) if whole else titled(line, body))
        turn = self._pace.turns(hash(self.account(channel)), message.at, channel.rate or self.rate, self.burst)
        try:
            parts = self._divided(channel, title, text, form)
            with requests.Session() as session:
                session.trust_env = False

                def hand_over(part: str) -> str:
                    turn()
                    return self._judged(session, self.call(channel, title, part, form))

                return self._parts.deliver(channel, message, parts, hand_over)
        except DeliveryError as error:
            error.channel_id = channel.id
            raise

    def probe(self, channel: Channel) -> str:
        """See `Prober.probe`: these services know no question but a message, so only the way to them is tried."""
        call = self.call(channel, "", "", "text")
        parts = urlsplit(call.url)
        place = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        line = Line()
        try:
            with line.within(time.monotonic() + self.deadline), line.connect(*place) as plain:
                if parts.scheme == "https":
                    context = ssl.create_default_context(cafile=certifi.where())
                    context.check_hostname = call.verify
                    context.verify_mode = ssl.CERT_REQUIRED if call.verify else ssl.CERT_NONE
                    context.wrap_socket(plain, server_hostname=place[0]).close()
        except OSError as error:
            why = f"no answer within {self.deadline:g} s" if line.cut or isinstance(error, TimeoutError) else cause(error)
            raise DeliveryError(f"cannot reach {_host(call.url)}: {why}", channel_id=channel.id) from None
        finally:
            line.hang_up()
        return f"{_host(call.url)} can be reached; whether its key is right, only a message shows"

    def _limit(self, channel: Channel, form: str) -> int:
        return min(channel.limit or self.limits[form], self.limits[form])

    def _divided(self, channel: Channel, title: str, text: str, form: str) -> tuple[str, ...]:
        """The parts, each with the keyword in it; smaller ones where what JSON adds makes a post too long."""
        keyword = self.keyword(channel)
        limit = self._limit(channel, form) - (measure(f"\n\n{keyword}", self.unit) if keyword else 0)
        while True:
            parts = divide(text, limit, self.unit)
            longest = max(measure(part, self.unit) for part in parts)
            parts = tuple(part if keyword in part else f"{part}\n\n{keyword}" for part in parts)
            if self.request is None:
                return parts
            over = max(len(_encoded(self.call(channel, title, part, form))) for part in parts) - self.request
            if over <= 0:
                return parts
            limit = min(limit, longest) - over

    def _judged(self, session: requests.Session, call: Call) -> str:
        """Post, and read what came back: the service's own word of acceptance. The body goes before the HTTP status: some of
        these services put a refusal of the channel, or a limit, under a 400."""
        reply = post_json(session, call, self.deadline)
        code, raw = self.answered(reply.answer or {})
        judged = self.codes.judge(code, raw) if code else None
        words = said(raw, call.secrets)
        if judged is None and not 200 <= reply.status < 300:
            raise refused(reply.status, said(reply.text, call.secrets), wait=reply.retry_after)
        if reply.answer is None:
            raise DeliveryError(
                f"{_host(call.url)} answered with something other than its API's JSON: {said(reply.text, call.secrets)[:120]}"
            )
        if code is None:
            raise DeliveryError(f"{self.name} answered without {self.code_key}: {said(reply.text, call.secrets)}")
        if code == 0:
            if doubt := self.doubt(reply.answer):
                raise DeliveryError(f"{self.name} refused: {doubt}", reason=DeliveryReason.CHANNEL)
            return f"{self.code_key} 0" + (f" {words}" if words else "")
        reason, wait = judged or (DeliveryReason.PASSING, None)
        if reason is DeliveryReason.RATE:
            wait = retry_after(reply.retry_after, datetime.now(UTC)) or wait
        advice = next((f"; {todo}" for phrase, todo in self.advice.items() if phrase in raw.lower()), "")
        raise DeliveryError(
            f"{self.name} refused: {self.code_key} {code} {words}".rstrip() + advice, reason=reason, retry_after=wait
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the HTTP status, the body as text and, if it is one, as a JSON object; Retry-After as it was given."""

    status: int
    text: str
    answer: dict[str, Any] | None
    retry_after: str | None


def post_json(session: requests.Session, call: Call, deadline: float = DEADLINE) -> Reply:
    """Post JSON and read the answer. `deadline` in seconds, for all of it, however slowly it comes. Raises DeliveryError where
    none came in time."""
    line = line_of(session)
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": f"monitor/{__version__}"}
    try:
        with (
            line.within(time.monotonic() + deadline),
            session.post(
                call.url,
                data=_encoded(call),
                headers=headers,
                timeout=deadline,
                allow_redirects=False,
                stream=True,
                verify=call.verify,
            ) as response,
        ):
            text = _read(response).decode("utf-8", "replace")
            if line.cut:  # to a body without a length, that was its end
                raise requests.ReadTimeout
    except requests.RequestException as error:
        if line.cut and not isinstance(error, requests.ConnectTimeout):
            error = requests.ReadTimeout()
        raise _unreachable(call, error, deadline) from None  # its text holds the address, and so the key
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    found = answer if isinstance(answer, dict) else None
    return Reply(response.status_code, text, found, response.headers.get("Retry-After"))


def _encoded(call: Call) -> bytes:
    return json.dumps(call.payload, ensure_ascii=False).encode("utf-8", "replace")


def address(channel: Channel, home: str, path: str) -> str:
    """The address of a service's API: `home`, or the channel's `endpoint` in its place, and the path on it."""
    base = channel.endpoint.strip().rstrip("/") or home
    if urlsplit(base).scheme not in ("http", "https") or not urlsplit(base).netloc:
        raise DeliveryError(
            "endpoint is not an http(s) address; write it like http://127.0.0.1:9000", reason=DeliveryReason.CHANNEL
        )
    return base + path


def parse(target: str) -> tuple[str, dict[str, str]]:
    """The first step of an Apprise URL, decoded, where robots keep their key (letter case kept), and its parameters."""
    rest, _, query = target.strip().partition("://")[2].partition("?")
    return unquote(rest.partition("/")[0]), dict(parse_qsl(query))


def parameter(target: str, name: str) -> str:
    """A parameter of an Apprise URL that Apprise itself does not know, decoded; "" if it is not there."""
    return parse(target)[1].get(name, "").strip()


def _read(response: requests.Response) -> bytes:
    """The answer's body, up to 64 KiB: an answer is a few hundred bytes."""
    raw = b""
    for chunk in response.iter_content(8192):
        raw += chunk
        if len(raw) >= _MAX_ANSWER:
            break
    return raw


def _integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.strip().lstrip("-").isdecimal() else None


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _unreachable(call: Call, error: requests.RequestException, deadline: float) -> DeliveryError:
    host = _host(call.url)
    if isinstance(error, ValueError):  # InvalidURL, InvalidHeader …: what was asked for cannot be
        return DeliveryError(f"{host or 'the endpoint'} is not an address to post to", reason=DeliveryReason.CHANNEL)
    if isinstance(error, requests.ConnectTimeout):
        return DeliveryError(f"cannot connect to {host} within {deadline:g} s")
    if isinstance(error, requests.Timeout):
        return DeliveryError(f"no answer from {host} within {deadline:g} s")
    return DeliveryError(f"cannot reach {host}: {cause(error)}")


def cause(error: BaseException) -> str:
    """Why a connection failed, in the system's words ("Connection refused"), without the address that was asked for."""
    seen: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        one = queue.pop(0)
        if not isinstance(one, BaseException) or one in seen:
            continue
        seen.append(one)
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({one.verify_message})"
        if isinstance(one, OSError) and one.strerror:
            return one.strerror
        queue += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return type(seen[-1]).__name__
