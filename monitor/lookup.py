"""A name's addresses, looked up within a time: nothing interrupts the system's own look-up, so it has a thread of its own.

It judges no address and opens no connection.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

Resolve = Callable[..., Any]  # of the form of socket.getaddrinfo

#: Look-ups that run, or hang, at once.
_LOOK_UPS = threading.BoundedSemaphore(64)


class Hanging(TimeoutError):
    """The name look-up gave no answer in its time."""


def look_up(host: str, port: int, seconds: float, resolve: Resolve) -> list[Any]:
    """What `resolve` says of a host within `seconds`; a look-up that hangs is left to end by itself.

    Raises Hanging, saying what hangs; OSError (`socket.gaierror`) and UnicodeError as `resolve` does.
    """
    answer: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(resolve(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.put(error)
        finally:
            _LOOK_UPS.release()

    until = time.monotonic() + seconds
    if not _LOOK_UPS.acquire(timeout=max(0.0, seconds)):
        raise Hanging("too many name look-ups hang")
    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    try:
        got = answer.get(timeout=max(0.0, until - time.monotonic()))
    except queue.Empty:
        raise Hanging("the name look-up hangs") from None
    if isinstance(got, OSError | UnicodeError):
        raise got
    return list(got)
