"""Processes of monitor that are killed, or lose their disk, at a chosen step: a database, socket or file call, counted from 1.

`Nursery` is the test's end. The other end (`nursery`, in a process of its own) has everything imported and forks a process for
each run, so that a run costs a tenth of a start. What is counted is what monitor's Python calls; SQLite's own writes are inside
its COMMIT.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
#: Seconds that one run may take before it is ended.
LONGEST = 120.0


@dataclass(frozen=True)
class Ran:
    """One run: its exit code (negative: the signal), seconds of wall and processor time, the steps in their order, its output."""

    code: int
    seconds: float
    cpu: float
    steps: list[str]
    out: str
    err: str


class Nursery:
    """Runs `monitor ARGS`. `at` and `side` name the step ("before" or "after" it) at which `act` is done: "kill"; "fill PATH" (no
    byte is left on that disk); "small PATH" (no file can grow beyond the size of that one)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.stepped import nursery; nursery()"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TZ": "UTC"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]  # a pipe
        self._process.wait(30)
        self._process.stdout.close()  # type: ignore[union-attr]  # a pipe

    def run(self, folder: Path, *args: str, at: int = 0, side: str = "before", act: str = "kill", user: int = 0) -> Ran:
        """One run on the configuration of a folder; `user` other than 0: as that user."""
        question = {"folder": str(folder), "args": args, "at": at, "side": side, "act": act, "user": user}
        print(json.dumps(question), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())  # type: ignore[union-attr]  # a pipe
        return Ran(**answer)


# --- the other end


class Steps:
    """Counts the calls; does what is asked at one of them, and never again."""

    def __init__(self) -> None:
        self.armed = False
        self.names: list[str] = []
        self.at, self.side = 0, "before"
        self.act: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def arm(self, at: int, side: str, act: Callable[[], None]) -> None:
        self.at, self.side, self.act = at, side, act
        self.armed = True

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        if not self.armed:
            yield
            return
        with self._lock:
            self.names.append(name)
            number = len(self.names)
        if number == self.at and self.side == "before":
            self.act()
        try:
            yield
        finally:
            if number == self.at and self.side == "after":
                self.act()


STEPS = Steps()
_kill, _getpid, _write = os.kill, os.getpid, os.write


class Counted(sqlite3.Connection):
    """Each statement is a step."""

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        with STEPS.step(f"db {' '.join(sql.split())[:60]}"):
            return super().execute(sql, *args)

    def executemany(self, sql: str, *args: Any) -> sqlite3.Cursor:
        with STEPS.step(f"db {' '.join(sql.split())[:60]}"):
            return super().executemany(sql, *args)

    def backup(self, *args: Any, **options: Any) -> None:
        with STEPS.step("db backup"):
            super().backup(*args, **options)

    def close(self) -> None:
        with STEPS.step("db close"):
            super().close()


def hook() -> None:
    """Put the counter into every call that matters."""
    real_connect = sqlite3.connect

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        with STEPS.step("db connect"):
            return real_connect(*args, factory=Counted, **options)

    sqlite3.connect = connect  # type: ignore[assignment]  # of the same form
    for name in ("connect", "bind", "listen", "accept", "send", "sendall", "sendto", "recv", "recv_into", "shutdown", "close"):
        _wrap(socket.socket, name, "socket")
    for name in (
        "open", "write", "pwrite", "pread", "fsync", "fdatasync", "ftruncate", "rename", "replace", "unlink", "remove", "link",
        "chmod", "posix_fallocate",
    ):  # fmt: skip
        _wrap(os, name, "file")
    _wrap(fcntl, "flock", "file")


def _wrap(place: Any, name: str, kind: str) -> None:
    real = getattr(place, name)

    def counted(*args: Any, **options: Any) -> Any:
        with STEPS.step(f"{kind} {name}"):
            return real(*args, **options)

    setattr(place, name, counted)


def _acts(what: str) -> Callable[[], None]:
    verb, _, rest = what.partition(" ")

    def kill() -> None:
        _leave_trace()
        _kill(_getpid(), signal.SIGKILL)

    def fill() -> None:
        STEPS.armed = False
        from tests.disks import fill as fill_disk

        fill_disk(Path(rest), 0)
        STEPS.armed = True

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (_size(Path(rest)), resource.RLIM_INFINITY))

    return {"kill": kill, "fill": fill, "small": small}[verb]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


_trace = 0  # where a run writes its steps before it ends


def _leave_trace() -> None:
    STEPS.armed = False
    _write(_trace, json.dumps(STEPS.names).encode())


def _child(question: dict[str, Any], files: list[int]) -> None:
    """The run itself, in the forked process."""
    global _trace  # noqa: PLW0603 - one run a process
    from monitor.cli import main

    _trace = files[2]
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(files[0], 1)
    os.dup2(files[1], 2)
    os.chdir(question["folder"])
    if question["user"]:
        os.setgroups([])
        os.setgid(question["user"])
        os.setuid(question["user"])
    STEPS.arm(question["at"], question["side"], _acts(question["act"]))
    try:
        main(["--config", str(Path(question["folder"]) / "monitor.toml"), *question["args"]])
    finally:
        _leave_trace()


def _read(texts: list[str], number: int, source: int) -> None:
    with os.fdopen(source, "r", encoding="utf-8", errors="replace") as stream:
        texts[number] = stream.read()


def _run(question: dict[str, Any]) -> dict[str, Any]:
    pipes = [os.pipe() for _ in range(3)]  # a limit of file sizes is none of theirs
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _child(question, [into for _, into in pipes])
        raise SystemExit(0)
    for _, into in pipes:
        os.close(into)
    texts = ["", "", ""]
    readers = [threading.Thread(target=_read, args=(texts, number, pipe[0])) for number, pipe in enumerate(pipes)]
    for reader in readers:
        reader.start()
    timer = threading.Timer(LONGEST, _kill, (pid, signal.SIGABRT))
    timer.start()
    _, status, usage = os.wait4(pid, 0)
    timer.cancel()
    timer.join()
    for reader in readers:
        reader.join()
    return {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "steps": json.loads(texts[2] or "[]"),
        "out": texts[0],
        "err": texts[1],
    }


def nursery() -> None:
    """Fork a process for each line of standard input; answer with a line."""
    for name in (
        "cli.asking",
        "cli.listing",
        "cli.look",
        "cli.upkeep",
        "daemon",
        "daemon.asked",
        "sources.list",
        "senders.wecom",
    ):
        importlib.import_module(f"monitor.{name}")
    "".encode("utf-8-sig")  # of a module that another user may not read
    hook()
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), flush=True)
