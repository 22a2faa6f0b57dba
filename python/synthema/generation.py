"""Runs: strategies, models and checks in, accepted rows and honest counts out."""

from __future__ import annotations

import functools
import html
import inspect
import json
import os
import pathlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from synthema import _core
from synthema._core import (
    Check,
    CompletionModel,
    Progress,
    PromptStrategy,
    Sampling,
    Schema,
    Table,
    VerifyResult,
)
from synthema.arguments import kind_of, name_of, refuse_wrong_types, whole

__all__ = ["Run", "completion_model", "generate", "load_run", "strategy", "verify"]


def strategy(function: Callable | None = None, *, name: str | None = None) -> Any:
    """Make a strategy of a generator function that asks by yielding prompts.

    The function gets ``(task, rng)``. It yields a `Prompt` and receives a `Completion`, or yields a list of
    prompts and receives a list of completions, as often as it likes; then it returns the row as a dict (or a
    `Draft`). It must be pure: same task, same random stream and same answers, same questions. It may ``raise
    GenerationError("...")`` to give up an attempt; any other exception ends the run.

    Parameters
    ----------
    function : callable
        The generator function.
    name : str, optional
        Stands in every row's provenance; the function's own name if not given, or that of the class of an
        object that is called.

    Returns
    -------
    PromptStrategy

    Examples
    --------
    >>> @strategy
    ... def note(task, rng):
    ...     answer = yield Prompt.user(f"Write about {task['topic']}.")
    ...     return {"topic": task["topic"], "text": answer.text}
    """
    if function is None:
        return functools.partial(strategy, name=name)
    return _core._python_strategy(name or name_of(function), function)


def completion_model(
    model: Any, *, digest: str | None = None, numeric_path: str | None = None, location: str | None = None
) -> CompletionModel:
    """Make a completion model of a Python object.

    Its answers are held to the form that a prompt asks for: one that is not of it fails with the reason.

    Parameters
    ----------
    model : object
        Has ``complete(requests)``, which gives one str or `Completion` per `CompletionRequest`, in order; or,
        if it works on several at a time, ``submit(requests)``, ``poll() -> [(id, Completion), ...]`` and
        ``discard()``.
    digest : str, optional
        Names exactly which model answers; else ``model.digest``.
    numeric_path : str, optional
        The arithmetic that answers; else ``model.numeric_path``, else 'python'.
    location : {'in_process', 'this_host', 'remote'}, optional
        Else ``model.location``, else 'remote': what says nothing gets the strictest treatment.

    Returns
    -------
    CompletionModel
    """
    if isinstance(model, CompletionModel):
        return model

    def said(given: str | None, attribute: str, default: str | None) -> str:
        if given is not None:
            return given
        value = getattr(model, attribute, default)
        return value() if callable(value) else value

    if isinstance(model, (str, os.PathLike)):
        raise _core.ConfigError("A path is no model yet: open the file first, as in synthema.Model(path).")
    known = said(digest, "digest", None)
    if not known:
        raise _core.ConfigError("A completion model needs a digest that names exactly which model answers.")
    if not (hasattr(model, "complete") or all(hasattr(model, n) for n in ("submit", "poll", "discard"))):
        raise _core.ConfigError(
            "A completion model has complete(requests), or submit, poll and discard; this object has neither."
        )
    path = said(numeric_path, "numeric_path", "python")
    return _core._python_model(model, known, path, said(location, "location", "remote"))


def generate(
    strategy: PromptStrategy | Callable,
    model: Any,
    *,
    rows: int,
    conditions: Any = None,
    exemplars: Any = None,
    schema: Schema | None = None,
    checks: Iterable[Check | Callable] = (),
    sampling: Sampling | None = None,
    seed: int = 0,
    out: str | pathlib.Path | None = None,
    resume: bool = False,
    progress: Callable[[Progress], None] | bool | None = None,
    max_attempts: int = 20,
    max_questions: int = 64,
    in_flight: int = 64,
    hopeless_after: int = 500,
    hopeless_below: float = 0.01,
    cycle: bool = True,
    settings: Mapping | str = "",
    generator: str = "text",
    digest_key: str = "",
) -> Run:
    """Generate exactly `rows` accepted rows: the first ones in row-id order, whatever was finished first.

    Parameters
    ----------
    strategy : PromptStrategy or generator function
        How one row is asked for.
    model : CompletionModel or object
        Who answers; an object is passed through `completion_model`.
    rows : int
        Accepted rows wanted.
    conditions : frame or callable, optional
        What each row must agree with: a table whose row ``r mod n`` belongs to row id r, or a pure function
        ``(row, rng) -> dict`` (None ends the run).
    exemplars : frame, optional
        The pool that strategies show from.
    schema : Schema, optional
        Of the finished rows; every row is checked against it. Without one it is inferred.
    checks : list of Check or callable
        Each sees (task, draft); the first that refuses names the rejection.
    sampling : Sampling, optional
        For questions that bring none of their own.
    seed : int
        Same seed, same rows, whatever `in_flight` is and however often the run was interrupted.
    out : path, optional
        Run folder; without one everything stays in memory.
    resume : bool
        Go on with the run in `out`.
    progress : callable or bool, optional
        Called with a `Progress` after each decided row; True writes a line to the terminal.
    max_attempts : int
        Of one row; then it is given up and the next row id is tried.
    max_questions : int
        Of one attempt.
    in_flight : int
        Rows worked on at once.
    hopeless_after, hopeless_below : int, float
        Stop once so many attempts were made and a smaller share than this was accepted.
    cycle : bool
        False: a table of conditions ends the run after its last row.
    settings : dict or str
        The caller's own description of the run (a recipe); kept in the manifest and compared on resume. Of
        strategies and checks written in Python nothing but the name is compared otherwise.
    generator : str
        Name for the provenance.
    digest_key : str
        Names private data in a run without folder; a folder has a key of its own.

    Returns
    -------
    Run

    Raises
    ------
    GenerationError
        If the run is hopeless or the conditions end too early; its attribute `run` holds what was reached.
    PolicyError
        If the data may not leave the machine and the model is remote; nothing was sent.
    RunFolderError
        If `out` holds something else.
    """
    drawn = _is_drawn(conditions)
    refuse_wrong_types(
        generate,
        {
            "schema": schema,
            "sampling": sampling,
            "resume": resume,
            "progress": progress,
            "hopeless_below": hopeless_below,
            "cycle": cycle,
            "settings": settings,
            "generator": generator,
            "digest_key": digest_key,
        },
    )
    for name, value in {
        "rows": rows,
        "seed": seed,
        "max_attempts": max_attempts,
        "max_questions": max_questions,
        "in_flight": in_flight,
        "hopeless_after": hopeless_after,
    }.items():
        if not hasattr(value, "__index__") or not 0 <= value < 2**64:
            raise _core.ConfigError(f"field '{name}': It must be a whole number from 0 to 2^64 - 1.")
    record = _core._RunRecord()
    run = Run(record, None if out is None else pathlib.Path(out))
    if out == "":
        raise _core.ConfigError(
            "The argument 'out' is empty: name a folder, or leave it out to keep the run in memory."
        )
    if resume and out is None:
        raise _core.ConfigError("resume=True needs `out`, the folder of the run to go on with.")
    with _progress_sink(progress) as sink:
        try:
            record.execute(
                strategy=_as_strategy(strategy),
                model=completion_model(model),
                rows=rows,
                conditions=None if drawn else _as_table(conditions),
                draw=conditions if drawn else None,
                exemplars=_as_table(exemplars),
                schema=schema,
                checks=_as_checks(checks),
                sampling=sampling or Sampling(),
                seed=seed,
                folder="" if out is None else str(out),
                resume=resume,
                progress=sink,
                max_attempts=max_attempts,
                max_questions=max_questions,
                in_flight=in_flight,
                hopeless_after=hopeless_after,
                hopeless_below=hopeless_below,
                cycle=cycle,
                settings=_as_text(settings),
                generator=generator,
                digest_key=digest_key,
            )
        except BaseException as error:
            error.run = run
            raise
    return run


def load_run(folder: str | pathlib.Path) -> Run:
    """Read a run folder.

    Parameters
    ----------
    folder : path
        What `generate` wrote to; the run need not be complete.

    Returns
    -------
    Run
    """
    record = _core._RunRecord()
    record.load(str(folder))
    return Run(record, pathlib.Path(folder))


def verify(
    folder: str | pathlib.Path,
    strategy: PromptStrategy | Callable | None = None,
    model: Any = None,
    *,
    conditions: Any = None,
    exemplars: Any = None,
    schema: Schema | None = None,
    checks: Iterable[Check | Callable] = (),
    sample: int | None = 20,
    cycle: bool = True,
) -> VerifyResult:
    """Check every line of a run folder, and make rows again or re-score them.

    Rows that are made again must come out byte for byte, which they do on the same kind of machine. To check
    a run made elsewhere, re-score it: every recorded answer is read instead of written, many rows at a time,
    and the model must choose the recorded tokens. Tokens within a small tolerance of the one drawn here
    (near-ties: machines round differently) are counted apart.

    Parameters
    ----------
    folder : path
        What `generate` wrote to.
    strategy, model, conditions, exemplars, schema, checks, cycle
        What the run was made with. Without a strategy and a model only the lines are checked: their seals,
        their order, and that none is missing.
    sample : int, optional
        Rows to make again, spread over the run; all of them where there are at most 100. None: re-score all
        rows instead.

    Returns
    -------
    VerifyResult
        `ok`, `rows`, `rejected`, `regenerated`, `rescored` with `tokens_same`, `tokens_near` and
        `tokens_different`, and the `differences`.

    Raises
    ------
    RunFolderError
        If the folder is damaged, or what was given is not what the run was made with (names the first key).
    """
    if (strategy is None) != (model is None):
        raise _core.ConfigError("Making rows again needs both a strategy and a model.")
    if strategy is None:
        return _core._verify_lines(str(folder))
    refuse_wrong_types(verify, {"schema": schema, "cycle": cycle})
    if sample is not None:
        sample = whole(sample, "sample")
    drawn = _is_drawn(conditions)
    return _core._verify(
        folder=str(folder),
        strategy=_as_strategy(strategy),
        model=completion_model(model),
        conditions=None if drawn else _as_table(conditions),
        draw=conditions if drawn else None,
        exemplars=_as_table(exemplars),
        schema=schema,
        checks=_as_checks(checks),
        sample=sample,
        cycle=cycle,
    )


class Run:
    """What a run gave: accepted rows, all drafts, and why the others were rejected."""

    def __init__(self, record: Any, folder: pathlib.Path | None) -> None:
        self._record = record
        self.folder = folder

    @functools.cached_property
    def rows(self) -> Table:
        """The accepted rows in row-id order."""
        return self._record.rows

    @functools.cached_property
    def drafts(self) -> Table:
        """All finished attempts, accepted or not: values, check, reason, token counts, digest."""
        return self._record.drafts

    @functools.cached_property
    def rejected(self) -> Table:
        """The rejected attempts among the drafts."""
        return self._record.rejected

    @functools.cached_property
    def provenance(self) -> list[dict]:
        """One dict per accepted row: who wrote it, from what, with which digest."""
        return self._record.provenance

    @property
    def complete(self) -> bool:
        """Whether the target was reached."""
        return self._record.complete

    @property
    def attempts(self) -> int:
        """Attempts of decided rows."""
        return self._record.attempts

    @property
    def acceptance(self) -> float | None:
        """Accepted share of the attempts; None if there was none."""
        return self._record.accepted / self._record.attempts if self._record.attempts else None

    @property
    def reasons(self) -> list[tuple[str, str, int]]:
        """(check, reason, how many attempts), most frequent first."""
        return sorted(self._record.reasons, key=lambda r: (-r[2], r[0], r[1]))

    def __len__(self) -> int:
        return self._record.accepted

    def __repr__(self) -> str:
        return f"<Run: {self._record.text}>"

    def _repr_html_(self) -> str:
        from synthema.reporting.numbers import counted, percent
        from synthema.tables import html as table_html

        share = f" ({percent(self.acceptance)})" if self.attempts else ""
        state = "" if self.complete else " The run did not reach its target."
        reasons = "".join(
            f"<li>{html.escape(check)}: {html.escape(reason)} ({counted(count, 'time')})</li>"
            for check, reason, count in self.reasons[:5]
        )
        why = f"<p>Rejected most often:</p><ul>{reasons}</ul>" if reasons else ""
        accepted = f"{len(self):,} of {counted(self.attempts, 'attempt')} accepted{share}."
        return f"<p>{accepted}{state}</p>{table_html(self.rows)}{why}"


def _is_drawn(conditions: Any) -> bool:
    return callable(conditions) and not hasattr(conditions, "__arrow_c_stream__")


def _as_strategy(given: Any) -> PromptStrategy:
    if isinstance(given, PromptStrategy):
        return given
    if callable(given) and not inspect.isclass(given):
        return strategy(given)
    raise _core.ConfigError("A strategy is a PromptStrategy or a generator function of (task, rng).")


def _as_checks(given: Any) -> list[Check]:
    if isinstance(given, Check) or callable(given):
        raise _core.ConfigError("The argument 'checks' is a list; write [check] for a single one.")
    return [_as_check(one) for one in given]


def _as_check(given: Any) -> Check:
    if isinstance(given, Check):
        return given
    if callable(given):
        return Check(name_of(given), given)
    raise _core.ConfigError(f"A check is a Check or a function of (task, draft), not {kind_of(given)}.")


def _as_text(settings: Mapping | str) -> str:
    if isinstance(settings, str):
        return settings
    try:
        return json.dumps(dict(settings), sort_keys=True)
    except (TypeError, ValueError) as error:
        raise _core.ConfigError(
            f"The argument 'settings' cannot be written as JSON ({error}); describe the run in texts, "
            "numbers, lists and dicts."
        ) from None


def _as_table(given: Any) -> Table | None:
    if given is None or isinstance(given, Table):
        return given
    from synthema.tables import table

    return table(given)


class _progress_sink:  # noqa: N801
    """Turns the `progress` argument into a callable or None; ends the terminal line at the end."""

    def __init__(self, progress: Any) -> None:
        self._terminal = progress is True
        self._sink = self._show if self._terminal else (progress or None)

    @staticmethod
    def _show(p: Progress) -> None:
        total = f" of {p.total}" if p.total else ""
        sys.stderr.write(f"\r{p.phase}: {p.done}{total}  {p.note}   ")
        sys.stderr.flush()

    def __enter__(self) -> Callable | None:
        return self._sink

    def __exit__(self, *_: object) -> None:
        if self._terminal:
            sys.stderr.write("\n")
