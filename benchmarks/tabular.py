"""Generators of tables, ours and those people use, side by side: speed, quality, privacy on the same split.

    ./dev bench tabular --quick --peers    installs the peers, once, and runs everything in small
    ./dev bench tabular --quick            the same with the peers that are there
    ./dev bench tabular --json FILE        the real figures; nothing else may run on the machine
    ./dev bench tabular --private          differentially private generators, at equal epsilon and delta
    ./dev bench tabular --merge FILE ...   ranks these together with the figures of an earlier run

Each fit is a process of its own; timing begins with the frame in memory and ends with as many new rows. All
scores come from the same evaluators, on the same held-out rows, and are means over the seeds. Ours also tell
how likely they make the held-out rows (`support/likelihoods.py`). Last, the systems are ranked
(`support/ranks.py`). The real tables lie in a data folder (``--data``, or the variable SYNTHEMA_DATA);
without it one generated table is used. To add a set: a line in `support/sets.py`; a system: a function in
`peers/tabular.py` and a line in `SYSTEMS`.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import warnings

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "support"))

import environments  # noqa: E402
import likelihoods  # noqa: E402
import ranks  # noqa: E402
import sets  # noqa: E402
from environments import TORCH  # noqa: E402

# System -> what its environment needs; our own runs where this script runs.
SYSTEMS: dict[str, list[str]] = {
    "synthema": [],
    "synthema network": [],
    "synthema copula": [],
    "synthema marginals": [],
    "bootstrap copy": [],
    "scikit-learn": ["scikit-learn", "pandas", "pyarrow"],
    "sdv": [TORCH, "sdv", "pyarrow"],
    "mostlyai": [TORCH, "mostlyai[local]"],
}

# Differentially private ones, which run with --private only; each at every epsilon of EPSILONS.
SMARTNOISE = [TORCH, "smartnoise-synth", "pyarrow"]
DPMM = ["dpmm", "pandas", "pyarrow<17"]  # it keeps numpy below 2
PRIVATE: dict[str, list[str]] = {
    "private": [],
    "private network": [],
    "smartnoise mst": SMARTNOISE,
    "smartnoise aim": SMARTNOISE,
    "dpmm mst": DPMM,
    "dpmm aim": DPMM,
}
EPSILONS, DELTA = (1, 3), 1e-6
PACKAGES = SYSTEMS | {f"{name} at epsilon {e}": needs for e in EPSILONS for name, needs in PRIVATE.items()}
SDISTS = {"smartnoise": ["antlr4-python3-runtime"]}  # has no wheel
UNWANTED = {"mostlyai": ["torchvision", "torchaudio"]}  # come along, and break beside torch for the CPU

# What `synthema.tabular` takes is one of these.
OF_CLASS = {
    "SequentialTrees": "synthema",
    "AnyOrderNetwork": "synthema network",
    "GaussianCopula": "synthema copula",
}
TREES = "synthema"  # others' likelihoods are held to those of this one

# Figure -> job that it belongs to, which way is better, and its heading.
SCORES = {
    "univariate_accuracy": ("quality", "higher", "columns"),
    "bivariate_accuracy": ("quality", "higher", "pairs"),
    "classifier_two_sample": ("quality", "none", "C2ST"),
    "told_apart": ("quality", "lower", "apart"),
    "train_synthetic_test_real": ("quality", "higher", "TSTR"),
    "dcr_share": ("privacy", "lower", "nearer"),
    "rare_value_reuse": ("privacy", "lower", "rare"),
    "singling_out_univariate": ("privacy", "lower", "single1"),
    "singling_out_multivariate": ("privacy", "lower", "single+"),
    "log_likelihood": ("quality", "higher", "nats"),
    "share_with_likelihood": ("quality", "higher", "of rows"),
    "log_likelihood_above_trees": ("quality", "higher", "-trees"),
}
# Attacks that ask who was in the training table (AUROC; 0.5 is chance): of private systems, with --private.
ATTACKS = {
    "membership_by_distance": ("privacy", "none", "by dist"),
    "membership_by_density": ("privacy", "none", "by dens"),
    "membership_by_model": ("privacy", "none", "by model"),
}
COMPUTED = {"told_apart", "log_likelihood", "share_with_likelihood", "log_likelihood_above_trees"}
SPEED = {"wall_s": "s", "cpu_s": "CPU s", "peak_memory": "bytes"}
QUICK_ROWS = 2000


def environment_of(system: str) -> str:
    """Return the folder of its packages: what its name begins with."""
    return system.partition(" ")[0]


def python_of(system: str) -> pathlib.Path:
    return environments.python_of(environment_of(system) if PACKAGES[system] else "")


def run(system: str, job: dict, limit: float) -> dict:
    """Fit and sample in a process of its own; a dict of figures, or ``failure``."""
    folder = pathlib.Path(job["folder"])
    for left in ("synthetic.parquet", "log_prob.npy"):
        (folder / left).unlink(missing_ok=True)
    path = folder / "job.json"
    path.write_text(json.dumps({**job, "system": system}), encoding="utf-8")
    environment = dict(os.environ) if not PACKAGES[system] else {
        key: value for key, value in os.environ.items() if key != "PYTHONPATH"
    }  # fmt: skip
    environment |= {"OMP_NUM_THREADS": str(job["threads"]), "OPENBLAS_NUM_THREADS": str(job["threads"])}
    try:
        done = subprocess.run(
            [python_of(system), HERE / "peers/tabular.py", path],
            env=environment, capture_output=True, text=True, timeout=limit, check=False,
        )  # fmt: skip
        return json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"failure": f"stopped after {limit:.0f} s"}
    except (IndexError, ValueError):
        lines = done.stderr.strip().splitlines()
        return {"failure": lines[-1][:300] if lines else f"ended with code {done.returncode}"}


def scores(folder: pathlib.Path, holdout, target: str, arguments) -> dict[str, float | None]:
    import pandas
    import synthema

    real, made = (pandas.read_parquet(folder / f"{name}.parquet") for name in ("real", "synthetic"))
    made = made[list(real.columns)].astype(
        {name: real[name].dtype for name in real if str(real[name].dtype) == "category"}
    )
    names = [name for name in (*SCORES, *(ATTACKS if arguments.private else ())) if name not in COMPUTED]
    if not target:
        names = [name for name in names if name not in {"train_synthetic_test_real", "membership_by_model"}]
    with warnings.catch_warnings():  # the split is the same for all systems
        warnings.filterwarnings("ignore", "The holdout is not of the same population")
        report = synthema.evaluate(
            made, real, holdout, names, target=target or None, bootstrap=20, threads=arguments.threads
        )
    found = {name: report[name].value for name in names}
    return found | {"told_apart": told_apart(report["classifier_two_sample"])}


def told_apart(score) -> float | None:
    """Return the distance of the AUROC from 0.5, which is no merit below it either; 0 within its interval."""
    if score.value is None:
        return None
    interval = score.interval
    within = interval is not None and interval.low <= 0.5 <= interval.high
    return 0.0 if within else abs(score.value - 0.5)


def likelihood_of(system: str, runs: dict[str, list], marginals) -> list[dict]:
    """Return figures of the held-out rows' likelihoods, in nats a row, of a system that has them.

    `runs` are an array a seed for each system so far; rows that the marginals cannot make are left out.
    """
    if not runs.get(system):
        return []
    each = [likelihoods.figures(own, marginals) for own in runs[system]]
    out = [{"unit": unit, "value": statistics.mean(one[unit] for one in each)} for unit in each[0]]
    if runs.get(TREES) and system != TREES:
        value, error = likelihoods.above(runs[system], runs[TREES], marginals)
        out.append({"unit": "log_likelihood_above_trees", "value": value, "standard_error": error})
    return [one for one in out if one["value"] == one["value"]]  # none where no row is left


def measure(name: str, arguments: argparse.Namespace) -> list[dict]:
    """All systems on one table; rows of figures."""
    import numpy as np
    import synthema
    from synthema.tabular_generation import default_method

    real, holdout, target = sets.load(name, arguments.data, QUICK_ROWS if arguments.quick else arguments.rows)
    seeds = range(1, 2 if arguments.quick else arguments.seeds + 1)
    default = "" if arguments.private else OF_CLASS[default_method(real).__name__]
    marginals = None
    if not arguments.private:
        marginals = synthema.IndependentMarginals(threads=arguments.threads).fit(real).log_prob(holdout)
        possible = f"{np.isfinite(marginals).sum()} of {len(holdout)} held-out rows"
        print(f"{name:16} nats a row: of the {possible} that independent marginals can make")
    logs: dict[str, list] = {}
    out = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        real.to_parquet(folder / "real.parquet")
        holdout.to_parquet(folder / "holdout.parquet")
        for system in PACKAGES:
            wanted = arguments.systems or [
                name for name in PACKAGES if (name not in SYSTEMS) == arguments.private
            ]
            if system not in wanted and environment_of(system) not in wanted:
                continue
            if not python_of(system).exists():
                continue
            runs, values = [], []
            for seed in seeds:
                job = {"folder": str(folder), "target": target, "seed": seed, "threads": arguments.threads}
                name_of, _, epsilon = system.partition(" at epsilon ")
                job |= {"work": name_of, "epsilon": float(epsilon or 0), "delta": DELTA}
                runs.append(run(system, job, arguments.limit))
                if "failure" in runs[-1]:
                    break
                values.append(scores(folder, holdout, target, arguments))
                if (folder / "log_prob.npy").is_file():
                    logs.setdefault(system, []).append(np.load(folder / "log_prob.npy"))
            found = rows_of(name, system, runs, values)
            if "failure" not in found[0]:
                found += [
                    {"job": f"quality, {name}", "system": system, **one, "better": SCORES[one["unit"]][1]}
                    for one in likelihood_of(system, logs, marginals)
                ]
            if system == default:
                found = [row | {"default": True} for row in found]
            print(line(name, system, found), flush=True)
            out += found
    return out


def rows_of(name: str, system: str, runs: list[dict], values: list[dict]) -> list[dict]:
    failure = next((one["failure"] for one in runs if "failure" in one), "")
    if failure:
        return [
            {"job": f"speed, {name}", "system": system, "value": None, "unit": "s", "better": "lower",
             "failure": failure}
        ]  # fmt: skip
    out = [
        {"job": f"speed, {name}", "system": system, "value": min(one[figure] for one in runs), "unit": unit,
         "better": "lower"}
        for figure, unit in SPEED.items()
    ]  # fmt: skip
    for score, (kind, better, _) in (SCORES | ATTACKS).items():
        there = [one[score] for one in values if one.get(score) is not None]
        if there:
            out.append(
                {"job": f"{kind}, {name}", "system": system, "value": statistics.mean(there), "unit": score,
                 "better": better}
            )  # fmt: skip
    return out


def digits(value: float) -> str:
    """Seven characters, or more where a number needs them."""
    return f"{value:7.4f}" if abs(value) < 10 else f"{value:7.2f}"


def line(name: str, system: str, rows: list[dict]) -> str:
    system += " *" if rows[0].get("default") else ""
    if "failure" in rows[0]:
        return f"{name:16} {system:25} {rows[0]['failure']}"
    by_unit = {row["unit"]: row["value"] for row in rows}
    units = [*SCORES, *(s for s in ATTACKS if s in by_unit)]
    shown = " ".join(digits(by_unit[s]) if s in by_unit else "      -" for s in units)
    error = next((f" +-{row['standard_error']:.4f}" for row in rows if "standard_error" in row), "")
    return f"{name:16} {system:25} {by_unit['s']:8.2f} s  {shown}{error}"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench tabular", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few rows, one seed: does everything work?")
    parser.add_argument("--peers", action="store_true", help="install the peers first, under build/peers")
    parser.add_argument(
        "--json", metavar="FILE", type=pathlib.Path, help="also write every figure to this file"
    )
    parser.add_argument("--data", metavar="DIR", type=pathlib.Path, help="folder of data sets")
    parser.add_argument("--sets", metavar="NAMES", default="", help=f"of {', '.join(sets.SETS)}")
    parser.add_argument("--systems", metavar="NAMES", default="", help=f"of {', '.join(SYSTEMS)}")
    parser.add_argument(
        "--private", action="store_true", help=f"the differentially private ones, at epsilon {EPSILONS}"
    )
    parser.add_argument(
        "--merge", metavar="FILE", type=pathlib.Path, help="rank these with the figures that --json wrote"
    )
    parser.add_argument("--rows", type=int, default=0, help="at most, of each table (default: all)")
    parser.add_argument("--seeds", type=int, default=5, help="fits of each system (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="(default: all, %(default)s)")
    parser.add_argument(
        "--limit", type=float, default=1800, help="seconds a fit may take (default: %(default)s)"
    )
    arguments = parser.parse_args()
    arguments.data = arguments.data or pathlib.Path(
        os.environ.get("SYNTHEMA_DATA", HERE.parents[1] / "shared" / "data")
    )
    arguments.systems = [name.strip() for name in arguments.systems.split(",") if name.strip()]
    return arguments


def write(rows: list[dict], path: pathlib.Path | None) -> None:
    if path is not None:
        path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    arguments = parse()
    if arguments.peers:
        for system, packages in PACKAGES.items():
            name = environment_of(system)
            environments.make(name, packages, SDISTS.get(name, ()), UNWANTED.get(name, ()))
    names = [name.strip() for name in arguments.sets.split(",") if name.strip()]
    if not names:
        there = [name for name, one in sets.SETS.items() if (arguments.data / one.path).is_file()]
        names = (["adult"] if arguments.quick and "adult" in there else there) or ["generated"]
    print(
        f"{'table':16} {'system':25} {'best time':>10}  "
        + " ".join(
            f"{one[2]:>7}" for one in (*SCORES.values(), *(ATTACKS.values() if arguments.private else ()))
        )
    )
    earlier = json.loads(arguments.merge.read_text(encoding="utf-8")) if arguments.merge else []
    rows: list[dict] = []
    for name in names:
        rows += measure(name, arguments)
        write(rows, arguments.json)  # what is measured is kept, whatever ends the rest
    again = {(row["job"].partition(", ")[2], row["system"]) for row in rows}
    rows += [row for row in earlier if (row["job"].partition(", ")[2], row["system"]) not in again
             and not row["job"].startswith(ranks.JOB) and row["system"] in SYSTEMS]  # fmt: skip
    if not arguments.private:
        found = ranks.rows_of(rows)
        print("", ranks.RULE, *ranks.lines(found), sep="\n")
        rows += found
    write(rows, arguments.json)


if __name__ == "__main__":
    main()
