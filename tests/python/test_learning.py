"""Models of tables and how good predictions are, beside scikit-learn."""

import warnings

import numpy as np
import pytest
import synthema
from synthema import _core, learning

sklearn = pytest.importorskip("sklearn")
from sklearn import metrics  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor  # noqa: E402
from sklearn.linear_model import LogisticRegression, Ridge  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread():
    """Several of them wait for each other for very long where other work runs beside."""
    with threadpool_limits(1):
        yield


def rows(count, seed, classes=2):
    """Numbers with gaps, a category and a target that depends on them; and the same as an array."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=count), rng.normal(size=count)
    colour = rng.integers(0, 4, count)
    raw = np.sin(2 * x) + 0.5 * z * (colour == 1) + np.where(colour == 2, 1.0, -0.3) + rng.normal(size=count)
    missing = rng.random(count) < 0.1
    target = np.digitize(raw, np.quantile(raw, np.arange(1, classes) / classes))
    return {
        "x": [None if m else float(v) for v, m in zip(x, missing, strict=True)],
        "z": z.tolist(),
        "colour": [f"c{c}" for c in colour],
        "y": [f"t{t}" for t in target],
        "raw": raw.tolist(),
    }


def frame(data, drop):
    kinds = {"x": "real", "z": "real", "colour": "category", "y": "category", "raw": "real"}
    kept = {name: values for name, values in data.items() if name not in drop}
    return synthema.table(kept, synthema.Schema([synthema.Field(name, kinds[name]) for name in kept]))


def array(data):
    x = np.array([np.nan if v is None else v for v in data["x"]])
    return np.column_stack([x, data["z"], [int(c[1]) for c in data["colour"]]])


@pytest.mark.parametrize("classes", [2, 4])
def test_boosted_trees_are_as_good_as_scikit_learn(classes):
    train, test = rows(6000, 1, classes), rows(6000, 2, classes)
    truth = np.array([int(t[1]) for t in test["y"]])
    model = synthema.boosted_trees(rounds=60).fit(frame(train, ["raw"]), "y")
    assert model.classes == [f"t{i}" for i in range(classes)]
    ours = model.predict(frame(test, ["raw", "y"]))
    theirs = HistGradientBoostingClassifier(categorical_features=[2], max_iter=60, early_stopping=False)
    theirs = theirs.fit(array(train), [int(t[1]) for t in train["y"]]).predict_proba(array(test))
    assert np.allclose(ours.sum(axis=1), 1)
    assert metrics.log_loss(truth, ours) == pytest.approx(metrics.log_loss(truth, theirs), abs=0.01)
    score = metrics.roc_auc_score
    a, b = (
        score(truth, p[:, 1] if classes == 2 else p, **({} if classes == 2 else {"multi_class": "ovr"}))
        for p in (ours, theirs)
    )
    assert a == pytest.approx(b, abs=0.003)


def test_boosted_trees_of_a_number():
    train, test = rows(6000, 1), rows(6000, 2)
    ours = synthema.boosted_trees().fit(frame(train, ["y"]), "raw").predict(frame(test, ["y"]))
    theirs = HistGradientBoostingRegressor(categorical_features=[2], early_stopping=False)
    theirs = theirs.fit(array(train), train["raw"]).predict(array(test))
    assert learning.r_squared(ours, test["raw"]) == pytest.approx(
        metrics.r2_score(test["raw"], theirs), abs=0.005
    )


@pytest.mark.parametrize(("classes", "l2"), [(2, 1.0), (2, 0.01), (3, 1.0), (5, 10.0)])
def test_logistic_coefficients_are_those_of_scikit_learn(classes, l2):
    data = frame(rows(1500, 3, classes), ["raw"])
    encoding = _core.DesignEncoding(data, ["x", "z", "colour"])
    design = encoding.apply(data)
    ours, intercepts = _core.linear_coefficients(data, "y", l2=l2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the solver may say that the tolerance is beyond its reach
        theirs = LogisticRegression(C=1 / l2, tol=1e-12, max_iter=10000, solver="newton-cg")
        theirs.fit(design, [int(t[1]) for t in data["y"]])
    assert ours == pytest.approx(theirs.coef_, abs=1e-6)
    if classes == 2:  # more classes have intercepts up to one constant
        assert intercepts == pytest.approx(theirs.intercept_, abs=1e-6)
    assert np.diff(intercepts) == pytest.approx(np.diff(theirs.intercept_), abs=1e-6)


def test_ridge_coefficients_are_those_of_scikit_learn():
    data = frame(rows(800, 3), ["y"])
    design = _core.DesignEncoding(data, ["x", "z", "colour"]).apply(data)
    ours, intercepts = _core.linear_coefficients(data, "raw", l2=3.0)
    theirs = Ridge(alpha=3.0, tol=1e-12).fit(design, data["raw"])
    assert ours[0] == pytest.approx(theirs.coef_, abs=1e-8)
    assert intercepts[0] == pytest.approx(theirs.intercept_, abs=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_measures_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    labels = (rng.random(400) < 0.3).astype(float)
    chance = np.round(np.clip(0.3 * labels + 0.7 * rng.random(400), 0, 1), 2)  # with ties
    close = {"rel": 1e-12, "abs": 1e-12}
    assert learning.auroc(chance, labels) == pytest.approx(metrics.roc_auc_score(labels, chance), **close)
    assert learning.average_precision(chance, labels) == pytest.approx(
        metrics.average_precision_score(labels, chance), **close
    )
    assert learning.brier_score(chance, labels) == pytest.approx(
        metrics.brier_score_loss(labels, chance), **close
    )
    both = np.column_stack([1 - chance, chance])
    hard = both.argmax(axis=1)
    assert learning.f1_score(both, labels) == pytest.approx(metrics.f1_score(labels, hard), **close)
    assert learning.balanced_accuracy(both, labels) == pytest.approx(
        metrics.balanced_accuracy_score(labels, hard), **close
    )
    many = rng.dirichlet(np.ones(4), 400)
    classes = rng.integers(0, 4, 400).astype(float)
    assert learning.multiclass_auroc(many, classes) == pytest.approx(
        metrics.roc_auc_score(classes, many, multi_class="ovr"), **close
    )
    assert learning.f1_score(many, classes) == pytest.approx(
        metrics.f1_score(classes, many.argmax(axis=1), average="macro"), **close
    )


def test_calibration_error_by_hand():
    """Sum over ten bins of the size of the bin times the distance of its means."""
    rng = np.random.default_rng(3)
    chance = rng.random(1000)
    labels = (rng.random(1000) < chance**2).astype(float)
    place = np.minimum((chance * 10).astype(int), 9)
    wanted = sum(
        abs(chance[place == b].mean() - labels[place == b].mean()) * (place == b).mean() for b in range(10)
    )
    assert learning.calibration_error(chance, labels) == pytest.approx(wanted, abs=1e-12)


def test_any_estimator_is_a_learner():
    train, test = rows(500, 1), rows(400, 2)
    estimator = LogisticRegression()
    report = synthema.evaluate(
        frame(rows(500, 3), ["raw"]),
        frame(train, ["raw"]),
        frame(test, ["raw"]),
        ["train_synthetic_test_real"],
        target="y",
        learner=estimator,
    )
    score = report["train_synthetic_test_real"]
    assert not hasattr(estimator, "coef_"), "the estimator given was fitted, not a copy of it"
    assert "LogisticRegression" in score.definition
    ours = synthema.evaluate(
        frame(rows(500, 3), ["raw"]),
        frame(train, ["raw"]),
        frame(test, ["raw"]),
        ["train_synthetic_test_real"],
        target="y",
        learner="linear_model",
    )["train_synthetic_test_real"]
    # The same model on the same columns.
    assert score.value == pytest.approx(ours.value, abs=1e-3)
    assert score.ceiling.value == pytest.approx(ours.ceiling.value, abs=1e-3)
    assert ours.floor.value < ours.value


def test_what_is_no_learner_is_refused():
    for wrong in ("forest", 3, LogisticRegression):
        with pytest.raises(synthema.ConfigError, match="is none of these"):
            synthema.learner(wrong)
    with pytest.raises(synthema.EvaluationError, match="'Ridge' has no predict_proba, which classes need"):
        synthema.learner(Ridge()).fit(frame(rows(50, 1), ["raw"]), "y")
    with pytest.raises(synthema.EvaluationError, match="no such target"):
        synthema.boosted_trees().fit(frame(rows(50, 1), ["raw"]), "nowhere")


class GivesForNumbers:
    """Predicts what it is told to, from the number of rows."""

    def __init__(self, give):
        self.give = give

    def fit(self, features, target):
        pass

    def predict(self, features):
        return self.give(len(features))


class GivesForClasses(GivesForNumbers):
    classes_ = (0, 1)

    def predict_proba(self, features):
        return self.give(len(features))


def reason(learner, target, synthetic=None):
    """Why the score is undefined that asks the learner, beside one that does not."""
    rest = ["raw"] if target == "y" else ["y"]
    report = synthema.evaluate(
        frame(rows(80, 3), rest) if synthetic is None else synthetic,
        frame(rows(80, 1), rest),
        frame(rows(80, 2), rest),
        ["train_synthetic_test_real", "column_shapes"],
        target=target,
        learner=learner,
    )
    assert report["column_shapes"].value is not None
    return report["train_synthetic_test_real"].undefined


@pytest.mark.parametrize(
    "give",
    [
        lambda n: ["a"] * n,
        lambda n: {},
        lambda n: (0.0 for _ in range(n)),
        lambda n: None,
        lambda n: 3.0,
        lambda n: np.zeros(n + 1),
        lambda n: np.zeros((n, 2)),
    ],
)
def test_what_are_no_numbers_leaves_the_score_undefined(give):
    assert "'GivesForNumbers' must give one number for each row" in reason(GivesForNumbers(give), "raw")
    model = synthema.learner(GivesForNumbers(give)).fit(frame(rows(50, 1), ["y"]), "raw")
    with pytest.raises(synthema.EvaluationError, match="an array of 60 numbers"):
        model.predict(frame(rows(60, 2), ["y"]))


def test_numbers_that_are_not_finite_leave_the_score_undefined():
    assert "not finite" in reason(GivesForNumbers(lambda n: np.full(n, np.nan)), "raw")


@pytest.mark.parametrize(
    ("give", "said"),
    [
        (lambda n: np.tile([-5.0, 6.0], (n, 1)), "must be 0 to 1 and sum to 1"),
        (lambda n: np.tile([0.4, 0.4], (n, 1)), "must be 0 to 1 and sum to 1"),
        (lambda n: np.full((n, 2), np.nan), "must be 0 to 1 and sum to 1"),
        (lambda n: np.full((n, 3), 1 / 3), "a probability of each for each row"),
        (lambda n: np.full(n, 0.5), "a probability of each for each row"),
        (lambda n: {}, "a probability of each for each row"),
    ],
)
def test_what_are_no_probabilities_leaves_the_score_undefined(give, said):
    assert said in reason(GivesForClasses(give), "y")


def test_probabilities_in_single_precision_are_taken():
    third = np.array([1 / 3, 2 / 3], np.float32)
    assert not reason(GivesForClasses(lambda n: np.tile(third, (n, 1))), "y")


def test_a_learner_that_raises_leaves_the_score_undefined():
    data = frame({**rows(80, 3), "y": ["t0"] * 80}, ["raw"])
    with pytest.warns(UserWarning, match="at least 2 classes"):
        why = reason(LogisticRegression(), "y", data)
    assert "'LogisticRegression' raised ValueError; a warning has its text" in why

    def fail(n):
        raise KeyError("Mrs Jones, 71")

    for learner, target in ((GivesForNumbers(fail), "raw"), (GivesForClasses(fail), "y")):
        with pytest.warns(UserWarning, match="Mrs Jones"):
            why = reason(learner, target)
        assert "raised KeyError" in why
        assert "Jones" not in why


def test_coefficient_overlap_is_that_of_least_squares():
    def drawn(seed):
        rng = np.random.default_rng(seed)
        data = {name: rng.choice(["a", "b", "c"], 40, p=[0.5, 0.3, 0.2]) for name in ("k", "l", "m")}
        x = rng.normal(size=40)
        return {"x": x, **data, "y": x + (data["k"] == "b") + rng.normal(size=40)}

    tables = [drawn(seed) for seed in (1, 2)]
    real = tables[0]
    most = {name: max("abc", key=lambda one: (real[name] == one).sum()) for name in ("k", "l", "m")}

    def intervals(data):
        labels = [data[n] == one for n in most for one in "abc" if one != most[n]]
        scaled = (data["x"] - real["x"].mean()) / real["x"].std()
        design = np.column_stack([np.ones(40), scaled, *labels]).astype(float)
        weights = np.linalg.lstsq(design, data["y"], rcond=None)[0]
        noise = ((data["y"] - design @ weights) ** 2).sum() / (40 - design.shape[1])
        error = np.sqrt(noise * np.diag(np.linalg.inv(design.T @ design)))
        return weights[1:] - 1.96 * error[1:], weights[1:] + 1.96 * error[1:]

    (low, high), (lower, higher) = map(intervals, tables)
    shared = np.maximum(0, np.minimum(high, higher) - np.maximum(low, lower))
    wanted = np.mean((shared / (high - low) + shared / (higher - lower)) / 2)
    columns = {"x": "real", "k": "category", "l": "category", "m": "category", "y": "real"}
    schema = synthema.Schema([synthema.Field(name, kind) for name, kind in columns.items()])
    made = [synthema.table({n: np.asarray(v).tolist() for n, v in one.items()}, schema) for one in tables]
    score = synthema.evaluate(made[1], made[0], made[0], "coefficient_overlap", target="y")
    assert score["coefficient_overlap"].value == pytest.approx(wanted, rel=1e-5)


def test_a_learner_that_raises_is_said_once_and_is_the_reason_of_all_that_ask_it():
    def fail(n):
        raise KeyError("Mrs Jones, 71")

    names = ("train_synthetic_test_real", "rows_worth", "augmentation_gain")
    with pytest.warns(UserWarning, match="Jones") as said:
        report = synthema.evaluate(
            *(frame(rows(80, seed), ["y"]) for seed in (3, 1, 2)),
            names,
            target="raw",
            learner=GivesForNumbers(fail),
        )
    assert all("raised KeyError" in report[name].undefined for name in names)
    [one] = [str(w.message) for w in said if "Jones" in str(w.message)]
    assert one.endswith(" times)")


def test_ctrl_c_in_a_learner_ends_the_evaluation():
    def stop(n):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reason(GivesForNumbers(stop), "raw")


def test_what_is_missing_of_a_learner_is_said():
    class OnlyFit:
        def fit(self, features, target):
            pass

    with pytest.raises(synthema.ConfigError, match="a OnlyFit is none of these: it has no predict") as said:
        synthema.learner(OnlyFit())
    assert " at 0x" not in str(said.value)
    with pytest.raises(synthema.ConfigError, match="no fit and no predict"):
        synthema.learner(3)


def test_the_target_is_found_by_its_role():
    schema = synthema.Schema([synthema.Field("x", "real"), synthema.Field("y", "category", roles=["target"])])
    rng = np.random.default_rng(1)
    made = [
        synthema.table({"x": x.tolist(), "y": ["b" if v > 0.5 else "a" for v in x]}, schema)
        for x in (rng.random(100), rng.random(100), rng.random(50))
    ]
    report = synthema.evaluate(*made, bootstrap=50)
    assert report["train_synthetic_test_real"].value > 0.95
    assert report["classifier_two_sample"].value == pytest.approx(0.5, abs=0.2)
    assert report["classifier_two_sample"].ceiling.source.startswith("holdout")


def test_the_rarest_labels_may_be_one_class():
    labels = [f"code {i % 40 // (1 + i % 3)}" for i in range(400)]
    schema = synthema.Schema([synthema.Field("x", kind="real"), synthema.Field("y", kind="category")])
    rows = synthema.table({"x": [float(i % 40) for i in range(400)], "y": labels}, schema)
    fitted = synthema.boosted_trees(rounds=2).fit(rows, "y", target_labels=5)
    assert len(fitted.classes) == 5
    assert fitted.classes[-1].endswith("rarest labels")
    assert fitted.predict(rows).shape == (400, 5)


def test_texts_that_hold_labels_are_categories_and_frames_are_read():
    r = np.random.default_rng(0)
    group = [str(one) for one in r.choice(["lo", "hi"], 600)]
    ill = r.random(600) < np.where(np.array(group) == "hi", 0.9, 0.1)
    data = {
        "group": group,
        "noise": r.normal(size=600).tolist(),
        "ill": ["yes" if one else "no" for one in ill],
    }
    first, last = (
        {name: values[part] for name, values in data.items()} for part in (slice(300), slice(300, None))
    )
    for make in (synthema.boosted_trees, synthema.linear_model):
        model = make().fit(first, "ill")
        assert model.classes == ["no", "yes"]
        found = model.predict(last)[:, 1]
        assert synthema.learning.auroc(found, ill[300:].astype(float)) > 0.8
        assert (model.predict(synthema.table(last))[:, 1] == found).all()
