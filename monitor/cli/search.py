"""`monitor search`: notices by their words."""

from __future__ import annotations

from typing import Any

import click

from monitor.cli import output
from monitor.cli.common import load
from monitor.cli.listing import NOTICES, choice, filters, stored_rows, wanted
from monitor.cli.output import Column

KEYS = (*NOTICES, "line")


@click.command()
@click.argument("query", nargs=-1, required=True)
@filters(None, "present, withdrawn", cursor=False)
def search(ctx: click.Context, query: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Find notices by their words: title, text, attachments and what they say of themselves.

    QUERY is written as the `match` of a route: words, "phrases", AND, OR, NOT, brackets, field:value. Best first.
    """
    from monitor.match import PatternTooSlow, parse
    from monitor.store import found as finds

    config = load(ctx)
    try:
        asked = parse(" ".join(query))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    choice(given["states"], ("present", "withdrawn"), "state")
    filter_ = wanted(config, **given, as_json=as_json)
    try:
        found = stored_rows(config, lambda conn: finds.search(conn, asked, filter_, config.bodies))
    except PatternTooSlow as error:
        raise click.UsageError(str(error)) from None
    columns = [
        Column("id", "ID"),
        Column("published", "PUBLISHED"),
        Column("source", "SOURCE"),
        Column("said", "WHERE", wide=True),
    ]
    shown = found if as_json else [_shown(row, config.timezone) for row in found]
    output.rows(shown, columns, config.timezone, as_json=as_json, keys=KEYS)
    if found and not as_json:
        output.hint(f"monitor show {found[0]['id']} shows one whole")


def _shown(row: dict[str, Any], timezone: str) -> dict[str, Any]:
    """A find as a person sees it: the title, and the line where the words stand in the text."""
    told = row["title"] if row["line"].replace("【", "").replace("】", "") == row["title"] else f"{row['title']} — {row['line']}"
    return row | {"published": output.local(row["published"], timezone), "said": told.removesuffix(" — ")}
