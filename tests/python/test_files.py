"""Files that are written whole or not at all: links, pipes, full disks."""

import os
import resource

import pytest
import synthema
from synthema.files import whole_file


def test_a_file_is_replaced_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with whole_file(path) as unfinished:
            unfinished.write_text("half")
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()
    assert path.read_text() == "old"
    with whole_file(path) as unfinished:
        unfinished.write_text("new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_link_stays_one_and_what_it_names_is_replaced(tmp_path):
    there, link = tmp_path / "there", tmp_path / "t.csv"
    there.mkdir()
    (there / "real.csv").write_text("old")
    link.symlink_to(there / "real.csv")
    assert synthema.write({"a": [1, 2]}, link) == link
    assert link.is_symlink()
    assert (there / "real.csv").read_text() == "a\n1\n2\n"
    assert os.listdir(there) == ["real.csv"]
    loose = tmp_path / "loose.csv"
    loose.symlink_to(there / "new.csv")
    synthema.write({"a": [1]}, loose)
    assert (there / "new.csv").read_text() == "a\n1\n"


def test_a_pipe_is_not_replaced(tmp_path):
    pipe = tmp_path / "t.csv"
    os.mkfifo(pipe)
    with pytest.raises(synthema.Error, match=r"t\.csv: This is a pipe or a device, which no table replaces"):
        synthema.write({"a": [1]}, pipe)
    with pytest.raises(synthema.Error, match="no report replaces"):
        synthema.reporting.save({"title": "t"}, pipe)
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["t.csv"]


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl.gz", "t.parquet"])
def test_a_full_disk_names_the_file_and_leaves_nothing(tmp_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    rows = {"a": [hash((i, "x")) for i in range(20_000)]}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        with pytest.raises(
            synthema.Error, match=f"{name}: The table could not be written: File too large[.]$"
        ):
            synthema.write(rows, tmp_path / name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(tmp_path) == []
