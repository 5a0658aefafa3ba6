"""The browser as this process sees it: one, started when it is needed, kept warm, ended when idle, spent or hung.

It takes one page at a time; who wants another waits. What goes in and comes out is pickled between the two ends of one program.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from time import monotonic

from monitor.browser import processes
from monitor.browser.page import Visited
from monitor.browser.serve import Done, Work
from monitor.errors import FetchError, MonitorError

#: A browser that was idle this long (seconds) is ended.
IDLE = 300.0
#: How long (seconds) after its deadline a page may still say that it is over.
GRACE = 2.0
_START = "import json,sys; sys.path[:] = json.loads(sys.argv[1]); from monitor.browser.serve import main; main()"
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "FONTCONFIG_PATH", "FONTCONFIG_FILE")


class _Child:
    """The browser's own process and the folder where it keeps everything; both go with `end`."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix=f"monitor-browser-{os.getpid()}-")
        ours, theirs = socket.socketpair()
        environ = {name: value for name, value in os.environ.items() if name in _PASSED_ON}
        try:
            self.process = subprocess.Popen(  # noqa: S603 - this interpreter, with our own words
                [sys.executable, "-c", _START, json.dumps(sys.path), str(theirs.fileno()), self.folder],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environ | {"HOME": self.folder, "TMPDIR": self.folder},
                start_new_session=True,  # Ctrl-C is for us: we end it
            )
        except OSError:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        finally:
            theirs.close()
        self.pipe = Connection(ours.detach())
        self.since = monotonic()

    def ask(self, work: Work) -> Done | None:
        """Its answer; None where it has died or hangs."""
        try:
            self.pipe.send(work)
            if not self.pipe.poll(max(0.0, work.until - monotonic()) + GRACE):
                return None
            done: Done = self.pipe.recv()
        except (EOFError, OSError):
            return None
        return done

    def end(self) -> None:
        """Close the pipe, upon which it ends with all that it started; kill what is left; leave nothing behind."""
        self.pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE)
        processes.kill(self.process.pid, f"={self.folder}")
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _started() -> _Child:
    """A new one. Raises FetchError where this machine has no room for it."""
    try:
        return _Child()
    except OSError as error:
        raise FetchError(f"the browser cannot be started ({error.strerror})", reason="browser") from None


class _Keeper:
    """The one browser of this process, and whose turn it is."""

    def __init__(self) -> None:
        self.turn = threading.Lock()  # held while a page is taken
        self._mutex = threading.Lock()  # around `_idle`
        self._idle: _Child | None = None

    def take(self, work: Work) -> Visited | MonitorError:
        """What came of one page; the turn is held. Raises FetchError where the browser broke down."""
        child = self._had(None)
        if child is not None and child.process.poll() is not None:  # it died while it was idle
            child.end()
            child = None
        child = child or _started()
        try:
            done = child.ask(work)
            if done is not None and done.result is None:
                child.end()
                child = _started()
                done = child.ask(work)
        except BaseException:
            child.end()
            raise
        if done is None or done.result is None or done.spent:
            child.end()
        else:
            child.since = monotonic()
            with self._mutex:
                self._idle = child
        if done is None or done.result is None:
            late = monotonic() >= work.until
            said = "no whole page within the deadline" if late else "the browser broke down"
            raise FetchError(said, reason="timeout" if late else "browser")
        return done.result

    def _had(self, now: float | None) -> _Child | None:
        """The browser, if there is one (with `now`: one that was idle for long); it is no longer kept."""
        with self._mutex:
            child = self._idle
            if child is not None and now is not None and now - child.since <= IDLE:
                return None
            self._idle = None
        return child

    def tidy(self, now: float) -> None:
        if (child := self._had(now)) is not None:
            child.end()


_keeper = _Keeper()


def turn() -> threading.Lock:
    """The lock that who takes a page holds: pages come one after the other."""
    return _keeper.turn


def take(work: Work) -> Visited | MonitorError:
    """What came of one page; the turn is held. Raises FetchError where the browser broke down."""
    return _keeper.take(work)


def close() -> None:
    """End the browser if it is at rest."""
    _keeper.tidy(float("inf"))


def tidy(now: float | None = None) -> None:
    """End the browser if it has been idle for long; `now` by the monotonic clock."""
    _keeper.tidy(monotonic() if now is None else now)


atexit.register(close)
