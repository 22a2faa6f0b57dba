"""Measures of texts in other scripts, in decomposed characters, and with rows that tell nothing."""

import random
import unicodedata

import numpy as np
import pytest
import synthema
from synthema import metrics
from synthema.cards import study_card
from synthema.families import OTHER, family_of

RUSSIAN = [
    "боль",
    "голова",
    "кашель",
    "пациент",
    "жалуется",
    "вторые",
    "сутки",
    "слабость",
    "тошнота",
    "рвота",
    "сыпь",
    "одышка",
]
GERMAN = ["Größe", "Übelkeit", "müde", "Hüfte", "für", "Rücken", "zurück", "Röntgen", "täglich", "Atemnöte"]


def notes(words, many, seed, length=15):
    r = random.Random(seed)
    return [" ".join(r.choice(words) for _ in range(length)) for _ in range(many)]


def texts(given):
    return {"text": given}


@pytest.mark.parametrize(
    "words", [RUSSIAN, list("头痛三天咳嗽两天发热乏力恶心呕吐")], ids=["russian", "chinese"]
)
def test_copies_of_notes_are_found_in_every_script(words):
    real, holdout = notes(words, 60, 1), notes(words, 60, 2)
    copied = [getattr(metrics, name)(texts(real), texts(real), texts(holdout)).value
              for name in ("near_note_copies", "nearest_note_share", "nearest_note_rouge")]  # fmt: skip
    assert copied == [1.0, 1.0, 1.0]
    fresh = metrics.near_note_copies(texts(notes(words, 60, 3)), texts(real), texts(holdout))
    assert fresh.value < 0.2


def test_short_notes_that_are_repeated_whole_are_copies():
    real, holdout = notes(GERMAN, 40, 1, 5), notes(GERMAN, 40, 2, 5)
    for name in ("training_copy_texts", "training_copy_words"):
        measure = getattr(metrics, name)
        assert measure(texts(real), texts(real), texts(holdout)).value == 1
        fresh = measure(texts([f"{text} gut" for text in real]), texts(real), texts(holdout))
        assert (fresh.value, fresh.ceiling.value) == (0, 0)
        quarter = measure(texts([*real[:10], *holdout[:30]]), texts([*real, ""]), texts(holdout))
        assert quarter.value == 0.25


def test_what_rouge_does_not_read_is_said():
    score = metrics.rouge_l({"text": notes(RUSSIAN, 3, 1), "reference": notes(RUSSIAN, 3, 1)})
    assert score.value == 0  # as rouge-score
    assert score.warnings[0].startswith("Of 3 references ROUGE reads nothing")
    assert metrics.rouge_l({"text": ["a b"], "reference": ["a b"]}).warnings == []


def test_composed_and_decomposed_characters_are_the_same():
    real, holdout = notes(GERMAN, 30, 1, 20), notes(GERMAN, 30, 2, 20)
    apart = [unicodedata.normalize("NFD", text) for text in real]
    assert apart != real
    assert metrics.training_copy_texts(texts(apart), texts(real), texts(holdout)).value == 1
    assert metrics.exact_duplicates(texts(real + apart)).value == 0.5
    check = synthema.no_exemplar_copy(synthema.table(texts(real)), run=8)

    def same(task, rng):
        return {"text": apart[0]}
        yield

    model = synthema.scripted_model(lambda request: "x")
    with pytest.raises(synthema.GenerationError, match="The text shares 8 or more words in a row"):
        synthema.generate(same, model, rows=1, checks=[check])


def test_rows_that_tell_nothing_make_no_interval_narrower():
    def fact(more):
        return metrics.fact_agreement(
            {"text": ["a"] * (3 + more), "fact_age": [True, False, True] + [None] * more}
        )

    def diversity(more):
        return metrics.mattr(texts(["a b a c d", "a a b", "c d e e"] + [""] * more))

    def draws(more):
        return metrics.hdd(texts([" ".join(f"w{i % 30}" for i in range(60))] + ["short text"] * more))

    for measure in (fact, diversity, draws):
        alone, among = measure(0), measure(500)
        assert (alone.value, alone.n, str(alone.interval)) == (among.value, among.n, str(among.interval))
    assert fact(500).n == 3


def test_what_is_not_known_to_be_planted_is_left_out():
    def likely(given):
        return [[-1.0 if "p" in text else -3.0] for text in given]

    canaries = [f"p{i}" for i in range(10)] + [f"o{i}" for i in range(20)]

    def exposure(planted):
        given = {"text": canaries, "planted": planted}
        return metrics.canary_exposure(texts(["a", "b"]), texts(["a"]), canaries=given, text_scorer=likely)

    known = exposure([True] * 10 + [False] * 20)
    partly = exposure([True] * 5 + [None] * 5 + [False] * 20)
    assert known.value == partly.value
    assert partly.warnings == ["Left out: 5 of the canaries, of which 'planted' is missing."]


def test_scores_of_own_evaluators_may_be_numpy_numbers_and_not_nan():
    @synthema.evaluator(range=(0, 1))
    def share(real, synthetic, context):
        mask = np.array([len(text) > 2 for text in synthetic.values("text")])
        interval = {"low": np.float32(0.25), "high": mask.max() * 1.0, "level": 0.95, "method": "by hand"}
        return {"value": mask.mean(), "n": mask.sum(), "interval": interval}

    score = share.evaluate(None, synthema.table(texts(["abc", "a"])), synthema.EvaluationContext())
    assert (score.value, score.n, score.interval.low, score.interval.high) == (0.5, 1, 0.25, 1.0)

    @synthema.evaluator
    def wrong(real, synthetic, context):
        return {"value": float("nan")}

    @synthema.evaluator
    def misspelt(real, synthetic, context):
        return {"value": 0.5, "intervall": {}}

    report = synthema.evaluate(texts(["abc"]), metrics=[wrong, misspelt])
    assert "gave NaN as 'value'" in report["wrong"].undefined
    assert (
        "'intervall', which a score does not have; did you mean 'interval'?" in report["misspelt"].undefined
    )


def test_a_card_does_not_guess_the_language_and_knows_what_is_privacy():
    names = (
        "ontology_linking_f1",
        "longest_copied_run",
        "long_copy_share",
        "linkability",
        "authenticity",
        "nnaa",
    )
    card = study_card(
        synthema.table(texts(["头痛三天了", "咳嗽两天"])), [{"name": one, "value": 0.7} for one in names]
    )
    assert card["language"] is None
    assert [one["privacy"] for one in card["metrics"]] == [False, True, True, True, True, False]
    assert all(family_of(name) != OTHER for name in synthema.evaluator_names())


def test_equal_texts_have_bleu_of_at_most_100():
    same = ["a b c d e f"] * 3
    assert metrics.bleu({"text": same, "reference": same}).value == 100


@pytest.mark.parametrize(
    ("found", "said"), [((-1, 2, "x"), "outside of the text"), ((0, "x"), "two whole numbers")]
)
def test_what_a_detector_gives_is_checked(found, said):
    score = metrics.identifier_texts(texts(["abc"]), texts(["abd"]), detectors=[lambda text: [found]])
    assert said in score.undefined


def test_a_detector_that_gives_no_list_is_told():
    score = metrics.identifier_texts(texts(["abc"]), texts(["abd"]), detectors=[lambda text: None])
    assert "of type NoneType that is no list of" in score.undefined
