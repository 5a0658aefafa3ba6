"""What `monitor doctor` found, line by line: each with a verdict and the next step, aligned at a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import click

from monitor.cli import output
from monitor.cli.output import terminal

Mark = Literal["ok", "warning", "broken"]
COLOURS = {"ok": "green", "warning": "yellow", "broken": "red"}
#: A longer name of a source or channel does not push the others aside.
NAME = 32
_MARK = max(map(len, COLOURS)) + 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """One finding. `step`: what to do; `name`: the source or channel that it is about."""

    mark: Mark
    found: str
    step: str = ""
    name: str = ""


def show(heading: str, verdicts: Iterable[Verdict], names: Iterable[str] = (), mask: Callable[[str], str] = str) -> list[Verdict]:
    """Print a part of the findings as they come, and give them all. `names` are those that may stand before them; `mask` takes
    secrets out of what others said."""
    shown: list[Verdict] = []
    width = max(map(_width, names), default=0)
    for verdict in verdicts:
        if not shown:
            click.secho(heading, bold=terminal())
        shown.append(verdict)
        _print(replace(verdict, found=mask(verdict.found), step=mask(verdict.step)), width)
    return shown


def summary(verdicts: Iterable[Verdict]) -> str:
    """How many there are that are not well."""
    marks = [verdict.mark for verdict in verdicts]
    broken, warnings = marks.count("broken"), marks.count("warning")
    said = [f"{broken} broken"] * bool(broken) + [f"{warnings} warning{'s' * (warnings > 1)}"] * bool(warnings)
    return ", ".join(said) or "all is well"


def _print(verdict: Verdict, width: int) -> None:
    mark = f"{verdict.mark:<{_MARK}}"
    name = f"{_padded(output.visible(verdict.name), width)}  " if width else ""
    indent = 2 + _MARK + (width + 2 if width else 0)
    colour = COLOURS[verdict.mark] if terminal() else None
    first, *rest = _lines(output.visible(verdict.found), indent)
    click.echo(f"  {click.style(mark, fg=colour)}{name}{first}")
    for line in rest:
        click.echo(" " * indent + line)
    if verdict.step:
        first, *rest = _lines(output.visible(verdict.step), indent + 2)
        for lead, line in [("→ ", first), *(("  ", line) for line in rest)]:
            click.echo(" " * indent + lead + line)


def _lines(text: str, indent: int) -> list[str]:
    """The text as it fits the terminal beside an indent; in a pipe, one line."""
    if not terminal():
        return [text]
    from rich.console import Console
    from rich.text import Text

    console = Console()
    return [line.plain.rstrip() for line in Text(text).wrap(console, max(20, console.width - indent))] or [""]


def _width(name: str) -> int:
    return min(NAME, sum(_cells(output.visible(name))))


def _padded(name: str, width: int) -> str:
    return name + " " * max(0, width - sum(_cells(name)))


def _cells(text: str) -> Iterator[int]:
    import unicodedata

    for character in text:
        yield 2 if unicodedata.east_asian_width(character) in "WF" else 1
