"""The store: one object over one database, safe to share between threads."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from mailgate.records import Event
from mailgate.suppression import _listing
from mailgate.suppression._asking import AskedList
from mailgate.suppression._changes import Stamp, Writer, clean, writing
from mailgate.suppression._erase import Erased, forget, scrub
from mailgate.suppression._errors import BadAddress, RemovalRefused
from mailgate.suppression._export import FORMATS, export_list
from mailgate.suppression._folding import refold
from mailgate.suppression._front import Front
from mailgate.suppression._import import PIECE_ROWS, ImportOptions, ImportReport, RejectedRecord, import_list
from mailgate.suppression._keys import Folding, entry_key
from mailgate.suppression._lookup import (
    key_of,
    load_rules,
)
from mailgate.suppression._records import (
    EVERY,
    MAX_NAME_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    Added,
    Applied,
    EntryKind,
    LogLine,
    Stats,
    Suppression,
    SuppressionReason,
    kind_of,
    whole_second,
)


class SuppressionStore(AskedList):
    """The list of addresses not to mail. Open it with `SuppressionStore.open`, close it with `close` or `with`."""

    def add(
        self,
        address: str,
        reason: SuppressionReason = SuppressionReason.MANUAL,
        *,
        tenant: str = "",
        stream: str = EVERY,
        expires: datetime | None = None,
        at: datetime | None = None,
        source: str = "manual",
        detail: str | None = None,
        actor: str = "",
        note: str = "",
        force: bool = False,
    ) -> Added:
        """Put an address, a domain (`example.com`), everything below one (`*.example.com`) or a hash on the list.

        expires: None takes the default of the reason (`PolicySettings.default_expiry_days`). at: since when, None: now.
        On an entry that is there the later statement wins and the expiry only moves away; force: it may come nearer.
        actor, note: who and why, for the log.
        Raises BadAddress (a ValueError) for what cannot be compared with anything; ValueError for other text that no
        database can store (NUL, lone surrogates) and for names longer than 200 characters.
        """
        entry = self._entry(address, reason, tenant, stream, expires, at, source, detail)
        with self._writer() as writer:
            return writer.put(entry, self._stamp(actor, note, source), force=force)

    def add_if_absent(self, address: str, reason: SuppressionReason = SuppressionReason.MANUAL, **options: Any) -> bool:
        """`add`, unless such an entry is in force already: True for exactly one of many callers."""
        options = {"tenant": "", "stream": EVERY, "expires": None, "at": None, "detail": None, **options}
        actor, note = options.pop("actor", ""), options.pop("note", "")
        source = options.pop("source", "manual")
        entry = self._entry(address, reason, source=source, **options)
        with self._writer() as writer:
            old = writer.same_row(entry)
            if old is not None and not old.is_expired(entry.created):
                return False
            writer.put(entry, self._stamp(actor, note, source))
            return True

    def remove(
        self,
        address: str,
        *,
        note: str,
        actor: str,
        reason: SuppressionReason | None = None,
        tenant: str = "",
        stream: str | None = None,
        evidence: str = "",
    ) -> tuple[Suppression, ...]:
        """Take entries of an address (or domain) off the list; answers those that were there.

        reason: only entries of it; None: all. stream: only entries of it; None: all. note and actor say why and who;
        both are needed. evidence: what proves the new consent; without it an unsubscribe stays.
        Raises RemovalRefused (a ValueError), nothing being removed, without note or actor, for an unsubscribe without
        evidence, and for a `legal` entry, which only `force`d expiry ends.
        """
        if not note.strip() or not actor.strip():
            raise RemovalRefused("a removal needs an actor and a note: who and why")
        _check_texts(tenant=tenant, stream=stream or "", actor=actor, note=note, evidence=evidence)
        stamp = self._stamp(actor, clean(f"{note} [evidence: {evidence}]" if evidence else note), "manual")
        with self._writer() as writer:
            entries = [
                entry
                for entry in writer.rows(writer.address_form(entry_key(address)))
                if entry.tenant == tenant
                and (reason is None or entry.reason is reason)
                and (stream is None or entry.stream == stream)
            ]
            for entry in entries:
                _refuse_removal(entry, evidence)
                writer.delete(entry, stamp)
                if entry.reason is SuppressionReason.SOFT_BOUNCE:
                    writer.end_failures(entry.key, entry.tenant, stamp.at)  # or the next one would be enough again
        return tuple(entries)

    def apply(self, event: Event, *, at: datetime | None = None) -> Applied:
        """Do what the policy says about one event; see `suppress_for`. at: now, None: the clock."""
        return self.apply_many((event,), at=at)[0]

    def apply_many(self, events: Iterable[Event], *, at: datetime | None = None) -> tuple[Applied, ...]:
        """`apply` for a batch, in one transaction: when this returns, all of it is kept; before, nothing is.

        An event whose id the store has seen changes nothing, so a batch that was interrupted is given again whole.
        """
        now = self._at(at)
        with self._writer() as writer:
            return tuple(writer.apply(event, now) for event in events)

    def record_delivery(
        self, address: str, *, tenant: str = "", at: datetime | None = None, source: str = "delivery"
    ) -> Suppression | None:
        """A message to `address` arrived: ends its counted failures; the counted entry that it lifted, or None."""
        key = key_of(address)
        if key is None:
            raise BadAddress(f"cannot read the address {address[:100]!r}")
        when = self._at(at)
        with self._writer() as writer:
            return writer.lift(key, tenant, when, Stamp(at=when, actor="policy", source=source, note="delivered"))

    def expire(self, *, at: datetime | None = None) -> int:
        """Take out what has expired; how many entries. Look-ups do not wait for it.

        Old event ids and old counts go too, and the detail of old lines of the log where `log_detail_days` says so.
        """
        return _listing.expire(self._writer, self._at(at), self.settings)

    # Reading the list

    def list(
        self,
        *,
        tenant: str | None = None,
        stream: str | None = None,
        reason: SuppressionReason | None = None,
        kind: EntryKind | None = None,
        expired: bool = False,
    ) -> Iterator[Suppression]:
        """The entries, in the order of their keys; None: any. expired: with those that no longer block.

        Read in pieces, so that a list of millions neither fills the memory nor holds a writer up.
        """
        now = None if expired else self._at(None)
        yield from _listing.entries(self._sessions.get, tenant=tenant, stream=stream, reason=reason, kind=kind, now=now)

    def history(self, address: str) -> tuple[LogLine, ...]:
        """Everything that ever happened to the entries of an address or domain, oldest first, for all tenants."""
        session = self._sessions.get()
        with session.reading():
            rules = load_rules(session, self.hash_keys)
            return _listing.history(session, rules, entry_key(address))

    # Whole lists

    def import_(
        self,
        file: str | os.PathLike[str] | BinaryIO,
        *,
        format: str = "auto",
        reason: SuppressionReason | None = None,
        stream: str | None = None,
        tenant: str = "",
        expires: datetime | timedelta | None = None,
        actor: str = "",
        again: bool = False,
        piece_rows: int = PIECE_ROWS,
        on_reject: Callable[[RejectedRecord], object] | None = None,
        on_progress: Callable[[int], object] | None = None,
    ) -> ImportReport:
        """Take in a list: our own export, one of Amazon SES, SendGrid, Mailgun, Postmark, SparkPost or Mandrill, any
        CSV or JSON with an address column, or one address a line.

        file: a path or a binary file. format: `auto` recognises it by its columns and its first records.
        reason, stream, tenant: of every record, whatever the file says; None: as the file says, else `manual` and `*`.
        expires: of records without one, an instant or a span from the start of the import on; None: by the reason.
        again: True imports a file that was imported before.
        piece_rows: entries a transaction, for which other writers wait.
        on_reject is called with every record that is not taken; on_progress with the number of records read so far.
        The same file is imported once; an import that was killed goes on where it was.
        Raises ImportRefused when the file as a whole cannot be understood, StoreMismatch for hashes of another key.
        """
        _check_texts(tenant=tenant, stream=stream or "", actor=actor)
        if isinstance(expires, datetime):
            expires = whole_second(expires)
        options = ImportOptions(
            format=format, reason=reason, stream=stream, tenant=tenant, expires=expires, piece_rows=piece_rows
        )
        with ExitStack() as stack:
            if isinstance(file, (str, os.PathLike)):
                name = os.fspath(file)
                file = stack.enter_context(open(file, "rb"))
            else:
                name = str(getattr(file, "name", ""))
            session = self._sessions.verified()
            session.rules = load_rules(session, self.hash_keys)
            return import_list(
                session, self.hash_keys, self.settings, file, options, now=self._at(None), name=name,
                actor=actor, again=again, on_reject=on_reject, on_progress=on_progress,
            )  # fmt: skip

    def export(
        self,
        file: str | os.PathLike[str] | BinaryIO,
        *,
        format: str = "jsonl",
        full: bool = False,
        tenant: str | None = None,
        stream: str | None = None,
        reason: SuppressionReason | None = None,
        expired: bool | None = None,
    ) -> int:
        """Write the list; how many entries (for `plain` and `sha256`: lines).

        format: `jsonl` or `csv`, both lossless and read back by `import_` (CSV cells are guarded against being run as
        formulas, with an exact inverse); `plain`: one address or domain a line; `sha256`: the hex SHA-256 of each
        address, to compare lists with somebody else. full (`jsonl` only): also the log, counted failures and seen
        events, so that the list can move to another database as it is. A path is written under another name first.
        expired: with entries that no longer block; None: in `jsonl` and `csv`, not in `plain` and `sha256`, which
        cannot tell them from the others.
        """
        if format not in FORMATS or (full and format != "jsonl"):
            raise ValueError(f"no export {'in full ' if full else ''}to {format!r}; formats are {', '.join(FORMATS)}")
        session = self._sessions.verified()
        options = {"full": full, "tenant": tenant, "stream": stream, "reason": reason}
        if expired is None:
            expired = format in ("jsonl", "csv")
        now = None if expired else self._at(None)
        if not isinstance(file, (str, os.PathLike)):
            return export_list(session, file, format, now=now, **options)  # type: ignore[arg-type]
        return _written(file, lambda target: export_list(session, target, format, now=now, **options))  # type: ignore[arg-type]

    def erase(self, *addresses: str, actor: str, note: str, keep_block: bool = True) -> Erased:
        """Forget people: the addresses leave the list, its log and its file; what they must not be sent stays known.

        Their entries go on under a keyed hash, without evidence. keep_block: False: nothing stays, and they can be
        mailed again. The key is that of `hash_keys`; without one the list makes its own and keeps it inside, and then
        whoever has the file can still try out guesses.
        At the end the file is rewritten (VACUUM), which takes a minute for ten million entries: give many at once.
        """
        if not note.strip() or not actor.strip():
            raise RemovalRefused("an erasure needs an actor and a note: who and why")
        keys = []
        for address in addresses:
            key = key_of(address)
            if key is None:
                raise BadAddress(f"cannot read the address {address[:100]!r}")
            keys.append(key)
        stamp = self._stamp(actor, note, "manual")
        entries = lines = 0
        with self._writer() as writer:
            for key in keys:
                more = forget(writer, self.hash_keys, key, stamp, keep_block=keep_block)
                entries, lines = entries + more[0], lines + more[1]
        session = self._sessions.get()
        scrubbed = scrub(session, session.dialect)
        return Erased(entries=entries, log_lines=lines, kept_block=keep_block, scrubbed=scrubbed)

    def set_folding(self, folding: Folding | None) -> int:
        """Switch folding on, over to other rules, or (None) off; how many entries it now reaches beside their own
        address. The entries stay as they are, so switching it off loses nothing.

        Raises StoreMismatch for a hashed list, where folding is fixed when it is made.
        """
        with self._writer() as writer:
            return refold(writer, folding)

    def stats(self) -> Stats:
        """The list in numbers; it reads all of it (about a second per ten million entries)."""
        session = self._sessions.verified()
        with session.reading():
            return _listing.stats(session, self._at(None))

    def preload(self, *, max_age_seconds: float = 0.0) -> Front:
        """A front in memory that answers for most addresses without the database; see `Front`.

        max_age_seconds: 0.0: every answer is as fresh as one of the store; more: answers may be that old.
        About 4 bytes of memory per entry, and a second per million to read them.
        """
        return Front(self, self._sessions.get, max_age_seconds)

    def _writer(self) -> AbstractContextManager[Writer]:
        return writing(self._sessions.get(), self.hash_keys, self.settings)

    def _entry(
        self,
        address: str,
        reason: SuppressionReason,
        tenant: str,
        stream: str,
        expires: datetime | None,
        at: datetime | None,
        source: str,
        detail: str | None,
    ) -> Suppression:
        _check_texts(tenant=tenant, stream=stream, source=source, detail=detail or "", address=address)
        reason = SuppressionReason(reason)
        key = entry_key(address)
        created = self._at(at)
        days = self.settings.days_for(reason)
        if expires is None and days is not None:
            expires = created + timedelta(days=days)
        written = address.strip()
        return Suppression(
            key=key,
            reason=reason,
            tenant=tenant,
            stream=stream or EVERY,
            created=created,
            expires=None if expires is None else whole_second(expires),
            source=source,
            detail=detail,
            display=written if kind_of(key) is EntryKind.ADDRESS and written != key else None,
        )

    def _stamp(self, actor: str, note: str, source: str) -> Stamp:
        _check_texts(actor=actor, note=note)
        return Stamp(at=self._at(None), actor=actor, source=source, note=note)

    def _at(self, at: datetime | None) -> datetime:
        return whole_second(self.clock() if at is None else at)


def _written(path: str | os.PathLike[str], write: Callable[[BinaryIO], int]) -> int:
    """What `write` answers; its file gets its name when it is complete, and stays nowhere when it fails."""
    unfinished = f"{os.fspath(path)}.part"
    try:
        with open(unfinished, "wb") as target:
            count = write(target)
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
    return count


def _refuse_removal(entry: Suppression, evidence: str) -> None:
    if entry.reason is SuppressionReason.LEGAL:
        raise RemovalRefused(f"{entry.pattern} is suppressed for legal reasons; such an entry is not removed")
    if entry.reason is SuppressionReason.UNSUBSCRIBE and not evidence.strip():
        raise RemovalRefused(f"{entry.pattern} unsubscribed; removing that needs evidence of a new consent")


def _check_texts(**texts: str) -> None:
    for name, text in texts.items():
        limit = MAX_NAME_CHARACTERS if name in ("tenant", "stream", "actor") else 2 * MAX_TEXT_CHARACTERS
        wrong = BadAddress if name == "address" else ValueError
        if name == "source" and re.fullmatch(r"#\d+", text):
            raise ValueError(f"a source of the form #number is kept for imports: {text!r}")
        if clean(text[:MAX_TEXT_CHARACTERS]) != text[:MAX_TEXT_CHARACTERS] or "\x00" in text:
            raise wrong(f"{name} holds a character that no database can store: {text[:100]!r}")
        if len(text) > limit:
            raise wrong(f"{name} is longer than {limit} characters: {text[:100]!r}")
