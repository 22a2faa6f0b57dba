"""Forecasts of cost, remaining time, cancelling, and the study card."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
import synthema
from synthema import forecasting


def frame(rows, seed=0):
    rng = np.random.default_rng(seed)
    return synthema.table({f"x{i}": rng.normal(size=rows).tolist() for i in range(5)})


def test_a_forecast_names_every_measure_and_grows_with_the_rows():
    names = ["dcr", "nnaa", "column_shapes"]
    small = synthema.forecast(frame(600), frame(600, 1), metrics=names)
    large = synthema.forecast(frame(40_000), frame(40_000, 1), metrics=names)
    assert set(small.by_name) == set(large.by_name) == set(names)
    assert large.seconds > 3 * small.seconds
    assert large.memory_bytes > small.memory_bytes
    assert str(large).startswith("about ")


def wide(rows, columns, seed=0):
    rng = np.random.default_rng(seed)
    made = {f"x{i}": rng.normal(size=rows).tolist() for i in range(columns // 2)}
    made |= {f"c{i}": [str(k) for k in rng.integers(0, 3, rows)] for i in range(columns // 2)}
    made["y"] = [("no", "yes")[int(k)] for k in rng.integers(0, 2, rows)]
    return synthema.table(made)


def test_a_forecast_looks_at_a_part_of_a_wide_table(monkeypatch):
    seen = []

    def evaluate(synthetic, *others, **options):
        seen.append([one for one in (synthetic, *others) if one is not None])
        return synthema.evaluate(synthetic, *others, **options)

    monkeypatch.setattr("synthema.forecasting.evaluate", evaluate)
    tables = wide(300, 120), wide(300, 120, 1), wide(200, 110, 2)
    plan = synthema.forecast(*tables, target="y", bootstrap=0)
    report = synthema.evaluate(*tables, target="y", bootstrap=0, triples=10)
    assert set(plan.by_name) == {one.name for one in report.timings}
    assert min(plan.by_name.values()) >= 0
    for run in seen:
        for one in run:
            assert len(one.names) <= 24
            assert "y" in one.names
        kinds = [field.kind for field in run[0].schema.fields]
        assert kinds.count("real") > 8
        assert len(kinds) - kinds.count("real") > 8


def test_a_forecast_knows_how_many_labels_are_classes(monkeypatch):
    monkeypatch.setattr("synthema.forecasting._seconds_of_tree", lambda *part: 0.001)
    rows = {"x": np.arange(1000.0), "y": [f"code {k % 80}" for k in range(1000)]}
    name = "train_synthetic_test_real"
    seconds = [
        synthema.forecast(rows, rows, target="y", metrics=[name], **options).by_name[name]
        for options in ({"target_labels": 0}, {}, {"target_labels": 10})
    ]
    assert seconds[0] == pytest.approx(8 * seconds[2])
    assert seconds[1] == pytest.approx(5 * seconds[2])


@pytest.mark.parametrize("stated", [False, True])
def test_labels_beyond_the_rows_that_are_tried_are_left_aside(stated):
    """Measures look at all labels: 125 rows took as long as all, and this was multiplied by the rows."""
    pandas = pytest.importorskip("pandas")
    labels = [f"code {i}" for i in range(5000)]
    frame = pandas.DataFrame(
        {"c": pandas.Categorical(labels * 2, labels, ordered=stated), "x": range(10_000)}
    )
    part = forecasting._part(synthema.table(frame), 125)
    assert part.values("c") == labels[:125]
    assert len(synthema.table(part).to_pandas()["c"].cat.categories) == 125


def test_tables_without_rows_take_no_time():
    none = synthema.table({"x": [1.0], "y": ["a"]}).head(0)
    assert synthema.forecast(none, none).seconds < 1


def test_one_class_is_refused_before_anything_is_foretold():
    rows = {"x": np.arange(40.0), "y": ["a", "b"] * 20}
    name = "train_synthetic_test_real"
    with pytest.raises(synthema.ConfigError, match="two classes at least"):
        synthema.forecast(rows, rows, target="y", metrics=[name], target_labels=1)


def test_pairs_of_columns_are_foretold_by_the_square(monkeypatch):
    monkeypatch.setattr(
        "synthema.forecasting._seconds",
        lambda tables, rows, options: {one: 0.001 * rows for one in options["metrics"]},
    )
    names = ["column_pairs", "column_shapes", "trivariate_accuracy"]
    narrow, broad = (
        synthema.forecast(wide(50, columns), wide(50, columns, 1), metrics=names).by_name
        for columns in (23, 240)
    )
    times = 241 / 24
    assert broad["column_shapes"] == pytest.approx(0.05 * times)
    assert broad["column_pairs"] == pytest.approx(0.05 * times**2)
    assert narrow["column_pairs"] == pytest.approx(0.05)
    triples = [min(10_000, 23 * 22 * 21 // 6) / 500, 20]
    for plan, many in zip((narrow, broad), triples, strict=True):
        assert plan["trivariate_accuracy"] == pytest.approx(0.05 * many)
    whole = synthema.forecast(wide(50, 240), wide(50, 240, 1), metrics=["accuracy", "trivariate_accuracy"])
    assert whole.by_name["accuracy"] > broad["trivariate_accuracy"]
    assert whole.by_name["trivariate_accuracy"] == 0  # by then it is there


def test_what_is_slow_is_carried_on_from_fewer_rows(monkeypatch):
    sizes = {}

    def seconds(tables, rows, options):
        for one in options["metrics"]:
            sizes.setdefault(one, set()).add(rows)
        return {"column_shapes": 1e-6 * rows, "dcr": 0.01 * rows}

    monkeypatch.setattr("synthema.forecasting._seconds", seconds)
    plan = synthema.forecast(frame(2000), frame(2000, 1), metrics=["dcr", "column_shapes"])
    assert sizes == {"dcr": {125}, "column_shapes": {125, 500, 2000}}
    assert plan.by_name["dcr"] == pytest.approx(20)


def test_what_measures_share_is_counted_once(monkeypatch):
    # the first to come takes the time of both: by chance another one in each run
    monkeypatch.setattr(
        "synthema.forecasting._seconds",
        lambda tables, rows, options: {
            one: 1e-4 * rows * (k == rows % 2) for k, one in enumerate(options["metrics"])
        },
    )
    names = ["density", "coverage"]
    plan = synthema.forecast(frame(8000), frame(8000, 1), metrics=names, level="full")
    assert set(plan.by_name) == set(names)
    assert plan.seconds == pytest.approx(0.8)


def test_an_interruption_of_a_short_fit_is_not_carried_on(monkeypatch):
    seen = []

    def seconds(generator, part):
        seen.append(len(part))
        late = 0.03 if len(part) == 2000 else 0.0
        return {"fit": 2e-6 * len(part) + late, "sample": 1e-6 * len(part)}

    monkeypatch.setattr("synthema.forecasting._seconds_of_fit", seconds)
    many = synthema.table({"x": [True, False] * 300_000})
    plan = synthema.SequentialTrees().estimate(many)
    assert plan.by_name == pytest.approx({"fit": 1.2, "sample": 0.6})
    assert seen == [125, 500, 2000, 8000, 32_000, 128_000]


@pytest.mark.parametrize(("each_row", "sizes"), [(0.1, [125]), (0.005, [125, 500, 2000]), (1e-6, [125, 500])])
def test_a_slow_fit_is_foretold_from_few_rows(each_row, sizes, monkeypatch):
    seen = []

    def seconds(generator, part):
        seen.append(len(part))
        return {"fit": each_row * len(part), "sample": 0.0}

    monkeypatch.setattr("synthema.forecasting._seconds_of_fit", seconds)
    rows = 1000 if each_row == 1e-6 else 3000
    plan = synthema.SequentialTrees().estimate({"x": [True, False] * (rows // 2)})
    assert plan.seconds == pytest.approx(each_row * rows)
    assert seen == sizes


def test_searches_are_shared_between_measures():
    from synthema.forecasting import _searched

    sizes = {"s": 300, "t": 200, "h": 100}
    assert _searched(["dcr", "nndr", "nnaa"], sizes) == {
        "dcr": [(300, 200), (100, 200)],
        "nndr": [],
        "nnaa": [(100, 100)] * 4,
    }
    assert _searched(["nndr"], sizes | {"h": 0}) == {"nndr": [(300, 200), (200, 200)]}
    alike = _searched(["dcr", "identifiability", "nnaa"], dict.fromkeys("sth", 50))
    assert [len(one) for one in alike.values()] == [2, 2, 1]


def test_the_remaining_time_falls_to_nothing(monkeypatch):
    now = iter(range(0, 1000, 10))
    monkeypatch.setattr("synthema.forecasting.time.monotonic", lambda: next(now))
    seen = []
    plan = synthema.Forecast({"a": 10.0, "b": 30.0}, 0)
    sink = synthema.with_remaining(seen.append, plan)
    for done, name in enumerate(["a", "b", ""]):
        sink(SimpleNamespace(phase="evaluate", done=done, total=2, note=name, tokens=0))
    assert [one.note for one in seen] == ["a", "b, about 51 s left", ""]


def test_short_measures_say_little_of_the_remaining_time(monkeypatch):
    """The first took a hundred times what was foretold, which is no ground to wait two days for the rest."""
    now = iter([0, 0, 100])
    monkeypatch.setattr("synthema.forecasting.time.monotonic", lambda: next(now))
    seen = []
    sink = synthema.with_remaining(seen.append, synthema.Forecast({"a": 1.0, "b": 1800.0}, 0))
    for done, name in enumerate(["a", "b"]):
        sink(SimpleNamespace(phase="evaluate", done=done, total=2, note=name, tokens=0))
    assert seen[-1].note == "b, about 46 min 24 s left"


def test_cancelling_ends_the_work_with_a_named_error():
    token = synthema.CancelToken()
    with pytest.raises(synthema.Cancelled):
        synthema.evaluate(
            frame(500),
            frame(500, 1),
            metrics=["dcr", "nnaa"],
            cancel=token,
            progress=lambda _: token.cancel(),
        )
    other = synthema.CancelToken()
    thread = threading.Timer(0.05, other.cancel)
    thread.start()
    with pytest.raises(synthema.Cancelled):
        synthema.evaluate(frame(60_000), frame(60_000, 1), metrics=["nnaa"], cancel=other)
    assert synthema.evaluate(frame(50), frame(50, 1), metrics=["dcr"])["dcr"].value is not None


def test_the_card_has_every_field_and_takes_what_is_known():
    rows = synthema.table(
        {"text": ["a b", "c d"], "y": [1.0, 2.0]},
        synthema.Schema(
            [synthema.Field("text"), synthema.Field("y", "real")], source="Somewhere 1.0", licence="CC-BY-4.0"
        ),
    )
    scores = [{"name": "dcr", "value": 0.1}, {"name": "bleu", "undefined": "no reference"}]
    card = synthema.study_card(rows, scores, target="y", architecture="GPT")
    assert list(card) == list(synthema.cards.FIELDS)
    assert card["modality"] == "Text"
    assert (card["size"], card["n_metrics"], card["downstream_task"]) == (2, 1, "REG")
    assert (card["licence"], card["source"], card["architecture"]) == ("CC-BY-4.0", "Somewhere 1.0", "GPT")
    assert card["metrics"][0]["privacy"]
    with pytest.raises(synthema.ConfigError, match="no field 'colour'"):
        synthema.study_card(rows, scores, colour="red")
    for name in ("n_metrics", "metrics", "size", "intrinsic"):
        with pytest.raises(synthema.ConfigError, match=f"'{name}' of a study card is measured"):
            synthema.study_card(rows, scores, **{name: 999})


def test_labels_that_a_frame_keeps_as_texts_make_no_card_of_texts():
    rows = {"age": list(range(40)), "sex": ["f", "m"] * 20, "smokes": [True, False] * 20}
    card = synthema.study_card(synthema.table(rows), [])
    assert (card["modality"], card["language"]) == ("Tabular", None)
    notes = synthema.table(rows | {"note": [f"a note of day {day}" for day in range(40)]})
    assert synthema.study_card(notes, [])["modality"] == "Text, tabular"


def test_the_text_column_is_kept_that_the_real_rows_tell():
    rng = np.random.default_rng(1)

    def rows(count):
        def wards():
            return [f"ward {k} of the house" for k in rng.integers(0, 12, count)]

        made = {f"t{i}": wards() for i in range(28)}
        made["note"] = [f"pain since {x} days" for x in rng.random(count)]
        return synthema.table(made | {f"u{i}": wards() for i in range(32)})

    # A few rows take columns of labels for texts too, and with several texts none of them is the one.
    few, wider = forecasting._fewer_columns([rows(12), rows(500), None], forecasting.option_defaults())
    assert wider > 1
    assert "note" in few[0].names
    assert "note" in few[1].names
