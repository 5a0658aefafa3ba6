"""Receivers on loopback that play the services monitor tells people through: robots, a plain webhook, a mail server.

Each is a context manager, refuses what the real one refuses, counts what it ACCEPTED (`accepted`) and what it did not
(`refused`), and follows a script: `script(a, b)` answers the next two requests with a and b; when the script is over, everything
valid is accepted again. `always(a)` answers every request with a, until `always(None)`. Nothing here sleeps: what hangs is
released when the receiver closes, or by `release()`.

    with WeComReceiver() as bot:
        bot.script(errcode(45009), status(503), HANG)
        channel = Channel("ops", bot.target, endpoint=bot.url)
        ...
        assert bot.accepted.texts == ["…"]
"""
# ruff: noqa: N802, N815 (http.server and aiosmtpd choose the names of their hooks)

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import hashlib
import hmac
import json
import socket
import ssl
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Generic, Self, TypeVar
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

A = TypeVar("A")
Texts = list[str]


class Script(Generic[A]):
    """The next answers, safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: deque[A] = deque()
        self._always: A | None = None

    def add(self, answers: Iterable[A]) -> None:
        with self._lock:
            self._next.extend(answers)

    def always(self, answer: A | None) -> None:
        with self._lock:
            self._always = answer

    def take(self) -> A | None:
        """The next answer, None for "as a service that is well"."""
        with self._lock:
            return self._next.popleft() if self._next else self._always

    def __len__(self) -> int:
        with self._lock:
            return len(self._next)


# --- HTTP ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What an HTTP receiver does: a status and a body (bytes, or JSON), or hang, or drop the connection without a word.

    `accepts`: the message counts as accepted although the answer is lost (hang or drop after it was taken).
    """

    status: int = 200
    body: Any = b""
    headers: tuple[tuple[str, str], ...] = ()
    act: str = "answer"  # answer | hang | drop
    accepts: bool = False


HANG = Answer(act="hang")
DROP = Answer(act="drop")
TAKEN_THEN_DROP = Answer(act="drop", accepts=True)
GARBAGE = Answer(body=b"<html>maintenance \xff</html>")
NO_CODE = Answer(body={"hello": "world"})


def status(code: int, body: Any = b"", *, retry_after: str | None = None, **headers: str) -> Answer:
    """An HTTP status, with a body (bytes, or an object as JSON), Retry-After and further headers."""
    found = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    found += (("Retry-After", retry_after),) if retry_after else ()
    return Answer(code, body, found, accepts=200 <= code < 300)


def errcode(code: int, words: str = "refused") -> Answer:
    """What the Chinese robots answer: HTTP 200 and a code in the body; 0 is accepted."""
    return Answer(body={"errcode": code, "errmsg": words}, accepts=code == 0)


def code(number: int, words: str = "refused", *, http: int = 200, **more: Any) -> Answer:
    """The same of services that answer with `code`: Feishu's `msg`, ServerChan's `message`, PushDeer's `error`."""
    return Answer(http, {"code": number, "msg": words, "message": words, "error": words} | more, accepts=number == 0)


def redirect(location: str, code: int = 302) -> Answer:
    return status(code, Location=location)


@dataclass(frozen=True)
class Post:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode("utf-8"))


@dataclass
class Posts:
    """Requests in the order of their coming."""

    list: list[Post] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.list)

    def __iter__(self) -> Any:
        return iter(self.list)

    def __getitem__(self, index: int) -> Post:
        return self.list[index]

    @property
    def texts(self) -> Texts:
        """The text of each message: a robot's `content`, card or description, a webhook's `message`, else the body."""
        return [_text(post) for post in self.list]


def _text(post: Post) -> str:
    try:
        body = post.json
    except ValueError:
        return post.body.decode("utf-8", "replace")
    if isinstance(body, dict):
        inner = body.get(str(body.get("msgtype"))) or body.get("content")
        if isinstance(inner, dict):
            return str(inner.get("content") or inner.get("text", ""))
        if isinstance(body.get("card"), dict):
            return str(body["card"]["elements"][0]["content"])
        if "desp" in body:
            return str(body["desp"])
        return str(body.get("message", body))
    return str(body)


class QuietServer(ThreadingHTTPServer):
    """A server whose clients may be killed while they ask."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class HttpReceiver:
    """A plain webhook: 200 to everything, unless scripted. `url` is its address, without a slash at the end."""

    def __init__(self, port: int = 0) -> None:
        self.accepted = Posts()
        self.refused = Posts()
        self._script: Script[Answer] = Script()
        self._released = threading.Event()
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                receiver._serve(self)

            do_GET = do_PUT = do_POST

            def log_message(self, *_: object) -> None:
                """Tests read `accepted` and `refused` instead."""

        self._server = QuietServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def asked(self) -> int:
        """How many requests came, taken or not."""
        return len(self.accepted) + len(self.refused)

    @property
    def scripted(self) -> int:
        """How many scripted answers nobody has asked for yet."""
        return len(self._script)

    def script(self, *answers: Answer) -> None:
        """Answer the next requests with these, one each; then as a service that is well."""
        self._script.add(answers)

    def always(self, answer: Answer | None) -> None:
        """Answer everything that is not scripted with this; None: be well again."""
        self._script.always(answer)

    def release(self) -> None:
        """Let go of everything that hangs."""
        self._released.set()

    def judge(self, post: Post) -> Answer:
        """What a service that is well answers."""
        return Answer(body={}, accepts=True)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        post = Post(handler.command, parts.path, parse_qs(parts.query), headers, body)
        answer = self._script.take() or self.judge(post)
        with self._lock:
            (self.accepted if answer.accepts else self.refused).list.append(post)
        if answer.act == "hang":
            self._released.wait()
        if answer.act != "answer":
            handler.close_connection = True
            with suppress(OSError):
                handler.connection.shutdown(socket.SHUT_RDWR)
            return
        raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body, ensure_ascii=False).encode("utf-8")
        with suppress(OSError):  # whoever asked may be gone
            handler.send_response(answer.status)
            for name, value in answer.headers:
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(raw)))
            handler.end_headers()
            handler.wfile.write(raw)


class WebhookReceiver(HttpReceiver):
    """A plain webhook for Apprise's `json://`, `xml://` and `form://`."""

    def target(self, scheme: str = "json", path: str = "/hook") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"


class RobotReceiver(HttpReceiver):
    """What the robots have in common. `limit`: accepts so many, then answers that there were too many."""

    most = 20_000  # bytes of a whole post
    too_many = errcode(45009, "api freq out of limit")

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.limit: int | None = None

    @property
    def target(self) -> str:
        """The channel's URL."""
        raise NotImplementedError

    def judge(self, post: Post) -> Answer:
        if refusal := self.admits(post):
            return refusal
        if self.limit is not None and len(self.accepted) >= self.limit:
            return self.too_many
        try:
            body = json.loads(post.body.decode("utf-8"))
        except ValueError:
            return self.not_json()
        return self.reads(post, body)

    def admits(self, post: Post) -> Answer | None:
        """The refusal of an address or a key; None where it is right."""
        raise NotImplementedError

    def reads(self, post: Post, body: dict[str, Any]) -> Answer:
        """The answer to what is posted."""
        raise NotImplementedError

    def not_json(self) -> Answer:
        return errcode(47001, "data format error")


class WeComReceiver(RobotReceiver):
    """WeCom's group robot: checks key, type, emptiness and length as the real one does."""

    def __init__(self, key: str = "693a91f6-7abc-4bc4-97a0-0ec2sifa5aaa", port: int = 0) -> None:
        super().__init__(port)
        self.key = key

    @property
    def target(self) -> str:
        return f"wecombot://{self.key}"

    def admits(self, post: Post) -> Answer | None:
        if post.path != "/cgi-bin/webhook/send" or post.query.get("key") != [self.key]:
            return errcode(93000, "invalid webhook url, hint: [1714538355], from ip: 127.0.0.1")
        return None

    def reads(self, post: Post, body: dict[str, Any]) -> Answer:
        form = str(body.get("msgtype"))
        most = {"text": 2048, "markdown": 4096}.get(form)
        if most is None:
            return errcode(40008, "invalid message type")
        content = body.get(form, {}).get("content", "")
        if not content.strip():
            return errcode(44004, "empty content")
        if len(content.encode("utf-8")) > most:
            return errcode(40058, f"{form}.content exceed max length {most}. invalid Request Parameter")
        return errcode(0, "ok")


@dataclass
class Guard:
    """A robot's security setting: `keyword` must be in every post, `secret` must sign it. `now` is the service's clock."""

    keyword: str = ""
    secret: str = ""
    now: Callable[[], float] = time.time

    def signed(self, key: str, message: str, moment: str, seconds: float, given: str) -> bool:
        """Whether HMAC-SHA256 of `message` under `key`, in base64, is what was given, at a moment within an hour of now."""
        made = base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()
        return moment.isdecimal() and abs(seconds - self.now()) <= 3600 and hmac.compare_digest(made, given)


class DingTalkReceiver(RobotReceiver):
    """DingTalk's group robot: checks token, signature, keyword, type, people called and length as the real one does."""

    too_many = errcode(130101, "send too fast, exceed 20 times per minute")

    def __init__(self, guard: Guard | None = None, token: str = "6f1b0d75f3a94ee3ad0c5be0", port: int = 0) -> None:
        super().__init__(port)
        self.guard = guard or Guard()
        self.token = token

    @property
    def target(self) -> str:
        return f"dingtalk://{self.guard.secret and self.guard.secret + '@'}{self.token}"

    def admits(self, post: Post) -> Answer | None:
        query = {name: values[0] for name, values in post.query.items()}
        if post.path != "/robot/send" or query.get("access_token") != self.token:
            return errcode(300005, "token is not exist")
        moment, secret = query.get("timestamp", ""), self.guard.secret
        seconds = float(moment) / 1000 if moment.isdecimal() else 0.0
        if secret and not self.guard.signed(secret, f"{moment}\n{secret}", moment, seconds, query.get("sign", "")):
            return errcode(310000, "description:机器人发送签名不匹配;solution:请确认签名和生成签名的时间戳必须都放在调用的网址中")
        return None

    def reads(self, post: Post, body: dict[str, Any]) -> Answer:
        form = str(body.get("msgtype"))
        if form not in ("text", "markdown"):
            return errcode(400105, "不支持的消息类型")
        text = str(body[form].get("content" if form == "text" else "text", ""))
        if not text.strip() or (form == "markdown" and not body[form].get("title")):
            return errcode(40035, "缺少参数 json")
        if len(post.body) > self.most:
            return errcode(460101, "message too long, exceed 20000 bytes")
        if self.guard.keyword not in text:
            return errcode(310000, "description:关键词不匹配;solution:请联系群管理员查看此机器人的关键词")
        return errcode(0, "ok")

    def not_json(self) -> Answer:
        return errcode(40035, "缺少参数 json")


class FeishuReceiver(RobotReceiver):
    """Feishu's group robot, and Lark's: checks token, signature, keyword, type and length as the real ones do."""

    too_many = code(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")

    def __init__(
        self,
        guard: Guard | None = None,
        scheme: str = "feishu",
        token: str = "0e5c1f7a-2b6d-4c8e-9f3a-1d2c3b4a5f60",
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self.guard = guard or Guard()
        self.scheme, self.token = scheme, token

    @property
    def target(self) -> str:
        return f"{self.scheme}://{self.token}" + (f"?secret={self.guard.secret}" if self.guard.secret else "")

    def admits(self, post: Post) -> Answer | None:
        if post.path != f"/open-apis/bot/v2/hook/{self.token}":
            return code(19001, "param invalid: incoming webhook access token invalid")
        return None

    def reads(self, post: Post, body: dict[str, Any]) -> Answer:
        moment, secret = str(body.get("timestamp", "")), self.guard.secret
        seconds = float(moment) if moment.isdecimal() else 0.0
        if secret and not self.guard.signed(f"{moment}\n{secret}", "", moment, seconds, str(body.get("sign"))):
            return code(19021, "sign match fail or timestamp is not within one hour from current time")
        if len(post.body) > self.most:
            return code(19036, "message too long")
        if body.get("msg_type") not in ("text", "interactive"):
            return code(19002, "params error, msg_type need")
        if not _text(post).strip():
            return code(9499, "Bad Request")
        if self.guard.keyword not in _text(post):
            return code(19024, "Key Words Not Found")
        return Answer(body={"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}, accepts=True)

    def not_json(self) -> Answer:
        return code(9499, "Bad Request", http=400)


class ServerChanReceiver(RobotReceiver):
    """ServerChan: refuses under HTTP 400 as the real one does, with one code for a wrong key and for a day's posts used up."""

    most = 32 * 1024  # of desp
    too_many = code(40001, "[AUTH]超过当天的发送次数限制[5]，请稍后再试", http=400, scode=471)

    def __init__(self, key: str = "SCT12345TabcdefGHIJKLmnop", port: int = 0) -> None:
        super().__init__(port)
        self.key = key

    @property
    def target(self) -> str:
        return f"schan://{self.key}"

    def admits(self, post: Post) -> Answer | None:
        if post.path not in (f"/{self.key}.send", f"/send/{self.key}.send"):
            return code(40001, "[AUTH]错误的Key", http=400, scode=461)
        return None

    def reads(self, post: Post, body: dict[str, Any]) -> Answer:
        title, desp = str(body.get("title", "")), str(body.get("desp", ""))
        if not title.strip():
            return code(20001, "[INPUT]title 不能为空", http=400, scode=460)
        if len(title) > 32 or len(desp.encode()) > self.most:
            return code(20001, "[INPUT]too long", http=400, scode=460)
        return Answer(body={"code": 0, "message": "", "data": {"pushid": "1", "error": "SUCCESS", "errno": 0}}, accepts=True)


class PushDeerReceiver(RobotReceiver):
    """A PushDeer server: a key that it does not know gets code 0 and an empty result, as of the real one."""

    too_many = status(429)

    def __init__(self, key: str = "PDU1234TabcdefGHIJKLmnop", port: int = 0) -> None:
        super().__init__(port)
        self.key = key

    @property
    def target(self) -> str:
        return f"pushdeer://{self.key}"

    def admits(self, post: Post) -> Answer | None:
        return None if post.path == "/message/push" else status(404)

    def reads(self, post: Post, body: dict[str, Any]) -> Answer:
        if not body.get("text") or not body.get("pushkey"):
            return status(422, {"message": "The given data was invalid."})
        if body["pushkey"] != self.key:
            return Answer(body={"code": 0, "content": {"result": False}})
        return Answer(body={"code": 0, "content": {"result": ['{"counts":1,"logs":[],"success":"ok"}']}}, accepts=True)

    def not_json(self) -> Answer:
        return status(422, {"message": "The text field is required."})


class Dripping:
    """A server that answers whoever connects with `head` at once, then with `drip` again and again, `pause` seconds apart, until
    the other side has hung up. `hears`: it waits for something to be asked first."""

    def __init__(self, head: bytes, drip: bytes, *, hears: bool = True, pause: float = 0.01) -> None:
        self.head, self.drip, self.hears, self.pause = head, drip, hears, pause
        self.sent = 0
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                found, _ = self._listener.accept()
                with found, suppress(OSError):
                    if self.hears:
                        found.recv(65536)
                    found.sendall(self.head)
                    while not self._closed.wait(self.pause):
                        found.sendall(self.drip)
                        self.sent += len(self.drip)


# --- SMTP ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reply:
    """What the mail server does at one step of the next mail: a reply, or hang, or drop the connection.

    `step`: EHLO | AUTH | MAIL | RCPT | DATA; at RCPT, `only` names the one recipient who is meant (None: all).
    """

    step: str
    reply: str = ""
    only: str | None = None
    act: str = "reply"  # reply | hang | drop


def at(step: str, reply: str, only: str | None = None) -> tuple[Reply, ...]:
    """Refuse at a step: `at("RCPT", "550 5.1.1 no such user", only="b@example.org")`. Add them up for several."""
    return (Reply(step, reply, only),)


def hang(step: str) -> tuple[Reply, ...]:
    return (Reply(step, act="hang"),)


def drop(step: str) -> tuple[Reply, ...]:
    return (Reply(step, act="drop"),)


@dataclass(frozen=True)
class Mail:
    """One accepted mail, as it came over the wire."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    tls: bool

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    def part(self, kind: str) -> str:
        """The text of the first `text/<kind>` part; "" if there is none."""
        body = self.message.get_body((kind,))
        return "" if body is None else str(body.get_content())


class SmtpReceiver:
    """A mail server: accepts everything, unless scripted. One scripted answer (a tuple of replies) is for one connection.

    `login`: the (user, password) that it asks for; `tls`: how (None, "starttls", "ssl"), with `context` as its certificate.
    `refused` holds (step, reply) for each refusal, hang and drop.
    """

    def __init__(
        self,
        *,
        login: tuple[str, str] | None = None,
        tls: str | None = None,
        context: ssl.SSLContext | None = None,
        size: int = 33554432,
        port: int = 0,
    ) -> None:
        self.accepted: list[Mail] = []
        self.refused: list[tuple[str, str]] = []
        self.login, self.tls, self.context, self.size = login, tls, context, size
        self.port = port
        self._script: Script[tuple[Reply, ...]] = Script()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def target(self, query: str = "", user: str = "") -> str:
        """The channel's URL; `user` is "name:password@"; the sender is monitor@example.org, the recipient team@example.org."""
        scheme = "mailtos" if self.tls else "mailto"
        mode = f"&mode={self.tls}" if self.tls else ""
        return f"{scheme}://{user}127.0.0.1:{self.port}?from=monitor@example.org&to=team@example.org{mode}{query and '&' + query}"

    def script(self, *answers: tuple[Reply, ...]) -> None:
        """Treat the next connections so, one each; then as a server that is well."""
        self._script.add(answers)

    def always(self, answer: tuple[Reply, ...] | None) -> None:
        """Treat every connection so that is not scripted; None: be well again."""
        self._script.always(answer)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        server = await self._loop.create_server(
            self._protocol, "127.0.0.1", self.port, ssl=self.context if self.tls == "ssl" else None
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        mine = asyncio.current_task()
        waiting = [task for task in asyncio.all_tasks() if task is not mine]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    def _protocol(self) -> SMTP:
        handler = _Handler(self, self._script.take() or ())
        return SMTP(
            handler,
            hostname="mx.example.org",
            data_size_limit=self.size,
            loop=self._loop,
            tls_context=self.context if self.tls == "starttls" else None,
            require_starttls=self.tls == "starttls",
            authenticator=handler.authenticate if self.login else None,
            auth_required=self.login is not None,
            auth_require_tls=False,
        )


class _Handler:
    """aiosmtpd's hooks for one connection: the scripted reply of a step, once each."""

    def __init__(self, receiver: SmtpReceiver, replies: tuple[Reply, ...]) -> None:
        self.receiver = receiver
        self.replies = list(replies)

    async def _scripted(self, server: SMTP, step: str, address: str = "") -> str | None:
        for one in self.replies:
            if one.step == step and one.only in (None, address):
                self.receiver.refused.append((step, one.reply or one.act))
                if one.act == "hang":
                    await asyncio.Event().wait()
                if one.act == "drop" and server.transport is not None:
                    server.transport.abort()
                return one.reply or "421 closing"
        return None

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        reply = await self._scripted(server, "EHLO")
        if reply:
            return reply.split("\n")  # each line of a reply of several lines: "250-mx\n250 AUTH GSSAPI"
        return responses if self.receiver.login else [line for line in responses if "AUTH" not in line]

    async def handle_HELO(self, server: SMTP, session: Session, envelope: Envelope, hostname: str) -> str:
        session.host_name = hostname
        return await self._scripted(server, "EHLO") or "250 mx.example.org"

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        reply = await self._scripted(server, "MAIL")
        if reply:
            return reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        reply = await self._scripted(server, "RCPT", address)
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        reply = await self._scripted(server, "DATA")
        if reply:
            return reply
        raw = envelope.original_content or b""
        mail = Mail(
            envelope.mail_from or "", tuple(envelope.rcpt_tos), raw, self.receiver.tls == "ssl" or session.ssl is not None
        )
        self.receiver.accepted.append(mail)
        return f"250 2.0.0 queued as {len(self.receiver.accepted)}"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        scripted = [one.reply for one in self.replies if one.step == "AUTH"]
        if scripted:
            self.receiver.refused.append(("AUTH", scripted[0]))
            return AuthResult(success=False, handled=False, message=scripted[0])
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        if given == self.receiver.login:
            return AuthResult(success=True)
        self.receiver.refused.append(("AUTH", "535"))
        return AuthResult(success=False, handled=False)
