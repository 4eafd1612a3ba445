r"""The list of addresses not to mail, and the policy that fills it.

Use it between whatever tells you about recipients (bounces, complaints, unsubscribes, other services' lists) and
whatever sends: apply events to it, and ask it before every send.

    >>> from datetime import UTC, datetime
    >>> from mailgate.records import Event, EventKind, Permanence, Reason
    >>> store = SuppressionStore.open(":memory:")
    >>> dead = Event(kind=EventKind.BOUNCED, recipient="Gone@example.com", source="dsn", event_id="report-17",
    ...              at=datetime(2026, 1, 1, tzinfo=UTC), permanence=Permanence.PERMANENT,
    ...              reason=Reason.MAILBOX_NOT_FOUND, detail="550 5.1.1 no such user")
    >>> store.apply(dead).effect, store.apply(dead).effect
    (<Effect.SUPPRESSED: 'suppressed'>, <Effect.REPEATED: 'repeated'>)
    >>> left = Event(kind=EventKind.UNSUBSCRIBED, recipient="ann@example.com", source="unsubscribe", event_id="click-3",
    ...              stream="news")
    >>> store.apply(left).entry.stream
    'news'
    >>> store.check("gone@EXAMPLE.com").reasons
    ('hard_bounce',)
    >>> [store.check("ann@example.com", stream=stream).blocked for stream in ("news", "receipts", None)]
    [True, False, True]
    >>> allowed, blocked = store.partition(["bob@example.com", "gone@example.com", "not an address"])
    >>> allowed, [(address, verdict.reasons) for address, verdict in blocked]
    (['bob@example.com'], [('gone@example.com', ('hard_bounce',)), ('not an address', ('unreadable',))])
    >>> store.close()

What goes in. `SuppressionStore.open(where)`: the path of an SQLite file, a PostgreSQL URL, or a callable that gives a
DB-API connection with `autocommit` (psycopg, psycopg2, pg8000). Look-ups open it with `create=False`, so that a wrong
path is an error and not an empty list. Addresses are compared in the form of `mailgate.records.address_key`; text that
holds two, or more than an address (`mailto:a@b.test`), cannot be added and is never let through. Names of tenants and
streams are compared as they are written. A tenant, stream or actor has at most 200 characters, a source, detail or
note 2,000; text that no database stores (NUL, lone surrogates) is a ValueError in calls and replaced in events.
Instants are kept in whole seconds, UTC.

One entry is one (key, tenant, stream, reason). A key is an address, a domain, everything below a domain (`*.x.test`),
or a keyed hash. Stream `*` is every stream, tenant `*` every tenant. Reasons stand for themselves: taking a bounce off
leaves a complaint. An allowance (`SuppressionReason.ALLOW`) lifts blocks of a domain and never one of the address. An
unsubscribe from every stream does not stop `PolicySettings.transactional_streams`.

    reason        stream       expires           comes off
    complaint     *            never             with actor and note
    unsubscribe   its own      never             with actor, note and evidence of a new consent
    hard_bounce   *            never or 90 days  with actor and note
    soft_bounce   *            30 days           by a delivery, or with actor and note
    upstream      *            30 days           with actor and note
    invalid       as given     30 days           with actor and note
    legal         as given     as given          only by its expiry or an erasure
    manual, role, list_clean   as given          with actor and note

Events. `suppress_for(event, settings)` is the whole policy, pure: suppress now, count, mirror, lift or nothing, and
why. `apply` and `apply_many` carry it out, a batch in one transaction, each event once by its `event_id` (remembered
for 400 days). Counted failures suppress after three different days within thirty with no delivery between. A free-form
bounce without proof that the message was ours counts and never suppresses at once.

What comes out. `check` and `check_many` give a `Verdict`: `blocked`, `entries` (why: all of them), `key` (None: cannot
be read, and then it is blocked). `partition`, and `filter_list` for files. `preload` gives a `Front` that answers from
memory and still never other than the store. `list`, `history`, `stats` show what is there and how it came; `export`
and `import_` move it, losslessly in our own formats; `erase` forgets a person and keeps the block. `PolicyService`
with `serve_stream` or `policy_server` answers Postfix (SMTPD access policy delegation).

Errors. StoreUnavailable: the list cannot be read or written now; no call ever answers "not blocked" instead.
StoreMismatch: it was made with another key, folding or a newer schema. BadAddress, RemovalRefused (both ValueErrors),
ImportRefused: the input is at fault.

SECURITY. Whoever can write events can suppress: give `apply` events whose `matched` you trust, or set `require_match`.
The list itself is personal data. A hashed list (`hashed=True`) keeps HMAC-SHA256 of addresses under your key and no
address, evidence or spelling; plain hashes could be reversed with a dictionary and are only written by
`export(format="sha256")`. Erased people are kept as such hashes too; without `hash_keys` the list makes its own key
and keeps it inside, which protects a leaked address column and not a leaked file. Domains stay in clear text. Nothing
from outside is ever part of an SQL statement; CSV exports are guarded against formulas; policy answers are one line of
printable ASCII. A file that is moved away is noticed within 0.2 s (the policy service: at once); one that is replaced
under a running program is refused until the program starts again. IP addresses never enter the list.

BUGS. Two full exports of one list, taken at different times and imported into one other, tell the same log twice. A
delivery told before the first failure of an address leaves no trace, so an older failure that is told after it
still counts. Two entries of one second tie: the first one's evidence stays. A list in memory (`:memory:`) belongs to
one process. Network file systems break SQLite's locking: use PostgreSQL there. Of a list in JSON that is damaged
nothing is imported, of a damaged CSV or JSON Lines everything that can be read. SendGrid's bounces and blocks, and its
global unsubscribes and single groups, have the same columns: name the reason. A CSV of exactly `address, created_at`
is taken for Mailgun's complaints. `erase` on PostgreSQL runs VACUUM, which frees rows and does not wipe disk blocks,
write-ahead logs or backups. With one writer at a time, a bulk import makes other writers wait up to a second. More than
20,000 domain entries are searched in the table instead of in memory, which makes look-ups about a third slower.

    RFC 5965 7.3    which feedback types are complaints         PolicySettings.complaint_types
    RFC 6430        not-spam is none                            suppress_for
    RFC 6591        auth-failure is none                        suppress_for
    RFC 5322 3.3    dates in other services' lists              SuppressionStore.import_

DECISIONS.
No stream given means: an entry of any stream blocks. Who does not say what kind of mail it is must not mail somebody
who left one of them; who resets passwords says so. No tenant given means the tenant without a name, and none of others.
One row per reason instead of one per address: every peer that overwrites the reason lifts a complaint with a bounce.
An import writes one line of the log, not one for each row; `history` reads the rest from the entries. Ten million lines
would double the file and tell nothing new.
Keys tell their kind by their shape (`a@b`, `@b`, `@.b`, `#hash`), which saves a column and lets one range scan read all
domain entries; these are kept in memory under a version that every look-up reads with its rows.
Folding is a table beside the entries, not another key: it can be switched off, and an entry is always the very address.
Seconds, not microseconds: reports do not know better, and a row stays under 60 bytes.
A commit waits for the disk (`durable=True`): a bounce that left the mailbox must not be lost in a power cut.
One writer at a time on PostgreSQL too: a change of a list is rare beside its look-ups, and the log is in order.
An unknown reason word in a list blocks, as `manual` with the word as evidence; an unreadable address is rejected aloud.
A removal of a soft bounce ends its count too: whoever says that the mailbox works again means from now on.
A bare domain in a foreign list is rejected: it is a damaged address more often than the wish to block a provider.
"""

from mailgate.suppression._delegation import (
    PolicyOptions,
    PolicyService,
    RequestReader,
    StreamRule,
    WhenUnavailable,
)
from mailgate.suppression._erase import Erased
from mailgate.suppression._errors import (
    BadAddress,
    ImportRefused,
    RemovalRefused,
    StoreMismatch,
    StoreUnavailable,
)
from mailgate.suppression._export import FORMATS as EXPORT_FORMATS
from mailgate.suppression._filter import Checker, FilterReport, filter_list
from mailgate.suppression._formats import NAMES as IMPORT_FORMATS
from mailgate.suppression._front import Front
from mailgate.suppression._import import ImportReport, RejectedRecord
from mailgate.suppression._keys import FOLDING_DOMAINS, FOLDING_RULES, Folding
from mailgate.suppression._policy import Action, Decision, suppress_for
from mailgate.suppression._records import (
    EVERY,
    Added,
    Applied,
    Effect,
    EntryKind,
    LogLine,
    Outcome,
    ScopeStats,
    Stats,
    Suppression,
    SuppressionReason,
    Verdict,
)
from mailgate.suppression._service import policy_server, serve_stream
from mailgate.suppression._settings import PolicySettings
from mailgate.suppression._store import SuppressionStore

__all__ = [
    "EVERY",
    "EXPORT_FORMATS",
    "FOLDING_DOMAINS",
    "FOLDING_RULES",
    "IMPORT_FORMATS",
    "Action",
    "Added",
    "Applied",
    "BadAddress",
    "Checker",
    "Decision",
    "Effect",
    "EntryKind",
    "Erased",
    "FilterReport",
    "Folding",
    "Front",
    "ImportRefused",
    "ImportReport",
    "LogLine",
    "Outcome",
    "PolicyOptions",
    "PolicyService",
    "PolicySettings",
    "RejectedRecord",
    "RemovalRefused",
    "RequestReader",
    "ScopeStats",
    "Stats",
    "StoreMismatch",
    "StoreUnavailable",
    "StreamRule",
    "Suppression",
    "SuppressionReason",
    "SuppressionStore",
    "Verdict",
    "WhenUnavailable",
    "filter_list",
    "policy_server",
    "serve_stream",
    "suppress_for",
]
