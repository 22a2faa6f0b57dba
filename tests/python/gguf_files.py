"""Small GGUF files and model folders made on the spot; no binary is committed."""

import gguf
import numpy as np

TYPES = {"normal": 1, "unknown": 2, "control": 3, "user_defined": 4, "unused": 5, "byte": 6}
SHAPE = {"width": 32, "layers": 2, "heads": 4, "kv_heads": 2, "feed_forward": 64, "context": 128}


def llama_tensors(
    vocabulary, rng, *, width=32, layers=2, heads=4, kv_heads=2, feed_forward=64, tied=False, **_
):
    """Return random tensors of a small llama by canonical name."""
    head = width // heads
    shapes = {"token_embd.weight": (vocabulary, width), "output_norm.weight": (width,)}
    if not tied:
        shapes["output.weight"] = (vocabulary, width)
    for i in range(layers):
        block = f"blk.{i}."
        shapes |= {
            block + "attn_norm.weight": (width,),
            block + "attn_q.weight": (heads * head, width),
            block + "attn_k.weight": (kv_heads * head, width),
            block + "attn_v.weight": (kv_heads * head, width),
            block + "attn_output.weight": (width, heads * head),
            block + "ffn_norm.weight": (width,),
            block + "ffn_gate.weight": (feed_forward, width),
            block + "ffn_up.weight": (feed_forward, width),
            block + "ffn_down.weight": (width, feed_forward),
        }
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def write_llama(
    path,
    add_tokenizer,
    vocabulary,
    *,
    tensors=None,
    shape=SHAPE,
    extra=None,
    architecture="llama",
    types=None,
):
    """Write a small llama; `add_tokenizer(writer)` adds its keys, `extra(writer)` anything else."""
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_context_length(shape["context"])
    writer.add_embedding_length(shape["width"])
    writer.add_block_count(shape["layers"])
    writer.add_feed_forward_length(shape["feed_forward"])
    writer.add_head_count(shape["heads"])
    writer.add_head_count_kv(shape["kv_heads"])
    writer.add_layer_norm_rms_eps(1e-6)
    add_tokenizer(writer)
    if extra:
        extra(writer)
    for name, data in (tensors or llama_tensors(vocabulary, np.random.default_rng(1), **shape)).items():
        writer.add_tensor(name, data, raw_dtype=(types or {}).get(name))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def byte_bpe_keys(tokens, merges, pre, types=None, **ids):
    """Return a function that adds a byte-level tokenizer to a writer."""

    def add(writer):
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(pre)
        writer.add_token_list(tokens)
        writer.add_token_types(types or [1] * len(tokens))
        writer.add_token_merges(merges)
        for name, value in ids.items():
            getattr(writer, f"add_{name}")(value)

    return add


def sentencepiece_keys(tokens, scores, types, **ids):
    """Return a function that adds a SentencePiece-type tokenizer to a writer."""

    def add(writer):
        writer.add_tokenizer_model("llama")
        writer.add_token_list(tokens)
        writer.add_token_scores(scores)
        writer.add_token_types(types)
        for name, value in ids.items():
            getattr(writer, f"add_{name}")(value)

    return add
