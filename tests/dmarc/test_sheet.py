"""CSV that a spreadsheet reads and never runs."""

from __future__ import annotations

import csv
import io
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.dmarc import Networks, Rollup, name_sources, read, tls_to_csv, to_csv, view
from mailgate.dmarc._sheet import COLUMNS, TLS_COLUMNS, guarded
from tests.support.dmarc_reports import record, report, story, tls_report


def test_every_source_is_a_row_whose_sums_are_the_view_s() -> None:
    shown = view(reduce(Rollup.merge, map(read, story(days=5)), Rollup()))
    rows = list(csv.DictReader(io.StringIO(to_csv(shown))))
    assert tuple(rows[0]) == COLUMNS
    domain = shown["domains"]["example.com"]
    assert sum(int(row["messages"]) for row in rows) == domain["messages"]
    assert sum(int(row["fail"]) for row in rows) == domain["messages"] - domain["dmarc_pass"]
    assert rows[0]["ip"] == domain["sources"][0]["ip"]


def test_names_and_empty_rates() -> None:
    shown = name_sources(view(read(report([record(count=0)]))), Networks.parse("192.0.2.0/24 =ours"))
    (row,) = csv.DictReader(io.StringIO(to_csv(shown)))
    assert (row["name"], row["pass_rate"], row["class"]) == ("'=ours", "", "")


def test_tls_sessions_by_day() -> None:
    total = reduce(Rollup.merge, (read(tls_report(day, success=90, failure=10 * day)) for day in range(3)), Rollup())
    rows = list(csv.reader(io.StringIO(tls_to_csv(view(total)))))
    assert rows[0] == list(TLS_COLUMNS)
    assert rows[1:] == [
        ["example.com", "2025-01-01", "90", "0", "1.0000"],
        ["example.com", "2025-01-02", "90", "10", "0.9000"],
        ["example.com", "2025-01-03", "90", "20", "0.8182"],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "|cmd", "%x", "\uff1d1"])
def test_what_a_spreadsheet_takes_for_a_formula_is_guarded(text: str) -> None:
    assert guarded(text) == "'" + text.replace("\t", "\\t").replace("\r", "\\r")


@given(st.text())
def test_any_text_is_one_cell(text: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerow([guarded(text), "end"])
    read_back = next(csv.reader(io.StringIO(out.getvalue(), newline="")))
    assert len(read_back) == 2
    assert out.getvalue().removesuffix("\r\n").isprintable()
    assert not read_back[0].startswith(("=", "+", "-", "@"))
