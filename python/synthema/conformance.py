"""Tests that authors of strategies, generators and constraints can run; evaluators have `check_evaluator`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from synthema import _core
from synthema.arguments import kind_of
from synthema.generation import generate
from synthema.reporting.numbers import counted
from synthema.tables import table

__all__ = ["check_constraint", "check_generator", "check_strategy"]


def check_strategy(
    strategy: Any,
    condition: Mapping[str, Any] | None = None,
    *,
    exemplars: Any = None,
    answer: Callable[[Any], str] | None = None,
    rows: int = 6,
) -> None:
    """Try whether a strategy keeps the promises that runs rely on.

    The same task, random stream and answers give the same questions and the same row; the exchange ends; the
    row has values; what it shows stands in the pool.

    Parameters
    ----------
    strategy : PromptStrategy or generator function
        What to try.
    condition : dict, optional
        What each row must agree with.
    exemplars : table, optional
        The pool.
    answer : callable, optional
        ``CompletionRequest -> str``, in place of a model; "An answer." if not given.
    rows : int
        Rows to write; each run is made twice, with all rows at once and one by one.

    Raises
    ------
    GenerationError
        Names every promise that was broken.
    """
    say = answer or (lambda request: (request.prompt.choices or ["An answer."])[0])
    made = []
    for in_flight in (rows, 1):
        run = generate(
            strategy,
            _core.scripted_model(say),
            rows=rows,
            conditions=lambda row, rng: dict(condition or {}),
            exemplars=exemplars,
            in_flight=in_flight,
            max_attempts=1,
        )
        made.append((run.rows.records(), [one["digest"] for one in run.provenance]))
    broken = []
    if made[0] != made[1]:
        broken.append("The same tasks, random streams and answers gave other questions or other rows.")
    if not any(value is not None for record in made[0][0] for value in record.values()):
        broken.append("The rows have no values.")
    pool = 0 if exemplars is None else len(table(exemplars))
    if any(shown >= pool for one in run.provenance for shown in one["exemplars"]):
        broken.append(f"A draft names an exemplar that the pool of {pool} does not have.")
    _raise("strategy", broken)


def check_generator(generator: Any, real: Any = None, *, rows: int = 20, conditions: Any = None) -> None:
    """Try whether a generator keeps its promises.

    A generator has ``name``, ``schema`` and ``sample(rows, seed, conditions=None) -> Table``, and
    ``fit(real)`` where it learns. It gives exactly the rows asked for, with the fields of its schema, and the
    same table for the same seed.

    Parameters
    ----------
    generator : object
        What to try.
    real : table, optional
        What to fit it to first.
    rows : int
        Rows to sample.
    conditions : table, optional
        Passed on.

    Raises
    ------
    GenerationError
        Names every promise that was broken.
    ConfigError
        It lacks a member.
    """
    # Not by hasattr of the object: a schema may only be known after the fit.
    members = ("name", "schema", "sample", *(("fit",) if real is not None else ()))
    if lacking := [one for one in members if one not in dir(generator)]:
        raise _core.ConfigError(
            "A generator has name, schema and sample(rows, seed, conditions), and fit(real) where it learns; "
            f"what was given is {kind_of(generator)} and lacks {', '.join(lacking)}."
        )
    if inspect.isclass(generator):
        raise _core.ConfigError(
            f"What was given is the class {generator.__name__}; give an object of it, "
            f"{generator.__name__}(...)."
        )
    if real is not None:
        generator.fit(table(real))
    first = generator.sample(rows, 7, conditions)
    broken = []
    if not isinstance(generator.name, str) or not generator.name:
        broken.append("The generator has no name.")
    if not isinstance(first, _core.Table):
        raise _core.GenerationError(
            f"The generator gives a {type(first).__name__}; it must give a synthema.Table."
        )
    if len(first) != rows:
        broken.append(f"It was asked for {counted(rows, 'row')} and gave {len(first)}.")
    if not isinstance(generator.schema, _core.Schema):
        raise _core.GenerationError(
            f"The schema of the generator is {kind_of(generator.schema)}; it must be a synthema.Schema."
        )
    fields = [(field.name, field.kind) for field in generator.schema.fields]
    if [(field.name, field.kind) for field in first.schema.fields] != fields:
        broken.append("The table has other fields than the generator's schema.")
    if generator.sample(rows, 7, conditions).digest() != first.digest():
        broken.append("The same seed gave another table.")
    _raise("generator", broken)


def check_constraint(constraint: Any) -> None:
    """Try whether a constraint keeps the promises that the engine relies on, by walking at random through it.

    Masks do not change by themselves; exactly the allowed tokens are accepted, and a refused one changes
    nothing; ``rollback``, ``reset`` and ``copy`` do what they say; no place leads nowhere.

    Parameters
    ----------
    constraint : TokenConstraint
        What to try. It is copied, not changed.

    Raises
    ------
    GenerationError
        Names every promise that was broken.
    ConfigError
        It lacks a member.
    TypeError
        A method gives something else than it must.
    """
    _raise("constraint", _core._constraint_nonconformities(constraint))


def _raise(what: str, broken: list[str]) -> None:
    if broken:
        raise _core.GenerationError(f"The {what} breaks promises: " + " ".join(broken))
