"""Kinds of source: the bytes of a listing become notices and where it goes on. Pure: no I/O, no clock.

A built-in is a line in `BUILT_IN`; a third party's comes by the entry point group `monitor.sources`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

from monitor.errors import PluginError
from monitor.model import Fetched, Listing, Request, Source


class SourceKind(Protocol):
    """What a kind of source is asked for. `Options` is a pydantic model of the keys that only this kind takes; `version` grows
    when the same bytes would be read differently; `shaping` names the Options that shape text or key. A kind whose options must
    agree with the keys that every source has may have `problems(source)`: key → what is wrong with it, for `monitor validate`."""

    Options: type[Any]
    version: int
    shaping: frozenset[str]

    def begin(self, source: Source, state: Mapping[str, Any], now: datetime) -> Request:
        """The first request of a check. `state` is the small JSON of the last accepted listing; where the request rests on what
        was remembered (ids, a cookie), its context has "anew": if it fails, the check begins again without state."""
        ...

    def parse(self, source: Source, got: Fetched) -> Listing:
        """The listing in `got`; may name the next request. Raises ParseError."""
        ...


BUILT_IN = {
    "feed": "monitor.sources.feed:Feed",
    "list": "monitor.sources.list:List",
    "json": "monitor.sources.jsonrows:Json",
    "page": "monitor.sources.page:Page",
    "jpaas": "monitor.sources.jpaas:Jpaas",
}


def names() -> list[str]:
    """Every kind that a config may name, sorted."""
    return sorted(BUILT_IN.keys() | {point.name for point in entry_points(group="monitor.sources")})


@cache
def kind(name: str) -> SourceKind:
    """The kind of that name. Raises PluginError where there is none, or a third party's cannot be loaded."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        return cast(SourceKind, getattr(importlib.import_module(module), attribute)())
    for point in entry_points(group="monitor.sources", name=name):
        try:
            return cast(SourceKind, point.load()())
        except (ImportError, AttributeError, TypeError) as error:
            raise PluginError(f'source kind "{name}" of {point.value} cannot be loaded: {error}') from error
    raise PluginError(f'no source kind "{name}"')
