"""Senders: a message becomes a receipt, or a DeliveryError that says whose fault it is.

A built-in is a line in `BUILT_IN`, by the scheme of the channel's Apprise URL; a third party's comes by the entry point group
`monitor.senders`, named by its scheme; every other scheme is Apprise's own.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol, cast, runtime_checkable

from monitor.errors import PluginError
from monitor.model import Channel, Message, Receipt


@dataclass(frozen=True, slots=True)
class Traits:
    """What a service takes. `limit` counts `unit` ("bytes" of UTF-8 or "characters") of one message's body; `rate` is messages a
    minute that the service allows (None: unknown; the delivery loop keeps to 80 % of it); `format` is the richest that it shows;
    `verified`: whether its answer tells that the message was accepted; `threads`: whether it keeps mail threads."""

    limit: int
    unit: str
    rate: float | None
    format: str
    verified: bool
    threads: bool = False


class Sender(Protocol):
    """What a sender is asked for."""

    def traits(self, channel: Channel) -> Traits:
        """What this channel's service takes; the user's `limit`, `rate` and `format` already applied."""
        ...

    def send(self, channel: Channel, message: Message) -> Receipt:
        """Hand the message over; a message over the limit is split. Raises DeliveryError."""
        ...


@runtime_checkable
class Prober(Protocol):
    """A sender that can be tried without a message, as far as its service allows that."""

    def probe(self, channel: Channel) -> str:
        """How far one comes, in words without secrets. Raises DeliveryError."""
        ...


@runtime_checkable
class Counted(Protocol):
    """A sender to a service that counts by something less than the whole target."""

    def account(self, channel: Channel) -> str:
        """What the service counts messages by. It may hold a secret: it is for comparing only."""
        ...


BUILT_IN = {
    "console": "monitor.senders.console:Console",
    "dingtalk": "monitor.senders.dingtalk:DingTalk",
    "feishu": "monitor.senders.feishu:Feishu",
    "lark": "monitor.senders.feishu:Lark",
    "mailto": "monitor.senders.mail:Mail",
    "mailtos": "monitor.senders.mail:Mail",
    "pushdeer": "monitor.senders.pushdeer:PushDeer",
    "pushdeers": "monitor.senders.pushdeer:PushDeer",
    "schan": "monitor.senders.serverchan:ServerChan",
    "wecombot": "monitor.senders.wecom:WeComBot",
}
#: The robots among them: they take an `endpoint`, and show Markdown or text.
ROBOTS = frozenset({"dingtalk", "feishu", "lark", "pushdeer", "pushdeers", "schan", "wecombot"})
OTHERS = "monitor.senders.apprise:Apprise"


def scheme(target: str) -> str:
    """The scheme of an Apprise URL, lower case: "wecombot"."""
    return target.partition("://")[0].strip().lower()


def sender(target: str) -> Sender:
    """The sender for a channel's target. Raises PluginError where a third party's cannot be loaded."""
    return _load(scheme(target))


@cache
def _load(name: str) -> Sender:
    if name not in BUILT_IN:
        for point in entry_points(group="monitor.senders", name=name):
            try:
                return cast(Sender, point.load()())
            except (ImportError, AttributeError, TypeError) as error:
                raise PluginError(f'sender "{name}" of {point.value} cannot be loaded: {error}') from error
    module, _, attribute = BUILT_IN.get(name, OTHERS).partition(":")
    return cast(Sender, getattr(importlib.import_module(module), attribute)())


def account(channel: Channel) -> str:
    """By what the channel's service counts its messages: channels with the same one share its limit. It may hold a secret."""
    to = sender(channel.target)
    return to.account(channel) if isinstance(to, Counted) else f"{channel.target}\n{channel.endpoint}"
