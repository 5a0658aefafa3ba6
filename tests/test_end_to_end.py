"""The daemon as users run it: a real process, a real site, real receivers, signals, the control socket, logs. Times are real
here, and short; what needs the inside of the loops runs in this process."""

from __future__ import annotations

import ctypes
import itertools
import json
import logging
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor import config as configs
from monitor import control
from monitor.check import Report
from monitor.check import loop as check_loop
from monitor.daemon import Loops, logs
from monitor.daemon.asked import Asked
from monitor.daemon.run import Daemon
from monitor.errors import MonitorError
from monitor.mask import MASK
from monitor.model import Kind
from monitor.store import changes
from monitor.tell import tell
from tests.house import House, Row, Site
from tests.receivers import SmtpReceiver, WebhookReceiver, WeComReceiver, at, errcode, status

daemon_module = sys.modules["monitor.daemon.run"]  # the package has a function of the same name
ROOT = Path(__file__).parents[1]
TGKILL = 131 if platform.machine() == "aarch64" else 234  # the system call's number
SECRET = "s3cr3t-4f9a-token-88d1"  # long enough to be a key, and nobody's
_numbers = itertools.count()


def eventually(condition: Callable[[], Any], seconds: float = 15.0) -> None:
    """Return as soon as a condition of the world outside holds; fail after that many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.03)


class Manager:
    """What systemd is for the daemon: a socket for its states."""

    def __init__(self) -> None:
        self.name = f"@monitor-test-{os.getpid()}-{next(_numbers)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.name[1:])
        self._socket.settimeout(20)
        self.said: list[str] = []

    def wait_for(self, state: str) -> None:
        """Read what the daemon says until it says this."""
        while state not in "\n".join(self.said).split("\n"):
            self.said.append(self._socket.recv(4096).decode())

    def close(self) -> None:
        self._socket.close()


class Running:
    """One `monitor run` in a process of its own; `monitor(...)` runs another command on the same configuration."""

    def __init__(self, config: Path, **environ: str) -> None:
        self.config = config
        self.manager = Manager()
        self.environ = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": self.manager.name, "TZ": "UTC", "COLUMNS": "200"} | environ
        self.log = config.with_name(f"log-{next(_numbers)}")
        with self.log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "-c", str(config), "run"], cwd=ROOT, env=self.environ, stderr=stderr
            )

    def ready(self) -> Running:
        self.manager.wait_for("READY=1")
        return self

    def monitor(self, *args: str) -> subprocess.CompletedProcess[str]:
        return run_monitor(self.config, *args, environ=self.environ)

    def said(self) -> str:
        return self.log.read_text("utf-8")

    def stop(self, number: int = signal.SIGTERM, seconds: float = 10.0) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        finally:
            self.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.manager.close()


def run_monitor(config: Path, *args: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", "-c", str(config), *args],
        cwd=ROOT,
        env=environ or {"PATH": os.environ["PATH"], "TZ": "UTC", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, as Unix sockets want it."""
    with tempfile.TemporaryDirectory(prefix="monitor-") as path:
        yield Path(path)


CONSOLE = '[[channel]]\nid = "console"\nurl = "console://"\n'


def write(
    folder: Path, site: Site, *, channels: str = CONSOLE, source: str = "", monitor: str = "", http: str = "", extra: str = ""
) -> Path:
    path = folder / "monitor.toml"
    every = "" if "every" in monitor else 'every = "1s"\n'
    new = folder / "new"
    new.write_text(
        f'[monitor]\n{every}{monitor}\n[http]\ndelay = "0s"\nallow_private = ["127.0.0.0/8"]\n{http}\n'
        f'[[source]]\nid = "a"\nkind = "list"\nurl = "{site.url}/list/"\nitems = "ul.l > li"\ndate = "span"\n{source}\n'
        f"{channels}{extra}",
        "utf-8",
    )
    new.chmod(0o600)
    new.rename(path)
    return path


@pytest.fixture
def start(folder: Path, site: Site) -> Iterator[Callable[..., Running]]:
    """Start the daemon over the site; it has taken its baseline when this returns."""
    found: list[Running] = []

    def begin(environ: dict[str, str] | None = None, **options: Any) -> Running:
        found.append(Running(write(folder, site, **options), **(environ or {})))
        running = found[-1].ready()
        eventually(lambda: "stored as the baseline" in running.said())
        return running

    yield begin
    for running in found:
        running.close()


def publish(site: Site, number: int, page: str | None = "正文。\n请于30日前办理。") -> Row:
    site.rows.insert(0, Row(f"x{number}", f"关于公布第{number:03d}号目录的公告", "2026-01-12", page))
    return site.rows[0]


TOLD = re.compile(r"(【\w】)[^\n]*?第(\d{3})号")


def told(texts: list[str]) -> Counter[tuple[str, int]]:
    """In how many messages each (marker, number) stands."""
    return Counter(one for text in texts for one in {(marker, int(number)) for marker, number in TOLD.findall(text)})


# --- the whole way


def test_what_a_site_publishes_edits_and_withdraws_is_told_once_on_every_channel(
    site: Site, start: Callable[..., Running], folder: Path
) -> None:
    with WeComReceiver() as bot, WebhookReceiver() as hook, SmtpReceiver() as post_office:
        channels = (
            f'[[channel]]\nid = "ops"\nurl = "{bot.target}"\nendpoint = "{bot.url}"\nrate = 1000\n'
            f'[[channel]]\nid = "web"\nurl = "{hook.target()}"\n'
            f'[[channel]]\nid = "mail"\nurl = "{post_office.target()}"\n'
        )
        running = start(channels=channels, source='follow = true\nrecheck = ["3s", "6s", "9s"]\n')
        bot.script(status(503, retry_after="1"), errcode(0), status(502, retry_after="1"), errcode(40058))
        hook.script(status(200), status(400))
        post_office.script((), at("DATA", "554 5.6.0 content not accepted"))
        publish(site, 1)
        eventually(lambda: told(hook.accepted.texts)[("【新】", 1)])
        site.status["/list/"] = 503  # the site is down for a while, and publishes
        for number in (2, 3, 4):
            publish(site, number)
        eventually(lambda: "check failed" in running.said())
        del site.status["/list/"]
        eventually(lambda: told(hook.accepted.texts)[("【新】", 4)])
        site.page_of("x2").title += "（修订）"
        site.page_of("x3").page = "正文。\n请于60日前办理。"
        eventually(lambda: told(hook.accepted.texts)[("【改】", 3)] and told(hook.accepted.texts)[("【改】", 2)])
        site.rows.remove(site.page_of("x2"))
        for number in range(20, 34):  # a burst
            publish(site, number)
        eventually(lambda: told(hook.accepted.texts)[("【撤】", 2)])
        wanted = Counter([("【新】", n) for n in (1, 2, 3, 4, *range(20, 34))] + [("【改】", 2), ("【改】", 3), ("【撤】", 2)])

        def mails() -> Counter[tuple[str, int]]:
            return told([mail.message["subject"] + "\n" + mail.part("plain") for mail in post_office.accepted])

        eventually(lambda: told(bot.accepted.texts) == told(hook.accepted.texts) == mails() == wanted, 60)
        assert running.stop() == 0
        assert told(bot.accepted.texts) == told(hook.accepted.texts) == mails() == wanted
        states = run_monitor(running.config, "deliveries", "--json").stdout.splitlines()
        assert {json.loads(line)["state"] for line in states} == {"sent"}
        revision = next(
            mail.part("plain")
            for mail in post_office.accepted
            if "【改】" in mail.message["subject"] and "003" in mail.message["subject"]
        )
        assert "30" in revision
        assert "60" in revision


# --- the frame: signals, reload, a second one


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_it_well_and_soon(start: Callable[..., Running], number: signal.Signals, folder: Path) -> None:
    running = start()
    began = time.monotonic()
    assert running.stop(number) == 0
    assert time.monotonic() - began < 5
    assert "STOPPING=1" not in running.said()
    assert "Traceback" not in running.said()
    left = sorted(path.name for path in folder.iterdir() if path.name.startswith("monitor.db"))
    assert left == ["monitor.db", "monitor.db.lock"], "the log is written back, the socket is gone"


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are named by Linux")
def test_a_signal_that_another_thread_got_ends_it_too(start: Callable[..., Running]) -> None:
    """The kernel gives a signal to another thread where the first has one pending: a stop right after a reload or a pause."""
    running = start()
    main = running.process.pid
    other = next(int(task.name) for task in Path(f"/proc/{main}/task").iterdir() if int(task.name) != main)
    assert ctypes.CDLL(None, use_errno=True).syscall(TGKILL, main, other, int(signal.SIGTERM)) == 0
    assert running.process.wait(10) == 0


def test_what_it_says_to_its_manager(site: Site, folder: Path) -> None:
    running = Running(write(folder, site), WATCHDOG_USEC="400000")
    try:
        running.ready()
        running.manager.wait_for("WATCHDOG=1")
        running.process.send_signal(signal.SIGHUP)
        running.manager.wait_for("RELOADING=1")
        running.process.send_signal(signal.SIGTERM)
        running.manager.wait_for("STOPPING=1")
        assert running.process.wait(10) == 0
        assert any("STATUS=1 sources" in said for said in running.manager.said)
        assert any(re.search(r"MONOTONIC_USEC=\d+", said) for said in running.manager.said)
    finally:
        running.close()


def test_a_site_that_never_answers_holds_the_end_up_no_longer_than_its_deadline(site: Site, folder: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        extra = f'[[source]]\nid = "b"\nkind = "list"\nurl = "http://127.0.0.1:{silent.getsockname()[1]}/"\nitems = "li"\n'
        running = Running(write(folder, site, http='deadline = "3s"\n', extra=extra))
        try:
            running.ready()
            silent.settimeout(10)
            conn, _ = silent.accept()
            began = time.monotonic()
            assert running.stop() == 0
            assert time.monotonic() - began < 6
            conn.close()
        finally:
            running.close()


def test_a_second_one_on_the_same_database_is_refused_and_says_who_has_it(start: Callable[..., Running]) -> None:
    running = start()
    second = running.monitor("run")
    assert second.returncode == 3
    assert re.fullmatch(
        rf"already running, pid {running.process.pid} since 20\S+: it has \S+monitor\.db; wait until it has ended, or stop it\n",
        second.stderr,
    )
    assert running.stop() == 0


@pytest.mark.parametrize("by", ["the file alone", "SIGHUP"])
def test_a_changed_file_is_read_again(start: Callable[..., Running], site: Site, folder: Path, by: str) -> None:
    running = start()
    with WebhookReceiver() as hook:
        write(folder, site, channels=f'[[channel]]\nid = "web"\nurl = "{hook.target()}"\n')
        if by == "SIGHUP":
            running.process.send_signal(signal.SIGHUP)
        eventually(lambda: "read again: 1 sources, 1 channels" in running.said())
        publish(site, 1)
        eventually(lambda: told(hook.accepted.texts)[("【新】", 1)])
        assert running.stop() == 0


def test_a_broken_file_is_told_and_the_former_configuration_stays(
    start: Callable[..., Running], site: Site, folder: Path
) -> None:
    with WebhookReceiver() as hook:
        channels = f'[[channel]]\nid = "web"\nurl = "{hook.target()}"\n'
        running = start(channels=channels)
        write(folder, site, channels=channels, source="ulr = 1\n")
        eventually(lambda: "the configuration of before stays in force" in running.said())
        assert re.search(r'monitor\.toml:\d+: source "a": unknown key "ulr" — did you mean "url"\?', running.said())
        publish(site, 1)
        eventually(lambda: told(hook.accepted.texts)[("【新】", 1)])
        write(folder, site, channels=channels, monitor='database = "other.db"\n')
        eventually(lambda: "`database` changed" in running.said())
        write(folder, site, channels=channels)
        eventually(lambda: "read again" in running.said())
        assert running.stop() == 0
        assert "Traceback" not in running.said()


def test_a_secret_that_was_renewed_in_its_file_is_taken_up_by_sighup(
    start: Callable[..., Running], site: Site, folder: Path
) -> None:
    with WebhookReceiver() as old, WebhookReceiver() as new:
        secret = folder / "hook"
        secret.write_text(old.target())
        secret.chmod(0o600)
        running = start(channels=f'[[channel]]\nid = "web"\nurl = "file:{secret}"\n')
        publish(site, 1)
        eventually(lambda: len(old.accepted) == 1)
        secret.write_text(new.target())
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: "read again" in running.said())
        publish(site, 2)
        eventually(lambda: told(new.accepted.texts)[("【新】", 2)])
        assert len(old.accepted) == 1
        assert running.stop() == 0


# --- commands beside a running daemon


def times_hidden(text: str) -> str:
    return re.sub(r'next look [^\n]*|"elapsed_ms": \d+', "…", text)


def test_a_check_beside_the_daemon_prints_what_it_prints_without_one(start: Callable[..., Running], site: Site) -> None:
    running = start(monitor='every = "1h"\n')
    runs = [("--json",), ("a",)]
    site.status["/list/"] = 503
    beside = [running.monitor("check", *args) for args in runs]
    del site.status["/list/"]
    beside += [running.monitor("check", "a"), running.monitor("check", "nobody")]
    assert running.stop() == 0
    site.status["/list/"] = 503
    alone = [run_monitor(running.config, "check", *args) for args in runs]
    del site.status["/list/"]
    alone += [run_monitor(running.config, "check", "a"), run_monitor(running.config, "check", "nobody")]
    for one, other in zip(beside, alone, strict=True):
        assert (one.returncode, times_hidden(one.stdout)) == (other.returncode, times_hidden(other.stdout))
    assert [one.returncode for one in beside] == [1, 1, 0, 2]
    assert "a: unchanged, 12 notices" in beside[2].stdout


def test_pause_resume_accept_and_retry_are_done_by_the_daemon(start: Callable[..., Running], site: Site) -> None:
    with WeComReceiver() as bot:
        running = start(channels=f'[[channel]]\nid = "ops"\nurl = "{bot.target}"\nendpoint = "{bot.url}"\n')

        def source() -> dict[str, Any]:
            return dict(json.loads(running.monitor("sources", "--json").stdout))

        done = running.monitor("pause", "a")
        assert (done.returncode, done.stdout) == (0, "a: paused: it is not looked at until: monitor resume a\n")
        assert source()["health"] == "paused"
        asked = len(site.asked)
        bot.script(*[errcode(40058)] * 2)
        publish(site, 1)
        time.sleep(2.5)  # longer than `every`: nothing may happen
        assert len(site.asked) == asked
        assert source()["health"] == "paused"
        assert running.monitor("resume", "a").stdout == "a: resumed: the daemon looks at it now\n"
        eventually(lambda: bot.scripted == 0)
        done = running.monitor("retry")
        assert (done.returncode, done.stdout) == (0, "1 put back; the daemon sends them\n")
        eventually(lambda: told(bot.accepted.texts) == Counter({("【新】", 1): 1}))
        del site.rows[3:]
        eventually(lambda: source()["health"] == "failing")
        done = running.monitor("accept", "a")
        assert done.returncode == 0, done.stdout + done.stderr
        assert source()["health"] == "ok"
        assert running.stop() == 0


def test_a_check_that_waits_when_the_daemon_stops_ends_with_a_sentence(site: Site, folder: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        extra = f'[[source]]\nid = "b"\nkind = "list"\nurl = "http://127.0.0.1:{silent.getsockname()[1]}/"\nitems = "li"\n'
        running = Running(write(folder, site, http='deadline = "3s"\n', extra=extra)).ready()
        try:
            silent.settimeout(10)
            conn, _ = silent.accept()
            answers: list[subprocess.CompletedProcess[str]] = []
            asker = threading.Thread(target=lambda: answers.append(running.monitor("check", "b")))
            asker.start()
            eventually(lambda: _is_asked(running))
            assert running.stop() == 0
            asker.join(30)
            conn.close()
            assert answers[0].returncode in (1, 3), answers[0]
            assert "Traceback" not in answers[0].stderr + running.said()
            assert answers[0].stderr.strip()
        finally:
            running.close()


def _is_asked(running: Running) -> bool:
    """Whether the daemon has given out its first ticket."""
    try:
        control.ask(control.socket_path(running.config.with_name("monitor.db")), {"command": "result", "ticket": 1})
    except MonitorError:
        return False
    return True


# --- logs


def test_one_line_a_change_and_none_for_unchanged_checks(start: Callable[..., Running], site: Site) -> None:
    running = start(source="follow = true\n")
    eventually(lambda: [path for path, _ in site.asked].count("/list/") >= 3)
    publish(site, 1)
    publish(site, 2)
    eventually(lambda: running.said().count("号目录的公告") == 2)
    eventually(lambda: running.monitor("show", f"{site.url}/p/x2.html").stdout.count("正文。") == 1)  # its page was read
    site.page_of("x2").title += "（修订）"
    eventually(lambda: "（修订）" in running.said())
    assert running.stop() == 0
    lines = [re.sub(r"^\S+ \S+ ", "", line) for line in running.said().splitlines()]
    assert lines == [
        f"INFO running: 1 sources, 1 channels, database {running.config.with_name('monitor.db')}",
        "INFO a: 12 notices stored as the baseline, nothing told",
        *[line for line in lines if line.startswith("INFO a: new: 关于公布第00")],
        "INFO a: revised: 关于公布第002号目录的公告（修订）",
        "INFO stopping: what is under way is finished first",
    ]
    assert len(lines) == 6


@pytest.fixture
def loggers() -> Iterator[None]:
    """Loggers as they were, afterwards."""
    kept = [
        (logger, logger.handlers[:], logger.propagate, logger.level)
        for logger in map(logging.getLogger, ("monitor", "apscheduler"))
    ]
    yield
    for logger, handlers, propagate, level in kept:
        logger.handlers[:] = handlers
        logger.propagate = propagate
        logger.setLevel(level)


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_never_reach_the_log(
    folder: Path, site: Site, loggers: None, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    write(
        folder, site, channels='[[channel]]\nid = "ops"\nurl = "json://127.0.0.1/${TOKEN}"\n', monitor=f'log_format = "{form}"\n'
    )
    config = configs.load(folder / "monitor.toml", {"TOKEN": SECRET})
    logs.set_up(config, "debug")
    log = logging.getLogger("monitor")
    log.info("a %s b", SECRET)
    log.info("json://127.0.0.1/%s?x=1", SECRET)
    try:
        raise ValueError(f"https://example.org/{SECRET}")
    except ValueError:
        log.exception("failed")
    logging.getLogger("apscheduler.executors").error("job %s", SECRET)
    logs.mask(frozenset({"renewed-4711-key"}))
    log.info("now renewed-4711-key and %s", SECRET)
    said = capsys.readouterr().err
    assert SECRET not in said
    assert "renewed-4711-key" not in said
    assert said.count(MASK) >= 6
    assert "ValueError" in said
    if form == "json":
        assert {tuple(json.loads(line)) for line in said.splitlines()} == {("at", "level", "message")}


def test_a_key_in_a_broken_channel_is_not_in_the_log(start: Callable[..., Running], site: Site) -> None:
    with WebhookReceiver() as hook:
        hook.always(status(401))
        url = f"json://user:{SECRET}@127.0.0.1:{hook.port}/{SECRET}"
        running = start(
            environ={"HOOK": url}, channels='[[channel]]\nid = "web"\nurl = "${HOOK}"\n', monitor='every = "1s"\nlog = "debug"\n'
        )
        publish(site, 1)
        eventually(lambda: len(hook.refused) == 1)
        assert running.stop() == 0
        assert SECRET not in running.said()


# --- the heartbeat


@pytest.mark.parametrize("answers", [200, 500])
def test_the_heartbeat_is_asked_while_the_loops_tick(
    build: Callable[..., House], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, answers: int
) -> None:
    monkeypatch.setattr(daemon_module, "BEAT", 0.1)
    monkeypatch.setattr(daemon_module, "TICK", 0.05)
    with WebhookReceiver() as life:
        life.always(status(answers))
        house = build(monitor=f'heartbeat = "{life.url}/ping"\n')
        daemon = Daemon(house.loops.config, {}, house.loops)

        def end() -> None:
            try:
                eventually(lambda: life.asked >= 4)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        killer = threading.Thread(target=end)
        killer.start()
        with caplog.at_level(logging.WARNING, "monitor"):
            daemon.run()
        killer.join()
        posts = [*life.accepted, *life.refused]
        assert len(posts) >= 4
        assert {(post.method, post.path) for post in posts} == {("GET", "/ping")}
        said = [record.getMessage() for record in caplog.records]
        assert said == ([] if answers == 200 else ["heartbeat: answers 500"]), "told once, not each time"


def test_no_heartbeat_while_the_loops_do_not_tick(build: Callable[..., House]) -> None:
    with WebhookReceiver() as life:
        house = build(monitor=f'heartbeat = "{life.url}/ping"\n')
        daemon = Daemon(house.loops.config, {}, house.loops)
        try:
            daemon._beat()
            assert life.asked == 0
            daemon._tick()
            daemon._beat()
            daemon._beat()
            assert life.asked == 1
        finally:
            daemon.close()


# --- one poisonous row stops nobody


@pytest.fixture
def two(build: Callable[..., House]) -> House:
    return build(
        extra='[[source]]\nid = "b"\nkind = "list"\nurl = "{url}/list/?b"\nitems = "ul.l > li"\n',
        monitor='failing_after = "0s"\n',
    )


def poisoned(monkeypatch: pytest.MonkeyPatch, source_id: str) -> None:
    """From now on the program itself fails at one source."""
    real = check_loop.check

    def check(desk: Any, source: Any, turn: int) -> Report:
        if source.id == source_id:
            raise ZeroDivisionError("a fault of the program")
        return real(desk, source, turn)

    monkeypatch.setattr(check_loop, "check", check)


def test_a_check_at_which_the_program_fails_is_one_failed_check_and_the_others_are_done(
    two: House, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.check()
    poisoned(monkeypatch, "a")
    publish(site, 1)
    reports = two.check()
    assert "a fault in monitor itself: ZeroDivisionError" in (reports["a"].error or "")
    assert reports["b"].new == 1
    assert two.source("a")["health"] == "failing"
    assert (reports["a"].next_due_at - two.clock()).total_seconds() == pytest.approx(3600, abs=5)
    with two.loops.store.read() as conn:
        assert "Traceback" in conn.execute("SELECT detail FROM checks WHERE source = 'a' ORDER BY id DESC").fetchone()[0]


def test_a_source_at_which_the_program_keeps_failing_is_told_and_told_again_when_it_is_well(
    two: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.check()
    with monkeypatch.context() as patch:
        poisoned(patch, "a")
        for _ in range(4):
            two.check()
    two.check()
    assert two.told() == [("failing", "a"), ("recovered", "a")]


def test_a_held_change_at_which_the_program_fails_keeps_no_other_from_being_told(
    build: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build()
    until = house.clock() + timedelta(minutes=2)
    with house.loops.store.write() as conn:
        for reason in ("one", "two", "three"):
            changes.insert(conn, Kind.NOTE, house.clock(), reason=reason, hold_until=until)

    def failing(conn: Any, config: Any, ids: list[int], now: Any, **more: Any) -> int:
        if 2 in ids:
            raise ZeroDivisionError("a fault of the program")
        return tell(conn, config, ids, now, **more)

    monkeypatch.setattr(check_loop, "tell", failing)
    house.clock.on(minutes=3)
    assert house.loops.checking.release() == 3
    assert Counter(c["silence"] for c in house.changes()) == Counter({None: 2, "held": 1})
    house.clock.on(minutes=30)
    assert house.loops.checking.release() == 0
    monkeypatch.setattr(check_loop, "tell", tell)
    house.clock.on(minutes=31)
    assert house.loops.checking.release() == 1


# --- asked from outside


class Gate:
    """Keeps the answers of a site's list back until it is opened."""

    def __init__(self, site: Site) -> None:
        self.asked, self.open = threading.Event(), threading.Event()
        real = site.answer

        def answer(path: str) -> tuple[int, str, bytes]:
            if path.startswith("/list/"):
                self.asked.set()
                self.open.wait(10)
            return real(path)

        site.answer = answer  # type: ignore[method-assign]  # the scripted site has no other way to be slow


def idle(loops: Loops) -> None:
    eventually(lambda: not loops.checking._running)


def test_a_source_that_is_paused_while_it_is_checked_is_not_checked_again(build: Callable[..., House], site: Site) -> None:
    house = build()
    house.check()
    gate, asked = Gate(site), Asked(house.loops, list)
    house.loops.checking.reload()
    house.clock.on(hours=1)
    assert house.loops.checking.tick() == 1
    gate.asked.wait(10)
    assert asked.pause({"source": "a"}) == {"changed": True}
    gate.open.set()
    idle(house.loops)
    house.loops.flush()
    assert house.source()["health"] == "paused"
    house.clock.on(hours=1)
    assert house.loops.checking.tick() == 0
    assert asked.resume({"source": "a"}) == {"changed": True}
    assert house.loops.checking.tick() == 1
    idle(house.loops)


def test_a_source_that_leaves_the_configuration_while_it_is_checked_is_not_checked_again(
    build: Callable[..., House], site: Site
) -> None:
    house = build(extra='[[source]]\nid = "b"\nkind = "list"\nurl = "{url}/list/?b"\nitems = "ul.l > li"\n')
    house.check()
    gate = Gate(site)
    futures = house.loops.checking.ask(["b"])
    house.clock.on(seconds=1)
    house.loops.checking.tick()
    gate.asked.wait(10)
    house.write()
    house.loops.reload(configs.load(house.path, {}))
    gate.open.set()
    wait(list(futures.values()), 10)
    idle(house.loops)
    house.clock.on(hours=2)
    before = len(site.asked)
    while house.loops.checking.tick():
        idle(house.loops)
    assert "/list/?b" not in [path for path, _ in site.asked[before:]]


@pytest.mark.parametrize("what", ["check", "pause", "accept"])
def test_a_source_that_the_daemon_does_not_know_is_a_sentence(build: Callable[..., House], what: str) -> None:
    asked = Asked(build().loops, list)
    with pytest.raises(MonitorError, match='has no source "x": is its configuration another file'):
        asked.handlers()[what]({"source": "x", "sources": ["x"]})


def test_those_who_wait_for_a_check_hear_that_monitor_stops(build: Callable[..., House], site: Site) -> None:
    house = build()
    gate = Gate(site)
    first = house.loops.checking.ask(["a"])["a"]
    house.loops.checking.tick()
    gate.asked.wait(10)
    stopper = threading.Thread(target=house.loops.checking.stop)
    stopper.start()
    eventually(lambda: house.loops.checking._stopping)
    later: Future[Report] = house.loops.checking.ask(["b"])["b"]
    gate.open.set()
    stopper.join(10)
    assert first.result(1).outcome == "baseline"
    with pytest.raises(MonitorError, match="b: not checked: monitor is stopping"):
        later.result(1)


def ask_raw(path: Path, line: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as conn:
        conn.settimeout(10)
        conn.connect(str(path))
        conn.sendall(line)
        conn.shutdown(socket.SHUT_WR)
        return conn.makefile("rb").readline()


QUESTIONS = [
    b"",
    b"\n",
    b"{}\n",
    b"[]\n",
    b"\xff\xfe\n",
    b'{"command": "nonsense"}\n',
    b'{"command": []}\n',
    b"[" * 100_000 + b"\n",
]


@pytest.mark.parametrize("line", QUESTIONS, ids=lambda line: repr(line[:12]))
def test_a_question_that_is_none_is_answered_with_a_sentence(folder: Path, line: bytes) -> None:
    server = control.Server(folder / "s", {"ping": lambda _: {"pong": True}})
    try:
        assert "does not know that command" in json.loads(ask_raw(folder / "s", line))["error"]
        assert control.ask(folder / "s", {"command": "ping"}) == {"pong": True}
        assert (folder / "s").stat().st_mode & 0o777 == 0o600
    finally:
        server.close()
    assert control.ask(folder / "s", {"command": "ping"}) is None


@pytest.mark.parametrize(
    "question", [{"command": "result"}, {"command": "result", "ticket": "x"}, {"command": "retry", "deliveries": ["x"]}]
)
def test_a_question_with_wrong_arguments_does_not_break_the_daemon_off(
    build: Callable[..., House], folder: Path, question: dict[str, Any]
) -> None:
    server = control.Server(folder / "s", Asked(build().loops, list).handlers())
    try:
        answer = json.loads(ask_raw(folder / "s", json.dumps(question).encode() + b"\n") or b'{"error": "", "broke": 1}')
        assert "broke" not in answer
    finally:
        server.close()
