"""Every former layout of the database is brought up to date with all that it holds, after a copy was made; a process that is
killed in the middle of that leaves a database that the next start brings up to date.

Killed at a spread of the statements; at every one: `pytest tests/test_migrations.py --every-step`.
"""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from monitor.errors import OldSchema
from monitor.store import Store, frames, schema
from monitor.store.schema import MIGRATIONS, migrations
from tests.house import House, Site
from tests.receivers import WeComReceiver
from tests.stepped import Nursery

NAMES = [name for name, _ in MIGRATIONS]
FORMER = range(1, schema.VERSION)
AT = "2026-01-11T02:00:00.000+00:00"
SPREAD = 5

#: What a database of the first layout holds: later layouts take the same rows.
ROWS: dict[str, list[dict[str, Any]]] = {
    "sources": [
        {"id": "a", "kind": "list", "url": "{url}/list/", "host": "127.0.0.1", "how": "list/1:0", "health": "ok",
         "baseline_at": AT, "next_due_at": AT, "last_check": AT, "last_ok": AT, "outcome": "unchanged", "counts": "[2]",
         "rows": "[[1,0],[2,0]]", "check_id": 1, "notices": 2},
    ],
    "checks": [{"id": 1, "source": "a", "at": AT, "until": AT, "outcome": "baseline", "rows": 2}],
    "notices": [
        {"id": number, "source": "a", "key": f"k{number}", "url": f"{{url}}/old/n{number}.html", "title": f"关于{number}的通知",
         "row_title": f"关于{number}的通知", "published": "2026-01-05", "text": "新正文", "first_seen": AT, "last_seen": AT,
         "seq": 2, "row_print": f"p{number}", "row_how": "list/1:0"}
        for number in (1, 2)
    ],
    "versions": [
        {"notice": notice, "seq": seq, "fingerprint": f"f{seq}", "title": f"关于{notice}的通知", "seen_at": AT,
         "how": "list/1:0", "reason": "first sight", "text": frames.pack("旧正文".encode()) if seq == 1 else None,
         "text_key": 1 if seq == 1 else None}
        for notice, seq in itertools.product((1, 2), (1, 2))
    ],
    "doubts": [{"notice": 1, "aspect": "row", "print": "x", "since": AT}],
    "blobs": [{"sha256": "s1", "bytes": 4, "at": AT, "data": b"%PDF"}],
    "attachments": [
        {"id": 1, "notice": 1, "url": "{url}/f/a.pdf", "name": "a.pdf", "sha256": "s1", "bytes": 4, "first_seen": AT},
    ],
    "readings": [
        {"id": 1, "source": "a", "notice": 1, "url": "{url}/old/n1.html", "host": "127.0.0.1", "purpose": "document",
         "why": "recheck"},
    ],
    "changes": [
        {"id": 1, "kind": "new", "source": "a", "notice": 1, "to_version": 1, "reason": "first seen", "at": AT},
        {"id": 2, "kind": "revised", "source": "a", "notice": 1, "from_version": 1, "to_version": 2, "reason": "text", "at": AT},
    ],
    "deliveries": [
        {"id": 1, "change": 1, "channel": "c", "state": "sent", "attempts": 1, "created_at": AT, "due_at": AT, "since": AT,
         "sent_at": AT, "route": "default", "message": "m1"},
        {"id": 2, "change": 2, "channel": "c", "created_at": AT, "due_at": AT, "since": AT, "route": "default"},
    ],
    "channels": [{"id": "c"}],
    "meta": [{"key": "minded", "value": AT}],
}  # fmt: skip


def former(path: Path, version: int, url: str) -> None:
    """A database as the monitor of that layout left it."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    migrations().apply(Database(conn), stop_before=NAMES[version])
    conn.execute(f"PRAGMA user_version = {version}")
    conn.execute("PRAGMA foreign_keys = ON")
    for table, rows in ROWS.items():
        for row in rows:
            values = [value.format(url=url) if isinstance(value, str) and "{url}" in value else value for value in row.values()]
            conn.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", values)
    conn.close()


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that a database holds, in the columns of the first layout."""
    conn = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        first = sqlite3.connect(":memory:")
        migrations().apply(Database(first), stop_before=NAMES[1])
        found = {}
        for table in ROWS:
            columns = ", ".join(column[1] for column in first.execute(f"PRAGMA table_info({table})"))
            found[table] = conn.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2").fetchall()
        return found
    finally:
        first.close()
        conn.close()


def layout(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Tables with their columns, and indexes with theirs."""
    conn = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        names = conn.execute(
            "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
        ).fetchall()
        return {
            name: conn.execute(f"PRAGMA {'table_info' if kind == 'table' else 'index_info'}({name})").fetchall()
            for kind, name, _ in names
        }
    finally:
        conn.close()


def sound(path: Path, version: int) -> None:
    conn = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
        assert conn.execute("PRAGMA user_version").fetchone()[0] == version
    finally:
        conn.close()


@pytest.mark.parametrize("version", FORMER)
def test_a_former_layout_is_brought_up_to_date_with_all_that_it_holds(tmp_path: Path, version: int) -> None:
    path, copy = tmp_path / "monitor.db", tmp_path / f"monitor.db.before-schema-{schema.VERSION}"
    former(path, version, "http://127.0.0.1:1")
    before = rows_of(path)
    with pytest.raises(OldSchema, match=f"has schema {version} of {schema.VERSION}"):
        Store(path, writable=False)
    Store(path).close()
    assert rows_of(path) == before
    sound(path, schema.VERSION)
    Store(tmp_path / "new.db").close()
    assert layout(path) == layout(tmp_path / "new.db")
    sound(copy, version)
    assert rows_of(copy) == before
    Store(path).close()
    assert sorted(file.name for file in tmp_path.glob("monitor.db*")) == ["monitor.db", copy.name, "monitor.db.lock"]


@pytest.mark.parametrize("version", FORMER)
def test_after_the_upgrade_all_goes_on_where_it_was(tmp_path: Path, site: Site, version: int) -> None:
    with WeComReceiver() as bot:
        former(tmp_path / "monitor.db", version, site.url)
        channel = f'[[channel]]\nid = "c"\nurl = "{bot.target}"\nendpoint = "{bot.url}"\ngroup = 0\n'
        house = House(tmp_path, site, channels=channel)
        try:
            house.check()
            assert {one["state"] for one in house.deliveries()} == {"sent"}
            owed = [text for text in bot.accepted.texts if "关于1的通知" in text]
            assert len(owed) == 1, "what was owed before, once"
            assert "旧" in owed[0], "and with the words that changed"
        finally:
            house.close()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("version", FORMER)
def test_killed_in_the_middle_of_an_upgrade_the_next_start_completes_it(
    tmp_path: Path, site: Site, nursery: Nursery, pytestconfig: pytest.Config, version: int
) -> None:
    with WeComReceiver() as bot:
        seed = tmp_path / "seed"
        seed.mkdir()
        (seed / "monitor.toml").write_text(
            '[monitor]\nevery = "1h"\nalive = "0s"\n[http]\ndelay = "0s"\nallow_private = ["127.0.0.0/8"]\n'
            f'[[source]]\nid = "a"\nkind = "list"\nurl = "{site.url}/list/"\nitems = "ul.l > li"\ndate = "span"\n'
            f'[[channel]]\nid = "c"\nurl = "{bot.target}"\nendpoint = "{bot.url}"\n'
        )
        (seed / "monitor.toml").chmod(0o600)
        former(seed / "monitor.db", version, site.url)
        before = rows_of(seed / "monitor.db")
        names = iter(range(10_000))

        def fresh() -> Path:
            bot.accepted.list.clear()
            return Path(shutil.copytree(seed, tmp_path / str(next(names))))

        whole = nursery.run(fresh(), "check")
        assert whole.code == 0, whole.err
        upgrade = whole.steps[: whole.steps.index("socket connect")]
        every = pytestconfig.getoption("--every-step")
        for number in range(1, len(upgrade) + 1, 1 if every else -(-len(upgrade) // SPREAD)):
            place = fresh()
            killed = nursery.run(place, "check", at=number, side="after")
            assert killed.code == -9, killed.err
            done = nursery.run(place, "check")
            where = f"killed after step {number}, {killed.steps[-2:]}"
            assert done.code == 0, where + done.err
            sound(place / "monitor.db", schema.VERSION)
            copy = place / f"monitor.db.before-schema-{schema.VERSION}"
            sound(copy, version)
            assert rows_of(copy) == before, where
            assert not list(place.glob("*.part")), where
            assert sum("关于1的通知" in text for text in bot.accepted.texts) == 1, where
            shutil.rmtree(place)
