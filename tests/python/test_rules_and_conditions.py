"""What rules and conditions force together counts as any condition does: dependent columns follow it."""

from itertools import pairwise

import numpy as np
import pytest
from synthema import (
    ConfigError,
    Field,
    FieldRule,
    GaussianCopula,
    GenerationError,
    GroupRule,
    IndependentMarginals,
    PrivateMarginals,
    Schema,
    SequentialTrees,
    table,
)

ROWS = 3000


def _stages() -> dict:
    random = np.random.default_rng(3)
    stage = random.choice(4, ROWS, p=[0.6, 0.2, 0.13, 0.07])
    x = np.round(random.normal(size=ROWS) + stage, 2)
    return {"x": x} | {f"s{k}": stage == k for k in range(4)}


def _exclusive() -> dict:
    x = np.round(np.random.default_rng(4).normal(size=ROWS), 2)
    return {"x": x, "e1": (x > 1).astype(int), "e2": ((x <= 1) & (x > 0.3)).astype(int)}


def _sum() -> dict:
    random = np.random.default_rng(5)
    x = np.round(random.normal(size=ROWS), 2)
    p, q = random.poisson(3 + 2 * np.clip(x, 0, None)), random.poisson(2, ROWS)
    return {"x": x, "p": p, "q": q, "t": p + q}


def _order() -> dict:
    random = np.random.default_rng(6)
    x = np.round(random.normal(size=ROWS), 2)
    a = np.round(20 + 3 * x).astype(int)
    return {"x": x, "a": a, "b": a + random.poisson(2, ROWS)}


def _order_from_ten() -> dict:
    random = np.random.default_rng(8)
    x = np.round(random.normal(size=ROWS), 2)
    a = np.clip(np.round(9 + 4 * x), 0, 20).astype(int)
    return {"x": x, "a": a, "b": np.where(a >= 10, a + random.poisson(2, ROWS), random.integers(0, 8, ROWS))}


def _codes() -> dict:
    random = np.random.default_rng(7)
    code = random.choice(["A1", "A2", "B1", "B2"], ROWS, p=[0.5, 0.2, 0.2, 0.1])
    x = np.round(random.normal(size=ROWS) + np.char.endswith(code, "2") + 2 * (code >= "B"), 2)
    return {"x": x, "code": code, "chapter": [c[0] for c in code]}


CODES = [["A1", "A"], ["A2", "A"], ["B1", "B"], ["B2", "B"]]
CASES = {
    "one_hot": (_stages, {"s2": True}),
    "one_hot, some not set": (_stages, {"s0": False, "s1": False}),
    "exclusive": (_exclusive, {"e2": 1}),
    "sum, few": (_sum, {"t": 4}),
    "sum, many": (_sum, {"t": 9}),
    "order": (_order, {"b": 18}),
    "order, from ten on": (_order_from_ten, {"b": 4}),
    "combinations": (_codes, {"chapter": "B"}),
}
RULES = {
    _stages: {"groups": [GroupRule("one_hot", ["s0", "s1", "s2", "s3"])]},
    _exclusive: {"groups": [GroupRule("exclusive", ["e1", "e2"])]},
    _sum: {"groups": [GroupRule("sum", ["p", "q"], total="t")]},
    _order: {"rules": [FieldRule("b", "a", relation=">=")]},
    _order_from_ten: {"rules": [FieldRule("b", "a", lowest=10, relation=">=")]},
    _codes: {"groups": [GroupRule("combinations", ["code", "chapter"], rows=CODES)]},
}


def _schema(table, columns: dict) -> Schema:
    kinds = {"f": "real", "b": "boolean", "i": "integer", "U": "category"}
    fields = [Field(name, kinds[np.asarray(v).dtype.kind]) for name, v in columns.items()]
    return Schema(fields, **RULES[table])


def _same_mean(conditional: np.ndarray, joint: np.ndarray, errors: float = 4.0) -> None:
    assert len(joint) >= 100
    error = np.sqrt(conditional.var() / len(conditional) + joint.var() / len(joint))
    assert abs(conditional.mean() - joint.mean()) < errors * error


def _where(sample, condition: dict) -> np.ndarray:
    meets = np.all([np.asarray(sample.values(k)) == v for k, v in condition.items()], axis=0)
    x = np.asarray(sample.values("x"), float)[meets]
    return x[~np.isnan(x)]  # noisy models have missing ones


@pytest.mark.parametrize("name", CASES)
def test_trees_follow_what_conditions_force(name: str) -> None:
    table, condition = CASES[name]
    columns = table()
    trees = SequentialTrees(particles=100).fit(columns, schema=_schema(table, columns))
    assert trees.order[0] == "x"
    joint = _where(trees.sample(20_000, seed=1), condition)
    _same_mean(_where(trees.sample(800, seed=2, conditions=condition), condition), joint)


def test_two_spellings_of_one_event_agree() -> None:
    columns = _stages()
    trees = SequentialTrees(particles=200).fit(columns, schema=_schema(_stages, columns))
    spellings = [{"s3": True}, {"s0": False, "s1": False, "s2": False}]
    samples = [trees.sample(800, seed=4, conditions=c) for c in spellings]
    for sample in samples:
        assert all(sample.values("s3"))
    first, second = (np.asarray(sample.values("x"), float) for sample in samples)
    _same_mean(first, second)
    _same_mean(first, _where(trees.sample(20_000, seed=1), spellings[0]))


def test_imputation_and_balance_follow_a_member_of_a_group() -> None:
    columns = _stages()
    schema = _schema(_stages, columns)
    trees = SequentialTrees(particles=100).fit(columns, schema=schema)
    joint = _where(trees.sample(20_000, seed=1), {"s2": True})
    known = {name: [None] * 800 for name in columns} | {"s2": [True] * 800}
    filled = trees.impute(known, seed=2)
    assert not any(filled.values("s0"))
    _same_mean(np.asarray(filled.values("x"), float), joint)
    balanced = trees.sample(1600, seed=3, balance={"s2": {True: 0.5, False: 0.5}})
    _same_mean(_where(balanced, {"s2": True}), joint)


@pytest.mark.filterwarnings("ignore:An epsilon of")  # next to no noise: what is left is the method
@pytest.mark.parametrize("name", CASES)
def test_private_marginals_follow_what_conditions_force(name: str) -> None:
    table, condition = CASES[name]
    columns = table()
    schema = _schema(table, columns)
    private = PrivateMarginals(epsilon=50, delta=1e-5, infer=True)
    private.fit(columns, schema=schema, _test_noise=1)
    joint = _where(private.sample(20_000, seed=1), condition)
    _same_mean(_where(private.sample(800, seed=2, conditions=condition), condition), joint, 5)


def _shares(sample, names: list) -> np.ndarray:
    return np.asarray([np.mean([bool(v) for v in sample.values(name)]) for name in names])


@pytest.mark.parametrize("method", [IndependentMarginals, GaussianCopula, SequentialTrees])
@pytest.mark.parametrize("table", [_stages, _exclusive])
def test_members_of_groups_keep_their_shares(method, table) -> None:
    columns = table()
    names = [name for name in columns if name != "x"]
    real = np.asarray([np.mean(columns[name]) for name in names])
    fitted = method().fit(columns, schema=_schema(table, columns))
    made = _shares(fitted.sample(10_000, seed=1), names)
    assert np.abs(made - real).max() < 4 * np.sqrt(0.25 / 10_000 + 0.25 / ROWS)


@pytest.mark.parametrize("method", [IndependentMarginals, GaussianCopula])
def test_open_members_keep_their_odds_under_conditions(method, tmp_path) -> None:
    columns = _stages()
    names = ["s0", "s1", "s2", "s3"]
    real = np.asarray([np.mean(columns[name]) for name in names])
    fitted = method().fit(columns, schema=_schema(_stages, columns))
    # In the copula x follows a member that is not set as if it were always open, and the others follow x.
    allowed = 0.04 if method is GaussianCopula else 4 * np.sqrt(0.25 / 10_000)
    for unset in (["s1"], ["s2", "s3"], ["s1", "s3"], ["s0"]):
        sample = fitted.sample(10_000, seed=1, conditions=dict.fromkeys(unset, False))
        odds = np.where(np.isin(names, unset), 0, real)
        made = _shares(sample, names)
        assert np.abs(made - odds / odds.sum()).max() < allowed, unset
    sample = fitted.sample(2000, seed=2)
    assert np.all(np.isfinite(fitted.log_prob(sample)))
    again = method.load(fitted.save(tmp_path / "model"))
    assert again.sample(2000, seed=2).digest() == sample.digest()


def _numbers(sample, column: str) -> np.ndarray:
    codes = (100 * ord(v[0]) + ord(v[-1]) if isinstance(v, str) else v for v in sample.values(column))
    return np.asarray(list(codes), float)


@pytest.mark.parametrize("method", [IndependentMarginals, GaussianCopula])
@pytest.mark.parametrize("name", CASES)
def test_conditioned_rows_are_those_of_the_joint_rows_that_meet_the_condition(method, name: str) -> None:
    table, condition = CASES[name]
    columns = table()
    fitted = method().fit(columns, schema=_schema(table, columns))
    joint = fitted.sample(40_000, seed=1)
    asked = fitted.sample(3000, seed=2, conditions=condition)
    meets = np.all([np.asarray(joint.values(k)) == v for k, v in condition.items()], axis=0)
    for column in columns:
        found, wanted = _numbers(asked, column), _numbers(joint, column)[meets]
        if wanted.std() == 0:
            assert (found == wanted[0]).all(), column
        else:
            _same_mean(found, wanted)


def _same_shares(sample, names: list[str], likely: dict) -> None:
    """Combinations of values have shares in proportion to `likely`."""
    rows = list(zip(*(sample.values(name) for name in names), strict=True))
    total = sum(likely.values())
    assert set(rows) <= {row for row, weight in likely.items() if weight > 0}
    for row, weight in likely.items():
        share = weight / total
        assert (
            abs(rows.count(row) / len(rows) - share) < 4.5 * np.sqrt(share * (1 - share) / len(rows)) + 1e-9
        )


def _marginal(values) -> dict:
    kinds, counts = np.unique(values, return_counts=True)
    return dict(zip(kinds.tolist(), (counts / counts.sum()).tolist(), strict=True))


def _ordered(*names: str) -> Schema:
    """Each at least as large as the one before it."""
    rules = [FieldRule(b, a, relation=">=") for a, b in pairwise(names)]
    return Schema([Field(name, "integer") for name in names], rules=rules)


def test_marginals_given_the_later_of_two_numbers_in_order() -> None:
    random = np.random.default_rng(1)
    a, b = np.sort(random.integers(0, 20, (2, ROWS)), axis=0)
    marginals = IndependentMarginals().fit({"a": a, "b": b}, schema=_ordered("a", "b"))
    of_a, of_b = _marginal(a), _marginal(b)
    for later in (3, 10, 19):
        # b is drawn from what a leaves of it, so a low a makes each b rarer.
        likely = {
            (v,): share / sum(of_b[w] for w in of_b if w >= v) for v, share in of_a.items() if v <= later
        }
        _same_shares(marginals.sample(6000, seed=later, conditions={"b": later}), ["a"], likely)


def test_marginals_given_the_last_of_a_chain_or_what_stands_between() -> None:
    a, b, c = np.sort(np.random.default_rng(2).integers(0, 4, (3, ROWS)), axis=0)
    marginals = IndependentMarginals().fit({"a": a, "b": b, "c": c}, schema=_ordered("a", "b", "c"))
    of = {n: _marginal(v) for n, v in (("a", a), ("b", b), ("c", c))}

    def above(name: str, low: int) -> float:
        return sum(share for value, share in of[name].items() if value >= low)

    def likely(i: int, j: int, k: int) -> float:
        ordered = i <= j <= k
        return of["a"][i] * of["b"][j] / above("b", i) * of["c"][k] / above("c", j) if ordered else 0.0

    for last in (0, 2, 3):
        sample = marginals.sample(6000, seed=last, conditions={"c": last})
        _same_shares(sample, ["a", "b"], {(i, j): likely(i, j, last) for i in range(4) for j in range(4)})
    sample = marginals.sample(6000, seed=4, conditions={"b": 2})
    _same_shares(sample, ["a", "c"], {(i, k): likely(i, 2, k) for i in range(4) for k in range(4)})


def test_marginals_given_a_total_of_dice() -> None:
    dice = np.random.default_rng(3).integers(1, 7, (3, ROWS))
    columns = dict(zip("pqr", dice, strict=True)) | {"t": dice.sum(axis=0)}
    fields = [Field(n, "integer") for n in columns]
    schema = Schema(fields, groups=[GroupRule("sum", ["p", "q", "r"], total="t")])
    marginals = IndependentMarginals().fit(columns, schema=schema)
    p, q, r = (_marginal(v) for v in dice)
    for total in (4, 10, 17):
        likely = {
            (i, j, total - i - j): p[i] * q[j] * r.get(total - i - j, 0.0)
            for i in range(1, 7)
            for j in range(1, 7)
        }
        sample = marginals.sample(6000, seed=total, conditions={"t": total})
        _same_shares(sample, ["p", "q", "r"], likely)


def test_marginals_given_a_code_of_which_the_ward_leaves_several() -> None:
    random = np.random.default_rng(4)
    pairs = [["u", "A1"], ["u", "A2"], ["v", "A2"], ["v", "B1"], ["v", "B2"], ["u", "B2"]]
    drawn = random.choice(6, ROWS, p=[0.3, 0.1, 0.2, 0.2, 0.1, 0.1])
    ward, code = (np.asarray(pairs)[drawn, k] for k in (0, 1))
    groups = [GroupRule("combinations", ["ward", "code"], rows=pairs)]
    schema = Schema([Field("ward", "category"), Field("code", "category")], groups=groups)
    marginals = IndependentMarginals().fit({"ward": ward, "code": code}, schema=schema)
    wards, codes = _marginal(ward), _marginal(code)
    for wanted in ("A2", "B2"):
        likely = {
            (w,): wards[w] / sum(codes[c] for other, c in pairs if other == w)
            for w, c in pairs
            if c == wanted
        }
        _same_shares(marginals.sample(6000, seed=1, conditions={"code": wanted}), ["ward"], likely)


def test_a_missing_number_says_nothing_of_a_later_one() -> None:
    random = np.random.default_rng(4)
    a = random.integers(0, 4, ROWS)
    b = a + random.integers(0, 3, ROWS)
    missing = random.random(ROWS) < 0.3
    columns = {"a": [None if m else int(v) for m, v in zip(missing, a, strict=True)], "b": b}
    marginals = IndependentMarginals().fit(columns, schema=_ordered("a", "b"))
    of_a, of_b = _marginal(a[~missing]), _marginal(b)
    there = 1 - missing.mean()
    likely = {(v,): there * s / sum(of_b[w] for w in of_b if w >= v) for v, s in of_a.items() if v <= 2}
    likely[(None,)] = missing.mean()
    _same_shares(marginals.sample(6000, seed=1, conditions={"b": 2}), ["a"], likely)


def test_marginals_weigh_missing_values_by_how_often_they_are_drawn() -> None:
    a, b, c = np.sort(np.random.default_rng(5).integers(0, 6, (3, ROWS)), axis=0)
    missing = np.random.default_rng(6).random(ROWS) < 0.3
    columns = {"a": a, "b": [None if m else int(v) for m, v in zip(missing, b, strict=True)], "c": c}
    marginals = IndependentMarginals().fit(columns, schema=_ordered("a", "b", "c"))
    of_a, of_b, of_c = _marginal(a), _marginal(b[~missing]), _marginal(c)
    gone = missing.mean()

    def from_on(of: dict, low: int) -> float:
        return sum(share for value, share in of.items() if value >= low)

    # A number that is there had to be so, and follows from what the other leaves of the numbers.
    fixed = marginals.sample(6000, seed=1, conditions={"b": 4})
    _same_shares(fixed, ["a"], {(v,): s / from_on(of_b, v) for v, s in of_a.items() if v <= 4})
    # One that is free is missing as often as ever.
    likely: dict = {(i, None): of_a[i] * gone * of_c[4] for i in of_a}
    for i in of_a:
        for j in range(i, 5):
            drawn = (1 - gone) * of_b.get(j, 0) / from_on(of_b, i)
            likely[i, j] = of_a[i] * drawn * of_c[4] / from_on(of_c, j)
    _same_shares(marginals.sample(6000, seed=1, conditions={"c": 4}), ["a", "b"], likely)


def test_the_copula_given_the_later_of_two_numbers_in_order() -> None:
    # b is uniform above a, whatever a is: a given b is in proportion to 1 / (20 - a).
    random = np.random.default_rng(5)
    a = random.integers(0, 20, 20_000)
    b = a + np.floor(random.random(20_000) * (20 - a)).astype(int)
    x = a + random.normal(size=20_000).round(1)
    fields = [Field("x", "real"), Field("a", "integer"), Field("b", "integer")]
    schema = Schema(fields, rules=[FieldRule("b", "a", relation=">=")])
    copula = GaussianCopula().fit({"x": x, "a": a, "b": b}, schema=schema)
    for later in (4, 12, 19):
        sample = copula.sample(5000, seed=later, conditions={"b": later})
        found = np.asarray(sample.values("a"), float)
        assert found.max() <= later
        values = np.arange(later + 1)
        likely = 1 / (20 - values)
        likely /= likely.sum()
        mean = (likely * values).sum()
        spread = np.sqrt((likely * values**2).sum() - mean**2)
        assert abs(found.mean() - mean) < 0.03 * (later + 1) + 4 * spread / np.sqrt(5000)
        assert abs(np.mean(np.asarray(sample.values("x"), float) - found)) < 0.25


METHODS = [IndependentMarginals, GaussianCopula, SequentialTrees]


def _with_people(kind: str, people: int) -> tuple[dict, int]:
    """A number `b` that so many people have, in a gap of the others', with an `a` of 3."""
    random = np.random.default_rng(5)
    if kind == "measured":
        wanted, b = 41, random.choice([v for v in range(20, 61) if v != 41], ROWS)
        a = np.clip(b - random.integers(0, 30, ROWS), 0, None)
    else:
        wanted, b = 30, random.choice([5, 10, 20, 50, 100], ROWS)
        a = np.minimum(b, random.choice([0, 1, 5, 10, 20, 40], ROWS))
    return {"a": np.append(a, [3] * people), "b": np.append(b, [wanted] * people)}, wanted


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["measured", "list"])
def test_rows_do_not_tell_how_many_of_few_people_have_what_is_asked_for(method, kind: str) -> None:
    means = []
    for people in (0, 1, 2):
        columns, wanted = _with_people(kind, people)
        fitted = method().fit(columns, schema=_ordered("a", "b"))
        found = np.asarray(fitted.sample(4000, seed=1, conditions={"b": wanted}).values("a"), float)
        means.append(found.mean() / np.std(columns["a"]))
    assert max(means) - min(means) < 0.12, means


@pytest.mark.parametrize("method", [IndependentMarginals, GaussianCopula])
def test_parts_of_a_total_do_not_tell_a_single_person(method) -> None:
    random = np.random.default_rng(7)
    p, q = random.choice(30, ROWS), random.choice([v for v in range(20, 61) if v != 41], ROWS)
    schema = Schema([Field(n, "integer") for n in "pqt"], groups=[GroupRule("sum", ["p", "q"], total="t")])
    shares = []
    for people in (0, 1, 2):
        columns = {"p": np.append(p, [9] * people), "q": np.append(q, [41] * people)}
        columns["t"] = columns["p"] + columns["q"]
        fitted = method().fit(columns, schema=schema)
        found = np.asarray(fitted.sample(6000, seed=1, conditions={"t": 55}).values("q"))
        shares.append(np.mean(found == 41))
    assert max(shares) < 0.003, shares  # the others have .034 each


@pytest.mark.parametrize("method", [SequentialTrees, IndependentMarginals, GaussianCopula])
def test_a_total_may_be_asked_for_wherever_its_parts_lead(method) -> None:
    random = np.random.default_rng(1)
    a = random.integers(0, 10, 400)
    b = np.where(a == 9, random.integers(0, 6, 400), random.integers(0, 10, 400))
    columns = {"a": a, "b": b, "t": a + b}
    fields = [Field(name, "integer") for name in columns]
    fitted = method().fit(columns, schema=Schema(fields, groups=[GroupRule("sum", ["a", "b"], total="t")]))
    made = fitted.sample(30, seed=1, conditions={"t": 18})  # which no row has
    assert set(zip(made.values("a"), made.values("b"), made.values("t"), strict=True)) == {(9, 9, 18)}
    for beyond in (19, -1):
        with pytest.raises(GenerationError, match="outside of what samples have"):
            fitted.sample(1, conditions={"t": beyond})


@pytest.mark.parametrize("method", [IndependentMarginals, GaussianCopula])
@pytest.mark.parametrize("people", [0, 1, 2])
def test_what_nobody_has_between_two_numbers_can_be_asked_for(method, people: int) -> None:
    random = np.random.default_rng(6)
    b = random.choice([v for v in range(20, 61) if abs(v - 41) > 2], ROWS)
    a, c = np.clip(b - random.integers(0, 30, ROWS), 0, None), b + random.integers(0, 30, ROWS)
    columns = {
        "a": np.append(a, [30] * people),
        "c": np.append(c, [50] * people),
        "b": np.append(b, [41] * people),
    }
    rules = [FieldRule("b", "a", relation=">="), FieldRule("b", "c", relation="<=")]
    fitted = method().fit(columns, schema=Schema([Field(n, "integer") for n in columns], rules=rules))
    sample = fitted.sample(2000, seed=1, conditions={"b": 41})
    low, high = (np.asarray(sample.values(n), float) for n in "ac")
    assert ((low <= 41) & (high >= 41)).all()
    narrow = np.mean(high - low <= 4)  # windows that lie in the gap
    assert narrow < 0.2
    assert low.std() > 3
    assert high.std() > 3


@pytest.mark.parametrize("method", [IndependentMarginals, GaussianCopula])
def test_columns_that_rules_bind_pairwise_end(method) -> None:
    names = "abcdef"
    columns = dict(
        zip(names, np.sort(np.random.default_rng(8).integers(0, 1000, (6, ROWS)), axis=0), strict=True)
    )
    rules = [FieldRule(b, a, relation=">=") for i, a in enumerate(names) for b in names[i + 1 :]]
    schema = Schema([Field(n, "integer") for n in names], rules=rules)
    fitted = method().fit(columns, schema=schema)
    sample = fitted.sample(100, seed=1, conditions={"f": 700})
    made = np.asarray([sample.values(n) for n in names])
    assert (made[5] == 700).all()
    assert (np.diff(made, axis=0) >= 0).all()
    assert len(np.unique(made[0])) > 30


@pytest.mark.parametrize("method", [IndependentMarginals, GaussianCopula])
def test_a_total_of_real_parts_ends(method) -> None:
    parts = np.random.default_rng(9).gamma(2, 3, (5, ROWS))
    columns = {f"p{i}": part for i, part in enumerate(parts)} | {"t": parts.sum(axis=0)}
    groups = [GroupRule("sum", [f"p{i}" for i in range(5)], total="t")]
    schema = Schema([Field(n, "real") for n in columns], groups=groups)
    fitted = method().fit(columns, schema=schema)
    total = float(np.median(columns["t"]))
    sample = fitted.sample(500, seed=1, conditions={"t": total})
    made = np.asarray([sample.values(f"p{i}") for i in range(5)], float)
    assert np.allclose(made.sum(axis=0), total)
    assert (np.abs(made.mean(axis=1) / total - 0.2) < 0.04).all()  # no part is favoured


def test_a_combination_of_one_column_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="'code' twice"):
        SequentialTrees(combinations=[["code", "code"]])


def test_refused_draws_do_not_become_missing():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 100, 2000)
    there = rng.random(2000) < 0.7
    second = [
        int(a + stay) if is_there else None
        for a, stay, is_there in zip(first, rng.geometric(0.05, 2000), there, strict=True)
    ]
    schema = Schema(
        [Field("first", "integer"), Field("second", "integer", nullable=True)],
        rules=[FieldRule("second", "first", relation=">=")],
    )
    for cls in (SequentialTrees, GaussianCopula, IndependentMarginals):
        generator = cls().fit({"first": first.tolist(), "second": second}, schema=schema)
        made = generator.sample(10_000, seed=1)
        assert made.null_count("second") / 10_000 == pytest.approx(1 - there.mean(), abs=0.02)


def test_trees_keep_the_distance_of_ordered_numbers(tmp_path):
    rng = np.random.default_rng(0)
    first = rng.integers(0, 1825, 1000)
    sick = rng.random(1000) < 0.3
    stay = np.where(sick, 20, 0) + rng.geometric(0.2, 1000)
    there = rng.random(1000) < 0.8
    second = [int(a + b) if is_there else None for a, b, is_there in zip(first, stay, there, strict=True)]
    real = {"sick": sick.tolist(), "first": first.tolist(), "second": second}
    schema = Schema(
        [Field("sick", "boolean"), Field("first", "integer"), Field("second", "integer", nullable=True)],
        rules=[FieldRule("second", "first", relation=">")],
    )
    trees = SequentialTrees().fit(real, schema=schema)

    def stays(made, which):
        return [
            one["second"] - one["first"]
            for one in made.records()
            if one["sick"] is which and one.get("second") is not None
        ]

    made = trees.sample(4000, seed=1)
    assert made.null_count("second") / 4000 == pytest.approx(0.2, abs=0.03)
    for which in (False, True):
        assert min(stays(made, which)) > 0
        real_mean = stay[(sick == which) & there].mean()
        assert np.mean(stays(made, which)) == pytest.approx(real_mean, abs=1.0)
    again = SequentialTrees.load(trees.save(tmp_path / "model"))
    assert again.sample(4000, seed=1).digest() == made.digest()
    # What is fixed behind weighs what stands before it, as far as candidates reach.
    near = SequentialTrees(particles=2000).fit(real, schema=schema)
    asked = near.sample(200, seed=2, conditions={"second": [1000] * 200})
    assert np.mean([1000 - one["first"] for one in asked.records()]) == pytest.approx(stay.mean(), abs=8)
    holes = {"sick": [False] * 50, "first": [500] * 50, "second": [None] * 50}
    filled = trees.impute(table(holes, schema), seed=1)
    assert all(500 < one["second"] < 560 for one in filled.records())
    # Densities are a distribution, but for the places of single people.
    grid = {"sick": [True] * 80, "first": [600] * 80, "second": list(range(601, 681))}
    logs = trees.log_prob(table(grid, schema))
    alone = trees.log_prob(table({"sick": [True], "first": [600], "second": [None]}, schema))
    own = np.exp(logs[np.isfinite(logs)]).sum()
    assert own / (own + np.exp(alone[0])) == pytest.approx(0.8, abs=0.06)


def test_parts_of_a_total_may_differ_by_orders_of_magnitude():
    rng = np.random.default_rng(0)
    one, other = np.exp(rng.normal(0, 3, 2000)), np.exp(rng.normal(0, 3, 2000))
    real = {"one": one.tolist(), "other": other.tolist(), "all": (one + other).tolist()}
    schema = Schema(
        [Field("one", "real"), Field("other", "real"), Field("all", "real")],
        groups=[GroupRule("sum", fields=["one", "other"], total="all")],
    )
    for cls in (GaussianCopula, IndependentMarginals):
        made = cls().fit(real, schema=schema).sample(1000, seed=1, conditions={"all": [1.0] * 1000})
        assert np.mean(made.values("one")) == pytest.approx(0.5, abs=0.06)  # as likely as the other


@pytest.mark.parametrize("method", [GaussianCopula, IndependentMarginals, SequentialTrees])
@pytest.mark.parametrize("group", ["one_hot", "exclusive"])
def test_members_of_a_group_are_zeros_and_ones_as_they_are_booleans(method, group) -> None:
    columns = _stages()
    names = ["s0", "s1", "s2", "s3"] if group == "one_hot" else ["s1", "s2", "s3"]
    made = {}
    for kind, cast in (("boolean", bool), ("integer", int), ("real", float)):
        fields = [Field(name, kind) for name in names] + [Field("x", "real")]
        schema = Schema(fields, groups=[GroupRule(group, names)])
        real = {name: columns[name].astype(cast) for name in names} | {"x": columns["x"]}
        fitted = method().fit(real, schema=schema)
        made[kind] = np.array([fitted.sample(ROWS, seed=1).values(name) for name in [*names, "x"]], float)
    assert (made["integer"] == made["boolean"]).all()
    assert (made["real"] == made["boolean"]).all()
    assert made["integer"][-1].mean() == pytest.approx(columns["x"].mean(), abs=0.1)
