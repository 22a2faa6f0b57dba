"""The page in words: what the numbers say, the weak points first among equals.

Every threshold that calls something weak stands in `LIMITS`, and the page prints it under "How to read this
page".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthema.reporting.numbers import counted, number, percent, shown, words

Score = Mapping[str, Any]


@dataclass(frozen=True)
class Limit:
    """A score is called weak beyond `value` in the wrong direction; `meaning` finishes the sentence."""

    name: str
    value: float
    higher_is_better: bool
    meaning: str
    is_share: bool = True


LIMITS = (
    Limit("acceptance_rate", 0.5, True, "most drafts of this model fail the checks and are thrown away"),
    Limit(
        "label_recovery_top1", 0.5, True, "an independent retriever often takes the text for another concept"
    ),
    Limit("fact_agreement", 0.99, True, "some facts of the records are not stated, or stated otherwise"),
    Limit("free_token_share", 0.6, True, "much of the text was prescribed and not written by the model"),
    Limit("exact_duplicates", 0.0, False, "some texts occur more than once"),
    Limit("near_duplicates", 0.05, False, "many texts are almost the same"),
    Limit("long_copy_share", 0.0, False, "some texts repeat a long run of words that the prompt showed"),
    Limit("exemplar_overlap_5", 0.05, False, "much of the wording comes from the examples in the prompt"),
    Limit("self_bleu_4", 0.5, False, "the texts resemble each other closely in wording", is_share=False),
    Limit("literal_name_share", 0.7, False, "most texts simply repeat a name of the concept"),
)
SMALL = 100  # rows below which intervals are too wide to rank two runs


def score_named(section: Mapping[str, Any] | None, *names: str) -> Score | None:
    """The first score of the section with one of these names, whole or as the beginning of a longer one."""
    scores: Sequence[Score] = (section or {}).get("scores") or []
    for name in names:
        for score in scores:
            if score.get("name") == name:
                return score
    for name in names:
        for score in scores:
            if str(score.get("name", "")).startswith(name):
                return score
    return None


def value_of(score: Score | None) -> float | None:
    """The score's value, if it is defined."""
    return None if score is None else number(score.get("value"))


def is_weak(limit: Limit, value: float) -> bool:
    """Whether `value` lies on the wrong side of the limit."""
    return value < limit.value if limit.higher_is_better else value > limit.value


def weaknesses(section: Mapping[str, Any] | None, drafts: Mapping[str, Any] | None = None) -> list[str]:
    """One sentence for each score that is weak by our limits, and one for a small sample.

    Acceptance is a score of all drafts; the others are of the section itself.
    """
    found = []
    for limit in LIMITS:
        of = drafts if drafts and limit.name == "acceptance_rate" else section
        score = score_named(of, limit.name)
        value = value_of(score)
        if score is not None and value is not None and is_weak(limit, value):
            found.append(f"{words(limit.name)} is {shown(score, value)}: {limit.meaning}.")
    rows = (section or {}).get("rows")
    if isinstance(rows, int) and rows < SMALL:
        found.append(
            f"With {counted(rows, 'row')} the intervals are wide: "
            "do not rank two runs by these numbers alone."
        )
    return found


def _acceptance(document: Mapping[str, Any]) -> str | None:
    run = document.get("run") or {}
    accepted, attempts = run.get("accepted"), run.get("attempts")
    if not isinstance(accepted, int) or not isinstance(attempts, int) or attempts == 0:
        return None
    return (
        f"Out of {counted(attempts, 'draft')}, {accepted:,} became accepted rows: "
        f"{percent(accepted / attempts)} of what the model wrote passed every check, "
        "the rest is kept apart with its reason."
    )


def _recovery(accepted: Mapping[str, Any], drafts: Mapping[str, Any] | None) -> str | None:
    score = score_named(accepted, "label_recovery_top1")
    value = value_of(score)
    if score is None or value is None:
        return None
    # Rows that came without their drafts may have passed any check, or none.
    who = "A retriever that no check uses" if drafts else "A retriever"
    rows = "accepted rows" if drafts else "rows"
    text = f"{who} ranks the intended concept first for {shown(score, value)} of the {rows}"
    before = value_of(score_named(drafts, "label_recovery_top1"))
    if before is not None:
        text += f", against {shown(score, before)} of all drafts before checks"
    floor = number((score.get("floor") or {}).get("value"))
    if floor is not None:
        text += f"; knowing nothing would give {shown(score, floor)}"
    return text + "."


def summary(document: Mapping[str, Any]) -> list[str]:
    """The opening sentences: how much was accepted, and whether the text says what was asked."""
    sections = document.get("sections") or []
    if not sections:
        return []
    drafts = sections[1] if len(sections) > 1 else None
    parts = [_acceptance(document), _recovery(sections[0], drafts)]
    sentences = [part for part in parts if part]
    if not sentences:
        rows, scores = sections[0].get("rows"), sections[0].get("scores") or []
        defined = sum(1 for s in scores if value_of(s) is not None)
        on_rows = f" on {counted(rows, 'row')}" if rows is not None else ""
        sentences.append(f"{defined} of {counted(len(scores), 'measure')} could be computed{on_rows}.")
    return sentences
