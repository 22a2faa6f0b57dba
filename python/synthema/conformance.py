"""Tests that authors of strategies, generators and constraints can run; evaluators have `check_evaluator`."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from synthema import _core
from synthema.arguments import kind_of, whole
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
        ``CompletionRequest -> str``, in place of a model; if not given, a short text of the form that
        the prompt asks for, and "An answer." where it asks for none.
    rows : int
        Rows to write; each run is made twice, with all rows at once and one by one.

    Raises
    ------
    GenerationError
        Names every promise that was broken.
    """
    say = answer or (lambda request: _core._short_answer(request.prompt) or "An answer.")
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
    ``fit(real)`` where it learns; the schema may be known only after the fit. It gives exactly the rows asked
    for, which fit its schema, and the same table for the same seed, but not for every seed. With conditions,
    row ``i`` agrees with condition ``i`` mod n, where that has a value.

    Parameters
    ----------
    generator : object
        What to try.
    real : table, optional
        What to fit it to first.
    rows : int
        Rows to sample, 1 or more.
    conditions : table, optional
        Passed on as a `Table`; without them nothing is asked of conditions.

    Raises
    ------
    GenerationError
        Names every promise that was broken.
    ConfigError
        It lacks a member, or `rows` is less than 1.
    """
    rows = whole(rows, "The parameter 'rows'", 1)
    _refuse_lacking(generator, ["name", "schema", "sample"] if real is None else ["name", "sample", "fit"])
    if inspect.isclass(generator):
        raise _core.ConfigError(
            f"What was given is the class {generator.__name__}; give an object of it, "
            f"{generator.__name__}(...)."
        )
    if real is not None:
        generator.fit(table(real))
        _refuse_lacking(generator, ["schema"])  # may be made by the fit
    asked = (rows, 7, None if conditions is None else table(conditions))
    first = generator.sample(*asked)
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
    broken += _misfits(first, generator.schema)
    if conditions is not None:
        broken += _disagreements(first, asked[2])
    if generator.sample(*asked).digest() != first.digest():
        broken.append("The same seed gave another table.")
    elif _ignores_seed(generator, asked, first):
        broken.append("Other seeds gave the same table.")
    _raise("generator", broken)


def _ignores_seed(generator: Any, asked: tuple[int, int, Any], first: Any) -> bool:
    """Whether four seeds give the same table. Rows that are all alike may be so for every seed."""
    rows, seed, conditions = asked
    if len(first) < 2 or first.record(0) == first.record(len(first) - 1):
        return False
    others = (generator.sample(rows, seed + i, conditions) for i in (1, 2, 3))
    return all(other.digest() == first.digest() for other in others)


def _refuse_lacking(generator: Any, members: list[str]) -> None:
    # Not by hasattr of the object: a property may raise before the fit.
    if lacking := [one for one in members if one not in dir(generator)]:
        raise _core.ConfigError(
            "A generator has name, schema and sample(rows, seed, conditions), and fit(real) where it learns; "
            f"what was given is {kind_of(generator)} and lacks {', '.join(lacking)}."
        )


def _misfits(rows: Any, schema: Any) -> list[str]:
    """What about the rows does not fit the schema, without a value."""
    if [(f.name, f.kind) for f in rows.schema.fields] != [(f.name, f.kind) for f in schema.fields]:
        return ["The table has other fields than the generator's schema."]
    misfit = _core._schema_misfit(schema, rows)
    return [] if misfit is None else [f"The rows do not fit the generator's schema: {misfit}"]


def _disagreements(rows: Any, conditions: Any) -> list[str]:
    """Names of the columns in which a row is not what its condition says."""
    wrong = []
    for name in conditions.names:
        wanted, given = conditions.values(name), rows.values(name) if name in rows else None
        if given is None or any(w is not None and w != one for w, one in zip(itertools.cycle(wanted), given)):
            wrong.append(f"'{name}'")
    if not wrong:
        return []
    return [
        f"Rows do not agree with their conditions in {', '.join(wrong)}: row i must with condition i mod n."
    ]


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
