"""What attachments say, from the site to the message: read once, searched by routes, compared by their words when they change."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from monitor import documents, programs
from monitor.check import texts
from monitor.decide import Bytes, judge_file
from monitor.store import files
from tests import papers
from tests.house import House, Row, Site
from tests.papers import paragraph

Build = Callable[..., House]

FOLLOW = "follow = true\n"
RULES = [
    "第一条 为规范数据出境活动，保护个人信息权益，维护国家安全和社会公共利益，促进数据跨境安全、自由流动，制定本办法。",
    "第二条 数据处理者向境外提供在中华人民共和国境内运营中收集和产生的重要数据，应当申报数据出境安全评估。",
    "第三条 数据处理者应当于2026年6月30日前完成自评估，并将自评估报告报送所在地省级网信部门。",
]
EDITED = [*RULES[:2], RULES[2].replace("6月30日", "4月30日")]


def rules(text: list[str] = RULES, columns: int = 28) -> bytes:
    return papers.pdf(papers.typeset(text, columns=columns, rows=4))


def with_file(build: Build, site: Site, name: str, data: bytes, **options: Any) -> House:
    """A house that has seen its baseline, then a new notice with a file."""
    house = build(options.pop("source", FOLLOW), **options)
    house.check()
    site.bodies[f"/f/{name}"] = data
    site.rows.insert(
        0, Row("x1", "关于印发数据出境安全评估办法的通知", "2026-01-13", "现印发给你们，请遵照执行。\n附件：办法", (name,))
    )
    house.check()
    return house


def look_again(house: House, name: str) -> None:
    """Take the next look at a file."""
    with house.loops.store.read() as conn:
        due = conn.execute("SELECT due_at FROM readings WHERE url LIKE ?", (f"%/f/{name}",)).fetchone()["due_at"]
    house.clock.at = max(house.clock.at, datetime.fromisoformat(due))
    house.check()


def stored(house: House, data: bytes) -> files.Known:
    with house.loops.store.read() as conn:
        known = files.text_of(conn, hashlib.sha256(data).hexdigest())
    assert known is not None
    return known


def command(house: House, *words: str) -> str:
    """What a command prints, in a pipe."""
    ran = subprocess.run(
        [sys.executable, "-m", "monitor", "--config", str(house.path), *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return ran.stdout


def notice_id(house: House) -> str:
    return str(house.notices()[-1]["id"])


# --- read once


def test_the_text_of_an_attachment_is_stored_beside_its_bytes(build: Build, site: Site) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    known = stored(house, rules())
    assert (known.kind, known.reader, known.text, known.problem) == ("pdf", "pdf/1", "\n".join(RULES), None)
    assert [kind for kind, _ in house.told()] == ["new"]
    assert house.notices()[-1]["versions"] == 2


def test_equal_bytes_are_read_once_whoever_links_to_them(build: Build, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = documents.read
    monkeypatch.setattr(documents, "read", lambda data, name, *rest: asked.append(name) or real(data, name, *rest))
    house = with_file(build, site, "a.pdf", rules())
    site.bodies["/f/b.pdf"] = rules()
    site.rows.insert(0, Row("x2", "转发通知", "2026-01-14", "见附件。", ("b.pdf",)))
    house.check()
    assert asked == ["a.pdf"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (papers.locked(rules(), "x"), "it is encrypted and asks for a password"),
        (b"Rar!\x1a\x07\0 and more", "it is a RAR archive, which is not opened"),
        (b"", None),
    ],
    ids=["encrypted", "rar", "empty"],
)
def test_show_prints_what_an_attachment_says_or_why_not(build: Build, site: Site, data: bytes, said: str | None) -> None:
    house = with_file(build, site, "rules.pdf", data)
    shown = command(house, "show", notice_id(house))
    assert f"[rules.pdf]\n({said})" in shown if said else "not had so far" in shown or "it is empty" in shown
    good = site.bodies["/f/b.pdf"] = rules()
    site.rows.insert(0, Row("x2", "另一通知", "2026-01-14", "见附件。", ("b.pdf",)))
    house.check()
    assert f"[b.pdf]\n{RULES[0]}\n{RULES[1]}\n{RULES[2]}\n" in command(house, "show", notice_id(house))
    found = json.loads(command(house, "show", notice_id(house), "--json"))
    [file] = found["attachments"]
    assert (file["kind"], file["text"], file["sha256"]) == ("file", "\n".join(RULES), hashlib.sha256(good).hexdigest())


# --- an error page is no file


def test_a_page_that_comes_instead_of_a_file_is_a_fault_and_no_revision(build: Build, site: Site) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    site.bodies["/f/rules.pdf"] = "<html><title>系统维护中</title><body>请稍后再试</body></html>".encode()
    look_again(house, "rules.pdf")
    site.bodies["/f/rules.pdf"] = rules()
    look_again(house, "rules.pdf")
    assert [kind for kind, _ in house.told()] == ["new"]
    assert stored(house, rules()).text


def test_a_page_that_comes_first_is_named_and_the_file_is_read_when_it_comes(build: Build, site: Site) -> None:
    house = with_file(build, site, "rules.pdf", "<html><title>系统维护中</title></html>".encode())
    assert "(not had so far: a page came instead of the file: “系统维护中”)" in command(house, "show", notice_id(house))
    site.bodies["/f/rules.pdf"] = rules()
    look_again(house, "rules.pdf")
    assert RULES[2] in command(house, "show", notice_id(house))
    assert [kind for kind, _ in house.told()] == ["new"]


# --- routes see its words

BY_WORD = '[[route]]\nmatch = "{word}"\nchannels = ["console"]\n'


@pytest.mark.parametrize("word", ["自评估报告", "annex:自评估报告", "附件:省级网信部门"])
def test_a_route_on_a_word_of_the_annex_is_served_once(build: Build, site: Site, word: str) -> None:
    house = with_file(build, site, "rules.pdf", rules(), extra=BY_WORD.replace("{word}", word))
    assert [(d["change"], d["state"]) for d in house.deliveries()] == [(house.changes()[0]["id"], "sent")]
    for _ in range(3):
        house.clock.on(hours=2)
        house.check()
    assert len(house.deliveries()) == 1


def test_a_route_on_a_word_of_no_annex_is_not_served(build: Build, site: Site) -> None:
    house = with_file(build, site, "rules.pdf", rules(), extra=BY_WORD.replace("{word}", "量子通信"))
    assert house.deliveries() == []


# --- changed


def test_one_word_of_an_annex_edited_is_told_with_its_difference(
    build: Build, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    capsys.readouterr()
    site.bodies["/f/rules.pdf"] = rules(EDITED, columns=24)
    look_again(house, "rules.pdf")
    last = house.changes()[-1]
    assert (last["kind"], last["reason"], last["silence"]) == ("revised", "attachment", None)
    said = capsys.readouterr().out
    assert "attachment replaced: rules.pdf" in said
    assert "附件内容：rules.pdf" in said
    assert "【-6-】月30日" in said
    assert "【+4+】月30日" in said
    assert "第一条 为规范" not in said, "what did not change is folded"


def test_monitor_diff_shows_the_difference_under_the_files_name(build: Build, site: Site) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    site.bodies["/f/rules.pdf"] = rules(EDITED)
    look_again(house, "rules.pdf")
    notice = notice_id(house)
    assert "[rules.pdf]\n… 2 段未变 …\n- 第三条 数据处理者应当于2026年【-6-】月30日" in command(house, "diff", notice)
    unified = command(house, "diff", notice, "--format", "unified")
    assert "--- version 2: rules.pdf\t\n+++ version 3: rules.pdf\t\n@@ -1,3 +1,3 @@\n" in unified
    assert "-第三条 数据处理者应当于2026年6月30日" in unified
    assert "<h3>rules.pdf</h3>" in command(house, "diff", notice, "--format", "html")
    assert json.loads(command(house, "diff", notice, "--json"))["diff"] == unified


def test_export_carries_the_texts_of_files_as_they_are_and_were(build: Build, site: Site) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    site.bodies["/f/rules.pdf"] = rules(EDITED)
    look_again(house, "rules.pdf")
    found = [json.loads(line) for line in command(house, "export", "-").splitlines()][-1]
    assert found["attachments"][0]["text"] == "\n".join(EDITED)
    was, now = (hashlib.sha256(data).hexdigest() for data in (rules(), rules(EDITED)))
    assert [[one["sha256"] for one in version["attachments"]] for version in found["versions"]] == [[], [was], [now]]
    assert found["former_texts"] == {was: {"text": "\n".join(RULES), "problem": None}}


def test_a_folder_of_files_holds_every_version_and_every_file_that_was_fetched(build: Build, site: Site, tmp_path: Path) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    site.bodies["/f/rules.pdf"] = rules(EDITED)
    look_again(house, "rules.pdf")
    command(house, "export", f"{tmp_path / 'out'}/")
    [place] = (tmp_path / "out").glob(f"{notice_id(house)} *")
    assert (place / "1 rules.pdf").read_bytes() == rules()
    assert (place / "2 rules.pdf").read_bytes() == rules(EDITED)
    found = json.loads((place / "notice.json").read_text("utf-8"))
    assert [[one.get("file") for one in version["attachments"]] for version in found["versions"]] == [
        [],
        ["1 rules.pdf"],
        ["2 rules.pdf"],
    ]
    assert [(place / f"version {version['seq']}.txt").read_text("utf-8") for version in found["versions"]] == [
        version["text"] for version in found["versions"]
    ]
    assert [one.name for one in place.glob("*.raw")] == ["version 2.raw"], "the others came of the list and of the file"
    assert (place / "version 2.raw").read_bytes() == site.answer(f"/{found['url'].split('/', 3)[3]}")[2]
    with (tmp_path / "out" / "index.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {line["folder"] for line in csv.DictReader(file)} == {
            one.name for one in (tmp_path / "out").iterdir() if one.is_dir()
        }


def test_a_file_that_was_only_saved_anew_is_told_without_a_difference(
    build: Build, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    capsys.readouterr()
    site.bodies["/f/rules.pdf"] = rules(columns=20)
    look_again(house, "rules.pdf")
    said = capsys.readouterr().out
    assert "attachment replaced: rules.pdf" in said
    assert "附件重新保存，文字没有变：rules.pdf" in said
    assert "第一条" not in said
    assert "say the same" in command(house, "diff", notice_id(house))


def test_a_word_file_under_the_same_address_is_compared_with_the_pdf(build: Build, site: Site) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    site.bodies["/f/rules.pdf"] = papers.docx("".join(map(paragraph, EDITED)))
    look_again(house, "rules.pdf")
    assert "【-6-】" in command(house, "diff", notice_id(house))


def test_a_file_that_moved_to_another_address_is_compared_under_its_name(build: Build, site: Site) -> None:
    house = with_file(build, site, "a1.pdf", rules())
    page = "/p/x1.html"
    named = site._page(site.page_of("x1")).replace(">a1.pdf<", ">附件1.pdf<")
    site.bodies[page] = named.encode()
    site.types[page] = "text/html; charset=utf-8"
    house.clock.on(hours=1)
    house.check()
    site.bodies["/f/a2.pdf"] = rules(EDITED)
    site.bodies[page] = named.replace("/f/a1.pdf", "/f/a2.pdf").replace("请遵照执行", "请认真执行").encode()
    house.clock.on(hours=6)
    house.check()
    assert "[附件1.pdf]" in command(house, "diff", notice_id(house))
    assert "【-6-】" in command(house, "diff", notice_id(house))


@pytest.mark.parametrize(
    "broken", [rules(EDITED)[:600], b"\0" * 2000, papers.locked(rules(), "x")], ids=["cut off", "empty", "encrypted"]
)
def test_a_file_that_lost_all_its_text_is_looked_at_again_before_it_counts(build: Build, site: Site, broken: bytes) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    site.bodies["/f/rules.pdf"] = broken
    look_again(house, "rules.pdf")
    assert [kind for kind, _ in house.told()] == ["new"]
    site.bodies["/f/rules.pdf"] = rules()
    look_again(house, "rules.pdf")
    assert [kind for kind, _ in house.told()] == ["new"], "it was a fault"
    site.bodies["/f/rules.pdf"] = broken
    look_again(house, "rules.pdf")
    look_again(house, "rules.pdf")
    assert [kind for kind, _ in house.told()] == ["new", "revised"], "it stands"


def test_servers_that_answer_in_turn_with_two_files_are_told_once(build: Build, site: Site) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    for data in (rules(EDITED), rules(), rules(EDITED), rules(EDITED)):
        site.bodies["/f/rules.pdf"] = data
        look_again(house, "rules.pdf")
    assert [kind for kind, _ in house.told()] == ["new", "revised"]


def test_a_row_that_is_retitled_does_not_lose_its_files(build: Build, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    capsys.readouterr()
    site.page_of("x1").title += "（修订）"
    house.check()
    assert house.changes()[-1]["kind"] == "revised"
    assert "删去附件" not in capsys.readouterr().out
    assert [one["name"] for one in house.notices()[-1]["attachments"]] == ["rules.pdf"]


# --- read differently


def test_a_stored_file_that_would_be_read_otherwise_now_is_read_again_and_not_told(
    build: Build, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = with_file(build, site, "rules.pdf", rules(), extra=BY_WORD.replace("{word}", "自评估报告"))
    sent = len(house.deliveries())
    with house.loops.store.write() as conn:
        conn.execute("UPDATE texts SET reader = 'pdf/0', text = 'anders'")
        conn.execute("DELETE FROM deliveries")
    house.reopen()
    house.check()
    assert stored(house, rules()).reader == "pdf/1"
    assert stored(house, rules()).text == "\n".join(RULES)
    assert [kind for kind, _ in house.told()] == ["new"]
    assert sent == 1
    assert house.deliveries() == [], "an old notice is not told because its file is read better"


def test_files_of_an_older_database_are_read_after_an_upgrade(build: Build, site: Site) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    with house.loops.store.write() as conn:
        conn.execute("DELETE FROM texts")
    house.reopen()
    house.check()
    assert stored(house, rules()).text == "\n".join(RULES)


def test_a_file_is_compared_with_the_one_before_by_the_same_reader(build: Build, site: Site) -> None:
    house = with_file(build, site, "rules.pdf", rules())
    with house.loops.store.write() as conn:
        conn.execute("UPDATE texts SET reader = 'pdf/0', text = '读法不同'")
    site.bodies["/f/rules.pdf"] = rules(EDITED)
    look_again(house, "rules.pdf")
    shown = command(house, "diff", notice_id(house))
    assert "读法不同" not in shown
    assert "【-6-】" in shown


@pytest.mark.parametrize(
    ("kind", "reader", "scans", "engine", "stale"),
    [
        ("pdf", "pdf/1", 0, "rapidocr/1", False), ("pdf", "pdf/0", 0, None, True), ("pdf", "pdf/1", 3, "rapidocr/1", True),
        ("pdf", "pdf/1", 3, None, False), ("pdf", "pdf/1+rapidocr/1", 3, "rapidocr/1", False),
        ("pdf", "pdf/1+tesseract/1", 3, "rapidocr/1", False),
        ("pdf", "none/0:pdf", 0, None, True), ("rar", "none/1:rar", 0, None, False), ("doc", "antiword/1", 0, None, False),
        ("rtf", "none/1:rtf", 0, None, True), ("rtf", "none/2:rtf", 0, None, False), ("", "none/1", 0, None, False),
    ],
)  # fmt: skip
def test_a_text_is_stale_where_it_would_be_read_otherwise(
    kind: str, reader: str, scans: int, engine: str | None, stale: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "have", lambda name: name == "soffice")
    assert documents.is_stale(kind, reader, scans, engine) is stale


# --- what a look at a file means

WAS = Bytes("a" * 64, "pdf", "正文")
PICTURE = Bytes("b", "image", "字", pictures=True)
JUDGED = {
    "nothing lay there": (Bytes("b", "pdf", "正文"), None, {}, "first"),
    "the same bytes": (WAS, WAS, {}, "same"),
    "other bytes": (Bytes("b", "pdf", "正文"), WAS, {}, "replaced"),
    "a page": (Bytes("b", "page"), WAS, {}, "fault"),
    "a page at first": (Bytes("b", "page"), None, {}, "fault"),
    "without text": (Bytes("b", "pdf", problem="it is empty"), WAS, {}, "doubt"),
    "without text again": (Bytes("b", "pdf", problem="it is empty"), WAS, {"doubted": "b"}, "replaced"),
    "without text as before": (Bytes("b", "rar"), Bytes("a", "rar"), {}, "replaced"),
    "a scan": (Bytes("b", "pdf", pictures=True), WAS, {}, "replaced"),
    "a former state": (Bytes("b", "pdf", "正文"), WAS, {"former": {"b"}}, "doubt"),
    "a former state again": (Bytes("b", "pdf", "正文"), WAS, {"former": {"b"}, "doubted": "b"}, "replaced"),
    "a picture of the same words": (PICTURE, replace(PICTURE, sha256="a"), {"picture": True}, "alike"),
    "a picture of other words": (PICTURE, replace(PICTURE, sha256="a", text="词"), {"picture": True}, "replaced"),
    "a picture of unknown words": (
        replace(PICTURE, text=""),
        replace(PICTURE, sha256="a", text=""),
        {"picture": True},
        "replaced",
    ),
}


@pytest.mark.parametrize("name", JUDGED)
def test_what_a_look_at_a_file_means(name: str) -> None:
    now, before, given, act = JUDGED[name]
    said = judge_file(now, before, **({"picture": False, "former": set(), "doubted": None} | given))
    assert said.act == act


def test_a_reading_of_stored_files_stops_after_its_slice_and_goes_on(
    build: Build, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = papers_words()
    monkeypatch.setattr(documents, "engine", lambda wanted="auto": "rapidocr/1")
    monkeypatch.setattr(documents, "recognise", lambda data, name, scan, engine: words[scan.number])
    monkeypatch.setattr(texts, "SLICE", -1.0)
    scanned = papers.pdf([[], [], []], scans=[0, 1, 2])
    house = with_file(build, site, "scan.pdf", scanned, extra=BY_WORD.replace("{word}", "第三页"))
    for _ in range(4):
        house.check()
    assert stored(house, scanned).text == "第一页的字。\n第二页的字。\n第三页的字。"
    assert stored(house, scanned).reader == "pdf/1+rapidocr/1"
    assert len(house.deliveries()) == 1, "the route on a word of a scanned page is served"
    with house.loops.store.read() as conn:
        assert conn.execute("SELECT count(*) FROM readings WHERE purpose = 'text'").fetchone()[0] == 0


def papers_words() -> dict[int, str]:
    from monitor.readers.files.nouns import Line, Page, dump

    return {n: dump(Page((Line(f"第{said}页的字。", 100, 400, 100, 120),), 595, 842)) for n, said in enumerate("一二三", 1)}
