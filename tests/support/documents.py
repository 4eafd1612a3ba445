"""Running what documents say: the code blocks of a Markdown file and the examples of the command line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_BLOCK = re.compile(r"^```([\w-]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced code block: its language word, its text and the line where it starts."""

    language: str
    text: str
    line: int


def blocks(document: str) -> Iterator[Block]:
    """The fenced code blocks of a Markdown text, in order."""
    for match in _BLOCK.finditer(document):
        yield Block(language=match[1], text=match[2], line=document.count("\n", 0, match.start()) + 1)


def transcript(text: str) -> Iterator[tuple[str, str]]:
    """(command, expected output) of a `console` block; a command goes on after a backslash at the end of its line."""
    command: list[str] = []
    output: list[str] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                yield "\n".join(command), "\n".join(output)
            command, output = [line[2:]], []
        elif command and command[-1].endswith("\\") and not output:
            command.append(line)
        else:
            output.append(line)
    if command:
        yield "\n".join(command), "\n".join(output)


def scratch(folder: Path) -> Path:
    """A folder to run examples in: copies of fixtures and examples, a Maildir as a mail server leaves it."""
    shutil.copytree(ROOT / "fixtures", folder / "fixtures")
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "fixtures" / "quickstart" / "Maildir", folder / "Maildir")
    shutil.copy(ROOT / "fixtures" / "quickstart" / "recipients.csv", folder / "recipients.csv")
    for name in ("cur", "tmp"):
        (folder / "Maildir" / name).mkdir(exist_ok=True)
    return folder


def environment(home: Path) -> dict[str, str]:
    """Where `mailgate` and `python` are those that run the tests, and nothing depends on the machine's settings."""
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "/usr/bin:/bin")]),
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "COLUMNS": "120",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
    }


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """One command line as a person types it."""
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
