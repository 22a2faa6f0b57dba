"""Real rows and a holdout of another population, and what is said about it."""

import warnings

import numpy as np
import pytest
import synthema
from synthema import drift, reporting
from synthema.reporting import verdict


def rows(n, seed, shift=0.0, other=0.0):
    rng = np.random.default_rng(seed)
    return synthema.table(
        {
            "age": np.round(rng.normal(60 + shift, 10, n)),
            "ward": rng.choice(["a", "b", "c"], n, p=[0.5 - other, 0.3, 0.2 + other]),
            "cost": rng.exponential(1000, n),
        }
    )


def test_samples_of_one_population_are_not_told_apart():
    for seed in range(40):
        assert drift.drifted_columns(rows(400, seed), rows(250, 1000 + seed)) == []
    many = synthema.table({f"x{c}": np.random.default_rng(c).normal(size=300) for c in range(60)})
    assert drift.drifted_columns(many.head(150), many.take(list(range(150, 300)))) == []


def test_columns_that_differ_are_named_farthest_first():
    assert drift.drifted_columns(rows(400, 1), rows(250, 2, shift=15, other=0.4)) == ["age", "ward"]
    assert (
        drift.drifted_columns(rows(40_000, 1), rows(40_000, 2, shift=1)) == []
    )  # more than chance, and little
    assert drift.apparent_drift(rows(400, 1), None) == ""


def test_rows_of_few_people_are_few():
    def visits(seed, people):
        rng = np.random.default_rng(seed)
        who = np.repeat(np.arange(people), 100)
        frame = {"who": [f"p{n}" for n in who], "weight": rng.normal(80, 15, people)[who]}
        return synthema.table(frame, roles={"who": "subject"})

    for seed in range(20):
        assert drift.drifted_columns(visits(seed, 12), visits(100 + seed, 12)) == []


def holes(n, seed, share):
    rng = np.random.default_rng(seed)
    return synthema.table(
        {name: [None if rng.random() < share else float(x) for x in rng.normal(size=n)] for name in "ab"}
        | {"note": [None if rng.random() < share else "a text of some words" for _ in range(n)]}
    )


def test_shares_of_missing_values_that_differ_are_drift():
    for seed in range(40):
        assert drift.missing_otherwise(holes(300, seed, 0.3), holes(200, 1000 + seed, 0.3)) == {}
    found = drift.missing_otherwise(holes(400, 1, 0.05), holes(300, 2, 0.4))
    assert set(found) == {"a", "b", "note"}
    assert found["a"] == pytest.approx((0.05, 0.4), abs=0.08)
    assert set(drift.missing_otherwise(holes(400, 1, 0.05), holes(300, 2, 0.4), ["a"])) == {"b", "note"}
    # More than by chance, and little.
    assert drift.missing_otherwise(holes(40_000, 1, 0.1), holes(40_000, 2, 0.13)) == {}
    said = drift.apparent_drift(holes(400, 1, 0.05), holes(300, 2, 1.0))
    assert "values differ" not in said
    assert "'a' (" in said
    assert "of the real rows, 100 % of the holdout)" in said


def test_a_person_who_is_missing_in_all_rows_is_one():
    def visits(seed, people):
        rng = np.random.default_rng(seed)
        who, lacking = np.repeat(np.arange(people), 100), rng.random(people) < 0.3
        weights = [None if lacking[n] else 80.0 for n in who]
        frame = {"who": [f"p{n}" for n in who], "weight": weights}
        return synthema.table(frame, roles={"who": "subject"})

    for seed in range(20):
        assert drift.missing_otherwise(visits(seed, 12), visits(100 + seed, 12)) == {}


def test_an_evaluation_says_so():
    real, made, later = rows(400, 1), rows(400, 3), rows(250, 2, shift=15)
    with pytest.warns(
        UserWarning,
        match="of the same population .* values differ in 'age'",
    ):
        report = synthema.evaluate(made, real, holdout=later, metrics=["dcr_share"])
    document = reporting.as_document(report)
    assert "same population" in document["drift"]
    assert verdict.summary(document)[0] == document["drift"]
    assert "not of the same population" in report._repr_html_()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        synthema.evaluate(made, real, holdout=rows(250, 2), metrics=["dcr_share"])
