"""CSV cells that a spreadsheet would run as a formula, made harmless with an exact inverse.

A cell that begins with one of `=+-@`, TAB or CR gets an apostrophe in front, which spreadsheets hide; one that begins
with an apostrophe gets one more, so that taking one off is always right.
"""

from __future__ import annotations

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "'")


def guard(cell: str) -> str:
    """`cell` as it can be opened in a spreadsheet.

    >>> guard("=1+1"), unguard(guard("'a")), guard("a")
    ("'=1+1", "'a", 'a')
    """
    return "'" + cell if cell.startswith(_DANGEROUS) else cell


def unguard(cell: str) -> str:
    """The cell that `guard` was given."""
    return cell[1:] if cell.startswith("'") else cell
