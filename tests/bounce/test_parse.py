"""What a message is, whoever wrapped it in whatever."""

import pytest

from mailgate.bounce import BounceSettings, Dialect, MatchSettings, parse
from mailgate.records import KeyRing, Mail, MailLimits, MessageRef, ParseError, Reason, RefSigner
from tests.bounce.cases import FOLDER, MESSAGE_FIELDS, RECIPIENT_FIELDS, dsn, notice

REPORT = dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS + "Diagnostic-Code: smtp; 550 5.1.1 no such user\n")


def recipients(message: bytes) -> list[str | None]:
    report = parse(message)
    assert report is not None
    return [one.recipient for one in report.recipients]


@pytest.mark.parametrize(
    "message",
    [
        REPORT,
        REPORT.replace(b"\n", b"\r\n"),
        REPORT.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + REPORT,
        b"From mailer-daemon Sat Nov 21 00:00:00 2026\n" + REPORT,
        REPORT.replace(b"MIME-Version: 1.0\n", b""),
        REPORT.replace(b"; report-type=delivery-status", b""),
        REPORT.replace(b"report-type=delivery-status", b"report-type=disposition-notification"),
        REPORT.replace(b"multipart/report; report-type=delivery-status", b"multipart/mixed"),
        REPORT.replace(b"multipart/report; report-type=delivery-status", b"multipart/related"),
        REPORT.replace(b"--b--\n", b""),
        REPORT.replace(b"boundary=b", b"boundary=wrong"),
        REPORT.replace(b"Content-Type: message/rfc822", b"Content-Type: x/y"),
        REPORT.replace(b"Content-Type: message/delivery-status\n", b""),
        REPORT.replace(b"Return-Path: <>\n", b""),
        REPORT.replace(b"mailer-daemon", b"info"),
    ],
    ids=lambda message: str(len(message)),
)
def test_a_report_in_any_wrapping(message: bytes) -> None:
    report = parse(message)
    assert report is not None
    assert [one.recipient for one in report.recipients] == ["ada@target.example"]
    assert str(report.recipients[0].status) == "5.1.1"


def test_a_mail_is_read_as_bytes_are() -> None:
    assert parse(Mail.read(REPORT)) == parse(REPORT)


def test_beyond_the_limits() -> None:
    with pytest.raises(ParseError):
        parse(REPORT, settings=BounceSettings(limits=MailLimits(max_bytes=100)))


@pytest.mark.parametrize("message", [b"", b"\n", b"hi", b"Subject: hello\n\nhi", b"\0" * 100, b"From: a@b\n"])
def test_other_mail_is_none(message: bytes) -> None:
    assert parse(message) is None


def test_a_returned_report_is_not_entered() -> None:
    inner = REPORT.replace(b"ada@target.example", b"eve@elsewhere.example").replace(b"boundary=b", b"boundary=c")
    inner = inner.replace(b"--b", b"--c")
    outer = REPORT.replace(b"Message-ID: <orig@sender.example>", inner.split(b"\n\n", 1)[0]).replace(
        b"\n\nbody\n", b"\n\n" + inner.split(b"\n\n", 1)[1]
    )
    assert recipients(outer) == ["ada@target.example"]


def test_the_report_inside_a_relay_s_wrapper() -> None:
    message = (FOLDER / "flufl.bounce" / "dsn_15.txt").read_bytes()
    assert recipients(message) == ["userx@example.com"]


def test_fields_in_a_text_are_a_report_in_words() -> None:
    report = parse(notice("Technical report:\n\n" + MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS))
    assert report is not None
    assert (report.form, report.evidence) == ("text", "fields in the text")
    assert report.recipients[0].recipient == "ada@target.example"
    quoted = "".join(f"> {line}\n" for line in (MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS).split("\n"))
    assert recipients(notice("See:\n\n" + quoted, sender="bob@sender.example")) == ["ada@target.example"]


def test_a_status_part_without_groups() -> None:
    words = "Your mail was not delivered to:\n\n<ada@target.example>: no such user\n"
    report = parse(dsn("Reporting-MTA: dns; mx.example\n", text=words))
    assert report is not None
    assert (report.form, report.dialect) == ("dsn", "any-list")
    assert report.recipients[0].recipient == "ada@target.example"
    report = parse(dsn("Delivery report unavailable\n", text=words))
    assert report is not None
    assert report.form == "text"


# --- whom it must not suppress ---


def forwarded(status: str, text: str = "x", **fields: str) -> tuple[str | None, str | None, bool]:
    returned = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in fields.items())
    report = parse(dsn(MESSAGE_FIELDS + "\n" + status, text=text, returned=returned))
    assert report is not None
    (one,) = report.recipients
    return one.recipient, one.mailed_recipient, one.never_mailed


@pytest.mark.parametrize("words", ["(expanded from <fwd@x.example>)", "(generated from fwd@x.example)"])
def test_the_words_tell_what_was_expanded(words: str) -> None:
    text = f"<ada@target.example> {words}: no such user"
    assert forwarded(RECIPIENT_FIELDS, text=text) == ("ada@target.example", "fwd@x.example", True)


def test_the_original_recipient_is_who_was_written_to() -> None:
    text = "<ada@target.example> (expanded from <fwd@x.example>): no such user"
    status = "Original-Recipient: rfc822;fwd@x.example\n" + RECIPIENT_FIELDS
    assert forwarded(status, text=text) == ("fwd@x.example", None, False)


@pytest.mark.parametrize("name", ["Delivered_To", "X_Sieve_Redirected_From", "X_Forwarded_For"])
def test_the_returned_header_shows_a_forward(name: str) -> None:
    fields = {name: "fwd@x.example", "To": "fwd@x.example", "Return_Path": "<bounce@sender.example>"}
    assert forwarded(RECIPIENT_FIELDS, **fields) == ("ada@target.example", "fwd@x.example", True)


def test_a_list_of_our_own_is_no_forward() -> None:
    assert forwarded(
        RECIPIENT_FIELDS,
        Return_Path="<list-bounces@lists.example>",
        Delivered_To="list@lists.example",
        To="list@lists.example",
    ) == ("ada@target.example", None, False)


def test_an_alias_with_two_members() -> None:
    for name in ("exim-team.eml", "sendmail-team.eml"):
        report = parse((FOLDER / "real_mta" / name).read_bytes())
        assert report is not None
        host = report.reporting_mta
        assert [one.recipient for one in report.recipients] == [f"team@{host}"] * 2
        assert {one.final_recipient for one in report.recipients} == {f"nouser@{host}", "nobody@target.test"}
        assert all("final_recipient" in one.inferred for one in report.recipients)
        assert "alias_as_final_recipient" in report.defects
        assert all(f"team@{host}" in dict(one.fields)["Final-Recipient"] for one in report.recipients)


def test_one_refusal_reported_for_everybody() -> None:
    report = parse((FOLDER / "real_mta" / "nullmailer-multi.eml").read_bytes())
    assert report is not None
    others = {one.recipient: one.other_address for one in report.recipients}
    assert others["nobody@target.test"] is None
    assert others["ok@target.test"] == others["full@target.test"] == "nobody@target.test"


def test_copies_for_the_postmaster() -> None:
    copy = REPORT.replace(b"Subject: Undelivered Mail", b"Subject: Postmaster Copy: Undelivered Mail")
    assert parse(copy) is None
    assert parse(REPORT.replace(b"Return-Path: <>", b"Return-Path: <double-bounce@mx.example>")) is None
    report = parse(REPORT.replace(b"Undelivered Mail", b"Postmaster notify: see transcript for details"))
    assert report is not None
    assert report.recipients[0].about_other_mail
    ours = parse(REPORT)
    assert ours is not None
    assert not ours.recipients[0].about_other_mail


def test_a_returned_bounce_was_not_our_mail() -> None:
    report = parse(dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, returned="Return-Path: <>\nSubject: failure\n"))
    assert report is not None
    assert report.recipients[0].about_other_mail


def test_a_challenge_dressed_as_a_report() -> None:
    report = parse(dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, head="X-Boxbe-Notice: waiting\n"))
    assert report is not None
    assert report.recipients[0].reason is Reason.CHALLENGE


# --- whose it is ---


def test_our_reference_says_whom_we_wrote_to() -> None:
    signer = RefSigner(KeyRing(secrets={1: b"0123456789abcdef0123456789abcdef"}, signing_key_id=1))
    name, value = signer.header(MessageRef(ref="send-7", recipient="fwd@x.example"))
    message = dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, returned=f"{name}: {value}\nMessage-ID: <o@s>\n")
    settings = BounceSettings(match=MatchSettings(ref_signer=signer))
    report = parse(message, settings=settings)
    assert report is not None
    assert (report.matched, report.ref) == ("ref", MessageRef(ref="send-7", recipient="fwd@x.example"))
    assert report.match_evidence is not None
    (one,) = report.recipients
    assert (one.recipient, one.mailed_recipient, one.never_mailed) == ("ada@target.example", "fwd@x.example", True)
    unmatched = parse(message)
    assert unmatched is not None
    assert unmatched.matched is None


def test_our_reference_overrules_what_looks_like_a_forward() -> None:
    settings = BounceSettings(match=MatchSettings(verp_domains=("sender.example",)))
    message = dsn(
        MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS,
        returned="Delivered-To: other@x.example\nReturn-Path: <b@elsewhere.example>\n",
    ).replace(b"<bounce@sender.example>", b"<bounce+ada=target.example@sender.example>")
    report = parse(message, settings=settings)
    assert report is not None
    assert report.matched == "verp"
    assert not report.recipients[0].never_mailed


def test_a_report_that_hides_everybody_is_known_by_our_reference() -> None:
    settings = BounceSettings(match=MatchSettings(verp_domains=("sender.example",)))
    message = dsn("Final-Recipient: x; a b c\nAction: failed\n", text="x", returned="Subject: x\n").replace(
        b"<bounce@sender.example>", b"<bounce+ada=target.example@sender.example>"
    )
    report = parse(message, settings=settings)
    assert report is not None
    assert report.recipients[0].recipient == "ada@target.example"


# --- which message it is about ---


@pytest.mark.parametrize(
    ("returned", "head", "text", "found"),
    [
        ("Message-ID: <1@x>\n", "", "x", "1@x"),
        ("Message-ID:\n <1@x>\n", "", "x", "1@x"),
        ("Message-ID: 1.2\n", "", "x", "1.2"),
        ("Subject: x\n", "X-Original-Message-ID: <2@x>\n", "x", "2@x"),
        ("Subject: x\n", "", "Message-id: <3@x>\n", "3@x"),
        ("Subject: x\n", "In-Reply-To: <4@x>\n", "x", "4@x"),
        ("Subject: x\n", "References: <0@x> <5@x>\n", "x", "5@x"),
        ("Subject: x\n", "", "The message identifier is:     14jRTi-0007jE-00\n", "14jRTi-0007jE-00"),
        ("Subject: x\n", "", "x", None),
    ],
)
def test_the_original_message_id(returned: str, head: str, text: str, found: str | None) -> None:
    report = parse(dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, returned=returned, head=head, text=text))
    assert report is not None
    assert report.original_message_id == found


def test_the_returned_header_in_a_text() -> None:
    text = "<ada@x.example>:\nno such user\n\n--- Below this line is a copy of the message.\n\n"
    report = parse(notice(text + "Return-Path: <b@s>\nMessage-ID: <1@x>\nFeedback-ID: c:s\nSubject: x\n\nbody\n"))
    assert report is not None
    assert report.original_message_id == "1@x"
    assert report.returned_header("Feedback-ID") == "c:s"


def test_the_fields_to_keep_are_chosen() -> None:
    message = dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, returned="X-Campaign: 7\nSubject: x\n")
    report = parse(message, settings=BounceSettings(keep_headers=("X-Campaign",)))
    assert report is not None
    assert report.returned_headers == (("X-Campaign", "7"),)


# --- the caller's own rows ---


def test_a_caller_s_dialect_comes_first() -> None:
    row = Dialect(
        name="acme",
        any_of=("the acme robot",),
        find=("patterns",),
        patterns=(r"mailbox <(?P<address>[^\s<>]{3,320})>",),
        action="failed",
        hint=Reason.MAILBOX_FULL,
    )
    text = "The Acme robot says: mailbox <ada@x.example> is nearly done.\nOther: bob@x.example\n"
    message = notice(text, subject="delivery failure")
    report = parse(message, settings=BounceSettings(dialects=(row,)))
    assert report is not None
    assert report.dialect == "acme"
    assert [one.recipient for one in report.recipients] == ["ada@x.example"]


def test_a_japanese_notice_under_a_subject_in_another_charset() -> None:
    text = "次の宛先に配信できませんでした。\n\n宛先: ada@target.example\n理由: 550 User unknown\n"
    head = "Content-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: 7bit\nX-Note: 8bit\n"
    message = notice("\n", subject="=?utf-8?B?6YWN5L+h5LiN6IO9?=", head=head) + text.encode("iso-2022-jp")
    assert recipients(message) == ["ada@target.example"]


def test_a_quoted_printable_notice_whose_signature_speaks_of_8bit() -> None:
    text = "Could not be delivered:=\n\n\n<ada=40target.example>:\n550 User unknown\n"
    head = "DKIM-Signature: v=1; b=xx8bitxx\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n"
    assert recipients(notice(text, head=head)) == ["ada@target.example"]


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Hinweis", "Konnte noch nicht zugestellt werden an folgende Adresse:\n\n{}\n"),
        ("Zustellung verzögert: A", "Die Zustellung an folgende Empfänger hat sich verzögert:\n\n{}\n"),
        ("Bezorging vertraagd: A", "Bezorging aan deze geadresseerden is vertraagd:\n\n{}\nNog niet bezorgd.\n"),
        ("Remise différée : A", "La remise à ces destinataires ou groupes a été retardée :\n\n{}\n"),
        ("Entrega retrasada: A", "La entrega a estos destinatarios o grupos se ha retrasado:\n\n{}\n"),
        ("Recapito ritardato: A", "Il recapito ai seguenti destinatari è stato posticipato:\n\n{}\n"),
        ("Доставка отложена: A", "Доставка следующим получателям или группам отложена:\n\n{}\n"),
        ("配信遅延: A", "次の受信者またはグループへの配信が遅延しています:\n\n{}\n"),
        ("Dostarczanie opóźnione: A", "Dostarczenie do następujących adresatów jest opóźnione:\n\n{}\n"),
        ("Delivery Status Notification (Delay)", "A temporary problem delivering your message to {}. Gmail will retry "
         "for 23 more hours. You'll be notified if the delivery fails permanently.\n"),
    ],
)  # fmt: skip
def test_a_delay_is_no_failure_in_any_language(subject: str, text: str) -> None:
    report = parse(notice(text.format("ada@target.example"), subject=subject, sender="postmaster@target.example"))
    assert report is not None
    (one,) = report.recipients
    assert (one.recipient, one.action, str(one.permanence)) == ("ada@target.example", "delayed", "transient")


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("mail delivery problem", "Hi, my mail to ada@target.example could not be delivered: 550 unknown user.\n"),
        ("Delivery failed for order 1", "We could not deliver your order. Questions? Mail to ada@target.example\n"),
        ("On undelivered mail", "Undelivered mail looks like this:\n\n<ada@target.example>: 550 no such user\n"),
    ],
)
def test_sentences_of_people_and_shops_report_nobody(subject: str, text: str) -> None:
    message = notice(text, subject=subject, sender="Eve <eve@shop.example>").replace(b"Return-Path: <>\n", b"")
    assert parse(message) is None
    assert recipients(notice(text, subject=subject)) == ["ada@target.example"]


def test_whom_to_ask_is_not_who_failed() -> None:
    text = "Mail could not be delivered for an hour. In case of trouble write to help@target.example.\n"
    assert parse(notice(text, subject="Maintenance")) is None
    text = "Your reply to ada@target.example could not be delivered.\n"
    assert recipients(notice(text)) == ["ada@target.example"]


def test_a_warning_about_other_people_s_mail_reports_nobody() -> None:
    text = "Our content checker found\n    virus: Eicar\nin an email to you from probably faked sender:\n  <{}>\n"
    assert parse(notice(text.format("ada@target.example"), subject="VIRUS IN MAIL FOR YOU")) is None


@pytest.mark.parametrize(
    "text",
    [
        "Folgende(r) Empfänger konnte(n) nicht erreicht werden:\n\n  {} am 10.09.2024 10:11\n   <mx.example #5.1.1>\n",
        "Impossible de joindre le(s) destinataire(s) suivant(s) :\n\n {} le 10/09/2024 10:11\n  <mx.example #5.1.1>\n",
    ],
)
def test_the_date_behind_a_recipient_in_any_language(text: str) -> None:
    report = parse(notice(text.format("ada@target.example"), subject="Unzustellbar: A", sender="postmaster@mx.example"))
    assert report is not None
    assert [(one.recipient, one.reason) for one in report.recipients] == [
        ("ada@target.example", Reason.MAILBOX_NOT_FOUND)
    ]


def test_a_filter_that_names_its_senders_too() -> None:
    text = (
        "A message from <news@sender.example> to:\n-> ada@target.example\n\nwas considered unsolicited bulk e-mail.\n\n"
        "Our internal reference code for your message is 01234/made\n\nDelivery of the email was stopped!\n"
    )
    message = notice(text, subject="Considered UNSOLICITED BULK EMAIL, apparently from you")
    assert recipients(message) == ["ada@target.example"]


# --- automatic replies ---


def test_an_automatic_reply_is_no_bounce_whatever_its_words() -> None:
    text = "Ada has left the company, your message was not delivered to ada@x.example.\n"
    head = "Auto-Submitted: auto-replied\nIn-Reply-To: <orig@sender.example>\n"
    report = parse(notice(text, subject="Automatic reply: hello", sender="ada@x.example", head=head))
    assert report is not None
    assert (report.kind, report.recipients) == ("autoreply", ())
    assert report.autoreply is not None
    assert report.autoreply.gone
    assert report.original_message_id == "orig@sender.example"


QUOTED = """\
Your request was received as ticket 12.

> This is the mail system at host mx.example.
>
> <ada@target.example>: host mx.target.example said: 550 5.1.1 User unknown
"""


def test_a_help_desk_that_quotes_a_bounce_has_not_sent_one() -> None:
    message = notice(QUOTED, subject="[12] Undelivered Mail", sender="help@desk.example", head="Precedence: junk\n")
    report = parse(message.replace(b"Precedence: junk", b"Auto-Submitted: auto-replied"))
    assert report is not None
    assert report.kind == "autoreply"
    assert parse(message.replace(b"<>", b"<help@desk.example>", 1)) is None
    # A mail system that quotes what it says is one all the same.
    assert recipients(notice(QUOTED, subject="Undelivered Mail")) == ["ada@target.example"]


def test_a_bounce_marked_as_automatic_reply_stays_a_bounce() -> None:
    text = "Hi. This is the qmail-send program at mx.example.\n\n<ada@x.example>:\nno such user\n"
    report = parse(notice(text, head="Auto-Submitted: auto-replied\n"))
    assert report is not None
    assert report.kind == "bounce"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Entrega fallida", "Su mensaje no se ha podido entregar a los siguientes destinatarios:\n\n    <{}>\n"),
        ("Teslim edilemedi: Merhaba", "Aşağıdaki alıcılara veya gruplara teslim edilemedi:\n\n{}\nKutu dolu.\n"),
        ("Nedoručitelné: Ahoj", "Doručení následujícím příjemcům se nezdařilo:\n\n{}\n"),
        ("Kézbesíthetetlen: Helló", "Az üzenetet az alábbi címzettnek nem sikerült kézbesíteni:\n\n{}\n"),
        ("Toimittamaton: Hei", "Toimitus seuraaville vastaanottajille epäonnistui:\n\n{}\n"),
        ("Αδύνατη η παράδοση", "Η παράδοση στους παρακάτω παραλήπτες απέτυχε:\n\n{}\n"),
        ("無法傳遞: 您好", "無法傳遞給下列收件者:\n\n{}\n"),
        ("Tidak dapat dikirim: Halo", "Pengiriman ke penerima atau grup ini telah gagal:\n\n{}\n"),
        ("Không thể gửi: Chào", "Gửi tới những người nhận hoặc nhóm này không thành công:\n\n{}\n"),
        ("לא ניתן למסירה: שלום", "המסירה לנמענים או לקבוצות הבאים נכשלה:\n\n{}\n"),
        ("ไม่สามารถส่งได้: สวัสดี", "การจัดส่งไปยังผู้รับหรือกลุ่มเหล่านี้ล้มเหลว:\n\n{}\n"),
        (
            "Zpráva nebyla doručena",
            "Zprávu se nepodařilo doručit následujícím příjemcům:\n\n{} - 550 neexistuje\n",
        ),
        ("메일 발송이 실패하였습니다.", "{} 님께 보내신 메일이 전송되지 못했습니다.\n"),
        ("退信通知", "您发送给 {} 的邮件被退回，原因：用户不存在。\n"),
        ("メールを配信できません", "{}へのメールは配信できませんでした。\n"),
        ("Сообщение не доставлено", "Сообщение для {} не может быть доставлено.\n"),
        ("Messaggio non consegnato", "Il messaggio per {} non può essere consegnato.\n"),
        ("Bericht niet bezorgd", "Uw bericht aan {} kon niet worden bezorgd.\n"),
        ("系统退信", "抱歉，您的邮件被退回来了\n主 题  你好\n收件人  {}\n退信原因：\n不存在\n"),
    ],
)
def test_a_notice_in_a_language_of_the_list(subject: str, text: str) -> None:
    message = notice(text.format("ada@target.example"), subject=subject, sender="postmaster@target.example")
    assert recipients(message) == ["ada@target.example"]
    # The same words in somebody's letter are no bounce.
    letter = notice(text.format("ada@target.example"), subject="Re: " + subject, sender="Bob <bob@target.example>")
    report = parse(letter.replace(b"Return-Path: <>", b"Return-Path: <bob@target.example>"))
    assert report is None
