"""What generators share that can be fitted with differential privacy."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from synthema import _core, tables
from synthema._core import Schema, Table
from synthema.callers import warn
from synthema.subjects import people_in, warn_of_subject
from synthema.tabular_generation.frames import FrameForm
from synthema.tabular_generation.generator import TabularGenerator

if TYPE_CHECKING:
    from synthema.forecasting import Forecast


WEAK_EPSILON = 10.0


class PrivateGenerator(TabularGenerator):
    """A generator with a budget: its promise, and what was spent where."""

    def _fit_stated(
        self, data: Any, schema: Schema | None, progress: Any, cancel: Any, test_noise: int | None
    ) -> None:
        real = tables.table(data, schema)
        warn_of_subject(real)
        if schema is None and real is not data:
            tables.warn_of_spellings(real)
        _warn_of_weak_promise(self._parameters, real)
        _warn_of_new_ledger(self._parameters["ledger"])
        made = self._make()
        made.fit_stated(real, schema is not None, test_noise, progress, cancel)
        for names, said in (
            (
                made.untold,
                "Nothing could be told of {} under this budget; missing in every row. A schema that states "
                "labels or ranges helps",
            ),
            (
                made.one_label,
                "One label alone could be told of {} under this budget; all rows that have any have it. A "
                "schema that states labels helps",
            ),
            (
                made.unresolved,
                "How fine the values of {} are could not be told under this budget; their decimals, or whole "
                "days, are a guess. A schema that states decimals helps",
            ),
        ):
            if names:
                more = ", and so do fewer columns or a larger epsilon."
                warn(said.format(", ".join(names)) + more)
        self._fitted = made
        self._frame = FrameForm.of(data)

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

    def describe(self, *, each_release: bool = True) -> str:
        """Return the promise and what was spent where, or on how many kinds of release, for people."""
        return self._ready().describe(each_release)

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

    @property
    def one_label(self) -> list[str]:
        """Columns of which one label alone could be told: all rows that have any have it."""
        return self._ready().one_label


def _warn_of_new_ledger(ledger: str | os.PathLike[str]) -> None:
    """Say that fits do not add up to those before, which nobody sees where a name is mistyped."""
    if ledger and not os.path.exists(ledger):
        warn(
            f"There is no ledger '{os.fspath(ledger)}': this fit begins one, without a budget. Fits on the "
            "same people add up in the same file only."
        )


def _warn_of_weak_promise(parameters: dict[str, Any], real: Table) -> None:
    """Say where a promise holds but is worth little."""
    epsilon, delta = parameters["epsilon"], parameters["delta"]
    if epsilon > WEAK_EPSILON:
        warn(
            f"An epsilon of {epsilon:g} promises little: a release may be e^{epsilon:g} times as likely with "
            "one person more or less. 1 is strong, 10 is weak."
        )
    if delta * people_in(real) >= 1:
        warn(
            f"A delta of {delta:g} is not below 1 / (number of people), so the promise would even allow "
            "somebody's rows to be shown. Give one well below that."
        )
