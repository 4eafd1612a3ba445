r"""The honest address check: form, DNS, and the mail host's own answer, asked politely.

Use it on a list of your own before a send, to drop what a fact says is dead and to learn what is about you and not
about the address. Do not use it on lists that nobody gave you, from the address that sends your mail, or instead of
reading bounces: for people you mail regularly a bounce says more than a probe.

Smallest running example (level `syntax` asks nobody):

>>> settings = Settings(level=Level.SYNTAX)
>>> for result in stream_sync(["Ann@BÜCHER.example", "a..b@example.com"], settings, ordered=True):
...     print(result.explanation)
valid: the form is right; nobody was asked
invalid: two dots in a row (at character 3)

The real thing, for many:

    from mailgate.resolver import CachingResolver, DnsResolver

    settings = Settings(level=Level.SMTP, helo="probe.your-company.net", mail_from="probe@your-company.net")
    async with Validator(settings, resolve=CachingResolver(DnsResolver()), state="run.db") as validator:
        async for result in validator.stream(addresses, total=len(addresses)):
            print(result.input, result.status, result.reason, result.advice)

`Validator.validate` answers for one address, `stream_rows` carries along what an address belongs to; `validate_sync`
and `stream_sync` are the blocking twins. Inside are parts that stand alone, all without I/O: `check_syntax`, `judge`
and `combine` (from replies to a verdict), `SmtpProbe` (a session as a state machine), `group_mx`, `suggest_domain`,
`dedupe_key`; `find_mail_hosts` asks the resolver that it is given.

INPUTS. Addresses as text, taken as they are: nothing is trimmed, no display name is read, no string raises. A list is
any iterable or asynchronous iterable, of any length: at most `Settings.look_ahead` addresses (20,000) are in memory.
Addresses of a domain that are within it share connections, so sort a longer list by domain. DNS is a callable
`await resolve(name, rrtype)`; `connect(address, port)` may bring connections of your own making. All times are seconds.

OUTCOMES. A `Validation` each, duplicates too (asked once): `status` valid, invalid, catch_all or unknown; `reason`,
`layer` (how far the look went that decided), `advice` (send, drop, review, retry, fix_sender), and the evidence: the
reply, its stage, the host that gave it, the row of the table that read it. Only a fact makes an address invalid: its
form, NXDOMAIN, null MX, no host, or a refusal that names the mailbox and would have met anybody. What is about us
(block lists, our name, our sender, rate, TLS), temporary or unclear is `unknown`, with the reason. `catch_all` is True,
False or None; accepted with None is never valid. At the levels `syntax` and `dns` valid means as far as was looked.
Greylisted addresses come back in time; `retry_after` says when asking again makes sense.
Errors: ValueError for settings that cannot work (placeholders for `helo` and `mail_from` among them); StateError for a
state file; SourceAddressError for a `source_ip` that is not here; TypeError for what is no text.

WHAT SMTP CANNOT TELL. An acceptance is not a mailbox: gateways accept and bounce, Yahoo refuses after RCPT, domains
accept all. A refusal is not its absence: the next hour, sender or address may be answered differently. Each result has
its `checked_at`; believe it for 30 days at most. Port 25 is closed on most clouds: when the first ten groups of mail
hosts are all out of reach, everything else is `port25_blocked` without being tried.

MANNERS. 32 connections in all, 3 to a domain, 4 to a group of mail hosts (thousands of domains share Google's), begun a
second apart; 10 recipients a connection, 5 refusals; after 421, a block or a hang-up the group rests 5 minutes, then
10, then is left alone. One random address a domain at most, last, only behind an acceptance without a refusal, once a
day. QUIT always, DATA and VRFY never.

SECURITY. Only strings that passed the grammar reach the wire, so no CR, LF or NUL does. Hosts whose addresses are
private, loopback or link-local are never dialled unless `allow_private` says so, whatever DNS claims; the address that
was checked is the one that is dialled. Replies are data: lines, bytes and time are bounded, answers that were not asked
for end the session, what came in the clear before TLS is thrown away. Certificates are not checked (RFC 7435). A state
file holds hashes of addresses, is readable by its owner only, and addresses are taken out of the replies in it; hashes
of addresses can be guessed, so it is personal data all the same. Nobody but the recipient's own mail host learns of a
probe. Random addresses come from `secrets`.

BUGS. 550, 551 and 553 whose words neither the table knows nor anybody could take for words about the client are
believed to be about the mailbox; `evidence` begins with `code:` then, and `Settings.rules` teaches the table. A
resolver that denies every name is noticed from a hundred domains on, not below. Code points newer than this Python's
Unicode (14 in 3.11) are refused as `idna_unassigned`. MX groups are guessed from names, two labels or three, without a
public suffix list; `group_of` overrides. A blocking iterable stalls every connection: give an asynchronous one. In a
list longer than `look_ahead` and not sorted by domain few addresses share a connection.

RFC sections and who follows them:
    RFC 5321 4.1.2, 4.1.3, 4.5.3.1; RFC 6531 3.3       form and lengths         `check_syntax`
    RFC 5890 2.3; RFC 5891 4.2; RFC 5892; RFC 5893 2    IDNA 2008                `check_syntax`
    RFC 5321 5.1; RFC 7505 3; RFC 6761                  mail hosts               `find_mail_hosts`
    RFC 5321 3, 4.2; RFC 3207 6; RFC 6531 3.4           the session              `SmtpProbe`
    RFC 5321 4.2.3; RFC 3463; RFC 7504 4                replies                  `judge`
    RFC 2142                                            role names               `is_role`

DECISIONS
  The table that reads replies is shared with bounces, in `mailgate.records`; what only a probe knows is in `judge`.
    A refusal before RCPT says nothing about a mailbox; several reasons that are all about us are one word here.
  Targets first, a random address last and only without a refusal.
    A refusal proves more for less: half the recipients, and Outlook.com answers a second one with an error.
  No task waits for an address; connections are handed out by a gate with queues for domains and groups.
    A list sorted by domain is as fast as a shuffled one, and a million addresses fit into a hundred megabytes.
  IDNA 2008 is computed from `unicodedata`.
    The formula of RFC 5892 needs no table; compared with the published ones there is no difference.
  A full mailbox is invalid with advice `review`, and proves nothing about its domain.
    Practice is mixed: it takes no mail today, and somebody owns it.
  Results are stored before they are handed out.
    Whatever a caller has seen survives kill -9, at the price of a quarter of a second.
  No score, no web look-ups, no list of throw-away domains, no proxies.
    The first is false precision, the second tells others about people, the third is yours to choose, the last evades.
"""

from mailgate.validator._dedupe import dedupe_key
from mailgate.validator._driver import Connect, TimeLimits, run_probe
from mailgate.validator._flags import LARGE_PROVIDERS, ROLE_NAMES, is_role, read_domains, suggest_domain
from mailgate.validator._groups import PROVIDERS, Provider, group_mx
from mailgate.validator._hosts import HostRules, MailHosts, find_mail_hosts
from mailgate.validator._judge import Verdict, combine, judge, judge_catch_all, retry_hint
from mailgate.validator._probe import Answer, ProbeSettings, SmtpProbe, Target, Waiting
from mailgate.validator._progress import Progress
from mailgate.validator._settings import Level, Settings, StartTls
from mailgate.validator._state import StateError
from mailgate.validator._syntax import ALL_FORMS, Mailbox, SyntaxFault, SyntaxOptions, check_syntax
from mailgate.validator._syntax_reasons import SyntaxReason
from mailgate.validator._validation import Validation
from mailgate.validator._validator import SourceAddressError, Validator, stream_sync, validate, validate_sync
from mailgate.validator._words import Advice, Finding, Layer, Status

__all__ = [
    "ALL_FORMS",
    "LARGE_PROVIDERS",
    "PROVIDERS",
    "ROLE_NAMES",
    "Advice",
    "Answer",
    "Connect",
    "Finding",
    "HostRules",
    "Layer",
    "Level",
    "MailHosts",
    "Mailbox",
    "ProbeSettings",
    "Progress",
    "Provider",
    "Settings",
    "SmtpProbe",
    "SourceAddressError",
    "StartTls",
    "StateError",
    "Status",
    "SyntaxFault",
    "SyntaxOptions",
    "SyntaxReason",
    "Target",
    "TimeLimits",
    "Validation",
    "Validator",
    "Verdict",
    "Waiting",
    "check_syntax",
    "combine",
    "dedupe_key",
    "find_mail_hosts",
    "group_mx",
    "is_role",
    "judge",
    "judge_catch_all",
    "read_domains",
    "retry_hint",
    "run_probe",
    "stream_sync",
    "suggest_domain",
    "validate",
    "validate_sync",
]
