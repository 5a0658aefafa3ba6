"""Pieces of text with their places become lines: what stands on one height is one line, from left to right. It reads no file."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from monitor.readers.files.nouns import Line
from monitor.text import glued

#: Pieces on one line that are further apart than this (letter sizes) are cells of a row.
_WIDE_GAP = 1.6
#: And nearer than this, they are one word.
_TOUCHING = 0.12


def aligned(pieces: Iterable[Line], apart: float) -> list[Line]:
    """The lines, from top to bottom. Pieces further apart than `apart` (letter sizes) have a space between them."""
    groups: list[list[Line]] = []
    for piece in sorted(pieces, key=lambda one: one.top + one.bottom):
        middle = (piece.top + piece.bottom) / 2
        group = groups[-1] if groups else []
        if any(one.top + 0.1 * one.size < middle < one.bottom - 0.1 * one.size for one in group):
            group.append(piece)
        else:
            groups.append([piece])
    return [beside(group, apart) for group in groups]


def beside(pieces: Iterable[Line], apart: float) -> Line:
    """Pieces that stand on one line, as one."""
    group = sorted(pieces, key=lambda one: one.left)
    text, row = group[0].text, group[0].row
    sizes = sorted(one.size for one in group)
    usual = sizes[len(sizes) // 2]
    for before, after in pairwise(group):  # OCR gives 一 and 、 for as flat as they are
        gap = (after.left - before.right) / max(before.size, after.size, usual)
        row = row or after.row or gap > _WIDE_GAP
        if gap > apart:
            text = f"{text.rstrip()} {after.text.lstrip()}"
        else:
            text = glued(text, after.text) if gap > _TOUCHING else text + after.text
    middle = sum(one.top + one.bottom for one in group) / (2 * len(group))
    right = max(one.right for one in group)
    return Line(text.strip(), group[0].left, right, middle - usual / 2, middle + usual / 2, row)
