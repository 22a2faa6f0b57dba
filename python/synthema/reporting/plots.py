"""Pictures of a run: lengths, rejections, concepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthema.reporting import charts
from synthema.reporting.markup import Html, details, element, figure, section
from synthema.reporting.numbers import counted, percent, words

Document = Mapping[str, Any]


def plots(document: Document) -> Html | None:
    """Lengths, reasons for rejection and acceptance by concept."""
    figures = [_lengths(document), _rejections(document)]
    present = [f for f in figures if f]
    concepts = _concepts(document)
    if not present and not concepts:
        return None
    return section(
        "What was written and what was thrown away",
        element("div", *present, class_="pair"),
        concepts,
        id_="plots",
    )


def _lengths(document: Document) -> Html | None:
    lengths = document.get("lengths") or {}
    sets = [lengths[name] for name in ("accepted", "drafts") if lengths.get(name)]
    if not sets:
        return None
    caption = (
        "Bars: accepted rows. Line: all finished drafts before checks." if len(sets) > 1 else "Bars: rows."
    )
    return figure(
        "Length of the texts", caption, charts.histogram(sets, ["accepted rows", "drafts"], "words per text")
    )


def _rejections(document: Document) -> Html | None:
    counts: Mapping[str, int] = document.get("rejections") or {}
    total = sum(counts.values())
    if not total:
        return None
    items = [
        (words(name), count / total, f"{count} ({percent(count / total)})")
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    caption = f"The first check that each of the {total:,} rejected drafts failed."
    return figure("Why drafts were rejected", caption, charts.bars(items, "s1"))


def _concepts(document: Document) -> Html | None:
    concepts: Sequence[Mapping[str, Any]] = document.get("concepts") or []
    if not concepts:
        return None
    ordered = sorted(concepts, key=lambda c: (-c["accepted"] / max(1, c["attempts"]), str(c["name"])))
    items = [
        (str(c["name"]), c["accepted"] / max(1, c["attempts"]), f"{c['accepted']} of {c['attempts']}")
        for c in ordered
    ]
    caption = (
        "Accepted rows of all drafts for each concept. One accepted row after many drafts means that this "
        "model can "
        "hardly write about the concept."
    )
    shown_items, rest = items[:60], items[60:]
    more = details(counted(len(rest), "further concept"), charts.bars(rest)) if rest else None
    return element(
        "figure",
        element("h3", "Acceptance by concept"),
        element("div", charts.bars(shown_items), class_="columns"),
        more,
        element("figcaption", caption),
    )
