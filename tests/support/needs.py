"""Software that a test needs and a machine may lack: skip with a plain word, or fail where nothing may be skipped.

`.ci/run` sets MAILGATE_REQUIRE=1, so that a skip there is a failure.
"""

from __future__ import annotations

import importlib
import os
import shutil
from types import ModuleType
from typing import NoReturn

import pytest

_SYSTEM_FOLDERS = (
    "/usr/sbin",
    "/sbin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
)


def missing(what: str) -> NoReturn:
    """Skip because `what` is not there; fail instead where MAILGATE_REQUIRE=1."""
    words = f"needs {what}, which this machine does not have"
    if os.environ.get("MAILGATE_REQUIRE") == "1":
        pytest.fail(words)
    pytest.skip(words)


def program(name: str) -> str:
    """The path of a program, looked for on PATH and where Debian puts servers."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *_SYSTEM_FOLDERS]))
    if found is None:
        missing(f"the program {name}")
    return found


def module(name: str) -> ModuleType:
    """An optional Python package."""
    try:
        return importlib.import_module(name)
    except ImportError:
        missing(f"the Python package {name}")


def root() -> None:
    """Only root can run this test."""
    if os.geteuid() != 0:
        missing("root")


def corpora() -> str:
    """The folder of the full corpora, named by MAILGATE_CORPORA (never part of the project)."""
    folder = os.environ.get("MAILGATE_CORPORA")
    if not folder:
        pytest.skip("MAILGATE_CORPORA does not name the folder of the full corpora")
    return folder
