"""Compare evaluators of fidelity, survival and text with the libraries whose definitions they follow.

Not part of `./dev test`. Run in an environment of its own that also has synthema, on the sets of data_sets.py:

    pip install prdc==0.2 scikit-learn scipy pandas pyarrow nltk lexicalrichness==0.5.1 lifelines
    python tests/parity/fidelity.py DIR

Numeric columns without gaps of each set, at most 1,200 rows drawn by a seed, one half against the other. Prints
the largest difference of each metric, and fails above 1e-6. Where rows repeat, `density` and `beta_recall` may
differ by single rows: scikit-learn's distances of equal rows are not all equal in their last bits.
synthcity and syntheval themselves need other versions of the same packages; what stands for them here are their
formulas, which give their check values.
"""

# ruff: noqa: E501, SIM905
import math
import pathlib
import random
import sys

import numpy as np
import pandas as pd
import prdc
import synthema
from data_sets import SETS, read
from lexicalrichness import LexicalRichness
from lifelines import CoxPHFitter, KaplanMeierFitter
from nltk.translate.meteor_score import single_meteor_score
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.metrics import normalized_mutual_info_score

ALPHAS = np.linspace(0, 1, 30)
worst: dict[str, tuple[float, str]] = {}


def note(name, ours, theirs, where):
    worst[name] = max(worst.get(name, (0.0, "")), (abs(float(ours) - float(theirs)), where))


def ours(synthetic, real, name, **options):
    return synthema.evaluate(synthetic, real, metrics=[name], **options)[name].value


def curve(distances, radii, counts=None):
    counts = np.ones(len(distances), bool) if counts is None else counts
    within = np.array([(counts & (distances <= r)).mean() for r in radii])
    return 1 - np.abs(ALPHAS - within).sum() / ALPHAS.sum()


def support(real, synthetic, where):
    a, b = real.to_numpy(float), synthetic.to_numpy(float)
    theirs = prdc.compute_prdc(a, b, nearest_k=5)
    for ours_name, name in (
        ("support_precision", "precision"), ("support_recall", "recall"), ("density", "density"), ("coverage", "coverage"),
    ):  # fmt: skip
        note(ours_name, ours(synthetic, real, ours_name, convention="synthcity"), theirs[name], where)
    low, high = a.min(0), a.max(0)
    width = np.where(high > low, high - low, 1)
    x, y = (a - low) / width, (b - low) / width
    from_centre = cdist(x, x.mean(0)[None])[:, 0]
    alpha = curve(cdist(y, x.mean(0)[None])[:, 0], np.quantile(from_centre, ALPHAS))
    across = cdist(x, y)
    nearest, apart, own = across.argmin(1), across.min(1), np.sort(cdist(x, x), 1)[:, 1]
    of_nearest = cdist(y[nearest], y.mean(0)[None])[:, 0]
    beta = curve(of_nearest, np.quantile(of_nearest, ALPHAS), apart <= own)
    for name, value in (
        ("alpha_precision", alpha), ("beta_recall", beta), ("authenticity", (own[nearest] < apart).mean()),
    ):  # fmt: skip
        note(name, ours(synthetic, real, name, convention="synthcity"), value, where)


def dependence(real, synthetic, where):
    def information(frame):
        texts = frame.astype(str)
        return np.array([[normalized_mutual_info_score(texts[x], texts[y]) for x in texts] for y in texts])

    matrices = real.corr() - synthetic.corr()
    value = ours(synthetic, real, "correlation_matrix_difference", convention="syntheval")
    note("correlation_matrix_difference", value, np.linalg.norm(matrices.fillna(0)), where)
    value = ours(synthetic, real, "mutual_information_difference", convention="syntheval")
    note(
        "mutual_information_difference",
        value,
        np.linalg.norm(information(real) - information(synthetic)),
        where,
    )
    r, s = (spearmanr(frame.to_numpy()).statistic for frame in (real, synthetic))
    pairs = np.triu_indices(len(r), 1)
    value = ours(synthetic, real, "spearman_similarity")
    note("spearman_similarity", value, np.nanmean(1 - np.abs(r - s)[pairs] / 2), where)


def discrepancy(real, synthetic, where):
    a, b = real.to_numpy(float), synthetic.to_numpy(float)
    mean, deviation = a.mean(0), a.std(0) + 1e-8
    both = np.vstack([(a - mean) / deviation, (b - mean) / deviation])
    squared = cdist(both, both, "sqeuclidean")
    kernel = np.exp(-squared / (4 * np.median(squared[squared > 0])))
    n, m = len(a), len(b)
    rr, ss, rs = kernel[:n, :n], kernel[n:, n:], kernel[:n, n:].mean()
    unbiased = (rr.sum() - n) / n / (n - 1) + (ss.sum() - m) / m / (m - 1) - 2 * rs
    for name, value in (
        ("mean_discrepancy_biased", rr.mean() + ss.mean() - 2 * rs),
        ("mean_discrepancy", unbiased),
    ):
        note(name, ours(synthetic, real, name, convention="syntheval", discrepancy_rows=0), value, where)


def texts():
    class NoSynonyms:
        def synsets(self, *_):
            return []

    draw = random.Random(1)
    words = (
        "pain pains painful chest fever fevers denies denied deny reports report mild the a of and".split()
    )
    rows = [[" ".join(draw.choices(words, k=draw.randint(1, 60))) for _ in range(2)] for _ in range(300)]
    value = ours({"text": [r[0] for r in rows], "reference": [r[1] for r in rows]}, None, "meteor")
    theirs = [single_meteor_score(b.split(), a.split(), wordnet=NoSynonyms()) for a, b in rows]
    note("meteor", value, np.mean(theirs), "random words")
    long = [a for a, _ in rows if len(a.split()) >= 50]
    for name, theirs in (
        ("mattr", lambda r: r.mattr(50)), ("mtld", lambda r: r.mtld(0.72)), ("hdd", lambda r: r.hdd(42)),
    ):  # fmt: skip
        note(
            name,
            ours({"text": long}, None, name),
            np.mean([theirs(LexicalRichness(t)) for t in long]),
            "random words",
        )
    value = ours({"text": long}, None, "yule_k")
    note("yule_k", value, LexicalRichness(" ".join(long)).yulek, "random words")


def survival():
    rng = np.random.default_rng(5)

    def draw():
        x = rng.normal(size=(400, 2))
        time, end = rng.exponential(np.exp(-x[:, 0])), rng.exponential(2, 400)
        return pd.DataFrame(
            {"x": x[:, 0], "z": x[:, 1], "t": np.minimum(time, end), "e": (time <= end).astype(int)}
        )

    real, synthetic, test = draw(), draw(), draw()
    options = {"duration": "t", "event": "e"}
    value = synthema.evaluate(synthetic, real, test, metrics=["survival_concordance"], **options)
    model = CoxPHFitter().fit(synthetic, "t", "e")
    theirs = model.score(test, scoring_method="concordance_index")
    note("survival_concordance", value["survival_concordance"].value, theirs, "simulated")
    curves = [KaplanMeierFitter().fit(frame["t"], frame["e"]) for frame in (synthetic, real)]
    end = real["t"].max()
    cuts = np.unique(np.concatenate([[0, end], *(c.timeline[c.timeline < end] for c in curves)]))
    gaps = np.abs(np.subtract(*(c.predict(cuts[:-1]).to_numpy() for c in curves)))
    value = ours(synthetic, real, "kaplan_meier_distance", **options)
    note("kaplan_meier_distance", value, (gaps * np.diff(cuts)).sum() / end, "simulated")


def main():
    for name in SETS:
        frame = read(pathlib.Path(sys.argv[1]), name).select_dtypes("number").dropna(axis=1)
        frame = frame.sample(min(len(frame), 1200), random_state=0).astype(float).reset_index(drop=True)
        if frame.shape[1] < 3:
            continue
        frame.columns = [f"c{i}" for i in range(frame.shape[1])]
        half = len(frame) // 2
        real, synthetic = frame[:half], frame[half : 2 * half]
        for compare in (support, dependence, discrepancy):
            compare(real, synthetic, name)
    texts()
    survival()
    for name, (difference, where) in worst.items():
        print(f"{name:32s} {difference:.2g}  {where}")
    loose = {"density", "beta_recall"}
    return any(not d < (2e-3 if name in loose else 1e-6) or math.isnan(d) for name, (d, _) in worst.items())


if __name__ == "__main__":
    sys.exit(main())
