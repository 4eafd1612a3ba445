"""One SMTP session as a state machine: bytes in, bytes out, no socket, no clock (RFC 5321 3).

The dialogue is written down as it is spoken: a generator that yields a command and is sent the reply. Around it,
`SmtpProbe` cuts replies out of bytes, notes what each recipient was told, and ends the dialogue when the server hangs
up, falls silent or speaks nonsense. The driver (`_driver`) owns sockets and time limits and obeys.

Manners: the addresses asked about come first, an address that nobody has comes last, and only when nobody was refused
(a refusal already proves that the host knows who is there). A host that blocks or slows us is left at once. QUIT is
always sent behind a greeting; DATA and VRFY never.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mailgate.records import ParseError, Reason, ReplyRow, SmtpReply, Stage
from mailgate.validator._judge import Verdict, judge
from mailgate.validator._replies import ReplyReader
from mailgate.validator._settings import StartTls
from mailgate.validator._words import AnyReason, Finding, Status


class Waiting(StrEnum):
    """What a session waits for; each has its own time limit."""

    GREETING = "greeting"
    REPLY = "reply"
    TLS = "tls"
    GOODBYE = "goodbye"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Target:
    """An address to ask about, as it goes into RCPT TO; `random`: one that nobody has. token: the caller's own."""

    address: str
    smtputf8: bool = False
    random: bool = False
    token: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one recipient: a reply, or the reason why there is none."""

    target: Target
    verdict: Verdict
    stage: Stage
    reply: SmtpReply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """What a session says and how far it goes; the fields are those of `Settings`."""

    helo: str
    mail_from: str
    recipients: int = 10
    refusals: int = 5
    starttls: StartTls = StartTls.IF_REQUIRED
    rules: tuple[ReplyRow, ...] = ()


_START_TLS = object()  # yielded instead of a command: the driver is to encrypt, and sends back whether it could
_HELO_INSTEAD = frozenset((500, 502, 504))  # RFC 5321 4.2.2, 3.2: the command is not known
_Dialogue = Generator[object, SmtpReply | bool, None]
_Ask = Generator[object, SmtpReply | bool, SmtpReply]
_Step = Generator[object, SmtpReply | bool, bool]


class SmtpProbe:
    """One session. `receive`, `lost` and `expired` say what happened; `take_commands` is what to send next.

    next_target: called for each recipient when its turn comes; None: there is no further one. next_random: called
    once, when the session could ask for a random address; None: it is not needed. answered: called with each
    `Answer`. host: the server's name, for what is known of single providers.

    failure: the verdict that ended the session before it could ask for a recipient, with `failure_stage` and
    `failure_reply`; None when it could. asked: whether a RCPT was sent. encrypted: whether TLS was needed and came.
    returned: recipients that were taken and not answered, to be asked elsewhere. recipient_count: how many were asked
    and answered; too_many: the host takes no more of them on one connection.
    """

    def __init__(
        self,
        settings: ProbeSettings,
        *,
        next_target: Callable[[], Target | None],
        next_random: Callable[[], Target | None],
        answered: Callable[[Answer], None],
        host: str = "",
    ) -> None:
        self._settings = settings
        self._next_target = next_target
        self._next_random = next_random
        self._answered = answered
        self._host = host
        self._reader = ReplyReader()
        self._outgoing: list[bytes] = []
        self._extensions: frozenset[str] = frozenset()
        self._current: Target | None = None
        self._stage = Stage.CONNECT
        self._secure = False
        self._transaction: bool | None = None  # None: no MAIL yet; else whether it was given with SMTPUTF8
        self._in_transaction = 0
        self._per_transaction = 0  # learned: how many the host takes in one; 0 is unknown
        self._refused = 0
        self._refused_for_good = False
        self._greeted = False
        self.waiting = Waiting.GREETING
        self.failure: Verdict | None = None
        self.failure_stage = Stage.CONNECT
        self.failure_reply: SmtpReply | None = None
        self.asked = False
        self.encrypted = False
        self.returned: list[Target] = []
        self.recipient_count = 0
        self.too_many = False
        self._dialogue = self._session()
        next(self._dialogue)

    # --- what the driver calls ---------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """The server sent `data`."""
        if self.waiting in (Waiting.NOTHING, Waiting.TLS):
            return
        try:
            self._reader.feed(data)
            while (reply := self._reader.next_reply()) is not None:
                self._advance(reply)
                if self.waiting in (Waiting.NOTHING, Waiting.TLS):
                    return
                if self._reader.pending and self.waiting is not Waiting.GOODBYE:
                    # Nothing more was asked yet, and it talks on: later answers could not be told apart.
                    return self._out_of_step()
        except ParseError as error:
            self._break_off(_nonsense(error))

    def tls_started(self, ok: bool) -> None:
        """The driver encrypted the connection, or could not (then the connection is gone)."""
        self._reader.discard()
        self._advance(ok)

    def lost(self) -> None:
        """The server hung up, or the network did."""
        self._break_off(_without_reply(Finding.CONNECTION_LOST), goodbye=False)

    def expired(self) -> None:
        """A time limit passed."""
        self._break_off(_without_reply(Finding.TIMEOUT))

    def give_up(self) -> None:
        """We leave: nobody is answered, whoever was being asked is put back, and only the answer to QUIT is awaited."""
        if self.waiting in (Waiting.NOTHING, Waiting.GOODBYE):
            return
        self._close(goodbye=self.waiting is not Waiting.TLS)
        if self._outgoing:
            self.waiting = Waiting.GOODBYE
        self._put_back()

    def take_commands(self) -> bytes:
        """What is to be sent now."""
        commands = b"".join(self._outgoing)
        self._outgoing.clear()
        return commands

    # --- the dialogue ------------------------------------------------------------------------------------------------

    def _session(self) -> _Dialogue:
        reply = yield from self._read(Waiting.GREETING)
        self._greeted = True
        if reply.code // 100 != 2:
            self._fail(reply)
        elif (yield from self._hello()) and (yield from self._encrypt_if_offered()):
            yield from self._recipients()
        yield from self._quit()

    def _hello(self) -> _Step:
        reply = yield from self._command(Stage.EHLO, f"EHLO {self._settings.helo}")
        if reply.code in _HELO_INSTEAD:
            reply = yield from self._command(Stage.EHLO, f"HELO {self._settings.helo}")
            self._extensions = frozenset()
        else:
            self._extensions = frozenset(line.partition(" ")[0].upper() for line in reply.lines[1:])
        if reply.code // 100 == 2:
            return True
        self._fail(reply)
        return False

    def _encrypt_if_offered(self) -> _Step:
        """Encrypt when that is the setting and the host offers it; False when that ended the session."""
        if self._settings.starttls is not StartTls.IF_OFFERED or not self._can_encrypt():
            return True
        return (yield from self._encrypt(insist=False))

    def _can_encrypt(self) -> bool:
        return not self._secure and self._settings.starttls is not StartTls.NEVER and "STARTTLS" in self._extensions

    def _encrypt(self, *, insist: bool = True) -> _Step:
        reply = yield from self._command(Stage.STARTTLS, "STARTTLS")
        if reply.code != 220:
            if insist:
                self._fail(reply)
            return not insist
        self._reader.discard()
        self.waiting = Waiting.TLS
        if not (yield _START_TLS):
            self._fail(None, _without_reply(Reason.TLS_FAILED))
            self.waiting = Waiting.NOTHING
            return False
        self._secure = self.encrypted = True
        self._transaction = None
        return (yield from self._hello())

    def _recipients(self) -> _Dialogue:
        while self.recipient_count < self._settings.recipients and self._refused < self._settings.refusals:
            target = self._next_target()
            if target is None:
                break
            if not (yield from self._ask(target)):
                return
        if self._may_ask_random() and (random := self._next_random()) is not None:
            yield from self._ask(random)

    def _may_ask_random(self) -> bool:
        alone = self._settings.recipients > 1 or not self.recipient_count
        return alone and not self._refused_for_good and self._refused < self._settings.refusals

    def _ask(self, target: Target) -> _Step:
        """Ask for one recipient; False when the session is over."""
        self._current = target
        if target.smtputf8 and "SMTPUTF8" not in self._extensions:
            self._answer(_without_reply(Reason.SMTPUTF8_UNSUPPORTED), None, Stage.EHLO)
            return True
        retried = encrypting = False
        while True:
            if not (yield from self._begin(target)):
                return False
            reply = yield from self._command(Stage.RCPT, f"RCPT TO:<{target.address}>")
            self.asked = True
            verdict = self._judge(reply, Stage.RCPT)
            if verdict.reason is Reason.TLS_REQUIRED and not encrypting and self._can_encrypt():
                encrypting = True
                if not ((yield from self._reset()) and (yield from self._encrypt())):
                    return False
            elif self._in_transaction and not retried and _is_about_the_transaction(target, verdict, reply):
                retried = True
                if verdict.reason is Reason.TOO_MANY_RECIPIENTS:
                    self._per_transaction = self._in_transaction
                if not (yield from self._reset()):
                    return False
            else:
                break
        return self._settle(target, verdict, reply)

    def _settle(self, target: Target, verdict: Verdict, reply: SmtpReply) -> bool:
        """Note the answer, or leave the recipient to another connection; False to leave."""
        if verdict.reason is Reason.TOO_MANY_RECIPIENTS and self.recipient_count and not target.random:
            self.too_many = True
            return False
        self._in_transaction += 1
        self.recipient_count += not target.random
        self._refused += reply.code // 100 != 2
        self._refused_for_good = self._refused_for_good or (verdict.proves_no_catch_all and not target.random)
        self._answer(verdict, reply, Stage.RCPT)
        return reply.code != 421 and not verdict.is_about_us

    def _begin(self, target: Target) -> _Step:
        """See that a transaction is open that this recipient fits into; False when that ended the session."""
        full = bool(self._per_transaction) and self._in_transaction >= self._per_transaction
        if self._transaction is not None:
            if self._transaction == target.smtputf8 and not full:
                return True
            if not (yield from self._reset()):
                return False
        command = f"MAIL FROM:<{self._settings.mail_from}>{' SMTPUTF8' if target.smtputf8 else ''}"
        reply = yield from self._command(Stage.MAIL, command)
        if reply.code // 100 != 2 and self._can_encrypt() and self._wants_tls(reply):
            if not (yield from self._encrypt()):
                return False
            reply = yield from self._command(Stage.MAIL, command)
        if reply.code // 100 != 2:
            self._fail(reply)
            return False
        self._transaction, self._in_transaction = target.smtputf8, 0
        return True

    def _wants_tls(self, reply: SmtpReply) -> bool:
        return self._judge(reply, Stage.MAIL).reason is Reason.TLS_REQUIRED

    def _reset(self) -> _Step:
        reply = yield from self._command(Stage.MAIL, "RSET")
        self._transaction = None
        if reply.code // 100 != 2:
            self._fail(reply)
            return False
        return True

    def _quit(self) -> _Dialogue:
        self._put_back()
        if self.waiting is not Waiting.NOTHING:
            self._outgoing.append(b"QUIT\r\n")
            yield from self._read(Waiting.GOODBYE)
        self.waiting = Waiting.NOTHING

    def _command(self, stage: Stage, line: str) -> _Ask:
        self._stage = stage
        self._outgoing.append(line.encode("utf-8") + b"\r\n")
        return (yield from self._read(Waiting.REPLY))

    def _read(self, waiting: Waiting) -> _Ask:
        self.waiting = waiting
        reply = yield None
        assert isinstance(reply, SmtpReply)  # noqa: S101 - only `tls_started` sends anything else, and not here
        return reply

    # --- what became of it -------------------------------------------------------------------------------------------

    def _advance(self, reply: SmtpReply | bool) -> None:
        try:
            self._dialogue.send(reply)
        except StopIteration:
            self.waiting = Waiting.NOTHING

    def _answer(self, verdict: Verdict, reply: SmtpReply | None, stage: Stage) -> None:
        target, self._current = self._current, None
        if target is not None:
            self._answered(Answer(target=target, verdict=verdict, stage=stage, reply=reply))

    def _judge(self, reply: SmtpReply, stage: Stage) -> Verdict:
        return judge(reply, stage, rules=self._settings.rules, remote_host=self._host)

    def _fail(self, reply: SmtpReply | None, verdict: Verdict | None = None) -> None:
        """The session ends before, or between, recipients; whoever was taken is put back."""
        if verdict is None and reply is not None:
            verdict = self._judge(reply, self._stage)
        self.failure, self.failure_stage, self.failure_reply = verdict, self._stage, reply

    def _put_back(self) -> None:
        if self._current is not None:
            self.returned.append(self._current)
            self._current = None

    def _break_off(self, verdict: Verdict, *, goodbye: bool = True) -> None:
        """End the session here: whoever was being asked gets the verdict, or all whom nobody asked yet."""
        if self.waiting is Waiting.NOTHING:
            return
        leaving, encrypting = self.waiting is Waiting.GOODBYE, self.waiting is Waiting.TLS
        self._close(goodbye=goodbye and not leaving and not encrypting)
        if leaving:
            return
        if encrypting:
            verdict = _without_reply(Reason.TLS_FAILED)
        if self._stage is Stage.RCPT and self._current is not None:
            self.asked = True
            self._answer(verdict, None, Stage.RCPT)
        else:
            self._fail(None, verdict)
        self._put_back()

    def _out_of_step(self) -> None:
        """The server said more than it was asked: 421 before it hangs up, as Postfix does, or nonsense."""
        self._close(goodbye=True)
        try:
            reply = self._reader.next_reply()
        except ParseError as error:
            self._fail(None, _nonsense(error))
        else:
            if reply is not None and reply.code == 421:
                self._fail(reply)
            else:
                self._fail(None, Verdict(status=Status.UNKNOWN, reason=Reason.PROTOCOL_ERROR, evidence="out_of_step"))
        self._put_back()

    def _close(self, *, goodbye: bool) -> None:
        self._dialogue.close()
        self._outgoing.clear()
        self.waiting = Waiting.NOTHING
        if goodbye and self._greeted:
            self._outgoing.append(b"QUIT\r\n")


def _is_about_the_transaction(target: Target, verdict: Verdict, reply: SmtpReply) -> bool:
    """A reply that a recipient alone in a transaction might not get."""
    if verdict.reason is Reason.TOO_MANY_RECIPIENTS:
        return True
    passing = 400 <= reply.code < 500 and reply.code != 421 and verdict.reason is not Reason.GREYLISTED
    return target.random and passing and not verdict.is_about_us


def _nonsense(error: ParseError) -> Verdict:
    return Verdict(status=Status.UNKNOWN, reason=Reason.PROTOCOL_ERROR, evidence=error.error)


def _without_reply(reason: AnyReason) -> Verdict:
    return Verdict(status=Status.UNKNOWN, reason=reason, evidence="none")
