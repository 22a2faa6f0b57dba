"""The section on use: what a model learns from synthetic rows, beside what it learns from real ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from synthema.reporting import charts
from synthema.reporting.markup import Html, element, figure
from synthema.reporting.numbers import number
from synthema.reporting.verdict import score_named, value_of

Score = Mapping[str, Any]

REAL = ", trained on real"
OF_LABEL = "ROC of "
POINT = re.compile(r"^(real|synthetic) ([0-9.]+) %$")


def usefulness(document: Mapping[str, Any]) -> Html | None:
    """Models trained on both kinds of rows, tested on the same real rows; None where none was trained."""
    section = (document.get("sections") or [None])[0]
    figures = [one for one in (_trained(section), _learning(section)) if one]
    if not figures:
        return None
    score = score_named(section, "train_synthetic_test_real", "rows_worth") or {}
    without = any(str(one).startswith("Without a holdout") for one in score.get("warnings") or [])
    tested = (
        "a quarter of the real rows, which the generator may have seen"
        if without
        else "real rows that neither saw"
    )
    return element(
        "section",
        element("h2", "Use: what a model learns"),
        element(
            "p",
            f"A model is trained twice, on synthetic rows and on real ones, and tested on {tested}.",
            class_="lead",
        ),
        element("div", *figures, class_="pair"),
        _roc_curves(section),
        id="use",
    )


def _trained(section: Mapping[str, Any] | None) -> Html | None:
    score = score_named(section, "train_synthetic_test_real")
    value = value_of(score)
    if score is None or value is None:
        return None
    parts = {str(part.get("name")): number(part.get("value")) for part in score.get("parts") or []}
    interval = score.get("interval") or {}
    main = (
        "AUROC" if "F1" in parts else "R squared",
        value,
        number((score.get("ceiling") or {}).get("value")),
        (number(interval.get("low")), number(interval.get("high"))),
    )
    others = [
        (name, found, parts[name + REAL], (None, None))
        for name, found in parts.items()
        if found is not None and parts.get(name + REAL) is not None
    ]
    rows = [main, *(one for one in others if 0 <= one[1] <= 1 and 0 <= one[2] <= 1)]
    return figure(
        "Trained on synthetic, trained on real",
        "Filled, and the first number: trained on synthetic rows. Hollow: on real rows. The line is a 95 % "
        f"interval.{_less_is_better([name for name, *_ in rows])}",
        charts.twins(rows),
    )


def _less_is_better(names: list[str]) -> str:
    """A sentence about those of the names of which less is better."""
    errors = [name for name in names if name in ("Brier score", "calibration error")]
    return f" Of {' and '.join(errors)}, less is better." if errors else ""


def _roc_curves(section: Mapping[str, Any] | None) -> Html | None:
    """A square for each name of a curve, with the lines of both kinds of training rows."""
    score = score_named(section, "train_synthetic_test_real") or {}
    parts = {str(part.get("name")): number(part.get("value")) for part in score.get("parts") or []}
    whole = (number(score.get("value")), number((score.get("ceiling") or {}).get("value")))
    lines: dict[str, dict[str, tuple[list[float], list[float]]]] = {}
    for curve in score.get("curves") or []:
        name = str(curve.get("name"))
        if name.startswith("ROC"):
            lines.setdefault(name, {})[str(curve.get("of"))] = (curve["x"], curve["y"])
    squares = []
    for name, of in lines.items():
        one_label = name.startswith(OF_LABEL)
        areas = (parts.get("AU" + name), parts.get("AU" + name + REAL)) if one_label else whole
        found = [
            (of[f"trained on {kind} rows"], kind if area is None else f"{kind} {area:.3f}")
            for kind, area in zip(("synthetic", "real"), areas, strict=True)
            if f"trained on {kind} rows" in of
        ]
        if not found:
            continue
        keys = [key for _, key in found]
        title = name.removeprefix(OF_LABEL) if one_label else name.removeprefix("ROC, ").capitalize()
        chart = charts.roc([line for line, _ in found], keys, f"ROC curves, {title}: {', '.join(keys)}")
        heading = element("h3", title) if len(lines) > 1 else None
        squares.append(element("figure", heading, chart))
    if not squares:
        return None
    rest = " By label: each against the rest, the most frequent ones." if len(squares) > 1 else ""
    return element(
        "div",
        element("h3", "ROC curves"),
        element(
            "p",
            "How many of the cases a model finds (up) for the false alarms it raises (across), mean of its "
            "seeds, with the area under the curve. Whole line: trained on synthetic rows. Dashed: on real "
            f"rows. The diagonal is a guess.{rest}",
            class_="quiet",
        ),
        element("div", *squares, class_="squares"),
    )


def _learning(section: Mapping[str, Any] | None) -> Html | None:
    score = score_named(section, "rows_worth")
    curves: dict[str, list[tuple[float, float]]] = {"synthetic": [], "real": []}
    for part in (score or {}).get("parts") or []:
        match = POINT.match(str(part.get("name")))
        rows, value = number(part.get("n")), number(part.get("value"))
        if match and rows and value is not None:
            curves[match[1]].append((rows, value))
    if min(len(points) for points in curves.values()) < 2:
        return None
    return figure(
        "Learning curve",
        "How good the model is by the number of rows it was trained on. Filled: synthetic rows. "
        "Hollow: real rows.",
        charts.curves([curves["synthetic"], curves["real"]], "training rows", "Learning curves"),
    )
