"""The jobs of benchmarks/evaluate.py: ``WORK[kind, system]`` gets the frames and the threads.

Returns what it computed, by name. Rows of synthetic data are class 1 throughout; the target is ``y``.
"""

from __future__ import annotations

import pathlib
import sys

from peer import serve

TARGET = "y"


def load(job):
    folder = pathlib.Path(job["folder"])
    paths = [folder / f"{part}.csv" for part in ("real", "synthetic", "holdout")]
    if job["system"] == "synthema":
        import synthema

        return [synthema.read(path) for path in paths]
    import pandas

    return [pandas.read_csv(path) for path in paths]


def ours(name, **options):
    def work(tables, threads):
        import synthema

        real, synthetic, holdout = tables
        score = synthema.evaluate(
            synthetic, real, options.get("target") and holdout, [name], threads=threads, **options
        )[name]
        values = {"value": score.value, "floor": score.floor.value}
        return values | ({"ceiling": score.ceiling.value} if score.ceiling else {})

    return work


def our_boosting(tables, threads):
    import numpy
    import synthema

    model = synthema.boosted_trees(early_stopping_from=10**9).fit(tables[0], TARGET, threads=threads)
    truth = numpy.array([value == "yes" for value in tables[2][TARGET]], float)
    return {"AUROC": synthema.learning.auroc(model.predict(tables[2])[:, 1], truth)}


def coded(frames):
    """Return the frames with text columns as categories of all their labels."""
    import pandas

    out = [frame.copy() for frame in frames]
    for name in frames[0]:
        if not pandas.api.types.is_numeric_dtype(frames[0][name]):
            labels = pandas.CategoricalDtype(sorted(set().union(*(frame[name] for frame in frames))))
            for frame in out:
                frame[name] = frame[name].astype(labels)
    return out


def sklearn_two_sample(frames, threads):
    """Five folds, as ours; without its floor."""
    import numpy
    import pandas
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    real, synthetic = coded(frames[:2])
    both = pandas.concat([real, synthetic], ignore_index=True)
    labels = numpy.repeat([0, 1], [len(real), len(synthetic)])
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return {"value": cross_val_score(model, both, labels, scoring="roc_auc", cv=folds).mean()}


def sdmetrics_detection(frames, threads):
    """Its logistic regression in three folds; 1 - (2 AUROC - 1)."""
    from sdmetrics.single_table import LogisticDetection

    kinds = {
        name: {"sdtype": "numerical" if name.startswith("n") else "categorical"} for name in frames[0].columns
    }
    return {"1 - (2 AUROC - 1)": LogisticDetection.compute(frames[0], frames[1], {"columns": kinds})}


def sklearn_fit(train, test, seed=0, **options):
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=seed, **options)
    model.fit(train.drop(columns=TARGET), train[TARGET])
    chance = model.predict_proba(test.drop(columns=TARGET))[:, 1]
    return roc_auc_score(test[TARGET] == "yes", chance)


def sklearn_boosting(frames, threads):
    real, _, holdout = coded(frames)
    return {"AUROC": sklearn_fit(real, holdout, early_stopping=False)}


def sklearn_train_test(frames, threads):
    real, synthetic, holdout = coded(frames)
    mean = lambda train: sum(sklearn_fit(train, holdout, seed) for seed in range(3)) / 3  # noqa: E731
    return {"value": mean(synthetic), "ceiling": mean(real)}


WORK = {
    ("two_sample", "synthema"): ours("classifier_two_sample"),
    ("two_sample", "scikit-learn"): sklearn_two_sample,
    ("two_sample", "sdmetrics"): sdmetrics_detection,
    ("two_sample_logistic", "synthema"): ours("classifier_two_sample_logistic"),
    ("two_sample_logistic", "sdmetrics"): sdmetrics_detection,
    ("boosting", "synthema"): our_boosting,
    ("boosting", "scikit-learn"): sklearn_boosting,
    ("train_test", "synthema"): ours("train_synthetic_test_real", target=TARGET),
    ("train_test", "scikit-learn"): sklearn_train_test,
}

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    serve(
        load,
        lambda tables, job: {"values": WORK[job["kind"], job["system"]](tables, job["threads"])},
    )
