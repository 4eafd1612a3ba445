"""Processes that work on one list at once, and processes that are killed; run as a program by `test_hard.py`.

A program of its own, because it forks: `python -m tests.suppression.hard kills|writers WHERE …` prints one JSON object.
"""

from __future__ import annotations

import io
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from mailgate.records import Event, EventKind, Permanence, Reason
from mailgate.suppression import SuppressionReason, SuppressionStore

NOW = datetime(2026, 1, 31, tzinfo=UTC)
ROWS = 3_000
PIECE_ROWS = 150
EVENTS = 600
BATCH = 12


def clock() -> datetime:
    return NOW


def listed() -> bytes:
    """A list with duplicates, rejects, domains, and rows that change entries that are there."""
    random_ = random.Random(3)
    reasons = ("bounce", "complaint", "unsub", "soft bounce")
    rows = [
        f"U{random_.randrange(ROWS)}@example.com,{random_.choice(reasons)},{1_700_000_000 + random_.randrange(9**7)}"
        for _ in range(ROWS)
    ]
    rows[100::500] = ["no address,bounce,1", "*.d.test,,", "broken@,spam,1", "@e.test,,", "x,y,z", "a b@c,spam,1"]
    return "\n".join(["email,reason,created_at", *rows, ""]).encode()


def prepare(where: str) -> None:
    with SuppressionStore.open(where, clock=clock) as store:
        store.apply_many(said for said in happened() if int(said.event_id[1:]) % 5 == 0)


def import_all(where: str) -> None:
    with SuppressionStore.open(where, clock=clock) as store:
        store.import_(io.BytesIO(listed()), piece_rows=PIECE_ROWS, actor="ann")


def happened() -> list[Event]:
    """Bounces, complaints and deliveries of a month, some told twice."""
    random_ = random.Random(4)
    events = []
    for number in range(EVENTS):
        kind = random_.choice([EventKind.BOUNCED] * 4 + [EventKind.COMPLAINED, EventKind.DELIVERED])
        events.append(
            Event(
                kind=kind,
                recipient=f"u{random_.randrange(80)}@example.com",
                source="dsn",
                event_id=f"e{number}",
                at=NOW - timedelta(days=random_.randrange(30), hours=random_.randrange(24)),
                permanence=random_.choice([Permanence.PERMANENT, Permanence.EXPIRED]),
                reason=random_.choice(
                    [Reason.MAILBOX_FULL, Reason.MAILBOX_FULL, Reason.MAILBOX_NOT_FOUND, Reason.SPAM]
                ),
                detail=f"evidence {number}",
            )
        )
    return events + random_.sample(events, EVENTS // 4)


def apply_all(where: str) -> None:
    events = happened()
    with SuppressionStore.open(where, clock=clock) as store:
        for start in range(0, len(events), BATCH):
            store.apply_many(events[start : start + BATCH])


def state(where: str) -> list[list[Any]]:
    """Everything that the tables hold, but the numbers that a database gives to lines of a log by itself."""
    with SuppressionStore.open(where, clock=clock) as store:
        session = store._sessions.get()
        log = "at, op, key, tenant, stream, reason, actor, source, note, before_json, after_json"
        tables = (
            ("mg_suppression", "*", "key, tenant, stream, reason"),
            ("mg_suppression_count", "*", "key, tenant"),
            ("mg_suppression_event", "*", "id"),
            ("mg_suppression_import", "*", "id"),
            ("mg_suppression_log", log, "id"),
        )
        found = [[list(row) for row in session.rows(f"SELECT {c} FROM {t} ORDER BY {o}")] for t, c, o in tables]
    for row in found[3]:
        row[-1] = json.loads(row[-1]) | {"resumed": None}
    return found


WORK: dict[str, Callable[[str], None]] = {"import": import_all, "apply": apply_all}


def kills(where_of: Callable[[str], str], work: str, times: int, seed: int) -> dict[str, Any]:
    """Kill `work` at random instants, run it again to its end, and compare with one clean run."""
    run = WORK[work]
    random_ = random.Random(seed)
    clean = where_of("clean")
    prepare(clean)
    started = time.monotonic()
    in_child(lambda: run(clean))
    seconds = time.monotonic() - started
    expected = state(clean)
    interrupted, differing = 0, []
    for number in range(times):
        where = where_of(f"kill{number}")
        prepare(where)
        child = fork(lambda where=where: run(where))  # type: ignore[misc]
        time.sleep(random_.uniform(0, min(seconds, 0.1)) if number % 2 else random_.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        interrupted += os.WIFSIGNALED(status)
        # Now and then the second run dies too.
        if number % 3 == 0:
            child = fork(lambda where=where: run(where))  # type: ignore[misc]
            time.sleep(random_.uniform(0, min(seconds, 0.1)))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        in_child(lambda where=where: run(where))  # type: ignore[misc]
        if state(where) != expected:
            differing.append(number)
    return {"killed": times, "interrupted": interrupted, "differing": differing, "entries": len(expected[0])}


def writers(where: str, seconds: float) -> dict[str, Any]:
    """Two writers and a reader: pairs of addresses go in together, so whoever sees one must see the other."""
    with SuppressionStore.open(where):
        pass
    until = time.monotonic() + seconds
    pipes = [os.pipe() for _ in range(3)]
    children = [
        fork(lambda: tell(pipes[0][1], write_pairs(where, "one", until))),
        fork(lambda: tell(pipes[1][1], write_pairs(where, "two", until))),
        fork(lambda: tell(pipes[2][1], read_pairs(where, until))),
    ]
    for _, end in pipes:
        os.close(end)
    told = []
    for start, _ in pipes:
        with os.fdopen(start) as file:
            told.append(json.loads(file.read() or "null"))
    failed = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    with SuppressionStore.open(where) as store:
        shared = next(entry for entry in store.list() if entry.key == "shared@example.com")
        entries = store.stats().entries
    return {
        "failed": failed,
        "one": told[0],
        "two": told[1],
        "reader": told[2],
        "shared": shared.count,
        "entries": entries,
    }


def write_pairs(where: str, name: str, until: float) -> int:
    """How many batches were acknowledged."""
    number = 0
    with SuppressionStore.open(where) as store:
        while time.monotonic() < until:
            store.apply_many(
                Event(
                    kind=EventKind.BOUNCED,
                    recipient=recipient,
                    source="dsn",
                    event_id=f"{name}-{number}-{part}",
                    at=NOW,
                    permanence=Permanence.PERMANENT,
                    reason=Reason.MAILBOX_NOT_FOUND,
                )
                for part, recipient in enumerate(
                    (f"{name}{number}left@example.com", "shared@example.com", f"{name}{number}right@example.com")
                )
            )
            number += 1
            if number % 50 == 0:
                store.add(f"{name}{number}.test", SuppressionReason.MANUAL)  # the rules of readers change too
    return number


def read_pairs(where: str, until: float) -> dict[str, int]:
    """How many looks, and how many of them saw one half of a batch."""
    looks = halves = seen = 0
    random_ = random.Random(5)
    with SuppressionStore.open(where, create=False) as store:
        while time.monotonic() < until:
            numbers = [(name, seen + random_.randrange(-3, 6)) for name in ("one", "two") for _ in range(20)]
            asked = [f"{name}{number}{side}@example.com" for name, number in numbers for side in ("left", "right")]
            answers = [verdict.blocked for verdict in store.check_many(asked)]
            halves += sum(left != right for left, right in zip(answers[::2], answers[1::2], strict=True))
            seen += answers.count(True) // 8
            looks += 1
    return {"looks": looks, "halves": halves}


def fork(work: Callable[[], object]) -> int:
    """A child that does `work` and ends, with status 1 and a traceback when it raises."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, a child must not go on as its parent
        traceback.print_exc()
    finally:
        os._exit(status)


def in_child(work: Callable[[], object]) -> None:
    _, status = os.waitpid(fork(work), 0)
    assert status == 0, f"status {status}"


def tell(end: int, value: object) -> None:
    os.write(end, json.dumps(value).encode())


def places(base: str, work: str) -> Callable[[str], str]:
    """Fresh databases: files in a folder, or schemas that are made by connecting once."""
    if not base.startswith("postgresql://"):
        return lambda name: f"{base}/{name}.db"

    def schema(name: str) -> str:
        import psycopg

        with psycopg.connect(base, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA w{work}_{name}")
        return f"{base}&options=-csearch_path%3Dw{work}_{name}"

    return schema


def main(words: list[str]) -> None:
    what, where, *rest = words
    if what == "writers":
        print(json.dumps(writers(where, float(rest[0]))))
    else:
        print(json.dumps(kills(places(where, what), what, int(rest[0]), int(rest[1]))))


if __name__ == "__main__":
    main(sys.argv[1:])
