"""Numbers, dates and severities in a field's words, for comparisons such as `severity >= high`. It compares no words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

#: What severities are called, lowest first: CVSS, CNNVD (超危 高危 中危 低危), Microsoft and Red Hat (moderate, important).
_SEVERITIES: tuple[frozenset[str], ...] = (
    frozenset({"none", "info", "informational", "无"}),
    frozenset({"low", "低危", "低"}),
    frozenset({"medium", "moderate", "中危", "中"}),
    frozenset({"high", "important", "高危", "高"}),
    frozenset({"critical", "超危", "严重"}),
)
_RANK = {word: rank for rank, words in enumerate(_SEVERITIES) for word in words}
#: CVSS v3.1 §5, qualitative severity rating scale: the lowest score of each rank.
_CVSS = (0.0, 0.1, 4.0, 7.0, 9.0)
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?![\w.])")
_VECTOR = re.compile(r"cvss:\d\.\d(?:/\S*)?")  # its version is not a score
_DATE = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
_SEVERITY_IN_WORDS = re.compile("超危|高危|中危|低危|严重|[a-z]+|(?<![\u4e00-\u9fff])[高中低无](?![\u4e00-\u9fff])")


def _numbers(text: str) -> list[float]:
    return [float(each) for each in _NUMBER.findall(_VECTOR.sub("", text))]


def _dates(text: str) -> list[float]:
    found = []
    for each in _DATE.findall(text):
        try:
            found.append(float(date.fromisoformat(each).toordinal()))
        except ValueError:
            continue
    return found


def _severities(text: str) -> list[float]:
    """The ranks of the severities that are named; where none is, of the CVSS scores (0 to 10)."""
    named = [float(_RANK[each]) for each in _SEVERITY_IN_WORDS.findall(text) if each in _RANK]
    scores = [number for number in _numbers(text) if 0 <= number <= 10]
    return named or [float(sum(score >= low for low in _CVSS[1:])) for score in scores]


def reader_of(wanted: str) -> Callable[[str], list[float]] | None:
    """How a field is read that is compared with this value; None if nothing can be compared with it."""
    if wanted in _RANK:
        return _severities
    if _dates(wanted):
        return _dates
    return _numbers if _NUMBER.fullmatch(wanted) else None


def compared(compare: str, found: float, bound: float) -> bool:
    """Whether a number found stands so to the bound."""
    if compare == "=":
        return found == bound
    if compare.startswith(">"):
        return found > bound or (compare == ">=" and found == bound)
    return found < bound or (compare == "<=" and found == bound)
