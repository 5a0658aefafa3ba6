"""One look at a source, shown to a person: its rows, what the routes would do with them, or why there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import diagnosis, output, robots
from monitor.cli.common import DONE, FAILED, counted
from monitor.cli.output import Column
from monitor.errors import SourceError
from monitor.model import when_text

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.model import Notice, Source

KEYS = ("key", "title", "url", "published")


def show(source: Source, config: Config | None, *, as_json: bool, routes: bool = False) -> int:
    """Look at a source and show its rows, or what there is instead. Exit 1 where there are none."""
    from monitor import sources
    from monitor.check.desk import utcnow
    from monitor.look import look
    from monitor.model import Listing

    mask = config.mask if config else str
    notices: list[Notice] = []
    elapsed = 0.0
    request = sources.kind(source.kind).begin(source, {}, utcnow())
    try:
        while True:
            looked = look(source, request, utcnow)
            assert isinstance(looked.result, Listing)
            notices += looked.result.notices
            elapsed += looked.elapsed
            if looked.result.last_step or looked.result.next is None:
                break
            request = replace(looked.result.next, held=looked.held)
    except SourceError as error:
        output.warn(mask(f"{source.id}: {error.message}"))
        _say(diagnosis.of_error(source, request, error), mask)
        return FAILED
    zone = config.timezone if config else "Asia/Shanghai"
    rows = rows_of(notices)
    if routes and config is not None:
        add_routes(rows, notices, config, source.id)
    show_rows(rows, zone, as_json=as_json)
    for problem in looked.result.problems:
        output.warn(mask(f"{source.id}: {problem}"))
    if not as_json:
        say_routes(rows)
    if not rows:
        output.warn(f"{source.id}: no rows" + (", which allow_empty says is right" if source.allow_empty else ""))
        if source.allow_empty:
            return DONE
        _say(diagnosis.of_nothing(source, request), mask)
        return FAILED
    output.hint(f"{counted(len(rows), 'row')} in {elapsed:.1f} s; nothing was stored")
    if not as_json:
        robots.say(source.url, source.policy)
    return DONE


def rows_of(notices: Sequence[Notice]) -> list[dict[str, Any]]:
    """Rows of a listing with the keys of the contract."""
    return [dict(zip(KEYS, (one.key, one.title, one.url, when_text(one.published)), strict=True)) for one in notices]


def add_routes(rows: Sequence[dict[str, Any]], notices: Sequence[Notice], config: Config, source: str) -> None:
    """Say beside each row what the routes would do with it, were it new in a source of this name."""
    for row, notice in zip(rows, notices, strict=True):
        row["routes"] = _routed(config, notice, source)


def show_rows(rows: Sequence[Mapping[str, Any]], zone: str, *, as_json: bool) -> None:
    """Rows for eyes, with local times; or one JSON object each."""
    keys = (*KEYS, "routes") if any("routes" in row for row in rows) else KEYS
    shown = rows if as_json else [{**row, "published": output.local(row["published"], zone)} for row in rows]
    columns = [Column("published", "PUBLISHED"), Column("title", "TITLE", wide=True), Column("url", "URL")]
    output.rows(shown, columns, zone, as_json=as_json, keys=keys)


def _say(sentences: Iterator[str], mask: Callable[[str], str]) -> None:
    for sentence in sentences:
        output.warn(mask(sentence))


def _routed(config: Config, notice: Notice, source: str) -> dict[str, Any]:
    """What the routes would do with a row, were it new in a source of this name: channels with their route, or the silence; every
    route tried. What its page says besides is not known."""
    from monitor import facts
    from monitor.match import Subject
    from monitor.model import Kind
    from monitor.route import route
    from monitor.store.fields import said_by

    text = notice.text if notice.text is not None else notice.summary
    told = facts.read(notice.title, text, published=notice.published, labels=notice.labels, bodies=config.bodies)
    fields = said_by(notice.labels, told, "", config.bodies) | {
        "source": source,
        "kind": "new",
        "title": notice.title,
        "text": text,
        "url": notice.url or "",
    }
    routing = route(Kind.NEW, Subject(fields), config.routes, tuple(config.channels), datetime.now(UTC), config.timezone)
    return {
        "channels": [{"channel": planned.channel, "route": planned.route} for planned in routing.deliveries],
        "silence": routing.silence,
        "tried": [{"route": tried.route, "matched": tried.matched, "reason": tried.reason} for tried in routing.tried],
    }


def say_routes(rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        if routing := row.get("routes"):
            to = ", ".join(f"{one['channel']} by {one['route']}" for one in routing["channels"])
            to = to or f"not told: {routing['silence']}"
            click.echo(f"{output.visible(row['title'])}: {to}")
            for tried in routing["tried"]:
                word = "matched" if tried["matched"] else "not matched"
                click.echo(f"  {tried['route']}: {word}: {output.visible(tried['reason'])}")
