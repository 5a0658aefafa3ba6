"""What the hostile site shows where TLS is meant: certificates that are wrong in one way each, and no TLS at all."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.hostile_server import answer

HOST = "127.0.0.1"


@cache
def authority() -> trustme.CA:
    return trustme.CA()


def good() -> ssl.SSLContext:
    return speaking(authority().issue_cert(HOST))


def wrong(name: str, folder: Path) -> ssl.SSLContext | Callable[..., object] | None:
    """The context of a certificate that is wrong in this way; a script for the bare connection; None for silence."""
    long_ago, past = datetime(2019, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
    far, farther = datetime(2048, 1, 1, tzinfo=UTC), datetime(2055, 1, 1, tzinfo=UTC)
    match name:
        case "expired":
            return speaking(authority().issue_cert(HOST, not_before=long_ago, not_after=past))
        case "not-yet":
            return speaking(authority().issue_cert(HOST, not_before=far, not_after=farther))
        case "wrong-name":
            return speaking(authority().issue_cert("www.example.org"))
        case "self-signed":
            return self_signed(folder)
        case "plain":
            return lambda conn: (conn.recv(10), conn.sendall(answer(b"plain", status="400 Bad Request")))
        case "cut":
            return lambda conn: conn.recv(10)
        case _:
            return None


def speaking(cert: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)
    return context


def self_signed(folder: Path, host: str = HOST) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    cert = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "self-signed.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(private + cert.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
