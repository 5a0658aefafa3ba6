"""Processes by their parents: which belong to a browser, how much memory they hold, and their end. It starts none.

A browser is many processes, and some of them leave their group and their parent; what they keep is the folder that is named on
their command line.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: How long (seconds) the end of processes that were killed is waited for.
_PATIENCE = 5.0
_PAGE = os.sysconf("SC_PAGE_SIZE")
_CHILD_SUBREAPER = 36  # prctl(2)


@dataclass(frozen=True, slots=True)
class Process:
    """One process; `memory` are the bytes that it shares with no file (on macOS: all that are resident)."""

    pid: int
    parent: int
    dead: bool
    memory: int
    command: str


def table() -> dict[int, Process]:
    """Every process of this machine that can be seen."""
    found = _of_proc() if sys.platform == "linux" else _of_ps()
    return {process.pid: process for process in found}


def _of_proc() -> Iterator[Process]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            state, parent = (folder / "stat").read_bytes().rpartition(b")")[2].split()[:2]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            _, resident, shared = (folder / "statm").read_bytes().split()[:3]
        except (OSError, ValueError):
            continue  # it ended meanwhile
        yield Process(int(folder.name), int(parent), state in b"ZX", (int(resident) - int(shared)) * _PAGE, command)


def _of_ps() -> Iterator[Process]:
    asked = ["ps", "-axo", "pid=,ppid=,stat=,rss=,command="]
    for line in subprocess.run(asked, capture_output=True, check=False).stdout.decode("utf-8", "replace").splitlines():  # noqa: S603
        fields = line.split(None, 4)
        if len(fields) == 5:
            yield Process(int(fields[0]), int(fields[1]), fields[2].startswith("Z"), int(fields[3]) * 1024, fields[4])


def below(pid: int, known: dict[int, Process]) -> list[Process]:
    """The children of a process, their children, and so on."""
    found, fresh = [], [pid]
    while fresh:
        parents, fresh = set(fresh), []
        for process in known.values():
            if process.parent in parents and process.pid != process.parent:
                found.append(process)
                fresh.append(process.pid)
    return found


def kill(pid: int, mark: str, but: Collection[int] = ()) -> None:
    """Kill whatever runs below a process, and whatever names `mark` on its command line; wait until none is left."""
    until = time.monotonic() + _PATIENCE
    spared = {os.getpid(), pid, *but}
    while time.monotonic() < until:
        known = table()
        found = {process.pid for process in below(pid, known)}
        found |= {process.pid for process in known.values() if mark and mark in process.command}
        living = [one for one in found - spared if not known[one].dead]
        for one in living:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(one, signal.SIGKILL)
        reap(but)
        if not living:
            return
        time.sleep(0.02)


def adopt() -> None:
    """Become the parent of processes below that lose theirs, so that none is left to a machine's first process, which in a
    container may not bury them. Only Linux knows that."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap(but: Collection[int] = ()) -> None:
    """Bury children that have ended, except those that others wait for."""
    if sys.platform != "linux":
        return
    me = os.getpid()
    for process in table().values():
        if process.parent == me and process.dead and process.pid not in but:
            with suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
