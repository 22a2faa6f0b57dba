"""The local model as a completion model: the same bytes whatever stands beside a request."""

import math
import os
import signal
import threading
import time

import numpy as np
import pytest
import synthema
from synthema import Prompt, Sampling

pytestmark = pytest.mark.model

PREFIX = "".join(
    f"Age: {40 + i}. Finding: seizure. Sentence: At {40 + i} years she had seizures every week.\n"
    for i in range(6)
)


def prompts(n):
    """Few-shot prompts, some with choices, some chats."""
    out = []
    for i in range(n):
        if i % 9 == 4:
            out.append(Prompt.plain(f"{PREFIX}Age: {i}. The patient is").among(["male", "female", "mal"]))
        elif i % 9 == 7:
            out.append(Prompt.user(f"Say something about the number {i}."))
        else:
            out.append(Prompt.plain(f"{PREFIX}Age: {i}. Finding: cough. Sentence:").until("\n").until(" and"))
    return out


SAMPLING = Sampling(temperature=0.8, top_p=0.95, max_tokens=10)


def key(completion):
    return (
        completion.text,
        completion.finish,
        completion.tokens.free,
        completion.tokens.masked,
        completion.log_probability,
    )


@pytest.fixture(scope="module")
def model(smollm2_path, torch_module):
    return synthema.Model(smollm2_path, threads=2)


@pytest.fixture(scope="module")
def together(model):
    return model.complete(prompts(64), SAMPLING, seed=3)


def test_same_bytes_with_other_slots_threads_and_company(smollm2_path, model, together):
    assert list(map(key, model.complete(prompts(64), SAMPLING, seed=3))) == list(map(key, together))
    few = synthema.Model(smollm2_path, threads=1, slots=3)
    # Prompt i draws from the stream of place i, so a shorter list is answered alike.
    for n in (1, 7):
        assert list(map(key, few.complete(prompts(n), SAMPLING, seed=3))) == list(map(key, together[:n]))
    assert few.digest == model.digest
    assert few.numeric_path == model.numeric_path


def test_answers_keep_their_limits(together):
    assert len({c.text for c in together}) > 30
    for i, completion in enumerate(together):
        assert "\n" not in completion.text or i % 9 == 7
        if i % 9 == 4:
            assert completion.text in {"male", "female", "mal"}
            assert completion.tokens.free == 0
        else:
            assert completion.tokens.free <= 10
            assert completion.tokens.masked == 0
        assert completion.log_probability < 0
    assert {c.finish for c in together} >= {"stop", "length", "constraint"}


def test_greedy_answer_is_the_most_likely_text(model):
    greedy = model.complete(
        [Prompt.plain("The capital of France is")], Sampling(temperature=0, max_tokens=4)
    )[0]
    assert "Paris" in greedy.text


def test_scores_are_log_probabilities(model, torch_module, smollm2_path):
    text = "The patient has a fever and a cough."
    scores = model.score([text])[0]
    ids = synthema.Tokenizer(synthema.ModelFile(smollm2_path)).encode(text)
    assert len(scores) == len(ids) - 1 == model.count_tokens(text) - 1
    same = {"dtype": "int8", "kv_dtype": "int8"}  # what a model on the CPU is by default
    logits = torch_module.Transformer(str(smollm2_path), **same).logits(ids).astype(np.float64)
    for i, score in enumerate(scores):
        top = logits[i].max()
        assert score == pytest.approx(
            logits[i, ids[i + 1]] - top - math.log(np.exp(logits[i] - top).sum()), abs=1e-6
        )
    assert sum(scores) > sum(model.score(["cough a and fever a has patient The."])[0])


def test_a_request_that_cannot_be_answered_fails_alone(model):
    good, bad = model.complete([Prompt.plain("Hello"), Prompt.plain("word " * 9000)], SAMPLING)
    assert good.finish != bad.finish
    assert "8192" in bad.failure
    assert bad.text == ""


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda _: Sampling(max_tokens=-5), "max_tokens"),
        (lambda _: Sampling(top_k=2**40), "top_k"),
        (lambda model: model.complete([Prompt.plain("a")], Sampling(), seed=-1), "seed"),
        (lambda model: model.complete([Prompt.plain("a")], Sampling(), seed=2**64), "seed"),
        (lambda _: synthema.Model(threads=-1), "threads"),
        (lambda _: synthema.Model(kv_memory=-1), "kv_memory"),
    ],
)
def test_a_count_that_is_none_is_named(model, make, field):
    with pytest.raises(synthema.ConfigError, match=f"field '{field}': A whole number from 0 to"):
        make(model)


def in_threads(*calls):
    """What each call gives, or the exception that it ends with, all of them at once."""
    out = [None] * len(calls)

    def work(i):
        try:
            out[i] = calls[i]()
        except Exception as error:
            out[i] = error

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return out


def test_threads_of_one_model_wait_for_each_other(smollm2_path, together):
    model = synthema.Model(smollm2_path, threads=1)
    strategy = synthema.zero_shot("My head")

    def answers():
        return list(map(key, model.complete(prompts(7), SAMPLING, seed=3)))

    def run():
        return synthema.generate(strategy, model, rows=3, sampling=SAMPLING, seed=1).rows.records()

    def scores():
        return model.score(["My head hurts.", "My chest hurts."])

    alone = [answers(), run(), scores()]
    assert in_threads(answers, answers, run, run, scores, scores) == [one for one in alone for _ in range(2)]
    assert alone[0] == list(map(key, together[:7]))


def test_a_run_may_score_with_its_model_but_not_ask_it(model):
    def likely(task, draft):
        return all(len(scores) > 0 for scores in model.score([draft["text"] + " And."]))

    def asking(task, draft):
        return bool(model.complete([Prompt.plain("My head")], SAMPLING))

    arguments = {"rows": 2, "sampling": SAMPLING, "seed": 1}
    strategy = synthema.zero_shot("My head")
    plain = synthema.generate(strategy, model, **arguments).rows.records()
    assert synthema.generate(strategy, model, checks=[likely], **arguments).rows.records() == plain
    with pytest.raises(synthema.ModelError, match="is at work"):
        synthema.generate(strategy, model, checks=[asking], **arguments)
    assert synthema.generate(strategy, model, **arguments).rows.records() == plain


def test_scoring_can_be_interrupted(model, interrupted):
    interrupted(model.score, [f"At {i} years she had seizures every week." for i in range(2000)])
    assert len(model.score(["My head hurts."])) == 1


def test_a_million_threads_are_some(smollm2_path):
    model = synthema.Model(smollm2_path, threads=10**6)
    [answer] = model.complete([Prompt.plain("a")], Sampling(max_tokens=2), seed=1)
    assert not answer.failure


def test_counts_of_numpy_are_counts(model):
    sampling = Sampling(max_tokens=np.int32(2))
    asked = [Prompt.plain("a")]
    assert sampling.max_tokens == 2
    assert [c.text for c in model.complete(asked, sampling, seed=np.int64(3))] == [
        c.text for c in model.complete(asked, sampling, seed=3)
    ]


def test_time_is_told_by_part(smollm2_path):
    model = synthema.Model(smollm2_path, threads=1)
    assert set(model.seconds_by_part().values()) == {0.0}
    started = time.perf_counter()
    shared = "The patient has a history of asthma and takes salbutamol when short of breath. " * 4
    asked = [Prompt.plain(shared + word) for word in ("He", "She", "They")]
    model.complete(asked, sampling=Sampling(max_tokens=8), seed=1)
    seconds, parts = time.perf_counter() - started, model.seconds_by_part()
    assert all(v > 0 for v in parts.values()), parts
    assert sum(parts.values()) < seconds  # one thread
    assert parts["products"] > parts["draws"]


def test_another_template_is_another_model(smollm2_path, model):
    assert model.chat_template == "chatml-smollm2"
    other = synthema.Model(smollm2_path, chat_template="chatml")
    assert other.chat_template == "chatml"
    assert other.digest != model.digest
    with pytest.raises(synthema.ConfigError, match="esperanto"):
        synthema.Model(smollm2_path, chat_template="esperanto")


def test_log_probabilities_of_generated_tokens_are_those_of_scoring(model):
    prompt = "The capital of France is Paris. The capital of Italy is"
    sampling = Sampling(temperature=0.7, max_tokens=6, log_probabilities=True)
    completion = model.complete([Prompt.plain(prompt)], sampling)[0]
    found = completion.token_log_probabilities
    assert len(found) == len(completion.token_ids) > 0
    assert sum(found) == pytest.approx(completion.log_probability)
    # The answer may have been split into other tokens than its text is: compare where it was not.
    whole = model.score([prompt + completion.text])[0]
    if len(whole) == model.count_tokens(prompt) - 1 + len(found) and completion.finish == "length":
        assert whole[-len(found) :] == found


def test_perplexity_is_per_text_and_pooled(model):
    texts = ["The patient was admitted to hospital.", "Purple colourless ideas sleep furiously on.", ""]
    found = synthema.perplexity(model, texts)
    scores = model.score(texts)
    assert found.tokens == [len(s) for s in scores]
    assert found.texts[0] == pytest.approx(math.exp(-sum(scores[0]) / len(scores[0])))
    assert found.texts[0] < found.texts[1]
    assert found.texts[0] < found.pooled < found.texts[1]
    assert math.isnan(found.texts[2])
    assert found.numeric_path == model.numeric_path


def test_scores_do_not_depend_on_company_or_order(model):
    texts = [f"Note {i}: " + "the patient reports cough and fever. " * (1 + i % 7) for i in range(30)]
    together = model.score(texts)
    assert model.score(texts[::-1]) == together[::-1]
    assert model.score(texts[4:5]) == together[4:5]
    assert all(x < 0 for text in together for x in text)


def test_perplexity_of_one_text_or_of_a_model_without_scores_is_refused(model):
    with pytest.raises(synthema.ConfigError, match="a list of texts"):
        synthema.perplexity(model, "The patient was admitted.")
    with pytest.raises(synthema.ConfigError, match="score"):
        synthema.perplexity(synthema.ngram_model(["My head hurts."], order=2), ["My head hurts."])


def test_what_a_form_fixes_is_no_way_around_a_ban(model):
    asked = Prompt.plain("A word:").among(["yes"])
    fixed, other = model.complete([asked.without(["es"]), asked.without(["no"])], Sampling(max_tokens=4))
    assert fixed.finish == "failed"
    assert "banned text" in fixed.failure
    assert other.text == "yes"


def test_a_form_that_a_ban_leaves_nothing_of_says_what_to_change(model):
    asked = Prompt.plain("A pet:").among(["cat", "car"])
    (stuck,) = model.complete([asked.without(["dog", "cat", "car"])], Sampling(max_tokens=4))
    assert stuck.finish == "failed"
    assert "Every text that fits the choices holds a banned text (banned texts 2, 3)" in stuck.failure
    assert "cat" not in stuck.failure


def test_a_form_that_the_context_cannot_hold_is_refused_at_once(model):
    asked = [Prompt.plain("A text:").matching(form) for form in ("(a{1000}){1000}", "([a-z]{1000}){1000}")]
    for completion in model.complete(asked, Sampling(max_tokens=4)):
        assert completion.finish == "failed"
        assert "Too much is left to write for the regular expression" in completion.failure
        assert not completion.token_ids


def test_banned_texts_and_minimum_lengths(model):
    asked = [Prompt.plain(f"{PREFIX}Age: {i}. Finding: cough. Sentence:") for i in range(12)]
    banned = [p.without([" patient", " the", "The"]).until("\n") for p in asked]
    for completion in model.complete(banned, Sampling(max_tokens=20)):
        assert not any(word in completion.text for word in (" patient", " the", "The"))
    for completion in model.complete(
        [p.until("\n").until(".") for p in asked], Sampling(max_tokens=30, min_tokens=15)
    ):
        assert completion.tokens.free > 15 or completion.finish == "failed"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_model_opened_before_a_fork_answers_in_the_child(smollm2_path):
    model = synthema.Model(smollm2_path, threads=2)

    def text():
        return model.complete(prompts(4), sampling=SAMPLING)[3].text

    first = text()
    child = os.fork()
    if child == 0:
        same = False
        try:
            same = text() == first
        finally:
            os._exit(0 if same else 1)
    deadline = time.monotonic() + 120
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    if ended[0] == 0:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert ended == (child, 0), "The child never answered, or otherwise."
    assert text() == first
