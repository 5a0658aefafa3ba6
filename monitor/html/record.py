"""The record of an official page: what it states of a document beside its text (发文字号, 发文机关 …), as names and values.

It stands in a table, a list of terms or lines with a colon, above or beside the text. Names are those that sites use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from monitor.html import dom
from monitor.html.dom import Element

#: Longer values are no value of a record; more labels are no record; a shorter title is none.
_VALUE, _MOST, _LINES, _SHORTEST = 300, 20, 400, 4
_NAMES = (
    "索引号", "信息索引号", "主题分类", "发文机关", "发文机构", "发文单位", "发布机构", "发布机关", "发布单位", "制发机关",
    "公布机关", "制定机关", "成文日期", "发文日期", "签发日期", "公布日期", "发布日期", "公开日期", "施行日期", "生效日期",
    "发文字号", "文号", "发布文号", "公文种类", "有效性", "公文时效", "主题词", "危害级别", "危害等级",
)  # fmt: skip


def _named(names: Sequence[str]) -> re.Pattern[str]:
    """A name with its value behind a colon, or alone; sites space its characters out ("标　题")."""
    any_ = "|".join(r"\s*".join(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"[【\[(（]?\s*({any_})\s*(?:[】\])）]\s*[:：]?|[:：]|$)\s*(.*)")


_NAME = _named(_NAMES)
_TITLE = _named(("标题", "文件标题", "信息名称", "文件名称"))
#: Where a value ends and, on the same line, the next name begins.
_NEXT = re.compile(r"\s+[\u4e00-\u9fff]{2,6}\s*[:：]")
_CELL = re.compile(r"\s\|(?:\s|$)")
_EMPTY = re.compile(r"[-—/|无\s]*")
#: Elements that hold a value without its name.
_ELEMENTS: Mapping[str, str] = {".xxgk-fwzh": "发文字号"}


def record(root: Element, lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The labels of a page's record; `lines` are its text outside of the document, and where that begins."""
    found: dict[str, str] = {}
    for css, name in _ELEMENTS.items():
        for element in dom.matches(root, (css,)):
            _keep(found, name, dom.line_of(element))
    for name, value in _rows(lines, _NAME):
        _keep(found, name, value)
    return tuple(found.items())[:_MOST]


def recorded_title(lines: Sequence[str]) -> str | None:
    """The title that the record gives, in a row of a table."""
    return next((value for _, value in _rows([line for line in lines if "|" in line], _TITLE) if len(value) >= _SHORTEST), None)


def _rows(lines: Sequence[str], names: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for line in lines[:_LINES]:
        cells = [cell.strip() for cell in _CELL.split(line)]
        for place, cell in enumerate(cells):
            named = names.fullmatch(cell) if len(cell) <= _VALUE + 20 else None
            if named is None:
                continue
            value = named[2].strip() or (cells[place + 1] if place + 1 < len(cells) else "")
            if value and not _NAME.fullmatch(value):
                yield re.sub(r"\s", "", named[1]), _NEXT.split(value)[0].strip()


def _keep(found: dict[str, str], name: str, value: str) -> None:
    if name not in found and len(value) <= _VALUE and not _EMPTY.fullmatch(value):
        found[name] = value
