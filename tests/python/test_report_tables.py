"""The parts of the page on tables: use, and rows in two dimensions."""

import json
import math
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import numpy as np
import pytest
import synthema
from synthema import reporting
from synthema.reporting import charts
from synthema.reporting.marginals import compare, time_edges
from synthema.reporting.numbers import decimals
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


def mixed(count, seed):
    rng = np.random.default_rng(seed)
    made = rows(count, seed)
    made["x"] = [None if u < 0.1 else v for u, v in zip(rng.random(count), made["x"], strict=True)]
    made["n"] = [None if u < 0.2 else int(9 * u) for u in rng.random(count)]
    made["far"] = (1e9 + rng.normal(size=count)).tolist()
    made["many"] = [None if u < 0.1 else f"v{int(30 * u * u)}" for u in rng.random(count)]
    made["unsure"] = [None if u < 0.3 else bool(u < 0.6) for u in rng.random(count)]
    return made


def test_blocks_of_rows_give_the_map_of_all_rows_at_once(monkeypatch):
    tables = synthema.table(mixed(1500, 1)), synthema.table(mixed(1100, 2))
    found = project(*tables)
    assert found["columns"] == 8

    def features(table):  # all at once, as the docstring says
        ours = tables[0]
        out = []
        for name in ours.names:
            kind = ours.schema[name].kind
            cells, real = table.values(name), ours.values(name)
            if kind in ("integer", "real"):
                known = np.array([v for v in real if v is not None], dtype=float)
                values = np.array([known.mean() if v is None else v for v in cells], dtype=float)
                out.append((values - known.mean()) / known.std())
                continue
            labels, counts = np.unique([str(v) for v in real], return_counts=True)
            for i in np.lexsort((labels, -counts))[:12]:
                if counts[i] >= 5:
                    share = counts[i] / len(real)
                    out.append(np.array([str(v) == labels[i] for v in cells]) / share**0.5)
        return np.column_stack(out)

    values, vectors = np.linalg.eigh(np.cov(features(tables[0]).T, bias=True))
    assert found["explained"] == pytest.approx((values[[-1, -2]] / values.sum()).tolist())
    points = [(features(one) - features(tables[0]).mean(axis=0)) @ vectors[:, [-1, -2]] for one in tables]
    ends = np.quantile(points[0], [0.005, 0.995], axis=0)
    for name, one in zip(("real", "synthetic"), points, strict=True):
        cells = len(found[name])
        clipped = np.clip(one, *ends)
        counted = np.histogram2d(clipped[:, 1], clipped[:, 0], bins=cells, range=ends.T[::-1])[0]
        counted[counted < 5] = 0
        shares = counted[::-1] / len(one)
        turned = [shares, shares[::-1], shares[:, ::-1], shares[::-1, ::-1]]  # the signs of axes are free
        assert min(np.abs(np.array(found[name]) - side).max() for side in turned) < 1e-12

    monkeypatch.setattr("synthema.reporting.projection.BLOCK", 64)
    small = project(*tables)
    assert small["explained"] == pytest.approx(found["explained"], rel=1e-9)
    for name in ("real", "synthetic"):
        assert np.abs(np.array(small[name]) - np.array(found[name])).max() < 1e-12


@pytest.fixture(scope="module")
def page():
    real, made, holdout = (synthema.table(rows(400, seed)) for seed in (1, 2, 3))
    report = synthema.evaluate(
        made,
        real,
        holdout,
        metrics=["train_synthetic_test_real", "rows_worth"],
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


def test_columns_of_other_kinds_are_not_drawn_side_by_side():
    times, numbers = {"when": days(50, 1, 86_400)}, {"when": [float(i) for i in range(50)]}
    scores = [{"name": "column_shapes", "parts": [{"name": "when", "value": 0.1}]}]
    for real, made in ((times, numbers), (numbers, times)):
        assert compare(synthema.table(real), synthema.table(made), scores) == []
    whole = {"when": list(range(50))}
    assert len(compare(synthema.table(numbers), synthema.table(whole), scores)) == 1


def test_infinite_numbers_are_written():
    assert [decimals(value) for value in (math.inf, -math.inf, 3.0)] == ["∞", "-∞", "3"]


def test_a_learning_curve_that_is_flat_has_an_axis():
    for value in (1.0, 0.5, -3e5):
        flat = [(10.0, value), (20.0, value)]
        drawn = charts.curves([flat, flat], "rows", "Curves")
        assert drawn.count("<circle") == 4
        assert "nan" not in drawn


def test_a_report_without_models_or_columns_has_neither_part():
    text = reporting.render({"title": "t", "sections": [{"name": "s", "title": "S", "scores": []}]})
    assert 'id="use"' not in text
    assert 'id="projection"' not in text


def test_the_page_says_where_a_model_was_tested(page):
    held_out, _ = page
    assert "real rows that neither saw" in held_out
    real, made = (synthema.table(rows(400, seed)) for seed in (1, 2))
    names = ["train_synthetic_test_real"]
    report = synthema.evaluate(made, real, metrics=names, target="sick", bootstrap=0)
    assert "which the generator may have seen" in reporting.render(report)


def test_the_page_draws_roc_curves_that_the_score_holds(page):
    text, report = page
    score = report["train_synthetic_test_real"]
    assert [(curve.name, curve.of) for curve in score.curves] == [
        ("ROC", "trained on synthetic rows"),
        ("ROC", "trained on real rows"),
    ]
    for curve, area in zip(score.curves, (score.value, score.ceiling.value), strict=True):
        heights = (np.array(curve.y[1:]) + np.array(curve.y[:-1])) / 2
        assert heights @ np.diff(curve.x) == pytest.approx(area, abs=0.01)
    part = text.split("ROC curves</h3>")[1].split("</section>")[0]
    assert f"synthetic {score.value:.3f}" in part
    assert f"real {score.ceiling.value:.3f}" in part
    assert part.count("steps s1 dashed") == 2  # the line and its key


def test_several_labels_have_a_square_each_and_numbers_none():
    real, made, holdout = (synthema.table(rows(600, seed)) for seed in (1, 2, 3))
    names = ["train_synthetic_test_real"]
    report = synthema.evaluate(made, real, holdout, metrics=names, target="group", bootstrap=0)
    text = reporting.render(report)
    squares = text.split("ROC curves</h3>")[1].split("</section>")[0]
    assert squares.count("<svg") == 4  # the mean of a, b and c, and each of them
    assert "<h3>Mean of labels</h3>" in squares
    report = synthema.evaluate(made, real, holdout, metrics=names, target="y", bootstrap=0)
    assert "ROC curves</h3>" not in reporting.render(report)


def days(count, seed, spread):
    rng = np.random.default_rng(seed)
    begin = datetime(2019, 5, 6, tzinfo=timezone.utc)
    return [begin + timedelta(seconds=float(s)) for s in rng.uniform(0, spread, count)]


@pytest.mark.parametrize(
    ("spread", "width"),
    [(40, 5), (3600, 300), (86_400, 10_800), (30 * 86_400, 172_800), (90 * 86_400, 604_800)],
)
def test_times_are_drawn_in_places_of_a_clock(spread, width):
    when = days(500, 1, spread)
    edges = time_edges(min(when), max(when))
    assert edges[0] <= min(when)
    assert max(when) < edges[-1]
    assert 4 < len(edges) <= 21
    assert {(b - a).total_seconds() for a, b in pairwise(edges)} == {width}


def test_long_times_are_drawn_in_places_of_a_calendar():
    def edges(low, high):
        found = time_edges(datetime(*low, tzinfo=timezone.utc), datetime(*high, tzinfo=timezone.utc))
        return [f"{one:%m-%d}" for one in found], [one.year for one in found]

    assert edges((2015, 3, 4), (2019, 1, 1))[0][:3] == ["01-01", "04-01", "07-01"]
    places, years = edges((1932, 3, 4), (2004, 5, 6))
    assert set(places) == {"01-01"}
    assert years[:3] == [1930, 1935, 1940]
    assert edges((1, 1, 1), (9999, 12, 31))[1][-1] == 9999


def test_a_column_of_times_is_shown_by_shares():
    real, made = (synthema.table({"when": days(500, seed, 86_400 * 400)}) for seed in (1, 2))
    report = synthema.evaluate(made, real, metrics=["column_shapes"], bootstrap=0)
    scores = json.loads(report.to_json())["scores"]
    (column,) = compare(real, made, scores)
    assert column["edges"][0] == "2019-05-01"
    assert sum(column["synthetic"]) == pytest.approx(1)
    document = dict(reporting.as_document(json.loads(report.to_json())))
    document["columns"] = [column]
    assert ">2019-05<" in reporting.render(document)
