"""A DNS answer as a value: four outcomes, and nothing that could confuse them."""

import asyncio
import json
import pickle

import pytest

from mailgate.records import Lookup, LookupStatus, Resolve


@pytest.mark.parametrize(
    "lookup",
    [
        Lookup(
            name="example.com", rrtype="MX", status=LookupStatus.FOUND, values=("10 mx.example.com",), ttl_seconds=60
        ),
        Lookup(name="example.com", rrtype="MX", status=LookupStatus.FOUND, values=("0 .",), canonical_name="b.example"),
        Lookup(name="example.com", rrtype="A", status=LookupStatus.NODATA),
        Lookup(name="gone.example", rrtype="A", status=LookupStatus.NXDOMAIN, ttl_seconds=300),
        Lookup(name="example.com", rrtype="TXT", status=LookupStatus.TEMPFAIL, detail="servfail"),
    ],
    ids=str,
)
def test_answers_survive_dicts_and_pickles(lookup: Lookup) -> None:
    assert Lookup.from_dict(json.loads(json.dumps(lookup.to_dict()))) == lookup
    assert pickle.loads(pickle.dumps(lookup)) == lookup
    assert len({lookup, Lookup.from_dict(lookup.to_dict())}) == 1


def test_the_outcomes() -> None:
    """RFC 2308 2: no data is not no name; RFC 8020: no name means nothing below it."""
    assert [str(status) for status in LookupStatus] == ["found", "nodata", "nxdomain", "tempfail"]
    with pytest.raises(ValueError, match="servfail"):
        LookupStatus("servfail")


def test_any_coroutine_function_of_that_form_is_a_resolver() -> None:
    async def resolve(name: str, rrtype: str) -> Lookup:
        return Lookup(name=name, rrtype=rrtype, status=LookupStatus.NXDOMAIN)

    asker: Resolve = resolve
    assert asyncio.run(asker("example.com", "MX")).status is LookupStatus.NXDOMAIN
