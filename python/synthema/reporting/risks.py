"""The section on privacy: risks of attacks with their intervals, how near rows are, and the worst columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from synthema.reporting import charts
from synthema.reporting.markup import Html, details, element, figure
from synthema.reporting.numbers import counted, number, percent, words
from synthema.reporting.verdict import score_named, value_of

Score = Mapping[str, Any]

# Attacks whose score is the risk that is left over a control, 0 to 1; then areas under a curve, of which 0.5
# is no risk: 2 (AUROC - 1/2) is shown, the attacker's advantage over a coin.
RISKS = ("singling_out_univariate", "singling_out_multivariate", "linkability", "attribute_inference")
CURVES = ("membership_by_distance", "membership_by_density", "membership_by_model")
WORST = 12  # columns or groups that are shown at once


def privacy(document: Mapping[str, Any]) -> Html | None:
    """Everything about people in one place; None where no attack was tried."""
    section = (document.get("sections") or [None])[0]
    figures = [_attacks(section), _distances(section)]
    lists = [
        _columns(section, "rare_value_reuse", "Columns that hand on values of one person", "of rows"),
        _columns(section, "attribute_inference", "Columns that can be inferred", "risk"),
        _columns(
            section, "dcr_share_worst_group", "Groups of columns nearest to the training rows", "nearer"
        ),
    ]
    present, shown = [one for one in figures if one], [one for one in lists if one]
    if not present and not shown:
        return None
    return element(
        "section",
        element("h2", "Privacy: what attacks achieve"),
        element("p", _lead(figures[0] is not None, bool(document.get("drift"))), class_="lead"),
        element("div", *present, class_="pair") if present else None,
        element("div", *shown, class_="pair") if shown else None,
        id="privacy",
    )


def _lead(attacked: bool, drifted: bool) -> str:
    if not attacked:
        return "No attack was tried. Attacks need a holdout: real rows that no generator saw."
    tried = (
        "Each attack is tried on people of the training data and on people who are not in it. What it "
        "achieves beyond the second is the risk of having been in the data."
    )
    if drifted:
        tried += " The second are of another population here, so these are no risks."
    return tried


def _risk(score: Score, name: str) -> tuple[float, float | None, float | None]:
    """Value and interval as a risk of 0 to 1."""
    interval = score.get("interval") or {}
    found = [value_of(score), number(interval.get("low")), number(interval.get("high"))]
    if name in CURVES:
        found = [None if one is None else max(0.0, 2 * one - 1) for one in found]
    return found[0] or 0.0, found[1], found[2]


def _attacks(section: Mapping[str, Any] | None) -> Html | None:
    rows = []
    for name in (*RISKS, *CURVES):
        score = score_named(section, name)
        if score is not None and score.get("name") == name and value_of(score) is not None:
            rows.append((words(name), *_risk(score, name)))
    if not rows:
        return None
    return figure(
        "Risk left over people who are not in the data",
        "0 is no risk, 100 % certain success; lines are 95 % intervals. "
        "Of membership: the advantage over a coin.",
        charts.whiskers(rows),
    )


WITHIN = re.compile(r"^(synthetic rows|fresh real rows) within ([0-9.e+-]+)$")


def _distances(section: Mapping[str, Any] | None) -> Html | None:
    score = score_named(section, "dcr")
    cumulative: dict[str, list[tuple[float, float]]] = {}
    for part in (score or {}).get("parts") or []:
        match = WITHIN.match(str(part.get("name")))
        value = number(part.get("value"))
        if match and value is not None:
            cumulative.setdefault(match[1], []).append((float(match[2]), value))
    if "synthetic rows" not in cumulative:
        return None
    edges = [edge for edge, _ in cumulative["synthetic rows"]]
    shares = [_steps([share for _, share in points]) for points in cumulative.values()]
    caption = "Bars: synthetic rows."
    if len(shares) > 1:
        held = str(((score or {}).get("ceiling") or {}).get("source")).startswith("holdout")
        line = (
            "real rows that were not in the training data" if held else "each real row and its closest other"
        )
        caption += f" Line: {line}. Bars left of the line are rows nearer to people than other people are."
    return figure(
        "Distance to the closest training row",
        caption,
        charts.shares_by_bin(edges, shares, "distance, 0 to 1"),
    )


def _steps(cumulative: Sequence[float]) -> list[float]:
    return [after - before for before, after in zip([0.0, *cumulative], cumulative, strict=False)]


def _short(label: str) -> str:
    """A group of many columns by its first ones."""
    names = label.split(", ")
    return label if len(names) <= 8 else ", ".join(names[:6]) + f" and {len(names) - 6} more"


def _columns(section: Mapping[str, Any] | None, name: str, title: str, unit: str) -> Html | None:
    score = score_named(section, name)
    if score is None or score.get("name") != name:
        return None
    parts = [
        (str(p.get("name")), number(p.get("value")), str(p.get("note") or ""))
        for p in score.get("parts") or []
    ]
    found = sorted(((n, v, note) for n, v, note in parts if v), key=lambda part: (-part[1], part[0]))
    if not found:
        return None
    items = [(_short(label), value, f"{percent(value)} {unit}") for label, value, _ in found]
    rest = (
        details(counted(len(items) - WORST, "further one"), charts.bars(items[WORST:]))
        if len(items) > WORST
        else None
    )
    return element("figure", element("h3", title), charts.bars(items[:WORST]), rest)
