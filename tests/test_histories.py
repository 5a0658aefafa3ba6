"""Histories of a site at random, against what the rules promise: nothing lost, no false alarm, silence never ambiguous."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from monitor.model import Outcome
from tests.house import House, Row, Site

#: Rows that the site's list shows.
SHOWN = 10
#: Rows that things happen to; with two hidden and two taken down, six are left.
PLACES = st.integers(0, 5)
FAILING_AFTER = timedelta(minutes=40)
#: Titles of one notice: one more would come near flapping.
MOST_EDITS = 5


class Histories(RuleBasedStateMachine):
    """A site that is published to, edited, re-ordered, that hides rows, fails and recovers; a house that looks at it and is
    restarted. The model beside it knows only what could be seen, and when."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="histories-"))
        self.count = 0
        self.site = Site(per_page=SHOWN)
        for _ in range(SHOWN):
            self._publish()
        self.house = House(self.folder, self.site, monitor='failing_after = "40m"\n')
        self.house.check()
        self.baseline = {row.name for row in self.site.rows}
        self.titles = {row.name: [row.title] for row in self.site.rows}  # as they were seen, in order
        self.overlap = True
        self.last = [row.name for row in self.site.rows]
        self.hidden: list[Row] = []
        self.taken_down: set[str] = set()
        self.edits: Counter[str] = Counter()
        self.failed: list[datetime] = []
        self.failures_told = self.recoveries_told = 0
        self.telling = False

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.close()
            self.site.close()
            shutil.rmtree(self.folder)

    # --- what the site does

    def _publish(self) -> None:
        self.count += 1
        day = date(2026, 1, 1) + timedelta(days=self.count)
        self.site.rows.insert(0, Row(f"n{self.count}", f"关于第{self.count}项工作的通知", day.isoformat()))

    @rule(count=st.integers(1, 4))
    def publish(self, count: int) -> None:
        for _ in range(count):
            self._publish()

    @rule(place=PLACES)
    def edit_a_title(self, place: int) -> None:
        row = self.site.rows[place]
        if self.edits[row.name] < MOST_EDITS:
            self.edits[row.name] += 1
            row.title = f"关于{row.name}的通知（第{self.edits[row.name]}次修订）"

    @rule(one=PLACES, other=PLACES)
    def reorder(self, one: int, other: int) -> None:
        rows = self.site.rows
        rows[one], rows[other] = rows[other], rows[one]

    @precondition(lambda self: len(self.hidden) < 2)
    @rule(place=PLACES)
    def hide_a_row(self, place: int) -> None:
        row = self.site.rows.pop(place)
        self.hidden.append(row)
        self.site.bodies[f"/p/{row.name}.html"] = self.site._page(row).encode()

    @precondition(lambda self: self.hidden)
    @rule()
    def bring_it_back(self) -> None:
        row = self.hidden.pop()
        below = (place for place, other in enumerate(self.site.rows) if int(other.name[1:]) < int(row.name[1:]))
        self.site.rows.insert(next(below, len(self.site.rows)), row)

    @precondition(lambda self: len(self.taken_down) < 2)
    @rule(place=PLACES)
    def take_down(self, place: int) -> None:
        self.taken_down.add(self.site.rows.pop(place).name)

    @rule()
    def break_down(self) -> None:
        self.site.status["/list/"] = 503

    @rule()
    def recover(self) -> None:
        self.site.status.clear()

    # --- what the house does

    @rule(minutes=st.integers(1, 30))
    def check(self, minutes: int) -> None:
        self.house.clock.on(minutes=minutes)
        report = self.house.check()["a"]
        assert (report.outcome is Outcome.FAILED) is bool(self.site.status)
        self._failed() if self.site.status else self._seen()

    @rule()
    def restart(self) -> None:
        self.house.reopen()

    # --- what must be told

    def _failed(self) -> None:
        self.failed.append(self.house.clock())
        if not self.telling and len(self.failed) >= 3 and self.failed[-1] - self.failed[0] >= FAILING_AFTER:
            self.telling = True
            self.failures_told += 1

    def _seen(self) -> None:
        self.recoveries_told += self.telling
        self.telling, self.failed = False, []
        shown = self.site.rows[:SHOWN]
        known = sum(row.name in self.titles for row in shown)
        self.overlap = self.overlap and known * 2 >= len(shown)
        for row in shown:
            titles = self.titles.setdefault(row.name, [])
            if not titles or titles[-1] != row.title:
                titles.append(row.title)

    def _told(self) -> dict[str, Counter[str]]:
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for change in self.house.changes():
            name = change["url"].rpartition("/")[2].removesuffix(".html") if change["notice"] else change["reason"]
            found[change["kind"]][name] += 1
        return found

    @invariant()
    def what_was_seen_was_told_once_and_nothing_else(self) -> None:
        if not hasattr(self, "house"):
            return
        told = self._told()
        assert told["new"] == Counter(self.titles.keys() - self.baseline)
        assert told["revised"] == Counter({name: len(titles) - 1 for name, titles in self.titles.items() if len(titles) > 1})
        assert set(told["withdrawn"]) <= self.taken_down
        assert set(told["withdrawn"].values()) <= {1}
        assert not told["restored"]
        assert not told["note"]
        assert told["failing"].total() == self.failures_told
        assert told["recovered"].total() == self.recoveries_told
        assert not self.overlap or not told["gap"]

    @invariant()
    def what_was_told_was_sent_once(self) -> None:
        if not hasattr(self, "house"):
            return
        sent = Counter(delivery["change"] for delivery in self.house.deliveries() if delivery["state"] == "sent")
        assert sent == Counter(change["id"] for change in self.house.changes() if change["silence"] is None)


# --- pages beyond the first: what was there before anybody looked is no news


def many(count: int) -> list[Row]:
    """Rows, newest first, one a day."""
    return [
        Row(f"m{i}", f"关于第{i}项工作的通知", (date(2025, 1, 1) + timedelta(days=i)).isoformat()) for i in range(count, 0, -1)
    ]


NEXT = 'next = "/list/index_{{page}}.html"\n'


@pytest.mark.parametrize("source", [NEXT, ""], ids=["with further pages", "without"])
@pytest.mark.parametrize("place", [1, 4, 8, 9], ids=["second", "middle", "last but one", "last"])
def test_an_old_row_that_comes_up_where_one_was_withdrawn_is_not_new(
    build: Callable[..., House], site: Site, source: str, place: int
) -> None:
    site.rows[:], site.per_page = many(60), 10
    house = build(source)
    house.check()
    gone = site.rows.pop(place)
    for _ in range(3):
        house.check()
        house.clock.on(hours=1)
    assert house.told() == ([("withdrawn", gone.title)] if place < 9 else [])


@pytest.mark.parametrize("count", range(1, 31))
def test_a_burst_of_any_length_is_told_whole_and_nothing_else(build: Callable[..., House], site: Site, count: int) -> None:
    site.rows[:], site.per_page = many(60), 10
    house = build(NEXT)
    house.check()
    site.rows[:] = many(60 + count)
    house.check()
    house.check()
    assert sorted(house.told()) == sorted(("new", row.title) for row in site.rows[:count])


Histories.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestHistories = Histories.TestCase
