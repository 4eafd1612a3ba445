"""Lists as other services and spreadsheets write them: recognised, confirmed, read to the last record."""

from __future__ import annotations

import io
import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.suppression import ImportRefused, ImportReport, StoreMismatch, SuppressionReason, SuppressionStore
from mailgate.suppression._formats import ADDRESS_NAMES, FORMATS, recognise
from mailgate.suppression._guard import guard, unguard
from mailgate.suppression._instants import parse_instant
from mailgate.suppression._own import OWN_COLUMNS
from mailgate.suppression._statements import open_list
from tests.suppression.conftest import START, Backend
from tests.suppression.given import entries, table

LISTS = Path(__file__).parent.parent.parent / "fixtures" / "suppression" / "lists"
NEW_YEAR = datetime(2024, 1, 1, 10, 0, tzinfo=UTC)
R = SuppressionReason

# file, options, recognised as, entries (address, stream, reason), rejected lines
CASES: list[tuple[str, dict[str, object], str, list[str], list[int]]] = [
    ("ses-import.csv", {}, "ses", ["angry@target.test * complaint", "gone@target.test * hard_bounce"], []),
    ("ses-import.jsonl", {}, "ses", ["angry@target.test * complaint", "gone@target.test * hard_bounce"], []),
    ("ses-api.json", {}, "ses", ["angry@target.test * complaint", "gone@target.test * hard_bounce"], []),
    ("sendgrid-bounces.csv", {"reason": R.HARD_BOUNCE}, "sendgrid bounces or blocks",
     ["gone@target.test * hard_bounce", "left.company@target.test * hard_bounce"], []),
    ("sendgrid-spam-reports.csv", {}, "sendgrid spam reports", ["angry@target.test * complaint"], []),
    ("sendgrid-invalid-emails.csv", {}, "sendgrid invalid emails", ["nobody@no-such-domain.test * invalid"], [2]),
    ("sendgrid-unsubscribes.json", {"reason": R.UNSUBSCRIBE, "stream": "news"}, "sendgrid unsubscribes or a group",
     ["leaver2@target.test news unsubscribe", "leaver@target.test news unsubscribe"], []),
    ("sendgrid-groups.json", {}, "sendgrid group unsubscribes",
     ["leaver@target.test Offers unsubscribe", "leaver@target.test Weekly News unsubscribe",
      "other@target.test Offers unsubscribe"], []),
    ("sendgrid-one-group.json", {"reason": R.UNSUBSCRIBE, "stream": "news"}, "csv",
     ["leaver@target.test news unsubscribe", "other@target.test news unsubscribe"], []),
    ("mailgun-bounces.csv", {}, "mailgun bounces",
     ["full@target.test * soft_bounce", "gone@target.test * hard_bounce"], []),
    ("mailgun-unsubscribes.csv", {}, "mailgun unsubscribes",
     ["everything@target.test * unsubscribe", "two@target.test news unsubscribe",
      "two@target.test offers unsubscribe"], []),
    ("mailgun-unsubscribes.json", {}, "mailgun unsubscribes",
     ["everything@target.test * unsubscribe", "two@target.test news unsubscribe",
      "two@target.test offers unsubscribe"], []),
    ("mailgun-complaints.csv", {}, "mailgun complaints", ["angry@target.test * complaint"], []),
    ("postmark-dump.json", {"stream": "broadcast"}, "postmark",
     ["angry@target.test broadcast complaint", "byhand@target.test broadcast manual",
      "gone@target.test broadcast hard_bounce", "leaver@target.test broadcast unsubscribe"], []),
    ("sparkpost.json", {}, "sparkpost",
     ["gone@target.test * hard_bounce", "gone@target.test transactional hard_bounce",
      "leaver@target.test * unsubscribe"], []),
    ("sparkpost.csv", {}, "sparkpost",
     ["gone@target.test transactional unsubscribe", "leaver@target.test * unsubscribe"], []),
    ("mandrill-rejects.csv", {}, "mandrill",
     ["angry@target.test * complaint", "byhand@target.test * manual", "full@target.test * soft_bounce",
      "gone@target.test * hard_bounce", "leaver@target.test * unsubscribe"], []),
    ("plain.txt", {}, "plain",
     ["@.spam.test * manual", "@throwaway.test * manual", "gone@target.test * manual",
      "jörg@target.test * manual"], [7]),
    ("excel-semicolon-utf16.csv", {}, "csv", ["gone@target.test * hard_bounce", "josé@target.test * complaint"], []),
    ("excel-windows-1252.csv", {}, "csv", ["joerg@target.test * manual", "jose@target.test * unsubscribe"], []),
    ("broken-quotes.csv", {}, "csv",
     ["first@target.test * hard_bounce", "second@target.test * hard_bounce", "third@target.test * complaint"], []),
]  # fmt: skip


def test_every_list_in_the_fixtures_is_read() -> None:
    assert {case[0] for case in CASES} == {path.name for path in LISTS.iterdir()}


@pytest.mark.parametrize(
    ("name", "options", "recognised", "expected", "rejected"), CASES, ids=[case[0] for case in CASES]
)
def test_a_list_becomes_these_entries(
    sqlite: Backend, name: str, options: dict[str, object], recognised: str, expected: list[str], rejected: list[int]
) -> None:
    store = sqlite.open()
    report = store.import_(LISTS / name, **options)
    assert report.format == recognised
    assert [f"{key} {stream} {reason}" for key, _, stream, reason in table(store)] == expected
    if name != "broken-quotes.csv":  # there the torn lines themselves are told, and all of the records are saved
        assert [reject.line for reject in report.rejects] == rejected
    assert report.added == len(expected)


def test_every_row_of_the_table_of_formats_is_reached_by_a_fixture(sqlite: Backend) -> None:
    reached = set()
    for name, *_ in CASES:
        with open(LISTS / name, "rb") as file:
            reached.add(open_list(file).format)
    # The same list with `tag` for `tags`, and SparkPost's and Mandrill's JSON without some members, are read below.
    missing = [row for row in FORMATS if row not in reached]
    assert {row.name for row in missing} <= {"mailgun", "sparkpost", "mandrill"}


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ("address,tag,created_at", "mailgun"),
        ("recipient,transactional,non_transactional", "sparkpost"),
        ("Email,Reason,Detail", "mandrill"),
        ("E-Mail Address,First Name", "csv"),
        ("SUBSCRIBER_EMAIL,reason", "csv"),
        ("name,phone", None),
    ],
)
def test_columns_are_recognised_in_any_case(columns: str, name: str | None) -> None:
    found = recognise(columns.split(","))
    assert (found and found.name) == name


def test_the_times_evidence_and_expiry_of_a_list_are_kept(sqlite: Backend) -> None:
    store = sqlite.open()
    store.import_(LISTS / "mandrill-rejects.csv")
    by_key = {entry.key: entry for entry in entries(store)}
    assert {entry.created for entry in by_key.values()} == {NEW_YEAR}
    assert by_key["full@target.test"].expires == datetime(2024, 1, 4, 10, 0, tzinfo=UTC)
    assert by_key["gone@target.test"].expires is None
    assert by_key["gone@target.test"].detail == "550 mailbox does not exist"
    assert by_key["gone@target.test"].source == "import:1"
    store.import_(LISTS / "postmark-dump.json")
    assert store.check("byhand@target.test").entries[0].detail == "asked by phone"


def test_a_reason_that_nobody_knows_blocks_and_is_kept_as_evidence(sqlite: Backend) -> None:
    store = sqlite.open()
    store.import_(LISTS / "excel-windows-1252.csv")
    [entry] = store.check("joerg@target.test").entries
    assert (entry.reason, entry.detail) == (R.MANUAL, "weiß nicht mehr")


def test_a_list_without_times_is_as_old_as_its_import(sqlite: Backend) -> None:
    store = sqlite.open()
    store.import_(LISTS / "ses-import.csv")
    assert {entry.created for entry in entries(store)} == {START}


def test_an_expiry_by_reason_counts_from_the_import_not_from_the_record(sqlite: Backend) -> None:
    store = sqlite.open()
    store.import_(LISTS / "sendgrid-invalid-emails.csv")
    [entry] = entries(store)
    assert entry.created.year == 2024
    assert entry.expires is not None
    assert (entry.expires - START).days == 30


@pytest.mark.parametrize("name", ["sendgrid-bounces.csv", "sendgrid-unsubscribes.json"])
def test_a_list_that_does_not_tell_its_reason_is_not_guessed_at(sqlite: Backend, name: str) -> None:
    store = sqlite.open()
    with pytest.raises(ImportRefused, match="reason"):
        store.import_(LISTS / name)
    assert not entries(store)
    assert store.stats().unfinished_imports == 0


@pytest.mark.parametrize(
    "content",
    [
        b"name,phone\nann,123\n",
        b"what is this\nno address anywhere\nat all\n",
        b'{"name": "ann"}\n',
        b"[1, 2, 3]",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"PK\x03\x04\x14\x00\x00\x00\x08\x00",
        b"{",
        b"one@example.com,two@example.com\nthree@example.com,four@example.com\n",
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(sqlite: Backend, content: bytes) -> None:
    store = sqlite.open()
    with pytest.raises(ImportRefused):
        store.import_(io.BytesIO(content))
    assert not entries(store)


def test_rows_without_an_address_do_not_speak_against_a_list(sqlite: Backend) -> None:
    store = sqlite.open()
    content = b"name,email\n" + b"ann,\n" * 30 + b"bob,bob@example.com\nx,no address\n"
    report = store.import_(io.BytesIO(content))
    assert (report.added, report.rejected) == (1, 31)


def test_a_column_named_stream_is_the_stream(sqlite: Backend) -> None:
    store = sqlite.open()
    store.import_(io.BytesIO(b"Email,Reason,Stream\na@example.com,unsubscribe,news\nb@example.com,unsubscribe,\n"))
    assert table(store) == [
        ("a@example.com", "", "news", "unsubscribe"),
        ("b@example.com", "", "*", "unsubscribe"),
    ]
    store.import_(io.BytesIO(b"email,stream\nc@example.com,news\n"), stream="offers")
    assert ("c@example.com", "", "offers", "manual") in table(store)


def test_a_wanted_format_is_held_to(sqlite: Backend) -> None:
    store = sqlite.open()
    with pytest.raises(ImportRefused):
        store.import_(LISTS / "ses-import.csv", format="mailgun")
    with pytest.raises(ValueError, match="format"):
        store.import_(LISTS / "ses-import.csv", format="outlook")
    assert store.import_(LISTS / "mailgun-complaints.csv", format="csv").format == "csv"
    assert {entry.reason for entry in entries(store)} == {R.MANUAL}


def test_the_named_reason_stream_and_tenant_are_those_of_every_record(sqlite: Backend) -> None:
    store = sqlite.open()
    store.import_(LISTS / "mailgun-unsubscribes.csv", reason=R.LIST_CLEAN, stream="x", tenant="t", expires=NEW_YEAR)
    assert table(store) == [
        ("everything@target.test", "t", "x", "list_clean"),
        ("two@target.test", "t", "x", "list_clean"),
    ]
    assert {entry.expires for entry in entries(store)} == {NEW_YEAR}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_delimiters_and_line_ends(sqlite: Backend, encoding: str, delimiter: str, end: str) -> None:
    rows = [["Email", "Reason", "Note"], ["a@x.test", "bounce", "Grüße"], ["b@x.test", "spam", f"two{end}lines"]]
    text = end.join(delimiter.join(f'"{cell}"' if end in cell else cell for cell in row) for row in rows) + end
    store = sqlite.open()
    report = store.import_(io.BytesIO(text.encode(encoding)))
    assert (report.records, report.rejected) == (2, 0)
    assert [(entry.key, entry.reason, entry.detail) for entry in entries(store)] == [
        ("a@x.test", R.HARD_BOUNCE, "Grüße"),
        ("b@x.test", R.COMPLAINT, f"two{end}lines"),
    ]


def test_bad_bytes_spoil_their_own_record_only(sqlite: Backend) -> None:
    head = "".join(f"u{number}@example.com\n" for number in range(8_000)).encode()  # beyond what is looked at first
    store = sqlite.open()
    report = store.import_(io.BytesIO(head + b"caf\xe9@example.com\nlast@example.com\n"))
    assert [reject.line for reject in report.rejects] == [8_001]
    assert report.added == 8_001


def test_rejected_records_are_told_with_their_lines(sqlite: Backend) -> None:
    told = []
    text = "email,reason\na@x.test,bounce\n,bounce\nno-at-sign,bounce\n\nb@x.test,bounce\nx@,spam\nc@x.test\n"
    report = sqlite.open().import_(io.BytesIO(text.encode()), on_reject=told.append)
    assert [reject.line for reject in report.rejects] == [3, 4, 7]
    assert tuple(told) == report.rejects
    assert all(reject.why for reject in report.rejects)
    assert (report.records, report.added) == (6, 3)


def test_a_thousand_rejects_are_kept_and_all_are_counted(sqlite: Backend) -> None:
    lines = ["good@x.test\n"] * 30 + [f"bad {number}\n" for number in range(1_500)]
    told = []
    report = sqlite.open().import_(io.BytesIO("".join(lines).encode()), on_reject=told.append)
    assert (report.rejected, len(report.rejects), len(told)) == (1_500, 1_000, 1_500)


@pytest.mark.parametrize(
    "text",
    [
        '{"emailAddress":"a@x.test","reason":"BOUNCE"}{"emailAddress":"b@x.test","reason":"BOUNCE"}',
        '[{"emailAddress":"a@x.test","reason":"BOUNCE"},\n\n{"emailAddress":"b@x.test","reason":"BOUNCE"}]',
        '{\n"emailAddress":\n"a@x.test","reason":"BOUNCE"}\n\n\n{"emailAddress":"b@x.test","reason":"BOUNCE"',
        '{"emailAddress":"a@x.test","reason":"BOUNCE"}\n7\n{"emailAddress":"b@x.test","reason":"BOUNCE"}\n{"reason":"X"}',
        '{"x":1,"items":[{"emailAddress":"a@x.test","reason":"BOUNCE"},{"emailAddress":"b@x.test","reason":"BOUNCE"}]}',
    ],
)
def test_json_in_any_shape(sqlite: Backend, text: str) -> None:
    store = sqlite.open()
    if text.endswith('"BOUNCE"'):
        text += "}"
    store.import_(io.BytesIO(text.encode()))
    assert [key for key, *_ in table(store)] == ["a@x.test", "b@x.test"]


@pytest.mark.parametrize(
    "text",
    [
        '[{"email":"a@x.test"},{"email":"b@x.test"}',
        '[{"email":"a@x.test"},{"email":"b@x.te',
        '[{"email":"a@x.test"},{email:"b@x.test"},{"email":"c@x.test"}]',
        '{"items":[{"email":"a@x.test"},',
    ],
)
def test_a_damaged_json_list_is_refused_as_a_whole(sqlite: Backend, text: str) -> None:
    store = sqlite.open()
    with pytest.raises(ImportRefused):
        store.import_(io.BytesIO(text.encode()))
    assert not entries(store)
    assert store.stats().unfinished_imports == 0


def test_json_records_that_cross_the_blocks_of_the_reader(sqlite: Backend) -> None:
    padding = "x" * 90_000
    lines = [f'{{"emailAddress":"u{number}@x.test","reason":"BOUNCE","note":"{padding}"}}' for number in range(20)]
    store = sqlite.open()
    assert store.import_(io.BytesIO("\n".join(lines).encode())).added == 20


def test_a_json_record_of_more_than_a_megabyte_is_rejected_and_the_next_is_read(sqlite: Backend) -> None:
    lines = [
        '{"emailAddress":"a@x.test","reason":"BOUNCE"}',
        f'{{"emailAddress":"big@x.test","reason":"BOUNCE","note":"{"x" * 2_000_000}"}}',
        '{"emailAddress":"b@x.test","reason":"BOUNCE"}',
    ]
    store = sqlite.open()
    report = store.import_(io.BytesIO("\n".join(lines).encode()))
    assert [key for key, *_ in table(store)] == ["a@x.test", "b@x.test"]
    assert [reject.line for reject in report.rejects] == [2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1704103200", NEW_YEAR),
        ("1704103200000", NEW_YEAR),
        ("1704103200.5", NEW_YEAR),
        (1704103200, NEW_YEAR),
        ("2024-01-01T10:00:00Z", NEW_YEAR),
        ("2024-01-01 10:00:00", NEW_YEAR),
        ("2024-01-01 10:00:00 UTC", NEW_YEAR),
        ("2024-01-01T11:00:00.123+01:00", NEW_YEAR),
        ("2024-01-01 12:00:00 +0200", NEW_YEAR),
        ("Mon, 01 Jan 2024 10:00:00 GMT", NEW_YEAR),
        ("Mon, 01 Jan 2024 05:00:00 -0500", NEW_YEAR),
        ("2024-01-01", datetime(2024, 1, 1, tzinfo=UTC)),
        ("0", None),
        ("", None),
        ("yesterday", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        ("9" * 90, None),
        ("0001-01-01T00:00:00+23:59", None),
    ],
)
def test_instants_as_others_write_them(text: object, expected: datetime | None) -> None:
    assert parse_instant(text) == (None if expected is None else int(expected.timestamp()))


@given(st.text(max_size=60))
def test_any_text_is_an_instant_or_none(text: str) -> None:
    found = parse_instant(text)
    assert found is None or 0 < found < 1 << 40


@given(st.text())
def test_a_guarded_cell_is_no_formula_and_comes_back(cell: str) -> None:
    assert unguard(guard(cell)) == cell
    assert not guard(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


PIECES = [
    b"a@x.test",
    b"email",
    b"reason",
    b"address",
    b",",
    b";",
    b"\t",
    b'"',
    b'""',
    b"\n",
    b"\r\n",
    b"\r",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b'{"email":"a@x.test"}',
    b'"reason":"bounce"',
    b"bounce",
    b"\xff",
    b"\x00",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"created_at",
    b"1704103200",
    b"status",
    b"#",
    b" ",
    b"'",
    b"=1+1",
    b"*.x.test",
    b"\xc3\xa9",
    b"items",
    b"\\",
    b"\\u00",
    OWN_COLUMNS[0].encode(),
    b'{"mailgate_suppression": 1}\n',
    b'{"log": {}}',
    b'{"event": 1}',
    b"tags",
    b"code",
    b"1e999",
]


def read_all(content: bytes) -> int | None:
    try:
        return sum(1 for _ in open_list(io.BytesIO(content)).records)
    except ImportRefused:
        return None


def test_any_bytes_are_a_list_or_refused() -> None:
    random_ = random.Random(20260101)
    for _ in range(int(os.environ.get("MAILGATE_FUZZ", "20000"))):
        read_all(b"".join(random_.choices(PIECES, k=random_.randrange(1, 25))))


@pytest.mark.parametrize("name", [case[0] for case in CASES])
def test_a_list_cut_anywhere_is_a_list_or_refused(name: str) -> None:
    content = (LISTS / name).read_bytes()
    for end in range(len(content)):
        read_all(content[:end])


def test_any_import_ends_in_entries_or_a_refusal(sqlite: Backend) -> None:
    store = sqlite.open()
    random_ = random.Random(7)
    for _ in range(300):
        content = b"".join(random_.choices(PIECES, k=random_.randrange(1, 40)))
        try:
            report = store.import_(io.BytesIO(content), reason=R.MANUAL)
        except (ImportRefused, StoreMismatch):
            continue
        assert isinstance(report, ImportReport)
        assert report.records >= report.rejected
    assert entries(store)


def test_a_line_without_an_end_does_not_fill_the_memory(sqlite: Backend) -> None:
    store = sqlite.open()
    content = b"first@example.com\n" * 30 + b"x" * 3_000_000 + b"\nlast@example.com\n"
    report = store.import_(io.BytesIO(content))
    assert [key for key, *_ in table(store)] == ["first@example.com", "last@example.com"]
    assert report.rejected == 3


def test_every_name_of_an_address_column_is_read(store: SuppressionStore) -> None:
    for number, name in enumerate(ADDRESS_NAMES):
        store.import_(io.BytesIO(f"{name},other\nu{number}@x.test,1\n".encode()))
    assert store.stats().entries == len(ADDRESS_NAMES)
