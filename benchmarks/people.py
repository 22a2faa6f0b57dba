"""How well measures of text agree with people, on two sets of rated texts.

    ./dev bench people                   both sets, as a table; minutes
    ./dev bench people --json people.json

MTS-Dialog: 400 summaries of conversations by machines, with the facts that people counted in them. GerMedIQ:
228 answers to questions of an anamnesis, by people and by language models, with the ratings of people. The
figures are Spearman's correlations with 95 % intervals by bootstrap over conversations or questions;
docs/people.md reads them.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib

import numpy as np
import pandas
import synthema
from scipy.stats import spearmanr
from synthema.evaluation import Remembered

ROOT = pathlib.Path(__file__).resolve().parents[1]
BESIDE_A_REFERENCE = [
    *("bleu", "chrf", "meteor"),
    *("rouge_1", "rouge_2", "rouge_l", "rouge_lsum"),
    *("rouge_1_stemmed", "rouge_2_stemmed", "rouge_l_stemmed", "rouge_lsum_stemmed"),
    "length_words",
]
ALONE = [
    *("flesch_reading_ease", "flesch_kincaid_grade", "gunning_fog"),
    *("automated_readability_index", "coleman_liau_index", "type_token_ratio"),
    *("mattr", "mtld", "hdd", "yule_k", "zipf_exponent", "distinct_1", "distinct_2"),
]
OF_SETS = [
    *("distinct_1", "distinct_2", "self_bleu_4", "mattr", "mtld", "zipf_exponent", "exact_duplicates"),
    *("word_kl_synthetic_to_real", "word_kl_real_to_synthetic", "length_words"),
    *("nearest_note_rouge", "training_copy_words"),
    *("mauve", "frechet_text_distance", "central_moment_discrepancy", "pairwise_similarity"),
]


def measure(rows, names, real=None, embedder=None):
    """Values by name; NaN where a measure is not defined."""
    report = synthema.evaluate(
        rows,
        real,
        metrics=names,
        text_column="text",
        bootstrap=0,
        threads=1,
        embedder=embedder,
    )
    return {score.name: np.nan if score.value is None else score.value for score in report.scores}


def correlation(values, ratings, groups, seed=0, draws=1000):
    """Spearman's rho, its interval over groups, and how many texts had both."""
    known = np.isfinite(values) & np.isfinite(ratings)
    values, ratings, groups = values[known], ratings[known], groups[known]
    if known.sum() < 10 or len(set(values)) < 3:
        return None
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    drawn = []
    for _ in range(draws):
        rows = np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
        if len(set(values[rows])) > 1 and len(set(ratings[rows])) > 1:
            drawn.append(spearmanr(values[rows], ratings[rows]).statistic)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(spearmanr(values, ratings).statistic), float(low), float(high), int(known.sum())


def cosine(embedder, left, right):
    """Of the sentence embeddings, text by text."""
    a, b = (np.asarray(embedder(list(side)), dtype=float) for side in (left, right))
    return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))


def mts_dialog(folder, embedder, scorer):
    """Measures of each summary beside its reference, against the facts that people counted."""
    texts = pandas.read_csv(folder / "MTS-Dialog-Automatic-Summaries-ValidationSet.csv")
    people = pandas.read_csv(folder / "MTS-Dialog-Manual-Scores4CorrelationStudy.csv")
    summaries = texts["Automatic Summary"].fillna("").astype(str)
    references = texts["Reference Summary"].astype(str)
    found = [
        measure([{"text": text, "reference": reference}], BESIDE_A_REFERENCE + ALONE)
        for text, reference in zip(summaries, references, strict=True)
    ]
    columns = {name: np.array([row[name] for row in found]) for name in found[0]}
    columns["cosine of sentence embeddings"] = cosine(embedder, summaries, references)
    if scorer is not None:
        filled = [i for i, text in enumerate(summaries) if text.strip()]
        columns["perplexity"] = np.full(len(summaries), np.nan)
        columns["perplexity"][filled] = synthema.perplexity(scorer, summaries.iloc[filled]).texts
    return columns, people, texts["ID"].to_numpy()


def germediq(folder, embedder):
    """Measures of each rated answer beside those of people to the same question, against its ratings."""
    rated = pandas.read_csv(folder / "Human-Judgments.csv", sep=";")
    human = pandas.read_csv(folder / "GerMedIQ-Human.csv.gz", sep=";")
    human["response"] = human["response"].astype(str)
    by_question = dict(list(human.groupby("question")))
    found = []
    for row in rated.itertuples():
        others = by_question[row.question]
        if row.model == "human":
            others = others[others["participant_id"] != row.participant_id]
        pairs = [{"text": str(row.response), "reference": other} for other in others["response"]]
        one = measure(pairs, [name for name in BESIDE_A_REFERENCE if name != "length_words"])
        alone = measure([{"text": str(row.response)}], ["length_words", *ALONE])
        left = np.asarray(embedder([str(row.response)]), dtype=float)
        right = np.asarray(embedder(list(others["response"])), dtype=float)
        norms = np.sqrt((left**2).sum() * (right**2).sum(axis=1))
        one["cosine of sentence embeddings"] = float(((right @ left[0]) / norms).mean())
        found.append(one | alone)
    columns = {name: np.array([row[name] for row in found]) for name in found[0]}
    ratings = rated[["rating1a", "rating1b", "rating2a", "rating2b"]].mean(axis=1)
    return columns, pandas.DataFrame({"mean rating": ratings}), rated["question"].to_numpy(), rated


def germediq_models(folder, embedder, rated):
    """Measures of all answers of each model beside those of people, against its mean rating."""
    made = pandas.read_csv(folder / "GerMedIQ-LLM.csv.gz", sep=";")
    human = pandas.read_csv(folder / "GerMedIQ-Human.csv.gz", sep=";")
    real = [{"text": str(text)} for text in human["response"]]
    scores = rated.assign(mean=rated[["rating1a", "rating1b", "rating2a", "rating2b"]].mean(axis=1)).groupby(
        "model"
    )["mean"]
    found, ratings, names = [], [], []
    for model, answers in made.groupby("model"):
        rows = [{"text": str(text)} for text in answers["response"].fillna("")]
        found.append(measure(rows, OF_SETS, real, embedder))
        ratings.append(scores.mean()[model])
        names.append(model)
    columns = {name: np.array([row[name] for row in found]) for name in found[0]}
    return columns, pandas.DataFrame({"mean rating": ratings}), np.array(names)


def table(title, columns, people, groups):
    """Print one table; return its figures."""
    print(f"\n## {title}\n")
    wanted = [name for name in people.columns if not name.startswith("Edit")]
    print("| measure | " + " | ".join(wanted) + " |")
    print("|---" * (len(wanted) + 1) + "|")
    figures = []
    for name, values in columns.items():
        cells = []
        for rating in wanted:
            one = correlation(values, people[rating].to_numpy(float), groups)
            cells.append("not defined" if one is None else f"{one[0]:.2f} ({one[1]:.2f} to {one[2]:.2f})")
            if one is not None:
                figures.append(
                    {
                        "job": f"{title}: {rating}",
                        "system": f"synthema {name}",
                        "value": one[0],
                        "low": one[1],
                        "high": one[2],
                        "n": one[3],
                        "unit": "Spearman's rho",
                        "better": "higher",
                    }
                )
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    return figures


def main():
    parser = argparse.ArgumentParser(prog="./dev bench people", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--json", type=pathlib.Path, metavar="FILE", help="also write every figure to this file"
    )
    parser.add_argument(
        "--data", type=pathlib.Path, help="folder with mts_dialog and germediq_de (default: shared/data)"
    )
    arguments = parser.parse_args()
    data = arguments.data or pathlib.Path(os.environ.get("SYNTHEMA_DATA", ROOT / "shared" / "data"))
    if not (data / "mts_dialog").is_dir():
        raise SystemExit(f"There is no folder mts_dialog in {data}; name the data sets' folder by --data.")
    embedder = Remembered(synthema.Embedder())  # the same answers come again and again
    figures = table("MTS-Dialog", *mts_dialog(data / "mts_dialog", embedder, synthema.Model()))
    columns, people, questions, rated = germediq(data / "germediq_de", embedder)
    figures += table("GerMedIQ, answers", columns, people, questions)
    figures += table("GerMedIQ, models", *germediq_models(data / "germediq_de", embedder, rated))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
