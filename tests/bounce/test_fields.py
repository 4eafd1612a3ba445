"""Field blocks, however they were cut."""

import pytest

from mailgate.bounce._fields import MAX_FIELD_CHARACTERS, MAX_GROUPS, lines_of, read_status_fields

MESSAGE = "Reporting-MTA: dns; mx.example\nArrival-Date: today\n"
ADA = "Final-Recipient: rfc822; ada@x\nAction: failed\nStatus: 5.1.1\n"
BOB = "Final-Recipient: rfc822; bob@x\nAction: delayed\nStatus: 4.2.2\n"


def names(text: str) -> list[str | None]:
    return [group.get("final-recipient") for group in read_status_fields(text).recipients]


@pytest.mark.parametrize(
    ("text", "defects"),
    [
        (MESSAGE + "\n" + ADA + "\n" + BOB, []),
        ("\n\n" + MESSAGE + "\n\n\n" + ADA + " \n\t\n" + BOB + "\n\n", []),
        (MESSAGE + ADA + "\n" + BOB, ["message_and_recipient_fields_mixed"]),
        (MESSAGE + "\n" + ADA + BOB, ["no_blank_line_between_groups"]),
        (MESSAGE + ADA + BOB, ["no_blank_line_between_groups", "message_and_recipient_fields_mixed"]),
        ("garbage before\n" + MESSAGE + "\n" + ADA + "\n" + BOB, ["line_outside_field"]),
        (MESSAGE + "\n" + ADA.replace("\nAction", "\n\nAction") + "\n" + BOB, ["blank_line_inside_group"]),
        (
            MESSAGE + "\nAction: failed\n\nFinal-Recipient: rfc822; ada@x\nStatus: 5.1.1\n\n" + BOB,
            ["blank_line_inside_group"],
        ),
        ((MESSAGE + "\n" + ADA + "\n" + BOB).replace(":", " :"), []),
        ((MESSAGE + "\n" + ADA + "\n" + BOB).replace(": ", ":"), []),
        ((MESSAGE + "\n" + ADA + "\n" + BOB).replace("\n", "\r\n"), []),
        ((MESSAGE + "\n" + ADA + "\n" + BOB).replace("\n", "\r"), []),
        ((MESSAGE + "\n" + ADA + "\n" + BOB).upper().replace("RFC822; ADA@X", "rfc822; ada@x").replace(
            "RFC822; BOB@X", "rfc822; bob@x"), []),
    ],
)  # fmt: skip
def test_two_recipients_however_the_blocks_are_cut(text: str, defects: list[str]) -> None:
    fields = read_status_fields(text)
    assert names(text) == ["rfc822; ada@x", "rfc822; bob@x"]
    assert [str(group.get("action")).lower() for group in fields.recipients] == ["failed", "delayed"]
    assert str(fields.message.get("reporting-mta")).lower() == "dns; mx.example"
    assert sorted(fields.defects) == sorted(defects)


def test_exim_writes_action_first() -> None:
    text = MESSAGE + "\nAction: failed\nFinal-Recipient: rfc822;ada@x\nStatus: 5.0.0\n\nAction: failed\n"
    assert names(text + "Final-Recipient: rfc822;bob@x\nStatus: 5.0.0\n") == ["rfc822;ada@x", "rfc822;bob@x"]


def test_extensions_stay_with_their_recipient_and_in_order() -> None:
    fields = read_status_fields(MESSAGE + "X-Queue: 1\n\n" + ADA + "X-Note: a\nX-Note: b\n\nX-Late: c\n")
    assert fields.message.items[-1] == ("X-Queue", "1")
    assert fields.recipients[0].items[-3:] == [("X-Note", "a"), ("X-Note", "b"), ("X-Late", "c")]
    assert fields.recipients[0].get("x-note") == "a"


@pytest.mark.parametrize("fold", ["\n ", "\n\t", "\r\n    "])
def test_folds_become_one_space(fold: str) -> None:
    fields = read_status_fields(ADA + f"Diagnostic-Code: smtp; 550{fold}no{fold}user\n")
    assert fields.recipients[0].get("diagnostic-code") == "smtp; 550 no user"


def test_folds_that_lost_their_indent_belong_to_the_diagnostic() -> None:
    text = ADA + "Diagnostic-Code: smtp; 550-first\n550-see http://x.example\nNote: more\n550 last\nStatus: 5.7.1\n"
    fields = read_status_fields(text)
    assert fields.recipients[0].get("diagnostic-code") == (
        "smtp; 550-first 550-see http://x.example Note: more 550 last"
    )
    assert fields.defects == ["fold_without_indent"]
    assert fields.recipients[0].get("status") == "5.1.1"


@pytest.mark.parametrize(("size", "cut"), [(-1, False), (0, False), (1, True)])
def test_a_field_is_cut_at_the_limit(size: int, cut: bool) -> None:
    value = "x" * (MAX_FIELD_CHARACTERS + size)
    fields = read_status_fields(ADA + f"Diagnostic-Code: {value}\n")
    assert len(fields.recipients[0].get("diagnostic-code") or "") == MAX_FIELD_CHARACTERS + min(size, 0)
    assert fields.defects == (["field_too_long"] if cut else [])


@pytest.mark.parametrize(("count", "cut"), [(MAX_GROUPS - 1, False), (MAX_GROUPS, False), (MAX_GROUPS + 1, True)])
def test_groups_are_counted(count: int, cut: bool) -> None:
    fields = read_status_fields("Final-Recipient: a@b\n\n" * count)
    assert ("too_many_groups" in fields.defects) is cut
    assert len(fields.recipients) == min(count, MAX_GROUPS)


def test_no_field_gives_nothing() -> None:
    fields = read_status_fields("Delivery report unavailable\n\n")
    assert (fields.recipients, fields.message.items) == ([], [])


def test_only_cr_and_lf_end_a_line() -> None:
    assert lines_of("a\x0bb\x1cc\u2028d\r\ne\rf\n") == ["a\x0bb\x1cc\u2028d", "e", "f", ""]
