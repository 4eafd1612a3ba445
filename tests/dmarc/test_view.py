"""What is shown: axes, classes, rankings whose sums hold, and what is kept apart."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import reduce
from typing import Any

import pytest

from mailgate.dmarc import Outcome, Rollup, SourceClass, ViewOptions, classify, read, view
from mailgate.dmarc._view import rate
from tests.support.dmarc_reports import DAY, FIRST_DAY, record, report, story


def shown(*reports: bytes, **options: Any) -> dict[str, Any]:
    total = reduce(Rollup.merge, map(read, reports), Rollup())
    return view(total, ViewOptions(**options))


def domain(*reports: bytes, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = shown(*reports, **options)["domains"]["example.com"]
    return found


def outcome(**changes: Any) -> Outcome:
    plain = Outcome(
        "example.com", "none", True, True, (), False, (("example.com", "s", "pass"),), (("example.com", "pass"),)
    )
    return plain._replace(**changes)


FAILED = {"dkim_aligned": False, "spf_aligned": False}
NO_RAW_PASS = {"dkim": (("example.com", "s", "fail"),), "spf": (("example.com", "softfail"),)}


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (outcome(), SourceClass.PASS),
        (outcome(dkim_aligned=False), SourceClass.PASS),
        (outcome(spf_aligned=False, spf=(("esp.example", "pass"),)), SourceClass.PASS),
        (outcome(spf_aligned=False, spf=()), SourceClass.PASS),
        (outcome(spf_aligned=False, spf=(("example.com", "fail"),)), SourceClass.FORWARDED_LIKE),
        (outcome(spf_aligned=False, spf=(("example.com", "none"), ("x", "pass"))), SourceClass.PASS),
        (outcome(**FAILED, reasons=("mailing_list",)), SourceClass.FORWARDED_LIKE),
        (outcome(**FAILED, reasons=("forwarded", "other")), SourceClass.FORWARDED_LIKE),
        (outcome(**FAILED, reasons=("local_policy",), arc=True), SourceClass.FORWARDED_LIKE),
        (outcome(**FAILED, reasons=("local_policy",)), SourceClass.MISALIGNED),
        (outcome(**FAILED, **NO_RAW_PASS), SourceClass.UNAUTHENTICATED),
        (outcome(**FAILED, dkim=(), spf=()), SourceClass.UNAUTHENTICATED),
        (outcome(**FAILED, dkim=(("esp.example", "k", "pass"),), spf=()), SourceClass.MISALIGNED),
    ],
)
def test_the_class_of_an_outcome(found: Outcome, kind: SourceClass) -> None:
    assert classify(found) is kind


def test_a_source_has_the_class_of_most_of_its_mail_the_worse_one_in_a_tie() -> None:
    forged = record(count=5, dkim="fail", spf="fail", dkims=(), spf_result="none")
    found = domain(report([record(count=5), forged]))["sources"]
    assert [(s["class"], s["classes"]) for s in found] == [("unauthenticated", {"unauthenticated": 5, "pass": 5})]
    assert domain(report([record(count=6), forged]))["sources"][0]["class"] == "pass"
    assert domain(report([record(count=0)]))["sources"][0]["class"] is None


def test_every_axis_of_one_report() -> None:
    data = report(
        [
            record(
                count=10, dkims=(("example.com", "S1", "pass"), ("esp.example", "k", "fail")), spf_domain="B.example"
            ),
            record(
                source_ip="192.0.2.9",
                count=4,
                disposition="reject",
                dkim="fail",
                spf="fail",
                reason=("local_policy", "x"),
                header_from="news.example.com",
                dkims=(),
                spf_result="fail",
            ),
        ]
    )
    found = domain(data)
    assert (found["messages"], found["dmarc_pass"], found["both"], found["rate"]) == (14, 10, 10, 0.7143)
    assert found["disposition"] == {"none": 10, "quarantine": 0, "reject": 4}
    assert found["reasons"] == {"local_policy": 4}
    assert found["by_org"] == {"google.com": [14, 10, 10, 10]}
    assert found["by_header_from"] == {"example.com": [10, 10, 10, 10], "news.example.com": [4, 0, 0, 0]}
    assert found["by_selector"] == {"esp.example/k": {"fail": 10}, "example.com/s1": {"pass": 10}}
    assert found["by_spf_domain"] == {"b.example": {"pass": 10}, "example.com": {"fail": 4}}
    assert found["by_day"] == {"2025-01-01": [14, 10, 10, 10]}
    first, second = found["sources"]
    assert (first["ip"], first["messages"], first["pass"], first["header_from"]) == (
        "192.0.2.9",
        4,
        0,
        ["news.example.com"],
    )
    assert (second["dkim_domains"], second["spf_domains"], second["orgs"]) == (["example.com"], ["b.example"], 1)
    assert [policy["p"] for policy in found["policy_seen"]] == ["none"]


def test_rankings_end_in_a_row_that_keeps_the_sums() -> None:
    records = [
        record(
            source_ip=f"192.0.2.{i}", count=i, header_from=f"n{i}.example.com", dkims=((f"d{i}.example", "s", "pass"),)
        )
        for i in range(1, 41)
    ]
    found = domain(report(records), top=7)
    total = sum(range(1, 41))
    assert len(found["by_header_from"]) == 8
    assert sum(counts[0] for counts in found["by_header_from"].values()) == total
    assert sum(sum(words.values()) for words in found["by_selector"].values()) == total
    assert sum(source["messages"] for source in found["sources"]) == total
    assert (found["sources"][-1]["ip"], found["sources"][-1]["sources"]) == ("other", 33)


def test_failing_and_large_sources_share_the_rows() -> None:
    records = [record(source_ip=f"198.51.100.{i}", count=1, dkim="fail", spf="fail") for i in range(1, 31)]
    records += [record(source_ip=f"192.0.2.{i}", count=1_000 + i) for i in range(1, 31)]
    shown_ips = [source["ip"] for source in domain(report(records), top=10)["sources"][:-1]]
    assert [ip.startswith("198.") for ip in shown_ips] == [True] * 5 + [False] * 5
    assert "192.0.2.30" in shown_ips


def test_days_choose_reports_by_their_begin() -> None:
    reports = [report([record(count=day + 1)], report_id=str(day), begin=FIRST_DAY + day * DAY) for day in range(5)]
    found = shown(*reports, since=date(2025, 1, 2), until=date(2025, 1, 4))
    assert (found["from"], found["to"], found["reports"]) == ("2025-01-02", "2025-01-04", 3)
    assert found["domains"]["example.com"]["messages"] == 2 + 3 + 4


def test_policies_seen_have_their_days() -> None:
    reports = [
        report(p="none", report_id="1"),
        report(p="none", report_id="2", begin=FIRST_DAY + 9 * DAY),
        report(p="reject", report_id="3", begin=FIRST_DAY + 10 * DAY),
    ]
    found = domain(*reports)["policy_seen"]
    assert [(p["p"], p["first"], p["last"]) for p in found] == [
        ("reject", "2025-01-11", "2025-01-11"),
        ("none", "2025-01-01", "2025-01-10"),
    ]


def test_an_empty_rollup_has_an_empty_view() -> None:
    found = view(Rollup())
    assert (found["from"], found["domains"], found["reports"]) == (None, {}, 0)


def test_refusals_are_counted_by_class_and_organisation() -> None:
    total = Rollup()
    for data in (report([]), report([], org_name="CWRU"), b"<feedback>", b"nothing"):
        total.update(read(data))
    found = view(total)
    assert found["refused"] == {"no_records": 2, "not_a_report": 1, "xml_not_wellformed": 1}
    assert found["refused_by_org"] == {"CWRU": 1, "google.com": 1}


def test_the_same_state_gives_the_same_view_to_the_last_byte() -> None:
    states = [read(data) for data in story(days=5)]
    forward = reduce(Rollup.merge, states, Rollup())
    backward = reduce(Rollup.merge, reversed(states), Rollup())
    assert (
        json.dumps(view(forward)) == json.dumps(view(backward)) == json.dumps(view(Rollup.from_json(forward.to_json())))
    )


@pytest.mark.parametrize(
    ("part", "whole", "share"), [(0, 0, None), (1, 1, 1.0), (0, 5, 0.0), (999_999, 1_000_000, 0.9999), (1, 3, 0.3333)]
)
def test_a_rate_is_never_rounded_up_to_all(part: int, whole: int, share: float | None) -> None:
    assert rate(part, whole) == share


def test_a_domain_is_compared_without_its_dot_and_in_any_letters() -> None:
    found = shown(
        report(domain="EXAMPLE.com."), report(domain="bücher.example"), domains=["example.com", "BÜCHER.example"]
    )
    assert sorted(found["domains"]) == ["example.com", "xn--bcher-kva.example"]
    assert found["foreign"] == {}


def test_a_future_report_is_judged_by_the_day_that_is_given() -> None:
    data = report(begin=FIRST_DAY + 40 * DAY)
    assert shown(data)["future"] == {}
    assert shown(data, at=date(2025, 1, 1))["future"] == {"example.com": {"reports": 1, "messages": 1}}
    assert shown(data, at=date(2025, 1, 1) + timedelta(days=39))["future"] == {}
