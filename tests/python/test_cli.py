"""The command line: what it prints, what it returns, and that a mistake is one clean sentence."""

import json
import os
import subprocess
import sys

import pytest
import synthema
from gguf_files import byte_bpe_keys, write_llama
from printed import lines
from synthema import cli, verification


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


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["fit", "t.csv", "--out", "m", "--ledger", ""], "--ledger"),
        (["fit", "t.csv", "--out", "m", "--schema="], "--schema"),
        (["fit", "", "--out", "m"], "An argument"),
        (["sample", "m", "--rows", "1", "--out", "t.csv", "--conditions", ""], "--conditions"),
    ],
)
def test_an_empty_value_is_no_option_that_was_left_out(arguments, named, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert f"{named} is empty; is a variable of the shell not set?" in lines(capsys)[1]


def test_an_interruption_of_the_start_has_no_traceback(monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "parser", stop)
    assert cli.main(["fit"]) == 130
    assert lines(capsys)[1] == "synthema: interrupted.\n"


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


@pytest.mark.usefixtures("torch_module")
def test_a_model_of_a_small_context_is_measured(tmp_path, capsys):
    tokens = ["a", "b", "ab", *(f"t{i}" for i in range(3, 32))]
    path = write_llama(tmp_path / "m.gguf", byte_bpe_keys(tokens, ["a b"], "gpt-2", eos_token_id=31), 32)
    (tmp_path / "page.txt").write_text("ab a b ba " * 60)
    assert cli.main(["model", str(path), "--measure", str(tmp_path / "page.txt"), "--json"]) == 0
    assert json.loads(lines(capsys)[0])["numeric_paths"][0]["tokens"] > 200


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


def test_a_folder_in_which_nothing_can_be_written_is_refused_before_budget_is_spent(
    tmp_path, capsys, monkeypatch
):
    def closed(*_, **options):
        raise PermissionError(13, "Permission denied", str(options["dir"]))

    table = tmp_path / "a.csv"
    table.write_text("x,y\n" + "".join(f"{i % 9},{i % 2}\n" for i in range(60)))
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("tempfile.TemporaryFile", closed)
    for command, sentence in (
        (
            ["fit", "--method", "private_marginals", "--ledger", str(tmp_path / "led"), "m"],
            "Permission denied",
        ),
        (["evaluate", "--real", str(table), "report"], "Permission denied"),
        (["fit", "--overwrite", "pipe"], "This is a pipe or a device"),
    ):
        out = str(tmp_path / command.pop())
        assert cli.main([*command, str(table), "--out", out]) == 1
        err = lines(capsys)[1]
        assert err.startswith(f"synthema: --out {out}: ")
        assert sentence in err
        assert len(err.splitlines()) == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.csv", "pipe"]
