"""A long run of a real daemon: 200 sources, 100,000 checks, a tenth of which meet a fault; memory, files, threads, lateness.

    python -m benchmarks.soak                                             # about twenty minutes
    python -m benchmarks.soak --checks 1500 --sources 100 --every 1       # the quick form, forty seconds

It ends with code 1 where memory grows by more than 1 MiB in 100,000 checks, files or threads grow, or a check is late by more
than 2 s. Under 50,000 checks, memory may grow by 8 MiB after the first half, and one check of a hundred may be later.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.farm import Daemon, Farm, Sites, config, share, until

#: The limits: MiB a 100,000 checks, MiB in the quick form, seconds.
SLOPE, GROWTH, LATE = 1.0, 8.0, 2.0
#: Fewer checks than this say nothing of a slope.
ENOUGH = 50_000
Sample = tuple[int, float, int, int]


def slope(samples: list[Sample]) -> float:
    """MiB that memory grows in 100,000 checks, by least squares."""
    checks, sizes = [float(sample[0]) for sample in samples], [sample[1] for sample in samples]
    return statistics.linear_regression(checks, sizes).slope * 100_000


def watch(daemon: Daemon, sites: Sites, checks: int, warm: int) -> tuple[list[Sample], list[float], dict[str, int]]:
    """Samples after `warm` checks until `checks`, how late each check was meanwhile, and what happened."""
    samples: list[Sample] = []
    late: list[float] = []
    counts: dict[str, int] = {}
    time.sleep(3)  # what the first looks of so many sources held up is over
    sites.ask("measure")
    said = time.monotonic()
    while counts.get("checks", 0) < checks:
        time.sleep(1)
        if daemon.process.poll() is not None:
            raise SystemExit(f"the daemon ended: {daemon.log.read_text()[-2000:]}")
        counts, fresh = sites.ask()
        late += fresh
        if counts["checks"] >= warm:
            samples.append((counts["checks"], *daemon.sample()))
        if time.monotonic() - said > 60:
            said = time.monotonic()
            print(f"  {counts['checks']:,} checks, {daemon.sample()[0]:.1f} MiB, late {max(late, default=0):.2f} s", flush=True)
    return samples, late, counts


def judge(samples: list[Sample], late: list[float], checks: int) -> list[str]:
    """What was not kept."""
    broken = []
    quarter = max(1, len(samples) // 4)
    first, last = samples[:quarter], samples[-quarter:]
    rss, files, threads = [(statistics.mean(s[n] for s in first), statistics.mean(s[n] for s in last)) for n in (1, 2, 3)]
    growth = slope(samples)
    print(f"memory             {rss[0]:8.1f} MiB at first, {rss[1]:.1f} MiB at last, {growth:+.2f} MiB a 100,000 checks")
    print(f"open files         {files[0]:8.1f} at first, {files[1]:.1f} at last, {max(s[2] for s in samples)} at most")
    print(f"threads            {threads[0]:8.1f} at first, {threads[1]:.1f} at last, {max(s[3] for s in samples)} at most")
    print(f"late               {share(late, 0.5):8.2f} s (median), {share(late, 0.99):.2f} s (99 %), {max(late):.2f} s (most)")
    if checks >= ENOUGH and growth > SLOPE:
        broken.append(f"memory grows by {growth:.2f} MiB in 100,000 checks, more than {SLOPE}")
    if checks < ENOUGH and rss[1] - rss[0] > GROWTH:
        broken.append(f"memory grew by {rss[1] - rss[0]:.1f} MiB, more than {GROWTH}")
    if files[1] > files[0] + 5:
        broken.append("open files grow")
    if threads[1] > threads[0] + 3:
        broken.append("threads grow")
    if (max(late) if checks >= ENOUGH else share(late, 0.99)) > LATE:
        broken.append(
            f"{sum(one > LATE for one in late)} checks were late by more than {LATE:g} s, the most by {max(late):.2f} s"
        )
    return broken


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--checks", type=int, default=100_000)
    asked.add_argument("--sources", type=int, default=200)
    asked.add_argument("--every", type=int, default=2, help="seconds between two checks of a source")
    given = asked.parse_args()
    sites = Sites(Farm(given.every, faults=0.1, news=0.005))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        daemon = Daemon(config(Path(folder), sites.port, given.sources, f"{given.every}s"))
        try:
            until(lambda: sites.ask()[0]["again"] >= given.sources, 180, "every source was checked twice")
            warm = given.checks // 5 if given.checks >= ENOUGH else given.checks // 2
            samples, late, counts = watch(daemon, sites, given.checks, warm)
            code = daemon.stop()
        finally:
            daemon.process.kill()
            sites.close()
        said = daemon.log.read_text()
    took = time.monotonic() - began
    print(f"{counts['checks']:,} checks in {took:.0f} s, {counts['faults']:,} met a fault; load average {os.getloadavg()[1]:.1f}")
    print(f"{counts['news']:,} new notices, {counts['messages']:,} messages")
    broken = judge(samples, late, given.checks)
    if code != 0 or "Traceback" in said:
        broken.append(f"the daemon ended with code {code}: {said[-500:]}")
    for one in broken:
        print(f"NOT KEPT: {one}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
