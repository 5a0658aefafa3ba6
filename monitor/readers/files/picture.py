"""Pictures: how large they are, and the strips in which their words are recognised. It recognises nothing itself.

A long picture (an article as one screenshot) is cut where no letter is: at rows of one colour. Small pictures hold no words.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from monitor.readers.files.nouns import Unreadable

#: A picture with more pixels is not opened; one flatter, narrower or smaller (pixels) than this holds no words worth reading.
MOST_PIXELS, LEAST_WIDTH, LEAST_HEIGHT, LEAST_PIXELS = 150_000_000, 100, 24, 20_000
#: A strip is at most so high (pixels, for a picture `_WIDTH` wide), and is cut in its last part where that can be.
_STRIP, _WIDTH, _SEARCHED = 2400, 1200, 0.5
#: Grey values by which a row may vary and still be blank, and how many such rows make a gap between lines.
_BLANK, _GAP = 24, 4
MOST_STRIPS = 100


def strips(data: bytes) -> tuple[tuple[int, int], ...]:
    """The strips of a picture, as (top, bottom) in pixels; none where it is too small for words."""
    picture = _opened(data)
    width, height = picture.size
    if width < LEAST_WIDTH or height < LEAST_HEIGHT or width * height < LEAST_PIXELS:
        return ()
    most = max(int(_STRIP * max(width, 400) / _WIDTH), 600)
    grey = _grey(picture)
    found: list[tuple[int, int]] = []
    top = 0
    while height - top > most and len(found) < MOST_STRIPS - 1:
        bottom = _cut(grey, top + int(most * (1 - _SEARCHED)), top + most)
        found.append((top, bottom))
        top = bottom
    return (*found, (top, min(height, top + most)))


def strip(data: bytes, number: int) -> bytes:
    """Strip `number` (from 1) as a grey picture (PGM)."""
    top, bottom = strips(data)[number - 1]
    picture = _opened(data)
    part = _grey(picture).crop((0, top, picture.size[0], bottom))
    return b"P5 %d %d 255\n" % part.size + bytes(part.tobytes())


def _opened(data: bytes) -> Any:
    from PIL import Image, UnidentifiedImageError
    from PIL.Image import open as opened  # bytes in memory

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        picture = opened(BytesIO(data))
        if picture.size[0] * picture.size[1] > MOST_PIXELS:
            raise Unreadable(f"is a picture of more than {MOST_PIXELS // 1_000_000} megapixels")
        picture.load()
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Image.DecompressionBombError,
        KeyError,
        IndexError,
    ):
        raise Unreadable("is no whole picture: it was cut off, or is damaged") from None
    return picture


def _grey(picture: Any) -> Any:
    """In grey, on white where it is transparent."""
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        shown = picture.convert("RGBA")
        white = Image.new("RGBA", shown.size, (255, 255, 255, 255))
        white.alpha_composite(shown)
        picture = white
    return picture.convert("L")


def _cut(grey: Any, first: int, last: int) -> int:
    """The row between two at which to cut: in the lowest gap between lines; where there is none, at the row that varies least."""
    width = grey.size[0]
    blank = 0
    best, least = last, 256
    for row in range(last - 1, first, -1):
        low, high = grey.crop((0, row, width, row + 1)).getextrema()
        if high - low <= _BLANK:
            blank += 1
            if blank >= _GAP:
                return row + _GAP // 2
        else:
            blank = 0
        if high - low < least:
            best, least = row, high - low
    return best
