"""What the readers of files pass among themselves: lines with their places, and pages of them. They read nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass


class Unreadable(Exception):
    """Why a file gives no text: one clause of which the file is the subject ("is encrypted and asks for a password")."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it stands on a page. Places in any one unit, from the left and from the top; `row`: it has wide gaps, as a row of
    a table has."""

    text: str
    left: float
    right: float
    top: float
    bottom: float
    row: bool = False

    @property
    def size(self) -> float:
        """About the size of its letters."""
        return max(self.bottom - self.top, 0.01)


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of one page, in the order in which they are read."""

    lines: tuple[Line, ...]
    width: float
    height: float


def dump(page: Page) -> str:
    """A page as one JSON text, to be kept."""
    lines = [
        [line.text, *(round(place, 1) for place in (line.left, line.right, line.top, line.bottom)), line.row]
        for line in page.lines
    ]
    return json.dumps([page.width, page.height, lines], ensure_ascii=False, separators=(",", ":"))


def load(kept: str) -> Page:
    """The inverse of `dump`."""
    width, height, lines = json.loads(kept)
    return Page(tuple(Line(*line) for line in lines), width, height)
