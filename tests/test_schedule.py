"""When a source is due, when a delivery is tried again, and what the local clock says, summer time included."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Schedule
from monitor.schedule import after_failure, backoff, fire_times, next_due, next_local, parse_cron, quiet_until, rhythm

NOW = datetime(2026, 1, 8, 2, 22, 3, tzinfo=UTC)  # Thursday, 10:22:03 in Shanghai
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]

intervals = st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=400))
seeds = st.integers(0, 2**32).map(random.Random)
moments = st.timedeltas(timedelta(0), timedelta(days=15 * 365)).map(lambda age: datetime(2020, 1, 1, tzinfo=UTC) + age)
clock_times = st.times().map(lambda at: at.replace(microsecond=0))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@given(intervals, seeds)
def test_an_interval_is_kept_within_five_percent(every: timedelta, rng: random.Random) -> None:
    wait = next_due(Schedule(every=every), NOW, rng) - NOW
    assert every * 0.949 <= wait <= every * 1.051


def test_sources_with_one_rhythm_drift_apart() -> None:
    rng = random.Random(1)
    due = {next_due(Schedule(every=15 * MINUTE), NOW, rng) for _ in range(100)}
    assert len(due) == 100
    assert max(due) - min(due) > MINUTE


def test_the_same_random_numbers_give_the_same_plan() -> None:
    assert next_due(Schedule(every=HOUR), NOW, random.Random(7)) == next_due(Schedule(every=HOUR), NOW, random.Random(7))


def test_the_own_rhythm_overrides_the_schedule() -> None:
    for schedule in (Schedule(every=DAY), Schedule(cron="0 9 * * *")):
        assert next_due(schedule, NOW, random.Random(1), interval=10 * MINUTE) - NOW < 11 * MINUTE


def test_a_schedule_that_says_nothing_means_a_quarter_of_an_hour() -> None:
    assert 14 * MINUTE < next_due(Schedule(), NOW, random.Random(1)) - NOW < 16 * MINUTE


@given(
    moments,
    seeds,
    st.sampled_from(["*/10 8-20 * * mon-fri", "0 9 * * *", "* * * * *", "30 2 * * sun", "15 6 1 jan *"]),
    st.sampled_from(ZONES),
)
def test_a_cron_line_fires_after_now_and_at_most_a_minute_late(now: datetime, rng: random.Random, line: str, zone: str) -> None:
    schedule = Schedule(cron=line, timezone=zone)
    planned = fire_times(schedule, now, 3)
    assert now < planned[0] < planned[1] < planned[2]
    assert planned[0] <= next_due(schedule, now, rng) <= planned[0] + MINUTE


def test_a_source_checked_at_the_very_second_of_its_cron_line_is_not_due_again_at_once() -> None:
    at = utc("2026-01-08T09:00:00+08:00")
    assert fire_times(Schedule(cron="0 9 * * *"), at, 1) == [at + DAY]


@pytest.mark.parametrize(
    ("line", "zone", "now", "expected"),
    [
        (
            "*/10 8-20 * * mon-fri",
            "Asia/Shanghai",
            "2026-01-09T20:50:00+08:00",
            ["2026-01-12T08:00:00+08:00", "2026-01-12T08:10:00+08:00"],
        ),
        ("0 9 * * MON", "Asia/Shanghai", "2026-01-08T10:00:00+08:00", ["2026-01-12T09:00:00+08:00", "2026-01-19T09:00:00+08:00"]),
        ("0 9 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", ["2026-03-29T09:00:00+02:00", "2026-03-30T09:00:00+02:00"]),
        (
            "0 9 * * *",
            "America/New_York",
            "2026-10-31T12:00:00-04:00",
            ["2026-11-01T09:00:00-05:00", "2026-11-02T09:00:00-05:00"],
        ),
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", ["2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"]),
    ],
)
def test_cron_lines_follow_the_local_clock(line: str, zone: str, now: str, expected: list[str]) -> None:
    assert fire_times(Schedule(cron=line, timezone=zone), utc(now), 2) == [utc(text) for text in expected]


def test_fire_times_of_an_interval_are_evenly_spaced() -> None:
    assert fire_times(Schedule(every=HOUR), NOW, 3) == [NOW + HOUR, NOW + 2 * HOUR, NOW + 3 * HOUR]


@pytest.mark.parametrize(
    ("line", "zone", "said"),
    [
        ("0 9 * * 1-5", "Asia/Shanghai", "weekdays as names"),
        ("0 9 * * 0", "Asia/Shanghai", "weekdays as names"),
        ("0 9 * * */2", "Asia/Shanghai", "weekdays as names"),
        ("0 9 1 * mon", "Asia/Shanghai", "not both"),
        ("0 9 * *", "Asia/Shanghai", "4 fields, not 5"),
        ("", "Asia/Shanghai", "0 fields, not 5"),
        ("@daily", "Asia/Shanghai", "1 fields, not 5"),
        ("61 * * * *", "Asia/Shanghai", "cannot be read"),
        ("0 9 * * someday", "Asia/Shanghai", "cannot be read"),
        ("0 0 30 2 *", "Asia/Shanghai", "never comes"),
        ("0 9 * * *", "Mars/Olympus", "no time zone"),
        ("0 9 * * *", "", "no time zone"),
        ("0 9 * * *", "../../etc/passwd", "no time zone"),
        ("0 9 * * *", "America", "no time zone"),
    ],
)
def test_a_cron_line_that_would_surprise_is_refused_in_a_sentence(line: str, zone: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_cron(line, zone)


@given(st.text(max_size=40), st.sampled_from(["Asia/Shanghai", "Nowhere"]))
def test_no_cron_line_is_refused_with_another_exception(line: str, zone: str) -> None:
    try:
        said = str(parse_cron(line, zone))
    except ValueError as problem:
        said = str(problem)
    assert said


@pytest.mark.parametrize(
    ("every", "failures", "wait"),
    [
        (15 * MINUTE, 1, 15 * MINUTE),
        (15 * MINUTE, 2, 30 * MINUTE),
        (15 * MINUTE, 3, HOUR),
        (15 * MINUTE, 4, HOUR),
        (15 * MINUTE, 10_000, HOUR),
        (MINUTE, 5, 16 * MINUTE),
        (6 * HOUR, 1, 6 * HOUR),
        (6 * HOUR, 5, 6 * HOUR),
    ],
)
def test_failures_double_the_interval_up_to_an_hour_or_the_interval(every: timedelta, failures: int, wait: timedelta) -> None:
    for seed in range(50):
        got = after_failure(Schedule(every=every), NOW, random.Random(seed), failures=failures) - NOW
        assert wait * 0.949 <= got <= wait * 1.051


@pytest.mark.parametrize(
    ("every", "asked", "least", "most"),
    [
        (15 * MINUTE, 7200, 2 * HOUR, 2.1 * HOUR),
        (15 * MINUTE, 30, 14 * MINUTE, 16 * MINUTE),
        (15 * MINUTE, 0, 14 * MINUTE, 16 * MINUTE),
        (15 * MINUTE, 1e12, DAY, DAY),
        (15 * MINUTE, math.inf, DAY, DAY),
        (2 * DAY, 3600, 1.9 * DAY, 2.1 * DAY),
        (15 * MINUTE, -5, 57 * MINUTE, 63 * MINUTE),
        (15 * MINUTE, math.nan, 57 * MINUTE, 63 * MINUTE),
    ],
)
def test_a_servers_wish_is_obeyed_within_a_day_and_nonsense_is_not_a_wish(
    every: timedelta, asked: float, least: timedelta, most: timedelta
) -> None:
    for seed in range(50):
        wait = after_failure(Schedule(every=every), NOW, random.Random(seed), failures=3, retry_after=asked) - NOW
        assert least <= wait <= most


@pytest.mark.parametrize(
    ("line", "failures", "asked", "due"),
    [
        ("*/10 8-20 * * mon-fri", 1, None, "2026-01-08T10:30:00+08:00"),
        ("*/10 8-20 * * mon-fri", 2, None, "2026-01-08T10:40:00+08:00"),
        ("*/10 8-20 * * mon-fri", 3, None, "2026-01-08T11:00:00+08:00"),
        ("*/10 8-20 * * mon-fri", 9, None, "2026-01-08T11:20:00+08:00"),
        ("*/10 8-20 * * mon-fri", 1, 3600.0, "2026-01-08T11:30:00+08:00"),
        ("*/10 8-20 * * mon-fri", 1, 11 * 3600.0, "2026-01-09T08:00:00+08:00"),
        ("0 9 * * *", 1, None, "2026-01-09T09:00:00+08:00"),
        ("0 9 * * *", 6, None, "2026-01-09T09:00:00+08:00"),
    ],
)
def test_failures_under_a_cron_line_wait_by_its_spacing_for_its_next_fire(
    line: str, failures: int, asked: float | None, due: str
) -> None:
    got = after_failure(Schedule(cron=line), NOW, random.Random(3), failures=failures, retry_after=asked)
    assert utc(due) <= got <= utc(due) + MINUTE


@given(
    st.one_of(intervals.map(lambda every: Schedule(every=every)), st.just(Schedule(cron="*/5 8-20 * * mon-fri"))),
    moments,
    seeds,
    st.integers(0, 10**9),
    st.one_of(st.none(), st.floats()),
)
def test_a_failed_source_is_always_due_later_and_never_earlier_than_asked(
    schedule: Schedule, now: datetime, rng: random.Random, failures: int, asked: float | None
) -> None:
    due = after_failure(schedule, now, rng, failures=failures, retry_after=asked)
    assert due > now
    if asked is not None and 0 <= asked <= 86400:
        assert due >= now + timedelta(seconds=asked)


BOUNDED = Schedule(every=15 * MINUTE, low=5 * MINUTE, high=2 * HOUR)


@pytest.mark.parametrize(
    ("schedule", "last", "changed", "interval"),
    [
        (Schedule(every=15 * MINUTE), 15 * MINUTE, False, None),
        (Schedule(every=15 * MINUTE), 15 * MINUTE, True, None),
        (BOUNDED, None, False, 15 * MINUTE),
        (BOUNDED, None, True, 5 * MINUTE),
        (BOUNDED, 2 * HOUR, True, 5 * MINUTE),
        (BOUNDED, 5 * MINUTE, False, 7.5 * MINUTE),
        (BOUNDED, 110 * MINUTE, False, 2 * HOUR),
        (BOUNDED, 2 * HOUR, False, 2 * HOUR),
        (BOUNDED, DAY, False, 2 * HOUR),
        (BOUNDED, timedelta(seconds=1), False, 5 * MINUTE),
        (Schedule(every=15 * MINUTE, low=5 * MINUTE), 12 * MINUTE, False, 15 * MINUTE),
        (Schedule(every=15 * MINUTE, high=HOUR), HOUR, True, 15 * MINUTE),
        (Schedule(every=15 * MINUTE, low=30 * MINUTE), 10 * MINUTE, False, 30 * MINUTE),
    ],
)
def test_the_own_rhythm_quickens_at_a_change_and_slows_while_nothing_changes(
    schedule: Schedule, last: timedelta | None, changed: bool, interval: timedelta | None
) -> None:
    assert rhythm(schedule, last, changed) == interval


@given(st.integers(-5, 10**9), seeds)
def test_a_delivery_is_tried_again_after_a_minute_to_an_hour(attempts: int, rng: random.Random) -> None:
    assert MINUTE <= backoff(attempts, rng) <= HOUR


@pytest.mark.parametrize(("attempts", "about"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 32)])
def test_each_failed_delivery_doubles_the_wait(attempts: int, about: int) -> None:
    waits = [backoff(attempts, random.Random(seed)) for seed in range(100)]
    assert all(about * MINUTE * 0.79 <= wait <= about * MINUTE * 1.21 for wait in waits)
    assert len(set(waits)) > 40


@pytest.mark.parametrize(
    ("attempts", "asked", "least", "most"),
    [
        (1, 600, 600, 660),
        (1, 5, 5, 5.5),
        (1, 0, 1, 1.1),
        (5, 0, 16, 17.6),
        (50, 0, 60, 66),
        (1, math.inf, 86400, 86400),
        (3, -1, 190, 290),
        (3, math.nan, 190, 290),
    ],
)
def test_a_services_wish_is_obeyed_but_not_as_an_endless_quick_loop(
    attempts: int, asked: float, least: float, most: float
) -> None:
    for seed in range(30):
        assert least <= backoff(attempts, random.Random(seed), asked).total_seconds() <= most


@pytest.mark.parametrize(
    ("zone", "now", "at", "expected"),
    [
        ("Asia/Shanghai", "2026-01-08T08:59:59+08:00", time(9), "2026-01-08T09:00:00+08:00"),
        ("Asia/Shanghai", "2026-01-08T09:00:00+08:00", time(9), "2026-01-09T09:00:00+08:00"),
        ("Asia/Shanghai", "2026-01-08T23:30:00+08:00", time(0), "2026-01-09T00:00:00+08:00"),
        ("Europe/Berlin", "2026-03-28T10:00:00+01:00", time(9), "2026-03-29T09:00:00+02:00"),
        ("Europe/Berlin", "2026-03-28T10:00:00+01:00", time(2, 30), "2026-03-29T03:00:00+02:00"),
        ("Europe/Berlin", "2026-03-29T03:00:00+02:00", time(2, 30), "2026-03-30T02:30:00+02:00"),
        ("Europe/Berlin", "2026-10-25T01:00:00+02:00", time(2, 30), "2026-10-25T02:30:00+02:00"),
        ("Europe/Berlin", "2026-10-25T02:30:00+02:00", time(2, 30), "2026-10-26T02:30:00+01:00"),
        ("Europe/Berlin", "2026-10-25T02:10:00+01:00", time(2, 30), "2026-10-26T02:30:00+01:00"),
        ("America/New_York", "2026-03-07T12:00:00-05:00", time(2, 30), "2026-03-08T03:00:00-04:00"),
        ("America/New_York", "2026-11-01T00:30:00-04:00", time(1, 30), "2026-11-01T01:30:00-04:00"),
        ("Australia/Lord_Howe", "2026-10-03T12:00:00+10:30", time(2, 15), "2026-10-04T02:30:00+11:00"),
        ("Pacific/Apia", "2011-12-29T12:00:00-10:00", time(9), "2011-12-31T00:00:00+14:00"),
    ],
)
def test_a_local_time_comes_once_a_day_even_where_the_clock_skips_or_repeats_it(
    zone: str, now: str, at: time, expected: str
) -> None:
    assert next_local(utc(now), at, zone) == utc(expected)


@given(moments, clock_times, st.sampled_from(ZONES))
def test_the_next_local_time_is_ahead_within_a_day_and_a_few_hours(now: datetime, at: time, zone: str) -> None:
    moment = next_local(now, at, zone)
    assert now < moment <= now + timedelta(hours=26)
    assert moment.tzinfo is UTC
    shown, before = (at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for at in (moment, moment - timedelta(seconds=1)))
    assert shown.time() == at or before < datetime.combine(shown, at) < shown  # the clock jumped over it just then
    assert next_local(moment, at, zone) > moment


NIGHT = (time(22), time(8))


@pytest.mark.parametrize(
    ("zone", "now", "window", "until"),
    [
        ("Asia/Shanghai", "2026-01-08T21:59:59+08:00", NIGHT, None),
        ("Asia/Shanghai", "2026-01-08T22:00:00+08:00", NIGHT, "2026-01-09T08:00:00+08:00"),
        ("Asia/Shanghai", "2026-01-09T07:59:59+08:00", NIGHT, "2026-01-09T08:00:00+08:00"),
        ("Asia/Shanghai", "2026-01-09T08:00:00+08:00", NIGHT, None),
        ("Asia/Shanghai", "2026-01-09T12:30:00+08:00", (time(12), time(14)), "2026-01-09T14:00:00+08:00"),
        ("Asia/Shanghai", "2026-01-09T14:00:00+08:00", (time(12), time(14)), None),
        ("Asia/Shanghai", "2026-01-09T12:30:00+08:00", (time(12), time(12)), None),
        ("Asia/Shanghai", "2026-01-09T23:30:00+08:00", (time(23), time(0)), "2026-01-10T00:00:00+08:00"),
        ("Europe/Berlin", "2026-03-28T23:00:00+01:00", NIGHT, "2026-03-29T08:00:00+02:00"),
        ("Europe/Berlin", "2026-10-24T23:00:00+02:00", NIGHT, "2026-10-25T08:00:00+01:00"),
        ("Europe/Berlin", "2026-03-29T01:59:00+01:00", (time(22), time(2, 30)), "2026-03-29T03:00:00+02:00"),
        ("Europe/Berlin", "2026-03-29T03:00:00+02:00", (time(22), time(2, 30)), None),
        ("Europe/Berlin", "2026-10-25T02:10:00+02:00", (time(22), time(2, 30)), "2026-10-25T02:30:00+02:00"),
        ("Europe/Berlin", "2026-10-25T02:10:00+01:00", (time(22), time(2, 30)), None),
        ("America/New_York", "2026-03-07T23:00:00-05:00", NIGHT, "2026-03-08T08:00:00-04:00"),
        ("America/New_York", "2026-10-31T23:00:00-04:00", NIGHT, "2026-11-01T08:00:00-05:00"),
    ],
)
def test_quiet_hours_end_when_the_local_clock_says_so(zone: str, now: str, window: tuple[time, time], until: str | None) -> None:
    assert quiet_until(utc(now), window, zone) == (until and utc(until))


@given(moments, clock_times, clock_times, st.sampled_from(ZONES))
def test_quiet_hours_always_end_and_are_over_when_they_end(now: datetime, start: time, end: time, zone: str) -> None:
    until = quiet_until(now, (start, end), zone)
    if until is not None:
        assert now < until <= now + timedelta(hours=26)
        assert quiet_until(until, (start, end), zone) is None


@given(moments, clock_times, clock_times)
def test_where_the_clock_never_jumps_quiet_is_what_the_clock_shows(now: datetime, start: time, end: time) -> None:
    shown = now.astimezone(ZoneInfo("Asia/Shanghai")).time()
    inside = start <= shown < end if start < end else start != end and (shown >= start or shown < end)
    assert (quiet_until(now, (start, end), "Asia/Shanghai") is not None) == inside
