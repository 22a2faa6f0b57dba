"""Balanced columns and parity from Python, for all generators of tables, and on the command line."""

import numpy as np
import pytest
import synthema
from synthema import ConfigError, GenerationError
from synthema.cli import main

pandas = pytest.importorskip("pandas")


def people(rows=4000, seed=0):
    """A frame in which income depends on sex, and height too."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], rows, p=[0.3, 0.7])
    return pandas.DataFrame(
        {
            "sex": sex,
            "rich": rng.random(rows) < np.where(sex == "m", 0.5, 0.1),
            "height": np.where(sex == "m", 180, 165) + rng.integers(-8, 9, rows),
        }
    )


def gap(rows, column="rich"):
    """By how much the mean of a column differs between men and women."""
    means = rows.groupby("sex", observed=True)[column].apply(lambda s: s.astype(float).mean())
    return means["m"] - means["f"]


@pytest.mark.parametrize(
    "generator",
    [
        synthema.SequentialTrees("rich", first=["sex"]),
        synthema.GaussianCopula(),
        synthema.PrivateMarginals(epsilon=10),
        synthema.AnyOrderNetwork("rich", size="small", rounds=8),
    ],
    ids=lambda one: one.name,
)
def test_all_generators_balance_and_keep_parity(generator):
    """The stated shares hold, the target forgets the sensitive column, and height does not."""
    generator.fit(people())
    even = generator.sample(
        3000, seed=1, balance={"sex": "uniform", "rich": {True: 3, False: 1}}, frame="pandas"
    )
    assert abs((even.sex == "m").mean() - 0.5) < 0.04
    assert abs(even.rich.astype(float).mean() - 0.75) < 0.04
    free = generator.sample(3000, seed=1, frame="pandas").dropna()
    fair = generator.sample(3000, seed=1, parity={"target": "rich", "sensitive": "sex"}, frame="pandas")
    assert gap(free) > 0.2
    assert abs(gap(fair)) < 0.06
    assert abs(fair.rich.astype(float).mean() - free.rich.astype(float).mean()) < 0.05
    assert gap(fair.dropna(), "height") > 7
    again = generator.sample(3000, seed=1, parity={"target": ["rich"], "sensitive": ["sex"]}, frame="pandas")
    pandas.testing.assert_frame_equal(fair, again)


def test_what_cannot_be_kept_is_refused_by_name():
    """Misspelt columns, labels and forms, whatever the method."""
    trees = synthema.SequentialTrees().fit(people(500))
    with pytest.raises(ConfigError, match="hight"):
        trees.sample(5, balance={"hight": "uniform"})
    with pytest.raises(ConfigError, match="'equal'"):
        trees.sample(5, balance={"sex": "equal"})
    with pytest.raises(GenerationError, match="'x'"):
        trees.sample(5, balance={"sex": {"x": 1}})
    with pytest.raises(ConfigError, match="'target' and a 'sensitive'"):
        trees.sample(5, parity={"rich": "sex"})
    copy = synthema.BootstrapCopy(release=True).fit(people(50))
    with pytest.raises(GenerationError):
        copy.sample(5, balance={"sex": {"x": 1}})
    assert set(copy.sample(20, balance={"sex": {"f": 1}}).values("sex")) == {"f"}


def test_what_shares_leave_goes_to_the_other_values_in_their_own_proportions():
    """A sum above 1 is one of weights; shares that leave something need somebody to leave it to."""
    rng = np.random.default_rng(0)
    real = pandas.DataFrame(
        {
            "stage": rng.choice(["I", "II", "III"], 4000, p=[0.6, 0.3, 0.1]),
            "smoker": rng.random(4000) < 0.5,
            "likert": pandas.Categorical(rng.integers(1, 6, 4000)),
            "visits": rng.integers(1, 4, 4000),
        }
    )
    trees = synthema.SequentialTrees().fit(real)

    def shares(balance):
        made = trees.sample(4000, seed=1, balance=balance).to_pandas()
        counts = made[next(iter(balance))].value_counts(normalize=True)
        return counts[counts > 0].to_dict()

    assert shares({"stage": {"III": 0.7}}) == pytest.approx({"I": 0.2, "II": 0.1, "III": 0.7}, abs=0.03)
    assert shares({"stage": {"I": 1, "II": 3}}) == pytest.approx({"I": 0.25, "II": 0.75}, abs=0.03)
    assert set(shares({"stage": {"I": 0.1 + 0.2, "II": 0.7 - 1e-9}})) == {"I", "II"}
    for truth in (True, 1, "true"):
        assert shares({"smoker": {truth: 0.3}})[True] == pytest.approx(0.3, abs=0.03)
    assert shares({"likert": {1: 0.5, 5: 0.5}}) == pytest.approx({"1": 0.5, "5": 0.5}, abs=0.03)
    assert shares({"likert": {np.int64(1): 0.2}})["1"] == pytest.approx(0.2, abs=0.03)
    for two in (2, 2.0, "2"):
        assert shares({"visits": {two: 0.8}}) == pytest.approx({1: 0.1, 2: 0.8, 3: 0.1}, abs=0.03)
    with pytest.raises(ConfigError, match=r"'smoker': The shares sum to 0.7, and .*must sum to 1"):
        shares({"smoker": {True: 0.3, False: 0.4}})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"balance": ["sex"]}, "The argument 'balance'"),
        ({"balance": "sex"}, "The argument 'balance'"),
        ({"balance": {"sex": {"f": "x", "m": 1}}}, "'sex'.*share of 'f' is 'x'"),
        ({"parity": {"target": 3, "sensitive": [1]}}, "'target' of parity is the name"),
        ({"parity": "sex"}, "The argument 'parity'"),
    ],
)
def test_shares_of_another_form_are_named(given, message):
    """Never an error of the binding."""
    with pytest.raises(ConfigError, match=message):
        synthema.BootstrapCopy(release=True).fit(people(50)).sample(5, **given)


@pytest.mark.parametrize("cls", [synthema.SequentialTrees, synthema.PrivateMarginals])
def test_what_cannot_be_together_is_named_with_who_asked_for_it(cls):
    """Balance and parity are blamed for what they put side by side, conditions for what they do."""
    real = people(1000)
    real["pregnant"] = np.where((real.sex == "f") & (real.height % 2 == 0), "yes", "no")
    schema = synthema.Schema(
        [synthema.Field("sex", "category", categories=["f", "m"]), synthema.Field("rich", "boolean"),
         synthema.Field("height", "integer", minimum=150, maximum=190),
         synthema.Field("pregnant", "category", categories=["no", "yes"])],
        rules=[synthema.FieldRule("pregnant", "sex", labels=["m"], categories=["no"])],
    )  # fmt: skip
    made = cls().fit(real, schema=schema)
    both = {"sex": "uniform", "pregnant": "uniform"}
    pair = "'sex': By balance a row has 'm' here and 'yes' in 'pregnant'"
    with pytest.raises(GenerationError, match=pair):
        made.sample(200, balance=both)
    with pytest.raises(GenerationError, match=r"By balance and the conditions a row has 'm'.*'yes'"):
        made.sample(200, conditions={"sex": "m"}, balance={"pregnant": "uniform"})
    with pytest.raises(GenerationError, match="By parity a row has"):
        made.sample(2000, parity={"target": "pregnant", "sensitive": "sex"})
    with pytest.raises(GenerationError, match=r"field .pregnant.*rules of the schema|Condition 0"):
        made.sample(20, conditions={"sex": "m", "pregnant": "yes"}, balance={"rich": "uniform"})
    assert "m" not in made.sample(200, balance={"pregnant": {"yes": 1}}).values("sex")


def test_progress_and_cancel_reach_the_rows():
    """Only the last of the samples behind a row tells its progress; a cancel stops them."""
    trees = synthema.SequentialTrees().fit(people(500))
    told = []
    trees.sample(50, balance={"sex": "uniform"}, progress=told.append)
    assert told[-1].done == told[-1].total == 50
    cancel = synthema.CancelToken()
    cancel.cancel()
    with pytest.raises(synthema.Cancelled):
        trees.sample(50, parity={"target": "rich", "sensitive": "sex"}, cancel=cancel)


def test_the_command_line_takes_shares_and_parity(tmp_path, capsys):
    """As JSON objects; anything else is named."""
    table, model, out = (tmp_path / name for name in ("people.csv", "people.model", "made.csv"))
    people(1000).to_csv(table, index=False)
    assert main(["fit", str(table), "--method", "sequential_trees", "--out", str(model)]) == 0
    sample = ["sample", str(model), "--rows", "600", "--out", str(out)]
    assert main([*sample, "--balance", '{"rich": {"true": 1}}']) == 0
    assert pandas.read_csv(out).rich.all()
    sample.append("--overwrite")
    assert main([*sample, "--parity", '{"target": "rich", "sensitive": ["sex"]}']) == 0
    assert abs(gap(pandas.read_csv(out))) < 0.12
    capsys.readouterr()
    assert main([*sample, "--balance", "rich"]) != 0
    assert "--balance takes an object in JSON" in capsys.readouterr().err
