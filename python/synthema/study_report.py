"""What the report of a study says: its document, its files, and what a command prints of it."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthema import reporting
from synthema._core import words as tokens  # as the evaluators count them
from synthema.files import whole_file
from synthema.reporting.numbers import duration, interval_text, percent, shown, words

if TYPE_CHECKING:
    from synthema.study import Study

SAMPLE = 24  # accepted rows on the page
PER_CHECK = 3  # rejected drafts on the page for each check


def describe(
    study: Study, done: Any, run_facts: dict[str, Any], embedder: Any, warnings: Iterable[str]
) -> dict[str, Any]:
    """The report document of a run: scores of accepted rows and of all drafts, samples, counts."""
    drafts = [_with_facts(study, one) for one in done.drafts.records()]
    accepted = [one for one in drafts if one["accepted"]]
    finished = [one for one in drafts if one.get(study.text)] if study.text else drafts
    context = {**_context(study), "embedder": embedder}
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
        "warnings": list(warnings),
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


def write(document: Mapping[str, Any], folder: Path) -> Path:
    """Write report.json and report.html into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = reporting.document_json(document)
    with whole_file(folder / "report.json", "report") as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return reporting.save(document, folder / "report.html")
