"""`mailgate validate --doctor`: can this machine probe at all? Nobody's mailbox is touched, or even named."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from mailgate.cli import _exit, _output
from mailgate.records import LookupStatus, Resolve
from mailgate.validator import Settings

# Hosts that greet everybody on port 25; only their greeting is waited for, nobody is asked about.
GREETERS = ("gmail-smtp-in.l.google.com", "mx1.mail.icloud.com", "mta5.am0.yahoodns.net")
_RESOLVER_CHECKS = (("com", "NS", LookupStatus.FOUND), ("mailgate-doctor.invalid", "A", LookupStatus.NXDOMAIN))
_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_MAX_LINE_BYTES = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: its name, what was found, what that means, and the exit status that it asks for."""

    check: str
    result: str
    meaning: str
    status: int = _exit.OK

    def to_dict(self) -> dict[str, object]:
        """The record as JSON values."""
        return {"check": self.check, "ok": not self.status, "result": self.result, "meaning": self.meaning}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Greeting:
    """A connection that came about: who greeted how, and our address as this machine and as that host see it."""

    host: str
    words: str
    local: str
    seen: str | None


def examine(settings: Settings, resolve: Resolve | None, *, hosts: Sequence[str] | None, as_json: bool) -> int:
    """Say what works; status 0 when all does, 69 when probing cannot work, 78 when the settings are in the way."""
    if resolve is None:
        raise _exit.Exit(_exit.BUG, "the doctor needs a resolver")
    findings = asyncio.run(_examine(settings, resolve, tuple(hosts or GREETERS)))
    if as_json:
        for finding in findings:
            print(_output.json_line(finding.to_dict()))
    else:
        rows = [(finding.check, finding.result, finding.meaning) for finding in findings]
        print(_output.table(["check", "result", "what it means"], rows))
    statuses = {finding.status for finding in findings}
    return next((status for status in (_exit.UNAVAILABLE, _exit.CONFIG) if status in statuses), _exit.OK)


async def _examine(settings: Settings, resolve: Resolve, hosts: tuple[str, ...]) -> list[Finding]:
    resolver = await _check_resolver(resolve, ask_the_world=hosts is GREETERS or hosts == GREETERS)
    greeting = await _first_greeting(settings, resolve, hosts)
    return [resolver, _check_port(settings, greeting, hosts), await _check_helo(settings, resolve, greeting)]


async def _check_resolver(resolve: Resolve, *, ask_the_world: bool) -> Finding:
    for name, rrtype, expected in _RESOLVER_CHECKS if ask_the_world else _RESOLVER_CHECKS[1:]:
        lookup = await resolve(name, rrtype)
        if lookup.status is not expected:
            said = f"{name} {rrtype}: {lookup.status} {lookup.detail}".strip()
            words = "DNS answers cannot be trusted: every verdict would be unknown, or wrong"
            return Finding(check="resolver", result=said, meaning=words, status=_exit.UNAVAILABLE)
    return Finding(check="resolver", result="works", meaning="names that exist are found, names that do not are not")


async def _first_greeting(settings: Settings, resolve: Resolve, hosts: tuple[str, ...]) -> _Greeting | None:
    for host in hosts:
        for address in (await resolve(host, "A")).values or ((host,) if _is_address(host) else ()):
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
                async with asyncio.timeout(settings.dial_seconds + settings.greeting_seconds):
                    return await _greet(host, address, settings)
    return None


def _is_address(text: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(text)
        return True
    return False


async def _greet(host: str, address: str, settings: Settings) -> _Greeting:
    """Greeting, EHLO, QUIT; many hosts say in their answer to EHLO which address they see."""
    source = None if settings.source_ip is None else (settings.source_ip, 0)
    reader, writer = await asyncio.open_connection(
        address, settings.port, local_addr=source, family=socket.AF_INET, limit=_MAX_LINE_BYTES
    )
    try:
        words = (await reader.readline()).decode("ascii", "replace").strip()
        local = writer.get_extra_info("sockname")[0]
        seen = None
        if settings.helo and words.startswith("220"):
            writer.write(f"EHLO {settings.helo}\r\n".encode("ascii", "replace"))
            seen = _ADDRESS.search((await reader.readline()).decode("ascii", "replace"))
        writer.write(b"QUIT\r\n")
        await writer.drain()
        return _Greeting(host=host, words=words[:200], local=local, seen=seen[0] if seen else None)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _check_port(settings: Settings, greeting: _Greeting | None, hosts: tuple[str, ...]) -> Finding:
    check = f"port {settings.port}"
    if greeting is None:
        words = f"none of {', '.join(hosts)} could be reached: most clouds and home lines close this port; ask yours"
        return Finding(check=check, result="closed", meaning=words, status=_exit.UNAVAILABLE)
    said = f"{greeting.host} said: {_output.printable(greeting.words)}"
    if not greeting.words.startswith("220"):
        return Finding(check=check, result="open, and refused", meaning=said, status=_exit.UNAVAILABLE)
    return Finding(check=check, result="open", meaning=said)


async def _check_helo(settings: Settings, resolve: Resolve, greeting: _Greeting | None) -> Finding:
    """The name, its address, the PTR of that address, and whether that is the address we come from."""
    if not settings.helo:
        return _helo("not given", "say --helo NAME: the name that the PTR record of this host's address gives")
    addresses = (await resolve(settings.helo, "A")).values + (await resolve(settings.helo, "AAAA")).values
    ours = None if greeting is None else greeting.seen or greeting.local
    if not addresses:
        return _helo(f"{settings.helo} has no address", "mail hosts refuse such a name")
    if ours is not None and not _is_inside(ours) and ours not in addresses:
        return _helo(f"{settings.helo} is {addresses[0]}, and we come from {ours}", "mail hosts see another host")
    for address in [ours, *addresses] if ours in addresses else addresses:
        names = (await resolve(ipaddress.ip_address(address).reverse_pointer, "PTR")).values
        if any(name.rstrip(".").lower() == settings.helo.lower() for name in names):
            result = f"{settings.helo} is {address} and back"
            return Finding(check="HELO", result=result, meaning="forward and reverse DNS agree")
    return _helo(f"the PTR of {addresses[0]} is not {settings.helo}", "many mail hosts refuse that")


def _is_inside(address: str) -> bool:
    return not ipaddress.ip_address(address).is_global


def _helo(result: str, meaning: str) -> Finding:
    return Finding(check="HELO", result=result, meaning=meaning, status=_exit.CONFIG)
