"""How many messages a channel may take now: 80 % of what its service allows in any minute. Pure; the times are kept elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

#: The share of the service's limit that is used.
SHARE = 0.8
MINUTE = timedelta(minutes=1)


def room(recent: Sequence[datetime], now: datetime, rate: float | None) -> tuple[float, datetime | None]:
    """(messages free now, when there is room again): `rate` is the service's messages a minute, None where it has no limit."""
    if rate is None:
        return math.inf, None
    allowed = max(1, math.floor(rate * SHARE))
    window = sorted(at for at in recent if now - MINUTE < at <= now)
    if len(window) < allowed:
        return allowed - len(window), None
    return 0, window[len(window) - allowed] + MINUTE


def spend(recent: Sequence[datetime], now: datetime, posts: int) -> list[datetime]:
    """The times to remember after `posts` more."""
    return [at for at in recent if now - MINUTE < at <= now] + [now] * posts
