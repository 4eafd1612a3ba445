"""File names of a Maildir."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.maildir import Waiting, delivery_order

FILE_NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("name", "unique", "flags", "finished", "why"),
    [
        ("1700000000.M1P2.mx", "1700000000.M1P2.mx", "", "1700000000.M1P2.mx:2,S", "as delivered"),
        ("1700000000.M1P2.mx:2,", "1700000000.M1P2.mx", "", "1700000000.M1P2.mx:2,S", "empty flags"),
        ("1700000000.M1P2.mx,S=120,W=124:2,F", "1700000000.M1P2.mx,S=120,W=124", "F", "…:2,FS", "flags are kept"),
        ("a:2,RS", "a", "RS", "a:2,RS", "seen already"),
        ("a:2,TFa", "a", "TFa", "a:2,FSTa", "flags in ASCII order, keywords last"),
        ("a:2,SS", "a", "SS", "a:2,S", "a flag twice"),
        ("a:1,experimental", "a", "", "a:1,experimental", "another kind of information stays"),
        ("a:", "a", "", "a:2,S", "a colon and nothing"),
        ("no number", "no number", "", "no number:2,S", "any name"),
        ("\udcff\udcfe", "\udcff\udcfe", "", "\udcff\udcfe:2,S", "bytes that are no UTF-8"),
    ],
)
def test_a_name_is_taken_apart(name: str, unique: str, flags: str, finished: str, why: str) -> None:
    waiting = Waiting(root="box", subdir="new", name=name)
    assert waiting.unique == unique, why
    assert waiting.flags == flags, why
    assert waiting.finished_name == finished.replace("…", unique), why


def test_the_path_joins_root_folder_subdir_and_name() -> None:
    assert Waiting(root="/box", folder=".A/.B", subdir="cur", name="x:2,S").path == "/box/.A/.B/cur/x:2,S"
    assert Waiting(root="box", subdir="new", name="x").path == "box/new/x"


def test_a_waiting_message_pickles_and_round_trips() -> None:
    waiting = Waiting(root="box", folder=".A", subdir="new", name="1.x")
    assert pickle.loads(pickle.dumps(waiting)) == waiting
    assert Waiting.from_dict(waiting.to_dict()) == waiting


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("999.M1P1.mx", "1000.M1P1.mx", "seconds are numbers"),
        ("1000.M9P1.mx", "1000.M10P1.mx", "microseconds are numbers"),
        ("1000.V1.mx", "1000.V2.mx", "the rest is compared as text"),
        ("1000.mx", "a", "names without a number come last"),
        ("a", "b", "and by name"),
        ("1" * 18, "1" * 250, "a number of any length is no trouble"),
    ],
)
def test_delivery_order(first: str, second: str, why: str) -> None:
    assert sorted([second, first], key=delivery_order) == [first, second], why


@given(st.lists(FILE_NAMES))
def test_any_names_have_an_order(names: list[str]) -> None:
    ordered = sorted(names, key=delivery_order)
    assert sorted(ordered) == sorted(names)
    names.sort(key=delivery_order)
    assert names == ordered


@given(FILE_NAMES)
def test_finishing_a_name_twice_changes_nothing(name: str) -> None:
    once = Waiting(root="b", subdir="new", name=name).finished_name
    assert Waiting(root="b", subdir="cur", name=once).finished_name == once
    assert once.partition(":")[0] == name.partition(":")[0]
