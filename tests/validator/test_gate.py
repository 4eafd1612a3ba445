"""Limits, pacing and rest, against a model that knows no queues: whatever happens, no limit is ever exceeded."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.validator._gate import ANSWERS_THAT_FORGIVE, MAX_IDLE_GROUPS, Gate, GateLimits, Group
from mailgate.validator._queue import Queue


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Asker:
    def __init__(self, name: str, work: int = 1) -> None:
        self.name = name
        self.work = work
        self.active = 0
        self.queued: Group[Asker] | None = None
        self.group: Group[Asker] | None = None

    def connections_wanted(self) -> int:
        return self.work


def begin(limits: GateLimits, *askers: tuple[str, str, int]) -> tuple[Gate[Asker], Clock, list[Asker]]:
    clock = Clock()
    gate: Gate[Asker] = Gate(limits, clock)
    made = []
    for name, group, work in askers:
        asker = Asker(name, work)
        asker.group = gate.group(group)
        gate.want(asker, asker.group)
        made.append(asker)
    return gate, clock, made


def take_all(gate: Gate[Asker]) -> list[str]:
    names = []
    while (chosen := gate.next()) is not None:
        chosen[0].work -= 1
        names.append(chosen[0].name)
    return names


UNPACED = GateLimits(pace_seconds=0.0)


def test_each_limit_holds() -> None:
    overall = [(f"d{i}", f"g{i}", 1) for i in range(40)]
    assert len(take_all(begin(GateLimits(pace_seconds=0), *overall)[0])) == 32
    assert len(take_all(begin(UNPACED, ("d", "g", 9))[0])) == 3
    one_group = [(f"d{i}", "g", 2) for i in range(5)]
    assert len(take_all(begin(UNPACED, *one_group)[0])) == 4


def test_everybody_gets_a_turn() -> None:
    """A domain with much work does not stand in front of the others of its group, nor a group before the others."""
    gate, _, _ = begin(
        GateLimits(pace_seconds=0, connections=4), ("big", "g", 50), ("small", "g", 1), ("other", "h", 1)
    )
    assert set(take_all(gate)) == {"big", "small", "other"}


def test_a_released_connection_goes_to_who_waits() -> None:
    gate, _, (first, second) = begin(GateLimits(pace_seconds=0, connections=1), ("a", "g", 1), ("b", "h", 1))
    assert take_all(gate) == ["a"]
    assert first.group is not None
    gate.release(first, first.group)
    assert take_all(gate) == ["b"]
    assert gate.open == 1
    assert second.active == 1


def test_connections_to_one_group_begin_apart() -> None:
    gate, clock, _ = begin(GateLimits(pace_seconds=1.0), ("a", "g", 3), ("b", "h", 1))
    assert sorted(take_all(gate)) == ["a", "b"]
    assert gate.next_time() == 1001.0
    clock.now = 1000.9
    assert take_all(gate) == []
    clock.now = 1001.0
    assert take_all(gate) == ["a"]


def test_a_strike_sends_the_group_to_rest_twice_as_long_each_time_then_for_good() -> None:
    gate, clock, (asker, other) = begin(GateLimits(pace_seconds=0, rest_seconds=10), ("a", "g", 99), ("b", "h", 1))
    group = asker.group
    assert group is not None
    for strike, rest in ((1, 10), (2, 20)):
        assert "a" in take_all(gate)
        assert gate.strike(group, started=clock.now)
        assert not gate.strike(group, started=clock.now), "sessions open at the same time are one mishap"
        while asker.active:
            gate.release(asker, group)
        assert group.strikes == strike
        assert gate.resting() == 1
        clock.now += rest - 0.1
        assert take_all(gate) == []
        clock.now += 0.1
        gate.want(asker, group)
    assert take_all(gate)
    assert gate.strike(group, started=clock.now)
    assert group.left_alone
    clock.now += 10_000
    gate.want(asker, group)
    assert take_all(gate) == []
    assert other.active == 1


def test_many_answers_forgive_a_strike() -> None:
    gate, clock, (asker,) = begin(UNPACED, ("a", "g", 9))
    group = asker.group
    assert group is not None
    gate.strike(group, started=clock.now)
    gate.answered(group, ANSWERS_THAT_FORGIVE - 1, 1.0)
    assert group.strikes == 1
    gate.answered(group, 1, 1.0)
    assert group.strikes == 0


def test_who_moves_to_another_group_is_counted_there() -> None:
    gate, _, (asker, *_) = begin(GateLimits(pace_seconds=0, per_mx_group=1), ("a", "g", 1), ("b", "h", 1))
    asker.group = gate.group("h")
    assert take_all(gate) == ["b"]


def test_who_moves_away_waits_no_longer_for_the_group_it_left() -> None:
    gate, clock, (asker, other) = begin(UNPACED, ("a", "resting", 1), ("b", "resting", 1))
    resting = asker.group
    assert resting is not None
    gate.strike(resting, started=clock.now)
    asker.group = gate.group("free")
    gate.want(asker, asker.group)
    assert take_all(gate) == ["a"]
    gate.dismiss(resting)
    assert (other.queued, list(resting.waiting)) == (None, [])
    clock.now += 10_000
    assert take_all(gate) == []


def test_who_comes_back_to_a_queue_stands_in_it_once() -> None:
    gate, _, (asker, *_) = begin(GateLimits(pace_seconds=0, per_domain=9), ("a", "g", 1))
    for name in ("h", "g", "h", "g"):
        asker.group = gate.group(name)
        gate.want(asker, asker.group)
    assert take_all(gate) == ["a"]
    assert asker.queued is None


def test_groups_that_nobody_points_at_are_forgotten() -> None:
    clock = Clock()
    gate: Gate[Asker] = Gate(UNPACED, clock)
    kept = gate.group("kept")
    kept.members = 1
    struck = gate.group("struck")
    gate.strike(struck, started=clock.now)
    for i in range(3 * MAX_IDLE_GROUPS):
        gate.group(f"g{i}")
    assert len(gate.groups()) <= MAX_IDLE_GROUPS + 2
    assert gate.group("kept") is kept
    assert gate.group("struck") is struck


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 3), st.integers(1, 3), st.sampled_from([0.0, 0.5]))
def test_no_limit_is_ever_exceeded(seed: int, overall: int, per_domain: int, per_group: int, pace: float) -> None:
    rng = random.Random(seed)
    limits = GateLimits(
        connections=overall, per_domain=per_domain, per_mx_group=per_group, pace_seconds=pace, rest_seconds=2.0
    )
    gate, clock, askers = begin(limits, *[(f"d{i}", f"g{i % 3}", rng.randint(0, 5)) for i in range(8)])
    open_now: list[tuple[Asker, Group[Asker]]] = []
    last_begin: dict[str, float] = {}
    for _ in range(200):
        action = rng.random()
        if action < 0.5:
            chosen = gate.next()
            if chosen is not None:
                asker, group = chosen
                assert asker.group is group
                assert not group.left_alone
                assert clock.now >= group.resting_since + 2.0 * bool(group.strikes)
                assert clock.now - last_begin.get(group.name, -9.0) >= pace
                last_begin[group.name] = clock.now
                open_now.append(chosen)
                asker.work = max(0, asker.work - 1)
        elif action < 0.75 and open_now:
            asker, group = open_now.pop(rng.randrange(len(open_now)))
            if rng.random() < 0.1:
                gate.strike(group, started=clock.now)
            gate.release(asker, group)
            if asker.group is not None:
                gate.want(asker, asker.group)
        elif action < 0.9:
            asker = rng.choice(askers)
            asker.work += 1
            if rng.random() < 0.1:
                asker.group = gate.group(f"g{rng.randrange(3)}")
            assert asker.group is not None
            gate.want(asker, asker.group)
        else:
            clock.now += rng.random() * 2
        assert len(open_now) == gate.open <= overall
        for asker in askers:
            assert sum(one is asker for one, _ in open_now) == asker.active <= per_domain
        for group in gate.groups():
            assert sum(other is group for _, other in open_now) == group.active <= per_group


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=400))
def test_the_queue_is_a_deque(steps: list[int]) -> None:
    queue: Queue[int] = Queue()
    model: list[int] = []
    for number, step in enumerate(steps):
        if step < 5:
            queue.append(number)
            model.append(number)
        elif step < 6:
            queue.appendleft(number)
            model.insert(0, number)
        elif model:
            assert queue.popleft() == model.pop(0)
        else:
            with pytest.raises(IndexError):
                queue.popleft()
        assert len(queue) == len(model)
        assert list(queue) == model
