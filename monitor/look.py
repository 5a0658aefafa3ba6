"""One Request → Looked: fetch, or a browser, then parse or read. The unit of work that may run on another machine: it needs no
database.

It neither paces nor remembers: validators, and what a browser got, come with the request and go back with the answer.

Where a source says `via = "browser"`, a plain request stands in for it only where it was once seen to give the same rows or text
as the browser, with the cookies and the name that the browser got; a site that tells programs something else is not believed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from urllib.parse import urlsplit

from monitor import browser, readers, sandbox, sources, urls
from monitor.errors import Challenge, FetchError, ParseError, SourceError
from monitor.fetch import fetch
from monitor.fetch.headers import HARMLESS
from monitor.fetch.hops import same_host
from monitor.mask import Mask, mask_of
from monitor.model import Document, Fetched, Listing, Pass, Purpose, Request, Source, Unchanged, Validators

#: An answer of this `weight` (bytes) is parsed in this process; a heavier one in a child.
LIGHT = 24 * 1024 * 1024
#: What a child has at least, in seconds, where the answer itself came late.
LEAST = 0.5
#: Statuses by which a site turns a plain request away, or says so, though it may answer a browser.
TURNED_AWAY = frozenset({401, 403, 404, 405, 410, 412, 418, 444, 521})
#: Of these a file's is believed.
_NO_FILE = frozenset({404, 410})
#: What to do where a shield keeps a browser out, too.
KEPT_OUT = "it keeps the browser out, too: ask less often (`every`, `delay`), or from another network"
#: A plain request that gave something else than the browser is compared again after this long.
COMPARED = timedelta(days=1)
#: Of so many purposes and hosts it is remembered.
MOST = 20


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look gave. `elapsed` in seconds; `raw` is the decompressed body of a document or attachment (None for a listing);
    `result` is None for an attachment, whose bytes are all it says; `held` is what the source's browser got, now or before;
    `ahead` that of `Fetched`."""

    request: Request
    status: int
    url: str
    validators: Validators
    body_hash: str | None
    raw: bytes | None
    elapsed: float
    result: Listing | Document | Unchanged | None
    at: datetime
    media_type: str = ""
    moved: str | None = None
    held: Pass | None = None
    ahead: float | None = None


def _worked_out(source: Source, got: Fetched, left: float) -> Listing | Document:
    """What the answer says; worked out in a child where it may take long or much. `left`: what the deadline leaves (seconds)."""
    work: Callable[[Source, Fetched], Listing | Document] = _listing if got.request.purpose is Purpose.LISTING else _document
    if weight(got) <= LIGHT:
        return work(source, got)
    return sandbox.run(work, source, got, seconds=min(sandbox.SECONDS, max(LEAST, left)))


def weight(got: Fetched) -> int:
    """About how many bytes of memory the answer takes when it is parsed: for each element, list or object, and each byte."""
    body = got.body
    return 4 * len(body) + 500 * (body.count(b"<") + body.count(b"{") + body.count(b"["))


def _listing(source: Source, got: Fetched) -> Listing:
    return sources.kind(source.kind).parse(source, got)


def _document(source: Source, got: Fetched) -> Document:
    return readers.read(got, source.reading)


def look(source: Source, request: Request, now: Callable[[], datetime]) -> Looked:
    """Take one look. Raises SourceError, naming the source. Nothing that is said of it holds what the source sends to get in."""
    started = monotonic()
    mask = mask_of(source.secrets)
    request = _own(source, request)
    try:
        if request.via == "browser":
            looked = _Browsed(source, request, now, started).looked()
        else:
            looked = _looked(source, request, fetch(request, source.policy, now=now), started)
    except SourceError as error:
        error.source_id = source.id
        if isinstance(error, Challenge) and request.via == "browser":
            error.hint = KEPT_OUT
        raise _masked(error, mask) from None
    return _unsaid(looked, mask)


def _own(source: Source, request: Request) -> Request:
    """The request as it may leave. What the configuration sends along to get in is for the source's own hosts, those of `url` and
    `fallback`: a row may link anywhere."""
    if any(_is_same(home, request.url) for home in (source.url, *source.fallback)):
        return request
    private = {pair for pair in source.headers if pair[0].lower() not in HARMLESS}
    kept = tuple(pair for pair in request.headers if pair not in private)
    return replace(request, headers=kept, method="GET" if request.body else request.method, body=b"")


def _is_same(home: str, url: str) -> bool:
    try:
        return same_host(urlsplit(home), urlsplit(url))
    except (KeyError, ValueError):  # no address that could be asked: `fetch` says why
        return False


def _looked(source: Source, request: Request, got: Fetched | Unchanged, started: float) -> Looked:
    if isinstance(got, Unchanged):
        elapsed = monotonic() - started
        known = got.validators
        return Looked(request, 304, request.url, known, known.body_hash, None, elapsed, got, got.at, moved=got.moved)
    result: Listing | Document | None = None
    if request.purpose is not Purpose.ATTACHMENT:
        result = _worked_out(source, got, source.policy.deadline - (monotonic() - started))
    return Looked(
        request,
        got.status,
        got.url,
        got.validators,
        got.body_hash,
        None if request.purpose is Purpose.LISTING else got.body,
        monotonic() - started,
        result,
        got.at,
        got.media_type,
        got.moved,
        ahead=got.ahead,
    )


@dataclass(frozen=True, slots=True)
class _Browsed:
    """One look of a source that wants a browser."""

    source: Source
    request: Request
    now: Callable[[], datetime]
    started: float

    def looked(self) -> Looked:
        """Plainly where that does, else through the browser, whose page is then compared with what a plain request gives."""
        request, held = self.request, self.request.held
        file = request.purpose is Purpose.ATTACHMENT
        alike = held is not None and held.how == self.source.how and self.what() in held.plain
        if (file or alike) and (looked := self.plainly(request, held)) is not None:
            return looked
        seen = browser.visit(
            request, self.source.policy, timezone=self.source.schedule.timezone, seconds=lambda: max(LEAST, self.left())
        )
        held = self.got(seen)
        if file or seen.body is None:  # the bytes of what is no page are had plainly
            if request.purpose is Purpose.LISTING and self.what() not in (*held.plain, *dict(held.unlike)):
                held = replace(held, plain=(*held.plain, self.what())[-MOST:])
            return replace(self.fetched(request, held), held=held)
        got = browser.fetched(request, self.source.policy, seen, self.now())
        return self.compared(_looked(self.source, request, got, self.started), held)

    def what(self) -> str:
        """What is remembered of plain requests, by: the purpose and the host."""
        return f"{self.request.purpose} {urls.host(self.request.url)}"

    def left(self) -> float:
        """Seconds that the deadline leaves."""
        return self.source.policy.deadline - (monotonic() - self.started)

    def got(self, seen: browser.Visited) -> Pass:
        """What the browser got now, with what is known of plain requests as the source is read now."""
        held = self.request.held or Pass("")
        hosts = [urlsplit(url).hostname or "" for url in (self.request.url, seen.url)]
        cookies = browser.kept(seen.cookies, held.cookies, hosts)
        known = held if held.how == self.source.how else Pass("")
        return replace(known, user_agent=seen.user_agent, cookies=cookies, how=self.source.how)

    def fetched(self, request: Request, held: Pass | None) -> Looked:
        """The look by a plain request, with what the browser got. Raises SourceError."""
        policy = replace(self.source.policy, deadline=max(LEAST, self.left()))
        asked = request
        if held is not None:
            own = next((value for name, value in request.headers if name.lower() == "cookie"), "")
            cookie = browser.header(held.cookies, request.url, self.now(), own)
            others = tuple(pair for pair in request.headers if pair[0].lower() != "cookie")
            asked = replace(request, headers=(*others, ("Cookie", cookie)) if cookie else others)
            policy = replace(policy, user_agent=policy.user_agent or held.user_agent)
        got = fetch(asked, policy, now=self.now)
        return _looked(self.source, request, got if isinstance(got, Unchanged) else replace(got, request=request), self.started)

    def plainly(self, request: Request, held: Pass | None) -> Looked | None:
        """The same; None where the site turns it away, or what is wanted is not there. Raises SourceError for all else."""
        try:
            looked = self.fetched(request, held)
        except (Challenge, ParseError):
            return None
        except FetchError as error:
            believed = request.purpose is Purpose.ATTACHMENT and error.status in _NO_FILE
            if error.status in TURNED_AWAY and not believed:
                return None
            raise
        result = looked.result
        if isinstance(result, Listing) and not result.notices and result.last_step:
            page = "html" in looked.media_type  # of which nobody knows whether it is a shield's
            if page or not self.source.allow_empty:
                return None
        if isinstance(result, Document) and result.gone is not None:
            return None
        return replace(looked, held=held)

    def compared(self, looked: Looked, held: Pass) -> Looked:
        """The same look by a plain request where that gives the same, which is remembered; else the browser's."""
        what, at = self.what(), self.now()
        unlike = dict(held.unlike)
        settled = what not in held.plain and what in unlike and timedelta() <= at - unlike[what] < COMPARED
        if settled or isinstance(looked.result, Unchanged) or self.left() < 1:
            return replace(looked, held=held)
        plain: Looked | None = None
        try:
            plain = self.plainly(replace(self.request, validators=None), held)
        except SourceError:
            pass  # the browser's page is there: this was only to be cheaper the next time
        unlike.pop(what, None)
        others = tuple(one for one in held.plain if one != what)
        if plain is not None and _same(plain.result, looked.result):
            known = replace(held, plain=(*others, what)[-MOST:], unlike=tuple(unlike.items()))
            return replace(plain, request=self.request, held=known)
        return replace(looked, held=replace(held, plain=others, unlike=(*unlike.items(), (what, at))[-MOST:]))


def _same(one: Listing | Document | Unchanged | None, other: Listing | Document | Unchanged | None) -> bool:
    """Whether two answers say the same."""
    if isinstance(one, Listing) and isinstance(other, Listing):
        following = [None if listing.next is None else (listing.next.url, listing.next.body) for listing in (one, other)]
        told = [(listing.notices, listing.complete, listing.last_step) for listing in (one, other)]
        return told[0] == told[1] and following[0] == following[1]
    return one == other


def _masked(error: SourceError, mask: Mask) -> SourceError:
    """The error, without what the site repeats of what it was sent."""
    error.message = mask(error.message)
    error.args = (error.message,)
    if isinstance(error, Challenge | ParseError):
        error.hint = mask(error.hint)
    if isinstance(error, FetchError):
        error.page = mask(error.page)
    return error


def _unsaid(looked: Looked, mask: Mask) -> Looked:
    """The look, without the same in what is said of it to people."""
    result = looked.result
    if isinstance(result, Listing) and (result.problems or result.odd):
        odd = result.odd and replace(result.odd, said=mask(result.odd.said))
        result = replace(result, problems=tuple(map(mask, result.problems)), odd=odd)
    return replace(looked, result=result, url=mask(looked.url), moved=mask(looked.moved) if looked.moved else None)
