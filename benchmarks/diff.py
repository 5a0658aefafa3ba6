"""How long `diff` takes, how near it is to the smallest difference, and how many characters it marks, beside `git diff`.

    python benchmarks/diff.py [--runs 5]

It makes its own texts with a fixed seed; where the collection of real inputs is present (MONITOR_CORPUS, else ../shared/corpus),
the edits are made in real articles. Times are CPU seconds, medians of the runs; those of git are of `git diff --no-index` on the
same files in the same run, starting the process included. `minimal` are the changed lines that `git diff --minimal` counts; it is
not asked about the hostile texts, on some of which it takes minutes.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from monitor.diff import Mark, apply, diff  # noqa: E402 - the checkout beside this file is what is measured

MB = 1_000_000
CORPUS = Path(os.environ.get("MONITOR_CORPUS") or ROOT.parent / "shared" / "corpus") / "wechat" / "doonsec_md"
HAN = [chr(0x4E00 + i) for i in range(2500)]
WORDS = ["整改", "备案", "督导", "核验", "通告", "限期", "撤销", "抽检"]
PHRASES = ["，并于每季度末报送台账", "（含分支机构）", "应当及时、如实、", "在县级以上范围内", "，法律另有规定的除外"]
ROWS = ["状态：已受理\n", "状态：已办结\n", "经办：张三\n", "备注：无\n", "----\n", "\n", "金额：0 元\n"]

Pair = tuple[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    rng = random.Random(20260101)
    articles = real_paragraphs()
    print(f"texts: {'real articles' if articles else 'made up (no collection of real inputs)'}; {runs} runs; seconds are CPU\n")
    print(f"{'text':34} {'diff s':>7} {'git s':>7} {'diff/git':>8} {'lines':>8} {'minimal':>8} {'ratio':>6}")
    for name, make in speed_cases(articles).items():
        speed(name, make(rng), runs)
    print(f"\n{'edit':34} {'edits':>7} {'edited':>7} {'marked':>8} {'ratio':>6}   (characters)")
    accuracy(articles or made_up(rng, MB // 3), rng)


# ---- measuring -------------------------------------------------------------------------------------------------------------


def speed(name: str, pair: Pair, runs: int) -> None:
    a, b = pair
    own, git = [], []
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, "a"), Path(folder, "b")]
        for file, text in zip(files, pair, strict=True):
            file.write_bytes(text.encode())
        for _ in range(runs):
            start = time.process_time()
            d = diff(a, b)
            own.append(time.process_time() - start)
            before = children()
            git_diff(files, "--no-color")
            git.append(children() - before)
        counted = [] if name.startswith("hostile") else git_diff(files, "--minimal", "--numstat").split("\t")[:2]
    assert apply(d, a) == b, name
    lines = sum(h.old_stop - h.old_start + h.new_stop - h.new_start for h in d.hunks)
    least = sum(int(n) for n in counted if n.isdigit())
    mine, theirs = statistics.median(own), statistics.median(git)
    minimal = f"{least:8,} {lines / least:6.3f}" if least else f"{'-':>8} {'-':>6}"
    print(f"{name:34} {mine:7.3f} {theirs:7.3f} {mine / max(theirs, 0.001):8.1f} {lines:8,} {minimal}", flush=True)


def git_diff(files: list[Path], *options: str) -> str:
    command = ["git", "diff", "--no-index", "--text", *options, *map(str, files)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.decode("utf-8", "replace")


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def accuracy(paragraphs: list[str], rng: random.Random) -> None:
    """One edit of a known size in each paragraph, by kind."""
    totals = [0, 0, 0]
    for name, edit in EDITS.items():
        count = edited = marked = 0
        for paragraph in paragraphs:
            done = edit(paragraph, rng)
            if done is None or count == 1000:
                continue
            text, size = done
            d = diff(paragraph, text)
            assert apply(d, paragraph) == text
            pieces = [piece for hunk in d.hunks for one in hunk.edits for piece in one.pieces]
            count, edited = count + 1, edited + size
            marked += sum(len(piece.text) for piece in pieces if piece.mark is not Mark.SAME)
        print(f"{name:34} {count:7,} {edited:7,} {marked:8,} {marked / max(edited, 1):6.3f}", flush=True)
        totals = [x + y for x, y in zip(totals, (count, edited, marked), strict=True)]
    print(f"{'all':34} {totals[0]:7,} {totals[1]:7,} {totals[2]:8,} {totals[2] / max(totals[1], 1):6.3f}")


# ---- edits of known size: the new text, and how many characters were taken out and put in ----------------------------------


def number(text: str, rng: random.Random) -> tuple[str, int] | None:
    found = list(re.finditer(r"(?<![A-Za-z0-9_.,])\d+(?![A-Za-z0-9_.,])", text))
    if not found:
        return None
    at = rng.choice(found)
    new = str(int(at[0]) + rng.randint(1, 40))
    return text[: at.start()] + new + text[at.end() :], len(at[0]) + len(new)


def phrase(text: str, rng: random.Random) -> tuple[str, int] | None:
    places = [i for i in range(1, len(text) - 1) if "\u4e00" <= text[i - 1] <= "\u9fff" and "\u4e00" <= text[i] <= "\u9fff"]
    if not places:
        return None
    at, new = rng.choice(places), rng.choice(PHRASES)
    return text[:at] + new + text[at:], len(new)


def clause(text: str, rng: random.Random) -> tuple[str, int] | None:
    found = list(re.finditer(r"(?<=[，；。])[^，；。\n]{4,40}[，；。]", text))
    if not found:
        return None
    at = rng.choice(found)
    return text[: at.start()] + text[at.end() :], len(at[0])


def word(text: str, rng: random.Random) -> tuple[str, int] | None:
    places = [m.start() for m in re.finditer(r"[\u4e00-\u9fff](?=[\u4e00-\u9fff])", text)]
    new = rng.choice(WORDS)
    places = [i for i in places if not set(text[i : i + 2]) & set(new)]
    if not places:
        return None
    at = rng.choice(places)
    return text[:at] + new + text[at + 2 :], 4


EDITS: dict[str, Callable[[str, random.Random], tuple[str, int] | None]] = {
    "replace a number": number,
    "insert a phrase": phrase,
    "delete a clause": clause,
    "change a word": word,
}

# ---- texts -----------------------------------------------------------------------------------------------------------------


def real_paragraphs() -> list[str]:
    """The paragraphs of the articles without their front matter, in the order of the files; none where they are absent."""
    out: list[str] = []
    for file in sorted(CORPUS.glob("*.md")):
        body = file.read_text("utf-8").split("\n---\n", 1)[-1]
        out += [line + "\n" for line in body.split("\n") if len(line) > 20 and not line.startswith("![")]
    return out


def made_up(rng: random.Random, characters: int) -> list[str]:
    out: list[str] = []
    size = 0
    while size < characters:
        parts = ["".join(rng.choices(HAN, k=rng.randint(8, 30))) + rng.choice("，，。；") for _ in range(rng.randint(3, 12))]
        parts.insert(1, f"{rng.randint(1, 90)}日内")
        out.append("".join(parts) + "\n")
        size += len(out[-1])
    return out


def megabyte(paragraphs: list[str]) -> list[str]:
    out: list[str] = []
    size = 0
    while size < MB:
        for paragraph in paragraphs:
            out.append(paragraph)
            size += len(paragraph.encode())
            if size >= MB:
                break
    return out


def one_percent(lines: list[str], rng: random.Random, change: Callable[[str], str]) -> Pair:
    new = list(lines)
    for i in rng.sample(range(len(new)), max(len(new) // 100, 1)):
        new[i] = change(new[i])
    return "".join(lines), "".join(new)


def edited(line: str, rng: random.Random) -> str:
    done = rng.choice(list(EDITS.values()))(line, rng) or word(line, rng)
    return done[0] if done else line.strip() + "改\n"


def repeated(rng: random.Random, change: Callable[[str], str]) -> Pair:
    return one_percent(megabyte(rng.choices(ROWS, k=20_000)), rng, change)


def shuffled(rng: random.Random) -> Pair:
    lines = [f"第 {i} 行\n" for i in range(70_000)]
    return "".join(lines), "".join(rng.sample(lines, len(lines)))


def table(state: str) -> str:
    return "".join(f"{i} | 甲 | {state} | 2026-01-{i % 28}\n" for i in range(25_000))


def numbers(first: int) -> str:
    return "".join(f"{i}\n" for i in range(first, first + 150_000))


def speed_cases(articles: list[str]) -> dict[str, Callable[[random.Random], Pair]]:
    def chinese(rng: random.Random) -> list[str]:
        return megabyte(articles or made_up(rng, MB // 3))

    def flat(rng: random.Random, pair: Pair) -> Pair:
        return pair[0].replace("\n", ""), pair[1].replace("\n", "")

    return {
        "1 MB Chinese, 1 % edited": lambda rng: one_percent(chinese(rng), rng, lambda line: edited(line, rng)),
        "1 MB repeated rows, 1 % rewritten": lambda rng: repeated(rng, lambda _: f"改动 {rng.random()}\n"),
        "1 MB repeated rows, 1 % swapped": lambda rng: repeated(rng, lambda _: rng.choice(ROWS)),
        "1 MB repeated rows, 1 % deleted": lambda rng: repeated(rng, lambda _: ""),
        "1 MB repeated rows, 1 % doubled": lambda rng: repeated(rng, lambda line: line + line),
        "1 MB of one short line, 1 %": lambda rng: one_percent(["行\n"] * (MB // 4), rng, lambda _: f"{rng.random():.3f}\n"),
        "hostile: one line, 1 % edited": lambda rng: flat(rng, one_percent(chinese(rng), rng, lambda s: edited(s, rng))),
        "hostile: one line, all different": lambda rng: flat(
            rng, ("".join(made_up(rng, MB // 3)), "".join(made_up(rng, MB // 3)))
        ),
        "hostile: all paragraphs different": lambda rng: ("".join(made_up(rng, MB // 3)), "".join(made_up(rng, MB // 3))),
        "hostile: one character, shorter": lambda _: ("a" * MB, "a" * (MB - 7)),
        "hostile: 中 × 333,333, 1 % 文": lambda rng: one_percent(["中"] * (MB // 3), rng, lambda _: "文"),
        "hostile: two characters at random": lambda rng: (
            "".join(rng.choices("中文", k=MB // 3)),
            "".join(rng.choices("中文", k=MB // 3)),
        ),
        "hostile: two lines at random": lambda rng: (
            "".join(rng.choices(["a\n", "b\n"], k=MB // 2)),
            "".join(rng.choices(["a\n", "b\n"], k=MB // 2)),
        ),
        "hostile: a row of 250,000 cells": lambda _: ("a | " * (MB // 4), "b | " * (MB // 4 - 1)),
        "hostile: 25,000 rows, all edited": lambda _: (table("在办"), table("办结")),
        "hostile: numbers only": lambda _: (numbers(0), numbers(150_000)),
        "hostile: sentences 一。 and 二。": lambda _: ("一。" * (MB // 6), "二。" * (MB // 6)),
        "hostile: spaces and tabs": lambda _: (" " * MB, "\t" * MB),
        "hostile: lines shuffled": shuffled,
    }


if __name__ == "__main__":
    main()
