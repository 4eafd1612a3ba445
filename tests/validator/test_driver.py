"""The loop that obeys: every way of wasting our time has an end, and nothing stays open."""

from __future__ import annotations

import asyncio
import contextlib
import doctest
import importlib
import pkgutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

import mailgate.validator
from mailgate.records import Stage
from mailgate.validator import Answer, Finding, ProbeSettings, SmtpProbe, Target, TimeLimits, Waiting, run_probe
from mailgate.validator._driver import can_bind, dial

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
QUICK = TimeLimits(greeting=0.1, command=0.1, session=1.0, quit=0.1)


@contextlib.asynccontextmanager
async def serving(script: Script) -> AsyncIterator[int]:
    tasks = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await script(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.sleep(0)
        await server.wait_closed()


def meet(script: Script, limits: TimeLimits = QUICK, targets: int = 3) -> tuple[SmtpProbe, list[Answer]]:
    """One session with a server that behaves like `script`."""
    waiting = [Target(f"u{i}@example.com") for i in range(targets)]
    answers: list[Answer] = []
    probe = SmtpProbe(
        ProbeSettings(helo="probe.sender.test", mail_from="probe@sender.test"),
        next_target=lambda: waiting.pop(0) if waiting else None,
        next_random=lambda: None,
        answered=answers.append,
    )

    async def run() -> None:
        async with serving(script) as port:
            sock = await dial("127.0.0.1", port, seconds=1)
            await run_probe(probe, sock, limits=limits)
            assert sock.fileno() == -1, "the socket is closed"

    asyncio.run(run())
    assert probe.waiting is Waiting.NOTHING
    return probe, answers


async def say(writer: asyncio.StreamWriter, text: bytes) -> None:
    writer.write(text)
    await writer.drain()


async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await say(writer, b"220 ")
    while True:
        await say(writer, b"x")
        await asyncio.sleep(0.01)


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def no_goodbye(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await say(writer, b"220 mx\r\n")
    while line := await reader.readline():
        if not line.startswith(b"QUIT"):
            await say(writer, b"250 ok\r\n")


async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await say(writer, b"220 mx\r\n")
    while await reader.readline():
        await asyncio.sleep(0.06)
        await say(writer, b"250 ok\r\n")


async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await say(writer, b"220-" + b"x" * 1000 + b"\r\n")


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await say(writer, b"220 mx\r\n")
    await reader.readline()
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@pytest.mark.parametrize("script", [dribble, mute])
def test_a_greeting_that_never_ends_has_an_end(script: Script) -> None:
    probe, answers = meet(script)
    assert answers == []
    assert probe.failure is not None
    assert (probe.failure.reason, probe.failure_stage) == (Finding.TIMEOUT, Stage.CONNECT)


def test_a_goodbye_is_not_waited_for_without_end() -> None:
    probe, answers = meet(no_goodbye)
    assert [answer.verdict.reason for answer in answers] == [Finding.ACCEPTED] * 3
    assert probe.failure is None


def test_a_whole_session_has_a_limit_of_its_own() -> None:
    """Every answer comes within its limit, and all of them together take too long."""
    limits = TimeLimits(greeting=0.5, command=0.5, session=0.3, quit=0.1)
    _, answers = meet(slow, limits, targets=50)
    assert 0 < len(answers) < 10
    assert answers[-1].verdict.reason is Finding.TIMEOUT
    assert all(answer.verdict.reason is Finding.ACCEPTED for answer in answers[:-1])


def test_a_flood_is_stopped() -> None:
    probe, _ = meet(flood)
    assert probe.failure is not None
    assert probe.failure.evidence == "too_large"


def test_a_reset_is_a_lost_connection() -> None:
    probe, _ = meet(reset)
    assert probe.failure is not None
    assert (probe.failure.reason, probe.failure_stage) == (Finding.CONNECTION_LOST, Stage.EHLO)


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ConnectionRefusedError):
            asyncio.run(dial("127.0.0.1", port, seconds=1))
    with pytest.raises(OSError, match="Cannot assign"):
        asyncio.run(dial("127.0.0.1", port, seconds=1, source_ip="192.0.2.1"))


def test_who_is_never_answered_gives_up_dialling() -> None:
    async def run() -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            port = listener.getsockname()[1]
            opened: list[socket.socket] = []

            async def fill_the_queue() -> None:
                while len(opened) < 50:  # that of a listener that accepts nobody is soon full
                    opened.append(await dial("127.0.0.1", port, seconds=0.1))

            with pytest.raises(TimeoutError):
                await fill_the_queue()
            for sock in opened:
                sock.close()

    asyncio.run(run())


def test_addresses_of_this_machine() -> None:
    assert can_bind("127.0.0.1")
    assert not can_bind("192.0.2.1")
    assert not can_bind("2001:db8::1")


def test_the_examples_in_the_room_run() -> None:
    names = [f"mailgate.validator.{module.name}" for module in pkgutil.iter_modules(mailgate.validator.__path__)]
    attempted = 0
    for name in ["mailgate.validator", *names]:
        if not name.endswith("__main__"):
            result = doctest.testmod(importlib.import_module(name))
            assert result.failed == 0, name
            attempted += result.attempted
    assert attempted > 15
