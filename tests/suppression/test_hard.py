"""Kill -9 at random instants, writers side by side, and a reader that never sees half a batch.

MAILGATE_KILLS kills per kind of work and database, MAILGATE_WRITER_SECONDS of writing: 15 and 1.5 by default, 100 and
10 where nothing may be skipped (MAILGATE_REQUIRE=1).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
IN_FULL = os.environ.get("MAILGATE_REQUIRE") == "1"
KILLS = int(os.environ.get("MAILGATE_KILLS", "100" if IN_FULL else "15"))
SECONDS = float(os.environ.get("MAILGATE_WRITER_SECONDS", "10" if IN_FULL else "1.5"))


def run(*words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.suppression.hard", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("work", ["import", "apply"])
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_work_that_was_killed_ends_like_one_clean_run(
    work: str, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where = str(tmp_path)
    if database == "postgresql":
        where = request.getfixturevalue("postgres_server").base_url()
    found = run(work, where, str(KILLS), "1")
    assert found["differing"] == []
    assert found["entries"] > 80
    assert found["interrupted"] >= KILLS // 3, "most kills must come while it works"


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_two_writers_and_a_reader_lose_nothing_and_see_no_half(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where = str(tmp_path / "mail.db")
    if database == "postgresql":
        where = request.getfixturevalue("postgres_server").url()
    found = run("writers", where, str(SECONDS))
    assert found["failed"] == [0, 0, 0]
    one, two = found["one"], found["two"]
    assert min(one, two) > 10
    assert found["shared"] == one + two, "no count of the shared address is lost"
    assert found["entries"] == 2 * (one + two) + 1 + one // 50 + two // 50
    assert found["reader"]["looks"] > 10
    assert found["reader"]["halves"] == 0
