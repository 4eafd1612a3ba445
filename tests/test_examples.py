"""Every example runs, and prints what its first lines say."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support import needs
from tests.support.documents import ROOT, environment, scratch

EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))
# What an example shows besides mailgate, where it can be missing.
NEEDS = {
    "dmarc_rollup_dask.py": "distributed",
    "django_mount.py": "django",
    "flask_mount.py": "flask",
    "gunicorn_mount.py": "gunicorn",
}
# Its output is in README, which is tested against it.
SHOWN_ELSEWHERE = {"quickstart.py"}


def promised(text: str) -> str | None:
    """The block under `Prints:` in the docstring of an example."""
    found = re.search(r"^Prints:\n((?:    .*\n|\n)+)", (ast.get_docstring(ast.parse(text)) or "") + "\n", re.MULTILINE)
    return None if found is None else textwrap.dedent(found[1])


def test_there_are_examples_and_each_promises_something() -> None:
    assert len(EXAMPLES) > 5
    for name in set(EXAMPLES) - SHOWN_ELSEWHERE:
        assert promised((ROOT / "examples" / name).read_text(encoding="utf-8")), name


@pytest.mark.parametrize("name", NEEDS)
def test_an_example_says_what_it_needs_beside_mailgate(name: str) -> None:
    text = (ROOT / "examples" / name).read_text(encoding="utf-8")
    assert f"pip install {NEEDS[name]}" in (ast.get_docstring(ast.parse(text)) or "").lower()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_prints_what_it_says(name: str, tmp_path: Path) -> None:
    if name in NEEDS:
        needs.module(NEEDS[name])
    folder = scratch(tmp_path / "scratch")
    run = subprocess.run(
        [sys.executable, "-W", "error", str(folder / "examples" / name)],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    expected = promised((folder / "examples" / name).read_text(encoding="utf-8"))
    assert run.stdout.strip()
    assert expected is None or run.stdout.strip() == expected.strip()
    assert not run.stderr


def test_an_example_that_prints_something_else_is_noticed() -> None:
    assert promised('"""One.\n\nPrints:\n    a b\n      c\n\nMore."""\n') == "a b\n  c\n\n"
    assert promised('"""One."""') is None
