"""The kind `feed`: RSS 0.9 to 2.0, RDF, Atom, CDF and JSON Feed become a listing.

feedparser reads the XML that `feedxml` has made fit for it; addresses, dates, keys and plain text are ours. It follows no page,
and it never lets feedparser fetch or open anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from monitor import text
from monitor.errors import ParseError
from monitor.model import Attachment, Fetched, Listing, Request, Source
from monitor.sources import feedxml, jsonfeed, rows
from monitor.sources.dates import published
from monitor.sources.rows import Row

#: What a parser of other people's markup raises where it meets what its author never saw (feedparser and sgmllib name no base).
_FEEDPARSER_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
#: Relations of a link that do not lead to the notice itself.
_OTHER_RELATIONS = frozenset(
    {"enclosure", "self", "edit", "replies", "license", "next", "prev", "first", "last", "related", "via", "hub"}
)
_DATES = ("published", "updated", "created")


class FeedOptions(BaseModel):
    """A feed says by itself all that there is to say."""

    model_config = ConfigDict(extra="forbid")


class Feed:
    """The door: see `monitor.sources.SourceKind`."""

    Options = FeedOptions
    version = 1
    shaping: frozenset[str] = frozenset()

    def begin(self, source: Source, state: Mapping[str, Any], now: datetime) -> Request:
        """The source's own address; a feed needs no state."""
        return rows.first_request(source)

    def parse(self, source: Source, got: Fetched) -> Listing:
        """Every notice of the feed, in its order. Raises ParseError for what is no feed, hostile, or cut off."""
        raw = rows.decoded(got)
        timezone = source.schedule.timezone
        if raw.lstrip().startswith(("{", "[")):
            found, following, problems = jsonfeed.parse(raw, got.url, got.at, timezone)
        else:
            found, following, problems = _parse_xml(raw, got, timezone)
        return Listing(
            notices=rows.notices(source, found),
            next=rows.next_request(got, following),
            complete=source.complete and following is None and not problems,
            problems=(*rows.doubts(got, raw), *problems),
            odd=rows.damaged(got, raw),
        )


class _Body:
    """Bytes as feedparser takes them without trying to open a file of that name."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self) -> bytes:
        return self._body


def _parse_xml(raw: str, got: Fetched, timezone: str) -> tuple[list[Row], str | None, list[str]]:
    prepared = feedxml.prepare(raw, got.url)
    problems = list(prepared.problems)
    read = _feedparser(prepared.body, got.url)
    if read.bozo:
        problems.append(f"the feed is not well-formed XML ({_fault(read.get('bozo_exception'))}); what could be read was read")
        read = _feedparser(feedxml.confined(prepared.body), got.url)
    found = [row for listed in read.entries if (row := _row(listed, got, _guid(listed, got.url, raw), timezone))]
    if len(read.entries) < prepared.notices:
        problems.append(f"only {len(read.entries)} of {prepared.notices} items could be read")
    if len(found) < len(read.entries):
        problems.append(f"{len(read.entries) - len(found)} of {len(read.entries)} items say nothing that could be told")
    following = next((link.get("href") for link in read.feed.get("links", ()) if link.get("rel") == "next"), None)
    return found, rows.address(got.url, following), problems


def _feedparser(body: bytes, url: str) -> Any:
    """What feedparser makes of a document of UTF-8; no address in its texts is touched, since they become plain text."""
    import feedparser

    try:
        return feedparser.parse(
            _Body(body),
            response_headers={"content-type": "application/xml; charset=utf-8", "content-location": url},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except _FEEDPARSER_FAULTS as error:
        raise ParseError(
            f"{url} cannot be read as a feed ({type(error).__name__}: {error})",
            hint="the feed is broken beyond repair; tell its publisher",
            reason="broken feed",
        ) from error


def _fault(error: object) -> str:
    """Where and why the XML parser stopped."""
    line = getattr(error, "getLineNumber", lambda: None)()
    message = getattr(error, "getMessage", lambda: str(error))()
    return f"line {line}: {message}" if line else str(message)


def _guid(listed: Any, url: str, raw: str) -> str:
    """The identifier as the feed wrote it. feedparser makes every one that is no address into an address beside the feed, which
    would change with the feed's own."""
    guid = text.line(listed.get("id") or "")
    if guid in raw or escape(guid, quote=False) in raw:
        return guid
    parts = urlsplit(url)
    beside = url[: url.rfind("/") + 1]
    return guid.removeprefix(beside).removeprefix(f"{parts.scheme}://{parts.netloc}")


def _row(listed: Any, got: Fetched, guid: str, timezone: str) -> Row | None:
    """One item of the feed; None where it says nothing that could be told: no title, text, address, identifier or file."""
    summary, body = _texts(listed)
    title = _title(listed) or rows.short_title(summary or body)
    address = _address(listed, guid, got.url)
    attachments = tuple({one.url: one for one in _attachments(listed, got.url)}.values())
    if not (title or address or guid or attachments):
        return None
    return Row(
        title=title,
        url=address,
        guid=guid,
        published=next(
            (when for key in _DATES if key in listed and (when := published(listed[key] or "", got.at, timezone))), None
        ),
        summary=summary,
        text=body or None,
        labels=tuple(dict.fromkeys(_labels(listed))),
        attachments=attachments,
    )


def _title(listed: Any) -> str:
    """The title on one line. Atom says what its titles are written in; RSS does not, and means HTML where it looks like it."""
    raw = listed.get("title") or ""
    markup = listed.get("title_detail", {}).get("type") != "text/plain"
    return text.line(rows.plain(raw) if markup else raw)


def _texts(listed: Any) -> tuple[str, str]:
    """Summary and full content, in plain text; the content alone where the feed gives both the same."""
    body = "\n\n".join(
        dict.fromkeys(rows.plain(one.get("value") or "") for one in listed.get("content", ()) if _readable(one))
    ).strip()
    detail = listed.get("summary_detail", {})
    summary = rows.plain(listed.get("summary") or "") if _readable(detail) else ""
    return ("" if summary == body else summary), body


def _readable(detail: Any) -> bool:
    """Whether a text of Atom is text, not a picture in base64."""
    kind = detail.get("type") or "text/html"
    return kind.startswith("text/") or kind.endswith(("+xml", "/xml"))


def _address(listed: Any, guid: str, base: str) -> str | None:
    """The notice's own page: the alternate link (HTML first), else any link that may lead there, else a guid that is one."""
    links = [link for link in listed.get("links", ()) if link.get("href")]
    alternate = [link for link in links if link.get("rel", "alternate") == "alternate"]
    alternate.sort(key=lambda link: "html" not in (link.get("type") or "html"))
    wanted = [link["href"] for link in alternate]
    if listed.get("link") != listed.get("id"):  # feedparser takes every guid for an address
        wanted.append(listed.get("link"))
    wanted += [link["href"] for link in links if link.get("rel") not in _OTHER_RELATIONS]
    if guid.startswith(("http://", "https://", "/")):
        wanted.append(guid)
    return next((address for href in wanted if (address := rows.address(base, href))), None)


def _labels(listed: Any) -> Iterator[tuple[str, str]]:
    """Author, category and source; the first may be several people, the second several words."""
    people = [person.get("name") or person.get("email") for person in listed.get("authors", ())]
    for name in [*people] if any(people) else [listed.get("author")]:
        if name and (cleaned := text.line(name)):
            yield "author", cleaned
    for tag in listed.get("tags", ()):
        if cleaned := text.line(tag.get("label") or tag.get("term") or ""):
            yield "category", cleaned
    if cleaned := text.line(listed.get("source", {}).get("title") or ""):
        yield "source", cleaned


def _attachments(listed: Any, base: str) -> Iterator[Attachment]:
    for file in listed.get("enclosures", ()):
        if address := rows.address(base, file.get("href")):
            yield Attachment(address, text.line(file.get("title") or "") or rows.file_name(address), file.get("type") or None)
