"""Likelihoods of held-out rows that are fair to methods which can never make some of them.

A row that a method never makes has the likelihood 0, whose logarithm no mean survives. So every method is
mixed with a little of the independent marginals of the same training rows: such a row then costs the
logarithm of that share. All are densities by one measure (docs/tabular.md, "Likelihood").
"""

from __future__ import annotations

import math

import numpy as np

SHARE = 0.01  # of the marginals


def mixed(own: np.ndarray, marginals: np.ndarray) -> np.ndarray:
    """Return log((1 - SHARE) p + SHARE q) row by row: p of the method, q of the marginals."""
    return np.logaddexp(math.log1p(-SHARE) + own, math.log(SHARE) + marginals)


def figures(own: np.ndarray, marginals: np.ndarray) -> dict[str, float]:
    """Return the mean over the rows that the marginals can make, and the share of all that the method can."""
    there = np.isfinite(marginals)
    mean = float(mixed(own, marginals)[there].mean()) if there.any() else math.nan
    return {"log_likelihood": mean, "share_with_likelihood": float(np.isfinite(own).mean())}


def above(ours: list[np.ndarray], others: list[np.ndarray], marginals: np.ndarray) -> tuple[float, float]:
    """Return by how much `ours` explains a row better than `others`, and the standard error over the rows.

    Both are lists of one array a seed; the difference of a row is that of its means over the seeds.
    """
    there = np.isfinite(marginals)
    one, other = (np.mean([mixed(own, marginals)[there] for own in side], axis=0) for side in (ours, others))
    difference = one - other
    if len(difference) < 2:
        return math.nan, math.nan
    return float(difference.mean()), float(difference.std(ddof=1) / math.sqrt(len(difference)))
