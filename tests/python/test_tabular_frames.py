"""A sample as the same frame that was fitted: its columns in their order, with their types."""

import datetime

import numpy as np
import pytest
import synthema
from synthema import Field, GenerationError, Schema
from synthema.tabular_generation import SequentialTrees

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")

ROWS = 120
DAY = datetime.date(2020, 1, 1)
DAYS = [DAY + datetime.timedelta(days=i % 40) for i in range(ROWS)]
TIMES = [datetime.datetime(2020, 1, 1) + datetime.timedelta(hours=i) for i in range(ROWS)]
LABELS = ["low", "mid", "high"]
WIDTHS = ("int8", "uint16", "int32")


def holes(values):
    """Every fifth value is missing."""
    return [None if i % 5 == 0 else value for i, value in enumerate(values)]


def pandas_frame():
    integers = range(ROWS)

    def dictionary(values):
        return pandas.ArrowDtype(pyarrow.dictionary(pyarrow.int8(), values))

    columns = {
        **{width: pandas.Series([i % 50 for i in integers], dtype=width) for width in WIDTHS},
        **{width: pandas.Series(holes(integers), dtype=width) for width in ("Int64", "Int8", "Float32")},
        "whole": pandas.array(integers, dtype="Int64"),
        "float32": pandas.Series([i / 7 for i in integers], dtype="float32"),
        "float64": [float(i) for i in integers],
        "boolean": pandas.array(holes(i % 2 == 0 for i in integers), dtype="boolean"),
        "bool": [i % 3 == 0 for i in integers],
        "string": pandas.array(["ab"[i % 2] for i in integers], dtype="string"),
        "text": ["ab"[i % 2] for i in integers],
        "object": pandas.Series(["ab"[i % 2] for i in integers], dtype=object),
        "seconds": pandas.Series(TIMES).astype("datetime64[s]"),
        "zoned": pandas.Series(TIMES).dt.tz_localize("Europe/Berlin"),
        "date": pandas.Series(DAYS, dtype=object),
        "ordered": pandas.Categorical([LABELS[i % 3] for i in integers], categories=LABELS, ordered=True),
        "dictionary": pandas.Series(["ab"[i % 2] for i in range(ROWS)], dtype=dictionary(pyarrow.string())),
        "codes": pandas.Series([(30, 4)[i % 2] for i in range(ROWS)], dtype=dictionary(pyarrow.int16())),
        "numbered": pandas.Categorical([(30, 4, 100)[i % 3] for i in integers], categories=[100, 4, 30]),
    }  # fmt: skip
    return pandas.DataFrame(columns)


def polars_frame():
    types = {
        **{f"i{i}": kind for i, kind in enumerate((polars.Int8, polars.UInt16, polars.Int32, polars.Int64))},
        "f": polars.Float32,
        "date": polars.Date,
        **{unit: polars.Datetime(unit) for unit in ("ms", "us", "ns")},
        "zoned": polars.Datetime("ms", "UTC"),
        "enum": polars.Enum(["b", "a"]),
        "category": polars.Categorical,
        "text": polars.String,
        "bool": polars.Boolean,
    }
    values = {
        "integer": [i % 50 for i in range(ROWS)], "time": TIMES, "text": ["ab"[i % 2] for i in range(ROWS)],
    }  # fmt: skip

    def of(dtype):
        if dtype == polars.Boolean:
            return polars.Series([i % 2 == 0 for i in range(ROWS)])
        if dtype == polars.Date:
            return polars.Series(DAYS)
        if dtype.is_temporal():
            times = polars.Series(TIMES)
            return (times.dt.replace_time_zone(dtype.time_zone) if dtype.time_zone else times).cast(dtype)
        return polars.Series(values["integer" if dtype.is_numeric() else "text"]).cast(dtype)

    return polars.DataFrame({name: of(dtype) for name, dtype in types.items()})


def arrow_frame():
    text = pyarrow.array(["ab"[i % 2] for i in range(ROWS)])
    return pyarrow.table(
        {
            "i32": pyarrow.array([i % 50 for i in range(ROWS)], pyarrow.int32()),
            "u8": pyarrow.array(holes(i % 50 for i in range(ROWS)), pyarrow.uint8()),
            "f": pyarrow.array([i / 7 for i in range(ROWS)], pyarrow.float32()),
            "date": pyarrow.array(DAYS, pyarrow.date32()),
            "s": pyarrow.array(TIMES, pyarrow.timestamp("s")),
            "text": text,
            "view": text.cast(pyarrow.string_view()),
            "codes": text.dictionary_encode().cast(pyarrow.dictionary(pyarrow.int8(), pyarrow.string())),
        }
    )


def types_of(frame):
    """Name and type of each column, in their order."""
    if isinstance(frame, pyarrow.Table):
        return [(one.name, one.type) for one in frame.schema]
    return list(frame.schema.items()) if isinstance(frame, polars.DataFrame) else list(frame.dtypes.items())


@pytest.mark.parametrize("frame", [pandas_frame, polars_frame, arrow_frame])
def test_the_same_frame_has_the_same_types_in_the_same_order(frame):
    real = frame()
    made = SequentialTrees().fit(real).sample(40, seed=1, frame="same")
    assert type(made) is type(real)
    assert types_of(made) == types_of(real)
    names = list(dict(types_of(real)))
    turned = Schema([synthema.table(real).schema[name] for name in reversed(names)])
    made = SequentialTrees().fit(real, schema=turned).sample(5, seed=1, frame="same")
    assert [name for name, _ in types_of(made)] == names


def test_values_survive_the_way_back():
    real = pandas_frame()
    made = SequentialTrees().fit(real).sample(60, seed=2, frame="same")
    assert set(made["numbered"]) <= {100, 4, 30}
    assert {type(day) for day in made["date"]} == {datetime.date}
    assert set(made["date"]) <= set(DAYS)
    assert made["int8"].between(0, 49).all()
    assert made["Int8"].isna().any()
    whole = polars_frame()
    assert set(SequentialTrees().fit(whole).sample(60, seed=2, frame="same")["date"]) <= set(DAYS)


def test_labels_that_are_held_back_are_no_categories():
    values = ["rare", *(LABELS[i % 3] for i in range(ROWS - 1))]
    order = ["high", "rare", "mid", "nobody's", "low"]
    for real in (
        pandas.DataFrame({"c": pandas.Categorical(values, categories=order)}),
        polars.DataFrame({"c": polars.Series(values, dtype=polars.Enum(order))}),
    ):
        trees = SequentialTrees().fit(real)
        kind = trees.sample(20, seed=1, frame="same")["c"].dtype
        assert list(kind.categories) == ["high", "mid", "low"]
        for label in ("rare", "nobody's"):  # which of the two somebody has is not told
            with pytest.raises(GenerationError, match="did not have, or too few people"):
                trees.sample(1, conditions={"c": label})


def test_a_value_that_does_not_fit_is_named_and_a_schema_says_the_kind():
    real = polars.DataFrame({"a": polars.Series([i % 10 for i in range(ROWS)], dtype=polars.Int8)})
    trees = SequentialTrees().fit(real)
    holes_ = polars.DataFrame({"a": [300, None, 1]})
    with pytest.raises(
        GenerationError, match=r"field 'a': A value that was made does not fit Int8.*='polars'"
    ):
        trees.impute(holes_)
    assert trees.impute(holes_, frame="polars")["a"].dtype == polars.Int64
    assert trees.impute(polars.DataFrame({"a": [3, None]}))["a"].dtype == polars.Int8
    labels = (
        SequentialTrees().fit(real, schema=Schema([Field("a", "category")])).sample(5, seed=1, frame="same")
    )
    assert labels["a"].dtype == polars.Categorical


@pytest.mark.parametrize("width", ["float32", "float16"])
def test_narrow_reals_keep_their_decimals(width):
    wide = pandas.DataFrame({"a": np.random.default_rng(0).gamma(2, 3, 400).round(1)})
    ours, theirs = (SequentialTrees().fit(frame) for frame in (wide.astype(width), wide))
    assert ours.sample(300, seed=1).values("a") == theirs.sample(300, seed=1).values("a")
    assert ours.sample(300, seed=1, frame="same")["a"].dtype == width
    assert theirs.sample(2, conditions={"a": np.float32(5.1)}).values("a") == [5.1, 5.1]


def test_known_reals_stay_in_filled_rows_of_a_frame_with_more_digits():
    numbers = [float(v) for v in np.random.default_rng(0).normal(size=200).round(3)]
    narrow = pandas.DataFrame({"a": numbers, "b": numbers}).astype("float32")
    trees = SequentialTrees().fit(narrow)
    holes = pandas.DataFrame({"a": [0.1234567890123, None], "b": [16777217.0, 0.5]})
    filled = trees.impute(holes)
    assert filled["a"][0] == 0.1234567890123
    assert filled["b"].tolist() == [16777217.0, 0.5]
    assert filled["a"].dtype == "float64"
    assert trees.impute(holes.astype("float32"))["a"].dtype == "float32"


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("frame", ["same", "pandas"])
def test_filled_rows_have_the_index_and_the_categories_of_the_given_ones(again, frame, tmp_path):
    stages = pandas.CategoricalDtype(["high", "mid", "never", "low"], ordered=True)
    real = pandas.DataFrame(
        {
            "crp": np.random.default_rng(0).normal(size=ROWS).round(1),
            "stage": pandas.Categorical([LABELS[i % 3] for i in range(ROWS)], dtype=stages),
            "grade": pandas.Categorical([(30, 4, 100)[i % 3] for i in range(ROWS)], categories=[100, 4, 30]),
        }
    )
    trees = SequentialTrees().fit(real)
    if again:
        trees = synthema.load(trees.save(tmp_path / "model"))
    some = real.loc[20:60:3].copy()
    some.loc[20:40, ["crp", "stage", "grade"]] = None
    filled = trees.impute(some, frame=frame, seed=1)
    assert filled.index.equals(some.index)
    assert filled.columns.equals(real.columns)
    assert filled.notna().all().all()
    for name in ("stage", "grade"):
        assert filled[name].dtype == real[name].dtype
        assert (filled[name] == some[name])[some[name].notna()].all()
    real.loc[some.index, "stage"] = filled["stage"]  # the rows of the same people
    for index in (
        some.index.rename("sample"),
        some.index.rename("crp"),
        pandas.MultiIndex.from_arrays([some.index, ["a"] * len(some)], names=["sample", "site"]),
    ):
        named = some.set_axis(index, axis="index")
        other = SequentialTrees().fit(pandas.concat([named] * 9))
        for generator in (other, trees):  # fitted with the index as columns, and without
            made = generator.impute(named, frame=frame)
            assert made.index.equals(index)
            assert made.index.names == index.names
            assert made.columns.equals(real.columns)
    levels = named.reset_index("site")
    made = (
        SequentialTrees().fit(pandas.concat([levels.reset_index(drop=True)] * 9)).impute(named, frame=frame)
    )
    assert made.index.equals(index)
    assert list(made.columns) == list(real.columns)
    assert trees.sample(5, frame="pandas").index.equals(pandas.RangeIndex(5))
