"""Evaluators: check values, brute-force twins, promises, and evaluators written in Python."""

# ruff: noqa: E501
import copy
import functools
import inspect
import math
import pickle
import random
import warnings

import evaluator_tables
import numpy as np
import pytest
import synthema
from synthema import EvaluationContext

REAL = {
    "x": [1, 2, 2.5, 3, 4.5, 5, 6, 7.5],
    "y": [2.0, 1, 4, 3, 6, 5, 8, 7],
    "c": list("aaabbbcc"),
    "d": list("uvuvuvuu"),
}
SYNTHETIC = {
    "x": [1.5, 2, 3.5, 4, 4, 6.5, 8, 9],
    "y": [1.5, 2.5, 2, 5, 4, 6, 9, 7],
    "c": list("aabbbccd"),
    "d": list("uuvvuvvu"),
}
TERMS = [
    {"id": "T1", "name": "Headache", "synonyms": ["cephalgia"], "lay_synonyms": ["sore head"], "definition": "Pain in the head."},
    {"id": "T2", "name": "Fever", "synonyms": ["pyrexia"], "lay_synonyms": ["hot body"], "definition": "A raised body temperature."},
    {"id": "T3", "name": "Cough", "synonyms": ["tussis"], "lay_synonyms": [], "definition": "A sudden expulsion of air."},
]  # fmt: skip


def categories(data):
    kinds = {"x": "real", "y": "real", "c": "category", "d": "category"}
    schema = synthema.Schema([synthema.Field(name, kinds[name]) for name in data])
    return synthema.table(data, schema)


def parts(score):
    return {part.name: part.value for part in score.parts}


def notes():
    rows = [
        {"text": "My head has pain since three days", "label": "T1"},
        {"text": "I have a cephalgia, really", "label": "T1"},
        {"text": "My body temperature is raised", "label": "T2"},
        {"text": "nothing that helps", "label": "T2"},
        {"text": "tussis", "label": "T3"},
        {"text": "My head has pain since three days!", "label": "T1"},
    ]
    for i, row in enumerate(rows):
        row |= {
            "accepted": i % 3 > 0, "check": "" if i % 3 > 0 else "length", "row_id": i // 2, "free_tokens": 10 + i,
            "masked_tokens": i, "forced_tokens": 2, "fact_age": i % 2 == 0, "reference": "my head has pain for three days",
        }  # fmt: skip
    fields = [synthema.Field("text"), synthema.Field("label", "category", roles=["label"]), synthema.Field("accepted", "boolean"),
              synthema.Field("check"), *(synthema.Field(n, "integer") for n in ("row_id", "free_tokens", "masked_tokens", "forced_tokens")),
              synthema.Field("fact_age", "boolean"), synthema.Field("reference")]  # fmt: skip
    return synthema.table(rows, synthema.Schema(fields))


def letters(texts):
    """Embed texts by how often each letter occurs."""
    return np.array(
        [[1 + text.lower().count(c) for c in "abcdefghijklmnopqrstuvwxyz"] for text in texts], float
    )


def full_context(**changes):
    return EvaluationContext(
        embedder=letters,
        embedder_name="letters",
        terms=synthema.table(TERMS),
        exemplars=synthema.table([{"text": "my head has pain since three days and more"}]),
        holdout=notes(),
        bootstrap=50,
        **changes,
    )


def test_sdmetrics_check_values():
    for convention, c in (("sdmetrics", 0.8750000468749941), ("synthema", 0.875)):
        report = synthema.evaluate(
            categories(SYNTHETIC), categories(REAL), metrics=["column_shapes", "range_coverage", "boundary_adherence"],
            convention=convention,
        )  # fmt: skip
        shapes = parts(report["column_shapes"])
        assert shapes["x"] == pytest.approx(0.75, abs=1e-15)
        assert shapes["c"] == pytest.approx(c, abs=1e-15)
        assert parts(report["range_coverage"])["x"] == pytest.approx(0.9230769230769231, abs=1e-15)
        assert parts(report["boundary_adherence"])["x"] == 0.75
        assert report["column_shapes"].convention == convention


def test_pairs_check_values():
    pairs = parts(
        synthema.evaluate(categories(SYNTHETIC), categories(REAL), metrics=["column_pairs"])["column_pairs"]
    )
    assert pairs["x x y"] == pytest.approx(0.9900299847171071, abs=1e-12)
    assert pairs["c x d"] == pytest.approx(0.625, abs=1e-15)
    assert pairs["x x c"] == pytest.approx(0.5, abs=1e-15)


def test_a_column_that_is_a_number_here_and_a_text_there_hides_no_copies():
    real = synthema.table({"age": list(range(40)), "crp": [i / 7 for i in range(40)]})
    as_texts = synthema.table({"age": [str(i) for i in range(40)], "crp": [i / 7 for i in range(40)]})
    score = synthema.evaluate(as_texts, real, metrics=["exact_copies"])["exact_copies"]
    assert score.value == 1
    # A holdout that has the column otherwise does not tell what strangers share.
    held = synthema.evaluate(real, real, as_texts, metrics=["exact_copies"])["exact_copies"]
    assert held.value == 1
    assert "holdout" not in held.ceiling.source
    # A column without values was lost, whatever its kind: these rows are no copies.
    lost = synthema.table({"age": [None] * 40, "crp": [i / 7 for i in range(40)]})
    assert synthema.evaluate(lost, real, metrics=["exact_copies"])["exact_copies"].value == 0
    nothing = synthema.evaluate(
        synthema.table({"age": ["40", "50"]}), synthema.table({"age": [40, 50]}), metrics=["exact_copies"]
    )["exact_copies"]
    assert "share no column" in nothing.undefined


def test_exact_copies():
    score = synthema.evaluate(
        categories(SYNTHETIC), categories(SYNTHETIC), categories(REAL), ["exact_copies"]
    )["exact_copies"]
    assert score.value == 1
    assert score.ceiling.value == 0
    assert "Wilson" in score.interval.method


def test_label_recovery_and_its_floor():
    report = synthema.evaluate(notes(), terms=TERMS, bootstrap=200)
    top1 = report["label_recovery_top1"]
    assert top1.value == pytest.approx(5 / 6)
    # Five texts find a term: T1 three times, T2 and T3 once; shuffled labels hold them 3, 2 and 1 times in six.
    assert top1.floor.value == pytest.approx((3 * 3 + 1 * 2 + 1 * 1) / 36)
    assert top1.ceiling.value == 1  # each name finds its own term
    assert parts(top1) == {"T1": 1, "T2": 0.5, "T3": 1}
    assert report["literal_name_share"].value == pytest.approx(2 / 6)
    assert report["acceptance_rate"].value == pytest.approx(4 / 6)
    assert "row ids" in report["acceptance_rate"].interval.method
    assert report["free_token_share"].value == pytest.approx(75 / (75 + 15 + 12))
    assert report["fact_agreement"].value == 0.5
    assert report["exact_duplicates"].value == pytest.approx(1 / 6)
    assert report["near_duplicates"].value == pytest.approx(2 / 6)


def test_memorisation():
    exemplars = [{"text": "my head has pain since three days and more"}]
    report = synthema.evaluate(
        [{"text": "My head has pain since three days"}, {"text": "he said that my head has pain"}],
        exemplars=exemplars,
    )
    assert report["exemplar_overlap_5"].value == pytest.approx(3 / 6)
    assert report["longest_copied_run"].value == pytest.approx((7 + 4) / 2)
    assert report["long_copy_share"].value == 0


def test_near_duplicates_by_brute_force():
    rng = random.Random(9)
    texts = []
    for _ in range(60):
        base = (
            rng.choice(texts).split()
            if texts and rng.random() < 0.6
            else rng.choices("abcdefgh", k=rng.randrange(1, 16))
        )
        texts.append(" ".join(w if rng.random() > 0.05 else rng.choice("abcdefgh") for w in base))

    def shingles(text):
        words = text.split()
        k = min(3, len(words))
        return {tuple(words[i : i + k]) for i in range(len(words) - k + 1)}

    sets = [shingles(text) for text in texts]
    for threshold in (0.3, 0.5, 0.7, 1.0):
        marked = [
            any(i != j and len(a & b) / len(a | b) >= threshold - 1e-12 for j, b in enumerate(sets))
            for i, a in enumerate(sets)
        ]
        report = synthema.evaluate(
            {"text": texts}, metrics="near_duplicates", near_duplicate_threshold=threshold
        )
        assert report["near_duplicates"].value == pytest.approx(sum(marked) / len(texts), abs=1e-12)


def tables_for(name):
    """Return an evaluator with small tables on which it has a value, else the large ones that have everything."""
    built = synthema._core.evaluator_named(name)
    small = [
        (categories(REAL), categories(SYNTHETIC), EvaluationContext(bootstrap=50)),
        (notes(), notes(), full_context()),
        (notes(), notes(), full_context(target_column="fact_age")),
    ]
    for real, synthetic, context in small:
        try:
            if built.evaluate(real, synthetic, context).value is not None:
                return built, real, synthetic, context
        except synthema.EvaluationError:
            continue  # it reads a column that these do not have
    built = synthema._core.evaluator_named(name, evaluator_tables.OPTIONS)
    context = evaluator_tables.context(letters)
    return built, evaluator_tables.visits(1), evaluator_tables.visits(2), context


@pytest.mark.parametrize("name", synthema.evaluator_names())
def test_every_evaluator_keeps_its_promises(name):
    built, real, synthetic, context = tables_for(name)
    synthema.check_evaluator(built, synthetic, real, context)
    assert built.evaluate(real, synthetic, context).value is not None, (
        "the promises were tried on an undefined score"
    )


def test_same_seed_same_interval_whatever_the_threads():
    many = {"text": [" ".join(["word"] * (1 + i * i % 13)) for i in range(40)]}

    def length(**options):
        return synthema.evaluate(many, metrics="length_words", **options)["length_words"].to_dict()

    first = length(seed=3, threads=1)
    assert first["interval"]["low"] < first["interval"]["high"]
    assert length(seed=3, threads=4) == first
    assert length(seed=4) != first


def test_evaluator_in_python():
    @synthema.evaluator(direction="higher", range=(0, 1))
    def commas(real, synthetic, context):
        if len(synthetic) == 0:
            return {"undefined": "There are no rows."}
        return sum("," in text for text in synthetic["text"]) / len(synthetic)

    report = synthema.evaluate(notes(), metrics=[commas, "distinct_1"])
    assert report["commas"].value == pytest.approx(1 / 6)
    assert report["commas"].direction == "higher"
    synthema.check_evaluator(commas, notes())
    assert synthema.Report.from_json(report.to_json()).to_dict() == report.to_dict()
    assert "commas (higher)" in repr(report)


def test_infinities_of_a_dict_are_those_of_the_json_form():
    @synthema.evaluator(range=(0, math.inf))
    def ratio(real, synthetic, context):
        interval = {"low": 0.1, "high": math.inf, "level": 0.95, "method": "exact"}
        return {"value": 0.5, "interval": interval} if len(synthetic) else {"undefined": "There are no rows."}

    assert ratio.evaluate(None, synthema.table(notes())).interval.high == math.inf

    @synthema.evaluator(range=(0, math.inf))
    def endless(real, synthetic, context):
        return {"value": math.inf}

    with pytest.raises(synthema.EvaluationError, match="gave inf as 'value'; what cannot be computed"):
        synthema.check_evaluator(endless, notes())


def test_ctrl_c_is_no_broken_promise():
    @synthema.evaluator
    def interrupted(real, synthetic, context):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthema.check_evaluator(interrupted, notes())


def test_broken_evaluators_are_named():
    @synthema.evaluator(range=(0, 1))
    def counts(real, synthetic, context):
        return len(synthetic)

    with pytest.raises(synthema.EvaluationError, match="outside the range") as caught:
        synthema.check_evaluator(counts, notes())
    assert "undefined" in str(caught.value)

    @synthema.evaluator(range=(0, 1))
    def unsure(real, synthetic, context):
        interval = {"low": 0.1, "high": 1.5, "level": 0.95, "method": "none"}
        floor = {"value": -1, "source": "none"}
        score = {"value": 0.05, "interval": interval, "floor": floor}
        return score if len(synthetic) else {"undefined": "There are no rows."}

    with pytest.raises(synthema.EvaluationError) as caught:
        synthema.check_evaluator(unsure, notes())
    for words in (
        "The value 0.05 is outside its own interval, 0.1 to 1.5.",
        "The interval 0.1 to 1.5 is outside the range [0, 1].",
        "The floor -1 is outside the range [0, 1].",
    ):
        assert words in str(caught.value)

    for range_ in ((1, 0), (0, math.nan), (0,), "ab"):
        with pytest.raises(synthema.ConfigError, match="The evaluator 'counts' has the range"):
            synthema.evaluator(lambda *_: 0.5, name="counts", range=range_)


def test_an_evaluator_that_fails_leaves_the_others_their_scores():
    def own(name, function):
        return synthema.evaluator(lambda *_: function(), name=name, range=(0, 1))

    def fail(error):
        raise error

    broken = [
        own("fails", lambda: fail(RuntimeError("my own mistake"))),
        own("nan", lambda: {"value": math.nan}),
        own("pair", lambda: {"value": 0.5, "interval": (0.4, 0.6)}),
        own("large", lambda: 2.5),
        own("nothing", lambda: None),
        own(
            "turned", lambda: {"value": 0.5, "interval": {"low": 1, "high": 0, "level": 0.95, "method": "m"}}
        ),
        own("percent", lambda: {"value": 0.5, "interval": {"low": 0, "high": 1, "level": 95, "method": "m"}}),
    ]
    for metrics in ([*broken, "distinct_1"], broken):
        with pytest.warns(UserWarning, match="raised RuntimeError: my own mistake"):
            report = synthema.evaluate(notes(), metrics=metrics)
        told = {one.name: report[one.name].undefined for one in broken}
        assert told["fails"].startswith("The evaluator 'fails' raised RuntimeError; ")
        assert "outside the range 0 to 1" in told["large"]
        assert all(f"The evaluator '{name}' " in text for name, text in told.items())
    with pytest.warns(UserWarning, match="my own mistake"):
        assert synthema.evaluate(notes(), metrics=[*broken, "distinct_1"])["distinct_1"].value
    for error in (KeyboardInterrupt(), synthema.Cancelled("enough")):
        with pytest.raises(type(error)):
            synthema.evaluate(notes(), metrics=[own("stops", lambda e=error: fail(e)), "distinct_1"])


def test_two_measures_of_one_name_are_refused():
    own = synthema.evaluator(lambda *_: 0.5, name="distinct_1", range=(0, 1))
    with pytest.raises(
        synthema.ConfigError, match="Measures 1 and 3 of the list are both called 'distinct_1'"
    ):
        synthema.evaluate(notes(), metrics=["distinct_1", "distinct_2", own])


def test_a_cancelled_evaluation_says_that_nothing_is_kept():
    token = synthema.CancelToken()
    token.cancel()
    with pytest.raises(synthema.Cancelled, match="none of its scores is kept"):
        synthema.evaluate(notes(), cancel=token)


@pytest.mark.parametrize(
    "give",
    [
        lambda texts: [["Mrs Jones"] * 3 for _ in texts],
        lambda texts: np.ones((len(texts), 3), complex),
        lambda texts: [[1.0], *([1.0, 2.0] for _ in texts[1:])],
        lambda texts: None,
        lambda texts: {"a": 1},
        lambda texts: np.zeros((len(texts), 0)),
        lambda texts: np.full((len(texts), 2), 1e300),
        lambda texts: np.ones((len(texts), 2, 2)),
    ],
)
def test_what_are_no_vectors_is_the_reason(give):
    report = synthema.evaluate(notes(), metrics=["pairwise_similarity", "distinct_1"], embedder=give)
    assert "The embedder gave " in report["pairwise_similarity"].undefined
    assert "Jones" not in repr(report)
    assert report["distinct_1"].value


@pytest.mark.parametrize("give", [lambda texts: None, lambda texts: [["a"] for _ in texts], lambda texts: 3])
def test_what_are_no_token_scores_is_the_reason(give):
    report = synthema.evaluate(notes(), metrics="perplexity", text_scorer=give)
    assert "The text scorer gave something of type" in report["perplexity"].undefined
    pairs = {"text": ["my chest hurts"] * 3, "reference": ["pain in the chest"] * 3}
    report = synthema.evaluate(pairs, metrics="bert_score", token_embedder=give)
    assert "mbedder gave something of type" in report["bert_score"].undefined


@pytest.mark.parametrize(
    ("given", "metric", "who"),
    [
        ("embedder", "pairwise_similarity", "The embedder"),
        ("token_embedder", "bert_score", "The token embedder"),
        ("text_scorer", "perplexity", "The text scorer"),
        ("detectors", "identifier_texts", "A detector of identifiers"),
    ],
)
def test_what_the_callers_functions_raise_is_the_reason_of_the_scores_that_ask_them(given, metric, who):
    def fail(texts):
        raise KeyError("Mrs Jones, 71")

    def later(text):
        yield (0, 2, "name")
        raise KeyError("Mrs Jones, 71")

    for function in (fail, later) if given == "detectors" else (fail,):
        brought = {given: [function] if given == "detectors" else function}
        with pytest.warns(UserWarning, match="Jones") as said:
            report = synthema.evaluate(notes(), notes(), metrics=[metric, "distinct_1"], **brought)
        assert (
            report[metric].undefined
            == f"{who} raised KeyError; a warning has its text, which may quote a row."
        )
        assert report["distinct_1"].value
        assert [str(one.message).startswith(f"{who} raised KeyError") for one in said] == [True]


@pytest.mark.parametrize("given", ["embedder", "text_scorer"])
def test_what_ends_an_evaluation_ends_it_in_the_callers_functions_too(given):
    for error in (KeyboardInterrupt(), synthema.Cancelled("enough")):

        def stop(texts, error=error):
            raise error

        with pytest.raises(type(error)):
            synthema.evaluate(notes(), metrics=["pairwise_similarity", "perplexity"], **{given: stop})


def test_an_embedder_may_change_its_list_and_is_refused_at_once_where_it_is_none():
    def clears(texts):
        vectors = [[float(len(text)), 1.0] for text in texts]
        texts.clear()
        return vectors

    assert synthema.evaluate(notes(), metrics="pairwise_similarity", embedder=clears)[
        "pairwise_similarity"
    ].value

    class Encoder:
        def embed(self, texts):
            return clears(texts)

    for given, said in ((3, "is of type int"), (Encoder, "is the class Encoder")):
        with pytest.raises(synthema.ConfigError, match=f"The argument 'embedder' is a function .* {said}"):
            synthema.evaluate(notes(), embedder=given)


def test_an_evaluator_asks_the_embedder_and_the_scorer_of_the_context():
    @synthema.evaluator(needs="embedder")
    def asks(real, synthetic, context):
        if len(synthetic) == 0:
            return {"undefined": "There are no rows."}
        assert context.embedder_name == "lengths"
        [[scored]] = context.text_scorer(["ab"])
        return sum(x for [x] in context.embedder(synthetic["text"])) + scored

    class Lengths:
        name = "lengths"

        def embed(self, texts):
            return [[float(len(text))] for text in texts]

    report = synthema.evaluate(
        {"text": ["abc", "de"]},
        metrics=[asks],
        embedder=Lengths(),
        text_scorer=lambda texts: [[-1.0] for _ in texts],
    )
    assert report["asks"].value == 4
    context = EvaluationContext()
    assert context.embedder is None
    assert context.text_scorer is None
    assert "No embedder" in synthema.evaluate({"text": ["abc"]}, metrics=[asks])["asks"].undefined


def test_an_evaluator_tells_its_needs_which_hold_in_reports():
    needy = synthema.evaluator(lambda *_: 0.5, name="needy", needs=["holdout", "reference"])
    assert needy.needs == ["reference", "holdout"]
    assert "holdout" in synthema.evaluate(notes(), notes(), metrics=[needy])["needy"].undefined


def test_an_evaluator_is_not_tried_without_what_it_needs():
    for need, said in (
        ("reference", "a table of real rows; give `real`"),
        ("holdout", "a holdout; give EvaluationContext"),
        ("target", "a target; give"),
        ("subject", "a column with the role subject"),
        ("embedder", "an embedder; give"),
    ):
        needy = synthema.evaluator(lambda *_: {"undefined": "x"}, name="needy", needs=need)
        with pytest.raises(synthema.ConfigError, match=f"The evaluator 'needy' says that it needs {said}"):
            synthema.check_evaluator(needy, notes())
    holdout = synthema.table(notes())
    needy = synthema.evaluator(lambda *_: {"undefined": "x"}, name="needy", needs=["holdout", "reference"])
    synthema.check_evaluator(needy, notes(), notes(), EvaluationContext(holdout=holdout, bootstrap=0))

    class Own:
        name = "own"

        def evaluate(self, real, synthetic, context):
            return {"undefined": "x"}

    with pytest.raises(synthema.ConfigError, match=r"the class Own; give an object of it, Own\(...\)"):
        synthema.check_evaluator(Own)


def test_misuse_is_named():
    with pytest.raises(synthema.ConfigError, match="no evaluator 'typo'"):
        synthema.evaluate(notes(), metrics=["typo"])
    with pytest.raises(synthema.EvaluationError, match="nothing to measure"):
        synthema.evaluate({"a": [1, 2]})
    with pytest.raises(synthema.EvaluationError, match="no such column"):
        synthema.evaluate(notes(), text_column="nowhere")


def test_a_broken_promise_is_told_without_places_of_ours():
    @synthema.evaluator
    def nothing(real, synthetic, context):
        return None

    with pytest.raises(synthema.EvaluationError, match="must return a Score") as caught:
        synthema.check_evaluator(nothing, notes())
    assert "evaluators.py" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_column_without_values_is_no_text_to_judge():
    rows = synthema.Table.from_csv("\n".join(["x,note", *(f"{i}," for i in range(40))]).encode())
    report = synthema.evaluate(rows, rows, bootstrap=0)
    assert "distinct_1" not in [score.name for score in report.scores]
    told = synthema.Table.from_csv(
        "\n".join(["x,note", *(f"{i},some free words {i}" for i in range(40))]).encode()
    )
    lost = synthema.evaluate(rows, told, bootstrap=0)
    assert lost["distinct_1"].undefined == "There are no texts."


def test_a_report_knows_how_many_rows_it_is_about():
    rows = {"age": [40, 50, 60] * 10}
    report = synthema.evaluate(rows, rows, bootstrap=0, metrics=["column_shapes"])
    assert report.facts["rows"] == {"synthetic": 30, "real": 30}
    page = synthema.reporting.render(report)
    assert "30 synthetic rows against 30 real rows" in page
    assert "With 30 rows the intervals are wide" in page


def test_what_was_not_compared_is_said():
    real = {"age": [40, 50, 60] * 30, "sex": ["f", "m", "f"] * 30, "ward": [1, 2, 3] * 30}
    made = {"age": [41.5, 52.0, 60.0] * 30, "sex": [True, False, True] * 30, "Ward": [1, 2, 3] * 30}
    report = synthema.evaluate(made, real, holdout={"age": [40, 60, 50] * 10}, bootstrap=0)
    told = report.facts["left_out"]
    assert told == [
        "Not compared, because the synthetic rows do not have them: 'ward'.",
        "Not compared, because the real rows do not have them: 'Ward'.",
        "Not compared: 'sex' is of kind text in the real rows and boolean in the synthetic rows; give a schema.",
        "Not compared, because the holdout rows do not have them: 'sex', 'ward'.",
    ]
    assert told[0] in repr(report)
    page = synthema.reporting.render(report)
    assert "is of kind text in the real rows" in page
    assert "left_out" not in synthema.evaluate(real, real, bootstrap=0).facts


def test_times_with_a_zone_are_not_compared_with_times_without():
    def seen(zone):
        lines = [f"{40 + i % 3},2026-01-{1 + i % 28:02}T08:00:00{zone}" for i in range(90)]
        return synthema.Table.from_csv("\n".join(["age,seen", *lines]).encode())

    real = seen("Z")
    report = synthema.evaluate(seen(""), real, bootstrap=0, metrics=["column_shapes", "exact_copies"])
    assert report.facts["left_out"] == [
        "Not compared: the times of 'seen' have a zone in the real rows and none in the synthetic rows; "
        "write all with one, or all without."
    ]
    assert [part.name for part in report["column_shapes"].parts] == ["age"]
    assert "left_out" not in synthema.evaluate(real, real, bootstrap=0, metrics=["column_shapes"]).facts


def test_a_column_is_not_known_and_secret():
    rows = {"g": ["a", "b", "c"] * 30, "h": [1, 2, 3] * 30}
    with pytest.raises(synthema.ConfigError, match="'g' is named as a quasi-identifier and as a secret"):
        synthema.evaluate(rows, rows, quasi_identifiers=["g", "h"], secrets=["g"])


@pytest.mark.parametrize("option", ["sensitive", "duration", "event"])
def test_a_column_that_is_named_and_not_there_is_refused(option):
    rows = {"age": [40, 50, 60] * 30}
    with pytest.raises(synthema.EvaluationError, match="no column 'aged' among the 1 columns; did you mean"):
        synthema.evaluate(rows, rows, **{option: "aged"})
    with pytest.raises(synthema.EvaluationError, match="no column 'zz'"):
        synthema.evaluate(rows, rows, secrets=["zz"])


def test_secrets_that_nothing_would_look_at_are_refused():
    rows = {"age": [40, 50, 60] * 30, "sick": [True, False, False] * 30}
    with pytest.raises(synthema.ConfigError, match="Only 'secrets' was given"):
        synthema.evaluate(rows, rows, secrets="sick")
    assert len(synthema.evaluate(rows, rows, secrets="sick", metrics=["attribute_inference"])) == 1
    assert "zero_cap" in synthema.evaluate(rows, rows, secrets="sick", quasi_identifiers="age")


def test_a_schema_says_what_the_columns_of_all_tables_mean():
    age = synthema.Field("age", kind="integer", minimum=0, maximum=120)
    schema = synthema.Schema([age, synthema.Field("ward", kind="category")])
    real = {"age": [63.0, 41.0, 30.0], "ward": ["1", "2", "1"]}
    made = {"age": [63.0, 500.0], "ward": ["1", "2"]}
    assert synthema.evaluate(made, real).scores  # without one, a number may be any
    report = synthema.evaluate(made, real, holdout=real, metrics=["schema_plausibility"], schema=schema)
    assert report["schema_plausibility"].value == 0.5


def test_columns_read_as_the_real_ones_keep_what_their_schema_states(monkeypatch):
    stated = {
        "roles": ["target"],
        "description": "d",
        "unit": "mg",
        "code_system": "LOINC",
        "nullable": False,
    }
    fields = [
        synthema.Field("dose", "integer", minimum=0, maximum=3, **stated),
        synthema.Field("weight", "real", minimum=0, maximum=90, decimals=1),
        synthema.Field("grade", "integer", minimum=1, maximum=2, nullable=False),
        synthema.Field("ward", "category", categories=["a", "b"]),
        synthema.Field("note", "text", maximum_length=9, description="n"),
    ]
    rows = synthema.table(
        {"dose": [1, 2], "weight": [60.5, 70.0], "grade": [1, 2], "ward": ["a", "b"], "note": ["x", "y"]},
        synthema.Schema(fields, name="ours", licence="CC0-1.0", language="de"),
    )
    kinds = {"dose": "real", "weight": "real", "grade": "category", "ward": "text", "note": "category"}

    def real(**kinds):
        made = synthema.Schema([synthema.Field(name, kind) for name, kind in kinds.items()])
        return synthema.Table.from_records(made, [])

    converted = []

    class Counted(synthema.Table):
        @staticmethod
        def from_arrow(*given):
            converted.append(given)
            return synthema.Table.from_arrow(*given)

    monkeypatch.setattr("synthema.column_kinds.Table", Counted)
    like = synthema.column_kinds.like(rows, real(**kinds))
    assert len(converted) == 1
    assert like.schema.fields == [
        synthema.Field("dose", "real", minimum=0, maximum=3, **stated),
        fields[1],
        synthema.Field("grade", "category", nullable=False),
        synthema.Field("ward", "text"),
        synthema.Field("note", "category", description="n"),
    ]
    assert (like.schema.name, like.schema.licence, like.schema.language) == ("ours", "CC0-1.0", "de")
    assert like.values("grade") == ["1", "2"]
    # 60.5 is no whole number: that column stays, the others are read anew.
    like = synthema.column_kinds.like(rows, real(**(kinds | {"weight": "integer"})))
    assert [one.kind for one in like.schema.fields] == ["real", "real", "category", "text", "category"]
    assert like.schema.fields[1] == fields[1]
    assert synthema.column_kinds.like(rows, rows) is rows


def test_a_schema_may_be_a_file(tmp_path):
    rows = {"age": [1.0, 2.0, 300.0]}
    age = synthema.Field("age", kind="real", minimum=0, maximum=120)
    (tmp_path / "schema.json").write_text(synthema.Schema([age]).to_json())
    for path in (tmp_path / "schema.json", str(tmp_path / "schema.json")):
        report = synthema.evaluate(rows, rows, metrics=["schema_plausibility"], schema=path)
        assert report["schema_plausibility"].value == pytest.approx(2 / 3)
    with pytest.raises(synthema.ConfigError, match="not of type dict"):
        synthema.evaluate(rows, rows, schema={"fields": []})
    with pytest.raises(synthema.ConfigError, match="metrics is empty"):
        synthema.evaluate(rows, rows, metrics=[])


def test_one_name_is_a_list_of_one():
    rows = {"age": ["1", "2"] * 20, "ill": ["yes", "no"] * 20}
    ask = functools.partial(synthema.evaluate, rows, rows, metrics=["categorical_cap"])
    one = ask(quasi_identifiers="age", secrets="ill")["categorical_cap"]
    assert one.value == ask(quasi_identifiers=["age"], secrets=["ill"])["categorical_cap"].value == 0
    alone = synthema.metrics.categorical_cap(rows, rows, quasi_identifiers="age", secrets="ill")
    assert alone.value == 0


def test_parts_of_a_score_show_what_they_hold():
    rows = {"age": [float(i) for i in range(40)], "sex": ["f", "m"] * 20}
    score = synthema.evaluate(rows, rows, metrics=["exact_copies"])["exact_copies"]
    assert repr(score.interval).startswith(f"Interval(low={score.interval.low!r}, high=")
    assert repr(score.ceiling).startswith(f"Bound(value={score.ceiling.value!r}, source=")
    shapes = synthema.evaluate(rows, rows, metrics=["column_shapes"])["column_shapes"]
    assert repr(shapes.parts[0]).startswith("ScorePart(name='age', value=1.0, n=40")
    none = synthema.evaluate(rows, rows, metrics=["trivariate_accuracy"], triples=0)["trivariate_accuracy"]
    assert "No triples were asked for" in none.undefined


def test_the_rarest_of_very_many_labels_are_one_class():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 60, 1200)
    rows = {"x": x.astype(float), "z": rng.normal(size=1200), "y": [f"code {k}" for k in x]}
    ask = functools.partial(synthema.evaluate, rows, rows, rows, target="y", learner="linear_model")
    name = "train_synthetic_test_real"
    score = ask(metrics=[name])[name]
    assert any("60 labels" in one and "target_labels = 50" in one for one in score.warnings)
    assert not ask(metrics=[name], target_labels=0)[name].warnings
    few = synthema.metrics.train_synthetic_test_real(
        rows, rows, rows, target="y", target_labels=10, learner="linear_model"
    )
    assert any("the 51 rarest" in one for one in few.warnings)
    attacked = ask(metrics=["membership_by_model"], target_labels=5)["membership_by_model"]
    assert any("the 56 rarest" in one for one in attacked.warnings)
    with pytest.raises(synthema.ConfigError, match="two classes at least"):
        ask(metrics=[name], target_labels=1)
    assert inspect.signature(synthema.evaluate).parameters["target_labels"].default == 50
    with pytest.raises(synthema.ConfigError, match="'target_labels' is a whole number"):
        ask(metrics=[name], target_labels=-1)


def test_row_numbers_do_not_tell_synthetic_rows_from_the_holdout():
    rng = np.random.default_rng(1)
    values = [rng.normal(size=120) for _ in range(3)]
    real, holdout, synthetic = (
        {"index": list(range(i * 120, i * 120 + 120)), "x": v.tolist()} for i, v in enumerate(values)
    )
    report = synthema.evaluate(synthetic, real, holdout, "classifier_two_sample", bootstrap=0)
    [against] = [p.value for p in report.scores[0].parts if p.name == "all columns, against the holdout"]
    assert against < 0.75  # 1 with the column of numbers


def test_a_column_that_is_empty_in_a_file_counts_as_lost():
    real = {"x": [1.0, 2.0, 3.5] * 30, "y": [True, False, True] * 30, "c": ["a", "b", "b"] * 30}
    made = synthema.Table.from_csv(b"x,y,c\n" + b",,a\n,,b\n,,b\n" * 30)
    report = synthema.evaluate(made, real, metrics=["column_shapes", "missing_value_similarity"])
    assert "left_out" not in report.facts
    shapes = {part.name: part.value for part in report["column_shapes"].parts}
    assert shapes["x"] == shapes["y"] == 0
    assert shapes["c"] == 1
    assert report["missing_value_similarity"].value == pytest.approx(1 / 3)


def test_a_column_of_times_that_is_empty_counts_as_lost_too():
    real = synthema.Table.from_csv(b"x,t\n" + b"1,2020-01-01T08:00:00Z\n2,2020-01-02T08:00:00Z\n" * 40)
    made = synthema.Table.from_csv(b"x,t\n" + b"1,\n2,\n" * 40)
    report = synthema.evaluate(made, real, metrics=["missing_value_similarity"])
    assert "left_out" not in report.facts
    assert report["missing_value_similarity"].value == 0.5


def test_cautions_that_are_errors_do_not_lose_the_report():
    real, later = {"x": [1.0, 2.0, 3.0] * 50}, {"x": [7.0, 8.0, 9.0] * 50}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = synthema.evaluate(real, real, holdout=later, metrics=["column_shapes"])
    assert "same population" in report.facts["drift"]


def test_a_role_of_the_real_column_does_not_hide_labels_and_counts_for_the_synthetic_one():
    r = np.random.default_rng(0)

    def frame():
        return {
            "person": [f"p{i // 3}" for i in range(300)],
            "group": [str(one) for one in r.choice(["lo", "hi"], 300)],
            "y": [str(one) for one in r.choice(["a", "b"], 300)],
        }

    real = synthema.table(frame(), roles={"person": "subject", "group": "sensitive", "y": "target"})
    report = synthema.evaluate(frame(), real, frame())
    assert [part.name for part in report["column_shapes"].parts] == ["group", "y"]
    assert report["train_synthetic_test_real"].value is not None
    assert "100 subjects" in report["exact_copies"].interval.method


def test_texts_that_nothing_looks_at_are_named():
    real = {
        "code": [f"{i:05d}" for i in range(200)],
        "note": [f"n {i}" for i in range(200)],
        "x": [*range(200)],
    }
    report = synthema.evaluate(
        real | {"x": [0, 1] * 100}, real | {"x": [1, 2] * 100}, metrics=["column_shapes"]
    )
    assert report.facts["left_out"] == [
        "Not compared, because they were taken for free texts: 'code'. A schema that makes one a "
        "category says otherwise; text_column names the one text to judge."
    ]
    also = real | {"more": [f"m {i}" for i in range(200)]}  # two texts: none of them is the one to judge
    report = synthema.evaluate(also, also, metrics=["column_shapes"])
    assert "'code', 'note', 'more'. A schema" in report.facts["left_out"][0]
    report = synthema.evaluate(also, also, metrics=["column_shapes"], text_column="more")
    assert "'code', 'note'. A schema" in report.facts["left_out"][0]


def test_texts_beside_truth_values_are_no_free_texts():
    real = {"x": [*range(60)], "ill": [i % 2 == 0 for i in range(60)]}
    made = {"x": [i % 7 for i in range(60)], "ill": ["yes", "no", "unknown"] * 20}
    report = synthema.evaluate(made, real)
    assert "exact_duplicates" not in [score.name for score in report]
    assert any("'ill' is of kind boolean in the real rows" in one for one in report.facts["left_out"])


def test_reports_scores_and_schemas_can_be_pickled_and_copied():
    report = synthema.evaluate(notes(), notes(), bootstrap=20)
    for same in (pickle.loads(pickle.dumps(report)), copy.deepcopy(report)):
        assert same.to_json() == report.to_json()
    same.title = "Another"
    assert report.title == "Evaluation"
    score = report["distinct_1"]
    assert pickle.loads(pickle.dumps(score)).to_json() == score.to_json()
    schema = notes().schema
    assert pickle.loads(pickle.dumps(schema)) == copy.deepcopy(schema) == schema


def test_progress_can_be_printed(capsys):
    synthema.evaluate(notes(), metrics=["distinct_1"], progress=print)
    assert capsys.readouterr().out == "<Progress evaluate: 0 of 1, distinct_1>\n<Progress evaluate: 1 of 1>\n"


def test_a_score_in_a_wrong_form_is_named_by_its_part():
    wrong = [
        ({"interval": (0.1, 0.9)}, "field 'interval': The member must be a JSON object"),
        (
            {"interval": {"low": 0.1, "high": 0.9}},
            "field 'interval.level': The member is missing; it must be",
        ),
        ({"floor": 0.5}, "field 'floor': The member must be a JSON object"),
        ({"parts": [{"name": 3}]}, "field 'parts.name': The member must be a text"),
    ]
    for given, said in wrong:
        odd = synthema.evaluator(lambda *_, given=given: {"value": 0.5, **given}, name="odd")
        with pytest.raises(synthema.EvaluationError, match=said):
            synthema.check_evaluator(odd, notes())
