"""What every sender does with an answer: whose fault it is, which secrets to mask, which part of a message was taken already.

It opens no connection and knows no service; importing it turns off the lines of urllib3's log that would hold keys.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote

from monitor.errors import DeliveryError, DeliveryReason
from monitor.mask import Mask
from monitor.model import Channel, Message, Receipt
from monitor.senders.split import split, truncate

#: Seconds that one hand-over may take.
DEADLINE = 10.0
#: Seconds to wait after a refusal for too many messages, where the service names none: the limits count by the minute.
RATE_WAIT = 60.0
#: At DEBUG it writes the path of every request, which holds the key of a robot or a bot.
logging.getLogger("urllib3").setLevel(logging.INFO)
_DETAIL = 500

_ADDRESS = frozenset({301, 308, 401, 402, 403, 404, 405, 410})
_MESSAGE = frozenset({400, 406, 411, 413, 414, 415, 422})


def reason_of(status: int) -> DeliveryReason:
    """Whose fault an HTTP status is that is not 2xx (RFC 9110).

    Key and address (401 402 403 404 405 410, and a permanent redirection, which is never followed): CHANNEL. The message (400 406
    411 413 414 415 422): CONTENT. 429: RATE. All else, every 5xx with it, may pass: PASSING.
    """
    if status == 429:
        return DeliveryReason.RATE
    if status in _ADDRESS:
        return DeliveryReason.CHANNEL
    return DeliveryReason.CONTENT if status in _MESSAGE else DeliveryReason.PASSING


def retry_after(header: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, a number or a date (RFC 9110, 10.2.3); None if it says nothing usable."""
    if not header:
        return None
    if re.fullmatch(r"[0-9]{1,9}", header.strip()):
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def refused(status: int, words: str, *, wait: str | None = None) -> DeliveryError:
    """The error for an HTTP answer that is not 2xx; `wait` is its Retry-After, `words` its own words without secrets."""
    reason = reason_of(status)
    seconds = retry_after(wait, datetime.now(UTC))
    if reason is DeliveryReason.RATE and seconds is None:
        seconds = RATE_WAIT
    return DeliveryError(f"HTTP {status}" + (f": {words}" if words else ""), reason=reason, retry_after=seconds)


def secrets_of(target: str) -> tuple[str, ...]:
    """Every part of an Apprise URL that may be a secret, as written and decoded: all but host names, ports and short words.

    An Apprise URL keeps its token anywhere: as user, as host, as a step of the path, as a parameter or as a header.
    """
    rest = target.partition("://")[2]
    place, _, query = rest.partition("?")
    authority, *path = place.split("/")
    user, _, host = authority.rpartition("@")
    found = {part for part in [user, *user.split(":")] if len(part) >= 4}
    found |= {part for part in host.split(":") if len(part) >= 6 and "." not in part and part != "localhost"}
    found |= {part for part in path if len(part) >= 8}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        least = 4 if re.search(r"pass|token|key|secret|auth", name, re.IGNORECASE) else 8
        found |= {word for word in [value, *unquote(value).replace("+", " ").split()] if len(word) >= least}
    return tuple(found)


def said(text: str, secrets: Iterable[str]) -> str:
    """A service's own words for a detail: on one line, without control characters and secrets, 500 characters at most."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return truncate(Mask(secrets)(line), _DETAIL)


def divide(text: str, limit: int, unit: str) -> tuple[str, ...]:
    """`split`, with a limit that is too small as the channel's fault."""
    try:
        return split(text, limit, unit)
    except ValueError as error:
        raise DeliveryError(f"{error}; raise the channel's limit", reason=DeliveryReason.CHANNEL) from error


class Parts:
    """Hands over the parts of a message, and remembers, while the process lives, how far a message came that failed midway.

    So a retry goes on where it stopped, and nobody reads the first part twice. Safe for threads that send on several channels.
    """

    def __init__(self, size: int = 1000) -> None:
        self._size = size
        self._taken: OrderedDict[tuple[str, str, int], int] = OrderedDict()
        self._lock = threading.Lock()

    def deliver(self, channel: Channel, message: Message, parts: Sequence[str], hand_over: Callable[[str], str]) -> Receipt:
        """Give every part to `hand_over`, which returns the service's answer or raises DeliveryError.

        Raises that DeliveryError with the channel's id, and with how many parts were taken if it was not the first.
        """
        key = (channel.id, message.id, hash(tuple(parts)))
        with self._lock:
            taken = before = self._taken.pop(key, 0)
        answer = ""
        for part in parts[taken:]:
            try:
                answer = hand_over(part)
            except DeliveryError as error:
                error.posts = taken - before + 1
                raise self._stopped(key, taken, len(parts), channel, error) from None
            taken += 1
        detail = f"{len(parts)} parts; {answer}" if len(parts) > 1 else answer
        return Receipt(datetime.now(UTC), detail, posts=len(parts))

    def _stopped(
        self, key: tuple[str, str, int], taken: int, total: int, channel: Channel, error: DeliveryError
    ) -> DeliveryError:
        if taken:
            with self._lock:
                self._taken[key] = taken
                while len(self._taken) > self._size:
                    self._taken.popitem(last=False)
        detail = f"{taken} of {total} parts accepted; {error.detail}" if taken else error.detail
        return DeliveryError(detail, channel_id=channel.id, reason=error.reason, retry_after=error.retry_after, posts=error.posts)
