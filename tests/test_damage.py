"""A damaged database is refused with what SQLite says of it, what to do and which copy to restore; it is never overwritten. What
a power failure leaves is no damage."""

from __future__ import annotations

import os
import random
import re
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.daemon.run import Daemon
from monitor.errors import Damaged, StoreError
from monitor.store import Store, damage
from tests.house import House, Row, Site

PAGE = 4096


@pytest.fixture
def house(tmp_path: Path, site: Site) -> Iterator[House]:
    """A house whose database has some hundred pages, closed soundly."""
    site.rows[0].page = "很长的正文。" * 40_000
    made = House(tmp_path, site, "follow = true\n")
    made.check()
    made.close()
    yield made
    made.close()


def write(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def header(path: Path) -> None:
    write(path, 0, b"\0" * 100)


def scrambled(path: Path) -> None:
    """The first page, behind the words by which SQLite knows its own files."""
    write(path, 24, random.Random(1).randbytes(PAGE - 24))


def middle(path: Path) -> None:
    write(path, (path.stat().st_size // PAGE // 2) * PAGE, random.Random(1).randbytes(PAGE))


def many_pages(path: Path) -> None:
    for page in range(3, path.stat().st_size // PAGE, 3):
        write(path, page * PAGE, b"\xff" * PAGE)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 3)


def cut_within_a_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // PAGE * PAGE + 1000)


KINDS = [header, scrambled, middle, many_pages, cut, cut_within_a_page]


def run(house: House, *args: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code of a command, and what it said of errors."""
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(house.path), *args])
    assert isinstance(ended.value.code, int)
    return ended.value.code, capfd.readouterr().err


def files(folder: Path) -> dict[str, bytes]:
    return {
        file.name: file.read_bytes() for file in folder.glob("monitor.db*") if file.suffix not in (".lock", ".sock", ".db-shm")
    }


@pytest.mark.parametrize("spoil", KINDS, ids=lambda kind: kind.__name__)
def test_a_damaged_file_is_refused_left_as_it_is_and_restored_by_the_command_that_is_named(
    house: House, site: Site, tmp_path: Path, capfd: pytest.CaptureFixture[str], spoil: Callable[[Path], None]
) -> None:
    database, backup = tmp_path / "monitor.db", tmp_path / "2026-01-11.db"
    assert run(house, "backup", str(backup), capfd=capfd)[0] == 0
    spoil(database)
    before = files(tmp_path)
    for command in ("check", "run"):
        code, said = run(house, command, capfd=capfd)
        assert code == 4
        assert f"{database} is damaged: " in said
        assert re.search(
            "is damaged: (Tree|Page|On tree page|Freelist|file is not a database|database disk image is malformed|unsupported)",
            said,
        )
        assert "It was left as it is. Stop monitor." in said
        assert "The newest sound copy beside it is 2026-01-11.db: to go on from it: mv -n " in said
        assert "Traceback" not in said
        assert files(tmp_path) == before
    for command in ("notices", "sources", "changes", "doctor"):
        assert run(house, command, capfd=capfd)[0] in (0, 1, 4)
        assert files(tmp_path) == before
    restore = said.partition("to go on from it: ")[2].strip()
    subprocess.run(["sh", "-ec", restore], check=True)
    assert files(tmp_path)["monitor.db.damaged"] == before["monitor.db"], "the sick file is kept aside"
    site.rows.insert(0, Row("x1", "关于新事项的通知", "2026-01-13"))
    assert run(house, "check", capfd=capfd)[0] == 0
    house.loops = house.open()
    assert house.told().count(("new", "关于新事项的通知")) == 1


def test_without_a_sound_copy_the_words_say_so(house: House, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(house, "backup", str(tmp_path / "sick.db"), capfd=capfd)
    many_pages(tmp_path / "sick.db")
    many_pages(tmp_path / "monitor.db")
    (tmp_path / "notes.db").write_bytes(b"SQLite format 3\0 is what this text begins with" * 10)
    code, said = run(house, "check", capfd=capfd)
    assert code == 4
    assert "There is no sound copy beside it: restore a backup from elsewhere, or begin anew: mv -n " in said


def test_the_newest_of_the_sound_copies_is_named_and_never_another_database(
    house: House, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for age, name in enumerate(("sick.db", "good.db", "old.db")):
        run(house, "backup", str(tmp_path / name), capfd=capfd)
        os.utime(tmp_path / name, (1_700_000_000 - age * 86_400,) * 2)
    many_pages(tmp_path / "sick.db")
    os.utime(tmp_path / "sick.db", (1_700_000_000,) * 2)
    Store(tmp_path / "another.db").close()
    many_pages(tmp_path / "monitor.db")
    code, said = run(house, "check", capfd=capfd)
    assert code == 4
    assert "The newest sound copy beside it is good.db" in said


# --- the write-ahead log


@pytest.fixture
def killed(house: House, tmp_path: Path) -> Path:
    """The database of a process that was killed: three transactions stand in its log alone."""
    place = tmp_path / "killed"
    place.mkdir()
    with Store(tmp_path / "monitor.db") as store:
        for number in range(3):
            with store.write() as conn:
                conn.execute("INSERT INTO meta VALUES (?, ?)", (f"k{number}", "v" * 9000))
        for ending in ("", "-wal"):
            shutil.copy(tmp_path / f"monitor.db{ending}", place / f"monitor.db{ending}")
    return place / "monitor.db"


def log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def frame(path: Path, number: int) -> int:
    """Where the data of a frame of the log begin."""
    return 32 + (number - 1) * (PAGE + 24) + 24


def log_header(path: Path) -> None:
    write(log_of(path), 0, b"garbage!" * 4)


def log_garbage(path: Path) -> None:
    log_of(path).write_bytes(random.Random(1).randbytes(log_of(path).stat().st_size))


def log_frame(path: Path) -> None:
    write(log_of(path), frame(path, 2) + 100, b"garbage!")


@pytest.mark.parametrize("spoil", [log_header, log_garbage, log_frame], ids=lambda kind: kind.__name__)
def test_a_damaged_log_is_refused_left_as_it_is_and_its_file_is_gone_on_from(killed: Path, spoil: Callable[[Path], None]) -> None:
    spoil(killed)
    before = files(killed.parent)
    with pytest.raises(Damaged, match="of its write-ahead log is") as refused:
        Store(killed)
    said = str(refused.value)
    assert files(killed.parent) == before
    assert "the file without its log is sound: to go on from what it holds: mv -n " in said
    command = said.partition("to go on from what it holds: ")[2].partition("; what came since")[0]
    subprocess.run(["sh", "-ec", command], check=True)
    assert files(killed.parent)["monitor.db-wal.damaged"] == before["monitor.db-wal"]
    with Store(killed) as store, store.read() as conn:
        assert conn.execute("SELECT count(*) FROM meta WHERE key GLOB 'k?'").fetchone()[0] == 0


def whole(path: Path) -> int:
    return 3


def last_frame_torn(path: Path) -> int:
    write(log_of(path), log_of(path).stat().st_size - 2000, b"\0" * 2000)
    return 2


def last_transaction_torn(path: Path) -> int:
    last = log_of(path).stat().st_size // (PAGE + 24)
    write(log_of(path), frame(path, last - 1), b"\0" * 512)
    return 2


def cut_short(path: Path) -> int:
    os.truncate(log_of(path), log_of(path).stat().st_size - 100)
    return 2


def empty(path: Path) -> int:
    os.truncate(log_of(path), 0)
    return 0


def only_begun(path: Path) -> int:
    os.truncate(log_of(path), 40)
    return 0


@pytest.mark.parametrize(
    "loss", [whole, last_frame_torn, last_transaction_torn, cut_short, empty, only_begun], ids=lambda kind: kind.__name__
)
def test_a_log_as_a_power_failure_leaves_it_is_opened(killed: Path, loss: Callable[[Path], int]) -> None:
    left = loss(killed)
    with Store(killed) as store, store.read() as conn:
        assert conn.execute("SELECT count(*) FROM meta WHERE key GLOB 'k?'").fetchone()[0] == left
        assert store.damage() is None


def test_a_log_of_a_running_monitor_is_sound_however_often_it_began_anew(house: House, tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    with Store(path) as store:
        for number in range(60):
            with store.write() as conn:
                conn.execute("INSERT INTO meta VALUES (?, ?)", (f"k{number}", "v" * 150_000))
            assert damage.log_damage(path) is None
        assert log_of(path).stat().st_size < 60 * 150_000, "it began anew"


# --- damage that is met later


def read_all(conn: sqlite3.Connection) -> None:
    """Every row of every table, whichever of them the damage is in."""
    for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0").fetchall():
        conn.execute(f'SELECT * FROM "{row["name"]}"').fetchall()
    for row in conn.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND rootpage > 0").fetchall():
        conn.execute(f'SELECT count(*) FROM "{row["tbl_name"]}" INDEXED BY "{row["name"]}"').fetchall()


def test_once_damage_is_met_nothing_more_is_written(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    middle(tmp_path / "monitor.db")
    before = files(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(damage, "find", lambda *_: None)  # as if the damage came after the start
        store = Store(tmp_path / "monitor.db")
    try:
        with pytest.raises(Damaged, match="It was left as it is"), store.read() as conn:
            read_all(conn)
        with pytest.raises(Damaged, match="is damaged"), store.write() as conn:
            conn.execute("INSERT INTO meta VALUES ('k', 'v')")
        assert files(tmp_path)["monitor.db"] == before["monitor.db"]
    finally:
        store.close()


def test_the_daemon_ends_when_it_meets_damage(house: House) -> None:
    house.loops = house.open()
    daemon = Daemon(house.loops.config, {}, house.loops)
    try:

        def meet() -> None:
            house.loops.store.broken = Damaged("the page is gone")
            raise StoreError("the page is gone")

        daemon._guarded("tick", meet)
        with pytest.raises(Damaged, match="the page is gone"):
            daemon.run()
    finally:
        house.loops.store.broken = None
        daemon.server.close()


def test_a_long_check_of_a_large_file_is_broken_off(tmp_path: Path) -> None:
    conn = sqlite3.connect(tmp_path / "large.db")
    conn.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    conn.executemany("INSERT INTO t (b) VALUES (?)", [("x" * 800,)] * 100_000)
    conn.commit()
    conn.close()
    threads = threading.active_count()
    assert damage.find(tmp_path / "large.db", 0.001) is None
    assert damage.find(tmp_path / "large.db", 60) is None
    assert threading.active_count() == threads


def test_what_is_named_can_be_typed_where_the_path_has_blanks(tmp_path: Path) -> None:
    folder = tmp_path / "a b 公告"
    folder.mkdir()
    path = folder / "monitor.db"
    with Store(path) as store:
        store.backup(folder / "copy of it.db")
    many_pages(path)
    with pytest.raises(Damaged) as refused:
        Store(path)
    command = str(refused.value).partition("to go on from it: ")[2]
    subprocess.run(["sh", "-ec", command], check=True)
    Store(path).close()


def test_the_rights_of_a_restored_copy_are_its_owners_alone(
    house: House, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(house, "backup", str(tmp_path / "copy.db"), capfd=capfd)
    header(tmp_path / "monitor.db")
    said = run(house, "check", capfd=capfd)[1]
    subprocess.run(["sh", "-ec", said.partition("to go on from it: ")[2].strip()], check=True)
    assert (tmp_path / "monitor.db").stat().st_mode & 0o077 == 0
