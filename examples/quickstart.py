"""The loop on real mail: scan a bounce mailbox, see whom it suppressed and why, clean a recipient list with it.

Works in a temporary folder on a copy of fixtures/quickstart, a week of mail that real servers produced, as if it had
arrived today.
"""

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

WEEK = Path(__file__).parent.parent / "fixtures" / "quickstart"
DATES = re.compile(rb"(?:Fri|Sat), 2[01] Nov 2026")


def main() -> None:
    """Three commands, as a postmaster types them, with what they print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        today = datetime.now(UTC).strftime("%a, %d %b %Y").encode()
        for kind in ("new", "cur", "tmp"):
            (folder / "Maildir" / kind).mkdir(parents=True)
        for mail in (WEEK / "Maildir" / "new").iterdir():
            (folder / "Maildir" / "new" / mail.name).write_bytes(DATES.sub(today, mail.read_bytes()))
        shutil.copy(WEEK / "recipients.csv", folder)

        print(
            f"# a Maildir with {len(list((folder / 'Maildir' / 'new').iterdir()))} new messages, and a recipient list\n"
        )
        run("mailgate scan Maildir --db mail.db", folder)
        run("mailgate suppress filter recipients.csv --db mail.db --stream news --blocked blocked.csv", folder)
        run("ls Maildir/new", folder)


def run(line: str, folder: Path) -> None:
    """Print a command line, run it, print what it says."""
    print(f"$ {line}", flush=True)
    words = shlex.split(line)
    if words[0] == "mailgate":
        words = [sys.executable, "-m", *words]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    print(done.stdout + done.stderr, flush=True)


if __name__ == "__main__":
    main()
