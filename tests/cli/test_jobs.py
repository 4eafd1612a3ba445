import itertools
import os
import subprocess
import sys

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


SLEEPERS = """
import os, sys, time
from mailgate.cli._jobs import ordered_map
def tell(number):
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(60)
list(ordered_map(tell, range(200), 2))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_workers_die_with_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", SLEEPERS], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    workers = [int(parent.stdout.readline()) for _ in range(2)]
    parent.kill()
    parent.wait()
    # The pipe reaches its end only when no process holds it open any more.
    assert parent.stdout.read() == b""
    parent.stdout.close()
    assert len(set(workers)) == 2
