"""Reminders and the calendar: a date that a notice names is told again so many days ahead, once, where a route asks for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest

from monitor.check.reminding import due_days
from monitor.model import Facts
from monitor.render import ics

ZONE = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 3, 20)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def at(month: int, day: int, hour: int) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("asked", "first_seen", "now", "days"),
    [
        pytest.param((7, 1), LONG_AGO, at(3, 13, 8), None, id="an hour before the first, nothing"),
        pytest.param((7, 1), LONG_AGO, at(3, 13, 9), 7, id="seven days ahead at nine"),
        pytest.param((7, 1), LONG_AGO, at(3, 18, 23), 7, id="missed by days, the one that has come still counts"),
        pytest.param((7, 1), LONG_AGO, at(3, 19, 9), 1, id="of two that have come, the nearest"),
        pytest.param((7, 1, 0), LONG_AGO, at(3, 20, 23), 0, id="the day itself"),
        pytest.param((7, 1), LONG_AGO, at(3, 21, 0), None, id="over"),
        pytest.param((7, 1), at(3, 15, 12), at(3, 16, 12), None, id="who was told on the 15th needs no reminder on the 13th"),
        pytest.param((7, 1), at(3, 15, 12), at(3, 19, 9), 1, id="but on the eve"),
        pytest.param((), LONG_AGO, at(3, 19, 9), None, id="nobody asks"),
    ],
)
def test_the_fewest_days_that_have_come_count(
    asked: tuple[int, ...], first_seen: datetime, now: datetime, days: int | None
) -> None:
    assert due_days(DAY, asked, first_seen, now, ZONE) == days


def test_the_calendar_is_read_back_by_a_calendar_library() -> None:
    facts = Facts(number="工信部科〔2026〕3号", deadline=DAY, words=(("deadline", "请于2026年3月20日前反馈"),))
    title = "公开征求对《某某办法，试行》（征求意见稿）的意见;" + "长" * 200
    dates = [
        ics.Dated(7, "deadline", DAY, title, "miit/yjzj", "https://www.miit.gov.cn/a.html?b=1,2;c", 2, False, facts),
        ics.Dated(8, "due", DAY + timedelta(days=1), "CVE-2026-1 撤回", "kev", None, 1, True, Facts()),
    ]
    written = ics.calendar(dates, "zh", LONG_AGO)
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))  # RFC 5545, section 3.1: octets
    read = icalendar.Calendar.from_ical(written)
    first, second = read.walk("VEVENT")
    assert (first["uid"], first["dtstart"].dt, first["dtend"].dt) == ("notice-7-deadline@monitor", DAY, DAY + timedelta(days=1))
    assert first["summary"] == f"征求意见截止：{title}"
    assert "文号：工信部科〔2026〕3号" in first["description"]
    assert "请于2026年3月20日前反馈" in first["description"]
    assert first["url"] == "https://www.miit.gov.cn/a.html?b=1,2;c"
    assert (first["status"], second["status"]) == ("CONFIRMED", "CANCELLED")
    assert ics.calendar(dates, "zh", LONG_AGO) == written
