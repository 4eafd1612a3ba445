"""The errors of the room."""

from mailgate.records import MailgateError


class MaildirError(MailgateError):
    """A folder that cannot be used as a Maildir: it is none, or this user may not read or change it.

    path: the folder. message: a sentence for people.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path = path
        self.message = message

    def __str__(self) -> str:
        return f"{self.path!r}: {self.message}"


class MaildirBusy(MaildirError):
    """Another scan of this Maildir is under way; try again later."""
