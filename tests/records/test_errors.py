"""Errors say what is wrong, carry the parts, and come back whole from another process."""

import pickle

import pytest

from mailgate.records import MailgateError, ParseError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ParseError("too_large"), "too_large: too large"),
        (ParseError("too_large", "more than 25 MiB"), "too_large: more than 25 MiB"),
        (ParseError("bad", "no", field="Status"), "bad: no (field Status)"),
        (ParseError("bad", "no", offset=0), "bad: no (at byte 0)"),
        (ParseError("bad", "no", field="Status", offset=7), "bad: no (field Status) (at byte 7)"),
    ],
)
def test_words(error: ParseError, text: str) -> None:
    assert str(error) == text
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is ParseError
    assert (again.error, again.message, again.field, again.offset) == (
        error.error,
        error.message,
        error.field,
        error.offset,
    )
    assert str(again) == text


def test_the_family() -> None:
    assert issubclass(ParseError, MailgateError)
    assert issubclass(MailgateError, Exception)
    with pytest.raises(MailgateError):
        raise ParseError("x")
