"""Every fault that `rows.py` lists has a case in a table, or a named test elsewhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.hostile.cases import CASES
from tests.hostile.cases_channel import CASES as CHANNEL_CASES
from tests.hostile.cases_storage import JUMPS, REFUSALS
from tests.hostile.rows import ELSEWHERE, ROWS

TESTS = Path(__file__).parents[1]
ALL = (*CASES, *CHANNEL_CASES, *REFUSALS, *JUMPS)
COVERED = {pair for case in ALL for pair in case.covers}
LISTED = [(row.id, name) for row in ROWS for name in row.faults]


@pytest.mark.parametrize("pair", LISTED, ids=[f"{row}: {name}" for row, name in LISTED])
def test_each_fault_that_is_listed_has_a_case(pair: tuple[str, str]) -> None:
    assert pair in COVERED or pair in ELSEWHERE


def test_no_case_covers_a_fault_that_is_not_listed() -> None:
    assert sorted(COVERED - set(LISTED)) == []
    assert sorted(set(ELSEWHERE) - set(LISTED)) == []


def test_no_two_cases_have_one_name() -> None:
    names = [case.id for case in ALL]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_a_test_that_covers_a_fault_elsewhere_is_there(place: str) -> None:
    file, _, name = place.partition("::")
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
