"""Maildirs of any size, made of the real messages in fixtures/quickstart."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.support.documents import ROOT

SAMPLES = ROOT / "fixtures" / "quickstart" / "Maildir" / "new"
_DOMAIN = re.compile(rb"(?<=[@.\[ ])(target|script|closed|nullmx|nxdomain|dove|mta46)\.test")
_MESSAGE_ID = re.compile(rb"(?<=<)(?=[^<>@\s]+@(?:sender|mta\d+|mx)[\w.]*\.test>)")


def fill(path: Path, count: int) -> Path:
    """A Maildir with `count` new messages: the samples again and again, each time to domains of their own."""
    for name in ("new", "cur", "tmp"):
        (path / name).mkdir(parents=True)
    samples = [(file.name, file.read_bytes()) for file in sorted(SAMPLES.iterdir())]
    for number in range(count):
        turn, place = divmod(number, len(samples))
        name, data = samples[place]
        if turn:
            data = _DOMAIN.sub(rb"\1-%d.test" % turn, data)
            data = _MESSAGE_ID.sub(b"%d." % turn, data)
        file = path / "new" / f"{1795219200 + number}.{name.partition('.')[2]}"
        file.write_bytes(data)
        # A report without a date happened when it was delivered, so copies of a Maildir must agree about that too.
        os.utime(file, (1795219200 + number, 1795219200 + number))
    return path
