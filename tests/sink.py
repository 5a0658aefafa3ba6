"""A channel whose service answers as a test says: a sender like a third party's, without a network.

`Box.answer` is one word: ok, passing, rate, channel (the key is refused), content (each message is refused once), lost (the
message is taken, its receipt is not).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor.errors import DeliveryError, DeliveryReason
from monitor.model import Channel, Message, Receipt
from monitor.senders import BUILT_IN, Traits

BUILT_IN["sink"] = "tests.sink:Sink"


@dataclass
class Box:
    """What one address took, what of it without a receipt, and how often it refused."""

    answer: str = "ok"
    accepted: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    refused: int = 0
    seen: set[str] = field(default_factory=set)


BOXES: dict[str, Box] = {}


class Sink:
    """See `monitor.senders.Sender`."""

    def traits(self, channel: Channel) -> Traits:
        return Traits(100_000, "characters", channel.rate, "text", verified=True)

    def send(self, channel: Channel, message: Message) -> Receipt:
        box = BOXES[channel.target]
        answer = box.answer
        if answer == "content" and message.id in box.seen:
            answer = "ok"
        box.seen.add(message.id)
        if answer in ("ok", "lost"):
            box.accepted.append(message.text)
        if answer == "ok":
            return Receipt(datetime.now(UTC))
        if answer == "lost":
            box.lost.append(message.text)
            raise DeliveryError("no answer", channel_id=channel.id)
        box.refused += 1
        reason = {"rate": DeliveryReason.RATE, "channel": DeliveryReason.CHANNEL, "content": DeliveryReason.CONTENT}
        wait = 90.0 if answer == "rate" else None
        raise DeliveryError(
            "it was not taken", channel_id=channel.id, reason=reason.get(answer, DeliveryReason.PASSING), retry_after=wait
        )
