"""Two sequences of strings become the runs that both hold, in bounded work. It knows nothing of what the strings mean.

Common ends and items that occur once on both sides (patience diff, B. Cohen) are matched first; the small gaps between them go
to `difflib` (`autojunk=False`), large ones without such items to E. Myers' greedy method ("An O(ND) Difference Algorithm and Its
Variations", 1986) in windows. Work is counted in steps, not in seconds: the same input gives the same result everywhere.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from itertools import accumulate

_DIFFLIB_PAIRS = 40_000  # equal pairs of items up to which difflib is given a gap
_MOST_GAPS = 20_000  # gaps between matches that are told apart
_WINDOW = 256  # edits that one window of Myers' method may hold

Match = tuple[int, int, int]  # start in a, start in b, length
Gap = tuple[int, int, int, int]  # start and end in a, start and end in b


class Steps:
    """The work that may still be done."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, n: int) -> bool:
        """Spend `n`, unless fewer are left: a task too large leaves the rest to smaller ones."""
        if n > self.left:
            return False
        self.left -= n
        return True

    def spend(self, n: int) -> None:
        """Spend `n` that are done already, or what is left."""
        self.left = max(self.left - n, 0)


def encode(a: Sequence[str], b: Sequence[str]) -> tuple[str, str]:
    """Both sequences as strings, one character for each distinct item, so that runs are compared at the speed of memcmp. What is
    in one sequence only becomes U+0000 in a and U+0001 in b."""
    in_b = set(b)
    common = (item for item in dict.fromkeys(a) if item in in_b)
    codes = dict(zip(common, map(chr, range(2, sys.maxunicode + 1)), strict=False))
    return "".join([codes.get(item, "\0") for item in a]), "".join([codes.get(item, "\1") for item in b])


def _prefix(a: str, i: int, b: str, j: int, top: int) -> int:
    """The length, at most `top`, of what a from i and b from j have in common."""
    n, step = 0, 8
    while n < top:
        step = min(step, top - n)
        if a[i + n : i + n + step] == b[j + n : j + n + step]:
            n, step = n + step, step * 2
        else:
            top, step = n + step - 1, max(1, step // 2)
    return n


def _suffix(a: str, i: int, b: str, j: int, top: int) -> int:
    """The length, at most `top`, of what a up to i and b up to j have in common."""
    n, step = 0, 8
    while n < top:
        step = min(step, top - n)
        if a[i - n - step : i - n] == b[j - n - step : j - n]:
            n, step = n + step, step * 2
        else:
            top, step = n + step - 1, max(1, step // 2)
    return n


def matches(a: str, b: str, steps: Steps, *, anchored: bool) -> list[Match]:
    """Equal runs, in order in both: common ends first, then (if `anchored`) items that occur once in both, then difflib or
    Myers inside the gaps."""
    found: list[Match] = []
    todo: list[Gap] = [(0, len(a), 0, len(b))]
    while todo:
        alo, ahi, blo, bhi = todo.pop()
        n = _prefix(a, alo, b, blo, min(ahi - alo, bhi - blo))
        found.append((alo, blo, n))
        alo, blo = alo + n, blo + n
        n = _suffix(a, ahi, b, bhi, min(ahi - alo, bhi - blo))
        found.append((ahi - n, bhi - n, n))
        ahi, bhi = ahi - n, bhi - n
        if alo == ahi or blo == bhi or not steps.take(20 + (ahi - alo + bhi - blo) // 8):
            continue
        inner_a, inner_b = a[alo:ahi], b[blo:bhi]
        in_a, in_b = Counter(inner_a), Counter(inner_b)
        once = anchors(inner_a, in_a, inner_b, in_b) if anchored else []
        if once:
            for (i, j), (k, m) in zip([(-1, -1), *once], [*once, (ahi - alo, bhi - blo)], strict=True):
                todo.append((alo + i + 1, alo + k, blo + j + 1, blo + m))
            found += [(alo + i, blo + j, 1) for i, j in once]
            continue
        pairs = sum(count * in_b[item] for item, count in in_a.items() if item in in_b)
        search = _longest if pairs <= _DIFFLIB_PAIRS else _myers
        found += [(alo + i, blo + j, n) for i, j, n in search(inner_a, inner_b, steps)] if pairs else []
    return joined(found)


def joined(found: list[Match]) -> list[Match]:
    """Matches in order, touching ones made one, empty ones left out."""
    out: list[Match] = []
    for i, j, n in sorted(found):
        if out and (out[-1][0] + out[-1][2], out[-1][1] + out[-1][2]) == (i, j):
            out[-1] = (out[-1][0], out[-1][1], out[-1][2] + n)
        elif n:
            out.append((i, j, n))
    return out


def anchors(a: str, in_a: Counter[str], b: str, in_b: Counter[str]) -> list[tuple[int, int]]:
    """The longest chain, rising in both, of places of items that occur once in a and once in b (patience sorting)."""
    once = {item for item, count in in_a.items() if count == 1 and in_b.get(item) == 1}
    if not once:
        return []
    place = {item: j for j, item in enumerate(b) if item in once}
    piles: list[int] = []  # the lowest last j of a chain of each length
    tops: list[tuple[int, int, int]] = []  # per pile: i, j, index of the node
    nodes: list[tuple[int, int, int]] = []  # i, j, node before
    for i, item in enumerate(a):
        if item in once:
            j = place[item]
            pile = bisect_left(piles, j)
            nodes.append((i, j, tops[pile - 1][2] if pile else -1))
            piles[pile : pile + 1] = [j]
            tops[pile : pile + 1] = [(i, j, len(nodes) - 1)]
    chain: list[tuple[int, int]] = []
    at = tops[-1][2]
    while at >= 0:
        i, j, at = nodes[at]
        chain.append((i, j))
    return chain[::-1]


def _longest(a: str, b: str, steps: Steps) -> list[Match]:
    """difflib's matching blocks, as far as the steps go (its own loop over `find_longest_match`, counted)."""
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    in_b = Counter(b)
    weight = list(accumulate((1 + in_b[item] for item in a), initial=0))
    found: list[Match] = []
    todo: list[Gap] = [(0, len(a), 0, len(b))]
    while todo:
        alo, ahi, blo, bhi = todo.pop()
        if alo == ahi or blo == bhi:
            continue
        if not steps.take((weight[ahi] - weight[alo]) // 4 + 2):
            break
        i, j, n = matcher.find_longest_match(alo, ahi, blo, bhi)
        if n:
            found.append((i, j, n))
            todo += [(i + n, ahi, j + n, bhi), (alo, i, blo, j)]
    return found


def _myers(a: str, b: str, steps: Steps) -> list[Match]:
    """A nearly shortest edit script by Myers' greedy method, window by window. Items that the other side lacks are left out
    first, as GNU diff does: they can match nothing and double the number of edits."""
    common = set(a).intersection(b)
    at_a = [i for i, item in enumerate(a) if item in common]
    at_b = [j for j, item in enumerate(b) if item in common]
    short_a, short_b = "".join([a[i] for i in at_a]), "".join([b[j] for j in at_b])
    x = y = 0
    edits, seen = 1.0, 50.0
    found: list[Match] = []
    while x < len(short_a) and y < len(short_b) and steps.left > 0:
        left = len(short_a) - x + len(short_b) - y
        depth = int(min(max(steps.left / (1 + left * edits / seen), 8), _WINDOW))
        path, used = _window(short_a, x, short_b, y, depth, steps)
        before = x + y
        for i, j, n in path:
            if n and at_a[i + n - 1] - at_a[i] == at_b[j + n - 1] - at_b[j] == n - 1:
                found.append((at_a[i], at_b[j], n))
            else:  # an item was left out in between
                found += [(at_a[i + k], at_b[j + k], 1) for k in range(n)]
        x, y = path[-1][0] + path[-1][2], path[-1][1] + path[-1][2]
        edits, seen = edits + used, seen + x + y - before
    return found


def _window(a: str, x0: int, b: str, y0: int, depth: int, steps: Steps) -> tuple[list[Match], int]:
    """The runs of equal items from (x0, y0) along the path that gets furthest with `depth` edits, and how many edits they take.
    Unless the path reaches the end, only its first half is given: near the frontier the choice is not yet sure."""
    end_a, end_b = len(a), len(b)
    reach = [x0] * (2 * depth + 3)  # by diagonal: the furthest x
    mid = depth + 1
    shift = y0 - x0
    trace: list[list[int]] = []
    best = (-1, 0, 0)  # x + y, diagonal, edits
    for d in range(depth + 1):
        walked = met = 0
        for k in range(-d, d + 1, 2):
            down = k == -d or (k != d and reach[mid + k - 1] < reach[mid + k + 1])
            x = reach[mid + k + 1] if down else reach[mid + k - 1] + 1
            if d == 0:
                x = x0
            y = x - k + shift
            if x < end_a and y < end_b and a[x] == b[y]:
                n = _prefix(a, x, b, y, min(end_a - x, end_b - y))
                x, y, walked, met = x + n, y + n, walked + n, met + 1
            reach[mid + k] = x
            if x <= end_a and y <= end_b and (x + y, d) > (best[0], best[2]):
                best = (x + y, k, d)
        trace.append(reach[mid - d : mid + d + 1])
        steps.spend(d + 4 + met + walked // 64)
        if best[0] == end_a + end_b:
            return _path(trace, best[2], best[1], x0, shift), best[2]
    path = _path(trace, best[2], best[1], x0, shift)
    half = max(best[2] // 2, 1)
    return path[: half + 1], half


def _path(trace: list[list[int]], d: int, k: int, x0: int, shift: int) -> list[Match]:
    """The runs (one, perhaps empty, after each edit) of the path that ends on diagonal `k` after `d` edits."""
    runs: list[Match] = []
    x = trace[d][k + d]
    while d:
        reach = trace[d - 1]
        at = k + d - 1  # of diagonal k in the row of d - 1
        down = k == -d or (k != d and reach[at - 1] < reach[at + 1])
        k = k + 1 if down else k - 1
        start = reach[k + d - 1] + (not down)
        old_k = k - 1 if down else k + 1
        runs.append((start, start - old_k + shift, x - start))
        x, d = reach[k + d - 1], d - 1
    runs.append((x0, x0 + shift, x - x0))
    return runs[::-1]


def gaps_between(found: list[Match], len_a: int, len_b: int) -> list[Gap]:
    """What lies between the matches. So many that nobody reads them are not kept apart: the last one takes all the rest."""
    gaps: list[Gap] = []
    i = j = 0
    for match_a, match_b, n in [*found, (len_a, len_b, 0)]:
        if i < match_a or j < match_b:
            if len(gaps) == _MOST_GAPS:
                last = found[-1]
                tail = last[2] if (last[0] + last[2], last[1] + last[2]) == (len_a, len_b) else 0
                return [*gaps, (i, len_a - tail, j, len_b - tail)]
            gaps.append((i, match_a, j, match_b))
        i, j = match_a + n, match_b + n
    return gaps


def settle(gaps: list[Gap], a: Sequence[str], b: Sequence[str], border: Callable[[str, str], int], steps: Steps) -> list[Gap]:
    """Where a run only inserted or only deleted could as well stand a little before or after ("，A" or "A，" in "A，A，"),
    it is moved to where `border` (of the items before and after an edge) is greatest."""
    out: list[Gap] = []
    for at, (i1, i2, j1, j2) in enumerate(gaps):
        if (i1 < i2 and j1 < j2) or steps.left <= 0:
            out.append((i1, i2, j1, j2))
            continue
        side, lo, hi = (a, i1, i2) if i1 < i2 else (b, j1, j2)
        before = min(i1 - (out[-1][1] if out else -1) - 1, j1 - (out[-1][3] if out else -1) - 1)
        after_a, after_b = (gaps[at + 1][0] - 1, gaps[at + 1][2] - 1) if at + 1 < len(gaps) else (len(a), len(b))
        n = _slide(side, lo, hi, min(before, 30), min(after_a - i2, after_b - j2, 30), border, steps)
        out.append((i1 + n, i2 + n, j1 + n, j2 + n))
    return out


def _slide(side: Sequence[str], lo: int, hi: int, back: int, ahead: int, border: Callable[[str, str], int], steps: Steps) -> int:
    """By how many items the run side[lo:hi] is best moved, without a change of what it does."""
    first = 0
    while -first < back and side[lo + first - 1] == side[hi + first - 1]:
        first -= 1
    last = 0
    while last < ahead and side[lo + last] == side[hi + last]:
        last += 1
    if first == last or not steps.take(4 * (last - first)):
        return 0

    def worth(n: int) -> tuple[int, int]:
        edges = [(side[at - 1] if at else "\n", side[at] if at < len(side) else "\n") for at in (lo + n, hi + n)]
        return sum(border(*edge) for edge in edges), -abs(n)

    return max(range(first, last + 1), key=worth)
