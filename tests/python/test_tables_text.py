"""CSV and JSON lines from Python: properties, and real sets."""

import datetime
import gzip

import pytest
import synthema
from synthema import ConfigError, Field, Schema, Table, tables

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
CELLS = {
    "i": st.integers(-(2**63), 2**63 - 1),
    "x": st.floats(allow_nan=False, allow_infinity=False),
    "b": st.booleans(),
    "t": TEXT,
    "c": TEXT,
    "w": st.datetimes().map(lambda t: t.replace(tzinfo=datetime.timezone.utc)),
    "l": st.lists(TEXT | st.none(), max_size=3),
}
SCHEMA = Schema(
    [
        Field("i", "integer"),
        Field("x", "real"),
        Field("b", "boolean"),
        Field("t", "text"),
        Field("c", "category"),
        Field("w", "time"),
        Field("l", "list"),
    ]
)
ROWS = st.lists(st.fixed_dictionaries({name: st.none() | cell for name, cell in CELLS.items()}), max_size=5)


@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.given(ROWS, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["", "NA", "."]))
def test_csv_round_trip(rows, delimiter, missing):
    t = Table.from_records(SCHEMA, rows)
    text = t.to_csv(delimiter=delimiter, missing=missing)
    back = Table.from_csv(text, delimiter=delimiter, missing=[missing], schema=SCHEMA)
    assert back.digest() == t.digest()
    assert back.records() == rows


@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.given(ROWS)
def test_jsonl_round_trip(rows):
    t = Table.from_records(SCHEMA, rows)
    back = Table.from_jsonl(t.to_jsonl(), schema=SCHEMA)
    assert back.digest() == t.digest()
    assert back.records() == rows


def test_diabetes_keeps_its_codes(data_folder):
    t = tables.read(data_folder / "diabetes130" / "diabetic_data.csv.gz", missing=["", "?"])
    assert len(t) == 101_766
    assert len(set(t["patient_nbr"].tolist())) == 71_518
    assert {t.schema[f"diag_{i}"].kind for i in (1, 2, 3)} == {"category"}
    assert t.schema["time_in_hospital"].kind == "integer"
    schema = Schema(
        [Field(f.name, f.kind, roles=["subject"] if f.name == "patient_nbr" else []) for f in t.schema.fields]
    )
    train, test = synthema.table(t, schema).split([0.8, 0.2], seed=1)
    assert len(train) + len(test) == len(t)
    assert not set(train["patient_nbr"].tolist()) & set(test["patient_nbr"].tolist())


def test_mtsamples_agrees_with_pandas(data_folder):
    pandas = pytest.importorskip("pandas")
    path = data_folder / "mtsamples" / "mtsamples.csv.gz"
    t = tables.read(path)
    frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
    assert len(t) == len(frame) == 4_999
    assert [v or "" for v in t.values("transcription")] == frame["transcription"].tolist()
    assert t.schema["medical_specialty"].kind == "category"


def test_other_real_sets_read_and_round_trip(data_folder, tmp_path):
    adult = data_folder / "adult_income" / "adult-train.csv.gz"
    columns = gzip.decompress(adult.read_bytes()).split(b"\n")[0].count(b",") + 1
    paths = [
        (data_folder / "uci_heart" / "heart_3sites.csv", {}),
        (adult, {"header": [f"c{i}" for i in range(columns)], "trim": True, "missing": ["?"]}),
        *((p, {}) for p in sorted((data_folder / "mimic_iv_demo").rglob("*.csv*"))[:6]),
    ]
    for path, options in paths:
        t = tables.read(path, **options)
        assert len(t) > 0, path
        back = tables.read(tables.write(t, tmp_path / "t.csv"), t.schema)
        assert back.digest() == t.digest(), path


def test_numbers_and_dates_of_other_spellings_are_warned_of(tmp_path):
    path = tmp_path / "german.csv"
    path.write_text("Kreatinin;Geburtsdatum;Nummer\n1,1;31.10.1959;7\n0,9;01.02.1960;8\n2;03.04.1961;9\n")
    with pytest.warns(UserWarning, match="was read as text") as said:
        synthema.read(path, delimiter=";")
    assert [str(one.message) for one in said] == [
        "The column 'Kreatinin' was read as text and seems to hold numbers with a decimal comma; read the "
        "file with decimal=',' (on the command line --decimal ,), without points between thousands, or write "
        "them as in 1.5.",
        "The column 'Geburtsdatum' was read as text and seems to hold dates; read the file with dates='dmy' "
        "or 'mdy' (on the command line --dates dmy), or write them as in 1959-10-31.",
    ]
    german = {"delimiter": ";", "decimal": ",", "dates": "dmy"}
    t = synthema.read(path, **german)
    assert [t.schema[name].kind for name in t.names] == ["real", "time", "integer"]
    assert t.values("Kreatinin") == [1.1, 0.9, 2.0]
    assert t.values("Geburtsdatum")[1] == datetime.datetime(1960, 2, 1)
    back = synthema.write(t, tmp_path / "back.csv", delimiter=";", decimal=",")
    assert back.read_text().splitlines()[1] == "1,1;1959-10-31;7"
    assert synthema.read(back, roles={"Nummer": "identifier"}, **german).values("Kreatinin") == t.values(
        "Kreatinin"
    )
    for wrong, said in (
        ({"decimal": ","}, "The same character"),
        ({"decimal": ";"}, "a decimal point or a decimal comma"),
        ({"decimal": ""}, "The decimal must be one ASCII character"),
        ({"dates": "ydm"}, "'ydm' is none of these"),
    ):
        with pytest.raises(ConfigError, match=said):
            synthema.read(path, **wrong)
    path.write_text('count\n950\n"1,234"\n"12,500"\n')
    with pytest.warns(UserWarning, match="thousands are set apart by commas; write them without"):
        synthema.read(path)
    path.write_text("a;b\n1,1;x\n0,9;y\nhigh;z\n")
    assert synthema.read(path, delimiter=";").names == ["a", "b"]  # no warning, which would be an error
    path.write_text("a\n2020-01-31\n2020-02-01\n")
    assert synthema.read(path).schema["a"].kind == "time"
