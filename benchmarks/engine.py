"""synthema's text engine and the engines people use, side by side on this machine.

    ./dev bench engine --quick --peers    installs the peers, once, and runs everything in small
    ./dev bench engine --quick            the same with the peers that are there
    ./dev bench engine --json FILE        the real figures; nothing else may run on the machine

Each system answers the same jobs with the same weights, prompts, lengths and sampling values, one process per
run, one at a time, in turns. docs/benchmarks.md says how to read the result.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE / "support"))

import machine  # noqa: E402
import model_files  # noqa: E402
import workload  # noqa: E402
from engine_jobs import Job, make_jobs  # noqa: E402
from engine_systems import SYSTEMS, System, install_peers, minilm_folder  # noqa: E402
from engine_tables import compare_vectors, memory_rows, table, variant_text  # noqa: E402
from environments import BUILD, say  # noqa: E402

# --- one run


@dataclasses.dataclass
class Run:
    system: System
    variant: dict
    result: dict | None = None
    failure: str = ""
    value: float = 0.0


def run(system: System, variant: dict, job: Job, data: dict, limit: float) -> Run:
    """Run a job in a process of its own and compute its figure."""
    out = Run(system, variant)
    environment = {
        k: v
        for k, v in os.environ.items()
        if k not in ("PYTHONPATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    }
    environment["OMP_NUM_THREADS"] = str(data["threads"])
    environment |= machine.held_to_avx2() if data["isa"] == "avx2" else {}
    if system.environment == "llamacpp" and variant["library"] == "node":
        environment["LLAMACPP_NODE"] = str(BUILD / "peers/llamacpp/node/package")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "job.json")
        path.write_text(json.dumps(data | {"variant": variant}))
        process = subprocess.Popen(
            [system.python, HERE / system.script, path],
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            text, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            out.failure = f"stopped after {limit:.0f} s"
            return out
    try:
        out.result = json.loads(text.strip().splitlines()[-1])
    except (IndexError, ValueError):
        lines = [line for line in errors.strip().splitlines() if line.strip()]
        out.failure = lines[-1][:300] if lines else f"ended with code {process.returncode}"
        return out
    out.failure = judge(out, job, data)
    return out


def judge(out: Run, job: Job, data: dict) -> str:
    """Compute the figure of a run; return what is wrong with its answers, if anything."""
    result, seconds = out.result, out.result["wall_s"]
    if data["kind"] == "score":
        result["perplexity"] = math.exp(-result["log_probability"] / max(result["scored_tokens"], 1))
        out.value = result["scored_tokens"] / seconds
        expected = sum(len(ids) - 1 for ids in data["text_ids"])
        return (
            ""
            if result["scored_tokens"] == expected
            else f"scored {result['scored_tokens']} of {expected} tokens"
        )
    if data["kind"] == "embed":
        out.value = result["embedded"] / seconds
        return "" if result["embedded"] == len(data["texts"]) else "did not embed every sentence"
    answers = result["answers"]
    if any("ids" in a for a in answers):
        tokenizer = model_files.tokenizer(data["model"])
        for answer in answers:
            answer["text"] = tokenizer.decode(answer.pop("ids"))
    failed = [a["failure"] for a in answers if a.get("failure")]
    if failed:
        return failed[0]
    made, forced = sum(a["tokens"] for a in answers), sum(a.get("forced", 0) for a in answers)
    result.update(
        emitted=made,
        asked=sum(r["new"] for r in data["requests"]),
        emitted_s=made / seconds,
        sampled_s=(made - forced) / seconds,
        records_s=len(answers) / seconds,
    )
    out.value = result["records_s"] if job.unit == "records/s" else result["emitted_s"]
    if data.get("schema"):
        result["valid"] = statistics.mean(workload.satisfies(a["text"], data["schema"]) for a in answers)
    prompts = [
        (a["prompt"], len(r["ids"])) for a, r in zip(answers, data["requests"], strict=True) if "prompt" in a
    ]
    if any(a != b for a, b in prompts):
        return "its tokenizer gave other prompt tokens than the model's own"
    return ""


# --- a job: choose variants, then take turns


def measure(job: Job, systems: list[System], arguments) -> list[dict]:
    say(f"\n## {job.name}")
    contenders, rows = [], []
    for system in systems:
        variants = system.variants.get(job.kind)
        if not variants:
            continue
        if not system.python.is_file():
            rows.append(row_of(job, system, [], failure="not installed: run with --peers"))
            continue
        tried = []
        for variant in variants[:1] if arguments.quick else variants:
            only = arguments.quick or (system.ours and len(variants) == 1)
            trial = run(system, variant, job, job.full if only else job.short, arguments.limit)
            tried.append(trial)
            say(f"  {'' if only else 'trial '}{line_of(job, trial)}")
        good = [t for t in tried if t.result and t.value]
        if good:
            best = max(good, key=lambda t: t.value)
            contenders.append((system, best, tried))
        else:
            rows.append(row_of(job, system, tried, failure=tried[0].failure))

    # Peers that are far behind in the short form do not get hours for the long one.
    peers = sorted((c for c in contenders if not c[0].ours), key=lambda c: -c[1].value)
    few = len(peers) if arguments.quick else arguments.contenders
    in_full = [c for c in contenders if c[0].ours] + peers[:few]
    runs = {c[0].name: [] for c in contenders}
    for repeat in range(1 if arguments.quick else arguments.repeat):
        for system, best, tried in in_full:
            if arguments.quick or (repeat == 0 and system.ours and len(tried) == 1):
                again = tried[0]
            else:
                again = run(system, best.variant, job, job.full, arguments.limit)
                say(f"  {repeat + 1}/{arguments.repeat} {line_of(job, again)}")
            if again.result and again.value:
                runs[system.name].append(again)
    for system, best, tried in contenders:
        full = runs[system.name]
        rows.append(row_of(job, system, full or [best], short=not full, trials=tried))
    return rows


def line_of(job: Job, done: Run) -> str:
    head = f"{done.system.name} [{variant_text(done.variant)}]"
    if not done.result:
        return f"{head}: {done.failure}"
    return f"{head}: {done.value:.1f} {job.unit}" + (f" ({done.failure})" if done.failure else "")


def row_of(job: Job, system: System, runs: list[Run], failure="", short=False, trials=()) -> dict:
    row = {"job": job.name, "system": system.name, "unit": job.unit, "better": "higher", "ours": system.ours}
    if failure or not runs:
        return row | {"value": None, "failure": failure or "no run succeeded"}
    values = [r.value for r in runs]
    middle = sorted(runs, key=lambda r: r.value)[len(runs) // 2]
    result = middle.result
    keep = (
        "parts",
        "perplexity",
        "valid",
        "emitted_s",
        "sampled_s",
        "records_s",
        "emitted",
        "asked",
        "scored_tokens",
    )
    done = result.get("emitted") or result.get("scored_tokens") or result.get("embedded")
    row |= {
        "value": statistics.median(values),
        "best": max(values),
        "runs": values,
        "short": short,
        "variant": middle.variant,
        "cpu_s": result["cpu_s"],
        "wall_s": result["wall_s"],
        "load_s": result["load_s"],
        "cpu_ms_per_item": 1000 * result["cpu_s"] / done,
        "peak_mib": result["peak_memory"] / 2**20,
        "load_mib": result["load_memory"] / 2**20,
        "versions": result["versions"],
        "note": middle.failure,
    }
    row |= {key: result[key] for key in keep if key in result}
    if "answers" in result:
        row["tokens"] = [a["tokens"] for a in result["answers"]]
        row["example"] = result["answers"][0]["text"][:300]
    if "vectors" in result:
        row["vectors"] = result["vectors"]
    row["trials"] = [{"variant": t.variant, "value": t.value, "failure": t.failure} for t in trials]
    return row


# --- main


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench engine", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small numbers, one run, one variant each: a test of the benchmark",
    )
    parser.add_argument(
        "--peers", action="store_true", help="first install the peers that are missing, into build/peers"
    )
    parser.add_argument("--json", metavar="FILE", help="also write every figure to this file")
    parser.add_argument(
        "--jobs", help="parts of names, comma-separated: prefix, template, distinct, single, score, embed"
    )
    parser.add_argument(
        "--systems", help="parts of names, comma-separated: synthema, llama.cpp, OpenVINO, ..."
    )
    parser.add_argument(
        "--models",
        default=model_files.SMOLLM2,
        help=f"comma-separated: {model_files.SMOLLM2}, {', '.join(model_files.SHAPES)}",
    )
    parser.add_argument("--repeat", type=int, default=5, help="runs of each system (default: %(default)s)")
    parser.add_argument(
        "--contenders",
        type=int,
        default=1,
        help="peers that run in full, the best in the short form (default: %(default)s)",
    )
    parser.add_argument(
        "--limit", type=float, default=900, help="seconds after which a run is stopped (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count(), help="of each system (default: %(default)s)"
    )
    parser.add_argument(
        "--isa",
        choices=["", "avx2"],
        default="",
        help="hold every system to AVX2 on a machine that has more (default: all it has)",
    )
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        help="folder with mts_dialog and medquad (default: shared/data here or beside the checkout)",
    )
    return parser.parse_args()


def data_folder(given: pathlib.Path | None) -> pathlib.Path:
    places = [given] if given else [ROOT / "shared/data", ROOT.parent / "shared/data"]
    return next((p for p in places if p.is_dir()), places[0])


def main() -> None:
    arguments = parse()
    names = arguments.systems.split(",") if arguments.systems else [""]
    systems = [s for s in SYSTEMS if any(n in s.name for n in names)]
    if arguments.peers:
        install_peers(systems)
    from synthema.models import default_model_path

    about = machine.describe()
    peaks = machine.peaks(BUILD / "bench", arguments.threads, arguments.isa)
    texts = workload.Texts(data_folder(arguments.data))
    if arguments.isa:
        about["kind"] += f" held to {arguments.isa.upper()}"
    print(f"{about['cpu']} ({about['kind']}), {about['cores']} cores, {about['memory_gib']} GiB")
    print(f"{about['system']}, load average {os.getloadavg()[0]:.1f}; texts: {texts.source}")
    print(f"peaks with {arguments.threads} threads: {peaks}")
    started, rows = time.strftime("%Y-%m-%d %H:%M"), []
    for model in arguments.models.split(","):
        paths = model_files.prepare(model, default_model_path(), BUILD / "models")
        paths["minilm"] = minilm_folder()
        converter = BUILD / "peers/ctranslate2/bin/python"
        if converter.is_file():
            model_files.convert_for_ctranslate2(converter, paths)
        config = json.loads(pathlib.Path(paths["hf"], "config.json").read_text())
        for job in make_jobs(arguments, texts, model, paths):
            found = measure(job, systems, arguments)
            compare_vectors(found)
            print(table(job, found, peaks, config), flush=True)
            rows += found
            if arguments.json:  # after every job, so that an interrupted run leaves what it measured
                write_json(pathlib.Path(arguments.json), rows, about, peaks, started)
    print("\n### Versions\n")
    for row in rows:
        if row["value"]:
            print(f"- {row['job']}, {row['system']}: {row['versions']}")


def write_json(path: pathlib.Path, rows: list[dict], about: dict, peaks: dict | None, started: str) -> None:
    figures = [r for r in rows if r["value"]] + memory_rows(rows)
    missing = [f"{r['job']}, {r['system']}: {r['failure']}" for r in rows if not r["value"]]
    context = {"machine": about, "peaks": peaks, "started": started, "not_measured": missing}
    path.write_text(json.dumps([r | context for r in figures], indent=1))


if __name__ == "__main__":
    main()
