"""What a text says of itself, as it is stored: one JSON object, with what is unknown left out. It reads no text: `facts` does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from typing import Any, Protocol

from monitor.facts import Bodies
from monitor.model import Facts, When
from monitor.store.database import dumps


class Reads(Protocol):
    """What reads texts for the store, ahead of the transaction where it can. `bodies`: who is called how."""

    bodies: Bodies
    copied: bool  # whether the same document is looked for elsewhere

    def __call__(
        self, title: str, text: str, published: When | None, origin: str | None, labels: Sequence[tuple[str, str]], /
    ) -> Facts:
        """The facts of a text; `origin` is from where a copy says it is (来源)."""
        ...

    def terms(self, said: str, /) -> str:
        """A text as the index of words takes it."""
        ...

    def shingles(self, said: str, /) -> frozenset[int]:
        """A text as `identity` compares it."""
        ...


_DATES = frozenset({"signed", "effective", "deadline", "due"})


def shown(facts: Facts) -> dict[str, Any]:
    """The facts that are known, by name; dates as `YYYY-MM-DD`, `words` by the name of their fact."""
    found: dict[str, Any] = {}
    for one in fields(Facts):
        value = getattr(facts, one.name)
        if value is None or value == ():
            continue
        if one.name == "words":
            value = dict(value)
        elif isinstance(value, date):
            value = value.isoformat()
        found[one.name] = list(value) if isinstance(value, tuple) else value
    return found


def dump(facts: Facts) -> str | None:
    """As a column holds them; None where nothing is known."""
    found = shown(facts)
    return dumps(found) if found else None


def load(column: str | None) -> Facts:
    """The inverse of `dump`; names that this program does not know are left out."""
    if not column:
        return Facts()
    known = {one.name for one in fields(Facts)}
    found: dict[str, Any] = {}
    for name, value in json.loads(column).items():
        if name == "words":
            found[name] = tuple(value.items())
        elif name in _DATES:
            found[name] = date.fromisoformat(value)
        elif name in known:
            found[name] = tuple(value) if isinstance(value, list) else value
    return Facts(**found)
