"""An article whose annex is pictures of scanned pages: fetched sparingly, read one by one, searched, compared by their words."""

from __future__ import annotations

import hashlib
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor import documents
from monitor.decide import next_look, pictures
from monitor.model import Document, Purpose, Scan, Source
from monitor.readers.files.nouns import Line, Page, dump
from tests import papers
from tests.house import House, Site
from tests.test_attached import BY_WORD, FOLLOW, Build, command, notice_id
from tests.test_documents import drawn

WORDS = [
    "“人工智能+制造”专项行动实施意见\n为贯彻落实党中央、国务院决策部署，加快推动人工智能与制造业深度融合，制",
    "定本意见。\n一、总体要求\n到2027年，推动3至5个通用大模型在制造业深度应用。",
    "二、主要任务\n（一）强化人工智能算力供给。",
]


def picture(number: int, saved: int = 0) -> bytes:
    """A scanned page; `saved` anew it has other bytes and shows the same."""
    return papers.png(400 + saved, 300, [(20 * number, 20 * number + 10)])


class Engine:
    """Recognises the test's own pictures by where they are dark: what it says of each can be changed."""

    def __init__(self, words: list[str]) -> None:
        self.words, self.asked = list(words), 0

    def __call__(self, data: bytes, name: str, scan: Scan, engine: str) -> str:
        self.asked += 1
        number = next((n for n in range(1, 12) if data in {picture(n, saved) for saved in range(3)}), 0)
        lines = self.words[number - 1].split("\n") if 0 < number <= len(self.words) else []
        return dump(
            Page(tuple(Line(said, 10, 10 + 8 * len(said), 20 * n, 20 * n + 12) for n, said in enumerate(lines, 1)), 400, 300)
        )


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine(WORDS)
    monkeypatch.setattr(documents, "engine", lambda wanted="auto": "rapidocr/1")
    monkeypatch.setattr(documents, "recognise", made)
    return made


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "engine", lambda wanted="auto": None)


def article(site: Site, text: str = "现印发给你们，请认真抓好落实。", count: int = 3, name: str = "x1") -> None:
    """A new row whose page is a short text above pictures."""
    from tests.house import Row

    shown = "".join(f"<p><img src='/i/{name}-{n}.png'></p>" for n in range(1, count + 1))
    head = "<html><head><title>关于印发实施意见的通知</title></head><body><h1>关于印发实施意见的通知</h1>"
    page = f"{head}<div id='zoom'><p>{text}</p>{shown}</div></body></html>"
    site.bodies[f"/p/{name}.html"] = page.encode()
    site.types[f"/p/{name}.html"] = "text/html; charset=utf-8"
    for n in range(1, count + 1):
        site.bodies[f"/i/{name}-{n}.png"] = picture(n)
    if not any(row.name == name for row in site.rows):
        site.rows.insert(0, Row(name, "关于印发实施意见的通知", "2026-01-13"))


def with_article(build: Build, site: Site, source: str = FOLLOW, **options: Any) -> House:
    house = build(source, **options)
    house.check()
    article(site)
    for _ in range(3):
        house.check()
    return house


def asked(site: Site) -> list[str]:
    return [path for path, _ in site.asked if path.startswith("/i/")]


def texts(house: House) -> dict[str, tuple[str | None, str | None]]:
    with house.loops.store.read() as conn:
        rows = conn.execute(
            "SELECT a.name, t.text, t.problem FROM attachments a LEFT JOIN texts t USING (sha256) WHERE a.kind = 'picture'"
            " ORDER BY a.place"
        )
        return {row["name"]: (row["text"], row["problem"]) for row in rows}


def look_again(house: House, path: str) -> None:
    with house.loops.store.read() as conn:
        due = conn.execute("SELECT due_at FROM readings WHERE url LIKE ?", (f"%{path}",)).fetchone()["due_at"]
    house.clock.at = max(house.clock.at, datetime.fromisoformat(due))
    for _ in range(3):
        house.check()


# --- which are wanted

FEW, SOME, MUCH = "字" * 90, "字" * 400, "字" * 900


@pytest.mark.parametrize(
    ("text", "count", "ocr", "wanted"),
    [
        (FEW, 1, False, 1), (FEW, 1, True, 1), (SOME, 1, False, 0), (SOME, 1, True, 1), (SOME, 8, False, 8), (MUCH, 1, True, 0),
        (MUCH, 24, False, 24), (FEW, 0, True, 0), (MUCH, 100, True, 60),
    ],
)  # fmt: skip
def test_pictures_are_wanted_where_there_is_hardly_any_text_beside_them(text: str, count: int, ocr: bool, wanted: int) -> None:
    page = Document("t", text, "html/1", images=tuple(f"https://x.cn/{n}.png" for n in range(count)))
    source = Source("a", "list", "https://x.cn/", follow=True)
    found = pictures(source, page, baseline=False, ocr=ocr)
    assert [one.name for one in found] == [str(n) for n in range(1, wanted + 1)]
    assert all(one.kind == "picture" for one in found)
    assert pictures(source, page, baseline=True, ocr=ocr) == ()


def test_a_source_may_want_all_pictures_or_none() -> None:
    page = Document("t", MUCH, "html/1", images=("https://x.cn/1.png",))
    short = Document("t", FEW, "html/1", images=("https://x.cn/1.png",))
    always, never = (Source("a", "list", "https://x.cn/", pictures=how) for how in ("all", "none"))
    assert len(pictures(always, page, baseline=True, ocr=False)) == 1
    assert pictures(never, short, baseline=False, ocr=True) == ()


def test_a_picture_is_fetched_again_after_a_day_and_after_a_week_and_never_where_pages_are_not() -> None:
    start = datetime(2026, 1, 1).astimezone()
    source = Source("a", "list", "https://x.cn/", recheck=(timedelta(hours=1), timedelta(days=30)))
    ages, now = [], start
    while (due := next_look(source, start, now, Purpose.PICTURE)) is not None:
        now = due
        ages.append(now - start)
    assert ages == [timedelta(days=1), timedelta(days=7)]
    assert next_look(Source("a", "list", "https://x.cn/"), start, start, Purpose.PICTURE) is None


# --- fetched


def test_pictures_of_a_short_article_are_fetched_after_its_message(build: Build, site: Site, no_engine: None) -> None:
    house = with_article(build, site)
    assert asked(site) == ["/i/x1-1.png", "/i/x1-2.png", "/i/x1-3.png"]
    assert [d["state"] for d in house.deliveries()] == ["sent"]
    assert house.notices()[-1]["attachments"] == [], "a list names files; pictures are shown with the notice"
    shown = command(house, "show", notice_id(house))
    assert "pictures    3, 0 of them with words" in shown
    assert "(3 of 3: it is a picture, whose words are not read: install notice-monitor[ocr]" in shown


def test_pictures_beside_a_text_and_those_of_a_baseline_are_left_where_they_are(
    build: Build, site: Site, no_engine: None
) -> None:
    article(site)
    house = build(FOLLOW)
    house.check()
    article(site, "正文" * 200, name="x2")
    house.check()
    assert asked(site) == []


def test_a_picture_is_asked_for_again_only_after_a_day_and_a_week(build: Build, site: Site, no_engine: None) -> None:
    house = with_article(build, site)
    started = house.clock()
    looks: list[int] = []
    for _ in range(40):
        before = len(asked(site))
        house.clock.on(hours=6)
        house.check()
        if len(asked(site)) > before:
            looks.append(round((house.clock() - started) / timedelta(hours=1)))
    assert looks == [24, 168]
    assert asked(site).count("/i/x1-1.png") == 3


def test_a_picture_with_other_bytes_is_told_where_its_words_are_not_known(
    build: Build, site: Site, no_engine: None, capsys: pytest.CaptureFixture[str]
) -> None:
    house = with_article(build, site)
    capsys.readouterr()
    site.bodies["/i/x1-2.png"] = picture(7)
    look_again(house, "/i/x1-2.png")
    last = house.changes()[-1]
    assert (last["kind"], last["reason"]) == ("revised", "picture")
    said = capsys.readouterr().out
    assert "变动：图片" in said
    assert "picture 2 replaced" in said
    assert hashlib.sha256(picture(7)).hexdigest() in said


# --- read


def test_the_words_of_pictures_are_read_in_order_each_picture_once(build: Build, site: Site, engine: Engine) -> None:
    house = with_article(build, site)
    assert [text for text, _ in texts(house).values()] == WORDS
    assert engine.asked == 3
    article(site, name="x2")  # the same pictures in another notice
    for _ in range(3):
        house.check()
    assert engine.asked == 3
    shown = command(house, "show", notice_id(house))
    assert "pictures    3, 3 of them with words" in shown
    assert "人工智能与制造业深度融合，制定本意见。\n一、总体要求" in shown, "a paragraph goes on over pictures"


def order_of(house: House, engine: Engine) -> list[int]:
    """At each picture that is recognised from now on: how many deliveries were owed by then."""
    order: list[int] = []
    real = engine.__call__

    def recognise(*given: Any) -> str:
        order.append(len(house.deliveries()))
        return real(*given)

    documents.recognise = recognise  # type: ignore[assignment]  # the fixture puts the real one back
    return order


def test_a_message_waits_for_the_words_of_pictures_where_there_is_hardly_any_other_text(
    build: Build, site: Site, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    house = build(FOLLOW)
    house.check()
    order = order_of(house, engine)
    capsys.readouterr()
    article(site)
    for _ in range(3):
        house.check()
    assert order == [0, 0, 0]
    said = capsys.readouterr().out
    assert "3 张图片里的文字：\n“人工智能+制造”专项行动实施意见\n" in said
    assert [kind for kind, _ in house.told()] == ["new"]
    assert len(house.deliveries()) == 1


def test_a_message_that_says_enough_waits_for_no_picture(build: Build, site: Site, engine: Engine) -> None:
    house = build(FOLLOW)
    house.check()
    order = order_of(house, engine)
    article(site, "现印发给你们，请认真抓好落实。" * 30)
    for _ in range(3):
        house.check()
    assert order == [1, 1, 1]


def test_a_message_waits_for_pictures_no_longer_than_hold(
    build: Build, site: Site, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    house = build(FOLLOW)
    house.check()
    capsys.readouterr()
    article(site)

    def slow(*given: Any) -> str:
        if engine.asked == 2:  # the third picture takes until the message went
            house.clock.on(minutes=3)
            end = time.monotonic() + 20
            while [one["state"] for one in house.deliveries()] != ["sent"] and time.monotonic() < end:
                threading.Event().wait(0.02)
        return engine(*given)

    documents.recognise = slow  # type: ignore[assignment]  # the fixture puts the real one back
    for _ in range(3):
        house.check()
    said = capsys.readouterr().out
    assert "专项行动实施意见" in said
    assert "算力供给" not in said
    assert [text for text, _ in texts(house).values()] == WORDS
    assert [kind for kind, _ in house.told()] == ["new"]
    assert len(house.deliveries()) == 1


def test_pictures_that_cannot_be_had_hold_no_message(build: Build, site: Site, engine: Engine) -> None:
    house = build(FOLLOW)
    house.check()
    article(site)
    for n in range(1, 4):
        site.status[f"/i/x1-{n}.png"] = 404 if n == 2 else 500
    house.check()
    assert engine.asked == 0
    assert [d["state"] for d in house.deliveries()] == ["sent"]


def test_a_route_on_a_word_of_a_picture_is_served_once(build: Build, site: Site, engine: Engine) -> None:
    house = with_article(build, site, extra=BY_WORD.replace("{word}", "算力供给"))
    assert [d["state"] for d in house.deliveries()] == ["sent"]
    house.check()
    assert len(house.deliveries()) == 1


def test_a_message_that_goes_later_carries_the_first_lines_of_the_pictures(
    build: Build, site: Site, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.words[2] = "\n".join(f"（{n}）第{n}项任务。" for n in range(1, 15))
    house = with_article(build, site, extra=BY_WORD.replace("{word}", "第14项"))
    assert len(house.deliveries()) == 1
    said = capsys.readouterr().out
    assert "现印发给你们，请认真抓好落实。\n\n3 张图片里的文字：\n“人工智能+制造”专项行动实施意见\n" in said
    assert "（6）第6项任务。\n（另有 8 行）" in said


def test_a_picture_that_was_only_saved_anew_is_not_told(build: Build, site: Site, engine: Engine) -> None:
    house = with_article(build, site)
    site.bodies["/i/x1-2.png"] = picture(2, saved=1)
    look_again(house, "/i/x1-2.png")
    assert [kind for kind, _ in house.told()] == ["new"]
    assert engine.asked == 4
    assert "say the same" in command(house, "diff", notice_id(house))


def test_an_edited_word_of_a_picture_is_told_with_its_difference(
    build: Build, site: Site, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    house = with_article(build, site)
    capsys.readouterr()
    engine.words.append(WORDS[1].replace("2027年", "2028年"))
    site.bodies["/i/x1-2.png"] = picture(4)
    look_again(house, "/i/x1-2.png")
    assert [kind for kind, _ in house.told()] == ["new", "revised"]
    said = capsys.readouterr().out
    assert "图片里的文字\n" in said
    assert "到【-2027-】年" in said
    assert "[pictures]" in command(house, "diff", notice_id(house))


def test_a_page_that_is_edited_keeps_its_pictures_and_fetches_none_again(build: Build, site: Site, engine: Engine) -> None:
    house = with_article(build, site)
    before = len(asked(site))
    article(site, "现印发给你们，请各地认真抓好落实。")
    look_again(house, "/p/x1.html")
    assert [kind for kind, _ in house.told()] == ["new", "revised"]
    assert len(asked(site)) == before
    assert [text for text, _ in texts(house).values()] == WORDS


def test_pictures_that_were_not_read_are_read_when_ocr_is_installed(
    build: Build, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "engine", lambda wanted="auto": None)
    house = with_article(build, site, extra=BY_WORD.replace("{word}", "算力供给"))
    assert [text for text, _ in texts(house).values()] == ["", "", ""]
    monkeypatch.setattr(documents, "engine", lambda wanted="auto": "rapidocr/1")
    monkeypatch.setattr(documents, "recognise", Engine(WORDS))
    house.reopen()
    for _ in range(4):
        house.check()
    assert [text for text, _ in texts(house).values()] == WORDS
    assert house.deliveries() == [], "an old notice is not told for that"


@pytest.mark.slow
def test_a_real_engine_reads_the_pictures_of_an_article(build: Build, site: Site) -> None:
    if documents.engine() is None:
        pytest.skip("neither rapidocr nor tesseract with chi_sim is installed here")
    house = build(FOLLOW, extra=BY_WORD.replace("{word}", "encryption"))
    house.check()
    article(site, count=1)
    site.bodies["/i/x1-1.png"] = drawn("Rules on encryption 2026")
    end = time.monotonic() + 120
    while not any(text for text, _ in texts(house).values()) and time.monotonic() < end:
        house.check()
    house.check()
    assert [text for text, _ in texts(house).values()] == ["Rules on encryption 2026"]
    assert [d["state"] for d in house.deliveries()] == ["sent"]
