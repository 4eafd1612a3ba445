"""Importing a list: read, collect, sort, merge in pieces; resumed where it was killed, done once per file.

What one file says is fixed by its SHA-256 and the options of the import; that pair has one row in the table of imports,
with the instant of the first start (the time of records without one) and how far the merge got. So a second run of a
finished import does nothing, and that of a killed one ends where a single run would have ended.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, BinaryIO

from mailgate.records import KeyRing
from mailgate.suppression._changes import LOG_SQL, UPDATE_SQL, clean, log_row, writing
from mailgate.suppression._convert import Converter
from mailgate.suppression._errors import ImportRefused, StoreMismatch, StoreUnavailable
from mailgate.suppression._merge import merge
from mailgate.suppression._records import SuppressionReason
from mailgate.suppression._rows import entry_of, row_of, seconds
from mailgate.suppression._session import Session
from mailgate.suppression._settings import PolicySettings
from mailgate.suppression._staging import Staging
from mailgate.suppression._statements import Reject, open_list

PIECE_ROWS = 50_000  # half a second of writing, for which other writers wait
MAX_REJECTS_KEPT = 1_000
_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRecord:
    """A record of a file that was not imported. line: where it ends; text: its beginning; why: what is wrong."""

    line: int
    text: str
    why: str

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {"line": self.line, "text": self.text, "why": self.why}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did.

    number: of the import; its entries have the source `import:<number>`. format: what the file was taken for.
    records: how many it holds; added, refreshed, unchanged: entries; duplicates: records about an entry that an earlier
    record of the file was about; rejected: records not taken, the first thousand of them in `rejects`.
    repeated: True: the same file was imported before and nothing was done. resumed: True: a killed import was ended.
    """

    number: int
    format: str
    records: int = 0
    added: int = 0
    refreshed: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: int = 0
    rejects: tuple[RejectedRecord, ...] = ()
    repeated: bool = False
    resumed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        values = {name: getattr(self, name) for name in self.__slots__ if name != "rejects"}
        return values | {"rejects": [reject.to_dict() for reject in self.rejects]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ImportReport:
        """Read what `to_dict` wrote."""
        return cls(**{**data, "rejects": tuple(RejectedRecord(**reject) for reject in data.get("rejects", ()))})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How a file is to be taken; with its SHA-256, what makes two imports the same one."""

    format: str = "auto"
    reason: SuppressionReason | None = None
    stream: str | None = None
    tenant: str = ""
    expires: datetime | timedelta | None = None
    piece_rows: int = PIECE_ROWS

    def text(self) -> str:
        """As the table of imports keeps it."""
        expires = self.expires.isoformat() if isinstance(self.expires, datetime) else self.expires and str(self.expires)
        return json.dumps((self.format, self.reason, self.stream, self.tenant, expires))


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A row of the table of imports. position: the last sorted row that is in the list. again: the same file is."""

    number: int
    at: int
    position: int
    report: ImportReport
    finished: bool
    resumed: bool
    again: bool = False


def import_list(
    session: Session,
    keys: KeyRing | None,
    settings: PolicySettings,
    file: BinaryIO,
    options: ImportOptions,
    *,
    now: datetime,
    name: str,
    actor: str,
    again: bool,
    on_reject: Callable[[RejectedRecord], object] | None,
    on_progress: Callable[[int], object] | None,
) -> ImportReport:
    """See `SuppressionStore.import_`."""
    with _seekable(file) as source:
        digest = _sha256(source)
        opened = open_list(source, options.format)
        if opened.format.ask and options.reason is None:
            raise ImportRefused(
                f"{opened.format.name}, {opened.format.list_name}: the columns do not tell which; name the reason"
            )
        begun = _begin(session, keys, settings, digest, options, now, name, actor, again)
        if begun.finished:
            return replace(begun.report, repeated=True)
        rejects = _Rejects(on_reject)
        converting = Converter(session, settings, options, opened, keys=keys, at=begun.at, number=begun.number)
        with Staging(session, f"#{begun.number}") as staging, converting as converter:
            try:
                staging.collect(_counted(converter.rows(rejects.take), on_progress))
            except (ImportRefused, StoreMismatch):
                _withdraw(session, keys, settings, begun)
                raise
            staging.scopes(converter.scopes())
            staging.fold(chain.from_iterable(converter.folds.pieces()))
            total = staging.sort()
            report = replace(
                begun.report,
                format=" ".join(part for part in (opened.format.name, opened.format.list_name) if part),
                records=converter.records,
                duplicates=converter.rows_made - total,
                rejected=rejects.count,
                rejects=tuple(rejects.kept),
            )
            return _Merge(session, keys, settings, staging, converter, begun, now, actor).run(report, total)


class _Rejects:
    def __init__(self, on_reject: Callable[[RejectedRecord], object] | None) -> None:
        self.count = 0
        self.kept: list[RejectedRecord] = []
        self._on_reject = on_reject

    def take(self, reject: Reject) -> None:
        record = RejectedRecord(line=reject.line, text=clean(reject.text), why=clean(reject.why))
        self.count += 1
        if len(self.kept) < MAX_REJECTS_KEPT:
            self.kept.append(record)
        if self._on_reject is not None:
            self._on_reject(record)


class _Merge:
    """The second half of an import: pieces of sorted rows into the list."""

    def __init__(
        self,
        session: Session,
        keys: KeyRing | None,
        settings: PolicySettings,
        staging: Staging,
        converter: Converter,
        begun: Begun,
        now: datetime,
        actor: str,
    ) -> None:
        self.session = session
        self.keys = keys
        self.settings = settings
        self.staging = staging
        self.converter = converter
        self.begun = begun
        self.now = seconds(now)
        self.actor = actor
        self.piece_rows = converter.options.piece_rows
        self.source = f"import:{begun.number}"

    def run(self, report: ImportReport, total: int) -> ImportReport:
        """All pieces from where the import stands; the report of the whole."""
        with writing(self.session, self.keys, self.settings) as writer:
            self.staging.add_folds()
            for row in self.converter.new_meta.items():
                self.session.run(
                    "INSERT INTO mg_suppression_meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", row
                )
                writer.transaction.rules_changed = True
        position = self.begun.position
        while position < total:
            position, report = self._piece(position, min(position + self.piece_rows, total), report)
        return self._finish(replace(report, resumed=self.begun.resumed))

    def _piece(self, after: int, upto: int, report: ImportReport) -> tuple[int, ImportReport]:
        with writing(self.session, self.keys, self.settings) as writer:
            stands_at = self._position()
            if stands_at != after:  # another process imports the same file and was here
                return stands_at, report
            refreshed = self._refresh(self.staging.known(after, upto))
            added = self.staging.add_unknown(after, upto)
            report = replace(
                report,
                added=report.added + added,
                refreshed=report.refreshed + refreshed,
                unchanged=report.unchanged + (upto - after) - added - refreshed,
            )
            self._log("import", f"rows {after + 1} to {upto}")
            self._keep(report, upto, None)
            writer.transaction.changed = True
            writer.transaction.rules_changed = self.staging.has_domains(after, upto)
        return upto, report

    def _refresh(self, known: list[tuple[Any, ...]]) -> int:
        updates, lines = [], []
        for row in known:
            old, new = entry_of(row[:11]), entry_of(row[11:])
            merged = merge(old, new, count=max(old.count, new.count))
            if merged == old:
                continue
            updates.append(row_of(merged)[4:] + row_of(merged)[:4])
            lines.append(log_row(self.now, "refresh", merged, self.actor, self.source, "", old, merged))
        self.session.run_many(UPDATE_SQL, updates)
        self.session.run_many(LOG_SQL, lines)
        return len(updates)

    def _position(self) -> int:
        rows = self.session.rows("SELECT position FROM mg_suppression_import WHERE id = ?", (self.begun.number,))
        if not rows:
            raise StoreUnavailable(self.session.dialect.where, "the import was removed while it ran")
        return int(rows[0][0])

    def _finish(self, report: ImportReport) -> ImportReport:
        with writing(self.session, self.keys, self.settings) as writer:
            self.converter.keep_extras(writer, with_log=not self.begun.again)
            self._log("import", "finished")
            self._keep(report, None, self.now)
            writer.transaction.changed = True
        if self.session.dialect.name == "postgresql":
            self.session.run("ANALYZE mg_suppression")  # look-ups are planned by what is in the table now
        return report

    def _log(self, op: str, note: str) -> None:
        line = (self.now, op, "", "", "", None, self.actor, self.source, note, None, None)
        self.session.run(LOG_SQL, line)

    def _keep(self, report: ImportReport, position: int | None, finished: int | None) -> None:
        self.session.run(
            "UPDATE mg_suppression_import SET report = ?, position = COALESCE(?, position), finished = ? WHERE id = ?",
            # Without the rejects: they may hold what somebody wants forgotten.
            (json.dumps(replace(report, rejects=()).to_dict()), position, finished, self.begun.number),
        )


def _begin(
    session: Session,
    keys: KeyRing | None,
    settings: PolicySettings,
    digest: str,
    options: ImportOptions,
    now: datetime,
    name: str,
    actor: str,
    again: bool,
) -> Begun:
    with writing(session, keys, settings):
        rows = session.rows(
            "SELECT id, at, position, report, finished FROM mg_suppression_import WHERE sha256 = ? AND options = ?"
            " ORDER BY id DESC",
            (digest, options.text()),
        )
        if rows and (rows[0][4] is None or not again):
            number, at, position, report, finished = rows[0]
            known = ImportReport.from_dict(json.loads(report))
            return Begun(
                number=number,
                at=at,
                position=position,
                report=known,
                finished=finished is not None,
                resumed=True,
                again=len(rows) > 1,
            )
        number = 1 + int(session.rows("SELECT COALESCE(MAX(id), 0) FROM mg_suppression_import")[0][0])
        report_ = ImportReport(number=number, format=options.format)
        session.run(
            "INSERT INTO mg_suppression_import (id, at, sha256, options, name, actor, position, finished, report)"
            " VALUES (?, ?, ?, ?, ?, ?, 0, NULL, ?)",
            (number, seconds(now), digest, options.text(), clean(name), actor, json.dumps(report_.to_dict())),
        )
        return Begun(
            number=number, at=seconds(now), position=0, report=report_, finished=False, resumed=False, again=bool(rows)
        )


def _withdraw(session: Session, keys: KeyRing | None, settings: PolicySettings, begun: Begun) -> None:
    """Nothing of the file was merged, and nothing of it ever will be."""
    with writing(session, keys, settings):
        session.run("DELETE FROM mg_suppression_import WHERE id = ? AND position = 0", (begun.number,))


def _seekable(file: BinaryIO) -> Any:
    """`file` itself, not closed at the end, or a copy on the disk that can be read twice."""
    if file.seekable():
        return _Borrowed(file)
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    shutil.copyfileobj(file, copy, _BLOCK)
    copy.seek(0)
    return copy


class _Borrowed:
    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def __enter__(self) -> BinaryIO:
        return self.file

    def __exit__(self, *unused: object) -> None:
        return None


def _sha256(file: BinaryIO) -> str:
    start, digest = file.tell(), hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    file.seek(start)
    return digest.hexdigest()


def _counted(rows: Iterator[Any], on_progress: Callable[[int], object] | None) -> Iterator[Any]:
    if on_progress is None:
        return rows
    return _telling(rows, on_progress)


def _telling(rows: Iterator[Any], on_progress: Callable[[int], object]) -> Iterator[Any]:
    for number, row in enumerate(rows, 1):
        if number % 10_000 == 0:
            on_progress(number)
        yield row
