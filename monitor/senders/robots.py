"""The chat robots of Chinese services: one JSON post a part, judged by the code in the body. It knows no single service.

These services answer HTTP 200 whether they took the message or not: the body decides. The key is part of the address, so no error
names the address. Redirections are not followed, proxies of the environment are not used.
"""

from __future__ import annotations

import json
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

import requests

from monitor import __version__
from monitor.errors import DeliveryError, DeliveryReason
from monitor.model import Channel, Message, Receipt
from monitor.senders import Traits
from monitor.senders.answers import DEADLINE, RATE_WAIT, Parts, divide, refused, said
from monitor.senders.split import titled

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
    """What a service's codes mean; 0 is "taken", a code in none of the sets may pass."""

    channel: frozenset[int]
    rate: frozenset[int]
    content: frozenset[int]
    rate_wait: float = RATE_WAIT

    def reason(self, code: int) -> DeliveryReason:
        """Whose fault a code other than 0 is."""
        if code in self.channel:
            return DeliveryReason.CHANNEL
        if code in self.rate:
            return DeliveryReason.RATE
        return DeliveryReason.CONTENT if code in self.content else DeliveryReason.PASSING


class Robot(ABC):
    """A sender to one service's robot. A subclass states its limits by format, its rate, its codes and its call."""

    name: ClassVar[str]
    limits: ClassVar[Mapping[str, int]]  # by format; the first is the richest, the last is "text"
    unit: ClassVar[str] = "bytes"
    rate: ClassVar[float]
    codes: ClassVar[Codes]
    code_key: ClassVar[str] = "errcode"
    words_key: ClassVar[str] = "errmsg"
    deadline: float = DEADLINE  # seconds for one post

    def __init__(self) -> None:
        self._parts = Parts()

    @abstractmethod
    def call(self, channel: Channel, title: str, text: str, form: str) -> Call:
        """The post for one part; `form` is a key of `limits`. Raises DeliveryError where the target is none of this service."""

    def neutral(self, text: str) -> str:
        """The text without anything that would call a person by name; as long as `limits` counts it."""
        return text

    def traits(self, channel: Channel) -> Traits:
        """See `Sender.traits`."""
        richest = next(iter(self.limits))
        form = channel.format if channel.format and channel.format in self.limits else richest
        return Traits(self._limit(channel, form), self.unit, channel.rate or self.rate, form, verified=True)

    def send(self, channel: Channel, message: Message) -> Receipt:
        """See `Sender.send`. A format that the service does not show is sent as plain text."""
        form = message.format if message.format in self.limits else "text"
        title = message.title if form == "text" else message.title.translate(_NO_MARKUP)
        body = message.body if form == message.format else message.text
        try:
            parts = divide(self.neutral(titled(title, body)), self._limit(channel, form), self.unit)
            with requests.Session() as session:
                session.trust_env = False
                return self._parts.deliver(
                    channel,
                    message,
                    parts,
                    lambda part: self._judged(session, self.call(channel, message.title, part, form)),
                )
        except DeliveryError as error:
            error.channel_id = channel.id
            raise

    def _limit(self, channel: Channel, form: str) -> int:
        return min(channel.limit or self.limits[form], self.limits[form])

    def _judged(self, session: requests.Session, call: Call) -> str:
        answer = post_json(session, call, self.deadline)
        code = _integer(answer.get(self.code_key))
        words = said(str(answer.get(self.words_key) or ""), call.secrets)
        if code is None:
            raise DeliveryError(f"{self.name} answered without {self.code_key}: {said(json.dumps(answer), call.secrets)}")
        if code == 0:
            return f"{self.code_key} 0" + (f" {words}" if words else "")
        reason = self.codes.reason(code)
        wait = self.codes.rate_wait if reason is DeliveryReason.RATE else None
        raise DeliveryError(f"{self.name} refused: {self.code_key} {code} {words}".rstrip(), reason=reason, retry_after=wait)


def post_json(session: requests.Session, call: Call, deadline: float = DEADLINE) -> dict[str, Any]:
    """Post JSON, return the JSON object that came back with a 2xx status. `deadline` in seconds. Raises DeliveryError."""
    end = time.monotonic() + deadline
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": f"monitor/{__version__}"}
    body = json.dumps(call.payload, ensure_ascii=False).encode("utf-8", "replace")
    try:
        with session.post(
            call.url, data=body, headers=headers, timeout=deadline, allow_redirects=False, stream=True, verify=call.verify
        ) as response:
            raw = _read(response, end)
    except requests.RequestException as error:
        raise _unreachable(call, error, deadline) from None  # its text holds the address, and so the key
    text = raw.decode("utf-8", "replace")
    if not 200 <= response.status_code < 300:
        raise refused(response.status_code, said(text, call.secrets), wait=response.headers.get("Retry-After"))
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise DeliveryError(
            f"{_host(call.url)} answered with something other than its API's JSON: {said(text, call.secrets)[:120]}"
        )
    return answer


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


def _read(response: requests.Response, end: float) -> bytes:
    """The answer's body, as far as it came before `end` (monotonic) and up to 64 KiB: an answer is a few hundred bytes."""
    raw = b""
    for chunk in response.iter_content(8192):
        raw += chunk
        if len(raw) >= _MAX_ANSWER:
            break
        if time.monotonic() > end:
            raise requests.ReadTimeout
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
