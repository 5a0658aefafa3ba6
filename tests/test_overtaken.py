"""What people change while a source is looked at counts from that moment: a look under way is dropped, and another one is taken
at once. Checks that are under way are held at the site until the change is made."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from monitor import config as configs
from monitor.daemon.asked import KEPT, Asked
from tests.house import House, Row, Site

OTHER = '[[source]]\nid = "b"\nkind = "list"\nurl = "{url}/list/?b"\nitems = "ul.l > li"\ndate = "span"\n'
PATIENCE = 20.0


@dataclass
class Held(Site):
    """A site that can hold its answers back."""

    entered: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        super().__post_init__()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        self.entered.append(path)
        found = super().answer(path)
        self.gate.wait(PATIENCE)
        return found


@pytest.fixture
def site() -> Iterator[Held]:
    rows = [Row(f"n{i}", f"关于第{i}项工作的通知", f"2026-01-{i:02d}", None) for i in range(12, 0, -1)]
    held = Held(rows)
    yield held
    held.gate.set()
    held.close()


@pytest.fixture
def build(tmp_path: Path, site: Held) -> Iterator[Callable[..., House]]:
    built: list[House] = []

    def house(*args: str, **options: str) -> House:
        built.append(House(tmp_path, site, *args, **options))
        built[-1].loops.checking.reload()
        built[-1].check()
        return built[-1]

    yield house
    site.gate.set()
    for each in built:
        each.close()


def until(house: House, holds: Callable[[], Any]) -> None:
    """The loops go on until something holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        house.loops.tick()
        house.loops.checking.done.wait(0.02)


def under_way(house: House, site: Held, path: str = "/list/") -> None:
    """A check of its own has asked the site, and waits for the answer; the site shows one row more than before."""
    site.rows.insert(0, Row("x", "关于开展新的工作的通知", "2026-01-13", None))
    site.gate.clear()
    site.entered.clear()
    house.clock.on(hours=1)
    until(house, lambda: path in site.entered)


def let(house: House, site: Held) -> None:
    """The site answers, and all that is under way ends."""
    site.gate.set()
    until(house, lambda: house.loops.checking.tick() == 0 and not house.loops.checking._running)


def rewrite(house: House, old: str, new: str) -> None:
    text = house.path.read_text("utf-8")
    assert old in text
    house.path.write_text(text.replace(old, new), "utf-8")
    house.loops.reload(configs.load(house.path, {}))


@pytest.mark.parametrize("source", ["", "complete = true\n", 'next = "/list/?{{page}}"\n'])
def test_a_source_that_is_forgotten_begins_with_a_baseline(build: Callable[..., House], site: Held, source: str) -> None:
    house = build(source)
    under_way(house, site)
    Asked(house.loops, list).forget({"source": "a"})
    let(house, site)
    assert house.told() == []
    assert house.source()["health"] == "ok"
    assert house.source()["outcome"] == "baseline"
    assert len(house.notices()) == len(site.rows)


def test_what_is_read_from_now_on_is_read_in_the_new_way(build: Callable[..., House], site: Held) -> None:
    house = build()
    under_way(house, site)
    rewrite(house, "ul.l > li", "ul.l > li:nth-child(-n+10)")
    let(house, site)
    assert house.source()["outcome"] == "changed"
    assert house.check()["a"].rows == 10


def test_a_look_at_the_old_address_says_nothing_of_the_new_one(build: Callable[..., House], site: Held) -> None:
    house = build()
    site.bodies["/other/"] = site.answer("/list/")[2].replace(b"/p/n", b"/p/z").replace("工作".encode(), "计划".encode())
    site.types["/other/"] = "text/html; charset=utf-8"
    under_way(house, site)
    rewrite(house, "/list/", "/other/")
    let(house, site)
    assert [(change["kind"], change["reason"]) for change in house.changes()] == [("note", "rebaselined")]


def test_no_look_begins_between_the_new_configuration_and_its_table(build: Callable[..., House], site: Held) -> None:
    house = build()
    site.bodies["/other/"] = site.answer("/list/")[2].replace(b"/p/n", b"/p/z").replace("工作".encode(), "计划".encode())
    site.types["/other/"] = "text/html; charset=utf-8"
    house.path.write_text(house.path.read_text("utf-8").replace("/list/", "/other/"), "utf-8")
    fresh = configs.load(house.path, {})
    house.clock.on(hours=1)
    opened, go = threading.Event(), threading.Event()

    def follow() -> None:
        with house.loops.store.read():  # a thread's first reading waits for who writes
            opened.set()
        go.wait(PATIENCE)
        house.loops.reload(fresh)

    reload = threading.Thread(target=follow)
    reload.start()
    opened.wait(PATIENCE)
    with house.loops.store.write():  # whatever takes long: the table cannot follow yet
        go.set()
        end = time.monotonic() + PATIENCE
        while house.loops.config is not fresh:
            assert time.monotonic() < end
        tick = threading.Thread(target=house.loops.checking.tick)
        tick.start()
    reload.join()
    tick.join()
    house.clock.on(seconds=1)
    until(house, lambda: "/other/" in site.entered)
    let(house, site)
    assert [(change["kind"], change["reason"]) for change in house.changes()] == [("note", "rebaselined")]


def test_what_is_accepted_is_the_list_as_it_is_then(build: Callable[..., House], site: Held) -> None:
    house = build()
    del site.rows[3:]
    under_way(house, site)
    asked = Asked(house.loops, list)
    ticket = asked.accept({"source": "a"})["ticket"]
    let(house, site)
    result: dict[str, Any] = {}
    until(house, lambda: result.update(asked.result({"ticket": ticket})) or result["done"])
    assert [(report["outcome"], report["error"]) for report in result["reports"]] == [("changed", None)]
    assert ("note", "accepted") in [(change["kind"], change["reason"]) for change in house.changes()]


@pytest.mark.parametrize("gone", ["a", "b"])
def test_whoever_waits_for_a_source_that_leaves_is_told(build: Callable[..., House], site: Held, gone: str) -> None:
    house = build(extra=OTHER)
    site.gate.clear()
    site.entered.clear()
    asked = Asked(house.loops, list)
    ticket = asked.check({"sources": ["a", "b"]})["ticket"]  # b waits behind a: one request at a time to a host
    until(house, lambda: site.entered)
    if gone == "b":
        house.write()
    else:
        house.write(OTHER)
    house.loops.reload(configs.load(house.path, {}))
    site.gate.set()
    result: dict[str, Any] = {}
    until(house, lambda: result.update(asked.result({"ticket": ticket})) or result["done"])
    outcomes = {report["source"]: (report["outcome"], report["error"]) for report in result["reports"]}
    assert outcomes[gone][0] == "failed"
    assert "the configuration has no such source" in str(outcomes[gone][1])
    assert outcomes["b" if gone == "a" else "a"][1] is None


def test_a_result_that_nobody_comes_for_is_not_kept_for_ever(build: Callable[..., House]) -> None:
    house, now = build(), [0.0]
    asked = Asked(house.loops, list, lambda: now[0])
    for _ in range(3):
        asked.check({"sources": ["a"]})
    until(house, lambda: len(asked._ended) == 3)
    now[0] += KEPT + 1
    last = asked.check({"sources": ["a"]})["ticket"]
    assert list(asked._rounds) == [last]
    until(house, lambda: asked.result({"ticket": last})["done"])
