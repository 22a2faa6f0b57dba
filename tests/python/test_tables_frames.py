"""Frames of pandas, polars and pyarrow in and out: values, nulls, order, types, zones, what is not copied."""

import datetime

import numpy as np
import pytest
import synthema
from synthema import Field, Schema, SchemaError, Table

pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

BERLIN = "Europe/Berlin"
MOMENT = datetime.datetime(2026, 11, 24, 3, 30, 0, 123000)


def one(array, **keywords):
    return Table.from_arrow(pa.table({"a": array}), **keywords)


def values(array, **keywords):
    return one(array, **keywords).values("a")


@pytest.mark.parametrize("width", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_every_integer_width(width):
    array = pa.array([0, 100, None, 7], getattr(pa, width)())
    assert values(array) == [0, 100, None, 7]
    assert values(array.slice(1, 2)) == [100, None]


def test_smallest_and_largest_integers():
    ends = [-(2**63), 2**63 - 1]
    assert values(pa.array(ends, pa.int64())) == ends
    assert values(pa.array([2**63 - 1], pa.uint64())) == [2**63 - 1]
    with pytest.raises(SchemaError, match=r"field 'a'.*64 signed bits"):
        one(pa.array([2**63], pa.uint64()))


@pytest.mark.parametrize("type_", [pa.float16(), pa.float32(), pa.float64()])
def test_every_float_width(type_):
    numbers = [0.5, -2.0, 65504.0, 0.0625, 0.0]
    array = pa.array([*(np.float16(v) for v in numbers), None], type_)
    assert values(array) == [*numbers, None]


@pytest.mark.parametrize(("width", "whole"), [(np.float16, 2**11), (np.float32, 2**24)])
def test_narrow_floats_are_what_is_written_for_them(width, whole):
    bits = np.random.default_rng(0).integers(0, 2**16, 5000, dtype=np.uint16)
    spread = bits.view(width) if width is np.float16 else (bits.astype(np.uint32) << 16 | 12345).view(width)
    numbers = np.concatenate([np.array([5.1, 0.3, -23.5, 0.001, 2048], width), spread[np.isfinite(spread)]])
    found = values(pa.array(numbers))
    assert found[:5] == [5.1, 0.3, -23.5, 0.001, 2048]
    assert np.array_equal(np.array(found, width), numbers)  # nothing is lost
    few = [i for i, v in enumerate(numbers) if v == 0 or 1e-12 < abs(v) < whole]
    assert [found[i] for i in few] == [float(str(numbers[i])) for i in few]
    assert synthema.table({"a": numbers[:5]}).values("a") == found[:5]
    assert synthema.table([{"a": numbers[0]}]).values("a") == [5.1]


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string(), pa.string_view()])
def test_every_text_layout(type_):
    texts = ["", "short", "longer than twelve bytes", None, "Größe ✓", "another long one: 0123456789"]
    array = pa.array(texts, type_)
    assert values(array) == texts
    assert values(array.slice(2, 3)) == texts[2:5]
    assert values(pa.chunked_array([array.slice(0, 1), array.slice(1, 0), array.slice(1)])) == texts


@pytest.mark.parametrize(
    "index", [pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64()]
)
@pytest.mark.parametrize("ordered", [True, False])
def test_dictionaries_of_every_index(index, ordered):
    array = pa.DictionaryArray.from_arrays(
        pa.array([2, None, 0, 2], index), pa.array(["low", "mid", "high"]), ordered=ordered
    )
    t = one(array)
    assert t.schema["a"].kind == "category"
    assert t.values("a") == ["high", None, "low", "high"]
    back = pa.table(t)["a"].chunk(0)
    assert back.dictionary.to_pylist() == ["low", "mid", "high"]
    assert back.type.ordered == ordered


def test_chunks_with_different_dictionaries_are_joined():
    chunks = [pa.array(["b", "a"]).dictionary_encode(), pa.array(["c", "b", None]).dictionary_encode()]
    t = one(pa.chunked_array(chunks))
    assert t.values("a") == ["b", "a", "c", "b", None]
    assert t.digest() == one(pa.array(["b", "a", "c", "b", None]).dictionary_encode()).digest()


def test_null_entries_of_a_dictionary_are_missing():
    array = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["x", None]))
    assert values(array) == ["x", None]


@pytest.mark.parametrize("make", [pa.list_, pa.large_list, lambda t: pa.list_(t, 2)])
@pytest.mark.parametrize("item", [pa.string(), pa.int32(), pa.float64(), pa.bool_()])
def test_every_list_layout(make, item):
    pair = {"string": ["x", None], "int32": [1, None], "double": [0.5, None], "bool": [True, None]}[str(item)]
    array = pa.array([pair, None, pair[::-1], pair], make(item))
    assert values(array) == [pair, None, pair[::-1], pair]
    assert values(array.slice(1, 2)) == [None, pair[::-1]]
    assert pa.table(one(array))["a"].to_pylist() == array.to_pylist()


def test_lists_of_categories_and_of_varying_length():
    array = pa.array([["a", "b", "a"], [], None, ["c"]], pa.list_(pa.dictionary(pa.int8(), pa.string())))
    t = one(array)
    assert t.values("a") == [["a", "b", "a"], [], None, ["c"]]
    assert t.schema["a"].item == "category"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", BERLIN])
def test_every_timestamp(unit, zone):
    moment = MOMENT.replace(microsecond=0) if unit == "s" else MOMENT
    array = pa.array([moment, None], pa.timestamp(unit, zone))
    back = pa.table(one(array))["a"]
    assert back.type == pa.timestamp("us", zone)
    assert back.to_pylist() == array.to_pylist()


def test_times_finer_than_a_microsecond_are_refused():
    assert values(pa.array([1000], pa.timestamp("ns"))) == [datetime.datetime(1970, 1, 1, 0, 0, 0, 1)]
    with pytest.raises(SchemaError, match="finer than a microsecond"):
        one(pa.array([1001], pa.timestamp("ns")))


def test_dates_booleans_and_the_null_type():
    day = datetime.date(1960, 2, 29)
    midnight = datetime.datetime(1960, 2, 29)
    assert values(pa.array([day, None], pa.date32())) == [midnight, None]
    assert values(pa.array([day, None], pa.date64())) == [midnight, None]
    bits = [True, False, None] * 5
    assert values(pa.array(bits).slice(3, 9)) == bits[3:12]
    assert pa.table(one(pa.array(bits).slice(3, 9)))["a"].to_pylist() == bits[3:12]
    assert values(pa.nulls(3)) == [None] * 3


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (pa.array([1], pa.decimal128(10, 2)), "decimal"),
        (pa.array([b"x"]), "binary"),
        (pa.array([{"x": 1}]), "unnest"),
        (pa.array([[[1]]]), "Lists of lists"),
        (pa.array([datetime.timedelta(1)]), "durations"),
        (pa.array([datetime.time(1)]), "times of day"),
        (pa.array([float("inf")]), "infinity"),
        (pa.array([float("nan")]), "NaN"),
    ],
)
def test_what_no_table_can_hold_names_the_column(array, message):
    with pytest.raises(SchemaError, match=f"(?s)field 'a'.*{message}"):
        one(array)


def test_periods_and_intervals_are_refused_with_what_to_do(tmp_path):
    months = pd.period_range("2020-01", periods=4, freq="M")
    cut = pd.Series(pd.cut(pd.Series(range(4)), 2))
    for column, message in (
        (months, r"periods.*to_timestamp\(\)\) or text \(astype\(str\)\)"),
        (pd.Series(months).astype("category"), "periods"),
        (cut, r"intervals.*astype\(str\)"),
        (pd.arrays.IntervalArray(cut), "intervals"),
    ):
        frame = pd.DataFrame({"a": column})
        with pytest.raises(SchemaError, match=f"(?s)field 'a'.*{message}"):
            synthema.table(frame)
    pd.DataFrame({"a": months}).to_parquet(tmp_path / "months.parquet")
    with pytest.raises(SchemaError, match=r"field 'a'.*periods"):
        synthema.read(tmp_path / "months.parquet")
    assert synthema.table(pd.DataFrame({"a": months.to_timestamp()})).schema["a"].kind == "time"
    assert synthema.table(pd.DataFrame({"a": cut.astype(str)})).schema["a"].kind == "text"


def test_nan_may_be_declared_missing_but_infinity_not():
    assert values(pa.array([1.5, float("nan"), None]), nan_as_missing=True) == [1.5, None, None]
    with pytest.raises(SchemaError, match="infinity"):
        one(pa.array([float("inf")]), nan_as_missing=True)


@pytest.mark.parametrize("type_", [pa.int64(), pa.float64()])
def test_one_fixed_width_chunk_is_not_copied(type_):
    array = pa.array(range(100), type_)
    assert one(array)["a"].__array_interface__["data"][0] == array.buffers()[1].address
    sliced = array.slice(10, 20)
    t = one(sliced)
    assert t["a"].__array_interface__["data"][0] == array.buffers()[1].address + 80
    assert t.values("a") == list(range(10, 30))
    out = pa.table(t)["a"].chunk(0)
    assert out.buffers()[1].address == array.buffers()[1].address + 80  # nor is it on the way out


def test_shared_memory_outlives_its_source():
    array = pa.array(range(1000), pa.int64())
    t = one(array)
    del array
    assert t["a"].sum() == 499500
    out = pa.table(t)
    del t
    assert sum(out["a"].to_pylist()) == 499500


def test_layout_does_not_change_the_digest():
    whole = pa.table({"n": pa.array([1, None, 3, 4]), "s": pa.array(["a", "b", None, "d"])})
    base = Table.from_arrow(whole).digest()
    padded = pa.concat_tables([whole.slice(0, 1), whole])
    assert Table.from_arrow(padded.slice(1)).digest() == base
    assert Table.from_arrow(pa.concat_tables([whole.slice(0, 2), whole.slice(2)])).digest() == base
    assert synthema.table({"n": [1, None, 3, 4], "s": ["a", "b", None, "d"]}).digest() == base


def test_record_batches_and_empty_tables():
    batch = pa.record_batch({"a": pa.array([1, 2])})
    assert synthema.table(batch).values("a") == [1, 2]
    empty = pa.table(
        {"a": pa.array([], pa.int64()), "b": pa.array([], pa.dictionary(pa.int8(), pa.string()))}
    )
    t = synthema.table(empty)
    assert len(t) == 0
    assert t.names == ["a", "b"]
    assert pa.table(t).num_rows == 0
    with pytest.raises(SchemaError, match="single column"):
        synthema.table(pa.chunked_array([[1, 2]]))
    with pytest.raises(SchemaError, match=r"single column.*to_dict"):
        synthema.table(pd.DataFrame({"a": [1], "b": ["x"]}).iloc[0])
    with pytest.raises(synthema.ConfigError, match=r"not computed yet.*collect"):
        synthema.table(pl.LazyFrame({"a": [1]}))
    with pytest.raises(synthema.ConfigError, match="__arrow_c_stream__"):
        synthema.table(3)


def test_a_schema_converts_losslessly_or_says_why_not():
    frame = pa.table({"sex": [0, 1, None], "age": [63.0, 5.0, None], "when": ["2020-01-01", None, None]})
    schema = Schema(
        [
            Field("age", "integer"),
            Field("sex", "category", categories=["1", "0"]),
            Field("when", "time"),
        ]
    )
    t = synthema.table(frame, schema)
    assert t.names == ["age", "sex", "when"]
    assert t.values("age") == [63, 5, None]
    assert t.values("sex") == ["0", "1", None]
    assert t.values("when")[0].year == 2020
    with pytest.raises(SchemaError, match="field 'age'"):
        synthema.table(frame.set_column(1, "age", pa.array([0.5, 1, 2])), schema)
    with pytest.raises(SchemaError, match=r"field 'sex'.*2 categories"):
        synthema.table(frame.set_column(0, "sex", pa.array([0, 1, 2])), schema)
    with pytest.raises(SchemaError, match="no such column"):
        synthema.table(frame.drop_columns(["age"]), schema)
    with pytest.raises(SchemaError, match="no such field"):
        synthema.table(frame.append_column("more", pa.array([1, 2, 3])), schema)


def test_the_schema_travels_in_the_metadata():
    schema = Schema([Field("age", "integer", unit="a"), Field("x")], name="set", may_leave_machine=False)
    t = Table.from_records(schema, [{"age": 3, "x": "y"}])
    assert synthema.table(pa.table(t)).schema == schema
    changed = pa.table(t).set_column(1, "x", pa.array([0.5]))
    back = synthema.table(changed).schema
    assert back["age"] == schema["age"]
    assert back["x"].kind == "real"
    assert not back.may_leave_machine


def pandas_frame():
    return pd.DataFrame(
        {
            "z": pd.Series([1, 2, 3], dtype="int64"),
            "y": pd.Series([0.5, np.nan, 2.0]),
            "b": pd.Series([True, False, True]),
            "maybe": pd.Series([1, None, 3], dtype="Int64"),
            "flag": pd.Series([True, None, False], dtype="boolean"),
            "text": pd.Series(["a", None, "c"], dtype=object),
            "cat": pd.Categorical(["lo", "hi", None], categories=["lo", "mid", "hi"], ordered=True),
            "naive": pd.Series([MOMENT, None, MOMENT], dtype="datetime64[us]"),
            "zoned": pd.Series([MOMENT, None, MOMENT], dtype="datetime64[us]").dt.tz_localize(BERLIN),
        }
    )


def test_pandas_round_trip():
    frame = pandas_frame()
    t = synthema.table(frame)
    assert [f.kind for f in t.schema.fields] == [
        *("integer", "real", "boolean", "integer", "boolean"),
        *("text", "category", "time", "time"),
    ]
    assert t.null_count("y") == 1
    back = t.to_pandas()
    assert list(back.columns) == list(frame.columns)
    for name in frame.columns:
        if name == "text":  # object or str, as pandas likes
            assert back[name].fillna("?").tolist() == frame[name].fillna("?").tolist()
        else:
            pd.testing.assert_series_equal(back[name], frame[name])
    assert list(back["cat"].cat.categories) == ["lo", "mid", "hi"]
    assert back["cat"].cat.ordered


def test_pandas_index():
    frame = pd.DataFrame({"a": [1, 2, 3]})
    assert synthema.table(frame[frame.a > 1]).names == ["a"]  # the unnamed index is no data
    assert set(synthema.table(frame.rename_axis("id")).names) == {"a", "id"}


def test_pandas_trouble_is_named_without_the_value():
    with pytest.raises(SchemaError, match="column a") as caught:
        synthema.table(pd.DataFrame({"a": ["secret", 1]}))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    with pytest.raises(SchemaError, match="not a text"):
        synthema.table(pd.DataFrame({0: [1]}))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (lambda: {"ok": [1], "a": 1}, "A column is a list or an array of values, one a row, not of type int"),
        (lambda: {"a": "text"}, "A column is a list"),
        (lambda: {"a": [10**30]}, "The integer does not fit 64 bits"),
        (lambda: pd.DataFrame({"ok": [1], "a": [10**30]}), "An integer does not fit 64 bits"),
        (lambda: pd.DataFrame({"ok": [1, 2], "a": pd.arrays.SparseArray([0, 1])}), "The column is sparse"),
        (lambda: pd.DataFrame({"a": ["\ud800"]}, dtype=object), "A text holds a lone surrogate"),
    ],
)
def test_columns_that_no_table_holds_are_named(frame, said):
    with pytest.raises(SchemaError) as caught:
        synthema.table(frame())
    assert str(caught.value).startswith(f"field 'a': {said}")


def test_polars_round_trip():
    frame = pl.DataFrame(
        {
            "z": [1, None, 3],
            "x": [0.5, 1.5, None],
            "text": ["a", None, "longer than twelve bytes"],
            "cat": pl.Series(["lo", "hi", None], dtype=pl.Categorical),
            "level": pl.Series(["b", "a", None], dtype=pl.Enum(["b", "a"])),
            "codes": [["x", "y"], None, []],
            "naive": [MOMENT, None, MOMENT],
            "day": [datetime.date(2020, 1, 1), None, None],
        }
    ).with_columns(zoned=pl.col("naive").dt.replace_time_zone(BERLIN))
    t = synthema.table(frame)
    back = t.to_polars()
    assert back.columns == frame.columns
    for name in ("z", "x", "text", "codes", "naive", "zoned"):
        assert back[name].dtype == frame[name].dtype, name
        assert back[name].to_list() == frame[name].to_list(), name
    assert back["cat"].to_list() == ["lo", "hi", None]
    assert back["level"].to_list() == ["b", "a", None]
    assert t.schema["level"].kind == "category"
    assert t.values("day")[0] == datetime.datetime(2020, 1, 1)
    assert (
        synthema.table(pl.concat([frame, frame], rechunk=False)).values("text") == frame["text"].to_list() * 2
    )
    assert synthema.table(frame[1:]).values("z") == [None, 3]


def test_polars_nan_is_not_taken_for_missing_in_silence():
    frame = pl.DataFrame({"x": [1.0, float("nan")]})
    with pytest.raises(SchemaError, match="NaN"):
        synthema.table(frame)
    assert synthema.table(frame, nan_as_missing=True).values("x") == [1.0, None]


def test_a_failing_stream_is_our_error():
    def batches():
        yield pa.record_batch({"a": [1]})
        raise ValueError("the source broke")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"a": pa.int64()}), batches())
    with pytest.raises(SchemaError, match="stream failed"):
        synthema.table(reader)


def test_unused_and_consumed_capsules_are_released():
    t = synthema.table({"a": list(range(1000))})
    before = pa.total_allocated_bytes()
    for _ in range(50):
        t.__arrow_c_stream__()
        t.__arrow_c_schema__()
        pa.table(t)
    assert pa.total_allocated_bytes() == before
    stream = t.__arrow_c_stream__()
    assert (
        Table.from_arrow(type("Once", (), {"__arrow_c_stream__": lambda self: stream})()).digest()
        == t.digest()
    )
    with pytest.raises(SchemaError, match="already been read"):
        Table.from_arrow(type("Once", (), {"__arrow_c_stream__": lambda self: stream})())


def test_strings_of_a_frame_are_evaluated_as_the_labels_they_are():
    rng = np.random.default_rng(0)
    age = rng.integers(20, 90, 200)
    frame = pd.DataFrame({"age": age, "sick": np.where(age + rng.normal(0, 9, 200) > 55, "yes", "no")})
    report = synthema.evaluate(frame, frame, holdout=frame, target="sick", bootstrap=0)
    assert {part.name for part in report["column_shapes"].parts} == {"age", "sick"}
    assert report["train_synthetic_test_real"].value > 0.9
    assert "distinct_1" not in [score.name for score in report.scores]  # no text here
