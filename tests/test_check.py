"""What a list says over time, through the real fetch, parse, decide and store: what is told and what is not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from monitor import config as configs
from monitor.store import sources
from tests.house import LIST, House, Row, Site
from tests.receivers import QuietServer

Build = Callable[..., House]


def new_row(date: str = "2026-01-09") -> Row:
    return Row("x1", "关于新事项的通知", date, "新事项正文。")


# --- worlds that must tell nothing


def swap_rows(site: Site) -> None:
    site.rows[2], site.rows[5] = site.rows[5], site.rows[2]


def pin_an_old_row(site: Site) -> None:
    site.rows.insert(0, site.rows.pop(8))


def roll_off_the_end(site: Site) -> None:
    del site.rows[-3:]


def miss_one_row_once(site: Site) -> None:
    site.rows.pop(4)


NOTHING = [swap_rows, pin_an_old_row, roll_off_the_end, miss_one_row_once]


@pytest.mark.parametrize("change", NOTHING, ids=lambda change: change.__name__)
def test_what_is_no_news_is_not_told(build: Build, site: Site, change: Callable[[Site], None]) -> None:
    house = build()
    house.check()
    change(site)
    house.check()
    house.check()
    assert house.told() == []


def test_first_sight_is_a_baseline_and_is_not_told(build: Build) -> None:
    house = build()
    report = house.check()["a"]
    assert (report.outcome, report.rows, report.new) == ("baseline", 12, 0)
    assert len(house.notices()) == 12
    assert house.changes() == []
    assert house.check()["a"].outcome == "unchanged"


def test_a_new_row_is_told_once(build: Build, site: Site) -> None:
    house = build()
    house.check()
    site.rows.insert(0, new_row())
    assert house.check()["a"].new == 1
    house.check()
    assert house.told() == [("new", "关于新事项的通知")]
    assert [d["state"] for d in house.deliveries()] == ["sent"]


def test_a_new_row_below_the_top_is_told_too(build: Build, site: Site) -> None:
    house = build()
    house.check()
    site.rows.insert(6, new_row(date="2026-01-06"))
    house.check()
    assert house.told() == [("new", "关于新事项的通知")]


def test_an_edited_title_is_revised(build: Build, site: Site) -> None:
    house = build()
    house.check()
    site.rows[3].title += "（修订）"
    assert house.check()["a"].revised == 1
    assert house.told() == [("revised", "关于第9项工作的通知（修订）")]
    assert house.changes()[0]["reason"] == "title"


def test_a_lone_changed_date_is_revised(build: Build, site: Site) -> None:
    house = build()
    house.check()
    site.rows[3].date = "2026-01-02"
    house.check()
    assert house.told() == []  # it may be another server's list
    house.check()
    assert [(c["kind"], c["reason"]) for c in house.changes()] == [("revised", "date")]
    assert doubts(house) == []


def test_dates_of_over_half_the_rows_together_are_one_note(build: Build, site: Site) -> None:
    house = build()
    house.check()
    for row in site.rows[:8]:
        row.date = "2025-12-20"
    house.check()
    house.check()
    assert [(c["kind"], c["reason"]) for c in house.changes()] == [("note", "dates")]
    assert doubts(house) == []


@pytest.mark.parametrize("follow", ["", "follow = true\n"], ids=["its list alone", "its pages too"])
@pytest.mark.parametrize("form", ["/all.html#n{}", "/all.html?from=cn{}", "/all.html?_=202601050{:02d}"])
def test_rows_that_lead_to_places_of_one_page_are_told_each(
    build: Callable[..., House], site: Site, form: str, follow: str
) -> None:
    def show(*numbers: int) -> None:
        shown = [(form.format(n), f"第{n}号安全公告", n) for n in numbers]
        shown += [(f"/o/{name}.html", f"另一份文件{name}", 1) for name in "abc"]
        rows = "".join(f"<li><a href='{href}'>{title}</a><span>2026-01-{day:02d}</span></li>" for href, title, day in shown)
        for href, _, _ in shown:
            path = href.partition("#")[0]
            site.bodies[path], site.types[path] = "<h1>安全公告</h1><p>各份公告如下。</p>".encode(), "text/html; charset=utf-8"
        site.bodies["/list/"] = f"<html><body><ul class='l'>{rows}</ul></body></html>".encode()

    site.types["/list/"] = "text/html; charset=utf-8"
    show(1)
    house = build(follow)
    house.check()
    for numbers in ([2, 1], [3, 2, 1], [4, 3, 2], [4]):  # alone, with others, and alone again
        show(*numbers)
        house.clock.on(hours=1)
        house.check()
    assert [told for told in house.told() if told[0] != "note"] == [("new", f"第{n}号安全公告") for n in (2, 3, 4)]


def doubts(house: House) -> list[str]:
    """In what notices are in doubt."""
    with house.loops.store.read() as conn:
        return [row["aspect"] for row in conn.execute("SELECT aspect FROM doubts")]


def test_addresses_that_moved_together_are_one_note(build: Build, site: Site) -> None:
    house = build()
    house.check()
    for row in site.rows:
        row.name = f"moved-{row.name}"
    house.check()
    house.check()
    assert [(c["kind"], c["reason"]) for c in house.changes()] == [("note", "readdressed")]
    assert len(house.notices()) == 12


def test_a_notice_that_left_the_list_and_is_back_under_a_new_address_is_the_same(build: Build, site: Site) -> None:
    house = build()
    house.check()
    back = site.rows.pop()
    house.check()
    site.rows.insert(0, back)
    for row in site.rows:
        row.name = f"moved-{row.name}"
    house.check()
    assert [(c["kind"], c["reason"]) for c in house.changes()] == [("note", "readdressed")]
    assert len(house.notices()) == 12


def test_dates_that_are_read_from_now_on_are_shown_and_not_told(build: Build, site: Site) -> None:
    house = build(LIST.replace('date = "span"', 'date = "i"'))
    house.check()
    assert {notice["published"] for notice in house.notices()} == {None}
    house.write()
    house.reopen()
    house.check()
    house.check()
    assert house.told() == []
    assert {notice["published"] for notice in house.notices()} == {row.date for row in site.rows}


def test_a_row_that_goes_from_between_its_neighbours_causes_a_look_at_its_page(build: Build, site: Site) -> None:
    house = build()
    house.check()
    gone = site.rows.pop(4)
    house.check()
    assert (f"/p/{gone.name}.html", 404) in site.asked
    assert house.told() == []
    house.clock.on(hours=1)
    house.check()
    assert house.told() == [("withdrawn", "关于第8项工作的通知")]
    assert [row["title"] for row in house.notices() if row["state"] == "withdrawn"] == ["关于第8项工作的通知"]
    house.check()
    assert len(house.told()) == 1


def test_a_row_without_a_page_is_withdrawn_when_missing_twice_and_restored_when_back(build: Build, site: Site) -> None:
    for row in site.rows:
        row.page = None
    house = build()
    house.check()
    gone = site.rows.pop(4)
    house.check()
    assert house.told() == []
    house.check()
    assert house.told() == [("withdrawn", gone.title)]
    site.rows.insert(4, gone)
    house.check()
    assert house.told() == [("withdrawn", gone.title), ("restored", gone.title)]


def test_an_empty_list_is_a_failed_check_and_nothing_is_withdrawn(build: Build, site: Site) -> None:
    house = build()
    house.check()
    kept = site.rows[:]
    site.rows.clear()
    report = house.check()["a"]
    assert report.outcome == "failed"
    assert "usually 12" in (report.error or "")
    assert house.source()["health"] == "failing"
    site.rows.extend(kept)
    assert house.check()["a"].outcome == "unchanged"
    assert house.told() == []


def test_a_first_load_without_rows_makes_no_baseline(build: Build, site: Site) -> None:
    kept = site.rows[:]
    site.rows.clear()
    house = build()
    assert house.check()["a"].outcome == "failed"
    site.rows.extend(kept)
    assert house.check()["a"].outcome == "baseline"
    assert house.told() == []


def test_a_far_shorter_list_is_accepted_when_it_stands_for_a_day(build: Build, site: Site) -> None:
    house = build()
    house.check()
    del site.rows[4:]
    for _ in range(2):
        assert house.check()["a"].outcome == "failed"
        house.clock.on(hours=13)
    assert house.check()["a"].outcome == "changed"
    assert [(c["kind"], c["reason"]) for c in house.changes()] == [("note", "accepted")]


def test_a_far_shorter_list_is_accepted_at_once_when_a_person_says_so(build: Build, site: Site) -> None:
    house = build()
    house.check()
    del site.rows[4:]
    assert house.check()["a"].outcome == "failed"
    with house.loops.store.write() as conn:
        sources.set_accept(conn, "a", house.clock())
    assert house.check()["a"].outcome == "changed"
    assert house.check()["a"].outcome == "unchanged"


def test_failing_is_told_at_its_threshold_and_once_more_when_it_is_well(build: Build, site: Site) -> None:
    house = build()
    house.check()
    site.status["/list/"] = 503
    for hours in (0, 2, 2):
        house.clock.on(hours=hours)
        house.check()
    assert house.told() == []
    house.clock.on(hours=3)
    house.check()
    house.check()
    assert house.told() == [("failing", "a")]
    site.status.clear()
    house.check()
    assert house.told() == [("failing", "a"), ("recovered", "a")]


def test_a_short_failure_is_not_told(build: Build, site: Site) -> None:
    house = build()
    house.check()
    site.status["/list/"] = 503
    house.check()
    site.status.clear()
    house.check()
    assert house.told() == []


def test_sources_of_one_host_that_fail_alike_are_one_message(build: Build, site: Site) -> None:
    other = '[[source]]\nid = "b"\nkind = "list"\nurl = "{url}/list/?b"\nitems = "ul.l > li"\n'
    house = build(extra=other, monitor='failing_after = "0s"\n')
    house.check()
    site.status |= {"/list/": 503, "/list/?b": 503}
    for _ in range(4):
        house.check()
    failing = [c for c in house.changes() if c["kind"] == "failing"]
    assert len([c for c in failing if c["silence"] is None]) == 1
    assert {c["source"] for c in failing} == {"a", "b"}
    assert len(house.deliveries()) == 1


def test_a_channel_that_the_one_message_does_not_reach_has_its_own(build: Build, site: Site) -> None:
    other = '[[source]]\nid = "b"\nkind = "list"\nurl = "{url}/list/?b"\nitems = "ul.l > li"\n'
    teams = "".join(
        f'[[route]]\nsources = ["{source}"]\nkinds = ["failing", "recovered"]\nchannels = ["team-{source}"]\n' for source in "ab"
    )
    channels = "".join(f'[[channel]]\nid = "team-{source}"\nurl = "console://"\n' for source in "ab")
    house = build(extra=other + teams, channels=channels, monitor='failing_after = "0s"\n')
    house.check()
    site.status |= {"/list/": 503, "/list/?b": 503}
    for _ in range(4):
        house.check()
    site.status.clear()
    house.check()
    kinds = {change["id"]: (change["kind"], change["source"]) for change in house.changes()}
    sent = sorted((delivery["channel"], *kinds[delivery["change"]]) for delivery in house.deliveries())
    assert sent == [(f"team-{source}", kind, source) for source in "ab" for kind in ("failing", "recovered")]


def off(site: Site) -> None:
    """Nothing answers at the site's port."""
    site.closed = True
    site.server.shutdown()
    site.server.server_close()


def on(site: Site) -> None:
    site.closed = False
    site.server = QuietServer(("127.0.0.1", site.server.server_port), site.server.RequestHandlerClass)
    threading.Thread(target=site.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.mark.parametrize("recovers", [True, False])
def test_an_outage_of_the_machine_hides_nothing_that_was_told_before(build: Build, site: Site, recovers: bool) -> None:
    second = Site(list(site.rows))
    other = f'[[source]]\nid = "b"\nkind = "list"\nurl = "{second.url}/list/"\nitems = "ul.l > li"\n'
    house = build(extra=other, monitor='failing_after = "0s"\n')
    house.check()
    second.status["/list/"] = 503
    for _ in range(3):
        house.check()
        house.clock.on(hours=1)
    off(site)
    off(second)
    for _ in range(4):
        house.check()
        house.clock.on(hours=1)
    on(site)
    on(second)
    if recovers:
        second.status.clear()
    for _ in range(3):
        house.check()
        house.clock.on(hours=1)
    told = [(c["kind"], c["source"], c["reason"]) for c in house.changes() if c["silence"] is None]
    assert told[:3] == [("failing", "b", "http 503"), ("failing", None, "offline"), ("recovered", None, "online")]
    assert told[3:] == ([("recovered", "b", "answers again")] if recovers else [])
    second.close()


def test_offline_is_told_once_though_a_source_is_added_meanwhile(build: Build, site: Site) -> None:
    second = Site(list(site.rows))
    other = f'[[source]]\nid = "b"\nkind = "list"\nurl = "{second.url}/list/"\nitems = "ul.l > li"\n'
    house = build(extra=other, monitor='failing_after = "0s"\n')
    house.check()
    off(site)
    off(second)
    for _ in range(4):
        house.check()
        house.clock.on(hours=1)
    third = '[[source]]\nid = "c"\nkind = "list"\nurl = "http://127.0.0.9:9/list/"\nitems = "ul.l > li"\n'
    house.write(extra=other + third, monitor='failing_after = "0s"\n')
    house.loops.reload(configs.load(house.path, {}))
    for _ in range(4):
        house.check()
        house.clock.on(hours=1)
    on(site)
    house.check("a")
    told = [(c["kind"], c["reason"]) for c in house.changes() if c["silence"] is None]
    assert told[:2] == [("failing", "offline"), ("recovered", "online")], "of the third it may be told then"


def test_retry_after_is_kept_to(build: Build, site: Site) -> None:
    house = build()
    house.check()
    site.status["/list/"] = 503
    site.headers["/list/"] = {"Retry-After": "3600"}
    report = house.check()["a"]
    assert (report.next_due_at - house.clock()).total_seconds() >= 3600
    assert house.source()["asked_until"] is not None


NEXT = 'next = "/list/index_{{page}}.html"\n'


def many(count: int) -> list[Row]:
    """Rows, newest first, one a day."""
    return [
        Row(f"m{i}", f"关于第{i}项工作的通知", (date(2025, 1, 1) + timedelta(days=i)).isoformat()) for i in range(count, 0, -1)
    ]


@pytest.mark.parametrize("count", [1, 7, 8, 9, 10, 11, 20, 28, 30])
def test_a_burst_of_any_length_is_told_whole_and_nothing_else(build: Build, site: Site, count: int) -> None:
    site.rows[:], site.per_page = many(60), 10
    house = build(NEXT)
    house.check()
    site.rows[:] = many(60 + count)
    house.check()
    house.check()
    assert sorted(house.told()) == sorted(("new", row.title) for row in site.rows[:count])


@pytest.mark.parametrize("source", [NEXT, ""], ids=["with further pages", "without"])
@pytest.mark.parametrize("place", [4, 9], ids=["middle", "last"])
def test_an_old_row_that_comes_up_where_one_was_withdrawn_is_not_new(build: Build, site: Site, source: str, place: int) -> None:
    site.rows[:], site.per_page = many(60), 10
    house = build(source)
    house.check()
    gone = site.rows.pop(place)
    for _ in range(3):
        house.check()
        house.clock.on(hours=1)
    assert house.told() == ([("withdrawn", gone.title)] if place < 9 else [])


def test_a_burst_beyond_the_pages_is_a_gap(build: Build, site: Site) -> None:
    site.per_page = 6
    house = build('next = "/list/index_{{page}}.html"\npages = 2\n')
    house.check()
    for number in range(15):
        site.rows.insert(0, Row(f"y{number}", f"第{number}号新通知", "2026-01-09"))
    house.check()
    kinds = [kind for kind, _ in house.told()]
    assert kinds.count("gap") == 1
    assert kinds.count("new") == 12


@pytest.mark.parametrize("status", [404, 410])
def test_a_list_may_end_before_its_pages_do(build: Build, site: Site, status: int) -> None:
    site.per_page = 10
    house = build('next = "/list/index_{{page}}.html"\n')
    house.check()
    site.rows.insert(9, Row("n99", "关于补登事项的通知", "2026-01-12"))  # the last row of page 1: is there more?
    site.status["/list/index_1.html"] = status
    assert house.check()["a"].outcome == "changed"
    assert house.told() == [("new", "关于补登事项的通知"), ("gap", "a")]  # it did not reach what is known: said, and no failure


def test_a_source_whose_url_changed_and_that_overlaps_goes_on(build: Build, site: Site) -> None:
    house = build()
    house.check()
    house.loops.close()
    house.path.write_text(house.path.read_text().replace("/list/", "/list/?new"))
    house.loops = house.open()
    site.rows.insert(0, new_row())
    house.check()
    assert house.told() == [("new", "关于新事项的通知")]


def test_a_source_whose_url_changed_and_that_does_not_overlap_gets_a_new_baseline_and_one_note(build: Build, site: Site) -> None:
    house = build()
    house.check()
    house.loops.close()
    house.path.write_text(house.path.read_text().replace("/list/", "/list/?new"))
    house.loops = house.open()
    site.rows[:] = [Row(f"z{i}", f"另一栏目第{i}条", "2026-01-02") for i in range(10)]
    assert house.check()["a"].outcome == "baseline"
    assert [(c["kind"], c["reason"]) for c in house.changes()] == [("note", "rebaselined")]


def test_what_a_catalogue_lost_before_a_new_baseline_is_withdrawn_after_it(build: Build, site: Site) -> None:
    house = build("complete = true\n")
    house.check()
    with house.loops.store.write() as conn:
        sources.set_paused(conn, "a", True, house.clock())
        sources.set_paused(conn, "a", False, house.clock())
    site.rows[:] = [Row(f"z{i}", f"另一栏目第{i}条", "2026-01-02") for i in range(10)]
    assert house.check()["a"].outcome == "baseline"
    for _ in range(2):
        house.check()
    assert [kind for kind, _ in house.told()] == ["note", *["withdrawn"] * 12]


def test_all_that_a_catalogue_held_is_withdrawn_where_a_person_said_that_it_is_empty(build: Build, site: Site) -> None:
    house = build("complete = true\n")
    house.check()
    site.rows.clear()
    assert house.check()["a"].outcome == "failed"
    with house.loops.store.write() as conn:
        sources.set_accept(conn, "a", house.clock())
    for _ in range(2):
        house.check()
    assert [kind for kind, _ in house.told()] == ["note", *["withdrawn"] * 12]


def test_rows_that_are_read_differently_are_not_revised(build: Build, site: Site) -> None:
    house = build()
    house.check()
    house.loops.close()
    house.path.write_text(house.path.read_text().replace('date = "span"', 'date = "span"\ntitle = "a, b"'))
    house.loops = house.open()
    house.check()
    assert house.told() == []


def test_an_unchanged_check_is_asked_for_conditionally(build: Build, site: Site) -> None:
    house = build()
    house.check()
    house.check()
    assert site.asked[-1] == ("/list/", 304)


def test_a_stale_mirror_that_answers_in_turn_tells_nothing_twice(build: Build, site: Site) -> None:
    house = build()
    house.check()
    old = [Row(**vars(row)) for row in site.rows]
    fresh = [new_row(), *[Row(**vars(row)) for row in site.rows]]
    fresh[4].title += "（更正）"
    for turn in range(6):
        site.rows[:] = fresh if turn % 2 == 0 else old
        house.check()
    assert house.told() == [("new", "关于新事项的通知"), ("revised", fresh[4].title)]


def test_a_notice_revised_again_and_again_is_told_once_and_then_silent(build: Build, site: Site) -> None:
    house = build()
    house.check()
    for turn in range(10):
        site.rows[3].title = f"第{turn}次改动的通知"
        house.check()
    kinds = [kind for kind, _ in house.told()]
    assert kinds.count("revised") == 6
    assert kinds.count("note") == 1
    assert {c["silence"] for c in house.changes() if c["kind"] == "revised"} == {None, "flapping"}


def flaps(house: House, site: Site) -> None:
    """A notice is revised ten times within hours: its sixth title is the last that is told."""
    house.check()
    for turn in range(10):
        site.rows[3].title = f"第{turn}次改动的通知"
        house.check()


def test_what_became_of_a_flapping_notice_is_told_once_a_day_later(build: Build, site: Site) -> None:
    house = build()
    flaps(house, site)
    for _ in range(3):
        house.clock.on(hours=25)
        house.check()
    last = house.changes()[-1]
    assert house.told()[-2:] == [("note", "第9次改动的通知"), ("revised", "第9次改动的通知")]
    assert (last["reason"], last["from_version"], last["to_version"]) == ("flapping", 7, 11)


def test_a_flapping_notice_that_is_what_was_told_last_is_told_no_more(build: Build, site: Site) -> None:
    house = build()
    flaps(house, site)
    site.rows[3].title = "第5次改动的通知"
    for _ in range(3):
        house.check()
    told = house.told()
    house.clock.on(hours=25)
    house.check()
    assert house.told() == told
    assert house.changes()[-1]["silence"] == "as it was told last"


def test_a_flapping_notice_that_is_told_again_before_is_told_against_what_people_know(build: Build, site: Site) -> None:
    house = build()
    house.check()
    for turn in range(8):
        site.rows[3].title = f"第{turn}次改动的通知"
        house.check()
        house.clock.on(hours=3)
    site.rows[3].title = "最后一次改动的通知"
    house.clock.on(hours=12)
    house.check()
    last = house.changes()[-1]
    assert (last["reason"], last["from_version"], last["to_version"]) == ("title", 7, 10)
    house.clock.on(hours=36)
    house.check()
    assert house.changes()[-1] == last


def test_a_machine_without_network_is_one_message_and_one_more_when_it_is_back(build: Build, site: Site) -> None:
    gone = "http://127.0.0.9:9"  # nothing listens there
    other = f'[[source]]\nid = "b"\nkind = "page"\nurl = "{gone}/"\n'
    house = build(extra=other, monitor='failing_after = "0s"\n')
    house.check("a")
    site.close()
    for _ in range(4):
        house.check()
    assert [(c["kind"], c["reason"], c["source"]) for c in house.changes()] == [("failing", "offline", None)]


def test_one_site_that_is_down_is_not_a_machine_without_network(build: Build, site: Site) -> None:
    other = '[[source]]\nid = "b"\nkind = "list"\nurl = "{url}/list/?b"\nitems = "ul.l > li"\n'
    house = build(extra=other, monitor='failing_after = "0s"\n')
    house.check()
    site.close()
    for _ in range(4):
        house.check()
    told = [c for c in house.changes() if c["silence"] is None]
    assert [(c["kind"], c["reason"], c["source"]) for c in told] == [("failing", "refused", "a")]
