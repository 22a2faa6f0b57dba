"""Finding facts in texts: stated, missing, contradicted, and where."""

import pytest
from synthema import facts


@pytest.mark.parametrize(
    ("text", "years", "state"),
    [
        ("A 34-year-old woman", 34, "stated"),
        ("a thirty-four year old woman", 34, "stated"),
        ("aged 34, she", 34, "stated"),
        ("34 years of age", 34, "stated"),
        ("I'm 34 and tired", 34, "stated"),
        ("A 35-year-old woman", 34, "contradicted"),
        ("A 34-year-old woman and her 6-year-old son", 34, "contradicted"),
        ("ill for 34 years", 34, "missing"),
    ],
)
def test_age(text, years, state):
    assert facts.age(text, years).state == state


@pytest.mark.parametrize(
    ("text", "who", "state"),
    [
        ("My wife says she is ill", "woman", "stated"),
        ("The man lost his voice", "man", "stated"),
        ("A woman and her husband", "woman", "contradicted"),
        ("The patient is ill", "man", "missing"),
        ("The theme", "woman", "missing"),  # "the", "me" and "he" inside words count for nothing
    ],
)
def test_sex(text, who, state):
    assert facts.sex(text, who).state == state


@pytest.mark.parametrize(
    ("text", "length", "state"),
    [
        ("for 3 weeks", "3 weeks", "stated"),
        ("a three-week history", "3 weeks", "stated"),
        ("for the past week", "1 week", "stated"),
        ("for a year", "1 year", "stated"),
        ("for twelve months", "1 year", "stated"),
        ("for 3 months", "3 weeks", "contradicted"),
        ("for 3 weeks, then 2 days", "3 weeks", "contradicted"),
        ("a 3-year-old", "3 years", "missing"),
        ("3 years of age", "3 years", "missing"),
    ],
)
def test_duration(text, length, state):
    assert facts.duration(text, length).state == state


@pytest.mark.parametrize(
    ("text", "degree", "state"),
    [
        ("mild itching", "mild", "stated"),
        ("severely ill", "severe", "stated"),
        ("a terrible ache", "severe", "missing"),
        ("mild but terrible", "mild", "contradicted"),
        ("moderate to severe", "moderate", "contradicted"),
    ],
)
def test_severity(text, degree, state):
    assert facts.severity(text, degree).state == state


@pytest.mark.parametrize(
    ("text", "how", "state"),
    [
        ("it is getting steadily worse", "getting worse", "stated"),
        ("which worsens at night", "worse at night", "stated"),
        ("it started at night", "worse at night", "missing"),
        ("pain that comes and goes", "comes and goes", "stated"),
        ("worse at night and limits his work", "worse at night", "contradicted"),
        ("it keeps her awake", "disturbs sleep", "stated"),
    ],
)
def test_course(text, how, state):
    assert facts.course(text, how).state == state


def test_spans_point_into_the_text():
    text = "My 34-year-old wife has had mild itching for three weeks."
    record = {"age": 34, "sex": "woman", "duration": "3 weeks", "severity": "mild"}
    found = {f.field: [text[a:b] for a, b in f.spans] for f in facts.find(text, record)}
    assert found == {
        "age": ["34-year-old"],
        "sex": ["wife"],
        "duration": ["three weeks"],
        "severity": ["mild"],
    }


def test_a_fact_that_was_not_asked_for_is_not_looked_for():
    assert [f.field for f in facts.find("x", {"age": 3, "course": None})] == ["age"]


@pytest.mark.parametrize(
    ("text", "other"),
    [("A 34-year-old, 2 episodes", True), ("A 34-year-old", False), ("A 34-year-old, for hours", True)],
)
def test_other_numbers(text, other):
    assert facts.other_number(text, facts.find(text, {"age": 34})) is other


def test_without_removes_the_spans_only():
    text = "for 3 weeks, mild."
    found = facts.find(text, {"duration": "3 weeks", "severity": "mild"})
    assert facts.without(text, found).split() == ["for", ",", "."]
