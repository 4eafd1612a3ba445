"""The form of an address: real vectors, every reason with its place, limits at their edges, and no exception ever."""

import json
import os
import pickle
import random
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.validator import ALL_FORMS, Mailbox, SyntaxFault, SyntaxOptions, SyntaxReason, check_syntax, dedupe_key
from tests.support import needs
from tests.support.growth import is_linear

VECTORS = Path(__file__).parents[2] / "fixtures" / "validator" / "addresses"
NO_LIMIT = SyntaxOptions(max_local_octets=None)


def rows(name: str, folder: Path = VECTORS) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def score(folder: Path) -> None:
    """Every scored vector right, every disputed one as recommended, every normal form exact."""
    wrong = [
        row["address"]
        for row in rows("addresses.jsonl", folder)
        if isinstance(check_syntax(row["address"], ALL_FORMS), Mailbox) is not row["valid"]
    ]
    assert wrong == []
    disputed = [
        (row["address"], row["policy"])
        for row in rows("disputed.jsonl", folder)
        if isinstance(check_syntax(row["address"], ALL_FORMS), Mailbox) is not row["recommend"]
    ]
    assert disputed == []
    for row in rows("normalisation.jsonl", folder):
        mailbox = check_syntax(row["address"], ALL_FORMS)
        assert isinstance(mailbox, Mailbox), row["address"]
        found = mailbox.to_dict() | {"domain_ascii": mailbox.domain}
        expected = {key: value for key, value in row.items() if key not in ("address", "source")}
        assert {key: found[key] for key in expected} == expected


def test_the_vectors() -> None:
    assert len(rows("addresses.jsonl")) == 607
    score(VECTORS)


def test_the_vectors_of_the_full_corpus() -> None:
    score(Path(needs.corpora()) / "addresses")


def test_what_an_address_needs_is_what_it_is_refused_for() -> None:
    """With the defaults, a quoted local part or a literal is refused, and only for being one."""
    reasons = {"quoted_local": SyntaxReason.QUOTED_LOCAL, "address_literal": SyntaxReason.ADDRESS_LITERAL}
    seen = set()
    for row in rows("addresses.jsonl"):
        needed = [name for name in row["needs"] if name in reasons]
        if row["valid"]:
            result = check_syntax(row["address"])
            assert isinstance(result, Mailbox) is not needed or needed == []
            if needed:
                assert isinstance(result, SyntaxFault)
                assert result.reason is reasons[needed[0]]
                seen.add(needed[0])
            else:
                assert isinstance(result, Mailbox)
    assert seen == set(reasons)


@pytest.mark.parametrize(
    ("text", "reason", "position"),
    [
        ("", "empty", 0),
        ("plain", "no_at_sign", 5),
        ("a@b@example.com", "two_at_signs", 3),
        ("@example.com", "empty_local", 0),
        ("a@", "empty_domain", 2),
        (" a@example.com", "white_space", 0),
        ("a@example.com\n", "white_space", 13),
        ("a\u2003b@example.com", "white_space", 1),
        ("a@exam\u3000ple.com", "white_space", 6),
        ("a\x00b@example.com", "control_character", 1),
        ("a@exam\x00ple.com", "control_character", 6),
        ('"a\x01b"@example.com', "control_character", 2),
        ("a(b)@example.com", "comment", 1),
        ("a@example.com(b)", "comment", 13),
        ("Ann<a@example.com>", "angle_bracket", 3),
        ("<a@example.com>", "angle_bracket", 0),
        ("a@example.com> SIZE=1", "angle_bracket", 13),
        ("a\\b@example.com", "backslash", 1),
        ('"a\\\u00e9"@example.com', "backslash", 2),
        ('a"b"@example.com', "misplaced_quote", 1),
        ("a,b@example.com", "local_character", 1),
        (".a@example.com", "leading_dot", 0),
        ("a.@example.com", "trailing_dot", 1),
        ("a..b@example.com", "two_dots", 2),
        ('"a@example.com', "quote_not_closed", 0),
        ('"a\\"@example.com', "quote_not_closed", 0),
        ('"a"b@example.com', "text_after_quote", 3),
        ('""@example.com', "empty_quotes", 0),
        ('"a b"@example.com', "quoted_local", 0),
        ("a\u200bb@example.com", "unsafe_character", 1),
        ("\u0301a@example.com", "unsafe_character", 0),
        ("a\ue000@example.com", "unsafe_character", 1),
        ("a\ud800@example.com", "unsafe_character", 1),
        ("a\u0378@example.com", "unsafe_character", 1),
        ("a\u037eb@example.com", "unstable_character", 1),
        ("a" * 65 + "@example.com", "local_too_long", 64),
        ("漢" * 22 + "@example.com", "local_too_long", 21),
        ("a@exam!ple.com", "domain_character", 6),
        ("a@exam\\ple.com", "domain_character", 6),
        ("a@exa℀ple.com", "domain_character", 2),
        ("a@exam_ple.com", "underscore", 6),
        ("a@example..com", "empty_label", 10),
        ("a@.example.com", "empty_label", 2),
        ("a@\u00ad.com", "empty_label", 2),
        ("a@example.com.", "final_dot", 13),
        ("a@-example.com", "hyphen", 2),
        ("a@example-.com", "hyphen", 9),
        ("a@bücher-.com", "hyphen", 8),
        ("a@" + "x" * 64 + ".com", "label_too_long", 65),
        ("a@" + "ü" * 60 + ".com", "label_too_long", 2),
        ("a@" + "x" * 63 + ("." + "x" * 63) * 3 + ".com", "domain_too_long", 255),
        ("abc@" + ("x" * 61 + ".") * 4 + "cde", "address_too_long", 254),
        ("a@localhost", "dotless_domain", 2),
        ("a@192.0.2.1", "numeric_tld", 10),
        ("a@[192.0.2.1]", "address_literal", 2),
        ("a@[192.0.2.256]", "bad_literal", 3),
        ("a@[192.0.02.1]", "bad_literal", 3),
        ("a@[192.0.2.١]", "bad_literal", 3),
        ("a@[2001:db8::1]", "bad_literal", 3),
        ("a@[IPv6:fe80::1%eth0]", "bad_literal", 3),
        ("a@[192.0.2.1", "literal_not_closed", 2),
        ("a@[192.0.2.1].com", "literal_not_closed", 2),
        ("a@xn--0.com", "bad_a_label", 2),
        ("a@xn--.com", "hyphen", 5),
        ("a@xn--a-ecp.ru", "bad_a_label", 2),  # decodes to a symbol
        ("a@☃.com", "idna_disallowed", 2),
        ("a@exam\u3164ple.com", "idna_disallowed", 6),
        ("a@ex⒈ample.com", "idna_disallowed", 4),
        ("a@exam\u200bple.com", "idna_disallowed", 6),
        ("a@exam\u0378ple.com", "idna_unassigned", 6),
        ("a@exam\u200dple.com", "idna_context", 6),
        ("a@a·b.com", "idna_context", 3),
        ("a@\u0301abc.com", "idna_combining_mark", 2),
        ("a@üb--x.com", "idna_hyphens", 4),
        ("a@yy－－0.com", "idna_hyphens", 2),
        ("a@\u0661\u0662.com", "idna_bidi", 2),
    ],
)  # fmt: skip
def test_the_first_fault_has_its_reason_and_its_place(text: str, reason: str, position: int) -> None:
    fault = check_syntax(text)
    assert isinstance(fault, SyntaxFault)
    assert (str(fault.reason), fault.position) == (reason, position)
    assert fault.message.endswith(f"(at character {position + 1})")
    assert fault.to_dict()["message"] == fault.message
    assert pickle.loads(pickle.dumps(fault)) == fault


def test_every_reason_is_reached_by_a_case_above() -> None:
    marker = test_the_first_fault_has_its_reason_and_its_place.pytestmark[0]
    reached = {case[1] for case in marker.args[1]}
    never_alone = {"idna_not_normalised", "smtputf8_local"}
    assert {str(reason) for reason in SyntaxReason} - reached == never_alone


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ('"a b"@example.com', SyntaxOptions(allow_quoted_local=True)),
        ("a@[192.0.2.1]", SyntaxOptions(allow_address_literal=True)),
        ("a@[ipv6:2001:DB8:0:0::1]", SyntaxOptions(allow_address_literal=True)),
        ("a@localhost", SyntaxOptions(allow_dotless=True)),
        ("a" * 65 + "@example.com", NO_LIMIT),
        ("a" * 70 + "@example.com", SyntaxOptions(max_local_octets=70)),
    ],
)
def test_every_option_lets_something_through(text: str, options: SyntaxOptions) -> None:
    assert isinstance(check_syntax(text), SyntaxFault)
    mailbox = check_syntax(text, options)
    assert isinstance(mailbox, Mailbox)
    assert pickle.loads(pickle.dumps(mailbox)) == mailbox


def test_options_can_be_stricter_too() -> None:
    assert isinstance(check_syntax("josé@example.com"), Mailbox)
    fault = check_syntax("josé@example.com", SyntaxOptions(allow_smtputf8=False))
    assert isinstance(fault, SyntaxFault)
    assert fault.reason is SyntaxReason.SMTPUTF8_LOCAL
    assert isinstance(check_syntax("abcde@example.com", SyntaxOptions(max_local_octets=4)), SyntaxFault)


@pytest.mark.parametrize(
    ("length", "good"), [(63, True), (64, True), (65, False)], ids=["local-63", "local-64", "local-65"]
)
def test_local_parts_at_the_limit(length: int, good: bool) -> None:
    for local in ("a" * length, '"' + "a" * (length - 2) + '"'):
        assert isinstance(check_syntax(f"{local}@example.com", ALL_FORMS), Mailbox) is good


@pytest.mark.parametrize("label", [62, 63, 64])
def test_labels_at_the_limit(label: int) -> None:
    assert isinstance(check_syntax(f"a@{'x' * label}.com"), Mailbox) is (label <= 63)


@pytest.mark.parametrize("total", [253, 254, 255])
def test_addresses_at_the_limit(total: int) -> None:
    domain = ".".join(["x" * 60] * 3)
    address = "a" * (total - len(domain) - 5) + "@" + domain + ".com"
    assert len(address) == total
    assert isinstance(check_syntax(address, NO_LIMIT), Mailbox) is (total <= 254)


@pytest.mark.parametrize(
    ("length", "reason"), [(252, None), (253, SyntaxReason.ADDRESS_TOO_LONG), (254, SyntaxReason.DOMAIN_TOO_LONG)]
)
def test_domains_at_the_limit(length: int, reason: SyntaxReason | None) -> None:
    """A domain of 253 octets is a name, and leaves no room for a local part."""
    result = check_syntax("a@" + ("x" * 49 + ".") * 5 + "c" * (length - 250))
    assert (result.reason if isinstance(result, SyntaxFault) else None) is reason


def test_lengths_count_the_form_that_travels() -> None:
    """The A-label form of a domain is longer than what was written."""
    label = "ü" * 40
    written = f"a@{label}.{label}.{label}.{label}.{label}.example"
    assert len(written) < 254
    fault = check_syntax(written)
    assert isinstance(fault, SyntaxFault)
    assert fault.reason in (SyntaxReason.ADDRESS_TOO_LONG, SyntaxReason.DOMAIN_TOO_LONG)


def test_all_forms_of_a_mailbox() -> None:
    mailbox = check_syntax("José@XN--Bcher-KVA.example")
    assert isinstance(mailbox, Mailbox)
    assert mailbox.normalized == str(mailbox) == "José@bücher.example"
    assert mailbox.envelope == "José@xn--bcher-kva.example"
    assert mailbox.ascii_address is None
    plain = check_syntax("Jo.Se@BÜCHER。example")
    assert isinstance(plain, Mailbox)
    assert plain.ascii_address == "Jo.Se@xn--bcher-kva.example"
    assert not plain.smtputf8


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("J.o.e+news@GMAIL.com", "joe@gmail.com"),
        ("joe@googlemail.com", "joe@gmail.com"),
        ("Joe+a@Outlook.com", "joe@outlook.com"),
        ("j.oe@outlook.com", "j.oe@outlook.com"),
        ("joe-a@yahoo.com", "joe-a@yahoo.com"),
        ("a+b@yandex.com", "a@yandex.ru"),
        ("Jean-Paul+x@example.com", "jean-paul+x@example.com"),
        ("+a@gmail.com", "+a@gmail.com"),
        ("JOSÉ@Bücher.example", "josé@xn--bcher-kva.example"),
    ],
)
def test_the_dedupe_key_folds_only_what_the_provider_folds(text: str, key: str) -> None:
    mailbox = check_syntax(text)
    assert isinstance(mailbox, Mailbox)
    assert dedupe_key(mailbox) == key


ODD_CHARACTERS = st.sampled_from(
    '@@@..--"\\[]()<> \t\r\n\x00ü漢ßς\u0301\u200c\u200d\u00ad。．ａxn0:%IPv6\ud800\U000e0100☃١ا'
)


@settings(max_examples=1500, derandomize=True, deadline=None)
@given(st.text(st.one_of(ODD_CHARACTERS, st.characters()), max_size=40))
def test_any_string_gets_an_answer_and_a_mailbox_is_stable(text: str) -> None:
    result = check_syntax(text, ALL_FORMS)
    if isinstance(result, SyntaxFault):
        assert 0 <= result.position <= len(text)
        return
    again = check_syntax(result.normalized, ALL_FORMS)
    assert isinstance(again, Mailbox)
    assert (again.normalized, again.domain, again.local) == (result.normalized, result.domain, result.local)
    assert unicodedata.normalize("NFC", result.local) == result.local
    wire = result.envelope.encode("utf-8")
    assert not any(octet < 0x20 or octet == 0x7F for octet in wire)
    assert len(wire) <= 254


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.from_regex(r"\A[a-z0-9]{1,10}(\.[a-z0-9]{1,5}){0,2}@([a-z0-9]{1,8}\.){1,3}[a-z]{2,6}\Z"))
def test_the_pattern_and_the_walk_agree(text: str) -> None:
    """The fast path is an optimisation: behind a limit of 253 octets the walk gives the same."""
    fast = check_syntax(text)
    slow = check_syntax(text.replace("@", "\u00e9@"))
    assert isinstance(fast, Mailbox)
    assert isinstance(slow, Mailbox)
    assert (slow.domain, slow.domain_unicode) == (fast.domain, fast.domain_unicode)


def test_mutations_of_real_addresses_raise_nothing() -> None:
    rng = random.Random(5321)
    seeds = [row["address"] for row in rows("addresses.jsonl")]
    alphabet = '@.-_"\\[]()<>: \t\r\n\x00aZ9ü漢\u0301\u200d\u202e\ufeff\ud800\U0001f600xn--IPv6:'
    for _ in range(int(os.environ.get("MAILGATE_FUZZ", "20000"))):
        text = list(rng.choice(seeds))
        for _ in range(rng.randint(1, 4)):
            where = rng.randrange(len(text) + 1)
            text[where : where + rng.randint(0, 2)] = rng.choice(alphabet)
        result = check_syntax("".join(text), ALL_FORMS)
        assert isinstance(result, Mailbox | SyntaxFault)


def test_every_truncation_of_every_vector_gets_an_answer() -> None:
    for row in rows("addresses.jsonl"):
        for end in range(len(row["address"])):
            assert isinstance(check_syntax(row["address"][:end], ALL_FORMS), Mailbox | SyntaxFault)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "a" * n + "@x.com",
        lambda n: "a@" + "ü" * n,
        lambda n: "a@" + "ü." * n,
        lambda n: "a@" + "x-" * n,
        lambda n: '"' + "\\\\" * n + '"@x.com',
        lambda n: "a@" + "x\u0301\u0323" * n + ".com",
        lambda n: "a.b" * n + "!",
        lambda n: "a@" + "xn--a." * n + "com",
        lambda n: "a@[IPv6:" + "1:" * n + "]",
    ],
)
def test_time_grows_with_length_and_not_faster(make: Any) -> None:
    texts: dict[int, str] = {}

    def run(size: int) -> None:
        check_syntax(texts.get(size) or texts.setdefault(size, make(size)), NO_LIMIT)

    assert is_linear(run, 8_000)


def test_it_takes_text_only() -> None:
    for value in (b"a@example.com", None, 1):
        with pytest.raises(TypeError):
            check_syntax(value)  # type: ignore[arg-type]


def test_this_unicode_is_what_the_manual_says() -> None:
    assert unicodedata.unidata_version >= "14" or sys.version_info < (3, 11)
