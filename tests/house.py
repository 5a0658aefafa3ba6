"""A running house for tests: a scripted site on loopback, a config, both loops, and a clock that only tests move."""

from __future__ import annotations

import hashlib
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from monitor import config as configs
from monitor.daemon import Loops
from monitor.store import lists
from tests.receivers import QuietServer

START = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
#: Instead of a status: the connection is closed without an answer, or in the middle of its body.
CLOSED, CUT = 0, -1


class Clock:
    """Time that stands still until it is told to go on."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def on(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Row:
    """One row of the site's list and the page behind it; `page` None has no link, "" answers 404."""

    name: str
    title: str
    date: str = "2026-01-05"
    page: str | None = "正文。"
    attachments: tuple[str, ...] = ()


@dataclass
class Site:
    """A real HTTP server whose pages tests change. `status` overrides the answers of a path; `asked` logs (path, status)."""

    rows: list[Row] = field(default_factory=list)
    status: dict[str, int] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    per_page: int = 0
    closed: bool = False
    asked: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                if site.closed:
                    self.close_connection = True
                    return
                status, media_type, body = site.answer(self.path)
                etag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
                if status == 200 and self.headers.get("If-None-Match") == etag:
                    status, body = 304, b""
                site.asked.append((self.path, status))
                if status in (CLOSED, CUT):
                    self.close_connection = True
                if status == CLOSED:
                    return
                self.send_response(200 if status == CUT else status)
                self.send_header("Content-Type", media_type)
                if status == 200:
                    self.send_header("ETag", etag)
                for name, value in site.headers.get(self.path, {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if status == CUT else body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.closed = True
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        status = self.status.get(path, 200)
        if path in self.bodies:
            return status, self.types.get(path, "application/octet-stream"), self.bodies[path]
        if status != 200:
            return status, "text/html; charset=utf-8", b"<html><title>error</title></html>"
        if path.startswith("/list/"):
            number = int(path.removeprefix("/list/index_").removesuffix(".html")) if "index_" in path else 0
            return 200, "text/html; charset=utf-8", self._list(number).encode()
        for row in self.rows:
            if path == f"/p/{row.name}.html" and row.page is not None:
                if row.page == "":
                    return 404, "text/html; charset=utf-8", b"<html><title>404</title></html>"
                return 200, "text/html; charset=utf-8", self._page(row).encode()
        return 404, "text/html; charset=utf-8", b"<html><title>404</title></html>"

    def _list(self, page: int) -> str:
        rows = self.rows
        if self.per_page:
            rows = self.rows[page * self.per_page : (page + 1) * self.per_page]
        items = "".join(
            f"<li><a href='/p/{row.name}.html'>{escape(row.title)}</a><span>{row.date}</span></li>"
            if row.page is not None
            else f"<li><b>{escape(row.title)}</b><span>{row.date}</span></li>"
            for row in rows
        )
        return f"<html><head><title>list</title></head><body><ul class='l'>{items}</ul></body></html>"

    def _page(self, row: Row) -> str:
        files = "".join(f"<p><a href='/f/{name}'>{name}</a></p>" for name in row.attachments)
        paragraphs = "".join(f"<p>{escape(line)}</p>" for line in (row.page or "").split("\n"))
        return (
            f"<html><head><title>{escape(row.title)}</title></head><body><h1>{escape(row.title)}</h1>"
            f"<div id='zoom'>{paragraphs}{files}</div></body></html>"
        )

    def page_of(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)


LIST = """
[[source]]
id = "a"
kind = "list"
url = "{url}/list/"
items = "ul.l > li"
date = "span"
"""


class House:
    """Both loops on a temporary database, over a scripted site; `extra` is more TOML, `source` replaces the list source."""

    def __init__(
        self, folder: Path, site: Site, source: str = "", *, channels: str = "", extra: str = "", monitor: str = ""
    ) -> None:
        self.folder, self.site, self.clock = folder, site, Clock()
        self.path = folder / "monitor.toml"
        self.write(source, channels=channels, extra=extra, monitor=monitor)
        self.loops = self.open()

    def write(self, source: str = "", *, channels: str = "", extra: str = "", monitor: str = "") -> None:
        every = "" if "every" in monitor else 'every = "15m"\n'
        every += "" if "alive" in monitor else 'alive = "0s"\n'
        self.path.write_text(
            f"[monitor]\n{every}{monitor}\n[http]\ndelay = '0s'\nallow_private = ['127.0.0.0/8']\n"
            + (LIST + source if "[[source]]" not in source else source).format(url=self.site.url)
            + (channels or '[[channel]]\nid = "console"\nurl = "console://"\n')
            + extra.format(url=self.site.url),
            "utf-8",
        )
        self.path.chmod(0o600)

    def open(self) -> Loops:
        return Loops(configs.load(self.path, {}), now=self.clock, rng=random.Random(1))

    def reopen(self) -> None:
        self.loops.close()
        self.loops = self.open()

    def check(self, *ids: str) -> dict[str, Any]:
        """Check now; the reports by source."""
        self.clock.on(seconds=1)
        chosen = ids or tuple(self.loops.config.sources)
        return {report.source: report for report in self.loops.check_now(chosen, seconds=5).reports}

    def told(self) -> list[tuple[str, str]]:
        """(kind, title or source) of every change that was told, oldest first."""
        return [(c["kind"], c["title"] or c["source"]) for c in self.changes() if c["silence"] is None]

    def changes(self) -> list[dict[str, Any]]:
        self.loops.flush()
        with self.loops.store.read() as conn:
            return lists.change_rows(conn, lists.Filter(after=0))

    def notices(self) -> list[dict[str, Any]]:
        with self.loops.store.read() as conn:
            return lists.notice_rows(conn, lists.Filter(after=0))

    def source(self, id_: str = "a") -> dict[str, Any]:
        self.loops.flush()
        with self.loops.store.read() as conn:
            return next(row for row in lists.sources(conn, lists.Filter()) if row["id"] == id_)

    def deliveries(self) -> list[dict[str, Any]]:
        with self.loops.store.read() as conn:
            return lists.delivery_rows(conn, lists.Filter(after=0))

    def close(self) -> None:
        self.loops.close()
