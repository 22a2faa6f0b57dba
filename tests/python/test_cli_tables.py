"""`synthema fit`, `sample`, `impute` and `schema`: tables, from the command line."""

import json
import os
import re
import signal
import warnings

import pytest
import synthema
from printed import lines
from synthema import cli, terminal


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


def test_dates_that_a_frame_or_parquet_keeps_as_texts_are_warned_of(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"seen": ["2024-01-03", None, "2024-02-11T10:00"], "code": ["I10", "2024", "E11"]}
    )
    many = pandas.concat([frame] * 10, ignore_index=True)
    with pytest.warns(UserWarning, match="'seen' was read as text and seems to hold dates; convert them"):
        synthema.SequentialTrees().fit(many)
    with pytest.warns(UserWarning, match="'seen' was read as text and seems to hold dates"):
        synthema.tabular(many)
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


def test_a_file_with_na_among_booleans_is_read_with_its_own_schema(tmp_path, capsys):
    table, schema, model = tmp_path / "t.csv", tmp_path / "schema.json", tmp_path / "a.model"
    rows = [f"{20 + i},{'NA' if i % 7 == 0 else ['TRUE', 'FALSE'][i % 2]}" for i in range(60)]
    table.write_text("\n".join(["age,smoker", *rows]) + "\n")
    assert cli.main(["schema", str(table), "--out", str(schema)]) == 0
    assert cli.main(["fit", str(table), "--schema", str(schema), "--out", str(model)]) == 0
    nothing, made, filled = tmp_path / "nothing.csv", tmp_path / "made.csv", tmp_path / "filled.csv"
    nothing.write_text("smoker\nNA\n")
    sample = ["sample", str(model), "--rows", "9", "--conditions", str(nothing), "--out", str(made)]
    assert cli.main(sample) == 0
    assert synthema.read(made).schema["smoker"].kind == "boolean"
    nothing.write_text("smoker,age\nNA,30\nNA,NA\n")
    assert cli.main(["impute", str(model), str(nothing), "--out", str(filled)]) == 0
    assert synthema.read(filled).null_count("smoker") == 0
    assert synthema.read(filled).null_count("age") == 0
    assert "error" not in capsys.readouterr().err


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
    assert (tmp_path / "c.csv").read_text().replace(";", ",") == (tmp_path / "a.csv").read_text()
    assert cli.main(["impute", marginals, path, "--out", str(tmp_path / "d.csv")]) == 1
    assert "does not impute" in capsys.readouterr().err


def test_files_with_decimal_commas_and_days_first_go_through_all_commands(tmp_path, capsys):
    rows = [
        f"{1 + i % 28}.{1 + i % 12}.{2019 + i % 3};{i % 50},{i % 4 * 25};{'mw'[i % 2]}\n" for i in range(300)
    ]
    (tmp_path / "real.csv").write_text("Tag;Wert;Sex\n" + "".join(rows))
    german = ["--delimiter", ";", "--decimal", ","]
    read = [*german, "--dates", "dmy"]
    real, model, made = (str(tmp_path / name) for name in ("real.csv", "a.model", "made.csv"))
    assert cli.main(["fit", real, *read, "--out", model]) == 0
    assert cli.main(["sample", model, "--rows", "200", *german, "--out", made]) == 0
    assert cli.main(["evaluate", made, "--real", real, *read, "--out", str(tmp_path / "r"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["scores"]
    assert found["column_shapes"] > 0.85
    first = (tmp_path / "made.csv").read_text().splitlines()[1]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d;\d+,\d+;[mw]", first)


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


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--delta=2", "--delta must be above 0 and below 1, but it is 2;"),
        ("--budget=-5", "--budget must be a finite number above zero, but it is -5;"),
    ],
)
def test_numbers_of_a_promise_are_refused_by_the_name_of_their_option(option, sentence, tmp_path, capsys):
    ledger, model = tmp_path / "ledger", tmp_path / "model"
    arguments = ["fit", "none.csv", "--method", "private_marginals", "--ledger", str(ledger), option]
    assert cli.main([*arguments, "--out", str(model)]) == 1
    assert f"synthema: {sentence}" in lines(capsys)[1]
    assert not ledger.exists()


@pytest.mark.usefixtures("torch_module")
def test_a_folder_to_spill_to_is_refused_by_the_name_of_its_option(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{i % 9},{i % 2}\n" for i in range(60)))
    arguments = [
        "fit",
        str(tmp_path / "t.csv"),
        "--method",
        "any_order_network",
        "--out",
        str(tmp_path / "m"),
    ]
    assert cli.main([*arguments, "--spill", str(tmp_path / "none")]) == 1
    assert lines(capsys)[1].startswith(f"synthema: --spill {tmp_path}/none: In the folder")
    assert cli.main([*arguments, "--spill", str(tmp_path)]) == 0
    assert f"Sample with: synthema sample {tmp_path}/m --rows 60" in lines(capsys)[0]


def test_dates_of_conditions_need_conditions(tmp_path, capsys):
    arguments = ["sample", "m", "--rows", "3", "--out", str(tmp_path / "s.csv"), "--dates", "dmy"]
    assert cli.main(arguments) == 1
    assert "--dates says how the dates of --conditions are written" in lines(capsys)[1]


def test_a_command_that_is_terminated_leaves_no_unfinished_file(tmp_path, capsys, monkeypatch):
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{i % 9},{i % 2}\n" for i in range(60)))

    def write(path, data):
        with open(path, "wb") as file:
            file.write(data[:100])
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("pathlib.Path.write_bytes", write)
    assert cli.main(["fit", str(tmp_path / "t.csv"), "--out", str(tmp_path / "m")]) == 143
    assert lines(capsys)[1].endswith("synthema: terminated.\n")
    assert os.listdir(tmp_path) == ["t.csv"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_budget_below_the_fit_begins_no_ledger(tmp_path, capsys):
    (tmp_path / "r.csv").write_text("a,b\n" + "".join(f"{i % 7},x{i % 3}\n" for i in range(50)))
    ledger = tmp_path / "ledger"
    arguments = ["fit", str(tmp_path / "r.csv"), "--method", "private_marginals", "--ledger", str(ledger)]
    assert cli.main([*arguments, "--budget=0.5", "--out", str(tmp_path / "m")]) == 1
    assert "would spend epsilon 1, more than --budget 0.5" in capsys.readouterr().err
    assert not ledger.exists()
