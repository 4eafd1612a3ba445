"""Hosts that do anything at any time: every address is answered once, and nothing is left open, held or counted."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from mailgate.records import SmtpReply, Stage
from mailgate.validator import Status, Validator, judge
from tests.support.smtp_world import EHLO, SILENCE, Connection, Persona, multiline
from tests.validator.world import GUARD_SECONDS, World

SEEDS = range(int(os.environ.get("MAILGATE_FUZZ", "20000")) // 4_000)
RCPT = (
    *("250 2.1.5 Ok",) * 6,
    *("550 5.1.1 User unknown",) * 5,
    *("450 4.2.0 Greylisted", "451 4.3.0 later", "452 4.5.3 too many recipients", "421 4.7.0 bye", "252 maybe"),
    *("554 5.7.1 blocked using zen.spamhaus.org", "552 5.2.2 full", "251 will forward", "nonsense", "550"),
    *("250 2.1.5 Ok\r\n421 4.4.2 bye", "450 4.7.1 rate limit", SILENCE, None),
)


class Chaos(Persona):
    """Answers by a seeded dice, differently each time."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.dice = random.Random(seed)
        self.wild = self.dice.random() < 0.6

    def answer(self, connection: Connection, line: str) -> str | None:
        verb = line.partition(" ")[0].upper()
        if not self.wild or self.dice.random() < 0.85:
            if verb == "RCPT":
                connection.dialogue.recipients.append(line[9:-1])
                return self.dice.choice(RCPT if self.wild else RCPT[:11])
            return super().answer(connection, line)
        return self.dice.choice(
            (None, SILENCE, "421 no", "500 what", "250 ok", multiline(250, EHLO), "530 5.7.0 STARTTLS")
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_anything_may_happen(seed: int) -> None:
    rng = random.Random(seed)
    world = World({f"d{i}.test": Chaos(seed * 1000 + i) for i in range(25)})
    hosts = [(f"mx.{name}", address) for name, address in world.addresses.items()]
    for i in range(6):
        world.names.domain(f"several{i}.test", *rng.sample(hosts, 3))
    world.names.domain("away.test", ("mx.away.test", "127.23.0.1"))
    world.names.records["flaky.test", "MX"] = "timeout"
    domains = [*world.addresses, *(f"several{i}.test" for i in range(6)), "away.test", "flaky.test", "gone.test"]
    addresses = [f"u{rng.randrange(40)}@{rng.choice(domains)}" for _ in range(500)]

    def nothing_is_left(validator: Validator) -> None:
        engine = validator.engine
        assert engine.gate.open == engine.deferred == 0
        for group in engine.gate.groups():
            assert (group.active, group.pending) == (0, 0), group.name
            assert not (group.left_alone and group.waiting), group.name
        for domain in engine._domains.values():
            assert domain.is_idle, domain.name

    results = world.run(
        addresses,
        ordered=bool(seed % 2),
        look=nothing_is_left,
        validator={"group_of": lambda host: f"g{crc32(host.encode()) % 7}"},
        command_seconds=0.08,
        greeting_seconds=0.08,
        session_seconds=0.6,
        rest_seconds=0.02,
        greylist_delays=(0.03,),
        max_wait_seconds=rng.choice([0.0, 0.1, 2.0]),
        look_ahead=rng.choice([50, 5_000]),
        connections=rng.choice([2, 32]),
        per_domain=rng.choice([1, 3, 8]),
        per_mx_group=rng.choice([1, 4, 8]),
        recipients_per_connection=rng.choice([1, 3, 10]),
        refusals_per_connection=rng.choice([1, 5]),
        strikes=rng.choice([1, 3, 20]),
        pace_seconds=rng.choice([0.0, 0.0, 0.002]),
        catch_all=rng.random() < 0.8,
    )
    assert Counter(result.input for result in results) == Counter(addresses)
    assert world.smtp.most_open <= 32
    for result in results:
        # Nothing is invalid without a reply that says so, or DNS.
        if result.status is Status.INVALID and result.layer == "smtp":
            assert result.reply is not None
            assert judge(result.reply, Stage.RCPT).status is Status.INVALID
        if result.status is Status.VALID:
            assert result.catch_all is False
        assert isinstance(result.reply, SmtpReply | None)
    for dialogue in world.smtp.log:
        assert set(dialogue.verbs) <= {"EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "RSET", "QUIT"}
        assert len(dialogue.recipients) <= 12


@pytest.mark.parametrize("seed", SEEDS)
def test_several_lists_at_a_time_and_one_that_nobody_reads_to_its_end(seed: int, tmp_path: Path) -> None:
    """In order and not, from an asynchronous source, with readers that dawdle, with a state file and without."""
    rng = random.Random(seed)
    world = World({f"d{i}.test": Chaos(seed * 1000 + i) for i in range(15)})
    world.names.records["flaky.test", "MX"] = "timeout"
    domains = [*world.addresses, "flaky.test", "gone.test"]
    lists = [[f"u{rng.randrange(30)}@{rng.choice(domains)}" for _ in range(150)] for _ in range(3)]
    changes = {
        "command_seconds": 0.08,
        "greeting_seconds": 0.08,
        "session_seconds": 0.6,
        "rest_seconds": 0.02,
        "greylist_delays": (0.03,),
        "max_wait_seconds": rng.choice([0.0, 0.1, 2.0]),
        "look_ahead": rng.choice([30, 5_000]),
        "connections": rng.choice([2, 32]),
        "strikes": rng.choice([1, 3, 20]),
    }

    async def read(validator: Validator, addresses: Any, ordered: bool) -> list[str]:
        found = []
        async for result in validator.stream(addresses, ordered=ordered):
            found.append(result.input)
            if rng.random() < 0.05:
                await asyncio.sleep(0.005)
        return found

    async def leave(validator: Validator, addresses: list[str]) -> None:
        async with aclosing(validator.stream(addresses)) as results:
            async for _ in results:
                if rng.random() < 0.05:
                    break

    async def slowly(addresses: list[str]) -> AsyncIterator[str]:
        for address in addresses:
            if rng.random() < 0.1:
                await asyncio.sleep(0)
            yield address

    async def run() -> None:
        state = tmp_path / "run.db" if seed % 2 else None
        async with (
            world.smtp,
            Validator(world.settings(**changes), resolve=world.names, state=state) as validator,
            asyncio.timeout(GUARD_SECONDS),
        ):
            in_order, as_they_come, from_source, _, *single = await asyncio.gather(
                read(validator, lists[0], True),
                read(validator, lists[1], False),
                read(validator, slowly(lists[2]), False),
                leave(validator, lists[2]),
                *(validator.validate(address) for address in lists[1][:10]),
            )
        assert in_order == lists[0]
        assert Counter(as_they_come) == Counter(lists[1])
        assert Counter(from_source) == Counter(lists[2])
        assert [result.input for result in single] == lists[1][:10]

    asyncio.run(run())
