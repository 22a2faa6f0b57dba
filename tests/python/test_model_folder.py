import json

import numpy as np
import pytest
import safetensors.numpy
import synthema
import tokenizers
from tokenizer_texts import texts
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 400,
    "max_position_embeddings": 128,
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "rms_norm_eps": 1e-6,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "eos_token_id": 2,
}
BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
HEAD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), BYTE_LEVEL])


BYTE_PRE = {
    "gpt2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "smollm": pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    ),
    "llama3": split(HEAD + r"|\p{N}{1,3}" + TAIL),
    "qwen2": split(HEAD + r"|\p{N}" + TAIL),
}
REPLACE = normalizers.Replace(" ", "▁")
PIECE_PIPES = {
    "llama2-legacy": (normalizers.Sequence([normalizers.Prepend("▁"), REPLACE]), None),
    "llama2-first": (None, pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)),
    "always": (None, pre_tokenizers.Metaspace("▁", prepend_scheme="always", split=False)),
    "never": (None, pre_tokenizers.Metaspace("▁", prepend_scheme="never", split=False)),
    "gemma": (REPLACE, pre_tokenizers.Split(" ", "merged_with_previous")),
}


def byte_level(pre, **options):
    out = tokenizers.Tokenizer(models.BPE(**options))
    out.pre_tokenizer = pre
    out.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=alphabet, show_progress=False, special_tokens=special
    )
    out.train_from_iterator(texts(300, seed=3), trainer)
    return out


def pieces(pipe, add=()):
    """Train a SentencePiece-type vocabulary with byte fallback."""
    normalizer, pre = pipe
    special = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256))]
    trained = tokenizers.Tokenizer(models.BPE(unk_token="<unk>"))
    trained.normalizer = normalizers.Replace(" ", "▁")
    trained.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    corpus = [t for t in texts(300, seed=3) if t.isascii()]
    trained.train_from_iterator(
        corpus, trainers.BpeTrainer(vocab_size=390, show_progress=False, special_tokens=special)
    )
    model = json.loads(trained.to_str())["model"]
    merges = [tuple(m) for m in model["merges"]]
    bpe = models.BPE(model["vocab"], merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    out = tokenizers.Tokenizer(bpe)
    out.add_special_tokens(["<unk>", "<s>", "</s>"])
    out.add_tokens([tokenizers.AddedToken(t, normalized=False, special=False) for t in add])
    if normalizer:
        out.normalizer = normalizer
    if pre:
        out.pre_tokenizer = pre
    return out


def weights(config):
    rng = np.random.default_rng(2)
    width, head = config["hidden_size"], config["hidden_size"] // config["num_attention_heads"]
    keys = config["num_key_value_heads"] * head
    names = {"model.embed_tokens.weight": (config["vocab_size"], width), "model.norm.weight": (width,)}
    names["lm_head.weight"] = (config["vocab_size"], width)
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        names |= {
            layer + "input_layernorm.weight": (width,),
            layer + "self_attn.q_proj.weight": (width, width),
            layer + "self_attn.k_proj.weight": (keys, width),
            layer + "self_attn.v_proj.weight": (keys, width),
            layer + "self_attn.o_proj.weight": (width, width),
            layer + "post_attention_layernorm.weight": (width,),
            layer + "mlp.gate_proj.weight": (config["intermediate_size"], width),
            layer + "mlp.up_proj.weight": (config["intermediate_size"], width),
            layer + "mlp.down_proj.weight": (width, config["intermediate_size"]),
        }
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in names.items()}


def write_folder(path, tokenizer, config=CONFIG, tensors=None, **files):
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps(config))
    (path / "tokenizer.json").write_text(
        tokenizer if isinstance(tokenizer, str) else tokenizer.to_str(), encoding="utf-8"
    )
    for name, content in files.items():
        (path / f"{name}.json").write_text(json.dumps(content))
    safetensors.numpy.save_file(weights(config) if tensors is None else tensors, path / "model.safetensors")
    return path


@pytest.fixture(scope="module")
def gpt2():
    return byte_level(BYTE_PRE["gpt2"])


def same_ids(path, theirs, samples):
    ours = synthema.Tokenizer(synthema.ModelFile(path))
    theirs.encode_special_tokens = True
    wrong = [t for t in samples if ours.encode(t) != theirs.encode(t, add_special_tokens=False).ids]
    assert not wrong, (len(wrong), wrong[0], ours.encode(wrong[0]), theirs.encode(wrong[0]).ids)
    return ours


@pytest.mark.parametrize("name", BYTE_PRE)
def test_byte_level_tokenizer_json(name, tmp_path):
    theirs = byte_level(BYTE_PRE[name], ignore_merges=name == "llama3")
    same_ids(write_folder(tmp_path / "m", theirs), theirs, texts(700, seed=9))
    assert synthema.ModelFile(tmp_path / "m").tokenizer_info["pre_tokenizer"] == name


def test_qwen_normalises_its_text(tmp_path):
    theirs = byte_level(BYTE_PRE["qwen2"])
    theirs.normalizer = normalizers.NFC()
    marks = [
        "e\u0301",
        "a\u0323\u0302",
        "\u1112\u1161\u11ab\uac00\u11a8",
        "\u212b \u2126",
        "\u0958",
        "\u0301a",
        "q\u0307\u0323\u0301",
        "\u0344",
        "\u1100\u1161\u0301\u11a8",
        "e\u0323\u0301x\u0301\u0301",
    ]
    rng = np.random.default_rng(0)
    pool = (
        "aeosuAEU \u0301\u0302\u0308\u0323\u0327\u031b\u0345\u1100\u1161\u11a8\u05bc\u05d0\u093c\u0915\uf900"
    )
    marks += ["".join(rng.choice(list(pool), 8)) for _ in range(2000)]
    ours = same_ids(write_folder(tmp_path / "m", theirs), theirs, [*texts(700, seed=9), *marks])
    assert ours.encode("e\u0301") == ours.encode("\u00e9")


@pytest.mark.parametrize("name", PIECE_PIPES)
def test_sentencepiece_type_tokenizer_json(name, tmp_path):
    theirs = pieces(PIECE_PIPES[name], add=["<tool>"])
    samples = [*texts(2000, seed=9), "<tool>", "a <tool> b", "<tool>a", " lead", "▁x", "  two"]
    ours = same_ids(write_folder(tmp_path / "m", theirs), theirs, samples)
    assert ours.special("</s>") == 2
    assert ours.special("<tool>") is None


def test_merges_as_strings_and_as_pairs_are_the_same(gpt2, tmp_path):
    data = json.loads(gpt2.to_str())
    data["model"]["merges"] = [" ".join(m) for m in data["model"]["merges"]]
    same_ids(write_folder(tmp_path / "m", json.dumps(data)), gpt2, texts(300))


def edit(tokenizer, change):
    data = json.loads(tokenizer.to_str())
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(normalizer={"type": "NFKC"}), r"normalizer .*NFKC.* not supported"),
        (lambda d: d.update(pre_tokenizer={"type": "Whitespace"}), "Whitespace"),
        (lambda d: d["pre_tokenizer"].update(add_prefix_space=True), "ByteLevel"),
        (lambda d: d["model"].update(type="WordPiece"), "'WordPiece' is not supported"),
        (lambda d: d["model"].update(dropout=0.1), "Dropout"),
        (lambda d: d["model"].update(end_of_word_suffix="</w>"), "end_of_word_suffix"),
        (lambda d: d["model"]["vocab"].update(zzz=5), "share the id 5"),
        (lambda d: d["model"]["vocab"].update(zzz=5000), "gaps"),
        (lambda d: d["model"]["vocab"].update(zzz=-1), "makes no sense"),
        (lambda d: d["model"]["merges"].append(3), "merge is neither"),
        (lambda d: d["added_tokens"][0].update(special=False, lstrip=True), "lstrip"),
        (lambda d: d.pop("model"), "'model' is missing"),
    ],
)
def test_a_tokenizer_that_is_not_known_exactly_is_refused(change, words, gpt2, tmp_path):
    with pytest.raises(synthema.ModelError, match=words):
        synthema.ModelFile(write_folder(tmp_path / "m", edit(gpt2, change)))


def test_unknown_split_pattern_is_named(tmp_path):
    with pytest.raises(synthema.ModelError, match=r"pre-tokenizer .*\[a-z\]"):
        synthema.ModelFile(write_folder(tmp_path / "m", byte_level(split("[a-z]+"))))


def test_tensors_have_canonical_names_and_the_same_values(gpt2, tmp_path):
    tensors = weights(CONFIG)
    model = synthema.ModelFile(write_folder(tmp_path / "m", gpt2, tensors=tensors))
    assert model.format == "safetensors"
    assert model.config["rope_pairs"] == "halves"
    q = tensors["model.layers.0.self_attn.q_proj.weight"]
    np.testing.assert_array_equal(model.tensor("blk.0.attn_q.weight"), q)
    np.testing.assert_array_equal(model.tensor("output.weight"), tensors["lm_head.weight"])
    half = {k: v.astype(np.float16) for k, v in tensors.items()}
    model = synthema.ModelFile(write_folder(tmp_path / "h", gpt2, tensors=half))
    np.testing.assert_array_equal(
        model.tensor("blk.0.attn_q.weight"), q.astype(np.float16).astype(np.float32)
    )


def test_a_sharded_folder_is_the_same_model(gpt2, tmp_path):
    tensors = weights(CONFIG)
    whole = synthema.ModelFile(write_folder(tmp_path / "m", gpt2, tensors=tensors))
    path = write_folder(tmp_path / "s", gpt2)
    (path / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, some in parts.items():
        safetensors.numpy.save_file({n: tensors[n] for n in some}, path / file)
    index = {"weight_map": {n: file for file, some in parts.items() for n in some}}
    (path / "model.safetensors.index.json").write_text(json.dumps(index))
    model = synthema.ModelFile(path)
    assert sorted(model.tensors) == sorted(whole.tensors)
    assert model.digest != whole.digest
    for name, *_ in whole.tensors:
        np.testing.assert_array_equal(model.tensor(name), whole.tensor(name))
    index["weight_map"]["x"] = "../m/model.safetensors"
    (path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(synthema.ModelError, match="not in the folder"):
        synthema.ModelFile(path)


def llama3_rope():
    return {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"rope_base": 10000.0, "rope_scaling": {"kind": "none"}, "head_width": 8, "tied_head": False}),
        ({"rope_theta": 5e5}, {"rope_base": 5e5}),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 1e5}}, {"rope_base": 1e5}),
        (
            {"rope_scaling": {"type": "linear", "factor": 2.0}},
            {"rope_scaling": {"kind": "linear", "factor": 2.0}},
        ),
        (
            {"rope_theta": 5e5, "rope_scaling": llama3_rope()},
            {
                "rope_base": 5e5,
                "rope_scaling": {
                    "kind": "llama3",
                    "factor": 8.0,
                    "low_frequency_factor": 1.0,
                    "high_frequency_factor": 4.0,
                    "original_context": 64.0,
                },
            },
        ),
        (
            {"architectures": ["MistralForCausalLM"], "sliding_window": 16},
            {"sliding_window": 16, "local_layers": 1},
        ),
        ({"sliding_window": 16, "layer_types": ["full_attention"]}, {"local_layers": 0}),
        ({"tie_word_embeddings": True}, {"tied_head": True}),
    ],
)
def test_config_json(change, expected, gpt2, tmp_path):
    config = synthema.ModelFile(write_folder(tmp_path / "m", gpt2, CONFIG | change)).config
    assert expected.items() <= config.items()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"architectures": ["BertModel"]}, "'BertModel' is not supported; supported: LlamaForCausalLM"),
        ({"rope_scaling": {"rope_type": "dynamic", "factor": 2}}, "'dynamic' is not supported"),
        ({"hidden_act": "gelu"}, "'gelu' is not supported"),
        ({"attention_bias": True}, r"no tensor 'blk\.0\.attn_q\.bias'"),
        ({"final_logit_softcapping": 30.0}, "final_logit_softcapping"),
        ({"sliding_window": 8, "layer_types": ["chunked_attention"]}, "'?\"chunked_attention\"'? is not"),
        ({"sliding_window": 8, "layer_types": ["full_attention"] * 2}, "2 types of layers for 1 layers"),
        ({"num_key_value_heads": 3}, "cannot share"),
        ({"hidden_size": "32"}, "'hidden_size' should be an integer"),
        ({"num_hidden_layers": 2}, r"no tensor 'blk\.1"),
        ({"vocab_size": 10**12}, "vocabulary"),
        ({"vocab_size": 1 << 63}, "should be an integer"),
        ({"eos_token_id": 400}, "does not exist"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(change, words, gpt2, tmp_path):
    with pytest.raises(synthema.ModelError, match=words):
        synthema.ModelFile(write_folder(tmp_path / "m", gpt2, CONFIG | change, tensors=weights(CONFIG)))


def test_begin_and_ends_come_from_all_files(gpt2, tmp_path):
    files = {
        "generation_config": {"eos_token_id": [2, 7]},
        "tokenizer_config": {
            "bos_token": {"content": "<|im_start|>"},
            "add_bos_token": True,
            "chat_template": "{{'<|im_start|>'}}",
        },
    }
    model = synthema.ModelFile(write_folder(tmp_path / "m", gpt2, **files))
    tokenizer = synthema.Tokenizer(model)
    assert tokenizer.begin_id == 1
    assert set(tokenizer.end_ids) == {0, 2, 7}
    assert model.chat_template == "chatml"


def header(entries):
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


def entry(begin, end, shape, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\x01", "too short"),
        ((1 << 60).to_bytes(8, "little") + b"{}", "more than the file can hold"),
        (header(b"{nope"), "not valid JSON"),
        (header(b"[" * 500 + b"]" * 500), "nested too deeply"),
        (header(b"[]"), "not a JSON object"),
        (header(b'{"a":1,"a":2}'), "occurs twice"),
        (header({"a": entry(0, 8, [2])}), "beyond the end"),
        (header({"a": entry(8, 0, [2])}) + bytes(8), "beyond the end"),
        (header({"a": entry(0, 8, [3])}) + bytes(8), "does not fit its shape"),
        (header({"a": entry(0, 8, [-2])}) + bytes(8), "no natural number"),
        (header({"a": entry(0, 8, [1 << 40, 1 << 40])}) + bytes(8), "impossible dimension"),
        (header({"a": entry(0, 8, [2], "I64")}) + bytes(8), "type I64"),
        (header({"a": entry(0, 8, [2]), "b": entry(4, 12, [2])}) + bytes(12), "overlaps"),
        (header({"a": entry(4, 12, [2])}) + bytes(12), "hole"),
        (header({"a": entry(0, 8, [2])}) + bytes(12), "no tensor"),
        (header({"a": entry(0, 8, [2])}) + bytes(8), "does not use"),
    ],
)
def test_broken_safetensors_are_refused(raw, words, gpt2, tmp_path):
    path = write_folder(tmp_path / "m", gpt2)
    (path / "model.safetensors").write_bytes(raw)
    with pytest.raises(synthema.ModelError, match=words):
        synthema.ModelFile(path)
