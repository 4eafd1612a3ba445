"""Real mail: each fixture as its expectation says, all of it beside the standard `email` package.

The expectations beside the fixtures were read against the mail by a human. The comparison with `email` is the
independent witness: where the two differ, the fixture is named here with the reason, and ours is the better reading.
"""

import email
import email.message
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailgate.records import Mail, Part
from tests.support import needs

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mail"
MESSAGES = sorted(path for path in FIXTURES.iterdir() if path.suffix != ".json")

# Where `email` reads something else, and why ours is right.
EMAIL_IS_WRONG = {
    "example13": "ends the header at a blank before a colon",
    "groupwise_03": "decodes the words `[Removed part]` as base64",
    "lhost-office365-09": "loses a boundary on a line without indentation",
    "lhost-verizon-02": "loses a boundary on a line without indentation",
    "lhost-x1-02": "takes a charset into the content type",
    "multiple_references_with_one_invalid": "ends the header in the middle of a field",
    "rhost-franceptt-07": "finds no part where the parameter is not the boundary",
    "rhost-google-02": "finds no part where the parameter is not the boundary",
}


def describe(mail: Mail) -> dict[str, Any]:
    """A mail as its expectation file writes it."""
    parts = [describe_part(part) for part in mail.walk()]
    return {"subject": mail.headers.decoded("subject"), "defects": list(mail.defects), "parts": parts}


def describe_part(part: Part) -> dict[str, Any]:
    if part.parts:
        return {"type": part.content_type, "parts": len(part.parts)}
    content = part.content()
    found = {
        "type": part.content_type,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest()[:16],
        "filename": part.filename,
        "text": part.text().strip()[:60] if part.content_type.startswith("text/") else None,
    }
    if part.content_type in ("message/rfc822", "message/global", "text/rfc822-headers"):
        found["message"] = describe(part.message())
    return {key: value for key, value in found.items() if value is not None}


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_a_real_message_is_read_as_expected(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert describe(Mail.read(path.read_bytes())) == expected


# --- beside the standard package -------------------------------------------------------------------------------------


def walk_email(message: email.message.Message) -> Iterator[email.message.Message]:
    yield message
    payload = message.get_payload()
    if message.get_content_maintype() == "multipart" and isinstance(payload, list):
        for part in payload:
            yield from walk_email(part)


def differences(raw: bytes) -> list[str]:
    """What `email` reads otherwise: the kinds of parts, their decoded contents, their header fields."""
    ours, theirs = list(Mail.read(raw).walk()), list(walk_email(email.message_from_bytes(raw)))
    if [p.content_type for p in ours] != [p.get_content_type() for p in theirs]:
        return ["parts"]
    found = []
    for our, their in zip(ours, theirs, strict=True):
        if not their.is_multipart() and our.content() != their.get_payload(decode=True):
            found.append("content")
        if fields_of(our) != [(name, " ".join(str(value).split())) for name, value in their.items()]:
            found.append("fields")
    return found


def fields_of(part: Part) -> list[tuple[str, str]]:
    # `email` shows bytes that are not ASCII as replacement characters.
    fields = part.headers.items()
    return [(n, " ".join(v.encode("ascii", "ignore").decode().split()) if v.isascii() else "") for n, v in fields]


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_the_standard_package_reads_the_same_or_worse(path: Path) -> None:
    raw = path.read_bytes()
    header = raw.replace(b"\r\n", b"\n").split(b"\n\n")[0]
    if not header.isascii():
        pytest.skip("email does not read raw UTF-8 in headers")
    assert (differences(raw) != []) == (path.stem in EMAIL_IS_WRONG), differences(raw)


# --- the full corpora ------------------------------------------------------------------------------------------------

# In the full corpora, beside the fixtures' own: more of the same kinds.
EMAIL_IS_WRONG_ON = frozenset(EMAIL_IS_WRONG) | {"lhost-office365-10"}


def test_the_full_corpora_beside_the_standard_package() -> None:
    corpora = Path(needs.corpora())
    messages = [path for path in corpora.glob("*/msgs/**/*") if path.is_file()]
    samples = corpora.parent / "samples"
    messages += samples.glob("**/*.eml") if samples.is_dir() else []
    assert len(messages) > 300
    unexplained = []
    for path in messages:
        raw = path.read_bytes()
        found = [kind for kind in differences(raw) if kind != "fields" or raw.isascii()]
        if found and path.stem not in EMAIL_IS_WRONG_ON:
            unexplained.append((os.fspath(path), found))
    assert unexplained == []


# --- truncation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "lhost-verizon-02.eml",
        "postfix-smtputf8.eml",
        "example14.eml",
        "rhost-google-02.eml",
        "japanese_attachment_long_name.eml",
    ],
)
def test_a_message_cut_at_any_byte_is_read(name: str) -> None:
    raw = (FIXTURES / name).read_bytes()
    whole = [part.content_type for part in Mail.read(raw).walk()]
    most = 0
    for end in range(len(raw) + 1):
        mail = Mail.read(raw[:end])
        kinds = [part.content_type for part in mail.walk()]
        for part in mail.walk():
            part.text()
            part.headers.get("subject")
        most = max(most, len(kinds))
        if len(kinds) == len(whole):
            assert kinds[:-1] == whole[:-1]
    assert most == len(whole)
