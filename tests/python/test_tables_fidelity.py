"""Accuracy of tables on real data: known constructions, and the shipped reference where it is installed."""

# ruff: noqa: E501
import numpy as np
import pytest
import synthema
from synthema.reporting import render

pd = pytest.importorskip("pandas")
ADULT = [
    "age", "workclass", "fnlwgt", "education", "education_num", "marital", "occupation", "relationship", "race", "sex",
    "gain", "loss", "hours", "country", "income",
]  # fmt: skip
SETS = {
    "adult": ("adult_income/adult-train.csv.gz", {"header": None, "names": ADULT, "skipinitialspace": True, "na_values": "?"}),
    "nhanes": ("nhanes_small/nhanes.csv", {}),
    "support2": ("support2/support2.csv.gz", {}),
}  # fmt: skip


@pytest.fixture(params=SETS)
def real(request, data_folder):
    """Return a frame of at most 8,000 rows; texts as categories."""
    name, options = SETS[request.param]
    if not (data_folder / name).exists():
        pytest.skip(f"{name} is not there")
    frame = pd.read_csv(data_folder / name, **options)
    frame = frame.sample(min(len(frame), 8000), random_state=1)
    for column in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[column]):
            frame[column] = frame[column].astype("category")
    return frame.reset_index(drop=True)


def independent(frame, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({c: frame[c].to_numpy()[rng.permutation(len(frame))] for c in frame}).astype(
        frame.dtypes.to_dict()
    )


def test_accuracy_of_half_the_rows_is_near_the_ceiling_and_of_shuffled_columns_near_the_floor(real):
    half = len(real) // 2
    near = 0.02 if half > 1000 else 0.06
    one, other = real[:half], real[half:]
    names = ["univariate_accuracy", "bivariate_accuracy", "trivariate_accuracy"]
    fresh = synthema.evaluate(other, one, metrics=names)
    shuffled = synthema.evaluate(independent(one), one, metrics=names)
    for name in names:
        assert fresh[name].value == pytest.approx(fresh[name].ceiling.value, abs=near)
        assert fresh[name].no_interval
    assert shuffled["univariate_accuracy"].value == pytest.approx(1, abs=1e-12)
    for name in names[1:]:
        assert shuffled[name].value == pytest.approx(shuffled[name].floor.value, abs=0.01)
        assert shuffled[name].value < shuffled[name].ceiling.value - 0.01


def test_accuracy_of_the_table_itself_is_one_in_any_order(real):
    turned = real.iloc[::-1]
    for convention in ("synthema", "mostlyai"):
        report = synthema.evaluate(turned, real, metrics=["accuracy"], convention=convention)
        assert report["accuracy"].value == pytest.approx(1, abs=1e-12)
        assert report["accuracy"].convention == convention


def test_a_column_that_numbers_the_rows_is_left_out_and_the_report_says_so():
    rng = np.random.default_rng(3)
    real = {"index": list(range(200)), "x": rng.normal(size=200).tolist()}
    synthetic = {"index": list(range(1000, 1200)), "x": rng.normal(size=200).tolist()}
    report = synthema.evaluate(synthetic, real, metrics=["classifier_two_sample"])
    assert report["classifier_two_sample"].value < 0.75
    assert 'left out, as identifiers are: "index"' in str(report)
    assert "left out, as identifiers are: &#x27;index&#x27;" in render(report)
    kept = synthema.Schema(
        [synthema.Field("index", "integer", roles=["target"]), synthema.Field("x", "real")]
    )
    report = synthema.evaluate(
        synthetic, synthema.table(real, kept), metrics=["column_shapes"], target="index"
    )
    assert "left out" not in str(report)


@pytest.mark.parametrize(("unit", "origin"), [(1e300, 0.0), (1e-300, 0.0), (5e-324, 0.0), (1, 2**52)])
def test_numbers_of_any_size_are_measured_as_those_of_another_unit(unit, origin):
    """Squares of 1e300 are infinite, those of 1e-300 none; sums of numbers near 2^52 lose their ends."""
    draw = np.random.default_rng(0).integers
    real, synthetic, group = draw(0, 50, 200), draw(20, 60, 200), draw(0, 2, 200)

    def scores(scale, start):
        number = int if start else float
        tables = [
            synthema.table(
                {"x": [number(v * scale + start) for v in x.tolist()], "y": [f"g{v}" for v in group.tolist()]}
            )
            for x in (synthetic, real)
        ]
        names = [
            "mean_similarity",
            "median_similarity",
            "deviation_similarity",
            "classifier_two_sample_logistic",
        ]
        return [score.value for score in synthema.evaluate(*tables, metrics=names)]

    assert scores(unit, origin) == pytest.approx(scores(1, 0), abs=0.01)


def test_numbers_that_lie_farther_apart_than_the_largest_one_end_no_evaluation():
    rng = np.random.default_rng(0)
    real, synthetic = (
        synthema.table(
            {"x": (rng.choice([-1.7e308, 1.7e308], 100) * rng.random(100)).tolist(), "y": ["a", "b"] * 50}
        )
        for _ in range(2)
    )
    score = synthema.evaluate(synthetic, real, metrics=["classifier_two_sample_logistic"])
    assert 0 <= score["classifier_two_sample_logistic"].value <= 1


def test_whole_numbers_that_reals_cannot_tell_apart_are_told():
    def said(first, spread):
        draw = np.random.default_rng(0).integers
        real, synthetic = ({"code": [first + int(v) for v in draw(0, spread, 100)]} for _ in range(2))
        report = synthema.evaluate(synthetic, real, metrics=["column_shapes"])
        return [one for one in report.facts.get("left_out") or [] if "2^53" in one]

    assert "'code'" in said(2**60, 50)[0]
    assert not said(2**52, 50)
    assert not said(1_700_000_000_000_000_000, 10**16)  # nanoseconds of some months


def test_a_column_without_any_value_is_not_called_a_free_text():
    rows = synthema.table({"age": list(range(40)), "nothing": [None] * 40})
    report = synthema.evaluate(rows, rows, metrics=["column_shapes"])
    assert not report.facts.get("left_out")
