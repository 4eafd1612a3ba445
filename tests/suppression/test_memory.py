"""Memory does not grow with the list: importing, exporting, asking, filtering."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from mailgate.suppression import Folding, SuppressionStore, filter_list
from tests.suppression.conftest import Backend

ROOT = Path(__file__).parent.parent.parent
FEW, MANY = 4_000, 20_000

IN_A_PROCESS = """
import os, sys
from mailgate.suppression import SuppressionStore, filter_list
path, listed = sys.argv[1:]
with SuppressionStore.open(path) as store:
    print(store.import_(listed).added)
    with open(listed, "rb") as source, open(os.devnull, "wb") as nowhere:
        filter_list(store, source, nowhere)
        store.export(nowhere)
    with open(listed) as source:
        sum(1 for _ in store.check_many(source))
    store.preload()
# Not ru_maxrss: that outlives exec, so it would tell the memory of whoever started this process.
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM:")))
"""


def write_list(path: Path, rows: int) -> Path:
    with open(path, "w") as file:
        file.writelines(f"u{number * 7_919 % rows}@example.com\n" for number in range(rows))
    return path


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("what", ["import", "export"])
def test_moving_five_times_the_list_takes_the_same_memory(backend: Backend, tmp_path: Path, what: str) -> None:
    five_times_the_list_take_the_same_memory(backend, tmp_path, what)


def test_events_of_a_full_export_wait_on_the_disk(sqlite: Backend) -> None:
    most = []
    for rows in (MANY, 3 * MANY):
        store = sqlite.open()
        lines = [json.dumps({"mailgate_suppression": 1, "hash_check": None})]
        lines += [
            json.dumps({"event": {"id": f"{rows}-{number}", "at": "2026-01-01T00:00:00+00:00"}})
            for number in range(rows)
        ]
        listed = io.BytesIO("\n".join(lines).encode())
        most.append(peak(lambda listed=listed, store=store: store.import_(listed)))  # type: ignore[misc]
    assert store.stats().events == 4 * MANY
    assert most[1] < most[0] * 1.5 + 500_000


def test_folded_spellings_of_an_import_wait_on_the_disk(sqlite: Backend, tmp_path: Path) -> None:
    store = sqlite.open(folding=Folding(rules=("plus",), domains=("example.com",)))
    most = []
    for rows in (FEW, MANY):
        listed = tmp_path / f"{rows}.txt"
        listed.write_text("".join(f"u{number}+{rows}@example.com\n" for number in range(rows)))
        most.append(peak(lambda listed=listed: store.import_(listed)))  # type: ignore[misc]
        assert store.check(f"u{rows - 1}@example.com").blocked
    assert most[1] < most[0] * 1.5 + 500_000


@pytest.mark.parametrize("what", ["check_many", "filter", "list"])
def test_asking_five_times_the_list_takes_the_same_memory(sqlite: Backend, tmp_path: Path, what: str) -> None:
    five_times_the_list_take_the_same_memory(sqlite, tmp_path, what)


def five_times_the_list_take_the_same_memory(backend: Backend, tmp_path: Path, what: str) -> None:
    most = []
    for rows in (FEW, MANY):
        listed = write_list(tmp_path / f"{rows}.txt", rows)
        store = backend.open()
        if what == "import":
            most.append(peak(lambda listed=listed, store=store: store.import_(listed)))  # type: ignore[misc]
            continue
        store.import_(listed)
        with open(listed, "rb") as source, open(os.devnull, "wb") as nowhere:
            lines = (line.decode().strip() for line in source)
            work: dict[str, Callable[[], object]] = {
                "export": lambda store=store, nowhere=nowhere: store.export(nowhere),  # type: ignore[misc]
                "check_many": lambda store=store, lines=lines: sum(1 for _ in store.check_many(lines)),  # type: ignore[misc]
                "filter": lambda store=store, source=source, nowhere=nowhere: filter_list(store, source, nowhere),  # type: ignore[misc]
                "list": lambda store=store: sum(1 for _ in store.list()),  # type: ignore[misc]
            }
            most.append(peak(work[what]))
    assert most[1] < most[0] * 1.5 + 500_000


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the system does not tell a process its own peak")
def test_a_long_list_stays_far_below_the_limit(tmp_path: Path) -> None:
    listed = write_list(tmp_path / "list.txt", 300_000)
    words = [sys.executable, "-c", IN_A_PROCESS, str(tmp_path / "mail.db"), str(listed)]
    done = subprocess.run(
        words, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    added, kilobytes = map(int, done.stdout.split())
    assert added == 300_000
    assert kilobytes < 150 * 1024
    with SuppressionStore.open(tmp_path / "mail.db") as store:
        assert os.path.getsize(tmp_path / "mail.db") < 60 * store.stats().entries
