"""What a process asked the kernel to do with its files and sockets, in order, as strace saw it; and what a disk would hold had
the power failed in between."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CALLS = "pwrite64,write,fdatasync,fsync,ftruncate,unlink,sendto,sendmsg"
_LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)")
_HEX = re.compile(r"(?:\\x[0-9a-f]{2})+")
#: A disk writes a sector whole or not at all, in bytes.
SECTOR = 512


@dataclass(frozen=True)
class Call:
    """One call of a thread. `place`: the file's path or the socket's peer ("127.0.0.1:8080"); `begins` and `ends`: its
    places in the trace."""

    thread: str
    name: str
    place: str
    data: bytes
    number: int  # of pwrite64 the offset, of ftruncate the size
    begins: int
    ends: int


def trace(folder: Path, *args: str) -> list[Call]:
    """The calls of `monitor ARGS` on the configuration of a folder, by when they began. Skips where strace cannot be used."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: the order of syncs and sends is not looked at")
    log = folder / "trace"
    options = ["-f", "-yy", "-xx", "-s", "9000", "--seccomp-bpf", "-o", str(log), "-e", f"trace={CALLS}", "-e", "signal=none"]
    command = [sys.executable, "-m", "monitor", "--config", str(folder / "monitor.toml"), *args]
    environ = {"PATH": os.environ["PATH"], "TZ": "UTC"}
    done = subprocess.run(["strace", *options, *command], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip(f"strace may not look at processes here: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr
    return read(log)


def read(log: Path) -> list[Call]:
    """A trace as calls."""
    found: list[Call] = []
    under_way: dict[str, tuple[int, str]] = {}
    for place, line in enumerate(log.read_text("latin-1").splitlines()):
        parts = _LINE.match(line)
        if parts is None:
            continue  # an exit
        thread, resumed, name, rest = parts.groups()
        if resumed:
            begins, head = under_way.pop(thread)
            found.append(_call(thread, resumed, head + rest, begins, place))
        elif rest.endswith("<unfinished ...>"):
            under_way[thread] = place, rest.removesuffix("<unfinished ...>")
        else:
            found.append(_call(thread, name, rest, place, place))
    return sorted(found, key=lambda call: call.begins)


def _call(thread: str, name: str, said: str, begins: int, ends: int) -> Call:
    assert "..., " not in said, "the trace cut what was written short"
    texts = [bytes.fromhex(text.replace("\\x", "")) for text in _HEX.findall(said)]
    peer = re.match(r"\d+<TCP[^[]*\[[^>]*->([^\]]+)\]>", said)
    place = peer[1] if peer else texts[0].decode("utf-8", "replace") if texts else ""
    data = texts[-1] if texts and (len(texts) > 1 or peer) else b""
    number = re.search(r", (\d+) *\) += ", said)
    return Call(thread, name, place, data, int(number[1]) if number else 0, begins, ends)


@dataclass
class File:
    """A file as a disk without power would hold it: what was synced, and what was written since."""

    there: bytes | None = None
    since: list[Call] = field(default_factory=list)

    def do(self, call: Call) -> None:
        if call.name in ("fdatasync", "fsync"):
            for one in self.since:
                self.there = _apply(self.there, one, one.data)
            self.since.clear()
        else:
            self.since.append(call)

    def after_power_loss(self, rng: random.Random) -> bytes | None:
        """Of what was not synced, any part in any state: each write done, not done, or done in some of its sectors."""
        content = self.there
        for call in self.since:
            if call.name == "unlink":
                content = None if rng.random() < 0.5 else content
            elif call.name == "ftruncate":
                content = _apply(content, call, b"") if rng.random() < 0.5 else content
            else:
                for start in range(0, len(call.data), SECTOR):
                    if rng.random() < 0.5:
                        content = _at(content, call.number + start, call.data[start : start + SECTOR])
        return content


def _apply(content: bytes | None, call: Call, data: bytes) -> bytes | None:
    if call.name == "unlink":
        return None
    if call.name == "ftruncate":
        return (content or b"")[: call.number].ljust(call.number, b"\0")
    return _at(content, call.number, data)


def _at(content: bytes | None, offset: int, data: bytes) -> bytes:
    content = (content or b"").ljust(offset, b"\0")
    return content[:offset] + data + content[offset + len(data) :]
