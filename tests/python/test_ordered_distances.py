"""Numbers that an order binds to one before them keep their distance from it, whatever is known of either."""

import datetime
import importlib.util
import json
from itertools import pairwise

import numpy as np
import pytest
from synthema import (
    AnyOrderNetwork,
    Field,
    FieldRule,
    GaussianCopula,
    GenerationError,
    IndependentMarginals,
    ModelError,
    Schema,
    SequentialTrees,
    table,
)
from synthema.tabular_generation import load

ROWS = 2000
DAYS = 1825
METHODS = [IndependentMarginals, GaussianCopula, SequentialTrees]
LEARNING = [GaussianCopula, SequentialTrees]  # what distances depend on
# Only where the earlier number is never missing.
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")
NETWORK = [pytest.param(AnyOrderNetwork, marks=needs_torch)]
OPTIONS = {AnyOrderNetwork: {"rounds": 30, "members": 1, "size": "small", "rate": 5e-3}}


def _new(method):
    return method(**OPTIONS.get(method, {}))


def _stays(seed: int = 0) -> tuple[dict, np.ndarray]:
    """Admissions over five years, discharges of which some are missing, and the stays of the others."""
    random = np.random.default_rng(seed)
    first = random.integers(0, DAYS, ROWS)
    stay = random.geometric(0.15, ROWS)
    there = random.random(ROWS) < 0.8
    second = [int(a + b) if is_there else None for a, b, is_there in zip(first, stay, there, strict=True)]
    return {"first": first.tolist(), "second": second}, stay[there]


def _schema(*names: str, kind: str = "integer") -> Schema:
    rules = [FieldRule(b, a, relation=">") for a, b in pairwise(names)]
    return Schema([Field(name, kind) for name in names], rules=rules)


def _distances(made, later: str, earlier: str) -> np.ndarray:
    pairs = zip(made.values(later), made.values(earlier), strict=True)
    return np.asarray([b - a for b, a in pairs if a is not None and b is not None], float)


def _same_mean(found: np.ndarray, wanted: np.ndarray, slack: float = 0) -> None:
    error = np.sqrt(found.var() / len(found) + wanted.var() / len(wanted))
    assert abs(found.mean() - wanted.mean()) < 4 * error + slack * wanted.mean()


@pytest.mark.parametrize("method", METHODS + NETWORK)
def test_a_file_with_distances_that_no_rule_orders_is_refused(method, tmp_path) -> None:
    columns, _ = _stays()
    path = _new(method).fit(columns, schema=_schema(*columns)).save(tmp_path / "model")
    file = path.read_bytes()
    length = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + length])
    about = json.loads(header["__metadata__"]["model"])
    assert about["schema"].pop("rules")
    del header["__metadata__"]["digest"]  # not damaged but made
    header["__metadata__"]["model"] = json.dumps(about)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + file[8 + length :])
    with pytest.raises(ModelError, match="a distance from a column that no rule puts before it"):
        load(path)


@pytest.mark.parametrize("method", METHODS + NETWORK)
def test_stays_are_as_long_as_they_were(method, tmp_path) -> None:
    columns, stays = _stays()
    fitted = _new(method).fit(columns, schema=_schema("first", "second"))
    made = fitted.sample(4000, seed=1)
    found = _distances(made, "second", "first")
    assert found.min() > 0
    _same_mean(found, stays)
    assert made.null_count("second") / 4000 == pytest.approx(0.2, abs=0.03)
    after = fitted.sample(2000, seed=2, conditions={"first": 900})
    _same_mean(_distances(after, "second", "first"), stays)
    again = method.load(fitted.save(tmp_path / "model"))
    condition = {"second": 1000}
    assert again.sample(4000, seed=1).digest() == made.digest()
    before = fitted.sample(100, seed=3, conditions=condition)
    assert again.sample(100, seed=3, conditions=condition).digest() == before.digest()
    assert again.log_prob(made)[0] == fitted.log_prob(made)[0]


@pytest.mark.parametrize("method", METHODS + NETWORK)
def test_how_rules_are_listed_says_nothing(method) -> None:
    random = np.random.default_rng(8)
    birth, first = random.integers(-15_000, 0, ROWS), random.integers(0, DAYS, ROWS)
    stay = random.geometric(0.15, ROWS)
    columns = {"birth": birth, "first": first, "second": first + stay}
    rules = [FieldRule(b, a, relation=">=") for b, a in (("first", "birth"), ("second", "birth"))]
    rules.append(FieldRule("second", "first", relation=">="))
    fields = [Field(name, "integer") for name in columns]
    made = [_new(method).fit(columns, schema=Schema(fields, rules=r)) for r in (rules, rules[::-1])]
    made = [fitted.sample(3000, seed=1) for fitted in made]
    assert made[0].to_csv() == made[1].to_csv()
    _same_mean(_distances(made[0], "second", "first"), stay)


@pytest.mark.parametrize("method", METHODS + NETWORK)
def test_a_condition_on_the_later_number_leads_to_the_earlier_one(method) -> None:
    columns, stays = _stays()
    fitted = _new(method).fit(columns, schema=_schema("first", "second"))
    for later in (400, 1000, 1700):
        made = fitted.sample(1500, seed=later, conditions={"second": later})
        assert set(made.values("second")) == {later}
        _same_mean(_distances(made, "second", "first"), stays)
    # Of the earliest, most stays would begin before anybody came.
    earliest = min(v for v in fitted.sample(4000, seed=1).values("second") if v is not None)
    made = fitted.sample(300, seed=1, conditions={"second": earliest})
    assert 0 <= min(made.values("first")) <= max(made.values("first")) < earliest


@pytest.mark.parametrize("method", METHODS)
def test_the_shortest_stays_are_as_frequent_as_they_were(method) -> None:
    """Where a single person has a day, another day stands in: not one at which no stay would be left."""
    random = np.random.default_rng(0)
    first, stay = random.integers(0, DAYS, ROWS), np.where(random.random(ROWS) < 0.8, 1, 20)
    fitted = _new(method).fit({"first": first, "second": first + stay}, schema=_schema("first", "second"))
    days = list(range(200, 1700))
    for conditions, allowed in (({}, 0.03), ({"first": days}, 0.03), ({"second": days}, 0.06)):
        found = _distances(fitted.sample(6000, seed=1, conditions=conditions), "second", "first")
        assert (found > 10).mean() == pytest.approx((stay > 10).mean(), abs=allowed), conditions


@pytest.mark.parametrize("method", METHODS + NETWORK)
def test_likelihoods_of_stays_are_those_of_draws(method) -> None:
    columns, stays = _stays()
    fitted = _new(method).fit(columns, schema=_schema("first", "second"))
    days = np.arange(601, 680)
    likely = np.exp(fitted.log_prob({"first": np.full(79, 600), "second": days}))
    alone = np.exp(fitted.log_prob(table({"first": [600], "second": [None]}, _schema("first", "second")))[0])
    assert likely.sum() / (likely.sum() + alone) == pytest.approx(0.8, abs=0.03)
    made = fitted.sample(4000, seed=1, conditions={"first": 600})
    drawn = np.bincount(_distances(made, "second", "first").astype(int), minlength=81)[1:80]
    assert np.abs(likely / likely.sum() - drawn / drawn.sum()).max() < 0.03
    assert likely[:10].sum() / likely.sum() == pytest.approx((stays <= 10).mean(), abs=0.05)


@pytest.mark.parametrize("method", LEARNING + NETWORK)
def test_stays_go_with_what_they_went_with(method) -> None:
    random = np.random.default_rng(6)
    first, severe = random.integers(0, DAYS, ROWS), random.random(ROWS) < 0.4
    second = first + random.geometric(np.where(severe, 0.05, 0.2))
    columns = {"severe": severe.tolist(), "first": first, "second": second}
    numbers = _schema("first", "second")
    schema = Schema([Field("severe", "boolean"), *numbers.fields], rules=numbers.rules)
    fitted = _new(method).fit(columns, schema=schema)
    for made in (fitted.sample(6000, seed=1), fitted.sample(6000, seed=2, conditions={"first": 900})):
        found, is_severe = _distances(made, "second", "first"), np.asarray(made.values("severe"))
        assert found[is_severe].mean() == pytest.approx(20, rel=0.15)
        assert found[~is_severe].mean() == pytest.approx(5, abs=2)  # a copula has no other shape of it


@pytest.mark.parametrize("method", METHODS)
def test_likelihoods_know_that_numbers_of_single_people_are_left(method) -> None:
    random = np.random.default_rng(4)
    first, stay = random.integers(0, 600, 900), random.integers(1, 8, 900)  # many seconds of one person
    real = {"first": first.tolist(), "second": (first + stay).tolist(), "cost": (stay * 10).tolist()}
    numbers = _schema("first", "second")
    fitted = method().fit(
        real, schema=Schema([*numbers.fields, Field("cost", "integer")], rules=numbers.rules)
    )
    made = fitted.sample(2000, seed=1)
    logs = fitted.log_prob(made)
    assert np.isfinite(logs).all()
    assert logs.min() > -25
    # Of all rows of one day the sum is the share of the day.
    day = max(real["first"], key=real["first"].count)
    costs = sorted(set(made.values("cost")))
    rows = [{"first": day, "second": day + s, "cost": c} for s in range(20) for c in costs]
    drawn = np.mean(np.asarray(fitted.sample(40_000, seed=2).values("first")) == day)
    assert np.exp(fitted.log_prob(rows)).sum() == pytest.approx(drawn, abs=4 * np.sqrt(drawn / 40_000))


@pytest.mark.parametrize("method", METHODS)
def test_stays_from_before_what_samples_have_end_where_it_begins(method) -> None:
    """Discharges of the first two months are not known, so that samples have none there, but admissions."""
    random = np.random.default_rng(0)
    first = random.integers(0, DAYS, ROWS)
    gone = (first < 60) | (random.random(ROWS) < 0.1)
    second = [None if g else int(b) for g, b in zip(gone, first + random.poisson(5, ROWS), strict=True)]
    fitted = method().fit({"first": first, "second": second}, schema=_schema("first", "second"))
    made = fitted.sample(6000, seed=1)
    begin = min(b for b in made.values("second") if b is not None)
    early = np.asarray(made.values("first")) < begin - 20
    assert early.any()
    assert {b for b, is_early in zip(made.values("second"), early, strict=True) if is_early} <= {begin, None}
    assert _distances(made, "second", "first").max() < 90  # it was any day until the last, years later
    assert np.isfinite(fitted.log_prob(made)).all()


@pytest.mark.parametrize("method", METHODS)
def test_likelihoods_at_an_end_beyond_the_samples_are_those_of_draws(method) -> None:
    """Where the first number lies beyond what samples have of the second, this one is the nearest to it."""
    random = np.random.default_rng(8)
    first = random.integers(0, 1500, 40)
    second = first + random.poisson(3, 40)
    gone = (random.random(40) < 0.2) | (first > 1400)
    columns = {
        "first": first.tolist(),
        "second": [None if g else int(b) for g, b in zip(gone, second, strict=True)],
    }
    rules = [FieldRule("second", "first", relation=">=")]
    fitted = method().fit(columns, schema=Schema(_schema("first", "second").fields, rules=rules))
    made = fitted.sample(3000, seed=1)
    highest = max(b for b in made.values("second") if b is not None)
    with pytest.raises(GenerationError, match="outside of what samples have"):
        fitted.sample(1, conditions={"second": highest})
    assert np.isfinite(fitted.log_prob(made)).all()


@pytest.mark.parametrize("method", METHODS)
def test_rows_of_very_small_tables_are_never_impossible(method) -> None:
    """Single people have the first numbers; samples begin after the longest distance from these."""
    for seed in (19, 26, 51, 52, 88):
        random = np.random.default_rng(seed)
        first = random.integers(0, 1000, 60)
        second, gone = first + random.geometric(0.2, 60) - 1, random.random(60) < 0.1
        columns = {
            "first": (first / 10).tolist(),
            "second": [None if g else float(b) / 10 for g, b in zip(gone, second, strict=True)],
        }
        rules = [FieldRule("second", "first", relation=">=")]
        schema = Schema([Field("first", "real"), Field("second", "real")], rules=rules)
        fitted = method().fit(columns, schema=schema)
        assert np.isfinite(fitted.log_prob(fitted.sample(500, seed=seed))).all(), seed


@pytest.mark.parametrize("method", METHODS)
def test_a_rare_distance_that_another_rule_wants_is_drawn_and_not_any_number(method) -> None:
    """Deaths soon after the admission, beside stays that are nearly as long as the longest of these."""
    random = np.random.default_rng(54)
    first = random.integers(0, 1000, 400)
    second = first + random.geometric(0.2, 400)
    last = second + random.geometric(0.5, 400)
    gone = random.random(400) < 0.6
    columns = {
        "first": first,
        "second": second,
        "last": [None if g else int(b) for g, b in zip(gone, last, strict=True)],
    }
    rules = [*_schema("first", "second", "last").rules, FieldRule("last", "first", relation=">")]
    fitted = method().fit(columns, schema=Schema(_schema("first", "second", "last").fields, rules=rules))
    made = fitted.sample(6000, seed=1)
    assert _distances(made, "last", "second").max() < 40  # it was up to years, in one row of a hundred


def test_likelihoods_of_the_copula_where_an_end_leaves_some_distances_are_those_of_draws() -> None:
    random = np.random.default_rng(3)
    first, length = random.integers(0, 40, 600), random.integers(0, 5, 600)
    gone = (first == 0) & (length == 0)
    columns = {
        "first": first,
        "long": np.where(length > 2, "yes", "no"),
        "second": [None if g else int(b) for g, b in zip(gone, first + length, strict=True)],
    }
    fields = [Field("first", "integer"), Field("long", "category"), Field("second", "integer")]
    rules = [FieldRule("second", "first", relation=">=")]
    fitted = GaussianCopula().fit(columns, schema=Schema(fields, rules=rules))
    made = fitted.sample(60_000, seed=1)
    rows = list(zip(made.values("first"), made.values("long"), made.values("second"), strict=True))
    for day in range(5):
        row = {"first": [0], "long": ["no"], "second": [day]}
        drawn = rows.count((0, "no", day)) / len(rows)
        assert np.exp(fitted.log_prob(row)[0]) == pytest.approx(
            drawn, abs=5 * np.sqrt(drawn / len(rows)) + 2e-5
        )


@pytest.mark.parametrize("method", NETWORK)
def test_likelihoods_know_where_samples_do_not_reach_what_an_order_leaves(method) -> None:
    """Of the last days single people have a second number: such a draw is refused and becomes the first."""
    random = np.random.default_rng(4)
    first, there = random.integers(0, 300, 300), random.random(300) < 0.9
    second = first + random.poisson(4, 300)
    gone = (random.random(300) < 0.2) | ((second > 250) & (random.random(300) < 0.9))
    columns = {
        "first": [int(a) if is_there else None for a, is_there in zip(first, there, strict=True)],
        "second": [None if g else int(b) for g, b in zip(gone, second, strict=True)],
    }
    rules = [FieldRule("second", "first", relation=">=")]
    fitted = _new(method).fit(columns, schema=Schema(_schema("first", "second").fields, rules=rules))
    made = fitted.sample(3000, seed=1)
    pairs = list(zip(made.values("first"), made.values("second"), strict=True))
    ends = [pair for pair in pairs if pair[0] == pair[1] and pair[0] is not None]
    assert len(ends) > 20
    assert np.isfinite(fitted.log_prob(made)).all()


def test_likelihoods_beside_a_missing_first_number_are_those_of_draws() -> None:
    """Of the copula, which draws the second from where the first would be."""
    random = np.random.default_rng(7)
    early = random.random(ROWS) < 0.5
    first = np.where(early, random.integers(0, 10, ROWS), random.integers(8, 20, ROWS))
    second = first + random.integers(1, 4, ROWS)
    gone = random.random(ROWS) < 0.3
    columns = {
        "early": early.tolist(),
        "first": [None if m else int(v) for m, v in zip(gone, first, strict=True)],
        "second": second,
    }
    numbers = _schema("first", "second")
    schema = Schema([Field("early", "boolean"), *numbers.fields], rules=numbers.rules)
    fitted = GaussianCopula().fit(columns, schema=schema)
    made = fitted.sample(40_000, seed=1)
    for is_early in (True, False):
        asked = {"early": [is_early] * 23, "first": [None] * 23, "second": range(23)}
        likely = np.exp(fitted.log_prob(table(asked, schema)))
        rows = zip(made.values("early"), made.values("first"), made.values("second"), strict=True)
        drawn = [b for e, a, b in rows if e == is_early and a is None]
        shares = np.bincount(drawn, minlength=23) / 40_000
        assert np.abs(likely - shares).max() < 0.004
        assert likely.sum() == pytest.approx(shares.sum(), abs=0.01)


@pytest.mark.parametrize("method", METHODS + NETWORK)
def test_likelihoods_of_stays_between_times_are_per_microsecond(method) -> None:
    columns, _ = _stays()
    begin = datetime.datetime(2020, 1, 1)
    day = datetime.timedelta(days=1)
    times = {n: [None if v is None else begin + v * day for v in values] for n, values in columns.items()}
    schema = _schema("first", "second", kind="time")
    fitted = _new(method).fit(times, schema=schema)
    first = begin + 600 * day
    asked = {"first": [first] * 79, "second": [first + k * day for k in range(1, 80)]}
    logs = fitted.log_prob(table(asked, schema))
    alone = fitted.log_prob(table({"first": [first], "second": [None]}, schema))[0]
    given = np.exp(logs - alone).sum() * (day / datetime.timedelta(microseconds=1))
    # Four are there for each that is missing; a network knows that of no single day.
    assert given == pytest.approx(4, rel=0.3 if method is AnyOrderNetwork else 0.15)


@pytest.mark.parametrize("method", METHODS)
def test_only_what_is_missing_by_itself_is_missing(method) -> None:
    random = np.random.default_rng(1)
    first = random.integers(0, DAYS, ROWS)
    second = first + random.geometric(0.15, ROWS)
    unknown = random.random(ROWS) < 0.3
    columns = {
        "first": [None if m else int(v) for m, v in zip(unknown, first, strict=True)],
        "second": second.tolist(),
    }
    fitted = _new(method).fit(columns, schema=_schema("first", "second"))
    made = fitted.sample(3000, seed=1)
    assert made.null_count("second") == 0
    assert made.null_count("first") / 3000 == pytest.approx(0.3, abs=0.04)
    _same_mean(_distances(made, "second", "first"), (second - first)[~unknown])
    asked = fitted.sample(1500, seed=2, conditions={"second": list(range(200, 1700))})
    assert asked.null_count("first") / 1500 == pytest.approx(0.3, abs=0.07)
    # Longer by some hundredths, with however many candidates: a day is asked for however few stays led to it.
    _same_mean(_distances(asked, "second", "first"), (second - first)[~unknown], slack=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_the_last_of_three_leads_to_the_first(method) -> None:
    random = np.random.default_rng(2)
    first = random.integers(0, DAYS, ROWS)
    stay, rest = random.geometric(0.15, ROWS), random.geometric(0.05, ROWS)
    gone = random.random(ROWS) < 0.25
    second = [None if m else int(v) for m, v in zip(gone, first + stay, strict=True)]
    columns = {"first": first.tolist(), "second": second, "third": (first + stay + rest).tolist()}
    # Trees draw the first freely where the second is missing: one of many leads to the third.
    many = {"particles": 300} if method is SequentialTrees else {}
    fitted = method(**many).fit(columns, schema=_schema("first", "second", "third"))
    asked = list(range(200, 1700))  # at any one, what the rows around it have decides
    made = fitted.sample(len(asked), seed=1, conditions={"third": asked})
    assert made.null_count("second") / len(asked) == pytest.approx(0.25, abs=0.06)
    _same_mean(_distances(made, "second", "first"), stay[~gone])
    _same_mean(_distances(made, "third", "second"), rest[~gone])


@pytest.mark.parametrize("method", METHODS + NETWORK)
def test_the_last_of_three_that_are_there_leads_to_the_first(method) -> None:
    random = np.random.default_rng(8)
    first = random.integers(0, DAYS, ROWS)
    second = first + random.geometric(0.15, ROWS)
    third, other = second + random.geometric(0.05, ROWS), first + random.geometric(0.1, ROWS)
    schema = _schema("first", "second", "third")
    rules = [*schema.rules, FieldRule("other", "first", relation=">")]
    schema = Schema([*schema.fields, Field("other", "integer")], rules=rules)
    columns = {"first": first, "second": second, "third": third, "other": other}
    fitted = _new(method).fit(columns, schema=schema)
    days = list(range(200, 1700))
    for conditions in ({}, {"third": days}, {"other": days}, {"second": days}):
        made = fitted.sample(3000, seed=1, conditions=conditions)
        for later, earlier in (("second", "first"), ("third", "second"), ("other", "first")):
            wanted = (columns[later] - columns[earlier]).mean()
            found = _distances(made, later, earlier)
            assert found.min() > 0
            assert found.mean() == pytest.approx(wanted, rel=0.15), (conditions, later)
    both = fitted.sample(3000, seed=2, conditions={"second": days, "other": [d + 20 for d in days]})
    stays = _distances(both, "other", "first") - _distances(both, "second", "first")
    assert set(stays) == {20}


@needs_torch
def test_a_network_fills_either_hole_at_its_distance() -> None:
    columns, stays = _stays()
    fitted = _new(AnyOrderNetwork).fit(columns, schema=_schema("first", "second"))
    first, second = columns["first"][:1500], columns["second"][:1500]
    holes = {
        "first": [
            None if i % 2 and b is not None else a for i, (a, b) in enumerate(zip(first, second, strict=True))
        ],
        "second": [b if i % 2 else None for i, b in enumerate(second)],
    }
    whole = fitted.impute(table(holes, _schema("first", "second")), seed=1)
    assert whole.null_count("first") == whole.null_count("second") == 0
    found = _distances(whole, "second", "first")
    assert found.min() > 0
    _same_mean(found[::2], stays)
    _same_mean(found[1::2], stays)


@needs_torch
def test_a_network_learns_the_same_distances_from_a_source(tmp_path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    columns, _ = _stays()
    schema = _schema("first", "second")
    network = AnyOrderNetwork(size="small", rounds=2)
    whole = network.fit(columns, schema=schema).save(tmp_path / "whole").read_bytes()
    reader = pyarrow.table(columns).to_reader(max_chunksize=700)
    parts = network.fit(reader, schema=schema, spill=tmp_path).save(tmp_path / "parts").read_bytes()
    assert parts == whole


@pytest.mark.parametrize("method", METHODS + NETWORK)
def test_days_after_minutes_stay_round(method) -> None:
    random = np.random.default_rng(3)
    first = random.integers(0, DAYS * 24, ROWS)  # hours
    second = (first // 24 + random.geometric(0.3, ROWS)) * 24  # midnights
    fitted = _new(method).fit({"first": first, "second": second}, schema=_schema("first", "second"))
    made = fitted.sample(1000, seed=1)
    assert np.isfinite(fitted.log_prob(made)).mean() > 0.5
    assert all(v % 24 == 0 for v in made.values("second"))


def test_short_stays_at_the_begin_of_the_range_stay_short():
    """The earliest dates of discharge that are handed on lie days after the earliest admission."""
    rng = np.random.default_rng(5)
    n = 2000
    admission = np.sort(rng.integers(0, 1800, n))
    stay = 1 + rng.geometric(0.3, n)
    stay[admission < 3] += 6
    day = np.datetime64("2010-01-01")
    schema = Schema(
        [Field("admission", "time"), Field("discharge", "time")],
        rules=[FieldRule("discharge", "admission", relation=">=")],
    )
    frame = {"admission": day + admission, "discharge": day + admission + stay}
    trees = SequentialTrees().fit(frame, schema=schema)
    made = trees.sample(20_000, seed=1)
    days = (made["discharge"] - made["admission"]).astype("timedelta64[D]").astype(int)
    early = made["admission"] < day + 10
    assert early.sum() > 20
    assert days.min() >= 0
    assert days.max() <= stay.max() + 7
    assert np.isfinite(trees.log_prob(made.head(500))).mean() > 0.9  # but for those moved off single days
