"""What is imputed keeps the rules of the schema beside values that the training table did not reach."""

import importlib.util
import warnings

import numpy as np
import pytest
from synthema import AnyOrderNetwork, Field, FieldRule, GroupRule, Schema, SequentialTrees, table

ROWS = 2000
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")
METHODS = [SequentialTrees, pytest.param(AnyOrderNetwork, marks=needs_torch)]


def _new(method):
    return method(rounds=5, members=1, size="small") if method is AnyOrderNetwork else method()


def _filled(fitted, **columns) -> dict[str, list]:
    """Of integers, without a warning."""
    schema = Schema([Field(name, "integer") for name in columns])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = fitted.impute(table(columns, schema), seed=1)
    return {name: made.values(name) for name in columns}


@pytest.mark.parametrize("method", METHODS)
def test_a_date_follows_one_after_the_end_of_the_training_table(method) -> None:
    random = np.random.default_rng(1)
    first, stay = random.integers(0, 500, ROWS), random.integers(0, 20, ROWS)
    schema = Schema(
        [Field("first", "integer"), Field("second", "integer")],
        rules=[FieldRule("second", "first", relation=">=")],
    )
    fitted = _new(method).fit({"first": first, "second": first + stay}, schema=schema)
    known = list(range(480, 600)) + [1000] * 80
    stays = np.subtract(_filled(fitted, first=known, second=[None] * 200)["second"], known)
    assert stays.min() >= 0
    assert stays[-80:].mean() == pytest.approx(stay.mean(), abs=3)
    stays = np.subtract(known, _filled(fitted, first=[None] * 200, second=known)["first"])
    assert stays.min() >= 0
    assert stays[:20].mean() == pytest.approx(stay.mean(), abs=5)


@pytest.mark.parametrize("method", METHODS)
def test_a_number_above_all_of_its_column_is_the_next_one(method) -> None:
    random = np.random.default_rng(1)
    high = random.integers(100, 180, ROWS)
    schema = Schema(
        [Field("low", "integer"), Field("high", "integer")], rules=[FieldRule("high", "low", relation=">")]
    )
    fitted = _new(method).fit({"low": high - random.integers(1, 90, ROWS), "high": high}, schema=schema)
    made = _filled(fitted, low=[150, 170, 190, 240], high=[None] * 4)["high"]
    assert all(a > b for a, b in zip(made, [150, 170, 190, 240], strict=True))
    assert made[2:] == [191, 241]


@pytest.mark.parametrize("method", METHODS)
def test_what_follows_in_a_sum_is_taken(method) -> None:
    random = np.random.default_rng(1)
    icu, ward = random.integers(0, 10, ROWS), random.integers(0, 10, ROWS)
    schema = Schema(
        [Field("icu", "integer", minimum=0), Field("ward", "integer", minimum=0), Field("days", "integer")],
        groups=[GroupRule("sum", ["icu", "ward"], total="days")],
    )
    fitted = _new(method).fit({"icu": icu, "ward": ward, "days": icu + ward}, schema=schema)
    made = _filled(fitted, icu=[3, 12, 40], ward=[4, 5, 6], days=[None] * 3)
    assert made["days"] == [7, 17, 46]
    made = _filled(fitted, icu=[3, 12, 40], ward=[None] * 3, days=[8, 14, 45])
    assert made["ward"] == [5, 2, 5]
    made = _filled(fitted, icu=[None] * 3, ward=[None] * 3, days=[8, 14, 45])
    assert np.add(made["icu"], made["ward"]).tolist() == [8, 14, 45]
    # Nothing is left beside these; other cells of the rows are filled.
    holes = {"icu": [12, 3, 7], "ward": [None] * 3, "days": [8, 14, 3]}
    with pytest.warns(UserWarning, match=r"no value that keeps the rules .*: 'ward' in 2 rows stays missing"):
        left = fitted.impute(table(holes, Schema(fitted.schema.fields)), seed=1)
    assert left.values("ward") == [None, 11, None]


@pytest.mark.parametrize("method", METHODS)
def test_what_contradicts_itself_stays_missing(method) -> None:
    random = np.random.default_rng(1)
    code = random.choice(["A00", "C50"], ROWS)
    columns = {"code": code, "chapter": [{"A00": "I", "C50": "II"}[c] for c in code]}
    columns |= {"ward": random.choice(["a", "b"], ROWS)}
    columns |= {"age": random.integers(20, 90, ROWS)}
    columns["ward"] = np.where(code == "A00", "a", columns["ward"])
    fields = [Field(name, "category") for name in ("code", "chapter", "ward")] + [Field("age", "integer")]
    schema = Schema(fields, groups=[GroupRule("combinations", ["code", "chapter", "ward"])])
    fitted = _new(method).fit(columns, schema=schema)
    holes = {"code": ["A00", "C50"], "chapter": ["II", "II"], "ward": [None, None], "age": [None, 40]}
    with pytest.warns(UserWarning, match="'ward' in 1 row stays missing"):
        made = fitted.impute(table(holes, Schema(fields)), seed=1)
    assert made.values("ward")[0] is None
    assert made.values("ward")[1] in ("a", "b")
    assert made.null_count("age") == 0
