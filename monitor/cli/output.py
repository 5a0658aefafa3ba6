"""How rows leave: aligned, coloured and relative at a terminal; plain text in a pipe; one JSON object a line where asked.

Control characters of outside text are shown in a visible form: no title moves a cursor.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click

#: Colours of states, outcomes and kinds at a terminal.
COLOURS = {
    "ok": "green", "sent": "green", "unchanged": "dim", "baseline": "cyan", "changed": "green", "present": "green",
    "failing": "red", "failed": "red", "refused": "red", "expired": "yellow", "pending": "yellow", "sending": "yellow",
    "paused": "yellow", "withdrawn": "yellow", "new": "green", "revised": "cyan", "restored": "cyan", "gap": "red",
    "recovered": "green", "note": "dim", "quiet": "yellow", "reminder": "cyan",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: `key` of the row, heading; `wide` columns take the room that is left; `time` ones are relative."""

    key: str
    heading: str
    wide: bool = False
    time: bool = False


def visible(text: str) -> str:
    """Outside text on one line, with every control and format character in a visible form."""
    shown = []
    for char in text:
        if char in "\n\t\r":
            shown.append(" ")
        elif unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn"):
            shown.append("" if char in "\u200b\u200c\u200d\u2060\ufeff" else f"\\u{ord(char):04x}")
        else:
            shown.append(char)
    return "".join(shown)


def local(text: str | None, zone: str) -> str:
    """A stored moment as local time, to the minute; a date as it is."""
    if not text or len(text) == 10:
        return text or ""
    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def ago(text: str | None, now: datetime) -> str:
    """A stored moment in relation to now: "3 min ago", "in 2 h"."""
    if not text:
        return "never"
    if len(text) == 10:
        return text
    distance = datetime.fromisoformat(text) - now
    size = abs(distance)
    for unit, length in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1))):
        if size >= length:
            count = f"{size // length} {unit}"
            break
    else:
        count = f"{int(size.total_seconds())} s"
    return f"in {count}" if distance > timedelta(0) else f"{count} ago"


def cell(row: Mapping[str, Any], column: Column, zone: str, now: datetime | None) -> str:
    """One field for eyes."""
    value = row.get(column.key)
    if column.time:
        return ago(value, now) if now is not None else local(value, zone)
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(visible(str(one)) for one in value)
    return visible(str(value))


def rows(found: Iterable[Mapping[str, Any]], columns: Sequence[Column], zone: str, *, as_json: bool, keys: Sequence[str]) -> None:
    """Show a listing. `keys` are those of the contract, in its order, for `as_json`."""
    if as_json:
        for row in found:
            click.echo(json.dumps({key: row.get(key) for key in keys}, ensure_ascii=False))
    elif terminal():
        if whole := list(found):
            _table(whole, columns, zone)
    else:
        for row in found:
            click.echo("\t".join(cell(row, column, zone, None) for column in columns))


def _table(found: Iterable[Mapping[str, Any]], columns: Sequence[Column], zone: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column.heading, overflow="ellipsis", no_wrap=True, ratio=1 if column.wide else None)
    now = datetime.now(UTC)
    for row in found:
        texts = [cell(row, column, zone, now) for column in columns]
        table.add_row(*[Text(text, style=COLOURS.get(text, "")) for text in texts])
    table.expand = any(column.wide for column in columns)
    Console(highlight=False).print(table)


def hint(text: str) -> None:
    """The next step to take, for a person at a terminal only."""
    if terminal():
        click.secho(text, dim=True)


def terminal() -> bool:
    """Whether a person reads stdout at a terminal."""
    return sys.stdout.isatty()


def warn(text: str) -> None:
    """A sentence on stderr."""
    click.echo(visible(text), err=True)
