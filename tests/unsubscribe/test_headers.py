"""The header pair: what is written, and what is refused because it would not work."""

import re
from email import policy
from email.message import EmailMessage
from email.mime.text import MIMEText

import pytest

from mailgate.unsubscribe import (
    Subscription,
    UnsubscribeLinks,
    UnsubscribeSigner,
    check_unsubscribe_headers,
    unsubscribe_headers,
)
from tests.unsubscribe.wsgi import ANN, KEYS, SIGNER

LINKS = UnsubscribeLinks(keys=KEYS, base_url="https://news.example/u", mailto_address="leave@news.example")


def test_the_pair() -> None:
    assert unsubscribe_headers("https://news.example/u/1") == (
        ("List-Unsubscribe", "<https://news.example/u/1>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )


def test_https_stands_first_and_mailto_behind_it() -> None:
    (_, value), _ = unsubscribe_headers("https://news.example/u/1", mailto="leave@news.example", fold=None)
    assert value == "<https://news.example/u/1>, <mailto:leave@news.example>"
    (_, value), _ = unsubscribe_headers("https://news.example/u/1", mailto="mailto:l@news.example?subject=x%20y")
    assert value.endswith("<mailto:l@news.example?subject=x%20y>")


@pytest.mark.parametrize(("fold", "expected"), [("\r\n ", ",\r\n "), ("\n\t", ",\n\t"), (None, ", ")])
def test_long_values_are_folded_at_the_comma_as_asked(fold: str | None, expected: str) -> None:
    (_, value), _ = unsubscribe_headers("https://news.example/" + "a" * 80, mailto="l@news.example", fold=fold)
    assert value.partition(">")[2].startswith(expected)


def test_short_values_are_not_folded() -> None:
    (_, value), _ = unsubscribe_headers("https://n.example/1", mailto="l@n.example")
    assert "\n" not in value


@pytest.mark.parametrize("fold", ["", "\r\n", "\r\nX-Evil: 1\r\n ", "  ", "\n\n "])
def test_a_fold_is_a_fold(fold: str) -> None:
    with pytest.raises(ValueError, match="fold"):
        unsubscribe_headers("https://news.example/" + "a" * 80, mailto="l@news.example", fold=fold)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://news.example/u", "https"),
        ("mailto:leave@news.example", "https"),
        ("//news.example/u", "https"),
        ("https:news.example/u", "https"),
        ("https:///u", "host"),
        ("https://user:pw@news.example/u", "user information"),
        ("https://news.example/u\r\nX-Evil: 1", "control"),
        ("https://news.example/u\nBcc: x", "control"),
        ("https://news.example/a b", "space"),
        ("https://news.example/\x7f", "control"),
        ("https://news.example/a,b", "comma"),
        ("https://news.example/ü", "ASCII"),
        ("https://xn--\N{SNOWMAN}.example/", "ASCII"),
        ("https://news.example/{{token}}", "placeholder"),
        ("https://news.example/*|UNSUB|*", "placeholder"),
        ("https://news.example/<%= token %>", "space"),
        ("https://news.example/%%unsub%%", "placeholder"),
        ("https://news.example/[[token]]", "placeholder"),
        ("https://news.example/${token}", "placeholder"),
        ("https://news.example/%zz", "placeholder"),
        ("https://news.example/a>b", "placeholder"),
        ('https://news.example/"', "placeholder"),
        ("https://news.example/" + "a" * 1_000, "998"),
        ("", "placeholder|https"),
    ],
)
def test_urls_that_would_not_work_are_refused(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        unsubscribe_headers(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example/u?t=1&l=%2C",
        "https://news.example:8443/a(b)c;d",
        "https://[2001:db8::1]/u",
        "HTTPS://N.EXAMPLE/u",
    ],
)
def test_urls_that_work_are_taken(url: str) -> None:
    assert unsubscribe_headers(url)[0][1] == f"<{url}>"


@pytest.mark.parametrize(
    "mailto",
    [
        "",
        "no address",
        "a@b.example\r\nX: y",
        "a@b.example>, <http://x",
        "mailto:",
        "mailto:a@b@c",
        "mailto:a b@c",
        "@b",
    ],
)
def test_mailto_that_would_not_work_is_refused(mailto: str) -> None:
    with pytest.raises(ValueError, match="mailto"):
        unsubscribe_headers("https://news.example/u", mailto=mailto)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"base_url": "http://news.example/u"}, "https"),
        ({"base_url": "https://news.example/u?t="}, "query"),
        ({"base_url": "https://news.example/u#x"}, "fragment"),
        ({"base_url": "https://news.example/u", "mailto_address": "leave"}, "address"),
        ({"base_url": "https://news.example/u", "mailto_address": "leave+x@news.example"}, "plus"),
        ({"base_url": "https://news.example/u", "mailto_address": "löve@news.example"}, "ASCII"),
    ],
)
def test_links_need_a_base_that_works(values: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        UnsubscribeLinks(keys=KEYS, **values)


def test_the_link_is_the_base_and_a_token() -> None:
    base, _, token = LINKS.url(ANN).rpartition("/")
    assert base == "https://news.example/u"
    assert SIGNER.read(token) == ANN
    assert "ann" not in LINKS.headers(ANN)[0][1]
    assert UnsubscribeLinks(keys=KEYS, base_url="https://news.example/u/").url(ANN) == LINKS.url(ANN)


@pytest.mark.parametrize("local", ["u", "leave", "unsubscribe", "a-rather-long-local-part-of-a-mailbox"])
def test_the_mailto_address_keeps_to_64_octets(local: str) -> None:
    links = UnsubscribeLinks(keys=KEYS, base_url="https://news.example/u", mailto_address=f"{local}@news.example")
    for recipient in ("ann@example.net", "a.very.long.local.part.of.somebody@and.a.very.long.domain.example"):
        subscription = Subscription(recipient=recipient, tenant="shop", stream="news")
        uri = links.mailto(subscription)
        assert uri is not None
        written = uri.removeprefix("mailto:").partition("@")[0]
        assert len(written) <= 64
        short = written.partition("+")[2]
        if short:
            assert SIGNER.read_short(short, sender=recipient) == subscription
        assert SIGNER.read(uri.rpartition("%20")[2]) == subscription


def test_without_a_mailbox_there_is_no_mailto() -> None:
    links = UnsubscribeLinks(keys=KEYS, base_url="https://news.example/u")
    assert links.mailto(ANN) is None
    assert "mailto" not in links.headers(ANN)[0][1]


def test_links_of_a_very_long_subscription_are_refused_and_not_broken() -> None:
    long = Subscription(recipient="a" * 255, tenant="b" * 255, stream="c" * 255, ref="d" * 255)
    with pytest.raises(ValueError, match="998"):
        LINKS.headers(long)


def test_what_pythons_own_email_does_to_it() -> None:
    """The advice of the manual: with its default policy the header is destroyed, with the named one it is not."""

    def sent(message: EmailMessage) -> bytes:
        message["From"] = "news@news.example"
        for name, value in LINKS.headers(ANN, fold=None):
            message[name] = value
        message.set_content("unsubscribe: " + LINKS.url(ANN))
        return message.as_bytes()

    codes = [finding.code for finding in check_unsubscribe_headers(sent(EmailMessage(policy=policy.SMTP)))]
    assert "list_unsubscribe_encoded" in codes
    good = sent(EmailMessage(policy=policy.SMTP.clone(max_line_length=998)))
    codes = [finding.code for finding in check_unsubscribe_headers(good)]
    assert codes == ["not_signed", "list_id_missing"]


def test_folded_values_go_into_the_old_message_class() -> None:
    message = MIMEText("x")
    for name, value in LINKS.headers(ANN):
        message[name] = value
    (uri,) = re.findall(rb"<https://news\.example/u/([^>]*)>", message.as_bytes())
    assert UnsubscribeSigner(keys=KEYS).read(uri.decode()) == ANN
