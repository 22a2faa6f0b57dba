"""What is measured of the rarer label, and what small groups and weak classifiers say."""

import numpy as np
import pytest
import synthema
from synthema.cards import study_card
from synthema.reporting import verdict


def patients(n, seed, names=("died", "survived")):
    r = np.random.default_rng(seed)
    x = r.normal(size=n)
    rare = r.random(n) < 0.02 * np.exp(x - 0.5)
    return {
        "x": x.tolist(),
        "group": [str(one) for one in r.choice(["a", "b", "c"], n, p=[0.6, 0.38, 0.02])],
        "outcome": [names[0] if one else names[1] for one in rare],
    }


@pytest.mark.parametrize("names", [("died", "survived"), ("sick", "healthy")])
def test_f1_is_of_the_rarer_label_whatever_the_alphabet(names):
    made, real, test = (patients(1500, seed, names) for seed in (1, 2, 3))
    report = synthema.evaluate(made, real, test, target="outcome", metrics=["train_synthetic_test_real"])
    parts = {part.name: part.value for part in report["train_synthetic_test_real"].parts}
    assert f"AUPRC of {names[0]}" in parts
    assert parts["F1"] < 0.2  # of the common label it is .99
    assert parts["F1, trained on real"] < 0.2


def test_small_groups_are_named():
    made, real, test = (patients(600, seed) for seed in (1, 2, 3))
    options = {"target": "outcome", "sensitive": "group", "metrics": ["demographic_parity_gap"]}
    score = synthema.evaluate(made, real, test, **options)["demographic_parity_gap"]
    few = test["group"].count("c")
    assert score.warnings == [f"Left out: {few} test rows in groups of 'group' with fewer than 30 test rows."]


def test_a_card_calls_a_number_of_two_values_a_class():
    table = synthema.table({"death": [0, 1] * 20, "age": [*range(40)]})
    assert study_card(table, [], target="death")["downstream_task"] == "CLS"
    assert study_card(table, [], target="age")["downstream_task"] == "REG"


def test_attacks_that_may_be_chance_are_not_said_to_succeed():
    def score(name, value, ceiling, low, high):
        interval = {"low": low, "high": high, "level": 0.95, "method": "m"}
        return {"name": name, "value": value, "ceiling": {"value": ceiling}, "interval": interval, "n": 900}

    def said(low):
        fine = [
            score("near_copies", 0.05, 0.05, 0.03, 0.07),
            score("membership_by_distance", 0.5, 0.5, 0.46, 0.54),
            score("exact_copies", 0.0, 0.0, 0.0, 0.01),
        ]
        useful = score("train_synthetic_test_real", 0.926, 0.927, 0.91, 0.94)
        section = {"rows": 900, "scores": [useful, score("dcr_share", 0.56, 0.5, low, 0.62), *fine]}
        return " ".join(verdict.weaknesses(section))

    assert "attacks succeed" not in said(0.505)
    assert "attacks succeed" in said(0.54)


def test_a_role_of_time_needs_a_like_kind():
    real = synthema.table(
        {
            "id": ["a", "a", "b", "b"] * 10,
            "when": np.arange("2020-01-01", "2020-02-10", dtype="datetime64[D]"),
        },
        roles={"id": "subject", "when": "time"},
    )
    made = {"id": ["a", "a", "b", "b"] * 10, "when": [*range(40)]}
    report = synthema.evaluate(made, real, metrics=["visit_gaps"])
    assert report["visit_gaps"].value is None
    assert any("'when' is of kind time in the real rows" in one for one in report.facts["left_out"])
