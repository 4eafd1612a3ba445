"""The blocking twin."""

from __future__ import annotations

import asyncio

from mailgate.records import Lookup, Resolve


def resolve_sync(name: str, rrtype: str, resolve: Resolve) -> Lookup:
    """`resolve(name, rrtype)` for code that has no event loop."""

    async def ask() -> Lookup:
        return await resolve(name, rrtype)

    return asyncio.run(ask())
