"""What the hostile site shows where it is well: a list, a feed and a JSON answer of the same rows, and the pages behind them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from html import escape


@dataclass(frozen=True)
class Row:
    """One row. `href` and `guid` are those of its name unless given; `extra` is markup inside the row, as it is."""

    name: str
    title: str
    date: str = "2026-01-05"
    href: str | None = None
    guid: str | None = None
    extra: str = ""
    raw: str | None = None  # the title as it is in the page, unescaped

    @property
    def link(self) -> str:
        return f"/p/{self.name}.html" if self.href is None else self.href

    @property
    def shown(self) -> str:
        """The title as markup."""
        return escape(self.title) if self.raw is None else self.raw


#: The notice that appears at the recovery.
NEW = Row("after", "关于恢复之后首个事项的通知", "2026-01-11")


def rows(count: int = 20) -> tuple[Row, ...]:
    """`count` rows, newest first."""
    start = date(2025, 12, 20)
    return tuple(Row(f"n{i}", f"关于第{i}项工作的通知", f"{start + timedelta(days=i):%Y-%m-%d}") for i in range(count, 0, -1))


def change(some: Iterable[Row], **of: Row) -> tuple[Row, ...]:
    """The rows with some of them replaced, by name."""
    return tuple(of.get(row.name, row) for row in some)


def each(some: Iterable[Row], **fields: str) -> tuple[Row, ...]:
    """The rows with fields set from templates of their name: `href="/q/{name}.html"`."""
    return tuple(replace(row, **{key: value.format(name=row.name) for key, value in fields.items()}) for row in some)


def html_list(
    some: Iterable[Row], *, head: str = "", before: str = "", after: str = "", meta: str = '<meta charset="utf-8">'
) -> str:
    def title(row: Row) -> str:
        return f'<a href="{escape(row.link)}">{row.shown}</a>' if row.link else f"<b>{row.shown}</b>"

    items = "\n".join(f"<li>{title(row)}<span>{row.date}</span>{row.extra}</li>" for row in some)
    return (
        f"<!DOCTYPE html>\n<html><head>{head}{meta}<title>通知公告</title></head>\n"
        f"<body>{before}<div class='nav'>首页 &gt; 通知公告</div>\n"
        f'<ul class="l">\n{items}\n</ul>\n{after}<div class="foot">主办单位：某部办公厅</div>\n</body></html>\n'
    )


def feed(
    some: Iterable[Row], *, head: str = '<?xml version="1.0" encoding="utf-8"?>', doctype: str = "", guids: bool = True
) -> str:
    items = "".join(
        f"<item><title>{row.shown}</title>"
        + (f"<link>http://127.0.0.1:{{site}}{escape(row.link)}</link>" if row.link else "")
        + (f'<guid isPermaLink="false">{row.guid or row.name}</guid>' if guids and row.guid != "" else "")
        + f"<pubDate>{_rfc822(row.date)}</pubDate>{row.extra}</item>\n"
        for row in some
    )
    return (
        f'{head}{doctype}<rss version="2.0"><channel><title>通知公告</title><link>http://127.0.0.1:{{site}}/</link>'
        f"<description>通知</description>\n{items}</channel></rss>\n"
    )


def catalogue(some: Iterable[Row], **more: object) -> str:
    data = [{"id": row.name, "title": row.title, "date": row.date, "url": row.link} for row in some]
    return json.dumps({"code": 0, "count": len(data), "data": data} | more, ensure_ascii=False)


def document(title: str, *lines: str, extra: str = "") -> str:
    """A notice's own page."""
    text = "".join(f"<p>{line}</p>" for line in lines)
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{title}</title></head><body><h1>{title}</h1>{extra}'
        f"<div id='zoom'>{text}</div></body></html>\n"
    )


def error_page(title: str, words: str = "") -> bytes:
    """A page that is not the list."""
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1><p>{words}</p></body></html>"
    ).encode()


def _rfc822(day: str) -> str:
    try:
        return f"{date.fromisoformat(day):%d %b %Y} 08:00:00 +0800"
    except ValueError:
        return day


#: kind → (body, media type) of rows; a page has one notice, whose text is the titles of the rows.
BUILD = {
    "list": lambda some: (html_list(some).encode(), "text/html; charset=utf-8"),
    "feed": lambda some: (feed(some).encode(), "application/rss+xml; charset=utf-8"),
    "json": lambda some: (catalogue(some).encode(), "application/json"),
    "page": lambda some: (document("办事指南", *(row.title for row in some)).encode(), "text/html; charset=utf-8"),
}

#: kind → its keys in the configuration.
OPTIONS = {
    "list": 'items = "ul.l > li"\ndate = "span"\n',
    "feed": "",
    "json": 'items = "data"\nkey = "id"\ntitle = "title"\ndate = "date"\nlink = "url"\n',
    "page": 'select = "#zoom"\n',
}
