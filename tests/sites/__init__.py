"""The hand-written pages of official sites, served over loopback as the sites serve them (see README.md)."""

from __future__ import annotations

import json
import threading
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HERE = Path(__file__).parent


def expected(folder: str) -> dict[str, Any]:
    """What a folder's `expect.json` says."""
    found: dict[str, Any] = json.loads((HERE / folder / "expect.json").read_text("utf-8"))
    return found


class OfficialSite:
    """One folder on a loopback port. `asked` logs (method, path with query); an answer in `instead` replaces a path's."""

    def __init__(self, folder: str) -> None:
        self.folder, self.expect = HERE / folder, expected(folder)
        where = self.expect["url"] or self.expect["detail"]["url"]
        self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(where))
        self.asked: list[tuple[str, str]] = []
        self.instead: dict[str, tuple[int, bytes]] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                site.asked.append((self.command, self.path))
                status, headers, answer = site.answer(self.command, self.path, dict(self.headers), body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET  # noqa: N815 - the library's name

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> OfficialSite:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def here(self, address: str) -> str:
        """The site's address on this machine."""
        parts = urlsplit(address)
        return address.replace(f"{parts.scheme}://{parts.netloc}", self.url, 1)

    def there(self, address: str | None) -> str | None:
        """The inverse of `here`."""
        return None if address is None else address.replace(self.url, self.origin, 1)

    def answer(self, method: str, path: str, headers: dict[str, str], body: str) -> tuple[int, dict[str, str], bytes]:
        if path.partition("?")[0] in self.instead:
            status, said = self.instead[path.partition("?")[0]]
            return status, {"Content-Type": "text/html; charset=utf-8"}, said
        fitting = [one for one in self.expect["requests"] if _fits(one, method, path, body)]
        if not fitting:
            return 404, {"Content-Type": "text/html"}, b"<html><head><title>404</title></head><body>404</body></html>"
        one = max(fitting, key=lambda one: len(_asked(one["url"])) + len(_parameters(one.get("body") or "")))
        lower = {name.lower(): value for name, value in headers.items()}
        if any(wanted not in lower.get(name.lower(), "\0") for name, wanted in one.get("needs", {}).items()):
            refused = one.get("refused", {"status": 403})
            return refused["status"], {"Content-Type": "text/html; charset=utf-8"}, self._file(refused.get("answer"))
        return (
            one["status"],
            {"Content-Type": one.get("type", "text/html"), **one.get("headers", {})},
            self._file(one.get("answer")),
        )

    def _file(self, name: str | None) -> bytes:
        return (self.folder / name).read_bytes() if name else b""


def _fits(one: dict[str, Any], method: str, path: str, body: str) -> bool:
    if one["method"] != method or urlsplit(one["url"]).path != urlsplit(path).path:
        return False
    given = _asked(path)
    if any(given.get(name) != value for name, value in _asked(one["url"]).items()):
        return False
    wanted, sent = _parameters(one.get("body") or ""), _parameters(body)
    return all(sent.get(name) == value for name, value in wanted.items())


def _asked(url: str) -> dict[str, Any]:
    found = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    return {name: json.loads(value) if name == "paramJson" else value for name, value in found.items()}


def _parameters(body: str) -> dict[str, Any]:
    if body.startswith("{"):
        found: dict[str, Any] = json.loads(body)
        return found
    return dict(parse_qsl(body, keep_blank_values=True))


def same_moment(found: date | datetime | None, wanted: str) -> bool:
    """Whether a published date is the one that is written; a day wanted is also met by a moment on it in Shanghai."""
    if found is None:
        return False
    if len(wanted) > 10:
        return isinstance(found, datetime) and abs((found - datetime.fromisoformat(wanted)).total_seconds()) < 1
    if isinstance(found, datetime):
        from zoneinfo import ZoneInfo

        return found.astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat() == wanted
    return found.isoformat() == wanted
