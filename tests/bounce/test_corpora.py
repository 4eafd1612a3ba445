"""The full corpora, where MAILGATE_CORPORA names them: the scores that are promised, measured."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mailgate.bounce import BounceReport, RecipientStatus, parse, sisimai_name
from mailgate.bounce._names import SISIMAI_NAMES
from mailgate.records import ParseError, address_key
from tests.support import needs


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read(path: Path) -> BounceReport | None:
    try:
        return parse(path.read_bytes())
    except ParseError:
        return None


def names(*written: str | None) -> set[str]:
    found = {name.lower() for name in written if name}
    for name in written:
        if name and "@" in name:
            try:
                found.add(address_key(name))
            except ParseError:
                continue
    return found


def score(report: BounceReport | None, truth: dict[str, Any], counts: Counter[str]) -> list[str]:
    """Add one message to the counts; what is wrong with it, in words."""
    found: dict[str, RecipientStatus] = {}
    for one in report.recipients if report is not None and report.kind == "bounce" else ():
        if one.recipient:
            found.setdefault(one.recipient.lower(), one)
    used, wrong, missing = set(), [], False
    for row in truth["recipients"]:
        wanted = names(
            row["recipient"], row.get("final_recipient"), row.get("original_recipient"), *row.get("accept", ())
        )
        hit = next((key for key in found if key in wanted), None)
        if hit is None:
            missing = missing or not row.get("optional")
            continue
        used.add(hit)
        wrong += score_recipient(found[hit], row, counts)
    invented = set(found) - used - names(*(truth.get("optional_recipients") or ()))
    counts["messages"] += 1
    counts["exact"] += not (missing or invented)
    if missing or invented:
        wrong.append(f"recipients: {sorted(found)}")
    if truth.get("orig_message_id"):
        counts["ids"] += 1
        right = report is not None and report.original_message_id == truth["orig_message_id"].strip("<>")
        counts["ids right"] += right
        if not right:
            wrong.append("message id")
    return wrong


def score_recipient(one: RecipientStatus, row: dict[str, Any], counts: Counter[str]) -> list[str]:
    wrong = []
    if row.get("status"):
        counts["statuses"] += 1
        right = bool(
            {str(one.status), str(one.enhanced_status)} & {row["status"], str(row.get("status_alt"))} - {"None"}
        )
        counts["statuses right"] += right
        wrong += [] if right else [f"status: {one.status}"]
    if row.get("action"):
        counts["actions"] += 1
        counts["actions right"] += one.action == row["action"]
        wrong += [] if one.action == row["action"] else [f"action: {one.action}"]
    if row.get("reason") and row["reason"] != "delivered":
        counts["reasons"] += 1
        accepted = set(row.get("reason_accept") or [row["reason"]])
        counts["reasons right"] += bool(accepted & {sisimai_name(one.reason), *SISIMAI_NAMES[one.reason]})
    return wrong


@pytest.mark.slow
def test_the_bounce_corpus() -> None:
    folder = Path(needs.corpora()) / "bounce"
    counts: Counter[str] = Counter()
    wrong: dict[str, list[str]] = {}
    for truth in rows(folder / "truth.jsonl"):
        report = read(folder / truth["file"])
        if truth["kind"] in ("dsn", "bounce"):
            faults = score(report, truth, counts)
        elif truth["kind"] == "vacation":
            faults = [] if report is not None and report.kind == "autoreply" else ["not an automatic reply"]
        else:
            faults = [] if report is None or report.kind != "bounce" else ["a bounce"]
        if faults:
            wrong[truth["file"]] = faults
    print(dict(counts), wrong)
    assert not [file for file, faults in wrong.items() if "a bounce" in faults]
    assert counts["exact"] >= 0.99 * counts["messages"]
    for what in ("statuses", "actions", "ids"):
        assert counts[f"{what} right"] >= 0.99 * counts[what], what
    assert counts["reasons right"] >= 0.93 * counts["reasons"]


@pytest.mark.slow
def test_every_truncation_of_every_message() -> None:
    folder = Path(needs.corpora()) / "bounce"
    for truth in rows(folder / "truth.jsonl"):
        message = (folder / truth["file"]).read_bytes()
        for end in range(0, len(message), 1 + len(message) // 100):
            try:
                parse(message[:end])
            except ParseError:
                continue


@pytest.mark.slow
def test_the_reports_of_real_servers() -> None:
    folder = Path(needs.corpora()).parent / "samples" / "real_mta"
    if not folder.is_dir():
        needs.missing("the samples of real mail servers beside the corpora")
    wrong = {}
    for truth in rows(folder / "index.jsonl"):
        report = read(folder / truth["file"])
        found = list(report.recipients) if report is not None and report.kind == "bounce" else []
        if not truth["kind"].startswith("dsn_"):
            if found:
                wrong[truth["file"]] = "a bounce"
            continue
        left = [names(one.recipient, one.final_recipient, one.original_recipient) for one in found]
        for row in truth["recipients"]:
            wanted = names(row["address"], row.get("original_recipient"))
            hit = next((one for one in left if one & wanted), None)
            if hit is None:
                wrong[truth["file"]] = "recipient missing"
            else:
                left.remove(hit)
        if left:
            wrong[truth["file"]] = f"invented: {left}"
    # nullmailer reports all recipients of a message for the refusal of one; see the manual.
    wrong.pop("nullmailer/multi.eml", None)
    assert wrong == {}
