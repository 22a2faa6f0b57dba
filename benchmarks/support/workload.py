"""The texts and requests of the jobs: real clinical notes where the data folder has them."""

from __future__ import annotations

import csv
import gzip
import json
import pathlib
import random

# Shaped like a visit record. Keys and punctuation are about half of the text of an answer.
RECORD_SCHEMA = {
    "type": "object",
    "properties": {
        "patient_age": {"type": "integer", "minimum": 18, "maximum": 95},
        "patient_sex": {"type": "string", "enum": ["female", "male"]},
        "department": {
            "type": "string",
            "enum": ["cardiology", "neurology", "orthopaedics", "dermatology", "general medicine"],
        },
        "systolic_pressure": {"type": "integer", "minimum": 80, "maximum": 220},
        "chief_complaint": {"type": "string", "minLength": 10, "maxLength": 60},
        "smoker": {"type": "boolean"},
        "assessment_and_plan": {"type": "string", "minLength": 10, "maxLength": 80},
    },
    "required": [
        "patient_age",
        "patient_sex",
        "department",
        "systolic_pressure",
        "chief_complaint",
        "smoker",
        "assessment_and_plan",
    ],
    "additionalProperties": False,
}
RECORD_TOKENS = 240  # more than any answer of the schema needs


def grammar(schema: dict) -> str:
    """Return a schema as GBNF without any free whitespace: the shortest answers, for engines that read it."""
    fields = []
    for name, field in schema["properties"].items():
        if "enum" in field:
            value = " | ".join(json.dumps(json.dumps(v)) for v in field["enum"])
        elif field["type"] == "integer":
            value = " | ".join(f'"{n}"' for n in range(field["minimum"], field["maximum"] + 1))
        elif field["type"] == "boolean":
            value = '"true" | "false"'
        else:
            value = f'"\\"" character{{{field["minLength"]},{field["maxLength"]}}} "\\""'
        fields.append(f"{json.dumps(json.dumps(name) + ':')} ({value})")
    return 'root ::= "{" ' + ' "," '.join(fields) + ' "}"\n' + 'character ::= [^"\\\\\\x00-\\x1F\\x7F]\n'


def satisfies(text: str, schema: dict) -> bool:
    """Say whether a text is one JSON object of the schema: the part of JSON Schema that is used above."""
    try:
        value = json.loads(text)
    except ValueError:
        return False
    fields = schema["properties"]
    return (
        isinstance(value, dict)
        and set(value) == set(fields)
        and all(_satisfies_field(value[name], field) for name, field in fields.items())
    )


def _satisfies_field(value, field: dict) -> bool:
    kind = {"integer": int, "string": str, "boolean": bool}[field["type"]]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return False
    if kind is int:
        return field["minimum"] <= value <= field["maximum"]
    if kind is str:
        length_fits = field.get("minLength", 0) <= len(value) <= field.get("maxLength", 1 << 30)
        return length_fits and value in field.get("enum", [value])
    return True


def half_alike(notes: list[str], others: list[str], seed: int) -> list[str]:
    """Return each note with half of its runs of ten words replaced by those of another at the same place."""
    draw, out = random.Random(seed), []
    for note, other in zip(notes, others, strict=True):
        words, instead = note.split(), other.split()
        for start in range(0, len(words), 10):
            if draw.random() < 0.5:
                words[start : start + 10] = instead[start : start + 10]
        out.append(" ".join(words))
    return out


class Texts:
    """Conversations with their notes, and sentences; from the data folder, or made of a few words."""

    def __init__(self, data: pathlib.Path):
        self.data = data
        notes, questions = data / "mts_dialog/MTS-Dialog-TrainingSet.csv", data / "medquad"
        self.source = "MTS-Dialog (CC BY 4.0) and MedQuAD (CC BY 4.0)"
        if notes.is_file() and questions.is_dir():
            with open(notes, encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            self.visits = [(_line_ends(r["dialogue"]), _line_ends(r["section_text"])) for r in rows]
            self.sentences = _sentences(next(questions.glob("*.jsonl.gz")))
        else:
            self.source = f"generated words, because {data} has no mts_dialog and medquad"
            self.visits = [(_words(i, 120), _words(-i, 40)) for i in range(1, 1500)]
            self.sentences = [_words(i, 15) for i in range(12_000)]

    def notes(self, count: int, words: int, seed: int) -> list[str]:
        """Return texts of `words` words: visits, in an order drawn by the seed, one after the other."""
        draw, out, row = random.Random(seed), [], []
        while len(out) < count:
            row += " ".join(draw.choice(self.visits)).split()
            if len(row) >= words:
                out.append(" ".join(row[:words]))
                row = []
        return out

    def requests(
        self, encode, seed: int, records: int, prefix: int, private: int, new, ask: str
    ) -> list[dict]:
        """Return requests of `private` tokens behind the same first `prefix` tokens; 0 for none.

        `new` is a number of tokens or a pair of bounds to draw from; `ask` ends every prompt.
        """
        draw = random.Random(seed)
        visits = self.visits[:]
        draw.shuffle(visits)
        head, room = "", prefix
        while visits and room > 24:  # whole visits that fit
            dialogue, note = visits.pop()
            block = f"Conversation:\n{dialogue}\nNote: {note}\n\n"
            if len(encode(block)) <= room:
                head += block
                room = prefix - len(encode(head))
        out = []
        for _ in range(records):
            dialogue, note = self.visits[(seed * 7919 + len(out)) % len(self.visits)]
            room = private - len(encode(ask)) - 1
            start = "Conversation:\n" if prefix else ""
            text = head + _fill(encode, f"{start}{dialogue} {note} {dialogue}", room) + ask
            length = new if isinstance(new, int) else draw.randint(*new)
            out.append({"text": text, "ids": encode(text), "new": length})
        return out

    def to_score(self, encode, seed: int, count: int, tokens: int) -> list[str]:
        """Return texts of at least 8 and at most `tokens` tokens."""
        draw = random.Random(seed)
        texts = [_fill(encode, f"{note}\n{dialogue}", tokens) for dialogue, note in self.visits]
        texts = [t for t in texts if len(encode(t)) >= 8]
        draw.shuffle(texts)
        return (texts * (count // len(texts) + 1))[:count]


def common_prefix(requests: list[dict]) -> int:
    """Return how many leading tokens all requests share, less one so that each has a token of its own."""
    first = requests[0]["ids"]
    shared = min(len(r["ids"]) for r in requests) - 1
    for request in requests[1:]:
        ids = request["ids"]
        shared = next((i for i in range(shared) if ids[i] != first[i]), shared)
    return shared


def _fill(encode, text: str, tokens: int) -> str:
    """Return the longest start of a text, cut between words, that has at most so many tokens."""
    words = text.split(" ")
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(encode(" ".join(words[:middle]))) <= tokens else (low, middle - 1)
    return " ".join(words[:low])


def _line_ends(text: str) -> str:
    return text.replace(" \r\n", "\n").replace("\r\n", "\n").strip()


def _sentences(path: pathlib.Path) -> list[str]:
    out = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            answer = json.loads(line)["answer"]
            out += [
                s.strip() + "." for s in answer.replace("\n", " ").split(". ") if 20 <= len(s.strip()) <= 300
            ]
            if len(out) > 12_000:
                break
    return out


def _words(seed: int, count: int) -> str:
    draw = random.Random(seed)
    words = [
        "patient",
        "pain",
        "fever",
        "daily",
        "chronic",
        "blood",
        "pressure",
        "reports",
        "denies",
        "acute",
    ]
    return " ".join(draw.choice(words) for _ in range(count))
