"""Recompute the check values of tests/cpp/privacy with dp-accounting, Opacus and mpmath.

Not part of `./dev test`. Run in an environment of its own; Opacus comes without its dependencies,
which include torch:

    python3 -m venv build/accountants
    build/accountants/bin/pip install dp-accounting==0.6.0
    build/accountants/bin/pip install --no-deps opacus==1.6.0
    build/accountants/bin/python tests/parity/accountants.py

It prints `tests/cpp/privacy/accountant_vectors.hpp` (before clang-format), and fails where the two libraries
disagree on a value that it takes from both.
"""

import importlib.util
import pathlib
import sys
from importlib.metadata import version

import dp_accounting
import mpmath
from dp_accounting.pld import privacy_loss_distribution as dp_pld
from dp_accounting.rdp import rdp_privacy_accountant as dp_rdp

mpmath.mp.dps = 40

# (noise multiplier, sampling rate, steps, delta)
SAMPLED = [
    (0.6, 1e-3, 1000, 1e-6),
    (1.0, 0.01, 1000, 1e-5),
    (1.1, 256 / 60000, 14062, 1e-5),
    (2.0, 0.1, 100, 1e-7),
    (4.0, 0.5, 50, 1e-5),
    (1.5, 1.0, 10, 1e-6),
]
INTEGER_ORDERS = [2, 3, 5, 8, 16, 32, 64]
FRACTIONAL_ORDERS = [1.1, 1.5, 2.5, 7.3, 10.9]


def opacus_rdp():
    """Return Opacus' accountant module alone: the package itself imports torch."""
    spec = importlib.util.find_spec("opacus")
    path = pathlib.Path(spec.submodule_search_locations[0]) / "accountants" / "analysis" / "rdp.py"
    module_spec = importlib.util.spec_from_file_location("opacus_rdp", path)
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    return module


def event(noise, rate):
    gaussian = dp_accounting.GaussianDpEvent(noise)
    return gaussian if rate == 1 else dp_accounting.PoissonSampledDpEvent(rate, gaussian)


def exact_divergence(noise, rate, order):
    """Definition of Mironov et al. 2019, integrated with 40 digits."""
    s2 = mpmath.mpf(noise) ** 2
    q, a = mpmath.mpf(rate), mpmath.mpf(order)

    def integrand(z):
        mu0 = mpmath.npdf(z, 0, noise)
        return mu0 * (1 - q + q * mpmath.exp((2 * z - 1) / (2 * s2))) ** a

    ends = [-40 * noise, -5 * noise, 0, a / 2, a, a + 5 * noise, a + 40 * noise]
    return mpmath.log(mpmath.quad(integrand, ends)) / (a - 1)


def exact_gaussian_noise(epsilon, delta):
    """Root of Balle and Wang's theorem 8 with 40 digits."""
    e, d = mpmath.mpf(epsilon), mpmath.mpf(delta)

    def excess(s):
        return (
            mpmath.ncdf(1 / (2 * s) - e * s) - mpmath.exp(e) * mpmath.ncdf(-1 / (2 * s) - e * s) - d
        ) * mpmath.mpf(10) ** 12

    low, high = mpmath.mpf("1e-3"), mpmath.mpf("1e13")
    for _ in range(200):
        middle = mpmath.sqrt(low * high)
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def main():
    opacus = opacus_rdp()
    print("// Made by tests/parity/accountants.py with", end=" ")
    print(
        f"dp-accounting {version('dp-accounting')}, Opacus {version('opacus')}, mpmath {mpmath.__version__}."
    )
    print("#pragma once\n\n#include <array>\n\nnamespace accountant_vectors {\n")

    print("// One step at an integer order: dp-accounting and Opacus, which agree to 1e-9.")
    print("struct Divergence {\n  double noise, rate, order, value;\n};")
    rows = []
    for noise, rate, _, _ in SAMPLED:
        ours = dp_rdp.RdpAccountant(INTEGER_ORDERS).compose(event(noise, rate))
        theirs = opacus.compute_rdp(q=rate, noise_multiplier=noise, steps=1, orders=INTEGER_ORDERS)
        for order, a, b in zip(INTEGER_ORDERS, ours._rdp, theirs, strict=True):
            if abs(a - b) > 1e-9 * max(1, abs(b)):
                sys.exit(f"dp-accounting and Opacus disagree: {noise} {rate} {order} {a} {b}")
            rows.append(f"    {{{noise!r}, {rate!r}, {order}, {float(b)!r}}},")
    print(
        f"inline constexpr std::array<Divergence, {len(rows)}> kIntegerOrders{{{{\n"
        + "\n".join(rows)
        + "\n}};\n"
    )

    print("// The definition integrated with 40 digits (mpmath), at orders where the libraries differ.")
    rows = [
        f"    {{{noise!r}, {rate!r}, {order}, {float(exact_divergence(noise, rate, order))!r}}},"
        for noise, rate, _, _ in SAMPLED
        for order in FRACTIONAL_ORDERS
    ]
    print(
        f"inline constexpr std::array<Divergence, {len(rows)}> kFractionalOrders{{{{\n"
        + "\n".join(rows)
        + "\n}};\n"
    )

    print("// Whole runs. `renyi`: both libraries, orders 2 to 64. `numerical`: dp-accounting's discretised")
    print(
        "// loss distribution (connect the dots, interval 1e-4), pessimistic; `optimistic`: its lower bound."
    )
    print(
        "struct Run {\n  double noise, rate;\n  int steps;\n  double delta, renyi, numerical, optimistic;\n};"
    )
    orders = list(range(2, 65))
    rows = []
    for noise, rate, steps, delta in SAMPLED:
        ours = dp_rdp.RdpAccountant(orders).compose(event(noise, rate), steps).get_epsilon(delta)
        rdp = opacus.compute_rdp(q=rate, noise_multiplier=noise, steps=steps, orders=orders)
        theirs, _ = opacus.get_privacy_spent(orders=orders, rdp=rdp, delta=delta)
        if abs(ours - theirs) > 1e-9 * max(1, ours):
            sys.exit(f"dp-accounting and Opacus disagree: {noise} {rate} {steps} {ours} {theirs}")

        def loss(pessimistic, connect, noise=noise, rate=rate, steps=steps, delta=delta):
            single = dp_pld.from_gaussian_mechanism(
                noise,
                sampling_prob=rate,
                pessimistic_estimate=pessimistic,
                use_connect_dots=connect,
                value_discretization_interval=1e-4,
            )
            return single.self_compose(steps).get_epsilon_for_delta(delta)

        rows.append(
            f"    {{{noise!r}, {rate!r}, {steps}, {delta!r}, {float(theirs)!r}, "
            f"{float(loss(True, True))!r}, {float(loss(False, False))!r}}},"
        )
    print(f"inline constexpr std::array<Run, {len(rows)}> kRuns{{{{\n" + "\n".join(rows) + "\n}};\n")

    print("// 20 Laplace releases: dp-accounting's numerical accountant and its Renyi one (orders 2 to 64).")
    print("struct LaplaceRun {\n  double noise, delta, renyi, numerical;\n};")
    rows = []
    for noise, delta in [(1.0, 1e-6), (5.0, 1e-6), (20.0, 1e-8)]:
        laplace = dp_accounting.LaplaceDpEvent(noise)
        renyi = dp_rdp.RdpAccountant(orders).compose(laplace, 20).get_epsilon(delta)
        single = dp_pld.from_laplace_mechanism(noise, value_discretization_interval=1e-4)
        numerical = single.self_compose(20).get_epsilon_for_delta(delta)
        rows.append(f"    {{{noise!r}, {delta!r}, {float(renyi)!r}, {float(numerical)!r}}},")
    print(
        f"inline constexpr std::array<LaplaceRun, {len(rows)}> kLaplaceRuns{{{{\n"
        + "\n".join(rows)
        + "\n}};\n"
    )

    print(
        "// The least noise multiplier of the Gaussian mechanism (Balle and Wang 2018, theorem 8), 40 digits."
    )
    print("struct LeastNoise {\n  double epsilon, delta, noise;\n};")
    rows = [
        f"    {{{epsilon!r}, {delta!r}, {float(exact_gaussian_noise(epsilon, delta))!r}}},"
        for epsilon in (0.01, 0.1, 0.5, 1.0, 3.0, 10.0, 30.0)
        for delta in (1e-3, 1e-5, 1e-8, 1e-12)
    ]
    print(
        f"inline constexpr std::array<LeastNoise, {len(rows)}> kLeastNoise{{{{\n"
        + "\n".join(rows)
        + "\n}};\n"
    )
    print("}  // namespace accountant_vectors")


if __name__ == "__main__":
    main()
