"""What an evaluation or a fit will cost: time and memory, foretold from small runs of the same."""

from __future__ import annotations

import functools
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from synthema._core import Error, EvaluationError, Schema, SchemaError, Table, boosted_trees, label_columns
from synthema.column_kinds import with_kinds
from synthema.evaluation import (
    _text_column,
    check_arguments,
    chosen_names,
    evaluate,
    option_defaults,
    target_column,
)
from synthema.reporting.numbers import duration
from synthema.tables import table

__all__ = ["Forecast", "forecast", "forecast_of_fit", "with_remaining"]

STEPS = (125, 500, 2000)  # rows of the runs
LARGE = STEPS[-1]
BUDGET = 0.8  # seconds of a run; what would take longer on more rows is carried on from fewer
COLUMNS = 24  # of those runs, at most
TRIPLES = 500  # of columns, in those runs
QUERIES, AMONG = 2_048, 20_000  # rows that search, and that are searched, to time a search
CELLS = 500_000  # of the rows that are searched to time it, at most
SURE = 0.02  # seconds whose growth is believed
# Seconds of all runs of a fit after which no larger part is tried, of more than 2,000 rows and of fewer.
LEARNT, PATIENCE = 0.5, 5.0
BELIEF = 0.1  # of a forecast: the share that has as much weight as what was seen so far
BRIEF = 0.1  # seconds of a run of a fit that tell nothing of its growth: others interrupt it
GROWTH = 0.7  # power by which a query's time grows with the rows searched: 0.5 to 0.8 on 50 columns
TREE_ROWS = (2_000, 16_000)  # of which trees are grown to time them
WIDTH = 40  # bytes that a cell takes in all tables, encodings and indexes together, about

# Power by which time grows with the columns: 1 but for these, of pairs of columns or a model of each, and for
# triples, whose number is given.
_POWERS = {
    "trivariate_accuracy": 0,
    **dict.fromkeys(
        (
            "attribute_inference",
            "bivariate_accuracy",
            "classifier_two_sample_logistic",
            "coefficient_overlap",
            "column_pairs",
            "correlation_matrix_difference",
            "correlation_ratio_similarity",
            "cramers_v_similarity",
            "mutual_information_difference",
            "mutual_information_similarity",
            "propensity_ratio",
            "spearman_similarity",
        ),
        2,
    ),
}
_CELLS_OF_TRIPLES = 0.5  # the most by which their time grows with the rows: most of it goes into cells
_PARTS = {"univariate_accuracy", "bivariate_accuracy", "trivariate_accuracy"}  # of "accuracy"
# What is searched or computed by the first of these serves the others.
_SHARED = (
    (
        "support_precision",
        "support_recall",
        "density",
        "coverage",
        "alpha_precision",
        "beta_recall",
        "authenticity",
    ),
    ("mean_discrepancy", "mean_discrepancy_biased"),
)
# Of the level "full", what takes fits, searches or so many rows at most: its time grows little faster than
# the rows, though that of a few hundred rows does.
_GENTLE = {
    *_SHARED[0],
    *_SHARED[1],
    "attribute_inference",
    "augmentation_gain",
    "dcr_share_worst_group",
    "importance_agreement",
    "linkability",
    "membership_by_density",
    "membership_by_model",
    "model_ranking_agreement",
    "nndr_worst_group",
    "rows_worth",
}
# Options of `evaluate` that name columns.
_NAMING = (
    "target",
    "sensitive",
    "duration",
    "event",
    "text_column",
    "label_column",
    "reference_column",
    "quasi_identifiers",
    "secrets",
)


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

    Most measures are taken on 125, 500 and 2,000 rows of each table and on 24 of its columns, the slow ones
    on the fewer rows only, and what each takes is carried on to all rows by the power that the last two runs
    show, between 1/2 and 2, and to all columns by the first or second power. Three kinds take longer than
    that or grow otherwise: of boosted trees a few are grown on 2,000 and 16,000 rows, of nearest rows some
    are looked for among 20,000 rows at most, and of triples of columns some are measured; each is multiplied
    by how many there will be. Measures of nearest rows that are named, or taken at the level "full", search a
    second time for their floors, which is counted. Expect the sum to be right within a factor of two, and to
    be rough where the evaluation itself takes no longer than a few seconds, and at the level "full". A
    learner that is not ours is fitted to the fewest rows at least.

    Parameters
    ----------
    synthetic, real, holdout : table
        As for `evaluate`.
    **options
        As for `evaluate`; ``progress`` is not called.

    Returns
    -------
    Forecast

    Raises
    ------
    ConfigError, EvaluationError
        For what `evaluate` refuses too.

    Examples
    --------
    >>> plan = forecast({"x": [1.0, 2.0] * 50}, {"x": [1.0, 2.5] * 50})
    >>> plan.seconds < 60
    True
    """
    check_arguments("forecast", options)
    options = option_defaults() | options | {"progress": None}
    tables = [
        table(synthetic),
        *(None if one is None else table(one) for one in (real, holdout)),
    ]
    rows = max(len(one) for one in tables if one is not None)
    cells = sum(len(one) * len(one.names) for one in tables if one is not None)
    asked = chosen_names(tables[0], tables[1], options)
    few, wider = _fewer_columns(tables, options)
    rest = dict(options)
    found: dict[str, float] = {}
    if tables[1] is not None:
        names = {one for one in asked if isinstance(one, str)}
        found |= _of_trees(*tables, few[1], wider, names, options)
        if rows > LARGE:
            found |= _of_nearest_rows(*tables, names, options)
        asked = [one for one in asked if one not in found]
        rest["triples"] = min(TRIPLES, options["triples"])
    whole = "accuracy" in asked
    if whole:
        asked = [one for one in asked if one != "accuracy" and one not in _PARTS] + sorted(_PARTS)
    if asked:
        # What is left at the default level passes once over the rows.
        plain = options["metrics"] == "auto" and options["level"] == "default"
        usual = _carried_on(
            _ladder(few, rows, asked, rest),
            rows,
            1.1 if plain and rows > LARGE else 2.0,
            options["discrepancy_rows"] or rows,
        )
        usual = {name: taken * wider ** _POWERS.get(name, 1) for name, taken in usual.items()}
        if "trivariate_accuracy" in usual and (done := _triples(few, rest)):
            usual["trivariate_accuracy"] *= max(1.0, _triples(tables, options) / done)
        if whole:
            usual["accuracy"] = sum(usual[name] for name in _PARTS)
            usual |= dict.fromkeys(_PARTS, 0.0)  # which then are there already
        found |= usual
    names = {one if isinstance(one, str) else one.name for one in chosen_names(tables[0], tables[1], options)}
    return Forecast({name: found[name] for name in found if name in names}, 2**28 + WIDTH * cells)


def _fewer_columns(tables: list[Table | None], options: dict[str, Any]) -> tuple[list[Any], float]:
    """The tables with some columns of each kind and all that are named; how many times as wide they are."""
    first = tables[0] if tables[1] is None else tables[1]
    fields = [one for one in first.schema.fields if one.name in tables[0]]  # type: ignore[union-attr,operator]
    if len(fields) <= COLUMNS:
        return tables, 1.0
    named = {_text_column(tables[0], options["text_column"], tables[1])}  # type: ignore[arg-type]
    for one in _NAMING:
        given = options[one] or ()
        named |= {given} if isinstance(given, str) else set(given)
    kept = {one.name for one in fields if one.name in named or one.roles}
    others = sorted((one for one in fields if one.name not in kept), key=lambda one: one.kind)
    more = min(len(others), max(COLUMNS - len(kept), COLUMNS // 2))
    kept |= {others[i * len(others) // more].name for i in range(more)}
    few = [
        None if one is None else one.select([f.name for f in fields if f.name in kept and f.name in one])
        for one in tables
    ]
    return few, len(fields) / len(kept)


# Rows and seconds of the runs of a measure.
_Runs = dict[str, list[tuple[int, float]]]


def _ladder(tables: list[Table | None], rows: int, asked: list[Any], options: dict[str, Any]) -> _Runs:
    """Take each measure on more and more rows, as long as it does not take long."""
    found: _Runs = {}
    for size in STEPS:
        size = min(size, rows)
        taken = _seconds(tables, size, options | {"metrics": asked})
        if (
            size == LARGE and sum(taken.values()) < BUDGET / 2
        ):  # of little time interruptions are a large part
            again = _seconds(tables, size, options | {"metrics": asked})
            taken = {name: min(one, again[name]) for name, one in taken.items()}
        _add(found, size, taken)
        left, swift = BUDGET, []
        for one in sorted(asked, key=lambda one: taken.get(getattr(one, "name", one), 0.0)):
            left -= taken.get(getattr(one, "name", one), 0.0) * STEPS[1] / STEPS[0]
            if left >= 0:
                swift.append(one)
        asked = swift
        if size == rows or not asked:
            break
    for group in _SHARED:
        _put_together(found, [name for name in group if name in found])
    return found


def _put_together(runs: _Runs, names: list[str]) -> None:
    """Give the time of all to the first: which of them took it is chance."""
    sums: dict[int, float] = {}
    for name in names:
        for size, seconds in runs[name]:
            sums[size] = sums.get(size, 0.0) + seconds
        runs[name] = [(size, 0.0) for size, _ in runs[name]]
    if names:
        runs[names[0]] = sorted(sums.items())


def _triples(tables: list[Table | None], options: dict[str, Any]) -> int:
    shared = len([one for one in tables[0].names if tables[1] is None or one in tables[1]])  # type: ignore[union-attr]
    return min(options["triples"], math.comb(shared, 3))


def _cores(options: dict[str, Any]) -> int:
    return options["threads"] or os.cpu_count() or 1


# Fits side by side on all cores, each of `trees` trees on `rows` rows: (fits, rows, trees).
_Fits = list[tuple[int, int, float]]


def _of_trees(
    synthetic: Table,
    real: Table,
    holdout: Table | None,
    few: Table,
    wider: float,
    names: set[str],
    options: dict[str, Any],
) -> dict[str, float]:
    """Seconds of the measures that are all boosted trees at the default level."""
    asked = names & {"classifier_two_sample", "train_synthetic_test_real"}
    target = options["target"] or target_column(real)
    if options["learner"] != "boosted_trees" or not target or target not in real:
        asked -= {"train_synthetic_test_real"}
    if not asked:
        return {}
    outputs, of_tree = _tree_seconds(few, target, options["target_labels"])
    rows, held = len(real), 0 if holdout is None else len(holdout)

    def seconds(fits: _Fits) -> float:
        count = sum(one for one, _, _ in fits)
        mean = sum(one * trees * of_tree(size) for one, size, trees in fits) / count
        return wider * math.ceil(count / _cores(options)) * mean

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


def _tree_seconds(real: Table, target: str | None, most_labels: int) -> tuple[int, Callable[[int], float]]:
    """Trees a round for the target, and seconds of one tree by rows."""
    some = real.head(TREE_ROWS[1])
    some = with_kinds(some, dict.fromkeys(label_columns(some), "category"))  # as `evaluate` reads them
    sizes = [one for one in TREE_ROWS if one == TREE_ROWS[0] or len(some) >= 2 * TREE_ROWS[0]]
    parts = [some.head(one) for one in sizes]
    for name in [target, *real.names]:
        if not name or name not in real:
            continue
        try:
            taken = [_seconds_of_tree(part, name, most_labels) for part in parts]
        except (EvaluationError, SchemaError):  # another column tells as much
            continue
        outputs = _outputs(some, name, most_labels)
        return outputs, functools.partial(_of_tree, [len(part) for part in parts], taken)
    return 1, lambda _: 0.0


def _outputs(rows: Table, target: str, most_labels: int) -> int:
    """Trees of a round."""
    labels = len(set(rows.values(target))) if rows.schema[target].kind in ("category", "text") else 2
    classes = min(labels, most_labels or labels)
    return classes if classes > 2 else 1


def _of_tree(sizes: list[int], taken: list[float], rows: int) -> float:
    """Seconds of a tree on so many rows, from those on one or two numbers of rows."""
    if len(sizes) == 1:  # the fewer the rows, the fewer the leaves
        return taken[0] * rows / max(1, sizes[0])
    slope = max(0.0, taken[1] - taken[0]) / (sizes[1] - sizes[0])
    return max(0.0, taken[0] + slope * (rows - sizes[0]))


def _seconds_of_tree(part: Table, target: str, most_labels: int) -> float:
    """Seconds of one tree: those of many rounds less those of one."""
    outputs = _outputs(part, target, most_labels)
    more = max(1, min(60, 80_000 // max(1, len(part))) // outputs)
    one, many = (
        min(_boosting_seconds(part, target, rounds, most_labels) for _ in range(2 if outputs == 1 else 1))
        for rounds in (1, 1 + more)
    )
    return max(0.0, many - one) / (more * outputs)


def _boosting_seconds(part: Table, target: str, rounds: int, most_labels: int) -> float:
    begun = time.thread_time()  # one thread does it all, and what else the machine does is left out
    trees = boosted_trees(rounds=rounds, early_stopping_from=len(part) + 1)
    trees.fit(part, target, threads=1, target_labels=most_labels)
    return time.thread_time() - begun


# What is searched: from the rows of one table among those of another; s, t and h are synthetic, real and
# holdout rows, f the holdout or without one the real rows, capitals as many of each. Measures share searches.
_SEARCHES = {
    "dcr": "st ft",
    "dcr_share": "st sh",
    "near_copies": "st ht",
    "nndr": "st ft",
    "identifiability": "tt ts",
    "nnaa": "ST TS TT SS",
    "nnaa_privacy_loss": "ST TS TT SS SH HS HH",
    "membership_by_distance": "ts hs",
}


def _of_nearest_rows(
    synthetic: Table, real: Table, holdout: Table | None, names: set[str], options: dict[str, Any]
) -> dict[str, float]:
    """Seconds of the measures of nearest rows, with floors where they are named or the level is full."""
    asked = [name for name in _SEARCHES if name in names]
    if not asked:
        return {}
    among = real.head(min(AMONG, max(LARGE, CELLS // max(1, len(real.names)))))
    shared = [one for one in synthetic.names if one in real]
    several = min(QUERIES, max(QUERIES // 8, QUERIES * 50 // max(1, len(shared))))

    def probe(queries: int) -> float:
        begun = time.perf_counter()
        some = synthetic.head(queries)
        evaluate(some, among, some, metrics=["dcr"], threads=options["threads"])
        return time.perf_counter() - begun

    few = several // 4
    begin = probe(few)
    # A probe searches four times, from synthetic and from holdout rows, for the score and for its floor, in
    # two indexes. Queries that are many lie closer to each other and help each other: they take about half.
    query = max(0.0, probe(several) - begin) / (4 * (several - few)) / 2
    cell = begin / (2 * len(among) * len(real.names))
    floors = options["metrics"] != "auto" or options["level"] == "full"
    counts = {"t": len(real), "h": 0 if holdout is None else len(holdout)}
    found = dict.fromkeys(asked, 0.0)
    # A floor looks for rows in the place of the synthetic ones, and shares no search with the score.
    for those in [len(synthetic), min(len(synthetic), len(real))][: 1 + floors]:
        rows = counts | {"s": those}
        found[asked[0]] += cell * len(real.names) * sum(rows.values())
        for name, ends in _searched(asked, rows).items():
            found[name] += sum(query * begins * (among_ / len(among)) ** GROWTH for begins, among_ in ends)
    return found


def _searched(asked: list[str], rows: dict[str, int]) -> dict[str, list[tuple[int, int]]]:
    """Of each measure the searches that no measure before it made: rows that search, and among how many."""
    least = min(count for count in rows.values() if count)
    made: set[str] = set()
    out: dict[str, list[tuple[int, int]]] = {name: [] for name in asked}
    for name in asked:
        for search in _SEARCHES[name].replace("f", "h" if rows["h"] else "t").split():
            small = search.lower()
            equal = search != small and any(rows[one] != least for one in small)
            key = search if equal else small
            if key in made or not all(rows[one] for one in small):
                continue
            made.add(key)
            out[name].append((least, least) if equal else (rows[small[0]], rows[small[1]]))
    return out


def _add(runs: _Runs, rows: int, taken: dict[str, float]) -> None:
    for name, seconds in taken.items():
        runs.setdefault(name, []).append((rows, seconds))


def _carried_on(
    runs: _Runs, rows: int, steepest: float = 2.0, discrepancy_rows: int = 5000
) -> dict[str, float]:
    """Seconds for all rows from those of one run or more."""
    found = {}
    for name, points in runs.items():
        last, late = points[-1]
        of_all = min(rows, max(last, discrepancy_rows)) if name.startswith("mean_discrepancy") else rows
        power = 1.0
        if len(points) > 1:
            before, early = points[-2]
            power = math.log(max(late, 1e-6) / max(early, 1e-6)) / math.log(last / before)
        # Of little time an interruption by others is a large part.
        most = steepest if late > SURE else min(steepest, 1.2)
        if name == "trivariate_accuracy":
            most = _CELLS_OF_TRIPLES
        elif name in _GENTLE:
            most = min(most, 1.1)
        found[name] = late * (of_all / max(1, last)) ** min(most, max(0.5, power))
    return found


def forecast_of_fit(make: Callable[[], Any], data: Any) -> Forecast:
    """Foretell what fitting a generator of tables costs, and sampling as many rows.

    It is fitted to the first 125, 500 and 2,000 rows and on to four times as many each, until all runs
    together took `LEARNT` seconds, or `PATIENCE` of fewer rows (a wide table, a network), and what the last
    run took is carried on to all rows by the power that the last two show. Expect it to be right within a
    factor of two or three. The whole table is fitted only if it has no more than 125 rows, or its parts
    cannot be.

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
    runs: _Runs = {}
    size, spent = STEPS[0], 0.0
    while not runs or (size < len(real) and spent < (LEARNT if size > LARGE else PATIENCE)):
        try:
            taken = _seconds_of_fit(make(), real.head(size))
        except Error:  # a part has labels that too few people have, where the whole has not
            if size >= len(real):
                raise
        else:
            _add(runs, min(size, len(real)), taken)
            spent += sum(taken.values())
        size *= 4
    found = {name: _carried_on_of_fit(points, len(real)) for name, points in runs.items()}
    return Forecast(found, 2**27 + WIDTH * len(real) * len(real.names))


def _carried_on_of_fit(points: list[tuple[int, float]], rows: int) -> float:
    """Seconds for all rows from those of some runs."""
    last, late = points[-1]
    power = 1.0
    if len(points) > 1 and late > BRIEF:
        before, early = points[-2]
        power = min(1.3, max(0.5, math.log(late / max(early, 1e-6)) / math.log(last / before)))
    return late * (rows / max(1, last)) ** power


def _seconds_of_fit(generator: Any, real: Table) -> dict[str, float]:
    begun = time.perf_counter()
    generator.fit(real)
    fitted = time.perf_counter()
    generator.sample(len(real), 0)
    return {"fit": fitted - begun, "sample": time.perf_counter() - fitted}


def _seconds(tables: list[Table | None], rows: int, options: dict[str, Any]) -> dict[str, float]:
    some = [None if one is None else _part(one, rows) for one in tables]
    report = evaluate(*some, **options)
    return {one.name: one.seconds for one in report.timings}


def _part(whole: Table, rows: int) -> Table:
    """The first rows, made anew, so that they know no labels but their own, or a short list that was stated.

    Measures look at all labels of a column; what a hundred thousand of them take does not grow with the rows.
    """
    part = whole.head(rows)
    if all(one.kind != "category" for one in part.schema.fields):
        return part
    stated = json.loads(part.schema.to_json())
    if any(len(one.get("categories", ())) > rows for one in stated["fields"]):
        stated |= {"rules": [], "groups": []}  # which may name labels that are left out
    for one in stated["fields"]:
        if len(one.get("categories", ())) > rows:
            there = set(part.values(one["name"]))
            one["categories"] = [label for label in one["categories"] if label in there]
    return Table.from_records(Schema.from_json(json.dumps(stated)), part.records())


def with_remaining(progress: Callable[[Any], None], plan: Forecast | None = None) -> Callable[[Any], None]:
    """Return a progress sink that adds how long it will take still.

    With a forecast the measures count by what each should take, corrected by what those done took: the more,
    the larger their share of the whole is (`BELIEF`), as the first measures are short and say little of the
    long ones. Without a forecast all count alike.

    Parameters
    ----------
    progress : callable
        Called with states that have ``phase``, ``done``, ``total``, ``note`` and ``tokens``. After the first
        second ``note`` ends with the time that is left: "accuracy, about 20 s left".
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
            belief = BELIEF * whole if plan else 0.0
            slower = (spent + belief) / (done + belief)
            note += f", about {duration(slower * (whole - done))} left"
        progress(SimpleNamespace(phase=state.phase, done=state.done, total=state.total, note=note, tokens=0))

    return sink
