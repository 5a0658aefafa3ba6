"""Is this the same document that is known from elsewhere? Two notices are compared by what they say of themselves. Pure.

A wrong merge loses a notice, a missed one costs a second message: in doubt two notices are two. It says nothing of one notice
and its own versions, finds no candidates (the store does, by `keys`), and knows nothing of channels.

    number     the same 发文字号, and titles that name the same thing
    title      the same canonical title, and texts of which most is the same (or, without texts, the same issuer or day)
    text       texts of which most is the same, and titles that are alike; or nearly all of long ones
    file       an attachment or picture with the same bytes, and titles that are alike
    flaw       entries about one and the same vulnerability, whatever else they say

Against all of them stand: another number; other figures in the titles (第1号 / 第2号, weekly bulletins, 第三批 / 第四批); another
thing done to the same text (a draft for comments, the final text, an interpretation of it).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from hashlib import blake2b

from monitor import text
from monitor.model import NO_FACTS, Facts

#: Characters of a shingle; so many of the smallest hashes are a text's keys; a text of fewer shingles has none.
SHINGLE, SKETCH, FEWEST = 8, 8, 40
#: Only so much of a text is compared (characters).
LONGEST = 20_000
#: Two copies are published within this time of each other; where only titles speak, within the second.
APART, APART_BY_TITLE = timedelta(days=60), timedelta(days=4)
#: Shares of the shingles of both texts, and of the smaller one, that both have.
ALIKE, HELD, NEARLY = 0.55, 0.8, 0.8
#: Of the shorter text's length, what the longer may be at most where the shorter is held in it.
LONGER = 1.8
#: Of texts this long (shingles) so much is the same that the titles need not be alike, if they say no other figures.
LONG, WHOLE = 300, 0.85
#: An entry about a vulnerability has no longer text, or names it in its title.
ENTRY = 3_000
#: Titles that share this much of their pairs of characters are alike; a canonical title shorter than this says too little.
TITLES, SHORTEST = 0.4, 6

_TAGS = re.compile(
    r"^(?:[\[【(（](?P<in>[^\]】)）]{2,8})[\]】)）]|(?P<out>[^\s|丨│:：《“\"]{2,8}?)\s*(?:[|丨│]|(?<=[读点家])[:：]))\s*"
)
_TAIL = re.compile(
    r"\s*(?:[(（](?:附?(?:全文|原文|解读|图解|下载)|附[^)）]{1,12}|全文)[)）]|[|丨│]\s*[^|丨│]{2,10}|[(（]?附全文[)）]?)\s*$"
)
_QUOTED = re.compile(r"《((?:[^《》]|《[^《》]*》){4,120})》")
#: What is done to a named text. A text and what is said of it are two documents.
_ACTS = (
    (
        "interpretation",
        re.compile(
            r"解读|读懂|图解|一图|答记者问|问答|\d问|[一二三四五六七八九十]+问|专家|观点|评论|解析|分析|说明$|看点|划重点|要点"
        ),
    ),
    ("draft", re.compile(r"征求意见|公开征集|征集意见|意见稿|草案")),
    ("repeal", re.compile(r"废止|失效|停止执行")),
    ("change", re.compile(r"修改|修订|修正|更正|勘误|延期|延长")),
    ("list", re.compile(r"名单|公示|公布.{0,20}(?:结果|目录)|拟(?:录用|入选|认定|立项|推荐|确定|支持|表彰|撤销)")),
    ("meeting", re.compile(r"召开|举行|会议|座谈|发布会|启动|圆满")),
)
_COUNTED_BODIES = re.compile(
    r"(?:[一二两三四五六七八九十]|\d{1,2})\s*(?:个)?(?:部门|部委|部|委|机关|单位)(?:联合|共同|印发|发布|就|关于|制定|$)"
)
_NUMERALS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_CHINESE = re.compile(r"(?:第|[（(])?([零〇一二两三四五六七八九十百]{1,6})(?=[批期号届次轮条章季问图个项起年月日）)])")
_FIGURES = re.compile(r"(?<![a-z])\d+(?:\.\d+)*", re.I)
_IDS = re.compile(r"\b(?:cve|cnvd|cnnvd)-[\d-]{6,}", re.I)


@dataclass(frozen=True)
class Card:
    """What identity looks at of one notice. `source` is where it was seen; `files` are the SHA-256 (hex) of its attachments and
    pictures; `day` is when it was published, else first seen."""

    source: str
    title: str
    text: str
    day: date
    facts: Facts = NO_FACTS
    files: frozenset[str] = frozenset()
    runs: frozenset[int] | None = None  # the shingles, where they are known already

    @cached_property
    def core(self) -> str:
        """The canonical title: without rubrics, additions and typography."""
        return canonical(self.title)

    @cached_property
    def shingles(self) -> frozenset[int]:
        """Hashes of every run of `SHINGLE` characters of the text."""
        return shingles(self.text) if self.runs is None else self.runs

    @cached_property
    def figures(self) -> frozenset[str]:
        """The figures of the title, however they are written."""
        return figures(self.title)

    @cached_property
    def named(self) -> frozenset[str]:
        """The texts that the title names in 《 》."""
        return frozenset(text.fold(name) for name in _QUOTED.findall(self.title))

    @cached_property
    def act(self) -> str:
        """What the title says is done: "" where it issues or publishes a text."""
        bare = _QUOTED.sub("《》", _without_rubrics(text.line(self.title)))
        draft = any("征求意见" in name or "草案" in name for name in self.named)
        return next((act for act, words in _ACTS if words.search(bare)), "draft" if draft else "")

    @cached_property
    def flaw(self) -> str | None:
        """The one vulnerability that this is an entry about; an article names several, or says much more."""
        ids = self.facts.cves or self.facts.ids
        named = len(ids) == 1 and (len(self.text) <= ENTRY or ids[0].upper() in self.title.upper())
        return ids[0].upper() if named else None


@dataclass(frozen=True, slots=True)
class Same:
    """Two notices are one document. `signal`: number | title | text | file | flaw; `reason` says it for people, with figures."""

    signal: str
    reason: str


def find(card: Card, others: Mapping[int, Card]) -> tuple[int, Same] | None:
    """The one of `others` (by id; oldest first) that is the same document as `card`, and why; None where none is for sure.

    A title that one source gives to several of its notices ("Security advisory", a daily bulletin) names none of them.
    """
    sources = Counter(other.source for other in others.values() if other.core == card.core)
    sources[card.source] += 1
    recurs = any(count > 1 for count in sources.values())
    for id_, other in others.items():
        found = same(card, other)
        if found is not None and not (recurs and found.signal == "title" and not (card.shingles and other.shingles)):
            return id_, found
    return None


def keys(card: Card) -> frozenset[str]:
    """By what candidates are found: notices that share none of these are never the same."""
    found = {f"s:{value:015x}" for value in sketch(card.shingles)}
    if card.facts.number:
        found.add(f"n:{text.fold(card.facts.number)}")
    if len(card.core) >= SHORTEST:
        found.add(f"t:{_short(card.core)}")
    found |= {f"q:{_short(name)}" for name in card.named}
    if card.flaw:
        found.add(f"v:{card.flaw}")
    return frozenset(found | {f"f:{sha256[:24]}" for sha256 in card.files})


def same(one: Card, other: Card) -> Same | None:
    """Whether two notices are the same document, and why; None where they are not, or it is not sure."""
    if not _apart(one, other):
        found = _by_number(one, other) or _by_text(one, other) or _by_file(one, other)
        if found is not None:
            return found
    return Same("flaw", f"the same vulnerability, {one.flaw}") if one.flaw and one.flaw == other.flaw else None


def _apart(one: Card, other: Card) -> bool:
    """Whether something says that they are two, whatever they share."""
    numbers = (one.facts.number, other.facts.number)
    if all(numbers) and numbers[0] != numbers[1]:
        return True
    if one.act != other.act:
        return True
    a, b = one.figures, other.figures
    if a != b and not (a <= b or b <= a):
        return True
    if one.facts.cves and other.facts.cves and not set(one.facts.cves) & set(other.facts.cves):
        return True
    if not one.named.isdisjoint(other.named) or not (one.named and other.named):
        return False
    return not any(a in b or b in a for a in one.named for b in other.named)


def _by_number(one: Card, other: Card) -> Same | None:
    number = one.facts.number
    if not number or number != other.facts.number:
        return None
    share = alike(one, other)
    if share < TITLES and one.named.isdisjoint(other.named):
        return None
    return Same("number", f"the same number, {number}, and titles that share {share:.0%}")


def _by_text(one: Card, other: Card) -> Same | None:
    if abs(one.day - other.day) > APART:
        return None
    titles = alike(one, other)
    equal = one.core == other.core and len(one.core) >= SHORTEST
    if not one.shingles or not other.shingles:
        return _by_title(one, other) if equal else None
    both = len(one.shingles & other.shingles)
    resemblance = both / len(one.shingles | other.shingles)
    held = both / min(len(one.shingles), len(other.shingles))
    longer = max(len(one.shingles), len(other.shingles)) / min(len(one.shingles), len(other.shingles))
    figures_differ = one.figures != other.figures
    if equal and (held >= 0.5 and longer <= 3) and not figures_differ:
        return Same("title", f"the same title, and {held:.0%} of the shorter text stands in the other")
    enough = resemblance >= (NEARLY if figures_differ else ALIKE) or (held >= HELD and longer <= LONGER and not figures_differ)
    whole = resemblance >= WHOLE and min(len(one.shingles), len(other.shingles)) >= LONG and not figures_differ
    if (enough and titles >= TITLES) or whole:
        return Same("text", f"{resemblance:.0%} of both texts is the same, and titles share {titles:.0%}")
    return None


def _by_title(one: Card, other: Card) -> Same | None:
    """Where a text is missing, equal titles are enough if they are long, and day or issuer agree."""
    if one.figures != other.figures or abs(one.day - other.day) > APART_BY_TITLE:
        return None
    issuers = set(one.facts.issuers) & set(other.facts.issuers)
    long = len(one.core) >= 2 * SHORTEST
    if issuers or long:
        return Same("title", f"the same title within {APART_BY_TITLE.days} days" + (f", from {min(issuers)}" if issuers else ""))
    return None


def _by_file(one: Card, other: Card) -> Same | None:
    shared = one.files & other.files
    titles = alike(one, other)
    if not shared or abs(one.day - other.day) > APART or titles < TITLES or one.figures != other.figures:
        return None
    if 2 * len(shared) < min(len(one.files), len(other.files)):
        return None
    return Same("file", f"{len(shared)} files with the same bytes, and titles share {titles:.0%}")


SEVERITIES = ("low", "medium", "high", "critical")
_RANSOM = re.compile(r"(?:ransomware|勒索)[^\n:：]{0,30}[:：]\s*(?:known|yes|true|是|已知)", re.I)


def escalates(card: Card, known: Iterable[Card]) -> str | None:
    """What makes an entry about a vulnerability more than what was known of it; None where it is not more."""
    others = list(known)
    if card.facts.exploited and not any(other.facts.exploited for other in others):
        return "exploited"
    if _RANSOM.search(card.text) and not any(_RANSOM.search(other.text) for other in others):
        return "ransomware"
    ranks = [SEVERITIES.index(each.facts.severity) for each in others if each.facts.severity in SEVERITIES]
    if card.facts.severity in SEVERITIES and ranks and SEVERITIES.index(card.facts.severity) > max(ranks):
        return "severity"
    return None


# --- titles


@lru_cache(maxsize=4096)
def canonical(title: str) -> str:
    """A title without the rubric before it ("通知 | …", "【安全圈】…"), what is added to it ("（附全文）"), and typography."""
    rest = _without_rubrics(text.line(title))
    for _ in range(2):
        rest = _TAIL.sub("", rest) if len(_TAIL.sub("", rest)) >= SHORTEST else rest
    folded = text.fold(rest)
    return re.sub(r"[^\w+%.]+", "", folded)


def _without_rubrics(line: str) -> str:
    for _ in range(2):
        if (found := _TAGS.match(line)) and len(line) - found.end() >= SHORTEST:
            line = line[found.end() :]
    return line


def figures(title: str) -> frozenset[str]:
    """The numbers of a title, Chinese numerals too, and ids; not how many bodies issue it, which copies count or name."""
    ids = {found.upper() for found in _IDS.findall(title)}
    bare = _COUNTED_BODIES.sub(" ", text.line(_IDS.sub(" ", title)))
    found = {each.lstrip("0") or "0" for each in _FIGURES.findall(text.fold(bare))}
    found |= {str(_number(each)) for each in _CHINESE.findall(bare)}
    return frozenset(found | ids)


def _number(numeral: str) -> int:
    total = here = 0
    for char in numeral:
        if char in ("十", "百"):
            total += (here or 1) * (10 if char == "十" else 100)
            here = 0
        else:
            here = _NUMERALS[char]
    return total + here


def alike(one: Card, other: Card) -> float:
    """How much of two canonical titles is the same: 1 where one holds the other whole, else the share of their pairs of
    characters."""
    a, b = one.core, other.core
    if not a or not b:
        return 0.0
    short, long = sorted((a, b), key=len)
    if len(short) >= 2 * SHORTEST and short in long:
        return 1.0
    left, right = _pairs(a), _pairs(b)
    shared = sum((left & right).values())
    return 2 * shared / max(1, left.total() + right.total())


def _pairs(core: str) -> Counter[str]:
    return Counter(core[at : at + 2] for at in range(len(core) - 1))


# --- texts


def shingles(said: str) -> frozenset[int]:
    """Hashes (60 bits) of every run of `SHINGLE` letters of a text, its typography folded; none where there are too few."""
    folded = re.sub(r"[\W_]+", "", text.fold(said[:LONGEST]))
    found = frozenset(_hashed(folded[at : at + SHINGLE]) for at in range(len(folded) - SHINGLE + 1))
    return found if len(found) >= FEWEST else frozenset()


def _hashed(run: str) -> int:
    return int.from_bytes(blake2b(run.encode("utf-8", "replace"), digest_size=8).digest()) >> 4


def sketch(hashes: Iterable[int]) -> list[int]:
    """The smallest hashes: two texts that are alike share some of them."""
    return sorted(hashes)[:SKETCH]


def _short(words: str) -> str:
    return blake2b(words.encode("utf-8", "replace"), digest_size=12).hexdigest()
