"""What DNS said, as a value, and the one callable through which every room asks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class LookupStatus(StrEnum):
    """The four outcomes that must never be confused (RFC 2308 2; RFC 8020)."""

    FOUND = "found"
    NODATA = "nodata"
    NXDOMAIN = "nxdomain"
    TEMPFAIL = "tempfail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One answer: what was asked, its outcome, the values in presentation form, and for how long it holds.

    name: the name asked for, as A-labels without a trailing dot. rrtype: upper case, `MX`.
    values: one text a record in presentation form (RFC 1035 5.1): MX is `10 mx.example.com`, no trailing dot
    (null MX is `0 .`); TXT is the joined character strings, undecorated; A and AAAA are addresses.
    ttl_seconds: how long a cache may keep it; 0 for TEMPFAIL.
    canonical_name: the name at the end of a CNAME chain when there was one.
    detail: for TEMPFAIL what went wrong: `timeout`, `servfail`, `refused`, `malformed`, …
    """

    name: str
    rrtype: str
    status: LookupStatus
    values: tuple[str, ...] = ()
    ttl_seconds: int = 0
    canonical_name: str | None = None
    detail: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "name": self.name,
            "rrtype": self.rrtype,
            "status": str(self.status),
            "values": list(self.values),
            "ttl_seconds": self.ttl_seconds,
            "canonical_name": self.canonical_name,
            "detail": self.detail,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Lookup:
        """Read what `to_dict` wrote."""
        return cls(
            name=data["name"],
            rrtype=data["rrtype"],
            status=LookupStatus(data["status"]),
            values=tuple(data["values"]),
            ttl_seconds=data["ttl_seconds"],
            canonical_name=data["canonical_name"],
            detail=data["detail"],
        )


class Resolve(Protocol):
    """`await resolve("example.com", "MX")` answers a `Lookup`; it raises nothing for any state of the world."""

    async def __call__(self, name: str, rrtype: str) -> Lookup: ...
