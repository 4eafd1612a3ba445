"""The policy: which event asks for what, row by row, and every setting that changes it."""

from __future__ import annotations

import pickle

import pytest

from mailgate.records import Event, EventKind, Permanence, Reason
from mailgate.suppression import Action, Decision, PolicySettings, SuppressionReason, suppress_for
from tests.suppression.given import bounce, event

R = SuppressionReason

# The table of the design, word by word: reason, what a permanent failure does, days until it expires.
TABLE: list[tuple[Reason, Action, int | None]] = [
    (Reason.MAILBOX_NOT_FOUND, Action.SUPPRESS, None),
    (Reason.MAILBOX_MOVED, Action.SUPPRESS, None),
    (Reason.BAD_ADDRESS, Action.SUPPRESS, None),
    (Reason.DOMAIN_NOT_FOUND, Action.SUPPRESS, 90),
    (Reason.DOMAIN_NOT_ACCEPTING, Action.SUPPRESS, 90),
    (Reason.MAILBOX_DISABLED, Action.SUPPRESS, 90),
    (Reason.MAILBOX_FULL, Action.COUNT, 30),
    (Reason.RECIPIENT_RESTRICTED, Action.COUNT, 30),
    (Reason.MAILING_LIST, Action.NONE, None),
    (Reason.CHALLENGE, Action.NONE, None),
    (Reason.BLOCKED, Action.NONE, None),
    (Reason.REPUTATION, Action.NONE, None),
    (Reason.PTR_MISSING, Action.NONE, None),
    (Reason.AUTH_FAILED, Action.NONE, None),
    (Reason.SENDER_REJECTED, Action.NONE, None),
    (Reason.RELAY_DENIED, Action.NONE, None),
    (Reason.AUTH_REQUIRED, Action.NONE, None),
    (Reason.TLS_REQUIRED, Action.NONE, None),
    (Reason.RATE_LIMITED, Action.NONE, None),
    (Reason.POLICY, Action.NONE, None),
    (Reason.SPAM, Action.NONE, None),
    (Reason.VIRUS, Action.NONE, None),
    (Reason.CONTENT_REJECTED, Action.NONE, None),
    (Reason.TOO_LARGE, Action.NONE, None),
    (Reason.SMTPUTF8_UNSUPPORTED, Action.NONE, None),
    (Reason.GREYLISTED, Action.COUNT, 30),
    (Reason.CONNECTION_FAILED, Action.COUNT, 30),
    (Reason.DNS_ERROR, Action.COUNT, 30),
    (Reason.TLS_FAILED, Action.COUNT, 30),
    (Reason.LOOP, Action.COUNT, 30),
    (Reason.EXPIRED, Action.COUNT, 30),
    (Reason.SERVER_ERROR, Action.COUNT, 30),
    (Reason.STORAGE_FULL, Action.COUNT, 30),
    (Reason.LOCAL_DELIVERY_FAILED, Action.COUNT, 30),
    (Reason.PROTOCOL_ERROR, Action.COUNT, 30),
    (Reason.TOO_MANY_RECIPIENTS, Action.COUNT, 30),
    (Reason.TEMPORARY_FAILURE, Action.COUNT, 30),
    (Reason.SUPPRESSED_UPSTREAM, Action.MIRROR, 30),
    (Reason.UNKNOWN, Action.COUNT, 30),
]


def test_the_table_has_every_reason() -> None:
    assert {row[0] for row in TABLE} == set(Reason)


@pytest.mark.parametrize(("reason", "action", "days"), TABLE)
def test_a_permanent_failure_does_what_the_table_says(reason: Reason, action: Action, days: int | None) -> None:
    decision = suppress_for(bounce(reason=reason))
    assert (decision.action, decision.expiry_days) == (action, days)
    assert decision.why
    assert decision.stream == (None if action is Action.NONE else "*")


@pytest.mark.parametrize("permanence", [Permanence.EXPIRED, Permanence.TRANSIENT, None])
@pytest.mark.parametrize(("reason", "action", "days"), TABLE)
def test_a_failure_that_is_not_permanent_never_suppresses_at_once(
    reason: Reason, action: Action, days: int | None, permanence: Permanence | None
) -> None:
    decided = suppress_for(bounce(reason=reason, permanence=permanence)).action
    assert decided is (Action.NONE if action is Action.NONE else Action.COUNT)


@pytest.mark.parametrize(
    ("source", "matched", "require_match", "action"),
    [
        ("dsn", None, False, Action.SUPPRESS),
        ("dsn", "verp", False, Action.SUPPRESS),
        ("dsn", None, True, Action.COUNT),
        ("dsn", "verp", True, Action.SUPPRESS),
        ("bounce", None, False, Action.COUNT),
        ("bounce", "message_id", False, Action.SUPPRESS),
        ("smtp", "session", True, Action.SUPPRESS),
        ("smtp", None, False, Action.SUPPRESS),
    ],
)
def test_what_anybody_could_have_written_only_counts(
    source: str, matched: str | None, require_match: bool, action: Action
) -> None:
    settings = PolicySettings(require_match=require_match)
    assert suppress_for(bounce(source=source, matched=matched), settings).action is action


def test_a_free_form_mirror_without_proof_counts() -> None:
    assert suppress_for(bounce(reason=Reason.SUPPRESSED_UPSTREAM, source="bounce")).action is Action.COUNT


@pytest.mark.parametrize("kind", ["abuse", "fraud", "virus", "other", "opt-out", "Abuse", " opt-out ", None])
def test_a_complaint_suppresses_every_stream_for_ever(kind: str | None) -> None:
    meta = {} if kind is None else {"feedback_type": kind}
    decision = suppress_for(event(EventKind.COMPLAINED, stream="news", meta=meta))
    assert (decision.action, decision.reason, decision.stream, decision.expiry_days) == (
        Action.SUPPRESS,
        R.COMPLAINT,
        "*",
        None,
    )


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "Not-Spam", "something-new"])
def test_what_is_no_complaint_does_nothing(kind: str) -> None:
    assert suppress_for(event(EventKind.COMPLAINED, meta={"feedback_type": kind})).action is Action.NONE


def test_a_complaint_without_proof_does_nothing_where_a_match_is_required() -> None:
    settings = PolicySettings(require_match=True)
    assert suppress_for(event(EventKind.COMPLAINED), settings).action is Action.NONE
    assert suppress_for(event(EventKind.COMPLAINED, matched="ref"), settings).action is Action.SUPPRESS


@pytest.mark.parametrize(("stream", "written"), [("news", "news"), (None, "*"), ("*", "*")])
def test_an_unsubscribe_is_for_its_stream(stream: str | None, written: str) -> None:
    decision = suppress_for(event(EventKind.UNSUBSCRIBED, stream=stream))
    assert (decision.action, decision.reason, decision.stream) == (Action.SUPPRESS, R.UNSUBSCRIBE, written)


@pytest.mark.parametrize(
    "kind", [EventKind.DEFERRED, EventKind.OPENED, EventKind.CLICKED, EventKind.AUTOREPLIED, EventKind.REFUSED]
)
def test_what_is_not_final_does_nothing(kind: EventKind) -> None:
    said = event(kind, reason=Reason.MAILBOX_NOT_FOUND, permanence=Permanence.TRANSIENT)
    assert suppress_for(said).action is Action.NONE


def test_a_delivery_lifts() -> None:
    assert suppress_for(event(EventKind.DELIVERED)).action is Action.LIFT


@pytest.mark.parametrize("kind", [EventKind.BOUNCED, EventKind.COMPLAINED, EventKind.UNSUBSCRIBED, EventKind.DELIVERED])
@pytest.mark.parametrize("options", [{"meta": {"suppress": "no"}}, {"recipient": None}])
def test_the_reader_can_say_that_nobody_is_to_be_suppressed(kind: EventKind, options: dict[str, object]) -> None:
    said = Event(
        **{  # type: ignore[arg-type]
            "kind": kind,
            "recipient": "forwarded@example.com",
            "source": "dsn",
            "event_id": "1",
            "reason": Reason.MAILBOX_NOT_FOUND,
            "permanence": Permanence.PERMANENT,
            **options,
        }
    )
    decision = suppress_for(said)
    assert decision.action is Action.NONE
    assert decision.why


def test_a_bounce_without_a_reason_counts_as_unknown() -> None:
    assert suppress_for(bounce(reason=None)).action is Action.COUNT  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "said", "action", "days"),
    [
        (PolicySettings(suppress_now=()), bounce(), Action.NONE, None),
        (PolicySettings(suppress_now=((Reason.SPAM, 7),)), bounce(reason=Reason.SPAM), Action.SUPPRESS, 7),
        (PolicySettings(count=(Reason.SPAM,)), bounce(reason=Reason.SPAM), Action.COUNT, 30),
        (PolicySettings(count=()), bounce(reason=Reason.MAILBOX_FULL), Action.NONE, None),
        (PolicySettings(counted_expiry_days=5), bounce(reason=Reason.MAILBOX_FULL), Action.COUNT, 5),
        (PolicySettings(mirror=((Reason.POLICY, None),)), bounce(reason=Reason.POLICY), Action.MIRROR, None),
        (PolicySettings(complaint_types=("abuse",)),
         event(EventKind.COMPLAINED, meta={"feedback_type": "opt-out"}), Action.NONE, None),
        (PolicySettings(free_form_sources=()), bounce(source="bounce"), Action.SUPPRESS, None),
        (PolicySettings(free_form_sources=("dsn",)), bounce(), Action.COUNT, 30),
    ],
)  # fmt: skip
def test_every_setting_changes_something(
    settings: PolicySettings, said: Event, action: Action, days: int | None
) -> None:
    decision = suppress_for(said, settings)
    assert (decision.action, decision.expiry_days) == (action, days)


@pytest.mark.parametrize("name", ["count_days", "count_window_days", "counted_expiry_days", "event_retention_days"])
def test_settings_that_make_no_sense_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        PolicySettings(**{name: 0})


def test_settings_and_decisions_can_be_written_and_read_back() -> None:
    settings = PolicySettings(require_match=True, mirror=((Reason.POLICY, 3),), unknown_tenant="*")
    assert PolicySettings.from_dict(settings.to_dict()) == settings
    assert PolicySettings.from_dict({}) == PolicySettings()
    assert pickle.loads(pickle.dumps(settings)) == settings
    for said in (bounce(), event(EventKind.DELIVERED), event(EventKind.UNSUBSCRIBED, stream="x")):
        decision = suppress_for(said)
        assert Decision.from_dict(decision.to_dict()) == decision
        assert pickle.loads(pickle.dumps(decision)) == decision
