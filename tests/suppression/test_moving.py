"""Importing and exporting whole lists: once per file, merged by the same rule as single statements, lossless."""

from __future__ import annotations

import io
import json
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailgate.records import EventKind, KeyRing, Reason
from mailgate.suppression import (
    Folding,
    ImportReport,
    StoreMismatch,
    Suppression,
    SuppressionReason,
    SuppressionStore,
)
from mailgate.suppression._own import cells_of, own_cells
from tests.suppression.conftest import START, Backend, Clock
from tests.suppression.given import bounce, entries, event

R = SuppressionReason
KEYS = KeyRing.of("a secret of thirty-two characters")
OTHER_KEYS = KeyRing.of("another secret of many characters")


def written(store: SuppressionStore, format_: str = "jsonl", **options: object) -> bytes:
    out = io.BytesIO()
    store.export(out, format=format_, **options)  # type: ignore[arg-type]
    return out.getvalue()


def counts(report: ImportReport) -> tuple[int, int, int]:
    return report.added, report.refreshed, report.unchanged


# --- import ----------------------------------------------------------------------------------------------------------


def test_the_same_file_is_imported_once(store: SuppressionStore, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("a@example.com\nb@example.com\n")
    first = store.import_(listed)
    assert (counts(first), first.repeated) == ((2, 0, 0), False)
    store.remove("a@example.com", note="x", actor="y")
    again = store.import_(str(listed))
    assert again.repeated
    assert counts(again) == (2, 0, 0), "the report is that of the first time"
    assert not store.check("a@example.com").blocked
    forced = store.import_(listed, again=True)
    assert (forced.repeated, forced.number, counts(forced)) == (False, 2, (1, 0, 1))
    assert store.import_(listed, stream="news").added == 2, "with other options it is another import"


def test_a_stream_that_cannot_be_read_twice_is_imported_too(store: SuppressionStore) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert store.import_(Pipe(b"a@example.com\n")).added == 1
    assert store.import_(Pipe(b"a@example.com\n")).repeated


def test_the_file_of_the_caller_stays_open(store: SuppressionStore) -> None:
    file = io.BytesIO(b"a@example.com\n")
    store.import_(file)
    assert not file.closed
    out = io.BytesIO()
    store.export(out)
    assert not out.closed


def test_one_file_says_each_thing_once(store: SuppressionStore) -> None:
    rows = [
        "email,reason,created_at,expires_at,detail",
        "a@example.com,soft bounce,2025-01-02T00:00:00Z,2026-02-01T00:00:00Z,old",
        "A@Example.com,soft bounce,2025-01-03T00:00:00Z,2026-01-15T00:00:00Z,new",
        "a@example.com,soft bounce,2025-01-01T00:00:00Z,,",
        "a@example.com,spam,2025-01-01T00:00:00Z,,",
    ]
    report = store.import_(io.BytesIO("\n".join(rows).encode()))
    assert (report.records, report.duplicates, counts(report)) == (4, 2, (2, 0, 0))
    [entry] = [entry for entry in entries(store) if entry.reason is R.SOFT_BOUNCE]
    assert entry.created.isoformat() == "2025-01-01T00:00:00+00:00"
    assert entry.expires is not None
    assert entry.expires.isoformat() == "2026-02-01T00:00:00+00:00", "the longest of the three"
    assert (entry.detail, entry.count) == ("new", 1)


def test_an_import_adds_refreshes_and_leaves_alone(store: SuppressionStore) -> None:
    store.add("same@example.com", R.COMPLAINT, at=START)
    store.add("older@example.com", R.COMPLAINT, at=START - timedelta(days=5))
    store.add("other@example.com", R.MANUAL)
    report = store.import_(
        io.BytesIO(b"address,created_at\nsame@example.com,\nolder@example.com,\nnew@example.com,\n"), reason=R.COMPLAINT
    )
    assert counts(report) == (1, 1, 1)
    assert [line.op for line in store.history("older@example.com")] == ["add", "refresh"]
    assert [line.op for line in store.history("same@example.com")] == ["add"]
    [line] = store.history("new@example.com")
    assert (line.op, line.source, line.after is not None) == ("import", "import:1", True)


def test_a_full_export_that_is_imported_again_tells_its_log_once(
    backend: Backend, clock: Clock, tmp_path: Path
) -> None:
    store = backend.open()
    store.import_(io.BytesIO(b"user@example.com\n"), actor="ann")
    store.add("user@example.com", R.COMPLAINT, note="said so", actor="bob")
    moved = io.BytesIO()
    store.export(moved, full=True)
    with SuppressionStore.open(tmp_path / "other.db", clock=clock) as other:
        for again in (False, True):
            other.import_(io.BytesIO(moved.getvalue()), again=again)
            lines = other.history("user@example.com")
            assert [(line.op, line.actor) for line in lines] == [("import", ""), ("add", "bob")]


def test_the_history_tells_who_imported_which_file_and_when(
    store: SuppressionStore, clock: Clock, tmp_path: Path
) -> None:
    listed = tmp_path / "old list.csv"
    listed.write_text("email,created_at\nuser@example.com,2020-05-05T00:00:00Z\n")
    store.import_(listed, actor="ann")
    clock.forward(days=1)
    store.add("user@example.com", note="again", actor="bob")
    first, second = store.history("user@example.com")
    assert (first.op, first.actor, first.at) == ("import", "ann", START)
    assert first.note == f"came with an import of {listed}"
    assert first.after is not None
    assert first.after.created.year == 2020
    assert (second.op, second.actor) == ("refresh", "bob")


def test_an_import_merges_as_single_statements_do(backend: Backend, tmp_path: Path) -> None:
    """Thousands of random statements about a few addresses: by import into one list, one by one into another."""
    random_ = random.Random(11)
    one = backend.open()
    two = SuppressionStore.open(tmp_path / "other.db", clock=backend.clock)
    with two:
        for round_ in range(4):
            backend.clock.forward(days=20)
            statements: dict[tuple[str, SuppressionReason], Suppression] = {}
            for _ in range(150):
                address = f"u{random_.randrange(60)}@example.com"
                reason = random_.choice([R.SOFT_BOUNCE, R.COMPLAINT, R.MANUAL])
                created = backend.clock.now - timedelta(days=random_.randrange(40), seconds=random_.randrange(5))
                expires = random_.choice([None, created + timedelta(days=random_.randrange(1, 60))])
                statements[address, reason] = Suppression(
                    key=address,
                    reason=reason,
                    created=created,
                    refreshed=random_.choice([None, created + timedelta(days=1)]),
                    expires=expires,
                    count=random_.randrange(1, 4),
                    source=f"source {round_}",
                    detail=random_.choice([None, f"detail {round_}"]),
                    display=random_.choice([None, address.upper()]),
                )
            lines = [json.dumps({"mailgate_suppression": 1})] + [json.dumps(s.to_dict()) for s in statements.values()]
            one.import_(io.BytesIO("\n".join(lines).encode()), piece_rows=37)
            with two._writer() as writer:
                for statement in statements.values():
                    writer.put(statement, two._stamp("", "", ""))
            assert entries(one) == entries(two)


@pytest.mark.parametrize("piece_rows", [1, 7, 1_000])
def test_the_size_of_a_piece_changes_nothing_but_the_number_of_transactions(
    store: SuppressionStore, piece_rows: int
) -> None:
    lines = "".join(f"u{number}@example.com\n" for number in range(50)).encode()
    assert counts(store.import_(io.BytesIO(lines), piece_rows=piece_rows)) == (50, 0, 0)
    pieces = [line for line in (json.loads(row) for row in written(store, full=True).splitlines()) if "log" in line]
    assert len([line for line in pieces if line["log"]["note"].startswith("rows")]) == -(-50 // piece_rows)


def test_progress_and_the_actor_are_told(store: SuppressionStore) -> None:
    told: list[int] = []
    lines = "".join(f"u{number}@example.com\n" for number in range(25_000)).encode()
    store.import_(io.BytesIO(lines), on_progress=told.append, actor="ann")
    assert told == [10_000, 20_000]
    logged = [json.loads(row)["log"] for row in written(store, full=True).splitlines() if b'"log"' in row]
    assert {line["actor"] for line in logged} == {"ann"}


def test_an_empty_file_is_an_empty_list(store: SuppressionStore) -> None:
    assert counts(store.import_(io.BytesIO(b""))) == (0, 0, 0)
    assert counts(store.import_(io.BytesIO(b"\xef\xbb\xbf\r\n  \n"))) == (0, 0, 0)


# --- export ----------------------------------------------------------------------------------------------------------


def filled(store: SuppressionStore, clock: Clock) -> SuppressionStore:
    clock.forward(days=9)
    for day in range(3):
        store.apply(bounce("Soft@example.com", Reason.MAILBOX_FULL, day=day, detail="452 full, =1+1"))
    store.apply(bounce("counted@example.com", Reason.MAILBOX_FULL, day=1))
    store.apply(event(EventKind.UNSUBSCRIBED, "left@example.com", stream="news", tenant="one"))
    store.add("+Formula@example.com", R.COMPLAINT, detail="=cmd|' /C calc'!A0")
    store.add("jörg@bücher.example", R.MANUAL, detail='quotes " and, commas\r\nand lines', stream="-x", tenant="@y")
    store.add("'quoted@example.com", R.MANUAL, detail=" spaces around ")
    store.add("backslash@example.com", R.MANUAL, detail="\\N", source="\\x")
    store.add("empty@example.com", R.MANUAL, detail="", at=clock.now - timedelta(days=4))
    store.add("empty@example.com", R.MANUAL, at=clock.now)
    store.add("*.wide.test", R.LEGAL)
    store.add("one.test", R.ROLE, expires=clock.now + timedelta(days=3))
    store.add("ok@one.test", R.ALLOW)
    store.add("gone@example.com", R.INVALID, expires=clock.now - timedelta(days=1))
    return store


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
@pytest.mark.parametrize("target", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_an_export_read_into_either_database_is_the_same_list(
    backend: Backend, clock: Clock, format_: str, target: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = filled(backend.open(), clock)
    content = written(store, format_)
    where = str(tmp_path / "other.db") if target == "sqlite" else request.getfixturevalue("postgres_server").url()
    with SuppressionStore.open(where, clock=clock) as other:
        report = other.import_(io.BytesIO(content))
        assert (report.format, report.rejected) == ("mailgate", 0)
        assert entries(other) == entries(store)
        assert written(other, format_) == content
        assert counts(store.import_(io.BytesIO(content))) == (0, 0, len(entries(store))), "it says nothing new here"


def test_a_csv_export_holds_no_formula(store: SuppressionStore, clock: Clock) -> None:
    import csv

    content = written(filled(store, clock), "csv").decode()
    cells = [cell for row in csv.reader(io.StringIO(content, newline="")) for cell in row]
    assert any("calc" in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_csv_export_survives_a_spreadsheet_that_saves_it_with_semicolons(
    backend: Backend, clock: Clock, tmp_path: Path
) -> None:
    import csv

    store = filled(backend.open(), clock)
    rows = list(csv.reader(io.StringIO(written(store, "csv").decode(), newline="")))
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(rows)
    with SuppressionStore.open(tmp_path / "other.db", clock=clock) as other:
        assert other.import_(io.BytesIO(b"\xef\xbb\xbf" + out.getvalue().encode())).rejected == 0
        assert entries(other) == entries(store)


def test_a_full_export_moves_everything(backend: Backend, clock: Clock, tmp_path: Path) -> None:
    store = filled(backend.open(), clock)
    store.erase("left@example.com", actor="ann", note="article 17")
    again = bounce("repeated@example.com", event_id="seen before")
    store.apply(again)
    content = written(store, full=True)
    with SuppressionStore.open(tmp_path / "other.db", clock=clock) as other:
        assert other.import_(io.BytesIO(content)).rejected == 0
        assert entries(other) == entries(store)
        assert other.check("left@example.com", tenant="one").blocked, "the key of the hashes moved too"
        assert other.apply(again).effect == "repeated"
        told = [(line.op, line.at, line.note, line.after) for line in other.history("soft@example.com")]
        assert told == [(line.op, line.at, line.note, line.after) for line in store.history("soft@example.com")]
        stats, ours = other.stats(), store.stats()
        assert (stats.failing, stats.events, stats.scopes) == (ours.failing, ours.events, ours.scopes)
        applied = other.apply(bounce("counted@example.com", Reason.MAILBOX_FULL, day=2))
        applied = other.apply(bounce("counted@example.com", Reason.MAILBOX_FULL, day=3))
        assert applied.effect == "suppressed", "the failures that were counted moved too"


def test_an_export_can_be_a_part(store: SuppressionStore, clock: Clock) -> None:
    filled(store, clock)
    assert store.export(io.BytesIO(), tenant="one") == 1
    assert store.export(io.BytesIO(), stream="news") == 1
    assert store.export(io.BytesIO(), reason=R.COMPLAINT) == 1
    everything = store.export(io.BytesIO())
    assert store.export(io.BytesIO(), expired=False) == everything - 1
    assert store.export(io.BytesIO(), format="csv") == everything


def test_a_plain_export_is_addresses_and_domains(store: SuppressionStore, clock: Clock, tmp_path: Path) -> None:
    filled(store, clock)
    store.add("soft@example.com", R.MANUAL)
    target = tmp_path / "list.txt"
    count = store.export(target, format="plain")
    lines = target.read_text().splitlines()
    assert count == len(lines) == len(set(lines))
    assert {"*.wide.test", "@one.test", "soft@example.com", "+formula@example.com"} <= set(lines)
    assert "ok@one.test" not in lines
    with SuppressionStore.open(tmp_path / "other.db") as other:
        assert other.import_(target).rejected == 0
        assert other.check("a@x.wide.test").blocked


@pytest.mark.parametrize("format_", ["plain", "sha256"])
def test_an_export_without_times_leaves_out_what_has_expired(
    store: SuppressionStore, clock: Clock, format_: str
) -> None:
    store.add("over@example.com", expires=clock() + timedelta(days=1))
    store.add("holds@example.com")
    clock.forward(days=2)
    assert len(written(store, format_).splitlines()) == 1
    assert store.export(io.BytesIO(), format=format_, expired=True) == 2


def test_an_export_that_fails_leaves_nothing_behind(store: SuppressionStore, tmp_path: Path) -> None:
    store.add("user@example.com")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        store.export(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("folder")] == ["folder"]


def test_a_span_of_expiry_begins_with_the_import(store: SuppressionStore, clock: Clock) -> None:
    listed = b"a@example.com\n"
    store.import_(io.BytesIO(listed), expires=timedelta(days=5))
    first = store.check("a@example.com").entries[0].expires
    assert first == clock() + timedelta(days=5)
    clock.forward(days=1)
    assert store.import_(io.BytesIO(listed), expires=timedelta(days=5)).repeated
    assert not store.import_(io.BytesIO(listed), expires=timedelta(days=6)).repeated
    with pytest.raises(ValueError, match="time zone"):
        store.import_(io.BytesIO(listed), expires=datetime(2027, 1, 1))  # noqa: DTZ001 - what is refused
    assert store.stats().unfinished_imports == 0


def test_a_sha256_export_is_for_comparing_lists(store: SuppressionStore) -> None:
    import hashlib

    store.add("User@example.com")
    store.add("example.org")
    assert written(store, "sha256").decode().split() == [hashlib.sha256(b"user@example.com").hexdigest()]


def test_a_path_is_replaced_when_the_export_is_complete(store: SuppressionStore, tmp_path: Path) -> None:
    target = tmp_path / "list.jsonl"
    target.write_text("old")
    store.add("user@example.com")
    assert store.export(target) == 1
    assert "user@example.com" in target.read_text()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("list")] == ["list.jsonl"]


@pytest.mark.parametrize("options", [{"format": "xml"}, {"format": "csv", "full": True}])
def test_an_unknown_export_is_refused(store: SuppressionStore, options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="export"):
        store.export(io.BytesIO(), **options)  # type: ignore[arg-type]


def test_every_cell_comes_back() -> None:
    for text in ("", "\\", "\\N", "\\\\N", "'", "''=", "=", "+1", "-", "@", "\t", "\r", "\n", " ", '"', "ä", "None"):
        entry = Suppression(
            key="a@b", reason=R.MANUAL, created=START, detail=text, source=text, tenant=text, display=text
        )
        columns = ["mailgate_suppression_1", "key", "tenant", "stream", "reason", "created", "refreshed", "expires",
                   "count", "source", "detail", "display", "hash_check"]  # fmt: skip
        assert Suppression.from_dict(own_cells(columns, cells_of(entry, None))) == entry


# --- hashed lists ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_a_hashed_list_is_moved_with_its_key_and_not_without(backend: Backend, tmp_path: Path, format_: str) -> None:
    store = backend.open(hashed=True, hash_keys=KEYS)
    store.add("user@example.com", R.COMPLAINT)
    content = written(store, format_)
    with SuppressionStore.open(tmp_path / "same.db", hashed=True, hash_keys=KEYS) as same:
        same.import_(io.BytesIO(content))
        assert same.check("user@example.com").blocked
    with SuppressionStore.open(tmp_path / "plain.db", hash_keys=KEYS) as plain:
        plain.import_(io.BytesIO(content))
        assert plain.check("user@example.com").blocked
    with pytest.raises(StoreMismatch):
        SuppressionStore.open(tmp_path / "plain.db")  # from now on it cannot answer without the key
    for name, keys in (("other", OTHER_KEYS), ("none", None)):
        with SuppressionStore.open(tmp_path / f"{name}.db", hash_keys=keys) as other:
            with pytest.raises(StoreMismatch):
                other.import_(io.BytesIO(content))
            assert not entries(other)
            assert other.stats().unfinished_imports == 0


def test_a_plain_export_goes_into_a_hashed_list(backend: Backend, clock: Clock, tmp_path: Path) -> None:
    content = written(filled(backend.open(), clock))
    with SuppressionStore.open(tmp_path / "h.db", hashed=True, hash_keys=KEYS, clock=clock) as hashed:
        assert hashed.import_(io.BytesIO(content)).rejected == 0
        assert hashed.check("soft@example.com").blocked
        assert hashed.check("a@x.wide.test").blocked
        assert not [entry for entry in entries(hashed) if entry.kind == "address"]
        assert not [entry for entry in entries(hashed) if entry.kind == "hash" and (entry.detail or entry.display)]


def test_an_export_from_the_future_is_refused(store: SuppressionStore) -> None:
    with pytest.raises(StoreMismatch, match="version"):
        store.import_(io.BytesIO(b'{"mailgate_suppression": 2}\n'))


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "UPPER@example.com"},
        {"key": "example.com"},
        {"key": "a@b.test", "reason": "because"},
        {"key": "a@b.test", "count": 0},
        {"key": "a@b.test", "count": "many"},
        {"key": "a@b.test", "created": "yesterday"},
        {"key": "a@b.test", "created": "2026-01-01"},
        {"key": "#aaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"key": None},
        {"key": "a@b.test", "tenant": "\ud800"},
        {"key": "a@b.test", "stream": "a\x00"},
        {"key": "a@b.test", "tenant": 5},
        {"key": "a@b.test", "tenant": "x" * 201},
        {"key": "a@b.test", "created": "0001-01-01T00:00:00+23:59"},
        {"key": "a@b.test", "expires": "9999-12-31T23:59:59-23:59"},
        {"key": "a@b.test", "source": 5},
        {"key": "a@b.test", "detail": []},
        {},
    ],
)
def test_a_damaged_record_of_an_export_is_rejected(store: SuppressionStore, fields: dict[str, object]) -> None:
    good = Suppression(key="good@example.com", reason=R.MANUAL, created=START).to_dict()
    bad = {"reason": "manual", "created": START.isoformat(), "count": 1, **fields}
    lines = [{"mailgate_suppression": 1}, good, bad, good]
    report = store.import_(io.BytesIO("\n".join(map(json.dumps, lines)).encode()))
    assert [reject.line for reject in report.rejects] == [3]
    assert [entry.key for entry in entries(store)] == ["good@example.com"]


LOG_LINE: dict[str, object] = dict.fromkeys(("op", "key", "tenant", "stream", "actor", "source", "note"), "x")
LOG_LINE |= {"number": 1, "at": START.isoformat(), "reason": None, "before": None, "after": None}


@pytest.mark.parametrize(
    "extra",
    [
        {"log": []},
        {"log": {"number": 1}},
        {"log": LOG_LINE | {"at": "x"}},
        {"log": LOG_LINE | {"reason": "x"}},
        {"log": LOG_LINE | {"key": 7}},
        {"log": LOG_LINE | {"before": {}}},
        {"failures": {"key": 1, "tenant": "", "days": [1], "delivered": None, "total": 1}},
        {"failures": {"key": "a@b", "tenant": "", "days": ["x"], "delivered": None, "total": 1}},
        {"event": {"id": 1, "at": "2026-01-01T00:00:00+00:00"}},
        {"event": {"id": "a", "at": "0001-01-01T00:00:00+23:59"}},
        {"event": 7},
    ],
)
def test_a_damaged_extra_of_a_full_export_is_rejected(store: SuppressionStore, extra: dict[str, object]) -> None:
    good = Suppression(key="good@example.com", reason=R.MANUAL, created=START).to_dict()
    report = store.import_(io.BytesIO("\n".join(map(json.dumps, [{"mailgate_suppression": 1}, good, extra])).encode()))
    assert [reject.line for reject in report.rejects] == [3]
    assert store.stats().entries == 1


def test_hostile_text_in_the_extras_is_stored_harmlessly(store: SuppressionStore) -> None:
    wild = "\ud800'); DROP TABLE mg_suppression; --\x00"
    line = LOG_LINE | dict.fromkeys(("op", "key", "tenant", "stream", "actor", "source", "note"), wild)
    extras = [
        {"log": line},
        {"event": {"id": wild, "at": START.isoformat()}},
        {"failures": {"key": wild, "tenant": wild, "days": [5, 3], "delivered": 4, "total": 2}},
    ]
    lines = [{"mailgate_suppression": 1}, *extras]
    assert store.import_(io.BytesIO("\n".join(map(json.dumps, lines)).encode())).rejected == 0
    assert (store.stats().events, store.stats().failing) == (1, 1)


def test_a_hash_is_not_put_where_nobody_would_find_it(store: SuppressionStore) -> None:
    with pytest.raises(ValueError, match="hashed"):
        store.add("#" + "a" * 26)


def test_folding_reaches_what_an_export_brings(backend: Backend, tmp_path: Path, clock: Clock) -> None:
    store = backend.open()
    store.add("a.b@gmail.com")
    folding = Folding(rules=("gmail_dots",))
    with SuppressionStore.open(tmp_path / "folded.db", folding=folding, clock=clock) as folded:
        folded.import_(io.BytesIO(written(store)))
        assert folded.check("ab@gmail.com").blocked
