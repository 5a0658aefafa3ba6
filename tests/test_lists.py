"""Listings with every filter say what a look at each row would say, and page by page what they say at once."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from monitor.check.prepared import Prepared
from monitor.facts import BODIES
from monitor.model import Kind, Notice, Source
from monitor.store import Store, changes, lists, notices, sources
from monitor.store.database import stamp
from monitor.store.lists import Filter

NOW = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
READS = Prepared(BODIES)
KINDS = {"gov/a": "list", "gov/b": "feed", "sec/a": "feed", "sec/b": "json", "empty": "page"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Four sources with a hundred notices and as many changes, in an order that follows no source; one has none."""
    rng = random.Random(5)
    with Store(Path(tmp_path_factory.mktemp("lists")) / "monitor.db") as made:
        with made.write() as conn:
            wanted = [Source(id_, kind, f"https://www.example.org/{id_}", how="list/1:0") for id_, kind in KINDS.items()]
            sources.sync(conn, wanted, dict.fromkeys(KINDS, NOW))
            for number in range(100):
                at = NOW + timedelta(hours=number)
                source = rng.choice(["gov/a", "gov/b", "gov/b", "sec/a", "sec/b"])
                row = Notice(source, f"k{number}", None, f"第{number}号")
                id_ = notices.add(conn, row, "p", "list/1:0", at, READS, baseline=False)
                if rng.random() < 0.1:
                    notices.set_state(conn, id_, "withdrawn", "page", at)
                kind = rng.choice([Kind.NEW, Kind.NEW, Kind.REVISED, Kind.GAP])
                silence = rng.choice([None, None, "no route"])
                about = {"source": source, "notice": id_} if rng.random() < 0.9 else {}
                changes.insert(conn, kind, at, reason="r", silence=silence, **about)  # type: ignore[arg-type]  # of the one form or the other
        yield made


SOURCES = [(), ("gov/b",), ("gov/*",), ("*/a", "sec/b"), ("empty",), ("none*",), ("*",)]
SINCE = [None, NOW - timedelta(days=1), NOW + timedelta(hours=50), NOW + timedelta(days=9)]
PLACE = [(None, None), (None, 7), (None, 1000), (40, None), (40, 7), (99, 5)]


def expected(every: list[dict[str, Any]], given: Filter, moment: str, fits: Any) -> list[dict[str, Any]]:
    """What a look at each row, oldest first, leaves."""
    found = [
        row
        for row in every
        if (not given.sources or (row["source"] and any(fnmatchcase(row["source"], glob) for glob in given.sources)))
        and (given.since is None or row[moment] >= stamp(given.since))
        and (given.after is None or row["id"] > given.after)
        and fits(row)
    ]
    return (found if given.after is not None else found[::-1])[: given.limit]


@pytest.mark.parametrize("globs", SOURCES, ids=str)
def test_a_listing_of_notices_says_what_a_look_at_each_would(store: Store, globs: tuple[str, ...]) -> None:
    states, kinds = [(), ("withdrawn",), ("present",), ("present", "withdrawn")], [(), ("feed",), ("list", "json"), ("page",)]
    with store.read() as conn:
        every = lists.notice_rows(conn, Filter(after=0))
        assert len(every) == 100
        for state, kind, since, (after, limit) in itertools.product(states, kinds, SINCE, PLACE):
            given = Filter(globs, kind, state, since, after, limit)

            def fits(row: dict[str, Any], state: Any = state, kind: Any = kind) -> bool:
                return (not state or row["state"] in state) and (not kind or KINDS[row["source"]] in kind)

            assert lists.notice_rows(conn, given) == expected(every, given, "first_seen", fits), given


@pytest.mark.parametrize("globs", SOURCES, ids=str)
def test_a_listing_of_changes_says_what_a_look_at_each_would(store: Store, globs: tuple[str, ...]) -> None:
    states, kinds = [(), ("told",), ("silenced",), ("told", "silenced")], [(), ("revised",), ("new", "gap"), ("note",)]
    with store.read() as conn:
        every = lists.change_rows(conn, Filter(after=0))
        assert len(every) == 100
        for state, kind, since, (after, limit) in itertools.product(states, kinds, SINCE, PLACE):
            given = Filter(globs, kind, state, since, after, limit)

            def fits(row: dict[str, Any], state: Any = state, kind: Any = kind) -> bool:
                said = "silenced" if row["silence"] else "told"
                return (not state or said in state) and (not kind or row["kind"] in kind)

            assert lists.change_rows(conn, given) == expected(every, given, "at", fits), given
