"""The any-order network from Python: frames, files, conditions, rules, likelihoods, stopping."""

import json
import subprocess
import sys

import numpy as np
import pytest
import synthema
from synthema import ConfigError, Field, GenerationError, ModelError, Schema
from synthema.tabular_generation import load, methods

pandas = pytest.importorskip("pandas")
pytestmark = pytest.mark.usefixtures("torch_module")
QUICK = {"size": "small", "rounds": 4}


def patients(rows=1200, seed=0):
    """A frame with several kinds of column; pressure depends on age, smoking on sex."""
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 80, rows)
    sex = rng.choice(["f", "m"], rows)
    pressure = np.round(90 + age / 2 + rng.normal(0, 5, rows), 1)
    return pandas.DataFrame(
        {
            "age": age,
            "sex": pandas.Categorical(sex, categories=["f", "m"]),
            "pressure": np.where(rng.random(rows) < 0.1, np.nan, pressure),
            "smoker": rng.random(rows) < np.where(sex == "m", 0.6, 0.1),
            "visit": pandas.Timestamp("2020-01-01") + pandas.to_timedelta(rng.integers(0, 300, rows), "D"),
            "ward": rng.choice(["east", "north", "west"], rows),
        }
    )


@pytest.fixture(scope="module")
def network():
    """A network fitted to the patients."""
    return synthema.AnyOrderNetwork("smoker", size="small", rounds=25).fit(patients())


def test_a_total_that_nobody_has_is_as_likely_as_its_parts():
    rng = np.random.default_rng(0)
    ward, icu = rng.poisson(4, 600), rng.integers(0, 60, 600)
    real = {"ward": ward, "icu": icu, "days": ward + icu}
    group = synthema.GroupRule("sum", ["ward", "icu"], total="days")
    schema = Schema([Field(name, "integer") for name in real], groups=[group])
    fitted = synthema.AnyOrderNetwork(**QUICK, members=1).fit(real, schema=schema)
    made = fitted.sample(4000, seed=1)
    single = np.bincount(real["days"], minlength=100) < 2
    assert single[made.values("days")].any()
    logs = fitted.log_prob(made)
    assert np.isfinite(logs).all()
    parts = synthema.AnyOrderNetwork(**QUICK, members=1).fit({"ward": ward, "icu": icu})
    assert logs.mean() == pytest.approx(parts.log_prob(made.select(["ward", "icu"])).mean(), abs=0.3)


def test_promises_of_a_generator():
    synthema.check_generator(synthema.AnyOrderNetwork(**QUICK), patients(300))
    synthema.check_generator(synthema.AnyOrderNetwork(**QUICK), patients(300), conditions=[{"sex": "f"}])


def test_columns_come_back_as_they_were(network):
    real = patients()
    made = network.sample(500, seed=1, frame="same")
    assert list(made.columns) == list(real.columns)
    assert made.age.dtype == real.age.dtype
    assert list(made.sex.cat.categories) == ["f", "m"]
    assert made.smoker.dtype == bool
    assert (made.visit == made.visit.dt.normalize()).all()
    assert (made.pressure.dropna() * 10).round(6).apply(float.is_integer).all()
    assert network.order[-1] == "smoker"
    alone = synthema.AnyOrderNetwork("smoker", members=1, **QUICK).fit(real)
    assert alone.order[0] == "smoker"
    assert network.parameters == 5 * alone.parameters  # not the zeros of the joined network


def test_joined_networks_foretell_better_than_one():
    real, held_out = patients(250), patients(2000, seed=1)
    means = []
    for members in (1, 5):
        networks = [synthema.AnyOrderNetwork("smoker", members=members, seed=s, size="small") for s in (1, 2)]
        each = [network.fit(real).log_prob(held_out) for network in networks]
        means.append(np.mean([row[np.isfinite(row)].mean() for row in each]))
    assert means[1] > means[0] + 0.02
    with pytest.raises(ConfigError, match="20 networks"):
        synthema.AnyOrderNetwork(members=21)


def test_dependence_is_kept(network):
    made = network.sample(4000, seed=2, frame="pandas")
    assert abs(made.smoker[made.sex == "m"].mean() - 0.6) < 0.12
    assert abs(made.smoker[made.sex == "f"].mean() - 0.1) < 0.12
    there = made.dropna(subset="pressure")
    assert np.corrcoef(there.age, there.pressure)[0, 1] > 0.6


def test_same_bytes_at_any_number_of_threads():
    digests = {
        synthema.AnyOrderNetwork(size="small", rounds=1, threads=threads)
        .fit(patients(5000))
        .sample(600, seed=5)
        .digest()
        for threads in (1, 2)
    }
    assert len(digests) == 1


def test_conditions_hold_row_by_row(network):
    wanted = pandas.DataFrame({"pressure": [120.0, 100.5], "ward": ["east", None]})
    made = network.sample(400, seed=3, conditions=wanted, frame="pandas")
    assert (made.pressure[::2] == 120.0).all()
    assert (made.pressure[1::2] == 100.5).all()
    assert (made.ward[::2] == "east").all()
    assert made.age[::2].mean() > made.age[1::2].mean() + 6
    with pytest.raises(GenerationError, match="ward"):
        network.sample(1, conditions={"ward": "south"})


def test_rules_hold_in_every_row():
    rng = np.random.default_rng(1)
    admission = rng.integers(0, 100, 600)
    real = {"admission": admission.tolist(), "discharge": (admission + rng.integers(0, 9, 600)).tolist()}
    schema = Schema(
        [Field("admission", "integer"), Field("discharge", "integer")],
        rules=[synthema.FieldRule("discharge", "admission", relation=">=")],
    )
    network = synthema.AnyOrderNetwork(**QUICK).fit(real, schema=schema)
    made = network.sample(2000, seed=1, frame="pandas")
    assert (made.discharge >= made.admission).all()
    with pytest.raises(GenerationError, match="contradicts"):
        network.sample(1, conditions={"admission": 60, "discharge": 50})


def test_missing_values_are_imputed(network):
    real = patients(200, seed=4)
    real.loc[:40, "sex"] = None
    whole = network.impute(real, seed=1)
    assert not whole.isna().any().any()
    assert (whole.age == real.age).all()
    known = real.pressure.notna()
    assert (whole.pressure[known] == real.pressure[known]).all()


def test_likelihood_beats_independent_columns(network):
    held_out = patients(800, seed=7)
    ours = network.log_prob(held_out)
    theirs = synthema.IndependentMarginals().fit(patients()).log_prob(held_out)
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert both.mean() > 0.7  # the others have values of few people
    assert ours[both].mean() > theirs[both].mean() + 0.3


def test_saved_models_give_the_same_samples_in_another_process(network, tmp_path):
    path = network.save(tmp_path / "network.model")
    code = (
        "import sys; from synthema.tabular_generation import load; "
        "print(load(sys.argv[1]).sample(50, seed=3).digest())"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == network.sample(50, seed=3).digest()
    again = load(path)
    assert isinstance(again, synthema.AnyOrderNetwork)
    assert again.get_params() | {"threads": 0} == network.get_params()
    assert again.validation_loss == network.validation_loss
    assert again.parameters == network.parameters
    assert again.save(tmp_path / "again.model").read_bytes() == path.read_bytes()


def test_hostile_files_are_refused(network, tmp_path):
    path = network.save(tmp_path / "network.model")
    whole = path.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelError, match="changed after"):
        load(path)
    del header["__metadata__"]["digest"]  # what follows is not damaged but made
    text = json.dumps(header).encode()
    whole, length = len(text).to_bytes(8, "little") + text + whole[8 + length :], len(text)

    def with_model(change):
        model = json.loads(header["__metadata__"]["model"])
        change(model)
        changed = {**header, "__metadata__": {**header["__metadata__"], "model": json.dumps(model)}}
        text = json.dumps(changed).encode()
        return len(text).to_bytes(8, "little") + text + whole[8 + length :]

    assert header["parameters"]["shape"] == [network.parameters]
    nan = np.array([np.nan], dtype="<f4").tobytes()
    begin = 8 + length + header["parameters"]["data_offsets"][0]
    # Biases of the last column, which are added over the five members: each a number, the sum none.
    overflowing = np.frombuffer(whole[begin : begin + 4 * network.parameters], "<f4").reshape(5, -1).copy()
    overflowing[:2, -16] = 3e38
    for bad in (
        whole[: len(whole) // 2],
        whole[:begin] + nan + whole[begin + 4 :],
        whole[:begin] + overflowing.tobytes() + whole[begin + overflowing.nbytes :],
        with_model(lambda model: model["options"].update(size="enormous")),
        with_model(lambda model: model["options"].update(size="large")),
        with_model(lambda model: model["order"].pop()),
        with_model(lambda model: model["options"].update(temperature={"nobody": 2.0})),
        with_model(lambda model: model.pop("rounds")),
        with_model(lambda model: model.update(members=1)),
        with_model(lambda model: model.update(members=20)),
    ):
        path.write_bytes(bad)
        with pytest.raises(ModelError):
            load(path)


def test_progress_tells_the_validation_loss_and_cancel_keeps_the_best_state():
    seen, cancel = [], synthema.CancelToken()

    def watch(step):
        seen.append(step)
        if step.done == 2:
            cancel.cancel()

    network = synthema.AnyOrderNetwork(**QUICK).fit(patients(300), progress=watch, cancel=cancel)
    assert [step.done for step in seen] == [1, 2]
    assert all("validation loss" in step.note for step in seen)
    assert network.rounds == 2
    assert len(network.sample(10, seed=1)) == 10
    with pytest.raises(synthema.Cancelled):
        synthema.AnyOrderNetwork(**QUICK).fit(patients(300), cancel=cancel)


def test_parameters_and_options():
    assert "any_order_network" in methods()
    network = synthema.AnyOrderNetwork("smoker", temperature={"ward": 0.5})
    assert repr(network) == "AnyOrderNetwork(target='smoker', temperature={'ward': 0.5})"
    assert network.get_params()["size"] == "medium"
    for options in (
        {"size": "huge"}, {"rounds": 0}, {"validation": 0.0}, {"rate": -1.0}, {"temperature": {"ward": 0.0}}
    ):  # fmt: skip
        with pytest.raises(ConfigError):
            synthema.AnyOrderNetwork(**options)
    with pytest.raises(GenerationError, match="not fitted"):
        network.sample(1)


@pytest.mark.parametrize(
    "real",
    [
        {"x": [1.5] * 20},
        {"x": [None] * 20, "y": [1, 2] * 10},
        {"x": ["a"] * 10 + ["b"] * 10},
        {"x": [float(i) for i in range(30)]},
    ],
)
def test_awkward_tables(real):
    made = synthema.AnyOrderNetwork(**QUICK).fit(real).sample(15, seed=1)
    assert len(made) == 15
    assert made.names == list(real)


def test_command_line(tmp_path):
    from synthema.cli import main

    table = tmp_path / "patients.csv"
    patients(200).to_csv(table, index=False)
    model, out = tmp_path / "patients.model", tmp_path / "made.csv"
    fit = ["fit", str(table), "--method", "any_order_network", "--target", "smoker", "--out", str(model)]
    assert main(fit) == 0
    assert main(["sample", str(model), "--rows", "30", "--seed", "1", "--out", str(out)]) == 0
    assert len(pandas.read_csv(out)) == 30
