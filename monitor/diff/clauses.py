"""What the lines of an official text are: clauses with their level, table rows with their cells. It compares nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEADING_LINES = 400  # how far above a hunk its clause is looked for
_MOST_BARS = 200  # a line with more is no table row

NUMERAL = "[0-9０-９〇零一二三四五六七八九十百千两]{1,6}"
_CLAUSE = re.compile(
    rf"""[ \t\u3000]{{0,20}}(?:
    (?P<l0>\#{{1,6}}(?=[ ])|第{NUMERAL}[编篇章])|(?P<l1>第{NUMERAL}节)
    |(?P<l2>第{NUMERAL}条(?:之[一二三四五六七八九十]{{1,2}})?|(?:Article|Section)[ ]\d{{1,4}})
    |(?P<l3>[一二三四五六七八九十]{{1,3}}、)|(?P<l4>[（(][一二三四五六七八九十]{{1,3}}[）)])
    |(?P<l5>[0-9０-９]{{1,3}}(?:[、．]|\.(?![0-9])))|(?P<l6>[（(][0-9０-９]{{1,3}}[）)]|[①-⑳])
    |(?P<l7>第{NUMERAL}[款项]|[a-z][)）]))""",
    re.VERBOSE,
)


def clause(line: str) -> tuple[int, str] | None:
    """The mark with which a clause begins, and its level: 0 for 第一章 or a Markdown heading, 2 for 第一条, 3 for 一、, 4 for
    （一）, 5 for 1., 6 for (1) … None if the line begins no clause."""
    found = _CLAUSE.match(line)
    return (int((found.lastgroup or "l0")[1:]), found.group().strip()) if found else None


def cells(line: str) -> list[str] | None:
    """The cells of a table row `a | b | c` and the bars between them, joined equal to `line`; None if it is none."""
    bars = line.count("|")
    if not (bars > 1 or " | " in line) or bars > _MOST_BARS:
        return None
    parts: list[str] = []
    for cell in line.split("|"):
        words = cell.strip()
        start = cell.find(words)
        if parts:
            parts[-1] += "|" + cell[:start]
            parts += [words, cell[start + len(words) :]]
        else:
            parts += [cell[:start] + words, cell[start + len(words) :]]
    return [*parts[:-2], parts[-2] + parts[-1]]


def open_clauses(lines: Sequence[str], start: int, stop: int, known: tuple[tuple[int, str], ...]) -> tuple[tuple[int, str], ...]:
    """The clauses that are open at line `stop`, outermost first, given those open at line `start`."""
    found: list[tuple[int, str]] = []
    for line in reversed(lines[max(start, stop - _HEADING_LINES) : stop]):
        mark = clause(line)
        if mark and (not found or mark[0] < found[-1][0]):
            name = line.strip()
            found.append((mark[0], name if len(name) <= 24 else mark[1]))
            if mark[0] == 0:
                break
    outer = [entry for entry in known if not found or entry[0] < found[-1][0]]
    return (*outer, *found[::-1])
