"""Whether two tables of real rows are samples of one population, column by column."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from synthema import _core
from synthema._core import EvaluationContext, SuiteOptions, Table
from synthema.reporting.cells import label_counts
from synthema.reporting.numbers import first_columns, percent
from synthema.subjects import people_in

FALSE_ALARMS = 1e-4  # of all columns together, where nothing differs
LEAST = 0.1  # distance between distributions that is worth a word
LEAST_MISSING = 0.05  # difference of the shares of missing values that is
NAMED = 3  # columns of each kind


def drifted_columns(real: Table, holdout: Table, besides: Sequence[str] = (), threads: int = 0) -> list[str]:
    """Return columns whose distributions differ by more than chance and by at least 0.1, farthest first.

    Distances are those of `column_shapes`: Kolmogorov-Smirnov of numbers, total variation of labels. Chance
    is bounded by Massart's inequality (1990), and by that of Laurent and Massart (2000) for chi squared, with
    people counted where the rows have a subject. Missing values do not count (`missing_otherwise` asks for
    them), and columns `besides` are not asked.
    """
    shapes = _core.evaluator_named("column_shapes", SuiteOptions())
    score = shapes.evaluate(real, holdout, EvaluationContext(bootstrap=0, threads=threads))
    distances = {part.name: 1 - part.value for part in score.parts if part.value is not None}
    for name in _core.label_columns(real):  # texts, which the evaluation of a table takes for labels too
        if name in holdout and holdout.schema[name].kind == "text":
            distances[name] = _total_variation(label_counts(real, name), label_counts(holdout, name))
    distances = {name: distance for name, distance in distances.items() if name not in besides}
    people = _both(real, holdout)
    found = [
        (-distance, name)
        for name, distance in distances.items()
        if distance >= max(LEAST, _chance(real, holdout, name, people, FALSE_ALARMS / len(distances)))
    ]
    return [name for _, name in sorted(found)]


def missing_otherwise(
    real: Table, holdout: Table, besides: Sequence[str] = ()
) -> dict[str, tuple[float, float]]:
    """Return the shares missing in both, of columns where they differ by more than chance and 0.05.

    The farthest comes first. Chance is bounded by Hoeffding's inequality (1963), people counted as above.
    """
    shares = {
        name: (real.null_count(name) / len(real), holdout.null_count(name) / len(holdout))
        for name in real.names
        if name in holdout and name not in besides
    }
    chance = _bounded_chance(_both(real, holdout), FALSE_ALARMS / max(1, len(shares)))
    apart = {name: abs(a - b) for name, (a, b) in shares.items()}
    found = sorted((-one, name) for name, one in apart.items() if one >= max(LEAST_MISSING, chance))
    return {name: shares[name] for _, name in found}


def apparent_drift(real: Table, holdout: Table | None, besides: Sequence[str] = (), threads: int = 0) -> str:
    """Say that the holdout is of another population than the real rows, and in which columns, or ""."""
    if holdout is None or min(len(real), len(holdout)) == 0:
        return ""
    missing = missing_otherwise(real, holdout, besides)
    empty = [name for name, shares in missing.items() if 1.0 in shares]
    names = drifted_columns(real, holdout, [*besides, *empty], threads)
    differ = []
    if names:
        quoted = [f"'{name}'" for name in names]
        differ.append(f"values differ in {_listed(quoted)}")
    if missing:
        shown = [
            f"'{name}' ({percent(a)} of the real rows, {percent(b)} of the holdout)"
            for name, (a, b) in missing.items()
        ]
        differ.append(f"values are missing more often in one of the two in {_listed(shown)}")
    if not differ:
        return ""
    return (
        "The holdout is not of the same population as the real rows, so attacks that are measured against it "
        "cannot be read: they find this difference, whatever the synthetic rows give away. More than by "
        f"chance, {' and '.join(differ)}. Split the real rows at random, by people, to tell the two apart."
    )


def _listed(names: Sequence[str]) -> str:
    shown = first_columns(names, NAMED)
    return ", ".join(shown[:-1]) + (" and " if len(shown) > 1 else "") + shown[-1]


def _total_variation(real: Counter[Any], holdout: Counter[Any]) -> float:
    shares = [
        {
            label: count / max(1, counts.total() - counts[None])
            for label, count in counts.items()
            if label is not None
        }
        for counts in (real, holdout)
    ]
    return sum(abs(shares[0].get(one, 0.0) - shares[1].get(one, 0.0)) for one in {*shares[0], *shares[1]}) / 2


def _both(real: Table, holdout: Table) -> float:
    """How many people a difference between the two is worth."""
    return 1 / (1 / max(1, people_in(real)) + 1 / max(1, people_in(holdout)))


def _bounded_chance(people: float, alarms: float) -> float:
    return math.sqrt(math.log(2 / alarms) / 2 / people)


def _chance(real: Table, holdout: Table, name: str, people: float, alarms: float) -> float:
    """The distance that samples of one population exceed with at most this probability."""
    if real.schema[name].kind in ("integer", "real", "time"):
        return _bounded_chance(people, alarms)
    labels = len(set(label_counts(real, name)) | set(label_counts(holdout, name)))
    free, bound = max(1, labels - 1), math.log(1 / alarms)
    return math.sqrt((free + 2 * math.sqrt(free * bound) + 2 * bound) / people) / 2
