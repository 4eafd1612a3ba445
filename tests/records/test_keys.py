"""The key ring: what it derives, what it refuses, and that its fast MAC is HMAC-SHA256."""

from __future__ import annotations

import copy
import hashlib
import hmac
import os
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.records import KeyRing

SECRET = bytes(range(40, 72))
RING = KeyRing(secrets={0: SECRET, 7: SECRET[::-1]}, signing_key_id=7)


@given(data=st.binary(max_size=300), purpose=st.text(max_size=20), key_id=st.sampled_from([0, 7]))
def test_mac_is_hmac_sha256_under_the_derived_key(data: bytes, purpose: str, key_id: int) -> None:
    key = hmac.digest(RING.secrets[key_id], b"mailgate/v1/" + purpose.encode(), hashlib.sha256)
    assert RING.derived_key(key_id, purpose) == key
    assert RING.mac(key_id, purpose, data) == hmac.digest(key, data, hashlib.sha256)


def test_mac_can_be_made_again_and_again() -> None:
    assert RING.mac(0, "p", b"data") == RING.mac(0, "p", b"data")
    assert RING.mac(0, "p", b"data") != RING.mac(0, "q", b"data")
    assert RING.mac(0, "p", b"data") != RING.mac(7, "p", b"data")


def test_unknown_key_id_gives_nothing() -> None:
    assert RING.mac(1, "p", b"data") is None
    assert RING.hmac_states(1, "p") is None
    assert RING.derived_key(1, "p") is None


@given(payload=st.binary(max_size=100), mac_bytes=st.integers(8, 32))
def test_seal_and_unseal(payload: bytes, mac_bytes: int) -> None:
    sealed = RING.seal("p", payload, mac_bytes=mac_bytes)
    assert sealed[0] == 7
    assert sealed[1 + mac_bytes :] == payload
    assert RING.unseal("p", sealed, mac_bytes=mac_bytes) == payload
    assert RING.unseal("q", sealed, mac_bytes=mac_bytes) is None


def test_every_flipped_bit_and_every_cut_breaks_the_seal() -> None:
    sealed = RING.seal("p", b"payload")
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        assert RING.unseal("p", bytes(altered)) is None, bit
    for length in range(len(sealed)):
        assert RING.unseal("p", sealed[:length]) is None, length


def test_rotation() -> None:
    old = KeyRing(secrets={0: SECRET}, signing_key_id=0)
    new = KeyRing(secrets={0: SECRET, 1: SECRET[::-1]}, signing_key_id=1)
    retired = KeyRing(secrets={1: SECRET[::-1]}, signing_key_id=1)
    sealed = old.seal("p", b"x")
    assert new.unseal("p", sealed) == b"x"
    assert retired.unseal("p", sealed) is None
    assert new.unseal("p", b"\x01" + sealed[1:]) is None


@pytest.mark.parametrize("used", [False, True])
def test_it_pickles_and_copies_also_after_use(used: bool) -> None:
    ring = KeyRing(secrets={0: SECRET}, signing_key_id=0)
    if used:
        ring.seal("p", b"x")
    for other in (pickle.loads(pickle.dumps(ring)), copy.deepcopy(ring), copy.copy(ring)):
        assert other == ring
        assert other.seal("p", b"x") == ring.seal("p", b"x")
        with pytest.raises(AttributeError):
            other.signing_key_id = 1


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        (b"", "empty"),
        (b"0123456789abcde", "15 bytes"),
        (b"secretsecretsecret", "a placeholder word repeated"),
        (b"changeme-changeme-1", "a placeholder with decoration"),
        (b"default-secret-key", "placeholder words joined"),
        (b"your-secret-key-here", "as manuals write it"),
        (b"Change_Me_Please_1234", "upper case"),
        (b"django-insecure-secret-key-value", "as templates write it"),
        (b"\0" * 32, "one byte repeated"),
        (b"abababababababab", "two bytes repeated"),
        (b"123456789012345678", "digits only count up"),
    ],
)
def test_weak_secrets_are_refused(secret: bytes, why: str) -> None:
    with pytest.raises(ValueError, match="secret of key id 0"):
        KeyRing.of(secret)


def test_random_secrets_are_taken() -> None:
    # Hexadecimal text is made of few letters; none of it may look like a placeholder.
    for number in range(2_000):
        KeyRing.of(hashlib.sha256(number.to_bytes(4, "big")).hexdigest()[:32])


def test_wrong_types_and_ids_are_refused() -> None:
    with pytest.raises(TypeError, match="not bytes"):
        KeyRing(secrets={0: "a text, not bytes, is refused here"}, signing_key_id=0)  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="from 0 to 255"):
        KeyRing(secrets={256: SECRET}, signing_key_id=256)
    with pytest.raises(ValueError, match="signing key id"):
        KeyRing(secrets={0: SECRET}, signing_key_id=1)
    with pytest.raises(ValueError, match="at least one"):
        KeyRing(secrets={}, signing_key_id=0)


def test_secrets_do_not_show() -> None:
    ring = KeyRing.of(os.urandom(32).hex())
    ring.seal("p", b"x")
    assert next(iter(ring.secrets.values())).decode() not in repr(ring)
    assert repr(ring) == "KeyRing(key_ids=[0], signing_key_id=0)"
