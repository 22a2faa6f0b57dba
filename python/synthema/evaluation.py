"""Evaluation: tables in, scores with their uncertainty out."""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib.util
import inspect
import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np

from synthema import _core
from synthema._core import EvaluationContext, Evaluator, Progress, Report, Schema, SuiteOptions, Table
from synthema.arguments import checked, kind_of, refuse_wrong_types, whole
from synthema.callers import warn
from synthema.column_kinds import free_texts, is_empty, like, too_far_for_reals, unlike
from synthema.drift import apparent_drift
from synthema.evaluators import (
    Failures,
    answering,
    as_evaluator,
    evaluator_named,
    evaluator_names,
    failures_of,
    guarded,
)
from synthema.learning import as_learner
from synthema.overlaps import apparent_overlaps, reused_identifiers
from synthema.subjects import apparent_subject
from synthema.tables import no_such_column, read_schema, table

__all__ = ["evaluate"]


@checked
def evaluate(
    synthetic: Any,
    real: Any = None,
    holdout: Any = None,
    metrics: str | Iterable[Any] = "auto",
    *,
    level: str = "default",
    schema: Schema | str | os.PathLike[str] | None = None,
    target: str | None = None,
    target_labels: int = EvaluationContext().target_labels,
    learner: Any = "boosted_trees",
    ranked_learners: Iterable[Any] = (),
    sensitive: str | None = None,
    duration: str | None = None,
    event: str | None = None,
    terms: Any = None,
    exemplars: Any = None,
    text_column: str | None = None,
    label_column: str | None = None,
    reference_column: str = "reference",
    near_duplicate_threshold: float = 0.7,
    self_bleu_limit: int = 0,
    convention: str = "synthema",
    triples: int = 10000,
    discrepancy_rows: int = 5000,
    linking_threshold: float = 0.5,
    linking_definitions: bool = False,
    quasi_identifiers: str | Sequence[str] = (),
    secrets: str | Sequence[str] = (),
    detectors: Sequence[Callable[[str], Iterable[tuple[int, int, str]]]] = (),
    canaries: Any = None,
    embedder: Any = None,
    token_embedder: Callable[[list[str]], Sequence[Any]] | None = None,
    text_scorer: Callable[[list[str]], Sequence[Sequence[float]]] | None = None,
    seed: int = 0,
    bootstrap: int = 1000,
    threads: int = 0,
    title: str = "Evaluation",
    progress: Callable[[Progress], None] | None = None,
    cancel: _core.CancelToken | None = None,
) -> Report:
    """Measure synthetic rows, alone or against real ones.

    Parameters
    ----------
    synthetic, real, holdout : Table, frame, dict of columns or list of dicts
        The rows to judge; the real rows that they imitate; real rows that no generator saw.
    metrics : "auto", or a list of names and objects
        "auto" takes the text evaluators where there is a text column, and the table evaluators where there is
        a real table. An object is an `Evaluator`, a function decorated with `evaluator`, or has ``name``,
        ``direction``, ``range`` and ``evaluate(real, synthetic, context)``.
    level : {"default", "full"}
        Of "auto": "full" adds what takes longer or answers a question that few ask.
    schema : Schema or path, optional
        What the columns of all three mean: kinds, units, ranges and rules; or the JSON file that holds it.
        Without one the kinds follow from the frames, those of the real rows where there are some, and nothing
        is implausible.
    target : str, optional
        Column that a model shall predict: what is trained on synthetic rows is tested on real ones. Without a
        name: the column with the role target.
    target_labels : int
        Most classes of the target: where the real rows have more labels, the rarest are one class together,
        and a warning of each score says so; 0 means all labels. Trees take time by class.
    learner : "boosted_trees", "linear_model", Learner or estimator
        What is trained: any object with ``fit`` and ``predict``, for classes with ``predict_proba`` and
        ``classes_``, too (`synthema.learner`).
    ranked_learners : list of learners, optional
        Two or more whose ranking on real and synthetic rows is compared (`model_ranking_agreement`); six of
        ours if not given.
    sensitive : str, optional
        Column of groups of people whose predictions are compared. Without a name: the columns with the role
        sensitive.
    duration, event : str, optional
        Columns of the follow-up and of whether it ended with the event, for survival curves.
    terms : table, optional
        What the labels mean: columns ``id`` and ``name``, optionally ``synonyms`` and ``lay_synonyms`` (each
        a list of text, or a text) and ``definition``.
    exemplars : table, optional
        What was shown in prompts, to find copies of it.
    text_column, label_column : str, optional
        The free text to judge and what it should express. Without a name: the column ``text`` or else the
        only text column that does not hold labels; the column with the role label. Texts that hold labels (a
        frame's strings, each used twice on average) are evaluated as categories.
    reference_column : str
        Column of reference texts for BLEU and ROUGE.
    near_duplicate_threshold : float
        Jaccard similarity of word 3-grams from which two texts are near duplicates.
    self_bleu_limit : int
        Use at most this many texts for self-BLEU; 0 means all.
    convention : str
        "synthema", or "sdmetrics", "mostlyai", "syntheval", "synthcity" or "anonymeter" for that library's
        numbers where they differ. Evaluators that do not have it follow "synthema"; each score says which.
    triples : int
        Most triples of columns for the accuracy of three, drawn by the seed.
    discrepancy_rows : int
        Most rows of each table for the mean discrepancy, drawn by the seed; 0 means all.
    linking_threshold : float
        Smallest cosine at which a text is linked to a term; below it the text stays unlinked.
    linking_definitions : bool
        Link by the definitions of the terms too, not by names and synonyms alone. Embedding them takes most
        of the time.
    quasi_identifiers, secrets : list of str, or str
        Columns that an attacker may know of a person, for the measures of disclosure and anonymity; and those
        that are secret: by default the columns with the role sensitive.
    detectors : list of callable
        Find identifiers in texts besides `find_identifiers`: each takes a text and gives
        ``(begin, end, kind)`` of what it finds, in characters.
    canaries : table, optional
        Texts that were planted into the training data, or were not: columns ``text`` and ``planted``.
    embedder : callable or Embedder, optional
        Texts to vectors, for ontology linking: `synthema.Embedder` or any function. It is asked for each text
        once.
    token_embedder : callable, optional
        Texts to arrays of one vector a token, without special tokens, for `bert_score`; by default the
        embedder's own, where it is a `synthema.Embedder`.
    text_scorer : callable, optional
        Texts to log-probabilities (natural) of their tokens, for `perplexity`; `canary_exposure` asks it,
        too.
    seed, bootstrap, threads : int
        Seed and number of resamples of intervals; threads (0: all cores) never change a number.
    title : str
        Title of the report.
    progress : callable, optional
        Called with a `Progress` before each evaluator; may raise to stop. `with_remaining` adds how long it
        will take still.
    cancel : CancelToken, optional
        ``cancel.cancel()``, from another thread, ends the work with `Cancelled`.

    Returns
    -------
    Report
        ``report["distinct_1"].value``; what could not be measured says why in ``undefined``.

    Raises
    ------
    EvaluationError
        If a named column is not there, "auto" finds nothing to measure, or the real rows have none of the
        columns. A column that is there and does not serve one of several metrics leaves that one undefined.
    ConfigError
        If there is no such level, convention, learner or evaluator, `metrics` is empty, only one of
        `duration` and `event` is given, `secrets` are named that nothing would look at, or an argument has
        another type than it should.

    Examples
    --------
    >>> report = evaluate([{"text": "my chest hurts"}, {"text": "my chest hurts"}])
    >>> report["exact_duplicates"].value
    0.5
    """
    _check_values(
        {
            "level": level,
            "seed": seed,
            "bootstrap": bootstrap,
            "threads": threads,
            "target_labels": target_labels,
        }
    )
    schema = _schema(schema)
    quasi_identifiers, secrets = _names(quasi_identifiers), _names(secrets)
    rows = table(synthetic, schema)
    reference = None if real is None else table(real, schema)
    if holdout is not None:
        holdout = table(holdout, schema)
    if reference is not None:
        rows = like(rows, reference)
        holdout = None if holdout is None else like(holdout, reference)
        if isinstance(metrics, str) and metrics == "auto" and not set(rows.names) & set(reference.names):
            raise _core.EvaluationError(
                "The synthetic and the real rows have no column in common, so nothing can be compared; are "
                "the names alike?"
            )
    text = _text_column(rows, text_column, reference)
    if token_embedder is None:
        token_embedder = getattr(embedder, "embed_tokens", None)
    failures = Failures()
    if embedder is not None:
        known = embedder if isinstance(embedder, Remembered) else Remembered(embedder)
        embedder = known.telling(failures)
    if token_embedder is not None:
        token_embedder = answering("The token embedder", token_embedder, failures)
    if text_scorer is not None:
        text_scorer = answering("The text scorer", text_scorer, failures)
    context = EvaluationContext(
        holdout=holdout,
        exemplars=None if exemplars is None else table(exemplars),
        terms=None if terms is None else table(terms),
        text_column=text or "text",
        label_column=label_column or "",
        target_column=target or target_column(reference),
        target_labels=target_labels,
        seed=seed,
        bootstrap=bootstrap,
        threads=threads,
        embedder=embedder,
        embedder_name="" if embedder is None else embedder.name,
        text_scorer=text_scorer,
        cancel=cancel,
    )
    options = suite_options(
        near_duplicate_threshold=near_duplicate_threshold,
        self_bleu_limit=self_bleu_limit,
        reference_column=reference_column,
        convention=convention,
        triples=triples,
        linking_threshold=linking_threshold,
        linking_definitions=linking_definitions,
        learner=as_learner(learner, failures),
        quasi_identifiers=quasi_identifiers,
        secrets=secrets,
        detectors=[answering("A detector of identifiers", one, failures) for one in detectors],
        canaries=canaries,
        full=level == "full",
        discrepancy_rows=discrepancy_rows,
        duration=duration,
        event=event,
        token_embedder=token_embedder,
        sensitive=sensitive,
        ranked_learners=[as_learner(one, failures) for one in ranked_learners],
    )
    for named in (sensitive, duration, event, *quasi_identifiers, *secrets):
        if named is not None and named not in rows:
            raise _core.EvaluationError(no_such_column(named, rows.names))
    _refuse_half(duration, event)
    if sensitive and not context.target_column:
        raise _core.ConfigError(
            "Only 'sensitive' was given. It names groups whose predictions of a target are compared: name "
            "the target, too, or give it the role target in a schema."
        )
    if metrics == "auto" and level == "default":
        _refuse_secrets_alone(quasi_identifiers, secrets)
    chosen = _chosen(metrics, options, has_text=text is not None, has_real=reference is not None)
    with ThreadPoolExecutor(1) as pool:  # what is said besides is found while a core waits
        overlaps = pool.submit(_overlaps, metrics, rows, reference, holdout)
        try:
            report = _core.evaluate_all(chosen, reference, rows, context, progress)
        finally:
            failures.warn()
    report.title = title
    given = {"synthetic": rows, "real": reference, "holdout": holdout}
    report.set_fact("rows", {name: len(one) for name, one in given.items() if one is not None})
    if reference is not None:
        counted_rows = report.facts.get("row_numbers") or []  # differ by what they are
        subject = apparent_subject(reference)
        drift = apparent_drift(reference, holdout, counted_rows, threads)
        reused, overlapping = overlaps.result()
        said = [*filter(None, [subject]), *reused, *overlapping]
        if said:
            report.set_fact("cautions", said)
        if overlapping:
            report.set_fact("overlap", True)
        if drift:
            report.set_fact("drift", drift)
        for one in [*said, *filter(None, [drift])]:
            with contextlib.suppress(UserWarning):  # an error where the caller made errors of warnings
                warn(one)
    if left_out := [
        *unlike(reference, {"synthetic": rows, "holdout": context.holdout}),
        *free_texts(reference, rows, context.text_column),
        *too_far_for_reals(reference, rows),
    ]:
        report.set_fact("left_out", left_out)
    return report


def _overlaps(
    metrics: Any, rows: Table, real: Table | None, holdout: Table | None
) -> tuple[list[str], list[str]]:
    """Sentences about identifiers and rows that tables share; of named measures only what is asked."""
    if real is None or not (isinstance(metrics, str) and metrics == "auto"):
        return [], []
    return (
        reused_identifiers(rows, real, holdout),
        [] if holdout is None else apparent_overlaps(rows, real, holdout),
    )


@functools.cache
def option_defaults() -> dict[str, Any]:
    """Return what `evaluate` takes for each option, which is all but the tables, where none is given."""
    known = inspect.signature(evaluate).parameters
    return {n: one.default for n, one in known.items() if n not in ("synthetic", "real", "holdout")}


def check_arguments(name: str, given: dict[str, Any]) -> None:
    """Refuse arguments of another function that `evaluate` would refuse, in the same sentences."""
    known = inspect.signature(evaluate).parameters
    for one in given:
        if one not in known:
            raise TypeError(f"{name}() got an unexpected keyword argument '{one}'")
    refuse_wrong_types(evaluate, given, name)
    _check_values(given)
    _refuse_half(given.get("duration"), given.get("event"))


def _check_values(given: dict[str, Any]) -> None:
    level = given.get("level", "default")
    if level not in ("default", "full"):
        raise _core.ConfigError(f"There is no level '{level}'; there are 'default' and 'full'.")
    for name in ("seed", "bootstrap", "threads", "target_labels", *_COUNTS):
        whole(given.get(name, 0), f"The parameter '{name}'")


def _refuse_half(duration: str | None, event: str | None) -> None:
    """Raise ConfigError where one of the columns of follow-ups was named without the other."""
    if bool(duration) != bool(event):
        named = "duration" if duration else "event"
        raise _core.ConfigError(
            f"Only '{named}' was given; survival is measured by both, duration and event."
        )


def _refuse_secrets_alone(quasi_identifiers: Sequence[str], secrets: Sequence[str]) -> None:
    """Raise ConfigError for secrets at the level "default", where nothing looks at them by themselves."""
    if secrets and not quasi_identifiers:
        raise _core.ConfigError(
            "Only 'secrets' was given. Name what an attacker knows by quasi_identifiers, too, or ask for "
            "attribute_inference, which knows all other columns: by its name or at the level 'full'."
        )


def _schema(given: Schema | str | os.PathLike[str] | None) -> Schema | None:
    return given if given is None or isinstance(given, Schema) else read_schema(given)


def _names(given: str | Iterable[str]) -> list[str]:
    """Names of columns: one alone is a list of one."""
    return [given] if isinstance(given, str) else list(given)


_LOOKED_AT = 200  # texts
_COUNTS = ("self_bleu_limit", "triples", "discrepancy_rows")


def suite_options(**given: Any) -> SuiteOptions:
    """Make the options of evaluators from keywords of `evaluate`."""
    convert = {
        "learner": as_learner,
        "ranked_learners": lambda learners: [as_learner(one) for one in learners],
        "canaries": lambda texts: None if texts is None else table(texts),
        **dict.fromkeys(("quasi_identifiers", "secrets"), _names),
        "detectors": list,
    }
    columns = {name: f"{name}_column" for name in ("duration", "event", "sensitive")}
    for name in _COUNTS:
        whole(given.get(name, 0), f"The parameter '{name}'")
    return SuiteOptions(
        **{
            columns.get(key, key): (value or "") if key in columns else convert.get(key, lambda x: x)(value)
            for key, value in given.items()
        }
    )


def _called(given: Any) -> str:
    return f"the class {given.__name__}" if inspect.isclass(given) else kind_of(given)


class Remembered:
    """An embedder that is asked for each text once: evaluators share texts, and reports share term lists.

    A term list may be tens of thousands of texts: they are embedded part by part, and `progress` counts them.
    """

    _PART = 2048  # texts

    def __init__(self, embedder: Any, progress: Callable[[Any], None] | None = None):
        self.name = str(getattr(embedder, "name", ""))
        self._embed = getattr(embedder, "embed", embedder)
        if inspect.isclass(embedder) or not callable(self._embed):
            raise _core.ConfigError(
                "The argument 'embedder' is a function of a list of texts, or has embed(texts) as "
                f"synthema.Embedder() has; what was given is {_called(embedder)}."
            )
        self._known: dict[str, Any] = {}
        self._progress = progress
        self._failures: Failures | None = None

    def telling(self, failures: Failures) -> Remembered:
        """Return the same memory, which tells what the embedder raises to one evaluation."""
        other = copy.copy(self)
        other._failures = failures
        return other

    def __call__(self, texts: list[str]) -> Any:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for begin in range(0, len(new), self._PART):
            part = new[begin : begin + self._PART]
            with failures_of("The embedder", self._failures):
                given = self._embed(list(part))  # its own list, which it may change
            vectors = _real_numbers(given)
            if vectors.ndim != 2 or len(vectors) != len(part) or vectors.shape[1] == 0:
                raise _core.EvaluationError(
                    f"The embedder gave an array of shape {vectors.shape} for {len(part)} texts; one vector "
                    "a text is wanted."
                )
            if self._known and len(next(iter(self._known.values()))) != vectors.shape[1]:
                raise _core.EvaluationError("The embedder gave vectors of different length.")
            self._known.update(zip(part, vectors, strict=True))
            if self._progress is not None:
                done = begin + len(part)
                self._progress(
                    SimpleNamespace(
                        phase="evaluate", done=done, total=len(new), note="texts embedded", tokens=0
                    )
                )
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, 0), np.float32)


def _real_numbers(given: Any) -> np.ndarray:
    """Return what an embedder gave as an array, or raise EvaluationError: foreign exceptions may quote it."""
    try:
        array = np.asarray(given)
        if array.dtype.kind == "c":
            raise TypeError
        with np.errstate(over="ignore"):  # what is infinite is refused where it is used
            return array.astype(np.float32)
    except Exception:
        raise _core.EvaluationError(
            f"The embedder gave something of type {type(given).__name__} that is no array of real numbers, "
            "one vector a text."
        ) from None


def _text_column(rows: Table, named: str | None, real: Table | None = None) -> str | None:
    if named is not None:
        return named
    texts = [
        f.name
        for f in rows.schema.fields
        if f.kind == "text"
        and not {"identifier", "subject"} & set(f.roles)
        and (real is None or f.name not in real or real.schema[f.name].kind == "text")
        and not (is_empty(rows, f.name) and (real is None or f.name not in real or is_empty(real, f.name)))
    ]
    if "text" in texts:
        return "text"
    labels = _core.label_columns(rows) if texts else []
    if texts and real is not None:  # what a column is, more rows tell better
        of_real = _core.label_columns(real)
        labels = [name for name in texts if name in (of_real if name in real else labels)]
    free = [name for name in texts if name not in labels and not _are_codes(rows, name)]
    return free[0] if len(free) == 1 else None


def _are_codes(rows: Table, name: str) -> bool:
    """Whether the texts look like numbers of something: no blank, and digits among letters and signs."""
    seen = [text for text in rows.head(_LOOKED_AT).values(name) if text is not None]
    return bool(seen) and all(
        re.fullmatch(r"(?=.*[0-9])[A-Za-z0-9]{1,64}([._:/#-][A-Za-z0-9]+)*", text) for text in seen
    )


def target_column(real: Table | None) -> str:
    named = [f.name for f in real.schema.fields if "target" in f.roles] if real is not None else []
    return named[0] if len(named) == 1 else ""


def chosen_names(synthetic: Table, real: Table | None, options: dict[str, Any]) -> list[Any]:
    """Names of what `evaluate` measures with all its options; of what is not ours the evaluator itself."""
    kept = {k: options[k] for k in ("quasi_identifiers", "secrets", "sensitive", "learner")}
    made = suite_options(full=options["level"] == "full", **kept)
    text = _text_column(synthetic, options["text_column"], real)
    chosen = _chosen(options["metrics"], made, has_text=text is not None, has_real=real is not None)
    known = set(evaluator_names())
    return [one.name if one.name in known else one for one in chosen]


def _chosen(metrics: Any, options: SuiteOptions, *, has_text: bool, has_real: bool) -> list[Evaluator]:
    if isinstance(metrics, str) and metrics != "auto":
        metrics = [metrics]
    if not isinstance(metrics, str):
        metrics = list(metrics)
        if not metrics:
            raise _core.ConfigError(
                "metrics is empty, so nothing would be measured; name measures, or leave it out for all that "
                "apply."
            )
        return [_evaluator_of(one, options) for one in metrics]
    if not has_text and not has_real:
        raise _core.EvaluationError(
            "There is nothing to measure: the table has no single text column and no real table was given; "
            "name the text column, give real rows, or choose measures."
        )
    return [
        *(_core.text_suite(options) if has_text else []),
        *(_core.table_suite(options) if has_real else []),
        *(_core.text_privacy_suite(options) if has_text and has_real else []),
    ]


def _evaluator_of(one: Any, options: SuiteOptions) -> Evaluator:
    from synthema.metrics import Metric

    if isinstance(one, Metric):
        return one.evaluator_of_report()
    return evaluator_named(one, options) if isinstance(one, str) else guarded(as_evaluator(one))


def _inline_page(report: Report) -> str | None:
    """Return the page for notebooks, or None (the plain table is shown then) where it is not installed."""
    if importlib.util.find_spec("synthema.reporting") is None:
        return None
    from synthema import reporting

    return reporting.render_inline(report)
