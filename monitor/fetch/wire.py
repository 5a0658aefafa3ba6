"""One fetch's limits in time and bytes, and the sockets that keep to them. It knows addresses and bytes, nothing of HTTP.

A timeout of the standard library is per read: a server that sends a byte now and then holds it for ever. Here each operation of a
socket is given what is left of the whole answer's time, so that name look-up, connect, TLS, headers and body end together, in the
thread that asked. Only the look-up, which cannot be interrupted, has a thread of its own.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from monitor.errors import FetchError, TooLarge
from monitor.fetch import guard
from monitor.lookup import Hanging, Resolve, look_up

#: Bytes of status lines and headers, of one answer and all that precede it.
HEADERS_LIMIT = 256 * 1024
#: Seconds for an address that is not the last one of its name.
_EACH_ADDRESS = 5.0
#: Seconds that a look-up may take where a proxy will do its own.
_LOOK_UP_FOR_PROXY = 2.0
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENETDOWN})

Place = tuple[guard.Address, int, Any]  # checked address, family, what connect() takes


class Call:
    """One fetch while it runs: until when (monotonic seconds), how many bytes, for which host, which addresses are allowed."""

    def __init__(self, seconds: float, allow: guard.Allowed, resolve: Resolve) -> None:
        self.seconds = seconds
        self.until = time.monotonic() + seconds
        self.allow = allow
        self.resolve = resolve
        self.host = ""
        self.fresh = True  # the connection was made for this request
        self.received = 0
        self.room = HEADERS_LIMIT

    def begin(self, host: str) -> None:
        """The next request of the same fetch: bytes are counted anew, time is not."""
        self.host, self.fresh, self.received, self.room = host, False, 0, HEADERS_LIMIT

    def allow_body(self, limit: int) -> None:
        """The headers are there: room for a body of `limit` bytes in chunks of any size."""
        self.room = self.received + 2 * limit + HEADERS_LIMIT

    def remaining(self) -> float:
        """Seconds left, always positive. Raises FetchError (reason "timeout") when there are none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise self.timed_out()
        return left

    def took(self, count: int) -> None:
        self.received += count
        if self.received > self.room:
            raise self.swollen()

    def swollen(self) -> TooLarge:
        return TooLarge(f"{self.host}: headers or framing of the answer larger than {HEADERS_LIMIT // 1024} KiB")

    def failed(self, what: str, reason: str, **details: Any) -> FetchError:
        return FetchError(f"{self.host}: {what}", reason=reason, **details)

    def timed_out(self) -> FetchError:
        return self.failed(f"no full answer within {self.seconds:g} s", "timeout")


_running = threading.local()


@contextmanager
def running(call: Call) -> Iterator[None]:
    """Sockets of this thread keep to `call` inside."""
    _running.call = call
    try:
        yield
    finally:
        _running.call = None


def current() -> Call:
    """The call that this thread is busy with; sockets of this room are used inside one only."""
    call: Call = _running.call
    return call


if TYPE_CHECKING:
    _Socket = socket.socket
else:
    _Socket = object


class _Metered(_Socket):
    """Each operation has the time that is left of the call, and what comes in is counted."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        call = current()
        self.settimeout(call.remaining())
        try:
            count = super().recv_into(*args, **kwargs)
        except TimeoutError:
            raise call.timed_out() from None
        call.took(count)
        return count

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        call = current()
        self.settimeout(call.remaining())
        try:
            data = super().recv(*args, **kwargs)
        except TimeoutError:
            raise call.timed_out() from None
        call.took(len(data))
        return data

    def send(self, *args: Any, **kwargs: Any) -> int:
        call = current()
        self.settimeout(call.remaining())
        try:
            return super().send(*args, **kwargs)
        except TimeoutError:
            raise call.timed_out() from None

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        call = current()
        self.settimeout(call.remaining())
        try:
            super().sendall(*args, **kwargs)
        except TimeoutError:
            raise call.timed_out() from None


class Wire(_Metered, socket.socket):
    """A TCP connection under the limits of the running call."""


class TlsWire(_Metered, ssl.SSLSocket):
    """The same under TLS. The handshake runs under the timeout of the socket that was wrapped: what was left at that moment."""


def connect(host: str, port: int, *, guarded: bool) -> tuple[Wire, guard.Address]:
    """A connection to the first address of `host` that takes one. There is one look-up; every address that it gives is checked
    before the first is tried, and exactly those are connected to. `guarded` is False for the user's own proxy.

    Raises Forbidden; FetchError with reason "dns", "refused", "unreachable", "timeout" or "connect"."""
    call = current()
    found = places(host, port, call.remaining())
    if guarded:
        for address, _, _ in found:
            guard.check(host, port, address, call.allow)
    call.fresh = True
    failures: list[OSError] = []
    for index, (address, family, name) in enumerate(found):
        left = call.remaining()
        after = len(found) - index - 1
        try:
            return dial(family, name, left if not after else min(left / (after + 1), _EACH_ADDRESS)), address
        except OSError as error:
            failures.append(error)
    raise _not_connected(host, port, failures)


def dial(family: int, name: Any, seconds: float) -> Wire:
    """Connect to one address. Raises OSError."""
    sock = Wire(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(seconds)
        sock.connect(name)
        sock.settimeout(current().remaining())
    except (OSError, FetchError):
        sock.close()
        raise
    return sock


def check_name(host: str, port: int) -> None:
    """Where a proxy will connect: refuse what can be seen from here to lead inside. A name that is not known here is the proxy's
    matter. Raises Forbidden."""
    call = current()
    try:
        found = places(host, port, min(call.remaining(), _LOOK_UP_FOR_PROXY))
    except FetchError:
        return
    for address, _, _ in found:
        guard.check(host, port, address, call.allow)


def places(host: str, port: int, seconds: float) -> list[Place]:
    """What `host` stands for. Raises FetchError, reason "dns" or "timeout"; Forbidden for a number that is no address."""
    address = guard.literal(host)
    if address:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        return [(address, family, (str(address), port))]
    found: list[Place] = []
    for family, _, _, _, name in _look_up(host, port, seconds):
        if family not in (socket.AF_INET, socket.AF_INET6):
            continue
        place = (ipaddress.ip_address(name[0]), family, name)
        if place not in found:
            found.append(place)
    if not found:
        raise current().failed("name has no address", "dns")
    return found


def _look_up(host: str, port: int, seconds: float) -> list[Any]:
    call = current()
    try:
        return look_up(host, port, seconds, call.resolve)
    except Hanging as error:
        raise call.failed(f"no full answer within {call.seconds:g} s: {error}", "timeout") from None
    except UnicodeError:
        raise call.failed("not a possible host name", "bad address", transient=False) from None
    except OSError as error:
        known = isinstance(error, socket.gaierror) and error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None))
        raise call.failed("name not found" if known else f"name look-up failed ({error.strerror or error})", "dns") from None


def _not_connected(host: str, port: int, failures: list[OSError]) -> FetchError:
    """The failure that says most: one address's refusal says more than another one without a route."""
    call = current()
    where = f"port {port}" if host == call.host else f"the proxy {host}:{port}"
    if any(isinstance(error, ConnectionRefusedError) for error in failures):
        return call.failed(f"connection refused at {where}", "refused")
    if any(isinstance(error, TimeoutError) for error in failures):
        return call.timed_out() if call.until <= time.monotonic() else call.failed(f"no connection to {where}", "timeout")
    last = failures[-1]
    why = last.strerror or type(last).__name__
    if all(error.errno in _NO_ROUTE for error in failures):
        return call.failed(f"unreachable at {where} ({why})", "unreachable")
    return call.failed(f"no connection to {where} ({why})", "connect")
