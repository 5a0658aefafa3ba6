"""The only way out of the browser: a proxy on loopback that looks names up, asks the guard, connects, and counts.

Chromium is told to send everything through it, loopback included, and to resolve nothing by itself; so redirects, frames,
pictures, scripts' requests, workers and websockets meet the same guard as any other request of monitor, and what was looked up is
what is connected to. A page's way in is a password that only its own context has; the browser's own calls home have none and end
here. It reads no TLS.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from monitor.errors import FetchError, Forbidden, MonitorError, SourceError, TooLarge
from monitor.fetch import guard, wire
from monitor.model import FetchPolicy

#: Connections that one page may open.
CONNECTIONS = 1000
#: Bytes of the head of a request or an answer.
_HEAD = 256 * 1024
_PIECE = 65536
#: Seconds in which a request has to be said.
_ASKING = 10.0
_OWN = (b"proxy-", b"connection:", b"keep-alive:", b"upgrade:")


def size(limit: int) -> str:
    """A number of bytes as people read it."""
    return f"{limit / 1048576:g} MiB" if limit >= 1048576 else f"{limit:,} bytes"


class Gate:
    """What one page may ask for, and what came of it: `failures` by host and port, `over` once a limit was broken."""

    def __init__(self, host: str, policy: FetchPolicy, until: float) -> None:
        self.host = host
        self.policy = policy
        self.until = until
        self.allow = guard.allowed(policy.allow_private)
        self.password = secrets.token_urlsafe(24)
        self.failures: dict[tuple[str, int], SourceError] = {}
        self.over: TooLarge | None = None
        self.taken = 0
        self._mutex = threading.Lock()
        self._connections = 0
        self._open: set[socket.socket] = set()
        self._shut = False

    def left(self) -> float:
        """Seconds that are left to the page."""
        return self.until - time.monotonic()

    def took(self, count: int) -> None:
        """Count bytes that came in. Raises TooLarge."""
        with self._mutex:
            self.taken += count
            if self.taken > self.policy.max_bytes and self.over is None:
                limit = size(self.policy.max_bytes)
                self.over = TooLarge(
                    f"{self.host}: the page loads more than {limit}; raise max_bytes for this source if that is right"
                )
            if self.over is not None:
                raise self.over

    @contextmanager
    def connection(self, *socks: socket.socket) -> Iterator[None]:
        """Sockets that are closed when the page's time is over, or at the end of the block. Raises OSError where it is over."""
        with self._mutex:
            if self._shut:
                raise OSError("the page is gone")
            self._open.update(socks)
        try:
            yield
        finally:
            with self._mutex:
                self._open.difference_update(socks)
            for sock in socks:
                sock.close()

    def count(self) -> None:
        """One more connection. Raises TooLarge."""
        with self._mutex:
            self._connections += 1
            if self._connections > CONNECTIONS and self.over is None:
                self.over = TooLarge(f"{self.host}: the page opens more than {CONNECTIONS} connections")
            if self.over is not None:
                raise self.over

    def shut(self) -> None:
        """End every connection; there will be no further one."""
        with self._mutex:
            self._shut, socks = True, list(self._open)
        for sock in socks:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The head of a request to the proxy, and what came after it."""

    method: bytes
    target: bytes
    fields: tuple[bytes, ...]
    rest: bytes

    def field(self, name: bytes) -> bytes | None:
        return next((line.partition(b":")[2].strip() for line in self.fields if line.lower().startswith(name + b":")), None)


class Proxy:
    """Listens on 127.0.0.1 as long as the browser lives; lets through what carries the password of the gate."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.gate: Gate | None = None
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(conn,), name="proxied", daemon=True).start()

    def _serve(self, conn: socket.socket) -> None:
        with conn, suppress(OSError, ValueError, MonitorError):
            conn.settimeout(_ASKING)
            asked = _request(conn)
            gate = self.gate
            if gate is None or not _known(asked, gate):
                conn.sendall(_answer("407 Proxy Authentication Required", b'Proxy-Authenticate: Basic realm="monitor"\r\n'))
                return
            with gate.connection(conn):
                gate.count()
                _pass(conn, asked, gate)


def _known(asked: _Asked, gate: Gate) -> bool:
    expected = b"Basic " + base64.b64encode(f"monitor:{gate.password}".encode())
    return hmac.compare_digest(asked.field(b"proxy-authorization") or b"", expected)


def _answer(status: str, fields: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status}\r\n".encode() + fields + b"Content-Length: 0\r\nConnection: close\r\n\r\n"


def _head(sock: socket.socket, got: bytes = b"") -> tuple[bytes, bytes]:
    """Up to the empty line, and what came after it; `got` came already. Raises ValueError where there is none."""
    while b"\r\n\r\n" not in got:
        piece = sock.recv(_PIECE)
        got += piece
        if not piece or len(got) > _HEAD:
            raise ValueError("no head")
    head, _, rest = got.partition(b"\r\n\r\n")
    return head, rest


def _request(sock: socket.socket) -> _Asked:
    head, rest = _head(sock)
    first, *fields = head.split(b"\r\n")
    method, target, _ = first.split(b" ")
    return _Asked(method, target, tuple(fields), rest)


def _pass(conn: socket.socket, asked: _Asked, gate: Gate) -> None:
    """Connect to where it leads and let the bytes through; where the guard or the network say no, remember why."""
    tunnel = asked.method == b"CONNECT"
    parts = urlsplit(("//" if tunnel else "") + asked.target.decode("ascii"))
    if not parts.hostname or (not tunnel and parts.scheme != "http"):
        raise ValueError("not an address")
    host, port = parts.hostname, parts.port or 80
    try:
        server = _connected(host, port, gate, tunnel=tunnel)
    except SourceError as error:
        gate.failures[host, port] = error
        conn.sendall(_answer("403 Forbidden" if isinstance(error, Forbidden) else "502 Bad Gateway"))
        return
    gate.failures.pop((host, port), None)
    with gate.connection(server):
        if tunnel:
            conn.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if asked.rest:
                server.sendall(asked.rest)
            _relay(conn, server, gate)
            return
        path = urlunsplit(("", "", parts.path or "/", parts.query, "")).encode()
        _exchange(conn, server, asked, asked.target if gate.policy.proxy else path, gate)


def _connected(host: str, port: int, gate: Gate, *, tunnel: bool) -> socket.socket:
    """A connection to the host, or to the user's own proxy, which leads there. Raises SourceError."""
    call = wire.Call(max(0.1, gate.left()), gate.allow, socket.getaddrinfo)
    call.begin(host)
    with wire.running(call):
        if not gate.policy.proxy:
            sock, _ = wire.connect(host, port, guarded=True)
            return socket.socket(fileno=sock.detach())
        literal = guard.literal(host)
        if literal:
            guard.check(host, port, literal, gate.allow)
        wire.check_name(host, port)
        upstream = urlsplit(gate.policy.proxy)
        sock, _ = wire.connect(upstream.hostname or "", upstream.port or 80, guarded=False)
    plain = socket.socket(fileno=sock.detach())
    plain.settimeout(max(0.1, gate.left()))
    if tunnel and not _opened(plain, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", gate):
        plain.close()
        raise FetchError(f"{host}: the proxy did not open a way to it", reason="proxy")
    return plain


def _credentials(gate: Gate) -> bytes:
    upstream = urlsplit(gate.policy.proxy)
    if not upstream.username:
        return b""
    pair = f"{unquote(upstream.username)}:{unquote(upstream.password or '')}"
    return b"Proxy-Authorization: Basic " + base64.b64encode(pair.encode()) + b"\r\n"


def _opened(sock: socket.socket, target: str, gate: Gate) -> bool:
    try:
        sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n".encode() + _credentials(gate) + b"\r\n")
        head, _ = _head(sock)
    except (OSError, ValueError):
        return False
    return head.split(b" ", 2)[1:2] == [b"200"]


def _relay(conn: socket.socket, server: socket.socket, gate: Gate) -> None:
    """Bytes both ways until one side ends, the time is over or it is too much."""
    pairs = {conn: server, server: conn}
    while gate.left() > 0:
        ready, _, _ = select.select([conn, server], [], [], gate.left())
        for source in ready:
            data = source.recv(_PIECE)
            if not data:
                return
            if source is server:
                gate.took(len(data))
            sink = pairs[source]
            sink.settimeout(max(0.1, gate.left()))
            sink.sendall(data)


def _exchange(conn: socket.socket, server: socket.socket, asked: _Asked, path: bytes, gate: Gate) -> None:
    """One request without TLS and its answer; then both connections end, since the next request may be for another host."""
    fields = [line for line in asked.fields if not line.lower().startswith(_OWN)]
    head = b"\r\n".join([b"%b %b HTTP/1.1" % (asked.method, path), *fields, b"Connection: close", b""])
    left = int(asked.field(b"content-length") or b"0") - len(asked.rest)
    if left < 0:
        return  # what comes after the body would be for who knows whom
    server.settimeout(max(0.1, gate.left()))
    server.sendall(head + (_credentials(gate) if gate.policy.proxy else b"") + b"\r\n" + asked.rest)
    while left > 0:
        data = conn.recv(min(left, _PIECE))
        if not data:
            return
        left -= len(data)
        server.sendall(data)
    conn.settimeout(max(0.1, gate.left()))
    conn.sendall(_last(server, gate))
    while gate.left() > 0:
        ready, _, _ = select.select([conn, server], [], [], gate.left())
        if conn in ready:
            return  # nothing more may come from this side
        data = server.recv(_PIECE)
        if not data:
            return
        gate.took(len(data))
        conn.sendall(data)


def _last(server: socket.socket, gate: Gate) -> bytes:
    """The head of the answer, saying that no other one follows on this connection, with what came after it."""
    head, rest = _head(server)
    while head.split(b" ", 2)[1:2] and head.split(b" ", 2)[1].startswith(b"1"):  # interim
        head, rest = _head(server, rest)
    first, *fields = head.split(b"\r\n")
    gate.took(len(head) + len(rest))
    kept = [line for line in fields if not line.lower().startswith(_OWN)]
    return b"\r\n".join([first, *kept, b"Connection: close", b"", rest])
