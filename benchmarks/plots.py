"""Plots as SVG, of two kinds: bars in panels, and lines. They read well on light and on dark pages."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from xml.etree import ElementTree as ET

WIDTH, HEIGHT = 760, 320
TOP, BOTTOM, SIDE = 64, 48, 56
COLORS = ("#999999", "#0072b2", "#d55e00")
"""Of the Okabe-Ito palette, which the colour-blind can tell apart."""

Point = tuple[float, float]
Scale = Callable[[float], float]

LINEAR: Scale = float
LOGARITHMIC: Scale = math.log


def bars(title: str, panels: Mapping[str, Mapping[str, float]]) -> str:
    """One panel beside the other, each with a scale of its own and a bar for each name, which all panels share."""
    root = _canvas(title, list(next(iter(panels.values()))))
    width = (WIDTH - SIDE) / len(panels)
    for number, (name, values) in enumerate(panels.items()):
        left, highest = SIDE / 2 + number * width + width * 0.1, max(*values.values(), 1e-9)
        bar = width * 0.8 / len(values)
        _text(root, left + width * 0.4, HEIGHT - BOTTOM + 24, name)
        _line(root, (left, HEIGHT - BOTTOM), (left + width * 0.8, HEIGHT - BOTTOM), "#666666")
        for index, (value, color) in enumerate(zip(values.values(), cycle(COLORS), strict=False)):
            height = max(0.0, value) / highest * (HEIGHT - TOP - BOTTOM - 20)
            x, y = left + index * bar, HEIGHT - BOTTOM - height
            size = {"width": f"{bar * 0.85:.1f}", "height": f"{height:.1f}"}
            ET.SubElement(root, "rect", {"x": f"{x:.1f}", "y": f"{y:.1f}", "fill": color, **size})
            _text(root, x + bar * 0.42, y - 5, _short(value))
    return _written(root)


def lines(title: str, across: str, series: Mapping[str, Sequence[Point]], scale: Scale) -> str:
    """Lines over one pair of axes, both of one scale."""
    root = _canvas(title, list(series))
    points = [point for each in series.values() for point in each]
    span = [(min(values), max(values)) for values in zip(*points, strict=True)]
    if scale is LINEAR:
        span = [(0.0, high) for _, high in span]
    room = (WIDTH - 2 * SIDE, HEIGHT - TOP - BOTTOM)

    def place(point: Point) -> Point:
        shares = [
            (scale(value) - scale(low)) / (scale(high) - scale(low))
            for value, (low, high) in zip(point, span, strict=True)
        ]
        return SIDE + shares[0] * room[0], HEIGHT - BOTTOM - shares[1] * room[1]

    low = (span[0][0], span[1][0])
    _line(root, place(low), place((span[0][1], low[1])), "#666666")
    _line(root, place(low), place((low[0], span[1][1])), "#666666")
    for x in sorted({point[0] for point in points}):
        _text(root, place((x, low[1]))[0], HEIGHT - BOTTOM + 18, _short(x))
    for value in _steps(*span[1], scale):
        y = place((low[0], value))[1]
        _line(root, (SIDE, y), (WIDTH - SIDE, y), "#dddddd")
        _text(root, SIDE - 8, y + 4, _short(value), anchor="end")
    _text(root, WIDTH / 2, HEIGHT - 8, across)
    for values, color in zip(series.values(), cycle(COLORS), strict=False):
        placed = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, values))
        ET.SubElement(root, "polyline", {"points": placed, "fill": "none", "stroke": color, "stroke-width": "2"})
        for x, y in map(place, values):
            ET.SubElement(root, "circle", {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "3", "fill": color})
    return _written(root)


def _steps(low: float, high: float, scale: Scale) -> list[float]:
    """Round numbers on the axis: powers of ten, or at most ten multiples of one, of twice or of five times one."""
    if scale is LOGARITHMIC:
        return [10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    power = 10.0 ** math.floor(math.log10(high / 5))
    step = next(power * factor for factor in (1, 2, 5, 10) if high / (power * factor) <= 10)
    return [step * number for number in range(1, int(high / step) + 1)]


def _canvas(title: str, names: Sequence[str]) -> ET.Element:
    """An empty plot with its title and what the colours stand for."""
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img"})
    root.attrib |= {"font-family": "sans-serif", "font-size": "12"}
    ET.SubElement(root, "title").text = title
    ET.SubElement(root, "rect", {"width": f"{WIDTH}", "height": f"{HEIGHT}", "fill": "#ffffff"})
    _text(root, WIDTH / 2, 20, title, weight="bold")
    width = (WIDTH - 2 * SIDE) / len(names)
    for index, (name, color) in enumerate(zip(names, cycle(COLORS), strict=False)):
        x = SIDE + index * width
        ET.SubElement(root, "rect", {"x": f"{x:.1f}", "y": "32", "width": "12", "height": "12", "fill": color})
        _text(root, x + 18, 42, name, anchor="start")
    return root


def _text(root: ET.Element, x: float, y: float, text: str, *, anchor: str = "middle", weight: str = "normal") -> None:
    style = {"text-anchor": anchor, "font-weight": weight, "fill": "#222222"}
    ET.SubElement(root, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", **style}).text = text


def _line(root: ET.Element, start: Point, end: Point, color: str) -> None:
    (x1, y1), (x2, y2) = start, end
    ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    ET.SubElement(root, "line", {**ends, "stroke": color})


def _short(value: float) -> str:
    """A number as one reads it beside a bar: three digits of it, or all before the point."""
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def _written(root: ET.Element) -> str:
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"
