"""The reader of spreadsheets: xlsx, xlsb, xls, ods, and et, which WPS writes in the form of xls or xlsx.

Each sheet is headed by its name; a row is a line, its cells apart by ` | `. What a cell shows is told as its value: a formula by
its result, a date as 2026-01-08. Hidden sheets are left out, and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

from monitor.readers.files.nouns import Unreadable

#: Cells that are read of one file.
MOST_CELLS = 2_000_000


def read(data: bytes) -> tuple[str, str | None]:
    """The text, and what is missing of it."""
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        return _sheets(book, calamine.SheetVisibleEnum.Visible, calamine.SheetTypeEnum.WorkSheet)
    except calamine.PasswordError:
        raise Unreadable("is encrypted and asks for a password") from None
    except (calamine.CalamineError, ValueError, OverflowError):
        raise Unreadable("is no whole spreadsheet: it was cut off, or is damaged") from None


def _sheets(book: Any, visible: object, worksheet: object) -> tuple[str, str | None]:
    lines: list[str] = []
    hidden: list[str] = []
    left = MOST_CELLS
    for about in book.sheets_metadata:
        if about.typ != worksheet:
            continue
        if about.visible != visible:
            hidden.append(about.name)
            continue
        rows = book.get_sheet_by_name(about.name).to_python(skip_empty_area=True)
        lines += ["", f"[{about.name}]"]
        for row in rows:
            left -= len(row)
            if left < 0:
                return "\n".join(lines), f"only its first {MOST_CELLS} cells were read"
            if said := _row(row):
                lines.append(said)
    return "\n".join(lines), f"hidden sheets are left out: {', '.join(hidden)}" if hidden else None


def _row(row: Sequence[object]) -> str:
    cells = [_cell(cell) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return " | ".join(cells)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date | time | timedelta):
        return str(value)
    return " ".join(str(value).replace("|", "｜").split())
