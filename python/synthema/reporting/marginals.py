"""Columns of real and synthetic rows side by side: what is shown, and the section that shows it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta, timezone
from typing import Any

import numpy as np

from synthema._core import label_columns
from synthema.reporting import charts
from synthema.reporting.cells import label_counts, numbers_of
from synthema.reporting.markup import Html, element, figure
from synthema.reporting.numbers import number
from synthema.reporting.verdict import score_named

COLUMNS = 8  # that are shown: the least alike
BINS = 20
LABELS = 6  # of a category
PAIRED = 24  # columns of the map of pairs: those whose pairs are the least alike
SMALLEST = 1e-300  # width of a bin
FEWEST = 5  # real rows of a label or a bin that is shown by itself


def compare(real: Any, synthetic: Any, scores: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The least alike columns as shares by label or bin, for `document["columns"]`.

    Parameters
    ----------
    real, synthetic : Table
        Rows to compare.
    scores
        Scores in their JSON form; the parts of `column_shapes` name the columns and how alike they are.

    Returns
    -------
    list of dict
        `name`, `alike` (0 to 1), `real` and `synthetic` (shares of the rows with a value, by place), and
        `labels` or `edges` (one more than places; of times, texts in UTC such as "2021-04-01" or
        "2021-04-01T06:00:00"). Numbers and times beyond the middle 98 % of the real ones count to the last
        place; labels and ends that fewer than 5 real rows have are pooled, so that nobody is shown.
    """
    shapes = next((one for one in scores if one.get("name") == "column_shapes"), {})
    parts = [(number(part.get("value")), part["name"]) for part in shapes.get("parts") or []]
    labels = set(label_columns(real))
    out = []
    for alike, name in sorted((alike, name) for alike, name in parts if alike is not None):
        kind, other = (
            next(field.kind for field in one.schema.fields if field.name == name) for one in (real, synthetic)
        )
        if kind != other and not {kind, other} <= {"integer", "real"}:
            continue  # nothing to draw side by side
        counts = kind in ("category", "boolean") or name in labels
        numbers = {"integer": _numbers, "real": _numbers, "time": _times}
        shown = _labels if counts else numbers.get(kind)
        found = shown(real, synthetic, name) if shown else None
        if found:
            out.append({"name": name, "alike": alike, **found})
        if len(out) == COLUMNS:
            break
    return out


def pairs(names: Sequence[str], scores: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """How alike the dependence of each pair of columns is, for `document["pairs"]`.

    Parameters
    ----------
    names
        Columns of the table, in its order.
    scores
        Scores in their JSON form; the parts of `column_pairs` are used.

    Returns
    -------
    dict or None
        `columns`, and `alike`: a square of numbers of 0 to 1, null where a pair was not measured. None where
        fewer than three columns have pairs.
    """
    score = next((one for one in scores if one.get("name") == "column_pairs"), {})
    place = {f"{a} x {b}": (i, j) for i, a in enumerate(names) for j, b in enumerate(names) if i < j}
    alike = np.full((len(names), len(names)), np.nan)
    for part in score.get("parts") or []:
        value = number(part.get("value"))
        if value is not None and part.get("name") in place:
            i, j = place[part["name"]]
            alike[i, j] = alike[j, i] = value
    measured = np.flatnonzero(~np.isnan(alike).all(axis=1))
    if len(measured) < 3:
        return None
    worst = sorted(measured, key=lambda i: float(np.nanmean(alike[i])))[:PAIRED]
    kept = sorted(int(i) for i in worst)
    square = [[None if np.isnan(alike[i, j]) else float(alike[i, j]) for j in kept] for i in kept]
    return {"columns": [names[i] for i in kept], "alike": square}


def _present(table: Any, name: str) -> list[Any]:
    return [value for value in table.values(name) if value is not None]


def _numbers(real: Any, synthetic: Any, name: str) -> dict[str, Any] | None:
    ours, theirs = (cells[~np.isnan(cells)] for cells in (numbers_of(one, name) for one in (real, synthetic)))
    if len(ours) < FEWEST or len(theirs) == 0:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = np.quantile(ours, [0.01, 0.99])
        wide = (high - low) / BINS
    if not SMALLEST < wide < math.inf:  # all are equal, or the numbers have no scale to draw
        return None
    unit = 10.0 ** math.floor(math.log10(wide))  # the ends are round, nobody's values
    low, high = math.floor(low / unit) * unit, math.ceil(high / unit) * unit
    edges = np.linspace(low, high, BINS + 1)
    return {"edges": edges.tolist(), **_shares(ours, theirs, edges)}


def _shares(ours: np.ndarray, theirs: np.ndarray, edges: np.ndarray) -> dict[str, list[float]]:
    """Shares between the edges; those beyond count to the last place, few real rows are not shown."""
    shares = [np.histogram(np.clip(one, edges[0], edges[-1]), edges)[0] / len(one) for one in (ours, theirs)]
    shares[0][shares[0] * len(ours) < FEWEST] = 0
    return {"real": shares[0].tolist(), "synthetic": shares[1].tolist()}


def _times(real: Any, synthetic: Any, name: str) -> dict[str, Any] | None:
    ours, theirs = (
        np.asarray([_utc(value).timestamp() for value in _present(one, name)]) for one in (real, synthetic)
    )
    if len(ours) < FEWEST or len(theirs) == 0:
        return None
    low, high = (float(end) for end in np.quantile(ours, [0.01, 0.99]))
    if not low < high:
        return None
    edges = time_edges(EPOCH + timedelta(seconds=low), EPOCH + timedelta(seconds=high))
    shares = _shares(ours, theirs, np.asarray([edge.timestamp() for edge in edges]))
    whole_days = all(edge.time() == time() for edge in edges)
    texts = [edge.isoformat()[: 10 if whole_days else 19] for edge in edges]
    return {"edges": texts, **shares}


def _utc(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)


EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MONDAY = EPOCH - timedelta(days=3)
# Widths of a place that people read off a clock or a calendar: seconds up to a week, then months.
SECONDS = (1, 5, 15, 60, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)
MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000)


def time_edges(low: datetime, high: datetime) -> list[datetime]:
    """Edges of at most 20 places of one calendar width that hold both times, which are in UTC.

    Places of a month or more begin on the first of one, those of a week on a Monday.
    """
    for step in SECONDS:
        first, last = (math.floor((one - MONDAY).total_seconds() / step) for one in (low, high))
        if last - first < BINS:
            return [MONDAY + timedelta(seconds=step * k) for k in range(first, last + 2)]
    begin, end = (one.year * 12 + one.month - 1 for one in (low, high))
    step = next((one for one in MONTHS if end // one - begin // one < BINS), MONTHS[-1])
    months = range(begin // step * step, (end // step + 2) * step, step)
    dates = [divmod(min(max(month, 12), 9999 * 12), 12) for month in months]  # the years that a date can have
    return [datetime(year, month + 1, 1, tzinfo=timezone.utc) for year, month in dates]


def _labels(real: Any, synthetic: Any, name: str) -> dict[str, Any] | None:
    counts = [_present_labels(one, name) for one in (real, synthetic)]
    if not all(one.total() for one in counts):
        return None
    order = sorted(counts[0], key=lambda label: (-counts[0][label], label))
    kept = [label for label in order if counts[0][label] >= FEWEST][:LABELS]
    shares = [[one[label] / one.total() for label in kept] for one in counts]
    rest = [max(0.0, 1 - sum(one)) for one in shares]
    if max(rest) > 1e-9:
        kept.append("others")
        shares = [[*one, left] for one, left in zip(shares, rest, strict=True)]
    return {"labels": kept, "real": shares[0], "synthetic": shares[1]}


def _present_labels(rows: Any, name: str) -> Counter[str]:
    counts = label_counts(rows, name)
    return Counter(
        {
            str(value).lower() if isinstance(value, bool) else value: count
            for value, count in counts.items()
            if value is not None
        }
    )


def marginals(document: Mapping[str, Any]) -> Html | None:
    """The columns of `document["columns"]`, the least alike first; None where there are none."""
    columns = document.get("columns") or []
    if not columns or score_named((document.get("sections") or [None])[0], "column_shapes") is None:
        return None
    return element(
        "section",
        element("h2", "Columns"),
        element(
            "p",
            f"Bars: synthetic rows. Line: real rows. Up to {COLUMNS} columns, the least alike first; labels "
            f"and bins of fewer than {FEWEST} real rows are not shown by themselves.",
            class_="lead",
        ),
        element("div", *(_column(one) for one in columns), class_="pair"),
        _pairs(document.get("pairs")),
        id="columns",
    )


def _pairs(found: Mapping[str, Any] | None) -> Html | None:
    if not found:
        return None
    lost = [[None if value is None else 1 - value for value in row] for row in found["alike"]]
    most = max(value for row in lost for value in row if value is not None)
    return figure(
        "Pairs of columns",
        f"How much of each pair's dependence differs: the strongest is {100 * most:.1f} %. Up to {PAIRED} "
        "columns, those that differ most.",
        charts.heat_map(found["columns"], lost),
    )


def _column(column: Mapping[str, Any]) -> Html:
    if "labels" in column:
        ticks = [(i + 0.5, _short(label)) for i, label in enumerate(column["labels"])]
    else:
        edges = column["edges"]
        every = max(1, math.ceil((len(edges) - 1) / 4))
        ticks = [(float(i), tick) for i, tick in enumerate(_ticks(edges)) if i % every == 0]
    label = f"Shares of {column['name']} in synthetic and in real rows"
    chart = charts.stepped([column["synthetic"], column["real"]], ticks, "", label)
    return figure(column["name"], f"{100 * column['alike']:.1f} % alike.", chart)


def _ticks(edges: Sequence[Any]) -> list[str]:
    """Edges as they are written below a chart; of times only what differs between them."""
    if not isinstance(edges[0], str):
        return _numbers_apart(edges)
    if "T" not in edges[0]:
        ends = next((n for n in (4, 7) if all(edge[n:] in ("-01-01", "-01") for edge in edges)), 10)
        return [edge[:ends] for edge in edges]
    ends = 16 if all(edge.endswith(":00") for edge in edges) else 19
    begins = 11 if edges[0][:10] == edges[-1][:10] else 5
    return [edge[begins:ends].replace("T", " ") for edge in edges]


def _numbers_apart(edges: Sequence[float]) -> list[str]:
    """Three digits, or as many more as it takes to tell the edges apart (1985 and 1986, not 1.99e+03)."""
    near = 0.1 * (edges[1] - edges[0])
    for digits in range(3, 16):
        rounded = [float(f"{edge:.{digits}g}") for edge in edges]
        if all(abs(a - b) <= near for a, b in zip(rounded, edges, strict=True)):
            break
    return [f"{edge:.{digits}g}" if abs(edge) >= 1e7 else f"{edge:.10g}" for edge in rounded]


def _short(label: str) -> str:
    return label if len(label) <= 10 else label[:9] + "\u2026"
