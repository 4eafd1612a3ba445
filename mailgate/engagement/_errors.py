"""What can go wrong here, named for what the caller can do about it."""

from __future__ import annotations

from mailgate.records import MailgateError


class InvalidToken(MailgateError):
    """A token that is not ours, not for this use, cut, altered, or of a key that is retired. It never says which."""

    def __init__(self) -> None:
        super().__init__("not a valid token")


_WHY = {
    "not_http": "a destination is an absolute http:// or https:// URL",
    "no_host": "it has no host",
    "bad_host": "its host cannot be one",
    "bad_port": "its port is no number from 0 to 65535",
    "control": "it holds a control character",
    "character": "it holds a space, a quote, an angle bracket or a backslash: percent-encode it",
    "surrogate": "it is no valid Unicode text",
    "too_long": "it is too long for a token of 4,096 characters",
}


class UnsafeURL(MailgateError, ValueError):
    """A destination that will not be signed.

    reason: one word: `not_http`, `no_host`, `bad_host`, `bad_port`, `control`, `character`, `surrogate`, `too_long`.
    url: the destination as given.
    """

    def __init__(self, reason: str, url: str) -> None:
        super().__init__(reason, url)
        self.reason = reason
        self.url = url

    def __str__(self) -> str:
        return f"this destination will not be signed: {self.url[:200]!r}: {_WHY[self.reason]} [{self.reason}]"


class AlreadySigned(MailgateError):
    """The message carries a DKIM-Signature, which rewriting would break: rewrite first, or pass `force=True`."""

    exit_status = 65

    def __init__(self) -> None:
        super().__init__("the message is DKIM-signed; rewrite it before it is signed")
