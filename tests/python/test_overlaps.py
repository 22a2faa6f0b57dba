import json
import warnings

import numpy as np
import pytest
import synthema
from synthema import cli, reporting


def rows(seed, n=300):
    r = np.random.default_rng(seed)
    return {
        "mrn": [int(i) for i in r.choice(900_000, n, replace=False) + 100_000],
        "sex": [str(one) for one in r.choice(["f", "m"], n)],
        "age": [int(one) for one in r.integers(18, 90, n)],
        "crp": [float(one) for one in r.lognormal(1, 1, n).round(1)],
    }


def without(data, name):
    return {key: values for key, values in data.items() if key != name}


def test_a_holdout_that_is_the_training_data_is_named_and_says_nothing_of_safety():
    real = without(rows(1), "mrn")
    with pytest.warns(UserWarning, match="of the holdout rows are rows of the real data too"):
        report = synthema.evaluate(real, real, real)
    assert report.facts["overlap"] is True
    document = reporting.as_document(report)
    page = reporting.render(report)
    assert "How safe the rows are is not known" in page
    assert "measures of privacy is worse" not in page
    assert any("partly learnt" in one for one in document["warnings"])
    assert "partly learnt" in str(report)


def test_synthetic_rows_that_are_the_holdout_are_named():
    real, holdout = without(rows(1), "mrn"), without(rows(2), "mrn")
    with pytest.warns(UserWarning, match="Were real rows and holdout exchanged"):
        synthema.evaluate(holdout, real, holdout)


def test_fresh_rows_have_no_overlap():
    tables = [synthema.table(rows(seed), roles={"mrn": "identifier"}) for seed in (1, 2, 3)]
    report = synthema.evaluate(*tables)  # a warning would be an error
    assert not {"overlap", "cautions"} & set(report.facts)


def test_identifiers_of_real_rows_are_named():
    real, holdout = (synthema.table(rows(seed), roles={"mrn": "identifier"}) for seed in (1, 3))
    made = rows(2) | {"mrn": rows(1)["mrn"]}
    for fresh in (None, holdout):
        with pytest.warns(UserWarning, match="100 % of the synthetic values of the identifier 'mrn'"):
            report = synthema.evaluate(made, real, fresh)
        assert any("'mrn'" in one for one in report.facts["cautions"])
        assert str(made["mrn"][0]) not in str(report) + reporting.render(report)
    numbered = rows(1) | {"mrn": [*range(300)][::-1]}  # coincide by chance
    synthema.evaluate(rows(2) | {"mrn": [*range(300)]}, synthema.table(numbered, roles={"mrn": "identifier"}))


def test_the_command_line_says_it_too(tmp_path, capsys):
    real = without(rows(1), "mrn")
    paths = [str(synthema.write(synthema.table(real), tmp_path / f"{name}.csv")) for name in "srh"]
    command = ["evaluate", paths[0], "--real", paths[1], "--holdout", paths[2], "--out", str(tmp_path / "r")]
    for metrics in ([], ["--metrics", "dcr_share"]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert cli.main([*command, *metrics, "--json"]) == 0
        said = json.loads(capsys.readouterr().out)["verdict"]
        assert any("partly learnt" in one for one in said)
        assert any("How safe the rows are is not known" in one for one in said)
