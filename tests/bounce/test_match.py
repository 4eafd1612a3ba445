"""Ours or not: every proof, every field it may stand in, and what must not pass for one."""

import hashlib
import hmac
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.bounce._match import (
    MatchSettings,
    Proof,
    batv_is_ours,
    find_proof,
    unwrap,
    verp_decode,
    verp_encode,
)
from mailgate.records import Headers, KeyRing, Mail, MessageRef, RefSigner

SIGNER = RefSigner(KeyRing(secrets={0: b"a secret that is long enough 4711"}, signing_key_id=0))
REF = MessageRef(ref="c42", recipient="u@ex.com", tenant="t", stream="s")


def headers(*fields: tuple[str, str]) -> Headers:
    raw = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return Mail.read(f"{raw}\r\n".encode()).headers


def path_of(ref: MessageRef = REF) -> str:
    return SIGNER.return_path(ref, domain="bounces.example")


SIGNED = MatchSettings(ref_signer=SIGNER)
VERP = MatchSettings(verp_domains=("news.example",))


@pytest.mark.parametrize(
    "field", ["To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "Apparently-To"]
)
def test_a_signed_return_path_in_any_address_field(field: str) -> None:
    proof = find_proof(headers((field, f'"x" <{path_of().upper()}>')), settings=SIGNED)
    assert (proof.matched, proof.ref) == ("return_path", REF)
    assert proof.recipient == "u@ex.com"
    assert field.lower() in proof.evidence


def test_a_signed_return_path_in_the_returned_message() -> None:
    returned = headers(("Return-Path", f"<{path_of()}>"))
    assert find_proof(headers(("To", "a@b.example")), returned=returned, settings=SIGNED).matched == "return_path"


def test_a_return_path_wrapped_on_its_way() -> None:
    local, _, domain = path_of().partition("@")
    for wrapped in (f"prvs=1234abcdef={local}@{domain}", f"SRS0=HHH=TT={domain}={local}@forwarder.example"):
        assert find_proof(headers(("To", wrapped)), settings=SIGNED).ref == REF


def test_our_header_in_the_returned_message() -> None:
    """RFC 5322 2.2.3: folded or not."""
    name, value = SIGNER.header(REF)
    for written in (value, value.replace("\r\n ", ""), value.replace("\r\n ", "\r\n\t")):
        proof = find_proof(headers(), returned=headers((name, written)), settings=SIGNED)
        assert (proof.matched, proof.ref) == ("ref", REF)
    assert find_proof(headers((name, value)), settings=SIGNED) == Proof()  # only the returned message proves anything


def test_a_forged_one_proves_nothing() -> None:
    other = RefSigner(KeyRing(secrets={0: b"another secret that is long enough"}, signing_key_id=0))
    forged = headers(("To", other.return_path(REF, domain="bounces.example")))
    returned = headers(other.header(REF))
    assert find_proof(forged, returned=returned, settings=SIGNED) == Proof()


def test_the_caller_names_the_recipient_of_a_short_reference() -> None:
    short = MessageRef(ref="r" * 20, recipient="a-long-recipient@example.com")
    settings = MatchSettings(ref_signer=SIGNER, recipient_of={"r" * 20: "a-long-recipient@example.com"}.get)
    proof = find_proof(headers(("To", path_of(short))), settings=settings)
    assert proof.ref is not None
    assert proof.ref.recipient == "a-long-recipient@example.com"
    unknown = find_proof(headers(("To", path_of(MessageRef(ref="x" * 24, recipient="y" * 20)))), settings=settings)
    assert unknown.matched == "return_path"
    assert unknown.recipient is None


M1 = {"m1@news.example"}.__contains__


@pytest.mark.parametrize(
    ("arguments", "settings", "matched"),
    [
        ({"message_id": "<m1@news.example>"}, MatchSettings(known_message_id=M1), "message_id"),
        ({"message_id": "m1@news.example"}, MatchSettings(known_message_id=M1), "message_id"),
        ({"message_id": "m2@news.example"}, MatchSettings(known_message_id=M1), None),
        ({"envelope_id": "e1"}, MatchSettings(known_envelope_id={"e1"}.__contains__), "envelope_id"),
        ({"envelope_id": None}, MatchSettings(known_envelope_id={"e1"}.__contains__), None),
        ({"returned": headers(("Feedback-ID", "c:u:t:s"))}, MatchSettings(known_feedback_id={"c:u:t:s"}.__contains__),
         "feedback_id"),
        ({"message_id": "m1"}, MatchSettings(), None),
    ],
)  # fmt: skip
def test_what_the_callers_log_knows(arguments: dict[str, object], settings: MatchSettings, matched: str | None) -> None:
    """RFC 3461 4.4: the envelope id; the Message-ID of the returned message."""
    assert find_proof(headers(), settings=settings, **arguments).matched == matched  # type: ignore[arg-type]


def test_a_log_may_answer_with_a_reference() -> None:
    settings = MatchSettings(known_message_id=lambda _: REF)
    assert find_proof(headers(), message_id="m", settings=settings) == Proof(
        matched="message_id", ref=REF, evidence="message_id: m"
    )


def test_classic_verp_counts_only_at_our_domains() -> None:
    to = headers(("To", "bounces+user=example.com@news.example"))
    assert find_proof(to, settings=VERP).verp_recipient == "user@example.com"
    assert find_proof(to, settings=VERP).matched == "verp"
    assert find_proof(to, settings=VERP).recipient == "user@example.com"
    assert find_proof(to, settings=MatchSettings(verp_domains=("example",))).matched == "verp"
    assert find_proof(to, settings=MatchSettings(verp_domains=("other.example",))) == Proof()
    assert find_proof(to, settings=MatchSettings(ref_signer=SIGNER)) == Proof()
    assert find_proof(to) == Proof()


def test_the_surest_proof_is_named_and_the_weaker_facts_are_kept() -> None:
    fields = headers(("To", "bounces+user=example.com@news.example"), ("Delivered-To", path_of()))
    settings = MatchSettings(ref_signer=SIGNER, verp_domains=("news.example",))
    proof = find_proof(fields, settings=settings)
    assert (proof.matched, proof.verp_recipient, proof.recipient) == ("return_path", "user@example.com", "u@ex.com")


# --- classic VERP -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipient", "address"),
    [
        ("user@example.com", "bounces+user=example.com@news.example"),
        ("user+tag@example.com", "bounces+user+tag=example.com@news.example"),
        ("a=b@example.com", "bounces+a=b=example.com@news.example"),
        ("100%@example.com", "bounces+100%25=example.com@news.example"),
        ('"a b"@example.com', "bounces+%22a%20b%22=example.com@news.example"),
        ("jörg@example.com", "bounces+j%C3%B6rg=example.com@news.example"),
        ("User@Example.COM", "bounces+User=Example.COM@news.example"),
    ],
)
def test_verp_there_and_back(recipient: str, address: str) -> None:
    assert verp_encode(recipient, bounce="bounces@news.example") == address
    assert verp_decode(address) == recipient
    assert verp_decode(f" <{address}> ") == recipient


def test_verp_with_other_prefixes() -> None:
    """QUIRK: ezmlm and others write `list-return-123-user=domain@host`."""
    address = "news-return-123-user=example.com@lists.example"
    assert verp_decode(address, prefixes=("news-return-123-",)) == "user@example.com"
    assert verp_decode(address, prefixes=("NEWS-RETURN-123-",)) == "user@example.com"
    assert verp_decode(address) is None
    assert verp_decode(address, prefixes=("other-",)) is None
    assert verp_encode("u@e.example", bounce="n@h.example", delimiter="-") == "n-u=e.example@h.example"


@pytest.mark.parametrize(
    "address",
    ["", "bounces@news.example", "bounces+user@news.example", "bounces+=example.com@news.example",
     "bounces+user=@n.example", "bounces+user=localhost@news.example", "bounces+user=example.com",
     "bounces+u=%FF.example@news.example"],
)  # fmt: skip
def test_what_is_no_verp_address(address: str) -> None:
    assert verp_decode(address) is None


def test_what_verp_refuses() -> None:
    """RFC 5321 4.5.3.1.1: 64 octets of local part."""
    verp_encode("u" * 43 + "@example.com", bounce="bounces@news.example")
    with pytest.raises(ValueError, match="64"):
        verp_encode("u" * 45 + "@example.com", bounce="bounces@news.example")
    for recipient, bounce in (("user", "b@h.example"), ("u@e.example", "b"), ("@e.example", "b@h.example")):
        with pytest.raises(ValueError, match="not an address"):
            verp_encode(recipient, bounce=bounce)
    with pytest.raises(ValueError, match="delimiter"):
        verp_encode("u@e.example", bounce="a+b@h.example")


LOCAL = st.text(
    st.characters(codec="utf-8", exclude_characters="@", exclude_categories=("Cs",)), min_size=1, max_size=8
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(LOCAL)
def test_every_local_part_comes_back(local: str) -> None:
    recipient = f"{local}@example.com"
    try:
        address = verp_encode(recipient, bounce="b@news.example")
    except ValueError:
        return
    assert address.isascii()
    assert verp_decode(address) == recipient


# --- wrappings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "inner"),
    [
        ("prvs=1234abcdef=user@example.com", "user@example.com"),
        ("PRVS=1234ABCDEF=User@example.com", "User@example.com"),
        ("prvs=user/1234abcdef@example.com", "user@example.com"),
        ("btv1==123abc==user@example.com", "user@example.com"),
        ("SRS0=HHH=TT=example.com=user@fwd.example", "user@example.com"),
        ("srs0+HHH=TT=example.com=user@fwd.example", "user@example.com"),
        ("SRS0=HHH=TT=example.com=a=b@fwd.example", "a=b@example.com"),
        ("SRS1=HHH=mid.example==GGG=TT=example.com=user@fwd.example", "user@example.com"),
        ("prvs=1234abcdef=bounces+u=e.example@news.example", "bounces+u=e.example@news.example"),
        ("prvs=1234abcdef=prvs=1234abcdef=user@example.com", "user@example.com"),
        ("prvs=12=user@example.com", "prvs=12=user@example.com"),
        ("user@example.com", "user@example.com"),
        ("user", "user"),
        ("", ""),
    ],
)
def test_unwrap(address: str, inner: str) -> None:
    assert unwrap(address) == inner


def batv(user: str, key: bytes, number: str = "1", day: str = "234") -> str:
    mac = hmac.new(key, f"{number}{day}{user}".encode(), hashlib.sha1).hexdigest()[:6]
    return f"prvs={number}{day}{mac}={user}"


def test_batv_tags_made_with_our_key() -> None:
    keys = {1: b"a batv key"}
    address = batv("bounces@news.example", keys[1])
    assert batv_is_ours(address, keys)
    assert batv_is_ours(address.replace("prvs", "PRVS"), keys)
    assert not batv_is_ours(address, {2: keys[1]})
    assert not batv_is_ours(address, {1: b"another key"})
    assert not batv_is_ours(address.replace("bounces", "bouncez"), keys)
    assert not batv_is_ours(address, {})
    assert not batv_is_ours("bounces@news.example", keys)
    proof = find_proof(headers(("Delivered-To", address)), settings=MatchSettings(batv_keys=keys))
    assert proof.matched == "batv"


# --- hostile ----------------------------------------------------------------------------------------------------------


def test_settings_tell_no_secret_and_pickle() -> None:
    settings = MatchSettings(ref_signer=SIGNER, batv_keys={1: b"batv key"}, verp_domains=("news.example",))
    assert "batv key" not in repr(settings)
    assert pickle.loads(pickle.dumps(settings)).verp_domains == ("news.example",)


@pytest.mark.parametrize("run", ["a", "@", "=", "prvs=", "a@b,", "+", "%41", "<a@b> ", "SRS0=a=b=c="])
def test_no_run_is_slow(run: str) -> None:
    long = run * 20_000
    everything = MatchSettings(ref_signer=SIGNER, verp_domains=("b",), batv_keys={1: b"k"})
    find_proof(headers(("To", long)), returned=headers(("X-Mailgate-Ref", long)), settings=everything)
    unwrap(long)
    verp_decode(long)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.text(alphabet="abprvsSR01=+%@./<> ", max_size=60))
def test_any_text_is_read_without_harm(text: str) -> None:
    unwrap(text)
    verp_decode(text, prefixes=("b",))
    batv_is_ours(text, {1: b"k"})
