"""What an official text says of itself, read from its words: number, issuers, dates, addressees, annexes; of a flaw, its ids and
severity. Pure, and bounded in time whatever the text.

What a page's record or a row's fields say (labels) wins over what is read from the words. Nothing is guessed: what is not said is
unknown, and each fact keeps the words that it was read from.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from monitor.facts.bodies import BODIES, Bodies
from monitor.model import Facts, When

__all__ = ["BODIES", "Bodies", "parse_when", "read"]

#: A text longer than this (characters) is looked at in its beginning and its end.
_LONG, _END = 200_000, 20_000

# The patterns take longer to load than all else that a command needs, and a listing asks for none of them.


def read(
    title: str,
    text: str,
    *,
    published: When | None = None,
    origin: str | None = None,
    labels: Sequence[tuple[str, str]] = (),
    bodies: Bodies = BODIES,
) -> Facts:
    """The facts of one text. `published` is when it was published, `origin` from where a copy says it is (来源), `labels` are
    names and values of a record or row."""
    from monitor.facts.reading import Reading

    if len(text) > _LONG:
        text = f"{text[:_LONG]}\n{text[-_END:]}"
    return Reading(title, text, published, origin, labels, bodies).facts()


def parse_when(text: str, today: date, timezone: str = "Asia/Shanghai") -> When | None:
    """The first date that `text` tells, with its time if it tells one: see `monitor.facts.when.parse_when`."""
    from monitor.facts import when

    return when.parse_when(text, today, timezone)
