"""Getting a connection to a mail host, and noticing that nobody can be reached at all.

Port 25 is closed on most clouds and home lines. A run that does not notice reports a million dead hosts, so the first
hosts that cannot be reached are left undecided until one could be reached, or so many could not that it must be us.
"""

from __future__ import annotations

import asyncio
import socket

from mailgate.records import Resolve
from mailgate.validator._domain import Domain
from mailgate.validator._driver import Connect, dial
from mailgate.validator._hosts import addresses_of, families
from mailgate.validator._settings import Settings

# Ten groups of hosts that all fail together have one thing in common: this machine.
GROUPS_OUT_OF_REACH = 10


class Reach:
    """Dials, and keeps the record. undecided: domains out of reach about which nothing was said yet."""

    def __init__(self, settings: Settings, resolve: Resolve, connect: Connect | None) -> None:
        self._settings = settings
        self._resolve = resolve
        self._connect = connect
        self._groups: set[str] = set()
        self.ever = False
        self.port25_blocked = False
        self.undecided: list[Domain] = []

    async def host(self, name: str) -> socket.socket | None:
        """A connection to the first address of the host that takes one; None when none does."""
        rules = self._settings.host_rules
        for rrtype in families(name, rules):
            for address in (await addresses_of(name, rrtype, self._resolve, rules)).addresses:
                try:
                    sock = await self._dial(address)
                except OSError:
                    continue
                self.ever = True
                return sock
        return None

    async def _dial(self, address: str) -> socket.socket:
        settings = self._settings
        if self._connect is None:
            return await dial(address, settings.port, seconds=settings.dial_seconds, source_ip=settings.source_ip)
        async with asyncio.timeout(settings.dial_seconds):
            return await self._connect(address, settings.port)

    def failed(self, domain: Domain, group: str) -> bool:
        """No host of the domain took a connection; True when that is said of the domain, False when not decided yet."""
        if self.ever or self.port25_blocked:
            return True
        self._groups.add(group)
        domain.undecided = True
        self.undecided.append(domain)
        self.port25_blocked = len(self._groups) >= GROUPS_OUT_OF_REACH
        return False

    def decide(self) -> list[Domain]:
        """The domains about which something can be said now; they are no longer undecided."""
        decided, self.undecided = self.undecided, []
        for domain in decided:
            domain.undecided = False
        return decided
