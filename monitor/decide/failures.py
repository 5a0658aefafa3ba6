"""Failed checks: when they are told. Pure; it writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.model import Source

#: Told at once: waiting does not mend them, and a person should look.
AT_ONCE = frozenset({"tls", "forbidden", "no browser"})


@dataclass(frozen=True, slots=True)
class Failures:
    """The failed checks in a row of one source; `told` is the change that told of them."""

    count: int
    since: datetime
    reason: str
    told: int | None = None


def tell_failing(source: Source, failures: Failures, now: datetime) -> bool:
    """Whether the change `failing` is due: after three failed checks and `failing_after`, whichever is later."""
    if failures.told is not None:
        return False
    if failures.reason in AT_ONCE:
        return True
    return failures.count >= 3 and now - failures.since >= source.failing_after
