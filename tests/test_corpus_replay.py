"""Real histories through both loops: what is told, and what is not, stays as good as it was measured.

The floors are those of the whole table (`python -m benchmarks.replay`). Here a part of each group runs; MONITOR_REPLAY=all runs
all of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import replay

pytestmark = pytest.mark.corpus
WHOLE = os.environ.get("MONITOR_REPLAY") == "all"


def score(group: str, most: int | None, only: str = "") -> replay.Score:
    (found,) = replay.run([group], most=None if WHOLE else most, only="" if WHOLE else only)
    assert found.checks, "the history is not in the collection"
    return found


def unexplained(found: replay.Score) -> list[tuple[str, str]]:
    """Disagreements with the record in which the record is right."""
    return [(where, what) for where, what in found.wrong if ": right, " not in what]


@pytest.mark.parametrize(
    ("group", "most", "only"),
    [
        ("pages", 60, "p"),
        ("pages-bare", 70, "livi"),
        ("pages-bare", 70, "mon-espace"),
        ("pages-bare", 40, "withings"),
        ("lists", 310, ""),
        ("records", None, "blank_flap"),
        ("records-bare", None, "-2025-0"),
        ("kev", 30, ""),
        ("kev-seeded", None, ""),
    ],
)
def test_what_is_true_is_told_in_time_and_nothing_else(corpus: Path, group: str, most: int | None, only: str) -> None:
    found = score(group, most, only)
    assert unexplained(found) == []
    assert found.seen_faults == found.faults
    assert found.health["recovered"] <= found.health["failing"]
    assert found.recall == 1 or found.right
    assert found.precision == 1 or found.right
