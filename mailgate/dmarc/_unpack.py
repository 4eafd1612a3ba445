"""Gzip and zip, unpacked in pieces under a budget; nothing is ever written to disk.

A zip archive is read by its central directory, like every reader does that shows an archive to a person. The standard
`zipfile` is not used: it reads a directory of any length before it can be asked how long it is, stops at an empty
name (`ZipInfo.is_dir` of CPython 3.11), and ends in about ten kinds of exception, differing by version.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from mailgate.dmarc._limits import Limits
from mailgate.records import ParseError

PIECE = 256 * 1024
_FEED = 16 * 1024  # input given to zlib at once: bounds what it copies into `unused_data` at each member's end
_MAX_GZIP_MEMBERS = 10_000  # a blocked gzip of 129 MB has 2,000

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")

_END = struct.Struct("<4s4H2LH")  # end of central directory
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_COMMENT = 65_535

STORED, DEFLATED = 0, 8
_ENCRYPTED, _UTF8_NAME = 0x1, 0x800


class Budget:
    """Bytes unpacked from one input, over all its documents; a document that is read again counts once."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._by_document: dict[int, int] = {}
        self._total = 0

    def charge(self, document: int, unpacked: int, packed: int) -> None:
        """`document` has come to `unpacked` bytes out of `packed`; ParseError `archive_too_large` when over."""
        before = self._by_document.get(document, 0)
        if unpacked > before:
            self._by_document[document] = unpacked
            self._total += unpacked - before
        limits = self.limits
        if self._total > limits.max_unpacked_bytes:
            raise ParseError("archive_too_large", f"unpacks to more than {limits.max_unpacked_bytes} bytes")
        if unpacked > limits.ratio_from_bytes and unpacked > limits.max_ratio * packed:
            words = f"unpacks to more than {limits.max_ratio} times its size; real reports come to 10 to 40"
            raise ParseError("archive_too_large", words)


def gunzip(data: bytes, budget: Budget, document: int) -> Iterator[bytes]:
    """The content of a gzip file, all members joined (RFC 1952 2.2), in pieces of at most `PIECE` bytes.

    NULs and other bytes behind the last member are passed over. Raises ParseError: `archive_corrupt` (with the offset
    in the archive), `archive_too_large`.
    """
    at, unpacked = 0, 0
    for _ in range(_MAX_GZIP_MEMBERS):
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while not inflate.eof:
            piece, at = _inflate(inflate, data, at)
            if piece:
                unpacked += len(piece)
                budget.charge(document, unpacked, at)
                yield piece
            elif at >= len(data) and not inflate.eof:
                raise ParseError("archive_corrupt", "the gzip file ends before its content does", offset=len(data))
        at -= len(inflate.unused_data)
        while data[at : at + 1] == b"\0":
            at += 1
        if not data.startswith(GZIP_MAGIC, at):
            return
    raise ParseError("archive_too_large", f"more than {_MAX_GZIP_MEMBERS} gzip members")


def _inflate(inflate: zlib._Decompress, data: bytes, at: int) -> tuple[bytes, int]:
    """One piece, and how far the input has been taken in."""
    fresh = inflate.unconsumed_tail
    if not fresh:
        fresh = data[at : at + _FEED]
        at += len(fresh)
    try:
        return inflate.decompress(fresh, PIECE), at
    except zlib.error as error:
        raise ParseError("archive_corrupt", f"cannot be unpacked: {error}", offset=at - len(fresh)) from error


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One entry of the central directory. name: as written, for people only, never a path."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    start: int

    @property
    def is_folder(self) -> bool:
        """A name that ends in a slash (an empty name is a file)."""
        return self.name.endswith("/")


def zip_members(data: bytes, limits: Limits) -> list[ZipMember]:
    """The entries of a zip archive in the order of its directory.

    Raises ParseError: `archive_corrupt`, `archive_too_large` (more entries than `limits.max_members`).
    """
    at, end, shift = _directory(data)
    members: list[ZipMember] = []
    while at + _ENTRY.size <= end and data.startswith(b"PK\x01\x02", at):
        if len(members) == limits.max_members:
            raise ParseError("archive_too_large", f"more than {limits.max_members} members in the zip archive")
        (_, _, _, flags, method, _, _, crc, packed, size, name, extra, comment, _, _, _, start) = _ENTRY.unpack_from(
            data, at
        )
        name_at = at + _ENTRY.size
        extra_at = name_at + name
        at = extra_at + extra + comment
        if at > end:
            raise ParseError("archive_corrupt", "the zip directory ends inside an entry", offset=name_at)
        size, packed, start = _zip64(data[extra_at : extra_at + extra], size, packed, start)
        label = data[name_at:extra_at].decode("utf-8" if flags & _UTF8_NAME else "cp437", "replace")
        members.append(ZipMember(label, method, flags, crc, packed, size, start + shift))
    if not members and at < end:
        raise ParseError("archive_corrupt", "no entry where the zip directory should be", offset=at)
    return members


def _directory(data: bytes) -> tuple[int, int, int]:
    """Start and end of the central directory, and how far all offsets are off (bytes put before the archive)."""
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - _END.size - _MAX_COMMENT))
    if at < 0 or at + _END.size > len(data):
        raise ParseError("archive_corrupt", "the end of the zip archive is missing", offset=len(data))
    _, _, _, _, entries, size, start, _ = _END.unpack_from(data, at)
    end = at
    locator = at - _END64_LOCATOR.size
    if locator >= 0 and data.startswith(b"PK\x06\x07", locator) and 0xFFFFFFFF in (size, start, entries | 0xFFFF0000):
        end = data.rfind(b"PK\x06\x06", max(0, locator - _END64.size - 1_024), locator)
        if end < 0 or end + _END64.size > len(data):
            raise ParseError("archive_corrupt", "the zip64 end record is missing", offset=locator)
        size, start = _END64.unpack_from(data, end)[8:10]
    shift = end - size - start
    if shift < 0:
        raise ParseError("archive_corrupt", "the zip directory lies outside the archive", offset=at)
    return start + shift, end, shift


def _zip64(extra: bytes, size: int, packed: int, start: int) -> tuple[int, int, int]:
    """The three numbers, those of all ones taken from the zip64 extra field."""
    if 0xFFFFFFFF not in (size, packed, start):
        return size, packed, start
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            field = extra[at + 4 : at + 4 + length]
            numbers = iter(struct.unpack_from(f"<{len(field) // 8}Q", field))
            return (
                next(numbers, size) if size == 0xFFFFFFFF else size,
                next(numbers, packed) if packed == 0xFFFFFFFF else packed,
                next(numbers, start) if start == 0xFFFFFFFF else start,
            )
        at += 4 + length
    return size, packed, start


def unzip(data: bytes, member: ZipMember, budget: Budget, document: int) -> Iterator[bytes]:
    """The content of one member in pieces of at most `PIECE` bytes.

    Raises ParseError: `archive_corrupt` (encrypted, unknown method, wrong size or CRC, cut off), `archive_too_large`.
    """
    if member.flags & _ENCRYPTED:
        raise ParseError("archive_corrupt", "the zip member is encrypted", offset=member.start)
    if not data.startswith(b"PK\x03\x04", member.start) or member.start + _LOCAL.size > len(data):
        raise ParseError("archive_corrupt", "no zip member where the directory says", offset=member.start)
    local = _LOCAL.unpack_from(data, member.start)
    start = member.start + _LOCAL.size + local[9] + local[10]
    end = start + member.packed
    if end > len(data):
        raise ParseError("archive_corrupt", "the zip member is cut off", offset=len(data))
    if member.method == STORED:
        pieces: Iterator[bytes] = (data[i : min(i + PIECE, end)] for i in range(start, end, PIECE))
    elif member.method == DEFLATED:
        pieces = _inflate_raw(data, start, end)
    else:
        raise ParseError("archive_corrupt", f"zip method {member.method} is not read", offset=member.start)
    unpacked, crc = 0, 0
    for piece in pieces:
        unpacked += len(piece)
        crc = zlib.crc32(piece, crc)
        budget.charge(document, unpacked, member.packed)
        if unpacked > member.size:
            break
        yield piece
    if unpacked != member.size or crc != member.crc:
        raise ParseError("archive_corrupt", "the zip member has another size or CRC than stated", offset=member.start)


def _inflate_raw(data: bytes, at: int, end: int) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    while not inflate.eof:
        fresh = inflate.unconsumed_tail
        if not fresh:
            fresh = data[at : min(at + PIECE, end)]
            at += len(fresh)
        try:
            piece = inflate.decompress(fresh, PIECE)
        except zlib.error as error:
            raise ParseError("archive_corrupt", f"cannot be unpacked: {error}", offset=at - len(fresh)) from error
        if piece:
            yield piece
        elif at >= end and not inflate.unconsumed_tail and not inflate.eof:
            raise ParseError("archive_corrupt", "the zip member ends before its content does", offset=end)
