"""Recipes that compare generators of tables; copulas from published statistics; groups of fields."""

import json
import sys
import types

import numpy as np
import pytest
import synthema
from synthema import (
    ConfigError,
    Field,
    GaussianCopula,
    GenerationError,
    GroupRule,
    IndependentMarginals,
    ParseError,
    Schema,
    SchemaError,
    SequentialTrees,
    cli,
    recipes,
    study,
    tables,
)
from synthema.recipes import published_statistics

COHORT = {
    "name": "cohort",
    "source": "a table of a paper",
    "rows": 6166,
    "columns": [
        {"name": "age", "kind": "integer", "mean": 57.3, "sd": 15.1, "minimum": 18, "maximum": 94},
        {"name": "bmi", "kind": "real", "decimals": 1, "mean": 24.1, "sd": 3.9, "minimum": 12, "maximum": 60},
        {"name": "crp", "kind": "real", "mean": 12.0, "sd": 20.0, "minimum": 0},
        {"name": "sodium", "kind": "real", "decimals": 2, "mean": 139.2, "sd": 3.1},
        {"name": "stay", "kind": "integer", "q1": 4, "median": 7, "q3": 12, "minimum": 0, "maximum": 90},
        {"name": "asa", "kind": "category", "counts": {"1": 1802, "2": 3590, "3": 774}, "missing": 0.02},
        {"name": "smoker", "kind": "boolean", "share": 0.21},
    ],
    "correlations": [
        ["age", "asa", 0.41],
        ["age", "bmi", 0.08],
        ["bmi", "smoker", -0.2],
        ["crp", "stay", 0.35],
    ],
}


def changed(name, **keys):
    """The cohort with other keys of one column."""
    return {**COHORT, "columns": [{**c, **keys} if c["name"] == name else c for c in COHORT["columns"]]}


def test_rows_have_the_published_statistics():
    copula = GaussianCopula.from_statistics(COHORT)
    assert copula.fitted
    assert copula.schema["bmi"].maximum == 60
    made = copula.sample(40_000, seed=1)
    values = {name: made.values(name) for name in made.names}
    for name, mean, sd in (("age", 57.3, 15.1), ("bmi", 24.1, 3.9), ("crp", 12, 20), ("sodium", 139.2, 3.1)):
        assert np.mean(values[name]) == pytest.approx(mean, abs=5 * sd / 200)
        assert np.std(values[name]) == pytest.approx(sd, rel=0.04)
    assert min(values["age"]) >= 18
    assert max(values["age"]) <= 94
    assert min(values["crp"]) >= 0
    assert np.allclose(np.round(values["bmi"], 1), values["bmi"])
    assert [np.quantile(values["stay"], q) for q in (0.25, 0.5, 0.75)] == pytest.approx([4, 7, 12], abs=1)
    assert np.mean([v is None for v in values["asa"]]) == pytest.approx(0.02, abs=0.004)
    there = [(a, int(b)) for a, b in zip(values["age"], values["asa"], strict=True) if b is not None]
    assert np.corrcoef(np.array(there).T)[0, 1] == pytest.approx(0.41, abs=0.02)
    assert np.corrcoef(values["bmi"], values["smoker"])[0, 1] == pytest.approx(-0.2, abs=0.02)
    assert np.corrcoef(values["crp"], values["stay"])[0, 1] == pytest.approx(0.35, abs=0.03)
    assert np.corrcoef(values["sodium"], values["age"])[0, 1] == pytest.approx(0, abs=0.02)
    assert np.mean(values["smoker"]) == pytest.approx(0.21, abs=0.01)


def test_a_copula_from_statistics_is_one_like_others(tmp_path):
    copula = GaussianCopula.from_statistics(COHORT)
    again = GaussianCopula.load(copula.save(tmp_path / "model"))
    assert again.sample(300, seed=2).digest() == copula.sample(300, seed=2).digest()
    old = copula.sample(2000, seed=1, conditions={"age": 90})
    assert np.mean([int(v) for v in old.values("asa") if v]) > 2.1
    assert np.isfinite(copula.log_prob(copula.sample(50, seed=3))).all()
    (tmp_path / "cohort.json").write_text(json.dumps(COHORT))
    (tmp_path / "cohort.toml").write_text(
        'name = "small"\ncorrelations = [["a", "b", 0.5]]\n'
        '[[columns]]\nname = "a"\nkind = "real"\nmean = 1.5\nsd = 0.5\n'
        '[[columns]]\nname = "b"\nkind = "boolean"\nshare = 0.5\n'
    )
    assert GaussianCopula.from_statistics(tmp_path / "cohort.json").sample(9).names == list(
        copula.schema.names
    )
    assert GaussianCopula.from_statistics(tmp_path / "cohort.toml").sample(9).names == ["a", "b"]


@pytest.mark.parametrize(
    ("statistics", "error", "what"),
    [
        (changed("age", sd=40), SchemaError, "so large an sd"),
        (changed("age", mean=101), SchemaError, "outside"),
        (changed("age", median=50), SchemaError, "either mean and sd, or q1"),
        (changed("stay", q1=8), SchemaError, "must ascend"),
        (changed("smoker", share=21), SchemaError, "from 0 to 1, not at 21"),
        (
            {"columns": [{"name": "x", "kind": "real", "mean": 0, "sd": 1, "minimum": 0}]},
            SchemaError,
            "A mean at the minimum",
        ),
        (changed("asa", missing=1), SchemaError, "missing"),
        (changed("asa", counts={"1": 0.6, "2": 0.7}), SchemaError, "'asa'.*sum to 1.3, not to one"),
        (changed("asa", counts={"1": 60.5, "2": 39.5}), SchemaError, "sum to 100.*21 per cent are 0.21"),
        (changed("age", men=3), ParseError, "'men' is not known here.*mean, sd.*counts"),
        ({**COHORT, "correlations": [["age", "height", 0.1]]}, SchemaError, "height"),
        ({**COHORT, "correlations": [["bmi", "smoker", 0.95]]}, SchemaError, "is given as 0.95"),
        (
            {
                **COHORT,
                "correlations": [["age", "bmi", 0.9], ["bmi", "sodium", 0.9], ["age", "sodium", -0.9]],
            },
            SchemaError,
            "contradict each other",
        ),
        ({"columns": "age"}, ParseError, "columns"),
        ({"columns": [{"name": "x", "kind": "time", "mean": 1, "sd": 1}]}, SchemaError, "not time"),
    ],
)
def test_statistics_that_cannot_be_are_refused(statistics, error, what):
    with pytest.raises(error, match=what):
        GaussianCopula.from_statistics(statistics)


@pytest.mark.parametrize("counts", [(200, 600), (1, 3), (0.25, 0.75), (0.2499999999, 0.75), (0.3, 0.8)])
def test_counts_are_whole_numbers_and_shares_may_be_rounded(counts):
    column = {"name": "asa", "kind": "category", "counts": dict(zip("ab", counts, strict=True))}
    made = GaussianCopula.from_statistics({"columns": [column]}).sample(4000, seed=1).values("asa")
    assert made.count("a") / 4000 == pytest.approx(counts[0] / sum(counts), abs=0.03)


def test_an_sd_that_was_rounded_in_print_is_taken():
    """0.21 of 0.41 = sqrt(0.21 * 0.79), rounded up; of 30 rows with n - 1 it is larger still."""

    def event(**values):
        return {"columns": [{"name": "event", "kind": "integer", "minimum": 0, "maximum": 1, **values}]}

    for statistics in (
        event(mean=0.21, sd=0.41),
        event(mean=0.5, sd=0.5),
        {**event(mean=0.213, sd=0.4165), "rows": 30},
    ):
        made = np.array(GaussianCopula.from_statistics(statistics).sample(20_000, seed=1).values("event"))
        assert made.mean() == pytest.approx(statistics["columns"][0]["mean"], abs=0.01)
        assert set(made) == {0, 1}
    for impossible in (event(mean=0.21, sd=0.42), event(mean=0.21, sd=0.4121), event(mean=0.213, sd=0.4165)):
        with pytest.raises(SchemaError, match=r"event.*rounding"):
            GaussianCopula.from_statistics(impossible)


@pytest.mark.parametrize(
    ("statistics", "place"),
    [
        ({"columns": [{"name": "x", "kind": "real", "mean": "3", "sd": 1}]}, r"columns\[0\]\.mean"),
        (
            {"columns": [{"name": "a", "kind": "category", "counts": {"u": "many"}}]},
            r"columns\[0\]\.counts\.u",
        ),
        ({"columns": [3]}, r"columns\[0\]"),
        ({**COHORT, "correlations": [["age", "bmi", "0.1"]]}, r"correlations\[0\]\[2\]"),
        ({**COHORT, "rows": -4}, "rows"),
        ({"columns": [{"name": "x", "kind": "real", "mean": {1, 2}, "sd": 1}]}, "set"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_its_place(statistics, place, tmp_path):
    with pytest.raises(ParseError, match=place):
        GaussianCopula.from_statistics(statistics)
    if place != "set":
        (tmp_path / "cohort.json").write_text(json.dumps(statistics))
        with pytest.raises(ParseError, match=rf"cohort\.json, field '{place}'"):
            GaussianCopula.from_statistics(tmp_path / "cohort.json")


@pytest.mark.parametrize("sd", [np.inf, np.nan, float("nan")])
def test_a_number_that_is_none_is_refused_with_its_place(sd):
    with pytest.raises(ParseError, match=r"columns\[0\]\.sd: Here stands"):
        GaussianCopula.from_statistics({"columns": [{"name": "x", "kind": "real", "mean": 1, "sd": sd}]})


def test_a_spread_that_the_rows_do_not_have_is_told():
    x = {"name": "x", "kind": "real", "mean": 0.01, "sd": 1, "minimum": 0}
    with pytest.warns(UserWarning, match="Column 'x': the rows have a mean of .* not 0.01 and 1"):
        GaussianCopula.from_statistics({"columns": [x]})


def test_statistics_of_a_table_come_back():
    rng = np.random.default_rng(0)
    x = np.round(rng.normal(50, 10, 800), 1)
    real = tables.table({"x": x, "y": np.round(x + rng.normal(0, 10, 800)).astype(int), "f": list(x > 55)})
    statistics = published_statistics.statistics_of(real)
    again = published_statistics.statistics_of(
        GaussianCopula.from_statistics(statistics).sample(20_000, seed=1)
    )
    for one, other in zip(statistics["columns"], again["columns"], strict=True):
        assert one.get("mean", 0) == pytest.approx(other.get("mean", 0), abs=0.5)
        assert one.get("sd", 0) == pytest.approx(other.get("sd", 0), rel=0.05)
    for one, other in zip(statistics["correlations"], again["correlations"], strict=True):
        assert one[2] == pytest.approx(other[2], abs=0.03)


# --- the recipes


@pytest.fixture
def csv(tmp_path):
    """A file of 240 rows: two measurements and a label that follows from them."""
    rng = np.random.default_rng(4)
    a = np.round(rng.normal(5, 1, 240), 2)
    b = np.round(a + rng.normal(0, 0.5, 240), 2)
    label = np.where(a + b > 10, "high", "low")
    tables.write(tables.table({"a": a, "b": b, "label": list(label)}), tmp_path / "real.csv")
    return tmp_path / "real.csv"


def answer(request):
    """Stand for a language model: the same row again and again."""
    fields = {"a": 5.5, "b": 5.25, "label": "high", "age": 50}
    return json.dumps({name: value for name, value in fields.items() if name != "age"})


def test_synthesisers_are_compared(csv, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(study, "open_model", lambda *_, **__: (synthema.scripted_model(answer), {}))
    monkeypatch.setitem(sys.modules, "sdv", None)
    monkeypatch.setitem(sys.modules, "sdv.single_table", None)
    config = tmp_path / "study.toml"
    config.write_text(
        'recipe = "correlation_utility"\nseed = 5\n'
        f"[values]\ndata = {json.dumps(str(csv))}\ntarget = 'label'\nlanguage_rows = 8\n"
    )
    out = tmp_path / "run"
    assert cli.main(["generate", str(config), "--out", str(out), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result["skipped"]) == {"sdv_ctgan", "sdv_copulagan", "sdv_tvae"}
    assert "not installed" in result["skipped"]["sdv_tvae"]
    scores = result["scores"]
    assert list(scores) == ["sequential_trees", "gaussian_copula", "independent_marginals", "row_as_text"]
    for name in ("sequential_trees", "gaussian_copula"):
        assert scores[name]["f1_synthetic_only"] > 0.8
        assert scores[name]["correlation_matrix_difference"] < 0.6
        assert scores[name]["propensity_mse"] < 0.05
    assert scores["independent_marginals"]["correlation_matrix_difference"] > 1
    report = json.loads((out / "report.json").read_text())
    assert any("SDV TVAE was left out" in warning for warning in report["warnings"])
    assert (out / "report.html").is_file()
    assert len(tables.read(out / "row_as_text.csv")) == 8
    assert len(tables.read(out / "sequential_trees.csv")) == 120
    before = (out / "gaussian_copula.csv").read_bytes()
    assert cli.main(["generate", str(config), "--out", str(out)]) == 1
    assert cli.main(["generate", str(config), "--out", str(out), "--resume"]) == 0
    assert (out / "gaussian_copula.csv").read_bytes() == before
    said = capsys.readouterr().out
    assert "Left out" in said
    assert "F1 synthetic only" in said


@pytest.mark.parametrize("version", ["1.17.0", "2.0.0"])  # where a single table stands alone, and in a dict
def test_networks_of_sdv_are_contenders_where_they_are(csv, tmp_path, monkeypatch, version):
    pytest.importorskip("pandas")
    in_dict = version == "2.0.0"

    class Synthesizer:
        def __init__(self, metadata, epochs):
            assert epochs == 7

        def fit(self, data):
            self.frame = data["table"] if in_dict else data

        def sample(self, num_rows):
            made = self.frame.sample(num_rows, random_state=0)
            return {"table": made} if in_dict else made

    class Broken(Synthesizer):
        def fit(self, data):
            raise KeyError("Mrs Example, 42")

    single = types.ModuleType("sdv.single_table")
    single.CTGANSynthesizer, single.TVAESynthesizer = Synthesizer, Broken
    metadata = types.ModuleType("sdv.metadata")
    metadata.Metadata = types.SimpleNamespace(detect_from_dataframes=lambda frames: frames)
    whole = types.ModuleType("sdv")
    whole.single_table, whole.metadata, whole.__version__ = single, metadata, version
    for name, module in (("sdv", whole), ("sdv.single_table", single), ("sdv.metadata", metadata)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(manual_seed=lambda seed: None))
    planned = recipes.get("correlation_utility").build(
        {"data": str(csv), "target": "label", "language_rows": 0, "epochs": 7}
    )
    planned.contenders = [one for one in planned.contenders if one.name in ("sdv_ctgan", "sdv_tvae")]
    done = study.run(planned, out=tmp_path / "run", rows=50)
    assert done["skipped"] == {"sdv_tvae": f"SDV {version} failed with KeyError."}  # and shows no row
    assert done["scores"]["sdv_ctgan"]["exact_copies"] > 0.5  # this one copies


def test_rows_from_statistics_are_compared(tmp_path, monkeypatch, capsys):
    def write(request):
        assert "standard deviation 1.0" in request.prompt.text or "from 2 to 8" in request.prompt.text
        return json.dumps({"a": 5.5, "f": True})

    monkeypatch.setattr(study, "open_model", lambda *_, **__: (synthema.scripted_model(write), {}))
    statistics = {
        "rows": 500,
        "columns": [
            {"name": "a", "kind": "real", "decimals": 2, "mean": 5, "sd": 1.05, "minimum": 2, "maximum": 8},
            {"name": "f", "kind": "boolean", "share": 0.4},
        ],
        "correlations": [["a", "f", 0.3]],
    }
    (tmp_path / "cohort.json").write_text(json.dumps(statistics))
    config = tmp_path / "study.toml"
    config.write_text(
        'recipe = "published_statistics"\n[values]\nlanguage_rows = 12\n'
        f"statistics = {json.dumps(str(tmp_path / 'cohort.json'))}\n"
    )
    assert cli.main(["generate", str(config), "--out", str(tmp_path / "run"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["skipped"] == {}
    assert result["scores"]["copula"]["parameters_similar"] == 1
    assert result["scores"]["language_model_statistics"]["parameters_similar"] == 0
    assert len(tables.read(tmp_path / "run" / "copula.csv")) == 500


def test_what_the_file_says_of_the_language_model_counts(tmp_path, monkeypatch, capsys):
    asked = []
    answer = synthema.scripted_model(lambda request: asked.append(request.sampling) or '{"a": 5.5, "b": 2}')
    monkeypatch.setattr(study, "open_model", lambda *_, **__: (answer, {}))
    numbers = [
        {"name": name, "kind": "real", "mean": 5, "sd": 1, "minimum": 2, "maximum": 8} for name in "ab"
    ]
    (tmp_path / "cohort.json").write_text(json.dumps({"rows": 50, "columns": numbers}))
    config = tmp_path / "study.toml"
    config.write_text(
        'recipe = "published_statistics"\n[sampling]\ntemperature = 0.25\n[run]\nmax_attempts = 3\n'
        '[values]\nlanguage_rows = 2\nstatistics = "cohort.json"\n'
    )
    assert cli.main(["generate", str(config), "--out", str(tmp_path / "run")]) == 0
    assert {(sampling.temperature, sampling.max_tokens) for sampling in asked} == {(0.25, 84)}
    capsys.readouterr()
    lost = ["generate", str(config), "--out", str(tmp_path / "other"), "--model", "lost.gguf"]
    assert cli.main(lost) == 1
    assert "lost.gguf: There is no such model file" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_the_default_statistics_are_of_a_real_table():
    pytest.importorskip("sklearn")
    planned = recipes.get("published_statistics").build({"language_rows": 0})
    made = planned.contenders[0].make(types.SimpleNamespace(rows=442, seed=1))
    assert made.names == planned.reference.names
    assert len(planned.reference) == 442


def test_values_of_the_recipes_are_checked(csv):
    with pytest.raises(ConfigError, match="There is no column 'outcome'"):
        recipes.get("correlation_utility").build({"data": str(csv), "target": "outcome"})
    with pytest.raises(ConfigError, match="epoch"):
        recipes.get("correlation_utility").build({"epoch": 3})


# --- groups


@pytest.mark.parametrize("method", [SequentialTrees, IndependentMarginals, GaussianCopula])
def test_groups_hold_in_python(method):
    rng = np.random.default_rng(6)
    real = {
        "bed": list(rng.choice([f"b{i}" for i in range(20)], 600)),
        "day": rng.integers(0, 40, 600),
        "mild": list(rng.random(600) < 0.5),
        "severe": list(rng.random(600) < 0.5),
        "ward": rng.integers(0, 9, 600),
        "icu": rng.integers(0, 5, 600),
        "stay": rng.integers(0, 14, 600),
    }
    schema = Schema(
        [
            Field("bed", "category"),
            Field("day", "integer"),
            Field("mild", "boolean"),
            Field("severe", "boolean"),
            Field("ward", "integer"),
            Field("icu", "integer"),
            Field("stay", "integer"),
        ],
        groups=[
            GroupRule("one_hot", ["mild", "severe"]),
            GroupRule("sum", ["ward", "icu"], total="stay"),
            GroupRule("unique", ["bed", "day"]),
        ],
    )
    assert Schema.from_json(schema.to_json()) == schema
    assert schema.groups[1].total == "stay"
    made = method().fit(real, schema=schema).sample(500, seed=1)
    columns = {name: np.array(made.values(name)) for name in made.names}
    assert (columns["mild"] != columns["severe"]).all()
    assert (columns["ward"] + columns["icu"] == columns["stay"]).all()
    assert len(set(zip(columns["bed"], columns["day"], strict=True))) == 500
    report = synthema.evaluate(made, tables.table(real), metrics=["schema_plausibility"])
    assert report["schema_plausibility"].value == 1
    with pytest.raises(GenerationError, match="'bed', 'day' has at most 800"):
        method().fit(real, schema=schema).sample(801, seed=1)
    with pytest.raises(SchemaError, match="needs a total"):
        Schema(schema.fields, groups=[GroupRule("sum", ["ward", "icu"])])


@pytest.mark.parametrize(("name", "text"), [("s.json", "{"), ("s.toml", "= 3"), ("s.json", '{"fields": []}')])
def test_statistics_that_cannot_be_read_are_named(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(synthema.ParseError, match=rf"{name}: The statistics (are not valid|need a list)"):
        published_statistics.make({"data": "", "statistics": str(tmp_path / name)})
