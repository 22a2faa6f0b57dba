"""Answers under the JSON Schemas that pydantic writes, read back by pydantic."""

import datetime
import enum
import json
import random
import uuid
from typing import Annotated, Literal, NamedTuple, Optional, Union

import pytest
import synthema
from answers import draw
from synthema import ConfigError, Prompt

pydantic = pytest.importorskip("pydantic", minversion="2")
BaseModel, Field = pydantic.BaseModel, pydantic.Field


class Sex(str, enum.Enum):
    female = "female"
    male = "male"


class Grade(enum.IntEnum):
    low = 1
    high = 3


class Pressure(NamedTuple):
    systolic: Annotated[int, Field(ge=70, le=220)]
    diastolic: Annotated[int, Field(ge=40, le=130)]


class Drug(BaseModel):
    kind: Literal["drug"]
    name: str = Field(pattern="^[a-z]+( [a-z]+)?$", min_length=3, max_length=14)
    milligrams: float = Field(gt=0, le=20, multiple_of=0.25)


class Surgery(BaseModel):
    kind: Literal["open surgery", "endoscopy"]
    minutes: int = Field(ge=10, lt=600, multiple_of=5)
    at: datetime.datetime


class Rest(BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    kind: Literal["rest"] = "rest"
    length: datetime.timedelta


Treatment = Annotated[Union[Drug, Surgery, Rest], Field(discriminator="kind")]  # noqa: UP007


class Finding(BaseModel):
    """Refers to itself in a list and in an optional place."""

    term: Annotated[str, Field(max_length=12)]
    grade: Grade | None = None
    parts: list["Finding"] = Field(default=[], max_length=2)
    cause: Optional["Finding"] = None


class Encounter(BaseModel):
    id: uuid.UUID
    sex: Sex
    born: datetime.date
    seen: datetime.time
    pressure: Pressure | None
    outcome: Literal["home", "ward", 3, None, True]
    treatments: list[Treatment] = Field(min_length=1, max_length=3)
    findings: list[Finding] = Field(max_length=2)
    allergies: set[Literal["latex", "nuts", "penicillin"]]
    symptoms: frozenset[Sex] = Field(min_length=1, max_length=1)
    scores: dict[Literal["pain", "sleep", "mood"], Annotated[int, Field(ge=0, le=10)]] = Field(min_length=1)
    by_sex: dict[Sex, float] = Field(default={})
    either: int | Annotated[str, Field(max_length=5)] | Pressure
    codes: tuple[Annotated[str, Field(pattern=r"^[A-Z]\d{2}$")], int]
    doses: tuple[Annotated[int, Field(ge=0, lt=100)], ...] = ()
    note: Annotated[str, Field(min_length=1, max_length=40)]


@pytest.mark.parametrize("model", [Encounter, Finding, Drug, Surgery, Rest])
def test_answers_are_read_back_by_pydantic(forms, model):
    rng = random.Random(model.__name__)
    prompt = Prompt.plain("").json(model)
    for i in range(40):
        text = draw(forms.constraint(prompt, open_tokens=rng.choice([0, 5, 60])), rng, feed=i % 2 == 0)
        row = model.model_validate_json(text)
        # Nothing was written twice, dropped or turned into something else on the way.
        written = json.loads(text)
        assert set(written) == row.model_fields_set
        assert model.model_validate(json.loads(row.model_dump_json())) == row


def test_answers_fit_the_schema_by_another_validator(forms):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(Encounter.model_json_schema())
    rng = random.Random(3)
    for _ in range(40):
        text = draw(forms.constraint(Prompt.plain("").json(Encounter), open_tokens=30), rng)
        validator.validate(json.loads(text))


def test_all_alternatives_and_depths_occur(forms):
    rng = random.Random(4)
    seen, depths = set(), set()

    def depth(finding):
        below = [*finding.parts, *([finding.cause] if finding.cause else [])]
        return 1 + max(map(depth, below), default=0)

    for _ in range(150):
        text = draw(forms.constraint(Prompt.plain("").json(Encounter), open_tokens=40), rng)
        row = Encounter.model_validate_json(text)
        seen |= {one.kind for one in row.treatments} | {
            type(row.either),
            type(row.pressure),
            len(row.allergies),
        }
        depths |= {depth(finding) for finding in row.findings}
    assert {"drug", "open surgery", "endoscopy", "rest", int, str, Pressure, type(None), 0, 2} <= seen
    assert {1, 2, 3} <= depths <= {1, 2, 3, 4}


class Stay(BaseModel):
    model_config = pydantic.ConfigDict(
        json_schema_extra={"x-rules": [{"field": "discharge", "given": "admission", "relation": ">="}]}
    )
    admission: Annotated[
        datetime.date,
        Field(json_schema_extra={"formatMinimum": "2024-01-01", "formatMaximum": "2024-02-28"}),
    ]
    discharge: Annotated[datetime.date, Field(json_schema_extra={"formatMaximum": "2024-03-01"})]


class Patient(BaseModel):
    model_config = pydantic.ConfigDict(
        json_schema_extra={
            "x-rules": [
                {
                    "field": "diagnosis",
                    "given": "sex",
                    "labels": ["male"],
                    "categories": ["asthma", "prostatitis"],
                },
                {
                    "field": "diagnosis",
                    "given": "sex",
                    "labels": ["female"],
                    "categories": ["asthma", "eclampsia"],
                },
            ]
        }
    )
    sex: Sex
    drugs: list[Drug] = Field(max_length=2)
    stay: Stay
    diagnosis: Literal["asthma", "prostatitis", "eclampsia"] | None = None

    @pydantic.model_validator(mode="after")
    def keeps_the_rules(self):
        other = {"male": "eclampsia", "female": "prostatitis"}[self.sex.value]
        assert self.diagnosis != other
        assert self.stay.admission <= self.stay.discharge <= datetime.date(2024, 3, 1)
        return self


def test_rules_between_values_of_nested_models(forms):
    rng = random.Random(8)
    prompt = Prompt.plain("").json(Patient)
    rows = [
        Patient.model_validate_json(draw(forms.constraint(prompt, open_tokens=20), rng, feed=i % 2 == 0))
        for i in range(120)
    ]
    assert {row.diagnosis for row in rows} == {"asthma", "prostatitis", "eclampsia", None}
    assert {0, 1} <= {len(row.drugs) for row in rows}
    assert any(row.stay.admission.month == row.stay.discharge.month for row in rows)


def one(annotation, **keywords):
    return pydantic.create_model("One", it=(annotation, Field(**keywords)))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (one(dict[str, int]), r"#/properties/it/additionalProperties.*propertyNames"),
        (one(set[int]), r"#/properties/it/uniqueItems.*enum"),
        (one(object), r"#/properties/it.*give it a type"),
        (one(pydantic.AnyUrl), r"#/properties/it/format.*'uri'.*pattern"),
        (one(str, pattern=r"a\b"), r"#/properties/it/pattern.*not supported"),
        (one(int, multiple_of=7), r"#/properties/it/multipleOf.*smaller range"),
        (one(int, ge=3, le=2), r"#/properties/it.*no value"),
        (one(list[str], min_length=3, max_length=1), r"#/properties/it.*no value"),
        (one(dict), r"#/properties/it.*'properties'"),
    ],
)
def test_what_cannot_be_kept_to_says_where_and_what_to_do(forms, model, message):
    with pytest.raises(ConfigError, match=message):
        forms.constraint(Prompt.plain("").json(model))


DAY, UTC = datetime.date(2020, 2, 28), datetime.timezone.utc


@pytest.mark.parametrize(
    ("model", "number"),
    [
        (one(datetime.date, gt=DAY, lt=datetime.date(2020, 3, 2)), 2),
        (one(datetime.date | None, ge=DAY, le=datetime.date(2020, 3, 1)), 4),
        (one(list[Annotated[datetime.date, Field(ge=DAY, le=DAY)]], min_length=1, max_length=1), 1),
        (
            one(
                datetime.datetime, gt=datetime.datetime(2020, 1, 1), lt=datetime.datetime(2020, 1, 1, 0, 0, 3)
            ),
            2,
        ),
        (
            one(
                datetime.datetime,
                ge=datetime.datetime(2020, 1, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
                le=datetime.datetime(2020, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC),
            ),
            2,
        ),
        (one(datetime.date, ge=DAY, json_schema_extra={"formatMaximum": "2020-02-29"}), 2),
    ],
)
def test_bounds_of_times_hold_though_pydantic_does_not_tell_them(forms, model, number):
    rng = random.Random(number)
    prompt = Prompt.plain("").json(model)
    seen = {
        model.model_validate_json(draw(forms.constraint(prompt), rng)).model_dump_json() for _ in range(60)
    }
    assert len(seen) == number


@pytest.mark.parametrize(
    ("model", "keyword"),
    [
        (one(pydantic.NaiveDatetime), "tz_constraint"),
        (one(datetime.time, ge=datetime.time(8)), "ge"),
        (one(datetime.timedelta, lt=datetime.timedelta(days=9)), "lt"),
    ],
)
def test_what_masks_do_not_know_of_times_is_refused_with_its_place(model, keyword):
    with pytest.raises(ConfigError, match=rf"#/properties/it/{keyword}.*check the rows for it afterwards"):
        Prompt.plain("").json(model)


def test_a_model_that_writes_its_own_schema_is_asked_for_it():
    class Own(BaseModel):
        @classmethod
        def model_json_schema(cls):
            return {"type": "object", "properties": {"it": {"const": 3}}, "required": ["it"]}

    assert Prompt.plain("").json(Own) == Prompt.plain("").json(Own.model_json_schema())


class Endless(BaseModel):
    again: "Endless"


def test_a_model_without_an_end_is_refused(forms):
    with pytest.raises(ConfigError, match=r"#/\$defs/Endless/properties/again.*no way to end"):
        forms.constraint(Prompt.plain("").json(Endless))


@pytest.mark.model
def test_the_local_model_fills_a_pydantic_model(torch_module, smollm2_path):
    model = synthema.Model(smollm2_path)
    prompts = [Prompt.plain("A visit to the hospital as JSON:\n").json(Encounter)] * 4
    answers = model.complete(prompts, synthema.Sampling(max_tokens=40), seed=2)
    rows = [Encounter.model_validate_json(answer.text) for answer in answers]
    assert len({row.note for row in rows}) > 1
