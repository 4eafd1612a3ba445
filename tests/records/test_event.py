"""Events: the one record that leaves the rooms. Instants are UTC, evidence is bounded, ids are stable."""

import json
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.records import (
    EnhancedStatus,
    Event,
    EventKind,
    Fault,
    Permanence,
    Reason,
    SmtpReply,
    Stage,
    event_id_of,
)

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def event(**changes: object) -> Event:
    values: dict[str, object] = {
        "kind": EventKind.BOUNCED,
        "recipient": "user@example.com",
        "source": "dsn",
        "event_id": "1",
        **changes,
    }
    return Event(**values)  # type: ignore[arg-type]


FULL = event(
    at=AT,
    ref="c42",
    message_id="m@example.net",
    matched="verp",
    permanence=Permanence.PERMANENT,
    reason=Reason.MAILBOX_NOT_FOUND,
    smtp_code=550,
    enhanced_status=EnhancedStatus(5, 1, 1),
    detail="550 5.1.1 no",
    tenant="acme",
    stream="news",
    meta={"remote_mta": "mx.example.com", "action": "failed"},
)


@pytest.mark.parametrize("one", [FULL, event(), event(recipient=None)], ids=["full", "bare", "nobody"])
def test_events_survive_dicts_and_pickles(one: Event) -> None:
    assert Event.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert hash(one) == hash(Event.from_dict(one.to_dict()))


def test_missing_keys_take_their_defaults() -> None:
    bare = {"kind": "opened", "recipient": "a@b.example", "source": "tracking", "event_id": "1"}
    assert Event.from_dict(bare) == event(kind=EventKind.OPENED, recipient="a@b.example", source="tracking")


def test_instants_are_utc() -> None:
    east = timezone(timedelta(hours=9))
    one = event(at=datetime(2026, 11, 21, 21, 0, tzinfo=east))
    assert one.at == AT
    assert one.at is not None
    assert one.at.tzinfo is UTC
    with pytest.raises(ValueError, match="time zone"):
        event(at=datetime(2026, 11, 21))  # noqa: DTZ001 - that is the mistake


def test_evidence_is_cut_to_a_thousand_characters() -> None:
    assert event(detail="x" * 1_000).detail == "x" * 1_000
    assert len(event(detail="x" * 1_001).detail) == 1_000


def test_meta_is_sorted_pairs() -> None:
    assert FULL.meta == (("action", "failed"), ("remote_mta", "mx.example.com"))
    assert FULL.meta_value("action") == "failed"
    assert FULL.meta_value("nothing") is None
    assert event(meta={}).meta == ()


def test_the_fault_follows_from_the_reason() -> None:
    assert FULL.fault is Fault.ADDRESS
    assert event().fault is None


@pytest.mark.parametrize(
    ("wire", "stage", "kind", "permanence", "reason"),
    [
        ("250 ok", Stage.RCPT, EventKind.DELIVERED, Permanence.DELIVERED, None),
        ("450 4.2.0 Greylisted", Stage.RCPT, EventKind.DEFERRED, Permanence.TRANSIENT, Reason.GREYLISTED),
        ("550 5.1.1 no such user", Stage.RCPT, EventKind.BOUNCED, Permanence.PERMANENT, Reason.MAILBOX_NOT_FOUND),
        ("550 no", Stage.MAIL, EventKind.BOUNCED, Permanence.PERMANENT, Reason.SENDER_REJECTED),
        ("354 go on", Stage.DATA, EventKind.DEFERRED, Permanence.TRANSIENT, Reason.PROTOCOL_ERROR),
    ],
)
def test_a_reply_becomes_an_event(
    wire: str, stage: Stage, kind: EventKind, permanence: Permanence, reason: Reason | None
) -> None:
    reply = SmtpReply.parse(wire)
    one = Event.from_reply(reply, "user@example.com", at=AT, stage=stage, ref="c42", tenant="acme")
    assert (one.kind, one.permanence, one.reason) == (kind, permanence, reason)
    assert (one.source, one.matched, one.smtp_code, one.detail) == ("smtp", "session", reply.code, str(reply))
    assert one.event_id == Event.from_reply(reply, "user@example.com", at=AT, ref="c42").event_id
    assert one.event_id != Event.from_reply(reply, "other@example.com", at=AT, ref="c42").event_id


def test_ids_tell_parts_apart() -> None:
    ids = {
        event_id_of("a", "b"),
        event_id_of("ab"),
        event_id_of("b", "a"),
        event_id_of("a", "b", None),
        event_id_of("a", "b", ""),
        event_id_of("a", None, "b"),
        event_id_of("a;1:b"),
        event_id_of(),
    }
    assert len(ids) == 8
    assert event_id_of("a", b"b") == event_id_of(b"a", "b")
    assert all(len(one) == 32 and set(one) <= set("0123456789abcdef") for one in ids)
    assert event_id_of("\udcff") == event_id_of(b"\xff")


PARTS = st.lists(st.none() | st.text(max_size=5), max_size=4)


@given(PARTS, PARTS)
def test_different_parts_give_different_ids(one: list[str | None], other: list[str | None]) -> None:
    assert (event_id_of(*one) == event_id_of(*other)) == (one == other)


def test_lone_surrogates_have_an_id() -> None:
    """JSON may hold them; a report with one must not stop a scan."""
    assert event_id_of("\ud800") != event_id_of("\ud801")
    assert event_id_of("\ud800x") == event_id_of("\ud800x")
