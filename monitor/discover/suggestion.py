"""What is suggested: a source that fits an address, and what must be fetched before its rows are known. It finds nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from monitor import sources
from monitor.errors import ParseError
from monitor.model import Fetched, Listing, Request, Schedule, Source


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A source that fits. `keys` are those of a [[source]] table beside id, kind and url; `listing` what it shows, None where
    `ask` has yet to be fetched; `why` says what it was known by; `page` is the address that it was found at."""

    kind: str
    url: str
    why: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    listing: Listing | None = None
    ask: Request | None = None
    page: str = ""

    @property
    def rows(self) -> int:
        """How many rows it shows."""
        return len(self.listing.notices) if self.listing else 0


def best(suggestions: Sequence[Suggestion]) -> Suggestion | None:
    """The first that shows rows."""
    return next((suggestion for suggestion in suggestions if suggestion.rows), None)


def source_of(kind: str, url: str, options: Mapping[str, Any]) -> Source:
    """A source with these keys, to read an answer with. Raises ValueError where they are no options of the kind."""
    made = sources.kind(kind).Options(**options)
    return Source("preview", kind, url, Schedule(every=timedelta(minutes=15)), options=made)


def parsed(kind: str, url: str, got: Fetched, options: Mapping[str, Any]) -> Listing | None:
    """What a source with these keys sees in an answer; None where that is none of its kind."""
    try:
        return sources.kind(kind).parse(source_of(kind, url, options), got)
    except ParseError:
        return None
