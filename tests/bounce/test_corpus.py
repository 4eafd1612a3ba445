"""Every fixture gives exactly its recipients, and what is no bounce gives none."""

import json

import pytest

from mailgate.bounce import BounceReport, RecipientStatus, parse
from mailgate.bounce._dialects import DIALECTS
from mailgate.records import address_key
from tests.bounce.cases import BOUNCES, CASES, OTHERS, Case


def address_of(case: Case, one: RecipientStatus) -> str | None:
    """The expected address that a recipient of ours is, by any of its names and accepted spellings."""
    names = {address_key(name) for name in (one.recipient, one.final_recipient, one.original_recipient) if is_one(name)}
    names |= {str(name).lower() for name in (one.recipient, one.final_recipient, one.original_recipient)}
    for row in case.expected["recipients"]:
        if names & {str(name).lower() for name in (row["recipient"], *row.get("accept", []))}:
            return str(row["recipient"])
    return None


def is_one(name: str | None) -> bool:
    return name is not None and "@" in name and not name.startswith("@")


# nullmailer gives the whole message up at the first refusal and reports everybody; see test_parse.py.
NAMED_WITHOUT_CAUSE = {"real_mta/nullmailer-multi.eml": {"ok@target.test"}}


@pytest.mark.parametrize("case", BOUNCES, ids=lambda case: case.file)
def test_all_recipients_are_found_and_none_is_invented(case: Case) -> None:
    report = parse(case.message)
    assert report is not None
    assert report.kind == "bounce"
    wanted = {row["recipient"] for row in case.expected["recipients"]}
    allowed = {name.lower() for name in case.expected.get("optional", [])} | NAMED_WITHOUT_CAUSE.get(case.file, set())
    found = [one for one in report.recipients if (one.recipient or "").lower() not in allowed]
    matched = [address_of(case, one) for one in found]
    assert None not in matched, f"invented: {[one.recipient for one in found]}"
    assert wanted == set(matched)


@pytest.mark.parametrize("case", BOUNCES, ids=lambda case: case.file)
def test_action_status_and_message_id_are_those_of_the_mail(case: Case) -> None:
    report = parse(case.message)
    assert report is not None
    for one in report.recipients:
        name = address_of(case, one)
        truth = next((row for row in case.expected["recipients"] if row["recipient"] == name), {})
        if "action" in truth and case.file not in DISPUTED_ACTIONS:
            assert one.action == truth["action"]
        if "status" in truth:
            codes = {truth["status"], truth.get("status_alt")}
            assert codes & {str(one.status), str(one.enhanced_status)}
    if "original_message_id" in case.expected and case.file != "flufl.bounce/dsn_15.txt":
        assert report.original_message_id == case.expected["original_message_id"]


# OpenSMTPD's warning of a delay: the source's expectation says failed, the mail says "only a temporary failure report".
DISPUTED_ACTIONS = {"sisimai/lhost-opensmtpd-04.eml"}


@pytest.mark.parametrize("case", [case for case in BOUNCES if "dialect" in case.expected], ids=lambda case: case.file)
def test_the_row_that_reads_it_is_the_one_for_its_family(case: Case) -> None:
    report = parse(case.message)
    assert report is not None
    assert report.dialect == case.expected["dialect"]


def test_every_row_is_reached_by_a_fixture() -> None:
    reached = {case.expected.get("dialect") for case in BOUNCES}
    assert [row.name for row in DIALECTS if row.name not in reached] == []


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case.file)
def test_nothing_else_is_a_bounce(case: Case) -> None:
    report = parse(case.message)
    if case.expected["kind"] is None:
        assert report is None or report.kind == "autoreply"
    else:
        assert report is not None
        assert report.kind == "autoreply"
        assert report.recipients == ()


@pytest.mark.parametrize("case", CASES[::3], ids=lambda case: case.file)
def test_reports_survive_the_way_through_json(case: Case) -> None:
    report = parse(case.message)
    if report is not None:
        assert BounceReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report
