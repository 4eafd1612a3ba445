"""The same questions to a real Postfix, a real postgrey and a real DNS server (nsd); nothing is scripted here.

Everything stands on addresses of 127/8 that this run picks, SMTP on one high port. Root is needed: Postfix insists.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailgate.validator import Level, Settings, StartTls, Validation, Validator
from tests.support import needs
from tests.support.dns_world_nsd import Nsd
from tests.support.postfix import Postfix, free_port, wait_for_port
from tests.validator.world import told

pytestmark = pytest.mark.integration

NET = f"127.{77 + os.getpid() % 100}.{os.getpid() // 100 % 250}"
PLAIN, GREY, LISTED, CROWDED, TLS, ASCII, DNS, POSTGREY = (f"{NET}.{i}" for i in range(11, 19))
BAD_SENDER_ADDRESS = f"{NET}.99"  # stands on the block list
HOSTS = {"plain": PLAIN, "grey": GREY, "listed": LISTED, "crowded": CROWDED, "tls": TLS, "ascii": ASCII}
MAILBOXES = ["ok", "second", "full", "jörg"]


class Bed:
    """What runs, and where."""

    def __init__(self, postfix: Postfix, port: int) -> None:
        self.postfix = postfix
        self.port = port

    def ask(self, *addresses: str, **changes: Any) -> list[Validation]:
        from mailgate.resolver import CachingResolver, DnsResolver

        chosen: dict[str, Any] = {
            "level": Level.SMTP,
            "helo": "probe.sender.test",
            "mail_from": "probe@sender.test",
            "allow_private": True,
            "allow_special_use": ("test",),
            "port": self.port,
            "pace_seconds": 0.0,
            "rest_seconds": 0.1,
            "greylist_delays": (2.2,),
        }

        async def run() -> list[Validation]:
            resolve = CachingResolver(DnsResolver(nameservers=[DNS]))
            async with Validator(Settings(**(chosen | changes)), resolve=resolve) as validator:
                return [result async for result in validator.stream(addresses)]

        return asyncio.run(run())


def zones() -> dict[str, str]:
    lines = [f"@ IN MX 10 mx-{name}.target.test.\n" for name in HOSTS]
    records = {f"{name}.test": line for (name, line) in zip(HOSTS, lines, strict=True)}
    records["target.test"] = "".join(f"mx-{name} IN A {address}\n" for name, address in HOSTS.items())
    records["catchall.test"] = "@ IN MX 10 mx-plain.target.test.\n"
    records["implicit.test"] = f"@ IN A {PLAIN}\n"
    records["null.test"] = "@ IN MX 0 .\n"
    records["nothing.test"] = '@ IN TXT "x"\n'
    records["alias.test"] = "mail IN CNAME plain.test.\n"
    backwards = ".".join(reversed(BAD_SENDER_ADDRESS.split(".")))
    records["rbl.test"] = f'{backwards} IN A 127.0.0.2\n{backwards} IN TXT "see https://rbl.test/lookup"\n'
    return records


def settings_of(tls: Path) -> dict[str, str]:
    domains = ["plain.test", "grey.test", "listed.test", "crowded.test", "tls.test", "ascii.test", "implicit.test"]
    boxes = " ".join(f"{{ {box}@{domain} = x }}" for domain in domains for box in MAILBOXES)
    return {
        "virtual_mailbox_domains": " ".join([*domains, "catchall.test", "alias.test"]),
        "virtual_mailbox_maps": f"inline:{{ {boxes} {{ @catchall.test = x }} }}",
        "virtual_mailbox_base": "/nonexistent",
        "virtual_uid_maps": "static:65534",
        "virtual_gid_maps": "static:65534",
        "smtpd_recipient_restrictions": "check_recipient_access "
        "inline:{ { full@plain.test = 552 5.2.2 Mailbox is full } }, reject_unauth_destination",
        "smtpd_tls_cert_file": str(tls / "cert.pem"),
        "smtpd_tls_key_file": str(tls / "key.pem"),
        "smtpd_client_event_limit_exceptions": "",
        "smtpd_peername_lookup": "no",
    }


def listeners(port: int, postgrey_port: int) -> dict[str, dict[str, str]]:
    policy = f"check_policy_service inet:{POSTGREY}:{postgrey_port}, reject_unauth_destination"
    return {
        f"{PLAIN}:{port}": {},
        f"{GREY}:{port}": {"smtpd_recipient_restrictions": f"reject_unauth_destination, {policy}"},
        f"{LISTED}:{port}": {"smtpd_recipient_restrictions": "reject_unauth_destination, reject_rbl_client rbl.test"},
        f"{CROWDED}:{port}": {"smtpd_client_connection_count_limit": "1"},
        f"{TLS}:{port}": {"smtpd_tls_security_level": "encrypt"},
        f"{ASCII}:{port}": {"smtputf8_enable": "no"},
    }


@contextlib.contextmanager
def postgrey(folder: Path, port: int) -> Iterator[None]:
    program = needs.program("postgrey")
    (folder / "postgrey").mkdir()
    shutil.chown(folder / "postgrey", "postgrey", "postgrey")
    command = [program, f"--inet={POSTGREY}:{port}", f"--dbdir={folder / 'postgrey'}", "--delay=1"]
    process = subprocess.Popen(
        [*command, "--auto-whitelist-clients=0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for_port(POSTGREY, port)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # a signal that came at a bad time is lost, and nobody would wait less
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def bed() -> Iterator[Bed]:
    trustme = needs.module("trustme")
    needs.module("mailgate.resolver")
    folder = Path(tempfile.mkdtemp(prefix="mgvp"))
    folder.chmod(0o755)
    try:
        certificate = trustme.CA().issue_cert("mx-tls.target.test")
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
        (folder / "nsd").mkdir()
        (folder / "postfix").mkdir(mode=0o755)
        port, postgrey_port = free_port(*HOSTS.values()), free_port(POSTGREY)
        with contextlib.ExitStack() as stack:
            stack.enter_context(Nsd(folder / "nsd", zones(), address=DNS, broken=("broken.test",)))
            stack.enter_context(postgrey(folder, postgrey_port))
            server = Postfix(
                folder / "postfix",
                listeners(port, postgrey_port),
                settings_of(folder),
                resolv_conf=f"nameserver {DNS}\noptions timeout:2 attempts:1\n",
            )
            yield Bed(stack.enter_context(server), port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


VALID, UNKNOWN_USER = ("valid", "accepted", False), ("invalid", "mailbox_not_found", None)


def test_users_that_are_there_and_users_that_are_not(bed: Bed) -> None:
    results = told(bed.ask("ok@plain.test", "second@plain.test", "nobody@plain.test", "full@plain.test"))
    assert results == {
        "ok@plain.test": VALID,
        "second@plain.test": VALID,
        "nobody@plain.test": UNKNOWN_USER,
        "full@plain.test": ("invalid", "mailbox_full", None),
    }


def test_a_random_address_tells_a_catch_all_domain(bed: Bed) -> None:
    results = told(bed.ask("ok@plain.test", "anybody@catchall.test", "else@catchall.test"))
    assert results == {
        "ok@plain.test": VALID,
        "anybody@catchall.test": ("catch_all", "accepted", True),
        "else@catchall.test": ("catch_all", "accepted", True),
    }


def test_what_the_real_dns_server_says(bed: Bed) -> None:
    names = [
        "ok@implicit.test",
        "a@null.test",
        "a@nothing.test",
        "a@gone.plain.test",
        "a@broken.test",
        "a@refused.test",
    ]
    results = told(bed.ask(*names, max_wait_seconds=0))
    assert results == {
        "ok@implicit.test": VALID,
        "a@null.test": ("invalid", "null_mx", None),
        "a@nothing.test": ("invalid", "no_mail_host", None),
        "a@gone.plain.test": ("invalid", "domain_not_found", None),
        "a@broken.test": ("unknown", "dns_error", None),
        "a@refused.test": ("unknown", "dns_error", None),
    }


def test_greylisting_by_postgrey(bed: Bed) -> None:
    """Existing or not, the first answer is 450; in time the same triplet gets the true one."""
    (impatient,) = bed.ask("third@grey.test", max_wait_seconds=0)
    assert (str(impatient.status), str(impatient.reason)) in (
        ("unknown", "greylisted"),
        ("invalid", "mailbox_not_found"),
    )
    results = {result.input: result for result in bed.ask("ok@grey.test", "second@grey.test")}
    assert told(results.values()) == {"ok@grey.test": VALID, "second@grey.test": VALID}
    assert {result.attempts for result in results.values()} == {2}


def test_a_block_list_is_about_us(bed: Bed) -> None:
    assert told(bed.ask("ok@listed.test", "nobody@listed.test")) == {
        "ok@listed.test": VALID,
        "nobody@listed.test": UNKNOWN_USER,
    }
    (blocked,) = bed.ask("ok@listed.test", source_ip=BAD_SENDER_ADDRESS, max_wait_seconds=0)
    assert (str(blocked.status), str(blocked.reason), str(blocked.advice)) == ("unknown", "blocked", "fix_sender")
    assert "rbl.test" in (blocked.smtp_text or "")


def test_too_many_connections(bed: Bed) -> None:
    with socket.create_connection((CROWDED, bed.port), timeout=5, source_address=("127.0.0.1", 0)) as first:
        assert first.recv(1000).startswith(b"220")
        (refused,) = bed.ask("ok@crowded.test", max_wait_seconds=0)
        assert (str(refused.status), str(refused.reason)) == ("unknown", "rate_limited")
        assert refused.reply is not None
        assert refused.reply.code == 421
        first.sendall(b"QUIT\r\n")
        first.recv(1000)
    results = told(bed.ask(*(f"{box}@crowded.test" for box in ("ok", "second", "nobody")), rest_seconds=0.3))
    assert results["ok@crowded.test"] == results["second@crowded.test"] == VALID
    assert results["nobody@crowded.test"] == UNKNOWN_USER


def test_starttls_required(bed: Bed) -> None:
    assert told(bed.ask("ok@tls.test", "nobody@tls.test")) == {"ok@tls.test": VALID, "nobody@tls.test": UNKNOWN_USER}
    (plain,) = bed.ask("ok@tls.test", starttls=StartTls.NEVER)
    assert (str(plain.status), str(plain.reason)) == ("unknown", "tls_required")


def test_smtputf8(bed: Bed) -> None:
    results = told(bed.ask("jörg@plain.test", "jürg@plain.test", "jörg@ascii.test", "ok@ascii.test"))
    assert results == {
        "jörg@plain.test": VALID,
        "jürg@plain.test": UNKNOWN_USER,
        "jörg@ascii.test": ("unknown", "smtputf8_unsupported", None),
        "ok@ascii.test": VALID,
    }


def test_postfix_saw_nothing_but_questions_and_goodbyes(bed: Bed) -> None:
    """Its own counts: every session that could speak ended with QUIT, none had DATA."""
    before = len(bed.postfix.log())
    bed.ask("ok@plain.test", "nobody@plain.test", "anybody@catchall.test", "ok@tls.test")
    bed.postfix.wait_for("disconnect from unknown[127.0.0.1] ehlo=", times=3, start=before)
    # Whoever waits for a port to be open connects too, and says nothing.
    counts = re.findall(r"disconnect from \S+ (ehlo=.*)", bed.postfix.log()[before:])
    assert len(counts) == 3
    assert sum("starttls=1" in count for count in counts) == 1
    for count in counts:
        assert "quit=1" in count, count
        assert "data" not in count, count
        assert "vrfy" not in count, count
