"""Postfix, Exim, Dovecot and postgrey with configuration and queues of their own, started inside a namespace."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.acceptance.names import wait_for_port
from tests.acceptance.namespace import Namespace
from tests.support.postfix import MASTER, PROGRAMS

COLLECTOR_UID = 65_534  # nobody: it owns the Maildirs that the collector fills

COMMON = {
    **PROGRAMS,
    "mynetworks": "127.0.0.0/8",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "recipient_delimiter": "+",
    "append_dot_mydomain": "no",
    "smtpd_peername_lookup": "no",
    "debug_peer_list": "",
}


class Postfix:
    """One instance: `listeners` are `address:port`; `main` overrides `COMMON`; `more` is added to master.cf."""

    def __init__(
        self, namespace: Namespace, folder: Path, listeners: list[str], main: dict[str, str], more: str = ""
    ) -> None:
        self.namespace = namespace
        self.folder = folder
        self.listeners = listeners
        self.log = folder / "log" / "postfix.log"
        folder.mkdir()
        for name in ("queue", "data", "log"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        settings = {
            **COMMON,
            "queue_directory": str(folder / "queue"),
            "data_directory": str(folder / "data"),
            "maillog_file": str(self.log),
            "maillog_file_prefixes": str(folder / "log"),
            **main,
        }
        (folder / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        lines = "".join(f"{listener} inet n - n - - smtpd\n" for listener in listeners)
        (folder / "master.cf").write_text(f"{lines}\n{MASTER}{more}")

    def start(self) -> None:
        """Listening on every address when this returns."""
        try:
            self.namespace.run(["postfix", "-c", str(self.folder), "start"])
            for listener in self.listeners:
                address, port = listener.split(":")
                wait_for_port(address, int(port))
        except RuntimeError as error:
            words = self.log.read_text() if self.log.exists() else "(no log)"
            raise RuntimeError(f"{error}\n{words}") from error

    def stop(self) -> None:
        """Stop at once; the queue stays."""
        subprocess.run(
            self.namespace.command(["postfix", "-c", str(self.folder), "stop"]), capture_output=True, check=False
        )

    def flush(self) -> None:
        """Try everything in the queue now."""
        self.namespace.run(["postqueue", "-c", str(self.folder), "-f"])

    def is_idle(self) -> bool:
        """True when no message is in the queue."""
        output = self.namespace.run(["postqueue", "-c", str(self.folder), "-j"]).stdout
        return not output.strip()

    def wait_until_idle(self, seconds: float = 30) -> None:
        """Until every message has been delivered or returned."""
        deadline = time.monotonic() + seconds
        while not self.is_idle():
            if time.monotonic() > deadline:
                raise RuntimeError(f"mail is still in the queue:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def said(self) -> str:
        """The log so far."""
        return self.log.read_text()


EXIM = """\
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/exim.pid
exim_path = {exim}
primary_hostname = mx.exim.test
local_interfaces = 127.0.0.22
daemon_smtp_ports = 25
qualify_domain = exim.test
tls_advertise_hosts =
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = check_rcpt
keep_environment =
domainlist ours = exim.test
begin acl
check_rcpt:
  accept hosts = 127.0.0.30 : 127.0.0.1
  deny   local_parts = nobody
         domains = +ours
         message = No such user here
  deny   local_parts = full
         domains = +ours
         message = 552 5.2.2 Mailbox is full
  accept domains = +ours
  deny   message = relay not permitted
begin routers
away:
  driver = dnslookup
  domains = ! +ours
  transport = smtp
  ignore_target_hosts = 10.0.0.0/8
  self = pass
here:
  driver = accept
  transport = sink
begin transports
smtp:
  driver = smtp
  interface = 127.0.0.1
  hosts_try_fastopen =
  allow_localhost
sink:
  driver = appendfile
  file = /dev/null
  user = nobody
begin retry
* * F,1s,1s
"""


class Exim:
    """Exim unpacked beside Postfix (two installed MTAs would remove each other)."""

    def __init__(self, namespace: Namespace, folder: Path, unpacked: Path) -> None:
        self.namespace = namespace
        self.folder = folder
        self.binary = unpacked / "usr/sbin/exim4"
        for name in ("spool", "log"):
            (folder / name).mkdir(parents=True)
            shutil.chown(folder / name, "Debian-exim", "Debian-exim")
        shutil.chown(folder, "Debian-exim", "Debian-exim")
        (folder / "exim.conf").write_text(EXIM.format(folder=folder, exim=self.binary))

    def _command(self, *words: str) -> list[str]:
        return [str(self.binary), "-C", str(self.folder / "exim.conf"), *words]

    def start(self) -> None:
        """Listening when this returns."""
        self.process = self.namespace.start(self._command("-bdf", "-q2s"), self.folder / "exim.out")
        try:
            wait_for_port("127.0.0.22", 25)
        except RuntimeError as error:
            logs = [self.folder / "exim.out", *sorted((self.folder / "log").iterdir())]
            raise RuntimeError("\n".join(log.read_text() for log in logs)) from error

    def send(self, sender: str, recipient: str, message: str) -> None:
        """Hand a message over as a local program does."""
        self.namespace.run(self._command("-odf", "-f", sender, recipient), input=message)

    def stop(self) -> None:
        """End the daemon."""
        self.process.terminate()
        self.process.wait(timeout=10)


def unpack_exim(folder: Path) -> Path:
    """Exim's package taken apart in `folder` (root, Debian; its library libidn12 has to be installed)."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        subprocess.run(["apt-get", "download", "exim4-daemon-light"], cwd=name, check=True, capture_output=True)
        for package in Path(name).glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True, capture_output=True)
    try:
        pwd.getpwnam("Debian-exim")
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "Debian-exim"],
            check=True,
            capture_output=True,
        )
    return folder


DOVECOT = """\
protocols = lmtp
base_dir = {folder}/run
log_path = {folder}/dovecot.log
ssl = no
mail_location = maildir:{folder}/mail/%u
mail_plugins = quota
postmaster_address = postmaster@dove.test
default_internal_user = dovecot
default_login_user = dovenull
first_valid_uid = 1
listen = 127.0.0.24
auth_mechanisms = plain
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%u
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.24
    port = 24
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
plugin {{
  quota = maildir:User quota
  quota_rule = *:storage=1K
  quota_grace = 0
  quota_exceeded_message = Quota exceeded (mailbox for user is full)
}}
protocol lmtp {{
  mail_plugins = quota
}}
"""


class Dovecot:
    """LMTP with a quota that one small message exceeds: the real 552 5.2.2 at the end of DATA."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self.namespace = namespace
        self.folder = folder
        (folder / "mail").mkdir(parents=True)
        shutil.chown(folder / "mail", "nobody", "nogroup")
        (folder / "dovecot.conf").write_text(DOVECOT.format(folder=folder))

    def start(self) -> None:
        """Listening when this returns."""
        command = ["dovecot", "-F", "-c", str(self.folder / "dovecot.conf")]
        self.process = self.namespace.start(command, self.folder / "dovecot.out")
        try:
            wait_for_port("127.0.0.24", 24)
        except RuntimeError as error:
            logs = [self.folder / "dovecot.out", self.folder / "dovecot.log"]
            raise RuntimeError("\n".join(log.read_text() for log in logs if log.exists())) from error

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(timeout=10)


class Postgrey:
    """Greylisting by policy delegation, as Debian ships it."""

    def __init__(self, namespace: Namespace, folder: Path, *, delay_seconds: int) -> None:
        self.namespace = namespace
        self.folder = folder
        self.delay_seconds = delay_seconds
        folder.mkdir()
        shutil.chown(folder, "postgrey", "postgrey")

    def start(self) -> None:
        """Listening when this returns."""
        command = [
            "postgrey",
            "--inet=127.0.0.25:10023",
            f"--delay={self.delay_seconds}",
            f"--dbdir={self.folder}",
            "--user=postgrey",
            "--group=postgrey",
        ]
        self.process = self.namespace.start(command, self.folder.parent / "postgrey.out")
        wait_for_port("127.0.0.25", 10023)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(timeout=10)
