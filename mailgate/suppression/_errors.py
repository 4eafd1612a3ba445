"""The errors of the store, each named for what the caller can do about it."""

from __future__ import annotations

from mailgate.records import MailgateError

# What SQLite says, which are words for its programmers, and what a person can do about it.
_ADVICE = (
    ("database is locked", "another program is writing; try again when it has ended"),
    ("readonly database", "this user must be able to write the file and its folder, for a lock even when only reading"),
    ("unable to open database file", "it is a folder, its folder is missing, or this user may not open it"),
    ("file is not a database", "a list is an SQLite file"),
    ("disk image is malformed", "the file is damaged; restore a copy, or recover it with: sqlite3 FILE .recover"),
    ("there is no suppression list in it", "`mailgate suppress add` and `import` make one"),
)


class StoreUnavailable(MailgateError):
    """The store cannot be read or written now: try later, and mail nobody meanwhile.

    where: the path or a description of the database. words: what it said. exit_status: 75 when nobody has to repair
    anything or look for a server (another writer holds the lock, the disk is full), else 69.
    """

    def __init__(self, where: str, words: str) -> None:
        super().__init__(where, words)
        self.where = where
        self.words = " ".join(words.split())  # PostgreSQL says it in several lines
        # SQLite's own words, which are never translated; PostgreSQL waits for its locks.
        passing = words in ("database is locked", "database or disk is full")
        self.exit_status = 75 if passing else 69  # EX_TEMPFAIL, EX_UNAVAILABLE

    def __str__(self) -> str:
        advice = next((f" ({advice})" for said, advice in _ADVICE if said in self.words), "")
        return f"the suppression store {self.where or repr(self.where)} is not available: {self.words}{advice}"


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
