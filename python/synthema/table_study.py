"""A study of tables: several ways to make rows of one table, scored side by side.

A recipe gives a `TableStudy` where it compares generators of tables; `synthema.study.run` runs it like any
other. A contender that cannot run here (a package that is not installed, a table too small for it) is left
out, and the report says why.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthema._core import Error, Schema, Table, __version__
from synthema.reporting.numbers import duration

__all__ = [
    "Contender",
    "Job",
    "TableStudy",
    "UnavailableError",
    "mask_schema",
    "rows_as_text",
    "run",
    "sdv_networks",
]


class UnavailableError(Exception):
    """A contender cannot run here; the text says why."""


@dataclass(frozen=True)
class Job:
    """What a contender is asked for. `model()` opens the local language model, once for all contenders."""

    real: Table | None
    rows: int
    seed: int
    model: Callable[[], Any]
    sampling: Mapping[str, Any] = field(default_factory=dict)  # where the user says it, of the language model
    options: Mapping[str, Any] = field(default_factory=dict)  # likewise, of its runs


@dataclass(frozen=True)
class Contender:
    """One way to make rows: `make(job)` gives a table, or raises `UnavailableError`."""

    name: str
    title: str
    make: Callable[[Job], Table]
    most_rows: int = 0  # 0: as many as are asked for; a language model on a CPU writes some rows a second


@dataclass
class TableStudy:
    """The parts of a comparison. Without `rows`, as many as the training part has."""

    name: str
    title: str
    contenders: Sequence[Contender]
    settings: Mapping[str, Any]
    real: Table | None = None  # what the contenders may see
    reference: Table | None = None  # what they are compared with, where they may not see it
    holdout: Table | None = None
    target: str = ""
    metrics: Sequence[Any] = ()
    subtitle: str = ""
    rows: int = 0
    seed: int = 0
    model: str | None = None
    threads: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)  # of the language model's runs
    sampling: Mapping[str, Any] = field(default_factory=dict)  # and of its answers
    notes: Sequence[str] = ()
    card: Any = None


def run(
    study: TableStudy,
    *,
    out: str | Path,
    rows: int | None = None,
    seed: int | None = None,
    model: str | None = None,
    resume: bool = False,
    command: str = "",
    progress: Any = None,
) -> dict[str, Any]:
    """Make and score the rows of every contender; one CSV file each, report.json and report.html.

    Parameters
    ----------
    study, out, rows, seed, model, resume, command, progress
        As in `synthema.study.run`. Everything is made again with `resume`, to the same bytes.

    Returns
    -------
    dict
        Scores by contender, what was left out and why, paths, tables for people under "tables".
    """
    from synthema import study as studies
    from synthema import study_report, tables

    begun = time.monotonic()
    phase = getattr(progress, "phase", lambda name: None)
    folder = Path(out)
    studies._refuse_used(folder, resume)
    if named := model or study.model:
        studies.require_model(named)
    folder.mkdir(parents=True, exist_ok=True)
    against = study.real or study.reference
    wanted = rows or study.rows or (len(against) if against is not None else 100)
    seed = study.seed if seed is None else seed
    opened: list[Any] = []

    def model_once() -> Any:
        if not opened:
            try:
                opened.append(studies.open_model(model or study.model, study.threads)[0])
            except (ImportError, FileNotFoundError) as error:
                raise UnavailableError(str(error)) from None
        return opened[0]

    sections, skipped, made_rows = [], {}, []
    for one in study.contenders:
        phase(one.title)
        asked = min(wanted, one.most_rows) if one.most_rows else wanted
        started = time.monotonic()
        try:
            made = one.make(Job(study.real, asked, seed, model_once, study.sampling, study.options))
        except (UnavailableError, Error) as error:
            skipped[one.name] = str(error)
            continue
        spent = time.monotonic() - started
        tables.write(made, folder / f"{one.name}.csv")
        made_rows.append((one.title, f"{len(made):,}", duration(spent)))
        phase(f"{one.title}: evaluate")
        scores = _scores(study, against, made)
        sections.append({"name": one.name, "title": one.title, "rows": len(made), "scores": scores})
    if progress is not None and hasattr(progress, "close"):
        progress.close()
    titles = {one.name: one.title for one in study.contenders}
    document = {
        "title": study.title,
        "subtitle": study.subtitle,
        "sections": sections,
        "data": {k: v for k, v in dataclasses.asdict(study.card).items() if v} if study.card else {},
        "warnings": [*study.notes, *(f"{titles[name]} was left out: {why}" for name, why in skipped.items())],
        "run": {
            "command": command,
            "recipe": study.name,
            "seed": seed,
            "library": __version__,
            "versions": {"synthema": __version__, "python": platform.python_version()},
            "seconds": {**dict(getattr(progress, "seconds", {})), "total": time.monotonic() - begun},
        },
    }
    page = study_report.write(document, folder)
    return {
        "folder": str(folder),
        "report": str(page),
        "skipped": skipped,
        "scores": {s["name"]: {x["name"]: x.get("value") for x in s["scores"]} for s in sections},
        "tables": {
            "Contenders": [("", "rows", "time"), *made_rows],
            "Scores": study_report.score_rows(sections),
            **({"Left out": [(titles[name], why) for name, why in skipped.items()]} if skipped else {}),
        },
    }


def _scores(study: TableStudy, against: Table | None, made: Table) -> list[dict[str, Any]]:
    from synthema.evaluation import evaluate

    report = evaluate(made, against, study.holdout, metrics=list(study.metrics), target=study.target or None)
    scores = json.loads(report.to_json())["scores"]
    return [one for score in scores for one in (score, *_f1(score))]


def _f1(score: dict[str, Any]) -> list[dict[str, Any]]:
    """F1 of training on synthetic rows only, which stands among the parts of `train_synthetic_test_real`."""
    parts = {part["name"]: part.get("value") for part in score.get("parts") or []}
    if score["name"] != "train_synthetic_test_real" or parts.get("F1") is None:
        return []
    f1 = copy.deepcopy(score)
    f1.update(name="f1_synthetic_only", value=parts["F1"], parts=[])
    f1.pop("interval", None)
    f1.pop("floor", None)
    f1["ceiling"] = {**(score.get("ceiling") or {}), "value": parts.get("F1, trained on real")}
    f1["definition"] = "F1 of a model trained on synthetic rows alone, on real rows; ceiling: on real ones."
    return [f1]


# --- contenders that several recipes have


def mask_schema(real: Table) -> Schema:
    """What a language model may write for a row of a table: kinds, ranges, decimals, labels of its values."""
    from synthema._core import Field

    fields = []
    for old in real.schema.fields:
        values = [v for v in real.values(old.name) if v is not None]
        options: dict[str, Any] = {"unit": old.unit, "nullable": len(values) < len(real)}
        kind = old.kind
        if values and kind in ("real", "integer"):
            options |= {"minimum": min(values), "maximum": max(values)}
            if kind == "real":
                options["decimals"] = min(
                    9, max(len(f"{v:.9f}".rstrip("0").partition(".")[2]) for v in values)
                )
        elif kind in ("category", "text"):
            kind, options["categories"] = "category", list(dict.fromkeys(str(v) for v in values)) or None
        fields.append(Field(old.name, kind, **options))
    return Schema(fields, name=real.schema.name, rules=real.schema.rules, groups=real.schema.groups)


def rows_as_text(
    job: Job,
    schema: Schema,
    *,
    query: str,
    instruction: str = "",
    shown: int = 0,
    temperature: float = 1.0,
) -> Table:
    """Rows that the local language model writes as JSON under the mask of a schema.

    Parameters
    ----------
    job
        Rows, seed, model, and what the user says of its answers; the real rows are the pool of examples.
    schema
        What may be written.
    query, instruction
        What stands before each row, and before all.
    shown
        Real rows shown before each; they never leave the machine.
    temperature
        Of sampling.
    """
    from synthema import _core
    from synthema.generation import generate

    strategy = _core.json_record(query, schema, instruction=instruction, k=shown)
    made = generate(
        strategy,
        job.model(),
        rows=job.rows,
        exemplars=job.real if shown else None,
        schema=schema,
        seed=job.seed,
        sampling=_core.Sampling(
            **{"temperature": temperature, "max_tokens": 60 + 12 * len(schema), **job.sampling}
        ),
        **{"max_attempts": 4, "in_flight": 32, **job.options},
    )
    return made.rows.select(schema.names)


def sdv_networks(epochs: int) -> list[Contender]:
    """CTGAN, CopulaGAN and TVAE of SDV, where it is installed.

    Parameters
    ----------
    epochs : int
        Of training; SDV's own default is 300.
    """
    titles = {"CTGAN": "CTGANSynthesizer", "CopulaGAN": "CopulaGANSynthesizer", "TVAE": "TVAESynthesizer"}
    return [
        Contender(f"sdv_{name.lower()}", f"SDV {name}", lambda job, cls=cls: _sdv(job, cls, epochs))
        for name, cls in titles.items()
    ]


def _sdv(job: Job, class_name: str, epochs: int) -> Table:
    try:
        import sdv.single_table
        from sdv.metadata import Metadata
    except ImportError:
        raise UnavailableError("The package sdv is not installed (pip install sdv).") from None
    import numpy as np

    import torch
    from synthema.tables import table

    np.random.seed(job.seed % 2**32)  # SDV draws from the global generators
    torch.manual_seed(job.seed % 2**63)
    frame = job.real.to_pandas()
    labels = list(frame.select_dtypes("category").columns)
    frame = frame.astype(dict.fromkeys(labels, "object"))  # it fails on categories without a row
    in_dict = int(sdv.__version__.split(".")[0]) >= 2  # from then on a single table comes in a dict
    try:
        metadata = Metadata.detect_from_dataframes({"table": frame})
        synthesizer = getattr(sdv.single_table, class_name)(metadata, epochs=epochs)
        synthesizer.fit({"table": frame} if in_dict else frame)
        made = synthesizer.sample(job.rows)
    except Exception as error:  # whatever it raises; its text may show rows
        raise UnavailableError(f"SDV {sdv.__version__} failed with {type(error).__name__}.") from error
    made = made["table"] if isinstance(made, dict) else made
    return table(made.astype({name: "category" for name in labels}))
