"""Whose request it is: the address behind the proxies that are ours, and as much of it as may be kept."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from mailgate.engagement._ranges import IPRanges, pack

MAX_FORWARDED_CHARACTERS = 4_096


class KeepIP(StrEnum):
    """How much of an address is recorded."""

    NONE = "none"
    PREFIX = "prefix"  # /24 of IPv4, /48 of IPv6
    FULL = "full"


class Peers:
    """The proxies whose X-Forwarded-For is believed.

    trusted: networks, and `unix` for a proxy on a Unix socket (whose requests come without an address).
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        trusted = tuple(trusted)
        self._unix = "unix" in trusted
        self._ranges = IPRanges(network for network in trusted if network != "unix")
        self._any = bool(trusted)

    def address_of(self, environ: Mapping[str, Any]) -> bytes | None:
        """The client's address as 4 or 16 bytes, None when nobody knows.

        The peer's own, unless it is a trusted proxy: then the right-most address of X-Forwarded-For that is not one of
        a trusted proxy. What stands left of that was written by the client and is not looked at; an entry that is no
        address ends the search.
        """
        peer = _packed_peer(environ.get("REMOTE_ADDR") or "")
        if not self._any or not (self._ranges.has(peer) if peer is not None else self._unix):
            return peer
        address = peer
        for entry in reversed((environ.get("HTTP_X_FORWARDED_FOR") or "")[-MAX_FORWARDED_CHARACTERS:].split(",")):
            found = pack(_without_port(entry.strip()))
            if found is None:
                break
            address = found
            if not self._ranges.has(found):
                break
        return address


_packed_peer = lru_cache(maxsize=4_096)(pack)


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


@lru_cache(maxsize=4_096)
def kept_address(packed: bytes | None, keep: KeepIP) -> str:
    """The text that is recorded of an address.

    >>> kept_address(bytes((192, 0, 2, 77)), KeepIP.PREFIX)
    '192.0.2.0/24'
    """
    if packed is None or keep is KeepIP.NONE:
        return ""
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    if keep is KeepIP.FULL:
        return socket.inet_ntop(family, packed)
    if len(packed) == 4:
        return f"{packed[0]}.{packed[1]}.{packed[2]}.0/24"
    return f"{socket.inet_ntop(family, packed[:6] + bytes(10))}/48"
