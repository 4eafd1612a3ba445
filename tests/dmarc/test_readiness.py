"""Is it safe to tighten? Each rule makes the difference once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from mailgate.dmarc import Networks, Rollup, ViewOptions, read, view
from tests.support.dmarc_reports import DAY, FIRST_DAY, record, report

ORGS = ("a.example", "b.example", "c.example")


def clean(org: str, day: int) -> list[str]:
    return [record(count=1_000), record(source_ip="192.0.2.2", count=500)]


def readiness(
    records: Callable[[str, int], list[str]] = clean,
    *,
    days: int = 30,
    orgs: tuple[str, ...] = ORGS,
    p: Callable[[int], str] = lambda day: "none",
    edit: Callable[[bytes], bytes] = lambda data: data,
    **options: Any,
) -> dict[str, Any]:
    total = Rollup()
    for day in range(days):
        for org in orgs:
            data = report(records(org, day), org_name=org, report_id=str(day), begin=FIRST_DAY + day * DAY, p=p(day))
            total.update(read(edit(data)))
    found: dict[str, Any] = view(total, ViewOptions(**options))["domains"]["example.com"]["readiness"]
    return found


def codes(found: dict[str, Any], kind: str = "blockers") -> set[str]:
    return {item["code"] for item in found[kind]}


def with_more(*more: str, from_day: int = 0) -> Callable[[str, int], list[str]]:
    return lambda org, day: [*clean(org, day), *(more if day >= from_day else ())]


def test_a_month_of_clean_mail_is_ready_for_quarantine() -> None:
    found = readiness()
    assert (found["answer"], found["current"], found["target"], found["blockers"]) == (
        "quarantine",
        "none",
        "quarantine",
        [],
    )
    assert found["window"]["from"] == "2025-01-03"
    assert (found["window"]["reporters"], found["window"]["days_with_data"]) == (3, 28)


def test_then_as_long_at_quarantine_before_reject() -> None:
    assert readiness(p=lambda day: "quarantine")["answer"] == "reject"
    changed = readiness(days=50, p=lambda day: "none" if day < 25 else "quarantine")
    assert (changed["answer"], codes(changed)) == ("not_enough_evidence", {"too_few_days"})
    assert changed["blockers"][0]["days"] == 25
    long_ago = readiness(days=60, p=lambda day: "none" if day < 25 else "quarantine")
    assert long_ago["answer"] == "reject"


def test_a_policy_that_went_back_and_forth_starts_anew() -> None:
    found = readiness(days=60, p=lambda day: "reject" if 35 <= day < 40 else "none")
    assert (found["answer"], found["blockers"][0]["days"]) == ("not_enough_evidence", 20)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"days": 27}, "too_few_days"),
        ({"orgs": ORGS[:2]}, "too_few_reporters"),
    ],
)
def test_thin_evidence_is_told_as_such(changes: dict[str, Any], code: str) -> None:
    found = readiness(**changes)
    assert found["answer"] == "not_enough_evidence"
    assert code in codes(found)


def test_gaps_count() -> None:
    total = Rollup()
    for day in range(0, 40, 2):
        for org in ORGS:
            total.update(read(report(org_name=org, report_id=str(day), begin=FIRST_DAY + day * DAY)))
    found = view(total)["domains"]["example.com"]["readiness"]
    assert (found["answer"], codes(found)) == ("not_enough_evidence", {"too_few_days_with_data"})


def test_old_evidence_is_stale_when_the_day_is_known() -> None:
    last = date(2025, 1, 30)
    assert readiness(at=last + timedelta(days=7))["answer"] == "quarantine"
    stale = readiness(at=last + timedelta(days=8))
    assert (stale["answer"], codes(stale)) == ("not_enough_evidence", {"stale"})


def test_no_mail_is_no_evidence() -> None:
    found = readiness(lambda org, day: [record(count=0)])
    assert (found["answer"], codes(found)) == ("not_enough_evidence", {"no_mail"})


FAILING = record(source_ip="203.0.113.9", count=10, dkim="fail", spf="fail", dkims=(), spf_result="none")


def test_a_failing_source_blocks_with_its_numbers() -> None:
    found = readiness(with_more(FAILING))
    assert (found["answer"], codes(found)) == ("stay", {"failing_sources"})
    (blocker,) = found["blockers"]
    assert blocker["sources"][0] == {
        "ip": "203.0.113.9",
        "messages": 10 * 28 * 3,
        "pass": 0,
        "class": "unauthenticated",
        "first": "2025-01-01",
    }


def test_a_small_failing_source_does_not_block_unless_it_is_named() -> None:
    small = with_more(record(source_ip="203.0.113.9", count=1, dkim="fail", spf="fail"))
    assert readiness(small)["answer"] == "quarantine"
    own = Networks.parse("203.0.113.0/24 billing")
    assert codes(readiness(small, own=own.__contains__)) == {"failing_sources"}


def test_a_source_that_is_declared_not_ours_does_not_block() -> None:
    not_ours = Networks.parse("203.0.113.0/24")
    assert readiness(with_more(FAILING), not_ours=not_ours.__contains__)["answer"] == "quarantine"


def test_ninety_eight_of_a_hundred_is_enough() -> None:
    def mixed(failed: int) -> Callable[[str, int], list[str]]:
        good = record(source_ip="203.0.113.9", count=100 - failed)
        bad = record(source_ip="203.0.113.9", count=failed, dkim="fail", spf="fail")
        return with_more(good, bad)

    assert readiness(mixed(2))["answer"] == "quarantine"
    assert codes(readiness(mixed(3))) == {"failing_sources"}


def test_forwarders_warn_and_do_not_block() -> None:
    def from_a_list(count: int) -> Callable[[str, int], list[str]]:
        return with_more(
            record(source_ip="203.0.113.9", count=count, dkim="fail", spf="fail", reason=("mailing_list", ""))
        )

    found = readiness(from_a_list(30))
    assert (found["answer"], codes(found, "warnings")) == ("quarantine", {"indirect_mail"})
    assert codes(readiness(from_a_list(5)), "warnings") == set()


def test_a_new_failing_source_says_wait() -> None:
    assert codes(readiness(with_more(FAILING, from_day=16))) == {"failing_sources", "new_failing_sources"}
    assert codes(readiness(with_more(FAILING, from_day=15))) == {"failing_sources"}


def test_spf_alone_warns_before_quarantine_and_blocks_reject() -> None:
    spf_only = with_more(record(source_ip="203.0.113.9", count=10, dkim="fail"))
    first = readiness(spf_only)
    assert (first["answer"], codes(first, "warnings")) == ("quarantine", {"spf_only"})
    second = readiness(spf_only, p=lambda day: "quarantine")
    assert (second["answer"], codes(second)) == ("stay", {"spf_only"})
    third = readiness(spf_only, p=lambda day: "reject")
    assert (third["answer"], third["target"], codes(third, "warnings")) == ("stay", None, {"spf_only"})


def test_testing_and_absent_policies_count_as_what_is_in_force() -> None:
    testing = readiness(
        p=lambda day: "quarantine", edit=lambda data: data.replace(b"<pct>", b"<testing>y</testing><pct>")
    )
    assert (testing["current"], testing["answer"]) == ("none", "quarantine")
    absent = readiness(edit=lambda data: data.replace(b"<p>none</p>", b""))
    assert absent["current"] == "none"


def test_advice_about_subdomains_and_pct() -> None:
    sub = with_more(
        record(header_from="news.example.com", count=10),
        record(source_ip="203.0.113.9", header_from="forged.example.com", count=1, dkim="fail", spf="fail"),
    )
    found = readiness(sub, edit=lambda data: data.replace(b"<sp>none</sp>", b"").replace(b"<pct>100", b"<pct>20"))
    assert codes(found, "advice") == {"publish_sp", "publish_np", "pct_is_gone"}
    never = next(item for item in found["advice"] if item["code"] == "publish_np")
    assert [item["name"] for item in never["subdomains"]] == ["forged.example.com"]
    assert codes(readiness(), "advice") == set()


def test_receivers_that_act_on_passing_mail_are_told() -> None:
    found = readiness(with_more(record(count=5, disposition="quarantine")))
    assert codes(found, "warnings") == {"disposition_without_failure"}
