"""Scripted SMTP servers on loopback: one behaviour (persona) an address, and a log of all that was said to them.

    async with SmtpWorld({"127.10.0.1": Persona(rcpt=knows("ann")), "127.10.0.2": Persona(banner=None)}) as world:
        ...  # connect to world.port at those addresses
    world.log  # one Dialogue a connection

All addresses share one port. A persona answers commands; what it returns is sent as it stands (CRLF added), None closes
the connection without a word, SILENCE never answers. `delay_seconds` comes before every reply.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

SILENCE = "silence"
EHLO = ("mx.test", "PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8")
OK = "250 2.1.5 Ok"
UNKNOWN_USER = "550 5.1.1 <{rcpt}>: Recipient address rejected: User unknown"


def multiline(code: int, lines: Iterable[str]) -> str:
    """A reply of several lines."""
    texts = list(lines)
    return "\r\n".join(f"{code}{'-' if i < len(texts) - 1 else ' '}{text}" for i, text in enumerate(texts))


@dataclass
class Dialogue:
    """One connection as the server saw it. Times are those of the event loop; closed is when it was over for us."""

    address: str
    peer: str
    opened: float
    closed: float | None = None
    commands: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    encrypted: bool = False

    @property
    def verbs(self) -> list[str]:
        return [command.partition(" ")[0].upper() for command in self.commands]

    @property
    def domains(self) -> set[str]:
        return {recipient.rpartition("@")[2] for recipient in self.recipients}


@dataclass
class Persona:
    """How a server behaves; the defaults take every recipient.

    greeting: None hangs up at once. helo_only: EHLO is not known. rcpt: gets the connection and the recipient.
    """

    banner: str | None = "220 mx.test ESMTP"
    banner_delay: float = 0.0
    delay_seconds: float = 0.0
    extensions: tuple[str, ...] = EHLO
    helo_only: bool = False
    ehlo_reply: str | None = ""
    mail_reply: str | None = ""
    quit_reply: str | None = "221 2.0.0 Bye"
    rcpt: Callable[[Connection, str], str | None] = lambda connection, recipient: OK
    tls: ssl.SSLContext | None = None
    tls_required: bool = False

    def answer(self, connection: Connection, line: str) -> str | None:
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        if verb == "EHLO":
            return self.ehlo(connection)
        if verb == "HELO":
            return "250 mx.test"
        if verb == "STARTTLS":
            return "220 2.0.0 Ready to start TLS" if self.tls is not None else "502 5.5.1 not offered"
        if verb == "MAIL":
            return self.mail(connection, rest)
        if verb == "RCPT":
            recipient = rest[rest.find("<") + 1 : rest.rfind(">")]
            connection.dialogue.recipients.append(recipient)
            return self.rcpt_reply(connection, recipient)
        if verb == "RSET":
            connection.in_transaction = 0
            return "250 2.0.0 Ok"
        if verb == "QUIT":
            connection.leaving = True
            return self.quit_reply
        return "500 5.5.2 Error: bad syntax"

    def ehlo(self, connection: Connection) -> str | None:
        if self.ehlo_reply != "":
            return self.ehlo_reply
        if self.helo_only:
            return "502 5.5.1 Command not implemented"
        offered = self.extensions
        if self.tls is not None and not connection.dialogue.encrypted:
            offered = (*offered, "STARTTLS")
        return multiline(250, offered)

    def mail(self, connection: Connection, rest: str) -> str | None:
        connection.in_transaction = 0
        if self.tls_required and not connection.dialogue.encrypted:
            return "530 5.7.0 Must issue a STARTTLS command first"
        if "SMTPUTF8" in rest and "SMTPUTF8" not in self.extensions:
            return "555 5.5.4 Unsupported option: SMTPUTF8"
        return "250 2.1.0 Ok" if self.mail_reply == "" else self.mail_reply

    def rcpt_reply(self, connection: Connection, recipient: str) -> str | None:
        connection.in_transaction += 1
        reply = self.rcpt(connection, recipient)
        return reply if reply is None else reply.replace("{rcpt}", recipient)


def knows(*users: str, otherwise: str = UNKNOWN_USER) -> Callable[[Connection, str], str | None]:
    """Accepts these local parts."""
    known = set(users)
    return lambda connection, recipient: OK if recipient.rpartition("@")[0] in known else otherwise


def replies(**by_local_part: str | None) -> Callable[[Connection, str], str | None]:
    """A reply for each local part (`_` stands for a dash); the others are unknown users."""
    table = {name.replace("_", "-"): reply for name, reply in by_local_part.items()}
    return lambda connection, recipient: table.get(recipient.rpartition("@")[0], UNKNOWN_USER)


class Greylisting:
    """450 until the same client, sender and recipient come back after `delay_seconds`, as postgrey does."""

    def __init__(
        self,
        after: Callable[[Connection, str], str | None],
        delay_seconds: float,
        text: str = "450 4.2.0 <{rcpt}>: Recipient address rejected: Greylisted",
    ) -> None:
        self.after = after
        self.delay_seconds = delay_seconds
        self.text = text
        self.seen: dict[tuple[str, str, str], float] = {}
        self.early = 0

    def __call__(self, connection: Connection, recipient: str) -> str | None:
        triplet = (connection.dialogue.peer, connection.sender, recipient)
        now = asyncio.get_running_loop().time()
        first = self.seen.setdefault(triplet, now)
        if now - first >= self.delay_seconds:
            return self.after(connection, recipient)
        self.early += first != now
        return self.text


class HangUp:
    """Closes the connection after so many refused recipients."""

    def __init__(self, rcpt: Callable[[Connection, str], str | None], after: int) -> None:
        self.rcpt = rcpt
        self.after = after

    def __call__(self, connection: Connection, recipient: str) -> str | None:
        reply = self.rcpt(connection, recipient)
        if reply is not None and not reply.startswith("2"):
            connection.refused += 1
        if connection.refused > self.after:
            return None
        return reply


class OnePerTransaction:
    """452 on the second recipient of a transaction; `per_connection`: of the whole connection."""

    def __init__(
        self,
        rcpt: Callable[[Connection, str], str | None],
        *,
        per_connection: bool = False,
        text: str = "452 4.5.3 Too many recipients",
    ) -> None:
        self.rcpt = rcpt
        self.per_connection = per_connection
        self.text = text

    def __call__(self, connection: Connection, recipient: str) -> str | None:
        so_far = connection.accepted if self.per_connection else connection.in_transaction - 1
        if so_far >= 1:
            return self.text
        connection.accepted += 1
        return self.rcpt(connection, recipient)


class Connection(asyncio.Protocol):
    """One connection of a world."""

    def __init__(self, world: SmtpWorld) -> None:
        self._world = world
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._persona = Persona()
        self._busy = self._silent = False
        self._timers: set[asyncio.TimerHandle] = set()
        self._tls_task: asyncio.Task[None] | None = None
        self.dialogue = Dialogue("", "", 0.0)
        self.number = 0
        self.in_transaction = 0
        self.accepted = 0
        self.refused = 0
        self.leaving = False
        self.sender = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self.dialogue.address:  # STARTTLS: the same connection, encrypted
            return
        address = transport.get_extra_info("sockname")[0]
        self._persona = self._world.personas.get(address, self._world.default)
        self.dialogue = Dialogue(address, transport.get_extra_info("peername")[0], self._loop.time())
        self.number = self._world.began(self)
        if self._persona.banner is None:
            self._close()
            return
        self._busy = True
        self._later(self._persona.banner_delay or self._persona.delay_seconds, self._persona.banner)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next()

    def eof_received(self) -> bool:
        self._only_listen()
        self._ended()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._only_listen()
        self._ended()
        for timer in self._timers:
            timer.cancel()

    def _next(self) -> None:
        if self._silent:  # it listens on, and says nothing
            self._only_listen()
            return
        if self._busy or b"\n" not in self._buffer or self._transport is None:
            return
        line, _, self._buffer = self._buffer.partition(b"\n")
        text = line.rstrip(b"\r").decode("utf-8")
        self.dialogue.commands.append(text)
        if text.upper().startswith("MAIL FROM:"):
            self.sender = text[text.find("<") + 1 : text.find(">")]
        reply = self._persona.answer(self, text)
        self._busy = True
        if reply == SILENCE:
            self._silent = True
            return
        if text.upper() == "STARTTLS" and reply is not None and reply.startswith("220"):
            self._tls_task = self._loop.create_task(self._encrypt(reply))
            return
        self._later(self._persona.delay_seconds, reply)

    def _only_listen(self) -> None:
        *lines, self._buffer = self._buffer.split(b"\n")
        self.dialogue.commands += [line.rstrip(b"\r").decode("utf-8") for line in lines]

    def _later(self, seconds: float, reply: str | None) -> None:
        if seconds:
            self._timers.add(self._loop.call_later(seconds, self._send, reply))
        else:
            self._send(reply)

    def _send(self, reply: str | None) -> None:
        assert self._transport is not None
        self._busy = False
        if reply == SILENCE:
            self._silent = True
        elif reply is None or self._transport.is_closing():
            self._close()
        else:
            self.dialogue.replies.append(reply)
            self._transport.write(reply.encode("utf-8", "surrogateescape") + b"\r\n")
            if self.leaving or reply.startswith("421"):
                self._close()
            else:
                self._next()

    async def _encrypt(self, reply: str) -> None:
        assert self._transport is not None
        assert self._persona.tls is not None
        self.dialogue.replies.append(reply)
        self._transport.write(reply.encode() + b"\r\n")
        try:
            transport = await self._loop.start_tls(self._transport, self, self._persona.tls, server_side=True)
        except (OSError, ssl.SSLError):
            self._close()
            return
        self._transport = transport
        self.dialogue.encrypted = True
        self._busy = False
        self._next()

    def _close(self) -> None:
        self._ended()
        if self._transport is not None:
            self._transport.close()

    def _ended(self) -> None:
        if self.dialogue.closed is None:
            self.dialogue.closed = self._loop.time()
            self._world.ended(self)

    def abort(self) -> None:
        if self._tls_task is not None:
            self._tls_task.cancel()
        if self._transport is not None:
            self._transport.abort()


class SmtpWorld:
    """Personas by address, one port; `default` answers at the others of `addresses`."""

    def __init__(
        self,
        personas: dict[str, Persona] | None = None,
        *,
        default: Persona | None = None,
        addresses: Iterable[str] = (),
        port: int = 0,
    ) -> None:
        self.personas = personas or {}
        self.default = default or Persona()
        self.addresses = list(dict.fromkeys([*self.personas, *addresses])) or ["127.0.0.1"]
        self.port = port
        self.log: list[Dialogue] = []
        self.open: set[Connection] = set()
        self.most_open = 0
        self.connection_class = Connection
        self._numbers = count(1)
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> SmtpWorld:
        loop = asyncio.get_running_loop()
        for address in self.addresses:
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((address, self.port))
            self.port = self.port or sock.getsockname()[1]
            self._servers.append(await loop.create_server(lambda: self.connection_class(self), sock=sock, backlog=1000))
        return self

    async def __aexit__(self, *_: Any) -> None:
        for server in self._servers:
            server.close()
        for connection in list(self.open):
            connection.abort()
        await asyncio.sleep(0)
        for server in self._servers:
            await server.wait_closed()
        await asyncio.sleep(0)

    def began(self, connection: Connection) -> int:
        self.log.append(connection.dialogue)
        self.open.add(connection)
        self.most_open = max(self.most_open, len(self.open))
        return next(self._numbers)

    def ended(self, connection: Connection) -> None:
        self.open.discard(connection)

    def most_open_by(self, key: Callable[[Dialogue], Any]) -> dict[Any, int]:
        """For each value of `key` the largest number of connections that were open at the same time."""
        moments: dict[Any, list[tuple[float, int]]] = {}
        for dialogue in self.log:
            events = moments.setdefault(key(dialogue), [])
            events.append((dialogue.opened, 1))
            events.append((float("inf") if dialogue.closed is None else dialogue.closed, -1))
        most = {}
        for value, events in moments.items():
            now = most[value] = 0
            for _, step in sorted(events, key=lambda event: (event[0], event[1])):
                now += step
                most[value] = max(most[value], now)
        return most

    def dialogues(self, address: str) -> list[Dialogue]:
        return [dialogue for dialogue in self.log if dialogue.address == address]

    def recipients(self) -> list[str]:
        return [recipient for dialogue in self.log for recipient in dialogue.recipients]
