"""What all generators of tables share: fit, sample, likelihood, files."""

from __future__ import annotations

import copy
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from synthema import _core, tables
from synthema._core import CancelToken, ConfigError, GenerationError, ModelError, Progress, Schema, Table
from synthema.arguments import checked, whole
from synthema.files import whole_file
from synthema.subjects import warn_of_row_numbers, warn_of_subject
from synthema.tabular_generation.frames import FRAMES, FrameForm
from synthema.tabular_generation.parameters import checked_parameters
from synthema.tabular_generation.requests import blamed, in_zones, parity_of, shares_of

if TYPE_CHECKING:
    import numpy

    from synthema.forecasting import Forecast

Self = TypeVar("Self", bound="TabularGenerator")


class TabularGenerator:
    """What all generators of tables share. A subclass has parameters as keyword arguments and `_make`."""

    _core_class: Any = None
    _makes_row_numbers = True  # of columns that count the rows

    def __init__(self, **parameters: Any):
        self._given = parameters
        self._parameters = checked_parameters(type(self), parameters)
        self._frame: FrameForm | None = None  # not known
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
        """Return the parameters by name as they were given, as scikit-learn's estimators do."""
        return dict(self._given)

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
            first 125, 500, 2,000 rows and so on until that took a moment; within a factor of two or three.

        Raises
        ------
        SchemaError, GenerationError
            As `fit` does, where no part of the table can be fitted.

        Examples
        --------
        >>> from synthema import SequentialTrees
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

        Warns
        -----
        UserWarning
            If a column seems to say whose row it is, is taken for numbers of the rows, or holds dates or
            numbers that the frame keeps as texts.
        """
        real = tables.table(data, schema)
        warn_of_subject(real)
        if self._makes_row_numbers:
            warn_of_row_numbers(real)
        if schema is None and real is not data:
            tables.warn_of_spellings(real)
        made = self._make()
        made.fit(real, progress, cancel)
        self._fitted = made
        self._frame = FrameForm.of(data)
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
            generator makes are equally likely, or ``{"income": {"low": 0.3, "high": 0.7}}``. What shares
            leave of 1 goes to the other values, in their own proportions; a sum above 1 is one of weights.
            Each balanced column is drawn by itself and the others given it. It is never missing.
        parity : dict, optional
            ``{"target": "income", "sensitive": ["sex", "race"]}``: the target, drawn as it is without
            knowledge of the sensitive columns, is independent of them (statistical parity), and the others
            are drawn given both. None of them is missing. Columns that tell the sensitive ones still do.
        frame : {"table", "same", "pandas", "polars", "arrow"}
            What comes back; "same" is the frame that `fit` was given, with the order and types of its
            columns. Categories are those of the sample, in the order that they had: labels that are held
            back are not among them. Where a schema says another kind than the frame, the kind counts. A file
            does not keep it: for a generator that was loaded "same" is a ConfigError.
        progress, cancel
            As in `fit`.

        Returns
        -------
        Table or frame

        Raises
        ------
        GenerationError
            If nothing was fitted, a condition or a share asks for what was never seen, or a value does not
            fit the type of its column in the same frame.
        ConfigError
            If shares or parity name a column that is not there or are of another form, or shares are
            negative, sum to nothing, or to less than 1 where the column has no other values; if the table of
            conditions has no rows.
        """
        if frame not in FRAMES:
            raise ConfigError(f"A sample comes as {', '.join(FRAMES)}; '{frame}' is none of these.")
        if frame == "same" and self.fitted and not self._frame:
            raise ConfigError(
                "A generator that was read from a file or made from statistics does not know what kind of "
                "frame was fitted; name one, as in frame='pandas'."
            )
        rows, seed = whole(rows, "The number of rows"), whole(seed, "The seed")
        generator = self._ready()
        fixed = in_zones(conditions, generator)
        shares = {} if balance is None else shares_of(balance)
        sides = ([], []) if parity is None else parity_of(parity)
        if shares or any(sides):

            def draw(n: int, s: int, c: Table | None, last: bool) -> Table:
                try:
                    return generator.sample(n, s, c, progress if last else None, cancel)
                except GenerationError as error:
                    raise blamed(error, generator, c, fixed, set(shares), {*sides[0], *sides[1]}) from None

            made = _core._sample_with_targets(generator.schema, draw, rows, seed, fixed, shares, *sides)
        else:
            made = generator.sample(rows, seed, fixed, progress, cancel)
        return self._form(frame).frame(made)

    def _form(self, frame: str) -> FrameForm:
        return self._frame if frame == "same" and self._frame else FrameForm(frame)

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
        if not path.parent.is_dir():
            raise ModelError(f"{path}: There is no folder '{path.parent}' for the model; make it first.")
        with whole_file(path, "model", ModelError) as unfinished:
            unfinished.write_bytes(file)
        return path

    @classmethod
    def load(cls: type[Self], path: str | os.PathLike[str]) -> Self:
        """Read a generator that `save` wrote; it samples the same rows. ModelError where it is broken."""
        return cls._of_file(read_file(path), path)

    @classmethod
    def _of_file(cls: type[Self], file: bytes, path: str | os.PathLike[str]) -> Self:
        made = cls._core_class.load(file, os.fspath(path))
        usual = cls()._parameters
        out = cls(**{name: value for name, value in made.options.items() if value != usual.get(name)})
        out._fitted = made
        return out

    def _ready(self) -> Any:
        if self._fitted is None:
            raise GenerationError("The generator is not fitted; call fit first.")
        return self._fitted

    def __deepcopy__(self: Self, memo: dict[int, Any]) -> Self:
        return _again(type(self), copy.deepcopy(self._given, memo), self._frame, self._fitted)

    def __reduce__(self) -> Any:
        # With the file that `save` writes. The frame that was fitted is no part of what a private fit tells.
        frame = None if getattr(self._fitted, "is_private", False) else self._frame
        return _of_pickle, (type(self), self._given, frame, self._file_of_pickle())

    def _file_of_pickle(self) -> bytes | None:
        return self._fitted.save() if self.fitted else None

    def __repr__(self) -> str:
        defaults = type(self)().get_params() if type(self) is not TabularGenerator else {}
        shown = ", ".join(
            f"{name}={value!r}" for name, value in self._given.items() if value != defaults.get(name)
        )
        return f"{type(self).__name__}({shown})"


def _again(cls: type[Self], given: dict[str, Any], frame: FrameForm | None, fitted: Any) -> Self:
    out = cls(**given)
    out._frame, out._fitted = frame, fitted  # which is never changed: a fit makes it anew
    return out


def _of_pickle(cls: type[Self], given: dict[str, Any], frame: FrameForm | None, file: bytes | None) -> Self:
    return _again(cls, given, frame, None if file is None else cls._core_class.load(file, "the pickle"))


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Read a file of a model; a ModelError says why it could not be."""
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        raise ModelError(f"{os.fspath(path)}: The file could not be read: {error.strerror}.") from None
