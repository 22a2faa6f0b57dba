"""What benchmarks/tabular.py makes of figures: mean ranks, likelihoods of rows that some cannot make."""

import pathlib
import sys

import numpy as np
import pytest

SUPPORT = pathlib.Path(__file__).parents[2] / "benchmarks/support"


@pytest.fixture(autouse=True)
def support(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(SUPPORT), *sys.path])


FIGURES = {
    "univariate_accuracy": ("quality", [0.99, 0.98, 0.97]),
    "bivariate_accuracy": ("quality", [0.95, 0.94, 0.96]),
    "told_apart": ("quality", [0.0, 0.1, 0.0]),
    "train_synthetic_test_real": ("quality", [0.9, 0.9001, 0.8]),
    "dcr_share": ("privacy", [0.48, 0.6, 0.4]),
    "rare_value_reuse": ("privacy", [0.0, 0.3, 0.0]),
    "singling_out_univariate": ("privacy", [-0.01, 0.0, 0.02]),
    "singling_out_multivariate": ("privacy", [0.1, 0.05, 0.0]),
}


def rows_of(table, systems=("a", "b", "c"), default="a"):
    return [
        {"job": f"{kind}, {table}", "system": system, "value": values[i], "unit": unit}
        | ({"default": True} if system == default else {})
        for unit, (kind, values) in FIGURES.items()
        for i, system in enumerate(systems)
    ]


def ranked(rows):
    import ranks

    return {(row["job"], row["system"], row["unit"]): row["value"] for row in ranks.rows_of(rows)}


def test_ranks_of_a_table():
    found = ranked(rows_of("t"))
    aspects = {
        "a": ((1 + 2 + 1.5) / 3, 1.5, (1.5 + 1.5 + 3) / 3),
        "b": ((2 + 3 + 3) / 3, 1.5, (3 + 3 + 2) / 3),
        "c": ((3 + 1 + 1.5) / 3, 3, (1.5 + 1.5 + 1) / 3),
    }
    for system, expected in aspects.items():
        own = [found["ranks, t", system, aspect] for aspect in ("fidelity", "utility", "privacy")]
        assert own == pytest.approx(expected)
        assert found["ranks, t", system, "mean"] == pytest.approx(sum(expected) / 3)
    assert not any(job == "ranks, all tables" for job, _, _ in found)


def test_a_leak_has_no_rank_and_a_table_without_a_target_two_aspects():
    import ranks

    rows = [row for row in rows_of("t") if row["unit"] != "train_synthetic_test_real"]
    before = ranked(rows)
    assert not any(unit == "utility" for _, _, unit in before)
    copy = [row | {"system": ranks.COPY, "value": 0.0} for row in rows[::3]]
    assert ranked(rows + copy) == before


def test_ranks_over_all_tables():
    import ranks

    rows = rows_of("t") + rows_of("u", ("b", "a"), default="b")
    found = ranked(rows)
    of_t, of_u = (found[f"ranks, {table}", "a", "mean"] for table in "tu")
    assert found["ranks, all tables", "a", "mean"] == pytest.approx((of_t + of_u) / 2)
    assert ("ranks, all tables", "c", "mean") not in found  # not on every table
    default = found["ranks, t", "a", "mean"] + found["ranks, u", "b", "mean"]
    assert found["ranks, all tables", "the default", "mean"] == pytest.approx(default / 2)
    shown = ranks.lines(ranks.rows_of(rows))
    assert sum(" * " in line for line in shown) == 3
    assert ranked(rows + ranks.rows_of(rows)) == found  # ranks of an earlier run are no figures


def test_a_row_that_a_method_cannot_make_costs_the_share_of_the_marginals():
    import likelihoods

    marginals = np.array([-3.0, -2.0, -np.inf])
    own = np.array([-1.0, -np.inf, -5.0])
    mixed = likelihoods.mixed(own, marginals)
    assert mixed[0] == pytest.approx(np.log(0.99 * np.exp(-1) + 0.01 * np.exp(-3)))
    assert mixed[1] == pytest.approx(-2 + np.log(0.01))
    assert likelihoods.mixed(marginals, marginals)[:2] == pytest.approx(marginals[:2])
    found = likelihoods.figures(own, marginals)
    assert found["log_likelihood"] == pytest.approx(mixed[:2].mean())  # the third is left out for all
    assert found["share_with_likelihood"] == pytest.approx(2 / 3)


def test_rows_are_compared_in_pairs_and_seeds_averaged():
    import likelihoods

    rng = np.random.default_rng(0)
    marginals = rng.normal(-8, 3, 500)
    others = [marginals + 1, marginals + 1.2]
    ours = [other + rng.normal(0.5, 0.1, 500) for other in others]
    value, error = likelihoods.above(ours, others, marginals)
    assert value == pytest.approx(0.5, abs=0.02)
    assert error == pytest.approx(0.1 / np.sqrt(2 * 500), rel=0.2)  # of the difference, not of its parts
    assert np.isnan(likelihoods.above(ours[:1], others, np.full(500, -np.inf))[0])
