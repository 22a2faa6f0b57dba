"""Between numbers and one far from them that stands for none, no value is made up."""

import datetime

import numpy as np
import pytest
from synthema import GaussianCopula, IndependentMarginals, SequentialTrees

ROWS = 2000


def _table() -> dict[str, list]:
    random = np.random.default_rng(0)
    days = random.integers(0, 500, ROWS)
    end = [datetime.datetime(2021, 1, 1) + datetime.timedelta(days=int(d)) for d in days]
    columns = {
        "ward": random.choice(["a", "b"], ROWS).tolist(),
        "end": end,
        "weight": random.normal(75, 12, ROWS).round(1).tolist(),
        "lab": random.lognormal(1, 1, ROWS).tolist(),
        "plain": random.lognormal(1, 1, ROWS).tolist(),
    }
    for name, stands_for_none in (
        ("end", datetime.datetime(9999, 12, 31)),
        ("weight", -99.0),
        ("lab", 9999.0),
    ):
        for row in np.flatnonzero(random.random(ROWS) < 0.1):
            columns[name][row] = stands_for_none
    return columns


@pytest.mark.parametrize("method", [SequentialTrees, GaussianCopula, IndependentMarginals])
def test_no_value_lies_in_a_gap(method, tmp_path) -> None:
    columns = _table()
    fitted = method().fit(columns)
    made = fitted.sample(20_000, seed=1)
    assert not [v for v in made.values("end") if 2022 < v.year < 9999]
    assert not [v for v in made.values("weight") if -99 < v < 20]
    assert not [v for v in made.values("lab") if 300 < v < 9999]
    for name, stands_for_none in (("weight", -99), ("lab", 9999)):
        share = np.mean(np.asarray(made.values(name)) == stands_for_none)
        assert share == pytest.approx(np.mean(np.asarray(columns[name]) == stands_for_none), abs=0.01)
    assert np.isfinite(fitted.log_prob(made)).all()
    again = method.load(fitted.save(tmp_path / "model"))
    assert again.sample(20_000, seed=1).digest() == made.digest()
