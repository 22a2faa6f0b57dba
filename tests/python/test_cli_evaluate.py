"""`synthema evaluate`, from the command line."""

import gzip
import json

import numpy as np
import pytest
import synthema
from printed import lines
from synthema import cli


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


def test_evaluate_refuses_tables_without_rows(tmp_path, capsys):
    (tmp_path / "s.csv").write_text("a,b\n")
    (tmp_path / "r.csv").write_text("a,b\n1,2\n")
    for synthetic, real in (("s.csv", "r.csv"), ("r.csv", "s.csv")):
        arguments = ["evaluate", str(tmp_path / synthetic), "--real", str(tmp_path / real)]
        assert cli.main([*arguments, "--out", str(tmp_path / "o")]) == 1
        assert "s.csv: The file has no rows" in lines(capsys)[1]


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
    assert cli.main([*arguments, "--metrics", ","]) == 1
    assert "metrics is empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "sentence"),
    [("--sensitive=sex", "Only 'sensitive' was given."), ("--target-labels=3", "and no target;")],
)
def test_what_needs_a_target_is_refused_without_one(option, sentence, tmp_path, capsys):
    table = tmp_path / "t.csv"
    table.write_text("age,sex\n" + "".join(f"{20 + i % 50},{'fm'[i % 2]}\n" for i in range(60)))
    arguments = ["evaluate", str(table), "--real", str(table), "--out", str(tmp_path / "r")]
    assert cli.main([*arguments, "--metrics", "column_shapes", option]) == 1
    assert sentence in lines(capsys)[1]
    stated = synthema.Schema(
        [synthema.Field("age", "integer"), synthema.Field("sex", "category", roles=["target"])]
    )
    (tmp_path / "s.json").write_text(stated.to_json())
    assert (
        cli.main([*arguments, "--metrics", "column_shapes", "--schema", str(tmp_path / "s.json"), option])
        == 0
    )
