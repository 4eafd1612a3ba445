"""The result: what is known about one address, when it was asked, and what it was drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mailgate.records import Reason, SmtpReply, Stage
from mailgate.validator._syntax import Mailbox, SyntaxFault
from mailgate.validator._syntax_reasons import SyntaxReason
from mailgate.validator._words import Advice, AnyReason, Finding, Layer, Status, reason_of

MAX_TEXT_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What is known about one address.

    input: as given. mailbox: None when it is no address. status, reason, layer, advice: the verdict, why, how far the
    look went that decided, what to do. evidence: the row or the lookup that decided. position: of a syntax fault.
    stage, reply, mx_host: what was asked last, what the server said, who said it (without a reply: the first host that
    would be asked). catch_all: of the domain, None when
    it is not known. implicit_mx: the domain has no MX and takes mail itself. role, disposable, free: flags, None
    where no list was given. suggestion: the address that was probably meant. retry_after: seconds from `checked_at`
    after which asking again makes sense, None when it does not. attempts: how often it was asked. checked_at: UTC.
    """

    input: str
    mailbox: Mailbox | None
    status: Status
    reason: AnyReason
    layer: Layer
    advice: Advice
    checked_at: datetime
    evidence: str = ""
    position: int | None = None
    stage: Stage | None = None
    reply: SmtpReply | None = None
    mx_host: str | None = None
    catch_all: bool | None = None
    implicit_mx: bool = False
    role: bool | None = None
    disposable: bool | None = None
    free: bool | None = None
    suggestion: str | None = None
    retry_after: int | None = None
    attempts: int = 0

    @property
    def smtp_text(self) -> str | None:
        """The words of the reply, at most 500 characters."""
        return None if self.reply is None else self.reply.text[:MAX_TEXT_CHARACTERS]

    @property
    def explanation(self) -> str:
        """The verdict in one sentence, for people."""
        return explain(self)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values; `input` to `checked_at` first, then what it was drawn from."""
        reply = self.reply
        enhanced = None if reply is None or reply.enhanced_status is None else str(reply.enhanced_status)
        return {
            "input": self.input,
            "address": None if self.mailbox is None else self.mailbox.normalized,
            "status": str(self.status),
            "reason": str(self.reason),
            "layer": str(self.layer),
            "advice": str(self.advice),
            "catch_all": self.catch_all,
            "mx_host": self.mx_host,
            "smtp_code": None if reply is None else reply.code,
            "enhanced_status": enhanced,
            "smtp_text": self.smtp_text,
            "role": self.role,
            "disposable": self.disposable,
            "free": self.free,
            "suggestion": self.suggestion,
            "retry_after": self.retry_after,
            "checked_at": self.checked_at.isoformat(timespec="seconds"),
            "stage": None if self.stage is None else str(self.stage),
            "evidence": self.evidence,
            "position": self.position,
            "implicit_mx": self.implicit_mx,
            "attempts": self.attempts,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, mailbox: Mailbox | None = None) -> Validation:
        """Read what `to_dict` wrote; the reply comes back as one line. mailbox: not part of the JSON, given again."""
        reply = None
        if data["smtp_code"] is not None:
            enhanced = data["enhanced_status"]
            wire = f"{data['smtp_code']} {enhanced + ' ' if enhanced else ''}{data['smtp_text'] or ''}"
            reply = SmtpReply.parse(wire)
        return cls(
            input=data["input"],
            mailbox=mailbox,
            status=Status(data["status"]),
            reason=reason_of(data["reason"]),
            layer=Layer(data["layer"]),
            advice=Advice(data["advice"]),
            checked_at=datetime.fromisoformat(data["checked_at"]).astimezone(UTC),
            evidence=data.get("evidence", ""),
            position=data.get("position"),
            stage=None if data.get("stage") is None else Stage(data["stage"]),
            reply=reply,
            mx_host=data["mx_host"],
            catch_all=data["catch_all"],
            implicit_mx=data.get("implicit_mx", False),
            role=data["role"],
            disposable=data["disposable"],
            free=data["free"],
            suggestion=data["suggestion"],
            retry_after=data["retry_after"],
            attempts=data.get("attempts", 0),
        )


_SENTENCES: dict[AnyReason, str] = {
    Finding.SYNTAX_OK: "the form is right; nobody was asked",
    Finding.MAIL_HOST_FOUND: "the domain has a mail host; the mailbox was not asked for",
    Finding.NULL_MX: "the domain says that it takes no mail (null MX)",
    Finding.NO_MAIL_HOST: "the domain has neither a mail host nor an address",
    Finding.MX_UNUSABLE: "no mail host of the domain has an address that mail could reach",
    Finding.SPECIAL_USE_DOMAIN: "this name is reserved and never has mail on the public internet",
    Finding.DNS_TIMEOUT: "the DNS did not answer in time",
    Reason.DNS_ERROR: "the DNS has no usable answer",
    Reason.DOMAIN_NOT_FOUND: "the domain does not exist",
    Reason.DOMAIN_NOT_ACCEPTING: "the domain takes no mail",
    Reason.BLOCKED: "we are blocked; that says nothing about the mailbox",
    Reason.SENDER_REJECTED: "our sender address is refused; that says nothing about the mailbox",
    Reason.RELAY_DENIED: "the mail host does not take mail for this domain from us",
    Reason.RATE_LIMITED: "the mail host wants fewer questions from us",
    Reason.POLICY: "refused by a rule of the mail host; that says nothing about the mailbox",
    Reason.RECIPIENT_RESTRICTED: "the recipient takes mail from some senders only",
    Reason.AUTH_REQUIRED: "the mail host wants us to log in",
    Reason.TLS_REQUIRED: "the mail host wants an encrypted connection",
    Reason.TLS_FAILED: "no encrypted connection came about",
    Reason.GREYLISTED: "greylisted: the mail host wants to be asked again later",
    Reason.TEMPORARY_FAILURE: "the mail host cannot say now",
    Reason.SMTPUTF8_UNSUPPORTED: "the mail host takes no addresses outside of ASCII",
    Reason.PROTOCOL_ERROR: "the dialogue with the mail host broke down",
    Finding.CONNECT_FAILED: "no mail host could be reached",
    Finding.TIMEOUT: "the mail host did not answer in time",
    Finding.CONNECTION_LOST: "the mail host hung up",
    Finding.PORT25_BLOCKED: "this machine seems not to be allowed to connect to port 25 anywhere",
    Finding.ACCEPTED: "the mail host accepts the address",
    Finding.ACCEPTED_FORWARDED: "the mail host accepts the address and forwards it",
    Finding.ACCEPTED_UNVERIFIED: "the mail host accepts the mail without knowing the mailbox",
    Finding.CATCH_ALL_UNDETERMINED: "accepted, but it is not known whether the domain accepts every address",
    Finding.PROVIDER_ACCEPTS_ALL: "this provider accepts every address while it is asked, and refuses later",
}


def explain(result: Validation) -> str:
    """One sentence: the verdict, the reason in words, and the reply when there was one."""
    if isinstance(result.reason, SyntaxReason):
        fault = SyntaxFault(original=result.input, reason=result.reason, position=result.position or 0)
        return f"{result.status}: {fault.message}"
    words = _SENTENCES.get(result.reason, str(result.reason).replace("_", " "))
    if result.status is Status.CATCH_ALL and result.reason is Finding.ACCEPTED:
        words = "the mail host accepts every address of the domain"
    said = "" if result.reply is None else f" ({result.mx_host} said: {str(result.reply)[:200]})"
    if result.layer is Layer.DNS and result.status is Status.UNKNOWN:
        said = f" ({result.evidence.removeprefix('dns:')})"
    return f"{result.status}: {words}{said}"
