"""How far the faster numeric paths of a model are from the exact one, on a text that you choose."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from synthema._core import ConfigError, ModelFile, Tokenizer

__all__ = ["compare"]

EXACT = "float32"
LONGEST = 256  # tokens of a piece: the logits of 256 tokens are held twice
CONTEXT = 32  # tokens of a piece that are read but not judged


def compare(
    model: str | os.PathLike[str],
    texts: Sequence[str],
    paths: Sequence[dict[str, Any]] = ({"dtype": "int8"},),
    tokens: int = 2048,
) -> list[dict[str, Any]]:
    """Measure numeric paths of a model file against its exact fp32 path.

    Parameters
    ----------
    model : path
        A GGUF file or a model folder.
    texts : list of str
        What is read. Each is cut into pieces of 256 tokens, or of the model's context where that is less; the
        first 32 of a piece are context only.
    paths : list of dict
        Keyword arguments of the model for each path to measure; the exact path is always measured too.
    tokens : int
        About how many tokens are judged, from the beginning of `texts`.

    Returns
    -------
    list of dict
        For the exact path and then each of `paths`: ``numeric_path``; ``tokens`` judged; ``perplexity``
        (exp of the mean negative natural log-probability of the text's own tokens); ``logit_error``: the
        largest difference of a logit from the exact one as a share of the largest exact logit;
        ``same_greedy``: the share of places where the most likely next token is the same; ``kl``: the mean
        Kullback-Leibler divergence of the exact distribution from the path's, in nats; ``cpu_seconds``.

    Raises
    ------
    ConfigError
        No text has more than 32 tokens.
    ModelError
        The model file is broken or not supported.
    """
    from synthema.models import load_torch_module

    pieces = _pieces(model, texts, tokens)
    transformer = load_torch_module().Transformer
    found, exact = [], []
    for options in ({"dtype": EXACT}, *paths):
        opened = transformer(os.fspath(model), **options)
        begun = time.process_time()
        logits = [opened.logits(piece)[CONTEXT - 1 : -1] for piece in pieces]
        cpu = time.process_time() - begun
        exact = exact or logits
        found.append(
            {"numeric_path": opened.numeric_path, **_measure(pieces, logits, exact), "cpu_seconds": cpu}
        )
    return found


def _pieces(model: str | os.PathLike[str], texts: Sequence[str], tokens: int) -> list[list[int]]:
    file = ModelFile(os.fspath(model))
    tokenizer, longest = Tokenizer(file), min(LONGEST, file.config["context"])
    pieces: list[list[int]] = []
    left = tokens
    for text in texts:
        ids = tokenizer.encode(text)
        for begin in range(0, len(ids), longest):
            piece = ids[begin : begin + longest]
            if len(piece) > CONTEXT and left > 0:
                pieces.append(piece)
                left -= len(piece) - CONTEXT
    if not pieces:
        raise ConfigError(f"No text has more than {CONTEXT} tokens: there is nothing to measure on.")
    return pieces


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _measure(
    pieces: list[list[int]], logits: list[np.ndarray], exact: list[np.ndarray]
) -> dict[str, float | int]:
    judged, loss, kl, same, error, largest = 0, 0.0, 0.0, 0, 0.0, 0.0
    for piece, ours, theirs in zip(pieces, logits, exact, strict=True):
        targets = np.asarray(piece[CONTEXT:])
        mine, reference = _log_softmax(ours), _log_softmax(theirs)
        judged += len(targets)
        loss -= float(mine[np.arange(len(targets)), targets].sum())
        kl += float((np.exp(reference) * (reference - mine)).sum())
        same += int((ours.argmax(axis=1) == theirs.argmax(axis=1)).sum())
        error = max(error, float(np.abs(ours - theirs).max()))
        largest = max(largest, float(np.abs(theirs).max()))
    return {
        "tokens": judged,
        "perplexity": float(np.exp(loss / judged)),
        "logit_error": error / largest,
        "same_greedy": same / judged,
        "kl": max(0.0, kl / judged),
    }
