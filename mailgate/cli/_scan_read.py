"""What one message in a Maildir says: the readers in their order, without a store. Runs in worker processes.

A message is asked in the order of how sure the answer is: a DMARC or TLS report, an unsubscribe request with a token of
ours, a complaint, then everything about delivery. The first that knows it has it; what nobody knows is left alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime

from mailgate import bounce, dmarc, fbl, maildir, unsubscribe
from mailgate.records import Event, Mail, ParseError


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSettings:
    """How the readers read; see the settings of each room."""

    bounce: bounce.BounceSettings
    fbl: fbl.FeedbackSettings
    unsubscribe: unsubscribe.UnsubscribeSigner | None
    authserv_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one message said.

    kind: `bounce`, `autoreply`, `feedback`, `unsubscribe`, `dmarc`, or None when nobody knows it. events: for the
    policy. rollup: what its reports add. error: why it could not be read; it then stays where it is.
    vanished: another program took it first.
    """

    message: maildir.Waiting
    kind: str | None = None
    events: tuple[Event, ...] = ()
    rollup: dmarc.Rollup | None = None
    refused: tuple[str, ...] = ()
    error: str | None = None
    vanished: bool = False

    @property
    def is_done(self) -> bool:
        """True when the message is known, so that it is finished once what it says is kept."""
        return self.kind is not None


def read_message(message: maildir.Waiting, settings: ScanSettings) -> Found:
    """Read one file and ask every reader."""
    reading = maildir.read(message)
    if reading.error == "vanished":
        return Found(message=message, vanished=True)
    if reading.data is None:
        return Found(message=message, error=f"{reading.error} {reading.detail}".strip())
    try:
        mail = Mail.read(reading.data)
        return _report(message, mail, settings) or _about_somebody(message, mail, _delivered_at(message), settings)
    except ParseError as error:
        return Found(message=message, error=str(error))


def _report(message: maildir.Waiting, mail: Mail, settings: ScanSettings) -> Found | None:
    """A DMARC or TLS report; one that had to be refused is one too, and its refusal is counted."""
    if not dmarc.looks_like_report(mail):
        return None
    rollup = dmarc.read(mail, authserv_ids=settings.authserv_ids)
    refusals = [refused.error for _, refused in sorted(rollup.refused.items())]
    refused = tuple(error for error in refusals if error not in _NO_REPORT)
    if not rollup.contributions and not rollup.tls and not refused:
        return None
    return Found(message=message, kind="dmarc", rollup=rollup, refused=refused)


_NO_REPORT = ("not_a_report", "archive_no_report")


def _delivered_at(message: maildir.Waiting) -> datetime:
    """When the file was written: the same instant however often it is read, also after a kill."""
    try:
        return datetime.fromtimestamp(os.stat(message.path).st_mtime, UTC)
    except OSError:
        return datetime.now(UTC)


def _about_somebody(message: maildir.Waiting, mail: Mail, at: datetime, settings: ScanSettings) -> Found:
    # Before complaints: Apple Mail's unsubscribe looks like one and would then leave every stream instead of one.
    if settings.unsubscribe is not None:
        request = unsubscribe.parse_request(mail, signer=settings.unsubscribe)
        if request is not None:
            return Found(message=message, kind="unsubscribe", events=unsubscribe.events(request, at=at))
    feedback = fbl.parse(mail, settings=settings.fbl)
    if feedback is not None:
        return Found(message=message, kind="feedback", events=fbl.events(feedback, at=at))
    report = bounce.parse(mail, settings=settings.bounce)
    if report is None:
        return Found(message=message)
    return Found(message=message, kind=report.kind, events=bounce.events(report, received_at=at))
