"""Why a recipient failed and whether it can change, from facts alone; real ones first."""

import json
import pickle
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.bounce._cause import Cause, CauseFacts, judge
from mailgate.bounce._hints import MAX_RETRY_SECONDS, block_list, lines_about, retry_after_seconds
from mailgate.records import EnhancedStatus, Fault, Permanence, Reason, ReplyRow

FIXTURES = Path(__file__).parents[2] / "fixtures" / "bounce_meaning"
CAUSES = [json.loads(line) for line in (FIXTURES / "causes.jsonl").read_text(encoding="utf-8").splitlines()]

WORDS_OF_PROGRAMS = [
    line.split("\t") for line in (FIXTURES / "words.tsv").read_text(encoding="utf-8").splitlines()[1:] if line.strip()
]


def facts_of(row: dict[str, Any]) -> CauseFacts:
    values = dict(row)
    if "status" in values:
        values["status"] = EnhancedStatus.parse(values["status"])
    if "hint" in values:
        values["hint"] = Reason(values["hint"])
    return CauseFacts(**values)


def status(text: str | None) -> EnhancedStatus | None:
    return None if text is None else EnhancedStatus.parse(text)


@pytest.mark.parametrize("case", CAUSES, ids=[f"{row['source']} {row['reason']}" for row in CAUSES])
def test_real_reports(case: dict[str, Any]) -> None:
    cause = judge(facts_of(case["facts"]))
    assert (str(cause.reason), str(cause.permanence), cause.smtp_code, cause.enhanced_status) == (
        case["reason"],
        case["permanence"],
        case["smtp_code"],
        status(case["enhanced_status"]),
    )
    assert cause.fault is cause.reason.fault
    assert cause.evidence


@pytest.mark.parametrize(("text", "reason"), WORDS_OF_PROGRAMS)
def test_words_that_mail_programs_write_for_people(text: str, reason: str) -> None:
    assert judge(CauseFacts(action="failed", text=text)).reason == Reason(reason)


@pytest.mark.parametrize(
    ("action", "code", "diagnostic", "text", "permanence"),
    [
        ("failed", "5.1.1", "550 5.1.1 no such user", "", Permanence.PERMANENT),
        ("failed", "5.0.0", "550 no such user", "", Permanence.PERMANENT),
        ("failed", None, None, "User unknown", Permanence.PERMANENT),
        ("failed", None, None, "", Permanence.PERMANENT),
        # given up after class-4 failures: this mail is dead, the address is not
        ("failed", "4.4.7", None, "", Permanence.EXPIRED),
        ("failed", "4.2.2", "452 4.2.2 mailbox full", "", Permanence.EXPIRED),
        ("failed", "4.0.0", "554 Blocked", "", Permanence.EXPIRED),
        ("failed", "5.0.0", "452 4.2.2 mailbox full", "", Permanence.EXPIRED),
        ("failed", "5.0.0", None, "retry timeout exceeded", Permanence.EXPIRED),
        ("failed", "5.4.7", None, "Envelope expired", Permanence.EXPIRED),
        ("failed", "5.0.0", None, "Connection refused", Permanence.EXPIRED),
        ("failed", "4.4.7", "550 4.4.7 QUEUE.Expired; message expired", "", Permanence.EXPIRED),
        ("failed", None, None, "mailbox full\nI'm not going to try again; this message has been in the queue too long.",
         Permanence.EXPIRED),
        # the code decides when Status only repeats what the server wrote beside it
        ("failed", "4.2.1", "550 4.2.1 receiving mail too quickly", "", Permanence.PERMANENT),
        ("failed", "5.4.1", "Connection refused", "", Permanence.PERMANENT),
        # a delay is a delay, whatever its codes
        ("delayed", "4.4.1", "connection timed out", "", Permanence.TRANSIENT),
        ("delayed", "5.1.1", "550 5.1.1 no such user", "", Permanence.TRANSIENT),
        ("delayed", "4.4.7", None, "u@b.example: Envelope expired", Permanence.EXPIRED),
        # no action
        (None, "5.1.1", None, "", Permanence.PERMANENT),
        (None, "4.4.1", None, "", Permanence.TRANSIENT),
        (None, "2.0.0", None, "", Permanence.DELIVERED),
        (None, None, None, "450 try again later", Permanence.TRANSIENT),
        ("delivered", "2.0.0", None, "", Permanence.DELIVERED),
        ("relayed", "2.1.9", "250 ok", "", Permanence.DELIVERED),
        ("expanded", "2.0.0", None, "", Permanence.DELIVERED),
    ],
)  # fmt: skip
def test_permanence(
    action: str | None, code: str | None, diagnostic: str | None, text: str, permanence: Permanence
) -> None:
    """RFC 3464 2.3.3, 2.3.4: action and status, and what became of them in the wild."""
    facts = CauseFacts(action=action, status=status(code), diagnostic_code=diagnostic, text=text)
    assert judge(facts).permanence is permanence


@pytest.mark.parametrize(
    ("code", "diagnostic", "text", "reason", "enhanced"),
    [
        # X.0.0 loses against what the reply says, a specific Status wins over a general one in the reply
        ("5.0.0", "550 5.1.1 xyzzy", "", Reason.MAILBOX_NOT_FOUND, "5.1.1"),
        ("5.1.1", "550 5.0.0 xyzzy", "", Reason.MAILBOX_NOT_FOUND, "5.1.1"),
        ("5.1.1", "550 5.2.2 xyzzy", "", Reason.MAILBOX_FULL, "5.2.2"),
        ("5.1.6", "551 not our user", "", Reason.MAILBOX_MOVED, "5.1.6"),
        ("4.4.7", "450 4.7.1 Client host rejected", "", Reason.BLOCKED, "4.7.1"),
        # words beat both
        ("5.1.1", "550 5.1.1 your IP is blacklisted", "", Reason.BLOCKED, "5.1.1"),
        ("5.2.1", "550 5.2.1 User unknown", "", Reason.MAILBOX_NOT_FOUND, "5.2.1"),
        # a code that half of all refusals carry says nothing, and a line beside it may
        ("5.0.0", "550 xyzzy", "", Reason.UNKNOWN, "5.0.0"),
        ("5.0.0", "550 Rejected", "a@b.example\n (in reply to MAIL FROM command)", Reason.SENDER_REJECTED, "5.0.0"),
        ("5.5.0", None, "mail.local: unknown user: a\n554 <a@b.example>... Service unavailable",
         Reason.MAILBOX_NOT_FOUND, "5.5.0"),
        ("5.0.0", "552 xyzzy", "Your mailbox is full", Reason.MAILBOX_FULL, "5.0.0"),
        # no diagnostic: the words, then the status
        ("5.0.0", None, "Reason: recipient reached disk quota", Reason.MAILBOX_FULL, "5.0.0"),
        ("5.2.2", None, "", Reason.MAILBOX_FULL, "5.2.2"),
        ("5.0.0", None, "", Reason.UNKNOWN, "5.0.0"),
        (None, None, "", Reason.UNKNOWN, None),
    ],
)  # fmt: skip
def test_status_and_diagnostic_weighed(
    code: str | None, diagnostic: str | None, text: str, reason: Reason, enhanced: str | None
) -> None:
    facts = CauseFacts(
        action="failed", status=status(code), diagnostic_code=diagnostic, text=text, recipient="a@b.example"
    )
    cause = judge(facts)
    assert (cause.reason, cause.enhanced_status) == (reason, status(enhanced))


def test_no_code_is_invented() -> None:
    cause = judge(CauseFacts(action="failed", text="mailbox full"))
    assert (cause.smtp_code, cause.enhanced_status, cause.smtp_command) == (None, None, None)


def test_a_delay_without_a_cause_is_expired_and_one_with_a_reply_is_not() -> None:
    assert judge(CauseFacts(action="delayed", status=status("4.0.0"))).reason is Reason.EXPIRED
    assert judge(CauseFacts(action="delayed", diagnostic_code="550")).reason is Reason.UNKNOWN


def test_programs_answer_with_exit_codes() -> None:
    facts = CauseFacts(action="failed", status=status("5.0.0"), diagnostic_type="X-Unix", diagnostic_code="1")
    assert judge(facts).reason is Reason.LOCAL_DELIVERY_FAILED


def test_the_command_is_kept() -> None:
    facts = CauseFacts(action="failed", diagnostic_code="554 xyzzy", text="(in reply to end of DATA command)")
    assert judge(facts).smtp_command == "DATA"


def test_a_dialects_hint_stands_between_words_and_codes() -> None:
    hint = CauseFacts(action="failed", text="xyzzy", dialect="acme", hint=Reason.MAILING_LIST)
    assert judge(hint).reason is Reason.MAILING_LIST
    assert judge(hint).evidence.startswith("dialect:acme")
    code = CauseFacts(action="failed", text="550 xyzzy", dialect="acme", hint=Reason.MAILING_LIST)
    assert judge(code).reason is Reason.MAILING_LIST
    words = CauseFacts(action="failed", text="mailbox full", dialect="acme", hint=Reason.MAILING_LIST)
    assert judge(words).reason is Reason.MAILBOX_FULL


def test_a_challenge_is_a_challenge_whatever_it_says() -> None:
    """QUIRK: Boxbe writes a failed DSN for a mail that waits; its words speak of the sender."""
    facts = CauseFacts(
        action="failed",
        status=status("4.7.0"),
        diagnostic_code="550 sender rejected",
        hint=Reason.CHALLENGE,
        dialect="x",
    )
    assert judge(facts).reason is Reason.CHALLENGE


def test_own_rows_decide_wherever_their_words_stand() -> None:
    row = ReplyRow(name="rule:acme", reason=Reason.POLICY, phrases=("acme says no",))
    for facts in (
        CauseFacts(action="failed", diagnostic_code="550 5.1.1 user unknown, acme says no"),
        CauseFacts(action="failed", diagnostic_code="550 5.1.1 user unknown", text="acme says no"),
    ):
        assert judge(facts, (row,)).reason is Reason.POLICY
        assert judge(facts, [row]).evidence.startswith("rule:acme")
        assert judge(facts).reason is Reason.MAILBOX_NOT_FOUND


@pytest.mark.parametrize(
    ("diagnostic", "named"),
    [
        ("550 5.1.1 <nobody@target.example>: Recipient address rejected: User unknown", "nobody@target.example"),
        ("550 5.1.1 nobody@target.example: User unknown", "nobody@target.example"),
        ("550 5.1.1 <OK@target.example>: User unknown", None),
        ("550 5.1.1 <o.k@target.example>: User unknown", None),
        ("550 5.1.1 <ok+tag@target.example>: User unknown", None),
        ("550 5.1.1 <nobody@elsewhere.example>: User unknown", None),
        ("550 5.1.1 User unknown, ask <nobody@target.example>", None),
        ("550 5.1.1 <postmaster@target.example> does not know that user unknown", None),
        ("551 5.1.6 <new@target.example> please try this: user has moved", None),
        ("550 5.7.1 <nobody@target.example>: Relay access denied", None),
        ("550 5.1.1 <ok@target.example>: User unknown", None),
    ],
)
def test_a_reply_that_names_another_address_of_the_domain(diagnostic: str, named: str | None) -> None:
    """QUIRK: nullmailer reports all recipients with the reply that was meant for one."""
    facts = CauseFacts(
        action="failed", status=status("5.1.1"), diagnostic_code=diagnostic, recipient="ok@target.example",
        final_recipient="ok@target.example",
    )  # fmt: skip
    assert judge(facts).other_address == named


@pytest.mark.parametrize(
    "named", ["j\\303\\266rgen@t.example", "jÃ¶rgen@t.example", "j??rgen@t.example", "JÖRGEN@t.example"]
)
def test_a_garbled_spelling_is_no_other_address(named: str) -> None:
    """QUIRK: Exim writes octets as octal, Postfix bad bytes as `?`."""
    facts = CauseFacts(
        action="failed", diagnostic_code=f"550 5.1.1 <{named}>: User unknown", recipient="jörgen@t.example"
    )
    assert judge(facts).other_address is None


def test_each_recipient_of_a_transcript_is_judged_by_its_own_lines() -> None:
    text = (
        "nobody@t.example: 550 5.1.1 <nobody@t.example>: User unknown\n"
        "full@t.example: 552 5.2.2 <full@t.example>: Mailbox full\n"
        "u@nx.example: No MX found for domain\n"
    )
    reasons = [
        judge(CauseFacts(action="failed", status=status("5.0.0"), text=text, recipient=one)).reason
        for one in ("nobody@t.example", "full@t.example", "u@nx.example")
    ]
    assert reasons == [Reason.MAILBOX_NOT_FOUND, Reason.MAILBOX_FULL, Reason.DOMAIN_NOT_FOUND]


@pytest.mark.parametrize(
    ("text", "recipient", "kept"),
    [
        ("a\nb", "x@y.example", "a\nb"),
        ("Final-Recipient: rfc822; a@b.example\nreason", None, "reason"),
        ("Content-Type: text/plain\nSubject: spam\nreason", None, "reason"),
        ("--w58I6rE4086062.1528481217/neko\nreason", None, "reason"),
        ("a@b.example: one\n more\nc@d.example: two\n more two", "c@d.example", "c@d.example: two\n more two"),
        ("a@b.example: one\n\nshared", "c@d.example", "shared"),
        ("a@b.example: one\nlost", "c@d.example", ""),
        ("a@b.example: one", None, "a@b.example: one"),
        (
            "<a@b.example>... x\n... while talking to x:\n<<< 550 <a@b.example> no\n<<< 554 none",
            "c@d.example",
            "... while talking to x:\n<<< 554 none",
        ),
    ],
)
def test_lines_about_one_recipient(text: str, recipient: str | None, kept: str) -> None:
    assert lines_about(text, recipient).strip() == kept


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("450 4.7.1 Greylisting in action, please come back in 00:05:00", 300),
        ("Greylisted for 300 seconds", 300),
        ("please try again in 5 minutes", 300),
        ("retry in 2 hours", 7_200),
        ("deferred for 1 day", 86_400),
        ("try again after 60s", 60),
        ("try again later", None),
        ("try again in 0 seconds", None),
        ("try again in 99999 days", None),
        ("Connection from 5 minutes ago", None),
        ("", None),
    ],
)
def test_when_to_try_again(text: str, seconds: int | None) -> None:
    assert retry_after_seconds(text) == seconds
    assert seconds is None or seconds <= MAX_RETRY_SECONDS


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query", "zen.spamhaus.org"),
        ("in a black list at b.barracudacentral.org", "b.barracudacentral.org"),
        ("listed by bl.example.net.", "bl.example.net"),
        ("listed in Spamhaus SBL", "spamhaus sbl"),
        ("listed in 192.0.2.1", None),
        ("part of their network is on our block list (S3150).", "s3150"),
        ("user unknown", None),
    ],
)
def test_block_lists(text: str, name: str | None) -> None:
    assert block_list(text) == name


def test_hints_stand_only_where_they_mean_something() -> None:
    final = CauseFacts(action="failed", diagnostic_code="550 5.1.1 user unknown, try again in 5 minutes")
    assert judge(final).retry_after_seconds is None
    waiting = CauseFacts(action="delayed", diagnostic_code="450 4.7.1 Greylisted for 300 seconds")
    assert judge(waiting).retry_after_seconds == 300
    blocked = CauseFacts(action="failed", diagnostic_code="554 5.7.1 blocked using zen.spamhaus.org")
    assert judge(blocked).block_list == "zen.spamhaus.org"
    assert judge(final).block_list is None


@pytest.mark.parametrize(
    "run", ["a@b.example ", "<<< 550 ", "550 5.1.1 ", "try again in ", "listed in ", "> ", "-", "a@b: \n", "... "]
)
def test_no_run_is_slow(run: str) -> None:
    long = run * 50_000
    judge(CauseFacts(action="failed", diagnostic_code=long, text=long, recipient="x@b.example", status_text=long))


def test_causes_pickle() -> None:
    cause = judge(CauseFacts(action="failed", diagnostic_code="550 5.1.1 no such user"))
    assert pickle.loads(pickle.dumps(cause)) == cause
    assert isinstance(cause, Cause)
    assert cause.fault is Fault.ADDRESS


def test_facts_cut_and_mixed_have_a_cause() -> None:
    """Seeded: texts of one report beside the codes of another, cut anywhere."""
    chance = random.Random(20261121)
    for _ in range(5_000):
        one, other = (facts_of(chance.choice(CAUSES)["facts"]) for _ in range(2))
        text = one.text[: chance.randrange(len(one.text) + 1)] + other.text[chance.randrange(len(other.text) + 1) :]
        mixed = CauseFacts(
            action=chance.choice([None, "failed", "delayed", "expanded"]),
            status=chance.choice([one.status, other.status, None]),
            diagnostic_code=chance.choice([one.diagnostic_code, other.diagnostic_code, None]),
            text=text,
            recipient=other.recipient,
            remote_mta=one.remote_mta,
            hint=other.hint,
            dialect=other.dialect,
        )
        cause = judge(mixed)
        assert cause.evidence
        assert (cause.permanence is Permanence.DELIVERED) <= (
            mixed.action == "expanded" or (mixed.status is not None and mixed.status.status_class == 2)
        ) or mixed.action is None


WORDS = st.text(alphabet="abc @.<>:;5012-\n()'", max_size=120)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(
    st.sampled_from([None, "failed", "delayed", "delivered", "other"]),
    st.sampled_from([None, EnhancedStatus(5, 1, 1), EnhancedStatus(4, 0, 0), EnhancedStatus(2, 0, 0)]),
    st.none() | WORDS,
    WORDS,
    st.none() | WORDS,
)
def test_any_facts_have_a_cause(
    action: str | None, code: EnhancedStatus | None, diagnostic: str | None, text: str, recipient: str | None
) -> None:
    facts = CauseFacts(action=action, status=code, diagnostic_code=diagnostic, text=text, recipient=recipient)
    assert judge(facts) == judge(facts)
