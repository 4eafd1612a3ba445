"""The bed is started once a session; what is missing is said in a plain word, and is a failure in `.ci/run`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.bed import Bed
from tests.acceptance.days import Day, Scan, a_day, state
from tests.acceptance.scenarios import key_file
from tests.support import needs, postgres

PROGRAMS = ("ip", "postfix", "unbound", "nsd", "dovecot", "postgrey", "apt-get", "dpkg")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marked as soon as it is found, so that xdist sees the group when it deals the tests out: one bed is enough.

    QUIRK: pytest-xdist 3.8 passes over groups with pytest 9.2 (its issue 1386). Then each worker has a bed of its own,
    in a namespace of its own.
    """
    item.add_marker(pytest.mark.integration)
    item.add_marker(pytest.mark.xdist_group("bed"))


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    needs.root()
    for program in PROGRAMS:
        needs.program(program)
    made = Bed()
    try:
        made.start()
        yield made
    finally:
        left = made.stop()
    assert left == [], f"processes that would not end: {left}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """A cluster on a UNIX socket, which every network namespace reaches."""
    with postgres.server() as running:
        yield running


@pytest.fixture(scope="session")
def day(bed: Bed) -> Day:
    """The mail of one day, which every bad day begins with."""
    return a_day(bed)


@pytest.fixture(scope="session")
def keys(bed: Bed) -> str:
    """The path of a key file."""
    return str(key_file(bed.folder))


@pytest.fixture(scope="session")
def clean(bed: Bed, day: Day, keys: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The state after a clean day, which every bad day has to end with."""
    folder = tmp_path_factory.mktemp("clean")
    scan = Scan(bed, day, keys, folder, str(folder / "mail.db"))
    done = scan.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert day.is_scanned(scan.maildir)
    return state(scan.db)
