"""The table in two directions: where real and synthetic rows lie on the first two principal components."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from synthema._core import label_columns
from synthema.reporting import charts
from synthema.reporting.cells import label_counts, numbers_of
from synthema.reporting.markup import Html, element

CELLS = (6, 24)  # of each side of the map, at least and at most; about 12 rows would fill each evenly
FEWEST = 5  # rows of a cell, or real rows of a label, that are shown
LABELS = 12  # of a category that get a direction of their own
FEATURES = 400  # at most; columns beyond are left out, and the caption says so
# Rows and features of a product: 64^3 multiplications are too few for threads of BLAS, which wait for each
# other in loops that take the cores from those that measure at the same time.
TILE = 64
SUBSPACE = 8  # directions that are turned together towards the two that are asked for
MOST_ROUNDS = 200  # where all directions are alike; mostly ten do
BLOCK = 4_096  # rows whose features are made at once: memory does not grow with the table but by the points


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
    chosen, able = _columns(real, synthetic)
    if sum(one.features for one in chosen) < 2:
        return None
    covariance = _covariance(real, chosen)
    variances, axes = _principal_axes(covariance)
    if not variances[1] > 1e-12 * variances[0]:
        return None
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1, 1)  # the largest loading is positive
    ours, theirs = _points(real, chosen, axes), _points(synthetic, chosen, axes)
    ends = [_ends(ours[:, axis]) for axis in (0, 1)]
    cells = int(np.clip(round((len(ours) / 12) ** 0.5), *CELLS))
    return {
        "real": _shares(ours, ends, cells).tolist(),
        "synthetic": _shares(theirs, ends, cells).tolist(),
        "explained": [float(one / np.trace(covariance)) for one in variances],
        "columns": len(chosen),
        "of": able,
    }


@dataclass
class _Number:
    """A column of numbers: one feature, of mean 0 and variance 1 in the real rows."""

    name: str
    known: int = 0
    mean: float = 0.0
    squares: float = 0.0  # sum of squared distances from the mean
    features: int = 1

    def add(self, rows: Any) -> None:
        """Count real rows (Chan et al. 1983, pairwise updating)."""
        cells = numbers_of(rows, self.name)
        cells = cells[np.isfinite(cells)]
        if len(cells) == 0:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # a spread that is not finite is left out
            mean, whole = cells.mean(), self.known + len(cells)
            off = mean - self.mean
            self.squares += ((cells - mean) ** 2).sum() + off**2 * self.known * len(cells) / whole
            self.mean += off * len(cells) / whole
        self.known = whole

    def serves(self, rows: int) -> bool:
        """Whether there is anything to see, of so many rows."""
        spread = (self.squares / max(1, self.known)) ** 0.5
        return bool(spread > 0 and np.isfinite(spread))

    def along(self, rows: Any, axes: Any) -> Any:
        """Part of the points of some rows along axes (1, k) that this column makes: (rows, k)."""
        cells = (numbers_of(rows, self.name) - self.mean) / (self.squares / self.known) ** 0.5
        return np.where(np.isfinite(cells), cells, 0)[:, None] * axes


@dataclass
class _Category:
    """A column of labels: a feature for each of the most frequent, of mean 0 in the real rows."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    codes: dict[Any, int] = field(default_factory=dict)
    features: int = 0
    values: Any = (
        None  # features of a row by its label, (labels + 1, labels); the last are those of all others
    )

    def add(self, rows: Any) -> None:
        """Count real rows."""
        for value, count in label_counts(rows, self.name).items():
            self.counts[str(value)] += count

    def serves(self, rows: int) -> bool:
        """Whether there is anything to see, of so many rows; chooses the labels."""
        order = sorted(self.counts, key=lambda label: (-self.counts[label], label))[:LABELS]
        kept = [label for label in order if FEWEST <= self.counts[label] < rows]
        self.features = len(kept)
        self.codes = {label: i for i, label in enumerate(kept)}
        self.codes |= {one: self.codes[str(one)] for one in (None, False, True) if str(one) in self.codes}
        shares = np.array([self.counts[label] / rows for label in kept])
        self.values = (np.eye(len(kept) + 1, len(kept)) - shares) / np.sqrt(shares)
        return bool(kept)

    def along(self, rows: Any, axes: Any) -> Any:
        """Part of the points of some rows along axes (labels, k) that this column makes: (rows, k)."""
        values, codes = rows._coded(self.name)
        features = np.array([self.codes.get(value, self.features) for value in values])
        return (self.values @ axes)[features[codes]]


def _columns(real: Any, synthetic: Any) -> tuple[list[_Number | _Category], int]:
    """The columns that take part, with what the features are made by; how many could."""
    able: list[_Number | _Category] = []
    labels = set(label_columns(real))
    kinds = {one.name: one.kind for one in synthetic.schema.fields}
    numbers = {"integer", "real"}
    for column in real.schema.fields:
        if column.name not in synthetic or {"identifier", "subject"} & set(column.roles):
            continue
        kind = kinds[column.name]
        if column.kind in numbers and kind in numbers:
            able.append(_Number(column.name))
        elif (column.kind == "boolean" and kind == column.kind) or (
            (column.kind == "category" or column.name in labels) and kind in ("category", "text")
        ):
            able.append(_Category(column.name))
    for rows in _parts(real, able):
        for one in able:
            one.add(rows)
    chosen: list[_Number | _Category] = []
    for one in able:
        if one.serves(len(real)) and sum(other.features for other in chosen) + one.features <= FEATURES:
            chosen.append(one)
    return chosen, len(able)


def _parts(table: Any, columns: list[_Number | _Category]) -> Iterator[Any]:
    narrow = table.select([one.name for one in columns])
    for begin in range(0, len(table), BLOCK):
        yield narrow.take(range(begin, min(begin + BLOCK, len(table))))


def _spans(columns: list[_Number | _Category]) -> list[tuple[_Number | _Category, slice]]:
    """Columns, and which of all features are theirs."""
    ends = np.cumsum([one.features for one in columns]).tolist()
    return [(one, slice(end - one.features, end)) for one, end in zip(columns, ends, strict=True)]


def _covariance(table: Any, columns: list[_Number | _Category]) -> Any:
    """Covariance of the features, (features, features); their means are 0."""
    spans = _spans(columns)
    out = np.zeros((spans[-1][1].stop,) * 2)
    for rows in _parts(table, columns):
        block = np.empty((len(rows), len(out)))
        for one, span in spans:
            block[:, span] = one.along(rows, np.eye(one.features))
        _add_products(out, block)
    return out / len(table)


def _add_products(to: Any, block: Any) -> None:
    """Add block.T @ block, in products that BLAS makes on this thread."""
    tiles = _tiles(len(to))
    for part in _tiles(len(block)):
        rows = block[part]
        for i, high in enumerate(tiles):
            for low in tiles[: i + 1]:
                product = rows[:, high].T @ rows[:, low]
                to[high, low] += product
                if low is not high:
                    to[low, high] += product.T


def _principal_axes(covariance: Any) -> tuple[Any, Any]:
    """Return the two largest variances and their axes, (features, 2).

    By subspace iteration (Rutishauser 1969): LAPACK would find all axes, and start threads of BLAS for it.
    """
    first = np.random.default_rng(0).normal(size=(len(covariance), min(len(covariance), SUBSPACE)))
    basis, before = np.linalg.qr(first)[0], np.zeros(2)
    for _ in range(MOST_ROUNDS):
        image = _times(covariance, basis)
        variances, turn = np.linalg.eigh(basis.T @ image)
        axes = basis @ turn
        if np.allclose(variances[-2:], before, rtol=1e-13, atol=0):
            break
        basis, before = np.linalg.qr(image @ turn)[0], variances[-2:]
    return variances[[-1, -2]], axes[:, [-1, -2]]


def _times(square: Any, basis: Any) -> Any:
    """Return square @ basis, likewise."""
    out = np.zeros_like(basis)
    for high in _tiles(len(square)):
        for low in _tiles(len(square)):
            out[high] += square[high, low] @ basis[low]
    return out


def _tiles(size: int) -> list[slice]:
    return [slice(begin, begin + TILE) for begin in range(0, size, TILE)]


def _points(table: Any, columns: list[_Number | _Category], axes: Any) -> Any:
    """Where the rows lie along axes (features, 2): (rows, 2)."""
    spans = _spans(columns)
    return np.concatenate(
        [sum(one.along(rows, axes[span]) for one, span in spans) for rows in _parts(table, columns)]
    )


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
            "the same axes and the same shades. What has colour on one side only was lost, or made up. "
            f"Places of fewer than {FEWEST} rows stay empty.{left_out}",
            class_="lead",
        ),
        element("div", *maps, class_="pair"),
        id="projection",
    )
