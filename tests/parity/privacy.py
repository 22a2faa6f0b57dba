"""Compare the privacy evaluators with SDMetrics and anonymeter on the same frames.

Not part of `./dev test`. The libraries live in an environment of their own, because they pin pandas:

    python3 -m venv build/peer-privacy
    build/peer-privacy/bin/pip install anonymeter sdmetrics
    ./dev run python tests/parity/privacy.py --peers build/peer-privacy/bin/python --data DIR

DIR holds adult_income, nhanes_small, support2, heart_failure, nhefs as the test data have them. Prints a
Markdown table, the one of docs/parity.md: deterministic measures with the largest difference,
randomised ones beside the range of the library over its seeds. Fails where a deterministic measure differs by
more than 1e-6 or a randomised one lies outside of that range by more than our own interval.
"""

# ruff: noqa: E501
from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
from data_sets import read, shuffled

SETS = ("adult", "nhanes", "support2", "nhefs", "heart failure")
ROWS = 800  # of each table: anonymeter's search is quadratic in Python
SEEDS = 20


def frames(folder: pathlib.Path, data: str) -> list[pd.DataFrame]:
    """Return training, holdout and synthetic rows, complete, of at most eight columns; two in ten are copies."""
    frame = read(folder, data)
    frame.columns = [str(name) for name in frame.columns]
    frame = frame.loc[:, frame.isna().mean() < 0.05]
    # Row numbers are no data: ours leaves them out, anonymeter links by them.
    numbers = [c for c in frame if pd.api.types.is_integer_dtype(frame[c]) and frame[c].is_unique]
    frame = frame.drop(columns=numbers).iloc[:, :8].dropna()
    for column in frame:
        if not pd.api.types.is_numeric_dtype(frame[column]):
            frame[column] = frame[column].astype(str)
    frame = shuffled(frame)
    n = min(ROWS, len(frame) // 3)
    training, holdout, fresh = (frame[i * n : (i + 1) * n].reset_index(drop=True) for i in range(3))
    copied = np.repeat((np.random.default_rng(0).random(n) < 0.2)[:, None], training.shape[1], axis=1)
    return [training, holdout, fresh.where(~copied, training)]


def roles(training: pd.DataFrame) -> tuple[list[str], str]:
    """Return two columns that are known and one that is secret."""
    different = training.nunique()
    usable = sorted((c for c in training if different[c] >= 2), key=lambda c: different[c])
    return usable[1:3], usable[0]


PEER = """
import json, sys
import numpy as np, pandas as pd
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator
from sdmetrics.single_table import CategoricalCAP, CategoricalGeneralizedCAP, CategoricalZeroCAP
job = json.load(open(sys.argv[1]))
T, H, S = (pd.read_parquet(path) for path in job["files"])
known, secret, seeds = job["known"], job["secret"], job["seeds"]
text = lambda frame: frame[[*known, secret]].astype(str)
out = {}
for name, metric in (("categorical_cap", CategoricalCAP), ("zero_cap", CategoricalZeroCAP), ("generalized_cap", CategoricalGeneralizedCAP)):
    out[name] = metric.compute(text(T), text(S), key_fields=known, sensitive_fields=[secret])
columns = list(T)
halves = (columns[::2], columns[1::2])
for seed in range(seeds):
    for name, make in (
        ("linkability", lambda: LinkabilityEvaluator(ori=T, syn=S, control=H, n_attacks=min(500, len(T)), aux_cols=halves, n_neighbors=1)),
        ("attribute_inference", lambda: InferenceEvaluator(ori=T, syn=S, control=H, aux_cols=[c for c in columns if c != secret], secret=secret, n_attacks=min(500, len(T)))),
    ):
        np.random.seed(seed)
        # The library draws its targets unseeded or the same each time: shuffled rows give another draw.
        order = np.random.default_rng(seed).permutation(len(T))
        T, H = T.iloc[order].reset_index(drop=True), H.iloc[np.random.default_rng(seed + 99).permutation(len(H))].reset_index(drop=True)
        one = make()
        one.evaluate(n_jobs=1)
        rates = [one.results(0.95).attack_rate.value, one.results(0.95).control_rate.value, one.risk(0.95).value]
        out.setdefault(name, []).append(rates)
json.dump(out, open(sys.argv[2], "w"))
"""


def peer(python: str, tables: list[pd.DataFrame], known: list[str], secret: str) -> dict:
    """Return what the libraries say, from a process of their own."""
    with tempfile.TemporaryDirectory() as folder:
        there = pathlib.Path(folder)
        files = [str(there / f"{i}.parquet") for i in range(3)]
        for path, frame in zip(files, tables, strict=True):
            frame.to_parquet(path)
        job = {"files": files, "known": known, "secret": secret, "seeds": SEEDS}
        (there / "job.json").write_text(json.dumps(job))
        (there / "peer.py").write_text(PEER)
        command = [python, str(there / "peer.py"), str(there / "job.json"), str(there / "out.json")]
        subprocess.run(command, check=True)
        return json.loads((there / "out.json").read_text())


def ours(tables: list[pd.DataFrame], known: list[str], secret: str) -> dict:
    """Return our numbers under the name of the libraries."""
    import synthema

    training, holdout, synthetic = (
        frame.astype({c: "category" for c in frame if not pd.api.types.is_numeric_dtype(frame[c])})
        for frame in tables
    )
    options = {"secrets": [secret], "convention": "anonymeter"}
    text = [
        frame[[*known, secret]].astype(str).astype("category") for frame in (training, holdout, synthetic)
    ]
    caps = ["categorical_cap", "zero_cap", "generalized_cap"]
    report = synthema.evaluate(text[2], text[0], metrics=caps, quasi_identifiers=known, secrets=[secret])
    out = {name: report[name].value for name in caps}
    names = ["linkability", "attribute_inference"]
    found = [synthema.evaluate(synthetic, training, holdout, names, seed=s, **options) for s in range(SEEDS)]
    for name in names:
        out[name] = [one[name].value for one in found]
        out[name + " interval"] = tuple(found[0][name].interval)
    return out


def main() -> None:
    """Print the table; exit 1 where a number does not fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", required=True, help="Python with anonymeter and sdmetrics")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--set", choices=SETS, action="append")
    args = parser.parse_args()
    wrong = 0
    print("| data | measure | library | ours | fits |\n|---|---|---|---|---|")
    for name in args.set or SETS:
        tables = frames(args.data, name)
        known, secret = roles(tables[0])
        theirs, mine = peer(args.peers, tables, known, secret), ours(tables, known, secret)
        for measure in ("categorical_cap", "zero_cap", "generalized_cap"):
            fits = abs(theirs[measure] - mine[measure]) <= 1e-6
            wrong += not fits
            print(
                f"| {name} | `{measure}` | {theirs[measure]:.9f} | {mine[measure]:.9f} | {'yes' if fits else 'no'} |"
            )
        for measure in ("linkability", "attribute_inference"):
            risks = [rates[2] for rates in theirs[measure]]
            middle = float(np.median(mine[measure]))
            fits = min(risks) - 0.02 <= middle <= max(risks) + 0.02
            wrong += not fits
            print(
                f"| {name} | `{measure}` | {min(risks):.3f} to {max(risks):.3f}, median {np.median(risks):.3f} "
                f"| {min(mine[measure]):.3f} to {max(mine[measure]):.3f}, median {middle:.3f} "
                f"| {'yes' if fits else 'no'} |"
            )
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
