"""What the store promises: whole transactions, exact versions, sound copies, one writer, sentences where it cannot be used."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.check.prepared import Prepared
from monitor.errors import Damaged, InUse, SchemaError, StoreError
from monitor.facts import BODIES
from monitor.model import Attachment, Check, DeliveryState, FileText, Kind, Notice, Outcome, Purpose, Source, Validators
from monitor.store import Store, changes, doubts, files, frames, lists, notices, outbox, readings, schema, sources
from monitor.store.batch import Batch, Unchanged
from monitor.store.database import Lock, moment, stamp

NOW = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
READS = Prepared(BODIES)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "monitor.db"


@pytest.fixture
def store(place: Path) -> Iterator[Store]:
    with Store(place) as opened:
        yield opened


def one_source(id_: str = "a", url: str = "https://www.example.org/list/") -> Source:
    return Source(id_, "list", url, how="list/1:0")


def know(store: Store, *ids: str) -> None:
    with store.write() as conn:
        sources.sync(conn, [one_source(id_) for id_ in ids], dict.fromkeys(ids, NOW))


def add(store: Store, source: str = "a", key: str = "k1", text: str = "正文", attachments: tuple[Attachment, ...] = ()) -> int:
    row = Notice(source, key, f"https://www.example.org/{key}.html", f"关于{key}的通知", text=text, attachments=attachments)
    with store.write() as conn:
        return notices.add(conn, row, f"print-{key}", "list/1:0", NOW, READS, baseline=False)


def told(store: Store, notice: int | None = None, source: str | None = "a") -> int:
    with store.write() as conn:
        return changes.insert(conn, Kind.NEW, NOW, reason="first seen", source=source, notice=notice, after=1)


def sound(path: Path) -> bool:
    """What SQLite itself finds, in a connection of its own."""
    conn = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        whole = conn.execute("PRAGMA integrity_check").fetchone()[0]
        return whole == "ok" and not conn.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        conn.close()


def run_python(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    """The code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[1],
    )


# --- transactions


def test_a_write_that_raises_leaves_nothing_behind(store: Store) -> None:
    know(store, "a")

    def fail() -> None:
        with store.write() as conn:
            conn.execute("UPDATE sources SET url = 'changed'")
            conn.execute("INSERT INTO meta VALUES ('k', 'v')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as conn:
        assert conn.execute("SELECT url FROM sources").fetchone()["url"] == "https://www.example.org/list/"
        assert conn.execute("SELECT count(*) FROM meta").fetchone()[0] == 0
    with store.write() as conn:  # and the next one is not inside the failed one
        conn.execute("INSERT INTO meta VALUES ('k', 'v')")


def test_a_constraint_that_fails_rolls_the_whole_transaction_back(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.write() as conn:
        conn.execute("INSERT INTO meta VALUES ('k', 'v'), ('l', 'v'), ('k', 'w')")
    with store.read() as conn:
        assert conn.execute("SELECT count(*) FROM meta").fetchone()[0] == 0


def test_a_full_disk_is_a_sentence_and_loses_nothing_that_was_committed(store: Store) -> None:
    know(store, "a")
    add(store)
    with store.write() as conn:
        pages = conn.execute("PRAGMA page_count").fetchone()[0]
        conn.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreError, match="the disk is full: nothing was lost, free some space"):
        add(store, key="large", text=random.Random(1).randbytes(400_000).hex())
    with store.write() as conn:
        conn.execute("PRAGMA max_page_count = 1000000")
    assert add(store, key="k2") > 1
    with store.read() as conn:
        assert [row["key"] for row in lists.notice_rows(conn, lists.Filter(after=0))] == ["k1", "k2"]
    assert sound(store.path)


def test_blocks_that_read_and_then_write_never_fail_each_other(store: Store) -> None:
    with store.write() as conn:
        conn.execute("INSERT INTO meta VALUES ('n', '0')")

    def count_up(_: int) -> bool:
        with store.write() as conn:
            found = int(conn.execute("SELECT value FROM meta WHERE key = 'n'").fetchone()["value"])
            conn.execute("UPDATE meta SET value = ? WHERE key = 'n'", (str(found + 1),))
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(count_up, range(600))) == 600
    with store.read() as conn:
        assert conn.execute("SELECT value FROM meta").fetchone()["value"] == "600"


def test_a_reader_sees_whole_transactions_while_a_writer_writes(store: Store) -> None:
    with store.write() as conn:
        conn.execute("CREATE TABLE pair (x INTEGER)")
        conn.execute("INSERT INTO pair VALUES (0), (0)")
    looked, over = threading.Event(), threading.Event()

    def write() -> None:
        looked.wait(30)
        for n in range(1, 150):
            with store.write() as conn:
                for row in (1, 2):
                    conn.execute("UPDATE pair SET x = ? WHERE rowid = ?", (n, row))
        over.set()

    seen: set[int] = set()
    writer = threading.Thread(target=write)
    writer.start()
    last = False
    while not last:
        last = over.is_set()
        with store.read() as conn:
            a, b = (row["x"] for row in conn.execute("SELECT x FROM pair"))
        assert a == b
        seen.add(a)
        looked.set()
    writer.join()
    assert {0, 149} <= seen


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError, match="check the owner and rights"), store.read() as conn:
        conn.execute("INSERT INTO meta VALUES ('k', 'v')")


def test_threads_that_come_and_go_leave_no_connection_open(store: Store) -> None:
    def look() -> None:
        with store.read() as conn:
            conn.execute("SELECT count(*) FROM sources").fetchone()

    def rounds(count: int) -> int:
        for _ in range(count):
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
        return len(os.listdir("/proc/self/fd"))

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not list open files under /proc")
    few = rounds(5)
    assert rounds(60) <= few + 5


# --- versions

PAGE = 40_000


def page(rng: random.Random) -> str:
    """40 kB of Chinese words that repeat as those of running text do: it packs to about a quarter, as official pages do."""
    words = ["".join(chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(rng.randrange(1, 5))) for _ in range(800)]
    weights = [1 / rank for rank in range(1, 801)]
    text = ""
    while len(text.encode()) < PAGE:
        text += "".join(rng.choices(words, weights, k=rng.randrange(5, 30))) + "。\n"
    return text


def edited(text: str, rng: random.Random) -> str:
    """One line of it said otherwise."""
    rows = text.split("\n")
    rows[rng.randrange(len(rows))] = f"第{rng.randrange(10**6)}号修改：期限延长至{rng.randrange(1, 28)}日。"
    return "\n".join(rows)


def versions(store: Store, count: int, *, raw: bool = False) -> tuple[int, list[str]]:
    """A notice with that many versions, and their texts from seq 1 on."""
    rng = random.Random(7)
    texts = [page(rng)]
    notice = add(store, text=texts[0])
    for _ in range(count - 1):
        texts.append(edited(texts[-1], rng))
        body = f"<html>{texts[-1]}</html>".encode() if raw else None
        with store.write() as conn:
            notices.push(conn, notice, notices.State("text", "html/1", text=texts[-1], raw=body), NOW, READS)
    return notice, texts


def file_size(store: Store) -> int:
    """The database's own size in bytes, with the log written back."""
    with store.read() as conn:
        used = conn.execute("PRAGMA page_count").fetchone()[0] - conn.execute("PRAGMA freelist_count").fetchone()[0]
        return int(used * conn.execute("PRAGMA page_size").fetchone()[0])


def test_forty_versions_of_a_page_are_restored_exactly(store: Store) -> None:
    know(store, "a")
    notice, texts = versions(store, 40)
    with store.read() as conn:
        slowest = 0.0
        for seq in random.Random(3).sample(range(1, 41), 40):
            began = perf_counter()
            assert notices.text_of(conn, notice, seq) == texts[seq - 1]
            slowest = max(slowest, perf_counter() - began)
        found = [notices.version(conn, notice, seq) for seq in range(1, 41)]
    assert [one.text for one in found if one] == texts
    assert len({one.fingerprint for one in found if one}) == 40
    print(f"the slowest of 40 versions was restored in {slowest * 1000:.2f} ms")


def index_size(store: Store) -> int:
    """Bytes of the index of words."""
    with store.read() as conn:
        return int(conn.execute("SELECT sum(length(block)) FROM terms_data").fetchone()[0])


def test_the_index_of_words_does_not_grow_with_the_versions(store: Store) -> None:
    know(store, "a")
    notice, texts = versions(store, 2)
    once, rng = index_size(store), random.Random(11)
    for _ in range(100):
        texts.append(edited(texts[-1], rng))
        with store.write() as conn:
            notices.push(conn, notice, notices.State("text", "html/1", text=texts[-1]), NOW, READS)
    assert index_size(store) <= 8 * once  # what was deleted goes when segments are merged


def test_a_further_version_costs_little_more_than_what_it_changed(store: Store) -> None:
    know(store, "a")
    notice, texts = versions(store, 40)
    before, rng = file_size(store) - index_size(store), random.Random(11)
    for _ in range(160):
        texts.append(edited(texts[-1], rng))
        with store.write() as conn:
            notices.push(conn, notice, notices.State("text", "html/1", text=texts[-1]), NOW, READS)
    with store.read() as conn:
        rows = conn.execute(
            "SELECT seq, length(text) AS size, text_key AS key FROM versions WHERE notice = ?", (notice,)
        ).fetchall()
        assert [row["seq"] for row in rows if row["key"]] == list(range(frames.KEY_EVERY, 200, frames.KEY_EVERY))
        assert notices.text_of(conn, notice, 1) == texts[0]
    differences = [row["size"] for row in rows if row["key"] == 0]
    keys = [row["size"] for row in rows if row["key"]]
    growth = (file_size(store) - index_size(store) - before) / 160
    print(
        f"a difference takes {sum(differences) / len(differences):.0f} bytes, a key frame {sum(keys) / len(keys):.0f};"
        f" the file grew by {growth:.0f} bytes a version, key frames included"
    )
    assert growth <= 900  # a page that is all text; the key frames are most of it


def test_the_raw_page_of_every_version_is_kept_too(store: Store) -> None:
    know(store, "a")
    notice, texts = versions(store, 36, raw=True)
    with store.read() as conn:
        assert notices.raw_of(conn, notice, 1) is None  # its list said it, no page was read
        for seq in range(2, 37):
            assert notices.raw_of(conn, notice, seq) == f"<html>{texts[seq - 1]}</html>".encode()


def test_raw_pages_are_restored_where_their_list_spoke_in_between(store: Store) -> None:
    know(store, "a")
    notice = add(store)
    for seq in range(2, 6 * frames.KEY_EVERY):
        raw = f"<html>{seq}{'正文' * 50}</html>".encode() if seq % 2 else None
        with store.write() as conn:
            notices.push(conn, notice, notices.State("text", "html/1", title=f"t{seq}", raw=raw), NOW, READS)
    with store.read() as conn:
        for seq in range(3, 6 * frames.KEY_EVERY, 2):
            assert notices.raw_of(conn, notice, seq) == f"<html>{seq}{'正文' * 50}</html>".encode()


@pytest.mark.parametrize("seq", [0, 4, -1])
def test_a_version_that_never_was_is_a_key_error(store: Store, seq: int) -> None:
    know(store, "a")
    notice, _ = versions(store, 3)
    with store.read() as conn, pytest.raises(KeyError):
        notices.text_of(conn, notice, seq)


@pytest.mark.parametrize("old", ["", "甲", "a" * 50])
@pytest.mark.parametrize("new", ["", "乙", "a" * 51])
def test_texts_may_come_and_go(store: Store, old: str, new: str) -> None:
    know(store, "a")
    notice = add(store, text=old)
    for text in (new, old, new):
        with store.write() as conn:
            notices.push(conn, notice, notices.State("text", "html/1", text=text), NOW, READS)
    with store.read() as conn:
        assert [notices.text_of(conn, notice, seq) for seq in (1, 2, 3, 4)] == [old, new, old, new]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3000), st.none() | st.binary(max_size=3000))
def test_a_frame_restores_what_was_packed(data: bytes, neighbour: bytes | None) -> None:
    assert frames.unpack(frames.pack(data, neighbour), neighbour) == data


@settings(max_examples=200, deadline=None)
@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_moments_sort_as_their_text_does(a: datetime, b: datetime) -> None:
    assert (stamp(a) <= stamp(b)) or a > b
    kept = moment(stamp(a))
    assert kept is not None
    assert abs(kept - a) < timedelta(milliseconds=1)


# --- copies


def test_a_copy_taken_while_others_write_is_sound(store: Store, tmp_path: Path) -> None:
    know(store, "a")
    with store.write() as conn:
        conn.execute("CREATE TABLE ballast (data BLOB)")
        conn.executemany("INSERT INTO ballast VALUES (?)", [(random.Random(n).randbytes(100_000),) for n in range(300)])
    over, written = threading.Event(), 0

    def write() -> None:
        nonlocal written
        while not over.is_set():
            add(store, key=f"w{written}")
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        began = perf_counter()
        size = store.backup(tmp_path / "copy.db")
        took = perf_counter() - began
    finally:
        over.set()
        writer.join()
    print(f"{size / 1e6:.0f} MB copied in {took:.2f} s while {written} transactions were written")
    assert took < 20
    assert sound(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    assert sorted(found.name for found in tmp_path.glob("copy.db*")) == ["copy.db"]
    with Store(tmp_path / "copy.db") as copy, copy.read() as conn:
        rows = lists.notice_rows(conn, lists.Filter(after=0))
    assert [row["key"] for row in rows] == [f"w{n}" for n in range(len(rows))]


def test_a_copy_never_overwrites(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("mine")
    with pytest.raises(StoreError, match="exists already and is not overwritten"):
        store.backup(target)
    assert target.read_text() == "mine"


def test_a_copy_into_a_folder_that_is_not_there_is_a_sentence(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        store.backup(tmp_path / "none" / "copy.db")


# --- files that are no database of ours


def foreign(path: Path) -> None:
    conn = sqlite3.connect(path)
    conn.execute("CREATE TABLE mine (x)")
    conn.execute("INSERT INTO mine VALUES (1)")
    conn.commit()
    conn.close()


def newer(path: Path) -> None:
    Store(path).close()
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA user_version = 99")
    conn.close()


def garbage(path: Path) -> None:
    path.write_bytes(b"not a database at all\n" * 500)


def cut_short(path: Path) -> None:
    with Store(path) as opened:
        know(opened, "a")
        for n in range(50):
            add(opened, key=f"k{n}", text="x" * 2000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


UNUSABLE = [
    (foreign, SchemaError, "not written by monitor"),
    (newer, SchemaError, rf"schema 99.*knows {schema.VERSION}"),
    (garbage, Damaged, "file is not a database. It was left as it is"),
]


@pytest.mark.parametrize("writable", [True, False], ids=["writing", "reading"])
@pytest.mark.parametrize(("make", "error", "words"), UNUSABLE, ids=lambda value: getattr(value, "__name__", ""))
def test_a_file_that_is_not_ours_is_refused_and_not_changed(
    place: Path, make: Callable[[Path], None], error: type[StoreError], words: str, writable: bool
) -> None:
    make(place)
    before = place.read_bytes()
    with pytest.raises(error, match=words):
        Store(place, writable=writable)
    assert place.read_bytes() == before
    with pytest.raises(error):  # and the refusal leaves no lock behind: the same answer, not "in use"
        Store(place, writable=writable)


def test_a_refused_file_keeps_its_rights(place: Path) -> None:
    foreign(place)
    place.chmod(0o644)
    with pytest.raises(SchemaError):
        Store(place)
    assert place.stat().st_mode & 0o777 == 0o644


def test_a_damaged_database_is_named_as_such(place: Path) -> None:
    cut_short(place)
    try:
        with Store(place) as opened:
            assert opened.damage() is not None
    except StoreError as error:
        assert "restore" in str(error)  # noqa: PT017 - either answer is right, and both are looked at


@pytest.mark.parametrize("statements", range(0, 60, 3))
def test_a_process_that_dies_while_it_makes_the_tables_leaves_a_file_that_the_next_one_completes(
    place: Path, statements: int
) -> None:
    code = """
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
            os._exit(9)
    conn.set_trace_callback(step)
    return conn
sqlite3.connect = traced
from monitor.store import Store
Store(Path(sys.argv[1]))
"""
    done = run_python(code, place, statements)
    assert done.returncode in (0, 9), done.stderr
    with Store(place) as opened:
        know(opened, "a")
        add(opened)
    assert sound(place)


def test_a_path_below_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="check the folder's owner and rights"):
        Store(tmp_path / "file" / "monitor.db")


def test_a_folder_in_its_place_is_a_sentence(place: Path) -> None:
    place.mkdir()
    with pytest.raises(StoreError, match="check that its folder exists and its rights"):
        Store(place)


def test_a_database_that_is_not_there_cannot_be_read(place: Path) -> None:
    with pytest.raises(StoreError, match="does not exist yet: `monitor check` or `monitor run` makes it"):
        Store(place, writable=False)
    assert not place.exists()


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user (root) may write everywhere")
    with pytest.raises(StoreError, match="check the folder's owner and rights"):
        Store(folder / "monitor.db")


def test_the_database_is_for_its_owner_alone(store: Store) -> None:
    know(store, "a")
    for file in store.path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name


def test_a_path_with_signs_that_addresses_use_is_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "a ?mode=rw#x%20公告"
    folder.mkdir()
    with Store(folder / "monitor.db") as opened:
        know(opened, "a")
        with opened.read() as conn:
            assert lists.source_ids(conn) == ["a"]


# --- one writer


def test_a_second_writer_in_the_same_process_is_refused(store: Store) -> None:
    with pytest.raises(InUse, match=f"already running, pid {os.getpid()} since 20") as caught:
        Store(store.path)
    assert caught.value.pid == os.getpid()


def test_a_second_writer_in_another_process_is_told_who_has_it(store: Store) -> None:
    code = "import sys; from pathlib import Path; from monitor.store import Store; Store(Path(sys.argv[1]))"
    done = run_python(code, store.path)
    assert done.returncode == 1
    assert f"monitor.errors.InUse: already running, pid {os.getpid()} since " in done.stderr


def test_the_lock_of_a_process_that_was_killed_is_free(place: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from monitor.store import Store
store = Store(Path(sys.argv[1]))
os.kill(os.getpid(), 9)
"""
    assert run_python(code, place).returncode == -9
    with Store(place) as opened:
        assert json.loads(Lock(place).path.read_text())["pid"] == os.getpid()
        know(opened, "a")


def test_the_text_of_a_longer_lock_before_is_gone(place: Path) -> None:
    Lock(place).path.write_text('{"pid": 1, "since": "a very long text of somebody else who had it before"}' * 3)
    with Store(place):
        assert json.loads(Lock(place).path.read_text())["pid"] == os.getpid()


def test_closing_twice_does_no_harm(place: Path) -> None:
    opened = Store(place)
    opened.close()
    opened.close()
    with pytest.raises(StoreError, match="opened for reading"), opened.write():
        pass


def test_a_reader_in_another_process_reads_while_this_one_writes(store: Store) -> None:
    know(store, "a")
    add(store)
    code = """
import sys
from pathlib import Path
from monitor.store import Store, lists
with Store(Path(sys.argv[1]), writable=False) as store, store.read() as conn:
    print(len(lists.notice_rows(conn, lists.Filter())))
"""
    with store.write() as conn:
        conn.execute("INSERT INTO meta VALUES ('k', 'v')")
        assert run_python(code, store.path).stdout == "1\n"


# --- records that are kept for a time, sources that are forgotten


def record(source: str, at: datetime, outcome: Outcome = Outcome.UNCHANGED, **more: object) -> Check:
    return Check(source, at, outcome, next_due_at=at + timedelta(minutes=15), **more)  # type: ignore[arg-type]  # a test's shorthand


def check_rows(store: Store) -> list[tuple[str, str, int]]:
    with store.read() as conn:
        rows = conn.execute("SELECT at, outcome, count FROM checks ORDER BY id").fetchall()
    return [(row["at"][:10], row["outcome"], row["count"]) for row in rows]


def test_equal_checks_of_a_day_are_one_record(store: Store) -> None:
    know(store, "a")
    with store.write() as conn:
        for hours in range(0, 48, 6):
            sources.record(conn, record("a", NOW + timedelta(hours=hours)))
        sources.record(conn, record("a", NOW + timedelta(hours=48), Outcome.FAILED, error="timeout"))
        sources.record(conn, record("a", NOW + timedelta(hours=49), Outcome.FAILED, error="timeout"))
        sources.record(conn, record("a", NOW + timedelta(hours=50), Outcome.FAILED, error="dns"))
    assert check_rows(store) == [
        ("2026-01-12", "unchanged", 4),
        ("2026-01-13", "unchanged", 4),
        ("2026-01-14", "failed", 2),
        ("2026-01-14", "failed", 1),
    ]


def test_old_records_are_dropped_but_never_the_last_one_of_a_source(store: Store) -> None:
    know(store, "a", "b")
    with store.write() as conn:
        for days in (0, 100, 200):
            sources.record(conn, record("a", NOW + timedelta(days=days)))
        sources.record(conn, record("b", NOW))
        assert sources.prune(conn, NOW + timedelta(days=150)) == 2
    assert [(day, count) for day, _, count in check_rows(store)] == [("2026-07-31", 1), ("2026-01-12", 1)]


def test_forgetting_a_source_deletes_all_of_it_and_nothing_else(store: Store) -> None:
    know(store, "a", "b")
    for source in ("a", "b"):
        notice = add(store, source, f"{source}1", attachments=(Attachment("https://www.example.org/f.pdf", "f.pdf"),))
        change = told(store, notice, source)
        with store.write() as conn:
            outbox.sync(conn, ["ops"])
            outbox.owe(conn, change, [outbox.Debt("ops", NOW, "default")], NOW)
            outbox.sent(conn, [change], NOW, "", "m1")
            doubts.keep(conn, notice, "row", "x", NOW)
            notices.push(conn, notice, notices.State("text", "html/1", text="anders"), NOW, READS)
            readings.want(conn, source, notice, "https://www.example.org/f.pdf", Purpose.ATTACHMENT, "first", NOW)
            files.keep_blob(conn, f"sha-{source}", b"%PDF", NOW)
            files.name_this(conn, notice, "https://www.example.org/f.pdf", f"sha-{source}", 4, "application/pdf")
            files.keep_text(conn, f"sha-{source}", FileText("pdf", "pdf/1", "正文"))
            files.keep_words(conn, f"sha-{source}", "rapidocr/1", 1, "[1,1,[]]")
            sources.record(conn, record(source, NOW))
    with store.write() as conn:
        assert sources.forget(conn, "a", NOW) == 1
    with store.read() as conn:
        assert [row["source"] for row in lists.notice_rows(conn, lists.Filter())] == ["b"]
        assert [row["source"] for row in lists.change_rows(conn, lists.Filter())] == ["b"]
        for table in ("versions", "doubts", "attachments", "blobs", "texts", "words", "readings", "deliveries", "checks"):
            left = conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            assert left == (2 if table == "versions" else 1), table
        row = sources.load(conn, "a")
    assert (row.memory.baseline, row.memory.order) == (False, ())
    assert sound(store.path)


# --- unchanged checks, written together


def unchanged(at: datetime, *, validators: Validators | None = None, elapsed: float = 0.1) -> Unchanged:
    return Unchanged(record("a", at, elapsed=elapsed, rows=12), None, validators=validators)


def test_unchanged_checks_are_one_record_over_several_flushes(store: Store) -> None:
    know(store, "a")
    batch = Batch()
    for minute in range(3):
        batch.add(unchanged(NOW + timedelta(minutes=minute), elapsed=minute))
    assert batch.next_due("a") == NOW + timedelta(minutes=17)
    assert batch.flush(store) == 1
    assert batch.next_due("a") is None
    batch.add(unchanged(NOW + timedelta(minutes=3)))
    assert batch.flush(store) == 1
    assert batch.flush(store) == 0
    with store.read() as conn:
        row = conn.execute("SELECT * FROM checks").fetchone()
        source = lists.sources(conn, lists.Filter())[0]
    assert (row["count"], row["rows"], row["slowest_ms"]) == (4, 12, 2000)
    assert (row["at"], row["until"]) == (stamp(NOW), stamp(NOW + timedelta(minutes=3)))
    assert source["last_check"] == stamp(NOW + timedelta(minutes=3))
    assert source["next_due"] == stamp(NOW + timedelta(minutes=18))


def test_a_crash_between_two_flushes_costs_nothing_but_the_record(store: Store) -> None:
    know(store, "a")
    batch = Batch()
    batch.add(unchanged(NOW, validators=Validators('"1"')))
    batch.flush(store)
    batch.add(unchanged(NOW + timedelta(minutes=15), validators=Validators('"2"')))
    del batch  # what was in memory is gone
    with store.read() as conn:
        row = sources.load(conn, "a")
        due = sources.planned(conn)[0].due_at
    assert row.validators.etag == '"1"'
    assert due == NOW + timedelta(minutes=15)


def test_a_flush_that_fails_is_written_by_the_next_one(store: Store) -> None:
    know(store, "a")
    batch = Batch()
    batch.add(unchanged(NOW))
    with store.write() as conn:
        conn.execute("ALTER TABLE checks RENAME TO gone")
    with pytest.raises(StoreError):
        batch.flush(store)
    batch.add(unchanged(NOW + timedelta(minutes=1)))
    with store.write() as conn:
        conn.execute("ALTER TABLE gone RENAME TO checks")
    assert batch.flush(store) == 1
    assert check_rows(store) == [("2026-01-12", "unchanged", 2)]


def test_validators_in_memory_are_used_before_they_are_written() -> None:
    batch = Batch()
    batch.add(unchanged(NOW, validators=Validators('"1"')))
    batch.add(unchanged(NOW + timedelta(minutes=1)))
    assert batch.validators("a") == Validators('"1"')
    assert batch.drop("a") is not None
    assert batch.validators("a") is None


# --- the outbox


def test_a_change_is_owed_to_a_channel_once(store: Store) -> None:
    know(store, "a")
    change = told(store, add(store))
    debts = [outbox.Debt("ops", NOW, "default"), outbox.Debt("mail", NOW, "default")]
    with store.write() as conn:
        assert outbox.owe(conn, change, debts, NOW) == 2
        assert outbox.owe(conn, change, debts, NOW + timedelta(hours=1)) == 0
    with store.read() as conn:
        assert len(lists.delivery_rows(conn, lists.Filter())) == 2


def test_a_change_owed_by_two_routes_is_owed_at_the_earlier_time_while_it_was_not_tried(store: Store) -> None:
    know(store, "a")
    change = told(store, add(store))

    def owes(due_at: datetime, route: str, *, digest: bool = False) -> tuple[int, dict[str, object]]:
        with store.write() as conn:
            new = outbox.owe(conn, change, [outbox.Debt("ops", due_at, route, digest)], NOW)
            row = conn.execute("SELECT due_at, since, route, digest FROM deliveries").fetchone()
        return new, {**row, "due_at": datetime.fromisoformat(row["due_at"]), "since": datetime.fromisoformat(row["since"])}

    digest = {"due_at": NOW + timedelta(hours=9), "since": NOW + timedelta(hours=9), "route": "all", "digest": 1}
    urgent = {"due_at": NOW, "since": NOW, "route": "urgent", "digest": 0}
    assert owes(NOW + timedelta(hours=9), "all", digest=True) == (1, digest)
    assert owes(NOW + timedelta(days=1), "later") == (0, digest)
    assert owes(NOW, "urgent") == (0, urgent)
    assert owes(NOW + timedelta(hours=9), "all", digest=True) == (0, urgent)
    with store.write() as conn:
        outbox.again(conn, [1], NOW + timedelta(hours=1), "HTTP 500", tried=True)
    assert owes(NOW, "urgent")[1]["due_at"] == NOW + timedelta(hours=1), "what was tried keeps its back-off"


def test_a_claim_of_a_dead_process_is_void_at_the_next_start(store: Store) -> None:
    know(store, "a")
    change = told(store, add(store))
    with store.write() as conn:
        outbox.owe(conn, change, [outbox.Debt("ops", NOW, "default")], NOW)
        outbox.claim(conn, [1], NOW + timedelta(minutes=10))
        assert outbox.due(conn, "ops", NOW, 10) == []
        assert outbox.start(conn) == 1
        assert [one.state for one in outbox.due(conn, "ops", NOW, 10)] == [DeliveryState.PENDING]


def test_ids_are_never_used_again(store: Store) -> None:
    know(store, "a")
    first = [add(store, key=f"k{n}") for n in range(3)]
    with store.write() as conn:
        sources.forget(conn, "a", NOW)
    assert add(store) > max(first)
