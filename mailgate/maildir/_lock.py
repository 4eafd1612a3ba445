"""One scan at a time: a lock on the folder itself, released by the kernel when the process ends.

The lock is flock(2) on the directory, so that nothing is written into the Maildir, a read-only one can be locked too,
and no stale lock file can outlive a killed process. No mail program locks the directory itself (Dovecot, Courier and
mutt lock files of their own in it), so none is disturbed. Where the file system cannot lock a directory (NFS turns
flock into a record lock, which wants a file open for writing) the lock is on the file `.mailgate-lock` in it instead;
it stays there, empty.

A flock belongs to the open file and is shared by forked children, which would hold it after the parent was killed.
So every child made by fork closes its copy first of all; programs started by exec never have one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import weakref

from mailgate.maildir._errors import MaildirBusy, MaildirError

LOCK_FILE = ".mailgate-lock"

_DIRECTORY_CANNOT = frozenset({errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})
_BUSY = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES})


class FolderLock:
    """The lock of one folder, taken when it is made."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd: int | None = None
        self._fd = _locked(path)
        _HELD.add(self)

    def release(self) -> None:
        """Give the lock back; again is nothing."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def __del__(self) -> None:
        self.release()


_HELD: weakref.WeakSet[FolderLock] = weakref.WeakSet()


def _forget_in_child() -> None:
    for lock in list(_HELD):
        lock.release()


os.register_at_fork(after_in_child=_forget_in_child)


def _locked(path: str) -> int:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise MaildirError(path, f"cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        if error.errno not in _DIRECTORY_CANNOT:
            raise _refused(path, error) from error
        return _locked_file(path)
    return fd


def _locked_file(path: str) -> int:
    try:
        fd = os.open(os.path.join(path, LOCK_FILE), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise MaildirError(path, f"cannot be locked: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise _refused(path, error) from error
    return fd


def _refused(path: str, error: OSError) -> MaildirError:
    if error.errno in _BUSY:
        return MaildirBusy(path, "another scan of this Maildir is under way; try again later")
    return MaildirError(path, f"cannot be locked: {error.strerror}")
