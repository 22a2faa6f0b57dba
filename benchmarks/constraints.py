"""Masked generations with the embedded model: how many parse and validate, and what the masks cost.

    ./dev bench constraints --rows 10000

Rows are, in turn, records of a schema with rules (docs/examples/admissions), JSON texts of a JSON Schema,
and of a pydantic model with unions, tuples, sets and a definition that refers to itself. Each answer is
parsed and checked by code that shares nothing with the masks: Python's json and the rules written out below,
jsonschema, and pydantic (the last two where they are installed; the output says which did).

Then the tokens of some answers are walked again through the constraint alone. Its CPU time per token, against
the CPU time per token of the whole generation, is the share of masks: once with all masks known, and once
with the first walk, which makes them, spread over the run. The walk goes through Python, so both are upper
bounds.
"""

import argparse
import datetime
import enum
import importlib.util
import json
import pathlib
import platform
import time
import uuid
from typing import Annotated, Literal, NamedTuple, Optional, Union

import synthema

SCHEMA = pathlib.Path(__file__).resolve().parents[1] / "docs" / "examples" / "admissions" / "schema.json"
JSON_SCHEMA = {
    "type": "object",
    "properties": {
        "patient": {"type": "string", "minLength": 1, "maxLength": 20},
        "systolic": {"type": "integer", "minimum": 70, "maximum": 220},
        "temperature": {"type": "number", "minimum": 35, "maximum": 42, "multipleOf": 0.5},
        "severity": {"enum": ["mild", "moderate", "severe"]},
        "allergies": {"type": "array", "items": {"enum": ["latex", "nuts", "penicillin"]}, "maxItems": 2},
        "smoker": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    },
    "required": ["patient", "systolic", "temperature", "severity", "allergies"],
}


def encounter_model() -> type | None:
    """The pydantic model, if pydantic is installed."""
    if not importlib.util.find_spec("pydantic"):
        return None
    from pydantic import BaseModel, Field

    class Sex(str, enum.Enum):
        female = "female"
        male = "male"

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

    class Finding(BaseModel):
        term: str = Field(max_length=12)
        cause: Optional["Finding"] = None

    class Encounter(BaseModel):
        id: uuid.UUID
        sex: Sex
        seen: datetime.datetime
        pressure: Pressure | None
        treatment: Annotated[Union[Drug, Surgery], Field(discriminator="kind")]  # noqa: UP007
        finding: Finding
        allergies: set[Literal["latex", "nuts", "penicillin"]]
        scores: dict[Literal["pain", "sleep"], Annotated[int, Field(ge=0, le=10)]] = Field(min_length=1)

    Encounter.model_rebuild(_types_namespace={"Finding": Finding})
    return Encounter


def is_admission(row: dict, schema: dict) -> bool:
    """Whether a row fits the schema's fields and keeps its rules."""
    categories = {f["name"]: f["categories"] for f in schema["fields"] if "categories" in f}
    women = {"asthma", "heart failure", "pneumonia"} | ({"pre-eclampsia"} if row["age"] < 51 else set())
    men = {"asthma", "heart failure", "pneumonia", "prostatitis"}
    return (
        list(row) == [field["name"] for field in schema["fields"]]
        and row["sex"] in categories["sex"]
        and isinstance(row["age"], int)
        and 18 <= row["age"] <= 95
        and row["diagnosis"] in (women if row["sex"] == "female" else men)
        and datetime.date(2023, 1, 1)
        <= datetime.date.fromisoformat(row["admission"])
        <= datetime.date(2023, 12, 31)
        and row["admission"] <= row["discharge"] <= "2024-01-31"
        and bool(datetime.date.fromisoformat(row["discharge"]))
        and (row["oxygen"] is None or 0 <= row["oxygen"] <= 15)
        and 1 <= len(row["drugs"]) <= 3
        and set(row["drugs"]) <= set(categories["drugs"])
        and 10 <= len(row["note"]) <= 90
    )


def is_visit(row: dict) -> bool:
    """Whether a row fits JSON_SCHEMA; the order of keys is a promise beyond it."""
    return (
        list(row) == [name for name in JSON_SCHEMA["properties"] if name in row]
        and set(JSON_SCHEMA["required"]) <= set(row)
        and 1 <= len(row["patient"]) <= 20
        and isinstance(row["systolic"], int)
        and 70 <= row["systolic"] <= 220
        and 35 <= row["temperature"] <= 42
        and row["severity"] in ("mild", "moderate", "severe")
        and len(row["allergies"]) <= 2
        and set(row["allergies"]) <= {"latex", "nuts", "penicillin"}
        and row.get("smoker") in (True, False, None)
    )


class Checks:
    """One function a form that says whether an answer is whole and valid."""

    def __init__(self, schema: dict, encounter: type | None) -> None:
        self.schema = schema
        self.encounter = encounter
        self.jsonschema = None
        if importlib.util.find_spec("jsonschema"):
            from jsonschema import Draft202012Validator

            self.jsonschema = Draft202012Validator

    @property
    def names(self) -> str:
        found = ["json"] + ["jsonschema"] * bool(self.jsonschema) + ["pydantic"] * bool(self.encounter)
        return " + ".join(found)

    def admission(self, text: str) -> bool:
        return is_admission(json.loads(text), self.schema)

    def visit(self, text: str) -> bool:
        row = json.loads(text)
        return is_visit(row) and (not self.jsonschema or self.jsonschema(JSON_SCHEMA).is_valid(row))

    def of_encounter(self, text: str) -> bool:
        row = json.loads(text)
        self.encounter.model_validate_json(text)
        schema = self.encounter.model_json_schema()
        return not self.jsonschema or self.jsonschema(schema).is_valid(row)


def valid(check, text: str) -> bool:
    try:
        return check(text)
    except (ValueError, KeyError, TypeError):
        return False


def masks_alone(
    path: pathlib.Path, prompts: list, answers: list, max_tokens: int
) -> tuple[float, float, int]:
    """Seconds of the first walk, of the second, and tokens, over the canonical tokens of some answers."""
    tokenizer = synthema.Tokenizer(synthema.ModelFile(path))
    forms = synthema.AnswerForms(tokenizer)
    ways = [(prompt, tokenizer.encode(answer.text)) for prompt, answer in zip(prompts, answers, strict=True)]
    seconds = []
    for _ in range(2):
        begun = time.process_time()
        for prompt, ids in ways:
            constraint = forms.constraint(prompt, open_tokens=max_tokens)
            at = 0
            while at < len(ids):
                forced = len(constraint.forced())
                if not forced:
                    constraint.allowed()
                    constraint.is_complete  # noqa: B018 (the engine asks too)
                for id in ids[at : at + max(forced, 1)]:
                    constraint.accept(id)
                at += max(forced, 1)
        seconds.append(time.process_time() - begun)
    return seconds[0], seconds[1], sum(len(ids) for _, ids in ways)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--max-tokens", type=int, default=24)
    parser.add_argument("--threads", type=int, help="by default one per core")
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--sample", type=int, default=400, help="answers for the time of the masks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here")
    options = parser.parse_args()

    schema = synthema.Schema.from_json(SCHEMA.read_text(encoding="utf-8"))
    encounter = encounter_model()
    checks = Checks(json.loads(schema.to_json()), encounter)
    path = pathlib.Path(synthema.default_model_path())
    model = synthema.Model(str(path), threads=options.threads)
    sampling = synthema.Sampling(temperature=1.0, max_tokens=options.max_tokens)
    forms = [
        (synthema.Prompt.plain("A hospital admission as JSON:\n").json(schema), checks.admission),
        (synthema.Prompt.plain("A visit to the doctor as JSON:\n").json(JSON_SCHEMA), checks.visit),
    ]
    if encounter:
        prompt = synthema.Prompt.plain("A visit to the hospital as JSON:\n").json(encounter)
        forms.append((prompt, checks.of_encounter))
    good = masked = forced = 0
    wall, cpu = time.monotonic(), time.process_time()
    sample: list = []
    for begin in range(0, options.rows, options.batch):
        numbers = range(begin, min(options.rows, begin + options.batch))
        prompts = [forms[i % len(forms)][0] for i in numbers]
        answers = model.complete(prompts, sampling, seed=options.seed + begin)
        for i, answer in zip(numbers, answers, strict=True):
            if valid(forms[i % len(forms)][1], answer.text):
                good += 1
            else:
                print(f"row {i} is wrong: {answer.finish} {answer.failure} {answer.text!r}", flush=True)
            masked += answer.tokens.masked
            forced += answer.tokens.forced
        sample = sample or list(zip(prompts, answers, strict=True))[: options.sample]
        if begin // options.batch % 4 == 0:
            print(
                f"{begin + len(numbers):,} rows, {good:,} valid, {time.monotonic() - wall:.0f} s", flush=True
            )
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    cold, warm, tokens = masks_alone(path, [p for p, _ in sample], [a for _, a in sample], options.max_tokens)
    per_token = cpu / (masked + forced)
    figures = {
        "rows": options.rows,
        "valid": good,
        "validated_by": checks.names,
        "tokens_masked": masked,
        "tokens_forced": forced,
        "forced_share": forced / (masked + forced),
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "cpu_microseconds_per_token": 1e6 * per_token,
        "rows_per_second": options.rows / wall,
        "mask_microseconds_per_token": 1e6 * warm / tokens,
        "mask_first_walk_seconds": cold - warm,
        "mask_share": warm / tokens / per_token,
        "mask_share_with_first_walk": warm / tokens / per_token + max(0.0, cold - warm) / cpu,
        "model": path.name,
        "numeric_path": model.numeric_path,
        "version": synthema.__version__,
        "machine": platform.processor() or platform.machine(),
    }
    for name, value in figures.items():
        print(f"{name:30} {value:.4g}" if isinstance(value, float) else f"{name:30} {value}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    raise SystemExit(good != options.rows)


if __name__ == "__main__":
    main()
