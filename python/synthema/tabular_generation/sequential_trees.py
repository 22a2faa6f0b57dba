"""SequentialTrees: one column after the other, from leaves of trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from synthema import _core, tables
from synthema._core import CancelToken, ConfigError, Progress
from synthema.arguments import whole
from synthema.callers import warn
from synthema.tabular_generation.frames import FRAMES, FrameForm, without_levels
from synthema.tabular_generation.generator import TabularGenerator


class SequentialTrees(TabularGenerator):
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
    predictors : int
        Columns that a tree may ask for below its first cut: those that tell most about its own in all rows.
        0: all. It matters in tables of more columns, whose fit it makes faster.
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
        predictors: int = 64,
        combinations: Sequence[Sequence[str]] = (),
        threads: int = 0,
    ):
        super().__init__(
            target=target, first=first, min_leaf=min_leaf, min_gain=min_gain, rare_below=rare_below,
            particles=particles, predictors=predictors, combinations=combinations, threads=threads,
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
            as times, 0 and 1 as booleans. Values that are there stay as they are; a label that the training
            table did not have says nothing about the others, a number beyond its range what its end says.
        seed, progress, cancel
            As in `sample`.
        frame : str
            As in `sample`; "same" is the kind of `data`, with the types of the frame that was fitted where
            that was of this kind, but for reals, which stay as they are. A pandas frame that comes back for
            one has the index of `data`, which need not have been there in `fit`, and its categories in their
            order.

        Returns
        -------
        Table or frame
            Without missing values, but in columns that had none to learn from, in identifiers, and where
            rules of the schema leave no value beside what is known, of which a warning tells; in the kinds
            of the training table.

        Raises
        ------
        SchemaError
            If a column is not there, or has a value that does not convert.
        """
        if frame not in FRAMES:
            raise ConfigError(f"Rows come as {', '.join(FRAMES)}; '{frame}' is none of these.")
        generator = self._ready()
        holes = tables.table(without_levels(data, [field.name for field in generator.schema.fields]))
        made = generator.impute(holes, whole(seed, "The seed"), progress, cancel)
        left = {name: made.null_count(name) for name in self.order if made.null_count(name)}
        if left:
            from synthema.reporting.numbers import counted

            said = ", ".join(f"'{name}' in {counted(count, 'row')}" for name, count in left.items())
            warn(f"What is known leaves no value that keeps the rules of the schema: {said} stays missing.")
        form = self._form(frame)
        if frame == "same":
            given = FrameForm.of(data)
            form = self._frame.beside(given) if self._frame else FrameForm(given.kind)
        return form.filling(data).frame(made)

    @property
    def order(self) -> list[str]:
        """Columns in the order in which they are drawn."""
        return self._ready().order
