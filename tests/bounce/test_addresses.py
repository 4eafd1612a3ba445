"""Addresses as reports write them."""

import pytest

from mailgate.bounce._addresses import (
    MAX_ADDRESS_CHARACTERS,
    MAX_LINE_CHARACTERS,
    decode_utf8_escapes,
    decode_words,
    decode_xtext,
    find_addresses,
    is_address,
    is_system_address,
    read_address,
    split_type,
)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("ada@target.example", "ada@target.example"),
        (" <ada@target.example> ", "ada@target.example"),
        ("Ada Lovelace <ada@target.example>", "ada@target.example"),
        ('"Lovelace, Ada" <ada@target.example>', "ada@target.example"),
        ("ada@target.example (Ada Lovelace)", "ada@target.example"),
        ("[SMTP:ada@target.example]", "ada@target.example"),
        ("SMTP:ada@target.example", "ada@target.example"),
        ("mailto:ada@target.example", "ada@target.example"),
        ("'ada@target.example'", "ada@target.example"),
        ("ada@target.example.", "ada@target.example"),
        ("@a.example,@b.example:ada@target.example", "ada@target.example"),
        ("<@a.example:ada@target.example>", "ada@target.example"),
        ("ada%inner@target.example", "ada%inner@target.example"),
        ('"ada lovelace"@target.example', '"ada lovelace"@target.example'),
        ('"a@b"@target.example', '"a@b"@target.example'),
        ("ada@[192.0.2.1]", "ada@[192.0.2.1]"),
        ("ada@[IPv6:2001:db8::1]", None),
        ("Jörg@bücher.example", "Jörg@bücher.example"),
        ("=?utf-8?Q?ada=40target=2Eexample?=", "ada@target.example"),
        ("\\x{6A}\\x{F6}rg@target.example", "jörg@target.example"),
        ("c=US;a= ;p=IKON;o=Nexus2;dda:SMTP=ada@target.example;", "ada@target.example"),
        ("david...@gmail.example", "david...@gmail.example"),
        ("ada..l@docomo.example", "ada..l@docomo.example"),
        (".ada.@docomo.example", ".ada.@docomo.example"),
        ("root@localhost", "root@localhost"),
        ("/o=First/ou=x/cn=ada", None),
        ("|/usr/bin/vacation ada", None),
        ("ada", None),
        ("@target.example", None),
        ("ada@", None),
        ("", None),
        ("a" * MAX_ADDRESS_CHARACTERS + "@x.example", None),
    ],
)
def test_one_address(written: str, address: str | None) -> None:
    assert read_address(written) == address


@pytest.mark.parametrize(
    ("line", "addresses"),
    [
        ("write to ada@target.example, or bob@target.example.", ["ada@target.example", "bob@target.example"]),
        ("(ada@target.example)", ["ada@target.example"]),
        ('said: "ada b"@target.example unknown', ['"ada b"@target.example']),
        ("<ada@target.example>:550", ["ada@target.example"]),
        ("SMTP=ada@target.example", ["ada@target.example"]),
        ("see https://x.example/?to=ada@target.example", []),
        ("bounces+ada=target.example@sender.example", ["bounces+ada=target.example@sender.example"]),
        ("宛先：ada@target.example。", ["ada@target.example"]),
        ("@ @@ a@ @b", []),
        ("a@b" + " " * MAX_LINE_CHARACTERS + "c@d", ["a@b"]),
    ],
)
def test_addresses_in_prose(line: str, addresses: list[str]) -> None:
    assert find_addresses(line) == addresses


@pytest.mark.parametrize(
    ("value", "kind", "rest"),
    [
        ("rfc822; a@b", "rfc822", "a@b"),
        ("RFC822;a@b", "rfc822", "a@b"),
        ("rfc/822; a@b", "rfc/822", "a@b"),
        ("= rfc822; a@b", "rfc822", "a@b"),
        ("x400; /C=US;/A=x", "x400", "/C=US;/A=x"),
        ("a@b", None, "a@b"),
        ("a@b; c", None, "a@b; c"),
        ("dns; mx.example", "dns", "mx.example"),
        ("", None, ""),
    ],
)
def test_types(value: str, kind: str | None, rest: str) -> None:
    assert split_type(value) == (kind, rest)


@pytest.mark.parametrize(
    ("written", "decoded"),
    [
        ("ada+2Bnews@target.example", "ada+news@target.example"),
        ("ada+3Dx@target.example", "ada=x@target.example"),
        ("ada+news@target.example", "ada+news@target.example"),
        ("ada+22@target.example", "ada+22@target.example"),
        ("+22ada+20b+22@target.example", '"ada b"@target.example'),
        ("j+C3+B6rg@target.example", "jörg@target.example"),
        ("ada+FF@target.example", "ada+FF@target.example"),
        ("ada@target.example", "ada@target.example"),
    ],
)
def test_xtext_is_decoded_only_where_it_is_meant(written: str, decoded: str) -> None:
    assert decode_xtext(written) == decoded


def test_escapes_that_name_no_character_stay() -> None:
    assert decode_utf8_escapes("\\x{D800}\\x{110000}\\x{41}") == "\\x{D800}\\x{110000}A"


@pytest.mark.parametrize("broken", ["=?utf-8?Q?ab", "=?nonsense?B?!!!?=", "=?x-unknown?Q?=41?="])
def test_broken_encoded_words_stay(broken: str) -> None:
    assert isinstance(decode_words(broken), str)


def test_system_addresses() -> None:
    assert is_system_address("MAILER-DAEMON@mx.example")
    assert is_system_address("postmaster@mx.example")
    assert not is_system_address("ada@mx.example")


def test_is_address_takes_nothing_off() -> None:
    assert is_address("ada@target.example")
    assert not is_address("<ada@target.example>")
    assert not is_address(None)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("ada@target.exampleへのメールは", "ada@target.example"),
        ("ada@target.example님께", "ada@target.example"),
        ("ada@target.example的邮件", "ada@target.example"),
        ("ada@例え.テスト", "ada@例え.テスト"),
        ("ada@target例え.example", "ada@target例え.example"),
        ("ada@täst.example", "ada@täst.example"),
    ],
)
def test_words_that_are_written_on_to_an_address(written: str, address: str) -> None:
    assert read_address(written) == address
    assert find_addresses(f"メール {written} です") == [address]
