"""Where a verb keeps its data: the path of an SQLite file, or a PostgreSQL URL."""

from __future__ import annotations

import importlib.util

from mailgate.cli import _exit

HELP = "the database: the path of an SQLite file (made when absent), or a postgresql:// URL"
_SCHEMES = ("postgresql://", "postgres://")


def where(text: str) -> str:
    """`text` for the stores' `open`, which connect by themselves and say it in their own words when nobody answers.

    Ends the program with status 78 for a URL when the driver is not installed.
    """
    if text.startswith(_SCHEMES) and importlib.util.find_spec("psycopg") is None:
        raise _exit.Exit(_exit.CONFIG, "PostgreSQL needs its driver: pip install 'psycopg[binary]'")
    return text
