"""Asking a list: one address, many, or a list in two halves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from time import monotonic

from mailgate.records import ParseError
from mailgate.suppression._judge import judge
from mailgate.suppression._keys import compared_key
from mailgate.suppression._lookup import (
    Found,
    Rules,
    find,
    load_rules,
    readable,
    rows_of_look,
)
from mailgate.suppression._opened import OpenedList
from mailgate.suppression._records import (
    Verdict,
)
from mailgate.suppression._rows import EXPIRES, KEY, Row, entry_of
from mailgate.suppression._session import Session

_CHUNK = 1_000  # addresses per query of `check_many`
_NEW = tuple.__new__  # `Verdict(...)` without the call in between: half a microsecond of six


class AskedList(OpenedList):
    """A list that answers whether addresses may be mailed."""

    def check(self, address: str, *, tenant: str = "", stream: str | None = None) -> Verdict:
        """May `address` be mailed?

        tenant: whose mail; entries of `*` hold for every tenant. stream: which kind of mail; None: not known, then an
        entry of any stream blocks. An address that cannot be read is blocked.
        Raises StoreUnavailable; never answers "not blocked" when the store cannot be read.
        """
        try:
            key = compared_key(address)
        except ParseError:
            return Verdict(True, (), None)
        try:
            session: Session = self._local.session
        except AttributeError:
            session = self._sessions.get()
        if monotonic() > session.verify_after:
            session = self._sessions.verified()
        rules: Rules = session.rules
        if rules.plain and session.quick:
            cursor = session.cursor
            try:
                cursor.execute(rules.first_look, (key,))
                rows = cursor.fetchall()
                if rows == rules.nothing and not rules.of_domain:
                    return _NEW(Verdict, (False, (), key))
            except session.dialect.errors as error:
                raise session.failure(error) from error
            own = rows_of_look(rules, rows)
            if own is not None:
                of_domain = rules.concerning(key) if rules.of_domain else ()
                return self._judged(key, own, of_domain, tenant, stream)
        return self._check_fully(session, [key], tenant, stream)[0]

    def check_many(self, addresses: Iterable[str], *, tenant: str = "", stream: str | None = None) -> Iterator[Verdict]:
        """`check` for each of `addresses`, in their order; read and answered a thousand at a time.

        Each thousand is checked against one state of the list.
        """
        for piece in readable(addresses, _CHUNK):
            session = self._sessions.verified()
            keys = [key for _, key in piece if key is not None]
            verdicts = iter(self._check_fully(session, keys, tenant, stream) if keys else ())
            for _, key in piece:
                yield Verdict(True, (), None) if key is None else next(verdicts)

    def partition(
        self, addresses: Iterable[str], *, tenant: str = "", stream: str | None = None
    ) -> tuple[list[str], list[tuple[str, Verdict]]]:
        """`addresses` as (those that may be mailed, those that may not with the reason), both in their order."""
        allowed: list[str] = []
        blocked: list[tuple[str, Verdict]] = []
        for piece in readable(addresses, _CHUNK):
            texts = [address for address, _ in piece]
            for address, verdict in zip(texts, self.check_many(texts, tenant=tenant, stream=stream), strict=True):
                if verdict.blocked:
                    blocked.append((address, verdict))
                else:
                    allowed.append(address)
        return allowed, blocked

    def _check_fully(self, session: Session, keys: list[str], tenant: str, stream: str | None) -> list[Verdict]:
        found = find(session, session.rules, keys)
        while found is None:
            session.rules = load_rules(session, self.hash_keys)
            found = find(session, session.rules, keys)
        if not found:
            return [_NEW(Verdict, (False, (), key)) for key in keys]
        now = int(self.clock().timestamp())
        return [self._verdict(key, found.get(key), session.rules, tenant, stream, now) for key in keys]

    def _judged(
        self, key: str, own: Sequence[Row], of_domain: Sequence[Row], tenant: str, stream: str | None
    ) -> Verdict:
        now = 0  # the clock is only asked when it can matter
        for row in (*own, *of_domain) if of_domain else own:
            if row[EXPIRES] is not None:
                now = int(self.clock().timestamp())
                break
        blocking = judge(own, of_domain, tenant=tenant, stream=stream, transactional=self._transactional, now=now)
        return Verdict(bool(blocking), tuple([entry_of(row) for row in blocking]), key)

    def _verdict(
        self, key: str, found: Found | None, rules: Rules, tenant: str, stream: str | None, now: int
    ) -> Verdict:
        if found is None:
            return _NEW(Verdict, (False, (), key))
        blocking = judge(
            found.own, found.of_domain, tenant=tenant, stream=stream, transactional=self._transactional, now=now
        )
        if not blocking:
            return Verdict(False, (), key)
        by = rules.folding.rules if rules.folding is not None else ()
        entries = tuple(entry_of(row, by if row[KEY] in found.folded else ()) for row in blocking)
        return Verdict(True, entries, key)
