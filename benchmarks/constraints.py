"""Masked generations with the embedded model: how many parse and validate, and what the masks cost.

    ./dev bench constraints --rows 10000

Rows are records of a schema with rules (docs/examples/admissions) and JSON texts of a JSON Schema, in turn.
Each answer is parsed and checked by Python code that shares nothing with the masks. Then the tokens of some
answers are walked again through the constraint alone: that time, per token, against the time per token of the
whole generation, is the share of masks. The walk goes through Python, so the share is an upper bound.
"""

import argparse
import datetime
import json
import pathlib
import platform
import time

import synthema

SCHEMA = pathlib.Path(__file__).resolve().parents[1] / "docs" / "examples" / "admissions" / "schema.json"
JSON_SCHEMA = {
    "type": "object",
    "properties": {
        "patient": {"type": "string", "minLength": 1, "maxLength": 20},
        "systolic": {"type": "integer", "minimum": 70, "maximum": 220},
        "temperature": {"type": "number", "minimum": 35, "maximum": 42, "multipleOf": 0.1},
        "severity": {"enum": ["mild", "moderate", "severe"]},
        "allergies": {"type": "array", "items": {"enum": ["latex", "nuts", "penicillin"]}, "maxItems": 2},
        "smoker": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    },
    "required": ["patient", "systolic", "temperature", "severity", "allergies"],
}


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
    """Whether a row fits JSON_SCHEMA."""
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


def valid(text: str, kind: int, schema: dict) -> bool:
    try:
        row = json.loads(text)
        return is_visit(row) if kind else is_admission(row, schema)
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
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--sample", type=int, default=400, help="answers for the time of the masks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here")
    options = parser.parse_args()

    schema = synthema.Schema.from_json(SCHEMA.read_text(encoding="utf-8"))
    described = json.loads(schema.to_json())
    path = pathlib.Path(synthema.default_model_path())
    model = synthema.Model(str(path))
    sampling = synthema.Sampling(temperature=1.0, max_tokens=options.max_tokens)
    forms = [
        synthema.Prompt.plain("A hospital admission as JSON:\n").json(schema),
        synthema.Prompt.plain("A visit to the doctor as JSON:\n").json(JSON_SCHEMA),
    ]
    good = masked = forced = 0
    wall, cpu = time.monotonic(), time.process_time()
    sample: list = []
    for begin in range(0, options.rows, options.batch):
        numbers = range(begin, min(options.rows, begin + options.batch))
        prompts = [forms[i % 2] for i in numbers]
        answers = model.complete(prompts, sampling, seed=options.seed + begin)
        for i, answer in zip(numbers, answers, strict=True):
            if valid(answer.text, i % 2, described):
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
        "tokens_masked": masked,
        "tokens_forced": forced,
        "forced_share": forced / (masked + forced),
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "rows_per_second": options.rows / wall,
        "mask_microseconds_per_token": 1e6 * warm / tokens,
        "mask_first_walk_seconds": cold - warm,
        "mask_share": warm / tokens / per_token + max(0.0, cold - warm) / cpu,
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
