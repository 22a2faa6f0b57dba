"""Single metrics: every evaluator of the library as a function, and as an object with parameters.

>>> from synthema.metrics import distinct_2
>>> distinct_2([{"text": "my chest hurts"}, {"text": "my chest hurts"}]).value
0.5

The names are those of `synthema.evaluator_names` and of the page on metrics.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from synthema import _core
from synthema._core import Evaluator, Score
from synthema.evaluation import evaluate, evaluator_names, suite_options

__all__ = ["Metric"]

# What only a report has, or what is the table that a metric is called with.
_OF_REPORTS = {"synthetic", "real", "holdout", "metrics", "level", "title", "progress", "cancel"}
_OF_CONTEXT = {
    "schema", "target", "terms", "exemplars", "text_column", "label_column", "embedder", "text_scorer",
    "seed", "bootstrap", "threads",
}  # fmt: skip


@functools.cache
def _defaults() -> dict[str, Any]:
    parameters = inspect.signature(evaluate).parameters
    return {name: one.default for name, one in parameters.items() if name not in _OF_REPORTS}


class Metric:
    """One metric and its parameters, in the manner of scikit-learn's objects.

    Parameters
    ----------
    name : str
        Name of the evaluator, as in reports.
    **parameters
        Any of the keywords of `synthema.evaluate` but those of whole reports: ``convention``, ``target``,
        ``bootstrap``, ``seed`` and so on.

    Raises
    ------
    ConfigError
        If there is no such metric or parameter.

    Examples
    --------
    >>> pairs = Metric("bivariate_accuracy", convention="mostlyai")
    >>> pairs.get_params()["convention"]
    'mostlyai'
    >>> pairs
    Metric('bivariate_accuracy', convention='mostlyai')
    """

    def __init__(self, name: str, **parameters: Any):
        self.name = name
        self._given: dict[str, Any] = {}
        self.set_params(**parameters)
        self.evaluator()  # so that a wrong name or value is said now

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the name and all parameters, given or not."""
        return {"name": self.name, **_defaults(), **self._given}

    def set_params(self, **parameters: Any) -> Metric:
        """Change parameters, and return the metric."""
        self.name = parameters.pop("name", self.name)
        for one in parameters:
            if one not in _defaults():
                raise _core.ConfigError(
                    f"A metric has no parameter '{one}'; there are {', '.join(sorted(_defaults()))}."
                )
        self._given |= parameters
        return self

    def evaluator(self) -> Evaluator:
        """Return the evaluator, without what is said of columns, embedders and seeds."""
        given = {name: value for name, value in self._given.items() if name not in _OF_CONTEXT}
        return _core.evaluator_named(self.name, suite_options(**given))

    def evaluator_of_report(self) -> Evaluator:
        """Return the evaluator for a report, which has columns, embedder and seed for all its metrics."""
        if own := sorted(_OF_CONTEXT & set(self._given)):
            raise _core.ConfigError(
                f"The metric '{self.name}' has parameters that a report has for all metrics, "
                f"{', '.join(own)}: give them to evaluate(), or call the metric by itself."
            )
        return self.evaluator()

    def __call__(self, synthetic: Any, real: Any = None, holdout: Any = None, **parameters: Any) -> Score:
        """Measure tables.

        Parameters
        ----------
        synthetic, real, holdout : Table, frame, dict of columns or list of dicts
            The rows to judge; the real rows that they imitate; real rows that no generator saw.
        **parameters
            In place of the metric's own, for this call.

        Returns
        -------
        Score
            ``.value``, or ``.undefined``, which says why there is none.

        Raises
        ------
        ConfigError
            If the metric does not have the convention that was asked for.
        """
        metric = Metric(self.name, **self._given | parameters) if parameters else self
        score = evaluate(synthetic, real, holdout, [self.name], **metric._given)[self.name]
        wanted = metric._given.get("convention", "synthema")
        if not score.undefined and wanted not in ("synthema", score.convention):
            raise _core.ConfigError(
                f"The metric '{self.name}' has no convention '{wanted}'; its own is '{score.convention}'."
            )
        return score

    def __repr__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self._given.items())
        return f"Metric({self.name!r}{given})"


def __getattr__(name: str) -> Metric:
    if name in evaluator_names():
        return Metric(name)
    raise AttributeError(f"synthema.metrics has no '{name}'; evaluator_names() lists what there is.")


def __dir__() -> list[str]:
    return [*__all__, *evaluator_names()]
