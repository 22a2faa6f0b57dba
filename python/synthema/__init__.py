"""Synthetic biomedical data on your own machine, measured honestly.

What needs no torch and no frame library is here at once; the rest is loaded when it is first used.
"""

import importlib
from typing import Any

from synthema import _core
from synthema._core import *  # noqa: F403
from synthema._core import (
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
    EvaluationError,
    Field,
    GenerationError,
    Message,
    ModelError,
    ModelFile,
    ParseError,
    PolicyError,
    Progress,
    Prompt,
    PromptStrategy,
    Random,
    RunFolderError,
    Sampling,
    Schema,
    SchemaError,
    Table,
    Task,
    TfIdf,
    TokenCounts,
    Tokenizer,
    __version__,
    label_conditioned,
    longest_common_run,
    ngram_model,
    porter_stem,
    read_manifest,
    scripted_model,
    sentence_count,
    words,
    zero_shot,
)
from synthema.evaluation import check_evaluator, evaluate, evaluator, evaluator_names
from synthema.generation import Run, completion_model, generate, load_run, strategy
from synthema.tables import table

# Name -> the module that has it; a module stands for itself.
_LAZY = {
    **dict.fromkeys(("Run", "completion_model", "generate", "load_run", "strategy"), "generation"),
    **dict.fromkeys(("Model", "default_model_path"), "models"),
    **dict.fromkeys(("read", "table", "write"), "tables"),
    **{
        name: name
        for name in (
            "assessment", "cli", "config", "evaluation", "facts", "generation", "models", "ontology",
            "recipes", "reporting", "study", "tables",
        )
    },
}  # fmt: skip

__all__ = [
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
    "GenerationError",
    "Message",
    "ModelError",
    "ModelFile",
    "ParseError",
    "PolicyError",
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
