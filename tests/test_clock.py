"""The clock is put forward or back, the machine sleeps, summer time begins: late checks run once, nothing waits for a time that a
wrong clock wrote, nothing is told twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import config as configs
from monitor import schedule
from monitor.daemon import Loops
from monitor.model import Schedule
from tests.house import Clock, House, Row, Site
from tests.receivers import WeComReceiver, status

ROOT = Path(__file__).parents[1]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Slept(House):
    """A house with two clocks: the wall's, which may be set, and a steady one, which goes on with it and is never set."""

    skipped = timedelta()

    def open(self) -> Loops:
        began = self.clock.at
        return Loops(
            configs.load(self.path, {}),
            now=self.clock,
            steady=lambda: (self.clock.at - began - self.skipped).total_seconds(),  # noqa: PLW0108 - of the time when it is asked
            rng=random.Random(1),
        )

    def put(self, by: timedelta) -> None:
        """Set the wall clock; the steady one does not see it."""
        self.clock.at += by
        self.skipped += by

    def start(self) -> None:
        """As the daemon starts: everything is checked once, and planned."""
        self.check()
        self.loops.checking.reload()

    def live(self, seconds: float, step: float = 0.5) -> int:
        """Tick as the daemon does; how often the list was asked for."""
        before = self.lists()
        for _ in range(int(seconds / step)):
            self.clock.on(seconds=step)
            self.loops.tick()
            while self.busy() or self.loops.checking.tick() or self.loops.delivering.tick():
                time.sleep(0.001)
        return self.lists() - before

    def busy(self) -> bool:
        return bool(self.loops.checking._running or self.loops.delivering.busy())

    def lists(self) -> int:
        return sum(path.startswith("/list/") for path, _ in self.site.asked)


@pytest.fixture
def house(tmp_path: Path, site: Site) -> Iterator[Slept]:
    made = Slept(tmp_path, site, monitor='every = "1h"\n')
    yield made
    made.close()


JUMPS = [-400 * DAY, -DAY, -2 * HOUR, -timedelta(minutes=2), timedelta(minutes=2), 2 * HOUR, DAY, 400 * DAY]


@pytest.mark.parametrize("by", JUMPS, ids=str)
def test_after_a_jump_a_source_is_checked_when_it_was_to_be_and_once(house: Slept, by: timedelta) -> None:
    house.start()
    house.put(by)
    missed = by > HOUR
    assert house.live(90) == (1 if missed else 0)
    assert house.live(3800, step=20) == 1


@pytest.mark.parametrize("by", [-DAY, DAY], ids=str)
def test_what_appeared_around_a_jump_is_told_once(house: Slept, site: Site, by: timedelta) -> None:
    house.start()
    site.rows.insert(0, Row("x1", "关于新事项的通知", "2026-01-13"))
    house.put(by)
    house.live(3800, step=20)
    assert house.told() == [("new", "关于新事项的通知")]
    assert [one["state"] for one in house.deliveries()] == ["sent"]
    house.put(-by)
    house.live(7200, step=20)
    assert house.told() == [("new", "关于新事项的通知")]


def test_a_small_correction_of_the_clock_changes_nothing(house: Slept) -> None:
    house.start()
    plan = house.loops.checking._plan
    house.put(timedelta(seconds=-50))
    house.live(1)
    assert house.loops.checking._plan is plan


def test_what_is_late_after_a_long_sleep_is_spread(tmp_path: Path, site: Site) -> None:
    many = "".join(
        f'[[source]]\nid = "s{n}"\nkind = "list"\nurl = "{{url}}/list/?{n}"\nitems = "ul.l > li"\ndate = "span"\n'
        for n in range(100)
    )
    house = Slept(tmp_path, site, many, monitor='every = "1h"\n')
    try:
        house.start()
        house.put(8 * HOUR)
        asked = [house.live(1) for _ in range(45)]
        assert sum(asked) == 100, "each once, within 0.2 s a source and what their looks take"
        assert max(asked[:20]) < 20, "not all at once"
    finally:
        house.close()


@pytest.mark.parametrize("restarted", [False, True])
def test_a_source_that_fails_since_a_wrong_time_is_told_all_the_same(house: Slept, site: Site, restarted: bool) -> None:
    house.start()
    house.put(400 * DAY)
    house.live(2)
    site.status["/list/"] = 503
    house.live(4000, step=20)
    assert house.source()["health"] == "failing"
    house.put(-400 * DAY)
    if restarted:
        house.reopen()
        house.loops.checking.reload()
    house.live(9 * 3600, step=120)
    assert house.told() == [("failing", "a")]


def test_a_plan_of_a_wrong_clock_does_not_outlive_a_restart(house: Slept) -> None:
    house.clock.at += 400 * DAY
    house.start()
    house.loops.close()
    house.clock.at -= 400 * DAY
    house.loops = house.open()
    house.loops.checking.reload()
    assert house.live(2) == 1
    assert house.live(3000, step=20) == 0


LATEST: list[tuple[Schedule, bool, timedelta]] = [
    (Schedule(every=timedelta(minutes=15)), False, 1.05 * HOUR),
    (Schedule(every=6 * HOUR), False, 6.3 * HOUR),
    (Schedule(every=timedelta(minutes=15)), True, 1.05 * DAY),
    (Schedule(every=HOUR, low=HOUR, high=3 * DAY), False, 3.15 * DAY),
    (Schedule(cron="0 9 * * *", timezone="UTC"), False, timedelta(hours=7, minutes=1)),
    (Schedule(cron="0 0 29 feb *", timezone="UTC"), False, datetime(2028, 2, 29, 0, 1, tzinfo=UTC) - Clock().at),
]


@pytest.mark.parametrize(("plan", "asked", "after"), LATEST)
def test_a_source_is_due_at_the_latest_when_its_schedule_can_say_so(plan: Schedule, asked: bool, after: timedelta) -> None:
    now = Clock().at
    assert abs(schedule.latest_due(plan, now, asked=asked) - now - after) < timedelta(seconds=1)
    rng = random.Random(1)
    for failures in range(12):
        for wish in (None, *([1e9, 3600.0] if asked else [])):
            due = schedule.after_failure(plan, now, rng, failures=failures, retry_after=wish)
            assert due <= schedule.latest_due(plan, now, asked=asked)
    assert schedule.next_due(plan, now, rng, interval=plan.high) <= schedule.latest_due(plan, now, asked=asked)


# --- messages

CHANNEL = '[[channel]]\nid = "ops"\nurl = "{target}"\nendpoint = "{url}"\n'


@pytest.fixture
def bot() -> Iterator[WeComReceiver]:
    with WeComReceiver() as made:
        yield made


def told_house(folder: Path, site: Site, bot: WeComReceiver, extra: str = "") -> Slept:
    """A house with one robot and a baseline."""
    house = Slept(folder, site, channels=CHANNEL.format(target=bot.target, url=bot.url), extra=extra)
    house.start()
    site.rows.insert(0, Row("x1", "关于新事项的通知", "2026-01-13"))
    return house


@pytest.mark.parametrize("by", [-DAY, -400 * DAY], ids=str)
def test_a_message_that_failed_is_tried_again_as_soon_as_it_was_to_be_though_the_clock_was_put_back(
    tmp_path: Path, site: Site, bot: WeComReceiver, by: timedelta
) -> None:
    house = told_house(tmp_path, site, bot)
    try:
        bot.script(status(503))
        house.check()
        assert (len(bot.accepted), len(bot.refused)) == (0, 1)
        house.put(by)
        house.live(90)
        assert len(bot.accepted) == 1
    finally:
        house.close()


def test_a_sleep_does_not_count_towards_giving_up(tmp_path: Path, site: Site, bot: WeComReceiver) -> None:
    house = told_house(tmp_path, site, bot)
    try:
        bot.script(status(503), status(503))
        house.check()
        house.put(10 * DAY)
        house.live(10)
        assert len(bot.refused) == 2
        house.live(400)
        assert [one["state"] for one in house.deliveries()] == ["sent"]
    finally:
        house.close()


def test_a_digest_keeps_its_hour_when_the_clock_is_put_back(tmp_path: Path, site: Site, bot: WeComReceiver) -> None:
    house = told_house(tmp_path, site, bot, '[[route]]\nchannels = ["ops"]\ndigest = "18:00"\n')
    try:
        house.check()
        house.put(-2 * HOUR)
        house.live(60)
        assert not len(bot.accepted)
        assert house.deliveries()[0]["due_at"].startswith("2026-01-12T10:00"), "18:00 in Shanghai"
        house.clock.at = datetime(2026, 1, 12, 10, 0, 1, tzinfo=UTC)
        house.live(1)
        assert len(bot.accepted) == 1
    finally:
        house.close()


def test_a_message_that_is_held_for_its_page_goes_though_the_clock_was_put_back(tmp_path: Path, site: Site) -> None:
    house = Slept(tmp_path, site, "follow = true\nbackfill = 0\n")
    try:
        house.start()
        site.rows.insert(0, Row("x1", "关于新事项的通知", "2026-01-13"))
        site.status["/p/x1.html"] = 500
        house.loops.checking.ask(["a"])
        house.clock.on(seconds=1)
        house.loops.checking.tick()
        while house.loops.checking._running:
            time.sleep(0.001)
        house.put(-DAY)
        house.live(150)
        assert [kind for kind, _ in house.told()] == ["new"]
        assert [one["state"] for one in house.deliveries()] == ["sent"]
    finally:
        house.close()


# --- summer time


@pytest.mark.parametrize(
    ("begin", "fires"),
    [
        (datetime(2026, 3, 29, 0, 0, tzinfo=UTC), 1),  # 02:30 does not exist that night in Berlin
        (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), 2),  # and comes twice that one
        (datetime(2026, 7, 4, 23, 0, tzinfo=UTC), 1),
    ],
    ids=["begins", "ends", "any other night"],
)
def test_a_daily_hour_is_looked_at_whenever_the_clock_shows_it_or_leaps_over_it(
    tmp_path: Path, site: Site, begin: datetime, fires: int
) -> None:
    house = Slept(tmp_path, site, 'cron = "30 2 * * *"\n', monitor='timezone = "Europe/Berlin"\n')
    try:
        house.clock.at = begin
        house.reopen()
        house.start()
        assert house.live(4 * 3600, step=30) == fires
    finally:
        house.close()


# --- the daemon itself

MOVED = """
import datetime, sys
from pathlib import Path

class Moved(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.now(tz) + datetime.timedelta(seconds=float(Path(sys.argv[1]).read_text()))

import apscheduler.schedulers.base, monitor.check.desk, monitor.daemon.run
for name in ("apscheduler.schedulers.base", "monitor.check.desk", "monitor.daemon.run"):
    sys.modules[name].datetime = Moved
from monitor.cli import main
main(["--config", sys.argv[2], "run"])
"""


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.05)


def test_the_daemon_goes_on_when_the_clock_is_put_back_a_day_and_forward_again(tmp_path: Path, site: Site) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text(
        '[monitor]\nevery = "1s"\nalive = "0s"\n[http]\ndelay = "0s"\nallow_private = ["127.0.0.0/8"]\n'
        f'[[source]]\nid = "a"\nkind = "list"\nurl = "{site.url}/list/"\nitems = "ul.l > li"\ndate = "span"\n'
        '[[channel]]\nid = "console"\nurl = "console://"\n',
        "utf-8",
    )
    config.chmod(0o600)
    offset = tmp_path / "offset"
    offset.write_text("0")
    log = (tmp_path / "log").open("w+")
    daemon = subprocess.Popen(
        [sys.executable, "-c", MOVED, str(offset), str(config)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=log,
    )
    try:
        eventually(lambda: len(site.asked) >= 2)
        for seconds in ("-86400", "86400", "0"):
            (tmp_path / "next").write_text(seconds)
            (tmp_path / "next").rename(offset)
            asked = len(site.asked)
            eventually(lambda asked=asked: len(site.asked) >= asked + 3)  # type: ignore[misc]  # bound here
        daemon.terminate()
        assert daemon.wait(20) == 0
        log.seek(0)
        said = log.read()
        assert said.count("the clock was put back by 1 day, 0:00:00:") == 2
        assert said.count("the clock was put forward, or the machine slept for 2 days, 0:00:00:") == 1
        assert "Traceback" not in said
    finally:
        daemon.kill()
        daemon.wait()
        log.close()
