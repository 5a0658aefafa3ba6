"""A small hand-written site for `monitor demo`: a ministry's list with its pages, and a feed, on loopback, with scenes.

It is a real HTTP server and knows conditional requests; what it publishes is made up.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: (path, title, date, paragraphs) of the ministry's list, newest first.
NOTICES = [
    ("art_3.html", "关于开展工业互联网安全检查的通知", "2026-01-06", ["各地主管部门：", "请于2026年3月15日前报送检查总结。"]),
    ("art_2.html", "关于公布2025年示范项目名单的公告", "2026-01-05", ["现将名单予以公布。", "附件：示范项目名单"]),
    ("art_1.html", "关于修订统计报表制度的通知", "2025-12-30", ["现印发修订后的报表制度，请遵照执行。"]),
]
NEW = (
    "art_4.html",
    "关于印发《“人工智能+制造”专项行动实施意见》的通知",
    "2026-01-08",
    [
        "工信部联科〔2025〕279号",
        "现将《“人工智能+制造”专项行动实施意见》印发给你们，请结合实际认真抓好落实。",
        "第一条 到2027年，推出1000个高水平工业智能体。",
        "第二条 各单位应于2026年6月30日前报送落实情况。",
    ],
)
EDITED = [*NEW[3][:3], "第二条 各单位应于2026年4月30日前报送落实情况，逾期不予受理。"]
ENTRIES = [("entry-1", "某路由器存在命令注入漏洞", "2026-01-07"), ("entry-2", "安全周报（第1期）", "2026-01-05")]


class Site:
    """The site, as it is in the present scene."""

    def __init__(self) -> None:
        self.notices = list(NOTICES)
        self.broken = False
        handler = _handler(self.answer)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The site's address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish(self) -> None:
        """A new notice stands at the head of the list."""
        self.notices.insert(0, NEW)

    def edit(self) -> None:
        """Its page says something else; the list does not show it."""
        self.notices[0] = (*NEW[:3], EDITED)

    def answer(self, path: str) -> tuple[int, str, str]:
        """(status, media type, body) for a path."""
        if path == "/feed.xml":
            if self.broken:
                return 503, "text/html", "<html><body>maintenance</body></html>"
            return 200, "application/rss+xml", self._feed()
        if path == "/tz/":
            return 200, "text/html", self._list()
        for name, title, date, paragraphs in self.notices:
            if path == f"/tz/{name}":
                return 200, "text/html", _page(title, date, paragraphs)
        return 404, "text/html", "<html><head><title>404</title></head><body></body></html>"

    def _list(self) -> str:
        rows = "".join(
            f'<li><a href="{name}" title="{escape(title)}">{escape(title[:24])}…</a><span>{date}</span></li>'
            for name, title, date, _ in self.notices
        )
        return f"<html><head><title>通知</title></head><body><ul class='u-list'>{rows}</ul></body></html>"

    def _feed(self) -> str:
        items = "".join(
            f"<item><guid isPermaLink='false'>{id_}</guid><title>{title}</title><link>{self.url}/{id_}</link>"
            f"<description>{title}</description><pubDate>{date}T08:00:00+08:00</pubDate></item>"
            for id_, title, date in ENTRIES
        )
        return f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>安全</title>{items}</channel></rss>"


def _page(title: str, date: str, paragraphs: list[str]) -> str:
    text = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    return (
        f"<html><head><title>{escape(title)}</title><meta name='PubDate' content='{date}'></head><body><div>首页 公开 互动</div>"
        f"<h1>{escape(title)}</h1><div id='zoom'>{text}</div><div>访问量 {len(title)}</div></body></html>"
    )


def _handler(answer: Callable[[str], tuple[int, str, str]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, media_type, text = answer(self.path)
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
