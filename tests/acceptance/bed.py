"""The test bed: names, mail servers and boxes, started once for all acceptance tests and taken down after them.

sender 127.0.0.30  Postfix that sends; what cannot be delivered at once comes back at once (queue lifetime 0)
box    127.0.0.10  Postfix that collects: <box>+anything@sender.test lands in the Maildir <box>
target 127.0.0.20  Postfix with every kind of answer; dove.test goes on to Dovecot with a real quota
grey   127.0.0.25  Postfix behind postgrey
exim   127.0.0.22  Exim, as receiver and as second sender
"""

from __future__ import annotations

import email.utils
import os
import shutil
import signal
import smtplib
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns

from tests.acceptance import names, servers
from tests.acceptance.namespace import Namespace
from tests.support.documents import ROOT

BOXES = ("complaints", "dmarc", "loop", "reply", "pg1", "pg2", "exim", "web", "plain", "badday", "examples")

ANSWERS = """\
nobody@target.test     550 5.1.1 User unknown in virtual mailbox table
policy@target.test     550 5.7.1 Message refused by policy: senders like you are not welcome
busy@target.test       451 4.3.0 Temporary lookup failure
full@target.test       552 5.2.2 Mailbox is full
later@target.test      450 4.2.0 Greylisted, please come back later
notnow@target.test     451 4.7.1 Greylisting in action, please come back later
tls@target.test        454 4.7.0 TLS not available due to local problem
refused@target.test    554 5.7.1 Refused by local policy
ok@target.test         OK
two@two.test           OK
news@target.test       OK
nobody@catchall.test   OK
"""

KNOWN = ("@catchall.test", "two@two.test", "jörg@target.test", *(line.split()[0] for line in ANSWERS.splitlines()[1:]))


def message(recipient: str, *, sender: str = "news@sender.test", headers: str = "", lines: int = 1) -> bytes:
    """A small message with a Message-ID of its own."""
    text = (
        f"From: News <{sender}>\r\nTo: <{recipient}>\r\nSubject: News of the week\r\n"
        f"Message-ID: <{uuid.uuid4()}@sender.test>\r\nDate: {email.utils.formatdate()}\r\n{headers}\r\n"
    )
    return text.encode() + b"A line of text that says nothing.\r\n" * lines


def fake_clock(clock: str) -> list[str]:
    """The words that put a program under another clock: `-400d` sets it back, `+0 x50` lets it and every wait run
    fifty times as fast; an empty text leaves it alone."""
    if not clock:
        return []
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    return [
        "env",
        f"LD_PRELOAD={library}",
        f"FAKETIME={clock}",
        f"FAKETIME_DONT_FAKE_MONOTONIC={int('x' not in clock)}",
    ]


class Bed:
    """Everything in one folder and one namespace."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mailgate-bed-"))
        self.folder.chmod(0o755)
        etc = {
            "resolv.conf": f"nameserver {names.RESOLVER}\noptions timeout:2 attempts:1\n",
            "hosts": "127.0.0.1 localhost\n",
        }
        self.namespace = Namespace(f"mailgate{os.getpid()}", etc)
        self.extra = 0
        self.boxes = self.folder / "boxes"
        self._make_boxes()

    def start(self) -> None:
        """Every server answers when this returns."""
        package = servers.unpack_exim(self.folder / "exim-package")  # needs the network, so before going inside
        with self.namespace.entered():
            names.start(self.namespace, self.folder / "names")
            self._start_mail(package)
            self._start_peers()

    def _start_mail(self, package: Path) -> None:
        self.collector = self._postfix(
            "box",
            ["127.0.0.10:25"],
            {
                "myhostname": "mx.sender.test",
                "virtual_mailbox_domains": "sender.test",
                "virtual_mailbox_maps": f"inline:{{ {' '.join(f'{{{box}@sender.test={box}/}}' for box in BOXES)} }}",
                "virtual_mailbox_base": str(self.boxes),
                "virtual_mailbox_limit": "0",
                "virtual_uid_maps": f"static:{servers.COLLECTOR_UID}",
                "virtual_gid_maps": f"static:{servers.COLLECTOR_UID}",
                "virtual_minimum_uid": "100",
            },
        )
        self.dovecot = servers.Dovecot(self.namespace, self.folder / "dovecot")
        self.dovecot.start()
        answers = self.folder / "answers"
        answers.write_text(ANSWERS)
        self.target = self._postfix(
            "target",
            ["127.0.0.20:25"],
            {
                "myhostname": "mx.target.test",
                "virtual_mailbox_domains": "target.test, catchall.test, two.test, implicit.test",
                "virtual_mailbox_maps": f"inline:{{ {' '.join(f'{{{name}=ok/}}' for name in KNOWN)} }}",
                "virtual_mailbox_base": str(self.boxes),
                "virtual_uid_maps": f"static:{servers.COLLECTOR_UID}",
                "virtual_gid_maps": f"static:{servers.COLLECTOR_UID}",
                "relay_domains": "dove.test",
                "relay_transport": "lmtp:inet:127.0.0.24:24",
                "smtpd_recipient_restrictions": f"check_recipient_access texthash:{answers}, permit",
            },
        )
        self.postgrey = servers.Postgrey(self.namespace, self.folder / "postgrey", delay_seconds=3)
        self.postgrey.start()
        self.grey = self._postfix(
            "grey",
            ["127.0.0.25:25"],
            {
                "myhostname": "mx.grey.test",
                "virtual_mailbox_domains": "grey.test",
                "virtual_mailbox_maps": "inline:{ {ok@grey.test=ok/} }",
                "virtual_mailbox_base": str(self.boxes),
                "virtual_uid_maps": f"static:{servers.COLLECTOR_UID}",
                "virtual_gid_maps": f"static:{servers.COLLECTOR_UID}",
                "mynetworks": "127.0.0.1/32",
                "smtpd_relay_restrictions": "permit_auth_destination, reject",
                "smtpd_recipient_restrictions": "check_policy_service inet:127.0.0.25:10023, permit",
            },
        )
        self.sender = self._postfix(
            "sender",
            ["127.0.0.30:25"],
            {
                "myhostname": "mx.sending.test",
                "maximal_queue_lifetime": "0",
                "bounce_queue_lifetime": "0",
                "smtp_bind_address": "127.0.0.30",
            },
        )
        self.exim = servers.Exim(self.namespace, self.folder / "exim", package)
        self.exim.start()

    def _start_peers(self) -> None:
        self.peer_log = self.folder / "peers.log"
        command = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "tests.acceptance.peers", str(self.peer_log)]
        self.namespace.start(command, self.folder / "peers.out")
        names.wait_for_port("127.0.0.44", 25)

    def _postfix(self, name: str, listeners: list[str], main: dict[str, str], more: str = "") -> servers.Postfix:
        instance = servers.Postfix(self.namespace, self.folder / name, listeners, main, more)
        instance.start()
        return instance

    def postfix(self, name: str, listeners: list[str], main: dict[str, str], more: str = "") -> servers.Postfix:
        """A further instance for one test, in a folder of its own; the caller stops it."""
        self.extra += 1
        with self.namespace.entered():
            return self._postfix(f"{name}{self.extra}", listeners, main, more)

    def _make_boxes(self) -> None:
        """Before any mail comes: a folder that belongs to its user a moment later defers the mail for minutes."""
        for box in BOXES:
            for name in ("new", "cur", "tmp"):
                (self.boxes / box / name).mkdir(parents=True)
        for path in (self.boxes, *self.boxes.rglob("*")):
            path.chmod(0o755)
            shutil.chown(path, servers.COLLECTOR_UID)

    def maildir(self, box: str) -> Path:
        """The Maildir of one of the `BOXES`."""
        return self.boxes / box

    def send(self, sender: str, recipients: list[str], message: bytes, *, host: str = "127.0.0.30") -> None:
        """Give a message to a sending server, as an application does."""
        with self.namespace.entered(), smtplib.SMTP(host, 25, timeout=30) as connection:
            connection.sendmail(sender, recipients, message, mail_options=["SMTPUTF8"] if not message.isascii() else [])

    def settle(self, box: str, count: int, seconds: float = 30) -> list[Path]:
        """The new messages of a box, once there are `count` and every queue is empty."""
        deadline = time.monotonic() + seconds
        new = self.maildir(box) / "new"
        while True:
            found = sorted(new.iterdir())
            if len(found) >= count and self.sender.is_idle() and self.collector.is_idle():
                return found
            if time.monotonic() > deadline:
                said = f"{self.sender.said()[-4000:]}\n{self.collector.said()[-4000:]}"
                raise RuntimeError(f"{len(found)} of {count} messages in {box}:\n{said}")
            time.sleep(0.05)

    def mailgate(
        self, *words: str, stdin: str | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One `mailgate` command line inside the namespace."""
        return subprocess.run(
            self.namespace.command([sys.executable, "-m", "mailgate", *words]),
            capture_output=True,
            text=True,
            input=stdin,
            cwd=cwd or self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
            timeout=300,
            check=False,
        )

    def begin(self, *words: str, module: str = "mailgate", clock: str = "") -> subprocess.Popen[str]:
        """The same, not waited for: whoever begins it ends it. clock: see `fake_clock`."""
        return subprocess.Popen(
            self.namespace.command([*fake_clock(clock), sys.executable, "-m", module, *words]),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
        )

    def doomed(self, instant: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One command line that is killed with -9 at that instant; see `tests.acceptance.doomed`."""
        process = self.begin(instant, *words, module="tests.acceptance.doomed")
        output, errors = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    @contextmanager
    def stopped(self, instant: str, *words: str, clock: str = "") -> Iterator[subprocess.Popen[str]]:
        """One command line that stands still at that instant, and goes on at the end of the block."""
        process = self.begin(f"stop@{instant}", *words, module="tests.acceptance.doomed", clock=clock)
        try:
            while (state := Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]) != "T":
                if state == "Z":
                    raise RuntimeError(f"it ended before {instant}: {process.communicate()}")
                time.sleep(0.01)
            yield process
        except BaseException:
            process.kill()
            process.communicate()
            raise
        process.send_signal(signal.SIGCONT)

    def program(self) -> Path:
        """`mailgate` as a package puts it into /usr/bin: any user of the machine can run it."""
        path = self.folder / "mailgate"
        if not path.exists():
            shutil.copytree(
                ROOT / "mailgate", self.folder / "lib" / "mailgate", ignore=shutil.ignore_patterns("__pycache__")
            )
            shutil.copytree(Path(dns.__file__).parent, self.folder / "lib" / "dns")
            path.write_text(f'#!/bin/sh\nPYTHONPATH={self.folder}/lib exec /usr/bin/python3 -m mailgate "$@"\n')
            path.chmod(0o755)
        return path

    def stop(self) -> list[int]:
        """Take everything down; answers the ids of processes that would not end by themselves."""
        for name in ("sender", "target", "grey", "collector", "exim", "dovecot", "postgrey"):
            if hasattr(self, name):
                getattr(self, name).stop()
        killed = self.namespace.delete()
        shutil.rmtree(self.folder, ignore_errors=True)
        return killed
