"""`mailgate fbl`: what complaints say."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from mailgate.cli import _exit, _inputs, _output
from mailgate.cli._feedback import feedback_settings
from mailgate.cli._jobs import add_jobs_option, ordered_map
from mailgate.cli._progress import Progress
from mailgate.cli._readers import add_ownership_options, keys_of
from mailgate.fbl import FeedbackReport, FeedbackSettings, FeedbackSummary, parse, summarize
from mailgate.records import ParseError

SUMMARY = "say what complaints (feedback reports) report"
DESCRIPTION = """\
Reads complaints (feedback loop reports, DMARC failure reports, and what providers send instead) and says what each
reports and who complained. PATHs are files, directories, Maildirs and mboxes; - reads one message from stdin.

Providers hide who complained. With --key-file the complainer is found by the signed references of your own mail
(X-Mailgate-Ref, the return path, the token in List-Unsubscribe).
"""
EXAMPLES = (
    "mailgate fbl fixtures/fbl/real",
    "mailgate fbl --json fixtures/fbl/made/all-fields.eml",
    "mailgate fbl --summary Maildir",
    "mailgate fbl - < fixtures/fbl/made/jmrp-sparse.eml",
)
_TABLES = (
    ("feedback_type", "feedback type"),
    ("reporter", "reporting provider"),
    ("source_ip", "source IP"),
    ("stream", "our stream"),
)
_COLUMNS = ("file", "type", "who complained", "found by", "source IP", "reporter", "message")
_MAX_SUMMARY_ROWS = 20
_BATCH = 500


@dataclass(frozen=True, slots=True)
class _Read:
    """What one input says: a report, nothing (no complaint), or why it could not be read."""

    name: str
    report: FeedbackReport | None = None
    error: str | None = None


# What a line of --json always has, in this order; None and [] for what the message does not say.
SHAPE: dict[str, Any] = {
    "kind": None,
    "feedback_type": None,
    "user_agent": None,
    "version": None,
    "original_mail_from": None,
    "original_rcpt_to": [],
    "removal_recipient": [],
    "arrival_date": None,
    "source_ip": None,
    "reported_domain": [],
    "reported_uri": [],
    "incidents": None,
    "authentication_results": [],
    "auth_failure": None,
    "original_message_id": None,
    "ref": None,
    "derived": [],
    "defects": [],
    # Who complained, however it was found (`original_rcpt_to` is what the report says, redacted or not).
    "recipients": [],
    "recipient_source": None,
    "matched": None,
    "stream": None,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="a file, directory, Maildir or mbox; - for stdin")
    add("--json", action="store_true", help="one JSON line a message")
    add("--full", action="store_true", help="--json with everything that was read, also what has no fixed shape")
    add("--summary", action="store_true", help="counts by feedback type, provider, source IP and stream")
    add_jobs_option(parser)
    add_ownership_options(parser)


def run(args: argparse.Namespace) -> int:
    """Read everything; one bad input is a line with its error and stops nothing."""
    worker = partial(_read, settings=feedback_settings(keys_of(args), tuple(args.verp_domain)))
    with Progress(None, "reading") as bar:
        results = _watched(ordered_map(worker, _inputs.sources(args.paths), args.jobs), bar)
        if args.summary:
            return _summarize(results, args.json)
        return _print_json(results, args.full) if args.json or args.full else _print_text(results)


def _read(source: _inputs.Source, settings: FeedbackSettings) -> _Read:
    data = _inputs.read(source)
    if data.data is None:
        return _Read(data.name, error=data.error)
    try:
        return _Read(data.name, parse(data.data, settings=settings))
    except ParseError as error:
        return _Read(data.name, error=str(error))


def _watched(results: Iterator[_Read], bar: Progress) -> Iterator[_Read]:
    for result in results:
        bar.advance()
        yield result


def _print_json(results: Iterator[_Read], full: bool) -> int:
    status = _exit.OK
    for result in results:
        if result.error is not None:
            status = _exit.DATA
            print(_output.json_line({"file": result.name, "error": result.error}))
        else:
            said: dict[str, Any] = {} if result.report is None else result.report.to_dict()
            print(_output.json_line({"file": result.name, **_output.shaped(said, SHAPE, full=full)}))
    return status


def _print_text(results: Iterator[_Read]) -> int:
    status, others, name = _exit.OK, 0, ""
    rows: list[tuple[object, ...]] = []
    for result in results:
        if result.error is not None:
            status = _exit.DATA
            _output.say(f"{_output.printable(result.name)}: {_output.printable(result.error)}")
        elif result.report is None:
            others, name = others + 1, result.name
        else:
            rows.append(_row(result.name, result.report))
    if len(rows) == 1 and not others:
        pairs = zip(_COLUMNS, rows[0], strict=True)
        print("\n".join(f"{column + ':':<16}{_output.printable(str(cell or '-'))}" for column, cell in pairs))
    elif rows:
        print(_output.table(_COLUMNS, rows))
    if others == 1 and not rows:
        print(f"{_output.printable(name)}: no complaint")
    elif others:
        _output.say(f"{others:,} other {'message is no complaint' if others == 1 else 'messages are no complaints'}")
    elif not rows and status == _exit.OK:
        _output.say("no messages there")
    return status


def _row(name: str, report: FeedbackReport) -> tuple[object, ...]:
    hidden = "(hidden)" if report.original_rcpt_to else "(not named)"
    who = ", ".join(report.recipients) or hidden
    kind = report.feedback_type or "(no type)"
    return name, kind, who, report.recipient_source, report.source_ip, report.reporter, report.original_message_id


def _summarize(results: Iterator[_Read], as_json: bool) -> int:
    """Only what the tables need is kept, so that a year of complaints fits."""
    summary, others, errors = FeedbackSummary(), 0, 0
    batch: list[FeedbackReport] = []
    for result in results:
        if result.error is not None:
            errors += 1
            _output.say(f"{_output.printable(result.name)}: {_output.printable(result.error)}")
        elif result.report is None:
            others += 1
        else:
            batch.append(result.report)
            if len(batch) >= _BATCH:
                summary = summary.merge(summarize(batch))
                batch.clear()
    summary = summary.merge(summarize(batch))
    if as_json:
        said = {name: value for name, value in summary.to_dict().items() if name != "rows"}
        print(_output.json_line({**said, "not_complaints": others, "unreadable": errors}))
    else:
        print(_summary_text(summary, others))
    return _exit.DATA if errors else _exit.OK


def _summary_text(summary: FeedbackSummary, others: int) -> str:
    first = (
        f"{summary.reports:,} reports about {summary.incidents:,} incidents; "
        f"{summary.with_recipient:,} name who complained"
    )
    parts = [first + (f"; {others:,} other messages" if others else "")]
    for column, heading in _TABLES if summary.reports else ():
        counts = summary.by(column)
        rows: list[tuple[str, int]] = list(counts[:_MAX_SUMMARY_ROWS])
        if len(counts) > len(rows):
            rows.append((f"({len(counts) - len(rows):,} more)", sum(count for _, count in counts[len(rows) :])))
        parts.append(_output.table([heading, "reports"], rows))
    return "\n\n".join(parts)
