"""Tokens: exact round trips, and nothing else verifies. Numbers in names are those of the list of security rules."""

from __future__ import annotations

import base64
import itertools
import os
import pickle
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.engagement import InvalidToken, LinkSigner, Purpose, UnsafeURL
from mailgate.engagement._token import MAX_TOKEN_CHARACTERS
from mailgate.records import KeyRing, ParseError

SECRET = b"a test secret of forty-one bytes, not 42!"
OTHER = b"another secret that nobody knows, really"
URL = "https://shop.example/spring?item=1&b=2"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

ids = st.text(st.characters(exclude_characters="@", exclude_categories=["C", "Z"]), max_size=60)
urls = st.builds(
    lambda scheme, host, rest: f"{scheme}://{host}/{rest}",
    st.sampled_from(["http", "https", "HTTPS"]),
    st.sampled_from(["e.example", "bücher.example", "u:p@e.example:8080", "[2001:db8::1]", "192.0.2.7"]),
    st.text(st.characters(exclude_characters=' "<>\\', exclude_categories=["Cc", "Cs"]), max_size=400),
)


def tokens_of(signer: LinkSigner) -> dict[Purpose, str]:
    names = {"message_id": "m-1", "recipient_id": "r-1", "stream": "news", "tenant": "acme", "issued": 7}
    return {p: signer.sign(p, URL if p is Purpose.CLICK else "", **names) for p in Purpose}  # type: ignore[arg-type]


def is_refused(signer: LinkSigner, purpose: Purpose, token: str) -> bool:
    try:
        signer.verify(purpose, token)
    except InvalidToken as error:
        return str(error) == "not a valid token"  # it never says why
    return False


@settings(max_examples=300)
@given(
    url=urls,
    message_id=ids,
    recipient_id=ids,
    stream=ids,
    tenant=ids,
    link=st.none() | st.tuples(st.integers(0, 1 << 28), st.integers(1, 300)),
    trap=st.booleans(),
    issued=st.integers(0, 2**32 - 1),
)
def test_what_is_signed_is_what_is_read(
    signer: LinkSigner,
    url: str,
    message_id: str,
    recipient_id: str,
    stream: str,
    tenant: str,
    link: tuple[int, int] | None,
    trap: bool,
    issued: int,
) -> None:
    index, count = link or (None, None)
    if index == 1 << 28:
        index = (1 << 28) - 1
    token = signer.sign(
        "click",
        url,
        message_id=message_id,
        recipient_id=recipient_id,
        stream=stream,
        tenant=tenant,
        link_index=index,
        link_count=count,
        trap=trap,
        issued=issued,
    )
    claims = signer.verify("click", token)
    assert claims[:10] == (
        Purpose.CLICK, message_id, recipient_id, stream, tenant, url, index, count, trap, issued,
    )  # fmt: skip
    assert claims.key_id == 0
    assert claims == type(claims).from_dict(claims.to_dict())
    assert set(token) <= set(ALPHABET)


def test_a_token_has_the_length_it_should_have(signer: LinkSigner) -> None:
    url = "https://shop.example/products/2024/spring/collection?item=12345&utm_source=newsletter"
    token = signer.sign("click", url[:86].ljust(86, "x"), message_id="m" * 16, recipient_id="r" * 12)
    assert len(token) == 184


def test_the_same_claims_make_the_same_token_and_the_same_tid(signer: LinkSigner) -> None:
    first, second = (signer.sign("click", URL, message_id="m", issued=1) for _ in range(2))
    assert first == second
    other = signer.sign("click", URL, message_id="n", issued=1)
    assert signer.verify("click", first).tid == signer.verify("click", second).tid != signer.verify("click", other).tid


def test_01_every_flipped_bit_is_refused(signer: LinkSigner) -> None:
    for purpose, token in tokens_of(signer).items():
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        for bit in range(len(raw) * 8):
            altered = bytearray(raw)
            altered[bit // 8] ^= 1 << bit % 8
            text = base64.urlsafe_b64encode(altered).rstrip(b"=").decode()
            assert is_refused(signer, purpose, text), bit


def test_01_every_changed_character_is_refused(signer: LinkSigner) -> None:
    token = tokens_of(signer)[Purpose.CLICK]
    for at, other in itertools.product(range(len(token)), ALPHABET):
        if token[at] != other:
            assert is_refused(signer, Purpose.CLICK, token[:at] + other + token[at + 1 :]), (at, other)


def test_02_cut_lengthened_and_odd_tokens_are_refused(signer: LinkSigner) -> None:
    for purpose, token in tokens_of(signer).items():
        odd = [
            *(token[:length] for length in range(len(token))),
            *(token[length:] for length in range(1, len(token))),
            *(
                token + suffix
                for suffix in ("A", "AA", "=", "==", "===", "\n", "\r\n", " ", "\0", ".", "%0a", "+", "/", "é")
            ),
            *(prefix + token for prefix in ("A", " ", "\n", "\0")),
            token[:20] + "\n" + token[20:],
            token[:20] + "%0a" + token[20:],
            token + token,
            "A" * 5_000,
            "A" * 5_000_000,
            "\ud800" * 40,
            "é" * 40,
            "🙂" * 40,
            "\0" * 40,
            token.swapcase(),
            token[::-1],
        ]
        for text in odd:
            assert is_refused(signer, purpose, text), text[:200]


def test_02_the_standard_alphabet_is_refused(signer: LinkSigner) -> None:
    seen = set()
    for number in range(200):
        token = signer.sign("open", message_id=str(number), recipient_id="recipient", issued=number)
        standard = token.replace("-", "+").replace("_", "/")
        if standard != token:
            seen.update(set(standard) & set("+/"))
            assert is_refused(signer, Purpose.OPEN, standard)
    assert seen == {"+", "/"}


def test_03_every_other_last_character_is_refused(signer: LinkSigner) -> None:
    lengths = set()
    for size in range(1, 9):
        token = signer.sign("open", message_id="x" * size, recipient_id="recipient", issued=1)
        lengths.add(len(token) % 4)
        for other in ALPHABET:
            if other != token[-1]:
                assert is_refused(signer, Purpose.OPEN, token[:-1] + other)
    assert lengths == {0, 2, 3}


def test_04_a_token_is_worth_nothing_for_another_purpose(signer: LinkSigner) -> None:
    for (mine, token), other in itertools.product(tokens_of(signer).items(), Purpose):
        assert is_refused(signer, other, token) is (mine is not other)


def test_05_keys_rotate() -> None:
    old = LinkSigner(KeyRing(secrets={1: SECRET}, signing_key_id=1), "https://t.example/")
    both = LinkSigner(KeyRing(secrets={1: SECRET, 2: OTHER}, signing_key_id=2), "https://t.example/")
    new = LinkSigner(KeyRing(secrets={2: OTHER}, signing_key_id=2), "https://t.example/")
    token = old.sign("click", URL, message_id="m")
    assert both.verify("click", token).key_id == 1
    assert is_refused(new, Purpose.CLICK, token)
    assert both.verify("click", both.sign("click", URL)).key_id == 2
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for key_id in range(256):
        swapped = base64.urlsafe_b64encode(bytes((key_id,)) + raw[1:]).rstrip(b"=").decode()
        assert is_refused(both, Purpose.CLICK, swapped) is (key_id != 1)


def test_06_tenants_with_keys_of_their_own() -> None:
    a = LinkSigner(KeyRing.of(SECRET), "https://t.example/")
    b = LinkSigner(KeyRing.of(OTHER), "https://t.example/")
    tokens = {signer.sign("click", URL, message_id="m", issued=1) for signer in (a, b)}
    assert len(tokens) == 2
    assert is_refused(b, Purpose.CLICK, a.sign("click", URL))


def test_a_token_is_bound_to_its_tracking_host() -> None:
    ring = KeyRing.of(SECRET)
    here = LinkSigner(ring, "https://t.example/")
    there = LinkSigner(ring, "https://t.example/x/")
    moved = LinkSigner(ring, "https://new.example/", former_base_urls=["http://other.example/", "https://t.example/"])
    token = here.sign("click", URL, message_id="m", issued=1)
    assert is_refused(there, Purpose.CLICK, token)
    assert moved.verify("click", token).url == URL
    assert is_refused(here, Purpose.CLICK, moved.sign("click", URL))
    # From http to https, and other spellings of one base, nothing changes.
    for same in ("http://t.example/", "https://T.EXAMPLE", "https://t.example:443", "http://t.example:80/"):
        assert LinkSigner(ring, same).verify("click", token).url == URL


@pytest.mark.parametrize(
    "base",
    ["", "t.example", "ftp://t.example/", "https://", "https://t.example/?a", "https://t.example/a b/", "https://t.example//",
     "https://user@t.example/", "https://t.example/ä/", "https://t.example/\n", "https://t.example:123456/"],
)  # fmt: skip
def test_a_base_url_is_checked(base: str) -> None:
    with pytest.raises(ValueError, match="not a base URL"):
        LinkSigner(KeyRing.of(SECRET), base)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "//e.example", "", "https://e.example/a b", "https://e.example/\n"]
)
def test_08_09_unsafe_destinations_are_not_signed(signer: LinkSigner, url: str) -> None:
    for sign in (
        lambda: signer.sign("click", url),
        lambda: signer.click_url(url),
        lambda: signer.for_message(message_id="m").click(url),
    ):
        with pytest.raises(UnsafeURL):
            sign()


def test_09_spaces_and_the_like_only_as_written(signer: LinkSigner) -> None:
    url = 'https://e.example/a b"<c>\\'
    assert signer.verify("click", signer.sign("click", url, as_written=True)).url == url
    with pytest.raises(UnsafeURL, match="control"):
        signer.sign("click", "https://e.example/\r\nX: y", as_written=True)


@pytest.mark.parametrize("size", [299, 300, 301, 1_391, 8_000])
def test_10_long_destinations(signer: LinkSigner, size: int) -> None:
    url = ("https://e.example/?" + "&".join(f"field{n}=value{n}" for n in range(900)))[:size]
    token = signer.sign("click", url)
    assert len(token) <= MAX_TOKEN_CHARACTERS
    assert signer.verify("click", token).url == url


def test_10_a_destination_over_the_limit_is_refused(signer: LinkSigner) -> None:
    rng = random.Random(1)
    noise = "https://e.example/" + "".join(rng.choice(ALPHABET) for _ in range(8_000))
    for url in (noise, "https://e.example/" + "a" * 20_000):
        with pytest.raises(UnsafeURL, match="too_long"):
            signer.sign("click", url)
    longest = next(size for size in range(5_000, 0, -1) if is_signed(signer, noise[:size]))
    assert 2_900 < longest < 5_000
    assert len(signer.sign("click", noise[:longest])) <= MAX_TOKEN_CHARACTERS


def is_signed(signer: LinkSigner, url: str) -> bool:
    try:
        signer.sign("click", url)
    except UnsafeURL:
        return False
    return True


def test_25_random_tokens_are_refused(signer: LinkSigner) -> None:
    """MAILGATE_FUZZ sets how many; ten million take about a minute."""
    rng = random.Random(20_261_121)
    for _ in range(int(os.environ.get("MAILGATE_FUZZ", "30000"))):
        size = rng.choice((24, 30, 48, 64, 138))
        text = base64.urlsafe_b64encode(b"\0" + rng.randbytes(size - 1)).rstrip(b"=").decode()
        try:
            signer.verify("click", text)
        except InvalidToken:
            continue
        pytest.fail(text)


@given(st.text(max_size=200) | st.text(ALPHABET, min_size=32, max_size=200))
def test_25_any_text_is_refused_with_one_exception(signer: LinkSigner, text: str) -> None:
    for purpose in Purpose:
        assert is_refused(signer, purpose, text)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"\x01\0\0\0\1", "no fields"),
        (b"\x01\0\0\0\1\5ab", "a field that is cut"),
        (b"\x01\0\0\0\1\0\5ab", "the second field is cut"),
        (b"\x01\0\0\0\1\xff\xff\xff\xff\xff\xff\xff", "a length without an end"),
        (b"\x01\0\0\0\1\1\xff\0", "not UTF-8"),
        (b"\x02\0\0\0\1\0\0", "the head says another purpose than the key"),
        (b"\x00\0\0\0\1\0\0", "no purpose"),
        (b"\x81\0\0\0\1\0\0", "another version"),
        (b"\x05\0\0\0\1\0\0", "a stream that is not there"),
        (b"\x11\0\0\0\1\0\0\x80", "a number without an end"),
        (b"\x41\0\0\0\1\0\0not deflate", "compressed data that are none"),
    ],
)
def test_what_another_version_signed_is_refused(signer: LinkSigner, payload: bytes, why: str) -> None:
    payload = payload.ljust(12, b"\0") if why == "no purpose" else payload
    mac = signer.keys.mac(0, "engagement/open", payload + signer._base_id)
    assert mac is not None
    token = base64.urlsafe_b64encode(b"\0" + mac[:16] + payload).rstrip(b"=").decode()
    assert is_refused(signer, Purpose.OPEN, token), why


def test_urls(signer: LinkSigner) -> None:
    click = signer.click_url(URL, message_id="m", issued=1)
    assert click == f"https://t.example/c/{signer.sign('click', URL, message_id='m', issued=1)}"
    assert signer.open_url(message_id="m", issued=1).endswith(".gif")
    assert signer.unsubscribe_url(message_id="m", issued=1).startswith("https://t.example/u/")
    for url, purpose in (
        (click, Purpose.CLICK),
        (click + "/", Purpose.CLICK),
        (click + "?utm=1#x", Purpose.CLICK),
        (signer.open_url(), Purpose.OPEN),
        (signer.unsubscribe_url(), Purpose.UNSUBSCRIBE),
    ):
        found = signer.token_of(url)
        assert found is not None
        assert found[0] is purpose
        assert signer.verify(*found)
    for url in ("https://e.example/c/x", "https://t.example/", "https://t.example/x/y", "https://t.example/c"):
        assert signer.token_of(url) is None


def test_the_links_of_one_message_are_those_of_the_signer(signer: LinkSigner) -> None:
    names = {"message_id": "m", "recipient_id": "r", "stream": "s", "tenant": "t"}
    bound = signer.for_message(**names, issued=9)
    assert bound.click(URL) == signer.click_url(URL, **names, issued=9)
    assert bound.click(URL, link_index=200, link_count=300, trap=True) == signer.click_url(
        URL, **names, issued=9, link_index=200, link_count=300, trap=True
    )
    assert bound.open() == signer.open_url(**names, issued=9)
    assert bound.unsubscribe() == signer.unsubscribe_url(**names, issued=9)


def test_the_clock_is_used_only_when_no_instant_is_given(ring: KeyRing) -> None:
    signer = LinkSigner(ring, "https://t.example/", clock=lambda: 1_234.9)
    assert signer.verify("open", signer.sign("open")).issued == 1_234
    assert signer.verify("open", signer.sign("open", issued=5)).issued == 5
    assert signer.verify("open", signer.sign("open", issued=5)).issued_at.isoformat() == "1970-01-01T00:00:05+00:00"
    found = signer.token_of(signer.for_message().open())
    assert found is not None
    assert signer.verify(*found).issued == 1_234


@pytest.mark.parametrize("name", ["message_id", "recipient_id", "stream", "tenant"])
def test_control_characters_and_long_ids_are_refused(signer: LinkSigner, name: str) -> None:
    for value in ("a\nb", "a\0", "a\x1b[31m", "\u202e"):
        with pytest.raises(ValueError, match=name):
            signer.sign("open", **{name: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at most"):
        signer.sign("open", **{name: "x" * 1_001})  # type: ignore[arg-type]
    assert signer.verify("open", signer.sign("open", **{name: "x" * 1_000}))  # type: ignore[arg-type]


def test_an_address_is_refused_where_a_recipient_is_named(signer: LinkSigner) -> None:
    with pytest.raises(ValueError, match="looks like an address"):
        signer.sign("open", recipient_id="ann@example.net")
    with pytest.raises(ValueError, match="looks like an address"):
        signer.for_message(recipient_id="ann@example.net")
    assert signer.verify("open", signer.sign("open", message_id="x.y@mx.example")).message_id == "x.y@mx.example"


def test_an_opaque_id_for_an_address(signer: LinkSigner) -> None:
    identity = signer.recipient_id_of("Ann@Example.net")
    assert len(identity) == 16
    assert identity == signer.recipient_id_of("ann@example.NET")
    assert identity != signer.recipient_id_of("bob@example.net")
    assert identity != LinkSigner(KeyRing.of(OTHER), "https://t.example/").recipient_id_of("ann@example.net")
    with pytest.raises(ParseError):
        signer.recipient_id_of("nobody")


def test_wrong_arguments(signer: LinkSigner) -> None:
    with pytest.raises(ValueError, match="only a click"):
        signer.sign("open", URL)
    with pytest.raises(ValueError, match="a count"):
        signer.sign("click", URL, link_index=-1)
    with pytest.raises(KeyError):
        signer.sign("other")
    with pytest.raises(OverflowError):
        signer.sign("open", issued=-1)


def test_a_signer_pickles(ring: KeyRing) -> None:
    signer = LinkSigner(ring, "https://t.example/", former_base_urls=["https://old.example/"])
    old = LinkSigner(ring, "https://old.example/")
    copy = pickle.loads(pickle.dumps(signer))
    assert copy.verify("click", old.sign("click", URL)).url == URL
    assert copy.verify("click", signer.sign("click", URL)).url == URL


def test_the_pixel_of_this_message_is_known_again(signer: LinkSigner) -> None:
    bound = signer.for_message(message_id="m", recipient_id="r", issued=5)
    pixel = signer.open_url(message_id="m", recipient_id="r", issued=99).rpartition("/")[2]
    assert bound.is_own_pixel(pixel)
    assert bound.is_own_pixel(pixel.removesuffix(".gif"))
    for other in ({"message_id": "n", "recipient_id": "r"}, {"message_id": "m", "recipient_id": "r", "stream": "x"}):
        assert not bound.is_own_pixel(signer.open_url(**other).rpartition("/")[2])
    assert not bound.is_own_pixel("nonsense")
