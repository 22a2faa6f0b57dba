"""Study [69]: how much of a table's correlations, and of what a model learns from it, synthesisers keep.

Miletic and Sariyar (2025) compare synthpop, a copula, CTGAN, CopulaGAN, TVAE and a language model for tables
(Tabula) by the difference of correlation matrices, the mean squared error of a propensity score and the F1 of
models trained on synthetic rows alone. Here: our trees and copula, SDV's networks where sdv is installed, and
a small local language model that is shown three real rows and writes the next under the mask of the schema.
The study trains its language model on the table; this one only reads examples, so its rows say what examples
in a prompt are worth, not what Tabula is.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from synthema._core import ConfigError, Table
from synthema.config import Key
from synthema.recipes import Recipe
from synthema.study import DataCard
from synthema.table_study import (
    Contender,
    Job,
    TableStudy,
    mask_schema,
    rows_as_text,
    sdv_networks,
)

KEYS = {
    "data": Key(
        "text",
        "CSV, JSONL or Parquet file; default: ten measurements of scikit-learn's 569 tumours",
        file=True,
    ),
    "target": Key("text", "column to predict: labels, for an F1; default: diagnosis"),
    "language_rows": Key("integer", "rows that the language model writes; 0: it is left out", minimum=0),
    "epochs": Key("integer", "of SDV's networks", minimum=1),
}
DEFAULTS = {"data": "", "target": "", "language_rows": 40, "epochs": 300}
METRICS = (
    "correlation_matrix_difference",
    "propensity_mse",
    "propensity_ratio",
    "train_synthetic_test_real",
    "univariate_accuracy",
    "bivariate_accuracy",
    "dcr_share",
    "exact_copies",
)


def _default_data() -> Table:
    if importlib.util.find_spec("sklearn") is None:
        raise ConfigError(
            "recipe correlation_utility: The default table comes from scikit-learn, which is not installed; "
            "install it or name a file in 'data'."
        )
    from synthema.demonstration import tumours

    whole = tumours()
    return whole.select([n for n in whole.names if n.startswith("mean_") or n == "diagnosis"])


def _halves(whole: Table) -> tuple[Table, Table]:
    order = np.random.default_rng(0).permutation(len(whole))
    half = len(whole) // 2
    return whole.take(order[:half].tolist()), whole.take(order[half:].tolist())


def _ours(class_name: str, target: str) -> Any:
    def make(job: Job) -> Table:
        from synthema import tabular_generation

        cls = getattr(tabular_generation, class_name)
        generator = cls(target) if class_name == "SequentialTrees" else cls()
        return generator.fit(job.real).sample(job.rows, job.seed)

    return make


def make(values: dict[str, Any]) -> TableStudy:
    """Compose the study from its values."""
    from synthema import tables

    whole = tables.read(Path(values["data"])) if values["data"] else _default_data()
    target = values["target"] or ("" if values["data"] else "diagnosis")
    if target and target not in whole:
        raise ConfigError(
            f"recipe correlation_utility, field 'target': There is no column '{target}'; there are "
            f"{', '.join(whole.names)}."
        )
    real, holdout = _halves(whole)
    contenders = [
        Contender("sequential_trees", "Sequential trees", _ours("SequentialTrees", target)),
        Contender("gaussian_copula", "Gaussian copula", _ours("GaussianCopula", target)),
        Contender("independent_marginals", "Independent marginals", _ours("IndependentMarginals", target)),
        *sdv_networks(values["epochs"]),
    ]
    if values["language_rows"]:
        contenders.append(
            Contender(
                "row_as_text",
                "Language model, row as text",
                lambda job: rows_as_text(job, mask_schema(job.real), query="A patient:", shown=3),
                most_rows=values["language_rows"],
            )
        )
    return TableStudy(
        name="correlation_utility",
        title="What synthesisers keep of a table",
        subtitle="recipe correlation_utility, after study [69]",
        contenders=contenders,
        settings={"recipe": "correlation_utility", "values": values},
        real=real,
        holdout=holdout,
        target=target,
        metrics=METRICS,
        seed=1,
        notes=[
            "Every contender sees one half of the rows; the other half is what models are tested on and what "
            "distances are compared with.",
            *(
                [
                    f"The language model writes at most {values['language_rows']} rows: its scores are of a "
                    "small sample."
                ]
                if values["language_rows"]
                else []
            ),
        ],
        card=DataCard(
            source=whole.schema.source or str(values["data"]),
            licence=whole.schema.licence,
            terms=whole.schema.terms,
            citation="" if values["data"] else "Wolberg, Street and Mangasarian 1995",
            use="Comparing methods.",
        ),
    )


RECIPE = Recipe(
    name="correlation_utility",
    summary="synthesisers of tables compared by correlations, propensity and F1 of training on them ([69])",
    make=make,
    keys=KEYS,
    defaults=DEFAULTS,
)
