"""The read front: never another answer than the store's, whoever changes the list meanwhile."""

from __future__ import annotations

import io
import random

import pytest

from mailgate.records import EventKind, KeyRing, Reason
from mailgate.suppression import Folding, Front, SuppressionReason, SuppressionStore
from tests.suppression.conftest import Backend
from tests.suppression.given import bounce, event

R = SuppressionReason
KEYS = KeyRing.of("a secret of thirty-two characters")
BOTH = Folding(rules=("plus", "gmail_dots"))
REASONS = [R.MANUAL, R.COMPLAINT, R.UNSUBSCRIBE]
DOMAINS = ("x.test", "y.x.test", "gmail.com")
ASKED = [
    f"{user}@{domain}" for user in ("a", "b.c", "bc", "d+e", "d") for domain in ("x.test", "y.x.test", "gmail.com")
]


def agree(front: Front, store: SuppressionStore) -> None:
    for stream in (None, "news", "transactional"):
        truth = [store.check(address, stream=stream) for address in ASKED]
        assert [front.check(address, stream=stream) for address in ASKED] == truth
        assert list(front.check_many([*ASKED, "broken"], stream=stream))[:-1] == truth


@pytest.mark.parametrize("options", [{}, {"folding": BOTH}, {"hashed": True, "hash_keys": KEYS}, {"hash_keys": KEYS}])
def test_a_front_agrees_with_the_store_after_every_change_by_another(
    backend: Backend, options: dict[str, object]
) -> None:
    writer = backend.open(**options)
    reader = backend.open(**{name: value for name, value in options.items() if name == "hash_keys"})
    front = reader.preload()
    random_ = random.Random(21)

    def someone() -> str:
        return random_.choice(ASKED)

    changes = [
        lambda: writer.add(someone(), random_.choice(REASONS), stream=random_.choice("*n")),
        lambda: writer.add(random_.choice(["x.test", "*.x.test", "gmail.com"])),
        lambda: writer.add(someone(), R.ALLOW),
        lambda: writer.apply(bounce(someone(), Reason.MAILBOX_FULL, day=random_.randrange(9))),
        lambda: writer.apply(event(EventKind.UNSUBSCRIBED, someone(), stream="news")),
        lambda: writer.apply(event(EventKind.DELIVERED, someone(), day=9)),
        lambda: writer.remove(someone(), note="x", actor="y", evidence="z"),
        lambda: writer.remove("*.x.test", note="x", actor="y"),
        lambda: backend.clock.forward(days=1),
        lambda: writer.expire(),
    ]
    for number in range(120):
        random_.choice(changes)()
        if number % 40 == 39:
            writer.erase(someone(), note="x", actor="y")
        agree(front, reader)
    assert not front.stale


def test_an_import_makes_a_front_stale_and_still_right(backend: Backend) -> None:
    writer, reader = backend.open(), backend.open()
    front = reader.preload()
    writer.import_(io.BytesIO(b"a@x.test\n*.x.test\n"))
    agree(front, reader)
    assert front.stale
    writer.add("bc@gmail.com")
    agree(front, reader)
    front.refresh()
    assert not front.stale
    assert front.keys == 3
    agree(front, reader)


def test_folding_switched_on_makes_a_front_stale_and_still_right(backend: Backend) -> None:
    writer, reader = backend.open(), backend.open()
    writer.add("b.c@gmail.com")
    front = reader.preload()
    assert not front.check("bc@gmail.com").blocked
    writer.set_folding(BOTH)
    assert front.check("bc@gmail.com").blocked
    assert front.stale


def test_age_is_accepted_only_when_it_is_asked_for(backend: Backend) -> None:
    writer, reader = backend.open(), backend.open()
    fresh, aged = reader.preload(), reader.preload(max_age_seconds=3_600)
    writer.add("a@x.test")
    assert fresh.check("a@x.test").blocked
    assert not aged.check("a@x.test").blocked
    aged.refresh()
    assert aged.check("a@x.test").blocked


def test_its_own_changes_are_seen_too(backend: Backend) -> None:
    store = backend.open()
    front = store.preload()
    store.add("a@x.test")
    assert front.check("A@X.test").blocked
    assert front.check("broken").reasons == ("unreadable",)


def test_a_front_over_many_asks_the_store_seldom(sqlite: Backend) -> None:
    store = sqlite.open()
    store.import_(io.BytesIO("".join(f"u{number}@example.com\n" for number in range(20_000)).encode()))
    front = store.preload()
    assert front.keys == 20_000
    doubtful = sum(front._may_hold(f"other{number}@example.com") for number in range(20_000))
    assert doubtful < 800
    assert all(front._may_hold(f"u{number}@example.com") for number in range(20_000))
