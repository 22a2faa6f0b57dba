import datetime
import importlib.util
import subprocess
import sys

import numpy as np
import pytest
import synthema
from synthema import Field, Schema, SchemaError, Table, tables

MIXED = {
    "n": [1, None, -3],
    "x": [0.5, None, 2.0],
    "flag": [True, None, False],
    "note": ["fever", None, ""],
    "codes": [["I10", "E11"], None, []],
    "seen": [datetime.datetime(2026, 11, 24, 3, 30, tzinfo=datetime.timezone.utc), None, None],
}


def address(array):
    return array.__array_interface__["data"][0]


def test_dict_and_list_of_dicts_give_the_same_table():
    by_column = synthema.table(MIXED)
    by_row = synthema.table([{k: v[i] for k, v in MIXED.items()} for i in range(3)])
    assert by_column.digest() == by_row.digest()
    assert [f.kind for f in by_column.schema.fields] == ["integer", "real", "boolean", "text", "list", "time"]
    for name, values in MIXED.items():
        assert by_column.values(name) == values
    assert len(by_column) == 3
    assert by_column.record(-1) == {k: v[2] for k, v in MIXED.items()}
    assert synthema.table({"a": []}).names == ["a"]


def test_numpy_values_convert_without_loss():
    t = synthema.table(
        {
            "i": np.array([1, 2], dtype=np.int16),
            "f": np.array([0.5, 1.5], dtype=np.float32),
            "b": np.array([True, False]),
            "t": np.array(["2020-01-01", "NaT"], dtype="datetime64[ns]"),
        }
    )
    assert t.values("i") == [1, 2]
    assert t.values("f") == [0.5, 1.5]
    assert t.values("b") == [True, False]
    assert t.values("t") == [datetime.datetime(2020, 1, 1), None]
    with pytest.raises(SchemaError, match="finer than a microsecond"):
        synthema.table({"t": np.array(["2020-01-01T00:00:00.000000001"], dtype="datetime64[ns]")})


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"a": [1, 2], "b": [1]}, "differ in length"),
        ({"a": [1, "x"]}, "Record 1, field 'a'"),
        ({"a": [2**63]}, "64 bits"),
        ({"a": [float("nan")]}, "NaN"),
        ({"a": [object()]}, "type 'object'"),
        ({"a": ["\ud800"]}, "surrogate"),
        ([1], "Record 0"),
    ],
)
def test_what_no_table_can_hold_is_refused(frame, message):
    with pytest.raises(SchemaError, match=message):
        synthema.table(frame)


def test_times_keep_a_zone_or_have_none():
    clock, moment = (
        datetime.datetime(2020, 1, 1, 8),
        datetime.datetime(2020, 1, 1, 8, tzinfo=datetime.timezone.utc),
    )
    rows = [
        {"naive": None, "zoned": moment, "day": datetime.date(2020, 1, 1), "visits": [clock]},
        {"naive": clock, "zoned": moment, "day": None, "visits": []},
    ]
    t = synthema.table(rows)
    assert t.records() == [
        {"naive": None, "zoned": moment, "day": datetime.datetime(2020, 1, 1), "visits": [clock]},
        {"naive": clock, "zoned": moment, "day": None, "visits": []},
    ]
    assert synthema.table(t.records()).digest() == t.digest()
    frame = pytest.importorskip("pandas").DataFrame({"t": [clock, clock]}).astype("datetime64[us]")
    assert synthema.table({"t": [clock, clock]}).digest() == synthema.table(frame).digest()
    assert b"08:00:00Z" not in synthema.table({"t": [clock]}).to_csv()
    pandas = pytest.importorskip("pandas")
    for nothing in (pandas.NaT, pandas.NA, float("nan"), None):
        late = synthema.table({"t": [nothing, clock]}, nan_as_missing=True)
        assert late.values("t") == [None, clock]
        with pytest.raises(SchemaError, match="'t': Some times of the column have a zone"):
            synthema.table({"t": [nothing, clock, moment]}, nan_as_missing=True)
    assert synthema.table({"visits": [[], [clock]]}).values("visits") == [[], [clock]]
    with pytest.raises(SchemaError, match="'t': Some times of the column have a zone"):
        synthema.table({"t": [clock, moment]})


def test_nan_may_be_declared_missing():
    assert synthema.table({"a": [1.5, float("nan")]}, nan_as_missing=True).values("a") == [1.5, None]


def test_columns_as_numpy():
    t = synthema.table({"i": [1, 2], "x": [0.5, None], "m": [1, None], "b": [True, False], "s": ["a", None]})
    assert t["i"].dtype == np.int64
    assert address(t["i"]) == address(t["i"])  # a view, not a copy
    assert not t["i"].flags.writeable
    np.testing.assert_array_equal(t["x"], [0.5, np.nan])
    assert isinstance(t["m"], np.ma.MaskedArray)
    assert t["m"].tolist() == [1, None]
    assert t["b"].tolist() == [True, False]
    assert t["s"] == ["a", None]
    kept = t["i"]
    del t
    assert kept.tolist() == [1, 2]
    other = synthema.table({"a": [1]})
    with pytest.raises(SchemaError, match="no such field"):
        other["b"]


def test_time_column_as_numpy():
    t = synthema.table(MIXED)
    assert t["seen"].dtype == np.dtype("datetime64[us]")
    assert t["seen"][0] == np.datetime64("2026-11-24T03:30:00")
    assert np.isnat(t["seen"][1])


def test_schema_round_trips_and_reads_a_dict():
    schema = Schema(
        [
            Field("patient", roles=["subject", "identifier"]),
            Field("age", "integer", unit="a", minimum=0, maximum=120),
            Field("sex", "category", categories=["f", "m"], nullable=False),
        ],
        name="visits",
        licence="CC0-1.0",
        may_leave_machine=False,
    )
    assert Schema.from_json(schema.to_json()) == schema
    assert schema.subject == "patient"
    assert schema.with_role("identifier") == ["patient"]
    assert schema["age"].maximum == 120
    assert "sex" in schema
    assert Schema.from_dict({"fields": [{"name": "a", "kind": "real"}]})["a"].kind == "real"
    assert Schema.infer({"a": [1.5]})["a"].kind == "real"
    with pytest.raises(SchemaError, match="real, integer"):
        Field("a", "number")
    with pytest.raises(SchemaError, match="Two fields"):
        Schema([Field("a"), Field("a")])


def test_take_select_head_and_split():
    t = synthema.table({"who": ["a", "b", "a", "c", "d", "b"], "x": list(range(6))})
    assert t.take([5, 0]).values("x") == [5, 0]
    assert t.select(["x"]).names == ["x"]
    assert len(t.head(2)) == 2
    schema = Schema([Field("who", roles=["subject"]), Field("x", "integer")])
    parts = synthema.table(t, schema).split([0.5, 0.5], seed=3)
    assert sorted(x for part in parts for x in part.values("x")) == list(range(6))
    assert not set(parts[0].values("who")) & set(parts[1].values("who"))


def test_shows_itself():
    t = synthema.table({"note": ["<b>" + "x" * 500, None]})
    assert repr(t) == "<synthema.Table: 2 rows, 1 column: note>"
    page = t._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "missing" in page
    assert len(page) < 1000


def test_import_is_light():
    heavy = ("torch", "pandas", "pyarrow", "polars", "matplotlib")
    code = f"import synthema, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_missing_pyarrow_is_said_in_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        tables.write(synthema.table({"a": [1]}), tmp_path / "a.parquet")


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet"])
def test_files_round_trip_with_their_schema(tmp_path, suffix):
    if suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        pytest.skip("pyarrow is not installed")
    t = synthema.table(MIXED)
    path = tables.write(t, tmp_path / f"t{suffix}")
    assert path.name == f"t{suffix}"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    back = tables.read(path, t.schema)
    assert back.records() == t.records()
    assert back.digest() == t.digest()
    first = path.read_bytes()
    tables.write(t, path)
    assert path.read_bytes() == first


def test_parquet_keeps_the_schema(tmp_path):
    pytest.importorskip("pyarrow")
    schema = Schema([Field("age", "integer", unit="a", roles=["target"])], name="x", may_leave_machine=False)
    t = Table.from_records(schema, [{"age": 3}])
    tables.write(t, tmp_path / "t.parquet")
    assert tables.read(tmp_path / "t.parquet").schema == schema


@pytest.mark.parametrize(
    ("method", "package"), [("to_pandas", "pandas"), ("to_polars", "polars"), ("to_arrow", "pyarrow")]
)
def test_a_frame_library_that_is_missing_is_named_with_what_to_do(method, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)  # an import of it fails
    with pytest.raises(ImportError, match=f"pip install {package}"):
        getattr(synthema.table({"a": [1]}), method)()


def test_unknown_suffix_and_broken_file_are_named(tmp_path):
    with pytest.raises(SchemaError, match=r"\.jsonl"):
        tables.read(tmp_path / "a.xlsx")
    (tmp_path / "bad.csv").write_text("a,b\n1\n")
    with pytest.raises(synthema.ParseError, match=r"bad\.csv, line 2"):
        tables.read(tmp_path / "bad.csv")


def test_a_column_that_is_not_there_is_named_without_the_others():
    said = tables.no_such_column("reamitted", ["age", "readmitted", "Jane Doe"])
    assert said == "There is no column 'reamitted' among the 3 columns; did you mean 'readmitted'?"
    assert "Jane" not in tables.no_such_column("age", ["Jane Doe", "63"])
