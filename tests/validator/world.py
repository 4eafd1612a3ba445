"""One world for several tests: a DNS zone and a persona for each domain, all on loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable
from typing import Any

from mailgate.records import Lookup, LookupStatus
from mailgate.validator import Level, Settings, Validation, Validator
from tests.support.smtp_world import Persona, SmtpWorld

# Far above what any world needs: an address that is never answered is to fail its test, not to hold up all others.
GUARD_SECONDS = 60.0
HELO, MAIL_FROM = "probe.sender.test", "probe@sender.test"


class Names:
    """DNS as a mapping: domain to MX hosts, host to address; anything else does not exist. Counts the questions."""

    def __init__(self, records: dict[tuple[str, str], tuple[str, ...] | str] | None = None, ttl: int = 300) -> None:
        self.records = dict(records or {})
        self.ttl = ttl
        self.asked: list[tuple[str, str]] = []

    def domain(self, name: str, *hosts: tuple[str, str]) -> None:
        """`name` with mail hosts, each a name and an address, best first."""
        self.records[name, "MX"] = tuple(f"{10 * (i + 1)} {host}" for i, (host, _) in enumerate(hosts))
        for host, address in hosts:
            self.records[host, "A"] = (address,)

    async def __call__(self, name: str, rrtype: str) -> Lookup:
        self.asked.append((name, rrtype))
        found = self.records.get((name, rrtype))
        if found is None:
            there = any(owner == name for owner, _ in self.records)
            status = LookupStatus.NODATA if there else LookupStatus.NXDOMAIN
            return Lookup(name=name, rrtype=rrtype, status=status, ttl_seconds=self.ttl)
        if isinstance(found, str):
            return Lookup(name=name, rrtype=rrtype, status=LookupStatus.TEMPFAIL, detail=found)
        return Lookup(name=name, rrtype=rrtype, status=LookupStatus.FOUND, values=found, ttl_seconds=self.ttl)


class World:
    """Personas by domain; each domain has one mail host of its own name on an address of its own."""

    def __init__(self, personas: dict[str, Persona]) -> None:
        self.names = Names()
        self.addresses: dict[str, str] = {}
        by_address = {}
        for number, (domain, persona) in enumerate(personas.items(), 1):
            address = f"127.20.{number // 250}.{number % 250 + 1}"
            self.addresses[domain] = address
            by_address[address] = persona
            self.names.domain(domain, (f"mx.{domain}", address))
        self.smtp = SmtpWorld(by_address)

    def settings(self, **changes: Any) -> Settings:
        """Quick and unpaced, unless `changes` say otherwise."""
        chosen: dict[str, Any] = {
            "level": Level.SMTP,
            "helo": HELO,
            "mail_from": MAIL_FROM,
            "allow_private": True,
            "allow_special_use": ("test",),
            "port": self.smtp.port,
            "pace_seconds": 0.0,
            "rest_seconds": 0.03,
            "greylist_delays": (0.3,),
            "max_wait_seconds": 5.0,
            "dial_seconds": 2.0,
            "greeting_seconds": 1.0,
            "command_seconds": 1.0,
            "session_seconds": 5.0,
        }
        return Settings(**(chosen | changes))

    def run(
        self,
        addresses: Iterable[str],
        *,
        ordered: bool = False,
        validator: dict[str, Any] | None = None,
        look: Callable[[Validator], None] | None = None,
        **changes: Any,
    ) -> list[Validation]:
        """All results; the servers live as long as the call. look: called with the validator at the end."""

        async def all_of_it() -> list[Validation]:
            async with self.smtp:
                chosen = self.settings(**changes)
                async with (
                    Validator(chosen, resolve=self.names, **(validator or {})) as v,
                    asyncio.timeout(GUARD_SECONDS),
                ):
                    found = [result async for result in v.stream(addresses, ordered=ordered)]
                if look is not None:
                    look(v)
                return found

        return asyncio.run(all_of_it())

    def log(self, domain: str) -> list[Any]:
        return self.smtp.dialogues(self.addresses[domain])


def told(results: Iterable[Validation]) -> dict[str, tuple[str, str, bool | None]]:
    """Status, reason and catch-all answer by input."""
    return {r.input: (str(r.status), str(r.reason), r.catch_all) for r in results}


def server_tls() -> ssl.SSLContext:
    """A throw-away certificate for `mx.test`."""
    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("mx.test").configure_cert(context)
    return context
