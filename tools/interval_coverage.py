"""Simulate how often the intervals of scores cover what they should, and write docs/calibration.md.

    ./dev run python tools/interval_coverage.py --repeats 400 --write

In each world some of the tables are drawn again and again from a known process and the others stay: what an
interval says it is about ("synthetic rows", "real rows held fixed"). The truth is the mean of the score over
all repeats; of an attack's residual risk, the risk at the mean success rates, because the score itself is cut
at 0. An interval of 95 % should cover it in 92 to 98 % of the repeats.
"""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Callable, Iterator

import numpy as np
import synthema

LOW, HIGH = 0.92, 0.98
RISKS = ("singling_out_univariate", "singling_out_multivariate", "linkability", "attribute_inference")
WORDS = [f"word{i}" for i in range(400)]
WEIGHTS = 1 / (1 + np.arange(len(WORDS)))
WEIGHTS /= WEIGHTS.sum()
TERMS = [{"id": f"T{i}", "name": f"finding{i} word{i}", "synonyms": [f"sign{i}"]} for i in range(6)]


# --- rows ---

FIELDS = {"x": "real", "z": "real", "k": "integer", "c": "category", "y": "category"}


def rows(rng: np.random.Generator, n: int, subjects: int = 0) -> synthema.Table:
    """Draw rows of dependent numbers and labels; with `subjects`, of so many people who share some of it."""
    people = np.arange(n) % subjects if subjects else np.arange(n)
    own = rng.normal(size=(subjects or n, 2))[people]
    x = own[:, 0] + (0.5 if subjects else 0) * rng.normal(size=n)
    data = {
        "x": np.round(x, 1),
        "z": np.round(x + rng.normal(size=n), 2),
        "k": rng.poisson(np.exp(0.5 + own[:, 1] / 3)),
        "c": [f"c{i}" for i in np.clip(np.round(x + rng.normal(size=n)), -2, 2).astype(int)],
        "y": np.where(x + rng.normal(size=n) > 0, "yes", "no").tolist(),
    }
    fields = [synthema.Field(name, kind) for name, kind in FIELDS.items()]
    columns = {name: np.asarray(values).tolist() for name, values in data.items()}
    if subjects:
        fields.append(synthema.Field("who", "integer", roles=["subject"]))
        columns["who"] = people.tolist()
    return synthema.table(columns, synthema.Schema(fields))


def some_copied(rng: np.random.Generator, training: synthema.Table, n: int) -> synthema.Table:
    """Draw rows of which two in ten are copies of training rows."""
    fresh, source = rows(rng, n).records(), training.records()
    copied = rng.random(n) < 0.2
    mixed = [
        source[rng.integers(len(source))] if copy else row for copy, row in zip(copied, fresh, strict=True)
    ]
    return synthema.table(
        mixed, synthema.Schema([synthema.Field(name, kind) for name, kind in FIELDS.items()])
    )


# --- texts ---


def texts(rng: np.random.Generator, n: int, sources: list[str]) -> synthema.Table:
    """Draw texts with labels and facts; some repeat a source, name their label or an identifier."""
    made = []
    for i in range(n):
        label = int(rng.integers(6))
        words = list(rng.choice(WORDS, size=rng.integers(6, 25), p=WEIGHTS))
        if rng.random() < 0.5:
            words.insert(0, f"finding{label if rng.random() < 0.8 else (label + 1) % 6}")
        if rng.random() < 0.3:
            words += [f"word{label}"]
        if rng.random() < 0.25 and sources:
            words += sources[rng.integers(len(sources))].split()[: int(rng.integers(8, 16))]
        if rng.random() < 0.3:
            words += ["Dr.", f"Smith{'abcdefgh'[rng.integers(8)]}"]
        made.append(
            {
                "text": " ".join(words), "label": f"T{label}", "row_id": i, "check": "",
                "accepted": bool(rng.random() < 0.7),
                "free_tokens": int(rng.integers(5, 40)), "masked_tokens": int(rng.integers(0, 9)),
                "forced_tokens": int(rng.integers(0, 5)), "fact_age": bool(rng.random() < 0.8),
                "reference": " ".join(words[: len(words) // 2] + list(rng.choice(WORDS, size=6, p=WEIGHTS))),
            }
        )  # fmt: skip
    kinds = {"label": "category", "accepted": "boolean", "fact_age": "boolean"}
    kinds |= dict.fromkeys(("row_id", "free_tokens", "masked_tokens", "forced_tokens"), "integer")
    fields = [
        synthema.Field(name, kinds.get(name, "text"), roles=["label"] if name == "label" else [])
        for name in made[0]
    ]
    return synthema.table(made, synthema.Schema(fields))


def letters(some: list[str]) -> np.ndarray:
    """Embed texts by the words they have."""
    return np.array([[0.01 + text.count(f"finding{i}") for i in range(6)] for text in some], float)


# --- worlds: each yields (evaluators, real, synthetic, context) ---

Draw = tuple[list[str], synthema.Table, synthema.Table, dict]
World = Callable[[np.random.Generator, int], Iterator[Draw]]


def synthetic_rows(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Synthetic rows are drawn; training and holdout rows stay."""
    training, holdout = rows(rng, 300), rows(rng, 300)
    names = ["exact_copies", "rare_value_reuse", "near_copies", "nndr"]
    names += ["support_precision", "density"]
    for _ in range(repeats):
        yield names, training, some_copied(rng, training, 200), {"holdout": holdout}


def split(rng: np.random.Generator, n: int, subjects: int = 0) -> tuple[synthema.Table, synthema.Table]:
    """Draw twice as many rows, or people, and split them at random."""
    if subjects:
        drawn = rows(rng, 2 * n, 2 * subjects)
        who = np.asarray(drawn.values("who"))
        first = np.isin(who, rng.permutation(2 * subjects)[:subjects])
    else:
        drawn = rows(rng, 2 * n)
        first = np.isin(np.arange(2 * n), rng.permutation(2 * n)[:n])
    return drawn.take(np.flatnonzero(first).tolist()), drawn.take(np.flatnonzero(~first).tolist())


NEAREST = ["dcr_share", "near_copies", "dcr_share_worst_group"]


def real_rows_and_fresh_rows(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """All rows are drawn; the synthetic ones are as the real ones."""
    for _ in range(repeats):
        training, holdout = split(rng, 150)
        yield NEAREST, training, rows(rng, 200), {"holdout": holdout}


def real_rows_and_many_fresh_rows(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """All rows are drawn; the synthetic ones are as the real ones, and ten times as many."""
    for _ in range(repeats):
        training, holdout = split(rng, 150)
        yield ["dcr_share"], training, rows(rng, 1500), {"holdout": holdout}


def real_rows_and_clumps(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Real rows are drawn; synthetic rows lie around ten others that nobody trained on."""
    for _ in range(repeats):
        training, holdout = split(rng, 150)
        centres = rows(rng, 10).records()
        made = [dict(centres[i]) for i in rng.integers(10, size=300)]
        for row in made:
            row["x"], row["z"] = (round(row[name] + rng.normal() / 10, 2) for name in ("x", "z"))
        yield NEAREST, training, synthema.table(made, training.schema), {"holdout": holdout}


def real_rows_and_smooth_rows(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Real rows are drawn; synthetic rows are all near the middle."""
    for _ in range(repeats):
        training, holdout = split(rng, 150)
        made = [row | {"x": row["x"] / 5, "z": row["z"] / 5, "k": 1} for row in rows(rng, 300).records()]
        yield NEAREST, training, synthema.table(made, training.schema), {"holdout": holdout}


def real_rows_and_copies(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """All rows are drawn; two in ten synthetic ones copy training rows."""
    for _ in range(repeats):
        training, holdout = split(rng, 150)
        yield NEAREST, training, some_copied(rng, training, 200), {"holdout": holdout}


def real_subjects_and_fresh_ones(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Real and synthetic people of three rows each are drawn."""
    for _ in range(repeats):
        training, holdout = split(rng, 300, 100)
        yield ["dcr_share"], training, rows(rng, 300, 100), {"holdout": holdout}


def few_near_rows(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """All rows are drawn; of twenty synthetic ones nearly all copy holdout rows, the others training rows."""
    for _ in range(repeats):
        training, holdout = split(rng, 150)
        sources = holdout.records(), training.records()
        made = [sources[int(near)][rng.integers(150)] for near in rng.random(20) < 0.05]
        yield ["dcr_share"], training, synthema.table(made, training.schema), {"holdout": holdout}


def synthetic_subjects(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Synthetic people of three rows each are drawn; real ones stay."""
    training, holdout = rows(rng, 300, 100), rows(rng, 300, 100)
    for _ in range(repeats):
        yield ["rare_value_reuse", "nndr"], training, rows(rng, 300, 100), {"holdout": holdout}


def real_rows(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Training and holdout rows are drawn; synthetic rows stay, nearer to one kind of row."""
    synthetic = rows(rng, 300)
    names = [
        *("membership_by_distance", "membership_by_density", "membership_by_model", *RISKS),
        *("categorical_cap", "zero_cap", "generalized_cap", "disclosure_protection"),
    ]
    near = synthetic.records()
    for _ in range(repeats):
        members = rows(rng, 300).records()
        for i in np.flatnonzero(rng.random(300) < 0.2):  # so that attacks have something to find
            members[i] = near[rng.integers(300)]
        training = synthema.table(members, synthetic.schema)
        yield names, training, synthetic, {"holdout": rows(rng, 300), "target_column": "y"}


def real_subjects(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Training and holdout people of three rows each are drawn; synthetic rows stay."""
    synthetic = rows(rng, 300, 100)
    names = ["membership_by_distance", "linkability", "attribute_inference", "categorical_cap"]
    for _ in range(repeats):
        yield names, rows(rng, 300, 100), synthetic, {"holdout": rows(rng, 300, 100)}


def test_rows(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Holdout rows are drawn, on which models are tested; what they learn from stays."""
    training, synthetic = rows(rng, 200), rows(rng, 200)
    for _ in range(repeats):
        context = {"holdout": rows(rng, 300), "target_column": "y"}
        yield ["train_synthetic_test_real"], training, synthetic, context


def followed(rng: np.random.Generator, n: int) -> synthema.Table:
    """Draw rows with a follow-up that ends with an event or earlier, the sooner the larger x."""
    x = rng.normal(size=n)
    time, end = rng.exponential(np.exp(-x)), rng.exponential(2, n)
    happened = (time <= end).astype(int)
    return synthema.table(
        {"x": x.tolist(), "time": np.minimum(time, end).tolist(), "event": happened.tolist()}
    )


def followed_rows(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Holdout rows are drawn, whose survival is predicted; what models learn from stays."""
    training, synthetic = followed(rng, 300), followed(rng, 300)
    for _ in range(repeats):
        context = {"holdout": followed(rng, 200)}
        yield ["survival_concordance", "survival_brier"], training, synthetic, context


def both(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Real and synthetic rows are drawn, of two distributions."""
    for _ in range(repeats):
        shifted = [row | {"x": row["x"] + 0.5} for row in rows(rng, 200).records()]
        training = rows(rng, 200)
        names = ["classifier_two_sample", "classifier_two_sample_logistic"]
        yield names, training, synthema.table(shifted, training.schema), {}


def synthetic_texts(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Synthetic texts are drawn; training, holdout, terms and exemplars stay."""
    training, holdout = texts(rng, 60, []), texts(rng, 60, [])
    sources = [row["text"] for row in training.records()]
    names = [
        *(
            "label_recovery_top1",
            "label_recovery_mrr",
            "ontology_linking_precision",
            "ontology_linking_recall",
        ),
        *(
            "ontology_linking_f1",
            "acceptance_rate",
            "free_token_share",
            "fact_agreement",
            "literal_name_share",
        ),
        *(
            "exact_duplicates",
            "near_duplicates",
            "distinct_1",
            "distinct_2",
            "self_bleu_4",
            "type_token_ratio",
        ),
        *("vocabulary_size", "length_words", "exemplar_overlap_5", "longest_copied_run", "long_copy_share"),
        *("mattr", "mtld", "yule_k", "flesch_kincaid_grade", "automated_readability_index", "meteor"),
        *("bleu", "chrf", "rouge_1", "rouge_l", "training_copy_texts", "training_copy_words"),
        *("identifier_texts", "identifier_reuse", "nearest_note_rouge"),
    ]
    context = {
        "holdout": holdout,
        "exemplars": synthema.table([{"text": text} for text in sources[:20]]),
        "terms": synthema.table(TERMS),
        "embedder": letters,
        "embedder_name": "words",
    }
    for _ in range(repeats):
        yield names, training, texts(rng, 120, sources), context


NOTES = ["near_note_copies", "nearest_note_share"]


def real_texts_and_fresh_texts(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """All texts are drawn, from one process."""
    for _ in range(repeats):
        yield NOTES, texts(rng, 100, []), texts(rng, 120, []), {"holdout": texts(rng, 100, [])}


def real_texts_and_clumps(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Real texts are drawn; synthetic ones tell five others, which nobody trained on, in other words."""
    for _ in range(repeats):
        sources = [row["text"].split() for row in texts(rng, 5, []).records()]
        made = []
        for i in rng.integers(5, size=120):
            words = list(sources[i])
            words[rng.integers(len(words))] = str(rng.choice(WORDS, p=WEIGHTS))
            made.append({"text": " ".join(words)})
        yield NOTES, texts(rng, 100, []), synthema.table(made), {"holdout": texts(rng, 100, [])}


def repeated_texts(rng: np.random.Generator, repeats: int) -> Iterator[Draw]:
    """Synthetic texts are drawn from a few dozen, so that some come twice."""
    training = texts(rng, 20, [])
    pool = texts(rng, 400, []).records()
    for _ in range(repeats):
        drawn = [pool[i] for i in rng.integers(400, size=120)]
        yield ["exact_duplicates", "near_duplicates"], training, synthema.table(drawn, training.schema), {}


WORLDS: dict[str, World] = {
    one.__name__: one
    for one in (
        synthetic_rows,
        real_rows_and_fresh_rows,
        real_rows_and_many_fresh_rows,
        real_rows_and_clumps,
        real_rows_and_smooth_rows,
        real_rows_and_copies,
        real_subjects_and_fresh_ones,
        few_near_rows,
        synthetic_subjects,
        real_rows,
        real_subjects,
        test_rows,
        followed_rows,
        both,
        synthetic_texts,
        real_texts_and_fresh_texts,
        real_texts_and_clumps,
        repeated_texts,
    )
}


# --- coverage ---


def raw_rate(centre: float, n: int) -> float:
    """Return successes / attacks of the centre of Wilson's interval."""
    z2 = 1.959963984540054**2
    return (centre * (n + z2) - z2 / 2) / n


def simulate(
    world: World, repeats: int, seed: int, bootstrap: int, only: set[str] | None = None
) -> list[dict]:
    """Return for each evaluator of a world how often its interval covered the truth."""
    values: dict[str, list[float]] = {}
    intervals: dict[str, list[tuple[float, float]]] = {}
    rates: dict[str, list[tuple[float, float]]] = {}
    methods: dict[str, str] = {}
    options = synthema.SuiteOptions(
        quasi_identifiers=["c", "k"], secrets=["y"], duration_column="time", event_column="event"
    )
    built: dict[str, synthema.Evaluator] = {}
    for i, (names, real, synthetic, context) in enumerate(world(np.random.default_rng(seed), repeats)):
        given = synthema.EvaluationContext(seed=i, bootstrap=bootstrap, threads=1, **context)
        for name in names:
            if only and name not in only:
                continue
            one = built.setdefault(name, synthema._core.evaluator_named(name, options))
            score = one.evaluate(real, synthetic, given)
            if score.value is None or score.interval is None:
                continue
            values.setdefault(name, []).append(score.value)
            intervals.setdefault(name, []).append(tuple(score.interval))
            method = score.interval.method
            if name not in methods or methods[name].startswith("Wilson over"):
                methods[name] = method
            if name in RISKS:
                parts = {part.name: part for part in score.parts}
                if "attack" in parts:
                    rates.setdefault(name, []).append(
                        tuple(raw_rate(parts[k].value, parts[k].n) for k in ("attack", "control"))
                    )
                else:  # attribute inference says its rates in a note
                    note = score.parts[0].note.split()
                    rates.setdefault(name, []).append((float(note[2]), float(note[6])))
    out = []
    for name, found in values.items():
        truth = float(np.mean(found))
        if name in RISKS:
            attack, control = np.mean(rates[name], axis=0)
            truth = max(0.0, (attack - control) / (1 - control))
        covered = np.mean([low - 1e-12 <= truth <= high + 1e-12 for low, high in intervals[name]])
        width = np.mean([high - low for low, high in intervals[name]])
        out.append(
            {
                "name": name, "world": world.__name__, "truth": truth, "coverage": float(covered),
                "width": float(width), "repeats": len(found), "method": methods[name],
            }
        )  # fmt: skip
    return out


def main() -> None:
    """Run all worlds and print the table, or write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--bootstrap", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--world", choices=WORLDS, action="append")
    parser.add_argument("--only", action="append", help="these evaluators alone")
    parser.add_argument("--write", action="store_true", help="write docs/calibration.md")
    args = parser.parse_args()
    found = [
        one
        for name in args.world or WORLDS
        for one in simulate(
            WORLDS[name], args.repeats, args.seed, args.bootstrap, set(args.only) if args.only else None
        )
    ]
    lines = ["| score | what is drawn | mean | width | coverage | method |", "|---|---|---|---|---|---|"]
    for one in found:
        outside = "" if LOW <= one["coverage"] <= HIGH else " (!)"
        lines.append(
            f"| `{one['name']}` | {one['world'].replace('_', ' ')} | {one['truth']:.4g} | {one['width']:.3g} "
            f"| {one['coverage']:.1%}{outside} | {one['method']} |"
        )
    print("\n".join(lines))
    if args.write:
        page = pathlib.Path(__file__).resolve().parent.parent / "docs" / "calibration.md"
        before, _, rest = page.read_text(encoding="utf-8").partition("<!-- table -->\n")
        after = rest.partition("<!-- end of table -->")[2]
        table = "\n".join(lines)
        page.write_text(f"{before}<!-- table -->\n{table}\n<!-- end of table -->{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
