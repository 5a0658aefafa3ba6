"""Silence is never ambiguous: an unusual one is told once, and monitor gives a sign of life where nothing else was told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.decide import longest_pause
from tests.house import House, Row, Site

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("days_ago", "pause"),
    [
        pytest.param([20, 21, 22, 23, 24, 25, 26, 27], 1, id="daily, then nothing for twenty days"),
        pytest.param([13, 14, 15, 16, 17, 18, 19, 20], None, id="a holiday is not unusual"),
        pytest.param([20, 21, 22, 23, 24, 25, 32, 33], None, id="a week's pause happened before"),
        pytest.param([22, 23, 24, 25, 26, 27, 34, 35], 7, id="three times the longest pause"),
        pytest.param([300, 301, 302, 303], None, id="too few to know what is usual"),
        pytest.param([], None, id="nothing known"),
    ],
)
def test_a_silence_is_unusual_beside_the_longest_pause_so_far(days_ago: list[int], pause: int | None) -> None:
    found = longest_pause([NOW - DAY * ago for ago in days_ago], NOW)
    assert found == (None if pause is None else DAY * pause)


@pytest.fixture
def site() -> Iterator[Site]:
    opened = Site([Row(f"n{n}", f"第{n}号通知", date=f"2026-01-{n:02d}") for n in range(11, 1, -1)])
    yield opened
    opened.close()


@pytest.fixture
def house(tmp_path: Path, site: Site) -> Iterator[Callable[..., House]]:
    opened: list[House] = []

    def build(**given: str) -> House:
        opened.append(House(tmp_path, site, **given))
        return opened[-1]

    yield build
    for each in opened:
        each.close()


def notes(house: House, reason: str) -> list[str]:
    return [c["detail"] for c in house.changes() if c["kind"] == "note" and c["reason"] == reason]


def test_a_source_that_says_nothing_new_for_unusually_long_is_told_once_until_it_does(
    house: Callable[..., House], site: Site
) -> None:
    home = house(monitor='alive = "0s"')
    home.check()
    for _ in range(12):
        home.clock.on(days=1)
        home.check()
    assert notes(home, "quiet") == []
    for _ in range(6):
        home.clock.on(days=1)
        home.check()
    assert len(notes(home, "quiet")) == 1
    assert "最长间隔 1 天" in notes(home, "quiet")[0]
    assert home.source()["health"] == "quiet"
    site.rows.insert(0, Row("fresh", "新的通知", date="2026-02-01"))
    home.check()
    assert home.source()["health"] == "ok"
    assert home.told()[-1] == ("new", "新的通知")
    assert len(notes(home, "quiet")) == 1


def test_a_quiet_source_that_fails_and_answers_again_is_still_quiet(house: Callable[..., House], site: Site) -> None:
    home = house(monitor='alive = "0s"')
    home.check()
    home.clock.on(days=20)
    home.check()
    home.clock.on(days=1, hours=1)
    home.check()
    assert home.source()["health"] == "quiet"
    site.status["/list/"] = 503
    home.check()
    assert home.source()["health"] == "failing"
    del site.status["/list/"]
    home.check()
    assert home.source()["health"] == "quiet"
    assert len(notes(home, "quiet")) == 1


@pytest.mark.parametrize(("alive", "days", "told"), [("7d", 6, 0), ("7d", 9, 1), ("7d", 17, 2), ("0s", 30, 0), ("1d", 4, 3)])
def test_a_sign_of_life_comes_where_nothing_was_told_for_long(
    house: Callable[..., House], site: Site, alive: str, days: int, told: int
) -> None:
    del site.rows[4:]  # too few to be called quiet
    home = house(monitor=f'alive = "{alive}"', source="follow = false\n")
    for _ in range(days):
        home.check()
        home.clock.on(days=1, minutes=1)
    found = notes(home, "alive")
    assert len(found) == told
    assert all("1 个来源：1 个正常" in detail for detail in found)
