"""Every fixture says what its expectation says, and nothing that is not a complaint is one."""

import json
from pathlib import Path

import pytest

from mailgate.fbl import FeedbackReport, events, parse

FIXTURES = Path(__file__).parents[2] / "fixtures"
REPORTS = sorted((FIXTURES / "fbl").rglob("*.eml"))


def read(path: Path) -> FeedbackReport:
    report = parse(path.read_bytes())
    assert report is not None, f"{path.name} is a complaint"
    return report


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_a_report_says_what_its_expectation_says(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    found = json.loads(json.dumps(read(path).to_dict()))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_line_ends_change_nothing(path: Path) -> None:
    message = path.read_bytes().replace(b"\r\n", b"\n")
    plain, crlf = parse(message), parse(message.replace(b"\n", b"\r\n"))
    assert plain is not None
    assert crlf is not None
    assert {**plain.to_dict(), "defects": [], "auth_failure": None} == {
        **crlf.to_dict(),
        "defects": [],
        "auth_failure": None,
    }


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_a_report_survives_a_wire(path: Path) -> None:
    report = read(path)
    assert FeedbackReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_no_redacted_address_is_ever_a_recipient(path: Path) -> None:
    assert not any(
        mark in address for address in read(path).recipients for mark in ("redacted", "*", "hashed", "0123456789abcdef")
    )


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_two_reports_are_never_one_event(path: Path) -> None:
    own = {event.event_id for event in events(read(path))}
    same = {"ses-complaint", "ses-wrapped"}  # one complaint in two wrappings
    others = [other for other in REPORTS if other != path and {other.stem, path.stem} != same]
    assert own.isdisjoint(event.event_id for other in others for event in events(read(other)))


def test_ordinary_mail_and_other_reports_are_no_complaints() -> None:
    others = [
        path for path in FIXTURES.rglob("*") if path.is_file() and path.suffix in (".eml", ".html", ".xml", ".gz")
    ]
    others = [path for path in others if "fbl" not in path.parts and "quickstart" not in path.parts]
    assert [str(path) for path in others if parse(path.read_bytes()) is not None] == []
