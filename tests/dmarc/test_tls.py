"""TLS reports (RFC 8460): what reporters send, in the standard's shape and beside it."""

from __future__ import annotations

import gzip
import json
import pickle
from typing import Any

import pytest

from mailgate.dmarc import Limits, Refusal, Rollup, TlsReport, parse, parse_all, read, view
from tests.support.dmarc_reports import mail, tls_report, zipped


def raw(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(tls_report(success=10, failure=3))
    data.update(changes)
    return {name: value for name, value in data.items() if value != "absent"}


def found(data: dict[str, Any]) -> TlsReport:
    report = parse(json.dumps(data).encode())
    assert isinstance(report, TlsReport)
    return report


def error(data: bytes | dict[str, Any], **options: Any) -> str:
    outcome = parse_all(data if isinstance(data, bytes) else json.dumps(data).encode(), **options)[0]
    assert isinstance(outcome, Refusal)
    return outcome.error


def changed(**changes: Any) -> dict[str, Any]:
    """A report whose one policy has other fields."""
    data = raw()
    for name, value in changes.items():
        data["policies"][0][name] = value
    return data


def test_every_field_is_read() -> None:
    report = found(raw())
    assert (report.org_name, report.contact_info, report.report_id) == (
        "Example Mail",
        "tls@mail.example",
        "2025-01-01_example.com",
    )
    assert (report.begin, report.begin_seconds) == ("2025-01-01T00:00:00+00:00", 1_735_689_600)
    (policy,) = report.policies
    assert (policy.policy_type, policy.policy_domain, policy.success, policy.failure) == ("sts", "example.com", 10, 3)
    assert [(d.result_type, d.failed_session_count) for d in policy.failure_details] == [("certificate-expired", 3)]
    assert report.defects == ()
    assert TlsReport.from_dict(report.to_dict()) == report
    assert pickle.loads(pickle.dumps(report)) == report


@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: data,
        gzip.compress,
        lambda data: zipped({"r.json": data}),
        lambda data: mail(gzip.compress(data), content_type="application/tlsrpt+gzip", filename="r.json.gz"),
        lambda data: mail(data, content_type="application/tlsrpt+json", filename="r.json"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.decode().encode("utf-16"),
    ],
    ids=["json", "gzip", "zip", "mail", "mail, plain", "mark", "UTF-16"],
)
def test_containers(wrap: Any) -> None:
    report = parse(wrap(tls_report(success=10)))
    assert isinstance(report, TlsReport)
    assert report.success == 10


@pytest.mark.parametrize(
    ("data", "defect"),
    [
        (raw(**{"contact-info": None}), "missing_contact_info"),
        (raw(**{"contact-info": "absent"}), "missing_contact_info"),
        (raw(**{"organization-name": ""}), "missing_org_name"),
        (raw(policies=[]), "no_policies"),
        (raw(policies=None), "no_policies"),
        (raw(policies=[5, *raw()["policies"]]), "no_policies"),
        (changed(policy={"policy-type": "STS", "policy-domain": "example.com"}), "bad_policy_type"),
        (changed(policy={"policy-type": "no-policy-found"}), "missing_policy_domain"),
        (changed(policy="sts"), "missing_policy_domain"),
        (
            changed(policy={"policy-type": "sts", "policy-domain": "x", "mx-host-pattern": "*.x"}),
            "mx_host_pattern",
        ),
        (changed(policy={"policy-type": "sts", "policy-domain": "x", "mx-host": "mx.x"}), "mx_host_not_a_list"),
        (changed(**{"failure-details": [{"result-type": "x", "failed-session-count": 1}]}), "missing_sending_mta_ip"),
        (
            changed(**{"failure-details": [{"sending-mta-ip": "", "failed-session-count": 1}]}),
            "missing_sending_mta_ip",
        ),
        (changed(**{"failure-details": "none"}), "bad_failure_details"),
        (
            changed(**{"failure-details": [{"sending-mta-ip": "192.0.2.1", "additional-info-uri": "https://x"}]}),
            "additional_info_uri",
        ),
        (changed(summary={"total-successful-session-count": "42"}), "bad_count"),
        (changed(summary={"total-successful-session-count": -1, "total-failure-session-count": 0}), "bad_count"),
        (changed(summary={"total-successful-session-count": 1.0, "total-failure-session-count": True}), "bad_count"),
        (changed(summary=None), "bad_count"),
        (
            raw(**{"date-range": {"start-datetime": "2025-01-01T00:00:00", "end-datetime": "2025-01-02T00:00:00"}}),
            "missing_time_zone",
        ),
    ],
)
def test_deviations_are_read_and_named(data: dict[str, Any], defect: str) -> None:
    assert defect in found(data).defects


@pytest.mark.parametrize(
    "written",
    [
        "2025-01-01T23:59:59Z", "2025-01-01t23:59:59z", "2025-01-01T23:59:60Z", "2025-01-01T23:59:59.999999999Z",
        "2025-01-01 23:59:59 UTC", "2025-01-01 23:59:59 +0000 UTC", "2025-01-02 01:59:59 +02:00",
        "2025-01-01T23:59:59GMT",
    ],
)  # fmt: skip
def test_times_as_reporters_write_them(written: str) -> None:
    report = found(raw(**{"date-range": {"start-datetime": "2025-01-01T00:00:00Z", "end-datetime": written}}))
    assert (report.end, report.end_seconds) == (written, 1_735_775_999)
    assert report.defects == ()


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_with_and_without_a_mark(codec: str) -> None:
    report = parse(json.dumps(raw()).encode(codec))
    assert isinstance(report, TlsReport)
    assert (report.success, report.failure) == (10, 3)
    assert "utf16" in report.defects


def test_what_is_no_number_counts_nothing() -> None:
    report = found(changed(summary={"total-successful-session-count": "42", "total-failure-session-count": 10**15}))
    assert (report.success, report.failure) == (0, 0)


def test_hosts_as_text_or_list_are_a_tuple() -> None:
    policy = {"policy-type": "sts", "policy-domain": "x", "mx-host-pattern": ["a", "b"]}
    assert found(changed(policy=policy)).policies[0].mx_host == ("a", "b")
    assert found(changed(policy={**policy, "mx-host": "c"})).policies[0].mx_host == ("c",)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (raw(**{"report-id": "absent"}), "missing_report_id"),
        (raw(**{"report-id": 5}), "missing_report_id"),
        (raw(**{"organization-name": None, "contact-info": None}), "missing_org_name"),
        (raw(**{"date-range": "absent"}), "missing_date_range"),
        (raw(**{"date-range": {"start-datetime": "2025-01-01T00:00:00Z"}}), "missing_date_range"),
        (raw(**{"date-range": {"start-datetime": "yesterday", "end-datetime": "today"}}), "bad_date_range"),
        (
            raw(**{"date-range": {"start-datetime": "2025-01-02T00:00:00Z", "end-datetime": "2025-01-01T00:00:00Z"}}),
            "bad_date_range",
        ),
        (
            raw(**{"date-range": {"start-datetime": "0001-01-01T00:00:00Z", "end-datetime": "2025-01-01T00:00:00Z"}}),
            "bad_date_range",
        ),
        (b'{"hello": 1}', "not_a_report"),
        (b'{"report-id": ', "json_not_wellformed"),
        (b'{"report-id": NaN}', "json_not_wellformed"),
        (b'{"report-id": ' + b"1" * 5_000 + b"}", "json_not_wellformed"),
        (b'{"report-id": ' + b"[" * 100_000 + b"}", "too_deep"),
        (b'{"report-id": "a", "report-id": "b"}', "ambiguous_structure"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_name(data: bytes | dict[str, Any], wanted: str) -> None:
    assert error(data) == wanted


def test_a_fault_of_the_json_says_where_it_lies() -> None:
    outcome = parse_all('{"report-id": "é", !}'.encode())[0]
    assert isinstance(outcome, Refusal)
    assert outcome.offset == '{"report-id": "é", '.encode().__len__()


def test_a_large_report_is_refused() -> None:
    data = tls_report()
    assert error(data + b" " * 100, limits=Limits(max_json_bytes=len(data))) == "too_large"
    assert parse(data, limits=Limits(max_json_bytes=len(data))) is not None


def test_text_that_no_store_takes_is_replaced() -> None:
    report = found(raw(**{"report-id": "a\0b\ud800"}))
    assert report.report_id == "a\ufffdb?"


def test_reports_add_up_by_domain_and_count_once() -> None:
    rollup = Rollup()
    for day in (0, 1, 1):
        rollup.update(read(tls_report(day, success=100, failure=4)))
    rollup.update(read(gzip.compress(tls_report(1, success=100, failure=4))))
    shown = view(rollup)
    assert (shown["tls_reports"], shown["duplicates_ignored"]) == (2, 1)
    domain = shown["tls"]["example.com"]
    assert (domain["success"], domain["failure"], domain["rate"]) == (200, 8, 0.9615)
    assert domain["by_day"] == {"2025-01-01": [100, 4], "2025-01-02": [100, 4]}
    assert domain["result_types"] == {"certificate-expired": 8}
    assert domain["by_type"] == {"sts": [200, 8]}
    assert domain["by_org"] == {"Example Mail": [200, 8]}
