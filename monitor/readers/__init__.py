"""Readers: the bytes of one document become title, text and attachments. Pure: no I/O, no clock.

A built-in is a line in `BUILT_IN`, first match wins; a third party comes by the entry point group `monitor.readers` and is asked
first.
"""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol, cast

from monitor.errors import ParseError, PluginError
from monitor.model import Document, Fetched, ReadPolicy


class Reader(Protocol):
    """What a reader is asked for. `name` is "html/1": grows when the same bytes would be read differently."""

    name: str

    def reads(self, got: Fetched) -> bool:
        """Whether this answer is for this reader."""
        ...

    def read(self, got: Fetched, policy: ReadPolicy) -> Document:
        """Title, text, attachments. Raises ParseError."""
        ...


BUILT_IN = ("monitor.readers.wechat:Wechat", "monitor.readers.html:Html")


@cache
def readers() -> tuple[Reader, ...]:
    """Every reader, in the order in which they are asked."""
    found: list[Reader] = []
    for point in entry_points(group="monitor.readers"):
        try:
            found.append(cast(Reader, point.load()()))
        except (ImportError, AttributeError, TypeError) as error:
            raise PluginError(f'reader "{point.name}" of {point.value} cannot be loaded: {error}') from error
    for spec in BUILT_IN:
        module, _, attribute = spec.partition(":")
        found.append(cast(Reader, getattr(importlib.import_module(module), attribute)()))
    return tuple(found)


def read(got: Fetched, policy: ReadPolicy) -> Document:
    """The document in `got`, by the first reader that takes it. Raises ParseError where none does."""
    for reader in readers():
        if reader.reads(got):
            return reader.read(got, policy)
    raise ParseError(
        f"{got.url} is {got.media_type or 'of an unknown type'}, which no reader takes",
        reason="no reader",
        hint="its bytes are kept as an attachment where the notice links to it",
    )
