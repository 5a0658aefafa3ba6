"""The paragraphs of one hunk: which old and new ones are one paragraph, edited. It does not look for hunks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from monitor.diff.atoms import pieces, replaced
from monitor.diff.clauses import cells, clause
from monitor.diff.matching import Match, Steps, anchors, encode, gaps_between, joined, matches
from monitor.diff.nouns import Edit, Mark, Piece

_PAIRING = 40  # paragraphs: the side of the square in which old and new ones are compared each with each
_ALIKE = 0.3  # least share of common character pairs of two paragraphs that are one paragraph, edited


def edits(old: Sequence[str], new: Sequence[str], steps: Steps) -> Iterator[Edit]:
    """The paragraphs of one gap as edits: those that are one paragraph, edited, and the runs between them."""
    if not old or not new:
        yield from _whole("".join(old) or None, "".join(new) or None)
        return
    if not steps.take(40 + 4 * (len(old) + len(new))):
        yield Edit("".join(old), "".join(new), replaced("".join(old), "".join(new)))
        return
    if len(old) != len(new) and max(len(old), len(new)) <= _PAIRING:
        flat_old, flat_new = "".join(old), "".join(new)
        if "".join(flat_old.split()) == "".join(flat_new.split()):  # the same words, broken into other lines
            yield Edit(flat_old, flat_new, pieces(flat_old, flat_new, steps))
            return
    half = Steps(steps.left // 2)  # the other half is for what changed inside
    pairs = _paired(old, new, half)
    steps.spend(steps.left // 2 - half.left)
    i = j = 0
    for match_old, match_new, n in [*pairs, (len(old), len(new), 0)]:
        yield from _whole("".join(old[i:match_old]) or None, "".join(new[j:match_new]) or None)
        i, j = match_old, match_new
        for _ in range(n):
            if not steps.take(20):
                yield Edit("".join(old[i:]), "".join(new[j:]), replaced("".join(old[i:]), "".join(new[j:])))
                return
            yield Edit(old[i], new[j], pieces(old[i], new[j], steps))
            i, j = i + 1, j + 1


def _whole(old: str | None, new: str | None) -> Iterator[Edit]:
    if old is not None:
        yield Edit(old, None, (Piece(Mark.DELETED, old),))
    if new is not None:
        yield Edit(None, new, (Piece(Mark.INSERTED, new),))


def _paired(old: Sequence[str], new: Sequence[str], steps: Steps) -> list[Match]:
    """Which old and new paragraphs are one, edited: those alike but for digits, then those with the same beginning (clause mark,
    first cell) that occurs once, then the most alike."""
    if len(old) == len(new) == 1:
        return [(0, 0, 1)]
    found = matches(*encode([_masked(s) for s in old], [_masked(s) for s in new]), steps, anchored=True)
    for by in (_by_head, _by_likeness):
        for i1, i2, j1, j2 in gaps_between(found, len(old), len(new)):
            if i1 < i2 and j1 < j2:
                found += [(i1 + i, j1 + j, 1) for i, j in by(old[i1:i2], new[j1:j2], steps)]
        found = joined(found)
    return found


def _masked(line: str) -> str:
    """The line without white space and clause mark (a clause put in renumbers those below), each number as 0."""
    words = _unmarked(line)
    return re.sub(r"\d+", "0", "".join((words or line).split()))


def _unmarked(line: str) -> str:
    """The line without the mark of its clause."""
    mark = clause(line)
    return line.lstrip()[len(mark[1]) :].strip() if mark else line


def _by_head(old: Sequence[str], new: Sequence[str], steps: Steps) -> list[tuple[int, int]]:
    heads_old, heads_new = encode([_head(s) for s in old], [_head(s) for s in new])
    if not steps.take(len(old) + len(new)):
        return []
    once = anchors(heads_old, Counter(heads_old), heads_new, Counter(heads_new))
    return [(i, j) for i, j in once if steps.take(20) and _alike(old[i], new[j]) >= _ALIKE / 2]


def _alike(old: str, new: str) -> float:
    """The likeness of two lines but for their clause marks."""
    return _likeness(_bigrams(_unmarked(old)), _bigrams(_unmarked(new)))


def _head(line: str) -> str:
    row, mark = cells(line), clause(line)
    return row[0] if row else mark[1] if mark else line.strip()[:6]


def _by_likeness(old: Sequence[str], new: Sequence[str], steps: Steps) -> Iterator[tuple[int, int]]:
    """Pairs rising in both with the greatest sum of likeness, in squares along the diagonal."""
    parts = -(-max(len(old), len(new)) // _PAIRING)
    for part in range(parts):
        i1, i2 = (len(old) * p // parts for p in (part, part + 1))
        j1, j2 = (len(new) * p // parts for p in (part, part + 1))
        sizes = sum(min(len(s), 2000) for s in (*old[i1:i2], *new[j1:j2]))
        if not steps.take((i2 - i1) * (j2 - j1) * 3 + sizes // 4):
            return
        for i, j in _best_chain([_bigrams(s) for s in old[i1:i2]], [_bigrams(s) for s in new[j1:j2]]):
            yield i1 + i, j1 + j


def _best_chain(old: list[set[str]], new: list[set[str]]) -> Iterator[tuple[int, int]]:
    worth = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    like = [[_likeness(x, y) for y in new] for x in old]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            taken = worth[i + 1][j + 1] + like[i][j] if like[i][j] >= _ALIKE else 0.0
            worth[i][j] = max(taken, worth[i + 1][j], worth[i][j + 1])
    i = j = 0
    while i < len(old) and j < len(new):
        if worth[i][j] == worth[i + 1][j]:
            i += 1
        elif worth[i][j] == worth[i][j + 1]:
            j += 1
        else:
            yield i, j
            i, j = i + 1, j + 1


def _bigrams(line: str) -> set[str]:
    text = line[:2000].strip()
    return {text[i : i + 2] for i in range(max(len(text) - 1, 1))} if text else set()


def _likeness(x: set[str], y: set[str]) -> float:
    """Dice's coefficient, 0 to 1."""
    return 2 * len(x & y) / (len(x) + len(y)) if x and y else 0.0
