"""The notice that this program was asked for, whole: the ministry's page with its annex as a PDF, the reprint whose annex is 24
pictures of scanned pages, in both orders, on one channel and on two, read again for a month. All is on loopback."""

from __future__ import annotations

import difflib
import json
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from monitor import documents
from monitor.model import Scan
from monitor.readers.files.nouns import Line, Page, dump
from monitor.text import fold
from tests import papers
from tests.test_seed import (
    BODIES,
    DOONSEC,
    MIIT,
    NOISE,
    NUMBER,
    REPRINT,
    SENTENCE,
    SIGNED,
    TITLE,
    Build,
    Home,
    World,
    home,
    world,
)

__all__ = ["home", "world"]  # fixtures

BOTH = MIIT + DOONSEC
#: What the annex says, a clause a page; the first is its title.
CLAUSES = [
    "“人工智能+制造”专项行动实施意见",
    "一、总体要求。到2027年，我国人工智能关键核心技术实现安全可靠供给，产业规模和赋能水平稳居世界前列。",
    "推动3至5个通用大模型在制造业深度应用，打造100个工业领域高质量数据集，推广500个典型应用场景。",
    "二、主要任务。（一）强化人工智能算力供给，突破高端训练芯片、端侧推理芯片、智算云操作系统等关键技术。",
    *(f"（{number}）第{number}项任务由有关单位按照职责分工负责，每年报送一次进展情况。" for number in range(2, 21)),
    "三、保障措施。加强统筹协调，完善标准体系，强化安全治理，做好宣传推广。",
]
#: A word of the fourth page, and of no page's text.
WORD = "智算云操作系统"
BY_CHANNEL = f"""
[[route]]
match = "issuer:工信部"
channels = ["mail"]
continue = true
[[route]]
match = "{WORD}"
channels = ["wecom"]
"""
MAIL_ONLY = '[[route]]\nchannels = ["mail"]\n'


def scan(number: int, edition: int = 1) -> bytes:
    """A picture of a scanned page; every page and every edition of it is another."""
    return papers.png(400, 300, [(10 * number, 10 * number + 5 + edition)])


class Engine:
    """Recognises the scans of these tests; what the others say of real engines holds for it."""

    def __init__(self) -> None:
        self.says = {scan(number): said for number, said in enumerate(CLAUSES, 1)}
        self.asked: list[bytes] = []

    def __call__(self, data: bytes, name: str, where: Scan, engine: str) -> str:
        self.asked.append(data)
        said = self.says[data]
        return dump(Page((Line(said, 10, 10 + 8 * len(said), 20, 32),), 400, 300))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr(documents, "engine", lambda wanted="auto": "rapidocr/1")
    monkeypatch.setattr(documents, "recognise", made)
    return made


def whole(home: Build, world: World, routes: str = "", pictures: Callable[[int], bytes] = scan) -> Home:
    """A house with both sources, before the notice; behind each link to a picture lies a scanned page."""
    world.annex = papers.pdf(papers.typeset(CLAUSES[1:], title=CLAUSES[0]))
    world.scans = [pictures(number) for number in range(1, 25)]
    return home(BOTH, routes)


def settle(made: Home, seconds: float = 12) -> None:
    """Look until nothing is to be read for the first time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        made.house.check()
        made.house.clock.on(seconds=2)
        with made.house.loops.store.read() as conn:
            if not conn.execute(
                "SELECT 1 FROM readings WHERE why = 'first' AND read_at IS NULL AND due_at IS NOT NULL"
            ).fetchone():
                break
    made.house.check()


def appears(made: Home, first: str) -> None:
    """It is published in one place, three hours later in the other."""
    for place in (first, MIIT if first is DOONSEC else DOONSEC):
        made.world.listed |= place is MIIT
        made.world.reprinted |= place is DOONSEC
        settle(made)
        made.house.clock.on(hours=3)


def a_month(made: Home) -> None:
    """All planned looks of a month; the article's addresses are others each time."""
    for hours in (3, 20, 24, 48, 96, 600):
        made.world.reload()
        made.look_again(hours)
        settle(made)


ORDERS = [pytest.param(MIIT, TITLE, id="the ministry first"), pytest.param(DOONSEC, REPRINT, id="the reprint first")]


@pytest.mark.parametrize("routes", [MAIL_ONLY, BY_CHANNEL], ids=["one channel", "two channels by different words"])
@pytest.mark.parametrize(("first", "title"), ORDERS)
def test_it_is_one_message_a_channel_and_stays_one_for_a_month(
    first: str, title: str, routes: str, home: Build, world: World, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    made = whole(home, world, routes)
    appears(made, first)
    a_month(made)
    said = [made.mail.part("plain"), *made.robot.accepted.texts]
    assert len(said) == (1 if routes is MAIL_ONLY else 2)
    for message in said:
        for wanted in (title, NUMBER, SIGNED, SENTENCE, *BODIES):
            assert fold(wanted) in fold(message.replace("\\", "")), wanted
        assert [word for word in NOISE if word in message] == []
    # no message waits for the file; the words of the pictures are in it: they are all that the reprint says
    assert [WORD in message for message in said] == [first is DOONSEC for _ in said]
    assert made.house.told() == [("new", title)]
    assert len(engine.asked) == 24, "each picture is read once, whatever its address"

    original, reprint = (next(row for row in made.house.notices() if row["title"] == name) for name in (TITLE, REPRINT))
    assert (original["same_as"], reprint["same_as"]) == ([reprint["id"]], [original["id"]])
    found = [json.loads(line)["id"] for line in made.cli(capsys, "search", WORD, "--json").splitlines()]
    assert sorted(found) == sorted([original["id"], reprint["id"]])
    for row, what in ((original, "file"), (reprint, "picture")):
        (files,) = [json.loads(made.cli(capsys, "show", str(row["id"]), "--json"))["attachments"]]
        texts = [file["text"] for file in files if file["kind"] == what]
        assert fold("".join(CLAUSES)) in fold("".join(texts)), "in order, and all of it"

    told, silent = [change for change in made.house.changes() if change["kind"] == "new"]
    explained = made.cli(capsys, "explain", str(told["id"]))
    assert "sent" in explained
    assert (WORD in explained) is (routes is BY_CHANNEL)
    explained = made.cli(capsys, "explain", str(silent["id"]))
    assert f"same as {told['id']}" in explained or f"same as {told['notice']}" in explained


def test_without_ocr_the_word_is_found_where_the_annex_is_a_file(
    home: Build, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(documents, "engine", lambda wanted="auto": None)
    made = whole(home, world, BY_CHANNEL)
    appears(made, DOONSEC)
    assert (len(made.mailbox.accepted), len(made.robot.accepted)) == (1, 1)
    (row,) = [row for row in made.house.notices() if row["title"] == REPRINT]
    shown = made.cli(capsys, "show", str(row["id"]))
    assert "24 of 24: it is a picture, whose words are not read: install notice-monitor[ocr]" in shown


# --- an edit that no page's text shows


@pytest.mark.parametrize("first", [MIIT, DOONSEC], ids=["the ministry's annex", "one scanned page"])
def test_a_change_in_the_annex_alone_is_told_once_with_its_characters(
    first: str, home: Build, world: World, engine: Engine
) -> None:
    made = whole(home, world, MAIL_ONLY)
    made.world.listed, made.world.reprinted = first is MIIT, first is DOONSEC
    settle(made)
    if first is MIIT:
        edited = [clause.replace("每年报送一次", "每季度报送一次") if "第7项" in clause else clause for clause in CLAUSES]
        world.annex = papers.pdf(papers.typeset(edited[1:], title=edited[0]))
    else:
        world.scans[9] = scan(10, 2)
        engine.says[scan(10, 2)] = CLAUSES[9].replace("每年报送一次", "每季度报送一次")
    a_month(made)
    new, revised = made.house.told()
    assert (new[0], revised[0]) == ("new", "revised")
    message = made.mailbox.accepted[1].part("plain")
    assert "第7项任务由有关单位按照职责分工负责" in message
    assert "季度" in message
    assert "第6项" not in message, "what stayed is not repeated"
    assert len(engine.asked) == (25 if first is DOONSEC else 0)


# --- with real scans and a real engine


FONTS = ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")


def rendered(said: str, font: str) -> bytes:
    """A page as a scanner leaves it: grey, a little turned."""
    from PIL import Image, ImageDraw, ImageFont

    letters = ImageFont.truetype(font, 26)
    page = Image.new("L", (900, 360), 250)
    for at in range(0, len(said), 30):
        ImageDraw.Draw(page).text((50, 40 + 46 * (at // 30)), said[at : at + 30], 20, letters)
    out = BytesIO()
    page.rotate(0.4, Image.Resampling.BICUBIC, fillcolor=250).save(out, "JPEG", quality=85)
    return out.getvalue()


def test_real_scans_are_recognised_by_a_real_engine(home: Build, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Three different pages behind the 24 links: a picture that is there again is not read again."""
    font = next((name for name in FONTS if Path(name).is_file()), None)
    if documents.engine() is None or font is None:
        pytest.skip("no words are recognised: OCR or a Chinese font is not installed here")
    pages = [rendered(said, font) for said in CLAUSES[1:4]]
    made = whole(home, world, BY_CHANNEL, lambda number: pages[(number - 1) % 3])
    made.world.reprinted = True
    settle(made, 120)
    assert (len(made.mailbox.accepted), len(made.robot.accepted)) == (1, 1)
    assert "24 张图片里的文字" in made.mail.part("plain")
    (row,) = [row for row in made.house.notices() if row["title"] == REPRINT]
    shown = json.loads(made.cli(capsys, "show", str(row["id"]), "--json"))["attachments"]
    assert len(shown) == 24
    for file, said in zip(shown, CLAUSES[1:4] * 8, strict=True):
        assert difflib.SequenceMatcher(None, fold(file["text"]), fold(said), autojunk=False).ratio() > 0.95
    (found,) = made.cli(capsys, "search", WORD, "--json").splitlines()
    assert json.loads(found)["id"] == row["id"]
