"""`monitor preview URL`: find a feed or a list at an address, show its rows, print a [[source]] to paste; store nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from monitor.cli import output, robots
from monitor.cli.common import DONE, FAILED, terminal
from monitor.cli.output import Column
from monitor.errors import SourceError

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.discover import Suggestion
    from monitor.model import Fetched, FetchPolicy

#: Feeds that a page links to and that are looked at, at most.
FEEDS = 3


def preview_address(url: str, config: Config | None, *, as_json: bool) -> int:
    """Look at an address and say what it could be a source of. Exit 1 where nothing is found or the address does not answer."""
    from monitor import discover
    from monitor.model import FetchPolicy, when_text

    policy = FetchPolicy(allow_private=config.allow_private, proxy=config.proxy) if config else FetchPolicy()
    try:
        found = _confirmed(discover.suggest(_fetch(url, policy)), policy)
    except SourceError as error:
        output.warn(f"{url}: {error.message}")
        return FAILED
    best = discover.best(found)
    if best is None or best.listing is None:
        output.warn(
            f"{url}: no feed and no list of notices was found on it: if it is one notice, watch it with"
            f' kind = "page"; if its rows are made by a script, look for the address that the script asks'
        )
        return FAILED
    rows = [
        {"key": notice.key, "title": notice.title, "url": notice.url, "published": when_text(notice.published)}
        for notice in best.listing.notices
    ]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return DONE
    columns = [Column("published", "PUBLISHED"), Column("title", "TITLE", wide=True), Column("url", "URL")]
    output.rows(rows, columns, config.timezone if config else "Asia/Shanghai", as_json=False, keys=())
    for problem in best.listing.problems:
        output.warn(problem)
    _paste(best, [one for one in found if one is not best])
    robots.say(best.url, policy)
    return DONE


def _fetch(url: str, policy: FetchPolicy) -> Fetched:
    from monitor.check.desk import utcnow
    from monitor.fetch import fetch
    from monitor.model import Fetched, Request

    got = fetch(Request(url), policy, now=utcnow)
    assert isinstance(got, Fetched)  # without validators nothing is "not modified"
    return got


def _confirmed(found: list[Suggestion], policy: FetchPolicy) -> list[Suggestion]:
    """Feeds that a page only links to are fetched: one that shows no rows is no suggestion."""
    from monitor import discover

    sure: list[Suggestion] = []
    asked = 0
    for one in found:
        if one.listing is not None:
            sure.append(one)
        elif asked < FEEDS:
            asked += 1
            try:
                feed = discover.best(discover.suggest(_fetch(one.url, policy)))
            except SourceError as error:
                output.warn(f"{one.url}: {one.why}, but: {error.message}")
                continue
            if feed is not None and feed.kind == "feed":
                sure.append(replace(feed, why=one.why))
    return sure


def _paste(best: Suggestion, others: list[Suggestion]) -> None:
    from monitor import discover

    heading = f"# {best.why}"
    click.echo()
    click.secho(heading, dim=True) if terminal() else click.echo(heading)
    click.echo(discover.toml(best))
    for one in others:
        click.echo(f"\n# also here: {one.why}")
        click.echo("\n".join(f"# {line}" for line in discover.toml(one).split("\n")))
    output.hint("\npaste this into monitor.toml, then: monitor check")
