"""Scenario 4: the spam button. Three complaints, two of them attributed, exactly those two people are left alone."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.bed import Bed, message
from tests.acceptance.scenarios import key_file, spam_button


def test_the_spam_button(bed: Bed, tmp_path: Path) -> None:
    spam_button(bed, "complaints", str(tmp_path / "mail.db"), key_file(tmp_path))


def test_an_ordinary_mail_to_the_complaints_box_stays(bed: Bed, tmp_path: Path) -> None:
    bed.send("ana@example.net", ["complaints@sender.test"], message("complaints@sender.test", sender="ana@example.net"))
    bed.settle("complaints", 1)
    run = bed.mailgate("scan", str(bed.maildir("complaints")), "--db", str(tmp_path / "mail.db"), "--json")
    assert run.returncode == 0, run.stderr
    (left,) = (bed.maildir("complaints") / "new").iterdir()
    left.unlink()
