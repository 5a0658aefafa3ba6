"""A sick database, a second program, a jumping clock: a refusal says what to do and leaves the file as it is; nothing is lost."""

from __future__ import annotations

import contextlib
import io
import os
import pwd
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlite_utils import Database

from monitor.cli import monitor
from monitor.cli.common import guarded
from monitor.errors import InUse, StoreError
from monitor.store import Store, database, schema
from tests.hostile.cases_storage import JUMPS, REFUSALS, Jump, Refusal
from tests.hostile.pages import NEW, OPTIONS, rows
from tests.hostile.table import page
from tests.hostile.world import Place, Site
from tests.house import Clock
from tests.receivers import Answer, Post, WebhookReceiver

ROOT = Path(__file__).parents[2]
NOBODY = 65534
#: Root without the right to pass over owners and modes, as any other user.
PLAIN = ("setpriv", "--bounding-set=-all")


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    made.says({"/list/": page("list", *rows(12))})
    yield made
    made.close()


def toml(
    site: Site, more: str = "", schedule: str = 'every = "15m"', zone: str = "Asia/Shanghai", url: str = "console://"
) -> str:
    return (
        f'[monitor]\nalive = "0s"\nlanguage = "en"\ntimezone = "{zone}"\n{schedule}\n'
        f"[http]\ndelay = '0s'\nallow_private = ['127.0.0.0/8']\n"
        f"[[source]]\nid = 'a'\nkind = 'list'\nurl = 'http://127.0.0.1:{site.port}/list/'\n{OPTIONS['list']}"
        f"[[channel]]\nid = 'ops'\nurl = '{url}'\n{more}"
    )


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    err: str


def command(folder: Path, *args: str, before: tuple[str, ...] = ()) -> Ran:
    """A command; in a process of its own where `before` is a program that starts it."""
    line = ["--config", str(folder / "monitor.toml"), *args]
    if not before:
        with contextlib.redirect_stderr(io.StringIO()) as err, contextlib.redirect_stdout(io.StringIO()):
            code = guarded(monitor, line)
        return Ran(code, err.getvalue())
    done = subprocess.run(
        [*before, sys.executable, "-m", "monitor", *line], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    return Ran(done.returncode, done.stderr)


# --- databases that cannot be used: each maker spoils one and gives what the sentence must name


def _lived(folder: Path, site: Site) -> Path:
    """A database that was used, closed well."""
    place = Place(folder, toml(site))
    place.check("a")
    place.close()
    return folder / "monitor.db"


def _anothers(path: Path, mode: int) -> dict[str, str]:
    if os.geteuid() != 0 or shutil.which(PLAIN[0]) is None:
        pytest.skip("giving a file to another user needs root, and setpriv")
    os.chown(path, NOBODY, NOBODY)
    path.chmod(mode)
    return {"owner": pwd.getpwuid(NOBODY).pw_name, "mode": f"{mode:04o}"}


def _read_only_file(path: Path, stack: contextlib.ExitStack) -> dict[str, str]:
    return _anothers(path, 0o444)


def _another_owner(path: Path, stack: contextlib.ExitStack) -> dict[str, str]:
    return _anothers(path, 0o600)


def _read_only_folder(path: Path, stack: contextlib.ExitStack) -> dict[str, str]:
    for options in ("bind", "remount,bind,ro"):
        made = subprocess.run(["mount", "-o", options, path.parent, path.parent], capture_output=True, check=False)
        if made.returncode:
            pytest.skip("mounting needs root")
        if options == "bind":
            stack.callback(subprocess.run, ["umount", "-l", str(path.parent)], check=True)
    return {"folder": str(path.parent)}


def _spoil(path: Path, start: float, length: float) -> None:
    data = bytearray(path.read_bytes())
    size = len(data)
    data[int(size * start) : int(size * (start + length))] = random.Random(1).randbytes(int(size * length))
    path.write_bytes(data)


def _quick_check(path: Path) -> str:
    """SQLite's own words about a copy of the file."""
    copy = path.with_name("looked-at.sqlite")
    shutil.copy(path, copy)
    try:
        with contextlib.closing(sqlite3.connect(copy)) as conn:
            return str(conn.execute("PRAGMA quick_check(1)").fetchone()[0]).split("\n")[-1]
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        copy.unlink()


def _damaged_in_the_middle(path: Path, stack: contextlib.ExitStack) -> dict[str, str]:
    elsewhere = path.parent / "backups"
    elsewhere.mkdir()
    with Store(path) as store:
        for name in ("old", "new"):
            store.backup(elsewhere / f"{name}.sqlite")
    os.utime(elsewhere / "old.sqlite", (0, 0))
    newest = elsewhere / "broken.sqlite"
    newest.write_bytes((elsewhere / "new.sqlite").read_bytes()[:5000])  # the newest of all, and no backup
    with (path.parent / "monitor.db.backups").open("a") as noted:
        noted.write(f"{newest}\n")
    _spoil(path, 0.4, 0.2)
    return {"quick_check": _quick_check(path), "backup": str(elsewhere / "new.sqlite")}


def _damaged_without_a_backup(path: Path, stack: contextlib.ExitStack) -> dict[str, str]:
    _spoil(path, 0.4, 0.2)
    return {}


def _damaged_head(path: Path, stack: contextlib.ExitStack) -> dict[str, str]:
    _spoil(path, 0, 0.01)
    return {}


def _not_a_database(path: Path, stack: contextlib.ExitStack) -> dict[str, str]:
    path.write_text("关于印发通知的通知\n" * 500, "utf-8")
    return {}


def _cut_to_half(path: Path, stack: contextlib.ExitStack) -> dict[str, str]:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return {}


def _newer_schema(path: Path, stack: contextlib.ExitStack) -> dict[str, str]:
    with contextlib.closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA user_version = 99")
    return {"newer": "99", "schema": str(schema.VERSION)}


def _already_running(path: Path, stack: contextlib.ExitStack) -> dict[str, str]:
    stack.enter_context(Store(path))
    return {"pid": str(os.getpid())}


#: Where the daemon is started too; every other one is found by the same opening of the database.
BOTH = ("damaged-in-the-middle", "already-running", "read-only-folder")
MAKERS: dict[str, Callable[[Path, contextlib.ExitStack], dict[str, str]]] = {
    "read-only-file": _read_only_file,
    "read-only-folder": _read_only_folder,
    "another-owner": _another_owner,
    "damaged-in-the-middle": _damaged_in_the_middle,
    "damaged-without-a-backup": _damaged_without_a_backup,
    "damaged-head": _damaged_head,
    "not-a-database": _not_a_database,
    "cut-to-half": _cut_to_half,
    "newer-schema": _newer_schema,
    "already-running": _already_running,
}


@pytest.mark.parametrize("case", [one for one in REFUSALS if one.id in MAKERS], ids=lambda case: case.id)
def test_a_database_that_cannot_be_used_is_refused_with_what_to_do_and_left_as_it_is(
    case: Refusal, tmp_path: Path, site: Site
) -> None:
    with contextlib.ExitStack() as stack:
        path = _lived(tmp_path, site)
        facts = MAKERS[case.id](path, stack) | {"path": str(path)}
        before = path.read_bytes()
        for words in (("check",), ("run",))[: 2 if case.id in BOTH else 1]:
            ran = command(tmp_path, *words, before=PLAIN if "owner" in facts else ())
            assert (ran.code, "Traceback" in ran.err) == (case.code, False), ran.err
            for part in case.says:
                assert part.format(**facts) in ran.err, ran.err
        assert not case.untouched or path.read_bytes() == before


def test_the_commands_that_are_named_restore_the_backup(tmp_path: Path, site: Site) -> None:
    path = _lived(tmp_path, site)
    with Store(path) as store:
        store.backup(tmp_path / "backup of monday.sqlite")
    _spoil(path, 0.4, 0.2)
    said = command(tmp_path, "check").err
    assert "to go on from it: " in said
    subprocess.run(said.partition("to go on from it: ")[2], shell=True, check=True)
    assert command(tmp_path, "check").code == 0
    assert path.with_name("monitor.db.damaged").exists(), "the sick file is kept aside"


# --- another program


HOLDS = """
import sqlite3, sys
conn = sqlite3.connect(sys.argv[1], isolation_level=None)
conn.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held(path: Path) -> Iterator[int]:
    """Another program has the database for writing; its process."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdin
    assert process.stdout.readline() == b"held\n"
    try:
        yield process.pid
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """30 s are 0.3 s."""
    monkeypatch.setattr(database, "BUSY_MS", 300)


def test_a_database_that_another_program_holds_is_waited_for_and_then_named_with_its_process(
    tmp_path: Path, site: Site, impatient: None
) -> None:
    case = next(one for one in REFUSALS if one.id == "locked-for-long")
    path = _lived(tmp_path, site)
    with Store(path) as store, held(path) as pid:
        began = time.monotonic()
        with pytest.raises(InUse) as caught, store.write() as conn:
            conn.execute("UPDATE channels SET fails = fails")
        assert time.monotonic() - began >= 0.3
        for part in case.says:
            assert part.format(pid=pid) in str(caught.value)
        assert caught.value.pid == pid


def test_a_check_that_another_program_kept_from_being_stored_is_done_again(tmp_path: Path, site: Site, impatient: None) -> None:
    place = Place(tmp_path, toml(site))
    try:
        place.check("a")
        site.says({"/list/": page("list", NEW, *rows(12))})
        with held(tmp_path / "monitor.db"), pytest.raises(StoreError, match="in use by pid"):
            place.check("a")
        place.clock.on(minutes=1)
        place.check("a")
        assert place.told() == [("new", NEW.title)]
        assert {one["state"] for one in place.deliveries()} == {"sent"}
    finally:
        place.close()


# --- schemas


def _old(path: Path, version: int) -> None:
    """A database as an older monitor left it, with a source and a notice."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    known, migrations = schema.MIGRATIONS, schema.migrations()
    if version < len(known):
        migrations.apply(Database(conn), stop_before=known[version][0])
    else:
        migrations.apply(Database(conn))
    conn.execute(f"PRAGMA user_version = {version}")
    conn.execute("INSERT INTO sources (id, kind, url, host, how) VALUES ('a', 'list', 'http://a.test/', 'a.test', 'list/1:0')")
    conn.execute(
        "INSERT INTO notices (source, key, title, row_title, first_seen, last_seen, row_print, row_how)"
        " VALUES ('a', 'k', '旧通知', '旧通知', '2026-01-01', '2026-01-01', 'p', 'h')"
    )
    conn.close()


def _sound(path: Path) -> None:
    with Store(path) as store, store.read() as conn:
        assert conn.execute("PRAGMA user_version").fetchone()[0] == schema.VERSION
        assert [row[0] for row in conn.execute("SELECT title FROM notices")] == ["旧通知"]
        assert store.damage() is None
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_each_former_schema_is_upgraded_and_a_copy_of_it_kept(tmp_path: Path, version: int) -> None:
    path = tmp_path / "monitor.db"
    _old(path, version)
    _sound(path)
    with contextlib.closing(sqlite3.connect(tmp_path / f"monitor.db.before-schema-{schema.VERSION}")) as conn:
        assert conn.execute("PRAGMA user_version").fetchone()[0] == version
        assert conn.execute("SELECT title FROM notices").fetchone()[0] == "旧通知"


DIES = """
import os, sqlite3, sys
from pathlib import Path
left = int(sys.argv[2])
real = sqlite3.connect
def traced(*args, **options):
    conn = real(*args, **options)
    def step(_):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
    conn.set_trace_callback(step)
    return conn
sqlite3.connect = traced
from monitor.store import Store
Store(Path(sys.argv[1])).close()
print("upgraded")
"""


@pytest.mark.parametrize("version", range(1, schema.VERSION))
@pytest.mark.parametrize("statements", range(1, 33, 6))
def test_an_upgrade_that_is_killed_at_any_statement_is_done_by_the_next_start(
    tmp_path: Path, version: int, statements: int
) -> None:
    path = tmp_path / "monitor.db"
    _old(path, version)
    ran = subprocess.run(
        [sys.executable, "-c", DIES, str(path), str(statements)], capture_output=True, timeout=60, check=False, cwd=ROOT
    )
    assert ran.returncode in (0, -9), ran.stderr
    assert (ran.returncode == 0) == (b"upgraded" in ran.stdout)
    _sound(path)


# --- power


class Witness(WebhookReceiver):
    """Looks into the database, as another process would, at the moment when the first message comes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.saw: list[tuple[str, str]] = []

    def judge(self, post: Post) -> Answer:
        with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as conn:
            self.saw += conn.execute(
                "SELECT c.kind, d.state FROM changes c JOIN deliveries d ON d.change = c.id WHERE d.state != 'sent'"
            ).fetchall()
        return super().judge(post)


def test_what_is_told_is_committed_and_on_the_disk_before_the_first_byte_is_sent(tmp_path: Path, site: Site) -> None:
    with Witness(tmp_path / "monitor.db") as witness:
        place = Place(tmp_path, toml(site, url=witness.target()))
        try:
            place.check("a")
            site.says({"/list/": page("list", NEW, *rows(12))})
            place.check("a")
            assert witness.saw == [("new", "sending")]
            with place.loops.store.write() as conn:
                assert conn.execute("PRAGMA synchronous").fetchone()[0] == 2, "FULL"
                assert conn.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        finally:
            place.close()


# --- size


def test_no_statement_of_a_check_looks_through_a_whole_table_that_grows(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a million notices a check costs what it costs with twenty: it only looks up rows by index."""
    said: set[str] = set()
    real = sqlite3.connect

    def traced(*args: Any, **options: Any) -> sqlite3.Connection:
        conn = real(*args, **options)
        conn.set_trace_callback(said.add)
        return conn

    place = Place(tmp_path, toml(site, "[[route]]\nchannels = ['ops']\n"))
    place.check("a")
    place.close()
    monkeypatch.setattr(sqlite3, "connect", traced)
    place.loops = place.open()
    said.clear()
    try:
        for say in (page("list", NEW, *rows(12)), page("list", NEW, *rows(12)), page("list", NEW, *reversed(rows(12)))):
            site.says({"/list/": say})
            place.clock.on(minutes=15)
            place.loops.check_now(["a"], seconds=1)
        grows = {"notices", "versions", "changes", "deliveries", "readings", "checks", "attachments", "doubts", "blobs"}
        with contextlib.closing(real(tmp_path / "monitor.db")) as conn:
            for statement in said:
                if statement.split(maxsplit=1)[0].upper() in ("SELECT", "UPDATE", "DELETE", "WITH"):
                    plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {statement}")]
                    scans = [line for line in plan if line.startswith("SCAN ") and " USING " not in line]
                    assert not [line for line in scans if line.split()[1] in grows], (statement, plan)
        assert len(said) > 20
    finally:
        place.close()


# --- clocks


class Runs:
    """The clock that only runs, and the one on the wall, which jumps besides."""

    def __init__(self, at: datetime) -> None:
        self.wall, self.seconds = Clock(at), 0.0

    def __call__(self) -> float:
        return self.seconds

    def pass_(self, by: timedelta) -> None:
        self.seconds += by.total_seconds()
        self.wall.at += by


def _tick(place: Place) -> None:
    """One tick of the daemon, and all that it starts."""
    place.loops.tick()
    while place.loops.checking._running or place.loops.delivering.busy():
        wait(list(place.loops.checking._running.values()) + place.loops.delivering.busy(), timeout=0.05)
        place.loops.tick()


@pytest.mark.parametrize("case", JUMPS, ids=lambda case: case.id)
@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped meanwhile"])
def test_a_clock_that_jumps_leaves_each_source_checked_once_in_its_interval(
    case: Jump, stopped: bool, tmp_path: Path, site: Site
) -> None:
    runs = Runs(case.at.astimezone(ZoneInfo("UTC")))
    place = Place(tmp_path, toml(site, schedule=case.schedule, zone=case.zone), runs.wall, runs)
    try:
        place.loops.checking.reload()
        for _ in range(4):  # a life before: checks each quarter of an hour
            runs.pass_(timedelta(minutes=5))
            _tick(place)
        if stopped:
            place.loops.close()
        runs.wall.at += case.by
        if stopped:
            place.loops = place.open()
            place.loops.checking.reload()
        site.says({"/list/": page("list", NEW, *rows(12))})
        site.asked.clear()
        for _ in range(17 * 4):
            runs.pass_(timedelta(seconds=15))
            _tick(place)
        asked = len(site.asked)
        assert case.checks <= asked <= case.checks + 1, f"asked {asked} times within 17 minutes"
        assert place.told() == [("new", NEW.title)]
        assert {one["state"] for one in place.deliveries()} == {"sent"}
    finally:
        place.close()


def test_what_waits_for_a_channel_waits_no_longer_when_the_clock_is_put_back(tmp_path: Path, site: Site) -> None:
    with WebhookReceiver() as hook:
        runs = Runs(datetime(2026, 1, 12, 2, 0, tzinfo=ZoneInfo("UTC")))
        place = Place(tmp_path, toml(site, url=hook.target()), runs.wall, runs)
        try:
            place.check("a")
            hook.script(Answer(500))
            site.says({"/list/": page("list", NEW, *rows(12))})
            place.check("a")
            assert [one["state"] for one in place.deliveries()] == ["pending"]
            runs.wall.at -= timedelta(days=1)
            for _ in range(12):
                runs.pass_(timedelta(seconds=10))
                _tick(place)
            assert [one["state"] for one in place.deliveries()] == ["sent"]
        finally:
            place.close()
