"""The plug-ins of docs/examples, written as CONTRIBUTING.md says, and plug-ins that break a promise."""

import pathlib
import sys

import pytest
import synthema
from synthema import GenerationError, Prompt

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples"
VISITS = {"text": ["Pain for 3 days.", "No pain.", "Cough.", "Fever, 39 degrees."], "age": [40, 71, 18, 55]}


@pytest.fixture(autouse=True)
def _examples(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])


def test_the_strategy_asks_twice():
    from two_step_strategy import paraphrase

    synthema.check_strategy(paraphrase, {"topic": "pain"})
    model = synthema.scripted_model(lambda request: f"<{request.prompt.messages[-1].text}>")
    row = synthema.generate(paraphrase, model, rows=1, conditions={"topic": ["pain"]}).rows.record(0)
    assert row["topic"] == "pain"
    assert row["paraphrase"] == f"<Say this in other words: {row['text']}>"


def test_the_generator_keeps_to_real_values():
    from independent_columns import IndependentColumns

    generator = IndependentColumns()
    with pytest.raises(GenerationError, match="call fit first"):
        generator.sample(3, 1)
    synthema.check_generator(generator, VISITS)
    sample = generator.sample(200, 1)
    assert set(sample.values("age")) == set(VISITS["age"])
    assert sample.digest() != generator.sample(200, 2).digest()
    assert synthema.evaluate(sample, VISITS)["column_shapes"].value > 0.8


def test_the_metric_counts():
    from digit_share import digit_share

    synthema.check_evaluator(digit_share)
    assert synthema.evaluate(VISITS, metrics=[digit_share])["digit_share"].value == 0.5


def test_a_strategy_that_remembers_is_found():
    calls = []

    def remembers(task, rng):
        calls.append(task.row)
        answer = yield Prompt.user(f"Question {len(calls)}")
        return {"text": answer.text}

    with pytest.raises(GenerationError, match="other questions or other rows"):
        synthema.check_strategy(remembers)


def test_questions_with_a_form_are_answered_in_it():
    age = synthema.Field("age", "integer", minimum=18, maximum=95, nullable=False)
    note = synthema.Field("note", "text", minimum_length=4, nullable=False)
    shown = {"age": [40, 71, 18], "note": ["Cough.", "Pain for 3 days.", "No pain."]}
    records = synthema.json_record("A patient:", synthema.Schema([age, note]))
    synthema.check_strategy(records, exemplars=shown)

    def reads(task, rng):
        code = yield synthema.Prompt.plain("Code:").matching(r"[A-Z]\d{2}").without(["A0"])
        stay = yield synthema.Prompt.plain("Stay:").json({"type": "integer", "minimum": 3})
        kind = yield synthema.Prompt.plain("Kind:").among(["ward", "home"])
        text = yield synthema.Prompt.plain("Note:")
        return {"code": int(code.text[1:]), "stay": stay.json() + 1, "kind": kind.text, "text": text.text}

    synthema.check_strategy(reads)


def test_a_strategy_without_values_or_with_a_wrong_exemplar_is_found():
    def empty(task, rng):
        yield Prompt.user("a")
        return synthema.Draft({"text": None}, [3])

    with pytest.raises(GenerationError, match=r"no values.*pool of 1 does not have"):
        synthema.check_strategy(empty, exemplars={"text": ["x"]})


def test_a_sloppy_generator_is_found():
    class Sloppy:
        name = ""
        schema = synthema.table({"age": [1]}).schema
        calls = 0

        def sample(self, rows, seed, conditions=None):
            self.calls += 1
            return synthema.table({"aged": [self.calls] * (rows - 1)})

    with pytest.raises(GenerationError) as caught:
        synthema.check_generator(Sloppy())
    for words in ("no name", "gave 19", "other fields", "another table"):
        assert words in str(caught.value)


def test_what_is_no_generator_is_named():
    with pytest.raises(synthema.ConfigError, match="of type int and lacks name, schema, sample"):
        synthema.check_generator(3)

    class Whole:
        name = "whole"
        schema = None

        def sample(self, rows, seed, conditions=None):
            return synthema.table({"age": [1] * rows})

    with pytest.raises(synthema.ConfigError, match=r"is the class Whole; give an object of it, Whole\(...\)"):
        synthema.check_generator(Whole)
    with pytest.raises(GenerationError, match="schema of the generator is None"):
        synthema.check_generator(Whole())


class Drawn:
    """A good generator, whose schema is known after its fit."""

    name = "drawn"

    def fit(self, real):
        self.real, self.schema = real, real.schema

    def sample(self, rows, seed, conditions=None):
        records = self.real.records()
        drawn = [records[synthema.Random(seed).stream(i).below(len(records))] for i in range(rows)]
        if conditions is not None:
            drawn = [one | conditions.record(i % len(conditions)) for i, one in enumerate(drawn)]
        return synthema.table(drawn, self.schema)


def test_a_schema_may_be_made_by_the_fit():
    synthema.check_generator(Drawn(), VISITS)
    synthema.check_generator(Drawn(), VISITS, conditions={"age": [40, 71, None]})

    class Without(Drawn):
        def fit(self, real):
            self.real = real

    with pytest.raises(synthema.ConfigError, match="lacks schema"):
        synthema.check_generator(Without(), VISITS)
    with pytest.raises(synthema.ConfigError, match="The parameter 'rows' is a whole number from 1"):
        synthema.check_generator(Drawn(), VISITS, rows=0)


def test_a_generator_that_ignores_its_seed_is_found():
    class Recited(Drawn):
        def sample(self, rows, seed, conditions=None):
            return super().sample(rows, 1, conditions)

    with pytest.raises(GenerationError, match="Other seeds gave the same table"):
        synthema.check_generator(Recited(), VISITS)
    synthema.check_generator(Recited(), {"age": [3, 3]})  # there is but one table


def test_a_generator_takes_conditions_though_it_be_none():
    class Without(Drawn):
        def sample(self, rows, seed):
            return super().sample(rows, seed)

    with pytest.raises(TypeError, match="positional arguments"):
        synthema.check_generator(Without(), VISITS)


def test_a_generator_that_does_not_heed_conditions_or_its_schema_is_found():
    class Heedless(Drawn):
        def sample(self, rows, seed, conditions=None):
            return super().sample(rows, seed)

    with pytest.raises(GenerationError, match="do not agree with their conditions in 'age', 'ward'"):
        synthema.check_generator(Heedless(), VISITS, conditions={"age": [40, 71], "ward": ["a", "b"]})

    class Beyond(Drawn):
        def fit(self, real):
            super().fit(real)
            fields = [synthema.Field("text"), synthema.Field("age", "integer", maximum=60)]
            self.schema = synthema.Schema(fields)

        def sample(self, rows, seed, conditions=None):
            return self.real.take([i % len(self.real) for i in range(rows)])

    with pytest.raises(GenerationError, match=r"do not fit the generator's schema: .*'age'") as caught:
        synthema.check_generator(Beyond(), VISITS)
    assert "71" not in str(caught.value)
