"""The Maildir: find what waits, read it, move what is done. All that touches the file system is here and in `_lock`."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from types import TracebackType

from mailgate.maildir._errors import MaildirError
from mailgate.maildir._lock import FolderLock
from mailgate.maildir._waiting import Finish, Outcome, Reading, Waiting, delivery_order

MAX_BYTES = 25 * 1024 * 1024
MAX_FOLDER_DEPTH = 20  # folders below folders exist in some layouts; a deeper tree is no mail store

# QUIRK: some file systems cannot sync a directory; there is nothing more that we could do for durability there.
_CANNOT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES})
_MAX_SPARE_NAMES = 1_000


class Maildir:
    """The messages of one Maildir.

    path: the folder that holds `new` and `cur`. cur: also the messages in `cur`, whatever their flags. folders: also
    those of the sub-folders (`.Name`), at any depth. max_bytes: a longer message is not read.

    Listing and reading work at any time. To finish messages it must be entered, which takes the lock of the scan:

        with Maildir(path) as maildir:
            for message in maildir.pending():
                ...

    Entering raises MaildirBusy when another scan holds it, in this process or another, and MaildirError when the
    folder is no Maildir or this user may not rename in it.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, cur: bool = False, folders: bool = False, max_bytes: int = MAX_BYTES
    ) -> None:
        self.path = os.fspath(path)
        self.cur = cur
        self.folders = folders
        self.max_bytes = max_bytes
        self._locks: dict[str, FolderLock] = {}

    def __enter__(self) -> Maildir:
        if self._locks:
            raise ValueError(f"the scan of {self.path!r} is under way already")
        _check(self.path)
        self._lock("")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._locks:
            self._locks.popitem()[1].release()

    def pending(self) -> Iterator[Waiting]:
        """The messages that wait, folder by folder (the Maildir itself first, then by name), each in delivery order.

        A folder is listed when its turn comes; what arrives later waits for the next scan. Only the names of one
        `new` or `cur` are held, about 100 bytes each. Hidden files, directories, links, pipes and `tmp` are passed
        over. Within a scan a sub-folder is locked too when its turn comes. Raises MaildirError when a folder cannot
        be listed, MaildirBusy when a sub-folder is being scanned on its own.
        """
        _check_is_maildir(self.path)
        for folder in _folders(self.path) if self.folders else [""]:
            if self._locks:
                self._lock(folder)
            for subdir in ("new", "cur") if self.cur else ("new",):
                for name in _names(os.path.join(self.path, folder, subdir)):
                    yield Waiting(root=self.path, folder=folder, subdir=subdir, name=name)

    def read(self, message: Waiting) -> Reading:
        """The bytes of a message, or why there are none. Nothing that happens to the file is an exception."""
        return read(message, max_bytes=self.max_bytes)

    def finish(self, message: Waiting) -> Finish:
        """`finish_many` for one."""
        return self.finish_many((message,))[0]

    def finish_many(self, messages: Iterable[Waiting]) -> tuple[Finish, ...]:
        """Move messages from `new` to `cur` with the Seen flag (in `cur`: only add it); one result each, in order.

        Call it after what was read from them has been stored durably: a crash in between means that they are read
        again. The renames are on the disk when it returns. No file is ever deleted, rewritten or replaced: when `cur`
        has another file of that name, the message gets a name of its own.
        """
        results: list[Finish] = []
        touched: dict[str, None] = {}
        for message in messages:
            folder = os.path.join(message.root, message.folder)
            if message.root != self.path or not self._locks:
                raise ValueError(f"{message.path!r} can only be finished within a scan of its own Maildir")
            result = _finish(message)
            results.append(result)
            if result.outcome is Outcome.FINISHED:
                touched[os.path.join(folder, message.subdir)] = None
                touched[os.path.join(folder, "cur")] = None
        for directory in touched:
            _sync(directory)
        return tuple(results)

    def keep(self, message: Waiting) -> Finish:
        """Leave a message where it is, for the next scan or for a human; says so in the same form as `finish`."""
        return Finish(message=message, outcome=Outcome.KEPT, now=message)

    def _lock(self, folder: str) -> None:
        if folder not in self._locks:
            self._locks[folder] = FolderLock(os.path.join(self.path, folder) if folder else self.path)


def read(message: Waiting, *, max_bytes: int = MAX_BYTES) -> Reading:
    """`Maildir.read` as a function, so that worker processes can read for themselves."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not make us wait
    try:
        fd = os.open(message.path, flags)
    except FileNotFoundError:
        return Reading(message=message, error="vanished")
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link; a socket
            return Reading(message=message, error="not_a_file")
        return Reading(message=message, error="unreadable", detail=error.strerror or "")
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            return Reading(message=message, error="not_a_file")
        if status.st_size > max_bytes:
            return Reading(message=message, error="too_large")
        data = _read_all(fd, status.st_size, max_bytes)
    except OSError as error:
        return Reading(message=message, error="unreadable", detail=error.strerror or "")
    finally:
        os.close(fd)
    if data is None:
        return Reading(message=message, error="too_large")
    return Reading(message=message, data=data)


def _read_all(fd: int, size: int, max_bytes: int) -> bytes | None:
    """All bytes of an open file; None when it has grown beyond the limit meanwhile."""
    data = os.read(fd, size + 1)
    if len(data) == size:
        return data
    chunks = [data]
    total = len(data)
    while data and total <= max_bytes:
        data = os.read(fd, 1 << 20)
        chunks.append(data)
        total += len(data)
    return b"".join(chunks) if total <= max_bytes else None


def _check(path: str) -> None:
    """Before anything is read: could it be moved afterwards?"""
    _check_is_maildir(path)
    for subdir in ("new", "cur"):
        directory = os.path.join(path, subdir)
        if not os.access(directory, os.R_OK | os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            raise MaildirError(path, f"this user may not read and rename in {subdir!r}")


def _check_is_maildir(path: str) -> None:
    missing = [name for name in ("new", "cur") if not os.path.isdir(os.path.join(path, name))]
    if missing:
        raise MaildirError(path, f"is no Maildir: it has no folder {' and no folder '.join(map(repr, missing))}")


def _folders(root: str) -> Iterator[str]:
    """ "" and the sub-folders by name, each before its own; links are not followed."""
    yield ""
    waiting = _subfolders(root, "", 0)
    while waiting:
        folder, depth = waiting.pop()
        yield folder
        waiting.extend(_subfolders(root, folder, depth))


def _subfolders(root: str, folder: str, depth: int) -> list[tuple[str, int]]:
    """The Maildirs right below a folder, last name first."""
    if depth >= MAX_FOLDER_DEPTH:
        return []
    directory = os.path.join(root, folder)
    try:
        with os.scandir(directory) as entries:
            names = [e.name for e in entries if e.name.startswith(".") and e.is_dir(follow_symlinks=False)]
    except OSError as error:
        raise MaildirError(directory, f"cannot be listed: {error.strerror}") from error
    found = [name for name in names if all(os.path.isdir(os.path.join(directory, name, sub)) for sub in ("new", "cur"))]
    return [(os.path.join(folder, name), depth + 1) for name in sorted(found, reverse=True)]


def _names(directory: str) -> list[str]:
    """The message files of a `new` or `cur`, in delivery order."""
    try:
        with os.scandir(directory) as entries:
            names = [e.name for e in entries if not e.name.startswith(".") and _is_file(e)]
    except FileNotFoundError:
        return []  # the sub-folder was removed meanwhile
    except OSError as error:
        raise MaildirError(directory, f"cannot be listed: {error.strerror}") from error
    names.sort(key=delivery_order)
    return names


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:  # vanished before a file system that tells no types could be asked
        return False


def _finish(message: Waiting) -> Finish:
    done = Waiting(root=message.root, folder=message.folder, subdir="cur", name=message.finished_name)
    if done == message:
        there = os.path.lexists(message.path)
        return Finish(
            message=message, outcome=Outcome.FINISHED if there else Outcome.VANISHED, now=message if there else None
        )
    try:
        done = _spare_name(done)
        os.rename(message.path, done.path)
    except FileNotFoundError:
        return Finish(message=message, outcome=Outcome.VANISHED)
    except OSError as error:
        return Finish(message=message, outcome=Outcome.FAILED, now=message, detail=error.strerror or str(error))
    return Finish(message=message, outcome=Outcome.FINISHED, now=done)


def _spare_name(done: Waiting) -> Waiting:
    """`done`, or with a number behind its unique part when another file has that name: rename(2) would replace it."""
    wanted = done
    for number in range(1, _MAX_SPARE_NAMES):
        if not os.path.lexists(wanted.path):
            return wanted
        info = done.name[len(done.unique) :]
        wanted = Waiting(root=done.root, folder=done.folder, subdir="cur", name=f"{done.unique}_{number}{info}")
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), done.path)


def _sync(directory: str) -> None:
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise MaildirError(directory, f"cannot be synced: {error.strerror}") from error
    finally:
        os.close(fd)
