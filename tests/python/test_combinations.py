"""Groups "combinations" of a schema: only known combinations of values are made, by every method."""

import importlib.util
import math

import pytest
import synthema
from synthema import (
    AnyOrderNetwork,
    Field,
    GaussianCopula,
    GenerationError,
    GroupRule,
    IndependentMarginals,
    ParseError,
    PrivateMarginals,
    Schema,
    SchemaError,
    SequentialTrees,
)

_TORCH = importlib.util.find_spec("torch") is not None
_CHAPTER = {"A00": "I", "A15": "I", "C18": "II", "C50": "II", "J45": "X"}
_DOSE = {"A00": 10, "A15": 25, "C18": 40, "C50": 40, "J45": None}


def _fields() -> list[Field]:
    return [
        Field("code", "category", categories=sorted(_CHAPTER)),
        Field("age", "integer", minimum=0, maximum=120),
        Field("chapter", "category", categories=["I", "II", "X"]),
        Field("dose", "integer", minimum=0, maximum=100),
    ]


def _listed() -> list[list]:
    return [[code, _CHAPTER[code], _DOSE[code]] for code in _CHAPTER]


def _schema(rows=(), fields=("code", "chapter", "dose")) -> Schema:
    group = GroupRule("combinations", list(fields), rows=[list(row) for row in rows])
    return Schema(_fields(), groups=[group])


def _real(rows: int = 1500) -> dict[str, list]:
    codes = [sorted(_CHAPTER)[(i * i) % 7 % 5] for i in range(rows)]
    return {
        "code": codes,
        "age": [20 + (i * 13) % 60 for i in range(rows)],
        "chapter": [_CHAPTER[code] for code in codes],
        "dose": [_DOSE[code] for code in codes],
    }


def _made(table, names=("code", "chapter", "dose")) -> set:
    return set(zip(*(table.values(name) for name in names), strict=True))


_EXACT = [
    pytest.param(lambda: SequentialTrees(), id="trees"),
    pytest.param(lambda: GaussianCopula(), id="copula"),
    pytest.param(lambda: IndependentMarginals(), id="marginals"),
    pytest.param(
        lambda: AnyOrderNetwork(size="small", rounds=2),
        id="network",
        marks=pytest.mark.skipif(not _TORCH, reason="needs torch"),
    ),
]


@pytest.mark.parametrize("make", _EXACT)
def test_only_known_combinations_are_made_whatever_is_asked_for(make, tmp_path):
    known = {tuple(row) for row in _listed()}
    generator = make().fit(_real(), schema=_schema())
    made = generator.sample(600, seed=1)
    assert _made(made) <= known
    assert len(_made(made)) >= 4
    # Conditions on any column, the last of them too.
    for condition in ({"chapter": "II"}, {"dose": 40}, {"code": "J45"}, {"age": 33, "chapter": "I"}):
        some = generator.sample(60, seed=2, conditions=condition)
        assert _made(some) <= known
        assert all(set(some.values(name)) == {value} for name, value in condition.items())
    with pytest.raises(GenerationError, match="contradicts"):
        generator.sample(5, seed=1, conditions={"chapter": "X", "dose": 40})
    # The same from a file.
    generator.save(tmp_path / "model")
    again = type(generator).load(tmp_path / "model").sample(600, seed=1)
    assert again.records() == made.records()
    # What is not known has no likelihood; what is has one.
    rows = {"code": ["A15", "A15"], "age": [40, 40], "chapter": ["I", "II"], "dose": [25, 25]}
    likely, never = generator.log_prob(synthema.table(rows, Schema(_fields())))
    assert math.isfinite(likely)
    assert never == -math.inf
    if hasattr(generator, "impute"):
        holes = {"code": ["C18", "A15"], "age": [50, 51], "chapter": [None, None], "dose": [None, None]}
        filled = generator.impute(synthema.table(holes, Schema(_fields())), seed=1)
        assert _made(filled) == {("C18", "II", 40), ("A15", "I", 25)}


def test_without_the_group_marginals_make_other_combinations():
    made = IndependentMarginals().fit(_real(), schema=Schema(_fields())).sample(600, seed=1)
    assert not _made(made) <= {tuple(row) for row in _listed()}


@pytest.mark.parametrize("make", _EXACT[:3])
def test_a_combination_of_few_people_is_never_made(make):
    real = _real()
    # Both values are frequent; together they are one person's, in ten rows.
    real["code"][:10], real["chapter"][:10] = ["A00"] * 10, ["X"] * 10
    real["person"] = [f"p{max(i, 9)}" for i in range(len(real["code"]))]
    fields = [*_fields(), Field("person", "category", roles=["subject"])]
    schema = Schema(fields, groups=[GroupRule("combinations", ["code", "chapter"])])
    generator = make().fit(real, schema=schema)
    made = generator.sample(3000, seed=1)
    assert ("A00", "X") not in _made(made, ("code", "chapter"))
    assert ["A00", "X"] not in generator.schema.groups[0].rows
    assert ["A00", "I"] in generator.schema.groups[0].rows
    with pytest.raises(GenerationError, match="contradicts"):
        generator.sample(1, conditions={"code": "A00", "chapter": "X"})
    # Five people have it: it is handed on.
    real["person"] = [f"p{i}" for i in range(len(real["code"]))]
    generator = make().fit(real, schema=schema)
    assert ["A00", "X"] in generator.schema.groups[0].rows
    # A list is public: what it has may be made, whoever has it.
    listed = [["A00", "I"], ["A00", "X"], ["C18", "II"]]
    own = Schema(fields, groups=[GroupRule("combinations", ["code", "chapter"], rows=listed)])
    made = _made(make().fit(real, schema=own).sample(3000, seed=1), ("code", "chapter"))
    assert made <= {tuple(row) for row in listed}
    # The copula follows a rank correlation, which ten rows hardly move.
    assert ("A00", "X") in made or make().name == "gaussian_copula"


@pytest.mark.parametrize("make", _EXACT[:3])
def test_sets_that_leave_nothing_are_refused_before_a_sample(make):
    def refuse(schema, what):
        with pytest.raises(GenerationError, match=what):
            make().fit(_real(), schema=schema)

    refuse(_schema([["A00", "X"]], ("code", "chapter")), "No row of the table has one of the 1 combinations")
    one_row = _real()
    one_row["dose"][4], one_row["code"][4], one_row["chapter"][4] = 25, "A00", "I"
    with pytest.raises(GenerationError, match="Fewer than 5 people"):
        make().fit(one_row, schema=_schema([["A00", "I", 25]]))
    # Two groups without a common row, and one that a rule excludes.
    groups = [
        GroupRule("combinations", ["code", "chapter"], rows=[["A00", "I"]]),
        GroupRule("combinations", ["chapter", "dose"], rows=[["II", 40]]),
    ]
    refuse(Schema(_fields(), groups=groups), "combinations of 'code', 'chapter'.*'chapter', 'dose'")
    rule = synthema.FieldRule("chapter", "code", labels=["A00"], categories=["II"])
    refuse(
        Schema(_fields(), rules=[rule], groups=[groups[0]]), "exclude all 1 combinations of 'code', 'chapter'"
    )
    alone = _real()
    alone["age"] = list(range(len(alone["code"])))
    fields = [*_fields()[:1], Field("age", "integer"), *_fields()[2:]]
    with pytest.raises(GenerationError, match=r"belongs to 5 people|drawn afresh"):
        make().fit(
            {**alone, "age": [i // 2 for i in alone["age"]]},
            schema=Schema(fields, groups=[GroupRule("combinations", ["code", "age"])]),
        )


def test_combinations_that_rules_exclude_are_taken_away():
    rule = synthema.FieldRule("chapter", "code", labels=["C18", "C50"], categories=["I", "X"])
    generator = SequentialTrees().fit(
        _real(), schema=Schema(_fields(), rules=[rule], groups=_schema().groups)
    )
    made = generator.sample(300, seed=1)
    assert _made(made) == {("A00", "I", 10), ("A15", "I", 25), ("J45", "X", None)}
    with pytest.raises(GenerationError, match="contradicts"):
        generator.sample(1, conditions={"chapter": "II"})


def test_under_differential_privacy_combinations_are_listed_or_refused():
    with pytest.raises(GenerationError, match="not read for nothing: list"):
        PrivateMarginals(epsilon=1).fit(_real(), schema=_schema())
    # So little budget that noise decides what goes together, and still nothing unknown is made.
    known = {tuple(row) for row in _listed()}
    private = PrivateMarginals(epsilon=0.2, delta=1e-6)
    private.fit(_real(), schema=_schema(_listed()), _test_noise=1)
    assert _made(private.sample(400, seed=1)) <= known
    assert _made(private.sample(50, seed=1, conditions={"code": "C50"})) == {("C50", "II", 40)}
    rows = {"code": ["A15", "A15"], "age": [40, 40], "chapter": ["I", "II"], "dose": [25, 25]}
    likely, never = private.log_prob(synthema.table(rows, Schema(_fields())))
    assert math.isfinite(likely)
    assert never == -math.inf


@pytest.mark.skipif(not _TORCH, reason="needs torch")
def test_a_private_network_keeps_listed_combinations():
    with pytest.raises(GenerationError, match="not read for nothing"):
        AnyOrderNetwork(epsilon=1).fit(_real(), schema=_schema())
    private = AnyOrderNetwork(size="small", epsilon=1, steps=5).fit(_real(), schema=_schema(_listed()))
    made = private.sample(300, seed=1)
    assert _made(made) <= {tuple(row) for row in _listed()}
    assert len(_made(made)) > 2


def test_a_schema_says_what_is_wrong_with_a_list():
    def refuse(what, fields=("code", "chapter"), rows=(), kind="combinations"):
        with pytest.raises(SchemaError, match=what):
            Schema(_fields(), groups=[GroupRule(kind, list(fields), rows=[list(r) for r in rows])])

    refuse("too few fields", fields=["code"])
    refuse("1 values in its row 1, but 2 fields", rows=[["A00", "I"], ["A15"]])
    refuse("'A01' for 'code', which is not among", rows=[["A01", "I"]])
    refuse("a value of kind integer for 'code'", rows=[[1, "I"]])
    refuse("has no rows; leave them out", kind="unique", rows=[["A00", "I"]])
    schema = _schema(_listed())
    assert Schema.from_json(schema.to_json()) == schema
    assert schema.groups[0].rows == _listed()
    broken = schema.to_json().replace('"rows":[', '"rows":[3,')
    with pytest.raises(ParseError, match="list of values"):
        Schema.from_json(broken)


def test_plausibility_counts_rows_that_have_another_combination():
    real = synthema.table(_real(), _schema())
    rows = _real(100)
    rows["chapter"][0] = "X"
    rows["dose"][1] = 11
    made = synthema.table(rows, Schema(_fields()))
    score = synthema.evaluate(made, real, metrics=["schema_plausibility"])["schema_plausibility"]
    assert score.value == pytest.approx(0.98)
    assert any("a known combination of code, chapter, dose" in part.name for part in score.parts)
    # Listed: the real rows are not asked.
    listed = synthema.table(_real(), _schema(_listed()[:4]))
    other = synthema.evaluate(made, listed, metrics=["schema_plausibility"])["schema_plausibility"]
    assert other.value < 0.98
