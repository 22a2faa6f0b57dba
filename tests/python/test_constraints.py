"""Answers under a form: patterns and JSON with a real tokenizer, rules between fields, rows of a schema."""

import datetime
import json
import math
import pathlib
import random
import re

import pytest
import synthema
from answers import draw, reachable
from synthema import ConfigError, Field, FieldRule, Prompt, Schema, study_parts, verification
from synthema import config as configuration
from synthema import study as studies

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ADMISSIONS = REPOSITORY / "docs" / "examples" / "admissions"


# --- what the masks are judged by: re, json, and a checker of the JSON Schemas below


def validates(schema, value, root=None):
    """Whether a value fits a JSON Schema of the subset."""
    root = root or schema
    if "$ref" in schema:
        return validates(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], value, root)
    if "const" in schema:
        return value == schema["const"] and type(value) is type(schema["const"])
    if "enum" in schema:
        return any(value == one and type(value) is type(one) for one in schema["enum"])
    if "anyOf" in schema:
        return any(validates(one, value, root) for one in schema["anyOf"])
    return CHECKS[schema["type"]](schema, value, root)


def is_number(schema, value, kinds):
    return (
        isinstance(value, kinds)
        and not isinstance(value, bool)
        and schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)
        and schema.get("exclusiveMinimum", -math.inf) < value < schema.get("exclusiveMaximum", math.inf)
    )


def is_string(schema, value, root):
    if not isinstance(value, str):
        return False
    if "format" in schema:
        return bool(datetime.date.fromisoformat(value))
    if "pattern" in schema:
        return re.fullmatch(schema["pattern"], value) is not None
    return schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 256)


def is_object(schema, value, root):
    known = schema["properties"]
    return (
        isinstance(value, dict)
        and set(schema.get("required", ())) <= set(value) <= set(known)
        and list(value) == [name for name in known if name in value]
        and all(validates(known[name], one, root) for name, one in value.items())
    )


CHECKS = {
    "null": lambda schema, value, root: value is None,
    "boolean": lambda schema, value, root: isinstance(value, bool),
    "integer": lambda schema, value, root: is_number(schema, value, int),
    "number": lambda schema, value, root: is_number(schema, value, (int, float)),
    "string": is_string,
    "array": lambda schema, value, root: (
        isinstance(value, list)
        and schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 8)
        and all(validates(schema["items"], one, root) for one in value)
    ),
    "object": is_object,
}


def random_json_schema(rng, depth=2):
    kind = rng.choice(
        ["string", "integer", "number", "boolean", "enum", "date", "pattern", "optional"]
        + (["object", "array"] * 2 if depth else [])
    )
    if kind == "string":
        low = rng.randrange(4)
        return {"type": "string", "minLength": low, "maxLength": low + rng.randrange(30)}
    if kind == "integer":
        low = rng.randrange(-2000, 2000)
        return {"type": "integer", "minimum": low, "maximum": low + rng.randrange(3000)}
    if kind == "number":
        low = rng.randrange(-2000, 2000) / 16
        return {"type": "number", "exclusiveMinimum": low, "maximum": low + 0.125 + rng.randrange(900)}
    if kind == "boolean":
        return {"type": "boolean"}
    if kind == "enum":
        return {"enum": rng.sample(["yes", "no", 'say "no"', "naïve", "日本", 1, 2.5, None, True, "\\"], 4)}
    if kind == "date":
        return {"type": "string", "format": "date"}
    if kind == "pattern":
        return {
            "type": "string",
            "pattern": rng.choice(["[A-Z]\\d{2}(\\.\\d)?", '(a|"b"|\\\\)+', "[é-ö]{1,5} x?"]),
        }
    if kind == "optional":
        return {"anyOf": [random_json_schema(rng, 0), {"type": "null"}]}
    if kind == "array":
        low = rng.randrange(3)
        return {
            "type": "array",
            "items": random_json_schema(rng, depth - 1),
            "minItems": low,
            "maxItems": low + rng.randrange(3),
        }
    names = rng.sample(["age", "sex", 'a "b"', "größe", "x", "long key with spaces"], rng.randrange(1, 5))
    return {
        "type": "object",
        "properties": {name: random_json_schema(rng, depth - 1) for name in names},
        "required": [name for name in names if rng.random() < 0.6],
    }


def test_answers_of_random_json_schemas_validate_and_can_be_reached(forms, tokenizer):
    rng = random.Random(5)
    for _ in range(80):
        schema = random_json_schema(rng)
        prompt = Prompt.plain("").json(schema)
        for i in range(4):
            text = draw(forms.constraint(prompt, open_tokens=rng.choice([3, 40])), rng, feed=i > 0)
            value = json.loads(text)
            assert validates(schema, value), (schema, text)
            ids = tokenizer.encode(text)
            assert tokenizer.decode(ids) == text or tokenizer.missing_bytes
            if tokenizer.decode(ids) == text:
                assert reachable(forms.constraint(prompt), ids), (schema, text)


def test_definitions_and_nested_objects_as_pydantic_writes_them(forms):
    schema = {
        "$defs": {
            "Sex": {"enum": ["female", "male"], "title": "Sex", "type": "string"},
            "Dose": {
                "properties": {
                    "drug": {"title": "Drug", "type": "string", "maxLength": 12},
                    "mg": {"exclusiveMinimum": 0, "maximum": 500, "title": "Mg", "type": "number"},
                },
                "required": ["drug", "mg"], "title": "Dose", "type": "object",
            },
        },
        "properties": {
            "kind": {"const": "patient", "title": "Kind", "type": "string"},
            "sex": {"$ref": "#/$defs/Sex"},
            "born": {"format": "date", "title": "Born", "type": "string"},
            "doses": {"items": {"$ref": "#/$defs/Dose"}, "maxItems": 3, "title": "Doses", "type": "array"},
            "note": {"anyOf": [{"type": "string", "maxLength": 20}, {"type": "null"}], "default": None},
        },
        "required": ["kind", "sex", "born", "doses"], "title": "Patient", "type": "object",
    }  # fmt: skip

    class Patient:
        """Stands in for a pydantic model, which has this method."""

        @classmethod
        def model_json_schema(cls):
            return schema

    prompt = Prompt.plain("").json(Patient)
    assert json.loads(prompt.json_schema) == schema
    assert prompt == Prompt.plain("").json(schema) == Prompt.plain("").json(json.dumps(schema))
    rng = random.Random(6)
    seen = set()
    for _ in range(60):
        value = json.loads(draw(forms.constraint(prompt, open_tokens=30), rng))
        assert validates(schema, value)
        seen |= {("note", value.get("note") is None, "note" in value), len(value["doses"]), value["sex"]}
    assert {
        ("note", True, True),
        ("note", True, False),
        ("note", False, True),
        0,
        1,
        "female",
        "male",
    } <= seen


def test_random_patterns_agree_with_re(forms, tokenizer):
    rng = random.Random(7)
    pieces = ["a", "é", "日", "[a-cé]", "\\d", "\\w", ".", "(?:ab|cd)", '"', " ", "the", "[^x日]"]
    for _ in range(150):
        pattern = "".join(
            rng.choice(pieces) + rng.choice(["", "", "*", "+", "?", "{2}", "{0,3}"])
            for _ in range(rng.randrange(1, 6))
        )
        constraint = forms.constraint(Prompt.plain("").matching(pattern), open_tokens=rng.choice([0, 5, 20]))
        text = draw(constraint, rng)
        assert re.fullmatch(pattern, text, re.ASCII), (pattern, text)
        ids = tokenizer.encode(text)
        if tokenizer.decode(ids) == text:
            assert reachable(forms.constraint(Prompt.plain("").matching(pattern)), ids), (pattern, text)


def test_every_allowed_token_can_be_completed(forms):
    rng = random.Random(8)
    prompt = Prompt.plain("").json(
        {"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}}
    )
    for _ in range(20):
        constraint = forms.constraint(prompt)
        for _ in range(rng.randrange(6)):
            allowed = constraint.allowed()
            if len(allowed):
                constraint.accept(int(rng.choice(allowed)))
        for id in rng.sample(list(constraint.allowed()), min(20, len(constraint.allowed()))):
            one = constraint.copy()
            assert one.accept(int(id))
            validates({"type": "object", "properties": {"a": {"type": "string"}}}, json.loads(draw(one, rng)))


def test_refused_tokens_change_nothing_and_rollback_undoes(forms, tokenizer):
    constraint = forms.constraint(Prompt.plain("").matching("ab+c"))
    allowed = set(map(int, constraint.allowed()))
    wrong = next(id for id in range(tokenizer.vocabulary_size) if id not in allowed)
    assert not constraint.accept(wrong)
    assert constraint.text == b""
    assert constraint.accept(tokenizer.encode("a")[0])
    constraint.rollback(1)
    assert set(map(int, constraint.allowed())) == allowed
    with pytest.raises(ConfigError, match="rollback"):
        constraint.rollback(1)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (lambda: Prompt.plain("").matching("a(b"), r"column 2.*'\(' without"),
        (lambda: Prompt.plain("").matching("(?=a)b"), r"column 1.*look-around"),
        (lambda: Prompt.plain("").json({"enum": []}), "empty 'enum'"),
        (lambda: Prompt.plain("").json({"type": "integer", "minimum": 3, "maximum": 2}), "no value"),
        (lambda: Prompt.plain("").json({"type": "string", "format": "email"}), "#/format.*email"),
        (lambda: Prompt.plain("").json({"type": "object", "patternProperties": {}}), "#/patternProperties"),
        (lambda: Prompt.plain("").json("{"), "not valid JSON"),
        (lambda: Prompt.plain("").json(Schema([])), "no fields"),
        (lambda: Prompt.plain("").among(["a"]).matching("a"), "exactly one"),
        (lambda: Prompt.plain(""), "exactly one"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_to_is_a_named_error(forms, prompt, message):
    with pytest.raises(synthema.Error, match=message):
        forms.constraint(prompt())


def test_an_empty_form_is_refused_and_is_not_no_form():
    for give, field in (("among", "choices"), ("matching", "pattern"), ("json", "json_schema")):
        with pytest.raises(ConfigError, match=field):
            getattr(Prompt.plain("Sex:"), give)([] if give == "among" else "")


def test_only_forms_are_forms():
    with pytest.raises(ConfigError, match="pydantic model, but this is int"):
        Prompt.plain("").json(3)


# --- our schema and its rules


def admissions():
    return Schema.from_json((ADMISSIONS / "schema.json").read_text(encoding="utf-8"))


def test_a_schema_with_rules_survives_its_json_form():
    schema = admissions()
    assert Schema.from_json(schema.to_json()) == schema
    assert [rule.field for rule in schema.rules] == ["diagnosis", "diagnosis", "diagnosis", "discharge"]
    made = Schema(
        [Field("a", "time", minimum="2024-02-01"), Field("b", "time", maximum="2024-02-03")],
        rules=[FieldRule("b", "a", relation=">")],
    )
    assert Schema.from_json(made.to_json()) == made
    with pytest.raises(synthema.SchemaError, match="neither a number nor a date"):
        Field("a", "time", minimum="yesterday")
    with pytest.raises(synthema.SchemaError, match="before the field"):
        Schema([Field("b", "time"), Field("a", "time")], rules=[FieldRule("b", "a", relation=">")])


def test_an_empty_list_of_categories_is_an_error():
    with pytest.raises(synthema.SchemaError, match="'sex': The list of categories is empty"):
        Field("sex", "category", categories=[])
    with pytest.raises(synthema.ParseError, match="'categories': The list is empty"):
        Schema.from_json('{"fields": [{"name": "sex", "kind": "category", "categories": []}]}')
    assert Field("sex", "category").categories == []


def test_an_answer_that_failed_says_so_when_it_is_read():
    with pytest.raises(synthema.ModelError, match="no answer to read: The prompt is empty"):
        synthema.Completion("", finish="failed", failure="The prompt is empty.").json()


def test_bans_and_the_room_are_part_of_a_form(forms):
    rng = random.Random(10)
    banned = ["the", "patient", " a", "5", "null"]
    prompt = Prompt.plain("").json(admissions()).without(banned)
    for _ in range(30):
        text = draw(forms.constraint(prompt, open_tokens=20), rng)
        assert keeps_the_rules(json.loads(text))
        assert not any(word in text for word in banned)
    with pytest.raises(
        ConfigError, match=r"Every text that fits the schema holds a banned text \(banned text 2\)"
    ):
        forms.constraint(Prompt.plain("").json(admissions()).without(["zzz", "sex"]))
    note = Prompt.plain("").matching(r"[a-z ]{40,400}\. [A-Z]{3}")
    for room in (60, 80):
        constraint = forms.constraint(note, room=room)
        assert re.fullmatch(note.pattern, draw(constraint, rng, feed=False))
        drawn = 0
        while len(ids := constraint.allowed()):
            drawn += constraint.accept(int(rng.choice(ids)))
        assert constraint.is_complete
        assert drawn <= room


def keeps_the_rules(row):
    allowed = {"asthma", "heart failure", "pneumonia"} | ({"prostatitis"} if row["sex"] == "male" else set())
    if row["sex"] == "female" and row["age"] < 51:
        allowed.add("pre-eclampsia")
    return row["diagnosis"] in allowed and row["admission"] <= row["discharge"]


def test_masks_see_the_values_so_far(forms):
    rng = random.Random(9)
    prompt = Prompt.plain("").json(admissions())
    rows = [json.loads(draw(forms.constraint(prompt, open_tokens=20), rng)) for _ in range(300)]
    assert all(keeps_the_rules(row) for row in rows)
    assert len({row["diagnosis"] for row in rows}) == 5
    assert any(row["admission"][:7] == row["discharge"][:7] for row in rows)


def test_masks_know_what_a_boolean_may_be(forms):
    rng = random.Random(12)
    schema = Schema(
        [
            Field("sex", "category", categories=["male", "female"]),
            Field("pregnant", "boolean", nullable=False),
        ],
        rules=[FieldRule("pregnant", "sex", labels=["male"], categories=["false"])],
    )
    assert Schema.from_json(schema.to_json()) == schema
    rows = [json.loads(draw(forms.constraint(Prompt.plain("").json(schema)), rng)) for _ in range(60)]
    assert {(row["sex"], row["pregnant"]) for row in rows if row["sex"]} == {
        ("male", False), ("female", False), ("female", True)
    }  # fmt: skip


def test_rows_of_a_schema_by_a_strategy():
    schema = admissions()
    asked = []

    def answer(request):
        asked.append(request.prompt)
        return json.dumps(
            {
                "age": 40,
                "diagnosis": "asthma",
                "admission": "2023-03-01",
                "discharge": "2023-03-02",
                "oxygen": 1.5,
                "drugs": ["salbutamol"],
                "note": "Wheezing since yesterday.",
            }
        )

    run = synthema.generate(
        synthema.json_record("Ward {ward}:", schema, k=2),
        synthema.scripted_model(answer),
        rows=3,
        conditions=[{"ward": "medicine", "sex": "female"}],
        exemplars=synthema.read(ADMISSIONS / "exemplars.jsonl"),
        schema=schema,
    )
    row = run.rows.record(0)
    assert row["admission"] == datetime.datetime(2023, 3, 1)  # without a zone, as in the exemplars
    assert (row["sex"], row["drugs"], row["oxygen"]) == ("female", ["salbutamol"], 1.5)
    # The sex is known, and diagnoses depend on it: it stays in the form, fixed.
    form = Schema.from_json(asked[0].record_schema)
    assert form["sex"].categories == ["female"]
    assert asked[0].text.endswith("Ward medicine:\n")
    shown = [json.loads(line) for line in asked[0].text.split("\n") if line.startswith("{")]
    assert len(shown) == 2
    assert all(list(one) == schema.names and len(one["admission"]) == 10 for one in shown)


def test_a_field_of_which_nothing_can_be_written_ends_a_run_at_once():
    schema = Schema([Field("dose", "real", minimum=1e-8, maximum=2e-8), Field("note")])
    asked = []
    model = synthema.scripted_model(lambda request: asked.append(request) or '{"note": "x"}')
    with pytest.raises(ConfigError, match=r"field 'dose': No value fits this field"):
        synthema.generate(synthema.json_record("Row:", schema, k=0), model, rows=2)
    assert not asked
    run = synthema.generate(
        synthema.json_record("Row:", schema, k=0), model, rows=1, conditions=[{"dose": 1.5e-8}], schema=schema
    )
    assert run.rows.record(0) == {"dose": 1.5e-8, "note": "x"}


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ({"age": 130}, "The field 'age' is outside its range."),
        ({"sex": "x"}, "The field 'sex' has a label that is not among its categories."),
        ({"age": "old"}, "The field 'age' must be integer, but it is text."),
        ({"first": 4, "last": 3}, "The field 'last' breaks its rule, which depends on 'first'."),
    ],
)
def test_a_condition_that_fits_no_row_is_not_asked_for(condition, reason):
    years = [Field(name, "integer", minimum=0, maximum=99) for name in ("age", "first", "last")]
    schema = Schema(
        [*years, Field("sex", "category", categories=["f", "m"]), Field("note")],
        rules=[FieldRule("last", "first", relation=">=")],
    )
    asked = []
    model = synthema.scripted_model(lambda request: asked.append(request) or '{"note": "x"}')
    with pytest.raises(synthema.GenerationError) as caught:
        synthema.generate(
            synthema.json_record("Row:", schema, k=0), model, rows=1, conditions=[condition], hopeless_after=3
        )
    assert {told for _, told, _ in caught.value.run.reasons} == {
        f"The condition does not fit the schema. {reason}"
    }
    assert not asked


def test_exemplars_that_lack_a_field_of_the_schema_are_refused():
    schema = Schema([Field("age", "integer"), Field("note")])
    model = synthema.scripted_model(lambda request: '{"age": 3, "note": "x"}')
    shown = synthema.json_record("Row:", schema, k=1)
    with pytest.raises(
        ConfigError, match="field 'note': The schema has this field, but the exemplars do not"
    ):
        synthema.generate(shown, model, rows=1, exemplars=[{"age": 4}])
    given = synthema.generate(shown, model, rows=1, exemplars=[{"age": 4}], conditions=[{"note": "y"}])
    assert given.rows.record(0) == {"note": "y", "age": 3}


def test_conditions_of_a_row_take_the_kinds_of_its_fields():
    schema = Schema(
        [Field("sex", "category", categories=["0", "1"]), Field("dead", "boolean"), Field("note")]
    )
    model = synthema.scripted_model(lambda request: '{"note": "x"}')
    conditions = [{"sex": 1, "dead": 0}, {"sex": 0, "dead": 1}]
    run = synthema.generate(
        synthema.json_record("Row:", schema, k=0), model, rows=2, conditions=conditions, schema=schema
    )
    assert run.rows.records() == [
        {"sex": "1", "dead": False, "note": "x"},
        {"sex": "0", "dead": True, "note": "x"},
    ]


def test_a_boolean_of_the_condition_may_have_rules(model):
    schema = Schema(
        [
            Field("pregnant", "boolean"),
            Field("sex", "category", categories=["female", "male"], nullable=False),
        ],
        rules=[FieldRule("sex", "pregnant", labels=["true"], categories=["female"])],
    )
    run = synthema.generate(
        synthema.json_record("Row:", schema, k=0),
        model,
        rows=8,
        schema=schema,
        conditions=[{"pregnant": True}],
    )
    assert run.rows.records() == [{"pregnant": True, "sex": "female"}] * 8
    assert repr(run.provenance[0]["tokens"]).startswith("TokenCounts(prompt=")


def test_the_check_of_a_run_knows_rules_and_lengths():
    schema = Schema(
        [Field("a", "integer"), Field("b", "integer"), Field("t", "text", maximum_length=3)],
        rules=[FieldRule("b", "a", relation=">")],
    )
    answers = iter(
        [
            '{"a": 1, "b": 1, "t": "x"}',
            '{"a": 1, "b": 2, "t": "four"}',
            '{"a": 1, "b": 2, "t": "日本語"}',
            "no",
        ]
    )
    model = synthema.scripted_model(lambda request: next(answers))
    run = synthema.generate(synthema.json_record("Row:", schema, k=0), model, rows=1, schema=schema)
    assert run.rows.record(0) == {"a": 1, "b": 2, "t": "日本語"}
    assert [one["reason"][:16] for one in run.rejected.records()] == ["The field 'b' br", "The field 't' is"]


# --- the local model


@pytest.fixture(scope="module")
def model(torch_module, smollm2_path):
    return synthema.Model(smollm2_path)


@pytest.mark.model
def test_constrained_answers_do_not_depend_on_their_neighbours(model):
    sampling = synthema.Sampling(max_tokens=12)
    prompts = [
        Prompt.plain("A patient:").json(admissions()),
        Prompt.plain("Blood pressure:").matching(" \\d{2,3}/\\d{2,3} mmHg(, (left|right) arm)?"),
        Prompt.plain("The note says: ").until("."),
        Prompt.plain("Answer:").among([" yes", " no", " not known"]),
        Prompt.plain("A name in JSON:").json({"type": "array", "items": {"type": "string", "maxLength": 9}}),
    ]
    together = model.complete(prompts, sampling, seed=3)
    for index, prompt in enumerate(prompts):
        fillers = [Prompt.plain("x").matching("y{3}")] * index
        alone = model.complete([*fillers, prompt], sampling, seed=3)[index]
        assert (alone.text, alone.tokens.masked, alone.log_probability) == (
            together[index].text, together[index].tokens.masked, together[index].log_probability
        )  # fmt: skip
    assert keeps_the_rules(together[0].json())
    assert together[0].tokens.forced > 40
    assert together[0].tokens.free == 0
    assert re.fullmatch(prompts[1].pattern, together[1].text)
    assert together[1].finish == "constraint"


@pytest.mark.model
def test_the_configuration_of_the_guide_makes_valid_rows(model, tmp_path, monkeypatch):
    monkeypatch.setattr(
        studies, "open_model", lambda path, threads=None, numeric_path="": (model, {"name": "m", "path": "m"})
    )
    planned = study_parts.from_config(configuration.load(ADMISSIONS / "admissions.toml"))
    done = studies.run(planned, out=tmp_path / "run", rows=6)
    assert (done["accepted"], done["attempts"]) == (6, 6)
    lines = (tmp_path / "run" / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line)["values"] for line in lines]
    assert all(keeps_the_rules(row) for row in rows)
    assert all(10 <= len(row["note"]) <= 90 for row in rows)
    assert verification.verify(tmp_path / "run")["ok"]
    guide = (REPOSITORY / "docs" / "generating.md").read_text(encoding="utf-8")
    assert "{literalinclude} examples/admissions/admissions.toml" in guide


def test_a_model_that_cannot_mask_says_so():
    model = synthema.ngram_model(["one two three"])
    answer = model.complete([Prompt.plain("one").matching("a")], synthema.Sampling())[0]
    assert answer.finish == "failed"
    assert "pattern" in answer.failure
