"""Likelihoods of rows, rules in all methods, what a fit will cost."""

import numpy as np
import pytest
import synthema
from synthema import (
    BootstrapCopy,
    Field,
    FieldRule,
    GaussianCopula,
    GenerationError,
    GroupRule,
    IndependentMarginals,
    Schema,
    SchemaError,
    SequentialTrees,
)

pandas = pytest.importorskip("pandas")

METHODS = [SequentialTrees, IndependentMarginals, GaussianCopula]


def stays(rows=600, seed=0):
    """Columns of admissions: half of the rows break the rules of `SCHEMA`."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], rows)
    return {
        "sex": list(sex),
        "diagnosis": list(rng.choice(["asthma", "prostatitis", "endometriosis"], rows)),
        "admission": rng.integers(0, 300, rows),
        "discharge": rng.integers(0, 300, rows),
        "dose": np.round(rng.gamma(2, 2, rows), 1),
    }


SCHEMA = Schema(
    [
        Field("sex", "category"),
        Field("diagnosis", "category"),
        Field("admission", "integer"),
        Field("discharge", "integer"),
        Field("dose", "real", minimum=0.5, maximum=6),
    ],
    rules=[
        FieldRule("diagnosis", "sex", labels=["m"], categories=["asthma", "prostatitis"]),
        FieldRule("diagnosis", "sex", labels=["f"], categories=["asthma", "endometriosis"]),
        FieldRule("discharge", "admission", relation=">="),
    ],
)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_keeps_the_rules(method, tmp_path):
    fitted = method().fit(stays(), schema=SCHEMA)
    made = fitted.sample(3000, seed=1)
    sex, diagnosis = np.array(made.values("sex")), np.array(made.values("diagnosis"))
    assert not ((sex == "m") & (diagnosis == "endometriosis")).any()
    assert not ((sex == "f") & (diagnosis == "prostatitis")).any()
    assert (np.array(made.values("discharge")) >= np.array(made.values("admission"))).all()
    assert min(made.values("dose")) >= 0.5
    assert max(made.values("dose")) <= 6
    assert {"asthma", "prostatitis"} <= set(diagnosis[sex == "m"])
    late = fitted.sample(200, seed=2, conditions={"discharge": 40, "diagnosis": "prostatitis"})
    assert set(late.values("sex")) == {"m"}
    assert max(late.values("admission")) <= 40
    with pytest.raises(GenerationError, match="Condition 0"):
        fitted.sample(5, conditions={"sex": "f", "diagnosis": "prostatitis"})
    again = method.load(fitted.save(tmp_path / "model"))
    assert again.sample(500, seed=1).digest() == fitted.sample(500, seed=1).digest()
    # What breaks a rule is never made.
    logs = fitted.log_prob(
        [
            {"sex": "m", "diagnosis": "asthma", "admission": 10, "discharge": 20, "dose": 2.0},
            {"sex": "m", "diagnosis": "endometriosis", "admission": 10, "discharge": 20, "dose": 2.0},
            {"sex": "m", "diagnosis": "asthma", "admission": 30, "discharge": 20, "dose": 2.0},
        ]
    )
    assert np.isfinite(logs[0])
    assert np.isneginf(logs[1:]).all()


@pytest.mark.parametrize("method", METHODS)
def test_shares_of_all_rows_sum_to_one(method):
    rng = np.random.default_rng(1)
    a = rng.choice(["x", "y", "z"], 900, p=[0.5, 0.3, 0.2])
    real = {"a": list(a), "b": list((rng.random(900) < 0.5) ^ (a == "x"))}
    rows = [{"a": one, "b": other} for one in "xyz" for other in (True, False)]
    logs = method().fit(real).log_prob(rows)
    assert logs.dtype == np.float64
    assert np.exp(logs).sum() == pytest.approx(1)


@pytest.mark.parametrize("kind", ["one_hot", "exclusive"])
def test_rows_that_a_group_nearly_says_are_as_likely_as_often_drawn(kind):
    rng = np.random.default_rng(3)
    which, level = rng.integers(0, 3 + (kind == "exclusive"), 1000), rng.integers(0, 3, 1000)
    members = {f"is_{i}": which == i for i in range(3)}
    real = {"level": level, **members, "score": level + 3 * which}
    fields = [Field(name, "boolean" if name in members else "integer") for name in real]
    schema = Schema(fields, groups=[GroupRule(kind, list(members))])
    copula = GaussianCopula().fit(real, schema=schema)
    made = copula.sample(4000, seed=1).to_pandas()
    shares = made.value_counts(normalize=True).reset_index()
    logs = copula.log_prob(shares[list(real)])
    assert logs.min() > -12
    assert np.exp(logs).sum() == pytest.approx(1, abs=0.03)  # 4,000 rows have nearly all there are
    expected = np.sqrt(2 / np.pi * np.exp(logs) / 4000).sum()
    assert np.abs(np.exp(logs) - shares["proportion"]).sum() < 1.5 * expected


@pytest.mark.parametrize("method", METHODS)
def test_times_with_a_zone_and_without_are_not_compared(method):
    days = pandas.date_range("2020-01-01", periods=100, freq="D")
    naive = pandas.DataFrame({"when": days.repeat(6), "sex": ["f", "m"] * 300})
    zoned = naive.assign(when=naive.when.dt.tz_localize("Asia/Tokyo"))
    generator = method().fit(naive)
    with pytest.raises(SchemaError, match="field 'when': The times have a zone, 'Asia/Tokyo', but"):
        generator.log_prob(zoned)
    for moment in ("2020-03-01T00:00Z", zoned.when[60], zoned[["when"]]):
        conditions = moment if isinstance(moment, pandas.DataFrame) else {"when": moment}
        with pytest.raises(GenerationError, match="field 'when': A condition is a time with a zone"):
            generator.sample(2, conditions=conditions)
    with pytest.raises(SchemaError, match="have no zone, but the generator was fitted to times in the zone"):
        method().fit(zoned).log_prob(naive)


def test_what_depends_makes_held_out_rows_likelier():
    rng = np.random.default_rng(2)

    def rows(n):
        x = np.round(rng.normal(0, 1, n), 1)
        return {"x": x, "y": np.round(x + rng.normal(0, 0.3, n), 1), "id": [f"p{i}" for i in range(n)]}

    real, unseen = rows(3000), rows(500)
    means = []
    for method in METHODS:
        logs = method().fit(real).log_prob({name: unseen[name] for name in ("y", "x")})
        means.append(logs[np.isfinite(logs)].mean())
        assert np.isfinite(logs).mean() > 0.9
    trees, marginals, copula = means
    assert trees > marginals + 0.5
    assert copula > marginals + 0.5
    # Two normal columns: the copula is close to the truth, whose entropy is known.
    truth = -np.log(2 * np.pi * np.e * 0.3)
    assert copula == pytest.approx(truth, abs=0.15)


def test_a_copy_has_no_likelihood_and_other_tables_none_either():
    real = {"a": [1, 2, 3, 4] * 10}
    with pytest.raises(GenerationError, match="no likelihood"):
        BootstrapCopy(release=True).fit(real).log_prob(real)
    with pytest.raises(GenerationError, match="not fitted"):
        SequentialTrees().log_prob(real)
    fitted = SequentialTrees().fit(real)
    with pytest.raises(SchemaError, match="'a'"):
        fitted.log_prob({"b": [1]})
    with pytest.raises(SchemaError, match="kind"):
        fitted.log_prob({"a": ["x"]})


def test_what_a_fit_will_cost_is_foretold():
    rng = np.random.default_rng(3)
    real = {f"x{i}": rng.normal(size=4000) for i in range(6)}
    plan = SequentialTrees().estimate(real)
    assert set(plan.by_name) == {"fit", "sample"}
    assert 0 < plan.seconds < 60
    assert plan.memory_bytes > 4000 * 6 * 8
    assert "GiB" in str(plan)
    with pytest.raises(SchemaError):
        synthema.SequentialTrees().estimate({"note": [f"a text of its own {i}" for i in range(100)]})
