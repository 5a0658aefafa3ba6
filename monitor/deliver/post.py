"""Loop 2, one channel: claim what is due, render, send, settle. The only place that knows this order.

Claim = `sending` and a lease; only a receipt closes. A refusal is not a failure: about the content, the delivery is tried as a
plain link, then refused; about the channel, the channel is broken and told of elsewhere, unless it takes all but this message;
passing, it is tried again until `give_up`. After a failure that may pass, one message tries the channel before the others follow,
each time another one: a message that alone is to blame delays no other.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor import schedule
from monitor.config import Config
from monitor.deliver.rate import room, spend
from monitor.errors import DeliveryError, DeliveryReason, InUse, StoreError
from monitor.model import Channel, Delivery, DeliveryState, Kind, Message, Receipt
from monitor.render import Told, render
from monitor.senders import Sender, Traits, account, sender
from monitor.senders.split import measure
from monitor.store import Store, changes, outbox
from monitor.store.database import Connection
from monitor.tell import tell
from monitor.words import Words

#: A claim that a dead process left is void at the next start; this is only for the record.
LEASE = timedelta(minutes=10)
#: A broken channel is tried with one message this often.
BROKEN_TRY = timedelta(hours=1)
#: Deliveries looked at for one message, and entries of a grouped message at most.
DUE, ENTRIES = 200, 50
#: So often a digest tries the channel as it is; then one entry of it does.
DIGEST_TRIES = 6
#: A message at which the program itself failed is tried again after this long.
PUSHED_AHEAD = timedelta(hours=1)
#: What a part of a digest has before its title, at its longest.
NUMBER = "(99/99) "
#: Of a service's limit, how much a part of a divided message fills: it breaks between entries.
FILLED = 0.8


#: A delivery with what is told.
Entry = tuple[Delivery, Told]


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What became of a message and could not be written down so far: its deliveries, and how it is written."""

    deliveries: tuple[int, ...]
    note: Callable[[Connection], None]


@dataclass(slots=True)
class Post:
    """What loop 2 works with. `config` is replaced as a whole when the file is read again; `unsettled` is by channel."""

    config: Config
    store: Store
    now: Callable[[], datetime]
    rng: random.Random = field(default_factory=random.Random)
    unsettled: dict[str, Unsettled] = field(default_factory=dict)
    numbers: dict[str, tuple[int, int]] = field(default_factory=dict)  # by channel: parts of its digest told, and in all
    stray: set[str] = field(default_factory=set)  # channels of which something was claimed, not sent, and not put back so far


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one message: the deliveries in it and, where it was not sent, why."""

    channel: str
    deliveries: tuple[int, ...]
    error: str | None


def post(desk: Post, channel: Channel, stopping: Callable[[], bool] = lambda: False) -> Iterator[Sent]:
    """Send what is due to one channel, until nothing is, or it must wait; what became of each message. Raises StoreError."""
    to = sender(channel.target)
    traits = to.traits(channel)
    settle(desk, channel.id)
    if channel.id in desk.stray:
        put_back(desk, channel.id)
    while not stopping():
        batch = _claim(desk, channel, traits)
        if not batch:
            return
        sent = _send(desk, channel, to, traits, batch)
        yield sent
        if sent.error is not None and not _may_go_on(desk, channel):
            return


def _may_go_on(desk: Post, channel: Channel) -> bool:
    """Whether the channel may be tried at once after a failure: only if the message was to blame."""
    with desk.store.read() as conn:
        state = outbox.channel(conn, channel.id)
    return state.broken is None and (state.next_try_at is None or state.next_try_at <= desk.now())


def _claim(desk: Post, channel: Channel, traits: Traits) -> list[Delivery]:
    """The deliveries of the next message; none where nothing is due or the channel must wait."""
    with desk.store.write() as conn:
        now = desk.now()
        state = outbox.channel(conn, channel.id)
        if state.next_try_at is not None and state.next_try_at > now:
            return []
        free, again_at = room([*state.recent, *_beside(conn, desk.config, channel, now)], now, traits.rate)
        if free == 0:
            outbox.wait(conn, channel.id, again_at)
            return []
        due = outbox.due(conn, channel.id, now, DUE, least_tried_first=state.doubtful)
        if state.broken is not None and not due:
            due = outbox.parked(conn, channel.id)
        batch = next_message(due, channel.group, free)
        if state.doubtful and batch and not (batch[0].digest and state.broken is None and state.fails < DIGEST_TRIES):
            batch = batch[:1]
        outbox.claim(conn, [one.id for one in batch], now + LEASE)
        return batch


def _beside(conn: Connection, config: Config, channel: Channel, now: datetime) -> list[datetime]:
    """What the other channels with the same robot were sent in the last minute, or are being sent: the limit is the service's,
    and it counts them all."""
    times: list[datetime] = []
    ours = account(channel)
    for other in config.channels.values():
        if other.id != channel.id and account(other) == ours:
            times += outbox.channel(conn, other.id).recent
            times += [now] if outbox.claimed(conn, other.id) else []
    return times


def next_message(due: Sequence[Delivery], group: int, free: float) -> list[Delivery]:
    """Which of the deliveries that are due go into the next message: one, or a group for a digest, beyond `group` (0: never
    grouped), or where fewer messages are `free` than deliveries are due. One that was refused in a group goes alone."""
    if not due:
        return []
    first = due[0]
    if first.alone or first.plain:
        return [first]
    together = [one for one in due if not one.alone and not one.plain and one.digest == first.digest]
    if first.digest:
        return together
    if group and (len(together) > group or len(together) > free):
        return together[:ENTRIES]
    return [first]


def _send(desk: Post, channel: Channel, to: Sender, traits: Traits, batch: list[Delivery]) -> Sent:
    """Render one message, hand it over, write down what came of it. What does not fit into one post is put back, so that a group
    is taken whole or not at all; the parts of a digest are numbered."""
    with desk.store.read() as conn:
        found = [(one, outbox.owed(conn, one.change, channel.id)) for one in batch]
    entries = [(one, _told(owed)) for one, owed in found if owed is not None]
    gone = [one.id for one, owed in found if owed is None]
    parts = _divided(desk, channel, traits, entries)
    back = [one.id for part in parts[1:] for one, _ in part]
    if gone or back:
        with desk.store.write() as conn:
            outbox.close(conn, gone, DeliveryState.EXPIRED, "what it told of was deleted")
            outbox.again(conn, back, desk.now(), None, tried=False)
    if not parts:
        return Sent(channel.id, tuple(gone), "what it told of was deleted")
    message = _render(desk, channel, traits, parts[0])
    batch = [one for one, _ in parts[0]]
    if batch[0].digest and not batch[0].alone:
        done, total = desk.numbers.pop(channel.id, (0, 0))
        if total - done != len(parts):  # not the rest of the digest before
            done, total = 0, len(parts)
        if total > 1:
            message = replace(message, title=f"({done + 1}/{total}) {message.title}")
        desk.numbers[channel.id] = (done, total)
    desk.unsettled[channel.id], said = _sent(desk, channel, to, batch, message)
    settle(desk, channel.id)
    return Sent(channel.id, tuple(one.id for one in batch), said)


def _divided(desk: Post, channel: Channel, traits: Traits, entries: list[Entry]) -> list[list[Entry]]:
    """What is to be told in parts of one post each, as far as that can be told before it is sent."""
    parts: list[list[Entry]] = []
    while entries:
        part = entries[:ENTRIES]
        while len(part) > 1 and (posts := _posts(_render(desk, channel, traits, part), traits)) > 1:
            part = part[: max(1, len(part) // posts)]
        parts.append(part)
        entries = entries[len(part) :]
        if not part[0][0].digest:  # nobody counts the parts of other groups
            return [*parts, entries] if entries else parts
    return parts


def _sent(desk: Post, channel: Channel, to: Sender, batch: list[Delivery], message: Message) -> tuple[Unsettled, str | None]:
    """Hand the message over: what is to be written of it and, where it was not taken, why."""
    ids = tuple(one.id for one in batch)
    try:
        receipt = to.send(channel, message)
        receipt = replace(receipt, detail=desk.config.mask(receipt.detail))
    except DeliveryError as error:
        error.detail = desk.config.mask(error.detail)
        failed = error
        return Unsettled(ids, lambda conn: _not_sent(conn, desk, channel, batch, failed)), error.detail
    return Unsettled(ids, lambda conn: _was_sent(conn, desk, channel, batch, message, receipt)), None


def settle(desk: Post, channel_id: str) -> None:
    """Write down what became of the last message; where the disk was full, once more in the room that the reserve has left. Until
    it is written, the channel gets no other message, and the next start would send that one again. Raises StoreError."""
    left = desk.unsettled.pop(channel_id, None)
    if left is None:
        return
    try:
        try:
            with desk.store.write() as conn:
                left.note(conn)
        except InUse:
            raise
        except StoreError:
            with desk.store.write() as conn:
                left.note(conn)
    except StoreError:
        desk.unsettled[channel_id] = left
        raise


def _posts(message: Message, traits: Traits) -> int:
    """In how many posts a message goes, about."""
    size = measure(f"{NUMBER}{message.title}\n{message.body}", traits.unit)
    return 1 if size <= traits.limit else math.ceil(size / (traits.limit * FILLED))


def _told(owed: outbox.Owed) -> Told:
    return Told(
        owed.change,
        owed.change.source,
        owed.title,
        owed.url,
        owed.published,
        owed.before,
        owed.after,
        owed.labels,
        attachments=owed.attachments,
        also=owed.also,
        gone=owed.gone,
        facts=owed.facts,
        thread=owed.thread,
    )


def _render(desk: Post, channel: Channel, traits: Traits, entries: list[Entry]) -> Message:
    first = entries[0][0]
    return render(
        [told for _, told in entries],
        channel,
        limit=traits.limit,
        unit=traits.unit,
        format=traits.format,
        plain=first.plain,
        digest=first.digest,
        now=desk.now(),
    )


def _was_sent(conn: Connection, desk: Post, channel: Channel, batch: list[Delivery], message: Message, receipt: Receipt) -> None:
    now = desk.now()
    state = outbox.channel(conn, channel.id)
    outbox.sent(conn, [one.id for one in batch], now, receipt.detail, message.id)
    outbox.spent(conn, channel.id, spend(state.recent, now, receipt.posts))
    if batch[0].digest and not batch[0].alone and channel.id in desk.numbers:
        done, total = desk.numbers.pop(channel.id)
        desk.numbers[channel.id] = (done + 1, total)
    if state.broken is not None:
        freed = outbox.mended(conn, channel.id, now)
        _house_note(conn, desk, channel, Words(desk.config)("channel.mended", channel=channel.id, count=freed), now)
    elif state.next_try_at is not None or state.fails:
        outbox.wait(conn, channel.id, None, 0)


def _not_sent(conn: Connection, desk: Post, channel: Channel, batch: list[Delivery], error: DeliveryError) -> None:
    """A refusal is not a failure: whose fault it is decides."""
    now = desk.now()
    state = outbox.channel(conn, channel.id)
    outbox.spent(conn, channel.id, spend(state.recent, now, error.posts))
    if error.reason is DeliveryReason.CONTENT:
        outbox.wait(conn, channel.id, None, 0)  # it answered: the message is to blame
        _content(conn, batch, error)
    elif error.reason is DeliveryReason.CHANNEL and _own_fault(state, batch):
        outbox.wait(
            conn, channel.id, None, int(len(batch) == 1)
        )  # another one tries it: if that is refused too, it is the channel
        _content(conn, batch, error)
    elif error.reason is DeliveryReason.CHANNEL:
        _channel(conn, desk, channel, batch, error)
    else:
        _passing(conn, desk, channel, batch, error)


def _own_fault(state: outbox.ChannelRow, batch: list[Delivery]) -> bool:
    """Whether a refusal of the channel is about the message: it was refused so before, and since then the channel took others."""
    return state.broken is None and any(one.parked for one in batch) and (batch[0].plain or not state.doubtful)


def _content(conn: Connection, batch: list[Delivery], error: DeliveryError) -> None:
    ids = [one.id for one in batch]
    if len(batch) > 1:
        outbox.simplify(conn, ids, error.detail, plain=False)
    elif not batch[0].plain:
        outbox.simplify(conn, ids, error.detail, plain=True)
    else:
        outbox.close(conn, ids, DeliveryState.REFUSED, error.detail)


def _channel(conn: Connection, desk: Post, channel: Channel, batch: list[Delivery], error: DeliveryError) -> None:
    """The first refusal breaks the channel and is told on the others; the rest stay pending and one is tried each hour, or what
    is parked, where nothing else is owed."""
    now = desk.now()
    until = now + BROKEN_TRY
    outbox.blame_channel(conn, [one.id for one in batch])
    if outbox.broken(conn, channel.id, error.detail, now, until):
        outbox.close(conn, [batch[0].id], DeliveryState.REFUSED, error.detail, parked=True)
        outbox.again(conn, [one.id for one in batch[1:]], until, error.detail, tried=True)
        detail = Words(desk.config)("channel.broken", channel=channel.id, error=error.detail)
        _house_note(conn, desk, channel, detail, now)
    elif batch[0].state is DeliveryState.REFUSED:
        outbox.close(conn, [batch[0].id], DeliveryState.REFUSED, error.detail, parked=True)
    else:
        outbox.again(conn, [one.id for one in batch], until, error.detail, tried=True)


def _house_note(conn: Connection, desk: Post, channel: Channel, detail: str, now: datetime) -> None:
    """A note about a channel goes to all the others."""
    change = changes.insert(conn, Kind.NOTE, now, reason="channel", detail=detail)
    tell(conn, desk.config, [change], now, but=channel.id)


def _passing(conn: Connection, desk: Post, channel: Channel, batch: list[Delivery], error: DeliveryError) -> None:
    """Back-off with jitter up to `give_up`; the channel as a whole waits, so that a burst does not hammer it, and a message that
    failed more often than its channel waits longer. A broken channel's deliveries do not expire."""
    now = desk.now()
    state = outbox.channel(conn, channel.id)
    limited = error.reason is DeliveryReason.RATE
    tries, fails = max(one.attempts for one in batch) + 1, 0 if limited else state.fails + 1
    until = now + schedule.backoff(tries if limited else fails, desk.rng, error.retry_after)
    if state.broken:
        until = max(until, now + BROKEN_TRY)
    over = []
    if state.broken is None and not limited:
        over = [one.id for one in batch if now - (one.since or one.created_at) >= desk.config.give_up]
    again_at = until
    if len(batch) == 1 and tries > fails:
        again_at = max(until, now + schedule.backoff(tries, desk.rng, error.retry_after))
    elif len(batch) > 1 and not limited and not state.doubtful and tries > 1:
        outbox.apart(conn, [one.id for one in batch])  # since its last failure the channel took another message
    outbox.close(conn, over, DeliveryState.EXPIRED, error.detail)
    outbox.again(conn, [one.id for one in batch if one.id not in over], again_at, error.detail, tried=True)
    outbox.wait(conn, channel.id, until, fails)


def put_back(desk: Post, channel_id: str) -> None:
    """What was claimed and not sent is owed as before. Raises StoreError: then it is put back at the channel's next turn."""
    with desk.store.write() as conn:
        left = desk.unsettled.get(channel_id)
        sent = left.deliveries if left is not None else ()
        claimed = [one.id for one in outbox.claimed(conn, channel_id) if one.id not in sent]
        outbox.again(conn, claimed, desk.now(), None, tried=False)
    desk.stray.discard(channel_id)


def fault(conn: Connection, desk: Post, channel_id: str, trace: str) -> None:
    """The program itself failed at what is claimed: the rows of a group go one by one, a lone one as a plain link, then once an
    hour until `give_up`; where nothing is claimed, the channel waits."""
    now = desk.now()
    batch = outbox.claimed(conn, channel_id)
    ids = [one.id for one in batch]
    if not batch:
        outbox.wait(conn, channel_id, now + PUSHED_AHEAD)
    elif len(batch) > 1 or not batch[0].plain:
        outbox.simplify(conn, ids, trace, plain=len(batch) == 1)
    elif now - (batch[0].since or batch[0].created_at) >= desk.config.give_up:
        outbox.close(conn, ids, DeliveryState.EXPIRED, trace)
    else:
        outbox.again(conn, ids, now + PUSHED_AHEAD, trace, tried=True)
