"""Which IP addresses may be dialled at all.

A mail host is named by whoever owns the domain, so it may be named `127.0.0.1` or `10.0.0.1`: an open invitation to
reach into the network where this program runs. Only addresses that the whole internet can reach are dialled.
"""

from __future__ import annotations

import ipaddress

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 2.1


def is_dialable(address: str, *, allow_private: bool = False) -> bool:
    """True for a global unicast address; with `allow_private` for every unicast address.

    Addresses that carry another one (IPv4-mapped, 6to4, Teredo, NAT64) are judged by the one they carry.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if parsed.is_unspecified or parsed.is_multicast:
        return False
    if allow_private:
        return not (parsed.version == 4 and int(parsed) >> 24 in (0, 255))
    carried = _carried(parsed) if isinstance(parsed, ipaddress.IPv6Address) else None
    if carried is not None:
        return _is_global(carried)
    return _is_global(parsed)


def _is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    # Which of these overlap differs between Python versions, so every one of them is asked.
    return address.is_global and not (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_reserved
        or address.is_multicast
        or address.is_unspecified
    )


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
