"""Gzip and zip: what the standard library writes is read alike, whatever its shape."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.dmarc import Limits
from mailgate.dmarc._unpack import PIECE, Budget, gunzip, unzip, zip_members
from mailgate.records import ParseError

LIMITS = Limits(max_ratio=2_000)


def content(data: bytes) -> bytes:
    return b"".join(gunzip(data, Budget(LIMITS), 1))


def members(data: bytes) -> dict[str, bytes]:
    found = zip_members(data, LIMITS)
    return {member.name: b"".join(unzip(data, member, Budget(LIMITS), 1)) for member in found}


@given(st.lists(st.binary(max_size=2_000), min_size=1, max_size=5), st.integers(0, 9))
def test_gzip_members_are_joined(parts: list[bytes], level: int) -> None:
    packed = b"".join(gzip.compress(part, level) for part in parts)
    assert content(packed) == b"".join(parts)


@given(
    st.dictionaries(
        st.text("abc./äß", min_size=1, max_size=8).filter(lambda n: not n.endswith("/")), st.binary(max_size=500)
    ),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    st.binary(max_size=30),
    st.binary(max_size=30),
)
def test_zip_members_are_those_that_the_standard_library_wrote(
    files: dict[str, bytes], compression: int, before: bytes, comment: bytes
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.comment = comment.replace(b"PK", b"..")
        for name, data in files.items():
            archive.writestr(name, data)
    assert members(before.replace(b"PK", b"..") + buffer.getvalue()) == files


def test_zip64_and_streamed_zips_are_read() -> None:
    class Unseekable(io.RawIOBase):
        """What a program that writes to a pipe sees: sizes follow the data."""

        def __init__(self) -> None:
            self.written = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.written += data  # type: ignore[operator]
            return len(data)  # type: ignore[arg-type]

    for force in (False, True):
        target = Unseekable()
        with (
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,  # type: ignore[call-overload]
            archive.open("a.xml", "w", force_zip64=force) as member,
        ):
            member.write(b"hello" * 100)
        assert members(bytes(target.written)) == {"a.xml": b"hello" * 100}


def test_pieces_are_bounded() -> None:
    data = random.Random(1).randbytes(100) * 30_000
    assert max(map(len, gunzip(gzip.compress(data), Budget(LIMITS), 1))) <= PIECE
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", data)
    archived = buffer.getvalue()
    (member,) = zip_members(archived, LIMITS)
    assert max(map(len, unzip(archived, member, Budget(LIMITS), 1))) <= PIECE


def cuts(data: bytes) -> Iterator[bytes]:
    return (data[:end] for end in range(len(data)))


def test_every_cut_of_an_archive_is_corrupt_or_empty() -> None:
    packed = gzip.compress(b"hello" * 20)
    for cut in cuts(packed):
        with pytest.raises(ParseError, match="archive_corrupt"):
            content(cut)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"hello" * 20)
    for cut in cuts(buffer.getvalue()):
        with pytest.raises(ParseError, match="archive_corrupt"):
            members(cut)


def test_a_fault_says_where_it_lies() -> None:
    packed = gzip.compress(b"hello" * 20)
    with pytest.raises(ParseError) as caught:
        content(packed[:-3])
    assert caught.value.offset == len(packed) - 3


def test_many_tiny_gzip_members_are_refused() -> None:
    with pytest.raises(ParseError, match="archive_too_large"):
        content(gzip.compress(b"") * 10_001)
    assert content(gzip.compress(b"x") * 500) == b"x" * 500


def test_a_document_that_is_read_again_is_charged_once() -> None:
    budget = Budget(Limits(max_unpacked_bytes=100))
    packed = gzip.compress(b"x" * 80)
    assert list(gunzip(packed, budget, 1)) == list(gunzip(packed, budget, 1))
    with pytest.raises(ParseError, match="archive_too_large"):
        list(gunzip(packed, budget, 2))
