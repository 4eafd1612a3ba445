"""One form in which addresses are compared: every spelling of an address has one key, no two addresses share one."""

import pickle
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.records import Address, ParseError, address_key, domain_to_ascii, map_domain


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("user@example.com", "user@example.com"),
        ("User@EXAMPLE.com.", "user@example.com"),
        (" <User@example.com>\r\n", "user@example.com"),
        ("user@bücher.example", "user@xn--bcher-kva.example"),
        ("user@XN--BCHER-KVA.example", "user@xn--bcher-kva.example"),
        ("user@BU\u0308CHER。example", "user@xn--bcher-kva.example"),
        ("user@ｅｘａｍｐｌｅ．com", "user@example.com"),
        ("user@exam\u00adple.com", "user@example.com"),
        ("user@exam\u3164ple\ufe0f.com", "user@example.com"),
        ("user@GROẞ.example", "user@xn--gro-7ka.example"),
        ("user@groß.example", "user@xn--gro-7ka.example"),
        ("user@gross.example", "user@gross.example"),
        ("JOSE\u0301@example.com", "josé@example.com"),
        ('"user"@example.com', "user@example.com"),
        ('"us\\er"@example.com', "user@example.com"),
        ('"a b"@example.com', '"a b"@example.com'),
        ('"a\\ b"@example.com', '"a b"@example.com'),
        ('"a..b"@example.com', '"a..b"@example.com'),
        ("a.b+c@gmail.com", "a.b+c@gmail.com"),
        ("a@b@example.com", "a@b@example.com"),
        ("user@[IPv6:2001:DB8::1]", "user@[ipv6:2001:db8::1]"),
    ],
)
def test_every_spelling_has_the_same_key(written: str, key: str) -> None:
    assert Address.parse(written).key == key
    assert address_key(written) == key


@pytest.mark.parametrize(
    "written",
    [
        *("", "@", "user", "user@", "@example.com", "user@.", "a b@example.com", "a@exa mple.com", "a\x00@example.com"),
        *("a@exam\udc80ple.com", "a\r\nb@example.com", "a@exam\nple.com", "a@" + "x" * 2_000, 'a@"example".com'),
        # What becomes syntax, or nothing, once it is normalised.
        *("a@b＠example.com", "a@exam¨ple.com", "a@\u00ad", "a@\u3164.", "a@⑴.com"),
    ],
)
def test_what_is_no_address_is_a_parse_error_in_both_paths(written: str) -> None:
    for reader in (Address.parse, address_key):
        with pytest.raises(ParseError) as caught:
            reader(written)
        assert caught.value.error == "bad_address"


def test_a_label_that_no_name_has_is_refused_before_it_costs_anything() -> None:
    """Punycode takes time that grows with the square of the label."""
    label = "".join(chr(0x4E00 + i) for i in range(64))
    assert domain_to_ascii(label[:63]).startswith("xn--")
    with pytest.raises(ParseError):
        domain_to_ascii(label)
    with pytest.raises(ParseError):
        Address.parse(f"a@{label}.example")


def test_the_record_keeps_what_was_written_and_comes_back() -> None:
    address = Address.parse("Jörg@Bücher.example")
    assert (address.original, address.local, address.domain) == ("Jörg@Bücher.example", "Jörg", "xn--bcher-kva.example")
    assert Address.from_dict(address.to_dict()) == address
    assert pickle.loads(pickle.dumps(address)) == address
    assert str(address) == "Jörg@xn--bcher-kva.example"


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_both_paths_agree_and_the_key_is_a_fixed_point(local: str, domain: str) -> None:
    written = f"{local}@{domain}"
    try:
        key = Address.parse(written).key
    except ParseError:
        with pytest.raises(ParseError):
            address_key(written)
        return
    assert address_key(written) == key
    assert key == unicodedata.normalize("NFC", key)
    assert address_key(key) == key


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.text(max_size=30))
def test_mapping_a_mapped_domain_changes_nothing(domain: str) -> None:
    once = map_domain(domain)
    assert map_domain(once) == once
