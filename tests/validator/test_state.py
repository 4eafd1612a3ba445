"""The state file: what was handed out is never asked again, kill -9 included, and nobody's address stands in it."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailgate.validator import Level, StateError, Status, Validation, Validator
from mailgate.validator._state import Deferred, DomainFacts, State, result_key
from tests.support.dns_world import InThread
from tests.support.smtp_world import OK, Connection, Greylisting, Persona, SmtpWorld, knows
from tests.support.together import all_at_once
from tests.validator.world import World, told

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def world_of(**personas: Persona) -> World:
    return World({f"{name}.test": persona for name, persona in personas.items()})


def run(world: World, addresses: list[str], path: Path, *, at: datetime = NOW, **changes: Any) -> list[Validation]:
    world.smtp.port, world.smtp._servers, world.smtp.log = 0, [], []
    return world.run(addresses, validator={"state": path, "utcnow": lambda: at}, **changes)


def test_what_is_stored_is_not_asked_again_and_comes_back_whole(tmp_path: Path) -> None:
    world = world_of(
        normal=Persona(rcpt=knows("ann")),
        catchall=Persona(),
        full=Persona(rcpt=lambda c, r: "552 5.2.2 <{rcpt}>: over quota"),
    )
    addresses = ["ann@normal.test", "zoe@normal.test", "a@catchall.test", "b@full.test", "broken", "x@null.test"]
    world.names.records["null.test", "MX"] = ("0 .",)
    first = run(world, addresses, tmp_path / "run.db")
    assert world.smtp.recipients()
    world.names.asked.clear()
    second = run(world, ["ANN@normal.test", *addresses[1:]], tmp_path / "run.db", at=NOW + timedelta(days=1))
    assert world.smtp.log == []
    assert world.names.asked == []
    by_key = {result.input.lower(): result for result in first}
    for result in second:
        before = by_key[result.input.lower()]
        assert {**result.to_dict(), "input": "", "address": ""} | (
            {"checked_at": ""} if result.mailbox is None else {}
        ) == {**before.to_dict(), "input": "", "address": ""} | ({"checked_at": ""} if result.mailbox is None else {})
    assert {r.input for r in second} == {"ANN@normal.test", *addresses[1:]}


def test_no_address_stands_in_the_file_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    world = world_of(secret=Persona(rcpt=lambda c, r: "550 5.1.1 <{rcpt}> unknown; {rcpt}"))
    (result,) = run(world, ["Very.Private@secret.test"], path)
    assert "Very.Private@secret.test" in (result.smtp_text or "")
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"private" not in content.lower()
    assert path.stat().st_mode & 0o777 == 0o600
    (again,) = run(world, ["Very.Private@secret.test"], path)
    assert again.smtp_text == result.smtp_text


def test_unknown_results_are_asked_again_when_their_time_has_come(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    world = world_of(
        later=Persona(rcpt=lambda c, r: "451 4.3.0 lookup failure, retry in 10 minutes"),
        policy=Persona(rcpt=lambda c, r: "554 5.7.1 rejected by our policy"),
    )
    names = ["a@later.test", "a@policy.test"]
    run(world, names, path)
    run(world, names, path, at=NOW + timedelta(minutes=9))
    assert world.smtp.log == []
    run(world, names, path, at=NOW + timedelta(minutes=11))
    assert world.smtp.recipients() == ["a@later.test"]


def test_a_result_has_an_age(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    world = world_of(normal=Persona(rcpt=knows("ann")))
    run(world, ["zoe@normal.test"], path)
    run(world, ["zoe@normal.test"], path, at=NOW + timedelta(days=29))
    assert world.smtp.log == []
    run(world, ["zoe@normal.test"], path, at=NOW + timedelta(days=31))
    assert world.smtp.recipients() == ["zoe@normal.test"]


def test_levels_do_not_answer_for_each_other(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    world = world_of(normal=Persona(rcpt=knows("ann")))
    (dns,) = run(world, ["zoe@normal.test"], path, level=Level.DNS)
    assert dns.status is Status.VALID
    (smtp,) = run(world, ["zoe@normal.test"], path)
    assert smtp.status is Status.INVALID


def test_facts_about_domains_are_kept(tmp_path: Path) -> None:
    """MX for its TTL, the catch-all answer for a day: the next address of the domain costs one recipient."""
    path = tmp_path / "run.db"
    world = world_of(catchall=Persona(), normal=Persona(rcpt=knows("ann", "bob")))
    run(world, ["a@catchall.test", "ann@normal.test"], path)
    world.names.asked.clear()
    results = told(run(world, ["b@catchall.test", "bob@normal.test"], path, at=NOW + timedelta(seconds=200)))
    assert results == {
        "b@catchall.test": ("catch_all", "accepted", True),
        "bob@normal.test": ("valid", "accepted", False),
    }
    assert sorted(world.smtp.recipients()) == ["b@catchall.test", "bob@normal.test"]
    assert [question for question in world.names.asked if question[1] == "MX"] == []
    run(world, ["c@catchall.test"], path, at=NOW + timedelta(days=2))
    assert len(world.smtp.recipients()) == 2
    assert ("catchall.test", "MX") in world.names.asked


def test_a_greylisted_address_keeps_its_appointment_over_a_new_start(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    world = world_of(greylist=Persona(rcpt=Greylisting(knows("ann"), 0.001)))

    async def killed() -> None:
        """As far as the refusal, then the program is gone."""
        async with world.smtp:
            settings = world.settings(greylist_delays=(300.0,), max_wait_seconds=900)
            async with Validator(settings, resolve=world.names, state=path, utcnow=lambda: NOW) as validator:
                stream = validator.stream(["zoe@greylist.test"])
                waiting = asyncio.ensure_future(anext(stream))
                while not validator.engine.deferred:
                    await asyncio.sleep(0.01)
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
                await stream.aclose()

    asyncio.run(killed())
    with sqlite3.connect(path) as database:
        ((due, attempts),) = database.execute("SELECT due_at, attempts FROM mg_validate_deferred").fetchall()
    database.close()
    assert attempts == 1
    assert 300 <= due - NOW.timestamp() <= 304
    (result,) = run(world, ["zoe@greylist.test"], path, at=datetime.fromtimestamp(due, UTC), greylist_delays=(300.0,))
    assert (str(result.reason), result.attempts) == ("mailbox_not_found", 2)
    assert len(world.smtp.log) == 1
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM mg_validate_deferred").fetchone() == (0,)
    database.close()


def test_a_file_that_is_none_and_one_from_the_future(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"this is not a database, it only looks long enough to be one" * 20)
    with pytest.raises(StateError, match="not a state file"):
        State(path, max_age_seconds=1)
    newer = tmp_path / "newer.db"
    State(newer, max_age_seconds=1).close()
    with sqlite3.connect(newer) as database:
        database.execute("UPDATE mg_schema SET version = 99 WHERE room = 'validator'")
    database.close()
    with pytest.raises(StateError, match="newer version"):
        State(newer, max_age_seconds=1)
    with pytest.raises(StateError, match="cannot open"):
        State(tmp_path / "no" / "folder.db", max_age_seconds=1)


def test_a_file_that_cannot_be_written_ends_the_run_and_hands_out_nothing(tmp_path: Path) -> None:
    world = world_of(normal=Persona(rcpt=knows("ann")))

    async def go() -> None:
        async with (
            world.smtp,
            Validator(world.settings(), resolve=world.names, state=tmp_path / "run.db") as validator,
            aclosing(validator.stream(["ann@normal.test"])) as stream,
        ):
            assert validator.state is not None
            validator.state._connection.execute("PRAGMA query_only = 1")
            with pytest.raises(StateError, match="cannot write"):
                await anext(stream)

    asyncio.run(go())


def test_several_keys_at_once(tmp_path: Path) -> None:
    state = State(tmp_path / "s.db", max_age_seconds=100)
    keys = [result_key(Level.SMTP, f"u{i}@example.com") for i in range(2_000)]
    state.store([], [(key, Deferred(5, 1)) for key in keys], [("d.example", DomainFacts(catch_all=True), 50, 0)])
    assert len(state.find([*keys, b"nobody"], 0)) == 2_000
    assert state.domain("d.example", 49).catch_all is True
    assert state.domain("d.example", 50).catch_all is None
    assert state.domain("other.example", 0) == DomainFacts()
    state.close()


# --- kill -9 ----------------------------------------------------------------------------------------------------------

WORKER = """
import asyncio, sys
from mailgate.records import Lookup, LookupStatus
from mailgate.validator import Level, Settings, Validator
count, port, state, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]

async def resolve(name, rrtype):
    value = "127.0.0.1" if rrtype == "A" else f"10 mx.{name}"
    return Lookup(name=name, rrtype=rrtype, status=LookupStatus.FOUND, values=(value,), ttl_seconds=300)

async def main():
    settings = Settings(level=Level.SMTP, helo="probe.sender.test", mail_from="probe@sender.test", allow_private=True,
                        port=port, pace_seconds=0, allow_special_use=("test",), connections=32)
    addresses = (f"{'k' if i % 5 else 'u'}{i}@d{i % (count // 10)}.test" for i in range(count))
    with open(out, "a", buffering=1) as file:
        async with Validator(settings, resolve=resolve, state=state) as validator:
            async for result in validator.stream(addresses):
                file.write(f"{result.input} {result.status}\\n")
    print("done")

asyncio.run(main())
"""


def known(connection: Connection, recipient: str) -> str:
    return OK if recipient.startswith("k") and recipient.partition("@")[0][1:].isdigit() else "550 5.1.1 User unknown"


FULL_LIST = pytest.mark.skipif("MAILGATE_SLOW" not in os.environ, reason="the full list: set MAILGATE_SLOW")


@pytest.mark.slow
@pytest.mark.parametrize("count", [2_000, pytest.param(20_000, marks=FULL_LIST)])
def test_killed_ten_times_each_address_is_answered_once_and_none_is_asked_after_it_was_stored(
    tmp_path: Path, count: int
) -> None:
    world = SmtpWorld(default=Persona(rcpt=known, delay_seconds=0.05), addresses=["127.0.0.1"])
    state, out = tmp_path / "run.db", tmp_path / "out.txt"
    stored_before: set[str] = set()
    with InThread(world):
        command = [sys.executable, "-c", WORKER, str(count), str(world.port), str(state), str(out)]
        for kill in range(11):
            already = len(world.log)
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                if kill < 10:
                    goal = len(stored_before) + count // 60
                    deadline = time.monotonic() + 60
                    while answers_in(out) < goal and process.poll() is None and time.monotonic() < deadline:
                        time.sleep(0.02)
                    process.send_signal(signal.SIGKILL)
                stdout, stderr = process.communicate()
            asked = {r for dialogue in world.log[already:] for r in dialogue.recipients}
            assert asked.isdisjoint(stored_before), "asked again after it was stored"
            if kill < 10:
                assert process.returncode == -signal.SIGKILL, stderr
                # What a killed run handed out was stored; the next one hands it out again, from the file.
                stored_before = {line.split()[0] for line in whole_lines(out)}
                out.rename(tmp_path / f"out{kill}.txt")
            else:
                assert stdout.strip() == b"done", stderr
    final = whole_lines(out)
    expected = sorted(f"{'k' if i % 5 else 'u'}{i}@d{i % (count // 10)}.test" for i in range(count))
    assert sorted(line.split()[0] for line in final) == expected
    for line in final:
        assert line.split()[1] == ("valid" if line.startswith("k") else "invalid")


def whole_lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def answers_in(path: Path) -> int:
    return len(whole_lines(path))


def test_processes_that_all_make_the_file(tmp_path: Path) -> None:
    """Runs that start together find no file; SQLite does not wait when two switch it to WAL."""
    for turn in range(25):
        path = tmp_path / f"state{turn}"
        assert all_at_once(lambda path=path: State(path, max_age_seconds=60).close()) == [0, 0, 0, 0]  # type: ignore[misc]
