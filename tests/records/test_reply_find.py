"""A reply inside a free text: real diagnostics, transcripts, and numbers that are no codes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.records import EnhancedStatus, Stage, find_reply, find_stage

FOUND = [
    # Postfix, with and without the host's name in front
    ("host mx.example[192.0.2.1] said: 550 {mx1} <a@b.example>... User unknown (in reply to RCPT TO command)",
     550, None, Stage.RCPT, "{mx1} <a@b.example>... User unknown"),
    ("host mx.example[192.0.2.1] said: 554 5.6.0 scored as spam (in reply to end of DATA command)",
     554, "5.6.0", Stage.DATA, "scored as spam"),
    ("host mx.example[192.0.2.1] refused to talk to me: 554 no service", 554, None, Stage.CONNECT, "no service"),
    # a multi-line reply in one line, the code in each
    ("550-5.1.1 The account does 550-5.1.1 not exist. 550 5.1.1 Try https://x.example/?p=1 - gsmtp",
     550, "5.1.1", None, "The account does not exist. Try https://x.example/?p=1 - gsmtp"),
    ("552-5.7.0 blocked because its content presents a potential", 552, "5.7.0", None,
     "blocked because its content presents a potential"),
    # Exim
    ("SMTP error from remote mail server after MAIL FROM:<a@b.example> SIZE=1543:\n host mx.example [192.0.2.20]: "
     "550 5.7.0 <a@b.example>... Use your ISP", 550, "5.7.0", Stage.MAIL, "<a@b.example>... Use your ISP"),
    ("SMTP error from remote mail server after end of data:\n host mx.example [192.0.2.1]: 553 no",
     553, None, Stage.DATA, "no"),
    ("SMTP error from remote mail server after initial connection:\n 571 No PTR Record found.",
     571, None, Stage.CONNECT, "No PTR Record found."),
    # qmail
    ("192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 no such user\nGiving up on 192.0.2.1.",
     550, "5.1.1", Stage.RCPT, "no such user"),
    ("Connected to 192.0.2.1 but sender was rejected.\nRemote host said: 421 4.7.0 [TSS04] deferred\n"
     "I'm not going to try again; this message has been in the queue too long.",
     421, "4.7.0", Stage.MAIL, "[TSS04] deferred"),
    ("192.0.2.1 failed after I sent the message.\nRemote host said: 554 no", 554, None, Stage.DATA, "no"),
    # others
    ("host a.example:25 says: 550 5.4.1 Recipient address rejected: Access denied.", 550, "5.4.1", Stage.RCPT,
     "Recipient address rejected: Access denied."),
    ("<a@b.example>: Requested action not taken: mailbox unavailable. [SMTP Error Code 550]", 550, None, None,
     "<a@b.example>: Requested action not taken: mailbox unavailable. [SMTP Error Code"),
    ("550: 5.1.1 <a@b.example>: Recipient address rejected", 550, "5.1.1", Stage.RCPT,
     "<a@b.example>: Recipient address rejected"),
    ("SMTP:RCPT host 192.0.2.20: 553 5.3.0 <a@b.example>... No such user here", 553, "5.3.0", Stage.RCPT,
     "<a@b.example>... No such user here"),
    ("5.1.0 - Unknown address error 550-'5.7.1 <a@b.example>... Access denied' (delivery attempts: 0)",
     550, "5.7.1", None, "<a@b.example>... Access denied' (delivery attempts: 0)"),
    ("MAIL+RCPT 550 5.1.1 <a@b.example>: no", 550, "5.1.1", Stage.RCPT, "<a@b.example>: no"),
    ("hMailServer sent: RCPT TO:<a@b.example>\n Remote server replied: 550 5.1.1 User unknown",
     550, "5.1.1", Stage.RCPT, "User unknown"),
    (" RCPT To:<a@b.example>\n 552 Message for <a@b.example> would exceed mailbox quota\n QUIT",
     552, None, None, "Message for <a@b.example> would exceed mailbox quota"),
    ("#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##rfc822;a@b.example", 550, "5.1.1", None,
     "RESOLVER.ADR.RecipNotFound; not found ##rfc822;a@b.example"),
    # a reply that quotes another one about somebody else
    ("554 5.7.1 Error 250 2.0.0 not ok (u@other.example) <o@other.example>: 452 4.2.2 mailbox full",
     554, "5.7.1", None, "Error"),
    ("554", 554, None, None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "status", "stage", "words"), FOUND)
def test_replies_in_diagnostics(text: str, code: int, status: str | None, stage: Stage | None, words: str) -> None:
    found = find_reply(text)
    assert found.code == code
    assert found.enhanced_status == (None if status is None else EnhancedStatus.parse(status))
    assert found.stage is stage
    assert found.text == words


@pytest.mark.parametrize(
    "text",
    [
        "connect to mx.example.com[192.0.2.1] port 550: Connection refused",
        "message size 552 exceeds the limit of 450 bytes",
        "Could not deliver for the last 432000 seconds. Giving up.",
        "delivered in 2024, retried after 500 seconds",
        "Message could not be delivered for 421 hours",
        "queue id 4D550AB550, 450 KB",
        "version 5.1.10 of the program",
        "mail1.550.example.com",
        "a550 and 550b and x-550 and 550.1",
        "retry timeout exceeded",
        "",
    ],
)
def test_numbers_that_are_no_codes(text: str) -> None:
    assert find_reply(text).code is None
    assert find_reply(text).text == text


def test_a_status_alone_is_found_too() -> None:
    found = find_reply("host: mx.example\n5.2.2 <a@b.example>... Mailbox Full")
    assert (found.code, found.enhanced_status) == (None, EnhancedStatus(5, 2, 2))


def test_of_two_codes_the_one_of_the_status_class_is_taken() -> None:
    text = "first: 421 busy; then: 550 gone"
    assert find_reply(text, status=EnhancedStatus(5, 0, 0)).code == 550
    assert find_reply(text, status=EnhancedStatus(4, 0, 0)).code == 421


TRANSCRIPT = """\
   ----- Transcript of session follows -----
... while talking to mx.example.com.:
>>> RCPT To:<one@example.com>
<<< 550-5.7.1 IP address blacklisted
<<< 550 5.7.1 by recipient
550 5.1.1 <one@example.com>... User unknown
>>> DATA
<<< 503 5.0.0 Need RCPT (recipient)
"""


def test_the_first_refusal_of_a_transcript_is_the_cause() -> None:
    """RFC 5321 4.2.1: later refusals follow from it, also the program's own "User unknown"."""
    found = find_reply(TRANSCRIPT, recipient="one@example.com")
    assert (found.code, found.stage) == (550, Stage.RCPT)
    assert found.enhanced_status == EnhancedStatus(5, 7, 1)
    assert found.text == "IP address blacklisted by recipient"


def test_pipelined_answers_to_rcpt_are_read_after_data_was_sent() -> None:
    text = ">>> DATA\n<<< 550 5.1.1 <a@b.example>... User unknown\n550 5.1.1 <a@b.example>... User unknown\n"
    assert find_reply(text + "<<< 503 5.0.0 Need RCPT (recipient)").stage is Stage.RCPT
    assert find_reply(text).stage is Stage.DATA


def test_of_several_recipients_each_has_its_own_refusal() -> None:
    text = (
        ">>> RCPT To:<a@x.example>\n<<< 550 5.1.1 <a@x.example> unknown\n"
        ">>> RCPT To:<b@x.example>\n<<< 552 5.2.2 <b@x.example> full\n"
    )
    assert find_reply(text, recipient="b@x.example").code == 552
    assert find_reply(text, recipient="A@X.example").code == 550
    assert find_reply(text).code == 550


def test_the_programs_own_line_speaks_when_no_reply_came() -> None:
    text = (
        "<a@x.example>... Deferred: Connection refused by mx.x.example.\n... while talking to mx.y.example.:\n"
        "<<< 554 5.5.1 Error: no valid recipients\n"
    )
    found = find_reply(text, recipient="a@x.example")
    assert (found.code, found.text) == (None, "Deferred: Connection refused by mx.x.example.")
    vague = "<<< 501 no access\n554 <a@x.example>... Remote protocol error\n"
    assert find_reply(vague, recipient="a@x.example").code == 501


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("(in reply to EHLO command)", Stage.EHLO),
        ("in reply to HELO", Stage.EHLO),
        ("in reply to STARTTLS command", Stage.STARTTLS),
        ("after pipelined MAIL FROM:<a>", Stage.MAIL),
        ("did not like our RCPT TO:", Stage.RCPT),
        ("after sending data block", Stage.DATA),
        ("Connected to 192.0.2.1 but greeting failed.", Stage.CONNECT),
        ("Connected to 192.0.2.1 but my name was rejected.", Stage.EHLO),
        ("after all, nothing was said", None),
        ("", None),
    ],
)
def test_commands(text: str, stage: Stage | None) -> None:
    assert find_stage(text) is stage


@pytest.mark.parametrize(
    "run", ["550 ", "<<< 550 ", ">>> DATA\n", "(", "said: ", "550-", "in reply to ", "<", "... ", "550 5.1.1 ", "\n"]
)
def test_no_run_is_slow(run: str) -> None:
    find_reply(run * 100_000, recipient="a@b.example")
    find_reply(run * 100_000 + "x", status=EnhancedStatus(5, 1, 1))


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.text(alphabet="0123456789 .-:;<>@\nabcdxyz()#", max_size=200), st.sampled_from([None, "a@b", ""]))
def test_any_text_has_an_answer(text: str, recipient: str | None) -> None:
    found = find_reply(text, recipient=recipient)
    assert found.code is None or 200 <= found.code <= 599
    assert len(found.line) <= 300
