"""Histories of patients: code probabilities by brute force, and measures on real follow-up data."""

import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
import synthema


def visits(seed, patients=60):
    """Return rows (patient, day, codes) of correlated visits."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        for day in range(rng.integers(1, 6)):
            codes = sorted({f"c{int(code)}" for code in rng.geometric(0.3, rng.integers(1, 5))})
            rows.append((f"p{patient}", 7 * day, codes))
    return rows


def as_table(rows):
    fields = [
        synthema.Field("patient", roles=["subject"]),
        synthema.Field("day", "integer", roles=["time"]),
        synthema.Field("codes", "list"),
    ]
    columns = dict(zip(("patient", "day", "codes"), map(list, zip(*rows, strict=True)), strict=True))
    return synthema.table(columns, synthema.Schema(fields))


def probabilities(rows, kind):
    """Count as the evaluation of HALO does."""
    of_patient = defaultdict(list)
    for patient, day, codes in rows:
        of_patient[patient].append((day, codes))
    counts, total = Counter(), 0
    for history in of_patient.values():
        codes = [codes for _, codes in sorted(history)]
        if kind == "code_r2":
            total += len(codes)
            counts.update(itertools.chain(*codes))
        elif kind == "code_pair_r2":
            total += len(codes)
            for visit in codes:
                counts.update(itertools.combinations(visit, 2))
        else:
            total += len(codes) - 1
            for before, visit in itertools.pairwise(codes):
                counts.update(itertools.product(before, visit))
    return {key: count / total for key, count in counts.items()}


@pytest.mark.parametrize("kind", ["code_r2", "code_pair_r2", "next_code_pair_r2"])
def test_code_probabilities_by_brute_force(kind):
    real, synthetic = visits(1), visits(2)
    r, s = probabilities(real, kind), probabilities(synthetic, kind)
    keys = sorted(r.keys() | s.keys())
    a, b = (np.array([table.get(key, 0) for key in keys]) for table in (r, s))
    score = synthema.evaluate(as_table(synthetic), as_table(real), metrics=[kind])[kind]
    assert score.value == pytest.approx(1 - ((a - b) ** 2).sum() / ((a - a.mean()) ** 2).sum(), rel=1e-12)


def test_follow_up_of_real_patients(data_folder):
    pd = pytest.importorskip("pandas")
    path = data_folder / "pbcseq"
    files = sorted(path.glob("*.csv*")) if path.is_dir() else []
    if not files:
        pytest.skip("pbcseq is not there")
    frame = pd.read_csv(files[0])
    columns = {c.lower(): c for c in frame.columns}
    kept = frame[[columns[c] for c in ("id", "day", "bili", "albumin", "protime")]]
    kept.columns = ["patient", "day", "bili", "albumin", "protime"]
    kept = kept.astype({"patient": str})
    schema = synthema.Schema(
        [
            synthema.Field("patient", roles=["subject"]),
            synthema.Field("day", "real", roles=["time"]),
            *(synthema.Field(c, "real") for c in ("bili", "albumin", "protime")),
        ]
    )
    rng = np.random.default_rng(0)
    chosen = kept["patient"].isin(rng.permutation(kept["patient"].unique())[::2])
    one, other = (synthema.table(half, schema) for half in (kept[chosen], kept[~chosen]))
    names = [
        "visits_per_subject",
        "visit_gaps",
        "row_differences",
        "autocorrelation",
        "between_subject_share",
    ]
    fresh = synthema.evaluate(other, one, metrics=names)
    for name in names:
        assert fresh[name].value > 0.7
    assert fresh["between_subject_share"].floor.value < fresh["between_subject_share"].value - 0.1
    assert fresh["visit_gaps"].floor.value < fresh["visit_gaps"].value


def test_survival_needs_its_columns_and_finds_what_is_shifted():
    rng = np.random.default_rng(3)
    times = rng.exponential(10, 400)
    real = {"time": times.tolist(), "death": (rng.uniform(size=400) < 0.7).astype(int).tolist()}
    longer = {**real, "time": (2 * times).tolist()}
    name = "kaplan_meier_distance"
    assert "No columns" in synthema.evaluate(real, real, metrics=[name])[name].undefined
    options = {"metrics": [name], "duration": "time", "event": "death"}
    assert synthema.evaluate(real, real, **options)[name].value == 0
    score = synthema.evaluate(longer, real, **options)[name]
    parts = {part.name: part.value for part in score.parts}
    assert score.value > 0.05
    assert parts["optimism"] == pytest.approx(score.value)
    assert score.ceiling.value < score.value


def test_a_follow_up_without_its_event_is_refused():
    rows = synthema.table({"x": [1.0, 2.0], "died": [0, 1]})
    for name, column in (("duration", "x"), ("event", "died")):
        for asked in (synthema.evaluate, synthema.forecast):
            with pytest.raises(synthema.ConfigError, match=f"Only '{name}' was given"):
                asked(rows, rows, **{name: column})
