"""From address to address: each request of a fetch, and where a redirect leads. It judges no status but those of redirects.

Redirects are followed by hand, since each is a new address for the guard, and since what a source sends along (keys, cookies,
credentials) is for its own host alone. Cookies of answers live as long as the fetch.
"""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import SplitResult, urldefrag, urljoin, urlsplit

import requests
from requests.cookies import RequestsCookieJar

from monitor.errors import ConfigError, FetchError, Forbidden
from monitor.fetch import adapter, body, guard, headers, wire
from monitor.model import FetchPolicy, Request

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_MOST = 5
_PORTS = {"http": 80, "https": 443}
#: The rest of an answer that nobody reads is taken in up to this size, so that the connection can be kept.
_LEFTOVER = 16384


class Answer:
    """An answer whose headers are read. `read` takes in the body; `close` keeps the connection if nothing is left unread."""

    def __init__(self, response: requests.Response, call: wire.Call) -> None:
        self._raw: Any = response.raw
        self._headers = response.headers
        self._whole = response.status_code in (204, 304) or response.request.method == "HEAD"
        self.cookies = response.cookies
        self.call = call
        self.status: int = response.status_code
        self.open_end = False  # known once the body was read
        self.url = str(response.url)
        self.moved = False

    def header(self, name: str) -> str | None:
        """The value of a field; several of one name joined by ", "."""
        return self._headers.get(name)

    def read(self, limit: int, setting: str) -> bytes:
        """The whole body, as `body.read` gives it; empty where there can be none."""
        if self._whole:
            return b""
        transfer = [part.strip().lower() for part in (self.header("transfer-encoding") or "").split(",") if part.strip()]
        if transfer not in ([], ["identity"], ["chunked"]):
            raise self.call.failed("the answer is framed in a way that was not asked for", "protocol")
        self.call.allow_body(limit)
        declared = None if "chunked" in transfer else body.length(self.header("content-length"), self.call)
        self.open_end = declared is None and "chunked" not in transfer
        got = body.read(
            self._raw._original_response.fp,
            declared=declared,
            chunked="chunked" in transfer,
            coding=self.header("content-encoding") or "",
            limit=limit,
            setting=setting,
            call=self.call,
        )
        self._whole = True
        return got

    def skip(self) -> None:
        """Take in a short body that nobody wants, so that the connection can be kept. Raises FetchError, reason "timeout"."""
        declared = self.header("content-length") or ""
        if declared.isdecimal() and int(declared) <= _LEFTOVER and self.header("transfer-encoding") is None:
            try:
                self._whole = len(self._raw._original_response.fp.read(int(declared))) == int(declared)
            except OSError:
                self._whole = False

    def close(self) -> None:
        """Give the connection back if the answer was taken in to its end, else close it."""
        if self._whole:
            self._raw._original_response.close()
        else:
            self._raw.close()
        self._raw.release_conn()


@dataclass(frozen=True, slots=True)
class _Step:
    """One request to be sent; `fields` are for the host of `url`, names in lower case."""

    method: str
    url: str
    fields: dict[str, str]
    body: bytes


def follow(request: Request, policy: FetchPolicy, asked: dict[str, str], call: wire.Call) -> Answer:
    """The first answer that is no redirect, its body unread. `asked` are the conditional fields.

    Raises FetchError, TooLarge, Forbidden; ConfigError for a proxy that cannot be used."""
    step = _first(request, policy, asked, call)
    cookies = RequestsCookieJar()
    seen: set[tuple[str, str, str]] = set()
    chain: list[str] = []
    permanent = True
    while True:
        chain.append(_shown(step.url))
        state = (step.method, step.url, repr(sorted((name, value or "") for name, value in cookies.items())))
        if state in seen:
            raise call.failed(f"redirects in a circle: {' → '.join(chain)}", "redirect")
        if len(chain) > _MOST + 1:
            raise call.failed(f"more than {_MOST} redirects: {' → '.join(chain)}", "redirect")
        seen.add(state)
        try:
            answer = _send(step, policy, cookies, call)
        except Forbidden as error:
            raise (Forbidden(f"{error.message} (redirected: {' → '.join(chain)})") if len(chain) > 1 else error) from None
        if answer.status not in _REDIRECTS:
            answer.moved = permanent and len(chain) > 1
            return answer
        permanent = permanent and answer.status in _PERMANENT
        cookies.update(answer.cookies)
        try:
            answer.skip()
            step = _next(step, answer, chain)
        finally:
            answer.close()


def _first(request: Request, policy: FetchPolicy, asked: dict[str, str], call: wire.Call) -> _Step:
    parts = _parts(request.url, call)
    try:
        fields = headers.outgoing(request.headers, policy.user_agent, request.body) | asked
    except ValueError as error:
        raise call.failed(str(error), "bad header", transient=False) from None
    authorization = headers.credentials(parts.username, parts.password)
    if authorization:
        fields.setdefault("authorization", authorization)
    return _Step(request.method.upper(), _bare(parts), fields, request.body)


def _next(step: _Step, answer: Answer, chain: list[str]) -> _Step:
    """Where a redirect leads, and with what (RFC 9110, section 15.4; POST becomes GET as in browsers)."""
    call = answer.call
    target = headers.location(answer.header("location") or "")
    if not target:
        raise call.failed(f"HTTP {answer.status} redirects to nowhere: {' → '.join(chain)}", "redirect", status=answer.status)
    try:
        absolute = urljoin(answer.url, target)
    except ValueError:
        absolute = target
    try:
        parts = _parts(absolute, call)
    except Forbidden as error:
        raise Forbidden(f"{call.host}: {error.message} (redirected: {' → '.join(chain)})") from None
    fields = step.fields if same_host(urlsplit(step.url), parts) else headers.abroad(step.fields)
    if (answer.status == 303 and step.method != "HEAD") or (answer.status in (301, 302) and step.method == "POST"):
        return _Step("GET", _bare(parts), {name: value for name, value in fields.items() if name != "content-type"}, b"")
    return _Step(step.method, _bare(parts), fields, step.body)


def _send(step: _Step, policy: FetchPolicy, cookies: RequestsCookieJar, call: wire.Call) -> Answer:
    parts = _parts(step.url, call)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    call.begin(host)
    literal = guard.literal(host)  # before a library reads the spelling in its own way
    if literal:
        guard.check(host, port, literal, call.allow)
    prepared = requests.PreparedRequest()
    sent = {name.title(): value for name, value in step.fields.items() if name != "cookie"}
    try:
        prepared.prepare(method=step.method, url=step.url, headers=sent, data=step.body or None, cookies=cookies)
    except (requests.RequestException, UnicodeError, ValueError):
        raise call.failed("not a possible address", "bad address", transient=False) from None
    own = step.fields.get("cookie")
    if own:
        prepared.headers["Cookie"] = _merged(own, prepared.headers.get("Cookie"))
    proxies = {}
    if policy.proxy:
        proxies = dict.fromkeys(_PORTS, _proxy(policy.proxy))
        wire.check_name(host, port)
    return Answer(adapter.send(prepared, verify=policy.verify_tls, proxies=proxies), call)


def _merged(own: str, given: str | None) -> str:
    """The source's cookies, and those that answers of this fetch gave, which win."""
    if not given:
        return own
    try:
        newer = set(SimpleCookie(given))
    except CookieError:
        return own
    kept = [pair for pair in own.split(";") if pair.strip() and pair.partition("=")[0].strip() not in newer]
    return "; ".join([*(pair.strip() for pair in kept), given])


def _proxy(address: str) -> str:
    if not address.lower().startswith(("http://", "https://")):
        raise ConfigError('proxy: only "http://host:port" and "https://host:port" can be used')
    return address


def _parts(url: str, call: wire.Call) -> SplitResult:
    """An http(s) address in its parts. Raises Forbidden for another scheme, FetchError for what is no address."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
        parts = SplitResult("http", "", "", "", "")
    if parts.scheme and parts.scheme not in _PORTS:
        raise Forbidden(f'addresses of the kind "{parts.scheme[:20]}:" are not fetched, only http: and https:; refused')
    if not usable or not parts.scheme or "\\" in parts.netloc:
        raise _bad_address(call, url)
    return parts


def _bad_address(call: wire.Call, url: str) -> FetchError:
    call.host = call.host or url.partition("?")[0].rpartition("@")[2][:100]
    return call.failed("not a possible address", "bad address", transient=False)


def _bare(parts: SplitResult) -> str:
    """The address without credentials and fragment."""
    return urldefrag(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()).url


def _shown(url: str) -> str:
    """An address as errors may show it: what a query holds may be a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + ("?…" if parts.query else "")


def same_host(before: SplitResult, after: SplitResult) -> bool:
    """Whether the same host at the same port is asked again, or by https what was asked by http."""
    if before.hostname != after.hostname:
        return False
    ports = (before.port or _PORTS[before.scheme], after.port or _PORTS[after.scheme])
    upgraded = (before.scheme, after.scheme) == ("http", "https") and ports == (80, 443)
    return upgraded or (before.scheme == after.scheme and ports[0] == ports[1])
