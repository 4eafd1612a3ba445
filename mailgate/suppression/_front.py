"""A read front in memory: answers "not on the list" without asking the database, and is never wrong about it.

The model: a Bloom filter over every key of the list. What it does not know is not on the list; whatever it may know
is looked up in the store, so a verdict that blocks always comes from the store, with its entries. Additions by other
processes are found in the log, by a counter that every change moves: it is read before each answer (or before each
thousand of `check_many`), unless the caller accepts answers that are up to `max_age_seconds` old. Removals need no
care: a key too many in the filter costs one look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING

from mailgate.records import ParseError
from mailgate.suppression._keys import compared_key
from mailgate.suppression._lookup import Rules, load_rules, readable
from mailgate.suppression._records import Verdict
from mailgate.suppression._session import Session

if TYPE_CHECKING:
    from mailgate.suppression._store import SuppressionStore

_BITS_PER_KEY = 20  # with two probes about one look-up in a hundred is for nothing
_MIN_BITS = 1 << 16
_PIECE = 20_000
_CHUNK = 1_000
_NEW = tuple.__new__


class Front:
    """Look-ups with most answers from memory; made by `SuppressionStore.preload`.

    keys: how many are in it (an erased or removed one still counts). stale: True when an import has added more than the
    log tells; answers then come from the store, right and slower, until `refresh`.
    It belongs to the thread that made it.
    """

    def __init__(self, store: SuppressionStore, session_of: Callable[[], Session], max_age_seconds: float) -> None:
        self.max_age_seconds = max_age_seconds
        self._store = store
        self._session_of = session_of
        self.refresh()

    def refresh(self) -> None:
        """Read the whole list anew: about a second per million entries."""
        session = self._session_of()
        with session.reading():
            self._changes, self._log_id = _position(session)
            self._look = _look(self._changes)
            self._rules: Rules = load_rules(session, self._store.hash_keys)
            rows = session.rows("SELECT COUNT(*) FROM mg_suppression")[0][0]
            size = _MIN_BITS
            while size < rows * _BITS_PER_KEY:
                size *= 2
            self._mask = size - 1
            self._bits = bytearray(size // 8)
            self.keys = 0
            for key in _all_keys(session):
                self._add(key)
        self.stale = False
        self._checked = monotonic()

    def check(self, address: str, *, tenant: str = "", stream: str | None = None) -> Verdict:
        """`SuppressionStore.check`, from memory where that can answer."""
        try:
            key = compared_key(address)
        except ParseError:
            return Verdict(True, (), None)
        self._be_current()
        if self.stale or self._may_hold(key):
            return self._store.check(address, tenant=tenant, stream=stream)
        return Verdict(False, (), key)

    def check_many(self, addresses: Iterable[str], *, tenant: str = "", stream: str | None = None) -> Iterator[Verdict]:
        """`SuppressionStore.check_many`, from memory where that can answer."""
        for piece in readable(addresses, _CHUNK):
            self._be_current(look=True)
            if self.stale:
                yield from self._store.check_many((address for address, _ in piece), tenant=tenant, stream=stream)
            else:
                yield from self._answers(piece, tenant, stream)

    def _answers(self, piece: list[tuple[str, str | None]], tenant: str, stream: str | None) -> list[Verdict]:
        bits, mask, plain = self._bits, self._mask, self._rules.plain and not self._rules.of_domain
        answers: list[Verdict] = []
        doubtful: list[int] = []
        for _, key in piece:
            if key is None:
                answers.append(Verdict(True, (), None))
                continue
            if plain:
                code = hash(key)
                one, two = code & mask, (code >> 29) & mask
                held = bits[one >> 3] >> (one & 7) & 1 and bits[two >> 3] >> (two & 7) & 1
            else:
                held = self._may_hold(key)
            if held:
                doubtful.append(len(answers))
            answers.append(_NEW(Verdict, (False, (), key)))
        asked = [piece[at][0] for at in doubtful]
        for at, verdict in zip(doubtful, self._store.check_many(asked, tenant=tenant, stream=stream), strict=True):
            answers[at] = verdict
        return answers

    def _may_hold(self, key: str) -> bool:
        rules = self._rules
        if rules.of_domain is None or (rules.of_domain and rules.concerning(key)):
            return True
        if rules.plain:
            return self._knows(key)
        return any(self._knows(each) for each in (*rules.keys(key), *rules.folded_keys(key)))

    def _knows(self, key: str) -> bool:
        code = hash(key)
        one, two = code & self._mask, (code >> 29) & self._mask
        return bool(self._bits[one >> 3] >> (one & 7) & 1 and self._bits[two >> 3] >> (two & 7) & 1)

    def _add(self, key: str) -> None:
        code = hash(key)
        one, two = code & self._mask, (code >> 29) & self._mask
        self._bits[one >> 3] |= 1 << (one & 7)
        self._bits[two >> 3] |= 1 << (two & 7)
        self.keys += 1

    def _be_current(self, *, look: bool = False) -> None:
        now = monotonic()
        if self.max_age_seconds and now - self._checked < self.max_age_seconds:
            return
        session = self._session_of()
        if look or now > session.verify_after:
            session.verify()
        if not self.stale and session.rows(self._look):
            changes, log_id = _position(session)
            self._catch_up(session, log_id)
            self._changes, self._look = changes, _look(changes)
        self._checked = now

    def _catch_up(self, session: Session, log_id: int) -> None:
        version = session.rows("SELECT value FROM mg_suppression_meta WHERE name = 'rules'")[0][0]
        if version != self._rules.version:
            folding = self._rules.folding
            self._rules = load_rules(session, self._store.hash_keys)
            self.stale = self._rules.folding != folding
        lines = session.rows(
            "SELECT op, key FROM mg_suppression_log WHERE id > ? AND id <= ? ORDER BY id", (self._log_id, log_id)
        )
        for op, key in lines:
            if op == "import":
                self.stale = True
            self._add(key)
            if self._rules.folding is not None:
                self._add_folded(session, key)
        self._log_id = log_id

    def _add_folded(self, session: Session, key: str) -> None:
        for (folded,) in session.rows("SELECT folded FROM mg_suppression_fold WHERE key = ?", (key,)):
            self._add(folded)


def _look(changes: str) -> str:
    """The query that has a row when the counter of changes is another one; cheaper than to fetch it every time."""
    return f"SELECT 1 FROM mg_suppression_meta WHERE name = 'changes' AND value <> '{int(changes)}'"  # noqa: S608


def _position(session: Session) -> tuple[str, int]:
    """The counter of changes and the last line of the log, in one statement."""
    changes, log_id = session.rows(
        "SELECT value, (SELECT COALESCE(MAX(id), 0) FROM mg_suppression_log) FROM mg_suppression_meta"
        " WHERE name = 'changes'"
    )[0]
    return changes, int(log_id)


def _all_keys(session: Session) -> Iterator[str]:
    for table, column in (("mg_suppression", "key"), ("mg_suppression_fold", "folded")):
        after = ""
        while True:
            sql = f"SELECT DISTINCT {column} FROM {table} WHERE {column} > ? ORDER BY {column} LIMIT {_PIECE}"  # noqa: S608
            piece = session.rows(sql, (after,))
            for (key,) in piece:
                yield key
            if len(piece) < _PIECE:
                break
            after = piece[-1][0]
