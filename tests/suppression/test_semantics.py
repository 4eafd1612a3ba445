"""What the list means, on both databases: keys, scopes, reasons, expiry, allowances, folding, erasure, provenance."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest

from mailgate.records import EventKind, Fault, KeyRing, Permanence, Reason
from mailgate.suppression import (
    BadAddress,
    Effect,
    Folding,
    Outcome,
    PolicySettings,
    RemovalRefused,
    StoreMismatch,
    SuppressionReason,
    SuppressionStore,
    Verdict,
)
from tests.suppression.conftest import START, Backend, Clock
from tests.suppression.given import bounce, entries, event, table

R = SuppressionReason
KEYS = KeyRing.of("a secret of thirty-two characters")
OTHER_KEYS = KeyRing.of("another secret of many characters")


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("added", "asked"),
    [
        ("User@EXAMPLE.com.", "user@example.com"),
        ("User@EXAMPLE.com.", "USER@example.COM"),
        ("<user@example.com>", " user@example.com "),
        ("user@bücher.example", "user@xn--bcher-kva.example"),
        ("user@BÜCHER.example", "user@bücher。example"),
        ("jo\u0301se@example.com", "jóse@example.com"),
        ('"user"@example.com', "user@example.com"),
        ('"us\\er"@example.com', "user@example.com"),
    ],
)
def test_two_spellings_of_one_address_are_one_entry(store: SuppressionStore, added: str, asked: str) -> None:
    store.add(added)
    assert store.check(asked).blocked
    assert store.add(asked).outcome is Outcome.UNCHANGED
    assert len(entries(store)) == 1


@pytest.mark.parametrize(
    ("added", "asked"),
    [
        ("jean-paul@x.example", "jean-marie@x.example"),
        ("a.b@gmail.com", "ab@gmail.com"),
        ("a@gmail.com", "a+x@gmail.com"),
        ("user@example.com", "user@mail.example.com"),
        ("user@example.com", "user@example.org"),
        ("user@strasse.example", "user@straße.example"),
    ],
)
def test_two_people_are_never_one_entry(store: SuppressionStore, added: str, asked: str) -> None:
    store.add(added)
    assert not store.check(asked).blocked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "user@",
        "a b@example.com",
        "user@exa mple.com",
        "user\x00@example.com",
        "\ud800@x.test",
        "user@example.com,other@example.com",
        "user@example.com;other@example.com",
        "mailto:user@example.com",
        "<user@example.com",
        "(user)user@example.com",
        "user@example.com@example.com",
        "us\\er@example.com",
    ],
)
def test_what_is_no_address_cannot_be_added_and_is_never_allowed(store: SuppressionStore, text: str) -> None:
    with pytest.raises(BadAddress):
        store.add(text)
    assert store.check(text) == Verdict(True, (), None)
    assert store.check(text).reasons == ("unreadable",)


def test_the_entry_keeps_how_the_address_was_written(store: SuppressionStore) -> None:
    store.add("User@Example.com")
    [entry] = store.check("user@example.com").entries
    assert (entry.key, entry.display, entry.pattern) == ("user@example.com", "User@Example.com", "User@Example.com")


# --- domains and allowances ------------------------------------------------------------------------------------------


def test_everything_below_a_domain_is_not_the_domain(store: SuppressionStore) -> None:
    store.add("*.example.com")
    verdicts = [
        store.check(a).blocked for a in ("a@x.example.com", "a@b.c.example.com", "a@example.com", "a@badexample.com")
    ]
    assert verdicts == [True, True, False, False]


@pytest.mark.parametrize("pattern", ["example.com", "@example.com", "*@example.com", "EXAMPLE.com."])
def test_a_domain_is_not_what_is_below_it(store: SuppressionStore, pattern: str) -> None:
    store.add(pattern)
    assert [store.check(a).blocked for a in ("a@example.com", "a@x.example.com", "a@badexample.com")] == [
        True,
        False,
        False,
    ]


def test_an_allowance_lifts_the_block_of_a_domain_and_never_one_of_the_address(store: SuppressionStore) -> None:
    store.add("*.example.com")
    store.add("vip@x.example.com", R.ALLOW)
    assert not store.check("vip@x.example.com").blocked
    assert store.check("other@x.example.com").blocked
    store.add("vip@x.example.com", R.COMPLAINT)
    verdict = store.check("vip@x.example.com")
    assert verdict.blocked
    assert verdict.reasons == ("complaint",)


def test_an_allowance_for_a_domain_lifts_the_block_above_it(store: SuppressionStore) -> None:
    store.add("*.example.com")
    store.add("good.example.com", R.ALLOW)
    assert not store.check("a@good.example.com").blocked
    assert store.check("a@bad.example.com").blocked


def test_an_allowance_for_one_stream_says_nothing_about_another(store: SuppressionStore) -> None:
    store.add("example.com")
    store.add("vip@example.com", R.ALLOW, stream="receipts")
    assert not store.check("vip@example.com", stream="receipts").blocked
    assert store.check("vip@example.com", stream="news").blocked
    assert store.check("vip@example.com").blocked


def test_an_expired_allowance_allows_nothing(store: SuppressionStore, clock: Clock) -> None:
    store.add("example.com")
    store.add("vip@example.com", R.ALLOW, expires=START + timedelta(days=1))
    assert not store.check("vip@example.com").blocked
    clock.forward(days=2)
    assert store.check("vip@example.com").blocked


def test_names_of_many_labels_beside_a_long_list_of_domains(store: SuppressionStore, clock: Clock) -> None:
    store.import_(io.BytesIO(b"".join(b"@d%d.test\n" % number for number in range(20_001))))
    store.add("*.wide.test")
    deep = "a." * 110
    asked = [f"u@{deep}n{number}.{'wide' if number % 2 else 'other'}.test" for number in range(1_000)]
    assert [verdict.blocked for verdict in store.check_many(asked)] == [False, True] * 500


def test_a_long_list_of_domains_is_searched_without_being_kept(store: SuppressionStore, tmp_path: Path) -> None:
    listed = tmp_path / "domains.txt"
    listed.write_text("".join(f"@d{number}.test\n" for number in range(21_000)) + "*.wide.test\n")
    store.import_(listed)
    store.add("vip@d7.test", R.ALLOW)
    asked = ["a@d7.test", "vip@d7.test", "a@d20999.test", "a@d21000.test", "a@x.wide.test", "a@wide.test"]
    assert [store.check(address).blocked for address in asked] == [True, False, True, False, True, False]
    assert [verdict.blocked for verdict in store.check_many(asked)] == [True, False, True, False, True, False]


# --- streams and tenants ---------------------------------------------------------------------------------------------


def test_an_unsubscribe_stops_its_own_stream_only(store: SuppressionStore) -> None:
    store.apply(event(EventKind.UNSUBSCRIBED, stream="marketing"))
    asked = {
        stream: store.check("user@example.com", stream=stream).blocked
        for stream in ("transactional", "marketing", "other")
    }
    assert asked == {"transactional": False, "marketing": True, "other": False}


def test_who_leaves_every_stream_still_gets_the_password_reset(store: SuppressionStore) -> None:
    store.apply(event(EventKind.UNSUBSCRIBED))
    assert store.check("user@example.com", stream="news").blocked
    assert not store.check("user@example.com", stream="transactional").blocked
    store.apply(event(EventKind.UNSUBSCRIBED, stream="transactional"))
    assert store.check("user@example.com", stream="transactional").blocked


@pytest.mark.parametrize("stream", [None, "*"])
def test_without_a_stream_an_entry_of_any_stream_blocks(store: SuppressionStore, stream: str | None) -> None:
    store.apply(event(EventKind.UNSUBSCRIBED, stream="marketing"))
    assert store.check("user@example.com", stream=stream).blocked


@pytest.mark.parametrize("reason", [R.COMPLAINT, R.HARD_BOUNCE, R.SOFT_BOUNCE, R.INVALID, R.MANUAL, R.LEGAL])
def test_other_reasons_stop_every_stream(store: SuppressionStore, reason: SuppressionReason) -> None:
    store.add("user@example.com", reason)
    assert store.check("user@example.com", stream="transactional").blocked


def test_tenants_do_not_see_each_other_and_a_star_is_for_all(store: SuppressionStore) -> None:
    store.add("a@example.com", tenant="one")
    store.add("b@example.com", tenant="*")
    assert [store.check("a@example.com", tenant=t).blocked for t in ("one", "two", "")] == [True, False, False]
    assert [store.check("b@example.com", tenant=t).blocked for t in ("one", "two", "")] == [True, True, True]


# --- reasons stand for themselves ------------------------------------------------------------------------------------


def test_removing_a_bounce_does_not_lift_a_complaint(store: SuppressionStore) -> None:
    store.add("user@example.com", R.HARD_BOUNCE)
    store.add("user@example.com", R.COMPLAINT)
    store.remove("user@example.com", reason=R.HARD_BOUNCE, note="a typing error", actor="ann")
    assert store.check("user@example.com").reasons == ("complaint",)


def test_every_reason_that_blocks_is_told(store: SuppressionStore) -> None:
    store.add("user@example.com", R.HARD_BOUNCE)
    store.add("user@example.com", R.UNSUBSCRIBE, stream="news")
    store.add("example.com", R.LEGAL)
    assert set(store.check("user@example.com", stream="news").reasons) == {"hard_bounce", "unsubscribe", "legal"}
    assert set(store.check("user@example.com", stream="shop").reasons) == {"hard_bounce", "legal"}


@pytest.mark.parametrize(("note", "actor"), [("", "ann"), ("why", ""), (" ", "ann")])
def test_nothing_is_removed_without_a_note_and_an_actor(store: SuppressionStore, note: str, actor: str) -> None:
    store.add("user@example.com")
    with pytest.raises(RemovalRefused):
        store.remove("user@example.com", note=note, actor=actor)
    assert store.check("user@example.com").blocked


def test_an_unsubscribe_is_removed_only_with_evidence_of_a_new_consent(store: SuppressionStore) -> None:
    store.add("user@example.com", R.UNSUBSCRIBE, stream="news")
    store.add("user@example.com", R.MANUAL)
    with pytest.raises(RemovalRefused):
        store.remove("user@example.com", note="they are back", actor="ann")
    assert len(entries(store)) == 2, "a refused removal removes nothing at all"
    store.remove("user@example.com", note="they are back", actor="ann", evidence="form 17 of 2026-01-01")
    assert not entries(store)
    assert "form 17" in store.history("user@example.com")[-1].note


def test_a_legal_entry_is_not_removed(store: SuppressionStore) -> None:
    store.add("user@example.com", R.LEGAL)
    with pytest.raises(RemovalRefused):
        store.remove("user@example.com", note="x", actor="ann", evidence="y")
    assert store.check("user@example.com").blocked


def test_a_removal_touches_its_own_tenant_and_stream_only(store: SuppressionStore) -> None:
    store.add("user@example.com", tenant="one")
    store.add("user@example.com", stream="news")
    store.add("user@example.com", stream="shop")
    removed = store.remove("USER@example.com", stream="news", note="x", actor="ann")
    assert [(entry.tenant, entry.stream) for entry in removed] == [("", "news")]
    assert table(store) == [("user@example.com", "", "shop", "manual"), ("user@example.com", "one", "*", "manual")]


# --- expiry ----------------------------------------------------------------------------------------------------------


def test_an_entry_ends_at_its_expiry_whether_or_not_anybody_sweeps(store: SuppressionStore, clock: Clock) -> None:
    store.add("user@example.com", R.INVALID)
    clock.forward(days=30, seconds=-1)
    assert store.check("user@example.com").blocked
    clock.forward(seconds=1)
    assert not store.check("user@example.com").blocked
    assert not list(store.list())
    assert len(entries(store)) == 1
    assert store.expire() == 1
    assert not entries(store)
    assert [line.op for line in store.history("user@example.com")] == ["add", "expire"]


def test_sweeping_leaves_what_has_not_expired(store: SuppressionStore, clock: Clock, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    rows = [f"u{n}@example.com,{'invalid' if n % 2 else 'bounce'}" for n in range(5_000)]
    listed.write_text("email,reason\n" + "\n".join(rows) + "\n")
    store.import_(listed)
    clock.forward(days=31)
    assert store.expire() == 2_500
    assert store.stats().entries == 2_500
    assert store.expire() == 0


def test_a_repeated_statement_only_moves_the_expiry_away(store: SuppressionStore) -> None:
    far, near = START + timedelta(days=90), START + timedelta(days=10)
    store.add("user@example.com", expires=far)
    assert store.add("user@example.com", expires=near).entry.expires == far
    assert store.add("user@example.com", expires=near, force=True).entry.expires == near
    assert store.add("user@example.com").entry.expires is None


def test_an_expired_entry_says_nothing_about_a_new_one(store: SuppressionStore, clock: Clock) -> None:
    store.add("user@example.com", expires=START + timedelta(days=1), detail="old")
    clock.forward(days=10)
    added = store.add("user@example.com", expires=clock.now + timedelta(days=1))
    assert added.outcome is Outcome.ADDED
    assert (added.entry.created, added.entry.detail) == (clock.now, None)


# --- events ----------------------------------------------------------------------------------------------------------


def test_one_event_counts_once(store: SuppressionStore) -> None:
    failed = bounce(event_id="the same")
    assert [store.apply(failed).effect for _ in range(3)] == [Effect.SUPPRESSED, Effect.REPEATED, Effect.REPEATED]
    assert [entry.count for entry in entries(store)] == [1]


def test_events_out_of_order_leave_one_entry_with_the_newest_evidence(backend: Backend) -> None:
    one, two = backend.open(), backend.open()
    one.apply(bounce(day=2, detail="550 second"), at=START + timedelta(days=9))
    two.apply(bounce(day=1, detail="550 first"), at=START + timedelta(days=9))
    two.apply(bounce(day=3, detail="550 third"), at=START + timedelta(days=9))
    [entry] = entries(one)
    assert entry.count == 3
    assert entry.detail == "mailbox_not_found: 550 third"
    assert (entry.created.day, entry.last.day) == (2, 4)


@pytest.mark.parametrize(
    ("days", "blocked"),
    [
        ([0, 0.1, 0.2], False),
        ([0, 1], False),
        ([0, 1, 2], True),
        ([2, 0, 1], True),
        ([0, 15, 29], True),
        ([0, 15, 30], False),
        ([0, 1, 31, 32], False),
    ],
)
def test_soft_bounces_count_by_days(store: SuppressionStore, days: list[float], blocked: bool) -> None:
    for day in days:
        store.apply(bounce(reason=Reason.MAILBOX_FULL, day=day), at=START + timedelta(days=max(days) + 1))
    assert bool(table(store)) is blocked


def test_a_delivery_between_soft_bounces_begins_anew(store: SuppressionStore) -> None:
    now = START + timedelta(days=9)
    store.apply(bounce(reason=Reason.MAILBOX_FULL, day=0), at=now)
    store.apply(bounce(reason=Reason.MAILBOX_FULL, day=1), at=now)
    store.apply(event(EventKind.DELIVERED, day=1.5), at=now)
    store.apply(bounce(reason=Reason.MAILBOX_FULL, day=2), at=now)
    assert not table(store)
    store.apply(bounce(reason=Reason.MAILBOX_FULL, day=3), at=now)
    store.apply(bounce(reason=Reason.MAILBOX_FULL, day=4), at=now)
    assert table(store) == [("user@example.com", "", "*", "soft_bounce")]


def test_a_delivery_that_is_told_late_still_stands_between(store: SuppressionStore) -> None:
    now = START + timedelta(days=9)
    for day in (0, 1, 2):
        store.apply(bounce(reason=Reason.MAILBOX_FULL, day=day), at=now)
    assert store.check("user@example.com").blocked
    assert store.apply(event(EventKind.DELIVERED, day=1.5), at=now).effect is Effect.LIFTED
    assert not store.check("user@example.com").blocked


def test_after_a_removal_failures_are_counted_anew(store: SuppressionStore, clock: Clock) -> None:
    clock.forward(days=9)
    for day in (0, 1, 2):
        store.apply(bounce(reason=Reason.MAILBOX_FULL, day=day))
    assert [entry.reason for entry in store.remove("user@example.com", note="was asked", actor="ann")] == [
        R.SOFT_BOUNCE
    ]
    assert store.apply(bounce(reason=Reason.MAILBOX_FULL, day=8)).effect is Effect.COUNTED
    for day in (10, 11, 12):
        clock.forward(days=1.5)
        applied = store.apply(bounce(reason=Reason.MAILBOX_FULL, day=day))
    assert applied.effect is Effect.SUPPRESSED


def test_an_old_delivery_does_not_lift_what_was_said_later(store: SuppressionStore, clock: Clock) -> None:
    clock.forward(days=9)
    store.apply(bounce(reason=Reason.MAILBOX_FULL, day=0))
    store.add("user@example.com", R.SOFT_BOUNCE, note="refused by hand")
    assert store.apply(event(EventKind.DELIVERED, day=1)).effect is Effect.NONE
    assert store.check("user@example.com").blocked


def test_a_counted_suppression_ends_thirty_days_after_the_last_failure(store: SuppressionStore, clock: Clock) -> None:
    clock.forward(days=3)
    for day in (0, 1, 2):
        applied = store.apply(bounce(reason=Reason.MAILBOX_FULL, day=day))
    assert applied.entry is not None
    assert applied.entry.expires == bounce(day=2).at + timedelta(days=30)  # type: ignore[operator]
    assert applied.entry.count == 3


def test_a_delivery_lifts_a_counted_entry_and_no_other(store: SuppressionStore, clock: Clock) -> None:
    clock.forward(days=9)
    for reason in (Reason.MAILBOX_FULL, Reason.MAILBOX_NOT_FOUND):
        for day in (0, 1, 2):
            store.apply(bounce(reason=reason, day=day))
    store.add("user@example.com", R.MANUAL)
    lifted = store.record_delivery("user@example.com")
    assert lifted is not None
    assert lifted.reason is R.SOFT_BOUNCE
    assert {entry.reason for entry in entries(store)} == {R.HARD_BOUNCE, R.MANUAL}
    assert store.record_delivery("user@example.com") is None


def test_only_the_failed_recipient_of_a_message_is_suppressed(store: SuppressionStore) -> None:
    applied = store.apply_many(
        [
            bounce("failed@example.com", event_id="report:1"),
            event(EventKind.DEFERRED, "delayed@example.com", event_id="report:2", permanence=Permanence.TRANSIENT),
            event(EventKind.DELIVERED, "delivered@example.com", event_id="report:3", permanence=Permanence.DELIVERED),
        ]
    )
    assert [one.effect for one in applied] == [Effect.SUPPRESSED, Effect.NONE, Effect.NONE]
    assert [key for key, *_ in table(store)] == ["failed@example.com"]


def test_what_is_our_fault_suppresses_nobody(store: SuppressionStore) -> None:
    for number, reason in enumerate(reason for reason in Reason if reason.fault in (Fault.SENDER, Fault.CONTENT)):
        for day in range(5):
            store.apply(bounce(f"u{number}@example.com", reason, day=day), at=START + timedelta(days=9))
    assert not entries(store)


def test_an_event_from_the_future_counts_as_of_now(store: SuppressionStore) -> None:
    applied = store.apply(bounce(reason=Reason.MAILBOX_DISABLED, day=5_000))
    assert applied.entry is not None
    assert applied.entry.created == START
    assert applied.entry.expires == START + timedelta(days=90)


@pytest.mark.parametrize(
    ("reason", "day", "effect"),
    [
        (Reason.DOMAIN_NOT_FOUND, 80, Effect.NONE),
        (Reason.DOMAIN_NOT_FOUND, 120, Effect.SUPPRESSED),
        (Reason.SUPPRESSED_UPSTREAM, 140, Effect.NONE),
        (Reason.MAILBOX_NOT_FOUND, 1, Effect.SUPPRESSED),
    ],
)
def test_old_news_suppresses_nobody_when_it_is_over(
    store: SuppressionStore, reason: Reason, day: int, effect: Effect
) -> None:
    now = START + timedelta(days=180)
    said = bounce(reason=reason, day=day)
    applied = store.apply(said, at=now)
    assert applied.effect is effect
    assert ("over" in applied.why) is (effect is Effect.NONE)
    assert bool(entries(store)) is (effect is not Effect.NONE)
    assert store.apply(said, at=now).effect is Effect.REPEATED


def test_old_soft_bounces_suppress_nobody_when_they_are_over(store: SuppressionStore) -> None:
    for day in range(5):
        store.apply(bounce(reason=Reason.MAILBOX_FULL, day=day), at=START + timedelta(days=90))
    assert not entries(store)


def test_an_event_without_an_instant_counts_as_of_now(store: SuppressionStore) -> None:
    applied = store.apply(bounce(at=None))
    assert applied.entry is not None
    assert applied.entry.created == START


@pytest.mark.parametrize("recipient", [None, "", "nobody", "a@", "\ud800@x.test"])
def test_an_event_about_nobody_does_nothing(store: SuppressionStore, recipient: str | None) -> None:
    assert store.apply(bounce(recipient)).effect is Effect.NONE
    assert not entries(store)


def test_a_hostile_event_is_stored_harmlessly(store: SuppressionStore) -> None:
    wild = "'); DROP TABLE mg_suppression; --\x00\ud800\x1b[31m" + "x" * 5_000
    applied = store.apply(
        bounce(
            "o'neil@example.com",
            event_id=wild,
            detail=wild,
            tenant=wild,
            stream=wild,
        )
    )
    assert applied.effect is Effect.SUPPRESSED
    assert applied.entry is not None
    assert len(applied.entry.detail or "") <= 1_000
    assert store.apply(bounce("o'neil@example.com", event_id=wild, tenant=wild)).effect is Effect.REPEATED
    assert store.stats().entries == 1


def test_events_of_a_house_with_tenants_go_where_the_settings_say(backend: Backend) -> None:
    store = backend.open(settings=PolicySettings(unknown_tenant="*"))
    store.apply(bounce())
    assert store.check("user@example.com", tenant="anyone").blocked


# --- provenance ------------------------------------------------------------------------------------------------------


def test_the_history_tells_everything_that_happened(store: SuppressionStore, clock: Clock) -> None:
    clock.forward(days=9)
    for day in (0, 1, 2):
        store.apply(bounce(reason=Reason.MAILBOX_FULL, day=day, event_id=f"e{day}", detail="452 full"))
    store.record_delivery("user@example.com", source="smtp:1")
    store.add("user@example.com", R.MANUAL, actor="ann", note="asked by phone")
    store.remove("user@example.com", note="asked again", actor="bob")
    told = [(line.op, line.actor, line.source, line.note) for line in store.history("User@example.com")]
    full = "mailbox_full: a final failure that may pass"
    assert told == [
        ("count", "policy", "dsn:e0", full),
        ("count", "policy", "dsn:e1", full),
        ("add", "policy", "dsn:e2", full),
        ("lift", "policy", "smtp:1", "delivered"),
        ("add", "ann", "manual", "asked by phone"),
        ("remove", "bob", "manual", "asked again"),
    ]


def test_the_log_keeps_the_entry_before_and_after(store: SuppressionStore) -> None:
    store.add("user@example.com", detail="one")
    store.add("user@example.com", detail="two", at=START + timedelta(hours=1))
    added, refreshed = store.history("user@example.com")
    assert (added.before, added.after and added.after.detail) == (None, "one")
    assert (refreshed.before, refreshed.op) == (added.after, "refresh")
    assert refreshed.after is not None
    assert refreshed.after.detail == "two"


def test_the_log_can_forget_the_evidence_and_keeps_who_did_what(backend: Backend, clock: Clock) -> None:
    store = backend.open(settings=PolicySettings(log_detail_days=30))
    store.add("old@example.com", detail="evidence", note="why", actor="ann")
    clock.forward(days=31)
    store.add("new@example.com", detail="evidence")
    store.expire()
    [old], [new] = store.history("old@example.com"), store.history("new@example.com")
    assert (old.before, old.after, old.note, old.actor) == (None, None, "why", "ann")
    assert new.after is not None
    assert store.check("old@example.com").entries[0].detail == "evidence", "the entry itself stays as it is"
    with pytest.raises(ValueError, match="log_detail_days"):
        PolicySettings(log_detail_days=-1)


def test_add_if_absent_is_true_for_one_caller_only(store: SuppressionStore, clock: Clock) -> None:
    expires = START + timedelta(days=1)
    assert store.add_if_absent("user@example.com", R.MANUAL, source="worker:1", expires=expires)
    assert not store.add_if_absent("user@example.com", R.MANUAL, source="worker:2")
    assert [entry.source for entry in entries(store)] == ["worker:1"]
    clock.forward(days=2)
    assert store.add_if_absent("user@example.com", R.MANUAL, source="worker:3")


# --- many at once ----------------------------------------------------------------------------------------------------


def test_many_answers_are_those_of_single_questions_in_order(store: SuppressionStore) -> None:
    store.add("*.wide.test")
    for number in range(0, 2_500, 7):
        store.add(f"u{number}@example.com", stream="news" if number % 2 else "*")
    asked = [f"U{number}@example.com" for number in range(2_500)] + ["a@x.wide.test", "broken", "u0@example.com"]
    verdicts = list(store.check_many(asked, stream="shop"))
    assert verdicts == [store.check(address, stream="shop") for address in asked]
    assert sum(verdict.blocked for verdict in verdicts) == 179 + 3


def test_partition_keeps_the_order_and_the_words(store: SuppressionStore) -> None:
    store.add("b@example.com")
    allowed, blocked = store.partition(["C@example.com", "B@example.com", "nonsense", "a@example.com"])
    assert allowed == ["C@example.com", "a@example.com"]
    assert [(address, verdict.reasons) for address, verdict in blocked] == [
        ("B@example.com", ("manual",)),
        ("nonsense", ("unreadable",)),
    ]


def test_an_empty_question_has_an_empty_answer(store: SuppressionStore) -> None:
    assert list(store.check_many([])) == []
    assert store.partition(iter(())) == ([], [])


# --- folding ---------------------------------------------------------------------------------------------------------

BOTH = Folding(rules=("plus", "gmail_dots"))


def test_folding_finds_other_spellings_and_says_why(backend: Backend) -> None:
    store = backend.open(folding=BOTH)
    store.add("a.b@gmail.com")
    assert store.check("a.b@gmail.com").entries[0].folded_by == ()
    for other in ("ab@gmail.com", "a.b+x@gmail.com", "A.B+y+z@GMAIL.com"):
        [entry] = store.check(other).entries
        assert entry.key == "a.b@gmail.com"
        assert entry.folded_by == ("plus", "gmail_dots")
    assert not store.check("ab@example.com").blocked
    assert not store.check("ac@gmail.com").blocked


def test_folding_reaches_only_its_domains_and_rules(backend: Backend) -> None:
    store = backend.open(folding=Folding(rules=("plus",), domains=("example.com",)))
    store.add("a.b+x@example.com")
    store.add("a.b+x@gmail.com")
    asked = ["a.b@example.com", "a.b+y@example.com", "ab@example.com", "a.b@gmail.com"]
    assert [store.check(address).blocked for address in asked] == [True, True, False, False]
    assert [verdict.blocked for verdict in store.check_many(asked)] == [True, True, False, False]


def test_folding_can_be_switched_on_and_off_without_a_loss(store: SuppressionStore, backend: Backend) -> None:
    store.add("a.b@gmail.com")
    store.add("a.b+list@gmail.com", R.COMPLAINT)
    other = backend.open()
    before = table(store)
    assert not other.check("ab@gmail.com").blocked
    assert store.set_folding(BOTH) == 2
    assert set(other.check("ab@gmail.com").reasons) == {"manual", "complaint"}
    store.add("c.d@gmail.com")
    assert other.check("cd@gmail.com").blocked
    store.remove("c.d@gmail.com", note="x", actor="y")
    assert not other.check("cd@gmail.com").blocked
    store.set_folding(None)
    assert not other.check("ab@gmail.com").blocked
    assert other.check("a.b@gmail.com").reasons == ("manual",)
    assert table(store) == before


def test_a_list_cannot_be_opened_with_another_folding_than_it_has(backend: Backend) -> None:
    backend.open(folding=BOTH)
    backend.open(folding=BOTH)
    backend.open()
    with pytest.raises(StoreMismatch):
        backend.open(folding=Folding(rules=("plus",)))


def test_folded_entries_of_imports_are_found(backend: Backend, tmp_path: Path) -> None:
    store = backend.open(folding=BOTH)
    listed = tmp_path / "list.txt"
    listed.write_text("a.b+c@gmail.com\nplain@example.com\n")
    store.import_(listed)
    assert store.check("ab@gmail.com").blocked


# --- hashed lists ----------------------------------------------------------------------------------------------------


def test_a_hashed_list_answers_alike_and_holds_no_address(backend: Backend) -> None:
    store = backend.open(hashed=True, hash_keys=KEYS)
    store.add("User@Example.com", R.COMPLAINT, detail="evidence with user@example.com in it")
    store.add("*.spam.test")
    assert store.check("user@example.com").reasons == ("complaint",)
    assert [v.blocked for v in store.check_many(["user@example.com", "other@example.com", "a@x.spam.test"])] == [
        True,
        False,
        True,
    ]
    assert store.apply(bounce("dead@example.com", detail="<dead@example.com>: no")).effect is Effect.SUPPRESSED
    assert store.check("DEAD@example.com").reasons == ("hard_bounce",)
    assert all("@example" not in str(entry.to_dict()) for entry in entries(store))
    assert [line.op for line in store.history("user@example.com")] == ["add"]
    assert store.remove("user@example.com", note="x", actor="y")
    assert not store.check("user@example.com").blocked


@pytest.mark.parametrize(
    "keys", [None, OTHER_KEYS, KeyRing(secrets={7: b"a secret of thirty-two characters"}, signing_key_id=7)]
)
def test_a_hashed_list_is_not_opened_with_another_key(backend: Backend, keys: KeyRing | None) -> None:
    backend.open(hashed=True, hash_keys=KEYS).add("user@example.com")
    with pytest.raises(StoreMismatch):
        backend.open(hash_keys=keys)
    rotated = KeyRing(
        secrets={0: b"a secret of thirty-two characters", 1: b"the next secret, which signs"}, signing_key_id=1
    )
    assert backend.open(hash_keys=rotated).check("user@example.com").blocked


def test_a_plain_list_is_not_opened_as_a_hashed_one(backend: Backend) -> None:
    backend.open()
    with pytest.raises(StoreMismatch):
        backend.open(hashed=True, hash_keys=KEYS)


def test_a_hashed_list_needs_a_key(backend: Backend) -> None:
    with pytest.raises(ValueError, match="hash_keys"):
        backend.open(hashed=True)


def test_hashing_and_folding_go_together_when_chosen_at_the_start(backend: Backend) -> None:
    store = backend.open(hashed=True, hash_keys=KEYS, folding=BOTH)
    store.add("a.b@gmail.com")
    store.add("cd@gmail.com")
    asked = ["ab@gmail.com", "a.b+c@gmail.com", "c.d@gmail.com", "ef@gmail.com"]
    assert [store.check(address).blocked for address in asked] == [True, True, True, False]
    with pytest.raises(StoreMismatch):
        store.set_folding(None)


def test_counting_works_in_a_hashed_list(backend: Backend) -> None:
    store = backend.open(hashed=True, hash_keys=KEYS)
    for day in (0, 1, 2):
        store.apply(bounce(reason=Reason.MAILBOX_FULL, day=day), at=START + timedelta(days=9))
    assert store.check("user@example.com").reasons == ("soft_bounce",)
    assert store.record_delivery("user@example.com", at=START + timedelta(days=9)) is not None


# --- erasure ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [None, KEYS])
def test_an_erased_person_is_forgotten_and_still_not_mailed(backend: Backend, keys: KeyRing | None) -> None:
    store = backend.open(hash_keys=keys)
    other = backend.open(hash_keys=keys)
    store.add("User@Example.com", R.COMPLAINT, detail="from User@Example.com", tenant="one", note="spoke to User")
    store.add("user@example.com", R.UNSUBSCRIBE, stream="news")
    for day in (0, 1):
        store.apply(bounce(reason=Reason.MAILBOX_FULL, day=day))
    assert other.check("user@example.com", stream="news").blocked
    erased = store.erase("user@example.com", actor="ann", note="article 17")
    assert (erased.entries, erased.kept_block) == (2, True)
    for one in (store, other):
        assert one.check("USER@example.com", stream="news").reasons == ("unsubscribe",)
        assert one.check("user@example.com", tenant="one").reasons == ("complaint",)
        assert not one.check("other@example.com").blocked
    assert all("user" not in str(entry.to_dict()).lower() for entry in entries(store))
    assert all("user" not in str(line.to_dict()).lower() for line in store.history("user@example.com"))
    assert [line.op for line in store.history("user@example.com")] == ["add", "add", "count", "count", "erase", "erase"]
    assert store.stats().failing == 1
    assert store.check("other@example.com") == Verdict(False, (), "other@example.com")


def test_an_erased_person_stays_erased_when_more_is_heard(store: SuppressionStore, tmp_path: Path) -> None:
    store.add("user@example.com", R.COMPLAINT)
    store.erase("user@example.com", actor="ann", note="article 17")
    store.apply(bounce(detail="<user@example.com>: gone"))
    store.add("User@example.com", R.MANUAL, detail="again user@example.com")
    listed = tmp_path / "list.txt"
    listed.write_text("User@Example.com\nnew@example.com\n")
    store.import_(listed, reason=R.LIST_CLEAN)
    assert set(store.check("user@example.com").reasons) == {"complaint", "hard_bounce", "manual", "list_clean"}
    assert {entry.key for entry in entries(store) if not entry.key.startswith("#")} == {"new@example.com"}
    assert all("user" not in str(entry.to_dict()).lower() for entry in entries(store))


def test_an_erasure_can_forget_the_block_too(store: SuppressionStore) -> None:
    store.add("user@example.com", R.COMPLAINT)
    erased = store.erase("user@example.com", actor="ann", note="never was a customer", keep_block=False)
    assert (erased.entries, erased.kept_block) == (1, False)
    assert not store.check("user@example.com").blocked
    assert store.history("user@example.com") == ()


def test_an_erasure_after_which_the_key_is_missing_is_no_silent_hole(backend: Backend) -> None:
    store = backend.open(hash_keys=KEYS)
    store.add("user@example.com")
    store.erase("user@example.com", actor="ann", note="article 17")
    with pytest.raises(StoreMismatch):
        backend.open()


def test_an_erasure_reaches_folded_look_ups(backend: Backend) -> None:
    store = backend.open(folding=BOTH)
    store.add("a.b@gmail.com")
    store.erase("a.b@gmail.com", actor="ann", note="article 17")
    assert [store.check(a).blocked for a in ("a.b@gmail.com", "ab@gmail.com", "a.b+c@gmail.com", "ac@gmail.com")] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(("note", "actor"), [("", "ann"), ("why", "")])
def test_an_erasure_needs_a_note_and_an_actor(store: SuppressionStore, note: str, actor: str) -> None:
    store.add("user@example.com")
    with pytest.raises(RemovalRefused):
        store.erase("user@example.com", note=note, actor=actor)


def test_the_file_holds_nothing_of_an_erased_address(sqlite: Backend, tmp_path: Path) -> None:
    store = sqlite.open()
    for number in range(2_000):  # enough for pages to split
        store.add(f"neighbour{number * 7919 % 2_000}@example.com", detail="x" * 50)
        if number == 1_000:
            store.add("Erase.Me@example.com", R.COMPLAINT, detail="complained: erase.me@example.com", note="erase.me")
    store.apply(bounce("erase.me@example.com", Reason.MAILBOX_FULL))
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir()).lower()
    assert b"erase.me" in everything
    assert store.erase("erase.me@example.com", actor="ann", note="article 17").scrubbed
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir()).lower()
    assert b"erase.me" not in everything
    assert b"neighbour1999" in everything
    assert store.check("erase.me@example.com").blocked


# --- text fields -----------------------------------------------------------------------------------------------------

WILD = ["'", '"', "';--", "%s ? :1 {x} $1", "\\", "é漢字🙂", "x" * 300, "a\nb", "\x00", "\ud800"]


@pytest.mark.parametrize("text", WILD)
@pytest.mark.parametrize("field", ["tenant", "stream", "source", "detail", "actor", "note"])
def test_any_text_is_stored_as_it_is_or_refused(store: SuppressionStore, field: str, text: str) -> None:
    try:
        store.add("user@example.com", **{field: text})
    except ValueError:
        assert not entries(store)
        return
    [entry] = entries(store)
    [line] = store.history("user@example.com")
    kept = getattr(line, field) if field in ("actor", "note") else getattr(entry, field)
    assert kept == text


@pytest.mark.parametrize(
    "text",
    ["o'neil@example.com", "a%s@example.com", "a?b@example.com", '"a b;--"@example.com', "x" * 300 + "@example.com"],
)
def test_any_address_is_found_again(store: SuppressionStore, text: str) -> None:
    store.add(text)
    assert store.check(text).blocked
    assert [verdict.blocked for verdict in store.check_many([text, "other@example.com"])] == [True, False]


def test_the_source_of_an_import_cannot_be_forged(store: SuppressionStore) -> None:
    with pytest.raises(ValueError, match="source"):
        store.add("user@example.com", source="#7")
