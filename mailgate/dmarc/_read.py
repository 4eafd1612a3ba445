"""From inputs to rollups: the map step, and the whole of map and reduce over any executor."""

from __future__ import annotations

import hashlib
import os
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Executor, Future
from functools import partial
from itertools import islice
from os import PathLike
from typing import TypeAlias

from mailgate.dmarc._containers import Document, as_mail, documents, kind_of, refusal, without_soft
from mailgate.dmarc._contribution import Contribution, TlsContribution, Trust, contribution_of, tls_contribution
from mailgate.dmarc._limits import DEFAULT_LIMITS, Limits
from mailgate.dmarc._report import Refusal
from mailgate.dmarc._rollup import Rollup
from mailgate.dmarc._tls import read_tls
from mailgate.dmarc._trust import trust_of
from mailgate.records import Mail, ParseError

Found: TypeAlias = Contribution | TlsContribution | Refusal
Path: TypeAlias = str | PathLike[str]

_BATCH = 64  # files a task: a task a file would cost more in pickling than the reading
_TASKS_AHEAD = 32  # tasks under way: keeps many workers busy and memory bounded

# RFC 9990 3.5.2, RFC 8460 5.3 and 5.4: subject and file name of report mails.
_SUBJECT = re.compile(
    r"report[\s_-]{1,20}domain\s{0,20}:|dmarc[\s_-]{1,20}(aggregate[\s_-]{1,20})?report|^\s*report\s+domain",
    re.IGNORECASE,
)
_SUBJECT_WORD = re.compile(r"dmarc|tls-?rpt", re.IGNORECASE)  # also in failure reports and bounces, which hold messages
_FILE_NAME = re.compile(r"[^!]{1,255}![^!]{1,255}!\d{1,20}!\d{1,20}(![^!]{1,255})?\.(xml|json|zip|gz|xml\.gz|json\.gz)")
_ENDINGS = (".xml.gz", ".xml.zip", ".json.gz")  # what hardly anything but a report is called
_TYPES = frozenset({"application/tlsrpt+gzip", "application/tlsrpt+json"})
_PACKED_TYPES = frozenset(
    {"application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed", "application/x-zip",
     "application/x-gzip-compressed", "text/xml", "application/xml", "application/octet-stream"}
)  # fmt: skip


def contributions(
    message: bytes | Mail,
    *,
    limits: Limits = DEFAULT_LIMITS,
    trust: Trust | None = None,
    authserv_ids: Collection[str] = (),
) -> tuple[Found, ...]:
    """What `message` adds to a rollup, without full rows: contributions and refusals, in its order, at least one.

    message: as for `parse_all`; a report of 200,000 records takes as much memory as its distinct sources.
    trust: of the reports; None: by the mail's Authentication-Results from `authserv_ids` (see `trust_of`), `unknown`
    for what is no mail, and for a report in a mail that was passed on inside another mail.
    """
    if trust is None and authserv_ids:
        message, trust = _judged(message, authserv_ids, limits)
    level = trust or Trust.UNKNOWN
    items = documents(message, limits)
    found = (item if isinstance(item, Refusal) else _contribution(item, limits, level) for item in items)
    return tuple(without_soft(found))


def read(
    message: bytes | Mail,
    *,
    limits: Limits = DEFAULT_LIMITS,
    trust: Trust | None = None,
    authserv_ids: Collection[str] = (),
) -> Rollup:
    """`contributions` as a small rollup: the map step. Merge the results in any order."""
    rollup = Rollup()
    source = input_id(message)
    for number, found in enumerate(contributions(message, limits=limits, trust=trust, authserv_ids=authserv_ids)):
        if isinstance(found, Refusal):
            rollup.refuse(found, source=f"{source}/{number}")
        else:
            rollup.add(found, source=source)
    return rollup


def input_id(message: bytes | Mail) -> str:
    """A name for an input by its bytes, as 16 hexadecimal digits."""
    return hashlib.blake2b(message.raw if isinstance(message, Mail) else message, digest_size=8).hexdigest()


def rollup(
    paths: Iterable[Path],
    *,
    executor: Executor | None = None,
    limits: Limits = DEFAULT_LIMITS,
    authserv_ids: Collection[str] = (),
) -> Rollup:
    """Everything that the files and directories of `paths` report, merged.

    executor: any `concurrent.futures.Executor` (a process pool; the executor of a Dask client; …); None reads here.
    The result is the same, to the last byte of its JSON, whatever reads. A file that cannot be opened is refused as
    `unreadable` and stops nothing.
    """
    total = Rollup()
    task = partial(_read_files, limits=limits, authserv_ids=tuple(authserv_ids))
    batches = _batched(_files(paths))
    if executor is None:
        for batch in batches:
            total.update(task(batch))
        return total
    under_way: deque[Future[Rollup]] = deque()
    try:
        for batch in batches:
            under_way.append(executor.submit(task, batch))
            if len(under_way) >= _TASKS_AHEAD:
                total.update(under_way.popleft().result())
        while under_way:
            total.update(under_way.popleft().result())
    finally:
        for future in under_way:
            future.cancel()
    return total


def looks_like_report(mail: Mail) -> bool:
    """True when a mail has the marks of a report mail: its type, its subject or its file names; decodes nothing.

    A quick gate before `contributions`, made for Maildirs with other mail in them. Content decides: a mail that passes
    here may still be refused as `not_a_report`.
    """
    subject = (mail.headers.decoded("subject") or "")[:1_000]
    if _SUBJECT.search(subject):
        return True
    about_reports = _SUBJECT_WORD.search(subject) is not None
    for part in mail.walk():
        about_reports = about_reports and not part.content_type.startswith("message/")
        if part.content_type in _TYPES or part.param("report-type") == "tlsrpt":
            return True
        name = "" if part.parts else (part.filename or "").strip()[:1_000].lower()
        if name.endswith(_ENDINGS) or _FILE_NAME.fullmatch(name):
            return True
        if part.content_type in _PACKED_TYPES and part is mail and kind_of(part.content()[:1_024]) is not None:
            return True
    return about_reports


def _judged(message: bytes | Mail, authserv_ids: Collection[str], limits: Limits) -> tuple[bytes | Mail, Trust]:
    try:
        mail = message if isinstance(message, Mail) else _mail_in(message, limits)
    except ParseError:
        return message, Trust.UNKNOWN
    return (message, Trust.UNKNOWN) if mail is None else (mail, trust_of(mail, authserv_ids=authserv_ids))


def _mail_in(message: bytes, limits: Limits) -> Mail | None:
    if len(message) > limits.max_bytes or kind_of(message[:1_024]) is not None:
        return None
    return as_mail(message, limits)


def _contribution(document: Document, limits: Limits, trust: Trust) -> Found:
    trust = Trust.UNKNOWN if document.forwarded else trust
    try:
        if document.kind == "json":
            return tls_contribution(read_tls(document, limits), trust)
        return contribution_of(document, limits, trust)
    except ParseError as error:
        return refusal(error, document.member)


def _files(paths: Iterable[Path]) -> Iterator[str]:
    """The files behind `paths`; those of a directory sorted, with all below it."""
    for given in paths:
        path = os.fspath(given)
        if not os.path.isdir(path):
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (os.path.join(folder, name) for name in sorted(names))


def _batched(items: Iterator[str]) -> Iterator[tuple[str, ...]]:
    while batch := tuple(islice(items, _BATCH)):
        yield batch


def _read_files(paths: tuple[str, ...], *, limits: Limits, authserv_ids: tuple[str, ...]) -> Rollup:
    total = Rollup()
    for path in paths:
        try:
            with open(path, "rb") as file:
                content = file.read(limits.max_bytes + 1)
        except OSError as error:
            name = hashlib.blake2b(os.fsencode(path), digest_size=8).hexdigest()
            words = f"{os.path.basename(path)}: {error.strerror}"
            total.refuse(Refusal(error="unreadable", message=words), source=f"path:{name}")
        else:
            total.update(read(content, limits=limits, authserv_ids=authserv_ids))
    return total
