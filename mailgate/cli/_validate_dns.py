"""DNS for `mailgate validate`: the server that was named, or the system's with a doubt."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from mailgate.cli import _exit
from mailgate.records import Lookup, LookupStatus, Resolve
from mailgate.resolver import CachingResolver, DnsResolver

_EVERYBODY_KNOWS = "com"


def resolver(server: str | None) -> Resolve:
    """A resolver with a cache. server: IP, IP:PORT or [IPv6]:PORT; None: the system's. Exit 64 for anything else."""
    if server is None:
        return CachingResolver(DnsResolver())
    host, colon, port = server.removeprefix("[").replace("]", "").rpartition(":")
    if not colon or (":" in host and not server.startswith("[")):
        host, port = server.strip("[]"), "53"
    try:
        if not 0 < int(port) < 65_536:
            raise ValueError(f"not a port: {port!r}")
        return CachingResolver(DnsResolver(nameservers=[host], port=int(port)))
    except ValueError as error:
        words = f"--resolver is an IP address, perhaps with :PORT, not {server!r} ({error})"
        raise _exit.Exit(_exit.USAGE, words) from error


class Doubting:
    """The system's resolver, whose first "no such domain" is believed only when it knows a name that must exist.

    Where there is no way out, some resolvers deny every name at once: all addresses would be invalid. Who names a
    server may mean one that knows little, and is not doubted.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._check: asyncio.Task[bool] | None = None

    async def __call__(self, name: str, rrtype: str) -> Lookup:
        """The lookup; TEMPFAIL instead of an NXDOMAIN that proves nothing."""
        lookup = await self._resolve(name, rrtype)
        if lookup.status is not LookupStatus.NXDOMAIN or not await self._denies_all():
            return lookup
        words = f"the resolver denies even that {_EVERYBODY_KNOWS} exists"
        return replace(lookup, status=LookupStatus.TEMPFAIL, detail=words)

    async def _denies_all(self) -> bool:
        if self._check is None:
            self._check = asyncio.create_task(self._ask())
        return await asyncio.shield(self._check)

    async def _ask(self) -> bool:
        return (await self._resolve(_EVERYBODY_KNOWS, "NS")).status is LookupStatus.NXDOMAIN
