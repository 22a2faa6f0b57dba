"""The table part of `synthema demo`: a clinical table that scikit-learn ships, synthesised and judged."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from synthema._core import Field, Schema, Table

__all__ = ["tumours", "with_table"]

_SHOWN = {
    "univariate_accuracy": "single columns alike",
    "bivariate_accuracy": "pairs of columns alike",
    "train_synthetic_test_real": "AUROC of a model trained on them",
    "dcr_share": "nearer to training than to unseen rows",
    "exact_copies": "exact copies of training rows",
}


def tumours(seed: int = 0) -> Table:
    """Return 569 tumours (Wisconsin Diagnostic Breast Cancer): 30 measurements, the diagnosis.

    Parameters
    ----------
    seed : int
        Of the order of the rows.

    Returns
    -------
    Table
        With a schema: kinds, the target, source and licence.

    Raises
    ------
    ImportError
        If scikit-learn is not installed.
    """
    import numpy as np
    from sklearn.datasets import load_breast_cancer

    from synthema.tables import table

    data = load_breast_cancer()
    order = np.random.default_rng(seed).permutation(len(data.target))
    names = [name.replace(" ", "_") for name in data.feature_names]
    columns: dict[str, Any] = {name: data.data[order, i] for i, name in enumerate(names)}
    columns["diagnosis"] = [("malignant", "benign")[t] for t in data.target[order]]
    schema = Schema(
        [
            *(Field(name, "real", minimum=0) for name in names),
            Field("diagnosis", "category", roles=["target"], categories=["malignant", "benign"]),
        ],
        name="wisconsin_breast_cancer",
        source="Wisconsin Diagnostic Breast Cancer (Wolberg et al. 1995), as scikit-learn has it",
        licence="CC-BY-4.0",
    )
    return table(columns, schema)


def with_table(done: dict[str, Any], out: str | Path, progress: Any) -> dict[str, Any]:
    """Add the table part to the result of the demo: a page in the folder `table` of the run, a short table.

    Where scikit-learn is not installed, one line says so instead.
    """
    if importlib.util.find_spec("sklearn") is None:
        skipped = "The table part was skipped: scikit-learn, which has the table, is not installed."
        return {**done, "table": None, "message": skipped}
    from synthema import assessment, tables, tabular_generation
    from synthema.reporting.numbers import shown

    folder = Path(out) / "table"
    folder.mkdir(exist_ok=True)
    progress.phase("table: fit and sample")
    whole = tumours()
    half = len(whole) // 2
    real, holdout = whole.head(half), whole.take(range(half, len(whole)))
    generator = tabular_generation.tabular(real, target="diagnosis")
    parts = {"real": real, "holdout": holdout, "synthetic": generator.sample(len(real), 1)}
    paths = {name: tables.write(part, folder / f"{name}.csv") for name, part in parts.items()}
    schema = folder / "schema.json"
    schema.write_text(whole.schema.to_json() + "\n", encoding="utf-8")
    judged = assessment.assess(
        paths["synthetic"],
        out=folder,
        real=paths["real"],
        holdout=paths["holdout"],
        target="diagnosis",
        schema=schema,
        command="synthema demo",
        progress=_Quiet(progress),
    )
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    scores = {score["name"]: score for score in document["sections"][0]["scores"]}
    lines = [("", "synthetic", "real rows of the other half")]
    for name, what in _SHOWN.items():
        if (score := scores.get(name)) and score.get("value") is not None:
            best = (score.get("ceiling") or {}).get("value")
            lines.append((what, shown(score, score["value"]), "—" if best is None else shown(score, best)))
    return {
        **done,
        "table": {"report": judged["report"], "method": generator.name, "scores": judged["scores"]},
        "tables": {
            **done.get("tables", {}),
            f"Table: {len(real)} tumours of real patients, {generator.name}": lines,
        },
        "message": f"Report of the table: {judged['report']}",
    }


class _Quiet:
    """The phases of an evaluation as one phase of the demo."""

    def __init__(self, progress: Any):
        progress.phase("table: evaluate")
        self.seconds: dict[str, float] = {}

    def phase(self, name: str) -> None:
        """Say nothing."""
