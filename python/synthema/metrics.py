"""Single metrics: every evaluator of the library as a function, and as an object with parameters.

>>> from synthema.metrics import distinct_2
>>> distinct_2([{"text": "my chest hurts"}, {"text": "my chest hurts"}]).value
0.5

The names are those of `synthema.evaluator_names` and of the page on metrics.
"""

from __future__ import annotations

import functools
import inspect
import textwrap
from typing import Any

from synthema import _core
from synthema._core import EvaluationContext, Evaluator, Score
from synthema.arguments import refuse_wrong_types
from synthema.evaluation import evaluate, option_defaults, suite_options
from synthema.evaluators import evaluator_named, evaluator_names
from synthema.tables import table

__all__ = ["Metric"]

# What only a report has.
_OF_REPORTS = {"metrics", "level", "title", "progress", "cancel"}
_OF_CONTEXT = {
    "schema", "target", "target_labels", "terms", "exemplars", "text_column", "label_column", "embedder",
    "text_scorer", "seed", "bootstrap", "threads",
}  # fmt: skip


@functools.cache
def _defaults() -> dict[str, Any]:
    return {name: value for name, value in option_defaults().items() if name not in _OF_REPORTS}


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
        refuse_wrong_types(evaluate, {"metrics": self.name, **parameters})
        self._given |= parameters
        return self

    def evaluator(self) -> Evaluator:
        """Return the evaluator, without what is said of columns, embedders and seeds."""
        given = {name: value for name, value in self._given.items() if name not in _OF_CONTEXT}
        return evaluator_named(self.name, suite_options(**given))

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

    def __reduce__(self) -> Any:
        return _again, (self.name, self._given)

    def __repr__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self._given.items())
        return f"Metric({self.name!r}{given})"


def _again(name: str, given: dict[str, Any]) -> Metric:
    return Metric(name, **given)


_CONVENTIONS = ("sdmetrics", "mostlyai", "syntheval", "synthcity", "anonymeter")


def _conventions(name: str, one_row: _core.Table) -> list[str]:
    """Whose definitions a metric has besides ours."""
    found = []
    for convention in _CONVENTIONS:
        options = suite_options(convention=convention)
        score = _core.evaluator_named(name, options).evaluate(one_row, one_row, EvaluationContext())
        if score.convention == convention:
            found.append(convention)
    return found


def _help_of(name: str) -> str:
    evaluator = _core.evaluator_named(name)
    one_row = table({"text": ["a"], "x": [1.0]})
    score = evaluator.evaluate(None, one_row, EvaluationContext())
    better = {"none": "neither way is better by itself"}.get(
        evaluator.direction, f"{evaluator.direction} is better"
    )
    low, high = evaluator.range
    conventions = ", ".join(repr(one) for one in ("synthema", *_conventions(name, one_row)))
    said = textwrap.fill(
        f"Definition: {score.definition}; from {low:g} to {high:g}, {better}. Conventions: {conventions}. "
        "The page on metrics says what it costs and when it misleads.",
        width=100,
        subsequent_indent="    ",
    )
    return f"""{score.estimand}

    {said}

    Parameters
    ----------
    synthetic, real, holdout : Table, frame, dict of columns or list of dicts
        The rows to judge; the real rows that they imitate; real rows that no generator saw.
    **parameters
        Those keywords of `synthema.evaluate` that concern the metric, such as ``convention``, ``seed``,
        ``bootstrap``, ``threads``, ``schema``, ``target`` and ``text_column``.

    Returns
    -------
    Score
        ``.value``, ``.interval``, ``.floor``, ``.ceiling``, ``.parts``; or ``.undefined``, which says why
        there is no value.

    Examples
    --------
    ``{name}(synthetic, real, holdout).value``
    """


@functools.cache
def _class_of(name: str) -> type[Metric]:
    """A class of its own for each metric, so that help() speaks of the metric and not of metrics."""
    own = {"__doc__": _help_of(name), "__module__": __name__, "__signature__": _signature()}
    return type(name, (Metric,), own)


def _signature() -> inspect.Signature:
    """How a metric is called: with tables, what most metrics read, and other keywords of `evaluate`."""
    known = inspect.signature(evaluate).parameters
    first = [
        known[name].replace(annotation=inspect.Parameter.empty) for name in ("synthetic", "real", "holdout")
    ]
    usual = [known[name] for name in ("convention", "seed", "bootstrap", "threads")]
    rest = inspect.Parameter("parameters", inspect.Parameter.VAR_KEYWORD)
    return inspect.Signature([*first, *usual, rest])


def __getattr__(name: str) -> Metric:
    if name in evaluator_names():
        return _class_of(name)(name)
    raise AttributeError(f"synthema.metrics has no '{name}'; evaluator_names() lists what there is.")


def __dir__() -> list[str]:
    return [*__all__, *evaluator_names()]
