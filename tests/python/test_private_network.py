"""The network with a privacy budget from Python: what is public, the ledger, files, the command line."""

import functools
import json

import pytest
import synthema
from private_patients import patients as patients_of
from synthema import AnyOrderNetwork, ConfigError, PrivacyBudgetError
from synthema.cli import main
from synthema.privacy import LedgerFile
from synthema.tabular_generation import load

pandas = pytest.importorskip("pandas")

QUICK = {"size": "small", "steps": 120, "sampling_rate": 0.1, "rate": 5e-3, "threads": 2}


patients = functools.partial(patients_of, of_men=0.7)


@pytest.fixture(scope="module")
def fitted():
    """A private fit to the patients, without a schema."""
    return AnyOrderNetwork("smoker", epsilon=8, **QUICK).fit(patients())


def test_rows_are_like_the_patients_and_repeat_by_seed(fitted):
    """Dependence is kept; the same seed gives the same frame; conditions hold."""
    rows = fitted.sample(3000, seed=1, frame="same")
    assert list(rows.columns) == ["age", "sex", "ward", "smoker"]
    share = rows.dropna().groupby("sex", observed=True).smoker.apply(lambda s: s.astype(bool).mean())
    assert share["m"] - share["f"] > 0.3
    assert fitted.sample(50, seed=3).digest() == fitted.sample(50, seed=3).digest()
    assert set(fitted.sample(20, conditions={"sex": "m"}).values("sex")) == {"m"}


def test_nothing_of_the_frame_is_public_and_the_ledger_says_what_was_spent(fitted, tmp_path):
    """Neither rare values nor the categories of the dtype are in the file; the loaded one is the same."""
    path = fitted.save(tmp_path / "private.model")
    assert b"canary" not in path.read_bytes()
    # Noise may stretch the range by a power of two or two; where the single person's number lies it makes a
    # cell in one fit of many thousands.
    assert max(v for v in fitted.sample(2000, seed=1).values("age") if v is not None) < 1 << 16
    assert fitted.is_private
    assert fitted.privacy_ledger.spent == (8, 1e-6)
    assert "120 steps of DP-SGD" in fitted.describe()
    again = load(path)
    assert isinstance(again, AnyOrderNetwork)
    assert again.get_params()["epsilon"] == 8
    assert again.privacy_ledger.spent == (8, 1e-6)
    assert again.sample(100, seed=2).digest() == fitted.sample(100, seed=2).digest()
    assert again.spending == fitted.spending


def test_private_fits_do_not_repeat_but_test_noise_does_and_says_so():
    """No seed repeats a private fit."""
    few = QUICK | {"steps": 10}
    labels = patients(500)[["sex", "smoker"]]
    one, two = (AnyOrderNetwork(epsilon=2, seed=1, **few).fit(labels) for _ in range(2))
    assert one.sample(20_000, seed=1).digest() != two.sample(20_000, seed=1).digest()
    test, same = (AnyOrderNetwork(epsilon=2, **few).fit(labels, _test_noise=5) for _ in range(2))
    assert test.sample(200, seed=1).digest() == same.sample(200, seed=1).digest()
    assert not test.is_private
    assert test.describe().startswith("NOT PRIVATE")


def test_fits_share_a_ledger_file(tmp_path):
    """The second fit is refused before anything is measured; what was fitted stays."""
    path = tmp_path / "people.ledger"
    LedgerFile(str(path), (3, 1e-5))
    labels = patients(500)[["sex", "smoker"]]
    network = AnyOrderNetwork(epsilon=2, ledger=path, **QUICK | {"steps": 5}).fit(labels)
    with pytest.raises(PrivacyBudgetError):
        network.fit(labels)
    assert network.fitted
    entry = LedgerFile(str(path)).read().entries[0]
    assert entry.steps == 5
    assert entry.sampling_rate == 0.1
    with pytest.raises(ConfigError, match="ledger"):
        AnyOrderNetwork(ledger=path)


def test_a_schema_is_public_knowledge():
    """What it states costs nothing: a label of one person may be there, and no threshold is spent."""
    frame = patients(500).drop(columns="age")
    schema = synthema.Schema(
        [
            synthema.Field("sex", "category", categories=["f", "m"], nullable=False),
            synthema.Field(
                "ward", "category", categories=["canary-ward", "east", "north", "west"], nullable=False
            ),
            synthema.Field("smoker", "boolean", nullable=False),
        ]
    )
    made = AnyOrderNetwork(epsilon=1, **QUICK | {"steps": 10}).fit(frame, schema=schema)
    assert not any("threshold" in one["released"] for one in made.spending)
    assert made.sample(500, seed=1).schema["ward"].categories == schema["ward"].categories
    with pytest.raises(ConfigError, match="sex"):
        AnyOrderNetwork(epsilon=1, infer=False, **QUICK).fit(frame)


def test_a_network_without_a_budget_is_not_private():
    """It says so."""
    network = AnyOrderNetwork(size="small", rounds=1).fit(patients(300))
    assert not network.is_private
    assert network.privacy_ledger.entries == []
    assert network.describe().startswith("Not differentially private")


def test_the_command_line_fits_privately(tmp_path, capsys):
    """With --epsilon; the result tells the budget and not the number of rows; a ledger is kept."""
    table, model = tmp_path / "patients.csv", tmp_path / "private.model"
    patients(900).to_csv(table, index=False)
    fit = ["fit", str(table), "--method", "any_order_network", "--epsilon", "3", "--target", "smoker"]
    ledger = ["--ledger", str(tmp_path / "people.ledger"), "--budget", "4"]
    assert main([*fit, *ledger, "--out", str(model), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["epsilon"] == 3
    assert "rows" not in result
    assert {"released", "rho"} <= set(result["spending"][0])
    assert main([*fit, *ledger[:2], "--out", str(model), "--json"]) != 0  # 6 is above 4
    capsys.readouterr()
    assert main(["sample", str(model), "--rows", "20", "--out", str(tmp_path / "made.csv")]) == 0
