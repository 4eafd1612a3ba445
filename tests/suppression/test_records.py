"""Every record is written as JSON values, read back, pickled, and cannot be changed."""

from __future__ import annotations

import dataclasses
import io
import json
import pickle
from typing import Any

import pytest

from mailgate.records import EventKind, Reason
from mailgate.suppression import (
    EntryKind,
    FilterReport,
    Folding,
    PolicySettings,
    Suppression,
    SuppressionReason,
    SuppressionStore,
    filter_list,
    suppress_for,
)
from mailgate.suppression._keys import domain_keys, entry_key, is_hash_key
from mailgate.suppression._records import REASON_CODES, kind_of
from tests.suppression.conftest import START, Backend
from tests.suppression.given import bounce, event


@pytest.fixture
def records(sqlite: Backend) -> list[Any]:
    store: SuppressionStore = sqlite.open()
    added = store.add("User@example.com", SuppressionReason.COMPLAINT, detail="x", expires=START.replace(year=2030))
    report = store.import_(io.BytesIO(b"a@example.com\nbroken\nb@example.com\n"))
    return [
        added,
        added.entry,
        store.check("user@example.com"),
        store.check("other@example.com"),
        store.apply(bounce(reason=Reason.MAILBOX_FULL)),
        store.apply(event(EventKind.UNSUBSCRIBED)),
        *store.history("user@example.com"),
        *store.history("a@example.com"),
        report,
        store.stats(),
        *store.stats().scopes,
        filter_list(store, io.BytesIO(b"user@example.com\n"), io.BytesIO()),
        store.erase("user@example.com", actor="a", note="b"),
        Folding(rules=("plus",)),
        PolicySettings(),
        suppress_for(bounce()),
    ]


def test_every_record_can_be_written_read_back_and_pickled(records: list[Any]) -> None:
    assert len({type(record) for record in records}) == 13
    for record in records:
        as_json = json.loads(json.dumps(record.to_dict()))
        assert type(record).from_dict(as_json) == record
        assert pickle.loads(pickle.dumps(record)) == record


def test_no_record_can_be_changed(records: list[Any]) -> None:
    for record in records:
        name = record._fields[0] if isinstance(record, tuple) else dataclasses.fields(record)[0].name
        with pytest.raises(AttributeError):
            setattr(record, name, None)


@pytest.mark.parametrize(
    ("pattern", "key", "kind", "shown"),
    [
        ("A@B.test", "a@b.test", EntryKind.ADDRESS, "a@b.test"),
        ("b.test", "@b.test", EntryKind.DOMAIN, "b.test"),
        ("@B.test", "@b.test", EntryKind.DOMAIN, "b.test"),
        ("*@b.test", "@b.test", EntryKind.DOMAIN, "b.test"),
        ("*.b.test", "@.b.test", EntryKind.SUBDOMAINS, "*.b.test"),
        (".bücher.test", "@.xn--bcher-kva.test", EntryKind.SUBDOMAINS, "*.xn--bcher-kva.test"),
        ("#" + "a" * 26, "#" + "a" * 26, EntryKind.HASH, "#" + "a" * 26),
        ('"@"@b.test', '"@"@b.test', EntryKind.ADDRESS, '"@"@b.test'),
        ("#a@b.test", "#a@b.test", EntryKind.ADDRESS, "#a@b.test"),
    ],
)
def test_a_key_says_what_it_names(pattern: str, key: str, kind: EntryKind, shown: str) -> None:
    assert entry_key(pattern) == key
    assert kind_of(key) is kind
    entry = Suppression(key=key, reason=SuppressionReason.MANUAL, created=START)
    assert (entry.kind, entry.pattern) == (kind, shown)
    assert entry_key(entry.pattern) == key


@pytest.mark.parametrize(
    "pattern", ["", " ", "@", "*", "*.", ".", "a b", "a..b", "x" * 254, "*@", "a\x00b", "a,b", "#short"]
)
def test_what_names_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"address|domain"):
        entry_key(pattern)


def test_the_keys_of_an_address_that_a_domain_entry_can_have() -> None:
    assert domain_keys("a@b") == ("@b",)
    assert domain_keys("a@x.b.test") == ("@x.b.test", "@.b.test", "@.test")
    assert not is_hash_key("#" + "A" * 26)


def test_reason_codes_are_a_promise_of_the_schema() -> None:
    assert {str(reason): code for reason, code in REASON_CODES.items()} == {
        "unsubscribe": 0,
        "hard_bounce": 1,
        "complaint": 2,
        "soft_bounce": 3,
        "invalid": 4,
        "upstream": 5,
        "manual": 6,
        "legal": 7,
        "role": 8,
        "list_clean": 9,
        "allow": 10,
    }
    assert set(REASON_CODES) == set(SuppressionReason)


@pytest.mark.parametrize("options", [{"rules": ()}, {"rules": ("dots",)}, {"rules": ("plus",), "domains": ()}])
def test_folding_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="folding"):
        Folding(**options)


@pytest.mark.parametrize(
    ("key", "folded"),
    [
        ("a.b+c@gmail.com", "ab@gmail.com"),
        ("+c@gmail.com", "+c@gmail.com"),
        (".@gmail.com", ".@gmail.com"),
        ('"a.b+c"@gmail.com', '"a.b+c"@gmail.com'),
        ("a.b+c@example.com", "a.b+c@example.com"),
    ],
)
def test_folding(key: str, folded: str) -> None:
    assert Folding(rules=("plus", "gmail_dots")).fold(key) == folded


def test_an_instant_needs_a_zone(sqlite: Backend) -> None:
    store = sqlite.open()
    for options in ({"at": START.replace(tzinfo=None)}, {"expires": START.replace(tzinfo=None)}):
        with pytest.raises(ValueError, match="time zone"):
            store.add("a@example.com", **options)
    assert FilterReport(rows=0, kept=0, blocked=0, unreadable=0, reasons=()).to_dict()["reasons"] == {}
