import hashlib

import gguf
import numpy as np
import pytest
import synthema
from gguf_files import byte_bpe_keys, llama_tensors, write_llama

QUANTS = [
    "F32",
    "F16",
    "BF16",
    "Q4_0",
    "Q4_1",
    "Q5_0",
    "Q5_1",
    "Q8_0",
    "Q2_K",
    "Q3_K",
    "Q4_K",
    "Q5_K",
    "Q6_K",
]
# Where the 16-bit scales of a block lie; random bytes there would be infinities and NaNs.
SCALES = {
    "Q4_0": [0],
    "Q4_1": [0, 2],
    "Q5_0": [0],
    "Q5_1": [0, 2],
    "Q8_0": [0],
    "Q2_K": [80, 82],
    "Q3_K": [108],
}
SCALES |= {"Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
TINY = {"width": 256, "layers": 1, "heads": 4, "kv_heads": 2, "feed_forward": 256, "context": 64}


def random_blocks(kind, rng, rows, columns):
    """Return random bytes of a quantised matrix, with finite scales of many magnitudes."""
    quant = gguf.GGMLQuantizationType[kind]
    if kind in ("F32", "F16"):
        return rng.standard_normal((rows, columns)).astype(np.float32 if kind == "F32" else np.float16)
    if kind == "BF16":
        return (
            (rng.standard_normal((rows, columns)).astype(np.float32).view(np.uint32) >> 16)
            .astype(np.uint16)
            .view(np.uint8)
        )
    elements, size = gguf.GGML_QUANT_SIZES[quant]
    raw = rng.integers(0, 256, (rows * columns // elements, size), dtype=np.uint8)
    for at in SCALES[kind]:
        scale = (rng.standard_normal(len(raw)) * 10.0 ** rng.integers(-7, 3, len(raw))).astype(np.float16)
        raw[:, at : at + 2] = scale.view(np.uint8).reshape(-1, 2)
    return raw.reshape(rows, -1)


def plain_tokens(n=32):
    tokens = ["a", "b", "ab", *(f"t{i}" for i in range(3, n))]
    return byte_bpe_keys(tokens, ["a b"], "gpt-2", eos_token_id=0)


@pytest.mark.parametrize("kind", QUANTS)
def test_dequantized_values_are_those_of_the_gguf_package_bit_for_bit(kind, tmp_path):
    rng = np.random.default_rng(QUANTS.index(kind))
    quant = gguf.GGMLQuantizationType[kind]
    blocks = random_blocks(kind, rng, 32, 256)
    tensors = llama_tensors(32, rng, **TINY)
    tensors["output.weight"] = blocks
    writer_types = {"output.weight": quant} if kind not in ("F32", "F16") else {}
    path = tmp_path / "m.gguf"

    write_llama(path, plain_tokens(), 32, tensors=tensors, shape=TINY, types=writer_types)
    ours = synthema.ModelFile(path).tensor("output.weight")
    theirs = gguf.dequantize(blocks, quant) if kind not in ("F32", "F16") else blocks.astype(np.float32)
    assert ours.shape == (32, 256)
    np.testing.assert_array_equal(
        ours.view(np.uint32), np.ascontiguousarray(theirs, np.float32).view(np.uint32)
    )


def test_smollm2_tensors_are_those_of_the_gguf_package(smollm2_path):
    ours, theirs = synthema.ModelFile(smollm2_path), gguf.GGUFReader(smollm2_path)
    assert [t[0] for t in ours.tensors] == [t.name for t in theirs.tensors]
    for t in theirs.tensors:
        if t.name == "token_embd.weight" or t.name.startswith(("blk.0.", "blk.29.", "output")):
            np.testing.assert_array_equal(
                ours.tensor(t.name), gguf.dequantize(t.data, t.tensor_type), err_msg=t.name
            )


def test_smollm2_describes_itself(smollm2_path):
    about = synthema.ModelFile(str(smollm2_path)).describe()
    assert about["format"] == "GGUF v3"
    assert about["parameters"] == 134515008
    assert about["digest"] == hashlib.sha256(smollm2_path.read_bytes()).hexdigest()
    assert about["chat_template"] == "chatml-smollm2"
    assert about["tensors"]["Q4_1"]["tensors"] == 210
    assert about["tensors"]["F32"] == {"tensors": 61, "elements": 61 * 576, "bytes": 61 * 576 * 4}
    expected = {
        "architecture": "llama",
        "layers": 30,
        "width": 576,
        "heads": 9,
        "kv_heads": 3,
        "head_width": 64,
    }
    expected |= {
        "feed_forward": 1536,
        "vocabulary": 49152,
        "context": 8192,
        "rope_base": 100000,
        "tied_head": True,
    }
    assert expected.items() <= about["config"].items()
    assert about["tokenizer"]["kind"] == "byte_bpe"
    assert about["metadata"]["general.license"] == "apache-2.0"


def test_missing_file_and_folder_without_config(tmp_path):
    with pytest.raises(synthema.ModelError, match="No such file"):
        synthema.ModelFile(tmp_path / "nowhere.gguf")
    with pytest.raises(synthema.ModelError, match=r"config\.json"):
        synthema.ModelFile(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(bytes(64))
    with pytest.raises(
        synthema.ModelError, match=r"opened by the folder that holds its weights, config\.json and"
    ):
        synthema.ModelFile(tmp_path / "model.safetensors")


def changed(tensors, name, value=None):
    out = dict(tensors)
    out.pop(name)
    if value is not None:
        out[name] = value
    return out


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("blk.0.ffn_up.weight", None, r"no tensor 'blk\.0\.ffn_up\.weight'"),
        ("blk.0.ffn_up.weight", np.zeros((3, 4), np.float32), r"shape \[3, 4\], but .* \[256, 256\]"),
        ("output_norm.weight", np.zeros((4,), np.float32), r"shape \[4\]"),
    ],
)
def test_tensors_must_fit_the_configuration(name, value, words, tmp_path):
    tensors = changed(llama_tensors(32, np.random.default_rng(0), **TINY), name, value)
    with pytest.raises(synthema.ModelError, match=words):
        synthema.ModelFile(write_llama(tmp_path / "m.gguf", plain_tokens(), 32, tensors=tensors, shape=TINY))


def test_a_tensor_nobody_uses_is_refused(tmp_path):
    tensors = llama_tensors(32, np.random.default_rng(0), **TINY) | {
        "blk.0.extra.weight": np.zeros(4, np.float32)
    }
    with pytest.raises(synthema.ModelError, match="does not use"):
        synthema.ModelFile(write_llama(tmp_path / "m.gguf", plain_tokens(), 32, tensors=tensors, shape=TINY))


def test_an_error_that_quotes_broken_bytes_arrives(tmp_path):
    tensors = llama_tensors(32, np.random.default_rng(1), **TINY) | {"extra.weight": np.zeros(4, np.float32)}
    path = write_llama(tmp_path / "m.gguf", plain_tokens(), 32, tensors=tensors, shape=TINY)
    path.write_bytes(path.read_bytes().replace(b"extra.weight", b"extra.weigh\xff"))
    with pytest.raises(synthema.ModelError, match="extra.weigh\ufffd"):  # noqa: RUF043
        synthema.ModelFile(path)


def test_texts_that_are_not_utf8_are_shown(tmp_path):
    def add(writer):
        writer.add_name("NAME")
        writer.add_string("general.KEYS", "x")

    path = write_llama(tmp_path / "m.gguf", plain_tokens(), 32, shape=TINY, extra=add)
    path.write_bytes(path.read_bytes().replace(b"NAME", b"NA\xffE").replace(b"KEYS", b"KE\xffS"))
    described = synthema.ModelFile(path).describe()
    assert described["config"]["name"] == "NA\ufffdE"
    assert described["metadata"]["general.KE\ufffdS"] == "x"


def test_an_unknown_architecture_names_the_known(tmp_path):
    path = write_llama(tmp_path / "m.gguf", plain_tokens(), 32, architecture="mamba")
    with pytest.raises(synthema.ModelError, match=r"'mamba' is not supported; supported: llama"):
        synthema.ModelFile(path)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (lambda w: w.add_expert_count(8), "mixture of experts"),
        (lambda w: w.add_string("llama.rope.scaling.type", "dynamic"), "'dynamic' is not supported"),
        (lambda w: w.add_final_logit_softcapping(30.0), "final_logit_softcapping"),
        (lambda w: w.add_rope_dimension_count(7), "is odd"),
        (lambda w: w.add_key_length(1 << 20), "head width"),
    ],
)
def test_what_is_not_supported_is_said(extra, words, tmp_path):
    with pytest.raises(synthema.ModelError, match=words):
        synthema.ModelFile(write_llama(tmp_path / "m.gguf", plain_tokens(), 32, extra=extra))


def test_linear_rope_scaling_is_read(tmp_path):
    def extra(writer):
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(4.0)

    model = synthema.ModelFile(write_llama(tmp_path / "m.gguf", plain_tokens(), 32, extra=extra))
    assert model.config["rope_scaling"] == {"kind": "linear", "factor": 4.0}
    assert model.config["rope_pairs"] == "adjacent"


def test_a_file_cut_anywhere_is_refused(tmp_path):
    whole = write_llama(tmp_path / "m.gguf", plain_tokens(), 32).read_bytes()
    broken = tmp_path / "broken.gguf"
    data = len(whole) - sum(t.nbytes for t in llama_tensors(32, np.random.default_rng(1)).values())
    for size in [*range(1, data, 13), *range(data, len(whole), 5001)]:
        broken.write_bytes(whole[:size])
        with pytest.raises(synthema.ModelError, match=r"broken\.gguf"):
            synthema.ModelFile(broken)
