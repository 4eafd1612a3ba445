"""What the documents say is so: README, help texts, manuals and examples are executed."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mailgate
from mailgate.cli import _main
from tests.support.documents import ROOT, Block, blocks, environment, scratch, shell, transcript

README = (ROOT / "README.md").read_text(encoding="utf-8")
SET_UP = "python3 -m venv .venv"
LANGUAGES = {"console", "sh", "python", "text"}


def modules() -> list[str]:
    return [module.name for module in pkgutil.walk_packages(mailgate.__path__, "mailgate.")]


@pytest.mark.parametrize("name", [name for name in modules() if not name.endswith("__main__")])
def test_examples_in_docstrings_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


@pytest.mark.parametrize("verb", [name for name, _ in _main.VERBS])
def test_every_example_in_a_help_text_runs(verb: str, tmp_path: Path) -> None:
    folder = scratch(tmp_path / "scratch")
    for example in _main.load(verb).EXAMPLES:
        run = shell(example, folder)
        assert run.returncode in (0, 1), f"{example}\n{run.stdout[-2000:]}{run.stderr[-2000:]}"


# --- README ----------------------------------------------------------------------------------------------------------


def set_up_blocks() -> list[Block]:
    return [block for block in blocks(README) if SET_UP in block.text]


def test_every_block_of_the_readme_has_a_language_that_is_executed() -> None:
    assert {block.language for block in blocks(README)} <= LANGUAGES
    assert len(set_up_blocks()) == 2, "one command to try it, one to test it"


def test_the_sessions_in_the_readme_print_what_it_shows(tmp_path: Path) -> None:
    folder = scratch(tmp_path / "scratch")
    seen = 0
    for block in blocks(README):
        if block.language != "console" or SET_UP in block.text:
            continue
        for command, expected in transcript(block.text):
            run = shell(command, folder)
            assert run.stdout.rstrip() == expected.rstrip(), (
                f"README line {block.line}: {command}\n{run.stdout}{run.stderr}"
            )
            seen += 1
    assert seen


def test_the_commands_in_the_readme_run(tmp_path: Path) -> None:
    folder = scratch(tmp_path / "scratch")
    for block in blocks(README):
        if block.language == "sh" and SET_UP not in block.text:
            run = shell(f"set -e\n{block.text}", folder)
            assert run.returncode == 0, f"README line {block.line}:\n{block.text}\n{run.stdout}{run.stderr}"


def test_the_python_in_the_readme_runs(tmp_path: Path) -> None:
    folder = scratch(tmp_path / "scratch")
    for block in blocks(README):
        if block.language == "python":
            run = subprocess.run(
                [sys.executable, "-W", "error", "-c", block.text],
                cwd=folder,
                env=environment(folder),
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert run.returncode == 0, f"README line {block.line}:\n{block.text}\n{run.stderr}"
            printed = re.findall(r"# prints: (.*)", block.text)
            assert run.stdout.splitlines() == printed, f"README line {block.line}"


@pytest.mark.slow
def test_the_quick_start_works_in_a_fresh_clone_and_prints_what_the_readme_shows(tmp_path: Path) -> None:
    clone = fresh_clone(tmp_path)
    command, _, expected = set_up_blocks()[0].text.removeprefix("$ ").partition("\n")
    run = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=clone,
        env=bare(tmp_path),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.rstrip() == expected.rstrip()


def test_the_test_command_is_the_one_that_is_run_everywhere() -> None:
    command = set_up_blocks()[1].text.removeprefix("$ ").strip()
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def fresh_clone(folder: Path) -> Path:
    """The checkout as a newcomer gets it: what is committed, or (outside version control) all that is not generated."""
    clone = folder / "mailgate"
    if (ROOT / ".git").exists():
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True, capture_output=True)
    else:
        shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns("__pycache__", ".venv*", ".*_cache", "*.egg-info"))
    return clone


def bare(home: Path) -> dict[str, str]:
    """No settings of this machine but the way to the package index."""
    kept = {name: value for name, value in environment(home).items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    path = [part for part in kept["PATH"].split(":") if part != str(Path(sys.executable).parent)]
    # python3 has to be one that is new enough, and not one that has mailgate installed.
    base = Path(sys.base_prefix) / "bin"
    return {**kept, "PATH": ":".join([str(base), *path])}
