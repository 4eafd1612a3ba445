"""Where a verb keeps its data: the path of an SQLite file, or a PostgreSQL URL."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from mailgate.cli import _exit

HELP = "the database: the path of an SQLite file (made when absent), or a postgresql:// URL"
_SCHEMES = ("postgresql://", "postgres://")


def where(text: str) -> str | Callable[[], Any]:
    """`text` for the stores' `open`: a path as it is, a URL as a callable that connects."""
    if not text.startswith(_SCHEMES):
        return text
    try:
        import psycopg
    except ImportError as error:
        raise _exit.Exit(_exit.CONFIG, "PostgreSQL needs its driver: pip install 'mailgate[postgres]'") from error
    return partial(psycopg.connect, text)
