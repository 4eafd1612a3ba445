"""Any bytes are an outcome, and shapes never see anything that Expat does not: mutated reports, seeded.

MAILGATE_FUZZ=n asks for another number of inputs.
"""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from mailgate.dmarc import Limits, Refusal, parse_all, read
from mailgate.dmarc._shape import MAX_CHARACTERS
from tests.support.dmarc_reports import mail, random_record, record, report, tls_report, zipped

ONLY_EXPAT = Limits(max_field_bytes=MAX_CHARACTERS - 1)
INPUTS = int(os.environ.get("MAILGATE_FUZZ", "20000"))
CORPUS = Path(__file__).parent.parent.parent / "fixtures" / "dmarc" / "corpus"

# What could make a textual look at XML see something else than XML does.
TOKENS = (
    *b"<!-- --> <![CDATA[ ]]> <?pi ?> &amp; &lt; &#49; &x; & < > /> <record> </record> <record/> <source_ip>".split(),
    *b"</source_ip> <source_ip/> <count> </count> <count>9</count> <source_ip>192.0.2.99</source_ip> <row>".split(),
    *b"<row><source_ip>192.0.2.98</source_ip><count>8</count></row> <x> </x> <x/> <policy_evaluated> </row>".split(),
    *b"<identities> <identifiers/> <dkim><domain>d</domain></dkim> <spf/> <reason/> </feedback> <feedback>".split(),
    *b"<policy_published><domain>x</domain></policy_published> <report_metadata/> ~1~ ~3~ <!DOCTYPE ' : d:".split(),
    *(b"<record a='>b</c'>", b"<count>1_0</count>", b"\0", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b"\xef\xbf\xbf"),
    *(b"\x01", b" ", b"\r\n", b"\r", b" a='1'", b'"', b"xmlns='u'"),
)


def mutated(rng: random.Random, data: bytes) -> bytes:
    """A few insertions, deletions, repetitions and flips."""
    made = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(made) + 1)
        kind = rng.random()
        if kind < 0.55:
            made[at:at] = rng.choice(TOKENS)
        elif kind < 0.7:
            del made[at : at + rng.randint(1, 40)]
        elif kind < 0.8:
            made[at:at] = made[at : at + rng.randint(1, 300)]
        elif kind < 0.9 and b"<record>" in made and b"</record>" in made:
            made[at:at] = made[made.index(b"<record>") : made.index(b"</record>") + 9]
        elif made:
            made[min(at, len(made) - 1)] = rng.randrange(256)
        made = made or bytearray(b"x")
    return bytes(made)


def sources(rng: random.Random) -> list[bytes]:
    pool = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    minified = report([record()] * 3).replace(b"\n", b"").replace(b"  ", b"")
    wild = sorted(path.read_bytes() for path in CORPUS.glob("*/*.xml") if path.stat().st_size < 6_000)
    return [
        report([random_record(rng, pool, "example.com") for _ in range(4)]),
        report([record(), record(source_ip="192.0.2.7", count=5, reason=("local_policy", "arc=pass"))]),
        minified,
        report().replace(b"<feedback>", b"<feedback xmlns='urn:ietf:params:xml:ns:dmarc-2.0'>"),
        *wild,
    ]


def test_shapes_and_expat_agree_on_mutated_reports() -> None:
    rng = random.Random(2025)
    originals = sources(rng)
    for number in range(INPUTS // 2):
        data = mutated(rng, rng.choice(originals))
        shaped, through_expat = parse_all(data), parse_all(data, limits=ONLY_EXPAT)
        assert shaped == through_expat, (number, data)


@pytest.mark.parametrize(
    "wrap",
    [gzip.compress, lambda data: zipped({"a.xml": data, "b": data}), lambda data: mail(data, encoding="8bit"), mail],
    ids=["gzip", "zip", "mail", "base64"],
)
def test_mutated_containers_are_an_outcome(wrap: Callable[[bytes], bytes]) -> None:
    rng = random.Random(7)
    packed = wrap(report([record()] * 3))
    for _ in range(INPUTS // 10):
        data = mutated(rng, packed)
        assert parse_all(data)
        assert read(data)


def test_mutated_tls_reports_are_an_outcome() -> None:
    rng = random.Random(9)
    original = tls_report(failure=3)
    tokens = (
        b"{",
        b"}",
        b"[",
        b"]",
        b"null",
        b"-1",
        b"1e999",
        b"NaN",
        b'"',
        b"\\u0000",
        b"\\ud800",
        b"true",
        b",",
        b":",
    )
    for _ in range(INPUTS // 4):
        made = bytearray(original)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(made))
            made[at : at + rng.choice((0, 0, 1, 5, 20))] = rng.choice(tokens)
        for outcome in parse_all(bytes(made)):
            assert isinstance(outcome, Refusal) or outcome.summary()["kind"] == "tlsrpt"


def test_noise_is_no_report() -> None:
    rng = random.Random(11)
    for size in range(0, 2_000, 7):
        for start in (b"", b"\x1f\x8b\x08", b"PK\x03\x04", b"<", b"{", b"\xff\xfe<\0", b"From: x\n\n"):
            outcomes = parse_all(start + rng.randbytes(size))
            assert all(isinstance(outcome, Refusal) for outcome in outcomes)
