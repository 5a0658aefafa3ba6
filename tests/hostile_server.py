"""A server on loopback that says exactly the bytes that a test gives it, as slowly or wrongly as the test wants."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any

#: What a script gets: the connection, the head of the request, and an event that is set when the test is over.
Script = Callable[[socket.socket, bytes, threading.Event], None]


def answer(body: bytes = b"", *fields: str, status: str = "200 OK", length: bool = True) -> bytes:
    """A well-formed answer; with `length=False` the field is left to the test."""
    lines = [f"HTTP/1.1 {status}", *fields]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunks(*parts: bytes) -> bytes:
    """A body in chunks, with its end."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


def drip(data: bytes, *, each: float = 0.02) -> Script:
    """`data` byte by byte, and nothing after it: the connection stays open."""

    def script(conn: socket.socket, head: bytes, over: threading.Event) -> None:
        for index in range(len(data)):
            if over.wait(each):
                return
            conn.sendall(data[index : index + 1])
        over.wait(60)

    return script


def endless(first: bytes, again: bytes) -> Script:
    """`first`, then `again` as fast as it is read, for ever."""

    def script(conn: socket.socket, head: bytes, over: threading.Event) -> None:
        conn.sendall(first)
        while not over.is_set():
            conn.sendall(again)

    return script


def hold(data: bytes = b"") -> Script:
    """`data`, then silence with the connection open."""

    def script(conn: socket.socket, head: bytes, over: threading.Event) -> None:
        conn.sendall(data)
        over.wait(60)

    return script


def cut(data: bytes, *, reset: bool = False) -> Script:
    """`data`, then the end of the connection, orderly or by reset."""

    def script(conn: socket.socket, head: bytes, over: threading.Event) -> None:
        conn.sendall(data)
        if reset:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        conn.close()

    return script


class Server:
    """Listens on 127.0.0.1 inside a with block. `answers`: bytes for every request, or a list (one each, the last again), or a
    script; `heads` and `bodies` are what was asked, `connections` how many there were. `mute` never reads, but does what `talk`
    says if that is set; `tls` wraps; `port` instead of any free one."""

    def __init__(
        self,
        answers: bytes | Script | Iterable[bytes | Script],
        *,
        tls: ssl.SSLContext | None = None,
        mute: bool = False,
        port: int = 0,
    ):
        one = isinstance(answers, bytes) or callable(answers)
        self.answers: list[Any] = [answers] if one else list(answers)  # type: ignore[arg-type]  # told apart just above
        self.tls, self.mute = tls, mute
        self.talk: Callable[..., object] | None = None
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/"

    def __enter__(self) -> Server:
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for conn in self._open:
            with contextlib.suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)
            conn.close()
        for thread in self._threads:
            thread.join(5)

    def field(self, name: str, index: int = -1) -> str | None:
        """A header field of a request."""
        for line in self.heads[index].decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    def _spawn(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(conn)
            self._spawn(self._serve, conn)

    def _serve(self, conn: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.mute:
                if self.talk:
                    with conn:
                        self.talk(conn)
                self._over.wait(60)
                return
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
                self._open.append(conn)
            with conn, conn.makefile("rb") as stream:
                while self._ask(stream):
                    index = min(len(self.heads), len(self.answers)) - 1
                    say = self.answers[index]
                    if isinstance(say, bytes):
                        conn.sendall(say)
                    else:
                        say(conn, self.heads[-1], self._over)
                        return

    def _ask(self, stream: Any) -> bool:
        """Read one request; False at the end of the connection."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return False
            head += line
        size = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                size = int(line.partition(b":")[2])
        self.bodies.append(stream.read(size))
        self.heads.append(head)
        return True
