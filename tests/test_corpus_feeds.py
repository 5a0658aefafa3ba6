"""Feeds as they are served: every one is read, or refused by name, in time; what the tests of other readers expect is met."""

from __future__ import annotations

import ast
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ParseError
from monitor.fetch.charset import detect
from monitor.model import Fetched, Listing, Notice, Request, Source, Validators
from monitor.sources.feed import Feed
from monitor.sources.rows import plain

pytestmark = pytest.mark.corpus

AT = datetime(2026, 9, 10, 4, 0, tzinfo=UTC)
#: Where feedparser's own tests say that a document was served, for those whose addresses are relative.
URL = "http://127.0.0.1:8097/feed.xml"
SOURCE = Source("corpus", "feed", URL, options=Feed.Options())
#: The share of expectations that are met, of titles, links, identifiers, dates and texts, in the tests of feedparser and gofeed
#: together. Those that are not: an entity that the feed itself defines (refused), titles and texts that are a picture and no
#: word, an entry that is a copy of another, a link whose address stands in an attribute `uri` that no specification has.
FLOOR = 0.95


def read(file: Path, *, titled: bool = False) -> Listing:
    """The listing of one file as it would have come from a server without a word about its charset. `titled` gives its items a
    title: one that holds a date and nothing else is no notice."""
    body = file.read_bytes()
    if titled:
        body = re.sub(rb"(?i)(<(?:item|entry)\b[^>]*>)(?!.*<title)", rb"\1<title>t</title>", body, flags=re.DOTALL)
    return Feed().parse(SOURCE, Fetched(Request(URL), 200, URL, body, "application/xml", detect(body, None), Validators(), AT))


def files(corpus: Path) -> list[Path]:
    kinds = {".xml", ".rss", ".atom", ".json", ".html", ".txt"}
    return [file for file in sorted((corpus / "feeds").rglob("*")) if file.suffix in kinds]


def test_every_file_is_read_or_refused_by_name_within_a_second(corpus: Path) -> None:
    outcomes: dict[str, int] = {}
    for file in files(corpus):
        started = time.process_time()
        try:
            listing = read(file)
            outcome = "read"
            assert len({notice.key for notice in listing.notices}) == len(listing.notices), file
        except ParseError as error:
            outcome = error.reason
        assert time.process_time() - started < 1, file
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    print(outcomes)
    assert set(outcomes) <= {"read", "not a feed", "entities", "truncated", "not a list"}
    assert outcomes["read"] >= 500


def test_real_chinese_feeds_are_read_whole_and_in_chinese(corpus: Path) -> None:
    read_, doubted = 0, []
    for file in sorted((corpus / "feeds" / "chardet_real_chinese_feeds").rglob("*.xml")):
        if file.name.startswith("_chromium"):
            continue
        listing = read(file)
        said = "".join(notice.title + notice.summary + (notice.text or "") for notice in listing.notices)
        assert listing.notices, file
        read_ += 1
        if listing.problems or said.count("\ufffd") * 1000 > len(said) or not re.search("[的是不我有在]", said):
            doubted.append(file.name)
    assert read_ >= 28
    assert doubted == []


def expectations(corpus: Path) -> Iterator[tuple[Path, int, str, Any]]:
    """(file, number of the notice, field, value) of every expectation about a title, link, identifier, date or text."""
    for file in sorted((corpus / "feeds" / "feedparser").rglob("*.xml")):
        said = re.search(r"Expect:\s+(.*)", file.read_bytes().replace(b"\0", b"").decode("utf-8", "replace"))
        for found in re.finditer(r"entries\[(\d)\]\['(\w+)'\] == ((?:'[^']*')|\([\d, ]+\))", said[1] if said else ""):
            field = FEEDPARSER_FIELDS.get(found[2])
            if field:
                yield file, int(found[1]), field, ast.literal_eval(found[3])
    for file in sorted((corpus / "feeds" / "gofeed").rglob("*.json")):
        feed = file.with_suffix(".xml")
        if feed.exists():
            expected = json.loads(file.read_text("utf-8"))
            for n, one in enumerate(expected.get("items") or expected.get("entries") or []):
                yield from ((feed, n, field, value) for field, value in gofeed_fields(one))


FEEDPARSER_FIELDS = {
    "title": "title", "link": "link", "guid": "guid", "id": "guid", "published": "date", "published_parsed": "date",
    "updated": "date", "updated_parsed": "date", "created": "date", "created_parsed": "date",
    "summary": "body", "description": "body",
}  # fmt: skip


def gofeed_fields(one: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What gofeed expects of one item; its format readers and its translator spell the fields differently."""
    links = one.get("links") or []
    link = one.get("link") or next((this.get("href") if isinstance(this, dict) else this for this in links), None)
    guid = one.get("guid") or one.get("id")
    when = one.get("publishedParsed") or one.get("pubDateParsed")
    for field, value in (
        ("title", one.get("title")),
        ("link", link),
        ("guid", guid),
        ("date", when),
        ("body", one.get("description")),
    ):
        if value:
            yield field, value.get("value") if isinstance(value, dict) else value


def met(notice: Notice, field: str, value: Any) -> bool:
    if field == "title":
        return notice.title in (value, " ".join(plain(value).split()))
    if field == "link":
        return (notice.url or "").rstrip("/") == value.rstrip("/")
    if field == "guid":
        return notice.key in (value, re.sub("^https?://", "", value))
    if field == "body":
        return plain(value) in (notice.summary, notice.text or "")
    when = notice.published
    moment = datetime(*value[:6], tzinfo=UTC) if isinstance(value, tuple) else datetime.fromisoformat(value)
    return when == (moment if isinstance(when, datetime) else date(moment.year, moment.month, moment.day))


def test_what_the_tests_of_other_readers_expect_is_met(corpus: Path) -> None:
    total, missed = 0, []
    for file, n, field, value in expectations(corpus):
        total += 1
        try:
            notices = read(file, titled=field != "title").notices
        except ParseError as error:
            missed.append(f"{file.name}: {field} {value!r}: {error.reason}")
            continue
        if n >= len(notices) or not met(notices[n], field, value):
            missed.append(f"{file.name}: {field} {value!r}: {notices[n] if n < len(notices) else 'no such notice'}")
    print(f"{total - len(missed)} of {total} expectations met", *missed, sep="\n  ")
    assert total >= 100
    assert (total - len(missed)) / total >= FLOOR
