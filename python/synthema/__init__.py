"""Synthetic biomedical data on your own machine, measured honestly.

What needs no torch and no frame library is here at once; the rest is loaded when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from synthema._core import (
    AnswerForms,
    Bm25,
    Cancelled,
    CancelToken,
    ChatTemplate,
    Check,
    Completion,
    CompletionModel,
    CompletionRequest,
    ConfigError,
    Draft,
    Error,
    EvaluationContext,
    EvaluationError,
    Evaluator,
    Field,
    FieldRule,
    FormConstraint,
    GenerationError,
    GroupRule,
    Message,
    ModelError,
    ModelFile,
    ParseError,
    PolicyError,
    PrivacyBudgetError,
    Progress,
    Prompt,
    PromptStrategy,
    Random,
    Report,
    RunFolderError,
    Sampling,
    Schema,
    SchemaError,
    Score,
    SuiteOptions,
    Table,
    Task,
    TfIdf,
    TokenCounts,
    Tokenizer,
    VerifyResult,
    __version__,
    banned_words,
    best_of,
    concept_recovered,
    corpus_bleu,
    corpus_chrf,
    ends_with_punctuation,
    evaluate_all,
    few_shot,
    find_identifiers,
    in_language,
    json_record,
    label_conditioned,
    length_in_words,
    likely_enough,
    longest_common_run,
    matches_choice,
    ngram_model,
    no_exemplar_copy,
    one_line,
    porter_stem,
    read_manifest,
    rouge,
    scripted_model,
    self_bleu,
    sentence_bleu,
    sentence_chrf,
    sentence_count,
    table_suite,
    text_suite,
    tokens_13a,
    words,
    zero_shot,
)

if TYPE_CHECKING:  # what __getattr__ below finds, for editors and type checkers
    from synthema import (
        assessment,
        cards,
        cli,
        column_kinds,
        config,
        conformance,
        constraints,
        evaluation,
        evaluators,
        facts,
        forecasting,
        generation,
        learning,
        metrics,
        models,
        ontology,
        privacy,
        recipes,
        reporting,
        study,
        tables,
        tabular_generation,
    )
    from synthema.cards import study_card
    from synthema.conformance import check_constraint, check_generator, check_strategy
    from synthema.constraints import TokenConstraint
    from synthema.evaluation import evaluate
    from synthema.evaluators import check_evaluator, evaluator, evaluator_names
    from synthema.forecasting import Forecast, forecast, with_remaining
    from synthema.generation import Run, completion_model, generate, load_run, strategy, verify
    from synthema.learning import Learner, boosted_trees, learner, linear_model
    from synthema.models import Embedder, Model, default_encoder_path, default_model_path, perplexity
    from synthema.tables import read, table, write
    from synthema.tabular_generation import (
        AnyOrderNetwork,
        BootstrapCopy,
        GaussianCopula,
        IndependentMarginals,
        PrivateMarginals,
        SequentialTrees,
        load,
        tabular,
    )

# Name -> the module that has it; a module stands for itself.
_LAZY = {
    **dict.fromkeys(("study_card",), "cards"),
    **dict.fromkeys(("check_constraint", "check_generator", "check_strategy"), "conformance"),
    **dict.fromkeys(("TokenConstraint",), "constraints"),
    **dict.fromkeys(("evaluate",), "evaluation"),
    **dict.fromkeys(("check_evaluator", "evaluator", "evaluator_names"), "evaluators"),
    **dict.fromkeys(("Forecast", "forecast", "with_remaining"), "forecasting"),
    **dict.fromkeys(("Run", "completion_model", "generate", "load_run", "strategy", "verify"), "generation"),
    **dict.fromkeys(("Learner", "boosted_trees", "learner", "linear_model"), "learning"),
    **dict.fromkeys(
        ("Embedder", "Model", "default_encoder_path", "default_model_path", "perplexity"), "models"
    ),
    **dict.fromkeys(("read", "table", "write"), "tables"),
    **dict.fromkeys(
        (
            "AnyOrderNetwork", "BootstrapCopy", "GaussianCopula", "IndependentMarginals", "PrivateMarginals",
            "SequentialTrees", "load", "tabular",
        ),
        "tabular_generation",
    ),
    **{
        name: name
        for name in (
            "assessment", "cards", "cli", "column_kinds", "config", "conformance", "constraints",
            "evaluation", "evaluators", "facts", "forecasting", "generation",
            "learning", "metrics", "models", "ontology", "privacy", "recipes", "reporting", "study", "tables",
            "tabular_generation",
        )
    },
}  # fmt: skip

__all__ = [
    "AnswerForms",
    "EvaluationContext",
    "Evaluator",
    "Report",
    "Score",
    "SuiteOptions",
    "corpus_bleu",
    "corpus_chrf",
    "evaluate_all",
    "find_identifiers",
    "rouge",
    "self_bleu",
    "sentence_bleu",
    "sentence_chrf",
    "table_suite",
    "text_suite",
    "tokens_13a",
    "Bm25",
    "CancelToken",
    "Cancelled",
    "ChatTemplate",
    "Check",
    "Completion",
    "CompletionModel",
    "CompletionRequest",
    "ConfigError",
    "Draft",
    "Error",
    "EvaluationError",
    "Field",
    "FieldRule",
    "FormConstraint",
    "GenerationError",
    "GroupRule",
    "Message",
    "ModelError",
    "ModelFile",
    "ParseError",
    "PolicyError",
    "PrivacyBudgetError",
    "Progress",
    "Prompt",
    "PromptStrategy",
    "Random",
    "RunFolderError",
    "Sampling",
    "Schema",
    "SchemaError",
    "Table",
    "Task",
    "TfIdf",
    "TokenCounts",
    "Tokenizer",
    "__version__",
    "label_conditioned",
    "longest_common_run",
    "ngram_model",
    "porter_stem",
    "read_manifest",
    "scripted_model",
    "sentence_count",
    "words",
    "zero_shot",
    "VerifyResult",
    "banned_words",
    "best_of",
    "concept_recovered",
    "ends_with_punctuation",
    "few_shot",
    "in_language",
    "json_record",
    "length_in_words",
    "likely_enough",
    "matches_choice",
    "no_exemplar_copy",
    "one_line",
    *_LAZY,
]


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module 'synthema' has no attribute {name!r}")
    found = importlib.import_module(f"synthema.{module}")
    value = found if module == name else getattr(found, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
