"""What is decided when a list is made and checked whenever it is opened: hashing and folding."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mailgate.records import KeyRing
from mailgate.suppression._errors import StoreMismatch
from mailgate.suppression._keys import HASH_KEY_PURPOSE, Folding, hash_key


def settings_of_new_list(keys: KeyRing | None, *, hashed: bool, folding: Folding | None) -> dict[str, str]:
    """The rows of the meta table with which a list begins. ValueError for `hashed` without keys."""
    rows: dict[str, str] = {}
    if folding is not None:
        rows["folding"] = folding_text(folding)
    if hashed:
        if keys is None:
            raise ValueError("a hashed list needs hash_keys")
        rows |= {"hashed": "1", **hash_rows(keys)}
    return rows


def hash_rows(keys: KeyRing) -> dict[str, str]:
    """The rows that say which key made the hashes, and let a wrong one be told; never the key."""
    secret = keys.derived_key(keys.signing_key_id, HASH_KEY_PURPOSE)
    assert secret is not None  # noqa: S101 - a ring holds its signing key
    return {"hash_key_id": str(keys.signing_key_id), "hash_check": hash_key(secret, "")}


def folding_text(folding: Folding) -> str:
    """A folding as the meta table keeps it."""
    return json.dumps(folding.to_dict(), sort_keys=True)


def refuse_other_settings(meta: Mapping[str, str], *, hashed: bool, folding: Folding | None) -> None:
    """Raises StoreMismatch when a list is not what its opener takes it for. `hashed` False and `folding` None ask
    for nothing."""
    if hashed and meta.get("hashed") != "1":
        raise StoreMismatch("hashed", "the list keeps plain addresses; it cannot be opened as a hashed one")
    if folding is not None and meta.get("folding") != folding_text(folding):
        raise StoreMismatch("folding", f"the list folds {meta.get('folding', 'nothing')}; change it with set_folding")
