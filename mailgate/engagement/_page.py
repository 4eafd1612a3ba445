"""The statistics as one HTML page: no script, no request to anywhere, light and dark, from a phone to a wide screen."""

from __future__ import annotations

from datetime import date
from html import escape

from mailgate.engagement._chart import PARTS, bar, columns, nice_ceiling, number, single_bar, unit_of
from mailgate.engagement._page_style import STYLE
from mailgate.engagement._statistics import Row, Statistics, Tally

MAX_ROWS = 50
MAX_CLIENTS = 12

# Words for what the labels and signals say; a signal without an entry is shown as it is.
_REASONS = {
    "trap": "followed the invisible link",
    "burst": "asked for several links within seconds",
    "head": "asked for headers only",
    "prefetch": "said that it prefetches",
    "ua_scanner": "named itself a security scanner",
    "ip_machine": "came from a listed network",
    "ua_bot": "named itself a bot or previewer",
    "ua_library": "is a programming library",
    "apple_mpp": "Apple Mail Privacy Protection",
    "ua_missing": "did not say what it is",
}
_CLIENTS = {
    "gmail_proxy": "Gmail (image proxy)",
    "yahoo_proxy": "Yahoo Mail (image proxy)",
    "apple_mail_or_outlook": "Apple Mail or Outlook for Mac",
    "outlook": "Outlook",
    "internet_explorer": "Internet Explorer",
    "k9": "K-9 Mail",
    "em_client": "eM Client",
    "browser": "another browser",
    "mail_client": "another mail client",
    "other": "something else",
    "none": "unnamed",
}


def statistics_page(statistics: Statistics, *, title: str = "Opens and clicks", generated: date | None = None) -> str:
    """The whole page.

    generated: the day that the footer names; None names none. Every text from outside is escaped.
    """
    total = statistics.total
    days = sorted(statistics.by_day.items())
    opens = [(day, row.opens) for day, row in days]
    clicks = [(day, row.clicks) for day, row in days]
    unit = unit_of([day for day, _ in days])
    counts = f"{_count(len(statistics.by_message), 'message')} · {_count(statistics.events, 'request')} recorded"
    body = [
        f"<header><h1>{escape(title)}</h1><p class=soft>{_period([day for day, _ in days])} · {counts}</p></header>",
        _cards(total),
        _legend(),
        '<div class="pair">',
        _section("Opens", f"Recipients by {unit} of their first open", columns(opens, "Opens")),
        _section("Clicks", f"Recipients by {unit} of their first click", columns(clicks, "Clicks")),
        "</div>",
        _section("Messages", "Recipients of each message", _table(statistics, "message", opens=True)),
        _section("Streams", "The same, by kind of mail", _table(statistics, "stream", opens=True))
        if len(statistics.by_stream) > 1
        else "",
        _section("Links", "Recipients who followed each link", _table(statistics, "link", opens=False)),
        '<div class="pair">',
        _section("What people read with", "Recipients without machines", _clients(statistics)),
        _section("How machines were told", "Requests, by the reason that decided", _reasons(statistics)),
        "</div>",
        _footer(statistics, generated),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{''.join(body)}</main></body></html>\n"
    )


def _period(days: list[date]) -> str:
    if not days:
        return "no events"
    first, last = days[0].isoformat(), days[-1].isoformat()
    return first if first == last else f"{first} to {last}"


def _count(count: int, what: str) -> str:
    return f"{number(count)} {what}" if count == 1 else f"{number(count)} {what}s"


def _section(title: str, note: str, content: str) -> str:
    return f'<section><h2>{title}</h2><p class="note">{note}</p>{content}</section>'


def _cards(total: Row) -> str:
    requests = total.opens.requests + total.clicks.requests
    machines = total.opens.machine_requests + total.clicks.machine_requests
    share = f"{100 * machines / requests:.0f}" if requests else ""
    rate = f"{100 * total.clicks.unique / total.opens.unique:.1f}" if total.opens.unique else ""
    return (
        '<div class="cards">'
        + _tally_card("Opened", total.opens)
        + _tally_card("Clicked", total.clicks)
        + _card(
            "Click-to-open rate",
            _percentage(rate),
            single_bar(min(total.clicks.unique, total.opens.unique), total.opens.unique, "people", f"{rate or 0} %"),
            "clicked : opened, without machines",
        )
        + _card(
            "Requests by machines",
            _percentage(share),
            single_bar(machines, requests, "machines", f"{machines} of {requests} requests"),
            f"{number(machines)} of {number(requests)} requests",
        )
        + "</div>"
    )


def _percentage(figure: str) -> str:
    return f"{figure}<small> %</small>" if figure else "–"


def _tally_card(what: str, tally: Tally) -> str:
    values = [getattr(tally, part) for part in PARTS]
    return _card(
        f"{what}, without machines",
        number(tally.unique),
        bar(values, tally.with_machines, _spoken(values)),
        f"{number(tally.with_machines)} incl. machines",
    )


def _card(what: str, value: str, chart: str, detail: str) -> str:
    return (
        f'<div class="card"><p class="what">{what}</p><p class="value">{value}</p>{chart}'
        f'<p class="detail">{detail}</p></div>'
    )


def _legend() -> str:
    return (
        '<ul class="legend">'
        '<li><i class="people"></i><b>People</b> by all that the request tells</li>'
        '<li><i class="unclear"></i><b>Unclear</b> image proxies and programs that both use</li>'
        '<li><i class="machines"></i><b>Machines</b> scanners, prefetchers, bots</li></ul>'
    )


def _table(statistics: Statistics, group: str, *, opens: bool) -> str:
    ranked = statistics.ranked(group)
    if not ranked:
        return '<p class="none">Nothing yet.</p>'
    kinds = ("opens", "clicks") if opens else ("clicks",)
    scales = {
        kind: nice_ceiling(max(getattr(row, kind).with_machines for _, row in ranked[:MAX_ROWS])) for kind in kinds
    }
    heads = "".join(f"<th>{kind.capitalize()}</th><th class=n>without machines</th>" for kind in kinds)
    rows = []
    for (tenant, name), row in ranked[:MAX_ROWS]:
        cells = "".join(_tally_cells(kind, getattr(row, kind), scales[kind]) for kind in kinds)
        shown = escape(name) if name else "<small>(none)</small>"
        prefix = f"<small>{escape(tenant)} / </small>" if tenant else ""
        rows.append(f'<tr><td class="name" title="{escape(name)}">{prefix}{shown}</td>{cells}</tr>')
    rest = len(ranked) - MAX_ROWS
    more = f'<p class="none">and {number(rest)} more</p>' if rest > 0 else ""
    head = f"<thead><tr><th>{group.capitalize()}</th>{heads}</tr></thead>"
    return f'<table class="{"wide" if opens else "wide one"}">{head}<tbody>{"".join(rows)}</tbody></table>{more}'


def _tally_cells(kind: str, tally: Tally, scale: int) -> str:
    values = [getattr(tally, part) for part in PARTS]
    extra = f" <small>of {number(tally.with_machines)}</small>" if tally.machines else ""
    return (
        f'<td class="chart">{bar(values, scale, _spoken(values))}</td>'
        f'<td class="n" data-what="{kind}">{number(tally.unique)}{extra}</td>'
    )


def _clients(statistics: Statistics) -> str:
    return _counted(
        [(_CLIENTS.get(name, name.replace("_", " ")), count) for name, count in statistics.clients.most_common()],
        "people",
    )


def _reasons(statistics: Statistics) -> str:
    return _counted(
        [(_REASONS.get(name, name), count) for name, count in statistics.machine_reasons.most_common()], "machines"
    )


def _counted(rows: list[tuple[str, int]], part: str) -> str:
    if not rows:
        return '<p class="none">Nothing yet.</p>'
    scale = rows[0][1]
    rows, rest = rows[:MAX_CLIENTS], rows[MAX_CLIENTS:]
    if rest:
        rows.append(("others", sum(count for _, count in rest)))
        scale = max(scale, rows[-1][1])
    cells = "".join(
        f"<tr><td>{escape(name[:1].upper() + name[1:])}</td>"
        f'<td class="chart">{single_bar(count, scale, part, f"{name}: {count}")}</td>'
        f'<td class="n">{number(count)}</td></tr>'
        for name, count in rows
    )
    return f"<table><tbody>{cells}</tbody></table>"


def _spoken(values: list[int]) -> str:
    return ", ".join(f"{number(value)} {part}" for part, value in zip(PARTS, values, strict=True))


def _footer(statistics: Statistics, generated: date | None) -> str:
    made = f"<p>Made on {generated.isoformat()} by mailgate.</p>" if generated else ""
    uncounted = corrected = ""
    if statistics.uncounted:
        uncounted = f"<p>{number(statistics.uncounted)} requests with links that were too old are not counted.</p>"
    if statistics.corrections:
        corrected = (
            f"<p>{number(statistics.corrections)} requests that looked like a person's were parts of a machine's burst"
            " and are counted as such.</p>"
        )
    return (
        "<footer><p>A recipient of a message counts once, by the best label that any of their requests has. A single"
        " click with a browser's headers cannot be told from a person's; an open by an image proxy proves delivery, not"
        f" reading.</p>{corrected}{uncounted}{made}</footer>"
    )
