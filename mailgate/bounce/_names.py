"""Our reasons in the words of others: sisimai, RFC 3463, KumoMTA.

Maps are one word to several because the vocabularies cut differently. Where the others are coarser the first name is
the usual one; the further names are those that sisimai's published expectations give to the same kind of report:

- an unknown user said late or by a Japanese carrier is `filtered` there, and here it is `mailbox_not_found`;
- connections that failed until the queue lifetime ended are `expired` there, and here the cause stays and `permanence`
  says expired;
- a domain without MX is `notaccept` there or `hostunknown`, and one whose look-up failed is `networkerror` or
  `hostunknown`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mailgate.records import EnhancedStatus, Reason

SISIMAI_NAMES: Mapping[Reason, tuple[str, ...]] = MappingProxyType(
    {
        Reason.MAILBOX_NOT_FOUND: ("userunknown", "filtered"),
        Reason.MAILBOX_MOVED: ("hasmoved",),
        Reason.BAD_ADDRESS: ("userunknown",),
        Reason.DOMAIN_NOT_FOUND: ("hostunknown", "notaccept", "networkerror"),
        Reason.DOMAIN_NOT_ACCEPTING: ("notaccept",),
        Reason.MAILBOX_DISABLED: ("suspend",),
        Reason.MAILBOX_FULL: ("mailboxfull",),
        Reason.RECIPIENT_RESTRICTED: ("filtered", "rejected"),
        Reason.MAILING_LIST: ("rejected", "filtered", "policyviolation"),
        Reason.CHALLENGE: ("filtered", "onhold"),
        Reason.BLOCKED: ("blocked",),
        Reason.REPUTATION: ("badreputation",),
        Reason.PTR_MISSING: ("requireptr",),
        Reason.AUTH_FAILED: ("authfailure",),
        Reason.SENDER_REJECTED: ("rejected",),
        Reason.RELAY_DENIED: ("norelaying",),
        Reason.AUTH_REQUIRED: ("securityerror",),
        Reason.TLS_REQUIRED: ("securityerror",),
        Reason.RATE_LIMITED: ("speeding", "toomanyconn"),
        Reason.POLICY: ("policyviolation", "securityerror"),
        Reason.SPAM: ("spamdetected",),
        Reason.VIRUS: ("virusdetected",),
        Reason.CONTENT_REJECTED: ("contenterror", "notcompliantrfc"),
        Reason.TOO_LARGE: ("mesgtoobig", "exceedlimit"),
        Reason.SMTPUTF8_UNSUPPORTED: ("notcompliantrfc", "contenterror"),
        Reason.GREYLISTED: ("blocked", "policyviolation"),
        Reason.CONNECTION_FAILED: ("networkerror", "expired"),
        Reason.DNS_ERROR: ("networkerror", "hostunknown"),
        Reason.TLS_FAILED: ("failedstarttls", "securityerror"),
        Reason.LOOP: ("networkerror",),
        Reason.EXPIRED: ("expired",),
        Reason.SERVER_ERROR: ("systemerror",),
        Reason.STORAGE_FULL: ("systemfull",),
        Reason.LOCAL_DELIVERY_FAILED: ("mailererror",),
        Reason.PROTOCOL_ERROR: ("syntaxerror",),
        Reason.TOO_MANY_RECIPIENTS: ("toomanyconn", "speeding", "policyviolation"),
        Reason.TEMPORARY_FAILURE: ("onhold", "systemerror"),
        Reason.SUPPRESSED_UPSTREAM: ("suppressed",),
        Reason.UNKNOWN: ("onhold", "undefined"),
    }
)

_FROM_SISIMAI: Mapping[str, Reason] = MappingProxyType(
    {
        **{name: reason for reason, names in reversed(tuple(SISIMAI_NAMES.items())) for name in names[:1]},
        "filtered": Reason.RECIPIENT_RESTRICTED,
        "rejected": Reason.SENDER_REJECTED,
        "toomanyconn": Reason.RATE_LIMITED,
        "exceedlimit": Reason.TOO_LARGE,
        "notcompliantrfc": Reason.CONTENT_REJECTED,
        "securityerror": Reason.AUTH_REQUIRED,
        "networkerror": Reason.CONNECTION_FAILED,
        "onhold": Reason.UNKNOWN,
        "undefined": Reason.UNKNOWN,
    }
)

# RFC 3463 3 and the registry that it began (RFC 5248): subject and detail of the code a sender of a DSN would write.
_STATUS_TAILS: Mapping[Reason, tuple[int, int]] = MappingProxyType(
    {
        Reason.MAILBOX_NOT_FOUND: (1, 1),
        Reason.DOMAIN_NOT_FOUND: (1, 2),
        Reason.BAD_ADDRESS: (1, 3),
        Reason.MAILBOX_MOVED: (1, 6),
        Reason.SENDER_REJECTED: (1, 8),
        Reason.DOMAIN_NOT_ACCEPTING: (1, 10),
        Reason.MAILBOX_DISABLED: (2, 1),
        Reason.MAILBOX_FULL: (2, 2),
        Reason.LOCAL_DELIVERY_FAILED: (3, 0),
        Reason.STORAGE_FULL: (3, 1),
        Reason.TOO_LARGE: (3, 4),
        Reason.SERVER_ERROR: (3, 5),
        Reason.CONNECTION_FAILED: (4, 1),
        Reason.DNS_ERROR: (4, 3),
        Reason.LOOP: (4, 6),
        Reason.EXPIRED: (4, 7),
        Reason.PROTOCOL_ERROR: (5, 0),
        Reason.TOO_MANY_RECIPIENTS: (5, 3),
        Reason.CONTENT_REJECTED: (6, 0),
        Reason.SMTPUTF8_UNSUPPORTED: (6, 7),
        Reason.POLICY: (7, 1),
        Reason.BLOCKED: (7, 1),
        Reason.REPUTATION: (7, 1),
        Reason.RELAY_DENIED: (7, 1),
        Reason.RECIPIENT_RESTRICTED: (7, 1),
        Reason.SPAM: (7, 1),
        Reason.VIRUS: (7, 1),
        Reason.MAILING_LIST: (7, 2),
        Reason.AUTH_REQUIRED: (7, 0),
        Reason.TLS_REQUIRED: (7, 10),
        Reason.TLS_FAILED: (7, 5),
        Reason.PTR_MISSING: (7, 25),
        Reason.AUTH_FAILED: (7, 26),
        Reason.RATE_LIMITED: (7, 28),
        Reason.GREYLISTED: (7, 1),
        Reason.CHALLENGE: (7, 0),
        Reason.SUPPRESSED_UPSTREAM: (1, 1),
        Reason.TEMPORARY_FAILURE: (3, 0),
        Reason.UNKNOWN: (0, 0),
    }
)

# The 29 built-in classes of KumoMTA's bounce classifier.
KUMOMTA_CLASSES: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.MAILBOX_NOT_FOUND: "InvalidRecipient",
        Reason.MAILBOX_MOVED: "InvalidRecipient",
        Reason.BAD_ADDRESS: "InvalidRecipient",
        Reason.DOMAIN_NOT_FOUND: "BadDomain",
        Reason.DOMAIN_NOT_ACCEPTING: "BadDomain",
        Reason.MAILBOX_DISABLED: "InactiveMailbox",
        Reason.MAILBOX_FULL: "QuotaIssues",
        Reason.RECIPIENT_RESTRICTED: "PolicyRelated",
        Reason.MAILING_LIST: "PolicyRelated",
        Reason.CHALLENGE: "ChallengeResponse",
        Reason.BLOCKED: "SpamBlock",
        Reason.REPUTATION: "SpamBlock",
        Reason.PTR_MISSING: "PolicyRelated",
        Reason.AUTH_FAILED: "AuthenticationFailed",
        Reason.SENDER_REJECTED: "InvalidSender",
        Reason.RELAY_DENIED: "RelayDenied",
        Reason.AUTH_REQUIRED: "AuthenticationFailed",
        Reason.TLS_REQUIRED: "PolicyRelated",
        Reason.RATE_LIMITED: "PolicyRelated",
        Reason.POLICY: "PolicyRelated",
        Reason.SPAM: "SpamContent",
        Reason.VIRUS: "VirusRelated",
        Reason.CONTENT_REJECTED: "ContentRelated",
        Reason.TOO_LARGE: "ContentRelated",
        Reason.SMTPUTF8_UNSUPPORTED: "ProtocolErrors",
        Reason.GREYLISTED: "TransientFailure",
        Reason.CONNECTION_FAILED: "BadConnection",
        Reason.DNS_ERROR: "DNSFailure",
        Reason.TLS_FAILED: "BadConnection",
        Reason.LOOP: "RoutingErrors",
        Reason.EXPIRED: "MessageExpired",
        Reason.SERVER_ERROR: "BadConfiguration",
        Reason.STORAGE_FULL: "TransientFailure",
        Reason.LOCAL_DELIVERY_FAILED: "BadConfiguration",
        Reason.PROTOCOL_ERROR: "ProtocolErrors",
        Reason.TOO_MANY_RECIPIENTS: "TooManyRecipients",
        Reason.TEMPORARY_FAILURE: "TransientFailure",
        Reason.SUPPRESSED_UPSTREAM: "InactiveMailbox",
        Reason.UNKNOWN: "Uncategorized",
    }
)


def sisimai_name(reason: Reason) -> str:
    """The name that sisimai usually gives to this reason.

    >>> sisimai_name(Reason.MAILBOX_NOT_FOUND)
    'userunknown'
    """
    return SISIMAI_NAMES[reason][0]


def reason_of_sisimai(name: str) -> Reason | None:
    """Our reason for a name of sisimai's; None for a name that is no reason (`delivered`, `feedback`, `vacation`)."""
    return _FROM_SISIMAI.get(name.lower())


def status_of(reason: Reason, *, status_class: int = 5) -> EnhancedStatus:
    """The enhanced code that says most nearly the same (RFC 3463 3), for whoever has to write one.

    It is never put into a report: a code that the mail does not have is not invented.
    """
    return EnhancedStatus(status_class, *_STATUS_TAILS[reason])
