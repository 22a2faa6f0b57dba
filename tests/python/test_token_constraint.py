"""Constraints written in Python: the protocol, its conformance test, the engine, xgrammar as one of them."""

import importlib
import json
import pathlib
import sys

import pytest
import synthema
from synthema import ConfigError, GenerationError, Prompt, Sampling, TokenConstraint
from synthema.xgrammar import GrammarConstraint


class Sum:
    """Ids 0 to 3 whose sum is 6: the least that a constraint has."""

    digest = "sum of 6"
    vocabulary_size = 5

    def __init__(self, taken=()):
        self.taken = list(taken)

    def fill_mask(self, mask):
        mask[1 : min(3, 6 - sum(self.taken)) + 1] = True

    def accept(self, id):
        if not 1 <= id <= min(3, 6 - sum(self.taken)):
            return False
        self.taken.append(id)
        return True

    def rollback(self, n):
        del self.taken[len(self.taken) - n :]

    def is_complete(self):
        return sum(self.taken) == 6

    def reset(self):
        self.taken.clear()

    def copy(self):
        return type(self)(self.taken)


def test_what_keeps_its_promises_is_accepted():
    constraint = Sum([1, 2])
    synthema.check_constraint(constraint)
    assert constraint.taken == [1, 2]  # a copy was tried
    annotated: TokenConstraint = constraint
    assert Prompt.plain("x").under(annotated).constraint == "sum of 6"


class ForgetsRollback(Sum):
    def rollback(self, n):
        pass


class ForgetsReset(Sum):
    def reset(self):
        pass


class TakesAnything(Sum):
    def accept(self, id):
        self.taken.append(id)
        return True


class SharesItsState(Sum):
    def copy(self):
        other = SharesItsState()
        other.taken = self.taken
        return other


class NeverComplete(Sum):
    def is_complete(self):
        return False


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (ForgetsRollback, "rollback does not undo"),
        (ForgetsReset, r"reset\(\) does not lead back"),
        (TakesAnything, "takes a token that the mask does not allow"),
        (SharesItsState, "changes the original"),
        (NeverComplete, "not complete"),
    ],
)
def test_a_broken_promise_is_named(broken, message):
    with pytest.raises(GenerationError, match=message):
        synthema.check_constraint(broken())


@pytest.mark.parametrize("lacking", ["digest", "vocabulary_size", "fill_mask", "is_complete", "copy"])
def test_what_lacks_a_member_is_no_constraint(lacking):
    class Almost:
        pass

    for name in (
        "digest",
        "vocabulary_size",
        "fill_mask",
        "accept",
        "rollback",
        "is_complete",
        "reset",
        "copy",
    ):
        if name != lacking:
            setattr(Almost, name, getattr(Sum, name))
    with pytest.raises(synthema.ConfigError, match=f"Almost has no {lacking}"):
        Prompt.plain("x").under(Almost())


def test_a_method_that_gives_something_else_is_named():
    class Silent(Sum):
        def accept(self, id):
            self.taken.append(id)

    with pytest.raises(TypeError, match=r"accept\(\) gives True or False, but this one gave NoneType"):
        synthema.check_constraint(Silent())


def test_the_constraint_is_part_of_the_prompt():
    class Other(Sum):
        digest = "another"

    prompt = Prompt.plain("x").under(Sum())
    assert prompt == Prompt.plain("x").under(Sum())
    assert prompt != Prompt.plain("x").under(Other())
    assert prompt != Prompt.plain("x")
    answer = synthema.ngram_model(["one two"]).complete([prompt], Sampling())[0]
    assert (answer.finish, "constraint" in answer.failure) == ("failed", True)


# --- the local model


class Wrapped:
    """A form of ours as a constraint in Python, so that both must give the same answers."""

    def __init__(self, inner, digest, size):
        self.inner, self.digest, self.vocabulary_size = inner, digest, size

    def fill_mask(self, mask):
        mask[self.inner.allowed()] = True

    def accept(self, id):
        return self.inner.accept(id)

    def rollback(self, n):
        self.inner.rollback(n)

    def is_complete(self):
        return self.inner.is_complete

    def reset(self):
        self.inner.reset()

    def copy(self):
        return Wrapped(self.inner.copy(), self.digest, self.vocabulary_size)


@pytest.fixture(scope="module")
def model(torch_module, smollm2_path):
    return synthema.Model(smollm2_path)


def test_a_form_wrapped_in_python_keeps_its_promises(forms, tokenizer):
    inner = forms.constraint(Prompt.plain("").matching("[a-f]{1,3}(x|yz)*"))
    synthema.check_constraint(Wrapped(inner, "w", tokenizer.vocabulary_size))


@pytest.mark.model
def test_the_engine_writes_what_it_writes_under_the_same_form(model, forms, tokenizer):
    form = Prompt.plain("Blood pressure: ").matching("[0-9]{2,3}(/[0-9]{2,3})?")
    inner = forms.constraint(form, open_tokens=20)
    brought = Prompt.plain("Blood pressure: ").under(Wrapped(inner, "pressure", tokenizer.vocabulary_size))
    sampling = Sampling(max_tokens=20)
    expected = model.complete([form] * 6, sampling, seed=4)
    got = model.complete([brought] * 6, sampling, seed=4)
    assert [one.text for one in got] == [one.text for one in expected]
    assert {one.finish for one in got} == {"constraint"}
    assert model.complete([brought], sampling, seed=4)[0].text == got[0].text
    short = model.complete([brought], Sampling(max_tokens=1), seed=4)[0]
    assert len(short.token_ids) == 1


@pytest.mark.model
def test_what_goes_wrong_in_python_comes_out_and_the_model_goes_on(model, tokenizer):
    class Bug(Sum):
        vocabulary_size = tokenizer.vocabulary_size

        def fill_mask(self, mask):
            raise KeyError("a bug")

    class TooLarge(Sum):
        vocabulary_size = tokenizer.vocabulary_size + 1

    with pytest.raises(KeyError, match="a bug"):
        model.complete([Prompt.plain("x").under(Bug())], Sampling(max_tokens=3))
    answers = model.complete(
        [Prompt.plain("x").under(TooLarge()), Prompt.plain("x").among(["a", "b"])], Sampling(max_tokens=3)
    )
    assert "this model's tokenizer" in answers[0].failure
    assert answers[1].text in ("a", "b")


@pytest.mark.model
def test_rows_of_a_run_carry_the_constraint_in_their_digest(model, tokenizer):
    def run(digest):
        class Named(Wrapped):
            pass

        inner = synthema.AnswerForms(tokenizer).constraint(Prompt.plain("").matching("[0-9]{2}"))
        constraint = Named(inner, digest, tokenizer.vocabulary_size)

        @synthema.strategy
        def ask(task, rng):
            answer = yield Prompt.plain("Age: ").under(constraint)
            return {"age": answer.text}

        return [one["digest"] for one in synthema.generate(ask, model, rows=2).provenance]

    assert run("a") == run("a")
    assert not set(run("a")) & set(run("b"))


# --- xgrammar

BRACKETS = 'root ::= "[" item ("," item)* "]"\nitem ::= root | [1-9] [0-9]{0,2}'


@pytest.fixture(scope="module")
def brackets(tokenizer):
    pytest.importorskip("xgrammar", reason="xgrammar is not installed")
    return GrammarConstraint(tokenizer, BRACKETS)


def test_a_grammar_keeps_its_promises(brackets):
    synthema.check_constraint(brackets)


def test_a_grammar_that_xgrammar_refuses_is_a_named_error(brackets, tokenizer):
    with pytest.raises(ConfigError, match="xgrammar does not accept the grammar"):
        GrammarConstraint(tokenizer, "root ::= nothing_that_is_defined")


def test_without_xgrammar_the_adapter_says_what_to_do(tokenizer, monkeypatch):
    monkeypatch.setitem(sys.modules, "xgrammar", None)
    with pytest.raises(ImportError, match="among, matching, json"):
        GrammarConstraint(tokenizer, BRACKETS)


@pytest.mark.model
def test_the_local_model_writes_a_grammar(model, brackets):
    prompt = Prompt.plain("Nested lists: [1,[2,[3,4]]] [[[5]],6] ").under(brackets)
    answers = model.complete([prompt] * 12, Sampling(max_tokens=40), seed=1)
    finished = [json.loads(answer.text) for answer in answers if answer.finish == "constraint"]
    assert len(finished) >= 4
    assert any(isinstance(item, list) for one in finished for item in one)


@pytest.mark.model
def test_the_example_of_the_guide(model, tokenizer, monkeypatch):
    folder = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples"
    monkeypatch.syspath_prepend(folder)
    example = importlib.import_module("even_number")
    synthema.check_constraint(example.EvenNumber(tokenizer))
    answers = model.complete([example.prompt(tokenizer)] * 8, Sampling(max_tokens=4), seed=3)
    assert all(len(one.text) <= 3 and int(one.text) % 2 == 0 for one in answers if one.finish == "constraint")
    assert any(one.finish == "constraint" for one in answers)
