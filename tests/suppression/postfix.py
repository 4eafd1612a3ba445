"""A Postfix of our own on loopback, high ports, no DNS, everything it accepts is thrown away; asks a policy service."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support import needs

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.sender.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
default_transport = discard
relay_transport = discard
smtputf8_enable = yes
maillog_file = {folder}/log/maillog
maillog_file_prefixes = {folder}/log
"""

# Services that run without a chroot and without a name server.
MASTER = """\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A running Postfix. ports: by the name of the service that was asked for."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        self.folder = folder
        self.ports = ports

    def log(self) -> str:
        """Everything it has said so far."""
        path = self.folder / "log" / "maillog"
        return path.read_text(errors="replace") if path.exists() else ""


@contextlib.contextmanager
def running(services: Mapping[str, str], more: str = "") -> Iterator[Postfix]:
    """A Postfix with one SMTP server for each of `services`: name to recipient restrictions. more: for master.cf."""
    needs.root()
    needs.program("postfix")
    folder = Path(tempfile.mkdtemp(prefix="mgpf"))
    folder.chmod(0o755)
    try:
        ports = {name: _free_port() for name in services}
        for name in ("log", "data", "queue"):
            (folder / name).mkdir(mode=0o755)
        shutil.chown(folder / "data", "postfix")
        (folder / "main.cf").write_text(MAIN.format(folder=folder))
        smtpd = "".join(
            f"127.0.0.1:{ports[name]} inet n - n - - smtpd\n"
            f"  -o {{ smtpd_recipient_restrictions = {restrictions}, permit_mynetworks, reject }}\n"
            for name, restrictions in services.items()
        )
        (folder / "master.cf").write_text(MASTER + smtpd + more)
        postfix = Postfix(folder, ports)
        done = subprocess.run(["postfix", "-c", folder, "start"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + postfix.log()
        try:
            for port in ports.values():
                _wait(port, postfix)
            yield postfix
        finally:
            subprocess.run(["postfix", "-c", folder, "abort"], capture_output=True, check=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, postfix: Postfix) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, postfix.log()
            time.sleep(0.02)
