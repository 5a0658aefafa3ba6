"""`monitor doctor`: machine, configuration, database, each source tried once, each channel, with verdicts and the next steps.

What is found is in `machine`, `house` and `trials`, of one source in `then_and_now`. It stores nothing and sends no message.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from monitor.cli import output
from monitor.cli.common import DONE, FAILED, load, unknown
from monitor.cli.verdicts import Verdict, show, summary
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.config import Config


@click.command()
@click.argument("source", required=False)
@click.pass_context
def doctor(ctx: click.Context, source: str | None) -> int:
    """Look at machine, configuration and database, try each source once and the way to each channel; say what to do.

    With SOURCE: what it saw when it was well, what it sees now, what its selectors find, and which would fit.
    """
    if source is not None:
        from monitor.cli.then_and_now import examine

        loaded = load(ctx)
        if source not in loaded.sources:
            raise unknown("source", source, list(loaded.sources))
        return examine(loaded, loaded.sources[source])
    config, found = _configured(ctx)
    shown = show("Machine", _machine(config))
    shown += show("Configuration", found)
    if config is not None:
        shown += _tried(config)
    click.echo()
    click.echo(summary(shown))
    if config is not None and any(verdict.name and verdict.mark != "ok" for verdict in shown):
        output.hint("monitor doctor SOURCE shows what a source saw when it was well, and sees now")
    return FAILED if any(verdict.mark == "broken" for verdict in shown) else DONE


def _configured(ctx: click.Context) -> tuple[Config | None, list[Verdict]]:
    from monitor.cli import house

    try:
        config = load(ctx)
    except ConfigError as error:
        return None, [Verdict("broken", problem, "mend it, then: monitor validate") for problem in error.problems]
    return config, list(house.configuration(config))


def _machine(config: Config | None) -> Iterator[Verdict]:
    from monitor.cli import machine

    yield machine.python()
    yield machine.sqlite()
    if config is not None:
        yield machine.time_zone(config)
        yield from machine.proxies(config, os.environ)
    yield from machine.extras()


def _tried(config: Config) -> list[Verdict]:
    from monitor.cli import house, trials
    from monitor.cli.look import progress

    shown = show("Database", house.database(config), mask=config.mask)
    wanted = [source.id for source in config.sources.values() if source.enabled]
    with trials.desk_of(config, readable=not any(verdict.mark == "broken" for verdict in shown)) as desk:
        tried = trials.Trials(desk)
        with progress(len(wanted), as_json=False) as advance:
            found = list(tried.looks(advance))
        shown += show("Sources", found, wanted, config.mask)
        if wanted:
            shown += show("Network and clock", tried.network(), mask=config.mask)
    return shown + show("Channels", trials.channels(config), config.channels, config.mask)
