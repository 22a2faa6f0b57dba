"""Rows and identifiers of people that stand in two tables which should have none in common."""

from __future__ import annotations

import numpy as np

from synthema import _core
from synthema._core import EvaluationContext, SuiteOptions, Table
from synthema.reporting.numbers import percent

MORE = 0.05  # of rows or identifiers than chance, that is worth a word


def shared_rows(tested: Table, real: Table, whose: str) -> list[str]:
    """Say that rows which are tested on are rows that were trained on."""
    share = _more_than_fresh(tested, real)
    if share is None:
        return []
    return [
        f"{percent(share)} of the {whose} rows are rows of the real data too: what is tested there "
        "was partly learnt, and its scores are too good. Take them out of one of the two."
    ]


def apparent_overlaps(synthetic: Table, real: Table, holdout: Table) -> list[str]:
    """Sentences about a holdout that is partly the training data, or what the synthetic rows are made of."""
    if found := shared_rows(holdout, real, "holdout"):
        return found  # what is copied from the real rows is copied from the holdout, too
    share = _more_than_fresh(synthetic, holdout)
    if share is None:
        return []
    return [
        f"{percent(share)} of the synthetic rows are rows of the holdout, which no generator "
        "may see: nothing here says how safe they are. Were real rows and holdout exchanged?"
    ]


def reused_identifiers(synthetic: Table, real: Table, holdout: Table | None = None) -> list[str]:
    """Sentences about columns with the role identifier whose synthetic values are those of real rows.

    Numbers of rows and other identifiers that lie close together coincide by chance: the share is held
    against that of the holdout, and against how densely real numbers lie.
    """
    found = []
    for field in real.schema.fields:
        if "identifier" not in field.roles or field.name not in synthetic:
            continue
        known = {one for one in real.values(field.name) if one is not None}
        reused = _share_in(known, synthetic, field.name)
        fresh = max(_density(known), 0.0 if holdout is None else _share_in(known, holdout, field.name))
        if reused > fresh + MORE:
            found.append(
                f"{percent(reused)} of the synthetic values of the identifier '{field.name}' are those of "
                "real rows: whoever knows one finds the person. Draw identifiers afresh, or leave them out."
            )
    return found


def _more_than_fresh(rows: Table, real: Table) -> float | None:
    """The share of rows that equal a real one, where it is more than among real rows."""
    copies = _core.evaluator_named("exact_copies", SuiteOptions())
    score = copies.evaluate(real, rows, EvaluationContext(bootstrap=0))
    if score.value is None or score.ceiling is None or score.value <= score.ceiling.value + MORE:
        return None
    return score.value


def _share_in(known: set[object], rows: Table, name: str) -> float:
    if name not in rows:
        return 0.0
    values = [one for one in rows.values(name) if one is not None]
    return float(np.mean([one in known for one in values])) if values else 0.0


def _density(known: set[object]) -> float:
    """How many of the numbers from the least to the largest are taken; 0 of what is no whole number."""
    numbers = [one for one in known if isinstance(one, (int, float)) and float(one).is_integer()]
    if len(numbers) < len(known) or not numbers:
        return 0.0
    return len(numbers) / (max(numbers) - min(numbers) + 1)
