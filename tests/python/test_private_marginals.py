"""Differentially private marginals from Python: what is public, the ledger, files, the command line."""

import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
import synthema
from private_patients import patients
from synthema import ConfigError, GenerationError, ModelError, PrivacyBudgetError, PrivateMarginals
from synthema.privacy import LedgerFile
from synthema.tabular_generation import load

pandas = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def fitted():
    """A private fit to the patients, without a schema."""
    return PrivateMarginals(epsilon=4, target="smoker").fit(patients())


def test_rows_are_like_the_patients_and_repeat_by_seed(fitted):
    """Dependence is kept; the same seed gives the same frame."""
    rows = fitted.sample(3000, seed=1, frame="same")
    assert list(rows.columns) == ["age", "sex", "ward", "smoker"]
    share = rows.dropna().groupby("sex", observed=True).smoker.apply(lambda s: s.astype(bool).mean())
    assert share["m"] - share["f"] > 0.3
    assert fitted.sample(50, seed=3).digest() == fitted.sample(50, seed=3).digest()
    assert set(fitted.sample(20, conditions={"sex": "m"}).values("sex")) == {"m"}


def test_without_a_schema_nothing_of_the_frame_is_public(fitted, tmp_path):
    """Neither rare values nor the categories that the frame's dtype lists are in the file or in rows."""
    path = fitted.save(tmp_path / "private.model")
    assert b"canary" not in path.read_bytes()
    assert max(v for v in fitted.sample(2000, seed=1).values("age") if v is not None) < 512  # noise may widen
    assert fitted.is_private
    assert fitted.privacy_ledger.spent == (4, 1e-6)
    assert "Promise: epsilon 4, delta 1e-06, for each row, added or removed" in fitted.describe()


def test_a_column_that_keeps_one_label_is_named(tmp_path):
    labels = ["often"] * 3000 + [f"seldom {i}" for i in range(60) for _ in range(20)]
    frame = pandas.DataFrame({"ward": labels, "site": "only", "sex": ["f", "m"] * 2100})
    with pytest.warns(UserWarning, match="One label alone could be told of ward under"):
        made = PrivateMarginals(epsilon=1).fit(frame, _test_noise=3)
    assert made.one_label == ["ward"]
    assert made.untold == made.unresolved == []
    assert "One label alone could be told of 'ward'" in made.describe(each_release=False)
    assert set(made.sample(300, seed=1).values("ward")) == {"often"}
    assert load(made.save(tmp_path / "model")).one_label == ["ward"]


def test_a_column_of_which_one_label_was_told_is_tried_again():
    """The first time, a few hundred rows show the frequent label alone."""
    frame = pandas.DataFrame({"ward": ["often"] * 260 + ["seldom"] * 90, "sex": ["f", "m"] * 175})
    made = [PrivateMarginals(epsilon=1).fit(frame, _test_noise=seed) for seed in range(8)]
    tried = [
        one
        for one in made
        if sum("labels above a threshold: ward" in spent["released"] for spent in one.spending) == 2
    ]
    assert tried
    assert any(set(one.sample(300, seed=1).values("ward")) == {"often", "seldom"} for one in tried)


def test_a_promise_that_is_worth_little_is_said():
    frame = pandas.DataFrame({"sex": ["f", "m"] * 2000, "who": [i // 20 for i in range(4000)]})
    with pytest.warns(UserWarning, match=r"An epsilon of 30 promises little: .* e\^30 times"):
        PrivateMarginals(epsilon=30).fit(frame, _test_noise=1)
    with pytest.warns(UserWarning, match=r"A delta of 0.004 is not below 1 / \(number of people\)"):
        PrivateMarginals(epsilon=5, delta=0.004).fit(frame, _test_noise=1)
    people = synthema.table(frame, roles={"who": "subject"})
    PrivateMarginals(epsilon=10, delta=0.004).fit(people, _test_noise=1)  # 200 people


@pytest.mark.parametrize("method", ["private_marginals", "any_order_network"])
def test_an_epsilon_without_a_promise_is_refused_before_it_is_spent(method, tmp_path):
    if method == "any_order_network":
        pytest.importorskip("torch")
    ledger = LedgerFile(tmp_path / "ledger", (1e12, 1e-3))
    with pytest.raises(ConfigError, match=r"promises nothing.*at most 1,000,000"):
        synthema.tabular_generation.method(method)(epsilon=1e9, ledger=tmp_path / "ledger").fit(patients())
    assert ledger.read().spent == (0, 0)


def test_a_condition_on_what_could_not_be_told_says_so():
    frame = patients(400).assign(note=[f"seen on day {i}" for i in range(400)])
    with pytest.warns(UserWarning, match="note"):
        made = PrivateMarginals(epsilon=5).fit(frame)
    with pytest.raises(GenerationError, match="none that could be told under its privacy budget"):
        made.sample(5, conditions={"note": "seen on day 3"})


def test_a_short_description_leaves_out_each_release(fitted):
    whole = fitted.describe().splitlines()
    short = fitted.describe(each_release=False).splitlines()
    releases = [line for line in whole if line.startswith("  ")]
    assert len(releases) == len(fitted.spending) > 1
    (spent,) = set(short) - set(whole)
    assert re.fullmatch(rf"Spent, of rho [0-9.]+ in all: {len(releases)} kinds of release\.", spent)
    assert len(short) == len(whole) - len(releases)


def test_what_cannot_be_told_is_missing_and_said():
    """A free text has no label that many people share."""
    frame = patients(400).assign(note=[f"seen on day {i}" for i in range(400)])
    with pytest.warns(UserWarning, match="note"):
        made = PrivateMarginals(epsilon=5).fit(frame)
    assert made.untold == ["note"]
    assert set(made.sample(50, seed=1).values("note")) == {None}
    assert "'note'" in made.describe()
    assert re.search(r"Ranges were told under noise.*'age' -?\d+ to \d+", made.describe())
    stated = [synthema.Field("age", "integer", minimum=0, maximum=100)]
    sexes = [synthema.Field("sex", "category", categories=["f", "m", "canary-declared"])]
    frame = patients(400)[["age", "sex"]]
    schema = synthema.Schema(stated + sexes)
    assert "'age'" not in PrivateMarginals(epsilon=5).fit(frame, schema=schema).describe()


def test_noise_adds_no_decimals_and_no_hours(tmp_path):
    """Where the resolution is told; where it is not, it is coarse, and said by name."""
    rng = np.random.default_rng(1)
    frame = pandas.DataFrame(
        {
            "bmi": np.round(rng.normal(25, 4, 1500), 1),
            "visit": pandas.Timestamp("2020-01-01") + pandas.to_timedelta(rng.integers(0, 700, 1500), "D"),
            "score": rng.random(1500),
        }
    )
    made = PrivateMarginals(epsilon=2).fit(frame, _test_noise=1)
    rows = made.sample(1000, seed=1, frame="same").dropna()
    assert made.unresolved == []
    assert np.abs(rows.bmi * 10 - (rows.bmi * 10).round()).max() < 1e-9
    assert (rows.visit == rows.visit.dt.normalize()).all()
    assert np.abs(rows.score * 1e6 - (rows.score * 1e6).round()).max() > 0.01  # really fine
    schema = synthema.Schema([synthema.Field("bmi", "real", minimum=10, maximum=60, nullable=False)])
    with pytest.warns(UserWarning, match="How fine the values of bmi are"):
        few = PrivateMarginals(epsilon=0.2).fit(frame[["bmi"]][:40], schema=schema, _test_noise=1)
    assert load(few.save(tmp_path / "model")).unresolved == ["bmi"]
    assert "How fine the values of 'bmi'" in few.describe()
    bmi = np.array(few.sample(200, seed=1).values("bmi"))
    assert np.abs(bmi * 1e6 - (bmi * 1e6).round()).max() < 1e-3


@pytest.mark.parametrize("noise", [697, 1167])
def test_a_far_count_of_noise_is_not_taken_for_people(noise):
    """This noise has one of a hundred far cells beyond four standard deviations."""
    made = PrivateMarginals(epsilon=4, target="smoker", rounds=1)
    made.fit(patients()[["age", "smoker"]], _test_noise=noise)
    assert max(v for v in made.sample(2000, seed=1).values("age") if v is not None) < 512


def test_likelihood_is_higher_for_rows_like_the_real_ones(fitted):
    """Smoking men are likelier than smoking women; what has a label of one person is never made."""
    row = {"age": 40, "ward": "east", "smoker": True}
    rows = pandas.DataFrame(
        [{**row, "sex": "m"}, {**row, "sex": "f"}, {**row, "sex": "m", "ward": "canary-ward"}]
    )
    man, woman, never = fitted.log_prob(rows)
    assert man > woman > -30
    assert never == -np.inf


def test_a_schema_is_public_and_spares_the_budget():
    """What is stated is not learnt: nothing is spent on thresholds, and stated labels may be drawn."""
    frame = patients().assign(age=lambda f: f.age.clip(0, 120))
    stated = synthema.Schema(
        [
            synthema.Field("age", "integer", minimum=0, maximum=120, nullable=False),
            synthema.Field("sex", "category", categories=["f", "m", "canary-declared"], nullable=False),
            synthema.Field("ward", "category", categories=["canary-ward", "east", "north", "west"]),
            synthema.Field("smoker", "boolean", nullable=False),
        ]
    )
    made = PrivateMarginals(infer=False).fit(frame, schema=stated)
    assert not any(one["delta"] for one in made.spending)
    assert set(made.sample(100, seed=1).values("age")) <= set(range(121))
    with pytest.raises(ConfigError, match="age"):
        PrivateMarginals(infer=False).fit(frame)


def test_fits_that_share_a_ledger_add_up(tmp_path):
    """The third fit of epsilon 1 does not fit into a budget of 2.5; what was fitted before stays."""
    path = tmp_path / "ledger"
    LedgerFile(str(path), (2.5, 1e-5))
    generator = PrivateMarginals(ledger=path)
    generator.fit(patients()).fit(patients())
    with pytest.raises(PrivacyBudgetError, match="above its budget"):
        generator.fit(patients())
    assert generator.fitted
    assert LedgerFile(str(path)).read().spent == pytest.approx((2, 2e-6))


def test_a_ledger_that_is_begun_is_said(tmp_path):
    """A mistyped name begins one, in which nothing adds up and no budget holds."""
    path = tmp_path / "ledgre"
    with pytest.warns(
        UserWarning, match="There is no ledger '.*ledgre': this fit begins one, without a budget"
    ):
        PrivateMarginals(ledger=path).fit(patients())
    PrivateMarginals(ledger=path).fit(patients())
    assert LedgerFile(path).read().spent == pytest.approx((2, 2e-6))


def test_whole_numbers_on_both_sides_of_2_to_the_53_come_back_from_a_file(tmp_path):
    """Their budget is spent: a file that cannot be read would be lost for good."""
    largest = 2**53 - 1
    rows = {"code": [-largest, largest] * 200, "age": [40, 50] * 200}
    fitted = PrivateMarginals(epsilon=5).fit(rows)
    again = load(fitted.save(tmp_path / "far.model"))
    assert again.sample(30, seed=5).digest() == fitted.sample(30, seed=5).digest()


def test_files_and_parameters(fitted, tmp_path):
    """A loaded model samples the same rows; one made with test noise says so; damage is refused."""
    path = fitted.save(tmp_path / "private.model")
    again = load(path)
    assert isinstance(again, PrivateMarginals)
    assert again.sample(30, seed=5).digest() == fitted.sample(30, seed=5).digest()
    assert again.get_params()["epsilon"] == 4
    assert repr(PrivateMarginals(epsilon=2)) == "PrivateMarginals(epsilon=2)"
    test = PrivateMarginals().fit(patients(), _test_noise=1)
    assert not load(test.save(tmp_path / "test.model")).is_private
    assert test.describe().startswith("NOT PRIVATE")
    broken = path.read_bytes().replace(b'\\"epsilon\\":4.0', b'\\"epsilon\\":1.0')
    (tmp_path / "broken.model").write_bytes(broken)
    with pytest.raises(ModelError, match="changed"):
        load(tmp_path / "broken.model")


def test_on_the_command_line(tmp_path):
    """Fit and sample; the budget of a ledger is kept between two commands; options of others are refused."""
    patients().to_csv(tmp_path / "real.csv", index=False)

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "synthema.cli", *arguments, "--json"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    fit = ["fit", "real.csv", "--method", "private_marginals", "--epsilon", "2"]
    fit += ["--ledger", "ledger", "--budget", "3"]
    done = run(*fit, "--out", "model")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["epsilon"] == 2
    assert run("sample", "model", "--rows", "20", "--out", "rows.csv").returncode == 0
    assert len(pandas.read_csv(tmp_path / "rows.csv")) == 20
    refused = run(*fit, "--out", "second")
    assert refused.returncode != 0
    assert "above its budget" in refused.stderr
    assert not (tmp_path / "second").exists()
    assert "private_marginals" in run("fit", "real.csv", "--epsilon", "2", "--out", "third").stderr


def test_rules_that_contradict_each_other_are_refused_before_anything_is_spent(tmp_path):
    """That a value may be missing is no way out, which would leave men without an age."""
    frame = patients()
    frame["ages"] = frame.pop("age")  # behind what its rules ask for
    fields = synthema.table(frame).schema.fields
    rules = [
        synthema.FieldRule("ages", "sex", labels=["m"], minimum=50),
        synthema.FieldRule("ages", "sex", labels=["m"], maximum=40),
    ]
    ledger = str(tmp_path / "ledger")
    LedgerFile(ledger, (3, 1e-5))
    before = pathlib.Path(ledger).read_bytes()
    with pytest.raises(synthema.GenerationError, match="'sex' is 'm'"):
        PrivateMarginals(ledger=ledger).fit(frame, schema=synthema.Schema(fields, rules=rules))
    assert pathlib.Path(ledger).read_bytes() == before


def test_likelihoods_under_rules_sum_to_one():
    rng = np.random.default_rng(2)
    sex = rng.choice(["f", "m"], 4000)
    grade = np.where(rng.random(4000) < 0.3, "high", np.where(sex == "m", "low", "none"))
    fields = [
        synthema.Field("sex", "category", categories=["f", "m"], nullable=False),
        synthema.Field("grade", "category", categories=["high", "low", "none"], nullable=False),
    ]
    rules = [synthema.FieldRule("grade", "sex", labels=["f"], categories=["high", "low"])]
    frame = pandas.DataFrame({"sex": pandas.Categorical(sex), "grade": pandas.Categorical(grade)})
    made = PrivateMarginals(epsilon=5).fit(frame, schema=synthema.Schema(fields, rules=rules))
    rows = [{"sex": s, "grade": g} for s in ("f", "m") for g in ("high", "low", "none")]
    logs = made.log_prob(pandas.DataFrame(rows))
    assert np.exp(logs).sum() == pytest.approx(1, abs=0.02)
    drawn = made.sample(20_000, seed=1, frame="pandas").value_counts(normalize=True)
    for row, log in zip(rows, logs, strict=True):
        assert np.exp(log) == pytest.approx(drawn.get((row["sex"], row["grade"]), 0), abs=0.02)


def test_no_budget_is_left_over():
    """Where no pair fits the model, and where nothing was told of a column at first."""
    rng = np.random.default_rng(1)

    def spent(frame, **options):
        made = PrivateMarginals(epsilon=1, **options)
        made.fit(frame, _test_noise=1)
        noise = made.privacy_ledger.entries[0].noise_multiplier
        return sum(one["rho"] for one in made.spending) * 2 * noise**2, made

    pairs, _ = spent(
        pandas.DataFrame(rng.normal(size=(3000, 2)), columns=["x", "y"]), max_cells=1000, bins=100
    )
    assert pairs == pytest.approx(1, abs=0.01)
    share, made = spent(pandas.DataFrame({"ward": rng.choice(["east", "west"], 120)}))
    assert share == pytest.approx(1, abs=0.01)
    assert not made.untold
