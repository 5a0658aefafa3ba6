"""The only HTTP client: one Request becomes a complete, decompressed answer with its charset, or Unchanged, or the error that
says what went wrong. Conditional, within time and bytes, guarded; it never sleeps, never tries an answered request again and
remembers nothing but open connections. Pacing and patience belong to who asks.
"""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape

from monitor import shields
from monitor.errors import Challenge, ConfigError, FetchError, SourceError
from monitor.fetch import charset, guard, hops, wire
from monitor.fetch import headers as fields
from monitor.fetch.adapter import close
from monitor.lookup import Resolve
from monitor.model import Fetched, FetchPolicy, Purpose, Request, Unchanged, Validators
from monitor.text import line

__all__ = ["GOOD", "challenged", "close", "fetch", "refused"]

#: Answers with a body that is what was asked for; 201 is what some search interfaces say to a POST.
GOOD = frozenset({200, 201, 203})
#: How long (seconds) a site is left alone that says in its own way that it was asked too often.
BUSY = 60.0
#: Statuses of 400 to 499 that pass by themselves.
_PASSING = frozenset({408, 425, 429})


def _utcnow() -> datetime:
    return datetime.now(UTC)


def fetch(
    request: Request,
    policy: FetchPolicy,
    *,
    now: Callable[[], datetime] = _utcnow,
    resolve: Resolve = socket.getaddrinfo,
) -> Fetched | Unchanged:
    """The answer to `request`, following at most five redirects, within `policy.deadline` seconds and the limits of `policy`.

    Unchanged where the server says 304 to a question that was conditional (the validators stay those of the last whole answer, so
    that a day later it is asked unconditionally) or sends the body that is known already. `resolve` looks names up, in the form
    of `socket.getaddrinfo`.

    Raises FetchError (`reason`: "timeout", "dns", "refused", "unreachable", "connect", "proxy", "tls", "handshake", "truncated",
    "damaged", "protocol", "redirect", "empty answer", "bad address", "bad header", "not asked", "http NNN"), TooLarge, Forbidden
    (the address guard), Challenge (a shield's page); ConfigError where the policy itself cannot be read."""
    attachment = request.purpose is Purpose.ATTACHMENT
    limit, setting = (policy.max_attachment, "max_attachment") if attachment else (policy.max_bytes, "max_bytes")
    call = wire.Call(policy.deadline, guard.allowed(policy.allow_private), resolve)
    asked = fields.conditional(request.validators, now()) if request.method.upper() in ("GET", "HEAD") else {}
    with wire.running(call):
        answer = hops.follow(request, policy, asked, call)
        try:
            if answer.status == 304:
                return _not_modified(request, answer, bool(asked), now())
            if answer.status not in GOOD:
                shown = _refusal(answer)
                _unshielded(answer, shown, now())
                wait = fields.retry_after(answer.header("retry-after"), now())
                raise refused(call.failed, answer.status, wait, policy, _titled(shown, answer.header("content-type")))
            body = answer.read(limit, setting)
            _unshielded(answer, body, now())
        finally:
            answer.close()
    if not body:
        raise call.failed("empty answer", "empty answer", status=answer.status)
    return _complete(request, policy, answer, body, now())


def _complete(request: Request, policy: FetchPolicy, answer: hops.Answer, body: bytes, at: datetime) -> Fetched | Unchanged:
    said = answer.header("content-type")
    digest = hashlib.sha256(body).hexdigest()
    whole = answer.status == 200
    validators = Validators(
        etag=fields.etag(answer.header("etag")) if whole else None,
        last_modified=fields.http_date(answer.header("last-modified")) if whole else None,
        body_hash=digest,
        at=at,
    )
    if request.validators and request.validators.body_hash == digest:
        return Unchanged(at, validators, answer.url if answer.moved else None)
    try:
        codec = charset.detect(body, said, override=policy.encoding)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return Fetched(
        request=request,
        status=answer.status,
        url=answer.url,
        body=charset.repair(body, codec),
        media_type=charset.media_type(body, said),
        charset=codec,
        validators=validators,
        at=at,
        moved=answer.url if answer.moved else None,
        filename=fields.filename(answer.header("content-disposition")),
        cookies=tuple((cookie.name, cookie.value or "") for cookie in answer.cookies),
        open_end=answer.open_end,
        ahead=fields.ahead(answer.header("date"), answer.header("age"), at),
    )


def _not_modified(request: Request, answer: hops.Answer, asked: bool, at: datetime) -> Unchanged:
    if not asked or request.validators is None:
        raise answer.call.failed("304 without a question", "not asked", status=304)
    return Unchanged(at, request.validators, answer.url if answer.moved else None)


def _refusal(answer: hops.Answer) -> bytes:
    """What a refusing answer shows, as far as shields are looked for; b"" where it is cut off or endless: its status is told."""
    try:
        return answer.read(4 * shields.LOOKED_AT, "max_bytes")
    except SourceError:
        return b""


def _unshielded(answer: hops.Answer, body: bytes, at: datetime) -> None:
    """Raises Challenge where a shield answered in place of the site."""
    shield = shields.recognise(answer.status, tuple(answer.cookies.keys()), body)
    if shield is not None:
        wait = fields.retry_after(answer.header("retry-after"), at)
        raise challenged(answer.call.host, shield, answer.status, wait)


def challenged(host: str, shield: shields.Shield, status: int, wait: float | None) -> Challenge:
    """The error for a shield's page; `wait` in seconds, as the server asked."""
    return Challenge(
        f"{host} answers with an anti-bot page: {shield.name}, HTTP {status} ({shield.sign})",
        shield=shield.name,
        status=status,
        hint=shield.hint,
        retry_after=wait,
    )


def _titled(shown: bytes, said: str | None) -> str:
    """The title of the page that a refusal shows, "" where it has none."""
    found = re.search(rb"<title[^>]{0,200}>([^<]{1,300})", shown, re.IGNORECASE)
    return line(unescape(found[1].decode(charset.detect(shown, said) or "utf-8", "replace"))) if found else ""


def refused(
    failed: Callable[..., FetchError], status: int, wait: float | None, policy: FetchPolicy, page: str = ""
) -> FetchError:
    """The error, made by `failed`, for a status that brings no page; `wait` in seconds, as the server asked; `page` is the title
    of what came instead. The status's number alone is told: reason phrases are the server's to invent."""
    if status in (204, 205):
        return failed("empty answer", "empty answer", status=status)
    if status in policy.busy:
        said = f"HTTP {status}, by which this site says that it was asked too often"
        return failed(said, "busy", status=status, retry_after=BUSY if wait is None else wait, page=page)
    passing = not 300 <= status < 500 or status in _PASSING
    asks = f", asks to wait {wait:g} s" if wait is not None else ""
    return failed(f"HTTP {status}{asks}", f"http {status}", status=status, transient=passing, retry_after=wait, page=page)
