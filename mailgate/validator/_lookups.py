"""Finding mail hosts for many domains, a bounded number at a time, and doubting a resolver that denies too much."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from mailgate.records import LookupStatus, Reason, Resolve
from mailgate.validator._domain import Domain
from mailgate.validator._hosts import MailHosts, find_mail_hosts
from mailgate.validator._settings import Settings
from mailgate.validator._words import Status

# Below so many domains a high share of dead ones proves nothing about the resolver.
DOMAINS_BEFORE_DOUBT = 100
DOUBTED_SHARE = 0.2


class LookUps:
    """A queue of domains and a few tasks. found: called with each domain and what DNS says about it."""

    def __init__(
        self,
        settings: Settings,
        resolve: Resolve,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        found: Callable[[Domain, MailHosts], None],
    ) -> None:
        self._settings = settings
        self._resolve = resolve
        self._spawn = spawn
        self._found = found
        self._queue: deque[Domain] = deque()
        self._active = 0
        self._asked = self._missing = 0
        self._resolver_lies: bool | None = None

    @property
    def busy(self) -> bool:
        """Somebody's hosts are still to come."""
        return bool(self._active or self._queue)

    def add(self, domain: Domain) -> None:
        """Look for the hosts of `domain`, unless that is being done; `pump` has to follow."""
        if not domain.looking:
            domain.looking = True
            self._queue.append(domain)

    def pump(self) -> None:
        """Begin as many look-ups as may run."""
        while self._queue and self._active < self._settings.dns_lookups:
            self._active += 1
            self._spawn(self._look_up(self._queue.popleft()))

    async def _look_up(self, domain: Domain) -> None:
        try:
            hosts = await find_mail_hosts(domain.name, self._resolve, self._settings.host_rules)
            self._asked += 1
            if hosts.reason is Reason.DOMAIN_NOT_FOUND and await self._is_doubtful():
                note = f"the resolver denies that {', '.join(self._settings.dns_canaries)} exist"
                hosts = MailHosts(domain=domain.name, status=Status.UNKNOWN, reason=Reason.DNS_ERROR, notes=(note,))
        finally:
            self._active -= 1
            domain.looking = False
        self._found(domain, hosts)

    async def _is_doubtful(self) -> bool:
        """So many names are missing that the resolver was asked for some that exist, and lacks them too."""
        self._missing += 1
        suspicious = self._asked >= DOMAINS_BEFORE_DOUBT and self._missing > DOUBTED_SHARE * self._asked
        if self._resolver_lies is None and suspicious:
            self._resolver_lies = False  # asked once
            lookups = [await self._resolve(name, "NS") for name in self._settings.dns_canaries]
            self._resolver_lies = bool(lookups) and all(found.status is LookupStatus.NXDOMAIN for found in lookups)
        return self._resolver_lies is True
