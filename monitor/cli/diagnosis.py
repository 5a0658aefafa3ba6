"""Why a source shows no rows, in words for a person: what came instead, and which selectors would find rows in it now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.cli.common import counted
from monitor.cli.finding import confirmed, fetched
from monitor.cli.steps import step_for
from monitor.errors import FetchError, SourceError

if TYPE_CHECKING:
    from monitor.discover import Suggestion
    from monitor.model import Fetched, Request, Source


def of_error(source: Source, request: Request, error: SourceError) -> Iterator[str]:
    """What can be said beyond the error's own sentence."""
    if isinstance(error, FetchError):
        if error.page:
            yield f"the page that came is titled “{error.page}”"
        if error.status in (404, 410):
            yield f"look for the list on the site's own pages, then: monitor preview URL; it was expected at {source.url}"
        else:
            yield step_for(error, source.id)
        return
    if hint := getattr(error, "hint", ""):
        yield hint
    if error.reason not in ("challenge", "forbidden", "too large"):
        yield from of_nothing(source, request)


def of_nothing(source: Source, request: Request) -> Iterator[str]:
    """What the answer is in which no row was found, and what would find some. Asks for it once more."""
    from monitor import discover

    try:
        got = fetched(request, source.policy)
        yield _described(got)
        found = discover.fitting(source, got) or discover.best(confirmed(discover.suggest(got), source.policy))
    except SourceError as error:
        yield f"asked once more, it did not answer: {error.message}"
        return
    if found is None:
        yield discover.nothing(got) or "nothing on it looks like a list of notices"
        return
    first = found.listing.notices[0] if found.listing else None
    yield f"this would fit now ({counted(found.rows, 'row')}, the first: {first.title if first else ''}):"
    yield from (f"  {line}" for line in differing(source, found, got))


def _described(got: Fetched) -> str:
    from monitor.html import dom
    from monitor.sources import rows

    what = f"HTTP {got.status}, {got.media_type or 'of an unknown type'}, {len(got.body):,} bytes"
    try:
        title = "" if rows.looks_like_json(got.text) else rows.page_title(dom.parse(got.text))
    except SourceError:
        title = ""
    return f"{got.url.partition('?')[0]} answers {what}" + (f", titled “{title}”" if title else "")


def differing(source: Source, found: Suggestion, got: Fetched) -> list[str]:
    """The keys to write over the source's own; where that would not do, a source instead of it."""
    from monitor import discover

    keys = discover.over(source, found, got)
    lines = discover.toml(found if keys is None else replace(found, keys=keys)).split("\n")
    if keys is None:
        return [line for line in lines[1:] if not line.startswith(("id =", "follow ="))]
    return [line for line in lines if line.partition(" = ")[0] in keys]
