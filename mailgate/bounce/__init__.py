r"""Bounces: who could not be reached, why, whose fault it is, and whether it can change.

Use it for the mail that arrives at your return path (envelope sender): delivery status notifications, bounces written
for people by some hundred programs of thirty years, delay warnings, success reports, automatic replies.

    >>> report = parse(b'''\
    ... Return-Path: <>
    ... From: MAILER-DAEMON@mx.example.net
    ... To: news@sender.example
    ... Subject: failure notice
    ...
    ... Hi. This is the qmail-send program at mx.example.net.
    ... I'm afraid I wasn't able to deliver your message to the following addresses.
    ...
    ... <ada@example.net>:
    ... Sorry, no mailbox here by that name. (#5.1.1)
    ...
    ... --- Below this line is a copy of the message.
    ...
    ... Message-ID: <42.7@sender.example>
    ... To: ada@example.net
    ... ''')
    >>> report.kind, report.form, report.dialect, report.original_message_id
    ('bounce', 'text', 'qmail', '42.7@sender.example')
    >>> one, = report.recipients
    >>> one.recipient, one.action, str(one.status), str(one.reason), str(one.permanence), str(one.fault)
    ('ada@example.net', 'failed', '5.1.1', 'mailbox_not_found', 'permanent', 'address')
    >>> event, = events(report)
    >>> str(event.kind), event.recipient, event.source, event.matched
    ('bounced', 'ada@example.net', 'bounce', None)

What goes in. `parse` takes raw bytes (any line ends, at most 25 MiB) or a `Mail`. Of a notification 256 KiB are looked
at, of a status part 20,000 groups with fields of 64 KiB each; a returned message is never decoded, only its header is
read. `BounceSettings` holds the rest: what proves that a message was yours, your own rows, the returned fields to keep.

What comes out. A `BounceReport`; None for every other mail; ParseError for a message beyond the limits of `Mail`.
`kind` is `bounce` for every report about delivery, delays and successes too (`action` and `permanence` tell), or
`autoreply`. `form` is `dsn` when a machine-readable part was read. Facts stand as they were written (`action`,
`status`, `diagnostic_code`, both recipient fields, all fields in `fields`); conclusions stand beside them (`recipient`,
`reason`, `permanence`, `smtp_code`, `enhanced_status`), and `inferred` names what is not literally in the mail. No code
is ever invented. `evidence` names the row that decided and the line it read.

Which address. `recipient` is Original-Recipient when that is an address, else Final-Recipient, else the one that the
words name, else the one that the returned message went to; it can be a bare name, or None, when the report has nothing
better. When it is not the address that was written to (an alias, a list, a forward), `mailed_recipient` is, and
`never_mailed` is True. `other_address`, `never_mailed`, `about_other_mail` and the reason `challenge` mean that nobody
must be suppressed for it; `events` sees to that.

Your own rows. A file for `read_rules` (or `mailgate bounce --rules FILE`) holds rows for reasons and for dialects:
programs whose notices are not read as you want. They are tried before ours.

SECURITY. Anybody can send a bounce about anybody. `report.matched` names the proof that the message was yours
(`settings.match`: a signed return path or reference, a known Message-ID, VERP); the policy does not suppress at once on
a free-form report without one. Every limit is stated, time is linear, and any bytes give a report, None or ParseError.
Addresses and texts in a report are hostile text: `mailgate bounce` escapes them for terminals.

BUGS. What is known to be misread:

- A person who forwards a bounce with its fields in the text is read as the bounce.
- When no words name a recipient and the notice is surely one of failure, the single address of the returned message's
  envelope or To is taken (`recipient_from_returned_message` in `defects`); after a redirection that is not who failed.
- nullmailer and a few gateways report everybody for the refusal of one; who else is named is kept, and `other_address`
  marks those whose reply is about another one of the same domain.
- An alias with several failed members: the alias is the recipient of each, the members stand in `final_recipient`
  where the report names them (Postfix, Sendmail and Exim do).
- A local part alone gets the domain of the reporting host when nothing else completes it.
- Display names without any address (Exchange) are read from the returned message, when that went to one recipient.
- Sendmail's copies for the postmaster are read, with `about_other_mail`; Postfix's copies are not, and give None.
- A bounce in a language whose words are not known is read only when a line holds the address alone or behind a label.
- Words of delay beside words of failure count as failure.
- A notice in prose from somebody with a name and a return path of his own, who does not say that he is a program, is
  None: people and shops write such sentences too.
- Of success reports in words alone most are None.
- Of a file with two mails only the first is read.

    RFC 3464 2          per-message and per-recipient fields       parse
    RFC 6522 3          the parts of a report                       parse
    RFC 6533 3          reports about internationalized addresses   parse
    RFC 3461 4          xtext in Original-Recipient                 parse
    RFC 3463 2          enhanced status codes                       RecipientStatus.status, enhanced_status
    RFC 3834 5          Auto-Submitted                              parse (kind `autoreply`)
    RFC 5321 4.2        the reply that decided                      RecipientStatus.smtp_code

DECISIONS
  One engine, many rows. Peers have a module per program; here a family is a row of anchors and shapes, because a family
  that nobody has described must be readable too: the last rows alone read nearly all the known families.
  The returned message is never searched. Only its header is read, for Message-ID and for who was written to: examples
  and addresses in prose become recipients otherwise.
  Facts are never overwritten. OpenSMTPD calls its last notice "delayed": `action` says so too, and `permanence` says
  that it was given up.
  Nothing is invented. A report without a code has None; peers make 5.0.9nn of the reason.
  A reply that names another address suppresses nobody. One refusal for many is common, and wrong for all but one.
"""

from mailgate.bounce._autoreply import AutoReply
from mailgate.bounce._dialect import Dialect
from mailgate.bounce._events import events
from mailgate.bounce._match import MatchSettings, Proof, unwrap, verp_decode, verp_encode
from mailgate.bounce._names import KUMOMTA_CLASSES, SISIMAI_NAMES, reason_of_sisimai, sisimai_name, status_of
from mailgate.bounce._notice import Likeness
from mailgate.bounce._parse import parse
from mailgate.bounce._report import BounceReport, RecipientStatus
from mailgate.bounce._rules_file import Rules, read_rules
from mailgate.bounce._settings import BounceSettings

__all__ = [
    "KUMOMTA_CLASSES",
    "SISIMAI_NAMES",
    "AutoReply",
    "BounceReport",
    "BounceSettings",
    "Dialect",
    "Likeness",
    "MatchSettings",
    "Proof",
    "RecipientStatus",
    "Rules",
    "events",
    "parse",
    "read_rules",
    "reason_of_sisimai",
    "sisimai_name",
    "status_of",
    "unwrap",
    "verp_decode",
    "verp_encode",
]
