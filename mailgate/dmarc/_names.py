"""Names for sources, as a step after the view: a table of networks of one's own, and PTR records.

Never part of reading: a reader that asks DNS for each address takes hours where it needs seconds.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from mailgate.records import LookupStatus, ParseError, Resolve

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAX_NAME = 253


class Networks:
    """A table of networks with names: `networks(ip)` gives the name of the smallest network that holds it, or None."""

    def __init__(self, table: Mapping[_Network, str]) -> None:
        self._by_size: list[tuple[int, int, dict[int, str]]] = []
        sizes: dict[tuple[int, int], dict[int, str]] = {}
        for network, name in table.items():
            start = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            sizes.setdefault((network.version, network.prefixlen), {})[start] = name
        for (version, length), names in sorted(sizes.items(), key=lambda item: -item[0][1]):
            self._by_size.append((version, length, names))

    @classmethod
    def parse(cls, text: str) -> Networks:
        """One network a line, `192.0.2.0/24 Our newsletter`; empty lines and what follows `#` do not count.

        A line without a name names the network itself. Raises ParseError (`bad_network`) with the line's number.
        """
        table: dict[_Network, str] = {}
        for number, line in enumerate(text.splitlines(), 1):
            words = line.partition("#")[0].split(None, 1)
            if not words:
                continue
            try:
                network = ipaddress.ip_network(words[0], strict=False)
            except ValueError as error:
                raise ParseError("bad_network", f"line {number}: {error}", field=words[0][:100]) from error
            table[network] = words[1].strip() if len(words) > 1 else words[0]
        return cls(table)

    def __call__(self, ip: str) -> str | None:
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return None
        number, bits = int(address), address.max_prefixlen
        for version, length, names in self._by_size:
            if version == address.version:
                name = names.get(number >> (bits - length))
                if name is not None:
                    return name
        return None

    def __contains__(self, ip: str) -> bool:
        return self(ip) is not None


def name_sources(view: Mapping[str, Any], names: Callable[[str], str | None]) -> dict[str, Any]:
    """The view with a `name` in every source (None where `names` knows none); `view` itself stays as it is."""
    domains = {
        domain: {**found, "sources": [{**source, "name": names(source["ip"])} for source in found["sources"]]}
        for domain, found in view["domains"].items()
    }
    return {**view, "domains": domains}


async def ptr_names(ips: Iterable[str], resolve: Resolve, *, concurrency: int = 10) -> dict[str, str]:
    """The PTR name of each address that has one (RFC 1035 3.5, RFC 3596 2.5), `concurrency` questions at a time.

    A name is what the owner of the address claims; nothing confirms it. What is no address is passed over.
    """
    gate = asyncio.Semaphore(concurrency)

    async def ask(ip: str) -> tuple[str, str] | None:
        try:
            name = ipaddress.ip_address(ip).reverse_pointer
        except ValueError:
            return None
        async with gate:
            lookup = await resolve(name, "PTR")
        if lookup.status is not LookupStatus.FOUND or not lookup.values:
            return None
        return ip, lookup.values[0].rstrip(".").lower()[:_MAX_NAME]

    tasks: list[Awaitable[tuple[str, str] | None]] = [ask(ip) for ip in dict.fromkeys(ips)]
    return dict(found for found in await asyncio.gather(*tasks) if found is not None)
