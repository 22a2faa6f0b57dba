"""Columns of real and synthetic rows side by side: what is shown, and the section that shows it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from synthema._core import label_columns
from synthema.reporting import charts
from synthema.reporting.markup import Html, element, figure
from synthema.reporting.numbers import number
from synthema.reporting.verdict import score_named

COLUMNS = 8  # that are shown: the least alike
BINS = 20
LABELS = 6  # of a category
PAIRED = 24  # columns of the map of pairs: those whose pairs are the least alike
FEWEST = 5  # real rows of a label or a bin that is shown by itself


def compare(real: Any, synthetic: Any, scores: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The least alike columns as shares by label or bin, for `document["columns"]`.

    Parameters
    ----------
    real, synthetic : Table
        Rows to compare.
    scores
        Scores in their JSON form; the parts of `column_shapes` name the columns and how alike they are.

    Returns
    -------
    list of dict
        `name`, `alike` (0 to 1), `real` and `synthetic` (shares of the rows with a value, by place), and
        `labels` or `edges` (one more than places). Numbers beyond the middle 98 % of the real ones count to
        the last place; labels and ends that fewer than 5 real rows have are pooled, so that nobody is shown.
    """
    shapes = next((one for one in scores if one.get("name") == "column_shapes"), {})
    parts = [(number(part.get("value")), part["name"]) for part in shapes.get("parts") or []]
    labels = set(label_columns(real))
    out = []
    for alike, name in sorted((alike, name) for alike, name in parts if alike is not None):
        kind = next(field.kind for field in real.schema.fields if field.name == name)
        counts = kind in ("category", "boolean") or name in labels
        shown = _numbers if kind in ("integer", "real") else _labels if counts else None
        found = shown(real, synthetic, name) if shown else None
        if found:
            out.append({"name": name, "alike": alike, **found})
        if len(out) == COLUMNS:
            break
    return out


def pairs(names: Sequence[str], scores: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """How alike the dependence of each pair of columns is, for `document["pairs"]`.

    Parameters
    ----------
    names
        Columns of the table, in its order.
    scores
        Scores in their JSON form; the parts of `column_pairs` are used.

    Returns
    -------
    dict or None
        `columns`, and `alike`: a square of numbers of 0 to 1, null where a pair was not measured. None where
        fewer than three columns have pairs.
    """
    score = next((one for one in scores if one.get("name") == "column_pairs"), {})
    place = {f"{a} x {b}": (i, j) for i, a in enumerate(names) for j, b in enumerate(names) if i < j}
    alike = np.full((len(names), len(names)), np.nan)
    for part in score.get("parts") or []:
        value = number(part.get("value"))
        if value is not None and part.get("name") in place:
            i, j = place[part["name"]]
            alike[i, j] = alike[j, i] = value
    measured = np.flatnonzero(~np.isnan(alike).all(axis=1))
    if len(measured) < 3:
        return None
    worst = sorted(measured, key=lambda i: float(np.nanmean(alike[i])))[:PAIRED]
    kept = sorted(int(i) for i in worst)
    square = [[None if np.isnan(alike[i, j]) else float(alike[i, j]) for j in kept] for i in kept]
    return {"columns": [names[i] for i in kept], "alike": square}


def _present(table: Any, name: str) -> list[Any]:
    return [value for value in table.values(name) if value is not None]


def _numbers(real: Any, synthetic: Any, name: str) -> dict[str, Any] | None:
    ours, theirs = (np.asarray(_present(one, name), dtype=float) for one in (real, synthetic))
    if len(ours) < FEWEST or len(theirs) == 0:
        return None
    low, high = np.quantile(ours, [0.01, 0.99])
    if not low < high:
        return None
    unit = 10.0 ** math.floor(math.log10((high - low) / BINS))  # the ends are round, nobody's values
    low, high = math.floor(low / unit) * unit, math.ceil(high / unit) * unit
    edges = np.linspace(low, high, BINS + 1)
    shares = [np.histogram(np.clip(one, low, high), edges)[0] / len(one) for one in (ours, theirs)]
    shares[0][shares[0] * len(ours) < FEWEST] = 0
    return {"edges": edges.tolist(), "real": shares[0].tolist(), "synthetic": shares[1].tolist()}


def _labels(real: Any, synthetic: Any, name: str) -> dict[str, Any] | None:
    ours, theirs = (
        [str(value).lower() if isinstance(value, bool) else value for value in _present(one, name)]
        for one in (real, synthetic)
    )
    if not ours or not theirs:
        return None
    counts = [Counter(one) for one in (ours, theirs)]
    order = sorted(counts[0], key=lambda label: (-counts[0][label], label))
    kept = [label for label in order if counts[0][label] >= FEWEST][:LABELS]
    shares = [[one[label] / one.total() for label in kept] for one in counts]
    rest = [max(0.0, 1 - sum(one)) for one in shares]
    if max(rest) > 1e-9:
        kept.append("others")
        shares = [[*one, left] for one, left in zip(shares, rest, strict=True)]
    return {"labels": kept, "real": shares[0], "synthetic": shares[1]}


def marginals(document: Mapping[str, Any]) -> Html | None:
    """The columns of `document["columns"]`, the least alike first; None where there are none."""
    columns = document.get("columns") or []
    if not columns or score_named((document.get("sections") or [None])[0], "column_shapes") is None:
        return None
    return element(
        "section",
        element("h2", "Columns"),
        element(
            "p",
            "Bars: synthetic rows. Line: real rows. The least alike columns come first; labels and bins of "
            f"fewer than {FEWEST} real rows are not shown by themselves.",
            class_="lead",
        ),
        element("div", *(_column(one) for one in columns), class_="pair"),
        _pairs(document.get("pairs")),
        id="columns",
    )


def _pairs(found: Mapping[str, Any] | None) -> Html | None:
    if not found:
        return None
    lost = [[None if value is None else 1 - value for value in row] for row in found["alike"]]
    most = max(value for row in lost for value in row if value is not None)
    return figure(
        "Pairs of columns",
        f"How much of each pair's dependence differs: the darkest is {100 * most:.1f} %. Up to {PAIRED} "
        "columns, those that differ most.",
        charts.heat_map(found["columns"], lost),
    )


def _column(column: Mapping[str, Any]) -> Html:
    if "labels" in column:
        ticks = [(i + 0.5, _short(label)) for i, label in enumerate(column["labels"])]
    else:
        ticks = [(float(i), f"{edge:.3g}") for i, edge in enumerate(column["edges"]) if i % 5 == 0]
    label = f"Shares of {column['name']} in synthetic and in real rows"
    chart = charts.stepped([column["synthetic"], column["real"]], ticks, "", label)
    return figure(column["name"], f"{100 * column['alike']:.1f} % alike.", chart)


def _short(label: str) -> str:
    return label if len(label) <= 10 else label[:9] + "\u2026"
