"""Models of one column of a table, ours or any with ``fit`` and ``predict``, for evaluation and for use."""

from __future__ import annotations

import contextlib
import copy
import inspect
from typing import Any

import numpy as np

from synthema import _core
from synthema._core import (
    Learner,
    auroc,
    average_precision,
    balanced_accuracy,
    boosted_trees,
    brier_score,
    calibration_error,
    f1_score,
    linear_model,
    multiclass_auroc,
    r_squared,
)
from synthema.evaluators import Failures, failures_of

__all__ = [
    "Learner",
    "auroc",
    "average_precision",
    "balanced_accuracy",
    "boosted_trees",
    "brier_score",
    "calibration_error",
    "f1_score",
    "learner",
    "linear_model",
    "multiclass_auroc",
    "r_squared",
]


def learner(estimator: Any) -> Learner:
    """Make a learner of a name or of an estimator in scikit-learn's style.

    The estimator gets numbers: standardised columns, one for each label of a category, missing ones as
    columns of their own. A deep copy is fitted each time, so the one given stays as it is; where it has
    ``random_state``, the copy gets the seed of the run. Where it raises or gives what are no predictions,
    scores of `evaluate` that ask it are undefined and say so; the others stay.

    Parameters
    ----------
    estimator : Learner, "boosted_trees", "linear_model" or object
        An object has ``fit(X, y)``, ``predict(X)`` and for classes ``predict_proba(X)`` with ``classes_``.
        Classes are numbers from 0.

    Returns
    -------
    Learner

    Raises
    ------
    ConfigError
        If it is none of these.

    Examples
    --------
    >>> learner("linear_model").name
    'linear model'
    """
    return as_learner(estimator)


def as_learner(estimator: Any, failures: Failures | None = None) -> Learner:
    """Make a learner as `learner` does, whose failures are kept to be said together."""
    if isinstance(estimator, Learner):
        return estimator
    ours = {"boosted_trees": boosted_trees, "linear_model": linear_model}
    if isinstance(estimator, str) and estimator in ours:
        return ours[estimator]()
    if isinstance(estimator, str):
        raise _no_learner(f"'{estimator}' is none of these")
    if inspect.isclass(estimator):
        raise _no_learner(f"the class {estimator.__name__} is none of these, an object of it may be one")
    missing = [name for name in ("fit", "predict") if not callable(getattr(estimator, name, None))]
    if missing:
        raise _no_learner(
            f"a {type(estimator).__name__} is none of these: it has no {' and no '.join(missing)}"
        )
    return _core._python_learner(type(estimator).__name__, _Fitting(estimator, failures))


def _no_learner(why: str) -> _core.ConfigError:
    return _core.ConfigError(
        "A learner is 'boosted_trees', 'linear_model', a Learner, or an object with fit and predict, for "
        f"classes with predict_proba and classes_, too; {why}."
    )


class _Fitting:
    """Features, target, number of classes (0: a number) and a seed to a function of features."""

    def __init__(self, estimator: Any, failures: Failures | None):
        self._estimator = estimator
        self._failures = failures

    def __call__(self, features: np.ndarray, target: np.ndarray, classes: int, seed: int) -> Any:
        with _failures_of(self._estimator, self._failures):
            model = copy.deepcopy(self._estimator)
        if hasattr(model, "random_state"):
            model.random_state = seed
        if classes == 0:
            with _failures_of(model, self._failures):
                model.fit(features, target)
            return lambda rows: _of_numbers(model, rows, self._failures)
        if not hasattr(model, "predict_proba"):
            raise _core.EvaluationError(
                f"The learner '{type(model).__name__}' has no predict_proba, which classes need; give a "
                "classifier."
            )
        with _failures_of(model, self._failures):
            model.fit(features, target.astype(int))
        return lambda rows: _of_all_classes(model, rows, classes, self._failures)


def _failures_of(model: Any, failures: Failures | None) -> contextlib.AbstractContextManager[None]:
    return failures_of(f"The learner '{type(model).__name__}'", failures)


def _of_numbers(model: Any, rows: np.ndarray, failures: Failures | None) -> Any:
    with _failures_of(model, failures):
        return model.predict(rows)


def _of_all_classes(model: Any, rows: np.ndarray, classes: int, failures: Failures | None) -> np.ndarray:
    """Return {rows, classes}: a class that no training row had has probability 0."""
    out = np.zeros((len(rows), classes))
    with _failures_of(model, failures):
        given, known = np.asarray(model.predict_proba(rows)), np.asarray(model.classes_)
    among = np.isin(known, np.arange(classes))
    if known.ndim != 1 or not among.all() or given.shape != (len(rows), len(known)):
        raise _core.EvaluationError(
            f"The learner '{type(model).__name__}' must have as classes_ the classes it was fitted to and "
            "give with predict_proba a probability of each for each row."
        )
    with _failures_of(model, failures):
        out[:, known.astype(int)] = given
    return out
