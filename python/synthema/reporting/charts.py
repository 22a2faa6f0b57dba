"""The plots of the page: inline SVG, drawn here, readable without colour and without script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from synthema.reporting.markup import Html, element
from synthema.reporting.numbers import number, score_range, shown


def _svg(width: float, height: float, label: str, *children: Html, scale: float = 1.0, **more: str) -> Html:
    """A picture of this many units, `scale` of them a pixel where there is room."""
    return element(
        "svg",
        element("title", label),
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{scale * width:g}",
        height=f"{scale * height:g}",
        role="img",
        aria_label=label,
        **more,
    )


def _line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    return element("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", class_=class_)


def _text(x: float, y: float, text: str, class_: str, anchor: str = "middle") -> Html:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", class_=class_, text_anchor=anchor)


def nice_step(span: float, about: int) -> float:
    """A step of 1, 2 or 5 times a power of ten that cuts `span` into about `about` pieces."""
    raw = max(span, 1e-12) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * m for m in (1, 2, 5, 10) if raw <= power * m * (1 + 1e-9))


def _axis_of(scores: Sequence[Mapping[str, Any] | None]) -> tuple[float, float]:
    """The score's own range where it is finite, else what the values, intervals and bounds need."""
    present = [s for s in scores if s]
    low, high = score_range(present[0])
    values = []
    for score in present:
        interval = score.get("interval") or {}
        for value in (
            score.get("value"),
            interval.get("low"),
            interval.get("high"),
            (score.get("floor") or {}).get("value"),
            (score.get("ceiling") or {}).get("value"),
        ):
            found = number(value)
            if found is not None and math.isfinite(found):
                values.append(found)
    if low is None:
        low = min([*values, 0.0])
    if high is None or (high > 50 and values and max(values) < high / 20):
        high = max([*values, low + 1e-9]) or 1.0
        if present[0].get("direction") == "higher":  # what is measured is not the best there could be
            high *= 2
        high = nice_step(high - low, 4) * math.ceil((high - low) / nice_step(high - low, 4)) + low
    return low, high if high > low else low + 1.0


def _span(x: float, text: str, anchor: str) -> tuple[float, float]:
    """Where a label lies, by what its letters need at most."""
    wide = 6.6 * len(text)
    begin = x - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
    return begin, begin + wide


def dot_and_whisker(scores: Sequence[Mapping[str, Any] | None], names: Sequence[str]) -> Html:
    """Value and interval of one measure for each set of rows, on the measure's range, with floor and ceiling.

    The first set is a filled dot, the second a hollow one: they differ without colour too.
    """
    width, left, right, top, step = 264.0, 6.0, 6.0, 8.0, 13.0
    low, high = _axis_of(scores)
    rows = [(i, s) for i, s in enumerate(scores) if s and number(s.get("value")) is not None]
    bottom = top + step * len(scores)

    def x(value: float) -> float:
        clipped = min(max(value, low), high)
        return left + (clipped - low) / (high - low) * (width - left - right)

    parts: list[Html] = []
    first = next(s for s in scores if s)
    marks = [(n, number((first.get(n) or {}).get("value"))) for n in ("floor", "ceiling")]
    known = {name: value for name, value in marks if value is not None and math.isfinite(value)}
    if len(known) == 2:
        a, b = sorted(x(v) for v in known.values())
        parts.append(
            element(
                "rect", x=f"{a:.1f}", y="3", width=f"{b - a:.1f}", height=f"{bottom - 3:.1f}", class_="band"
            )
        )
    for value in known.values():
        parts.append(_line(x(value), 3, x(value), bottom, "bound"))
    parts.append(_line(left, bottom, width - right, bottom, "axis"))
    taken = []
    for end, anchor in ((low, "start"), (high, "end")):
        parts.append(_line(x(end), bottom, x(end), bottom + 3, "axis"))
        parts.append(_text(x(end), bottom + 12, shown(first, end), "tick", anchor))
        taken.append(_span(x(end), shown(first, end), anchor))
    for name, value in sorted(known.items(), key=lambda one: one[1]):
        for anchor in ("middle", "end", "start"):
            span = _span(x(value), name, anchor)
            if all(span[1] + 3 < other[0] or other[1] + 3 < span[0] for other in taken):
                parts.append(_text(x(value), bottom + 12, name, "tick", anchor))
                taken.append(span)
                break
    for index, score in rows:
        y = top + step * index + 2
        interval = score.get("interval")
        if interval:
            a, b = number(interval.get("low")), number(interval.get("high"))
            if a is not None and b is not None:
                parts.append(_line(x(a), y, x(b), y, f"whisker s{index}"))
        parts.append(
            element(
                "circle", cx=f"{x(number(score['value'])):.1f}", cy=f"{y:.1f}", r="4", class_=f"dot s{index}"
            )
        )
    said = "; ".join(f"{names[i]} {shown(s, s['value'])}" for i, s in rows) or "not defined"
    return _svg(width, bottom + 16, said, *parts)


def histogram(sets: Sequence[Sequence[float]], names: Sequence[str], unit: str) -> Html:
    """Share of each set in equal bins: the first set as bars, the second as a stepped line over them."""
    values = [v for s in sets for v in s]
    if not values:
        return element("p", "Nothing to show: no rows.", class_="quiet")
    step = max(1.0, nice_step(max(values) - min(values) + 1, 14))
    start = math.floor(min(values) / step) * step
    count = int((max(values) - start) // step) + 1
    shares = []
    for one in sets:
        bins = [0] * count
        for value in one:
            bins[int((value - start) // step)] += 1
        shares.append([b / len(one) if one else 0.0 for b in bins])
    every = max(1, math.ceil(count / 10))
    ticks = [(float(i), f"{start + i * step:g}") for i in range(0, count + 1, every)]
    label = f"Histogram of {unit} for " + " and ".join(
        f"{n} ({len(s)})" for n, s in zip(names, sets, strict=False)
    )
    return stepped(shares, ticks, unit, label)


def stepped(
    sets: Sequence[Sequence[float]], ticks: Sequence[tuple[float, str]], unit: str, label: str
) -> Html:
    """Shares by bin: the first set as bars, the second as a stepped line over them.

    `ticks` are places in bins from the left, with their text; `label` is read to those who do not see it.
    """
    width, height, left, bottom, top = 520.0, 210.0, 40.0, 38.0, 10.0
    peak = max([share for one in sets for share in one] + [1e-9])
    grid = nice_step(peak, 4)
    ceiling = math.ceil(peak / grid - 1e-9) * grid
    inner, count = width - left - 8, len(sets[0])

    def x(i: float) -> float:
        return left + inner * i / count

    def y(share: float) -> float:
        return top + (height - top - bottom) * (1 - share / ceiling)

    parts: list[Html] = []
    for k in range(round(ceiling / grid) + 1):
        parts.append(_line(left, y(k * grid), width - 8, y(k * grid), "grid"))
        parts.append(_text(left - 6, y(k * grid) + 4, f"{k * grid * 100:.3g} %", "tick", "end"))
    for i, share in enumerate(sets[0]):
        tall = height - bottom - y(share)
        box = {"x": f"{x(i) + 1:.1f}", "y": f"{y(share):.1f}", "width": f"{inner / count - 2:.1f}"}
        parts.append(element("rect", **box, height=f"{max(0.0, tall):.1f}", class_="bar s0"))
    for other in sets[1:2]:
        path = "".join(
            f"{'M' if i == 0 else 'L'}{x(i):.1f} {y(s):.1f}L{x(i + 1):.1f} {y(s):.1f}"
            for i, s in enumerate(other)
        )
        parts.append(element("path", d=path, class_="steps s1"))
    for i, text in ticks:
        last = i >= count  # its label ends with the picture
        at = width if last else x(i)
        parts.append(_text(at, height - bottom + 16, text, "tick", "end" if last else "middle"))
    parts.append(_text(left + inner / 2, height - 4, unit, "tick"))
    return _svg(width, height, label, *parts)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def heat_map(names: Sequence[str], square: Sequence[Sequence[float | None]]) -> Html:
    """A square of numbers of 0 and more, of stronger colour the larger they are; null stays empty.

    It is as wide as a phone, where its names are as high as its rows, and drawn larger elsewhere, with names
    that are smaller by as much.
    """
    labels = [_cut(name, 17) for name in names]
    left, right = 8 + 5.4 * max(map(len, labels)), 2.0
    cell = min(20.0, (360.0 - left - right) / len(names))
    top_value = max([v for row in square for v in row if v is not None] + [1e-9])
    size = cell * len(names)
    parts: list[Html] = []
    for i, (name, said, row) in enumerate(zip(names, labels, square, strict=True)):
        y = i * cell
        parts.append(_text(left - 4, y + cell / 2 + 2.5, said, "tick", "end"))
        turn = f"translate({left + (i + 0.5) * cell + 2.5:.1f} {size + 4:.1f}) rotate(-90)"
        parts.append(element("text", said, class_="tick", text_anchor="end", transform=turn))
        for j, value in enumerate(row):
            if value is None:
                continue
            box = {"x": f"{left + j * cell:.2f}", "y": f"{y:.2f}", "width": f"{cell - 0.5:.2f}"}
            title = element("title", f"{name} and {names[j]}: {100 * value:.2g} %")
            opacity = f"{0.06 + 0.94 * value / top_value:.2f}"
            parts.append(
                element("rect", title, **box, height=f"{cell - 0.5:.2f}", class_="cell", fill_opacity=opacity)
            )
    label = "Differences of dependence by pair of columns"
    return _svg(left + size + right, size + left, label, *parts, scale=1.7, class_="map")


def bars(items: Sequence[tuple[str, float, str]], class_: str = "s0") -> Html:
    """Labelled horizontal bars in HTML from (label, share of the full width, figure)."""
    rows = []
    for label, share, figure in items:
        width = f"width:{max(0.0, min(1.0, share)) * 100:.1f}%"
        rows.append(
            element(
                "li",
                element("span", label, class_="label"),
                element("span", element("i", style=width, class_=class_), class_="track", aria_hidden="true"),
                element("span", figure, class_="figure"),
            )
        )
    return element("ul", *rows, class_="bars")


def whiskers(rows: Sequence[tuple[str, float, float | None, float | None]]) -> Html:
    """Value and interval of each labelled row on one axis from 0 to 1."""
    width, left, right, top, step = 520.0, 190.0, 48.0, 6.0, 26.0
    bottom = top + step * len(rows)

    def x(value: float) -> float:
        return left + min(max(value, 0.0), 1.0) * (width - left - right)

    parts = [_line(x(tick / 4), top, x(tick / 4), bottom, "grid") for tick in range(5)]
    parts += [_text(x(tick / 4), bottom + 14, f"{tick * 25} %", "tick") for tick in range(5)]
    for index, (label, value, low, high) in enumerate(rows):
        y = top + step * index + step / 2
        parts.append(_text(left - 10, y + 4, label, "tick", "end"))
        if low is not None and high is not None:
            parts.append(_line(x(low), y, max(x(high), x(low) + 1), y, "whisker s0"))
        parts.append(element("circle", cx=f"{x(value):.1f}", cy=f"{y:.1f}", r="4", class_="dot s0"))
        parts.append(_text(width - 4, y + 4, f"{value * 100:.0f} %", "tick", "end"))
    said = "; ".join(f"{label} {value * 100:.0f} %" for label, value, _, _ in rows)
    return _svg(width, bottom + 20, said, *parts)


def twins(
    rows: Sequence[tuple[str, float, float | None, tuple[float | None, float | None]]],
) -> Html:
    """For each label a filled dot with its interval and a hollow one, on one axis that reaches to 1."""
    width, left, right, top, step = 520.0, 140.0, 108.0, 6.0, 26.0
    bottom = top + step * len(rows)
    low = min(0.0, *(value for _, a, b, _ in rows for value in (a, b) if value is not None))
    low = math.floor(low * 4) / 4

    def x(value: float) -> float:
        return left + (min(max(value, low), 1.0) - low) / (1 - low) * (width - left - right)

    ticks = [low + (1 - low) * k / 4 for k in range(5)]
    parts = [_line(x(tick), top, x(tick), bottom, "grid") for tick in ticks]
    parts += [_text(x(tick), bottom + 14, f"{tick:.3g}", "tick") for tick in ticks]
    for index, (label, first, second, ends) in enumerate(rows):
        y = top + step * index + step / 2
        parts.append(_text(left - 10, y + 4, label, "tick", "end"))
        if second is not None:
            parts.append(element("circle", cx=f"{x(second):.1f}", cy=f"{y:.1f}", r="5", class_="dot s1"))
        if ends[0] is not None and ends[1] is not None:
            parts.append(_line(x(ends[0]), y, max(x(ends[1]), x(ends[0]) + 1), y, "whisker s0"))
        parts.append(element("circle", cx=f"{x(first):.1f}", cy=f"{y:.1f}", r="4", class_="dot s0"))
        said = f"{first:.3f}" + ("" if second is None else f" | {second:.3f}")
        parts.append(_text(width - 4, y + 4, said, "tick", "end"))
    said = "; ".join(f"{label} {a:.3f}" + ("" if b is None else f", {b:.3f}") for label, a, b, _ in rows)
    return _svg(width, bottom + 20, said, *parts)


def curves(sets: Sequence[Sequence[tuple[float, float]]], unit: str, label: str) -> Html:
    """Lines through (x, y), x on a logarithmic axis: first set filled dots, second hollow ones."""
    width, height, left, bottom, top, right = 520.0, 210.0, 48.0, 38.0, 10.0, 16.0
    xs = [math.log(x) for one in sets for x, _ in one]
    ys = [y for one in sets for _, y in one]
    spread = max(ys) - min(ys)
    step = nice_step(spread if spread > 1e-9 else 0.2, 4)  # curves that are flat and one still have an axis
    low = math.floor(min(ys) / step) * step
    high = max(low + step, math.ceil(max(ys) / step + 1e-9) * step)
    span = max(max(xs) - min(xs), 1e-9)

    def x(value: float) -> float:
        return left + (math.log(value) - min(xs)) / span * (width - left - right)

    def y(value: float) -> float:
        return top + (height - top - bottom) * (1 - (value - low) / (high - low))

    parts: list[Html] = []
    for k in range(round((high - low) / step) + 1):
        parts.append(_line(left, y(low + k * step), width - right, y(low + k * step), "grid"))
        parts.append(_text(left - 6, y(low + k * step) + 4, f"{low + k * step:.3g}", "tick", "end"))
    for value, _ in max(sets, key=len):
        parts.append(_text(x(value), height - bottom + 16, f"{value:,.0f}", "tick"))
    parts.append(_text(left + (width - left - right) / 2, height - 4, unit, "tick"))
    for index, one in enumerate(sets):
        path = "".join(f"{'M' if i == 0 else 'L'}{x(a):.1f} {y(b):.1f}" for i, (a, b) in enumerate(one))
        parts.append(element("path", d=path, class_=f"steps s{index}"))
        parts += [
            element("circle", cx=f"{x(a):.1f}", cy=f"{y(b):.1f}", r="4", class_=f"dot s{index}")
            for a, b in one
        ]
    return _svg(width, height, label, *parts)


def roc(curves: Sequence[tuple[Sequence[float], Sequence[float]]], keys: Sequence[str], label: str) -> Html:
    """ROC curves in a square: the first whole, the second dashed, and the diagonal of a guess.

    `curves` are (false positive rates, true positive rates), ascending; `keys` say in the picture whose
    they are.
    """
    side, left, top, bottom = 262.0, 40.0, 8.0, 36.0

    def x(rate: float) -> float:
        return left + rate * side

    def y(rate: float) -> float:
        return top + (1 - rate) * side

    parts: list[Html] = []
    for k in range(5):
        rate = k / 4
        parts.append(_line(left, y(rate), left + side, y(rate), "grid"))
        parts.append(_line(x(rate), top, x(rate), top + side, "grid"))
        parts.append(_text(left - 6, y(rate) + 4, f"{rate:g}", "tick", "end"))
        parts.append(_text(x(rate), top + side + 15, f"{rate:g}", "tick"))
    parts.append(_text(left + side / 2, top + side + 31, "false positive rate", "tick"))
    turn = f"translate(11 {top + side / 2:.1f}) rotate(-90)"
    up = element("text", "true positive rate", transform=turn, class_="tick", text_anchor="middle")
    parts += [up, _line(x(0), y(0), x(1), y(1), "bound")]
    styles = [f"steps s{index}{' dashed' if index else ''}" for index in range(len(curves))]
    for (across, found), style in reversed(list(zip(curves, styles, strict=True))):
        path = "".join(
            f"{'M' if i == 0 else 'L'}{x(a):.1f} {y(b):.1f}"
            for i, (a, b) in enumerate(zip(across, found, strict=True))
        )
        parts.append(element("path", d=path, class_=style))
    for index, (key, style) in enumerate(zip(keys, styles, strict=True)):
        line = y(0) - 12 - 17 * (len(keys) - 1 - index)
        start = x(1) - 8 - 5.9 * len(key) - 28
        parts.append(_text(x(1) - 8, line + 4, key, "tick", "end"))
        parts.append(_line(start, line, start + 22, line, style))
    return _svg(left + side + 8, top + side + bottom, label, *parts)


def density(square: Sequence[Sequence[float]], top: float, label: str) -> Html:
    """A map of shares, `top` the darkest; shades go by the square root, so that thin regions are seen."""
    side, margin = 320.0, 4.0
    cell = (side - 2 * margin) / len(square)
    parts = [element("rect", x="0.5", y="0.5", width=f"{side - 1:g}", height=f"{side - 1:g}", class_="frame")]
    for i, row in enumerate(square):
        for j, share in enumerate(row):
            if share <= 0:
                continue
            opacity = 0.05 + 0.95 * math.sqrt(min(1.0, share / top))
            at = {"x": f"{margin + j * cell:.1f}", "y": f"{margin + i * cell:.1f}"}
            size = {"width": f"{cell - 1:.1f}", "height": f"{cell - 1:.1f}"}
            parts.append(element("rect", **at, **size, class_="cell", fill_opacity=f"{opacity:.2f}"))
    return _svg(side, side, label, *parts)


def shares_by_bin(edges: Sequence[float], sets: Sequence[Sequence[float]], unit: str) -> Html:
    """Shares of equal bins from 0 that end at `edges`: the first set as bars, the second as a line."""
    count = len(edges)
    ticks = [(float(i), f"{edges[-1] * i / count:.2g}") for i in range(0, count + 1, 4)]
    return stepped(sets, ticks, unit, f"Histogram of {unit}")
