"""The validator beside the bare asyncio bound: `python tests/bench/bench_validator.py [--quick]`.

A fake SMTP server in a process of its own answers every command 100 ms after it came, for 2,000 domains with 10
addresses each, a fifth of them unknown. The bound is the least that asyncio streams need for the same questions: one
connection a domain, target addresses, a random one where nobody was refused, QUIT; no checks, no limits but the
number of connections, no DNS. Ratios are ours to the bound's in the same run. CPU is that of this process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import platform
import random
import resource
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from mailgate.records import Lookup, LookupStatus
from mailgate.resolver import CachingResolver, DnsResolver, StaticResolver
from mailgate.validator import Level, Settings, Validator, check_syntax
from tests.support.dns_world import DnsWorld

SEED = 5321
HOST = "127.0.0.1"


def address_list(domains: int, each: int = 10) -> list[str]:
    """Domain-sorted; local parts that begin with `u` are unknown to the server."""
    return [f"{'u' if n % 5 == 4 else 'k'}{n}@bench{d}.net" for d in range(domains) for n in range(each)]


# --- the server -------------------------------------------------------------------------------------------------------


class FakeServer(asyncio.Protocol):
    """Answers each command `delay` seconds after it came; users that begin with k exist."""

    delay = 0.1
    opened = recipients = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        type(self).opened += 1
        self._answer(b"220 mx ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\n" in self._buffer:
            line, _, self._buffer = self._buffer.partition(b"\n")
            verb = line[:4].upper()
            if verb == b"RCPT":
                type(self).recipients += 1
                known = line[9:10] == b"k" and line[10:11].isdigit()
                self._answer(b"250 2.1.5 Ok\r\n" if known else b"550 5.1.1 User unknown\r\n")
            elif verb == b"EHLO":
                self._answer(b"250-mx\r\n250 8BITMIME\r\n")
            elif verb == b"QUIT":
                self._answer(b"221 2.0.0 Bye\r\n", close=True)
            else:
                self._answer(b"250 2.0.0 Ok\r\n")

    def _answer(self, reply: bytes, *, close: bool = False) -> None:
        if self.delay:
            self._loop.call_later(self.delay, self._send, reply, close)
        else:
            self._send(reply, close)

    def _send(self, reply: bytes, close: bool) -> None:
        self._transport.write(reply)  # type: ignore[attr-defined]
        if close:
            self._transport.close()


def serve(pipe: Pipe, delay: float) -> None:
    FakeServer.delay = delay

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(FakeServer, HOST, 0, backlog=2000)
        zone: dict[str, object] = {}
        async with BenchDns(zone) as dns:
            pipe.send((server.sockets[0].getsockname()[1], dns.port))
            while not pipe.poll():
                await asyncio.sleep(0.05)

    asyncio.run(run())


class BenchDns(DnsWorld):
    """`mx.<domain>` for each domain, so that every domain is an MX group of its own."""

    def _entry(self, name: str) -> object:
        if name.startswith("mx."):
            return {"A": [HOST]}
        return {"MX": [f"10 mx.{name}"]}


@contextlib.contextmanager
def server(delay: float) -> Iterator[tuple[int, int]]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, delay), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


# --- the bound --------------------------------------------------------------------------------------------------------


async def bound(addresses: list[str], port: int, connections: int) -> int:
    """The same questions with asyncio streams and nothing else."""
    by_domain: dict[str, list[str]] = {}
    for address in addresses:
        by_domain.setdefault(address.rpartition("@")[2], []).append(address)
    queue = list(by_domain.items())
    answered = 0

    async def worker() -> None:
        nonlocal answered
        while queue:
            domain, targets = queue.pop()
            reader, writer = await asyncio.open_connection(HOST, port)
            await reader.readline()
            for command in (b"EHLO probe.sender.test\r\n", b"MAIL FROM:<probe@sender.test>\r\n"):
                writer.write(command)
                while (await reader.readline())[3:4] == b"-":
                    pass
            refused = False
            for target in targets:
                writer.write(f"RCPT TO:<{target}>\r\n".encode())
                refused |= not (await reader.readline()).startswith(b"250")
                answered += 1
            if not refused:
                writer.write(f"RCPT TO:<{'x' * 16}@{domain}>\r\n".encode())
                await reader.readline()
            writer.write(b"QUIT\r\n")
            await reader.readline()
            writer.close()

    await asyncio.gather(*(worker() for _ in range(connections)))
    return answered


async def ours(addresses: list[str], ports: tuple[int, int], connections: int, **settings: object) -> int:
    chosen = Settings(
        level=Level.SMTP,
        helo="probe.sender.test",
        mail_from="probe@sender.test",
        allow_private=True,
        port=ports[0],
        pace_seconds=0.0,
        connections=connections,
        **settings,  # type: ignore[arg-type]
    )
    resolve = CachingResolver(DnsResolver(nameservers=[HOST], port=ports[1]))
    done = 0
    async with Validator(chosen, resolve=resolve) as validator:
        async for result in validator.stream(addresses):
            expected = "valid" if result.input.startswith("k") else "invalid"
            if result.status != expected:
                raise SystemExit(f"wrong result: {result}")
            done += 1
    return done


def timed(work: object) -> tuple[int, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    done = asyncio.run(work)  # type: ignore[arg-type]
    return done, time.perf_counter() - wall, time.process_time() - cpu


def bench_smtp(domains: int, connections: tuple[int, ...]) -> None:
    addresses = address_list(domains)
    shuffled = addresses[:]
    random.Random(SEED).shuffle(shuffled)
    for limit in connections:
        with server(0.1) as ports:
            done, bound_wall, bound_cpu = timed(bound(shuffled, ports[0], limit))
            assert done == len(addresses)
            report(f"bound, {limit} connections", done, bound_wall, bound_cpu)
            walls = {}
            for name, listed in (("shuffled", shuffled), ("sorted by domain", addresses)):
                done, wall, cpu = timed(ours(listed, ports, limit))
                assert done == len(addresses)
                walls[name] = wall
                report(f"ours, {limit} connections, {name}", done, wall, cpu)
                print(f"    to the bound: {bound_wall / wall:.3f}")
            print(f"    sorted to shuffled: {walls['shuffled'] / walls['sorted by domain']:.3f}")


def report(name: str, done: int, wall: float, cpu: float) -> None:
    print(f"{name}: {done / wall:,.1f} addresses/s, {1000 * cpu / done:.3f} ms CPU each")


# --- without SMTP -----------------------------------------------------------------------------------------------------


def best(work: object, count: int, rounds: int = 5) -> float:
    """Items a second of CPU time, the best of `rounds`."""
    fastest = 1e9
    for _ in range(rounds):
        started = time.process_time()
        work()  # type: ignore[operator]
        fastest = min(fastest, time.process_time() - started)
    return count / fastest


def bench_syntax() -> None:
    rng = random.Random(SEED)
    plain = [f"user{rng.randrange(10**6)}.name+t@mail{rng.randrange(500)}.example.co.uk" for _ in range(20_000)]
    international = [f"jörg{i}@bücher{i % 500}.example" for i in range(5_000)]
    rate = best(lambda: [check_syntax(address) for address in plain], len(plain))
    print(f"syntax, ASCII: {rate:,.0f}/s")
    print(f"syntax, not ASCII: {best(lambda: [check_syntax(a) for a in international], len(international)):,.0f}/s")
    try:
        from email_validator import validate_email
    except ImportError:
        print("email-validator is not installed: no ratio")
    else:
        few = plain[:2_000]
        peer = best(lambda: [validate_email(a, check_deliverability=False) for a in few], len(few), 3)
        print(f"email-validator {version('email-validator')}: {peer:,.0f}/s; ours is {rate / peer:.1f} times that")


def bench_dns() -> None:
    addresses = [f"user{i}@d{i % 1000}.example.net" for i in range(100_000)]
    zone = {f"d{i}.example.net": {"MX": [f"10 mx.d{i}.example.net"]} for i in range(1000)}
    zone |= {f"mx.d{i}.example.net": {"A": ["8.8.8.8"]} for i in range(1000)}

    async def run() -> int:
        async with Validator(Settings(level=Level.DNS), resolve=StaticResolver(zone)) as validator:
            async for _ in validator.stream(addresses[:2000]):
                pass
            started, count = time.process_time(), 0
            async for _ in validator.stream(addresses):
                count += 1
            print(f"syntax and cached DNS: {count / (time.process_time() - started):,.0f}/s")
            return count

    asyncio.run(run())


def bench_memory(lines: int) -> None:
    """In a process of its own, because the peak never comes down again."""
    process = multiprocessing.get_context("spawn").Process(target=_stream_lines, args=(lines,))
    process.start()
    process.join()


def _stream_lines(lines: int) -> None:
    async def resolve(name: str, rrtype: str) -> Lookup:
        values = ("10 mx.example.net",) if rrtype == "MX" else ("8.8.8.8",)
        return Lookup(name=name, rrtype=rrtype, status=LookupStatus.FOUND, values=values, ttl_seconds=300)

    async def run() -> None:
        async with Validator(Settings(level=Level.DNS), resolve=resolve) as validator:
            count = 0
            source = (f"user{i}@d{i * 7919 % 100_003}.example.net" for i in range(lines))
            async for _ in validator.stream(source):
                count += 1
                if count in (lines // 10, lines):
                    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                    print(f"stream, level dns, after {count:,} lines over 100,003 domains: peak {peak:.0f} MB")

    asyncio.run(run())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the addresses")
    parser.add_argument("--only", choices=["syntax", "dns", "memory", "smtp"])
    parser.add_argument("--connections", type=int, action="append")
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, seed {SEED}, dnspython {_version('dnspython')}")
    scale = 10 if arguments.quick else 1
    if arguments.only in (None, "syntax"):
        bench_syntax()
    if arguments.only in (None, "dns"):
        bench_dns()
    if arguments.only in (None, "memory"):
        bench_memory(1_000_000 // scale)
    if arguments.only in (None, "smtp"):
        bench_smtp(2_000 // scale, tuple(arguments.connections or (32, 256)))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"


if __name__ == "__main__":
    main()
