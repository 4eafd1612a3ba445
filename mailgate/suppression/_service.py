"""Serving policy requests: from stdin for Postfix's spawn(8), or on a TCP or UNIX socket with asyncio."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, BinaryIO

from mailgate.records import ParseError
from mailgate.suppression._delegation import PolicyService, RequestReader

if TYPE_CHECKING:
    import asyncio

_BLOCK = 16 * 1024
_SECONDS_TO_END = 1.0  # for connections at the end; who does not take an answer by then does not want it


def serve_stream(service: PolicyService, source: BinaryIO, target: BinaryIO) -> None:
    """Answer the requests of one connection, until it ends; for spawn(8), which gives it as stdin and stdout.

    Raises ParseError for what is no request; Postfix then asks again and defers.
    """
    reader = RequestReader()
    read = getattr(source, "read1", source.read)
    while data := read(_BLOCK):
        for request in reader.feed(data):
            target.write(service.reply(request))
        target.flush()


@contextlib.asynccontextmanager
async def policy_server(
    service: PolicyService,
    *,
    host: str | None = None,
    port: int | None = None,
    path: str | None = None,
    mode: int = 0o660,
) -> AsyncIterator[asyncio.Server]:
    """A running server on TCP (host, port) or on the UNIX socket `path`, whose file gets `mode`.

    A socket file that a dead server left is replaced; one that somebody listens on is not (OSError).
    Every request is answered in the loop's own thread: a look-up takes microseconds. At the end the listener and all
    connections are closed.
    """
    import asyncio  # only where it is needed: it takes a third of the time in which this room is imported

    open_writers: set[asyncio.StreamWriter] = set()
    serving: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this function as a task
        serving.add(task)
        open_writers.add(writer)
        try:
            await _serve_connection(service, reader, writer)
        finally:
            open_writers.discard(writer)
            serving.discard(task)

    if path is not None:
        _remove_dead_socket(path)
        old = os.umask(0o777)  # nobody can connect before the mode is right
        try:
            server = await asyncio.start_unix_server(serve, path)
        finally:
            os.umask(old)
        os.chmod(path, mode)
    else:
        server = await asyncio.start_server(serve, host, port)
    try:
        yield server
    finally:
        server.close()
        for writer in list(open_writers):
            writer.close()
        await server.wait_closed()
        if serving:  # `wait_closed` does not wait for them before Python 3.12; left alone they end with a traceback
            await asyncio.wait(serving, timeout=_SECONDS_TO_END)
        if path is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


async def _serve_connection(service: PolicyService, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    requests = RequestReader()
    # A client that breaks the protocol or the connection ends its own connection and nothing else.
    with contextlib.suppress(ConnectionError, ParseError):
        while data := await reader.read(_BLOCK):
            for request in requests.feed(data):
                writer.write(service.reply(request))
            await writer.drain()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def _remove_dead_socket(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise OSError(f"{path} is there and is no socket")
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)
                return
        raise OSError(f"another server listens on {path}")
