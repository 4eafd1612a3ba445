"""Scenario 7: a month of DMARC reports for two domains, read as they arrive, all at once, and by a scan that is killed.

The mails are made with a seed, and what they say is added up here from their XML, not by the code under test.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mailgate.dmarc import RollupStore
from tests.acceptance.bed import Bed
from tests.support import dmarc_reports as made

DOMAINS = ("sender.test", "shop.sender.test")
FOREIGN = "stranger.test"
DAYS = 30
FIRST_DAY = (int(time.time()) // made.DAY - DAYS - 2) * made.DAY  # the month is over, lately
ORDINARY = b"From: ana@example.net\nTo: dmarc@sender.test\nSubject: your reports\nMessage-ID: <2@example.net>\n\nHi?\n"
_ROW = re.compile(r"<count>(\d+)</count>.*?<dkim>(\w+)</dkim>\s*<spf>(\w+)</spf>", re.DOTALL)


@dataclass
class Truth:
    """What the reports of one domain say, each counted once."""

    reports: int = 0
    messages: int = 0
    passed: int = 0

    def add(self, xml: bytes) -> None:
        self.reports += 1
        for count, dkim, spf in _ROW.findall(xml.decode()):
            self.messages += int(count)
            self.passed += int(count) if "pass" in (dkim, spf) else 0


@dataclass
class Month:
    """Mails in the order in which they arrive, and what has to come out."""

    mails: list[bytes] = field(default_factory=list)
    truth: dict[str, Truth] = field(default_factory=lambda: {domain: Truth() for domain in (*DOMAINS, FOREIGN)})
    refused: Counter[str] = field(default_factory=Counter)


def one_report(rng: random.Random, pool: list[str], domain: str, day: int, org: str) -> bytes:
    records = [made.random_record(rng, pool, domain) for _ in range(rng.randint(3, 12))]
    begin = FIRST_DAY + day * made.DAY
    return made.report(records, org_name=org, report_id=f"{rng.getrandbits(64)}", domain=domain, begin=begin)


def in_a_mail(xml: bytes, number: int, *, as_zip: bool = False, cut: int | None = None) -> bytes:
    headers = f"Message-ID: <{number}@reports.test>\r\nDate: Mon, 30 Nov 2026 06:00:00 +0000\r\n"
    if as_zip:
        packed = made.zipped({"report.xml": xml})
        return made.mail(packed, filename="a!b!1!2.zip", content_type="application/zip", headers=headers)
    return made.mail(gzip.compress(xml, mtime=0)[:cut], filename="a!b!1!2.xml.gz", headers=headers)


def a_month(seed: int = 9) -> Month:
    """Two domains, four receivers a day; now and then something that a mailbox gets besides."""
    rng = random.Random(seed)
    month = Month()
    pools = {domain: made.addresses(rng, 40) for domain in DOMAINS}
    for day in range(DAYS):
        for domain in DOMAINS:
            for org in made.ORGS[:4]:
                xml = one_report(rng, pools[domain], domain, day, org)
                month.truth[domain].add(xml)
                month.mails.append(in_a_mail(xml, len(month.mails)))
                if rng.random() < 0.1:  # the receiver sends it again, in another container
                    month.mails.append(in_a_mail(xml, len(month.mails), as_zip=True))
        if day % 10 == 4:
            month.mails.append(month.mails[-3])  # the same mail, delivered twice
            foreign = one_report(rng, pools[DOMAINS[0]], FOREIGN, day, made.ORGS[0])
            month.truth[FOREIGN].add(foreign)
            month.mails.append(in_a_mail(foreign, len(month.mails)))
            cut = one_report(rng, pools[DOMAINS[0]], DOMAINS[0], day, made.ORGS[5])
            month.mails.append(in_a_mail(cut, len(month.mails), cut=200))
            month.refused["archive_corrupt"] += 1
            bomb = made.zipped({"report.xml": b"<feedback>" + b" " * 40_000_000})
            headers = f"Message-ID: <bomb{day}@reports.test>\r\n"
            month.mails.append(made.mail(bomb, filename="a!b!1!2.zip", content_type="application/zip", headers=headers))
            month.refused["archive_too_large"] += 1
            month.mails.append(ORDINARY)
    return month


MONTH = a_month()


def deliver(maildir: Path, mails: list[bytes], first: int) -> None:
    """Into `new`, as a delivery agent does: written in `tmp`, then renamed."""
    for number, mail in enumerate(mails, first):
        written = maildir / "tmp" / f"{FIRST_DAY + number}.M{number}P1.mx"
        written.write_bytes(mail)
        written.rename(maildir / "new" / written.name)


def box(bed: Bed, name: str) -> Path:
    maildir = bed.maildir("dmarc") / f".{name}"
    for folder in ("new", "cur", "tmp"):
        (maildir / folder).mkdir(parents=True)
    return maildir


def rollup(db: Path) -> str:
    return RollupStore.open(str(db), create=False).load().to_json()


def left(maildir: Path) -> set[bytes]:
    return {file.read_bytes() for file in (maildir / "new").iterdir()}


@pytest.fixture(scope="module")
def at_once(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database after one scan of the whole month."""
    db = tmp_path_factory.mktemp("dmarc") / "once.db"
    maildir = box(bed, "once")
    deliver(maildir, MONTH.mails, 0)
    run = bed.mailgate("scan", str(maildir), "--db", str(db), "--json")
    assert run.returncode == 0, run.stderr
    refused = Counter(error for line in run.stdout.splitlines() for error in json.loads(line).get("refused", ()))
    assert refused == MONTH.refused
    assert left(maildir) == {ORDINARY}
    return db


def view(bed: Bed, db: Path, *words: str) -> str:
    run = bed.mailgate("dmarc", "--db", str(db), "--domain", DOMAINS[0], *words)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_rollup_says_what_the_reports_say(bed: Bed, at_once: Path) -> None:
    shown = json.loads(view(bed, at_once, "--json"))
    found = {name: Truth(one["reports"], one["messages"], one["dmarc_pass"]) for name, one in shown["domains"].items()}
    assert found == {domain: MONTH.truth[domain] for domain in DOMAINS}
    stranger = MONTH.truth[FOREIGN]
    assert shown["foreign"] == {FOREIGN: {"reports": stranger.reports, "messages": stranger.messages}}
    assert MONTH.refused.items() <= shown["refused"].items()


def test_the_page_shows_it(bed: Bed, at_once: Path, tmp_path: Path) -> None:
    page = tmp_path / "dmarc.html"
    view(bed, at_once, "--html", str(page))
    text = page.read_text(encoding="utf-8")
    for domain in DOMAINS:
        truth = MONTH.truth[domain]
        section = text[text.index(f'data-domain="{domain}"') :]
        shown: dict[str, tuple[str, str]] = {}
        for name, value, words in re.findall(r'<data class="(\w+)" value="([^"]*)">([^<]*)</data>', section):
            shown.setdefault(name, (value, words))
        assert shown["messages"] == (str(truth.messages), f"{truth.messages:,}")
        assert shown["dmarc_pass"] == (str(truth.passed), f"{truth.passed:,}")
    assert FOREIGN in text
    assert not re.search(r"<script|\bsrc=|@import|url\((?!#)", text), "the page asks for nothing"


def test_three_runs_as_the_reports_arrive_give_the_same_to_the_byte(bed: Bed, at_once: Path, tmp_path: Path) -> None:
    maildir, db = box(bed, "arriving"), tmp_path / "three.db"
    third = len(MONTH.mails) // 3
    for start in (0, third, 2 * third):
        part = MONTH.mails[start : start + third] if start < 2 * third else MONTH.mails[start:]
        deliver(maildir, part, start)
        run = bed.mailgate("scan", str(maildir), "--db", str(db), "--quiet")
        assert run.returncode == 0, run.stderr
    assert rollup(db) == rollup(at_once)
    assert view(bed, db, "--json") == view(bed, at_once, "--json")
    assert view(bed, db) == view(bed, at_once)
    assert left(maildir) == {ORDINARY}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_reading_everything_again_changes_nothing(bed: Bed, at_once: Path, jobs: str) -> None:
    before = rollup(at_once)
    run = bed.mailgate("scan", str(bed.maildir("dmarc") / ".once"), "--cur", "--db", str(at_once), "--jobs", jobs)
    assert run.returncode == 0, run.stderr
    assert rollup(at_once) == before


def test_a_scan_that_is_killed_again_and_again_gives_the_same_in_the_end(
    bed: Bed, at_once: Path, tmp_path: Path
) -> None:
    maildir, db = box(bed, "killed"), tmp_path / "killed.db"
    deliver(maildir, MONTH.mails, 0)
    words = ("scan", str(maildir), "--db", str(db), "--quiet")
    rng = random.Random(7)
    instants = [f"*:{rng.randrange(20_000, 400_000)}" for _ in range(3)]
    instants += [f"keep:1>execute:{rng.randrange(2, 250)}" for _ in range(2)]
    instants += ["finish_many:1", "finish_many:1>rename:2", f"finish_many:1>rename:{rng.randrange(3, 100)}"]
    for instant in instants:
        assert bed.doomed(instant, *words).returncode == -9, instant
        assert len(left(maildir) | {file.read_bytes() for file in (maildir / "cur").iterdir()}) == len(set(MONTH.mails))
    assert bed.mailgate(*words).returncode == 0
    assert rollup(db) == rollup(at_once)
    assert left(maildir) == {ORDINARY}
