"""Each room works when every other room is deleted: its own tests pass in a house with only the floor and itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.house import FLOOR, ROOF, ROOMS

ROOT = Path(__file__).parent.parent
# An editable install finds the deleted rooms again in the checkout it was made from; its finder has to go first.
FORGET_THE_CHECKOUT = """import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in getattr(finder, "__module__", "")]
"""
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")


def house_with(room: str, folder: Path) -> Path:
    """A copy of the project that holds the floor and one room, with that room's tests."""
    for name in ("mailgate", "fixtures"):
        shutil.copytree(ROOT / name, folder / name, ignore=IGNORED)
    for other in set(ROOMS) - {FLOOR, room}:
        shutil.rmtree(folder / "mailgate" / other)
    for name in (room, "support", "conformance"):
        shutil.copytree(ROOT / "tests" / name, folder / "tests" / name, ignore=IGNORED)
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "tests" / "conftest.py")
    shutil.copy(ROOT / "pyproject.toml", folder / "pyproject.toml")
    (folder / "conftest.py").write_text(FORGET_THE_CHECKOUT)
    return folder


def run_tests(folder: Path, room: str) -> subprocess.CompletedProcess[str]:
    # The deep searches ran already, in the whole house; here only the imports and the everyday paths are in question.
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "MAILGATE_FUZZ": "200",
        "HYPOTHESIS_PROFILE": "quick",
        "MAILGATE_REQUIRE": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    expression = "not slow and not integration and not postgres and not browser"
    return subprocess.run(
        [sys.executable, "-m", "pytest", f"tests/{room}", "-x", "-m", expression, "-p", "no:cacheprovider"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("room", [room for room in ROOMS if room != ROOF])
def test_a_room_passes_its_tests_with_every_other_room_deleted(room: str, tmp_path: Path) -> None:
    folder = house_with(room, tmp_path)
    run = run_tests(folder, room)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert " passed" in run.stdout


def test_the_check_sees_a_room_that_leans_on_another(tmp_path: Path) -> None:
    folder = house_with("fbl", tmp_path)
    shutil.rmtree(folder / "tests" / "fbl")
    (folder / "tests" / "fbl").mkdir()
    (folder / "tests" / "fbl" / "test_x.py").write_text("def test_x():\n    import mailgate.bounce\n")
    assert run_tests(folder, "fbl").returncode != 0
