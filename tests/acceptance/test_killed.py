"""Scenario 9, kill -9: in every part of the loop, at chosen and at random instants.

What was acknowledged is kept, nothing counts twice, and after the next run the state is what a clean day gives.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mailgate.engagement import LinkSigner, read_events
from mailgate.suppression import SuppressionReason, SuppressionStore
from mailgate.unsubscribe import Subscription, UnsubscribeLinks
from tests.acceptance.bed import Bed
from tests.acceptance.days import Day, Scan
from tests.acceptance.names import wait_for_port
from tests.acceptance.scenarios import KEYS, SECRET, submit, submitting, wait_until
from tests.acceptance.test_clean import OPTIONS as PROBE
from tests.support import needs
from tests.support.documents import ROOT
from tests.support.postgres import PostgresServer

BASE = "https://www.sender.test/"  # as in the mails; the TLS in front of gunicorn is not part of this
ONE_CLICK = b"List-Unsubscribe=One-Click"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "mail.db")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.url()


# --- the cron job ----------------------------------------------------------------------------------------------------


def test_a_scan_is_killed_at_seven_instants(
    bed: Bed, day: Day, keys: str, clean: dict[str, Any], tmp_path: Path, db: str
) -> None:
    scan = Scan(bed, day, keys, tmp_path, db)
    chance = random.Random(9)
    instants = [f"*:{chance.randrange(200_000)}", "keep:1>execute:4"]
    instants += [f"apply_many:1>execute:{chance.randrange(1, 60)}" for _ in range(3)]
    instants += ["finish_many:1", "finish_many:1>rename:20"]
    for instant in instants:
        assert bed.doomed(instant, *scan.words).returncode == -signal.SIGKILL, instant
        scan.check()
    scan.ends_like(clean)


def test_a_scan_with_workers_is_killed_and_leaves_nobody_behind(
    bed: Bed, day: Day, keys: str, clean: dict[str, Any], tmp_path: Path
) -> None:
    scan = Scan(bed, day, keys, tmp_path, str(tmp_path / "mail.db"))
    before = set(bed.namespace.processes())
    with bed.stopped("result:1", *scan.words, "--jobs", "2") as process:
        assert set(bed.namespace.processes()) - before - {process.pid}, "there are no workers"
        process.kill()
    process.communicate(timeout=10)
    wait_until(lambda: set(bed.namespace.processes()) <= before, "the workers are gone")
    scan.check()
    scan.ends_like(clean)


# --- the list, event by event ----------------------------------------------------------------------------------------

ONE_BY_ONE = """
import sys
from datetime import UTC, datetime
from mailgate.records import Event, SmtpReply
from mailgate.engagement import LinkSigner, read_events
from mailgate.suppression import SuppressionStore
with SuppressionStore.open(sys.argv[1]) as store:
    for number in range(200):
        reply = SmtpReply.parse(b"550 5.1.1 User unknown")
        recipient = f"gone{number}@target.test"
        store.apply(Event.from_reply(reply, recipient, at=datetime(2026, 1, 1, tzinfo=UTC)))
        print(recipient, flush=True)
"""


def test_a_program_that_tells_what_the_server_said_is_killed(db: str) -> None:
    SuppressionStore.open(db).close()
    told: set[str] = set()
    for lines in (3, 40, 111, None):
        command = [sys.executable, "-c", ONE_BY_ONE, db]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                told.add(line.strip())
                if len(told) == lines:
                    process.kill()
        with SuppressionStore.open(db, create=False) as store:
            kept = {entry.key: entry.count for entry in store.list()}
        assert told <= kept.keys()
        assert len(kept) <= len(told) + 1, "at most the one that was not told"
        assert set(kept.values()) <= {1}
    assert len(told) == 200


# --- Postfix asks ----------------------------------------------------------------------------------------------------


def suppress_news(db: str) -> None:
    with SuppressionStore.open(db) as store:
        store.add("ok@target.test", SuppressionReason.UNSUBSCRIBE, stream="news")


def test_the_policy_service_is_killed_while_postfix_asks(bed: Bed, tmp_path: Path) -> None:
    """spawn(8) starts another; a suppressed recipient is refused or has to wait, and never gets the mail."""
    with submitting(bed) as db:
        suppress_news(db)
        for _ in range(3):
            assert submit(bed, "127.0.0.31", "ok@target.test").startswith("5")
            for number in services(bed):
                os.kill(number, signal.SIGKILL)
            assert submit(bed, "127.0.0.31", "ok@target.test")[0] in "45"
        assert submit(bed, "127.0.0.31", "news@target.test") == "250"


def services(bed: Bed) -> list[int]:
    """Our processes behind spawn(8), and not spawn(8) itself, which has the same words among its own."""
    commands = {number: Path(f"/proc/{number}/cmdline").read_bytes() for number in bed.namespace.processes()}
    found = [number for number, command in commands.items() if b"-m\0mailgate\0suppress\0policy" in command]
    assert found
    return found


# --- a list is cleaned -----------------------------------------------------------------------------------------------


def test_a_validation_is_killed_and_asks_nobody_twice_whose_answer_it_has_told(bed: Bed, tmp_path: Path) -> None:
    addresses = tmp_path / "list"
    wanted = [f"killed{number}@target.test" for number in range(60)]
    addresses.write_text("".join(f"{address}\n" for address in wanted))
    words = ("validate", str(addresses), "--level", "smtp", "--json", "--state", str(tmp_path / "state.db"), *PROBE)
    before = len(bed.target.said())
    told: set[str] = set()
    for instant in ("execute:30", "rcpt_reply:20", "print:25"):
        run = bed.doomed(instant, *words)
        told |= {json.loads(line)["input"] for line in run.stdout.splitlines() if line.endswith("}")}
    run = bed.mailgate(*words)
    assert run.returncode == 0, run.stderr
    results = [json.loads(line) for line in run.stdout.splitlines()]
    assert [result["input"] for result in results] == wanted
    assert {(result["status"], result["reason"]) for result in results} == {("invalid", "mailbox_not_found")}
    asked = Counter(
        re.findall(r"reject: RCPT from \S+ 550 5.1.1 <(killed\d+@target.test)>", bed.target.said()[before:])
    )
    assert asked.keys() == set(wanted)
    assert {asked[address] for address in told} <= {1}


# --- people click ----------------------------------------------------------------------------------------------------


@contextmanager
def gunicorn(bed: Bed, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """examples/wsgi_app.py under gunicorn with three workers, as its first lines have it, on 127.0.0.10:8090."""
    needs.module("gunicorn")
    (folder / "mailgate.secret").write_text(SECRET)
    application = f"wsgi_app:make_app('{folder}/mail.db', '{folder}/mailgate.secret', '{BASE}')"
    process = bed.namespace.start(
        ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "gunicorn", "--workers", "3", "--bind", "127.0.0.10:8090",
         "--chdir", str(ROOT / "examples"), "--worker-tmp-dir", str(folder), application],
        folder / "gunicorn.log",
    )  # fmt: skip
    try:
        with bed.namespace.entered():
            wait_for_port("127.0.0.10", 8090)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def children(number: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{number}/task/{number}/children").read_text().split()]


class Killer:
    """Kills a worker at random after every few answers, while the next requests are under way."""

    def __init__(self, process: subprocess.Popen[bytes], seed: int) -> None:
        self.process = process
        self.chance = random.Random(seed)
        self.killed = 0
        self._answers = threading.Semaphore(0)
        self._over = False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._answers.release(10)
        self._thread.join()

    def answered(self) -> None:
        self._answers.release()

    def _run(self) -> None:
        while True:
            for _ in range(self.chance.randrange(1, 6)):
                self._answers.acquire()
            if self._over:
                return
            time.sleep(self.chance.uniform(0, 0.01))  # into the next request
            workers = children(self.process.pid)
            with contextlib.suppress(ProcessLookupError, IndexError):  # gone by itself; none there just now
                os.kill(self.chance.choice(workers), signal.SIGKILL)
                self.killed += 1


def until_answered(url: str, body: bytes | None = None) -> int:
    """How many attempts it took to get an answer, as a mailbox provider or a person tries again."""
    for attempt in range(1, 1_000):
        connection = http.client.HTTPConnection("127.0.0.10", 8090, timeout=10)
        try:
            connection.request("GET" if body is None else "POST", "/" + url.removeprefix(BASE), body)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            status = 0
            time.sleep(0.02)
        finally:
            connection.close()
        if status:
            assert status == (302 if body is None else 200)
            return attempt
    raise AssertionError(f"no answer from {url}")


def test_workers_are_killed_while_people_unsubscribe_and_click(bed: Bed, tmp_path: Path) -> None:
    leave = UnsubscribeLinks(keys=KEYS, base_url=f"{BASE}u")
    signer = LinkSigner(KEYS, BASE)
    readers = [f"reader{number}@target.test" for number in range(40)]
    clicks = {f"r-{number}": 0 for number in range(40)}
    with gunicorn(bed, tmp_path) as process, bed.namespace.entered(), Killer(process, seed=5) as killer:
        for reader, recipient_id in zip(readers, clicks, strict=True):
            until_answered(leave.url(Subscription(recipient=reader, stream="news")), ONE_CLICK)
            killer.answered()
            clicks[recipient_id] = until_answered(signer.click_url("https://shop.example/", recipient_id=recipient_id))
            killer.answered()
    assert killer.killed > 10
    with SuppressionStore.open(str(tmp_path / "mail.db"), create=False) as store:
        found = [(entry.key, str(entry.reason), entry.stream) for entry in store.list()]
    assert found == sorted((reader, "unsubscribe", "news") for reader in readers)
    recorded = Counter(event.recipient_id for event in read_events(tmp_path / "mail.db"))
    assert recorded.keys() == clicks.keys()
    for recipient_id, attempts in clicks.items():
        assert 1 <= recorded[recipient_id] <= attempts, recipient_id
