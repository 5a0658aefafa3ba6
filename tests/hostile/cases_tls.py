"""Cases of certificates. `tls` names what the server shows during the fault: see `play.py`."""

from __future__ import annotations

from tests.hostile.table import Case, Step, calm, fault, good

WORD = {
    "expired": ("certificate expired on", "2020"),
    "not-yet": ("certificate",),
    "self-signed": ("certificate",),
    "wrong-name": ("certificate",),
}

CASES: tuple[Case, ...] = (
    fault(
        "certificate-expired",
        "tls",
        ("tls", "expired"),
        good(),
        "certificate",
        *WORD["expired"],
        times=3,
        at_once=True,
        tls="expired",
    ),
    fault(
        "certificate-not-yet-valid",
        "tls",
        ("tls", "expired"),
        good(),
        "certificate",
        "certificate",
        times=2,
        at_once=True,
        tls="not-yet",
    ),
    fault(
        "certificate-self-signed",
        "tls",
        ("tls", "self-signed"),
        good(),
        "certificate",
        "certificate",
        times=2,
        at_once=True,
        tls="self-signed",
    ),
    fault(
        "certificate-of-another-name",
        "tls",
        ("tls", "wrong name"),
        good(),
        "certificate",
        "certificate",
        times=2,
        at_once=True,
        tls="wrong-name",
    ),
    fault("handshake-hangs", "tls", ("tls", "hang"), good(), "slow", "no full answer within 1 s", times=1, tls="hang"),
    fault("handshake-cut", "tls", ("tls", "hang"), good(), "handshake", times=4, tls="cut"),
    fault("plain-where-tls-is-meant", "tls", ("tls", "plain"), good(), "certificate", times=2, at_once=True, tls="plain"),
    calm(
        "not-verified-by-wish", "tls", ("tls", "not verified by wish"), good(), tls="self-signed", options="verify_tls = false\n"
    ),
    Case(
        "from-a-wrong-certificate-to-the-next",
        "tls",
        (("tls", "self-signed"),),
        (
            Step(good(), "failed", "certificate", tells=("failing",)),
            Step(good(), "failed", "certificate"),
            Step(good(), "failed", "certificate"),
            Step(good(), "failed", "certificate"),
        ),
        tls="self-signed",
    ),
)
