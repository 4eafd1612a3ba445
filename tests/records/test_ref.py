"""Our reference on a message: what mail systems do to it, what forgers do to it, what does not fit."""

import base64
import pickle
from email.header import Header, decode_header

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.records import REF_HEADER, KeyRing, MessageRef, RefSigner

OLD = b"the old secret of this test suite 0"
NEW = b"the new secret of this test suite 1"
SIGNER = RefSigner(KeyRing(secrets={0: OLD}, signing_key_id=0))
FULL = MessageRef(ref="c42-1000", recipient="user+tag@example.com", tenant="acme", stream="news")


def value_of(ref: MessageRef, signer: RefSigner = SIGNER) -> str:
    name, value = signer.header(ref)
    assert name == REF_HEADER
    return value


# --- the header field -------------------------------------------------------------------------------------------------


def test_a_header_says_everything() -> None:
    assert SIGNER.read_header(value_of(FULL)) == FULL
    bare = MessageRef(ref="x")
    assert SIGNER.read_header(value_of(bare)) == bare
    empty_stream = MessageRef(ref="x", stream="")
    assert SIGNER.read_header(value_of(empty_stream)) == empty_stream


def test_a_long_one_is_folded_and_every_fold_is_read() -> None:
    """RFC 5322 2.1.1: lines of at most 78 characters; whatever white space comes back is ignored."""
    long = MessageRef(ref="r" * 300, recipient="u" * 300 + "@example.com")
    value = value_of(long)
    lines = f"{REF_HEADER}: {value}".split("\r\n")
    assert len(lines) > 5
    assert all(len(line) <= 90 for line in lines[:1])
    assert all(len(line) <= 78 and line.startswith(" ") for line in lines[1:])
    for fold in ("", " ", "\n\t", "\r\n   "):
        assert SIGNER.read_header(value.replace("\r\n ", fold)) == long


def test_no_address_stands_in_it() -> None:
    """A redactor that looks for addresses, or for the words of one, finds nothing to take out."""
    value = value_of(FULL)
    assert "@" not in value
    assert "example" not in value
    assert set(value) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_ \r\n")


@pytest.mark.parametrize("encoding", ["b", "q"])
def test_re_encoding_is_undone(encoding: str) -> None:
    """RFC 2047: a gateway that puts every field into encoded-words."""
    plain = value_of(FULL).replace("\r\n ", "")
    if encoding == "b":
        words = "=?utf-8?B?" + base64.b64encode(plain.encode()).decode() + "?="
    else:
        words = "=?us-ascii?Q?" + plain.replace("_", "=5F") + "?="
    assert SIGNER.read_header(words) == FULL
    halves = "\r\n ".join(
        "=?utf-8?B?" + base64.b64encode(part.encode()).decode() + "?=" for part in (plain[:30], plain[30:])
    )
    assert SIGNER.read_header(halves) == FULL
    standard = Header(plain, "utf-8").encode()
    assert decode_header(standard)
    assert SIGNER.read_header(standard) == FULL


def test_every_flipped_bit_is_seen() -> None:
    text = value_of(FULL).replace("\r\n ", "")
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    for at in range(len(raw)):
        for bit in range(8):
            raw[at] ^= 1 << bit
            forged = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
            assert SIGNER.read_header(forged) is None, (at, bit)
            raw[at] ^= 1 << bit


@pytest.mark.parametrize("value", ["", "x", "====", "not a reference", "ä" * 50, "A" * 10_000, "=?utf-8?B?%%%?=", "<>"])
def test_other_values_say_nothing(value: str) -> None:
    assert SIGNER.read_header(value) is None


def test_a_cut_one_says_nothing() -> None:
    text = value_of(FULL).replace("\r\n ", "")
    for length in range(len(text)):
        assert SIGNER.read_header(text[:length]) is None


def test_what_does_not_fit_a_header_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        SIGNER.header(MessageRef(ref="x" * 4_000))
    with pytest.raises(ValueError, match="does not fit"):
        SIGNER.header(MessageRef(ref="x" * 10_000))
    with pytest.raises(ValueError, match="not empty"):
        SIGNER.header(MessageRef(ref=""))


# --- the return path --------------------------------------------------------------------------------------------------


def test_a_return_path_carries_what_fits() -> None:
    """RFC 5321 4.5.3.1.1: 64 octets of local part. First the recipient goes, then tenant and stream."""
    small = MessageRef(ref="a1", recipient="u@ex.com")
    assert SIGNER.read_return_path(SIGNER.return_path(small, domain="b.example")) == small
    assert SIGNER.read_return_path(SIGNER.return_path(FULL, domain="b.example")) == MessageRef(
        ref="c42-1000", tenant="acme", stream="news"
    )
    wide = MessageRef(ref="r" * 20, recipient="u@ex.com", tenant="a tenant", stream="a stream")
    assert SIGNER.read_return_path(SIGNER.return_path(wide, domain="b.example")) == MessageRef(ref="r" * 20)


@pytest.mark.parametrize(
    ("ref", "fits"),
    [
        ("r" * 26, True),
        ("r" * 27, False),
        ("0" * 52, True),
        ("0" * 53, False),
        ("0" * 54, False),
        ("949d127c-4d92-4ec3-a811-7cd0836804a4", True),
        ("949D127C-4D92-4EC3-A811-7CD0836804A4", False),
        ("é" * 13, True),
        ("é" * 14, False),
    ],
)
def test_the_limit_of_64_octets(ref: str, fits: bool) -> None:
    if not fits:
        with pytest.raises(ValueError, match="too long for a return path"):
            SIGNER.return_path(MessageRef(ref=ref), domain="b.example")
        return
    path = SIGNER.return_path(MessageRef(ref=ref), domain="b.example")
    assert len(path.rpartition("@")[0]) <= 64
    found = SIGNER.read_return_path(path)
    assert found is not None
    assert found.ref == ref


def test_any_case_and_any_brackets_are_read() -> None:
    path = SIGNER.return_path(FULL, domain="Bounces.Example")
    assert path == path.lower()
    expected = SIGNER.read_return_path(path)
    assert expected is not None
    for spelling in (path.upper(), path.title(), f"<{path}>", f" {path} ", path.swapcase()):
        assert SIGNER.read_return_path(spelling) == expected


def test_every_flipped_character_is_seen() -> None:
    path = SIGNER.return_path(FULL, domain="b.example")
    local, _, domain = path.partition("@")
    prefix, _, payload = local.partition("-")
    for at, was in enumerate(payload):
        for other in "abcdefghijklmnopqrstuvwxyz234567":
            if other != was:
                forged = f"{prefix}-{payload[:at]}{other}{payload[at + 1 :]}@{domain}"
                assert SIGNER.read_return_path(forged) is None


@pytest.mark.parametrize(
    "address",
    ["", "b-@x.example", "bounces@x.example", "b-aaaa@x.example", "b-äöü@x.example", "x" * 500, f"b-{'a' * 70}@x"],
)
def test_other_addresses_say_nothing(address: str) -> None:
    assert SIGNER.read_return_path(address) is None


@pytest.mark.parametrize(
    ("domain", "prefix"),
    [("", "b"), ("x y", "b"), ("a@b.example", "b"), ("b.example\r\nX: y", "b"), ("b.example", ""), ("b.example", "B"),
     ("b.example", "a-b"), ("b.example", "abcdefghi"), ("b.example", "é")],
)  # fmt: skip
def test_what_cannot_stand_in_an_address_is_refused(domain: str, prefix: str) -> None:
    with pytest.raises(ValueError, match=r"domain|prefix"):
        SIGNER.return_path(FULL, domain=domain, prefix=prefix)


def test_another_prefix() -> None:
    path = SIGNER.return_path(FULL, domain="b.example", prefix="ret")
    assert path.startswith("ret-")
    assert SIGNER.read_return_path(path) is not None


# --- keys -------------------------------------------------------------------------------------------------------------


def test_keys_rotate() -> None:
    before = value_of(FULL), SIGNER.return_path(FULL, domain="b.example")
    both = RefSigner(KeyRing(secrets={0: OLD, 1: NEW}, signing_key_id=1))
    after = value_of(FULL, both), both.return_path(FULL, domain="b.example")
    assert after[0] != before[0]
    for value, path in (before, after):
        assert both.read_header(value) == FULL
        assert both.read_return_path(path) is not None
    only_new = RefSigner(KeyRing(secrets={1: NEW}, signing_key_id=1))
    assert only_new.read_header(before[0]) is None
    assert only_new.read_return_path(before[1]) is None
    assert only_new.read_header(after[0]) == FULL


def test_another_secret_under_the_same_id_reads_nothing() -> None:
    stranger = RefSigner(KeyRing(secrets={0: NEW}, signing_key_id=0))
    assert stranger.read_header(value_of(FULL)) is None
    assert stranger.read_return_path(SIGNER.return_path(FULL, domain="b.example")) is None


def test_a_header_does_not_pass_for_a_return_path() -> None:
    raw = base64.urlsafe_b64decode(value_of(MessageRef(ref="x")) + "==")
    local = base64.b32encode(raw).rstrip(b"=").decode().lower()
    assert SIGNER.read_return_path(f"b-{local}@b.example") is None


def test_signers_and_references_pickle() -> None:
    again = pickle.loads(pickle.dumps(SIGNER))
    assert again.read_header(value_of(FULL)) == FULL
    assert pickle.loads(pickle.dumps(FULL)) == FULL


TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(TEXT.filter(bool), st.none() | TEXT, TEXT, st.none() | TEXT)
def test_what_was_written_is_read(ref: str, recipient: str | None, tenant: str, stream: str | None) -> None:
    one = MessageRef(ref=ref, recipient=recipient, tenant=tenant, stream=stream)
    assert SIGNER.read_header(value_of(one)) == one
    try:
        path = SIGNER.return_path(one, domain="b.example")
    except ValueError:
        assert len(ref.encode()) > 26
        return
    found = SIGNER.read_return_path(path)
    assert found is not None
    assert found.ref == ref
    assert found.recipient in (None, recipient)


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_read_without_harm(text: str) -> None:
    assert SIGNER.read_header(text) is None
    assert SIGNER.read_return_path(text) is None
