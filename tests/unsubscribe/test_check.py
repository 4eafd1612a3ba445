"""The checker: one row for each thing that can be wrong with a finished message."""

import json
from pathlib import Path

import pytest

from mailgate.unsubscribe import Finding, Severity, check_unsubscribe_headers

FIXTURES = Path(__file__).parents[2] / "fixtures" / "unsubscribe"
GOOD = (FIXTURES / "good.eml").read_bytes()
MAILTO = b"<mailto:leave@news.example?subject=unsubscribe>"
LU = b"List-Unsubscribe: <https://news.example/u/AbCdEf0123>, " + MAILTO + b"\n"
POST = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"


def codes(message: bytes) -> list[str]:
    return [finding.code for finding in check_unsubscribe_headers(message)]


def test_a_good_message_has_no_findings() -> None:
    assert LU in GOOD
    assert POST in GOOD
    assert codes(GOOD) == []
    assert codes(GOOD.replace(b"\n", b"\r\n")) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (LU, b"", ["list_unsubscribe_missing"]),
        (LU, LU + LU, ["list_unsubscribe_repeated"]),
        (POST, b"", ["list_unsubscribe_post_missing"]),
        (POST, POST + POST, ["list_unsubscribe_post_repeated"]),
        (b"=One-Click", b"=one click", ["list_unsubscribe_post_value"]),
        (b"Post: List-Unsubscribe=One-Click", b"Post: One-Click", ["list_unsubscribe_post_value"]),
        (LU, b"List-Unsubscribe: =?utf-8?q?=3Chttps=3A//news=2Eexample/u/1=3E?=\n", ["list_unsubscribe_encoded"]),
        (b"<https:", b"<http:", ["no_https_uri", "http_uri"]),
        (
            b"<mailto:leave@news.example?subject=unsubscribe>",
            b"<https://b.example/x>",
            ["several_https_uris", "no_mailto_uri"],
        ),
        (b", " + MAILTO, b"", ["no_mailto_uri"]),
        (LU, b"List-Unsubscribe: <mailto:l@news.example>, <https://news.example/u/1>\n", ["mailto_first"]),
        (
            LU,
            b"List-Unsubscribe: https://news.example/u/1\n",
            ["not_in_angle_brackets", "no_https_uri", "no_mailto_uri"],
        ),
        (b"AbCdEf0123", b"{{token}}", ["bad_uri"]),
        (b"AbCdEf0123", b"Ab Cd", ["bad_uri"]),
        (b"/u/AbCdEf0123", b"", ["uri_without_token"]),
        (b"/u/AbCdEf0123", b"/?", ["uri_without_token"]),
        (b"AbCdEf0123", b"?to=ann%40example.net", ["address_in_uri"]),
        (b"AbCdEf0123", b"A" * 1_000, ["line_too_long"]),
        (b":List-Unsubscribe:List-Unsubscribe-Post", b":List-Unsubscribe", ["not_covered_by_dkim"]),
        (b":List-Unsubscribe:List-Unsubscribe-Post", b"", ["not_covered_by_dkim"]),
        (b"DKIM-Signature:", b"X-No-Signature:", ["not_signed"]),
        (b"d=news.example", b"d=other.example", ["signature_not_aligned"]),
        (b"List-Id:", b"X-List-Id:", ["list_id_missing"]),
        (b"Unsubscribe: https://news.example/u/AbCdEf0123", b"Bye", ["body_link_missing"]),
        (b"Unsubscribe: https://news.example/u/AbCdEf0123", b"Abmelden: https://news.example/u/1", []),
        (b"d=news.example", b"d=mail.news.example", []),
        (b"From: Winter News <news@news.example>", b"From: news@mail.news.example", []),
        (b":List-Unsubscribe:", b":list-unsubscribe:List-Unsubscribe:", []),
        (b"mailto:leave", b"MAILTO:leave", []),
    ],
)
def test_each_fault_is_found_and_no_other(old: bytes, new: bytes, expected: list[str]) -> None:
    assert old in GOOD
    assert codes(GOOD.replace(old, new, 1) if old == LU else GOOD.replace(old, new)) == expected


def test_one_of_several_signatures_is_enough() -> None:
    other = b"DKIM-Signature: v=1; a=rsa-sha256; d=relay.example; h=From:To; b=abc\n"
    assert codes(other + GOOD) == []


def test_errors_stand_before_warnings() -> None:
    found = check_unsubscribe_headers(b"From: a@b.example\n\nhi")
    severities = [finding.severity for finding in found]
    assert severities == sorted(severities)
    assert severities[0] is Severity.ERROR
    assert severities[-1] is Severity.WARNING


def test_findings_say_what_to_do_and_survive_a_wire() -> None:
    for finding in check_unsubscribe_headers(b"List-Unsubscribe: <http://x>\n\nhi"):
        assert len(finding.message) > 20
        assert Finding.from_dict(json.loads(json.dumps(finding.to_dict()))) == finding


@pytest.mark.parametrize("text", ["<" * 100_000, "<a>," * 20_000, "=?" * 50_000, ";h=" * 30_000, ": " * 50_000])
def test_hostile_fields_are_read_through(text: str) -> None:
    message = f"From: {text}\nTo: {text}\nList-Unsubscribe: {text}\nDKIM-Signature: {text}\n\n{text}".encode()
    assert check_unsubscribe_headers(message)


def test_any_bytes_have_findings() -> None:
    for cut in range(0, len(GOOD), 7):
        check_unsubscribe_headers(GOOD[:cut])
    assert check_unsubscribe_headers(b"\xff\xfe\0")
