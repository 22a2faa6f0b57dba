"""Compare deterministic measures with the libraries that define them, on the same frames of public data.

Not part of `./dev test`. Each library lives in an environment of its own, because they pin others:

    python3 -m venv build/peer-tables
    build/peer-tables/bin/pip install sdmetrics prdc pyarrow
    python3 -m venv build/peer-syntheval
    build/peer-syntheval/bin/pip install syntheval pyarrow

mostlyai-qa and synthcity depend on torch and pull builds of several GB for graphics cards; so they come without
dependencies, beside the CPU build of torch (`torch==2.13.0+cpu`) or a link to one:

    python3 -m venv build/peer-mostly
    build/peer-mostly/bin/pip install --no-deps mostlyai-qa
    build/peer-mostly/bin/pip install pandas pyarrow scikit-learn joblib phik plotly Jinja2 pydantic rich psutil \
        xxhash
    python3 -m venv build/peer-synthcity
    build/peer-synthcity/bin/pip install --no-deps synthcity geomloss
    build/peer-synthcity/bin/pip install "numpy<2" "pandas<2.3" "scikit-learn<1.6" pydantic loguru cloudpickle \
        tqdm tenacity "pyarrow<19" networkx lifelines xgboost-cpu

What else synthcity imports belongs to its generators; this script gives it empty modules in its place. Then

    ./dev run python tests/parity/measures.py --peers build --data DIR [--package NAME] [--write]

DIR holds the data sets of SETS. Prints a Markdown table, and puts it into docs/parity.md with --write: by measure
the data sets, how many numbers were compared, and the largest difference. Exits with 1 where one is above the
tolerance, which is 1e-6 but for numbers that the library rounds.
"""

# ruff: noqa: E501
from __future__ import annotations

import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
from data_sets import SETS, read, shuffled

ROWS, COLUMNS = 600, 12
NUMBERS = "number"


def frames(folder: pathlib.Path, data: str) -> list[pd.DataFrame]:
    """Return real rows, others of which a tenth of the cells is drawn anew from its column, and a holdout.

    At most twelve columns; integers of fewer than ten values are labels, as texts.
    """
    frame = read(folder, data)
    frame.columns = [
        f"c{i}_{name}".replace(" ", "_").replace(".", "_") for i, name in enumerate(frame.columns)
    ]
    frame = frame.loc[:, frame.isna().mean() < 0.3]
    frame = frame.loc[:, frame.nunique() > 1].iloc[:, :COLUMNS]
    for name in frame:
        column = frame[name]
        if not pd.api.types.is_numeric_dtype(column) or column.nunique() < 10:
            frame[name] = column.map(lambda value: value if pd.isna(value) else f"v{value}").astype(object)
        else:
            frame[name] = column.astype(float)
    frame = shuffled(frame)
    n = min(ROWS, len(frame) // 3)
    real, other, holdout = (frame[i * n : (i + 1) * n].reset_index(drop=True) for i in range(3))
    rng = np.random.default_rng(2)
    for name in other:
        anew = rng.random(n) < 0.1
        other.loc[anew, name] = rng.permutation(other[name].to_numpy())[anew]
    return [real, other, holdout]


def numbers_of(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame if pd.api.types.is_numeric_dtype(frame[name])]


# --- the libraries: each fills `out[measure][part]` from R, S and H, complete rows RC, SC and HC ---

PEERS = {
    "sdmetrics": ("peer-tables", """
from sdmetrics.single_column import (BoundaryAdherence, CategoryAdherence, CategoryCoverage, CSTest, KSComplement,
    MissingValueSimilarity, RangeCoverage, StatisticSimilarity, TVComplement)
from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity
from sdmetrics.single_table import DCROverfittingProtection, NewRowSynthesis
meta = {"columns": {c: {"sdtype": "numerical" if c in numbers else "categorical"} for c in R}}
add("dcr_share", "", DCROverfittingProtection.compute(R, S, H, {"tables": {"t": meta}}, "t"))
add("exact_copies", "", NewRowSynthesis.compute(R, S, {"tables": {"t": meta}}, "t"))
for c in R:
    if c in numbers:
        add("column_shapes", c, KSComplement.compute(R[c], S[c]))
        add("boundary_adherence", c, BoundaryAdherence.compute(R[c], S[c]))
        add("range_coverage", c, RangeCoverage.compute(R[c], S[c]))
        for ours, theirs in (("mean", "mean"), ("median", "median"), ("deviation", "std")):
            add(ours + "_similarity", c, StatisticSimilarity.compute(R[c], S[c], statistic=theirs))
    else:
        add("column_shapes", c, TVComplement.compute(R[c], S[c]))
        add("chi_square", c, CSTest.compute(*(one[c].astype(object).where(one[c].notna(), None) for one in (R, S))))
        add("category_coverage", c, CategoryCoverage.compute(R[c].dropna(), S[c].dropna()))
        add("category_adherence", c, CategoryAdherence.compute(R[c].dropna(), S[c].dropna()))
    add("missing_value_similarity", c, MissingValueSimilarity.compute(R[c], S[c]))
names = list(R)
for i, a in enumerate(names):
    for b in names[i + 1:]:
        if a in numbers and b in numbers:
            add("column_pairs", f"{a} x {b}", CorrelationSimilarity.compute(RC[[a, b]], SC[[a, b]], coefficient="Pearson"))
            add("spearman_similarity", f"{a} x {b}", CorrelationSimilarity.compute(RC[[a, b]], SC[[a, b]], coefficient="Spearman"))
        if a not in numbers and b not in numbers:
            add("column_pairs", f"{a} x {b}", ContingencySimilarity.compute(RC[[a, b]], SC[[a, b]], num_rows_subsample=None))
"""),
    "prdc": ("peer-tables", """
import prdc
found = prdc.compute_prdc(RC[numbers].to_numpy(), SC[numbers].to_numpy(), nearest_k=5)
for ours, theirs in (("support_precision", "precision"), ("support_recall", "recall"), ("density", "density"), ("coverage", "coverage")):
    add(ours, "", found[theirs])
"""),
    "syntheval": ("peer-syntheval", """
from sklearn.preprocessing import OrdinalEncoder
from syntheval.metrics.utility.metric_mixed_correlation import MixedCorrelation
from syntheval.metrics.utility.metric_mutual_information import MutualInformation
from syntheval.metrics.utility.metric_max_mean_discrepancy import MaximumMeanDiscrepancy
labels = [c for c in RC if c not in numbers]
A, B = RC.copy(), SC.copy()
if labels:
    encoder = OrdinalEncoder().fit(np.vstack([RC[labels], SC[labels]]))
    A[labels], B[labels] = encoder.transform(RC[labels].to_numpy()), encoder.transform(SC[labels].to_numpy())
A, B = A.astype(float), B.astype(float)
options = dict(cat_cols=labels, num_cols=numbers, do_preprocessing=False, plot_figures=False, verbose=False)
add("correlation_matrix_difference", "", MixedCorrelation(A, B, **options).evaluate()["corr_mat_diff"])
add("mutual_information_difference", "", MutualInformation(A, B, **options).evaluate()["mutual_inf_diff"])
mmd = MaximumMeanDiscrepancy(A, B, **options).evaluate(use_cats=False)
add("mean_discrepancy", "", mmd["u_mmd"])
add("mean_discrepancy_biased", "", mmd["b_mmd"])
from syntheval.metrics.privacy.metric_distance_closest_record import MedianDistanceToClosestRecord
from syntheval.metrics.privacy.metric_epsilon_identifiability import EpsilonIdentifiability
from syntheval.metrics.privacy.metric_nn_adversarial_accuracy import NearestNeighbourAdversarialAccuracy
from syntheval.metrics.privacy.metric_nn_distance_ratio import NearestNeighbourDistanceRatio
from syntheval.metrics.utility.metric_quantile_mse import QuantileMSE
from syntheval.metrics.utility.metric_dimensionwise_means import DimensionWiseMeans
from syntheval.metrics.utility.metric_kolmogorov_smirnov import KolmogorovSmirnovTest
from syntheval.metrics.privacy.metric_hitting_rate import HittingRate
add("column_shapes", "", KolmogorovSmirnovTest(A, B, **options).evaluate(n_perms=2)["avg stat"])
add("mean_similarity", "", DimensionWiseMeans(RC, SC, **options | dict(do_preprocessing=True)).evaluate()["avg"])
add("quantile_mse", "", QuantileMSE(A, B, **options).evaluate()["avg qMSE"])
options |= dict(do_preprocessing=True, nn_dist="gower")
nearest = lambda metric: metric(RC, SC, HC, **options).evaluate()
add("near_copies", "", nearest(HittingRate)["hit rate"])
add("dcr", "", nearest(MedianDistanceToClosestRecord)["mDCR"])
add("nndr", "", nearest(NearestNeighbourDistanceRatio)["avg"])
found = nearest(NearestNeighbourAdversarialAccuracy)
add("nnaa", "", found["avg"])
add("nnaa_privacy_loss", "", found["priv_loss"])
add("identifiability", "", nearest(EpsilonIdentifiability)["eps_risk"])
"""),
    "mostlyai": ("peer-mostly", """
from mostlyai.qa._accuracy import bin_data, calculate_accuracy
prefix = lambda frame: frame.rename(columns=lambda c: "tgt::" + c).astype({"tgt::" + c: "object" for c in frame if c not in numbers})
a, bins = bin_data(prefix(R), 10)
b, _ = bin_data(prefix(S), bins)
names = list(R)
for i, x in enumerate(names):
    add("univariate_accuracy", x, calculate_accuracy(a[["tgt::" + x]], b[["tgt::" + x]])[0])
    for y in names[i + 1:]:
        both = ["tgt::" + x, "tgt::" + y]
        add("bivariate_accuracy", f"{x} x {y}", calculate_accuracy(a[both].astype(str), b[both].astype(str))[0])
"""),
    "synthcity": ("peer-synthcity", """
import importlib.abc, importlib.machinery, types
class Any(type):
    def __getattr__(cls, name):
        if name.startswith("__"): raise AttributeError(name)
        return Any(name, (), {"__init__": lambda self, *args, **options: None})
class Anything(types.ModuleType):
    __path__ = []
    def __getattr__(self, name): return getattr(Any("any", (), {}), name)
class Empty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in EMPTY: return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec): return Anything(spec.name)
    def exec_module(self, module): pass
EMPTY = {"arfpy", "be_great", "decaf", "fastai", "fastcore", "fflows", "monai", "nflows", "opacus", "optuna", "pgmpy", "pycox", "pykeops", "redis", "shap", "tsai", "xgbse", "torchvision", "torchtuples", "igraph"}
sys.meta_path.append(Empty())
from synthcity.plugins.core.dataloader import GenericDataLoader
from synthcity.metrics.eval_privacy import IdentifiabilityScore
from synthcity.metrics.eval_statistical import (AlphaPrecision, ChiSquaredTest, InverseKLDivergence, JensenShannonDistance,
    KolmogorovSmirnovTest, MaximumMeanDiscrepancy, PRDCScore)
from sklearn.preprocessing import OrdinalEncoder
RL, SL = RC.copy(), SC.copy()
labels = [c for c in RC if c not in numbers]
if labels:
    encoder = OrdinalEncoder().fit(np.vstack([RC[labels], SC[labels]]))
    RL[labels], SL[labels] = encoder.transform(RC[labels].to_numpy()), encoder.transform(SC[labels].to_numpy())
RL, SL = RL.astype(float), SL.astype(float)
for c in RL:
    one = GenericDataLoader(RL[[c]]), GenericDataLoader(SL[[c]])
    for name, metric in (("kl_real_to_synthetic", InverseKLDivergence), ("chi_square", ChiSquaredTest), ("jensen_shannon", JensenShannonDistance)):
        add(name, c, metric(use_cache=False)._evaluate(*one)["marginal"])
both = GenericDataLoader(RL), GenericDataLoader(SL)
add("mean_discrepancy_biased", "", MaximumMeanDiscrepancy(use_cache=False)._evaluate(*both)["joint"])
A, B = (GenericDataLoader(frame[numbers]) for frame in (RC, SC))
found = PRDCScore(use_cache=False)._evaluate(A, B)
for ours, theirs in (("support_precision", "precision"), ("support_recall", "recall"), ("density", "density"), ("coverage", "coverage")):
    add(ours, "", found[theirs])
add("column_shapes", "", KolmogorovSmirnovTest(use_cache=False)._evaluate(A, B)["marginal"])
from sklearn.preprocessing import MinMaxScaler
scaler = MinMaxScaler().fit(RC[numbers])
naive = AlphaPrecision(use_cache=False).metrics(scaler.transform(RC[numbers]), scaler.transform(SC[numbers]), emb_center=scaler.transform(RC[numbers]).mean(0))
for name, value in zip(("alpha_precision", "beta_recall", "authenticity"), naive[3:], strict=True):
    add(name, "", value)
add("identifiability", "", IdentifiabilityScore._compute_scores(None, A, B)["score"])
"""),
}  # fmt: skip

HEAD = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd
from importlib.metadata import version
job = json.load(open(sys.argv[1]))
R, S, H, RC, SC, HC = (pd.read_parquet(path) for path in job["files"])
numbers, out = job["numbers"], {}
def add(measure, part, value): out.setdefault(measure, {})[part] = float(value)
"""
TAIL = """
json.dump({"measures": out, "version": version(job["distribution"])}, open(sys.argv[2], "w"))
"""
DISTRIBUTIONS = {"mostlyai": "mostlyai-qa"}
ONLY_NUMBERS = {
    ("prdc", "*"), *(("synthcity", name) for name in (
        "support_precision", "support_recall", "density", "coverage", "column_shapes", "alpha_precision", "beta_recall",
        "authenticity", "identifiability")),
    ("syntheval", "mean_discrepancy"), ("syntheval", "mean_discrepancy_biased"),
}  # fmt: skip
# What is compared without a column of missing values.
COMPLETE = {
    "column_pairs",
    "spearman_similarity",
    "correlation_matrix_difference",
    "mutual_information_difference",
}
TOLERANCES = {"mostlyai": 5.1e-6}  # rounded to five places there
HOLDOUT = {"dcr", "near_copies", "dcr_share", "nndr", "nnaa", "nnaa_privacy_loss", "identifiability"}
# scikit-learn's distances of equal rows differ in their last bits, and that decides ties: without repeated rows.
NO_TIES = {"prdc", "synthcity"}


def without_repeats(tables: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the tables without rows whose numbers an earlier row of either has."""
    both = pd.concat(tables, keys=range(len(tables)))
    kept = both.drop_duplicates(numbers_of(both))
    return [kept.loc[i].reset_index(drop=True) for i in range(len(tables))]


def theirs(package: str, peers: pathlib.Path, tables: list[pd.DataFrame]) -> dict:
    """Return what a library says, from a process of its own."""
    environment, code = PEERS[package]
    with tempfile.TemporaryDirectory() as folder:
        there = pathlib.Path(folder)
        files = [str(there / f"{i}.parquet") for i in range(len(tables))]
        for path, frame in zip(files, tables, strict=True):
            frame.to_parquet(path)
        job = {"files": files, "numbers": numbers_of(tables[0])}
        job["distribution"] = DISTRIBUTIONS.get(package, package)
        (there / "job.json").write_text(json.dumps(job))
        (there / "peer.py").write_text(HEAD + code + TAIL)
        python = str((peers / environment / "bin" / "python").absolute())
        done = subprocess.run(
            [python, "peer.py", "job.json", "out.json"], cwd=there, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{package}: {done.stderr[-2000:]}")
        return json.loads((there / "out.json").read_text())


def ours(package: str, measure: str, tables: list[pd.DataFrame]) -> dict[str, float]:
    """Return our numbers by part; the part '' is the whole score."""
    import synthema

    complete = measure in COMPLETE or package not in ("sdmetrics", "mostlyai")
    some = tables[3:] if complete else tables[:3]
    if (package, "*") in ONLY_NUMBERS or (package, measure) in ONLY_NUMBERS:
        some = [frame[numbers_of(frame)] for frame in some]
    real, synthetic, holdout = (
        frame.astype({c: "category" for c in frame if not pd.api.types.is_numeric_dtype(frame[c])})
        for frame in some
    )
    convention = "synthcity" if package == "prdc" else package
    options = {"metrics": [measure], "convention": convention, "discrepancy_rows": 0}
    score = synthema.evaluate(synthetic, real, holdout if measure in HOLDOUT else None, **options)[measure]
    return {"": score.value, **{part.name: part.value for part in score.parts}}


def compare(package: str, args: argparse.Namespace) -> tuple[list[str], bool]:
    """Return the lines of a table, and whether all agree."""
    worst: dict[str, tuple[float, str, int, set[str]]] = {}
    version, fine = "", True
    for name in SETS:
        tables = frames(args.data, name)
        real = tables[0]
        complete = [frame.dropna().reset_index(drop=True) for frame in tables]
        if package in NO_TIES:
            complete = without_repeats(complete)
        n = min(len(frame) for frame in complete[:2])
        tables += [frame[:n] for frame in complete]
        if package in NO_TIES and len(numbers_of(real)) < 3:
            continue
        if package == "syntheval" and not numbers_of(real):
            continue
        found = theirs(package, args.peers, tables)
        version = found["version"]
        for measure, parts in found["measures"].items():
            mine = ours(package, measure, tables)
            for part, value in parts.items():
                difference, where, count, sets = worst.get(measure, (0.0, "", 0, set()))
                if part not in mine:
                    raise SystemExit(f"{package} {measure} {name}: we have no part {part!r}")
                if not math.isfinite(value) or mine[part] is None:
                    if math.isfinite(value) or mine[part] is not None:
                        print(
                            f"{package} {measure} {name} {part}: {value} there, {mine[part]} here",
                            file=sys.stderr,
                        )
                    continue
                if abs(value - mine[part]) >= difference:
                    difference, where = abs(value - mine[part]), name
                worst[measure] = (difference, where, count + 1, sets | {name})
    lines = []
    for measure, (difference, where, count, sets) in worst.items():
        fits = difference <= TOLERANCES.get(package, 1e-6)
        fine &= fits
        at = f" ({where})" if difference > 1e-6 else ""
        lines.append(
            f"| {DISTRIBUTIONS.get(package, package)} {version} | `{measure}` | {len(sets)} | {count} "
            f"| {difference:.1g}{at} | {'yes' if fits else 'no'} |"
        )
    return lines, fine


def main() -> None:
    """Print the table, and write it where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=pathlib.Path, required=True, help="folder of the environments")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--package", choices=PEERS, action="append")
    parser.add_argument("--write", action="store_true", help="into docs/parity.md")
    args = parser.parse_args()
    lines = [
        "| library | measure | data sets | numbers | largest difference | fits |",
        "|---|---|---|---|---|---|",
    ]
    fine = True
    for package in args.package or PEERS:
        found, fits = compare(package, args)
        lines += found
        fine &= fits
        print("\n".join(found), flush=True)
    if args.write:
        page = pathlib.Path("docs/parity.md")
        before, rest = page.read_text().split("<!-- measures -->")
        after = rest.split("<!-- end of measures -->")[1]
        table = "\n".join(lines)
        page.write_text(f"{before}<!-- measures -->\n{table}\n<!-- end of measures -->{after}")
    sys.exit(not fine)


if __name__ == "__main__":
    main()
