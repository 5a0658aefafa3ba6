"""When a source that answers well says nothing new for unusually long. Pure: the caller says what time it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

#: So many notices must have come before anything can be called usual.
ENOUGH = 8
#: A silence is unusual from this many times the longest pause so far on, and never before `LEAST`: holidays last about a week.
TIMES, LEAST = 3, timedelta(days=14)


def longest_pause(came: Sequence[datetime], now: datetime) -> timedelta | None:
    """The longest pause between notices (`came`: aware, newest first) if the present one is unusual beside it, else None."""
    if len(came) < ENOUGH:
        return None
    pauses = [newer - older for newer, older in pairwise(came)]
    longest = max(pauses)
    return longest if now - came[0] > max(TIMES * longest, LEAST) else None
