"""What one check costs: CPU of an unchanged conditional check against the bare `requests` call, and memory with many sources.

    python benchmarks/check_cost.py            # 200 checks a round, 5 rounds, then 1,000 sources
    python benchmarks/check_cost.py --sources 10000

The site runs in a process of its own and answers 304. Both are measured in the same run, in turn; the ratio is what counts.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import statistics
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import requests

ROWS = "".join(f"<li><a href='/p/{i}.html'>关于第{i}项工作的通知</a><span>2026-01-05</span></li>" for i in range(24))
LIST = f"<html><head><title>l</title></head><body><ul class='l'>{ROWS}</ul></body></html>".encode()


def serve(pipe: object) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            known = self.headers.get("If-None-Match") == '"v1"'
            self.send_response(304 if known else 200)
            self.send_header("ETag", '"v1"')
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", "0" if known else str(len(LIST)))
            self.end_headers()
            self.wfile.write(b"" if known else LIST)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    pipe.send(server.server_port)
    server.serve_forever()


def config(folder: Path, port: int, sources: int) -> Path:
    path = folder / "monitor.toml"
    lines = ['[monitor]\nevery = "15m"\n[http]\ndelay = "0s"\nper_host = 16\nallow_private = ["127.0.0.0/8"]\n']
    for i in range(sources):
        url = f"http://127.0.0.1:{port}/l{i}/"
        lines.append(f'[[source]]\nid = "s{i}"\nkind = "list"\nurl = "{url}"\nitems = "ul.l > li"\ndate = "span"\n')
    path.write_text("".join(lines), "utf-8")
    return path


def cost(folder: Path, port: int, checks: int, rounds: int) -> None:
    from monitor import config as configs
    from monitor.check.one import check
    from monitor.daemon import Loops

    loops = Loops(configs.load(config(folder, port, 1), {}))
    source = loops.config.sources["s0"]
    loops.check_now(["s0"])
    url, headers = source.url, {"If-None-Match": '"v1"'}
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(checks):
            assert requests.get(url, headers=headers, timeout=10).status_code == 304
        bare.append((time.process_time() - start) / checks)
        start = time.process_time()
        for _ in range(checks):
            assert check(loops.desk, source).outcome == "unchanged"
        loops.flush()
        ours.append((time.process_time() - start) / checks)
    loops.close()
    mine, theirs = statistics.median(ours) * 1000, statistics.median(bare) * 1000
    print(f"unchanged conditional check   {mine:7.3f} ms CPU")
    print(f"bare requests.get             {theirs:7.3f} ms CPU")
    print(f"ratio                         {mine / theirs:7.2f}")


def memory(folder: Path, port: int, sources: int) -> None:
    from monitor import config as configs
    from monitor.daemon import Loops

    process = psutil.Process()
    loops = Loops(configs.load(config(folder, port, sources), {}))
    start = time.process_time(), time.monotonic()
    loops.check_now(list(loops.config.sources))
    cpu, wall = time.process_time() - start[0], time.monotonic() - start[1]
    loops.check_now(list(loops.config.sources))
    print(f"{sources:,} sources, baseline       {wall:7.1f} s, {cpu * 1000 / sources:.1f} ms CPU each")
    print(f"memory of the process         {process.memory_info().rss / 1e6:7.0f} MB")
    loops.close()


def main() -> None:
    logging.getLogger("monitor").addHandler(logging.NullHandler())
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--checks", type=int, default=200)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--sources", type=int, default=1000)
    given = asked.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,), daemon=True)
    server.start()
    port = here.recv()
    try:
        for part in (lambda f: cost(f, port, given.checks, given.rounds), lambda f: memory(f, port, given.sources)):
            with tempfile.TemporaryDirectory() as folder:
                part(Path(folder))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
