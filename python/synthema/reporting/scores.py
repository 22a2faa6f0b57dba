"""The scores by family, each with what it means, its interval, ceiling, floor and parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from synthema.families import FAMILIES, OTHER, family_of
from synthema.reporting import charts
from synthema.reporting.markup import Html, definition_list, details, element, section
from synthema.reporting.numbers import (
    counted,
    decimals,
    interval_text,
    number,
    score_range,
    shown,
    words,
)
from synthema.reporting.verdict import value_of

Document = Mapping[str, Any]
Score = Mapping[str, Any]


def scores(document: Document) -> Html | None:
    """Every score of every set of rows, side by side, by family."""
    sections = [s for s in document.get("sections") or [] if s.get("scores")]
    if not sections:
        return None
    names = [str(s.get("title") or s.get("name") or "rows") for s in sections]
    merged, unmeasured = _by_name(sections)
    blocks = []
    for family in [*(title for title, _ in FAMILIES), OTHER]:
        mine = [group for group in merged if family_of(str(_first(group).get("name", ""))) == family]
        if mine:
            blocks.append(element("h3", family))
            blocks.append(_score_table(mine, names))
    legend = [
        element("span", element("i", class_=f"swatch s{i}"), name, class_="key")
        for i, name in enumerate(names[:3])
    ]
    grey = element("span", element("i", class_="swatch bound"), "floor and ceiling", class_="key")
    return section(
        "Scores",
        element("p", *legend, grey, class_="legend"),
        *blocks,
        _unmeasured(unmeasured),
        id_="scores",
        lead="Dots are values, whiskers are 95 % intervals where the measure has one. Grey marks what "
        "knowing nothing would score (floor) and the best that such data could score (ceiling).",
    )


Group = list["Score | None"]


def _by_name(sections: Sequence[Mapping[str, Any]]) -> tuple[list[Group], list[Group]]:
    """The scores of the sections side by side: those defined somewhere, and the rest."""
    order: dict[str, Group] = {}
    for index, one in enumerate(sections):
        for score in one["scores"]:
            key = f"{score.get('name')} {score.get('convention', 'synthema')}"
            order.setdefault(key, [None] * len(sections))[index] = score
    defined = [group for group in order.values() if any(value_of(score) is not None for score in group)]
    return defined, [group for group in order.values() if group not in defined]


def _unmeasured(groups: Sequence[Group]) -> Html | None:
    """What could not be measured, and why, out of the way of what could."""
    if not groups:
        return None
    pairs = [(words(str(_first(g).get("name"))), _first(g).get("undefined") or "not defined") for g in groups]
    return details(
        f"{counted(len(groups), 'measure')} not defined here", definition_list(pairs), class_="more"
    )


def _first(group: Sequence[Score | None]) -> Score:
    return next(score for score in group if score is not None)


def _score_table(groups: Iterable[Sequence[Score | None]], names: Sequence[str]) -> Html:
    head = element(
        "tr",
        element("th", "Measure", scope="col"),
        element("th", "Where it lies", scope="col"),
        *[element("th", name, scope="col", class_="num") for name in names],
    )
    body = [_score_row(group, names) for group in groups]
    return element("table", element("thead", head), element("tbody", *body), class_="scores")


DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "none": "neither better nor worse"}


def _score_row(group: Sequence[Score | None], names: Sequence[str]) -> Html:
    first = _first(group)
    title = words(str(first.get("name", "")))
    direction = DIRECTIONS.get(str(first.get("direction", "none")), "")
    if "is best" in str(first.get("estimand")):
        direction = ""
    convention = str(first.get("convention") or "synthema")
    note = direction if convention == "synthema" else f"{direction} · as defined by {convention}"
    defined = any(value_of(score) is not None for score in group)
    return element(
        "tr",
        element(
            "th",
            element("span", title, class_="measure"),
            element("span", first["estimand"], class_="says") if first.get("estimand") else None,
            element("span", note, class_="note") if note else None,
            _explanation(group, names),
            scope="row",
        ),
        element("td", charts.dot_and_whisker(group, names) if defined else None, class_="plot"),
        *[_value_cell(score, name) for score, name in zip(group, names, strict=True)],
    )


def _value_cell(score: Score | None, name: str) -> Html:
    if score is None:
        return element("td", element("span", "—", class_="quiet"), class_="num", data_name=name)
    if value_of(score) is None:
        reason = score.get("undefined") or "not defined"
        return element("td", element("span", reason, class_="quiet"), class_="num", data_name=name)
    interval = interval_text(score)
    return element(
        "td",
        element("strong", shown(score, score["value"])),
        element("span", interval, class_="note") if interval else None,
        element("span", f"n = {score['n']:,}", class_="note") if score.get("n") else None,
        class_="num",
        data_name=name,
    )


def _explanation(group: Sequence[Score | None], names: Sequence[str]) -> Html:
    first = _first(group)
    interval = first.get("interval") or {}
    bounds = [
        (
            name,
            f"{shown(first, bound.get('value'))} ({bound.get('source')})"
            if bound.get("source")
            else shown(first, bound.get("value")),
        )
        for name, bound in (("Floor", first.get("floor")), ("Ceiling", first.get("ceiling")))
        if bound
    ]
    pairs = [
        ("Definition", first.get("definition")),
        ("Convention", first.get("convention") or "synthema"),
        ("Interval", interval.get("method") or first.get("no_interval") or "none"),
        *bounds,
    ]
    warnings = [
        element("p", f"{name}: {warning}", class_="warning")
        for name, score in zip(names, group, strict=True)
        for warning in (score or {}).get("warnings") or []
    ]
    return details("definition", definition_list(pairs), *warnings, _parts(first))


PARTS = 60  # that are shown


def _parts(score: Score) -> Html | None:
    """The same measure by column, label or record, as bars where the range is known."""
    parts = [part for part in score.get("parts") or [] if number(part.get("value")) is not None]
    parts = [part for part in parts if part.get("note") != "cumulative"]  # a histogram elsewhere shows these
    if not parts:
        return None
    low, high = score_range(score)

    def is_in_range(value: float) -> bool:
        return (low is None or value >= low) and (high is None or value <= high)

    top = max([abs(value) for part in parts if is_in_range(value := number(part["value"]) or 0)] + [1.0])
    items = []
    for part in parts[:PARTS]:
        value = number(part["value"]) or 0
        # What is no possible value of the measure is another quantity, such as a number of rows.
        figure = shown(score, value) if is_in_range(value) else decimals(value)
        of = f" of {part['n']}" if part.get("n") else ""
        items.append((str(part.get("name")), value / top if is_in_range(value) else 0.0, figure + of))
    more = len(parts) - PARTS
    rest = (
        element("p", f"{counted(more, 'further part')} in report.json.", class_="quiet") if more > 0 else None
    )
    return element("div", charts.bars(items), rest, class_="parts")
