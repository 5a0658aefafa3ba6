"""systemd's notification protocol (sd_notify(3)): READY, WATCHDOG, STOPPING, RELOADING to `$NOTIFY_SOCKET`, if there is one."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


def notify(environ: Mapping[str, str], *lines: str) -> bool:
    """Send state lines; whether there was somebody to tell. An abstract socket's name begins with `@`."""
    place = environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return False
    address = "\0" + place[1:] if place.startswith("@") else place
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto("\n".join(lines).encode(), address)
        except OSError:
            return False  # the manager is gone: nothing depends on its hearing
    return True


def reloading(environ: Mapping[str, str]) -> None:
    """A reload begins (Type=notify-reload wants the monotonic time with it)."""
    notify(environ, "RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """How often the manager wants a sign of life: half of its limit; None if it wants none."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    limit = environ.get("WATCHDOG_USEC", "")
    return int(limit) / 2_000_000 if limit.isdigit() and int(limit) > 0 else None
