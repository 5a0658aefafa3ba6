"""Two texts become hunks: which paragraphs changed, and which characters inside them. It shows nothing (`render/hunks.py` does)
and judges nothing: every difference of the two strings is in the result, `apply(diff(a, b), a) == b`.

Two levels of `difflib`, always with `autojunk=False` (its default takes every frequent character or line for noise, and reports
47,170 changed lines where 368 changed): `matching` finds the paragraphs that stayed, `paragraphs` which of the others are one
paragraph, edited, and `atoms` the characters that changed inside; `clauses` knows 第三条, （一） and table rows. All work is
counted in steps, never in seconds, so the same texts give the same hunks on every machine; when the steps are used up, what is
left is given as replaced whole.
"""

from __future__ import annotations

from monitor.diff.clauses import clause, open_clauses
from monitor.diff.matching import Steps, encode, gaps_between, matches, settle
from monitor.diff.nouns import Diff, Edit, Hunk, Mark, Piece
from monitor.diff.paragraphs import edits

__all__ = ["Diff", "Edit", "Hunk", "Mark", "Piece", "apply", "clause", "diff"]

#: Steps for matching paragraphs, and for pairing them and matching inside; a step is about a microsecond.
LINE_STEPS = 600_000
INNER_STEPS = 600_000


def diff(a: str, b: str) -> Diff:
    """What has to be changed in `a` to get `b`. Any strings; CPU time is bounded (about a second at 1 MB, whatever they hold)."""
    old, new = _lines(a), _lines(b)
    if a == b:
        return Diff(old, new, ())
    steps = Steps(LINE_STEPS)
    gaps = gaps_between(matches(*encode(old, new), steps, anchored=True), len(old), len(new))
    gaps = settle(gaps, old, new, _border, steps)
    steps = Steps(INNER_STEPS)
    hunks = []
    above = 0
    under: tuple[tuple[int, str], ...] = ()
    for i1, i2, j1, j2 in gaps:
        under = open_clauses(new, above, j1, under)
        above = j1
        own = clause(new[j1] if j1 < j2 else old[i1])
        heading = tuple(name for level, name in under if own is None or level < own[0])
        hunks.append(Hunk(i1, i2, j1, j2, tuple(edits(old[i1:i2], new[j1:j2], steps)), heading))
    return Diff(old, new, tuple(hunks))


def apply(d: Diff, a: str) -> str:
    """The text that `d` makes of `a`, put together from `a` and the pieces of the hunks. ValueError: `d` was made of another."""
    old = _lines(a)
    if old != d.old:
        raise ValueError("the diff was made of another text than this one")
    out: list[str] = []
    at = 0
    for hunk in d.hunks:
        gone = [piece.text for edit in hunk.edits for piece in edit.pieces if piece.mark is not Mark.INSERTED]
        if "".join(gone) != "".join(old[hunk.old_start : hunk.old_stop]):
            raise ValueError(f"the diff does not fit the text at line {hunk.old_start + 1}")
        out += old[at : hunk.old_start]
        out += [piece.text for edit in hunk.edits for piece in edit.pieces if piece.mark is not Mark.DELETED]
        at = hunk.old_stop
    out += old[at:]
    return "".join(out)


def _lines(text: str) -> tuple[str, ...]:
    """The lines of a text with their "\\n" (no other character ends a line: `patch` counts so too)."""
    parts = text.split("\n")
    last = parts.pop()
    return (*[part + "\n" for part in parts], last) if last else tuple([part + "\n" for part in parts])


def _border(before: str, after: str) -> int:
    """How good a place between two paragraphs is for the edge of a hunk: a clause begins, or a blank line ends."""
    return 2 * (clause(after) is not None) + (not before.strip()) - (not after.strip())
