"""Both loops in one process: `loops` holds them, `run` is the daemon around them (ticks, signals, reload, heartbeat)."""

from monitor.daemon.loops import Loops, Round, pause
from monitor.daemon.run import run

__all__ = ["Loops", "Round", "pause", "run"]
