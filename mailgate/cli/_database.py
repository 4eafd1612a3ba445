"""Where a verb keeps its data: the path of an SQLite file, or a PostgreSQL URL."""

from __future__ import annotations

import importlib.util

from mailgate.cli import _exit

HELP = "the database: the path of an SQLite file (made when absent), or a postgresql:// URL"
_SCHEMES = ("postgresql://", "postgres://")


def where(text: str) -> str:
    """`text` for the stores' `open`, which connect by themselves and say it in their own words when nobody answers.

    Ends the program with status 78 for a URL when the driver is not installed, and with 64 for what names no database:
    nothing (a shell variable that is not set), or a URL of another kind.
    """
    if not text:
        raise _exit.Exit(_exit.USAGE, "--db is empty: it takes the path of an SQLite file, or a postgresql:// URL")
    if "://" in text and not text.startswith(_SCHEMES):
        kind = text.partition("://")[0]  # and not more of it: a URL may hold a password
        raise _exit.Exit(_exit.USAGE, f"--db takes an SQLite file or a postgresql:// URL, no {kind}:// URL")
    if text.startswith(_SCHEMES) and importlib.util.find_spec("psycopg") is None:
        raise _exit.Exit(_exit.CONFIG, "PostgreSQL needs its driver: pip install 'psycopg[binary]'")
    return text
