"""A Postfix with configuration and queue of its own, on any 127.x address and port, and with a resolver of its own.

    with Postfix(folder, listeners={"127.0.0.71:2525": {"smtpd_tls_security_level": "may"}}, main={...}) as postfix:
        ...
    postfix.log()

Root starts it (Postfix insists). `resolv_conf` is bound over /etc/resolv.conf in a mount namespace that only this
Postfix sees: the one way to give it a private name server without a network namespace.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.support import needs

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
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

# What every Postfix of the tests has: Debian's places, and nothing of the machine it runs on.
PROGRAMS = {
    "compatibility_level": "3.6",
    "command_directory": "/usr/sbin",
    "daemon_directory": "/usr/lib/postfix/sbin",
    "mail_owner": "postfix",
    "setgid_group": "postdrop",
    "mydestination": "",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "alias_maps": "",
    "alias_database": "",
    "smtputf8_enable": "yes",
}
COMMON = {
    **PROGRAMS,
    "myhostname": "mx.target.test",
    "mynetworks": "127.255.255.255/32",
}
_PATIENCE_SECONDS = 30.0


class Postfix:
    """listeners: `address:port` to settings of that smtpd alone. main: over `COMMON`. more: lines for master.cf.

    folder: an empty folder that every user may enter, which tmp_path is not.
    """

    def __init__(
        self,
        folder: Path,
        listeners: Mapping[str, Mapping[str, str]],
        main: Mapping[str, str] | None = None,
        *,
        more: str = "",
        resolv_conf: str | None = None,
    ) -> None:
        needs.root()
        needs.program("postfix")
        self.folder = folder
        self._listeners = listeners
        self._resolv_conf = resolv_conf
        for name in ("queue", "data", "log"):
            (folder / name).mkdir(mode=0o755)
        shutil.chown(folder / "data", "postfix")
        settings = {
            **COMMON,
            "queue_directory": str(folder / "queue"),
            "data_directory": str(folder / "data"),
            "maillog_file": str(folder / "log" / "maillog"),
            "maillog_file_prefixes": str(folder / "log"),
            **(main or {}),
        }
        (folder / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        services = "".join(self._service(listener, options) for listener, options in listeners.items())
        (folder / "master.cf").write_text(MASTER + services + more)

    @staticmethod
    def _service(listener: str, options: Mapping[str, str]) -> str:
        lines = "".join(f"  -o {{ {name} = {value} }}\n" for name, value in options.items())
        return f"{listener} inet n - n - - smtpd\n{lines}"

    def __enter__(self) -> Postfix:
        command = ["postfix", "-c", str(self.folder), "start"]
        if self._resolv_conf is not None:
            (self.folder / "resolv.conf").write_text(self._resolv_conf)
            script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
            unshare = needs.program("unshare")
            command = [unshare, "--mount", "sh", "-c", script, str(self.folder / "resolv.conf"), *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.stop()
            raise RuntimeError(f"postfix did not start: {done.stderr}\n{self.log()}")
        for listener in self._listeners:
            address, _, port = listener.rpartition(":")
            wait_for_port(address, int(port), self.log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it now; the queue stays."""
        subprocess.run(["postfix", "-c", str(self.folder), "abort"], capture_output=True, check=False)

    def log(self) -> str:
        """All that it has said."""
        path = self.folder / "log" / "maillog"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_for(self, words: str, *, times: int = 1, start: int = 0) -> None:
        """Until the log has `words` so many times behind the character `start`."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.log().count(words, start) < times:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not {times} times in the log: {words!r}\n{self.log()[-3000:]}")
            time.sleep(0.02)


def wait_for_port(address: str, port: int, log: object = None) -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                said = log() if callable(log) else ""
                raise RuntimeError(f"nobody listens on {address}:{port}: {error}\n{said}") from error
            time.sleep(0.02)


def free_port(*addresses: str) -> int:
    """A TCP port that is free on every one of the addresses."""
    for _ in range(50):
        with socket.socket() as first:
            first.bind((addresses[0], 0))
            port = int(first.getsockname()[1])
        try:
            for address in addresses:
                with socket.socket() as other:
                    other.bind((address, port))
        except OSError:
            continue
        return port
    raise RuntimeError("no port is free on all of these addresses")
