"""Which known notice a row is: by key, by another name of the row, or, where many rows changed together, by address or title.
Pure; whether it says something new is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl

from monitor import text, urls
from monitor.decide.nouns import Known, Memory, Seen
from monitor.model import Notice, When

#: Marks a day in doubt that many rows have anew.
TOGETHER = " with others"


def day_of(when: When | None) -> str | None:
    """The day of a date, by which dates are compared."""
    return None if when is None else when.isoformat()[:10]


def match(
    how: str, memory: Memory, by_key: Mapping[str, Known], known: Sequence[Known], seen: Seen
) -> tuple[dict[str, Known | None], int]:
    """Each row's key with the notice that it is. Where rows are read differently (`how`: how they are read now), or over half of
    the list is under unknown keys while their titles, or those of over half of the list before, are known, they are matched by
    address, then by title; also the number of those that so are found to have another address."""
    matched = {row.key: by_key.get(row.key) for row in seen.rows}
    taken = {k.id for k in matched.values() if k is not None}
    for row in seen.rows:
        if matched[row.key] is None and (found := _by_name(row, by_key, taken)) is not None:
            matched[row.key] = found
            taken.add(found.id)
    unknown = [row for row in seen.rows if matched[row.key] is None]
    if not unknown or not memory.baseline:
        return matched, 0
    free = [k for k in known if k.id not in taken]
    reread = any(k.row_how != how for k in free)
    listed = {mark.notice for mark in memory.order}
    titled = _titled(free, unknown, listed)
    most = len(titled) * 2 > len(unknown) or sum(k.id in listed for k in titled.values()) * 2 > len(listed)
    moved = len(unknown) * 2 > len(seen.rows) and most
    if not (reread or moved):
        return matched, 0
    by_url = {k.url: k for k in free if k.url}
    pairs: list[tuple[Known, Notice]] = []
    for row in unknown:
        found = (by_url.get(row.url) if row.url else None) or titled.get(row.key)
        if found is not None and found.id not in taken:
            matched[row.key] = found
            taken.add(found.id)
            pairs.append((found, row))
    return matched, _moved([pair for pair in pairs if pair[0].row_how == how])


def _by_name(row: Notice, by_key: Mapping[str, Known], taken: set[int]) -> Known | None:
    """The notice that the row is where its key changed because another row came to share it, or shares it no longer."""
    for name in row.names:
        found = by_key.get(name)
        if found is None or found.id in taken:
            continue
        if (row.url and found.url == row.url) or text.fold(found.title) == text.fold(row.title):
            return found
    return None


def _titled(free: Sequence[Known], unknown: Sequence[Notice], listed: set[int]) -> dict[str, Known]:
    """The key of each row with the notice that alone has its title. One that left the list must have its day, too: titles come
    again."""
    by_title = _unique_titles(k for k in free if k.id in listed)
    left = _unique_titles(k for k in free if k.id not in listed)
    found: dict[str, Known] = {}
    for row in unknown:
        folded = text.fold(row.title)
        if (k := by_title.get(folded)) is not None:
            found[row.key] = k
        elif (k := left.get(folded)) is not None:
            days = (day_of(k.row_published), k.doubts.get("date", "").removesuffix(TOGETHER))
            if day_of(row.published) in days:
                found[row.key] = k
    return found


def _unique_titles(known: Iterable[Known]) -> dict[str, Known]:
    """Folded titles that only one of the notices has."""
    found: dict[str, Known | None] = {}
    for k in known:
        folded = text.fold(k.title)
        found[folded] = None if folded in found else k
    return {folded: k for folded, k in found.items() if k is not None}


def _moved(pairs: Sequence[tuple[Known, Notice]]) -> int:
    """How many have another address. None has where only parameters differ that say nothing: a time, a token, a visit, made anew
    at each load, while the rest of the address tells the notices apart."""
    other = [(k.url or "", row.url or "") for k, row in pairs if urls.identity(k.url or "") != urls.identity(row.url or "")]
    stable = [_stable(before, after) for before, after in other]
    if None not in stable and len(set(stable)) == len(stable):
        return 0
    return len(other)


def _stable(before: str, after: str) -> tuple[str, frozenset[tuple[str, str]]] | None:
    """What two addresses have in common that differ in the values of parameters alone; None for others."""
    page, _, query = urls.identity(before).partition("?")
    other, _, now = urls.identity(after).partition("?")
    had, has = parse_qsl(query), parse_qsl(now)
    if page != other or [name for name, _ in had] != [name for name, _ in has]:
        return None
    return page, frozenset(had) & frozenset(has)
