"""`mailgate bounce`: what bounces, delays, successes and automatic replies say."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Any

from mailgate.bounce import BounceReport, BounceSettings, RecipientStatus, parse
from mailgate.cli import _exit, _inputs, _output
from mailgate.cli._jobs import add_jobs_option, ordered_map
from mailgate.cli._progress import Progress
from mailgate.cli._readers import add_ownership_options, add_rules_option, bounce_settings, keys_of
from mailgate.records import ParseError, Permanence, Reason

SUMMARY = "say what bounces, delays and autoreplies report"
DESCRIPTION = """\
Reads messages and says which of them report about delivery: who failed, why, whose fault it is and whether it can
change. PATHs are files, directories, Maildirs and mboxes; - reads one message from stdin. Nothing is moved or changed.

With --key-file and --verp-domain it also says which reports are about messages of your own.
"""
EXAMPLES = (
    "mailgate bounce fixtures/bounce/real_mta/postfix-3.10-disabled.eml",
    "mailgate bounce fixtures/bounce/made",
    "mailgate bounce --json fixtures/bounce/real_mta",
    "mailgate bounce --jobs 2 Maildir",
    "mailgate bounce - < fixtures/bounce/made/groupwise.eml",
)

_OUTCOMES = {
    "failed": "not delivered",
    "delayed": "delayed, still being tried",
    "delivered": "delivered",
    "relayed": "handed on to a server that sends no reports",
    "expanded": "handed on to the members of a list",
}
_PERMANENCES = {
    Permanence.PERMANENT: "for good",
    Permanence.TRANSIENT: "for now",
    Permanence.EXPIRED: "given up after temporary failures",
    Permanence.DELIVERED: "",
}
_REASONS = {
    Reason.MAILBOX_NOT_FOUND: "no such mailbox",
    Reason.MAILBOX_MOVED: "the mailbox has moved",
    Reason.BAD_ADDRESS: "the address cannot exist",
    Reason.DOMAIN_NOT_FOUND: "no such domain",
    Reason.DOMAIN_NOT_ACCEPTING: "the domain takes no mail",
    Reason.MAILBOX_DISABLED: "the mailbox is disabled",
    Reason.MAILBOX_FULL: "the mailbox is full",
    Reason.RECIPIENT_RESTRICTED: "the recipient does not take this mail",
    Reason.MAILING_LIST: "a list refused it (not a member, moderated)",
    Reason.CHALLENGE: "the recipient asks the sender to prove himself",
    Reason.BLOCKED: "our server is on a block list",
    Reason.REPUTATION: "our reputation is too low",
    Reason.PTR_MISSING: "our address has no proper reverse DNS",
    Reason.AUTH_FAILED: "SPF, DKIM or DMARC failed",
    Reason.SENDER_REJECTED: "our sender address was refused",
    Reason.RELAY_DENIED: "the server does not relay for us",
    Reason.AUTH_REQUIRED: "the server wants us to log in",
    Reason.TLS_REQUIRED: "the server wants TLS",
    Reason.RATE_LIMITED: "we sent too much too fast",
    Reason.POLICY: "against a policy of the server",
    Reason.SPAM: "taken for spam",
    Reason.VIRUS: "taken for a virus",
    Reason.CONTENT_REJECTED: "the content was refused",
    Reason.TOO_LARGE: "the message is too large",
    Reason.SMTPUTF8_UNSUPPORTED: "the server cannot take internationalized addresses",
    Reason.GREYLISTED: "greylisted: try again later",
    Reason.CONNECTION_FAILED: "no connection to the server",
    Reason.DNS_ERROR: "the DNS gave no answer",
    Reason.TLS_FAILED: "TLS failed",
    Reason.LOOP: "the mail went in a loop",
    Reason.EXPIRED: "too long in the queue",
    Reason.SERVER_ERROR: "an error on the server",
    Reason.STORAGE_FULL: "the server's disk is full",
    Reason.LOCAL_DELIVERY_FAILED: "a delivery program failed",
    Reason.PROTOCOL_ERROR: "the servers misunderstood each other",
    Reason.TOO_MANY_RECIPIENTS: "too many recipients in one message",
    Reason.TEMPORARY_FAILURE: "a temporary failure",
    Reason.SUPPRESSED_UPSTREAM: "on the relay's own suppression list",
    Reason.UNKNOWN: "no cause given",
}
_MAX_RULES_BYTES = 4_000_001  # one more than a rules file may have, so that the reader sees that it is too long
_LABEL_COLUMNS = 13
_MAX_EVIDENCE = 300  # characters of the cause for a person to read; --json has all of it
_MAX_TABLE_EVIDENCE = 80


_Row = tuple[str, str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class _Read:
    """What one input says, as it will be printed: workers write, so that little has to pass between processes."""

    name: str
    error: str | None = None
    line: str = ""  # with --json
    rows: tuple[_Row, ...] = ()
    block: tuple[str, ...] = ()


class Json(IntEnum):
    """How much of a report a line of JSON has."""

    NO = 0
    SHAPED = 1
    FULL = 2


# What a line of --json always has, in this order; None and [] for what the message does not say.
SHAPE: dict[str, Any] = {
    "kind": None,
    "form": None,
    "defects": [],
    "recipients": [],
    "reporting_mta": None,
    "arrival_date": None,
    "original_message_id": None,
    "ref": None,
    "matched": None,
}
RECIPIENT_SHAPE: dict[str, Any] = dict.fromkeys(
    ("recipient", "original_recipient", "final_recipient", "action", "status", "smtp_code", "enhanced_status", "reason",
     "fault", "permanence", "diagnostic_code", "remote_mta", "evidence")
)  # fmt: skip


def _record(report: BounceReport | None, *, full: bool) -> dict[str, Any]:
    said = _output.shaped({} if report is None else report.to_dict(), SHAPE, full=full)
    if not full:
        said["recipients"] = [_output.shaped(one, RECIPIENT_SHAPE) for one in said["recipients"]]
    return said


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="a file, directory, Maildir or mbox; - for stdin")
    add("--json", action="store_true", help="one JSON line a message")
    add("--full", action="store_true", help="--json with everything that was read, also what has no fixed shape")
    add_rules_option(parser)
    add_jobs_option(parser)
    add_ownership_options(parser)


def run(args: argparse.Namespace) -> int:
    """Read everything; one bad input is a line with its error and stops nothing."""
    as_json = Json.FULL if args.full else Json.SHAPED if args.json else Json.NO
    worker = partial(_read, settings=bounce_settings(args, keys_of(args)), as_json=as_json)
    with Progress(None, "reading") as bar:
        results = _watched(ordered_map(worker, _inputs.sources(args.paths), args.jobs), bar)
        return _print_json(results) if as_json else _print_text(results)


def _read(source: _inputs.Source, settings: BounceSettings, as_json: Json) -> _Read:
    data = _inputs.read(source)
    if data.data is None:
        return _refused(data.name, data.error or "unreadable", as_json)
    try:
        report = parse(data.data, settings=settings)
    except ParseError as error:
        return _refused(data.name, str(error), as_json)
    if as_json:
        said = _record(report, full=as_json is Json.FULL)
        return _Read(data.name, line=_output.json_line({"file": data.name, **said}))
    return _Read(data.name, rows=tuple(_rows(data.name, report)), block=tuple(_block(data.name, report)))


def _refused(name: str, error: str, as_json: Json) -> _Read:
    return _Read(name, error=error, line=_output.json_line({"file": name, "error": error}) if as_json else "")


def _watched(results: Iterator[_Read], bar: Progress) -> Iterator[_Read]:
    for result in results:
        bar.advance()
        yield result


def _print_json(results: Iterator[_Read]) -> int:
    status = _exit.OK
    for result in results:
        if result.error is not None:
            status = _exit.DATA
        print(result.line)
    return status


def _print_text(results: Iterator[_Read]) -> int:
    """One message in full; several as a table, so that a folder can be looked over."""
    status = _exit.OK
    count = 0
    block: tuple[str, ...] = ()
    rows: list[_Row] = []
    for result in results:
        if result.error is not None:
            status = _exit.DATA
            _output.say(f"{_output.printable(result.name)}: {_output.printable(result.error)}")
            continue
        count += 1
        block = result.block
        rows.extend(result.rows)
    if count == 1:
        print("\n".join(block))
    elif rows:
        print(_output.table(["file", "recipient", "what happened", "why", "code", "whose", "evidence"], rows))
    elif status == _exit.OK:
        _output.say("no messages there")
    return status


def _rows(name: str, report: BounceReport | None) -> list[_Row]:
    if report is None:
        return [(name, "", "not about delivery", "", "", "", "")]
    if report.kind == "autoreply":
        return [(name, _replier(report), "automatic reply", _reply_words(report), "", "", report.evidence)]
    return [_row(name, one) for one in report.recipients]


def _row(name: str, one: RecipientStatus) -> _Row:
    failed = one.permanence is not Permanence.DELIVERED
    return (
        name,
        one.recipient or "(nobody named)",
        _what(one),
        _REASONS[one.reason] if failed else "",
        _codes(one),
        str(one.fault) if failed else "",
        textwrap.shorten(_said(one), _MAX_TABLE_EVIDENCE, placeholder=" …"),
    )


def _block(name: str, report: BounceReport | None) -> list[str]:
    if report is None:
        return [f"{_output.printable(name)}: neither about delivery nor an automatic reply"]
    if report.kind == "autoreply":
        pairs = [("reply of", _replier(report)), ("says", _reply_words(report)), ("because", report.evidence)]
        return _lines([("file", name), *pairs, ("about", report.original_message_id or "")])
    lines = _lines(
        [
            ("file", name),
            ("reported by", report.reporting_mta or report.sender or ""),
            ("about", report.original_message_id or ""),
            ("ours", f"yes, by {report.matched}" if report.matched else ""),
        ]
    )
    for one in report.recipients:
        lines += ["", *_recipient_lines(one)]
    return lines


def _recipient_lines(one: RecipientStatus) -> list[str]:
    failed = one.permanence is not Permanence.DELIVERED
    blame = f"{_REASONS[one.reason]}; {_blame(one)}" if failed else ""
    notes = [
        f"written to {one.mailed_recipient}, which led here" if one.mailed_recipient else "",
        f"the reply names {one.other_address}" if one.other_address else "",
        "about somebody else's mail" if one.about_other_mail else "",
    ]
    return _lines(
        [
            ("recipient", one.recipient or "(nobody named)"),
            ("what", _what(one)),
            ("why", blame),
            ("code", _codes(one)),
            ("server", one.remote_mta or ""),
            ("said", textwrap.shorten(_said(one), _MAX_EVIDENCE, placeholder=" …")),
            ("rule", one.evidence.partition(": ")[0]),
            ("note", "; ".join(note for note in notes if note)),
        ]
    )


def _what(one: RecipientStatus) -> str:
    words = _OUTCOMES.get(one.action or "", "not delivered")
    lasting = _PERMANENCES[one.permanence] if one.permanence is not None else ""
    return f"{words}, {lasting}" if lasting and one.action != "delayed" else words


def _blame(one: RecipientStatus) -> str:
    return {
        "address": "the address is at fault",
        "mailbox": "the mailbox is at fault",
        "sender": "it is our fault, not the recipient's",
        "content": "our content is at fault",
        "network": "the network is at fault",
        "server": "a server is at fault",
    }.get(str(one.fault), "nobody is named as at fault")


def _codes(one: RecipientStatus) -> str:
    status = one.enhanced_status or one.status
    return " ".join(str(code) for code in (one.smtp_code, status) if code is not None)


def _said(one: RecipientStatus) -> str:
    return one.diagnostic_code or one.evidence.partition(": ")[2] or one.text


def _replier(report: BounceReport) -> str:
    return (report.autoreply.sender if report.autoreply else None) or report.sender or ""


def _reply_words(report: BounceReport) -> str:
    reply = report.autoreply
    if reply is None or not reply.gone:
        return ""
    return f"{reply.gone_evidence}; new address {reply.new_address}" if reply.new_address else str(reply.gone_evidence)


def _lines(pairs: list[tuple[str, str]]) -> list[str]:
    """`name: value` lines, safe on a terminal; empty values are left out."""
    return [f"{name + ':':<{_LABEL_COLUMNS}}{_output.printable(value)}" for name, value in pairs if value]
