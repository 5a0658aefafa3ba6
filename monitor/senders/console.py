"""The console: prints messages to standard output as plain text. It adds no colour, and lets none through."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime

from monitor.errors import DeliveryError
from monitor.model import Channel, Message, Receipt
from monitor.senders import Traits
from monitor.senders.answers import divide
from monitor.senders.split import titled

_LIMIT = 1_000_000
#: C0 but tab and line feed, DEL, C1, and the characters that turn the direction of writing: they would act on the terminal.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Console:
    """The sender of `console://`."""

    def traits(self, channel: Channel) -> Traits:
        """See `Sender.traits`; text whatever the channel's `format` says."""
        return Traits(channel.limit or _LIMIT, "characters", channel.rate, "text", verified=True)

    def probe(self, channel: Channel) -> str:
        """See `Prober.probe`."""
        return "prints to standard output"

    def send(self, channel: Channel, message: Message) -> Receipt:
        """See `Sender.send`. A closed or full output is a passing failure."""
        try:
            parts = divide(titled(message.title, message.text), channel.limit or _LIMIT, "characters")
        except DeliveryError as error:
            error.channel_id = channel.id
            raise
        try:
            _print("".join(f"{visible(part).rstrip()}\n\n" for part in parts))
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            raise DeliveryError(f"cannot write to standard output: {error}", channel_id=channel.id) from error
        return Receipt(datetime.now(UTC), "printed")


def visible(text: str) -> str:
    r"""The text with terminal escapes and other control characters as visible forms ("\x1b"); tabs and line ends stay."""
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text.replace("\r\n", "\n"))


def _print(text: str) -> None:
    """Write and flush in one go, in whatever the terminal can show."""
    stream = sys.stdout
    if stream is None:  # a process without a console
        raise ValueError("there is none")
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
