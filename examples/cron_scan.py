"""What the cron job does, by the library: read each new message once, keep what it says, then move it to `cur`.

`mailgate scan` does the same for more kinds of mail and in batches. Killed between `apply_many` and `finish`, the next
turn reads the message again, and its events, which have ids, change nothing the second time.

Prints:
    first turn: 34 messages, 29 understood, 9 entries on the list
    second turn: 5 messages, 0 understood, 9 entries on the list
"""

import shutil
import tempfile
from pathlib import Path

from mailgate import bounce, fbl
from mailgate.maildir import Maildir
from mailgate.records import Event, Mail, ParseError
from mailgate.suppression import SuppressionStore

WEEK = Path(__file__).parent.parent / "fixtures" / "quickstart" / "Maildir" / "new"


def events_of(message: bytes) -> tuple[Event, ...] | None:
    """What a complaint or a bounce says; None for everything else, and for what cannot be read."""
    try:
        mail = Mail.read(message)
        complaint = fbl.parse(mail)
        if complaint is not None:
            return fbl.events(complaint)
        report = bounce.parse(mail)
        return None if report is None else bounce.events(report)
    except ParseError:
        return None


def scan(path: Path, db: Path) -> str:
    """One turn of the cron job."""
    seen = understood = 0
    with SuppressionStore.open(db) as store, Maildir(path) as maildir:
        for message in maildir.pending():
            seen += 1
            reading = maildir.read(message)
            events = None if reading.data is None else events_of(reading.data)
            if events is not None:
                understood += 1
                store.apply_many(events)
                maildir.finish(message)
        entries = sum(1 for _ in store.list(expired=True))
    return f"{seen} messages, {understood} understood, {entries} entries on the list"


def main() -> None:
    """Two turns over a week of mail that real servers produced."""
    with tempfile.TemporaryDirectory() as name:
        maildir = Path(name) / "Maildir"
        shutil.copytree(WEEK, maildir / "new")
        (maildir / "cur").mkdir()
        print("first turn:", scan(maildir, Path(name) / "mail.db"))
        print("second turn:", scan(maildir, Path(name) / "mail.db"))


if __name__ == "__main__":
    main()
