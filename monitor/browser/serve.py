"""The browser's own process: started by `keep`, it drives Chromium, takes one page after another and ends with its pipe.

The library belongs to one thread, the main one here; a second listens for the end of the pipe, a third kills the browser when a
page's time is over or its memory too much: no page can hold either up. After that this process is ended; the next page gets a new
one.
"""

from __future__ import annotations

import importlib
import os
import queue
import shutil
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import unquote, urlsplit

from monitor.browser import processes
from monitor.browser.page import Visit, Visited
from monitor.browser.proxy import Gate, Proxy
from monitor.errors import FetchError, MonitorError, TooLarge
from monitor.model import FetchPolicy, Request

#: After so many pages, or where it is larger than this afterwards, there is a new browser.
PAGES, GROWN = 200, 700 * 1024 * 1024
#: Megabytes of a page's own objects.
_HEAP = 512
_FLAGS = (
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
    "--disable-domain-reliability", "--disable-client-side-phishing-detection", "--disable-default-apps", "--disable-extensions",
    "--disable-breakpad",
    "--no-first-run", "--no-default-browser-check", "--no-pings", "--disable-gpu", "--mute-audio",
    # nothing goes around the proxy: no look-up of our own, no loopback, no UDP of a page's calls
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--dns-prefetch-disable",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    f"--js-flags=--max-old-space-size={_HEAP}",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Work:
    """One page to be taken; `until` by the monotonic clock, `memory` in bytes."""

    request: Request
    policy: FetchPolicy
    library: str
    program: str
    timezone: str
    until: float
    memory: int


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it; `result` is None where the browser had died while it was idle: another one is to be asked. `spent`: this
    process is to be ended; `memory` in bytes, of all processes."""

    result: Visited | MonitorError | None
    spent: bool
    memory: int


class _Watch(threading.Thread):
    """Kills the browser when the time of a page is over, or its memory too much; `why` says which."""

    def __init__(self, folder: str) -> None:
        super().__init__(name="watch", daemon=True)
        self.folder = folder
        self.spared: set[int] = set()  # the library's own process
        self.until: float | None = None
        self.most = 0
        self.why: str | None = None
        self._mutex = threading.Lock()

    def run(self) -> None:
        measured = 0.0
        while True:
            time.sleep(0.1)
            with self._mutex:
                if self.until is None or self.why is not None:
                    continue
                now = time.monotonic()
                if now > self.until:
                    self.why = "time"
                elif now > measured + 0.5:
                    measured = now
                    self.why = "memory" if memory() > self.most else None
                if self.why is not None:
                    processes.kill(os.getpid(), f"={self.folder}", but=self.spared)

    def begin(self, until: float, most: int) -> None:
        with self._mutex:
            self.until, self.most = until, most

    def end(self) -> None:
        with self._mutex:
            self.until = None


def memory() -> int:
    """Bytes of this process and all below it."""
    known = processes.table()
    own = known.get(os.getpid())
    return sum(process.memory for process in processes.below(os.getpid(), known)) + (own.memory if own else 0)


class _DiedIdleError(Exception):
    """The browser had died since the last page."""


class Browser:
    """Chromium, started when the first page is wanted."""

    def __init__(self, folder: str) -> None:
        self.watch = _Watch(folder)
        self.watch.start()
        self.proxy = Proxy()
        self.api: Any = None
        self.driver: Any = None
        self.chromium: Any = None
        self.user_agent = ""
        self.pages = 0

    def take(self, work: Work) -> Done:
        """Take one page; whatever happens, within its time."""
        if not self._is_well():
            return Done(None, True, 0)
        self.pages += 1
        host = urlsplit(work.request.url).hostname or ""
        self.watch.begin(work.until, work.memory)
        result: Visited | MonitorError | None
        try:
            result = self._visit(work, Gate(host, work.policy, work.until))
        except _DiedIdleError:
            result = None
        except MonitorError as error:
            result = error
            error.__traceback__ = error.__cause__ = error.__context__ = None
        self.watch.end()
        processes.reap(self.watch.spared)
        size = memory()
        if self.watch.why is not None:
            result = _killed(self.watch.why, host, work.memory)
        broken = result is None or self.watch.why is not None or not self._is_well()
        return Done(result, broken or self.pages >= PAGES or size > GROWN, size)

    def _is_well(self) -> bool:
        """Whether the library's process and the browser live, as far as they were started."""
        for pid in self.watch.spared:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return False
        return self.chromium is None or bool(self.chromium.is_connected())

    def _visit(self, work: Work, gate: Gate) -> Visited:
        self._load(work)
        self.proxy.gate = gate
        try:
            if self.chromium is None:
                self._launch(work, gate)
            try:
                context = self._context(work, gate)
            except self.api.Error:
                if self.pages > 1:
                    raise _DiedIdleError from None
                raise
            try:
                return Visit(self.api, context, work.request, gate, self._name(work)).take()
            finally:
                gate.shut()
                with suppress(self.api.Error):
                    context.close()
        except self.api.Error:
            raise FetchError(f"{gate.host}: the browser broke down", reason="browser") from None
        finally:
            gate.shut()
            self.proxy.gate = None

    def _load(self, work: Work) -> None:
        if self.api is None:
            before = {process.pid for process in processes.below(os.getpid(), processes.table())}
            self.api = importlib.import_module(f"{work.library}.sync_api")
            self.driver = self.api.sync_playwright().start()
            self.watch.spared = {process.pid for process in processes.below(os.getpid(), processes.table())} - before

    def _context(self, work: Work, gate: Gate) -> Any:
        """A context of its own: no cookies, no cache, no way out but with this page's password."""
        parts = urlsplit(work.request.url)
        credentials = None
        if parts.username:
            origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
            credentials = {"username": unquote(parts.username), "password": unquote(parts.password or ""), "origin": origin}
        context = self.chromium.new_context(
            proxy={"server": self.proxy.address, "bypass": "<-loopback>", "username": "monitor", "password": gate.password},
            user_agent=self._name(work),
            locale="zh-CN",
            timezone_id=work.timezone,
            viewport={"width": 1280, "height": 2000},
            service_workers="block",
            accept_downloads=False,
            ignore_https_errors=not work.policy.verify_tls,
            http_credentials=credentials,
        )
        given = next((value for name, value in work.request.headers if name.lower() == "cookie"), "")
        pairs = [pair.strip().partition("=") for pair in given.split(";") if "=" in pair]
        if pairs:
            context.add_cookies([{"name": name, "value": value, "url": work.request.url} for name, _, value in pairs])
        return context

    def _launch(self, work: Work, gate: Gate) -> None:
        try:
            self.chromium = self.driver.chromium.launch(
                executable_path=work.program,
                headless=True,
                chromium_sandbox=os.geteuid() != 0,
                proxy={"server": self.proxy.address, "bypass": "<-loopback>"},
                args=list(_FLAGS),
                timeout=max(1.0, 1000 * gate.left()),
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
        except self.api.Error as error:
            raise _not_started(work.program, str(error), gate) from None
        session = self.chromium.new_browser_cdp_session()
        self.user_agent = session.send("Browser.getVersion")["userAgent"].replace("Headless", "")
        session.detach()

    def _name(self, work: Work) -> str:
        own = next((value for name, value in work.request.headers if name.lower() == "user-agent"), "")
        return own or work.policy.user_agent or self.user_agent


def _not_started(program: str, said: str, gate: Gate) -> MonitorError:
    if gate.left() < 1:
        return FetchError(f"{gate.host}: the browser did not start within the deadline", reason="timeout")
    why = "it does not start"
    if "sandbox" in said.lower():
        why = "it cannot set its sandbox up: allow user namespaces for monitor's user, or install chromium-sandbox"
    return FetchError(f'via = "browser": {program}: {why}', reason="no browser", transient=False)


def _killed(why: str, host: str, most: int) -> MonitorError:
    if why == "time":
        return FetchError(f"{host}: no whole page within the deadline", reason="timeout")
    return TooLarge(f"{host}: the page takes more than {most >> 20} MiB of memory")


def main() -> None:
    """Work off what comes through the pipe until it ends."""
    pipe, folder = Connection(int(sys.argv[-2])), sys.argv[-1]
    processes.adopt()
    works: queue.SimpleQueue[Work] = queue.SimpleQueue()

    ending = threading.Lock()

    def end() -> None:
        """Leave nothing behind; the first of the two threads that comes here does it."""
        ending.acquire()
        processes.kill(os.getpid(), f"={folder}")
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    def listen() -> None:
        with suppress(EOFError, OSError):
            while True:
                works.put(pipe.recv())
        end()

    threading.Thread(target=listen, name="listen", daemon=True).start()
    browser = Browser(folder)
    try:
        while True:
            pipe.send(browser.take(works.get()))
    finally:
        end()
