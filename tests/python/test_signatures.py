"""Wrong arguments of compiled functions, of forecasts and of tables: one sentence, no value."""

import pathlib
import re

import pytest
import synthema

SECRET = "Mrs Example, born 1961"


def report():
    return synthema.evaluate(
        *[synthema.table({"a": [1.0, 2.0] * 10})] * 2, metrics=["column_shapes"], bootstrap=0
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: synthema.corpus_bleu(5, [SECRET]),
            r"'hypotheses' of corpus_bleu\(\) is a list, each a text",
        ),
        (
            lambda: synthema.corpus_bleu([SECRET]),
            r"corpus_bleu\(\): missing a required argument: 'references'",
        ),
        (lambda: synthema.corpus_chrf([SECRET, 1], [SECRET]), "not a list with an item of type int"),
        (lambda: synthema.self_bleu(SECRET), r"'texts' of self_bleu\(\) is a list, each a list, each a text"),
        (lambda: synthema.rouge([SECRET], "b"), r"'target' of rouge\(\) is a text, not of type list"),
        (lambda: synthema.sentence_bleu(SECRET, SECRET, n=SECRET), r"sentence_bleu\(\): .*'n'"),
        (lambda: synthema.Field([SECRET]), r"'name' of Field\(\) is a text, not of type list"),
        (lambda: synthema.Field("a", minimum=[SECRET]), "is a number, a text or None, not of type list"),
        (lambda: synthema.Field("a", decimals=2.5), "is a whole number or None, not of type float"),
        (lambda: synthema.Schema([SECRET]), r"'fields' of Schema\(\) is a list, each a Field, not a list"),
        (lambda: synthema.boosted_trees(rounds=SECRET), r"'rounds' of boosted_trees\(\) is a whole number"),
        (lambda: synthema.linear_model(SECRET), r"linear_model\(\): too many positional arguments"),
        (lambda: synthema.Prompt.plain(None), r"'text' of Prompt.plain\(\) is a text, not None"),
        (
            lambda: synthema.Prompt.plain("a").among(SECRET),
            r"'choices' of Prompt.among\(\) is a list, each a text, not of type str",
        ),
        (
            lambda: synthema.Prompt.plain("a").with_bias({SECRET: "x"}),
            r"Prompt.with_bias\(\) does not take arguments of these values",
        ),
        (
            lambda: synthema.Prompt.plain("a").with_sampling({"top_k": SECRET}),
            r"'sampling' of Prompt.with_sampling\(\) is a Sampling, not of type dict",
        ),
        (
            lambda: synthema.Prompt.plain("a").until(),
            r"Prompt.until\(\): missing a required argument: 'stop'",
        ),
        (
            lambda: synthema.Prompt.plain("a\ud800"),
            r"'text' of Prompt.plain\(\) has half of a character in it \(a lone surrogate\)",
        ),
        (
            lambda: synthema.Prompt.plain("a").among(["a", "\udfff"]),
            r"'choices' of Prompt.among\(\) has half of a character in it",
        ),
        (lambda: synthema.Prompt.plain("a").json(3), "A form is a Schema, .* but this is int"),
        (lambda: synthema.Prompt.plain("a").under(SECRET), "but this str has no digest"),
        (lambda: synthema.Message("user", [SECRET]), r"'text' of Message\(\) is a text, not of type list"),
        (lambda: synthema.Schema([synthema.Field("a")])[0], r"'name' of Schema.__getitem__\(\) is a text"),
        (
            lambda: setattr(report(), "title", [SECRET]),
            "This attribute of Report is a text, not of type list",
        ),
        (lambda: synthema.best_of(synthema.zero_shot("a"), -1), "field 'n': A whole number from 0 to"),
        (lambda: synthema.few_shot("a", k=-1), "field 'k': A whole number from 0 to"),
        (lambda: synthema.length_in_words(-1, 2), "field 'minimum': A whole number from 0 to"),
        (lambda: synthema.ngram_model(["a"], -1), "field 'order': A whole number from 0 to"),
        (lambda: synthema.privacy.discrete_laplace(2, -1), "field 'n': A whole number from 0 to"),
        (
            lambda: synthema.privacy.epsilon(
                synthema.privacy.GaussianMechanism(1.0), delta=1e-5, releases=-1
            ),
            "releases is a whole number from 0 to",
        ),
        (lambda: synthema.table({"a": [1]}).take("x"), r"'rows' of Table.take\(\) is a list, each a whole"),
        (
            lambda: synthema.table({"a": [1]}).head(-1),
            r"Table.head\(\) does not take arguments of these values",
        ),
    ],
)
def test_a_compiled_function_says_in_a_sentence_what_does_not_fit(call, sentence):
    with pytest.raises((synthema.ConfigError, TypeError), match=sentence) as caught:
        call()
    # As in Python itself, what is no call of the function at all is a TypeError.
    assert isinstance(caught.value, TypeError) == bool(re.match(r"[\w.]+\(\): ", str(caught.value)))
    said = str(caught.value)
    assert "\n" not in said
    assert "Example" not in said
    assert "incompatible" not in said


def test_operators_and_errors_of_the_callers_own_code_stay():
    prompt = synthema.Prompt.plain("a")
    assert prompt != 3
    assert (prompt == SECRET) is False

    class Odd:
        def __arrow_c_stream__(self, requested_schema=None):
            raise TypeError("mine")

    with pytest.raises(TypeError, match=r"^mine$"):
        synthema.Table.from_arrow(Odd())


def test_what_fits_is_passed_on():
    assert synthema.corpus_bleu(["a b c d e"], references=["a b c d e"]) == pytest.approx(100)
    assert synthema.Field("a", kind="integer", minimum=0).kind == "integer"
    assert synthema.corpus_bleu.__doc__.startswith("corpus_bleu(hypotheses")
    with pytest.raises(synthema.SchemaError):  # their own errors stay
        synthema.Schema([synthema.Field("a"), synthema.Field("a")])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"target": ["a"]}, r"'target' of forecast\(\) is a text or None, not of type list"),
        ({"quasi_identifiers": [5]}, "not a list with an item of type int"),
        ({"threads": "x"}, "'threads' is a whole number"),
        ({"progress": 5}, "is a function or None, not of type int"),
        ({"triples": -1}, "'triples' is a whole number"),
        ({"level": "most"}, "There is no level 'most'"),
    ],
)
def test_a_forecast_refuses_what_an_evaluation_refuses(options, sentence):
    table = synthema.table({"a": [1.0, 2.0] * 30})
    for call in (synthema.forecast, synthema.evaluate):
        with pytest.raises(synthema.ConfigError, match=sentence.replace("forecast", call.__name__)):
            call(table, table, **options)
    with pytest.raises(TypeError, match=r"forecast\(\) got an unexpected keyword argument 'metric'"):
        synthema.forecast(table, table, metric="dcr")


def test_what_is_no_table_is_told_what_is():
    for call in (synthema.evaluate, synthema.forecast, synthema.table):
        with pytest.raises(synthema.ConfigError, match="a dict of columns or a list of dicts, not None"):
            call(None)
        for path in ("synthetic.csv", pathlib.Path("synthetic.csv")):
            with pytest.raises(synthema.ConfigError, match=r"read a file with synthema.read\(path\)"):
                call(path)


def test_a_schema_given_as_its_path_is_told_how_it_is_read(tmp_path):
    rows = {"age": list(range(20, 60)), "sex": ["f", "m"] * 20}
    path = tmp_path / "schema.json"
    path.write_text(synthema.table(rows).schema.to_json(), encoding="utf-8")
    for call in (synthema.table, synthema.tabular, synthema.SequentialTrees().fit):
        with pytest.raises(synthema.ConfigError, match=r"\(\) is a Schema or None, .* with Schema.from_json"):
            call(rows, schema=path)
    schema = synthema.Schema.from_json(path.read_text(encoding="utf-8"))
    assert synthema.tabular(rows, schema=schema).schema.names == ["age", "sex"]


def test_a_column_has_the_kind_of_the_real_one():
    import numpy as np

    rng = np.random.default_rng(1)
    real = {"sex": rng.choice(["f", "m"], 300).tolist(), "age": rng.integers(20, 90, 300).tolist()}
    for rows in (1, 2, 3):
        few = {"sex": ["f", "m", "f"][:rows], "age": [30.0, 31.0, 32.0][:rows]}
        report = synthema.evaluate(few, real)
        assert {part.name for part in report["column_shapes"].parts} == {"sex", "age"}
        assert not [score.name for score in report.scores if score.name.startswith("identifier_texts")]
        assert "left_out" not in report.to_json()
    # What cannot be read as the real kind stays what it is, and is said.
    odd = synthema.evaluate({"sex": ["f", "m"], "age": ["old", "young"]}, real)
    assert "'age' is of kind integer in the real rows and text in the synthetic" in odd.to_json()
    with pytest.raises(synthema.EvaluationError, match="no column in common"):
        synthema.evaluate({"weight": [1.0, 2.0]}, real)
