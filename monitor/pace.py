"""Politeness: at most so many requests at once to a host, and a pause between two. In memory; it sends nothing."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class _Host:
    busy: int = 0
    free_at: float = 0.0


class Pace:
    """Whose turn it is, host by host. Seconds are monotonic; `delay` says how long the pause is for a host."""

    def __init__(self, per_host: int, delay: Callable[[str], float], monotonic: Callable[[], float] = time.monotonic) -> None:
        self.per_host = per_host
        self.delay = delay
        self._monotonic = monotonic
        self._hosts: dict[str, _Host] = {}
        self._turn = threading.Condition()

    def ready(self, host: str) -> bool:
        """Whether a request to the host could start now."""
        with self._turn:
            return self._wait(self._hosts.get(host)) <= 0

    def _wait(self, state: _Host | None) -> float:
        """Seconds until the host is free; infinite while too many requests are under way."""
        if state is None:
            return 0.0
        if state.busy >= self.per_host:
            return float("inf")
        return state.free_at - self._monotonic()

    @contextlib.contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """Wait for the host's turn; hold it for one request."""
        with self._turn:
            state = self._hosts.setdefault(host, _Host())
            while (wait := self._wait(state)) > 0:
                self._turn.wait(None if wait == float("inf") else wait)
            state.busy += 1
        try:
            yield
        finally:
            with self._turn:
                state.busy -= 1
                state.free_at = self._monotonic() + self.delay(host)
                self._turn.notify_all()

    def forget(self) -> None:
        """Drop hosts that have been free for a while, so that memory does not grow with every host ever asked."""
        with self._turn:
            now = self._monotonic()
            self._hosts = {host: state for host, state in self._hosts.items() if state.busy or state.free_at > now}
