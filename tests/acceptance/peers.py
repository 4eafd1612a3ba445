"""SMTP peers that do what no real server does on demand; each session is one JSON line in a log.

`python -m tests.acceptance.peers LOG` listens on port 25 of its addresses until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KNOWN = {f"user{number}@many.test" for number in range(200)}


@dataclass
class Session:
    """What one connection said and how many were open with it."""

    peer: str
    open_at_once: int
    commands: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return {"peer": self.peer, "open_at_once": self.open_at_once, "commands": self.commands}


class Peer:
    """One address with one way of answering RCPT; None is silence."""

    def __init__(self, name: str, greeting: str, on_recipient: Callable[[str], str | None], log: Any) -> None:
        self.name = name
        self.greeting = greeting
        self.on_recipient = on_recipient
        self.log = log
        self.open = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        session = Session(self.name, self.open)
        try:
            await self._talk(session, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            print(json.dumps(session.to_dict()), file=self.log, flush=True)
            writer.close()

    async def _talk(self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.greeting.encode() + b"\r\n")
        if self.greeting.startswith("421"):
            await writer.drain()
            return
        while line := (await reader.readline()).decode("utf-8", "replace").strip():
            session.commands.append(line)
            answer = self._answer(line)
            if answer is not None:
                await asyncio.sleep(0.01)
                writer.write(answer.encode() + b"\r\n")
            if line.upper() == "QUIT":
                return

    def _answer(self, line: str) -> str | None:
        verb = line.split(":")[0].split(" ")[0].upper()
        if verb == "RCPT":
            return self.on_recipient(line.partition("<")[2].partition(">")[0].lower())
        return {
            "EHLO": f"250-{self.name}\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES",
            "MAIL": "250 2.1.0 Ok",
            "RSET": "250 2.0.0 Ok",
            "NOOP": "250 2.0.0 Ok",
            "QUIT": "221 2.0.0 Bye",
        }.get(verb, "502 5.5.1 Not here")


def known_only(recipient: str) -> str:
    return "250 2.1.5 Ok" if recipient in KNOWN else "550 5.1.1 No such user"


async def main(log_path: str) -> None:
    with open(log_path, "a", encoding="utf-8") as log:
        peers = {
            "127.0.0.41": Peer("mx.mail421.test", "421 Service not available", known_only, log),
            "127.0.0.42": Peer("mx.mute.test", "220 mx.mute.test ESMTP", lambda recipient: None, log),
            "127.0.0.44": Peer("mx.many.test", "220 mx.many.test ESMTP", known_only, log),
        }
        for address, peer in peers.items():
            await asyncio.start_server(peer, address, 25)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
