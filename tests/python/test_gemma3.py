"""Gemma 3 (270M, quantised) from its package, against the reference on the same weights and vocabulary."""

import gguf
import numpy as np
import pytest
import synthema
import tokenizers
from tokenizer_texts import texts
from tokenizers import decoders, models, normalizers, pre_tokenizers

torch = pytest.importorskip("torch", reason="the reference needs torch")
transformers = pytest.importorskip("transformers", reason="the reference is the transformers library")

from test_transformer import check_close, check_greedy, reference_logits  # noqa: E402

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def reader(gemma3_path):
    return gguf.GGUFReader(gemma3_path)


def reference_tokenizer(reader):
    """Build the Hugging Face tokenizer of the vocabulary: merges follow from the scores of the pieces."""
    fields = reader.fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    scores = fields["tokenizer.ggml.scores"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    ids = {token: i for i, token in enumerate(tokens)}
    merges = []
    for token, score, kind in zip(tokens, scores, types, strict=True):
        if kind != gguf.TokenType.NORMAL:
            continue
        for at in range(1, len(token)):
            left, right = ids.get(token[:at]), ids.get(token[at:])
            if left is not None and right is not None:
                merges.append((-score, left, right, (token[:at], token[at:])))
    merges = [pair for *_, pair in sorted(merges)]
    out = tokenizers.Tokenizer(models.BPE(ids, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    out.normalizer = normalizers.Replace(" ", "▁")
    out.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    out.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    added = [t for t, kind in zip(tokens, types, strict=True) if kind == gguf.TokenType.USER_DEFINED]
    out.add_tokens([tokenizers.AddedToken(t, normalized=False, special=False) for t in added])
    return out


def test_ids_are_those_of_hugging_face(gemma3_path, reader):
    ours, theirs = synthema.Tokenizer(synthema.ModelFile(gemma3_path)), reference_tokenizer(reader)
    samples = [*texts(1500), "a\n\n\nb", "    indented", "<table><tr>", "tab\t\tx", "▁x"]
    wrong = [t for t in samples if ours.encode(t) != theirs.encode(t, add_special_tokens=False).ids]
    assert not wrong, (len(wrong), wrong[0])
    assert ours.begin_id == 2


@pytest.fixture(scope="module")
def model(reader):
    """Return the model in transformers, with weights that the gguf package dequantised."""
    keys = {name.removeprefix("gemma3."): field.contents() for name, field in reader.fields.items()}
    config = transformers.Gemma3TextConfig(
        vocab_size=len(keys["tokenizer.ggml.tokens"]),
        hidden_size=keys["embedding_length"],
        intermediate_size=keys["feed_forward_length"],
        num_hidden_layers=keys["block_count"],
        num_attention_heads=keys["attention.head_count"],
        num_key_value_heads=keys["attention.head_count_kv"],
        head_dim=keys["attention.key_length"],
        query_pre_attn_scalar=256,
        max_position_embeddings=keys["context_length"],
        sliding_window=keys["attention.sliding_window"],
        tie_word_embeddings=True,
    )
    model = transformers.Gemma3ForCausalLM(config).eval()
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GEMMA3, config.num_hidden_layers)
    stored = {tensor.name: tensor for tensor in reader.tensors}
    state = {}
    for name in model.state_dict():
        if name != "lm_head.weight":
            tensor = stored[names.get_name(name, try_suffixes=(".weight",))]
            state[name] = torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy())
            state[name] -= 1 if name.endswith("norm.weight") else 0
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state)
    return model


def test_logits_and_greedy_tokens_agree(gemma3_path, model, torch_module):
    ours = torch_module.Transformer(str(gemma3_path), threads=1)
    tokenizer = synthema.Tokenizer(synthema.ModelFile(gemma3_path))
    prompt = [2, *tokenizer.encode("The patient was admitted with fever and a cough. On examination")]
    check_close(ours.logits(prompt), reference_logits(model, prompt))
    check_greedy(ours, model, prompt, 200)


def test_windows_hide_what_is_older_than_512_tokens(gemma3_path, model, torch_module):
    tokens = np.random.default_rng(0).integers(300, 200_000, 600).tolist()
    ours = torch_module.Transformer(str(gemma3_path), threads=1)
    check_close(ours.logits(tokens)[-20:], reference_logits(model, tokens)[-20:])
