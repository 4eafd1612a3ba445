r"""DNS as one async callable: `await resolve("example.com", "MX")` answers a `Lookup`.

Use it wherever a room asks for a `resolve=` callable: the validator (MX and addresses), DMARC and authentication
records, DNS lists. It never raises for anything that DNS or the network does: NXDOMAIN, no data, and every kind of
failure are four different values, because only the first two are facts.

Smallest running example (no network: `StaticResolver` answers from a mapping):

>>> import asyncio
>>> resolve = StaticResolver({"example.com": {"MX": ["10 mx.example.com"]}})
>>> asyncio.run(resolve("example.com", "MX")).values
('10 mx.example.com',)
>>> str(asyncio.run(resolve("nowhere.example", "MX")).status)
'nxdomain'

In production: `resolve = CachingResolver(DnsResolver())`; `DnsResolver(nameservers=["192.0.2.53"], port=5353)` asks
a server of your own. `resolve_sync` is the blocking twin.

INPUTS: names as A-labels (RFC 5890), with or without a trailing dot, at most 253 octets; record types by name.
Non-ASCII names are not encoded here: the caller knows which IDNA it means.

OUTCOMES (`Lookup.status`): FOUND with values in presentation form and the smallest TTL of the CNAME chain; NODATA and
NXDOMAIN with the negative TTL of RFC 2308 5; TEMPFAIL with `detail` one of `timeout`, `servfail`, `refused`,
`unreachable`, `lame`, `malformed`, or another response code in lower case. ValueError for a record
type that does not exist.

SECURITY: every query leaves from a fresh socket with a port of the kernel's choice and a random id (RFC 5452 9.2);
answers whose id or question differ are ignored. Answers are not DNSSEC-validated here: ask a validating resolver near
you. Values are text from outside.

BUGS: a server that answers over TCP only is found after the UDP time limit. `CachingResolver` belongs to one event
loop at a time.

RFC sections and who follows them: RFC 1035 4.2.2 (TCP), RFC 5452 9 (forgery), RFC 6891 7 (no EDNS there):
`DnsResolver`; RFC 2308 5 (how long "no" holds): `DnsResolver` and `CachingResolver`.

DECISIONS
  dnspython reads and writes the messages; sockets are ours.
    `dns.asyncresolver` costs twice the CPU a query, and has no limit that holds for the whole lookup.
  A failure is not cached.
    Its next asker may be lucky, and a run remembers its dead domains itself.
"""

from mailgate.resolver._cache import CachingResolver
from mailgate.resolver._dns import DnsResolver
from mailgate.resolver._static import StaticResolver
from mailgate.resolver._sync import resolve_sync

__all__ = ["CachingResolver", "DnsResolver", "StaticResolver", "resolve_sync"]
