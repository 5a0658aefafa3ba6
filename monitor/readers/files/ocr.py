"""Words in pictures: what an engine recognises becomes lines of a page, in reading order. It runs no program.

`rapidocr` is a library and works here; what the program tesseract prints is taken up by `from_table`. `ENGINES` are their names
with the number that grows when the same picture would be read differently by our own doing.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from monitor.readers.files.align import aligned, beside
from monitor.readers.files.nouns import Line, Page, Unreadable

RAPIDOCR, TESSERACT = "rapidocr/1", "tesseract/1"
#: What is recognised with less certainty (of 1) is left out.
_SURE = 0.5
#: The same of tesseract's words (of 100); but in a line of which half the words are surer than the last number, hardly any is
#: left out: right ones are often unsure there.
_SURE_WORD, _SURE_AMONG, _SURE_LINE = 30.0, 10.0, 60.0
#: Pieces on one line that are further apart (letter sizes) have a space between them.
_APART = 1.0


def rapidocr(picture: bytes) -> Page:
    """The words of a picture, by the library rapidocr with the models that it brings along."""
    width, height = size(picture)
    found = _engine()(picture)
    pieces = []
    for box, text, score in zip(
        *(part if part is not None else () for part in (found.boxes, found.txts, found.scores)), strict=True
    ):
        if score >= _SURE and text.strip():
            xs, ys = [float(point[0]) for point in box], [float(point[1]) for point in box]
            pieces.append(Line(text.strip(), min(xs), max(xs), min(ys), max(ys)))
    return Page(tuple(aligned(pieces, _APART)), width, height)


@cache
def _engine() -> Any:
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "critical"})


def size(picture: bytes) -> tuple[int, int]:
    """Width and height of a grey picture (PGM), as they stand in its first bytes."""
    found = re.match(rb"P5 (\d{1,6}) (\d{1,6}) 255\n", picture)
    if found is None:
        raise Unreadable("is no grey picture")
    return int(found[1]), int(found[2])


def from_table(table: str, picture: bytes) -> Page:
    """The words of a picture, from what tesseract prints (TSV): words with their places, by block, paragraph and line."""
    width, height = size(picture)
    rows = [row.split("\t") for row in table.splitlines()[1:]]
    found: dict[tuple[str, ...], list[tuple[float, Line]]] = {}
    for row in rows:
        if len(row) != 12 or row[0] != "5" or not row[11].strip():
            continue
        left, top, wide, high = (float(value) for value in row[6:10])
        line = Line(row[11].strip(), left, left + wide, top, top + high)
        found.setdefault(tuple(row[1:5]), []).append((float(row[10]), line))
    lines: list[Line] = []
    for words in found.values():
        usual = sorted(sure for sure, _ in words)[len(words) // 2]
        least = _SURE_AMONG if usual >= _SURE_LINE else _SURE_WORD
        kept = [word for sure, word in words if sure >= least]
        lines += [beside(kept, _APART)] if kept else []
    said = tuple(line for line in lines if any(map(str.isalnum, line.text)))  # a rule or a speck is taken for a bracket
    return Page(said, width, height)
