"""Where in a TOML file a table or key stands, so that a problem can name its line. It does not judge the file: tomllib does.

It reads the file as text and also finds its way through one that is not valid TOML, as far as that can be done. Keys inside
inline tables are not told apart: they stand on the line of the key that holds the table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Names of tables and keys from the top, and the number (from 0) of each table of an array: ("source", 3, "url").
Path = tuple[str | int, ...]

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_KEY})[ \t]*\]")
_SETTING = re.compile(rf"[ \t]*({_KEY})[ \t]*=")
_TOKEN = re.compile(r'"""|\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}\n]')
_ENDS = {'"""': re.compile(r'(?:\\.|[^\\])*?"""', re.DOTALL), "'''": re.compile(r".*?'''", re.DOTALL)}


@dataclass(frozen=True, slots=True)
class Mark:
    """One header or setting; line and column count from 1."""

    path: Path
    line: int
    column: int
    header: bool


class Lines:
    """The places of all tables and keys of one file."""

    def __init__(self, content: str) -> None:
        self.marks = _scan(content)
        self._first: dict[Path, Mark] = {}
        for mark in self.marks:
            self._first.setdefault(mark.path, mark)

    def line(self, path: Path) -> int:
        """The line of the path (of an array: its first table), or of the nearest table that holds it; 0 if there is none."""
        for length in range(len(path), 0, -1):
            if mark := self._first.get(path[:length]) or self._first.get((*path[:length], 0)):
                return mark.line
        return 0

    def repeated(self, line: int) -> tuple[Mark, Mark] | None:
        """The last header or setting at this line or before it, if it stands for a second time, and the first of its kind."""
        for mark in reversed(self.marks):
            if mark.line <= line:
                first = next((m for m in self.marks if _same_place(m, mark)), mark)
                return (first, mark) if first is not mark else None
        return None


def _same_place(earlier: Mark, mark: Mark) -> bool:
    """Whether the earlier of two marks already took the place of the other: the same path, or a value in the way to it."""
    return earlier.path == mark.path or (not earlier.header and earlier.path == mark.path[: len(earlier.path)])


def _scan(content: str) -> list[Mark]:
    marks: list[Mark] = []
    arrays: dict[Path, int] = {}
    table: Path = ()
    at, line = 0, 1
    while at < len(content):
        start_of_line = content.rfind("\n", 0, at) + 1
        if found := _HEADER.match(content, at):
            table = _resolve(_names(found[2]), arrays, opens_array=found[1] == "[[")
            column = found.start(1) - start_of_line + 1
            marks.append(Mark(table, line, column, header=True))
        elif found := _SETTING.match(content, at):
            column = found.start(1) - start_of_line + 1
            marks.append(Mark((*table, *_names(found[1])), line, column, header=False))
        end = _end_of_statement(content, found.end() if found else at)
        line += content.count("\n", at, end)
        at = end
    return marks


def _names(written: str) -> Path:
    return tuple(part.strip("\"'") if part[0] in "\"'" else part for part in re.findall(_PART, written))


def _resolve(names: Path, arrays: dict[Path, int], *, opens_array: bool) -> Path:
    """The path of a header: a table of an array is the one that was opened last."""
    path: Path = ()
    for position, part in enumerate(names):
        path = (*path, part)
        if opens_array and position == len(names) - 1:
            arrays[path] = arrays.get(path, -1) + 1
        if path in arrays:
            path = (*path, arrays[path])
    return path


def _end_of_statement(content: str, at: int) -> int:
    """Just behind the line end that closes the statement: not one inside a string of several lines or inside brackets."""
    depth = 0
    while token := _TOKEN.search(content, at):
        at, found = token.end(), token[0]
        if found in _ENDS:
            end = _ENDS[found].match(content, at)
            at = end.end() if end else len(content)
        elif found in ("[", "{"):
            depth += 1
        elif found in ("]", "}"):
            depth -= 1
        elif found == "\n" and depth <= 0:
            return at
    return len(content)
