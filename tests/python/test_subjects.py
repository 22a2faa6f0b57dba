"""Columns that seem to say whose row it is, and roles that are given beside a schema."""

import json
import warnings

import numpy as np
import pytest
import synthema
from synthema import Field, Schema, SchemaError, cli, subjects


def visits(name="patient_id", people=40, each=6):
    numbers = np.repeat(np.arange(people), each)
    return {
        name: [f"P{n:03}" for n in numbers],
        "age": (30 + numbers % 50).tolist(),
        "pressure": (100 + np.arange(len(numbers)) * 7 % 60).tolist(),
    }


@pytest.mark.parametrize(
    "name",
    [
        "patient_id",
        "USUBJID",
        "id",
        "Id",
        "PatientID",
        "PATIENTID",
        "subjectid",
        "subject",
        "person",
        "case no",
    ],
)
def test_a_column_named_like_people_whose_values_repeat_is_found(name):
    assert subjects.likely_subject(synthema.table(visits(name))) == name


@pytest.mark.parametrize(
    "frame",
    [
        visits(each=1),
        visits(people=5),
        visits("ward"),
        visits("identity"),
        visits("patient_ward"),
        visits("inpatient"),
    ],
)
def test_other_columns_are_not(frame):
    assert subjects.likely_subject(synthema.table(frame)) is None


def test_whole_numbers_and_codes():
    numbers = np.repeat(np.arange(50), 4)
    assert subjects.likely_subject(synthema.table({"id": numbers, "x": numbers % 7})) == "id"
    holes = [None, *numbers[1:].astype(float)]  # as pandas makes of them
    assert subjects.likely_subject(synthema.table({"id": holes, "x": numbers % 7})) == "id"
    assert subjects.likely_subject(synthema.table({"patient": numbers / 2, "x": numbers % 7})) is None
    codes = np.arange(6000) % 20  # of anything, with many rows each
    assert subjects.likely_subject(synthema.table({"admission_source_id": codes, "x": codes})) is None
    assert subjects.likely_subject(synthema.table({"patient": codes, "x": codes})) == "patient"


@pytest.mark.filterwarnings("ignore:An epsilon of")
def test_a_fit_and_an_evaluation_warn_until_the_role_is_given():
    frame = visits()
    for use in (
        lambda rows: synthema.SequentialTrees().fit(rows),
        lambda rows: synthema.PrivateMarginals(epsilon=100).fit(rows),
        lambda rows: synthema.evaluate(rows, rows, metrics="column_shapes"),
    ):
        with pytest.warns(UserWarning, match="'patient_id' may say whose row it is"):
            use(synthema.table(frame))
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*whose row it is.*")
            use(synthema.table(frame, roles={"patient_id": "subject"}))


def test_roles_are_added_to_those_of_the_schema():
    schema = Schema([Field("patient_id", roles=["label"], description="who"), Field("age", "integer")])
    rows = synthema.table([{"patient_id": "a", "age": 3}], schema, roles={"patient_id": ["subject", "label"]})
    assert rows.schema["patient_id"].roles == ["label", "subject"]
    assert rows.schema["patient_id"].description == "who"
    with pytest.raises(SchemaError, match=r"no column 'patent_id'.*did you mean 'patient_id'"):
        synthema.table(visits(), roles={"patent_id": "subject"})
    with pytest.raises(SchemaError, match="role"):
        synthema.table(visits(), roles={"patient_id": "owner"})


def test_the_command_line_takes_roles(tmp_path, capsys):
    real, model, made = tmp_path / "real.csv", tmp_path / "model", tmp_path / "made.csv"
    synthema.write(visits(), real)
    assert cli.main(["fit", str(real), "--out", str(model)]) == 0
    assert "--subject patient_id" in capsys.readouterr().err
    assert cli.main(["fit", str(real), "--out", str(model), "--subject", "patient_id", "--overwrite"]) == 0
    assert "whose row" not in capsys.readouterr().err
    assert cli.main(["sample", str(model), "--rows", "60", "--out", str(made)]) == 0
    assert not set(synthema.read(made).values("patient_id")) & set(visits()["patient_id"])
    options = ["--real", str(real), "--out", str(tmp_path / "report"), "--json"]
    assert cli.main(["evaluate", str(made), *options]) == 0
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert any("whose row it is" in said for said in report["warnings"])
    assert cli.main(["evaluate", str(made), *options, "--subject", "patient_id"]) == 0
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert not any("whose row it is" in said for said in report["warnings"])
    assert cli.main(["evaluate", str(made), *options, "--identifiers", "patnt"]) == 1
    assert "no column 'patnt'" in capsys.readouterr().err
    assert synthema.load(model).schema["patient_id"].roles == ["subject"]


def test_a_private_fit_with_a_schema_keeps_the_roles(tmp_path, capsys):
    """Else the promise would be for each row."""
    real, stated = tmp_path / "real.csv", tmp_path / "schema.json"
    synthema.write(visits(), real)
    stated.write_text(synthema.table(visits()).schema.to_json())
    options = [
        "--method",
        "private_marginals",
        "--epsilon",
        "50",
        "--subject",
        "patient_id",
        "--schema",
        str(stated),
    ]
    assert cli.main(["fit", str(real), "--out", str(tmp_path / "model"), *options]) == 0
    assert "for each subject" in capsys.readouterr().out


def test_a_column_has_one_of_both_roles(tmp_path, capsys):
    real = tmp_path / "real.csv"
    synthema.write(visits(), real)
    both = ["--subject", "patient_id", "--identifiers", "patient_id"]
    assert cli.main(["fit", str(real), "--out", str(tmp_path / "m"), *both]) == 1
    assert "is the subject already" in capsys.readouterr().err
