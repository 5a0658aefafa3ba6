"""A date is read in every form that official sites write it in, or it is unknown; it is never guessed."""

from __future__ import annotations

import time as clock
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.facts import parse_when
from monitor.model import When

TODAY = date(2026, 1, 10)
DAY = date(2026, 1, 8)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


MINUTE = at("2026-01-08T10:22:00+08:00")
SECOND = at("2026-01-08T10:22:03+08:00")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026-01-08",
            "2026-1-8",
            "2026/1/8",
            "2026.01.08",
            "2026.1.8",
            "2026年1月8日",
            "2026年01月08日",
            "2026 年 1 月 8 日",
            "2026 - 01 - 08",
        ),
        *(
            "20260108",
            "[2026-01-08]",
            "(2026-01-08)",
            "【2026-01-08】",
            "２０２６－０１－０８",
            "2026年1月8号",
            " \n\t2026-01-08\xa0 ",
            "2026-01-08 来源：新华社",
        ),
        *("[01-08]", "01-08", "1-8", "01/08", "01.08", "1月8日", "01月08日", "【01-08】", "发布日期：01-08", "（1月8日）"),
        *(
            "二〇二六年一月八日",
            "二○二六年一月八日",
            "二零二六年一月八日",
            "二O二六年一月八日",
            "二0二六年一月八日",
            "二〇二六年元月八日",
            "二〇二六年 一月 八日",
        ),
        *(
            "January 8, 2026",
            "Jan 8, 2026",
            "Jan. 8th, 2026",
            "8 Jan 2026",
            "8 January 2026",
            "08-Jan-2026",
            "8th January, 2026",
            "Thursday, January 8, 2026",
        ),
        *(
            "发布时间：2026-01-08",
            "发布日期: 20260108",
            "成文日期：二〇二六年一月八日",
            "08.01.2026",
            "工业和信息化部\n2026年1月8日",
        ),
        *("前天", "2天前", "两天前", "2 days ago", "2026-01-08 25:00", "2026-01-08 10:99", " " * 2000 + "2026-01-08"),
    ],
)
def test_a_day_is_a_date(text: str) -> None:
    assert parse_when(text, TODAY) == DAY
    assert type(parse_when(text, TODAY)) is date


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026-01-08 10:22",
            "2026/1/8 10:22",
            "2026年1月8日 10:22",
            "2026年1月8日10时22分",
            "2026年1月8日（星期四） 10:22",
            "2026-01-08　10：22",
        ),
        *(
            "[01-08] 10:22",
            "01-08 10:22",
            "1月8日 10:22",
            "前天 10:22",
            "发布时间：2026-01-08 10:22",
            "发布时间：2026-01-08 10:22 来源：工信部",
        ),
        *(
            "2026-01-0810:22",
            "2026-01-08 (10:22)",
            "2026-01-08T10:22",
            "2026-01-08T10:22+08:00",
            "2026-01-08 10:22 +0800",
            "2026-01-08 02:22 UTC",
        ),
        *(
            "202601081022",
            "2026年1月8日 上午10:22",
            "Jan 8, 2026 10:22 AM",
            "January 8, 2026 at 10:22 a.m.",
            "2026-01-08 10:22-11:30",
            "2026-01-07T21:22-05:00",
        ),
    ],
)
def test_a_day_with_a_time_is_a_moment_in_utc(text: str) -> None:
    when = parse_when(text, TODAY)
    assert when == MINUTE
    assert isinstance(when, datetime)
    assert when.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026-01-08 10:22:03",
            "2026-01-08 10:22:03.0",
            "2026-01-08T10:22:03",
            "2026-01-08T02:22:03Z",
            "2026-01-08T02:22:03.000000000Z",
        ),
        *(
            "2026-01-08T10:22:03+08:00",
            "2026-01-08T10:22:03+0800",
            "2026-01-08T10:22:03+08",
            "2026-01-07T21:22:03-05:00",
            "20260108T022203Z",
        ),
        *("20260108102203", "1767838923", "1767838923000", "1767838923.0", "发布时间：1767838923", "2026年1月8日10时22分03秒"),
        *(
            "Thu, 08 Jan 2026 10:22:03 +0800",
            "Thu, 8 Jan 2026 02:22:03 GMT",
            "08 Jan 2026 02:22:03 UT",
            "08 Jan 26 10:22:03 +0800",
        ),
        *("Wed, 07 Jan 2026 21:22:03 EST", "Wed, 07 Jan 2026 21:22:03 -0500"),
        *(
            "Thu,08 Jan 2026 10：22：03",
            "Thu, 08 Jan 2026 10:22:03",
            "Thu, 08 Jan 2026 10:22:03 CST",
            "Thu, 08 Jan 2026 10:22:03 +08:00",
        ),
        *(
            "Thu, 08 Jan 2026 10:22:03 GMT+8",
            "星期四, 08 一月 2026 10:22:03 +0800",
            "Thu, 08 1月 2026 10:22:03 +0800",
            "08 一月 2026 02:22:03 GMT",
        ),
        *("Thu Jan  8 10:22:03 2026", "Thu Jan 08 10:22:03 CST 2026", "Thu Jan 08 02:22:03 UTC 2026"),
        "Thu Jan 08 2026 10:22:03 GMT+0800 (中国标准时间)",
    ],
)
def test_standards_and_their_usual_mistakes_are_read_to_the_second(text: str) -> None:
    assert parse_when(text, TODAY) == SECOND


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026年1月8日 下午3:05", at("2026-01-08T15:05:00+08:00")),
        ("2026年1月8日 下午12:05", at("2026-01-08T12:05:00+08:00")),
        ("2026年1月8日 中午11:50", at("2026-01-08T11:50:00+08:00")),
        ("2026年1月8日 凌晨12:05", at("2026-01-08T00:05:00+08:00")),
        ("Jan 8, 2026 12:05 AM", at("2026-01-08T00:05:00+08:00")),
        ("Jan 8, 2026 3:05 p.m.", at("2026-01-08T15:05:00+08:00")),
        ("2026年1月8日10时", at("2026-01-08T10:00:00+08:00")),
        ("2026-01-08 24:00", at("2026-01-09T00:00:00+08:00")),
        ("2026-01-08 00:00:00", at("2026-01-08T00:00:00+08:00")),
        ("2026-01-08 23:59:60", at("2026-01-08T23:59:59+08:00")),
        ("2026-01-08T10:22:03.25+08:00", at("2026-01-08T10:22:03.250000+08:00")),
        ("1767838923250", at("2026-01-08T10:22:03.250000+08:00")),
        ("二〇二五年十二月三十一日", date(2025, 12, 31)),
        ("二〇二五年十一月廿三日", date(2025, 11, 23)),
        ("一九九八年十月十日", date(1998, 10, 10)),
        ("今天", TODAY),
        ("今天 10:20", at("2026-01-10T10:20:00+08:00")),
        ("昨天 10:20", at("2026-01-09T10:20:00+08:00")),
        ("昨日", date(2026, 1, 9)),
        ("yesterday", date(2026, 1, 9)),
        ("大前天", date(2026, 1, 7)),
        ("刚刚", TODAY),
        ("13/01/2026", date(2026, 1, 13)),
        ("01/13/2026", date(2026, 1, 13)),
        ("1949-10-01", date(1949, 10, 1)),
        ("首次 2025-12-31，修订 2026-01-08", date(2025, 12, 31)),
    ],
)
def test_other_forms(text: str, when: When) -> None:
    assert parse_when(text, TODAY) == when


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "暂无",
            "10:22",
            "浏览次数：123",
            "v1.2",
            "第 3.5 条",
            "CVE-2026-12345",
            "2026年",
            "2026年1月",
            "2026-01",
            "26-01-08",
            "1.2.3",
        ),
        *(
            "2026-02-30",
            "2026-13-01",
            "2026-00-10",
            "2025-02-29",
            "2026年2月30日",
            "二〇二六年二月三十日",
            "13-01",
            "[02-30]",
            "30 Feb 2026",
            "20260230",
        ),
        *(
            "01/02/2026",
            "0001-01-01 00:00:00",
            "1899-12-31",
            "1970-01-01 08:00:00",
            "0000000000",
            "9999-12-31",
            "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00+08:00",
            "2099-12-31",
            "2027-02-01",
        ),
        *("4102444800", "99999999999999999999", "2个月前", "1年前", "555-01-08", "１２３", "\ud800", "\x00"),
    ],
)
def test_what_is_no_date_or_an_impossible_one_is_unknown(text: str) -> None:
    assert parse_when(text, TODAY) is None


@pytest.mark.parametrize(
    ("text", "today", "day"),
    [
        ("01-10", date(2026, 1, 10), date(2026, 1, 10)),
        ("01-13", date(2026, 1, 10), date(2026, 1, 13)),
        ("01-14", date(2026, 1, 10), date(2025, 1, 14)),
        ("12-31", date(2026, 1, 1), date(2025, 12, 31)),
        ("01-01", date(2025, 12, 31), date(2026, 1, 1)),
        ("1月5日", date(2025, 12, 31), date(2025, 1, 5)),
        ("02-29", date(2024, 3, 1), date(2024, 2, 29)),
        ("02-29", date(2026, 3, 1), date(2024, 2, 29)),
    ],
)
def test_a_missing_year_is_the_one_that_puts_the_date_in_the_past_or_a_few_days_ahead(text: str, today: date, day: date) -> None:
    assert parse_when(text, today) == day


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Asia/Shanghai", "2026-07-08T10:22:00+08:00"),
        ("Europe/Berlin", "2026-07-08T10:22:00+02:00"),
        ("America/New_York", "2026-07-08T10:22:00-04:00"),
    ],
)
def test_a_time_without_a_zone_is_the_sources_local_time(zone: str, expected: str) -> None:
    assert parse_when("2026-07-08 10:22", date(2026, 7, 9), zone) == at(expected)


def test_cst_is_chinas_in_asia_and_americas_elsewhere() -> None:
    text = "Thu, 08 Jan 2026 10:22:03 CST"
    assert parse_when(text, TODAY, "America/Chicago") == at("2026-01-08T10:22:03-06:00")
    assert parse_when(text, TODAY, "Asia/Hong_Kong") == SECOND


def test_hours_ago_reach_back_over_midnight_where_the_moment_is_known() -> None:
    early = datetime(2026, 1, 10, 1, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert parse_when("3小时前", early) == date(2026, 1, 9)
    assert parse_when("半小时前", early) == date(2026, 1, 10)
    assert parse_when("3小时前", TODAY) == TODAY


def test_the_moment_of_the_look_is_read_in_the_sources_zone() -> None:
    assert parse_when("今天", datetime(2026, 1, 9, 20, tzinfo=UTC), "Asia/Shanghai") == date(2026, 1, 10)
    assert parse_when("今天", datetime(2026, 1, 9, 20, tzinfo=UTC), "America/New_York") == date(2026, 1, 9)


def test_a_relative_time_is_the_same_at_each_look_of_the_day() -> None:
    looks = [datetime(2026, 1, 10, hour, 0, tzinfo=ZoneInfo("Asia/Shanghai")) for hour in range(4, 24)]
    assert {parse_when(f"{look.hour - 3}小时前", look) for look in looks} == {date(2026, 1, 10)}


def test_an_unknown_zone_is_not_taken_for_another() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        parse_when("2026-01-08", TODAY, "Mars/Olympus")


days = st.dates(date(1971, 1, 1), TODAY)
seconds = st.integers(365 * 86400, int(datetime(2026, 1, 9, tzinfo=UTC).timestamp()))
moments = seconds.map(lambda second: datetime.fromtimestamp(second, UTC))
FORMS = [
    "{0:%Y-%m-%d}",
    "{0:%Y/%m/%d}",
    "{0.year}.{0.month}.{0.day}",
    "{0.year}年{0.month}月{0.day}日",
    "{0:%Y%m%d}",
    "{0:%d %b %Y}",
    "{0:%B %d, %Y}",
]


@given(days, st.sampled_from(FORMS), st.sampled_from(["", "发布时间：", "日期: ", " "]))
def test_every_day_is_read_back_from_every_form(day: date, form: str, label: str) -> None:
    prefix = label if "%b" not in form and "%B" not in form else ""
    assert parse_when(prefix + form.format(day), TODAY) == day


@given(moments, st.integers(-12 * 60, 14 * 60))
def test_every_moment_is_read_back_from_the_standards(when: datetime, minutes: int) -> None:
    there = when.astimezone(timezone(timedelta(minutes=minutes)))
    assert parse_when(there.isoformat(), TODAY) == when
    assert parse_when(format_datetime(there), TODAY) == when
    assert parse_when(f"{when.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%d %H:%M:%S}", TODAY) in (
        when,
        when - timedelta(hours=1),
    )


@given(
    st.one_of(
        st.text(max_size=60),
        st.text("0123456789-/.:年月日时分 TZ+〇一二十[]()", max_size=30),
        st.lists(
            st.sampled_from(
                ["2026", "-", "01", "月", "Jan", " ", "10:22", "99", "昨天", "前", "小时", "+0800", "GMT", "二〇", "年", "下午"]
            ),
            max_size=10,
        ).map("".join),
    ),
    st.dates(date(1900, 1, 1), date.max),
)
@settings(max_examples=1000)
def test_any_text_gives_a_believable_date_or_none(text: str, today: date) -> None:
    when = parse_when(text, today)
    if isinstance(when, datetime):
        assert when.tzinfo is UTC
        when = when.astimezone(ZoneInfo("Asia/Shanghai")).date()
    assert when is None or (when.year >= 1900 and when - today <= timedelta(days=366))


@pytest.mark.parametrize(
    "text", ["1" * 100_000, "2026-" * 50_000, " " * 1_000_000, "二" * 100_000, "a\u0301\u0316" * 100_000, "发布" * 50_000]
)
def test_a_hostile_text_costs_no_time(text: str) -> None:
    started = clock.process_time()
    parse_when(text, TODAY)
    assert clock.process_time() - started < 1
