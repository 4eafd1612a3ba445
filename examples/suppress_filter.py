"""Keep a list of addresses not to mail, with the library: events in, a clean recipient list out.

Prints:
    gone@example.com was suppressed: mailbox_not_found: a final failure
    ann@example.com was suppressed: unsubscribed
    the newsletter goes to: bob@example.com
    not to: Gone@example.com (hard_bounce), ann@example.com (unsubscribe)
    the receipts go to: ann@example.com bob@example.com
    clean.csv has 1 of 3 rows
"""

import io
import tempfile
from pathlib import Path

from mailgate.records import Event, EventKind, Permanence, Reason
from mailgate.suppression import SuppressionStore, filter_list

RECIPIENTS = ["Gone@example.com", "ann@example.com", "bob@example.com"]


def main() -> None:
    """Two things happen, then two mailings are prepared."""
    happened = [
        Event(
            kind=EventKind.BOUNCED,
            recipient="gone@example.com",
            source="dsn",
            event_id="report-1",  # the same report read twice counts once
            permanence=Permanence.PERMANENT,
            reason=Reason.MAILBOX_NOT_FOUND,
            detail="550 5.1.1 no such user",
        ),
        Event(
            kind=EventKind.UNSUBSCRIBED,
            recipient="ann@example.com",
            source="unsubscribe",
            event_id="click-1",
            stream="newsletter",
        ),
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mail.db"
        with SuppressionStore.open(path) as store:
            for event, applied in zip(happened, store.apply_many(happened), strict=True):
                print(f"{event.recipient} was {applied.effect}: {applied.why}")

        # Whoever only asks opens it like this: a wrong path is an error, never an empty list.
        with SuppressionStore.open(path, create=False) as store:
            allowed, blocked = store.partition(RECIPIENTS, stream="newsletter")
            print("the newsletter goes to:", *allowed)
            print("not to:", ", ".join(f"{address} ({verdict.reasons[0]})" for address, verdict in blocked))
            allowed, _ = store.partition(RECIPIENTS, stream="receipts")
            print("the receipts go to:", *allowed)

            rows = io.BytesIO("".join(f"{address}\n" for address in RECIPIENTS).encode())
            with open(Path(folder) / "clean.csv", "wb") as clean:
                report = filter_list(store, rows, clean, stream="newsletter")
            print(f"clean.csv has {report.kept} of {report.rows} rows")


if __name__ == "__main__":
    main()
