"""Requests over our own sockets: a requests adapter whose connections ask the guard, keep to the running call and say precisely
what failed. It sends one request and hands back the answer unread; redirects, status and body are not its business.

A kept connection may have been opened for another source: the guard is asked again before it is used.
"""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from monitor.errors import FetchError, SourceError, TooLarge
from monitor.fetch import guard, tls, wire

#: A connection kept longer is not used again: firewalls forget it without a word, and the request would hang.
KEPT = 30.0
_HOSTS = 8  # hosts to which one thread keeps a connection

# urllib3 logs whole addresses; a source's may hold a key. What it has to say comes as an error, too.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class _Final(http.client.HTTPResponse):
    """The final answer: interim ones (RFC 9110, section 15.2; the library passes over 100 alone) may come before any."""

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200 and self.status != 101:
            self.headers = self.msg = None  # type: ignore[assignment]  # as before any answer; the library's sign to read on
            super().begin()


class _Guarded(HTTPConnection):
    """A connection over a Wire, to an address that the guard let through."""

    response_class = _Final
    address: guard.Address | None = None
    used = 0.0

    def _new_conn(self) -> wire.Wire:
        direct = self.proxy is None
        sock, address = wire.connect(self._dns_host, self.port, guarded=direct)
        self.address = address if direct else None
        return sock

    @property
    def is_connected(self) -> bool:
        return time.monotonic() - self.used < KEPT and super().is_connected

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None and self.address is not None:
            guard.check(self._dns_host, self.port, self.address, wire.current().allow)
        self.used = time.monotonic()
        super().request(*args, **kwargs)


class _Secure(_Guarded, HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except TimeoutError:
            raise wire.current().timed_out() from None
        except ssl.SSLError as error:
            raise tls.failure(error, self._tunnel_host or self.host, self._peer()) from None
        except ConnectionError:
            raise wire.current().failed("the server closed the connection during the TLS handshake", "handshake") from None
        except OSError as error:
            raise _proxy_refused(error) from None

    def _peer(self) -> tuple[int, Any] | None:
        if self.address is None:
            return None
        family = socket.AF_INET if self.address.version == 4 else socket.AF_INET6
        return family, (str(self.address), self.port)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Guarded


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure

    def _validate_conn(self, conn: Any) -> None:
        """Connect early, as urllib3 does, without its warning at each request: the user asked for it."""
        if conn.is_closed:
            conn.connect()


_BAD_ADDRESS = (UnicodeError, requests.exceptions.InvalidURL, urllib3.exceptions.LocationValueError)
_POOLS = {"http": _PlainPool, "https": _SecurePool}


class Adapter(HTTPAdapter):
    """Kept connections of one thread. No retries, nothing from the environment."""

    def __init__(self) -> None:
        super().__init__(pool_connections=_HOSTS, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, proxy_ssl_context=tls.context(True), **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def build_connection_pool_key_attributes(self, request: requests.PreparedRequest, verify: Any, cert: Any = None) -> Any:
        place, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        if place["scheme"] == "http":
            return place, {}
        return place, {"ssl_context": tls.context(bool(verify)), "cert_reqs": "CERT_REQUIRED" if verify else "CERT_NONE"}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing: the context has its roots, and loading them anew for each connection would cost more than the request."""


_kept = threading.local()


def close() -> None:
    """Close the connections that this thread keeps."""
    adapter: Adapter | None = getattr(_kept, "adapter", None)
    if adapter:
        adapter.close()
        del _kept.adapter


def send(prepared: requests.PreparedRequest, *, verify: bool, proxies: Mapping[str, str]) -> requests.Response:
    """One request, its answer's headers read and its body not. Where a kept connection turns out to have been closed before
    anything of an answer came, a GET is sent once more on a new one. Raises FetchError, TooLarge, Forbidden."""
    adapter: Adapter | None = getattr(_kept, "adapter", None)
    if adapter is None:
        adapter = _kept.adapter = Adapter()
    call = wire.current()
    for last in (False, True):
        try:
            return adapter.send(prepared, stream=True, timeout=call.remaining(), verify=verify, proxies=dict(proxies))
        except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            if call.fresh or call.received or last or prepared.method not in ("GET", "HEAD"):
                raise _translated(error) from None
    raise AssertionError("the second try returns or raises")


def _proxy_refused(error: OSError) -> FetchError:
    return wire.current().failed(f"the proxy did not open a way to it ({error})", "proxy")


def _translated(error: BaseException) -> SourceError:
    """A library's error in our words. Its own text is not used: it holds the whole address."""
    call = wire.current()
    causes = list(_causes(error))
    if any(isinstance(one, TimeoutError | urllib3.exceptions.TimeoutError) for one in causes):
        return call.timed_out()
    if any(isinstance(one, ConnectionError | ssl.SSLError) for one in causes):
        return call.failed("the server closed the connection before it answered", "truncated")
    if any(type(one) is http.client.HTTPException or isinstance(one, http.client.LineTooLong) for one in causes):
        return TooLarge(f"{call.host}: more headers, or longer ones, than any answer needs")
    if any(isinstance(one, http.client.HTTPException | urllib3.exceptions.InvalidHeader) for one in causes):
        return call.failed("what came is not an HTTP answer", "protocol")
    if any(isinstance(one, _BAD_ADDRESS) for one in causes):
        return call.failed("not a possible address", "bad address", transient=False)
    return call.failed(f"no answer ({type(causes[-1]).__name__})", "connect")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it was made from."""
    yield error
    inner = [*error.args, getattr(error, "reason", None), error.__cause__]
    for one in inner:
        if isinstance(one, BaseException) and one is not error:
            yield from _causes(one)
