"""The records of the list: entries, answers, results of changes, lines of the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

EVERY = "*"  # every tenant, or every stream
MAX_NAME_CHARACTERS = 200  # a tenant, a stream, an actor
MAX_TEXT_CHARACTERS = 1_000  # a detail, a note, a source


class SuppressionReason(StrEnum):
    """Why nobody may mail it. One address can have several; each goes for itself.

    `ALLOW` is the opposite: it lets an address or domain through a block of its domain.
    """

    HARD_BOUNCE = "hard_bounce"
    UNSUBSCRIBE = "unsubscribe"
    COMPLAINT = "complaint"
    SOFT_BOUNCE = "soft_bounce"
    INVALID = "invalid"
    UPSTREAM = "upstream"
    MANUAL = "manual"
    LEGAL = "legal"
    ROLE = "role"
    LIST_CLEAN = "list_clean"
    ALLOW = "allow"


class EntryKind(StrEnum):
    """What an entry names: one address, a domain, everything below a domain, or the keyed hash of an address."""

    ADDRESS = "address"
    DOMAIN = "domain"
    SUBDOMAINS = "subdomains"
    HASH = "hash"


# Stored as numbers; the numbers are a promise of the schema and never change their meaning.
# 0 and 1 take no room in an SQLite row, so the two most frequent reasons have them.
REASON_CODES: Mapping[SuppressionReason, int] = {
    SuppressionReason.UNSUBSCRIBE: 0,
    SuppressionReason.HARD_BOUNCE: 1,
    SuppressionReason.COMPLAINT: 2,
    SuppressionReason.SOFT_BOUNCE: 3,
    SuppressionReason.INVALID: 4,
    SuppressionReason.UPSTREAM: 5,
    SuppressionReason.MANUAL: 6,
    SuppressionReason.LEGAL: 7,
    SuppressionReason.ROLE: 8,
    SuppressionReason.LIST_CLEAN: 9,
    SuppressionReason.ALLOW: 10,
}
REASONS_BY_CODE: Mapping[int, SuppressionReason] = {code: reason for reason, code in REASON_CODES.items()}


def kind_of(key: str) -> EntryKind:
    """What a key names; a key says it by its own shape (`a@b`, `@b`, `@.b`, `#hash`)."""
    at = key.rfind("@")
    if at > 0:
        return EntryKind.ADDRESS
    if at < 0:
        return EntryKind.HASH
    return EntryKind.SUBDOMAINS if key.startswith("@.") else EntryKind.DOMAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One entry: one row per (key, tenant, stream, reason).

    key: the compared form (`mailgate.records.address_key`), `@domain`, `@.domain` for everything below it, `#...` for
    a keyed hash. tenant: `""` where there is only one; `*`: every tenant. stream: `*`: every stream.
    created: since when; refreshed: when it was last confirmed, None when never since; expires: None when never.
    count: how many events made it. source: where it comes from (`dsn:<event id>`, `import:<number>`, `manual`).
    detail: the evidence. display: the address as it was written, None when that is the key.
    folded_by: the folding rules that led a look-up to this entry; `()` when it is the very address asked for.
    """

    key: str
    reason: SuppressionReason
    tenant: str = ""
    stream: str = EVERY
    created: datetime
    refreshed: datetime | None = None
    expires: datetime | None = None
    count: int = 1
    source: str = ""
    detail: str | None = None
    display: str | None = None
    folded_by: tuple[str, ...] = ()

    @property
    def kind(self) -> EntryKind:
        """What the key names."""
        return kind_of(self.key)

    @property
    def last(self) -> datetime:
        """When it was last confirmed."""
        return self.refreshed or self.created

    @property
    def pattern(self) -> str:
        """The entry as a person would write it: an address, `example.com`, `*.example.com`, `#hash`."""
        if self.kind is EntryKind.SUBDOMAINS:
            return f"*{self.key[1:]}"
        return self.display or self.key.removeprefix("@")

    def is_expired(self, at: datetime) -> bool:
        """True from the instant of expiry on."""
        return self.expires is not None and self.expires <= at

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values; instants are ISO 8601 in UTC."""
        return {
            "address": self.pattern,
            "key": self.key,
            "kind": str(self.kind),
            "reason": str(self.reason),
            "tenant": self.tenant,
            "stream": self.stream,
            "created": self.created.isoformat(),
            "refreshed": None if self.refreshed is None else self.refreshed.isoformat(),
            "expires": None if self.expires is None else self.expires.isoformat(),
            "count": self.count,
            "source": self.source,
            "detail": self.detail,
            "display": self.display,
            "folded_by": list(self.folded_by),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Suppression:
        """Read what `to_dict` wrote."""
        refreshed, expires = data.get("refreshed"), data.get("expires")
        return cls(
            key=data["key"],
            reason=SuppressionReason(data["reason"]),
            tenant=data.get("tenant", ""),
            stream=data.get("stream", EVERY),
            created=datetime.fromisoformat(data["created"]),
            refreshed=None if refreshed is None else datetime.fromisoformat(refreshed),
            expires=None if expires is None else datetime.fromisoformat(expires),
            count=data.get("count", 1),
            source=data.get("source", ""),
            detail=data.get("detail"),
            display=data.get("display"),
            folded_by=tuple(data.get("folded_by", ())),
        )


class Verdict(NamedTuple):
    """The answer to "may I mail this address?". A tuple, because it is made millions of times.

    blocked: True: do not mail it. entries: why, all of them; empty when not blocked, and when the address could not be
    read. key: the form that was compared; None when the address cannot be read (then `blocked` is True).
    """

    blocked: bool
    entries: tuple[Suppression, ...]
    key: str | None

    @property
    def reasons(self) -> tuple[str, ...]:
        """The words for people and for a column: reasons without repetition, or `unreadable`."""
        if self.key is None:
            return ("unreadable",)
        return tuple(dict.fromkeys(str(entry.reason) for entry in self.entries))

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {"blocked": self.blocked, "key": self.key, "entries": [entry.to_dict() for entry in self.entries]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        """Read what `to_dict` wrote."""
        return cls(data["blocked"], tuple(map(Suppression.from_dict, data["entries"])), data["key"])


class Outcome(StrEnum):
    """What `add` did."""

    ADDED = "added"
    REFRESHED = "refreshed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What `add` did, and the entry as it is now."""

    outcome: Outcome
    entry: Suppression

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {"outcome": str(self.outcome), "entry": self.entry.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Added:
        """Read what `to_dict` wrote."""
        return cls(outcome=Outcome(data["outcome"]), entry=Suppression.from_dict(data["entry"]))


class Effect(StrEnum):
    """What an event did to the list.

    `SUPPRESSED`: an entry is there now that was not. `REFRESHED`: the entry was there. `COUNTED`: one more failure, not
    enough yet. `LIFTED`: a delivery ended a counted entry. `NONE`: nothing follows from it. `REPEATED`: the store has
    seen this very event before.
    """

    SUPPRESSED = "suppressed"
    REFRESHED = "refreshed"
    COUNTED = "counted"
    LIFTED = "lifted"
    NONE = "none"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What one event did, to which entry, and why."""

    effect: Effect
    why: str
    event_id: str
    entry: Suppression | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "effect": str(self.effect),
            "why": self.why,
            "event_id": self.event_id,
            "entry": None if self.entry is None else self.entry.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Applied:
        """Read what `to_dict` wrote."""
        entry = data["entry"]
        return cls(
            effect=Effect(data["effect"]),
            why=data["why"],
            event_id=data["event_id"],
            entry=None if entry is None else Suppression.from_dict(entry),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the append-only log.

    op: add, refresh, count, lift, remove, expire, erase, import. before, after: the entry around the change.
    number: grows with every change; None for a line that `history` reads from the entry itself (bulk imports).
    """

    number: int | None
    at: datetime
    op: str
    key: str
    tenant: str
    stream: str
    reason: SuppressionReason | None
    actor: str
    source: str
    note: str
    before: Suppression | None = None
    after: Suppression | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "op": self.op,
            "key": self.key,
            "tenant": self.tenant,
            "stream": self.stream,
            "reason": None if self.reason is None else str(self.reason),
            "actor": self.actor,
            "source": self.source,
            "note": self.note,
            "before": None if self.before is None else self.before.to_dict(),
            "after": None if self.after is None else self.after.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LogLine:
        """Read what `to_dict` wrote."""
        before, after, reason = data["before"], data["after"], data["reason"]
        return cls(
            number=data["number"],
            at=datetime.fromisoformat(data["at"]),
            op=data["op"],
            key=data["key"],
            tenant=data["tenant"],
            stream=data["stream"],
            reason=None if reason is None else SuppressionReason(reason),
            actor=data["actor"],
            source=data["source"],
            note=data["note"],
            before=None if before is None else Suppression.from_dict(before),
            after=None if after is None else Suppression.from_dict(after),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeStats:
    """How many entries one tenant, stream and reason have; expired: of them, those that no longer block."""

    tenant: str
    stream: str
    reason: SuppressionReason
    entries: int
    expired: int

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "tenant": self.tenant,
            "stream": self.stream,
            "reason": str(self.reason),
            "entries": self.entries,
            "expired": self.expired,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ScopeStats:
        """Read what `to_dict` wrote."""
        return cls(**{**data, "reason": SuppressionReason(data["reason"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The list in numbers. scopes: sorted; domains: entries of domains; failing: addresses with counted failures;
    events: remembered event ids; unfinished_imports: killed and not run again yet."""

    scopes: tuple[ScopeStats, ...]
    domains: int
    failing: int
    events: int
    log_lines: int
    unfinished_imports: int

    @property
    def entries(self) -> int:
        """All entries, expired ones included."""
        return sum(scope.entries for scope in self.scopes)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "entries": self.entries,
            "scopes": [scope.to_dict() for scope in self.scopes],
            "domains": self.domains,
            "failing": self.failing,
            "events": self.events,
            "log_lines": self.log_lines,
            "unfinished_imports": self.unfinished_imports,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Stats:
        """Read what `to_dict` wrote."""
        values = {name: value for name, value in data.items() if name != "entries"}
        return cls(**{**values, "scopes": tuple(map(ScopeStats.from_dict, data["scopes"]))})


def utc_now() -> datetime:
    """The default clock."""
    return datetime.now(UTC)


def whole_second(at: datetime) -> datetime:
    """`at` in UTC without the fraction: the store keeps seconds. ValueError without a time zone."""
    if at.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {at!r}")
    return at.astimezone(UTC).replace(microsecond=0)


def days(count: int | None) -> timedelta | None:
    """A number of days as a span; None stays None."""
    return None if count is None else timedelta(days=count)
