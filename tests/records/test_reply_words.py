"""The comparison form of reply texts: what is the same becomes the same, names are taken out, cost is bounded."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.records._reply_words import MAX_TEXT_CHARACTERS, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mailbox_FULL!", "mailbox full"),
        ("doesn't", "doesn t"),
        ("a\r\nb\tc", "a b c"),
        ("", ""),
        ("...", ""),
        ("<user@example.com>: unknown", "xaddr unknown"),
        ("user@example.com unknown", "xaddr unknown"),
        ("RCPT TO:<user@example.com>", "rcpt to xaddr"),
        ("(user@example.com:blocked)", "xaddr blocked"),
        ("mailto:user+tag=x@ex-ample.co.uk.", "mailto xaddr"),
        ("@", ""),
        ("a@ b", "a b"),
        ("from [192.0.2.1] port 25", "from xip port 25"),
        ("192.0.2.1:25", "xip 25"),
        ("521< 192.0.2.25 >_is_blocked", "521 xip is blocked"),
        ("2001:db8::25 listed", "xip listed"),
        ("[2001:db8:0:0:0:0:0:25]", "xip"),
        ("::ffff:192.0.2.1", "xip"),
        ("antispam.example.com says", "xhost says"),
        ("[AM5EUR02FT022.eop-EUR02.prod.protection.outlook.com]", "xhost"),
        ("https://virus.example.org/why?x=1", "https xhost why x 1"),
        ("blocked using zen.spamhaus.org.", "blocked using zen spamhaus org"),
        ("blocked using rbl.example", "blocked using rbl example"),
        ("https://support.google.com/mail/?p=NoSuchUser", "https support google com mail p nosuchuser"),
        ("mailbox full.Please wait", "mailbox full please wait"),
        ("blocked.In doubt ask", "blocked in doubt ask"),
        ("RESOLVER.ADR.RecipNotFound", "resolver adr recipnotfound"),
        ("example.com", "xhost"),
        ("invoice.exe", "invoice exe"),
        ("at 23:34:45 on", "at 23 34 45 on"),
        ("version 1.2.3", "version 1 2 3"),
        ("host mx.example.com[192.0.2.1] said: 550 no", "said 550 no"),
        ("host mx.example.com[192.0.2.1]:25 said: 550 no", "said 550 no"),
        ("Boîte aux lettres pleine", "boite aux lettres pleine"),
        ("Postfach überfüllt", "postfach uberfullt"),
        ("ПОЧТОВЫЙ ящик", "почтовыи ящик"),
        ("メールボックスが一杯", "メールボックスが一杯"),
        ("사용자 없음", "사용자 없음"),
        ("＜ｆｕｌｌ＞", "full"),
    ],
)
def test_words(text: str, words: str) -> None:
    assert words_of(text) == f" {words} "


def test_only_the_first_characters_are_read() -> None:
    assert words_of("a " * MAX_TEXT_CHARACTERS).count("a") == MAX_TEXT_CHARACTERS // 2


@pytest.mark.parametrize(
    "run", ["a", "@", "<", "1.", ":", "a@", "<a@", "é", "host a[", "1.1.1.", "::", "said:", "a.", "a-.", "aa.bb"]
)
def test_no_run_is_slow(run: str) -> None:
    words_of(run * 200_000)


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.text(max_size=200))
def test_the_form_is_stable(text: str) -> None:
    words = words_of(text)
    assert words[0] == words[-1] == " "
    assert "  " not in words.strip() or words == "  "
    assert not any(character.isupper() and character.isascii() for character in words)
