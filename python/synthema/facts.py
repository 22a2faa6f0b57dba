"""Whether a text states the facts of a record: age, sex, duration, severity, course.

Each function looks for one fact and says whether the text states it, leaves it out, or says something else,
and where. English only; numbers are read as digits or as words ("three weeks", "seventy-two-year-old"). A
finder is strict: what it cannot read counts as missing, so agreement is never overstated by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["FINDERS", "Finding", "find", "other_number", "pieces", "without"]

Span = tuple[int, int]

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = {
    word: 10 * n
    for n, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_WORD_NUMBERS = {word: n for n, word in enumerate(_SMALL)}
_NUMBER = rf"(?:\d+|(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_SMALL[1:10])}))?|{'|'.join(reversed(_SMALL))})"
_UNIT = r"(?:day|week|month|year)"


def _value(text: str) -> int:
    """The number that `_NUMBER` matched, or 1 for "a", "an", "the past"."""
    text = text.lower().strip()
    if text.isdigit():
        return int(text)
    parts = re.split(r"[- ]", text)
    if parts[0] in _TENS:
        return _TENS[parts[0]] + (_WORD_NUMBERS[parts[1]] if len(parts) > 1 else 0)
    return _WORD_NUMBERS.get(text, 1)


@dataclass(frozen=True)
class Finding:
    """What a text says about one fact: `stated`, `missing` or `contradicted`, and where."""

    field: str
    state: str
    spans: tuple[Span, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the text states the fact and nothing against it."""
        return self.state == "stated"


def _finding(field: str, right: Iterable[Span], wrong: bool) -> Finding:
    spans = tuple(right)
    state = "contradicted" if wrong else "stated" if spans else "missing"
    return Finding(field, state, spans)


_AGE = re.compile(
    rf"\b({_NUMBER})[- ]years?[- ]old\b|\baged? (?:of )?({_NUMBER})\b|\b({_NUMBER}) years of age\b"
    rf"|\bI(?:'m| am) ({_NUMBER})\b(?! ?-?years?\b)",
    re.IGNORECASE,
)


def age(text: str, years: object) -> Finding:
    """The age in years: "34-year-old", "aged 34", "34 years of age", "I am 34"."""
    said = [(match.span(), _value(next(g for g in match.groups() if g))) for match in _AGE.finditer(text)]
    return _finding(
        "age", [s for s, v in said if v == int(str(years))], any(v != int(str(years)) for _, v in said)
    )


_FEMALE = (
    "woman women female lady girl she her hers herself mother mom wife sister daughter aunt grandmother "
    "girlfriend"
)
_MALE = (
    "man men male gentleman boy he his him himself father dad husband brother son uncle grandfather boyfriend"
)


def _any_of(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(words.split())})\b", re.IGNORECASE)


_SEX = {"woman": _any_of(_FEMALE), "man": _any_of(_MALE)}


def sex(text: str, who: object) -> Finding:
    """Whether a "woman" or a "man", by nouns, pronouns and kinship words."""
    other = "man" if who == "woman" else "woman"
    return _finding("sex", [m.span() for m in _SEX[str(who)].finditer(text)], bool(_SEX[other].search(text)))


_DURATION = re.compile(
    rf"\b({_NUMBER}|an?|(?:the )?(?:past|last))[- ]({_UNIT})s?\b(?![- ]old\b| of age\b)", re.IGNORECASE
)
_SAME = {
    (12, "month"): (1, "year"),
    (7, "day"): (1, "week"),
    (24, "month"): (2, "year"),
    (14, "day"): (2, "week"),
}


def duration(text: str, length: object) -> Finding:
    """A length of time such as "3 weeks" or a "3-week history"; any other length contradicts."""
    number, unit = str(length).split()
    wanted = (_value(number), unit.rstrip("s"))
    said = [(m.span(), (_value(m[1]), m[2].lower())) for m in _DURATION.finditer(text)]
    same = [_SAME.get(v, v) == _SAME.get(wanted, wanted) for _, v in said]
    return _finding("duration", [s for (s, _), ok in zip(said, same, strict=True) if ok], not all(same))


_SEVERITY = {
    "mild": _any_of("mild mildly slight slightly"),
    "moderate": _any_of("moderate moderately"),
    "severe": _any_of("severe severely intense intensely"),
}
# Words that are too vague to state a degree but do contradict another one.
_VAGUE = {
    "mild": _any_of("minor"),
    "severe": _any_of("severity extreme extremely excruciating terrible unbearable"),
}


def severity(text: str, degree: object) -> Finding:
    """One of "mild", "moderate" and "severe", each with its close synonyms."""
    wrong = any(
        pattern.search(text)
        for table in (_SEVERITY, _VAGUE)
        for name, pattern in table.items()
        if name != degree
    )
    return _finding("severity", [m.span() for m in _SEVERITY[str(degree)].finditer(text)], wrong)


_WORSE = r"\bwors(?:e|t|ens?|ened|ening)\b"
_COURSE = {
    "getting worse": rf"\b(?:get|gets|getting|got|gotten|becom(?:e|es|ing)|became)\b[^.;]{{0,20}}{_WORSE}"
    r"|\bworsen(?:s|ed|ing)?\b(?! (?:at|in|on|when|by)\b)|\bprogress(?:es|ed|ing|ive|ively)\b",
    "comes and goes": r"\b(?:comes and goes|come and go|coming and going|came and went)\b"
    r"|\bintermittent(?:ly)?\b|\bon and off\b",
    "began suddenly": r"\b(?:beg[au]n|start(?:ed|ing)|came on|set in|appeared)\b[^.;]{0,20}"
    r"\b(?:suddenly|abruptly)\b|\b(?:sudden|abrupt)(?:ly)?\b[^.;]{0,15}\b(?:onset|start|beg[au]n|started)\b",
    "worse at night": rf"{_WORSE}[^.;]{{0,25}}\b"
    r"(?:at|during the|each|every|in the) (?:nights?|nighttime|evenings?|bedtime)\b",
    "worse in the morning": rf"{_WORSE}[^.;]{{0,25}}\b(?:in the|each|every|on|after) (?:mornings?|waking)\b",
    "disturbs sleep": r"\b(?:disturb|disrupt|interrupt|affect|interfer|ke[ep]p?t?|wak|prevent|los)\w*\b"
    r"[^.;]{0,30}\b(?:sleep|sleeping|awake|up|night)\b",
    "limits daily work": r"\b(?:limit|restrict|interfer|affect|prevent|hamper)\w*\b[^.;]{0,30}"
    r"\b(?:work|working|job|chores|daily|activit\w+)\b",
}
_COURSES = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _COURSE.items()}


def course(text: str, how: object) -> Finding:
    """How the complaint behaves; another course beside it ("and it disturbs sleep") contradicts."""
    right = [m.span() for m in _COURSES[str(how)].finditer(text)]
    others = [m.span() for name, pattern in _COURSES.items() if name != how for m in pattern.finditer(text)]
    wrong = any(all(end <= a or b <= start for a, b in right) for start, end in others)
    return _finding("course", right, wrong)


FINDERS = {"age": age, "sex": sex, "duration": duration, "severity": severity, "course": course}


def find(text: str, record: Mapping[str, object], fields: Iterable[str] = tuple(FINDERS)) -> list[Finding]:
    """One finding for each of `fields` that the record has a value for, in order."""
    return [FINDERS[name](text, record[name]) for name in fields if record.get(name) is not None]


_STRAY_TIME = re.compile(r"\b(?:hours?|minutes?|decades?|hourly)\b", re.IGNORECASE)


def other_number(text: str, findings: Iterable[Finding]) -> bool:
    """Whether the text has a number, or a unit of time, that belongs to no fact found in it."""
    rest = without(text, findings)
    return bool(re.search(r"\d", rest) or _STRAY_TIME.search(rest))


def pieces(text: str, findings: Iterable[Finding]) -> list[str]:
    """What of the text stands before, between and after the spans of the findings."""
    out, at = [], 0
    for start, end in sorted({span for finding in findings for span in finding.spans}):
        if start >= at:
            out.append(text[at:start])
        at = max(at, end)
    return [*out, text[at:]]


def without(text: str, findings: Iterable[Finding]) -> str:
    """The text with the spans of the findings replaced by a space."""
    return " ".join(pieces(text, findings))
