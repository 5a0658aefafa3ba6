"""Pages after their list, through the real fetch, readers and store: what waits for them, what their later states tell."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.store import notices
from tests.house import House, Row, Site
from tests.web import Web

Build = Callable[..., House]

FOLLOW = "follow = true\n"
LITTLE = "内容已调整。"
BODY = "一、总体要求。\n二、主要任务：推进国产密码应用。\n三、请于30日前报送。"


class Slow(Site):
    """A site some of whose addresses answer only when they are let go."""

    def __post_init__(self) -> None:
        self.stalled: dict[str, threading.Event] = {}
        self.entered: list[str] = []
        super().__post_init__()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        self.entered.append(path)
        if path in self.stalled:
            self.stalled[path].wait(20)
        return super().answer(path)

    def close(self) -> None:
        for event in self.stalled.values():
            event.set()
        super().close()


@pytest.fixture
def site() -> Iterator[Slow]:
    """Twelve rows, newest first, each with a page."""
    made = Slow(
        [Row(f"n{i}", f"关于第{i}项工作的通知", f"2026-01-{i:02d}", f"第{i}项正文。\n请办理。") for i in range(12, 0, -1)]
    )
    yield made
    made.close()


@pytest.mark.parametrize("what", ["the page is gone", "a line was taken out", "the row is gone"])
def test_what_was_seen_once_is_looked_at_again_however_long_that_fails(build: Build, site: Slow, what: str) -> None:
    house = build(FOLLOW + "backfill = 50\n")
    house.check()
    for _ in range(14):
        house.clock.on(seconds=20)
        house.check()
    house.clock.on(days=31)  # the plan's last look
    row, page = site.page_of("n6"), "/p/n6.html"
    row.page = "第6项正文。" if what == "a line was taken out" else ""
    if what == "the row is gone":
        site.rows.remove(row)
        site.status[page] = 503
    house.check()
    site.status[page] = 503
    for _ in range(16):
        house.clock.on(minutes=40)
        house.check()
    site.status.clear()
    for _ in range(4):
        house.clock.on(days=1)
        house.check()
    told = [change for change in house.told() if change[0] != "note"]  # nothing new came for a month
    assert told == [("revised" if what == "a line was taken out" else "withdrawn", row.title)]


def test_what_lets_a_source_in_is_for_its_own_host_alone(build: Build, site: Slow) -> None:
    with Web() as other:
        other.pages["/x.html"] = "<title>别处</title><div id='zoom'>别处的正文，有关事项通知如下。</div>"
        site.bodies["/list/"] = (
            f"<ul class='l'><li><a href='{other.url}/x.html'>关于别处事项的通知</a><span>2026-01-05</span></li></ul>".encode()
        )
        site.types["/list/"] = "text/html; charset=utf-8"
        keys = 'headers = {{ Authorization = "Bearer s3cret-token", Cookie = "sid=s3cret", Accept-Language = "zh" }}\n'
        house = build(FOLLOW + keys)
        house.check()
        house.clock.on(minutes=1)
        house.check()
        assert [asked.path for asked in other.asked] == ["/x.html"]
        sent = other.asked[0].headers
        assert not {"authorization", "cookie"} & sent.keys()
        assert sent["accept-language"] == "zh"


def new_row(page: str | None = BODY, **more: Any) -> Row:
    return Row("x1", "关于新事项的通知", "2026-01-13", page, **more)


PAGE = "/p/x1.html"


def pump(house: House, until: Callable[[], bool]) -> None:
    """Tick both loops until something is so; at most ten seconds."""
    end = time.monotonic() + 10
    while not until():
        assert time.monotonic() < end, "it did not come to that within ten seconds"
        house.loops.checking.done.clear()
        house.loops.tick()
        house.loops.checking.done.wait(0.02)


def idle(house: House) -> bool:
    return not house.loops.checking.reading(["a"]) and not house.loops.delivering.busy()


def rows_of(house: House, sql: str, *args: object) -> list[dict[str, Any]]:
    with house.loops.store.read() as conn:
        return [dict(row) for row in conn.execute(sql, args)]


def reading(house: House, path: str = PAGE) -> dict[str, Any]:
    return rows_of(house, "SELECT * FROM readings WHERE url LIKE ?", f"%{path}")[0]


def due_in(house: House, path: str = PAGE) -> timedelta | None:
    due = reading(house, path)["due_at"]
    return datetime.fromisoformat(due) - house.clock() if due else None


def look_again(house: House, path: str = PAGE) -> None:
    """Move the clock to the reading's next time and take it."""
    left = due_in(house, path)
    assert left is not None, "the plan has no further look"
    house.clock.on(seconds=max(left.total_seconds(), 0))
    house.check()


def text_of(house: House, notice: int, seq: int) -> str:
    with house.loops.store.read() as conn:
        return notices.text_of(conn, notice, seq)


def with_new(build: Build, site: Site, source: str = FOLLOW, **options: Any) -> House:
    """A house that has seen its baseline and then the new row with its page."""
    house = build(source, **options)
    house.check()
    site.rows.insert(0, options.pop("row", None) or new_row())
    house.check()
    return house


# --- the list first, its pages after


def test_a_new_notice_waits_for_its_page_and_the_message_tells_of_it(
    build: Build, site: Slow, capsys: pytest.CaptureFixture[str]
) -> None:
    house = build(FOLLOW)
    house.check()
    site.rows.insert(0, new_row())
    site.stalled[PAGE] = threading.Event()
    house.loops.checking.ask(["a"])
    pump(house, lambda: PAGE in site.entered)
    assert [(c["kind"], c["silence"]) for c in house.changes()] == [("new", "held")]
    assert house.deliveries() == []
    site.stalled[PAGE].set()
    pump(house, lambda: idle(house) and house.deliveries() != [] and house.deliveries()[0]["state"] == "sent")
    assert house.told() == [("new", "关于新事项的通知")]
    assert house.changes()[0]["to_version"] == 2
    assert "推进国产密码应用" in capsys.readouterr().out


def test_a_page_that_hangs_holds_its_message_no_longer_than_hold(build: Build, site: Slow) -> None:
    house = build(FOLLOW)
    house.check()
    site.rows.insert(0, new_row())
    site.stalled[PAGE] = threading.Event()
    house.loops.checking.ask(["a"])
    pump(house, lambda: PAGE in site.entered)
    house.clock.on(seconds=119)
    house.loops.tick()
    assert house.deliveries() == []
    house.clock.on(seconds=1)
    house.loops.tick()
    assert house.told() == [("new", "关于新事项的通知")]
    site.stalled[PAGE].set()
    pump(house, lambda: idle(house) and reading(house)["read_at"] is not None)
    assert len(house.deliveries()) == 1, "the reading that came late makes no second message"


@pytest.mark.parametrize("status", [404, 500, 503, 403])
def test_a_page_that_fails_releases_its_message_at_once(build: Build, site: Slow, status: int) -> None:
    house = build(FOLLOW)
    house.check()
    site.rows.insert(0, new_row())
    site.status[PAGE] = status
    assert house.check()["a"].new == 1
    assert house.told() == [("new", "关于新事项的通知")]
    assert [d["state"] for d in house.deliveries()] == ["sent"]


def test_without_hold_a_message_waits_for_nothing(build: Build, site: Slow) -> None:
    house = build(FOLLOW + 'hold = "0s"\n')
    house.check()
    site.rows.insert(0, new_row())
    site.stalled[PAGE] = threading.Event()
    house.loops.checking.ask(["a"])
    pump(house, lambda: house.deliveries() != [])
    assert house.told() == [("new", "关于新事项的通知")]
    site.stalled[PAGE].set()


def test_a_page_that_hangs_delays_no_other_source(build: Build, site: Slow) -> None:
    other = '[[source]]\nid = "b"\nkind = "list"\nurl = "http://localhost:{port}/list/?b"\nitems = "ul.l > li"\n'
    house = build(FOLLOW, extra=other.replace("{port}", str(site.server.server_port)), monitor='every = "15m"\n')
    house.check()
    site.rows.insert(0, new_row())
    site.stalled[PAGE] = threading.Event()
    house.loops.checking.ask(["a"])
    pump(house, lambda: PAGE in site.entered)
    future = house.loops.checking.ask(["b"])["b"]
    pump(house, future.done)
    assert future.result().outcome == "changed"
    assert not site.stalled[PAGE].is_set()
    site.stalled[PAGE].set()


# --- enrichment

BY_WORD = '[[route]]\nmatch = "国产密码"\nchannels = ["console"]\n'


def test_a_route_on_a_word_of_the_page_is_served(build: Build, site: Slow) -> None:
    house = with_new(build, site, extra=BY_WORD)
    assert [(d["change"], d["state"]) for d in house.deliveries()] == [(house.changes()[0]["id"], "sent")]


def test_a_route_on_a_word_of_no_page_is_not(build: Build, site: Slow) -> None:
    house = with_new(build, site, extra=BY_WORD.replace("国产密码", "量子通信"))
    assert house.deliveries() == []
    assert house.changes()[0]["silence"] == "no route"


@pytest.mark.parametrize("status", [503, 404], ids=["that failed at first", "that was not there at first"])
def test_a_route_on_a_word_of_a_page_that_comes_late_is_served(build: Build, site: Slow, status: int) -> None:
    house = build(FOLLOW, extra=BY_WORD)
    house.check()
    site.rows.insert(0, new_row())
    site.status[PAGE] = status
    house.check()
    assert house.deliveries() == []
    site.status.clear()
    look_again(house)
    assert [d["state"] for d in house.deliveries()] == ["sent"]
    assert [c["kind"] for c in house.changes()] == ["new"]


def test_the_first_reading_is_no_revision(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    for _ in range(3):
        house.clock.on(hours=2)
        house.check()
    assert [c["kind"] for c in house.changes()] == ["new"]
    assert house.notices()[-1]["versions"] == 2
    assert house.notices()[-1]["state"] == "present"


def test_pages_of_a_baseline_are_read_slowly_newest_first_and_at_most_backfill(build: Build, site: Slow) -> None:
    site.rows.append(site.rows.pop(0))  # the newest row stands last
    house = build(FOLLOW + "backfill = 3\n")
    house.check()
    for _ in range(6):
        house.clock.on(seconds=20)
        house.check()
    read = [path for path, _ in site.asked if path.startswith("/p/")]
    assert read == ["/p/n12.html", "/p/n11.html", "/p/n10.html"]
    assert house.told() == []


def test_a_large_baseline_is_read_newest_first_too(build: Build, site: Slow) -> None:
    site.rows[:] = [Row(f"m{i}", f"第{i}号", "2026-01-05") for i in range(2100)]
    house = build(FOLLOW + "backfill = 3\n")
    assert house.check()["a"].rows == 2100
    wanted = rows_of(house, "SELECT url FROM readings")
    assert {row["url"].rpartition("/")[2] for row in wanted} == {"m0.html", "m1.html", "m2.html"}


# --- later looks

PLAN = [1, 6, 24, 72, 168, 720]


def test_a_page_is_looked_at_again_by_the_plan(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    first_seen = datetime.fromisoformat(house.notices()[-1]["first_seen"])
    ages = []
    while (due := reading(house)["due_at"]) is not None:
        ages.append((datetime.fromisoformat(due) - first_seen) / timedelta(hours=1))
        look_again(house)
    assert ages == PLAN
    assert [kind for kind, _ in house.told()] == ["new"], "its list was not looked at meanwhile: that is no silence"


def test_a_later_look_is_asked_for_conditionally(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    look_again(house)
    look_again(house)
    assert [status for path, status in site.asked if path == PAGE] == [200, 304, 304]


def test_a_silent_edit_is_revised(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    site.page_of("x1").page = BODY.replace("30日", "25日")
    house.check()
    assert house.told() == [("new", "关于新事项的通知")], "it is not asked for before its time"
    look_again(house)
    last = house.changes()[-1]
    assert (last["kind"], last["reason"], last["from_version"], last["to_version"]) == ("revised", "text", 2, 3)
    assert "30日" in text_of(house, last["notice"], 2)
    assert "25日" in text_of(house, last["notice"], 3)
    assert len(house.deliveries()) == 2
    left = due_in(house)
    assert left is not None
    assert timedelta(hours=4) < left <= timedelta(hours=5), "the plan goes on where it was"


def titled(site: Slow, title: str) -> None:
    """The page of the new notice has another title than its row."""
    site.bodies[PAGE] = site._page(replace(site.page_of("x1"), title=title)).encode()
    site.types[PAGE] = "text/html; charset=utf-8"


def test_a_title_that_its_page_has_first_is_told_at_once_and_once(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    titled(site, "关于另一事项的通知")
    look_again(house)
    told = [("new", "关于另一事项的通知"), ("revised", "关于另一事项的通知")]
    assert house.told() == told
    site.page_of("x1").title = "关于另一事项的通知"
    for _ in range(3):
        house.check()
    assert house.told() == told


def test_a_date_that_changes_with_a_title_that_its_page_had_first_is_told_where_it_stands(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    titled(site, "关于另一事项的通知")
    look_again(house)
    site.page_of("x1").title, site.page_of("x1").date = "关于另一事项的通知", "2026-01-11"
    for _ in range(3):
        house.check()
    assert [(c["kind"], c["reason"]) for c in house.changes()] == [
        ("new", "first seen"),
        ("revised", "title"),
        ("revised", "date"),
    ]


def test_a_title_that_its_row_has_first_is_told_at_once_and_once(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    titled(site, "关于新事项的通知")
    site.page_of("x1").title = "关于另一事项的通知"
    house.check()
    told = [("new", "关于另一事项的通知"), ("revised", "关于另一事项的通知")]
    assert house.told() == told
    titled(site, "关于另一事项的通知")
    look_again(house)
    assert house.told() == told


@pytest.mark.parametrize("page", ["关于新事项的通知", "关于新事项的通知（试行）"], ids=["revised", "cut short"])
def test_a_row_whose_title_loses_its_end_is_revised_if_its_page_says_so_too(build: Build, site: Slow, page: str) -> None:
    house = build(FOLLOW)
    house.check()
    site.rows.insert(0, replace(new_row(), title="关于新事项的通知（试行）"))
    house.check()
    site.page_of("x1").title = "关于新事项的通知"
    titled(site, page)
    house.check()
    assert house.told() == [("new", page), *([("revised", page)] if page == "关于新事项的通知" else [])]


def test_a_title_that_is_taken_back_is_told_as_it_is_again(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    titled(site, "关于新事项的通知")
    for title in ("关于新事项的通知（试行）", "关于新事项的通知"):
        site.page_of("x1").title = title
        house.check()
        house.check()
        assert house.told()[-1] == ("revised", title)


def test_a_look_for_another_reason_takes_nothing_from_the_plan(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    site.rows.insert(0, Row("x2", "另一通知", "2026-01-14"))
    house.check()
    titled(site, "关于新事项的通知")
    site.rows.pop(1)
    asked = len(site.asked)
    house.check()
    assert PAGE in [path for path, _ in site.asked[asked:]], "its row is missing"
    left = due_in(house)
    assert left is not None
    assert timedelta(minutes=59) < left < timedelta(hours=1)


def test_an_edit_on_the_hour_of_an_outage_is_found_when_the_page_answers_again(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    site.page_of("x1").page = BODY.replace("30日", "25日")
    site.status[PAGE] = 503
    look_again(house)
    site.status.clear()
    look_again(house)
    assert [c["kind"] for c in house.changes()] == ["new", "revised"]


# --- gone and back


def test_a_page_that_is_gone_in_two_looks_is_withdrawn_and_restored_when_it_is_back(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    page, site.page_of("x1").page = site.page_of("x1").page, ""
    look_again(house)
    assert house.told()[1:] == []
    left = due_in(house)
    assert left is not None
    assert timedelta(minutes=14) < left < timedelta(minutes=16), "looked at again after `every`"
    look_again(house)
    assert [kind for kind, _ in house.told()] == ["new", "withdrawn"]
    assert house.notices()[-1]["state"] == "withdrawn"
    site.page_of("x1").page = page
    look_again(house)
    assert [kind for kind, _ in house.told()] == ["new", "withdrawn", "restored"]
    assert house.notices()[-1]["versions"] == 2


def test_a_page_that_is_gone_once_is_no_news(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    page, site.page_of("x1").page = site.page_of("x1").page, ""
    look_again(house)
    site.page_of("x1").page = page
    look_again(house)
    assert house.told() == [("new", "关于新事项的通知")]
    site.page_of("x1").page = ""
    look_again(house)
    assert house.told() == [("new", "关于新事项的通知")], "gone twice means twice in a row"


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_page_that_fails_is_not_gone(build: Build, site: Slow, status: int) -> None:
    house = with_new(build, site)
    site.status[PAGE] = status
    for _ in range(10):
        if due_in(house) is None:
            break
        look_again(house)
    assert house.told() == [("new", "关于新事项的通知")]


def test_a_withdrawn_page_is_looked_at_ever_more_seldom(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    site.page_of("x1").page = ""
    look_again(house)
    look_again(house)
    gone_at = house.clock()
    looks: list[int] = []
    while due_in(house) is not None and len(looks) < 10:
        look_again(house)
        looks.append(round((house.clock() - gone_at) / timedelta(hours=1)))
    assert looks == PLAN


def test_two_looks_at_a_missing_page_are_every_apart(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    site.page_of("x1").page = ""
    site.rows.insert(0, Row("x2", "另一通知", "2026-01-14"))
    look_again(house)  # the plan's own look finds it gone
    site.rows[:] = [row for row in site.rows if row.name != "x1"]
    house.check()  # a few seconds later its row is missing as well
    assert "withdrawn" not in [kind for kind, _ in house.told()]
    house.clock.on(minutes=16)
    house.check()
    assert [kind for kind, _ in house.told()].count("withdrawn") == 1


def test_a_missing_row_causes_a_look_at_its_page_and_nothing_more_where_that_is_there(build: Build, site: Slow) -> None:
    house = build(FOLLOW)
    house.check()
    house.clock.on(minutes=5)
    house.check()
    hidden = site.rows.pop(4)
    site.bodies[f"/p/{hidden.name}.html"] = site._page(hidden).encode()
    before = len(site.asked)
    house.check()
    assert f"/p/{hidden.name}.html" in [path for path, _ in site.asked[before:]]
    for _ in range(3):
        house.clock.on(hours=1)
        house.check()
    site.rows.insert(4, hidden)
    house.check()
    assert house.told() == []


@pytest.mark.parametrize("follow", [FOLLOW, ""], ids=["followed", "not followed"])
def test_a_notice_withdrawn_by_its_page_is_restored_when_it_is_listed_again(build: Build, site: Slow, follow: str) -> None:
    house = build(follow)
    house.check()
    house.clock.on(minutes=5)
    house.check()
    gone = site.rows.pop(4)
    house.check()
    house.clock.on(minutes=16)
    house.check()
    assert house.told() == [("withdrawn", gone.title)]
    site.rows.insert(4, gone)
    house.check()
    assert house.told() == [("withdrawn", gone.title), ("restored", gone.title)]
    house.check()
    assert len(house.told()) == 2


def test_addresses_that_moved_together_are_read_where_they_are_now(build: Build, site: Slow) -> None:
    house = build(FOLLOW)
    house.check()
    house.clock.on(minutes=5)
    house.check()
    for row in site.rows:
        row.name = f"moved-{row.name}"
    for _ in range(6):
        house.check()
        house.clock.on(minutes=50)
    assert [(c["kind"], c["reason"]) for c in house.changes()] == [("note", "readdressed")]
    site.rows[3].page = "改过的正文，从新的地址读到。"
    house.clock.on(hours=30)
    house.check()
    assert [kind for kind, _ in house.told()] == ["note", "revised"]


def test_a_withdrawn_notice_that_is_listed_again_under_a_new_address_is_read_there(build: Build, site: Slow) -> None:
    house = build(FOLLOW)
    house.check()
    house.clock.on(minutes=5)
    house.check()
    gone = site.rows.pop(4)
    house.check()
    house.clock.on(minutes=16)
    house.check()
    site.rows.insert(4, gone)
    for row in site.rows:
        row.name = f"moved-{row.name}"
    for _ in range(4):
        house.check()
        house.clock.on(hours=1)
    assert [kind for kind, _ in house.told()] == ["withdrawn", "note", "restored"]


# --- states that must stand


def test_a_page_that_loses_its_text_must_stand(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    site.page_of("x1").page = LITTLE
    look_again(house)
    assert house.told() == [("new", "关于新事项的通知")]
    left = due_in(house)
    assert left is not None
    assert timedelta(minutes=14) < left < timedelta(minutes=16)
    look_again(house)
    assert [kind for kind, _ in house.told()] == ["new", "revised"]


def test_a_page_that_loses_its_text_once_is_no_news(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    for _ in range(2):
        site.page_of("x1").page = LITTLE
        look_again(house)
        site.page_of("x1").page = BODY
        look_again(house)
    assert house.told() == [("new", "关于新事项的通知")]


def test_a_page_that_is_still_loading_is_never_a_state(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    site.page_of("x1").page = "加载中"
    for _ in range(3):
        look_again(house)
    assert house.told() == [("new", "关于新事项的通知")]
    assert text_of(house, 13, 2).startswith("一、总体要求")


MAINTENANCE = (
    "<html><head><title>系统维护</title></head><body><div><h2>系统维护公告</h2><p>尊敬的用户：为了给您提供更好的服务，本网站正在进行"
    "系统升级维护，维护期间将暂停访问，请您稍后再试。给您带来的不便，敬请谅解。技术支持电话：010-12345678。</p></div></body></html>"
)
LOGIN = (
    "<html><head><title>统一身份认证平台</title></head><body><div><h1>用户登录</h1><p>请输入用户名和密码登录系统。忘记密码请联系管理员，"
    "首次登录请使用身份证号码后六位作为初始密码，登录后请及时修改密码，以免造成信息泄露。</p></div></body></html>"
)
DATABASE = (
    "<html><head><title>错误</title></head><body><h1>数据库连接失败</h1><p>SQLSTATE[HY000] [2002] Connection refused in"
    " /var/www/db.php on line 42. 系统发生错误，请联系网站管理员处理。</p></body></html>"
)
BUSY = '{"code":500,"msg":"系统繁忙，请稍后再试，如有疑问请联系客服人员，感谢您的理解与支持"}'
#: What a site serves with status 200 in place of a notice.
INSTEAD = {"maintenance": MAINTENANCE, "a failed database": DATABASE, "an error in JSON": BUSY, "a login": LOGIN}


def serve(site: Site, path: str, body: str) -> None:
    site.bodies[path], site.types[path] = body.encode(), "text/html; charset=utf-8"


def lead(site: Site, path: str, to: str, status: int = 302) -> None:
    serve(site, path, "moved")
    site.status[path], site.headers[path] = status, {"Location": to}


def as_before(site: Site) -> None:
    site.bodies.clear()
    site.status.clear()
    site.headers.clear()


@pytest.mark.parametrize("text", [BODY, BODY * 20], ids=["short", "long"])
@pytest.mark.parametrize("body", INSTEAD.values(), ids=list(INSTEAD))
def test_what_is_served_in_place_of_a_notice_for_some_hours_is_no_news(build: Build, site: Slow, body: str, text: str) -> None:
    house = build(FOLLOW)
    house.check()
    site.rows.insert(0, replace(new_row(), page=text))
    house.check()
    serve(site, PAGE, body)
    for _ in range(4):
        look_again(house)
        house.clock.on(hours=5)
    as_before(site)
    for _ in range(3):
        look_again(house)
    assert house.told() == [("new", "关于新事项的通知")]


def test_what_is_served_in_place_of_a_notice_for_over_a_day_is_what_it_says_now(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    serve(site, PAGE, MAINTENANCE)
    look_again(house)
    house.clock.on(hours=23)
    look_again(house)
    assert house.told() == [("new", "关于新事项的通知")]
    house.clock.on(hours=1)
    look_again(house)
    assert [kind for kind, _ in house.told()] == ["new", "revised"]


def test_a_notice_that_is_written_anew_under_its_title_is_told_within_two_looks(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    site.page_of("x1").page = "此件作废，以新的文件为准，原定各项要求一并停止执行，已经报送的材料由受理机关退回。"
    look_again(house)
    look_again(house)
    assert [kind for kind, _ in house.told()] == ["new", "revised"]


def test_a_page_that_was_gone_before_its_row_went_is_withdrawn_at_the_look_that_the_row_calls_for(
    build: Build, site: Slow
) -> None:
    house = build(FOLLOW)
    house.check()
    site.rows.insert(3, new_row())
    house.check()
    serve(site, PAGE, "gone")
    site.status[PAGE] = 404
    look_again(house)
    site.rows.remove(site.page_of("x1"))
    house.clock.on(hours=5)
    house.check()
    assert [kind for kind, _ in house.told()] == ["new", "withdrawn"]


def test_maintenance_does_not_bring_a_withdrawn_notice_back(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    site.page_of("x1").page = ""
    look_again(house)
    look_again(house)
    serve(site, PAGE, MAINTENANCE)
    look_again(house)
    assert [kind for kind, _ in house.told()] == ["new", "withdrawn"]
    as_before(site)
    site.page_of("x1").page = BODY
    look_again(house)
    assert [kind for kind, _ in house.told()] == ["new", "withdrawn", "restored"]


def test_a_login_that_a_notice_is_led_to_is_a_failed_reading_however_long_it_stands(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    lead(site, PAGE, "/login")
    serve(site, "/login", LOGIN)
    for _ in range(3):
        look_again(house)
        assert "/login answered instead" in reading(house)["last_error"]
        house.clock.on(hours=20)
    assert house.told() == [("new", "关于新事项的通知")]


def led_away(build: Build, site: Site, to: str, body: str) -> House:
    """A house whose new notice leads elsewhere from its first reading on."""
    house = build(FOLLOW)
    house.check()
    site.rows.insert(0, new_row())
    lead(site, PAGE, to)
    serve(site, to, body)
    house.check()
    return house


def test_a_login_that_stands_before_the_first_reading_is_not_the_notice_s_text(build: Build, site: Slow) -> None:
    house = led_away(build, site, "/login", LOGIN)
    assert "/login answered instead" in reading(house)["last_error"]
    assert house.told() == [("new", "关于新事项的通知")]
    as_before(site)
    look_again(house)
    assert text_of(house, 13, 2).startswith("一、总体要求")
    assert house.told() == [("new", "关于新事项的通知")]


def test_a_page_that_its_row_leads_to_for_good_is_its_text_whatever_the_row_says(build: Build, site: Slow) -> None:
    house = led_away(build, site, "/more", DATABASE)
    for _ in range(8):
        look_again(house)
    assert "数据库连接失败" in text_of(house, 13, 2)
    assert house.told() == [("new", "关于新事项的通知")]


@pytest.mark.parametrize(
    "said", [BODY.replace("30日", "25日"), "此件作废，以新的文件为准。" * 5], ids=["an edit", "written anew under its title"]
)
def test_a_short_link_that_leads_to_its_article_is_read_there_and_an_edit_is_told(build: Build, site: Slow, said: str) -> None:
    lead(site, PAGE, "/article/7.html")
    serve(site, "/article/7.html", site._page(new_row()))
    house = with_new(build, site)
    assert text_of(house, 13, 2).startswith("一、总体要求")
    serve(site, "/article/7.html", site._page(replace(new_row(), page=said)))
    look_again(house)
    look_again(house)
    assert [kind for kind, _ in house.told()] == ["new", "revised"]


def test_a_page_that_goes_back_to_a_former_state_must_stand(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    edited = BODY.replace("30日", "25日")
    site.page_of("x1").page = edited
    look_again(house)
    site.page_of("x1").page = BODY  # a mirror that is behind
    look_again(house)
    site.page_of("x1").page = edited
    look_again(house)
    assert [kind for kind, _ in house.told()] == ["new", "revised"]
    site.page_of("x1").page = BODY
    look_again(house)
    look_again(house)
    assert [kind for kind, _ in house.told()] == ["new", "revised", "revised"]


def test_a_page_that_is_read_differently_is_not_revised_and_a_later_edit_is(build: Build, site: Slow) -> None:
    house = with_new(build, site)
    house.loops.close()
    house.path.write_text(house.path.read_text().replace(FOLLOW, FOLLOW + 'ignore = ["div.share"]\n'))
    house.loops = house.open()
    look_again(house)
    assert house.told() == [("new", "关于新事项的通知")]
    site.page_of("x1").page = BODY.replace("30日", "25日")
    look_again(house)
    assert [kind for kind, _ in house.told()] == ["new", "revised"]


# --- attachments


def a_file(build: Build, site: Site, name: str, data: bytes) -> House:
    house = build(FOLLOW)
    house.check()
    site.bodies[f"/f/{name}"] = data
    site.rows.insert(0, new_row(attachments=(name,)))
    house.check()
    return house


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


OLD, NEW = b"%PDF-1.4 old bytes", b"%PDF-1.4 other bytes, a little longer"


def test_an_attachment_is_stored_by_its_hash(build: Build, site: Slow) -> None:
    house = a_file(build, site, "a.pdf", OLD)
    [stored] = rows_of(house, "SELECT a.sha256, a.bytes, b.data FROM attachments a JOIN blobs b USING (sha256)")
    assert stored == {"sha256": sha256(OLD), "bytes": len(OLD), "data": OLD}
    assert [c["kind"] for c in house.changes()] == ["new"]


def test_one_file_of_two_notices_is_stored_once(build: Build, site: Slow) -> None:
    house = a_file(build, site, "a.pdf", OLD)
    site.bodies["/f/b.pdf"] = OLD
    site.rows.insert(0, Row("x2", "另一通知", "2026-01-14", BODY, ("b.pdf",)))
    house.check()
    assert len(rows_of(house, "SELECT * FROM blobs")) == 1
    assert len(rows_of(house, "SELECT * FROM attachments WHERE sha256 IS NOT NULL")) == 2


def test_other_bytes_under_the_same_address_are_revised_with_both_hashes(build: Build, site: Slow) -> None:
    house = a_file(build, site, "a.pdf", OLD)
    site.bodies["/f/a.pdf"] = NEW
    look_again(house, "/f/a.pdf")
    last = house.changes()[-1]
    assert (last["kind"], last["reason"], last["silence"]) == ("revised", "attachment", None)
    [detail] = [row["detail"] for row in rows_of(house, "SELECT detail FROM changes WHERE id = ?", last["id"])]
    for fact in ("a.pdf", str(len(OLD)), str(len(NEW)), sha256(OLD), sha256(NEW)):
        assert fact in detail
    look_again(house, "/f/a.pdf")
    assert [c["kind"] for c in house.changes()] == ["new", "revised"]
    assert len(rows_of(house, "SELECT * FROM blobs")) == 2, "the old bytes are kept"


@pytest.mark.parametrize("status", [404, 503])
def test_an_attachment_that_is_gone_or_fails_is_not_told_and_holds_nothing(build: Build, site: Slow, status: int) -> None:
    house = build(FOLLOW)
    house.check()
    site.status["/f/a.pdf"] = status
    site.rows.insert(0, new_row(attachments=("a.pdf",)))
    house.check()
    assert [d["state"] for d in house.deliveries()] == ["sent"]
    for _ in range(4):
        look_again(house, "/f/a.pdf")
    assert [c["kind"] for c in house.changes()] == ["new"]
