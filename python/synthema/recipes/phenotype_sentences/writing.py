"""The record that each sentence must agree with, and the questions that write the sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synthema._core import Draft, Prompt, Random

Record = dict[str, Any]

# Four voices. The order of the facts in the record line is the order in which the voice's sentences say them:
# a small model follows the order that it has just read.
STYLES = {
    "c1": "clinical, duration after the finding",
    "c2": "clinical, history of a duration",
    "l1": "the patient speaks",
    "l2": "a relative speaks",
}
DURATIONS = (
    ("2 days", 1), ("3 days", 1), ("4 days", 1), ("6 days", 1), ("1 week", 1), ("2 weeks", 2), ("3 weeks", 2),
    ("5 weeks", 1), ("6 weeks", 2), ("2 months", 2), ("3 months", 2), ("4 months", 1), ("6 months", 2),
    ("9 months", 1),
    ("1 year", 1), ("2 years", 2), ("3 years", 1), ("5 years", 1),
)  # fmt: skip
SEVERITIES = (("mild", 3), ("moderate", 4), ("severe", 3))
# The course as the record line says it. A clause is easier to copy into a sentence than a keyword.
COURSES = {
    "getting worse": "which is getting worse",
    "comes and goes": "which comes and goes",
    "began suddenly": "which began suddenly",
    "worse at night": "worse at night",
    "worse in the morning": "worse in the morning",
    "disturbs sleep": "which disturbs sleep",
    "limits daily work": "which limits daily work",
}


def exemplars() -> list[Record]:
    """The sentences shown to the model, five for each style; written for this recipe, of nobody."""
    lines = Path(__file__).with_name("exemplars.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _weighted(random: Random, items: Sequence[tuple[str, int]]) -> str:
    return items[random.weighted([float(weight) for _, weight in items])][0]


def draw(random: Random, ages: tuple[int, int], courses: Mapping[str, Sequence[str]]) -> Record:
    """Draw the facts and the style; `courses` are those that each style has exemplars for."""
    style = random.choice(list(STYLES))
    return {
        "age": ages[0] + random.below(ages[1] - ages[0] + 1),
        "sex": random.choice(["woman", "man"]),
        "duration": _weighted(random, DURATIONS),
        "severity": _weighted(random, SEVERITIES),
        "style": style,
        "course": random.choice(list(courses[style])),
    }


def _lower_first(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def record_line(record: Mapping[str, Any]) -> str:
    """`Record: 34-year-old woman; mild pruritus; for 5 days; worse at night.`, in the order of the style."""
    style, duration = record["style"], record["duration"]
    name = _lower_first(record["concept_name"]) if style in ("c1", "c2") else record["lay_name"]
    person = f"{record['age']}-year-old {record['sex']}"
    finding = f"{record['severity']} {name}"
    time = f"{duration.replace(' ', '-').rstrip('s')} history" if style == "c2" else f"for {duration}"
    facts = [person, time, finding] if style in ("c2", "l1") else [person, finding, time]
    return "Record: " + "; ".join([*facts, COURSES[record["course"]]]) + ".\nText:"


def _article(age: int) -> str:
    return "an" if str(age).startswith("8") or age in (11, 18) else "a"


def relatives(age: int, sex: str) -> list[str]:
    """What a speaker may call a patient of this age and sex."""
    if sex == "woman":
        return ["mother"] * (age >= 45) + ["daughter"] * (age <= 45) + ["sister", "wife"]
    return ["father"] * (age >= 45) + ["son"] * (age <= 45) + ["brother", "husband"]


def openings(record: Mapping[str, Any]) -> list[str]:
    """The choices for the first words, each with a leading space; the model picks one, then writes freely."""
    age, sex, style = record["age"], record["sex"], record["style"]
    person = f"{_article(age)} {age}-year-old {sex}"
    if style == "l1":
        texts = [f"I am {person}", f"I'm {person}", f"As {person}, I"]
    elif style == "l2":
        texts = [f"My {age}-year-old {who}" for who in relatives(age, sex)]
    else:
        texts = [
            person[0].upper() + person[1:],
            f"This {age}-year-old {sex}",
            f"The patient is {person}",
            f"The patient, {person},",
        ]
    return [" " + text for text in texts]


def prefix(pool: Sequence[Mapping[str, Any]]) -> str:
    """The exemplars as the model reads them; the same for every row of a style, so it is computed once."""
    return "".join(f"{record_line(one)} {one['text']}\n\n" for one in pool)


class Writer:
    """Shows the exemplars of the record's style, lets the model choose an opening, then write freely."""

    name = "ordered_record_few_shot"

    def __init__(self, pool: Sequence[Record], shots: int):
        self.shown = {
            style: [i for i, one in enumerate(pool) if one["style"] == style][:shots] for style in STYLES
        }
        self.prefixes = {style: prefix([pool[i] for i in shown]) for style, shown in self.shown.items()}

    def __call__(self, task: Any, random: Random) -> Iterator[Prompt]:
        """Two questions: an opening under a mask, then free text to the end of the line."""
        record = task.condition
        start = self.prefixes[record["style"]] + record_line(record)
        opening = yield Prompt.plain(start).among(openings(record))
        rest = yield Prompt.plain(start + opening.text).until("\n")
        return Draft({**record, "text": (opening.text + rest.text).strip()}, self.shown[record["style"]])
