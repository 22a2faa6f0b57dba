"""PrivateMarginals: noisy marginals, and the distribution that explains them."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any

from synthema import _core
from synthema._core import CancelToken, Progress, Schema
from synthema.tabular_generation.private_generator import PrivateGenerator


class PrivateMarginals(PrivateGenerator):
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
            max_cells=max_cells, infer=infer, ledger=ledger, threads=threads,
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
