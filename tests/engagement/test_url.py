"""Which destinations are signed, and what is written into a Location field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.engagement import UnsafeURL
from mailgate.engagement._url import check_url, has_host, has_userinfo, location

GOOD = [
    ("https://e.example/", "the plain case"),
    ("http://e.example", "no path"),
    ("HTTPS://E.example/A", "upper case"),
    ("https://e.example/?a=1&b=2#c", "query and fragment"),
    ("https://e.example/%2F%zz%", "escapes, also broken ones"),
    ("https://user:pass@e.example:8443/", "userinfo and port"),
    ("https://[2001:db8::1]:443/x", "an IPv6 literal"),
    ("https://192.0.2.1/", "an IPv4 literal"),
    ("https://bücher.example/ä?ö=ü", "IDN and non-ASCII path"),
    ("https://e.example/a|b{c}^d`", "characters that URLs do not have and templates do"),
    ("https://e.example:/x", "an empty port"),
    ("https://e_x.example/", "an underscore in the host"),
]
BAD = [
    ("", "not_http"),
    ("/relative", "not_http"),
    ("//e.example/", "not_http"),
    ("#top", "not_http"),
    ("e.example", "not_http"),
    (" https://e.example/", "not_http"),
    ("javascript:alert(1)", "not_http"),
    ("JaVaScRiPt:alert(1)", "not_http"),
    ("data:text/html,x", "not_http"),
    ("vbscript:x", "not_http"),
    ("file:///etc/passwd", "not_http"),
    ("mailto:a@e.example", "not_http"),
    ("ftp://e.example/", "not_http"),
    ("https:e.example", "not_http"),
    ("https:/e.example", "not_http"),
    ("java\tscript:alert(1)", "control"),
    ("java\nscript://x", "control"),
    ("\x01https://e.example/", "control"),
    ("https://e.example/a\rb", "control"),
    ("https://e.example/a\nb", "control"),
    ("https://e.example/\r\nSet-Cookie: x=1", "control"),
    ("https://e.example/a\tb", "control"),
    ("https://e.example/a\0b", "control"),
    ("https://e.example/a\x7fb", "control"),
    ("https://e.example/a\x85b", "control"),
    ("https://e.example/\ud800", "surrogate"),
    ("https://e.example/a b", "character"),
    ('https://e.example/a"b', "character"),
    ("https://e.example/a<b", "character"),
    ("https://e.example/a>b", "character"),
    ("https://e.example/a\\b", "character"),
    ("https://good.example\\@evil.example/", "character"),
    ("http://", "no_host"),
    ("https:///path", "no_host"),
    ("https://?q", "no_host"),
    ("https://user@/", "no_host"),
    ("https://:80/", "no_host"),
    ("https://./", "no_host"),
    ("https://[::1/", "bad_host"),
    ("https://[zz]/", "bad_host"),
    ("https://[::1]x/", "bad_host"),
    ("https://a[b/", "bad_host"),
    ("https://e.example:x/", "bad_port"),
    ("https://e.example:65536/", "bad_port"),
    ("https://e.example:٣/", "bad_port"),
]
REPAIRED = [
    ("https://e.example/a b", "https://e.example/a%20b"),
    ('https://e.example/"a"?<b>', "https://e.example/%22a%22?%3Cb%3E"),
    ("https://e.example\\a\\b?c\\d", "https://e.example/a/b?c%5Cd"),
    ("https://good.example\\@evil.example/", "https://good.example/@evil.example/"),
    ("https://bücher.example/ä?ö=ü#ß", "https://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC#%C3%9F"),
    ("https://BÜCHER.example:8080/", "https://xn--bcher-kva.example:8080/"),
    ("https://ü@bücher.example/", "https://%C3%BC@xn--bcher-kva.example/"),
    ("https://e.example/%C3%A4ä%2f", "https://e.example/%C3%A4%C3%A4%2f"),
    ("https://e.example/`", "https://e.example/%60"),
    ("http://", "http://"),
    ("https://例え.テスト/パス", "https://xn--r8jz45g.xn--zckzah/%E3%83%91%E3%82%B9"),
]


@pytest.mark.parametrize(("url", "why"), GOOD)
def test_good_destinations(url: str, why: str) -> None:
    check_url(url)
    assert location(url).isascii()
    assert location(url).isprintable()


@pytest.mark.parametrize(("url", "reason"), BAD)
def test_bad_destinations(url: str, reason: str) -> None:
    with pytest.raises(UnsafeURL) as caught:
        check_url(url)
    assert caught.value.reason == reason
    assert caught.value.url == url
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(("url", "reason"), [row for row in BAD if row[1] in ("control", "surrogate", "not_http")])
def test_what_is_never_signed_is_never_redirected_to_either(url: str, reason: str) -> None:
    for check in (lambda: check_url(url, as_written=True), lambda: location(url)):
        with pytest.raises(UnsafeURL, match=reason):
            check()


@pytest.mark.parametrize(("url", "expected"), REPAIRED)
def test_what_stands_in_mail_is_repaired_as_browsers_do(url: str, expected: str) -> None:
    check_url(url, as_written=True)
    assert location(url) == expected


@pytest.mark.parametrize("url", ["https://e.example/a%20b?x=%C3%A4+1&y=/%2F#f", "http://1.2.3.4:81/?a=b=c;d,e!$'()*"])
def test_an_ascii_destination_is_not_touched(url: str) -> None:
    assert location(url) == url


@given(st.text(max_size=60))
def test_a_location_never_holds_anything_but_visible_ascii(text: str) -> None:
    url = "https://e.example/" + text
    try:
        value = location(url)
    except UnsafeURL:
        return
    assert value.isascii()
    assert value.isprintable()
    assert not set(value) & set(' "<>\\')


def test_lint() -> None:
    assert not has_host("http://")
    assert not has_host("http:///x")
    assert has_host("http://e")
    assert has_userinfo("https://bank.example@evil.example/")
    assert not has_userinfo("https://e.example/@x")
