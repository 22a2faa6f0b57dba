"""Study [61]: rows from a description and published statistics alone, without any patient's row.

Barr et al. (2025) let GPT-4o write perioperative tables, first from a description (phase 1), then from means,
spreads and shares (phase 2), and test each parameter against the real data set. Here a Gaussian copula under
the same statistics stands beside a small local language model, which is asked for one row at a time under the
mask of the schema, with the statistics in the prompt and without them.
"""

from __future__ import annotations

import importlib.util
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

from synthema._core import ConfigError, Field, ParseError, Schema, Table
from synthema.config import Key
from synthema.recipes import Recipe
from synthema.study import DataCard
from synthema.table_study import Contender, Job, TableStudy, rows_as_text

KEYS = {
    "statistics": Key(
        "text",
        "JSON or TOML file of published statistics; default: those of scikit-learn's diabetes table",
        file=True,
    ),
    "data": Key(
        "text", "real rows to compare with, which no contender sees; default: none, or that table", file=True
    ),
    "description": Key("text", "of the cohort, for the language model"),
    "language_rows": Key("integer", "rows that the language model writes; 0: it is left out", minimum=0),
}
DEFAULTS = {"statistics": "", "data": "", "description": "", "language_rows": 40}
_AGAINST_ROWS = ("univariate_accuracy", "correlation_matrix_difference", "propensity_ratio", "exact_copies")
_SIGNIFICANT = 1.96  # two-sided at 5 %


def diabetes() -> Table:
    """Return the diabetes table of scikit-learn (Efron et al. 2004): 442 patients, measurements as taken."""
    if importlib.util.find_spec("sklearn") is None:
        raise ConfigError(
            "recipe published_statistics: The default statistics are of a table of scikit-learn, which is "
            "not installed; install it or name a file in 'statistics'."
        )
    from sklearn.datasets import load_diabetes

    from synthema.tables import table

    data = load_diabetes(scaled=False)
    names = ["age", "sex", "bmi", "blood_pressure", "cholesterol", "ldl", "hdl", "ratio", "triglycerides_log",
             "glucose"]  # fmt: skip
    decimals = {"bmi": 1, "blood_pressure": 1, "ldl": 1, "ratio": 2, "triglycerides_log": 2}
    columns: dict[str, Any] = {}
    fields = []
    for i, name in enumerate(names):
        values = data.data[:, i]
        if name == "sex":
            columns[name] = [("1", "2")[int(v) - 1] for v in values]
            fields.append(Field(name, "category", categories=["1", "2"]))
        elif name in decimals:
            columns[name] = [round(float(v), decimals[name]) for v in values]
            fields.append(Field(name, "real", decimals=decimals[name]))
        else:
            columns[name] = [round(float(v)) for v in values]
            fields.append(Field(name, "integer"))
    columns["progression"] = [int(v) for v in data.target]
    fields.append(Field("progression", "integer"))
    return table(columns, Schema(fields, name="diabetes", source="Efron et al. 2004, as scikit-learn has it"))


def statistics_of(real: Table, digits: int = 3) -> dict[str, Any]:
    """Return what a publication would print of a table: the form that `GaussianCopula.from_statistics` reads.

    Parameters
    ----------
    real : Table
        Numbers and labels. Of a private table these are private until somebody decided to publish them.
    digits : int
        Of what is printed, significant; correlations have two decimals.
    """
    columns: list[dict[str, Any]] = []
    numeric: dict[str, list[float]] = {}
    for field in real.schema.fields:
        values = [v for v in real.values(field.name) if v is not None]
        one: dict[str, Any] = {"name": field.name, "kind": field.kind}
        if len(values) < len(real):
            one["missing"] = round(1 - len(values) / len(real), 3)
        if field.kind in ("real", "integer"):
            mean = sum(values) / len(values)
            sd = math.sqrt(sum((v - mean) ** 2 for v in values) / max(1, len(values) - 1))
            one |= {"mean": _rounded(mean, digits + 1), "sd": _rounded(sd, digits)}
            one |= {"minimum": min(values), "maximum": max(values)}
            if field.decimals is not None:
                one["decimals"] = field.decimals
            numeric[field.name] = real.values(field.name)
        elif field.kind == "boolean":
            one["share"] = round(sum(values) / len(values), 3)
            numeric[field.name] = [None if v is None else float(v) for v in real.values(field.name)]
        else:
            one["kind"] = "category"
            counts = Counter(str(v) for v in values)
            labels = field.categories or sorted(counts)
            one["counts"] = {label: counts[label] for label in labels if counts[label]}
            place = {label: i for i, label in enumerate(one["counts"])}
            numeric[field.name] = [None if v is None else place[str(v)] for v in real.values(field.name)]
        columns.append(one)
    names = list(numeric)
    pairs = [
        [a, b, round(_correlation(numeric[a], numeric[b]), 2)]
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    ]
    return {
        "name": real.schema.name or "table",
        "source": real.schema.source,
        "rows": len(real),
        "columns": columns,
        "correlations": [pair for pair in pairs if pair[2]],
    }


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _correlation(a: list[Any], b: list[Any]) -> float:
    both = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    n = len(both)
    mx, my = sum(x for x, _ in both) / n, sum(y for _, y in both) / n
    xy = sum((x - mx) * (y - my) for x, y in both)
    xx, yy = sum((x - mx) ** 2 for x, _ in both), sum((y - my) ** 2 for _, y in both)
    return xy / math.sqrt(xx * yy) if xx > 0 and yy > 0 else 0.0


def parameters_similar(statistics: dict[str, Any]) -> Any:
    """Make the evaluator of the study: the share of parameters that do not differ from the published ones.

    A number is tested by Welch's t of its mean, a label by the z of its share, at 5 % two-sided and without a
    correction for many tests, as the study does; a category is similar where all its labels are. Few rows
    make everything similar: look at the parts.

    Parameters
    ----------
    statistics : dict
        Published statistics with ``rows``, the number of people behind them.
    """
    from synthema.evaluators import evaluator

    people = statistics.get("rows") or math.inf

    @evaluator(direction="higher", range=(0, 1))
    def parameters_similar(real: Any, synthetic: Any, context: Any) -> dict[str, Any]:
        """Share of parameters whose mean or shares do not differ significantly from the published ones."""
        parts = []
        for one in statistics["columns"]:
            values = [v for v in synthetic.values(one["name"]) if v is not None]
            worst = _distance(one, values, people)
            if worst is not None:
                parts.append({"name": one["name"], "value": 1.0 if worst < _SIGNIFICANT else 0.0,
                              "n": len(values), "note": f"largest statistic {worst:.2f}"})  # fmt: skip
        share = sum(part["value"] for part in parts) / len(parts) if parts else None
        return {"value": share, "n": len(synthetic), "parts": parts}

    return parameters_similar


def _distance(one: dict[str, Any], values: list[Any], people: float) -> float | None:
    """Largest test statistic of one column; nothing where the publication gives neither mean nor shares."""
    n = len(values)
    if n < 2:
        return math.inf
    if "mean" in one:
        mean = sum(values) / n
        variance = sum((v - mean) ** 2 for v in values) / (n - 1)
        error = math.sqrt(variance / n + one["sd"] ** 2 / people)
        return abs(mean - one["mean"]) / error if error > 0 else (0.0 if mean == one["mean"] else math.inf)
    if "share" in one:
        shares = {True: one["share"]}
    elif "counts" in one:
        total = sum(one["counts"].values())
        shares = {label: count / total for label, count in one["counts"].items()}
    else:
        return None
    counts = Counter(values)
    worst = 0.0
    for label, share in shares.items():
        found = counts[label] / n
        pooled = (found * n + share * people) / (n + people) if math.isfinite(people) else share
        error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / people))
        if error > 0:
            worst = max(worst, abs(found - share) / error)
        elif found != share:
            worst = math.inf
    return worst


def described(statistics: dict[str, Any], *, numbers: bool) -> str:
    """Return the cohort in words, for a prompt: column by column, with the statistics or with ranges only."""
    lines = []
    for one in statistics["columns"]:
        text = f"{one['name']}"
        if unit := one.get("unit"):
            text += f" in {unit}"
        if "minimum" in one and "maximum" in one:
            text += f", from {one['minimum']:g} to {one['maximum']:g}"
        if numbers and "mean" in one:
            text += f", mean {one['mean']:g}, standard deviation {one['sd']:g}"
        if numbers and "median" in one:
            text += f", median {one['median']:g}, quartiles {one['q1']:g} and {one['q3']:g}"
        if numbers and "share" in one:
            text += f", true in {one['share']:.0%}"
        if "counts" in one:
            total = sum(one["counts"].values())
            labels = [f"{k} ({v / total:.0%})" if numbers else k for k, v in one["counts"].items()]
            text += ", one of " + ", ".join(labels)
        lines.append("- " + text)
    return "\n".join(lines)


def _read(path: Path) -> dict[str, Any]:
    from synthema.tabular_generation.gaussian_copula import statistics_text

    try:
        found = json.loads(statistics_text(path))
    except json.JSONDecodeError as error:
        raise ParseError(f"{path}: The statistics are not valid JSON: {error}.") from None
    if not isinstance(found, dict) or not isinstance(found.get("columns"), list):
        raise ParseError(f"{path}: The statistics need a list 'columns' that describes each column.")
    return found


def make(values: dict[str, Any]) -> TableStudy:
    """Compose the study from its values."""
    from synthema import tables, tabular_generation

    real = tables.read(Path(values["data"])) if values["data"] else None
    if values["statistics"]:
        statistics = _read(Path(values["statistics"]))
    else:
        real = real or diabetes()
        statistics = statistics_of(real)
    copula = tabular_generation.GaussianCopula.from_statistics(statistics)
    about = values["description"] or f"Patients of the study '{copula.schema.name or 'cohort'}'."

    def written(numbers: bool) -> Any:
        def write(job: Job) -> Table:
            return rows_as_text(
                job,
                copula.schema,
                instruction=f"{about}\n{described(statistics, numbers=numbers)}",
                query="One patient:",
            )

        return write

    contenders = [
        Contender("copula", "Copula under the statistics", lambda job: copula.sample(job.rows, job.seed))
    ]
    if values["language_rows"]:
        for name, title, numbers in (
            ("language_model_statistics", "Language model with the statistics", True),
            ("language_model_description", "Language model with ranges only", False),
        ):
            contenders.append(Contender(name, title, written(numbers), most_rows=values["language_rows"]))
    return TableStudy(
        name="published_statistics",
        title="Rows from published statistics",
        subtitle="recipe published_statistics, after study [61]",
        contenders=contenders,
        settings={"recipe": "published_statistics", "values": values},
        reference=real,
        metrics=(parameters_similar(statistics), *(_AGAINST_ROWS if real is not None else ())),
        rows=0 if real is not None else int(statistics.get("rows") or 500),
        seed=1,
        notes=[
            "No contender saw a row: all of them know the statistics alone, or the ranges.",
            *(
                [
                    f"The language model writes at most {values['language_rows']} rows: of so few, parameters"
                    " differ significantly only where they differ much."
                ]
                if values["language_rows"]
                else []
            ),
        ],
        card=DataCard(
            source=str(statistics.get("source", "")),
            licence=str(statistics.get("licence", "")),
            subjects="None: no row describes anybody.",
            use="Testing, teaching, planning.",
        ),
    )


RECIPE = Recipe(
    name="published_statistics",
    summary="rows from published means, spreads, shares and correlations, without any patient's row ([61])",
    make=make,
    keys=KEYS,
    defaults=DEFAULTS,
)
