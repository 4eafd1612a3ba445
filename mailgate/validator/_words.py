"""The words of a result: status, layer, advice, and the reasons that only a validator has."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from mailgate.records import Fault, Reason
from mailgate.validator._syntax_reasons import SyntaxReason


class Status(StrEnum):
    """What is known about the address.

    VALID: well-formed, or takes mail, as far as the level asked. INVALID: a fact says that no mail arrives there.
    CATCH_ALL: the domain accepts every address, this one too. UNKNOWN: anything else, above all what is about us.
    """

    VALID = "valid"
    INVALID = "invalid"
    CATCH_ALL = "catch_all"
    UNKNOWN = "unknown"


class Layer(StrEnum):
    """How far the look went that decided."""

    SYNTAX = "syntax"
    DNS = "dns"
    SMTP = "smtp"


class Advice(StrEnum):
    """What to do with the row; FIX_SENDER means that the answer is about us and the address is not to blame."""

    SEND = "send"
    DROP = "drop"
    REVIEW = "review"
    RETRY = "retry"
    FIX_SENDER = "fix_sender"


class Finding(StrEnum):
    """Reasons beside `Reason` (what replies say) and `SyntaxReason` (what is wrong with the form)."""

    SYNTAX_OK = "syntax_ok"
    MAIL_HOST_FOUND = "mail_host_found"
    NULL_MX = "null_mx"
    NO_MAIL_HOST = "no_mail_host"
    MX_UNUSABLE = "mx_unusable"
    SPECIAL_USE_DOMAIN = "special_use_domain"
    DNS_TIMEOUT = "dns_timeout"
    CONNECT_FAILED = "connect_failed"
    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    PORT25_BLOCKED = "port25_blocked"
    ACCEPTED = "accepted"
    ACCEPTED_FORWARDED = "accepted_forwarded"
    ACCEPTED_UNVERIFIED = "accepted_unverified"
    CATCH_ALL_UNDETERMINED = "catch_all_undetermined"
    PROVIDER_ACCEPTS_ALL = "provider_accepts_all"


AnyReason = Reason | Finding | SyntaxReason

_BY_WORD: Mapping[str, AnyReason] = MappingProxyType(
    {str(word): word for words in (SyntaxReason, Finding, Reason) for word in words}
)

_RETRY_FINDINGS = frozenset(
    (Finding.DNS_TIMEOUT, Finding.CONNECT_FAILED, Finding.TIMEOUT, Finding.CONNECTION_LOST, Reason.DNS_ERROR)
)
_RETRY_REASONS = frozenset(
    (
        Reason.GREYLISTED,
        Reason.RATE_LIMITED,
        Reason.MAILBOX_FULL,
        Reason.MAILBOX_DISABLED,
        Reason.CONNECTION_FAILED,
        Reason.SERVER_ERROR,
        Reason.STORAGE_FULL,
        Reason.LOCAL_DELIVERY_FAILED,
        Reason.TOO_MANY_RECIPIENTS,
        Reason.TEMPORARY_FAILURE,
        Reason.DOMAIN_NOT_FOUND,
    )
)
_OURS = frozenset((Finding.PORT25_BLOCKED, Reason.TLS_FAILED))


def reason_of(word: str) -> AnyReason:
    """The reason that a word stands for; ValueError for a word that is none."""
    try:
        return _BY_WORD[word]
    except KeyError:
        raise ValueError(f"no reason: {word!r}") from None


def advice_for(status: Status, reason: AnyReason) -> Advice:
    """What to do about it: the table that `Settings.advice` overrides.

    A full mailbox is somebody's: review. A reason that is the sender's fault asks us to act, one that passes is to be
    asked again, and what is neither yes nor no (policy, catch-all) is a person's decision.
    """
    if status is Status.VALID:
        return Advice.SEND
    if status is Status.INVALID:
        return Advice.REVIEW if reason is Reason.MAILBOX_FULL else Advice.DROP
    if status is Status.CATCH_ALL:
        return Advice.REVIEW
    if reason in _RETRY_FINDINGS or reason in _RETRY_REASONS:
        return Advice.RETRY
    ours = isinstance(reason, Reason) and reason.fault is Fault.SENDER and reason is not Reason.POLICY
    return Advice.FIX_SENDER if ours or reason in _OURS else Advice.REVIEW
