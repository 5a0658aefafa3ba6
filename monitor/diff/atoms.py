"""One paragraph edited: which of its characters stayed, went and came. It does not choose which paragraphs are compared.

The atoms are one CJK character, one number, one Latin word, one run of Chinese numerals, one run of white space, so a mark never
cuts "2026", "1,000.5" or "kernel". In a table row the atom is the cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from monitor.diff.clauses import NUMERAL, cells
from monitor.diff.matching import Gap, Steps, encode, gaps_between, matches, settle
from monitor.diff.nouns import Mark, Piece

_SHORT_CELL = 16  # characters, a date or an identifier: a longer cell of a table is compared inside
_LONG = 300  # characters: two paragraphs longer than this on average are compared by sentences first

_CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = rf"[^\W{_CJK}]+"
_ATOM = re.compile(
    rf"{_WORD}(?:(?<=\d)[.,](?=\d){_WORD}|['’](?=[^\W\d{_CJK}]){_WORD})*|[〇零一二三四五六七八九十百千万亿两]{{2,}}"
    r"|\n|[^\S\n]+|.[\u0300-\u036f\ufe00-\ufe0f]*",
    re.DOTALL,
)
_SENTENCE = re.compile(rf"(?<=[。；！？\n])(?![”’」』）])|(?<=[.;!?] )|(?=第{NUMERAL}条)")


def pieces(old: str, new: str, steps: Steps) -> tuple[Piece, ...]:
    """The pieces of one paragraph (`old` and `new` are not empty and differ): table rows by cells, long paragraphs by sentences
    first, the rest by atoms. Without steps left, replaced whole."""
    row_old, row_new = cells(old), cells(new)
    if row_old and row_new:
        return _refined(row_old, row_new, _cell_gaps(row_old, row_new, steps), steps, least=_SHORT_CELL)
    if len(old) + len(new) > 2 * _LONG and steps.take((len(old) + len(new)) // 16):
        parts_old = [part for part in _SENTENCE.split(old) if part]
        parts_new = [part for part in _SENTENCE.split(new) if part]
        if len(parts_old) > 1 and len(parts_new) > 1:
            same = matches(*encode(parts_old, parts_new), steps, anchored=True)
            gaps = settle(gaps_between(same, len(parts_old), len(parts_new)), parts_old, parts_new, _border, steps)
            return _refined(parts_old, parts_new, gaps, steps, least=0)
    return _by_atoms(old, new, steps)


def replaced(old: str, new: str) -> tuple[Piece, ...]:
    """All of `old` deleted and all of `new` inserted, but for the white space at both ends that they share."""
    top = min(len(old), len(new))
    head = 0
    while head < top and old[head] == new[head] and old[head].isspace():
        head += 1
    tail = 0
    while tail < top - head and old[-1 - tail] == new[-1 - tail] and old[-1 - tail].isspace():
        tail += 1
    middle = [(Mark.DELETED, old[head : len(old) - tail]), (Mark.INSERTED, new[head : len(new) - tail])]
    return _tidy([(Mark.SAME, old[:head]), *middle, (Mark.SAME, old[len(old) - tail :])])


def _tidy(runs: Iterable[tuple[Mark, str]]) -> tuple[Piece, ...]:
    """Runs as pieces: neighbours of one mark joined, the deleted before the inserted, none empty."""
    out: list[Piece] = []
    held: dict[Mark, list[str]] = {Mark.SAME: [], Mark.DELETED: [], Mark.INSERTED: []}

    def release(*marks: Mark) -> None:
        for mark in marks:
            if held[mark]:
                out.append(Piece(mark, "".join(held[mark])))
                held[mark].clear()

    for mark, text in runs:
        if text:
            release(*((Mark.DELETED, Mark.INSERTED) if mark is Mark.SAME else (Mark.SAME,)))
            held[mark].append(text)
    release(*Mark)
    return tuple(out)


def _cell_gaps(old: Sequence[str], new: Sequence[str], steps: Steps) -> list[Gap]:
    """Rows of as many cells are compared cell by cell; else their equal cells are looked for."""
    if len(old) == len(new):
        return [(i, i + 1, i, i + 1) for i, (x, y) in enumerate(zip(old, new, strict=True)) if x != y]
    return gaps_between(matches(*encode(old, new), steps, anchored=True), len(old), len(new))


def _refined(old: Sequence[str], new: Sequence[str], gaps: list[Gap], steps: Steps, *, least: int) -> tuple[Piece, ...]:
    """The gaps between larger parts, compared by atoms where either side has over `least` characters."""
    runs: list[tuple[Mark, str]] = []
    at = 0
    for i1, i2, j1, j2 in gaps:
        runs.append((Mark.SAME, "".join(old[at:i1])))
        gone, come = "".join(old[i1:i2]), "".join(new[j1:j2])
        inner = _by_atoms(gone, come, steps) if max(len(gone), len(come)) > least else replaced(gone, come)
        runs += [(piece.mark, piece.text) for piece in inner]
        at = i2
    runs.append((Mark.SAME, "".join(old[at:])))
    return _tidy(runs)


def _by_atoms(old: str, new: str, steps: Steps) -> tuple[Piece, ...]:
    if not old or not new or not steps.take((len(old) + len(new)) // 2):
        return replaced(old, new)
    a, b = _ATOM.findall(old), _ATOM.findall(new)
    gaps = settle(gaps_between(matches(*encode(a, b), steps, anchored=False), len(a), len(b)), a, b, _border, steps)
    gaps = _merged(gaps, a, b)
    if _unlike(gaps, a, b):
        return replaced(old, new)
    runs: list[tuple[Mark, str]] = []
    at = 0
    for i1, i2, j1, j2 in gaps:
        runs += [(Mark.SAME, "".join(a[at:i1])), (Mark.DELETED, "".join(a[i1:i2])), (Mark.INSERTED, "".join(b[j1:j2]))]
        at = i2
    runs.append((Mark.SAME, "".join(a[at:])))
    return _tidy(runs)


def _merged(gaps: list[Gap], a: Sequence[str], b: Sequence[str]) -> list[Gap]:
    """Gaps without the crumbs between them: a lone equal character, space or comma between two replacements is chance, and reads
    worse than one replacement."""
    out: list[Gap] = []
    for gap in gaps:
        if out:
            i1, i2, j1, j2 = out[-1]
            crumb = "".join(a[i2 : gap[0]][:4])
            words = sum(character.isalnum() for character in crumb)
            sides = [max(g[1] - g[0], g[3] - g[2]) for g in (out[-1], gap)]
            both = i1 < i2 and j1 < j2 and gap[0] < gap[1] and gap[2] < gap[3]
            lone = both if not words else words <= 2 and 2 * len(crumb) <= min(sides)
            if lone and gap[0] - i2 < 3 and "\n" not in crumb:
                out[-1] = (i1, gap[1], j1, gap[3])
                continue
        out.append(gap)
    return out


def _unlike(gaps: list[Gap], a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether so little stayed, or in such crumbs, that the whole reads better as replaced."""
    size_a, size_b = _words(a), _words(b)
    same = size_a - sum(_words(a[i1:i2]) for i1, i2, _, _ in gaps)
    if len(gaps) == 1:
        i1, i2, j1, j2 = gaps[0]
        return i1 < i2 and j1 < j2 and same < 3 and 2 * same < min(size_a, size_b)
    return same < 0.4 * min(size_a, size_b) or (same < 0.5 * max(size_a, size_b) and same < 2.5 * len(gaps))


def _words(atoms: Sequence[str]) -> int:
    """How many of the atoms are words, numbers or CJK characters."""
    return sum(atom[0].isalnum() for atom in atoms)


def _border(before: str, after: str) -> int:
    """How good a place between two atoms, or sentences, is for the edge of a mark."""
    if before[-1] in "\n。；！？;!?":
        return 4
    if before[-1] in "，、：,:）)》”」]】" or after[0] in "（(《“「[【":
        return 3
    return int(before.isspace() or after.isspace() or after[0] in "，。；、：！？,;:")
