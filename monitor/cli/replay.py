"""The sites of `monitor demo`, on loopback: a ministry's, a feed of WeChat articles, and WeChat, with scenes. What they publish
is in `pages`.

It is a real HTTP server: it knows conditional requests, and its publish server wants to be asked as the real one does.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from monitor.cli import pages

COLUMN = "/zwgk/zcwj/wjfb/tz/index.html"


class Site:
    """The sites, as they are in the present scene."""

    def __init__(self) -> None:
        self.notices = list(pages.NOTICES)
        self.articles = list(pages.ARTICLES)
        self.broken = False
        self._loaded = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.answer))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The sites' address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish(self) -> None:
        """A new notice stands at the head of the ministry's list."""
        self.notices.insert(0, pages.SEED)

    def reprint(self) -> None:
        """A WeChat account reprints it, and the feed tells of the article."""
        self.articles.insert(0, pages.REPRINT)

    def edit(self) -> None:
        """The page of an older notice says something else; the list does not show it."""
        self.notices = [pages.EDITED if one.name == pages.EDITED.name else one for one in self.notices]

    def answer(self, path: str, referer: str) -> tuple[int, str, str]:
        """(status, media type, body) for a path."""
        parts = urlsplit(path)
        if parts.path == COLUMN:
            return 200, "text/html", pages.column()
        if parts.path == pages.UNIT:
            if not referer.endswith(COLUMN):
                return 403, "text/html", _error("403")
            return 200, "application/json", pages.unit(self.notices, parse_qs(parts.query).get("tagId", [""])[0])
        if parts.path == "/rss.xml":
            return (
                (503, "text/html", _error("维护中"))
                if self.broken
                else (200, "application/xml", pages.feed(self.articles, self.url))
            )
        for notice in self.notices:
            if parts.path == f"{COLUMN.rpartition('/')[0]}/art/{notice.name}.html":
                return 200, "text/html", pages.document(notice)
        for one in self.articles:
            if parts.path == f"/s/{one.name}":
                self._loaded += 1
                return 200, "text/html", pages.article(one, self._loaded)
        return 404, "text/html", _error("404")


def _error(title: str) -> str:
    return f"<html><head><title>{title}</title></head><body></body></html>"


def _handler(answer: Callable[[str, str], tuple[int, str, str]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, media_type, text = answer(self.path, self.headers.get("Referer") or "")
            body = text.encode()
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if status == 200 and self.headers.get("If-None-Match") == etag:
                status, body = 304, b""
            self.send_response(status)
            self.send_header("Content-Type", f"{media_type}; charset=utf-8")
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the demo's own words are what is read."""

    return Handler
