"""A real Postfix that asks us: refuses who is suppressed for the kind of mail, and defers when the list is gone."""

from __future__ import annotations

import contextlib
import os
import shutil
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailgate.suppression import SuppressionReason, SuppressionStore
from tests.support import needs
from tests.suppression import postfix

pytestmark = pytest.mark.integration

R = SuppressionReason
ROOT = Path(__file__).parent.parent.parent

SERVER = """
import asyncio, signal, sys
from mailgate.suppression import *
def store():
    return SuppressionStore.open(sys.argv[1], create=False)
rules = (StreamRule.parse("*@news.test=marketing"),)
service = PolicyService(store, PolicyOptions(stream="receipts", rules=rules))
async def main():
    async with policy_server(service, path=sys.argv[2], mode=0o666):
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        print("ready", flush=True)
        await stop.wait()
asyncio.run(main())
service.close()
"""
SPAWNED = """
import sys
from mailgate.suppression import *
service = PolicyService(lambda: SuppressionStore.open(sys.argv[1], create=False), PolicyOptions(stream="receipts"))
serve_stream(service, sys.stdin.buffer, sys.stdout.buffer)
"""


def python_for_others() -> str:
    """A Python that the user of spawn(8), which is never root, can run."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        test = [candidate, "-c", "import sqlite3, sys; sys.exit(sys.version_info < (3, 11))"]
        with contextlib.suppress(OSError):
            if subprocess.run(test, user="nobody", capture_output=True, check=False).returncode == 0:
                return candidate
    needs.missing("a Python 3.11 that users other than root can run")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that Postfix's users can enter, with the list and our package in it."""
    made = Path("/tmp") / f"mgsup{os.getpid()}"
    made.mkdir(mode=0o755)
    try:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "mailgate" / "records", made / "lib" / "mailgate" / "records", ignore=ignore)
        shutil.copytree(ROOT / "mailgate" / "suppression", made / "lib" / "mailgate" / "suppression", ignore=ignore)
        (made / "lib" / "mailgate" / "__init__.py").write_text("")
        (made / "server.py").write_text(SERVER)
        (made / "spawned.py").write_text(SPAWNED)
        (made / "db").mkdir()
        (made / "db").chmod(0o777)
        with SuppressionStore.open(made / "db" / "mail.db") as store:
            store.add("gone@target.test", R.HARD_BOUNCE)
            store.add("left@target.test", R.UNSUBSCRIBE, stream="marketing")
            store.add('"a b"@target.test', R.MANUAL)
            store.add("jörg@bücher.test", R.COMPLAINT)
            store.add("*.dead.test", R.MANUAL)
        for path in (made / "db").iterdir():
            path.chmod(0o666)
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def ports(folder: Path) -> Iterator[dict[str, int]]:
    with contextlib.ExitStack() as stack:
        server = subprocess.Popen(
            [sys.executable, folder / "server.py", folder / "db" / "mail.db", folder / "policy"],
            env={**os.environ, "PYTHONPATH": str(folder / "lib")},
            stdout=subprocess.PIPE,
        )
        stack.callback(server.wait)
        stack.callback(server.terminate)
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        stack.callback(server.stdout.close)
        needs.program("postfix")
        command = f"{python_for_others()} {folder}/spawned.py {folder}/db/mail.db"
        environment = f"PYTHONPATH={folder}/lib PYTHONDONTWRITEBYTECODE=1"
        spawn = f"spawned unix - n n - 0 spawn user=nobody argv=/usr/bin/env {environment} {command}\n"
        unix = f"unix:{folder}/policy"
        yield stack.enter_context(
            postfix.running(
                {
                    "plain": f"check_policy_service {unix}",
                    "marketing": f"check_policy_service {{ {unix}, policy_context=marketing }}",
                    "spawned": "check_policy_service { unix:private/spawned, policy_context=marketing }",
                },
                spawn,
            )
        )


def answer(
    ports: dict[str, int], recipient: str, *, service: str = "plain", sender: str = "app@sender.test"
) -> tuple[int, str]:
    with smtplib.SMTP("127.0.0.1", ports[service], timeout=20) as client:
        client.command_encoding = "utf-8"
        client.ehlo()
        client.mail(sender, ["SMTPUTF8"])
        code, text = client.docmd(f"RCPT TO:<{recipient}>")
        return code, text.decode()


def test_a_suppressed_recipient_is_refused_with_a_clear_text(ports: dict[str, int]) -> None:
    code, text = answer(ports, "Gone@Target.test")
    assert code == 550
    assert "5.7.1 <Gone@Target.test>: Recipient address rejected: recipient is on our suppression list" in text
    assert "hard_bounce since 20" in text


@pytest.mark.parametrize("service", ["plain", "marketing", "spawned"])
def test_everybody_else_passes_and_the_mail_goes_out(ports: dict[str, int], service: str) -> None:
    with smtplib.SMTP("127.0.0.1", ports[service], timeout=20) as client:
        assert client.sendmail("app@sender.test", ["other@target.test"], "Subject: x\r\n\r\nbody\r\n") == {}
    assert answer(ports, "other@target.test", service=service)[0] == 250


def test_only_the_suppressed_recipient_of_several_is_refused(ports: dict[str, int]) -> None:
    with smtplib.SMTP("127.0.0.1", ports["plain"], timeout=20) as client:
        refused = client.sendmail(
            "a@sender.test", ["one@target.test", "gone@target.test", "two@target.test"], "\r\n\r\nx"
        )
    assert list(refused) == ["gone@target.test"]


@pytest.mark.parametrize(
    ("service", "sender", "code"),
    [
        ("plain", "app@sender.test", 250),
        ("plain", "bounce@news.test", 550),
        ("marketing", "app@sender.test", 550),
        ("spawned", "app@sender.test", 550),
    ],
)
def test_the_stream_decides(ports: dict[str, int], service: str, sender: str, code: int) -> None:
    assert answer(ports, "left@target.test", service=service, sender=sender)[0] == code


@pytest.mark.parametrize(
    ("recipient", "code"),
    [
        ('"a b"@target.test', 550),
        ('"a c"@target.test', 250),
        ("jörg@bücher.test", 550),
        ("jörg@xn--bcher-kva.test", 550),
        ("a@x.dead.test", 550),
        ("a@dead.test", 250),
    ],
)
def test_recipients_as_postfix_hands_them_over(ports: dict[str, int], recipient: str, code: int) -> None:
    assert answer(ports, recipient)[0] == code


@pytest.mark.parametrize("service", ["plain", "spawned"])
def test_a_list_that_is_moved_away_defers_everybody_until_it_is_back(
    ports: dict[str, int], folder: Path, service: str
) -> None:
    path, away = folder / "db" / "mail.db", folder / "db" / "away.db"
    assert answer(ports, "other@target.test", service=service)[0] == 250
    os.rename(path, away)
    try:
        for recipient in ("other@target.test", "gone@target.test"):
            code, text = answer(ports, recipient, service=service)
            assert code == 451
            assert "4.3.5" in text
            assert "the suppression list cannot be read" in text
    finally:
        os.rename(away, path)
    deadline = time.monotonic() + 10
    while answer(ports, "other@target.test", service=service)[0] != 250:
        assert time.monotonic() < deadline
    assert answer(ports, "gone@target.test", service=service)[0] == 550


def test_what_is_added_holds_for_the_next_recipient(ports: dict[str, int], folder: Path) -> None:
    assert answer(ports, "new@target.test")[0] == 250
    with SuppressionStore.open(folder / "db" / "mail.db", create=False) as store:
        store.add("new@target.test")
    assert answer(ports, "new@target.test")[0] == 550
