"""A site on loopback whose pages run scripts, for tests with a real browser; and a listener that must not be reached."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil

#: What a page answers: status, headers, body. It gets the request as it was noted.
Page = Callable[["Asked"], tuple[int, dict[str, str], bytes]]


@dataclass(frozen=True)
class Asked:
    """One request that came: `browser` where a real one made it (which names what it fetches for)."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def cookie(self) -> str:
        return self.headers.get("cookie", "")

    @property
    def browser(self) -> bool:
        return "sec-fetch-mode" in self.headers or "sec-ch-ua" in self.headers or "upgrade-insecure-requests" in self.headers


def html(markup: str, status: int = 200, **headers: str) -> tuple[int, dict[str, str], bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"Content-Type": "text/html; charset=utf-8", **named}, markup.encode()


@dataclass
class Web:
    """A real HTTP server inside a with block; `pages` by path, `asked` is what came, favicons left out."""

    pages: dict[str, Page | str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> Web:
        web = self
        self.over = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, self.rfile.read(size))
                if self.path != "/favicon.ico":
                    web.asked.append(asked)
                page = web.pages.get(self.path.partition("?")[0])
                if page == "drip":
                    self.drip()
                    return
                status, fields, body = web.answer(page, asked)
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.do_GET()

            def drip(self) -> None:
                """A page that begins and never ends."""
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.close_connection = True
                while not web.over.wait(0.05):
                    self.wfile.write(b"<p>more</p>")

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    pass  # whoever asked has gone

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if self.tls is not None:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, page: Page | str | None, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        if page is None:
            return html("<title>404</title>", 404)
        return html(page) if isinstance(page, str) else page(asked)

    @property
    def port(self) -> int:
        return self.server.server_port

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def paths(self, *, browser: bool | None = None) -> list[str]:
        return [asked.path for asked in self.asked if browser is None or asked.browser is browser]


class Canary:
    """Listens on loopback, by TCP and by UDP at the same port, and notes whoever comes; it answers nothing of use."""

    def __enter__(self) -> Canary:
        self.came: list[str] = []
        self._over = threading.Event()
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        for listen in (self._listen, self._hear):
            threading.Thread(target=listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for sock in (self._tcp, self._udp):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                conn, _ = self._tcp.accept()
            except OSError:
                return
            with conn:
                conn.settimeout(2)
                try:
                    head = conn.recv(4096)
                    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                except OSError:
                    head = b""
                self.came.append(head.partition(b"\r\n")[0].decode("latin-1"))

    def _hear(self) -> None:
        while not self._over.is_set():
            try:
                self._udp.recvfrom(2048)
            except OSError:
                return
            self.came.append("UDP")


def browsers(parent: int | None = None) -> list[psutil.Process]:
    """Every process that belongs to the browser of this process, or of another, by what stands on their command lines."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if f"monitor-browser-{parent or os.getpid()}-" in line and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found
