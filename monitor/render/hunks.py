"""A `Diff` for eyes: text for a terminal or IM, Markdown, HTML for mail, a unified diff for `patch`. It compares nothing.

What did not change is folded ("… 12 段未变 …"), between paragraphs and inside a long one; the clauses a hunk stands under are
named above it. Control, bidirectional and zero-width characters, and white space that itself changed, are shown as visible signs
(but in `unified`, which is exact). An empty string means that nothing changed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from monitor.diff import Diff, Edit, Mark, Piece, clause
from monitor.render.escape import html as html_safe
from monitor.render.escape import markdown as markdown_safe
from monitor.render.escape import plain

_NEAR = 30  # characters of an unchanged run kept on each side of a change
_FEW = 2  # unchanged paragraphs between two hunks that are shown, not folded
_CLIPS = (60, 20, 6)  # characters kept of a long piece where less than an eighth of the room is still too much
_WORTH_TRYING = 20_000  # changed characters that are laid out in full to see whether they fit
_CONTEXT = 3  # lines, of a unified diff

_WORDS = {
    "zh": {"fold": "… {n} 段未变 …", "more": "… 另有 {n} 处改动", "clip": "…（{n} 字）…"},
    "en": {"fold": "… {n} paragraphs unchanged …", "more": "… {n} more changes", "clip": "…({n} characters)…"},
}
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
_WHITE = str.maketrans({" ": "␣", "\u3000": "␣", "\xa0": "␣", "\t": "⇥", "\n": "⏎", "\r": "␍"})


def text(d: Diff, *, limit: int | None = None, colour: bool = False, language: str = "zh") -> str:
    """Lines `- old` and `+ new`, what changed inside them as 【-30-】 and 【+15+】; with `colour`, by ANSI colours instead.
    At most `limit` characters, cut between paragraphs, with the number of changes left out. `language` is zh or en."""
    style = _Coloured() if colour else _Plain()
    return _assemble(d, style, limit, _words(language))


def markdown(d: Diff, *, limit: int | None = None, language: str = "zh") -> str:
    """Each edited paragraph once, with ~~deleted~~ and **inserted**, as CommonMark with GitHub's strike-through. The text's own
    marks, HTML, links and mentions are made harmless. `limit` and `language` as for `text`."""
    return _assemble(d, _Markdown(), limit, _words(language))


def html(d: Diff, *, limit: int | None = None, language: str = "zh") -> str:
    """A run of `<p>` elements with `<del>` and `<ins>`, escaped, styled inline (mail clients drop style sheets). `limit` and
    `language` as for `text`."""
    return _assemble(d, _Html(), limit, _words(language))


def unified(a_name: str, b_name: str, d: Diff, *, limit: int | None = None, language: str = "zh") -> str:
    """A unified diff with three lines of context, exact to the byte (POSIX `diff -u`, GNU "\\ No newline at end of file"). Over
    `limit` characters it is cut between hunks, and a last line, which `patch` passes over, says how many changes are left out."""
    words = _words(language)
    groups = _grouped(d)
    if not groups:
        return ""
    out = [f"--- {_file_name(a_name)}\n+++ {_file_name(b_name)}\n"]
    room = sys.maxsize if limit is None else limit - len(out[0])
    left = sum(len(hunk.edits) for hunk in d.hunks)
    for start, stop in groups:
        part = _unified_hunk(d, start, stop)
        inside = sum(len(hunk.edits) for hunk in d.hunks[start:stop])
        after = _say(words, "more", left - inside) if inside < left else ""
        if len(part) + len(after) > room:
            out.append(_say(words, "more", left))
            break
        out.append(part)
        room -= len(part)
        left -= inside
    return "".join(out) if limit is None or len("".join(out)) <= limit else ""


# ---- rows, in any format ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """What stands before an edit (clauses, a fold, unchanged paragraphs), and the edit; at the end, a row without one."""

    heading: tuple[str, ...]
    folded: int
    same: tuple[str, ...]
    edit: Edit | None


class _Style:
    """How one format shows each thing; `between` separates them."""

    between = "\n"

    def words(self, words: str) -> str:
        """The program's own words."""
        return words

    def heading(self, names: tuple[str, ...]) -> str:
        raise NotImplementedError

    def same(self, line: str) -> str:
        raise NotImplementedError

    def edit(self, runs: list[Piece]) -> str:
        raise NotImplementedError


def _words(language: str) -> dict[str, str]:
    if language not in _WORDS:
        raise ValueError(f"language {language!r} is not known: use {' or '.join(_WORDS)}")
    return _WORDS[language]


def _say(words: dict[str, str], key: str, n: int) -> str:
    said = words[key].format(n=f"{n:,}")
    return said.replace("paragraphs", "paragraph").replace("changes", "change") if n == 1 else said


def _assemble(d: Diff, style: _Style, limit: int | None, words: dict[str, str]) -> str:
    """All rows, if they fit; else the first ones and the number of edits left out. The first edit is shortened until it fits."""
    if limit is not None:
        changed = sum(len(piece.text) for h in d.hunks for e in h.edits for piece in e.pieces if piece.mark is not Mark.SAME)
        whole = _assemble(d, style, None, words) if changed <= max(limit, _WORTH_TRYING) else ""
        if 0 < len(whole) <= limit:
            return whole
    left = sum(len(hunk.edits) for hunk in d.hunks)
    out: list[str] = []
    room = sys.maxsize if limit is None else limit  # a separator is counted with what stands before it
    for row in _rows(d):
        before = _before(row, style, words)
        gap = len(style.between) * bool(out)
        if row.edit is None:
            out += [part for part in before if len(part) + gap <= room]
            break
        more = style.words(_say(words, "more", left - 1)) if left > 1 else ""
        part = _fitting(row.edit, before, style, words, room - gap - len(more) - len(style.between) * bool(more), first=not out)
        if not part:
            said = style.words(_say(words, "more", left))
            out += [said] if len(said) + gap <= room else []
            break
        room -= gap + len(part)
        left -= 1
        out.append(part)
    return style.between.join(out)


def _fitting(edit: Edit, before: list[str], style: _Style, words: dict[str, str], room: int, *, first: bool) -> str:
    """The edit and what stands before it in at most `room` characters; empty if it does not fit. The first is shortened: its long
    pieces, then what stands before it, then its later pieces."""
    if room <= 0:
        return ""
    clips = [*(room * eighths // 8 for eighths in (8, 6, 4, 2, 1)), *_CLIPS] if first else [room]
    for clip in clips:
        runs = _shown(edit, clip, words)
        part = style.between.join([*before, style.edit(runs)])
        if len(part) <= room:
            return part
    while first and runs:
        part = style.edit(runs)
        if len(part) <= room:
            return part
        runs = [*runs[: len(runs) // 2], Piece(Mark.SAME, "…")] if len(runs) > 2 else []
    return ""


def _rows(d: Diff) -> Iterator[_Row]:
    at = 0
    heading: tuple[str, ...] = ()
    for hunk in d.hunks:
        same = d.old[at : hunk.old_start]
        few = at > 0 and len(same) <= _FEW
        new_heading = hunk.heading if hunk.heading != heading else ()
        heading = hunk.heading
        for n, edit in enumerate(hunk.edits):
            if n:
                yield _Row((), 0, (), edit)
            else:
                yield _Row(new_heading, 0 if few else _told(same), same if few else (), edit)
        at = hunk.old_stop
    if d.hunks:
        yield _Row((), _told(d.old[at:]), (), None)


def _told(lines: tuple[str, ...]) -> int:
    """How many of the lines are paragraphs."""
    return sum(not line.isspace() for line in lines)


def _before(row: _Row, style: _Style, words: dict[str, str]) -> list[str]:
    out = [style.words(_say(words, "fold", row.folded))] if row.folded else []
    if row.heading:
        out.append(style.heading(row.heading))
    return out + [
        style.same(_visible(_short(line.strip("\n"), before=False, after=False))) for line in row.same if not line.isspace()
    ]


def _shown(edit: Edit, clip: int, words: dict[str, str]) -> list[Piece]:
    """The pieces as they are to be read: unchanged runs folded, hidden characters visible, at most `clip` characters of each."""
    out = []
    last = len(edit.pieces) - 1
    for at, piece in enumerate(edit.pieces):
        shown = piece.text
        if piece.mark is Mark.SAME:
            before, after = at > 0, at < last
            shown = _short(shown.removesuffix("\n") if not after else shown, before=before, after=after)
        elif shown.isspace():
            shown = shown.translate(_WHITE)
        elif last == 0 or all(other.mark is not Mark.SAME for other in edit.pieces):
            shown = shown.removesuffix("\n")
        if len(shown) > clip:
            half = max(clip // 2, 1)
            shown = shown[:half] + _say(words, "clip", len(shown)) + shown[-half:]
        if shown:
            out.append(Piece(piece.mark, _visible(shown)))
    return out


def _short(same: str, *, before: bool, after: bool) -> str:
    """An unchanged run without its middle; `before` and `after` say whether a change stands there. The mark of the last clause
    that begins in it is kept."""
    if len(same) <= 2 * _NEAR + 6:
        return same
    head = same[:_NEAR] if before or not after else ""
    tail = same[-_NEAR:] if after else ""
    middle = same[len(head) : len(same) - len(tail)]
    if after:
        opening = clause(same) if not before else None
        inner = re.findall(r"(?:^|(?<=[。；\s]))第[0-9一二三四五六七八九十百千零〇]{1,6}条", middle)
        name = inner[-1] if inner else opening[1] if opening else ""
        return f"{head}…{name}…{tail}" if name else f"{head}…{tail}"
    return f"{head}…"


def _visible(shown: str) -> str:
    return _HIDDEN.sub(_sign, shown)


def _sign(found: re.Match[str]) -> str:
    """A control character as its picture (U+2400 …), any other as its number."""
    code = ord(found.group())
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else f"\\u{code:04x}"


# ---- the formats -----------------------------------------------------------------------------------------------------------


def _by_line(runs: list[Piece]) -> list[list[Piece]]:
    lines: list[list[Piece]] = [[]]
    for run in runs:
        for n, part in enumerate(run.text.split("\n")):
            if n:
                lines.append([])
            if part:
                lines[-1].append(Piece(run.mark, part))
    return lines


def _joined(runs: list[Piece]) -> list[Piece]:
    """Neighbours of one mark as one: where the other side's piece is left out, what becomes whole must be escaped as a whole."""
    return [Piece(mark, "".join(run.text for run in group)) for mark, group in groupby(runs, key=lambda run: run.mark)]


def _safe(escape: Callable[[str], str], shown: str, *, opening: bool = False) -> str:
    """Part of a line made harmless. White space at its ends stays, as spaces. Only a part that opens its line is
    taken for what could begin a list, a heading or a number; one that ends in "<" or "@" could begin a tag or a mention."""
    core = shown.strip()
    if not core:
        return " " * bool(shown)
    head = " " * (len(shown) - len(shown.lstrip()))
    tail = " " * (len(shown) - len(shown.rstrip()))
    if not core.isalnum():
        core = core[:-1] + {"<": "＜", "@": "＠"}.get(core[-1], core[-1])
        core = escape(core) if opening else escape("。" + core)[1:]
    return head + core + tail


class _Plain(_Style):
    def heading(self, names: tuple[str, ...]) -> str:
        return "§ " + plain(_visible(" › ".join(names)))

    def same(self, line: str) -> str:
        return "  " + plain(line)

    def edit(self, runs: list[Piece]) -> str:
        if all(run.mark is Mark.SAME for run in runs):  # a moved paragraph that the comparison had no steps left to match
            return "\n".join("  " + "".join(_safe(plain, run.text) for run in line) for line in _by_line(runs))
        whole = not any(run.mark is Mark.SAME and run.text.strip() for run in runs)
        sides = [self.side(runs, mark, sign, whole) for mark, sign in ((Mark.DELETED, "- "), (Mark.INSERTED, "+ "))]
        return "\n".join(side for side in sides if side)

    def side(self, runs: list[Piece], mark: Mark, sign: str, whole: bool) -> str:
        """One side of an edit, each of its lines with its sign; empty if it has none."""
        kept = [run for run in runs if run.mark in (mark, Mark.SAME)]
        if not kept or (whole and all(run.mark is Mark.SAME for run in kept)):
            return ""
        return "\n".join(sign + "".join(self.marked(run, whole) for run in _joined(line)) for line in _by_line(kept))

    def marked(self, run: Piece, whole: bool) -> str:
        body = _safe(plain, run.text)
        if run.mark is Mark.SAME or whole:
            return body
        sign = "-" if run.mark is Mark.DELETED else "+"
        return f"【{sign}{body}{sign}】"


class _Coloured(_Plain):
    def words(self, words: str) -> str:
        return f"\x1b[2m{words}\x1b[0m"

    def heading(self, names: tuple[str, ...]) -> str:
        return f"\x1b[36m{super().heading(names)}\x1b[0m"

    def side(self, runs: list[Piece], mark: Mark, sign: str, whole: bool) -> str:
        colour = "31" if mark is Mark.DELETED else "32"
        lines = super().side(runs, mark, sign, whole)
        return "\n".join(f"\x1b[{colour}m{line}\x1b[0m" for line in lines.split("\n")) if lines else ""

    def marked(self, run: Piece, whole: bool) -> str:
        body = _safe(plain, run.text)
        return body if run.mark is Mark.SAME or whole else f"\x1b[7m{body}\x1b[27m"


#: U+2060, neither white space nor punctuation to CommonMark: ** beside it opens and closes whatever stands around.
_JOINER = "\u2060"
_URL_AT_END = re.compile(r"(?:://|(?<![a-z0-9])www\.)(?=\S*$)", re.IGNORECASE)


class _Markdown(_Style):
    between = "\n\n"

    def heading(self, names: tuple[str, ...]) -> str:
        return "§ " + _safe(markdown_safe, _visible(" › ".join(names)))

    def same(self, line: str) -> str:
        return _safe(markdown_safe, line.strip(), opening=True)

    def edit(self, runs: list[Piece]) -> str:
        blocks = ["".join(self.marked(run, n == 0, n == len(line) - 1) for n, run in enumerate(line)) for line in _by_line(runs)]
        return self.between.join(block.strip() for block in blocks if block.strip())

    def marked(self, run: Piece, first: bool, last: bool) -> str:
        """`first` and `last` of its line: white space at the ends of a line, which could make it code or a hard break, is left
        out. An address that ends at a mark would swallow it; it is taken apart."""
        body = _safe(markdown_safe, run.text.lstrip() if first else run.text, opening=first and run.mark is Mark.SAME)
        if run.mark is not Mark.SAME or not last:
            body = _URL_AT_END.sub(lambda found: found[0][:-1] + _JOINER + found[0][-1], body)
        if run.mark is Mark.SAME or not body:
            return body
        sign = "~~" if run.mark is Mark.DELETED else "**"
        return f"{sign}{'' if body[0].isalnum() else _JOINER}{body}{'' if body[-1].isalnum() else _JOINER}{sign}"


_DELETED = "color:#9b1c1c;background-color:#fde8e8;text-decoration:line-through"
_INSERTED = "color:#03543f;background-color:#def7ec;text-decoration:none"
_QUIET = "color:#6b7280;margin:0 0 6px"


class _Html(_Style):
    def words(self, words: str) -> str:
        return f'<p style="{_QUIET}">{words}</p>'

    def heading(self, names: tuple[str, ...]) -> str:
        return self.same("§ " + _visible(" › ".join(names)))

    def same(self, line: str) -> str:
        return f'<p style="{_QUIET}">{_safe(html_safe, line)}</p>'

    def edit(self, runs: list[Piece]) -> str:
        lines = ["".join(self.marked(run) for run in line) for line in _by_line(runs)]
        return f'<p style="margin:0 0 6px">{"<br>".join(lines)}</p>'

    def marked(self, run: Piece) -> str:
        body = _safe(html_safe, run.text)
        if run.mark is Mark.SAME:
            return body
        tag, style = ("del", _DELETED) if run.mark is Mark.DELETED else ("ins", _INSERTED)
        return f'<{tag} style="{style}">{body}</{tag}>'


# ---- unified ---------------------------------------------------------------------------------------------------------------


def _grouped(d: Diff) -> list[tuple[int, int]]:
    """Ranges of hunks that share their lines of context."""
    groups: list[tuple[int, int]] = []
    for at, hunk in enumerate(d.hunks):
        if groups and hunk.old_start - d.hunks[at - 1].old_stop <= 2 * _CONTEXT:
            groups[-1] = (groups[-1][0], at + 1)
        else:
            groups.append((at, at + 1))
    return groups


def _unified_hunk(d: Diff, start: int, stop: int) -> str:
    first, last = d.hunks[start], d.hunks[stop - 1]
    lead = min(_CONTEXT, first.old_start)
    i1, j1 = first.old_start - lead, first.new_start - lead
    i2 = min(last.old_stop + _CONTEXT, len(d.old))
    j2 = last.new_stop + i2 - last.old_stop
    out = [f"@@ -{_range(i1, i2)} +{_range(j1, j2)} @@\n"]
    at = i1
    for hunk in d.hunks[start:stop]:
        out += [_unified_line(" ", line) for line in d.old[at : hunk.old_start]]
        out += [_unified_line("-", line) for line in d.old[hunk.old_start : hunk.old_stop]]
        out += [_unified_line("+", line) for line in d.new[hunk.new_start : hunk.new_stop]]
        at = hunk.old_stop
    out += [_unified_line(" ", line) for line in d.old[at:i2]]
    return "".join(out)


def _unified_line(sign: str, line: str) -> str:
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _range(start: int, stop: int) -> str:
    """Lines as POSIX writes them: from 1, the line before for an empty range, the length left out where it is 1."""
    n = stop - start
    return f"{start + 1}" if n == 1 else f"{start + bool(n)},{n}"


def _file_name(name: str) -> str:
    """A name that stays on its line; a tab ends one that holds a space, as git writes it."""
    name = "".join("_" if char.isspace() and char != " " else char for char in _visible(name))
    return name + "\t" if " " in name else name
