"""`mailgate scan`: the cron job. Every new message of the Maildirs is read once and becomes events and suppressions.

The order makes it safe to be killed at any instant: a batch of messages is read, what it says is committed to the
store, then its files are renamed from `new` to `cur`. A message whose file was not renamed is read again, and its
events, which have ids, change nothing the second time.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache, partial

from mailgate.cli import _database, _exit, _output
from mailgate.cli._feedback import feedback_settings
from mailgate.cli._jobs import add_jobs_option, ordered_map
from mailgate.cli._progress import Progress
from mailgate.cli._readers import (
    add_ownership_options,
    add_rules_option,
    bounce_settings,
    keys_of,
)
from mailgate.cli._scan_read import Found, ScanSettings, read_message
from mailgate.cli._scan_words import Tally
from mailgate.dmarc import Rollup, RollupStore
from mailgate.maildir import Finish, Maildir, MaildirBusy, MaildirError, Outcome
from mailgate.suppression import Applied, PolicySettings, SuppressionStore
from mailgate.unsubscribe import UnsubscribeSigner

SUMMARY = "read everything new in Maildirs once: the cron job"
DESCRIPTION = """\
Reads every new message in MAILDIRs, keeps what it says in one database, then moves it from `new` to `cur`.

Bounces, complaints and unsubscribe requests fill the list of addresses not to mail (see `mailgate suppress`); DMARC and
TLS reports are added to the rollup (see `mailgate dmarc --db`). What mailgate does not know, and what it cannot read,
stays in `new`. It can be killed at any instant and started again: nothing is lost and nothing counts twice.
"""
EXAMPLES = (
    "mailgate scan Maildir --db mail.db",
    "mailgate scan Maildir --db mail.db --json",
    "mailgate scan Maildir --db mail.db --quiet      # for cron: says something only when something is wrong",
)
BATCH = 500  # messages a transaction: few enough to be repeated after a kill, many enough to pay for the sync


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    add = parser.add_argument
    add("maildirs", nargs="+", metavar="MAILDIR", help="a folder that holds `new` and `cur`")
    add("--db", required=True, metavar="PATH|URL", help=_database.HELP)
    add("--folders", action="store_true", help="also the sub-folders (.Name) of each Maildir")
    add("--cur", action="store_true", help="also what is in `cur` already (reading a message twice counts once)")
    add("--json", action="store_true", help="one JSON line a message instead of tables")
    add("--quiet", action="store_true", help="say nothing when all went well")
    add_jobs_option(parser)
    group = parser.add_argument_group("whose mail it is")
    add_ownership_options(group)
    group.add_argument("--require-match", action="store_true",
                       help="suppress at once only when the report proves that the message was ours")  # fmt: skip
    group.add_argument("--authserv-id", action="append", default=[], metavar="NAME",
                       help="our server's name in Authentication-Results: who sent a DMARC report")  # fmt: skip
    add_rules_option(parser)


def run(args: argparse.Namespace) -> int:
    """Scan each Maildir in turn; a Maildir that cannot be scanned does not stop the others."""
    settings = _settings(args)
    tally = Tally()
    status = _exit.OK
    with contextlib.ExitStack() as stack:
        # Only when there is a Maildir: a wrong path must not leave an empty list behind, which would block nobody.
        stores = cache(partial(_open_stores, args, stack))
        for path in args.maildirs:
            try:
                _scan(path, args, settings, stores, tally)
            except MaildirBusy as error:
                _output.say(f"mailgate scan: {error}")
                status = _exit.TRY_LATER
            except MaildirError as error:
                _output.say(f"mailgate scan: {error}")
                status = status or _exit.DATA
    if not args.json and not (args.quiet and tally.is_uneventful):
        print(tally.text(args.db))
    if tally.unmoved_count:  # what they say is kept, so the next turn only has to move them
        status = status or _exit.TRY_LATER
    return status or (_exit.DATA if tally.unreadable_count else _exit.OK)


def _settings(args: argparse.Namespace) -> ScanSettings:
    keys = keys_of(args)
    return ScanSettings(
        bounce=bounce_settings(args, keys),
        fbl=feedback_settings(keys, tuple(args.verp_domain)),
        unsubscribe=None if keys is None else UnsubscribeSigner(keys=keys),
        authserv_ids=tuple(args.authserv_id),
    )


def _open_stores(args: argparse.Namespace, stack: contextlib.ExitStack) -> _Stores:
    where = _database.where(args.db)
    rollups = RollupStore.open(where)
    settings = PolicySettings(require_match=args.require_match)
    return _Stores(stack.enter_context(SuppressionStore.open(where, settings=settings)), rollups)


class _Stores:
    """What a scan writes to."""

    def __init__(self, suppressions: SuppressionStore, rollups: RollupStore) -> None:
        self.suppressions = suppressions
        self.rollups = rollups

    def keep(self, batch: list[Found], now: datetime) -> list[tuple[Applied, ...]]:
        """Commit what a batch says; when this returns, all of it is on the disk."""
        reports = [one.rollup for one in batch if one.rollup is not None]
        if reports:
            total = Rollup()
            for report in reports:
                total.update(report)
            self.rollups.add(total)
        events = [event for one in batch for event in one.events]
        # No event is later than the arrival of its message. One that is later than now tells that the clock was set
        # back, and an expiry that is counted from a wrong instant would let an address through.
        now = max([now, *(event.at for event in events if event.at is not None)])
        effects = iter(self.suppressions.apply_many(events, at=now) if events else ())
        return [tuple(next(effects) for _ in one.events) for one in batch]


def _scan(
    path: str, args: argparse.Namespace, settings: ScanSettings, opened: Callable[[], _Stores], tally: Tally
) -> None:
    with Maildir(path, cur=args.cur, folders=args.folders) as maildir, Progress(None, path) as bar:
        stores = opened()
        found = ordered_map(partial(read_message, settings=settings), maildir.pending(), args.jobs)
        for batch in _batches(found):
            effects = stores.keep(batch, datetime.now(UTC))
            finished = {done.message: done for done in maildir.finish_many(one.message for one in batch if one.is_done)}
            for one, applied in zip(batch, effects, strict=True):
                _tell(one, applied, finished.get(one.message), args.json, tally)
            bar.advance(len(batch))


def _tell(one: Found, effects: tuple[Applied, ...], finish: Finish | None, as_json: bool, tally: Tally) -> None:
    if one.vanished:
        return
    tally.message(one)
    if finish is not None and finish.outcome is Outcome.FAILED:
        tally.could_not_move(one, finish.detail)
    for event, applied in zip(one.events, effects, strict=True):
        tally.event(event, applied)
    if as_json:
        print(_output.json_line(_record(one, effects, finish is not None and finish.outcome is Outcome.FINISHED)))


def _record(one: Found, effects: tuple[Applied, ...], moved: bool) -> dict[str, object]:
    record: dict[str, object] = {"file": one.message.path, "kind": one.kind, "moved": moved}
    if one.error is not None:
        record["error"] = one.error
    record["events"] = [event.to_dict() for event in one.events]
    record["effects"] = [applied.to_dict() for applied in effects]
    if one.rollup is not None:
        record["reports"] = [
            {"org": report.org, "report_id": report.report_id, "domain": report.domain}
            for report in one.rollup.contributions.values()
        ] + [{"org": report.org, "report_id": report.report_id} for report in one.rollup.tls.values()]
        record["refused"] = list(one.refused)
    return record


def _batches(found: Iterator[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    for one in found:
        batch.append(one)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
