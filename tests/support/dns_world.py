"""A scripted DNS server on loopback, UDP and TCP on one port, made with dnspython's messages.

A zone is data: {"example.com": {"MX": ["10 mx.example.com"], "A": ["127.0.0.2"]}, "broken.example": SERVFAIL, ...}.
Names that are not there are NXDOMAIN (NODATA when a name below them exists); `*.example.com` works as in DNS.
Behaviours do what real servers do only on bad days. Every question is kept in `questions`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from types import TracebackType
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset


class Behaviour(Enum):
    """What a name does instead of answering."""

    SERVFAIL = "servfail"
    REFUSED = "refused"
    FORMERR_ON_EDNS = "formerr_on_edns"  # answers {} records only when asked without EDNS
    SILENT = "silent"
    TRUNCATED = "truncated"  # UDP says "ask again by TCP"; TCP answers
    TRUNCATED_ALWAYS_SILENT_TCP = "truncated_silent"
    GARBAGE = "garbage"
    WRONG_ID_FIRST = "wrong_id_first"  # a forged answer comes before the true one
    WRONG_QUESTION_FIRST = "wrong_question_first"
    REFERRAL = "referral"
    CNAME_LOOP = "cname_loop"
    ANSWER_WITH_NXDOMAIN = "answer_with_nxdomain"


class Odd:
    """A behaviour together with the records that it finally answers with."""

    def __init__(self, behaviour: Behaviour, records: Mapping[str, Sequence[str]] | None = None) -> None:
        self.behaviour = behaviour
        self.records = records or {}


SERVFAIL = Odd(Behaviour.SERVFAIL)
REFUSED = Odd(Behaviour.REFUSED)
SILENT = Odd(Behaviour.SILENT)

Zone = dict[str, Any]
_NAMES = ("MX", "CNAME", "NS", "PTR")


class DnsWorld:
    """`async with DnsWorld(zone) as world:` asks at `world.host`, `world.port`.

    delay_seconds: before every answer. ttl: of every record. follow_cname: False answers like an authoritative server
    that does not know the target.
    """

    def __init__(
        self,
        zone: Zone,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ttl: int = 300,
        delay_seconds: float = 0.0,
        follow_cname: bool = True,
    ) -> None:
        self.zone = zone
        self.host = host
        self.port = port
        self.ttl = ttl
        self.delay_seconds = delay_seconds
        self.follow_cname = follow_cname
        self.questions: list[tuple[str, str]] = []
        self.tcp_questions: list[tuple[str, str]] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> DnsWorld:
        loop = asyncio.get_running_loop()
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((self.host, self.port))
        self.port = tcp.getsockname()[1]
        self._server = await asyncio.start_server(self._serve_tcp, sock=tcp)
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), local_addr=(self.host, self.port))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport is not None
        assert self._server is not None
        self._transport.close()
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    def answer(self, wire: bytes, *, tcp: bool = False) -> list[bytes]:
        """The datagrams (or TCP messages) that answer one query."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text().lower().rstrip(".")
        rrtype = dns.rdatatype.to_text(question.rdtype)
        (self.tcp_questions if tcp else self.questions).append((name, rrtype))
        entry = self._entry(name)
        response = dns.message.make_response(query, recursion_available=True)
        if isinstance(entry, Odd):
            return self._odd(entry, query, response, name, rrtype, tcp)
        self._fill(response, name, rrtype, entry)
        return [response.to_wire()]

    def _entry(self, name: str) -> Any:
        if name in self.zone:
            return self.zone[name]
        if any(other.endswith("." + name) for other in self.zone):
            return {}
        return self.zone.get("*." + name.partition(".")[2])

    def _fill(
        self, response: dns.message.Message, name: str, rrtype: str, records: Mapping[str, Sequence[str]] | None
    ) -> None:
        for _ in range(16):
            if records is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
                self._soa(response, name)
                return
            if rrtype in records:
                self._add(response, name, rrtype, records[rrtype])
                return
            if "CNAME" not in records:
                self._soa(response, name)
                return
            self._add(response, name, "CNAME", records["CNAME"])
            name = records["CNAME"][0]
            if not self.follow_cname:
                return
            entry = self._entry(name)
            records = entry.records if isinstance(entry, Odd) else entry

    def _add(self, response: dns.message.Message, name: str, rrtype: str, values: Sequence[str]) -> None:
        texts = [f"{value}." if rrtype in _NAMES and not value.endswith(".") else value for value in values]
        response.answer.append(dns.rrset.from_text(f"{name}." if name else ".", self.ttl, "IN", rrtype, *texts))

    def _soa(self, response: dns.message.Message, name: str) -> None:
        zone = name.rpartition(".")[2]
        text = f"ns.{zone}. hostmaster.{zone}. 1 2 3 4 {self.ttl}"
        response.authority.append(dns.rrset.from_text(f"{zone}.", self.ttl, "IN", "SOA", text))

    def _odd(
        self,
        odd: Odd,
        query: dns.message.Message,
        response: dns.message.Message,
        name: str,
        rrtype: str,
        tcp: bool,
    ) -> list[bytes]:
        kind = odd.behaviour
        if kind is Behaviour.SILENT:
            return []
        if kind in (Behaviour.SERVFAIL, Behaviour.REFUSED):
            response.set_rcode(dns.rcode.from_text(kind.value.upper()))
            return [response.to_wire()]
        if kind is Behaviour.GARBAGE:
            return [b"\x00garbage", response.to_wire()[:7]]
        if kind is Behaviour.FORMERR_ON_EDNS and query.edns >= 0:
            response.set_rcode(dns.rcode.FORMERR)
            return [response.to_wire()]
        if kind in (Behaviour.TRUNCATED, Behaviour.TRUNCATED_ALWAYS_SILENT_TCP) and not tcp:
            response.flags |= dns.flags.TC
            return [response.to_wire()]
        if kind is Behaviour.TRUNCATED_ALWAYS_SILENT_TCP:
            return []
        if kind is Behaviour.REFERRAL:
            response.flags &= ~dns.flags.RA
            response.authority.append(dns.rrset.from_text(f"{name}.", 60, "IN", "NS", f"ns.{name}."))
            return [response.to_wire()]
        if kind is Behaviour.CNAME_LOOP:
            self._add(response, name, "CNAME", [f"loop.{name}"])
            self._add(response, f"loop.{name}", "CNAME", [name])
            return [response.to_wire()]
        self._fill(response, name, rrtype, odd.records)
        true = response.to_wire(max_size=65_535)
        if kind is Behaviour.ANSWER_WITH_NXDOMAIN:
            response.set_rcode(dns.rcode.NXDOMAIN)
            return [response.to_wire()]
        if kind is Behaviour.WRONG_ID_FIRST:
            forged = dns.message.from_wire(true)
            forged.id ^= 1
            return [forged.to_wire(), true]
        if kind is Behaviour.WRONG_QUESTION_FIRST:
            other = dns.message.make_query("forged.example.", rrtype)
            forged = dns.message.make_response(other)
            forged.id = query.id
            return [forged.to_wire(), true]
        return [true]

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            size = int.from_bytes(await reader.readexactly(2), "big")
            for wire in self.answer(await reader.readexactly(size), tcp=True):
                writer.write(len(wire).to_bytes(2, "big") + wire)
                await writer.drain()
            await reader.read()
        self._writers.discard(writer)
        writer.transport.abort()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, world: DnsWorld) -> None:
        self._world = world
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        answers = self._world.answer(data)
        if self._world.delay_seconds:
            asyncio.get_running_loop().call_later(self._world.delay_seconds, self._send, answers, address)
        else:
            self._send(answers, address)

    def _send(self, answers: list[bytes], address: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            for wire in answers:
                self._transport.sendto(wire, address)


class InThread:
    """`with InThread(world): ...` runs any async context manager on an event loop of its own, for blocking clients."""

    def __init__(self, *worlds: Any) -> None:
        self._worlds = worlds
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> InThread:
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if error is None and self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            self._error = error
        finally:
            self._ready.set()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _serve(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for world in self._worlds:
                await stack.enter_async_context(world)
            self._ready.set()
            await self._stop.wait()


@contextlib.contextmanager
def free_udp_port() -> Iterator[int]:
    """A port with nobody on it, held only while its number is chosen."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    yield port
