"""NSD, a real authoritative DNS server, with zones of ours on a loopback address and port."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import dns.message
import dns.query

from tests.support import needs

CONF = """\
server:
  ip-address: {address}@{port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: ""
  zonelistfile: "{folder}/zone.list"
  logfile: "{folder}/nsd.log"
  server-count: 1
  verbosity: 1
remote-control:
  control-enable: no
"""
SOA = "$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 300\n@ IN NS ns\nns IN A {address}\n"


class Nsd:
    """`zones`: name to the records behind its SOA. A zone in `broken` answers SERVFAIL (its file is missing)."""

    def __init__(
        self, folder: Path, zones: Mapping[str, str], *, address: str, port: int = 53, broken: tuple[str, ...] = ()
    ) -> None:
        needs.root()
        self._program = needs.program("nsd")
        self.folder = folder
        self.address = address
        self.port = port
        conf = CONF.format(folder=folder, address=address, port=port)
        for name, records in zones.items():
            (folder / f"{name}.zone").write_text(SOA.format(address=address) + records)
            conf += f'zone:\n  name: "{name}"\n  zonefile: "{name}.zone"\n'
        for name in broken:
            conf += f'zone:\n  name: "{name}"\n  zonefile: "missing"\n'
        (folder / "nsd.conf").write_text(conf)

    def __enter__(self) -> Nsd:
        command = [self._program, "-d", "-c", str(self.folder / "nsd.conf")]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        query = dns.message.make_query("ns.invalid.", "A")
        while True:
            try:
                dns.query.udp(query, self.address, port=self.port, timeout=0.05)
                return self
            except (OSError, dns.exception.Timeout):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__(None, None, None)
                    log = self.folder / "nsd.log"
                    raise RuntimeError(f"nsd did not start: {log.read_text() if log.exists() else ''}") from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:  # a signal that came at a bad time is lost
            self._process.kill()
            self._process.wait()
