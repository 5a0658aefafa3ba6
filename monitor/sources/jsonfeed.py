"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/): text becomes rows. Other JSON is named and refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from monitor import text
from monitor.errors import ParseError
from monitor.model import Attachment
from monitor.sources import rows
from monitor.sources.dates import published
from monitor.sources.rows import CONTROLS, Row, file_name, plain, short_title


def parse(raw: str, url: str, at: datetime, timezone: str) -> tuple[list[Row], str | None, list[str]]:
    """Rows in the feed's order, the absolute address of its next page if it names one, problems. Raises ParseError."""
    feed = _load(raw, url)
    found, lost = [], 0
    for item in feed["items"]:
        row = _row(item, url, at, timezone) if isinstance(item, dict) else None
        if row is None:
            lost += 1
        else:
            found.append(row)
    problems = [f"{lost} of {len(feed['items'])} items say nothing that could be told"] if lost else []
    return found, rows.address(url, _text(feed.get("next_url"))), problems


def _load(raw: str, url: str) -> dict[str, Any]:
    try:
        feed = json.loads(raw)
    except RecursionError as error:
        raise ParseError(f"{url} is JSON that nests too deeply", hint="check the address", reason="nesting") from error
    except ValueError as error:
        raise ParseError(
            f"{url} is not whole JSON: {error}",
            hint="the answer was cut off or is not JSON; if the next checks say the same, the site's feed is broken",
            reason="truncated",
        ) from error
    if isinstance(feed, dict) and isinstance(feed.get("items"), list):
        return feed
    what = f"an object with the keys {', '.join(map(str, list(feed)[:5]))}" if isinstance(feed, dict) else "an array"
    raise ParseError(f"{url} is JSON, but no JSON Feed: {what}", hint='use kind = "json" for other JSON', reason="not a feed")


def _row(item: dict[str, Any], base: str, at: datetime, timezone: str) -> Row | None:
    markup = _text(item.get("content_html"))
    body = plain(markup) if markup else text.clean(_text(item.get("content_text")))
    summary = text.clean(_text(item.get("summary")))
    guid = text.line(_text(item.get("id")))
    address = rows.address(base, _text(item.get("url"))) or rows.address(base, _text(item.get("external_url")))
    if address is None and guid.startswith(("http://", "https://")):
        address = rows.address(base, guid)
    title = text.line(_text(item.get("title"))) or short_title(summary or body)
    attachments = tuple({one.url: one for one in _attachments(item, base)}.values())
    if not (title or address or guid or attachments):
        return None
    when = published(_text(item.get("date_published")), at, timezone) or published(_text(item.get("date_modified")), at, timezone)
    return Row(
        title=title,
        url=address,
        guid=guid,
        published=when,
        summary=summary,
        text=body or None,
        labels=tuple(dict.fromkeys(_labels(item))),
        attachments=attachments,
    )


def _labels(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Author (1.1: a list; 1.0: one) and tags."""
    authors = item.get("authors")
    for author in authors if isinstance(authors, list) and authors else [item.get("author")]:
        if isinstance(author, dict) and (name := text.line(_text(author.get("name")))):
            yield "author", name
    tags = item.get("tags")
    for tag in tags if isinstance(tags, list) else []:
        if name := text.line(_text(tag)):
            yield "category", name


def _attachments(item: dict[str, Any], base: str) -> Iterator[Attachment]:
    listed = item.get("attachments")
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and (address := rows.address(base, _text(one.get("url")))):
            name = text.line(_text(one.get("title"))) or file_name(address)
            yield Attachment(address, name, _text(one.get("mime_type")) or None)


def _text(value: Any) -> str:
    """A string or a number as text; what the format does not allow there is as good as absent."""
    if isinstance(value, str):
        return CONTROLS.sub("", value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
