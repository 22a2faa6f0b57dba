"""Generators of tables: what they keep, what they do not hand on, conditions, files, bad input."""

import copy
import datetime
import json
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import synthema
from synthema import (
    BootstrapCopy,
    ConfigError,
    Field,
    GaussianCopula,
    GenerationError,
    GroupRule,
    IndependentMarginals,
    ModelError,
    PolicyError,
    PrivateMarginals,
    Schema,
    SchemaError,
    SequentialTrees,
)
from synthema.tabular_generation import default_method, load, method, methods

pandas = pytest.importorskip("pandas")
FITTED = [SequentialTrees, IndependentMarginals, GaussianCopula]
ADULT = [
    "age", "workclass", "fnlwgt", "education", "education_num",
    "marital_status", "occupation", "relationship", "race", "sex",
    "capital_gain", "capital_loss", "hours_per_week", "native_country", "income",
]  # fmt: skip


def patients(rows=400, seed=0):
    """A frame with every kind of column; pressure depends on age, smoking on sex."""
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 80, rows)
    sex = rng.choice(["f", "m"], rows)
    return pandas.DataFrame(
        {
            "age": age,
            "sex": pandas.Categorical(sex, categories=["f", "m"]),
            "pressure": np.where(
                rng.random(rows) < 0.1, np.nan, np.round(90 + age / 2 + rng.normal(0, 5, rows), 1)
            ),
            "smoker": rng.random(rows) < np.where(sex == "m", 0.6, 0.1),
            "visit": pandas.Timestamp("2020-01-01") + pandas.to_timedelta(rng.integers(0, 300, rows), "D"),
            "ward": rng.choice(["east", "north", "west"], rows),
            "exact": rng.normal(0, 1, rows),
        }
    )


@pytest.fixture(scope="module")
def trees():
    """Trees fitted to the patients."""
    return SequentialTrees("smoker").fit(patients())


@pytest.mark.parametrize("cls", FITTED)
def test_promises_of_a_generator(cls):
    synthema.check_generator(cls(), patients())
    synthema.check_generator(cls(), patients(), conditions=[{"sex": "f"}])


@pytest.mark.parametrize("cls", FITTED)
def test_columns_come_back_as_they_were(cls):
    real = patients()
    made = cls().fit(real).sample(300, seed=1, frame="same")
    assert isinstance(made, pandas.DataFrame)
    assert list(made.columns) == list(real.columns)
    assert made.age.dtype == real.age.dtype
    assert list(made.sex.cat.categories) == ["f", "m"]
    assert made.smoker.dtype == bool
    assert (made.visit == made.visit.dt.normalize()).all()
    assert made.pressure.isna().any()
    assert (made.pressure.dropna() * 10).round(6).apply(float.is_integer).all()
    assert set(made.ward) <= set(real.ward)
    assert made.age.between(real.age.min(), real.age.max()).all()


def test_every_kind_of_frame_goes_in_and_comes_out():
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    real = patients()
    for data, kind in (
        (real, pandas.DataFrame),
        (polars.from_pandas(real), polars.DataFrame),
        (pyarrow.Table.from_pandas(real), pyarrow.Table),
        (synthema.table(real), synthema.Table),
    ):
        made = SequentialTrees().fit(data).sample(20, seed=3, frame="same")
        assert isinstance(made, kind)
        assert synthema.table(made).digest() == synthema.table(made).digest()
    with pytest.raises(ConfigError, match="excel"):
        SequentialTrees().fit(real).sample(1, frame="excel")


def test_dependence_is_kept(trees):
    real, made = patients(), trees.sample(4000, seed=2).to_pandas()
    by_sex = made.groupby("sex", observed=True).smoker.mean()
    truth = real.groupby("sex", observed=True).smoker.mean()
    assert np.abs(by_sex - truth).max() < 0.06
    assert (
        abs(made[["age", "pressure"]].corr().iloc[0, 1] - real[["age", "pressure"]].corr().iloc[0, 1]) < 0.1
    )


def test_same_bytes_at_any_number_of_threads():
    digests = {
        SequentialTrees(threads=threads).fit(patients()).sample(3000, seed=5).digest()
        for threads in (1, 2, 5)
    }
    assert len(digests) == 1


@pytest.mark.parametrize("cls", FITTED)
def test_values_that_one_person_has_are_not_reproduced(cls):
    real = patients()
    real["code"] = ["common"] * 390 + [f"mine{i}" for i in range(10)]
    made = cls().fit(real).sample(5000, seed=1).to_pandas()
    assert not set(made.exact) & set(real.exact)
    assert set(made.code) == {"common"}
    counts = real.pressure.value_counts()
    assert not set(made.pressure) & set(counts[counts == 1].index)


def test_protection_counts_subjects_not_rows():
    rows = [{"patient": f"p{i % 40:04d}", "drug": "shared"} for i in range(200)]
    rows += [{"patient": "p0001", "drug": "hers"} for _ in range(50)]
    schema = Schema([Field("patient", "text", roles=["subject"]), Field("drug", "category")])
    made = SequentialTrees().fit(rows, schema=schema).sample(200, seed=1)
    assert set(made.values("drug")) == {"shared"}
    new = made.values("patient")
    assert len(set(new)) == 200
    assert not set(new) & {row["patient"] for row in rows}
    assert all(text[0] == "p" and text[1:].isdigit() for text in new)


def test_identifiers_are_fresh_where_the_real_ones_are_counted():
    schema = Schema([Field("id", "text", roles=["identifier"]), Field("x", "integer")])
    real = {"id": [f"P{10000 + i}" for i in range(3000)], "x": [i % 7 for i in range(3000)]}
    made = IndependentMarginals().fit(real, schema=schema).sample(2000, seed=1).values("id")
    assert len(set(made)) == 2000
    assert not set(made) & set(real["id"])


@pytest.mark.parametrize("role", ["identifier", "subject"])
@pytest.mark.parametrize("cls", [*FITTED, synthema.PrivateMarginals])
def test_identifiers_that_a_hole_made_reals_are_fresh_too(cls, role, tmp_path):
    ids = np.repeat(np.arange(100_000, 100_000 + 7 * 150, 7), 2).astype(float)
    real = pandas.DataFrame({"mrn": ids, "age": np.arange(300) % 60 + 20})
    real.loc[0, "mrn"] = np.nan
    fitted = (cls(epsilon=10, delta=1e-6) if cls is synthema.PrivateMarginals else cls()).fit(
        synthema.table(real, roles={"mrn": role})
    )
    made = fitted.sample(1000, seed=1)
    new = [v for v in made.values("mrn") if v is not None]
    assert made.schema["mrn"].kind == "real"
    assert len(set(new)) == len(new) > 900
    assert not set(new) & set(ids)
    assert all(v == int(v) for v in new)
    assert synthema.load(fitted.save(tmp_path / "model")).sample(1000, seed=1).digest() == made.digest()
    back = fitted.sample(1000, seed=1, frame="pandas")
    assert back["mrn"].dtype == float


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ([i + 0.5 for i in range(100)], "no whole numbers below"),
        ([2.0**53 + 2 * i for i in range(100)], "no whole numbers below"),
        ([i % 2 == 0 for i in range(100)], "kind boolean; make it text"),
        ([datetime.datetime(2020, 1, 1 + i % 28) for i in range(100)], "kind time; make it text"),
    ],
)
def test_what_has_no_new_values_cannot_be_an_identifier(values, asked):
    role = "subject" if len(set(values)) > 5 else "identifier"
    real = synthema.table({"id": values, "age": [i % 9 for i in range(100)]}, roles={"id": role})
    for cls in (SequentialTrees, GaussianCopula, IndependentMarginals):
        with pytest.raises(SchemaError, match=rf"'id'.*role '{role}'.*({asked})"):
            cls().fit(real)


@pytest.mark.parametrize("cls", FITTED)
def test_conditions_hold_row_by_row(cls):
    wanted = pandas.DataFrame({"sex": ["m", "f", None], "age": [30, None, 70]})
    made = cls().fit(patients()).sample(9, seed=1, conditions=wanted)
    assert made.values("sex")[0::3] == ["m"] * 3
    assert made.values("sex")[1::3] == ["f"] * 3
    assert made.values("age")[0::3] == [30] * 3
    assert made.values("age")[2::3] == [70] * 3


def test_what_is_missing_in_a_condition_is_free_and_what_stands_for_a_truth_is_one(trees):
    zoned = patients()
    zoned["visit"] = zoned.visit.dt.tz_localize("Europe/Berlin")
    missing = (None, np.nan, pandas.NaT, pandas.NA)
    for one in (trees, SequentialTrees().fit(zoned)):
        free = one.sample(9, seed=1).digest()
        for none in missing:
            for given in (none, [none], [none, None]):
                assert one.sample(9, seed=1, conditions={"visit": given}).digest() == free
            assert one.sample(9, seed=1, conditions=[{"age": none, "sex": none}]).digest() == free
        for text in ("NA", "."):  # a file's column that holds nothing else
            assert one.sample(9, seed=1, conditions={"smoker": text, "age": text}).digest() == free
        for truth in (1, 1.0, "1", "TRUE"):
            assert all(one.sample(9, seed=1, conditions={"smoker": truth}).values("smoker"))
    with pytest.raises(GenerationError, match=r"'smoker'.*boolean.*or 1 or 0"):
        trees.sample(1, conditions={"smoker": 2})


def test_times_to_fill_have_a_zone_where_the_fitted_ones_have():
    plain, zoned = patients(), patients()
    zoned["visit"] = zoned.visit.dt.tz_localize("Europe/Berlin")
    trees = SequentialTrees().fit(zoned)
    with pytest.raises(SchemaError, match=r"'visit'.*no zone, but.*zone 'Europe/Berlin'; give.*tz_localize"):
        trees.impute(plain)
    with pytest.raises(SchemaError, match=r"'visit'.*have a zone, 'Europe/Berlin', but.*tz_localize\(None"):
        SequentialTrees().fit(plain).impute(zoned)
    known = plain.assign(visit=pandas.Series([pandas.NaT] * len(plain), dtype="datetime64[us]"))
    filled = trees.impute(known, seed=1)
    assert filled["visit"].dtype == zoned["visit"].dtype
    assert filled["visit"].notna().all()


def test_conditions_that_cannot_be_met(trees):
    with pytest.raises(GenerationError, match=r"'sex'.*'x'"):
        trees.sample(1, conditions={"sex": "x"})
    with pytest.raises(GenerationError, match=r"'age'.*outside"):
        trees.sample(1, conditions={"age": 200})
    with pytest.raises(GenerationError, match="'weight'"):
        trees.sample(1, conditions={"weight": 70})
    with pytest.raises(GenerationError, match=r"'age'.*kind text"):
        trees.sample(1, conditions={"age": "old"})
    with pytest.raises(GenerationError, match=r"'visit'.*asks for 2031-05-04, which"):
        trees.sample(1, conditions={"visit": datetime.datetime(2031, 5, 4)})
    with pytest.raises(GenerationError, match=r"'visit'.* 2020-03-01T12:30:00, but.*one is 2020-03-0"):
        trees.sample(1, conditions={"visit": datetime.datetime(2020, 3, 1, 12, 30)})
    nobody = pandas.DataFrame({"sex": pandas.Series([], dtype="str")})
    for shares in (None, {"sex": "uniform"}):
        with pytest.raises(ConfigError, match=r"'conditions': The table of conditions has no rows"):
            trees.sample(1, conditions=nobody, balance=shares)
    assert trees.sample(5, seed=1, conditions={}).digest() == trees.sample(5, seed=1).digest()
    some = pandas.DataFrame({"sex": ["f"]})
    assert len(trees.sample(0, conditions=some, balance={"age": "uniform"})) == 0


@pytest.mark.parametrize("cls", FITTED)
def test_asking_does_not_find_what_a_single_person_has(cls):
    age = np.concatenate([np.random.default_rng(1).integers(20, 80, 1000), [97, 9]])
    made = cls().fit(pandas.DataFrame({"age": age, "sick": age % 3 == 0}))
    shown = made.sample(20_000, seed=1).values("age")
    taken = []
    for wanted in range(5, 101):
        try:
            made.sample(1, conditions={"age": wanted})
            taken.append(wanted)
        except GenerationError:
            pass
    assert (taken[0], taken[-1]) == (min(shown), max(shown))
    assert 9 < taken[0] < taken[-1] < 97
    assert taken == list(range(taken[0], taken[-1] + 1))


def test_rules_of_the_schema_hold_in_every_row():
    real = patients()
    real["leave"] = real.visit + pandas.to_timedelta(np.arange(400) % 12 - 2, "D")
    schema = Schema(
        [Field("age", "integer", minimum=25), Field("sex", "category"), Field("pressure", "real"),
         Field("smoker", "boolean"), Field("visit", "time"), Field("ward", "text"), Field("exact", "real"),
         Field("leave", "time")],
        rules=[
            synthema.FieldRule("leave", "visit", relation=">="),
            synthema.FieldRule("pressure", "age", lowest=60, minimum=115),
        ],
    )  # fmt: skip
    made = SequentialTrees("leave").fit(real, schema=schema).sample(2000, seed=1).to_pandas()
    assert (made.leave >= made.visit).all()
    assert (made.age >= 25).all()
    assert (made.pressure[made.age >= 60].dropna() >= 115).all()
    with pytest.raises(GenerationError, match="Condition 0"):
        SequentialTrees().fit(real, schema=schema).sample(1, conditions={"age": 70, "pressure": 110.0})


def test_only_known_combinations_are_drawn(tmp_path):
    rng = np.random.default_rng(1)
    code = rng.integers(0, 40, 3000)
    real = pandas.DataFrame(
        {"chapter": pandas.Categorical([f"c{i // 7}" for i in code]), "age": rng.integers(1, 90, 3000),
         "code": pandas.Categorical([f"k{i}" for i in code])}
    )  # fmt: skip
    real.loc[0, "chapter"] = "c0" if real.chapter[0] != "c0" else "c1"  # one wrong row
    trees = SequentialTrees(combinations=[["chapter", "code"]]).fit(real)
    for one in (trees, load(trees.save(tmp_path / "model"))):
        made = one.sample(3000, seed=1).to_pandas()
        assert (made.chapter.str[1:].astype(int) == made.code.str[1:].astype(int) // 7).all()
    made = trees.sample(200, seed=1, conditions={"code": "k8"})
    assert set(made.values("chapter")) == {"c1"}
    with pytest.raises(GenerationError, match="Condition 0"):
        trees.sample(1, conditions={"code": "k8", "chapter": "c5"})
    with pytest.raises(ConfigError, match="combinations"):
        SequentialTrees(combinations=[["chapter"]])


def test_missing_values_are_imputed_from_what_is_known(trees):
    real = patients(300, seed=9)
    holes = real.copy()
    rng = np.random.default_rng(2)
    for column in ("age", "sex", "pressure", "smoker"):
        holes[column] = holes[column].astype(object).where(rng.random(300) > 0.2, None)
    holes["age"] = holes.age.astype("Int64")
    holes["smoker"] = holes.smoker.astype("boolean")
    holes["pressure"] = holes.pressure.astype(float)
    holes["sex"] = pandas.Categorical(holes.sex, categories=["f", "m"])
    made = trees.impute(holes, seed=1)
    assert isinstance(made, pandas.DataFrame)
    assert made.notna().all().all()
    for column in real:
        known = holes[column].notna()
        assert (made[column][known].astype(str) == holes[column][known].astype(str)).all()
    drawn = holes.pressure.isna() & real.pressure.notna() & holes.age.notna()
    assert np.corrcoef(made.pressure[drawn], real.age[drawn].astype(float))[0, 1] > 0.4
    assert trees.impute(holes, seed=1).equals(made)
    with pytest.raises(SchemaError, match=r"'age'.*with this column, but here it is not there"):
        trees.impute(holes.drop(columns="age"))
    with pytest.raises(SchemaError, match=r"'bmi'.*without this column; leave it out"):
        trees.impute(holes.assign(bmi=1))


def test_holes_that_change_the_kind_of_a_column_are_imputed(trees, tmp_path):
    holes = patients(60, seed=9)
    holes["age"] = holes.age.astype(float).where(np.arange(60) % 3 > 0)  # pandas makes reals of these
    holes["exact"] = None  # no kind at all
    made = trees.impute(holes, seed=1)
    assert made.age.dtype == "int64"
    assert made.exact.dtype == "float64"
    assert made[["age", "exact"]].notna().all().all()
    assert (made.age[holes.age.notna()] == holes.age[holes.age.notna()]).all()
    holes.to_csv(tmp_path / "holes.csv", index=False)
    read = trees.impute(synthema.read(tmp_path / "holes.csv")).to_pandas()
    assert read.visit.dtype.kind == "M"
    assert (read.sex.astype(str) == holes.sex.astype(str)).all()
    assert read.notna().all().all()
    texts = holes.assign(visit=holes.visit.astype(str))
    assert (trees.impute(texts, seed=1).visit == holes.visit).all()
    for truths in (holes.smoker.astype(float), holes.smoker.map({True: "True", False: "False"})):
        asked = holes.assign(smoker=truths.where(np.arange(60) % 4 > 0))
        known = trees.impute(asked).smoker
        assert known.dtype == bool
        assert (known == holes.smoker)[asked.smoker.notna()].all()
    with pytest.raises(SchemaError, match=r"'smoker'.*nor 0 or 1"):
        trees.impute(holes.assign(smoker=2.0))
    with pytest.raises(SchemaError, match=r"'age'.*without loss"):
        trees.impute(holes.assign(age=41.5))
    with pytest.raises(SchemaError, match=r"'visit'.*kind integer"):
        trees.impute(holes.assign(visit=1))


@pytest.mark.parametrize("cls", FITTED)
def test_saved_models_give_the_same_samples_in_another_process(cls, tmp_path):
    path = cls().fit(patients()).save(tmp_path / "model")
    digest = cls.load(path).sample(50, seed=4).digest()
    code = (
        "import sys; from synthema.tabular_generation import load; "
        "print(load(sys.argv[1]).sample(50, seed=4).digest())"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest
    assert load(path).get_params()["rare_below"] == 5
    assert type(load(path)) is cls


def test_hostile_files_are_refused(trees, tmp_path):
    path = tmp_path / "model"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ModelError):
        load(path)
    with pytest.raises(ModelError):
        load(tmp_path / "nothing")
    whole = trees.save(path).read_bytes()
    with pytest.raises(ModelError, match="sequential_trees"):
        GaussianCopula.load(path)
    path.write_bytes(whole[:-3])
    with pytest.raises(ModelError):
        SequentialTrees.load(path)
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])
    header["step1.codes"]["data_offsets"] = [0, 2**62]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + length :])
    with pytest.raises(ModelError, match=r"step1\.codes"):
        SequentialTrees.load(path)


def test_whole_numbers_too_far_apart_are_refused_by_name():
    far = [int(v) for v in np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 100)]
    for cls in (SequentialTrees, IndependentMarginals):
        with pytest.raises(SchemaError, match=r"'hash'.*2\^53 steps"):
            cls().fit({"hash": far, "age": [40, 50] * 50})


@pytest.mark.parametrize("cls", FITTED)
@pytest.mark.parametrize("first", [2**63 - 50, -(2**63), 2**53 - 25])
def test_whole_numbers_at_the_ends_of_64_bits_come_back_from_a_file(cls, first, tmp_path):
    offsets = np.random.default_rng(0).integers(0, 50, 200)
    rows = {"count": [first + int(v) for v in offsets], "age": [40, 50] * 100}
    fitted = cls().fit(rows)
    fitted.save(tmp_path / "ends.model")
    made = load(tmp_path / "ends.model").sample(300, seed=1)
    assert made.digest() == fitted.sample(300, seed=1).digest()
    assert first <= min(made.values("count")) < max(made.values("count")) < first + 50


def test_a_number_within_an_identifier_grows_where_it_is():
    mails = [f"user{i}@klinik.de" for i in range(500)]
    made = SequentialTrees().fit({"mail": mails, "x": [i % 9 for i in range(500)]}).sample(2000, seed=1)
    new = made.values("mail")
    assert all(re.fullmatch(r"user[0-9]{4,5}@klinik\.de", mail) for mail in new)
    assert len(set(new)) == 2000
    assert not set(new) & set(mails)


def test_columns_that_are_taken_for_row_numbers_are_told_at_fit():
    rng = np.random.default_rng(0)
    real = pandas.DataFrame({"rank": rng.permutation(200) + 1, "sample_id": np.arange(200)})
    real["score"] = (real["rank"] / 20 + rng.normal(size=200)).round(2)
    for cls in FITTED:
        with pytest.warns(UserWarning, match=r"drawn afresh, as identifiers are: 'rank'\. A schema"):
            made = cls().fit(real).sample(50, seed=1)
        assert min(made.values("rank")) == 201
    for same in (
        synthema.table(real, roles={"rank": "label"}),
        real.astype({"rank": float}),
    ):
        made = SequentialTrees().fit(same).sample(500, seed=1)
        assert max(made.values("rank")) <= 200
        assert np.corrcoef(made.values("rank"), made.values("score"))[0, 1] > 0.7


@pytest.mark.parametrize("cls", FITTED)
def test_a_column_that_counts_the_rows_keeps_what_is_stated_of_it(cls):
    days = {"ward": list(range(120)), "icu": [i % 7 for i in range(120)]}
    days["stay"] = [a + b for a, b in zip(days["ward"], days["icu"], strict=True)]
    fields = [Field(name, "integer") for name in ("ward", "icu", "stay")]
    total = Schema(fields, groups=[GroupRule("sum", ["ward", "icu"], total="stay")])
    made = cls().fit(days, schema=total).sample(100, seed=1, frame="pandas")
    assert (made["ward"] + made["icu"] == made["stay"]).all()
    assert made["ward"].max() < 125  # not numbered on from the largest
    stated = Schema([Field("ward", "integer", minimum=0, maximum=119), *fields[1:]])
    assert max(cls().fit(days, schema=stated).sample(100, seed=1).values("ward")) <= 119


def test_what_few_people_have_is_missing_and_identifiers_keep_their_holes(tmp_path):
    rng = np.random.default_rng(0)
    lab, code = [None] * 398 + [731.2, 55.1], [f"K{i:04d}" if i % 3 else None for i in range(400)]
    real = {"lab": lab, "code": code, "age": rng.integers(20, 80, 400).tolist()}
    for cls in (SequentialTrees, GaussianCopula, IndependentMarginals):
        fitted = cls().fit(real)
        made = fitted.sample(2000, seed=1)
        assert made.null_count("lab") == 2000
        assert 600 < made.null_count("code") < 740
        codes = [one["code"] for one in made.records() if one.get("code") is not None]
        assert len(set(codes)) == len(codes)
        assert not set(codes) & set(code)
        assert load(fitted.save(tmp_path / "model")).sample(2000, seed=1).digest() == made.digest()


def test_copies_and_pickles_sample_the_same_rows(trees):
    def same(frame):
        pandas.testing.assert_frame_equal(frame, trees.sample(50, seed=3, frame="same"))

    for again in (copy.copy(trees), copy.deepcopy(trees), pickle.loads(pickle.dumps(trees))):
        assert again.get_params() == trees.get_params()
        same(again.sample(50, seed=3, frame="same"))
    unfitted = SequentialTrees(first=["a"], min_leaf=30)
    for again in (copy.deepcopy(unfitted), pickle.loads(pickle.dumps(unfitted))):
        assert again.get_params() == unfitted.get_params()
        assert not again.fitted


def test_a_pickle_holds_no_more_than_a_file_may():
    labels = pandas.Categorical(["often", "seldom"] * 500, categories=["often", "seldom", "only me"])
    private = PrivateMarginals(epsilon=5).fit(pandas.DataFrame({"label": labels}))
    pickled = pickle.dumps(private)
    assert b"only me" not in pickled
    rows = private.sample(20, seed=1).values("label")
    assert pickle.loads(pickled).sample(20, seed=1).values("label") == rows
    assert copy.deepcopy(private).sample(20, seed=1, frame="same").label.tolist() == rows
    copied = BootstrapCopy(release=True).fit({"sex": ["f", "m"] * 50})
    assert len(copy.deepcopy(copied).sample(3)) == 3
    with pytest.raises(PolicyError, match="not pickled"):
        pickle.dumps(copied)
    assert not pickle.loads(pickle.dumps(BootstrapCopy())).fitted


def test_saving_that_fails_keeps_the_old_file(trees, tmp_path, monkeypatch):
    import pathlib

    path = trees.save(tmp_path / "model")
    before = path.read_bytes()

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_bytes", full)
    with pytest.raises(ModelError, match="No space"):
        trees.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_a_place_that_takes_no_file_is_a_named_error(trees, tmp_path):
    with pytest.raises(ModelError, match="folder; name a file"):
        trees.save(tmp_path)
    with pytest.raises(ModelError, match="no folder"):
        trees.save(tmp_path / "nowhere" / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_file_does_not_know_the_frame(trees, tmp_path):
    one = load(trees.save(tmp_path / "model"))
    with pytest.raises(ConfigError, match="frame='pandas'"):
        one.sample(3, frame="same")
    assert isinstance(one.sample(3), synthema.Table)


@pytest.mark.parametrize(
    ("name", "value"),
    [("target", 3), ("first", [1]), ("first", 2), ("combinations", ["a", "b"]), ("combinations", 3)],
)
def test_parameters_of_another_kind_are_named(name, value):
    with pytest.raises(ConfigError, match=name):
        SequentialTrees(**{name: value})


def test_a_single_name_is_a_list_of_it():
    assert SequentialTrees(first="sex").get_params()["first"] == "sex"
    with pytest.raises(ConfigError, match="'epsilon' is a number"):
        synthema.AnyOrderNetwork(epsilon="1")
    with pytest.raises(ConfigError, match="'temperature' is a dict"):
        synthema.AnyOrderNetwork(temperature="cold")


def test_scikit_learn_clones_generators():
    sklearn = pytest.importorskip("sklearn.base")
    for one in (
        SequentialTrees(target="sex", first="age", combinations=[("a", "b")]),
        SequentialTrees(first=("age", "sex")),
        GaussianCopula(rare_below=7),
        synthema.PrivateMarginals(epsilon=2, ledger="spent.ledger"),
    ):
        again = sklearn.clone(one)
        assert again.get_params() == one.get_params()
        assert repr(again) == repr(one)


def test_bootstrap_copy_asks_before_it_leaks(tmp_path):
    with pytest.raises(PolicyError, match="release=True"):
        BootstrapCopy().fit(patients()).sample(1)
    real = synthema.table(patients())
    made = BootstrapCopy(release=True).fit(real).sample(30, seed=1)
    assert set(made.values("exact")) <= set(real.values("exact"))
    with pytest.raises(PolicyError):
        BootstrapCopy(release=True).fit(real).save(tmp_path / "model")


def test_parameters_and_representation():
    assert repr(SequentialTrees("income", min_leaf=20)) == "SequentialTrees(target='income', min_leaf=20)"
    assert SequentialTrees(min_leaf=7).get_params()["min_leaf"] == 7
    assert methods() == [
        "sequential_trees", "any_order_network", "gaussian_copula", "independent_marginals",
        "private_marginals",
    ]  # fmt: skip
    assert method("gaussian_copula") is GaussianCopula
    with pytest.raises(ConfigError, match="magic"):
        method("magic")
    with pytest.raises(ConfigError):
        SequentialTrees(min_gain=-1)
    assert synthema.tabular(patients(60)).sample(3, seed=1).names == list(patients(60).columns)
    smooth = pandas.DataFrame(np.random.default_rng(0).normal(size=(1000, 5))).rename(columns=str)
    assert default_method(smooth) is SequentialTrees
    assert default_method(smooth.head(999)) is GaussianCopula
    for columns, method_ in ((500, GaussianCopula), (501, SequentialTrees)):
        wide = {f"c{c}": [float(row + c) for row in range(30)] for c in range(columns)}
        assert default_method(wide) is method_
    assert default_method(patients(999)) is SequentialTrees
    for rows, columns, method_ in (
        (1000, 50, GaussianCopula),
        (1000, 49, SequentialTrees),
        (10_001, 50, SequentialTrees),
        (1000, 1000, GaussianCopula),
        (1000, 1001, SequentialTrees),
    ):
        panel = {f"c{c}": [float(row % 30) for row in range(rows)] for c in range(columns)}
        assert default_method(panel) is method_, (rows, columns)
    assert isinstance(synthema.tabular(smooth.head(100)).sample(5, seed=1, frame="same"), pandas.DataFrame)
    with pytest.raises(ConfigError, match="'nobody'"):
        synthema.tabular(smooth, target="nobody")


def test_progress_and_stopping(trees):
    seen = []
    SequentialTrees().fit(patients(), progress=seen.append)
    assert (seen[-1].phase, seen[-1].total) == ("fit", 7)

    def stop(step):
        raise KeyboardInterrupt

    fitted = SequentialTrees().fit(patients())
    before = fitted.sample(5, seed=1).digest()
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(patients(), progress=stop)
    assert fitted.sample(5, seed=1).digest() == before
    cancel = synthema.CancelToken()
    cancel.cancel()
    with pytest.raises(synthema.Cancelled):
        trees.sample(5, cancel=cancel)


@pytest.mark.parametrize("cls", FITTED)
def test_awkward_tables(cls):
    rows = 50
    odd = {
        "constant": [3] * rows,
        "missing": [None] * rows,
        "huge": [2**62 + i for i in range(rows)],
        "tiny": [1e-300 * i for i in range(rows)],
        "mostly_missing": [1.5] * 10 + [None] * 40,
        "date": [datetime.date(2020, 1, 1)] * rows,
        "empty text": [""] * rows,
    }
    schema = Schema(
        [Field("constant", "integer"), Field("missing", "real"), Field("huge", "integer"),
         Field("tiny", "real"), Field("mostly_missing", "real"), Field("date", "time"),
         Field("empty text", "text")]
    )  # fmt: skip
    made = cls().fit(odd, schema=schema).sample(200, seed=1)
    assert set(made.values("constant")) == {3}
    assert set(made.values("missing")) == {None}
    assert set(made.values("empty text")) == {""}
    assert set(made.values("mostly_missing")) == {1.5, None}
    assert len(cls().fit(odd, schema=schema).sample(0)) == 0


@pytest.mark.parametrize("cls", FITTED)
def test_tables_that_are_refused(cls):
    with pytest.raises(GenerationError, match="1 row,"):
        cls().fit({"a": [1]})
    with pytest.raises((GenerationError, SchemaError)):
        cls().fit({})
    with pytest.raises(SchemaError, match=r"infinite|NaN"):
        cls().fit({"a": [1.0, float("inf")] * 10})
    with pytest.raises(SchemaError):
        cls().fit(pandas.DataFrame([[1, 2]] * 20, columns=["a", "a"]))
    with pytest.raises(SchemaError, match="'note'"):
        cls().fit({"note": [f"Patient {i} is well." for i in range(30)]})
    with pytest.raises(SchemaError, match="'codes'"):
        cls().fit([{"codes": [1, 2]}] * 10)
    with pytest.raises(GenerationError, match="fit"):
        cls().sample(1)
    with pytest.raises(ConfigError, match="rows"):
        cls().fit(patients(50)).sample(-1)


def test_a_thousand_columns():
    rng = np.random.default_rng(0)
    base = rng.normal(0, 1, (60, 1))
    wide = pandas.DataFrame(np.round(base + rng.normal(0, 1, (60, 1000)), 1)).rename(columns=str)
    made = SequentialTrees().fit(wide).sample(100, seed=1)
    assert len(made.names) == 1000
    assert len(GaussianCopula().fit(wide.iloc[:, :300]).sample(100, seed=1)) == 100


def test_adult(data_folder):
    folder = data_folder / "adult_income"
    read = {"header": ADULT, "missing": ["", "?"], "trim": True}
    real = synthema.read(folder / "adult-train.csv.gz", **read)
    holdout = synthema.read(folder / "adult-test.csv.gz", **read).to_pandas()
    holdout["income"] = pandas.Categorical(holdout.income.astype(str).str.rstrip("."))
    made = SequentialTrees("income").fit(real).sample(len(real), seed=1)
    names = [
        "univariate_accuracy", "bivariate_accuracy", "dcr_share", "classifier_two_sample",
        "train_synthetic_test_real", "rare_value_reuse",
    ]  # fmt: skip
    report = synthema.evaluate(made, real, holdout, metrics=names, target="income", bootstrap=20)
    assert report["univariate_accuracy"].value > 0.994
    assert report["bivariate_accuracy"].value > 0.983
    assert report["classifier_two_sample"].value < 0.53
    assert report["train_synthetic_test_real"].value > 0.92
    assert 0.47 < report["dcr_share"].value < 0.525
    assert report["rare_value_reuse"].value < 0.001


def test_the_example_of_the_guide():
    pytest.importorskip("sklearn")
    import pathlib
    import runpy

    path = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples" / "synthetic_table.py"
    report = runpy.run_path(str(path))["main"]()
    assert report["train_synthetic_test_real"].value > 0.95
    assert report["exact_copies"].value == 0
    assert report["rare_value_reuse"].value < 0.02
    assert report["classifier_two_sample"].value < 0.65


@pytest.mark.parametrize("name", ["sequential_trees", "gaussian_copula", "independent_marginals"])
def test_a_rounded_measurement_keeps_its_distribution_and_its_tails(name):
    """A body mass index with one decimal: nearly all rows have a frequent value, but none in the tails."""
    rng = np.random.default_rng(0)
    real, unseen = (np.round(rng.normal(25, 4, 4000), 1) for _ in range(2))
    sex = rng.choice(["f", "m"], 4000)
    made = method(name)().fit({"sex": sex, "bmi": real}).sample(20_000, seed=1, frame="pandas").bmi.to_numpy()

    def distance(a, b):
        grid = np.unique(np.concatenate([a, b]))
        a, b = np.sort(a), np.sort(b)
        shares = (np.searchsorted(x, grid, "right") / len(x) for x in (a, b))
        return np.abs(next(shares) - next(shares)).max()

    assert distance(made, real) < max(0.01, distance(unseen, real))
    # Within three standard errors of the sample's own quantiles.
    for share, room in ((0.001, 1.2), (0.01, 0.5), (0.99, 0.5), (0.999, 1.2)):
        assert np.quantile(made, share) == pytest.approx(np.quantile(real, share), abs=room)
    values, counts = np.unique(real, return_counts=True)
    assert not np.isin(made, values[counts == 1]).any()
    assert np.sort(real)[1] <= made.min()
    assert made.max() <= np.sort(real)[-2]


def test_a_model_keeps_its_tails_in_a_file(tmp_path):
    rng = np.random.default_rng(3)
    real = {"stay": np.ceil(np.exp(rng.normal(1.2, 1, 3000))).astype(int)}
    trees = SequentialTrees().fit(real)
    again = load(trees.save(tmp_path / "stays.model"))
    assert again.sample(4000, seed=2).digest() == trees.sample(4000, seed=2).digest()
    assert (trees.log_prob(real) == again.log_prob(real)).all()


@pytest.mark.parametrize(
    "name", ["sequential_trees", "gaussian_copula", "independent_marginals", "private_marginals"]
)
def test_a_range_that_nobody_is_in_is_an_error(name):
    real = patients()
    schema = synthema.table(real).schema
    fields = [
        Field(f.name, f.kind, minimum=200, maximum=200) if f.name == "age" else f for f in schema.fields
    ]
    with pytest.raises(GenerationError, match=r"'age'.*200 only.*none is invented") as found:
        method(name)().fit(real, schema=Schema(fields))
    extremes = {str(v) for v in (real.age.min(), real.age.max())}
    frequent = real.age.value_counts()
    told = {str(v) for v in (frequent[frequent >= 5].index.min(), frequent[frequent >= 5].index.max())}
    assert not (extremes - told) & set(str(found.value).replace(".", " ").replace(",", " ").split())


@pytest.mark.parametrize("given", [-1, 2**64, 1.5, True, "7", None])
def test_a_seed_or_count_that_is_none_is_a_named_error(trees, given):
    for ask in (
        lambda: trees.sample(5, given),
        lambda: trees.sample(given),
        lambda: trees.impute(patients(5), given),
        lambda: SequentialTrees(min_leaf=given),
        lambda: GaussianCopula(rare_below=given),
        lambda: synthema.PrivateMarginals(bins=given),
    ):
        with pytest.raises(ConfigError, match="is a whole number from 0"):
            ask()
    assert len(trees.sample(np.int64(3), np.uint8(4))) == 3
    with pytest.raises(ConfigError, match="'min_gain' is a number"):
        SequentialTrees(min_gain="much")


def test_a_condition_without_a_zone_is_local_time():
    rng = np.random.default_rng(0)
    days = pandas.Timestamp("2020-01-01") + pandas.to_timedelta(rng.integers(0, 300, 600), unit="D")
    frame = pandas.DataFrame({"visit": days.tz_localize("Europe/Berlin"), "x": rng.normal(size=600).round(2)})
    trees = SequentialTrees().fit(frame)
    summer, winter = (pandas.Timestamp(day, tz="Europe/Berlin") for day in ("2020-07-01", "2020-02-01"))
    for given, expected in (
        ("2020-07-01", summer),
        (pandas.Timestamp("2020-07-01"), summer),
        (datetime.datetime(2020, 7, 1), summer),
        ("2020-06-30T22:00:00Z", summer),
        (summer, summer),
        ("2020-02-01 00:00:00", winter),
    ):
        made = trees.sample(3, seed=1, conditions={"visit": given}, frame="same")
        assert list(made.visit) == [expected] * 3, given
    several = trees.sample(4, seed=1, conditions={"visit": ["2020-07-01", None]}, frame="same")
    assert list(several.visit[::2]) == [summer] * 2


@pytest.mark.parametrize("name", ["sequential_trees", "gaussian_copula", "independent_marginals"])
def test_decimals_of_the_schema_are_kept(name):
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame({"bmi": rng.normal(25, 4, 800), "age": rng.integers(20, 90, 800)})
    schema = Schema([Field("bmi", "real", decimals=0), Field("age", "integer")])
    made = method(name)().fit(frame, schema=schema).sample(500, seed=1, frame="pandas")
    assert (made.bmi == made.bmi.round()).all()
    assert made.bmi.mean() == pytest.approx(frame.bmi.mean(), abs=0.6)


@pytest.mark.parametrize(
    "name", ["sequential_trees", "gaussian_copula", "independent_marginals", "private_marginals"]
)
def test_a_range_that_one_person_is_in_is_an_error(name):
    frame = pandas.DataFrame({"age": [*range(20, 60)] * 10 + [97], "x": [1.5, 2.5, 3.5] * 133 + [1.5, 2.5]})
    schema = Schema([Field("age", "integer", minimum=90, maximum=100), Field("x", "real")])
    with pytest.raises(GenerationError, match=r"age.*fewer than 5 people"):
        method(name)().fit(frame, schema=schema)


def test_trees_of_wide_tables_ask_for_the_columns_that_tell_most(tmp_path):
    random = np.random.default_rng(0)
    group = random.integers(0, 4, 1500)
    real = {f"c{i}": (group + random.integers(0, 2 + i % 5, 1500)).tolist() for i in range(12)}
    every, few = (SequentialTrees(predictors=n).fit(real) for n in (0, 2))

    def rows(trees):
        return trees.sample(200, seed=1, frame="pandas")

    assert rows(SequentialTrees().fit(real)).equals(rows(every))  # there are fewer columns than the default
    assert not rows(few).equals(rows(every))
    few.save(tmp_path / "few.model")
    assert load(tmp_path / "few.model").get_params()["predictors"] == 2
    assert rows(load(tmp_path / "few.model")).equals(rows(few))


def test_pairs_of_measurements_are_not_those_of_single_people():
    """Many have each age and each pressure, nobody else both: chance alone repeats such pairs."""

    def people(rows, seed):
        rng = np.random.default_rng(seed)
        age = rng.normal(60, 12, rows).round()
        return pandas.DataFrame({"age": age, "pressure": (90 + 0.6 * age + rng.normal(0, 12, rows)).round(1)})

    def repeated(made, real):
        known = set(real.itertuples(index=False, name=None))
        return np.mean([row in known for row in made.itertuples(index=False, name=None)])

    ours, chance = [], []
    for seed in range(3):
        real = people(2000, seed)
        made = SequentialTrees().fit(real).sample(10_000, seed=1, frame="pandas")
        ours.append(repeated(made, real))
        chance.append(repeated(people(10_000, seed + 10), real))
    assert np.mean(ours) < 1.65 * np.mean(chance)  # 1.9 where the values of a leaf are drawn as they are
