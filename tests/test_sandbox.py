"""The sandbox: work that is too slow, too large or deadly costs one ParseError; the next work is done as if nothing was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psutil
import pytest

from monitor import look, sandbox
from monitor.errors import ParseError
from monitor.model import Fetched, Purpose, ReadPolicy, Request, Source, Validators
from monitor.readers import read


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    sandbox.close()


def fetched(body: bytes, media_type: str = "text/html", purpose: Purpose = Purpose.DOCUMENT) -> Fetched:
    request = Request("https://www.example.org/a.html", purpose)
    return Fetched(request, 200, request.url, body, media_type, "utf-8", Validators(), datetime(2026, 1, 1, tzinfo=UTC))


def deep(depth: int) -> int:
    return 1 + deep(depth - 1) if depth else 0


def fill(size: int) -> int:
    return len(bytes(size))


def die() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def chatter() -> str:
    print("x" * 1_000_000)
    sys.stderr.write("y" * 1_000_000)
    return "done"


def stumble() -> None:
    raise ZeroDivisionError("on page 3")


def spin() -> None:
    while True:
        pass


@pytest.mark.parametrize(
    ("work", "arguments", "reason", "sentence"),
    [
        pytest.param(time.sleep, (30,), "too slow", "within 0.5 s", id="sleeps"),
        pytest.param(spin, (), "too slow", "within 0.5 s", id="spins"),
        pytest.param(fill, (200_000_000,), "too large", "64 MiB", id="wants much memory"),
        pytest.param(deep, (100_000,), "too deep", "nested", id="recurses"),
        pytest.param(die, (), "crashed", "broke down", id="dies"),
        pytest.param(stumble, (), "crashed", "ZeroDivisionError: on page 3", id="fails as nobody foresaw"),
    ],
)
def test_what_breaks_a_limit_is_one_error_and_the_next_work_is_done(
    work: Callable[..., object], arguments: tuple[object, ...], reason: str, sentence: str
) -> None:
    started = time.monotonic()
    with pytest.raises(ParseError, match=sentence) as caught:
        sandbox.run(work, *arguments, seconds=0.5 if reason == "too slow" else 20, memory=64 << 20)
    assert caught.value.reason == reason
    assert time.monotonic() - started < 20
    assert sandbox.run(len, b"abc", seconds=20) == 3


def test_what_goes_in_and_comes_out_is_the_same_as_without() -> None:
    got = fetched(b"<html><body><h1>T</h1><p>" + "正文很长。".encode() * 200 + b"</p></body></html>")
    assert sandbox.run(read, got, ReadPolicy(), seconds=20) == read(got, ReadPolicy())
    with pytest.raises(ParseError) as there:
        sandbox.run(read, fetched(b"%PDF", "application/pdf"), ReadPolicy(), seconds=20)
    with pytest.raises(ParseError) as here:
        read(fetched(b"%PDF", "application/pdf"), ReadPolicy())
    assert (str(there.value), there.value.reason, there.value.hint) == (str(here.value), here.value.reason, here.value.hint)


def test_large_input_and_output_pass_and_prints_do_not_disturb() -> None:
    body = os.urandom(5_000_000)
    assert sandbox.run(bytes, body, seconds=20) == body
    assert sandbox.run(chatter, seconds=20) == "done"


def test_at_most_so_many_children_work_at_once_and_idle_ones_end() -> None:
    threads = [threading.Thread(target=sandbox.run, args=(fill, 1000), kwargs={"seconds": 20}) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    children = [child for child in psutil.Process().children() if "monitor.sandbox" in " ".join(child.cmdline())]
    assert 1 <= len(children) <= sandbox.CHILDREN
    sandbox.tidy(time.monotonic() + sandbox.IDLE + 1)
    assert not any(child.is_running() for child in children)


def test_a_child_ends_with_its_parent() -> None:
    script = "import os\nfrom monitor import sandbox\nprint(sandbox.run(os.getpid, seconds=20), flush=True)\nos._exit(9)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    child = int(out.stdout)
    assert not psutil.pid_exists(child) or psutil.Process(child).wait(10) is None


def test_a_heavy_answer_is_parsed_in_a_child_and_a_light_one_here(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    real = sandbox.run
    monkeypatch.setattr(look.sandbox, "run", lambda work, *given, **limits: asked.append(limits) or real(work, *given, **limits))
    source = Source("a", "list", "https://www.example.org/", follow=True)

    def article(count: int) -> bytes:
        return b"<html><body><article>" + "<p>正文。</p>".encode() * count + b"</article></body></html>"

    light, heavy = fetched(article(20)), fetched(article(26_000))
    assert look._worked_out(source, light, 30) == look._document(source, light)
    assert asked == []
    assert look._worked_out(source, heavy, 30) == look._document(source, heavy)
    assert asked == [{"seconds": 5.0}]
