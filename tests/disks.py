"""Small file systems of a test's own, and how to fill them."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MIB = 1024 * 1024
BLOCK = 4096


@contextmanager
def small_disk(place: Path, size: int = 160) -> Iterator[Path]:
    """A file system of so many MiB at `place`; the test is skipped where nobody may mount one."""
    place.mkdir()
    options = f"size={size}m"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def remount(place: Path, options: str) -> None:
    """Change a mounted file system: "ro", "rw"."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def free(place: Path) -> int:
    """Bytes that are free."""
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


def fill(place: Path, leave: int) -> Path:
    """A file that leaves so many bytes free of those that are free now. Others may write to the disk meanwhile; what they give
    back is left to them."""
    ballast = place / "ballast"
    ballast.unlink(missing_ok=True)
    wanted = free(place) - leave
    size, part = 0, wanted
    with ballast.open("wb") as out:
        while part >= BLOCK:
            try:
                os.posix_fallocate(out.fileno(), size, part)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                part //= 2  # somebody was faster, and has taken some of it
            else:
                size += part
                part = min(part, wanted - size, free(place) - leave)
    return ballast
