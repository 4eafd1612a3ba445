"""The maps to other vocabularies: whole, consistent, and right about the public corpus."""

import pytest

from mailgate.bounce import KUMOMTA_CLASSES, SISIMAI_NAMES, reason_of_sisimai, sisimai_name, status_of
from mailgate.records import EnhancedStatus, Reason, meaning_of

SISIMAI_WORDS = (
    "authfailure badreputation blocked contenterror exceedlimit expired failedstarttls filtered hasmoved hostunknown "
    "mailboxfull mailererror mesgtoobig networkerror norelaying notaccept notcompliantrfc onhold policyviolation "
    "rejected requireptr securityerror spamdetected speeding suppressed suspend syntaxerror systemerror systemfull "
    "toomanyconn undefined userunknown virusdetected"
)
SISIMAI_REASONS = set(SISIMAI_WORDS.split())
KUMOMTA_WORDS = (
    "InvalidRecipient DNSFailure SpamBlock SpamContent SpamRelated ProhibitedAttachment RelayDenied RelayingIssues "
    "AutoReply TransientFailure Subscribe Unsubscribe ChallengeResponse BadConfiguration BadConnection BadDomain "
    "ContentRelated InactiveMailbox InvalidSender MessageExpired NoAnswerFromHost PolicyRelated ProtocolErrors "
    "QuotaIssues RoutingErrors VirusRelated AuthenticationFailed TooManyRecipients Uncategorized"
)
KUMOMTA = set(KUMOMTA_WORDS.split())


def test_every_reason_has_a_name_in_each_vocabulary() -> None:
    assert set(SISIMAI_NAMES) == set(KUMOMTA_CLASSES) == set(Reason)
    assert {name for names in SISIMAI_NAMES.values() for name in names} <= SISIMAI_REASONS
    assert set(KUMOMTA_CLASSES.values()) <= KUMOMTA
    assert all(len(set(names)) == len(names) for names in SISIMAI_NAMES.values())


@pytest.mark.parametrize("name", sorted(SISIMAI_REASONS))
def test_every_name_of_sisimai_has_a_reason(name: str) -> None:
    reason = reason_of_sisimai(name.upper())
    assert reason is not None
    assert name in SISIMAI_NAMES[reason]


def test_what_is_no_reason_has_none() -> None:
    assert [reason_of_sisimai(name) for name in ("delivered", "feedback", "vacation", "", "x")] == [None] * 5


def test_the_usual_name() -> None:
    assert sisimai_name(Reason.MAILBOX_NOT_FOUND) == "userunknown"
    assert sisimai_name(Reason.CONNECTION_FAILED) == "networkerror"


@pytest.mark.parametrize("reason", list(Reason))
def test_codes(reason: Reason) -> None:
    """RFC 3463 3: the code says what the reason says, as far as codes can."""
    code = status_of(reason)
    assert code.status_class == 5
    assert status_of(reason, status_class=4) == EnhancedStatus(4, code.subject, code.detail)
    if code.is_generic or (code.subject, code.detail) == (7, 1):
        return
    said = meaning_of("", code=550, enhanced_status=code).reason
    coarser = {Reason.SUPPRESSED_UPSTREAM: Reason.MAILBOX_NOT_FOUND, Reason.TLS_FAILED: Reason.TLS_REQUIRED}
    assert said == coarser.get(reason, reason)
