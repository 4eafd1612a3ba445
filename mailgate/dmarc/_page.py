"""The view as one self-contained HTML page: no script, no request, readable on a phone, in the dark and without colour.

Each number that stands in the view stands on the page in a `data` element, so that a test can compare them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mailgate.dmarc._charts import OUTCOMES, TLS_OUTCOMES, bars_of, legend, patterns, share_bar, stacked
from mailgate.dmarc._page_style import STYLE
from mailgate.dmarc._page_tables import CLASSES, badge, days_seen, listing, number, percent, share, source_table, table
from mailgate.dmarc._text import escaped, many

_ANSWERS = {
    "stay": ("bad", "Stay at p={current}"),
    "quarantine": ("good", "Ready for p=quarantine"),
    "reject": ("good", "Ready for p=reject"),
    "not_enough_evidence": ("wait", "Not enough evidence yet to leave p={current}"),
}
_AT_THE_TOP = ("good", "At p=reject, the strictest policy")
_CLASS_OUTCOMES = (("pass", "pass"), ("forwarded_like", "dkim"), ("misaligned", "spf"), ("unauthenticated", "fail"))


def page(view: Mapping[str, Any], *, title: str | None = None, made_at: str | None = None) -> str:
    """A whole HTML document. view: as `view` gives it, sources named or not (see `name_sources`).

    title: the heading; the domains by default. made_at: a time to put at the foot; none by default, so that the same
    view gives the same page.
    """
    domains, tls = view["domains"], view["tls"]
    heading = title or _heading(list(domains) or list(tls))
    sections = [_domain(name, domains[name]) for name in _worst_first(domains)]
    sections += [_tls(name, found) for name, found in tls.items()]
    if not sections:
        sections = ['<section class="card"><p>No report has been read yet.</p></section>']
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<link rel="icon" href="data:,">\n'
        f"<title>{escaped(heading)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{patterns()}\n"
        f'<header class="top"><h1>{escaped(heading)}</h1>{_period(view)}{_contents(view)}</header>\n'
        f"<main>\n{chr(10).join(sections)}\n</main>\n{_foot(view, made_at)}\n</body>\n</html>\n"
    )


def _heading(domains: list[str]) -> str:
    if len(domains) == 1:
        return f"Who sends as {domains[0]}"
    return f"Who sends as your {len(domains)} domains" if domains else "DMARC reports"


def _period(view: Mapping[str, Any]) -> str:
    if view["from"] is None:
        return ""
    days = f"{view['from']} to {view['to']}" if view["from"] != view["to"] else view["from"]
    reports = f"DMARC reports: {number('reports', view['reports'])}"
    if view["tls_reports"]:
        reports += f" · TLS reports: {number('tls_reports', view['tls_reports'])}"
    return f'<p class="soft">{escaped(days)} · {reports}</p>'


def _contents(view: Mapping[str, Any]) -> str:
    """Links to the domains, when there are several; those with the most failures first."""
    domains = view["domains"]
    if len(domains) + len(view["tls"]) < 2:
        return ""
    items = [
        f'<li><a href="#{_anchor("d", name)}">{escaped(name)} '
        f'<span class="soft">{percent(domains[name]["rate"])}</span></a></li>'
        for name in _worst_first(domains)
    ]
    items += [f'<li><a href="#{_anchor("t", name)}">TLS: {escaped(name)}</a></li>' for name in view["tls"]]
    return f'<nav aria-label="Domains"><ul>{"".join(items)}</ul></nav>'


def _worst_first(domains: Mapping[str, Any]) -> list[str]:
    return sorted(domains, key=lambda name: (domains[name]["dmarc_pass"] - domains[name]["messages"], name))


def _anchor(kind: str, name: str) -> str:
    return escaped(f"{kind}-{name}".replace(" ", "_"))


def _domain(name: str, found: Mapping[str, Any]) -> str:
    parts = [
        f'<section id="{_anchor("d", name)}" data-domain="{escaped(name)}"><h2>{escaped(name)}</h2>',
        _readiness(found["readiness"]),
        _tiles(found),
        _by_day(found),
        _sources(found),
        '<div class="columns">',
        _classes(found),
        _ranking("Reporting organisations", "organisation", found["by_org"], found["outliers"]),
        _ranking("Names in From", "From domain", found["by_header_from"]),
        _words("DKIM keys", "domain / selector", found["by_selector"]),
        _words("SPF domains", "domain", found["by_spf_domain"]),
        _dispositions(found),
        _policies(found["policy_seen"]),
        "</div></section>",
    ]
    return "\n".join(filter(None, parts))


def _readiness(found: Mapping[str, Any]) -> str:
    tone, words = _ANSWERS[found["answer"]]
    if found["target"] is None:
        tone, words = _AT_THE_TOP
    window = found["window"]
    items = "".join(
        f'<li class="{kind}" data-code="{escaped(item["code"])}"><span class="sign" aria-hidden="true">{sign}</span>'
        f"{label}{escaped(item['text'])}{_named(item)}</li>"
        for kind, sign, label in (("blockers", "✗", ""), ("warnings", "▲", "Note: "), ("advice", "•", "Advice: "))
        for item in found[kind]
    )
    evidence = (
        f"Evidence: {window['from']} to {window['to']}, data for {many(window['days_with_data'], 'day')} from "
        f"{many(window['reporters'], 'organisation')}, {many(window['messages'], 'message')}, "
        f"{share(window['pass'], window['messages'])} passed"
    )
    return (
        f'<div class="card answer {tone}" data-answer="{escaped(found["answer"])}"><h3>'
        f"{escaped(words.format(current=found['current']))}</h3>"
        f'<p class="small">{escaped(evidence)}</p>{f"<ul>{items}</ul>" if items else ""}</div>'
    )


def _named(item: Mapping[str, Any]) -> str:
    """The first few sources or names that a finding is about."""
    named = item.get("sources") or item.get("subdomains") or []
    if not named:
        return ""
    words = [f"{one.get('ip') or one.get('name')} ({one['pass']:,} of {one['messages']:,} passed)" for one in named[:4]]
    more = f", and {len(named) - 4} more" if len(named) > 4 else ""
    return f'<br><span class="small soft">{escaped(", ".join(words) + more)}</span>'


def _tiles(found: Mapping[str, Any]) -> str:
    messages = found["messages"]
    failed = messages - found["dmarc_pass"]
    tiles = (
        ("Messages", number("messages", messages), f"in {many(found['reports'], 'report')}"),
        ("Passed DMARC", number("dmarc_pass", found["dmarc_pass"]), percent(found["rate"])),
        ("Failed", number("failed", failed), share(failed, messages)),
        ("DKIM aligned", number("dkim_aligned", found["dkim_aligned"]), share(found["dkim_aligned"], messages)),
        ("SPF aligned", number("spf_aligned", found["spf_aligned"]), share(found["spf_aligned"], messages)),
        ("Sources", number("source_ips", found["source_ips"]), f"told by {many(len(found['by_org']), 'organisation')}"),
    )
    items = "".join(f'<div class="tile"><dt>{a}</dt><dd>{b}<small>{escaped(c)}</small></dd></div>' for a, b, c in tiles)
    return f'<dl class="tiles">{items}</dl>'


def _day_parts(counts: Sequence[int]) -> tuple[int, int, int, int]:
    messages, passed, dkim, spf = counts
    both = dkim + spf - passed
    return both, dkim - both, spf - both, messages - passed


def _by_day(found: Mapping[str, Any]) -> str:
    unit, bars = bars_of({day: _day_parts(counts) for day, counts in found["by_day"].items()})
    title = f"Messages by {unit} and outcome"
    rows = [
        [f"<th scope=row>{bar.label}</th>", *(f'<td class="n">{part:,}</td>' for part in (bar.total, *bar.parts))]
        for bar in bars
    ]
    head = f"<th>{unit}</th>" + "".join(
        f'<th class="n">{escaped(words)}</th>' for words in ("messages", *(words for _, words in OUTCOMES))
    )
    return (
        f'<div class="card by-day"><h3>{title}</h3>{legend(OUTCOMES)}{stacked(bars, OUTCOMES, title)}'
        f'<details><summary>The same as numbers</summary><div class="scroll">{table(head, rows)}</div></details></div>'
    )


def _sources(found: Mapping[str, Any]) -> str:
    """Two tables: who fails, and who sends most."""
    named = [source for source in found["sources"] if "sources" not in source]
    rest = [source for source in found["sources"] if "sources" in source]
    failing = [source for source in named if source["pass"] < source["messages"]]
    largest = sorted(named, key=lambda source: (-source["messages"], source["ip"]))
    return source_table("Sources that fail, most failures first", "failing", failing) + source_table(
        "Largest sources", "largest", largest + rest
    )


def _classes(found: Mapping[str, Any]) -> str:
    classes, messages = found["classes"], found["messages"]
    parts = [(outcome, classes[kind]) for kind, outcome in _CLASS_OUTCOMES]
    words = ", ".join(f"{classes[kind]:,} {CLASSES[kind][1]}" for kind, _ in _CLASS_OUTCOMES)
    rows = [
        [
            f"<td>{badge(kind)}</td>",
            f'<td class="n">{number(f"class-{kind}", classes[kind])}</td>',
            f'<td class="n">{share(classes[kind], messages)}</td>',
        ]
        for kind, _ in _CLASS_OUTCOMES
    ]
    rules = "".join(f"<p class=small>{badge(kind)} {escaped(CLASSES[kind][2])}.</p>" for kind, _ in _CLASS_OUTCOMES)
    return (
        f'<div class="card"><h3>What kind of mail</h3>{share_bar(parts, messages, "split", words)}'
        f"{table('<th>class</th><th class=n>messages</th><th class=n>share</th>', rows)}"
        f"<details><summary>What the classes mean</summary>{rules}</details></div>"
    )


def _ranking(title: str, column: str, sums: Mapping[str, Sequence[int]], marked: Sequence[str] = ()) -> str:
    rows = []
    for name, counts in sums.items():
        note = ' <span class="small soft">(claims almost all mail: look twice)</span>' if name in marked else ""
        cells = [f'<td class="wrap">{escaped(name)}{note}</td>', f'<td class="n">{counts[0]:,}</td>']
        rows.append([*cells, *(f'<td class="n">{share(count, counts[0])}</td>' for count in counts[1:])])
    head = f"<th>{column}</th><th class=n>messages</th><th class=n>passed</th><th class=n>DKIM</th><th class=n>SPF</th>"
    return listing(title, head, rows)


def _words(title: str, column: str, sums: Mapping[str, Mapping[str, int]]) -> str:
    rows = []
    for name, words in sums.items():
        total = sum(words.values())
        others = ", ".join(f"{count:,} {word}" for word, count in words.items() if word != "pass")
        rows.append(
            [
                f'<td class="wrap">{escaped(name)}</td>',
                f'<td class="n">{total:,}</td>',
                f'<td class="n">{share(words.get("pass", 0), total)}</td>',
                f'<td class="wrap">{escaped(others or "–")}</td>',
            ]
        )
    head = f"<th>{column}</th><th class=n>messages</th><th class=n>passed</th><th>other results</th>"
    return listing(title, head, rows)


def _dispositions(found: Mapping[str, Any]) -> str:
    sums: list[tuple[str, str, int]] = [("disposition", name, count) for name, count in found["disposition"].items()]
    sums += [("reason", name, count) for name, count in found["reasons"].items()]
    rows = [
        [f"<td>{kind}</td>", f'<td class="wrap">{escaped(name)}</td>', f'<td class="n">{count:,}</td>']
        for kind, name, count in sums
    ]
    return listing("What receivers did, and why", "<th></th><th>word</th><th class=n>messages</th>", rows)


def _policies(policies: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for policy in policies:
        words = "; ".join(
            f"{name}={value}" for name, value in policy.items() if value is not None and name not in ("first", "last")
        )
        rows.append([f'<td class="wrap">{escaped(words or "none")}</td>', f'<td class="day">{days_seen(policy)}</td>'])
    return listing("Policy that receivers saw", "<th>policy</th><th>seen</th>", rows)


def _tls(name: str, found: Mapping[str, Any]) -> str:
    success, failure = found["success"], found["failure"]
    _, bars = bars_of({day: (counts[0], counts[1]) for day, counts in found["by_day"].items()})
    title = "TLS sessions by time and outcome"
    tiles = (
        ("Sessions", number("sessions", success + failure), percent(found["rate"])),
        ("Over TLS", number("success", success), "as the policy asks"),
        ("Failed", number("failure", failure), share(failure, success + failure)),
    )
    items = "".join(f'<div class="tile"><dt>{a}</dt><dd>{b}<small>{escaped(c)}</small></dd></div>' for a, b, c in tiles)
    return "\n".join(
        (
            f'<section id="{_anchor("t", name)}" data-tls="{escaped(name)}"><h2>TLS to {escaped(name)}</h2>',
            f'<dl class="tiles">{items}</dl>',
            f'<div class="card"><h3>{title}</h3>{legend(TLS_OUTCOMES)}{stacked(bars, TLS_OUTCOMES, title)}</div>',
            '<div class="columns">',
            listing("Why sessions failed", "<th>result</th><th class=n>sessions</th>", _counts(found["result_types"])),
            _pairs("By policy type", "type", found["by_type"]),
            _pairs("By reporter", "organisation", found["by_org"]),
            "</div></section>",
        )
    )


def _counts(sums: Mapping[str, int]) -> list[list[str]]:
    return [[f'<td class="wrap">{escaped(name)}</td>', f'<td class="n">{count:,}</td>'] for name, count in sums.items()]


def _pairs(title: str, column: str, sums: Mapping[str, Sequence[int]]) -> str:
    rows = [
        [f'<td class="wrap">{escaped(name or "–")}</td>', *(f'<td class="n">{count:,}</td>' for count in counts)]
        for name, counts in sums.items()
    ]
    return listing(title, f"<th>{column}</th><th class=n>over TLS</th><th class=n>failed</th>", rows)


def _foot(view: Mapping[str, Any], made_at: str | None) -> str:
    lines: list[str] = []

    def line(words: str, found: Any, describe: Callable[[Any], str] = str) -> None:
        if found:
            lines.append(f"<p>{words}: {escaped(describe(found))}</p>")

    def counts(found: Mapping[str, int]) -> str:
        return ", ".join(f"{name} {count:,}" for name, count in found.items())

    def apart(found: Mapping[str, Mapping[str, int]]) -> str:
        return ", ".join(f"{name} ({item['messages']:,} messages)" for name, item in list(found.items())[:20])

    line("Copies of reports that were counted once", view["duplicates_ignored"])
    line("Reports with the same identity and other content (the larger one counts)", view["conflicts"])
    line("Refused, by reason", view["refused"], counts)
    line("Refused, by organisation", view["refused_by_org"], counts)
    line("Oddities read through, by reports", view["defects"], counts)
    line("Reports for other domains, not counted", view["foreign"], apart)
    line("Reports whose mail did not pass at our server, not counted", view["untrusted"], apart)
    line("Reports about the future, not counted", view["future"], apart)
    line("Made", made_at)
    return f'<footer class="small soft">{"".join(lines)}</footer>'
