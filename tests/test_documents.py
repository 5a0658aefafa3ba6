"""Files in the sandbox: one document cannot hold up, bloat or kill what reads it; programs and OCR do their part."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import psutil
import pytest

from monitor import documents, programs, sandbox
from monitor.model import FileText, Scan
from monitor.readers.files import nouns, ocr
from tests import papers


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    sandbox.close()


def test_a_file_is_read_in_a_child_as_it_would_be_here() -> None:
    made = papers.docx(papers.paragraph("甲"))
    assert documents.read(made, "a.docx") == FileText("docx", "docx/1", "甲")


def hostile() -> bytes:
    """Small, of very many elements, and packed no tighter than documents are."""
    return papers.docx("".join(f"<w:p><w:r><w:t>{n * 2654435761 % 2**32:x}</w:t></w:r></w:p>" for n in range(250_000)))


def test_a_hostile_document_is_ended_and_says_so_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    made = hostile()
    assert len(made) < 3_000_000
    monkeypatch.setattr(documents, "SECONDS", 0.2)
    started = time.monotonic()
    assert documents.read(made, "a.docx").problem == "it could not be parsed within 0.2 s"
    assert time.monotonic() - started < 10
    monkeypatch.setattr(documents, "SECONDS", 60.0)
    monkeypatch.setattr(documents, "MEMORY", 16 << 20)
    assert documents.read(made, "a.docx").problem == "it takes more than 16 MiB to be read"
    assert documents.read(papers.docx(papers.paragraph("甲")), "a.docx").text == "甲"


def test_a_document_waits_for_its_turn_and_that_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = sandbox.Pool(1)
    pool.free.acquire()
    threading.Timer(1.0, pool.free.release).start()
    assert sandbox.run(len, b"abc", seconds=0.9, pool=pool, patient=True) == 3
    for child in pool.resting:
        child.end()


# --- programs


def test_a_program_sees_one_file_and_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "a-secret")
    said = programs.output("env", (), b"x", seconds=20, memory=64 << 20)
    assert said is not None
    assert b"a-secret" not in said
    assert programs.output("cat", ("{file}",), b"its bytes", seconds=20, memory=64 << 20) == b"its bytes"
    assert programs.output("sh", ("-c", "cat; ls"), b"x", suffix=".doc", seconds=20, memory=64 << 20) == b"file.doc\nprinted\n"


def test_a_program_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    mark = f"97{os.getpid()}"
    started = time.monotonic()
    assert programs.output("sh", ("-c", f"sleep {mark} & sleep {mark}"), b"", seconds=0.5, memory=64 << 20) is None
    assert time.monotonic() - started < 10
    left = [one for one in psutil.process_iter() if mark in " ".join(_command(one))]
    assert psutil.wait_procs(left, timeout=5)[1] == [], "killed, they are gone as soon as the machine has the time"


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize(
    "script", ["exit 3", "yes > printed", "yes | tr -d '\\n' | sort"], ids=["fails", "fills the disk", "fills the memory"]
)
def test_a_program_that_fails_or_wants_too_much_gives_nothing(script: str) -> None:
    assert programs.output("sh", ("-c", script), b"", seconds=20, memory=32 << 20) is None


def test_a_program_that_is_not_installed_gives_nothing() -> None:
    assert not programs.have("no-such-program")
    assert programs.output("no-such-program", (), b"", seconds=5, memory=1 << 20) is None


def test_an_old_document_is_read_by_a_program_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def output(name: str, *_: object, **__: object) -> bytes | None:
        asked.append(name)
        return "由程序读出\n".encode() if name == "catdoc" else None

    monkeypatch.setattr(programs, "output", output)
    found = documents.read(papers.doc("x", version=0x65), "a.doc")
    assert (found.text, found.reader, found.problem) == ("由程序读出", "catdoc/1", None)
    assert asked == ["soffice", "antiword", "catdoc"]


def test_an_old_document_says_what_would_read_it_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "output", lambda *_, **__: None)
    monkeypatch.setattr(programs, "have", lambda _: False)
    old, rich, slides = (
        documents.read(data, "a").problem
        for data in (papers.doc("x", version=0x65), b"{\\rtf1 x}", papers.compound({"PowerPoint Document": b"x" * 4096}))
    )
    assert old == "it was written by a Word of before 1997; install LibreOffice or antiword or catdoc to have it read"
    assert rich == "it is RTF, which is not read; install LibreOffice or catdoc to have it read"
    assert slides == "it is a presentation of before 2007, which is not read; install LibreOffice or catppt to have it read"
    monkeypatch.setattr(programs, "have", lambda name: name == "antiword")
    assert (
        documents.read(papers.doc("x", version=0x65), "a").problem
        == "it was written by a Word of before 1997; antiword made nothing of it"
    )


@pytest.mark.parametrize("program", ["catdoc", "soffice"])
def test_a_real_program_reads_rich_text(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not programs.have(program):
        pytest.skip(f"{program} is not installed here")
    real = programs.output
    monkeypatch.setattr(programs, "output", lambda name, *a, **k: real(name, *a, **k) if name == program else None)
    rich = b"{\\rtf1\\ansi\\ansicpg936 First paragraph, long enough to be one.\\par \\u31532 ?\\u20108 ?\\u27573 ?\\par}"
    found = documents.read(rich, "a.rtf")
    assert found.reader == f"{program}/1"
    assert "First paragraph" in found.text
    assert "第二段" in found.text.replace(" ", "")


# --- words in pictures


def test_pictures_say_that_they_are_not_read_and_what_would_read_them() -> None:
    made = papers.pdf([*papers.typeset(["正文在此。"]), [], [], papers.typeset(["完。"])[0], []], scans=[1, 2, 4])
    without = documents.read(made, "a.pdf")
    assert without.text == "正文在此。\n完。"
    assert without.problem == (
        "pages 2–3, 5 of 5 are pictures, whose words are not read: install notice-monitor[ocr], or tesseract with its chi_sim"
    )
    assert (
        documents.read(made, "a.pdf", engine=ocr.RAPIDOCR).problem
        == "pages 2–3, 5 of 5 are pictures, whose words are not read yet"
    )


def test_the_words_of_pictures_complete_a_text() -> None:
    made = papers.pdf([*papers.typeset(["正文在此。"]), []], scans=[1])
    words = nouns.dump(nouns.Page((nouns.Line("盖章页", 100, 200, 100, 120),), 595, 842))
    found = documents.read(made, "a.pdf", {2: words}, ocr.RAPIDOCR)
    assert (found.text, found.reader, found.problem) == ("正文在此。\n盖章页", "pdf/1+rapidocr/1", None)
    blank = documents.read(papers.png(400, 300), "a.png", {1: ""}, ocr.RAPIDOCR)
    assert (blank.text, blank.problem) == ("", "no words were recognised in it")


def test_a_table_of_words_becomes_lines() -> None:
    rows = [
        "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext",
        "4\t1\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t",
    ]
    for number, (line, left, said, sure) in enumerate(
        [(1, 10, "第一", 95), (1, 70, "行", 90), (1, 300, "右", 90), (2, 10, "Two", 90), (2, 80, "words", 90), (2, 150, "x", 3)]
    ):
        rows.append(f"5\t1\t1\t1\t{line}\t{number}\t{left}\t{line * 50}\t60\t30\t{sure}\t{said}")
    page = ocr.from_table("\n".join(rows), b"P5 400 200 255\n" + bytes(400 * 200))
    assert [line.text for line in page.lines] == ["第一行 右", "Two words"]
    assert page.lines[0].row


def drawn(said: str) -> bytes:
    """A picture of a line of Latin letters."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (900, 160), 255)
    ImageDraw.Draw(picture).text((30, 50), said, fill=0, font=ImageFont.load_default(44))
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rapidocr", "tesseract"])
def test_an_engine_recognises_words(name: str) -> None:
    engine = documents.engine(name)
    if engine is None:
        pytest.skip(f"{name} is not installed here")
    made = drawn("Notice No. 279 of 2025")
    scan = documents.read(made, "a.png", engine=engine).scans[0]
    found = documents.read(made, "a.png", {1: documents.recognise(made, "a.png", scan, engine)}, engine)
    assert found.text == "Notice No. 279 of 2025"
    assert found.reader == f"image/1+{engine}"


def test_no_engine_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_is_there", lambda name: name == "tesseract")
    assert documents.engine() == documents.engine("tesseract") == "tesseract/1"
    assert documents.engine("rapidocr") is documents.engine("off") is None


def test_a_picture_that_cannot_be_had_has_no_words() -> None:
    assert documents.recognise(b"%PDF-1.4", "a.pdf", Scan(1, 1), ocr.RAPIDOCR) == ""


def words_of(*words: tuple[int, float, str]) -> list[str]:
    """The lines that are made of words of tesseract's: the number of the line, how sure it is, the word."""
    rows = [
        f"5\t1\t1\t1\t{line}\t{at}\t{10 + 20 * at}\t{40 * line}\t18\t{6 if said in '一、' else 20}\t{sure}\t{said}"
        for at, (line, sure, said) in enumerate(words)
    ]
    page = ocr.from_table("\n".join(["head", *rows]), b"P5 400 200 255\n")
    return [line.text for line in page.lines]


def test_what_is_unsure_counts_among_what_is_sure_and_not_by_itself() -> None:
    assert words_of((1, 95, "不"), (1, 23, "可"), (1, 91, "伪"), (1, 88, "造"), (2, 23, "噪"), (2, 31, "声")) == [
        "不可伪造",
        "声",
    ]
    assert words_of((1, 5, "污"), (1, 91, "总"), (1, 95, "则")) == ["总则"]


def test_flat_signs_stand_at_their_neighbours_and_specks_are_no_line() -> None:
    assert words_of((1, 95, "一"), (1, 95, "、"), (1, 95, "总"), (1, 95, "则"), (2, 95, "|")) == ["一、总则"]


# --- real files


@pytest.mark.corpus
def test_every_real_document_gives_text_or_a_reason_in_bounded_time(corpus: Path) -> None:
    found = [path for path in sorted((corpus / "documents").rglob("*")) if path.is_file() and path.name != "index.json"]
    assert len(found) > 40
    readers = set()
    for path in found:
        started = time.monotonic()
        said = documents.read(path.read_bytes(), path.name)
        assert time.monotonic() - started < 30, path
        assert said.text or said.problem, path
        assert said.text == said.text.strip()
        assert "\n\n\n" not in said.text
        readers.add(said.reader)
    assert {"pdf/1", "ofd/1", "docx/1", "sheet/1", "image/1"} <= readers


EXPECTED = {
    "pdf_cn/CNNVD漏洞命名规范.pdf": "如该公司为中国公司则采用中文名称；如为外国公司，则采用英文命名；如为外国公司且无英文名字，",
    "pdf_cn/CNNVD漏洞编码规范.pdf": "统一为每一条漏洞分配一个唯一的编号，即CNNVD-ID。",
    "pdf_cn/CNNVD漏洞影响实体描述规范.pdf": "其表达往往因生产厂商和产品不同而不同，对此，一律按照生产厂家所规定的或产品自带的",
    "ofd/n.ofd": "张阿三，男，1978年2月出生，籍贯江西新建，2001年9月参加工作，本科学历，主治医师，系区中医院职工。",
    "ofd/不规范资源路径.ofd": "2021/02/03 太仓市婚姻登记处",
    "ofd/v4signed.ofd": "*餐饮服务*餐费 | | 次 | 4 | 25 | 100.00 | 6% | 6.00\n合 计 | | | | | ¥300.00 | | ¥18.00",
    "ofd/signout.ofd": "收文机关 | 秘书股 | 收文登记人 | 陈小明\n紧急程度 | 常规 | 公开方式 | 不公开 | 公文处理类型 | 签阅",
    "pdf_cn/xbrl-001.pdf": "销售网点代号： CAN001/08682256 填开单位： 中国南方航空股份有限公司 填开日期： 2021-07-28",
    "docx/policy_platform_requirements.docx": "可以使用名为“阿里编码规约”的插件。\n注意：所有类、方法创建需加上作者、",
    "xlsx/miit_eidc_hybrid_vehicles.xlsx": "2 | APSNZ71B048 | 351 | 20211229 | 一汽-大众汽车有限公司 | FV6462LCDCHEV",
}


@pytest.mark.corpus
@pytest.mark.parametrize("name", EXPECTED)
def test_a_paragraph_of_a_real_document_is_one_line(corpus: Path, name: str) -> None:
    said = documents.read((corpus / "documents" / name).read_bytes(), name)
    assert EXPECTED[name] in said.text


@pytest.mark.corpus
def test_a_real_pdf_whose_fonts_hide_its_letters_is_taken_for_pictures(corpus: Path) -> None:
    path = next((corpus / "documents" / "pdf_cn").glob("GMT*"))
    said = documents.read(path.read_bytes(), path.name)
    assert (said.text, len(said.scans)) == ("", 11)
    assert said.problem is not None
    assert said.problem.startswith("pages 1–11 of 11 are pictures, whose words are not read")
