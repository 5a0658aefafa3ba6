"""How well copies of one document are recognised: on the articles of the collection of real inputs (`MONITOR_CORPUS`).

    python -m benchmarks.identity                # figures
    python -m benchmarks.identity --merges 200   # and so many merges, to be judged by hand
    python -m benchmarks.identity --missed       # and the pairs that are not merged
    python -m benchmarks.identity --titles       # a year of titles alone: merges in a thousand, and a sample

`pairs` are computed (shingles of 10 characters, Jaccard 0.5 or more): digests that hold a notice among others are in them, so not
every pair is one document. Weekly bulletins of one series must never be merged.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.histories import CORPUS, archived
from monitor import facts, identity
from monitor.identity import Card, Same

ARTICLES = CORPUS / "wechat" / "doonsec_md"
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_ENTRY = re.compile(r"\s+- \[ \] \[(?P<title>.{4,300}?)\]\((?P<url>https?://\S+)\)$")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_MARKS = re.compile(r"^[#>*\-\s]+|[*`_]{2,}", re.M)


def article(path: Path) -> Card:
    """A Markdown article as the card of a notice."""
    raw = path.read_text("utf-8")
    head, _, body = raw.removeprefix("---\n").partition("\n---\n") if raw.startswith("---\n") else (raw[:400], "", raw)
    about = dict(re.findall(r"^(\w+): (.*)$", head, re.M))
    if not raw.startswith("---\n"):  # the other converter: a heading, then account and time
        about = {"title": raw.partition("\n")[0].lstrip("# "), "date": (re.search(r"\d{4}-\d\d-\d\d", head) or [""])[0]}
    title = about.get("title", "").strip()
    said = _TAG.sub("\n", _MARKS.sub("", _LINK.sub(r"\1", _IMAGE.sub("", body))))
    lines = [line.strip() for line in said.split("\n") if line.strip() and line.strip() not in (title, "cover_image")]
    content = "\n".join(lines)
    day = date.fromisoformat(about["date"][:10]) if re.match(r"\d{4}-\d\d-\d\d", about.get("date", "")) else date(2024, 1, 1)
    return Card(path.name, title, content, day, facts.read(title, content, published=day))


def candidates(cards: dict[str, Card]) -> Iterator[tuple[str, str]]:
    """Pairs that share a key, each once."""
    by_key: dict[str, list[str]] = {}
    done: set[tuple[str, str]] = set()
    for name, card in cards.items():
        for key in sorted(identity.keys(card)):
            for other in by_key.setdefault(key, []):
                if (other, name) not in done:
                    done.add((other, name))
                    yield other, name
            by_key[key].append(name)


def merges(cards: dict[str, Card]) -> dict[tuple[str, str], Same]:
    """Every pair that is the same document."""
    return {(a, b): found for a, b in candidates(cards) if (found := identity.same(cards[a], cards[b])) is not None}


def on_articles(given: argparse.Namespace) -> None:
    """The figures on articles with their texts."""
    index = {one["file"]: one["kind"] for one in json.loads((ARTICLES / "index.json").read_text("utf-8"))}
    cards = {name: article(ARTICLES / name) for name in index}
    started = time.process_time()
    found = merges(cards)
    spent = time.process_time() - started
    pairs = [
        (min(p["a"], p["b"]), max(p["a"], p["b"]), p["jaccard"])
        for cluster in json.loads((ARTICLES / "clusters.json").read_text("utf-8"))["clusters"]
        for p in cluster["pairs"]
    ]
    told = {(min(a, b), max(a, b)) for a, b in found}
    hit = [pair for pair in pairs if pair[:2] in told]
    series = [pair for pair in told if "series-lookalike" in (index[pair[0]], index[pair[1]])]
    print(f"articles                      {len(cards):6}   CPU {1000 * spent / len(cards):.1f} ms each")
    print(f"pairs of the record           {len(pairs):6}   merged {len(hit)} ({len(hit) / len(pairs):.1%})")
    print(f"merges beside the record      {len(told - {pair[:2] for pair in pairs}):6}")
    print(f"merges of a series            {len(series):6}")
    if given.missed:
        for a, b, jaccard in pairs:
            if (a, b) not in told:
                print(f"  missed, Jaccard {jaccard:.2f}")
                for name in (a, b):
                    print(f"    {name} {cards[name].title} {cards[name].act} {sorted(cards[name].figures)}")
    show(cards, found, given.merges)


def on_converters() -> None:
    """The same article by two converters is one document, always."""
    folder = CORPUS / "wechat" / "same_article_two_converters"
    names = sorted({path.name.split(".")[0] for path in folder.glob("*.md")})
    cards = [[article(path) for path in sorted(folder.glob(f"{name}.*.md"))] for name in names]
    good = sum(identity.same(a, b) is not None for a, b in cards)
    print(f"one article, two converters   {len(cards):6}   merged {good} ({good / len(cards):.1%})")


def show(cards: dict[Any, Card], found: dict[tuple[Any, Any], Same], most: int) -> None:
    """A sample of merges, for a person."""
    sample = sorted(found)
    if len(sample) > most:
        sample = random.Random(1).sample(sample, most)
    for a, b in sample:
        print(f"  {found[a, b].signal:6} {found[a, b].reason}")
        for card in (cards[a], cards[b]):
            print(f"    {card.day} {card.title}")


def on_titles(given: argparse.Namespace) -> None:
    """Titles alone, as lists without pages give them, one after the other as they came."""
    cards: dict[int, Card] = {}
    by_key: dict[str, list[int]] = {}
    found: dict[tuple[int, int], Same] = {}
    started = time.process_time()
    for number, card in enumerate(titles()):
        keys = identity.keys(card)
        others = {id_: cards[id_] for id_ in sorted({id_ for key in keys for id_ in by_key.get(key, [])[-200:]})}
        if (same := identity.find(card, others)) is not None:
            found[same[0], number] = same[1]
        cards[number] = card
        for key in keys:
            by_key.setdefault(key, []).append(number)
    spent = time.process_time() - started
    share, each = 1000 * len(found) / len(cards), 1000 * spent / len(cards)
    print(
        f"titles alone                  {len(cards):6}   merged {len(found)} ({share:.1f} in a thousand), {each:.2f} ms CPU each"
    )
    show(cards, found, given.merges)


def titles() -> Iterator[Card]:
    """The entries of 143 days of about 180 feeds, each address once."""
    folder = CORPUS / "histories" / "daily_feed_digest"
    bodies = archived(folder / "versions.tar.xz")
    seen: set[str] = set()
    for version in json.loads((folder / "index.json").read_text("utf-8"))["versions"]:
        day, feed = date.fromisoformat(version["date"]), ""
        for line in bodies[version["file"]].decode().splitlines():
            if line.startswith("- "):
                feed = line[2:].strip()
            elif (entry := _ENTRY.match(line)) and entry["url"] not in seen:
                seen.add(entry["url"])
                yield Card(feed, entry["title"].strip(), "", day, facts.read(entry["title"], "", published=day))


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--merges", type=int, default=0, help="show so many merges")
    asked.add_argument("--missed", action="store_true", help="show the pairs that are not merged")
    asked.add_argument("--titles", action="store_true", help="a year of titles alone")
    given = asked.parse_args()
    if given.titles:
        on_titles(given)
        return
    on_articles(given)
    on_converters()


if __name__ == "__main__":
    main()
