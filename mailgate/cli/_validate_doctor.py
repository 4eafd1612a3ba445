"""`mailgate validate --doctor`: can this machine probe at all? Nobody's mailbox is touched."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket

from mailgate.cli import _exit, _output
from mailgate.records import LookupStatus, Resolve
from mailgate.validator import Settings

# Hosts that greet everybody on port 25; only their greeting is waited for, nobody is asked about.
GREETERS = ("gmail-smtp-in.l.google.com", "mx1.mail.icloud.com", "mta5.am0.yahoodns.net")
_RESOLVER_CHECKS = (("com", "NS", LookupStatus.FOUND), ("mailgate-doctor.invalid", "A", LookupStatus.NXDOMAIN))


def examine(settings: Settings, resolve: Resolve | None) -> int:
    """Say what works; status 0 when all does, 69 when probing cannot work, 78 when the settings are in the way."""
    return asyncio.run(_examine(settings, resolve))


async def _examine(settings: Settings, resolve: Resolve | None) -> int:
    if resolve is None:
        raise _exit.Exit(_exit.BUG, "the doctor needs a resolver")
    findings = [
        await _check_resolver(resolve),
        await _check_helo(settings, resolve),
        await _check_port(settings, resolve),
    ]
    print(_output.table(["check", "result", "what it means"], [finding[1:] for finding in findings]))
    return max((finding[0] for finding in findings), default=_exit.OK)


Finding = tuple[int, str, str, str]


async def _check_resolver(resolve: Resolve) -> Finding:
    for name, rrtype, expected in _RESOLVER_CHECKS:
        lookup = await resolve(name, rrtype)
        if lookup.status is not expected:
            said = f"{name} {rrtype}: {lookup.status} {lookup.detail}".strip()
            return _exit.UNAVAILABLE, "resolver", said, "DNS answers cannot be trusted: every verdict would be unknown"
    return _exit.OK, "resolver", "works", "names that exist are found, names that do not are not"


async def _check_helo(settings: Settings, resolve: Resolve) -> Finding:
    if not settings.helo:
        return _exit.CONFIG, "HELO", "not given", "say --helo NAME: the name that the PTR record of this host gives"
    addresses = (await resolve(settings.helo, "A")).values + (await resolve(settings.helo, "AAAA")).values
    if not addresses:
        return _exit.CONFIG, "HELO", f"{settings.helo} has no address", "mail hosts refuse such a name"
    for address in addresses:
        names = (await resolve(ipaddress.ip_address(address).reverse_pointer, "PTR")).values
        if any(name.rstrip(".").lower() == settings.helo.lower() for name in names):
            return _exit.OK, "HELO", f"{settings.helo} is {address} and back", "forward and reverse DNS agree"
    return _exit.CONFIG, "HELO", f"the PTR of {addresses[0]} is not {settings.helo}", "many mail hosts refuse that"


async def _check_port(settings: Settings, resolve: Resolve) -> Finding:
    for host in GREETERS:
        for address in (await resolve(host, "A")).values:
            with contextlib.suppress(OSError, TimeoutError):
                greeting = await asyncio.wait_for(_greeting(address, settings), settings.dial_seconds)
                return _exit.OK, f"port {settings.port}", "open", f"{host} said: {_output.printable(greeting)}"
    words = "no mail host could be reached: most clouds and home lines close this port; ask your provider"
    return _exit.UNAVAILABLE, f"port {settings.port}", "closed", words


async def _greeting(address: str, settings: Settings) -> str:
    source = None if settings.source_ip is None else (settings.source_ip, 0)
    reader, writer = await asyncio.open_connection(
        address, settings.port, local_addr=source, family=socket.AF_INET, limit=4_096
    )
    try:
        line = await reader.readline()
        writer.write(b"QUIT\r\n")
        return line.decode("ascii", "replace").strip()[:200]
    finally:
        writer.close()
