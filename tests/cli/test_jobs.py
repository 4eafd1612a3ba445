import itertools
import os

import pytest

from mailgate.cli import _jobs


def square(number: int) -> int:
    return number * number


def process_of(_: int) -> int:
    return os.getpid()


def refuse_seven(number: int) -> int:
    if number == 7:
        raise ValueError(number)
    return number


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    assert list(_jobs.ordered_map(square, range(500), jobs)) == [n * n for n in range(500)]


def test_more_than_one_process_works() -> None:
    assert os.getpid() not in set(_jobs.ordered_map(process_of, range(300), 2))


def test_items_are_taken_only_a_bounded_way_ahead() -> None:
    taken = itertools.count()

    results = _jobs.ordered_map(square, taken, 2)
    assert [next(results) for _ in range(10)] == [n * n for n in range(10)]
    assert next(taken) <= (2 * _jobs.TASKS_AHEAD + 1) * _jobs.ITEMS_PER_TASK
    results.close()  # type: ignore[attr-defined]


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match="7"):
        list(_jobs.ordered_map(refuse_seven, range(100), 2))
