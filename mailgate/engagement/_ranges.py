"""Sets of IP networks that an operator loads from what providers publish."""

from __future__ import annotations

import json
import socket
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from mailgate.records import ParseError

MAX_RANGES = 2_000_000  # Apple publishes about 290,000
_MAPPED = b"\0" * 10 + b"\xff\xff"  # IPv4 inside IPv6 (RFC 4291 2.5.5.2)


class IPRanges:
    """A set of networks; `address in ranges` takes about a microsecond, however many they are.

    networks: texts like `192.0.2.0/24` or `2001:db8::/32` (ValueError for others); host bits are ignored.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        spans: dict[int, list[tuple[int, int]]] = {4: [], 16: []}
        for number, text in enumerate(networks):
            if number >= MAX_RANGES:
                raise ValueError(f"more than {MAX_RANGES} networks")
            network = ip_network(text.strip(), strict=False)
            spans[network.max_prefixlen // 8].append(_span(network))
        self._starts: dict[int, list[int]] = {}
        self._ends: dict[int, list[int]] = {}
        for size, found in spans.items():
            merged = list(_merge(sorted(found)))
            self._starts[size] = [start for start, _ in merged]
            self._ends[size] = [end for _, end in merged]

    def __contains__(self, address: object) -> bool:
        packed = pack(address) if isinstance(address, str) else None
        return packed is not None and self.has(packed)

    def __len__(self) -> int:
        """How many separate stretches of addresses there are."""
        return sum(map(len, self._starts.values()))

    def has(self, packed: bytes) -> bool:
        """True when the address (4 or 16 bytes) lies in one of the networks."""
        starts = self._starts[len(packed)]
        if not starts:
            return False
        number = int.from_bytes(packed, "big")
        at = bisect_right(starts, number) - 1
        return at >= 0 and number <= self._ends[len(packed)][at]

    @classmethod
    def parse(cls, text: str) -> IPRanges:
        """Networks out of a published list: one a line (`#` begins a comment), CSV whose first column is a network
        (Apple's egress list), or JSON that holds networks anywhere (Google's `prefixes`, Microsoft's `ips`).

        Raises ParseError (`not_ip_ranges`) when a line is no network, or the JSON is none or holds none.
        """
        if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
            try:
                found = list(_in_json(json.loads(text.lstrip("\ufeff"))))
            except (ValueError, RecursionError) as error:
                raise ParseError("not_ip_ranges", "the JSON cannot be read") from error
            if not found:
                raise ParseError("not_ip_ranges", "the JSON holds no networks")
            return cls(found)
        lines = (line.partition("#")[0].partition(",")[0].strip() for line in text.lstrip("\ufeff").splitlines())
        try:
            return cls(line for line in lines if line)
        except ValueError as error:
            raise ParseError("not_ip_ranges", str(error)[:200]) from error


def pack(address: str) -> bytes | None:
    """An address as 4 or 16 bytes, None when it is none; an IPv4 address written as IPv6 becomes IPv4 again."""
    try:
        if ":" not in address:
            return socket.inet_pton(socket.AF_INET, address)
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except (OSError, ValueError, UnicodeError):
        return None
    return packed[12:] if packed.startswith(_MAPPED) else packed


def _span(network: IPv4Network | IPv6Network) -> tuple[int, int]:
    return int(network.network_address), int(network.broadcast_address)


def _merge(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Overlapping and touching stretches made one."""
    start = end = -2
    for first, last in spans:
        if first <= end + 1 and end >= 0:
            end = max(end, last)
        else:
            if end >= 0:
                yield start, end
            start, end = first, last
    if end >= 0:
        yield start, end


def _in_json(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str) and _is_network(value):
            yield value


def _is_network(text: str) -> bool:
    if not 2 <= len(text) <= 50 or not (":" in text or text.count(".") == 3):
        return False
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
