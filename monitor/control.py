"""How another process asks the running daemon: a Unix socket beside the database (mode 0600), one JSON line each way.

It carries the question and the answer and knows no command: the daemon gives the handlers.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from monitor.errors import MonitorError, StoreError

log = logging.getLogger("monitor")

#: The longest question or answer, in bytes.
LONGEST = 16 * 1024 * 1024
#: The longest path that every system takes for a Unix socket.
LONGEST_PATH = 100

Handler = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def socket_path(database: Path) -> Path:
    """The socket's place: beside the database, or, where that path is too long, in the user's runtime folder."""
    beside = database.with_name(database.name + ".sock")
    if len(os.fsencode(beside)) <= LONGEST_PATH:
        return beside
    import hashlib

    name = hashlib.sha256(os.fsencode(database.absolute())).hexdigest()[:16]
    return Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp") / f"monitor-{os.getuid()}-{name}.sock"  # noqa: S108 - bound with mode 0600


class Server:
    """The daemon's ear. `handlers` maps a command to the function that answers it; a MonitorError becomes an error answer."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self.path = path
        self.handlers = handlers
        path.unlink(missing_ok=True)  # the database's lock is held: nobody else listens here
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            self._socket.bind(str(path))
        except OSError as error:
            self._socket.close()
            raise StoreError(f"{path} cannot be made ({error.strerror}): check the folder's owner and rights") from error
        finally:
            os.umask(before)
        self._socket.listen(8)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                conn, _ = self._socket.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._answer, args=(conn,), name="control-answer", daemon=True).start()

    def _answer(self, conn: socket.socket) -> None:
        with conn, contextlib.suppress(OSError):  # whoever asked may be gone before the answer
            conn.settimeout(10)
            line = _line(conn)
            answer = self._handle(line)
            conn.settimeout(10)
            conn.sendall(json.dumps(answer, ensure_ascii=False).encode() + b"\n")

    def _handle(self, line: bytes) -> Mapping[str, Any]:
        try:
            question = json.loads(line)
            handler = self.handlers[question["command"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return {"error": "this daemon does not know that command: is it an older version?"}
        try:
            return handler(question)
        except MonitorError as error:
            return {"error": str(error)}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.exception("the question %r could not be answered", line[:200])
            return {"error": f"the daemon could not answer: {error!r}; its log has more"}

    def close(self) -> None:
        """Stop listening; the socket's file goes."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(2)
        self.path.unlink(missing_ok=True)


def _line(conn: socket.socket) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        part = conn.recv(65536)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if part.endswith(b"\n") or size > LONGEST:
            return b"".join(parts)


class NoAnswer(MonitorError):
    """The daemon is there and did not answer in time."""


def ask(path: Path, question: Mapping[str, Any], timeout: float = 30.0) -> Mapping[str, Any] | None:
    """The daemon's answer; None where no daemon listens. Raises NoAnswer after `timeout` seconds, MonitorError with its error."""
    conn = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with conn:
        conn.settimeout(timeout)
        try:
            conn.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise NoAnswer(f"{path} cannot be asked ({error.strerror or error})") from error
        try:
            conn.sendall(json.dumps(question, ensure_ascii=False).encode() + b"\n")
            line = _line(conn)
        except TimeoutError as error:
            raise NoAnswer(f"the daemon did not answer within {timeout:g} s; its log says why") from error
        except OSError as error:
            raise NoAnswer(f"the daemon broke off ({error.strerror or error}); its log says why") from error
    if not line:
        raise NoAnswer("the daemon broke off before it answered; its log says why")
    answer = json.loads(line)
    if "error" in answer:
        raise MonitorError(answer["error"])
    return dict(answer)
