"""What both halves of loop 1 work with: config, store, clock, pace. It does nothing by itself."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor.config import Config
from monitor.model import Outcome, Pass, Source
from monitor.pace import Pace
from monitor.store import Store
from monitor.store.batch import Batch

log = logging.getLogger("monitor")


def utcnow() -> datetime:
    """The clock of a real run."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Desk:
    """The tools of the loops. `config` is replaced as a whole when the file is read again. By source: `unchanged`, a hash of the
    list (and of all that it was judged with) of which it was found last that it says nothing new;
    `passes`, what a browser got."""

    config: Config
    store: Store
    batch: Batch
    pace: Pace
    now: Callable[[], datetime] = utcnow
    rng: random.Random = field(default_factory=random.Random)
    unchanged: dict[str, int] = field(default_factory=dict)
    passes: dict[str, Pass] = field(default_factory=dict, repr=False)

    def source(self, source_id: str) -> Source:
        """A source of the config. Raises KeyError where it left meanwhile."""
        return self.config.sources[source_id]


@dataclass(frozen=True, slots=True)
class Report:
    """What one check did, for people and for the plan. `elapsed` in seconds; `rows` seen; `newest` is a title."""

    source: str
    outcome: Outcome
    next_due_at: datetime
    new: int = 0
    revised: int = 0
    withdrawn: int = 0
    rows: int = 0
    error: str | None = None
    hint: str = ""
    elapsed: float = 0.0
    newest: str = ""
    problems: tuple[str, ...] = ()
    asked_until: datetime | None = None
    reason: str = ""
