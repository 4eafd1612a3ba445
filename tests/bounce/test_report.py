"""The records: what they promise about JSON, pickling and dates."""

import json
import pickle

import pytest

from mailgate.bounce import BounceReport, RecipientStatus, parse
from mailgate.bounce._dates import parse_date
from mailgate.records import Fault
from tests.bounce.cases import MESSAGE_FIELDS, RECIPIENT_FIELDS, dsn

# The order and the names that DESIGN promises to readers of the JSON lines; more keys may follow.
REPORT_KEYS = [
    "kind", "form", "defects", "recipients", "reporting_mta", "arrival_date", "original_message_id", "ref", "matched"
]  # fmt: skip
RECIPIENT_KEYS = [
    "recipient", "original_recipient", "final_recipient", "action", "status", "smtp_code", "enhanced_status", "reason",
    "fault", "permanence", "diagnostic_code", "remote_mta", "evidence",
]  # fmt: skip


@pytest.fixture
def report() -> BounceReport:
    found = parse(dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS + "X-Note: a\nX-Note: b\n"))
    assert found is not None
    return found


def test_the_promised_keys_come_first(report: BounceReport) -> None:
    said = report.to_dict()
    assert list(said)[: len(REPORT_KEYS)] == REPORT_KEYS
    assert list(said["recipients"][0])[: len(RECIPIENT_KEYS)] == RECIPIENT_KEYS


def test_json_and_pickle_keep_everything(report: BounceReport) -> None:
    assert BounceReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report
    assert pickle.loads(pickle.dumps(report)) == report


def test_missing_keys_take_their_defaults() -> None:
    assert BounceReport.from_dict({"kind": "bounce", "form": "text"}) == BounceReport(kind="bounce", form="text")
    assert RecipientStatus.from_dict({"recipient": None}).fault is Fault.UNKNOWN


def test_subject_and_sender_are_decoded_when_asked() -> None:
    found = parse(
        dsn(
            MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS,
            subject="=?utf-8?B?WnVyw7xjaw==?=",
            head="Date: Sat, 21 Nov 2026 00:00:00 +0000\n",
        )
    )
    assert found is not None
    assert (found.subject, found.subject_text) == ("Zurück", "=?utf-8?B?WnVyw7xjaw==?=")
    assert found.sender == "Mail System <mailer-daemon@mx.example>"
    assert found.date is not None


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Sat, 21 Nov 2026 00:01:19 +0100 (CET)", "2026-11-20T23:01:19+00:00"),
        ("Sat, 21 Nov 2026 00:01:19 GMT", "2026-11-21T00:01:19+00:00"),
        ("21 Nov 2026 00:01:19 -0000", "2026-11-21T00:01:19+00:00"),
        ("Sat, 21 Nov 26 00:01:19 UTC", "2026-11-21T00:01:19+00:00"),
        ("Mon, 2 Apr 2001 08:27:16 +0200", "2001-04-02T06:27:16+00:00"),
        ("2016-11-23T12:00:59.530Z", "2016-11-23T12:00:59.530000+00:00"),
        ("2016-11-23 12:00:59", "2016-11-23T12:00:59+00:00"),
        ("Sat, 21 Nov 2026 00:01:60 +0000", "2026-11-21T00:01:59+00:00"),
        ("Sat, 99 Nov 2026 00:01:19 +0000", None),
        ("Sat, 21 Xyz 2026 00:01:19 +0000", None),
        ("Sat, 21 Nov 2026 00:01:19 +9999", None),
        ("Sat, 01 Jan 0001 00:01:19 +0100", None),
        ("2016-99-99 12:00:59", None),
        ("yesterday", None),
        ("", None),
        ("x" * 1000, None),
        (None, None),
    ],
)
def test_dates(text: str | None, iso: str | None) -> None:
    found = parse_date(text)
    assert (None if found is None else found.isoformat()) == iso
