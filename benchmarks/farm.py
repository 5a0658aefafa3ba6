"""Two hundred sites in one process and a real daemon in another, for the benchmarks that look at it from outside.

Each site has an address of its own in 127.0.0.0/8, so that each is a host of its own. What it answers to whom and when is known
here, and with it how late each check was: a source is due again within `every` + 5 % after an answer, within twice that after the
second failed one, and so on. What comes later is late.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
#: Rows of each site's list, and the port of all sites.
ROWS = 60
#: Seconds that a daemon gives an answer.
DEADLINE = 1.5
#: A plan is moved by so much at most.
JITTER = 0.05

Writer = asyncio.StreamWriter
Answer = Callable[[Writer], Awaitable[None]]


def head(status: str, length: int | None, *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/html; charset=utf-8", *more, "Connection: close"]
    lines += [f"Content-Length: {length}"] if length is not None else []
    return "\r\n".join([*lines, "", ""]).encode()


@dataclass
class Place:
    """One site: its rows, when it was asked last, how it answered then."""

    rows: list[int] = field(default_factory=lambda: list(range(ROWS, 0, -1)))
    asked: float | None = None
    again: bool = False  # asked a second time
    failures: int = 0
    busy: float = 0.0  # seconds that the last answer was to take, where it never comes

    def list(self) -> bytes:
        items = "".join(
            f"<li><a href='/p/{row}.html'>关于第{row}项工作的通知</a><span>2026-01-05</span></li>" for row in self.rows
        )
        return f"<html><head><title>l</title></head><body><ul class='l'>{items}</ul></body></html>".encode()


class Farm:
    """The sites. `faults` is the share of checks that meet a fault, `news` of those that find a new row."""

    def __init__(self, every: float, faults: float, news: float) -> None:
        self.every, self.faults, self.news = every, faults, news
        self.places: dict[str, Place] = {}
        self.rng = random.Random(20260112)
        self.counts = {"checks": 0, "again": 0, "faults": 0, "news": 0, "messages": 0}
        self.late: list[float] = []
        self.measured = False

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            asked = await reader.readuntil(b"\r\n\r\n")
            address = writer.get_extra_info("sockname")[0]
            if asked.startswith(b"POST"):
                self.counts["messages"] += 1
                writer.write(head("200 OK", 2) + b"{}")
                await writer.drain()
            else:
                await self.answer(self.places.setdefault(address, Place()), asked, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # whoever asked has had enough
        finally:
            writer.close()

    async def answer(self, place: Place, asked: bytes, writer: Writer) -> None:
        self.note(place)
        if self.rng.random() < self.faults:
            self.counts["faults"] += 1
            place.failures += 1
            fault = self.rng.choice(list(FAULTS))
            place.busy = DEADLINE if fault == "hang" else 0.0
            await FAULTS[fault](writer)
            return
        if self.rng.random() < self.news:
            self.counts["news"] += 1
            place.rows = [place.rows[0] + 1, *place.rows[:-1]]
        place.failures, place.busy = 0, 0.0
        body = place.list()
        etag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
        if f"if-none-match: {etag}".encode() in asked.lower():
            writer.write(head("304 Not Modified", 0, f"ETag: {etag}"))
        else:
            writer.write(head("200 OK", len(body), f"ETag: {etag}") + body)
        await writer.drain()

    def note(self, place: Place) -> None:
        """A site is asked: how late."""
        now = time.monotonic()
        if place.asked is not None:
            self.counts["checks"] += 1
            self.counts["again"] += not place.again
            place.again = True
            wait = self.every * 2 ** max(place.failures - 1, 0) * (1 + JITTER) + place.busy
            if self.measured:
                self.late.append(now - place.asked - wait)
        place.asked = now


async def hang(writer: Writer) -> None:
    await asyncio.sleep(60)


async def error(writer: Writer) -> None:
    writer.write(head("500 Internal Server Error", 0))


async def reset(writer: Writer) -> None:
    writer.transport.abort()


async def cut(writer: Writer) -> None:
    writer.write(head("200 OK", 5000) + b"<html><body>")


async def empty(writer: Writer) -> None:
    body = b"<html><body><ul class='l'></ul></body></html>"
    writer.write(head("200 OK", len(body)) + body)


async def maintenance(writer: Writer) -> None:
    body = "<html><title>系统维护</title><body>系统维护中，请稍后访问</body></html>".encode()
    writer.write(head("200 OK", len(body)) + body)


FAULTS: dict[str, Answer] = {
    "hang": hang, "error": error, "reset": reset, "cut": cut, "empty": empty, "maintenance": maintenance,
}  # fmt: skip


async def _run(pipe: Connection, farm: Farm) -> None:
    server = await asyncio.start_server(farm.serve, "0.0.0.0", 0, limit=1 << 16)
    pipe.send(server.sockets[0].getsockname()[1])
    while True:
        await asyncio.sleep(0.05)
        while pipe.poll():
            said = pipe.recv()
            if said == "measure":
                farm.measured = True
            elif said == "stop":
                return
            pipe.send((dict(farm.counts), farm.late))
            farm.late = []


def _serve(pipe: Connection, farm: Farm) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_run(pipe, farm))


class Sites:
    """The process with the sites, seen from the benchmark."""

    def __init__(self, farm: Farm) -> None:
        self.pipe, there = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=_serve, args=(there, farm), daemon=True)
        self.process.start()
        self.port: int = self.pipe.recv()

    def ask(self, said: str = "") -> tuple[dict[str, int], list[float]]:
        """Counts, and how late each check was since the last question (seconds; below zero: in time)."""
        self.pipe.send(said)
        found: tuple[dict[str, int], list[float]] = self.pipe.recv()
        return found

    def close(self) -> None:
        self.process.terminate()
        self.process.join()


def address(number: int) -> str:
    """The address of a site."""
    return f"127.0.{1 + number // 200}.{1 + number % 200}"


def config(folder: Path, port: int, sources: int, every: str, more: str = "") -> Path:
    """The configuration of so many well sources, and more."""
    path = folder / "monitor.toml"
    text = f'[monitor]\nevery = "{every}"\nlog = "error"\nalive = "0s"\n'
    text += f'[http]\ndelay = "0s"\ndeadline = "{DEADLINE}s"\nallow_private = ["127.0.0.0/8"]\n'
    text += f'[[channel]]\nid = "hook"\nurl = "json://127.0.0.1:{port}/hook"\nrate = 10000\n'
    for number in range(sources):
        text += f'[[source]]\nid = "s{number:03d}"\nkind = "list"\nurl = "http://{address(number)}:{port}/list/"\nsame = "off"\n'
        text += 'items = "ul.l > li"\ndate = "span"\n'
    path.write_text(text + more, "utf-8")
    path.chmod(0o600)
    return path


class Daemon:
    """`monitor run` in a process of its own."""

    def __init__(self, config_: Path) -> None:
        self.log = config_.with_name("log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "--config", str(config_), "run"], cwd=ROOT, env=_environ(), stderr=log
            )
        self.seen = psutil.Process(self.process.pid)

    def sample(self) -> tuple[float, int, int]:
        """MiB resident, open files, threads."""
        with self.seen.oneshot():
            return self.seen.memory_info().rss / 1_048_576, self.seen.num_fds(), self.seen.num_threads()

    def stop(self) -> int:
        self.process.terminate()
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()


def _environ() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}


def share(values: list[float], part: float) -> float:
    """The value below which such a part of the values lies."""
    ordered = sorted(values) or [0.0]
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def until(condition: Callable[[], Any], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {seconds:g} s")
        time.sleep(0.2)
