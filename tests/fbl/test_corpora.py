"""The full corpora, where MAILGATE_CORPORA names them: every report exactly, and no complaint where there is none."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from mailgate.fbl import FeedbackReport, parse
from mailgate.records import ParseError
from tests.support import needs

AS_WRITTEN = (
    *("user_agent", "version", "original_mail_from", "original_rcpt_to", "removal_recipient", "source_ip"),
    *("reported_domain", "authentication_results", "original_envelope_id"),
)


def differences(report: FeedbackReport, truth: dict[str, Any]) -> list[str]:
    found = json.loads(json.dumps(report.to_dict()))
    wrong = []
    for name in AS_WRITTEN:
        written = None if name in found["derived"] else found[name]
        if name in truth and (written or None) != (truth[name] or None):
            wrong.append(f"{name}: {written!r} is not {truth[name]!r}")
    arrived = truth.get("arrival_date_utc")
    checks = {
        "form": ({"rfc5965": "arf"}.get(truth["form"], truth["form"]), found["form"]),
        "feedback_type": (truth.get("feedback_type") or truth.get("feedback_type_implied"), found["feedback_type"]),
        "original_message_id": (truth["original_message_id"], found["original_message_id"]),
        "arrival_date": (arrived and datetime.fromisoformat(arrived), report.arrival_date),
        "recipients": ([] if truth["recipient_redacted"] else truth["recipient"], found["recipients"]),
        "shown": (truth.get("recipient", []), found["original_rcpt_to"] or found["removal_recipient"]),
    }
    return wrong + [f"{name}: {got!r} is not {want!r}" for name, (want, got) in checks.items() if want != got]


def test_every_report_of_the_corpus_exactly() -> None:
    folder = Path(needs.corpora()) / "arf"
    faults = {}
    for line in (folder / "truth.jsonl").read_text().splitlines():
        truth = json.loads(line)
        report = parse((folder / truth["file"]).read_bytes())
        wrong = ["not recognised"] if report is None else differences(report, truth)
        if wrong:
            faults[truth["file"]] = wrong
    assert faults == {}


def test_nothing_else_in_the_corpora_is_a_complaint() -> None:
    wrong = []
    for folder in ("bounce", "dmarc", "html_email"):
        for path in sorted((Path(needs.corpora()) / folder).rglob("*")):
            if not path.is_file() or path.suffix in (".jsonl", ".md", ".tsv"):
                continue
            try:
                if parse(path.read_bytes()) is not None:
                    wrong.append(str(path))
            except ParseError as error:
                wrong.append(f"{path}: {error}")
    assert wrong == []
