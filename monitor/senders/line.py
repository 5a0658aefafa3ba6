"""A line to a service that is cut when its time is over: in whatever read, write or handshake it stands then.

A socket's own timeout is for one read: a server that sends a byte a second never meets it. Shutting the socket down from beside
ends the read. It knows no service and reads no answer.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from monitor.lookup import Resolve, look_up


class Line:
    """The connections that one hand-over opens. `cut`: whether its time was over; `resolve` looks names up."""

    def __init__(self, resolve: Resolve = socket.getaddrinfo) -> None:
        self.cut = False
        self._resolve = resolve
        self._until = 0.0
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()

    @contextmanager
    def within(self, until: float) -> Iterator[None]:
        """What is done inside the block ends at `until` (monotonic) with an error of the connection, and then `cut` is true."""
        self._until, self.cut = until, False
        timer = threading.Timer(max(0.0, until - time.monotonic()), self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to the first address of a host that answers; what time is left is shared among them. Raises OSError."""
        failed: OSError = TimeoutError()
        try:
            places = look_up(host, port, self._until - time.monotonic(), self._resolve)
        except UnicodeError:
            raise socket.gaierror(socket.EAI_NONAME, "not a possible host name") from None
        for number, (family, kind, protocol, _, place) in enumerate(places):
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            found = socket.socket(family, kind, protocol)
            try:
                found.settimeout(left / (len(places) - number))
                found.connect(place)
                self._hold(found)
            except OSError as error:
                found.close()
                failed = error
                continue
            found.settimeout(max(0.001, self._until - time.monotonic()))
            return found
        raise failed

    def _hold(self, found: socket.socket) -> None:
        with self._lock:
            self._ends.append(found.dup())  # TLS takes the socket itself away from whoever opened it
            if self.cut:
                raise TimeoutError

    def _cut(self) -> None:
        with self._lock:
            self.cut = True
            for end in self._ends:
                with suppress(OSError):  # the other side was quicker
                    end.shutdown(socket.SHUT_RDWR)

    def hang_up(self) -> None:
        """Let go of every connection."""
        with self._lock:
            for end in self._ends:
                end.close()
            self._ends.clear()


def line_of(session: requests.Session) -> Line:
    """The line of a session of `requests`: from now on, each of its connections is on it. It hangs up when the session closes."""
    adapter = session.adapters.get("https://")
    if not isinstance(adapter, _Adapter):
        adapter = _Adapter()
        session.mount("https://", adapter)
        session.mount("http://", adapter)
    return adapter.line


class _Adapter(HTTPAdapter):
    def __init__(self) -> None:
        self.line = Line()
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """See `HTTPAdapter`."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = partial(_Secure if pool.scheme == "https" else _Plain, self.line)
        return pool

    def close(self) -> None:
        """See `HTTPAdapter`."""
        super().close()
        self.line.hang_up()


class _Plain(HTTPConnection):
    def __init__(self, line: Line, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.line = line

    def _new_conn(self) -> socket.socket:
        return _opened(self, self.line.connect)


class _Secure(HTTPSConnection):
    def __init__(self, line: Line, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.line = line

    def _new_conn(self) -> socket.socket:
        return _opened(self, self.line.connect)


def _opened(connection: HTTPConnection, connect: Callable[[str, int], socket.socket]) -> socket.socket:
    """A connection's socket; what went wrong in the terms of urllib3, which `requests` translates."""
    host, port = connection.host.strip("[]"), connection.port
    try:
        found = connect(host, port)
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "no connection in time") from error
    except OSError as error:
        raise NewConnectionError(connection, f"no connection: {error}") from error
    for option in connection.socket_options or ():
        found.setsockopt(*option)
    return found
