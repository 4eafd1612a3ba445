r"""Complaints: what feedback loops report, and who complained even when the report hides it.

Use it for the mail that arrives at the address you registered with feedback loops (Microsoft JMRP, Yahoo, Validity, …),
at your abuse@ address, at the address of a CFBL-Address field and at the `ruf` address of a DMARC record.

    >>> report = parse(b'''\
    ... From: fbl@example.net
    ... Date: Sat, 21 Nov 2026 10:00:00 +0000
    ... MIME-Version: 1.0
    ... Content-Type: multipart/report; report-type=feedback-report; boundary=b
    ...
    ... --b
    ... Content-Type: message/feedback-report
    ...
    ... Feedback-Type: abuse
    ... User-Agent: Example/1.0
    ... Version: 1
    ... Original-Rcpt-To: <ann@example.net>
    ... Source-IP: 192.0.2.1
    ...
    ... --b
    ... Content-Type: text/rfc822-headers
    ...
    ... Message-ID: <42.7@news.example>
    ... --b--
    ... ''')
    >>> report.feedback_type, report.recipients, report.original_message_id
    ('abuse', ('ann@example.net',), '42.7@news.example')
    >>> event, = events(report)
    >>> str(event.kind), event.recipient, event.meta_value("feedback_type")
    ('complained', 'ann@example.net', 'abuse')

What goes in. `parse` takes raw bytes (any line ends, at most 25 MiB) or a `Mail`. A report part is read to 5,000 fields
of at most 1 MiB each. `FeedbackSettings` holds the rest: the signer of your references, VERP domains, header names.

What comes out. A `FeedbackReport`; None for every other mail; ParseError when a mail says that it is a feedback report
and nothing of it can be read. Forms: RFC 5965 in any wrapping (also base64, multipart/mixed, with the part turned into
text), Microsoft's old JMRP and AOL's old notices (a bare returned message), Exim's DMARC failure text, Apple Mail's
unsubscribe, Amazon SES's complaint JSON, X-ARF 0.1 to 4. `events` makes events of it, `summarize` tables.

Who complained. `recipients` is what to act on, and `recipient_source` says where it was found, in this order: the
readable Original-Rcpt-To; our own signed reference in the returned message (`settings.refs`, `settings.readers`); VERP
of `settings.verp_domains`; Removal-Recipient; fields documented to hold it (X-HmXmrOriginalRecipient, X-Apparently-To,
`settings.recipient_headers`); and, when the report names no recipient at all, the single address of To, or what
X-Original-To, Envelope-To and Delivered-To agree on when To is hidden. A redacted address is kept as written in
`original_rcpt_to` and never becomes a recipient. To be able to act on redacted complaints, send with an X-Mailgate-Ref
field, a signed return path or a List-Unsubscribe token: providers hide addresses and leave those alone.

SECURITY. Anybody can send a feedback report to your address. `matched` says whether the returned message carried
something that only you can have written (`ref`, `verp`, or the name of a reader); the policy can require it. A
reference whose signature is wrong names nobody, and then nothing else is taken from that header either
(`forged_reference`). Every limit is stated, time is linear, and any bytes give a report, None or ParseError.

BUGS. A report that redacts by replacing the address with another person's plausible one cannot be told from an honest
one. 16 to 31 hexadecimal digits count as a mailbox, 32 and more as a hash. SES names several recipients when it does
not know which one complained: then `recipients` is empty, unless our reference tells. A reference under a retired key
looks forged: keep old keys as long as complaints may come (providers report mail of the last weeks, seldom months). Of
a file with two mails only the first is read. SpamCop's prose is not read. Zone names that mean several offsets (IST,
CST outside America) are read as RFC 5322 does, else as UTC.

    RFC 5965 2          the parts of a report                       parse
    RFC 5965 3          fields: required, once, repeated            FeedbackReport
    RFC 5965 4          malformed reports                           FeedbackReport.defects, ParseError
    RFC 5965 7.3        feedback types                              FeedbackReport.complaint_type
    RFC 6430            not-spam                                    events (never suppresses)
    RFC 6449            tokens of our own name the recipient        FeedbackSettings.refs, readers
    RFC 6590            redaction                                   is_redacted
    RFC 6591 2.3        base64 in fields                            AuthFailure.dkim_canonicalized_body
    RFC 6591 3          authentication failures                     AuthFailure
    RFC 6692            Source-Port                                 FeedbackReport.source_port
    RFC 9477 3.3, 3.5   CFBL-Feedback-ID, ARF and XARF reports      FeedbackReport.cfbl_feedback_id
    RFC 9991            DMARC failure reports, Identity-Alignment   AuthFailure.identity_alignment

DECISIONS.
`original_rcpt_to` and `recipients` are two attributes, because a report has to be shown as it is and acted on as it
means: one merged list either loses evidence or suppresses hashes.
To is believed only when the report is silent about the recipient. Where the report redacts, To is redacted too or names
somebody else, and a complaint against the wrong person suppresses a customer for good.
An unknown feedback type gives an event with `suppress=no`: a word that nobody has defined is no reason to lose a
reader. A report without any type counts as abuse, because every known generator that forgets the field reports abuse.
`at` of an event is the report's Date, when the person pressed the button; Arrival-Date is when the mail came.
"""

from mailgate.fbl._events import COMPLAINT_TYPES, events, report_id
from mailgate.fbl._parse import parse
from mailgate.fbl._redacted import is_redacted
from mailgate.fbl._report import AuthFailure, FeedbackReport
from mailgate.fbl._settings import FeedbackSettings
from mailgate.fbl._summary import FeedbackSummary, summarize

__all__ = [
    "COMPLAINT_TYPES",
    "AuthFailure",
    "FeedbackReport",
    "FeedbackSettings",
    "FeedbackSummary",
    "events",
    "is_redacted",
    "parse",
    "report_id",
    "summarize",
]
