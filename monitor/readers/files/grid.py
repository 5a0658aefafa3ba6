"""Ruled tables on a page: lines that are drawn make cells, and what stands in a cell belongs together, however it is set.

It is told where lines are drawn and where letters stand, reads no file, and finds only tables whose cells are ruled off.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from monitor.readers.files.nouns import Line
from monitor.text import glued

#: More lines that are drawn than this are a drawing, and so are more cells; a cell of more lines of text is a frame.
MOST_EDGES, MOST_CELLS, MOST_LINES = 800, 8000, 12
#: A line that is wider than this many letters short of a cell's right side has ended there by itself.
_LOOSE = 1.6

#: A cell's row and column.
Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Edge:
    """A line that is drawn across (`y0 == y1`) or down, from the upper left corner of the page."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Table:
    """A table: where its columns and rows begin and end, and for each place of that grid the cell that it belongs to, which is
    named by its first place."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    cells: dict[Cell, Cell] = field(hash=False)

    def cell(self, x: float, y: float) -> Cell | None:
        """The cell at a point; None outside of the table."""
        column, row = bisect_right(self.xs, x) - 1, bisect_right(self.ys, y) - 1
        return self.cells.get((row, column))

    def rows(self, cells: Mapping[Cell, Sequence[Line]]) -> list[Line] | None:
        """A line for each row that says something, with ` | ` between its cells, of which `cells` has the lines; rows that are
        not ruled off from each other are told apart where their lines stand on one height. None for what is no table, but a
        frame around text: where a cell has very many lines, or most rows say something in one cell alone."""
        if any(len(lines) > MOST_LINES for lines in cells.values()):
            return None
        found: list[tuple[list[str], float, float]] = []
        for row, (top, bottom) in enumerate(pairwise(self.ys)):
            named = [(cell, cells.get(cell, ()) if cell[0] == row else ()) for cell in self._row(row)]
            for said in _apart(named) or [[self._text(cell, lines) for cell, lines in named]]:
                if any(said):
                    found.append((said, top, bottom))
        if 2 * sum(sum(map(bool, said)) > 1 for said, _, _ in found) < len(found):
            return None
        out = []
        for said, top, bottom in found:
            text = " | ".join(one.replace("|", "｜") for one in said)
            out.append(Line(text, self.xs[0], self.xs[-1], top, bottom, row=True))
        return out

    def _text(self, cell: Cell, lines: Sequence[Line]) -> str:
        """What a cell says: lines that its width has broken are joined, others stand beside each other."""
        text = ""
        for at, line in enumerate(lines):
            full = at > 0 and lines[at - 1].right + _LOOSE * lines[at - 1].size > self._right(cell)
            text = glued(text, line.text) if full or not text else f"{text} {line.text}"
        return text

    def _row(self, row: int) -> list[Cell]:
        """The cells of a row, from left to right; one that goes on from the row above is among them."""
        return list(dict.fromkeys(self.cells[row, column] for column in range(len(self.xs) - 1)))

    def _right(self, cell: Cell) -> float:
        row = cell[0]
        return max(self.xs[column + 1] for column in range(len(self.xs) - 1) if self.cells[row, column] == cell)


def _apart(row: Sequence[tuple[Cell, Sequence[Line]]]) -> list[list[str]] | None:
    """The rows in a row that is not ruled off inside, one for each height on which the first column and two more at least say
    something; what stands below such a height belongs to it. None where there is one row."""
    places = [(line, column) for column, (_, lines) in enumerate(row) for line in lines]
    filled = [column for column, (_, lines) in enumerate(row) if lines]
    heights: list[list[tuple[Line, int]]] = []
    for line, column in sorted(places, key=lambda one: one[0].top + one[0].bottom):
        middle = (line.top + line.bottom) / 2
        if heights and any(one.top < middle < one.bottom for one, _ in heights[-1]):
            heights[-1].append((line, column))
        else:
            heights.append([(line, column)])
    rows: list[list[str]] = []
    begun = 0
    for height in heights:
        columns = {column for _, column in height}
        begins = filled[0] in columns and len(columns) >= max(3, 0.35 * len(filled))
        if not begins and not rows:
            return None
        if begins:
            rows.append([""] * len(row))
            begun += 1
        for line, column in height:
            rows[-1][column] = f"{rows[-1][column]} {line.text}".strip()
    return rows if begun > 1 else None


def tables(edges: Sequence[Edge], near: float) -> list[Table]:
    """The tables that the lines make: those that cross each other or meet, with two columns at least. Places that differ by less
    than `near` are one."""
    across = _merged([(edge.y0, edge.x0, edge.x1) for edge in edges if edge.x1 - edge.x0 > edge.y1 - edge.y0], near)
    down = _merged([(edge.x0, edge.y0, edge.y1) for edge in edges if edge.x1 - edge.x0 <= edge.y1 - edge.y0], near)
    if not across or not down or len(across) + len(down) > MOST_EDGES:
        return []
    owner = list(range(len(across) + len(down)))

    def root(one: int) -> int:
        while owner[one] != one:
            owner[one] = owner[owner[one]]
            one = owner[one]
        return one

    for a, (y, x0, x1) in enumerate(across):
        for d, (x, y0, y1) in enumerate(down, len(across)):
            if x0 - near <= x <= x1 + near and y0 - near <= y <= y1 + near:
                owner[root(a)] = root(d)
    parts: dict[int, tuple[list[_Run], list[_Run]]] = {}
    for one, run in enumerate([*across, *down]):
        parts.setdefault(root(one), ([], []))[one >= len(across)].append(run)
    found = [_table(rows, columns, near) for rows, columns in parts.values()]
    return [table for table in found if table is not None]


#: A line's place, and from where to where it goes.
_Run = tuple[float, float, float]


def _merged(runs: list[_Run], near: float) -> list[_Run]:
    """Lines on one place that touch are one line."""
    found: list[_Run] = []
    for place, group in _clusters(runs, near):
        current: list[float] = []
        for _, start, stop in sorted(group, key=lambda run: run[1]):
            if current and start <= current[1] + near:
                current[1] = max(current[1], stop)
                continue
            if current:
                found.append((place, *current))  # type: ignore[arg-type]  # two numbers
            current = [start, stop]
        found.append((place, *current))  # type: ignore[arg-type]
    return found


def _clusters(runs: list[_Run], near: float) -> Iterable[tuple[float, list[_Run]]]:
    group: list[_Run] = []
    for run in sorted(runs):
        if group and run[0] - group[0][0] > near:
            yield group[0][0], group
            group = []
        group.append(run)
    if group:
        yield group[0][0], group


def _table(across: list[_Run], down: list[_Run], near: float) -> Table | None:
    xs = tuple(place for place, _ in _clusters(down, near))
    ys = tuple(place for place, _ in _clusters(across, near))
    if len(xs) < 3 or len(ys) < 2 or len(xs) * len(ys) > MOST_CELLS:
        return None
    cells: dict[Cell, Cell] = {}
    for row, (top, bottom) in enumerate(pairwise(ys)):
        for column, (left, right) in enumerate(pairwise(xs)):
            above, before = cells.get((row - 1, column)), cells.get((row, column - 1))
            if before is not None and not _covers(down, left, (top + bottom) / 2, near):
                cells[row, column] = before
            elif above is not None and not _covers(across, top, (left + right) / 2, near):
                cells[row, column] = above
            else:
                cells[row, column] = (row, column)
    return Table(xs, ys, cells)


def _covers(runs: list[_Run], place: float, point: float, near: float) -> bool:
    return any(abs(at - place) <= near and start - near <= point <= stop + near for at, start, stop in runs)
