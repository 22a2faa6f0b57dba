"""The head of the page: title, verdict, warnings, and the numbers that decide whether one reads on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthema.reporting.markup import Html, element
from synthema.reporting.numbers import counted, duration, interval_text, number, percent, shown
from synthema.reporting.verdict import LIMITS, drafts_of, is_weak, score_named, summary, value_of, weaknesses

Document = Mapping[str, Any]
Score = Mapping[str, Any]


def opening(document: Document) -> Html:
    """Title, verdict and warnings."""
    section = (document.get("sections") or [None])[0]
    weak = weaknesses(section, drafts_of(document), drifted=bool(document.get("drift")))
    run = document.get("run") or {}
    model = run.get("model") or {}
    line = " · ".join(
        str(part)
        for part in (
            document.get("subtitle"),
            model.get("name") and f"model {model['name']}",
            run.get("seed") is not None and f"seed {run['seed']}",
            run.get("library") and f"synthema {run['library']}",
        )
        if part
    )
    return element(
        "header",
        element("p", "synthema report", class_="eyebrow"),
        element("h1", document.get("title") or "Evaluation of synthetic data"),
        element("p", line, class_="byline") if line else None,
        element("p", " ".join(summary(document)), class_="verdict"),
        _weak(weak),
        *[element("p", warning, class_="warning", role="note") for warning in document.get("warnings") or []],
    )


def _weak(sentences: Sequence[str]) -> Html | None:
    if not sentences:
        return None
    items = [element("li", sentence) for sentence in sentences]
    return element("div", element("h2", "What is weak"), element("ul", *items), class_="weak", role="note")


def strip(document: Document) -> Html | None:
    """The six numbers that decide whether one reads on."""
    sections = document.get("sections") or []
    if not sections:
        return None
    first = sections[0]
    run = document.get("run") or {}
    cards = [_rows_card(first, run), _acceptance_card(run)]
    for names, label in (
        (("fact_agreement",), "of facts of the record stated"),
        (("label_recovery_top1",), "intended concept found first"),
        (("label_recovery_top10",), "found among the first ten"),
        (("free_token_share",), "of the text written freely"),
        (("near_duplicates",), "near duplicates"),
        (("longest_copied_run",), "words in a row seen in the prompt, mean"),
    ):
        cards.append(_score_card(score_named(first, *names), label))
    present = [card for card in cards if card]
    return element("div", *present, class_="strip") if len(present) > 1 else None


def _card(figure: str, label: str, note: str = "", weak: bool = False) -> Html:
    return element(
        "div",
        element("strong", figure),
        element("span", label, class_="what"),
        element("span", note, class_="note") if note else None,
        class_="card weak-card" if weak else "card",
    )


def _rows_card(first: Mapping[str, Any], run: Mapping[str, Any]) -> Html | None:
    rows = first.get("rows")
    if rows is None:
        return None
    seconds = number((run.get("seconds") or {}).get("total"))
    return _card(
        f"{rows:,}",
        "accepted rows" if run.get("attempts") else "rows",
        f"in {duration(seconds)}" if seconds else "",
    )


def _acceptance_card(run: Mapping[str, Any]) -> Html | None:
    accepted, attempts = run.get("accepted"), run.get("attempts")
    if not attempts or accepted is None:
        return None
    share = accepted / attempts
    return _card(
        percent(share), "of drafts accepted", counted(attempts, "draft"), weak=share < LIMITS[0].value
    )


def _score_card(score: Score | None, label: str) -> Html | None:
    value = value_of(score)
    if score is None or value is None:
        return None
    floor = number((score.get("floor") or {}).get("value"))
    interval = interval_text(score)
    note = f"floor {shown(score, floor)}" if floor is not None else interval
    weak = any(score.get("name") == limit.name and is_weak(limit, value) for limit in LIMITS)
    return _card(shown(score, value), label, note, weak)
