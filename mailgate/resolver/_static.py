"""Answers from a mapping, for tests, examples and air-gapped runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from mailgate.records import Lookup, LookupStatus
from mailgate.resolver._names import normal_name, normal_type

# Names are followed this far through CNAMEs, as recursive servers do.
_MAX_CHAIN = 8
_REMEMBERED = 10_000

Zone = Mapping[str, Mapping[str, Sequence[str]] | LookupStatus]


class StaticResolver:
    """A `Resolve` callable that knows exactly what it was given.

    zone: name to {record type: values in presentation form, without trailing dots}, or to a `LookupStatus` that
    stands for every type. A name that is not in it is NXDOMAIN, unless a name below it exists (then NODATA);
    `*.example.com` answers for the names under `example.com` that are not there. CNAMEs are followed.
    ttl_seconds: given with every answer. asked: the last 10,000 (name, type) asked, in order.

    >>> import asyncio
    >>> resolve = StaticResolver({"a.example": {"CNAME": ["b.example"]}, "b.example": {"A": ["192.0.2.1"]}})
    >>> asyncio.run(resolve("A.example.", "A")).canonical_name
    'b.example'
    """

    def __init__(self, zone: Zone, *, ttl_seconds: int = 300) -> None:
        self._zone = {normal_name(name): records for name, records in zone.items()}
        self._above = {parent for name in self._zone for parent in _parents(name)}
        self._ttl_seconds = ttl_seconds
        self.asked: deque[tuple[str, str]] = deque(maxlen=_REMEMBERED)

    async def __call__(self, name: str, rrtype: str) -> Lookup:
        """Answer from the mapping; never waits."""
        asked, rrtype = normal_name(name), normal_type(rrtype)
        self.asked.append((asked, rrtype))
        owner = asked
        for _ in range(_MAX_CHAIN):
            records = self._records(owner)
            if isinstance(records, LookupStatus):
                return self._lookup(asked, rrtype, records, owner)
            if rrtype not in records and "CNAME" in records:
                owner = normal_name(records["CNAME"][0])
                continue
            values = tuple(records.get(rrtype, ()))
            status = LookupStatus.FOUND if values else LookupStatus.NODATA
            return self._lookup(asked, rrtype, status, owner, values)
        return self._lookup(asked, rrtype, LookupStatus.TEMPFAIL, owner)

    def _records(self, name: str) -> Mapping[str, Sequence[str]] | LookupStatus:
        if name in self._zone:
            return self._zone[name]
        if name in self._above:
            return {}
        parent = name.partition(".")[2]
        return self._zone.get(f"*.{parent}", LookupStatus.NXDOMAIN)

    def _lookup(self, name: str, rrtype: str, status: LookupStatus, owner: str, values: tuple[str, ...] = ()) -> Lookup:
        failed = status is LookupStatus.TEMPFAIL
        return Lookup(
            name=name,
            rrtype=rrtype,
            status=status,
            values=values,
            ttl_seconds=0 if failed else self._ttl_seconds,
            canonical_name=owner if owner != name else None,
            detail="servfail" if failed else "",
        )


def _parents(name: str) -> list[str]:
    labels = name.removeprefix("*.").split(".")
    first = 0 if name.startswith("*.") else 1
    return [".".join(labels[i:]) for i in range(first, len(labels))]
