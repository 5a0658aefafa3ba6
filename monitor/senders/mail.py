"""Mail: `mailto://` (plain) and `mailtos://` (TLS), in Apprise's way of writing, sent by smtplib so that every answer is read.

Apprise's parser says host, port, login, sender, recipients and the way of TLS (with what it knows of the large providers); the
message and the conversation with the server are ours. A mail is not divided: only the server limits its length, and says so as a
refusal of the content. Addresses are ASCII, as Apprise's parser takes no others, so SMTPUTF8 is not needed.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address, HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from io import BufferedReader
from typing import Any, ParamSpec, TypeVar

from monitor.errors import DeliveryError, DeliveryReason
from monitor.model import Channel, Message, Receipt
from monitor.senders import Traits
from monitor.senders.answers import said
from monitor.senders.apprise import load
from monitor.senders.line import Line

P = ParamSpec("P")
T = TypeVar("T")

_LIMIT = 1_000_000
#: The longest answer to one command, in bytes: all its lines.
_ANSWER = 64 * 1024
_ENDLESS = "answers without end"
_HEADERS = HeaderRegistry()
for _name in ("in-reply-to", "references", "list-id"):  # as free text, a long id would be encoded, and no thread recognised
    _HEADERS.map_to_type(_name, MessageIDHeader)  # type: ignore[arg-type]  # the stubs do not know it as a BaseHeader's mix-in
#: Base64 or quoted-printable, whichever is shorter: no server needs 8BITMIME.
_POLICY = SMTP_POLICY.clone(cte_type="7bit", header_factory=_HEADERS)
#: Headers that a URL's +Name=value must not replace.
_OURS = frozenset(
    {
        "from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted",
        "list-id", "mime-version", "content-type", "content-transfer-encoding", "content-disposition",
    }
)  # fmt: skip
_HEADER_NAME = re.compile(r"[!-9;-~]{1,70}")
_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5322's dot-atom
_MAILBOX = re.compile(rb"5\.[12]\.[0-9]{1,3}\b")  # RFC 3463: it is about the address or the mailbox
_LOGIN = frozenset({530, 534, 535, 538})


@dataclass(frozen=True, slots=True)
class Server:
    """What a mail URL says. `secure`: insecure | starttls | ssl; addresses are (name, address), the name may be empty."""

    host: str
    port: int
    secure: str
    user: str
    password: str = field(repr=False)
    verify: bool
    deadline: float
    sender: tuple[str, str]
    to: tuple[tuple[str, str], ...]
    cc: tuple[tuple[str, str], ...]
    bcc: tuple[tuple[str, str], ...]
    reply_to: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Every address that is to get the mail, once."""
        return tuple(dict.fromkeys(address for _, address in (*self.to, *self.cc, *self.bcc)))

    @property
    def domain(self) -> str:
        """The domain of the sender's address."""
        return self.sender[1].rpartition("@")[2]


class Mail:
    """The sender of `mailto://` and `mailtos://`."""

    def traits(self, channel: Channel) -> Traits:
        """See `Sender.traits`."""
        limit, form = channel.limit or _LIMIT, channel.format or "html"
        return Traits(limit, "characters", channel.rate, form, verified=True, threads=True)

    def send(self, channel: Channel, message: Message) -> Receipt:
        """See `Sender.send`. One accepted recipient is enough for a receipt, whose detail then names the refused ones.

        To send the mail again for their sake would reach the others twice.
        """
        now = datetime.now(UTC)
        try:
            server = server_of(channel.target)
            mail = compose(server, channel, message, now)
            answer = _Conversation(server).hand_over(mail.as_bytes())
        except DeliveryError as error:
            error.channel_id = channel.id
            raise
        return Receipt(now, answer)

    def probe(self, channel: Channel) -> str:
        """See `Prober.probe`: the login, if there is one, and no mail."""
        return _Conversation(server_of(channel.target)).hand_over(None)


def server_of(target: str) -> Server:
    """What a mail URL says. Raises DeliveryError (CHANNEL) where Apprise cannot read it, or it asks for PGP: that is not done."""
    service = load(target)
    if service.pgp_mode != "no":
        raise DeliveryError("pgp= and wkd= are not supported; the mail was not sent unencrypted", reason=DeliveryReason.CHANNEL)
    if not service.targets:
        raise DeliveryError("none of its recipients is a valid address", reason=DeliveryReason.CHANNEL)

    def named(addresses: Iterable[str]) -> tuple[tuple[str, str], ...]:
        return tuple((service.names.get(address) or "", address) for address in sorted(addresses))

    return Server(
        host=str(service.smtp_host),
        port=int(service.port),
        secure=str(service.secure_mode),
        user=service.user or "",
        password=service.password or "",
        verify=bool(service.verify_certificate),
        deadline=min(max(1.0, float(service.socket_connect_timeout)), 600.0),
        sender=(service.from_addr[0] or "", service.from_addr[1]),
        to=tuple((name or "", address) for name, address in service.targets),
        cc=named(service.cc),
        bcc=named(service.bcc),
        reply_to=named(service.reply_to),
        headers=tuple(service.headers.items()),
    )


def compose(server: Server, channel: Channel, message: Message, now: datetime) -> EmailMessage:
    """The mail: text, and HTML beside it where the message has it (RFC 2046), in its thread (RFC 5322).

    It is marked as made by a machine (RFC 3834) and with an id for filters (RFC 2919). `Message-ID` is the same whenever the
    message is sent again.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _addresses([server.sender])
    mail["To"] = _addresses(server.to)
    if server.cc:
        mail["Cc"] = _addresses(server.cc)
    if server.reply_to:
        mail["Reply-To"] = _addresses(server.reply_to)
    mail["Subject"] = _one_line(message.title) or "monitor"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{_token(message.id)}@{server.domain}>"
    if message.thread and message.thread != message.id:
        mail["In-Reply-To"] = mail["References"] = f"<{_token(message.thread)}@{server.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["List-Id"] = f"<{_token(channel.id)}.monitor.{server.domain}>"
    for name, value in server.headers:
        if name.lower() not in _OURS and _HEADER_NAME.fullmatch(name) and name not in mail:
            mail[name] = _one_line(value)
    mail.set_content(_encodable(message.text or message.title))
    if message.format == "html":
        mail.add_alternative(_encodable(message.body), subtype="html")
    return mail


class _Conversation:
    """One connection, one mail. `step` is what is being asked, so that an answer can be judged by it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.line = Line()
        self.end = time.monotonic() + server.deadline
        self.step = "greeting"

    def hand_over(self, mail: bytes | None) -> str:
        """The server's answer, with the recipients it refused; without a mail, how far one comes. Raises DeliveryError."""
        with self.line.within(self.end):
            try:
                return self._hand_over(mail)
            finally:
                self.line.hang_up()

    def _hand_over(self, mail: bytes | None) -> str:
        smtp: smtplib.SMTP | None = None
        try:
            smtp = self._open()
            if mail is None:
                server = self.server
                logs_in = bool(server.user and server.password)
                return f"{server.host}:{server.port} " + ("accepts the login" if logs_in else "answers; no login is asked for")
            return self._transact(smtp, mail)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise self._failure(error) from None
        finally:
            if smtp is not None:  # what QUIT is answered does not matter any more
                with suppress(smtplib.SMTPException, OSError):
                    smtp.quit()
                smtp.close()

    def _open(self) -> smtplib.SMTP:
        """Connected, greeted, under TLS and logged in as the URL says."""
        server = self.server
        name = socket.gethostname()
        own = name if "." in name else "[127.0.0.1]"  # else smtplib asks the DNS
        context = ssl.create_default_context()
        if not server.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        smtp: smtplib.SMTP
        if server.secure == "ssl":
            smtp = _Secure(self.line, server.host, server.port, own, timeout=server.deadline, context=context)
        else:
            smtp = _Plain(self.line, server.host, server.port, own, timeout=server.deadline)
        try:
            self._ask("hello", smtp, smtp.ehlo_or_helo_if_needed)
            if server.secure == "starttls":
                self._ask("tls", smtp, smtp.starttls, context=context)
                self._ask("hello", smtp, smtp.ehlo_or_helo_if_needed)
            if server.user and server.password:
                self._ask("login", smtp, smtp.login, server.user, server.password)
        except (smtplib.SMTPException, OSError, UnicodeError, DeliveryError):
            smtp.close()
            raise
        return smtp

    def _transact(self, smtp: smtplib.SMTP, mail: bytes) -> str:
        options = [f"size={len(mail)}"] if smtp.has_extn("size") else []
        code, words = self._ask("sender", smtp, smtp.mail, self.server.sender[1], options)
        if code != 250:
            raise self._refusal(code, words)
        refused: dict[str, tuple[int, bytes]] = {}
        for address in self.server.recipients:
            answer = self._ask("recipient", smtp, smtp.rcpt, address)
            if answer[0] not in (250, 251):
                refused[address] = answer
        named = ", ".join(f"{address}: {self._words(*answer)}" for address, answer in refused.items())
        if len(refused) == len(self.server.recipients):
            passing = any(code < 500 for code, _ in refused.values())
            reason = DeliveryReason.PASSING if passing else DeliveryReason.CHANNEL
            raise DeliveryError(f"{self.server.host} refused every recipient: {named}", reason=reason)
        code, words = self._ask("content", smtp, smtp.data, mail)
        if code != 250:
            raise self._refusal(code, words)
        return self._words(code, words) + (f"; refused: {named}" if refused else "")

    def _ask(self, step: str, smtp: smtplib.SMTP, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One command, with what is left of the time."""
        self.step = step
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if smtp.sock is not None:
            smtp.sock.settimeout(left)
        return call(*args, **kwargs)

    def _words(self, code: int, words: bytes) -> str:
        return said(f"{code} {words.decode('utf-8', 'replace')}", (self.server.password,))

    def _refusal(self, code: int, words: bytes) -> DeliveryError:
        """Whose fault an answer of 4xx or 5xx (RFC 5321, 4.2.1) is, by what had been asked."""
        text = f"{self.server.host} refused the {self.step}: {self._words(code, words)}"
        if not 500 <= code < 600 or self.step == "tls":
            return DeliveryError(text)
        if self.step == "content":
            ours = code not in _LOGIN and not _MAILBOX.match(words)
            return DeliveryError(text, reason=DeliveryReason.CONTENT if ours else DeliveryReason.CHANNEL)
        too_large = self.step == "sender" and code == 552
        return DeliveryError(text, reason=DeliveryReason.CONTENT if too_large else DeliveryReason.CHANNEL)

    def _failure(self, error: Exception) -> DeliveryError:
        """The error for what smtplib, ssl or the system raised."""
        place = f"{self.server.host}:{self.server.port}"
        if self.line.cut and not isinstance(error, smtplib.SMTPResponseException):
            error = TimeoutError()
        if isinstance(error, UnicodeError):
            return DeliveryError(f"{place}: host name or login cannot be written in SMTP", reason=DeliveryReason.CHANNEL)
        if isinstance(error, smtplib.SMTPResponseException):
            words = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
            return self._refusal(error.smtp_code, words)
        if isinstance(error, smtplib.SMTPNotSupportedError) and self.step == "tls":
            return DeliveryError(f"{place} does not offer STARTTLS; mode=ssl, or mailto:// on a network that is trusted")
        if type(error) in (
            smtplib.SMTPNotSupportedError,
            smtplib.SMTPException,
        ):  # no AUTH, or none of the ways that smtplib knows
            return DeliveryError(f"{place} offers no login that is known, or not without TLS", reason=DeliveryReason.CHANNEL)
        if isinstance(error, ssl.SSLCertVerificationError):
            return DeliveryError(f"{place}: its certificate is not trusted ({error.verify_message}); verify=no accepts it")
        if isinstance(error, ssl.SSLError):
            return DeliveryError(
                f"{place}: TLS failed ({error.reason}); mode=starttls, mode=ssl and the port must fit each other"
            )
        if isinstance(error, TimeoutError) or time.monotonic() >= self.end:
            return DeliveryError(f"no answer from {place} within {self.server.deadline:g} s ({self.step})")
        if isinstance(error, smtplib.SMTPServerDisconnected):
            endless = str(error).endswith(_ENDLESS)
            return DeliveryError(f"{place} {_ENDLESS if endless else 'closed the connection'} ({self.step})")
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        return DeliveryError(f"cannot reach {place}: {why}")


class _Plain(smtplib.SMTP):
    """SMTP on a line that can be cut, with answers of a bounded length."""

    file: Any

    def __init__(self, line: Line, *args: Any, **options: Any) -> None:
        self.line = line
        super().__init__(*args, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.line.connect(host, port)

    def getreply(self) -> tuple[int, bytes]:
        """See `smtplib.SMTP`."""
        if self.file is None and self.sock is not None:
            self.file = _Answers(self.sock.makefile("rb"), self.line)
        if self.file is not None:
            self.file.left = _ANSWER
        return super().getreply()


class _Secure(smtplib.SMTP_SSL, _Plain):
    """The same with TLS from the beginning."""

    def __init__(self, line: Line, *args: Any, **options: Any) -> None:
        self.line = line
        smtplib.SMTP_SSL.__init__(self, *args, **options)


class _Answers:
    """A server's answers by line. One that was cut is none: "55" of "550" must not be judged."""

    def __init__(self, file: BufferedReader, line: Line) -> None:
        self._file, self._line = file, line
        self.left = _ANSWER

    def readline(self, size: int) -> bytes:
        """See `io.BufferedReader`. Raises OSError."""
        read = self._file.readline(size)
        self.left -= len(read)
        if self.left < 0 or len(read) >= size:
            raise OSError(_ENDLESS)
        if self._line.cut and not read.endswith(b"\n"):
            raise TimeoutError
        return read

    def close(self) -> None:
        """See `io.BufferedReader`."""
        self._file.close()


def _addresses(pairs: Iterable[tuple[str, str]]) -> tuple[Address, ...]:
    return tuple(Address(_one_line(name), address.rpartition("@")[0], address.rpartition("@")[2]) for name, address in pairs)


def _token(text: str) -> str:
    """The text where it may stand before the @ of a Message-ID, else a hash of it."""
    return text if _ID.fullmatch(text) and len(text) <= 64 else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _one_line(text: str) -> str:
    """Header text: no line end gets in, so no header either; nor an encoded word (RFC 2047), which the email package would decode
    when it is set, line ends and all."""
    line = " ".join("".join(c if c.isprintable() else " " for c in _encodable(text)).split())
    return line.replace("=?", "＝?")


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
