"""How much of a hostile report is taken on; every number can be changed, none can be switched off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one input. At a limit is allowed, above it is a refusal (a result list is cut, cells go to `other`).

    max_bytes: the input itself (`too_large`).
    max_unpacked_bytes: everything unpacked from one input; the largest report seen in the wild had 130 MB
    (`archive_too_large`).
    max_ratio, ratio_from_bytes: unpacked to packed size, judged beyond so many unpacked bytes; real reports pack
    10 to 40 to one (`archive_too_large`).
    max_members: entries of a zip archive, attachments of a mail (`archive_too_many_members`).
    max_mail_depth: multiparts and messages inside one another (`too_deep`).
    max_element_depth: XML elements inside one another; the schema needs 6 (`too_deep`).
    max_elements: XML elements in one record or other child of `feedback` (`too_many_elements`).
    max_field_bytes: the text of one element (`field_too_long`). max_token_bytes: one tag, comment or the like
    (`token_too_long`).
    max_results: DKIM and SPF results kept of one record; RFC 9990 3.1.3 asks for no more than 100.
    max_cells, max_facets: distinct (facet, source) pairs and distinct facets of one report in the rollup.
    max_json_bytes: one TLS report (`too_large`).
    """

    max_bytes: int = 256 * MIB
    max_unpacked_bytes: int = 256 * MIB
    max_ratio: int = 200
    ratio_from_bytes: int = MIB
    max_members: int = 100
    max_mail_depth: int = 20
    max_element_depth: int = 32
    max_elements: int = 5_000
    max_field_bytes: int = 64 * 1024
    max_token_bytes: int = MIB
    max_results: int = 100
    max_cells: int = 250_000
    max_facets: int = 20_000
    max_json_bytes: int = 8 * MIB

    def __post_init__(self) -> None:
        for name, value in self.to_dict().items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} is a positive integer, not {value!r}")

    def to_dict(self) -> dict[str, int]:
        """The record as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Limits:
        """Read what `to_dict` wrote."""
        return cls(**data)


DEFAULT_LIMITS = Limits()
