"""What is told is on the disk first, and a power failure at any moment leaves a database that opens soundly: seen from outside,
by what a real process asks the kernel to do."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receivers import WeComReceiver
from tests.stepped import Nursery
from tests.test_every_step import EDITED, NEW, World
from tests.traced import Call, File, trace

#: States of the disk that are tried for each moment.
EACH = 3


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, bytes, list[Call]]]:
    """A check with two changes and one channel: the world, its database before, all calls."""
    with Nursery() as nursery, WeComReceiver() as bot:
        world = World(tmp_path_factory.mktemp("power"), nursery, True, bots=(bot,))
        world.begin()
        place = world.fresh()
        before = (place / "monitor.db").read_bytes()
        calls = trace(place, "check")
        world.judge(place)
        yield world, before, calls
        world.site.close()


def sends(world: World, calls: list[Call]) -> list[Call]:
    """Every call that hands bytes to the channel."""
    peer = f"127.0.0.1:{world.bots[0].port}"
    return [call for call in calls if call.place == peer and call.name in ("sendto", "sendmsg", "write")]


def test_a_commit_is_synced_before_the_first_byte_goes_to_a_channel(told: tuple[World, bytes, list[Call]]) -> None:
    world, _, calls = told
    first = sends(world, calls)[0]
    log = [call for call in calls if call.place.endswith("monitor.db-wal")]
    written = [call for call in log if call.name == "pwrite64" and NEW.encode() in call.data]
    synced = [call for call in log if call.name in ("fdatasync", "fsync")]
    assert written
    assert synced
    assert any(written[0].ends < sync.begins and sync.ends < first.begins for sync in synced)


def test_no_byte_goes_to_a_channel_before_the_claim_of_its_message_is_synced(told: tuple[World, bytes, list[Call]]) -> None:
    world, _, calls = told
    for send in sends(world, calls):
        mine = [call for call in calls if call.thread == send.thread and call.ends < send.begins]
        log = [call for call in mine if call.place.endswith("monitor.db-wal")]
        assert any(b"sending" in call.data for call in log)
        assert log[-1].name in ("fdatasync", "fsync")


def test_a_power_failure_at_any_moment_leaves_a_sound_database_that_knows_all_that_was_told(
    told: tuple[World, bytes, list[Call]], tmp_path: Path
) -> None:
    world, before, calls = told
    rng = random.Random(1)
    disk = {"monitor.db": File(before), "monitor.db-wal": File()}
    said: set[str] = set()
    seen = 0
    bodies = {call.begins for call in sends(world, calls)}
    for call in calls:
        if call.begins in bodies:
            said |= titles(call.data)
        if (file := disk.get(Path(call.place).name)) is None:
            continue
        file.do(call)
        for _ in range(EACH):
            seen += 1
            folder = tmp_path / str(seen)
            folder.mkdir()
            for name, one in disk.items():
                if (content := one.after_power_loss(rng)) is not None:
                    (folder / name).write_bytes(content)
            knows = opened(folder / "monitor.db")
            assert said <= knows, "what was told is known"
    assert said == {NEW, EDITED}
    assert seen > 100
    print(f"{seen} states of the disk after a power failure, all sound")


def titles(post: bytes) -> set[str]:
    """The titles in a part of a post: its head has none, its body is JSON."""
    text = json.dumps(json.loads(post), ensure_ascii=False) if post.startswith(b"{") else ""
    return {title for title in (NEW, EDITED) if title in text}


def opened(database: Path) -> set[str]:
    """Open it as the next start would; the titles of changes that it owes or has sent."""
    conn = sqlite3.connect(database)
    try:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
        sql = "SELECT n.title FROM deliveries d JOIN changes c ON c.id = d.change JOIN notices n ON n.id = c.notice"
        return {title for (title,) in conn.execute(sql)}
    finally:
        conn.close()
