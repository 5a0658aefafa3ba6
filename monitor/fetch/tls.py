"""TLS: whom we trust, and what exactly was wrong with a certificate. It connects only to look at one that has expired."""

from __future__ import annotations

import contextlib
import re
import ssl
import threading
from datetime import UTC, datetime
from functools import cache
from typing import Any

import certifi

from monitor.errors import FetchError
from monitor.fetch import wire

# Results of X509_verify_cert, as OpenSSL numbers them (x509_vfy.h).
_NOT_YET, _EXPIRED, _SELF_SIGNED, _SELF_SIGNED_ROOT, _NO_ISSUER, _NO_FIRST, _WRONG_HOST, _WRONG_ADDRESS = (
    9, 10, 18, 19, 20, 21, 62, 64,
)  # fmt: skip
_VALIDITY = re.compile(rb"(\x17\x0d\d{12}Z|\x18\x0f\d{14}Z)(\x17\x0d\d{12}Z|\x18\x0f\d{14}Z)")
_making = threading.Lock()


def context(verify: bool) -> ssl.SSLContext:
    """How TLS is spoken: one context for all threads, since kept connections belong to it and its roots take long to read.

    Trusted are the system's roots (SSL_CERT_FILE and SSL_CERT_DIR name others) and those of certifi, for systems that have none.
    Without `verify` also old protocols and ciphers are taken: who switches it off has an old server."""
    with _making:
        return _context(verify)


@cache
def _context(verify: bool) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.sslsocket_class = wire.TlsWire
    made.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)  # as browsers do: old appliances know no secure renegotiation
    if verify:
        made.load_default_certs()
        made.load_verify_locations(cafile=certifi.where())
        return made
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    return made


def forget() -> None:
    """Read the roots anew at the next connection."""
    _context.cache_clear()


def failure(error: ssl.SSLError, host: str, peer: tuple[int, Any] | None) -> FetchError:
    """What to tell of a failed handshake. `peer`: family and socket address of the server that was asked, None behind a proxy."""
    call = wire.current()
    if isinstance(error, ssl.SSLCertVerificationError):
        told = _certificate(error, host, peer)
        hint = "; to read it all the same, set verify_tls = false for this source"
        return call.failed(told + hint, "tls", transient=False)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return call.failed("the server closed the connection during the TLS handshake", "handshake")
    reason = (error.reason or "unknown").lower().replace("_", " ")
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"):
        return call.failed("no TLS is spoken at this port; is it an http:// address?", "tls", transient=False)
    return call.failed(f"TLS handshake failed ({reason})", "tls", transient=False)


def _certificate(error: ssl.SSLCertVerificationError, host: str, peer: tuple[int, Any] | None) -> str:
    code = error.verify_code
    if code in (_EXPIRED, _NOT_YET):
        begin, end = _dates(host, peer)
        if code == _EXPIRED:
            return f"certificate expired on {end}" if end else "certificate expired"
        return f"certificate is not valid before {begin}" if begin else "certificate is not valid yet"
    if code in (_WRONG_HOST, _WRONG_ADDRESS):
        return f"certificate is not for {host}"
    if code == _SELF_SIGNED:
        return "certificate is self-signed"
    if code == _SELF_SIGNED_ROOT:
        return "certificate is signed by an unknown root (self-signed)"
    if code in (_NO_ISSUER, _NO_FIRST):
        return "certificate is signed by an unknown issuer, or the server leaves out an intermediate certificate"
    return f"certificate not accepted ({error.verify_message})"


def _dates(host: str, peer: tuple[int, Any] | None) -> tuple[str | None, str | None]:
    """From when until when the server's certificate is valid. The failed handshake did not keep it, so a second one, that
    verifies nothing and sends nothing, asks for it again."""
    if peer is None:
        return None, None
    der = None
    with contextlib.suppress(OSError, FetchError):
        seconds = min(wire.current().remaining(), 3.0)
        sock = wire.dial(*peer, seconds)
        sock.settimeout(seconds)
        with context(False).wrap_socket(sock, server_hostname=host) as other:
            der = other.getpeercert(binary_form=True)
    # The first two times that follow each other are Validity (RFC 5280, section 4.1).
    found = _VALIDITY.search(der or b"")
    return (_day(found[1]), _day(found[2])) if found else (None, None)


def _day(time: bytes) -> str | None:
    """The date of a DER UTCTime or GeneralizedTime, tag and length included. Two digits of a year mean 1950 to 2049."""
    digits = time[2:-1].decode("ascii")
    if len(digits) == 12:
        digits = ("20" if digits[:2] < "50" else "19") + digits
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        return None
