"""Runs from Python: strategies, models and checks as plain functions."""

import functools
import math
import re
import signal
import traceback

import pytest
import synthema
from synthema import GenerationError, Prompt, Sampling

TEXTS = [
    "A 45-year-old woman had headaches for three months.",
    "A 63-year-old man had chest pain for two days.",
    "A 30-year-old woman had a cough for one week.",
]


@synthema.strategy
def note(task, rng):
    answer = yield Prompt.plain("A patient:").until("\n")
    return {"topic": task["topic"], "text": answer.text}


def conditions(row, rng):
    return {"topic": rng.choice(["pain", "cough"]), "row": row}


def records(table):
    return [table.record(i) for i in range(len(table))]


def test_rows_are_exact_and_repeatable():
    model = synthema.ngram_model(TEXTS, order=2)
    a = synthema.generate(note, model, rows=12, conditions=conditions, seed=4)
    b = synthema.generate(note, model, rows=12, conditions=conditions, seed=4, in_flight=1)
    c = synthema.generate(note, model, rows=12, conditions=conditions, seed=5)
    assert len(a) == len(a.rows) == 12
    assert records(a.rows) == records(b.rows)
    assert records(a.rows) != records(c.rows)
    assert [p["digest"] for p in a.provenance] == [p["digest"] for p in b.provenance]
    assert a.complete
    assert a.acceptance == 1
    assert {r["topic"] for r in records(a.rows)} == {"pain", "cough"}


def test_checks_reject_with_name_and_reason_and_nothing_disappears():
    def short(task, draft):
        return None if len(draft["text"].split()) < 9 else "too long"

    model = synthema.ngram_model(TEXTS, order=2)
    run = synthema.generate(note, model, rows=10, conditions=conditions, checks=[short], max_attempts=50)
    assert all(len(r["text"].split()) < 9 for r in records(run.rows))
    assert len(run.rejected) > 0
    assert {(r["check"], r["reason"]) for r in records(run.rejected)} == {("short", "too long")}
    assert len(run.drafts) == len(run.rejected) + len(run.rows) == run.attempts
    assert run.reasons == [("short", "too long", len(run.rejected))]
    assert all(r["free_tokens"] > 0 for r in records(run.drafts))
    page = run._repr_html_()
    assert f"10 of {run.attempts} attempts accepted" in page
    assert f"<li>short: too long ({len(run.rejected)} times)</li>" in page
    assert page.count("<tr>") == 11  # the head and ten rows


def test_several_questions_at_once_and_in_turn():
    @synthema.strategy
    def pair(task, rng):
        claim = yield Prompt.user("claim")
        support, refute = yield [Prompt.user("for " + claim.text), Prompt.user("against " + claim.text)]
        nothing = yield []
        return {"claim": claim.text, "support": support.text, "refute": refute.text, "n": len(nothing)}

    model = synthema.scripted_model({"claim": "c", "for c": "yes", "against c": "no"}, newest_first=True)
    run = synthema.generate(pair, model, rows=3)
    assert records(run.rows) == [{"claim": "c", "support": "yes", "refute": "no", "n": 0}] * 3


def test_delegation_between_generators():
    def ask(text):
        answer = yield Prompt.user(text)
        return answer.text

    def outer(task, rng):
        first = yield from ask("a")
        second = yield from ask(first)
        return {"text": second}

    run = synthema.generate(outer, synthema.scripted_model({"a": "b", "b": "c"}), rows=1)
    assert run.rows.record(0) == {"text": "c"}


def test_a_programming_error_stops_the_run_with_its_traceback():
    def broken(task, rng):
        answer = yield Prompt.user("a")
        return {"text": answer.text + 1}

    with pytest.raises(TypeError) as caught:
        synthema.generate(broken, synthema.scripted_model({"a": "b"}), rows=2)
    assert "answer.text + 1" in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("bad", [42, "text", [1]])
def test_what_is_not_a_prompt_is_a_type_error(bad):
    def strange(task, rng):
        yield bad
        return {}

    with pytest.raises(TypeError, match="yields a Prompt"):
        synthema.generate(strange, synthema.scripted_model({}), rows=1)


def test_what_is_not_a_row_is_a_type_error():
    def nothing(task, rng):
        yield Prompt.user("a")

    with pytest.raises(TypeError, match="returns a dict"):
        synthema.generate(nothing, synthema.scripted_model({"a": "b"}), rows=1)


def test_giving_up_an_attempt_is_a_rejection():
    def moody(task, rng):
        answer = yield Prompt.user("a")
        if task.attempt < 2:
            raise GenerationError("Not this time.")
        return {"text": answer.text}

    run = synthema.generate(moody, synthema.scripted_model({"a": "b"}), rows=2)
    assert [r["reason"] for r in records(run.rejected)] == ["Not this time."] * 4
    assert {r["check"] for r in records(run.rejected)} == {"exchange"}


def test_a_hopeless_run_stops_and_keeps_what_it_reached():
    def every_tenth(task, draft):
        return task.row == 0 or "never good"

    with pytest.raises(GenerationError, match=r"hopeless.*never good") as caught:
        synthema.generate(
            note,
            synthema.ngram_model(TEXTS),
            rows=5,
            conditions=conditions,
            checks=[every_tenth],
            hopeless_after=100,
            hopeless_below=0.05,
        )
    run = caught.value.run
    assert len(run.rows) == 1
    assert not run.complete
    assert run.attempts >= 100


def test_conditions_as_a_frame_that_ends():
    schema = synthema.Schema([synthema.Field("topic")])
    frame = synthema.Table.from_records(schema, [{"topic": "a"}, {"topic": "b"}])
    run = synthema.generate(note, synthema.ngram_model(TEXTS), rows=5, conditions=frame)
    assert [r["topic"] for r in records(run.rows)] == ["a", "b", "a", "b", "a"]
    with pytest.raises(GenerationError, match="2 tasks gave"):
        synthema.generate(note, synthema.ngram_model(TEXTS), rows=5, conditions=frame, cycle=False)


def test_private_data_meets_no_remote_model(tmp_path):
    schema = synthema.Schema([synthema.Field("text")], may_leave_machine=False)
    asked = []
    model = synthema.scripted_model(lambda request: asked.append(request) or "x", location="remote")
    for out in (None, tmp_path / "run"):
        with pytest.raises(synthema.PolicyError, match="nothing was sent"):
            synthema.generate(note, model, rows=1, conditions=conditions, schema=schema, out=out)
    assert asked == []
    assert not (tmp_path / "run").exists()


def test_python_models():
    class Upper:
        digest = "upper-1"
        location = "in_process"

        def complete(self, requests):
            return [r.prompt.messages[0].text.upper() for r in requests]

    class Late:
        digest = "late-1"
        location = "in_process"

        def __init__(self):
            self.waiting = []

        def submit(self, requests):
            self.waiting += requests

        def poll(self):
            return [(r.id, synthema.Completion("late")) for r in [self.waiting.pop()]] if self.waiting else []

        def discard(self):
            self.waiting.clear()

    def ask(task, rng):
        answer = yield Prompt.user("abc")
        return {"text": answer.text}

    assert records(synthema.generate(ask, Upper(), rows=2).rows) == [{"text": "ABC"}] * 2
    assert records(synthema.generate(ask, Late(), rows=3).rows) == [{"text": "late"}] * 3
    with pytest.raises(synthema.ConfigError, match="digest"):
        synthema.completion_model(object())
    with pytest.raises(synthema.ConfigError, match=r"synthema.Model\(path\)"):
        synthema.completion_model("model.gguf")
    assert synthema.completion_model(Upper(), location=None).location == "in_process"


def test_a_model_that_says_nothing_of_its_place_is_remote():
    class Endpoint:
        digest = "endpoint"

        def complete(self, requests):
            return ["x"] * len(requests)

    assert synthema.completion_model(Endpoint()).location == "remote"


def test_a_model_with_too_few_answers_stops_the_run():
    class Lazy:
        digest = "lazy"

        def complete(self, requests):
            return []

    with pytest.raises(ValueError, match="0 answers"):
        synthema.generate(note, Lazy(), rows=1, conditions=conditions)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda n: [3] * n, "a str or a Completion for each question, but it gave an object of type int"),
        (lambda n: [b"x"] * n, "an object of type bytes"),
        (lambda n: [{"a": 1}] * n, "an object of type dict"),
        (lambda n: [None] * n, "an object of type NoneType"),
        (lambda n: ["\ud800"] * n, "half of a surrogate pair"),
        (lambda n: None, "a list with a str or a Completion for each question"),
        (lambda n: "x" * n, "an object of type str"),
    ],
)
def test_answers_of_a_wrong_type_are_named(given, said):
    class Odd:
        digest = "odd"

        def complete(self, requests):
            return given(len(requests))

    with pytest.raises(synthema.ModelError, match=re.escape("The model's complete() must give")) as caught:
        synthema.generate(note, Odd(), rows=1, conditions=conditions)
    assert said in str(caught.value)


@pytest.fixture
def interrupts():
    """Give Python its own handler: a process in the background of a shell starts with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_ctrl_c_stops_cleanly_and_keeps_what_was_written(tmp_path):
    def interrupting(p):
        if p.done == 5:
            signal.raise_signal(signal.SIGINT)

    model = synthema.ngram_model(TEXTS)
    arguments = {"rows": 40, "conditions": conditions, "seed": 1, "in_flight": 4}
    with pytest.raises(KeyboardInterrupt):
        synthema.generate(note, model, out=tmp_path / "a", progress=interrupting, **arguments)
    reached = len(synthema.load_run(tmp_path / "a"))
    assert 5 <= reached < 40
    synthema.generate(note, model, out=tmp_path / "a", resume=True, **arguments)
    synthema.generate(note, model, out=tmp_path / "b", **arguments)
    for name in ("rows.jsonl", "rejected.jsonl", "run.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_sampling_values_are_checked_and_shape_the_rows():
    with pytest.raises(synthema.ConfigError, match="top_p"):
        Sampling(top_p=2)
    greedy = Sampling(temperature=0)
    run = synthema.generate(note, synthema.ngram_model(TEXTS), rows=5, conditions=conditions, sampling=greedy)
    assert len({r["text"] for r in records(run.rows)}) == 1


def test_zero_shot_names_an_unknown_placeholder():
    ask = synthema.zero_shot("Write about {topik}.")
    with pytest.raises(synthema.ConfigError, match="topik"):
        synthema.generate(ask, synthema.ngram_model(TEXTS), rows=1, conditions=conditions)


def test_a_row_that_no_table_can_hold_is_rejected_at_once(tmp_path):
    @synthema.strategy
    def numbers(task, rng):
        yield synthema.Prompt.user("?")
        bad = {0: math.nan, 1: [1.0, math.inf]}.get(task.row) if task.attempt == 0 else None
        return {"x": 1.5 if bad is None else bad, "text": "fine"}

    def run(schema=None, out=None):
        model = synthema.scripted_model(lambda request: "An answer.")
        return synthema.generate(
            numbers, model, rows=3, schema=schema, out=out, max_attempts=2, hopeless_after=4
        )

    for out in (None, tmp_path / "run"):
        done = run(out=out)
        assert list(done.rows["x"]) == [1.5] * 3
        assert done.rejected.values("x") == [None, None]
        assert [(check, "'x' is NaN or an infinity" in reason, n) for check, reason, n in done.reasons] == [
            ("schema", True, 2)
        ]
    with pytest.raises(synthema.GenerationError, match="a field 'x' that the schema does not know"):
        run(synthema.Schema([synthema.Field("txt"), synthema.Field("text")]))


@pytest.mark.parametrize("nullable", [False, True])
def test_a_rule_that_can_never_hold_is_refused_before_the_first_row(nullable):
    fields = [
        synthema.Field("a", kind="integer", minimum=5, maximum=9, nullable=nullable),
        synthema.Field("b", kind="integer", minimum=0, maximum=4, nullable=nullable),
    ]
    rules = [synthema.FieldRule("b", "a", relation=">")]
    with pytest.raises(synthema.SchemaError, match=r"'b': The rule that depends on 'a' .* can never hold"):
        synthema.json_record("A row:", synthema.Schema(fields, rules=rules), k=0)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"sampling": {"max_tokens": 3}}, "'sampling' of generate() is a Sampling or None, not of type dict"),
        ({"schema": {"fields": []}}, "'schema' of generate() is a Schema or None, not of type dict"),
        ({"digest_key": 5}, "'digest_key' of generate() is a text, not of type int"),
        ({"checks": synthema.one_line()}, "'checks' is a list; write [check] for a single one"),
        ({"hopeless_below": "x"}, "'hopeless_below' of generate() is a number, not of type str"),
        ({"settings": [1]}, "'settings' of generate() is a Mapping or a text, not of type list"),
        ({"hopeless_after": -1}, "field 'hopeless_after': It must be a whole number from 0"),
        ({"max_questions": 1.5}, "field 'max_questions': It must be a whole number from 0"),
    ],
)
def test_a_wrong_argument_of_a_run_is_named(wrong, sentence):
    with pytest.raises(synthema.ConfigError, match=re.escape(sentence)):
        synthema.generate(note, synthema.ngram_model(TEXTS), rows=1, **wrong)


class Answering:
    """A model in Python that gives the same answer to everything."""

    digest, location = "answering", "in_process"

    def __init__(self, answer):
        self.answer = answer

    def complete(self, requests):
        return [self.answer] * len(requests)


AGE = synthema.Schema([synthema.Field("a", kind="integer", minimum=0, maximum=9, nullable=False)])
JSON_AGE = {
    "type": "object",
    "properties": {
        "a": {"type": "integer", "minimum": 0, "maximum": 9},
        "b": {"anyOf": [{"$ref": "#/$defs/Short"}, {"type": "null"}]},
        "c": {"type": "array", "items": {"enum": ["x", "y"]}, "maxItems": 2},
        "d": {"type": "string", "pattern": "[A-Z][0-9]+"},
        "e": {"type": "string", "format": "date"},
    },
    "required": ["a"],
    "additionalProperties": False,
    "$defs": {"Short": {"type": "string", "maxLength": 2}},
}
ASK = synthema.Prompt.plain("Well?")


@pytest.mark.parametrize(
    ("prompt", "answer", "reason"),
    [
        (ASK.among(["yes", "no"]), "yes", None),
        (ASK.among(["yes", "no"]), "maybe", "none of the choices"),
        (ASK.matching("[a-c]{2}"), "ab", None),
        (ASK.matching("[a-c]{2}"), "abc", "does not match the regular expression"),
        (ASK.matching("[a-c]{2}"), "a", "does not match the regular expression"),
        (ASK.json(AGE), '{ "a":7 }', None),
        (ASK.json(AGE), '{"a": "x"}', "does not fit the schema of the prompt. The field 'a' must be integer"),
        (ASK.json(AGE), '{"a": 11}', "The field 'a' is outside its range"),
        (ASK.json(AGE), "{}", "The field 'a' has no value"),
        (ASK.json(AGE), "nope", "no JSON object"),
        (ASK.json(JSON_AGE), '{"d":"A1","a":7,"b":null,"c":["y"],"e":"2024-02-29"}', None),
        (ASK.json(JSON_AGE), '{"a": 7, "b": "long"}', "no JSON that the JSON Schema"),
        (ASK.json(JSON_AGE), '{"a": 7.5}', "no JSON that the JSON Schema"),
        (ASK.json(JSON_AGE), '{"a": 7, "z": 1}', "no JSON that the JSON Schema"),
        (ASK.json(JSON_AGE), '{"a": 7, "c": ["x", "x", "y"]}', "no JSON that the JSON Schema"),
        (ASK.json(JSON_AGE), '{"a": 7, "d": "a1"}', "no JSON that the JSON Schema"),
        (ASK.json(JSON_AGE), '{"a": 7, "e": "2024-02-30"}', "no JSON that the JSON Schema"),
        (ASK.json(JSON_AGE), '{"b": "x"}', "no JSON that the JSON Schema"),
        (ASK.json(JSON_AGE), "nope", "no JSON that the JSON Schema"),
        (ASK.without(["rash", "pain"]), "A pain.", "banned text 2"),
    ],
)
def test_answers_of_a_model_in_python_are_of_the_form_asked_for(prompt, answer, reason):
    def asking(task, rng):
        return {"text": (yield prompt).text}

    (completion,) = synthema.completion_model(Answering(answer)).complete([prompt], Sampling())
    if reason is None:
        assert completion.text == answer
        assert synthema.generate(asking, Answering(answer), rows=1).rows.records() == [{"text": answer}]
        return
    assert completion.finish == "failed"
    assert reason in completion.failure
    with pytest.raises(synthema.GenerationError) as caught:
        synthema.generate(asking, Answering(answer), rows=1, max_attempts=3, hopeless_after=3)
    ((check, told, times),) = caught.value.run.reasons
    assert (check, times) == ("exchange", 3)
    assert reason in told


def test_answers_of_a_model_in_python_end_before_a_stop_text():
    (completion,) = synthema.completion_model(Answering("One.\nTwo. Three.")).complete(
        [ASK.until(".").until("Two")], Sampling()
    )
    assert (completion.text, completion.finish) == ("One", "stop")


def test_an_answer_that_is_no_json_is_tried_again():
    def asking(task, rng):
        return (yield ASK).json()

    with pytest.raises(synthema.ParseError, match="line 1, column 1: The answer is no JSON") as caught:
        synthema.Completion("nope").json()
    assert "nope" not in str(caught.value)
    with pytest.raises(synthema.GenerationError, match="The answer is no JSON"):
        synthema.generate(asking, Answering("nope"), rows=1, hopeless_after=3)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (lambda: ASK.matching("(a"), "column"),
        (lambda: ASK.among(["a", ""]), "none of them may be empty"),
        (lambda: ASK.json({"type": "integer", "minimum": 9, "maximum": 1}), "allows no value"),
        (lambda: ASK.json({"type": "integr"}), "has the type 'integr'"),
        (lambda: ASK.json('{"type": '), "json_schema"),
        (lambda: ASK.json(synthema.Schema([synthema.Field("load", kind="real", minimum=1e9)])), "'load'"),
        (lambda: ASK.until(""), "A stop text is empty"),
        (lambda: ASK.without(["a", ""]), "A banned text is empty"),
        (lambda: ASK.with_bias({"a": float("nan")}), "A bias must be a finite number"),
    ],
)
def test_a_form_that_is_written_wrongly_is_refused_where_it_is_given(form, sentence):
    with pytest.raises(synthema.ConfigError, match=sentence):
        form()


def test_what_is_forbidden_adds_up_and_shapes_the_digest_of_a_row():
    def asked_with(prompt):
        def asking(task, rng):
            return {"text": (yield prompt).text}

        return synthema.generate(asking, Answering("A rash."), rows=1).provenance[0]["digest"]

    never = ASK.with_bias({"pain": float("-inf")}).with_bias({"rash": 1.0})
    assert never.bias == {"pain": float("-inf"), "rash": 1.0}
    assert ASK.without(["pain"]).without(["ache"]).banned == ["pain", "ache"]
    prompts = [ASK, ASK.with_bias({"rash": 1.0}), never, ASK.without(["pain"])]
    assert len({asked_with(prompt) for prompt in prompts}) == len(prompts)


def test_the_ngram_model_is_held_to_what_is_forbidden():
    model = synthema.ngram_model(["one two three"], order=2)
    free, held = model.complete([ASK, ASK.without(["two"])], Sampling())
    assert free.text == "one two three"
    assert (held.finish, held.failure) == ("failed", "The answer holds a banned text (banned text 1).")


class Noting:
    """A strategy, a check and a measure that keep what they were made with."""

    def __call__(self, task, rng):
        answer = yield Prompt.plain("A note:")
        return {"text": answer.text}


def note_on(topic, task, rng):
    answer = yield Prompt.plain(f"A note on {topic}:")
    return {"text": answer.text}


def shorter_than(most, task, draft):
    return "too long" if len(draft["text"]) > most else None


@pytest.mark.parametrize(
    ("given", "name"), [(Noting(), "Noting"), (functools.partial(note_on, "pain"), "note_on")]
)
def test_objects_and_partial_functions_are_strategies_with_a_name(given, name):
    model = synthema.scripted_model(lambda request: "It hurts.")
    checks = [functools.partial(shorter_than, 20)]
    run = synthema.generate(given, model, rows=1, checks=checks)
    assert run.provenance[0]["strategy"] == name
    with pytest.raises(synthema.GenerationError, match="rejected most often: shorter_than: too long"):
        synthema.generate(given, model, rows=1, checks=[functools.partial(shorter_than, 2)])


def test_a_partial_function_is_an_evaluator_with_its_name():
    def share(most, real, synthetic, context):
        return {"value": 0.5, "n": most}

    made = synthema.evaluator(functools.partial(share, 3), direction="none", range=(0, 1))
    assert made.name == "share"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"out": ""}, "'out' is empty"),
        ({"settings": {"a": object()}}, "'settings' cannot be written as JSON"),
    ],
)
def test_an_empty_folder_and_settings_that_no_manifest_holds_are_refused(options, message):
    model = synthema.scripted_model(lambda request: "It hurts.")
    with pytest.raises(synthema.ConfigError, match=message):
        synthema.generate(Noting(), model, rows=1, **options)


@pytest.mark.parametrize("answers", [["one"], "one", None])
def test_a_scripted_model_of_neither_a_dict_nor_a_function_is_refused(answers):
    with pytest.raises(synthema.ConfigError, match="'answers': A scripted model answers from a dict"):
        synthema.scripted_model(answers)


def test_questions_asked_at_once_leave_the_same_row_whichever_is_answered_first():
    """Its `finish` was that of the answer that came last, so that re-scoring found another row."""

    @synthema.strategy
    def both(task, rng):
        answers = yield [Prompt.plain("long"), Prompt.plain("short")]
        return {"text": " ".join(one.text for one in answers)}

    def answer(request):
        finish = "length" if request.prompt.text == "long" else "stop"
        return synthema.Completion("It hurts.", finish=finish)

    finishes = [
        synthema.generate(both, synthema.scripted_model(answer, newest_first=newest), rows=1).provenance[0][
            "finish"
        ]
        for newest in (False, True)
    ]
    assert finishes == ["stop", "stop"]
