"""How fast the suppression list is, beside the least that any Python program could do, in one run.

    python tests/bench/bench_suppression.py [ROWS] [--postgres ROWS] [--folder FOLDER]

ROWS is 1,000,000 by default; 10,000,000 takes some minutes and 3 GB of disk. Times are CPU time, best of several; wall
time is given where the disk matters. Addresses are 28 characters, one question in ten is about one that is on the list.
Each part runs in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from mailgate.records import Event, EventKind, Permanence, Reason  # noqa: E402
from mailgate.suppression import Checker, Front, SuppressionStore, filter_list  # noqa: E402
from mailgate.suppression._rows import COLUMNS  # noqa: E402
from tests.support import postgres  # noqa: E402

SEED = 20260101
QUESTIONS = 100_000
ROUNDS = 5


def address(number: int) -> str:
    """28 characters; neighbours in number are no neighbours in the alphabet."""
    return f"{(number * 2_654_435_761 + 12_345) % 2**40:012d}@m{number % 50_000:05d}.example"


def write_list(path: Path, rows: int) -> None:
    random_ = random.Random(SEED)
    with open(path, "w", encoding="ascii") as file:
        file.write("email,reason,created_at\n")
        for number in range(rows):
            reason = random_.choice(("bounce", "complaint", "unsubscribe"))
            file.write(f"{address(number)},{reason},{1_700_000_000 + number % 1_000_000}\n")


def questions(rows: int) -> list[str]:
    random_ = random.Random(SEED)
    return [
        address(random_.randrange(rows)) if random_.random() < 0.1 else address(rows * 7 + random_.randrange(rows))
        for _ in range(QUESTIONS)
    ]


def best(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Seconds of CPU of the fastest of several rounds."""
    fastest = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work()
        fastest = min(fastest, time.process_time() - started)
    return fastest


def ask(checker: Checker, asked: list[str]) -> None:
    for _ in checker.check_many(asked):
        pass


def ask_one_by_one(front: Front, asked: list[str]) -> None:
    for text in asked:
        front.check(text)


def timed(work: Callable[[list[str]], Any], piece: list[str]) -> float:
    """Seconds on the wall."""
    started = time.monotonic()
    work(piece)
    return time.monotonic() - started


def peak_megabytes() -> float:
    """Of this process alone; ru_maxrss outlives exec, so it would tell the peak of whoever started it."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


# --- the parts, each in its own process ------------------------------------------------------------------------------


def part_import(where: str, listed: str, rows: int) -> dict[str, float]:
    with SuppressionStore.open(where) as store:
        wall, cpu = time.monotonic(), time.process_time()
        report = store.import_(listed)
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    assert report.added + report.duplicates == rows
    found = {"rows/s CPU": rows / cpu, "rows/s wall": rows / wall, "peak MB": peak_megabytes()}
    if os.path.exists(where):
        found["bytes a row"] = os.path.getsize(where) / rows
    return found


def part_look_up(where: str, listed: str, rows: int) -> dict[str, float]:
    asked = questions(rows)
    bare = sqlite3.connect(where, isolation_level=None)
    bare.execute("PRAGMA cache_size = -65536")
    cursor = bare.cursor()
    sql = f"SELECT {COLUMNS} FROM mg_suppression WHERE key = ?"
    short = "SELECT reason, expires FROM mg_suppression WHERE key = ?"

    def bare_select(text: str, piece: list[str]) -> None:
        for key in piece:
            cursor.execute(text, (key,)).fetchall()

    with SuppressionStore.open(where, create=False) as store:

        def check(piece: list[str]) -> None:
            for text in piece:
                store.check(text)

        works = {
            "bare SELECT, all columns": lambda piece: bare_select(sql, piece),
            "bare SELECT, two columns": lambda piece: bare_select(short, piece),
            "check": check,
        }
        seconds = dict.fromkeys(works, 0.0)
        for begin in range(0, len(asked), 5_000):  # in turn, so that a busy neighbour hurts them alike
            piece = asked[begin : begin + 5_000]
            for name, work in works.items():
                seconds[name] += best(lambda work=work, piece=piece: work(piece))
    found = {f"{name} /s": QUESTIONS / total for name, total in seconds.items()}
    for name in ("bare SELECT, all columns", "bare SELECT, two columns"):
        found[f"check : {name}"] = seconds[name] / seconds["check"]
    bare.close()
    return found


def part_check_many(where: str, listed: str, rows: int) -> dict[str, float]:
    asked = questions(rows)
    with SuppressionStore.open(where, create=False) as store:
        seconds = best(lambda: ask(store, asked))
    return {"check_many /s": QUESTIONS / seconds, "peak MB": peak_megabytes()}


def part_preload(where: str, listed: str, rows: int) -> dict[str, float]:
    asked = questions(rows)
    with SuppressionStore.open(where, create=False) as store:
        started = time.process_time()
        front = store.preload()
        seconds = time.process_time() - started
        many = best(lambda: ask(front, asked))
        single = best(lambda: ask_one_by_one(front, asked))
    return {
        "preload seconds": seconds,
        "check_many with preload /s": QUESTIONS / many,
        "check with preload /s": QUESTIONS / single,
        "peak MB": peak_megabytes(),
    }


def part_filter(where: str, listed: str, rows: int) -> dict[str, float]:
    recipients = ("email,name\n" + "".join(f"{text},Somebody\n" for text in questions(rows) * 5)).encode()
    with SuppressionStore.open(where, create=False) as store, open(os.devnull, "wb") as out:
        started = time.process_time()
        report = filter_list(store, io.BytesIO(recipients), out, out)
        seconds = time.process_time() - started
    assert 0.05 < report.blocked / report.rows < 0.15
    return {"rows/s CPU": report.rows / seconds, "peak MB": peak_megabytes()}


def part_export(where: str, listed: str, rows: int) -> dict[str, float]:
    with SuppressionStore.open(where, create=False) as store, open(os.devnull, "wb") as out:
        started = time.process_time()
        count = store.export(out, format="csv")
        seconds = time.process_time() - started
    return {"rows/s CPU": count / seconds, "peak MB": peak_megabytes()}


def part_write(where: str, listed: str, rows: int) -> dict[str, float]:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    events = [
        Event(kind=EventKind.BOUNCED, recipient=f"event{number}@example.com", source="dsn", event_id=f"event-{number}",
              at=now, permanence=Permanence.PERMANENT, reason=Reason.MAILBOX_NOT_FOUND, detail="550 5.1.1 no such user")
        for number in range(20_000)
    ]  # fmt: skip
    with SuppressionStore.open(where) as store:
        started = time.process_time()
        for begin in range(0, len(events), 500):
            store.apply_many(events[begin : begin + 500])
        applying = time.process_time() - started
        cpu, wall = time.process_time(), time.monotonic()
        for number in range(2_000):
            store.add(f"single{number}@example.com")
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    return {"apply_many(500) events/s CPU": 20_000 / applying, "add /s CPU": 2_000 / cpu, "add /s wall": 2_000 / wall}


def part_postgres_look_up(where: str, listed: str, rows: int) -> dict[str, float]:
    import psycopg

    asked = questions(rows)[:20_000]
    with SuppressionStore.open(where, create=False) as store, psycopg.connect(where, autocommit=True) as connection:
        cursor = connection.cursor()
        sql = f"SELECT {COLUMNS} FROM mg_suppression WHERE key = %s"

        def bare(piece: list[str]) -> None:
            for key in piece:
                cursor.execute(sql, (key,))
                cursor.fetchall()

        def check(piece: list[str]) -> None:
            for text in piece:
                store.check(text)

        def many(piece: list[str]) -> None:
            list(store.check_many(piece))

        # Small slices in turn: a busy neighbour hurts them alike, and the best of each is not far apart in time.
        walls: dict[str, list[float]] = {"bare": [], "check": [], "many": []}
        for begin in range(0, len(asked), 1_000):
            piece = asked[begin : begin + 1_000]
            for name, work in (("bare", bare), ("check", check), ("many", many)):
                walls[name].append(min(timed(work, piece) for _ in range(ROUNDS)))
    seconds = {name: sum(each) for name, each in walls.items()}
    return {
        "bare prepared SELECT /s wall": len(asked) / seconds["bare"],
        "check /s wall": len(asked) / seconds["check"],
        "check : bare": seconds["bare"] / seconds["check"],
        "check_many /s wall": len(asked) / seconds["many"],
    }


PARTS = {name.removeprefix("part_"): part for name, part in globals().items() if name.startswith("part_")}


def run_part(name: str, where: str, listed: Path, rows: int) -> None:
    words = [sys.executable, __file__, "--part", name, where, str(listed), str(rows)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT)
    print(f"\n{name.replace('_', ' ')}, {rows:,} rows")
    for what, value in json.loads(done.stdout).items():
        print(f"  {what:<40} {value:>14,.2f}" if value < 1_000 else f"  {what:<40} {value:>14,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--postgres", type=int, default=200_000, metavar="ROWS", help="0: without PostgreSQL")
    parser.add_argument("--folder", help="where the files go; default: a temporary folder")
    parser.add_argument("--part", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        name, where, listed, rows = args.part
        print(json.dumps(PARTS[name](where, listed, int(rows))))
        return
    print(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, seed {SEED}, {os.cpu_count()} processors"
    )
    folder = Path(tempfile.mkdtemp(dir=args.folder))
    try:
        listed = folder / "list.csv"
        write_list(listed, args.rows)
        for name in ("import", "look_up", "check_many", "preload", "filter", "export", "write"):
            run_part(name, str(folder / "mail.db"), listed, args.rows)
        if args.postgres:
            write_list(listed, args.postgres)
            with postgres.server() as server:
                url = server.url()
                run_part("import", url, listed, args.postgres)
                run_part("postgres_look_up", url, listed, args.postgres)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
