"""synthema's evaluation and the libraries people use, side by side on this machine and the same frames.

    ./dev bench evaluate --quick --peers    installs the peers, once, and runs everything in small
    ./dev bench evaluate --quick            the same with the peers that are there
    ./dev bench evaluate --json FILE        the real figures; nothing else may run on the machine
    ./dev bench evaluate --long --jobs "1,000,000 x 50"  the largest search: by extrapolation half an hour

Each run is a process of its own, systems in turns, the best of five; timing begins with the data in memory.
To add a job: a line in `JOBS` here and a function for each system in `peers/evaluation.py`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "support"))

import environments  # noqa: E402
import frames  # noqa: E402
import workload  # noqa: E402
from environments import TORCH  # noqa: E402

# System -> what its environment needs; our own runs where this script runs.
SYSTEMS = {
    "synthema": [],
    "sdmetrics": ["sdmetrics", "pandas"],
    "scikit-learn": ["scikit-learn", "pandas"],
    "mostlyai-qa": [TORCH, "mostlyai-qa", "pandas"],
    "anonymeter": ["anonymeter", "pandas"],
    "prdc": ["prdc", "pandas"],
    "rouge-score": ["rouge-score"],
    "sacrebleu": ["sacrebleu"],
    "fast-bleu": ["fast-bleu"],
    "datasketch": ["datasketch"],
}
FROM_SOURCE = ("rouge-score", "fast-bleu")  # they have no wheels


@dataclasses.dataclass
class Job:
    """What is done, on how many rows and columns (0: texts), and by whom."""

    name: str
    kind: str  # key of peers/evaluation.py
    rows: int
    columns: int
    systems: tuple[str, ...]
    quick_rows: int = 2000
    most: int = 5  # runs
    long: bool = False  # takes so long that it must be asked for

    def write(self, folder: pathlib.Path, rows: int, texts: workload.Texts) -> None:
        """Write what every system reads."""
        if self.columns == 0:
            notes, others = texts.notes(rows, 300, seed=1), texts.notes(rows, 300, seed=2)
            made = workload.half_alike(notes, others, seed=3)
            made[1::10] = [f"{text} again" for text in made[::10]]  # a tenth repeats the text before
            (folder / "texts.json").write_text(json.dumps({"real": notes, "synthetic": made}))
            return
        for part, seed in (("real", 1), ("synthetic", 2), ("holdout", 3)):
            size = rows // 2 if part == "holdout" else rows
            frames.write(folder / f"{part}.csv", size, self.columns, seed, copied=part == "synthetic")


class AdultJob(Job):
    """The same on adult and rows of `SequentialTrees`; on frames as large where there is no data folder."""

    def write(self, folder: pathlib.Path, rows: int, texts: workload.Texts) -> None:
        """Write the tables and the name of the target."""
        import sets
        import synthema

        data = texts.data / "adult_income"
        (folder / "target").write_text("income" if data.is_dir() else "y")
        if not data.is_dir():
            super().write(folder, rows, texts)
            return
        real, holdout, target = sets.load("adult", texts.data, 0 if rows == self.rows else rows)
        made = synthema.SequentialTrees(target=target).fit(real).sample(len(real), seed=0)
        for part, frame in (("real", real), ("synthetic", made), ("holdout", holdout)):
            synthema.write(frame, folder / f"{part}.csv")


JOBS = [
    Job("whole report, 32,561 x 15", "report", 32_561, 15, ("synthema", "mostlyai-qa")),
    Job("C2ST, 50,000 x 14", "two_sample", 50_000, 14, ("synthema", "sdmetrics", "scikit-learn")),
    Job("C2ST, 200,000 x 20", "two_sample", 200_000, 20, ("synthema", "sdmetrics", "scikit-learn")),
    Job("C2ST, logistic, 50,000 x 14", "two_sample_logistic", 50_000, 14, ("synthema", "sdmetrics")),
    Job("100 rounds of boosting, 50,000 x 14", "boosting", 50_000, 14, ("synthema", "scikit-learn")),
    Job("TSTR and TRTR, 50,000 x 14", "train_test", 50_000, 14, ("synthema", "scikit-learn")),
    Job("new rows, 32,561 x 15", "new_rows", 32_561, 15, ("synthema", "sdmetrics")),
    Job("DCR share, 32,561 x 15", "dcr_share", 32_561, 15, ("synthema", "sdmetrics")),
    Job("PRDC, 8,000 x 14", "prdc", 8_000, 14, ("synthema", "prdc")),
    Job("singling out, 32,561 x 15", "singling_out", 32_561, 15, ("synthema", "anonymeter")),
    Job("linkability, 32,561 x 15", "linkability", 32_561, 15, ("synthema", "anonymeter")),
    Job("attribute inference, 32,561 x 15", "inference", 32_561, 15, ("synthema", "anonymeter")),
    Job("DCR, NNDR and NNAA, 25,000 x 50", "nearest", 25_000, 50, ("synthema",), most=3),
    Job("DCR, NNDR and NNAA, 50,000 x 50", "nearest", 50_000, 50, ("synthema",), most=3),
    Job("DCR, NNDR and NNAA, 100,000 x 50", "nearest", 100_000, 50, ("synthema",), most=2),
    Job("DCR, NNDR and NNAA, 200,000 x 50", "nearest", 200_000, 50, ("synthema",), most=1),
    Job("DCR, NNDR and NNAA, 1,000,000 x 50", "nearest", 1_000_000, 50, ("synthema",), most=1, long=True),
    Job("default report, 100,000 x 50", "foretold_report", 100_000, 50, ("synthema",), most=2),
    AdultJob("command, page included, adult", "command", 32_561, 15, ("synthema",)),
    Job("ROUGE-L, 100 pairs of 300 words", "rouge_l", 100, 0, ("synthema", "rouge-score"), 100),
    Job("BLEU and chrF, 1,000 pairs of 300 words", "bleu", 1_000, 0, ("synthema", "sacrebleu"), 500),
    Job("self-BLEU-4, 1,000 notes of 300 words", "self_bleu", 1_000, 0, ("synthema", "fast-bleu"), 300),
    Job("near copies, 4,000 notes of 300 words", "near_copies", 4_000, 0, ("synthema", "datasketch"), 1000),
    # What many do by hand: ROUGE-L of all pairs. rouge-score takes 400 of 16,000,000; `all s` is carried on.
    Job("nearest real note of 4,000", "nearest_note", 4_000, 0, ("synthema", "rouge-score"), 1000, most=1),
]  # fmt: skip

# Figure of a run -> unit, and which way is better.
FIGURES = {"wall_s": ("s", "lower"), "cpu_s": ("CPU s", "lower"), "peak_memory": ("bytes", "lower")}


def python_of(system: str) -> pathlib.Path:
    return environments.python_of(system if SYSTEMS[system] else "")


def run(job: Job, system: str, folder: pathlib.Path, threads: int, limit: float) -> dict:
    """Run a job in a process of its own; a dict of figures, or ``failure``."""
    path = folder / "job.json"
    path.write_text(
        json.dumps({"kind": job.kind, "system": system, "folder": str(folder), "threads": threads})
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    try:
        done = subprocess.run(
            [python_of(system), HERE / "peers/evaluation.py", path],
            env=environment, cwd=folder, capture_output=True, text=True, timeout=limit, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"failure": f"stopped after {limit:.0f} s"}
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        lines = done.stderr.strip().splitlines()
        return {"failure": lines[-1][:300] if lines else f"ended with code {done.returncode}"}


def measure(job: Job, texts: workload.Texts, arguments: argparse.Namespace) -> list[dict]:
    """Run a job on every system that is there; rows of figures, the best of all runs."""
    systems = [s for s in job.systems if python_of(s).exists()]
    repeat = 1 if arguments.quick else min(job.most, arguments.repeat)
    limit = arguments.limit or (7200 if job.long else 1800)
    runs: dict[str, list[dict]] = {system: [] for system in systems}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        job.write(folder, job.quick_rows if arguments.quick else job.rows, texts)
        for _ in range(repeat):
            for system in systems:
                if not any("failure" in one for one in runs[system]):
                    runs[system].append(run(job, system, folder, arguments.threads, limit))
    return [row for system in systems for row in rows_of(job, system, runs[system])]


def rows_of(job: Job, system: str, runs: list[dict]) -> list[dict]:
    head = {"job": job.name, "system": system}
    failure = next((one["failure"] for one in runs if "failure" in one), "")
    if failure:
        return [head | {"value": None, "unit": "s", "better": "lower", "failure": failure}]
    out = []
    for figure, (unit, better) in FIGURES.items():
        out.append(head | {"value": min(one[figure] for one in runs), "unit": unit, "better": better})
    for name, value in runs[0]["values"].items():  # what was computed, so that nobody is fast and wrong
        out.append(head | {"value": value, "unit": name, "better": "none"})
    return out


def table(rows: list[dict]) -> str:
    """Return one line a system: figures, what was computed, times our own."""
    lines = []
    for system in dict.fromkeys(row["system"] for row in rows):
        own = {row["unit"]: row for row in rows if row["system"] == system}
        if "failure" in own["s"]:
            lines.append(f"  {system:14} {own['s']['failure']}")
            continue
        ours = next((r["value"] for r in rows if r["system"] == "synthema" and r["unit"] == "s"), None)
        ratio = f"{own['s']['value'] / ours:8.1f} x" if ours else ""
        values = ", ".join(f"{unit} {r['value']:.4f}" for unit, r in own.items() if r["better"] == "none")
        lines.append(
            f"  {system:14} {own['s']['value']:9.2f} s {own['CPU s']['value']:9.2f} CPU s "
            f"{own['bytes']['value'] / 2**20:8.0f} MiB {ratio}   {values}"
        )
    return "\n".join(lines)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench evaluate", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few rows, one run each: does everything work?")
    parser.add_argument("--peers", action="store_true", help="install the peers first, under build/peers")
    parser.add_argument(
        "--json", metavar="FILE", type=pathlib.Path, help="also write every figure to this file"
    )
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        default=pathlib.Path(os.environ.get("SYNTHEMA_DATA", HERE.parent / "shared/data")),
        help="folder with mts_dialog, medquad and adult_income (default: SYNTHEMA_DATA), else all is made",
    )
    parser.add_argument("--jobs", metavar="TEXT", default="", help="only the jobs whose name holds this text")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each system (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="(default: all, %(default)s)")
    parser.add_argument(
        "--limit", type=float, default=0, help="seconds a run may take (default: 1800, of long jobs 7200)"
    )
    parser.add_argument("--long", action="store_true", help="also the jobs that may take half an hour")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    if arguments.peers:
        for system, packages in SYSTEMS.items():
            environments.make(system, packages, sdists=FROM_SOURCE)
    texts = workload.Texts(arguments.data)
    print(f"texts: {texts.source}; ratios are times of ours")
    rows = []
    for job in JOBS:
        if arguments.jobs in job.name and (arguments.long or not job.long):
            found = measure(job, texts, arguments)
            print(job.name, table(found), sep="\n", flush=True)
            rows += found
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
