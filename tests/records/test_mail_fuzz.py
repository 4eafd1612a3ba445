"""Random and mutated bytes: nothing but ParseError, and never more than the limits. MAILGATE_FUZZ=<n> runs longer."""

import os
import pickle
import random
from pathlib import Path

import pytest

from mailgate.records import Headers, Mail, MailLimits, ParseError, Part

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mail"
SEEDS = [path.read_bytes()[:6_000] for path in sorted(FIXTURES.iterdir()) if path.suffix != ".json"]
INPUTS = int(os.environ.get("MAILGATE_FUZZ", "24000"))
SHARDS = 4
LIMITS = MailLimits(max_bytes=6_100, max_depth=2, max_parts=8, max_header_field_bytes=500)

TOKENS = [
    b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b" ", b"\t", b"\n ", b":", b";", b"=", b'"', b"(", b")", b"\\", b"\0",
    b"\xff",
    b"--", b"\n--b", b"\n--b--", b"\n--c\n", b"A: b\n", b"From x 10:10\n", b"\xef\xbb\xbf", b"\xff\xfe",
    b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: multipart/mixed; boundary=c\n",
    b"Content-Type: multipart/digest; boundary=b\n\n--b\n", b"Content-Type: message/rfc822\n\n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n",
    b"Content-Transfer-Encoding: x-uuencode\n", b"begin 644 x\n", b"MIME-Version: 1.0\n", b"LS1iCg==",
    b"=?utf-8?q?", b"?=", b"charset=iso-2022-jp", b"filename*0*=utf-8''%C3", b"\x1b$B",
    b"Content-Disposition: attachment;",
]  # fmt: skip


def random_input(chance: random.Random) -> bytes:
    kind = chance.random()
    if kind < 0.15:
        return chance.randbytes(chance.randrange(400))
    if kind < 0.45:
        return b"".join(chance.choice(TOKENS) for _ in range(chance.randrange(60)))
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randrange(1, 12)):
        mutate(data, chance)
    return bytes(data)


def mutate(data: bytearray, chance: random.Random) -> None:
    at, how = chance.randrange(len(data) + 1), chance.random()
    if how < 0.2:
        del data[at : at + chance.randrange(60)]
    elif how < 0.5:
        data[at:at] = chance.choice(TOKENS)
    elif how < 0.7:
        start = chance.randrange(len(data) + 1)
        data[at:at] = data[start : start + chance.randrange(400)]
    elif how < 0.8:
        data[at:] = b""
    else:
        data[at : at + 1] = bytes([chance.randrange(256)])


def ask_everything(mail: Mail, depth: int = 0) -> None:
    parts = list(mail.walk())
    assert len(parts) <= LIMITS.max_parts + 1
    assert len(set(mail.defects)) == len(mail.defects)
    for part in parts:
        for name, value in part.headers.items():
            assert "\n" not in value
            assert len(value) <= LIMITS.max_header_field_bytes
            assert part.headers.decoded(name) is not None
        assert part.content_type.count("/") == 1
        assert part.disposition in ("", "inline", "attachment")
        assert isinstance(part.text(), str)
        _ = part.filename, part.param("charset"), part.preamble, part.epilogue, repr(part)
        if part.header_start is not None and part.body_start is not None and part.body_end is not None:
            assert 0 <= part.header_start <= part.body_start <= part.body_end <= len(mail.raw)
            assert mail.raw[part.body_start : part.body_end] == part.raw_body
        if not part.parts and part.content_type.startswith("message/"):
            for group in Headers.groups(part.content()):
                list(group.items())
            ask_inside(part, depth)


def ask_inside(part: Part, depth: int) -> None:
    try:
        inside = part.message()
    except ParseError as error:
        assert_limit(error)
    else:
        assert depth < LIMITS.max_depth
        ask_everything(inside, depth + 1)


def assert_limit(error: ParseError) -> None:
    assert error.error in ("too_deep", "too_many_parts", "too_large")


@pytest.mark.parametrize("shard", range(SHARDS))
def test_anything_gives_a_mail_or_a_parse_error(shard: int) -> None:
    chance = random.Random(shard)
    refused = 0
    for number in range(INPUTS // SHARDS):
        data = random_input(chance)
        try:
            mail = Mail.read(data, limits=LIMITS)
            ask_everything(mail)
            if number % 50 == 0:
                assert pickle.loads(pickle.dumps(mail)).raw == data
        except ParseError as error:
            assert_limit(error)
            refused += 1
        except Exception as error:
            raise AssertionError(f"{error!r} for {data!r}") from error
    assert refused <= INPUTS // SHARDS // 2 + 1
    assert refused or INPUTS < 4_000  # the limits are reached, where there is room to
