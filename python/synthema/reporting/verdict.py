"""The page in words: what the numbers say, the weak points first among equals.

Every threshold that calls something weak stands in `LIMITS`, and the page prints it under "How to read this
page".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from synthema.reporting.numbers import counted, first_columns, number, percent, shown, words

Score = Mapping[str, Any]


@dataclass(frozen=True)
class Limit:
    """A score is called weak beyond `value` in the wrong direction; `meaning` finishes the sentence."""

    name: str
    value: float
    higher_is_better: bool
    meaning: str
    is_share: bool = True


LIMITS = (
    Limit("acceptance_rate", 0.5, True, "most drafts of this model fail the checks and are thrown away"),
    Limit(
        "label_recovery_top1", 0.5, True, "an independent retriever often takes the text for another concept"
    ),
    Limit("fact_agreement", 0.99, True, "some facts of the records are not stated, or stated otherwise"),
    Limit("free_token_share", 0.6, True, "much of the text was prescribed and not written by the model"),
    Limit("exact_duplicates", 0.0, False, "some texts occur more than once"),
    Limit("near_duplicates", 0.05, False, "many texts are almost the same"),
    Limit("long_copy_share", 0.0, False, "some texts repeat a long run of words that the prompt showed"),
    Limit("exemplar_overlap_5", 0.05, False, "much of the wording comes from the examples in the prompt"),
    Limit("self_bleu_4", 0.5, False, "the texts resemble each other closely in wording", is_share=False),
    Limit("literal_name_share", 0.7, False, "most texts simply repeat a name of the concept"),
)


@dataclass(frozen=True)
class Leak:
    """A score that says what rows give away: weak where fresh real rows, its ceiling, do better.

    What is repeated, `copies`, is seen without a holdout; all else is told by comparing with one.
    """

    name: str
    meaning: str
    copies: bool = False


LEAKS = (
    Leak("exact_copies", "rows of the training data are repeated whole", copies=True),
    Leak("near_copies", "rows lie closer to training rows than rows of other people do"),
    Leak("rare_value_reuse", "values that one training row alone has are repeated", copies=True),
    Leak("dcr_share", "rows lie closer to training rows than to rows of other people"),
    Leak("nnaa_privacy_loss", "rows are nearer to training rows than to rows of other people"),
    Leak("membership_by_distance", "distances tell who was in the training data"),
    Leak("singling_out_univariate", "one rare value can single out a person of the training data"),
    Leak("singling_out_multivariate", "a few values together can single out a person of the training data"),
    Leak("linkability", "two data sets about a person of the training data can be linked"),
    Leak("attribute_inference", "a column of a person of the training data can be read off the nearest row"),
    Leak("membership_by_density", "densities tell who was in the training data"),
    Leak("membership_by_model", "a model that learnt from the rows favours people of the training data"),
    Leak("dcr_share_worst_group", "in some columns rows lie closer to training rows than to others"),
    Leak("training_copy_texts", "texts repeat long runs of words of training texts", copies=True),
    Leak("identifier_reuse", "texts repeat identifiers of training texts", copies=True),
    Leak("near_note_copies", "texts are more like a training text than texts of other people are"),
    Leak("canary_exposure", "texts planted into the training data can be told from others", copies=True),
)
WRONG = 5  # columns that are named
MISSING_ALIKE = 0.5  # below which the shares of missing values are grossly different
HARDLY_ANY = 0.9  # above which a column without values lacks few of those that real rows have
LEAK_MARGIN = 0.05  # beyond the ceiling, where a score has no interval
# The same over the root of the rows, where they are few: two standard deviations of nnaa_privacy_loss of
# fresh rows, simulated (docs/calibration.md).
FEW_ROWS_MARGIN = 1.1
AS_USEFUL = 0.05  # of what real rows teach (from floor to ceiling) may be missing
_AUPRC = "AUPRC of "
RARE_CASES = 0.1  # of the average precision may be missing
FEW_KEEP = 0.9  # rules that more rows keep may be chance, where fresh real rows break some too
KEPT = 0.98  # of the rows, by a rule that all real rows keep
TOLD_APART = 0.6  # area under the curve of the two-sample test by trees
SMALL = 100  # rows below which intervals are too wide to rank two runs


def score_named(section: Mapping[str, Any] | None, *names: str) -> Score | None:
    """The first score of the section with one of these names."""
    scores: Sequence[Score] = (section or {}).get("scores") or []
    for name in names:
        for score in scores:
            if score.get("name") == name:
                return score
    return None


def drafts_of(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The section of all drafts, of which the first one is a selection; other data have none."""
    return next((one for one in document.get("sections") or [] if one.get("name") == "drafts"), None)


def value_of(score: Score | None) -> float | None:
    """The score's value, if it is defined."""
    return None if score is None else number(score.get("value"))


def _bound(score: Score | None, which: str) -> float | None:
    return None if score is None else number((score.get(which) or {}).get("value"))


def _reaches(score: Score, real: float) -> bool:
    """Whether a usefulness is that of real rows: at most `AS_USEFUL` of the way to its floor is missing.

    Its interval does not count: a wide one would make useless rows useful.
    """
    floor = _bound(score, "floor") or 0.0
    return (value_of(score) or 0.0) >= real - AS_USEFUL * abs(real - floor)


def is_weak(limit: Limit, value: float) -> bool:
    """Whether `value` lies on the wrong side of the limit."""
    return value < limit.value if limit.higher_is_better else value > limit.value


def leaks(section: Mapping[str, Any] | None, drifted: bool = False) -> list[str]:
    """One sentence for each score by which training rows are given away.

    Fresh real rows (the score's ceiling) must do better: outside the interval (or by more than a margin
    where there is none), which is widened by the error of the ceiling. With a holdout of another population
    (`drifted`) only what is copied counts.
    """
    found = []
    fresh = "rows of the holdout" if drifted else "fresh real rows"
    for leak, score in _measured(section, drifted):
        if not _is_worse(score):
            continue
        found.append(
            f"{words(leak.name)} is {shown(score, value_of(score))}, where {fresh} have "
            f"{shown(score, _bound(score, 'ceiling'))}: {leak.meaning}."
        )
    return found


def _is_worse(score: Score, wider: float = 1) -> bool:
    """Tell whether a score is worse than its ceiling by more than `wider` times their uncertainty."""
    value, ceiling = value_of(score) or 0, _bound(score, "ceiling") or 0
    low = number((score.get("interval") or {}).get("low"))
    own = _margin(score) if low is None else value - low
    fresh = 1.96 * (number((score.get("ceiling") or {}).get("error")) or 0)
    return value - wider * math.hypot(own, fresh) > ceiling


def _margin(score: Score) -> float:
    return max(LEAK_MARGIN, FEW_ROWS_MARGIN / math.sqrt(number(score.get("n")) or 1))


def _measured(section: Mapping[str, Any] | None, drifted: bool) -> list[tuple[Leak, Score]]:
    """List what the section has a value and a ceiling of, and a drifted holdout does not spoil."""
    scores = [(leak, score_named(section, leak.name)) for leak in LEAKS if leak.copies or not drifted]
    return [
        (leak, score)
        for leak, score in scores
        if score is not None and value_of(score) is not None and _bound(score, "ceiling") is not None
    ]


def _may_be_chance(scores: Sequence[Score]) -> bool:
    """Tell whether chance may make as many measures worse by as much, in more than 2.5 % of reports.

    It may if for no k are k of the n measures worse at a level of 2.5 % k / n (Simes, 1986: valid where
    measures are independent or rise and fall together).
    """
    normal = NormalDist()

    def worse(at_once: int) -> int:
        wider = normal.inv_cdf(1 - 0.025 * at_once / len(scores)) / normal.inv_cdf(0.975)
        return sum(_is_worse(score, wider) for score in scores)

    return not any(worse(k) >= k for k in range(1, len(scores) + 1))


def _rare_cases(score: Score | None) -> list[str]:
    """One sentence if models find rare cases worse than real rows' do, which an AUROC hardly shows."""
    parts = {str(part.get("name")): number(part.get("value")) for part in (score or {}).get("parts") or []}
    name = next((one for one in parts if one.startswith(_AUPRC) and f"{one}, trained on real" in parts), None)
    if name is None:
        return []
    made, real = parts[name], parts[f"{name}, trained on real"]
    if made is None or real is None or real - made <= RARE_CASES:
        return []
    return [
        f"A model that learns from it finds the rarer label '{name.removeprefix(_AUPRC)}' worse: average "
        f"precision {made:.2f}, where real rows give {real:.2f}."
    ]


def _broken_rules(score: Score | None) -> list[str]:
    """One sentence if rules that every real row keeps are broken."""
    broken = [
        part
        for part in (score or {}).get("parts") or []
        if (held := number(part.get("value"))) is not None and held < KEPT
    ]
    ceiling = _bound(score, "ceiling")
    by_chance = ceiling is not None and (value_of(score) or 0.0) >= ceiling - LEAK_MARGIN
    if not broken or (by_chance and all((number(part.get("value")) or 0.0) > FEW_KEEP for part in broken)):
        return []
    worst = min(broken, key=lambda part: number(part.get("value")) or 0.0)
    more = "; so are others" if len(broken) > 2 else "; so is another" if len(broken) == 2 else ""
    return [
        f"A rule that every real row keeps is broken: '{worst['name']}' holds in "
        f"{percent(number(worst['value']) or 0.0)} of the synthetic rows{more}. Schemas can state rules."
    ]


def _told_apart(score: Score | None, drifted: bool) -> list[str]:
    """One sentence if a classifier tells the rows from real ones, training rows or fresh, or is misled.

    Rows of a holdout of another population are not asked.
    """
    value = value_of(score)
    if score is None or value is None:
        return []
    parts = {str(part.get("name")): number(part.get("value")) for part in score.get("parts") or []}
    fresh = None if drifted else parts.get("all columns, against the holdout")
    if value > TOLD_APART:
        return [f"A classifier tells it from real rows with an AUROC of {shown(score, value)}."]
    if fresh is not None and fresh > TOLD_APART:
        return [f"A classifier tells it from fresh real rows with an AUROC of {shown(score, fresh)}."]
    high = number((score.get("interval") or {}).get("high"))
    if high is None or high >= 0.5:
        return []
    against = "" if fresh is None else f", and from fresh real rows with one of {shown(score, fresh)}"
    return [
        f"A classifier tells it from the training rows with an AUROC of {shown(score, value)}{against}: "
        "below 0.5 is no merit, the rows follow single training rows."
    ]


def weaknesses(
    section: Mapping[str, Any] | None, drafts: Mapping[str, Any] | None = None, *, drifted: bool = False
) -> list[str]:
    """One sentence for each score that is weak by our limits, and one for a small sample.

    Acceptance is a score of all drafts; the others are of the section itself. `drifted`: the holdout is of
    another population than the real rows.
    """
    found = []
    for limit in LIMITS:
        of = drafts if drafts and limit.name == "acceptance_rate" else section
        score = score_named(of, limit.name)
        value = value_of(score)
        if score is not None and value is not None and is_weak(limit, value):
            found.append(f"{words(limit.name)} is {shown(score, value)}: {limit.meaning}.")
    given_away = leaks(section, drifted)
    found += given_away
    useful = score_named(section, "train_synthetic_test_real")
    usefulness, real = value_of(useful), _bound(useful, "ceiling")
    surely = given_away and not _may_be_chance([score for _, score in _measured(section, drifted)])
    if surely and useful is not None and None not in (usefulness, real) and _reaches(useful, real):
        found.append(
            f"It is as useful as the real rows ({shown(useful, usefulness)} of {shown(useful, real)}) while "
            "attacks succeed: do not release it as if it were safe."
        )
    found += _told_apart(score_named(section, "classifier_two_sample"), drifted)
    found += _rare_cases(useful)
    found += _broken_rules(score_named(section, "implied_rules"))
    rows = (section or {}).get("rows")
    if isinstance(rows, int) and rows < SMALL:
        found.append(
            f"With {counted(rows, 'row')} the intervals are wide: "
            "do not rank two runs by these numbers alone."
        )
    return found


def _acceptance(document: Mapping[str, Any]) -> str | None:
    run = document.get("run") or {}
    accepted, attempts = run.get("accepted"), run.get("attempts")
    if not isinstance(accepted, int) or not isinstance(attempts, int) or attempts == 0:
        return None
    return (
        f"Out of {counted(attempts, 'draft')}, {accepted:,} became accepted rows: "
        f"{percent(accepted / attempts)} of what the model wrote passed every check, "
        "the rest is kept apart with its reason."
    )


def _recovery(accepted: Mapping[str, Any], drafts: Mapping[str, Any] | None) -> str | None:
    score = score_named(accepted, "label_recovery_top1")
    value = value_of(score)
    if score is None or value is None:
        return None
    # Rows that came without their drafts may have passed any check, or none.
    who = "A retriever that no check uses" if drafts else "A retriever"
    rows = "accepted rows" if drafts else "rows"
    text = f"{who} ranks the intended concept first for {shown(score, value)} of the {rows}"
    before = value_of(score_named(drafts, "label_recovery_top1"))
    if before is not None:
        text += f", against {shown(score, before)} of all drafts before checks"
    floor = number((score.get("floor") or {}).get("value"))
    if floor is not None:
        text += f"; knowing nothing would give {shown(score, floor)}"
    return text + "."


def _usefulness(section: Mapping[str, Any]) -> str | None:
    score = score_named(section, "train_synthetic_test_real")
    value, real = value_of(score), _bound(score, "ceiling")
    if score is None or value is None or real is None:
        return None
    return (
        f"A model that learns from it scores {shown(score, value)} on real rows; "
        f"one that learns from real rows scores {shown(score, real)}."
    )


def _wrong_columns(section: Mapping[str, Any]) -> str | None:
    """A sentence that names columns that are grossly wrong, by the notes of `column_shapes`."""
    missing = {
        str(part.get("name")): value
        for part in (score_named(section, "missing_value_similarity") or {}).get("parts") or []
        if (value := number(part.get("value"))) is not None
    }
    found = {}
    for part in (score_named(section, "column_shapes") or {}).get("parts") or []:
        name, note = str(part.get("name")), str(part.get("note") or "").partition(":")[0]
        # Of a column that hardly has real values none may be left by chance.
        by_chance = note == "no synthetic values" and missing.get(name, 0.0) > HARDLY_ANY
        if note and number(part.get("value")) is not None and not by_chance:
            found[name] = note
    for name, alike in missing.items():
        if alike < MISSING_ALIKE and name not in found:
            found[name] = f"{percent(1 - alike)} more or fewer values are missing"
    if not found:
        return None
    named = first_columns([f"'{name}' ({what})" for name, what in found.items()], WRONG)
    return f"Broken {'columns' if len(found) > 1 else 'column'}: {', '.join(named)}."


def _fidelity(section: Mapping[str, Any], drifted: bool) -> str | None:
    score = score_named(section, "accuracy")
    value, best = value_of(score), _bound(score, "ceiling")
    if score is None or value is None or best is None:
        return None
    text = f"Columns, pairs and triples agree with the real ones by {shown(score, value)}"
    fresh = "as many rows of the holdout" if drifted else "as many fresh real rows"
    text += f", where {fresh} would reach {shown(score, best)}"
    floor = _bound(score, "floor")
    if floor is not None:
        text += f" and independent columns {shown(score, floor)}"
    if floor is not None and floor >= best:  # these know the margins of the real rows themselves
        text += (
            ": rows are too few, or columns depend too little on each other, to tell whether dependence is "
            "kept"
        )
    return text + "."


NOT_TRIED = "More is not known of privacy: attacks need a holdout, real rows that no generator saw."


def _only_copies(measured: Sequence[tuple[Leak, Score]]) -> bool:
    """Whether nothing but what is repeated was looked at, because there was no holdout."""
    held = any(str((score.get("ceiling") or {}).get("source")).startswith("holdout") for _, score in measured)
    return not held and all(leak.copies for leak, _ in measured)


def _privacy(section: Mapping[str, Any], drifted: bool) -> str | None:
    measured = _measured(section, drifted)
    scores = [score for _, score in measured]
    if not scores:
        return None
    found, many = sum(map(_is_worse, scores)), counted(len(scores), "measure")
    untried = not drifted and _only_copies(measured)
    fresh = "the holdout" if drifted else "fresh real rows"
    kind = "copies" if drifted or untried else "privacy"
    verb = "is" if found == 1 else "are"
    if found == 0:
        none = f"None of {many} of {kind} is worse than {fresh}."
        return f"{none} {NOT_TRIED}" if untried else none
    worse = f"Of {many} of {kind} {found} {verb} worse than {fresh}"
    if _may_be_chance(scores):
        return (
            f"{worse}, though by no more than chance may do to {found} of {len(scores)}: "
            "measure again with more rows or another holdout."
        )
    return f"{worse}: the rows tell something about the people in the training data."


NOT_FRESH = (
    "How safe the rows are is not known: the holdout has rows of the real or the synthetic data, so attacks "
    "are not held against fresh real rows."
)


REASONS = 3  # that are told in the opening sentences


def _computed(section: Mapping[str, Any]) -> str:
    """How many measures have a value, and why the others have none where there are few reasons."""
    rows, scores = section.get("rows"), section.get("scores") or []
    without: dict[str, list[str]] = {}
    for score in scores:
        if value_of(score) is None:
            without.setdefault(str(score.get("undefined") or "not defined"), []).append(words(score["name"]))
    defined = len(scores) - sum(map(len, without.values()))
    on_rows = f" on {counted(rows, 'row')}" if rows is not None else ""
    said = [f"{defined} of {counted(len(scores), 'measure')} could be computed{on_rows}."]
    if len(without) <= REASONS:
        said += [f"{', '.join(names)}: {reason}" for reason, names in without.items()]
    return " ".join(said)


def summary(document: Mapping[str, Any]) -> list[str]:
    """The opening sentences: what is broken, how much was accepted, how true, useful and safe rows are."""
    sections = document.get("sections") or []
    if not sections:
        return []
    section, drafts = sections[0], drafts_of(document)
    drift = document.get("drift")
    parts = [_acceptance(document), _recovery(section, drafts)]
    parts += [_fidelity(section, bool(drift)), _usefulness(section)]
    parts += [NOT_FRESH if document.get("overlap") else _privacy(section, bool(drift))]
    sentences = [part for part in parts if part]
    if not sentences:
        sentences.append(_computed(section))
    first = [_wrong_columns(section), drift]
    return [str(one) for one in first if one] + sentences
