"""`synthema evaluate` with a second site, quasi-identifiers and a study card; the page on privacy."""

import json

import numpy as np
import pytest
from synthema import cli, reporting
from synthema.assessment import assess
from synthema.reporting import charts, risks


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write training, holdout, external (shifted) and synthetic rows, the last with copies."""
    there = tmp_path_factory.mktemp("site")
    rng = np.random.default_rng(0)

    def rows(n, shift=0.0):
        x = rng.normal(size=n) + shift
        z = x + rng.normal(size=n)
        return [
            f"{a:.3f},{b:.3f},{'m' if b > 0 else 'f'},{'yes' if a + b > 0 else 'no'}"
            for a, b in zip(x, z, strict=True)
        ]

    sets = {"real": rows(150), "holdout": rows(150), "external": rows(150, 1.0)}
    sets["synthetic"] = sets["real"][:100] + rows(50)
    sets["reused"] = sets["real"][:120] + rows(30)
    for name, lines in sets.items():
        (there / f"{name}.csv").write_text("\n".join(["x,z,sex,outcome", *lines]) + "\n")
    return there


def evaluate(folder, out, *more):
    arguments = ["evaluate", str(folder / "synthetic.csv"), "--real", str(folder / "real.csv")]
    assert cli.main([*arguments, "--out", str(out), "--target", "outcome", *more]) == 0
    return json.loads((out / "report.json").read_text())


def test_a_second_site_is_measured_beside_what_real_rows_reach_there(folder, tmp_path, capsys):
    sites = ["--holdout", str(folder / "holdout.csv"), "--external", str(folder / "external.csv")]
    document = evaluate(folder, tmp_path, *sites)
    titles = [one["title"] for one in document["sections"]]
    assert titles == ["Synthetic rows", "Synthetic rows, other site", "Real rows, other site"]
    scores = [{s["name"]: s.get("value") for s in one["scores"]} for one in document["sections"]]
    assert scores[1]["column_shapes"] < scores[0]["column_shapes"] - 0.1  # the other site is shifted
    assert abs(scores[1]["column_shapes"] - scores[2]["column_shapes"]) < 0.1
    assert scores[1]["train_synthetic_test_real"] > 0.8
    assert not document["warnings"]
    assert "other site" in capsys.readouterr().out


def test_the_target_that_a_role_names_is_that_of_the_other_site_and_the_card(folder, tmp_path):
    assess(
        folder / "synthetic.csv",
        real=folder / "real.csv",
        external=folder / "external.csv",
        roles={"outcome": "target"},
        metrics=["column_shapes"],
        out=tmp_path,
    )
    document = json.loads((tmp_path / "report.json").read_text())
    for site in document["sections"][1:]:
        assert "train_synthetic_test_real" in [one["name"] for one in site["scores"]]
    assert json.loads((tmp_path / "study_card.json").read_text())["downstream_task"] == "CLS"


def test_rows_that_are_tested_on_and_were_trained_on_bring_a_warning(folder, tmp_path):
    document = evaluate(folder, tmp_path, "--holdout", str(folder / "reused.csv"), "--metrics", "dcr")
    assert any("of the holdout rows are rows of the real data too" in one for one in document["warnings"])


def test_the_card_is_written_with_what_is_known(folder, tmp_path):
    (tmp_path / "card.json").write_text(json.dumps({"architecture": "Trees", "disease": "None"}))
    evaluate(
        folder, tmp_path / "out", "--metrics", "dcr,column_shapes", "--card", str(tmp_path / "card.json")
    )
    card = json.loads((tmp_path / "out" / "study_card.json").read_text())
    assert card["architecture"] == "Trees"
    assert [card[k] for k in ("modality", "size", "n_metrics", "downstream_task")] == [
        "Tabular",
        150,
        2,
        "CLS",
    ]


def test_quasi_identifiers_and_secrets_reach_the_measures(folder, tmp_path):
    document = evaluate(folder, tmp_path, "--quasi-identifiers", "sex, z", "--secrets", "outcome")
    values = {s["name"]: s.get("value") for s in document["sections"][0]["scores"]}
    assert values["k_anonymity"] >= 1
    assert 0 < values["disclosure_protection"] <= 1


def test_the_page_shows_attacks_distances_and_columns(folder, tmp_path):
    document = evaluate(folder, tmp_path, "--holdout", str(folder / "holdout.csv"), "--level", "full")
    page = risks.privacy(document)
    for said in (
        *("Risk left over people", "Singling out multivariate", "Distance to the closest training row"),
        "Columns that can be inferred",
    ):
        assert said in page, said
    assert "synthetic rows within" not in reporting.render(document)  # the histogram shows these
    assert "Each attack is tried on people of the training data" in page
    assert "Line: real rows that were not in the training data." in page
    assert risks.privacy({"sections": [{"scores": []}]}) is None


def test_without_a_holdout_the_page_names_no_attack_and_no_fresh_rows(folder, tmp_path):
    page = risks.privacy(evaluate(folder, tmp_path))
    assert "No attack was tried. Attacks need a holdout" in page
    assert "Line: each real row and its closest other." in page
    assert "not in the training data" not in page


def test_shares_are_those_of_the_cumulative_parts():
    assert risks._steps([0.25, 0.75, 1.0]) == [0.25, 0.5, 0.25]
    drawn = charts.shares_by_bin([0.1, 0.2], [[0.25, 0.75], [0.5, 0.5]], "distance")
    assert drawn.count("<rect") == 2
    assert "steps s1" in drawn


def test_two_hundred_columns_make_a_page():
    parts = [
        {"name": ", ".join(f"c{i}" for i in range(k, k + 100)), "value": 0.5 + k / 1000, "n": 9}
        for k in range(100)
    ]
    rare = [{"name": f"c{i}", "value": 0.001 * i, "n": 9} for i in range(1, 201)]
    scores = [
        {"name": "dcr_share_worst_group", "value": 0.6, "parts": parts},
        {"name": "rare_value_reuse", "value": 0.9, "parts": rare},
    ]
    page = risks.privacy({"sections": [{"scores": scores}]})
    assert "and 94 more" in page
    assert "188 further ones" in page
