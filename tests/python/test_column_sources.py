"""Tables that are read column by column: the same network as from the table, in less memory."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import textwrap

import numpy
import pytest
import synthema
from synthema import AnyOrderNetwork, ConfigError, Field, GroupRule, ParseError, Schema, SchemaError
from synthema.column_sources import column_source

pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.dataset")
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")


def _table(rows: int = 1200):
    random = numpy.random.default_rng(4)
    ages = random.integers(18, 90, rows)
    wards = numpy.array(["surgery", "icu", "day", "rare"])[numpy.minimum(ages // 30, 2)]
    wards[:2] = "rare"  # of two people: not handed on
    return pyarrow.table(
        {
            "patient": [f"p{i // 2}" for i in range(rows)],
            "age": pyarrow.array(ages, mask=random.random(rows) < 0.05),
            "ward": pyarrow.array(wards).dictionary_encode(),
            "note": [f"{ward} {age // 20}" for ward, age in zip(wards, ages, strict=True)],
            "weight": numpy.round(random.normal(75, 12, rows), 1),
            "smokes": random.random(rows) < 0.3,
            "seen": pyarrow.array(
                1_600_000_000_000_000 + 86_400_000_000 * (ages * 7), pyarrow.timestamp("us")
            ),
        }
    )


def _schema(table) -> Schema:
    fields = list(synthema.table(table).schema.fields)
    fields[0] = Field("patient", "text", roles=["subject"])
    return Schema(fields, groups=[GroupRule("combinations", ["ward", "note"])])


def _network() -> AnyOrderNetwork:
    return AnyOrderNetwork("ward", size="small", rounds=2, seed=3)


def _saved(network: AnyOrderNetwork, folder: pathlib.Path) -> bytes:
    return network.save(folder / "model").read_bytes()


@needs_torch
def test_every_source_teaches_the_network_that_the_table_does(tmp_path):
    table = _table()
    import pyarrow.dataset
    import pyarrow.feather
    import pyarrow.parquet

    # Parts of other sizes than any of ours, and a dictionary of its own in each.
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet", row_group_size=100)
    pyarrow.feather.write_feather(table.unify_dictionaries(), tmp_path / "t.feather", chunksize=70)
    (tmp_path / "parts").mkdir()
    for i in range(3):
        part = table.slice(400 * i, 400)
        pyarrow.parquet.write_table(part, tmp_path / "parts" / f"{i}.parquet")
    schema = _schema(table)
    wanted = _saved(_network().fit(table, schema=schema), tmp_path)
    dataset = pyarrow.dataset.dataset(tmp_path / "parts")
    spill = str(tmp_path)
    readers = [table.to_reader(max_chunksize=n) for n in (50, 999)]
    for source in (tmp_path / "t.parquet", str(tmp_path / "t.feather"), dataset):
        assert _saved(_network().fit(source, schema=schema), tmp_path) == wanted
    for source in (tmp_path / "t.parquet", *readers):
        assert _saved(_network().fit(source, schema=schema, spill=spill), tmp_path) == wanted
    # Nothing is left where rows were.
    assert sorted(os.listdir(tmp_path)) == ["model", "parts", "t.feather", "t.parquet"]


@needs_torch
def test_a_csv_file_has_the_kinds_that_read_finds(tmp_path):
    text = "code;age;since;text\n"
    for i in range(300):
        text += f'{"" if i % 9 == 0 else i % 4};{20 + i % 40}.5;2021-03-{1 + i % 28:02};"a;{i % 3}"\n'
    path = tmp_path / "t.csv"
    path.write_text(text)
    real = synthema.read(path, delimiter=";")
    with column_source(path, delimiter=";") as source:
        assert source.schema.fields == real.schema.fields
        assert len(source) == 300
        for i, name in enumerate(real.names):
            assert source.read(i).values(name) == real.values(name)
        assert _saved(_network_of(source), tmp_path) == _saved(_network_of(real), tmp_path)
    out = tmp_path / "c.model"
    command = [sys.executable, "-m", "synthema", "fit", str(path), "--delimiter", ";", "--out", str(out)]
    done = subprocess.run([*command, "--by-column"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "--method any_order_network" in done.stderr
    assert not out.exists()


def _network_of(data) -> AnyOrderNetwork:
    return AnyOrderNetwork(size="small", rounds=1).fit(data)


@needs_torch
def test_what_cannot_be_read_column_by_column_is_named(tmp_path):
    network = AnyOrderNetwork(size="small", rounds=1)
    table = _table(100)
    with pytest.raises(ConfigError, match="only once"):
        network.fit(table.to_reader())
    with pytest.raises(ConfigError, match="spill"):
        network.fit(table.to_reader(), spill=tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="in memory"):
        network.fit(table, spill=tmp_path)
    with pytest.raises(ConfigError, match="as a whole"):
        AnyOrderNetwork(epsilon=1).fit(tmp_path / "t.parquet")
    with pytest.raises(ParseError, match="no such file"):
        network.fit(tmp_path / "t.parquet")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 is not all that it takes")
    with pytest.raises(ParseError, match="broken"):
        network.fit(tmp_path / "t.parquet")
    (tmp_path / "t.xlsx").write_bytes(b"")
    with pytest.raises(SchemaError, match=r"\.parquet"):
        network.fit(tmp_path / "t.xlsx")
    import pyarrow.parquet

    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(ConfigError, match="spill"):
        network.fit(tmp_path / "t.parquet", spill=tmp_path / "nowhere")
    with pytest.raises(SchemaError, match="'absent'"):
        network.fit(tmp_path / "t.parquet", schema=Schema([Field("absent", "integer")]))
    assert not network.fitted


def test_messages_of_broken_sources_show_no_row(tmp_path):
    import pyarrow.csv
    import pyarrow.dataset

    path = tmp_path / "t.csv"
    path.write_text("name,age\nMr Sample,2\nMrs Example,3,4\n")

    def failing():
        yield pyarrow.record_batch({"name": ["Mr Sample"]})
        raise ValueError("Mrs Example is not wanted")

    names = pyarrow.schema({"name": pyarrow.string()})
    kinds = pyarrow.schema({"name": pyarrow.string(), "age": pyarrow.int64()})
    for source in (
        pyarrow.dataset.dataset(path, kinds, format="csv"),
        pyarrow.csv.open_csv(path, pyarrow.csv.ReadOptions(block_size=24)),
        pyarrow.RecordBatchReader.from_batches(names, failing()),
    ):
        with (
            pytest.raises(ParseError, match="broken") as told,
            column_source(source, spill=str(tmp_path)),
        ):
            pass
        assert "Example" not in str(told.value)
        assert told.value.__suppress_context__
    assert os.listdir(tmp_path) == ["t.csv"]


def test_a_disk_too_small_for_the_rows_of_a_reader_is_named(tmp_path):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for rows, size in ((100, 0), (100_000, 0), (100_000, 500_000)):  # a few rows wait in a buffer
        table = pyarrow.table({"x": numpy.arange(rows)})
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            with (
                pytest.raises(ConfigError, match=r"'spill'.*could not be written.*name another one"),
                column_source(table.to_reader(), spill=str(tmp_path)),
            ):
                pass
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("option", ["delta=1e-5", "ledger=l.json", "budget=1"])
@pytest.mark.parametrize("how", ["--by-column", "--spill=."])
def test_options_of_private_fits_are_refused_column_by_column(option, how, tmp_path, capsys, monkeypatch):
    from synthema import cli

    monkeypatch.chdir(tmp_path)
    pathlib.Path("t.csv").write_text("a,b\n" + "".join(f"{i},x{i % 3}\n" for i in range(50)))
    fit = ["fit", "t.csv", "--method", "any_order_network", how, f"--{option}", "--out", "model"]
    assert cli.main(fit) == 1
    assert f"--{option.partition('=')[0]} is for private fits" in capsys.readouterr().err
    assert os.listdir() == ["t.csv"]


_MEASURE = """
    import json, sys
    import synthema
    from synthema import _core

    class Read(Exception):
        pass

    def stop(progress):  # what is learnt from by then is all that stays in memory
        if progress.phase == "read" and progress.done == progress.total:
            raise Read

    network = synthema.AnyOrderNetwork(size="small")
    peaks = []
    for path in sys.argv[1:3]:  # after the first one libraries are loaded and pools are made
        try:
            network.fit(path, spill=sys.argv[3], progress=stop)
        except Read:
            peaks.append(_core._peak_memory())
    print(json.dumps(peaks))
"""


@needs_torch
@pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_is_that_of_a_column_and_not_of_the_table(tmp_path):
    import pyarrow.parquet

    rows, columns = 400_000, 40
    random = numpy.random.default_rng(1)
    table = pyarrow.table({f"c{i}": random.integers(0, 300, rows) for i in range(columns)})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet", row_group_size=50_000)
    pyarrow.parquet.write_table(table.slice(0, 2000), tmp_path / "small.parquet")
    command = [sys.executable, "-c", textwrap.dedent(_MEASURE)]
    done = subprocess.run(
        [*command, str(tmp_path / "small.parquet"), str(tmp_path / "t.parquet"), str(tmp_path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    before, after = json.loads(done.stdout)
    assert after - before < 8 * rows * columns / 3  # of numbers of eight bytes
