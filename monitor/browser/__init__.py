"""Pages that need a browser: one Request becomes the page as a browser shows it, or the error that says what went wrong.

Chromium runs in a process of its own (`keep`, `serve`), one page at a time (`page`), with no way out but a guarded one (`proxy`).
It is run as a person's browser runs: no challenge is solved. What it got, cookies and name, is handed back for plain requests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from importlib import metadata
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from monitor import shields
from monitor.browser import keep, program
from monitor.browser.cookies import dump, header, kept, load
from monitor.browser.keep import close, tidy
from monitor.browser.page import Visited
from monitor.browser.serve import Work
from monitor.errors import ConfigError, FetchError, MonitorError
from monitor.fetch import GOOD, challenged, refused
from monitor.fetch import headers as fields
from monitor.model import Fetched, FetchPolicy, Request, Unchanged, Validators

#: Bytes that the browser may take while it works on one page; beyond that it is killed.
MEMORY = 1536 * 1024 * 1024

__all__ = ["Visited", "close", "dump", "fetched", "header", "kept", "lacking", "load", "named", "tidy", "visit"]


def lacking(policy: FetchPolicy) -> str | None:
    """What is not installed that a browser needs, as a sentence; None where all is there."""
    try:
        program.library()
        program.program(policy.browser)
    except FetchError as error:
        return error.message
    return None


def named(policy: FetchPolicy) -> str:
    """The browser that is used, with its version and the library that drives it. Raises FetchError where one is not there."""
    path, library = program.program(policy.browser), program.library()
    version = program.version(path)
    return f"{path}{f' ({version})' * bool(version)}, driven by {library} {metadata.version(library)}"


def visit(request: Request, policy: FetchPolicy, *, timezone: str, seconds: Callable[[], float]) -> Visited:
    """What the page of `request` became, be it a shield's page or an error of the site. `seconds` are asked for once it is this
    page's turn. Raises FetchError (also with reason "no browser" and "browser"), TooLarge, Forbidden, ConfigError."""
    library, path = program.library(), program.program(policy.browser)
    if policy.proxy and not policy.proxy.lower().startswith("http://"):
        raise ConfigError('proxy: only "http://host:port" can be used with via = "browser"')
    parts = urlsplit(request.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FetchError("not a possible address", reason="bad address", transient=False)
    with keep.turn():
        work = Work(request, policy, library, path, timezone, monotonic() + seconds(), MEMORY)
        try:
            done = keep.take(work)
        except FetchError as error:
            error.message = f"{parts.hostname}: {error.message}"
            raise
    if isinstance(done, MonitorError):
        raise done
    return done


def fetched(request: Request, policy: FetchPolicy, seen: Visited, at: datetime) -> Fetched | Unchanged:
    """The answer that a page is, as `fetch` gives it: HTML in UTF-8, whatever it came in. Raises Challenge, FetchError."""
    assert seen.body is not None
    host = urlsplit(seen.url).hostname or ""
    names = [cookie.name for cookie in seen.cookies]
    wait = fields.retry_after(seen.retry_after, at)
    shield = shields.recognise(seen.status, names, seen.body)
    if shield is not None:
        raise challenged(host, shield, seen.status, wait)
    if seen.status not in GOOD:
        raise refused(_failed(host), seen.status, wait, policy)
    if not seen.body:
        raise _failed(host)("empty answer", "empty answer", status=seen.status)
    digest = hashlib.sha256(seen.body).hexdigest()
    validators = Validators(body_hash=digest, at=at)
    if request.validators and request.validators.body_hash == digest:
        return Unchanged(at, validators)
    return Fetched(
        request=request,
        status=seen.status,
        url=seen.url,
        body=seen.body,
        media_type="text/html",
        charset="utf-8",
        validators=validators,
        at=at,
        moved=seen.moved,
        cookies=tuple((cookie.name, cookie.value) for cookie in seen.cookies),
    )


def _failed(host: str) -> Callable[..., FetchError]:
    def failed(what: str, reason: str, **details: Any) -> FetchError:
        return FetchError(f"{host}: {what}", reason=reason, **details)

    return failed
