"""The commands as people and scripts meet them: exit codes, keys and order of every listing, filters, what reaches a terminal.

Most run in this process, over a scripted site on loopback; real processes where a pipe, a terminal or a signal is the point.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import re
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from monitor.cli import COMMANDS, monitor
from monitor.cli.common import guarded
from monitor.cli.export import cell, name_of
from monitor.cli.listing import since
from monitor.errors import SchemaError
from monitor.store import schema
from tests.house import START, House, Row, Site

ROOT = Path(__file__).parents[1]
KEYS = {
    "sources": "id kind url health last_check last_ok outcome error notices next_due",
    "notices": "id source key url title published first_seen last_seen state versions number issuers signed cves attachments "
    "same_as effective deadline severity facts",
    "changes": "id at kind source notice title url reason silence from_version to_version",
    "deliveries": "id change channel state attempts created_at due_at last_error sent_at",
    "check": "source outcome new revised withdrawn error elapsed_ms",
    "preview": "key title url published",
    "presets": "name body column kind url verified user_agent note",
}
LISTINGS = ("sources", "notices", "changes", "deliveries")
ESCAPES = "危险\x1b[31m标题\x07\x9b2J\u202e"


@dataclass
class Ran:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process, with the configuration of `folder` (default: none but what the test itself names)."""
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)

    def ran(*args: str, folder: Path | None = None) -> Ran:
        capsys.readouterr()
        code = guarded(monitor, [*(["-c", str(folder / "monitor.toml")] if folder else []), *args])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return ran


def configured(folder: Path, site: Site, extra: str = "", *, source: str = "", channels: str = "") -> Path:
    """A folder with a configuration over the site, and no database yet."""
    house = object.__new__(House)
    house.site, house.path = site, folder / "monitor.toml"
    house.write(source, channels=channels, extra=extra)
    return folder


@pytest.fixture
def folder(tmp_path: Path, site: Site) -> Path:
    return configured(tmp_path, site)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose monitor has lived: a baseline of twelve, two new notices, one revised, a failing source, a silenced kind."""
    site = Site(
        [Row(f"n{i}", f"关于第{i}项工作的通知", f"2026-01-{i:02d}", f"第{i}项正文。\n请于30日前办理。") for i in range(12, 0, -1)]
    )
    extra = (
        '[[source]]\nid = "b/one"\nkind = "feed"\nurl = "{url}/none.xml"\n'
        '[[route]]\nkinds = ["revised"]\nchannels = []\n'
        '[[route]]\nmatch = "工作 OR 标题"\nchannels = ["console"]\n'
    )
    place = tmp_path_factory.mktemp("lived")
    with contextlib.redirect_stdout(sys.stderr):
        house = House(place, site, "follow = true\n", extra=extra, monitor='failing_after = "0s"\n')
        house.check()
        house.clock.on(days=1)
        site.rows.insert(0, Row("new1", ESCAPES, "2026-01-13", "新的正文。"))
        site.rows.insert(0, Row("new2", "关于新工作的通知", "2026-01-13", "又一篇正文。\n第二段。"))
        house.check()
        house.clock.on(days=1)
        site.page_of("new2").page = "又一篇正文。\n第二段改了。"
        house.check()
        house.clock.on(hours=8)
        house.check()
        house.close()
    with contextlib.closing(sqlite3.connect(place / "monitor.db")) as conn:  # as if an older version had let it in
        conn.execute("UPDATE notices SET title = ? WHERE key LIKE '%new1.html'", (ESCAPES,))
        conn.commit()
    yield place
    site.close()


# --- exit codes


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["chekc"], 'did you mean "check"?'),
        (["check", "aa"], 'no source "aa" — did you mean "a"?'),
        (["check", "--jsn"], "--jsn"),
        (["notices", "--source", "bone"], 'no source "bone" — did you mean "b/one"?'),
        (["notices", "--state", "preset"], '--state "preset" is unknown — did you mean "present"?'),
        (["changes", "--kind", "reviesd"], 'did you mean "revised"?'),
        (["sources", "--kind", "lst"], 'did you mean "list"?'),
        (["sources", "--state", "xyzzy"], "it is one of: new, ok, failing, quiet, paused"),
        (["deliveries", "--kind", "nwe"], 'did you mean "new"?'),
        (["notices", "--since", "yesterday"], "is no time, date or age"),
        (["show", "4711"], 'no notice "4711"'),
        (["show", "99999999999999999999999"], "no notice"),
        (["show", "²"], "no notice"),
        (["show", "https://other.example/p/1.html"], "no notice"),
        (["diff", "14", "--to", "9"], "has versions 1 to"),
        (["explain", "4711"], "no change 4711: monitor changes lists them"),
        (["explain", "99999999999999999999999"], "9999"),
        (["test", "consol"], 'did you mean "console"?'),
        (["pause", "aa"], 'did you mean "a"?'),
        (["accept", "aa"], 'did you mean "a"?'),
        (["forget", "aa", "--yes"], 'did you mean "a"?'),
        (["retry", "4711"], "no delivery 4711: monitor deliveries lists them"),
        (["preview", "ndrc/tt"], 'did you mean "ndrc/tz"?'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_users_mistake_is_a_sentence_on_stderr_and_exit_2(run: Run, lived: Path, args: list[str], said: str) -> None:
    ran = run(*args, folder=lived)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_a_config_that_is_wrong_says_every_problem_with_its_line_and_exits_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text(
        '[[source]]\nid = "x"\nkind = "feed"\nulr = "https://a.example/"\n[monitor]\nevry = "1m"\n'
    )
    for command in (["validate"], ["check"], ["notices"], ["run"]):
        ran = run(*command, folder=tmp_path)
        assert ran.code == 2
        assert 'monitor.toml:4: source "x": unknown key "ulr" — did you mean "url"?' in ran.err
        assert 'monitor.toml:6: [monitor]: unknown key "evry" — did you mean "every"?' in ran.err


def test_no_config_at_all_says_where_it_was_looked_for(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    ran = run("check")
    assert ran.code == 2
    for place in ("monitor.toml", "config/monitor.toml", ".config/monitor/monitor.toml"):
        assert str(tmp_path / place) in ran.err
    assert "monitor init" in ran.err


def test_a_check_that_fails_exits_1_and_says_why_and_when_next(run: Run, folder: Path, site: Site) -> None:
    site.status["/list/"] = 503
    ran = run("check", folder=folder)
    assert ran.code == 1
    assert re.fullmatch(r"a: failed: 127\.0\.0\.1: HTTP 503; next look (\d{4}-\d\d-\d\d )?\d\d:\d\d", ran.lines[0])
    assert ran.err == "1 of 1 source failed: a; monitor sources says why\n"


def test_an_unsent_delivery_exits_1_and_stays_owed(run: Run, tmp_path: Path, site: Site) -> None:
    with socket.socket() as taken:  # bound, and never listening: a refused connection
        taken.bind(("127.0.0.1", 0))
        url = f"json://127.0.0.1:{taken.getsockname()[1]}/hook"
        folder = configured(tmp_path, site, channels=f'[[channel]]\nid = "hook"\nurl = "{url}"\n')
        assert run("check", folder=folder).code == 0
        site.rows.insert(0, Row("n13", "关于第13项工作的通知", "2026-01-13"))
        ran = run("check", folder=folder)
    assert ran.code == 1
    assert "channel hook: not sent: " in ran.err
    assert [row["state"] for row in run("deliveries", "--json", folder=folder).json] == ["pending"]


def test_a_database_in_use_exits_3_and_names_the_process(run: Run, build: Callable[..., House]) -> None:
    house = build()
    for command in (["check"], ["run"]):
        ran = run(*command, folder=house.folder)
        assert ran.code == 3
        assert f"pid {os.getpid()}" in ran.err


def test_a_daemon_that_does_not_answer_exits_3(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from monitor import control

    answering = control.ask
    monkeypatch.setattr(control, "ask", lambda path, question: answering(path, question, timeout=0.2))
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(control.socket_path(folder / "monitor.db")))
        deaf.listen()
        ran = run("check", folder=folder)
    assert ran.code == 3
    assert "did not answer within" in ran.err


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is no database" * 100)


def _newer(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as conn:
        schema.migrate(conn)
        conn.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
        conn.commit()


def _absent(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize(
    ("make", "said"), [(_garbage, "not a database"), (_newer, "install the newer monitor"), (_absent, "does not exist yet")]
)
def test_a_database_that_cannot_be_used_exits_4(run: Run, folder: Path, make: Callable[[Path], None], said: str) -> None:
    make(folder / "monitor.db")
    ran = run("show", "1", folder=folder)
    assert ran.code == 4
    assert said in ran.err
    assert "monitor.db" in ran.err


def test_a_newer_database_is_refused_by_check_too(run: Run, folder: Path) -> None:
    _newer(folder / "monitor.db")
    ran = run("check", folder=folder)
    assert ran.code == 4
    assert issubclass(SchemaError, Exception)
    assert "install the newer monitor" in ran.err


# --- listings


@pytest.mark.parametrize("command", LISTINGS)
def test_every_listing_has_the_keys_of_the_contract_in_their_order(run: Run, lived: Path, command: str) -> None:
    rows = run(command, "--json", folder=lived).json
    assert rows
    for row in rows:
        assert list(row) == KEYS[command].split()


@pytest.mark.parametrize("command", LISTINGS)
def test_times_are_iso_8601_with_offset_and_dates_are_dates(run: Run, lived: Path, command: str) -> None:
    moments = {"last_check", "last_ok", "next_due", "first_seen", "last_seen", "at", "created_at", "due_at", "sent_at"}
    for row in run(command, "--json", folder=lived).json:
        for key in moments & row.keys():
            assert row[key] is None or datetime.fromisoformat(row[key]).utcoffset() is not None
        if row.get("published"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["published"])


def test_lists_are_arrays_numbers_are_numbers_and_the_unknown_is_null(run: Run, lived: Path) -> None:
    row = run("notices", "--json", "--limit", "1", folder=lived).json[0]
    assert (type(row["id"]), type(row["versions"]), row["attachments"], row["same_as"]) == (int, int, [], [])
    assert row["number"] is None
    assert row["state"] in ("present", "withdrawn")


@pytest.mark.parametrize("command", LISTINGS)
def test_an_empty_listing_prints_nothing_and_exits_0(run: Run, folder: Path, lived: Path, command: str) -> None:
    before = run(command, "--source", "nothing*", folder=folder)
    after = run(command, "--source", "nothing*", "--json", folder=lived)
    assert (before.code, before.out, before.err) == (0, "", "")
    assert (after.code, after.out, after.err) == (0, "", "")


def test_sources_are_listed_before_anything_was_looked_at(run: Run, folder: Path) -> None:
    rows = run("sources", "--json", folder=folder).json
    assert [(row["id"], row["health"], row["last_check"]) for row in rows] == [("a", "new", None)]
    assert list(rows[0]) == KEYS["sources"].split()
    assert run("sources", "--state", "failing", folder=folder).out == ""


def test_sources_are_those_of_the_configuration_in_its_order_whatever_was_looked_at(run: Run, folder: Path) -> None:
    run("check", folder=folder)
    path = folder / "monitor.toml"
    own = path.read_text("utf-8")
    added = own + '[[source]]\nid = "0"\nkind = "feed"\nurl = "https://example.org/feed.xml"\n'
    path.write_text(added, "utf-8")
    assert [(row["id"], row["health"]) for row in run("sources", "--json", folder=folder).json] == [("a", "ok"), ("0", "new")]
    assert [row["id"] for row in run("sources", "--source", "0", "--json", folder=folder).json] == ["0"]
    path.write_text(added.replace('id = "a"', 'id = "b"'), "utf-8")
    assert [row["id"] for row in run("sources", "--json", folder=folder).json] == ["b", "0"]
    path.write_text(added.replace('id = "0"', 'id = "0"\nenabled = false'), "utf-8")
    assert [row["id"] for row in run("sources", "--json", folder=folder).json] == ["a"]


def test_the_newest_of_a_list_is_the_first_of_the_listing(run: Run, lived: Path) -> None:
    rows = run("notices", "--json", folder=lived).json
    assert [row["published"] for row in rows] == sorted((row["published"] for row in rows), reverse=True)
    assert rows[0]["title"] == "关于新工作的通知"


@pytest.mark.parametrize("command", ["notices", "changes", "deliveries"])
def test_newest_first_and_after_gives_oldest_first(run: Run, lived: Path, command: str) -> None:
    ids = [row["id"] for row in run(command, "--json", folder=lived).json]
    assert ids == sorted(ids, reverse=True)
    first = min(ids)
    later = [row["id"] for row in run(command, "--json", "--after", str(first), folder=lived).json]
    assert later == sorted(set(ids) - {first})


@pytest.mark.parametrize("command", LISTINGS)
def test_limit_bounds_every_listing(run: Run, lived: Path, command: str) -> None:
    assert len(run(command, "--json", "--limit", "1", folder=lived).json) == 1
    assert run(command, "--limit", "0", folder=lived).out == ""


def test_there_is_no_limit_in_a_pipe(run: Run, lived: Path) -> None:
    assert len(run("notices", folder=lived).lines) == 14


def test_source_is_a_glob_and_repeats(run: Run, lived: Path) -> None:
    def found(*args: str) -> set[str]:
        return {row["id"] for row in run("sources", "--json", *args, folder=lived).json}

    assert found("--source", "b/*") == {"b/one"}
    assert found("--source", "b/*", "--source", "a") == {"a", "b/one"}
    assert found("--source", "a", "--source", "nothing*") == {"a"}


def test_kind_and_state_filter_and_repeat(run: Run, lived: Path) -> None:
    def kinds(*args: str) -> set[str]:
        return {row["kind"] for row in run("changes", "--json", *args, folder=lived).json}

    assert kinds("--kind", "new") == {"new"}
    assert kinds("--kind", "new", "--kind", "failing") == {"new", "failing"}
    assert kinds("--state", "silenced") == {"revised"}
    assert {row["id"] for row in run("sources", "--json", "--state", "failing", folder=lived).json} == {"b/one"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-01-12T10:00:00+08:00", START),
        ("2026-01-12T02:00:00+00:00", START),
        ("2026-01-12T10:00", START),  # local time of the configuration
        ("2026-01-12", START - timedelta(hours=10)),  # local midnight
        ("90m", START - timedelta(minutes=90)),
        ("7d", START - timedelta(days=7)),
    ],
)
def test_since_takes_a_time_a_date_and_an_age(written: str, meant: datetime) -> None:
    assert since(written, "Asia/Shanghai", START) == meant


@pytest.mark.parametrize("written", ["999999999w", "0001-01-01"])
def test_since_before_all_time_is_no_fault(written: str) -> None:
    assert since(written, "Asia/Shanghai", START).year == 1


@pytest.mark.parametrize(
    ("command", "key"), [("notices", "first_seen"), ("changes", "at"), ("deliveries", "created_at"), ("sources", "last_check")]
)
def test_since_compares_the_moment_of_the_contract(run: Run, lived: Path, command: str, key: str) -> None:
    everything = run(command, "--json", folder=lived).json
    moment = max(row[key] for row in everything)
    found = run(command, "--json", "--since", moment, folder=lived).json
    assert found == [row for row in everything if row[key] >= moment]
    assert run(command, "--since", "2030-01-01", folder=lived).out == ""


def test_presets_are_listed_without_a_configuration(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = run("presets", "--json").json
    assert "ndrc/tz" in [row["name"] for row in rows]
    assert all(list(row) == KEYS["presets"].split() for row in rows)
    assert [row["name"] for row in run("presets", "--source", "ndrc/*", "--json").json] == [
        row["name"] for row in rows if row["name"].startswith("ndrc/")
    ]
    assert {row["kind"] for row in run("presets", "--kind", "feed", "--limit", "3", "--json").json} == {"feed"}
    assert run("presets", "--kind", "fed").code == 2
    assert {row["name"].partition("/")[0] for row in rows if row["user_agent"]} >= {"miit"}
    assert "of a browser" in run("presets", "--source", "miit/tz").out


def test_config_may_stand_behind_the_command(run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path.parent)
    for written in (["--config", str(folder / "monitor.toml")], [f"--config={folder / 'monitor.toml'}"]):
        assert [row["id"] for row in run("sources", *written, "--json").json] == ["a"]
    assert run("validate", "--config").code == 2


# --- one notice, one change


def _newest(run: Run, lived: Path) -> dict[str, Any]:
    return next(row for row in run("notices", "--json", folder=lived).json if row["key"].endswith("new2.html"))


def test_show_adds_the_text_and_the_versions_and_takes_an_id_or_a_url(run: Run, lived: Path) -> None:
    notice = _newest(run, lived)
    by_id, by_url = run("show", str(notice["id"]), "--json", folder=lived), run("show", notice["url"], "--json", folder=lived)
    assert by_id.out == by_url.out
    shown = by_id.json[0]
    assert list(shown) == [*KEYS["notices"].split(), "text"]
    assert "第二段改了。" in shown["text"]
    assert [version["seq"] for version in shown["versions"]] == list(range(1, notice["versions"] + 1))
    assert {"seq", "seen_at", "title", "fingerprint"} <= shown["versions"][0].keys()


def test_the_text_of_what_was_not_read_is_unknown(run: Run, folder: Path) -> None:
    run("check", folder=folder)
    assert run("show", "1", "--json", folder=folder).json[0]["text"] is None


@pytest.mark.parametrize("options", [("--kind", "new"), ("--after", "1"), ("--state", "new")])
def test_search_takes_no_filter_that_it_would_not_heed(run: Run, lived: Path, options: tuple[str, str]) -> None:
    assert run("search", *options, "通知", folder=lived).code == 2


def test_show_is_plain_text_for_people(run: Run, lived: Path) -> None:
    notice = _newest(run, lived)
    shown = run("show", str(notice["id"]), folder=lived).out
    for said in (notice["title"], notice["url"], "2026-01-13", "version 1", "第二段改了。"):
        assert said in shown


@pytest.mark.parametrize(
    ("format_", "parts"),
    [
        ("text", ["第二段", "改了"]),
        ("html", ["<p", "<ins", "改了"]),
        ("unified", ["--- version", "+++ version", "@@", "+第二段改了。"]),
    ],
)
def test_diff_in_every_format(run: Run, lived: Path, format_: str, parts: list[str]) -> None:
    notice = _newest(run, lived)
    ran = run("diff", str(notice["id"]), "--format", format_, folder=lived)
    assert ran.code == 0
    for part in parts:
        assert part in ran.out


def test_diff_between_named_versions_and_as_json(run: Run, lived: Path) -> None:
    notice = _newest(run, lived)
    last = notice["versions"]
    one = run("diff", notice["url"], "--from", str(last - 1), "--to", str(last), "--json", folder=lived).json[0]
    assert (one["notice"], one["from"], one["to"]) == (notice["id"], last - 1, last)
    assert "+第二段改了。" in one["diff"]


def test_diff_of_a_notice_with_one_version_says_so(run: Run, folder: Path) -> None:
    run("check", folder=folder)
    ran = run("diff", "1", folder=folder)
    assert ran.code == 0
    assert "1 version" in ran.out


def test_explain_says_which_routes_were_tried_and_what_was_sent(run: Run, lived: Path) -> None:
    new = run("changes", "--json", "--kind", "new", folder=lived).json[0]
    found = run("explain", str(new["id"]), "--json", folder=lived).json[0]
    assert list(found) == ["change", "tried", "deliveries", "same_as"]
    assert list(found["change"]) == KEYS["changes"].split()
    assert [tried["matched"] for tried in found["tried"]] == [False, True]
    assert all({"route", "matched", "reason"} <= tried.keys() for tried in found["tried"])
    assert [one["state"] for one in found["deliveries"]] == ["sent"]
    said = run("explain", str(new["id"]), folder=lived).out
    assert "route 1: not matched" in said
    assert "route 2: matched" in said
    assert "to console by route 2: sent at 2026-01-13" in said


def test_explain_says_why_a_change_was_not_told(run: Run, lived: Path) -> None:
    revised = run("changes", "--json", "--kind", "revised", folder=lived).json[0]
    assert revised["silence"]
    assert f"not told: {revised['silence']}" in run("explain", str(revised["id"]), folder=lived).out


def test_export_writes_every_version_with_its_text_and_never_overwrites(run: Run, lived: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    assert run("export", str(file), folder=lived).code == 0
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert len(rows) == 14
    texts = [version["text"] for row in rows if row["key"].endswith("new2.html") for version in row["versions"]]
    assert any("第二段。" in text for text in texts)
    assert any("第二段改了。" in text for text in texts)
    again = run("export", str(file), folder=lived)
    assert again.code == 1
    assert "not overwritten" in again.err
    assert run("export", "--source", "b/*", folder=lived).out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["all.jsonl"], "nothing is left beside it"


def test_export_as_a_table_has_a_line_for_each_version(run: Run, lived: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    assert run("export", str(file), folder=lived).out == f"14 notices written to {file}\n"
    assert file.read_bytes().startswith(b"\xef\xbb\xbf"), "else Excel takes it for GBK"
    with file.open(encoding="utf-8-sig", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["version"] for row in rows if row["key"].endswith("new2.html")] == ["1", "2", "3"]
    assert "第二段改了。" in [row for row in rows if row["key"].endswith("new2.html")][-1]["text"]
    assert list(csv.DictReader(io.StringIO(run("export", "--format", "csv", folder=lived).out))) == rows


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_of_a_table_is_a_formula(begin: str) -> None:
    assert cell(f"{begin}HYPERLINK(1)") == f"'{begin}HYPERLINK(1)"
    assert cell(f"甲{begin}") == f"甲{begin}"


def test_an_export_as_a_folder_needs_a_name(run: Run, lived: Path) -> None:
    ran = run("export", "--format", "folder", folder=lived)
    assert ran.code == 2
    assert "monitor export --format folder DIR" in ran.err


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("附件1：目录.pdf", "附件1：目录.pdf"),
        ("a\x00b\u202ec.doc", "a_b_c.doc"),
        ("通知" * 100 + ".docx", "通知" * 24 + ".docx"),
        ("...", "_"),
        ("", "_"),
        ("C:\\con", "C__con"),
    ],
)
def test_a_name_of_a_file_is_one_that_every_system_takes(said: str, name: str) -> None:
    assert name_of(said) == name


# --- check


def test_check_says_what_it_did_in_config_order(run: Run, tmp_path: Path, site: Site) -> None:
    second = '[[source]]\nid = "0-later"\nkind = "list"\nurl = "{url}/list/"\nitems = "ul.l > li"\n'
    folder = configured(tmp_path, site, second)
    ran = run("check", folder=folder)
    assert ran.code == 0
    assert [line.split(":")[0] for line in ran.lines] == ["a", "0-later"]
    assert "12 notices stored as the baseline, nothing told; newest: 关于第12项工作的通知; next look" in ran.lines[0]
    assert [row["source"] for row in run("check", "0-later", "a", "--json", folder=folder).json] == ["a", "0-later"]
    site.rows.insert(0, Row("n13", "关于第13项工作的通知", "2026-01-13"))
    ran = run("check", "a", folder=folder)
    assert "a: 1 new; next look" in ran.out
    assert "1 delivery sent" in ran.out
    assert "a: unchanged, 13 notices" in run("check", "a", folder=folder).out


def test_check_json_prints_only_json_even_with_a_console_channel(run: Run, folder: Path, site: Site) -> None:
    first = run("check", "--json", folder=folder).json[0]
    assert list(first) == KEYS["check"].split()
    assert (first["source"], first["outcome"], first["new"], first["error"]) == ("a", "baseline", 0, None)
    site.rows.insert(0, Row("n13", "关于第13项工作的通知", "2026-01-13"))
    ran = run("check", "--json", folder=folder)
    assert [(row["outcome"], row["new"]) for row in ran.json] == [("changed", 1)]
    assert "关于第13项工作的通知" in ran.err  # the console's message is not lost


def test_a_source_that_is_off_is_not_checked_and_naming_it_says_so(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site, '[[source]]\nid = "off"\nkind = "feed"\nurl = "{url}/f.xml"\nenabled = false\n')
    assert [row["source"] for row in run("check", "--json", folder=folder).json] == ["a"]
    ran = run("check", "off", folder=folder)
    assert ran.code == 2
    assert "enabled = false" in ran.err


def test_a_server_that_asked_to_wait_is_left_alone_unless_named(run: Run, folder: Path, site: Site) -> None:
    site.status["/list/"], site.headers["/list/"] = 503, {"Retry-After": "3600"}
    run("check", folder=folder)
    asked = len(site.asked)
    ran = run("check", folder=folder)
    assert (ran.code, ran.out, len(site.asked)) == (0, "", asked)
    assert "a: its server asked to wait until" in ran.err
    run("check", "a", folder=folder)
    assert len(site.asked) > asked


def test_check_without_any_source_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text("")
    ran = run("check", folder=tmp_path)
    assert ran.code == 0
    assert "has no source" in ran.err


# --- preview


def test_preview_shows_the_rows_and_stores_nothing(run: Run, folder: Path) -> None:
    rows = run("preview", "a", "--json", folder=folder).json
    assert len(rows) == 12
    assert list(rows[0]) == KEYS["preview"].split()
    assert (rows[0]["title"], rows[0]["published"]) == ("关于第12项工作的通知", "2026-01-12")
    assert "关于第12项工作的通知" in run("preview", "a", folder=folder).out
    assert not (folder / "monitor.db").exists()


def test_preview_of_what_cannot_be_seen_exits_1(run: Run, folder: Path, site: Site) -> None:
    site.status["/list/"] = 404
    ran = run("preview", "a", folder=folder)
    assert (ran.code, ran.out) == (1, "")
    assert "a: 127.0.0.1: HTTP 404" in ran.err
    site.status.clear()
    site.rows.clear()
    assert run("preview", "a", folder=folder).code == 1


def test_preview_shows_what_the_routes_would_do(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site, '[[route]]\nmatch = "第12项"\nchannels = ["console"]\n')
    lines = run("preview", "a", "--routes", folder=folder).lines
    assert "关于第12项工作的通知: console by route 1" in lines
    assert any(line.startswith("关于第11项工作的通知: not told: ") for line in lines)
    rows = run("preview", "a", "--routes", "--json", folder=folder).json
    assert [row["routes"]["channels"] for row in rows[:2]] == [[{"channel": "console", "route": "route 1"}], []]
    assert rows[1]["routes"]["tried"][0]["matched"] is False


def test_preview_knows_what_the_routes_read_out_of_a_row(run: Run, tmp_path: Path, site: Site) -> None:
    site.rows.insert(0, Row("x", "关于修复CVE-2026-1002高危漏洞的通知（工信部网安函〔2026〕7号）", "2026-01-20", "正文。"))
    folder = configured(
        tmp_path,
        site,
        '[[route]]\nmatch = "cve:CVE-2026-1002 AND number:7号 AND issuer:工业和信息化部"\nchannels = ["console"]\n',
    )
    for what in ("a", f"{site.url}/list/"):
        rows = run("preview", what, "--routes", "--json", folder=folder).json
        assert [len(row["routes"]["channels"]) for row in rows[:2]] == [1, 0], what
    assert "console by route 1" in run("preview", f"{site.url}/list/", "--routes", folder=folder).out


def test_preview_of_an_address_prints_a_source_that_works(run: Run, folder: Path, site: Site) -> None:
    ran = run("preview", f"{site.url}/list/", folder=folder)
    assert ran.code == 0
    assert "关于第12项工作的通知" in ran.out
    found = ran.out[ran.out.index("[[source]]") :]
    (folder / "monitor.toml").write_text(f"[http]\ndelay = '0s'\nallow_private = ['127.0.0.0/8']\n{found}", "utf-8")
    assert "12 notices stored as the baseline" in run("check", folder=folder).out
    assert list(run("preview", f"{site.url}/list/", "--json", folder=folder).json[0]) == KEYS["preview"].split()
    nothing = run("preview", f"{site.url}/p/n1.html", folder=folder)
    assert (nothing.code, nothing.out) == (1, "")
    assert 'kind = "page"' in nothing.err


# --- the configuration


def test_init_writes_a_config_that_is_good_and_never_overwrites(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("init", "mine")
    assert ran.code == 0
    assert "monitor --config mine/monitor.toml check" in ran.out
    assert run("validate", folder=tmp_path / "mine").code == 0
    written = (tmp_path / "mine" / "monitor.toml").read_bytes()
    again = run("init", "mine")
    assert again.code == 1
    assert "not overwritten" in again.err
    assert (tmp_path / "mine" / "monitor.toml").read_bytes() == written


def test_validate_counts_what_it_found_and_shows_when_cron_lines_fire(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site, '[[source]]\nid = "c"\nkind = "feed"\nurl = "{url}/f.xml"\ncron = "0 9 * * mon-fri"\n')
    ran = run("validate", folder=folder)
    assert ran.code == 0
    assert "good: 2 sources, 1 channel, 0 routes" in ran.out
    assert re.search(r"c: cron 0 9 \* \* mon-fri: next (\d{4}-\d\d-\d\d 09:00(, )?){3}", ran.out)


SHOWS = (["sources"], ["notices"], ["changes"], ["deliveries"], ["show", "1"], ["export", "-"], ["calendar", "-"])


def test_what_is_stored_is_shown_without_the_secrets_that_the_monitor_has(
    run: Run, tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = '[[channel]]\nid = "ops"\nurl = "json://${OPS_HOST}/"\n'
    folder = configured(tmp_path, site, channels=channel)
    monkeypatch.setenv("OPS_HOST", "127.0.0.1:1")
    assert run("check", folder=folder).code == 0
    monkeypatch.delenv("OPS_HOST")
    for command in SHOWS:
        ran = run(*command, folder=folder)
        assert (ran.code, ran.err) == (0, ""), command
    assert len(run("notices", "--source", "a", folder=folder).lines) == len(site.rows)
    near = run("notices", "--source", "aa", folder=folder)
    assert near.code == 2
    assert 'did you mean "a"?' in near.err
    assert run("check", folder=folder).code == 2, "who sends needs them"


def test_a_configuration_that_was_changed_is_judged_before_anything_is_shown(run: Run, folder: Path) -> None:
    assert run("check", folder=folder).code == 0
    path = folder / "monitor.toml"
    path.write_text(path.read_text("utf-8").replace("items =", "itmes ="), "utf-8")
    for command in SHOWS:
        ran = run(*command, folder=folder)
        assert ran.code == 2, command
        assert 'did you mean "items"?' in ran.err


def test_a_channel_that_can_never_work_is_a_problem(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site, channels='[[channel]]\nid = "x"\nurl = "discrod://a/b"\n')
    ran = run("validate", folder=folder)
    assert (ran.code, ran.out) == (2, "")
    assert 'channel "x": Apprise knows no service "discrod" — did you mean "discord"?' in ran.err
    ran = run("doctor", folder=folder)
    assert ran.code == 1
    assert 'did you mean "discord"?' in ran.out


@pytest.mark.parametrize(("table", "said"), [("", "no source"), ('[[source]]\npreset = "ndrc/tz"\n', "no channel")])
def test_validate_warns_where_nothing_is_looked_at_or_told(run: Run, tmp_path: Path, table: str, said: str) -> None:
    (tmp_path / "monitor.toml").write_text(table)
    ran = run("validate", folder=tmp_path)
    assert ran.code == 0
    assert said in ran.err


# --- upkeep


def test_a_test_message_shows_the_channels_own_answer(run: Run, folder: Path) -> None:
    ran = run("test", "console", folder=folder)
    assert ran.code == 0
    assert "测试消息" in ran.out
    assert "channel console: sent: printed" in ran.out


def test_a_test_message_that_fails_exits_1_and_keeps_the_secret(run: Run, tmp_path: Path, site: Site) -> None:
    channels = '[[channel]]\nid = "hook"\nurl = "json://user:very-secret-word@127.0.0.1:9/"\n'
    ran = run("test", "hook", folder=configured(tmp_path, site, channels=channels))
    assert ran.code == 1
    assert "channel hook: not sent: " in ran.err
    assert "very-secret-word" not in ran.out + ran.err


def test_retry_puts_back_what_was_given_up(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site)
    run("check", folder=folder)
    site.rows.insert(0, Row("n13", "关于第13项工作的通知", "2026-01-13"))
    run("check", folder=folder)
    assert "nothing to put back" in run("retry", folder=folder).out
    ran = run("retry", "1", folder=folder)
    assert ran.code == 1
    assert "neither refused nor expired" in ran.err
    with contextlib.closing(sqlite3.connect(folder / "monitor.db")) as conn:
        conn.execute("UPDATE deliveries SET state = 'expired'")
        conn.commit()
    assert "1 put back" in run("retry", "1", folder=folder).out
    assert "1 delivery sent" in run("check", folder=folder).out


def test_retry_leaves_out_what_is_owed_to_a_channel_that_left_the_configuration(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site)
    run("check", folder=folder)
    site.rows.insert(0, Row("n13", "关于第13项工作的通知", "2026-01-13"))
    run("check", folder=folder)
    with contextlib.closing(sqlite3.connect(folder / "monitor.db")) as conn:
        conn.execute("UPDATE deliveries SET state = 'expired', channel = 'gone'")
        conn.commit()
    ran = run("retry", "1", folder=folder)
    assert (ran.code, ran.out) == (1, "nothing to put back\n")
    assert "delivery 1: its channel is not in the configuration" in ran.err
    assert "neither" not in ran.err
    ran = run("retry", folder=folder)
    assert (ran.code, ran.out) == (0, "nothing to put back\n")
    assert "1 left as they are: their channel is not in the configuration" in ran.err
    (row,) = json.loads(f"[{run('deliveries', '--json', folder=folder).out.strip()}]")
    assert row["state"] == "expired"


def test_pause_and_resume_say_what_they_did(run: Run, folder: Path, site: Site) -> None:
    run("check", folder=folder)
    assert run("pause", "a", folder=folder).out == "a: paused: it is not looked at until: monitor resume a\n"
    assert "was already paused" in run("pause", "a", folder=folder).out
    asked = len(site.asked)
    ran = run("check", folder=folder)
    assert len(site.asked) == asked
    assert "a: paused" in ran.err
    assert run("sources", "--json", folder=folder).json[0]["health"] == "paused"
    assert run("resume", "a", folder=folder).out == "a: resumed: the next monitor check, or monitor run, looks at it\n"
    assert run("resume", "a", folder=folder).out == "a: was not paused: nothing to do\n"


def test_accept_takes_a_short_list_as_it_is(run: Run, folder: Path, site: Site) -> None:
    run("check", folder=folder)
    del site.rows[2:]
    ran = run("check", folder=folder)
    assert ran.code == 1
    assert "monitor accept a" in ran.out
    assert run("accept", "a", folder=folder).code == 0
    assert run("check", folder=folder).code == 0


def test_forget_asks_and_deletes_only_after_yes(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    run("check", folder=folder)
    for answer, code in (("n\n", 1), ("", 2)):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        ran = run("forget", "a", folder=folder)
        assert ran.code == code
        assert "Delete 12 notices of a with all their versions?" in ran.err
        assert len(run("notices", folder=folder).lines) == 12
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert "12 notices deleted" in run("forget", "a", folder=folder).out
    assert run("notices", folder=folder).out == ""
    assert run("forget", "a", "--yes", folder=folder).code == 0
    assert "12 notices stored as the baseline" in run("check", folder=folder).out


def test_a_backup_is_a_sound_database_and_overwrites_nothing(run: Run, lived: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    assert run("backup", str(file), folder=lived).code == 0
    with contextlib.closing(sqlite3.connect(file)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert conn.execute("SELECT count(*) FROM notices").fetchone() == (14,)
    written = file.read_bytes()
    again = run("backup", str(file), folder=lived)
    assert again.code == 1
    assert "not overwritten" in again.err
    assert file.read_bytes() == written
    nowhere = run("backup", str(tmp_path / "none" / "copy.db"), folder=lived)
    assert nowhere.code == 1
    assert "there is no folder" in nowhere.err


def test_a_backup_put_in_its_place_is_the_database_again(run: Run, lived: Path, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site)
    run("check", folder=folder)
    file = tmp_path / "copy.db"
    run("backup", str(file), folder=folder)
    for gone in folder.glob("monitor.db*"):
        gone.unlink()
    file.rename(folder / "monitor.db")
    assert "a: unchanged, 12 notices" in run("check", folder=folder).out


def test_doctor_looks_at_machine_configuration_and_database(run: Run, lived: Path, folder: Path) -> None:
    ran = run("doctor", folder=folder)
    assert ran.code == 0
    assert "does not exist yet" in ran.out
    ran = run("doctor", folder=lived)
    for said in (
        "Python 3.",
        "SQLite",
        "2 sources, 1 channel",
        "attachments",
        "is sound",
        "failing: 1 source",
        "no daemon is running",
    ):
        assert said in ran.out
    _newer(folder / "monitor.db")
    ran = run("doctor", folder=folder)
    assert ran.code == 1
    assert "install the newer monitor" in ran.out


# --- eyes: pipes, terminals, control characters


def _env() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120", "TERM": "xterm-256color", "LANG": "C.UTF-8"}


def _command(folder: Path, *args: str) -> list[str]:
    return [sys.executable, "-m", "monitor", "-c", str(folder / "monitor.toml"), *args]


def at_terminal(folder: Path, *args: str, **environ: str) -> tuple[int, str]:
    """Run a command at a terminal; its exit code and all that the terminal got."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(_command(folder, *args), stdin=theirs, stdout=theirs, stderr=theirs, env=_env() | environ)
    os.close(theirs)
    got = b""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            got += part
        elif process.poll() is not None:
            break
    os.close(ours)
    return process.wait(10), got.decode()


def test_a_terminal_gets_a_table_with_colour_relative_times_and_the_next_step(lived: Path) -> None:
    code, seen = at_terminal(lived, "changes")
    assert code == 0
    assert re.search(r"ID\s.*KIND\s.*SOURCE", re.sub(r"\x1b\[[0-9;]*m", "", seen))
    assert re.search(r"\x1b\[\d+m", seen)
    assert re.search(r"\d+ (d|h|min|s) ago", seen)
    assert "monitor explain" in seen


def test_no_title_acts_on_the_terminal(run: Run, lived: Path) -> None:
    code, seen = at_terminal(lived, "notices", "--limit", "3")
    assert code == 0
    assert "危险" in seen
    tame = re.sub(r"\x1b\[[0-9;]*m", "", seen)  # what we colour ourselves is colour only
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", tame)
    notice = next(row for row in run("notices", "--json", folder=lived).json if row["key"].endswith("new1.html"))
    for command in (["show", str(notice["id"])], ["changes"], ["notices"], ["diff", str(notice["id"])]):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", run(*command, folder=lived).out)


def test_a_pipe_gets_plain_text_and_a_reader_that_leaves_hears_no_complaint(lived: Path) -> None:
    first = subprocess.Popen(_command(lived, "notices"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_env())
    assert first.stdout is not None
    assert first.stderr is not None
    line = first.stdout.readline().decode()
    first.stdout.close()
    assert first.stderr.read() == b""
    assert first.wait(30) == 0
    assert "\x1b" not in line
    assert line.count("\t") == 5


def test_an_output_that_cannot_show_chinese_gets_escapes_and_no_traceback(lived: Path) -> None:
    env = _env() | {"PYTHONIOENCODING": "latin-1"}
    ran = subprocess.run(_command(lived, "notices", "--limit", "1"), capture_output=True, env=env, timeout=30, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert b"\\u" in ran.stdout


def test_ctrl_c_during_a_check_exits_130(tmp_path: Path, site: Site) -> None:
    reached = threading.Event()
    answer = site.answer

    def slow(path: str) -> tuple[int, str, bytes]:
        reached.set()
        threading.Event().wait(1.0)  # the look is under way when the signal comes
        return answer(path)

    site.answer = slow  # type: ignore[method-assign]  # the site's own script, for this test
    folder = configured(tmp_path, site)
    process = subprocess.Popen(_command(folder, "check"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_env())
    assert reached.wait(20)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=40)
    assert process.returncode == 130
    assert b"stopping when the looks under way have ended" in err
    assert b"Traceback" not in err


# --- with a daemon


def test_with_a_daemon_the_commands_ask_it_and_print_the_same(run: Run, folder: Path, site: Site) -> None:
    from monitor.control import socket_path

    run("check", folder=folder)
    daemon = subprocess.Popen(_command(folder, "run"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_env())
    try:
        until = time.monotonic() + 20
        while not socket_path(folder / "monitor.db").exists() and time.monotonic() < until:
            select.select([], [], [], 0.05)
        second = run("run", folder=folder)
        assert second.code == 3
        assert f"pid {daemon.pid}" in second.err
        assert f"the daemon runs, pid {daemon.pid} since " in run("doctor", folder=folder).out
        site.rows.insert(0, Row("n13", "关于第13项工作的通知", "2026-01-13"))
        ran = run("check", folder=folder)
        assert ran.code == 0
        assert "a: 1 new; next look" in ran.out
        assert list(run("check", "--json", folder=folder).json[0]) == KEYS["check"].split()
        assert run("pause", "a", folder=folder).out == "a: paused: it is not looked at until: monitor resume a\n"
        assert run("resume", "a", folder=folder).out == "a: resumed: the daemon looks at it now\n"
        assert "a: unchanged, 13 notices" in run("accept", "a", folder=folder).out
        assert "nothing to put back" in run("retry", folder=folder).out
        assert "13 notices deleted" in run("forget", "a", "--yes", folder=folder).out
    finally:
        daemon.terminate()
        out, err = daemon.communicate(timeout=40)
    assert daemon.returncode == 0
    assert "关于第13项工作的通知" in out.decode()
    assert b"Traceback" not in err


# --- the demo and the overview


def test_the_demo_tells_each_thing_once_and_leaves_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    ran = run("demo", "--language", "en")
    assert ran.code == 0
    told = [line.partition("]")[0] for line in ran.lines if line.startswith("[")]
    assert told == ["[new", "[revised", "[failing", "[recovered"]
    assert ran.out.count("Number: 工信部联科〔2025〕279号\nIssued by: 工业和信息化部, 国家互联网信息办公室, ") == 1
    assert ran.out.count("Signed: 2025-12-25\n") == 1
    assert ran.out.count("stored, not told: the same document as notice") == 1
    assert [word for word in AROUND_AN_ARTICLE if word in ran.out] == []
    assert "【+2+】月15日前报送检查总结【+，逾期不予受理+】" in ran.out
    assert list(tmp_path.iterdir()) == []


AROUND_AN_ARTICLE = (
    "邮发代号",
    "征订热线",
    "倾力推荐",
    "微信扫一扫",
    "在看",
    "听过",
    "小说阅读器",
    "预览时",
    "第三方",
    "cover_image",
    "mmbiz",
)


def test_the_demo_sets_its_messages_apart_at_a_narrow_terminal(tmp_path: Path) -> None:
    code, seen = at_terminal(tmp_path, "demo", "--language", "zh", COLUMNS="60")
    lines = re.sub(r"\x1b\[[\d;]*m", "", seen).splitlines()
    framed = [line for line in lines if line.startswith(("│", "╭", "╰"))]
    assert code == 0
    assert sum(line.startswith("╭") for line in framed) == 4
    assert {cell_len(line) for line in framed} == {60}
    assert max(map(cell_len, lines)) == 60


def test_the_overview_names_every_command_and_each_has_help(run: Run) -> None:
    overview = run("--help")
    assert overview.code == 0
    for name, (_, said) in COMMANDS.items():
        assert re.search(rf"^\s+{name}\s+{re.escape(said[:40])}", overview.out, re.MULTILINE)
        assert run(name, "--help").code == 0
    assert re.fullmatch(r"monitor, version \d+\.\d+\.\d+\S*\n", run("--version").out)
