"""The front of the reading side: bytes or a mail in, reports and refusals out."""

from __future__ import annotations

from typing import TypeAlias

from mailgate.dmarc._containers import SOFT, Document, documents, refusal, without_soft
from mailgate.dmarc._limits import DEFAULT_LIMITS, Limits
from mailgate.dmarc._report import AggregateReport, Refusal
from mailgate.dmarc._rows import read_report
from mailgate.dmarc._tls import TlsReport, read_tls
from mailgate.records import Mail, ParseError

Outcome: TypeAlias = AggregateReport | TlsReport | Refusal


def parse_all(message: bytes | Mail, *, limits: Limits = DEFAULT_LIMITS) -> tuple[Outcome, ...]:
    """Everything that `message` reports, in its order: `AggregateReport`, `TlsReport` and `Refusal`, at least one.

    message: XML, JSON, gzip or zip of them, or a mail with such attachments; at most `limits.max_bytes`.
    Never raises for the content. What is no report is passed over where there are others, and is one refusal
    (`not_a_report`, `archive_no_report`) where there is nothing else.
    """
    found = (item if isinstance(item, Refusal) else _read(item, limits) for item in documents(message, limits))
    return tuple(without_soft(found))


def parse(message: bytes | Mail, *, limits: Limits = DEFAULT_LIMITS) -> AggregateReport | TlsReport | None:
    """The one report in `message`; None when there is none (RFC 7489 7.2, RFC 9990 3.1, RFC 8460 4).

    Raises ParseError with the class, field and byte offset when the report is refused, and `several_reports` when
    there is more than one: then `parse_all` is meant.

    >>> parse(b"Subject: hello\\n\\nhi") is None
    True
    """
    outcomes = parse_all(message, limits=limits)
    if len(outcomes) > 1:
        raise ParseError("several_reports", f"{len(outcomes)} reports in one input; parse_all gives all of them")
    outcome = outcomes[0]
    if not isinstance(outcome, Refusal):
        return outcome
    if outcome.error in SOFT:
        return None
    raise ParseError(outcome.error, outcome.message, field=outcome.field, offset=outcome.offset)


def _read(document: Document, limits: Limits) -> Outcome:
    try:
        return read_tls(document, limits) if document.kind == "json" else read_report(document, limits)
    except ParseError as error:
        return refusal(error, document.member)
