"""Scenario 1: a list is cleaned against real and scripted servers, politely, and every answer is the honest one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.acceptance.bed import Bed
from tests.acceptance.scenarios import wait_until

LIST = {
    "ok@target.test": ("valid", None, "smtp"),
    "anybody@catchall.test": ("catch_all", None, "smtp"),
    "nobody@target.test": ("invalid", "mailbox_not_found", "smtp"),
    "full@target.test": ("invalid", "mailbox_full", "smtp"),
    "later@target.test": ("unknown", "greylisted", "smtp"),
    "notnow@target.test": ("unknown", "greylisted", "smtp"),
    "tls@target.test": ("unknown", None, "smtp"),
    "refused@target.test": ("unknown", "policy", "smtp"),
    "somebody@mail421.test": ("unknown", "blocked", "smtp"),
    "two@two.test": ("valid", None, "smtp"),
    "silent@mute.test": ("unknown", "timeout", "smtp"),
    "not an address": ("invalid", None, "syntax"),
}
OPTIONS = (
    "--helo", "mx.sending.test", "--mail-from", "probe@sender.test", "--resolver", "127.0.0.53", "--allow-private",
    "--allow-special-use", "test",
    "--command-timeout", "2", "--pace", "0", "--no-retry",
)  # fmt: skip


def validate(bed: Bed, addresses: list[str], *words: str) -> list[dict[str, Any]]:
    run = bed.mailgate(
        "validate", "-", "--level", "smtp", "--json", *OPTIONS, *words, stdin="\n".join(addresses) + "\n"
    )
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def sessions(bed: Bed, peer: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in bed.peer_log.read_text().splitlines()]
    return [line for line in lines if line["peer"] == peer and line["commands"]]  # the bed looks whether it listens


def test_twelve_addresses_each_get_their_honest_answer(bed: Bed) -> None:
    before = len(bed.target.said())
    results = validate(bed, list(LIST))
    assert [result["input"] for result in results] == list(LIST)
    for result in results:
        status, reason, layer = LIST[result["input"]]
        assert (result["status"], result["layer"]) == (status, layer), result
        assert reason is None or result["reason"] == reason, result
    by_input = {result["input"]: result for result in results}
    assert by_input["two@two.test"]["mx_host"] == "mx.target.test"
    assert by_input["ok@target.test"]["catch_all"] is False
    assert by_input["anybody@catchall.test"]["catch_all"] is True
    # Silence after RCPT is an answer about the mailbox, not about the host: the second MX is not dialled.
    assert len(sessions(bed, "mx.mute.test")) == 1
    assert "silent@mute.test" not in bed.target.said()[before:]


def test_every_session_with_the_real_server_ended_with_quit_and_none_had_data(bed: Bed) -> None:
    before = len(bed.target.said())
    validate(bed, ["ok@target.test", "nobody@target.test", "full@target.test", "any@catchall.test"])

    def ended() -> list[str]:
        return re.findall(r"disconnect from \S+ (ehlo=.*)", bed.target.said()[before:])

    begun = bed.target.said()[before:].count(": connect from ")
    wait_until(lambda: len(ended()) == begun, "the server's line about each session")
    assert begun > 0
    for count in ended():
        assert "quit=1" in count, count
        assert "data=" not in count, count


def test_two_hundred_addresses_on_one_host_stay_within_the_limits(bed: Bed) -> None:
    addresses = [f"user{number}@many.test" if number % 4 else f"gone{number}@many.test" for number in range(200)]
    results = validate(bed, addresses)
    assert [result["input"] for result in results] == addresses
    for result in results:
        assert result["status"] == ("valid" if result["input"].startswith("user") else "invalid"), result
    seen = sessions(bed, "mx.many.test")
    assert max(session["open_at_once"] for session in seen) <= 4
    assert len(seen) < 100
    for session in seen:
        assert session["commands"][-1] == "QUIT"
        assert not any(line.upper().startswith(("DATA", "VRFY")) for line in session["commands"])


def test_the_clean_list_goes_on_to_the_suppression_filter(bed: Bed, tmp_path: Path) -> None:
    db = str(tmp_path / "mail.db")
    assert bed.mailgate("suppress", "add", "--db", db, "ok@target.test").returncode == 0
    results = validate(bed, ["ok@target.test", "news@target.test", "nobody@target.test"])
    valid = [result["address"] for result in results if result["status"] == "valid"]
    kept = bed.mailgate("suppress", "filter", "--db", db, stdin="\n".join(valid) + "\n")
    assert kept.stdout.split() == ["news@target.test"]
