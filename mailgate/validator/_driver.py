"""The short loop that obeys a `SmtpProbe`: one socket, one deadline timer, nothing left open (asyncio).

The timer is armed once a connection and only looks at the clock when it goes off: each command moves the deadline,
which costs nothing. Every phase has a limit, and the whole session has one, so a host that sends a byte now and then
holds a connection no longer than a silent one.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mailgate.validator._probe import SmtpProbe, Waiting

Connect = Callable[[str, int], Awaitable[socket.socket]]

_SNI_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """Seconds for each phase of a session, and for all of it."""

    greeting: float = 30.0
    command: float = 30.0
    session: float = 90.0
    quit: float = 1.0


async def dial(address: str, port: int, *, seconds: float, source_ip: str | None = None) -> socket.socket:
    """A connected, non-blocking socket. Raises OSError (TimeoutError among them) when there is no connection."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if source_ip is not None:
            sock.bind((source_ip, 0))
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


async def run_probe(
    probe: SmtpProbe, sock: socket.socket, *, limits: TimeLimits, host: str = "", tls: ssl.SSLContext | None = None
) -> None:
    """Drive `probe` over a connected socket until it is done and the connection is closed.

    tls: for STARTTLS; None: certificates are not checked, as MTAs do (RFC 7435). host: the name for SNI.
    When cancelled it says QUIT, waits for the answer no longer than `limits.quit`, and closes.
    """
    loop = asyncio.get_running_loop()
    connection = _Connection(loop, probe, limits, host, tls)
    try:
        await loop.create_connection(lambda: connection, sock=sock)
        await asyncio.shield(connection.closed)
    except asyncio.CancelledError:
        connection.leave()
        await asyncio.wait([connection.closed], timeout=limits.quit)
        raise
    finally:
        connection.abort()


def unchecked_tls() -> ssl.SSLContext:
    """TLS without certificate checks: an MX host is found by DNS, and its name proves nothing (RFC 7435)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _Connection(asyncio.Protocol):
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        probe: SmtpProbe,
        limits: TimeLimits,
        host: str,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._loop = loop
        self._probe = probe
        self._limits = limits
        self._host = host
        self._tls = tls
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._session_end = loop.time() + limits.session
        self._deadline = self._session_end
        self._encrypting: asyncio.Task[None] | None = None
        self.closed: asyncio.Future[None] = loop.create_future()

    # --- asyncio.Protocol ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._transport is None:
            assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio gives TCP protocols nothing else
            self._transport = transport
            self._obey()

    def data_received(self, data: bytes) -> None:
        try:
            self._probe.receive(data)
            self._obey()
        except BaseException as error:
            # asyncio would close the connection, and a bug of ours would look like a host that hangs up.
            self._finish(error)
            raise

    def eof_received(self) -> None:
        """The server is done talking; asyncio closes, and `connection_lost` follows."""

    def connection_lost(self, error: Exception | None) -> None:
        if self._encrypting is not None:
            return  # the handshake reports its own failure
        self._probe.lost()
        self._finish()

    # --- obeying ------------------------------------------------------------------------------------------------------

    def _obey(self) -> None:
        commands = self._probe.take_commands()
        transport = self._transport
        assert transport is not None  # noqa: S101 - nothing is obeyed before `connection_made`
        if commands:
            transport.write(commands)
        waiting = self._probe.waiting
        if waiting is Waiting.NOTHING:
            self._deadline = self._loop.time() + self._limits.quit
            transport.close()
        elif waiting is Waiting.TLS:
            self._encrypting = self._loop.create_task(self._encrypt())
        elif waiting is Waiting.GOODBYE:
            self._deadline = self._loop.time() + self._limits.quit
        else:
            limit = self._limits.greeting if waiting is Waiting.GREETING else self._limits.command
            self._deadline = min(self._loop.time() + limit, self._session_end)
        if self._timer is None or self._deadline < self._timer.when():
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._deadline > self._loop.time():
            self._arm()
        elif self._probe.waiting in (Waiting.GOODBYE, Waiting.NOTHING):
            self.abort()
        else:
            self._probe.expired()
            self._obey()

    async def _encrypt(self) -> None:
        transport = self._transport
        assert transport is not None  # noqa: S101 - there was a reply to STARTTLS
        encrypted = None
        try:
            encrypted = await self._loop.start_tls(
                transport,
                self,
                self._tls or unchecked_tls(),
                server_hostname=self._host if _SNI_NAME.fullmatch(self._host) else None,
                ssl_handshake_timeout=max(self._deadline - self._loop.time(), 0.001),
            )
        except (OSError, ValueError):  # ssl.SSLError is an OSError; ValueError: a name that TLS cannot carry
            transport.abort()
        self._encrypting = None
        self._probe.tls_started(encrypted is not None)
        if encrypted is None:
            self._finish()
        else:
            self._transport = encrypted
            self._obey()

    # --- the end ------------------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Say QUIT now, when there is somebody to say it to, and close behind the answer."""
        if self._encrypting is not None:
            self._encrypting.cancel()
            self._encrypting = None
        if self._transport is None:
            self._finish()
        elif not self.closed.done():
            self._probe.give_up()
            self._obey()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None and not self.closed.done():
            self._probe.give_up()
            self._transport.abort()
        self._finish()

    def _finish(self, error: BaseException | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.closed.done():
            return
        if error is None:
            self.closed.set_result(None)
        else:
            self.closed.set_exception(error)


def can_bind(source_ip: str) -> bool:
    """True when connections can leave from `source_ip`."""
    family = socket.AF_INET6 if ":" in source_ip else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.bind((source_ip, 0))
        return True
    return False
