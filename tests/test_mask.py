"""A secret is masked however it is written, and nothing else is."""

from __future__ import annotations

import base64
import html
import json
import quopri
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.mask import MASK, Mask

SECRETS = ["kanari-7f3a9c21", "pä ss+=&/4f9a", 'he said "yes" <b>', "密钥密钥密钥", "user@example.org:p%40ss", "back\\slash-0x9"]
FORMS = {
    "as it is": lambda s: s,
    "percent-encoded": lambda s: quote(s, safe=""),
    "percent-encoded, small": lambda s: re.sub("%..", lambda octet: octet[0].lower(), quote(s, safe="")),
    "as a form": quote_plus,
    "in JSON": lambda s: json.dumps({"k": s}),
    "in JSON, Chinese as it is": lambda s: json.dumps({"k": s}, ensure_ascii=False),
    "in HTML": html.escape,
    "as bytes of Python": lambda s: repr(s.encode()),
    "in a mail": lambda s: quopri.encodestring(s.encode()).decode(),
    "bytes read as Latin-1": lambda s: s.encode().decode("latin-1"),
    "a login in base64": lambda s: base64.b64encode(f"user:{s}".encode()).decode(),
    "AUTH PLAIN": lambda s: base64.b64encode(f"\0user\0{s}".encode()).decode(),
    "base64 of addresses": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_masked_however_it_is_written(secret: str, form: str) -> None:
    written = FORMS[form](secret)
    shown = Mask([secret])(f"before {written} after")
    assert written not in shown
    assert MASK in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@given(st.text(min_size=6, max_size=40).filter(lambda s: "%" not in s), st.binary(max_size=9), st.binary(max_size=9))
def test_no_place_inside_base64_hides_a_secret(secret: str, before: bytes, after: bytes) -> None:
    octets = secret.encode("utf-8", "replace")
    written = base64.b64encode(before + octets + after).decode()
    assert Mask([octets.decode()])(written) == MASK


@given(st.text(max_size=200))
def test_what_holds_no_secret_stays(text: str) -> None:
    assert Mask(["kanari-7f3a9c21", "abc"])(text) == text


def test_what_is_too_short_to_be_a_secret_masks_nothing() -> None:
    assert Mask(["", "a", "abc"])("abc a") == "abc a"


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Mask(["token", "token-and-more"])("token-and-more, token") == f"{MASK}, {MASK}"
