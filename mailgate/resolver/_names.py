"""The one spelling of names and types by which lookups are compared."""

from __future__ import annotations


def normal_name(name: str) -> str:
    """Lower case, without the trailing dot; the root is `.`."""
    return name.lower().rstrip(".") or "."


def normal_type(rrtype: str) -> str:
    """Upper case, as RFC 1035 3.2.2 writes it."""
    return rrtype.upper()
