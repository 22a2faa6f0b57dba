"""The command `synthema evaluate`: measure synthetic data that exist already."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthema import study
from synthema._core import EvaluationError, Schema, __version__
from synthema.reporting.numbers import counted, duration

__all__ = ["assess"]


def assess(
    synthetic: str | Path,
    *,
    out: str | Path,
    real: str | Path | None = None,
    holdout: str | Path | None = None,
    target: str | None = None,
    level: str = "default",
    metrics: Sequence[str] | None = None,
    delimiter: str = ",",
    schema: str | Path | None = None,
    sensitive: str | None = None,
    duration_column: str | None = None,
    event_column: str | None = None,
    command: str = "",
    progress: Any = None,
) -> dict[str, Any]:
    """Read tables, evaluate them and write report.json and report.html.

    Parameters
    ----------
    synthetic, real, holdout
        CSV, JSONL or Parquet files.
    out
        Folder for the report; made if it is not there.
    target
        Column to predict, for utility.
    level
        "default", or "full" for the measures that take long too.
    metrics
        Names of the only measures to take; by default all that apply.
    delimiter
        What separates the columns of the CSV files.
    schema
        JSON schema of all tables; inferred from the data without one.
    sensitive
        Column of groups of people whose predictions are compared.
    duration_column, event_column
        Columns of the follow-up and of whether it ended with the event, for survival curves.
    command
        What the user typed, for the report.
    progress
        A `synthema.terminal.Progress`, or anything like it.

    Returns
    -------
    dict
        Paths, scores and tables for people under "tables".
    """
    from synthema.evaluation import evaluate
    from synthema.tables import read, read_schema

    begun = time.monotonic()
    phase = getattr(progress, "phase", lambda name: None)
    phase("read")
    meaning = read_schema(schema) if schema else None
    tables = {
        name: read(path, meaning, delimiter=delimiter)
        for name, path in (("synthetic", synthetic), ("real", real), ("holdout", holdout))
        if path is not None
    }
    if target is not None and target not in tables["synthetic"]:
        names = ", ".join(f"'{name}'" for name in tables["synthetic"].names)
        raise EvaluationError(
            f"{synthetic}: There is no column '{target}' to predict; the columns are {names}."
        )
    phase("evaluate")
    report = evaluate(
        tables["synthetic"],
        tables.get("real"),
        holdout=tables.get("holdout"),
        evaluators=metrics or "auto",
        level=level,
        target=target,
        sensitive=sensitive,
        duration=duration_column,
        event=event_column,
    )
    phase("write the report")
    if progress is not None and hasattr(progress, "close"):
        progress.close()
    document = _document(tables, json.loads(report.to_json())["scores"], meaning)
    document["run"] = {
        "command": command,
        "library": __version__,
        "versions": {"synthema": __version__, "python": platform.python_version()},
        "seconds": {**dict(getattr(progress, "seconds", {})), "total": time.monotonic() - begun},
    }
    page = study.write(document, Path(out))
    return {
        "folder": str(out),
        "report": str(page),
        "rows": {name: len(one) for name, one in tables.items()},
        "scores": {score["name"]: score.get("value") for score in document["sections"][0]["scores"]},
        "tables": {
            "Rows": [
                *((name, f"{len(one):,}") for name, one in tables.items()),
                ("time", duration(time.monotonic() - begun)),
            ],
            "Scores": study.score_rows(document["sections"]),
        },
    }


def _document(tables: dict[str, Any], scores: list[dict[str, Any]], schema: Schema | None) -> dict[str, Any]:
    rows = len(tables["synthetic"])
    against = ", ".join(
        counted(len(one), f"{name} row") for name, one in tables.items() if name != "synthetic"
    )
    card = schema or tables["synthetic"].schema
    data = {"source": card.source, "licence": card.licence, "terms": card.terms, "language": card.language}
    return {
        "title": "Evaluation of synthetic data",
        "subtitle": counted(rows, "synthetic row")
        + (f" against {against}" if against else ", without real data"),
        "sections": [{"name": "synthetic", "title": "Synthetic rows", "rows": rows, "scores": scores}],
        "data": {key: value for key, value in data.items() if value and (schema or key != "language")},
        "warnings": []
        if len(tables) > 1
        else ["No real data were given: nothing here says how close to real data these are."],
    }
