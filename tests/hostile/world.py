"""The world of a case: a hostile site, a healthy one, a second allowed server, a canary, a name server, and a monitor of its own.

Everything listens on loopback. The site answers by path; what it says is changed between two checks. The canary's port is open on
every local address and allowed nowhere: whoever asks there was led inside.
"""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from monitor.daemon import Loops
from monitor.store import Store
from tests.hostile.pages import NEW, OPTIONS, document, rows
from tests.hostile.table import DEADLINE, ByHead, Case, Down, Page, Say, good
from tests.hostile_server import Server, answer
from tests.house import Clock, House
from tests.receivers import WebhookReceiver, WeComReceiver

NOT_FOUND = answer(b"<html><head><title>404</title></head></html>", "Content-Type: text/html", status="404 Not Found")


def _own_page(path: str) -> Say:
    """The page of a notice that no step says anything about."""
    name = path.removeprefix("/p/").removesuffix(".html")
    if path != f"/p/{name}.html":
        return NOT_FOUND
    title = next((row.title for row in (NEW, *rows(20)) if row.name == name), "通知")
    return Page(document(title, f"{title}的正文。", "请各单位遵照执行。").encode())


class _Counted:
    """A connection that counts what it sent. The system may hold back 64 KiB of it, not megabytes as it would by itself: those
    are counted and never reach the other side."""

    def __init__(self, conn: socket.socket, server: Site) -> None:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        self._conn, self._server = conn, server

    def sendall(self, data: bytes) -> None:
        self._conn.sendall(data)
        self._server.sent += len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)


class Site:
    """A server that answers by path, and can go down and come back at the same port. `asked`: (when, path, head) of each request;
    `sent`: bytes since it was last set to 0."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.pages: dict[str, Say] = {}
        self.asked: list[tuple[float, str, bytes]] = []
        self.sent = 0
        self.ports: dict[bytes, bytes] = {}
        self._ready: dict[int, tuple[Say, bytes | Page]] = {}
        self._server = Server(self._answer, tls=tls)
        self.port = self._server.port
        self._server.__enter__()
        self.up = True

    def shows(self, mode: ssl.SSLContext | Callable[..., object] | None, *, mute: bool = False) -> None:
        """How TLS is spoken from here on: with a context, or, `mute`, by a script that sees the bare connection."""
        self._server.tls = mode if isinstance(mode, ssl.SSLContext) else None
        self._server.mute = mute
        self._server.talk = None if isinstance(mode, ssl.SSLContext) else mode

    def says(self, pages: Mapping[str, Say]) -> None:
        """What the paths answer from here on."""
        self.pages = dict(pages)
        for say in self.pages.values():
            self._filled(say)

    def go(self, *, up: bool) -> None:
        """Stop listening, or listen again."""
        if up == self.up:
            return
        self.up = up
        if up:
            self._server = Server(self._answer, tls=self._server.tls, port=self.port)
            self._server.__enter__()
        else:
            self._server.__exit__()

    def close(self) -> None:
        if self.up:
            self._server.__exit__()

    def _filled(self, say: Say) -> bytes | Page | Any:
        """The answer with the ports filled in; made once, so that large ones are not made anew while memory is measured."""
        if not isinstance(say, bytes | Page):
            return say
        if id(say) not in self._ready:
            made = replace(say, body=self._ports_in(say.body)) if isinstance(say, Page) else self._ports_in(say)
            self._ready[id(say)] = (say, made)
        return self._ready[id(say)][1]

    def _ports_in(self, data: bytes) -> bytes:
        for name, port in self.ports.items():
            if name in data:
                data = data.replace(name, port)
        return data

    def _answer(self, conn: socket.socket, head: bytes, over: threading.Event) -> None:
        path = head.split()[1].decode("latin-1")
        self.asked.append((time.monotonic(), path, head))
        say = self._filled(self.pages.get(path) or self.pages.get(path.partition("?")[0]) or _own_page(path))
        counted: Any = _Counted(conn, self)
        if isinstance(say, Page):
            counted.sendall(say.answer(head))
        elif isinstance(say, bytes):
            counted.sendall(say)
        elif isinstance(say, ByHead):
            counted.sendall(self._ports_in(say.answer(head)))
        else:
            say(counted, head, over)


class Canary:
    """A port that is open on every local address, v4 and v6; `hits` counts who came."""

    def __init__(self) -> None:
        self.hits = 0
        self._listeners = [socket.create_server(("0.0.0.0", 0))]
        self.port: int = self._listeners[0].getsockname()[1]
        with contextlib.suppress(OSError):  # a machine without IPv6
            self._listeners.append(socket.create_server(("::", self.port), family=socket.AF_INET6))
        self._threads = [threading.Thread(target=self._listen, args=(one,), daemon=True) for one in self._listeners]
        for thread in self._threads:
            thread.start()

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            self.hits += 1
            conn.close()

    def close(self) -> None:
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in self._threads:
            thread.join(5)


class Names:
    """A name server of its own, in the form of socket.getaddrinfo: `list.test` is the site, the others lead inside."""

    TABLE: Mapping[str, tuple[str, ...]] = {
        "localhost": ("127.0.0.1",),
        "list.test": ("127.0.0.1",),
        "inside.test": ("127.0.0.1",),
        "mixed.test": ("127.0.0.1", "93.184.216.34"),
    }

    def __init__(self) -> None:
        self.fails = ""  # hang | none | again
        self.over = threading.Event()

    def __call__(self, host: str, port: int, **_: object) -> list[Any]:
        host = host.lower().removesuffix(".")
        if host == "list.test" and self.fails == "hang":
            self.over.wait(60)
        if host not in self.TABLE or (host == "list.test" and self.fails == "none"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if host == "list.test" and self.fails == "again":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.TABLE[host]]


@cache
def _empty() -> bytes:
    """A database with its tables and nothing in them: making them costs more than a case."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "monitor.db"
        Store(path).close()
        return path.read_bytes()


class Place(House):
    """A monitor on a configuration as it is written, with a clock that only the test moves."""

    def __init__(
        self, folder: Path, toml: str, clock: Clock | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder, self.clock, self.runs = folder, clock or Clock(), monotonic
        self.path = folder / "monitor.toml"
        self.path.write_text(toml, "utf-8")
        self.path.chmod(0o600)
        if not (database := folder / "monitor.db").exists():
            database.write_bytes(_empty())
        self.loops = self.open()

    def open(self) -> Loops:
        from monitor import config as configs

        return Loops(configs.load(self.path, {}), now=self.clock, monotonic=self.runs, steady=self.runs, rng=random.Random(1))

    def value(self, sql: str, *values: object) -> Any:
        """One value of the database."""
        self.loops.flush()
        with self.loops.store.read() as conn:
            row = conn.execute(sql, values).fetchone()
        return row[0] if row is not None else None


class World:
    """What a case needs, started; `case.steps` are played on it by `play.py`."""

    def __init__(self, folder: Path, case: Case, names: Names, tls: ssl.SSLContext | None = None) -> None:
        self.case = case
        self.site, self.other, self.healthy = Site(tls), Site(), Site()
        self.canary, self.names = Canary(), names
        self.hook, self.robot = WebhookReceiver(), WeComReceiver()
        self.hook.__enter__()
        self.robot.__enter__()
        ports = {
            b"{site}": str(self.site.port).encode(),
            b"{other}": str(self.other.port).encode(),
            b"{canary}": str(self.canary.port).encode(),
        }
        for one in (self.site, self.other, self.healthy):
            one.ports = ports
        self.healthy.says({"/list/": good()})
        self.place = Place(folder, self._toml(tls is not None))

    def _toml(self, secure: bool) -> str:
        case, scheme = self.case, "https" if self.case.tls and secure else "http"
        allowed = [f"{case.host}:{self.site.port}", *(f"127.0.0.1:{one.port}" for one in (self.other, self.healthy))]
        return (
            '[monitor]\nevery = "15m"\nalive = "0s"\nlanguage = "en"\nfailing_after = "0s"\n'
            f"[http]\ndelay = '0s'\nallow_private = {allowed}\n"
            f"[[source]]\nid = 'a'\nkind = '{case.kind}'\nurl = '{scheme}://{case.host}:{self.site.port}{case.url}'\n"
            f"deadline = '{DEADLINE:g}s'\n{OPTIONS[case.kind]}{case.options}"
            f"[[source]]\nid = 'b'\nkind = 'list'\nurl = 'http://127.0.0.1:{self.healthy.port}/list/'\n{OPTIONS['list']}"
            f"[[channel]]\nid = 'hook'\nurl = '{self.hook.target()}'\n"
            f"[[channel]]\nid = 'robot'\nurl = '{self.robot.target}'\nendpoint = '{self.robot.url}'\n"
        )

    def says(self, say: Say | Down, paths: Mapping[str, Say]) -> None:
        """What the site says from here on: at the source's address, and elsewhere; `other:/path` is the second server's."""
        self.site.go(up=not isinstance(say, Down))
        here = {path: one for path, one in paths.items() if not path.startswith("other:")}
        if not isinstance(say, Down):
            self.site.says({self.case.url: say} | here)
        self.other.says({path.removeprefix("other:"): one for path, one in paths.items() if path.startswith("other:")})

    def close(self) -> None:
        self.names.over.set()
        self.place.close()
        for one in (self.site, self.other, self.healthy):
            one.close()
        self.canary.close()
        self.hook.__exit__()
        self.robot.__exit__()


@contextlib.contextmanager
def world(folder: Path, case: Case, names: Names, tls: ssl.SSLContext | None = None) -> Iterator[World]:
    """A world, closed at the end."""
    made = World(folder, case, names, tls)
    try:
        yield made
    finally:
        made.close()
