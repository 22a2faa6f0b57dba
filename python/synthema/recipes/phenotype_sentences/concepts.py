"""Which phenotype concepts a sentence about an adult patient can express, chosen by rules and by seed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthema._core import Random
from synthema.ontology import Ontology, Term

PHENOTYPES = "HP:0000118"  # "Phenotypic abnormality"

# Branches whose terms a patient notices or is told about: nervous system, pain, bleeding, eye, ear, ... (not
# growth, blood chemistry, shape of bones).
BRANCHES = frozenset(
    [
        "HP:0025142",
        "HP:0012531",
        "HP:0001892",
        "HP:0012373",
        "HP:0031704",
        "HP:0012638",
        "HP:0025276",
        "HP:0011122",
        "HP:0011025",
        "HP:0002795",
        "HP:0025032",
        "HP:0011843",
        "HP:0000080",
        "HP:0011277",
        "HP:0002719",
        "HP:0012649",
    ]
)

# A name with one of these cannot be the complaint of an adult of either sex, or carries a degree, course or
# side of its own that could contradict the record.
UNSUITABLE = {
    "laboratory and tests": (
        "circulating serum plasma concentration level activity enzym count ratio EEG EMG MRI biopsy "
        "electro potential reflex pathologic"
    ),
    "development and age": (
        "congenital neonat infan fetal prenatal antenatal child juvenile adult onset birth puberty "
        "puberal develop milestone delay intellectual autis language speech school suck anatomical stage "
        "grade"
    ),
    "form and growth": (
        "abnormal anomal morpholog aplasia hypoplas dysplas agenesis absent absence atresia phalan "
        "epiphys neoplasm tumou?r carcinom cancer synostosis stenosis camptodact buphthalm wasting "
        "nodule"
    ),
    "sex and reproduction": (
        "birth pregnan sexual genital penile penis vagin uter menstr menorr menopaus ovar testi prostat "
        "erecti ejacul labo[u]?r lactat breast scrot spermia impotence mastalgia"
    ),
    "degree, course and side": (
        "mild moderate severe profound chronic acute recurrent episodic intermittent progressive "
        "bilateral unilateral persistent frequent transient increased decreased reduced elevated "
        "prolonged impaired type status atypical"
    ),
    "cause and outcome": (
        r"induced due\sto associated history death mortality infarct arrest suicid self- homicid loss\sof "
        "function"
    ),
    "words that no reader expects": (
        "paraphil grammar opsia tanopia myopia hypermetr block aura trait chilblain mycetoma synkines "
        r"contracture salmonella fish\sodor tetrapl uria$ \d / \( ,"
    ),
}
_UNSUITABLE = re.compile(
    "|".join(word for words in UNSUITABLE.values() for word in words.split()), re.IGNORECASE
)
_YOUNG = re.compile(
    r"\b(?:infants?|newborn|child|children|neonat\w*|fetal|fetus|birth|congenital|developmental "
    r"milestone|adolescen\w*)\b",
    re.IGNORECASE,
)
_VAGUE_LAY = re.compile(r"abnormal|decreased|increased|malform|[,/]", re.IGNORECASE)
_NO_NOUN = re.compile(r"(?:ble|ic|ive|sleepy|easily.*|inability.*|unaware.*)$", re.IGNORECASE)


@dataclass(frozen=True)
class Concept:
    """A concept and what it is called in clinical and in everyday words."""

    id: str
    name: str
    lay_name: str


def _lay_names(term: Term) -> list[str]:
    return [
        text
        for text in term.lay_synonyms()
        if text.isascii()
        and len(text.split()) <= 5
        and text.lower() != term.name.lower()
        and not _VAGUE_LAY.search(text)
    ]


def suitable(term: Term, depth: int | None) -> bool:
    """Whether a sentence about an adult can express the term; `depth` is its distance below `PHENOTYPES`."""
    return (
        depth is not None
        and 3 <= depth <= 9
        and bool(term.definition)
        and term.definition.isascii()
        and not _YOUNG.search(term.definition)
        and len(term.name) <= 40
        and len(term.name.split()) <= 4
        and not _UNSUITABLE.search(term.name)
        and bool(_lay_names(term))
    )


def _concept(term: Term) -> Concept:
    lay = next((text for text in _lay_names(term) if not _NO_NOUN.search(text)), term.name)
    return Concept(term.id, term.name, lay.lower())


def select(ontology: Ontology, shown: frozenset[str] = frozenset()) -> list[Concept]:
    """All suitable concepts in order of their identifiers, without those that exemplars show."""
    depths = ontology.depths(PHENOTYPES)
    return [
        _concept(term)
        for term in sorted(ontology.terms.values(), key=lambda t: t.id)
        if term.id not in shown
        and suitable(term, depths.get(term.id))
        and ontology.ancestors(term.id) & BRANCHES
    ]


def ordered(concepts: list[Concept], seed: int) -> list[Concept]:
    """The concepts in an order that only the seed decides; row r takes concept r modulo n."""
    return list(Random(seed).stream(2**63).sample(concepts, len(concepts)))
