"""GaussianCopula: of a table, or of what was published about one."""

from __future__ import annotations

import json
import math
import os
from typing import Any

from synthema import _core, tables
from synthema._core import GenerationError
from synthema.callers import warn
from synthema.tabular_generation.generator import TabularGenerator


class GaussianCopula(TabularGenerator):
    """Columns of any distribution, tied by the correlations of a normal vector.

    Parameters
    ----------
    rare_below, threads
        As of `SequentialTrees`.

    Notes
    -----
    Patki, Wedge and Veeramachaneni 2016; correlations are corrected for columns of few different values.
    """

    _core_class = _core._GaussianCopula

    def __init__(self, *, rare_below: int = 5, threads: int = 0):
        super().__init__(rare_below=rare_below, threads=threads)

    @classmethod
    def from_statistics(
        cls, statistics: dict[str, Any] | str | os.PathLike[str], *, threads: int = 0
    ) -> GaussianCopula:
        """Make a copula from published means, spreads, quartiles, shares and correlations; no row is needed.

        Numbers with mean and sd are beta-distributed within a range, gamma-distributed above or below one
        bound, normal without any; with quartiles they are shifted log-normal, cut at the range. Correlations
        are those of the columns (Pearson's; of booleans with 0 and 1, of labels with their place), not of
        the normal vector behind them.

        Parameters
        ----------
        statistics : dict or path
            In the form below, or a JSON or TOML file with it.
        threads : int
            As of the class.

        Returns
        -------
        GaussianCopula
            Fitted: it samples, conditions, scores and saves like one that saw rows.

        Warns
        -----
        UserWarning
            If rows have another mean or sd than was published: a spread that no usual shape in the range has.

        Raises
        ------
        SchemaError
            If numbers contradict each other beyond what rounding in print explains: an sd that the range does
            not allow, shares that do not sum to one, correlations that such columns cannot have or cannot
            have together.
        ParseError
            If the file or dict is not of this form, with the place: ``columns[2].sd``.

        Examples
        --------
        >>> cohort = GaussianCopula.from_statistics({"columns": [
        ...     {"name": "age", "kind": "integer", "mean": 57, "sd": 15, "minimum": 18, "maximum": 94},
        ...     {"name": "stay", "kind": "integer", "q1": 4, "median": 7, "q3": 12, "minimum": 0},
        ...     {"name": "sex", "kind": "category", "counts": {"f": 2890, "m": 3276}},
        ...     {"name": "smoker", "kind": "boolean", "share": 0.21, "missing": 0.02}],
        ...   "correlations": [["age", "stay", 0.3], ["sex", "smoker", 0.1]]})
        >>> len(cohort.sample(100, seed=1))
        100
        """
        name = ""
        if isinstance(statistics, (str, os.PathLike)):
            name = os.fspath(statistics)
            text = statistics_text(name)
        else:
            text = _json_of(statistics)
        made = _core._copula_from_statistics(text, name, threads)
        _warn_of_other_moments(made, json.loads(text))
        out = cls(threads=threads)
        out._fitted = made
        return out


def statistics_text(path: str | os.PathLike[str]) -> str:
    """Read published statistics as JSON text; a TOML file is turned into it."""
    text = tables.read_text(path)
    if not os.fspath(path).endswith(".toml"):
        return text
    from synthema.config import tomllib

    try:
        return json.dumps(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise _core.ParseError(f"{path}: The statistics are not valid TOML: {error}.") from None


def _json_of(statistics: Any) -> str:
    def plain(value: Any) -> Any:
        if hasattr(value, "tolist"):  # numpy's numbers and arrays
            return value.tolist()
        raise _core.ParseError(
            f"The statistics hold a {type(value).__name__}; they are numbers, texts, lists and dicts."
        )

    text = json.dumps(statistics, default=plain)
    _refuse_non_finite(json.loads(text), "")
    return text


def _refuse_non_finite(value: Any, path: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise _core.ParseError(f"{path}: Here stands {value} where a number belongs; leave the key out.")
    if isinstance(value, dict):
        for key, one in value.items():
            _refuse_non_finite(one, f"{path}.{key}" if path else str(key))
    if isinstance(value, list):
        for i, one in enumerate(value):
            _refuse_non_finite(one, f"{path}[{i}]")


def _warn_of_other_moments(copula: Any, statistics: dict[str, Any]) -> None:
    """Say where rows have another mean or sd than was published: a spread that no usual shape has."""
    try:
        rows = copula.sample(20_000, 0)
    except GenerationError:  # a key with fewer values
        return
    for column in statistics["columns"]:
        mean, sd = column.get("mean"), column.get("sd")
        values = [v for v in rows.values(column["name"]) if v is not None] if mean is not None and sd else []
        if len(values) < 1000:
            continue
        made = sum(values) / len(values)
        spread = math.sqrt(sum((v - made) ** 2 for v in values) / len(values))
        if abs(made - mean) > 0.25 * sd or not 0.75 < spread / sd < 1.25:
            warn(
                f"Column '{column['name']}': the rows have a mean of {made:.4g} and an sd of {spread:.4g}, "
                f"not {mean} and {sd} as was published; check the two and the range of the column."
            )
