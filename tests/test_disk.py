"""A disk that is full, read-only or sick, and a database that another program holds: nothing is lost, it is told once, messages
still go out where that is possible, and all goes on by itself when there is room again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from monitor.errors import InUse, StoreError
from monitor.store import database, outbox
from monitor.store.space import LEAST, RESERVE, Space
from tests.disks import MIB, fill, remount, small_disk
from tests.house import House, Row, Site
from tests.receivers import Answer, Post, WeComReceiver
from tests.stepped import ROOT, Nursery, Ran
from tests.test_every_step import World


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 160 MiB of its own."""
    with small_disk(tmp_path / "disk") as place:
        yield place


def test_checks_pause_on_a_full_disk_and_go_on_when_there_is_room(small: Path) -> None:
    site = Site([Row(f"n{n}", f"第{n}号通知") for n in range(6, 0, -1)])
    house = House(small, site)
    try:
        house.check()
        ballast = fill(small, 20 * MIB)
        site.rows.insert(0, Row("fresh", "磁盘满时发布的通知"))
        asked = len(site.asked)
        report = house.check()["a"]
        assert (report.outcome, len(site.asked)) == ("failed", asked)
        assert "disk of the database is full" in str(report.error)
        house.check()
        assert [kind for kind, _ in house.told()] == ["failing"]
        assert house.source()["health"] == "ok", "the source has done nothing wrong"
        ballast.unlink()
        house.check()
        assert [kind for kind, _ in house.told()] == ["failing", "recovered", "new"]
        assert {one["state"] for one in house.deliveries()} == {"sent"}
    finally:
        house.close()
        site.close()


class Filling(WeComReceiver):
    """Takes the message; then the disk is full before its sender can write that down."""

    disk: Path

    def judge(self, post: Post) -> Answer:
        fill(self.disk, 0)
        return super().judge(post)


@pytest.mark.parametrize("reserve", [True, False], ids=["with the reserve", "without"])
def test_a_message_that_was_taken_as_the_disk_ran_full_is_written_down_later_and_not_sent_twice(
    small: Path, reserve: bool
) -> None:
    site = Site([Row("n1", "第1号通知")])
    with Filling() as bot:
        bot.disk = small
        house = House(small, site, channels=f'[[channel]]\nid = "c"\nurl = "{bot.target}"\nendpoint = "{bot.url}"\n')
        try:
            house.check()
            if not reserve:
                (small / "monitor.db.reserve").unlink()
            site.rows.insert(0, Row("n2", "第2号通知"))
            house.check()
            assert [one["state"] for one in house.deliveries()] == ["sent" if reserve else "sending"]
            (small / "ballast").unlink()
            house.clock.on(minutes=2)
            house.loops.tick()
            wait(house.loops.delivering.busy())
            assert [one["state"] for one in house.deliveries() if one["id"] == 1] == ["sent"]
            assert sum("第2号通知" in text for text in bot.accepted.texts) == 1
        finally:
            house.close()
            site.close()


def test_what_was_claimed_as_the_disk_failed_is_sent_by_the_same_process_later(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site([Row("n1", "第1号通知")])
    real, failing = outbox.owed, [True]

    def owed(*args: Any) -> Any:
        if failing:
            failing.clear()
            fill(small, 0)
            raise StoreError("the disk reports an error")
        return real(*args)

    with WeComReceiver() as bot:
        house = House(small, site, channels=f'[[channel]]\nid = "c"\nurl = "{bot.target}"\nendpoint = "{bot.url}"\n')
        try:
            house.check()
            (small / "monitor.db.reserve").unlink()
            monkeypatch.setattr(outbox, "owed", owed)
            site.rows.insert(0, Row("n2", "第2号通知"))
            house.check()
            assert [one["state"] for one in house.deliveries()] == ["sending"]
            (small / "ballast").unlink()
            house.clock.on(minutes=2)
            house.loops.tick()
            wait(house.loops.delivering.busy())
            assert [one["state"] for one in house.deliveries() if one["id"] == 1] == ["sent"]
            assert sum("第2号通知" in text for text in bot.accepted.texts) == 1
        finally:
            house.close()
            site.close()


def test_a_look_that_could_not_be_stored_is_taken_again_and_told_once(small: Path) -> None:
    site = Site([Row("n1", "第1号通知")])
    house = House(small, site)
    try:
        house.check()
        house.loops.checking.reload()
        (small / "monitor.db.reserve").unlink()
        site.rows.insert(0, Row("n2", "第2号通知"))
        answer, full = site.answer, [True]

        def filling(path: str) -> tuple[int, str, bytes]:
            if full:
                full.clear()
                fill(small, 0)
            return answer(path)

        site.answer = filling  # type: ignore[method-assign]  # of this one site
        asked = len(site.asked)
        with pytest.raises(StoreError, match="the disk is full: nothing was lost"):
            house.check()
        assert len(site.asked) == asked + 1
        (small / "ballast").unlink()
        house.clock.on(seconds=29)
        house.loops.tick()
        assert len(site.asked) == asked + 1, "the database is left alone for half a minute"
        house.clock.on(seconds=2)
        house.check()
        assert ("new", "第2号通知") in house.told()
        assert {one["state"] for one in house.deliveries()} == {"sent"}
    finally:
        house.close()
        site.close()


# --- at any step of a check


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as made:
        yield made


@pytest.fixture
def world(small: Path, nursery: Nursery) -> Iterator[World]:
    with WeComReceiver("a" * 8 + "-0001") as one, WeComReceiver("b" * 8 + "-0002") as other:
        made = World(small, nursery, True, bots=(one, other))
        made.begin()
        yield made
        made.site.close()


def well_said(ran: Ran) -> None:
    """A sentence for a person, and the exit code that scripts know."""
    assert ran.code in (0, 1, 4), ran.err
    assert "Traceback" not in ran.err
    if ran.code:
        said = (
            "full",
            "disk reports an error",
            "not sent",
            "数据库所在的磁盘只剩",
        )  # the last is logged before anything else fails
        assert any(words in ran.err for words in said), ran.err


def at_some_steps(world: World, count: int) -> list[int]:
    """A spread of the steps of a check, with as many of its COMMITs."""
    place = world.fresh()
    steps = world.check(place).steps
    shutil.rmtree(place)
    commits = [number for number, name in enumerate(steps, 1) if name == "db COMMIT"]
    return sorted({*commits[:: -(-len(commits) // count)], *range(5, len(steps), -(-len(steps) // count))})


@pytest.mark.slow
@pytest.mark.parametrize("act", ["fill", "small"])
def test_a_disk_that_fails_at_any_step_of_a_check_loses_nothing(world: World, small: Path, act: str) -> None:
    failed = twice = 0
    for number in at_some_steps(world, 6):
        place = world.fresh()
        first = world.check(place, at=number, act=f"fill {small}" if act == "fill" else f"small {place / 'monitor.db-wal'}")
        well_said(first)
        (small / "ballast").unlink(missing_ok=True)
        done = world.check(place)
        assert done.code == 0, done.err
        failed += first.code != 0
        twice += world.judge(place, disk=act == "fill")
        shutil.rmtree(place)
    assert failed >= 3
    if act == "fill":
        assert twice == 0, "the reserve has room for what was sent"
    print(f"{act}: {failed} checks failed, {twice} messages came twice")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "error", "when"), [("pwrite64", "EIO", 9), ("fdatasync", "EIO", 2), ("pwrite64", "ENOSPC", 30)], ids=str
)
def test_an_error_of_the_disk_at_one_write_is_a_sentence_and_loses_nothing(
    world: World, call: str, error: str, when: int
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: no error of a disk can be made up")
    place = world.fresh()
    command = ["strace", "-f", "-qq", "-o", str(place / "trace"), "-P", str(place / "monitor.db-wal"), "-e", f"trace={call}"]
    command += ["-e", f"inject={call}:error={error}:when={when}", sys.executable, "-m", "monitor"]
    done = subprocess.run(
        [*command, "--config", str(place / "monitor.toml"), "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "INJECTED" in (place / "trace").read_text(), "nothing failed"
    well_said(Ran(done.returncode, 0, 0, [], done.stdout, done.stderr))
    again = world.check(place)
    assert again.code == 0, again.err
    world.judge(place)


# --- rights


def test_a_read_only_disk_is_refused_with_path_owner_and_mode(world: World, small: Path) -> None:
    place = world.fresh()
    before = (place / "monitor.db").read_bytes()
    remount(small, "ro")
    try:
        for command in ("check", "run"):
            refused = world.nursery.run(place, command)
            assert refused.code == 4
            assert str(place / "monitor.db.lock") in refused.err
            assert "Read-only file system" in refused.err
            assert "belongs to root, mode 0600; monitor runs as root" in refused.err
            assert "Traceback" not in refused.err
        assert (place / "monitor.db").read_bytes() == before
    finally:
        remount(small, "rw")
    assert world.check(place).code == 0
    assert world.judge(place) == 0


def test_the_wrong_owner_is_refused_with_path_owner_and_mode(world: World, small: Path) -> None:
    place = world.fresh()
    nobody = 65534
    small.chmod(0o755)
    for file in (place, place / "monitor.toml"):
        os.chown(file, nobody, nobody)
    for parent in list(place.parents)[:-2]:
        parent.chmod(parent.stat().st_mode | 0o011)
    refused = world.check(place, user=nobody)
    assert refused.code == 4, refused.err
    assert f"{place / 'monitor.db'}" in refused.err
    assert "belongs to root, mode 0600; monitor runs as nobody" in refused.err
    assert world.check(place).code == 0
    assert world.judge(place) == 0


# --- another program

HOLD = """
import sqlite3, sys
conn = sqlite3.connect(sys.argv[1], isolation_level=None)
conn.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_database_that_another_program_holds_is_waited_for_then_named_and_the_check_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 300)
    site = Site([Row("n1", "第1号通知")])
    house = House(tmp_path, site)
    holder = None
    try:
        house.check()
        house.close()
        site.rows.insert(0, Row("n2", "第2号通知"))
        holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "monitor.db")], stdin=-1, stdout=-1, text=True)
        assert holder.stdout.readline() == "held\n"  # type: ignore[union-attr]  # a pipe
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(house.path), "check"])
        assert ended.value.code == 3
        said = capfd.readouterr().err
        assert f"database in use by pid {holder.pid} for longer than 0.3 s: close it" in said
        holder.communicate("")
        house.loops = house.open()
        house.check()
        assert house.told() == [("new", "第2号通知")]
    finally:
        if holder is not None:
            holder.kill()
            holder.communicate()
        house.close()
        site.close()


def test_a_running_monitor_waits_for_another_program_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 200)
    site = Site([Row("n1", "第1号通知")])
    house = House(tmp_path, site)
    holder = None
    try:
        house.check()
        site.rows.insert(0, Row("n2", "第2号通知"))
        holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "monitor.db")], stdin=-1, stdout=-1, text=True)
        assert holder.stdout.readline() == "held\n"  # type: ignore[union-attr]  # a pipe
        with pytest.raises(InUse, match=f"pid {holder.pid}"):
            house.check()
        holder.communicate("")
        house.clock.on(seconds=31)
        house.check()
        assert house.told() == [("new", "第2号通知")]
        assert [one["state"] for one in house.deliveries()] == ["sent"]
    finally:
        if holder is not None:
            holder.kill()
            holder.communicate()
        house.close()
        site.close()


def _write_much(house: House) -> None:
    with house.loops.store.write() as conn:
        conn.execute("CREATE TABLE ballast (data BLOB)")
        conn.execute("INSERT INTO ballast VALUES (zeroblob(?))", (8 * MIB,))


def test_the_reserve_is_given_back_when_a_write_finds_no_room(small: Path) -> None:
    site = Site([Row("n1", "第1号通知")])
    house = House(small, site)
    try:
        house.check()
        reserve = small / "monitor.db.reserve"
        assert reserve.stat().st_blocks * 512 >= RESERVE
        fill(small, 0)
        with pytest.raises(StoreError, match="the disk is full"):
            _write_much(house)
        assert not reserve.exists()
        with house.loops.store.write() as conn:
            conn.execute("UPDATE channels SET fails = fails")
    finally:
        house.close()
        site.close()


def test_no_reserve_is_kept_where_it_would_take_the_last_room(small: Path) -> None:
    fill(small, LEAST + RESERVE)
    space = Space(small / "monitor.db")
    space.hold()
    assert not (small / "monitor.db.reserve").exists()
    assert space.lacking() is None
    fill(small, LEAST - MIB)
    assert space.lacking() is not None
