"""`synthema.privacy`: values, refusals, and what a user meets. Numbers are checked in tests/cpp/privacy."""

import doctest
import json
import math
import pathlib
import statistics
import subprocess
import sys

import pytest
import synthema
from synthema import privacy


def test_examples_in_docstrings():
    assert doctest.testmod(privacy).failed == 0
    assert doctest.testmod(privacy).attempted > 0


def test_accountants_agree_on_order_and_bounds():
    step = privacy.GaussianMechanism(1.0, sampling_rate=0.01)
    renyi = privacy.RenyiAccountant().add(step, times=1000)
    tight = privacy.PrivacyLossDistribution(step).composed(1000)
    # dp-accounting 0.6.0: 2.1078 by Renyi with integer orders, 1.8282 by its numerical accountant.
    assert renyi.epsilon(1e-5) == pytest.approx(2.1, abs=0.01)
    assert tight.epsilon(1e-5) == pytest.approx(1.828244, rel=1e-4)
    assert tight.delta(tight.epsilon(1e-5)) == pytest.approx(1e-5, rel=1e-6)
    assert renyi.best_order(1e-5) in renyi.orders
    assert len(renyi.divergences) == len(renyi.orders)
    assert privacy.epsilon(step, delta=1e-5, releases=1000, accounting="renyi") == renyi.epsilon(1e-5)
    assert privacy.epsilon(step, delta=1e-5, releases=1000) == pytest.approx(1.828244, rel=1e-4)


def test_the_page_has_what_the_defaults_give():
    page = (pathlib.Path(__file__).parents[2] / "docs" / "privacy_accounting.md").read_text(encoding="utf-8")
    rows = [[c.strip() for c in line.split("|")[1:-1]] for line in page.splitlines() if "256 / 60000" in line]
    rows += [[c.strip() for c in line.split("|")[1:-1]] for line in page.splitlines() if "| 0.001 |" in line]
    assert len(rows) == 2
    for noise, rate, steps, delta, by_renyi, by_default, *_ in rows:
        above, _, below = rate.partition("/")
        step = privacy.GaussianMechanism(float(noise), sampling_rate=float(above) / float(below or 1))
        spent = {"delta": float(delta), "releases": int(steps)}
        assert f"{privacy.epsilon(step, **spent):.5f}" == by_default
        assert f"{privacy.epsilon(step, **spent, accounting='renyi'):.5f}" == by_renyi


def test_large_losses_are_not_forgotten():
    step = privacy.GaussianMechanism(1, sampling_rate=0.5)
    assert privacy.epsilon(step, delta=1e-5, releases=10_000) == pytest.approx(1636.57, rel=1e-3)
    assert privacy.epsilon(privacy.GaussianMechanism(0.02, sampling_rate=0.5), delta=1e-5) > 1000


def test_mechanisms_mix():
    a = privacy.PrivacyLossDistribution(privacy.GaussianMechanism(5), step=1e-3)
    b = privacy.PrivacyLossDistribution(privacy.LaplaceMechanism(10), step=1e-3)
    both = a.composed(b).epsilon(1e-6)
    assert max(a.epsilon(1e-6), b.epsilon(1e-6)) < both < a.epsilon(1e-6) + 0.1
    accountant = privacy.RenyiAccountant().add(privacy.GaussianMechanism(5)).add(privacy.LaplaceMechanism(10))
    assert accountant.epsilon(1e-6) > both


def test_noise_keeps_the_target():
    target = {"epsilon": 2.0, "delta": 1e-6, "sampling_rate": 0.02, "releases": 300}
    noise = privacy.noise_multiplier(**target)
    step = privacy.GaussianMechanism(noise, sampling_rate=0.02)
    spent = privacy.epsilon(step, delta=1e-6, releases=300)
    assert 1.995 < spent <= 2.0
    assert privacy.noise_multiplier(**target, accounting="renyi") > noise


def test_discrete_noise_is_integer_and_does_not_repeat():
    gauss = privacy.discrete_gaussian(100.0, 4000)
    assert all(isinstance(x, int) for x in gauss)
    assert statistics.pvariance(gauss) == pytest.approx(100, rel=0.2)  # nine standard errors
    assert privacy.discrete_gaussian(100.0, 50) != privacy.discrete_gaussian(100.0, 50)
    laplace = privacy.discrete_laplace(3.0, 4000)
    # E|x| = 2 p / (1 - p^2), p = exp(-1 / scale)
    p = math.exp(-1 / 3)
    assert statistics.fmean(map(abs, laplace)) == pytest.approx(2 * p / (1 - p * p), rel=0.2)


def test_choices_compose_and_follow_the_scores():
    choice = privacy.ExponentialMechanism(0.1)
    assert privacy.epsilon(choice, delta=1e-9) <= 0.1 + 1e-6
    assert privacy.epsilon(choice, delta=1e-6, releases=1000) < 20
    picks = [privacy.exponential_choice([0.0, 10.0], epsilon=1.0, sensitivity=1.0) for _ in range(300)]
    assert sum(picks) > 280  # 298 expected: exp(5) to one


def entry(epsilon, **changes):
    values = {
        "mechanism": "discrete Laplace",
        "sensitivity": 1,
        "unit": "patient",
        "epsilon": epsilon,
        "delta": 0,
        "released": "counts of ward by sex",
    }
    return privacy.LedgerEntry(**values | changes)


def test_ledger_adds_up_and_refuses():
    ledger = privacy.Ledger(budget=(1.0, 1e-5))
    ledger.add(entry(0.75))
    with pytest.raises(synthema.PrivacyBudgetError, match="above its budget"):
        ledger.add(entry(0.5))
    assert ledger.spent == (0.75, 0)
    assert ledger.remaining == (0.25, 1e-5)
    assert len(ledger) == 1
    assert ledger.entries[0].unit == "patient"
    again = privacy.Ledger.from_json(ledger.to_json())
    assert again.to_json() == ledger.to_json()
    assert json.loads(ledger.to_json())["budget"] == {"epsilon": 1.0, "delta": 1e-5}
    ledger.add(entry(0.1, private_noise=False))
    assert not ledger.is_private
    assert "NOT PRIVATE" in repr(ledger)


def test_ledger_file_is_shared_by_processes(tmp_path):
    path = str(tmp_path / "ward.jsonl")
    privacy.LedgerFile(path, budget=(1.0, 0.0))
    code = (
        "import sys\nfrom synthema import privacy\n"
        "file = privacy.LedgerFile(sys.argv[1])\n"
        "for _ in range(20):\n"
        "    try:\n"
        "        file.append(privacy.LedgerEntry(mechanism='m', sensitivity=1, unit='row', epsilon=0.03125,\n"
        "                                        delta=0, released='r'))\n"
        "    except privacy.PrivacyBudgetError:\n"
        "        pass\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, path]) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    ledger = privacy.LedgerFile(path).read()
    assert len(ledger) == 32  # of 60 tries
    assert ledger.spent == (1.0, 0)
    with pytest.raises(synthema.ConfigError, match="another budget"):
        privacy.LedgerFile(path, budget=(2.0, 0.0))


def test_a_budget_is_the_same_but_for_rounding(tmp_path):
    path = str(tmp_path / "ward.jsonl")
    privacy.LedgerFile(path, budget=(3.0, 1e-5))
    privacy.LedgerFile(path, budget=(3.0, 10 * 1e-6))
    with pytest.raises(synthema.ConfigError, match="another budget"):
        privacy.LedgerFile(path, budget=(3.0, 1.01e-5))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: privacy.GaussianMechanism(0), "noise_multiplier"),
        (lambda: privacy.GaussianMechanism(1, sampling_rate=2), "sampling_rate"),
        (lambda: privacy.LaplaceMechanism(-1), "noise_multiplier"),
        (lambda: privacy.ExponentialMechanism(0), "epsilon"),
        (lambda: privacy.exponential_choice([], 1, 1), "scores"),
        (lambda: privacy.epsilon(privacy.GaussianMechanism(1), delta=0), "delta"),
        (
            lambda: privacy.epsilon(privacy.GaussianMechanism(1), delta=1e-5, accounting="moments"),
            "accounting",
        ),
        (lambda: privacy.noise_multiplier(epsilon=-1, delta=1e-5), "epsilon"),
        (lambda: privacy.RenyiAccountant([0.5]), "order"),
        (lambda: privacy.discrete_gaussian(-1, 1), "positive"),
        (lambda: privacy.Ledger(budget=(0, 0)), "epsilon"),
        (lambda: entry(1, unit=""), "unit"),
    ],
)
def test_bad_input_is_a_named_error(call, named):
    with pytest.raises(synthema.ConfigError, match=named):
        call()


def test_an_argument_that_fits_nothing_does_not_show():
    secret = "Mrs Example, born 1961"
    for wrong in (
        lambda: synthema.Prompt.plain([secret]),
        lambda: synthema.Prompt.user(text={"name": secret}),
        lambda: synthema.Draft(secret, secret, secret),
        lambda: synthema.Message(secret, [secret], secret),
    ):
        with pytest.raises((synthema.ConfigError, TypeError)) as raised:
            wrong()
        assert "Example" not in str(raised.value)
        assert "Invoked with" not in str(raised.value)
