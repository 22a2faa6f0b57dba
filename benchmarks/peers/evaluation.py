"""The jobs of benchmarks/evaluate.py: ``WORK[kind, system]`` gets the frames (or texts) and the threads.

Returns what it computed, by name. Rows of synthetic data are class 1 throughout; the target is ``y``. A peer
that looks at some rows only is called as its documents call it; ours looks at all of them.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import subprocess
import sys
import time

from peer import serve

TARGET = "y"
# Loaded before the clock runs.
MODULES = {
    "synthema": "synthema.evaluation",
    "rouge-score": "rouge_score.rouge_scorer",
    "fast-bleu": "fast_bleu",
}


def load(job):
    folder = pathlib.Path(job["folder"])
    if job["kind"] == "command":
        return folder
    if (folder / "texts.json").exists():
        importlib.import_module(MODULES.get(job["system"], job["system"]))
        return json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    parts = ("real", "synthetic") if job["kind"] == "nearest" else ("real", "synthetic", "holdout")
    paths = [folder / f"{part}.csv" for part in parts]
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


def ours_with_holdout(*names, **options):
    """The values of our metrics; ceilings and floors are computed along with them."""

    def work(tables, threads):
        import synthema

        real, synthetic, holdout = tables
        report = synthema.evaluate(synthetic, real, holdout, names, threads=threads, **options)
        return {name: report[name].value for name in names}

    return work


def our_report(tables, threads):
    import synthema
    from synthema import reporting

    real, synthetic, holdout = tables
    report = synthema.evaluate(synthetic, real, holdout, target=TARGET, threads=threads)
    page = reporting.save(report, "report.html")
    return {"bivariate accuracy": report["bivariate_accuracy"].value, "page bytes": page.stat().st_size}


def foretold_report(tables, threads):
    """Every measure of the default level; how long the forecast before it took, and what it said."""
    import synthema

    real, synthetic, holdout = tables
    begun = time.perf_counter()
    plan = synthema.forecast(synthetic, real, holdout, target=TARGET, threads=threads)
    foretold = time.perf_counter()
    report = synthema.evaluate(synthetic, real, holdout, target=TARGET, threads=threads)
    return {
        "measures": sum(score.value is not None for score in report.scores),
        "forecast took s": foretold - begun,
        "forecast / time": plan.seconds / (time.perf_counter() - foretold),
        "forecast GiB": plan.memory_bytes / 2**30,
    }


def our_nearest(tables, threads):
    """DCR, NNDR and NNAA as the default level takes them: no floors, but real rows among themselves."""
    import synthema

    names = ("dcr", "nndr", "nnaa")
    measures = [one for one in synthema._core.table_suite() if one.name in names]
    report = synthema.evaluate(tables[1], tables[0], metrics=measures, threads=threads)
    return {name: report[name].value for name in names}


def our_command(folder, threads):
    """What a user types, from the start of Python to the page on disk; on all cores."""
    target = (folder / "target").read_text(encoding="utf-8")
    real, synthetic, holdout = (str(folder / f"{part}.csv") for part in ("real", "synthetic", "holdout"))
    command = [sys.executable, "-m", "synthema", "evaluate", synthetic, "--real", real, "--holdout", holdout]
    subprocess.run([*command, "--target", target, "--out", str(folder / "report")], check=True)
    return {"page bytes": os.path.getsize(folder / "report/report.html")}


def mostly_report(frames, threads):
    from mostlyai import qa

    real, synthetic, holdout = frames
    page, found = qa.report(
        syn_tgt_data=synthetic, trn_tgt_data=real, hol_tgt_data=holdout, report_path="page.html"
    )
    return {"bivariate accuracy": found.accuracy.bivariate, "page bytes": os.path.getsize(page)}


def sdmetrics_kinds(frame):
    kinds = {
        name: {"sdtype": "numerical" if name.startswith("n") else "categorical"} for name in frame.columns
    }
    return {"columns": kinds}


def sdmetrics_new_rows(frames, threads):
    from sdmetrics.single_table import NewRowSynthesis

    real, synthetic, _ = frames
    return {
        "new": NewRowSynthesis.compute(real, synthetic, sdmetrics_kinds(real), synthetic_sample_size=1000)
    }


def sdmetrics_dcr(frames, threads):
    from sdmetrics.single_table import DCROverfittingProtection

    real, synthetic, holdout = frames
    kinds = {"tables": {"table": sdmetrics_kinds(real)}, "relationships": []}
    return {
        "score": DCROverfittingProtection.compute(
            real, synthetic, holdout, kinds, "table", num_rows_subsample=1000
        )
    }


def prdc_library(frames, threads):
    """On the same coding as scikit-learn's users take: standardised numbers, one-hot labels."""
    import pandas
    from prdc import compute_prdc

    real, synthetic, _ = frames
    both = pandas.get_dummies(pandas.concat([real, synthetic], ignore_index=True)).astype(float)
    both = ((both - both.mean()) / both.std()).to_numpy()
    return compute_prdc(both[: len(real)], both[len(real) :], nearest_k=5)


def anonymeter(attack):
    def work(frames, threads):
        from anonymeter import evaluators

        real, synthetic, holdout = frames
        columns = list(real)
        kind, options, jobs = {
            "singling_out": (evaluators.SinglingOutEvaluator, {}, {}),
            "linkability": (
                evaluators.LinkabilityEvaluator,
                {"aux_cols": (columns[::2], columns[1::2])},
                {"n_jobs": threads},
            ),
            "inference": (
                evaluators.InferenceEvaluator,
                {"aux_cols": columns[:-1], "secret": TARGET},
                {"n_jobs": threads},
            ),
        }[attack]
        made = kind(ori=real, syn=synthetic, control=holdout, n_attacks=500, **options)
        made.evaluate(**jobs)
        return {"risk": made.risk().value}

    return work


def our_texts(*names, reference=False):
    def work(texts, threads):
        import synthema

        made = {"text": texts["synthetic"]} | ({"reference": texts["real"]} if reference else {})
        report = synthema.evaluate(made, metrics=list(names), threads=threads, bootstrap=0)
        return {name: report[name].value for name in names}

    return work


def rouge_score(texts, threads):
    from rouge_score import rouge_scorer

    scorer = rouge_scorer.RougeScorer(["rougeL"])
    found = [
        scorer.score(*pair)["rougeL"].fmeasure for pair in zip(texts["real"], texts["synthetic"], strict=True)
    ]
    return {"rouge_l": sum(found) / len(found)}


FEW = 20  # notes whose pairs rouge-score compares in a minute


def our_nearest_note(texts, threads):
    """ROUGE-L with the most similar real note, of all; and of a few as the library takes them."""
    import synthema

    def nearest(count):
        synthetic, real = ({"text": texts[part][:count]} for part in ("synthetic", "real"))
        name = "nearest_note_rouge"
        return synthema.evaluate(synthetic, real, metrics=name, threads=threads, bootstrap=0)[name].value

    return {"of all": nearest(None), f"of {FEW} among {FEW}": nearest(FEW)}


def rouge_score_pairs(texts, threads):
    from rouge_score import rouge_scorer

    scorer, begun = rouge_scorer.RougeScorer(["rougeL"]), time.perf_counter()
    found = [
        max(scorer.score(real, one)["rougeL"].fmeasure for real in texts["real"][:FEW])
        for one in texts["synthetic"][:FEW]
    ]
    pairs = len(texts["real"]) * len(texts["synthetic"])
    return {
        f"of {FEW} among {FEW}": sum(found) / FEW,
        "all s": (time.perf_counter() - begun) / FEW**2 * pairs,
    }


def sacrebleu(texts, threads):
    import sacrebleu as library

    made, references = texts["synthetic"], [texts["real"]]
    return {
        "bleu": library.corpus_bleu(made, references).score,
        "chrf": library.corpus_chrf(made, references).score,
    }


def fast_bleu(texts, threads):
    from fast_bleu import SelfBLEU

    words = [text.split() for text in texts["synthetic"]]
    found = SelfBLEU(words, {"4": (0.25,) * 4}).get_score()["4"]
    return {"self_bleu_4": sum(found) / len(found)}


def datasketch(texts, threads):
    """MinHash of 128 over five-word shingles, the usual search for near-duplicates."""
    from datasketch import MinHash, MinHashLSH

    index, repeated = MinHashLSH(threshold=0.7, num_perm=128), set()
    for i, text in enumerate(texts["synthetic"]):
        words, sketch = text.split(), MinHash(num_perm=128)
        sketch.update_batch([" ".join(words[k : k + 5]).encode() for k in range(len(words) - 4)])
        if near := index.query(sketch):
            repeated |= {i, *near}
        index.insert(i, sketch)
    return {"near_duplicates": len(repeated) / len(texts["synthetic"])}


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

    kinds = sdmetrics_kinds(frames[0])
    return {"1 - (2 AUROC - 1)": LogisticDetection.compute(frames[0], frames[1], kinds)}


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
    ("command", "synthema"): our_command,
    ("foretold_report", "synthema"): foretold_report,
    ("nearest", "synthema"): our_nearest,
    ("report", "synthema"): our_report,
    ("report", "mostlyai-qa"): mostly_report,
    ("new_rows", "synthema"): ours_with_holdout("exact_copies"),
    ("new_rows", "sdmetrics"): sdmetrics_new_rows,
    ("dcr_share", "synthema"): ours_with_holdout("dcr_share"),
    ("dcr_share", "sdmetrics"): sdmetrics_dcr,
    ("prdc", "synthema"): ours_with_holdout("support_precision", "support_recall", "density", "coverage"),
    ("prdc", "prdc"): prdc_library,
    ("singling_out", "synthema"): ours_with_holdout("singling_out_multivariate"),
    ("singling_out", "anonymeter"): anonymeter("singling_out"),
    ("linkability", "synthema"): ours_with_holdout("linkability"),
    ("linkability", "anonymeter"): anonymeter("linkability"),
    ("inference", "synthema"): ours_with_holdout("attribute_inference", secrets=[TARGET]),
    ("inference", "anonymeter"): anonymeter("inference"),
    ("rouge_l", "synthema"): our_texts("rouge_l", reference=True),
    ("rouge_l", "rouge-score"): rouge_score,
    ("bleu", "synthema"): our_texts("bleu", "chrf", reference=True),
    ("bleu", "sacrebleu"): sacrebleu,
    ("self_bleu", "synthema"): our_texts("self_bleu_4"),
    ("self_bleu", "fast-bleu"): fast_bleu,
    ("near_copies", "synthema"): our_texts("near_duplicates"),
    ("near_copies", "datasketch"): datasketch,
    ("nearest_note", "synthema"): our_nearest_note,
    ("nearest_note", "rouge-score"): rouge_score_pairs,
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
