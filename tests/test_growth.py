"""The judge of growth sees a quadratic reader and lets a linear one pass."""

from tests.support.growth import is_linear


def test_a_quadratic_reader_is_seen_and_a_linear_one_passes() -> None:
    assert is_linear(lambda size: sum(range(size)), 100_000)
    assert not is_linear(lambda size: [list(range(size)) for _ in range(size)], 200)
