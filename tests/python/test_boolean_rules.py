"""Rules that limit a boolean: men are not pregnant."""

import numpy as np
import pytest
import synthema
from synthema import ConfigError, Field, FieldRule, GenerationError, Schema, SchemaError

FIELDS = [Field("sex", "category"), Field("age", "integer"), Field("pregnant", "boolean")]
RULES = [
    FieldRule("pregnant", "sex", labels=["male"], categories=["false"]),
    FieldRule("pregnant", "age", lowest=55, categories=["false"]),
]


def people(n=600):
    rng = np.random.default_rng(1)
    sex, age = rng.choice(["female", "male"], n), rng.integers(20, 80, n)
    pregnant = (sex == "female") & (age < 55) & (rng.random(n) < 0.3)
    return synthema.table(
        {"sex": sex.tolist(), "age": age.tolist(), "pregnant": pregnant.tolist()}, Schema(FIELDS, rules=RULES)
    )


@pytest.mark.parametrize(
    "method", [synthema.SequentialTrees, synthema.GaussianCopula, synthema.IndependentMarginals]
)
def test_generated_rows_keep_it(method):
    made = method().fit(people()).sample(3000, seed=1)
    rows = made.records()
    assert not any(r["pregnant"] and (r["sex"] == "male" or r["age"] >= 55) for r in rows)
    assert sum(r["pregnant"] for r in rows) > 50
    with pytest.raises(GenerationError):
        method().fit(people()).sample(3, seed=1, conditions={"sex": "male", "pregnant": True})


def test_rows_that_break_it_are_counted():
    schema = Schema(FIELDS, rules=RULES)
    broken = synthema.table([{"sex": "male", "age": 30, "pregnant": True}], schema)
    score = synthema.evaluate(broken, people(), metrics=["schema_plausibility"])["schema_plausibility"]
    assert score.value == 0


def test_labels_of_a_boolean_are_true_and_false():
    with pytest.raises(SchemaError, match="neither 'true' nor 'false'"):
        Schema(FIELDS, rules=[FieldRule("pregnant", "sex", labels=["male"], categories=["no"])])
    with pytest.raises((SchemaError, ConfigError)):
        Schema([Field("pregnant", "boolean", categories=["false"])])
