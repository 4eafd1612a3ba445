"""A Postfix on loopback that asks a policy service; everything it accepts is thrown away."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support import postfix

MAIN = {
    "myhostname": "mx.sender.test",
    "mynetworks": "127.0.0.0/8",
    "default_transport": "discard",
    "relay_transport": "discard",
}


@contextlib.contextmanager
def running(services: Mapping[str, str], more: str = "") -> Iterator[dict[str, int]]:
    """A Postfix with one SMTP server for each of `services`: name to recipient restrictions. more: for master.cf.

    Gives the port of each by its name.
    """
    folder = Path(tempfile.mkdtemp(prefix="mgpf"))
    folder.chmod(0o755)
    try:
        ports = {name: postfix.free_port("127.0.0.1") for name in services}
        listeners = {
            f"127.0.0.1:{ports[name]}": {
                "smtpd_recipient_restrictions": f"{restrictions}, permit_mynetworks, reject",
            }
            for name, restrictions in services.items()
        }
        with postfix.Postfix(folder, listeners, MAIN, more=more):
            yield ports
    finally:
        shutil.rmtree(folder, ignore_errors=True)
