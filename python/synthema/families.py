"""What question a measure answers, by its name: the headings of reports, and what the card calls privacy."""

from __future__ import annotations

__all__ = ["FAMILIES", "OTHER", "family_of", "is_privacy"]

OF_PEOPLE, OF_COPIES = "What does it give away about people?", "Was it copied?"
# Families in reading order; a score belongs to the first whose word occurs in its name.
FAMILIES = (
    (
        "Does the text say what was asked?",
        ("recovery", "linking", "literal", "reciprocal", "fact", "acceptance"),
    ),
    (
        "Is it useful?",
        (
            "train_synthetic",
            "_gap",
            "rows_worth",
            "augmentation",
            "ranking",
            "importance",
            "coefficient",
            "survival",
        ),
    ),
    (
        "Do histories agree?",
        (
            "code_",
            "codes_",
            "visit",
            "history",
            "row_differences",
            "autocorrelation",
            "between_subject",
            "kaplan",
        ),
    ),
    (
        OF_PEOPLE,
        (
            *("authenticity", "dcr", "nndr", "nnaa_privacy", "identifi", "membership", "singling", "reuse"),
            *(
                "linkability",
                "inference",
                "_cap",
                "disclosure",
                "anonymity",
                "l_diversity",
                "k_map",
                "presence",
            ),
            *("canary", "near_note", "nearest_note"),
        ),
    ),
    (
        OF_COPIES,
        ("copied", "copy", "copies", "training_copy", "overlap", "memor", "verbatim"),
    ),
    ("Can it be told from real data?", ("two_sample", "propensity", "nnaa")),
    (
        "Is it varied?",
        (
            "duplicate",
            "distinct",
            "self_bleu",
            "diversity",
            "entropy",
            "vocabulary",
            "type_token",
            "mattr",
            "mtld",
            "hdd",
            "yule",
            "zipf",
            "pairwise",
        ),
    ),
    (
        "Who wrote it, and how long is it?",
        ("free", "length", "_words", "flesch", "fog", "readability", "coleman"),
    ),
    (
        "How near is it to real data, or to its reference?",
        (
            *("column", "missing", "boundary", "range", "category", "bleu", "chrf", "rouge"),
            *(
                "word_kl",
                "bert_score",
                "perplexity",
                "frechet",
                "moment",
                "mauve",
                "meteor",
                "label_",
                "concept",
                "tag_form",
                "difference",
            ),
            *("support_", "density", "coverage", "precision", "recall", "discrepancy", "quantile", "rules"),
            *("plausibility", "long_tail", "subgroup"),
            *("accuracy", "similarity", "wasserstein", "shannon", "kl_", "chi_square"),
        ),
    ),
)
OTHER = "Further measures"


def family_of(name: str) -> str:
    """Return the family under whose heading a score is shown."""
    return next((title for title, keys in FAMILIES if any(key in name for key in keys)), OTHER)


def is_privacy(name: str) -> bool:
    """Whether a measure says what rows tell about people, or what of them is copied."""
    return family_of(name) in (OF_PEOPLE, OF_COPIES)
