"""Named programs that read what no library here does (antiword, catdoc, LibreOffice, tesseract), under the sandbox's limits.

A program sees one file in a folder of its own, nothing of our environment, and no input. It is no part of monitor: where it is
not installed, that is an answer.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from monitor import sandbox
from monitor.errors import ParseError
from monitor.sandbox import WORK, Pool

#: Bytes that are taken of what a program gives.
MOST = 64 << 20


@cache
def have(name: str) -> bool:
    """Whether the program is installed; asked once in the life of a process."""
    return which(name) is not None


def output(
    name: str,
    arguments: Sequence[str],
    data: bytes,
    *,
    seconds: float,
    memory: int,
    suffix: str = "",
    made: str | None = None,
    pool: Pool = WORK,
) -> bytes | None:
    """What a program prints, or writes as the file `made`, of `data`; None where it fails. In `arguments`, {file} stands for the
    file with the data and {folder} for the folder it is in."""
    found = which(name)
    if found is None:
        return None
    with TemporaryDirectory(prefix="monitor-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / f"file{suffix}"
        file.write_bytes(data)
        argv = [found, *(one.format(file=file, folder=folder) for one in arguments)]
        try:
            return sandbox.run(_run, argv, folder, made, seconds=seconds, memory=memory, pool=pool, patient=True)
        except ParseError:
            return None


def _run(argv: Sequence[str], folder: str, made: str | None) -> bytes | None:
    """In the child: run the program, whose limits are those of the child. At the end of its time the child is killed with it and
    all that it started, so that nothing runs on."""
    printed = Path(folder) / "printed"
    with printed.open("wb") as out:
        try:
            done = subprocess.run(  # noqa: S603 - a program that is installed, with arguments of our own
                argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={
                    "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
                    "LANG": "C.UTF-8",
                    "HOME": folder,
                    "OMP_THREAD_LIMIT": "1",
                },
                check=False,
            )
        except OSError:
            return None
    result = Path(folder) / made if made else printed
    if done.returncode != 0 or not result.is_file() or result.stat().st_size > MOST:
        return None
    return result.read_bytes()
