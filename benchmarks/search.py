"""How fast search is over many notices, and whether it finds what a look at every text finds.

    python -m benchmarks.search [--notices 100000]

Texts are made up of words of the trade, so that common words stand in most of them. Each query is timed for its first 20 finds
(median of 5), and all of its finds are compared with a scan of every text by the same query.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.check.prepared import Prepared
from monitor.facts import BODIES
from monitor.match import Subject, parse
from monitor.model import Notice
from monitor.store import Store, found, notices
from monitor.store.lists import Filter

AT = datetime(2026, 1, 8, tzinfo=UTC)
WORDS = (
    "关于", "开展", "网络", "安全", "检查", "工作", "的", "通知", "公告", "数据", "出境", "人工智能", "制造", "工业",
    "互联网", "漏洞", "修复", "各", "省", "自治区", "直辖市", "主管", "部门", "请", "于", "月底", "前", "报送",
    "材料", "企业", "单位", "标准", "体系", "建设", "指南", "试点", "示范", "名单", "公示", "征求", "意见", "管理",
    "办法", "实施", "细则", "个人", "信息", "保护", "关键", "基础", "设施", "应急", "预案", "监测", "预警", "通报",
    "整改",
)  # fmt: skip
RARE = ("量子", "卫星", "北斗", "芯片", "CVE-2026-10001", "Kubernetes")
QUERIES = (
    "安",
    "安全",
    "检查",
    "人工智能 制造",
    "量子",
    "量子 OR 卫星",
    "安全 NOT 漏洞",
    '"网络安全检查"',
    "title:公告 数据",
    "CVE-2026-10001",
    "kubernetes",
    "芯片",
    "的",
)


def text(rng: random.Random, words: int) -> str:
    """Sentences of the trade; one in a hundred words is rare."""
    chosen = [rng.choice(RARE) if rng.random() < 0.0005 else rng.choice(WORDS) for _ in range(words)]
    return "".join(word + ("。\n" if rng.random() < 0.05 else "，" if rng.random() < 0.1 else "") for word in chosen)


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--notices", type=int, default=20_000)
    given = asked.parse_args()
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "monitor.db"
        with Store(path) as store:
            said = fill(store, given.notices, rng)
            size = path.stat().st_size
            with store.read() as conn:
                index = conn.execute("SELECT sum(length(block)) FROM terms_data").fetchone()[0]
                texts = sum(len(each["text"].encode()) for each in said.values())
                sizes = f"{texts / 1e6:.0f} MB of text; file {size / 1e6:.0f} MB, index {index / 1e6:.0f} MB"
                print(f"{given.notices:,} notices, {sizes}")
                print(f"{'query':22} first 20, ms    all  scan  recall precision")
                for query in QUERIES:
                    one(conn, query, said)


def fill(store: Store, count: int, rng: random.Random) -> dict[int, dict[str, str]]:
    """Store the notices; their fields by id."""
    said: dict[int, dict[str, str]] = {}
    for start in range(0, count, 1000):
        with store.write() as conn:
            reads = Prepared(BODIES, copied=False)
            for number in range(start, min(start + 1000, count)):
                title, body = text(rng, 8).replace("\n", ""), text(rng, 120)
                row = Notice("a", str(number), f"https://a.example/{number}", title, None, text=body)
                id_ = notices.add(conn, row, "p", "list/1:x", AT + timedelta(seconds=number), reads, baseline=True)
                said[id_] = {"title": title, "text": body}
    return said


def one(conn: notices.Connection, written: str, said: dict[int, dict[str, str]]) -> None:
    """One query: its time, and its finds against a scan."""
    query = parse(written)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        found.search(conn, query, Filter(limit=20), BODIES)
        times.append(1000 * (time.perf_counter() - started))
    got = {row["id"] for row in found.search(conn, query, Filter(), BODIES)}
    scan = {id_ for id_, fields in said.items() if query.matches(Subject(fields))[0]}
    both = len(got & scan)
    recall, precision = both / max(1, len(scan)), both / max(1, len(got))
    print(f"{written:22} {statistics.median(times):12.1f} {len(got):6} {len(scan):5} {recall:7.1%} {precision:9.1%}", flush=True)


if __name__ == "__main__":
    main()
