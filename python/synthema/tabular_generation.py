"""Generators of tables: fit to real rows, sample as many new ones as wanted, save, load."""

from __future__ import annotations

import contextlib
import datetime
import inspect
import itertools
import json
import math
import os
import pathlib
import warnings
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from synthema import _core, column_sources, tables
from synthema._core import CancelToken, ConfigError, GenerationError, ModelError, Progress, Schema, Table
from synthema.arguments import checked, kind_of, whole
from synthema.models import load_torch_module

if TYPE_CHECKING:
    import numpy

    from synthema.forecasting import Forecast

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

Self = TypeVar("Self", bound="_TabularGenerator")
_SMALL, _MANY_VALUES = 1000, 20  # what `default_method` goes by
_MOST_TRIED = 1000  # combinations of values, when it is told which one cannot be
_AS = ("table", "pandas", "polars", "arrow", "same")


class _TabularGenerator:
    """What all generators of tables share. A subclass has parameters as keyword arguments and `_make`."""

    _core_class: Any = None

    def __init__(self, **parameters: Any):
        self._parameters = _checked(type(self), parameters)
        self._frame = ""  # not known
        self._fitted: Any = None
        self._unfitted = self._make()  # options out of range are found here, not after hours

    def _make(self) -> Any:
        return self._core_class(**self._parameters)

    @property
    def name(self) -> str:
        """Name of the method, as the command line and reports have it."""
        return self._unfitted.name

    @property
    def schema(self) -> Schema:
        """What the columns of a sample mean."""
        return self._ready().schema

    @property
    def fitted(self) -> bool:
        """Whether there is something to sample from."""
        return self._fitted is not None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, as scikit-learn's estimators do."""
        return dict(self._parameters)

    def estimate(self, data: Any, *, schema: Schema | None = None) -> Forecast:
        """Foretell what `fit` takes for a table, and `sample` for as many rows: seconds and memory.

        Parameters
        ----------
        data, schema
            As for `fit`.

        Returns
        -------
        Forecast
            ``by_name["fit"]`` and ``by_name["sample"]`` in seconds, ``memory_bytes``. Found by fitting to the
            first 500 and 2,000 rows, which takes a moment; within a factor of two or three.

        Raises
        ------
        SchemaError, GenerationError
            As `fit` does, where the table has no more than 2,000 rows.

        Examples
        --------
        >>> plan = SequentialTrees().estimate({"sex": ["f", "m"] * 50, "smokes": [True, False] * 50})
        >>> plan.seconds < 10
        True
        """
        from synthema.forecasting import forecast_of_fit

        return forecast_of_fit(lambda: type(self)(**self._parameters), tables.table(data, schema))

    @checked
    def fit(
        self: Self,
        data: Any,
        *,
        schema: Schema | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """Learn from real rows. Starts afresh; a fit that fails or is stopped leaves what was fitted before.

        Parameters
        ----------
        data : Table, pandas, polars or pyarrow frame, dict of columns, list of dicts
            The real rows; whatever `synthema.table` reads.
        schema : Schema, optional
            What the columns mean: roles, ranges, rules. Without one it follows from the column types.
        progress : callable, optional
            Called with a `Progress`; may raise to stop.
        cancel : CancelToken, optional
            Asks to stop, from another thread.

        Returns
        -------
        self

        Raises
        ------
        SchemaError
            If a column cannot be learnt, with its name and what to do.
        GenerationError
            If there are fewer rows than hide a single one; if the schema leaves nothing to draw: a range or a
            rule that excludes every value of the table (none is invented), rules that contradict each other.
        Cancelled
            If `cancel` asked to stop.
        """
        real = tables.table(data, schema)
        made = self._make()
        made.fit(real, progress, cancel)
        self._fitted = made
        self._frame = _kind_of_frame(data)
        return self

    @checked
    def sample(
        self,
        rows: int,
        seed: int = 0,
        conditions: Any = None,
        *,
        balance: Mapping[str, str | Mapping[Any, float]] | None = None,
        parity: Mapping[str, str | Sequence[str]] | None = None,
        frame: str = "table",
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Any:
        """Make new rows. The same seed gives the same bytes, at any number of threads.

        Parameters
        ----------
        rows : int
            How many.
        seed : int
            0 to 2^64 - 1.
        conditions : table or dict, optional
            Row i of the result agrees with row i mod n of this table; a dict of single values is one row. A
            missing value leaves its column free.
        balance : dict, optional
            Shares that columns have in the rows: ``{"income": "uniform"}``, where all values that the
            generator makes are equally likely, or ``{"income": {"low": 0.3, "high": 0.7}}``; each balanced
            column is drawn by itself and the others given it. It is never missing.
        parity : dict, optional
            ``{"target": "income", "sensitive": ["sex", "race"]}``: the target, drawn as it is without
            knowledge of the sensitive columns, is independent of them (statistical parity), and the others
            are drawn given both. None of them is missing. Columns that tell the sensitive ones still do.
        frame : {"table", "same", "pandas", "polars", "arrow"}
            What comes back; "same" is the kind of frame that `fit` was given, which a file does not keep: for
            a generator that was loaded it is a ConfigError.
        progress, cancel
            As in `fit`.

        Returns
        -------
        Table or frame

        Raises
        ------
        GenerationError
            If nothing was fitted, or a condition or a share asks for what was never seen.
        ConfigError
            If shares or parity name a column that is not there or are of another form, or shares are negative
            or sum to nothing.
        """
        if frame not in _AS:
            raise ConfigError(f"A sample comes as {', '.join(_AS)}; '{frame}' is none of these.")
        if frame == "same" and self.fitted and not self._frame:
            raise ConfigError(
                "A generator that was read from a file or made from statistics does not know what kind of "
                "frame was fitted; name one, as in frame='pandas'."
            )
        rows, seed = whole(rows, "The number of rows"), whole(seed, "The seed")
        generator = self._ready()
        fixed = _in_zones(conditions, generator)
        shares = {} if balance is None else _shares(balance)
        sides = ([], []) if parity is None else _parity(parity)
        if shares or any(sides):

            def draw(n: int, s: int, c: Table | None, last: bool) -> Table:
                try:
                    return generator.sample(n, s, c, progress if last else None, cancel)
                except GenerationError as error:
                    raise _blamed(error, generator, c, fixed, set(shares), {*sides[0], *sides[1]}) from None

            made = _core._sample_with_targets(generator.schema, draw, rows, seed, fixed, shares, *sides)
        else:
            made = generator.sample(rows, seed, fixed, progress, cancel)
        return _as(made, self._frame if frame == "same" else frame)

    def log_prob(
        self,
        data: Any,
        *,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> numpy.ndarray:
        """Natural logarithm of how likely the generator makes each row: higher is better explained.

        Methods that were fitted to the same table can be compared on the same rows, best on held-out ones. It
        is the logarithm of a probability for labels, booleans, whole numbers and being missing, of a density
        in the column's own unit for reals and in microseconds for times.

        Parameters
        ----------
        data : table or frame
            Rows with the columns of the training table. Those that are drawn afresh (identifiers, subjects,
            unique texts) are left out and need not be there.
        progress, cancel
            As in `sample`.

        Returns
        -------
        numpy.ndarray of float64, one number a row
            ``-inf`` for a row that the generator never makes: a label or a number that is not handed on, a
            combination that no leaf has, a row that breaks the rules of the schema.

        Raises
        ------
        SchemaError
            If a column is not there, or of another kind.
        """
        return self._ready().log_prob(tables.table(data), progress, cancel)

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Write the fitted generator to a file: safetensors with a description in JSON, nothing executable.

        The file holds values of the training table: it is as confidential as that table. A file that could
        not be written whole leaves an older one as it was, and is a ModelError.
        """
        path, file = pathlib.Path(path), self._ready().save()
        if path.is_dir():
            raise ModelError(f"{path}: This is a folder; name a file in it for the model.")
        if not path.parent.is_dir():
            raise ModelError(f"{path}: There is no folder '{path.parent}' for the model; make it first.")
        unfinished = path.with_name(path.name + ".unfinished")
        try:
            unfinished.write_bytes(file)
            return unfinished.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise ModelError(f"{path}: The model could not be written: {error.strerror}.") from None

    @classmethod
    def load(cls: type[Self], path: str | os.PathLike[str]) -> Self:
        """Read a generator that `save` wrote; it samples the same rows. ModelError where it is broken."""
        return _loaded(cls, path, _read(path))

    def _ready(self) -> Any:
        if self._fitted is None:
            raise GenerationError("The generator is not fitted; call fit first.")
        return self._fitted

    def __repr__(self) -> str:
        defaults = type(self)().get_params() if type(self) is not _TabularGenerator else {}
        shown = ", ".join(
            f"{name}={value!r}" for name, value in self._parameters.items() if value != defaults.get(name)
        )
        return f"{type(self).__name__}({shown})"


class SequentialTrees(_TabularGenerator):
    """One column after the other, each drawn from a leaf of a tree that asks for the columns before it.

    The fast default: seconds for a table of 100,000 rows, whatever the kinds of its columns. Values that few
    people have are not handed on.

    Parameters
    ----------
    target : str
        Column that comes first in the order, so that what depends on it is kept best; empty: the column with
        the role target, if there is one.
    first : str or list of str
        Columns that come before even that, in this order. Conditions on these are the most exact.
    min_leaf : int
        Fewest rows of a leaf; 0: a thousandth of the rows, from 20 to 50.
    min_gain : float
        By how many standard deviations above chance a tree must gain from a cut. Lower follows the table
        closer, higher keeps farther from single rows.
    rare_below : int
        A value is handed on if at least so many people have it: rows, or subjects where the schema names one.
        1 protects nobody.
    particles : int
        Candidates a row where conditions fix a column that does not come first.
    combinations : list of list of str
        Groups of columns of which only those combinations are drawn that `rare_below` people have: a code and
        its chapter, a ward and its hospital.
    threads : int
        0: all cores; never changes the result.

    Notes
    -----
    Method: Reiter 2005; Nowok, Raab and Dibben 2016 (synthpop). Trees are cut by the decrease of the Gini
    impurity (labels) or of the continuous ranked probability score (numbers).

    Examples
    --------
    >>> import synthema
    >>> real = {"sex": ["f", "m"] * 50, "smokes": [True, False] * 50}
    >>> trees = SequentialTrees().fit(real)
    >>> trees.sample(2, seed=1, conditions={"sex": "f"}).values("smokes")
    [True, True]
    """

    _core_class = _core._SequentialTrees

    def __init__(
        self,
        target: str = "",
        first: str | Sequence[str] = (),
        *,
        min_leaf: int = 0,
        min_gain: float = 3.0,
        rare_below: int = 5,
        particles: int = 32,
        combinations: Sequence[Sequence[str]] = (),
        threads: int = 0,
    ):
        super().__init__(
            target=target, first=_names(first, "The parameter 'first'"), min_leaf=min_leaf, min_gain=min_gain,
            rare_below=rare_below, particles=particles, combinations=_groups(combinations), threads=threads,
        )  # fmt: skip

    def impute(
        self,
        data: Any,
        seed: int = 0,
        *,
        frame: str = "same",
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Any:
        """Fill missing values with draws given what is known of their row.

        One draw is one imputation: for honest intervals make several, with several seeds (Rubin 1987).

        Parameters
        ----------
        data : table or frame
            Rows with the columns of the training table, in its kinds or such as convert without loss: whole
            reals where it had integers (as holes make of them in pandas), integers where it had reals, texts
            as times, 0 and 1 as booleans. Values that are there stay as they are; one that the training table
            did not have says nothing about the others.
        seed, progress, cancel
            As in `sample`.
        frame : str
            As in `sample`; "same" is the kind of `data`.

        Returns
        -------
        Table or frame
            Without missing values, but in columns that had none to learn from and in identifiers; in the
            kinds of the training table.

        Raises
        ------
        SchemaError
            If a column is not there, or has a value that does not convert.
        """
        if frame not in _AS:
            raise ConfigError(f"Rows come as {', '.join(_AS)}; '{frame}' is none of these.")
        made = self._ready().impute(tables.table(data), whole(seed, "The seed"), progress, cancel)
        return _as(made, _kind_of_frame(data) if frame == "same" else frame)

    @property
    def order(self) -> list[str]:
        """Columns in the order in which they are drawn."""
        return self._ready().order


class _Private(_TabularGenerator):
    """What generators share that can be fitted with differential privacy."""

    def _fit_stated(
        self, data: Any, schema: Schema | None, progress: Any, cancel: Any, test_noise: int | None
    ) -> None:
        made = self._make()
        made.fit_stated(tables.table(data, schema), schema is not None, test_noise, progress, cancel)
        if made.untold:
            names = ", ".join(made.untold)
            warnings.warn(
                f"Nothing could be told of {names} under this budget; missing in every row. A schema that "
                "states labels or ranges helps, and so do fewer columns or a larger epsilon.",
                UserWarning,
                stacklevel=3,
            )
        if made.unresolved:
            names = ", ".join(made.unresolved)
            warnings.warn(
                f"How fine the values of {names} are could not be told under this budget; their decimals, or "
                "whole days, are a guess. A schema that states decimals helps, and so do fewer columns or a "
                "larger epsilon.",
                UserWarning,
                stacklevel=3,
            )
        self._fitted = made
        self._frame = _kind_of_frame(data)

    def estimate(self, data: Any, *, schema: Schema | None = None) -> Forecast:
        """Foretell what `fit` takes, by fits that are thrown away and are in no ledger.

        The parameters are those of `SequentialTrees.estimate`. It is for whoever may see the table: what it
        tells is not private.
        """
        from synthema.forecasting import forecast_of_fit

        parameters = {**self._parameters, "ledger": ""}
        with warnings.catch_warnings():  # what these fits could not tell is not the fit's
            warnings.simplefilter("ignore")
            return forecast_of_fit(lambda: type(self)(**parameters), tables.table(data, schema))

    def describe(self) -> str:
        """Return the promise and what was spent where, as text for people."""
        return self._ready().describe()

    @property
    def privacy_ledger(self) -> _core.Ledger:
        """What the fit cost: one entry, which covers all that was measured."""
        return self._ready().ledger

    @property
    def is_private(self) -> bool:
        """Whether nobody can repeat the noise; only then does the promise hold."""
        return self._ready().is_private

    @property
    def spending(self) -> list[dict[str, Any]]:
        """Each kind of release: mechanism, how often, noise, rho, delta."""
        return self._ready().spending

    @property
    def untold(self) -> list[str]:
        """Columns of which nothing could be told under the budget; they are missing in every row."""
        return self._ready().untold

    @property
    def unresolved(self) -> list[str]:
        """Columns whose decimals, or whole days, could not be told under the budget; they are a guess."""
        return self._ready().unresolved


class _TorchClass:
    """A class of ``synthema._torch``, which is loaded where it is first asked for."""

    def __init__(self, name: str):
        self._name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return getattr(load_torch_module(), self._name)


class AnyOrderNetwork(_Private):
    """A neural network that learns each column given any others; needs torch, on the CPU.

    Slower to fit than `SequentialTrees`: minutes for 100,000 rows. Conditions on any columns and imputation
    are exact draws from what was learnt, and `log_prob` tells how likely rows are. Values that few people
    have are not handed on.

    Parameters
    ----------
    target : str
        Column that is kept best; empty: the column with the role target, if there is one. It is drawn first,
        and last with several members.
    size : {"medium", "small", "large"}
        Of the network. A table of many hundred columns gets a smaller one than asked for, so that it fits
        into memory.
    rare_below : int
        As of `SequentialTrees`.
    rounds : int
        Most rounds over the rows. It ends before where the validation loss gets no better.
    patience : int
        Rounds without gain before the rate of learning falls, and after its second fall before the end.
    validation : float
        Share of people that are set aside to see when to end; above 0, at most 0.5. In tables of fewer than
        500 rows it is more, about 50 people, at most 30 %. Several members set aside a part each instead.
    members : int
        Networks that learn from different people and are averaged, at most 20. 0: 5 for fewer than 2,000
        people, else 1.
    rate : float
        First rate of learning; 0: 0.002, and 0.03 for a private fit.
    seed : int
        Of the fit: first values, who is set aside, orders of columns.
    temperature : dict of str to float
        By column: below 1 what is likely becomes likelier, above 1 less so.
    epsilon : float, optional
        Makes the fit (epsilon, delta)-differentially private, as `PrivateMarginals` says. Nobody is set aside
        then, and `rare_below`, `rounds`, `patience`, `validation` and `members` play no part.
    delta, rows_per_person, infer, ledger
        As of `PrivateMarginals`; rows of a person at most 100.
    clip : float
        Norm to which is cut what one person adds to a gradient.
    sampling_rate : float
        Share of people in each step, at random.
    steps : int
        Of learning. The noise of each follows from these, epsilon and delta.
    bins : int
        Of a number, at most, where the fit is private.
    first_share : float
        Of the budget, for what values single columns have.
    threads : int
        0: all cores; never changes the result.

    Notes
    -----
    Private fits: DP-SGD (Abadi et al. 2016), Poisson sampling and noise from the operating system. Names,
    kinds and roles of columns are public, and everything in a schema that is given to `fit`.

    Method: Tiwald et al. 2025 (TabularARGN), with the sums of Uria, Murray and Larochelle 2014 (NADE), and
    every row in an order of its own. `fit` tells the validation loss in nats a row. Where `cancel` asks to
    stop after the first round, `fit` keeps the best state so far and returns. The same seeds give the same
    rows at any number of threads, on one kind of CPU and with one version of torch.

    Examples
    --------
    >>> import synthema
    >>> real = {"sex": ["f", "m"] * 100, "smokes": [True, False] * 100}
    >>> network = AnyOrderNetwork(size="small").fit(real)  # doctest: +SKIP
    >>> network.sample(2, seed=1, conditions={"smokes": True}).values("sex")  # doctest: +SKIP
    ['f', 'f']
    """

    _core_class = _TorchClass("_AnyOrderNetwork")

    def __init__(
        self,
        target: str = "",
        *,
        size: str = "medium",
        rare_below: int = 5,
        rounds: int = 100,
        patience: int = 3,
        validation: float = 0.1,
        members: int = 0,
        rate: float = 0.0,
        seed: int = 0,
        temperature: Mapping[str, float] | None = None,
        epsilon: float | None = None,
        delta: float = 1e-6,
        clip: float = 1.0,
        sampling_rate: float = 0.1,
        steps: int = 150,
        rows_per_person: int = 1,
        bins: int = 32,
        first_share: float = 0.2,
        infer: bool = True,
        ledger: str | os.PathLike[str] = "",
        threads: int = 0,
    ):
        if epsilon is None and os.fspath(ledger):
            raise ConfigError("Only a private fit has a place in a ledger; give an epsilon.")
        super().__init__(
            target=target, size=size, rare_below=rare_below, rounds=rounds, patience=patience,
            validation=validation, members=members, rate=rate, seed=seed,
            temperature=_temperatures(temperature), epsilon=epsilon, delta=delta, clip=clip,
            sampling_rate=sampling_rate, steps=steps, rows_per_person=rows_per_person, bins=bins,
            first_share=first_share, infer=infer, ledger=os.fspath(ledger), threads=threads,
        )  # fmt: skip

    def fit(
        self,
        data: Any,
        *,
        schema: Schema | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
        spill: str | os.PathLike[str] = "",
        _test_noise: int | None = None,
    ) -> AnyOrderNetwork:
        """Learn from real rows; with an epsilon, once for what it says: a second fit costs as much again.

        Parameters
        ----------
        data : table, frame, path, pyarrow dataset or pyarrow.RecordBatchReader
            As of `SequentialTrees.fit`; or a table that need not fit into memory, whose columns are read one
            after the other: the path of a .parquet, .feather, .arrow or .csv file, a dataset, or a reader. It
            teaches the same network as the table itself, to the last bit.
        schema : Schema, optional
            What the columns mean. For a private fit it is public knowledge, as for `PrivateMarginals.fit`.
        progress, cancel
            As of `SequentialTrees.fit`.
        spill : path, optional
            Folder on a disk for the coded rows of a table that is read column by column, a byte for each row
            and column, and for the rows of a reader, which can be read only once. They are in files that only
            the user can read, that have no name, and that are gone with the fit or with the process.

        Returns
        -------
        self

        Raises
        ------
        SchemaError, GenerationError
            As of `SequentialTrees.fit`.
        PrivacyBudgetError, ConfigError
            As of `PrivateMarginals.fit`. ConfigError too if a private fit is given a file, or a reader no
            `spill`.
        ParseError
            If a file is not there or broken.
        """
        if column_sources.is_source(data):
            if self._parameters["epsilon"] is not None:
                raise ConfigError(
                    "A private fit needs the table as a whole: read the file first, as in "
                    "fit(synthema.read(path))."
                )
            made, folder = self._make(), os.fspath(spill)
            with column_sources.column_source(data, schema, spill=folder) as source:
                made.fit_columns(source.schema, source.rows, source.read, folder, progress, cancel)
            self._fitted, self._frame = made, _kind_of_frame(data)
            return self
        if spill:
            raise ConfigError(
                "The parameter 'spill' is for tables that are read column by column; this one is in memory."
            )
        if self._parameters["epsilon"] is None:
            return super().fit(data, schema=schema, progress=progress, cancel=cancel)
        self._fit_stated(data, schema, progress, cancel, _test_noise)
        return self

    impute = SequentialTrees.impute

    @property
    def order(self) -> list[str]:
        """Columns in the order in which they are drawn."""
        return self._ready().order

    @property
    def validation_loss(self) -> float:
        """Mean over the people set aside of minus the log-probability of a row's classes, in nats."""
        return self._ready().validation_loss

    @property
    def rounds(self) -> int:
        """Rounds over the rows that were learnt."""
        return self._ready().rounds

    @property
    def parameters(self) -> int:
        """How many numbers were learnt, of all members."""
        return self._ready().parameters


class IndependentMarginals(_TabularGenerator):
    """Every column by itself: the least that a generator must beat.

    Parameters
    ----------
    rare_below, threads
        As of `SequentialTrees`.
    """

    _core_class = _core._IndependentMarginals

    def __init__(self, *, rare_below: int = 5, threads: int = 0):
        super().__init__(rare_below=rare_below, threads=threads)


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
            warnings.warn(
                f"Column '{column['name']}': the rows have a mean of {made:.4g} and an sd of {spread:.4g}, "
                f"not {mean} and {sd} as was published; check the two and the range of the column.",
                stacklevel=3,
            )


def _refuse_non_finite(value: Any, path: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise _core.ParseError(f"{path}: Here stands {value} where a number belongs; leave the key out.")
    if isinstance(value, dict):
        for key, one in value.items():
            _refuse_non_finite(one, f"{path}.{key}" if path else str(key))
    if isinstance(value, list):
        for i, one in enumerate(value):
            _refuse_non_finite(one, f"{path}[{i}]")


class GaussianCopula(_TabularGenerator):
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


class PrivateMarginals(_Private):
    """Differentially private: noisy marginals, and rows from the distribution that explains them.

    What is saved and what is sampled is (epsilon, delta)-differentially private: it would be nearly as
    likely without any single person, a row, or all rows of a subject where the schema names one. Noise comes
    from the operating system, so no seed repeats a fit; samples of one fit repeat as always.

    Parameters
    ----------
    epsilon : float
        How much may be learnt about anyone; 1 is strong, 10 is weak.
    delta : float
        With what probability the promise may fail; well below 1 / (number of people).
    target : str
        Column whose relations matter most; empty: the column with the role target, if there is one.
    target_weight : float
        By how much they count more than others when it is chosen what to measure.
    rows_per_person : int
        How many rows of each subject are used, at random. The noise grows in proportion.
    bins : int
        Of a number in the model, at most; within a bin, values keep a finer noisy histogram.
    first_share : float
        Of the budget, for what values single columns have.
    rounds : int
        Pairs and triples to measure, about; 0: three times the columns.
    max_cells : int
        Of the model's tables: bounds memory and time.
    infer : bool
        Whether labels and ranges that the schema does not state are learnt, which costs budget. False: such a
        column is a ConfigError.
    ledger : str or path
        File in which fits on the same people add up; the fit is refused before it looks at the data if the
        budget of the file would be exceeded. Make one with a budget by `synthema.privacy.LedgerFile`.
    threads : int
        0: all cores.

    Notes
    -----
    After MST (McKenna, Miklau and Sheldon 2021), AIM (McKenna, Mullins, Sheldon and Miklau 2022) and
    private-PGM (McKenna, Sheldon and Miklau 2019). Names, kinds and roles of columns are public, and so is
    everything in a schema that is given to `fit`. Without one, categories, ranges and decimals are learnt
    with noise.

    Examples
    --------
    >>> import synthema
    >>> real = {"sex": ["f", "m"] * 2000, "smokes": [True, False] * 2000}
    >>> model = PrivateMarginals(epsilon=3).fit(real)
    >>> model.sample(2, seed=1, conditions={"sex": "f"}).values("sex")
    ['f', 'f']
    >>> model.is_private
    True
    """

    _core_class = _core._PrivateMarginals

    def __init__(
        self,
        epsilon: float = 1.0,
        delta: float = 1e-6,
        target: str = "",
        *,
        target_weight: float = 2.0,
        rows_per_person: int = 1,
        bins: int = 32,
        first_share: float = 0.2,
        rounds: int = 0,
        max_cells: int = 400_000,
        infer: bool = True,
        ledger: str | os.PathLike[str] = "",
        threads: int = 0,
    ):
        super().__init__(
            epsilon=epsilon, delta=delta, target=target, target_weight=target_weight,
            rows_per_person=rows_per_person, bins=bins, first_share=first_share, rounds=rounds,
            max_cells=max_cells, infer=infer, ledger=os.fspath(ledger), threads=threads,
        )  # fmt: skip

    def fit(
        self,
        data: Any,
        *,
        schema: Schema | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
        _test_noise: int | None = None,
    ) -> PrivateMarginals:
        """Learn from real rows, once for what epsilon says; a second fit costs as much again.

        Parameters
        ----------
        data, progress, cancel
            As of `SequentialTrees.fit`.
        schema : Schema, optional
            Public knowledge: what it states about categories, ranges, decimals and missing values costs
            nothing. State only what you would know without these rows.

        Returns
        -------
        self

        Raises
        ------
        PrivacyBudgetError
            If the ledger's budget does not allow it; nothing was measured then.
        SchemaError
            If the schema contradicts the rows, or a column cannot be learnt.
        ConfigError
            If a column's values are not stated and `infer` is False.
        GenerationError
            If rules of the schema contradict each other or every row, or there is a key; nothing is
            spent then.
        """
        self._fit_stated(data, schema, progress, cancel, _test_noise)
        return self

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Write the fitted generator to a file, as other generators do.

        The file holds nothing of the real table but what was measured with noise; its ledger is inside, and
        is checked when it is loaded.
        """
        return super().save(path)

    @property
    def marginals(self) -> list[list[str]]:
        """The columns of each marginal that was measured."""
        return self._ready().marginals


class BootstrapCopy(_TabularGenerator):
    """Real rows, drawn with replacement: what a perfect leak looks like to evaluators.

    Parameters
    ----------
    release : bool
        Without it no rows are given: `sample` raises PolicyError. It is never saved.
    """

    _core_class = _core._BootstrapCopy

    def __init__(self, *, release: bool = False):
        super().__init__(release=release)

    def log_prob(self, data: Any, **options: Any) -> numpy.ndarray:
        """Refused: rows of a table are points, which have no density that other methods' could be held to."""
        raise GenerationError(
            "A bootstrap copy has no likelihood: its rows are single points; ask another method."
        )

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Refused: the file would be the real table."""
        raise _core.PolicyError("A bootstrap copy is not saved: its model is the real table itself.")


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


def method(name: str) -> type[_TabularGenerator]:
    """Return the class of a method by its name; ConfigError where there is none."""
    if name not in _METHODS:
        raise ConfigError(f"There is no method '{name}'; there are {', '.join(_METHODS)}.")
    return _METHODS[name]


def default_method(data: Any, schema: Schema | None = None) -> type[_TabularGenerator]:
    """Return the class that `tabular` takes for a table: by its size and kinds, by nothing else.

    `GaussianCopula` for fewer than 1,000 rows where more than two thirds of the columns are numbers of more
    than 20 different values: leaves of trees are then a large part of the table, and what depends on each
    other smoothly is closer to a normal vector than to steps. `SequentialTrees` for all other tables.

    Parameters
    ----------
    data, schema
        As in `SequentialTrees.fit`.
    """
    rows = tables.table(data, schema)
    if len(rows) >= _SMALL:
        return SequentialTrees
    names = [f.name for f in rows.schema.fields if f.kind in ("real", "integer", "time")]
    smooth = sum(len(set(rows.values(name))) > _MANY_VALUES for name in names)
    return GaussianCopula if 3 * smooth > 2 * len(rows.names) else SequentialTrees


def tabular(data: Any, *, target: str = "", schema: Schema | None = None) -> _TabularGenerator:
    """Fit the default generator of a table, which `default_method` chooses.

    Parameters
    ----------
    data, schema
        As in `SequentialTrees.fit`.
    target : str
        Column to keep best, where the method can; empty: the one with the role target, if any.

    Returns
    -------
    SequentialTrees or GaussianCopula

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
    fitted = (cls(target) if cls is SequentialTrees else cls()).fit(rows)
    fitted._frame = _kind_of_frame(data)
    return fitted


def load(path: str | os.PathLike[str]) -> _TabularGenerator:
    """Read a generator of any method that `save` wrote.

    Raises
    ------
    ModelError
        If the file is broken, or none of ours.
    """
    file = _read(path)
    for name, cls in _METHODS.items():
        # The method stands in the header; the reader of the method checks everything else.
        if _method_named(file, os.fspath(path)) == name:
            return _loaded(cls, path, file)
    raise ModelError(f"{os.fspath(path)}: The model is of a method that this version does not know.")


def _loaded(cls: Any, path: str | os.PathLike[str], file: bytes) -> Any:
    if cls not in _METHODS.values():
        raise ModelError(f"A {cls.__name__} is not kept in files.")
    made = cls._core_class.load(file, os.fspath(path))
    out = cls(**made.options)
    out._fitted = made
    return out


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        raise ModelError(f"{os.fspath(path)}: The file could not be read: {error.strerror}.") from None


def _method_named(file: bytes, path: str) -> Any:
    length = int.from_bytes(file[:8], "little")
    try:
        return json.loads(file[8 : 8 + min(length, len(file))])["__metadata__"]["method"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelError(f"{path}: The file is no model of a generator of tables.") from None


def _conditions(conditions: Any) -> Table | None:
    if conditions is None:
        return None
    if isinstance(conditions, dict) and not any(
        isinstance(v, (list, tuple)) or (hasattr(v, "__array__") and getattr(v, "ndim", 0) > 0)
        for v in conditions.values()
    ):
        conditions = [conditions]
    return tables.table(conditions)


def _in_zones(conditions: Any, generator: Any) -> Table | None:
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
    if not isinstance(value, datetime.datetime) or value.tzinfo is not None:
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


def _names(value: Any, what: str) -> list[str]:
    """Names of columns; a single one stands for a list of it."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{what} is the name of a column or a list of names, not {value!r}.")
    return list(names)


def _groups(value: Any) -> list[list[str]]:
    if isinstance(value, str) or not isinstance(value, Sequence) or any(isinstance(g, str) for g in value):
        raise ConfigError(
            "The parameter 'combinations' is a list of lists of columns, as in [['ward', 'hospital']], not "
            f"{value!r}."
        )
    return [_names(group, "A group of 'combinations'") for group in value]


def _is_number(value: Any) -> bool:
    return not isinstance(value, (bool, str, bytes)) and hasattr(value, "__float__")


def _temperatures(value: Any) -> dict[str, float]:
    value = {} if value is None else value
    if not isinstance(value, Mapping) or not all(
        isinstance(name, str) and _is_number(number) for name, number in value.items()
    ):
        raise ConfigError(
            f"The parameter 'temperature' is a dict of numbers by column, as in {{'age': 0.9}}, not {value}."
        )
    return dict(value)


def _shares(balance: Any) -> dict[str, dict[Any, float]]:
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
                if not _is_number(share):
                    raise ConfigError(
                        f"field '{column}': The share of {value!r} is {share!r}; shares are numbers from 0."
                    )
            out[column] = dict(shares)
        else:
            raise ConfigError(
                f"The column '{column}' is balanced by 'uniform' or by shares of values, not {shares!r}."
            )
    return out


def _parity(parity: Any) -> tuple[list[str], list[str]]:
    """Targets and sensitive columns."""
    if not isinstance(parity, Mapping) or (parity and set(parity) != {"target", "sensitive"}):
        raise ConfigError(
            "Parity has a 'target' and a 'sensitive' column, or lists of these, and nothing else, as in "
            "{'target': 'income', 'sensitive': ['sex']}."
        )
    target, sensitive = (
        _names(parity.get(side, ()), f"The '{side}' of parity") for side in ("target", "sensitive")
    )
    return target, sensitive


def _blamed(
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


def _checked(cls: type, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a generator with numbers where its defaults are numbers."""
    defaults = {name: one.default for name, one in inspect.signature(cls.__init__).parameters.items()}
    out = dict(parameters)
    for name, value in parameters.items():
        default = defaults.get(name)
        if isinstance(default, int) and not isinstance(default, bool):
            out[name] = whole(value, f"The parameter '{name}'")
        elif isinstance(default, float) or (name == "epsilon" and value is not None):
            if not _is_number(value):
                raise ConfigError(f"The parameter '{name}' is a number, not {kind_of(value)}.")
        elif isinstance(default, bool) and not isinstance(value, bool):
            raise ConfigError(f"The parameter '{name}' is True or False, not {kind_of(value)}.")
        elif isinstance(default, str) and not isinstance(value, str):
            raise ConfigError(f"The parameter '{name}' is a text, not {kind_of(value)}.")
    return out


def _as(made: Table, kind: str) -> Any:
    convert = {"pandas": made.to_pandas, "polars": made.to_polars, "arrow": made.to_arrow}
    return convert[kind]() if kind in convert else made


def _kind_of_frame(data: Any) -> str:
    module = type(data).__module__.partition(".")[0]
    return {"pandas": "pandas", "polars": "polars", "pyarrow": "arrow"}.get(module, "table")
