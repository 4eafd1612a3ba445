"""Tokens: what goes in comes out, and nothing else is ever read."""

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.records import KeyRing
from mailgate.unsubscribe import Subscription, UnsubscribeSigner
from tests.unsubscribe.wsgi import ANN, KEYS, SIGNER, TOKEN

OTHER = KeyRing.of(b"another-house-9182736455463728")
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(recipient=TEXTS, tenant=st.one_of(st.just(""), TEXTS), stream=st.none() | TEXTS, ref=st.none() | TEXTS)
def test_what_was_sealed_is_read(recipient: str, tenant: str, stream: str | None, ref: str | None) -> None:
    for subscription in (
        Subscription(recipient=recipient, tenant=tenant, stream=stream, ref=ref),
        Subscription(recipient_id=recipient, tenant=tenant, stream=stream, ref=ref),
    ):
        token = SIGNER.token(subscription)
        assert SIGNER.read(token) == subscription
        assert set(token) <= set(ALPHABET)
        assert Subscription.from_dict(subscription.to_dict()) == subscription


def test_one_subscription_has_one_token_and_another_one_another() -> None:
    assert SIGNER.token(ANN) == TOKEN
    others = [
        Subscription(recipient="ann@example.net", tenant="shop", stream="news"),
        Subscription(recipient="ann@example.net", tenant="shop", stream="new", ref="swinter-42"),
        Subscription(recipient_id="ann@example.net", tenant="shop", stream="news", ref="winter-42"),
        Subscription(recipient="ann@example.net", tenant="shop", ref="winter-42"),
    ]
    assert len({TOKEN, *map(SIGNER.token, others)}) == 5


def test_the_address_cannot_be_read_in_the_token() -> None:
    raw = base64.urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4))
    for text in (b"ann", b"example", b"shop", b"news", b"winter"):
        assert text not in raw
    # Nor does the length tell one address from another one of about the same size.
    assert len({len(SIGNER.token(Subscription(recipient=f"{'a' * n}@example.net"))) for n in range(1, 10)}) <= 2


def test_tokens_of_neighbouring_addresses_have_nothing_in_common() -> None:
    first, second = (SIGNER.token(Subscription(recipient=f"{name}@example.net")) for name in ("ann", "anm"))
    assert sum(a == b for a, b in zip(first[2:], second[2:], strict=True)) < len(first) / 4


def test_every_flipped_bit_is_seen() -> None:
    raw = bytearray(base64.urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4)))
    for at in range(len(raw) * 8):
        raw[at // 8] ^= 1 << at % 8
        assert SIGNER.read(base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()) is None
        raw[at // 8] ^= 1 << at % 8


def test_every_other_character_at_every_place_is_seen() -> None:
    for at in range(len(TOKEN)):
        for character in ALPHABET if at == len(TOKEN) - 1 else "A_z9":
            changed = TOKEN[:at] + character + TOKEN[at + 1 :]
            assert (SIGNER.read(changed) is None) == (changed != TOKEN)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "A",
        "AA",
        "A" * 5_000,
        TOKEN + "=",
        TOKEN + "==",
        TOKEN + "A",
        "=" + TOKEN,
        TOKEN.replace("-", "+").replace("_", "/") + "+",
        TOKEN[:20] + "\n" + TOKEN[20:],
        TOKEN + "\n",
        " " + TOKEN,
        TOKEN + "%0a",
        TOKEN + "\0",
        TOKEN[:-1] + "é",
        "\N{FULLWIDTH LATIN CAPITAL LETTER A}" + TOKEN[1:],
        TOKEN.upper(),
    ],
)
def test_other_spellings_are_none(token: str) -> None:
    assert SIGNER.read(token) is None
    assert SIGNER.read_short(token, sender="ann@example.net") is None


def test_every_truncation_is_none() -> None:
    assert [end for end in range(len(TOKEN)) if SIGNER.read(TOKEN[:end]) is not None] == []


def test_random_tokens_are_none() -> None:
    chance = random.Random(8058)
    for _ in range(20_000):
        raw = b"\0" + chance.randbytes(chance.choice((16, 17, 33, 49, 65, 80)))
        assert SIGNER.read(base64.urlsafe_b64encode(raw).rstrip(b"=").decode()) is None


def test_keys_can_be_rotated_and_retired() -> None:
    first, second = b"first-secret-of-the-house-abc", b"second-secret-of-the-house-xyz"
    old = KeyRing(secrets={1: first}, signing_key_id=1)
    both = KeyRing(secrets={1: first, 2: second}, signing_key_id=2)
    new = KeyRing(secrets={2: second}, signing_key_id=2)
    token = UnsubscribeSigner(keys=old).token(ANN)
    assert UnsubscribeSigner(keys=both).read(token) == ANN
    assert UnsubscribeSigner(keys=new).read(token) is None
    assert UnsubscribeSigner(keys=both).token(ANN) == UnsubscribeSigner(keys=new).token(ANN) != token
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[0] = 2
    swapped = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
    assert UnsubscribeSigner(keys=both).read(swapped) is None


def test_a_token_of_another_house_or_purpose_is_none() -> None:
    assert UnsubscribeSigner(keys=OTHER).read(TOKEN) is None
    assert UnsubscribeSigner(keys=OTHER).token(ANN) != TOKEN
    for purpose in ("unsubscribe", "unsubscribe/v1/mac", "engagement/click", "ref"):
        sealed = KEYS.seal(purpose, b"\x01\x00\x04news\x00\x0fann@example.net")
        assert SIGNER.read(base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()) is None


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"recipient": "a@b.example", "recipient_id": "1"},
        {"recipient": ""},
        {"recipient_id": ""},
        {"recipient": "a@b.example", "stream": ""},
        {"recipient": "a@b.example", "ref": ""},
    ],
)
def test_a_subscription_says_who(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"recipient|empty"):
        Subscription(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [254, 255, 256])
def test_values_have_a_limit(length: int) -> None:
    subscription = Subscription(recipient="a" * length)
    if length <= 255:
        assert SIGNER.read(SIGNER.token(subscription)) == subscription
    else:
        with pytest.raises(ValueError, match="255"):
            SIGNER.token(subscription)


def test_what_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        SIGNER.token(Subscription(recipient="\ud800@example.net"))


# --- the short form -------------------------------------------------------------------------------------------------

SHORT_ANN = Subscription(recipient="ann@example.net", tenant="shop", stream="news")


def test_a_short_token_carries_the_address_when_it_fits() -> None:
    token = SIGNER.short_token(SHORT_ANN, max_characters=64)
    assert token is not None
    assert token == token.lower()
    assert len(token) <= 64
    assert SIGNER.read_short(token, sender=None) == SHORT_ANN
    assert SIGNER.read_short(token.upper(), sender="eve@example.net") == SHORT_ANN


def test_a_short_token_binds_the_address_when_it_does_not_fit() -> None:
    token = SIGNER.short_token(SHORT_ANN, max_characters=40)
    assert token is not None
    assert len(token) <= 40
    assert SIGNER.read_short(token, sender="ann@example.net") == SHORT_ANN
    found = SIGNER.read_short(token, sender="Ann@Example.NET")
    assert found is not None
    assert found.stream == "news"
    for sender in ("eve@example.net", "ann@example.org", "not an address", "", None):
        assert SIGNER.read_short(token, sender=sender) is None


def test_no_room_for_a_short_token_is_none() -> None:
    assert SIGNER.short_token(SHORT_ANN, max_characters=20) is None
    assert SIGNER.short_token(Subscription(recipient_id="x" * 200), max_characters=58) is None
    assert SIGNER.short_token(Subscription(recipient="no address" * 9), max_characters=58) is None
    by_id = Subscription(recipient_id="4711", stream="news")
    token = SIGNER.short_token(by_id, max_characters=58)
    assert token is not None
    assert SIGNER.read_short(token, sender=None) == by_id


def test_every_change_of_a_short_token_is_seen() -> None:
    for size in (40, 64):
        token = SIGNER.short_token(SHORT_ANN, max_characters=size)
        assert token is not None
        for at in range(len(token)):
            for character in "abcdefghijklmnopqrstuvwxyz234567":
                changed = token[:at] + character + token[at + 1 :]
                assert (SIGNER.read_short(changed, sender="ann@example.net") is None) == (changed != token)
        for end in range(len(token)):
            assert SIGNER.read_short(token[:end], sender="ann@example.net") is None


def test_the_two_forms_are_not_interchangeable() -> None:
    short = SIGNER.short_token(SHORT_ANN, max_characters=64)
    assert short is not None
    raw = base64.b32decode(short.upper() + "=" * (-len(short) % 8))
    assert SIGNER.read(base64.urlsafe_b64encode(raw).rstrip(b"=").decode()) is None
    long = base64.urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4))
    assert SIGNER.read_short(base64.b32encode(long).rstrip(b"=").decode(), sender="ann@example.net") is None
