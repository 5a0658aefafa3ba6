"""CPU of one unchanged conditional request (304): `fetch()` against a bare `requests.get` and a kept `requests.Session`.

The server runs in a process of its own; `time.process_time` sees the client alone. The three take turns in rounds, so that a
busy machine is unfair to all of them alike. Aim: fetch() at most 1.2 times the bare `requests.get`.

    python benchmarks/fetch.py [N]
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection

import requests

from monitor.fetch import close, fetch
from monitor.model import FetchPolicy, Request, Unchanged, Validators

ROUNDS = 10
ETAG = '"abc123"'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(304 if self.headers.get("If-None-Match") == ETAG else 500)
        self.send_header("ETag", ETAG)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _serve(pipe: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    pipe.send(server.server_address[1])
    server.serve_forever()


def _cpu(action: Callable[[], None], times: int) -> float:
    """Milliseconds of CPU for one call."""
    before = time.process_time()
    for _ in range(times):
        action()
    return (time.process_time() - before) * 1000 / times


def main(total: int) -> None:
    """Measure and print."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}/list.html"
    policy = FetchPolicy(allow_private=("127.0.0.0/8",))
    request = Request(url, validators=Validators(etag=ETAG, at=datetime.now(UTC)))
    session = requests.Session()

    def with_fetch() -> None:
        assert isinstance(fetch(request, policy), Unchanged)

    def with_get() -> None:
        assert requests.get(url, headers={"If-None-Match": ETAG}, timeout=30).status_code == 304

    def with_session() -> None:
        assert session.get(url, headers={"If-None-Match": ETAG}, timeout=30).status_code == 304

    actions = {"fetch()": with_fetch, "requests.get": with_get, "Session.get": with_session}
    for action in actions.values():
        _cpu(action, 20)
    rounds: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(ROUNDS):
        for name, action in actions.items():
            rounds[name].append(_cpu(action, total // ROUNDS))
    figures = {name: statistics.mean(values) for name, values in rounds.items()}
    for name, figure in figures.items():
        print(f"{name:<14}{figure:7.3f} ms   {figure / figures['requests.get']:5.2f} x requests.get")
    session.close()
    close()
    server.terminate()
    server.join()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
