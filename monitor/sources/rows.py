"""What the kinds of source share: the requests of a list and its next page, naming a foreign answer, and keeping rows apart.

It knows no format of its own: `feed`, `jsonfeed`, `jsonrow` and `list` hand their `Row`s to `notices`. No I/O, no clock.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from monitor import text, urls
from monitor.errors import ParseError
from monitor.html import dom
from monitor.html.dom import Element
from monitor.model import Attachment, Fetched, Notice, Odd, Request, Source, When

_TITLE_LENGTH = 80
#: C0 controls that neither XML nor HTML may carry, lone surrogates and non-characters.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or Office document"),
    (b"\xd0\xcf\x11\xe0", "a legacy Office document"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x89PNG", "a picture"),
    (b"GIF8", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a listing as its format gave it, cleaned, before it has a key. `guid` is the format's own identifier, if any;
    `anchor` the place on its page that its link names."""

    title: str
    url: str | None = None
    guid: str = ""
    published: When | None = None
    summary: str = ""
    text: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    anchor: str = ""


def first_request(source: Source) -> Request:
    """The request of page 1, as the source's own keys say."""
    return Request(source.url, via=source.via, method=source.method, headers=source.headers, body=source.body.encode())


def next_request(got: Fetched, url: str | None, **context: str) -> Request | None:
    """The request of the page after `got`, asked the way this one was; None without an address, or where it leads back here."""
    asked = got.request
    if url is None or urls.identity(url) in (urls.identity(got.url), urls.identity(asked.url)):
        return None
    return Request(
        url, via=asked.via, method=asked.method, headers=asked.headers, body=asked.body, page=asked.page + 1, context=context
    )


def address(base: str, href: str | None) -> str | None:
    """The absolute address that a link leads to; None where it leads nowhere, or to a place on its own page."""
    href = (href or "").strip()
    if not href or (href.startswith("#") and not href.startswith(("#/", "#!"))):
        return None
    return urls.join(base, href)


def notices(source: Source, rows: Iterable[Row]) -> tuple[Notice, ...]:
    """Rows with their keys, in order. A key is the first of guid, address, title, whole content that no other row of this load
    shares, so that reused guids and addresses hide nothing; an exact copy of a row is the same row, and so is a further row with
    the address of one WeChat article, which names it for certain."""
    kept = list(_once(dict.fromkeys(rows)))
    chosen = unshared([_keys(row) for row in kept])
    return tuple(
        Notice(
            source.id,
            key,
            row.url,
            row.title,
            row.published,
            row.summary,
            row.text,
            row.labels,
            row.attachments,
            tuple(name for name in _keys(row) if name != key),
        )
        for key, row in zip(chosen, kept, strict=True)
    )


def unshared(choices: Sequence[Iterator[str]]) -> list[str]:
    """Of each row's candidates the first that no other row has taken; the last where all are shared."""
    chosen = [next(keys) for keys in choices]
    while True:
        often = Counter(chosen)
        again = [n for n, key in enumerate(chosen) if often[key] > 1]
        worse = {n: key for n in again if (key := next(choices[n], "")) != ""}
        if not worse:
            return chosen
        for n, key in worse.items():
            chosen[n] = key


def _once(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows without further ones of an article that was listed already, under an address of another form."""
    seen: set[str] = set()
    for row in rows:
        article = urls.article(row.url) if row.url else None
        if article not in seen:
            yield row
        if article is not None:
            seen.add(article)


def _keys(row: Row) -> Iterator[str]:
    """Candidates for the key, best first. The last is unique to the row's content."""
    if guid := _folded_guid(row.guid):
        yield guid
    if address := urls.identity(row.url) if row.url else "":
        yield address
    folded = text.fold(row.title)
    if row.title:
        yield _hashed(folded)
    rest = (row.guid, row.url or "", str(row.published), row.summary, row.text or "", repr(row.labels), repr(row.attachments))
    yield _hashed(folded, *rest)


def _folded_guid(guid: str) -> str:
    """A guid as it stands; where it is an address, without the scheme (http and https name one document), fragment kept; the
    address of a WeChat article without what is different from link to link."""
    if article := urls.article(guid):
        return article
    return re.sub(r"^https?://", "", guid, flags=re.IGNORECASE) if guid[:4].lower() == "http" else guid


def title_key(title: str, *more: str) -> str:
    """`title:` and 32 hex digits: the key of a row that has neither identifier nor address."""
    return _hashed(text.fold(title), *more)


def _hashed(*parts: str) -> str:
    return "title:" + hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def short_title(body: str) -> str:
    """The beginning of a text, to stand for a missing title: its first line, at most 80 characters."""
    first = text.line(next((line for line in body.splitlines() if line.strip()), ""))
    return first if len(first) <= _TITLE_LENGTH else first[: _TITLE_LENGTH - 1].rstrip() + "…"


def file_name(url: str) -> str:
    """The last part of an address's path, readable; the host where the path is empty."""
    parts = urlsplit(url)
    return text.line(unquote(parts.path.rstrip("/").rpartition("/")[2])) or parts.netloc


def decoded(got: Fetched) -> str:
    """The answer as text for a parser: no byte order mark, none of `CONTROLS`. Raises ParseError where the bytes are no text."""
    refuse_binary(got)
    return CONTROLS.sub("", got.text.lstrip("\ufeff \t\r\n"))


def refuse_binary(got: Fetched) -> None:
    """Raises ParseError where the bytes are those of a document, a picture or an archive."""
    for magic, name in _MAGIC:
        if got.body.startswith(magic):
            raise ParseError(
                f"{got.url} is {name}, not a list of notices", hint="check the address of the source", reason="not a list"
            )


def doubts(got: Fetched, decoded_text: str) -> tuple[str, ...]:
    """A sentence where more than one character in 200 could not be decoded."""
    lost = decoded_text.count("\ufffd")
    if lost * 200 <= len(decoded_text):
        return ()
    return (f"{lost} of {len(decoded_text)} characters are not {got.charset or 'utf-8'}; set `encoding` for this source",)


def damaged(got: Fetched, decoded_text: str) -> Odd | None:
    """The same as a reason not to believe the list."""
    return next((Odd("damaged", said) for said in doubts(got, decoded_text)), None)


def looks_like_json(raw: str) -> bool:
    """Whether the whole text is JSON; a page that merely opens with a bracket is not."""
    if not raw.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


def page_title(root: Element) -> str:
    """The page's `<title>` on one line, or ""."""
    return next((title for one in root.iter("title") if (title := text.line(one.text or ""))), "")


def plain(markup: str) -> str:
    """HTML, or text that may hold some, as cleaned plain text. What no parser takes (nested without end) loses its tags."""
    if "<" not in markup:
        return text.clean(html.unescape(markup))
    try:
        return dom.text_of(dom.parse(markup))
    except ParseError:
        return text.clean(html.unescape(re.sub(r"<[^<>]*>", " ", markup)))
