"""The command `synthema evaluate`: measure synthetic data that exist already."""

from __future__ import annotations

import json
import platform
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from synthema import study_report
from synthema._core import ConfigError, EvaluationError, ParseError, Schema, __version__
from synthema.arguments import checked
from synthema.cards import refuse_unknown, study_card
from synthema.files import whole_file
from synthema.overlaps import apparent_overlaps, shared_rows
from synthema.reporting import cautions, compared, of_holdout
from synthema.reporting.marginals import compare, pairs
from synthema.reporting.numbers import duration
from synthema.reporting.projection import project
from synthema.reporting.verdict import summary

__all__ = ["assess"]

LONG = 2_000_000  # cells of all tables from which time and memory are foretold


@checked
def assess(
    synthetic: str | Path,
    *,
    out: str | Path,
    real: str | Path | None = None,
    holdout: str | Path | None = None,
    target: str | None = None,
    target_labels: int | None = None,
    level: str = "default",
    metrics: Sequence[str] | None = None,
    delimiter: str = ",",
    decimal: str = ".",
    dates: str = "ymd",
    schema: str | Path | None = None,
    roles: Mapping[str, str | Sequence[str]] | None = None,
    external: str | Path | None = None,
    card: str | Path | None = None,
    quasi_identifiers: Sequence[str] = (),
    secrets: Sequence[str] = (),
    sensitive: str | None = None,
    duration_column: str | None = None,
    event_column: str | None = None,
    command: str = "",
    progress: Any = None,
) -> dict[str, Any]:
    """Read tables, evaluate them and write report.json, report.html and study_card.json.

    Parameters
    ----------
    synthetic, real, holdout
        CSV, JSONL or Parquet files.
    out
        Folder for the report; made if it is not there.
    target
        Column to predict, for utility; without a name the column with the role target.
    target_labels
        Most classes of the target, by default as many as `evaluate` takes.
    level
        "default", or "full" for the measures that take long too.
    metrics
        Names of the only measures to take; by default all that apply.
    delimiter, decimal, dates
        How the CSV files are written, as for `synthema.read`.
    schema
        JSON schema of all tables; inferred from the data without one.
    roles
        Roles of some columns beside those of the schema, as for `synthema.table`, of all tables that have
        them.
    external
        Real data of another site: the synthetic rows are measured against them too, beside the real rows.
    card
        JSON object of what study_card.json shall say beyond what the data tell (`synthema.study_card`).
    quasi_identifiers, secrets
        Columns that an attacker may know, and those that are secret, for the measures of disclosure.
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
    from synthema.column_kinds import like
    from synthema.evaluation import evaluate, target_column
    from synthema.forecasting import forecast, with_remaining
    from synthema.tables import no_such_column, read, read_schema, with_roles

    begun = time.monotonic()
    phase = getattr(progress, "phase", lambda name: None)
    phase("read")
    meaning = read_schema(schema) if schema else None
    given = {"synthetic": synthetic, "real": real, "holdout": holdout, "external": external}
    paths = {name: path for name, path in given.items() if path is not None}
    form = {"delimiter": delimiter, "decimal": decimal, "dates": dates}
    with ThreadPoolExecutor() as pool:  # an error is that of the first file in this order
        files = {name: pool.submit(read, path, meaning, **form) for name, path in paths.items()}
        tables = {name: file.result() for name, file in files.items()}
    for name, one in tables.items():
        if len(one) == 0:
            raise EvaluationError(f"{paths[name]}: The file has no rows; there is nothing to measure.")
    _refuse_strangers(tables, paths)
    if meaning is None and (model := tables.get("real", tables.get("external"))) is not None:
        tables = {name: like(one, model) for name, one in tables.items()}
    for column, role in (roles or {}).items():
        if not any(column in one for one in tables.values()):
            raise ConfigError(no_such_column(column, next(iter(tables.values())).names))
        tables = {
            name: with_roles(one, {column: role}) if column in one else one for name, one in tables.items()
        }
    if target is not None and target not in tables["synthetic"]:
        raise EvaluationError(f"{synthetic}: {no_such_column(target, tables['synthetic'].names)}")
    if target is None and (told := target_column(tables.get("real"))) in tables["synthetic"]:
        target = told
    if target is None and target_labels is not None:
        raise ConfigError(
            "A number of target labels was given and no target; name its column, or give it the role target "
            "in a schema."
        )
    known = _card(card) if card else {}
    for_target: dict[str, Any] = {"target": target}
    if target_labels is not None:
        for_target["target_labels"] = target_labels
    options = {
        "metrics": "auto" if metrics is None else metrics,
        "level": level,
        **for_target,
        "quasi_identifiers": quasi_identifiers,
        "secrets": secrets,
        "sensitive": sensitive,
        "duration": duration_column,
        "event": event_column,
    }
    against = (tables["synthetic"], tables.get("real"), tables.get("holdout"))
    plan = None
    if sum(len(one) * len(one.names) for one in tables.values()) > LONG:
        phase("foretell time and memory")
        plan = forecast(*against, **options)
        if progress is not None:
            print(f"This will take {plan}.", file=sys.stderr)
    phase("evaluate")
    with ThreadPoolExecutor(1) as pool:  # what the page needs besides is done while a core waits
        projected = pool.submit(project, tables["real"], tables["synthetic"]) if "real" in tables else None
        shared = pool.submit(_overlaps, tables, metrics is not None)
        report = evaluate(
            *against, progress=with_remaining(progress, plan) if callable(progress) else None, **options
        )
        sections = [] if external is None else _external(tables, for_target)
    phase("write the report")
    if progress is not None and hasattr(progress, "close"):
        progress.close()
    measured = json.loads(report.to_json())
    document = _document(tables, measured["scores"], meaning)
    if projected is not None:
        document["columns"] = compare(tables["real"], tables["synthetic"], measured["scores"])
        document["pairs"] = pairs(tables["real"].names, measured["scores"])
        document["projection"] = projected.result()
    document["sections"] += sections
    overlaps, of_site = shared.result()
    document["warnings"] += [*cautions(measured), *overlaps, *of_site]
    document |= of_holdout(measured) | ({"overlap": True} if overlaps else {})
    document["run"] = {
        "command": command,
        "library": __version__,
        "versions": {"synthema": __version__, "python": platform.python_version()},
        "seconds": {**dict(getattr(progress, "seconds", {})), "total": time.monotonic() - begun},
    }
    page = study_report.write(document, Path(out))
    verdict = [*summary(document), *document["warnings"]]
    filled = study_card(
        tables["synthetic"],
        document["sections"][0]["scores"],
        schema=meaning,
        target=target or "",
        **{"library": f"synthema {__version__}", **known},
    )
    with whole_file(Path(out) / "study_card.json", "study card") as card_file:
        card_file.write_text(json.dumps(filled, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return {
        "folder": str(out),
        "report": str(page),
        "rows": {name: len(one) for name, one in tables.items()},
        "scores": {score["name"]: score.get("value") for score in document["sections"][0]["scores"]},
        "verdict": verdict,
        "message": "\n" + "\n".join(textwrap.fill(one, 110) for one in verdict),
        "tables": {
            "Rows": [
                *((name, f"{len(one):,}") for name, one in tables.items()),
                ("time", duration(time.monotonic() - begun)),
            ],
            "Scores": study_report.score_rows(document["sections"]),
        },
    }


def _refuse_strangers(tables: dict[str, Any], paths: dict[str, Any]) -> None:
    """Raise EvaluationError for a table that has none of the synthetic columns.

    No name is told: of a file without a header line it would be a value of somebody.
    """
    for name, one in tables.items():
        if not set(one.names) & set(tables["synthetic"].names):
            raise EvaluationError(
                f"{paths[name]}: No column has the name of one in {paths['synthetic']}, so nothing can be "
                "compared; are the names in the first line of both, and is the delimiter right?"
            )


# Measures that say something of a site that nobody trained on.
OF_SITES = ("column_shapes", "column_pairs", "accuracy", "classifier_two_sample")


def _card(path: str | Path) -> dict[str, Any]:
    """Read further entries of the study card."""
    from synthema.tables import read_text

    try:
        found = json.loads(read_text(path))
    except ValueError as error:
        raise ParseError(
            f"{path}: This is no JSON ({error}); a card is a JSON object of entries of study_card.json."
        ) from None
    if not isinstance(found, dict):
        raise ParseError(
            f"{path}: A card is a JSON object of entries of study_card.json, such as "
            f'{{"licence": "CC BY 4.0"}}; this file holds {_JSON_KINDS[type(found)]}.'
        )
    try:
        refuse_unknown(found)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return found


_JSON_KINDS = {
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
}


def _external(tables: dict[str, Any], for_target: dict[str, Any]) -> list[dict[str, Any]]:
    """Sections against the other site: of the synthetic rows, and of the real rows for comparison."""
    from synthema.evaluation import evaluate

    site = tables["external"]
    made = []
    for name, title in (("synthetic", "Synthetic rows, other site"), ("real", "Real rows, other site")):
        if name not in tables:
            continue
        scores = json.loads(evaluate(tables[name], site, metrics=OF_SITES).to_json())["scores"]
        if for_target["target"]:
            trained = evaluate(
                tables[name],
                tables.get("real", site),
                holdout=site,
                metrics="train_synthetic_test_real",
                **for_target,
            )
            scores += json.loads(trained.to_json())["scores"]
        made.append({"name": f"external_{name}", "title": title, "rows": len(tables[name]), "scores": scores})
    return made


def _overlaps(tables: dict[str, Any], measures_named: bool) -> tuple[list[str], list[str]]:
    """Sentences about rows of holdout and other site that are real rows, beside those of `evaluate`."""
    real, holdout, site = (tables.get(name) for name in ("real", "holdout", "external"))
    if real is None:
        return [], []
    asked = measures_named and holdout is not None
    return (
        apparent_overlaps(tables["synthetic"], real, holdout) if asked else [],
        [] if site is None else shared_rows(site, real, "other site's"),
    )


def _document(tables: dict[str, Any], scores: list[dict[str, Any]], schema: Schema | None) -> dict[str, Any]:
    rows = len(tables["synthetic"])
    card = schema or tables["synthetic"].schema
    data = {"source": card.source, "licence": card.licence, "terms": card.terms, "language": card.language}
    return {
        "title": "Evaluation of synthetic data",
        "subtitle": compared({name: len(one) for name, one in tables.items()}),
        "sections": [{"name": "synthetic", "title": "Synthetic rows", "rows": rows, "scores": scores}],
        "data": {key: value for key, value in data.items() if value and (schema or key != "language")},
        "warnings": []
        if len(tables) > 1
        else ["No real data were given: nothing here says how close to real data these are."],
    }
