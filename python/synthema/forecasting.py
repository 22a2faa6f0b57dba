"""What an evaluation or a fit will cost: time and memory, foretold from small runs of the same."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from synthema._core import Error, Table, boosted_trees
from synthema.evaluation import chosen_names, evaluate
from synthema.reporting.numbers import duration
from synthema.tables import table

__all__ = ["Forecast", "forecast", "forecast_of_fit", "with_remaining"]

SMALL, LARGE = 500, 2000  # rows of the two runs
TRIPLES = 500  # of columns, in those runs
QUERIES, AMONG = 2_048, 20_000  # rows that search, and that are searched, to time a search
SURE = 0.02  # seconds whose growth is believed
GROWTH = 0.7  # power by which a query's time grows with the rows searched: 0.5 to 0.8 on 50 columns
ROUNDS = (2, 12)  # of boosting, to time a tree
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
    """Foretell what `evaluate` costs with the same arguments, in a second or two.

    Most measures are taken on 500 and on 2,000 rows of each table, and what each takes is carried on to
    all rows by the power that the two runs show, between 1/2 and 2. Three kinds take longer than that or
    grow otherwise: of boosted trees a few are grown on 1,000 and 8,000 rows, of nearest rows some are looked
    for among 20,000 rows, and of triples of columns some are measured; each is multiplied by how many there
    will be. Expect the sum to be right within a factor of two. Where the learner is not ours, its fits count
    as most measures do, and the forecast takes as long as they do.

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
    cells = sum(len(one) * len(one.names) for one in tables if one is not None)
    asked = chosen_names(tables[0], tables[1], options)
    rest = dict(options)
    found: dict[str, float] = {}
    if tables[1] is not None and rows > LARGE:
        for special in (_of_trees, _of_nearest_rows):
            found |= special(*tables, {one if isinstance(one, str) else "" for one in asked}, options)
        asked = [one for one in asked if one not in found]
        rest["triples"] = min(TRIPLES, options.get("triples", 10_000))
    if asked:
        runs = [
            _seconds(tables, size, rest | {"metrics": asked})
            for size in (SMALL, LARGE)
            if size < rows or size == SMALL
        ]
        if rows > LARGE:  # the second time is the better one: nothing is new, and interruptions are rare
            again = _seconds(tables, LARGE, rest | {"metrics": asked})
            runs[-1] = {name: min(taken, again[name]) for name, taken in runs[-1].items()}
        # What is left at the default level passes once over the rows.
        plain = options.get("metrics", "auto") == "auto" and options.get("level", "default") == "default"
        usual = _carried_on(runs, rows, 1.1 if plain and rows > LARGE else 2.0)
        if rest.get("triples", 0) and (times := _triples(tables, options) / rest["triples"]) > 1:
            for name in {"accuracy", "trivariate_accuracy"} & set(usual):
                usual[name] = max(usual[name], runs[-1][name] * times)
        found |= usual
    return Forecast(found, 2**28 + WIDTH * cells)


def _triples(tables: list[Table | None], options: dict[str, Any]) -> int:
    shared = len([one for one in tables[0].names if tables[1] is None or one in tables[1]])  # type: ignore[union-attr]
    return min(options.get("triples", 10_000), math.comb(shared, 3))


def _cores(options: dict[str, Any]) -> int:
    return options.get("threads") or os.cpu_count() or 1


# Fits side by side on all cores, each of `trees` trees on `rows` rows: (fits, rows, trees).
_Fits = list[tuple[int, int, float]]


def _of_trees(
    synthetic: Table, real: Table, holdout: Table | None, names: set[str], options: dict[str, Any]
) -> dict[str, float]:
    """Seconds of the measures that are all boosted trees at the default level."""
    asked = names & {"classifier_two_sample", "train_synthetic_test_real"}
    target = options.get("target")
    if options.get("learner", "boosted_trees") != "boosted_trees" or not target or target not in real:
        asked -= {"train_synthetic_test_real"}
    if not asked:
        return {}
    outputs, of_tree, of_row = _tree_seconds(real, target)
    rows, held = len(real), 0 if holdout is None else len(holdout)

    def seconds(fits: _Fits) -> float:
        return sum(
            math.ceil(count / _cores(options)) * trees * (of_tree + of_row * size)
            for count, size, trees in fits
        )

    def rounds(size: int) -> int:
        return 100 if size <= 10_000 else 60  # beyond, boosting ends early

    found = {}
    if "classifier_two_sample" in asked:
        pooled = [len(synthetic) + rows, *([len(synthetic) + held, rows + held] if held else []), rows]
        fits = [
            (
                5 if i == 0 or (i < len(pooled) - 1 and size < 20_000) else 1,
                size * 4 // 5,
                rounds(size * 4 // 5),
            )
            for i, size in enumerate(pooled)
        ]
        found["classifier_two_sample"] = seconds(fits)
    if "train_synthetic_test_real" in asked:
        size = max(len(synthetic), rows)
        found["train_synthetic_test_real"] = seconds([(9, size, 1.2 * outputs * rounds(size))])
    return found


def _tree_seconds(real: Table, target: str | None) -> tuple[int, float, float]:
    """Trees a round for the target; seconds of one tree, and what each row adds to them."""
    for name in [target, *real.names]:
        if name is None or name not in real:
            continue
        try:
            some = real.head(8 * SMALL)
            labels = len(set(some.values(name))) if real.schema[name].kind in ("category", "text") else 2
            taken = []
            for size in (2 * SMALL, 16 * SMALL):
                part = real.head(size)
                few, many = (_boosting_seconds(part, name, rounds) for rounds in ROUNDS)
                taken.append((len(part), max(0.0, many - few) / (ROUNDS[1] - ROUNDS[0])))
        except Error:
            continue
        outputs = labels if labels > 2 else 1
        (few_rows, early), (many_rows, late) = taken
        slope = max(0.0, late - early) / max(1, many_rows - few_rows) / outputs
        start = max(0.0, early / outputs - slope * few_rows)
        return outputs, start, slope
    return 1, 0.0, 0.0


def _boosting_seconds(part: Table, target: str, rounds: int) -> float:
    begun = time.perf_counter()
    boosted_trees(rounds=rounds, early_stopping_from=len(part) + 1).fit(part, target, threads=1)
    return time.perf_counter() - begun


# What is searched at the default level: from the rows of one table among those of another; s, t and h are
# synthetic, real and holdout rows, capitals as many of each.
_SEARCHES = {
    "dcr": "st ht",
    "dcr_share": "sh",
    "near_copies": "",
    "nndr": "",
    "identifiability": "tt ts",
    "nnaa": "ST TS TT SS",
    "nnaa_privacy_loss": "SH HS HH",
    "membership_by_distance": "hs",
}


def _of_nearest_rows(
    synthetic: Table, real: Table, holdout: Table | None, names: set[str], options: dict[str, Any]
) -> dict[str, float]:
    """Seconds of the measures of nearest rows at the default level."""
    if options.get("level", "default") != "default" or not (asked := names & set(_SEARCHES)):
        return {}
    among = real.head(AMONG)

    def probe(queries: int) -> float:
        begun = time.perf_counter()
        some = synthetic.head(queries)
        evaluate(some, among, some, metrics=["dcr"], threads=options.get("threads", 0))
        return time.perf_counter() - begun

    few = QUERIES // 4
    begin = probe(few)
    # Queries that are many lie closer to each other and help each other: they take about half.
    query = max(0.0, probe(QUERIES) - begin) / (2 * (QUERIES - few)) / 2
    cell = begin / (len(among) * len(real.names))
    rows = {"s": len(synthetic), "t": len(real), "h": 0 if holdout is None else len(holdout)}
    least = min(count for count in rows.values() if count)
    rows |= {one.upper(): min(count, least) for one, count in rows.items()}
    if rows["s"] == rows["t"] == least:  # these searches were made before
        rows["S"] = rows["T"] = 0
    found = {name: 0.0 for name in asked}
    for name in asked:
        for searched in _SEARCHES[name].split():
            begins, ends = (rows[one] or (least if one in "ST" else 0) for one in searched)
            if searched in ("ST", "TS", "TT") and rows["S"] == 0:
                continue
            found[name] += query * begins * (ends / len(among)) ** GROWTH
    found[min(asked)] += cell * len(real.names) * sum(rows[one] for one in "sth")
    return found


def _carried_on(runs: list[dict[str, float]], rows: int, steepest: float = 2.0) -> dict[str, float]:
    """Seconds for all rows from those for SMALL and, if there were more, LARGE rows."""
    last = min(rows, LARGE if len(runs) > 1 else SMALL)
    growth = rows / last
    found = {}
    for name, late in runs[-1].items():
        early = runs[0].get(name, late)
        power = math.log(max(late, 1e-6) / max(early, 1e-6)) / math.log(LARGE / SMALL) if len(runs) > 1 else 1
        # Of little time an interruption by others is a large part.
        most = steepest if late > SURE else min(steepest, 1.2)
        found[name] = late * growth ** min(most, max(0.5, power))
    return found


def forecast_of_fit(make: Callable[[], Any], data: Any) -> Forecast:
    """Foretell what fitting a generator of tables costs, and sampling as many rows.

    It is fitted to the first 500 and the first 2,000 rows, and what that takes is carried on as `forecast`
    does for most measures. Expect it to be right within a factor of two or three; a table of no more than
    2,000 rows is foretold by doing it.

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
