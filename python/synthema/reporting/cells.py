"""Columns of a table as arrays and counts, without a Python object for each cell."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np


def numbers_of(rows: Any, name: str) -> Any:
    """Numbers of a column as floats, NaN where they are missing."""
    cells = rows[name]
    return np.ma.filled(cells.astype(float), np.nan) if np.ma.isMaskedArray(cells) else cells.astype(float)


def label_counts(rows: Any, name: str) -> Counter[Any]:
    """How many rows have each value of a column of labels, and None."""
    values, codes = rows._coded(name)
    counts: Counter[Any] = Counter()
    for value, count in zip(values, np.bincount(codes, minlength=len(values)).tolist(), strict=True):
        counts[value] += count
    return counts
