"""Enhanced status codes: what is one, where one stands in a text, and what it is not a part of."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.records import EnhancedStatus


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("5.1.1", "5.1.1"),
        (" 4.2.2 ", "4.2.2"),
        ("2.0.0", "2.0.0"),
        ("5.7.606", "5.7.606"),
        ("5.0.01", "5.0.1"),
        ("5.007.001", "5.7.1"),
    ],
)
def test_codes(text: str, code: str) -> None:
    """RFC 3463 2: class, subject, detail; leading zeros are read and not kept."""
    assert str(EnhancedStatus.parse(text)) == code


@pytest.mark.parametrize(
    "text",
    ["", "5", "5.1", "5.1.1.1", "3.1.1", "1.1.1", "6.0.0", "5.1111.1", "5.1.1x", "a5.1.1", "5,1,1", "٥.١.١", "5. 1.1"],
)
def test_what_is_no_code(text: str) -> None:
    with pytest.raises(ValueError, match="not an enhanced status code"):
        EnhancedStatus.parse(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("550 5.1.1 user unknown", "5.1.1"),
        ("user unknown (#5.1.1)", "5.1.1"),
        ("smtp;550-5.7.1 [192.0.2.1] no", "5.7.1"),
        ("see 4.2.2, then 5.0.0", "4.2.2"),
        ("5.1.1: no", "5.1.1"),
        ("'5.7.1", "5.7.1"),
        ("status=5.1.1,", "5.1.1"),
    ],
)
def test_codes_in_a_text(text: str, code: str) -> None:
    assert str(EnhancedStatus.find(text)) == code


@pytest.mark.parametrize(
    "text",
    ["192.0.2.25", "5.1.1.1", "15.1.1", "5.1.12345", "4.16.55.1", "Exim 4.72", "8.14.3", "", "version 2.10", "5.1"],
)
def test_what_stands_in_longer_numbers_is_no_code(text: str) -> None:
    assert EnhancedStatus.find(text) is None


def test_general_codes_say_nothing_about_the_cause() -> None:
    """RFC 3463 3.1: X.0.0 and X.Y.0."""
    assert EnhancedStatus(5, 0, 0).is_generic
    assert EnhancedStatus(4, 4, 0).is_generic
    assert not EnhancedStatus(5, 0, 1).is_generic


def test_order_dicts_and_pickles() -> None:
    one, other = EnhancedStatus(4, 7, 650), EnhancedStatus(5, 1, 1)
    assert one < other
    assert EnhancedStatus.from_dict(one.to_dict()) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert len({one, EnhancedStatus(4, 7, 650)}) == 1


@given(st.sampled_from([2, 4, 5]), st.integers(0, 999), st.integers(0, 999))
def test_what_is_written_is_read(klass: int, subject: int, detail: int) -> None:
    code = EnhancedStatus(klass, subject, detail)
    assert EnhancedStatus.parse(str(code)) == code
    assert EnhancedStatus.find(f"550 {code} text") == code


@given(st.text(alphabet="0123456789. x", max_size=60))
def test_find_never_fails(text: str) -> None:
    found = EnhancedStatus.find(text)
    assert found is None or found.status_class in (2, 4, 5)
