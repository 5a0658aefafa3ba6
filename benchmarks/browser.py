"""What a browser costs: seconds of the first look, of a look with a warm browser, of a plain one with its cookies; and memory.

    python benchmarks/browser.py               # 10 looks of each
    python benchmarks/browser.py --looks 50

The site runs on loopback and answers at once: what is measured is the browser. Its page loads its rows by a script.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil

from monitor import browser
from monitor.look import Looked, look
from monitor.model import FetchPolicy, Listing, Pass, Purpose, Request, Source
from monitor.sources.list import ListOptions

ROWS = "".join(f"<li><a href='/p/{i}.html'>关于第{i}项工作的通知</a><span>2026-01-05</span></li>" for i in range(24)).encode()
SHELL = (
    b"<html><head><title>l</title></head><body><ul class='l'></ul><script>document.cookie = 'seen=1';"
    b"fetch('/rows').then(r => r.text()).then(t => { document.querySelector('ul').innerHTML = t })</script></body></html>"
)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        whole = b"<html><body><ul class='l'>" + ROWS + b"</ul></body></html>"
        plain = "sec-fetch-mode" not in self.headers and "seen=1" in self.headers.get("Cookie", "")
        body = ROWS if self.path == "/rows" else whole if plain else SHELL
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def one(source: Source, held: Pass | None) -> tuple[float, Looked]:
    started = time.perf_counter()
    seen = look(source, Request(source.url, via="browser", held=held), lambda: datetime.now(UTC))
    assert isinstance(seen.result, Listing)
    assert len(seen.result.notices) == 24
    return time.perf_counter() - started, seen


def memory() -> tuple[int, int]:
    """Processes of the browser, and the bytes that they share with none."""
    found = [child for child in psutil.Process().children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]
    return len(found), sum(child.memory_full_info().uss for child in found)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--looks", type=int, default=10)
    looks = parser.parse_args().looks
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    policy = FetchPolicy(deadline=120, allow_private=("127.0.0.0/8",))
    if said := browser.lacking(policy):
        raise SystemExit(said)
    print(browser.named(policy))
    url = f"http://127.0.0.1:{server.server_port}/"
    source = Source("a", "list", url, options=ListOptions(items="ul.l > li"), via="browser", policy=policy, how="list/1:b")
    # what was found unlike a moment ago is not compared again: the browser alone is timed
    only = Pass("", unlike=((Purpose.LISTING, datetime.now(UTC)),), how=source.how)
    first, _ = one(source, only)
    print(f"first look, with the start of the browser: {first:.2f} s")
    warm = [one(source, only)[0] for _ in range(looks)]
    print(f"a look with the warm browser: median {statistics.median(warm):.2f} s, slowest {max(warm):.2f} s")
    _, seen = one(source, None)
    assert seen.held is not None
    assert seen.held.plain
    plain = [one(source, seen.held)[0] for _ in range(looks)]
    print(f"a plain look with its cookies: median {statistics.median(plain) * 1000:.1f} ms, slowest {max(plain) * 1000:.1f} ms")
    count, held = memory()
    print(f"memory of the idle browser: {held / 1e6:.0f} MB in {count} processes")
    started = time.perf_counter()
    browser.close()
    print(f"its end: {time.perf_counter() - started:.2f} s, {memory()[0]} processes left")


if __name__ == "__main__":
    main()
