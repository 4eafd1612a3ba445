"""One record, one header: which text stands where, and what it means."""

from __future__ import annotations

import pickle
import re

import pytest

from mailgate.dmarc import AggregateReport, Limits, parse, parse_all
from mailgate.dmarc._facet import domain_key, message_count, source_address
from mailgate.dmarc._shape import MAX_CHARACTERS
from mailgate.records import ParseError
from tests.support.dmarc_reports import record, report, zipped

ONLY_EXPAT = Limits(max_field_bytes=MAX_CHARACTERS - 1)

FULL = """<?xml version="1.0"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
 <version>1.0</version>
 <report_metadata>
  <org_name> Example &amp; Söhne </org_name><email>dmarc@mail.example</email>
  <extra_contact_info lang="en">https://mail.example/dmarc</extra_contact_info>
  <report_id>&lt;1721054318-example.com@mail.example&gt;</report_id>
  <date_range><begin>1735689600</begin><end>1735775999</end></date_range>
  <error lang="en">sp is odd</error><error/><generator>agg 1.2</generator>
 </report_metadata>
 <policy_published>
  <domain>Example.COM</domain><discovery_method>treewalk</discovery_method><p>Reject</p><sp>quarantine</sp><np>none</np>
  <fo>1:d:s</fo><adkim>s</adkim><aspf>r</aspf><testing>n</testing>
 </policy_published>
 <extension><x:a xmlns:x="urn:x"><x:record><x:count>9</x:count></x:record></x:a></extension>
 <record>
  <row><source_ip>2001:DB8::1</source_ip><count>3</count>
   <policy_evaluated><disposition>pass</disposition><dkim>pass</dkim><spf>fail</spf>
    <reason><type>local_policy</type><comment lang="en">arc=pass</comment></reason>
    <reason><type>Mailing_List</type></reason><reason/>
   </policy_evaluated></row>
  <identifiers><header_from>News.Example.com</header_from><envelope_from/><envelope_to>there.example</envelope_to></identifiers>
  <auth_results>
   <dkim><domain>example.com</domain><selector>s1</selector><result>PASS</result><human_result>ok</human_result></dkim>
   <dkim><domain>esp.example</domain><result>hardfail</result></dkim>
   <spf><domain>bounce.example</domain><scope>mfrom</scope><result>softfail</result></spf>
   <spf><domain>helo.example</domain><scope>helo</scope><result/></spf>
  </auth_results>
  <y:seen xmlns:y="urn:y"><y:row/></y:seen>
 </record>
</feedback>""".encode()


def read(data: bytes, limits: Limits = Limits()) -> AggregateReport:  # noqa: B008 - frozen
    found = parse(data, limits=limits)
    assert isinstance(found, AggregateReport)
    return found


def test_every_field_of_both_schemas_is_read() -> None:
    found = read(FULL)
    assert found.org_name == "Example & Söhne"
    assert found.report_id == "<1721054318-example.com@mail.example>"
    assert (found.email, found.extra_contact_info) == ("dmarc@mail.example", "https://mail.example/dmarc")
    assert (found.errors, found.generator, found.version) == (("sp is odd",), "agg 1.2", "1.0")
    assert found.policy_published.to_dict() == {
        "p": "reject", "sp": "quarantine", "np": "none", "pct": None, "adkim": "s", "aspf": "r", "fo": "1:d:s",
        "testing": "n", "discovery_method": "treewalk",
    }  # fmt: skip
    (row,) = found.rows
    assert (row.source_ip, row.count, row.disposition) == ("2001:db8::1", 3, "pass")
    assert (row.dkim_aligned, row.spf_aligned, row.dmarc_pass) == (True, False, True)
    assert [(r.type, r.comment) for r in row.reasons] == [
        ("local_policy", "arc=pass"),
        ("mailing_list", None),
        ("unspecified", None),
    ]
    assert (row.header_from, row.envelope_from, row.envelope_to) == ("news.example.com", None, "there.example")
    assert [(d.domain, d.selector, d.result, d.word, d.human_result) for d in row.dkim_results] == [
        ("example.com", "s1", "pass", "pass", "ok"),
        ("esp.example", None, "hardfail", "other", None),
    ]
    assert [(s.domain, s.scope, s.result, s.word) for s in row.spf_results] == [
        ("bounce.example", "mfrom", "softfail", "softfail"),
        ("helo.example", "helo", "", "other"),
    ]
    assert found.defects == ("namespace", "unspecified_reason")


def test_the_summary_adds_rows_up() -> None:
    said = read(FULL).summary()
    assert said["reasons"] == {"local_policy": 3, "mailing_list": 3, "unspecified": 3}
    assert (said["messages"], said["dmarc_pass"], said["dkim_aligned"], said["spf_aligned"]) == (3, 3, 3, 0)
    assert (said["disposition"], said["dkim_results"], said["source_ips"]) == ({"pass": 3}, 2, 1)


def test_a_reason_given_twice_counts_its_messages_once() -> None:
    given = b"<reason><type>forwarded</type></reason>"
    data = report([record(count=7)]).replace(b"</policy_evaluated>", given + given + b"</policy_evaluated>")
    data = data.replace(b">forwarded<", b">Forwarded<", 1)
    assert read(data).summary()["reasons"] == {"forwarded": 7}


def test_records_survive_json_and_pickle() -> None:
    found = read(FULL)
    assert AggregateReport.from_dict(found.to_dict()) == found
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("before", "after", "name", "value"),
    [
        ("<p>none</p>", "<p>nil</p>", "p", None),
        ("<p>none</p>", "<p>QUARANTINE</p>", "p", "quarantine"),
        ("<sp>none</sp>", "<sp>nil</sp>", "sp", None),
        ("<pct>100</pct>", "<pct>101</pct>", "pct", None),
        ("<pct>100</pct>", "<pct>5</pct>", "pct", 5),
        ("<pct>100</pct>", "<pct>1_0</pct>", "pct", None),
        ("<adkim>r</adkim>", "<adkim>strict</adkim>", "adkim", None),
        ("<np>none</np>", "<fo>1:x</fo>", "fo", None),
        ("<np>none</np>", "<testing>yes</testing>", "testing", None),
    ],
)
def test_policy_words_that_are_illegal_are_none_and_named(before: str, after: str, name: str, value: object) -> None:
    found = read(report().replace(before.encode(), after.encode()))
    assert getattr(found.policy_published, name) == value
    assert ("bad_policy_value" in found.defects) == (value is None)


def test_an_empty_policy_word_is_named_too() -> None:
    assert "empty_policy_value" in read(report().replace(b"<sp>none</sp>", b"<sp/>")).defects


@pytest.mark.parametrize(
    ("before", "after", "defect"),
    [
        (b"identifiers>", b"identities>", "identities_alias"),
        (b"date_range>", b"data_range>", "data_range_alias"),
        (b"<org_name>google.com</org_name>", b"<org_name/>", "missing_org_name"),
        (b"<header_from>example.com</header_from>", b"", "missing_header_from"),
        (b"<dkim>pass</dkim>", b"", "missing_alignment_result"),
        (b"<spf>pass</spf>", b"<spf/>", "missing_alignment_result"),
        (b"<spf>pass</spf>", b"<spf>softfail</spf>", None),
    ],
)
@pytest.mark.parametrize("limits", [Limits(), ONLY_EXPAT], ids=["shapes", "Expat"])
def test_known_deviations_are_read_and_named(before: bytes, after: bytes, defect: str | None, limits: Limits) -> None:
    found = read(report([record(count=7)]).replace(before, after), limits)
    assert (found.messages, found.rows[0].header_from) == (7, "example.com")
    assert found.defects == (() if defect is None else (defect,))


@pytest.mark.parametrize(
    "extra",
    [
        b"<row><source_ip>192.0.2.2</source_ip><count>4</count></row>",
        b"<row/>",
    ],
)
def test_a_record_with_two_rows_cannot_be_counted(extra: bytes) -> None:
    found = read(report([record(count=7)]).replace(b"<record>", b"<record>" + extra))
    assert (found.records, found.messages) == (1, 0)


@pytest.mark.parametrize("element", [b"<count>7</count>", b"<source_ip>192.0.2.1</source_ip>"])
def test_a_row_that_says_a_number_twice_cannot_be_counted(element: bytes) -> None:
    assert read(report([record(count=7)]).replace(element, element * 2)).messages == 0


@pytest.mark.parametrize("limits", [Limits(), ONLY_EXPAT], ids=["shapes", "Expat"])
@pytest.mark.parametrize("element", [b"<count><foo/></count>", b"<source_ip><foo/></source_ip>"])
def test_a_number_beside_an_element_of_its_name_cannot_be_counted(element: bytes, limits: Limits) -> None:
    assert read(report([record(count=7)]).replace(b"<row>", b"<row>" + element), limits).messages == 0


@pytest.mark.parametrize("limits", [Limits(), ONLY_EXPAT], ids=["shapes", "Expat"])
@pytest.mark.parametrize(
    "other",
    [b"<record></record>", b"<record>records</record>", b"<record><row></row></record>", b"<!--<record></record>-->"],
)
@pytest.mark.parametrize("place", [b"</p>", b"</policy_published>", b"</org_name>"])
def test_what_looks_like_a_record_elsewhere_hides_no_record(place: bytes, other: bytes, limits: Limits) -> None:
    data = report([record(count=7)]).replace(b"<feedback>", b'<feedback xmlns:d="urn:x">')
    data = data.replace(b"<record>", b"<d:record>").replace(b"</record>", b"</d:record>")
    assert read(data.replace(place, other + place), limits).messages == 7


@pytest.mark.parametrize("limits", [Limits(), ONLY_EXPAT], ids=["shapes", "Expat"])
def test_a_second_element_of_a_kind_takes_nothing_away_from_the_first(limits: Limits) -> None:
    data = report([record(count=7, dkim="pass", header_from="news.example.com")])
    twice = data.replace(b"</row>", b"<policy_evaluated><dkim>fail</dkim></policy_evaluated></row>")
    twice = twice.replace(
        b"</record>",
        b"<identifiers><header_from>other.example</header_from><envelope_to>b.example</envelope_to></identifiers>"
        b"</record>",
    )
    (row,) = read(twice, limits).rows
    (alone,) = read(data, limits).rows
    assert (row.dkim, row.spf, row.disposition) == (alone.dkim, alone.spf, alone.disposition)
    assert (row.header_from, row.envelope_to) == ("news.example.com", "b.example")


def test_an_element_where_text_belongs_is_no_text() -> None:
    assert read(report([record(count=7)]).replace(b"<count>7", b"<count>7<x/>1")).messages == 0


def test_results_above_the_limit_are_counted_and_not_kept() -> None:
    data = report([record(dkims=(("example.com", "s1", "pass"),) * 130)])
    found = read(data)
    assert (len(found.rows[0].dkim_results), found.dkim_results) == (100, 130)
    assert len(read(data, Limits(max_results=5)).rows[0].dkim_results) == 5


def test_parse_gives_none_for_other_things_and_refuses_two_reports() -> None:
    assert parse(b"Subject: hello\n\nhi") is None
    assert parse(b"PK\x05\x06" + b"\0" * 18) is None
    with pytest.raises(ParseError, match="xml_not_wellformed") as caught:
        parse(b"<feedback>")
    assert caught.value.offset == 10
    with pytest.raises(ParseError, match="several_reports"):
        parse(two_reports())
    assert len(parse_all(two_reports())) == 2


def two_reports() -> bytes:
    return zipped({"a": report(report_id="a"), "b": report(report_id="b")})


def test_limits_are_positive_numbers() -> None:
    with pytest.raises(ValueError, match="max_bytes"):
        Limits(max_bytes=0)
    assert Limits.from_dict(Limits(max_members=5).to_dict()) == Limits(max_members=5)
    assert parse_all(report(), limits=Limits(max_bytes=len(report())))[0].defects == ()  # type: ignore[union-attr]
    assert parse_all(report(), limits=Limits(max_bytes=len(report()) - 1))[0].error == "too_large"  # type: ignore[union-attr]


def test_small_readers() -> None:
    assert source_address("192.0.2.256") is None
    assert message_count("12") == 12
    assert (domain_key("MÜNCHEN.example."), domain_key(None)) == ("xn--mnchen-3ya.example", "")
    assert len(domain_key("x" * 5_000)) == 255


def test_whitespace_between_elements_means_nothing() -> None:
    text = report([record(count=7), record(source_ip="192.0.2.9")]).decode()
    minified = re.sub(r">\s+<", "><", text)
    windows = text.replace("\n", "\r\n")
    assert read(minified.encode()) == read(text.encode()) == read(windows.encode())
