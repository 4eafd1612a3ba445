"""The errors that every room shares; each is named for what the caller can do about it."""


class MailgateError(Exception):
    """Base of every error that mailgate raises on purpose."""


class ParseError(MailgateError):
    """Input from outside that cannot be read as what it claims to be, or that exceeds a stated limit.

    error: one snake_case word that names the class of the fault (`too_large`, `too_deep`, `not_a_report`, …).
    message: a sentence for people: what is wrong and what to do.
    field: the field at fault, as the RFC spells it, or None.
    offset: byte offset of the fault in the input, or None when it has none.
    """

    def __init__(self, error: str, message: str = "", *, field: str | None = None, offset: int | None = None) -> None:
        super().__init__(error, message)
        self.error = error
        self.message = message or error.replace("_", " ")
        self.field = field
        self.offset = offset

    def __str__(self) -> str:
        where = "".join(
            part
            for part in (
                f" (field {self.field})" if self.field else "",
                f" (at byte {self.offset})" if self.offset is not None else "",
            )
        )
        return f"{self.error}: {self.message}{where}"

    def __reduce__(self) -> tuple[object, ...]:
        # Worker processes send errors back by pickle; Exception's own reduction would lose the keyword parts.
        return (_rebuild_parse_error, (self.error, self.message, self.field, self.offset))


def _rebuild_parse_error(error: str, message: str, field: str | None, offset: int | None) -> ParseError:
    return ParseError(error, message, field=field, offset=offset)
