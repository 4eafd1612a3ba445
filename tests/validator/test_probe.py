"""The session as a state machine: whole dialogues from the wild, in any portions, and every way they can break."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailgate.records import Reason, Stage
from mailgate.validator import (
    Answer,
    Finding,
    ProbeSettings,
    SmtpProbe,
    StartTls,
    Status,
    Target,
    Waiting,
    combine,
    judge_catch_all,
)
from tests.support import needs

SESSIONS = Path(__file__).parents[2] / "fixtures" / "validator" / "sessions"
SETTINGS = ProbeSettings(helo="probe.sender.test", mail_from="probe@sender.test")
EHLO = b"250-mx\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n"
EHLO_TLS = b"250-mx\r\n250 STARTTLS\r\n"
OK, NO = b"250 2.1.5 Ok\r\n", b"550 5.1.1 User unknown\r\n"


class Talk:
    """A probe, and what came of it."""

    def __init__(
        self,
        *addresses: str | Target,
        settings: ProbeSettings = SETTINGS,
        random_address: str | None = "nobody18@example.com",
    ) -> None:
        self.targets = [Target(a) if isinstance(a, str) else a for a in addresses]
        self.random_address = random_address
        self.answers: list[Answer] = []
        self.sent: list[str] = []
        self.probe = SmtpProbe(
            settings,
            next_target=lambda: self.targets.pop(0) if self.targets else None,
            next_random=self._random,
            answered=self.answers.append,
        )

    def _random(self) -> Target | None:
        accepted = any(answer.verdict.status is Status.VALID for answer in self.answers)
        return Target(self.random_address, random=True) if self.random_address and accepted else None

    def hear(self, *data: bytes) -> list[str]:
        """The commands that follow each portion."""
        for portion in data:
            self.probe.receive(portion)
            self.collect()
        return self.sent

    def collect(self) -> None:
        self.sent += self.probe.take_commands().decode().splitlines()

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        return [(str(answer.verdict.status), str(answer.verdict.reason)) for answer in self.answers]


def play(dialogue: list[dict[str, Any]], feed: Callable[[SmtpProbe, bytes], None]) -> tuple[str, str, bool | None]:
    """Status, reason and catch-all answer of a scripted dialogue; the server answers what is asked, by the script."""
    talk = Talk("user@example.com")
    script = {(step["on"], 0): step["reply"] for step in dialogue}
    answer_to = "connect"
    for _ in range(50):
        reply = script.get((answer_to, 0), "221 bye" if answer_to == "QUIT" else None)
        if reply is None:
            talk.probe.lost()
            break
        feed(talk.probe, reply.encode() + b"\r\n")
        talk.collect()
        if talk.probe.waiting is Waiting.NOTHING:
            break
        verb = talk.sent[-1].split()[0]
        if verb == "RCPT":
            verb = "RCPT random" if "nobody18" in talk.sent[-1] else "RCPT target"
        answer_to = verb
    assert "DATA" not in " ".join(talk.sent)
    return outcome_of(talk)


def outcome_of(talk: Talk) -> tuple[str, str, bool | None]:
    if not talk.answers:
        assert talk.probe.failure is not None
        return str(talk.probe.failure.status), str(talk.probe.failure.reason), None
    target, *others = talk.answers
    asked = [answer for answer in others if answer.target.random]
    catch_all = judge_catch_all(asked[0].verdict) if asked else None
    combined = combine(target.verdict, catch_all)
    return str(combined.status), str(combined.reason), catch_all


def score(folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / "sessions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) >= 14
    for row in rows:
        expected = (row["status"], row["reason"], row["catch_all"])
        for size in (1, 5, 10_000):

            def feed(probe: SmtpProbe, data: bytes, size: int = size) -> None:
                for start in range(0, len(data), size):
                    probe.receive(data[start : start + size])

            assert play(row["dialogue"], feed) == expected, (row["id"], size)


def test_whole_dialogues() -> None:
    score(SESSIONS)


def test_whole_dialogues_of_the_full_corpus() -> None:
    score(Path(needs.corpora()) / "smtp_replies")


def test_targets_first_the_random_address_last_then_quit() -> None:
    talk = Talk("a@example.com", "b@example.com")
    talk.hear(b"220 mx\r\n", EHLO, OK, OK, OK, NO, b"221 bye\r\n")
    assert talk.sent == [
        "EHLO probe.sender.test",
        "MAIL FROM:<probe@sender.test>",
        "RCPT TO:<a@example.com>",
        "RCPT TO:<b@example.com>",
        "RCPT TO:<nobody18@example.com>",
        "QUIT",
    ]
    assert [answer.target.random for answer in talk.answers] == [False, False, True]
    assert talk.probe.waiting is Waiting.NOTHING


def test_no_random_address_behind_a_refusal() -> None:
    talk = Talk("a@example.com", "b@example.com")
    talk.hear(b"220 mx\r\n", EHLO, OK, OK, NO)
    assert talk.sent[-1] == "QUIT"
    assert talk.verdicts == [("valid", "accepted"), ("invalid", "mailbox_not_found")]


def test_a_full_mailbox_does_not_save_the_random_address() -> None:
    talk = Talk("a@example.com", "b@example.com")
    talk.hear(b"220 mx\r\n", EHLO, OK, OK, b"552 5.2.2 mailbox full\r\n")
    assert talk.sent[-1] == "RCPT TO:<nobody18@example.com>"


def test_limits_on_recipients_and_refusals() -> None:
    talk = Talk(*(f"u{i}@example.com" for i in range(20)), random_address=None)
    talk.hear(b"220 mx\r\n", EHLO, OK, *[OK] * 10)
    assert talk.sent[-1] == "QUIT"
    assert len(talk.answers) == talk.probe.recipient_count == 10
    talk = Talk(*(f"u{i}@example.com" for i in range(20)))
    talk.hear(b"220 mx\r\n", EHLO, OK, OK, *[NO] * 5)
    assert talk.sent[-1] == "QUIT"
    assert len(talk.answers) == 6
    talk = Talk(
        "a@example.com", "b@example.com", settings=ProbeSettings(helo="h.test", mail_from="a@b.test", recipients=1)
    )
    talk.hear(b"220 mx\r\n", EHLO, OK, OK)
    assert talk.sent[-1] == "QUIT", "a host that takes one recipient a connection is not asked for a random one too"


@pytest.mark.parametrize("code", [500, 502, 504])
def test_helo_where_ehlo_is_not_known(code: int) -> None:
    talk = Talk("a@example.com")
    talk.hear(b"220 mx\r\n", b"%d 5.5.1 what?\r\n" % code, b"250 mx\r\n", OK)
    assert talk.sent[:3] == ["EHLO probe.sender.test", "HELO probe.sender.test", "MAIL FROM:<probe@sender.test>"]


def test_no_helo_where_ehlo_was_understood_and_refused() -> None:
    talk = Talk("a@example.com")
    talk.hear(b"220 mx\r\n", b"550 5.7.1 Helo command rejected: Host not found\r\n")
    assert talk.sent == ["EHLO probe.sender.test", "QUIT"]
    assert talk.probe.failure_stage is Stage.EHLO


@pytest.mark.parametrize(
    ("portions", "stage", "reason"),
    [
        ((b"554 your reputation is poor\r\n",), Stage.CONNECT, None),
        ((b"421 4.3.2 busy\r\n",), Stage.CONNECT, None),
        ((b"220 mx\r\n", b"421 4.3.2 bye\r\n"), Stage.EHLO, None),
        (
            (b"220 mx\r\n", EHLO, b"550 5.1.8 Sender address rejected: Domain not found\r\n"),
            Stage.MAIL,
            "sender_rejected",
        ),
        ((b"HTTP/1.1 400 Bad Request\r\n",), Stage.CONNECT, "protocol_error"),
        ((b"220 mx\r\n", b"250-a\r\n550 b\r\n"), Stage.EHLO, "protocol_error"),
        ((b"220 mx\r\n250 what?\r\n",), Stage.EHLO, "protocol_error"),
        ((b"220 " + b"x" * 70_000,), Stage.CONNECT, "protocol_error"),
    ],
)
def test_a_session_that_ends_before_a_recipient(portions: tuple[bytes, ...], stage: Stage, reason: str | None) -> None:
    talk = Talk("a@example.com")
    talk.hear(*portions)
    assert talk.answers == []
    assert talk.probe.failure is not None
    assert talk.probe.failure.status is Status.UNKNOWN
    assert talk.probe.failure_stage is stage
    assert not talk.probe.asked
    if reason is not None:
        assert str(talk.probe.failure.reason) == reason
    greeted = (portions[0].startswith(b"220") and b"\n" in portions[0]) or portions[0][:1] in b"45"
    assert (talk.sent[-1:] == ["QUIT"]) is greeted
    assert [t.address for t in talk.targets + talk.probe.returned] == ["a@example.com"], "nobody is lost"


def test_a_hang_up_is_the_answer_for_whom_it_met_and_for_nobody_else() -> None:
    talk = Talk("a@example.com", "b@example.com", "c@example.com")
    talk.hear(b"220 mx\r\n", EHLO, OK, OK)
    talk.probe.lost()
    assert talk.verdicts == [("valid", "accepted"), ("unknown", "connection_lost")]
    assert [target.address for target in talk.targets] == ["c@example.com"]
    assert talk.probe.failure is None
    talk.probe.lost()
    assert len(talk.answers) == 2


def test_a_hang_up_between_recipients_puts_back_who_was_taken() -> None:
    talk = Talk("a@example.com", Target("é@example.com", smtputf8=True))
    talk.hear(b"220 mx\r\n", EHLO, OK, OK)
    assert talk.sent[-1] == "RSET"
    talk.probe.lost()
    assert talk.verdicts == [("valid", "accepted")]
    assert [target.address for target in talk.probe.returned] == ["é@example.com"]


def test_silence() -> None:
    talk = Talk("a@example.com", "b@example.com")
    talk.hear(b"220 mx\r\n", EHLO, OK)
    talk.probe.expired()
    talk.collect()
    assert talk.verdicts == [("unknown", "timeout")]
    assert talk.sent[-1] == "QUIT"
    assert talk.probe.waiting is Waiting.NOTHING
    silent = Talk("a@example.com")
    silent.probe.expired()
    silent.collect()
    assert silent.sent == [], "nothing is said to a host that did not greet"
    assert silent.probe.failure is not None
    assert silent.probe.failure.reason is Finding.TIMEOUT


def test_who_gives_up_answers_nobody() -> None:
    talk = Talk("a@example.com")
    talk.hear(b"220 mx\r\n", EHLO, OK)
    talk.probe.give_up()
    talk.collect()
    assert talk.answers == []
    assert talk.sent[-1] == "QUIT"
    assert [target.address for target in talk.probe.returned] == ["a@example.com"]
    assert talk.probe.waiting is Waiting.GOODBYE
    talk.hear(OK)
    assert talk.answers == []
    assert talk.probe.waiting is Waiting.NOTHING


@pytest.mark.parametrize(
    "parting",
    [
        b"421 4.7.0 too many errors\r\n",
        b"550 5.7.1 blocked using zen.spamhaus.org\r\n",
        b"450 4.7.1 rate limit exceeded\r\n",
    ],
)
def test_a_host_that_blocks_or_slows_us_is_left_at_once(parting: bytes) -> None:
    talk = Talk("a@example.com", "b@example.com")
    talk.hear(b"220 mx\r\n", EHLO, OK, parting)
    assert talk.sent[-1] == "QUIT"
    assert len(talk.answers) == 1
    assert talk.answers[0].verdict.status is Status.UNKNOWN
    assert [target.address for target in talk.targets] == ["b@example.com"]


def test_421_that_comes_on_its_own_is_a_farewell() -> None:
    talk = Talk("a@example.com", "b@example.com")
    talk.hear(b"220 mx\r\n", EHLO, OK, OK + b"421 4.4.2 timeout exceeded\r\n")
    assert talk.verdicts == [("valid", "accepted")]
    assert talk.probe.failure is not None
    assert talk.probe.failure_reply is not None
    assert talk.probe.failure_reply.code == 421
    assert [target.address for target in talk.probe.returned] == ["b@example.com"]


def test_answers_that_nobody_asked_for_are_not_taken_for_later_ones() -> None:
    talk = Talk("a@example.com", "b@example.com")
    talk.hear(b"220 mx\r\n", EHLO, OK, OK + OK)
    assert talk.verdicts == [("valid", "accepted")]
    assert talk.probe.failure is not None
    assert talk.probe.failure.reason is Reason.PROTOCOL_ERROR


def test_too_many_recipients_means_a_new_transaction_then_a_new_connection() -> None:
    too_many = b"452 4.5.3 Too many recipients\r\n"
    talk = Talk("a@example.com", "b@example.com", "c@example.com")
    talk.hear(b"220 mx\r\n", EHLO, OK, OK, too_many, OK, OK, OK)
    assert talk.sent[3:7] == [
        "RCPT TO:<b@example.com>",
        "RSET",
        "MAIL FROM:<probe@sender.test>",
        "RCPT TO:<b@example.com>",
    ]
    assert talk.sent[7:] == ["RSET"], "it remembers how many fit into a transaction"
    talk.hear(OK, OK, OK)
    assert [answer.verdict.status for answer in talk.answers] == [Status.VALID] * 3
    again = Talk("a@example.com", "b@example.com", "c@example.com")
    again.hear(b"220 mx\r\n", EHLO, OK, OK, too_many, OK, OK, too_many)
    assert again.sent[-1] == "QUIT"
    assert again.probe.too_many
    assert again.probe.recipient_count == 1
    assert [target.address for target in again.probe.returned] == ["b@example.com"]
    alone = Talk("a@example.com")
    alone.hear(b"220 mx\r\n", EHLO, OK, too_many)
    assert alone.verdicts == [("unknown", "too_many_recipients")]


def test_the_random_address_gets_a_second_try_in_a_transaction_of_its_own() -> None:
    talk = Talk("a@example.com")
    talk.hear(b"220 mx\r\n", EHLO, OK, OK, b"451 4.3.0 try again\r\n", OK, OK, NO)
    assert talk.sent[-4:] == ["RSET", "MAIL FROM:<probe@sender.test>", "RCPT TO:<nobody18@example.com>", "QUIT"]
    assert talk.verdicts[-1] == ("invalid", "mailbox_not_found")


def test_smtputf8_is_said_where_it_is_needed_and_only_there() -> None:
    talk = Talk("a@example.com", Target("é@example.com", smtputf8=True), "b@example.com", random_address=None)
    talk.hear(b"220 mx\r\n", EHLO, OK, OK, OK, OK, OK, OK, OK, OK)
    mails = [command for command in talk.sent if command.startswith("MAIL")]
    assert mails == [
        "MAIL FROM:<probe@sender.test>",
        "MAIL FROM:<probe@sender.test> SMTPUTF8",
        "MAIL FROM:<probe@sender.test>",
    ]
    assert "RCPT TO:<é@example.com>" in talk.sent


def test_without_smtputf8_the_address_is_not_even_asked_for() -> None:
    talk = Talk(Target("é@example.com", smtputf8=True), "a@example.com", random_address=None)
    talk.hear(b"220 mx\r\n", b"250 mx\r\n", OK, OK)
    assert talk.verdicts == [("unknown", "smtputf8_unsupported"), ("valid", "accepted")]
    assert not any("é" in command for command in talk.sent)


def tls(mode: StartTls) -> ProbeSettings:
    return ProbeSettings(helo="probe.sender.test", mail_from="probe@sender.test", starttls=mode)


REQUIRED = b"530 5.7.0 Must issue a STARTTLS command first\r\n"


def test_encryption_where_it_is_required_at_mail() -> None:
    talk = Talk("a@example.com")
    talk.hear(b"220 mx\r\n", EHLO_TLS, REQUIRED, b"220 go ahead\r\n")
    assert talk.sent[-1] == "STARTTLS"
    assert talk.probe.waiting is Waiting.TLS
    talk.probe.tls_started(True)
    talk.collect()
    talk.hear(EHLO, OK, OK)
    assert talk.sent[-4:-1] == ["EHLO probe.sender.test", "MAIL FROM:<probe@sender.test>", "RCPT TO:<a@example.com>"]
    assert talk.probe.encrypted


def test_encryption_where_it_is_required_at_rcpt() -> None:
    talk = Talk("a@example.com", random_address=None)
    talk.hear(b"220 mx\r\n", EHLO_TLS, OK, b"550 5.7.1 This route requires encryption (TLS)\r\n", OK, b"220 go\r\n")
    talk.probe.tls_started(True)
    talk.collect()
    talk.hear(EHLO, OK, OK)
    assert talk.verdicts == [("valid", "accepted")]
    assert talk.sent.count("RCPT TO:<a@example.com>") == 2


@pytest.mark.parametrize(
    ("mode", "ehlo", "asked"),
    [
        (StartTls.NEVER, EHLO_TLS, False),
        (StartTls.IF_REQUIRED, EHLO, False),
        (StartTls.IF_REQUIRED, EHLO_TLS, True),
        (StartTls.IF_OFFERED, EHLO, False),
    ],
)
def test_when_encryption_is_asked_for(mode: StartTls, ehlo: bytes, asked: bool) -> None:
    talk = Talk("a@example.com", settings=tls(mode))
    talk.hear(b"220 mx\r\n", ehlo, REQUIRED)
    assert ("STARTTLS" in talk.sent) is asked
    if not asked:
        assert talk.probe.failure is not None
        assert talk.probe.failure.reason is Reason.TLS_REQUIRED


def test_encryption_where_it_is_offered_and_plain_text_where_that_fails() -> None:
    talk = Talk("a@example.com", settings=tls(StartTls.IF_OFFERED))
    talk.hear(b"220 mx\r\n", EHLO_TLS)
    assert talk.sent[-1] == "STARTTLS"
    talk.hear(b"454 4.7.0 TLS not available\r\n")
    assert talk.sent[-1] == "MAIL FROM:<probe@sender.test>"


@pytest.mark.parametrize("how", ["refused", "handshake", "lost"])
def test_encryption_that_fails(how: str) -> None:
    talk = Talk("a@example.com")
    talk.hear(b"220 mx\r\n", EHLO_TLS, REQUIRED)
    if how == "refused":
        talk.hear(b"454 4.7.0 TLS not available\r\n")
        assert talk.sent[-1] == "QUIT"
    else:
        talk.hear(b"220 go\r\n")
        if how == "handshake":
            talk.probe.tls_started(False)
        else:
            talk.probe.lost()
        talk.collect()
        assert talk.probe.failure is not None
        assert talk.probe.failure.reason is Reason.TLS_FAILED
        assert talk.sent[-1] == "STARTTLS", "there is nobody left to say QUIT to"
    assert [target.address for target in talk.probe.returned] == ["a@example.com"]


def test_nothing_said_in_the_clear_counts_behind_starttls() -> None:
    """RFC 3207 6, CVE-2011-0411: what an attacker put behind the 220 is thrown away."""
    talk = Talk("a@example.com")
    talk.hear(b"220 mx\r\n", EHLO_TLS, REQUIRED, b"220 go\r\n250 injected\r\n250 again\r\n")
    talk.hear(b"250 more\r\n")
    talk.probe.tls_started(True)
    talk.collect()
    assert talk.sent[-1] == "EHLO probe.sender.test"
    assert talk.probe.waiting is Waiting.REPLY
    assert talk.answers == []


REPLIES = [
    *(b"220 mx\r\n", EHLO, EHLO_TLS, OK, NO, b"250 ok\r\n", b"421 bye\r\n", b"450 4.2.0 greylisted\r\n", REQUIRED),
    *(b"452 4.5.3 many\r\n", b"554 5.7.1 blocked\r\n", b"221 bye\r\n", b"250-x\r\n", b"garbage\r\n", b"2", b"\n"),
    *(b"\x00\xff", b"500 what\r\n"),
]


def test_any_server_at_all() -> None:
    """Random replies, hang-ups and silence: every address is answered once, put back, or never taken."""
    rng = random.Random(821)
    for _ in range(int(os.environ.get("MAILGATE_FUZZ", "20000")) // 4):
        names = [f"u{i}@example.com" for i in range(rng.randint(1, 12))]
        mode = rng.choice(list(StartTls))
        talk = Talk(*(Target(n, smtputf8=rng.random() < 0.1) for n in names), settings=tls(mode))
        if rng.random() < 0.7:
            talk.hear(b"220 mx\r\n", rng.choice([EHLO, EHLO_TLS]))
        for _ in range(rng.randint(0, 40)):
            if talk.probe.waiting is Waiting.TLS:
                talk.probe.tls_started(rng.random() < 0.7)
            elif rng.random() < 0.02:
                rng.choice([talk.probe.lost, talk.probe.expired, talk.probe.give_up])()
            else:
                talk.hear(rng.choice(REPLIES))
            talk.collect()
        if talk.probe.waiting is not Waiting.NOTHING:
            talk.probe.lost()
        talk.collect()
        settled = [answer.target.address for answer in talk.answers if not answer.target.random]
        left = [target.address for target in [*talk.targets, *talk.probe.returned] if not target.random]
        assert sorted(settled + left) == sorted(names)
        assert sum(answer.target.random for answer in talk.answers) <= 1
        assert {command.split()[0] for command in talk.sent} <= {
            "EHLO",
            "HELO",
            "STARTTLS",
            "MAIL",
            "RCPT",
            "RSET",
            "QUIT",
        }
        assert talk.sent.count("QUIT") <= 1
