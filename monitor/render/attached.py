"""What a notice's files and pictures say, in two versions of it: which texts are others. It compares and shows no characters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.diff import clause
from monitor.model import Attachment
from monitor.text import glued, is_wide

_ENDS = re.compile(r"[。！？；：…][”’」』）)》]*$")
#: A line shorter than this, at the end of a page, is a heading, and complete.
_SHORT = 15


@dataclass(frozen=True, slots=True)
class Reworded:
    """A file whose text is another. `name` is "" for the pictures of a page, which are one text."""

    name: str
    old: str
    new: str


def reworded(before: Sequence[Attachment], after: Sequence[Attachment]) -> list[Reworded]:
    """The files that both versions have, at one address or under one name, and whose texts are known and differ; then the words
    of their pictures, if they do."""
    old, new = ([one for one in files if one.kind == "file"] for files in (before, after))
    found = []
    for a, b in _pairs(old, new):
        if a.text is not None and b.text is not None and a.text != b.text:
            found.append(Reworded(b.name or b.url, a.text, b.text))
    was, now = words_of_pictures(before), words_of_pictures(after)
    if was and now and was != now:
        found.append(Reworded("", was, now))
    return found


def _pairs(old: Sequence[Attachment], new: Sequence[Attachment]) -> Iterable[tuple[Attachment, Attachment]]:
    at = {one.url: one for one in old}
    kept = {one.url for one in new}
    named = {one.name: one for one in old if one.url not in kept}  # a file that was put under another address
    for one in new:
        match = at.get(one.url) or named.get(one.name)
        if match is not None:
            yield match, one


def pictures(files: Iterable[Attachment]) -> list[Attachment]:
    """The pictures among them, in the page's order."""
    return [one for one in files if one.kind == "picture"]


def words_of_pictures(files: Iterable[Attachment]) -> str:
    """The words of a page's pictures as one text; "" while none are known."""
    return joined(one.text for one in pictures(files) if one.text)


def joined(texts: Iterable[str]) -> str:
    """Texts of pages of which no places are known: a paragraph that stops in the middle of a sentence goes on with the next."""
    out = ""
    for each in filter(None, texts):
        last, first = out.rpartition("\n")[2], each.partition("\n")[0]
        stops = len(last) < _SHORT or _ENDS.search(last) or "|" in last or not is_wide(last[-1:])
        out = f"{out}\n{each}" if stops or clause(first) else glued(out, each)
    return out.strip("\n")
