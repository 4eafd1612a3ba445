"""Charts as SVG that needs no script: lengths in per cent, so that text keeps its size on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from html import escape

from mailgate.engagement._statistics import Tally

PARTS = ("people", "unclear", "machines")
MAX_DAYS = 62  # more columns than this are drawn by week
MAX_WEEKS = 104  # and more than this by month
_HEIGHT = 170
_TOP = 10
_BOTTOM = 24
_LABELS = 5


def columns(days: Sequence[tuple[date, Tally]], title: str) -> str:
    """A column for each day (week, month), stacked: people below, then unclear, then machines."""
    buckets, unit = _buckets(days)
    if not buckets:
        return '<p class="none">Nothing yet.</p>'
    top = nice_ceiling(max(sum(values) for _, values in buckets))
    plot = _HEIGHT - _TOP - _BOTTOM
    step = 100 / len(buckets)
    width = min(step * 0.72, 6)
    said = f"{escape(title)} by {unit}"
    out = [_axis(top, plot), f'<svg class="columns" role="img" width="100%" height="{_HEIGHT}" aria-label="{said}">']
    for share in (0.0, 0.5, 1.0):
        y = _TOP + plot * (1 - share)
        out.append(f'<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
    for index, (day, values) in enumerate(buckets):
        x = index * step + (step - width) / 2
        label = f"{_long_label(day, unit)}: " + ", ".join(
            f"{number(value)} {part}" for part, value in zip(PARTS, values, strict=True)
        )
        out.append(f"<g><title>{escape(label)}</title>{_column(x, width, values, plot / top)}</g>")
    for index in _label_indexes(len(buckets)):
        anchor = "start" if index == 0 else "end" if index == len(buckets) - 1 and len(buckets) > 1 else "middle"
        x = {"start": 0.0, "end": 100.0}.get(anchor, index * step + step / 2)
        if len(buckets) == 1:
            anchor, x = "middle", 50.0
        text = _short_label(buckets[index][0], unit)
        out.append(f'<text class="tick" x="{x:.2f}%" y="{_HEIGHT - 6}" text-anchor="{anchor}">{text}</text>')
    return f'<div class="plot">{"".join(out)}</svg></div>'


def _axis(top: int, plot: int) -> str:
    """The values of the grid lines, beside the columns and not on them."""
    ticks = "".join(
        f'<text class="tick" x="34" y="{_TOP + plot * (1 - share) + 4:.1f}" text-anchor="end">'
        f"{_short_number(round(top * share))}</text>"
        for share in (0.0, 0.5, 1.0)
    )
    return f'<svg class="axis" width="42" height="{_HEIGHT}" aria-hidden="true">{ticks}</svg>'


def bar(values: Sequence[int], scale: int, label: str) -> str:
    """One horizontal stacked bar; `scale` is the value of its full width."""
    said = escape(label)
    out = [f'<svg class="bar" role="img" width="100%" height="14" aria-label="{said}"><title>{said}</title>']
    at = 0.0
    for part, value in zip(PARTS, values, strict=True):
        if value:
            width = 100 * value / max(1, scale)
            out.append(f'<rect class="{part}" x="{at:.3f}%" y="1" width="{width:.3f}%" height="12" rx="1.5"/>')
            at += width
    return "".join(out) + "</svg>"


def single_bar(value: int, scale: int, part: str, label: str) -> str:
    """One horizontal bar of one kind."""
    return bar([value if name == part else 0 for name in PARTS], scale, label)


def number(value: int) -> str:
    """Digits in groups of three, with thin spaces that do not break.

    >>> number(12345)
    '12\u202f345'
    """
    return f"{value:,}".replace(",", "\u202f")


def _short_number(value: int) -> str:
    """At most five characters: 950, 12k, 1.5M."""
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + letter
    return str(value)


def nice_ceiling(value: int) -> int:
    """The next even round number that is not below: 2, 4, 6, 10, 20, 40, …"""
    if value <= 2:
        return 2
    size = int("1".ljust(len(str(value)), "0"))
    for factor in (1, 2, 3, 4, 5, 6, 8, 10):
        if factor * size >= value and (factor * size) % 2 == 0:
            return factor * size
    return 20 * size


def _column(x: float, width: float, values: Iterable[int], unit: float) -> str:
    out = ""
    y = _HEIGHT - _BOTTOM
    bottom = float(y)
    for part, value in zip(PARTS, values, strict=True):
        if value:
            height = value * unit
            bottom -= height
            box = f'x="{x:.3f}%" y="{bottom:.2f}" width="{width:.3f}%" height="{height:.2f}" rx="1.5"'
            out += f'<rect class="{part}" {box}/>'
    # The whole column answers to the pointer, also where little is drawn.
    return out + f'<rect class="catch" x="{x:.3f}%" y="{_TOP}" width="{width:.3f}%" height="{y - _TOP}"/>'


def _buckets(days: Sequence[tuple[date, Tally]]) -> tuple[list[tuple[date, list[int]]], str]:
    """Every day (week, month) from the first to the last, also empty ones, with its three values; and the unit."""
    if not days:
        return [], "day"
    first, last = days[0][0], days[-1][0]
    span = (last - first).days + 1
    unit = _unit(span)
    sums: dict[date, list[int]] = {}
    day = _start(first, unit)
    while day <= last:
        sums[day] = [0, 0, 0]
        day = _next(day, unit)
    for day, tally in days:
        bucket = sums[_start(day, unit)]
        for at, part in enumerate(PARTS):
            bucket[at] += getattr(tally, part)
    return list(sums.items()), unit


def unit_of(days: Sequence[date]) -> str:
    """What a column of `columns` stands for: day, week or month."""
    return _unit((max(days) - min(days)).days + 1) if days else "day"


def _unit(span: int) -> str:
    return "day" if span <= MAX_DAYS else "week" if span <= MAX_WEEKS * 7 else "month"


def _start(day: date, unit: str) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def _next(day: date, unit: str) -> date:
    if unit == "month":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day + timedelta(days=7 if unit == "week" else 1)


def _label_indexes(count: int) -> list[int]:
    if count <= _LABELS:
        return list(range(count))
    return sorted({round(step * (count - 1) / (_LABELS - 1)) for step in range(_LABELS)})


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _short_label(day: date, unit: str) -> str:
    if unit == "month":
        return f"{_MONTHS[day.month - 1]} {day.year}"
    return f"{day.day} {_MONTHS[day.month - 1]}"


def _long_label(day: date, unit: str) -> str:
    label = f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return {"day": label, "week": f"week of {label}", "month": f"{_MONTHS[day.month - 1]} {day.year}"}[unit]
