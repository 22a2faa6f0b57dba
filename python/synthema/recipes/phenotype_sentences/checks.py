"""What a finished sentence must satisfy. Each check has a name and answers with a reason, or with nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from synthema import facts
from synthema._core import Bm25, porter_stem, sentence_count, words
from synthema.ontology import Ontology
from synthema.recipes.phenotype_sentences.concepts import PHENOTYPES

Test = Callable[[Any, Any], "str | None"]

FUNCTION_WORDS = frozenset(
    [
        "a",
        "about",
        "after",
        "again",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "hers",
        "him",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "me",
        "more",
        "most",
        "my",
        "no",
        "nor",
        "not",
        "of",
        "on",
        "or",
        "other",
        "our",
        "out",
        "over",
        "she",
        "since",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "up",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "will",
        "with",
        "without",
        "would",
        "you",
        "your",
    ]
)
# Words that say nothing about which concept is meant.
_FRAME = FUNCTION_WORDS | set(
    [
        "patient",
        "woman",
        "man",
        "year",
        "old",
        "aged",
        "age",
        "past",
        "last",
        "history",
        "years",
        "months",
        "weeks",
        "days",
    ]
)


def _text(draft: Any) -> str:
    return str(draft.values["text"])


def prose(task: Any, draft: Any) -> str | None:
    """One or two sentences of plain prose: printable ASCII without markup."""
    text = _text(draft)
    if not text.isascii() or not text.isprintable() or re.search(r"[|<>{}\[\]#*_=]", text):
        return "characters that do not belong in English prose"
    return "more than two sentences" if sentence_count(text) > 2 else None


def agrees(task: Any, draft: Any) -> str | None:
    """Every fact of the record is stated, none contradicted, and no other number is given."""
    text = _text(draft)
    findings = facts.find(text, task.condition)
    for finding in findings:
        if not finding.ok:
            return f"{finding.field} {finding.state}"
    return "a number or time that is not in the record" if facts.other_number(text, findings) else None


_NEGATION = re.compile(
    r"\b(?:no|not|never|without|denies|denied|none|nor|negative|free "
    r"of|resolved|unremarkable|normal|\w+n't)\b",
    re.IGNORECASE,
)
_UNABLE = re.compile(r"\b(?:can|could) ?not\b|\b(?:can|could)n't\b", re.IGNORECASE)


def affirmed(task: Any, draft: Any) -> str | None:
    """The complaint is stated, not denied ("cannot sleep" states one)."""
    return "a negation" if _NEGATION.search(_UNABLE.sub(" ", _text(draft))) else None


_KIN = re.compile(
    r"\b(?:mother|father|mom|dad|wife|husband|brothers?|sisters?|sons?|daughters?|friends?|boyfriend"
    r"|girlfriend|uncle|aunt|grand\w+|partner|family|parents?)\b",
    re.IGNORECASE,
)
_FIRST = re.compile(r"\b(?:I|I'm|I've|me|we|our|my)\b", re.IGNORECASE)
_OTHERS = re.compile(r"\b(?:you|your|they|their|them)\b", re.IGNORECASE)
_THIRD = re.compile(r"\b(?:he|she|his|her|him|the patient|patients?)\b", re.IGNORECASE)
_RELATIVE = re.compile(r"^My \d+-year-old \w+", re.IGNORECASE)


def voice(task: Any, draft: Any) -> str | None:
    """One person is spoken of, by the speaker that the style names."""
    style, text = task.condition["style"], _text(draft)
    rest = _RELATIVE.sub("", text) if style == "l2" else text
    if _KIN.search(rest):
        return "another person"
    if style == "l1" and _THIRD.search(text):
        return "the patient should speak"
    if (style != "l1" and _FIRST.search(rest)) or _OTHERS.search(rest):
        return "the wrong person speaks"
    return None


# After "The patient is a 50-year-old man" and "I am a 50-year-old man" the sentence goes on with one of
# these.
_DANGLING = re.compile(
    r"^(?:The patient is|I am|I'm) an? \d+-year-old (?:wo)?man\b"
    r"(?! (?:who|whose|with|and|presenting|admitted|reporting|complaining|suffering|experiencing|having)\b"
    r"|,(?! an? \d))"
)
_WRONG_VERB = re.compile(
    r"\bmarked[.,]"
    r"|; ?(?:which|began|begins|getting|gets|worse|worst|limits|disturbs|comes)\b"
    r"|\b(?:is|are|was|were|be|been|to|that is|which is) (?:disturbs|limits|limited "
    r"daily|comes|began|worsens|begins)\b"
    r"|\b(?:he|she|and|has) (?:limits|disturbs|limited|disturbed) (?:his|her|my|daily)\b"
    r"|,\s*(?:limits|disturbs|disturb|limit|began|comes)\b"
    r"|\b(?:that|which) (?:limit|disturb|come)\b(?! and go\b)|s that comes and goes\b",
    re.IGNORECASE,
)


def wording(most_after: int = 9) -> Test:
    """No words twice, no clause of the record at the wrong verb, no long tail after the last fact."""

    def test(task: Any, draft: Any) -> str | None:
        text = _text(draft)
        tokens = words(text)
        runs = [tuple(tokens[i : i + 4]) for i in range(len(tokens) - 3)]
        pairs = [p for p in pairwise(tokens) if not set(p) & FUNCTION_WORDS]
        if len(runs) != len(set(runs)) or len(pairs) != len(set(pairs)):
            return "the same words twice"
        if _DANGLING.search(text):
            return "an opening that the sentence does not continue"
        if _WRONG_VERB.search(text):
            return "a clause with the wrong verb"
        ends = [end for f in facts.find(text, task.condition) for _, end in f.spans if f.field != "sex"]
        if ends and len(text[max(ends) :].split()) > most_after:
            return f"more than {most_after} words after the last fact"
        return None

    return test


# How every clinical sentence begins: words that say that a patient was seen, not what was seen.
_REPORTING = _FRAME | set(["came", "clinic", "seen", "presents", "reports", "describes"])


def no_exemplar(pool: Sequence[Mapping[str, Any]], run: int = 6, content: int = 2) -> Test:
    """No `run` words in a row of an exemplar, `content` of them telling ones; facts do not count."""
    told = ("age", "duration", "severity", "course")

    def runs_of(text: str, record: Mapping[str, Any]) -> set[tuple[str, ...]]:
        grams = []
        for piece in facts.pieces(text, facts.find(text, record, told)):
            tokens = words(piece)
            grams += [tuple(tokens[i : i + run]) for i in range(len(tokens) - run + 1)]
        return {g for g in grams if sum(w not in _REPORTING for w in g) >= content}

    shown = set().union(*(runs_of(one["text"], one) for one in pool))

    def test(task: Any, draft: Any) -> str | None:
        copied = runs_of(_text(draft), task.condition) & shown
        return f"{run} words in a row from an exemplar" if copied else None

    return test


def stems(text: str) -> list[str]:
    """Porter stems of the words that can tell one concept from another."""
    return [porter_stem(word) for word in words(text) if word not in _FRAME and not word.isdigit()]


class Concepts:
    """Names and synonyms of all phenotype terms, for the checks that look at the meaning."""

    def __init__(self, ontology: Ontology):
        self.ontology = ontology
        self.owners: list[str] = []
        labels: list[str] = []
        self.phrases: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for id in ontology.depths(PHENOTYPES):
            seen: set[tuple[str, ...]] = set()
            for label in ontology[id].labels():
                key = tuple(sorted(set(stems(label))))
                if key and key not in seen:
                    seen.add(key)
                    self.owners.append(id)
                    labels.append(" ".join(key))
                phrase = tuple(words(label))
                if 1 <= len(phrase) <= 4 and (len(phrase) > 1 or len(phrase[0]) > 4):
                    self.phrases[phrase].add(id)
        self.index = Bm25(labels)

    def rank(self, text: str, id: str) -> int | None:
        """1-based rank of a concept for a text (its best label counts; ties are shared), or None."""
        best: dict[str, float] = {}
        for document, score in self.index.search(" ".join(dict.fromkeys(stems(text))), 0):
            best.setdefault(self.owners[document], score)
        mine = best.get(id)
        return None if mine is None else 1 + sum(score > mine + 1e-9 for score in best.values())

    def strange(self, text: str, id: str) -> str | None:
        """A label of a concept that is neither above nor below `id` and not made of its words, or None."""
        near = self.ontology.ancestors(id) | self.ontology.descendants(id) | {id}
        own = {stem for label in self.ontology[id].labels() for stem in stems(label)}
        tokens = words(text)
        for size in range(1, 5):
            for i in range(len(tokens) - size + 1):
                found = self.phrases.get(tuple(tokens[i : i + size]))
                if found and not found & near and set(stems(" ".join(tokens[i : i + size]))) - own:
                    return " ".join(tokens[i : i + size])
        return None


def _body(text: str, record: Mapping[str, Any]) -> str:
    """The text without age, duration, severity and course: those must not decide which concept is found."""
    return facts.without(text, facts.find(text, record, ("age", "duration", "severity", "course")))


def expresses(concepts: Concepts, within: int = 10) -> Test:
    """BM25 over all names and synonyms ranks the concept among the first `within`."""

    def test(task: Any, draft: Any) -> str | None:
        rank = concepts.rank(_body(_text(draft), task.condition), task.condition["concept"])
        if rank is None:
            return "no word of the concept"
        return f"the concept is not among the first {within}" if rank > within else None

    return test


_BODY = frozenset(
    [
        "leg",
        "arm",
        "hand",
        "foot",
        "feet",
        "eye",
        "ear",
        "nose",
        "head",
        "neck",
        "chest",
        "back",
        "knee",
        "hip",
        "wrist",
        "finger",
        "toe",
        "stomach",
        "belly",
        "abdomen",
        "skin",
        "mouth",
        "tongue",
        "throat",
        "heart",
        "lung",
        "liver",
        "kidney",
        "brain",
        "ankle",
        "elbow",
        "shoulder",
        "face",
        "jaw",
        "tooth",
        "teeth",
        "gum",
        "eyelid",
        "eyebrow",
        "calf",
        "thigh",
        "muscle",
        "joint",
        "bone",
        "blood",
        "stool",
        "urine",
        "bladder",
        "rectum",
        "spine",
        "skull",
        "lip",
        "cheek",
        "forehead",
        "thumb",
        "nail",
        "hair",
        "bowel",
    ]
)


def nothing_else(concepts: Concepts) -> Test:
    """No other finding of the ontology and no part of the body that the concept does not name."""

    def known(id: str) -> set[str]:
        terms = [
            concepts.ontology[i]
            for i in (id, *concepts.ontology.ancestors(id))
            if i in concepts.ontology.terms
        ]
        return {stem for t in terms for text in (*t.labels(), t.definition) for stem in stems(text)}

    def test(task: Any, draft: Any) -> str | None:
        id, body = task.condition["concept"], _body(_text(draft), task.condition)
        if concepts.strange(body, id):
            return "another finding"
        related = known(id)
        sites = [
            w
            for w in words(body)
            if (w in _BODY or w.removesuffix("s") in _BODY) and porter_stem(w) not in related
        ]
        return "a part of the body that the concept does not name" if sites else None

    return test


_LIFE = re.compile(
    r"\b(?:born|birth|baby|babies|child|children|infant|congenital|died|dead|death)\b", re.IGNORECASE
)
_HERS = re.compile(r"vagin|uter[iu]|ovar|menstr|pregnan|breast", re.IGNORECASE)
_HIS = re.compile(r"penis|prostat|testic|semen|ejacul", re.IGNORECASE)


def plausible(task: Any, draft: Any) -> str | None:
    """Nothing that a sentence about the present complaint of this adult should not say."""
    text = _text(draft)
    if _LIFE.search(text):
        return "birth, childhood or death"
    return (
        "anatomy of the other sex"
        if (_HERS if task.condition["sex"] == "man" else _HIS).search(text)
        else None
    )
