"""The words of the policy: why a message failed, whose fault it is, and whether it can change.

One vocabulary for DSNs, free-form bounces and SMTP replies (RFC 3463 names the codes, not the causes).
`FAULTS` is the only place that says which fault a reason belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Fault(StrEnum):
    """Who has to act before mail to this recipient can arrive."""

    ADDRESS = "address"
    MAILBOX = "mailbox"
    SENDER = "sender"
    CONTENT = "content"
    NETWORK = "network"
    SERVER = "server"
    UNKNOWN = "unknown"


class Permanence(StrEnum):
    """What became of this one message.

    `EXPIRED`: given up after class-4 failures; this mail is dead, the address is not.
    """

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    EXPIRED = "expired"
    DELIVERED = "delivered"


class Reason(StrEnum):
    """Why a delivery failed."""

    MAILBOX_NOT_FOUND = "mailbox_not_found"
    MAILBOX_MOVED = "mailbox_moved"
    BAD_ADDRESS = "bad_address"
    DOMAIN_NOT_FOUND = "domain_not_found"
    DOMAIN_NOT_ACCEPTING = "domain_not_accepting"
    MAILBOX_DISABLED = "mailbox_disabled"
    MAILBOX_FULL = "mailbox_full"
    RECIPIENT_RESTRICTED = "recipient_restricted"
    MAILING_LIST = "mailing_list"
    CHALLENGE = "challenge"
    BLOCKED = "blocked"
    REPUTATION = "reputation"
    PTR_MISSING = "ptr_missing"
    AUTH_FAILED = "auth_failed"
    SENDER_REJECTED = "sender_rejected"
    RELAY_DENIED = "relay_denied"
    AUTH_REQUIRED = "auth_required"
    TLS_REQUIRED = "tls_required"
    RATE_LIMITED = "rate_limited"
    POLICY = "policy"
    SPAM = "spam"
    VIRUS = "virus"
    CONTENT_REJECTED = "content_rejected"
    TOO_LARGE = "too_large"
    SMTPUTF8_UNSUPPORTED = "smtputf8_unsupported"
    GREYLISTED = "greylisted"
    CONNECTION_FAILED = "connection_failed"
    DNS_ERROR = "dns_error"
    TLS_FAILED = "tls_failed"
    LOOP = "loop"
    EXPIRED = "expired"
    SERVER_ERROR = "server_error"
    STORAGE_FULL = "storage_full"
    LOCAL_DELIVERY_FAILED = "local_delivery_failed"
    PROTOCOL_ERROR = "protocol_error"
    TOO_MANY_RECIPIENTS = "too_many_recipients"
    TEMPORARY_FAILURE = "temporary_failure"
    SUPPRESSED_UPSTREAM = "suppressed_upstream"
    UNKNOWN = "unknown"

    @property
    def fault(self) -> Fault:
        """Who has to act; see `FAULTS`."""
        return FAULTS[self]


_BY_FAULT: tuple[tuple[Fault, tuple[Reason, ...]], ...] = (
    (
        Fault.ADDRESS,
        (
            Reason.MAILBOX_NOT_FOUND,
            Reason.MAILBOX_MOVED,
            Reason.BAD_ADDRESS,
            Reason.DOMAIN_NOT_FOUND,
            Reason.DOMAIN_NOT_ACCEPTING,
        ),
    ),
    (
        Fault.MAILBOX,
        (
            Reason.MAILBOX_DISABLED,
            Reason.MAILBOX_FULL,
            Reason.RECIPIENT_RESTRICTED,
            Reason.MAILING_LIST,
            Reason.CHALLENGE,
            Reason.SUPPRESSED_UPSTREAM,
        ),
    ),
    (
        Fault.SENDER,
        (
            Reason.BLOCKED,
            Reason.REPUTATION,
            Reason.PTR_MISSING,
            Reason.AUTH_FAILED,
            Reason.SENDER_REJECTED,
            Reason.RELAY_DENIED,
            Reason.AUTH_REQUIRED,
            Reason.TLS_REQUIRED,
            Reason.RATE_LIMITED,
            Reason.POLICY,
        ),
    ),
    (
        Fault.CONTENT,
        (Reason.SPAM, Reason.VIRUS, Reason.CONTENT_REJECTED, Reason.TOO_LARGE, Reason.SMTPUTF8_UNSUPPORTED),
    ),
    (
        Fault.NETWORK,
        (
            Reason.GREYLISTED,
            Reason.CONNECTION_FAILED,
            Reason.DNS_ERROR,
            Reason.TLS_FAILED,
            Reason.LOOP,
            Reason.EXPIRED,
        ),
    ),
    (
        Fault.SERVER,
        (
            Reason.SERVER_ERROR,
            Reason.STORAGE_FULL,
            Reason.LOCAL_DELIVERY_FAILED,
            Reason.PROTOCOL_ERROR,
            Reason.TOO_MANY_RECIPIENTS,
            Reason.TEMPORARY_FAILURE,
        ),
    ),
    (Fault.UNKNOWN, (Reason.UNKNOWN,)),
)

FAULTS: Mapping[Reason, Fault] = MappingProxyType({reason: fault for fault, reasons in _BY_FAULT for reason in reasons})
