"""Generators of tables, ours and those people use, side by side: speed, quality, privacy on the same split.

    ./dev bench tabular --quick --peers    installs the peers, once, and runs everything in small
    ./dev bench tabular --quick            the same with the peers that are there
    ./dev bench tabular --json FILE        the real figures; nothing else may run on the machine
    ./dev bench tabular --private          differentially private generators, at equal epsilon and delta

Each fit is a process of its own; timing begins with the frame in memory and ends with as many new rows. All
scores come from the same evaluators, on the same held-out rows, and are means over the seeds. The real tables
lie in a data folder (``--data``, or the variable SYNTHEMA_DATA); without it one generated table is used. To
add a set: a line in `support/sets.py`; a system: a function in `peers/tabular.py` and a line in `SYSTEMS`.
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

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "support"))

import environments  # noqa: E402
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

# Evaluator, or a figure of `scores`, -> job that it belongs to, and which way is better.
SCORES = {
    "univariate_accuracy": ("quality", "higher"),
    "bivariate_accuracy": ("quality", "higher"),
    "classifier_two_sample": ("quality", "none"),
    "told_apart": ("quality", "lower"),
    "train_synthetic_test_real": ("quality", "higher"),
    "dcr_share": ("privacy", "lower"),
    "rare_value_reuse": ("privacy", "lower"),
    "singling_out_univariate": ("privacy", "lower"),
    "singling_out_multivariate": ("privacy", "lower"),
}
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
    (folder / "synthetic.parquet").unlink(missing_ok=True)
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


def scores(folder: pathlib.Path, holdout, target: str, threads: int) -> dict[str, float | None]:
    import pandas
    import synthema

    real, made = (pandas.read_parquet(folder / f"{name}.parquet") for name in ("real", "synthetic"))
    made = made[list(real.columns)].astype(
        {name: real[name].dtype for name in real if str(real[name].dtype) == "category"}
    )
    names = [name for name in SCORES if name != "told_apart"]
    if not target:
        names.remove("train_synthetic_test_real")
    report = synthema.evaluate(
        made, real, holdout, names, target=target or None, bootstrap=20, threads=threads
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


def measure(name: str, arguments: argparse.Namespace) -> list[dict]:
    """All systems on one table; rows of figures."""
    real, holdout, target = sets.load(name, arguments.data, QUICK_ROWS if arguments.quick else 0)
    seeds = range(1, 2 if arguments.quick else arguments.seeds + 1)
    out = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        real.to_parquet(folder / "real.parquet")
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
                values.append(scores(folder, holdout, target, arguments.threads))
            found = rows_of(name, system, runs, values)
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
    for score, (kind, better) in SCORES.items():
        there = [one[score] for one in values if one.get(score) is not None]
        if there:
            out.append(
                {"job": f"{kind}, {name}", "system": system, "value": statistics.mean(there), "unit": score,
                 "better": better}
            )  # fmt: skip
    return out


def line(name: str, system: str, rows: list[dict]) -> str:
    if "failure" in rows[0]:
        return f"{name:16} {system:25} {rows[0]['failure']}"
    by_unit = {row["unit"]: row["value"] for row in rows}
    shown = " ".join(f"{by_unit[s]:7.4f}" if s in by_unit else "      -" for s in SCORES)
    return f"{name:16} {system:25} {by_unit['s']:8.2f} s  {shown}"


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
    print(f"{'table':16} {'system':25} {'best time':>10}  " + " ".join(name[:7].rjust(7) for name in SCORES))
    rows = [row for name in names for row in measure(name, arguments)]
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
