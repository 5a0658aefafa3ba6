"""Regular expressions that users write, compiled: one that cannot be read, or would take all memory, is a sentence. Pure.

How long a search may take is told to each search (`timeout=SECONDS`): no pattern is judged by its looks.
"""

from __future__ import annotations

import re

import regex

#: What one search may take.
SECONDS = 0.1
#: Repeats with a number are written out when a pattern is compiled; more of them take minutes and all memory.
MOST_REPEATS = 100_000


class NoPattern(ValueError):
    """It cannot be compiled; `position` (from 0) where it cannot be read, None where it is too large."""

    def __init__(self, why: str, position: int | None = None) -> None:
        super().__init__(why)
        self.position = position


def compiled(source: str, flags: int = 0) -> regex.Pattern[str]:
    """The pattern. Raises NoPattern."""
    repeats = 1
    for count in re.findall(r"\{(\d{1,18})", source):
        repeats *= max(1, int(count))
    if repeats > MOST_REPEATS:
        raise NoPattern(f"it repeats more than {MOST_REPEATS} times, all its {{n}} multiplied")
    try:
        return regex.compile(source, flags)
    except regex.error as error:
        raise NoPattern(str(error.msg), error.pos or 0) from error
    except (RecursionError, OverflowError, MemoryError, ValueError, KeyError) as error:
        raise NoPattern("it is nested too deeply or too large") from error
