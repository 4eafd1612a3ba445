"""Behind real servers, under load, with a worker killed: no answer without its event.

MAILGATE_LOAD_SECONDS sets how long the load lasts (2 by default; the full measure is 60).
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from mailgate.engagement import LinkSigner, TrackingEvent, read_sqlite
from mailgate.records import KeyRing
from tests.support import needs

from .conftest import CHROME, ROOT, SECRET

SECONDS = float(os.environ.get("MAILGATE_LOAD_SECONDS", "2"))
CLIENTS = 8
APP = """
import os, pathlib
from mailgate.engagement import LinkSigner, SQLiteSink, TrackingApp
from mailgate.records import KeyRing

here = pathlib.Path({folder!r})
signer = LinkSigner(KeyRing.of({secret!r}), "https://t.example/")
application = TrackingApp(signer, SQLiteSink(here / "track.db"))
(here / "pids" / str(os.getpid())).touch()
"""
WAITRESS = """
import sys, waitress
from tracking_app import application

waitress.serve(application, host="127.0.0.1", port=int(sys.argv[1]), threads=4, _quiet=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pids").mkdir()
    (tmp_path / "tracking_app.py").write_text(APP.format(folder=str(tmp_path), secret=SECRET))
    (tmp_path / "serve_waitress.py").write_text(WAITRESS)
    return tmp_path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(folder: Path, *command: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that answers on a port; ended by SIGTERM and waited for."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    with open(folder / "server.log", "ab") as log:
        process = subprocess.Popen([sys.executable, *command], cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            wait_for_port(port, process)
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(2_000):
        assert process.poll() is None, "the server ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.01)
    pytest.fail("the server never came up")


class Load:
    """Clients that ask for links of their own, one request after the other, and remember what was answered."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._signer = LinkSigner(KeyRing.of(SECRET), "https://t.example/")
        self._stop = threading.Event()
        self.answered: set[str] = set()
        self.broken: set[str] = set()
        self.odd: list[str] = []

    def run(self, seconds: float, during: Callable[[], None] = lambda: None) -> None:
        threads = [threading.Thread(target=self._client, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        self._stop.wait(seconds / 2)
        during()
        self._stop.wait(seconds / 2)
        self._stop.set()
        for thread in threads:
            thread.join()

    def _client(self, number: int) -> None:
        port = self._ports[number % len(self._ports)]
        count = 0
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while not self._stop.is_set():
            count += 1
            recipient = f"{number}-{count}"
            is_click = count % 2 == 0
            if is_click:
                path = self._signer.click_url(f"https://e.example/{recipient}", message_id="m", recipient_id=recipient)
            else:
                path = self._signer.open_url(message_id="m", recipient_id=recipient)
            try:
                connection.request("GET", path.removeprefix("https://t.example"), headers={"User-Agent": CHROME})
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                # Nobody knows whether it was recorded: the server died before it answered.
                self.broken.add(recipient)
                connection.close()
                self._stop.wait(0.02)
                continue
            if (response.status, response.getheader("Location")) == (
                (302, f"https://e.example/{recipient}") if is_click else (200, None)
            ):
                self.answered.add(recipient)
            else:
                self.odd.append(f"{recipient}: {response.status}")
        connection.close()


def check(load: Load, folder: Path) -> None:
    """Every answer has its event, once; beyond that only requests that were cut off."""
    events: list[TrackingEvent] = [event for event in read_sqlite(folder / "track.db") if not event.amends]
    recipients = [event.recipient_id for event in events]
    print(f"{len(load.answered)} answered, {len(load.broken)} cut off, {len(recipients)} stored, {SECONDS:g} s")
    assert load.odd == []
    assert len(load.answered) > 20
    assert len(recipients) == len(set(recipients))
    assert load.answered <= set(recipients)
    assert set(recipients) <= load.answered | load.broken
    assert all(event.type == ("click" if event.url else "open") for event in events)


def test_gunicorn_with_two_workers_of_which_one_is_killed(folder: Path) -> None:
    needs.module("gunicorn")
    port = free_port()
    command = ("-m", "gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "tracking_app:application")
    load = Load([port])

    def kill_one() -> None:
        pids = sorted(int(path.name) for path in (folder / "pids").iterdir())
        os.kill(pids[0], signal.SIGKILL)

    with server(folder, *command, port=port):
        load.run(SECONDS, kill_one)
    check(load, folder)
    assert len(load.broken) <= CLIENTS
    assert len(list((folder / "pids").iterdir())) >= 3


def test_gunicorn_with_threads(folder: Path) -> None:
    needs.module("gunicorn")
    port = free_port()
    command = ("-m", "gunicorn", "-w", "2", "--threads", "4", "-b", f"127.0.0.1:{port}", "tracking_app:application")
    load = Load([port])
    with server(folder, *command, port=port):
        load.run(SECONDS)
    check(load, folder)
    assert load.broken == set()


def test_two_processes_of_waitress_of_which_one_is_killed(folder: Path) -> None:
    needs.module("waitress")
    ports = [free_port(), free_port()]
    load = Load(ports)
    with ExitStack() as stack:
        processes = [stack.enter_context(server(folder, "serve_waitress.py", str(port), port=port)) for port in ports]

        def kill_one() -> None:
            processes[0].kill()
            processes[0].wait()

        load.run(SECONDS, kill_one)
    check(load, folder)
    in_flight = CLIENTS // 2
    stored = {event.recipient_id for event in read_sqlite(folder / "track.db")}
    assert len(load.broken & stored) <= in_flight
