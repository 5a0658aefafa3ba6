"""What stands around the browser and needs none: cookies for plain requests, the guarded proxy, what is said without one."""

from __future__ import annotations

import base64
import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor import browser, look
from monitor.browser import processes, program, proxy
from monitor.cli import monitor
from monitor.cli.common import guarded
from monitor.errors import ConfigError, FetchError, Forbidden
from monitor.model import Cookie, FetchPolicy, Pass, Request, Source
from tests.hostile_server import Server, answer, hold
from tests.web import Canary

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER, BEFORE = NOW.timestamp() + 60, NOW.timestamp() - 60


# --- cookies


@pytest.mark.parametrize(
    ("cookie", "url", "sent"),
    [
        (Cookie("a", "1", "www.a.example"), "https://www.a.example/x", True),
        (Cookie("a", "1", "www.a.example"), "https://www.a.example", True),
        (Cookie("a", "1", "www.a.example"), "https://a.example/", False),
        (Cookie("a", "1", "a.example"), "https://www.a.example/", False),
        (Cookie("a", "1", ".a.example"), "https://www.a.example/", True),
        (Cookie("a", "1", ".a.example"), "https://a.example/", True),
        (Cookie("a", "1", ".a.example"), "https://nota.example/", False),
        (Cookie("a", "1", ".a.example"), "https://a.example.evil.example/", False),
        (Cookie("a", "1", "a.example", "/x"), "https://a.example/x", True),
        (Cookie("a", "1", "a.example", "/x"), "https://a.example/x/y", True),
        (Cookie("a", "1", "a.example", "/x"), "https://a.example/xy", False),
        (Cookie("a", "1", "a.example", "/x/"), "https://a.example/x/y", True),
        (Cookie("a", "1", "a.example", secure=True), "https://a.example/", True),
        (Cookie("a", "1", "a.example", secure=True), "http://a.example/", False),
        (Cookie("a", "1", "a.example", expires=LATER), "https://a.example/", True),
        (Cookie("a", "1", "a.example", expires=BEFORE), "https://a.example/", False),
    ],
)
def test_a_cookie_goes_where_a_browser_would_send_it(cookie: Cookie, url: str, sent: bool) -> None:
    assert browser.header([cookie], url, NOW) == ("a=1" if sent else "")


def test_the_sources_own_cookies_win() -> None:
    held = [Cookie("a", "1", "a.example"), Cookie("b", "2", "a.example", "/x"), Cookie("c", "3", "a.example")]
    assert browser.header(held, "https://a.example/x", NOW, "c=mine; d=4") == "c=mine; d=4; b=2; a=1"


def test_only_so_many_cookies_are_kept_and_none_that_breaks_a_header() -> None:
    many = [Cookie(f"c{i}", "x", "a.example") for i in range(1000)]
    assert len(browser.kept(many)) == 60
    assert browser.kept([Cookie("a", "x" * 20_000, "a.example")]) == ()
    for value in ("a\r\nX-Injected: 1", "a; b=c", "a\0"):
        assert browser.kept([Cookie("a", value, "a.example")]) == ()


def test_cookies_got_anew_take_the_place_of_those_of_their_host_alone() -> None:
    before = [Cookie("a", "1", "a.example"), Cookie("b", "1", ".a.example"), Cookie("a", "1", "b.example")]
    assert browser.kept([Cookie("c", "2", "a.example")], before, ["a.example"]) == (
        Cookie("c", "2", "a.example"),
        Cookie("a", "1", "b.example"),
    )


def test_a_pass_comes_back_from_the_database_as_it_was_and_shows_no_secret() -> None:
    cookies = (Cookie("a", "secret", ".a.example", "/x", 1.5, True), Cookie("b", "secret", "a.example"))
    given = Pass("Mozilla/5.0", cookies, ("listing a.example",), (("document a.example", NOW),), "list/1:a")
    assert browser.load(browser.dump(given)) == given
    request = Request("https://a.example/", via="browser", held=given)
    assert "secret" not in repr((given, cookies, request))


# --- the proxy


@pytest.fixture
def door() -> Iterator[proxy.Proxy]:
    made = proxy.Proxy()
    yield made
    if made.gate is not None:
        made.gate.shut()


def gate(*allowed: str, limit: int = 100_000, seconds: float = 10, upstream: str = "") -> proxy.Gate:
    policy = FetchPolicy(max_bytes=limit, allow_private=allowed, proxy=upstream)
    return proxy.Gate("a.example", policy, time.monotonic() + seconds)


def say(door: proxy.Proxy, first: str, *fields: str, password: str | None = None, more: bytes = b"") -> bytes:
    """What the proxy answers, up to the end of the connection."""
    assert door.gate is not None
    pair = base64.b64encode(f"monitor:{door.gate.password if password is None else password}".encode()).decode()
    lines = [first, *fields, f"Proxy-Authorization: Basic {pair}", "Proxy-Connection: keep-alive", "", ""]
    host, _, port = door.address.removeprefix("http://").partition(":")
    got = b""
    with socket.create_connection((host, int(port)), 10) as conn:
        conn.sendall("\r\n".join(lines).encode() + more)
        while piece := conn.recv(65536):
            got += piece
    return got


def test_without_the_pages_password_nothing_is_connected_to(door: proxy.Proxy) -> None:
    with Canary() as canary:
        door.gate = gate("127.0.0.0/8")
        for first in (f"CONNECT 127.0.0.1:{canary.port} HTTP/1.1", f"GET http://127.0.0.1:{canary.port}/ HTTP/1.1"):
            for password in ("", "wrong"):
                assert say(door, first, password=password).startswith(b"HTTP/1.1 407 ")
        former = door.gate.password
        door.gate = gate("127.0.0.0/8")
        assert say(door, f"GET http://127.0.0.1:{canary.port}/ HTTP/1.1", password=former).startswith(b"HTTP/1.1 407 ")
        assert canary.came == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "127.1"])
@pytest.mark.parametrize("first", ["CONNECT {host}:{port} HTTP/1.1", "GET http://{host}:{port}/ HTTP/1.1"])
def test_a_guarded_address_is_not_connected_to_however_it_is_written(door: proxy.Proxy, first: str, host: str) -> None:
    with Canary() as canary:
        door.gate = gate()
        assert say(door, first.format(host=host, port=canary.port)).startswith(b"HTTP/1.1 403 ")
        (error,) = door.gate.failures.values()
        assert isinstance(error, Forbidden)
        assert canary.came == []
        door.gate = gate("127.0.0.0/8", "::ffff:127.0.0.1/128")
        assert not say(door, first.format(host=host, port=canary.port), more=b"x\r\n\r\n" * ("CONNECT" in first)).startswith(
            b"HTTP/1.1 403 "
        )


def test_a_connection_carries_one_request_whatever_the_server_says(door: proxy.Proxy) -> None:
    with Server([answer(b"one", "Connection: keep-alive", "Keep-Alive: timeout=60"), answer(b"two")]) as server:
        door.gate = gate("127.0.0.0/8", seconds=1)
        got = say(door, f"GET {server.url}a?b=1 HTTP/1.1", "Host: x", "X-A: 1")
        assert server.heads == [b"GET /a?b=1 HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nConnection: close\r\n\r\n"]
        assert got.lower().count(b"connection: close") == 1
        assert b"keep-alive" not in got.lower()
        second = f"GET http://other.example:{server.port}/b HTTP/1.1\r\n\r\n".encode()
        door.gate = gate("127.0.0.0/8", seconds=1)
        assert say(door, f"GET {server.url}a HTTP/1.1", more=second) == b""
        assert len(server.heads) == 1


def test_what_a_page_loads_is_counted_and_cut_off(door: proxy.Proxy) -> None:
    with Server(answer(b"x" * 400_000)) as server:
        door.gate = gate("127.0.0.0/8", limit=100_000)
        assert len(say(door, f"GET {server.url} HTTP/1.1")) < 400_000
        assert door.gate.over is not None
        assert "a.example: the page loads more than 100,000 bytes" in str(door.gate.over)
        assert say(door, f"GET {server.url} HTTP/1.1") == b""  # and there is no further one
        assert server.connections == 1


@pytest.mark.parametrize("first", ["GET {url} HTTP/1.1", "CONNECT 127.0.0.1:{port} HTTP/1.1"])
def test_a_silent_server_is_left_at_the_end_of_the_pages_time(door: proxy.Proxy, first: str) -> None:
    with Server(hold(), mute="CONNECT" in first) as server:
        door.gate = gate("127.0.0.0/8", seconds=0.5)
        started = time.monotonic()
        say(door, first.format(url=server.url, port=server.port))
        assert time.monotonic() - started < 5


def test_what_is_no_request_ends_without_an_answer(door: proxy.Proxy) -> None:
    door.gate = gate("127.0.0.0/8")
    for first in (
        "GET",
        "GET ftp://a.example/ HTTP/1.1",
        "GET /x HTTP/1.1",
        "CONNECT :80 HTTP/1.1",
        "GET http://a.example:x/ HTTP/1.1",
    ):
        assert not say(door, first).startswith(b"HTTP/1.1 200")


def test_an_unreachable_host_says_why(door: proxy.Proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    door.gate = gate("127.0.0.0/8")
    assert say(door, f"CONNECT 127.0.0.1:{port} HTTP/1.1").startswith(b"HTTP/1.1 502 ")
    error = door.gate.failures["127.0.0.1", port]
    assert isinstance(error, FetchError)
    assert error.reason == "refused"


def test_the_users_own_proxy_opens_the_way_and_guarded_names_do_not_get_there(door: proxy.Proxy) -> None:
    with Server([b"HTTP/1.1 200 Connection established\r\n\r\n", answer(b"over")]) as upstream:
        door.gate = gate(seconds=1, upstream=f"http://me:s3cret@127.0.0.1:{upstream.port}")
        got = say(door, "CONNECT 11.0.0.1:443 HTTP/1.1", more=b"GET / HTTP/1.1\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 200 ")
        assert got.endswith(b"over")
        assert upstream.heads[0].startswith(b"CONNECT 11.0.0.1:443 HTTP/1.1\r\n")
        assert upstream.field("proxy-authorization", 0) == "Basic bWU6czNjcmV0"
        assert say(door, "CONNECT 10.0.0.1:443 HTTP/1.1").startswith(b"HTTP/1.1 403 ")
        assert upstream.connections == 1


# --- processes


def test_memory_parents_and_command_lines_of_processes_are_seen() -> None:
    known = processes.table()
    me = known[os.getpid()]
    assert me.parent == os.getppid()
    assert me.memory > 1_000_000
    assert "python" in me.command
    assert os.getpid() in {process.pid for process in processes.below(os.getppid(), known)}


# --- what is said where there is none

BROWSED = """
[[source]]
id = "x"
kind = "feed"
url = "http://127.0.0.1:9/feed"
via = "browser"

[[channel]]
id = "c"
url = "console://"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "monitor.toml").write_text(BROWSED, "utf-8")
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    return tmp_path


def run(folder: Path, *args: str) -> int:
    return guarded(monitor, ["-c", str(folder / "monitor.toml"), *args])


def test_without_the_extra_every_command_names_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "LIBRARIES", ("no_such_library",))
    for command, code in (("validate", 2), ("doctor", 1), ("check", 1)):
        assert run(folder, command) == code
        said = "".join(capsys.readouterr())
        assert 'x": via = "browser"' in said or "x: " in said
        assert "needs the extra \"browser\" (pip install 'notice-monitor[browser]') and Chromium of the system" in said
        assert "apt-get install chromium" in said
    assert run(folder, "preview", "x") == 1
    assert "notice-monitor[browser]" in capsys.readouterr().err


def test_without_chromium_every_command_says_how_to_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "LIBRARIES", ("json",))
    monkeypatch.setattr(program, "NAMES", ("no-such-browser",))
    assert run(folder, "validate") == 2
    assert "needs Chromium of the system, on Debian: apt-get install chromium; or name one" in capsys.readouterr().err
    (folder / "monitor.toml").write_text('[http]\nbrowser = "/no/such/browser"\n' + BROWSED, "utf-8")
    assert run(folder, "validate") == 2
    assert '/no/such/browser ("browser" in [http]) is no program that can be run' in capsys.readouterr().err


def test_a_browser_that_is_named_is_the_one_that_is_used(tmp_path: Path) -> None:
    own = tmp_path / "my-chromium"
    own.write_text("#!/bin/sh\necho Chromium 1.2.3\n")
    own.chmod(0o755)
    assert program.program(str(own)) == str(own)
    assert program.version(str(own)) == "Chromium 1.2.3"


def test_a_missing_browser_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "LIBRARIES", ())
    source = Source("x", "feed", "http://a.example/", via="browser")
    with pytest.raises(FetchError) as caught:
        look.look(source, Request(source.url, via="browser"), lambda: NOW)
    assert (caught.value.reason, caught.value.transient, caught.value.source_id) == ("no browser", False, "x")
    from monitor.decide import Failures, tell_failing

    assert tell_failing(source, Failures(1, NOW, caught.value.reason), NOW)


def test_a_proxy_that_a_browser_cannot_use_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(program, "LIBRARIES", ("json",))
    policy = FetchPolicy(browser="/bin/true", proxy="https://proxy.example:3128")
    with pytest.raises(ConfigError, match="http://host:port"):
        browser.visit(Request("http://a.example/"), policy, timezone="UTC", seconds=lambda: 1.0)
