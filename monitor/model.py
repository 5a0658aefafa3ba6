"""The nouns: frozen values that one room hands to the next. They hold no behaviour beyond reading themselves; no I/O.

Times are aware and in UTC; a date without a time is a `datetime.date` (`When` is either). `None` means unknown, never "not yet
filled in". A noun is never changed to carry it into the next room: a new one is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

When = date | datetime


def when_text(when: When | None) -> str | None:
    """ISO 8601: `YYYY-MM-DD` for a date, `YYYY-MM-DDTHH:MM:SS+00:00` (microseconds only if there are any) for a moment."""
    if isinstance(when, datetime):
        return when.astimezone(UTC).isoformat()
    return None if when is None else when.isoformat()


def when_from(text: str | None) -> When | None:
    """The inverse of `when_text`."""
    if not text:
        return None
    return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)


class Purpose(StrEnum):
    LISTING = "listing"
    DOCUMENT = "document"
    ATTACHMENT = "attachment"
    PICTURE = "picture"
    TEXT = "text"  # of a stored file: no look at any address


class Kind(StrEnum):
    """What a change is."""

    NEW = "new"
    REVISED = "revised"
    WITHDRAWN = "withdrawn"
    RESTORED = "restored"
    GAP = "gap"
    FAILING = "failing"
    RECOVERED = "recovered"
    NOTE = "note"
    REMINDER = "reminder"


#: Changes about a source, a channel or this machine; `match` of a route is not applied to them.
HOUSE_KINDS = frozenset({Kind.GAP, Kind.FAILING, Kind.RECOVERED, Kind.NOTE})


class Outcome(StrEnum):
    BASELINE = "baseline"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    FAILED = "failed"


class Health(StrEnum):
    NEW = "new"
    OK = "ok"
    FAILING = "failing"
    QUIET = "quiet"
    PAUSED = "paused"


class DeliveryState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a source is due: an interval or a cron line (day names only) in `timezone`; `low` and `high` bound its own rhythm."""

    every: timedelta | None = None
    cron: str | None = None
    timezone: str = "Asia/Shanghai"
    low: timedelta | None = None
    high: timedelta | None = None


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """How the source's addresses may be fetched. Seconds and bytes; `allow_private` holds CIDRs and host:port."""

    deadline: float = 30.0
    max_bytes: int = 10 * 1024 * 1024
    max_attachment: int = 50 * 1024 * 1024
    allow_private: tuple[str, ...] = ()
    proxy: str = field(default="", repr=False)
    verify_tls: bool = True
    user_agent: str = ""
    encoding: str = ""
    busy: tuple[int, ...] = ()  # statuses by which this site says that it was asked too often
    browser: str = ""  # the browser's program; "": the first that is found


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """What of a page is its text: CSS to select, CSS to leave out, regular expressions whose matches are left out."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    ignore_text: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One place that is looked at. `id` is the identity, never the URL; `options` is the kind's own validated Options."""

    id: str
    kind: str
    url: str
    schedule: Schedule = field(default_factory=lambda: Schedule(every=timedelta(minutes=15)))
    tags: tuple[str, ...] = ()
    options: Any = None
    enabled: bool = True
    follow: bool = False
    pages: int = 5
    backfill: int = 50
    since: timedelta = timedelta(days=7)
    complete: bool = False
    allow_empty: bool = False
    recheck: tuple[timedelta, ...] = ()
    same: str = "auto"
    pictures: str = "auto"  # auto | all | none
    fallback: tuple[str, ...] = ()
    method: str = "GET"
    body: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)  # of these two and the proxy: masked in what is said
    via: str = "http"
    hold: timedelta = timedelta(minutes=2)
    failing_after: timedelta = timedelta(hours=6)
    reading: ReadPolicy = ReadPolicy()
    policy: FetchPolicy = FetchPolicy()
    workers: tuple[str, ...] = ()
    how: str = ""  # kind, its version and a hash of the options that shape text or key, e.g. "list/1:9f86d081"


@dataclass(frozen=True, slots=True)
class Validators:
    """What a complete accepted answer said of itself. `body_hash` is the hex SHA-256 of the decoded body; `at` when it came."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that a browser got. `domain` begins with a dot where it is for the hosts below, too; `expires` in seconds since
    1970, None: with the session."""

    name: str
    value: str = field(repr=False)
    domain: str
    path: str = "/"
    expires: float | None = None
    secure: bool = False


@dataclass(frozen=True, slots=True)
class Pass:
    """What a source's browser got, for plain requests: its cookies and its name. `plain`: of which purposes at which hosts
    ("listing www.example.org") a plain request was seen to give the same as the browser; `unlike`: of which it was not, and when.
    Both hold for what is read as `how` says."""

    user_agent: str
    cookies: tuple[Cookie, ...] = field(default=(), repr=False)
    plain: tuple[str, ...] = ()
    unlike: tuple[tuple[str, datetime], ...] = ()
    how: str = ""


#: Headers of a source that a browser may send along with a page, in lower case: they hold no key, or are for their host alone.
PAGE_HEADERS = frozenset({"accept", "accept-language", "content-type", "cookie", "referer", "user-agent", "x-requested-with"})


@dataclass(frozen=True, slots=True)
class Request:
    """One look to be taken. `page` counts from 1; `context` is small JSON that the kind wants back in `parse`; `held` is what the
    browser got for the source before."""

    url: str
    purpose: Purpose = Purpose.LISTING
    via: str = "http"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    validators: Validators | None = None
    page: int = 1
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)
    held: Pass | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete answer. `body` is decompressed; `charset` is a Python codec name that was found to fit (None for binary media);
    `moved` is the new address where the answer came by permanent redirects only; `open_end`: nobody said how long it is, so that
    it may have been cut off; `ahead`: by how many seconds this machine's clock is ahead of the server's, if it told the time."""

    request: Request
    status: int
    url: str
    body: bytes
    media_type: str
    charset: str | None
    validators: Validators
    at: datetime
    moved: str | None = None
    filename: str | None = None  # from Content-Disposition
    cookies: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # that the answer set, name and value
    open_end: bool = False
    ahead: float | None = None

    @property
    def text(self) -> str:
        """The body decoded; damaged bytes become U+FFFD."""
        return self.body.decode(self.charset or "utf-8", "replace")

    @property
    def body_hash(self) -> str:
        return self.validators.body_hash or hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server said 304, or the body is equal to the one that the validators tell of; `moved` as in Fetched."""

    at: datetime
    validators: Validators
    moved: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a notice links to, or (kind "picture") shows. `sha256` and `size` (bytes) are known once it has been fetched,
    `text` once it has been read; `problem` says why it is "", or what is missing of it."""

    url: str
    name: str
    media_type: str | None = None
    sha256: str | None = None
    size: int | None = None
    kind: str = "file"
    text: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One row of a listing. `key` is its identity within the source; `url` is canonical and absolute, or None where rows have no
    page; `text` is what the listing itself carries in full (a page, a feed's content, a JSON row), None if it carries none;
    `names` are what else its key would be in a load with other rows."""

    source_id: str
    key: str
    url: str | None
    title: str
    published: When | None = None
    summary: str = ""
    text: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Odd:
    """Why an answer that can be read may not be the list as it is: a short stable word, as an error's `reason`; a sentence."""

    reason: str
    said: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What one look at a source's list gave, in the list's own order. `next` is page 2, or step 2 where a list takes two
    (`last_step` False until then); absence means something only if `complete`; `problems` are sentences for people."""

    notices: tuple[Notice, ...]
    next: Request | None = None
    last_step: bool = True
    complete: bool = False
    state: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    odd: Odd | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What an official text says of itself. `number` is its 发文字号, in one spelling; `issuers` are full names; `kind` its 文种;
    `signed` 成文日期, `effective` 施行日期, `deadline` until when opinions are asked for; `ids` are CNVD, CNTA and CNNVD numbers;
    `severity`: low | medium | high | critical; `due`: until when a flaw must be dealt with. `words` pairs the name of a fact with
    the words that it was read from."""

    number: str | None = None
    issuers: tuple[str, ...] = ()
    kind: str | None = None
    signed: date | None = None
    effective: date | None = None
    deadline: date | None = None
    addressees: tuple[str, ...] = ()
    annexes: tuple[str, ...] = ()
    cves: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    severity: str | None = None
    cvss: float | None = None
    exploited: bool | None = None
    due: date | None = None
    words: tuple[tuple[str, str], ...] = ()


#: Of what nothing is known.
NO_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class Document:
    """What one look at a notice's own page gave. `reader` is name/version ("html/1"); `gone` where the site itself says that the
    page was deleted; `labels` are what the page says in its record (发文字号, 发文机关 …), name and value; `next` is the address
    of the next page of an article that the site has split."""

    title: str | None
    text: str
    reader: str
    published: When | None = None
    issuer: str | None = None
    attachments: tuple[Attachment, ...] = ()
    images: tuple[str, ...] = ()
    gone: str | None = None
    problems: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """A picture of words inside a file: `number` is its own among all of the file, in reading order, from 1; `where` names it for
    people ("page 3"). `path` names the packed files it stands in, `inner` is its number in the innermost."""

    number: int
    inner: int
    where: str = ""
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileText:
    """What the bytes of an attachment or picture say. `kind` is what they are, by their content; `reader` how they were read,
    name/version ("pdf/1"); `scans` are the pictures in it, whose words are in the text only where they were recognised. `problem`
    is one sentence for people: why there is no text, or what is missing of it."""

    kind: str
    reader: str
    text: str = ""
    pages: int | None = None
    scans: tuple[Scan, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a notice, as it was seen. Immutable; `seq` counts from 1."""

    notice: int
    seq: int
    fingerprint: str
    title: str
    text: str
    published: When | None
    seen_at: datetime
    how: str = ""
    attachments: tuple[Attachment, ...] = ()
    facts: Facts = NO_FACTS


@dataclass(frozen=True, slots=True)
class Reading:
    """One page, attachment or picture still to be read. `why`: first | recheck | missing | confirm | reread."""

    id: int
    source: str
    notice: int
    url: str
    purpose: Purpose
    due_at: datetime
    attempts: int = 0
    why: str = "first"
    validators: Validators | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A difference that is told, or kept with the reason why not (`silence`). `before`/`after` are version numbers; `detail` is
    what a change about a source, a channel or this machine says."""

    id: int
    kind: Kind
    source: str | None
    notice: int | None
    before: int | None
    after: int | None
    reason: str
    silence: str | None
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One change owed to one channel."""

    id: int
    change: int
    channel: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    due_at: datetime
    last_error: str | None = None
    sent_at: datetime | None = None
    digest: bool = False
    plain: bool = False  # the content was refused once: send title and link only
    alone: bool = False  # a group with it was refused: never grouped again
    since: datetime | None = None  # from when `give_up` counts
    parked: bool = False  # refused on the channel's account, and not sent since


@dataclass(frozen=True, slots=True)
class Channel:
    """Where messages go. `target` is the Apprise URL with its secrets: never logged, never stored. `limit` is in the unit that
    the service counts (None: the sender's own); `rate` is messages a minute (None: the sender's own)."""

    id: str
    target: str = field(repr=False)
    endpoint: str = field(default="", repr=False)
    format: str | None = None
    limit: int | None = None
    rate: float | None = None
    group: int = 10
    language: str = "zh"
    timezone: str = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Message:
    """What one channel is to receive. `format`: text | markdown | html; `body` fits the sender's limit or is split by the sender;
    `text` is the plain form of the same, for mail and for a plain retry; `id` is stable for (channel, changes);
    `thread` is the id of the first message about the same notice, if there was one."""

    title: str
    body: str
    format: str
    text: str
    id: str
    thread: str | None = None
    link: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The service took the message. `detail` is its own answer, without secrets; `posts` in how many parts it went."""

    at: datetime
    detail: str = ""
    posts: int = 1


@dataclass(frozen=True, slots=True)
class Check:
    """The record of one look at a source, or of several equal ones in a row (`at` … `until`, `count`)."""

    source: str
    at: datetime
    outcome: Outcome
    error: str | None = None
    new: int = 0
    revised: int = 0
    withdrawn: int = 0
    rows: int = 0
    elapsed: float = 0.0
    next_due_at: datetime | None = None
    detail: str = ""
