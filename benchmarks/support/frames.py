"""Tables of mixed columns that depend on each other: made by a seed, the same for every system."""

from __future__ import annotations

import csv
import pathlib

import numpy as np

CHUNK = 50_000  # rows that are Python objects at a time


def write(path: pathlib.Path, rows: int, columns: int, seed: int, copied: bool = False) -> None:
    """Write a CSV of numbers and labels in turns and the target ``y``; `copied` rows are slightly off."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(rows, 3))
    made: dict[str, np.ndarray] = {}
    for c in range(columns - 1):
        weights = np.random.default_rng(1000 + c).normal(size=3)
        raw = hidden @ weights + rng.normal(size=rows) * (1.15 if copied else 1.0)
        if c % 2 == 0:
            made[f"n{c}"] = np.round(raw * 10, 1) if c % 4 == 0 else np.round(np.exp(raw / 2), 3)
        else:
            cuts = np.linspace(-2, 2, 3 + c % 12)
            made[f"c{c}"] = np.char.add("v", np.digitize(raw, cuts).astype(str))
    made["y"] = np.where(
        hidden[:, 0] + hidden[:, 1] * hidden[:, 2] + rng.normal(size=rows) > 0.5, "yes", "no"
    )
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(made)
        for begin in range(0, rows, CHUNK):
            some = (values[begin : begin + CHUNK].tolist() for values in made.values())
            writer.writerows(zip(*some, strict=True))
