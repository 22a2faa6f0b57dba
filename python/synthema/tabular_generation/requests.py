"""What a sample is asked for: conditions, balance, parity; and who is to blame where it cannot be."""

from __future__ import annotations

import datetime
import itertools
import zoneinfo
from collections.abc import Mapping
from typing import Any

from synthema import _core, tables
from synthema._core import ConfigError, GenerationError, Table
from synthema.tabular_generation.parameters import is_number, names_of

_MOST_TRIED = 1000  # combinations of values, when it is told which one cannot be


def in_zones(conditions: Any, generator: Any) -> Table | None:
    """Read times without a zone as clock times in the zone of their column, as people write them."""
    times = [f.name for f in generator.schema.fields if f.kind == "time"]
    zones = _core._zones(generator.sample(0, 0)) if times and conditions is not None else {}
    if zones and isinstance(conditions, dict):
        conditions = {name: _local(v, zones.get(name, "")) for name, v in conditions.items()}
    elif zones and isinstance(conditions, (list, tuple)) and all(isinstance(r, dict) for r in conditions):
        conditions = [{name: _local(v, zones.get(name, "")) for name, v in r.items()} for r in conditions]
    made = _conditions(conditions)
    if made is None or not set(zones) & set(made.names):
        return made
    columns = {name: made.values(name) for name in made.names}
    local = {name: _local(columns[name], zones[name]) for name in columns if name in zones}
    return made if all(local[name] == columns[name] for name in local) else tables.table(columns | local)


def _local(value: Any, zone: str) -> Any:
    if not zone:
        return value
    if isinstance(value, (list, tuple)):
        return [_local(one, zone) for one in value]
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    if not isinstance(value, datetime.datetime) or value.tzinfo is not None or value != value:  # NaT
        return value
    try:
        known = zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        try:
            known = datetime.datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").tzinfo
        except ValueError:
            raise _core.GenerationError(
                f"The time zone '{zone}' is not known here; give the conditions as times with a zone."
            ) from None
    return value.replace(tzinfo=known).astimezone(datetime.timezone.utc)


def _conditions(conditions: Any) -> Table | None:
    if conditions is None:
        return None
    if isinstance(conditions, dict) and not any(
        isinstance(v, (list, tuple)) or (hasattr(v, "__array__") and getattr(v, "ndim", 0) > 0)
        for v in conditions.values()
    ):
        conditions = [conditions]
    return tables.table(conditions, nan_as_missing=True)


def shares_of(balance: Any) -> dict[str, dict[Any, float]]:
    """Weights by value; none where all are equally likely."""
    if not isinstance(balance, Mapping) or not all(isinstance(column, str) for column in balance):
        raise ConfigError(
            "Balance is a dict of shares by column, as in {'income': 'uniform'} or "
            f"{{'income': {{'low': 0.3, 'high': 0.7}}}}, not {balance!r}."
        )
    out: dict[str, dict[Any, float]] = {}
    for column, shares in balance.items():
        if isinstance(shares, str) and shares == "uniform":
            out[column] = {}
        elif isinstance(shares, Mapping) and shares:
            for value, share in shares.items():
                if not is_number(share):
                    raise ConfigError(
                        f"field '{column}': The share of {value!r} is {share!r}; shares are numbers from 0."
                    )
            out[column] = dict(shares)
        else:
            raise ConfigError(
                f"The column '{column}' is balanced by 'uniform' or by shares of values, not {shares!r}."
            )
    return out


def parity_of(parity: Any) -> tuple[list[str], list[str]]:
    """Targets and sensitive columns."""
    if not isinstance(parity, Mapping) or (parity and set(parity) != {"target", "sensitive"}):
        raise ConfigError(
            "Parity has a 'target' and a 'sensitive' column, or lists of these, and nothing else, as in "
            "{'target': 'income', 'sensitive': ['sex']}."
        )
    target, sensitive = (
        names_of(parity.get(side, ()), f"The '{side}' of parity") for side in ("target", "sensitive")
    )
    return target, sensitive


def blamed(
    error: GenerationError, generator: Any, asked: Table | None, given: Table | None,
    balanced: set[str], parity: set[str],
) -> GenerationError:  # fmt: skip
    """What balance or parity asked for, where it is this and not a condition of the user's that cannot be.

    Asks for one row after the other until one cannot be made, then for its values alone and in pairs.
    """
    if asked is None or not set(asked.names) & (balanced | parity):
        return error

    def refused(cells: dict[str, Any]) -> bool:
        try:
            generator.sample(1, 0, tables.table([cells]))
        except GenerationError:
            return True
        return False

    def source(name: str) -> str:
        return "balance" if name in balanced else "parity" if name in parity else "the conditions"

    columns = {name: asked.values(name) for name in asked.names}
    seen: dict[str, tuple[int, dict[str, Any]]] = {}
    for row in range(len(asked)):
        cells = {name: values[row] for name, values in columns.items() if values[row] is not None}
        seen.setdefault(repr(cells), (row, cells))
        if len(seen) > _MOST_TRIED:
            break
    for row, cells in seen.values():
        if not refused(cells):
            continue
        free = {
            name
            for name in cells
            if given is None or name not in given.names or given.values(name)[row % len(given)] is None
        }
        own = {name: value for name, value in cells.items() if name not in free}
        if not free or (own and refused(own)):
            return error
        for name in sorted(free):
            if refused({name: cells[name]}):
                text = str(error).replace("A condition asks for", f"A share of {source(name)} asks for")
                return GenerationError(text)
        pairs = [pair for pair in itertools.combinations(cells, 2) if free & set(pair)]
        for a, b in pairs:
            if refused({a: cells[a], b: cells[b]}):
                who = " and ".join(sorted({source(name) for name in (a, b)}))
                return GenerationError(
                    f"field '{a}': By {who} a row has {_shown(cells[a])} here and {_shown(cells[b])} in "
                    f"'{b}', which the ranges or rules of the schema exclude; state shares under which the "
                    "two do not meet, or leave one of the columns out."
                )
        return GenerationError(
            "By balance or parity a row has "
            + ", ".join(f"{_shown(value)} in '{name}'" for name, value in cells.items())
            + ", which the ranges or rules of the schema exclude together."
        )
    return GenerationError(f"Under balance or parity some row cannot be made: {error}")


def _shown(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)
