"""How well, how fast and at what size words in pictures are recognised: pages of a Chinese notice, drawn clean, small, and as a
scanner and a seal leave them.

    python benchmarks/ocr.py [--engine rapidocr] [--engine tesseract] [--pages 2] [--out FOLDER] [--daemon]

It needs Pillow and a Chinese font (Debian: fonts-wqy-zenhei, fonts-noto-cjk), and whichever engines are to be measured. `error`
is the share of characters that would have to be changed, put in or taken out (Levenshtein distance by the text's length), after
white space and kinds of punctuation were folded. Seconds are wall and processor time of a page with the engine already loaded;
`MiB` is the largest size of any process that was measured so far. Everything runs offline, as in monitor itself.

With `--daemon` a daemon looks at 20 sources each 10 s (± 5 %) while it recognises the pictures of an article: `late` is how much
more than 10.5 s lay between two looks at a source, before the article was there and while its pictures were read.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from monitor import documents, sandbox  # noqa: E402 - the checkout beside this file is what is measured
from monitor.readers import files  # noqa: E402
from monitor.text import fold  # noqa: E402
from tests.house import Row, Site  # noqa: E402

FONTS = (
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "/System/Library/Fonts/PingFang.ttc",
)
TEXT = """关于印发《“人工智能+制造”专项行动实施意见》的通知
工信部联科〔2025〕279号
各省、自治区、直辖市及计划单列市、新疆生产建设兵团工业和信息化主管部门、党委网信办、发展改革主管部门，各有关单位：
现将《“人工智能+制造”专项行动实施意见》印发给你们，请结合实际认真抓好落实。
一、总体要求。到2027年，我国人工智能关键核心技术实现安全可靠供给，产业规模和赋能水平稳居世界前列。推动3至5个通用大模型在制造业深度应用，形成特色化、全覆盖的行业大模型，打造100个工业领域高质量数据集，推广500个典型应用场景。
二、主要任务。（一）强化人工智能算力供给。推动智能芯片软硬协同发展，支持突破高端训练芯片、端侧推理芯片、人工智能服务器、高速互联、智算云操作系统等关键技术。（二）加强漏洞管理，对CVE-2025-12345、CNVD-2025-00678等高危漏洞应于3个工作日内修复，联系邮箱：office@example.gov.cn，电话：010-12345678。
三、各单位应当于2026年6月30日前报送落实情况，逾期不予受理；确有困难的，经批准可以延期，但最长不超过15日。"""
WAYS = ("clean", "small", "scanned")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--engine", action="append", choices=tuple(documents.ENGINES))
    parser.add_argument("--pages", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--daemon", action="store_true")
    given = parser.parse_args()
    fonts = [font for font in FONTS if Path(font).is_file()]
    if not fonts:
        raise SystemExit("no Chinese font is installed: fonts-wqy-zenhei or fonts-noto-cjk")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    if given.daemon:
        for name in given.engine or documents.ENGINES:
            meanwhile(name, [drawn("scanned", fonts[0], random.Random(number)) for number in range(given.pages)])
        return
    print(f"pages of {len(TEXT)} characters, 1240 x 1754 points; fonts: {', '.join(Path(font).stem for font in fonts)}\n")
    print(f"{'engine':10} {'page':8} {'error':>7} {'wall s':>7} {'cpu s':>7} {'MiB':>6}")
    for name in given.engine or documents.ENGINES:
        engine = documents.engine(name)
        if engine is None:
            print(f"{name:10} is not installed")
            continue
        for way in WAYS:
            measure(name, engine, way, fonts, given.pages, given.out)
        sandbox.close()


def measure(name: str, engine: str, way: str, fonts: list[str], pages: int, out: Path | None) -> None:
    errors, walls, used = [], [], []
    for number in range(pages):
        picture = drawn(way, fonts[number % len(fonts)], random.Random(f"{way} {number}"))
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{way}-{number}.png").write_bytes(picture)
        if number == 0:  # load the engine
            recognised(picture, engine)
        before, started = children(), time.monotonic()
        said = recognised(picture, engine)
        walls.append(time.monotonic() - started)
        used.append(children() - before)
        errors.append(distance(fold(said), fold(TEXT)) / len(fold(TEXT)))
    sandbox.close()  # only what has ended is counted
    size = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    cpu = f"{mean(used):7.1f}" if mean(used) > 0 else f"{'':>7}"
    print(f"{name:10} {way:8} {100 * mean(errors):6.2f}% {mean(walls):7.1f} {cpu} {size:6}")


SOURCES, EVERY = 20, 10.0


class Watched(Site):
    """A site that notes when each list was asked for."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.looks: dict[str, list[float]] = {}

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if path.startswith("/list/"):
            self.looks.setdefault(path, []).append(time.monotonic())
            path = "/list/"
        return super().answer(path)


def meanwhile(name: str, pages: list[bytes]) -> None:
    """Whether a daemon's checks are on time while it recognises words."""
    site = Watched(rows=[Row("old", "旧公告")])
    lists = "".join(
        f'[[source]]\nid = "s{n}"\nkind = "list"\nurl = "{site.url}/list/?{n}"\nitems = "ul.l > li"\ndate = "span"\n'
        f"follow = {str(n == 0).lower()}\n"
        for n in range(SOURCES)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "monitor.toml")
        path.write_text(
            f'[monitor]\nevery = "{EVERY:g}s"\nocr = "{name}"\n[http]\ndelay = "0s"\nallow_private = ["127.0.0.0/8"]\n{lists}'
            '[[channel]]\nid = "console"\nurl = "console://"\n',
            "utf-8",
        )
        command = [sys.executable, "-m", "monitor", "--config", str(path), "run"]
        daemon = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(45)
            before = {path: list(looks) for path, looks in site.looks.items()}
            shown = "".join(f"<img src='/i/{n}.png'>" for n in range(len(pages)))
            site.bodies |= {f"/i/{n}.png": picture for n, picture in enumerate(pages)}
            site.bodies["/p/new.html"] = (
                f"<html><body><h1>新公告</h1><div id='zoom'><p>现印发给你们。</p>{shown}</div></body></html>".encode()
            )
            site.types["/p/new.html"] = "text/html; charset=utf-8"
            site.rows.insert(0, Row("new", "新公告"))
            started, took = time.monotonic(), until_read(Path(folder, "monitor.db"), len(pages))
            during = {path: [look for look in looks if look > started - EVERY] for path, looks in site.looks.items()}
            for what, looks in (("before", before), ("meanwhile", during)):
                gaps = [b - a for each in looks.values() for a, b in pairwise(each)]
                late = sorted(max(0.0, gap - 1.05 * EVERY) for gap in gaps)
                print(f"{name:10} {what:9} {len(gaps):4} looks, late by {mean(late):.2f} s in the mean, {late[-1]:.2f} s at most")
            print(
                f"{name:10} {len(pages)} pictures read {took:.0f} s after the article came; load average {os.getloadavg()[0]:.1f}"
            )
        finally:
            daemon.terminate()
            daemon.wait(60)
            site.close()


def until_read(database: Path, pictures: int) -> float:
    """How long it takes until the words of so many pictures are known."""
    started = time.monotonic()
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        while time.monotonic() - started < 900:
            if conn.execute("SELECT count(*) FROM texts WHERE reader LIKE '%+%' AND text <> ''").fetchone()[0] >= pictures:
                break
            time.sleep(1)
    return time.monotonic() - started


def recognised(picture: bytes, engine: str) -> str:
    found = files.read(picture, "page.png")
    words = {scan.number: documents.recognise(picture, "page.png", scan, engine) for scan in found.scans}
    return documents.read(picture, "page.png", words, engine).text


def children() -> float:
    """Processor time of the sandbox's children that are alive."""
    import psutil

    total = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
        except psutil.Error:
            continue
    return total


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def drawn(way: str, font: str, chance: random.Random) -> bytes:
    """The text as a page: in lines of full width, and for "scanned" turned, blurred, with noise and a seal across it."""
    from PIL import Image, ImageDraw, ImageFilter, ImageFont

    size = 24 if way == "small" else 30
    letters = ImageFont.truetype(font, size)
    page = Image.new("RGB", (1240, 1754), "white")
    pen = ImageDraw.Draw(page)
    y = 120
    for at, paragraph in enumerate(TEXT.split("\n")):
        line = "" if at < 3 else "\u3000\u3000"
        for char in paragraph:
            if pen.textlength(line + char, letters) > 1000:
                pen.text((120, y), line, "black", letters)
                y, line = y + int(size * 1.7), ""
            line += char
        pen.text((120, y), line, "black", letters)
        y += int(size * 1.7)
    if way == "scanned":
        page = _scanned(page, y, letters, chance, (Image, ImageDraw, ImageFilter))
    out = BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def _scanned(page: Any, y: int, letters: Any, chance: random.Random, library: tuple[Any, Any, Any]) -> Any:
    image, draw, filters = library
    pen = draw.Draw(page)
    pen.ellipse((820, y - 260, 1080, y), outline=(205, 40, 40), width=6)
    pen.text((868, y - 150), "专用章", (205, 40, 40), letters)
    page = page.rotate(0.8, resample=image.Resampling.BICUBIC, fillcolor="white").filter(filters.GaussianBlur(0.7))
    dots = page.load()
    for _ in range(25_000):
        x, z = chance.randrange(page.size[0]), chance.randrange(page.size[1])
        grey = chance.randrange(120, 230)
        dots[x, z] = (grey, grey, grey)
    return page


def distance(a: str, b: str) -> int:
    """How many characters have to be changed, put in or taken out to get `b` from `a`."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


if __name__ == "__main__":
    main()
