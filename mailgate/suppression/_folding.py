"""Switching folding on and off: the fold table is made anew, the entries stay as they are."""

from __future__ import annotations

from mailgate.suppression._changes import Writer
from mailgate.suppression._errors import StoreMismatch
from mailgate.suppression._keys import Folding
from mailgate.suppression._records import EntryKind, kind_of
from mailgate.suppression._setup import folding_text

_PIECE = 10_000


def refold(writer: Writer, folding: Folding | None) -> int:
    """Make the fold table for `folding`; how many rows it has."""
    session, rules = writer.session, writer.rules
    if rules.hashed:
        raise StoreMismatch("folding", "a hashed list cannot be folded anew: the addresses are not in it")
    erased = rules.folding is not None and session.rows(
        "SELECT 1 FROM mg_suppression_fold WHERE key >= '#' AND key < '$' LIMIT 1"
    )
    # Rows of erased people cannot be made again, so they stay; without folding nobody asks for them.
    session.run("DELETE FROM mg_suppression_fold WHERE NOT (key >= '#' AND key < '$')")
    session.run("DELETE FROM mg_suppression_meta WHERE name = 'folding'")
    rows = len(erased) if erased else 0
    if folding is not None:
        session.run("INSERT INTO mg_suppression_meta (name, value) VALUES ('folding', ?)", (folding_text(folding),))
        rows += _fill(writer, folding)
    writer.transaction.rules_changed = True
    return rows


def _fill(writer: Writer, folding: Folding) -> int:
    count, after = 0, ""
    while True:
        sql = f"SELECT DISTINCT key FROM mg_suppression WHERE key > ? ORDER BY key LIMIT {_PIECE}"  # noqa: S608
        piece = [key for (key,) in writer.session.rows(sql, (after,))]
        for key in piece:
            folded = folding.fold(key) if kind_of(key) is EntryKind.ADDRESS else key
            if folded != key:
                writer.add_fold(folded, key)
                count += 1
        if len(piece) < _PIECE:
            return count
        after = piece[-1]
