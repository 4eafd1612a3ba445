"""Whom a complaint is about: every step of the search, and every way in which it must stop."""

from dataclasses import replace

import pytest

from mailgate.fbl import FeedbackReport, FeedbackSettings, parse
from mailgate.records import Headers, KeyRing, MessageRef, RefSigner
from tests.fbl.build import FIELDS, RETURNED, report, with_rcpt

KEYS = KeyRing.of(b"complaints-test-0f1e2d3c4b5a6978")
SIGNER = RefSigner(KEYS)
REF = MessageRef(ref="winter-42", recipient="ann@example.net", tenant="shop", stream="news")


def read(message: bytes, settings: FeedbackSettings | None = None) -> FeedbackReport:
    found = parse(message, settings=settings or FeedbackSettings())
    assert found is not None
    return found


def header(ref: MessageRef = REF, signer: RefSigner = SIGNER) -> str:
    name, value = signer.header(ref)
    return f"{name}: {value}\n"


def signed() -> FeedbackSettings:
    return FeedbackSettings(refs=SIGNER)


def test_original_rcpt_to_comes_first() -> None:
    found = read(report(with_rcpt("<bob@example.net>", "bob@example.net", "eve@example.net")))
    assert found.recipients == ("bob@example.net", "eve@example.net")
    assert found.recipient_source == "original-rcpt-to"
    assert found.matched is None
    assert "original_rcpt_to" not in found.derived


def test_our_reference_names_whom_the_report_hides() -> None:
    found = read(report(with_rcpt("redacted@example.net"), header() + RETURNED), signed())
    assert found.recipients == ("ann@example.net",)
    assert (found.recipient_source, found.matched, found.ref) == ("ref", "ref", REF)
    assert found.original_rcpt_to == ("redacted@example.net",)
    assert found.stream == "news"
    assert found.to_dict()["ref"] == "winter-42"


def test_without_the_signer_the_same_report_names_nobody() -> None:
    found = read(report(with_rcpt("redacted@example.net"), header() + RETURNED))
    assert (found.recipients, found.ref, found.matched) == ((), None, None)


def test_the_reference_fills_what_the_report_leaves_out() -> None:
    found = read(report(FIELDS, header() + "To: undisclosed-recipients:;\nSubject: s\n"), signed())
    assert found.original_rcpt_to == found.recipients == ("ann@example.net",)
    assert "original_rcpt_to" in found.derived


def test_a_readable_recipient_and_another_one_in_our_reference_are_both_named() -> None:
    # The mail to ann was forwarded to bob, who complained: only ann is on our list.
    found = read(report(with_rcpt("bob@example.org"), header() + RETURNED), signed())
    assert found.recipients == ("bob@example.org", "ann@example.net")
    same = read(report(with_rcpt("ANN@Example.NET"), header() + RETURNED), signed())
    assert same.recipients == ("ANN@Example.NET",)


@pytest.mark.parametrize("where", ["report", "returned"])
def test_our_signed_return_path_names_the_message(where: str) -> None:
    path = SIGNER.return_path(replace(REF, recipient=None), domain="news.example")
    fields = with_rcpt("redacted@example.net") + (f"Original-Mail-From: <{path}>\n" if where == "report" else "")
    returned = (f"Return-Path: <{path}>\n" if where == "returned" else "") + RETURNED
    found = read(report(fields, returned), signed())
    assert found.matched == "verp"
    assert found.ref is not None
    assert found.ref.ref == "winter-42"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda value: value[:-1], "cut"),
        (lambda value: value[:-3] + ("A" if value[-3] != "A" else "B") + value[-2:], "changed"),
        (lambda value: "v1 " + "A" * 60, "made up"),
        (lambda value: "", "empty"),
    ],
)
def test_a_forged_reference_never_names_anybody(spoil, why: str) -> None:  # type: ignore[no-untyped-def]
    name, value = SIGNER.header(REF)
    forged = f"{name}: {spoil(value.replace(chr(13), '').replace(chr(10), ''))}\n"
    found = read(report(FIELDS, forged + "X-HmXmrOriginalRecipient: eve@example.net\n" + RETURNED), signed())
    assert found.recipients == (), why
    assert found.original_rcpt_to == ()
    assert found.ref is None
    assert found.matched is None
    assert "forged_reference" in found.defects


def test_a_reference_of_another_house_never_names_anybody() -> None:
    other = RefSigner(KeyRing.of(b"another-house-9182736455463728"))
    found = read(report(with_rcpt("redacted@example.net"), header(signer=other) + RETURNED), signed())
    assert (found.recipients, found.matched) == ((), None)


def test_a_foreign_cfbl_feedback_id_is_no_forgery_and_ours_is_a_reference() -> None:
    foreign = read(report(FIELDS, "CFBL-Feedback-ID: 1:2:3\n" + RETURNED), signed())
    assert foreign.cfbl_feedback_id == "1:2:3"
    assert "forged_reference" not in foreign.defects
    assert foreign.recipients == ("ann@example.net",)
    assert foreign.recipient_source == "to"
    value = SIGNER.header(REF)[1].replace("\r\n", "")
    ours = read(report(FIELDS, f"CFBL-Feedback-ID: {value}\n"), signed())
    assert (ours.recipients, ours.matched) == (("ann@example.net",), "ref")


def test_readers_of_the_caller_find_references_of_another_kind() -> None:
    def reader(headers: Headers) -> MessageRef | None:
        value = headers.get("List-Unsubscribe") or ""
        return MessageRef(ref="t", recipient="ann@example.net", stream="news") if "token-of-ann" in value else None

    settings = FeedbackSettings(readers=(("unsubscribe", reader),))
    found = read(report(with_rcpt("x" * 8), "List-Unsubscribe: <https://news.example/token-of-ann>\n"), settings)
    assert (found.recipients, found.recipient_source, found.matched) == (
        ("ann@example.net",),
        "unsubscribe",
        "unsubscribe",
    )
    other = read(report(with_rcpt("x" * 8), "List-Unsubscribe: <https://news.example/other>\n"), settings)
    assert (other.recipients, other.matched) == ((), None)


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("bounce+ann=example.net@news.example", ("ann@example.net",)),
        ("bounce+a=b=example.net@NEWS.example", ("a=b@example.net",)),
        ("bounce+ann=example.net@evil.example", ()),
        ("bounce+redacted=example.net@news.example", ()),
        ("bounce+ann@news.example", ()),
        ("bounce+=example.net@news.example", ()),
        ("bounce@news.example", ()),
    ],
)
def test_plain_verp_counts_for_the_domains_of_the_caller_only(sender: str, expected: tuple[str, ...]) -> None:
    fields = with_rcpt("redacted@example.net", extra=f"Original-Mail-From: <{sender}>\n")
    found = read(report(fields), FeedbackSettings(verp_domains=("news.example",)))
    assert found.recipients == expected
    assert found.matched is None, "it is not signed"
    assert read(report(fields)).recipients == ()


def test_removal_recipient_comes_behind_references_and_before_headers() -> None:
    fields = with_rcpt("redacted@example.net", extra="Removal-Recipient: bob@example.net\n")
    found = read(report(fields, "X-HmXmrOriginalRecipient: eve@example.net\n" + RETURNED))
    assert (found.recipients, found.recipient_source) == (("bob@example.net",), "removal-recipient")
    ours = read(report(fields, header() + RETURNED), signed())
    assert ours.recipients == ("ann@example.net",)


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("X-HmXmrOriginalRecipient: <eve@example.net>\n", "x-hmxmroriginalrecipient"),
        ("X-Apparently-To: eve@example.net via 192.0.2.45; Thu, 29 Apr 2013 23:45:10 -0800\n", "x-apparently-to"),
    ],
)
def test_documented_fields_are_believed_also_where_the_report_hides(line: str, source: str) -> None:
    found = read(report(with_rcpt("redacted@example.net"), line + RETURNED))
    assert (found.recipients, found.recipient_source) == (("eve@example.net",), source)
    hidden = read(report(with_rcpt("redacted@example.net"), line.replace("eve@", "redacted@") + RETURNED))
    assert hidden.recipients == ()


def test_a_field_of_the_callers_own_is_believed_when_it_is_named() -> None:
    message = report(with_rcpt("redacted@example.net"), "X-Subscriber: eve@example.net\n" + RETURNED)
    assert read(message).recipients == ()
    found = read(message, FeedbackSettings(recipient_headers=("X-Subscriber",)))
    assert (found.recipients, found.recipient_source) == (("eve@example.net",), "x-subscriber")


@pytest.mark.parametrize(
    ("returned", "expected", "why"),
    [
        (RETURNED, ("ann@example.net",), "one address in To"),
        (RETURNED.replace("To: ann", "To: Ann Doe <ann").replace(".net\n", ".net>\n"), ("ann@example.net",), "a name"),
        (RETURNED.replace("ann@example.net", "ann@example.net, bob@example.net"), (), "two addresses"),
        (RETURNED + "Cc: bob@example.net\n", (), "somebody in Cc"),
        (RETURNED.replace("ann@example.net", "news@news.example"), (), "To is From"),
        (RETURNED + "Reply-To: ann@example.net\n", (), "To is Reply-To"),
        (RETURNED + "List-Post: <mailto:ann@example.net>\n", (), "To is the list"),
        (RETURNED.replace("ann@", "redacted@"), (), "To is redacted"),
        ("Subject: s\n", (), "no To"),
        ("Subject: s\nDelivered-To: ann@example.net\n", ("ann@example.net",), "Delivered-To alone"),
        ("Subject: s\nX-Original-To: a@example.net\nDelivered-To: b@example.net\n", (), "they disagree"),
    ],
)
def test_to_is_believed_when_the_report_is_silent_and_to_is_one_person(
    returned: str, expected: tuple[str, ...], why: str
) -> None:
    assert read(report(FIELDS, returned)).recipients == expected, why


def test_to_is_not_believed_when_the_report_hides_the_recipient() -> None:
    found = read(report(with_rcpt("redacted@example.net"), "Delivered-To: ann@example.net\n" + RETURNED))
    assert (found.recipients, found.recipient_source) == ((), None)


def test_a_redacted_to_is_shown_and_names_nobody() -> None:
    found = read(report(FIELDS, RETURNED.replace("ann@", "redacted@")))
    assert found.original_rcpt_to == ("redacted@example.net",)
    assert (found.recipients, found.redacted) == ((), True)
    assert "original_rcpt_to" in found.derived


def test_kept_headers_are_those_that_were_asked_for() -> None:
    message = report(FIELDS, RETURNED + "X-Campaign: 7\nList-Id: <l.example>\n")
    assert read(message).returned_header("x-campaign") is None
    found = read(message, FeedbackSettings(keep_headers=("X-Campaign",)))
    assert found.returned_header("x-campaign") == "7"
    assert found.returned_header("list-id") is None
    assert found.returned_header("Message-ID") == "<1@news.example>", "what tells messages apart is always kept"


def test_sparse_user_agents_are_those_that_were_named() -> None:
    returned = "Return-Path: <s@news.example>\n" + RETURNED
    assert read(report(FIELDS, returned)).original_mail_from is None
    found = read(report(FIELDS, returned), FeedbackSettings(sparse_user_agents=("test/",)))
    assert found.original_mail_from == "s@news.example"


def test_reference_fields_are_those_that_were_named() -> None:
    value = SIGNER.header(REF)[1].replace("\r\n", "")
    message = report(with_rcpt("redacted@example.net"), f"X-Own-Ref: {value}\n")
    assert read(message, signed()).recipients == ()
    found = read(message, FeedbackSettings(refs=SIGNER, ref_headers=("X-Own-Ref",)))
    assert found.recipients == ("ann@example.net",)
