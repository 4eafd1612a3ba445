"""The app behind real WSGI servers: one-click as providers send it, whole and in chunks, and odd requests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import needs
from tests.unsubscribe.wsgi import ONE_CLICK, TOKEN

ROOT = Path(__file__).parents[2]
SERVED = """
import json, sys
sys.path.insert(0, {root!r})
from tests.unsubscribe.wsgi import app

def sink(event):
    with open({log!r}, "a") as file:
        file.write(json.dumps(event.to_dict()) + "\\n")

application = app(sink)
"""
COMMANDS = {
    "waitress": ["waitress", "--listen=127.0.0.1:{port}", "--threads=2", "served:application"],
    "gunicorn": ["gunicorn", "--bind=127.0.0.1:{port}", "--log-level=error", "served:application"],
}


@dataclass
class Server:
    """Where it listens, and the file with the events that it stored."""

    port: int
    log: Path

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture
def server(running: Server) -> Server:
    running.log.unlink(missing_ok=True)
    return running


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    needs.module(request.param)
    tmp_path = tmp_path_factory.mktemp(request.param)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "events"
    (tmp_path / "served.py").write_text(SERVED.format(root=str(ROOT), log=str(log)))
    words = [sys.executable, "-m", *(word.format(port=port) for word in COMMANDS[request.param])]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        wait_for(port)
        yield Server(port, log)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server did not come up")


def send(server: Server, head: str, body: bytes = b"") -> tuple[int, bytes]:
    """One raw request on one connection; (status, body)."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n" + body)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    first, _, rest = received.partition(b"\r\n")
    return int(first.split()[1]), rest.partition(b"\r\n\r\n")[2]


def post(length: str) -> str:
    return (
        f"POST /{TOKEN} HTTP/1.1\nHost: x\nConnection: close\n"
        f"Content-Type: application/x-www-form-urlencoded\n{length}\n"
    )


def test_one_click(server: Server) -> None:
    assert send(server, post(f"Content-Length: {len(ONE_CLICK)}"), ONE_CLICK) == (200, b"")
    assert [event["recipient"] for event in server.events] == ["ann@example.net"]


def test_one_click_in_chunks(server: Server) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (ONE_CLICK[:7], ONE_CLICK[7:])) + b"0\r\n\r\n"
    assert send(server, post("Transfer-Encoding: chunked"), chunks)[0] == 200
    assert len(server.events) == 1


def test_looking_at_it(server: Server) -> None:
    status, page = send(server, f"GET /{TOKEN}?utm_source=x HTTP/1.1\nHost: x\nConnection: close\n")
    assert status == 200
    assert b"<form" in page
    assert send(server, f"HEAD /{TOKEN} HTTP/1.1\nHost: x\nConnection: close\n") == (200, b"")
    assert server.events == []


def test_a_body_that_is_too_long(server: Server) -> None:
    body = ONE_CLICK + b"&x=" + b"y" * 20_000
    assert send(server, post(f"Content-Length: {len(body)}"), body)[0] == 400
    assert server.events == []


def test_paths_of_odd_bytes(server: Server) -> None:
    for path in ("/%00", "/%ff%fe", f"/{TOKEN}%0a", "/%F0%9F%92%A5", "/" + "A" * 3_000):
        assert send(server, f"GET {path} HTTP/1.1\nHost: x\nConnection: close\n")[0] == 404
    assert server.events == []
