"""Charts as inline SVG: widths in per cent, so that text keeps its size on a phone; every bar has its numbers in words.

Each outcome has a colour and a pattern of its own. Nothing needs a script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mailgate.dmarc._text import escaped

# (name, words), bottom of the stack first.
OUTCOMES = (
    ("pass", "passed: DKIM and SPF"),
    ("dkim", "passed: DKIM only"),
    ("spf", "passed: SPF only"),
    ("fail", "failed"),
)
TLS_OUTCOMES = (("pass", "over TLS as the policy asks"), ("fail", "failed"))

PLOT_HEIGHT = 220
_MAX_BARS = 62
_MIN_SLOTS = 14  # a few days do not fill the whole width

# One tile of each pattern, 8 by 8 pixels: plain, dots, diagonals, crosses.
_MARKS = {
    "pass": "",
    "dkim": '<circle class="md" cx="2" cy="2" r="1.1"/><circle class="md" cx="6" cy="6" r="1.1"/>',
    "spf": '<path class="m" d="M-2 2 2 -2M0 8 8 0M6 10 10 6" stroke-width="1.4"/>',
    "fail": '<path class="m" d="M0 0 8 8M8 0 0 8" stroke-width="1.1"/>',
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a stacked chart. label: its day, week or month. parts: one number an outcome."""

    label: str
    parts: tuple[int, ...]

    @property
    def total(self) -> int:
        """The height of the bar."""
        return sum(self.parts)


def patterns() -> str:
    """The definitions that all charts of a page refer to; once a page."""
    tiles = "".join(
        f'<pattern id="p-{name}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect class="p-{name}" width="8" height="8"/>{marks}</pattern>'
        for name, marks in _MARKS.items()
    )
    return f'<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>{tiles}</defs></svg>'


def legend(outcomes: Sequence[tuple[str, str]]) -> str:
    """What the patterns mean."""
    items = "".join(
        f'<li><svg aria-hidden="true"><rect width="100%" height="100%" fill="url(#p-{name})"/></svg>'
        f"{escaped(words)}</li>"
        for name, words in outcomes
    )
    return f'<ul class="legend">{items}</ul>'


def bars_of(by_day: Mapping[str, tuple[int, ...]]) -> tuple[str, list[Bar]]:
    """Parts by day as bars, days without data included; weeks or months when there are too many days.

    Returns the unit (`day`, `week`, `month`) and the bars in order of time.
    """
    days = {date.fromisoformat(day): parts for day, parts in by_day.items()}
    if not days:
        return "day", []
    first, last = min(days), max(days)
    unit, start_of = _unit((last - first).days + 1)
    sums = dict.fromkeys(map(start_of, _days(first, last, 1 if unit == "day" else 7)), (0,) * len(days[first]))
    sums.setdefault(start_of(last), (0,) * len(days[first]))
    for day, parts in days.items():
        start = start_of(day)
        sums[start] = tuple(a + b for a, b in zip(sums[start], parts, strict=True))
    length = 7 if unit == "month" else 10
    return unit, [Bar(day.isoformat()[:length], parts) for day, parts in sorted(sums.items())]


def _unit(days: int) -> tuple[str, Callable[[date], date]]:
    if days <= _MAX_BARS:
        return "day", lambda day: day
    if days <= _MAX_BARS * 7:
        return "week", lambda day: day - timedelta(days=day.weekday())
    return "month", lambda day: day.replace(day=1)


def _days(first: date, last: date, step: int) -> Iterator[date]:
    for number in range(0, (last - first).days + 1, step):
        yield first + timedelta(days=number)


def stacked(bars: Sequence[Bar], outcomes: Sequence[tuple[str, str]], title: str) -> str:
    """A stacked bar chart. Each bar is a group with a title that says its numbers."""
    top = _ceiling(max((bar.total for bar in bars), default=0))
    ticks = [top * step // 4 for step in range(5)] if top >= 4 else list(range(top + 1))
    lines = "".join(
        f'<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>' for y in (_y(tick, top) for tick in ticks)
    )
    slots = max(len(bars), _MIN_SLOTS)
    groups = "".join(_group(bar, index, slots, outcomes, top) for index, bar in enumerate(bars))
    labels = "".join(f'<span style="top:{_y(tick, top):.1f}px">{tick:,}</span>' for tick in ticks)
    return (
        f'<div class="chart"><div class="y" aria-hidden="true"><b>{top:,}</b>{labels}</div>'
        f'<svg height="{PLOT_HEIGHT}" role="img" aria-label="{escaped(title)}">{lines}{groups}</svg>'
        f'<div class="x" aria-hidden="true">{_x_labels(bars, slots)}</div></div>'
    )


def _group(bar: Bar, index: int, slots: int, outcomes: Sequence[tuple[str, str]], top: int) -> str:
    slot = 100 / slots
    gap = slot * 0.18
    words = ", ".join(f"{part:,} {text}" for part, (_, text) in zip(bar.parts, outcomes, strict=True) if part)
    below, rects = 0, []
    for part, (name, _) in zip(bar.parts, outcomes, strict=True):
        if part:
            y, height = _y(below + part, top), _y(below, top) - _y(below + part, top)
            # A pixel at least: one failed message among a million is what the chart is for.
            place = f'x="{index * slot + gap / 2:.3f}%" y="{min(y, _y(below, top) - 1):.1f}"'
            size = f'width="{slot - gap:.3f}%" height="{max(height, 1):.1f}"'
            rects.append(f'<rect {place} {size} fill="url(#p-{name})"/>')
        below += part
    hover = f'<rect x="{index * slot:.3f}%" width="{slot:.3f}%" y="0" height="{PLOT_HEIGHT}" fill="transparent"/>'
    return f'<g class="day"><title>{bar.label}: {bar.total:,} ({words or "nothing"})</title>{hover}{"".join(rects)}</g>'


def _x_labels(bars: Sequence[Bar], slots: int) -> str:
    """At most seven labels; all but the first, the middle and the last can go on a phone."""
    if not bars:
        return ""
    steps = min(6, len(bars) - 1, max(1, 7 * len(bars) // slots))
    places = sorted({round(step * (len(bars) - 1) / steps) for step in range(steps + 1)}) if steps else [0]
    spans = []
    for number, place in enumerate(places):
        minor = ' class="minor"' if number not in (0, len(places) // 2, len(places) - 1) else ""
        at = 0 if number == 0 else 100 if place == slots - 1 else (place + 0.5) * 100 / slots
        spans.append(f'<span{minor} style="left:{at:.2f}%">{bars[place].label}</span>')
    return "".join(spans)


def share_bar(parts: Sequence[tuple[str, int]], whole: int, css: str, words: str) -> str:
    """One horizontal bar: each (outcome, number) as wide as its share of `whole`."""
    rects, at = [], 0.0
    for name, number in parts:
        width = 100 * number / whole if whole else 0
        if number:
            rects.append(f'<rect x="{at:.3f}%" width="{max(width, 0.4):.3f}%" height="100%" fill="url(#p-{name})"/>')
        at += width
    label = escaped(words)
    return f'<svg class="{css}" role="img" aria-label="{label}"><title>{label}</title>{"".join(rects)}</svg>'


def _y(value: int, top: int) -> float:
    return PLOT_HEIGHT * (1 - value / top) if top else float(PLOT_HEIGHT)


def _ceiling(value: int) -> int:
    """A round number at or above `value` that divides by four."""
    if value <= 4:
        return max(value, 1)
    step = 1
    while True:
        for factor in (4, 8, 12, 16, 20, 28, 36):
            if factor * step >= value:
                return factor * step
        step *= 10
