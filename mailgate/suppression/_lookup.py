"""Look-ups: one address with one query, many with one query per thousand.

What concerns more than one address (domain entries, folding, whether anybody was erased) is kept in memory as `Rules`
with the number of the version it was read at; every look-up reads that number in the same query as the rows, so the
memory is never older than the rows.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice

from mailgate.records import KeyRing, ParseError
from mailgate.suppression._dialect import Dialect
from mailgate.suppression._errors import StoreMismatch
from mailgate.suppression._keys import HASH_KEY_PURPOSE, Folding, compared_key, domain_keys, hash_key
from mailgate.suppression._records import EntryKind, kind_of
from mailgate.suppression._rows import COLUMNS, KEY, REASON, Row
from mailgate.suppression._session import Session

# Domain entries that are kept in memory (about 1 kB each); a longer list of domains is searched in the table.
MAX_RULES_IN_MEMORY = 20_000
MAX_DOMAINS_REMEMBERED = 20_000

_VERSION_MARK = -1  # no reason has this code: the row that carries the version of the rules
_AND_VERSION = (
    " UNION ALL SELECT value, '', '', -1, 0, NULL, NULL, 0, '', NULL, NULL"
    " FROM mg_suppression_meta WHERE name = 'rules'"
)
# The hot path, one key; drivers take time for every column, so a row is one. In a file no row at all means that the
# rules are of this version and nothing stands under the key; a null, that they are not.
_LOOK_IN_FILE = (
    "SELECT NULL FROM mg_suppression_meta WHERE name = 'rules' AND value <> '{version}'"
    " UNION ALL SELECT json_array({columns}) FROM mg_suppression WHERE key = ?"
)
# Over a connection a query is planned each time: the version, and beside it the row or null.
_LOOK_REMOTE = (
    "SELECT m.value, CAST(row_to_json(s) AS TEXT) FROM mg_suppression_meta m"
    " LEFT JOIN mg_suppression s ON s.key = ? WHERE m.name = 'rules'"
)
_NAMES = COLUMNS.split(", ")
_FOLDED = ", ".join(f"s.{name}" for name in _NAMES)


class Rules:
    """What concerns more than one address, as of `version`.

    of_domain: rows by domain key; None when there are too many to keep. secret: hashes of addresses can be in the
    table and this makes them. hashed: every address is a hash. folding: None when off.
    plain: an address stands under its own key only. first_look: the query for one address, in the words of the driver;
    nothing: what it answers for one that is not there, while the rules are of this version.
    """

    __slots__ = ("_memo", "first_look", "folding", "hashed", "nothing", "of_domain", "plain", "secret", "version")

    def __init__(
        self,
        version: str,
        of_domain: dict[str, list[Row]] | None,
        secret: bytes | None,
        hashed: bool,
        folding: Folding | None,
        dialect: Dialect,
    ) -> None:
        self.version = version
        self.of_domain = of_domain
        self.secret = secret
        self.hashed = hashed
        self.folding = folding
        self.plain = of_domain is not None and secret is None and folding is None
        in_file = dialect.name == "sqlite"
        self.first_look = dialect.sql(
            _LOOK_IN_FILE.format(version=int(version), columns=COLUMNS) if in_file else _LOOK_REMOTE
        )
        self.nothing: list[Row] = [] if in_file else [(version, None)]
        self._memo: dict[str, tuple[Row, ...]] = {}

    def concerning(self, key: str) -> tuple[Row, ...]:
        """The rows of the domains of an address; only where `of_domain` is kept."""
        domain = key[key.rindex("@") :]
        rows = self._memo.get(domain)
        if rows is None:
            of_domain = self.of_domain or {}
            rows = tuple(row for each in domain_keys(key) for row in of_domain.get(each, ()))
            if len(self._memo) >= MAX_DOMAINS_REMEMBERED:
                self._memo.clear()
            self._memo[domain] = rows
        return rows

    def keys(self, key: str) -> list[str]:
        """The keys under which rows of an address can stand."""
        keys = [key]
        if self.folding is not None:
            folded = self.folding.fold(key)
            if folded != key:
                keys.append(folded)
        if self.secret is None:
            return keys
        hashes = [hash_key(self.secret, each) for each in keys]
        return hashes if self.hashed else keys + hashes

    def folded_keys(self, key: str) -> list[str]:
        """The folded forms of an address that other addresses may share; [] where nothing is folded."""
        if self.folding is None or key.rpartition("@")[2] not in self.folding.domains:
            return []
        folded = self.folding.fold(key)
        if self.secret is None:
            return [folded]
        hashed = hash_key(self.secret, folded)
        return [hashed] if self.hashed else [folded, hashed]


def load_rules(session: Session, keys: KeyRing | None) -> Rules:
    """Read the rules as they are now. keys: the caller's, for a store with hashes in it.

    Raises StoreMismatch when the store has hashes that were made with another key than `keys` has.
    """
    meta = dict(session.rows("SELECT name, value FROM mg_suppression_meta"))
    rows = session.rows(
        f"SELECT {COLUMNS} FROM mg_suppression WHERE key >= '@' AND key < 'A' LIMIT {MAX_RULES_IN_MEMORY + 1}"  # noqa: S608
    )
    of_domain: dict[str, list[Row]] | None = None
    if len(rows) <= MAX_RULES_IN_MEMORY:
        of_domain = {}
        for row in rows:
            if kind_of(row[KEY]) is not EntryKind.ADDRESS:
                of_domain.setdefault(row[KEY], []).append(row)
    folding = Folding.from_dict(json.loads(meta["folding"])) if "folding" in meta else None
    secret = stored_secret(meta, keys)
    return Rules(meta["rules"], of_domain, secret, meta.get("hashed") == "1", folding, session.dialect)


def stored_secret(meta: Mapping[str, str], keys: KeyRing | None) -> bytes | None:
    """The key of the hashes in a store, None when it has no hashes. Raises StoreMismatch for a wrong or missing one."""
    if "hash_check" not in meta:
        return None
    if "secret" in meta:
        return bytes.fromhex(meta["secret"])
    key_id = int(meta["hash_key_id"])
    if keys is None:
        raise StoreMismatch("hash_key", f"the store holds hashed addresses; open it with the key of id {key_id}")
    secret = keys.derived_key(key_id, HASH_KEY_PURPOSE)
    if secret is None:
        raise StoreMismatch("hash_key", f"the store holds addresses hashed with key id {key_id}; no such key was given")
    if not hmac.compare_digest(hash_key(secret, ""), meta["hash_check"]):
        raise StoreMismatch("hash_key", f"the key of id {key_id} is not the one that the store was made with")
    return secret


class Found:
    """What the tables say about one address."""

    __slots__ = ("folded", "of_domain", "own")

    def __init__(self) -> None:
        self.own: list[Row] = []
        self.of_domain: list[Row] = []
        self.folded: frozenset[str] = frozenset()  # keys of `own` that only folding led to


def rows_of_look(rules: Rules, look: list[Row]) -> list[Row] | None:
    """The rows that a first look at one address found, where `rules` are plain; None: ask again in full."""
    if look == rules.nothing:
        return []
    if rules.nothing:
        if look[0][0] != rules.version:
            return None
        return [tuple(map(json.loads(text).__getitem__, _NAMES)) for _, text in look]
    if look[0][0] is None:
        return None
    return [tuple(json.loads(text)) for (text,) in look]


def find(session: Session, rules: Rules, keys: Sequence[str]) -> dict[str, Found] | None:
    """The rows of each address key; keys without any are not in the answer. None when `rules` are too old."""
    wanted = {key: (key,) for key in keys} if rules.plain else _wanted(rules, keys)
    rows, version = _rows_of(session, sorted(wanted))
    if version != rules.version:
        return None
    found: dict[str, Found] = {}
    for row in rows:
        for key in wanted[row[KEY]]:
            _put(found, key, row)
    if rules.folding is not None:
        _add_folded(session, rules, keys, found)
    if rules.of_domain:
        for key in keys:
            if rows_of_domain := rules.concerning(key):
                found.setdefault(key, Found()).of_domain += rows_of_domain
    return found


def _wanted(rules: Rules, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
    wanted: dict[str, tuple[str, ...]] = {}
    for key in dict.fromkeys(keys):
        for each in rules.keys(key):
            wanted[each] = (*wanted.get(each, ()), key)
        if rules.of_domain is None:
            for each in domain_keys(key):
                wanted[each] = (*wanted.get(each, ()), key)
    return wanted


def _put(found: dict[str, Found], key: str, row: Row) -> None:
    entry = found.setdefault(key, Found())
    if kind_of(row[KEY]) in (EntryKind.DOMAIN, EntryKind.SUBDOMAINS):
        entry.of_domain.append(row)
    else:
        entry.own.append(row)


def _rows_of(session: Session, keys: Sequence[str]) -> tuple[list[Row], str]:
    """The rows of any of `keys`, and the version of the rules that goes with them."""
    most = _most_keys(session.max_parameters)
    if len(keys) > most:  # names of a hundred labels, thousands of domain entries
        with session.reading():
            pieces = [_rows_of(session, keys[start : start + most]) for start in range(0, len(keys), most)]
        return [row for rows, _ in pieces for row in rows], pieces[0][1]
    size = 1
    while size < len(keys):
        size *= 2
    rows = session.rows(_select_of(size), (*keys, *([keys[-1]] * (size - len(keys)))))
    return _split_version(rows)


@cache
def _most_keys(max_parameters: int) -> int:
    """The largest power of two that a query may have as keys; more than 16,384 are slow to prepare."""
    return 1 << (min(max_parameters, 16_384).bit_length() - 1)


@cache
def _select_of(size: int) -> str:
    """The query for so many keys; sizes are powers of two, so that there is a handful, each prepared once."""
    marks = ", ".join("?" * size)
    return f"SELECT {COLUMNS} FROM mg_suppression WHERE key IN ({marks}){_AND_VERSION}"  # noqa: S608 - marks only


def _split_version(rows: list[Row]) -> tuple[list[Row], str]:
    """Take the row with the version out of the others."""
    last = rows.pop()
    if last[REASON] != _VERSION_MARK:  # SQL promises no order; databases append it all the same
        rows.append(last)
        last = next(row for row in rows if row[REASON] == _VERSION_MARK)
        rows.remove(last)
    return rows, last[KEY]


def _add_folded(session: Session, rules: Rules, keys: Sequence[str], found: dict[str, Found]) -> None:
    wanted: dict[str, list[str]] = {}
    for key in dict.fromkeys(keys):
        for folded in rules.folded_keys(key):
            wanted.setdefault(folded, []).append(key)
    if not wanted:
        return
    for row in _rows_of_folded(session, list(wanted)):
        for key in wanted[row[-1]]:
            entry = found.setdefault(key, Found())
            if row[:-1] not in entry.own:
                entry.own.append(row[:-1])
    for key, entry in found.items():
        exact = {key} if rules.secret is None else {key, hash_key(rules.secret, key)}
        entry.folded = frozenset(row[KEY] for row in entry.own if row[KEY] not in exact)


def _rows_of_folded(session: Session, folded: Sequence[str]) -> Iterator[Row]:
    most = _most_keys(session.max_parameters)
    for start in range(0, len(folded), most):
        piece = folded[start : start + most]
        marks = ", ".join("?" * len(piece))
        yield from session.rows(
            f"SELECT {_FOLDED}, f.folded FROM mg_suppression_fold f JOIN mg_suppression s ON s.key = f.key"  # noqa: S608
            f" WHERE f.folded IN ({marks})",
            tuple(piece),
        )


def readable(addresses: Iterable[str], size: int) -> Iterator[list[tuple[str, str | None]]]:
    """`addresses` in pieces of `size`, each with its key, None when it has none."""
    stream = iter(addresses)
    while piece := list(islice(stream, size)):
        yield [(address, key_of(address)) for address in piece]


def key_of(address: str) -> str | None:
    """The key of an address, None when it cannot be read."""
    try:
        return compared_key(address)
    except ParseError:
        return None
