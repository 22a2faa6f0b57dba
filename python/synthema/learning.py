"""Models of one column of a table, ours or any with ``fit`` and ``predict``, for evaluation and for use."""

from __future__ import annotations

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
    ``random_state``, the copy gets the seed of the run.

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
    if isinstance(estimator, Learner):
        return estimator
    ours = {"boosted_trees": boosted_trees, "linear_model": linear_model}
    if isinstance(estimator, str) and estimator in ours:
        return ours[estimator]()
    if inspect.isclass(estimator) or not all(
        callable(getattr(estimator, name, None)) for name in ("fit", "predict")
    ):
        raise _core.ConfigError(
            f"A learner is 'boosted_trees', 'linear_model', a Learner, or an estimator with fit and predict; "
            f"{estimator!r} is none of these."
        )
    return _core._python_learner(type(estimator).__name__, _Fitting(estimator))


class _Fitting:
    """Features, target, number of classes (0: a number) and a seed to a function of features."""

    def __init__(self, estimator: Any):
        self._estimator = estimator

    def __call__(self, features: np.ndarray, target: np.ndarray, classes: int, seed: int) -> Any:
        model = copy.deepcopy(self._estimator)
        if hasattr(model, "random_state"):
            model.random_state = seed
        if classes == 0:
            model.fit(features, target)
            return model.predict
        if not hasattr(model, "predict_proba"):
            raise _core.ConfigError(
                f"{type(model).__name__} has no predict_proba, which classes need; give a classifier."
            )
        model.fit(features, target.astype(int))
        return lambda rows: _of_all_classes(model, rows, classes)


def _of_all_classes(model: Any, rows: np.ndarray, classes: int) -> np.ndarray:
    """Return {rows, classes}: a class that no training row had has probability 0."""
    out = np.zeros((len(rows), classes))
    out[:, np.asarray(model.classes_, dtype=int)] = model.predict_proba(rows)
    return out
