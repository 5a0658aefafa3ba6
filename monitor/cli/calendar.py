"""`monitor calendar`: deadlines and dates of effect for a calendar program."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from monitor.cli.common import DONE, FAILED, counted, place


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="-")
@click.option("--source", "sources", multiple=True, metavar="GLOB", help="Only these sources. Repeats.")
@click.option("--past", default="30d", show_default=True, metavar="AGE", help="How far back dates go.")
@click.pass_context
def calendar(ctx: click.Context, file: Path, sources: tuple[str, ...], past: str) -> int:
    """Write deadlines and dates of effect that notices name as iCalendar to FILE ("-": standard output).

    FILE is replaced as a whole: a calendar program that has subscribed to it sees the new state."""
    from datetime import UTC, datetime

    from monitor.cli.listing import known_or_stored, since, stored_rows
    from monitor.render import ics
    from monitor.store import reminders, said

    where = place(ctx)
    for name in sources:
        known_or_stored(where, name)
    now = datetime.now(UTC)
    first = since(past, where.timezone, now).date()
    found = stored_rows(where, lambda conn: reminders.rows(conn, first, sources))
    dates = [
        ics.Dated(
            row["id"], row["fact"], row["day"], row["title"], row["source"], row["url"], row["seq"],
            row["state"] == "withdrawn", said.load(row["facts"]),
        )
        for row in found
    ]  # fmt: skip
    written = ics.calendar(dates, where.language, now)
    if str(file) == "-":
        sys.stdout.buffer.write(written)
        return DONE
    beside = file.with_name(f".{file.name}.part")
    try:
        beside.write_bytes(written)
        beside.replace(file)
    except OSError as error:
        click.echo(f"{file}: cannot be written: {error.strerror}", err=True)
        beside.unlink(missing_ok=True)
        return FAILED
    click.echo(f"{counted(len(dates), 'date')} written to {file}")
    return DONE
