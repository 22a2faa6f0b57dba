"""Single metrics as functions and as objects."""

import pytest
import synthema
from synthema import metrics
from synthema.metrics import Metric

REAL = {"age": [63, 41, 30, 55, 47, 62], "ward": ["a", "b", "a", "b", "a", "a"]}
MADE = {"age": [60, 44, 31, 50, 47, 40], "ward": ["a", "b", "a", "b", "b", "a"]}


def test_every_metric_is_a_function_and_listed():
    assert set(synthema.evaluator_names()) < set(dir(metrics))
    for name in synthema.evaluator_names():
        assert getattr(metrics, name).name == name


def test_a_function_gives_what_a_report_says():
    from synthema.metrics import univariate_accuracy

    report = synthema.evaluate(MADE, REAL, metrics=["univariate_accuracy"], bootstrap=50)
    score = univariate_accuracy(MADE, REAL, bootstrap=50)
    assert score.value == report["univariate_accuracy"].value
    assert score.interval == report["univariate_accuracy"].interval


def test_parameters_are_those_of_scikit_learn():
    metric = Metric("column_shapes", convention="synthema", bootstrap=20)
    assert metric.get_params()["bootstrap"] == 20
    assert metric.get_params()["seed"] == 0
    assert metric.set_params(seed=4) is metric
    assert repr(metric) == "Metric('column_shapes', convention='synthema', bootstrap=20, seed=4)"
    sklearn = pytest.importorskip("sklearn.base")
    again = sklearn.clone(metric)
    assert again is not metric
    assert again.get_params() == metric.get_params()


def test_a_call_may_change_parameters_for_itself():
    metric = Metric("univariate_accuracy", bootstrap=50)
    assert metric(MADE, REAL, bootstrap=0).interval is None
    assert metric.get_params()["bootstrap"] == 50


def test_a_metric_with_parameters_goes_into_a_report():
    strict = Metric("near_duplicates", near_duplicate_threshold=0.99)
    texts = [{"text": "my head hurts a lot today"}, {"text": "my head hurts a lot now"}]
    assert synthema.evaluate(texts, metrics=[strict])["near_duplicates"].value == 0
    loose = Metric("near_duplicates", near_duplicate_threshold=0.3)
    assert synthema.evaluate(texts, metrics=[loose])["near_duplicates"].value == 1
    assert loose(texts).value == 1


def test_a_convention_that_a_metric_does_not_have_is_refused():
    metric = Metric("dcr", convention="mostlyai")
    with pytest.raises(synthema.ConfigError, match="'dcr' has no convention 'mostlyai'"):
        metric(MADE, REAL, REAL)
    assert Metric("bivariate_accuracy", convention="mostlyai")(MADE, REAL).convention == "mostlyai"


def test_a_report_has_one_target_and_one_seed():
    own = Metric("train_synthetic_test_real", target="ward", seed=3)
    with pytest.raises(synthema.ConfigError, match="seed, target: give them to evaluate"):
        synthema.evaluate(MADE, REAL, metrics=[own], target="age")


@pytest.mark.parametrize("name", ["bootstrap", "seed", "threads", "triples"])
def test_a_negative_count_is_named(name):
    with pytest.raises(synthema.ConfigError, match=f"'{name}' is a whole number from 0"):
        Metric("univariate_accuracy")(MADE, REAL, **{name: -1})


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Metric("dcr_shares"), "dcr_shares"),
        (lambda: Metric("dcr_share", conventoin="x"), "no parameter 'conventoin'"),
        (lambda: Metric("dcr_share", convention="x"), "convention"),
        (lambda: Metric("dcr_share", title="x"), "no parameter 'title'"),
    ],
)
def test_what_is_not_there_is_refused(make, complaint):
    with pytest.raises(synthema.ConfigError, match=complaint):
        make()


def test_an_unknown_name_is_no_attribute():
    with pytest.raises(AttributeError, match="evaluator_names"):
        metrics.dcr_shares  # noqa: B018


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("", "There is no evaluator ''. evaluator_names"),
        ("dcr_shar", "did you mean 'dcr_share'"),
        ("nothing like it", "There is no evaluator 'nothing like it'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_in_a_line(name, complaint):
    for ask in (lambda: synthema.evaluate(MADE, REAL, metrics=name), lambda: Metric(name)):
        with pytest.raises(synthema.ConfigError, match=complaint) as caught:
            ask()
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("argument", "value", "complaint"),
    [
        ("target", 5, "'target' of evaluate.. is a text or None, not of type int"),
        ("convention", None, "'convention' of evaluate.. is a text, not None"),
        ("near_duplicate_threshold", "0.7", "is a number, not of type str"),
        ("linking_definitions", 1, "is True or False, not of type int"),
        ("quasi_identifiers", ["a", 5], "a list, each a text, not a list with an item of type int"),
        ("detectors", 7, "is a list, each a function, not of type int"),
        ("text_scorer", 7, "is a function or None"),
        ("cancel", 7, "is a CancelToken or None"),
        ("metrics", 7, "is a text or a list, not of type int"),
        ("seed", "secret", "'seed' is a whole number from 0 to 2.64 - 1, not of type str"),
    ],
)
def test_an_argument_of_another_type_is_named_and_its_value_is_not(argument, value, complaint):
    with pytest.raises(synthema.ConfigError, match=complaint) as caught:
        synthema.evaluate(MADE, REAL, **{argument: value})
    assert "secret" not in str(caught.value)
    if argument not in ("metrics", "cancel"):
        with pytest.raises(synthema.ConfigError, match=complaint):
            Metric("column_shapes")(MADE, REAL, **{argument: value})


def test_help_speaks_of_the_metric():
    import pickle
    import pydoc

    said = pydoc.plain(pydoc.render_doc(metrics.nnaa))
    assert "nnaa(synthetic, real=None, holdout=None, *, convention" in said
    assert "Accuracy of telling real from synthetic rows" in said
    assert "'synthema', 'syntheval'" in said
    assert metrics.nnaa(MADE, REAL).value == Metric("nnaa")(MADE, REAL).value
    assert pickle.loads(pickle.dumps(Metric("dcr", seed=3))).get_params()["seed"] == 3


def test_conventions_come_with_their_direction_and_say_what_they_cannot():
    theirs = Metric("kl_real_to_synthetic", convention="synthcity")(MADE, REAL)
    assert (theirs.convention, theirs.direction, theirs.range) == ("synthcity", "higher", (0, 1))
    assert Metric("kl_real_to_synthetic")(MADE, REAL).direction == "lower"
    twice = synthema.evaluate(MADE, REAL, metrics=["dcr", "nndr", "nnaa"], convention="syntheval")
    assert {score.convention for score in twice.scores} == {"syntheval"}
