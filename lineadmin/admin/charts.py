"""Bar and line charts as plain geometry; `m.chart` in _macros.html draws them as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lineadmin.i18n import format_count

WIDTH, HEIGHT = 640, 220
LEFT, TOP, BOTTOM = 48, 10, 26
MARKS = 8  # at most this many labels along the bottom


@dataclass
class Chart:
    """Shapes in a box of `width` × `height`, and the numbers for the table behind them."""

    title: str
    axis: str
    names: list[str]
    rows: list[tuple[str, list[str]]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    ticks: list[dict[str, Any]] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)
    bars: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    dots: list[dict[str, Any]] = field(default_factory=list)


def bars(
    title: str, axis: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float]]]
) -> Chart:
    """Bars side by side. `axis` names what the labels are ("Day"); at most three series."""
    chart, top = _frame(title, axis, labels, series)
    step = (WIDTH - LEFT) / max(len(labels), 1)
    wide = max(1.0, step * 0.72 / max(len(series), 1))
    for number, (name, values) in enumerate(series):
        for index, value in enumerate(values):
            y = _y(value, top)
            chart.bars.append(
                {
                    "series": number,
                    "x": round(LEFT + step * index + step * 0.14 + wide * number, 1),
                    "y": y,
                    "width": round(wide, 1),
                    "height": round(HEIGHT - BOTTOM - y, 1),
                    "title": f"{labels[index]}・{name} {_number(value)}",
                }
            )
    return chart


def lines(
    title: str, axis: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float]]]
) -> Chart:
    """One line per series, told apart by dashes as well as by colour."""
    chart, top = _frame(title, axis, labels, series)
    step = (WIDTH - LEFT) / max(len(labels), 1)
    for number, (name, values) in enumerate(series):
        points = [
            (round(LEFT + step * (index + 0.5), 1), _y(value, top))
            for index, value in enumerate(values)
        ]
        chart.lines.append({"series": number, "points": " ".join(f"{x},{y}" for x, y in points)})
        if len(points) <= 40:
            chart.dots += [
                {"series": number, "x": x, "y": y, "title": f"{label}・{name} {_number(value)}"}
                for (x, y), label, value in zip(points, labels, values, strict=True)
            ]
    return chart


def _frame(
    title: str, axis: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float]]]
) -> tuple[Chart, float]:
    highest = max((value for _name, values in series for value in values), default=0)
    step, top = _scale(highest)
    chart = Chart(
        title=title,
        axis=axis,
        names=[name for name, _values in series],
        rows=[
            (label, [_number(values[index]) for _name, values in series])
            for index, label in enumerate(labels)
        ],
    )
    value = 0.0
    while value <= top + step / 2:
        chart.ticks.append({"y": _y(value, top), "label": _number(value)})
        value += step
    every = max(1, -(-len(labels) // MARKS))
    width = (WIDTH - LEFT) / max(len(labels), 1)
    chart.marks = [
        {"x": round(LEFT + width * (index + 0.5), 1), "label": label, "anchor": "middle"}
        for index, label in enumerate(labels)
        if index % every == 0
    ]
    return chart, top


def _scale(highest: float) -> tuple[float, float]:
    """The distance of grid lines (1, 2 or 5 times a power of ten, at least 1) and the top one."""
    step = 1.0
    while True:
        for factor in (1, 2, 5):
            if step * factor * 4 >= highest:
                distance = step * factor
                return distance, max(distance, -(-highest // distance) * distance)
        step *= 10


def _y(value: float, top: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - max(0.0, value) / top), 1)


def _number(value: float) -> str:
    return format_count(int(value)) if value == int(value) else f"{value:,.1f}"
