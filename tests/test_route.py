"""Routes: top to bottom, the first match wins; nothing is lost without a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.match import Subject, parse
from monitor.model import HOUSE_KINDS, Kind
from monitor.route import DEFAULT, Planned, Route, route

NOW = datetime(2025, 11, 24, 12, 0, tzinfo=UTC)  # 20:00 in Shanghai
ZONE = "Asia/Shanghai"
CHANNELS = ("ops", "mail", "log")
NOTICE = Subject({"title": "人工智能与制造业的通知", "text": "aaaa", "source": "miit/tz", "kind": "new"})
NO_SOURCE = Subject({"source": "", "kind": "failing", "text": "offline"})
SLOW = parse("/^(a|a)*$/")
SLOW_SUBJECT = Subject({"source": "miit/tz", "text": "a" * 5000 + "!"})

AI = Route("ai", match=parse("人工智能"), channels=("ops",))
STEEL = Route("steel", match=parse("钢铁"), channels=("ops",))
REST = Route("rest", channels=("mail",))
MUTE = Route("mute", sources=("miit/*",), channels=())


@pytest.mark.parametrize(
    ("routes", "expected", "silence"),
    [
        ([], [("ops", DEFAULT), ("mail", DEFAULT), ("log", DEFAULT)], None),
        ([AI], [("ops", "ai")], None),
        ([STEEL], [], "no route"),
        ([STEEL, REST], [("mail", "rest")], None),
        ([AI, REST], [("ops", "ai")], None),
        ([REST, AI], [("mail", "rest")], None),
        ([Route("all")], [("ops", "all"), ("mail", "all"), ("log", "all")], None),
        ([MUTE, AI], [], "silenced"),
        ([AI, MUTE], [("ops", "ai")], None),
        ([Route("more", channels=("ops",), go_on=True), REST], [("ops", "more"), ("mail", "rest")], None),
        ([Route("more", channels=("ops",), go_on=True), STEEL], [("ops", "more")], None),
        ([Route("more", channels=("ops",), go_on=True), MUTE], [("ops", "more")], None),
        ([Route("mute", channels=(), go_on=True), REST], [("mail", "rest")], None),
        ([Route("mute", channels=(), go_on=True), STEEL], [], "silenced"),
        ([Route("twice", channels=("ops", "ops"))], [("ops", "twice")], None),
        ([Route("src", sources=("miit/*", "x"), channels=("log",))], [("log", "src")], None),
        ([Route("src", sources=("ndrc/*",), channels=("log",))], [], "no route"),
        ([Route("kind", kinds=(Kind.REVISED, Kind.WITHDRAWN), channels=("log",))], [], "no route"),
        ([Route("kind", kinds=(Kind.NEW,), channels=("log",))], [("log", "kind")], None),
        ([Route("part", channels=("gone", "log"))], [("log", "part")], None),
        ([Route("lost", channels=("gone",)), REST], [("mail", "rest")], None),
        ([Route("lost", channels=("gone",))], [], "no route"),
    ],
)
def test_a_new_notice_goes_where_the_routes_say(
    routes: list[Route], expected: list[tuple[str, str]], silence: str | None
) -> None:
    routing = route(Kind.NEW, NOTICE, routes, CHANNELS, NOW, ZONE)
    assert [(each.channel, each.route) for each in routing.deliveries] == expected
    assert routing.silence == silence
    assert all(each.due_at == NOW and not each.digest for each in routing.deliveries)


@pytest.mark.parametrize("kind", [Kind.GAP, Kind.FAILING, Kind.RECOVERED, Kind.NOTE])
@pytest.mark.parametrize(
    ("routes", "expected", "silence"),
    [
        ([], ["ops", "mail", "log"], None),
        ([AI, REST], ["ops", "mail", "log"], None),  # none of them names the kind
        ([MUTE], ["ops", "mail", "log"], None),
        ([Route("house", kinds=tuple(HOUSE_KINDS), channels=("log",))], ["log"], None),
        ([Route("house", kinds=tuple(HOUSE_KINDS), match=parse("钢铁"), channels=("log",))], ["log"], None),
        ([Route("house", kinds=tuple(HOUSE_KINDS), sources=("ndrc/*",), channels=("log",))], ["ops", "mail", "log"], None),
        ([Route("house", kinds=tuple(HOUSE_KINDS), channels=())], [], "silenced"),
        ([Route("house", kinds=tuple(HOUSE_KINDS), channels=("gone",))], ["ops", "mail", "log"], None),
    ],
)
def test_what_is_about_monitor_itself_goes_everywhere_unless_a_route_names_its_kind(
    kind: Kind, routes: list[Route], expected: list[str], silence: str | None
) -> None:
    routing = route(kind, NOTICE, routes, CHANNELS, NOW, ZONE)
    assert [each.channel for each in routing.deliveries] == expected
    assert routing.silence == silence


def test_what_is_about_no_source_is_not_taken_by_a_route_of_some_sources() -> None:
    some = Route("some", sources=("*",), kinds=(Kind.FAILING,), channels=("log",))
    assert (
        len(
            route(Kind.FAILING, NO_SOURCE, [Route("miit", sources=("miit/*",), kinds=(Kind.FAILING,))], CHANNELS, NOW, ZONE).tried
        )
        == 1
    )
    assert [each.channel for each in route(Kind.FAILING, NO_SOURCE, [some], CHANNELS, NOW, ZONE).deliveries] == ["log"]


def test_a_reminder_goes_where_a_route_asks_for_it_so_many_days_ahead() -> None:
    week = replace(REST, remind=(7, 1), kinds=(Kind.NEW,))
    for routes, days, expected in (
        ([REST], 7, []),
        ([week], 7, ["mail"]),
        ([week], 3, []),
        ([replace(STEEL, remind=(7,))], 7, []),
        ([replace(STEEL, remind=(7,)), week], 1, ["mail"]),
        ([], 7, []),
    ):
        told = route(Kind.REMINDER, NOTICE, routes, CHANNELS, NOW, ZONE, days=days)
        assert [each.channel for each in told.deliveries] == expected


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2025 by Shanghai's clock."""
    return datetime(2025, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


NINE, NIGHT = time(9), (time(22), time(8))


@pytest.mark.parametrize(
    ("now", "digest", "quiet", "due"),
    [
        (local(24, 20), None, None, local(24, 20)),
        (local(24, 20), NINE, None, local(25, 9)),
        (local(24, 8), NINE, None, local(24, 9)),
        (local(24, 20), None, NIGHT, local(24, 20)),
        (local(24, 23), None, NIGHT, local(25, 8)),
        (local(25, 3), None, NIGHT, local(25, 8)),
        (local(25, 8), None, NIGHT, local(25, 8)),  # the end is not quiet
        (local(24, 23), NINE, NIGHT, local(25, 9)),  # both: the later
        (local(24, 23), time(7), NIGHT, local(25, 8)),
        (local(24, 12), time(23), NIGHT, local(25, 8)),  # a digest inside the quiet hours waits for their end
        (local(24, 12), NINE, (time(12), time(14)), local(25, 9)),
    ],
)
def test_digest_and_quiet_only_set_when_it_is_due(
    now: datetime, digest: time | None, quiet: tuple[time, time] | None, due: datetime
) -> None:
    [planned] = route(
        Kind.NEW, NOTICE, [Route("r", channels=("ops",), digest=digest, quiet=quiet)], CHANNELS, now, ZONE
    ).deliveries
    assert planned == Planned("ops", due, "r", digest is not None)


@pytest.mark.parametrize("backwards", [False, True])
def test_two_routes_to_one_channel_make_one_delivery_and_the_earlier_one(backwards: bool) -> None:
    daily = Route("daily", channels=("ops", "mail"), digest=NINE, go_on=True)
    at_once = Route("at once", channels=("ops",), go_on=True)
    routes = [at_once, daily] if backwards else [daily, at_once]
    found = {each.channel: each for each in route(Kind.NEW, NOTICE, routes, CHANNELS, local(24, 20), ZONE).deliveries}
    assert found == {
        "ops": Planned("ops", local(24, 20), "at once", False),
        "mail": Planned("mail", local(25, 9), "daily", True),
    }


def test_each_route_that_was_tried_says_why_it_matched_or_not() -> None:
    routes = [
        Route("kinds", kinds=(Kind.REVISED,)),
        Route("sources", sources=("ndrc/*",)),
        STEEL,
        Route("lost", channels=("gone",)),
        Route("more", sources=("miit/*",), channels=("log",), go_on=True),
        AI,
        REST,
    ]
    tried = route(Kind.NEW, NOTICE, routes, CHANNELS, NOW, ZONE).tried
    assert [(each.route, each.matched, each.reason) for each in tried] == [
        ("kinds", False, "new is not among its kinds"),
        ("sources", False, 'source "miit/tz" is not among its sources'),
        ("steel", False, '"钢铁" is not in it'),
        ("lost", False, "source and kind match; not configured: channel gone"),
        ("more", True, "source and kind match"),
        ("ai", True, '"人工智能" is in title'),
    ]  # and the rest was not tried


def test_a_route_whose_pattern_is_too_slow_is_taken_rather_than_lost_and_says_so() -> None:
    routing = route(Kind.NEW, SLOW_SUBJECT, [Route("slow", match=SLOW, channels=("ops",))], CHANNELS, NOW, ZONE)
    assert [each.channel for each in routing.deliveries] == ["ops"]
    assert "took longer than 100 ms on text: taken as a match" in routing.tried[0].reason


def test_without_a_channel_the_silence_says_so() -> None:
    assert route(Kind.NEW, NOTICE, [], (), NOW, ZONE).silence == "no channel for it"
    assert route(Kind.GAP, NOTICE, [REST], (), NOW, ZONE).silence == "no channel for it"


NAMES = st.sampled_from([*CHANNELS, "gone"])
ROUTES = st.builds(
    Route,
    name=st.sampled_from("abc"),
    sources=st.sampled_from([(), ("miit/*",), ("x",)]),
    kinds=st.lists(st.sampled_from(Kind), max_size=3).map(tuple),
    match=st.sampled_from([None, parse("人工智能"), parse("钢铁")]),
    channels=st.none() | st.lists(NAMES, max_size=3).map(tuple),
    go_on=st.booleans(),
    digest=st.none() | st.times(),
    quiet=st.none() | st.tuples(st.times(), st.times()),
)
MOMENTS = st.integers(1_577_836_800, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@settings(deadline=None)
@given(st.sampled_from(Kind), st.lists(ROUTES, max_size=5), MOMENTS)
def test_every_change_is_owed_once_to_each_of_its_channels_or_silenced_with_a_reason(
    kind: Kind, routes: list[Route], now: datetime
) -> None:
    routing = route(kind, NOTICE, routes, CHANNELS, now, "America/New_York")
    channels = [each.channel for each in routing.deliveries]
    assert len(channels) == len(set(channels))
    assert set(channels) <= set(CHANNELS)
    assert (routing.silence is None) is bool(channels)
    assert all(each.due_at >= now for each in routing.deliveries)
    assert all(each.reason for each in routing.tried)
    if kind in HOUSE_KINDS and not any(kind in each.kinds for each in routes):
        assert set(channels) == set(CHANNELS)
