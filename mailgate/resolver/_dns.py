"""DNS over UDP and TCP with dnspython's messages and sockets of our own.

The model: a lookup is a short plan of attempts, server by server, twice around at most; one deadline holds for all of
it, a shorter limit for each attempt. NOERROR and NXDOMAIN end the plan, everything else is the reason to go on, and
the last word when nobody is left to ask. A CNAME whose target the server left out is followed by a new plan.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import replace

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
from dns.rdtypes.txtbase import TXTBase

from mailgate.records import Lookup, LookupStatus
from mailgate.resolver._names import normal_name, normal_type

# DNS flag day 2020: the largest answer that no path fragments.
_PAYLOAD_BYTES = 1232
# RFC 1034 3.6.2 asks for a limit on chains and names none; recursive servers stop between 8 and 16.
_MAX_CHAIN = 8
_ROUNDS = 2
_MAX_MESSAGE_BYTES = 65_535
_TRUSTED = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
# A week: TTLs are 31 bits, and no caller should keep a host for years.
_MAX_TTL_SECONDS = 604_800


class DnsResolver:
    """A `Resolve` callable that asks recursive servers, UDP first, TCP when the answer is truncated.

    nameservers: addresses, asked in order, the last one that answered first; None: those of the system
    (resolv.conf), 127.0.0.1 when it names none. port: of all of them. timeout_seconds: for one attempt.
    deadline_seconds: for the whole lookup, CNAMEs and TCP included. source_ip: the address to ask from. Raises
    ValueError for servers that are no IP addresses, or none, and limits that are not above 0.
    """

    def __init__(
        self,
        *,
        nameservers: Sequence[str] | None = None,
        port: int = 53,
        timeout_seconds: float = 3.0,
        deadline_seconds: float = 10.0,
        source_ip: str | None = None,
    ) -> None:
        self._nameservers = tuple(system_nameservers() if nameservers is None else nameservers)
        if not self._nameservers:
            raise ValueError("nameservers is empty")
        for server in self._nameservers:
            ipaddress.ip_address(server)  # raises ValueError: a name would need a resolver first
        if timeout_seconds <= 0 or deadline_seconds <= 0:
            raise ValueError(f"time limits must be above 0, not {timeout_seconds!r} and {deadline_seconds!r}")
        self._port = port
        self._timeout_seconds = timeout_seconds
        self._deadline_seconds = deadline_seconds
        self._source_ip = source_ip
        self._preferred = 0

    @property
    def nameservers(self) -> tuple[str, ...]:
        """The servers that are asked."""
        return self._nameservers

    async def __call__(self, name: str, rrtype: str) -> Lookup:
        """One lookup; ValueError when `rrtype` is no record type, no other error for any input or state."""
        asked, rrtype = normal_name(name), normal_type(rrtype)
        rdtype = _type_of(rrtype)
        failed = Lookup(name=asked, rrtype=rrtype, status=LookupStatus.TEMPFAIL, detail="timeout")
        try:
            owner = _name_of(asked)
        except dns.exception.DNSException:
            return replace(failed, detail="malformed")
        plan = _Plan()
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await self._follow(asked, owner, rdtype, plan)
        except TimeoutError:
            return failed
        except _NoAnswer as failure:
            return replace(failed, detail=failure.detail)

    async def _follow(self, asked: str, owner: dns.name.Name, rdtype: dns.rdatatype.RdataType, plan: _Plan) -> Lookup:
        ttl = _MAX_TTL_SECONDS
        for _ in range(_MAX_CHAIN):
            message = await self._ask(owner, rdtype, plan)
            try:
                chain = message.resolve_chaining()
            except dns.exception.DNSException as error:
                raise _NoAnswer("malformed") from error
            ttl = min(ttl, chain.minimum_ttl)
            if chain.answer is None and chain.cnames and message.rcode() == dns.rcode.NOERROR and not message.authority:
                owner = chain.canonical_name
                continue
            return _lookup(asked, rdtype, message, chain, ttl)
        raise _NoAnswer("malformed")

    async def _ask(
        self, owner: dns.name.Name, rdtype: dns.rdatatype.RdataType, plan: _Plan
    ) -> dns.message.QueryMessage:
        while plan.attempts < _ROUNDS * len(self._nameservers):
            index = (self._preferred + plan.attempts) % len(self._nameservers)
            plan.attempts += 1
            query = dns.message.make_query(owner, rdtype, use_edns=plan.edns, payload=_PAYLOAD_BYTES)
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    answer = await self._exchange(query, self._nameservers[index])
            except TimeoutError:
                plan.failures.append("timeout")
            except OSError:
                plan.failures.append("unreachable")
            except dns.exception.DNSException:
                plan.failures.append("malformed")
            else:
                if _is_referral(answer):
                    plan.failures.append("lame")
                elif answer.rcode() in _TRUSTED:
                    self._preferred, plan.attempts = index, 0
                    return answer
                else:
                    plan.note(answer.rcode())
        raise _NoAnswer(plan.detail)

    async def _exchange(self, query: dns.message.QueryMessage, server: str) -> dns.message.QueryMessage:
        answer = await self._udp(query, server)
        if answer.flags & dns.flags.TC:
            answer = await self._tcp(query, server)
        return answer

    async def _udp(self, query: dns.message.QueryMessage, server: str) -> dns.message.QueryMessage:
        loop = asyncio.get_running_loop()
        with socket.socket(_family(server), socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            if self._source_ip is not None:
                sock.bind((self._source_ip, 0))
            sock.connect((server, self._port))
            sock.send(query.to_wire())
            while True:
                answer = _read(await loop.sock_recv(sock, _MAX_MESSAGE_BYTES))
                if answer is not None and query.is_response(answer):
                    return answer

    async def _tcp(self, query: dns.message.QueryMessage, server: str) -> dns.message.QueryMessage:
        local = None if self._source_ip is None else (self._source_ip, 0)
        reader, writer = await asyncio.open_connection(server, self._port, local_addr=local)
        try:
            wire = query.to_wire()
            writer.write(len(wire).to_bytes(2, "big") + wire)
            size = int.from_bytes(await reader.readexactly(2), "big")
            answer = _read(await reader.readexactly(size))
        except asyncio.IncompleteReadError as error:
            raise ConnectionError("the server closed in the middle of an answer") from error
        finally:
            writer.transport.abort()
        if answer is None or not query.is_response(answer):
            raise dns.exception.FormError
        return answer


class _NoAnswer(Exception):
    """Nobody is left to ask."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class _Plan:
    """What was tried for one lookup."""

    def __init__(self) -> None:
        self.attempts = 0
        self.edns = True
        self.failures: list[str] = []

    def note(self, rcode: dns.rcode.Rcode) -> None:
        """An answer that is not one. FORMERR may mean that EDNS is not known there (RFC 6891 7)."""
        if rcode in (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS) and self.edns:
            self.edns = False
            self.attempts -= 1
        else:
            self.failures.append(dns.rcode.to_text(rcode).lower())

    @property
    def detail(self) -> str:
        """The failure that says most: what a server answered before what none of them did."""
        spoken = [failure for failure in self.failures if failure not in ("timeout", "unreachable")]
        return (spoken or self.failures or ["timeout"])[0]


def system_nameservers() -> tuple[str, ...]:
    """The servers in the system's settings; resolv.conf(5): the local machine when there are none."""
    try:
        servers = dns.resolver.Resolver().nameservers
    except dns.resolver.NoResolverConfiguration:
        servers = []
    return tuple(str(server) for server in servers if "://" not in str(server)) or ("127.0.0.1",)


def _family(server: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in server else socket.AF_INET


def _type_of(rrtype: str) -> dns.rdatatype.RdataType:
    try:
        return dns.rdatatype.from_text(rrtype)
    except (dns.rdatatype.UnknownRdatatype, ValueError) as error:
        raise ValueError(f"no DNS record type: {rrtype!r}") from error


def _name_of(name: str) -> dns.name.Name:
    if not name.isascii():
        raise dns.name.LabelTooLong  # would be encoded by IDNA 2003 rules otherwise
    return dns.name.from_text(name, dns.name.root)


def _read(wire: bytes) -> dns.message.QueryMessage | None:
    """The message; None when the bytes are none (a stray or forged datagram is no answer)."""
    try:
        message = dns.message.from_wire(wire, raise_on_truncation=False)
    except (dns.exception.DNSException, ValueError):
        return None
    return message if isinstance(message, dns.message.QueryMessage) else None


def _is_referral(message: dns.message.QueryMessage) -> bool:
    """A server that does not recurse names others to ask; taken for an answer it would read "no such data"."""
    recursive = message.flags & (dns.flags.RA | dns.flags.AA)
    return not recursive and not message.answer and any(rrset.rdtype == dns.rdatatype.NS for rrset in message.authority)


def _lookup(
    asked: str,
    rdtype: dns.rdatatype.RdataType,
    message: dns.message.QueryMessage,
    chain: dns.message.ChainingResult,
    ttl: int,
) -> Lookup:
    values: tuple[str, ...] = ()
    if message.rcode() == dns.rcode.NXDOMAIN:
        status = LookupStatus.NXDOMAIN
    elif chain.answer is None:
        status = LookupStatus.NODATA
    else:
        status = LookupStatus.FOUND
        values = tuple(_presentation(rdata) for rdata in chain.answer)
    canonical = normal_name(chain.canonical_name.to_text())
    return Lookup(
        name=asked,
        rrtype=dns.rdatatype.to_text(rdtype),
        status=status,
        values=values,
        ttl_seconds=min(ttl, _MAX_TTL_SECONDS),
        canonical_name=canonical if canonical != asked else None,
    )


def _presentation(rdata: object) -> str:
    """RFC 1035 5.1, names without their trailing dot, TXT as one undecorated text."""
    if isinstance(rdata, TXTBase):
        return b"".join(rdata.strings).decode("utf-8", "backslashreplace")
    text = rdata.to_text()  # type: ignore[attr-defined]
    return str(text) if text == "." or text.endswith(" .") else str(text).removesuffix(".")
