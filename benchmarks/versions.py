"""What versions cost: bytes of the file for a further version of a 40 kB page, and the time to restore any of them.

    python benchmarks/versions.py [--versions 64]

Each version edits one paragraph of the page; the page's raw bytes are kept with its text, as a real reading does.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.check.prepared import Prepared
from monitor.facts import BODIES
from monitor.model import Notice
from monitor.store import Store, notices

AT = datetime(2026, 1, 8, tzinfo=UTC)


def page(paragraphs: list[str], frame: str) -> tuple[str, bytes]:
    body = "".join(f"<p class='indent'>{paragraph}</p>\n" for paragraph in paragraphs)
    html = f"<html><head><title>通知</title></head><body>{frame}<div id='zoom'>{body}</div></body></html>"
    return "\n".join(paragraphs), html.encode()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--versions", type=int, default=64)
    given = asked.parse_args()
    rng = random.Random(1)
    reads = Prepared(BODIES)
    words = ["".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(rng.randrange(1, 5))) for _ in range(600)]
    paragraphs = ["".join(rng.choice(words) for _ in range(45)) for _ in range(40)]
    frame = "".join(
        f"<li class='menu-{i}'><a href='/column/{rng.getrandbits(40):x}/index.html'>{words[i]}</a></li>" for i in range(350)
    )
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "monitor.db") as store:
        texts: dict[int, tuple[str, bytes]] = {}
        with store.write() as conn:
            notice = notices.add(
                conn, Notice("a", "k", "https://a.example/", "关于某项工作的通知"), "p", "list/1:x", AT, reads, baseline=True
            )
        sizes = []
        for number in range(given.versions):
            paragraphs[rng.randrange(40)] += f"第{number}次修改。"
            text, raw = page(paragraphs, frame)
            with store.write() as conn:
                state = notices.State("text", "html/1:x", text=text, page_print=f"1:{number:032x}", raw=raw)
                seq = notices.push(conn, notice, state, AT + timedelta(hours=number), reads)
            texts[seq] = (text, raw)
            with store.write() as conn:
                conn.execute("SELECT 1")
            with store.read() as conn:
                used = conn.execute(
                    "SELECT sum(length(coalesce(text, '')) + length(coalesce(raw, '')) + length(fingerprint) + length(title)"
                    " + length(coalesce(row_print, '')) + length(coalesce(page_print, '')) + length(seen_at) + length(how) + 24)"
                    " FROM versions WHERE notice = ?",
                    (notice,),
                ).fetchone()[0]
            sizes.append(used)
        growth = [b - a for a, b in itertools.pairwise(sizes[1:])]
        times = []
        with store.read() as conn:
            for seq, (text, raw) in texts.items():
                start = time.perf_counter()
                assert notices.text_of(conn, notice, seq) == text
                times.append((time.perf_counter() - start) * 1000)
                assert notices.raw_of(conn, notice, seq) == raw
    print(f"page                                {len(raw):9,} bytes of HTML, {len(text.encode()):,} of text")
    print(f"a further version, median           {statistics.median(growth):9,.0f} bytes")
    print(f"a further version, mean (key frames) {statistics.mean(growth):8,.0f} bytes")
    print(f"restoring any text, slowest         {max(times):9.2f} ms")


if __name__ == "__main__":
    main()
