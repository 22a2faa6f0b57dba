"""Generators of tables: fit to real rows, sample as many new ones as wanted, save, load."""

from __future__ import annotations

import json
import os
from typing import Any

from synthema import tables
from synthema._core import ConfigError, ModelError, Schema
from synthema.tabular_generation.any_order_network import AnyOrderNetwork
from synthema.tabular_generation.baselines import BootstrapCopy, IndependentMarginals
from synthema.tabular_generation.frames import FrameForm
from synthema.tabular_generation.gaussian_copula import GaussianCopula
from synthema.tabular_generation.generator import TabularGenerator, read_file
from synthema.tabular_generation.private_marginals import PrivateMarginals
from synthema.tabular_generation.sequential_trees import SequentialTrees

__all__ = [
    "AnyOrderNetwork",
    "BootstrapCopy",
    "GaussianCopula",
    "IndependentMarginals",
    "PrivateMarginals",
    "SequentialTrees",
    "default_method",
    "load",
    "method",
    "methods",
    "tabular",
]

# What `default_method` goes by: rows of a small table and its columns, values of a measurement, and the
# measurements, rows and columns of a panel.
_SMALL, _SMALL_COLUMNS, _MANY_VALUES = 1000, 500, 20
_PANEL, _PANEL_ROWS, _PANEL_COLUMNS = 50, 10_000, 2000


_METHODS = {
    "sequential_trees": SequentialTrees,
    "any_order_network": AnyOrderNetwork,
    "gaussian_copula": GaussianCopula,
    "independent_marginals": IndependentMarginals,
    "private_marginals": PrivateMarginals,
}


def methods() -> list[str]:
    """Names of the methods that `method` knows."""
    return list(_METHODS)


def method(name: str) -> type[TabularGenerator]:
    """Return the class of a method by its name; ConfigError where there is none."""
    if name not in _METHODS:
        raise ConfigError(f"There is no method '{name}'; there are {', '.join(_METHODS)}.")
    return _METHODS[name]


def default_method(data: Any, schema: Schema | None = None) -> type[TabularGenerator]:
    """Return the class that `tabular` takes for a table: by its size and kinds, by nothing else.

    `GaussianCopula` where more than two thirds of the columns are numbers of more than 20 different values,
    and there are fewer than 1,000 rows and at most 500 columns (leaves of trees are then a large part of the
    table, and what depends on each other smoothly is closer to a normal vector than to steps), or 50 such
    numbers or more, at most 10,000 rows, no more columns than rows and at most 2,000 (a panel, in which
    hundreds of columns may all say a little, of which a tree asks for few). `SequentialTrees` for all other
    tables: the time of the copula grows with the cube of the number of columns.

    Parameters
    ----------
    data, schema
        As in `SequentialTrees.fit`.
    """
    rows = tables.table(data, schema)
    size, width = len(rows), len(rows.names)
    is_small = size < _SMALL and width <= _SMALL_COLUMNS
    may_be_panel = size <= _PANEL_ROWS and width <= min(size, _PANEL_COLUMNS)
    if not (is_small or may_be_panel):
        return SequentialTrees
    names = [f.name for f in rows.schema.fields if f.kind in ("real", "integer", "time")]
    smooth = sum(len(set(rows.values(name))) > _MANY_VALUES for name in names)
    takes = 3 * smooth > 2 * width and (is_small or smooth >= _PANEL)
    return GaussianCopula if takes else SequentialTrees


def tabular(data: Any, *, target: str = "", schema: Schema | None = None) -> TabularGenerator:
    """Fit the default generator of a table, which `default_method` chooses.

    Parameters
    ----------
    data, schema
        As in `SequentialTrees.fit`.
    target : str
        Column to keep best, where the method can (`SequentialTrees`; `GaussianCopula` has no order of
        columns); empty: the one with the role target, if any.

    Returns
    -------
    SequentialTrees or GaussianCopula

    Raises
    ------
    ConfigError
        If there is no column of the name `target`.
    SchemaError, GenerationError
        As `SequentialTrees.fit`, which says when it warns, too.

    Examples
    --------
    >>> real = {"age": list(range(20, 60)) * 5, "treated": [True, False] * 100}
    >>> len(tabular(real, target="treated").sample(1000, seed=1))
    1000
    """
    rows = tables.table(data, schema)
    if target and target not in rows:
        raise ConfigError(tables.no_such_column(target, rows.names))
    cls = default_method(rows)
    if schema is None and rows is not data:
        tables.warn_of_spellings(rows)  # `fit` takes a Table for one whose kinds somebody chose
    fitted = (cls(target) if cls is SequentialTrees else cls()).fit(rows)
    fitted._frame = FrameForm.of(data)
    return fitted


def load(path: str | os.PathLike[str]) -> TabularGenerator:
    """Read a generator of any method that `save` wrote.

    Raises
    ------
    ModelError
        If the file is broken, or none of ours.
    """
    file = read_file(path)
    # The method stands in the header; the reader of the method checks everything else.
    cls = _METHODS.get(_method_named(file, os.fspath(path)))
    if cls is None:
        raise ModelError(f"{os.fspath(path)}: The model is of a method that this version does not know.")
    return cls._of_file(file, path)


def _method_named(file: bytes, path: str) -> str:
    length = int.from_bytes(file[:8], "little")
    try:
        return str(json.loads(file[8 : 8 + min(length, len(file))])["__metadata__"]["method"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelError(f"{path}: The file is no model of a generator of tables.") from None
