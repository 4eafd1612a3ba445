"""The bed is started once a session; what is missing is said in a plain word, and is a failure in `.ci/run`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.bed import Bed
from tests.support import needs, postgres

PROGRAMS = ("ip", "postfix", "unbound", "nsd", "dovecot", "postgrey", "apt-get", "dpkg")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups: one bed is enough
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "acceptance" in str(item.path):
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
