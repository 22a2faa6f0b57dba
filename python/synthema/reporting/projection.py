"""The table in two directions: where real and synthetic rows lie on the first two principal components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from synthema._core import label_columns
from synthema.reporting import charts
from synthema.reporting.markup import Html, element

CELLS = (6, 24)  # of each side of the map, at least and at most; about 12 rows would fill each evenly
FEWEST = 5  # rows of a cell, or real rows of a label, that are shown
LABELS = 12  # of a category that get a direction of their own
FEATURES = 400  # at most; columns beyond are left out, and the caption says so


def project(real: Any, synthetic: Any) -> dict[str, Any] | None:
    """Shares of real and synthetic rows in the cells of a map, for `document["projection"]`.

    Numbers are standardised by the real rows, a missing one counts as the mean; each of the most frequent
    labels of a category is a 0/1 column divided by the square root of its frequency, as in factor analysis of
    mixed data (Pages 2004). The directions are the first two principal components of the real rows.

    Parameters
    ----------
    real, synthetic : Table
        Rows with the same columns. Identifiers, texts and lists take no part.

    Returns
    -------
    dict or None
        `real` and `synthetic`: squares of shares (rows from the top of the second component down);
        `explained`: the shares of the variance of both components; `columns`: how many took part, `of` how
        many. Rows beyond the middle 99 % of the real ones count to the border; cells of fewer than 5 rows are
        0. None where there are fewer than 50 real rows or two features.
    """
    if len(real) < 50 or len(synthetic) == 0:
        return None
    ours, theirs, used, able = _features(real, synthetic)
    if ours is None or ours.shape[1] < 2:
        return None
    mean = ours.mean(axis=0)
    covariance = (ours - mean).T @ (ours - mean) / len(ours)
    values, vectors = np.linalg.eigh(covariance)
    if not values[-2] > 1e-12 * values[-1]:
        return None
    axes = vectors[:, [-1, -2]]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1, 1)  # the largest loading is positive
    ours, theirs = (ours - mean) @ axes, (theirs - mean) @ axes
    ends = [_ends(ours[:, axis]) for axis in (0, 1)]
    cells = int(np.clip(round((len(ours) / 12) ** 0.5), *CELLS))
    return {
        "real": _shares(ours, ends, cells).tolist(),
        "synthetic": _shares(theirs, ends, cells).tolist(),
        "explained": [float(one / values.sum()) for one in (values[-1], values[-2])],
        "columns": used,
        "of": able,
    }


def _features(real: Any, synthetic: Any) -> tuple[Any, Any, int, int]:
    ours: list[Any] = []
    theirs: list[Any] = []
    labels = set(label_columns(real))
    able = used = 0
    for field in real.schema.fields:
        if field.name not in synthetic or {"identifier", "subject"} & set(field.roles):
            continue
        kind = {one.name: one.kind for one in synthetic.schema.fields}[field.name]
        numbers = {"integer", "real"}
        if field.kind in numbers and kind in numbers:
            made = _number(real, synthetic, field.name)
        elif (field.kind == "boolean" and kind == field.kind) or (
            (field.kind == "category" or field.name in labels) and kind in ("category", "text")
        ):
            made = _category(real, synthetic, field.name)
        else:
            continue
        able += 1
        if made and len(ours) + len(made[0]) <= FEATURES:
            used += 1
            ours += made[0]
            theirs += made[1]
    if len(ours) < 2:
        return None, None, used, able
    return np.column_stack(ours), np.column_stack(theirs), used, able


def _number(real: Any, synthetic: Any, name: str) -> tuple[list[Any], list[Any]] | None:
    cells = [
        np.array([np.nan if v is None else v for v in one.values(name)], dtype=float)
        for one in (real, synthetic)
    ]
    known = cells[0][np.isfinite(cells[0])]
    spread = known.std() if len(known) else 0.0
    if not (spread > 0 and np.isfinite(spread)):
        return None
    made = [(one - known.mean()) / spread for one in cells]
    return [np.where(np.isfinite(made[0]), made[0], 0)], [np.where(np.isfinite(made[1]), made[1], 0)]


def _category(real: Any, synthetic: Any, name: str) -> tuple[list[Any], list[Any]] | None:
    cells = [np.array([str(v) for v in one.values(name)]) for one in (real, synthetic)]
    labels, counts = np.unique(cells[0], return_counts=True)
    order = np.lexsort((labels, -counts))[:LABELS]
    kept = [i for i in order if FEWEST <= counts[i] < len(cells[0])]
    made: tuple[list[Any], list[Any]] = ([], [])
    for i in kept:
        weight = 1 / np.sqrt(counts[i] / len(cells[0]))
        for side, one in zip(made, cells, strict=True):
            side.append(np.where(one == labels[i], weight, 0.0))
    return made if kept else None


def _ends(values: Any) -> tuple[float, float]:
    low, high = np.quantile(values, [0.005, 0.995])
    return (float(low), float(high)) if low < high else (float(low) - 0.5, float(low) + 0.5)


def _shares(points: Any, ends: list[tuple[float, float]], cells: int) -> Any:
    clipped = [np.clip(points[:, axis], *ends[axis]) for axis in (0, 1)]
    counted, _, _ = np.histogram2d(clipped[1], clipped[0], bins=cells, range=[ends[1], ends[0]])
    counted[counted < FEWEST] = 0
    return counted[::-1] / len(points)


def projection(document: Mapping[str, Any]) -> Html | None:
    """The two maps side by side; None where there are none."""
    found = document.get("projection")
    if not found:
        return None
    top = max(max(map(max, found["real"])), 1e-9)
    share = " and ".join(f"{100 * one:.0f} %" for one in found["explained"])
    left_out = (
        "" if found["columns"] == found["of"] else f" {found['columns']} of {found['of']} columns took part."
    )
    maps = [
        element(
            "figure",
            element("h3", title),
            charts.density(found[name], top, f"{title} on the first two principal components"),
        )
        for name, title in (("real", "Real rows"), ("synthetic", "Synthetic rows"))
    ]
    return element(
        "section",
        element("h2", "Rows in two dimensions"),
        element(
            "p",
            f"The first two principal components of the real rows, {share} of their variance; both maps have "
            "the same axes and the same shades. What is dark on one side only was lost, or made up. Places "
            f"of fewer than {FEWEST} rows stay empty.{left_out}",
            class_="lead",
        ),
        element("div", *maps, class_="pair"),
        id="projection",
    )
