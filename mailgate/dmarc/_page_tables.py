"""The tables of the page, and how a number, a share, a class and a pair of days are written in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mailgate.dmarc._charts import share_bar
from mailgate.dmarc._text import escaped, many

CLASSES = {
    "unauthenticated": (
        "✗",
        "unauthenticated",
        "neither DKIM nor SPF passed for any domain: forged, or a sender that nobody has set up",
    ),
    "misaligned": (
        "≠",
        "misaligned",
        "DKIM or SPF passed, but not in alignment with the From domain: usually a service to be set up",
    ),
    "forwarded_like": (
        "↪",
        "forwarded",
        "DKIM passed while SPF passed for nobody, or the receiver says that it was forwarded or from a list",
    ),
    "pass": ("✓", "pass", "DMARC passed"),
}
_SOURCE_COLUMNS = (
    "source", "class", "messages", "failed", "passed", "sends as", "authenticated as", "seen", "reporters",
)  # fmt: skip
_MAX_ROWS = 12
_MAX_SOURCES = 10


def number(name: str, value: int) -> str:
    """A number of the view, for people and for tests."""
    return f'<data class="{name}" value="{value}">{value:,}</data>'


def percent(rate: float | None) -> str:
    """A rate of the view."""
    return "no mail" if rate is None else f"{rate:.1%}" if rate != 1 else "100%"


def share(part: int, whole: int) -> str:
    """A part in per cent, never rounded up to all."""
    if not whole:
        return "–"
    return "100%" if part == whole else f"{min(part / whole, 0.999):.1%}"


def table(head: str, rows: Iterable[Iterable[str]], css: str = "") -> str:
    """head: its cells. rows: lists of cells."""
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    attribute = f' class="{css}"' if css else ""
    return f"<table{attribute}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def listing(title: str, head: str, rows: list[list[str]]) -> str:
    """A card with a table, the rows beyond the first few folded away; "" without rows."""
    if not rows:
        return ""
    shown, rest = rows[:_MAX_ROWS], rows[_MAX_ROWS:]
    more = f"<details><summary>{many(len(rest), 'more row')}</summary>{table(head, rest)}</details>" if rest else ""
    return f'<div class="card"><h3>{escaped(title)}</h3><div class="scroll">{table(head, shown)}</div>{more}</div>'


def source_table(title: str, css: str, sources: Sequence[Mapping[str, Any]]) -> str:
    """A card with one row a source; on a phone each row becomes a block."""
    if not sources:
        return ""
    numeric = {"messages", "failed", "passed", "reporters"}
    head = "".join(f"<th{' class=n' if column in numeric else ''}>{column}</th>" for column in _SOURCE_COLUMNS)
    rows = [_source(source, _SOURCE_COLUMNS) for source in sources]
    shown, rest = rows[:_MAX_SOURCES], rows[_MAX_SOURCES:]
    more = ""
    if rest:
        words, folded = many(len(rest), "more row"), table(head, rest, "cards")
        more = f'<details><summary>{words}</summary><div class="scroll">{folded}</div></details>'
    return (
        f'<div class="card {css}"><h3>{title}</h3><div class="scroll">{table(head, shown, "cards")}</div>{more}</div>'
    )


def _source(source: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    messages, passed = source["messages"], source["pass"]
    failed = messages - passed
    name = f"<small>{escaped(source['name'])}</small>" if source.get("name") else ""
    ip = escaped(source["ip"]) if "sources" not in source else f"{source['sources']:,} others"
    known = [*source.get("dkim_domains", ()), *source.get("spf_domains", ())]
    words = f"{passed:,} of {messages:,} messages passed"
    bar = share_bar((("pass", passed), ("fail", failed)), messages, "bar", words)
    cells = (
        ("ip", f"{ip}{name}"),
        ("", badge(source["class"])),
        ("n half", number("messages", messages)),
        ("n half", number("failed", failed)),
        ("n graph", f"<span>{share(passed, messages)}{bar}</span>"),
        ("wrap", escaped(", ".join(source.get("header_from", ())) or "–")),
        ("wrap", escaped(", ".join(dict.fromkeys(known)) or "–")),
        ("day", days_seen(source)),
        ("n", f"{source['orgs']:,}" if source.get("orgs") else "–"),
    )
    return [
        f'<td class="{css}" data-label="{label}">{content}</td>' if css else f'<td data-label="{label}">{content}</td>'
        for (css, content), label in zip(cells, columns, strict=True)
    ]


def days_seen(seen: Mapping[str, Any]) -> str:
    """First and last day, each unbroken."""
    first, last = escaped(seen["first"]), escaped(seen["last"])
    return f"<b>{first}</b>" if first == last else f"<span><b>{first}</b> <b>– {last}</b></span>"


def badge(kind: str | None) -> str:
    """The sign and the word of a class."""
    if kind is None:
        return "–"
    sign, word, _ = CLASSES[kind]
    return f'<span class="badge {kind}"><span aria-hidden="true">{sign}</span> {word}</span>'
