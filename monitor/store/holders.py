"""Whose a file is: who holds a lock on it, to whom it belongs. For sentences to people; it changes nothing."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def locked_by(database: Path) -> int | None:
    """The pid of another process that holds a lock of SQLite's on a database; None where the system does not tell."""
    numbers = set()
    for file in (database, database.with_name(database.name + "-shm")):
        with contextlib.suppress(OSError):
            numbers.add(str(file.stat().st_ino))
    try:
        lines = Path("/proc/locks").read_text("ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        fields = line.split()
        if len(fields) < 8 or fields[1] != "POSIX" or fields[3] != "WRITE":
            continue  # "1: POSIX ADVISORY WRITE 1234 08:01:5678 120 120"
        pid, inode = int(fields[4]), fields[5].rpartition(":")[2]
        if inode in numbers and pid not in (os.getpid(), -1) and _has_open(pid, database):
            return pid
    return None


def _has_open(pid: int, database: Path) -> bool:
    """Whether it has the file open: the number of a file is told without its disk."""
    wanted = os.path.realpath(database)
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(link.readlink()).startswith(wanted):
                    return True
    return False


def rights(path: Path) -> str:
    """To whom the nearest thing that is there belongs, its mode, and as whom this process runs."""
    there = next((place for place in (path, *path.parents) if place.exists()), Path("/"))
    found = there.stat()
    whose, mine = _name(found.st_uid), _name(os.geteuid())
    sealed = "; its file system is read-only" if read_only(there) else ""
    return f"{there} belongs to {whose}, mode {stat.S_IMODE(found.st_mode):04o}; monitor runs as {mine}{sealed}"


def read_only(path: Path) -> bool:
    """Whether nobody can write there, whatever the rights: the file system is mounted so."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
