"""Which addresses may be connected to: no source, redirect or name server may lead monitor into the network that it stands in.
It judges addresses and connects to none; `wire` asks it before it connects.

Not the Python property `is_global`: its answer differs between Python versions. The tables are those of IANA (IPv4 and IPv6
Special-Purpose Address Registries) and what cloud providers keep at public addresses for their guests.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from monitor.errors import ConfigError, Forbidden

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED_4 = {
    "0.0.0.0/8": "unspecified",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "carrier-internal",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "cloud metadata",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "documentation",
    "192.88.99.0/24": "reserved",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "255.255.255.255/32": "broadcast",
    "240.0.0.0/4": "reserved",
}
_REFUSED_6 = {
    "::/128": "unspecified",
    "::1/128": "loopback",
    "64:ff9b:1::/48": "private",
    "2001::/23": "reserved",
    "2001:db8::/32": "documentation",
    "3fff::/20": "documentation",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "private",
    "ff00::/8": "multicast",
}
#: What a metadata service answers at, inside ranges that are refused anyway: named so that the sentence says so.
_METADATA = frozenset({"169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254"})
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_NETWORKS_4 = tuple((ipaddress.IPv4Network(net), kind) for net, kind in _REFUSED_4.items())
_NETWORKS_6 = tuple((ipaddress.IPv6Network(net), kind) for net, kind in _REFUSED_6.items())
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NUMERIC = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What `allow_private` lets through: networks, and endpoints as (host name or address in lower case, port)."""

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    endpoints: frozenset[tuple[str, int]] = frozenset()


@lru_cache(maxsize=256)
def allowed(items: tuple[str, ...]) -> Allowed:
    """The CIDRs and host:port of a policy, read. Raises ConfigError for one that is neither."""
    networks, endpoints = [], set()
    for item in items:
        try:
            networks.append(ipaddress.ip_network(item.strip().strip("[]"), strict=False))
            continue
        except ValueError:
            host, _, port = item.strip().rpartition(":")
        if not host or not re.fullmatch(r"[0-9]{1,5}", port):
            raise ConfigError(f'allow_private: "{item}" is neither a network ("10.0.0.0/8") nor host:port ("nas.lan:8080")')
        endpoints.add((_plain(host), int(port)))
    return Allowed(tuple(networks), frozenset(endpoints))


def literal(host: str) -> Address | None:
    """The address that a host is written as, in any spelling that a C library takes ("127.1", "0x7f.1", "2130706433"); None for a
    name. Raises Forbidden for a number that is no address: no name ends in a number (WHATWG URL, section 3.5)."""
    bare = _plain(host)
    try:
        return ipaddress.ip_address(bare)
    except ValueError:
        pass
    if not _NUMERIC.fullmatch(bare.rpartition(".")[2]):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(bare))
    except (OSError, UnicodeError, ValueError):
        raise Forbidden(f"{bare} is neither a name nor an address; refused") from None


def check(host: str, port: int, address: Address, allow: Allowed) -> None:
    """Raise Forbidden unless this address may be connected to for the sake of that host."""
    kind = refused(address)
    if kind is None or (_plain(host), port) in allow.endpoints or _in(address, allow):
        return
    shown = str(address)
    leads = shown if _plain(host) == shown else f"{_plain(host)} leads to {shown}"
    article = "an" if kind[0] in "aeiou" else "a"
    raise Forbidden(f'{leads}, {article} {kind} address: refused. If that is meant, add "{shown}" to allow_private')


@lru_cache(maxsize=4096)
def refused(address: Address) -> str | None:
    """What kind of address it is that nobody outside should lead us to ("private", "loopback"); None if it is public. An IPv6
    address that carries an IPv4 one (mapped, compatible, NAT64, 6to4, Teredo) is judged by the one that it carries."""
    if isinstance(address, ipaddress.IPv4Address):
        return _kind(address, _NETWORKS_4)
    if address.scope_id:
        return "link-local"
    inner = _embedded(address)
    if inner:
        return next((kind for kind in map(refused, inner) if kind), None)
    kind = _kind(address, _NETWORKS_6)
    return kind or (None if address in _GLOBAL_6 else "reserved")


def _kind(address: Address, table: tuple[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str], ...]) -> str | None:
    if str(address) in _METADATA:
        return "cloud metadata"
    return next((kind for network, kind in table if address in network), None)


def _embedded(address: ipaddress.IPv6Address) -> tuple[ipaddress.IPv4Address, ...]:
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    low = int(address) & 0xFFFFFFFF
    if address in _NAT64 or (address in _COMPATIBLE and low > 0xFFFF):
        return (ipaddress.IPv4Address(low),)
    return ()


def _in(address: Address, allow: Allowed) -> bool:
    """Whether a network of `allow` holds the address, or all that it carries."""
    inner: tuple[Address, ...] = _embedded(address) if isinstance(address, ipaddress.IPv6Address) else ()
    bare = ipaddress.IPv6Address(int(address)) if isinstance(address, ipaddress.IPv6Address) else address
    if any(bare in network for network in allow.networks):
        return True
    return bool(inner) and all(any(one in network for network in allow.networks) for one in inner)


def _plain(host: str) -> str:
    """A host for comparison: no brackets, no final dot, lower case, full-width digits and dots as plain ones (as IDNA does)."""
    bare = host.strip().strip("[]").removesuffix(".").lower()
    return bare if bare.isascii() else unicodedata.normalize("NFKC", bare).replace("。", ".").removesuffix(".").lower()
