"""Real reports, and the facts that an independent reader found in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailgate.dmarc import AggregateReport, Limits, Refusal, parse_all, read
from mailgate.dmarc._shape import MAX_CHARACTERS
from tests.support import needs

FIXTURES = Path(__file__).parent.parent.parent / "fixtures" / "dmarc"
TRUTH = [json.loads(line) for line in (FIXTURES / "corpus" / "truth.jsonl").read_text().splitlines()]

# With this limit no shapes are used: every report goes through Expat.
ONLY_EXPAT = Limits(max_field_bytes=MAX_CHARACTERS - 1)
NOT_FACTS = {
    "file", "repo", "path", "commit", "licence", "sha256", "bytes", "format", "may_reject", "status", "reports",
    "defects", "error", "kind",
}  # fmt: skip


def expected(line: dict[str, Any]) -> list[dict[str, Any]]:
    return line["reports"] if line["status"] == "multi" else [line]


def faults(data: bytes, line: dict[str, Any]) -> list[str]:
    """How what we read differs from the truth line; [] when it does not."""
    outcomes = parse_all(data)
    wanted = expected(line)
    if len(outcomes) != len(wanted):
        return [f"{len(outcomes)} reports, not {len(wanted)}"]
    found = []
    for outcome, want in zip(outcomes, wanted, strict=True):
        if isinstance(outcome, Refusal):
            allowed = want.get("error") or line.get("may_reject")
            if outcome.error != allowed:
                found.append(f"refused as {outcome.error}, not {allowed}")
        elif want["status"] == "error":
            found.append(f"read, but to be refused as {want['error']}")
        else:
            said = outcome.summary()
            facts = {name: value for name, value in want.items() if name not in NOT_FACTS}
            found += [
                f"{name}: {said.get(name)!r}, not {value!r}" for name, value in facts.items() if said.get(name) != value
            ]
            found += [f"defect not named: {name}" for name in set(want["defects"]) - set(said["defects"])]
    return found


@pytest.mark.parametrize("line", TRUTH, ids=lambda line: line["file"])
def test_a_report_says_what_the_independent_reader_found(line: dict[str, Any]) -> None:
    assert faults((FIXTURES / "corpus" / line["file"]).read_bytes(), line) == []


@pytest.mark.parametrize("line", TRUTH, ids=lambda line: line["file"])
def test_shapes_and_expat_read_the_same(line: dict[str, Any]) -> None:
    data = (FIXTURES / "corpus" / line["file"]).read_bytes()
    assert parse_all(data) == parse_all(data, limits=ONLY_EXPAT)


@pytest.mark.parametrize("line", TRUTH, ids=lambda line: line["file"])
def test_the_rollup_counts_what_the_full_report_holds(line: dict[str, Any]) -> None:
    data = (FIXTURES / "corpus" / line["file"]).read_bytes()
    outcomes, rollup = parse_all(data), read(data)
    refused = [outcome.error for outcome in outcomes if isinstance(outcome, Refusal)]
    assert [refusal.error for _, refusal in sorted(rollup.refused.items())] == refused
    said = [(c.report_id, c.weight[0]) for c in [*rollup.contributions.values(), *rollup.tls.values()]]
    wanted = [
        (
            outcome.report_id,
            outcome.messages if isinstance(outcome, AggregateReport) else outcome.success + outcome.failure,
        )
        for outcome in outcomes
        if not isinstance(outcome, Refusal)
    ]
    assert sorted(said) == sorted(wanted)


@pytest.mark.parametrize("path", sorted((FIXTURES / "producers").iterdir()), ids=lambda path: path.name)
def test_mails_of_programs_that_send_reports_are_read(path: Path) -> None:
    outcomes = parse_all(path.read_bytes())
    assert [isinstance(outcome, Refusal) for outcome in outcomes] == [False]
    report = outcomes[0]
    assert getattr(report, "messages", None) or getattr(report, "success", 0) + getattr(report, "failure", 0)


def test_the_whole_corpus() -> None:
    folder = Path(needs.corpora()) / "dmarc"
    lines = [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]
    wrong = {line["file"]: found for line in lines if (found := faults((folder / line["file"]).read_bytes(), line))}
    assert wrong == {}
    assert len(lines) > 1_000


def test_the_whole_corpus_without_shapes() -> None:
    folder = Path(needs.corpora()) / "dmarc"
    for line in map(json.loads, (folder / "truth.jsonl").read_text().splitlines()):
        data = (folder / line["file"]).read_bytes()
        assert parse_all(data) == parse_all(data, limits=ONLY_EXPAT), line["file"]
