"""The machine: what it is, what it can do at most, and what the jobs need at least."""

from __future__ import annotations

import json
import os
import pathlib
import platform
import shutil
import subprocess

import numpy as np


def describe() -> dict:
    """Return the kind of CPU, its memory and the system."""
    fields, flags = {}, set()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().split("\n\n")[0].splitlines():
            key, _, value = line.partition(":")
            fields[key.strip()] = value.strip()
        flags = set(fields.get("flags", "").split())
    return {
        "cpu": fields.get("model name", platform.processor()),
        "family": f"{fields.get('cpu family', '?')}/{fields.get('model', '?')}",
        "cores": os.cpu_count(),
        "kind": kind_of(flags),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def kind_of(flags: set[str]) -> str:
    if "amx_int8" in flags:
        return "AMX"
    if "avx512_vnni" in flags:
        return "AVX-512 VNNI"
    if "avx512f" in flags:
        return "AVX-512"
    return "AVX2" if "avx2" in flags else platform.machine()


def held_to_avx2() -> dict[str, str]:
    """Return what keeps every engine from wider vectors; llama.cpp's peer file reads the first one itself.

    OpenVINO obeys oneDNN's limit for its products; where its own code asks the CPU, it stays faster than on
    AVX2.
    """
    return {
        "SYNTHEMA_INSTRUCTION_SET": "avx2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "DNNL_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "CT2_FORCE_CPU_ISA": "AVX2",
    }


def peaks(folder: pathlib.Path, threads: int, isa: str = "") -> dict | None:
    """Measure fp32 and 8-bit arithmetic and memory reads; None where there is no compiler for it."""
    source, binary = pathlib.Path(__file__).with_name("roofline.cpp"), folder / "roofline"
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if platform.machine() != "x86_64" or not compiler:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, "-O3", "-std=c++20", "-pthread", source, "-o", binary], check=True)
    done = subprocess.run([binary, str(threads), isa], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


class Work:
    """Multiply-adds (as two operations each) that a job cannot do without, and the weights behind them."""

    def __init__(self, config: dict):
        width, layers = config["hidden_size"], config["num_hidden_layers"]
        self.attention = (
            4 * layers * config["num_attention_heads"] * config["head_dim"]
        )  # per token of context
        kv = config["num_key_value_heads"] * config["head_dim"]
        own = width * (2 * config["num_attention_heads"] * config["head_dim"] + 2 * kv)
        self.body = layers * (own + 3 * width * config["intermediate_size"])
        self.head = config["vocab_size"] * width

    def generate(self, requests: list[dict], prefix: int, tokens: list[int]) -> float:
        """Return the operations for answers of so many tokens, the shared prefix computed once."""
        private = np.array([len(r["ids"]) - prefix for r in requests], dtype=float)
        made = np.array(tokens, dtype=float)
        rows = prefix + (private + made).sum()
        context = prefix * prefix / 2 + ((private + made) * (prefix + (private + made) / 2)).sum()
        return 2 * self.body * rows + 2 * self.head * made.sum() + self.attention * context

    def score(self, texts: list[list[int]]) -> float:
        """Return the operations for the log-probabilities of texts."""
        lengths = np.array([len(t) for t in texts], dtype=float)
        return 2 * (self.body + self.head) * lengths.sum() + self.attention * (lengths**2).sum() / 2
