"""Evaluators by name, evaluators written in Python, and the trial of their promises."""

from __future__ import annotations

import contextlib
import difflib
import functools
import inspect
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from synthema import _core
from synthema._core import EvaluationContext, Evaluator, SuiteOptions, Table
from synthema.arguments import checked, name_of
from synthema.callers import warn
from synthema.tables import table

__all__ = ["check_evaluator", "evaluator", "evaluator_names"]


def evaluator(
    function: Callable | None = None,
    *,
    name: str | None = None,
    direction: str = "none",
    range: tuple[float, float] = (-math.inf, math.inf),
    needs: str | Iterable[str] = (),
) -> Any:
    """Make an evaluator of a function.

    The function gets ``(real, synthetic, context)``: two `Table` (real may be None) and an
    `EvaluationContext`. It returns a `Score`, a dict in the JSON form of one (``{"value": 0.3, "n": 12,
    "interval": {"low": 0.2, "high": 0.4, "level": 0.95, "method": "..."}}`` or ``{"undefined": "why"}``) or a
    number. It must not change its inputs, and gives ``undefined`` for empty tables: `check_evaluator` tries.
    In `evaluate`, where it raises or gives something else its score is undefined and says so, with the text
    of the exception; the other evaluators go on.

    Parameters
    ----------
    function : callable
        The measure.
    name : str, optional
        The key in reports; the function's own name if not given.
    direction : {"higher", "lower", "none"}
        Which way is better.
    range : (float, float)
        The smallest and largest possible value.
    needs : list of str, or str
        Any of "reference", "holdout", "target", "subject", "embedder": without them it is not asked.

    Returns
    -------
    Evaluator

    Raises
    ------
    ConfigError
        If the range is not two numbers in their order, or there is no such direction or need.

    Examples
    --------
    >>> @evaluator(direction="none", range=(0, math.inf))
    ... def rows(real, synthetic, context):
    ...     return {"value": len(synthetic)} if len(synthetic) else {"undefined": "There are no rows."}
    """
    if function is None:
        return functools.partial(evaluator, name=name, direction=direction, range=range, needs=needs)
    name = name or name_of(function)
    try:
        low, high = (float(end) for end in range)
        ordered = low <= high  # not where one is NaN
    except (TypeError, ValueError):
        ordered = False
    if not ordered:
        raise _core.ConfigError(
            f"The evaluator '{name}' has the range {range!r}; a range is the smallest and the largest "
            "possible value, as in (0, 1)."
        )

    @functools.wraps(function)
    def measured(real: Table | None, synthetic: Table, context: EvaluationContext) -> Any:
        score = function(real, synthetic, context)
        return _checked_score(score, name) if isinstance(score, Mapping) else score

    named = [needs] if isinstance(needs, str) else list(needs)
    return _core._python_evaluator(measured, name, direction, (low, high), named)


_MEMBERS = (
    *("name", "value", "undefined", "interval", "no_interval", "n", "parts", "curves", "ceiling", "floor"),
    *("convention", "definition", "estimand", "warnings", "direction", "range"),
)


def _checked_score(score: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a score with Python's own numbers; EvaluationError for NaN and for members no score has."""
    for key in score:
        if key not in _MEMBERS:
            near = difflib.get_close_matches(str(key), _MEMBERS, n=1)
            meant = f"; did you mean '{near[0]}'?" if near else f"; it has {', '.join(_MEMBERS)}."
            raise _core.EvaluationError(
                f"The evaluator '{name}' gave the member '{key}', which a score does not have{meant}"
            )
    return {key: _plain(value, name, key) for key, value in score.items()}


def _plain(value: Any, name: str, member: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one, name, member) for key, one in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(one, name, member) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, float) or math.isfinite(value):
        return value
    if math.isnan(value) or member == "value":
        given = "NaN" if math.isnan(value) else value
        raise _core.EvaluationError(
            f"The evaluator '{name}' gave {given} as '{member}'; what cannot be computed is "
            "{'undefined': reason}."
        )
    return "inf" if value > 0 else "-inf"  # as in the JSON form


def evaluator_names() -> list[str]:
    """Return the names of all evaluators that the library has."""
    return [one.name for one in _core.all_evaluators()]


def evaluator_named(name: str, options: SuiteOptions | None = None) -> Evaluator:
    """Return the library's evaluator of this name, or raise ConfigError with the nearest names."""
    if name in evaluator_names():
        return _core.evaluator_named(name, options or SuiteOptions())
    raise _core.ConfigError(f"{no_such_evaluator(name)} evaluator_names() lists all that there are.")


def no_such_evaluator(name: str) -> str:
    """Say that there is no evaluator of this name, and which are written alike."""
    names = evaluator_names()
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    near += [one for one in names if name and name in one and one not in near][: 3 - len(near)]
    meant = " or ".join(f"'{one}'" for one in near)
    return f"There is no evaluator '{name}'" + (f"; did you mean {meant}?" if near else ".")


@checked
def check_evaluator(
    one: Any,
    synthetic: Any = None,
    real: Any = None,
    context: EvaluationContext | None = None,
    *,
    row_order: bool = True,
) -> None:
    """Try whether an evaluator keeps the promises that reports rely on.

    A score of the right form within its range and its interval, the same again and on one thread and with the
    rows in another order, inputs left unchanged, and on empty tables an undefined score in place of an
    exception.

    Parameters
    ----------
    one : str, Evaluator or object
        As in `evaluate`.
    synthetic, real : table, optional
        Rows with the columns that it reads; a small table of texts, numbers and categories if not given.
    context : EvaluationContext, optional
        What it reads besides.
    row_order : bool
        False for measures that depend on the order of rows on purpose.

    Raises
    ------
    EvaluationError
        Names every promise that was broken.
    ConfigError
        It is none, or needs what was not given, without which `evaluate` would not ask it.
    """
    built = evaluator_named(one) if isinstance(one, str) else as_evaluator(one)
    if synthetic is None:
        synthetic = _example(7)
        real = _example(5) if real is None else real
    reference, rows = None if real is None else table(real), table(synthetic)
    context = context or EvaluationContext(bootstrap=50)
    _refuse_unmet(built, reference, rows, context)
    stopped: list[BaseException] = []

    def asked(real: Table | None, synthetic: Table, context: EvaluationContext) -> Any:
        try:
            return built.evaluate(real, synthetic, context)
        except Exception:
            raise
        except BaseException as error:  # Ctrl-C is no broken promise
            stopped.append(error)
            raise

    broken = _core._nonconformities(
        built
        if isinstance(one, str)
        else _core._python_evaluator(asked, built.name, built.direction, built.range, built.needs),
        reference,
        rows,
        context,
        row_order,
    )
    if stopped:
        raise stopped[0]
    if broken:  # what Python raised comes with the places of files, which are ours
        said = " ".join(one.partition("\n\nAt:\n")[0] for one in broken)
        raise _core.EvaluationError(f"The evaluator '{built.name}' breaks promises: {said}")


def _refuse_unmet(one: Evaluator, real: Table | None, rows: Table, context: EvaluationContext) -> None:
    """Raise ConfigError where an evaluator needs what there is none of: it would be tried for nothing."""
    schema = (rows if real is None else real).schema
    unmet = {
        "reference": (real is None, "a table of real rows; give `real`"),
        "holdout": (context.holdout is None, "a holdout; give EvaluationContext(holdout=...)"),
        "target": (not context.target_column, "a target; give EvaluationContext(target_column=...)"),
        "subject": (
            not any("subject" in field.roles for field in schema.fields),
            "a column with the role subject; give tables whose schema names one",
        ),
        "embedder": (context.embedder is None, "an embedder; give EvaluationContext(embedder=...)"),
    }
    for need in one.needs:
        lacks, what = unmet[need]
        if lacks:
            raise _core.ConfigError(f"The evaluator '{one.name}' says that it needs {what}.")


def as_evaluator(one: Any) -> Evaluator:
    if isinstance(one, Evaluator):
        return one
    if inspect.isclass(one):
        raise _core.ConfigError(
            f"What was given is the class {one.__name__}; give an object of it, {one.__name__}(...)."
        )
    if not callable(getattr(one, "evaluate", None)) or not hasattr(one, "name"):
        raise _core.ConfigError(
            f"An evaluator is a name, an Evaluator, or has name, direction, range and evaluate(); "
            f"{type(one).__name__} is none of these (decorate a function with synthema.evaluator)."
        )
    return evaluator(
        one.evaluate,
        name=one.name,
        direction=getattr(one, "direction", "none"),
        range=getattr(one, "range", (-math.inf, math.inf)),
        needs=getattr(one, "needs", ()),
    )


class Failures:
    """What the caller's own code raised during an evaluation, said once each at its end."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, what: str) -> None:
        """Keep what was raised; learners are asked from several threads."""
        with self._lock:
            self._times[what] = self._times.get(what, 0) + 1

    def warn(self) -> None:
        """Warn the caller of `evaluate`."""
        for what, times in self._times.items():
            with contextlib.suppress(UserWarning):  # an error where the caller made errors of warnings
                warn(what + (f" ({times} times)" if times > 1 else ""))


def reason_of(who: str, error: Exception, failures: Failures | None = None) -> str:
    """Say why a score is undefined that needs what the caller wrote, and who raised.

    The text of a foreign exception may quote a row: it is a warning to the caller, and not in the report.
    """
    what = f"{who} raised {type(error).__name__}"
    if isinstance(error, _core.Error):
        return f"{what}: {error}"
    if failures is not None:
        failures.add(f"{what}: {error}")
    else:
        with contextlib.suppress(UserWarning):
            warn(f"{what}: {error}")
    return f"{what}; a warning has its text, which may quote a row."


@contextlib.contextmanager
def failures_of(who: str, failures: Failures | None = None) -> Iterator[None]:
    """Make an EvaluationError of what the caller's own code raises: scores that ask it are undefined then."""
    try:
        yield
    except _core.Cancelled:
        raise
    except Exception as error:
        raise _core.EvaluationError(reason_of(who, error, failures)) from error


def answering(who: str, function: Callable[[Any], Any], failures: Failures) -> Callable[[Any], Any]:
    """Return a function of the caller's whose failure is the reason of undefined scores."""

    def answer(given: Any) -> Any:
        with failures_of(who, failures):
            found = function(given)
            return list(found) if isinstance(found, Iterator) else found  # what makes it may raise, too

    return answer


def guarded(one: Evaluator) -> Evaluator:
    """Return an evaluator whose failure is an undefined score, so that the others' scores are not lost."""

    def measured(real: Table | None, synthetic: Table, context: EvaluationContext) -> Any:
        try:
            score = one.evaluate(real, synthetic, context)
        except _core.Cancelled:
            raise
        except Exception as error:
            return {"undefined": reason_of(f"The evaluator '{one.name}'", error)}
        low, high = one.range
        if score.value is not None and not low <= score.value <= high:
            return {
                "undefined": f"The evaluator '{one.name}' gave {score.value:g}, which is outside the range "
                f"{low:g} to {high:g} that it declares."
            }
        return score

    return _core._python_evaluator(measured, one.name, one.direction, one.range, one.needs)


def _example(step: int) -> dict[str, list]:
    words = ["pain", "fever", "cough", "since", "days", "my", "chest", "hurts", "badly"]
    return {
        "text": [" ".join(words[(i * step + j) % len(words)] for j in range(3 + i % 7)) for i in range(20)],
        "age": [float(20 + i * step % 50) for i in range(20)],
        "sex": [i * step % 3 > 0 for i in range(20)],
    }
