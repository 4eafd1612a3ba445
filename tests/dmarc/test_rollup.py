"""The algebra: whatever order, grouping and repetition, one report counts once."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import random
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.dmarc import Rollup, SealConflict, Trust, read, view
from mailgate.dmarc._rollup import MAX_KEPT
from mailgate.records import ParseError
from tests.support.dmarc_reports import DAY, FIRST_DAY, ORGS, random_record, record, report, story, tls_report, zipped


def small_states(seed: int = 3, how_many: int = 40) -> list[Rollup]:
    """States of one report each: new ones, resends, resends with other content, refusals, TLS reports."""
    rng = random.Random(seed)
    pool = ["192.0.2.1", "192.0.2.2", "198.51.100.3", "2001:db8::4"]
    states = []
    for _ in range(how_many):
        kind = rng.random()
        if kind < 0.1:
            states.append(read(rng.choice([b"<feedback/>", report([]), b"hello"])))
        elif kind < 0.2:
            states.append(read(tls_report(rng.randrange(4), failure=rng.randrange(3))))
        else:
            records = [random_record(rng, pool, "example.com") for _ in range(rng.randint(1, 4))]
            data = report(
                records,
                org_name=rng.choice(ORGS[:3]),
                report_id=str(rng.randrange(3)),
                begin=FIRST_DAY + DAY * rng.randrange(3),
                end=FIRST_DAY + DAY * rng.randrange(3, 6),
                domain=rng.choice(("example.com", "example.net")),
            )
            states.append(read(rng.choice((data, b"\n" + data, zipped({"r": data}))), trust=rng.choice(list(Trust))))
    return states


STATES = small_states()
TOTAL = reduce(Rollup.merge, STATES, Rollup()).to_json()


@given(st.data())
def test_any_order_grouping_and_repetition_gives_the_same_json(data: st.DataObject) -> None:
    indexes = data.draw(st.permutations(range(len(STATES))))
    repeated = list(indexes) + data.draw(st.lists(st.sampled_from(range(len(STATES))), max_size=20))
    groups: list[Rollup] = [STATES[index] for index in repeated]
    while len(groups) > 1:  # any binary tree over the sequence
        at = data.draw(st.integers(0, len(groups) - 2))
        groups[at : at + 2] = [groups[at].merge(groups[at + 1])]
    assert groups[0].to_json() == TOTAL


@given(st.sampled_from(STATES), st.sampled_from(STATES), st.sampled_from(STATES))
def test_merge_is_a_semilattice(a: Rollup, b: Rollup, c: Rollup) -> None:
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(a) == a
    assert a.merge(Rollup()) == a == Rollup().merge(a)


def test_merge_leaves_both_sides_as_they_are() -> None:
    a, b = copy.deepcopy(STATES[0]), copy.deepcopy(STATES[1])
    a.merge(b)
    assert (a, b) == (STATES[0], STATES[1])


def test_json_and_pickle_give_the_same_rollup_back() -> None:
    total = reduce(Rollup.merge, STATES, Rollup())
    for state in (total, total.seal(FIRST_DAY + 4 * DAY), Rollup()):
        assert Rollup.from_json(state.to_json()).to_json() == state.to_json()
        assert pickle.loads(pickle.dumps(state)) == state


def test_the_order_of_records_and_the_container_make_no_difference() -> None:
    one, other = record(count=1), record(source_ip="192.0.2.9", count=2)
    first, second = read(report([one, other])), read(zipped({"x": report([other, one])}))
    merged = first.merge(second)
    assert merged.conflicts == {}
    (a,), (b,) = first.contributions.values(), second.contributions.values()
    assert (a.digest, a.key) == (b.digest, b.key)


def test_views_of_disjoint_rollups_add_up() -> None:
    reports = [read(data) for data in story(days=6)]
    left, right = reduce(Rollup.merge, reports[::2], Rollup()), reduce(Rollup.merge, reports[1::2], Rollup())
    whole, a, b = (view(r)["domains"]["example.com"] for r in (left.merge(right), left, right))
    for name in ("messages", "dmarc_pass", "dkim_aligned", "spf_aligned", "both", "reports"):
        assert whole[name] == a[name] + b[name]
    for name in ("disposition", "classes", "reasons"):
        assert whole[name] == {key: a[name].get(key, 0) + b[name].get(key, 0) for key in whole[name]}
    for day, counts in whole["by_day"].items():
        halves = zip(a["by_day"].get(day, [0] * 4), b["by_day"].get(day, [0] * 4), strict=True)
        assert counts == [x + y for x, y in halves]


def test_a_better_trusted_copy_wins_over_a_larger_one() -> None:
    trusted = read(report([record(count=1)]), trust=Trust.PASS)
    larger = read(report([record(count=9)]), trust=Trust.UNKNOWN)
    forged = read(report([record(count=99)]), trust=Trust.FAIL)
    (kept,) = trusted.merge(larger).merge(forged).contributions.values()
    assert (kept.messages, kept.trust) == (1, Trust.PASS)
    (kept,) = larger.merge(forged).contributions.values()
    assert kept.messages == 9


def test_conflicts_and_copies_stay_bounded() -> None:
    total = Rollup()
    for number in range(40):
        total.update(read(report([record(count=number)])))
    ((_, digests),) = total.conflicts.items()
    ((_, sources),) = total.copies.items()
    assert (len(digests), len(sources)) == (MAX_KEPT, MAX_KEPT)


# --- sealing ---------------------------------------------------------------------------------------------------------


def month() -> Rollup:
    total = reduce(Rollup.merge, (read(data) for data in story(days=20)), Rollup())
    total.update(read(report([record(count=10)], report_id="long", end=FIRST_DAY + 5 * DAY)))
    total.update(read(report([record(count=7)], report_id="long", end=FIRST_DAY + 5 * DAY)))
    for day in range(4):
        total.update(read(tls_report(day, failure=day)))
    return total


def comparable(rollup: Rollup) -> str:
    """The view without what sealing loses: which organisation saw which source."""
    shown = view(rollup)
    for domain in shown["domains"].values():
        for source in domain["sources"]:
            source.pop("orgs", None)
    return json.dumps(shown)


@pytest.mark.parametrize("days", [0, 1, 6, 12, 100])
def test_a_sealed_rollup_shows_the_same(days: int) -> None:
    total = month()
    assert comparable(total.seal(FIRST_DAY + days * DAY)) == comparable(total)


def test_sealing_makes_the_state_smaller_and_keeps_the_keys() -> None:
    total = month()
    sealed = total.seal(FIRST_DAY + 100 * DAY)
    assert sealed.contributions == {}
    (seal,) = sealed.seals.values()
    assert seal.keys == {*total.contributions, *total.tls}
    assert len(sealed.to_json()) < 0.7 * len(total.to_json())


def test_a_sealed_report_that_comes_again_changes_nothing() -> None:
    total = month()
    sealed = total.seal(FIRST_DAY + 10 * DAY)
    assert sealed.merge(total) == sealed == total.merge(sealed)
    assert sealed.merge(sealed) == sealed
    again = copy.deepcopy(sealed)
    again.add(next(iter(total.contributions.values())), source="x")
    assert again == sealed


def test_sealing_again_adds_a_second_seal() -> None:
    total = month()
    twice = total.seal(FIRST_DAY + 5 * DAY).seal(FIRST_DAY + 12 * DAY)
    assert len(twice.seals) == 2
    assert comparable(twice) == comparable(total)
    assert twice.seal(FIRST_DAY + 12 * DAY) == twice


def test_two_seals_over_the_same_report_are_refused() -> None:
    total = month()
    early, late = total.seal(FIRST_DAY + 5 * DAY), total.seal(FIRST_DAY + 9 * DAY)
    before = early.to_json()
    with pytest.raises(SealConflict) as caught:
        early.merge(late)
    with pytest.raises(SealConflict):
        late.merge(early)
    with pytest.raises(SealConflict):
        early.update(late)
    assert early.to_json() == before
    assert caught.value.reports > 0
    assert "sealed in both" in str(caught.value)


# --- JSON from elsewhere ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "nonsense", '{"schema": "mailgate.dmarc.rollup/2"}', "[" * 100_000,
        '{"schema": "mailgate.dmarc.rollup/1"}',
    ],
)  # fmt: skip
def test_json_that_is_no_rollup_is_a_parse_error(text: str) -> None:
    with pytest.raises(ParseError, match="bad_state"):
        Rollup.from_json(text)


def test_mutated_json_is_a_rollup_or_a_parse_error() -> None:
    rng = random.Random(5)
    text = reduce(Rollup.merge, STATES[:8], Rollup()).to_json()
    for _ in range(2_000):
        data = json.loads(text)
        node, parent, key = data, None, None
        while isinstance(node, (dict, list)) and node and rng.random() < 0.9:
            parent, key = node, rng.choice(list(node) if isinstance(node, dict) else list(range(len(node))))
            node = parent[key]
        if parent is not None:
            parent[key] = rng.choice([None, -1, "x", [], {}, 1.5, True, [None], {"a": 1}])
        with contextlib.suppress(ParseError):
            Rollup.from_dict(data)


def test_counts_in_json_are_worked_out_anew() -> None:
    data = json.loads(read(report([record(count=5)])).to_json())
    (item,) = data["contributions"].values()
    item["weight"] = [10**9, 1]
    item["digest"] = "0" * 64
    data["contributions"] = {"another-key": item}
    (kept,) = Rollup.from_dict(data).contributions.values()
    assert kept.messages == 5
    assert list(Rollup.from_dict(data).contributions) == [kept.key]
