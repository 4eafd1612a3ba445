"""The words of the policy: each reason has one fault, and the table of the manual is the table of the code."""

import pickle

import pytest

from mailgate.records import FAULTS, Fault, Permanence, Reason


def test_every_reason_has_one_fault() -> None:
    assert set(FAULTS) == set(Reason)
    assert all(reason.fault is FAULTS[reason] for reason in Reason)


@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        (Fault.ADDRESS, "mailbox_not_found mailbox_moved bad_address domain_not_found domain_not_accepting"),
        (
            Fault.MAILBOX,
            "mailbox_disabled mailbox_full recipient_restricted mailing_list challenge suppressed_upstream",
        ),
        (
            Fault.SENDER,
            "blocked reputation ptr_missing auth_failed sender_rejected relay_denied auth_required tls_required "
            "rate_limited policy",
        ),
        (Fault.CONTENT, "spam virus content_rejected too_large smtputf8_unsupported"),
        (Fault.NETWORK, "greylisted connection_failed dns_error tls_failed loop expired"),
        (
            Fault.SERVER,
            "server_error storage_full local_delivery_failed protocol_error too_many_recipients temporary_failure",
        ),
        (Fault.UNKNOWN, "unknown"),
    ],
)
def test_the_table(fault: Fault, reasons: str) -> None:
    assert {str(reason) for reason in Reason if reason.fault is fault} == set(reasons.split())


def test_the_words_are_their_names_in_lower_case() -> None:
    for enum in (Reason, Fault, Permanence):
        for member in enum:
            assert str(member) == member.value == member.name.lower()
            assert enum(member.value) is member
            assert pickle.loads(pickle.dumps(member)) is member


def test_nobody_changes_the_table() -> None:
    with pytest.raises(TypeError):
        FAULTS[Reason.SPAM] = Fault.SENDER  # type: ignore[index]
