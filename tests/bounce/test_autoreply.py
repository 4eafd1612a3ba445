"""Automatic replies and mail of other kinds: which signs decide, which do not, and who says that nobody reads there."""

import json
from pathlib import Path

import pytest

from mailgate.bounce._autoreply import AutoReply, auto_submitted, is_challenge, other_kind, read_autoreply
from mailgate.records import Mail

FIXTURES = Path(__file__).parents[2] / "fixtures" / "bounce_meaning"


def mail(*fields: str, body: str = "Hello.", content_type: str = "text/plain; charset=utf-8") -> Mail:
    head = "\r\n".join((*fields, f"Content-Type: {content_type}"))
    return Mail.read(f"{head}\r\n\r\n{body}\r\n".encode())


@pytest.mark.parametrize(
    ("file", "evidence", "sender", "gone"),
    [
        ("vacation-02.eml", "X-MS-Exchange-Inbox-Rules-Loop", "nekonyaan@example.org", False),
        ("vacation-03.eml", "X-Apple-Action: VACATION", "kijitora@apple.example.com", False),
        ("vacation-06.eml", "Auto-Submitted: auto-replied", "noreply@example.com", True),
        ("procmail-autoreply.eml", "Precedence: junk and In-Reply-To", "luser@dove.test", False),
        ("mailbot-autoreply.eml", "Auto-Submitted: auto-replied", "ok@target.test", False),
    ],
)
def test_real_replies(file: str, evidence: str, sender: str, gone: bool) -> None:
    message = Mail.read((FIXTURES / file).read_bytes())
    assert other_kind(message) is None
    reply = read_autoreply(message)
    assert reply is not None
    assert reply.evidence.startswith(evidence)
    assert (reply.sender, reply.gone) == (sender, gone)


@pytest.mark.parametrize(
    ("file", "kind"),
    [("mailman-hold.eml", "list_notice"), ("sieve-reject.eml", "mdn"), ("mlmmj-subscribe.eml", None),
     ("junk-with-in-reply-to.eml", None)],
)  # fmt: skip
def test_real_mail_that_is_no_reply(file: str, kind: str | None) -> None:
    message = Mail.read((FIXTURES / file).read_bytes())
    assert other_kind(message) == kind
    if kind is None:
        assert read_autoreply(message) is None


@pytest.mark.parametrize(
    "field",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: Auto-Replied (vacation); owner-email=\"a@b.example\"",
        "X-Autoreply: yes",
        "X-Autorespond: vacation",
        "X-Auto-Reply: 1",
        "X-Vacation: away",
        "Precedence: auto_reply",
        "Subject: Automatic reply: Newsletter",
        "Subject: Abwesenheitsnotiz: Newsletter",
        "Subject: =?utf-8?q?R=C3=A9ponse_automatique_=3A_x?=",
        "Subject: =?utf-8?b?6Ieq5Yqo5Zue5aSNOiB4?=",
        "Subject: Out of Office Re: x",
    ],
)  # fmt: skip
def test_signs_that_decide_alone(field: str) -> None:
    """RFC 3834 5: the keyword, whatever parameters and comments follow."""
    assert read_autoreply(mail(field)) is not None


@pytest.mark.parametrize(
    "fields",
    [
        ("Auto-Submitted: no",),
        ("Auto-Submitted: no; x=y",),
        ("Auto-Submitted:",),
        ("Auto-Submitted: auto-generated",),
        ("X-Autoreply: no",),
        ("X-Auto-Response-Suppress: All",),
        ("Precedence: junk",),
        ("Precedence: bulk", "In-Reply-To: <a@b.example>"),
        ("Return-Path: <>",),
        ("In-Reply-To: <a@b.example>",),
        ("Subject: Last call for your vacation in Greece",),
        ("Subject: Re: your vacation", "In-Reply-To: <a@b.example>"),
        ("Subject: Automatic reply: x", "List-Id: <l.example>"),
        ("Precedence: junk", "In-Reply-To: you"),
    ],
)
def test_signs_that_do_not(fields: tuple[str, ...]) -> None:
    assert read_autoreply(mail(*fields)) is None


@pytest.mark.parametrize(
    "fields",
    [
        ("Precedence: junk", "In-Reply-To: <a@b.example>"),
        ("Precedence: junk", "References: <a@b.example> <c@d.example>"),
        ("Return-Path: <>", "In-Reply-To: <a@b.example>"),
        ("Precedence: bulk", "Subject: I am on vacation"),
        ("Return-Path: <>", "Subject: Thank you for contacting us"),
        ("Auto-Submitted: auto-generated", "Subject: [Ticket 12] we have received your message"),
        ("X-Auto-Response-Suppress: OOF", "In-Reply-To: <a@b.example>", "Subject: Ihre Nachricht im Urlaub"),
    ],
)
def test_two_weak_signs_of_different_kinds(fields: tuple[str, ...]) -> None:
    assert read_autoreply(mail(*fields)) is not None


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("auto-replied", "auto-replied"),
        ("Auto-Replied; x=1", "auto-replied"),
        ("auto-generated (rejected)", "auto-generated"),
        ("no", None),
        ("No; why=not", None),
        ("", None),
    ],
)
def test_auto_submitted(value: str, word: str | None) -> None:
    assert auto_submitted(mail(f"Auto-Submitted: {value}").headers) == word
    assert auto_submitted(mail("Subject: x").headers) is None


@pytest.mark.parametrize(
    ("body", "phrase", "new"),
    [
        ("This mailbox is no longer monitored.", "no longer monitored", None),
        ("Ada no longer works for Example Ltd. Please contact bob@example.com.", "no longer works for", None),
        ("I have left the company.", "left the company", None),
        ("My email address has changed. My new email address is ada@new.example.", "my email address has changed",
         "ada@new.example"),
        ("Please update your address book: my new address is <ada.l@new.example>", "please update your address book",
         "ada.l@new.example"),
        ("Diese Adresse wird nicht mehr verwendet. Meine neue E-Mail-Adresse lautet: ada@neu.example",
         "nicht mehr verwendet", "ada@neu.example"),
        ("Cette adresse n'est plus utilisée. Nouvelle adresse : ada@nouveau.example", "n'est plus utilisée",
         "ada@nouveau.example"),
        ("Ya no trabaja aquí.", "ya no trabaja", None),
        ("Questo indirizzo non è più attivo.", "non è più attivo", None),
        ("Ik ben niet meer werkzaam bij Voorbeeld.", "niet meer werkzaam", None),
        ("Ada już nie pracuje w firmie.", "już nie pracuje", None),
        ("Сотрудник больше не работает.", "больше не работает", None),
        ("このたび退職いたしました。新しいメールアドレスは ada@new.example です。", "退職",
         "ada@new.example"),
        ("该员工已离职。", "离职", None),
        ("As of 1 May I have left Example Ltd.", "have left example", None),
        ("Herr Schmidt hat unser Unternehmen verlassen.", "unternehmen verlassen", None),
        ("Mario non fa più parte della nostra azienda.", "non fa più parte", None),
        ("O colaborador já não faz parte da empresa.", "já não faz parte", None),
        ("Juan ya no forma parte de la empresa.", "ya no forma parte", None),
        ("Jeg har sluttet i Eksempel AS.", "har sluttet", None),
        ("Pan Novák již v naší společnosti nepracuje.", "společnosti nepracuje", None),
        ("This account is no longer being monitored.", "no longer being monitored", None),
    ],
)  # fmt: skip
def test_replies_that_say_nobody_reads_here(body: str, phrase: str, new: str | None) -> None:
    reply = read_autoreply(mail("Auto-Submitted: auto-replied", "From: Ada <ada@example.com>", body=body))
    assert reply is not None
    assert (reply.gone, reply.gone_evidence, reply.new_address) == (True, phrase, new)
    assert reply.sender == "ada@example.com"


def test_a_person_who_is_away_is_not_gone() -> None:
    body = "I am out of the office until Monday. For pressing matters write to bob@example.com."
    reply = read_autoreply(mail("Auto-Submitted: auto-replied", body=body))
    assert reply is not None
    assert (reply.gone, reply.new_address, reply.sender) == (False, None, None)


@pytest.mark.parametrize(
    "body",
    [
        "I have left the office for today.",
        "I have left early and will read this on Monday.",
        "She has left you a message.",
        "A customer has left feedback about you.",
        "I have now left for my holiday.",
    ],
)
def test_who_left_for_the_day_is_not_gone(body: str) -> None:
    reply = read_autoreply(mail("Auto-Submitted: auto-replied", body=body))
    assert reply is not None
    assert not reply.gone


def test_words_in_html_are_read() -> None:
    reply = read_autoreply(
        mail("X-Autoreply: yes", body="<p>This address is <b>no longer</b> in use.</p>", content_type="text/html")
    )
    assert reply is not None
    assert reply.gone


@pytest.mark.parametrize(
    ("fields", "body", "kind"),
    [
        (("Content-Type: multipart/report; report-type=disposition-notification; boundary=x",),
         "--x\r\n\r\nhi\r\n--x\r\nContent-Type: message/disposition-notification\r\n\r\nx\r\n--x--", "mdn"),
        (("Content-Type: multipart/report; report-type=feedback-report; boundary=x",), "--x\r\n\r\nhi\r\n--x--",
         "feedback_report"),
        (("Content-Type: multipart/report; report-type=tlsrpt; boundary=x",), "--x\r\n\r\nhi\r\n--x--", "tls_report"),
        (("TLS-Report-Domain: example.com",), "hi", "tls_report"),
        (("Subject: Report Domain: example.com Submitter: x Report-ID: <1>",), "hi", "dmarc_report"),
        (('Content-Type: application/gzip; name="google.com!example.com!1!2.xml.gz"',), "hi", "dmarc_report"),
        (("List-Id: <l.example>", "Subject: Confirm subscription"), "hi", "list_notice"),
        (("X-Mailman-Version: 2.1", "Subject: Your message to news awaits moderator approval"), "hi", "list_notice"),
        (("List-Id: <l.example>", "Subject: News of the day"), "hi", None),
        (("Content-Type: multipart/report; report-type=delivery-status; boundary=x",),
         "--x\r\nContent-Type: message/delivery-status\r\n\r\nhi\r\n--x--", None),
        (("Content-Type: multipart/mixed; boundary=x",),
         "--x\r\nContent-Type: message/delivery-status\r\n\r\nhi\r\n"
         "--x\r\nContent-Type: message/feedback-report\r\n\r\nhi\r\n--x--", None),
    ],
)  # fmt: skip
def test_reports_of_other_kinds(fields: tuple[str, ...], body: str, kind: str | None) -> None:
    """RFC 8098 3, RFC 5965 2, RFC 8460 5.3, RFC 7489 7.2.1.1: known by their types and names."""
    head = "\r\n".join(fields)
    assert other_kind(Mail.read(f"{head}\r\n\r\n{body}\r\n".encode())) == kind


def test_challenges() -> None:
    assert is_challenge(mail("X-Boxbe-Notice: yes"))
    assert is_challenge(mail("Subject: x"), "Please confirm that you are human")
    assert not is_challenge(mail("Subject: x"), "Please confirm your order")
    reply = read_autoreply(mail("Auto-Submitted: auto-replied", body="Prove you are human: https://x.example"))
    assert reply is not None
    assert reply.challenge


def test_a_challenge_is_known_by_its_subject_alone() -> None:
    asked = mail("Subject: Your email requires verification verify#ab12", body="Verify that you are a real live human.")
    reply = read_autoreply(asked)
    assert reply is not None
    assert reply.challenge


def test_the_record_survives_a_dict() -> None:
    one = AutoReply(evidence="x", sender="a@b.example", gone=True, gone_evidence="y", new_address="c@d.example")
    assert AutoReply.from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize("run", ["new ", "a@", "new address ", "<", "neue @", "no longer ", "新しいアドレス"])
def test_no_run_is_slow(run: str) -> None:
    body = "no longer in use " + run * 50_000
    read_autoreply(mail("Auto-Submitted: auto-replied", body=body))
    read_autoreply(mail("Auto-Submitted: auto-replied", body=body, content_type="text/html"))
