"""Work on bytes from outside, in a child process that can be killed: it has its own time, memory and files.

A child is started when it is first needed, kept warm, and ended when it was idle for a while, has grown, or broke a limit; what
it has started ends with it. What it runs is a module's function; what goes in and comes out is pickled between the two ends of
one program, never with a third. It decides nothing: which work goes here is known to who asks.
"""

from __future__ import annotations

import atexit
import json
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

from monitor.errors import MonitorError, ParseError

T = TypeVar("T")

#: Seconds that one piece of work has, and bytes that it may take beyond what a child takes at rest.
SECONDS, MEMORY = 5.0, 256 * 1024 * 1024
#: A child is ended after so many pieces of work: allocators give little back.
PIECES = 500
#: At most so many children of ordinary work at once; further work waits.
CHILDREN = max(1, min(4, os.cpu_count() or 1))
#: A child that was idle this long (seconds) is ended.
IDLE = 120.0

_HINT = "look at what the address serves"
_LENGTH = struct.Struct(">Q")
_START = "import json,sys; sys.path[:] = json.loads(sys.argv[1]); from monitor.sandbox import serve; serve(int(sys.argv[2]))"
_mutex = threading.Lock()


class Pool:
    """Children that do one sort of work: at most `children` at once, each ended when it was idle for `idle` seconds or is larger
    than `grown` bytes after its work; `nice` is how far they stand back behind other processes."""

    def __init__(self, children: int, *, idle: float = IDLE, grown: int = 200 << 20, nice: int = 0) -> None:
        self.children, self.idle, self.grown, self.nice = children, idle, grown, nice
        self.free = threading.BoundedSemaphore(children)
        self.resting: list[_Child] = []

    def take(self) -> _Child:
        """A child at rest, or a new one."""
        with _mutex:
            while self.resting:
                child = self.resting.pop()
                if child.process.poll() is None:
                    return child
                child.end()
        return _Child(self.nice)

    def give(self, child: _Child) -> None:
        """Its work is done."""
        child.since = monotonic()
        with _mutex:
            self.resting.append(child)


#: Ordinary work; and the recognition of words in pictures, which is heavy: one at a time, behind everything else.
WORK = Pool(CHILDREN)
OCR = Pool(1, idle=30.0, grown=2 << 30, nice=10)


def run(
    function: Callable[..., T],
    *arguments: object,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    pool: Pool = WORK,
    patient: bool = False,
) -> T:
    """The result of `function(*arguments)`, worked out in a child; a MonitorError that it raises is raised here. `patient`: the
    time that it waits for a child does not count.

    Raises ParseError: reason "too slow" after `seconds`, "too large" where it wants more than `memory` bytes, "crashed" where it
    takes the child down, or fails in a way that nobody foresaw."""
    until = monotonic() + seconds
    with pool.free:
        if patient:
            until = monotonic() + seconds
        child = pool.take()
        try:
            done = child.ask((function, arguments, seconds, memory), until)
        except BaseException:
            child.end()
            raise
        if isinstance(done, _Ended):
            error = _error(done, seconds, memory, child.last_words() if done.why == "died" else "")
            child.end()
            raise error
        result, failure, size = done
        child.pieces += 1
        if child.pieces >= PIECES or size > pool.grown:
            child.end()
        else:
            pool.give(child)
    if failure is not None:
        raise failure
    return result  # type: ignore[no-any-return]  # what the child unpickled is what the function returned


def close() -> None:
    """End the children that are at rest."""
    _end(lambda _pool, _child: True)


def tidy(now: float | None = None) -> None:
    """End the children that have been idle for long; `now` by the monotonic clock."""
    now = monotonic() if now is None else now
    _end(lambda pool, child: now - child.since > pool.idle)


def _end(old: Callable[[Pool, _Child], bool]) -> None:
    over: list[_Child] = []
    with _mutex:
        for pool in (WORK, OCR):
            over += [child for child in pool.resting if old(pool, child)]
            pool.resting[:] = [child for child in pool.resting if child not in over]
    for child in over:
        child.end()


class _Ended:
    """Why a child gave no answer."""

    def __init__(self, why: str) -> None:
        self.why = why


class _Child:
    """One child process, with a pipe to it and one from it."""

    def __init__(self, nice: int) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child, which `end` sees to
        self.process = subprocess.Popen(  # noqa: S603 - this interpreter, with our own words
            [sys.executable, "-c", _START, json.dumps(sys.path), str(nice)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "TMPDIR", "HOME")},
            start_new_session=True,  # what it starts can be ended with it
        )
        self.pieces = 0
        self.since = monotonic()

    def ask(self, work: object, until: float) -> Any:
        """The child's answer, or _Ended."""
        assert self.process.stdin
        assert self.process.stdout
        data = pickle.dumps(work, pickle.HIGHEST_PROTOCOL)
        sink, source = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(sink, False)
        left = memoryview(_LENGTH.pack(len(data)) + data)
        while left:
            if not _ready([], [sink], until):
                return _Ended("time")
            try:
                left = left[os.write(sink, left) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                return _Ended("died")
        head = _read(source, _LENGTH.size, until)
        if isinstance(head, _Ended):
            return head
        body = _read(source, _LENGTH.unpack(head)[0], until)
        return body if isinstance(body, _Ended) else pickle.loads(body)  # noqa: S301 - from our own child, over our own pipe

    def end(self) -> None:
        """Kill it and what it has started, and leave nothing behind."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self.process.wait()
        self._said.close()

    def last_words(self) -> str:
        """The last line that the child wrote where nobody reads: of an exception that nobody foresaw."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - 2000))
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""


def _ready(readers: list[int], writers: list[int], until: float) -> bool:
    left = until - monotonic()
    return left > 0 and any(select.select(readers, writers, [], left))


def _read(source: int, size: int, until: float) -> bytes | _Ended:
    got = bytearray()
    while len(got) < size:
        if not _ready([source], [], until):
            return _Ended("time")
        part = os.read(source, min(size - len(got), 1 << 20))
        if not part:
            return _Ended("died")
        got += part
    return bytes(got)


def _error(ended: _Ended, seconds: float, memory: int, last_words: str) -> ParseError:
    if ended.why == "time":
        return ParseError(f"could not be parsed within {seconds:.3g} s", reason="too slow", hint=_HINT)
    why = last_words or f"without a word; it may have wanted more than {memory >> 20} MiB"
    return ParseError(f"its reader broke down: {why}", reason="crashed", hint=_HINT)


atexit.register(close)


# --- the child's side


def serve(nice: int = 0) -> None:
    """The child: work off what comes on standard input until it ends."""
    os.nice(nice)
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    source = sys.stdin.buffer
    while head := source.read(_LENGTH.size):
        function, arguments, seconds, memory = pickle.loads(source.read(_LENGTH.unpack(head)[0]))  # noqa: S301 - from our parent
        _limit(seconds, memory)
        answer = _work(function, arguments, memory)
        try:
            data = pickle.dumps((*answer, _size()), pickle.HIGHEST_PROTOCOL)
        except MemoryError:
            data = pickle.dumps((None, _too_large(memory), 0))
        view = memoryview(_LENGTH.pack(len(data)) + data)
        while view:
            view = view[os.write(out, view) :]


def _work(function: Callable[..., Any], arguments: tuple[object, ...], memory: int) -> tuple[Any, MonitorError | None]:
    try:
        return function(*arguments), None
    except MonitorError as error:
        error.__traceback__ = error.__cause__ = error.__context__ = None
        return None, error
    except MemoryError:
        return None, _too_large(memory)
    except RecursionError:
        return None, ParseError("is nested too deeply to be read", reason="too deep")


def _too_large(memory: int) -> ParseError:
    return ParseError(f"takes more than {memory >> 20} MiB to be read", reason="too large", hint=_HINT)


def _limit(seconds: float, memory: int) -> None:
    """Limits of the kernel behind those of the parent: processor time, and private memory beyond what is in use now."""
    import resource

    def lower(which: int, soft: int) -> None:
        hard = resource.getrlimit(which)[1]
        resource.setrlimit(which, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))

    used = resource.getrusage(resource.RUSAGE_SELF)
    lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + seconds) + 2)
    lower(resource.RLIMIT_FSIZE, memory)
    lower(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":
        lower(resource.RLIMIT_DATA, _status("VmData") + memory)


def _size() -> int:
    """Bytes resident now; 0 where the system does not tell."""
    return _status("VmRSS") if sys.platform == "linux" else 0


def _status(name: str) -> int:
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(name.encode() + b":"):
                return int(line.split()[1]) * 1024
    return 0
