"""Tables on which every evaluator has a value, to try its promises on."""

# ruff: noqa: E501

import numpy as np
import synthema
from synthema import EvaluationContext, Field, Schema, SuiteOptions


def tokens(texts):
    """Return a vector for each word of each text."""
    return [np.array([[len(w), w.count("e"), 1] for w in text.split()], np.float32) for text in texts]


OPTIONS = SuiteOptions(
    duration_column="follow_up",
    event_column="death",
    discrepancy_rows=100,
    quasi_identifiers=["sex", "town"],
    secrets=["outcome"],
    canaries=synthema.table({"text": ["the patient has", "a red fox"], "planted": [True, False]}),
    token_embedder=tokens,
)
TERMS = [{"id": "T1", "name": "Headache", "synonyms": ["sore head"]}, {"id": "T2", "name": "Fever"}]
WORDS = [
    "the",
    "patient",
    "has",
    "had",
    "headache",
    "fever",
    "cough",
    "and",
    "pain",
    "for",
    "some",
    "days",
    "since",
    "a",
    "fall",
]
FIELDS = [
    Field("patient", roles=["subject"]),
    Field("day", "integer", roles=["time"]),
    Field("codes", "list"),
    Field("age", "integer", minimum=0, maximum=70),
    Field("bilirubin", "real"),
    Field("first_dose", "integer"),
    Field("last_dose", "integer"),
    Field("sex", "category", roles=["sensitive"]),
    Field("town", "category"),
    Field("region", "category"),
    Field("outcome", "category"),
    Field("follow_up", "real"),
    Field("death", "integer"),
    Field("label", "category", roles=["label"]),
    Field("text"),
    Field("reference"),
]


def visits(seed, rows=150):
    """Return a table of visits with all kinds of columns."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(rows):
        age, first, town = int(rng.integers(20, 75)), int(rng.integers(0, 100)), int(rng.integers(0, 5))
        bilirubin = age / 40 + rng.normal()
        text = rng.choice(WORDS, rng.integers(45, 60)).tolist()
        out.append(
            {
                "patient": f"p{i // 3}", "day": i % 3 * int(rng.integers(1, 20)), "age": age, "bilirubin": bilirubin,
                "codes": sorted({f"c{int(c)}" for c in rng.geometric(0.4, 3)}), "first_dose": first,
                "last_dose": first + int(rng.integers(0, 9)), "sex": "fm"[int(rng.integers(0, 2))], "town": f"t{town}",
                "region": "north" if town < 2 else "south", "follow_up": float(rng.exponential(5)),
                "outcome": "bad" if bilirubin + rng.normal() > 1.2 else "good", "death": int(rng.integers(0, 2)),
                "label": f"T{int(rng.integers(1, 3))}", "text": "<note>" + " ".join(text) + ("</note>" if i % 4 else ""),
                "reference": " ".join(rng.permutation(text)),
            }
        )  # fmt: skip
    return synthema.table(out, Schema(FIELDS))


def context(embedder):
    """Return everything that evaluators may look at."""
    return EvaluationContext(
        holdout=visits(3),
        terms=synthema.table(TERMS),
        target_column="outcome",
        embedder=embedder,
        embedder_name="letters",
        text_scorer=lambda texts: [[-0.1 * len(word) for word in text.split()] for text in texts],
        bootstrap=20,
    )
