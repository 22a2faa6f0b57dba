"""The parts of the page on tables: use, and rows in two dimensions."""

import json

import numpy as np
import pytest
import synthema
from synthema import reporting
from synthema.reporting.projection import CELLS, project


def rows(count, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=count) + shift
    return {
        "x": x.tolist(),
        "y": (2 * x + rng.normal(size=count) * 0.3).tolist(),
        "group": [("a", "b", "c")[int(k)] for k in rng.integers(0, 3, count)],
        "sick": (x + rng.normal(size=count) > 0).tolist(),
    }


def test_the_map_holds_every_row_of_a_dense_table():
    real, same = synthema.table(rows(2000, 1)), synthema.table(rows(2000, 2))
    found = project(real, same)
    assert (found["columns"], found["of"]) == (4, 4)
    ours, theirs = np.array(found["real"]), np.array(found["synthetic"])
    assert ours.shape == theirs.shape
    assert CELLS[0] <= len(ours) <= CELLS[1]
    assert 0.8 < ours.sum() <= 1
    assert np.all((ours == 0) | (ours * 2000 > 4.5))
    assert np.abs(ours - theirs).sum() < 0.5
    assert 0 < found["explained"][1] <= found["explained"][0] < 1


def test_the_map_shows_what_is_elsewhere_and_few_people_not_at_all():
    real = rows(600, 1)
    elsewhere = project(synthema.table(real), synthema.table(rows(600, 2, shift=6.0)))
    gap = np.abs(np.array(elsewhere["real"]) - np.array(elsewhere["synthetic"])).sum()
    assert gap > 1.2  # of 2
    real["x"][0] = 1000.0  # one person far away
    far = project(synthema.table(real), synthema.table(real))
    shown = np.array(far["real"])
    assert np.all((shown == 0) | (shown * 600 > 4.5))


def test_the_map_does_without_what_it_cannot_use():
    few = synthema.table(rows(49, 1))
    assert project(few, few) is None
    flat = synthema.table({"x": [1.0] * 100, "name": [f"n{i}" for i in range(100)]})
    assert project(flat, flat) is None
    holes = rows(300, 1)
    holes["x"][::3] = [None] * 100
    other = {key: value for key, value in rows(300, 2).items() if key != "y"}
    found = project(synthema.table(holes), synthema.table(other))
    assert found["columns"] == 3
    assert not np.isnan(found["real"]).any()


@pytest.fixture(scope="module")
def page():
    real, made, holdout = (synthema.table(rows(400, seed)) for seed in (1, 2, 3))
    report = synthema.evaluate(
        made,
        real,
        holdout,
        evaluators=["train_synthetic_test_real", "rows_worth"],
        target="sick",
        bootstrap=0,
    )
    document = dict(reporting.as_document(json.loads(report.to_json())))
    document["projection"] = project(real, made)
    return reporting.render(document), report


def test_the_page_shows_use_beside_real_rows(page):
    text, report = page
    score = report["train_synthetic_test_real"]
    assert 'id="use"' in text
    assert f"AUROC {score.value:.3f}, {score.ceiling.value:.3f}" in text
    assert "Learning curve" in text
    assert ">400<" in text
    assert "R squared" not in text.split('id="use"')[1].split("</section>")[0]


def test_the_page_shows_both_maps(page):
    text, _ = page
    part = text.split('id="projection"')[1].split("</section>")[0]
    assert part.count("<svg") == 2
    assert "Real rows" in part
    assert "Synthetic rows" in part


def test_a_report_without_models_or_columns_has_neither_part():
    text = reporting.render({"title": "t", "sections": [{"name": "s", "title": "S", "scores": []}]})
    assert 'id="use"' not in text
    assert 'id="projection"' not in text


def test_the_page_says_where_a_model_was_tested(page):
    held_out, _ = page
    assert "real rows that neither saw" in held_out
    real, made = (synthema.table(rows(400, seed)) for seed in (1, 2))
    names = ["train_synthetic_test_real"]
    report = synthema.evaluate(made, real, evaluators=names, target="sick", bootstrap=0)
    assert "which the generator may have seen" in reporting.render(report)
