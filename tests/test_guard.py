"""The guard: nothing that a source, a redirect or a name server says leads monitor into the network that it stands in."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ConfigError, Forbidden
from monitor.fetch import close, fetch, guard
from monitor.model import Fetched, FetchPolicy, Request
from tests.hostile_server import Server, answer

OPEN = FetchPolicy(deadline=5, allow_private=("127.0.0.0/8",))
SHUT = FetchPolicy(deadline=5)

REFUSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::2", "fc00::1", "fd00:ec2::254", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
    "2001:db8::1", "3fff::1", "2001:10::1", "2001:2::1", "100::1", "5f00::1", "64:ff9b:1::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1", "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:c0a8:101::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:0:a00:1::",
]  # fmt: skip
ACCEPTED = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.0", "114.114.114.114", "172.15.255.255",
    "172.32.0.1", "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.5.5.5", "223.255.255.255",
    "2400:3200::1", "2606:4700::1111", "2a00::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
    "2001:0:808:808:8000:63bf:f7f7:f7f7",
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_refused_addresses(address: str) -> None:
    assert guard.refused(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ACCEPTED)
def test_public_addresses(address: str) -> None:
    assert guard.refused(ipaddress.ip_address(address)) is None


@given(st.ip_addresses())
def test_what_python_calls_private_is_refused(address: Any) -> None:
    inner = guard._embedded(address) if address.version == 6 else ()
    if not inner and (address.is_private or address.is_loopback or address.is_link_local or address.is_multicast):
        assert guard.refused(address)


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0", "64:ff9b::", "::"]))
def test_an_address_that_carries_another_is_judged_by_it(inner: ipaddress.IPv4Address, prefix: str) -> None:
    outer = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(inner))
    assert bool(guard.refused(outer)) == bool(guard.refused(inner))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0X7F.0.0.1", "0177.0.0.1",
        "017700000001",
        "[::1]", "::1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "0", "0.0.0.0", "１２７.0.0.1", "127。0。0。1",
        "①②⑦.0.0.1", "127.0.0.１", "[64:ff9b::7f00:1]",
    ],
)  # fmt: skip
def test_every_spelling_of_this_machine_is_refused(host: str) -> None:
    address = guard.literal(host)
    assert address is not None
    with pytest.raises(Forbidden, match="refused"):
        guard.check(host, 80, address, guard.allowed(()))


@pytest.mark.parametrize("host", ["1.2.3.4.5", "256.1.1.1", "0x.0x.1.1.1", "example.123", "127.0.0.08"])
def test_a_number_that_is_no_address_is_refused(host: str) -> None:
    with pytest.raises(Forbidden, match="neither a name nor an address"):
        guard.literal(host)


@pytest.mark.parametrize("host", ["example.org", "a1", "1a", "10.example", "xn--fiqs8s", "localhost", "0x7g"])
def test_a_name_is_no_address(host: str) -> None:
    assert guard.literal(host) is None


@pytest.mark.parametrize(
    ("items", "host", "port", "address", "through"),
    [
        (("127.0.0.0/8",), "a", 80, "127.0.0.1", True),
        (("127.0.0.0/8",), "a", 80, "::ffff:127.0.0.1", True),
        (("127.0.0.0/8",), "a", 80, "10.0.0.1", False),
        (("127.0.0.1",), "a", 80, "127.0.0.1", True),
        (("127.0.0.1",), "a", 80, "127.0.0.2", False),
        (("fd00::/8",), "a", 80, "fd00::5", True),
        (("::1",), "a", 80, "::1", True),
        (("nas.lan:8080",), "NAS.lan.", 8080, "192.168.1.5", True),
        (("nas.lan:8080",), "nas.lan", 80, "192.168.1.5", False),
        (("nas.lan:8080",), "other.lan", 8080, "192.168.1.5", False),
        (("[::1]:9000",), "::1", 9000, "::1", True),
        (("192.168.1.7/24",), "a", 80, "192.168.1.5", True),
    ],
)
def test_allow_private_lets_through_what_it_names_and_no_more(
    items: tuple[str, ...], host: str, port: int, address: str, through: bool
) -> None:
    allow = guard.allowed(items)
    if through:
        guard.check(host, port, ipaddress.ip_address(address), allow)
    else:
        with pytest.raises(Forbidden):
            guard.check(host, port, ipaddress.ip_address(address), allow)


@pytest.mark.parametrize("item", ["", "nas.lan", "nas.lan:http", ":80", "10.0.0.0/33"])
def test_an_entry_that_is_neither_network_nor_endpoint_is_told(item: str) -> None:
    with pytest.raises(ConfigError, match="allow_private"):
        guard.allowed((item,))


class Canary:
    """Listens on every local address and counts who comes."""

    def __init__(self) -> None:
        self.hits = 0
        self._listener = socket.create_server(("0.0.0.0", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self) -> None:
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            self.hits += 1
            conn.close()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def canary() -> Iterator[Canary]:
    one = Canary()
    yield one
    one.stop()
    close()


def names(*addresses: str) -> Any:
    """A name server that gives these addresses for every name."""

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        kinds = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [(kinds[ipaddress.ip_address(a).version], socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    return resolve


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "127.0.0.1.", "0", "0.0.0.0",
     "１２７.0.0.1", "localhost", "127。0。0。1", "user:pw@127.0.0.1", "[::ffff:7f00:1]", "①②⑦.0.0.1"],
)  # fmt: skip
def test_no_spelling_of_a_source_reaches_the_canary(canary: Canary, host: str) -> None:
    with pytest.raises(Forbidden):
        fetch(Request(f"http://{host}:{canary.port}/"), SHUT)
    assert canary.hits == 0


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("::ffff:127.0.0.1",), ("169.254.169.254",)])
def test_a_name_that_leads_inside_is_refused_even_if_it_also_leads_outside(canary: Canary, addresses: tuple[str, ...]) -> None:
    with pytest.raises(Forbidden, match=r"shiny\.example leads to"):
        fetch(Request(f"http://shiny.example:{canary.port}/"), SHUT, resolve=names(*addresses))
    assert canary.hits == 0


@pytest.mark.parametrize(
    "target",
    ["http://10.0.0.1:{port}/", "//2130706433:{port}/", "http://0x7f.2:{port}/x", "http://[::ffff:7f00:2]:{port}/",
     "http://127.0.0.2.:{port}/", "https://127.0.0.2:{port}/", "file:///etc/passwd", "ftp://127.0.0.2/", "javascript:alert(1)",
     "gopher://127.0.0.2:{port}/_", "data:text/html,x", "http://１２７.0.0.2:{port}/", "http://a@127.0.0.2:{port}/"],
)  # fmt: skip
def test_no_redirect_reaches_the_canary(canary: Canary, target: str) -> None:
    location = target.format(port=canary.port).encode().decode("latin-1")
    with Server(answer(b"", f"Location: {location}", status="302 Found")) as server:
        only = FetchPolicy(deadline=5, allow_private=(f"127.0.0.1:{server.port}",))
        with pytest.raises(Forbidden, match="refused"):
            fetch(Request(server.url), only)
    assert canary.hits == 0


def test_the_name_is_looked_up_once_and_the_checked_address_is_connected_to() -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1" if len(asked) == 1 else "10.9.9.9", port))]

    with Server(answer(b"<html>")) as server:
        got = fetch(Request(f"http://rebind.example:{server.port}/"), OPEN, resolve=rebinding)
        assert isinstance(got, Fetched)
        assert server.field("host") == f"rebind.example:{server.port}"
    close()
    assert asked == ["rebind.example"]


def test_the_next_address_is_tried_when_the_first_refuses() -> None:
    with Server(answer(b"<html>")) as server:
        got = fetch(Request(f"http://two.example:{server.port}/"), OPEN, resolve=names("127.9.9.9", "127.0.0.1"))
        assert isinstance(got, Fetched)
    close()


def test_a_kept_connection_of_a_source_that_may_is_not_lent_to_one_that_may_not() -> None:
    with Server(answer(b"<html>")) as server:
        fetch(Request(server.url), OPEN)
        with pytest.raises(Forbidden):
            fetch(Request(server.url), SHUT)
        by_name = f"http://inside.example:{server.port}/"
        fetch(Request(by_name), OPEN, resolve=names("127.0.0.1"))
        with pytest.raises(Forbidden):
            fetch(Request(by_name), SHUT, resolve=names("127.0.0.1"))
        assert len(server.heads) == 2
    close()


def test_through_a_proxy_what_resolves_inside_is_refused_and_what_does_not_resolve_is_the_proxys() -> None:
    with Server(answer(b"<html>")) as proxy:
        policy = FetchPolicy(deadline=5, proxy=f"http://127.0.0.1:{proxy.port}")
        for url, resolve in (("http://10.0.0.1/", names()), ("http://inside.example/", names("192.168.1.1"))):
            with pytest.raises(Forbidden):
                fetch(Request(url), policy, resolve=resolve)
        assert proxy.connections == 0

        def unknown(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")

        assert isinstance(fetch(Request("http://elsewhere.example/"), policy, resolve=unknown), Fetched)
    close()
