"""Exit statuses (sysexits.h), because Postfix's pipe(8) takes a code it does not know as a permanent failure."""

from __future__ import annotations

from mailgate.records import MailgateError

OK = 0
NO = 1  # the answer of a check verb is no; never used by a verb that reads a mail from stdin
USAGE = 64
DATA = 65
UNAVAILABLE = 69
BUG = 70
TRY_LATER = 75
CONFIG = 78
INTERRUPTED = 130


class Exit(MailgateError):
    """End the program with `code` and `words` (plain words on stderr, no traceback)."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(code, words)
        self.code = code
        self.words = words
