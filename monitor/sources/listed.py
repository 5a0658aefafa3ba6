"""Rows of an HTML list become notices: which rows are one, and by what each is known. It reads no HTML.

A row is known by its address. Rows that lead to one address are one notice that is shown twice (its picture and its title, a
headline and its place in the list), unless their dates, the places they name on the page, or their titles say that they are
several.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from monitor import text, urls
from monitor.model import Notice, Source, When
from monitor.sources import rows
from monitor.sources.rows import Row

#: One notice's rows stand near one another: with so many of those before that have its address a row is compared.
_NEAR = 100


def notices(source: Source, found: Sequence[Row]) -> tuple[Notice, ...]:
    """Notices in the order of their first row; rows that are one have the longer title. Only rows that share their address with
    another notice are known by more than that."""
    kept: list[Row] = []
    places: dict[str, list[int]] = {}
    for row in found:
        at = places.setdefault(_address(row), [])
        same = next((place for place in at[-_NEAR:] if _one(kept[place], row)), None)
        if same is None:
            at.append(len(kept))
            kept.append(row)
        else:
            kept[same] = _merged(kept[same], row)
    keys = [_keys(row) if len(places[_address(row)]) > 1 else iter((_address(row),)) for row in kept]
    return tuple(_notice(source, key, row) for key, row in zip(rows.unshared(keys), kept, strict=True))


def _address(row: Row) -> str:
    return urls.identity(row.url) if row.url else rows.title_key(row.title)


def _one(known: Row, row: Row) -> bool:
    """Whether two rows of one address are one notice."""
    if row.url is None or urls.article(row.url):
        return True
    days = {_day(one.published) for one in (known, row)} - {""}
    if len(days) > 1 or len({known.anchor, row.anchor} - {""}) > 1:
        return False
    titles = text.fold(known.title), text.fold(row.title)
    if titles[0] in titles[1] or titles[1] in titles[0]:
        return True
    # a link "more" beside a title, in a row of its own
    return (known.url, known.anchor) == (row.url, row.anchor) and not (known.published and row.published)


def _day(when: When | None) -> str:
    return when.isoformat()[:10] if when else ""


def _merged(known: Row, row: Row) -> Row:
    return replace(
        known,
        title=max(known.title, row.title, key=len),
        published=known.published or row.published,
        summary=known.summary or row.summary,
        anchor=known.anchor or row.anchor,
    )


def _keys(row: Row) -> Iterator[str]:
    """Candidates for the key of a row whose address another has, best first. What the address alone is told apart by besides
    (`?_=…`) may be made anew at each load, so the title comes before it."""
    if row.anchor:
        yield f"{_address(row)}#{row.anchor}"
    yield rows.title_key(row.title)
    yield rows.title_key(row.title, _day(row.published), row.anchor)
    yield rows.title_key(row.title, _day(row.published), row.anchor, row.url or "", row.summary)


def _notice(source: Source, key: str, row: Row) -> Notice:
    """The notice; where its address alone is not enough, or was not when another row had it, with the other names of its row."""
    address = _address(row)
    url = row.url
    names: tuple[str, ...] = ()
    if url is not None and (key != address or row.anchor or url.partition("://")[2] != address):
        names = tuple(name for name in dict.fromkeys((address, *_keys(row))) if name != key)
    if url is not None and key != address and row.anchor:
        url = f"{url}#{row.anchor}"
    return Notice(source.id, key, url, row.title, row.published, row.summary, names=names)
