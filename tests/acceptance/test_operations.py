"""The page of crontab, Postfix and shell snippets: each is used as it stands, with the paths of the bed put in."""

from __future__ import annotations

import re
import shutil
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.bed import Bed
from tests.acceptance.days import GONE, Day
from tests.acceptance.scenarios import OPERATIONS, entries, snippet
from tests.acceptance.servers import COLLECTOR_UID
from tests.support.documents import blocks

MAIL_GATE = "127.0.0.34"
USED = {"postfix", "crontab", "postfix-master", "systemd", "sh"}  # two of them by `submitting` and its twin


@pytest.fixture
def home(bed: Bed) -> Iterator[Path]:
    """What the page calls /var/lib/mailgate, with the user of the page's boxes as its owner."""
    folder = bed.folder / "home"
    (folder / "boxes").mkdir(parents=True, mode=0o755)
    for path in (folder, folder / "boxes"):
        shutil.chown(path, COLLECTOR_UID)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def here(bed: Bed, home: Path, text: str) -> str:
    return text.replace("/usr/bin/mailgate", str(bed.program())).replace("/var/lib/mailgate", str(home))


def as_its_user(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line as cron runs it."""
    return subprocess.run(
        ["setpriv", f"--reuid={COLLECTOR_UID}", "--clear-groups", "/bin/sh", "-c", command],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def main_cf(text: str) -> dict[str, str]:
    """The settings of a main.cf; a line that begins with a blank goes on."""
    lines = re.sub(r"\n\s+", " ", text).strip().splitlines()
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}


def test_every_snippet_is_of_a_kind_that_is_used() -> None:
    assert {block.language for block in blocks(OPERATIONS)} == USED


def test_the_mailbox_and_the_crontab(bed: Bed, day: Day, home: Path) -> None:
    settings = main_cf(here(bed, home, snippet("postfix")).replace("static:1001", f"static:{COLLECTOR_UID}"))
    gate = bed.postfix("mailgate", [f"{MAIL_GATE}:25"], {"myhostname": "mx.bounces.example.com", **settings})
    try:
        with bed.namespace.entered(), smtplib.SMTP(MAIL_GATE, 25, timeout=30) as connection:
            for number, (_, mail, _) in enumerate(day.files):
                connection.sendmail("", [f"bounces+{number}@bounces.example.com"], mail)
            for box in ("complaints", "dmarc", "unsubscribe"):
                connection.sendmail("", [f"{box}@bounces.example.com"], day.files[0][1])
        gate.wait_until_idle()
    finally:
        gate.stop()
    boxes = {box.name: len(list((box / "new").iterdir())) for box in (home / "boxes").iterdir()}
    assert boxes == {"bounces": len(day.files), "complaints": 1, "dmarc": 1, "unsubscribe": 1}

    lines = [re.fullmatch(r"(?:\S+ ){5}(.*)", line) for line in snippet("crontab").splitlines()]
    for line in lines:
        assert line is not None
        done = as_its_user(here(bed, home, line[1]), home)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), line
    found = entries(str(home / "mail.db"))
    assert {address for address, reason in found.items() if reason == "hard_bounce"} >= set(GONE)
    assert found["ann@target.test"] == "complaint"
    assert "sender.test" in (home / "dmarc.html").read_text(encoding="utf-8")


def test_before_a_send(bed: Bed, home: Path) -> None:
    (home / "bin").mkdir()
    (home / "bin" / "mailgate").symlink_to(bed.program())
    path = f"{home / 'bin'}:/usr/bin:/bin"
    assert as_its_user("mailgate suppress add --db mail.db gone0@target.test", home, PATH=path).returncode == 0
    (home / "recipients.csv").write_text("name,email\nAnn,ann@target.test\nGone,gone0@target.test\n")
    done = as_its_user(snippet("sh"), home, PATH=path)
    assert done.returncode == 0, done.stderr
    assert (home / "clean.csv").read_text().split() == ["name,email", "Ann,ann@target.test"]
    assert "gone0@target.test" in (home / "blocked.csv").read_text()
