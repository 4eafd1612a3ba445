"""The state that reports add up in.

A rollup is a map from report identity to contribution. Merging keeps, for each key, the greatest contribution (see
`Contribution.order`) and unites everything else, so it is a join-semilattice: associative, commutative, idempotent,
with the empty rollup as identity. Counts are never added across states; they are added in the view, out of a map in
which each report stands once. That is why nothing can be counted twice, whatever is read again, in any order, by any
number of processes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from mailgate.dmarc._contribution import Contribution, TlsContribution, canonical
from mailgate.dmarc._report import Refusal
from mailgate.dmarc._seal import Seal, SealConflict, make_seal
from mailgate.records import ParseError

SCHEMA = "mailgate.dmarc.rollup/1"

# Of the inputs that brought one report, and of the digests it came with, so many are kept: those that sort first,
# because keeping the smallest k of a union is associative, commutative and idempotent too.
MAX_KEPT = 16

C = TypeVar("C", Contribution, TlsContribution)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A report that was refused: the class, and who sent it when that could be read."""

    error: str
    org: str | None = None
    message: str = ""

    @classmethod
    def of(cls, refusal: Refusal) -> Refused:
        """What is kept of a refusal."""
        return cls(error=refusal.error, org=refusal.org_name, message=str(refusal)[:500])

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {"error": self.error, "org": self.org, "message": self.message}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Refused:
        """Read what `to_dict` wrote."""
        org = data["org"]
        return cls(error=str(data["error"]), org=None if org is None else str(org), message=str(data["message"]))


class Rollup:
    """What is known from all reports read so far; plain data, picklable.

    contributions, tls: by key. conflicts: key to the digests of copies that differ. copies: key to the inputs that
    brought the report (hashes). refused: by input (hash, then number). seals: old contributions as sums.
    """

    __slots__ = ("conflicts", "contributions", "copies", "refused", "seals", "tls")

    def __init__(self) -> None:
        self.contributions: dict[str, Contribution] = {}
        self.tls: dict[str, TlsContribution] = {}
        self.conflicts: dict[str, tuple[str, ...]] = {}
        self.copies: dict[str, tuple[str, ...]] = {}
        self.refused: dict[str, Refused] = {}
        self.seals: dict[str, Seal] = {}

    def add(self, contribution: Contribution | TlsContribution, *, source: str | None = None) -> None:
        """Take one report in, in place. source: a name of the input that brought it, for counting copies."""
        key = contribution.key
        if self._is_sealed(key):
            return
        if isinstance(contribution, Contribution):
            self._keep(self.contributions, key, contribution)
        else:
            self._keep(self.tls, key, contribution)
        if source is not None:
            self.copies[key] = smallest([*self.copies.get(key, ()), source])

    def refuse(self, refusal: Refusal, *, source: str) -> None:
        """Take one refusal in, in place. source: a name of the input and of the place in it."""
        self._keep_refused(source, Refused.of(refusal))

    def merge(self, other: Rollup) -> Rollup:
        """Both as one; neither is changed. Raises SealConflict when both have sealed the same report differently."""
        merged = Rollup()
        merged.update(self)
        merged.update(other)
        return merged

    def update(self, other: Rollup) -> None:
        """`merge` in place. Raises SealConflict before anything is changed."""
        for identity, seal in other.seals.items():
            if identity not in self.seals:
                for mine in self.seals.values():
                    if not mine.keys.isdisjoint(seal.keys):
                        raise SealConflict(len(mine.keys & seal.keys))
        for identity, seal in other.seals.items():
            if identity not in self.seals:
                self.seals[identity] = seal
                self._forget(seal.keys)
        for key, contribution in other.contributions.items():
            if not self._is_sealed(key):
                self._keep(self.contributions, key, contribution)
        for key, report in other.tls.items():
            if not self._is_sealed(key):
                self._keep(self.tls, key, report)
        for mine_of, theirs_of in ((self.conflicts, other.conflicts), (self.copies, other.copies)):
            for key, texts in theirs_of.items():
                if not self._is_sealed(key):
                    mine_of[key] = smallest([*mine_of.get(key, ()), *texts])
        for source, refused in other.refused.items():
            self._keep_refused(source, refused)

    def seal(self, before: int) -> Rollup:
        """A rollup in which all reports that end before `before` (seconds since 1970) are sums and a set of keys.

        What is lost: report ids, which source an organisation saw, and the larger copy of a sealed report that comes
        later. A view over it is otherwise the same.
        """
        sealed = Rollup()
        sealed.update(self)
        old = [c for c in self.contributions.values() if c.end < before]
        old_tls = [c for c in self.tls.values() if c.end < before]
        if not old and not old_tls:
            return sealed
        keys = {c.key for c in old} | {c.key for c in old_tls}
        duplicates = sum(len(self.copies.get(key, ())) - 1 for key in keys if key in self.copies)
        seal = make_seal(old, old_tls, duplicates=duplicates, conflicts=sum(key in self.conflicts for key in keys))
        sealed.seals[seal.identity] = seal
        sealed._forget(seal.keys)
        return sealed

    def to_dict(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {
            "schema": SCHEMA,
            "contributions": {key: item.to_dict() for key, item in sorted(self.contributions.items())},
            "tls": {key: item.to_dict() for key, item in sorted(self.tls.items())},
            "conflicts": {key: list(digests) for key, digests in sorted(self.conflicts.items())},
            "copies": {key: list(sources) for key, sources in sorted(self.copies.items())},
            "refused": {source: item.to_dict() for source, item in sorted(self.refused.items())},
            "seals": {identity: seal.to_dict() for identity, seal in sorted(self.seals.items())},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Rollup:
        """Read what `to_dict` wrote. Raises ParseError (`bad_state`) for anything else."""
        try:
            return cls._from_dict(data)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise ParseError("bad_state", f"not a rollup: {type(error).__name__} {error}"[:300]) from error

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any]) -> Rollup:
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema {data['schema']!r}, not {SCHEMA!r}")
        rollup = cls()
        for identity, seal in data["seals"].items():
            rollup.seals[str(identity)] = Seal.from_dict(seal)
        for item in data["contributions"].values():
            rollup.add(Contribution.from_dict(item))
        for item in data["tls"].values():
            rollup.add(TlsContribution.from_dict(item))
        rollup.conflicts.update({str(key): tuple(map(str, digests)) for key, digests in data["conflicts"].items()})
        rollup.copies.update({str(key): tuple(map(str, sources)) for key, sources in data["copies"].items()})
        rollup.refused.update({str(source): Refused.from_dict(item) for source, item in data["refused"].items()})
        return rollup

    def to_json(self) -> str:
        """The canonical JSON text: equal rollups give equal texts."""
        return canonical(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Rollup:
        """Read what `to_json` wrote. Raises ParseError (`bad_state`) for anything else."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ParseError("bad_state", f"not JSON: {error}"[:300]) from error
        return cls.from_dict(data if isinstance(data, dict) else {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rollup) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        parts = (f"{len(self.contributions)} reports", f"{len(self.tls)} TLS reports", f"{len(self.refused)} refused")
        return f"<Rollup {', '.join(parts)}>"

    def _keep(self, kept: dict[str, C], key: str, new: C) -> None:
        old = kept.get(key)
        if old is None:
            kept[key] = new
        elif old is not new:
            mine, theirs = old.order(), new.order()
            if mine[3] != theirs[3]:
                self.conflicts[key] = smallest([*self.conflicts.get(key, ()), mine[3], theirs[3]])
            if theirs > mine:
                kept[key] = new

    def _keep_refused(self, source: str, refused: Refused) -> None:
        old = self.refused.get(source)
        if old is None or canonical(refused.to_dict()) > canonical(old.to_dict()):
            self.refused[source] = refused

    def _is_sealed(self, key: str) -> bool:
        return any(key in seal.keys for seal in self.seals.values())

    def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            for kept in (self.contributions, self.tls, self.conflicts, self.copies):
                kept.pop(key, None)


def smallest(texts: Iterable[str]) -> tuple[str, ...]:
    """The first `MAX_KEPT` of the distinct texts, sorted."""
    return tuple(sorted(set(texts))[:MAX_KEPT])
