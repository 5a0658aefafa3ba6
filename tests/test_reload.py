"""The configuration changes while monitor runs: half written, emptied, gone, with sources renamed, removed and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor import config as configs
from monitor.daemon.run import Daemon
from tests.house import House, Row, Site

SECOND = '[[source]]\nid = "b"\nkind = "list"\nurl = "{url}/list/?b"\nitems = "ul.l > li"\ndate = "span"\n'


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    made = build(extra=SECOND)
    made.check()
    return made


@pytest.fixture
def daemon(house: House) -> Iterator[Daemon]:
    """The daemon around the house's loops, whose ticks are ours: each `_watch` is one look at the file, two seconds apart."""
    made = Daemon(house.loops.config, {}, house.loops)
    yield made
    made.close()


def running(daemon: Daemon) -> list[str]:
    return list(daemon.loops.config.sources)


def test_a_file_that_is_being_written_is_read_when_it_has_come_to_rest(house: House, daemon: Daemon) -> None:
    whole = house.path.read_text().replace('id = "b"', 'id = "c"')
    cuts = [0, whole.index("[[source]]"), whole.index('id = "c"') - len("[[source]]\n"), len(whole)]
    for cut in cuts:  # each part is a good configuration by itself
        house.path.write_text(whole[:cut])
        configs.load(house.path, {})
        daemon._watch()
        assert running(daemon) == ["a", "b"]
    daemon._watch()
    assert running(daemon) == ["a", "c"]


@pytest.mark.parametrize("left", ["", "# nothing else\n", "[monitor]\n"])
def test_a_file_that_was_emptied_is_not_taken_for_a_wish(house: House, daemon: Daemon, left: str) -> None:
    house.path.write_text(left)
    (said,) = daemon.reload()
    assert "holds no source and no channel any more: if that is meant, stop monitor and start it again" in said
    assert running(daemon) == ["a", "b"]


def test_a_file_that_is_gone_for_a_while_changes_nothing(house: House, daemon: Daemon) -> None:
    text = house.path.read_text()
    house.path.unlink()
    for _ in range(3):
        daemon._watch()
    assert running(daemon) == ["a", "b"]
    assert "there is no config file" in daemon.reload()[0]
    house.path.write_text(text.replace('id = "b"', 'id = "c"'))
    daemon._watch()
    daemon._watch()
    assert running(daemon) == ["a", "c"]


def test_a_file_that_others_may_write_is_not_read_again_if_it_holds_a_secret(house: House, daemon: Daemon) -> None:
    house.path.write_text(house.path.read_text() + '[[channel]]\nid = "x"\nurl = "wecombot://0123-4567-89ab"\n')
    house.path.chmod(0o666)
    (said,) = daemon.reload()
    assert "other users may write this file (mode 0666)" in said
    assert "0123-4567-89ab" not in said
    assert list(daemon.loops.config.channels) == ["console"]


def reload(house: House, old: str, new: str) -> None:
    house.path.write_text(house.path.read_text().replace(old, new))
    house.loops.reload(configs.load(house.path, {}))


def test_a_source_that_is_renamed_begins_with_a_baseline_and_its_history_stays(house: House, site: Site) -> None:
    reload(house, 'id = "a"', 'id = "new-name"')
    site.rows.insert(0, Row("n13", "关于新工作的通知", "2026-01-13"))
    assert house.check("new-name")["new-name"].outcome == "baseline"
    assert house.told() == []
    assert {notice["source"] for notice in house.notices()} == {"a", "b", "new-name"}


def test_a_source_that_left_and_is_back_goes_on_where_it_was(house: House, site: Site) -> None:
    kept = house.path.read_text()
    reload(house, kept[kept.index('[[source]]\nid = "b"') :], "")
    site.rows.insert(0, Row("n13", "关于新工作的通知", "2026-01-13"))
    assert list(house.check()) == ["a"]
    assert len([notice for notice in house.notices() if notice["source"] == "b"]) == 12
    house.path.write_text(kept)
    house.loops.reload(configs.load(house.path, {}))
    house.check("b")
    assert [(kind, title) for kind, title in house.told() if kind != "new"] == []
    assert len([notice for notice in house.notices() if notice["source"] == "b"]) == 13


def test_a_list_under_a_changed_address_that_is_another_is_a_baseline_and_one_note(house: House, site: Site) -> None:
    site.bodies["/other/"] = site._list(0).replace("/p/n", "/q/m").replace("工作", "另一栏目").encode()
    site.types["/other/"] = "text/html; charset=utf-8"
    reload(house, "/list/?b", "/other/")
    assert house.check("b")["b"].outcome == "baseline"
    assert [(change["kind"], change["reason"]) for change in house.changes()] == [("note", "rebaselined")]


def test_what_was_in_the_catalogue_of_another_address_is_not_withdrawn(house: House, site: Site) -> None:
    def shown() -> None:
        site.bodies.pop("/list/?new", None)
        site.bodies["/list/?new"] = site.answer("/list/")[2]
        for _ in range(3):
            house.check()
            house.clock.on(minutes=20)

    house.write("complete = true\n")
    house.reopen()
    house.check()
    old = site.rows[0]
    site.rows[:] = [Row(f"z{i}", f"另一目录第{i}条", "2026-01-12") for i in range(9)]
    site.types["/list/?new"] = "text/html; charset=utf-8"
    house.path.write_text(house.path.read_text("utf-8").replace('/list/"', '/list/?new"'), "utf-8")
    house.reopen()
    shown()
    assert [(change["kind"], change["reason"]) for change in house.changes()] == [("note", "rebaselined")]
    site.rows.insert(1, old)
    shown()
    site.rows.remove(old)
    shown()
    assert house.told()[1:] == [("withdrawn", old.title)], "once it was seen here, its absence counts"


def test_pages_are_read_without_a_pattern_that_takes_for_ever(house: House, site: Site, tmp_path: Path) -> None:
    """The regular expression is good; on this text it would take centuries."""
    reload(house, 'id = "a"', "id = \"a\"\nfollow = true\nignore_text = '(a+)+$'")
    site.rows.insert(0, Row("n13", "关于新工作的通知", "2026-01-13", "a" * 5000 + "b"))
    house.check("a")
    with house.loops.store.read() as conn:
        (said,) = [row[0] for row in conn.execute("SELECT last_error FROM readings WHERE last_error IS NOT NULL")]
    assert said.endswith("the pattern /(a+)+$/ of ignore_text takes longer than 100 ms on this page")
    assert ("new", "关于新工作的通知") in house.told()
