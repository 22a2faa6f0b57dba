"""Evaluation of random and of broken frames: a named error, or a score with a value or a reason; no crash."""

import json
import math
import warnings

import numpy as np
import pytest
import synthema

pd = pytest.importorskip("pandas")
hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

WORDS = ["pain", "fever", "since", "days", "no", "the", "ä", "Dr. Lee", "on 1/2/2020", "denies", "12"]


def some(rng, values, n, missing=0.1):
    """Draw values with gaps at a rate."""
    out = [values[i] for i in rng.integers(0, len(values), n)]
    return [None if rng.random() < missing else value for value in out]


def texts(rng, n):
    return [" ".join(rng.choice(WORDS, rng.integers(0, 30))) for _ in range(n)]


# A column of n values by a generator of numpy.
KINDS = {
    "number": lambda rng, n: pd.Series(
        np.where(rng.random(n) < 0.1, math.nan, rng.normal(50, 10, n)), dtype=float
    ),
    "tied": lambda rng, n: pd.Series(some(rng, [0.0, 1.0, 1.5, 2.0, -1.0], n), dtype=float),
    "heavy": lambda rng, n: pd.Series(rng.standard_cauchy(n) * 10.0 ** rng.integers(-3, 6), dtype=float),
    "whole": lambda rng, n: pd.Series(rng.integers(0, 100, n)),
    "large": lambda rng, n: pd.Series(rng.integers(-(2**40), 2**40, n)),
    "nullable": lambda rng, n: pd.Series(some(rng, [0, 1, 2, 3, 40], n), dtype="Int64"),
    "label": lambda rng, n: pd.Series(
        pd.Categorical(some(rng, ["a", "b", "c", "ä"], n), ["a", "b", "c", "ä", "never"])
    ),
    "skewed": lambda rng, n: pd.Series(
        rng.choice(["yes", "no", "rare"], n, p=[0.9, 0.08, 0.02]), dtype="category"
    ),
    "strings": lambda rng, n: pd.Series(some(rng, ["a", "b", "", "1", "c d"], n), dtype=object),
    "flag": lambda rng, n: pd.Series(rng.random(n) < 0.3),
    "maybe": lambda rng, n: pd.Series(some(rng, [True, False], n), dtype="boolean"),
    "time": lambda rng, n: pd.Series(pd.to_datetime(rng.integers(0, 2 * 10**9, n), unit="s")),
    "duration": lambda rng, n: pd.Series(rng.exponential(5, n)),
    "person": lambda rng, n: pd.Series([f"p{i}" for i in rng.integers(0, max(1, n // 3), n)], dtype=object),
    "term": lambda rng, n: pd.Series(rng.choice(["T1", "T2", "T3"], n), dtype=object),
    "note": lambda rng, n: pd.Series(texts(rng, n), dtype=object),
    "codes": lambda rng, n: pd.Series(
        [[str(c) for c in rng.integers(0, 5, rng.integers(0, 4))] for _ in range(n)], dtype=object
    ),
}
COMMON = [
    "number",
    "tied",
    "heavy",
    "whole",
    "nullable",
    "label",
    "skewed",
    "flag",
    "maybe",
    "time",
    "duration",
]
NAMES = ["a", "b", "c", "d", "text"]
ROLES = {"who": "subject", "when": "time", "text": "", "is": "label"}
TERMS = [
    {"id": "T1", "name": "pain", "synonyms": ["fever"]},
    {"id": "T2", "name": "days"},
    {"id": "T3", "name": "no"},
]


def copied(rng, frame, real):
    return real.copy() if len(real) else frame


def with_column(make):
    """Return a fault that changes one column, drawn by the generator."""

    def change(rng, frame, real):
        if frame.shape[1] == 0:
            return frame
        name = frame.columns[rng.integers(0, frame.shape[1])]
        return frame.assign(**{name: make(rng, len(frame))})

    return change


# What may be wrong with a table, or worth a look: (rng, its rows, the real rows) to rows.
FAULTS = {
    "column lost": lambda rng, frame, real: frame.drop(columns=frame.columns[:1]),
    "column more": lambda rng, frame, real: frame.assign(more=1.0),
    "columns turned": lambda rng, frame, real: frame[frame.columns[::-1]],
    "other kind": with_column(lambda rng, n: KINDS[sorted(KINDS)[rng.integers(0, len(KINDS))]](rng, n)),
    "all missing": with_column(lambda rng, n: pd.Series([math.nan] * n)),
    "constant": with_column(lambda rng, n: pd.Series([7.0] * n)),
    "huge": with_column(lambda rng, n: pd.Series(rng.choice([1e308, -1e308, 0, 5e-324], n))),
    "infinite": with_column(lambda rng, n: pd.Series(rng.choice([math.inf, 1.0], n))),
    "unseen labels": with_column(lambda rng, n: pd.Series(rng.choice(["x", "y"], n), dtype="category")),
    "no rows": lambda rng, frame, real: frame[:0],
    "one row": lambda rng, frame, real: frame[:1],
    "two rows": lambda rng, frame, real: frame[:2],
    "one row many times": lambda rng, frame, real: (
        frame.iloc[[0] * len(frame)].reset_index(drop=True) if len(frame) else frame
    ),
    "copied": copied,
}


@st.composite
def frames(draw):
    """Draw real, synthetic and holdout rows of the same columns; one table in ten has a fault."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    names = NAMES[: draw(st.integers(1, 5))]
    kinds = {
        name: draw(st.sampled_from(sorted(KINDS) if draw(st.integers(0, 3)) == 0 else COMMON))
        for name in names
    }
    if "text" in kinds and draw(st.booleans()):
        kinds |= {"text": "note", "is": "term", "reference": "note"}
    if draw(st.integers(0, 2)) == 0:
        kinds |= {"who": "person", "when": "whole"}
    rows = draw(st.sampled_from([3, 12, 30, 60]))
    out = []
    for _ in range(3):
        n = rows if draw(st.integers(0, 2)) else max(2, rows // 2 + 1)
        frame = pd.DataFrame({name: KINDS[kind](rng, n) for name, kind in kinds.items()}, index=range(n))
        if draw(st.integers(0, 9)) == 0:
            frame = FAULTS[draw(st.sampled_from(sorted(FAULTS)))](rng, frame, out[0] if out else frame)
        out.append(frame)
    return out


def with_roles(frame):
    """Return the schema that follows from a frame, with the roles that its columns have by their names."""
    schema = json.loads(synthema.table(frame).schema.to_json())
    for field in schema["fields"]:
        if role := ROLES.get(field["name"]):
            field["roles"] = [role]
    return synthema.Schema.from_json(json.dumps(schema))


@st.composite
def options(draw, real):
    """Draw keywords that name columns, which other tables may not have, and a schema where roles need one."""
    names = list(real.columns) or ["a"]
    columns = st.sampled_from(names)
    maybe = st.one_of(st.none(), st.none(), columns)
    return {
        "target": draw(maybe),
        "sensitive": draw(maybe),
        "duration": draw(maybe),
        "event": draw(maybe),
        "quasi_identifiers": draw(st.lists(columns, max_size=2, unique=True)),
        "secrets": draw(st.lists(columns, max_size=1)),
        "learner": draw(st.sampled_from(["boosted_trees", "linear_model"])),
        "convention": draw(
            st.sampled_from(
                ["synthema"] * 4 + ["sdmetrics", "mostlyai", "syntheval", "synthcity", "anonymeter"]
            )
        ),
        "seed": draw(st.integers(0, 3)),
        "schema": with_roles(real) if {"who", "is"} & set(names) else None,
        "terms": TERMS if "is" in names else None,
    }


def finite(*numbers):
    return all(number is None or math.isfinite(number) for number in numbers)


def try_all(synthetic, real, holdout=None, **options):
    """Evaluate and look at what comes out: a report, or the named error, which is fine, too."""
    given_ = [one if one is None else one.copy(deep=True) for one in (synthetic, real, holdout)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The holdout is not of the same population")
        try:
            report = synthema.evaluate(synthetic, real, holdout, bootstrap=20, triples=20, **options)
        except synthema.Error as error:
            return error
    for before, after in zip(given_, (synthetic, real, holdout), strict=True):
        if before is not None:
            pd.testing.assert_frame_equal(before, after)
    for score in report.scores:
        assert (score.value is None) == bool(score.undefined), score.name
        if score.value is None:
            continue
        assert math.isfinite(score.value), score
        low, high = score.range
        assert low - 1e-6 <= score.value <= high + 1e-6, score
        assert score.interval is not None or score.no_interval, score.name
        if score.interval is not None:  # no certainty; a risk that is cut at 0 may end there
            assert score.interval.low < score.interval.high or score.interval.high == 0, score
            assert finite(score.interval.low, score.interval.high), score
            assert low - 1e-6 <= score.interval.low, score
            assert score.interval.high <= high + 1e-6, score
        for bound in (score.ceiling, score.floor):
            assert bound is None or low - 1e-6 <= bound.value <= high + 1e-6, score
        assert finite(*(part.value for part in score.parts)), score
    assert "NaN" not in report.to_json()
    synthema.Report.from_json(report.to_json())
    return report


@settings(
    deadline=None, max_examples=25, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)
@given(st.data(), st.sampled_from(["default", "full"]))
def test_random_frames(data, level):
    real, synthetic, holdout = data.draw(frames())
    chosen = data.draw(options(real))
    try_all(synthetic, real, holdout if data.draw(st.integers(0, 4)) else None, level=level, **chosen)


FRAME = pd.DataFrame(
    {"x": [float(i % 7) for i in range(40)], "c": pd.Series(list("abcd") * 10, dtype="category")}
)
BAD = {
    "missing column": FRAME[["x"]],
    "other types": FRAME.assign(x=FRAME["c"], c=FRAME["x"]),
    "all missing": FRAME.assign(x=math.nan),
    "constant": FRAME.assign(x=1.0, c=pd.Series(["a"] * 40, dtype="category")),
    "one row": FRAME[:1],
    "no rows": FRAME[:0],
    "unseen categories": FRAME.assign(c=pd.Series(list("wxyz") * 10, dtype="category")),
    "infinities": FRAME.assign(x=[math.inf, -math.inf] * 20),
    "huge": FRAME.assign(x=[1e308, -1e308] * 20),
    "zoned times": FRAME.assign(
        x=pd.date_range("2020-01-01", periods=40, tz="Europe/Berlin").astype("datetime64[us, Europe/Berlin]")
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_frames(name):
    bad = BAD[name]
    for synthetic, real, holdout in (
        (bad, FRAME, FRAME),
        (FRAME, bad, FRAME),
        (FRAME, FRAME, bad),
        (bad, bad, bad),
    ):
        try_all(synthetic, real, holdout, level="full", target="c", quasi_identifiers=["x"], secrets=["c"])


def test_mixed_time_zones():
    there = FRAME.assign(t=pd.date_range("2020-01-01", periods=40, tz="Asia/Tokyo"))
    here = FRAME.assign(t=pd.date_range("2020-01-01", periods=40, tz="UTC"))
    naive = FRAME.assign(t=pd.date_range("2020-01-01", periods=40))
    for synthetic, real in ((there, here), (naive, here), (there, naive)):
        try_all(synthetic, real, here)


def test_duplicate_names_are_refused():
    twice = pd.concat([FRAME, FRAME[["x"]]], axis=1)
    with pytest.raises(synthema.SchemaError, match="x"):
        synthema.evaluate(twice, FRAME)
    with pytest.raises(synthema.SchemaError, match="x"):
        synthema.evaluate(FRAME, twice)


def test_ten_thousand_columns():
    wide = pd.DataFrame({f"c{i}": [i % 3, (i + 1) % 5, 2.5, 1.0] for i in range(10_000)})
    names = [
        *("column_shapes", "exact_copies", "rare_value_reuse", "dcr", "dcr_share", "dcr_share_worst_group"),
        "singling_out_multivariate",
        "column_pairs",
    ]
    report = try_all(wide, wide, wide, metrics=names)
    assert report["dcr"].value == 0
    assert "10000 columns" in report["column_pairs"].undefined
