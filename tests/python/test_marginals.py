"""What the page shows of columns and pairs."""

import json
from collections import Counter

import numpy as np
import pytest
import synthema
from synthema.reporting import render
from synthema.reporting.cells import label_counts, numbers_of
from synthema.reporting.marginals import COLUMNS, _ticks, compare, pairs


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(2)
    x = rng.normal(size=400)
    sex = ["f" if v > 0 else "m" for v in rng.normal(size=400)]
    sex[0] = "one of a kind"
    real = {"x": x.tolist(), "y": (x + rng.normal(size=400)).tolist(), "sex": sex, "same": [1] * 400}
    fake = {"x": rng.normal(size=300).tolist(), "y": rng.normal(size=300).tolist(), "sex": ["f"] * 300}
    schema = synthema.Schema(
        [synthema.Field(n, k) for n, k in (("x", "real"), ("y", "real"), ("sex", "category"))]
    )
    whole = synthema.Schema([*schema.fields, synthema.Field("same", "integer")])
    fake = synthema.table({**fake, "same": [1] * 300}, whole)
    return synthema.table(real, whole), fake


@pytest.fixture(scope="module")
def scores(tables):
    real, fake = tables
    report = synthema.evaluate(fake, real, metrics=["column_shapes", "column_pairs"])
    return json.loads(report.to_json())["scores"]


def test_columns_are_shares_the_least_alike_first(tables, scores):
    columns = compare(*tables, scores)
    assert columns[0]["name"] == "sex"
    assert [one["alike"] for one in columns] == sorted(one["alike"] for one in columns)
    for one in columns:
        places = len(one["labels"]) if "labels" in one else len(one["edges"]) - 1
        assert len(one["real"]) == len(one["synthetic"]) == places
        assert sum(one["synthetic"]) == pytest.approx(1)
        assert 0.9 < sum(one["real"]) <= 1 + 1e-9
    assert "same" not in [one["name"] for one in columns], "nothing to see in a constant"


def test_what_few_people_have_is_not_shown(tables, scores):
    sex = compare(*tables, scores)[0]
    assert set(sex["labels"]) == {"f", "m", "others"}
    assert sex["real"][sex["labels"].index("others")] == pytest.approx(1 / 400)
    x = next(one for one in compare(*tables, scores) if one["name"] == "x")
    counts = np.asarray(x["real"]) * 400
    assert all(count == 0 or count >= 5 - 1e-9 for count in counts)


@pytest.mark.parametrize("scale", [1e308, 1e-320])
def test_numbers_without_a_scale_to_draw_are_left_out(scale, recwarn):
    numbers = {"huge": [scale * (-1) ** i for i in range(40)], "x": [float(i) for i in range(40)]}
    rows = synthema.table(numbers)
    scores = [
        {"name": "column_shapes", "parts": [{"name": "huge", "value": 0.1}, {"name": "x", "value": 0.2}]}
    ]
    assert [one["name"] for one in compare(rows, rows, scores)] == ["x"]
    assert not recwarn.list


@pytest.mark.parametrize(
    ("edges", "ticks"),
    [
        ([1978, 1978.75, 1979.5], ["1978", "1978.8", "1979.5"]),
        ([0, 59.5, 1190], ["0", "59.5", "1190"]),
        ([-2.6, -2.355, -2.11], ["-2.6", "-2.35", "-2.11"]),
        ([4.7e18, 4.925e18], ["4.7e+18", "4.92e+18"]),
        ([1e-8, 2e-8], ["1e-08", "2e-08"]),
    ],
)
def test_ticks_of_numbers_can_be_told_apart(edges, ticks):
    assert _ticks(edges) == ticks


def test_pairs_are_a_symmetric_square(tables, scores):
    found = pairs(tables[0].names, scores)
    alike = np.asarray(found["alike"], dtype=float)
    assert np.isnan(np.diag(alike)).all()
    np.testing.assert_array_equal(alike, alike.T)
    at = {name: i for i, name in enumerate(found["columns"])}
    parts = {part["name"]: part.get("value") for part in scores[1]["parts"]}
    assert alike[at["x"], at["y"]] == parts["x x y"]
    assert pairs(["x", "y"], scores) is None


def test_the_page_shows_them(tables, scores):
    document = {
        "sections": [{"name": "synthetic", "title": "Synthetic rows", "rows": 300, "scores": scores}],
        "columns": compare(*tables, scores),
        "pairs": pairs(tables[0].names, scores),
    }
    page = render(document)
    assert "Pairs of columns" in page
    assert page.count("% alike.") == len(document["columns"]) <= COLUMNS
    assert "one of a kind" not in page
    assert "NaN" not in page


def test_labels_are_counted_as_python_would():
    cells = {
        "sex": ["f", "m", None, "f", "f"],
        "smoker": [True, None, False, True, True],
        "note": ["a", "", "a", None, "\u00e9"],
    }
    kinds = {"sex": "category", "smoker": "boolean", "note": "text"}
    made = synthema.table(cells, synthema.Schema([synthema.Field(*one) for one in kinds.items()]))
    for name, values in cells.items():
        assert +label_counts(made, name) == Counter(values)
        known, codes = made.take([4, 3])._coded(name)
        assert [known[code] for code in codes] == [values[4], values[3]]
        assert known[0] is None
        assert set(known[1:]) == {values[4], values[3]} - {None}, "labels that occur, and no others"
    one = synthema.table({"n": [1, None, 3]}, synthema.Schema([synthema.Field("n", "integer")]))
    np.testing.assert_array_equal(numbers_of(one, "n"), [1, np.nan, 3])
    with pytest.raises(synthema.SchemaError, match="kind is integer"):
        one._coded("n")
