"""The only HTTP client: one Request becomes a complete, decompressed answer with its charset, or Unchanged, or the error that
says what went wrong. Conditional, within time and bytes, guarded; it never sleeps, never tries an answered request again and
remembers nothing but open connections. Pacing and patience belong to who asks.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable
from datetime import UTC, datetime

from monitor.errors import ConfigError, FetchError
from monitor.fetch import charset, guard, hops, wire
from monitor.fetch import headers as fields
from monitor.fetch.adapter import close
from monitor.model import Fetched, FetchPolicy, Purpose, Request, Unchanged, Validators

__all__ = ["close", "fetch"]

#: Answers with a body that is what was asked for; 201 is what some search interfaces say to a POST.
_GOOD = frozenset({200, 201, 203})
#: Statuses of 400 to 499 that pass by themselves.
_PASSING = frozenset({408, 425, 429})


def _utcnow() -> datetime:
    return datetime.now(UTC)


def fetch(
    request: Request,
    policy: FetchPolicy,
    *,
    now: Callable[[], datetime] = _utcnow,
    resolve: wire.Resolve = socket.getaddrinfo,
) -> Fetched | Unchanged:
    """The answer to `request`, following at most five redirects, within `policy.deadline` seconds and the limits of `policy`.

    Unchanged where the server says 304 to a question that was conditional (the validators stay those of the last whole answer, so
    that a day later it is asked unconditionally) or sends the body that is known already. `resolve` looks names up, in the form
    of `socket.getaddrinfo`.

    Raises FetchError (`reason`: "timeout", "dns", "refused", "unreachable", "connect", "proxy", "tls", "handshake", "truncated",
    "damaged", "protocol", "redirect", "empty answer", "bad address", "bad header", "not asked", "http NNN"), TooLarge, Forbidden
    (the address guard); ConfigError where the policy itself cannot be read."""
    attachment = request.purpose is Purpose.ATTACHMENT
    limit, setting = (policy.max_attachment, "max_attachment") if attachment else (policy.max_bytes, "max_bytes")
    call = wire.Call(policy.deadline, guard.allowed(policy.allow_private), resolve)
    asked = fields.conditional(request.validators, now()) if request.method.upper() in ("GET", "HEAD") else {}
    with wire.running(call):
        answer = hops.follow(request, policy, asked, call)
        try:
            if answer.status == 304:
                return _not_modified(request, answer, bool(asked), now())
            if answer.status not in _GOOD:
                raise _refused(answer, now())
            body = answer.read(limit, setting)
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
        return Unchanged(at, validators)
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
    )


def _not_modified(request: Request, answer: hops.Answer, asked: bool, at: datetime) -> Unchanged:
    if not asked or request.validators is None:
        raise answer.call.failed("304 without a question", "not asked", status=304)
    return Unchanged(at, request.validators)


def _refused(answer: hops.Answer, at: datetime) -> FetchError:
    """The error for a status that brings no page. Its number alone is told: reason phrases are the server's to invent."""
    status = answer.status
    if status in (204, 205):
        return answer.call.failed("empty answer", "empty answer", status=status)
    wait = fields.retry_after(answer.header("retry-after"), at)
    passing = not 300 <= status < 500 or status in _PASSING
    asks = f", asks to wait {wait:g} s" if wait is not None else ""
    return answer.call.failed(f"HTTP {status}{asks}", f"http {status}", status=status, transient=passing, retry_after=wait)
