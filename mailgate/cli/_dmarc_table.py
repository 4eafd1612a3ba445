"""A view of DMARC reports as text: who sends as a domain and fails comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mailgate.cli import _output

_MAX_FAILING = 15
_MAX_LARGEST = 10
_COLUMNS = ("source", "class", "messages", "failed", "passed", "sends as", "authenticated as", "last seen")
_ANSWERS = {
    "stay": "stay at p={current}",
    "quarantine": "ready for p=quarantine",
    "reject": "ready for p=reject",
    "not_enough_evidence": "not enough evidence yet to leave p={current}",
}


def view_text(view: Mapping[str, Any]) -> str:
    """The whole view, domains with the most failures first."""
    domains = view["domains"]
    ranked = sorted(domains, key=lambda name: (domains[name]["dmarc_pass"] - domains[name]["messages"], name))
    parts = [_domain(name, domains[name]) for name in ranked]
    parts += [_tls(name, found) for name, found in view["tls"].items()]
    parts.append(_foot(view))
    return "\n\n".join(filter(None, parts)) or "no reports"


def _domain(name: str, found: Mapping[str, Any]) -> str:
    messages, passed = found["messages"], found["dmarc_pass"]
    days = list(found["by_day"])
    reports = f"{found['reports']:,} {'report' if found['reports'] == 1 else 'reports'}"
    first = (
        f"{_output.printable(name)}: {messages:,} messages, {_share(passed, messages)} passed DMARC, "
        f"{messages - passed:,} failed ({days[0]} to {days[-1]}, {reports})"
    )
    sources = [source for source in found["sources"] if "sources" not in source]
    failing = [source for source in sources if source["pass"] < source["messages"]]
    largest = sorted(sources, key=lambda source: (-source["messages"], source["ip"]))
    parts = [
        first,
        _sources("fails:", failing, _MAX_FAILING),
        _sources("sends most:", largest, _MAX_LARGEST),
        _readiness(found["readiness"]),
    ]
    return "\n\n".join(filter(None, parts))


def _sources(heading: str, sources: Sequence[Mapping[str, Any]], limit: int) -> str:
    if not sources:
        return ""
    rows = [_row(source) for source in sources[:limit]]
    more = f"\n… and {len(sources) - limit:,} more" if len(sources) > limit else ""
    return f"{heading}\n{_output.table(_COLUMNS, rows)}{more}"


def _row(source: Mapping[str, Any]) -> tuple[object, ...]:
    messages, passed = source["messages"], source["pass"]
    name = f"{source['ip']} ({source['name']})" if source.get("name") else source["ip"]
    known = ", ".join(dict.fromkeys([*source.get("dkim_domains", ()), *source.get("spf_domains", ())]))
    return (
        name,
        source["class"],
        f"{messages:,}",
        f"{messages - passed:,}",
        _share(passed, messages),
        ", ".join(source.get("header_from", ())),
        known or "-",
        source["last"],
    )


def _readiness(found: Mapping[str, Any]) -> str:
    answer = _ANSWERS[found["answer"]] if found["target"] else "at p=reject, the strictest policy"
    lines = [f"policy: {answer.format(current=found['current'])}"]
    for kind, word in (("blockers", "because"), ("warnings", "note"), ("advice", "advice")):
        for item in found[kind]:
            lines.append(f"  {word}: {_output.printable(item['text'])}{_named(item)}")
    return "\n".join(lines)


def _named(item: Mapping[str, Any]) -> str:
    named = item.get("sources") or item.get("subdomains") or []
    words = ", ".join(_output.printable(str(one.get("ip") or one.get("name"))) for one in named[:4])
    more = f" and {len(named) - 4} more" if len(named) > 4 else ""
    return f" ({words}{more})" if words else ""


def _tls(name: str, found: Mapping[str, Any]) -> str:
    total = found["success"] + found["failure"]
    lines = [
        f"TLS to {_output.printable(name)}: {total:,} sessions, {_share(found['success'], total)} over TLS, "
        f"{found['failure']:,} failed"
    ]
    lines += [f"  {count:>8,}  {_output.printable(result)}" for result, count in found["result_types"].items()]
    return "\n".join(lines)


def _foot(view: Mapping[str, Any]) -> str:
    lines = []
    copies, conflicts = view["duplicates_ignored"], view["conflicts"]
    if copies:
        lines.append(f"{copies:,} {'copy' if copies == 1 else 'copies'} counted once")
    if conflicts:
        lines.append(f"{conflicts:,} with two contents, larger kept")
    for name, words in (("refused", "refused"), ("defects", "odd, but read")):
        if view[name]:
            counts = ", ".join(f"{_output.printable(word)} {count:,}" for word, count in view[name].items())
            lines.append(f"{words}: {counts}")
    for name, words in (
        ("foreign", "for other domains, not counted"),
        ("untrusted", "not trusted, not counted"),
        ("future", "about the future, not counted"),
    ):
        if view[name]:
            reports = sum(item["reports"] for item in view[name].values())
            shown = ", ".join(map(_output.printable, list(view[name])[:5]))
            lines.append(f"{words}: {reports:,} reports ({shown}{', …' if len(view[name]) > 5 else ''})")
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    if not whole:
        return "-"
    return "100%" if part == whole else f"{min(part / whole, 0.999):.1%}"
