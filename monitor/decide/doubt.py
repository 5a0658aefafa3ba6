"""Whether a state that was seen counts, or has to stand first. Pure."""

from __future__ import annotations

from monitor.decide.nouns import Known, Say
from monitor.model import Kind

#: A text that keeps less than this share of its length has lost most of itself.
LOSS = 0.5
#: Revised more often than this within a day is flapping.
FLAPS = 6


def flapping(known: Known) -> Say:
    """What is told once of a notice that is revised again and again."""
    return Say(
        Kind.NOTE,
        "flapping",
        (("count", known.revised_today + 1),),
        known,
    )


def doubtful(known: Known, print_: str, length: int | None) -> bool:
    """Whether a state has to stand before it counts: it is a former one, or most of the text is lost (`length` in characters;
    None where the text is not what is compared)."""
    return print_ in known.former or (length is not None and length < LOSS * known.length)
