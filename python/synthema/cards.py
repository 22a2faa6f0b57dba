"""The study card: what a table of studies of synthetic data wants to know, in a form that machines read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthema import _core
from synthema._core import ConfigError, Schema, Table
from synthema.families import is_privacy

__all__ = ["FIELDS", "study_card"]

# The columns of the review's table of studies, then what publishing the data needs.
FIELDS = (
    "ref", "short_name", "modality", "language", "architecture", "approach", "size", "year", "accessible",
    "purpose", "application", "disease", "downstream_task", "n_metrics", "intrinsic", "human", "llm_eval",
    "components", "source", "licence", "terms", "library", "metrics",
)  # fmt: skip
# What the rows and the scores say, and nobody else.
MEASURED = ("size", "n_metrics", "intrinsic", "metrics")


def study_card(
    synthetic: Table,
    scores: Sequence[Mapping[str, Any]],
    *,
    schema: Schema | None = None,
    library: str = "",
    target: str = "",
    **known: Any,
) -> dict[str, Any]:
    """Fill in the card from the data and the scores; what they do not say is null, or given by name.

    Parameters
    ----------
    synthetic : Table
        The rows that were made.
    scores : list of dict
        In the JSON form of a report.
    schema : Schema, optional
        Whose source, licence, terms and language count; the table's own by default.
    library, target : str
        What measured, and the column that models predict.
    **known
        Any of `FIELDS`: ``architecture="GPT"``, ``purpose="Privacy"``, ``disease="Depression"``, ...

    Returns
    -------
    dict
        One entry for each of `FIELDS`.

    Raises
    ------
    ConfigError
        If a name is none of `FIELDS`, or is measured: the number of rows and all about metrics.
    """
    refuse_unknown(known)
    terms = schema or synthetic.schema
    taken = [score for score in scores if score.get("value") is not None]
    labels = set(_core.label_columns(synthetic))  # which a frame keeps as texts
    kinds = {
        "category" if f.name in labels else f.kind
        for f in synthetic.schema.fields
        if not {"identifier", "subject"} & set(f.roles)
    }
    roles = {role for f in synthetic.schema.fields for role in f.roles}
    numbers = kinds & {"real", "integer", "category", "boolean", "time"}
    if {"subject", "time"} <= roles:
        modality = "Longitudinal"
    elif "text" in kinds:
        modality = "Text, tabular" if len(numbers) > 1 else "Text"
    else:
        modality = "Tabular"
    card: dict[str, Any] = dict.fromkeys(FIELDS)
    card |= {
        "modality": modality,
        "language": terms.language.upper()
        if "text" in kinds and (schema or terms.language != "en")
        else None,
        "size": len(synthetic),
        "downstream_task": _task(synthetic, target),
        "n_metrics": len(taken),
        "intrinsic": "Yes" if taken else "No",
        "human": "No",
        "llm_eval": "No",
        "source": terms.source or None,
        "licence": terms.licence or None,
        "terms": terms.terms or None,
        "library": library or None,
        "metrics": [
            {
                "name": score["name"],
                "value": score["value"],
                "interval": [score["interval"]["low"], score["interval"]["high"]]
                if score.get("interval")
                else None,
                "ceiling": (score.get("ceiling") or {}).get("value"),
                "convention": score.get("convention", "synthema"),
                "privacy": is_privacy(score["name"]),
            }
            for score in taken
        ],
    }
    return card | known


def refuse_unknown(known: Mapping[str, Any]) -> None:
    """Raise ConfigError for the first name that is none of `FIELDS`, or whose entry is measured."""
    if unknown := sorted(set(known) - set(FIELDS)):
        raise ConfigError(f"A study card has no field '{unknown[0]}'; it has {', '.join(FIELDS)}.")
    if measured := sorted(set(known) & set(MEASURED)):
        raise ConfigError(
            f"The entry '{measured[0]}' of a study card is measured and cannot be given; leave it out."
        )


def _task(synthetic: Table, target: str) -> str | None:
    if not target or target not in synthetic.names:
        return None
    kind = next(f.kind for f in synthetic.schema.fields if f.name == target)
    if kind not in ("real", "integer", "time"):
        return "CLS"
    values = [one for one in synthetic.values(target) if one is not None]
    # A number with two values is a target of two classes (`TargetColumn`), unless there is nothing else.
    return "CLS" if len(set(values)) == 2 < len(values) else "REG"
