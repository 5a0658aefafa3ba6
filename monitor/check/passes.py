"""What sources' browsers got: kept in memory, written into the source's `state` with its accepted checks, lost at worst.

A value of a cookie is a secret: it goes into the database and to its own host, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor import browser
from monitor.check.desk import Desk
from monitor.look import Looked
from monitor.model import Request, Source

#: The name in `state`; no kind can use it, since theirs are words.
KEY = "browser pass"


def recall(desk: Desk, source: Source, state: Mapping[str, Any]) -> None:
    """Take up what the table knows, unless memory knows better."""
    if source.via == "browser" and source.id not in desk.passes and KEY in state:
        desk.passes[source.id] = browser.load(state[KEY])


def handed(desk: Desk, source: Source, request: Request) -> Request:
    """The request with what the source's browser got."""
    return replace(request, held=desk.passes.get(source.id)) if request.via == "browser" else request


def unsure(desk: Desk, source: Source) -> None:
    """What plain requests gave is in doubt: the next look is the browser's."""
    if (held := desk.passes.get(source.id)) is not None:
        desk.passes[source.id] = replace(held, plain=())


def learn(desk: Desk, source: Source, looked: Looked) -> Looked:
    """Remember what a look's browser got."""
    if looked.held is not None:
        desk.passes[source.id] = looked.held
    return looked


def without(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state as the source's kind knows it."""
    return {name: value for name, value in state.items() if name != KEY} if KEY in state else state


def within(desk: Desk, source: Source, state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state as it is stored."""
    if source.via != "browser" or source.id not in desk.passes:
        return state
    return {**state, KEY: browser.dump(desk.passes[source.id])}
