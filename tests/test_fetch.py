"""Fetching: a whole answer within its time and bytes, or the error that says what went wrong; and nothing leaks."""

from __future__ import annotations

import gc
import gzip
import hashlib
import pickle
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from monitor.errors import ConfigError, FetchError, Forbidden, SourceError, TooLarge
from monitor.fetch import adapter, close, fetch, headers, hops, tls
from monitor.model import Fetched, FetchPolicy, Purpose, Request, Unchanged, Validators
from tests.hostile.certificates import self_signed, speaking
from tests.hostile_server import Script, Server, answer, chunks, cut, drip, endless, hold

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POLICY = FetchPolicy(deadline=10, allow_private=("127.0.0.0/8",))
QUICK = replace(POLICY, deadline=0.4)
SMALL = replace(POLICY, max_bytes=100_000)
PAGE = ("<html><head><title>通知公告</title></head><body>" + "<p>关于开展数据安全检查的通知</p>" * 40 + "</body></html>").encode()
GZ = gzip.compress(PAGE)
CHUNKED = "Transfer-Encoding: chunked"
HALF = answer(PAGE[:1681], "Content-Length: 3362", length=False)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close()


def brief(value: object) -> str:
    """A test's name from its sentence, never from the bytes."""
    return value if isinstance(value, str) else "-"


def get(server: Server, policy: FetchPolicy = POLICY, **request: Any) -> Fetched | Unchanged:
    return fetch(Request(server.url + "list.html", **request), policy, now=lambda: NOW)


def whole(server: Server, policy: FetchPolicy = POLICY, **request: Any) -> Fetched:
    got = get(server, policy, **request)
    assert isinstance(got, Fetched)
    return got


def fails(answers: Any, policy: FetchPolicy = POLICY, **request: Any) -> SourceError:
    with Server(answers) as server, pytest.raises(SourceError) as caught:
        get(server, policy, **request)
    return caught.value


def names(address: str = "127.0.0.1") -> Any:
    return lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


def unknown(*_: Any, **__: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


# --- whole answers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "raw"),
    [
        ("with its length", answer(PAGE)),
        ("length said twice", answer(PAGE, f"Content-Length: {len(PAGE)}")),
        ("until the end", cut(answer(PAGE, length=False))),
        ("in chunks", answer(b"", CHUNKED, length=False) + chunks(PAGE[:7], PAGE[7:9], PAGE[9:])),
        ("in chunks with extensions", answer(b"", CHUNKED, length=False) + b"5;a=b\r\n" + PAGE[:5] + b"\r\n" + chunks(PAGE[5:])),
        ("in chunks, with trailers", answer(b"", CHUNKED, length=False) + chunks(PAGE)[:-2] + b"X-Sum: 1\r\n\r\n"),
        ("in chunks although a length is said", answer(b"", CHUNKED, "Content-Length: 3", length=False) + chunks(PAGE)),
        ("gzip", answer(GZ, "Content-Encoding: gzip")),
        ("gzip in chunks of a byte", answer(b"", CHUNKED, "Content-Encoding: gzip", length=False)
         + chunks(*(GZ[i : i + 1] for i in range(len(GZ))))),
        ("gzip in two members", answer(gzip.compress(PAGE[:99]) + gzip.compress(PAGE[99:]), "Content-Encoding: gzip")),
        ("gzip with something after it", answer(GZ + b"\n\0\0", "Content-Encoding: x-gzip")),
        ("deflate", answer(zlib.compress(PAGE), "Content-Encoding: deflate")),
        ("deflate without its header", answer(zlib.compress(PAGE)[2:-4], "Content-Encoding: deflate")),
        ("gzip in gzip", answer(gzip.compress(GZ), "Content-Encoding: gzip, gzip")),
        ("deflate in gzip, several fields", answer(gzip.compress(zlib.compress(PAGE)), "Content-Encoding: deflate",
                                                   "Content-Encoding: gzip")),
        ("identity", answer(PAGE, "Content-Encoding: identity")),
        ("after 100 Continue", b"HTTP/1.1 100 Continue\r\n\r\n" + answer(PAGE)),
        ("slowly but in time", drip(answer(PAGE), each=0.0001)),
    ],
    ids=brief,
)  # fmt: skip
def test_a_whole_answer_is_taken_however_it_is_framed(what: str, raw: bytes | Script) -> None:
    with Server(raw) as server:
        assert whole(server).body == PAGE, what


def test_what_an_answer_says_of_itself() -> None:
    said = ["Content-Type: Text/HTML; charset=gb2312", 'ETag: "v1"', "Last-Modified: Sun, 01 Mar 2026 10:00:00 GMT"]
    said.append('Content-Disposition: attachment; filename="a.html"')
    with Server(answer(PAGE, *said)) as server:
        got = whole(server)
        assert got.url == server.url + "list.html"
    assert (got.status, got.media_type, got.charset, got.filename, got.at, got.moved) == (
        200,
        "text/html",
        "utf-8",
        "a.html",
        NOW,
        None,
    )
    digest = hashlib.sha256(PAGE).hexdigest()
    assert got.validators == Validators('"v1"', "Sun, 01 Mar 2026 10:00:00 GMT", digest, NOW)


def test_the_windows_euro_sign_reaches_the_reader_and_the_hash_is_of_what_came() -> None:
    body = "<html>通知：欧元 EURO</html>".encode("gbk").replace(b"EURO", b"\x80")
    with Server(answer(body, "Content-Type: text/html; charset=gbk")) as server:
        got = whole(server)
    assert got.text == "<html>通知：欧元 €</html>"
    assert got.body_hash == hashlib.sha256(body).hexdigest()


# --- broken answers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason", "sentence"),
    [
        (cut(HALF), "truncated", "answer broken off at 1,681 of 3,362 bytes"),
        (cut(answer(b"", "Content-Length: 10", length=False)), "truncated", "answer broken off at 0 of 10 bytes"),
        (cut(b""), "truncated", "the server closed the connection before it answered"),
        (cut(b"", reset=True), "truncated", "the server closed the connection before it answered"),
        (cut(answer(b"", CHUNKED, length=False) + chunks(PAGE)[:-5]), "truncated", "answer broken off after"),
        (cut(answer(b"", CHUNKED, length=False) + chunks(PAGE)[:900]), "truncated", "answer broken off after"),
        (cut(answer(b"", CHUNKED, length=False) + b"0"), "truncated", "bad chunk in the answer after 0 bytes"),
        (answer(b"", CHUNKED, length=False) + b"-5\r\nabcde\r\n0\r\n\r\n", "truncated", "bad chunk in the answer after 0 bytes"),
        (answer(b"", CHUNKED, length=False) + b"3\r\nabcde\r\n0\r\n\r\n", "truncated", "bad chunk in the answer after 3 bytes"),
        (answer(b"", CHUNKED, length=False) + b"zz\r\nabcde\r\n0\r\n\r\n", "truncated", "bad chunk in the answer after 0 bytes"),
        (answer(b"", CHUNKED, length=False) + b"0x5\r\nabcde\r\n0\r\n\r\n", "truncated", "bad chunk in the answer after 0 bytes"),
        (answer(b"", CHUNKED, length=False) + b"5" * 5000, "truncated", "bad chunk in the answer after 0 bytes"),
        (answer(PAGE, "Content-Length: abc", length=False), "protocol", "the answer declares an impossible length"),
        (answer(PAGE, "Content-Length: -5", length=False), "protocol", "the answer declares an impossible length"),
        (answer(PAGE, "Content-Length: 1_0", length=False), "protocol", "the answer declares an impossible length"),
        (answer(PAGE, "Content-Length: 5", "Content-Length: 6", length=False), "protocol", "what came is not an HTTP answer"),
        (answer(PAGE, "Transfer-Encoding: gzip, chunked"), "protocol", "the answer is framed in a way that was not asked for"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "protocol", "what came is not an HTTP answer"),
        (cut(b"<html>no head</html>"), "protocol", "what came is not an HTTP answer"),
        (answer(GZ[:-9], "Content-Encoding: gzip"), "damaged", "compressed data damaged"),
        (answer(GZ[:-8] + b"\1\2\3\4" + GZ[-4:], "Content-Encoding: gzip"), "damaged", "compressed data damaged"),
        (answer(GZ[:60] + b"\0\0\0" + GZ[63:], "Content-Encoding: gzip"), "damaged", "compressed data damaged"),
        (answer(PAGE, "Content-Encoding: gzip"), "damaged", "compressed data damaged"),
        (answer(b"\x1f", "Content-Encoding: gzip"), "damaged", "compressed data damaged"),
        (answer(GZ, "Content-Encoding: deflate"), "damaged", "compressed data damaged"),
        (answer(GZ, "Content-Encoding: gzip, gzip"), "damaged", "compressed data damaged"),
        (answer(gzip.compress(b"") * 10_001 + GZ, "Content-Encoding: gzip"), "damaged", "compressed data damaged"),
        (answer(PAGE, "Content-Encoding: br"), "damaged", 'the answer is compressed as "br", which was not asked for'),
        (answer(PAGE, "Content-Encoding: " + ", ".join(["gzip"] * 9)), "damaged", "the answer is compressed 9 times over"),
        (answer(b""), "empty answer", "empty answer"),
        (answer(gzip.compress(b""), "Content-Encoding: gzip"), "empty answer", "empty answer"),
        (answer(b"", status="204 No Content", length=False), "empty answer", "empty answer"),
        (answer(b"", status="205 Reset Content"), "empty answer", "empty answer"),
        (answer(PAGE, status="206 Partial Content"), "http 206", "HTTP 206"),
        (answer(b"", status="304 Not Modified", length=False), "not asked", "304 without a question"),
    ],
    ids=brief,
)
def test_a_broken_answer_is_an_error_that_says_how_it_is_broken(raw: bytes | Script, reason: str, sentence: str) -> None:
    error = fails(raw)
    assert isinstance(error, FetchError)
    assert error.reason == reason
    assert f"127.0.0.1: {sentence}" in str(error)


def test_an_answer_that_is_reset_is_broken_off() -> None:
    error = fails(cut(HALF, reset=True))
    assert error.reason == "truncated"
    assert "of 3,362 bytes" in str(error)


@pytest.mark.parametrize(
    ("status", "transient"),
    [(400, False), (401, False), (403, False), (404, False), (408, True), (410, False), (412, False), (418, False), (425, True),
     (429, True), (500, True), (502, True), (503, True), (521, True), (300, False), (202, True)],
)  # fmt: skip
def test_a_status_is_told_as_such(status: int, transient: bool) -> None:
    error = fails(answer(PAGE, status=f"{status} Whatever"))
    assert isinstance(error, FetchError)
    assert (error.status, error.reason, error.transient, error.retry_after) == (status, f"http {status}", transient, None)


# --- limits in time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "raw"),
    [
        ("silence", hold()),
        ("dripped status line", drip(b"HTTP/1.1 200 " + b"O" * 2000)),
        ("dripped headers", drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2000)),
        ("headers without end", hold(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")),
        ("dripped 1xx", drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
        ("body never comes", hold(answer(b"", "Content-Length: 10", length=False))),
        ("dripped body", drip(answer(PAGE))),
        ("dripped chunks", drip(answer(b"", CHUNKED, length=False) + b"1\r\nx\r\n" * 500)),
        ("dripped until the end", drip(answer(PAGE, length=False))),
        ("dripped gzip", drip(answer(GZ * 9, "Content-Encoding: gzip"))),
        ("the last chunk never comes", hold(answer(b"", CHUNKED, length=False) + chunks(PAGE)[:-5])),
        ("dripped redirect", drip(answer(b"x" * 500, "Location: /b", status="302 Found"))),
    ],
    ids=brief,
)
def test_the_whole_answer_has_one_deadline(what: str, raw: Script) -> None:
    before = time.monotonic()
    error = fails(raw, QUICK)
    assert time.monotonic() - before < QUICK.deadline + 0.5, what
    assert error.reason == "timeout"
    assert str(error) == "127.0.0.1: no full answer within 0.4 s"


def test_redirects_share_the_deadline() -> None:
    with Server([answer(b"", "Location: /b", status="302 Found"), hold()]) as server:
        before = time.monotonic()
        with pytest.raises(FetchError, match="no full answer within"):
            get(server, QUICK)
        assert time.monotonic() - before < QUICK.deadline + 0.5


def test_a_handshake_that_hangs_ends_at_the_deadline() -> None:
    with Server(b"", mute=True) as server:
        before = time.monotonic()
        with pytest.raises(FetchError) as caught:
            fetch(Request(f"https://127.0.0.1:{server.port}/"), QUICK)
        assert time.monotonic() - before < QUICK.deadline + 0.5
        assert caught.value.reason == "timeout"


def test_a_name_look_up_that_hangs_ends_at_the_deadline() -> None:
    over = threading.Event()

    def hangs(*_: Any, **__: Any) -> list[Any]:
        over.wait(10)
        return []

    before = time.monotonic()
    with pytest.raises(FetchError, match="the name look-up hangs") as caught:
        fetch(Request("http://slow.example/"), QUICK, resolve=hangs)
    over.set()
    assert time.monotonic() - before < QUICK.deadline + 0.5
    assert caught.value.reason == "timeout"


def test_a_connect_that_hangs_ends_at_the_deadline() -> None:
    # A listener whose queue is full answers no further SYN.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        before = time.monotonic()
        with pytest.raises(FetchError) as caught:
            fetch(Request(f"http://127.0.0.1:{listener.getsockname()[1]}/"), QUICK)
        for filler in fillers:
            filler.close()
    assert time.monotonic() - before < QUICK.deadline + 0.5
    assert caught.value.reason == "timeout"


# --- limits in bytes -----------------------------------------------------------------------------------------------------------


def bomb(times: int = 1, size: int = 10_000_000) -> bytes:
    data = b"\0" * size
    for _ in range(times):
        data = gzip.compress(data, 1)
    return data


@pytest.mark.parametrize(
    ("what", "raw"),
    [
        ("declared too large", answer(b"", "Content-Length: 200000000", length=False)),
        ("endless body", endless(answer(b"", length=False), b"x" * 65536)),
        ("endless chunks", endless(answer(b"", CHUNKED, length=False), b"10000\r\n" + b"x" * 65536 + b"\r\n")),
        ("a chunk of exabytes", endless(answer(b"", CHUNKED, length=False) + b"fffffffffffffff\r\n", b"x" * 65536)),
        ("endless chunks of a byte", endless(answer(b"", CHUNKED, length=False), b"1\r\nx\r\n" * 8000)),
        ("endless trailers", endless(answer(b"", CHUNKED, length=False) + b"0\r\n", b"X: 1\r\n" * 8000)),
        ("endless headers", endless(b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n" * 8000)),
        ("an endless header", endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536)),
        ("endless 1xx", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000)),
        ("gzip bomb", answer(bomb(), "Content-Encoding: gzip")),
        ("gzip bomb in gzip", answer(bomb(2), "Content-Encoding: gzip, gzip")),
        ("deflate bomb", answer(zlib.compress(b"\0" * 10_000_000, 1), "Content-Encoding: deflate")),
    ],
    ids=brief,
)
def test_an_answer_over_the_limit_stops_at_it(what: str, raw: bytes | Script) -> None:
    before = time.process_time()
    error = fails(raw, SMALL)
    assert isinstance(error, TooLarge), what
    assert time.process_time() - before < 1


def test_the_limit_says_which_setting_it_is() -> None:
    raw = answer(b"x" * 2000)
    policy = replace(POLICY, max_bytes=1000, max_attachment=1500)
    assert str(fails(raw, policy)) == "127.0.0.1: larger than 1,000 bytes; raise max_bytes for this source if that is right"
    assert "raise max_attachment" in str(fails(raw, policy, purpose=Purpose.ATTACHMENT))
    with Server(raw) as server:
        assert len(whole(server, replace(policy, max_attachment=2000), purpose=Purpose.ATTACHMENT).body) == 2000


@pytest.mark.parametrize("raw", [bomb(size=100_000_000), bomb()], ids=["bomb", "just fits"])
def test_memory_grows_by_less_than_64_mib(raw: bytes) -> None:
    with Server(answer(raw, "Content-Encoding: gzip", "Content-Type: application/pdf")) as server:
        tracemalloc.start()
        try:
            get(server)
        except TooLarge:
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 64 * 1024 * 1024


# --- redirects -----------------------------------------------------------------------------------------------------------------


def redirect(to: str, status: int = 302, *fields: str) -> bytes:
    return answer(b"gone there", f"Location: {to}", *fields, status=f"{status} Moved")


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [([301], True), ([308], True), ([301, 308], True), ([302], False), ([301, 302], False), ([303, 301], False), ([307], False)],
)
def test_an_address_has_moved_only_if_every_hop_says_for_good(statuses: list[int], moved: bool) -> None:
    with Server([*(redirect(f"/{status}/new.html", status) for status in statuses), answer(PAGE)]) as server:
        got = whole(server)
        assert got.url == f"{server.url}{statuses[-1]}/new.html"
        assert got.moved == (got.url if moved else None)
        assert server.connections == 1


def test_five_redirects_are_followed_and_a_sixth_is_not() -> None:
    with Server([*(redirect(f"/{i}") for i in range(5)), answer(PAGE)]) as server:
        assert whole(server).url == server.url + "4"
    with Server([redirect(f"/{i}") for i in range(50)]) as server, pytest.raises(FetchError) as caught:
        get(server)
    assert caught.value.reason == "redirect"
    assert "more than 5 redirects" in str(caught.value)
    assert str(caught.value).count(" → ") == 6
    assert len(server.heads) == 6


def test_a_circle_is_told_with_its_chain_but_not_what_a_query_holds() -> None:
    error = fails([redirect("/b?token=s3cret"), redirect("/list.html")] * 9)
    assert error.reason == "redirect"
    assert "redirects in a circle" in str(error)
    assert "/list.html → " in str(error)
    assert "/b?… → " in str(error)
    assert "s3cret" not in str(error)


def test_a_cookie_may_be_set_twice_and_once_without_a_value() -> None:
    twice = ("Set-Cookie: sid; Path=/", "Set-Cookie: sid=1; Path=/a")
    with Server([redirect("/list.html", 302, *twice), answer(PAGE)]) as server:
        assert whole(server).body == PAGE


def test_a_page_that_redirects_to_itself_to_set_a_cookie_is_read() -> None:
    with Server([redirect("/list.html", 302, "Set-Cookie: seen=1; Path=/"), answer(PAGE)]) as server:
        assert whole(server).body == PAGE
        assert server.field("cookie") == "seen=1"


def test_a_redirect_without_a_target() -> None:
    error = fails(answer(b"", status="302 Found"))
    assert isinstance(error, FetchError)
    assert (error.reason, error.status) == ("redirect", 302)
    assert "HTTP 302 redirects to nowhere: http://127.0.0.1:" in str(error)


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (303, "GET", "GET"),
    ],
)
def test_what_becomes_of_the_method(status: int, method: str, then: str) -> None:
    with Server([redirect("/b", status), answer(PAGE)]) as server:
        whole(server, method=method, body=b"a=1" if method == "POST" else b"")
        assert server.heads[1].startswith(then.encode() + b" /b ")
        assert server.bodies[1] == (b"a=1" if then == "POST" else b"")
        assert (server.field("content-type") is None) == (then == "GET")


def test_what_a_source_sends_along_goes_to_its_own_host_alone() -> None:
    own = (("Authorization", "Bearer s3cret"), ("Cookie", "sid=s3cret"), ("X-Api-Key", "s3cret"), ("Accept", "text/plain"))
    with Server(answer(PAGE)) as other, Server([redirect("/b"), redirect(f"http://127.0.0.1:{other.port}/c")]) as server:
        got = fetch(Request(f"http://user:s3cret@127.0.0.1:{server.port}/", headers=own), POLICY)
        assert isinstance(got, Fetched)
        assert server.field("x-api-key", 1) == "s3cret"
        assert server.field("cookie", 1) == "sid=s3cret"
        assert b"s3cret" not in other.heads[0]
        assert other.field("accept") == "text/plain"


def test_credentials_in_an_address_are_sent_as_such_and_shown_nowhere() -> None:
    with Server(answer(PAGE)) as server:
        got = fetch(Request(f"http://user:p%40ss@127.0.0.1:{server.port}/"), POLICY)
        assert server.field("authorization") == "Basic dXNlcjpwQHNz"
    assert isinstance(got, Fetched)
    assert got.url == server.url
    with Server(answer(b"", status="401 Unauthorized")) as server, pytest.raises(FetchError) as caught:
        fetch(Request(f"http://user:s3cret@127.0.0.1:{server.port}/?key=s3cret"), POLICY)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/通知.html".encode(), "/%E9%80%9A%E7%9F%A5.html"),
        ("/通知.html".encode("gbk"), "/%CD%A8%D6%AA.html"),
        (b"/a b#c", "/a%20b"),
    ],
    ids=brief,
)
def test_a_target_in_raw_bytes_is_asked_for_as_it_is_meant(raw: bytes, path: str) -> None:
    with Server([redirect(raw.decode("latin-1")), answer(PAGE)]) as server:
        whole(server)
        assert server.heads[1].split(b" ")[1].decode() == path


# --- asking only for what changed ----------------------------------------------------------------------------------------------

KNOWN = Validators('"v1"', "Sun, 01 Mar 2026 10:00:00 GMT", "00" * 32, NOW - timedelta(hours=1))
NOT_MODIFIED = answer(b"", 'ETag: "v2"', status="304 Not Modified", length=False)


def test_not_modified_keeps_the_validators_of_the_last_whole_answer() -> None:
    with Server(NOT_MODIFIED) as server:
        got = get(server, validators=KNOWN)
        assert server.field("if-none-match") == '"v1"'
        assert server.field("if-modified-since") == "Sun, 01 Mar 2026 10:00:00 GMT"
    assert got == Unchanged(NOW, KNOWN)


def test_a_known_body_is_unchanged_with_fresh_validators() -> None:
    known = replace(KNOWN, body_hash=hashlib.sha256(PAGE).hexdigest())
    with Server(answer(GZ, 'ETag: "v2"', "Content-Encoding: gzip")) as server:
        got = get(server, validators=known)
    assert got == Unchanged(NOW, Validators('"v2"', None, known.body_hash, NOW))


@pytest.mark.parametrize(
    "known",
    [
        replace(KNOWN, at=NOW - timedelta(hours=24)),
        replace(KNOWN, at=NOW + timedelta(seconds=1)),
        replace(KNOWN, at=None),
        Validators(None, None, "00" * 32, NOW),
        Validators("*", "yesterday", None, NOW),
        Validators('""', "", None, NOW),
        Validators('W/""', None, None, NOW),
        Validators('"a\r\nX: 1"', "Sun, 01 Mar 2026\r\nX: 1", None, NOW),
        Validators('"\x00"', "\ud800", None, NOW),
    ],
)
def test_old_future_and_garbage_validators_are_never_sent(known: Validators) -> None:
    with Server(answer(PAGE)) as server:
        whole(server, validators=known)
        assert b"if-" not in server.heads[0].lower()
        server.answers = [NOT_MODIFIED]
        with pytest.raises(FetchError, match="304 without a question"):
            get(server, validators=known)


def test_a_weak_etag_is_sent_back() -> None:
    with Server(NOT_MODIFIED) as server:
        get(server, validators=replace(KNOWN, etag='W/"1"'))
        assert server.field("if-none-match") == 'W/"1"'


def test_a_post_is_not_conditional() -> None:
    with Server(answer(PAGE)) as server:
        whole(server, method="POST", validators=KNOWN)
        assert server.field("if-none-match") is None


@pytest.mark.parametrize("status", ["201 Created", "203 Changed on the way"])
def test_only_a_200_gives_an_etag(status: str) -> None:
    with Server(answer(PAGE, 'ETag: "v1"', "Last-Modified: Sun, 01 Mar 2026 10:00:00 GMT", status=status)) as server:
        assert whole(server).validators == Validators(None, None, hashlib.sha256(PAGE).hexdigest(), NOW)


@pytest.mark.parametrize("said", ["*", '""', "x" * 2000])
def test_an_etag_that_could_not_be_sent_back_is_not_kept(said: str) -> None:
    with Server(answer(PAGE, f"ETag: {said}", "Last-Modified: soon")) as server:
        got = whole(server)
    assert (got.validators.etag, got.validators.last_modified) == (None, None)


# --- being asked to wait -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120), ("0", 0), ("-5", 0), ("1.5", 1.5), ("31536000000", 86400), ("9" * 5000, 86400), ("+7", 7),
        ("Sun, 01 Mar 2026 12:10:00 GMT", 600), ("Sun, 01 Mar 2026 11:00:00 GMT", 0), ("Fri, 01 Mar 3026 12:00:00 GMT", 86400),
        ("Sunday, 01-Mar-26 12:10:00 GMT", 600), ("Sun, 01 Mar 2026 20:10:00 +0800", 600), ("soon", None), ("", None),
        ("nan", None), ("1e3", None), ("inf", None), ("١٢", None), ("Sun, 99 Mar 2026 12:10:00 GMT", None), ("1 hour", None),
    ],
)  # fmt: skip
def test_retry_after_is_within_a_day_or_nothing(said: str, seconds: float | None) -> None:
    assert headers.retry_after(said, NOW) == seconds


@pytest.mark.parametrize("status", [429, 503, 403, 500])
def test_retry_after_comes_with_the_error_and_nothing_sleeps(status: int) -> None:
    before = time.monotonic()
    error = fails(answer(b"", "Retry-After: 120", status=f"{status} Slow down"))
    assert isinstance(error, FetchError)
    assert error.retry_after == 120
    assert str(error) == f"127.0.0.1: HTTP {status}, asks to wait 120 s"
    assert time.monotonic() - before < 5


# --- what is sent --------------------------------------------------------------------------------------------------------------


def test_what_we_say_of_ourselves() -> None:
    with Server(answer(PAGE)) as server:
        whole(server)
        assert server.field("user-agent") == headers.USER_AGENT
        assert "monitor/" in headers.USER_AGENT
        assert "+https://github.com/notice-monitor/monitor" in headers.USER_AGENT
        assert server.field("accept-encoding") == "gzip, deflate"
        whole(server, replace(POLICY, user_agent="Mozilla/5.0"), headers=(("X-Requested-With", "XMLHttpRequest"),))
        assert server.field("user-agent") == "Mozilla/5.0"
        assert server.field("x-requested-with") == "XMLHttpRequest"
        whole(server, replace(POLICY, user_agent="Mozilla/5.0"), headers=(("User-Agent", "own"), ("Accept-Encoding", "br")))
        assert (server.field("user-agent"), server.field("accept-encoding")) == ("own", "gzip, deflate")


@pytest.mark.parametrize(
    ("body", "own", "kind"),
    [
        (b"page=1&q=a", (), "application/x-www-form-urlencoded"),
        (b' {"page": 1}', (), "application/json"),
        (b"<a/>", (("content-type", "text/xml"),), "text/xml"),
    ],
)
def test_a_body_is_sent_with_its_kind(body: bytes, own: tuple[tuple[str, str], ...], kind: str) -> None:
    with Server(answer(PAGE)) as server:
        whole(server, method="post", body=body, headers=own)
        assert server.heads[0].startswith(b"POST ")
        assert (server.bodies[0], server.field("content-type")) == (body, kind)


@pytest.mark.parametrize(
    "bad", [("X-Key", "s3cret\r\nEvil: 1"), ("X-Key", "s3cret\n"), ("X-Key\r\nEvil", "s3cret"), ("a b", "s3cret")]
)
def test_a_header_with_a_line_break_is_refused_without_telling_its_value(bad: tuple[str, str]) -> None:
    with Server(answer(PAGE)) as server, pytest.raises(FetchError) as caught:
        get(server, headers=(bad,))
    assert (caught.value.reason, caught.value.transient, server.connections) == ("bad header", False, 0)
    assert "s3cret" not in str(caught.value)


def test_cookies_of_an_answer_are_not_kept_for_the_next_fetch() -> None:
    with Server(answer(PAGE, "Set-Cookie: sid=1; Path=/; Max-Age=9999")) as server:
        whole(server)
        whole(server)
        assert server.field("cookie", 1) is None


def test_a_cookie_given_on_the_way_joins_the_sources_own() -> None:
    with Server([redirect("/b", 302, "Set-Cookie: a=new; Path=/"), answer(PAGE)]) as server:
        whole(server, headers=(("Cookie", "a=old; b=2"),))
        assert server.field("cookie", 0) == "a=old; b=2"
        assert server.field("cookie", 1) == "b=2; a=new"


def test_neither_proxy_nor_netrc_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password s3cret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Server(answer(PAGE)) as server:
        whole(server)
        assert server.field("authorization") is None


def test_a_configured_proxy_is_used_with_its_credentials_which_no_error_shows() -> None:
    with Server([answer(PAGE), answer(b"", status="403 Forbidden")]) as proxy:
        policy = replace(POLICY, proxy=f"http://me:s3cret@127.0.0.1:{proxy.port}")
        got = fetch(Request("http://a.example/x"), policy, resolve=unknown)
        assert isinstance(got, Fetched)
        assert proxy.heads[0].startswith(b"GET http://a.example/x ")
        assert proxy.field("proxy-authorization") == "Basic bWU6czNjcmV0"
        with pytest.raises(FetchError) as caught:
            fetch(Request("https://a.example/x"), policy, resolve=unknown)
    assert caught.value.reason == "proxy"
    assert str(caught.value) == "a.example: the proxy did not open a way to it (Tunnel connection failed: 403 Forbidden)"
    with pytest.raises(FetchError, match=f"connection refused at the proxy 127.0.0.1:{proxy.port}"):
        fetch(Request("http://a.example/x"), policy, resolve=unknown)


def test_a_proxy_that_hangs_ends_at_the_deadline() -> None:
    with Server(hold(b"HTTP/1.1 200 OK\r\n")) as proxy, pytest.raises(FetchError) as caught:
        fetch(Request("https://a.example/"), replace(QUICK, proxy=f"http://127.0.0.1:{proxy.port}"), resolve=unknown)
    assert caught.value.reason == "timeout"


# --- connections ---------------------------------------------------------------------------------------------------------------


def test_a_connection_is_kept_and_one_that_the_server_closed_is_made_anew() -> None:
    with Server([answer(PAGE), answer(GZ, "Content-Encoding: gzip"), cut(answer(PAGE)), answer(PAGE)]) as server:
        for _ in range(3):
            whole(server)
        assert server.connections == 1
        whole(server)
        assert (server.connections, len(server.heads)) == (2, 4)


def test_each_thread_keeps_one_connection() -> None:
    with Server(answer(PAGE)) as server:

        def several() -> None:
            for _ in range(5):
                got.append(whole(server).body)
            close()

        got: list[bytes] = []
        threads = [threading.Thread(target=several) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == [PAGE] * 20
        assert server.connections == 4


def test_a_get_on_a_kept_connection_that_dies_unanswered_is_asked_once_more_and_a_post_is_not() -> None:
    with Server([answer(PAGE), cut(b""), answer(PAGE), answer(PAGE), cut(b""), answer(PAGE)]) as server:
        whole(server)
        whole(server)
        assert len(server.heads) == 3
        whole(server)
        with pytest.raises(FetchError, match="closed the connection before it answered"):
            get(server, method="POST", body=b"a=1")
        assert len(server.heads) == 5


def test_a_connection_that_was_idle_for_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "KEPT", 0.0)
    with Server(answer(PAGE)) as server:
        whole(server)
        whole(server)
        assert server.connections == 2


@pytest.mark.parametrize(
    ("raw", "connections"),
    [(answer(PAGE, status="404 Not Found"), 1), (cut(HALF), 2), (answer(PAGE, "Content-Encoding: gzip"), 2)],
    ids=["read to its end", "cut off", "damaged"],
)
def test_nothing_of_a_failed_answer_reaches_the_next(raw: bytes | Script, connections: int) -> None:
    with Server([raw, answer(PAGE)]) as server:
        with pytest.raises(FetchError):
            get(server)
        assert whole(server).body == PAGE
        assert server.connections == connections


def test_a_304_that_sends_a_body_all_the_same_does_not_reach_the_next() -> None:
    with Server([answer(PAGE, status="304 Not Modified"), answer(PAGE)]) as server:
        assert isinstance(get(server, validators=KNOWN), Unchanged)
        assert whole(server).body == PAGE


def test_sockets_are_closed(recwarn: pytest.WarningsRecorder) -> None:
    for raw in (
        answer(PAGE),
        cut(HALF),
        answer(b"", "Content-Length: 99999999999", length=False),
        redirect("file:///etc/passwd"),
    ):
        with Server(raw) as server:
            try:
                get(server)
            except (FetchError, TooLarge, Forbidden):
                pass
            close()
    gc.collect()
    assert [str(one.message) for one in recwarn if one.category is ResourceWarning] == []


@pytest.mark.parametrize(
    ("url", "kind", "reason"),
    [
        *((url, FetchError, "bad address") for url in (
            "http://", "http:///x", "http://[::1", "http://a b/", "http://a:99999/", "//a/", "http://a\\@b/", "", "http://*/",
        )),
        *((url, Forbidden, "forbidden") for url in ("ftp://a/", "file:///etc/passwd", "javascript:1", "data:,x")),
        ("http://nowhere.example/", FetchError, "dns"),
    ],
)  # fmt: skip
def test_addresses_that_lead_nowhere(url: str, kind: type[SourceError], reason: str) -> None:
    with pytest.raises(kind) as caught:
        fetch(Request(url), POLICY, resolve=unknown)
    assert caught.value.reason == reason


def test_a_refused_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(FetchError) as caught:
        fetch(Request(f"http://127.0.0.1:{port}/"), POLICY)
    assert (caught.value.reason, str(caught.value)) == ("refused", f"127.0.0.1: connection refused at port {port}")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), "a.example: name not found"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "a.example: name look-up failed (Temporary failure)"),
    ],
)
def test_a_name_that_is_not_found(error: OSError, sentence: str) -> None:
    def resolve(*_: Any, **__: Any) -> Any:
        raise error

    with pytest.raises(FetchError) as caught:
        fetch(Request("http://a.example/"), POLICY, resolve=resolve)
    assert (caught.value.reason, caught.value.transient, str(caught.value)) == ("dns", True, sentence)


def test_a_policy_that_cannot_be_read_is_told_as_such() -> None:
    with Server(answer(PAGE)) as server:
        for policy in (
            replace(POLICY, encoding="rot13"),
            replace(POLICY, proxy="socks5://127.0.0.1:1"),
            replace(POLICY, allow_private=("x",)),
        ):
            with pytest.raises(ConfigError):
                get(server, policy)


def test_every_error_survives_a_pickle() -> None:
    error = fails(answer(b"", "Retry-After: 120", status="503 Slow down"))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.__dict__) == (str(error), error.__dict__)


# --- TLS -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    roots = tmp_path / "roots.pem"
    ca.cert_pem.write_to_path(roots)
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    close()
    tls.forget()
    yield ca
    close()
    tls.forget()


def over_tls(server: Server, policy: FetchPolicy = POLICY, host: str = "a.example") -> Fetched | Unchanged:
    return fetch(Request(f"https://{host}:{server.port}/x"), policy, resolve=names())


def test_a_trusted_certificate_of_the_right_name(trusted: trustme.CA) -> None:
    with Server(answer(GZ, "Content-Encoding: gzip"), tls=speaking(trusted.issue_cert("a.example"))) as server:
        for _ in range(2):
            got = over_tls(server)
            assert isinstance(got, Fetched)
            assert got.body == PAGE
        assert server.connections == 1


def test_a_certificate_for_an_address(trusted: trustme.CA) -> None:
    with Server(answer(PAGE), tls=speaking(trusted.issue_cert("127.0.0.1"))) as server:
        assert isinstance(fetch(Request(server.url), POLICY), Fetched)


def test_what_is_wrong_with_a_certificate_is_told(trusted: trustme.CA, tmp_path: Path) -> None:
    past, later = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    far, farther = datetime(2048, 1, 1, tzinfo=UTC), datetime(2055, 1, 1, tzinfo=UTC)
    table = {
        "certificate expired on 2026-01-02": speaking(trusted.issue_cert("a.example", not_before=past, not_after=later)),
        "certificate is not valid before 2048-01-01": speaking(
            trusted.issue_cert("a.example", not_before=far, not_after=farther)
        ),
        "certificate is not for a.example": speaking(trusted.issue_cert("b.example")),
        "certificate is self-signed": self_signed(tmp_path, "a.example"),
        "certificate is signed by an unknown issuer": speaking(trustme.CA().issue_cert("a.example")),
    }
    for sentence, context in table.items():
        with Server(answer(PAGE), tls=context) as server, pytest.raises(FetchError) as caught:
            over_tls(server)
        assert str(caught.value).startswith(f"a.example: {sentence}")
        assert "verify_tls = false" in str(caught.value)
        assert (caught.value.reason, caught.value.transient, server.heads) == ("tls", False, [])


def test_a_certificate_is_not_looked_at_only_where_the_user_says_so(
    trusted: trustme.CA, recwarn: pytest.WarningsRecorder
) -> None:
    with Server(answer(PAGE), tls=speaking(trustme.CA().issue_cert("b.example"))) as server:
        assert isinstance(over_tls(server, replace(POLICY, verify_tls=False)), Fetched)
        with pytest.raises(FetchError, match="certificate"):
            over_tls(server)
    assert len(recwarn) == 0


def test_a_server_that_speaks_no_tls(trusted: trustme.CA) -> None:
    def plainly(conn: socket.socket, *_: Any) -> None:
        conn.recv(10)
        conn.sendall(answer(PAGE, status="400 Bad Request"))

    with Server(b"", mute=True) as server:
        server.talk = plainly
        with pytest.raises(FetchError, match=r"no TLS is spoken at this port; is it an http:// address\?") as caught:
            over_tls(server)
    assert (caught.value.reason, caught.value.transient) == ("tls", False)


def test_a_server_that_hangs_up_in_the_handshake(trusted: trustme.CA) -> None:
    with Server(b"", mute=True) as server:
        server.talk = lambda conn, *_: conn.recv(10)
        with pytest.raises(FetchError, match="closed the connection during the TLS handshake") as caught:
            over_tls(server)
    assert caught.value.reason == "handshake"


@pytest.mark.parametrize("raw", [drip(answer(PAGE)), hold(), drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 900)], ids=brief)
def test_the_deadline_holds_under_tls(trusted: trustme.CA, raw: Script) -> None:
    with Server(raw, tls=speaking(trusted.issue_cert("a.example"))) as server:
        before = time.monotonic()
        with pytest.raises(FetchError) as caught:
            over_tls(server, QUICK)
        assert time.monotonic() - before < QUICK.deadline + 0.5
        assert caught.value.reason == "timeout"


def test_an_answer_broken_off_under_tls(trusted: trustme.CA) -> None:
    with Server(cut(HALF), tls=speaking(trusted.issue_cert("a.example"))) as server, pytest.raises(FetchError) as caught:
        over_tls(server)
    assert str(caught.value) == "a.example: answer broken off at 1,681 of 3,362 bytes"


# --- names of files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (None, None), ("attachment", None), ("inline; filename=a.pdf", "a.pdf"), ('attachment; filename="a b.pdf"', "a b.pdf"),
        ("attachment; filename*=UTF-8''%E9%80%9A%E7%9F%A5.doc", "通知.doc"),
        ("attachment; filename=x.doc; filename*=utf-8''%E9%80%9A%E7%9F%A5.doc", "通知.doc"),
        ("attachment; filename*=gbk''%CD%A8%D6%AA.doc", "通知.doc"), ("attachment; filename*=rot13''x.doc", "x.doc"),
        ('attachment; filename="' + "通知.doc".encode().decode("latin-1") + '"', "通知.doc"),
        ('attachment; filename="' + "通知.doc".encode("gbk").decode("latin-1") + '"', "通知.doc"),
        ("attachment; filename=%E9%80%9A%E7%9F%A5.doc", "通知.doc"),
        ('attachment; filename="=?UTF-8?B?6YCa55+lLmRvYw==?="', "通知.doc"),
        ('attachment; filename="../../etc/passwd"', "passwd"), (r'attachment; filename="C:\\x\\a.doc"', "a.doc"),
        ('attachment; filename="a\x07\u202e.doc"', "a.doc"), ('attachment; filename=".."', None),
        ('attachment; filename=""', None),
        ('attachment; filename="' + "x" * 999 + '.pdf"', "x" * 251 + ".pdf"), ('attachment; filename="a.pdf', "a.pdf"),
    ],
)  # fmt: skip
def test_the_name_of_a_file(said: str | None, name: str | None) -> None:
    assert headers.filename(said) == name


def test_an_upgrade_to_https_is_the_same_host_and_a_downgrade_is_not() -> None:
    pairs = {
        ("http://a/", "https://a/x"): True, ("http://a/", "http://A:80/"): True, ("https://a/", "http://a/"): False,
        ("http://a/", "http://a:8080/"): False, ("http://a/", "http://b.a/"): False, ("http://a:8080/", "https://a/"): False,
    }  # fmt: skip
    for (before, after), same in pairs.items():
        assert hops.same_host(urlsplit(before), urlsplit(after)) == same, (before, after)
