"""From reports to events, and from many reports to tables."""

import json
import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.fbl import FeedbackReport, FeedbackSummary, events, parse, report_id, summarize
from mailgate.records import EventKind, MessageRef
from tests.fbl.build import FIELDS, RETURNED, report, with_rcpt

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def read(message: bytes) -> FeedbackReport:
    found = parse(message)
    assert found is not None
    return found


def test_one_event_for_each_recipient() -> None:
    found = events(read(report(with_rcpt("ann@example.net", "bob@example.net"))))
    assert [event.recipient for event in found] == ["ann@example.net", "bob@example.net"]
    assert {event.kind for event in found} == {EventKind.COMPLAINED}
    assert {event.source for event in found} == {"arf"}
    assert len({event.event_id for event in found}) == 2
    assert found[0].message_id == "1@news.example"
    assert found[0].at == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert found[0].detail.startswith("Feedback-Type: abuse\nUser-Agent: Test/1")


def test_a_complaint_about_nobody_is_an_event_without_recipient() -> None:
    (event,) = events(read(report(with_rcpt("redacted@example.net"))))
    assert event.recipient is None


@pytest.mark.parametrize(
    ("word", "kind", "suppress"),
    [
        ("abuse", "abuse", None),
        ("Fraud", "fraud", None),
        ("virus", "virus", None),
        ("other", "other", None),
        ("opt-out", "opt-out", None),
        ("opt-out-list", "opt-out", None),
        ("not-spam", "not-spam", "no"),
        ("miscategorized", "not-spam", "no"),
        ("auth-failure", "auth-failure", "no"),
        ("dkim", "auth-failure", "no"),
        ("sentiment", "sentiment", "no"),
    ],
)
def test_only_complaints_ask_for_suppression(word: str, kind: str, suppress: str | None) -> None:
    fields = with_rcpt("ann@example.net").replace("abuse", word)
    (event,) = events(read(report(fields)))
    assert event.meta_value("feedback_type") == kind
    assert event.meta_value("suppress") == suppress


def test_a_report_without_a_type_has_none_in_its_event() -> None:
    (event,) = events(read(report("User-Agent: a\nVersion: 1\nOriginal-Rcpt-To: ann@example.net\n")))
    assert (event.meta_value("feedback_type"), event.meta_value("suppress")) == (None, None)


def test_the_same_report_twice_is_one_event_whatever_it_collected_on_its_way() -> None:
    plain = report(with_rcpt("ann@example.net"))
    travelled = (
        b"Return-Path: <fbl@provider.example>\r\nDelivered-To: fbl@news.example\r\n"
        b"Received: from a by b; Fri, 20 Nov 2026 11:00:01 +0000\r\nX-Spam-Status: No\r\n"
        + plain.replace(b"\n", b"\r\n").replace(b"multipart/report", b"Multipart/Report")
    )
    assert events(read(plain))[0].event_id == events(read(travelled))[0].event_id


@pytest.mark.parametrize(
    "other",
    [
        report(with_rcpt("bob@example.net")),
        report(with_rcpt("ann@example.net"), RETURNED.replace("<1@", "<2@")),
        report(with_rcpt("ann@example.net").replace("abuse", "fraud")),
        report(with_rcpt("ann@example.net", extra="Arrival-Date: Fri, 20 Nov 2026 11:00:00 +0000\n")),
    ],
)
def test_another_report_is_another_event(other: bytes) -> None:
    assert events(read(other))[0].event_id != events(read(report(with_rcpt("ann@example.net"))))[0].event_id


def test_reports_that_say_nothing_are_told_apart_by_their_own_identity() -> None:
    first = report(FIELDS, "REDACTED\n")
    second = report(FIELDS, "REDACTED\n", head="From: fbl@provider.example\nMessage-ID: <s@provider.example>\n")
    assert report_id(read(first)) != report_id(read(second))
    assert report_id(read(first)) == report_id(read(b"Received: from x by y; d\n" + first))


@pytest.mark.parametrize(
    ("date", "at", "expected"),
    [
        ("Fri, 20 Nov 2026 11:00:00 +0000", NOW, datetime(2026, 11, 20, 11, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 11:00:00 +0000", None, datetime(2026, 11, 20, 11, tzinfo=UTC)),
        ("Fri, 20 Nov 2099 11:00:00 +0000", NOW, NOW),
        ("never", NOW, NOW),
        ("never", None, None),
    ],
)
def test_the_instant_of_the_event(date: str, at: datetime | None, expected: datetime | None) -> None:
    found = read(report(with_rcpt("ann@example.net"), head=f"From: a@b.example\nDate: {date}\n"))
    assert events(found, at=at)[0].at == expected


def test_a_reference_without_a_recipient_can_be_looked_up() -> None:
    silent = read(report(with_rcpt("redacted@example.net")))
    known = FeedbackReport.from_dict({**silent.to_dict(), "message_ref": {"ref": "w", "tenant": "t", "stream": "s"}})
    (event,) = events(known, recipient_of={MessageRef(ref="w", tenant="t", stream="s"): "ann@example.net"}.get)
    assert (event.recipient, event.ref, event.tenant, event.stream) == ("ann@example.net", "w", "t", "s")
    assert events(known)[0].recipient is None
    assert events(silent, recipient_of=lambda ref: "eve@example.net")[0].recipient is None, "no reference, no look-up"
    readable = read(report(with_rcpt("bob@example.net")))
    assert events(readable, recipient_of=lambda ref: "eve@example.net")[0].recipient == "bob@example.net"


def reports() -> list[FeedbackReport]:
    return [
        read(
            report(
                with_rcpt("ann@example.net", extra="Source-IP: 192.0.2.1\nIncidents: 3\n"),
                RETURNED + "List-Id: <a.b>\n",
            )
        ),
        read(report(with_rcpt("bob@example.net", extra="Source-IP: 192.0.2.1\n"))),
        read(report(with_rcpt("redacted@example.net").replace("abuse", "fraud").replace("Test/1", "AOL SComp"))),
    ]


def test_the_summary_counts_by_type_provider_source_and_stream() -> None:
    summary = summarize(reports())
    assert (summary.reports, summary.incidents, summary.with_recipient) == (3, 5, 2)
    assert summary.by("feedback_type") == (("abuse", 2), ("fraud", 1))
    assert summary.by("reporter") == (("provider.example", 2), ("AOL", 1))
    assert summary.by("source_ip") == (("192.0.2.1", 2), ("unknown", 1))
    assert summary.by("stream") == (("unknown", 2), ("a.b", 1))
    with pytest.raises(ValueError, match="recipient"):
        summary.by("recipient")


@given(st.lists(st.sampled_from(range(3))), st.lists(st.sampled_from(range(3))), st.lists(st.sampled_from(range(3))))
def test_merging_is_associative_commutative_and_idempotent(a: list[int], b: list[int], c: list[int]) -> None:
    all_reports = reports()
    x, y, z = (summarize(all_reports[i] for i in picked) for picked in (a, b, c))
    assert x.merge(y).merge(z) == x.merge(y.merge(z))
    assert x.merge(y) == y.merge(x)
    assert x.merge(x) == x == x.merge(FeedbackSummary())


def test_a_summary_survives_a_wire_and_a_pickle() -> None:
    summary = summarize(reports())
    assert FeedbackSummary.from_dict(json.loads(json.dumps(summary.to_dict()))) == summary
    assert pickle.loads(pickle.dumps(summary)) == summary
    assert pickle.loads(pickle.dumps(reports())) == reports()
