"""Names for every case: unbound resolves (and drops, and refuses), nsd serves what fails."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from tests.acceptance.namespace import Namespace

RESOLVER = "127.0.0.53"
BROKEN = "127.0.0.54"

ADDRESSES = {
    "mx.sender.test": "127.0.0.10",  # our own: the collector of bounces and the submission host
    "mx.target.test": "127.0.0.20",  # the other side: Postfix with every kind of answer
    "mx.exim.test": "127.0.0.22",
    "mx.script.test": "127.0.0.23",  # scripted peers, one address a behaviour
    "mx.mail421.test": "127.0.0.41",
    "mx.mute.test": "127.0.0.42",
    "mx.codes.test": "127.0.0.43",
    "mx.many.test": "127.0.0.44",
    "mx.grey.test": "127.0.0.25",
    "mx.closed.test": "127.0.0.96",  # nobody listens: connection refused
    "www.sender.test": "127.0.0.10",
}

EXCHANGES = {
    "sender.test": ("10 mx.sender.test",),
    "target.test": ("10 mx.target.test",),
    "catchall.test": ("10 mx.target.test",),
    "dove.test": ("10 mx.target.test",),
    "exim.test": ("10 mx.exim.test",),
    "grey.test": ("10 mx.grey.test",),
    "mail421.test": ("10 mx.mail421.test",),
    "mute.test": ("10 mx.mute.test", "20 mx.target.test"),
    "codes.test": ("10 mx.codes.test",),
    "many.test": ("10 mx.many.test",),
    "two.test": ("10 mx.closed.test", "20 mx.target.test"),
    "closed.test": ("10 mx.closed.test",),
    "nullmx.test": ("0 .",),
    "private.test": ("10 mx.private.test",),
}

_HEAD = "$TTL 60\n@ IN SOA ns.test. hostmaster.test. 1 3600 600 86400 60\n@ IN NS ns.test.\n"


def zone() -> str:
    """The zone `test.`."""
    lines = [_HEAD, "ns IN A 127.0.0.53\n"]
    lines += [f"{name}. IN A {address}\n" for name, address in ADDRESSES.items()]
    lines += ["mx.private.test. IN A 10.1.2.3\n", "implicit.test. IN A 127.0.0.20\n", "nomail.test. IN TXT nothing\n"]
    for domain, exchanges in EXCHANGES.items():
        for exchange in exchanges:
            target = exchange if exchange.endswith(".") else f"{exchange}."
            lines.append(f"{domain}. IN MX {target}\n")
    lines.append('2.0.0.127.rbl.test. IN A 127.0.0.2\n2.0.0.127.rbl.test. IN TXT "listed for the test"\n')
    return "".join(lines)


UNBOUND = """\
server:
  interface: {resolver}
  port: 53
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: "{folder}/unbound.log"
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  module-config: "iterator"
  outbound-msg-retry: 1
  local-zone: "test." transparent
  local-zone: "timeout.example." deny
  local-zone: "refused.example." refuse
  local-zone: "127.in-addr.arpa." transparent
remote-control:
  control-enable: no
auth-zone:
  name: "test."
  zonefile: "{folder}/test.zone"
  for-upstream: yes
  for-downstream: yes
stub-zone:
  name: "servfail.example."
  stub-addr: {broken}
"""

NSD = """\
server:
  ip-address: {broken}
  port: 53
  username: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: ""
  zonelistfile: "{folder}/nsd.list"
  logfile: "{folder}/nsd.log"
remote-control:
  control-enable: no
zone:
  name: "servfail.example."
  zonefile: "there-is-no-such-file"
"""


def start(namespace: Namespace, folder: Path) -> None:
    """Both servers, answering when this returns."""
    folder.mkdir()
    (folder / "test.zone").write_text(zone())
    (folder / "unbound.conf").write_text(UNBOUND.format(folder=folder, resolver=RESOLVER, broken=BROKEN))
    (folder / "nsd.conf").write_text(NSD.format(folder=folder, broken=BROKEN))
    namespace.start(["unbound", "-d", "-c", str(folder / "unbound.conf")], folder / "unbound.out")
    namespace.start(["nsd", "-d", "-c", str(folder / "nsd.conf")], folder / "nsd.out")
    _wait_for(RESOLVER, "target.test", folder / "unbound.log")
    _wait_for(BROKEN, "servfail.example", folder / "nsd.log")


def _wait_for(server: str, name: str, log: Path) -> None:
    question = dns.message.make_query(name, "MX")
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            dns.query.udp(question, server, timeout=0.1)
            return
        except (dns.exception.Timeout, OSError):
            continue
    words = log.read_text() if log.exists() else "(no log)"
    raise RuntimeError(f"no answer from {server}:\n{words}")


def wait_for_port(address: str, port: int, seconds: float = 15) -> None:
    """Until somebody accepts connections there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((address, port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nobody listens on {address}:{port}")
