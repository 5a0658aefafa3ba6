"""A robot's own count of its posts: never more in a minute than its service takes, however many parts a message has.

It sends nothing. The delivery loop keeps below the limit from message to message; this is for the parts of one message, and for
the seconds between them.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from monitor.errors import DeliveryError, DeliveryReason

#: Seconds that count as the service's minute and second: a little more, since posts do not travel equally fast.
MINUTE, SECOND = 61.0, 1.05


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as a robot needs it: seconds since 1970 for signatures, monotonic seconds for its pace, and how it pauses."""

    now: Callable[[], float] = time.time
    ticks: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


class Pace:
    """When each robot posted last. Safe for threads that serve several channels."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minutes: dict[int, list[float]] = {}  # by robot: seconds since 1970, as the loops count them
        self._seconds: dict[int, list[float]] = {}  # by robot: monotonic seconds
        self._lock = threading.Lock()

    def turns(self, robot: int, at: datetime | None, rate: float, burst: int | None) -> Callable[[], None]:
        """What to call before each post of one message, whose moment is `at` (None: now). `robot` says who posts.

        It waits where `burst` posts a second are reached. Where `rate` a minute are, it raises DeliveryError (RATE) with the
        seconds until there is room again: a minute is too long to hold a worker.
        """
        begin = self._clock.ticks()
        moment = at.timestamp() if at else self._clock.now()

        def take() -> None:
            self._minute(robot, moment + self._clock.ticks() - begin, rate)
            if burst:
                self._second(robot, burst)

        return take

    def _minute(self, robot: int, now: float, rate: float) -> None:
        most = max(1, math.floor(rate))
        with self._lock:  # what lies far ahead was written before the clock was set back
            posts = [post for post in self._minutes.get(robot, ()) if now - MINUTE < post <= now + MINUTE]
            if len(posts) < most:
                self._minutes[robot] = [*posts, now]
                return
        wait = posts[len(posts) - most] + MINUTE - now
        detail = f"{most} messages in this minute are all that the channel takes; it goes on in {math.ceil(wait)} s"
        raise DeliveryError(detail, reason=DeliveryReason.RATE, retry_after=wait)

    def _second(self, robot: int, burst: int) -> None:
        now = self._clock.ticks()
        with self._lock:
            posts = self._seconds.setdefault(robot, [])
            wait = max(0.0, posts[-burst] + SECOND - now) if len(posts) >= burst else 0.0
            self._seconds[robot] = [*posts, now + wait][-burst:]
        if wait:
            self._clock.pause(wait)
