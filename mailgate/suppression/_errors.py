"""The errors of the store, each named for what the caller can do about it."""

from __future__ import annotations

from mailgate.records import MailgateError


class StoreUnavailable(MailgateError):
    """The store cannot be read or written now: try later, and mail nobody meanwhile.

    where: the path or a description of the database. words: what it said. exit_status: 75 when nobody has to repair
    anything or look for a server (another writer holds the lock, the disk is full), else 69.
    """

    def __init__(self, where: str, words: str) -> None:
        super().__init__(where, words)
        self.where = where
        self.words = words
        # SQLite's own words, which are never translated; PostgreSQL waits for its locks.
        passing = words in ("database is locked", "database or disk is full")
        self.exit_status = 75 if passing else 69  # EX_TEMPFAIL, EX_UNAVAILABLE

    def __str__(self) -> str:
        return f"the suppression store {self.where} is not available: {self.words}"


class StoreMismatch(MailgateError):
    """The store was made with other settings (hash key, folding, a newer schema) than it is opened with.

    setting: what differs. Opening it anyway would answer "not suppressed" for addresses that are in it.
    """

    exit_status = 78  # EX_CONFIG

    def __init__(self, setting: str, words: str) -> None:
        super().__init__(setting, words)
        self.setting = setting
        self.words = words

    def __str__(self) -> str:
        return self.words


class BadAddress(MailgateError, ValueError):
    """An address (or domain) that cannot be put on the list, because nothing can be compared with it."""

    exit_status = 65  # EX_DATAERR


class RemovalRefused(MailgateError, ValueError):
    """An entry that may not be removed like this: it needs evidence of consent, or it may never go."""

    exit_status = 65


class ImportRefused(MailgateError):
    """A file that cannot be imported as a whole: its format is not recognised, or it was made with another key."""

    exit_status = 65
