"""Privacy of tables on real data: fresh rows are at chance, a disguised copy is found out, fidelity or not."""

# ruff: noqa: E501
import numpy as np
import pytest
import synthema

pd = pytest.importorskip("pandas")
from test_tables_fidelity import SETS, independent, real  # noqa: E402, F401

RISKS = [
    "dcr_share", "near_copies", "membership_by_distance", "nnaa_privacy_loss", "singling_out_univariate", "singling_out_multivariate",
    "linkability", "attribute_inference", "membership_by_density", "dcr_share_worst_group",
]  # fmt: skip


def thirds(frame):
    """Return three parts of at most 1,500 rows: enough for risks to stand out from chance."""
    n = min(len(frame) // 3, 1500)
    return (frame[i * n : (i + 1) * n].reset_index(drop=True) for i in range(3))


def flipped(frame, share, seed=0):
    """Return the frame with a share of its cells drawn anew from their column."""
    rng = np.random.default_rng(seed)
    return frame.where(rng.random(frame.shape) >= share, independent(frame, seed))


def test_fresh_rows_are_at_chance(real):  # noqa: F811
    training, holdout, fresh = thirds(real)
    report = synthema.evaluate(fresh, training, holdout, RISKS)
    for name in RISKS:
        assert abs(report[name].value - report[name].ceiling.value) < 0.08, name


def test_a_copy_with_a_tenth_of_the_cells_flipped_is_faithful_and_unsafe(real):  # noqa: F811
    training, holdout, _ = thirds(real)
    copy = flipped(training, 0.1)
    names = [*RISKS, "rare_value_reuse", "column_shapes", "univariate_accuracy"]
    report = synthema.evaluate(copy, training, holdout, names)
    assert report["column_shapes"].value > 0.97
    assert report["univariate_accuracy"].value > 0.97
    assert report["dcr_share"].value > 0.7
    assert report["near_copies"].value > 2 * report["near_copies"].ceiling.value
    assert report["membership_by_distance"].value > 0.65
    assert report["nnaa_privacy_loss"].value > 0.1
    assert report["singling_out_multivariate"].interval.low > 0.05
    assert report["linkability"].interval.low > 0.01
    assert report["attribute_inference"].interval.low > 0.1
    assert report["membership_by_density"].value > 0.6
    assert report["dcr_share_worst_group"].value > 0.7


def test_risk_falls_as_noise_is_mixed_in(real):  # noqa: F811
    training, holdout, _ = thirds(real)
    names = ["dcr_share", "near_copies", "membership_by_distance", "attribute_inference", "exact_copies"]
    reports = [synthema.evaluate(flipped(training, share), training, holdout, names) for share in (0, 0.3, 1)]
    for name in names:
        values = [report[name].value for report in reports]
        assert values[0] > values[1] + 0.02, name
        assert values[1] >= values[2] - 0.02, name  # both may be none, of whole copies of many columns


def test_a_model_that_learnt_copies_favours_their_people(data_folder):
    if not (data_folder / SETS["adult"][0]).exists():
        pytest.skip("adult is not there")
    frame = pd.read_csv(data_folder / SETS["adult"][0], **SETS["adult"][1]).sample(3000, random_state=3)
    for column in frame.select_dtypes(exclude="number"):
        frame[column] = frame[column].astype("category")
    training, holdout, fresh = thirds(frame)
    names = ["membership_by_model"]
    copied = synthema.evaluate(training, training, holdout, names, target="income")["membership_by_model"]
    clean = synthema.evaluate(fresh, training, holdout, names, target="income")["membership_by_model"]
    assert copied.interval.low > 0.55
    assert clean.interval.low < 0.5 < clean.interval.high


def test_quasi_identifiers_bring_disclosure_and_anonymity(data_folder):
    if not (data_folder / SETS["adult"][0]).exists():
        pytest.skip("adult is not there")
    frame = pd.read_csv(data_folder / SETS["adult"][0], **SETS["adult"][1]).sample(3000, random_state=3)
    for column in frame.select_dtypes(exclude="number"):
        frame[column] = frame[column].astype("category")
    training, holdout, fresh = thirds(frame)
    options = dict(quasi_identifiers=["age", "sex", "race", "education"], secrets=["income"])
    report = synthema.evaluate(fresh, training, holdout, **options)
    copied = synthema.evaluate(training, training, holdout, ["disclosure_protection"], **options)
    score = report["disclosure_protection"]
    assert score.interval.high > score.ceiling.value - 0.05
    assert copied["disclosure_protection"].interval.high < copied["disclosure_protection"].ceiling.value
    alone = fresh.groupby(["sex", "race", "education"], observed=True).size().min()
    assert 1 <= report["k_anonymity"].value <= alone


def test_independent_columns_hand_on_rare_values_that_distances_do_not_show(data_folder):
    if not (data_folder / SETS["adult"][0]).exists():
        pytest.skip("adult is not there")
    frame = pd.read_csv(data_folder / SETS["adult"][0], **SETS["adult"][1])[["age", "fnlwgt", "hours"]]
    training, holdout, _ = thirds(frame.sample(9000, random_state=2))
    report = synthema.evaluate(
        independent(training),
        training,
        holdout,
        ["dcr_share", "rare_value_reuse", "singling_out_univariate"],
    )
    reuse = {part.name: part.value for part in report["rare_value_reuse"].parts}
    assert reuse["fnlwgt"] > 0.6 > 0.3 > report["rare_value_reuse"].ceiling.value
    assert report["singling_out_univariate"].interval.low > 0.5
    assert report["dcr_share"].value < 0.62
