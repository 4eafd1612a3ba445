"""A day's mail of one box, made once by real servers, and what has to be known after it however the day went."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from mailgate.dmarc import RollupStore
from mailgate.suppression import LogLine, Suppression, SuppressionStore
from mailgate.unsubscribe import Subscription, UnsubscribeSigner
from tests.acceptance import servers
from tests.acceptance.bed import Bed, message
from tests.acceptance.scenarios import KEYS, ORDINARY, empty, five_reports, send_the_four
from tests.support import dmarc_reports

GONE = [f"gone{number}@target.test" for number in range(24)]
NO_DOMAIN = "somebody@nothere.test"


@dataclass(frozen=True)
class Day:
    """Files as a mail server left them: (name, contents, seconds of its arrival)."""

    files: tuple[tuple[str, bytes, float], ...]
    known: int  # how many of them a scan moves to `cur`

    def delivered(self, maildir: Path) -> Path:
        """A Maildir with that mail."""
        for folder in ("new", "cur", "tmp"):
            (maildir / folder).mkdir(parents=True, exist_ok=True)
        for name, data, arrived in self.files:
            file = maildir / "new" / name
            file.write_bytes(data)
            os.utime(file, (arrived, arrived))
        for path in (maildir, *maildir.rglob("*")):
            shutil.chown(path, servers.COLLECTOR_UID)
        return maildir

    def is_scanned(self, maildir: Path) -> bool:
        """All that is known is in `cur`, and the ordinary mail is where it was."""
        left = [file.read_bytes() for file in (maildir / "new").iterdir()]
        return left == [ORDINARY] and len(list((maildir / "cur").iterdir())) == self.known

    def is_complete(self, maildir: Path) -> bool:
        """Every message is there, in `new` or in `cur`, once."""
        there = [file.read_bytes() for folder in ("new", "cur") for file in (maildir / folder).iterdir()]
        return sorted(there) == sorted(data for _, data, _ in self.files)


def a_day(bed: Bed, box: str = "badday") -> Day:
    """Bounces of every kind, complaints, an unsubscribe mail, DMARC reports, an ordinary mail."""
    new = bed.maildir(box) / "new"
    for recipient in (*GONE, NO_DOMAIN, "full@target.test"):
        bed.send(f"{box}@sender.test", [recipient], message(recipient))
    send_the_four(bed, box)
    bounces = [file.read_bytes() for file in bed.settle(box, len(GONE) + 2 + 4)]
    empty(new)
    full = next(mail for mail in bounces if b"full@target.test" in mail)
    request = message(f"{box}@sender.test", sender="ok@target.test").replace(
        b"News of the week",
        UnsubscribeSigner(keys=KEYS).token(Subscription(recipient="ok@target.test", stream="news")).encode(),
    )
    mails = [*bounces, *_earlier(full, (1, 2)), *five_reports(), request, *_dmarc()]
    random.Random(3).shuffle(mails)
    now = int(time.time())
    files = [(f"{now}.M{number:04}P1.mx", mail, float(now)) for number, mail in enumerate([*mails, ORDINARY])]
    return Day(tuple(files), len(mails))


def _earlier(bounce: bytes, days: Sequence[int]) -> list[bytes]:
    """The same bounce as it would have come on other days."""
    made = []
    for day in days:
        date = format_datetime(datetime.now(UTC) - timedelta(days=day)).encode()
        mail = re.sub(rb"(?m)^(Date|Arrival-Date): .*$", rb"\1: " + date, bounce)
        made.append(re.sub(rb"(?m)^Message-Id: <", b"Message-Id: <day%d." % day, mail, flags=re.IGNORECASE))
    return made


def _dmarc() -> list[bytes]:
    begin = (int(time.time()) // dmarc_reports.DAY - 3) * dmarc_reports.DAY
    packed = [
        gzip.compress(dmarc_reports.report(report_id=str(number), domain="sender.test", begin=begin), mtime=0)
        for number in range(4)
    ]
    headers = "Message-ID: <{}@reports.test>\r\n"
    mails = [dmarc_reports.mail(data, headers=headers.format(number)) for number, data in enumerate(packed)]
    return [*mails, dmarc_reports.mail(packed[0], headers=headers.format("again"))]


def state(db: str) -> dict[str, Any]:
    """All that is known after a scan, and how it came to be known, without the instants of the scans."""
    with SuppressionStore.open(db, create=False) as store:
        listed = list(store.list(expired=True))
        lines = {key: store.history(key) for key in sorted({entry.key for entry in listed} | {"busy@target.test"})}
        entries = {f"{entry.key} {entry.reason}": _known(entry, lines[entry.key]) for entry in listed}
        log = {
            key: [(line.op, line.note, None if line.after is None else _logged(line.after, told)) for line in told]
            for key, told in lines.items()
            if told
        }
    rollup = json.loads(RollupStore.open(db, create=False).load().to_json())
    return {"entries": entries, "log": log, "rollup": rollup}


def _known(entry: Suppression, lines: Sequence[LogLine]) -> dict[str, Any]:
    """An entry; which of several reports was read first is told by the order of the day, and is left out."""
    data = entry.to_dict()
    several = sum(line.reason == entry.reason for line in lines) > 1
    return {**data, "source": "several"} if several or entry.reason == "soft_bounce" else data


def _logged(entry: Suppression, lines: Sequence[LogLine]) -> dict[str, Any]:
    """An entry as a line of the log has it: the instant is that of the report that was read first. Of the entry itself
    it is that of the earliest, in whatever order they were read."""
    data = _known(entry, lines)
    return {**data, "created": "several"} if data["source"] == "several" else data


def differences(found: Any, clean: Any, where: str = "") -> list[str]:
    """Where two states differ, one line each."""
    if isinstance(found, dict) and isinstance(clean, dict):
        names = sorted(found.keys() | clean.keys())
        return [line for name in names for line in differences(found.get(name), clean.get(name), f"{where}/{name}")]
    if isinstance(found, (list, tuple)) and isinstance(clean, (list, tuple)) and len(found) == len(clean):
        pairs = enumerate(zip(found, clean, strict=True))
        return [line for number, (one, other) in pairs for line in differences(one, other, f"{where}/{number}")]
    return [] if found == clean else [f"{where}: {found!r}, on a clean day {clean!r}"]


class Scan:
    """One Maildir with the day's mail, one store, and the cron job over them. command: what runs in place of ours."""

    def __init__(self, bed: Bed, day: Day, keys: str, folder: Path, db: str, command: Sequence[str] = ()) -> None:
        self.bed, self.day, self.folder, self.db, self.command = bed, day, folder, db, command
        self.maildir = day.delivered(folder / "Maildir")
        self.words = ("scan", str(self.maildir), "--db", db, "--key-file", keys, "--quiet")

    def run(self, *more: Path) -> subprocess.CompletedProcess[str]:
        """The cron job once, over more Maildirs too; whatever happens, nothing is lost and no bug is shown."""
        words = [*self.words[:2], *map(str, more), *self.words[2:]]
        if self.command:
            words = [*self.command, *words]
            done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        else:
            done = self.bed.mailgate(*words)
        self.check(done.stderr)
        return done

    def check(self, errors: str = "") -> None:
        assert "Traceback" not in errors, errors
        assert self.day.is_complete(self.maildir)

    @property
    def moved(self) -> int:
        return len(list((self.maildir / "cur").iterdir()))

    def ends_like(self, clean: dict[str, Any]) -> None:
        """The next run, with which all is as on a clean day."""
        done = self.run()
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert self.day.is_scanned(self.maildir)
        wrong = differences(state(self.db), clean)
        assert not wrong, "\n".join(wrong)
