"""Cases of the wire: slow, broken off, cut, compressed wrongly, endless, unreachable."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from collections.abc import Iterator

from backports import zstd

from tests.hostile.pages import html_list, rows
from tests.hostile.table import DOWN, Case, Page, Step, calm, fault, good, slow
from tests.hostile_server import Script, answer, chunks, cut, drip, endless, hold

HTML = "Content-Type: text/html; charset=utf-8"
BODY = html_list(rows(20)).encode()
WHOLE = answer(BODY, HTML)
HEAD = WHOLE[: WHOLE.index(b"\r\n\r\n") + 4]
HALF = len(BODY) // 2
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
FREE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n"
GZIP = "Content-Encoding: gzip"
PACKED = gzip.compress(BODY)
MIB = 1 << 20


def paced(first: bytes, again: bytes) -> Script:
    """`first`, then `again` a hundred times a second, for ever."""

    def script(conn: socket.socket, head: bytes, over: threading.Event) -> None:
        conn.sendall(first)
        while not over.wait(0.01):
            conn.sendall(again)

    return script


def poured(first: bytes, parts: Iterator[bytes]) -> Script:
    """`first`, then the parts, as long as they are taken; then silence."""

    def script(conn: socket.socket, head: bytes, over: threading.Event) -> None:
        conn.sendall(first)
        for part in parts:
            if over.is_set():
                return
            conn.sendall(part)
        over.wait(60)

    return script


def bomb(size: int, level: int = 9) -> bytes:
    """So many bytes of zeros, compressed piece by piece: neither the server nor the test holds them."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


def zstd_bomb(size: int) -> bytes:
    packer = zstd.ZstdCompressor()
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


def stacked(times: int) -> bytes:
    body = BODY
    for _ in range(times):
        body = gzip.compress(body)
    return answer(body, HTML, "Content-Encoding: " + ", ".join(["gzip"] * times))


def late_cut(size: int) -> Script:
    return cut(FREE + BODY[:size])


FEW = html_list(rows(20)[:9]).encode()
NINE = FEW[: FEW.index(b"</ul>")]  # nine rows of twenty and no end

SLOW = ("no full answer within 1 s",)
CASES: tuple[Case, ...] = (
    # --- slow
    slow("slow-loris", "network", ("slow", "slow loris"), drip(WHOLE), "slow", *SLOW),
    slow("slow-body", "network", ("slow", "slow body"), lambda c, h, o: (c.sendall(HEAD), drip(BODY)(c, h, o))[0], "slow", *SLOW),
    fault("hang-before-the-answer", "network", ("slow", "hang"), hold(), "slow", *SLOW, times=3),
    slow("hang-in-the-head", "network", ("slow", "hang"), hold(HEAD[:30]), "slow", *SLOW),
    slow("hang-in-the-body", "network", ("slow", "hang"), hold(HEAD + BODY[:HALF]), "slow", *SLOW),
    slow(
        "hang-between-chunks",
        "network",
        ("slow", "hang"),
        hold(CHUNKED + b"%x\r\n" % HALF + BODY[:HALF] + b"\r\n"),
        "slow",
        *SLOW,
    ),
    slow("hang-after-the-last-row", "network", ("slow", "hang"), hold(HEAD.replace(b"gth: ", b"gth: 1") + BODY), "slow", *SLOW),
    slow("flood-of-100", "network", ("slow", "1xx flood"), paced(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "slow", *SLOW),
    slow("flood-of-103", "network", ("slow", "1xx flood"), paced(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), "slow"),
    slow("fast-flood-of-102", "network", ("slow", "1xx flood"), endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 50), ""),
    calm(
        "one-103-before-the-answer", "network", ("slow", "1xx flood"), b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + WHOLE
    ),
    slow("name-server-hangs", "network", ("slow", "name server hangs"), good(), "slow", *SLOW, host="list.test", resolver="hang"),
    # --- broken off
    fault("reset-before-the-answer", "network", ("broken off", "reset"), cut(b"", reset=True), "broken"),
    fault("reset-in-the-body", "network", ("broken off", "reset"), cut(HEAD + BODY[:HALF], reset=True), "broken"),
    fault("end-before-the-answer", "network", ("broken off", "end of connection"), cut(b""), "broken"),
    fault("end-in-the-head", "network", ("broken off", "end of connection"), cut(HEAD[:40]), "broken"),
    fault(
        "body-shorter-than-its-length",
        "network",
        ("broken off", "shorter than its length"),
        cut(HEAD + BODY[:1681]),
        "broken",
        f"broken off at 1,681 of {len(BODY):,} bytes",
    ),
    fault(
        "last-byte-missing", "network", ("broken off", "shorter than its length"), cut(HEAD + BODY[:-1]), "broken", "broken off"
    ),
    fault("no-last-chunk", "network", ("broken off", "chunks that lie"), cut(CHUNKED + chunks(BODY)[:-5]), "broken"),
    fault(
        "chunk-cut", "network", ("broken off", "chunks that lie"), cut(CHUNKED + b"%x\r\n" % len(BODY) + BODY[:HALF]), "broken"
    ),
    fault("chunk-size-no-number", "network", ("broken off", "chunks that lie"), cut(CHUNKED + b"zz\r\n" + BODY), "broken"),
    fault("chunk-size-negative", "network", ("broken off", "chunks that lie"), cut(CHUNKED + b"-5\r\n" + BODY), "broken"),
    fault("chunk-size-of-2^64", "network", ("broken off", "chunks that lie"), cut(CHUNKED + b"f" * 16 + b"\r\n" + BODY), ""),
    fault("chunk-smaller-than-told", "network", ("broken off", "chunks that lie"), cut(CHUNKED + b"10\r\n" + BODY), "broken"),
    fault("no-chunks-at-all", "network", ("broken off", "chunks that lie"), cut(CHUNKED + BODY), "broken"),
    fault(
        "length-negative", "network", ("broken off", "hostile lengths"), cut(FREE[:-2] + b"Content-Length: -1\r\n\r\n" + NINE), ""
    ),
    fault(
        "length-no-number",
        "network",
        ("broken off", "hostile lengths"),
        cut(FREE[:-2] + b"Content-Length: many\r\n\r\n" + NINE),
        "",
    ),
    fault(
        "two-lengths",
        "network",
        ("broken off", "hostile lengths"),
        cut(FREE[:-2] + b"Content-Length: 40\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY),
        "broken",
    ),
    fault(
        "length-too-small",
        "network",
        ("broken off", "hostile lengths"),
        cut(answer(BODY[:HALF], HTML) + BODY[HALF:]),
        "incomplete",
    ),
    fault(
        "length-of-10^18",
        "network",
        ("broken off", "hostile lengths"),
        cut(FREE[:-2] + b"Content-Length: 1000000000000000000\r\n\r\n" + BODY),
        "head",  # no length at all: no answer is so long
    ),
    fault("not-http", "network", ("broken off", "hostile lengths"), cut(b"SSH-2.0-OpenSSH_9.6\r\n"), "broken"),
    # --- cut without a length
    fault(
        "nine-rows-and-no-end",
        "network",
        (("cut without length", "no end tag"), ("cut without length", "rows missing")),
        cut(FREE + NINE),
        "incomplete",
        "page incomplete",
        "9 rows, usually 20",
    ),
    fault(
        "eighteen-rows-and-no-end",
        "network",
        ("cut without length", "no end tag"),
        late_cut(BODY.index(b"/p/n2.html") - 13),
        "incomplete",
    ),
    fault(
        "cut-in-a-title", "network", ("cut without length", "no end tag"), late_cut(BODY.index(b"/p/n3.html") + 30), "incomplete"
    ),
    fault(
        "cut-in-an-attribute",
        "network",
        ("cut without length", "no end tag"),
        late_cut(BODY.index(b"/p/n1.html") + 5),
        "incomplete",
    ),
    fault(
        "cut-in-a-letter",
        "network",
        ("cut without length", "no end tag"),
        late_cut(BODY.index("项工作".encode(), HALF) + 1),
        "incomplete",
    ),
    fault(
        "cut-before-the-first-row", "network", ("cut without length", "rows missing"), late_cut(BODY.index(b"<li>")), "incomplete"
    ),
    calm(
        "a-site-that-never-writes-the-end",
        "network",
        ("cut without length", "no end tag"),
        Page(html_list(rows(20), after="<p>一</p>").replace("</body></html>", "").encode()),
        first=Page(html_list(rows(20)).replace("</body></html>", "").encode()),
    ),
    # --- compression
    fault(
        "gzip-cut",
        "network",
        ("compression", "cut"),
        answer(PACKED[: len(PACKED) // 2], HTML, GZIP),
        "damaged",
        "compressed data damaged",
    ),
    fault("gzip-without-its-end", "network", ("compression", "cut"), answer(PACKED[:-8], HTML, GZIP), "damaged", "damaged"),
    fault(
        "gzip-with-a-bad-checksum",
        "network",
        ("compression", "bad checksum"),
        answer(PACKED[:-8] + b"\1\2\3\4" + PACKED[-4:], HTML, GZIP),
        "damaged",
        "compressed data damaged",
    ),
    fault(
        "plain-called-gzip",
        "network",
        ("compression", "mislabelled"),
        answer(BODY, HTML, GZIP),
        "damaged",
        "compressed data damaged",
    ),
    fault("gzip-called-nothing", "network", ("compression", "mislabelled"), answer(PACKED, HTML), "", outcome="failed|unchanged"),
    fault("plain-called-br", "network", ("compression", "mislabelled"), answer(BODY, HTML, "Content-Encoding: br"), ""),
    fault("plain-called-zstd", "network", ("compression", "mislabelled"), answer(BODY, HTML, "Content-Encoding: zstd"), ""),
    fault("unknown-encoding", "network", ("compression", "mislabelled"), answer(PACKED, HTML, "Content-Encoding: lzma"), ""),
    calm(
        "deflate-raw",
        "network",
        ("compression", "mislabelled"),
        answer(zlib.compress(BODY)[2:-4], HTML, "Content-Encoding: deflate"),
    ),
    calm(
        "deflate-zlib", "network", ("compression", "mislabelled"), answer(zlib.compress(BODY), HTML, "Content-Encoding: deflate")
    ),
    fault("gzip-in-gzip", "network", ("compression", "stacked"), stacked(2), "", outcome="failed|unchanged"),
    fault("gzip-twelve-times", "network", ("compression", "stacked"), stacked(12), ""),
    fault(
        "gzip-bomb",
        "network",
        ("compression", "bomb"),
        answer(bomb(100 * MIB), HTML, GZIP),
        "large",
        "larger than 10 MiB",
    ),
    fault(
        "zstd-bomb", "network", ("compression", "bomb"), answer(zstd_bomb(100 * MIB), HTML, "Content-Encoding: zstd"), "", times=3
    ),
    fault(
        "bomb-in-a-bomb",
        "network",
        ("compression", "bomb"),
        answer(gzip.compress(bomb(100 * MIB)), HTML, "Content-Encoding: gzip, gzip"),
        "",
        times=3,
    ),
    # --- flood
    fault(
        "declared-200-MB",
        "network",
        ("flood", "declared 200 MB"),
        hold(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 200000000\r\n\r\n<html>"),
        "large",
        "larger than",
        "max_bytes",
    ),
    fault(
        "endless-body",
        "network",
        ("flood", "endless"),
        endless(FREE, b"<p>" + b"x" * 65000),
        "large",
        "max_bytes",
        times=3,
        sent=24 * MIB,
    ),
    fault(
        "endless-chunks",
        "network",
        ("flood", "endless"),
        endless(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        "large",
        "max_bytes",
        times=3,
        sent=24 * MIB,
    ),
    fault(
        "header-flood",
        "network",
        ("flood", "header flood"),
        endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 500),
        "head",
        sent=4 * MIB,
    ),
    fault(
        "one-endless-header",
        "network",
        ("flood", "header flood"),
        endless(b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 8192),
        "head",
        sent=4 * MIB,
    ),
    fault(
        "endless-status-line", "network", ("flood", "header flood"), endless(b"HTTP/1.1 200 ", b"O" * 8192), "head", sent=4 * MIB
    ),
    fault(
        "endless-trailers",
        "network",
        ("flood", "header flood"),
        endless(CHUNKED + chunks(BODY)[:-2], b"X-A: b\r\n" * 500),
        "",
        sent=4 * MIB,
    ),
    # --- unreachable
    fault("connection-refused", "network", ("unreachable", "refused"), DOWN, "refused", times=6),
    fault("no-such-name", "network", ("unreachable", "name failure"), good(), "name", host="list.test", resolver="none"),
    fault("name-server-fails", "network", ("unreachable", "name failure"), good(), "name", host="list.test", resolver="again"),
    Case(
        "nothing-can-be-reached",
        "network",
        (("unreachable", "all sources together"),),
        (
            Step(DOWN, why="refused"),
            Step(DOWN, why="refused"),
            Step(DOWN, why="refused", tells=("failing",), text=("offline",)),
            Step(DOWN, why="refused"),
        ),
        both=True,
    ),
)
