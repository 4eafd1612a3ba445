"""The lists of other services as rows of data: which columns show a format, and which column means what.

One engine reads them all: `recognise` chooses the row by the names of the columns (case, spaces, `_` and `-` do not
count), `Layout` turns a record of that format into a `Statement`. A file whose columns fit several lists of a service
is not guessed at; the caller names the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mailgate.suppression._records import EVERY, SuppressionReason

R = SuppressionReason

# The words of all services for why, without spaces, `_` and `-`, in lower case. They do not contradict each other.
REASON_WORDS: Mapping[str, SuppressionReason] = {
    **{str(reason).replace("_", ""): reason for reason in SuppressionReason},
    "bounce": R.HARD_BOUNCE,
    "bounced": R.HARD_BOUNCE,
    "hard": R.HARD_BOUNCE,
    "hardbounced": R.HARD_BOUNCE,
    "permanent": R.HARD_BOUNCE,
    "permanentbounce": R.HARD_BOUNCE,
    "bouncerule": R.HARD_BOUNCE,
    "complaint": R.COMPLAINT,
    "complained": R.COMPLAINT,
    "spam": R.COMPLAINT,
    "spamcomplaint": R.COMPLAINT,
    "spamreport": R.COMPLAINT,
    "spamreported": R.COMPLAINT,
    "abuse": R.COMPLAINT,
    "unsub": R.UNSUBSCRIBE,
    "unsubscribed": R.UNSUBSCRIBE,
    "optout": R.UNSUBSCRIBE,
    "listunsubscribe": R.UNSUBSCRIBE,
    "unsubscribelink": R.UNSUBSCRIBE,
    "groupunsubscribe": R.UNSUBSCRIBE,
    "softbounced": R.SOFT_BOUNCE,
    "soft": R.SOFT_BOUNCE,
    "transient": R.SOFT_BOUNCE,
    "block": R.SOFT_BOUNCE,
    "blocked": R.SOFT_BOUNCE,
    "custom": R.MANUAL,
    "rule": R.MANUAL,
    "manualsuppression": R.MANUAL,
    "manuallyadded": R.MANUAL,
    "manualblock": R.MANUAL,
    "blocklist": R.MANUAL,
    "compliance": R.LEGAL,
    "invalidemail": R.INVALID,
    "invalidsender": R.MANUAL,
}

ADDRESS_NAMES = ("email", "emailaddress", "address", "recipient", "mail", "emailid", "subscriberemail", "contactemail")


_NEW = tuple.__new__  # `Statement(...)` without the call in between; made once per record


class Statement(NamedTuple):
    """What one record says. reason: None: as the import says. streams: () means: as the import says.
    created, expires: as they were written; None when they were not."""

    address: str
    reason: SuppressionReason | None = None
    streams: tuple[str, ...] = ()
    created: Any = None
    expires: Any = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One list of one service.

    needs: column names that must be there; one of `ADDRESS_NAMES` is written `@`. lacks: names that must not.
    fixed: the reason of every record; word: the column with the word for it; ask: the reason cannot be told.
    detail: the columns with the evidence; created, expires: the columns with instants.
    """

    name: str
    list_name: str = ""
    needs: frozenset[str]
    lacks: frozenset[str] = frozenset()
    fixed: SuppressionReason | None = None
    word: str | None = None
    ask: bool = False
    created: tuple[str, ...] = ("createdat", "created", "date", "timestamp", "suppressedat")
    expires: tuple[str, ...] = ("expiresat", "expires")
    detail: tuple[str, ...] = ()
    special: str = ""


def _format(name: str, needs: str, **options: Any) -> Format:
    lacks = options.pop("lacks", "")
    return Format(name=name, needs=frozenset(needs.split()), lacks=frozenset(lacks.split()), **options)


# The order decides: a row with more columns stands before one with fewer.
FORMATS: tuple[Format, ...] = (
    # Amazon SES, ListSuppressedDestinations and import jobs.
    _format("ses", "emailaddress reason", lacks="suppressionreason detail createdat created status",
            word="reason", created=("lastupdatetime",)),
    # Postmark, suppressions of one message stream.
    _format("postmark", "emailaddress suppressionreason", word="suppressionreason", special="postmark"),
    # Mailgun.
    _format("mailgun", "address code", list_name="bounces", special="mailgun_code", detail=("code", "error")),
    _format("mailgun", "address tags", list_name="unsubscribes", fixed=R.UNSUBSCRIBE, special="tags"),
    _format("mailgun", "address tag", list_name="unsubscribes", fixed=R.UNSUBSCRIBE, special="tags"),
    _format("mailgun", "address createdat", list_name="complaints", lacks="reason type", fixed=R.COMPLAINT),
    # SparkPost: one row per kind of mail that the recipient does not want.
    _format("sparkpost", "@ type source", word="source", special="sparkpost", detail=("description",),
            created=("created", "createdat", "updated")),
    _format("sparkpost", "@ type description", special="sparkpost", detail=("description",),
            created=("created", "createdat", "updated")),
    _format("sparkpost", "@ transactional nontransactional", word="source", special="sparkpost",
            detail=("description",)),
    # Mandrill, exports/rejects and rejects/list.
    _format("mandrill", "@ reason lasteventat", word="reason", detail=("detail",)),
    _format("mandrill", "@ reason detail", word="reason", detail=("detail",)),
    # SendGrid: one file per list, and bounces and blocks have the same columns.
    _format("sendgrid", "email status reason created", list_name="bounces or blocks", ask=True,
            detail=("status", "reason")),
    _format("sendgrid", "email groupname", list_name="group unsubscribes", fixed=R.UNSUBSCRIBE, special="group"),
    _format("sendgrid", "email created ip", list_name="spam reports", fixed=R.COMPLAINT),
    _format("sendgrid", "email created reason", list_name="invalid emails", fixed=R.INVALID, detail=("reason",)),
    _format("sendgrid", "email created", list_name="unsubscribes or a group", ask=True),
)  # fmt: skip

# Any CSV or JSON with a column for the address; columns of our own names for reason, stream and times are read too.
GENERIC = _format("csv", "@", word="reason", detail=("detail", "description", "note"), special="stream")
PLAIN = "plain"
NAMES = ("mailgate", *dict.fromkeys(row.name for row in FORMATS), "csv", PLAIN)


def column_name(text: str) -> str:
    """A column's name without what services write differently.

    >>> column_name("Email Address"), column_name("created_at")
    ('emailaddress', 'createdat')
    """
    return re.sub(r"[^a-z0-9]", "", text.lower())


def recognise(columns: Iterable[str], wanted: str | None = None) -> Format | None:
    """The format whose columns these are, None when there is none. wanted: only formats of this name."""
    names = {column_name(column) for column in columns}
    named = names | ({"@"} if names & set(ADDRESS_NAMES) else set())
    for row in (*FORMATS, GENERIC):
        if wanted in (None, row.name) and row.needs <= named and not row.lacks & names:
            return row
    return None


class Layout:
    """How records of one format with certain columns are read; made once per file (or per shape of JSON object)."""

    def __init__(self, format_: Format, columns: Sequence[str]) -> None:
        self.format = format_
        self._index: dict[str, int] = {}
        for position, column in enumerate(columns):
            self._index.setdefault(column_name(column), position)  # QUIRK: Mandrill writes expires_at twice
        address = next(name for name in ADDRESS_NAMES if name in self._index)
        self.address = self._index[address]
        self._word = self._index.get(format_.word or "")
        self._created = self._first(format_.created)
        self._expires = self._first(format_.expires)
        self._detail = [self._index[name] for name in format_.detail if name in self._index]
        self._width = len(columns)
        self._reasons: dict[str, tuple[SuppressionReason | None, str | None]] = {}
        special = "" if format_.special == "stream" and "stream" not in self._index else format_.special
        self._special: Callable[[Statement, Sequence[Any]], Statement] | None = {
            "postmark": self._postmark,
            "mailgun_code": self._mailgun_code,
            "tags": self._tags,
            "group": self._group,
            "sparkpost": self._sparkpost,
            "stream": self._stream,
        }.get(special)

    def statement(self, cells: Sequence[Any]) -> Statement:
        """What a record says. A reason that we do not know blocks all the same: `manual`, with the word as evidence."""
        if len(cells) < self._width:
            cells = [*cells, *[""] * (self._width - len(cells))]
        address = cells[self.address]
        reason, detail = self.format.fixed, None
        if reason is None and self._word is not None:
            word = cells[self._word]
            known = self._reasons.get(word) if isinstance(word, str) else None
            reason, detail = self._learned(word) if known is None else known
        if self._detail:
            detail = " ".join(part for part in (detail, *(_text(cells[at]) for at in self._detail)) if part) or None
        made = _NEW(
            Statement,
            (
                address if isinstance(address, str) else str(address or ""),
                reason,
                (),
                None if self._created is None else cells[self._created],
                None if self._expires is None else cells[self._expires],
                detail,
            ),
        )
        return made if self._special is None else self._special(made, cells)

    def _learned(self, word: Any) -> tuple[SuppressionReason | None, str | None]:
        found = _reason(word)
        if isinstance(word, str) and len(word) < 40 and len(self._reasons) < 1_000:
            self._reasons[word] = found
        return found

    def _first(self, names: Iterable[str]) -> int | None:
        return next((self._index[name] for name in names if name in self._index), None)

    def _named(self, cells: Sequence[Any], name: str) -> str:
        at = self._index.get(name)
        return "" if at is None else _text(cells[at])

    def _postmark(self, made: Statement, cells: Sequence[Any]) -> Statement:
        origin = self._named(cells, "origin")
        # Postmark calls it manual when a recipient uses the unsubscribe link.
        left = made.reason is R.MANUAL and origin.lower() == "recipient"
        return made._replace(
            reason=R.UNSUBSCRIBE if left else made.reason, detail=f"origin: {origin}" if origin else None
        )

    def _mailgun_code(self, made: Statement, cells: Sequence[Any]) -> Statement:
        code = self._named(cells, "code")
        return made._replace(reason=R.SOFT_BOUNCE if code.startswith("4") else R.HARD_BOUNCE)

    def _tags(self, made: Statement, cells: Sequence[Any]) -> Statement:
        at = self._index.get("tags", self._index.get("tag"))
        return made._replace(streams=_tags(cells[at or 0]))

    def _group(self, made: Statement, cells: Sequence[Any]) -> Statement:
        return made._replace(streams=(self._named(cells, "groupname") or EVERY,))

    def _stream(self, made: Statement, cells: Sequence[Any]) -> Statement:
        stream = self._named(cells, "stream")
        return made._replace(streams=(stream,)) if stream else made

    def _sparkpost(self, made: Statement, cells: Sequence[Any]) -> Statement:
        kind = column_name(self._named(cells, "type"))
        if not kind:
            flag = self._named(cells, "nontransactional").lower()
            kind = "nontransactional" if flag in ("true", "1", "t", "yes") else "transactional"
        # "Everything but transactional" has no name here: an unsubscribe from every stream is just that.
        return made._replace(
            reason=made.reason or R.UNSUBSCRIBE, streams=("transactional",) if kind == "transactional" else (EVERY,)
        )


def _reason(word: Any) -> tuple[SuppressionReason | None, str | None]:
    """The reason for a word, None for no word; for a word that we do not know `manual` and the word."""
    text = _text(word)
    if not text:
        return None, None
    found = REASON_WORDS.get(text) or REASON_WORDS.get(column_name(text))
    return (SuppressionReason.MANUAL, text) if found is None else (found, None)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _tags(value: Any) -> tuple[str, ...]:
    """Mailgun's tags: `*`, `a, b`, `["a"]` or a list; no tag is every stream."""
    if isinstance(value, str):
        text = value.strip()
        value = re.split(r"[,;]", text.strip("[]")) if text else []
    names = [str(tag).strip().strip("\"'") for tag in value] if isinstance(value, (list, tuple)) else []
    return tuple(dict.fromkeys(name for name in names if name)) or (EVERY,)
