"""Whether two tables of real rows are samples of one population, column by column."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from synthema import _core
from synthema._core import EvaluationContext, SuiteOptions, Table
from synthema.reporting.cells import label_counts
from synthema.reporting.numbers import counted

FALSE_ALARMS = 1e-4  # of all columns together, where nothing differs
LEAST = 0.1  # distance between distributions that is worth a word
NAMED = 3  # columns


def drifted_columns(real: Table, holdout: Table, besides: Sequence[str] = (), threads: int = 0) -> list[str]:
    """Return columns whose distributions differ by more than chance and by at least 0.1, farthest first.

    Distances are those of `column_shapes`: Kolmogorov-Smirnov of numbers, total variation of labels. Chance
    is bounded by Massart's inequality (1990), and by that of Laurent and Massart (2000) for chi squared, with
    people counted where the rows have a subject. Missing values do not count, and columns `besides` are not
    asked.
    """
    shapes = _core.evaluator_named("column_shapes", SuiteOptions())
    score = shapes.evaluate(real, holdout, EvaluationContext(bootstrap=0, threads=threads))
    distances = {part.name: 1 - part.value for part in score.parts if part.value is not None}
    for name in _core.label_columns(real):  # texts, which the evaluation of a table takes for labels too
        if name in holdout and holdout.schema[name].kind == "text":
            distances[name] = _total_variation(label_counts(real, name), label_counts(holdout, name))
    distances = {name: distance for name, distance in distances.items() if name not in besides}
    people = 1 / (1 / max(1, _people(real)) + 1 / max(1, _people(holdout)))
    found = [
        (-distance, name)
        for name, distance in distances.items()
        if distance >= max(LEAST, _chance(real, holdout, name, people, FALSE_ALARMS / len(distances)))
    ]
    return [name for _, name in sorted(found)]


def apparent_drift(real: Table, holdout: Table | None, besides: Sequence[str] = (), threads: int = 0) -> str:
    """Say that the holdout is of another population than the real rows, or ""."""
    if holdout is None or min(len(real), len(holdout)) == 0:
        return ""
    names = drifted_columns(real, holdout, besides, threads)
    if not names:
        return ""
    shown = [f"'{name}'" for name in names[:NAMED]]
    if len(names) > NAMED:
        shown.append(counted(len(names) - NAMED, "other column"))
    listed = ", ".join(shown[:-1]) + (" and " if len(shown) > 1 else "") + shown[-1]
    return (
        "The holdout is not of the same population as the real rows: more than by chance, values differ in "
        f"{listed}. Measures that compare the two, such as those of privacy, mix this difference with what "
        "the synthetic rows give away. Split the real rows at random, by people, to tell them apart."
    )


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


def _people(rows: Table) -> int:
    subjects = [field.name for field in rows.schema.fields if "subject" in field.roles]
    return len(set(rows.values(subjects[0]))) if subjects else len(rows)


def _chance(real: Table, holdout: Table, name: str, people: float, alarms: float) -> float:
    """The distance that samples of one population exceed with at most this probability."""
    if real.schema[name].kind in ("integer", "real", "time"):
        return math.sqrt(math.log(2 / alarms) / 2 / people)
    labels = len(set(label_counts(real, name)) | set(label_counts(holdout, name)))
    free, bound = max(1, labels - 1), math.log(1 / alarms)
    return math.sqrt((free + 2 * math.sqrt(free * bound) + 2 * bound) / people) / 2
