"""A daemon that has read large answers is small again afterwards, whichever of its threads read them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MIB = 1 << 20
#: Sixteen threads, one after the other, let a body grow to 10 MB, take it apart and are done with it; what is held then (bytes).
READ = """
import threading
from concurrent.futures import ThreadPoolExecutor
from monitor.daemon.memory import give_back

def held():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmRSS"))

def read(n):
    body = bytearray()
    while len(body) < (2 << 20) + n * 500_000:
        body += b"x" * 65_536
    parts = [bytes(body), bytes(body).decode(), bytes(body)[::2]]
    kept.append(bytes(1000))

give_back()
kept, barrier = [], threading.Barrier(16)
with ThreadPoolExecutor(16) as pool:
    list(pool.map(lambda _: barrier.wait(), range(16)))
    before = held()
    for n in range(160):
        pool.submit(read, n % 16).result()
    print(held() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says how much a process holds")
def test_what_large_answers_took_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", READ], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 8 * MIB
