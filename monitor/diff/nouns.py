"""What a comparison gives: paragraphs, hunks, edits and pieces. It compares nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """What became of a piece of text."""

    SAME = "same"
    DELETED = "deleted"
    INSERTED = "inserted"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters, never empty, that stayed, went or came."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One paragraph edited, or one run of whole paragraphs deleted (`new` is None) or inserted (`old` is None), with their line
    ends. The same and deleted `pieces` joined are `old`, the same and inserted ones are `new`; where both changed, the
    deleted piece stands before the inserted one."""

    old: str | None
    new: str | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Hunk:
    """Neighbouring paragraphs that changed: `Diff.old[old_start:old_stop]` became `Diff.new[new_start:new_stop]`. `heading` names
    the clauses it stands under, outermost first: ("第二章 义务", "第三条")."""

    old_start: int
    old_stop: int
    new_start: int
    new_stop: int
    edits: tuple[Edit, ...]
    heading: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """The paragraphs (lines with their "\\n") of both texts and the hunks in which they differ, in order and never touching."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    hunks: tuple[Hunk, ...]
