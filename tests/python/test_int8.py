"""Integer products: near the exact path, and the same bytes whatever stands beside a request."""

import gguf
import numpy as np
import pytest
import synthema
from gguf_files import byte_bpe_keys, llama_tensors, write_llama
from synthema import numeric_paths
from test_engine import SAMPLING, key, prompts
from test_model_file import SCALES

pytestmark = pytest.mark.model

SHAPE = {"width": 64, "layers": 2, "heads": 4, "kv_heads": 2, "feed_forward": 96, "context": 128}
VOCABULARY = 300
TOKENIZER = byte_bpe_keys(["a", "b", "ab"] + [f"t{i}" for i in range(3, VOCABULARY)], ["a b"], "gpt-2")


def largest_error(ours, exact):
    return np.abs(ours - exact).max() / np.abs(exact).max()


@pytest.mark.parametrize("kind", ["F32", "F16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"])
def test_every_format_is_near_the_exact_path(kind, tmp_path, torch_module):
    quant = gguf.GGMLQuantizationType[kind]
    tensors = llama_tensors(VOCABULARY, np.random.default_rng(2), **SHAPE)
    matrices = {n for n, t in tensors.items() if t.ndim == 2}
    stored = {
        n: gguf.quantize(t * 0.1, quant) if n in matrices and kind != "F32" else t * 0.1 + (t.ndim == 1)
        for n, t in tensors.items()
    }
    stored = {n: t.astype(np.float32) if t.dtype == np.float64 else t for n, t in stored.items()}
    types = {n: quant for n in matrices if kind != "F32"}
    path = tmp_path / "small.gguf"
    write_llama(path, TOKENIZER, VOCABULARY, tensors=stored, shape=SHAPE, types=types)
    tokens = [int(t) for t in np.random.default_rng(3).integers(0, VOCABULARY, 60)]
    exact = torch_module.Transformer(str(path)).logits(tokens)
    ours = torch_module.Transformer(str(path), dtype="int8").logits(tokens)
    assert 1e-6 < largest_error(ours, exact) < 0.03  # not the same arithmetic, and close


K_SCALES = {"Q2_K": 2e-3, "Q3_K": 1e-3, "Q4_K": 1e-4, "Q5_K": 5e-5, "Q6_K": 5e-5}


@pytest.mark.parametrize("kind", K_SCALES)
def test_blocks_of_256_are_near_the_exact_path(kind, tmp_path, torch_module):
    quant, rng = gguf.GGMLQuantizationType[kind], np.random.default_rng(5)
    shape = {**SHAPE, "width": 256, "feed_forward": 256}
    tensors = llama_tensors(VOCABULARY, rng, **shape)
    types = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 1:
            tensors[name] = tensor * 0.1 + 1
            continue
        elements, size = gguf.GGML_QUANT_SIZES[quant]
        raw = rng.integers(0, 256, (tensor.size // elements, size), dtype=np.uint8)
        for at in SCALES[kind]:
            raw[:, at : at + 2] = np.full(len(raw), K_SCALES[kind], np.float16).view(np.uint8).reshape(-1, 2)
        tensors[name], types[name] = raw.reshape(tensor.shape[0], -1), quant
    path = tmp_path / "small.gguf"
    write_llama(path, TOKENIZER, VOCABULARY, tensors=tensors, shape=shape, types=types)
    tokens = [int(t) for t in np.random.default_rng(3).integers(0, VOCABULARY, 60)]
    exact = torch_module.Transformer(str(path)).logits(tokens)
    ours = torch_module.Transformer(str(path), dtype="int8").logits(tokens)
    assert 1e-6 < largest_error(ours, exact) < 0.03


def test_scores_of_real_words_barely_move(smollm2_path, torch_module):
    texts = [
        "The patient was admitted with chest pain and discharged after three days on aspirin.",
        "She has had headaches since childhood; they are worse in the morning and with bright light.",
        "Seizures are intermittent abnormalities of nervous system physiology, with or without loss of "
        "awareness, caused by abnormal electrical activity of the brain.",
        "Doctor: How long have you had the cough? Patient: About two weeks, and now I also have a fever.",
    ]
    exact = np.concatenate(synthema.Model(smollm2_path, dtype="float32").score(texts))
    ours = np.concatenate(synthema.Model(smollm2_path, dtype="int8").score(texts))
    assert abs(ours.mean() - exact.mean()) < 0.02
    assert np.abs(ours - exact).mean() < 0.15


def test_same_bytes_with_other_slots_threads_and_company(smollm2_path, torch_module):
    model = synthema.Model(smollm2_path, dtype="int8", threads=2)
    assert model.numeric_path == "int8-cpu-kv8"
    together = list(map(key, model.complete(prompts(64), SAMPLING, seed=3)))
    few = synthema.Model(smollm2_path, dtype="int8", threads=1, slots=3)
    for n in (1, 7):
        assert list(map(key, few.complete(prompts(n), SAMPLING, seed=3))) == together[:n]
    assert list(map(key, few.complete(prompts(20), SAMPLING, seed=3))) == together[:20]


def test_integers_are_for_the_cpu(smollm2_path, torch_module):
    with pytest.raises(synthema.ConfigError, match=r"CPU only|no CUDA device"):
        synthema.Model(smollm2_path, dtype="int8", device="cuda")


def test_numeric_paths_are_measured_against_the_exact_one(smollm2_path, torch_module):
    text = "Seizures are intermittent abnormalities of nervous system physiology. " * 8
    exact, ours = numeric_paths.compare(smollm2_path, [text])
    assert exact["logit_error"] == exact["kl"] == 0
    assert exact["same_greedy"] == 1
    assert ours["numeric_path"] == "int8-cpu"
    assert exact["tokens"] == ours["tokens"] > 40
    assert 0 < ours["kl"] < 0.05
    assert 0.8 < ours["same_greedy"] <= 1
    assert ours["perplexity"] == pytest.approx(exact["perplexity"], rel=0.05)
    with pytest.raises(synthema.ConfigError, match="nothing to measure"):
        numeric_paths.compare(smollm2_path, ["short"])
