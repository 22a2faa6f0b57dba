"""BLEU, chrF, ROUGE, Porter, TF-IDF and self-BLEU against the libraries that define the published numbers."""

# ruff: noqa: E501
import random

import numpy as np
import pytest
import synthema

VARIANTS = {"1": "rouge1", "2": "rouge2", "l": "rougeL", "lsum": "rougeLsum"}


def odd_pairs(count=400):
    """Pairs of strings made of whatever breaks tokenisers."""
    rng = random.Random(5)
    pieces = [
        "the", "patient", "denies", "running", "3.5", "1,000", "a-b", "-\n", "\n", "\n\n", "don't", "&amp;", "&quot;",
        "<skipped>", "e.g.,", "U.S.", "10-20", "é", "Ménière", "頭痛", "😀", "\u00a0", "\u2028", "\u212a", "İstanbul",
        "ß", "(x)", "[y]", "{z}", "~", "`", "'", '"', "/", "...", ".", ",", "?!", "relational", "ponies", "dying", "\t", "\r",
    ]  # fmt: skip
    made = [("", ""), ("", "a"), ("a", ""), ("\n", "\n"), ("...", "..."), (" ", "x"), ("a.", "a.\n")]
    while len(made) < count:
        one = [rng.choice(pieces) for _ in range(rng.randrange(30))]
        other = [rng.choice(pieces) if rng.random() < 0.3 else piece for piece in one]
        made.append((rng.choice(["", " "]).join(one), rng.choice([" ", ""]).join(other)))
    return made


def real_pairs(folder, count=600):
    """Pairs (reference, other text) of mts_dialog: section summaries and their dialogues."""
    pairs = []
    pandas = pytest.importorskip("pandas")
    for path in sorted((folder / "mts_dialog").glob("MTS-Dialog-*Set*.csv")):
        frame = pandas.read_csv(path)
        if {"section_text", "dialogue"} <= set(frame.columns):
            frame = frame.dropna(subset=["section_text", "dialogue"])
            pairs += list(zip(frame["section_text"], frame["dialogue"], strict=True))
        if len(pairs) >= count:
            return [(a, b[:1500]) for a, b in pairs[:count]]
    pytest.skip("mts_dialog holds no table with section_text and dialogue")


def check_bleu(pairs):
    sacrebleu = pytest.importorskip("sacrebleu")
    for a, b in pairs:
        want = sacrebleu.sentence_bleu(b, [a]).score
        assert synthema.sentence_bleu(b, a) == pytest.approx(want, abs=1e-9), (a, b)
    hypotheses, references = [b for _, b in pairs], [a for a, _ in pairs]
    want = sacrebleu.corpus_bleu(hypotheses, [references], force=True).score
    assert synthema.corpus_bleu(hypotheses, references) == pytest.approx(want, abs=1e-9)


def check_chrf(pairs):
    sacrebleu = pytest.importorskip("sacrebleu")
    for a, b in pairs:
        want = sacrebleu.sentence_chrf(b, [a]).score
        assert synthema.sentence_chrf(b, a) == pytest.approx(want, abs=1e-9), (a, b)
    hypotheses, references = [b for _, b in pairs], [a for a, _ in pairs]
    want = sacrebleu.corpus_chrf(hypotheses, [references]).score
    assert synthema.corpus_chrf(hypotheses, references) == pytest.approx(want, abs=1e-9)


def check_rouge(pairs, stem):
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(
        list(VARIANTS.values()), use_stemmer=stem
    )
    for a, b in pairs:
        want = scorer.score(a, b)
        for ours, theirs in VARIANTS.items():
            got = synthema.rouge(a, b, ours, stem=stem)
            assert got == pytest.approx(tuple(want[theirs]), abs=1e-9), (ours, a, b)


def test_bleu_of_odd_strings():
    check_bleu(odd_pairs())


def test_chrf_of_odd_strings():
    check_chrf(odd_pairs())


def test_chrf_of_real_pairs(data_folder):
    check_chrf(real_pairs(data_folder)[:200])  # the reference is slow


@pytest.mark.parametrize("stem", [False, True])
def test_rouge_of_odd_strings(stem):
    check_rouge(odd_pairs(), stem)


def test_bleu_of_real_pairs(data_folder):
    pairs = real_pairs(data_folder)
    assert len(pairs) >= 500
    check_bleu(pairs)


@pytest.mark.parametrize("stem", [False, True])
def test_rouge_of_real_pairs(data_folder, stem):
    pairs = [(a[:400], b[:600]) for a, b in real_pairs(data_folder)]  # the reference is slow
    check_rouge(pairs, stem)


def test_bleu_check_value():
    hypotheses = ["The patient denies chest pain, but reports dyspnea.", "No acute distress."]
    references = [
        "The patient denies any chest pain but reports mild dyspnea.",
        "She is in no acute distress.",
    ]
    assert synthema.corpus_bleu(hypotheses, references) == pytest.approx(21.129336841920622, abs=1e-12)
    assert synthema.sentence_bleu(hypotheses[1], references[1]) == pytest.approx(
        28.087083270446133, abs=1e-12
    )


def word_list():
    rng = random.Random(3)
    stems = [
        "relat",
        "happ",
        "sk",
        "d",
        "abs",
        "controll",
        "fizz",
        "hopp",
        "archaeo",
        "y",
        "sens",
        "tr",
        "ag",
        "electr",
    ]
    ends = [
        "", "s", "es", "ies", "ied", "ing", "ed", "eed", "y", "ational", "tional", "enci", "izer", "bli", "alli", "entli",
        "ousli", "ization", "ator", "alism", "iveness", "fulness", "aliti", "iviti", "biliti", "fulli", "logi", "icate",
        "ative", "alize", "iciti", "ical", "ful", "ness", "ance", "ement", "ment", "ent", "sion", "tion", "ou", "ism", "ll", "e",
    ]  # fmt: skip
    made = [a + b for a in stems for b in ends] + [a + b + c for a in stems for b in ends for c in ends[:12]]
    letters = "aeiouybcdlstnrgw"
    made += ["".join(rng.choice(letters) for _ in range(rng.randrange(1, 12))) for _ in range(20000)]
    return [
        *made,
        "skies",
        "dying",
        "lying",
        "tying",
        "news",
        "innings",
        "outings",
        "cannings",
        "howe",
        "proceed",
    ]


def test_porter_is_nltks():
    stemmer = pytest.importorskip("nltk.stem.porter").PorterStemmer()
    for word in word_list():
        assert synthema.porter_stem(word) == stemmer.stem(word), word


def test_tf_idf_is_scikit_learns():
    vectorizer = pytest.importorskip("sklearn.feature_extraction.text").TfidfVectorizer
    rng = random.Random(2)
    documents = [" ".join(rng.choice("abcdefghij") for _ in range(rng.randrange(1, 30))) for _ in range(60)]
    for sublinear in (False, True):
        reference = vectorizer(analyzer=synthema.words, sublinear_tf=sublinear)
        want = reference.fit_transform(documents).toarray()
        index = synthema.TfIdf(documents, sublinear_tf=sublinear)
        names = list(reference.get_feature_names_out())
        got = np.array([index.vector(document, names) for document in documents])
        assert np.abs(got - want).max() < 1e-12


def test_self_bleu_is_nltks():
    bleu = pytest.importorskip("nltk.translate.bleu_score")
    rng = random.Random(4)
    texts = [[rng.choice("abcdef") for _ in range(rng.randrange(1, 15))] for _ in range(40)]
    texts.append(["unseen", "words"])
    smoothing = bleu.SmoothingFunction().method1
    got = synthema.self_bleu(texts)
    for i, text in enumerate(texts):
        others = texts[:i] + texts[i + 1 :]
        assert got[i] == pytest.approx(
            bleu.sentence_bleu(others, text, smoothing_function=smoothing), abs=1e-12
        )
