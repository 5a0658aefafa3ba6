"""One page in the browser: go there, wait until it has become what it becomes, take it. Runs in the browser's own process.

A page is taken once it is loaded, asks for nothing more and stands still; one that never comes to rest is taken after a while.
While what is there is a shield's page, or nothing, there is more waiting: its script may let the browser in. Nothing is clicked.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from monitor import shields
from monitor.browser.proxy import Gate, size
from monitor.errors import FetchError, SourceError, TooLarge
from monitor.model import PAGE_HEADERS, Cookie, Request

#: Requests that one page may make, pictures and the like left out, which are not let through at all.
REQUESTS = 300
SKIPPED = frozenset({"image", "media", "font"})
#: Seconds: for how long a page stands still before it is taken; after which it is taken though it does not.
QUIET, MOST = 0.5, 10.0
#: Seconds for which more is waited for while a shield's page is there; while nothing, or an error, is.
SHIELDED, BARE = 15.0, 4.0
#: Seconds kept of the deadline for taking the page and closing it.
_MARGIN = 0.3
#: Requests that may go on for ever.
_STREAMS = frozenset({"websocket", "eventsource", "ping", "media", "image", "font", "manifest", "other"})
_STATE = """() => { const d = document, b = d.body;
    return [d.readyState, d.contentType, d.getElementsByTagName('*').length, b ? b.textContent.length : 0] }"""
_LENGTH = "() => document.documentElement ? document.documentElement.outerHTML.length : 0"
_SHOWN = "() => document.body ? document.body.innerText.trim().length : 0"
_HTML = ("text/html", "application/xhtml+xml")
_NET = re.compile(r"net::(ERR_[A-Z0-9_]+)")
_BROKEN_OFF = frozenset(
    {
        "ERR_EMPTY_RESPONSE",
        "ERR_CONNECTION_CLOSED",
        "ERR_CONNECTION_RESET",
        "ERR_SOCKET_NOT_CONNECTED",
        "ERR_CONTENT_LENGTH_MISMATCH",
        "ERR_INCOMPLETE_CHUNKED_ENCODING",
    }
)


@dataclass(frozen=True, slots=True)
class Visited:
    """What a page became. `body` is its document as HTML in UTF-8; None for what is no HTML: the browser shows that in its own
    way, and its bytes are had by a plain request with what it got."""

    url: str
    status: int
    body: bytes | None
    user_agent: str
    cookies: tuple[Cookie, ...] = field(default=(), repr=False)
    moved: str | None = None
    retry_after: str | None = None


def _bare(url: str) -> str:
    """The address without credentials and fragment."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()


class Visit:
    """One visit of one page in a context of its own. `api` is the library."""

    def __init__(self, api: Any, context: Any, request: Request, gate: Gate, user_agent: str) -> None:
        self.error: type[Exception] = api.Error
        self.context, self.request, self.gate, self.user_agent = context, request, gate, user_agent
        self.page = context.new_page()
        self.main: Any = None  # the last answer for the page itself
        self.first = ""  # the address of the first request for the page itself, as the browser writes it
        self.going = request.url  # where the page itself was last sent
        self.failed: dict[str, str] = {}  # addresses of the page itself that did not load, and how
        self.asked = 0
        self.file = self.crashed = False
        self.under_way: set[Any] = set()
        self.last: tuple[Any, ...] = ()
        self.still_since = self.waiting_since = time.monotonic()
        self.shown_since: float | None = None
        self.waiting = False
        self._listen()

    def _listen(self) -> None:
        self.context.route("**/*", self._route)
        self.context.on("page", lambda other: other.close() if other is not self.page else None)
        self.page.on("request", self._on_request)
        self.page.on("requestfinished", self._on_finished)
        self.page.on("requestfailed", self._on_failed)
        self.page.on("response", self._on_response)
        self.page.on("framenavigated", self._on_navigated)
        self.page.on("download", self._on_download)
        self.page.on("crash", self._on_crash)

    # --- what happens in the page

    def _is_main(self, request: Any) -> bool:
        try:
            return bool(request.is_navigation_request() and request.frame == self.page.main_frame)
        except self.error:
            return False  # of another window, which is closed

    def _route(self, route: Any) -> None:
        request = route.request
        with suppress(self.error):
            if request.resource_type in SKIPPED or self.asked > REQUESTS:
                route.abort()
                return
            self.asked += 1
            main = self._is_main(request)
            self.first = self.first or (request.url if main else "")
            if main and request.url == self.first:
                self._first(route, request)
            else:
                route.continue_()

    def _first(self, route: Any, request: Any) -> None:
        """The request for the page itself, as the source's own keys say. What may hold a key is not sent: a browser repeats
        headers to wherever it is redirected."""
        own = {name.lower(): value for name, value in self.request.headers}
        sent = {name: value for name, value in own.items() if name in PAGE_HEADERS - {"cookie", "referer", "user-agent"}}
        if self.request.method.upper() == "POST":
            json = self.request.body.lstrip()[:1] in (b"{", b"[")
            sent.setdefault("content-type", "application/json" if json else "application/x-www-form-urlencoded")
            route.continue_(method="POST", headers={**request.headers, **sent}, post_data=self.request.body)
        elif sent:
            route.continue_(headers={**request.headers, **sent})
        else:
            route.continue_()

    def _on_request(self, request: Any) -> None:
        if request.resource_type not in _STREAMS:
            self.under_way.add(request)
        if self._is_main(request):
            self.going = request.url

    def _on_finished(self, request: Any) -> None:
        self.under_way.discard(request)

    def _on_failed(self, request: Any) -> None:
        self.under_way.discard(request)
        if self._is_main(request):
            self.failed[request.url] = request.failure or ""

    def _on_response(self, response: Any) -> None:
        if self._is_main(response.request):
            self.main = response
            self.failed.pop(response.url, None)

    def _on_navigated(self, frame: Any) -> None:
        if frame == self.page.main_frame:
            self.shown_since = None
            self.still_since = time.monotonic()

    def _on_download(self, download: Any) -> None:
        self.file = True

    def _on_crash(self, _: Any) -> None:
        self.crashed = True

    # --- the visit

    def take(self) -> Visited:
        """Go there and come back with what it became. Raises SourceError; the library's error where the browser is gone."""
        self._go()
        while True:
            self.page.wait_for_timeout(100)
            self._check()
            if self.file:
                return self._as_file()
            if not self._settled():
                continue
            found = self._found()
            if not self._worth_waiting(found):
                return found
            self.still_since = time.monotonic()

    def _go(self) -> None:
        try:
            referer = next((value for name, value in self.request.headers if name.lower() == "referer"), None)
            left = max(1.0, 1000 * (self.gate.left() - _MARGIN))
            self.page.goto(self.request.url, wait_until="commit", timeout=left, referer=referer)
        except self.error as error:
            if self.page.is_closed():
                raise
            self.page.wait_for_timeout(50)  # what it means may come after it
            self._check()
            said = str(error)
            if self.file or (self.main is not None and ("ERR_ABORTED" in said or "interrupted" in said)):
                return
            raise self._translated(said) from None

    def _check(self) -> None:
        """Raises SourceError where the visit has come to a bad end."""
        if self.gate.over is not None:
            raise self.gate.over
        if self.asked > REQUESTS:
            raise TooLarge(f"{self.gate.host}: the page makes more than {REQUESTS} requests")
        if self.crashed:
            raise FetchError(f"{self.gate.host}: the page broke down in the browser", reason="browser")
        if self.gate.left() <= _MARGIN:
            raise FetchError(f"{self.gate.host}: no whole page within the deadline", reason="timeout")

    def _settled(self) -> bool:
        now = time.monotonic()
        try:
            state = self.page.evaluate(_STATE)
        except self.error:
            if self.page.is_closed():
                raise
            self.still_since = now  # it is on its way to another page
            return False
        seen = (*state, self.page.url, self.main)
        if seen != self.last or self.under_way:
            self.last, self.still_since = seen, now
        if state[0] == "loading" or self.main is None:
            return False
        self.shown_since = self.shown_since or now
        if now - self.shown_since > MOST:
            return True
        return state[0] == "complete" and now - self.still_since >= QUIET

    def _worth_waiting(self, found: Visited) -> bool:
        """Whether this may still become another page by itself."""
        if found.body is None:
            return False
        names = tuple(cookie.name for cookie in found.cookies)
        if shields.recognise(found.status, names, found.body) is not None:
            patience = SHIELDED
        elif (found.status >= 400 and found.status not in (404, 410)) or not self.page.evaluate(_SHOWN):
            patience = BARE
        else:
            return False
        now = time.monotonic()
        if not self.waiting:
            self.waiting, self.waiting_since = True, now
        return now - self.waiting_since < patience and self.gate.left() > _MARGIN + 2 * QUIET

    # --- what is there

    def _found(self) -> Visited:
        url = _bare(self.page.url)
        self._loaded(url)
        if str(self.last[1]).lower() not in _HTML:
            return self._as_file()
        if self.page.evaluate(_LENGTH) > self.gate.policy.max_bytes:
            raise self._too_large()
        body = self.page.content().encode("utf-8", "replace")
        if len(body) > self.gate.policy.max_bytes:
            raise self._too_large()
        return Visited(
            url=url,
            status=self.main.status,
            body=body,
            user_agent=self.user_agent,
            cookies=self._cookies(url),
            moved=self._moved() if _bare(self.main.url) == url else None,
            retry_after=self.main.headers.get("retry-after"),
        )

    def _loaded(self, url: str) -> None:
        """Raises SourceError where what is shown is not the page but why it is not there."""
        if urlsplit(url).scheme not in ("http", "https"):
            raise self._translated(self.failed.get(self.going, ""))
        if (failure := self.failed.get(self.main.url)) is not None and "ERR_ABORTED" not in failure:
            raise self._translated(failure)
        if self.main.status in (403, 502) and (refused := self._refused(self.main.url)) is not None:
            raise refused

    def _too_large(self) -> TooLarge:
        limit = size(self.gate.policy.max_bytes)
        return TooLarge(f"{self.gate.host}: the page is larger than {limit}; raise max_bytes for this source if that is right")

    def _as_file(self) -> Visited:
        url = _bare(self.main.url if self.main is not None else self.request.url)
        return Visited(url, 200, None, self.user_agent, self._cookies(url))

    def _cookies(self, url: str) -> tuple[Cookie, ...]:
        return tuple(
            Cookie(
                found["name"],
                found["value"],
                found["domain"],
                found["path"],
                found["expires"] if found["expires"] > 0 else None,
                bool(found["secure"]),
            )
            for found in self.context.cookies([self.request.url, url])
        )

    def _moved(self) -> str | None:
        """The new address where only permanent redirects led there."""
        before = self.main.request.redirected_from
        if before is None:
            return None
        while before is not None:
            answer = before.response()
            if answer is None or answer.status not in (301, 308):
                return None
            before = before.redirected_from
        return _bare(self.main.url)

    # --- what went wrong

    def _refused(self, url: str) -> SourceError | None:
        """Why the proxy did not let the page itself through."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return self.gate.failures.get((parts.hostname or "", port))

    def _translated(self, said: str) -> SourceError:
        """The browser's failure in our words. Its own text is not used: it holds the whole address."""
        if self.gate.over is not None:
            return self.gate.over
        if (refused := self._refused(self.going)) is not None:
            return refused
        host = urlsplit(self.going).hostname or self.gate.host
        code = found[1] if (found := _NET.search(said)) else ""
        if "Timeout" in said or self.gate.left() <= _MARGIN:
            return FetchError(f"{host}: no whole page within the deadline", reason="timeout")
        if code.startswith(("ERR_CERT_", "ERR_SSL_")):
            what = f"certificate not accepted ({code})" if code.startswith("ERR_CERT_") else f"TLS failed ({code})"
            hint = "; to read it all the same, set verify_tls = false for this source"
            return FetchError(f"{host}: {what}{hint}", reason="tls", transient=False)
        if code == "ERR_TOO_MANY_REDIRECTS":
            return FetchError(f"{host}: too many redirects", reason="redirect")
        if code in _BROKEN_OFF:
            return FetchError(f"{host}: the answer was broken off", reason="truncated")
        return FetchError(f"{host}: the browser could not load it ({code or 'no answer'})", reason="browser")
