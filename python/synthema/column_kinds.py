"""Kinds of columns in two tables: read alike where they can be, named where they are not."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Container
from typing import Any

from synthema import _core
from synthema._core import Schema, Table

__all__ = ["free_texts", "like", "restated", "unlike", "with_kinds"]

# Kinds of a column, and those that the same values may have in a table of more rows.
_READ_AS = {
    ("text", "category"),
    ("category", "text"),
    ("integer", "real"),
    ("real", "integer"),
    ("integer", "category"),
    ("integer", "text"),
}

# What a field of each kind may state beyond what all kinds may.
_STATED = {
    "real": ("minimum", "maximum", "decimals"),
    "integer": ("minimum", "maximum"),
    "category": ("categories",),
    "text": ("minimum_length", "maximum_length"),
}
_ALIKE = {"integer": "number", "real": "number", "category": "label", "text": "label"}


def restated(rows: Table, restate: Callable[[dict[str, Any]], None], names: Container[str]) -> Table:
    """Return the rows with what `restate` makes of the statements of these columns (a field in JSON)."""
    stated = json.loads(rows.schema.to_json())
    for field in stated["fields"]:
        if field["name"] in names:
            restate(field)
    return Table.from_arrow(rows, Schema.from_dict(stated))


def with_kinds(rows: Table, kinds: dict[str, str]) -> Table:
    """Return the rows with other kinds of some columns; what both kinds may state of a column stays."""

    def restate(field: dict[str, Any]) -> None:
        kind = kinds[field["name"]]
        for lost in {*_STATED.get(field["kind"], ())} - {*_STATED.get(kind, ())}:
            field.pop(lost, None)
        field["kind"] = kind

    return restated(rows, restate, kinds)


def like(rows: Table, real: Table) -> Table:
    """Return the rows with the kinds and roles that the real table has for the same columns.

    A few rows do not show what a column is: "f" and "m" once each could be free text, and a column without a
    value could be anything. A column whose values cannot be read so keeps its kind. Roles are those of the
    real table, of columns of a like kind, where the rows have none at all.
    """
    rows = _with_kinds_of(rows, real)
    if any(field.roles for field in rows.schema.fields):
        return rows
    kinds = {field.name: field.kind for field in rows.schema.fields}
    roles = {
        field.name: field.roles
        for field in real.schema.fields
        if field.roles
        and field.name in kinds
        and _ALIKE.get(field.kind, field.kind) == _ALIKE.get(kinds[field.name], kinds[field.name])
    }

    def restate(field: dict[str, Any]) -> None:
        field["roles"] = list(roles[field["name"]])

    try:
        return restated(rows, restate, roles) if roles else rows
    except _core.Error:  # a role that this kind cannot have: the columns are not compared anyway
        return rows


def _with_kinds_of(rows: Table, real: Table) -> Table:
    theirs = {field.name: field.kind for field in real.schema.fields}
    kinds = {
        field.name: theirs[field.name]
        for field in rows.schema.fields
        if field.name in theirs
        and (
            (field.kind, theirs[field.name]) in _READ_AS
            or (is_empty(rows, field.name) and field.kind != theirs[field.name])
        )
    }
    if not kinds:
        return rows
    try:
        return with_kinds(rows, kinds)
    except _core.Error:  # of some column; which one, each of them alone tells
        for name, kind in kinds.items():
            with contextlib.suppress(_core.Error):
                rows = with_kinds(rows, {name: kind})
    return rows


def unlike(real: Table | None, others: dict[str, Table | None]) -> list[str]:
    """Sentences about columns that were not compared, because a table lacks them or has them otherwise."""
    if real is None:
        return []
    kinds = {field.name: field.kind for field in real.schema.fields}
    zones = _core._zones(real)
    out = []
    for whose, table_ in others.items():
        if table_ is None:
            continue
        theirs = {field.name: field.kind for field in table_.schema.fields}
        own_zones = _core._zones(table_)
        lost = [name for name in kinds if name not in theirs]
        if lost:
            out.append(f"Not compared, because the {whose} rows do not have them: {_listed(lost)}.")
        if whose == "synthetic" and (more := [name for name in theirs if name not in kinds]):
            out.append(f"Not compared, because the real rows do not have them: {_listed(more)}.")
        for name, kind in kinds.items():
            other = theirs.get(name, kind)
            if _ALIKE.get(other, other) != _ALIKE.get(kind, kind):
                out.append(
                    f"Not compared: '{name}' is of kind {kind} in the real rows and {other} in the {whose} "
                    "rows; give a schema."
                )
            elif name in theirs and is_empty(table_, name):
                continue  # it was lost, whatever it was
            elif kind == other == "time" and name in theirs and (name in zones) != (name in own_zones):
                zoned, naive = ("real", whose) if name in zones else (whose, "real")
                out.append(
                    f"Not compared: the times of '{name}' have a zone in the {zoned} rows and none in the "
                    f"{naive} rows; write all with one, or all without."
                )
    return out


def too_far_for_reals(real: Table | None, synthetic: Table) -> list[str]:
    """One sentence, or none, about whole numbers that measures of numbers can hardly tell apart."""
    if real is None:
        return []
    theirs = _core._far_integers(synthetic)
    names = {field.name for field in real.schema.fields if not {"identifier", "subject"} & set(field.roles)}
    rough = []
    for name, ends in _core._far_integers(real).items():
        if name not in names or name not in theirs:
            continue
        low, high = min(*ends, *theirs[name]), max(*ends, *theirs[name])
        if high - low < 1000 * math.ulp(max(-low, high)):  # times in nanoseconds have room enough
            rough.append(name)
    if not rough:
        return []
    return [
        f"Measured too roughly: whole numbers of {_listed(rough)} lie beyond 2^53 and so near to each other "
        "that only measures of copies tell them apart; subtract what they have in common, or give a column "
        "that names something the role identifier."
    ]


def free_texts(real: Table | None, synthetic: Table, text_column: str) -> list[str]:
    """One sentence, or none, about texts of both tables that no measure looks at."""
    if real is None:
        return []
    labels = set(_core.label_columns(real))
    lost = [
        field.name
        for field in real.schema.fields
        if field.kind == "text"
        and not {"identifier", "subject"} & set(field.roles)
        and field.name in synthetic
        and field.name not in labels
        and field.name != text_column
        and not (is_empty(real, field.name) and is_empty(synthetic, field.name))  # of no kind at all
    ]
    if not lost:
        return []
    return [
        f"Not compared, because they were taken for free texts: {_listed(lost)}. A schema that makes one a "
        "category says otherwise; text_column names the one text to judge."
    ]


def is_empty(rows: Table, name: str) -> bool:
    """Whether no row has a value."""
    return 0 < len(rows) == rows.null_count(name)


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(f"'{name}'" for name in names[:12]) + rest
