"""How the data were made and how to make them again, the card of the data, and how to read the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthema.reporting.markup import Html, definition_list, element, section
from synthema.reporting.numbers import duration, number, percent, words
from synthema.reporting.verdict import (
    AS_USEFUL,
    FEW_ROWS_MARGIN,
    KEPT,
    LEAK_MARGIN,
    LEAKS,
    LIMITS,
    MISSING_ALIKE,
    RARE_CASES,
    TOLD_APART,
    Limit,
    drafts_of,
)

Document = Mapping[str, Any]


def run_facts(document: Document) -> Html | None:
    """How this came about, so that it can be made again."""
    run = document.get("run") or {}
    if not run:
        return None
    model = run.get("model") or {}
    seconds = run.get("seconds") or {}
    times = ", ".join(
        f"{words(k).lower()} {duration(v)}"
        for k, v in seconds.items()
        if number(v) is not None and k != "total"
    )
    memory = number(run.get("peak_memory_bytes"))
    tokens = run.get("tokens") or {}
    pairs = [
        ("Recipe", run.get("recipe")),
        ("Seed", run.get("seed")),
        ("Model", model.get("name")),
        ("Model file", element("code", model["path"]) if model.get("path") else None),
        ("Model digest", element("code", model["digest"]) if model.get("digest") else None),
        ("Arithmetic", model.get("numeric_path")),
        ("Versions", ", ".join(f"{k} {v}" for k, v in (run.get("versions") or {}).items())),
        ("Machine", run.get("machine")),
        (
            "Time",
            (duration(seconds["total"]) if number(seconds.get("total")) is not None else "")
            + (f" ({times})" if times else ""),
        ),
        ("Peak memory", f"{memory / 2**20:,.0f} MiB" if memory else None),
        ("Tokens", ", ".join(f"{v:,} {k}" for k, v in tokens.items())),
        ("Run folder", element("code", run["folder"]) if run.get("folder") else None),
    ]
    command = run.get("command")
    return section(
        "How this was made",
        element("pre", element("code", command)) if command else None,
        definition_list(pairs, class_="facts"),
        id_="run",
        lead=_repeating(run) if command else None,
    )


def _repeating(run: Mapping[str, Any]) -> str:
    if not run.get("attempts"):
        return "The command below measures the same files again."
    return (
        "The command below, with a new folder, makes the same rows again, byte for byte, on the same kind of "
        "processor."
    )


def data_card(document: Document) -> Html | None:
    """Where the data come from and under which terms they may be used."""
    card = document.get("data") or {}
    if not card:
        return None
    order = ("source", "version", "licence", "terms", "citation", "language", "subjects", "use")
    keys = [*(k for k in order if k in card), *(k for k in card if k not in order)]
    return section(
        "Data card", definition_list(((words(k), card[k]) for k in keys), class_="facts"), id_="data"
    )


def guide(document: Document) -> Html:
    """How to read the page, with every limit that calls something weak."""
    sections = document.get("sections") or []
    known = {score.get("name") for one in sections for score in one.get("scores") or []}
    limits = [
        element("li", words(limit.name), " below " if limit.higher_is_better else " above ", _bound(limit))
        for limit in LIMITS
        if limit.name in known
    ]
    leaks = [words(leak.name) for leak in LEAKS if leak.name in known]
    if leaks:
        limits.append(
            element(
                "li",
                "What fresh real rows score (the ceiling) outside the interval, or more than "
                f"{LEAK_MARGIN} (of few rows {FEW_ROWS_MARGIN} over their root) better where there is none: "
                f"{', '.join(leaks)}; with a holdout of another population only what is copied",
            )
        )
    if "column_shapes" in known:
        limits.append(
            element(
                "li",
                "Broken columns, in the first sentence: what column shapes note of them, or shares of "
                f"missing values more than {percent(1 - MISSING_ALIKE)} apart",
            )
        )
    if "classifier_two_sample" in known:
        limits.append(
            element(
                "li",
                words("classifier_two_sample"),
                f" above {TOLD_APART}, against the training rows or the holdout; or below 0.5 with its "
                "interval",
            )
        )
    if "train_synthetic_test_real" in known:
        limits.append(
            element(
                "li", f"Average precision (AUPRC) of models more than {RARE_CASES} below that of real rows"
            )
        )
    if "implied_rules" in known:
        limits.append(
            element("li", f"A rule that every real row keeps, in less than {percent(KEPT)} of the rows")
        )
    if leaks and "train_synthetic_test_real" in known:
        limits.append(
            element(
                "li",
                "As useful as the real rows while attacks succeed: at most "
                f"{percent(AS_USEFUL)} of the way from floor to ceiling is missing",
            )
        )
    selected = (
        "Scores of accepted rows are flattered by the checks that selected them; the column of all drafts "
        "shows what the model writes before any selection. Read both. "
    )
    paragraphs = [
        element(
            "p",
            selected if drafts_of(document) else None,
            "A score without its floor says little: compare the distance to the floor with the width of the "
            "interval.",
        ),
        element(
            "p",
            "Intervals come from resampling rows, or subjects where the schema names them. They cover the "
            "chance in which rows were drawn, not the choice of model, prompt, concepts or metric.",
        ),
        element(
            "p",
            "Synthetic data are no evidence about patients. No measure here replaces a reading by a "
            "clinician.",
        ),
    ]
    if limits:
        paragraphs += [element("p", 'Under "What is weak" the page lists:'), element("ul", *limits)]
    return section("How to read this page", *paragraphs, id_="guide")


def _bound(limit: Limit) -> str:
    return percent(limit.value) if limit.is_share else f"{limit.value:g}"
