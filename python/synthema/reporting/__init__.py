"""The report page: one self-contained HTML file from a report document.

A *document* is the JSON form that a run folder keeps as `report.json`. Its keys, all optional but the first
two::

    format, version   "synthema report", 1
    title, subtitle   of the page
    sections          sets of rows side by side: [{name, title, rows, scores: [Score, ...]}, ...]
    run               command, recipe, seed, library, versions, model, seconds, peak_memory_bytes, accepted,
                      attempts
    rejections        how many drafts each check rejected
    concepts          [{id, name, accepted, attempts}, ...]
    lengths           {"accepted": [...], "drafts": [...]}, in words
    rows, rejected    samples of row outcomes as in rows.jsonl; `highlights` marks (start, end, field) of the
                      text
    data              the data card: source, version, licence, terms, citation, language
    columns           of a run: which condition fields are the label and its name, which column is the text;
                      of a table: [{name, alike, labels or edges, real, synthetic}, ...], shares side by side
    pairs             {"columns": names, "alike": square of 0 to 1 or null}
    drift             a sentence, where the holdout is of another population than the real rows
    overlap           true, where the holdout has rows of the real or the synthetic table
    projection        {real, synthetic: squares of shares, explained, columns, of}: rows in two dimensions
    warnings          sentences

The page loads nothing from anywhere, has no script, and escapes everything it shows. What is folded is not
printed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from synthema._core import ConfigError
from synthema.arguments import kind_of
from synthema.files import whole_file
from synthema.reporting import facts, marginals, opening, plots, projection, risks, rows, scores, usefulness
from synthema.reporting.markup import Html, element, join
from synthema.reporting.numbers import counted
from synthema.subjects import taken_for_row_numbers

__all__ = ["FORMAT", "VERSION", "as_document", "document_json", "render", "render_inline", "save"]

FORMAT = "synthema report"
VERSION = 1


def as_document(report: Any) -> Mapping[str, Any]:
    """A document from a document, from the JSON of one evaluation, or from anything with `to_json()`.

    An evaluation alone (a mapping with `scores`) becomes a document with one section.
    """
    if hasattr(report, "to_json"):
        report = report.to_json()
    given = kind_of(report)
    if isinstance(report, str):
        try:
            report = json.loads(report)
            given = f"JSON of {kind_of(report)}"
        except ValueError:
            given = "a text that is no JSON"
    if not isinstance(report, Mapping):
        raise ConfigError(f"A report page needs a report, or its document as a mapping or JSON, not {given}.")
    if "sections" in report or "scores" not in report:
        return report
    counts = (report.get("facts") or {}).get("rows")
    counts = counts if isinstance(counts, Mapping) and "synthetic" in counts else {}
    one = {
        "name": "synthetic",
        "title": "Synthetic rows",
        "rows": counts.get("synthetic", report.get("rows")),
        "scores": report["scores"],
    }
    rest = {key: value for key, value in report.items() if key not in ("scores", "rows")}
    warnings = [*(report.get("warnings") or []), *cautions(report)]
    document = {"title": "Evaluation of synthetic data", **rest, "warnings": warnings, "sections": [one]}
    if counts:
        document.setdefault("subtitle", compared(counts))
    return document | of_holdout(report)


def compared(rows: Mapping[str, int]) -> str:
    """How many rows were held against how many others, by the names of the tables; "synthetic" is one."""
    against = ", ".join(counted(count, f"{name} row") for name, count in rows.items() if name != "synthetic")
    return counted(rows["synthetic"], "synthetic row") + (
        f" against {against}" if against else ", without real data"
    )


def of_holdout(report: Mapping[str, Any]) -> dict[str, Any]:
    """What a document says of a holdout that is no sample of fresh real rows: its entries, or nothing."""
    facts = report.get("facts") or {}
    return {name: facts[name] for name in ("drift", "overlap") if facts.get(name)}


def cautions(report: Mapping[str, Any]) -> list[str]:
    """Sentences about the rows: whose they are, columns that were not compared."""
    facts = report.get("facts") or {}
    out = [str(one) for name in ("cautions", "left_out") for one in facts.get(name) or []]
    if names := facts.get("row_numbers") or []:
        out.append(taken_for_row_numbers(names, "left out"))
    return out


def render(report: Any) -> str:
    """The whole page as one HTML string.

    Parameters
    ----------
    report
        A report document, the JSON form of an evaluation, or an object with `to_json()`.

    Returns
    -------
    str
        UTF-8 HTML that stands alone: no request leaves it.
    """
    document = as_document(report)
    return (
        "<!doctype html>\n"
        + element("html", _head(document), element("body", _main(document)), lang="en")
        + "\n"
    )


def _head(document: Mapping[str, Any]) -> Html:
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    style = resources.files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="referrer", content="no-referrer"),
        element("title", document.get("title") or "synthema report"),
        element("style", Html(style)),
    )


def _main(document: Mapping[str, Any]) -> Html:
    parts = (
        opening.opening,
        opening.strip,
        scores.scores,
        usefulness.usefulness,
        risks.privacy,
        marginals.marginals,
        projection.projection,
        plots.plots,
        rows.rows,
        rows.rejected,
        facts.run_facts,
        facts.data_card,
        facts.guide,
    )
    footer = element("footer", "Made by synthema. What this page is made of is in report.json beside it.")
    return element("main", join(part(document) for part in parts), footer)


def render_inline(report: Any, height: int = 640) -> str:
    """The page for a notebook cell: an isolated frame, so that neither style touches the other."""
    return element(
        "iframe",
        srcdoc=render(report),
        style=f"width:100%;height:{height}px;border:1px solid rgba(128,128,128,.35);border-radius:8px",
        title="synthema report",
    )


def document_json(document: Mapping[str, Any]) -> str:
    """The document as `report.json` holds it: sorted nowhere, indented, no bare NaN.

    What has no list or object in it is a line, such as each pair of columns: a wide table has a million.
    """
    return _indented({"format": FORMAT, "version": VERSION, **document}, "\n")


_LINE = json.JSONEncoder(ensure_ascii=False, allow_nan=False)  # without an indent: ten times as fast
_HOLDERS = (dict, list, tuple)


def _indented(value: Any, line: str) -> str:
    """JSON of a value that begins in this line, a line feed and its indentation."""
    if not isinstance(value, _HOLDERS):
        return _LINE.encode(value)
    is_object = isinstance(value, dict)
    if not any(isinstance(one, _HOLDERS) for one in (value.values() if is_object else value)):
        return _LINE.encode(value)
    inner = line + " "
    if is_object:
        lines = [f"{_LINE.encode(key)}: {_indented(one, inner)}" for key, one in value.items()]
    else:
        lines = [_indented(one, inner) for one in value]
    begin, end = "{}" if is_object else "[]"
    return f"{begin}{inner}{f',{inner}'.join(lines)}{line}{end}"


def save(report: Any, path: str | os.PathLike[str]) -> Path:
    """Write the page to `path`, whole or not at all, and return the path."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    page = render(report)
    with whole_file(target, "report") as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    return target
