"""What an evaluation or a fit will cost: time and memory, foretold from two small runs of the same."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from synthema._core import Error, Table
from synthema.evaluation import evaluate
from synthema.reporting.numbers import duration
from synthema.tables import table

__all__ = ["Forecast", "forecast", "forecast_of_fit", "with_remaining"]

SMALL, LARGE = 500, 2000  # rows of the two runs
WIDTH = 40  # bytes that a cell takes in all tables, encodings and indexes together, about


@dataclass(frozen=True)
class Forecast:
    """Seconds by measure or by what is done, all seconds, and bytes of memory, all of them rough."""

    by_name: dict[str, float] = field(default_factory=dict)
    memory_bytes: int = 0

    @property
    def seconds(self) -> float:
        """Seconds of all measures."""
        return sum(self.by_name.values())

    def __str__(self) -> str:
        return f"about {duration(self.seconds)} and {self.memory_bytes / 2**30:.1f} GiB"


def forecast(synthetic: Any, real: Any = None, holdout: Any = None, **options: Any) -> Forecast:
    """Foretell what `evaluate` costs with the same arguments.

    The measures are taken on 500 and on 2,000 rows of each table, and what each takes is carried on to all
    rows by the power that the two runs show, between 1/2 and 2. Expect it to be right within a factor of two.

    Parameters
    ----------
    synthetic, real, holdout : table
        As for `evaluate`.
    **options
        As for `evaluate`; ``progress`` is not called.

    Returns
    -------
    Forecast

    Examples
    --------
    >>> plan = forecast({"x": [1.0, 2.0] * 50}, {"x": [1.0, 2.5] * 50})
    >>> plan.seconds < 60
    True
    """
    options.pop("progress", None)
    tables = [None if one is None else table(one) for one in (synthetic, real, holdout)]
    rows = max(len(one) for one in tables if one is not None)
    runs = [_seconds(tables, size, options) for size in (SMALL, LARGE) if size < rows or size == SMALL]
    cells = sum(len(one) * len(one.names) for one in tables if one is not None)
    return Forecast(_carried_on(runs, rows), 2**28 + WIDTH * cells)


def _carried_on(runs: list[dict[str, float]], rows: int) -> dict[str, float]:
    """Seconds for all rows from those for SMALL and, if there were more, LARGE rows."""
    last = min(rows, LARGE if len(runs) > 1 else SMALL)
    growth = rows / last
    found = {}
    for name, late in runs[-1].items():
        early = runs[0].get(name, late)
        power = math.log(max(late, 1e-6) / max(early, 1e-6)) / math.log(LARGE / SMALL) if len(runs) > 1 else 1
        found[name] = late * growth ** min(2.0, max(0.5, power))
    return found


def forecast_of_fit(make: Callable[[], Any], data: Any) -> Forecast:
    """Foretell what fitting a generator of tables costs, and sampling as many rows.

    It is fitted to the first 500 and the first 2,000 rows, and what that takes is carried on as `forecast`
    does. Expect it to be right within a factor of two or three; a table of no more than 2,000 rows is
    foretold by doing it.

    Parameters
    ----------
    make : callable
        Gives an unfitted generator.
    data : table
        The real rows.

    Returns
    -------
    Forecast
        ``by_name`` has "fit" and "sample".
    """
    real = table(data)
    runs = []
    for size in (SMALL, LARGE):
        if size >= len(real) and runs:
            break
        try:
            runs.append(_seconds_of_fit(make(), real.head(size)))
        except Error:  # a part has labels that too few people have, where the whole has not
            continue
    if not runs:
        runs = [_seconds_of_fit(make(), real)] if len(real) <= LARGE else []
    found = _carried_on(runs, len(real)) if runs else {}
    return Forecast(found, 2**27 + WIDTH * len(real) * len(real.names))


def _seconds_of_fit(generator: Any, real: Table) -> dict[str, float]:
    begun = time.perf_counter()
    generator.fit(real)
    fitted = time.perf_counter()
    generator.sample(len(real), 0)
    return {"fit": fitted - begun, "sample": time.perf_counter() - fitted}


def _seconds(tables: list[Table | None], rows: int, options: dict[str, Any]) -> dict[str, float]:
    some = [None if one is None else one.head(rows) for one in tables]
    report = evaluate(*some, **options)
    return {one.name: one.seconds for one in report.timings}


def with_remaining(progress: Callable[[Any], None], plan: Forecast | None = None) -> Callable[[Any], None]:
    """Return a progress sink that adds how long it will take still.

    With a forecast the measures count by what each should take, corrected by what those done took; without
    one, all alike.

    Parameters
    ----------
    progress : callable
        Called with states that have ``phase``, ``done``, ``total``, ``note`` and ``tokens``.
    plan : Forecast, optional
        From `forecast`.

    Returns
    -------
    callable
        For ``evaluate(..., progress=)``.
    """
    begun = time.monotonic()
    passed: list[str] = []  # measures begun, in order

    def sink(state: Any) -> None:
        weight = plan.by_name if plan else {}
        done = sum(weight.get(name, 0.0) for name in passed) if plan else float(state.done)
        whole = plan.seconds if plan else float(state.total)
        if state.note:
            passed.append(state.note)
        spent = time.monotonic() - begun
        note = state.note
        if done > 0 and spent > 1 and whole > done:
            note += f", about {duration(spent / done * (whole - done))} left"
        progress(SimpleNamespace(phase=state.phase, done=state.done, total=state.total, note=note, tokens=0))

    return sink
