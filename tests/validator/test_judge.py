"""What a reply says about the mailbox: the simple table of codes, the guards before it, and the catch-all answer."""

import json
from pathlib import Path

import pytest

from mailgate.records import Reason, ReplyRow, SmtpReply, Stage
from mailgate.validator import Finding, Status, Verdict, combine, judge, judge_catch_all, retry_hint
from tests.support import needs


def verdict(wire: str, stage: Stage = Stage.RCPT) -> tuple[str, str]:
    found = judge(SmtpReply.parse(wire), stage)
    return str(found.status), str(found.reason)


@pytest.mark.parametrize(
    ("wire", "stage", "status", "reason"),
    [
        ("421", Stage.CONNECT, "unknown", "blocked"),
        ("421 Service not available", Stage.CONNECT, "unknown", "blocked"),
        ("250", Stage.RCPT, "valid", "accepted"),
        ("251", Stage.RCPT, "valid", "accepted_forwarded"),
        ("252", Stage.RCPT, "unknown", "accepted_unverified"),
        ("354", Stage.RCPT, "unknown", "protocol_error"),
        ("550", Stage.RCPT, "invalid", "mailbox_not_found"),
        ("551", Stage.RCPT, "invalid", "mailbox_not_found"),
        ("553", Stage.RCPT, "invalid", "mailbox_not_found"),
        ("552", Stage.RCPT, "invalid", "mailbox_full"),
        ("450", Stage.RCPT, "unknown", "greylisted"),
        ("451", Stage.RCPT, "unknown", "greylisted"),
        ("451 try again later", Stage.RCPT, "unknown", "greylisted"),
        ("452", Stage.RCPT, "unknown", "temporary_failure"),
        ("471", Stage.RCPT, "unknown", "temporary_failure"),
        ("554", Stage.RCPT, "invalid", "mailbox_not_found"),
        ("554 no", Stage.RCPT, "invalid", "mailbox_not_found"),
        ("571", Stage.RCPT, "invalid", "mailbox_not_found"),
    ],
)
def test_the_simple_table_is_the_fallback_for_bare_codes(wire: str, stage: Stage, status: str, reason: str) -> None:
    assert verdict(wire, stage) == (status, reason)


@pytest.mark.parametrize(
    ("wire", "status", "reason", "why"),
    [
        (
            "550 5.7.1 Client host [192.0.2.25] blocked using zen.spamhaus.org",
            "unknown",
            "blocked",
            "about our address",
        ),
        ("550 5.1.1 Your IP address 192.0.2.25 is blocked by RBL", "unknown", "blocked", "text before the status"),
        ("554 your access has been denied by our rules XY-12", "unknown", "policy", "554 with words is policy"),
        ("550 5.1.1 no such user", "invalid", "mailbox_not_found", "status and text"),
        ("550 4.2.1 mailbox unavailable", "unknown", None, "code and status disagree: nothing final"),
        ("450 4.1.1 <a@b>: Recipient address rejected: User unknown", "unknown", None, "Postfix's soft bounce mode"),
        ("551 User not local; please try <a@example.net>", "invalid", "mailbox_moved", "551 with a path"),
        ("503 5.5.1 bad sequence", "unknown", "protocol_error", "our dialogue, not the mailbox"),
        ("530 5.7.0 Must issue a STARTTLS command first", "unknown", "tls_required", ""),
        ("556 5.1.10 Recipient address has null MX", "invalid", "domain_not_accepting", "RFC 7504, RFC 7505"),
        ("550 5.7.1 <blocked@example.com>: no such user", "invalid", "mailbox_not_found", "the address is no guard"),
    ],
)
def test_words_come_before_codes(wire: str, status: str, reason: str | None, why: str) -> None:
    found = verdict(wire)
    assert found[0] == status, why
    if reason is not None:
        assert found[1] == reason, why


@pytest.mark.parametrize(
    "wire",
    [
        # Of large providers, by memory and not by the table: about us, and 550 or 553 all the same.
        "550 5.7.606 Access denied, banned sending IP [192.0.2.25]. To request removal from this list please visit",
        "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.",
        "550 5.7.509 Access denied, sending domain example.org does not pass DMARC verification",
        "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\r\n550 5.7.26 - gsmtp",
        "550-5.2.1 The user you are trying to contact is receiving mail at a rate that\r\n550 5.2.1 prevents more",
        "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.25, because the ip is in Spamhaus's list",
        "550 Administrative prohibition - envelope blocked - https://community.mimecast.com/docs/DOC-1369#550",
        "550-Requested action not taken: mailbox unavailable\r\n550-Reject due to policy restrictions.\r\n550 see c=hi",
        "550 Suspected bounce attacks. http://service.mail.qq.com",
        "550 Connection frequency limited http://service.mail.qq.com/detail/122/1000722",
        "550 DOMAIN IP is rejected by 163 anti-spam",
        "550 5.1.0 192.0.2.25 is not allowed to send mail; see https://postmaster.t-online.de/#t4.1",
        # Of nobody: words that no row has.
        "550 Directory harvest attack detected",
        "550-Callout verification is not welcome here\r\n550 Go away",
        "550 192.0.2.25 is not an accepted MTA",
        "553 Account verification requests are not answered here",
        "550 5.0.350 Remote server returned an error: SPF",
        "550 mailbox owner has blocked you",
        "550 Mail is not accepted from dynamic/residential address space",
        "551 we have never seen your network before",
    ],
)
def test_a_code_against_its_own_words_proves_nothing(wire: str) -> None:
    assert verdict(wire)[0] == "unknown"


@pytest.mark.parametrize(
    "wire",
    [
        "550 zilch",
        "550 spam.block@relay.example: never heard of her",
        "550 never heard of <rate.limit@ip.example>, see https://verify.example/blocked",
        "553 she left",
        "550 5.0.0 gone fishing",
    ],
)
def test_words_that_nobody_knows_leave_the_code(wire: str) -> None:
    found = judge(SmtpReply.parse(wire))
    assert (found.status, found.evidence) == (Status.INVALID, f"code:{wire[:3]}")


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.RCPT])
@pytest.mark.parametrize(
    "wire", ["550 5.1.1 no such user", "550", "552 5.2.2 full", "450 4.1.1 x", "554 5.7.1 no", "220 x"]
)
def test_before_rcpt_nothing_is_said_about_the_mailbox(stage: Stage, wire: str) -> None:
    found = judge(SmtpReply.parse(wire), stage)
    assert found.status is Status.UNKNOWN
    assert found.reason not in (Reason.MAILBOX_NOT_FOUND, Reason.MAILBOX_FULL)


def test_rows_of_ones_own_come_first() -> None:
    ours = ReplyRow(name="text:our-gateway", reason=Reason.MAILBOX_NOT_FOUND, phrases=("not on the guest list",))
    reply = SmtpReply.parse("550 5.7.1 you are not on the guest list, connection refused")
    assert judge(reply).status is Status.UNKNOWN
    found = judge(reply, rules=(ours,))
    assert (found.status, found.evidence) == (Status.INVALID, "text:our-gateway")


def test_a_verdict_carries_the_row_that_decided() -> None:
    assert judge(SmtpReply.parse("550")).evidence == "code:550"
    assert judge(SmtpReply.parse("550 5.1.1 No such user here")).evidence.split(":")[0] in ("text", "enhanced")


def accepted() -> Verdict:
    return judge(SmtpReply.parse("250 2.1.5 Ok"))


@pytest.mark.parametrize(
    ("random", "catch_all", "status", "reason"),
    [
        ("550 5.1.1 no such user", False, Status.VALID, Finding.ACCEPTED),
        ("550", False, Status.VALID, Finding.ACCEPTED),
        ("250 ok", True, Status.CATCH_ALL, Finding.ACCEPTED),
        ("450 4.2.0 greylisted", None, Status.UNKNOWN, Finding.CATCH_ALL_UNDETERMINED),
        ("550 5.7.1 blocked using spamhaus", None, Status.UNKNOWN, Finding.CATCH_ALL_UNDETERMINED),
        ("252 cannot vrfy", None, Status.UNKNOWN, Finding.CATCH_ALL_UNDETERMINED),
    ],
)
def test_what_the_random_address_says(random: str, catch_all: bool | None, status: Status, reason: Finding) -> None:
    found = judge_catch_all(judge(SmtpReply.parse(random)))
    assert found is catch_all
    combined = combine(accepted(), found)
    assert (combined.status, combined.reason) == (status, reason)


def test_a_refusal_stays_a_refusal_whatever_the_domain_does() -> None:
    refused = judge(SmtpReply.parse("550 5.1.1 no such user"))
    for catch_all in (True, False, None):
        assert combine(refused, catch_all) is refused


@pytest.mark.parametrize(
    ("wire", "proves"),
    [
        ("550 5.1.1 no such user", True),
        ("550 5.2.1 mailbox disabled", True),
        ("552 5.2.2 mailbox full", False),
        ("556 5.1.10 null MX", False),
        ("450 4.1.1 no such user", False),
        ("550 5.7.1 blocked by spamhaus", False),
        ("250 ok", False),
    ],
)
def test_only_a_host_that_knows_its_users_proves_anything(wire: str, proves: bool) -> None:
    assert judge(SmtpReply.parse(wire)).proves_no_catch_all is proves


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("451 4.7.1 Greylisting in action, please come back in 00:05:00", 300),
        ("450 4.2.0 Greylisted for 60 seconds", 60),
        ("450 4.7.0 try again in 5 minutes", 300),
        ("450 retry in 2 hours", 7_200),
        ("450 retry in 90000 h", 86_400),
        ("450 greylisted for 10s", 10),
        ("450 4.2.0 Greylisted", None),
        ("450 4 messages", None),
        ("450 00:00:00", None),
        ("451 " + "9" * 1000, None),
    ],
)
def test_hints_about_when_to_come_back(text: str, seconds: int | None) -> None:
    assert retry_hint(SmtpReply.parse(text)) == seconds


def test_the_full_corpus_of_replies() -> None:
    """Verdicts right, and nothing that is about us ever called invalid."""
    folder = Path(needs.corpora()) / "smtp_replies"
    rows = [json.loads(line) for line in (folder / "smtp_replies.jsonl").read_text(encoding="utf-8").splitlines()]
    wrong = []
    for row in rows:
        lines = row["text"].split("\n")
        status = f"{row['enhanced']} " if row["enhanced"] else ""
        wire = "\r\n".join(
            f"{row['code']}{'-' if i < len(lines) - 1 else ' '}{status}{text}" for i, text in enumerate(lines)
        )
        found = judge(SmtpReply.parse(wire), Stage(row["stage"]))
        if str(found.status) != row["verdict"]:
            wrong.append((wire, row["reason"], found))
    assert wrong == []
