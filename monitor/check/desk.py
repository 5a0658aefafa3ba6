"""What both halves of loop 1 work with: config, store, clock, pace. It does nothing by itself."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor.config import Config
from monitor.model import Outcome, Pass, Source
from monitor.pace import Pace
from monitor.store import Store
from monitor.store.batch import Batch

log = logging.getLogger("monitor")


class Overtaken(Exception):
    """While a source was looked at, somebody changed what is asked of it or known of it: the look counts for nothing."""


def utcnow() -> datetime:
    """The clock of a real run."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Desk:
    """The tools of the loops. `config` is replaced as a whole when the file is read again. By source: `unchanged`, a hash of the
    list (and of all that it was judged with) of which it was found last that it says nothing new;
    `passes`, what a browser got; `turns`, how often people changed what is asked of it or known of it."""

    config: Config
    store: Store
    batch: Batch
    pace: Pace
    now: Callable[[], datetime] = utcnow
    rng: random.Random = field(default_factory=random.Random)
    unchanged: dict[str, int] = field(default_factory=dict)
    passes: dict[str, Pass] = field(default_factory=dict, repr=False)
    turns: dict[str, int] = field(default_factory=dict)

    def source(self, source_id: str) -> Source:
        """A source of the config. Raises KeyError where it left meanwhile."""
        return self.config.sources[source_id]

    def turn(self, source_id: str) -> int:
        """What a look at the source must begin with, and find again when it is written."""
        return self.turns.get(source_id, 0)

    def overtake(self, source_ids: Iterable[str]) -> None:
        """Looks at these that are under way count for nothing. In the write transaction that makes it so, while none starts."""
        for id_ in source_ids:
            self.turns[id_] = self.turn(id_) + 1
            self.batch.void(id_)
            self.unchanged.pop(id_, None)

    def same_turn(self, source_id: str, turn: int) -> None:
        """Raises Overtaken where a look that began with this turn was overtaken."""
        if self.turn(source_id) != turn:
            raise Overtaken(source_id)


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
