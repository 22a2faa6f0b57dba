"""The transformer against the `transformers` library on the same weights."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the reference needs torch")
transformers = pytest.importorskip("transformers", reason="the reference is the transformers library")
pytest.importorskip("tokenizers")
pytest.importorskip("gguf")

import synthema  # noqa: E402  (after the skips)
from reference_models import (  # noqa: E402
    NOT_IN_GGUF,
    ONE_OF_EACH_FAMILY,
    SHAPES,
    VOCABULARY,
    random_model,
    save_folder,
    save_gguf,
    tiny,
)

TOLERANCE = 1e-3  # of the largest logit of a position


def reference_logits(model, tokens):
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0].float().numpy()


def check_close(ours, reference):
    assert ours.shape == reference.shape
    worst = (np.abs(ours - reference).max(axis=1) / np.abs(reference).max(axis=1)).max()
    assert worst <= TOLERANCE, f"largest difference {worst:.2e} of the largest logit"


def check_greedy(ours, model, prompt, steps):
    """Decode greedily with the reference; ours must choose alike except where the reference nearly ties."""
    with torch.no_grad():
        out = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=steps,
            min_new_tokens=steps,
            do_sample=False,
            pad_token_id=0,
        )
    tokens = out[0].tolist()
    reference = reference_logits(model, tokens)
    chosen = ours.logits(tokens).argmax(axis=1)
    two_best = np.sort(reference, axis=1)[:, -2:]
    clear = two_best[:, 1] - two_best[:, 0] > TOLERANCE * np.abs(reference).max(axis=1)
    places = slice(len(prompt) - 1, len(tokens) - 1)
    assert clear[places].mean() > 0.5  # otherwise this would compare nothing
    assert np.array_equal(chosen[places][clear[places]], reference.argmax(axis=1)[places][clear[places]])


@pytest.mark.parametrize("shape", SHAPES)
def test_tiny_models_agree(shape, tmp_path, torch_module):
    model = random_model(shape)
    ours = torch_module.Transformer(str(save_folder(model, tmp_path / "model")), threads=1)
    assert ours.vocabulary_size == VOCABULARY
    tokens = torch.randint(0, VOCABULARY, (200,)).tolist()
    reference = reference_logits(model, tokens)
    check_close(ours.logits(tokens), reference)
    if shape in ONE_OF_EACH_FAMILY:
        check_greedy(ours, model, tokens[:10], 200)
    aten = torch_module.Transformer(str(tmp_path / "model"), device="aten")
    assert aten.numeric_path.startswith("fp32-aten")
    check_close(aten.logits(tokens), reference)
    if shape not in NOT_IN_GGUF:
        gguf = torch_module.Transformer(str(save_gguf(model, tmp_path / "model.gguf")), threads=1)
        check_close(gguf.logits(tokens), reference)


def test_longrope_beyond_its_original_context(tmp_path, torch_module):
    """Phi-3 rotates by another set of factors from one token beyond the original context (256) on."""
    model = random_model("phi3, longrope")
    folder = save_folder(model, tmp_path / "model")
    file = save_gguf(model, tmp_path / "model.gguf")
    paths = {"folder": str(folder), "gguf": str(file)}
    tokens = torch.randint(0, VOCABULARY, (400,), generator=torch.Generator().manual_seed(5)).tolist()
    for path in paths.values():
        ours = torch_module.Transformer(path, threads=2)
        assert ours.context_limit == 512
        for length in (255, 256, 257, 400):
            check_close(ours.logits(tokens[:length]), reference_logits(model, tokens[:length]))
    aten = torch_module.Transformer(paths["folder"], device="aten")
    for length in (256, 257):
        check_close(aten.logits(tokens[:length]), reference_logits(model, tokens[:length]))

    # An answer that grows beyond it: transformers computes all of it anew there.
    local = synthema.Model(paths["folder"], chat_template="none", dtype="float32")
    text = "".join(chr(97 + i % 26) for i in tokens[:240])
    prompt = synthema.Tokenizer(synthema.ModelFile(paths["folder"])).encode(text)
    assert len(prompt) == local.count_tokens(text) == 240
    sampling = synthema.Sampling(temperature=0, max_tokens=40, min_tokens=40)
    (answer,) = local.complete([synthema.Prompt.plain(text)], sampling)
    assert len(answer.token_ids) == 40
    with torch.no_grad():
        theirs = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=40,
            min_new_tokens=40,
            do_sample=False,
            pad_token_id=0,
        )[0].tolist()
    sequence, alike, crossed = list(prompt), 0, 0
    for chosen, their_choice in zip(answer.token_ids, theirs[len(prompt) :], strict=True):
        logits = reference_logits(model, sequence)[-1]
        logits[model.config.eos_token_id] = -np.inf
        best, second = np.sort(logits)[:-3:-1]
        clear = best - second > TOLERANCE * np.abs(logits[np.isfinite(logits)]).max()
        assert chosen == logits.argmax() or not clear
        if sequence == theirs[: len(sequence)]:  # until a near-tie parts them
            assert chosen == their_choice or not clear
            alike += 1
            crossed += len(sequence) > 256
        sequence.append(chosen)
    assert alike > 20
    assert crossed > 5

    # Scores are those of one pass over the whole text.
    for scored in (text[:200], text + text[:60]):
        (scores,) = local.score([scored])
        ids = [prompt[text.index(c)] for c in scored]
        reference = torch.log_softmax(torch.from_numpy(reference_logits(model, ids)), dim=1)
        expected = [float(reference[i, ids[i + 1]]) for i in range(len(ids) - 1)]
        assert np.allclose(scores, expected, atol=0.05)


def test_reference_would_notice_a_wrong_rope(tmp_path, torch_module):
    """The comparison can fail: the same weights under another rope base are far apart."""
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**tiny())).eval()
    folder = save_folder(model, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config.pop("rope_parameters", None)
    config["rope_theta"] = 500000.0
    (folder / "config.json").write_text(json.dumps(config))
    tokens = torch.randint(0, 301, (200,)).tolist()
    with pytest.raises(AssertionError, match="largest difference"):
        check_close(torch_module.Transformer(str(folder)).logits(tokens), reference_logits(model, tokens))


def smollm2_reference(path):
    """Return SmolLM2 as a transformers model, with the GGUF file's dequantised weights."""
    file = synthema.ModelFile(path)
    config = transformers.LlamaConfig(
        vocab_size=49152,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=8192,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
    )
    model = transformers.LlamaForCausalLM(config).eval()

    def weight(name):
        return torch.from_numpy(np.array(file.tensor(name)))

    def halves(name, heads):  # GGUF rotates neighbours (0, 1); Hugging Face rotates halves (i, i + d / 2)
        w = weight(name)
        return w.reshape(heads, -1, 2, w.shape[1]).transpose(1, 2).reshape(w.shape)

    state = {
        "model.embed_tokens.weight": weight("token_embd.weight"),
        "lm_head.weight": weight("token_embd.weight"),
        "model.norm.weight": weight("output_norm.weight"),
    }
    for i in range(30):
        ours, theirs = f"blk.{i}.", f"model.layers.{i}."
        state[theirs + "self_attn.q_proj.weight"] = halves(ours + "attn_q.weight", 9)
        state[theirs + "self_attn.k_proj.weight"] = halves(ours + "attn_k.weight", 3)
        for a, b in {
            "attn_v": "self_attn.v_proj",
            "attn_output": "self_attn.o_proj",
            "ffn_gate": "mlp.gate_proj",
            "ffn_up": "mlp.up_proj",
            "ffn_down": "mlp.down_proj",
            "attn_norm": "input_layernorm",
            "ffn_norm": "post_attention_layernorm",
        }.items():
            state[f"{theirs}{b}.weight"] = weight(f"{ours}{a}.weight")
    model.load_state_dict(state)
    return model


@pytest.mark.model
def test_smollm2_agrees_from_gguf_and_from_safetensors(smollm2_path, tmp_path, torch_module):
    model = smollm2_reference(smollm2_path)
    file = synthema.ModelFile(smollm2_path)
    prompt = synthema.Tokenizer(file).encode("The patient was admitted with fever and a cough. On")
    gguf = torch_module.Transformer(str(smollm2_path), threads=2)
    tokens = torch.randint(0, 49152, (150,), generator=torch.Generator().manual_seed(0)).tolist()
    reference = reference_logits(model, tokens)
    check_close(gguf.logits(tokens), reference)
    check_greedy(gguf, model, prompt, 200)
    del gguf
    folder = torch_module.Transformer(str(save_folder(model, tmp_path / "smollm2")), threads=2)
    check_close(folder.logits(tokens), reference)


@pytest.mark.model
def test_half_precision_mostly_agrees(smollm2_path, torch_module):
    tokens = torch.randint(0, 49152, (60,), generator=torch.Generator().manual_seed(1)).tolist()
    exact = torch_module.Transformer(str(smollm2_path)).logits(tokens)
    rough = torch_module.Transformer(str(smollm2_path), dtype="bfloat16")
    assert rough.numeric_path.startswith("bf16-cpu")
    assert (rough.logits(tokens).argmax(axis=1) == exact.argmax(axis=1)).mean() >= 0.8


@pytest.mark.model
def test_cuda_agrees(smollm2_path, torch_module):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device, or a torch without CUDA")
    tokens = torch.randint(0, 49152, (150,), generator=torch.Generator().manual_seed(1)).tolist()
    exact = torch_module.Transformer(str(smollm2_path)).logits(tokens)
    check_close(torch_module.Transformer(str(smollm2_path), device="cuda").logits(tokens), exact)


def test_unknown_device_and_dtype_are_refused(tmp_path, torch_module):
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**tiny()))
    folder = str(save_folder(model, tmp_path / "model"))
    with pytest.raises(synthema.ConfigError, match="tpu"):
        torch_module.Transformer(folder, device="tpu")
    with pytest.raises(synthema.ConfigError, match="int4"):
        torch_module.Transformer(folder, dtype="int4")
    if not torch.cuda.is_available():
        with pytest.raises(synthema.ConfigError, match="no CUDA device"):
            torch_module.Transformer(folder, device="cuda")
