"""`monitor preview`: look once at a source, a preset or an address, show its rows, store nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from monitor.cli.common import load, unknown
from monitor.cli.showing import show
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.model import Source


@click.command()
@click.argument("what", metavar="SOURCE|PRESET|URL")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
@click.option("--routes", is_flag=True, help="For each row: which route would take it, to which channels, and why.")
@click.pass_context
def preview(ctx: click.Context, what: str, as_json: bool, routes: bool) -> int:
    """Look once at a source, show the rows it would see, store nothing.

    For an address: find the feed or list there, and print a [[source]] to paste.
    """
    if what.startswith(("http://", "https://")):
        from monitor.cli.address import preview_address

        config = load(ctx) if routes else _config(ctx)
        return preview_address(what, config, as_json=as_json, routes=routes)
    config, source = _which(ctx, what)
    if routes and config is None:
        raise click.UsageError("--routes needs a configuration: monitor init writes one")
    return show(source, config, as_json=as_json, routes=routes)


def _config(ctx: click.Context) -> Config | None:
    """The configuration, where there is a good one: an address needs none, and only asks it for what it allows."""
    try:
        return load(ctx)
    except ConfigError:
        return None


def _which(ctx: click.Context, what: str) -> tuple[Config | None, Source]:
    """A source of the config, or a preset (which needs no config)."""
    from monitor import config as configs

    presets = list(configs.presets())
    try:
        config: Config | None = load(ctx)
    except ConfigError:
        if what not in presets:
            raise
        config = None
    if config is not None and what in config.sources:
        return config, config.sources[what]
    if what in presets:
        return config, configs.source_of({"preset": what}, config, os.environ)
    raise unknown("source or preset", what, [*(config.sources if config else ()), *presets])
