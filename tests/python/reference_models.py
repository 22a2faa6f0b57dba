"""Tiny random models of the `transformers` library, and the files that both libraries read.

The GGUF files are written with the `gguf` package and its own table of tensor names, as llama.cpp's converter
does.
"""

import gguf
import numpy as np
import tokenizers
import transformers
from gguf_files import byte_bpe_keys

import torch

VOCABULARY = 301
ROPE_LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 128}
LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "short_factor": [1.0 + 0.1 * i for i in range(8)],
    "long_factor": [2.0 + i for i in range(8)],
}
GEMMA_ROPE = {
    "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e6},
    "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
}


def tiny(**changes):
    values = {
        "vocab_size": VOCABULARY,
        "hidden_size": 64,
        "intermediate_size": 90,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "initializer_range": 0.3,  # large, so that logits are far from equal
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 0,
        "tie_word_embeddings": False,
    }
    return values | changes


def tiny_gpt2(**changes):
    values = {
        "vocab_size": VOCABULARY,
        "n_positions": 512,
        "n_embd": 64,
        "n_layer": 3,
        "n_head": 4,
        "initializer_range": 0.3,
        "bos_token_id": 0,
        "eos_token_id": 1,
    }
    return values | changes


SHAPES = {
    "grouped": ("Llama", tiny()),
    "tied": ("Llama", tiny(tie_word_embeddings=True)),
    "many queries, one key": ("Llama", tiny(num_attention_heads=8, num_key_value_heads=1, head_dim=16)),
    "head 32": ("Llama", tiny(head_dim=32)),
    "head 80": ("Llama", tiny(num_attention_heads=4, num_key_value_heads=4, head_dim=80)),
    "biases everywhere": ("Llama", tiny(attention_bias=True, mlp_bias=True)),
    "linear rope": (
        "Llama",
        tiny(rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}),
    ),
    "llama3 rope": ("Llama", tiny(rope_parameters=ROPE_LLAMA3)),
    "mistral, sliding window": ("Mistral", tiny(sliding_window=40)),
    "qwen2": ("Qwen2", tiny()),
    "qwen2, tied, yarn": ("Qwen2", tiny(tie_word_embeddings=True, rope_parameters=YARN)),
    "qwen2, some layers local": (
        "Qwen2",
        tiny(use_sliding_window=True, sliding_window=40, max_window_layers=1),
    ),
    "qwen3": ("Qwen3", tiny(head_dim=24, tie_word_embeddings=True)),
    "gemma3": (
        "Gemma3",
        tiny(
            num_hidden_layers=7,
            head_dim=32,
            query_pre_attn_scalar=32,
            sliding_window=24,
            tie_word_embeddings=True,
            rope_parameters=GEMMA_ROPE,
        ),
    ),
    "gemma3, own scale": ("Gemma3", tiny(head_dim=32, query_pre_attn_scalar=20, sliding_window=24)),
    "gpt2": ("GPT2", tiny_gpt2()),
    "gpt2, inner width": ("GPT2", tiny_gpt2(n_inner=100)),
    "phi3": ("Phi3", tiny(sliding_window=40)),
    "phi3, longrope": ("Phi3", tiny(rope_parameters=LONGROPE, original_max_position_embeddings=256)),
    "phi3, partly rotated": (
        "Phi3",
        tiny(rope_parameters={"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.75}),
    ),
}
ONE_OF_EACH_FAMILY = {"grouped", "mistral, sliding window", "qwen2", "qwen3", "gemma3", "gpt2", "phi3"}
# What GGUF files of a family cannot say.
NOT_IN_GGUF = {"qwen2, some layers local", "gemma3, own scale"}


def random_model(shape):
    """Return a model of this shape with random weights, in inference mode."""
    family, values = SHAPES[shape]
    torch.manual_seed(len(shape))
    config = getattr(transformers, f"{family}{'TextConfig' if family == 'Gemma3' else 'Config'}")(**values)
    config._attn_implementation = "eager"
    head = "LMHeadModel" if family == "GPT2" else "ForCausalLM"
    model = getattr(transformers, family + head)(config).eval()
    with torch.no_grad():  # biases start at zero, norms at one: move them
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or "norm" in name or ".ln_" in name:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def write_tokenizer(folder, vocabulary):
    """Write a byte-level tokenizer.json with `vocabulary` tokens that nothing here uses for text."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: i for i, token in enumerate(alphabet[:vocabulary])}
    for i in range(len(vocab), vocabulary):
        vocab[f"<unused{i}>"] = i
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))


def save_folder(model, folder):
    """Save a model as a folder that both libraries read."""
    folder.mkdir()
    model.save_pretrained(folder)
    write_tokenizer(folder, model.config.vocab_size)
    return folder


ARCHITECTURES = {
    "llama": "LLAMA",
    "mistral": "LLAMA",
    "qwen2": "QWEN2",
    "qwen3": "QWEN3",
    "gemma3_text": "GEMMA3",
    "gpt2": "GPT2",
    "phi3": "PHI3",
}


def adjacent(weight, heads):
    """Reorder rows of q or k from halves (i, i + d / 2) to neighbours, as is done for llama."""
    shape = (heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return np.ascontiguousarray(weight.reshape(shape).swapaxes(1, 2).reshape(weight.shape))


def converted(model, name, value):
    """Return a tensor as llama.cpp's converter stores it."""
    kind, config = model.config.model_type, model.config
    if kind in ("llama", "mistral") and ".q_proj." in name:
        return adjacent(value, config.num_attention_heads)
    if kind in ("llama", "mistral") and ".k_proj." in name:
        return adjacent(value, config.num_key_value_heads)
    if kind == "gemma3_text" and name.endswith("norm.weight"):
        return value + 1
    transposed = (".c_attn.weight", ".c_proj.weight", ".c_fc.weight")
    return np.ascontiguousarray(value.T) if kind == "gpt2" and name.endswith(transposed) else value


def add_rope(writer, config):
    """Write the keys of the rotary embedding; return the tensors that belong to it."""
    rope = config.rope_parameters
    rope = rope.get("full_attention", rope)
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_rope_dimension_count(int(head * rope.get("partial_rotary_factor", 1)))
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if rope["rope_type"] == "longrope":
        original = rope["original_max_position_embeddings"]
        writer.add_rope_scaling_orig_ctx_len(original)
        factor = config.max_position_embeddings / original
        writer.add_rope_scaling_attn_factors(float(np.sqrt(1 + np.log(factor) / np.log(original))))
        return {
            f"rope_factors_{k}.weight": np.array(rope[f"{k}_factor"], np.float32) for k in ("short", "long")
        }
    if rope["rope_type"] == "llama3":  # as the converter's generate_extra_tensors
        base, old = rope["rope_theta"], rope["original_max_position_embeddings"]
        low, high, factor = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]
        factors = []
        for wave in 2 * np.pi * base ** (np.arange(0, head, 2) / head):
            smooth = (old / wave - low) / (high - low)
            blend = 1 / ((1 - smooth) / factor + smooth)
            factors.append(1 if wave < old / high else factor if wave > old / low else blend)
        return {"rope_freqs.weight": np.array(factors, np.float32)}
    return {}


def save_gguf(model, path):
    """Write a model as a GGUF file in fp32 with llama.cpp's names and layout."""
    config = model.config
    arch = gguf.MODEL_ARCH[ARCHITECTURES[config.model_type]]
    writer = gguf.GGUFWriter(str(path), gguf.MODEL_ARCH_NAMES[arch])
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    extra = {}
    if config.model_type == "gpt2":
        writer.add_feed_forward_length(config.n_inner or 4 * config.n_embd)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
    else:
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_head_count_kv(config.num_key_value_heads)
        if getattr(config, "head_dim", None):
            writer.add_key_length(config.head_dim)
            writer.add_value_length(config.head_dim)
        if getattr(config, "sliding_window", None):
            writer.add_sliding_window(config.sliding_window)
        extra = add_rope(writer, config)
    tokens = ["a", "b", "ab", *(f"t{i}" for i in range(3, config.vocab_size))]
    byte_bpe_keys(tokens, ["a b"], "gpt-2", eos_token_id=1)(writer)
    for name, parameter in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        value = converted(model, name, parameter.numpy())
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), value)
    for name, value in extra.items():
        writer.add_tensor(name, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
